//! Corrupted problems on their way through the lanes: each Σ is a *cell*, whose rows differ in dimension and paradigm.

use eigensweep_theory::additive::AdditiveBatch;
use eigensweep_theory::leakage::{CleanMoment, Population};
use faer::MatRef;

use eigensweep_store::rows::Rows;

use super::Simulation;
use super::sample::row_set;

/// Cells that wait to be solved together.
#[derive(Debug)]
pub(super) struct Cells {
    solver: AdditiveBatch,
    /// Of each problem: where its rows begin, and its moments.
    waiting: Vec<(usize, usize)>,
    /// By number of the moments.
    populations: Vec<Source>,
    /// The moments that problems are pushed for; none right after a flush.
    current: Option<usize>,
}

/// What leakage is measured against, kept until the batch is solved.
#[derive(Debug)]
struct Source {
    data: usize,
    /// κ² (k₀), of synthetic data.
    signal: Vec<f64>,
    /// Eigenvalues of Γ (p).
    gamma: Vec<f64>,
}

/// One sample with one Γ.
#[derive(Clone, Copy)]
pub(super) struct Corrupted<'a> {
    /// C̃ (d × d).
    pub(super) inputs: MatRef<'a, f64>,
    /// B̃ (d × ℓ).
    pub(super) input_labels: MatRef<'a, f64>,
    /// y².
    pub(super) label_power: f64,
    /// Index of the data setting.
    pub(super) data: usize,
    /// κ² (k₀).
    pub(super) signal: &'a [f64],
    /// Eigenvalues of Γ (p).
    pub(super) gamma: &'a [f64],
}

impl Cells {
    /// Room for as many as the solver takes, with up to so many signal and noise components.
    pub(super) fn new(solver: AdditiveBatch, most: usize, signal: usize, noise: usize) -> Self {
        let source =
            || Source { data: 0, signal: Vec::with_capacity(signal), gamma: Vec::with_capacity(noise) };
        Self {
            solver,
            waiting: Vec::with_capacity(most),
            populations: (0..most).map(|_| source()).collect(),
            current: None,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.current = None;
    }

    /// Another sample or another Γ comes next.
    pub(super) fn next_moments(&mut self) {
        self.current = None;
    }

    /// Adds a cell, whose rows begin at `row`; solves what waits first if there is no room, or d was another.
    pub(super) fn push(
        &mut self,
        simulation: &Simulation,
        corrupted: &Corrupted<'_>,
        sigma: &[f64],
        row: usize,
        batch: &mut Rows,
    ) {
        let same_size = self.solver.size() == sigma.len();
        if self.waiting.is_empty() || !same_size || self.waiting.len() == self.solver.capacity() {
            self.flush(simulation, batch);
            self.solver.start(sigma.len(), corrupted.input_labels.ncols(), &simulation.dimensions);
        }
        let moments = self.current.unwrap_or_else(|| {
            let Corrupted { inputs, input_labels, label_power, data, signal, gamma } = *corrupted;
            let moments = self.solver.add_moments(inputs, input_labels, label_power);
            let source = &mut self.populations[moments];
            source.data = data;
            source.signal.clear();
            source.signal.extend_from_slice(signal);
            source.gamma.clear();
            source.gamma.extend_from_slice(gamma);
            moments
        });
        self.current = Some(moments);
        self.solver.push(moments, sigma);
        self.waiting.push((row, moments));
    }

    /// Solves what waits and writes its rows.
    pub(super) fn flush(&mut self, simulation: &Simulation, batch: &mut Rows) {
        let Self { solver, waiting, populations, .. } = self;
        if !waiting.is_empty() {
            solver.solve(|place| {
                let source = &populations[waiting[place].1];
                let clean = match row_set(simulation, source.data) {
                    Some(set) => set.moment.view(),
                    None => CleanMoment::Diagonal(&source.signal),
                };
                Population { clean, gamma: &source.gamma }
            });
        }
        for (place, (first, _)) in waiting.iter().enumerate() {
            for paradigm in 0..simulation.paradigms.len() {
                let rows = (0..simulation.dimensions.len())
                    .map(|k| first + k * simulation.paradigms.len() + paradigm);
                match solver.representations(place, paradigm) {
                    Err(failure) => rows.for_each(|row| batch.fail(row..row + 1, failure.into())),
                    Ok(found) => {
                        for (row, found) in rows.zip(found) {
                            let columns = &simulation.columns;
                            if simulation.distance {
                                batch.values_mut(columns.loss_corrupted)[row] = found.loss;
                            }
                            batch.values_mut(columns.leakage)[row] = found.leakage.unwrap_or(f64::NAN);
                            batch.values_mut(columns.gap)[row] =
                                found.gap.filter(|_| simulation.gap).unwrap_or(f64::NAN);
                        }
                    }
                }
            }
        }
        self.clear();
    }
}
