//! A job file on its way to a simulation.

use std::fs;
use std::path::Path;

use eigensweep_job::{self as job, Job};

use crate::report::CommandError;

/// Reads and validates a job file.
pub(crate) fn read(path: &Path, overrides: &[String]) -> Result<Job, CommandError> {
    let directory = path.parent().unwrap_or_else(|| Path::new(""));
    let text = fs::read_to_string(path).map_err(|source| CommandError::TextFile {
        what: "job file",
        path: path.to_path_buf(),
        source,
    })?;
    let name = path.display().to_string();
    Ok(job::parse(&name, &text, overrides, directory).map_err(eigensweep_engine::EngineError::from)?)
}

/// Reads and validates a job file whose job is to hold wherever the program is started: its paths
/// become absolute.
pub(crate) fn read_absolute(path: &Path, overrides: &[String]) -> Result<Job, CommandError> {
    let mut job = read(path, overrides)?;
    for file in job.spec.paths_mut() {
        *file = std::path::absolute(&file).map_err(CommandError::io("find the path of", file))?;
    }
    Ok(job)
}
