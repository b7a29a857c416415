//! Clean losses: what each paradigm reaches on clean inputs, for every sample, view setting and dimension.
//!
//! A representation of dimension k ≥ k₀ keeps all of the signal: its loss is that of least squares, without a problem to solve.
//! Supervised models and narrower representations wait in a batch of their own.

use eigensweep_theory::Paradigm;
use eigensweep_theory::additive::AdditiveBatch;
use eigensweep_theory::leakage::{CleanMoment, Population};
use eigensweep_theory::paradigms::SUPERVISED;
use faer::MatRef;

use eigensweep_store::rows::Rows;

use super::Simulation;
use eigensweep_store::columns::Status;

/// Clean problems that wait to be solved together, and clean losses of the samples of a task.
#[derive(Debug)]
pub(super) struct CleanLosses {
    solver: AdditiveBatch,
    /// The paradigms that the solver has: those that need it for some setting.
    paradigms: Vec<&'static Paradigm>,
    /// Of each problem: where its losses begin.
    waiting: Vec<usize>,
    current: Option<usize>,
    /// Where the rows of each sample begin.
    starts: Vec<usize>,
    /// Sample × view setting × dimension × paradigm.
    losses: Vec<Result<f64, Status>>,
    /// Dimensions, k₀ at most.
    dimensions: Vec<usize>,
}

/// One clean sample.
#[derive(Clone, Copy)]
pub(super) struct Clean<'a> {
    /// XᵀX/n (k₀ × k₀).
    pub(super) inputs: MatRef<'a, f64>,
    /// XᵀY/n (k₀ × ℓ).
    pub(super) input_labels: MatRef<'a, f64>,
    /// y².
    pub(super) label_power: f64,
    /// Loss of least squares.
    pub(super) everything: Result<f64, Status>,
}

impl CleanLosses {
    /// Room for as many problems as the solver takes, and for the losses of so many samples.
    pub(super) fn new(
        simulation: &Simulation,
        solver: AdditiveBatch,
        paradigms: Vec<&'static Paradigm>,
        most: usize,
        samples: usize,
    ) -> Self {
        let per_sample = simulation.settings.views.len() * Self::per_setting(simulation);
        Self {
            solver,
            paradigms,
            waiting: Vec::with_capacity(most),
            current: None,
            starts: Vec::with_capacity(samples),
            losses: Vec::with_capacity(samples * per_sample),
            dimensions: Vec::with_capacity(simulation.dimensions.len()),
        }
    }

    /// Losses of a view setting.
    fn per_setting(simulation: &Simulation) -> usize {
        simulation.dimensions.len() * simulation.paradigms.len()
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.current = None;
        self.starts.clear();
        self.losses.clear();
    }

    /// A sample whose rows begin at `start` comes next.
    pub(super) fn next_sample(&mut self, start: usize) {
        self.current = None;
        self.starts.push(start);
    }

    /// Adds the next view setting of the sample, Θ on its features (k₀).
    pub(super) fn push(&mut self, simulation: &Simulation, clean: &Clean<'_>, theta: &[f64]) {
        let first = self.losses.len();
        let narrow = simulation.dimensions.iter().any(|&k| k < theta.len());
        for _ in &simulation.dimensions {
            // What is solved for takes the place of some of them.
            self.losses.extend(simulation.paradigms.iter().map(|_| clean.everything));
        }
        if !narrow && !simulation.paradigms.contains(&&SUPERVISED) {
            return;
        }
        let same_size = self.solver.size() == theta.len();
        if self.waiting.is_empty() || !same_size || self.waiting.len() == self.solver.capacity() {
            self.flush(simulation);
            self.dimensions.clear();
            self.dimensions.extend(simulation.dimensions.iter().map(|&k| k.min(theta.len())));
            self.solver.start(theta.len(), clean.input_labels.ncols(), &self.dimensions);
        }
        let moments = self
            .current
            .unwrap_or_else(|| self.solver.add_moments(clean.inputs, clean.input_labels, clean.label_power));
        self.current = Some(moments);
        self.solver.push(moments, theta);
        self.waiting.push(first);
    }

    /// Solves what waits and keeps its losses.
    fn flush(&mut self, simulation: &Simulation) {
        if self.waiting.is_empty() {
            return;
        }
        self.solver.solve(|_| Population { clean: CleanMoment::Diagonal(&[]), gamma: &[] });
        let features = self.solver.size();
        for (place, &first) in self.waiting.iter().enumerate() {
            for (n, &paradigm) in self.paradigms.iter().enumerate() {
                let Some(number) = simulation.paradigms.iter().position(|&p| p == paradigm) else { continue };
                let solved = self.solver.representations(place, n);
                for (k, &dimension) in simulation.dimensions.iter().enumerate() {
                    if paradigm == &SUPERVISED || dimension < features {
                        let to = &mut self.losses[first + k * simulation.paradigms.len() + number];
                        *to = solved.map(|found| found[k].loss).map_err(Status::from);
                    }
                }
            }
        }
        self.waiting.clear();
        self.current = None;
    }

    /// Solves what waits and writes the clean losses of all rows that have a corrupted one; where the clean model failed, its
    /// rows do.
    pub(super) fn finish(&mut self, simulation: &Simulation, batch: &mut Rows) {
        self.flush(simulation);
        let per_setting = Self::per_setting(simulation);
        let views = simulation.settings.views.len();
        for (sample, &start) in self.starts.iter().enumerate() {
            let rows = simulation.settings.noise.len() * views * simulation.alignments.len() * per_setting;
            for within in 0..rows {
                let row = start + within;
                if batch.status()[row] != Status::Ok {
                    continue;
                }
                let setting = within / (per_setting * simulation.alignments.len()) % views;
                match self.losses[(sample * views + setting) * per_setting + within % per_setting] {
                    Err(status) => batch.fail(row..row + 1, status),
                    Ok(loss) if simulation.distance => {
                        let columns = &simulation.columns;
                        let distance = (loss - batch.values(columns.loss_corrupted)[row]).abs();
                        batch.values_mut(columns.loss_clean)[row] = loss;
                        batch.values_mut(columns.distance)[row] = distance;
                    }
                    Ok(_) => {}
                }
            }
        }
    }
}
