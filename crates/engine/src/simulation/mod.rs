//! One task: from coordinates to rows, as a pure function of (job, seed, coordinates).
//!
//! ```text
//! replicate, data setting ──▶ teacher / permutation                     sample.rs
//!   n ──▶ clean Gram matrix ──▶ clean losses per view setting            evaluate.rs
//!     p ──▶ AᵀN, NᵀN
//!       Γ ──▶ C̃, B̃
//!         Θ, α ──▶ Σ ──▶ supervised, joint-embedding, reconstruction at every k
//! ```
//!
//! Whatever does not depend on an inner coordinate is computed once, outside. [`Simulation`] is shared and immutable;
//! each thread owns a [`Workspace`] (`workspace.rs`) and fills a [`Batch`]. Nothing allocates in a task.

mod batch;
mod evaluate;
mod sample;
pub(crate) mod setting;
mod workspace;

pub use batch::Batch;
pub use workspace::Workspace;

use eigensweep_sampling::streams::Streams;
use eigensweep_theory::Paradigm;

use crate::input::{Input, size};
use crate::job::{JobSpec, Metric, Sampler};
use crate::plan::Plan;
use setting::{Counts, Settings};

/// Everything that the tasks of a job share.
#[derive(Debug)]
pub struct Simulation {
    input: Input,
    plan: Plan,
    streams: Streams,
    sampler: Sampler,
    settings: Settings,
    samples: Vec<u64>,
    /// Positions of `samples` in ascending order: nested subsets grow.
    ascending: Vec<usize>,
    alignments: Vec<f64>,
    dimensions: Vec<usize>,
    paradigms: Vec<Paradigm>,
    leakage: bool,
    gap: bool,
    distance: bool,
    counts: Counts,
}

impl Simulation {
    /// Prepares a planned job.
    #[must_use]
    pub fn new(spec: &JobSpec, input: Input, plan: Plan) -> Self {
        let samples: Vec<u64> = spec.grid.samples.values().iter().map(|&n| n.unsigned_abs()).collect();
        let mut ascending: Vec<usize> = (0..samples.len()).collect();
        ascending.sort_by_key(|&i| samples[i]);
        let settings = Settings::new(spec);
        let counts = Counts {
            signal: input.largest_signal(),
            noise: spec.corruption.components.values().iter().map(|&p| size(p)).max().unwrap_or(0),
            labels: input.labels(),
        };
        Self {
            streams: Streams::new(spec.job.seed),
            sampler: spec.sampler,
            settings,
            samples,
            ascending,
            alignments: spec.augmentation.alignment.values().to_vec(),
            dimensions: spec.model.dimension.values().iter().map(|&k| size(k)).collect(),
            paradigms: spec.model.paradigms.clone(),
            leakage: spec.output.metrics.contains(&Metric::Leakage),
            gap: spec.output.metrics.contains(&Metric::Gap),
            distance: spec.output.metrics.contains(&Metric::Distance),
            counts,
            input,
            plan,
        }
    }

    /// The plan that numbers the tasks.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The input that was loaded.
    #[must_use]
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Names of the paradigms, in row order.
    pub fn paradigms(&self) -> impl Iterator<Item = Paradigm> + '_ {
        self.paradigms.iter().copied()
    }

    /// Whether distance and losses were asked for.
    #[must_use]
    pub fn wants_distance(&self) -> bool {
        self.distance
    }

    /// Bytes that a row takes on disk, about: 8 per random double. Axes, strings and thresholds repeat and cost next to
    /// nothing, and so does the clean loss, which paradigms and alignments share.
    #[must_use]
    pub fn bytes_per_row(&self) -> f64 {
        const SHARED: f64 = 1.5;
        let distance = if self.distance { 8.0 + 8.0 + SHARED } else { 0.0 };
        let others = self.paradigms.iter().filter(|&&paradigm| paradigm != Paradigm::Supervised).count();
        let share = others as f64 / self.paradigms.len() as f64;
        distance + 8.0 * share * f64::from(u8::from(self.leakage) + u8::from(self.gap))
    }

    /// Bytes that a run needs, about: the larger of what loading took and of the input, a workspace and three batches a thread, and
    /// one part.
    #[must_use]
    pub fn memory_bytes(&self, threads: usize) -> u64 {
        let size = (self.counts.signal + self.counts.noise) as u64;
        let width = (self.counts.signal + self.counts.labels) as u64;
        // Solver, general path, probe and leakage: d × d matrices, counted in their constructors, and faer's scratch.
        const SQUARES: u64 = 24;
        let workspace = 8 * (SQUARES * size * size + 9 * width * width);
        let row = 5 * 8 + 1;
        let rows = 3 * self.plan.rows_per_task;
        let part = (self.plan.tasks_per_part * self.plan.rows_per_task).min(self.plan.grid.rows());
        let (input, loading) = match &self.input {
            Input::Synthetic { .. } => (0, 0),
            Input::Rows { sets, loading_bytes, .. } => {
                (sets.iter().map(|set| 8 * set.rows.rows().len() as u64).sum(), *loading_bytes)
            }
        };
        // The program itself, and a part thrice: collected, as arrays, encoded.
        const PROGRAM: u64 = 24 << 20;
        let running = input + threads as u64 * (workspace + rows * row) + part * 3 * (row + 8 * 12);
        PROGRAM + running.max(loading)
    }

    /// An empty batch for one task.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
    pub fn new_batch(&self) -> Batch {
        Batch::new(self.plan.rows_per_task as usize)
    }

    /// Computes a task into `batch`; earlier contents of both are irrelevant.
    ///
    /// # Panics
    ///
    /// If there is no such task, or the workspace or batch is another simulation's.
    #[expect(clippy::cast_possible_truncation, reason = "digits of the grid, each below the length of a Vec")]
    pub fn run_task(&self, task: u64, workspace: &mut Workspace, batch: &mut Batch) {
        assert!(task < self.plan.tasks, "a task of this plan");
        batch.clear();
        let row = task * self.plan.rows_per_task;
        let replicate = self.plan.grid.replicate(row);
        let within = row % self.plan.grid.rows_per_replicate;
        let data = (within / self.plan.grid.rows_per_setting) as usize;
        let first = (within % self.plan.grid.rows_per_setting / self.plan.grid.rows_per_sample) as usize;
        let chained = self.plan.samples_per_task > 1 || matches!(self.input, Input::Rows { .. });
        sample::begin(self, workspace, replicate, data);
        for position in 0..self.plan.samples_per_task as usize {
            let index = if chained { self.ascending[position] } else { first };
            let start = (index - first) * self.plan.grid.rows_per_sample as usize;
            let end = start + self.plan.grid.rows_per_sample as usize;
            let samples = self.samples[index];
            match sample::clean(self, workspace, replicate, samples) {
                Ok(()) => evaluate::sample(self, workspace, replicate, samples, batch, start),
                Err(failure) => batch.fail(start..end, failure.into()),
            }
        }
    }
}
