//! One problem at a time with faer's blocked algorithms: large d, and the general path where Σ has a zero.
//!
//! The rounding of blocked products depends on their shapes: everything after the eigenproblem is done for each k by itself,
//! with exactly k columns, so that the metrics at one k do not depend on which others are asked for.

use eigensweep_spectral::MemStack;
use eigensweep_spectral::cholesky::{factor_in_place, factor_scratch};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::symmetric::eigenvectors_scratch;
use eigensweep_spectral::{Failure, MemBuffer, StackReq};
use faer::Mat;

use super::Additive;
use crate::closed_forms::{ClosedForms, Encoder};
use crate::leakage::{Leakage, Population};
use crate::probing::Probe;
use crate::representation::{Representation, relative_gap};

/// Which form of the problem was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// Σ is positive definite: A, b and, once asked for, L.
    Scaled { factored: bool },
    /// Σ has a zero: S in `matrix`, factored in `general`.
    General,
}

/// Workspace for additive problems of up to d inputs and ℓ labels. Every method answers for the problem that was
/// [`prepare`](Self::prepare)d last.
pub(super) struct BlockedSolver {
    pub(super) path: Path,
    pub(super) size: usize,
    /// Σ^½ (d × 1).
    pub(super) root: Mat<f64>,
    /// A, both triangles (scaled path) or S (general path).
    pub(super) matrix: Mat<f64>,
    /// b (d × ℓ).
    pub(super) scaled_labels: Mat<f64>,
    /// L of A + I.
    pub(super) factor: Mat<f64>,
    pub(super) work: Mat<f64>,
    pub(super) form: Mat<f64>,
    /// Eigenvectors, in ascending order of the eigenvalues.
    pub(super) vectors: Mat<f64>,
    pub(super) basis: Mat<f64>,
    pub(super) right: Mat<f64>,
    /// Eigenvalues, descending.
    pub(super) values: Vec<f64>,
    pub(super) probe: Probe,
    pub(super) leakage: Leakage,
    pub(super) general: ClosedForms,
    pub(super) memory: MemBuffer,
}

impl BlockedSolver {
    /// Workspace for up to `size` = d inputs, of which up to `noise_components` = p are noise, and `labels` = ℓ.
    pub(super) fn new(
        instruction_set: InstructionSet,
        size: usize,
        noise_components: usize,
        labels: usize,
    ) -> Self {
        let square = || Mat::zeros(size, size);
        let scratch = StackReq::any_of(&[factor_scratch(size), eigenvectors_scratch(size)]);
        Self {
            path: Path::General,
            size,
            root: Mat::zeros(size, 1),
            matrix: square(),
            scaled_labels: Mat::zeros(size, labels),
            factor: square(),
            work: square(),
            form: square(),
            vectors: square(),
            basis: square(),
            right: Mat::zeros(size, labels),
            values: vec![0.0; size],
            probe: Probe::new(instruction_set, size, labels),
            leakage: Leakage::new(instruction_set, size, noise_components),
            general: ClosedForms::new(size, labels),
            memory: MemBuffer::new(scratch),
        }
    }

    /// Chooses the problem: scales it by Σ^(−½), or factors S where Σ has a zero.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is not; [`Failure::NotFinite`].
    pub(super) fn prepare(&mut self, problem: &Additive<'_>) -> Result<(), Failure> {
        self.size = problem.sigma.len();
        if problem.sigma.iter().any(|s| *s <= 0.0) {
            return self.prepare_general(problem);
        }
        self.path = Path::Scaled { factored: false };
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
        for c in 0..problem.input_labels.ncols() {
            for i in 0..size {
                let b = problem.input_labels[(i, c)] / self.root[(i, 0)];
                finite &= b.is_finite();
                self.scaled_labels[(i, c)] = b;
            }
        }
        if finite { Ok(()) } else { Err(Failure::NotFinite) }
    }

    fn prepare_general(&mut self, problem: &Additive<'_>) -> Result<(), Failure> {
        self.path = Path::General;
        let mut views = self.matrix.as_mut().submatrix_mut(0, 0, self.size, self.size);
        views.copy_from(problem.inputs);
        for (i, sigma) in problem.sigma.iter().enumerate() {
            views[(i, i)] += sigma;
        }
        self.general.prepare(&problem.moments(views.as_ref()))
    }

    /// Factors `A + I = L Lᵀ` once per problem.
    pub(super) fn factor(&mut self) -> Result<(), Failure> {
        if self.path == (Path::Scaled { factored: false }) {
            let mut factor = self.factor.as_mut().submatrix_mut(0, 0, self.size, self.size);
            factor.copy_from_triangular_lower(self.matrix.as_ref().submatrix(0, 0, self.size, self.size));
            for i in 0..self.size {
                factor[(i, i)] += 1.0;
            }
            factor_in_place(factor, MemStack::new(&mut self.memory))?;
            self.path = Path::Scaled { factored: true };
        }
        Ok(())
    }

    /// Copies the k leading eigenvectors into `basis`, the largest eigenvalue first.
    pub(super) fn leading(&mut self, dimension: usize) {
        let size = self.size;
        let vectors = self.vectors.as_ref().submatrix(0, size - dimension, size, dimension);
        self.basis.as_mut().submatrix_mut(0, 0, size, dimension).copy_from(vectors.reverse_cols());
    }

    /// Divides the first k columns of `basis` by Σ^½.
    pub(super) fn unscale(&mut self, dimension: usize) {
        for j in 0..dimension {
            for i in 0..self.size {
                self.basis[(i, j)] /= self.root[(i, 0)];
            }
        }
    }

    /// Metrics of the general path's encoder at each of the `dimensions`.
    pub(super) fn represent_general(
        encoder: Encoder<'_>,
        squared: bool,
        problem: &Additive<'_>,
        dimensions: &[usize],
        population: Option<Population<'_>>,
        (probe, leakage): (&mut Probe, &mut Leakage),
        out: &mut [Representation],
    ) {
        for (&k, to) in dimensions.iter().zip(out) {
            let basis = encoder.basis.subcols(0, k);
            let gap = match squared {
                false => relative_gap(encoder.spectrum, k),
                true => squared_gap(encoder.spectrum, k),
            };
            *to = Representation {
                loss: probe.loss(basis, problem.inputs, problem.input_labels, problem.label_power),
                leakage: population.map(|population| leakage.of(basis, population)),
                gap,
            };
        }
    }
}

/// [`relative_gap`] of the squares of a descending spectrum.
fn squared_gap(descending: &[f64], dimension: usize) -> Option<f64> {
    let next = descending.get(dimension)?;
    let kth = descending[dimension - 1];
    let first = descending[0];
    Some(if first > 0.0 { ((kth - next) / first) * ((kth + next) / first) } else { 0.0 })
}
