//! Theorem 3.1: reconstruction in closed form.
//!
//! `min_{E,D} mean E‖xᵢ − D E τ(xᵢ)‖²`. With the SVD `C S^(−1/2) = R Φ Pᵀ`: `E* = T Pₖᵀ S^(−1/2)`, `D* = Rₖ Φₖ T⁻¹`. As a pencil:
//! the rows of E* span the top-k eigenvectors of (CᵀC, S), eigenvalues φ²; objective `tr(XᵀX)/n − Σᵢ≤ₖ φᵢ²`.
//!
//! Here `C L⁻ᵀ = R Φ Pᵀ` by a singular value decomposition, not by squaring: every φ has an error of a few d·ε·φ₁.
//!
//! Cost: d³ (solve) + ≈ 20d³ (SVD with both sides) + d³ (back) flops.

use eigensweep_spectral::cholesky::{solve_lower_in_place, solve_lower_transpose_in_place};
use eigensweep_spectral::singular::singular_values;
use eigensweep_spectral::{Failure, MemStack};
use faer::MatRef;
use faer::reborrow::IntoConst;

use crate::closed_forms::{ClosedForms, Encoder};
use crate::moments::Moments;

impl ClosedForms {
    /// Solves Theorem 3.1 for the prepared moments: φ, the rows of E* (T = I) and [`decoder_directions`].
    ///
    /// # Errors
    ///
    /// [`Failure`] if the singular value problem has no finite answer.
    ///
    /// [`decoder_directions`]: Self::decoder_directions
    pub fn reconstruction(&mut self, moments: &Moments<'_>) -> Result<Encoder<'_>, Failure> {
        let size = self.size;
        let factor = self.factor.as_ref().submatrix(0, 0, size, size);
        let mut work = self.work.as_mut().submatrix_mut(0, 0, size, size);
        work.copy_from(moments.cross);
        // C L⁻ᵀ = (L⁻¹ Cᵀ)ᵀ.
        solve_lower_in_place(factor, work.as_mut().transpose_mut());
        let left = self.left.as_mut().submatrix_mut(0, 0, size, size);
        let mut right = self.right.as_mut().submatrix_mut(0, 0, size, size);
        let values = &mut self.values[..size];
        singular_values(work.as_ref(), values, left, right.as_mut(), MemStack::new(&mut self.memory))?;
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, size);
        basis.copy_from(right);
        solve_lower_transpose_in_place(factor, basis.as_mut());
        Ok(Encoder { spectrum: values, basis: basis.into_const() })
    }

    /// R (d × d) of the last [`reconstruction`](Self::reconstruction): `D* = Rₖ Φₖ`.
    #[must_use]
    pub fn decoder_directions(&self) -> MatRef<'_, f64> {
        self.left.as_ref().submatrix(0, 0, self.size, self.size)
    }
}

impl Encoder<'_> {
    /// Reconstruction's objective at dimension k: `tr(XᵀX)/n − Σᵢ≤ₖ φᵢ²`; `input_power` is `tr(XᵀX)/n`.
    #[must_use]
    pub fn reconstruction_objective(&self, dimension: usize, input_power: f64) -> f64 {
        input_power - self.spectrum[..dimension].iter().map(|phi| phi * phi).sum::<f64>()
    }
}
