//! All problems of one sample: Γ, Θ, α; and the rows once they are solved.
//!
//! Protocol (Appendix C of the paper): the clean model is trained on clean inputs under views with Θ on the signal
//! components (α does not matter there: Γ is zero), the corrupted model on corrupted inputs under Σ = Θ + α²Γ; each is probed on its
//! own training inputs.

use eigensweep_sampling::streams::Draw;
use eigensweep_theory::leakage::CleanMoment;
use eigensweep_theory::moments::{SampleSums, view_covariance};
use eigensweep_theory::thresholds::{Spectra, Thresholds, thresholds};

use eigensweep_store::rows::Rows;

use super::cells::Corrupted;
use super::clean::Clean;
use super::sample::{noise, row_set};
use super::{Simulation, Workspace};
use eigensweep_store::columns::Status;

/// Where the rows of a sample are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The column of the grid.
    pub(super) column: u64,
    /// Its first row within the unit.
    pub(super) within: u64,
    /// Its first row within the batch.
    pub(super) start: usize,
}

/// Hands over every problem of the sample of size n that `workspace.clean` was drawn for.
pub(super) fn sample(
    simulation: &Simulation,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
    batch: &mut Rows,
    place: Place,
) {
    let Place { column, within, start } = place;
    let per_alignment = simulation.dimensions.len() * simulation.paradigms.len();
    let mut drawn = None;
    let mut row = start;
    for setting in &simulation.settings.noise {
        if drawn != Some(setting.components) {
            noise(simulation, workspace, replicate, samples, setting.components);
            if drawn.is_none() {
                clean(simulation, workspace, replicate, samples, start);
            }
            drawn = Some(setting.components);
        }
        let gamma = &mut workspace.gamma[..setting.components];
        setting.spectrum.fill(&simulation.streams, Draw::CorruptionSpectrum, replicate, gamma);
        for (root, eigenvalue) in workspace.noise_scale.iter_mut().zip(gamma.iter()) {
            *root = eigenvalue.sqrt();
        }
        let label_power = corrupt(simulation, workspace, samples, setting.components);
        workspace.cells.next_moments();
        for spectrum in &simulation.settings.views {
            let (features, components) = (workspace.features, setting.components);
            let size = features + components;
            let theta = &mut workspace.theta[..size];
            spectrum.fill(&simulation.streams, Draw::AugmentationSpectrum, replicate, theta);
            let limits = spectra_thresholds(simulation, workspace, components);
            let corrupted = Corrupted {
                inputs: workspace.inputs.as_ref().submatrix(0, 0, size, size),
                input_labels: workspace.input_labels.as_ref().submatrix(0, 0, size, simulation.counts.labels),
                label_power,
                data: workspace.data,
                signal: &workspace.signal[..features],
                gamma: &workspace.gamma[..components],
            };
            for &alignment in &simulation.alignments {
                let first = within + (row - start) as u64;
                if !simulation.wants(column, first..first + per_alignment as u64) {
                    row += per_alignment;
                    continue;
                }
                let sigma = &mut workspace.sigma[..size];
                view_covariance(&workspace.theta[..size], corrupted.gamma, alignment, sigma);
                workspace.cells.push(simulation, &corrupted, sigma, row, batch);
                if let Some(limits) = limits {
                    write_thresholds(simulation, &limits, row, batch);
                }
                row += per_alignment;
            }
        }
    }
}

/// Solves what still waits, and writes what the rows of the task lack.
pub(super) fn finish(simulation: &Simulation, workspace: &mut Workspace, batch: &mut Rows) {
    workspace.cells.flush(simulation, batch);
    workspace.clean_losses.finish(simulation, batch);
}

/// Writes C̃ and B̃; returns y².
fn corrupt(simulation: &Simulation, workspace: &mut Workspace, samples: u64, components: usize) -> f64 {
    let (features, labels) = (workspace.features, simulation.counts.labels);
    let (size, width) = (features + components, features + labels);
    let sums = SampleSums {
        clean: workspace.clean.as_ref().submatrix(0, 0, width, width),
        cross: workspace.cross.as_ref().submatrix(0, 0, width, components),
        noise: workspace.noise.as_ref().submatrix(0, 0, components, components),
        samples,
    };
    sums.corrupted_moments(
        &workspace.noise_scale[..components],
        workspace.inputs.as_mut().submatrix_mut(0, 0, size, size),
        workspace.input_labels.as_mut().submatrix_mut(0, 0, size, labels),
    );
    sums.label_power(features)
}

/// Hands over the clean problems of this sample, one a view setting.
fn clean(simulation: &Simulation, workspace: &mut Workspace, replicate: u64, samples: u64, start: usize) {
    let (features, labels) = (workspace.features, simulation.counts.labels);
    let width = features + labels;
    let sums = SampleSums {
        clean: workspace.clean.as_ref().submatrix(0, 0, width, width),
        cross: workspace.cross.as_ref(),
        noise: workspace.noise.as_ref(),
        samples,
    };
    let mut inputs = workspace.inputs.as_mut().submatrix_mut(0, 0, features, features);
    let mut input_labels = workspace.input_labels.as_mut().submatrix_mut(0, 0, features, labels);
    sums.clean_moments(inputs.as_mut(), input_labels.as_mut());
    let label_power = sums.label_power(features);
    let (inputs, input_labels) = (inputs.as_ref(), input_labels.as_ref());
    let everything = workspace.probe.least_squares_loss(inputs, input_labels, label_power);
    let everything = if everything.is_finite() { Ok(everything) } else { Err(Status::NotFinite) };
    let clean = Clean { inputs, input_labels, label_power, everything };
    workspace.clean_losses.next_sample(start);
    for spectrum in &simulation.settings.views {
        // All of Θ, as for the corrupted model: a listed spectrum has a length.
        let theta = &mut workspace.theta[..features + simulation.settings.noise[0].components];
        spectrum.fill(&simulation.streams, Draw::AugmentationSpectrum, replicate, theta);
        workspace.clean_losses.push(simulation, &clean, &theta[..features]);
    }
}

/// Writes the thresholds of the rows of one Σ.
fn write_thresholds(simulation: &Simulation, limits: &Thresholds, row: usize, batch: &mut Rows) {
    let cell = row..row + simulation.dimensions.len() * simulation.paradigms.len();
    let thresholds = &mut batch.values_mut(simulation.columns.threshold_squared)[cell];
    for (to, paradigm) in thresholds.iter_mut().zip(simulation.paradigms.iter().cycle()) {
        *to = paradigm.threshold.map_or(f64::NAN, |of| of(limits));
    }
}

/// Thresholds of the current spectra; `None` where the propositions do not apply (raw features, a zero in Γ).
fn spectra_thresholds(
    simulation: &Simulation,
    workspace: &Workspace,
    components: usize,
) -> Option<Thresholds> {
    let features = workspace.features;
    let signal = match row_set(simulation, workspace.data).map(|set| set.moment.view()) {
        Some(CleanMoment::Dense(_)) => return None,
        Some(CleanMoment::Diagonal(signal)) => signal,
        None => &workspace.signal[..features],
    };
    let (theta_signal, theta_noise) = workspace.theta[..features + components].split_at(features);
    let gamma = &workspace.gamma[..components];
    thresholds(&Spectra { signal, theta_signal, gamma, theta_noise }).ok()
}
