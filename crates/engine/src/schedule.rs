//! Runs tasks on a pool of threads and hands their batches to one writer, in task order; what the
//! writer makes of them (a full part that is to be encoded) goes back to the same threads.
//!
//! Each worker owns a [`Workspace`]. It takes an empty batch from a fixed supply, then the next
//! task, and sends the filled batch over a bounded channel; the writer, on the calling thread, puts
//! batches back in order and returns the empty ones. A worker takes its batch *before* its task, so
//! the earliest outstanding task always has one: the supply bounds memory and cannot deadlock. Who
//! computes what does not matter: a task is a function of its number.
//!
//! The writer's [`Work`] comes before tasks: it frees what the sink may be waiting for
//! ([`Sink::is_ready`]). So the writer itself only copies, and `threads` threads are busy from the
//! first task to the last.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded, select, unbounded};

use crate::EngineError;
use crate::simulation::{Simulation, Workspace};
use eigensweep_store::rows::Rows;

/// Most worker threads: more than any machine has processors.
pub const MOST_THREADS: usize = 4096;

/// Refuses more threads than any machine has use for.
///
/// # Errors
///
/// [`EngineError::Threads`].
pub fn refuse_too_many(threads: usize) -> Result<(), EngineError> {
    if threads <= MOST_THREADS {
        return Ok(());
    }
    Err(EngineError::Threads { threads, reason: format!("at most {MOST_THREADS} are started") })
}

/// Batches per thread: one being filled, one waiting for its turn, one with the writer.
const BATCHES_PER_THREAD: usize = 3;

/// Something to be done on a worker's thread.
pub trait Work: Send {
    /// What comes of it.
    type Done: Send;

    /// Does it.
    fn run(self) -> Self::Done;
}

/// The work of a sink that has none for others.
impl Work for Infallible {
    type Done = Self;

    fn run(self) -> Self {
        self
    }
}

/// Where ordered batches go.
pub trait Sink {
    /// What the sink has others do.
    type Work: Work;

    /// Takes the batch of a task; tasks arrive in the order of the ranges given to [`run`]. What is
    /// returned is done on a worker's thread, and comes back through [`done`](Self::done).
    ///
    /// # Errors
    ///
    /// Any error ends the run.
    fn take(&mut self, task: u64, batch: &Rows) -> Result<Option<Self::Work>, EngineError>;

    /// Hears of work that is done, in the order in which it ended.
    ///
    /// # Errors
    ///
    /// Any error ends the run.
    fn done(&mut self, done: <Self::Work as Work>::Done) -> Result<(), EngineError>;

    /// Whether it can take a batch now; where it cannot, work must be under way whose end changes
    /// that.
    fn is_ready(&self) -> bool {
        true
    }
}

/// Runs all tasks of `ranges` on `threads` threads; returns whether it got to the end, which it
/// does not if `stop` was set. Work of the sink that has begun is done in either case.
///
/// # Errors
///
/// The sink's error, or [`EngineError::Threads`].
///
/// # Panics
///
/// If a task or the sink's work does: the panic goes on here once every worker has returned.
pub fn run<S: Sink + Send>(
    simulation: &Simulation,
    ranges: &[Range<u64>],
    threads: usize,
    stop: &AtomicBool,
    sink: &mut S,
) -> Result<bool, EngineError> {
    refuse_too_many(threads)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("worker-{index}"))
        .build()
        .map_err(|error| EngineError::Threads { threads, reason: error.to_string() })?;
    let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
    let supply = threads * BATCHES_PER_THREAD;
    let (give_back, empty) = bounded::<Rows>(supply);
    // What waits in it are batches of the supply, work of the sink, and two last words of each
    // worker.
    let (send, messages) = unbounded::<Message<S>>();
    let (hand_over, works) = unbounded::<S::Work>();
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
            let (send, empty, works, queue) = (send.clone(), empty.clone(), works.clone(), &queue);
            scope.spawn(move |_| work::<S>(simulation, queue, &empty, &works, &send));
        }
        drop((send, empty, works));
        let mut writer = Writer { messages, give_back, hand_over, queue: &queue, busy: threads };
        // Dropped before the scope waits: workers that wait for a batch or for work see the
        // channels close.
        let written = writer.write_in_order(sink);
        queue.stop_workers();
        drop(writer);
        written
    })
    .map(|tasks| tasks == total)
}

/// Computes all tasks on `threads` threads and keeps their rows, in the order of their numbers.
///
/// # Errors
///
/// [`EngineError::Threads`].
pub fn rows(simulation: &Simulation, threads: usize) -> Result<Rows, EngineError> {
    /// Keeps what it is given.
    struct Memory(Rows);

    impl Sink for Memory {
        type Work = Infallible;

        fn take(&mut self, _: u64, rows: &Rows) -> Result<Option<Infallible>, EngineError> {
            self.0.append(rows);
            Ok(None)
        }

        fn done(&mut self, done: Infallible) -> Result<(), EngineError> {
            match done {}
        }
    }

    let mut memory = Memory(simulation.no_rows());
    let tasks = 0..simulation.plan().tasks;
    run(simulation, std::slice::from_ref(&tasks), threads, &AtomicBool::new(false), &mut memory)?;
    Ok(memory.0)
}

/// What a worker tells the writer.
enum Message<S: Sink> {
    /// The batch of the task at this position of the run.
    Filled(u64, Rows),
    /// Work was done.
    Done(<S::Work as Work>::Done),
    /// This worker has no more tasks.
    Idle,
    /// This worker has panicked: what it held will never come.
    Panicked,
}

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

/// Tells the writer if the worker that holds it panics: otherwise all would wait for the batch that
/// is lost.
struct PanicNotice<'a, S: Sink>(&'a Sender<Message<S>>);

impl<S: Sink> Drop for PanicNotice<'_, S> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(Message::Panicked);
        }
    }
}

/// What a worker does next.
enum Next<W> {
    Work(W),
    Task(Rows),
    /// A channel has closed.
    Nothing,
}

/// The sink's work where there is some, else a batch to fill; waits for either.
fn next<W>(works: &Receiver<W>, empty: &Receiver<Rows>) -> Next<W> {
    match works.try_recv() {
        Ok(work) => Next::Work(work),
        Err(TryRecvError::Disconnected) => Next::Nothing,
        Err(TryRecvError::Empty) => select! {
            recv(works) -> work => work.map_or(Next::Nothing, Next::Work),
            recv(empty) -> batch => batch.map_or(Next::Nothing, Next::Task),
        },
    }
}

/// A worker: work and tasks as they come; when there are no more tasks, the work that is left.
fn work<S: Sink>(
    simulation: &Simulation,
    queue: &Queue<'_>,
    empty: &Receiver<Rows>,
    works: &Receiver<S::Work>,
    send: &Sender<Message<S>>,
) {
    let _notice = PanicNotice(send);
    let mut workspace = Workspace::new(simulation);
    loop {
        let message = match next(works, empty) {
            Next::Work(work) => Message::Done(work.run()),
            Next::Task(mut batch) => {
                let Some((position, task)) = queue.next() else { break };
                if !simulation.run_task_until(queue.stop, task, &mut workspace, &mut batch) {
                    break;
                }
                Message::Filled(position, batch)
            }
            Next::Nothing => return,
        };
        if send.send(message).is_err() {
            return;
        }
    }
    drop(workspace);
    let _ = send.send(Message::Idle);
    for work in works {
        let _ = send.send(Message::Done(work.run()));
    }
}

/// The writer's ends of the channels.
struct Writer<'a, S: Sink> {
    messages: Receiver<Message<S>>,
    give_back: Sender<Rows>,
    hand_over: Sender<S::Work>,
    queue: &'a Queue<'a>,
    /// Workers that may still send batches.
    busy: usize,
}

impl<S: Sink> Writer<'_, S> {
    /// Feeds the sink in order, and waits for its work; returns how many tasks it took.
    fn write_in_order(&mut self, sink: &mut S) -> Result<u64, EngineError> {
        // Batches ahead of their turn; the front is the one for position `done`.
        let mut waiting: VecDeque<Option<Rows>> = VecDeque::new();
        let (mut done, mut works) = (0, 0_usize);
        loop {
            while sink.is_ready() && matches!(waiting.front(), Some(Some(_))) {
                let Some(Some(batch)) = waiting.pop_front() else { break };
                if let Some(task) = self.queue.task(done)
                    && let Some(work) = sink.take(task, &batch)?
                {
                    works += 1;
                    let _ = self.hand_over.send(work);
                }
                done += 1;
                // Nobody takes it any more once every worker has returned.
                let _ = self.give_back.try_send(batch);
            }
            if self.busy == 0 && works == 0 {
                return Ok(done);
            }
            match self.messages.recv() {
                Ok(Message::Filled(position, batch)) => {
                    #[expect(clippy::cast_possible_truncation, reason = "at most the supply of batches")]
                    let ahead = (position - done) as usize;
                    if waiting.len() <= ahead {
                        waiting.resize_with(ahead + 1, || None);
                    }
                    waiting[ahead] = Some(batch);
                }
                Ok(Message::Done(end)) => {
                    works -= 1;
                    sink.done(end)?;
                }
                Ok(Message::Idle) => self.busy -= 1,
                // The scope resumes the worker's panic once the others have returned.
                Ok(Message::Panicked) | Err(_) => return Ok(done),
            }
        }
    }
}
