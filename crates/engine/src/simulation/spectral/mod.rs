//! Jobs of Section 4.1: noise in components of its own, additive views of a diagonal covariance.
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
//! the batch. Nothing allocates in a task.

mod clean;
mod evaluate;
mod explain;
mod kept;
mod sample;
pub(crate) mod setting;
mod waiting;
mod workspace;

pub(super) use explain::explain;
pub(super) use kept::Kept;
pub(super) use workspace::Workspace;

use eigensweep_theory::additive::{AdditiveBatch, Room, Wanted};
use eigensweep_theory::probing::least_squares_scratch;
use eigensweep_theory::{InstructionSet, Paradigm, StackReq};

use super::Frame;
use crate::input::{Input, size};
use eigensweep_job::{self as job, DataSpec, GaussianSpec, JobSpec, Sampler};
use eigensweep_sampling::explicit::BLOCK_ROWS;
use eigensweep_sampling::gaussian::{GaussianSource, Signal};
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_store::columns::ThresholdsOf;
use eigensweep_store::rows::Rows;
use setting::{Counts, DataSetting, Settings};

/// Everything that the tasks of a job share.
#[derive(Debug)]
pub(crate) struct Spectral {
    pub(super) frame: Frame,
    sampler: Sampler,
    signal: Signal,
    settings: Settings,
    /// Positions of the sample sizes in the order that nested subsets are drawn in: from the
    /// smallest up to half of the rows, then from the largest down.
    nested: Vec<usize>,
    counts: Counts,
    /// Of which dimension the thresholds are.
    pub(super) thresholds: ThresholdsOf,
}

impl Spectral {
    /// Prepares a job.
    pub(super) fn new(spec: &JobSpec, frame: Frame) -> Self {
        let samples = &frame.samples;
        let mut nested: Vec<usize> = (0..samples.len()).collect();
        let half = match &*frame.input {
            Input::Synthetic { .. } | Input::Samples(_) => u64::MAX,
            Input::Rows { sets, .. } => sets.first().map_or(0, |set| set.rows.samples() as u64 / 2),
        };
        nested.sort_by_key(|&i| {
            (samples[i] > half, if samples[i] > half { u64::MAX - samples[i] } else { samples[i] })
        });
        let counts = Counts {
            signal: frame.input.largest_signal(),
            noise: spec.noise_components().iter().map(|&p| size(p)).max().unwrap_or(0),
            labels: frame.input.labels(),
        };
        Self {
            sampler: spec.sampler,
            signal: match &spec.data {
                DataSpec::Gaussian(GaussianSpec { signal: job::Signal::Fixed, .. }) => Signal::Fixed,
                DataSpec::Gaussian(_) | DataSpec::Rows(_) => Signal::Random,
            },
            settings: Settings::new(spec, &frame.plan.grid),
            nested,
            counts,
            thresholds: ThresholdsOf::default(),
            frame,
        }
    }

    /// Gives the views of all cells an alignment.
    pub(super) fn set_alignment(&mut self, alpha: f64) {
        let parameters = self.settings.kind.parameters;
        for (_, values) in self.settings.views.iter_mut().flat_map(|views| &mut views.cells) {
            let named = parameters.iter().zip(values).filter(|(one, _)| one.key == "alignment");
            named.for_each(|(_, value)| *value = alpha);
        }
    }

    /// Largest eigenvalue of the clean data at a setting, whose eigenvalues are `signal` if they
    /// are drawn.
    fn largest(&self, data: usize, signal: &[f64]) -> f64 {
        self.settings.data.get(data).map_or(0.0, |setting| setting.largest(&self.frame.input, signal))
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
            dimension: self.frame.dimensions.iter().copied().max().unwrap_or(0),
            dimensions: self.frame.dimensions.len(),
        };
        (
            room,
            Wanted {
                paradigms: self.frame.paradigms.clone(),
                metrics: self.frame.columns.represented.clone(),
            },
        )
    }

    /// Largest problems, and what is wanted of them, of the clean model: representations as wide as
    /// the signal are least squares, and need no solver.
    fn clean_solver(&self) -> (Room, Wanted) {
        let narrow = self.frame.dimensions.iter().any(|&k| k < self.counts.signal);
        let needed = |paradigm: &&'static Paradigm| narrow || paradigm.spectrum.is_none();
        let paradigms = self.frame.paradigms.iter().copied().filter(needed).collect();
        let room = Room {
            size: self.counts.signal,
            smallest: self.smallest(),
            noise_components: 0,
            labels: self.counts.labels,
            dimension: self.frame.dimensions.iter().copied().max().unwrap_or(0).min(self.counts.signal),
            dimensions: self.frame.dimensions.len(),
        };
        (room, Wanted { paradigms, metrics: Vec::new() })
    }

    /// Fewest signal components of a data setting.
    fn smallest(&self) -> usize {
        let features = self.settings.data.iter().map(|setting| match (setting, &*self.frame.input) {
            (DataSetting::Gaussian { components, .. }, _) => *components,
            (DataSetting::Rows(index), Input::Rows { sets, .. }) => sets[*index].rows.features(),
            (DataSetting::Rows(_), Input::Synthetic { .. } | Input::Samples(_)) => self.counts.signal,
        });
        features.min().unwrap_or(self.counts.signal)
    }

    /// Scratch of whatever draws or probes one sample.
    fn scratch(&self) -> StackReq {
        let Counts { signal, noise, labels } = self.counts;
        let synthetic = matches!(*self.frame.input, Input::Synthetic { .. });
        StackReq::any_of(&[
            MomentSampler::scratch(signal + labels, noise),
            if synthetic { GaussianSource::draw_gram_scratch(signal + labels) } else { StackReq::EMPTY },
            least_squares_scratch(signal, labels),
        ])
    }

    /// Bytes of a workspace, about.
    pub(super) fn workspace_bytes(&self) -> u64 {
        let Counts { signal, noise, labels } = self.counts;
        let width = signal + labels;
        // How labels are mixed, or moments of parts of the rows; clean moments and their factor.
        let source = match &*self.frame.input {
            Input::Synthetic { .. } | Input::Samples(_) => width * width,
            Input::Rows { sets, .. } => sets.iter().map(|set| 3 * set.rows.width().pow(2)).sum(),
        };
        let clean = source + 2 * width * width;
        let noise = noise * (width + noise + BLOCK_ROWS);
        let solvers = [self.corrupted_solver(), self.clean_solver()];
        AdditiveBatch::bytes(InstructionSet::detect(), &solvers)
            + (8 * (clean + noise) + self.scratch().unaligned_bytes_required()) as u64
    }

    /// Computes units, each of which has its rows from a place of the batch on.
    pub(super) fn run_units(
        &self,
        units: impl Iterator<Item = (u64, usize)>,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        workspace.begin_task();
        units.for_each(|(unit, start)| self.run_unit(unit, start, workspace, batch));
        evaluate::finish(self, workspace, batch);
    }

    /// Draws the samples of a unit, whose rows begin at `start`, and hands their problems over.
    #[expect(clippy::cast_possible_truncation, reason = "digits of the grid, each below the length of a Vec")]
    fn run_unit(&self, unit: u64, start: usize, workspace: &mut Workspace, batch: &mut Rows) {
        let grid = &self.frame.plan.grid;
        let row = unit * grid.rows_per_unit;
        let replicate = grid.replicate(row);
        let data = (row / grid.rows_per_setting) as usize;
        let nested = matches!(*self.frame.input, Input::Rows { .. });
        let first = grid.axis("samples").filter(|_| !nested).map_or(0, |axis| axis.index(row));
        let rows_per_sample = grid.rows_per_sample as usize;
        let column = grid.column(row);
        if !self.frame.wants(column, 0..grid.rows_per_unit) {
            return;
        }
        sample::begin(self, workspace, replicate, data);
        for position in 0..self.frame.plan.samples_per_unit as usize {
            let index = if nested { self.nested[position] } else { first };
            let within = (index - first) * rows_per_sample;
            if !self.frame.wants(column, within as u64..(within + rows_per_sample) as u64) {
                continue;
            }
            let start = start + within;
            let samples = self.frame.samples[index];
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
