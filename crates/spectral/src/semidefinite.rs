//! Quadratic forms `tr(Rᵀ M⁺ R)` with the pseudo-inverse of a positive semidefinite matrix.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | M | `matrix` | k × k | positive semidefinite, lower triangle read, destroyed |
//! | R | `right` | k × ℓ | its columns in the range of M, destroyed |
//!
//! A probe on a representation explains `tr(Rᵀ M⁺ R)` of the labels' power, `M = VᵀC̃V`,
//! `R = VᵀB̃`; M is singular whenever there are fewer samples than components.
//!
//! Method: equilibrate to unit diagonal and factor, `M = L Lᵀ`: the form is `‖L⁻¹R‖²`. A plain
//! Cholesky does where M is safely definite; otherwise Cholesky with diagonal pivoting stops at the
//! first pivot that is rounding.
//!
//! Numerics: a kept pivot of the size of rounding does no harm, since its numerator is the square
//! of a rounding error; a *diagonal entry* that is rounding would be blown up to 1 by the
//! equilibration, so entries at or below `floor` are dropped first.
//!
//! Cost: k³/3 + k²ℓ flops; with pivoting in k passes over what remains of the triangle.

use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::temp_mat_scratch;
use faer::linalg::temp_mat_zeroed;
use faer::mat::AsMatMut;
use faer::{MatMut, MatRef};
use pulp::{Simd, WithSimd};

use crate::dense::product::{column, column_mut};
use crate::dense::{factor_in_place, solve_lower_in_place};
use crate::lanes::InstructionSet;

/// Scratch of [`explained_power`] for a matrix of size `size`.
#[must_use]
pub fn explained_power_scratch(size: usize) -> StackReq {
    StackReq::all_of(&[StackReq::new::<f64>(size), temp_mat_scratch::<f64>(size, size)])
}

/// Returns `tr(Rᵀ M⁺ R)`; rows and columns of M whose diagonal entry is not above `floor` count as
/// zero.
///
/// Not finite if M or R is not.
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn explained_power(
    instruction_set: InstructionSet,
    mut matrix: MatMut<'_, f64>,
    mut right: MatMut<'_, f64>,
    floor: f64,
    stack: &mut MemStack,
) -> f64 {
    let size = matrix.nrows();
    let width = right.ncols();
    assert!(matrix.ncols() == size && right.nrows() == size, "k × k and k × ℓ");
    let (mut scale, stack) = stack.make_with::<f64>(size, |i| {
        let entry = matrix[(i, i)];
        // Not `entry <= floor`: a NaN must stay visible.
        if entry <= floor.max(0.0) { 0.0 } else { 1.0 / entry.sqrt() }
    });
    let scale = &mut *scale;
    for j in 0..size {
        for i in j..size {
            // One factor after the other: their product overflows where M is subnormal.
            matrix[(i, j)] = matrix[(i, j)] * scale[i] * scale[j];
        }
    }
    for c in 0..width {
        for (i, s) in scale.iter().enumerate() {
            right[(i, c)] *= s;
        }
    }
    let (mut factor, _) = temp_mat_zeroed::<f64, _, _>(size, size, stack);
    let mut factor = factor.as_mat_mut();
    factor.copy_from_triangular_lower(matrix.as_ref());
    if factor_in_place(instruction_set, factor.as_mut()).is_ok() {
        solve_lower_in_place(instruction_set, factor.as_ref(), right.as_mut());
        // In the order of the numbers: a vectorised sum would depend on the width of registers.
        right.as_ref().col_iter().map(|column| column.iter().map(|x| x * x).sum::<f64>()).sum()
    } else {
        instruction_set.run(Pivoted { matrix, right })
    }
}

/// Steps whose updates of what remains are taken together, so that it comes near once for them.
const TOGETHER: usize = 8;

/// The same for an equilibrated M (unit or zero diagonal) that may be singular, pivot by pivot: each
/// entry takes the updates of the steps in their order, unfused.
struct Pivoted<'a> {
    matrix: MatMut<'a, f64>,
    right: MatMut<'a, f64>,
}

impl WithSimd for Pivoted<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let Self { mut matrix, mut right } = self;
        let (size, width) = (right.nrows(), right.ncols());
        let tolerance = size as f64 * f64::EPSILON;
        // Below, rows without a safe pivot are never looked at again: what is not finite must not
        // hide there.
        let finite = (0..size).all(|j| column(matrix.as_ref(), j)[j..].iter().all(|x| x.is_finite()));
        if !finite || !right.as_ref().is_all_finite() {
            return f64::NAN;
        }
        let mut explained = 0.0;
        for step in 0..size {
            let (at, pivot) = largest_pivot(matrix.as_ref(), step);
            if pivot <= tolerance {
                break;
            }
            exchange(matrix.as_mut(), step, at);
            let root = pivot.sqrt();
            for c in 0..width {
                (right[(step, c)], right[(at, c)]) = (right[(at, c)], right[(step, c)]);
                right[(step, c)] /= root;
                explained += right[(step, c)] * right[(step, c)];
            }
            // Column `step` of L; of what remains, the diagonal is updated at once.
            let first = step - step % TOGETHER;
            let (done, mut rest) = matrix.as_mut().split_at_col_mut(step);
            let own = column_mut(rest.as_mut(), 0);
            for q in first..step {
                let factor = column(done.as_ref(), q);
                subtract(&mut own[step + 1..], &factor[step + 1..], factor[step]);
            }
            own[step + 1..].iter_mut().for_each(|x| *x /= root);
            for j in step + 1..size {
                let x = matrix[(j, step)];
                matrix[(j, j)] -= x * x;
                for c in 0..width {
                    let update = x * right[(step, c)];
                    right[(j, c)] -= update;
                }
            }
            if step % TOGETHER + 1 == TOGETHER {
                let (done, mut rest) = matrix.as_mut().split_at_col_mut(step + 1);
                let factors: [&[f64]; TOGETHER] = std::array::from_fn(|q| column(done.as_ref(), first + q));
                for n in step + 1..size {
                    let own = &mut column_mut(rest.as_mut(), n - step - 1)[n + 1..];
                    let by = factors.map(|factor| factor[n]);
                    let factors = factors.map(|factor| &factor[n + 1..][..own.len()]);
                    for (i, x) in own.iter_mut().enumerate() {
                        for q in 0..TOGETHER {
                            *x -= factors[q][i] * by[q];
                        }
                    }
                }
            }
        }
        explained
    }
}

/// x ← x − c y, not fused.
#[inline(always)]
fn subtract(x: &mut [f64], y: &[f64], factor: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        *x -= y * factor;
    }
}

/// Place and value of the largest remaining pivot.
fn largest_pivot(matrix: MatRef<'_, f64>, step: usize) -> (usize, f64) {
    let mut best = (step, matrix[(step, step)]);
    for i in step + 1..matrix.nrows() {
        if matrix[(i, i)] > best.1 {
            best = (i, matrix[(i, i)]);
        }
    }
    best
}

/// Exchanges rows and columns p ≤ q of what remains, from row and column p on, of a symmetric
/// matrix in its lower triangle, and of the columns of L whose updates are to come.
fn exchange(mut matrix: MatMut<'_, f64>, p: usize, q: usize) {
    if p == q {
        return;
    }
    let size = matrix.nrows();
    let mut swap = |one: (usize, usize), other: (usize, usize)| {
        (matrix[one], matrix[other]) = (matrix[other], matrix[one]);
    };
    (p - p % TOGETHER..p).for_each(|done| swap((p, done), (q, done)));
    swap((p, p), (q, q));
    (p + 1..q).for_each(|i| swap((i, p), (q, i)));
    (q + 1..size).for_each(|i| swap((i, p), (i, q)));
}
