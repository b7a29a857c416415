//! Cholesky factors `S = L Lᵀ` and solves with them, with a test for *safe* positive definiteness.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | S | `matrix` | d × d | symmetric, lower triangle read |
//! | L | `factor` | d × d | lower triangle; the strict upper one is neither read nor kept |
//!
//! Numerics: the relative size of a pivot, `Lᵢᵢ²/Sᵢᵢ`, is 1 minus the squared multiple correlation
//! of variable i with the ones before it, so it does not depend on the scaling of the variables.
//! Where it falls to rounding (d·ε) a factor of a singular matrix has been made of rounding errors,
//! and [`factor_in_place`] says so. That is a sign of singularity, not a proof of its absence: the
//! rounding in a pivot is amplified by the conditioning of the block before it. Of random matrices
//! of rank d/2 none in 1000 slips through at d = 10 to 100, of rank d − 1 (one rounded pivot only)
//! one in six does. [`factor_safely_in_place`] looks at each variable's correlation with *all*
//! others, which no ordering hides.
//!
//! Cost: d³/3 flops and one pass over the triangle per block column for the factor; d² per
//! right-hand side per solve.

use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::cholesky::llt::factor::{LltError, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{MatMut, MatRef, Par, Spec};

use crate::Failure;

/// Scratch of [`factor_in_place`] and [`factor_safely_in_place`] for a matrix of size `size`.
#[must_use]
pub fn factor_scratch(size: usize) -> StackReq {
    StackReq::all_of(&[
        cholesky_in_place_scratch::<f64>(size, Par::Seq, Spec::default()),
        StackReq::new::<f64>(size).array(2),
    ])
}

/// Share of a variable's power, in units of d·ε, that [`factor_safely_in_place`] wants the others
/// to leave unexplained.
///
/// Rounding of a singular S leaves a few ε of it; a definite S needs a condition of 1e12 or more to
/// fall below. What is refused has a root on its [`range`](crate::range).
pub(crate) const SAFE: f64 = 10.0;

/// [`factor_in_place`] for a matrix that may be singular: refuses also where a variable is
/// explained by all others together to within 10·d·ε of its power, `1/(Sᵢᵢ (S⁻¹)ᵢᵢ)`, the
/// reciprocal of its variance inflation factor.
///
/// `inverse` (d × d) is workspace and holds `L⁻¹` afterwards. Costs d³ flops more than the factor.
///
/// # Errors
///
/// As [`factor_in_place`].
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn factor_safely_in_place(
    mut matrix: MatMut<'_, f64>,
    mut inverse: MatMut<'_, f64>,
    stack: &mut MemStack,
) -> Result<(), Failure> {
    let size = matrix.nrows();
    assert!(inverse.nrows() == size && inverse.ncols() == size, "d × d workspace");
    let (power, stack) = stack.make_with::<f64>(size, |i| matrix[(i, i)]);
    factor_in_place(matrix.as_mut(), stack)?;
    inverse.fill(0.0);
    for i in 0..size {
        inverse[(i, i)] = 1.0;
    }
    solve_lower_in_place(matrix.as_ref(), inverse.as_mut());
    let least = SAFE * size as f64 * f64::EPSILON;
    for (i, power) in power.iter().enumerate() {
        // (S⁻¹)ᵢᵢ is the squared length of column i of L⁻¹.
        let inflation = *power * inverse.as_ref().col(i).squared_norm_l2();
        if inflation.is_nan() || inflation * least >= 1.0 {
            return Err(Failure::NotPositiveDefinite { pivot: i });
        }
    }
    Ok(())
}

/// Overwrites the lower triangle of a positive definite d × d matrix by its Cholesky factor `L`;
/// what is above the diagonal is overwritten, too.
///
/// # Errors
///
/// [`Failure::NotPositiveDefinite`] if a pivot is not above d·ε times its diagonal entry,
/// [`Failure::NotFinite`] if the lower triangle holds a NaN or an infinity, or the elimination of
/// an indefinite matrix overflows.
///
/// # Panics
///
/// If the matrix is not square.
pub fn factor_in_place(mut matrix: MatMut<'_, f64>, stack: &mut MemStack) -> Result<(), Failure> {
    let size = matrix.nrows();
    assert!(matrix.ncols() == size, "a square matrix");
    let (mut diagonal, stack) = stack.make_with::<f64>(size, |i| matrix[(i, i)]);
    let diagonal = &mut *diagonal;
    if let Err(LltError::NonPositivePivot { index }) =
        cholesky_in_place(matrix.as_mut(), Default::default(), Par::Seq, stack, Spec::default())
    {
        // A NaN fails the comparison of the pivot with zero, too. Elimination neither hides nor
        // makes one: what is not finite stays so in its place, or is the pivot that failed.
        let finite =
            (0..size).all(|j| diagonal[j].is_finite() && (j..size).all(|i| matrix[(i, j)].is_finite()));
        return Err(match finite {
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
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn solve_lower_in_place(factor: MatRef<'_, f64>, rhs: MatMut<'_, f64>) {
    solve_lower_triangular_in_place(factor, rhs, Par::Seq);
}

/// Overwrites `rhs` (d × m) by `L⁻ᵀ rhs`.
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn solve_lower_transpose_in_place(factor: MatRef<'_, f64>, rhs: MatMut<'_, f64>) {
    solve_upper_triangular_in_place(factor.transpose(), rhs, Par::Seq);
}

/// Overwrites `rhs` (d × m) by `S⁻¹ rhs = L⁻ᵀ L⁻¹ rhs`.
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn solve_in_place(factor: MatRef<'_, f64>, mut rhs: MatMut<'_, f64>) {
    solve_lower_in_place(factor, rhs.as_mut());
    solve_lower_transpose_in_place(factor, rhs);
}
