//! Runs into data sets: as a whole, in shards, interrupted.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eigensweep_engine::EngineError;
use eigensweep_engine::input::Input;
use eigensweep_engine::run::{self, Observer, Outcome};
use eigensweep_job::Job;
use eigensweep_store::StoreError;
use eigensweep_store::dataset::{Dataset, Repair};
use eigensweep_store::shard::Shard;

/// Stops a run once so many rows were computed, and counts.
#[derive(Debug)]
pub struct Stopping<'a> {
    stop: &'a AtomicBool,
    after: u64,
    /// Section and number of each part that was committed.
    pub committed: Vec<(u32, u64)>,
    /// Rows that were computed.
    pub rows: u64,
    /// Those of them without a value.
    pub failed: u64,
}

impl<'a> Stopping<'a> {
    /// Sets `stop` after so many rows.
    #[must_use]
    pub fn after(stop: &'a AtomicBool, after: u64) -> Self {
        Self { stop, after, committed: Vec::new(), rows: 0, failed: 0 }
    }
}

impl Observer for Stopping<'_> {
    fn computed(&mut self, rows: u64, failed: u64) {
        self.rows += rows;
        self.failed += failed;
        if self.rows >= self.after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn clock(&self) -> fn() -> f64 {
        || 0.0
    }

    fn committed(&mut self, section: u32, part: u64, _rows: u64, _seconds: f64) {
        self.committed.push((section, part));
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub outcome: Outcome,
    /// What it found damaged.
    pub repairs: Vec<Repair>,
    /// Section and number of each part that it committed, in order.
    pub committed: Vec<(u32, u64)>,
    /// Rows without a value that it computed.
    pub failed: u64,
}

/// What `Dataset::open` says of this process.
pub const HOLDER: &str = "a test";

/// Opens (or goes on with) the data set at `root`, for a shard.
///
/// # Errors
///
/// Those of [`Dataset::open`].
pub fn open(root: &Path, job: &Job, shard: Shard) -> Result<(Arc<Input>, Dataset, Vec<Repair>), StoreError> {
    let input = Arc::new(Input::load(job).unwrap());
    let (dataset, repairs) = Dataset::open(root, &job.spec, &input.facts(), shard, HOLDER)?;
    Ok((input, dataset, repairs))
}

/// Opens (or goes on with) the data set at `root` and runs a shard until `parts` parts are done or
/// nothing is missing.
///
/// # Errors
///
/// What the store refuses.
pub fn run_shard(
    root: &Path,
    job: &Job,
    shard: Shard,
    threads: usize,
    parts: u64,
) -> Result<Ran, StoreError> {
    let (input, mut dataset, repairs) = open(root, job, shard)?;
    let stop = AtomicBool::new(false);
    let sections = dataset.sections().iter();
    let missing = sections.flat_map(|section| {
        let own = shard.parts(&section.plan).filter(|&part| !section.is_done(part));
        own.map(|part| section.plan.part_rows(part))
    });
    // What is computed beyond belongs to the next part, and does not fill it: parts have more tasks
    // than there are batches.
    let rows = missing.take(usize::try_from(parts).unwrap_or(usize::MAX)).map(|rows| rows.end - rows.start);
    let after = if parts == u64::MAX { u64::MAX } else { rows.sum() };
    let mut observer = Stopping::after(&stop, after);
    let outcome = match run::run(&input, &mut dataset, threads, &stop, &mut observer) {
        Err(EngineError::Store(error)) => return Err(error),
        outcome => outcome.unwrap(),
    };
    dataset.write_manifest()?;
    // Parts end in any order.
    observer.committed.sort_unstable();
    Ok(Ran { outcome, repairs, committed: observer.committed, failed: observer.failed })
}

/// Runs the whole until `parts` parts are done or nothing is missing.
///
/// # Errors
///
/// As [`run_shard`].
pub fn run_parts(root: &Path, job: &Job, threads: usize, parts: u64) -> Result<Ran, StoreError> {
    run_shard(root, job, Shard::WHOLE, threads, parts)
}

/// Runs the whole to the end.
pub fn run_to_the_end(root: &Path, job: &Job, threads: usize) -> Ran {
    let ran = run_parts(root, job, threads, u64::MAX).unwrap_or_else(|error| panic!("{error}"));
    assert!(ran.outcome.complete);
    ran
}
