//! Cholesky factors `S = L Lᵀ` and solves with them, with a test for *safe* positive definiteness.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | S | `matrix` | d × d | symmetric, lower triangle read |
//! | L | `factor` | d × d | lower triangle; Lᵀ in the upper one |
//!
//! The kernels are those of [`dense`], in one order of summation; Lᵀ is kept as well
//! because they go down columns.
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
//! Cost: d³/3 flops for the factor; d² per right-hand side per solve.

use faer::{MatMut, MatRef};

use crate::Failure;
use crate::dense::cholesky::{invert_lower, solve_upper_in_place};
use crate::dense::transposition::Mirror;
use crate::dense::{self, column};
use crate::lanes::InstructionSet;

pub use crate::dense::solve_lower_in_place;

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
/// `inverse` (d × d) is workspace and holds `L⁻¹` afterwards, in its lower triangle. Costs d³/3
/// flops more than the factor.
///
/// # Errors
///
/// As [`factor_in_place`].
///
/// # Panics
///
/// If the shapes do not fit one another, or columns are not contiguous.
pub fn factor_safely_in_place(
    instruction_set: InstructionSet,
    mut matrix: MatMut<'_, f64>,
    mut inverse: MatMut<'_, f64>,
) -> Result<(), Failure> {
    let size = matrix.nrows();
    assert!(inverse.nrows() == size && inverse.ncols() == size, "d × d workspace");
    factor_in_place(instruction_set, matrix.as_mut())?;
    invert_lower(instruction_set, matrix.as_ref(), inverse.as_mut());
    let least = SAFE * size as f64 * f64::EPSILON;
    let power = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>();
    for i in 0..size {
        // Sᵢᵢ is the squared length of row i of L, (S⁻¹)ᵢᵢ that of column i of L⁻¹.
        let own = power(&column(matrix.as_ref(), i)[..=i]);
        let inflation = own * power(&column(inverse.as_ref(), i)[i..]);
        if inflation.is_nan() || inflation * least >= 1.0 {
            return Err(Failure::NotPositiveDefinite { pivot: i });
        }
    }
    Ok(())
}

/// Overwrites a positive definite d × d matrix, of which the lower triangle is read, by its
/// Cholesky factor `L` and, above the diagonal, `Lᵀ`.
///
/// # Errors
///
/// [`Failure::NotPositiveDefinite`] if a pivot is not above d·ε times its diagonal entry,
/// [`Failure::NotFinite`] if the lower triangle holds a NaN or an infinity, or the elimination of
/// an indefinite matrix overflows.
///
/// # Panics
///
/// If the matrix is not square, or its columns are not contiguous.
pub fn factor_in_place(instruction_set: InstructionSet, mut matrix: MatMut<'_, f64>) -> Result<(), Failure> {
    dense::factor_in_place(instruction_set, matrix.as_mut())?;
    instruction_set.run(Mirror { matrix, both: false });
    Ok(())
}

/// Overwrites `rhs` (d × m) by `L⁻ᵀ rhs`; reads Lᵀ.
///
/// # Panics
///
/// If the shapes do not fit one another, or columns are not contiguous.
pub fn solve_lower_transpose_in_place(
    instruction_set: InstructionSet,
    factor: MatRef<'_, f64>,
    rhs: MatMut<'_, f64>,
) {
    solve_upper_in_place(instruction_set, factor, rhs);
}

/// Overwrites `rhs` (d × m) by `S⁻¹ rhs = L⁻ᵀ L⁻¹ rhs`.
///
/// # Panics
///
/// If the shapes do not fit one another, or columns are not contiguous.
pub fn solve_in_place(instruction_set: InstructionSet, factor: MatRef<'_, f64>, mut rhs: MatMut<'_, f64>) {
    solve_lower_in_place(instruction_set, factor, rhs.as_mut());
    solve_lower_transpose_in_place(instruction_set, factor, rhs);
}
