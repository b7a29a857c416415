//! Eigenvalues of a symmetric matrix and the projections of ℓ right-hand sides on its eigenvectors, without the
//! eigenvectors.
//!
//! `A = Q Λ Qᵀ`; wanted are `Λ` and `Qᵀ b`: all that joint-embedding's probing loss needs of the pencil.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A | `matrix` | d × d | symmetric, lower triangle read, destroyed |
//! | b | `rows` | d rows of ℓ | right-hand sides, row-major; overwritten by `Qᵀ b` |
//! | Λ | `values` | d | eigenvalues, ascending |
//!
//! Method: Householder tridiagonalization `A = H T Hᵀ` (4/3 d³ flops), the reflectors applied to `b` (4 d² ℓ),
//! implicit QL on T with the rows of `Hᵀ b` rotated along (≈ 5 d² ℓ). Accumulating the d × d eigenvector matrix
//! would take about 6 d³ more. Backward stable: the result is exact for a matrix within a small multiple of
//! d·ε·‖A‖ of A (the tests bound it by 20). Eigenvalues below that are rounding, of either sign.

use faer::MatMut;
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;

use crate::Failure;
use crate::householder::{BLOCK, apply_transpose, householder_scratch, reduce};
use crate::scaling::normalize_lower_in_place;
use crate::tridiagonal::implicit_ql;

/// Scratch of [`eigen_in_place`] for a matrix of size `size` and `width` right-hand sides.
#[must_use]
pub fn eigen_scratch(size: usize, width: usize) -> StackReq {
    StackReq::all_of(&[
        temp_mat_scratch::<f64>(BLOCK, size),
        StackReq::new::<f64>(size),
        StackReq::new::<f64>(size),
        StackReq::any_of(&[
            householder_scratch(size, width),
            StackReq::all_of(&[StackReq::new::<f64>(size * width), StackReq::new::<usize>(size)]),
        ]),
    ])
}

/// Computes the eigenvalues of `matrix` (d × d), ascending, into `values` (d) and overwrites `rows` (d × ℓ, row-major) by
/// their projections on the eigenvectors, in the same order.
///
/// # Errors
///
/// [`Failure::NotFinite`] if A, b or a result (eigenvalues near the largest f64) is not; [`Failure::NoConvergence`].
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn eigen_in_place(
    mut matrix: MatMut<'_, f64>,
    values: &mut [f64],
    rows: &mut [f64],
    stack: &mut MemStack,
) -> Result<(), Failure> {
    let size = matrix.nrows();
    assert!(matrix.ncols() == size && values.len() == size, "a square matrix and its d eigenvalues");
    if size == 0 {
        return Ok(());
    }
    let width = rows.len() / size;
    assert!(rows.len() == size * width, "d rows of equal width");
    let unit = normalize_lower_in_place(matrix.as_mut())?;
    let (mut factor, stack) = temp_mat_zeroed::<f64, _, _>(BLOCK, size - 1, stack);
    let mut factor = factor.as_mat_mut();
    let (mut diagonal, stack) = stack.make_with::<f64>(size, |_| 0.0);
    let (mut off_diagonal, stack) = stack.make_with::<f64>(size, |_| 0.0);
    reduce(matrix.as_mut(), factor.as_mut(), &mut diagonal, &mut off_diagonal, stack);
    let right = MatMut::from_row_major_slice_mut(rows, size, width);
    apply_transpose(matrix.as_ref(), factor.as_ref(), right, stack);
    implicit_ql(&mut diagonal, &mut off_diagonal, rows, width)?;
    sort_ascending(&diagonal, values, rows, width, stack);
    for x in values.iter_mut() {
        *x *= unit;
    }
    if values.iter().chain(rows.iter()).all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
}

/// Writes `unsorted` into `values` in ascending order and permutes the rows with it.
fn sort_ascending(
    unsorted: &[f64],
    values: &mut [f64],
    rows: &mut [f64],
    width: usize,
    stack: &mut MemStack,
) {
    let size = unsorted.len();
    let (mut copy, stack) = stack.make_with::<f64>(size * width, |i| rows[i]);
    let copy = &mut *copy;
    let (mut order, _) = stack.make_with::<usize>(size, |i| i);
    let order = &mut *order;
    order.sort_unstable_by(|&i, &j| unsorted[i].total_cmp(&unsorted[j]).then(i.cmp(&j)));
    for (to, &from) in order.iter().enumerate() {
        values[to] = unsorted[from];
        rows[to * width..][..width].copy_from_slice(&copy[from * width..][..width]);
    }
}
