//! Tasks on threads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::DiagnoseError;

/// How a question is answered: on how many threads, and who listens.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Threads, at least 1. The answer does not depend on it.
    pub threads: usize,
    /// Ends the run soon once it is true: [`DiagnoseError::Stopped`].
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

impl Run<'_> {
    /// Whether to go on: asked between pieces of work that take no more than some tenths of a
    /// second.
    ///
    /// # Errors
    ///
    /// [`DiagnoseError::Stopped`] if not.
    pub fn check(&self) -> Result<(), DiagnoseError> {
        if self.stop.load(Ordering::Relaxed) { Err(DiagnoseError::Stopped) } else { Ok(()) }
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stop = self.stop.load(Ordering::Relaxed);
        write!(f, "Run {{ threads: {}, stop: {stop} }}", self.threads)
    }
}

/// All tasks of a run, of which some are done.
pub(crate) struct Tasks<'r> {
    pub(crate) run: &'r Run<'r>,
    all: usize,
    done: AtomicUsize,
}

impl<'r> Tasks<'r> {
    pub(crate) fn new(run: &'r Run<'r>, all: usize) -> Self {
        Self { run, all, done: AtomicUsize::new(0) }
    }

    /// Does the tasks of these numbers, with a workspace a thread; what comes of them, in order.
    ///
    /// Tasks are handed out in order, and none after one has failed: of several failures the first
    /// in order is the answer, on any number of threads.
    pub(crate) fn each<W, T: Send>(
        &self,
        count: usize,
        workspace: impl Fn() -> W + Sync,
        task: impl Fn(&mut W, usize) -> Result<T, DiagnoseError> + Sync,
    ) -> Result<Vec<T>, DiagnoseError> {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let results = Mutex::new(Vec::with_capacity(count));
        let work = || {
            let mut workspace = workspace();
            while !failed.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    break;
                }
                let result = self.run.check().and_then(|()| task(&mut workspace, number));
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
                // Only a panic poisons, and that ends the scope.
                results.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((number, result));
                (self.run.progress)(self.done.fetch_add(1, Ordering::Relaxed) + 1, self.all);
            }
        };
        let threads = self.run.threads.clamp(1, count.max(1));
        thread::scope(|scope| {
            for _ in 1..threads {
                let started = thread::Builder::new().spawn_scoped(scope, work);
                started.map_err(|source| DiagnoseError::Threads { threads, source })?;
            }
            work();
            Ok::<_, DiagnoseError>(())
        })?;
        let mut results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        results.sort_by_key(|(number, _)| *number);
        results.into_iter().map(|(_, result)| result).collect()
    }
}
