//! What a thread owns: every buffer that a task needs, sized for the largest setting of the grid.

use eigensweep_sampling::explicit::{BLOCK_ROWS, ExplicitNoise};
use eigensweep_sampling::gaussian::GaussianSource;
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_sampling::subset::NestedGram;
use eigensweep_theory::additive::AdditiveBatch;
use eigensweep_theory::thresholds::Thresholds;
use eigensweep_theory::{InstructionSet, MemBuffer};
use faer::Mat;
use std::sync::Arc;

use super::Spectral;
use super::clean::CleanLosses;
use super::setting::DataSetting;
use super::waiting::WaitingRoom;
use crate::input::{Input, RowSet, teacher};

/// Buffers of one thread.
pub(crate) struct Workspace {
    /// κ² of the current replicate and data setting.
    pub(super) signal: Vec<f64>,
    pub(super) gamma: Vec<f64>,
    pub(super) noise_scale: Vec<f64>,
    pub(super) theta: Vec<f64>,
    pub(super) sigma: Vec<f64>,
    /// Of the current spectra, at each dimension; empty where there are none.
    pub(super) thresholds: Vec<Thresholds>,
    /// Index of the data setting that the buffers hold.
    pub(super) data: usize,
    pub(super) features: usize,
    pub(super) gaussian: Option<GaussianSource>,
    pub(super) order: Vec<u32>,
    pub(super) pool: Vec<u32>,
    /// One per row set: the sets differ in width.
    pub(super) nested: Vec<NestedGram>,
    pub(super) block: Mat<f64>,
    pub(super) moments: MomentSampler,
    pub(super) explicit: ExplicitNoise,
    /// AᵀA, AᵀN, NᵀN.
    pub(super) clean: Mat<f64>,
    pub(super) cross: Mat<f64>,
    pub(super) noise: Mat<f64>,
    /// Of whatever draws or probes one sample.
    pub(super) memory: MemBuffer,
    pub(super) instruction_set: InstructionSet,
    /// Corrupted problems, each with where its rows begin.
    pub(super) corrupted: WaitingRoom<usize>,
    pub(super) clean_losses: CleanLosses,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Workspace {{ {:?}, {:?} }}", self.corrupted, self.clean_losses)
    }
}

impl Workspace {
    /// Buffers for the tasks of `simulation`, for kernels on an instruction set.
    pub(crate) fn on(instruction_set: InstructionSet, simulation: &Spectral) -> Self {
        let counts = simulation.counts;
        let size = counts.signal + counts.noise;
        let width = counts.signal + counts.labels;
        let most = simulation.frame.samples.iter().copied().max().unwrap_or(0);
        let (order, pool, nested) = match &*simulation.frame.input {
            Input::Synthetic { .. } | Input::Samples(_) => (Vec::new(), Vec::new(), Vec::new()),
            Input::Rows { sets, .. } => {
                let total = sets.first().map_or(0, |set| set.rows.samples());
                let longest = NestedGram::needs(usize::try_from(most).unwrap_or(total).min(total), total);
                let nested = |set: &Arc<RowSet>| {
                    let classes = if set.rows.classes().is_empty() { 0 } else { set.rows.labels() };
                    NestedGram::new(instruction_set, set.rows.width(), classes)
                };
                let nested = sets.iter().map(nested).collect();
                (vec![0; longest], vec![0; total], nested)
            }
        };
        let gaussian = match simulation.settings.data.first() {
            Some(DataSetting::Gaussian { teacher: spec, teacher_index, .. }) => Some(
                GaussianSource::new(
                    instruction_set,
                    counts.signal,
                    teacher(spec, *teacher_index, counts.labels),
                )
                .with_signal(simulation.signal),
            ),
            _ => None,
        };
        let (clean_room, clean_wanted) = simulation.clean_solver();
        let paradigms = clean_wanted.paradigms.clone();
        let solvers = [simulation.corrupted_solver(), (clean_room, clean_wanted)];
        let [corrupted, clean] = AdditiveBatch::sharing(None, instruction_set, solvers);
        #[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
        let samples =
            (simulation.frame.plan.units_per_task * simulation.frame.plan.samples_per_unit) as usize;
        Self {
            signal: vec![0.0; counts.signal],
            gamma: vec![0.0; counts.noise],
            noise_scale: vec![0.0; counts.noise],
            theta: vec![0.0; size],
            sigma: vec![0.0; size],
            thresholds: Vec::with_capacity(simulation.frame.dimensions.len()),
            data: usize::MAX,
            features: 0,
            gaussian,
            order,
            pool,
            nested,
            block: Mat::zeros(width, BLOCK_ROWS),
            moments: MomentSampler::new(instruction_set, width),
            explicit: ExplicitNoise::new(instruction_set, counts.noise),
            clean: Mat::zeros(width, width),
            cross: Mat::zeros(width, counts.noise),
            noise: Mat::zeros(counts.noise, counts.noise),
            memory: MemBuffer::new(simulation.scratch()),
            instruction_set,
            corrupted: WaitingRoom::new(corrupted, counts.signal, counts.noise),
            clean_losses: CleanLosses::new(simulation, clean, paradigms, samples),
        }
    }

    /// Forgets what waits.
    pub(super) fn begin_task(&mut self) {
        self.corrupted.clear();
        self.clean_losses.clear();
    }
}
