//! Lemma B.1, equation 46: the supervised linear model on views.
//!
//! `min_V mean E‖yᵢ − V τ(xᵢ)‖²` is solved by `V* = Bᵀ S⁻¹`, with objective `y² − tr(Bᵀ S⁻¹ B)`. On inputs without views the
//! same model's squared loss is `y² − 2 tr(V B̃) + tr(V C̃ Vᵀ)`.
//!
//! Cost: 2d²ℓ (two solves) + 2d²ℓ (loss) flops.

use eigensweep_spectral::cholesky::solve_in_place;
use faer::linalg::matmul::matmul;
use faer::{Accum, MatRef, Par};

use crate::closed_forms::ClosedForms;
use crate::moments::Moments;

/// The supervised model's losses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Supervised {
    /// Expected squared loss over views and sample.
    pub objective: f64,
    /// Squared loss on the inputs without views.
    pub loss: f64,
}

impl ClosedForms {
    /// Solves Lemma B.1 for the prepared moments; [`supervised_map`](Self::supervised_map) holds the model.
    pub fn supervised(&mut self, moments: &Moments<'_>) -> Supervised {
        let (size, labels) = (self.size, moments.view_labels.ncols());
        let mut map = self.map.as_mut().submatrix_mut(0, 0, size, labels);
        map.copy_from(moments.view_labels);
        let factor = self.factor.as_ref().submatrix(0, 0, size, size);
        solve_in_place(factor, map.as_mut());
        let map = map.as_ref();
        let mut product = self.product.as_mut().submatrix_mut(0, 0, size, labels);
        matmul(product.as_mut(), Accum::Replace, moments.inputs, map, 1.0, Par::Seq);
        let on_inputs = inner(map, product.as_ref()) - 2.0 * inner(map, moments.input_labels);
        Supervised {
            objective: moments.label_power - inner(map, moments.view_labels),
            loss: moments.label_power + on_inputs,
        }
    }

    /// `V*ᵀ` (d × ℓ) of the last [`supervised`](Self::supervised).
    #[must_use]
    pub fn supervised_map(&self) -> MatRef<'_, f64> {
        self.map.as_ref().subrows(0, self.size)
    }
}

/// `tr(AᵀB)`.
pub(crate) fn inner(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    let columns = a.col_iter().zip(b.col_iter());
    columns.map(|(x, y)| x.iter().zip(y.iter()).map(|(p, q)| p * q).sum::<f64>()).sum()
}
