//! A run: whatever parts of a shard are missing, computed and committed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::EngineError;
use crate::adaptive;
use crate::columns::Status;
use crate::dataset::{Collector, Dataset};
use crate::input::Input;
use crate::schedule::{self, Sink};
use crate::simulation::{Batch, Simulation};

/// Hears how a run gets on; called on the writer's thread.
pub trait Observer: Send {
    /// `rows` more rows were computed, `failed` of them without a value.
    fn computed(&mut self, rows: u64, failed: u64);
    /// A part of `rows` rows was committed.
    fn committed(&mut self, section: u32, part: u64, rows: u64);
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Rows that this run committed.
    pub rows: u64,
    /// Whether every part of the shard is done.
    pub complete: bool,
}

/// What a shard of a data set has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Its rows.
    pub rows: u64,
    /// Those that are done.
    pub rows_done: u64,
}

/// What the data set's shard has to do.
#[must_use]
pub fn share(dataset: &Dataset) -> Share {
    let mut share = Share::default();
    for section in dataset.sections() {
        for part in dataset.shard().parts(&section.plan) {
            let rows = section.part_rows(part);
            share.rows += rows;
            share.rows_done += if section.is_done(part) { rows } else { 0 };
        }
    }
    share
}

/// Computes the missing parts of the data set's shard on `threads` threads, section by section.
///
/// Where `stop` becomes true, the part in hand is dropped, finished parts stay, and the outcome is not complete.
///
/// # Errors
///
/// [`EngineError`]; finished parts stay.
pub fn run(
    input: &Arc<Input>,
    dataset: &mut Dataset,
    threads: usize,
    stop: &AtomicBool,
    observer: &mut dyn Observer,
) -> Result<Outcome, EngineError> {
    let mut outcome = Outcome { rows: 0, complete: true };
    for place in 0..dataset.sections().len() {
        let section = &dataset.sections()[place];
        let plan = &section.plan;
        let own = dataset.shard().parts(plan);
        let missing: Vec<u64> = own.filter(|&part| !section.is_done(part)).collect();
        if missing.is_empty() {
            continue;
        }
        let ranges: Vec<Range<u64>> = missing.iter().map(|&part| plan.part_tasks(part)).collect();
        let mut simulation = simulation(dataset, place, input);
        if let Some(active) = adaptive::active(dataset, place)? {
            simulation = simulation.restricted_to(Arc::new(active));
        }
        let mut writer = Writer {
            collector: Collector::new(&simulation, section),
            staging: dataset.path("staging"),
            dataset,
            place,
            missing: &missing,
            at: 0,
            rows: 0,
            observer,
        };
        let finished = schedule::run(&simulation, &ranges, threads, stop, &mut writer)?;
        outcome.rows += writer.rows;
        if !finished {
            outcome.complete = false;
            break;
        }
    }
    Ok(outcome)
}

/// The simulation of the section at `place`, from the input of the whole job.
#[must_use]
pub fn simulation(dataset: &Dataset, place: usize, input: &Arc<Input>) -> Simulation {
    let section = &dataset.sections()[place];
    let part = if section.spec.data == dataset.spec().data {
        Arc::clone(input)
    } else {
        Arc::new(input.for_part(&section.spec))
    };
    Simulation::new(&section.spec, part, section.plan.clone())
}

/// Collects batches into parts.
struct Writer<'a> {
    dataset: &'a mut Dataset,
    place: usize,
    staging: std::path::PathBuf,
    missing: &'a [u64],
    at: usize,
    collector: Collector,
    rows: u64,
    observer: &'a mut dyn Observer,
}

impl Sink for Writer<'_> {
    fn take(&mut self, task: u64, batch: &Batch) -> Result<(), EngineError> {
        let section = &self.dataset.sections()[self.place];
        let (plan, number) = (&section.plan, section.number);
        let part = self.missing[self.at];
        let (tasks, rows) = (plan.part_tasks(part), plan.part_rows(part));
        if task == tasks.start {
            self.collector.begin(plan, part);
        }
        self.collector.add(plan, batch);
        let failed = batch.status.iter().filter(|&&status| status != Status::Ok).count();
        self.observer.computed(batch.rows() as u64, failed as u64);
        if task + 1 == tasks.end {
            let active = self.collector.active();
            let rows = active.map_or(rows.end - rows.start, |active| active.rows(plan, part));
            let encoded = match rows {
                0 => None,
                _ => Some(self.collector.encode(plan, part, &self.staging)?),
            };
            self.dataset.commit(self.place, part, active, encoded)?;
            self.rows += rows;
            self.at += 1;
            self.observer.committed(number, part, rows);
        }
        Ok(())
    }
}
