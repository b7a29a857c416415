//! The program `eigensweep`: arguments → a validated plan → a call.
//!
//! `args` says what can be typed, `commands` holds one file per command, `report` prints errors
//! (with the job's text underlined), `output` is standard output, `tell` says things on standard
//! error, `progress` shows how a run gets on, `stop` ends it in time, `requeue` has it run again,
//! `cluster` asks the batch system. What is computed is the engine's business; what a run writes
//! down about its host is `eigensweep_host`'s.
#![allow(clippy::disallowed_methods, reason = "clock and environment are read here and nowhere else")]
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[macro_use]
mod tell;

mod args;
mod cluster;
mod commands;
mod exit;
mod job;
mod output;
mod progress;
mod report;
mod requeue;
mod stop;

use std::process::ExitCode;

use args::Arguments;
use clap::Parser;
use eigensweep_inputs::memory::OrEnd;
use exit::Exit;
use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: OrEnd<MiMalloc> = OrEnd(MiMalloc);

fn main() -> ExitCode {
    let exit = match Arguments::try_parse() {
        Ok(arguments) => call(&arguments),
        Err(mistake) if mistake.use_stderr() => mistake.exit(),
        Err(asked_for) => {
            output::by(|| asked_for.print());
            Exit::Success
        }
    };
    let lost = output::end().map_err(|error| report::print(&error, None)).err();
    // What failed before has a code of its own.
    lost.filter(|_| exit == Exit::Success).unwrap_or(exit).into()
}

/// Calls the command that was typed, and says what went wrong.
fn call(arguments: &Arguments) -> Exit {
    let ended = commands::call(arguments);
    if let Some(remark) = eigensweep_inputs::whole_file::sync_remark() {
        tell!("warning: {remark}");
    }
    ended.unwrap_or_else(|error| report::print(&error, Some(&arguments.command)))
}
