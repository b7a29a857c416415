//! Why a job could not be run.

use eigensweep_inputs::InputError;
use eigensweep_job::JobProblems;
use eigensweep_store::StoreError;
use eigensweep_store::format::counted;
use std::path::{Path, PathBuf};

/// An error of the engine; every message names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The job is wrong; nothing was written.
    #[error(transparent)]
    Job(#[from] JobProblems),
    /// An input file is missing, damaged or does not fit.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A data set cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The worker threads could not be started.
    #[error("cannot start {}: {reason}", counted(*threads as u64, "worker thread"))]
    Threads {
        /// Threads asked for.
        threads: usize,
        /// Why not.
        reason: String,
    },
}

impl EngineError {
    /// An [`EngineError::Io`] for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }
}
