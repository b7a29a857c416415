//! Tasks and parts: what is computed together and what is written together.
//!
//! A **unit** is all rows of one replicate that share clean samples. For synthetic data that is one data setting and one n; for a
//! real data set one data setting and all n, because nested subsets share one running Gram matrix. A **task** is what a
//! thread takes: consecutive units, so many that their problems fill the lanes of the kernels. A **part** is the unit of
//! writing and of resuming: consecutive tasks, one file, one row group.
//!
//! All are functions of the job alone, so that interrupted, resumed and differently threaded runs write the same files.

use std::ops::Range;

use crate::EngineError;
use crate::grid::Grid;
use crate::input::Input;
use crate::job::{DataSpec, JobSpec, Sampler};

/// Most rows of a part: DuckDB's row group, so that a part is one row group (5.5 MiB in the writer, 3 MB on disk).
pub const PART_ROWS: u64 = 122_880;

/// Estimated flops after which a part is closed before it is full: about half a minute on one core, the most work that a
/// kill costs a thread.
pub const PART_FLOPS: f64 = 1e11;

/// Most rows of one task: the batches in flight stay below 1 GiB for two threads.
pub const TASK_ROWS: u64 = 1 << 21;

/// Problems (one Σ each) of a batch of the widest lanes: units are put together until little of their last batch is empty.
pub const BATCH_PROBLEMS: u64 = 32;

/// Most problems that units are put together for.
pub const TASK_PROBLEMS: u64 = 16 * BATCH_PROBLEMS;

/// Tasks that a job is divided into before units are put together: work for many threads.
pub const LEAST_TASKS: u64 = 16;

/// Estimated flops from which on a task takes no further unit: some tenths of a second on one core.
pub const TASK_FLOPS: f64 = 5e9;

/// How a job's rows are divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The numbering of rows.
    pub grid: Grid,
    /// Rows of one unit.
    pub rows_per_unit: u64,
    /// Sample sizes of one unit.
    pub samples_per_unit: u64,
    /// Units of one task (the last may have fewer).
    pub units_per_task: u64,
    /// Rows of one task (the last may have fewer).
    pub rows_per_task: u64,
    /// Number of tasks.
    pub tasks: u64,
    /// Tasks of one part (the last may have fewer).
    pub tasks_per_part: u64,
    /// Number of parts.
    pub parts: u64,
    /// Estimated flops of one row, averaged over the axes.
    pub flops_per_row: f64,
}

impl Plan {
    /// Plans a job whose input is known.
    ///
    /// # Errors
    ///
    /// [`EngineError::TaskTooLarge`] if one task has more than [`TASK_ROWS`] rows.
    pub fn new(spec: &JobSpec, input: &Input) -> Result<Self, EngineError> {
        let grid = Grid::new(spec);
        let chained = matches!(spec.data, DataSpec::Idx(_));
        let rows_per_unit = if chained { grid.rows_per_setting } else { grid.rows_per_sample };
        if rows_per_unit > TASK_ROWS {
            return Err(EngineError::TaskTooLarge { rows: rows_per_unit, limit: TASK_ROWS });
        }
        let units = grid.rows() / rows_per_unit;
        let flops_per_row = flops_per_row(spec, input, grid.rows_per_sample);
        let rows_per_problem = spec.model.dimension.values().len() as u64 * grid.paradigms;
        let whole = |x: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "positive; saturates"
            )]
            let whole = x as u64;
            whole
        };
        let most_units = (TASK_PROBLEMS * rows_per_problem / rows_per_unit)
            .min(TASK_ROWS / rows_per_unit)
            .min(whole(TASK_FLOPS / (flops_per_row * rows_per_unit as f64)))
            .min(units / LEAST_TASKS)
            .max(1);
        let units_per_task = fullest(most_units, rows_per_unit.div_ceil(rows_per_problem));
        let rows_per_task = units_per_task * rows_per_unit;
        let tasks = units.div_ceil(units_per_task);
        let by_cost = PART_FLOPS / (flops_per_row * rows_per_task as f64);
        let by_rows = PART_ROWS / rows_per_task;
        let tasks_per_part = by_rows.min(whole(by_cost)).max(1);
        Ok(Self {
            samples_per_unit: rows_per_unit / grid.rows_per_sample,
            rows_per_unit,
            units_per_task,
            grid,
            rows_per_task,
            tasks,
            tasks_per_part,
            parts: tasks.div_ceil(tasks_per_part),
            flops_per_row,
        })
    }

    /// Rows of a task, by number.
    #[must_use]
    pub fn task_rows(&self, task: u64) -> Range<u64> {
        let start = task * self.rows_per_task;
        start..(start + self.rows_per_task).min(self.grid.rows())
    }

    /// Tasks of a part.
    #[must_use]
    pub fn part_tasks(&self, part: u64) -> Range<u64> {
        let start = part * self.tasks_per_part;
        start..(start + self.tasks_per_part).min(self.tasks)
    }

    /// Rows of a part, by number.
    #[must_use]
    pub fn part_rows(&self, part: u64) -> Range<u64> {
        let tasks = self.part_tasks(part);
        tasks.start * self.rows_per_task..(tasks.end * self.rows_per_task).min(self.grid.rows())
    }
}

/// The number of units, up to `most`, that leaves the smallest share of its batches empty; the least of equally good ones.
fn fullest(most: u64, problems_per_unit: u64) -> u64 {
    let batches = |units: u64| (units * problems_per_unit).div_ceil(BATCH_PROBLEMS);
    // Batches a unit, compared as fractions.
    (2..=most).fold(1, |best, units| if batches(units) * best < batches(best) * units { units } else { best })
}

/// Estimated flops of one row: the kernels' counts (see `spectral::scaled`) averaged over paradigms, and the row's share of drawing its sample where that grows with n.
fn flops_per_row(spec: &JobSpec, input: &Input, rows_per_sample: u64) -> f64 {
    let noise = spec.corruption.components.values().iter().max().copied().unwrap_or(0) as f64;
    let size = input.largest_signal() as f64 + noise;
    let labels = input.labels() as f64;
    // Of three paradigms: d³/3, 4/3 d³ and about 6 d³; projections 9 d²ℓ.
    let solving = 2.6 * size.powi(3) + 3.0 * size * size * labels;
    let drawing = match spec.sampler {
        Sampler::Moments => 0.0,
        Sampler::Explicit => {
            // A normal costs about as much as 20 flops; each row of A and N is multiplied with each column of N.
            let samples = spec.grid.samples.values();
            let mean = samples.iter().map(|&n| n as f64).sum::<f64>() / samples.len() as f64;
            mean * noise * (20.0 + 2.0 * (size + labels))
        }
    };
    solving + drawing / rows_per_sample as f64
}

#[cfg(test)]
mod tests {
    use super::{BATCH_PROBLEMS, fullest};

    #[test]
    fn units_fill_batches() {
        // 60 problems a unit, as in Figure 3 of the paper: eight of them are 15 batches.
        assert_eq!(fullest(8, 60), 8);
        assert_eq!(fullest(7, 60), 1, "nothing is gained before");
        assert_eq!(fullest(100, 1), BATCH_PROBLEMS);
        assert_eq!(fullest(5, BATCH_PROBLEMS), 1);
        assert_eq!(fullest(1, 7), 1);
    }
}
