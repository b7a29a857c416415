//! Standard output: whatever a command prints goes through here, and what of it is lost is told.
//!
//! The first write that fails (a full disk, a quota) is kept, nothing is written after it, and the
//! program ends with an error although everything else was done: [`end`]. A closed pipe is no
//! failure: whoever reads has seen enough (`… | head`).

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

use crate::report::CommandError;

/// Why standard output takes no more.
static FAILURE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes bytes to standard output.
pub(crate) fn write(bytes: &[u8]) {
    by(|| io::stdout().lock().write_all(bytes));
}

/// Has something else write to standard output, unless a write has failed before: what came after
/// the gap would be read as the whole.
pub(crate) fn by(write: impl FnOnce() -> io::Result<()>) {
    let mut failure = FAILURE.lock().unwrap_or_else(PoisonError::into_inner);
    if failure.is_none() {
        *failure = write().err();
    }
}

/// The last word: everything has been written out, unless this says why not.
///
/// # Errors
///
/// [`CommandError::Output`].
pub(crate) fn end() -> Result<(), CommandError> {
    by(|| io::stdout().lock().flush());
    match FAILURE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        Some(source) if source.kind() != ErrorKind::BrokenPipe => Err(CommandError::Output { source }),
        _ => Ok(()),
    }
}
