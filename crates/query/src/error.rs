//! What can go wrong: every message names the file or the name at fault, and what to do.

use std::path::PathBuf;

use eigensweep_store::StoreError;
use eigensweep_store::source::{SourceError, UnknownName};
use polars::error::PolarsError;

/// An error of a query.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The data sets cannot be read together.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Standard output refuses.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// Data sets with rows and data sets with a summary only, read together.
    #[error("{} keeps a summary in place of rows, and others keep rows: ask them one after another", path.display())]
    Mixed {
        /// The first one without rows.
        path: PathBuf,
    },
    /// Data sets of `run` and of `boundary`, read together.
    #[error("{} holds critical alignments, and others rows of replicates: ask them one after another", path.display())]
    Kinds {
        /// The first one of `boundary`.
        path: PathBuf,
    },
    /// A column, table, function or paradigm that there is not.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// SQL that is refused.
    #[error("{what} is not supported{}{remedy}", if remedy.is_empty() { "" } else { ": " })]
    Unsupported {
        /// The construct.
        what: String,
        /// What to write instead, or nothing.
        remedy: String,
    },
    /// SQL that cannot be read or run.
    #[error("the query fails: {message}")]
    Query {
        /// What is wrong, in a line.
        message: String,
    },
    /// A view that has nothing to show.
    #[error("there is no `{view}`: {why}")]
    NoView {
        /// The view.
        view: &'static str,
        /// What is missing, and the remedy.
        why: String,
    },
    /// The engine panicked.
    #[error("the query engine gave up ({0}): write the query otherwise, and please report it")]
    Panic(String),
    /// An output file whose kind its name does not tell.
    #[error("{}: the name must end in .csv, .json, .parquet or .txt", path.display())]
    Extension {
        /// The output path.
        path: PathBuf,
    },
}

impl QueryError {
    /// Whether the caller asked for something impossible (exit code 2), rather than that something
    /// failed (1).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Source(error) => matches!(error, SourceError::NoDataSet | SourceError::Twice { .. }),
            Self::Store(_) | Self::Output(_) | Self::Mixed { .. } | Self::Kinds { .. } | Self::Panic(_) => {
                false
            }
            Self::Unknown(_)
            | Self::Unsupported { .. }
            | Self::Query { .. }
            | Self::NoView { .. }
            | Self::Extension { .. } => true,
        }
    }
}

impl From<PolarsError> for QueryError {
    fn from(error: PolarsError) -> Self {
        let text = error.to_string();
        // Plans and types follow on lines of their own.
        Self::Query { message: text.lines().next().unwrap_or_default().trim().to_owned() }
    }
}
