//! The linear probing loss of a representation, from moments alone (equation 93 of the paper).
//!
//! `min_D mean‖yᵢ − D Vᵀx̃ᵢ‖² = y² − tr( (VᵀB̃)ᵀ (VᵀC̃V)⁺ (VᵀB̃) )`, no intercept: the probe is fitted and evaluated on the same
//! sample. The pseudo-inverse is what least squares means where there are fewer samples than dimensions.
//!
//! Cost: 2d²k (C̃V) + dk² + k³/3 + 2dkℓ + k²ℓ flops.

use eigensweep_spectral::semidefinite::{explained_power, explained_power_scratch};
use eigensweep_spectral::{MemBuffer, MemStack};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Workspace to probe representations of up to d inputs.
pub struct Probe {
    product: Mat<f64>,
    power: Mat<f64>,
    right: Mat<f64>,
    memory: MemBuffer,
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Probe {{ size: {}, labels: {} }}", self.right.nrows(), self.right.ncols())
    }
}

impl Probe {
    /// Workspace for `size` = d inputs and right-hand sides of up to `width` columns.
    #[must_use]
    pub fn new(size: usize, width: usize) -> Self {
        Self {
            product: Mat::zeros(size, size),
            power: Mat::zeros(size, size),
            right: Mat::zeros(size, width),
            memory: MemBuffer::new(explained_power_scratch(size)),
        }
    }

    /// Probing loss of the encoder whose row space is spanned by the columns of `basis` (d × k).
    ///
    /// `inputs` is C̃ (d × d, both triangles), `input_labels` B̃ (d × ℓ). The columns of `basis` count as null where
    /// `vᵀC̃v` is not above d·ε times the largest.
    pub fn loss(
        &mut self,
        basis: MatRef<'_, f64>,
        inputs: MatRef<'_, f64>,
        input_labels: MatRef<'_, f64>,
        label_power: f64,
    ) -> f64 {
        let (size, dimension, labels) = (basis.nrows(), basis.ncols(), input_labels.ncols());
        let mut product = self.product.as_mut().submatrix_mut(0, 0, size, dimension);
        let mut power = self.power.as_mut().submatrix_mut(0, 0, dimension, dimension);
        quadratic_form_lower(basis, inputs, product.as_mut(), power.as_mut());
        let mut right = self.right.as_mut().submatrix_mut(0, 0, dimension, labels);
        matmul(right.as_mut(), Accum::Replace, basis.transpose(), input_labels, 1.0, Par::Seq);
        let largest = (0..dimension).fold(0.0_f64, |m, i| m.max(power[(i, i)]));
        let floor = size as f64 * f64::EPSILON * largest;
        label_power - explained_power(power, right, floor, MemStack::new(&mut self.memory))
    }

    /// Loss of least squares on the inputs themselves: the probe of a representation that keeps everything.
    pub fn least_squares_loss(
        &mut self,
        inputs: MatRef<'_, f64>,
        input_labels: MatRef<'_, f64>,
        label_power: f64,
    ) -> f64 {
        let (size, labels) = (inputs.nrows(), input_labels.ncols());
        let mut power = self.power.as_mut().submatrix_mut(0, 0, size, size);
        power.copy_from_triangular_lower(inputs);
        let mut right = self.right.as_mut().submatrix_mut(0, 0, size, labels);
        right.copy_from(input_labels);
        label_power - explained_power(power, right, 0.0, MemStack::new(&mut self.memory))
    }
}

/// Writes `VᵀMV` (k × k, lower triangle) into `form` by way of `product` = M V (d × k); M symmetric, both triangles.
pub(crate) fn quadratic_form_lower(
    basis: MatRef<'_, f64>,
    matrix: MatRef<'_, f64>,
    mut product: MatMut<'_, f64>,
    form: MatMut<'_, f64>,
) {
    matmul(product.as_mut(), Accum::Replace, matrix, basis, 1.0, Par::Seq);
    triangular_matmul(
        form,
        BlockStructure::TriangularLower,
        Accum::Replace,
        basis.transpose(),
        BlockStructure::Rectangular,
        product.as_ref(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}
