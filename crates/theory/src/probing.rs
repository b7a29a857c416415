//! The linear probing loss of a representation, from moments alone (equation 93 of the paper).
//!
//! `min_D mean‖yᵢ − D Vᵀx̃ᵢ‖² = y² − tr( (VᵀB̃)ᵀ (VᵀC̃V)⁺ (VᵀB̃) )`, no intercept: the probe is
//! fitted and evaluated on the same sample. The pseudo-inverse is what least squares means where
//! there are fewer samples than dimensions.
//!
//! Cost: 2d²k (C̃V) + 2dk² + k³/3 + 2dkℓ + k²ℓ flops.

use eigensweep_spectral::dense::product;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::semidefinite::{explained_power, explained_power_scratch};
use eigensweep_spectral::{MemBuffer, MemStack, StackReq};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::{Accum, Mat, MatMut, MatRef};

/// Workspace to probe representations of up to d inputs.
pub struct Probe {
    instruction_set: InstructionSet,
    image: Mat<f64>,
    turned: Mat<f64>,
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
    pub fn new(instruction_set: InstructionSet, size: usize, width: usize) -> Self {
        Self {
            instruction_set,
            image: Mat::zeros(size, size),
            turned: Mat::zeros(size, size),
            power: Mat::zeros(size, size),
            right: Mat::zeros(size, width),
            memory: MemBuffer::new(explained_power_scratch(size)),
        }
    }

    /// Probing loss of the encoder whose row space is spanned by the columns of `basis` (d × k).
    ///
    /// `inputs` is C̃ (d × d, both triangles), `input_labels` B̃ (d × ℓ). The columns of `basis`
    /// count as null where `vᵀC̃v` is not above d·ε times the largest.
    pub fn loss(
        &mut self,
        basis: MatRef<'_, f64>,
        inputs: MatRef<'_, f64>,
        input_labels: MatRef<'_, f64>,
        label_power: f64,
    ) -> f64 {
        let (size, dimension, labels) = (basis.nrows(), basis.ncols(), input_labels.ncols());
        let image = self.image.as_mut().submatrix_mut(0, 0, size, dimension);
        let mut turned = self.turned.as_mut().submatrix_mut(0, 0, dimension, size);
        let mut power = self.power.as_mut().submatrix_mut(0, 0, dimension, dimension);
        quadratic_form(self.instruction_set, basis, inputs, image, turned.as_mut(), power.as_mut());
        let mut right = self.right.as_mut().submatrix_mut(0, 0, dimension, labels);
        product(self.instruction_set, right.as_mut(), Accum::Replace, turned.as_ref(), input_labels);
        let largest = (0..dimension).fold(0.0_f64, |m, i| m.max(power[(i, i)]));
        let floor = size as f64 * f64::EPSILON * largest;
        label_power
            - explained_power(self.instruction_set, power, right, floor, MemStack::new(&mut self.memory))
    }
}

/// Scratch of [`least_squares_loss`] for up to d inputs and ℓ labels.
#[must_use]
pub fn least_squares_scratch(size: usize, labels: usize) -> StackReq {
    let matrices = [temp_mat_scratch::<f64>(size, size), temp_mat_scratch::<f64>(size, labels)];
    StackReq::all_of(&[matrices[0], matrices[1], explained_power_scratch(size)])
}

/// Loss of least squares on the inputs themselves, C̃ (d × d, lower triangle read): the probe of a
/// representation that keeps everything.
pub fn least_squares_loss(
    instruction_set: InstructionSet,
    inputs: MatRef<'_, f64>,
    input_labels: MatRef<'_, f64>,
    label_power: f64,
    stack: &mut MemStack,
) -> f64 {
    let (size, labels) = (inputs.nrows(), input_labels.ncols());
    let (mut power, stack) = temp_mat_zeroed::<f64, _, _>(size, size, stack);
    let (mut right, stack) = temp_mat_zeroed::<f64, _, _>(size, labels, stack);
    let (mut power, mut right) = (power.as_mat_mut(), right.as_mat_mut());
    power.copy_from_triangular_lower(inputs);
    right.copy_from(input_labels);
    label_power - explained_power(instruction_set, power, right, 0.0, stack)
}

/// Writes `VᵀMV` (k × k) into `form` by way of `image` = M V (d × k) and `turned` = Vᵀ (k × d); M
/// symmetric, both triangles.
pub(crate) fn quadratic_form(
    instruction_set: InstructionSet,
    basis: MatRef<'_, f64>,
    matrix: MatRef<'_, f64>,
    mut image: MatMut<'_, f64>,
    mut turned: MatMut<'_, f64>,
    form: MatMut<'_, f64>,
) {
    product(instruction_set, image.as_mut(), Accum::Replace, matrix, basis);
    turned.copy_from(basis.transpose());
    product(instruction_set, form, Accum::Replace, turned.as_ref(), image.as_ref());
}
