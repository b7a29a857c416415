//! Cholesky factors of one matrix.
//!
//! `M = L Lᵀ`, left-looking: column j takes `Mᵢⱼ − Σ_{p<j} Lᵢₚ Lⱼₚ` for all i ≥ j with registers
//! down the column, a panel of columns at a time from the columns before, then their own among
//! themselves; terms ascend in p whatever the panel.
//!
//! Rounding: backward stable, `|ΔM| ≤ (m + 1)·ε |L||Lᵀ|` (Higham, 2002, theorem 10.3).

use faer::{Accum, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use super::product::{Product, Right, column, column_mut, multiply};
use crate::Failure;
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::Arithmetic;

/// Columns, or rows of a right-hand side, that are treated together.
const PANEL: usize = 8;

/// Overwrites the lower triangle of a positive definite m × m matrix by its Cholesky factor `L`;
/// what is above the diagonal stays.
///
/// # Errors
///
/// [`Failure::NotPositiveDefinite`] if a pivot is not above m·ε times its diagonal entry,
/// [`Failure::NotFinite`] if the lower triangle holds a NaN or an infinity, or the elimination of
/// an indefinite matrix overflows.
///
/// # Panics
///
/// If the matrix is not square, or its columns are not contiguous.
pub fn factor_in_place(instruction_set: InstructionSet, matrix: MatMut<'_, f64>) -> Result<(), Failure> {
    assert!(matrix.nrows() == matrix.ncols(), "a square matrix");
    instruction_set.run(Factor { matrix })
}

/// Overwrites `rhs` (m × n) by `L⁻¹ rhs`.
///
/// # Panics
///
/// If the shapes do not fit one another, or columns are not contiguous.
pub fn solve_lower_in_place(instruction_set: InstructionSet, factor: MatRef<'_, f64>, rhs: MatMut<'_, f64>) {
    assert!(factor.nrows() == factor.ncols() && factor.nrows() == rhs.nrows(), "L is m × m, R is m × n");
    instruction_set.run(Solve { factor, rhs });
}

struct Factor<'a> {
    matrix: MatMut<'a, f64>,
}

impl WithSimd for Factor<'_> {
    type Output = Result<(), Failure>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> Self::Output {
        let mut matrix = self.matrix;
        let size = matrix.nrows();
        let floor = size as f64 * f64::EPSILON;
        for first in (0..size).step_by(PANEL) {
            let width = PANEL.min(size - first);
            let (done, rest) = matrix.as_mut().split_at_col_mut(first);
            let left = done.as_ref().subrows(first, size - first);
            let mut panel = rest.submatrix_mut(first, 0, size - first, width);
            let mut before = [0.0; PANEL];
            for c in 0..width {
                before[c] = panel[(c, c)];
            }
            let columns = (0..first).map(|p| column(left, p));
            multiply(s, Product { to: panel.as_mut(), accum: Accum::Add, columns, right: Right::MinusOwn });
            for c in 0..width {
                let (mut own, mut others) = panel.as_mut().split_at_col_mut(c + 1);
                let own = &mut column_mut(own.as_mut(), c)[c..];
                let pivot = own[0];
                // What is not finite stays so in its column, or makes a pivot so.
                if !pivot.is_finite() || !own.iter().all(|x| x.is_finite()) {
                    return Err(Failure::NotFinite);
                }
                if pivot <= floor * before[c] || pivot <= 0.0 {
                    let mut rest = (first + c + 1..size).flat_map(|j| column(matrix.as_ref(), j)[j..].iter());
                    return Err(match rest.all(|x| x.is_finite()) {
                        true => Failure::NotPositiveDefinite { pivot: first + c },
                        false => Failure::NotFinite,
                    });
                }
                let root = pivot.sqrt();
                own[0] = root;
                scale(s, &mut own[1..], 1.0 / root);
                for (n, other) in (c + 1..width).enumerate() {
                    let from = &own[1 + n..];
                    subtract_multiple(s, &mut column_mut(others.as_mut(), n)[other..], from, from[0]);
                }
            }
        }
        Ok(())
    }
}

struct Solve<'a> {
    factor: MatRef<'a, f64>,
    rhs: MatMut<'a, f64>,
}

impl WithSimd for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { factor, mut rhs } = self;
        let (size, columns) = (rhs.nrows(), rhs.ncols());
        for first in (0..size).step_by(PANEL) {
            let end = size.min(first + PANEL);
            for j in 0..columns {
                let own = &mut column_mut(rhs.as_mut(), j)[first..end];
                for p in 0..own.len() {
                    let solved = own[p] * (1.0 / factor[(first + p, first + p)]);
                    own[p] = solved;
                    let from = &column(factor, first + p)[first + p + 1..end];
                    subtract_multiple(s, &mut own[p + 1..], from, solved);
                }
            }
            let (known, open) = rhs.as_mut().split_at_row_mut(end);
            let columns = (first..end).map(|p| &column(factor, p)[end..]);
            let right = Right::Matrix { right: known.as_ref().subrows(first, end - first), sign: -1.0 };
            multiply(s, Product { to: open, accum: Accum::Add, columns, right });
        }
    }
}

/// x ← c x.
#[inline(always)]
fn scale<S: Simd>(s: S, x: &mut [f64], factor: f64) {
    let (registers, rest) = S::as_mut_simd_f64s(x);
    for x in registers {
        *x = s.mul(*x, s.all(factor));
    }
    for x in rest {
        *x *= factor;
    }
}

/// x ← x − c y, fused; y may be longer.
#[inline(always)]
fn subtract_multiple<S: Simd>(s: S, x: &mut [f64], y: &[f64], factor: f64) {
    let (registers, rest) = S::as_mut_simd_f64s(x);
    let (from, _) = S::as_simd_f64s(y);
    for (x, y) in registers.iter_mut().zip(from) {
        *x = s.sub_mul(*x, *y, s.all(factor));
    }
    let from = &y[registers.len() * S::F64_LANES..];
    for (x, y) in rest.iter_mut().zip(from) {
        *x = (-*y).mul_add(factor, *x);
    }
}

/// Factors a positive semidefinite m × m matrix (lower triangle read), `M = L Lᵀ` with diagonal
/// pivoting: L (m × r) goes to the first columns of `factor`, its rows in the order of M's, and r
/// is returned.
///
/// Each step takes the largest diagonal entry that is left, the first of several; it ends where
/// that is not above `tolerance` times the largest of M, or after `most` steps. What is dropped is
/// positive semidefinite up to rounding, with no entry above that.
///
/// Cost: m r² flops.
///
/// # Errors
///
/// [`Failure::NotFinite`] if the lower triangle is not.
///
/// # Panics
///
/// If `factor` has not m rows, fewer columns than it needs, or columns are not contiguous; if
/// `remaining` is not m long.
pub fn factor_pivoted(
    instruction_set: InstructionSet,
    matrix: MatRef<'_, f64>,
    tolerance: f64,
    most: usize,
    factor: MatMut<'_, f64>,
    remaining: &mut [f64],
) -> Result<usize, Failure> {
    let size = matrix.nrows();
    assert!(matrix.ncols() == size && factor.nrows() == size && remaining.len() == size, "m × m");
    if !(0..size).all(|j| column(matrix, j)[j..].iter().all(|x| x.is_finite())) {
        return Err(Failure::NotFinite);
    }
    Ok(instruction_set.run(FactorPivoted { matrix, tolerance, most, factor, remaining }))
}

/// In place of the remaining diagonal entry of a pivot.
const TAKEN: f64 = f64::NEG_INFINITY;

struct FactorPivoted<'a> {
    matrix: MatRef<'a, f64>,
    tolerance: f64,
    most: usize,
    factor: MatMut<'a, f64>,
    /// The diagonal of what is left.
    remaining: &'a mut [f64],
}

impl WithSimd for FactorPivoted<'_> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> usize {
        let Self { matrix, tolerance, most, mut factor, remaining } = self;
        let size = remaining.len();
        for (i, to) in remaining.iter_mut().enumerate() {
            *to = matrix[(i, i)];
        }
        let mut floor = None;
        for step in 0..most.min(size) {
            let mut at = 0;
            for i in 1..size {
                if remaining[i] > remaining[at] {
                    at = i;
                }
            }
            let pivot = remaining[at];
            let least = *floor.get_or_insert(tolerance * pivot);
            if pivot <= least || pivot <= 0.0 {
                return step;
            }
            let (before, mut own) = factor.as_mut().split_at_col_mut(step);
            let before = before.as_ref();
            let own = column_mut(own.as_mut(), 0);
            for i in 0..size {
                own[i] = matrix[(i.max(at), i.min(at))];
            }
            for q in 0..step {
                subtract_multiple(s, own, column(before, q), before[(at, q)]);
            }
            let root = pivot.sqrt();
            scale(s, own, 1.0 / root);
            own[at] = root;
            for (x, left) in own.iter_mut().zip(&mut *remaining) {
                if *left == TAKEN {
                    // Nothing is left of the row of a pivot.
                    *x = 0.0;
                } else {
                    *left = (-*x).mul_add(*x, *left);
                }
            }
            remaining[at] = TAKEN;
        }
        most.min(size)
    }
}
