//! From arguments to calls of the library.

use std::io::{self, Write};
use std::path::PathBuf;

use eigensweep_analysis::query::output::{self, Format};
use eigensweep_analysis::{AnalysisError, Query, Source, figure, format, report, source};

use crate::args::{self, Arguments, Command};

/// Calls the command that was typed.
pub(crate) fn call(arguments: &Arguments) -> Result<(), AnalysisError> {
    match &arguments.command {
        Command::Query(query) => run_query(query, arguments.quiet),
        Command::Plot(plot) => run_plot(plot, arguments.quiet),
        Command::Report(report) => run_report(report, arguments.quiet),
    }
}

fn run_query(arguments: &args::Query, quiet: bool) -> Result<(), AnalysisError> {
    let Some((sql, datasets)) = arguments.datasets_and_sql.split_last() else { return Ok(()) };
    if datasets.is_empty() {
        return Err(AnalysisError::NoDataSet);
    }
    if PathBuf::from(sql).join("job.toml").is_file() {
        return Err(AnalysisError::Query {
            message: format!("the last argument is SQL, and `{sql}` is a data set"),
        });
    }
    let sources = open(datasets, quiet)?;
    let mut query = Query::new(&sources)?;
    if arguments.explain {
        say(&query.explain(sql)?)?;
        return Ok(());
    }
    let told = arguments.output.as_deref().and_then(Format::of_file);
    let format = arguments.format.or(told);
    match &arguments.output {
        Some(path) => {
            let format = format.ok_or(AnalysisError::Extension {
                path: path.clone(),
                allowed: ".csv, .json, .parquet or .txt",
            })?;
            output::write(query.frame(sql)?, format, path)
        }
        None if format == Some(Format::Parquet) => {
            Err(AnalysisError::Query { message: "Parquet needs a file: add -o FILE.parquet".to_owned() })
        }
        None => output::print(query.frame(sql)?, format.unwrap_or(Format::Table)),
    }
}

fn run_plot(arguments: &args::Plot, quiet: bool) -> Result<(), AnalysisError> {
    let sources = open(&arguments.datasets, quiet)?;
    let path = arguments
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{}-{}.svg", joined(&sources), arguments.figure.name())));
    let drawing = figure::draw(&sources, &arguments.spec())?;
    drawing.save(&path, arguments.resolution)?;
    if !quiet {
        for note in drawing.notes() {
            tell!("note: {note}");
        }
        say(&path.display().to_string())?;
    }
    Ok(())
}

fn run_report(arguments: &args::Report, quiet: bool) -> Result<(), AnalysisError> {
    let sources = open(&arguments.datasets, quiet)?;
    let default = || PathBuf::from(format!("{}-report.html", joined(&sources)));
    let path = arguments.output.clone().unwrap_or_else(default);
    if path.extension().is_none_or(|extension| extension != "html") {
        return Err(AnalysisError::Extension { path, allowed: ".html" });
    }
    report::write(&sources, &path)?;
    if !quiet {
        say(&path.display().to_string())?;
    }
    Ok(())
}

/// Writes a line to standard output; a reader that has seen enough is no error.
fn say(line: &str) -> Result<(), AnalysisError> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(AnalysisError::Io { action: "write to", path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}

/// The data sets' names as part of a file name.
fn joined(sources: &[Source]) -> String {
    let last = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
    sources.iter().map(|source| last(&source.name)).collect::<Vec<_>>().join("-")
}

/// Opens the data sets, and says so where one is not finished.
fn open<P: AsRef<std::path::Path>>(roots: &[P], quiet: bool) -> Result<Vec<Source>, AnalysisError> {
    let sources = source::open_all(roots)?;
    for source in sources.iter().filter(|source| !quiet && u128::from(source.rows) < source.planned_rows()) {
        tell!(
            "note: {} is not finished: {} of {} rows",
            source.root.display(),
            format::count(u128::from(source.rows)),
            format::count(source.planned_rows())
        );
    }
    Ok(sources)
}
