//! A run: whatever parts of a shard are missing, computed and committed.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::EngineError;
use crate::input::Input;
use crate::schedule::{self, Sink, Work};
use crate::simulation::Simulation;
use crate::study::Opened;
use eigensweep_store::adaptive;
use eigensweep_store::dataset::{Collector, CommitRecord, Dataset, Section};
use eigensweep_store::plan;
use eigensweep_store::rows::Rows;

/// Hears how a run gets on; called on the thread that called [`run`].
pub trait Observer: Send {
    /// The data set was opened: what was found, and what there is to do.
    fn opened(&mut self, opened: &Opened) {
        let _ = opened;
    }
    /// Nothing more is computed.
    fn ended(&mut self, outcome: &Result<Outcome, EngineError>) {
        let _ = outcome;
    }
    /// Seconds since some moment: how long parts take to write is told by it, on the threads that
    /// write them.
    fn clock(&self) -> fn() -> f64;
    /// `rows` more rows were computed, `failed` of them without a value.
    fn computed(&mut self, rows: u64, failed: u64);
    /// A part of `rows` rows was sorted, encoded, written and committed, which took so many seconds
    /// of one thread.
    fn committed(&mut self, section: u32, part: u64, rows: u64, seconds: f64);
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
/// Where `stop` becomes true, the part that is being collected is dropped, full ones are written,
/// and the outcome is not complete.
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
    schedule::refuse_too_many(threads)?;
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
        // What the workers see while the writer notes what is done.
        let (section, root) = (section.blank(), dataset.root().to_path_buf());
        let collectors = 1 + plan::parts_in_writing(threads);
        let mut writer = Writer {
            clock: observer.clock(),
            filling: None,
            free: (0..collectors).map(|_| Collector::new(&section, simulation.active().cloned())).collect(),
            root: &root,
            section: &section,
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
    Simulation::new(&section.spec, part, section.plan.clone()).with_thresholds_of(section.thresholds)
}

/// Collects batches into parts, and has the workers write them.
struct Writer<'a> {
    dataset: &'a mut Dataset,
    place: usize,
    section: &'a Section,
    root: &'a Path,
    missing: &'a [u64],
    at: usize,
    filling: Option<Collector>,
    free: Vec<Collector>,
    rows: u64,
    clock: fn() -> f64,
    observer: &'a mut dyn Observer,
}

/// A part all of whose rows have been collected.
struct FullPart<'a> {
    section: &'a Section,
    root: &'a Path,
    part: u64,
    collector: Collector,
    clock: fn() -> f64,
}

/// A part that is on disk.
struct WrittenPart {
    record: CommitRecord,
    collector: Collector,
    seconds: f64,
}

impl Work for FullPart<'_> {
    type Done = Result<WrittenPart, EngineError>;

    fn run(self) -> Self::Done {
        let begun = (self.clock)();
        let record = self.collector.commit(self.root, self.section, self.part)?;
        Ok(WrittenPart { record, collector: self.collector, seconds: (self.clock)() - begun })
    }
}

impl<'a> Sink for Writer<'a> {
    type Work = FullPart<'a>;

    fn take(&mut self, task: u64, batch: &Rows) -> Result<Option<FullPart<'a>>, EngineError> {
        let plan = &self.section.plan;
        let part = self.missing[self.at];
        let mut collector = self.filling.take().or_else(|| {
            let mut free = self.free.pop()?;
            free.begin(plan, part);
            Some(free)
        });
        if let Some(collector) = &mut collector {
            collector.add(plan, batch);
        }
        self.observer.computed(batch.len() as u64, batch.failed());
        if task + 1 < plan.part_tasks(part).end {
            self.filling = collector;
            return Ok(None);
        }
        self.at += 1;
        let (section, root, clock) = (self.section, self.root, self.clock);
        Ok(collector.map(|collector| FullPart { section, root, part, collector, clock }))
    }

    fn done(&mut self, done: Result<WrittenPart, EngineError>) -> Result<(), EngineError> {
        let WrittenPart { record, collector, seconds } = done?;
        self.free.push(collector);
        self.rows += record.rows;
        self.observer.committed(record.section, record.part, record.rows, seconds);
        self.dataset.note(self.place, record);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.filling.is_some() || !self.free.is_empty()
    }
}
