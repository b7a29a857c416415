//! Products `XᵀY` and `XXᵀ` of a group.
//!
//! Every entry is one chain of fused multiply-adds over ascending rows, from zero.
//!
//! Counts: 2 flops a term: `m²·n` for a symmetric product of m columns and n rows, `2·m·w·n` for
//! one with w columns. A tile of A × C loads A + C numbers for 2·A·C flops: at 5 × 5, 1.6 bytes a
//! flop, from L1 or L2.

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::reduction::column_start;
use super::tiles::{Tile, View, add, for_tiles, rows_by_rows, store, stride};

/// Writes `X Xᵀ` (d × d, rows of [`stride`]) of each lane as a packed lower triangle, column after
/// column.
///
/// Rows are contiguous, and so is what a tile reads: entries of a column would each be on another
/// page.
pub(crate) struct RowForm<'a> {
    pub(crate) size: usize,
    pub(crate) x: &'a [f64],
    pub(crate) to: &'a mut [f64],
}

/// The same of `X` (d × n, rows of [`stride`]) that need not be square.
pub(crate) struct WideRowForm<'a> {
    pub(crate) size: usize,
    /// n.
    pub(crate) width: usize,
    pub(crate) x: &'a [f64],
    pub(crate) to: &'a mut [f64],
}

struct FormingRows<'a, S: Simd> {
    size: usize,
    width: usize,
    x: View<'a, S>,
    to: &'a mut [S::f64s],
}

impl WithSimd for RowForm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, x, to } = self;
        WideRowForm { size, width: size, x, to }.with_simd(s);
    }
}

impl WithSimd for WideRowForm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, width, .. } = self;
        let x = View::new(S::as_simd_f64s(self.x).0, stride(width));
        let mut forming = FormingRows::<S> { size, width, x, to: S::as_mut_simd_f64s(self.to).0 };
        for_tiles(s, &mut forming, size, width, |row, _| row..size);
    }
}

impl<S: Simd> Tile<S> for FormingRows<'_, S> {
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let sums = rows_by_rows::<S, A, C>(s, self.x, (row, column), self.width);
        for a in 0..A {
            let place = row + a;
            let start = column_start(self.size, place) - place;
            for c in 0..C {
                if column + c >= place {
                    self.to[start + column + c] = sums[a][c];
                }
            }
        }
    }
}

/// Where the entries of a symmetric matrix stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Rows of the upper triangle one after the other: the columns of the lower one.
    Packed,
    /// Rows of [`stride`]; what is below the diagonal is not written.
    Square,
}

/// Writes `XᵀY` (m × `y_width`) of each lane to the rows of `to`.
pub(crate) struct Product<'a> {
    pub(crate) rows: usize,
    pub(crate) x: &'a [f64],
    pub(crate) x_width: usize,
    pub(crate) y: &'a [f64],
    pub(crate) y_width: usize,
    /// Whether the product is known to be symmetric: then it is written as an upper triangle, rows
    /// of [`stride`].
    pub(crate) symmetric: bool,
    pub(crate) to: &'a mut [f64],
}

struct Multiplying<'a, S: Simd> {
    rows: usize,
    x: View<'a, S>,
    y: View<'a, S>,
    width: usize,
    symmetric: bool,
    to: &'a mut [S::f64s],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (width, symmetric) = (self.y_width, self.symmetric);
        let mut multiplying = Multiplying::<S> {
            rows: self.rows,
            x: View::new(S::as_simd_f64s(self.x).0, self.x_width),
            y: View::new(S::as_simd_f64s(self.y).0, width),
            width,
            symmetric,
            to: S::as_mut_simd_f64s(self.to).0,
        };
        let columns = |row, _| if symmetric { row..width } else { 0..width };
        for_tiles(s, &mut multiplying, self.x_width, self.rows, columns);
    }
}

impl<S: Simd> Tile<S> for Multiplying<'_, S> {
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let sums = [[s.all(0.0); C]; A];
        let sums = add(s, sums, self.x.at_column(row), self.y.at_column(column), 0..self.rows);
        for a in 0..A {
            let place = row + a;
            if !self.symmetric {
                store::<S, C>(&mut self.to[place * self.width + column..], &sums[a]);
                continue;
            }
            for c in 0..C {
                if column + c >= place {
                    self.to[place * stride(self.width) + column + c] = sums[a][c];
                }
            }
        }
    }
}
