//! One task: from coordinates to rows, as a pure function of (job, seed, coordinates).
//!
//! ```text
//! replicate, data setting ──▶ teacher / permutation                     sample.rs
//!   n ──▶ clean Gram matrix ──▶ clean problem per view setting           clean.rs
//!     p ──▶ AᵀN, NᵀN
//!       Γ ──▶ C̃, B̃                                                       evaluate.rs
//!         Θ, α ──▶ Σ ──▶ a problem, which waits for others of its size    waiting.rs
//!             all paradigms at every k ──▶ rows                           columns.rs
//! ```
//!
//! Whatever does not depend on an inner coordinate is computed once, outside. Problems wait until a
//! batch of them is full, and are solved in lanes; a row's values do not depend on what else is in
//! the batch. [`Simulation`] is shared and immutable; each thread owns a [`Workspace`]
//! (`workspace.rs`) and fills a [`Rows`]. Nothing allocates in a task.

mod clean;
mod columns;
mod evaluate;
pub mod explain;
mod sample;
pub(crate) mod setting;
mod waiting;
mod workspace;

pub use workspace::Workspace;

use std::sync::Arc;

use eigensweep_sampling::streams::Streams;
use eigensweep_theory::additive::{AdditiveBatch, Room, Wanted};
use eigensweep_theory::{InstructionSet, Paradigm};

use crate::input::{Input, size};
use columns::Columns;
use eigensweep_job::{JobSpec, ROW_GROUP_ROWS, Sampler};
use eigensweep_store::active::Active;
use eigensweep_store::columns::ThresholdsOf;
use eigensweep_store::plan::{Plan, parts_in_writing};
use eigensweep_store::rows::Rows;
use setting::{Counts, DataSetting, Settings};

/// Everything that the tasks of a job share.
#[derive(Debug)]
pub struct Simulation {
    input: Arc<Input>,
    plan: Plan,
    streams: Streams,
    sampler: Sampler,
    settings: Settings,
    samples: Vec<u64>,
    /// Positions of `samples` in the order that nested subsets are drawn in: from the smallest up
    /// to half of the rows, then from the largest down.
    nested: Vec<usize>,
    dimensions: Vec<usize>,
    paradigms: Vec<&'static Paradigm>,
    counts: Counts,
    /// A blank of the rows.
    blank: Rows,
    columns: Columns,
    /// Of which dimension the thresholds are.
    thresholds: ThresholdsOf,
    /// Combinations that are computed; `None` for all.
    active: Option<Arc<Active>>,
}

impl Simulation {
    /// Prepares a planned job.
    #[must_use]
    pub fn new(spec: &JobSpec, input: Arc<Input>, plan: Plan) -> Self {
        let samples: Vec<u64> = spec.grid.samples.values().iter().map(|&n| n.unsigned_abs()).collect();
        let mut nested: Vec<usize> = (0..samples.len()).collect();
        let half = match &*input {
            Input::Synthetic { .. } => u64::MAX,
            Input::Rows { sets, .. } => sets.first().map_or(0, |set| set.rows.samples() as u64 / 2),
        };
        nested.sort_by_key(|&i| {
            (samples[i] > half, if samples[i] > half { u64::MAX - samples[i] } else { samples[i] })
        });
        let settings = Settings::new(spec, &plan.grid);
        let blank = Rows::with_capacity(spec, 0);
        let counts = Counts {
            signal: input.largest_signal(),
            noise: spec.noise_components().iter().map(|&p| size(p)).max().unwrap_or(0),
            labels: input.labels(),
        };
        Self {
            streams: Streams::new(spec.job.seed),
            sampler: spec.sampler,
            settings,
            samples,
            nested,
            dimensions: spec.model.dimension.values().iter().map(|&k| size(k)).collect(),
            paradigms: spec.model.paradigms.clone(),
            counts,
            columns: Columns::new(&blank, &spec.output.metrics),
            blank,
            input,
            plan,
            thresholds: ThresholdsOf::default(),
            active: None,
        }
    }

    /// The same with thresholds of another dimension than each row's, as earlier data sets have them.
    #[must_use]
    pub fn with_thresholds_of(mut self, thresholds: ThresholdsOf) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// The same for these combinations only: the rows of others have no values, and are to be
    /// passed over.
    #[must_use]
    pub fn restricted_to(mut self, active: Arc<Active>) -> Self {
        self.active = Some(active);
        self
    }

    /// The combinations that are computed; `None` for all.
    #[must_use]
    pub fn active(&self) -> Option<&Arc<Active>> {
        self.active.as_ref()
    }

    /// Whether any of some rows of a column's unit is computed.
    fn wants(&self, column: u64, rows: std::ops::Range<u64>) -> bool {
        let paradigms = self.plan.grid.paradigms;
        self.active
            .as_ref()
            .is_none_or(|active| active.any(column, rows.start / paradigms..rows.end.div_ceil(paradigms)))
    }

    /// The plan that numbers the tasks.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The input that was loaded.
    #[must_use]
    pub fn input(&self) -> &Arc<Input> {
        &self.input
    }

    /// Names of the paradigms, in row order.
    pub fn paradigms(&self) -> impl Iterator<Item = &'static Paradigm> + '_ {
        self.paradigms.iter().copied()
    }

    /// Largest eigenvalue of the clean data at a setting, whose eigenvalues are `signal` if they
    /// are drawn.
    fn largest(&self, data: usize, signal: &[f64]) -> f64 {
        self.settings.data.get(data).map_or(0.0, |setting| setting.largest(&self.input, signal))
    }

    /// Rows of one Σ.
    fn rows_per_cell(&self) -> usize {
        self.dimensions.len() * self.paradigms.len()
    }

    /// Largest problems, and what is wanted of them, of the corrupted model.
    fn corrupted_solver(&self) -> (Room, Wanted) {
        let (signal, noise) =
            (self.smallest(), self.settings.noise.iter().map(|noise| noise.components).min());
        let room = Room {
            size: self.counts.signal + self.counts.noise,
            smallest: signal + noise.unwrap_or(0),
            noise_components: self.counts.noise,
            labels: self.counts.labels,
            dimension: self.dimensions.iter().copied().max().unwrap_or(0),
            dimensions: self.dimensions.len(),
        };
        (room, Wanted { paradigms: self.paradigms.clone(), metrics: self.columns.represented.clone() })
    }

    /// Largest problems, and what is wanted of them, of the clean model: representations as wide as
    /// the signal are least squares, and need no solver.
    fn clean_solver(&self) -> (Room, Wanted) {
        let narrow = self.dimensions.iter().any(|&k| k < self.counts.signal);
        let needed = |paradigm: &&'static Paradigm| narrow || paradigm.spectrum.is_none();
        let paradigms = self.paradigms.iter().copied().filter(needed).collect();
        let room = Room {
            size: self.counts.signal,
            smallest: self.smallest(),
            noise_components: 0,
            labels: self.counts.labels,
            dimension: self.dimensions.iter().copied().max().unwrap_or(0).min(self.counts.signal),
            dimensions: self.dimensions.len(),
        };
        (room, Wanted { paradigms, metrics: Vec::new() })
    }

    /// Fewest signal components of a data setting.
    fn smallest(&self) -> usize {
        let features = self.settings.data.iter().map(|setting| match (setting, &*self.input) {
            (DataSetting::Gaussian { components, .. }, _) => *components,
            (DataSetting::Rows(index), Input::Rows { sets, .. }) => sets[*index].rows.features(),
            (DataSetting::Rows(_), Input::Synthetic { .. }) => self.counts.signal,
        });
        features.min().unwrap_or(self.counts.signal)
    }

    /// Bytes that a run needs, about: the larger of what loading took and of the input, a workspace
    /// and three batches a thread, and one part.
    #[must_use]
    pub fn memory_bytes(&self, threads: usize) -> u64 {
        let size = (self.counts.signal + self.counts.noise) as u64;
        let width = (self.counts.signal + self.counts.labels) as u64;
        // Sampler and probe: matrices of the size of a sample's, counted in their constructors.
        let solvers = [self.corrupted_solver(), self.clean_solver()]
            .map(|(room, wanted)| AdditiveBatch::bytes(InstructionSet::detect(), room, &wanted));
        let workspace = solvers.iter().sum::<u64>() + 8 * (2 * size * size + 9 * width * width);
        let row = self.blank.metrics().len() as u64 * 8 + 1;
        let rows = 3 * self.plan.rows_per_task();
        let part = self.plan.part_rows(0).end;
        let group = part.min(ROW_GROUP_ROWS);
        let (input, loading) = match &*self.input {
            Input::Synthetic { .. } => (0, 0),
            Input::Rows { sets, loading_bytes, .. } => {
                (sets.iter().map(|set| 8 * set.rows.rows().len() as u64).sum(), *loading_bytes)
            }
        };
        // The program itself; a part as collected; a row group as arrays and encoded.
        const PROGRAM: u64 = 24 << 20;
        // Of a full row group, each column's compressor and dictionary take about so much.
        const COLUMN: u64 = 4 << 20;
        let columns = (self.plan.grid.axes.len() + self.blank.metrics().len() + 3) as u64;
        let encoder = group * 2 * (row + 8 * 12) + columns * COLUMN * group / ROW_GROUP_ROWS;
        let writing = parts_in_writing(threads) as u64;
        let parts = (1 + writing) * part * row + writing * encoder;
        let running = input + threads as u64 * (workspace + rows * row) + parts;
        PROGRAM + running.max(loading)
    }

    /// No rows, with the columns that this simulation's have.
    #[must_use]
    pub fn no_rows(&self) -> Rows {
        self.blank.clone()
    }

    /// An empty batch for one task.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
    pub fn new_batch(&self) -> Rows {
        let mut rows = self.blank.clone();
        rows.restart(self.plan.rows_per_task() as usize);
        rows
    }

    /// Computes a task into `batch`; earlier contents of both are irrelevant.
    ///
    /// # Panics
    ///
    /// If there is no such task, or the workspace or batch is another simulation's.
    #[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
    pub fn run_task(&self, task: u64, workspace: &mut Workspace, batch: &mut Rows) {
        assert!(task < self.plan.tasks, "a task of this plan");
        let rows = self.plan.task_rows(task);
        batch.restart((rows.end - rows.start) as usize);
        workspace.begin_task();
        let per_unit = self.plan.grid.rows_per_unit;
        for unit in self.plan.task_units(task) {
            self.run_unit(unit, (unit * per_unit - rows.start) as usize, workspace, batch);
        }
        evaluate::finish(self, workspace, batch);
    }

    /// Draws the samples of a unit, whose rows begin at `start`, and hands their problems over.
    #[expect(clippy::cast_possible_truncation, reason = "digits of the grid, each below the length of a Vec")]
    fn run_unit(&self, unit: u64, start: usize, workspace: &mut Workspace, batch: &mut Rows) {
        let grid = &self.plan.grid;
        let row = unit * grid.rows_per_unit;
        let replicate = grid.replicate(row);
        let data = (row / grid.rows_per_setting) as usize;
        let nested = matches!(*self.input, Input::Rows { .. });
        let first = grid.axis("samples").filter(|_| !nested).map_or(0, |axis| axis.index(row));
        let rows_per_sample = grid.rows_per_sample as usize;
        let column = grid.column(row);
        if !self.wants(column, 0..grid.rows_per_unit) {
            return;
        }
        sample::begin(self, workspace, replicate, data);
        for position in 0..self.plan.samples_per_unit as usize {
            let index = if nested { self.nested[position] } else { first };
            let within = (index - first) * rows_per_sample;
            if !self.wants(column, within as u64..(within + rows_per_sample) as u64) {
                continue;
            }
            let start = start + within;
            let samples = self.samples[index];
            match sample::clean(self, workspace, replicate, samples) {
                Ok(()) => {
                    let place = evaluate::Place { column, within: within as u64, start };
                    evaluate::sample(self, workspace, replicate, samples, batch, place);
                }
                Err(failure) => batch.fail(start..start + rows_per_sample, failure.into()),
            }
        }
    }
}
