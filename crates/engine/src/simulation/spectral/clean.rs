//! Clean losses: what each paradigm reaches on clean inputs, for every sample, view setting and
//! dimension.
//!
//! A representation of dimension k ≥ k₀, or of all dimensions that its views have (k ≥ rank S),
//! keeps all of the signal: its loss is that of least squares, without a problem to solve. Models
//! of the labels and narrower representations wait in a room of their own.

use eigensweep_store::columns::Status;
use eigensweep_store::rows::Rows;
use eigensweep_theory::additive::AdditiveBatch;
use eigensweep_theory::{Failure, Paradigm};
use faer::{MatMut, MatRef};

use super::Spectral;
use super::waiting::{Origin, WaitingRoom};

/// Clean losses of the samples of a task.
#[derive(Debug)]
pub(super) struct CleanLosses {
    /// Each with where its losses begin.
    waiting: WaitingRoom<usize>,
    /// The paradigms that the solver has: those that need it for some setting.
    paradigms: Vec<&'static Paradigm>,
    /// Where the rows of each sample begin.
    starts: Vec<usize>,
    /// Sample × view setting × dimension × paradigm.
    losses: Vec<Result<f64, Status>>,
}

impl CleanLosses {
    /// Room for as many problems as the solver takes, and for the losses of so many samples.
    pub(super) fn new(
        simulation: &Spectral,
        solver: AdditiveBatch,
        paradigms: Vec<&'static Paradigm>,
        samples: usize,
    ) -> Self {
        let per_sample = simulation.settings.views.len() * simulation.frame.rows_per_cell();
        Self {
            waiting: WaitingRoom::new(solver, simulation.counts.signal, 0),
            paradigms,
            starts: Vec::with_capacity(samples),
            losses: Vec::with_capacity(samples * per_sample),
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.starts.clear();
        self.losses.clear();
    }

    /// A sample of so many features and labels whose rows begin at `start` comes next: its moments
    /// are to be filled.
    pub(super) fn next_sample(
        &mut self,
        simulation: &Spectral,
        (features, labels): (usize, usize),
        start: usize,
    ) -> (MatMut<'_, f64>, MatMut<'_, f64>, &mut f64) {
        if !self.waiting.has_room_for(features) {
            self.solve(simulation);
        }
        self.starts.push(start);
        let dimensions = simulation.frame.dimensions.iter().map(|&k| k.min(features));
        self.waiting.next_sample((features, labels), dimensions)
    }

    /// Second moment of the present sample's inputs.
    pub(super) fn inputs(&self) -> MatRef<'_, f64> {
        self.waiting.moments().0
    }

    /// Adds the sample's problem with the views of Σ for the next view setting; `everything` is the
    /// loss of least squares.
    pub(super) fn push(
        &mut self,
        simulation: &Spectral,
        sigma: &[f64],
        origin: Origin<'_>,
        everything: Result<f64, Status>,
    ) {
        let (first, features) = (self.losses.len(), sigma.len());
        // What is solved for takes the place of some of them.
        self.losses.extend((0..simulation.frame.rows_per_cell()).map(|_| everything));
        let narrow = simulation.frame.dimensions.iter().any(|&k| k < features);
        if !narrow && simulation.frame.paradigms.iter().all(|paradigm| paradigm.spectrum.is_some()) {
            return;
        }
        if !self.waiting.has_room_for(features) {
            self.solve(simulation);
        }
        self.waiting.push(sigma, origin, first);
    }

    /// Solves what waits and keeps its losses.
    fn solve(&mut self, simulation: &Spectral) {
        self.waiting.solve(simulation);
        let features = self.waiting.size();
        for (first, n, solved) in self.waiting.solved(self.paradigms.len()) {
            let paradigm = self.paradigms[n];
            let Some(number) = simulation.frame.paradigms.iter().position(|&p| p == paradigm) else {
                continue;
            };
            for (k, (&dimension, row)) in
                simulation.frame.dimensions.iter().zip(&simulation.settings.dimensions).enumerate()
            {
                if paradigm.spectrum.is_some() && dimension >= features {
                    continue;
                }
                match solved.and_then(|found| found.loss(k)) {
                    Err(Failure::DimensionAboveRank { .. }) => {}
                    loss => self.losses[first + row + number] = loss.map_err(Status::from),
                }
            }
        }
        self.waiting.clear();
    }

    /// Solves what waits and writes the clean losses of all rows that have a corrupted one; where
    /// the clean model failed, its rows do.
    pub(super) fn finish(&mut self, simulation: &Spectral, rows: &mut Rows) {
        self.solve(simulation);
        let per_cell = simulation.frame.rows_per_cell();
        let views = &simulation.settings.views;
        for (&start, losses) in self.starts.iter().zip(self.losses.chunks_exact(views.len() * per_cell)) {
            for noise in &simulation.settings.noise {
                for (views, losses) in views.iter().zip(losses.chunks_exact(per_cell)) {
                    for (cell, _) in &views.cells {
                        let first = start + noise.row + views.row + cell;
                        for (row, loss) in (first..).zip(losses) {
                            match loss {
                                _ if rows.status()[row] != Status::Ok => {}
                                Err(status) => rows.fail(row..row + 1, *status),
                                Ok(loss) => simulation.frame.columns.write_clean(rows, row, *loss),
                            }
                        }
                    }
                }
            }
        }
    }
}
