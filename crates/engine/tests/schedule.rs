//! What the scheduler promises a sink: batches in order, its work done once and heard of, no more
//! of it at a time than it is ready for; and that nothing hangs, whatever ends.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use eigensweep_engine::EngineError;
use eigensweep_engine::schedule::{self, Sink, Work};
use eigensweep_engine::simulation::Simulation;
use eigensweep_store::rows::Rows;
use eigensweep_testkit::rows::simulation;

const JOB: &str = r#"
[job]
replicates = 200
[data]
components = 3
[corruption]
components = 3
[model]
dimension = 2
[grid]
samples = [8, 9, 10]
"#;

/// Batches after which there is work.
const EVERY: u64 = 2;

/// Works at a time.
const MOST: u64 = 2;

/// Has a number squared by the workers after every so many batches.
struct Squares<'a> {
    stop: &'a AtomicBool,
    stop_after: u64,
    fail_at: u64,
    panic_at: u64,
    running: &'a AtomicU64,
    given: u64,
    taken: Vec<u64>,
    squares: Vec<u64>,
}

struct Square<'a> {
    number: u64,
    panics: bool,
    running: &'a AtomicU64,
}

impl Work for Square<'_> {
    type Done = u64;

    fn run(self) -> u64 {
        assert!(!self.panics, "work that panics");
        assert!(self.running.fetch_add(1, Ordering::SeqCst) < MOST, "no more than the sink was ready for");
        std::thread::yield_now();
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.number * self.number
    }
}

impl<'a> Sink for Squares<'a> {
    type Work = Square<'a>;

    fn take(&mut self, task: u64, _: &Rows) -> Result<Option<Square<'a>>, EngineError> {
        assert!(self.is_ready());
        self.taken.push(task);
        let count = self.taken.len() as u64;
        self.stop.fetch_or(count == self.stop_after, Ordering::Relaxed);
        if !count.is_multiple_of(EVERY) {
            return Ok(None);
        }
        let number = self.given;
        self.given += 1;
        Ok(Some(Square { number, panics: number == self.panic_at, running: self.running }))
    }

    fn done(&mut self, square: u64) -> Result<(), EngineError> {
        self.squares.push(square);
        if self.squares.len() as u64 == self.fail_at {
            return Err(EngineError::Threads { threads: 0, reason: "the disk is full".to_owned() });
        }
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.given - (self.squares.len() as u64) < MOST
    }
}

/// When a run ends: counts of batches and works, [`NEVER`] unless given.
#[derive(Clone, Copy)]
struct Ends {
    stop_after: u64,
    fail_at: u64,
    panic_at: u64,
}

const NEVER: Ends = Ends { stop_after: u64::MAX, fail_at: u64::MAX, panic_at: u64::MAX };

/// Runs all tasks; returns what the scheduler did, the tasks in the order taken and the squares in
/// order of size.
fn run(
    simulation: &Simulation,
    threads: usize,
    ends: Ends,
) -> (Result<bool, EngineError>, Vec<u64>, Vec<u64>) {
    let (stop, running) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut sink = Squares {
        stop: &stop,
        stop_after: ends.stop_after,
        fail_at: ends.fail_at,
        panic_at: ends.panic_at,
        running: &running,
        given: 0,
        taken: Vec::new(),
        squares: Vec::new(),
    };
    let tasks = simulation.plan().tasks;
    let ranges = [0..tasks / 2, tasks / 2..tasks];
    let outcome = schedule::run(simulation, &ranges, threads, &stop, &mut sink);
    sink.squares.sort_unstable();
    (outcome, sink.taken, sink.squares)
}

fn squares(count: u64) -> Vec<u64> {
    (0..count).map(|number| number * number).collect()
}

#[test]
fn every_batch_in_order_and_every_work_once() {
    let simulation = simulation(JOB, &[]);
    let tasks = simulation.plan().tasks;
    assert!(tasks >= 16, "{tasks} tasks");
    for threads in [1, 2, 5] {
        let (outcome, taken, found) = run(&simulation, threads, NEVER);
        assert!(outcome.unwrap());
        assert_eq!(taken, (0..tasks).collect::<Vec<_>>());
        assert_eq!(found, squares(tasks / EVERY));
    }
}

/// What was begun is done; batches beyond are at most those that were under way.
#[test]
fn a_stop_loses_no_work() {
    let simulation = simulation(JOB, &[]);
    for threads in [1, 3] {
        let (outcome, taken, found) = run(&simulation, threads, Ends { stop_after: 5, ..NEVER });
        assert!(!outcome.unwrap());
        assert_eq!(taken, (0..taken.len() as u64).collect::<Vec<_>>());
        assert!((5..5 + 3 * threads).contains(&taken.len()), "{taken:?}");
        assert_eq!(found, squares(taken.len() as u64 / EVERY));
    }
}

#[test]
fn an_error_after_work_ends_the_run() {
    let simulation = simulation(JOB, &[]);
    for threads in [1, 3] {
        let (outcome, _, found) = run(&simulation, threads, Ends { fail_at: 3, ..NEVER });
        assert!(matches!(outcome, Err(EngineError::Threads { .. })), "{outcome:?}");
        assert_eq!(found.len(), 3);
    }
}

#[test]
#[should_panic(expected = "work that panics")]
fn a_panic_in_work_does_not_hang() {
    let simulation = simulation(JOB, &[]);
    let _ = run(&simulation, 2, Ends { panic_at: 2, ..NEVER });
}
