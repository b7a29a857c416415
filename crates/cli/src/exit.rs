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
    /// Ctrl-C; the data set can be resumed.
    Interrupted,
    /// SIGTERM; the data set can be resumed.
    Terminated,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failure => 1,
            Exit::BadJob => 2,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        })
    }
}
