//! All rows of one sample: Γ, Θ, α, k and paradigms.
//!
//! Protocol (Appendix C of the paper): the clean model is trained on clean inputs under views with Θ on the signal
//! components (α does not matter there: Γ is zero), the corrupted model on corrupted inputs under Σ = Θ + α²Γ; each is probed on its
//! own training inputs. A clean representation of dimension k ≥ k₀ keeps all of the signal.

use eigensweep_sampling::streams::Draw;
use eigensweep_theory::additive::Additive;
use eigensweep_theory::leakage::{CleanMoment, Population};
use eigensweep_theory::moments::{SampleSums, view_covariance};
use eigensweep_theory::thresholds::{Spectra, Thresholds, thresholds};
use eigensweep_theory::{Failure, Paradigm};

use super::sample::{noise, row_set};
use super::{Batch, Simulation, Workspace};
use crate::columns::Status;

/// Computes every row of the sample of size n that `workspace.clean` was drawn for; its rows begin at `start`.
pub(super) fn sample(
    simulation: &Simulation,
    workspace: &mut Workspace,
    replicate: u64,
    samples: u64,
    batch: &mut Batch,
    start: usize,
) {
    let per_alignment = simulation.dimensions.len() * simulation.paradigms.len();
    let mut drawn = None;
    let mut row = start;
    for setting in &simulation.settings.noise {
        if drawn != Some(setting.components) {
            noise(simulation, workspace, replicate, samples, setting.components);
            if drawn.is_none() {
                clean_losses(simulation, workspace, replicate, samples);
            }
            drawn = Some(setting.components);
        }
        let gamma = &mut workspace.gamma[..setting.components];
        setting.spectrum.fill(&simulation.streams, Draw::CorruptionSpectrum, replicate, gamma);
        for (root, eigenvalue) in workspace.noise_scale.iter_mut().zip(gamma.iter()) {
            *root = eigenvalue.sqrt();
        }
        let label_power = corrupt(simulation, workspace, samples, setting.components);
        for views in 0..simulation.settings.views.len() {
            let size = workspace.features + setting.components;
            let spectrum = &simulation.settings.views[views];
            let theta = &mut workspace.theta[..size];
            spectrum.fill(&simulation.streams, Draw::AugmentationSpectrum, replicate, theta);
            let limits = spectra_thresholds(simulation, workspace, setting.components);
            for &alignment in &simulation.alignments {
                let here = Cell { components: setting.components, views, row, label_power, limits };
                view_covariance(
                    &workspace.theta[..size],
                    &workspace.gamma[..setting.components],
                    alignment,
                    &mut workspace.sigma[..size],
                );
                cell(simulation, workspace, &here, batch);
                row += per_alignment;
            }
        }
    }
}

/// One Σ: what the rows of all dimensions and paradigms share.
struct Cell {
    components: usize,
    views: usize,
    row: usize,
    label_power: f64,
    limits: Option<Thresholds>,
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

/// The rows of one Σ.
fn cell(simulation: &Simulation, workspace: &mut Workspace, cell: &Cell, batch: &mut Batch) {
    let (features, labels) = (workspace.features, simulation.counts.labels);
    let size = features + cell.components;
    let problem = Additive {
        inputs: workspace.inputs.as_ref().submatrix(0, 0, size, size),
        input_labels: workspace.input_labels.as_ref().submatrix(0, 0, size, labels),
        label_power: cell.label_power,
        sigma: &workspace.sigma[..size],
    };
    let clean = match row_set(simulation, workspace.data) {
        Some(set) => set.moment.view(),
        None => CleanMoment::Diagonal(&workspace.signal[..features]),
    };
    let gamma = &workspace.gamma[..cell.components];
    let population = simulation.leakage.then_some(Population { clean, gamma });
    let dimensions = &simulation.dimensions;
    let paradigms = simulation.paradigms.len();
    let clean_losses = &workspace.clean_losses[cell.views * dimensions.len() * paradigms..];
    let prepared = workspace.solver.prepare(&problem);
    for (p, &paradigm) in simulation.paradigms.iter().enumerate() {
        let out = &mut workspace.representations[..];
        let solver = &mut workspace.solver;
        let solved: Result<(), Failure> = prepared.and_then(|()| match paradigm {
            Paradigm::Supervised => {
                let loss = solver.supervised(&problem)?;
                for to in out.iter_mut() {
                    to.loss = loss;
                    (to.leakage, to.gap) = (None, None);
                }
                Ok(())
            }
            Paradigm::JointEmbedding => solver.joint_embedding(&problem, dimensions, population, out),
            Paradigm::Reconstruction => solver.reconstruction(&problem, dimensions, population, out),
        });
        for (k, found) in out.iter().enumerate() {
            let row = cell.row + k * paradigms + p;
            batch.threshold_squared[row] = cell.limits.map_or(f64::NAN, |limits| match paradigm {
                Paradigm::Supervised => f64::NAN,
                Paradigm::JointEmbedding => limits.alpha_je_squared,
                Paradigm::Reconstruction => limits.alpha_rc_squared,
            });
            let clean_loss = clean_losses[k * paradigms + p];
            match solved.map_err(Status::from).and(clean_loss) {
                Err(status) => batch.fail(row..row + 1, status),
                Ok(clean_loss) => {
                    if simulation.distance {
                        batch.loss_clean[row] = clean_loss;
                        batch.loss_corrupted[row] = found.loss;
                    }
                    batch.leakage[row] = found.leakage.unwrap_or(f64::NAN);
                    batch.gap[row] = found.gap.filter(|_| simulation.gap).unwrap_or(f64::NAN);
                }
            }
        }
    }
}

/// Clean losses of this sample for every view setting, dimension and paradigm.
fn clean_losses(simulation: &Simulation, workspace: &mut Workspace, replicate: u64, samples: u64) {
    let (features, labels) = (workspace.features, simulation.counts.labels);
    let width = features + labels;
    let (dimensions, paradigms) = (&simulation.dimensions, &simulation.paradigms);
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
    workspace.clean_dimensions.clear();
    workspace.clean_dimensions.extend(dimensions.iter().map(|&k| k.min(features)));
    let narrow = dimensions.iter().any(|&k| k < features);
    for (views, spectrum) in simulation.settings.views.iter().enumerate() {
        // All of Θ, as for the corrupted model: a listed spectrum has a length.
        let theta = &mut workspace.theta[..features + simulation.settings.noise[0].components];
        spectrum.fill(&simulation.streams, Draw::AugmentationSpectrum, replicate, theta);
        let problem = Additive { inputs, input_labels, label_power, sigma: &theta[..features] };
        let prepared = workspace.solver.prepare(&problem);
        for (p, &paradigm) in paradigms.iter().enumerate() {
            let out = &mut workspace.representations[..];
            let solver = &mut workspace.solver;
            let clean_dimensions = &workspace.clean_dimensions;
            let solved: Result<(), Failure> = prepared.and_then(|()| match paradigm {
                Paradigm::Supervised => {
                    let loss = solver.supervised(&problem)?;
                    out.iter_mut().for_each(|to| to.loss = loss);
                    Ok(())
                }
                Paradigm::JointEmbedding if narrow => {
                    solver.joint_embedding(&problem, clean_dimensions, None, out)
                }
                Paradigm::Reconstruction if narrow => {
                    solver.reconstruction(&problem, clean_dimensions, None, out)
                }
                Paradigm::JointEmbedding | Paradigm::Reconstruction => Ok(()),
            });
            for (k, &dimension) in dimensions.iter().enumerate() {
                let whole = paradigm != Paradigm::Supervised && dimension >= features;
                let loss = match whole {
                    true => everything,
                    false => solved.map(|()| out[k].loss).map_err(Status::from),
                };
                workspace.clean_losses[(views * dimensions.len() + k) * paradigms.len() + p] = loss;
            }
        }
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
