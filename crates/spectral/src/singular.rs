//! Singular values and vectors of a matrix with no more columns than rows.
//!
//! `M = U Φ Pᵀ`. Reconstruction's general path takes them from `C T` (`C L⁻ᵀ`) directly: squaring it
//! to `TᵀCᵀC T` would leave the small φ with an error of √ε·φ₁.
//!
//! Backward stable: exact for a matrix within a small multiple of d·ε·‖M‖ of M (the tests bound it
//! by 20).
//!
//! Cost: ≈ 20 d³ flops of a square one.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::{MatMut, MatRef, Par, Spec};

use crate::Failure;
use crate::scaling::normalize_into;

/// Scratch of [`singular_values`] for matrices of up to `size` rows.
#[must_use]
pub fn singular_values_scratch(size: usize) -> StackReq {
    // What faer needs does not grow with the columns throughout: tall matrices take another way.
    let of = |columns| {
        let thin = ComputeSvdVectors::Thin;
        svd_scratch::<f64>(size, columns, thin, thin, Par::Seq, Spec::default())
    };
    let most = (1..=size).map(of).fold(StackReq::EMPTY, StackReq::or);
    StackReq::all_of(&[temp_mat_scratch::<f64>(size, size), most])
}

/// Computes `M = U Φ Pᵀ` of a d × r matrix, r ≤ d: Φ, descending, into `values` (r), U (d × r) and
/// P (r × r) into `left` and `right`.
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
    let (size, rank) = (matrix.nrows(), matrix.ncols());
    assert!(rank <= size && values.len() == rank, "no more columns than rows, and r singular values");
    assert!((left.nrows(), left.ncols()) == (size, rank), "room for d × r left singular vectors");
    assert!((right.nrows(), right.ncols()) == (rank, rank), "room for r × r right singular vectors");
    let (mut scaled, stack) = temp_mat_zeroed::<f64, _, _>(size, rank, stack);
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
