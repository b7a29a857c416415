//! One file per command.

mod analysis;
mod completions;
mod plan;
mod run;
mod solve;
mod table;
mod theory;

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
        Command::Query(handed) => analysis::call("query", &handed.rest, arguments.quiet, arguments.verbose),
        Command::Plot(handed) => analysis::call("plot", &handed.rest, arguments.quiet, arguments.verbose),
        Command::Report(handed) => analysis::call("report", &handed.rest, arguments.quiet, arguments.verbose),
        Command::Completions { shell } => Ok(completions::call(*shell)),
    }
}
