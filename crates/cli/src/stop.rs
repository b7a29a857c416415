//! What may stop a run, and how it then ends in time.
//!
//! | cause | exit code |
//! |---|---|
//! | Ctrl-C (a second one ends the program at once) | 130 |
//! | SIGTERM | 143 |
//! | SIGUSR1, SIGUSR2 (a batch system's warning), `--time-limit` | 75 |
//!
//! A warning may come too early (SLURM sends one up to a minute before it was asked to), so what to
//! do about it is decided when it comes: [`Stop::heed_warnings`].
//!
//! The scheduler looks at the flag between tasks. A task may take longer than a batch system waits
//! before it kills, so a watchdog ends the program [`GRACE`] after the flag was set: parts appear
//! whole or not at all, so nothing is lost but the part in hand.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// Time between the wish to stop and the end of the program, at the latest.
pub(crate) const GRACE: Duration = Duration::from_millis(1500);

/// How often the watchdog looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const NOT_ASKED: usize = 0;
const INTERRUPTED: usize = 1;
const TERMINATED: usize = 2;
const TIME_IS_UP: usize = 3;

/// Starts a thread that nobody waits for. A process that cannot have one more is at its limits, and
/// cannot end in time as promised: it ends now.
fn spawn(work: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().spawn(work) {
        tell!("error: cannot start a thread: {error}");
        std::process::exit(Exit::Failure.code().into());
    }
}

/// What has been asked of this process.
#[derive(Clone)]
pub(crate) struct Stop {
    /// Set by whatever stops the run.
    pub(crate) flag: Arc<AtomicBool>,
    /// The last cause.
    cause: Arc<AtomicUsize>,
    /// Set by a batch system's warning.
    warned: Arc<AtomicBool>,
}

impl Stop {
    /// Catches signals from now on.
    pub(crate) fn catch() -> io::Result<Self> {
        let stop = Self {
            flag: Arc::new(AtomicBool::new(false)),
            cause: Arc::new(AtomicUsize::new(NOT_ASKED)),
            warned: Arc::new(AtomicBool::new(false)),
        };
        // In this order: the second Ctrl-C finds the flag that the first has set.
        let interrupted = Arc::new(AtomicBool::new(false));
        flag::register_conditional_shutdown(
            SIGINT,
            Exit::Interrupted.code().into(),
            Arc::clone(&interrupted),
        )?;
        flag::register(SIGINT, interrupted)?;
        stop.on(SIGINT, INTERRUPTED)?;
        stop.on(SIGTERM, TERMINATED)?;
        #[cfg(unix)]
        for warning in [signal_hook::consts::SIGUSR1, signal_hook::consts::SIGUSR2] {
            flag::register(warning, Arc::clone(&stop.warned))?;
        }
        // A file beyond the shell's limit is then an error that names it; the signal alone would
        // end the program without a word.
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(stop)
    }

    fn on(&self, signal: i32, cause: usize) -> io::Result<()> {
        flag::register_usize(signal, Arc::clone(&self.cause), cause)?;
        flag::register(signal, Arc::clone(&self.flag)).map(drop)
    }

    /// Stops the run after this time.
    pub(crate) fn after(&self, time: Duration) {
        let stop = self.clone();
        spawn(move || {
            thread::sleep(time);
            stop.time_is_up();
        });
    }

    /// Stops the run when a batch system warns, at once or after the time that `time` then says.
    pub(crate) fn heed_warnings(&self, time: impl Fn() -> Duration + Send + 'static) {
        let stop = self.clone();
        spawn(move || {
            loop {
                if stop.warned.swap(false, Ordering::Relaxed) {
                    stop.after(time());
                }
                thread::sleep(LOOK_EVERY);
            }
        });
    }

    fn time_is_up(&self) {
        // A signal that came before has its own code.
        let _ = self.cause.compare_exchange(NOT_ASKED, TIME_IS_UP, Ordering::Relaxed, Ordering::Relaxed);
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Ends the program [`GRACE`] after it was asked to stop, with `farewell` as its last act; it
    /// hears how the program ends.
    pub(crate) fn watch(&self, farewell: impl FnOnce(Exit) + Send + 'static) {
        let stop = self.clone();
        spawn(move || {
            while !stop.flag.load(Ordering::Relaxed) {
                thread::sleep(LOOK_EVERY);
            }
            thread::sleep(GRACE);
            let exit = stop.exit();
            farewell(exit);
            std::process::exit(exit.code().into());
        });
    }

    /// The exit code of a run that was stopped.
    pub(crate) fn exit(&self) -> Exit {
        match self.cause.load(Ordering::Relaxed) {
            TERMINATED => Exit::Terminated,
            TIME_IS_UP => Exit::TimeLimit,
            _ => Exit::Interrupted,
        }
    }
}
