//! One file per command.

mod boundary;
mod completions;
mod data;
mod diagnose;
mod failures;
mod init;
mod keys;
mod merge;
mod plan;
mod plot;
mod query;
mod queue;
mod replay;
mod run;
mod solve;
mod status;
mod submit;
mod table;
mod theory;
mod verify;

use eigensweep_job::JobSpec;

use crate::args::{Arguments, Command};
use crate::exit::Exit;
use crate::report::CommandError;

pub(crate) use diagnose::{
    flags as diagnose_flags, is_usage as is_diagnose_usage, spelled as diagnose_spelled,
};
pub(crate) use solve::in_files as solve_in_files;

/// What an infinite threshold says, and what it does not.
const ABOVE_COMPONENTS: &str = "k > k₀, the number of important components: a noise component is kept whatever α is, and no α \
                                recovers by leakage; all of the signal is kept, too, so distance may fall all the same";

/// Says of each scale that is relative to the data what its column holds.
fn relative_scales(spec: &JobSpec) {
    let names: Vec<&str> = relative(spec).collect();
    say_relative(&names, spec.stages().is_some());
}

/// The same of the columns that [`relative`] found, of stages or of spectra.
fn say_relative(names: &[&str], of_stages: bool) {
    let unit = match of_stages {
        true => "the mean variance of a feature of the clean data",
        false => "λ₁, the largest eigenvalue of the clean data",
    };
    for name in names {
        table::print(&format!("{name} is relative: multiples of {unit}"));
    }
}

/// The columns that hold multiples of what the clean data have.
fn relative(spec: &JobSpec) -> impl Iterator<Item = &'static str> {
    spec.axes().into_iter().filter(|axis| axis.relative).map(|axis| axis.name)
}

/// Calls the command that was typed.
pub(crate) fn call(arguments: &Arguments) -> Result<Exit, CommandError> {
    match &arguments.command {
        Command::Run(run) => run::call(run, arguments.quiet, arguments.verbose),
        Command::Boundary(boundary) => boundary::call(boundary, arguments.quiet, arguments.verbose),
        Command::Plan(plan) => plan::call(plan),
        Command::Theory(theory) => theory::call(theory, arguments.quiet, arguments.verbose),
        Command::Solve(solve) => solve::call(solve),
        Command::Diagnose(diagnose) => diagnose::call(diagnose, arguments.quiet, arguments.verbose),
        Command::Status(status) => status::call(status),
        Command::Merge(merge) => merge::call(merge),
        Command::Verify { dataset } => verify::call(dataset),
        Command::Replay(replay) => replay::call(replay),
        Command::Submit(submit) => submit::call(submit, arguments.quiet),
        Command::Query(handed) => query::call(&handed.rest, arguments.quiet, arguments.verbose),
        Command::Plot(plot) => plot::call(plot, arguments.quiet),
        Command::Report(report) => plot::report(report, arguments.quiet),
        Command::Keys { table } => Ok(keys::call(table.as_deref())),
        Command::Init(init) => Ok(init::call(init)),
        Command::Completions { shell } => Ok(completions::call(*shell)),
    }
}
