//! Runs tasks on a pool of threads and hands their batches to one writer, in task order.
//!
//! Each worker owns a [`Workspace`]. It takes an empty batch from a fixed supply, then the next task, and sends the filled
//! batch over a bounded channel; the writer, on the calling thread, puts batches back in order and returns the empty ones. A
//! worker takes its batch *before* its task, so the earliest outstanding task always has one: the supply bounds memory
//! and cannot deadlock. Who computes what does not matter: a task is a function of its number.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::EngineError;
use crate::simulation::{Batch, Simulation, Workspace};

/// Batches per thread: one being filled, one waiting for its turn, one with the writer.
const BATCHES_PER_THREAD: usize = 3;

/// Where ordered batches go.
pub trait Sink {
    /// Takes the batch of a task; tasks arrive in the order of the ranges given to [`run`].
    ///
    /// # Errors
    ///
    /// Any error ends the run.
    fn take(&mut self, task: u64, batch: &Batch) -> Result<(), EngineError>;
}

/// Runs all tasks of `ranges` on `threads` threads; returns whether it got to the end, which it does not if `stop` was set.
///
/// # Errors
///
/// The sink's error, or [`EngineError::Threads`].
///
/// # Panics
///
/// If a task does: its panic goes on here once every worker has returned.
pub fn run(
    simulation: &Simulation,
    ranges: &[Range<u64>],
    threads: usize,
    stop: &AtomicBool,
    sink: &mut (impl Sink + Send),
) -> Result<bool, EngineError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("worker-{index}"))
        .build()
        .map_err(|error| EngineError::Threads { threads, reason: error.to_string() })?;
    let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let supply = threads * BATCHES_PER_THREAD;
    let (give_back, empty) = bounded::<Batch>(supply);
    // One place more than batches for each worker: a panic's message never waits.
    let (send, filled) = bounded::<Message>(supply + threads);
    for _ in 0..supply {
        // The channel has room for the whole supply.
        let _ = give_back.send(simulation.new_batch());
    }
    let starts = ranges.iter().scan(0, |before, range| {
        let start = *before;
        *before += range.end - range.start;
        Some(start)
    });
    let queue = Queue { ranges, starts: starts.collect(), next: AtomicU64::new(0), total, stop };
    pool.in_place_scope(|scope| {
        for _ in 0..threads {
            let (send, empty, queue) = (send.clone(), empty.clone(), &queue);
            scope.spawn(move |_| work(simulation, queue, &empty, &send));
        }
        drop(send);
        let written = write_in_order(&filled, &give_back, &queue, sink);
        queue.stop_workers();
        // Workers that wait for a batch see the channel close.
        drop(give_back);
        drop(filled);
        written
    })
    .map(|tasks| tasks == total)
}

/// What a worker tells the writer: a batch and its position, or that it has panicked and its batch will never come.
type Message = Option<(u64, Batch)>;

/// The tasks that are still to be handed out.
struct Queue<'a> {
    ranges: &'a [Range<u64>],
    /// Position in the run at which each range begins.
    starts: Vec<u64>,
    next: AtomicU64,
    total: u64,
    stop: &'a AtomicBool,
}

impl Queue<'_> {
    /// The next position in the run and its task, unless the run is over.
    fn next(&self) -> Option<(u64, u64)> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let position = self.next.fetch_add(1, Ordering::Relaxed);
        Some((position, self.task(position)?))
    }

    fn task(&self, position: u64) -> Option<u64> {
        let at = self.starts.partition_point(|&start| start <= position).checked_sub(1)?;
        let task = self.ranges[at].start + (position - self.starts[at]);
        self.ranges[at].contains(&task).then_some(task)
    }

    /// Hands out nothing more. The run's own stop flag belongs to the caller and stays as it is.
    fn stop_workers(&self) {
        self.next.store(self.total, Ordering::Relaxed);
    }
}

/// Tells the writer if the worker that holds it panics: otherwise all would wait for the batch that is lost.
struct PanicNotice<'a>(&'a Sender<Message>);

impl Drop for PanicNotice<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(None);
        }
    }
}

fn work(simulation: &Simulation, queue: &Queue<'_>, empty: &Receiver<Batch>, send: &Sender<Message>) {
    let _notice = PanicNotice(send);
    let mut workspace = Workspace::new(simulation);
    while let Ok(mut batch) = empty.recv() {
        let Some((position, task)) = queue.next() else { return };
        simulation.run_task(task, &mut workspace, &mut batch);
        if send.send(Some((position, batch))).is_err() {
            return;
        }
    }
}

/// Feeds the sink in order; returns how many tasks it took.
fn write_in_order(
    filled: &Receiver<Message>,
    give_back: &Sender<Batch>,
    queue: &Queue<'_>,
    sink: &mut impl Sink,
) -> Result<u64, EngineError> {
    // Batches ahead of their turn; the front is the one for position `done`.
    let mut waiting: VecDeque<Option<Batch>> = VecDeque::new();
    let mut done = 0;
    while let Ok(message) = filled.recv() {
        // The scope resumes the worker's panic once the others have returned.
        let Some((position, batch)) = message else { return Ok(done) };
        #[expect(clippy::cast_possible_truncation, reason = "at most the supply of batches")]
        let ahead = (position - done) as usize;
        if waiting.len() <= ahead {
            waiting.resize_with(ahead + 1, || None);
        }
        waiting[ahead] = Some(batch);
        while let Some(Some(batch)) = waiting.front() {
            if let Some(task) = queue.task(done) {
                sink.take(task, batch)?;
            }
            done += 1;
            if let Some(Some(batch)) = waiting.pop_front() {
                // Nobody takes it any more once every worker has returned.
                let _ = give_back.try_send(batch);
            }
        }
    }
    Ok(done)
}
