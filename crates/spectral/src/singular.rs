//! Singular values and vectors of a square matrix.
//!
//! `M = U Φ Pᵀ`. Reconstruction's general path takes them from `C L⁻ᵀ` directly: squaring it to
//! `L⁻¹ CᵀC L⁻ᵀ` would leave the small φ with an error of √ε·φ₁.
//!
//! Backward stable: exact for a matrix within a small multiple of d·ε·‖M‖ of M (the tests bound it
//! by 20).
//!
//! Cost: ≈ 20 d³ flops.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::{MatMut, MatRef, Par, Spec};

use crate::Failure;
use crate::scaling::normalize_into;

/// Scratch of [`singular_values`] for a matrix of size `size`.
#[must_use]
pub fn singular_values_scratch(size: usize) -> StackReq {
    StackReq::all_of(&[
        temp_mat_scratch::<f64>(size, size),
        svd_scratch::<f64>(
            size,
            size,
            ComputeSvdVectors::Full,
            ComputeSvdVectors::Full,
            Par::Seq,
            Spec::default(),
        ),
    ])
}

/// Computes `M = U Φ Pᵀ` of a d × d matrix: Φ, descending, into `values` (d), U and P (d × d) into
/// `left` and `right`.
///
/// # Errors
///
/// [`Failure::NotFinite`] if M or a singular value (near the largest f64) is not;
/// [`Failure::NoConvergence`].
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn singular_values(
    matrix: MatRef<'_, f64>,
    values: &mut [f64],
    left: MatMut<'_, f64>,
    right: MatMut<'_, f64>,
    stack: &mut MemStack,
) -> Result<(), Failure> {
    let size = matrix.nrows();
    assert!(matrix.ncols() == size && values.len() == size, "a square matrix and its d singular values");
    assert!(
        [left.nrows(), left.ncols(), right.nrows(), right.ncols()].iter().all(|&n| n == size),
        "room for d × d singular vectors on both sides"
    );
    let (mut scaled, stack) = temp_mat_zeroed::<f64, _, _>(size, size, stack);
    let mut scaled = scaled.as_mat_mut();
    let unit = normalize_into(matrix, scaled.as_mut())?;
    svd(
        scaled.as_ref(),
        DiagMut::from_slice_mut(values),
        Some(left),
        Some(right),
        Par::Seq,
        stack,
        Spec::default(),
    )
    .map_err(|_| Failure::NoConvergence)?;
    for x in values.iter_mut() {
        *x *= unit;
    }
    if values.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
}
