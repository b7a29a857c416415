//! Products in tiles of registers.
//!
//! The left factor is taken column by column, as slices, so that its columns may lie anywhere: a
//! sample's rows need no copy. A tile is R registers down a column by C columns: R loads of the
//! left factor and C broadcasts of the right one for R·C fused multiply-adds. 3 × 4 of 16
//! registers, 3 × 8 of 32. The right factor is brought side by side first, [`DEPTH`] terms at a
//! time; between such stretches the sums rest in memory, which rounds nothing.

use faer::{Accum, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes};

/// Terms of the sums that are taken at a time: their columns, and the right factor's share, stay in
/// L1.
const DEPTH: usize = 64;

/// Most columns of a tile.
const MOST_COLUMNS: usize = 8;

/// Writes `L R` to `to` (m × n), or adds it: L is m × q, R is q × n.
///
/// # Panics
///
/// If the shapes do not fit one another, or columns of `to` or L are not contiguous.
pub fn product(
    instruction_set: InstructionSet,
    to: MatMut<'_, f64>,
    accum: Accum,
    left: MatRef<'_, f64>,
    right: MatRef<'_, f64>,
) {
    assert!(to.nrows() == left.nrows() && to.ncols() == right.ncols(), "T is m × n");
    assert!(left.ncols() == right.nrows(), "L is m × q, R is q × n");
    let columns = (0..left.ncols()).map(|p| column(left, p));
    instruction_set.run(Product { to, accum, columns, right: Right::Matrix { right, sign: 1.0 } });
}

/// Writes the lower triangle of `F Fᵀ` to `gram` (m × m), or adds it: F is m × q. What is above the
/// diagonal stays.
///
/// # Panics
///
/// If the shapes do not fit one another, or columns are not contiguous.
pub fn gram_lower(
    instruction_set: InstructionSet,
    gram: MatMut<'_, f64>,
    accum: Accum,
    factor: MatRef<'_, f64>,
) {
    assert!(gram.nrows() == factor.nrows(), "G is m × m");
    let columns = (0..factor.ncols()).map(|p| column(factor, p));
    instruction_set.run(Product { to: gram, accum, columns, right: Right::Own });
}

/// `to (+)= L R`, L by columns.
pub(super) struct Product<'a, I> {
    pub(super) to: MatMut<'a, f64>,
    pub(super) accum: Accum,
    pub(super) columns: I,
    pub(super) right: Right<'a>,
}

/// What the columns are multiplied by.
#[derive(Clone, Copy)]
pub(super) enum Right<'a> {
    /// A matrix (q × n), or its negative; all of the product is wanted.
    Matrix {
        right: MatRef<'a, f64>,
        /// 1 or −1.
        sign: f64,
    },
    /// `Lᵀ`; the lower triangle is wanted.
    Own,
    /// `−Lᵀ` for the first rows of L, as many as `to` has columns; the lower part is wanted.
    MinusOwn,
}

impl<'f, I: Iterator<Item = &'f [f64]>> WithSimd for Product<'_, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        multiply(s, self);
    }
}

/// The product with the tiles that the registers hold.
#[inline(always)]
pub(super) fn multiply<'f, S: Simd>(s: S, product: Product<'_, impl Iterator<Item = &'f [f64]>>) {
    if S::REGISTER_COUNT > 16 {
        multiply_tiles::<S, 3, MOST_COLUMNS>(s, product);
    } else {
        multiply_tiles::<S, 3, 4>(s, product);
    }
}

/// A column as a slice.
#[inline(always)]
pub(crate) fn column<'a>(matrix: MatRef<'a, f64>, j: usize) -> &'a [f64] {
    let column = matrix.col(j).try_as_col_major();
    assert!(column.is_some(), "contiguous columns");
    column.map_or(&[], |column| column.as_slice())
}

#[inline(always)]
pub(crate) fn column_mut<'a>(matrix: MatMut<'a, f64>, j: usize) -> &'a mut [f64] {
    let column = matrix.col_mut(j).try_as_col_major_mut();
    assert!(column.is_some(), "contiguous columns");
    column.map_or(&mut [], |column| column.as_slice_mut())
}

#[inline(always)]
fn multiply_tiles<'f, S: Simd, const R: usize, const C: usize>(
    s: S,
    product: Product<'_, impl Iterator<Item = &'f [f64]>>,
) {
    let Product { mut to, accum, mut columns, right } = product;
    let (rows, width) = (to.nrows(), to.ncols());
    let lower = !matches!(right, Right::Matrix { .. });
    if matches!(accum, Accum::Replace) {
        for j in 0..width {
            column_mut(to.as_mut(), j)[if lower { j } else { 0 }..].fill(0.0);
        }
    }
    let mut left: [&[f64]; DEPTH] = [&[]; DEPTH];
    let mut packed = [[0.0; MOST_COLUMNS]; DEPTH];
    let mut first = 0;
    loop {
        let mut depth = 0;
        for (to, column) in left.iter_mut().zip(columns.by_ref()) {
            assert!(column.len() == rows, "columns of m entries");
            *to = column;
            depth += 1;
        }
        if depth == 0 {
            return;
        }
        let left = &left[..depth];
        for j in (0..width).step_by(C) {
            let count = C.min(width - j);
            pack(&mut packed[..depth], left, right, first, j, count);
            let packed = &packed[..depth];
            let mut row = if lower { j } else { 0 };
            let at = |row: usize| Place { row, column: j, count, lower };
            while row + R * S::F64_LANES <= rows {
                tile::<S, R, C>(s, to.as_mut(), left, packed, at(row));
                row += R * S::F64_LANES;
            }
            match (rows - row).div_ceil(S::F64_LANES) {
                0 => {}
                1 => last_tile::<S, 1, C>(s, to.as_mut(), left, packed, at(row)),
                2 => last_tile::<S, 2, C>(s, to.as_mut(), left, packed, at(row)),
                _ => last_tile::<S, 3, C>(s, to.as_mut(), left, packed, at(row)),
            }
        }
        first += depth;
    }
}

/// Brings the entries of `count` columns of the right factor side by side, a row a term; the others
/// stay what they were, and are not stored.
#[inline(always)]
fn pack(
    packed: &mut [[f64; MOST_COLUMNS]],
    left: &[&[f64]],
    right: Right<'_>,
    first: usize,
    j: usize,
    count: usize,
) {
    match right {
        Right::Own => {
            for (to, column) in packed.iter_mut().zip(left) {
                for (to, x) in to.iter_mut().zip(&column[j..][..count]) {
                    *to = *x;
                }
            }
        }
        Right::MinusOwn => {
            for (to, column) in packed.iter_mut().zip(left) {
                for (to, x) in to.iter_mut().zip(&column[j..][..count]) {
                    *to = -x;
                }
            }
        }
        Right::Matrix { right, sign } => {
            for c in 0..count {
                let column = right.col(j + c).subrows(first, packed.len());
                for (to, x) in packed.iter_mut().zip(column.iter()) {
                    to[c] = sign * x;
                }
            }
        }
    }
}

/// Where a tile stands: its first row and column, and its columns that count.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    column: usize,
    count: usize,
    lower: bool,
}

impl Place {
    /// Rows of column c at the head of the tile that are above the diagonal.
    #[inline(always)]
    fn above(self, c: usize) -> usize {
        if self.lower { (self.column + c).saturating_sub(self.row) } else { 0 }
    }
}

#[inline(always)]
fn tile<S: Simd, const R: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    left: &[&[f64]],
    packed: &[[f64; MOST_COLUMNS]],
    place: Place,
) {
    let Place { row, column: j, count, .. } = place;
    let mut sums = [[s.all(0.0); R]; C];
    // Loops of fixed length, and indices that are known: the sums stay in registers. Columns beyond
    // the last stand for the first.
    for c in 0..C {
        let (old, _) = S::as_simd_f64s(&column(to.as_ref(), j + if c < count { c } else { 0 })[row..]);
        sums[c].copy_from_slice(&old[..R]);
    }
    for (column, packed) in left.iter().zip(packed) {
        let (from, _) = S::as_simd_f64s(&column[row..][..R * S::F64_LANES]);
        let from = &from[..R];
        for c in 0..C {
            let factor = s.all(packed[c]);
            for r in 0..R {
                sums[c][r] = s.mul_add(from[r], factor, sums[c][r]);
            }
        }
    }
    for c in 0..C {
        if c < count {
            let own = &mut column_mut(to.as_mut(), j + c)[row..][..R * S::F64_LANES];
            store::<S, R>(own, sums[c], place.above(c));
        }
    }
}

/// The last rows, of which the last of R registers may have fewer than it holds.
#[inline(always)]
fn last_tile<S: Simd, const R: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    left: &[&[f64]],
    packed: &[[f64; MOST_COLUMNS]],
    place: Place,
) {
    let Place { row, column: j, count, .. } = place;
    let mut sums = [[s.all(0.0); R]; C];
    for c in 0..C {
        sums[c] = load(s, &column(to.as_ref(), j + if c < count { c } else { 0 })[row..]);
    }
    for (column, packed) in left.iter().zip(packed) {
        let from = load::<S, R>(s, &column[row..]);
        for c in 0..C {
            let factor = s.all(packed[c]);
            for r in 0..R {
                sums[c][r] = s.mul_add(from[r], factor, sums[c][r]);
            }
        }
    }
    for c in 0..C {
        if c < count {
            store::<S, R>(&mut column_mut(to.as_mut(), j + c)[row..], sums[c], place.above(c));
        }
    }
}

/// R registers, of which the last may have fewer numbers.
#[inline(always)]
fn load<S: Simd, const R: usize>(s: S, from: &[f64]) -> [S::f64s; R] {
    let (whole, rest) = from.split_at((R - 1) * S::F64_LANES);
    let (whole, _) = S::as_simd_f64s(whole);
    let mut out = [s.all(0.0); R];
    for r in 0..R - 1 {
        out[r] = whole[r];
    }
    out[R - 1] = s.partial_load_f64s(rest);
    out
}

/// Writes the sums of a column but for the first `above`.
#[inline(always)]
fn store<S: Simd, const R: usize>(own: &mut [f64], sums: [S::f64s; R], above: usize) {
    if above == 0 && own.len() == R * S::F64_LANES {
        S::as_mut_simd_f64s(own).0.copy_from_slice(&sums);
        return;
    }
    for r in 0..R {
        // Register by register: an array that is read at an index has no place in registers, not
        // even before.
        let numbers = lanes::<S>(sums[r]);
        let rows = own.iter_mut().enumerate().skip(r * S::F64_LANES);
        for ((row, to), x) in rows.zip(&numbers[..S::F64_LANES]) {
            if row >= above {
                *to = *x;
            }
        }
    }
}
