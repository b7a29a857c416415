//! Singular values and vectors of a matrix with no more columns than rows.
//!
//! `M = U Φ Pᵀ`. Reconstruction's general path takes them from `C T` (`C L⁻ᵀ`) directly: squaring it
//! to `TᵀCᵀC T` would leave the small φ with an error of √ε·φ₁.
//!
//! Divide and conquer, as fast as it is, may find a triplet twice in a matrix of low rank (faer 0.24:
//! 784 × 784 of rank 64), or no numbers at all (765 × 765 of rank 489, in two of a hundred orders of
//! the rows that it was made of). The sum of squares shows it, and then the iteration is the slower one
//! of implicit QR steps.
//!
//! Backward stable: exact for a matrix within a small multiple of d·ε·‖M‖ of M (the tests bound it
//! by 20).
//!
//! Cost: ≈ 20 d³ flops of a square one.

use faer::diag::DiagMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::svd::{ComputeSvdVectors, SvdParams, svd, svd_scratch};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::{Auto, MatMut, MatRef, Par, Spec};

use crate::Failure;
use crate::scaling::normalize_into;

/// Share of ‖M‖² by which the squares of the singular values may differ from it: far above what is
/// rounding, d·ε, and far below what a triplet that is found twice adds.
const TWICE: f64 = 1e-10;

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
    mut left: MatMut<'_, f64>,
    mut right: MatMut<'_, f64>,
    stack: &mut MemStack,
) -> Result<(), Failure> {
    let (size, rank) = (matrix.nrows(), matrix.ncols());
    assert!(rank <= size && values.len() == rank, "no more columns than rows, and r singular values");
    assert!((left.nrows(), left.ncols()) == (size, rank), "room for d × r left singular vectors");
    assert!((right.nrows(), right.ncols()) == (rank, rank), "room for r × r right singular vectors");
    let (mut scaled, stack) = temp_mat_zeroed::<f64, _, _>(size, rank, stack);
    let mut scaled = scaled.as_mat_mut();
    let unit = normalize_into(matrix, scaled.as_mut())?;
    let scaled = scaled.as_ref();
    let divided = decompose(scaled, values, (left.as_mut(), right.as_mut()), stack, Spec::default());
    let (power, found) = (scaled.squared_norm_l2(), values.iter().map(|x| x * x).sum::<f64>());
    let finite = found.is_finite() && left.as_ref().is_all_finite() && right.as_ref().is_all_finite();
    if divided.is_err() || !finite || (found - power).abs() > TWICE * power {
        let never_divide = SvdParams { recursion_threshold: usize::MAX, ..<SvdParams as Auto<f64>>::auto() };
        decompose(scaled, values, (left, right), stack, Spec::new(never_divide))?;
    }
    for x in values.iter_mut() {
        *x *= unit;
    }
    if values.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
}

/// faer's decomposition.
fn decompose(
    matrix: MatRef<'_, f64>,
    values: &mut [f64],
    (left, right): (MatMut<'_, f64>, MatMut<'_, f64>),
    stack: &mut MemStack,
    parameters: Spec<SvdParams, f64>,
) -> Result<(), Failure> {
    let values = DiagMut::from_slice_mut(values);
    svd(matrix, values, Some(left), Some(right), Par::Seq, stack, parameters)
        .map_err(|_| Failure::NoConvergence)
}
