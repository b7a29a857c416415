//! Theorem 3.2 in the additive case.
//!
//! `A = Q Λ Qᵀ`, `ω = λ/(1+λ)` in the same order. The basis `vᵢ = Σ^(−½) qᵢ` diagonalizes the probe, `VᵀC̃V = Λ`, so the probing
//! loss is `y² − Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ`: eigenvalues and projections are enough, and eigenvectors are computed for leakage only,
//! beside them: the loss is the same bits with and without.
//!
//! Cost: 4/3 d³ + ≈ 9 d²ℓ flops; for leakage 2dk² + 2d²k more.

use eigensweep_spectral::symmetric::eigenvectors;
use eigensweep_spectral::{Failure, MemStack};
use faer::linalg::matmul::matmul;
use faer::{Accum, Par};

use super::Additive;
use super::blocked::{BlockedSolver, Path};
use crate::leakage::Population;
use crate::representation::Representation;

impl BlockedSolver {
    /// Metrics of the joint-embedding representation at each of the `dimensions`, into `out` in the same order; leakage
    /// where a `population` is given.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the eigenproblem has no finite answer.
    pub(super) fn joint_embedding(
        &mut self,
        problem: &Additive<'_>,
        dimensions: &[usize],
        population: Option<Population<'_>>,
        out: &mut [Representation],
    ) -> Result<(), Failure> {
        let (size, labels) = (self.size, problem.input_labels.ncols());
        if self.path == Path::General {
            let views = self.matrix.as_ref().submatrix(0, 0, size, size);
            let encoder = self.general.joint_embedding(&problem.moments(views))?;
            let workspaces = (&mut self.probe, &mut self.leakage);
            Self::represent_general(encoder, false, problem, dimensions, population, workspaces, out);
            return Ok(());
        }
        let mut work = self.work.as_mut().submatrix_mut(0, 0, size, size);
        work.copy_from_triangular_lower(self.matrix.as_ref().submatrix(0, 0, size, size));
        let mut vectors = self.vectors.as_mut().submatrix_mut(0, 0, size, size);
        eigenvectors(work, &mut self.values[..size], vectors.as_mut(), MemStack::new(&mut self.memory))?;
        self.values[..size].reverse();
        for (&k, to) in dimensions.iter().zip(out.iter_mut()) {
            self.leading(k);
            let basis = self.basis.as_ref().submatrix(0, 0, size, k);
            let mut right = self.right.as_mut().submatrix_mut(0, 0, k, labels);
            let scaled = self.scaled_labels.as_ref().submatrix(0, 0, size, labels);
            matmul(right.as_mut(), Accum::Replace, basis.transpose(), scaled, 1.0, Par::Seq);
            let right = right.as_ref();
            let power = |i: usize| right.row(i).iter().map(|x| x * x).sum();
            let loss = problem.label_power - explained(&self.values[..size], k, power);
            let gap = omega_gap(&self.values[..size], k);
            let leakage = population.map(|population| {
                self.unscale(k);
                self.leakage.of(self.basis.as_ref().submatrix(0, 0, size, k), population)
            });
            *to = Representation { loss, leakage, gap };
        }
        Ok(())
    }
}

/// `Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ` for descending λ, `power(i) = ‖qᵢᵀb‖²`; directions whose λ is rounding (at most d·ε·λ₁) carry nothing.
pub(super) fn explained(values: &[f64], dimension: usize, power: impl Fn(usize) -> f64) -> f64 {
    let floor = values.len() as f64 * f64::EPSILON * values[0];
    (0..dimension).take_while(|&i| values[i] > floor).map(|i| power(i) / values[i]).sum()
}

/// `(ω_k − ω_{k+1})/ω₁` with `ω = λ/(1+λ)`, from differences of descending λ, so that ω near 1 lose nothing; `None` at k = d.
pub(super) fn omega_gap(values: &[f64], dimension: usize) -> Option<f64> {
    let value = |i: usize| values[i].max(0.0);
    if dimension >= values.len() {
        return None;
    }
    let (first, kth, next) = (value(0), value(dimension - 1), value(dimension));
    if first == 0.0 {
        return Some(0.0);
    }
    Some((kth - next) / ((1.0 + kth) * (1.0 + next)) * ((1.0 + first) / first))
}
