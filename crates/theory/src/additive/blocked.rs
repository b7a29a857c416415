//! One problem at a time: large d, and the general form where Σ has a zero or a paradigm has no
//! scaled one.
//!
//! Everything after the eigenproblem is done for each k by itself, with exactly k columns, so that
//! the metrics at one k do not depend on which others are asked for.

use eigensweep_spectral::Failure;
use eigensweep_spectral::cholesky::factor_in_place;
use eigensweep_spectral::lanes::InstructionSet;
use faer::Mat;
use faer::reborrow::IntoConst;

use super::batch::Wish;
use super::{Additive, Room};
use crate::Paradigm;
use crate::closed_forms::{ClosedForms, Solution};
use crate::leakage::Leakage;
use crate::metrics::{Found, measure};
use crate::paradigms::Scaled;
use crate::probing::Probe;
use crate::spectrum::Spectrum;
use crate::views::stages::Tier;

/// Workspace for additive problems. What a paradigm does is for the problem that was prepared last.
pub(crate) struct BlockedSolver {
    pub(crate) instruction_set: InstructionSet,
    pub(crate) size: usize,
    pub(crate) labels: usize,
    /// How preparing the scaled problem went.
    scaled: Option<Result<(), Failure>>,
    factored: bool,
    /// Whether S is of this problem.
    general: bool,
    /// Σ^½ (d × 1).
    pub(crate) root: Mat<f64>,
    /// A, both triangles.
    pub(crate) matrix: Mat<f64>,
    /// b (d × ℓ).
    pub(crate) scaled_labels: Mat<f64>,
    /// L of A + I.
    pub(crate) factor: Mat<f64>,
    /// S, of the general form.
    views: Mat<f64>,
    pub(crate) work: Mat<f64>,
    pub(crate) form: Mat<f64>,
    /// Eigenvectors, the largest eigenvalue first.
    pub(crate) vectors: Mat<f64>,
    pub(crate) basis: Mat<f64>,
    pub(crate) right: Mat<f64>,
    /// Eigenvalues, descending.
    pub(crate) values: Vec<f64>,
    pub(crate) probe: Probe,
    pub(super) leakage: Leakage,
    pub(crate) forms: ClosedForms,
}

impl BlockedSolver {
    /// Workspace for problems of that room.
    pub(super) fn new(instruction_set: InstructionSet, room: Room) -> Self {
        let Room { size, labels, .. } = room;
        let square = || Mat::zeros(size, size);
        Self {
            instruction_set,
            size,
            labels,
            scaled: None,
            factored: false,
            general: false,
            root: Mat::zeros(size, 1),
            matrix: square(),
            scaled_labels: Mat::zeros(size, labels),
            factor: square(),
            views: square(),
            work: square(),
            form: square(),
            vectors: square(),
            basis: square(),
            right: Mat::zeros(size, labels),
            values: vec![0.0; size],
            probe: Probe::new(instruction_set, size, labels),
            leakage: Leakage::new(instruction_set, size, room.noise_components),
            forms: ClosedForms::on(instruction_set, size, labels),
        }
    }

    /// Another problem comes.
    pub(super) fn start(&mut self, problem: &Additive<'_>) {
        (self.size, self.labels) = (problem.sigma.len(), problem.input_labels.ncols());
        (self.scaled, self.factored, self.general) = (None, false, false);
        self.forms.forget();
    }

    /// Solves the problem by the paradigm, in its scaled form if Σ allows one; returns the rank of
    /// S. Above it a representation has no values.
    pub(super) fn solve(
        &mut self,
        problem: &Additive<'_>,
        paradigm: &Paradigm,
        wish: Wish<'_>,
        out: &mut [f64],
    ) -> Result<usize, Failure> {
        match &paradigm.scaled {
            Some(scaled) if !problem.sigma.iter().any(|s| *s <= 0.0) => {
                self.solve_scaled(problem, scaled, wish, out)
            }
            _ => self.solve_general(problem, paradigm, wish, out),
        }
    }

    fn solve_scaled(
        &mut self,
        problem: &Additive<'_>,
        scaled: &Scaled,
        wish: Wish<'_>,
        out: &mut [f64],
    ) -> Result<usize, Failure> {
        match self.scaled {
            Some(outcome) => outcome?,
            None => {
                let outcome = self.scale(problem);
                self.scaled = Some(outcome);
                outcome?;
            }
        }
        (scaled.decompose)(self)?;
        let rank = self.size;
        let (losses, values) = out.split_at_mut(wish.dimensions.len());
        let Some(encoder) = &scaled.encoder else {
            losses.fill((scaled.loss)(self, problem.label_power, 0));
            wish.measure_problem(rank, &mut self.leakage, values);
            return Ok(rank);
        };
        for (n, (&k, loss)) in wish.dimensions.iter().zip(losses).enumerate() {
            *loss = (scaled.loss)(self, problem.label_power, k);
            let spectrum = Some((Spectrum { of: encoder.values, values: &self.values[..rank] }, k));
            let row_space = wish.population.map(|population| {
                for j in 0..k {
                    for i in 0..self.size {
                        self.basis[(i, j)] /= self.root[(i, 0)];
                    }
                }
                (self.basis.as_ref().submatrix(0, 0, self.size, k), population)
            });
            let found = Found { rank, tier: Tier::Moments, spectrum, row_space };
            measure(wish.metrics, found, &mut self.leakage, wish.at(values, n));
        }
        Ok(rank)
    }

    fn solve_general(
        &mut self,
        problem: &Additive<'_>,
        paradigm: &Paradigm,
        wish: Wish<'_>,
        out: &mut [f64],
    ) -> Result<usize, Failure> {
        let mut views = self.views.as_mut().submatrix_mut(0, 0, self.size, self.size);
        if !self.general {
            views.copy_from(problem.inputs);
            for (i, sigma) in problem.sigma.iter().enumerate() {
                views[(i, i)] += sigma;
            }
            self.general = true;
        }
        let moments = problem.moments(views.into_const());
        let (losses, values) = out.split_at_mut(wish.dimensions.len());
        match (paradigm.solve)(&mut self.forms, &moments)? {
            Solution::Predictor(predictor) => {
                losses.fill(predictor.loss);
                wish.measure_problem(predictor.rank, &mut self.leakage, values);
                Ok(predictor.rank)
            }
            Solution::Encoder(encoder) => {
                let rank = encoder.basis.ncols();
                for (n, (&k, loss)) in wish.dimensions.iter().zip(losses).enumerate() {
                    let Ok(basis) = encoder.leading(k) else { continue };
                    *loss = self.probe.loss(basis, problem.inputs, problem.input_labels, problem.label_power);
                    let row_space = wish.population.map(|population| (basis, population));
                    let found =
                        Found { rank, tier: Tier::Moments, spectrum: Some((encoder.spectrum, k)), row_space };
                    measure(wish.metrics, found, &mut self.leakage, wish.at(values, n));
                }
                Ok(rank)
            }
        }
    }

    /// Scales the problem by Σ^(−½).
    fn scale(&mut self, problem: &Additive<'_>) -> Result<(), Failure> {
        let size = self.size;
        for (i, sigma) in problem.sigma.iter().enumerate() {
            self.root[(i, 0)] = sigma.sqrt();
        }
        let mut finite = true;
        for j in 0..size {
            for i in 0..size {
                // One division, so that A is symmetric to the bit.
                let a = problem.inputs[(i, j)] / (self.root[(i, 0)] * self.root[(j, 0)]);
                finite &= a.is_finite();
                self.matrix[(i, j)] = a;
            }
        }
        for c in 0..self.labels {
            for i in 0..size {
                let b = problem.input_labels[(i, c)] / self.root[(i, 0)];
                finite &= b.is_finite();
                self.scaled_labels[(i, c)] = b;
            }
        }
        if finite { Ok(()) } else { Err(Failure::NotFinite) }
    }

    /// Factors `A + I = L Lᵀ` once per problem.
    pub(crate) fn factor(&mut self) -> Result<(), Failure> {
        if !self.factored {
            let mut factor = self.factor.as_mut().submatrix_mut(0, 0, self.size, self.size);
            factor.copy_from_triangular_lower(self.matrix.as_ref().submatrix(0, 0, self.size, self.size));
            for i in 0..self.size {
                factor[(i, i)] += 1.0;
            }
            factor_in_place(self.instruction_set, factor)?;
            self.factored = true;
        }
        Ok(())
    }

    /// Copies the k leading eigenvectors into `basis`, the largest eigenvalue first.
    pub(crate) fn leading(&mut self, dimension: usize) {
        let size = self.size;
        let vectors = self.vectors.as_ref().submatrix(0, 0, size, dimension);
        self.basis.as_mut().submatrix_mut(0, 0, size, dimension).copy_from(vectors);
    }
}
