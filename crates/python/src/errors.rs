//! Errors of the engine as exceptions of `eigensweep._errors`.

use eigensweep_engine::EngineError;
use eigensweep_figures::FigureError;
use eigensweep_inputs::InputError;
use eigensweep_job::JobProblems;
use eigensweep_store::source::SourceError;
use eigensweep_store::{Remedy, StoreError};
use pyo3::BoundObject;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An exception of the package with a message.
pub(crate) fn error(python: Python<'_>, message: &str) -> PyErr {
    raised(python, "Error", (message,))
}

/// An error of the engine: of a job `JobError`, of a file `OSError` with its number, else `Error`.
pub(crate) fn of_engine(python: Python<'_>, error: &EngineError) -> PyErr {
    match error {
        EngineError::Job(problems) => of_problems(python, problems),
        EngineError::Io { path, source, .. } => of_file(&error.to_string(), path, source),
        EngineError::Input(error) => of_input(python, error),
        EngineError::Store(error) => of_store(python, error),
        EngineError::Threads { .. } => self::error(python, &error.to_string()),
    }
}

/// An error of an input file.
pub(crate) fn of_input(python: Python<'_>, error: &InputError) -> PyErr {
    if let InputError::Io { path, source, .. } = error {
        return of_file(&error.to_string(), path, source);
    }
    self::error(python, &spelled(&error.to_string()))
}

/// An error of a data set, with what Python's caller can do about it.
pub(crate) fn of_store(python: Python<'_>, error: &StoreError) -> PyErr {
    if let StoreError::Io { path, source, .. } = error {
        return of_file(&error.to_string(), path, source);
    }
    let help = match error.remedy() {
        None => "",
        Some(Remedy::Elsewhere) => "\n  help: output= names another directory",
        Some(Remedy::ElsewhereOrAfresh) => {
            "\n  help: output= names another directory, fresh=True replaces the data set"
        }
    };
    self::error(python, &format!("{error}{help}"))
}

/// An error of a figure or of data sets that are read together.
pub(crate) fn of_figure(python: Python<'_>, error: &FigureError) -> PyErr {
    match error {
        FigureError::Store(error) | FigureError::Source(SourceError::Store(error)) => of_store(python, error),
        FigureError::Source(_)
        | FigureError::Unknown(_)
        | FigureError::Condition { .. }
        | FigureError::Figure { .. }
        | FigureError::Extension { .. } => self::error(python, &spelled(&error.to_string())),
    }
}

/// What figures say of the program's flags, as Python's arguments: `--x-scale` is `x_scale=`.
pub(crate) fn spelled(text: &str) -> String {
    const FLAGS: [&str; 8] = ["x-scale", "y-scale", "color", "facet", "where", "band", "x", "y"];
    let mut text = text.replace("--where '", "where='");
    for flag in FLAGS {
        text = text.replace(&format!("--{flag}"), &format!("{}=", flag.replace('-', "_")));
    }
    text
}

/// What is wrong with a job, a problem a dictionary.
pub(crate) fn of_problems(python: Python<'_>, problems: &JobProblems) -> PyErr {
    /// Longest name that is shown whole: it has a value in it, which may be an array.
    const LONGEST: usize = 60;
    let mut problems = problems.clone();
    for source in &mut problems.sources {
        // As Python names what the program's flag sets.
        if let Some(rest) = source.name.strip_prefix("--set ") {
            let shown: String = rest.chars().take(LONGEST).collect();
            source.name = format!("set {shown}{}", if shown.len() < rest.len() { "…" } else { "" });
        }
    }
    let dictionaries = problems.problems.iter().map(|problem| {
        let dictionary = PyDict::new(python);
        let source = problems.sources.get(problem.place.source);
        let (line, column) = source.map_or((1, 1), |source| source.position(problem.place.span.start));
        dictionary.set_item("message", &problem.message)?;
        dictionary.set_item("label", &problem.label)?;
        dictionary.set_item("help", problem.help.as_deref())?;
        dictionary.set_item("source", source.map(|source| source.name.as_str()))?;
        dictionary.set_item("line", line)?;
        dictionary.set_item("column", column)?;
        Ok(dictionary)
    });
    match dictionaries.collect::<PyResult<Vec<_>>>() {
        Ok(dictionaries) => raised(python, "JobError", (problems.to_string(), dictionaries)),
        Err(error) => error,
    }
}

/// An `OSError` that keeps the number of the operating system's.
fn of_file(message: &str, path: &std::path::Path, source: &std::io::Error) -> PyErr {
    match source.raw_os_error() {
        Some(number) => PyOSError::new_err((number, message.to_owned(), path.to_path_buf())),
        None => PyOSError::new_err(message.to_owned()),
    }
}

fn raised<'py>(
    python: Python<'py>,
    class: &str,
    arguments: impl IntoPyObject<'py, Target = pyo3::types::PyTuple>,
) -> PyErr {
    let made = || -> PyResult<PyErr> {
        let class = python.import("eigensweep._errors")?.getattr(class)?;
        let arguments = arguments.into_pyobject(python).map_err(Into::into)?.into_bound();
        Ok(PyErr::from_value(class.call1(arguments)?))
    };
    made().unwrap_or_else(|error| error)
}
