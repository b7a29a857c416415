//! What a thread owns: every buffer that a task needs, sized for the largest setting of the grid.

use eigensweep_sampling::explicit::{BLOCK_ROWS, ExplicitNoise};
use eigensweep_sampling::gaussian::GaussianSource;
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_sampling::subset::NestedGram;
use eigensweep_theory::Representation;
use eigensweep_theory::additive::AdditiveSolver;
use eigensweep_theory::probing::Probe;
use faer::Mat;

use super::Simulation;
use super::setting::DataSetting;
use crate::columns::Status;
use crate::input::{Input, teacher};

/// Buffers of one thread.
#[derive(Debug)]
pub struct Workspace {
    /// κ² of the current replicate and data setting.
    pub(super) signal: Vec<f64>,
    pub(super) gamma: Vec<f64>,
    pub(super) noise_scale: Vec<f64>,
    pub(super) theta: Vec<f64>,
    pub(super) sigma: Vec<f64>,
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
    /// C̃ and B̃.
    pub(super) inputs: Mat<f64>,
    pub(super) input_labels: Mat<f64>,
    pub(super) solver: AdditiveSolver,
    pub(super) probe: Probe,
    pub(super) representations: Vec<Representation>,
    pub(super) clean_dimensions: Vec<usize>,
    /// Clean losses: view setting × dimension × paradigm.
    pub(super) clean_losses: Vec<Result<f64, Status>>,
}

impl Workspace {
    /// Buffers for the tasks of `simulation`.
    #[must_use]
    pub fn new(simulation: &Simulation) -> Self {
        let counts = simulation.counts;
        let size = counts.signal + counts.noise;
        let width = counts.signal + counts.labels;
        let most = simulation.samples.iter().copied().max().unwrap_or(0);
        let (order, pool, nested) = match &simulation.input {
            Input::Synthetic { .. } => (Vec::new(), Vec::new(), Vec::new()),
            Input::Rows { sets, .. } => {
                let total = sets.first().map_or(0, |set| set.rows.samples());
                let longest = usize::try_from(most).unwrap_or(total).min(total);
                let nested = sets.iter().map(|set| NestedGram::new(set.rows.width())).collect();
                (vec![0; longest], vec![0; total], nested)
            }
        };
        let gaussian = match simulation.settings.data.first() {
            Some(DataSetting::Gaussian { teacher: spec, teacher_index, .. }) => {
                Some(GaussianSource::new(counts.signal, teacher(spec, *teacher_index, counts.labels)))
            }
            _ => None,
        };
        let dimensions = simulation.dimensions.len();
        let blank = Representation { loss: f64::NAN, leakage: None, gap: None };
        Self {
            signal: vec![0.0; counts.signal],
            gamma: vec![0.0; counts.noise],
            noise_scale: vec![0.0; counts.noise],
            theta: vec![0.0; size],
            sigma: vec![0.0; size],
            data: usize::MAX,
            features: 0,
            gaussian,
            order,
            pool,
            nested,
            block: Mat::zeros(width, BLOCK_ROWS),
            moments: MomentSampler::new(width, counts.noise),
            explicit: ExplicitNoise::new(counts.noise),
            clean: Mat::zeros(width, width),
            cross: Mat::zeros(width, counts.noise),
            noise: Mat::zeros(counts.noise, counts.noise),
            inputs: Mat::zeros(size, size),
            input_labels: Mat::zeros(size, counts.labels),
            solver: AdditiveSolver::new(size, counts.noise, counts.labels),
            probe: Probe::new(counts.signal, counts.labels),
            representations: vec![blank; dimensions],
            clean_dimensions: Vec::with_capacity(dimensions),
            clean_losses: vec![
                Err(Status::NotFinite);
                simulation.settings.views.len() * dimensions * simulation.paradigms.len()
            ],
        }
    }
}
