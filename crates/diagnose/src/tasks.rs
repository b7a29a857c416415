//! Tasks on threads.

use std::sync::atomic::{AtomicBool, Ordering};

/// How a question is answered: on how many threads, and who listens.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Threads, at least 1. The answer does not depend on it.
    pub threads: usize,
    /// Ends the run soon once it is true: [`DiagnoseError::Stopped`](crate::DiagnoseError::Stopped).
    pub stop: &'a AtomicBool,
    /// Hears how many tasks of all are done; called on several threads.
    pub progress: &'a (dyn Fn(usize, usize) + Sync),
}

static NEVER: AtomicBool = AtomicBool::new(false);

impl Run<'static> {
    /// On so many threads, with nobody listening.
    #[must_use]
    pub fn on(threads: usize) -> Self {
        Self { threads, stop: &NEVER, progress: &|_, _| {} }
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stop = self.stop.load(Ordering::Relaxed);
        write!(f, "Run {{ threads: {}, stop: {stop} }}", self.threads)
    }
}
