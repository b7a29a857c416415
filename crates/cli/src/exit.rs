//! Exit codes: what scripts and batch systems rely on.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything was done.
    Success,
    /// A failure that is neither the job's nor the caller's.
    Failure,
    /// Bad usage (clap's own code) or a bad job file.
    BadJob,
    /// More rows without a value than `[output] max_failed` allows.
    TooManyFailed,
    /// A time limit, or a batch system's warning; the data set can be resumed.
    TimeLimit,
    /// Ctrl-C; the data set can be resumed.
    Interrupted,
    /// SIGTERM; the data set can be resumed.
    Terminated,
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::BadJob => 2,
            Self::TooManyFailed => 3,
            // sysexits.h calls it EX_TEMPFAIL: try again.
            Self::TimeLimit => 75,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
