//! Lemma B.1 in the additive case.
//!
//! With `u = (A + I)⁻¹ b`: `V*ᵀ = Σ^(−½) u`. From `C̃ = S − Σ`, the squared loss on the inputs is
//! `y² − 2 tr(V B̃) + tr(V C̃ Vᵀ) = y² − tr(uᵀb) − ‖u‖²`, and `tr(uᵀb) = ‖L⁻¹b‖²`.
//!
//! Cost: d³/3 (factor, shared with reconstruction) + 2d²ℓ flops.

use eigensweep_spectral::Failure;
use eigensweep_spectral::cholesky::solve_in_place;

use super::Additive;
use super::blocked::{BlockedSolver, Path};
use crate::supervised::inner;

impl BlockedSolver {
    /// The supervised model's squared loss on the inputs without views.
    ///
    /// # Errors
    ///
    /// [`Failure`] if `A + I` cannot be factored or the loss is not finite.
    pub(super) fn supervised(&mut self, problem: &Additive<'_>) -> Result<f64, Failure> {
        let (size, labels) = (self.size, problem.input_labels.ncols());
        let loss = if self.path == Path::General {
            let views = self.matrix.as_ref().submatrix(0, 0, size, size);
            self.general.supervised(&problem.moments(views)).loss
        } else {
            self.factor()?;
            let scaled = self.scaled_labels.as_ref().submatrix(0, 0, size, labels);
            let mut map = self.right.as_mut().submatrix_mut(0, 0, size, labels);
            map.copy_from(scaled);
            solve_in_place(self.factor.as_ref().submatrix(0, 0, size, size), map.as_mut());
            let map = map.as_ref();
            problem.label_power - inner(map, scaled) - inner(map, map)
        };
        if loss.is_finite() { Ok(loss) } else { Err(Failure::NotFinite) }
    }
}
