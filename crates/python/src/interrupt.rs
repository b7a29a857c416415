//! Long work that Python's user can end.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use eigensweep_store::dataset::Forking;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;

use crate::errors;

/// How often signals are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Seconds that work that was interrupted may take to stop, so that what is in hand is written;
/// after that it is left to itself, and ends where it next looks at its flag.
const GRACE: f64 = 0.3;

/// Whether the interpreter is about to end, and how many threads wait for work.
static ENDING: AtomicBool = AtomicBool::new(false);
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Seconds that the interpreter's end waits for threads that wait for work: most tasks take tenths
/// of one.
const PATIENCE: f64 = 10.0;

thread_local! {
    /// There while this thread forks.
    static FORKING: RefCell<Option<Forking>> = const { RefCell::new(None) };
}

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(ending, module)?)?;
    module.add_function(wrap_pyfunction!(forking, module)?)?;
    module.add_function(wrap_pyfunction!(forked, module)?)
}

/// The interpreter is about to end: work under way is stopped, and waited for. A thread that came
/// back to an interpreter that has ended would be ended in the middle of its stack, and the process
/// with it.
#[pyfunction]
fn ending(python: Python<'_>) {
    ENDING.store(true, Ordering::SeqCst);
    wait_until(python, PATIENCE, || {
        let nobody = WAITING.load(Ordering::SeqCst) == 0;
        if !nobody {
            python.detach(|| thread::sleep(LOOK_EVERY / 10));
        }
        nobody
    });
}

/// This thread is about to fork.
#[pyfunction]
fn forking(python: Python<'_>) {
    // One that is still there would be waited for.
    drop(FORKING.take());
    loop {
        if let Some(forking) = Forking::begin() {
            return FORKING.set(Some(forking));
        }
        // Another thread that forks may need the interpreter to go on.
        python.detach(|| thread::sleep(LOOK_EVERY / 100));
    }
}

/// It has forked. A child has none of its parent's threads, and keeps none of its locks.
#[pyfunction]
fn forked(in_child: bool) {
    let forking = FORKING.take();
    if in_child {
        WAITING.store(0, Ordering::SeqCst);
        // SAFETY: data sets are written on threads that `interruptible` starts, never on one that
        // runs Python.
        forking.into_iter().for_each(|forking| unsafe { forking.close_in_child() });
    }
}

/// Waits until work that was told to stop has, so many seconds at most; Ctrl-C ends the waiting.
fn wait_until(python: Python<'_>, patience: f64, mut has_stopped: impl FnMut() -> bool) {
    let since = eigensweep_host::clock();
    while !has_stopped() {
        if python.check_signals().is_err() || eigensweep_host::clock() - since > patience {
            break;
        }
    }
}

/// A thread that waits for work.
struct Waiting;

impl Waiting {
    fn begin() -> Self {
        WAITING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Not below zero: a child may be forked in between.
        let _ = WAITING.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1));
    }
}

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
    let _waiting = Waiting::begin();
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
    let mut wait = || {
        python.detach(|| {
            // As a whole: a receiver may move to another thread, and not be shared.
            let receive = &mut receive;
            receive.recv_timeout(LOOK_EVERY)
        })
    };
    loop {
        match wait() {
            Ok(done) => return look(python).map(|()| done),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(errors::error(python, "the engine gave up in the middle: please report it"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let (raised, patience) = if ENDING.load(Ordering::SeqCst) {
            (errors::error(python, "the interpreter ends: what was finished is kept"), f64::INFINITY)
        } else {
            // A signal first: what is looked at may take its time.
            let Err(raised) = python.check_signals().and_then(|()| look(python)) else { continue };
            let interrupted = raised.is_instance_of::<PyKeyboardInterrupt>(python);
            (raised, if interrupted { GRACE } else { f64::INFINITY })
        };
        stop.store(true, Ordering::Relaxed);
        wait_until(python, patience, || !matches!(wait(), Err(RecvTimeoutError::Timeout)));
        return Err(raised);
    }
}
