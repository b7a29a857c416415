//! Why a data set cannot be read or written.

use std::path::{Path, PathBuf};

use eigensweep_inputs::whole_file::WriteError;
use eigensweep_job::NotAnExtension;

/// An error of a data set; every message names the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
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
    /// The output path exists and is not a directory.
    #[error("{} is a file; a data set is a directory: choose another path", path.display())]
    OutputIsFile {
        /// The output path.
        path: PathBuf,
    },
    /// The output directory holds something else.
    #[error(
        "{} is not empty and holds no data set: choose another directory",
        path.display()
    )]
    NotADataSet {
        /// The output directory.
        path: PathBuf,
    },
    /// The output directory holds another job's rows.
    #[error(
        "{} holds the data set of another job, which differs in {what}: its rows would not belong together. Choose \
         another directory or another [job] name, or replace the data set",
        path.display()
    )]
    DifferentJob {
        /// The output directory.
        path: PathBuf,
        /// What of the job whose rows are there is not as in the one to be run, with both values
        /// where they are short.
        what: String,
    },
    /// The output directory holds what the other of `run` and `boundary` wrote.
    #[error(
        "{} holds {found}: choose another directory, or replace the data set",
        path.display()
    )]
    OtherKind {
        /// The output directory.
        path: PathBuf,
        /// What it holds, in words.
        found: &'static str,
    },
    /// A data set of critical alignments, where rows of replicates are needed.
    #[error(
        "{} holds critical alignments, not rows of replicates: ask it by `eigensweep query {} 'SELECT * FROM boundary'`",
        path.display(), path.display()
    )]
    Boundaries {
        /// The data set.
        path: PathBuf,
    },
    /// The output directory has rows that the job does not ask for.
    #[error(
        "{} has {reason}: a job may add replicates and values of its axes, not take any away. Choose another directory, or \
         replace the data set",
        path.display()
    )]
    NotExtended {
        /// The output directory.
        path: PathBuf,
        /// What the job lacks.
        reason: NotAnExtension,
    },
    /// A section's description is lost, and nothing else tells what its parts hold.
    #[error(
        "{} is missing or damaged: it says which rows of the job the parts {}-… hold. Restore it from a copy, or replace the data set",
        path.display(),
        crate::dataset::part_stem(*section)
    )]
    Section {
        /// The section's file.
        path: PathBuf,
        /// Its number.
        section: u32,
    },
    /// Two data sets of one job grew in different ways.
    #[error(
        "{} grew otherwise than the other data sets: its section {section} differs in {what}. Run the job to its end in one of \
         them, and it will have all rows",
        path.display()
    )]
    DifferentSections {
        /// The data set.
        path: PathBuf,
        /// The first section that differs.
        section: u32,
        /// What of it does, with both values where they are short.
        what: String,
    },
    /// Another process writes the same rows.
    #[error(
        "{} is being written by another process ({holder}): wait for it, or choose another directory",
        path.display()
    )]
    Busy {
        /// The output directory.
        path: PathBuf,
        /// Who that is.
        holder: String,
    },
    /// A directory that should hold a data set does not.
    #[error("{} holds no data set: name the directory that `run` wrote, such as output/NAME", path.display())]
    NoDataSet {
        /// The directory.
        path: PathBuf,
    },
    /// The data set was written in a format that this program does not know.
    #[error(
        "{} has format version {found}; this program knows version {known}: use the program that wrote it",
        path.display()
    )]
    FormatVersion {
        /// The data set.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version of [`crate::columns::FORMAT_VERSION`].
        known: u32,
    },
    /// A part could not be encoded or read.
    #[error("cannot {action} the part {}: {source}", path.display())]
    Parquet {
        /// What was tried.
        action: &'static str,
        /// The part's file.
        path: PathBuf,
        /// What the format's library says.
        source: parquet::errors::ParquetError,
    },
    /// A part read back differs from what was written.
    #[error("{} does not read back as it was written ({what}): the disk or the file system is at fault", path.display())]
    ReadBack {
        /// The staged file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A part that should hold blocks does not.
    #[error("{} holds no blocks of a summary: verify the data set; `run` computes a damaged part again", path.display())]
    Block {
        /// The part's file.
        path: PathBuf,
    },
    /// A row has a status that there is not.
    #[error("{} holds the status {found:?}, which this program does not know: verify the data set", path.display())]
    Status {
        /// The part's file.
        path: PathBuf,
        /// The status.
        found: String,
    },
    /// One task has more rows than a batch may hold.
    #[error(
        "one sample is shared by {rows} rows, above the limit of {limit}: split the axes other than samples and replicates \
         over several jobs"
    )]
    TaskTooLarge {
        /// Rows of one task.
        rows: u64,
        /// Most rows of a task.
        limit: u64,
    },
    /// A job would be divided into more files than can be kept count of.
    #[error(
        "the job has {parts} parts, above the limit of {limit}: raise [output] part_rows, or split the axes or replicates over \
         several jobs"
    )]
    TooManyParts {
        /// Parts of the job.
        parts: u64,
        /// Most parts.
        limit: u64,
    },
}

impl From<WriteError> for StoreError {
    fn from(WriteError { action, path, source }: WriteError) -> Self {
        Self::Io { action, path, source }
    }
}

/// What the caller may do about an error of a data set that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Choose another directory.
    Elsewhere,
    /// Choose another directory, or replace the data set.
    ElsewhereOrAfresh,
}

impl StoreError {
    /// What helps, beside what the message says, in a caller's own words.
    #[must_use]
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::OutputIsFile { .. } | Self::NotADataSet { .. } | Self::Busy { .. } => {
                Some(Remedy::Elsewhere)
            }
            Self::DifferentJob { .. }
            | Self::OtherKind { .. }
            | Self::NotExtended { .. }
            | Self::Section { .. } => Some(Remedy::ElsewhereOrAfresh),
            Self::Io { .. }
            | Self::DifferentSections { .. }
            | Self::Boundaries { .. }
            | Self::NoDataSet { .. }
            | Self::FormatVersion { .. }
            | Self::Parquet { .. }
            | Self::ReadBack { .. }
            | Self::Block { .. }
            | Self::Status { .. }
            | Self::TaskTooLarge { .. }
            | Self::TooManyParts { .. } => None,
        }
    }

    /// An [`StoreError::Io`] for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }
}
