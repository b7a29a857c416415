//! The inside of one row.

use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::leakage::CleanMoment;
use eigensweep_theory::moments::{Moments, SampleSums};
use faer::Mat;

use super::sample::row_set;
use super::{Spectral, Workspace};
use crate::simulation::explain::Explained;

/// The problem that `workspace` solved last, of a simulation of a single cell.
///
/// The eigenvalues come from the dense closed forms, not from the kernels that computed the row:
/// another way to the same numbers.
pub(crate) fn explain(simulation: &Spectral, workspace: &Workspace, samples: u64) -> Explained {
    let features = workspace.features;
    let (components, labels) = (simulation.counts.noise, simulation.counts.labels);
    let size = features + components;
    let width = features + labels;
    let sums = SampleSums {
        clean: workspace.clean.as_ref().submatrix(0, 0, width, width),
        cross: workspace.cross.as_ref().submatrix(0, 0, width, components),
        noise: workspace.noise.as_ref().submatrix(0, 0, components, components),
        samples,
    };
    let (inputs, input_labels) = workspace.corrupted.moments();
    let sigma = &workspace.sigma[..size];
    let mut views: Mat<f64> = inputs.to_owned();
    for (i, variance) in sigma.iter().enumerate() {
        views[(i, i)] += variance;
    }
    let moments = Moments {
        mean_views: inputs,
        views: views.as_ref(),
        cross: inputs,
        view_labels: input_labels,
        inputs,
        input_labels,
        label_power: sums.label_power(features),
    };
    let mut forms = ClosedForms::new(size, labels);
    let mut problem = forms.problem(moments);
    let learners = simulation.frame.paradigms.iter().filter(|paradigm| paradigm.spectrum.is_some());
    let spectra = learners.map(|&paradigm| {
        let solved = problem.solve(paradigm);
        let values =
            solved.map(|solved| solved.encoder().map_or_else(Vec::new, |e| e.spectrum.values.to_vec()));
        (paradigm, values)
    });
    let spectra = spectra.collect();
    let signal = match row_set(simulation, workspace.data).map(|set| set.moment.view()) {
        Some(CleanMoment::Dense(_) | CleanMoment::Mixed { .. }) => None,
        Some(CleanMoment::Diagonal(signal)) => Some(signal.to_vec()),
        None => Some(workspace.signal[..features].to_vec()),
    };
    let least = sigma.iter().copied().fold(f64::INFINITY, f64::min);
    let most = sigma.iter().copied().fold(0.0, f64::max);
    Explained {
        signal,
        gamma: workspace.gamma[..components].to_vec(),
        theta: workspace.theta[..size].to_vec(),
        sigma: (least, most),
        spectra,
    }
}
