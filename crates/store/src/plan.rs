//! Tasks and parts: what is computed together and what is written together.
//!
//! A **task** is what a thread takes: consecutive units (see [`grid`](crate::grid)), so many that
//! their problems fill the lanes of the kernels. A **part** is the unit of writing and of resuming,
//! one file: whole columns, or an equal share of one.
//!
//! All are functions of the job alone, so that interrupted, resumed, sharded and differently
//! threaded runs write the same files.

use std::ops::Range;

use crate::StoreError;
use crate::cost::Cost;
use crate::grid::Grid;
use eigensweep_job::{Detail, JobSpec};
use serde::{Deserialize, Serialize};

/// What a plan must know of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extents {
    /// Features k₀ where the job does not say how many (raw features of files).
    pub signal: usize,
    /// Number ℓ of labels.
    pub labels: usize,
}

impl Extents {
    /// The extents of a job that asks for some of the cells of this one's job.
    #[must_use]
    pub fn of_part(self, spec: &JobSpec) -> Self {
        let components = spec.data.components().and_then(|axis| axis.values().iter().copied().max());
        let signal = components.map_or(self.signal, |most| usize::try_from(most).unwrap_or(usize::MAX));
        Self { signal, ..self }
    }
}

/// Estimated flops after which a part is closed before it is full: some ten seconds on one core,
/// the most work that a kill costs a thread.
pub const PART_FLOPS: f64 = 1e11;

/// Most blocks of a part with `detail = "summary"`, unless a single column has more: their sketches
/// are in memory, some kilobytes each.
pub const PART_BLOCKS: u64 = 8192;

/// Parts that a job is divided into before they are made larger: work for many shards.
pub const LEAST_PARTS: u64 = 64;

/// Estimated flops of a part below which a job is not divided further: about a second on one core.
pub const LEAST_PART_FLOPS: f64 = 1.5e10;

/// Most rows of one task: the batches in flight stay below 1 GiB for two threads.
pub const TASK_ROWS: u64 = 1 << 21;

/// Problems (one Σ each) of a batch of the widest lanes: units are put together until little of
/// their last batch is empty.
pub const BATCH_PROBLEMS: u64 = 32;

/// Most problems that units are put together for.
pub const TASK_PROBLEMS: u64 = 16 * BATCH_PROBLEMS;

/// Tasks that a job is divided into before units are put together: work for many threads.
pub const LEAST_TASKS: u64 = 16;

/// Estimated flops from which on a task takes no further unit: some tenths of a second on one core.
pub const TASK_FLOPS: f64 = 5e9;

/// Parts that are in writing at most while the next is collected: writing a row takes about a tenth
/// of the time of computing the cheapest, so one for eight threads keeps them all busy.
#[must_use]
pub fn parts_in_writing(threads: usize) -> usize {
    threads.div_ceil(8)
}

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
    /// Units of one part (the last, or the last of a column, may have fewer): whole columns, or an
    /// equal share of one.
    pub units_per_part: u64,
    /// Parts of one column; 1 where a part has whole columns.
    pub parts_per_column: u64,
    /// Number of tasks.
    pub tasks: u64,
    /// Number of parts.
    pub parts: u64,
    /// Whether this is a round of adaptive replicates.
    pub adaptive: bool,
    /// What the columns cost.
    pub cost: Cost,
}

impl Plan {
    /// Plans a job whose input has these extents.
    ///
    /// # Errors
    ///
    /// [`StoreError::TaskTooLarge`] if one unit has more than [`TASK_ROWS`] rows.
    pub fn new(spec: &JobSpec, extents: Extents) -> Result<Self, StoreError> {
        let grid = Grid::new(spec);
        let rows_per_unit = grid.rows_per_unit;
        if rows_per_unit > TASK_ROWS {
            return Err(StoreError::TaskTooLarge { rows: rows_per_unit, limit: TASK_ROWS });
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
        // A boundary's cell solves many problems, and is a task by itself.
        let most_units = if spec.boundary.is_some() { 1 } else { most_units };
        let units_per_task = fullest(most_units, rows_per_unit.div_ceil(rows_per_problem));
        let by_size = match spec.output.detail {
            Detail::Rows => spec.output.part_rows / rows_per_unit,
            Detail::Summary => (PART_BLOCKS / rows_per_unit).max(1).saturating_mul(grid.replicates),
        };
        // Of adaptive replicates, each round has the same columns in a part.
        let rounds = spec.job.adaptive.map_or_else(Vec::new, |adaptive| adaptive.rounds());
        let longest = rounds.iter().map(|round| u64::from(round.end - round.start)).max();
        let longest = longest.unwrap_or(grid.replicates);
        let (columns, replicates) = (grid.columns(), grid.replicates);
        let most_units = by_size
            .min(within(PART_FLOPS))
            .min((columns * longest).div_ceil(LEAST_PARTS).max(within(LEAST_PART_FLOPS)))
            .max(1);
        let columns_per_part = (most_units / longest).clamp(1, columns);
        let units_per_part = if columns_per_part > 1 {
            columns_per_part * replicates
        } else {
            // Equal shares, of whole tasks where they have several.
            let share = replicates.div_ceil(replicates.div_ceil(most_units));
            let whole_tasks = share.next_multiple_of(units_per_task).min(replicates);
            if share <= units_per_task {
                share
            } else if whole_tasks <= most_units {
                whole_tasks
            } else {
                most_units - most_units % units_per_task
            }
        };
        let parts_per_column = replicates.div_ceil(units_per_part);
        let parts = match columns_per_part {
            1 => columns * parts_per_column,
            _ => columns.div_ceil(columns_per_part),
        };
        let mut plan = Self {
            samples_per_unit: rows_per_unit / grid.rows_per_sample,
            grid,
            units,
            units_per_task: units_per_task.min(units_per_part),
            units_per_part,
            parts_per_column,
            tasks: 0,
            parts,
            adaptive: spec.job.adaptive.is_some(),
            cost,
        };
        plan.tasks = plan.part_tasks(parts - 1).end;
        Ok(plan)
    }

    /// Tasks of a full part.
    fn tasks_per_part(&self) -> u64 {
        self.units_per_part.div_ceil(self.units_per_task)
    }

    /// Tasks of a column that has several parts.
    fn tasks_per_column(&self) -> u64 {
        let last = self.grid.replicates - (self.parts_per_column - 1) * self.units_per_part;
        (self.parts_per_column - 1) * self.tasks_per_part() + last.div_ceil(self.units_per_task)
    }

    /// Units of a task.
    #[must_use]
    pub fn task_units(&self, task: u64) -> Range<u64> {
        let part = if self.parts_per_column > 1 {
            let (column, within) = (task / self.tasks_per_column(), task % self.tasks_per_column());
            column * self.parts_per_column + within / self.tasks_per_part()
        } else {
            task / self.tasks_per_part()
        };
        let units = self.part_units(part);
        let start = units.start + (task - self.part_tasks(part).start) * self.units_per_task;
        start..(start + self.units_per_task).min(units.end)
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
        let (column, within) = (part / self.parts_per_column, part % self.parts_per_column);
        let before = if self.parts_per_column > 1 { column * self.tasks_per_column() } else { 0 };
        let within = if self.parts_per_column > 1 { within } else { part };
        let start = before + within * self.tasks_per_part();
        let units = self.part_units(part);
        start..start + (units.end - units.start).div_ceil(self.units_per_task)
    }

    /// Units of a part.
    #[must_use]
    pub fn part_units(&self, part: u64) -> Range<u64> {
        if self.parts_per_column == 1 {
            let start = part * self.units_per_part;
            return start..(start + self.units_per_part).min(self.units);
        }
        let (column, within) = (part / self.parts_per_column, part % self.parts_per_column);
        let first = column * self.grid.replicates;
        let start = first + within * self.units_per_part;
        start..(start + self.units_per_part).min(first + self.grid.replicates)
    }

    /// Columns that a part has rows of.
    #[must_use]
    pub fn part_columns(&self, part: u64) -> Range<u64> {
        let units = self.part_units(part);
        units.start / self.grid.replicates..units.end.div_ceil(self.grid.replicates)
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

/// The number of units, up to `most`, that leaves the smallest share of its batches empty; the
/// least of equally good ones.
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

    use super::{BATCH_PROBLEMS, Extents, Plan, fullest};
    use eigensweep_job as job;

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

    /// Every unit is in one task of one part, in order.
    #[test]
    fn parts_and_tasks_are_the_units_once() {
        for (replicates, samples, part_rows) in [
            (1, 1, 1000),
            (7, 3, 10),
            (7, 3, 36),
            (40, 10, 1),
            (1000, 2, 700),
            (100, 5, 983_040),
            (3, 200, 20),
        ] {
            let text = format!(
                "[job]\nreplicates = {replicates}\n[grid]\nsamples = {{ from = 10, to = {}, step = 10 }}\n[output]\npart_rows = \
                 {part_rows}",
                10 * samples
            );
            let text =
                if samples == 1 { text.replace("{ from = 10, to = 10, step = 10 }", "10") } else { text };
            let spec = job::parse("test.toml", &text, &[], Path::new("")).unwrap().spec;
            let plan = Plan::new(&spec, Extents { signal: 50, labels: 10 }).unwrap();
            let (mut unit, mut task) = (0, 0);
            for part in 0..plan.parts {
                assert_eq!(plan.part_units(part).start, unit, "{text}: part {part}");
                assert_eq!(plan.part_tasks(part).start, task);
                for t in plan.part_tasks(part) {
                    let units = plan.task_units(t);
                    assert!(units.start == unit && !units.is_empty(), "{text}: task {t}");
                    unit = units.end;
                    task += 1;
                }
                assert_eq!(plan.part_units(part).end, unit);
                let columns = plan.part_columns(part);
                assert!(
                    columns.end - columns.start == 1 || plan.part_units(part).end.is_multiple_of(replicates)
                );
            }
            assert_eq!((unit, task), (plan.units, plan.tasks), "{text}");
        }
    }
}
