//! Gram matrices `AᵀA` of rows that lie anywhere in memory, as a running sum.
//!
//! Rows of a random subset are far apart, and as wide as they are: [`DEEP`] of them are brought
//! side by side first, padded by zeros to whole registers, which is also the packed form that both
//! factors of the product have. Loads of other rows do not wait for one another, so their latency
//! is paid once a block. A [`HeldRows`] says where rows are and what of: those that are not held
//! as doubles become doubles one at a time, on their way into the block.
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

use faer::{Mat, MatMut};
use pulp::{Simd, WithSimd};

use super::prefetch;
use super::product::column_mut;
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::Arithmetic;

/// Rows that are brought side by side if they are narrow: 16 KiB at a width of 64, half of a
/// first-level cache, from where tiles read them many times.
const SHALLOW: usize = 32;

/// Rows that are brought side by side otherwise.
const DEEP: usize = 96;

/// Columns of narrow rows.
const NARROW: usize = 128;

/// Columns beyond which the sums of the next tile are asked for. Measured, Gflop/s without and with
/// (AVX-512, 32 MiB of L3): 52.4 and 51.4 at 784, 52.9 and 52.1 at 1,024, 46 and 52 at 2,048.
const WIDE: usize = 1024;

/// Rows that are asked for with a tile: about a block's in all of its tiles.
const SHARE: usize = 2;

/// Columns of a panel; the widest register.
const PANEL: usize = 8;

/// Rows of numbers, held as whatever they are, each perhaps with a class.
pub trait HeldRows {
    /// Number of rows.
    fn rows(&self) -> usize;

    /// Numbers of a row: w, without the class.
    fn numbers(&self) -> usize;

    /// The numbers of a row (w): where they lie, if as doubles, else written to `room` (w).
    ///
    /// # Panics
    ///
    /// If there is no such row, or `room` is not w long.
    fn row<'a>(&'a self, row: usize, room: &'a mut [f64]) -> &'a [f64];

    /// The class of a row, asked for where there are classes.
    ///
    /// # Panics
    ///
    /// If there is none.
    fn class(&self, row: usize) -> usize;

    /// Asks for a row that is wanted soon, without waiting for it.
    fn ask_for(&self, row: usize);
}

/// Rows that are held as doubles, side by side.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Row-major numbers, a multiple of `width`.
    pub values: &'a [f64],
    /// Numbers of a row.
    pub width: usize,
    /// Class of each row; empty where there are no classes.
    pub classes: &'a [u16],
}

impl HeldRows for Rows<'_> {
    #[inline(always)]
    fn rows(&self) -> usize {
        self.values.len() / self.width.max(1)
    }

    #[inline(always)]
    fn numbers(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn row<'a>(&'a self, row: usize, _: &'a mut [f64]) -> &'a [f64] {
        &self.values[row * self.width..][..self.width]
    }

    #[inline(always)]
    fn class(&self, row: usize) -> usize {
        usize::from(self.classes[row])
    }

    #[inline(always)]
    fn ask_for(&self, row: usize) {
        prefetch(&self.values[row * self.width..][..self.width]);
    }
}

/// `AᵀA` of the rows that were added; A = [X Y] with Y one-hot, or X alone.
#[derive(Clone, Debug)]
pub struct RowGram {
    instruction_set: InstructionSet,
    /// Columns of X.
    width: usize,
    /// A row that becomes doubles (w).
    room: Vec<f64>,
    /// Rows side by side: a panel of columns after another, PANEL × depth each. One column, so that
    /// it begins with a cache line.
    block: Mat<f64>,
    /// XᵀX (stride × padded, in one column): the lower triangle of whole panels, all of the columns
    /// beyond.
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
            room: vec![0.0; width],
            block: Mat::zeros(padded * Self::depth(width), 1),
            sums: Mat::zeros(Self::stride(width) * padded, 1),
            class_sums: Mat::zeros(padded, classes),
            counts: vec![0.0; classes],
            rows: 0,
        }
    }

    /// Rows that are brought side by side at a time: bits do not depend on it.
    #[must_use]
    pub fn depth(width: usize) -> usize {
        if width <= NARROW { SHALLOW } else { DEEP }
    }

    /// Columns that the sum has in memory.
    fn padded(width: usize) -> usize {
        width.next_multiple_of(PANEL)
    }

    /// How far they are apart: an odd number of cache lines, so that those of a tile are not all
    /// held by the same few places of a cache.
    fn stride(width: usize) -> usize {
        PANEL * (width.div_ceil(PANEL) | 1)
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

    /// Adds some rows of a source, in this order.
    ///
    /// # Panics
    ///
    /// If rows are not of w numbers, there is no such row, or no such class.
    pub fn add<R: HeldRows>(&mut self, source: &R, mut rows: impl Iterator<Item = usize>) {
        assert!(source.numbers() == self.width, "rows of w numbers");
        let (mut own, mut next) = ([0; DEEP], [0; DEEP]);
        let most = Self::depth(self.width);
        let mut depth = take(&mut rows, &mut own[..most]);
        while depth > 0 {
            if !self.counts.is_empty() {
                own[..depth].iter().for_each(|&row| self.counts[source.class(row)] += 1.0);
            }
            self.rows += depth;
            let after = take(&mut rows, &mut next[..most]);
            self.instruction_set.run(AddBlock {
                source,
                rows: &own[..depth],
                next: &next[..after],
                room: &mut self.room,
                block: self.block.col_as_slice_mut(0),
                sums: self.sums.col_as_slice_mut(0),
                class_sums: self.class_sums.as_mut(),
            });
            (own, depth) = (next, after);
        }
    }

    /// Entry (i, j) of the sum: columns of X, then of Y.
    #[must_use]
    pub fn entry(&self, i: usize, j: usize) -> f64 {
        let (i, j) = (i.max(j), i.min(j));
        let stride = Self::stride(self.width);
        if i < whole(self.width) {
            self.sums[(j * stride + i, 0)]
        } else if i < self.width {
            self.sums[(i * stride + j, 0)]
        } else if j < self.width {
            self.class_sums[(j, i - self.width)]
        } else if i == j {
            self.counts[i - self.width]
        } else {
            0.0
        }
    }
}

/// Takes as many rows as there is room for; returns how many there were.
fn take(rows: &mut impl Iterator<Item = usize>, to: &mut [usize]) -> usize {
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

struct AddBlock<'a, R> {
    source: &'a R,
    rows: &'a [usize],
    /// The rows after these: on their way while these are multiplied.
    next: &'a [usize],
    room: &'a mut [f64],
    block: &'a mut [f64],
    sums: &'a mut [f64],
    class_sums: MatMut<'a, f64>,
}

impl<R: HeldRows> WithSimd for AddBlock<'_, R> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { source, rows, next, room, block, sums, mut class_sums } = self;
        let width = room.len();
        let depth = RowGram::depth(width);
        for (p, &of) in rows.iter().enumerate() {
            let row = source.row(of, room);
            pack(row, p, depth, block);
            if class_sums.ncols() > 0 {
                let sum = &mut column_mut(class_sums.as_mut(), source.class(of))[..width];
                let (from, from_rest) = S::as_simd_f64s(row);
                let (to, to_rest) = S::as_mut_simd_f64s(sum);
                for (to, x) in to.iter_mut().zip(from) {
                    *to = s.add(*to, *x);
                }
                for (to, x) in to_rest.iter_mut().zip(from_rest) {
                    *to += *x;
                }
            }
        }
        // A share of the rows to come with each tile, so that the loads of this block find room
        // between them.
        let mut ahead = Ahead { source, shares: next.chunks(SHARE) };
        let block = Block { numbers: block, depth, rows: rows.len() };
        // One register less than there are would be spilled: 2 × 4 keeps both units busy.
        if S::REGISTER_COUNT > 16 {
            add_rows::<S, R, 3, PANEL>(s, block, sums, width, &mut ahead);
        } else {
            add_rows::<S, R, 2, 4>(s, block, sums, width, &mut ahead);
        }
        while ahead.ask() {}
    }
}

/// Rows that are wanted soon, a share after another.
struct Ahead<'a, R> {
    source: &'a R,
    shares: std::slice::Chunks<'a, usize>,
}

impl<R: HeldRows> Ahead<'_, R> {
    /// Asks for the next share; returns whether there was one.
    #[inline(always)]
    fn ask(&mut self) -> bool {
        let share = self.shares.next();
        share.unwrap_or_default().iter().for_each(|&row| self.source.ask_for(row));
        share.is_some()
    }
}

/// Writes a row into the panels of a block, in its p-th place.
#[inline(always)]
fn pack(row: &[f64], p: usize, depth: usize, block: &mut [f64]) {
    let (pieces, rest) = row.as_chunks::<PANEL>();
    let mut panels = block.chunks_exact_mut(PANEL * depth);
    // In this order, so that none is taken for a piece that is not there.
    for (piece, panel) in pieces.iter().zip(panels.by_ref()) {
        panel[PANEL * p..][..PANEL].copy_from_slice(piece);
    }
    // What is beyond the last column stays zero.
    if let Some(panel) = panels.next() {
        for (to, x) in panel[PANEL * p..][..PANEL].iter_mut().zip(rest) {
            *to = *x;
        }
    }
}

/// Rows side by side, in panels of columns.
#[derive(Clone, Copy)]
struct Block<'a> {
    /// PANEL × depth a panel.
    numbers: &'a [f64],
    depth: usize,
    /// How many rows there are.
    rows: usize,
}

impl<'a> Block<'a> {
    /// The panel of a column, as far as there are rows.
    #[inline(always)]
    fn panel(self, column: usize) -> &'a [f64] {
        &self.numbers[column / PANEL * PANEL * self.depth..][..PANEL * self.rows]
    }
}

/// Adds the products of a block: a tile's rows stay in L1 while all of their columns pass.
#[inline(always)]
fn add_rows<S: Simd, R: HeldRows, const MOST: usize, const C: usize>(
    s: S,
    block: Block<'_>,
    sums: &mut [f64],
    width: usize,
    ahead: &mut Ahead<'_, R>,
) {
    let (whole, stride) = (whole(width), RowGram::stride(width));
    let mut row = 0;
    while row < whole {
        let registers = tile_registers::<S, MOST>(whole - row);
        let end = row + registers * S::F64_LANES;
        for first in (0..end.min(whole)).step_by(C) {
            ahead.ask();
            let next = if width > WIDE { first + C..(first + 2 * C).min(end) } else { 0..0 };
            for next in next {
                prefetch(sums.get(next * stride + row..next * stride + end).unwrap_or_default());
            }
            // Registers above the diagonal are left out.
            let above = first.saturating_sub(row) / S::F64_LANES;
            let at = Place { row: row + above * S::F64_LANES, first, stride };
            match registers - above {
                1 => add_tile::<S, 1, C>(s, block, sums, at),
                2 => add_tile::<S, 2, C>(s, block, sums, at),
                _ => add_tile::<S, MOST, C>(s, block, sums, at),
            }
        }
        row = end;
    }
    // The last columns as a whole: their rows would leave most of a register empty.
    let mut first = whole;
    while first + 2 <= width {
        add_columns::<S, R, 2>(s, block, sums, width, first, ahead);
        first += 2;
    }
    if first < width {
        add_columns::<S, R, 1>(s, block, sums, width, first, ahead);
    }
}

/// C columns of the sum from `first` on, with all registers that hold a row.
#[inline(always)]
fn add_columns<S: Simd, R: HeldRows, const C: usize>(
    s: S,
    block: Block<'_>,
    sums: &mut [f64],
    width: usize,
    first: usize,
    ahead: &mut Ahead<'_, R>,
) {
    let mut at = Place { row: 0, first, stride: RowGram::stride(width) };
    while at.row < width {
        ahead.ask();
        let registers = tile_registers::<S, 3>(width - at.row);
        match registers {
            1 => add_tile::<S, 1, C>(s, block, sums, at),
            2 => add_tile::<S, 2, C>(s, block, sums, at),
            _ => add_tile::<S, 3, C>(s, block, sums, at),
        }
        at.row += registers * S::F64_LANES;
    }
}

/// Registers of the next tile of so many rows, as equal as can be: a tile of one register loads as
/// often as it multiplies.
#[inline(always)]
fn tile_registers<S: Simd, const MOST: usize>(rows: usize) -> usize {
    match rows.div_ceil(S::F64_LANES) {
        1 => 1,
        2 | 4 => 2,
        _ => MOST,
    }
}

/// Where a tile stands: its first row and column, and how far columns of the sum are apart.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    first: usize,
    stride: usize,
}

/// R registers of C columns.
#[inline(always)]
fn add_tile<S: Simd, const R: usize, const C: usize>(s: S, block: Block<'_>, sums: &mut [f64], at: Place) {
    let Place { row, first, stride } = at;
    let step = PANEL / S::F64_LANES;
    let mut tile = [[s.all(0.0); R]; C];
    for c in 0..C {
        let (old, _) = S::as_simd_f64s(&sums[(first + c) * stride + row..][..R * S::F64_LANES]);
        for r in 0..R {
            tile[c][r] = old[r];
        }
    }
    let mut left: [&[S::f64s]; R] = [&[]; R];
    for r in 0..R {
        let row = row + r * S::F64_LANES;
        left[r] = &S::as_simd_f64s(block.panel(row)).0[row % PANEL / S::F64_LANES..];
    }
    let (right, _) = block.panel(first).as_chunks::<PANEL>();
    let offset = first % PANEL;
    for (p, right) in right.iter().enumerate() {
        let right = &right[offset..][..C];
        let mut own = [s.all(0.0); R];
        for r in 0..R {
            own[r] = left[r][p * step];
        }
        for c in 0..C {
            let factor = s.all(right[c]);
            for r in 0..R {
                tile[c][r] = s.mul_add(own[r], factor, tile[c][r]);
            }
        }
    }
    for c in 0..C {
        let own = &mut sums[(first + c) * stride + row..][..R * S::F64_LANES];
        let (own, _) = S::as_mut_simd_f64s(own);
        for r in 0..R {
            own[r] = tile[c][r];
        }
    }
}
