//! What can go wrong: every message names the file or the name at fault, and what to do.

use std::path::PathBuf;

use eigensweep_store::StoreError;
use eigensweep_store::filter::FilterError;
use eigensweep_store::source::{SourceError, UnknownName};

/// An error of a figure or a report.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// The data sets cannot be read together.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A data set cannot be read, or a file not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A column, axis or metric that there is not.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// A condition that cannot be read.
    #[error("--where '{text}': {source}")]
    Condition {
        /// The condition.
        text: String,
        /// What is wrong with it.
        source: FilterError,
    },
    /// A figure that the rows cannot give.
    #[error("{reason}")]
    Figure {
        /// What is missing, and the remedy.
        reason: String,
    },
    /// An output file whose kind its name does not tell.
    #[error("{}: the name must end in {allowed}", path.display())]
    Extension {
        /// The output path.
        path: PathBuf,
        /// Endings that are known.
        allowed: &'static str,
    },
}

impl FigureError {
    /// Whether the caller asked for something impossible (exit code 2), rather than that something
    /// failed (1).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Source(error) => matches!(error, SourceError::NoDataSet | SourceError::Twice { .. }),
            Self::Store(_) => false,
            Self::Unknown(_) | Self::Condition { .. } | Self::Figure { .. } | Self::Extension { .. } => true,
        }
    }
}
