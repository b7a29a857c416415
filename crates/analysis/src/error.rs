//! What can go wrong: every message names the file or the name at fault, and what to do.

use std::path::{Path, PathBuf};

use polars::error::PolarsError;

/// An error of a query, a figure or a report.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// A path that is no data set.
    #[error("{} is not a data set: it has no {missing}. Give a directory that `eigensweep run` wrote (output/NAME)", path.display())]
    NotADataSet {
        /// The path that was given.
        path: PathBuf,
        /// What a data set would have.
        missing: &'static str,
    },
    /// A data set whose layout this program does not know.
    #[error("{} has format version {found}, and this program reads {expected}: use the program that wrote it, or a newer one", path.display())]
    FormatVersion {
        /// The commit record.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is known.
        expected: u32,
    },
    /// A commit record or another file of the data set that cannot be understood.
    #[error("{} is damaged ({reason}): run the job again, it repairs its data set", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A part whose size is not the recorded one.
    #[error("{} has {found} bytes where its commit record says {expected}: run the job again, it repairs its data set", path.display())]
    PartSize {
        /// The part.
        path: PathBuf,
        /// Bytes by the record.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// A data set that keeps a summary in place of rows, asked for rows.
    #[error("{} keeps no rows ([output] detail = \"summary\"): ask its summary", path.display())]
    NoRows {
        /// The data set.
        path: PathBuf,
    },
    /// Data sets with rows and data sets with a summary only, read together.
    #[error("{} keeps a summary in place of rows, and others keep rows: ask them one after another", path.display())]
    Mixed {
        /// The first one without rows.
        path: PathBuf,
    },
    /// A data set without rows.
    #[error("{} holds no rows yet: finish `eigensweep run` first", path.display())]
    Empty {
        /// The data set.
        path: PathBuf,
    },
    /// No data set was named.
    #[error("no data set was given: name at least one directory that `eigensweep run` wrote")]
    NoDataSet,
    /// The file system refuses.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A column or table that there is not.
    #[error("there is no {kind} `{name}`{}", suggestion(nearest, known))]
    Unknown {
        /// `column` or `table`.
        kind: &'static str,
        /// The name that was asked for.
        name: String,
        /// Known names close to it, the closest first.
        nearest: Vec<String>,
        /// All names that are known.
        known: Vec<String>,
    },
    /// SQL that cannot be read or run.
    #[error("the query fails: {message}")]
    Query {
        /// What polars says.
        message: String,
    },
    /// A figure that the rows cannot give.
    #[error("{reason}")]
    Figure {
        /// What is missing, and the remedy.
        reason: String,
    },
    /// An axis that the figure has no place for.
    #[error(
        "`{axis}` has {count} values in these rows and no place in the figure: choose one, as in `--where '{axis} = \
         {example}'`, or give it a place with --x, --color or --facet"
    )]
    FreeAxis {
        /// The column.
        axis: String,
        /// How many values it has.
        count: usize,
        /// One of them.
        example: String,
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

impl AnalysisError {
    /// For `map_err`: an I/O error of `action` on `path`.
    pub(crate) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }

    /// Whether the caller asked for something impossible (exit code 2), rather than that something failed (1).
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoDataSet
                | Self::Unknown { .. }
                | Self::Query { .. }
                | Self::Figure { .. }
                | Self::FreeAxis { .. }
                | Self::Extension { .. }
        )
    }
}

impl From<PolarsError> for AnalysisError {
    fn from(error: PolarsError) -> Self {
        Self::Query { message: error.to_string() }
    }
}

/// `: did you mean …?`, or the names that there are.
fn suggestion(nearest: &[String], known: &[String]) -> String {
    let listed =
        |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if nearest.is_empty() {
        format!(". There are {}", listed(known))
    } else {
        format!(": did you mean {}?", listed(nearest))
    }
}
