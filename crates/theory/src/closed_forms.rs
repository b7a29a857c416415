//! The closed forms for any moments `(G, S, C, B)`: dense Σ, mean views that differ from the inputs, ill-conditioned S.
//!
//! All three begin with the Cholesky factor `S = L Lᵀ` in place of the paper's `S^(−1/2)`: `S^(−1/2) = O L⁻¹` with O orthogonal, so
//! spectra are the same and row spaces are the same. Only S itself, never `S⁻¹`, is formed.
//!
//! Each theorem is a method in a file of its own name: `supervised`, `joint_embedding`, `reconstruction`.

use eigensweep_spectral::cholesky::{factor_safely_in_place, factor_scratch};
use eigensweep_spectral::singular::singular_values_scratch;
use eigensweep_spectral::symmetric::eigenvectors_scratch;
use eigensweep_spectral::{Failure, MemBuffer, MemStack, StackReq};
use faer::{Mat, MatRef};

use crate::moments::Moments;

/// Workspace of the closed forms for d inputs and ℓ labels, and their last results.
pub struct ClosedForms {
    pub(crate) size: usize,
    /// L, lower triangle.
    pub(crate) factor: Mat<f64>,
    pub(crate) work: Mat<f64>,
    pub(crate) left: Mat<f64>,
    pub(crate) right: Mat<f64>,
    pub(crate) basis: Mat<f64>,
    pub(crate) values: Vec<f64>,
    pub(crate) map: Mat<f64>,
    pub(crate) product: Mat<f64>,
    pub(crate) memory: MemBuffer,
}

impl std::fmt::Debug for ClosedForms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClosedForms {{ size: {} }}", self.size)
    }
}

/// An encoder as a spectrum and a basis of its row space, complete: the leading k columns serve every dimension k.
#[derive(Clone, Copy, Debug)]
pub struct Encoder<'a> {
    /// d values, descending: ω of the pencil (G, S) for joint-embedding, the singular values φ for reconstruction.
    pub spectrum: &'a [f64],
    /// V (d × d): the encoder is `Vₖᵀ`, normalised so that `VᵀSV = I`.
    pub basis: MatRef<'a, f64>,
}

impl ClosedForms {
    /// Workspace for up to `size` = d inputs and `labels` = ℓ.
    #[must_use]
    pub fn new(size: usize, labels: usize) -> Self {
        let scratch = StackReq::any_of(&[
            factor_scratch(size),
            eigenvectors_scratch(size),
            singular_values_scratch(size),
        ]);
        let square = || Mat::zeros(size, size);
        Self {
            size,
            factor: square(),
            work: square(),
            left: square(),
            right: square(),
            basis: square(),
            values: vec![0.0; size],
            map: Mat::zeros(size, labels),
            product: Mat::zeros(size, labels),
            memory: MemBuffer::new(scratch),
        }
    }

    /// Factors S: the first step for every paradigm. The other methods answer for the moments that were prepared last.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is not: the theorems' own assumption. [`Failure::NotFinite`].
    pub fn prepare(&mut self, moments: &Moments<'_>) -> Result<(), Failure> {
        self.size = moments.views.nrows();
        let mut factor = self.factor.as_mut().submatrix_mut(0, 0, self.size, self.size);
        factor.copy_from_triangular_lower(moments.views);
        let inverse = self.work.as_mut().submatrix_mut(0, 0, self.size, self.size);
        factor_safely_in_place(factor, inverse, MemStack::new(&mut self.memory))
    }
}
