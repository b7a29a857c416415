//! Singular values and vectors of a square matrix.
//!
//! `M = U Φ Pᵀ`. Reconstruction's general path takes them from `C L⁻ᵀ` directly: squaring it to `L⁻¹ CᵀC L⁻ᵀ` would
//! leave the small φ with an error of √ε·φ₁.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{MatMut, MatRef, Par, Spec};

use crate::Failure;

/// Scratch of [`singular_values`] for a matrix of size `size`.
#[must_use]
pub fn singular_values_scratch(size: usize) -> StackReq {
    svd_scratch::<f64>(
        size,
        size,
        ComputeSvdVectors::Full,
        ComputeSvdVectors::Full,
        Par::Seq,
        Spec::default(),
    )
}

/// Computes `M = U Φ Pᵀ` of a d × d matrix: Φ, descending, into `values` (d), U and P (d × d) into `left` and `right`.
///
/// # Errors
///
/// [`Failure::NotFinite`] and [`Failure::NoConvergence`].
pub fn singular_values(
    matrix: MatRef<'_, f64>,
    values: &mut [f64],
    left: MatMut<'_, f64>,
    right: MatMut<'_, f64>,
    stack: &mut MemStack,
) -> Result<(), Failure> {
    if !matrix.is_all_finite() {
        return Err(Failure::NotFinite);
    }
    svd(matrix, DiagMut::from_slice_mut(values), Some(left), Some(right), Par::Seq, stack, Spec::default())
        .map_err(|_| Failure::NoConvergence { iterations: 30 })?;
    if values.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
}
