//! Cholesky factors `S = L Lᵀ` and solves with them, with a test for *safe* positive definiteness.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | S | `matrix` | d × d | symmetric, lower triangle read |
//! | L | `factor` | d × d | lower triangle overwritten; the strict upper triangle is untouched |
//!
//! Numerics: the relative size of a pivot, `Lᵢᵢ²/Sᵢᵢ`, is 1 minus the squared multiple correlation of variable i with the
//! ones before it, so it does not depend on the scaling of the variables. Where it falls to rounding (d·ε) a
//! factor of a singular matrix has been made of rounding errors, and [`factor_in_place`] says so.
//!
//! Cost: d³/3 flops and one pass over the triangle per block column for the factor; d² per right-hand side per solve.

use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::cholesky::llt::factor::{LltError, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{MatMut, MatRef, Par, Spec};

use crate::Failure;

/// Scratch of [`factor_in_place`] for a matrix of size `size`.
#[must_use]
pub fn factor_scratch(size: usize) -> StackReq {
    StackReq::all_of(&[
        cholesky_in_place_scratch::<f64>(size, Par::Seq, Spec::default()),
        StackReq::new::<f64>(size),
    ])
}

/// Overwrites the lower triangle of a positive definite d × d matrix by its Cholesky factor `L`.
///
/// # Errors
///
/// [`Failure::NotPositiveDefinite`] if a pivot is not above d·ε times its diagonal entry, [`Failure::NotFinite`] if the
/// diagonal of the factor is not finite.
pub fn factor_in_place(mut matrix: MatMut<'_, f64>, stack: &mut MemStack) -> Result<(), Failure> {
    let size = matrix.nrows();
    let (mut diagonal, stack) = stack.make_with::<f64>(size, |i| matrix[(i, i)]);
    let diagonal = &mut *diagonal;
    if let Err(LltError::NonPositivePivot { index }) =
        cholesky_in_place(matrix.as_mut(), Default::default(), Par::Seq, stack, Spec::default())
    {
        // A NaN fails the comparison of the pivot with zero, too.
        return Err(match diagonal.iter().all(|x| x.is_finite()) {
            true => Failure::NotPositiveDefinite { pivot: index },
            false => Failure::NotFinite,
        });
    }
    let floor = size as f64 * f64::EPSILON;
    for (i, &before) in diagonal.iter().enumerate() {
        let pivot = matrix[(i, i)] * matrix[(i, i)];
        if !pivot.is_finite() {
            return Err(Failure::NotFinite);
        }
        if pivot <= floor * before {
            return Err(Failure::NotPositiveDefinite { pivot: i });
        }
    }
    Ok(())
}

/// Overwrites `rhs` (d × m) by `L⁻¹ rhs`.
pub fn solve_lower_in_place(factor: MatRef<'_, f64>, rhs: MatMut<'_, f64>) {
    solve_lower_triangular_in_place(factor, rhs, Par::Seq);
}

/// Overwrites `rhs` (d × m) by `L⁻ᵀ rhs`.
pub fn solve_lower_transpose_in_place(factor: MatRef<'_, f64>, rhs: MatMut<'_, f64>) {
    solve_upper_triangular_in_place(factor.transpose(), rhs, Par::Seq);
}

/// Overwrites `rhs` (d × m) by `S⁻¹ rhs = L⁻ᵀ L⁻¹ rhs`.
pub fn solve_in_place(factor: MatRef<'_, f64>, mut rhs: MatMut<'_, f64>) {
    solve_lower_in_place(factor, rhs.as_mut());
    solve_lower_transpose_in_place(factor, rhs);
}
