//! Long work that Python's user can end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use crate::errors;

/// How often signals are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Seconds that work that was interrupted may take to stop, so that what is in hand is written; after
/// that it is left to itself, and ends where it next looks at its flag.
const GRACE: f64 = 0.3;

/// Does `work` on a thread of its own, without the interpreter's lock, and waits for it. On the
/// calling thread `look` is called from time to time, and Ctrl-C is heard where that is the main
/// one. What either raises sets the flag that `work` is given, and goes on once it has stopped.
///
/// # Errors
///
/// What a signal's handler or `look` raises; `Error` where the thread cannot be had, or if the work
/// panics.
pub(crate) fn interruptible<T: Send + 'static>(
    python: Python<'_>,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    mut look: impl FnMut(Python<'_>) -> PyResult<()>,
) -> PyResult<T> {
    let stop = Arc::new(AtomicBool::new(false));
    let (send, mut receive) = channel();
    let spawned = thread::Builder::new().name("eigensweep".to_owned()).spawn({
        let stop = Arc::clone(&stop);
        move || {
            // Nobody listens to what was left to itself.
            let _ = send.send(work(&stop));
        }
    });
    spawned.map_err(|error| errors::error(python, &format!("cannot start a thread: {error}")))?;
    let mut wait = |time| {
        python.detach(|| {
            // As a whole: a receiver may move to another thread, and not be shared.
            let receive = &mut receive;
            receive.recv_timeout(time)
        })
    };
    let lost = || errors::error(python, "the engine gave up in the middle: please report it");
    loop {
        match wait(LOOK_EVERY) {
            Ok(done) => return look(python).map(|()| done),
            Err(RecvTimeoutError::Disconnected) => return Err(lost()),
            Err(RecvTimeoutError::Timeout) => {}
        }
        // A signal first: what is looked at may take its time.
        let Err(raised) = python.check_signals().and_then(|()| look(python)) else { continue };
        stop.store(true, Ordering::Relaxed);
        let patient = !raised.is_instance_of::<PyKeyboardInterrupt>(python);
        let since = eigensweep_host::clock();
        while let Err(RecvTimeoutError::Timeout) = wait(LOOK_EVERY) {
            // Another Ctrl-C ends the waiting for a long task.
            if python.check_signals().is_err() || !patient && eigensweep_host::clock() - since > GRACE {
                break;
            }
        }
        return Err(raised);
    }
}
