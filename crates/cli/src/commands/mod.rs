//! One file per command.

mod analysis;
mod completions;
mod failures;
mod merge;
mod plan;
mod queue;
mod replay;
mod run;
mod solve;
mod status;
mod submit;
mod table;
mod theory;
mod verify;

use crate::args::{Arguments, Command};
use crate::exit::Exit;
use crate::report::CommandError;

/// Calls the command that was typed.
pub(crate) fn call(arguments: &Arguments) -> Result<Exit, CommandError> {
    match &arguments.command {
        Command::Run(run) => run::call(run, arguments.quiet, arguments.verbose),
        Command::Plan(plan) => plan::call(plan),
        Command::Theory(theory) => theory::call(theory),
        Command::Solve(solve) => solve::call(solve),
        Command::Status(status) => status::call(status),
        Command::Merge(merge) => merge::call(merge),
        Command::Verify { dataset } => verify::call(dataset),
        Command::Replay(replay) => replay::call(replay),
        Command::Submit(submit) => submit::call(submit, arguments.quiet),
        Command::Query(handed) => analysis::call("query", &handed.rest, arguments.quiet, arguments.verbose),
        Command::Plot(handed) => analysis::call("plot", &handed.rest, arguments.quiet, arguments.verbose),
        Command::Report(handed) => analysis::call("report", &handed.rest, arguments.quiet, arguments.verbose),
        Command::Completions { shell } => Ok(completions::call(*shell)),
    }
}
