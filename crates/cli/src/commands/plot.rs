//! `plot` and `report`: what data sets say, drawn.

use std::path::{Path, PathBuf};

use eigensweep_figures::kinds::default_for;
use eigensweep_figures::{FigureError, Source, draw, report};
use eigensweep_inputs::{InputError, whole_file};
use eigensweep_store::format::count;

use super::table;
use crate::args::{Plot, Report};
use crate::exit::Exit;
use crate::report::CommandError;

pub(crate) fn call(arguments: &Plot, quiet: bool) -> Result<Exit, CommandError> {
    let sources = open(&arguments.datasets, quiet)?;
    let kind = arguments.figure.unwrap_or_else(|| default_for(&sources));
    let named = || PathBuf::from(format!("{}-{}.svg", joined(&sources), kind.name));
    let path = arguments.output.clone().unwrap_or_else(named);
    check(&path, &["svg", "png"], ".svg or .png")?;
    let drawing = draw(&sources, &arguments.spec(kind))?;
    drawing.save(&path, arguments.resolution)?;
    if !quiet {
        for note in drawing.notes().iter().chain(drawing.hints()) {
            tell!("note: {note}");
        }
        table::print(&path.display().to_string());
    }
    Ok(Exit::Success)
}

pub(crate) fn report(arguments: &Report, quiet: bool) -> Result<Exit, CommandError> {
    let sources = open(&arguments.datasets, quiet)?;
    let named = || PathBuf::from(format!("{}-report.html", joined(&sources)));
    let path = arguments.output.clone().unwrap_or_else(named);
    check(&path, &["html"], ".html")?;
    report::write(&sources, &path)?;
    if !quiet {
        table::print(&path.display().to_string());
    }
    Ok(Exit::Success)
}

/// Whether a file may be called so and can be written, before anything is drawn.
fn check(path: &Path, endings: &[&str], allowed: &'static str) -> Result<(), CommandError> {
    if !path.extension().is_some_and(|extension| endings.iter().any(|ending| extension == *ending)) {
        return Err(FigureError::Extension { path: path.to_path_buf(), allowed }.into());
    }
    Ok(whole_file::check(path).map_err(InputError::from)?)
}

/// The data sets' names as part of a file name.
fn joined(sources: &[Source]) -> String {
    let last = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
    sources.iter().map(|source| last(&source.name)).collect::<Vec<_>>().join("-")
}

/// Opens the data sets, and says so where one is not finished.
fn open<P: AsRef<Path>>(roots: &[P], quiet: bool) -> Result<Vec<Source>, CommandError> {
    let sources = Source::open_all(roots)?;
    for source in sources.iter().filter(|_| !quiet) {
        if let Some((done, all)) = source.unfinished() {
            let (done, all) = (count(done.into()), count(all.into()));
            tell!("note: {} is not finished: {done} of {all} rows", source.dataset.root().display());
        }
    }
    Ok(sources)
}
