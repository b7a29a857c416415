//! Ctrl-C and SIGTERM ask a run to stop; a second Ctrl-C ends it at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// What has been asked of this process.
pub(crate) struct Signals {
    /// Set by either signal.
    pub(crate) stop: Arc<AtomicBool>,
    terminated: Arc<AtomicBool>,
}

impl Signals {
    /// Catches both signals from now on.
    pub(crate) fn catch() -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let terminated = Arc::new(AtomicBool::new(false));
        // In this order: the second Ctrl-C finds the flag set by the first.
        flag::register_conditional_shutdown(SIGINT, 130, Arc::clone(&stop))?;
        flag::register(SIGINT, Arc::clone(&stop))?;
        flag::register(SIGTERM, Arc::clone(&terminated))?;
        flag::register(SIGTERM, Arc::clone(&stop))?;
        Ok(Self { stop, terminated })
    }

    /// The exit code of a run that was asked to stop.
    pub(crate) fn exit(&self) -> Exit {
        if self.terminated.load(Ordering::Relaxed) { Exit::Terminated } else { Exit::Interrupted }
    }
}
