//! The inside of one row: spectra and eigenvalues of its problem, for `replay`.

use eigensweep_theory::{Failure, Paradigm};

use super::{Buffers, Protocol, Simulation, Workspace, spectral};

/// Spectra of a problem, and the eigenvalues that its paradigms see.
#[derive(Clone, Debug)]
pub struct Explained {
    /// Second moments of the clean signal's components: of the population, or of the whole data
    /// set; `None` for raw features.
    pub signal: Option<Vec<f64>>,
    /// Eigenvalues of Γ (p).
    pub gamma: Vec<f64>,
    /// Eigenvalues of Θ (d): the signal's components first.
    pub theta: Vec<f64>,
    /// Smallest and largest of the variances Σ of the views.
    pub sigma: (f64, f64),
    /// Of each paradigm of the job that learns a representation: the values of its pencil,
    /// descending, or why there are none.
    pub spectra: Vec<(&'static Paradigm, Result<Vec<f64>, Failure>)>,
}

/// The problem that `workspace` solved last, of a simulation of a single cell.
///
/// # Panics
///
/// If the workspace is another simulation's, or rows are critical alignments.
#[must_use]
pub fn explain(simulation: &Simulation, workspace: &Workspace, samples: u64) -> Explained {
    match (&simulation.0, &workspace.0) {
        (Protocol::Spectral(simulation), Buffers::Spectral(workspace)) => {
            spectral::explain(simulation, workspace, samples)
        }
        (Protocol::Stages(_), Buffers::Stages(workspace)) => workspace.explain(),
        (Protocol::Spectral(_) | Protocol::Stages(_) | Protocol::Traced(_), _) => {
            panic!("a workspace of this simulation")
        }
    }
}
