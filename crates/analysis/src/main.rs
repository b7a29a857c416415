//! The program `eigensweep-analysis`: what `eigensweep query`, `plot` and `report` hand over to.
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[macro_use]
mod tell;

mod args;
mod commands;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of bad usage, clap's own.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = args::Arguments::parse();
    if let Some(caller) = arguments.called_by.as_deref().filter(|caller| *caller != env!("CARGO_PKG_VERSION"))
    {
        tell!(
            "error: this is eigensweep-analysis {}, and eigensweep is {caller}: build both with `cargo build --release \
             --workspace`",
            env!("CARGO_PKG_VERSION")
        );
        return ExitCode::FAILURE;
    }
    match commands::call(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell!("error: {error}");
            if error.is_usage() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}
