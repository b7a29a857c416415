//! Theorem 3.2: joint-embedding in closed form.
//!
//! `min_W mean E‖Wτ₁(xᵢ) − Wτ₂(xᵢ)‖²` subject to `mean E[Wτ(xᵢ)τ(xᵢ)ᵀWᵀ] = I`. With `S^(−1/2) G S^(−1/2) = Q Ω Qᵀ`:
//! `W* = U Qₖᵀ S^(−1/2)`. As a pencil: the top-k eigenvectors of (G, S); objective `2 (k − Σᵢ≤ₖ ωᵢ)`.
//!
//! Here `L⁻¹ G L⁻ᵀ = Q Ω Qᵀ` and `V = L⁻ᵀ Q`. Since `G ⪯ S`, ω lies in \[0, 1\] and is found with an absolute error of a few
//! d·ε times the condition of the *equilibrated* S.
//!
//! Cost: d³ (two solves) + ≈ 9d³ (eigenvectors) + d³ (back) flops.

use eigensweep_spectral::cholesky::{solve_lower_in_place, solve_lower_transpose_in_place};
use eigensweep_spectral::symmetric::eigenvectors;
use eigensweep_spectral::{Failure, MemStack};

use faer::reborrow::IntoConst;

use crate::closed_forms::{ClosedForms, Encoder};
use crate::moments::Moments;

impl ClosedForms {
    /// Solves Theorem 3.2 for the prepared moments: ω and the rows of W*.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the eigenproblem has no finite answer.
    pub fn joint_embedding(&mut self, moments: &Moments<'_>) -> Result<Encoder<'_>, Failure> {
        let size = self.size;
        let factor = self.factor.as_ref().submatrix(0, 0, size, size);
        let mut work = self.work.as_mut().submatrix_mut(0, 0, size, size);
        work.copy_from(moments.mean_views);
        solve_lower_in_place(factor, work.as_mut());
        solve_lower_in_place(factor, work.as_mut().transpose_mut());
        let mut vectors = self.left.as_mut().submatrix_mut(0, 0, size, size);
        let values = &mut self.values[..size];
        eigenvectors(work, values, vectors.as_mut(), MemStack::new(&mut self.memory))?;
        values.reverse();
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, size);
        basis.copy_from(vectors.as_ref().reverse_cols());
        solve_lower_transpose_in_place(factor, basis.as_mut());
        Ok(Encoder { spectrum: values, basis: basis.into_const() })
    }
}

impl Encoder<'_> {
    /// Joint-embedding's objective at dimension k: `2 (k − Σᵢ≤ₖ ωᵢ)`, its expectation over pairs of views included.
    #[must_use]
    pub fn joint_embedding_objective(&self, dimension: usize) -> f64 {
        2.0 * self.spectrum[..dimension].iter().map(|omega| 1.0 - omega).sum::<f64>()
    }
}
