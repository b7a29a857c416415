//! Transposition of one matrix, a square of registers at a time.
//!
//! Nothing is computed; what it costs is the way of every number through the caches, and one
//! shuffle of a register for each of the numbers in three.

use faer::reborrow::IntoConst;
use faer::{MatMut, MatRef};
use pulp::{Simd, WithSimd};

use super::product::{column, column_mut};
use crate::lanes::arithmetic::lanes;
use crate::lanes::tiles::turn;

/// Columns beside the diagonal that go together: as many pages of memory at a time.
const STRIP: usize = 32;

/// Writes the transposed of `from` (m × n) to `to` (n × m).
pub(crate) struct Transpose<'a> {
    pub(crate) from: MatRef<'a, f64>,
    pub(crate) to: MatMut<'a, f64>,
}

impl WithSimd for Transpose<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match S::F64_LANES {
            8 => copy::<S, 8>(s, self.from, self.to),
            4 => copy::<S, 4>(s, self.from, self.to),
            2 => copy::<S, 2>(s, self.from, self.to),
            _ => copy::<S, 1>(s, self.from, self.to),
        }
    }
}

/// Writes the lower triangle of a square matrix to the upper one, or transposes it.
pub(crate) struct Mirror<'a> {
    pub(crate) matrix: MatMut<'a, f64>,
    /// Whether the upper triangle goes to the lower one, too.
    pub(crate) both: bool,
}

impl WithSimd for Mirror<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { mut matrix, both } = self;
        let size = matrix.nrows();
        for first in (0..size).step_by(STRIP) {
            let end = size.min(first + STRIP);
            let own = matrix.as_mut().submatrix_mut(first, first, end - first, end - first);
            match S::F64_LANES {
                8 => mirror::<S, 8>(s, own, both),
                4 => mirror::<S, 4>(s, own, both),
                2 => mirror::<S, 2>(s, own, both),
                _ => mirror::<S, 1>(s, own, both),
            }
            let (left, right) = matrix.as_mut().split_at_col_mut(end);
            let lower = left.submatrix_mut(end, first, size - end, end - first);
            let upper = right.submatrix_mut(first, 0, end - first, size - end);
            match (both, S::F64_LANES) {
                (false, _) => Transpose { from: lower.into_const(), to: upper }.with_simd(s),
                (true, 8) => exchange::<S, 8>(s, lower, upper),
                (true, 4) => exchange::<S, 4>(s, lower, upper),
                (true, 2) => exchange::<S, 2>(s, lower, upper),
                (true, _) => exchange::<S, 1>(s, lower, upper),
            }
        }
    }
}

/// The square of N registers of a matrix at row i and column j, transposed.
#[inline(always)]
pub(crate) fn turned<S: Simd, const N: usize>(
    s: S,
    matrix: MatRef<'_, f64>,
    i: usize,
    j: usize,
) -> [S::f64s; N] {
    let mut square = [s.splat_f64s(0.0); N];
    for c in 0..N {
        square[c] = S::as_simd_f64s(&column(matrix, j + c)[i..][..N]).0[0];
    }
    turn::<S, N>(s, &mut square);
    square
}

/// Writes a square of N registers to a matrix at row i and column j.
#[inline(always)]
pub(crate) fn put<S: Simd, const N: usize>(
    square: &[S::f64s; N],
    mut to: MatMut<'_, f64>,
    i: usize,
    j: usize,
) {
    for c in 0..N {
        S::as_mut_simd_f64s(&mut column_mut(to.as_mut(), j + c)[i..][..N]).0[0] = square[c];
    }
}

#[inline(always)]
fn copy<S: Simd, const N: usize>(s: S, from: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
    let (rows, columns) = (from.nrows(), from.ncols());
    let (whole_rows, whole_columns) = (rows - rows % N, columns - columns % N);
    for i in (0..whole_rows).step_by(N) {
        for j in (0..whole_columns).step_by(N) {
            put::<S, N>(&turned::<S, N>(s, from, i, j), to.as_mut(), j, i);
        }
    }
    for j in 0..columns {
        for i in if j < whole_columns { whole_rows } else { 0 }..rows {
            to[(j, i)] = from[(i, j)];
        }
    }
}

/// A square about the diagonal.
#[inline(always)]
fn mirror<S: Simd, const N: usize>(s: S, mut matrix: MatMut<'_, f64>, both: bool) {
    let size = matrix.nrows();
    let whole = size - size % N;
    for j in (0..whole).step_by(N) {
        for i in (j..whole).step_by(N) {
            let own = turned::<S, N>(s, matrix.as_ref(), i, j);
            if i == j && !both {
                for c in 1..N {
                    let numbers = lanes::<S>(own[c]);
                    column_mut(matrix.as_mut(), j + c)[i..][..c].copy_from_slice(&numbers[..c]);
                }
                continue;
            }
            if both {
                let other = turned::<S, N>(s, matrix.as_ref(), j, i);
                put::<S, N>(&other, matrix.as_mut(), i, j);
            }
            put::<S, N>(&own, matrix.as_mut(), j, i);
        }
    }
    for i in whole..size {
        for j in 0..i {
            let (lower, upper) = (matrix[(i, j)], matrix[(j, i)]);
            matrix[(j, i)] = lower;
            if both {
                matrix[(i, j)] = upper;
            }
        }
    }
}

#[inline(always)]
fn exchange<S: Simd, const N: usize>(s: S, mut lower: MatMut<'_, f64>, mut upper: MatMut<'_, f64>) {
    let (rows, columns) = (lower.nrows(), lower.ncols());
    let (whole_rows, whole_columns) = (rows - rows % N, columns - columns % N);
    for i in (0..whole_rows).step_by(N) {
        for j in (0..whole_columns).step_by(N) {
            let own = turned::<S, N>(s, lower.as_ref(), i, j);
            let other = turned::<S, N>(s, upper.as_ref(), j, i);
            put::<S, N>(&own, upper.as_mut(), j, i);
            put::<S, N>(&other, lower.as_mut(), i, j);
        }
    }
    for j in 0..columns {
        for i in if j < whole_columns { whole_rows } else { 0 }..rows {
            let (own, other) = (lower[(i, j)], upper[(j, i)]);
            (lower[(i, j)], upper[(j, i)]) = (other, own);
        }
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::*;
    use crate::lanes::InstructionSet;

    #[test]
    fn every_entry_goes_where_it_belongs() {
        for isa in InstructionSet::available() {
            for rows in [0, 1, 7, 8, 9, 33, 70] {
                for columns in [0, 1, 8, 16, 31] {
                    let from = Mat::from_fn(rows, columns, |i, j| (100 * i + j) as f64);
                    let mut to = Mat::zeros(columns, rows);
                    isa.run(Transpose { from: from.as_ref(), to: to.as_mut() });
                    assert_eq!(to, from.transpose());
                }
                let square = Mat::from_fn(rows, rows, |i, j| (100 * i + j) as f64);
                let mut matrix = square.clone();
                isa.run(Mirror { matrix: matrix.as_mut(), both: true });
                assert_eq!(matrix, square.transpose());
                isa.run(Mirror { matrix: matrix.as_mut(), both: false });
                let expected = Mat::from_fn(rows, rows, |i, j| square[(i.min(j), i.max(j))]);
                assert_eq!(matrix, expected);
            }
        }
    }
}
