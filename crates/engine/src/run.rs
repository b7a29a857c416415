//! A run: whatever parts of a job are missing, computed and committed.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use crate::EngineError;
use crate::columns::Status;
use crate::dataset::{Dataset, PartWriter};
use crate::schedule::{self, Sink};
use crate::simulation::{Batch, Simulation};

/// Hears how a run gets on; called on the writer's thread.
pub trait Observer: Send {
    /// `rows` more rows were computed, `failed` of them without a value.
    fn computed(&mut self, rows: u64, failed: u64);
    /// A part was committed.
    fn committed(&mut self, part: u64);
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that this run committed.
    pub rows: u64,
    /// Whether every part of the job is done.
    pub complete: bool,
}

/// Computes the missing parts of a data set on `threads` threads.
///
/// Where `stop` becomes true, the part in hand is dropped, finished parts stay, and the outcome is not complete.
///
/// # Errors
///
/// [`EngineError`]; finished parts stay.
pub fn run(
    simulation: &Simulation,
    dataset: &mut Dataset,
    threads: usize,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Outcome, EngineError> {
    let plan = simulation.plan();
    let missing: Vec<u64> = (0..plan.parts).filter(|&part| !dataset.is_done(part)).collect();
    let ranges: Vec<Range<u64>> = missing.iter().map(|&part| plan.part_tasks(part)).collect();
    let mut writer = Writer {
        parts: PartWriter::new(simulation, dataset.identity()),
        simulation,
        dataset,
        missing: &missing,
        at: 0,
        rows: 0,
        observer,
    };
    let complete = schedule::run(simulation, &ranges, threads, stop, &mut writer)?;
    Ok(Outcome { rows: writer.rows, complete })
}

/// Collects batches into parts.
struct Writer<'a> {
    simulation: &'a Simulation,
    dataset: &'a mut Dataset,
    missing: &'a [u64],
    at: usize,
    parts: PartWriter,
    rows: u64,
    observer: &'a mut dyn Observer,
}

impl Sink for Writer<'_> {
    fn take(&mut self, task: u64, batch: &Batch) -> Result<(), EngineError> {
        let plan = self.simulation.plan();
        let part = self.missing[self.at];
        let tasks = plan.part_tasks(part);
        if task == tasks.start {
            self.parts.begin(plan.part_rows(part).start);
        }
        self.parts.add(batch);
        let failed = batch.status.iter().filter(|&&status| status != Status::Ok).count();
        self.observer.computed(batch.rows() as u64, failed as u64);
        if task + 1 == tasks.end {
            let bytes = self.parts.encode(&plan.grid).map_err(|source| EngineError::Parquet {
                action: "encode",
                path: self.dataset.path("data"),
                source,
            })?;
            let rows = self.parts.rows();
            self.rows += rows.end - rows.start;
            self.dataset.commit(part, rows, &bytes)?;
            self.at += 1;
            self.observer.committed(part);
        }
        Ok(())
    }
}
