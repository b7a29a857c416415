//! Gram matrices `AᵀA` of rows that lie anywhere in memory, as a running sum.
//!
//! Rows of a random subset are far apart, and as wide as they are: [`DEPTH`] of them are brought
//! side by side first, padded by zeros to whole registers, which is also the packed form that both
//! factors of the product have. Loads of other rows do not wait for one another, so their latency
//! is paid once a block.
//!
//! Tiles are R registers down by C columns of the lower triangle, R loads and C broadcasts for R·C
//! fused multiply-adds. What is left of w beyond whole panels of eight is taken as columns, over
//! all rows: as rows they would leave most of a register empty. Rows of the sum are padded
//! ([`RowGram::padded`]), so that no tile is partial.
//!
//! Counts: w² flops a row of the triangle's; for w = 8q + r, `4q(q + 1) + r(q + 1)` multiply-adds
//! of registers of eight (w = 50: 182, of which 160 are needed); bytes: 8w a row from wherever it
//! is, then `8·w²·(1/R + 1/C)/2` from L1.
//!
//! Class labels, one-hot columns behind the others, need no products: what they add is a row to the
//! sum of its class, and a count. The same bits: x·1 + s is rounded once, and x·0 + s is s.
//!
//! Rounding: every entry is one chain of fused multiply-adds over the rows in their order, whatever
//! the blocks: the bits do not depend on how often the sum was looked at.

use std::ops::Range;

use faer::{Mat, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use super::product::{column, column_mut};
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::Arithmetic;

/// Rows that are brought side by side: 16 KiB at a width of 64, half of a first-level cache, from
/// where tiles read them many times.
const DEPTH: usize = 32;

/// Rows that are asked for with a tile: about a block's in all of its tiles.
const SHARE: usize = 2;

/// Columns of a panel; the widest register.
const PANEL: usize = 8;

/// `AᵀA` of the rows that were added; A = [X Y] with Y one-hot, or X alone.
#[derive(Clone, Debug)]
pub struct RowGram {
    instruction_set: InstructionSet,
    /// Columns of X.
    width: usize,
    /// A row a column (padded × DEPTH).
    block: Mat<f64>,
    /// XᵀX (padded × padded): the lower triangle of whole panels, all of the columns beyond.
    sums: Mat<f64>,
    /// XᵀY (padded × classes).
    class_sums: Mat<f64>,
    /// Rows of each class.
    counts: Vec<f64>,
    rows: usize,
}

impl RowGram {
    /// No rows of `width` = w numbers and one of so many classes; 0 classes: no labels.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, width: usize, classes: usize) -> Self {
        let padded = Self::padded(width);
        Self {
            instruction_set,
            width,
            block: Mat::zeros(padded, DEPTH),
            sums: Mat::zeros(padded, padded),
            class_sums: Mat::zeros(padded, classes),
            counts: vec![0.0; classes],
            rows: 0,
        }
    }

    /// Rows and columns that the sum has in memory.
    #[must_use]
    pub fn padded(width: usize) -> usize {
        width.next_multiple_of(PANEL)
    }

    /// Number of rows that were added.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Forgets all rows.
    pub fn clear(&mut self) {
        self.sums.fill(0.0);
        self.class_sums.fill(0.0);
        self.counts.fill(0.0);
        self.rows = 0;
    }

    /// Adds rows, in this order: numbers, and the class, which does not matter where there are
    /// none.
    ///
    /// # Panics
    ///
    /// If a row is not w long, or there is no such class.
    pub fn add<'r>(&mut self, mut rows: impl Iterator<Item = (&'r [f64], u16)>) {
        let mut own: [(&[f64], u16); DEPTH] = [(&[], 0); DEPTH];
        let mut depth = take(&mut rows, &mut own);
        while depth > 0 {
            for (row, class) in &own[..depth] {
                assert!(row.len() == self.width, "rows of w numbers");
                if !self.counts.is_empty() {
                    self.counts[usize::from(*class)] += 1.0;
                }
            }
            self.rows += depth;
            let mut next: [(&[f64], u16); DEPTH] = [(&[], 0); DEPTH];
            let after = take(&mut rows, &mut next);
            self.instruction_set.run(AddBlock {
                rows: &own[..depth],
                next: &next[..after],
                block: self.block.as_mut(),
                sums: self.sums.as_mut(),
                class_sums: self.class_sums.as_mut(),
            });
            (own, depth) = (next, after);
        }
    }

    /// Entry (i, j) of the sum: columns of X, then of Y.
    #[must_use]
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        let (i, j) = (i.max(j), i.min(j));
        if i < whole(self.width) {
            self.sums[(i, j)]
        } else if i < self.width {
            self.sums[(j, i)]
        } else if j < self.width {
            self.class_sums[(j, i - self.width)]
        } else if i == j {
            self.counts[i - self.width]
        } else {
            0.0
        }
    }
}

/// Takes up to [`DEPTH`] rows; returns how many there were.
fn take<'r>(rows: &mut impl Iterator<Item = (&'r [f64], u16)>, to: &mut [(&'r [f64], u16); DEPTH]) -> usize {
    let mut count = 0;
    for (to, row) in to.iter_mut().zip(rows) {
        *to = row;
        count += 1;
    }
    count
}

/// Columns of whole panels.
const fn whole(width: usize) -> usize {
    width - width % PANEL
}

struct AddBlock<'a> {
    rows: &'a [(&'a [f64], u16)],
    /// The rows after these: on their way while these are multiplied.
    next: &'a [(&'a [f64], u16)],
    block: MatMut<'a, f64>,
    sums: MatMut<'a, f64>,
    class_sums: MatMut<'a, f64>,
}

impl WithSimd for AddBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { rows, next, mut block, mut sums, mut class_sums } = self;
        let width = rows[0].0.len();
        for (p, (row, class)) in rows.iter().enumerate() {
            // What is below stays zero.
            let (to, to_rest) = S::as_mut_simd_f64s(&mut column_mut(block.as_mut(), p)[..width]);
            let (from, from_rest) = S::as_simd_f64s(row);
            for (to, x) in to.iter_mut().zip(from) {
                *to = *x;
            }
            for (to, x) in to_rest.iter_mut().zip(from_rest) {
                *to = *x;
            }
            if class_sums.ncols() > 0 {
                let (row, _) = S::as_simd_f64s(column(block.as_ref(), p));
                let (sum, _) = S::as_mut_simd_f64s(column_mut(class_sums.as_mut(), usize::from(*class)));
                for (to, x) in sum.iter_mut().zip(row) {
                    *to = s.add(*to, *x);
                }
            }
        }
        let block = Block { numbers: block.as_ref(), depth: rows.len() };
        // A share of the rows to come with each panel, so that the loads of this block find room
        // between them.
        let mut shares = next.chunks(SHARE);
        if S::REGISTER_COUNT > 16 {
            for first in (0..whole(width)).step_by(PANEL) {
                add_columns::<S, PANEL>(s, block, sums.as_mut(), first..whole(width), first, &mut shares);
            }
        } else {
            for first in (0..whole(width)).step_by(4) {
                add_columns::<S, 4>(s, block, sums.as_mut(), first..whole(width), first, &mut shares);
            }
        }
        // The last columns as a whole: their rows would leave most of a register empty.
        let mut first = whole(width);
        while first + 2 <= width {
            add_columns::<S, 2>(s, block, sums.as_mut(), 0..width, first, &mut shares);
            first += 2;
        }
        if first < width {
            add_columns::<S, 1>(s, block, sums.as_mut(), 0..width, first, &mut shares);
        }
        for share in shares {
            prefetch(share);
        }
    }
}

/// Rows side by side: a column each.
#[derive(Clone, Copy)]
struct Block<'a> {
    numbers: MatRef<'a, f64>,
    depth: usize,
}

/// C columns of the sum from `first` on, with all registers that hold one of these rows.
#[inline(always)]
fn add_columns<'r, S: Simd, const C: usize>(
    s: S,
    block: Block<'_>,
    mut sums: MatMut<'_, f64>,
    rows: Range<usize>,
    first: usize,
    shares: &mut std::slice::Chunks<'r, (&'r [f64], u16)>,
) {
    let mut row = rows.start - rows.start % S::F64_LANES;
    while row < rows.end {
        prefetch(shares.next().unwrap_or_default());
        // As equal as can be: a tile of one register loads as often as it multiplies.
        let registers = match (rows.end - row).div_ceil(S::F64_LANES) {
            1 => 1,
            2 | 4 => 2,
            _ => 3,
        };
        match registers {
            1 => add_tile::<S, 1, C>(s, block, sums.as_mut(), row, first),
            2 => add_tile::<S, 2, C>(s, block, sums.as_mut(), row, first),
            _ => add_tile::<S, 3, C>(s, block, sums.as_mut(), row, first),
        }
        row += registers * S::F64_LANES;
    }
}

/// R registers from `row` on of C columns from `first` on.
#[inline(always)]
fn add_tile<S: Simd, const R: usize, const C: usize>(
    s: S,
    block: Block<'_>,
    mut sums: MatMut<'_, f64>,
    row: usize,
    first: usize,
) {
    let mut tile = [[s.all(0.0); R]; C];
    for c in 0..C {
        let (old, _) = S::as_simd_f64s(&column(sums.as_ref(), first + c)[row..][..R * S::F64_LANES]);
        for r in 0..R {
            tile[c][r] = old[r];
        }
    }
    for p in 0..block.depth {
        let own = column(block.numbers, p);
        let (left, _) = S::as_simd_f64s(&own[row..][..R * S::F64_LANES]);
        let right = &own[first..][..C];
        for c in 0..C {
            let factor = s.all(right[c]);
            for r in 0..R {
                tile[c][r] = s.mul_add(left[r], factor, tile[c][r]);
            }
        }
    }
    for c in 0..C {
        let own = &mut column_mut(sums.as_mut(), first + c)[row..][..R * S::F64_LANES];
        let (own, _) = S::as_mut_simd_f64s(own);
        for r in 0..R {
            own[r] = tile[c][r];
        }
    }
}

/// Asks for the cache lines of rows, without waiting for them.
#[inline(always)]
fn prefetch(rows: &[(&[f64], u16)]) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for (row, _) in rows {
        for line in row.chunks(PANEL) {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: SSE is part of x86-64, and a prefetch reads nothing: no address can make it
            // fail.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    let _ = rows;
}
