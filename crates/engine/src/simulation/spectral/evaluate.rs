//! All problems of one sample: Γ, Θ, α; and the rows once they are solved.
//!
//! Protocol (Appendix C of the paper): the clean model is trained on clean inputs under views with
//! Θ on the signal components (α does not matter there: Γ is zero), the corrupted model on
//! corrupted inputs under Σ = Θ + α²Γ; each is probed on its own training inputs.

use eigensweep_sampling::streams::Draw;
use eigensweep_store::columns::{Status, ThresholdsOf};
use eigensweep_store::rows::Rows;
use eigensweep_theory::MemStack;
use eigensweep_theory::leakage::CleanMoment;
use eigensweep_theory::moments::SampleSums;
use eigensweep_theory::probing::least_squares_loss;
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
        corrupted(simulation, workspace, replicate, samples, setting, rows);
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
                wait(simulation, workspace, (setting.components, parameters), start + offset, rows);
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

/// Draws Γ's eigenvalues of a replicate and writes C̃ and B̃ with noise of them.
pub(super) fn corrupted(
    simulation: &Spectral,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
    setting: &NoiseSetting,
    rows: &mut Rows,
) {
    let features = workspace.features;
    next_corrupted(simulation, workspace, setting.components, rows);
    let gamma = &mut workspace.gamma[..setting.components];
    let largest = || simulation.largest(workspace.data, &workspace.signal[..workspace.features]);
    setting.spectrum.fill(&simulation.frame.streams, Draw::CorruptionSpectrum, replicate, largest, gamma);
    for (root, eigenvalue) in workspace.noise_scale.iter_mut().zip(gamma.iter()) {
        *root = eigenvalue.sqrt();
    }
    let width = features + simulation.counts.labels;
    let sums = SampleSums {
        clean: workspace.clean.as_ref().submatrix(0, 0, width, width),
        cross: workspace.cross.as_ref().submatrix(0, 0, width, setting.components),
        noise: workspace.noise.as_ref().submatrix(0, 0, setting.components, setting.components),
        samples,
    };
    let scale = &workspace.noise_scale[..setting.components];
    let (inputs, input_labels, label_power) = workspace.corrupted.moments_mut();
    *label_power = sums.label_power(features);
    sums.corrupted_moments(scale, inputs, input_labels);
}

/// Makes room for the moments of another sample with noise of so many components.
pub(super) fn next_corrupted(
    simulation: &Spectral,
    workspace: &mut Workspace,
    components: usize,
    rows: &mut Rows,
) {
    let shape = (workspace.features + components, simulation.counts.labels);
    make_room(simulation, workspace, shape.0, rows);
    workspace.corrupted.next_sample(shape, simulation.frame.dimensions.iter().copied());
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

/// Has the problem of the present sample with noise of so many components and views of these
/// parameters wait, whose rows begin at `tag`; solves those that wait if there is no room, and
/// writes their rows.
pub(super) fn wait(
    simulation: &Spectral,
    workspace: &mut Workspace,
    (components, parameters): (usize, &[f64]),
    tag: usize,
    rows: &mut Rows,
) {
    let size = workspace.features + components;
    make_room(simulation, workspace, size, rows);
    let (inputs, _) = workspace.corrupted.moments();
    let (theta, gamma) = (&workspace.theta[..size], &workspace.gamma[..components]);
    let sigma = &mut workspace.sigma[..size];
    (simulation.settings.kind.covariance)(&Sample { inputs, theta, gamma, parameters }, sigma);
    let origin = Origin { data: workspace.data, signal: &workspace.signal[..workspace.features], gamma };
    workspace.corrupted.push(sigma, origin, tag);
}

/// Solves the problems that wait and writes their rows, unless one of size d may wait with them.
fn make_room(simulation: &Spectral, workspace: &mut Workspace, size: usize, rows: &mut Rows) {
    if !workspace.corrupted.has_room_for(size) {
        write_corrupted(simulation, workspace, rows);
    }
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
    let (mut inputs, mut input_labels, label_power) =
        workspace.clean_losses.next_sample(simulation, (features, labels), start);
    *label_power = sums.label_power(features);
    sums.clean_moments(inputs.as_mut(), input_labels.as_mut());
    let (inputs, input_labels) = (inputs.as_ref(), input_labels.as_ref());
    let stack = MemStack::new(&mut workspace.memory);
    let everything = least_squares_loss(workspace.instruction_set, inputs, input_labels, *label_power, stack);
    let everything = if everything.is_finite() { Ok(everything) } else { Err(Status::NotFinite) };
    let settings = &simulation.settings;
    for views in &settings.views {
        // All of Θ, as for the corrupted model: a listed spectrum has a length.
        let theta = &mut workspace.theta[..features + settings.noise[0].components];
        let largest = || simulation.largest(workspace.data, &workspace.signal[..features]);
        views.spectrum.fill(&simulation.frame.streams, Draw::AugmentationSpectrum, replicate, largest, theta);
        let (theta, sigma) = (&theta[..features], &mut workspace.sigma[..features]);
        let parameters = &views.cells[0].1;
        let inputs = workspace.clean_losses.inputs();
        (settings.kind.covariance)(&Sample { inputs, theta, gamma: &[], parameters }, sigma);
        let origin = Origin { data: workspace.data, signal: &workspace.signal[..features], gamma: &[] };
        workspace.clean_losses.push(simulation, sigma, origin, everything);
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
