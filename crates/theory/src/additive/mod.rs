//! The additive case, `x̄ = x`: all paradigms as scaled symmetric problems.
//!
//! Then `G = C = C̃` and `S = C̃ + Σ`. With Σ diagonal and positive definite (Section 4.1: Σ = Θ + α²Γ), let
//! `A = Σ^(−½) C̃ Σ^(−½)` and `b = Σ^(−½) B̃`: d² scalings in place of a Cholesky factor and two triangular solves. `A + I` has
//! every eigenvalue at least 1, so its Cholesky factor `L` always exists and is safe.
//!
//! - joint-embedding: `A = Q Λ Qᵀ`, `ω = λ/(1+λ)`, basis `Σ^(−½) Q` (`joint_embedding`);
//! - reconstruction: the pencil `(A Σ A, A + I)`, basis `Σ^(−½) L⁻ᵀ P` (`reconstruction`);
//! - supervised: one solve with `A + I` (`supervised`).
//!
//! The metrics at one k must not depend on which other k are asked for, and the rounding of blocked products depends on their
//! shapes: so everything after the eigenproblem of T is done for each k by itself, with exactly k columns.
//!
//! Where Σ has a zero the general path ([`ClosedForms`]) answers, if `S = C̃ + Σ` is positive definite.
//!
//! Source: `mathematics.md` of this project's specification, section 5; Theorems 3.1 and 3.2.

mod joint_embedding;
mod reconstruction;
mod supervised;

use eigensweep_spectral::cholesky::{factor_in_place, factor_scratch};
use eigensweep_spectral::leading::LeadingEigenvectors;
use eigensweep_spectral::projected::eigen_scratch;
use eigensweep_spectral::{Failure, MemBuffer, MemStack, StackReq};
use faer::{Mat, MatRef};

use crate::closed_forms::{ClosedForms, Encoder};
use crate::leakage::{Leakage, Population};
use crate::moments::Moments;
use crate::probing::Probe;
use crate::representation::{Representation, relative_gap};

/// One additive problem.
#[derive(Clone, Copy, Debug)]
pub struct Additive<'a> {
    /// C̃ (d × d), both triangles.
    pub inputs: MatRef<'a, f64>,
    /// B̃ (d × ℓ).
    pub input_labels: MatRef<'a, f64>,
    /// y².
    pub label_power: f64,
    /// Diagonal of Σ (d), ≥ 0.
    pub sigma: &'a [f64],
}

impl<'a> Additive<'a> {
    /// The same problem as general moments; `views` must hold S = C̃ + Σ.
    fn moments(&self, views: MatRef<'a, f64>) -> Moments<'a> {
        Moments {
            mean_views: self.inputs,
            views,
            cross: self.inputs,
            view_labels: self.input_labels,
            inputs: self.inputs,
            input_labels: self.input_labels,
            label_power: self.label_power,
        }
    }
}

/// Which form of the problem was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// Σ is positive definite: A, b and, once asked for, L.
    Scaled { factored: bool },
    /// Σ has a zero: S in `matrix`, factored in `general`.
    General,
}

/// Workspace for additive problems of up to d inputs and ℓ labels. Every method answers for the problem that was
/// [`prepare`](Self::prepare)d last.
pub struct AdditiveSolver {
    path: Path,
    size: usize,
    /// Σ^½ (d × 1).
    root: Mat<f64>,
    /// A, both triangles (scaled path) or S (general path).
    matrix: Mat<f64>,
    /// b (d × ℓ).
    scaled_labels: Mat<f64>,
    /// L of A + I.
    factor: Mat<f64>,
    work: Mat<f64>,
    form: Mat<f64>,
    basis: Mat<f64>,
    right: Mat<f64>,
    /// d·ℓ contiguous numbers: rows of b, then of Qᵀb.
    rows: Mat<f64>,
    /// Eigenvalues, descending.
    values: Vec<f64>,
    eigen: LeadingEigenvectors,
    probe: Probe,
    leakage: Leakage,
    general: ClosedForms,
    memory: MemBuffer,
}

impl std::fmt::Debug for AdditiveSolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AdditiveSolver {{ size: {}, path: {:?} }}", self.size, self.path)
    }
}

impl AdditiveSolver {
    /// Workspace for up to `size` = d inputs, of which up to `noise_components` = p are noise, and `labels` = ℓ.
    #[must_use]
    pub fn new(size: usize, noise_components: usize, labels: usize) -> Self {
        let square = || Mat::zeros(size, size);
        let scratch = StackReq::any_of(&[factor_scratch(size), eigen_scratch(size, labels)]);
        Self {
            path: Path::General,
            size,
            root: Mat::zeros(size, 1),
            matrix: square(),
            scaled_labels: Mat::zeros(size, labels),
            factor: square(),
            work: square(),
            form: square(),
            basis: square(),
            right: Mat::zeros(size, labels),
            rows: Mat::zeros(size * labels, 1),
            values: vec![0.0; size],
            eigen: LeadingEigenvectors::new(size),
            probe: Probe::new(size, labels),
            leakage: Leakage::new(size, noise_components),
            general: ClosedForms::new(size, labels),
            memory: MemBuffer::new(scratch),
        }
    }

    /// Chooses the problem: scales it by Σ^(−½), or factors S where Σ has a zero.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is not; [`Failure::NotFinite`].
    pub fn prepare(&mut self, problem: &Additive<'_>) -> Result<(), Failure> {
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
    fn factor(&mut self) -> Result<(), Failure> {
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

    /// Metrics of the general path's encoder at each of the `dimensions`.
    fn represent_general(
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
