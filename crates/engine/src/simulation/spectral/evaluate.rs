//! All problems of one sample: Γ, Θ, α; and the rows once they are solved.
//!
//! Protocol (Appendix C of the paper): the clean model is trained on clean inputs under views with
//! Θ on the signal components (α does not matter there: Γ is zero), the corrupted model on
//! corrupted inputs under Σ = Θ + α²Γ; each is probed on its own training inputs.

use eigensweep_sampling::streams::Draw;
use eigensweep_store::columns::{Status, ThresholdsOf};
use eigensweep_store::rows::Rows;
use eigensweep_theory::additive::Additive;
use eigensweep_theory::leakage::CleanMoment;
use eigensweep_theory::moments::SampleSums;
use eigensweep_theory::thresholds::{Spectra, thresholds};
use eigensweep_theory::views::Sample;

use super::sample::{noise, row_set};
use super::setting::{NoiseSetting, ViewSetting};
use super::waiting::Origin;
use super::{Spectral, Workspace};

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
    simulation: &Spectral,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
    rows: &mut Rows,
    place: Place,
) {
    let Place { column, within, start } = place;
    let settings = &simulation.settings;
    let mut drawn = None;
    for setting in &settings.noise {
        if drawn != Some(setting.components) {
            noise(simulation, workspace, replicate, samples, setting.components);
            if drawn.is_none() {
                clean(simulation, workspace, replicate, samples, start);
            }
            drawn = Some(setting.components);
        }
        let label_power = corrupted(simulation, workspace, replicate, samples, setting);
        workspace.corrupted.next_sample();
        for views in &settings.views {
            let size = workspace.features + setting.components;
            theta(simulation, workspace, replicate, views, size);
            find_thresholds(simulation, workspace, setting.components);
            for (cell, parameters) in &views.cells {
                let offset = setting.row + views.row + cell;
                let first = within + offset as u64;
                if !simulation.frame.wants(column, first..first + simulation.frame.rows_per_cell() as u64) {
                    continue;
                }
                let problem = Corrupted { components: setting.components, parameters, label_power };
                wait(simulation, workspace, problem, start + offset, rows);
                for (dimension, limits) in settings.dimensions.iter().zip(&workspace.thresholds) {
                    for (n, paradigm) in simulation.frame.paradigms.iter().enumerate() {
                        let row = start + offset + dimension + n;
                        simulation.frame.columns.write_thresholds(rows, row, paradigm, limits);
                    }
                }
            }
        }
    }
}

/// Draws Γ's eigenvalues of a replicate and writes C̃ and B̃ with noise of them; returns y².
pub(super) fn corrupted(
    simulation: &Spectral,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
    setting: &NoiseSetting,
) -> f64 {
    let gamma = &mut workspace.gamma[..setting.components];
    let largest = || simulation.largest(workspace.data, &workspace.signal[..workspace.features]);
    setting.spectrum.fill(&simulation.frame.streams, Draw::CorruptionSpectrum, replicate, largest, gamma);
    for (root, eigenvalue) in workspace.noise_scale.iter_mut().zip(gamma.iter()) {
        *root = eigenvalue.sqrt();
    }
    corrupt(simulation, workspace, samples, setting.components)
}

/// Draws so many of Θ's eigenvalues of a replicate.
pub(super) fn theta(
    simulation: &Spectral,
    workspace: &mut Workspace,
    replicate: u64,
    views: &ViewSetting,
    size: usize,
) {
    let largest = || simulation.largest(workspace.data, &workspace.signal[..workspace.features]);
    let theta = &mut workspace.theta[..size];
    views.spectrum.fill(&simulation.frame.streams, Draw::AugmentationSpectrum, replicate, largest, theta);
}

/// What the workspace does not hold of a corrupted problem.
#[derive(Clone, Copy)]
pub(super) struct Corrupted<'a> {
    /// Noise components.
    pub(super) components: usize,
    /// Values of the views' parameters.
    pub(super) parameters: &'a [f64],
    /// y².
    pub(super) label_power: f64,
}

/// Has the problem that the workspace holds wait, whose rows begin at `tag`; solves those that wait
/// if there is no room, and writes their rows.
pub(super) fn wait(
    simulation: &Spectral,
    workspace: &mut Workspace,
    Corrupted { components, parameters, label_power }: Corrupted<'_>,
    tag: usize,
    rows: &mut Rows,
) {
    let (features, labels) = (workspace.features, simulation.counts.labels);
    let size = features + components;
    if !workspace.corrupted.has_room_for(size) {
        write_corrupted(simulation, workspace, rows);
    }
    let inputs = workspace.inputs.as_ref().submatrix(0, 0, size, size);
    let (theta, gamma) = (&workspace.theta[..size], &workspace.gamma[..components]);
    let sigma = &mut workspace.sigma[..size];
    (simulation.settings.kind.covariance)(&Sample { inputs, theta, gamma, parameters }, sigma);
    let input_labels = workspace.input_labels.as_ref().submatrix(0, 0, size, labels);
    let problem = Additive { inputs, input_labels, label_power, sigma };
    let origin = Origin { data: workspace.data, signal: &workspace.signal[..features], gamma };
    workspace.corrupted.push(&problem, origin, simulation.frame.dimensions.iter().copied(), tag);
}

/// Solves what still waits, and writes what the rows of the task lack.
pub(super) fn finish(simulation: &Spectral, workspace: &mut Workspace, rows: &mut Rows) {
    write_corrupted(simulation, workspace, rows);
    workspace.clean_losses.finish(simulation, rows);
}

/// Solves the corrupted problems that wait and writes their rows, which differ in dimension and
/// paradigm.
fn write_corrupted(simulation: &Spectral, workspace: &mut Workspace, rows: &mut Rows) {
    let waiting = &mut workspace.corrupted;
    waiting.solve(simulation);
    for (first, n, solved) in waiting.solved(simulation.frame.paradigms.len()) {
        let at = simulation.settings.dimensions.iter().map(|dimension| first + dimension + n);
        match solved {
            Err(failure) => at.for_each(|row| rows.fail(row..row + 1, failure.into())),
            Ok(found) => {
                simulation.frame.columns.write_corrupted(rows, at.clone(), found);
                for (n, row) in at.enumerate() {
                    if let Err(failure) = found.loss(n) {
                        rows.fail(row..row + 1, failure.into());
                    }
                }
            }
        }
    }
    waiting.clear();
}

/// Writes C̃ and B̃; returns y².
fn corrupt(simulation: &Spectral, workspace: &mut Workspace, samples: u64, components: usize) -> f64 {
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
pub(super) fn clean(
    simulation: &Spectral,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
    start: usize,
) {
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
    workspace.clean_losses.next_sample(start);
    let settings = &simulation.settings;
    for views in &settings.views {
        // All of Θ, as for the corrupted model: a listed spectrum has a length.
        let theta = &mut workspace.theta[..features + settings.noise[0].components];
        let largest = || simulation.largest(workspace.data, &workspace.signal[..features]);
        views.spectrum.fill(&simulation.frame.streams, Draw::AugmentationSpectrum, replicate, largest, theta);
        let (theta, sigma) = (&theta[..features], &mut workspace.sigma[..features]);
        let parameters = &views.cells[0].1;
        (settings.kind.covariance)(&Sample { inputs, theta, gamma: &[], parameters }, sigma);
        let problem = Additive { inputs, input_labels, label_power, sigma };
        let origin = Origin { data: workspace.data, signal: &workspace.signal[..features], gamma: &[] };
        workspace.clean_losses.push(simulation, &problem, origin, everything);
    }
}

/// Writes the thresholds of the current spectra at each dimension, or none where the propositions
/// do not apply (other views, raw features, a zero in Γ).
fn find_thresholds(simulation: &Spectral, workspace: &mut Workspace, components: usize) {
    workspace.thresholds.clear();
    if !simulation.settings.kind.thresholds {
        return;
    }
    let features = workspace.features;
    let signal = match row_set(simulation, workspace.data).map(|set| set.moment.view()) {
        Some(CleanMoment::Dense(_) | CleanMoment::Mixed { .. }) => return,
        Some(CleanMoment::Diagonal(signal)) => signal,
        None => &workspace.signal[..features],
    };
    let (theta_signal, theta_noise) = workspace.theta[..features + components].split_at(features);
    let spectra = Spectra { signal, theta_signal, gamma: &workspace.gamma[..components], theta_noise };
    for &k in &simulation.frame.dimensions {
        let k = match simulation.thresholds {
            ThresholdsOf::Dimension => k,
            ThresholdsOf::Components => features,
        };
        // Where one dimension has none, none has.
        workspace.thresholds.extend(thresholds(&spectra, k));
    }
}
