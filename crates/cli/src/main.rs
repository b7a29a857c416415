//! The program `eigensweep`: arguments → a validated plan → a call.
//!
//! `args` says what can be typed, `commands` holds one file per command, `report` prints errors
//! (with the job's text underlined), `tell` says things on standard error, `progress` shows how a
//! run gets on, `run_log` writes it down, `stop` ends it in time, `requeue` has it run again,
//! `cluster` asks the batch system. What is computed is the engine's business.
#![allow(clippy::disallowed_methods, reason = "clock and environment are read here and nowhere else")]
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[macro_use]
mod tell;

mod args;
mod cluster;
mod commands;
mod exit;
mod host;
mod job;
mod progress;
mod report;
mod requeue;
mod run_log;
mod stop;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    let ended = commands::call(&arguments);
    if let Some(directory) = eigensweep_inputs::whole_file::unsynced_directory() {
        tell!(
            "warning: the file system of {} cannot sync directories: a power cut may take back what was written last",
            directory.display()
        );
    }
    match ended {
        Ok(code) => code.into(),
        Err(error) => report::print(&error, &arguments.command).into(),
    }
}
