//! Products in tiles of registers.
//!
//! The left factor is taken column by column, as slices, so that its columns may lie anywhere: a
//! sample's rows need no copy. A tile is R registers down a column by C columns: R loads of the
//! left factor and C broadcasts of the right one for R·C fused multiply-adds. 3 × 4 of 16
//! registers, 3 × 8 of 32.
//!
//! [`DEPTH`] terms of the sums are taken at a time: the right factor's share of [`TILES`] tiles
//! side by side, 16 KiB, then, for each R registers of rows, the left factor's, 12 KiB: both lie in
//! L1 while the tiles read them, whatever the stride of their columns. Between such stretches the
//! sums rest in memory, which rounds nothing: every entry is one chain of fused multiply-adds in
//! ascending order of the terms, whatever tile it stands in.
//!
//! Counts: 2 flops a term and entry; bytes: 16 an entry for each [`DEPTH`] terms, and the left
//! factor once for each `TILES`·C columns.

use faer::{Accum, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes};

/// Terms of the sums that are taken at a time.
const DEPTH: usize = 64;

/// Most columns of a tile.
const MOST_COLUMNS: usize = 8;

/// Tiles beside each other that are taken at a time.
const TILES: usize = 4;

/// Most numbers of a column of a tile.
const MOST_ROWS: usize = 3 * crate::lanes::MAX_LANES;

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
    let right = Right::Matrix { right, sign: 1.0, lower: false };
    instruction_set.run(Product { to, accum, left: [left, left.subcols(0, 0)], right });
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
    let factors = [factor, factor.subcols(0, 0)];
    let right = Right::Rows { rows: factors, sign: 1.0 };
    instruction_set.run(Product { to: gram, accum, left: factors, right });
}

/// `to (+)= L R`, L of two matrices side by side, the second of which may have no columns.
pub(crate) struct Product<'a> {
    pub(crate) to: MatMut<'a, f64>,
    pub(crate) accum: Accum,
    pub(crate) left: [MatRef<'a, f64>; 2],
    pub(crate) right: Right<'a>,
}

/// What the columns of L are multiplied by.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a> {
    /// A matrix (q × n), or its negative.
    Matrix {
        right: MatRef<'a, f64>,
        /// 1 or −1.
        sign: f64,
        /// Whether the lower triangle is all that is wanted.
        lower: bool,
    },
    /// The transposed of two matrices side by side, as wide as those of L, or its negative; the
    /// lower triangle is wanted, and of matrices with more rows than `to` has columns, the first.
    Rows {
        rows: [MatRef<'a, f64>; 2],
        /// 1 or −1.
        sign: f64,
    },
}

/// A column of the left factor, and the row of the right one that it meets, where that is a column
/// of another.
#[derive(Clone, Copy, Default)]
struct Term<'a> {
    left: &'a [f64],
    right: &'a [f64],
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        multiply(s, self);
    }
}

/// The product with the tiles that the registers hold.
#[inline(always)]
fn multiply<S: Simd>(s: S, product: Product<'_>) {
    if S::REGISTER_COUNT > 16 {
        multiply_tiles::<S, MOST_COLUMNS>(s, product);
    } else {
        multiply_tiles::<S, 4>(s, product);
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

/// The right factor's share of a tile: a row a term.
type Share = [[f64; MOST_COLUMNS]; DEPTH];

#[inline(always)]
fn multiply_tiles<S: Simd, const C: usize>(s: S, product: Product<'_>) {
    let Product { mut to, accum, left, right } = product;
    let (rows, width) = (to.nrows(), to.ncols());
    let (lower, beside) = match right {
        Right::Matrix { lower, .. } => (lower, None),
        Right::Rows { rows, .. } => (true, Some(rows)),
    };
    assert!(left[0].nrows() == rows && left[1].nrows() == rows, "columns of m entries");
    let halves = left.iter().enumerate().flat_map(|(half, left)| (0..left.ncols()).map(move |p| (half, p)));
    let mut terms = halves.map(|(half, p)| Term {
        left: column(left[half], p),
        right: beside.map_or(&[], |rows| column(rows[half], p)),
    });
    if matches!(accum, Accum::Replace) {
        for j in 0..width {
            column_mut(to.as_mut(), j)[if lower { j } else { 0 }..].fill(0.0);
        }
    }
    let mut own = [Term::default(); DEPTH];
    let mut shares: [Share; TILES] = [[[0.0; MOST_COLUMNS]; DEPTH]; TILES];
    let mut panel = [[s.all(0.0); 3]; DEPTH];
    let mut first = 0;
    loop {
        let mut depth = 0;
        for (to, term) in own.iter_mut().zip(terms.by_ref()) {
            *to = term;
            depth += 1;
        }
        if depth == 0 {
            return;
        }
        let own = &own[..depth];
        for start in (0..width).step_by(TILES * C) {
            let columns = (TILES * C).min(width - start);
            let tiles = columns.div_ceil(C);
            for (t, share) in shares[..tiles].iter_mut().enumerate() {
                let j = start + t * C;
                pack(&mut share[..depth], own, right, first, j, C.min(width - j));
            }
            let place = Place { row: if lower { start } else { 0 }, column: start, columns, lower };
            let panel = &mut panel[..depth];
            rows_of_tiles::<S, C>(s, to.as_mut(), own, panel, &shares[..tiles], place);
        }
        first += depth;
    }
}

/// Brings the entries of `count` columns of the right factor side by side, a row a term; the others
/// stay what they were, and are not stored.
#[inline(always)]
fn pack(
    share: &mut [[f64; MOST_COLUMNS]],
    terms: &[Term<'_>],
    right: Right<'_>,
    first: usize,
    j: usize,
    count: usize,
) {
    match right {
        Right::Rows { sign, .. } => {
            for (to, term) in share.iter_mut().zip(terms) {
                for (to, x) in to.iter_mut().zip(&term.right[j..][..count]) {
                    *to = sign * x;
                }
            }
        }
        Right::Matrix { right, sign, .. } => {
            for c in 0..count {
                let column = right.col(j + c).subrows(first, share.len());
                for (to, x) in share.iter_mut().zip(column.iter()) {
                    to[c] = sign * x;
                }
            }
        }
    }
}

/// Where tiles stand: their first row and column, and how many columns they are together.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    column: usize,
    columns: usize,
    lower: bool,
}

/// All rows of the tiles beside each other, R registers at a time.
#[inline(always)]
fn rows_of_tiles<S: Simd, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    terms: &[Term<'_>],
    panel: &mut [[S::f64s; 3]],
    shares: &[Share],
    mut place: Place,
) {
    let rows = to.nrows();
    let whole = 3 * S::F64_LANES;
    while place.row + whole <= rows {
        for (to, term) in panel.iter_mut().zip(terms) {
            let (from, _) = S::as_simd_f64s(&term.left[place.row..][..whole]);
            let from = &from[..3];
            *to = [from[0], from[1], from[2]];
        }
        tiles_of_rows::<S, 3, C>(s, to.as_mut(), panel, shares, place);
        place.row += whole;
    }
    // The last of the registers may have fewer rows than it holds.
    let left = rows - place.row;
    let registers = left.div_ceil(S::F64_LANES);
    if left == 0 {
        return;
    }
    for (to, term) in panel.iter_mut().zip(terms) {
        let from = &term.left[place.row..];
        let (full, rest) = S::as_simd_f64s(from);
        let rest = s.partial_load_f64s(rest);
        *to = match full.len() {
            0 => [rest; 3],
            1 => [full[0], rest, rest],
            2 => [full[0], full[1], rest],
            _ => [full[0], full[1], full[2]],
        };
    }
    match registers {
        1 => tiles_of_rows::<S, 1, C>(s, to, panel, shares, place),
        2 => tiles_of_rows::<S, 2, C>(s, to, panel, shares, place),
        _ => tiles_of_rows::<S, 3, C>(s, to, panel, shares, place),
    }
}

/// R registers of rows of the tiles beside each other.
#[inline(always)]
fn tiles_of_rows<S: Simd, const R: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    panel: &[[S::f64s; 3]],
    shares: &[Share],
    place: Place,
) {
    let Place { row, column: start, columns, lower } = place;
    let count = (R * S::F64_LANES).min(to.nrows() - row);
    for (t, share) in shares.iter().enumerate() {
        let j = start + t * C;
        let width = C.min(columns - t * C);
        if lower && row + count <= j {
            return;
        }
        let whole = width == C && count == R * S::F64_LANES && !(lower && row < j + C);
        // Indices into registers are known when they are compiled, or the sums would stand in
        // memory: parts of a tile go by way of numbers.
        if whole {
            let mut sums = [[s.all(0.0); R]; C];
            for c in 0..C {
                let (old, _) = S::as_simd_f64s(&column(to.as_ref(), j + c)[row..][..R * S::F64_LANES]);
                let old = &old[..R];
                for r in 0..R {
                    sums[c][r] = old[r];
                }
            }
            let sums = accumulate::<S, R, C>(s, sums, panel, share);
            for c in 0..C {
                let own = &mut column_mut(to.as_mut(), j + c)[row..][..R * S::F64_LANES];
                let (own, _) = S::as_mut_simd_f64s(own);
                let own = &mut own[..R];
                for r in 0..R {
                    own[r] = sums[c][r];
                }
            }
            continue;
        }
        let mut numbers = [[0.0; MOST_ROWS]; C];
        for (c, numbers) in numbers[..width].iter_mut().enumerate() {
            numbers[..count].copy_from_slice(&column(to.as_ref(), j + c)[row..][..count]);
        }
        let mut sums = [[s.all(0.0); R]; C];
        for c in 0..C {
            let (old, _) = S::as_simd_f64s(&numbers[c][..R * S::F64_LANES]);
            for r in 0..R {
                sums[c][r] = old[r];
            }
        }
        let sums = accumulate::<S, R, C>(s, sums, panel, share);
        for c in 0..C {
            for r in 0..R {
                let own = lanes::<S>(sums[c][r]);
                numbers[c][r * S::F64_LANES..][..S::F64_LANES].copy_from_slice(&own[..S::F64_LANES]);
            }
        }
        for (c, numbers) in numbers[..width].iter().enumerate() {
            let above = if lower { (j + c).saturating_sub(row).min(count) } else { 0 };
            let own = &mut column_mut(to.as_mut(), j + c)[row..][..count];
            own[above..].copy_from_slice(&numbers[above..count]);
        }
    }
}

/// The sums with all terms of the stretch.
#[inline(always)]
fn accumulate<S: Simd, const R: usize, const C: usize>(
    s: S,
    mut sums: [[S::f64s; R]; C],
    panel: &[[S::f64s; 3]],
    share: &Share,
) -> [[S::f64s; R]; C] {
    for (from, share) in panel.iter().zip(share) {
        for c in 0..C {
            let factor = s.all(share[c]);
            for r in 0..R {
                sums[c][r] = s.mul_add(from[r], factor, sums[c][r]);
            }
        }
    }
    sums
}
