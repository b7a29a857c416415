//! Cholesky factors of one matrix.
//!
//! `M = L Lᵀ`, left-looking: column j takes `Mᵢⱼ − Σ_{p<j} Lᵢₚ Lⱼₚ` for all i ≥ j with registers
//! down the column: a block of columns from all columns before it by one product, a panel of it
//! from the columns of the block before that, then their own among themselves; terms ascend in p
//! whatever block and panel.
//!
//! Rounding: backward stable, `|ΔM| ≤ (m + 1)·ε |L||Lᵀ|` (Higham, 2002, theorem 10.3).

use std::ops::Range;

use faer::reborrow::IntoConst;
use faer::{Accum, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use super::product::{Packing, Product, Right, column, column_mut};
use super::transposition::{put, turned};
use crate::Failure;
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes, register};
use crate::lanes::tiles::turn;

/// Columns that take what the columns before contribute at a time: products of this width.
const BLOCK: usize = 64;

/// Columns of a block that are treated together.
const PANEL: usize = 8;

/// Rows of a right-hand side that are solved for at a time.
const ROWS: usize = 32;

/// Rows that one product takes off all rows below them.
const STRETCH: usize = 96;

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
    let floor = matrix.nrows() as f64 * f64::EPSILON;
    factor_shifted(instruction_set, matrix, 0.0, floor, &mut [])
}

/// The same of `matrix + shift·I`: a pivot must be above `floor` times its diagonal entry. Pivots
/// without the shift, `Lⱼⱼ² − shift` without its cancellation, go to `pivots` (m, or none), up to
/// and with the one that fails.
pub(crate) fn factor_shifted(
    instruction_set: InstructionSet,
    mut matrix: MatMut<'_, f64>,
    shift: f64,
    floor: f64,
    pivots: &mut [f64],
) -> Result<(), Failure> {
    let size = matrix.nrows();
    assert!(matrix.ncols() == size, "a square matrix");
    let mut before = [0.0; BLOCK];
    let mut packing = Packing::new();
    for block in (0..size).step_by(BLOCK) {
        let end = size.min(block + BLOCK);
        for j in block..end {
            before[j - block] = matrix[(j, j)];
        }
        subtract_columns(instruction_set, matrix.as_mut(), 0..block, block..end, &mut packing);
        for first in (block..end).step_by(PANEL) {
            let last = end.min(first + PANEL);
            subtract_columns(instruction_set, matrix.as_mut(), block..first, first..last, &mut packing);
            let panel = matrix.as_mut().submatrix_mut(first, first, size - first, last - first);
            let before = &before[first - block..];
            let pivots = pivots.get_mut(first..last).unwrap_or_default();
            match instruction_set.run(FactorPanel { panel, shift, floor, before, pivots }) {
                Ok(()) => {}
                Err(Stopped::NotFinite) => return Err(Failure::NotFinite),
                Err(Stopped::At(c)) => {
                    let pivot = first + c;
                    let finite = (pivot + 1..size)
                        .all(|j| column(matrix.as_ref(), j)[j..].iter().all(|x| x.is_finite()));
                    return Err(match finite {
                        true => Failure::NotPositiveDefinite { pivot },
                        false => Failure::NotFinite,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Takes what the columns `known` contribute off the columns `of`, on and below the diagonal.
fn subtract_columns(
    instruction_set: InstructionSet,
    matrix: MatMut<'_, f64>,
    known: Range<usize>,
    of: Range<usize>,
    packing: &mut Packing,
) {
    if known.is_empty() {
        return;
    }
    let rows = matrix.nrows() - of.start;
    let (done, rest) = matrix.split_at_col_mut(of.start);
    let left = done.into_const().submatrix(of.start, known.start, rows, known.len());
    let factors = [left, left.subcols(0, 0)];
    instruction_set.run(Product {
        to: rest.submatrix_mut(of.start, 0, rows, of.len()),
        accum: Accum::Add,
        left: factors,
        right: Right::Rows { rows: factors, sign: -1.0 },
        packing,
    });
}

/// Overwrites `rhs` (m × n) by `L⁻¹ rhs`.
///
/// # Panics
///
/// If the shapes do not fit one another, or columns are not contiguous.
pub fn solve_lower_in_place(instruction_set: InstructionSet, factor: MatRef<'_, f64>, rhs: MatMut<'_, f64>) {
    let size = rhs.nrows();
    assert!(factor.nrows() == factor.ncols() && factor.nrows() == size, "L is m × m, R is m × n");
    solve(instruction_set, false, factor, rhs, STRETCH, &mut Packing::new());
}

/// Overwrites `rhs` (m × n) by `L⁻ᵀ rhs`; `Lᵀ` stands in the upper triangle.
pub(crate) fn solve_upper_in_place(
    instruction_set: InstructionSet,
    factor: MatRef<'_, f64>,
    rhs: MatMut<'_, f64>,
) {
    let size = rhs.nrows();
    assert!(factor.nrows() == factor.ncols() && factor.nrows() == size, "L is m × m, R is m × n");
    // More rows at a time would change bits: upward their order is another within a product.
    solve(instruction_set, true, factor, rhs, ROWS, &mut Packing::new());
}

/// Substitution from the first row down by L, or from the last one up by `Lᵀ`, `stretch` rows at a
/// time and [`ROWS`] of these at a time.
fn solve(
    instruction_set: InstructionSet,
    upward: bool,
    factor: MatRef<'_, f64>,
    mut rhs: MatMut<'_, f64>,
    stretch: usize,
    packing: &mut Packing,
) {
    let size = rhs.nrows();
    let stretches = size.div_ceil(stretch);
    for step in 0..stretches {
        let first = stretch * if upward { stretches - 1 - step } else { step };
        let end = size.min(first + stretch);
        let count = end - first;
        let own = factor.submatrix(first, first, count, count);
        let (known, open, left) = if upward {
            let (open, known) = rhs.as_mut().split_at_row_mut(first);
            (known.subrows_mut(0, count), open, factor.submatrix(0, first, first, count))
        } else {
            let (known, open) = rhs.as_mut().split_at_row_mut(end);
            (known.subrows_mut(first, count), open, factor.submatrix(end, first, size - end, count))
        };
        let mut known = known;
        if stretch > ROWS {
            solve(instruction_set, upward, own, known.as_mut(), ROWS, packing);
        } else {
            instruction_set.run(Substitute { upward, factor: own, rhs: known.as_mut() });
        }
        instruction_set.run(Product {
            to: open,
            accum: Accum::Add,
            left: [left, left.subcols(0, 0)],
            right: Right::Matrix { right: known.into_const(), sign: -1.0, lower: false },
            packing,
        });
    }
}

/// Overwrites the lower triangle of `to` (m × m) by `L⁻¹`; what is above the diagonal is 0 or stays
/// what it was.
pub(crate) fn invert_lower(
    instruction_set: InstructionSet,
    factor: MatRef<'_, f64>,
    mut to: MatMut<'_, f64>,
) {
    let size = factor.nrows();
    let mut packing = Packing::new();
    for first in (0..size).step_by(BLOCK) {
        let rows = size - first;
        let mut columns = to.as_mut().submatrix_mut(first, first, rows, BLOCK.min(rows));
        columns.fill(0.0);
        for c in 0..columns.ncols() {
            columns[(c, c)] = 1.0;
        }
        let own = factor.submatrix(first, first, rows, rows);
        solve(instruction_set, false, own, columns, STRETCH, &mut packing);
    }
}

/// Why a panel was not factored.
enum Stopped {
    NotFinite,
    At(usize),
}

struct FactorPanel<'a> {
    panel: MatMut<'a, f64>,
    shift: f64,
    floor: f64,
    /// Diagonal entries before the elimination.
    before: &'a [f64],
    pivots: &'a mut [f64],
}

impl WithSimd for FactorPanel<'_> {
    type Output = Result<(), Stopped>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> Self::Output {
        let Self { mut panel, shift, floor, before, pivots } = self;
        let width = panel.ncols();
        for c in 0..width {
            let (mut own, mut others) = panel.as_mut().split_at_col_mut(c + 1);
            let own = &mut column_mut(own.as_mut(), c)[c..];
            let pivot = own[0];
            if let Some(to) = pivots.get_mut(c) {
                *to = pivot;
            }
            // What is not finite stays so in its column, or makes a pivot so.
            if !pivot.is_finite() || !all_finite(s, own) {
                return Err(Stopped::NotFinite);
            }
            let shifted = shift + pivot;
            if shifted <= floor * (shift + before[c]) || shifted <= 0.0 {
                return Err(Stopped::At(c));
            }
            let root = shifted.sqrt();
            own[0] = root;
            scale(s, &mut own[1..], 1.0 / root);
            for (n, other) in (c + 1..width).enumerate() {
                let from = &own[1 + n..];
                subtract_multiple(s, &mut column_mut(others.as_mut(), n)[other..], from, from[0]);
            }
        }
        Ok(())
    }
}

/// Substitution in a triangle (at most [`ROWS`] rows), a register of columns at a time.
struct Substitute<'a> {
    /// From the first row down by L, or from the last one up by `Lᵀ`.
    upward: bool,
    factor: MatRef<'a, f64>,
    rhs: MatMut<'a, f64>,
}

impl WithSimd for Substitute<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match S::F64_LANES {
            8 => self.by_columns::<S, 8>(s),
            4 => self.by_columns::<S, 4>(s),
            2 => self.by_columns::<S, 2>(s),
            _ => self.by_columns::<S, 1>(s),
        }
    }
}

impl Substitute<'_> {
    #[inline(always)]
    fn by_columns<S: Simd, const N: usize>(self, s: S) {
        let Self { upward, factor, mut rhs } = self;
        let size = rhs.nrows();
        let mut inverses = [0.0; ROWS];
        for (p, inverse) in inverses[..size].iter_mut().enumerate() {
            *inverse = 1.0 / factor[(p, p)];
        }
        // Their rows, of this many columns each.
        let mut rows = [s.all(0.0); ROWS];
        let rows = &mut rows[..size];
        for first in (0..rhs.ncols()).step_by(N) {
            let count = N.min(rhs.ncols() - first);
            let mut own = rhs.as_mut().subcols_mut(first, count);
            exchange::<S, N>(s, own.as_mut(), rows, false);
            for step in 0..size {
                let p = if upward { size - 1 - step } else { step };
                let solved = s.mul(rows[p], s.all(inverses[p]));
                rows[p] = solved;
                let open = if upward { 0..p } else { p + 1..size };
                for (row, entry) in rows[open.clone()].iter_mut().zip(&column(factor, p)[open]) {
                    *row = s.sub_mul(*row, s.all(*entry), solved);
                }
            }
            exchange::<S, N>(s, own, rows, true);
        }
    }
}

/// Brings the columns of a matrix, at most as many as a register has numbers, to registers of rows,
/// or back.
#[inline(always)]
fn exchange<S: Simd, const N: usize>(s: S, mut columns: MatMut<'_, f64>, rows: &mut [S::f64s], back: bool) {
    let count = columns.ncols();
    let whole = if count == N { rows.len() - rows.len() % N } else { 0 };
    let (squares, rest) = rows.split_at_mut(whole);
    for (n, rows) in squares.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        if back {
            turn::<S, N>(s, rows);
            put::<S, N>(rows, columns.as_mut(), n * N, 0);
        } else {
            *rows = turned::<S, N>(s, columns.as_ref(), n * N, 0);
        }
    }
    for (i, row) in rest.iter_mut().enumerate() {
        let mut numbers = lanes::<S>(*row);
        for (c, x) in numbers.iter_mut().enumerate().take(count) {
            let own = &mut columns[(whole + i, c)];
            *(if back { own } else { x }) = if back { *x } else { *own };
        }
        *row = register::<S>(numbers);
    }
}

/// Whether all numbers are finite: what is not is so times 0.
#[inline(always)]
fn all_finite<S: Simd>(s: S, numbers: &[f64]) -> bool {
    let (registers, rest) = S::as_simd_f64s(numbers);
    let mut zero = s.all(0.0);
    for x in registers {
        zero = s.mul_add(*x, s.all(0.0), zero);
    }
    let zero = rest.iter().fold(0.0, |zero, x| zero + x * 0.0) + lanes::<S>(zero).iter().sum::<f64>();
    !zero.is_nan()
}

/// x ← c x.
#[inline(always)]
pub(crate) fn scale<S: Simd>(s: S, x: &mut [f64], factor: f64) {
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
pub(crate) fn subtract_multiple<S: Simd>(s: S, x: &mut [f64], y: &[f64], factor: f64) {
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
