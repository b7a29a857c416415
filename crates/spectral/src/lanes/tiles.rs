//! Sums of products `XᵀY` of a group in tiles that stay in registers.
//!
//! A matrix is stored row after row, each entry a register. A tile of A × C sums takes A entries of
//! a row of X and C of the same row of Y at a time: A·C fused multiply-adds for A + C loads, as
//! many independent chains. Five columns, and as many rows as the registers hold beside them: 5 of
//! 32 (25 sums), 2 of 16 (10 sums).
//!
//! Every sum takes its terms in ascending order of the row, fused, whatever the tile it stands in:
//! so the shape of a tile changes no bit, and it may differ between instruction sets.

use std::ops::Range;

use pulp::Simd;

use super::MAX_LANES;
use super::arithmetic::{Arithmetic, register};

/// Most columns of a tile.
pub(crate) const COLUMNS: usize = 5;

/// The body once for each `$n` below `$count` ≤ [`COLUMNS`], with `$n` known when it is compiled,
/// as every index into registers has to be: loops around triangles are not unrolled by themselves,
/// and their registers would be in memory.
macro_rules! unrolled {
    ($n:ident < $count:ident $body:block) => {
        unrolled!(@ $count $body $n = 0, $n = 1, $n = 2, $n = 3, $n = 4)
    };
    (@ $count:ident $body:block $($n:ident = $value:literal),*) => {
        $(if $value < $count {
            let $n: usize = $value;
            $body
        })*
    };
}
pub(crate) use unrolled;

/// Stride of a row of `size` entries: odd, so that the entries of a column spread over all sets of
/// a cache.
pub(crate) const fn stride(size: usize) -> usize {
    size | 1
}

/// The first C registers of a slice, one by one: a copy of all of them would be a call.
#[inline(always)]
pub(crate) fn load<S: Simd, const C: usize>(from: &[S::f64s]) -> [S::f64s; C] {
    let from = &from[..C];
    let mut out = [from[0]; C];
    for c in 1..C {
        out[c] = from[c];
    }
    out
}

/// Writes the first C registers of a slice, one by one.
#[inline(always)]
pub(crate) fn store<S: Simd, const C: usize>(to: &mut [S::f64s], x: &[S::f64s; C]) {
    let to = &mut to[..C];
    for c in 0..C {
        to[c] = x[c];
    }
}

/// Transposes a square of N numbers by N: a compiler left alone gathers number by number.
#[inline(always)]
pub(crate) fn turn<S: Simd, const N: usize>(s: S, square: &mut [S::f64s; N]) {
    swap_blocks::<S, N, 4>(s, square);
    swap_blocks::<S, N, 2>(s, square);
    swap_blocks::<S, N, 1>(s, square);
}

/// Swaps the blocks off the diagonal of each 2K × 2K block of a square of N registers: for all
/// powers of two below N, this transposes it.
#[inline(always)]
fn swap_blocks<S: Simd, const N: usize, const K: usize>(s: S, square: &mut [S::f64s; N]) {
    if K >= N {
        return;
    }
    let mut upper = [0.0; MAX_LANES];
    for (lane, upper) in upper.iter_mut().enumerate() {
        *upper = if lane & K == 0 { 0.0 } else { 1.0 };
    }
    let upper = s.less_than_f64s(s.all(0.5), register::<S>(upper));
    for i in 0..N {
        if i & K == 0 {
            let (a, b) = (square[i], square[i + K]);
            square[i] = s.choose(upper, s.rotate_right_f64s(b, K), a);
            square[i + K] = s.choose(upper, b, s.rotate_left_f64s(a, K));
        }
    }
}

/// A matrix of a group, from one of its columns on.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, S: Simd> {
    numbers: &'a [S::f64s],
    stride: usize,
    first: usize,
}

impl<'a, S: Simd> View<'a, S> {
    pub(crate) fn new(numbers: &'a [S::f64s], stride: usize) -> Self {
        Self { numbers, stride, first: 0 }
    }

    #[inline(always)]
    pub(crate) fn at_column(self, first: usize) -> Self {
        Self { first: self.first + first, ..self }
    }

    /// C entries of a row.
    #[inline(always)]
    pub(crate) fn row<const C: usize>(self, row: usize) -> [S::f64s; C] {
        load::<S, C>(&self.numbers[row * self.stride + self.first..])
    }

    /// Whole rows.
    #[inline(always)]
    fn rows(self, rows: &Range<usize>) -> std::slice::ChunksExact<'a, S::f64s> {
        self.numbers[rows.start * self.stride..rows.end * self.stride].chunks_exact(self.stride)
    }
}

/// `sums[a][c] + Σ_p x[p][a] y[p][c]` over the rows p, ascending.
#[inline(always)]
pub(crate) fn add<S: Simd, const A: usize, const C: usize>(
    s: S,
    sums: [[S::f64s; C]; A],
    x: View<'_, S>,
    y: View<'_, S>,
    rows: Range<usize>,
) -> [[S::f64s; C]; A] {
    accumulate::<S, A, C, false>(s, sums, (x.first, y.first), x.rows(&rows).zip(y.rows(&rows)))
}

/// `sums[a][c] + Σ_p x[p][a] y[p][c]` over the rows p, descending.
#[inline(always)]
pub(crate) fn add_upwards<S: Simd, const A: usize, const C: usize>(
    s: S,
    sums: [[S::f64s; C]; A],
    x: View<'_, S>,
    y: View<'_, S>,
    rows: Range<usize>,
) -> [[S::f64s; C]; A] {
    accumulate::<S, A, C, false>(s, sums, (x.first, y.first), x.rows(&rows).rev().zip(y.rows(&rows).rev()))
}

/// `sums[a][c] − Σ_p x[p][a] y[p][c]` over the rows p, ascending.
#[inline(always)]
pub(crate) fn subtract<S: Simd, const A: usize, const C: usize>(
    s: S,
    sums: [[S::f64s; C]; A],
    x: View<'_, S>,
    y: View<'_, S>,
    rows: Range<usize>,
) -> [[S::f64s; C]; A] {
    accumulate::<S, A, C, true>(s, sums, (x.first, y.first), x.rows(&rows).zip(y.rows(&rows)))
}

/// `sums[a][c] − Σ_p x[row + a][p] y[p][c]` over the p, ascending: rows of X with columns of Y.
#[inline(always)]
pub(crate) fn subtract_rows<S: Simd, const A: usize, const C: usize>(
    s: S,
    mut sums: [[S::f64s; C]; A],
    x: View<'_, S>,
    row: usize,
    y: View<'_, S>,
    range: Range<usize>,
) -> [[S::f64s; C]; A] {
    let count = range.len();
    let mut left: [&[S::f64s]; A] = [&[]; A];
    for a in 0..A {
        left[a] = &x.numbers[(row + a) * x.stride + range.start..][..count];
    }
    for (p, y_row) in (0..count).zip(y.rows(&range)) {
        let y_row = &y_row[y.first..][..C];
        for a in 0..A {
            for c in 0..C {
                sums[a][c] = s.sub_mul(sums[a][c], left[a][p], y_row[c]);
            }
        }
    }
    sums
}

/// The sums with the products of pairs of rows, taken off them or added, in the order in which the
/// pairs come.
#[inline(always)]
fn accumulate<'a, S: Simd, const A: usize, const C: usize, const TAKEN_OFF: bool>(
    s: S,
    mut sums: [[S::f64s; C]; A],
    (x_first, y_first): (usize, usize),
    pairs: impl Iterator<Item = (&'a [S::f64s], &'a [S::f64s])>,
) -> [[S::f64s; C]; A] {
    for (x_row, y_row) in pairs {
        let (x_row, y_row) = (&x_row[x_first..][..A], &y_row[y_first..][..C]);
        for a in 0..A {
            for c in 0..C {
                sums[a][c] = if TAKEN_OFF {
                    s.sub_mul(sums[a][c], x_row[a], y_row[c])
                } else {
                    s.mul_add(x_row[a], y_row[c], sums[a][c])
                };
            }
        }
    }
    sums
}

/// `Σ_p x[row + a][p] x[column + c][p]` over the first `count` columns p, ascending: products of
/// rows.
#[inline(always)]
pub(crate) fn rows_by_rows<S: Simd, const A: usize, const C: usize>(
    s: S,
    x: View<'_, S>,
    (row, column): (usize, usize),
    count: usize,
) -> [[S::f64s; C]; A] {
    let mut left: [&[S::f64s]; A] = [&[]; A];
    let mut right: [&[S::f64s]; C] = [&[]; C];
    for a in 0..A {
        left[a] = &x.numbers[(row + a) * x.stride..][..count];
    }
    for c in 0..C {
        right[c] = &x.numbers[(column + c) * x.stride..][..count];
    }
    let mut sums = [[s.all(0.0); C]; A];
    for p in 0..count {
        for a in 0..A {
            for c in 0..C {
                sums[a][c] = s.mul_add(left[a][p], right[c][p], sums[a][c]);
            }
        }
    }
    sums
}

/// What is done with each tile of a matrix.
pub(crate) trait Tile<S: Simd> {
    /// The tile of A × C entries that begins at (row, column).
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize);
}

/// Numbers of a panel of columns: beside the columns that its tiles are made with, it stays in a
/// second-level cache of 512 KiB or more. Tuned at d = 100 and 200 on AVX2 and AVX-512.
const PANEL_NUMBERS: usize = 1 << 15;

/// Columns of a panel for columns of `depth` entries: tiles of any shape end where a panel does.
fn panel<S: Simd>(depth: usize) -> usize {
    let columns = PANEL_NUMBERS / (S::F64_LANES * depth.max(1));
    (columns - columns % (2 * COLUMNS)).max(2 * COLUMNS)
}

/// Tiles all rows; `columns` says which columns a block needs that begins at a row and has so many
/// of them.
///
/// A panel of columns at a time, block of rows after block: what is made for a panel waits near for
/// the next block. A tile comes after all tiles that are above it in its panel, and all of the
/// panels before.
#[inline(always)]
pub(crate) fn for_tiles<S: Simd, T: Tile<S>>(
    s: S,
    tiles: &mut T,
    rows: usize,
    depth: usize,
    columns: impl Fn(usize, usize) -> Range<usize>,
) {
    let width = panel::<S>(depth);
    let end = columns(0, rows).end;
    for first in (0..end).step_by(width) {
        let within = |range: Range<usize>| range.start.max(first)..range.end.min(first + width);
        let mut row = 0;
        if S::REGISTER_COUNT > 16 {
            while row + 5 <= rows {
                for_columns::<S, T, 5>(s, tiles, row, within(columns(row, 5)));
                row += 5;
            }
        } else {
            while row + 2 <= rows {
                for_columns::<S, T, 2>(s, tiles, row, within(columns(row, 2)));
                row += 2;
            }
        }
        while row < rows {
            for_columns::<S, T, 1>(s, tiles, row, within(columns(row, 1)));
            row += 1;
        }
    }
}

/// The tiles of a block of A rows.
#[inline(always)]
fn for_columns<S: Simd, T: Tile<S>, const A: usize>(s: S, tiles: &mut T, row: usize, columns: Range<usize>) {
    let mut column = columns.start;
    while column + COLUMNS <= columns.end {
        tiles.tile::<A, COLUMNS>(s, row, column);
        column += COLUMNS;
    }
    match columns.end.saturating_sub(column) {
        1 => tiles.tile::<A, 1>(s, row, column),
        2 => tiles.tile::<A, 2>(s, row, column),
        3 => tiles.tile::<A, 3>(s, row, column),
        4 => tiles.tile::<A, 4>(s, row, column),
        _ => {}
    }
}
