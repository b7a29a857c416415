//! What a job would take, from its grid and a calibration of about a second on one thread.

use eigensweep_store::format::whole;
use eigensweep_store::plan::Plan;
use eigensweep_store::shard::Shard;

use crate::EngineError;
use crate::sample::encode_sample;
use crate::simulation::{Simulation, Workspace};
use crate::study::Planned;

/// Seconds after which the calibration begins no other task.
pub const CALIBRATION: f64 = 1.0;

/// What a job would take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Rows of the whole grid.
    pub rows: u64,
    /// Tasks.
    pub tasks: u64,
    /// Rows of a task.
    pub rows_per_task: u64,
    /// Parts.
    pub parts: u64,
    /// Rows of the first part, as of most.
    pub rows_per_part: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes of memory beside the input.
    pub memory: u64,
    /// Worker threads that this is for.
    pub threads: usize,
    /// Seconds of all rows on so many threads.
    pub seconds: f64,
    /// Seconds of an estimated flop on one thread.
    seconds_per_flop: f64,
}

impl Estimate {
    /// Tries some tasks and a part; `clock` gives seconds since some moment.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] where nothing can be written for trial.
    pub fn new(planned: &Planned, threads: usize, clock: fn() -> f64) -> Result<Self, EngineError> {
        let simulation = planned.simulation();
        let plan = simulation.plan();
        let has_stages = planned.spec().stages().is_some();
        let seconds_per_flop = match has_stages {
            false => calibrate(simulation, clock),
            true => calibrate_cell(planned, clock)?,
        };
        let sample = seconds_per_flop * plan.cost.total() / plan.units as f64;
        let row_bytes = match has_stages {
            false => sample_bytes(planned, CALIBRATION / sample)?,
            // A part takes long; values hardly compress.
            true => 8.0 * simulation.no_rows().metrics().len() as f64,
        };
        let rows = plan.grid.rows();
        Ok(Self {
            rows,
            tasks: plan.tasks,
            rows_per_task: plan.rows_per_task(),
            parts: plan.parts,
            rows_per_part: plan.part_rows(0).end,
            bytes: whole(rows as f64 * row_bytes),
            memory: simulation.memory_bytes(threads),
            threads,
            seconds: seconds_per_flop * plan.cost.total() / threads as f64,
            seconds_per_flop,
        })
    }

    /// Seconds of a row on one thread.
    #[must_use]
    pub fn seconds_per_row(&self) -> f64 {
        self.seconds * self.threads as f64 / self.rows as f64
    }

    /// How unlike shards of the job are.
    #[must_use]
    pub fn shards(&self, plan: &Plan, count: u64) -> Shards {
        let seconds = |flops: f64| flops * self.seconds_per_flop / self.threads as f64;
        let mut shards = Shards { count, empty: 0, parts: [u64::MAX, 0], seconds: [f64::INFINITY, 0.0] };
        for index in 1..=count {
            // Cannot fail: 1 ≤ index ≤ count.
            let Ok(shard) = Shard::new(index, count) else { continue };
            let parts = shard.parts(plan);
            let flops = plan.cost.before(plan.part_units(parts.end).start.min(plan.units))
                - plan.cost.before(plan.part_units(parts.start).start.min(plan.units));
            let (number, time) = (parts.end - parts.start, seconds(flops));
            shards.empty += u64::from(parts.is_empty());
            shards.parts = [shards.parts[0].min(number), shards.parts[1].max(number)];
            shards.seconds = [shards.seconds[0].min(time), shards.seconds[1].max(time)];
        }
        shards
    }
}

/// How unlike the shards of a job are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shards {
    /// How many there are.
    pub count: u64,
    /// Those that have nothing to do.
    pub empty: u64,
    /// The fewest and the most parts of one.
    pub parts: [u64; 2],
    /// The least and the most seconds of one.
    pub seconds: [f64; 2],
}

/// Bytes a row of a part that is computed and encoded in a temporary directory: as many units as
/// fit in the time, up to a part.
fn sample_bytes(planned: &Planned, units: f64) -> Result<f64, EngineError> {
    let plan = planned.simulation().plan();
    let units = whole(units.max(1.0)).min(plan.units_per_part);
    let mut sample = planned.spec().rounds().swap_remove(0);
    sample.output.part_rows = units * plan.grid.rows_per_unit;
    let directory =
        tempfile::tempdir().map_err(EngineError::io("create a directory in", &std::env::temp_dir()))?;
    let encoded = encode_sample(&sample, planned.simulation().input(), directory.path())?;
    Ok(encoded.bytes as f64 / encoded.rows as f64)
}

/// Seconds per estimated flop on one thread: over tasks spread evenly over the whole job, after one
/// to warm up.
fn calibrate(simulation: &Simulation, clock: fn() -> f64) -> f64 {
    /// Fractional part of the golden ratio: its multiples, modulo 1, are spread more evenly than
    /// those of any other number.
    const SPREAD: f64 = 0.618_033_988_749_894_9;
    let plan = simulation.plan();
    let flops = |task: u64| {
        let units = plan.task_units(task);
        plan.cost.before(units.end) - plan.cost.before(units.start)
    };
    let mut workspace = Workspace::new(simulation);
    let mut batch = simulation.new_batch();
    let begun = clock();
    simulation.run_task(0, &mut workspace, &mut batch);
    let warm_up = clock() - begun;
    if warm_up > CALIBRATION {
        return warm_up / flops(0);
    }
    let (begun, mut counted, mut place) = (clock(), 0.0, SPREAD);
    while clock() - begun < CALIBRATION {
        let task = whole((place * plan.tasks as f64).floor()).min(plan.tasks - 1);
        simulation.run_task(task, &mut workspace, &mut batch);
        counted += flops(task);
        place = (place + SPREAD).fract();
    }
    (clock() - begun) / counted
}

/// The same of a job with stages, whose tasks may take minutes: over one cell, the first.
fn calibrate_cell(planned: &Planned, clock: fn() -> f64) -> Result<f64, EngineError> {
    let first = planned.simulation().plan().grid.first_replicate;
    let mut cell = planned.cell(first, |_| 0)?;
    let begun = clock();
    cell.compute();
    Ok((clock() - begun) / cell.flops())
}
