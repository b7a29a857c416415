//! The program `eigensweep-query`: what `eigensweep query` hands over to.
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[macro_use]
mod tell;

mod args;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use eigensweep_inputs::memory::OrEnd;
use eigensweep_query::output::{self, Format};
use eigensweep_query::{Query, QueryError};
use eigensweep_store::format::count;
use eigensweep_store::source::{Source, SourceError};
use mimalloc::MiMalloc;

use args::Arguments;

#[global_allocator]
static ALLOCATOR: OrEnd<MiMalloc> = OrEnd(MiMalloc);

/// Exit code of bad usage, clap's own.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(caller) = arguments.called_by.as_deref().filter(|caller| *caller != env!("CARGO_PKG_VERSION"))
    {
        tell!(
            "error: this is eigensweep-query {}, and eigensweep is {caller}: build both with `cargo build --release \
             --workspace`",
            env!("CARGO_PKG_VERSION")
        );
        return ExitCode::FAILURE;
    }
    if let Err(message) = threads() {
        tell!("error: {message}");
        return ExitCode::from(USAGE);
    }
    // A panic of the engine becomes an error with a sentence.
    std::panic::set_hook(Box::new(|_| {}));
    match call(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell!("error: {error}");
            if error.is_usage() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// Whether polars can start: it panics where this variable is no number of threads.
#[expect(clippy::disallowed_methods, reason = "the environment of the program that polars reads")]
fn threads() -> Result<(), String> {
    const VARIABLE: &str = "POLARS_MAX_THREADS";
    let Some(value) = std::env::var_os(VARIABLE) else { return Ok(()) };
    match value.to_str().and_then(|value| value.parse::<usize>().ok()) {
        Some(1..) => Ok(()),
        _ => Err(format!("{VARIABLE} = `{}`: give a number of threads, at least 1", value.display())),
    }
}

fn call(arguments: &Arguments) -> Result<(), QueryError> {
    let Some((sql, datasets)) = arguments.datasets_and_sql.split_last() else { return Ok(()) };
    if datasets.is_empty() {
        return Err(SourceError::NoDataSet.into());
    }
    if Path::new(sql).join("job.toml").is_file() {
        let message = format!("the last argument is SQL, and `{sql}` is a data set");
        return Err(QueryError::Query { message });
    }
    let sources = Source::open_all(datasets)?;
    for Source { dataset, .. } in sources.iter().filter(|_| !arguments.quiet) {
        let (done, all) = (dataset.rows_done(), dataset.rows());
        if done < all {
            let (done, all) = (count(done.into()), count(all.into()));
            tell!("note: {} is not finished: {done} of {all} rows", dataset.root().display());
        }
    }
    let mut query = Query::new(&sources)?;
    if !arguments.paradigms.is_empty() {
        query = query.among(&arguments.paradigms)?;
    }
    if arguments.explain {
        let plan = query.explain(sql)?;
        let mut stdout = io::stdout();
        return match writeln!(stdout, "{plan}").and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(QueryError::Output(error)),
            _ => Ok(()),
        };
    }
    let format = arguments.format.or(arguments.output.as_deref().and_then(Format::of_file));
    let axes = query.columns().axes.clone();
    let axes = axes.as_slice();
    let rows = match &arguments.output {
        Some(path) => {
            let format = format.ok_or_else(|| QueryError::Extension { path: path.clone() })?;
            output::write(query.frame(sql)?, format, axes, path)?
        }
        None if format == Some(Format::Parquet) => {
            return Err(QueryError::Query {
                message: "Parquet needs a file: add -o FILE.parquet".to_owned(),
            });
        }
        None => Some(output::print(query.frame(sql)?, format.unwrap_or(Format::Table), axes)?),
    };
    // No row, or one of totals over none.
    if rows.is_some_and(|rows| rows <= 1) && !arguments.quiet {
        for sentence in query.absent()? {
            tell!("note: {sentence}");
        }
    }
    Ok(())
}
