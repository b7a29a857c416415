//! Tasks and parts: what is computed together and what is written together.
//!
//! A **task** is what a thread takes: consecutive units (see [`grid`](crate::grid)), so many that their problems fill the lanes of
//! the kernels. A **part** is the unit of writing and of resuming: consecutive units, one file.
//!
//! All are functions of the job alone, so that interrupted, resumed, sharded and differently threaded runs write the same files.

use std::ops::Range;

use crate::EngineError;
use crate::cost::Cost;
use crate::grid::Grid;
use crate::input::Extents;
use crate::job::JobSpec;

/// Estimated flops after which a part is closed before it is full: some ten seconds on one core, the most work that a kill
/// costs a thread.
pub const PART_FLOPS: f64 = 1e11;

/// Parts that a job is divided into before they are made larger: work for many shards.
pub const LEAST_PARTS: u64 = 64;

/// Estimated flops of a part below which a job is not divided further: about a second on one core.
pub const LEAST_PART_FLOPS: f64 = 1.5e10;

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
    /// Sample sizes of one unit.
    pub samples_per_unit: u64,
    /// Number of units.
    pub units: u64,
    /// Units of one task (the last of a part may have fewer).
    pub units_per_task: u64,
    /// Units of one part (the last may have fewer).
    pub units_per_part: u64,
    /// Tasks of one part (the last may have fewer).
    pub tasks_per_part: u64,
    /// Number of tasks.
    pub tasks: u64,
    /// Number of parts.
    pub parts: u64,
    /// What the columns cost.
    pub cost: Cost,
}

impl Plan {
    /// Plans a job whose input has these extents.
    ///
    /// # Errors
    ///
    /// [`EngineError::TaskTooLarge`] if one unit has more than [`TASK_ROWS`] rows.
    pub fn new(spec: &JobSpec, extents: Extents) -> Result<Self, EngineError> {
        let grid = Grid::new(spec);
        let rows_per_unit = grid.rows_per_unit;
        if rows_per_unit > TASK_ROWS {
            return Err(EngineError::TaskTooLarge { rows: rows_per_unit, limit: TASK_ROWS });
        }
        let units = grid.rows() / rows_per_unit;
        let cost = Cost::new(spec, extents, &grid);
        let unit_flops = cost.total() / units as f64;
        let within = |flops: f64| whole(flops / unit_flops);
        let rows_per_problem = spec.model.dimension.values().len() as u64 * grid.paradigms;
        let most_units = (TASK_PROBLEMS * rows_per_problem / rows_per_unit)
            .min(TASK_ROWS / rows_per_unit)
            .min(within(TASK_FLOPS))
            .min(units / LEAST_TASKS)
            .max(1);
        let units_per_task = fullest(most_units, rows_per_unit.div_ceil(rows_per_problem));
        let most_units = (spec.output.part_rows / rows_per_unit)
            .min(within(PART_FLOPS))
            .min(units.div_ceil(LEAST_PARTS).max(within(LEAST_PART_FLOPS)))
            .clamp(1, units);
        // Whole tasks, unless that is none.
        let units_per_task = units_per_task.min(most_units);
        let units_per_part = most_units / units_per_task * units_per_task;
        let parts = units.div_ceil(units_per_part);
        let tasks_per_part = units_per_part / units_per_task;
        let last = units - (parts - 1) * units_per_part;
        Ok(Self {
            samples_per_unit: rows_per_unit / grid.rows_per_sample,
            grid,
            units,
            units_per_task,
            units_per_part,
            tasks_per_part,
            tasks: (parts - 1) * tasks_per_part + last.div_ceil(units_per_task),
            parts,
            cost,
        })
    }

    /// Units of a task.
    #[must_use]
    pub fn task_units(&self, task: u64) -> Range<u64> {
        let start = task * self.units_per_task;
        start..(start + self.units_per_task).min(self.units)
    }

    /// Rows of a task, by number.
    #[must_use]
    pub fn task_rows(&self, task: u64) -> Range<u64> {
        self.rows_of(self.task_units(task))
    }

    /// Rows of a full task.
    #[must_use]
    pub fn rows_per_task(&self) -> u64 {
        self.units_per_task * self.grid.rows_per_unit
    }

    /// Tasks of a part.
    #[must_use]
    pub fn part_tasks(&self, part: u64) -> Range<u64> {
        let start = part * self.tasks_per_part;
        start..(start + self.tasks_per_part).min(self.tasks)
    }

    /// Units of a part.
    #[must_use]
    pub fn part_units(&self, part: u64) -> Range<u64> {
        let start = part * self.units_per_part;
        start..(start + self.units_per_part).min(self.units)
    }

    /// Rows of a part, by number.
    #[must_use]
    pub fn part_rows(&self, part: u64) -> Range<u64> {
        self.rows_of(self.part_units(part))
    }

    /// Estimated flops of a part.
    #[must_use]
    pub fn part_flops(&self, part: u64) -> f64 {
        let units = self.part_units(part);
        self.cost.before(units.end) - self.cost.before(units.start)
    }

    fn rows_of(&self, units: Range<u64>) -> Range<u64> {
        units.start * self.grid.rows_per_unit..units.end * self.grid.rows_per_unit
    }
}

/// A count from a positive number; saturates.
fn whole(x: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; saturates")]
    let whole = x as u64;
    whole
}

/// The number of units, up to `most`, that leaves the smallest share of its batches empty; the least of equally good ones.
fn fullest(most: u64, problems_per_unit: u64) -> u64 {
    let batches = |units: u64| (units * problems_per_unit).div_ceil(BATCH_PROBLEMS);
    // Batches a unit, compared as fractions.
    (2..=most).fold(1, |best, units| if batches(units) * best < batches(best) * units { units } else { best })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::{BATCH_PROBLEMS, Plan, fullest};
    use crate::input::Extents;
    use crate::job;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, rng_seed: RngSeed::Fixed(9), failure_persistence: None, ..ProptestConfig::default() })]

        /// Every row is in one task and one part, and a part is whole tasks.
        #[test]
        fn tasks_and_parts_are_all_rows_once(
            (replicates, part_rows) in (1..3000_u64, prop_oneof![1..200_u64, 1..2_000_000_u64]),
            (sizes, alphas, dimensions) in (1..5_usize, 1..40_usize, 1..3_usize),
            (large, files) in (any::<bool>(), any::<bool>()),
        ) {
            let source = if files { "source = \"idx\"\nimages = \"i\"\nlabels = \"l\"\n" } else { "" };
            let text = format!(
                "[job]\nreplicates = {replicates}\n[data]\n{source}components = [3, {}]\n[augmentation]\nalignment = \
                 {{ from = 1, to = 2, count = {} }}\n[model]\ndimension = {:?}\n[grid]\nsamples = {:?}\n[output]\n\
                 part_rows = {part_rows}\n",
                if large { 700 } else { 4 },
                alphas + 1,
                &[1, 2, 3][..dimensions],
                &[10, 20, 30, 40][..sizes],
            );
            let spec = job::parse("test.toml", &text, &[], Path::new("")).unwrap().spec;
            let plan = Plan::new(&spec, Extents { signal: 3, labels: 10 }).unwrap();
            let rows_per_unit = plan.grid.rows_per_unit;
            let (mut row, mut unit, mut task) = (0, 0, 0);
            for part in 0..plan.parts {
                prop_assert_eq!(plan.part_rows(part).start, row);
                prop_assert_eq!(plan.part_tasks(part).start, task);
                for number in plan.part_tasks(part) {
                    prop_assert_eq!((plan.task_rows(number).start, plan.task_units(number).start), (row, unit));
                    (row, unit) = (plan.task_rows(number).end, plan.task_units(number).end);
                }
                prop_assert_eq!((plan.part_rows(part).end, plan.part_units(part).end), (row, unit));
                let rows = row - plan.part_rows(part).start;
                prop_assert!(rows > 0 && rows <= part_rows.max(rows_per_unit), "{} rows", rows);
                task = plan.part_tasks(part).end;
            }
            prop_assert_eq!((row, unit, task), (plan.grid.rows(), plan.units, plan.tasks));
        }
    }

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
