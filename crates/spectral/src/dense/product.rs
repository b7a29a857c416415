//! Products in tiles of registers.
//!
//! The left factor is taken column by column, as slices, so that its columns may lie anywhere: a
//! sample's rows need no copy. A tile is R registers down a column by C columns: R loads of the
//! left factor and C broadcasts of the right one for R·C fused multiply-adds. 2 × 4 of 16
//! registers (3 × 4 would be spilled), 3 × 8 of 32.
//!
//! [`DEPTH`] terms of the sums are taken at a time: the right factor's share of [`TILES`] tiles is
//! brought side by side, 48 KiB, then, for each R registers of rows, the left factor's, 18 KiB,
//! while the first of the tiles multiplies it: that lies in L1 while the tiles read it, whatever
//! the stride of its columns. The rows after these, and the sums of the tile after this one, are
//! asked for meanwhile. A left factor of [`FEW`] rows does not pay for that: both are then read
//! where they lie, the right one down its columns.
//!
//! Between such stretches the sums rest in memory, which rounds nothing: every entry is one chain
//! of fused multiply-adds in ascending order of the terms, whatever tile it stands in.
//!
//! Counts: 2 flops a term and entry; bytes: 16 an entry for each [`DEPTH`] terms, and the left
//! factor once for each `TILES`·C columns.

use faer::{Accum, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use super::prefetch;
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes};
use crate::lanes::tiles::turn;

/// Terms of the sums that are taken at a time.
const DEPTH: usize = 96;

/// Most columns of a tile.
const MOST_COLUMNS: usize = 8;

/// Tiles beside each other that are taken at a time.
const TILES: usize = 8;

/// Where shares of both factors are brought side by side, to be used by one product after another:
/// to write its zeros takes as long as a narrow product.
#[repr(C, align(64))]
#[derive(Clone, Debug)]
pub(crate) struct Packing {
    left: [f64; MOST_ROWS * DEPTH],
    right: [Share; TILES],
}

impl Packing {
    pub(crate) const fn new() -> Self {
        Self { left: [0.0; MOST_ROWS * DEPTH], right: [[[0.0; MOST_COLUMNS]; DEPTH]; TILES] }
    }
}

/// Rows up to which the right factor is read where it lies.
const FEW: usize = 64;

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
    product_in(instruction_set, to, accum, left, right, &mut Packing::new());
}

/// The same, one of many.
pub(crate) fn product_in(
    instruction_set: InstructionSet,
    to: MatMut<'_, f64>,
    accum: Accum,
    left: MatRef<'_, f64>,
    right: MatRef<'_, f64>,
    packing: &mut Packing,
) {
    assert!(to.nrows() == left.nrows() && to.ncols() == right.ncols(), "T is m × n");
    assert!(left.ncols() == right.nrows(), "L is m × q, R is q × n");
    let right = Right::Matrix { right, sign: 1.0, lower: false };
    instruction_set.run(Product { to, accum, left: [left, left.subcols(0, 0)], right, packing });
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
    instruction_set.run(Product { to: gram, accum, left: factors, right, packing: &mut Packing::new() });
}

/// `to (+)= L R`, L of two matrices side by side, the second of which may have no columns.
pub(crate) struct Product<'a> {
    pub(crate) to: MatMut<'a, f64>,
    pub(crate) accum: Accum,
    pub(crate) left: [MatRef<'a, f64>; 2],
    pub(crate) right: Right<'a>,
    pub(crate) packing: &'a mut Packing,
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
        if S::REGISTER_COUNT > 16 {
            multiply::<S, 3, MOST_COLUMNS>(s, self);
        } else {
            multiply::<S, 2, 4>(s, self);
        }
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

/// The product in tiles of M registers down by C columns.
#[inline(always)]
fn multiply<S: Simd, const M: usize, const C: usize>(s: S, product: Product<'_>) {
    let Product { mut to, accum, left, right, packing } = product;
    let (rows, width) = (to.nrows(), to.ncols());
    let (lower, beside) = match right {
        Right::Matrix { lower, .. } => (lower, None),
        Right::Rows { rows, .. } => (true, Some(rows)),
    };
    assert!(left[0].nrows() == rows && left[1].nrows() == rows, "columns of m entries");
    if matches!(accum, Accum::Replace) {
        for j in 0..width {
            column_mut(to.as_mut(), j)[if lower { j } else { 0 }..].fill(0.0);
        }
    }
    let (registers, _) = S::as_mut_simd_f64s(&mut packing.left);
    let (panel, _) = pulp::as_arrays_mut::<M, _>(registers);
    if let Right::Matrix { right, sign, .. } = right
        && rows <= FEW
        && right.row_stride() == 1
        && left[1].ncols() == 0
    {
        for first in (0..right.nrows()).step_by(DEPTH) {
            let count = DEPTH.min(right.nrows() - first);
            let (left, right) = (left[0].subcols(first, count), right.subrows(first, count));
            few_rows::<S, M, C>(s, to.as_mut(), left, &mut panel[..count], right, (sign, lower));
        }
        return;
    }
    let halves = left.iter().enumerate().flat_map(|(half, left)| (0..left.ncols()).map(move |p| (half, p)));
    let mut terms = halves.map(|(half, p)| Term {
        left: column(left[half], p),
        right: beside.map_or(&[], |rows| column(rows[half], p)),
    });
    let mut own = [Term::default(); DEPTH];
    let mut first = 0;
    while let own @ [_, ..] = take(&mut terms, &mut own) {
        let panel = &mut panel[..own.len()];
        columns_of_tiles::<S, M, C>(s, to.as_mut(), own, panel, &mut packing.right, (right, first, lower));
        first += own.len();
    }
}

/// The product of [`DEPTH`] terms, the first of which is number `first`; [`TILES`] tiles beside each
/// other at a time.
#[inline(always)]
fn columns_of_tiles<S: Simd, const M: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    terms: &[Term<'_>],
    panel: &mut [[S::f64s; M]],
    shares: &mut [Share],
    (right, first, lower): (Right<'_>, usize, bool),
) {
    let width = to.ncols();
    for start in (0..width).step_by(shares.len() * C) {
        let columns = (shares.len() * C).min(width - start);
        let tiles = columns.div_ceil(C);
        for (t, share) in shares[..tiles].iter_mut().enumerate() {
            let j = start + t * C;
            pack::<S, C>(s, &mut share[..terms.len()], terms, right, first, j, C.min(width - j));
        }
        let place = Place { row: if lower { start } else { 0 }, column: start, columns, lower };
        rows_of_tiles::<S, M, C>(s, to.as_mut(), terms, panel, &shares[..tiles], place);
    }
}

/// The next terms, as many as there is room for.
#[inline(always)]
fn take<'t, 'a>(terms: &mut impl Iterator<Item = Term<'a>>, to: &'t mut [Term<'a>]) -> &'t [Term<'a>] {
    let mut count = 0;
    for (to, term) in to.iter_mut().zip(terms) {
        *to = term;
        count += 1;
    }
    &to[..count]
}

/// Brings the entries of `count` columns of the right factor side by side, a row a term; the others
/// stay what they were, and are not stored.
#[inline(always)]
fn pack<S: Simd, const C: usize>(
    s: S,
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
                let from = &term.right[j..][..count];
                if let Some(from) = from.first_chunk::<C>() {
                    for c in 0..C {
                        to[c] = sign * from[c];
                    }
                    continue;
                }
                for (to, x) in to.iter_mut().zip(from) {
                    *to = sign * x;
                }
            }
        }
        Right::Matrix { right, sign, .. } => {
            let mut done = 0;
            if count == C && C == S::F64_LANES && right.row_stride() == 1 {
                let mut columns: [&[f64]; C] = [&[]; C];
                for c in 0..C {
                    columns[c] = &column(right, j + c)[first..][..share.len()];
                }
                while done + C <= share.len() {
                    let mut square = [s.all(0.0); C];
                    for c in 0..C {
                        square[c] = S::as_simd_f64s(&columns[c][done..][..C]).0[0];
                    }
                    turn::<S, C>(s, &mut square);
                    for c in 0..C {
                        let to = &mut share[done + c][..C];
                        S::as_mut_simd_f64s(to).0[0] = s.mul(s.all(sign), square[c]);
                    }
                    done += C;
                }
            }
            let (share, first) = (&mut share[done..], first + done);
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

/// Whether a tile of R registers by C columns has nothing beyond the matrix or above its diagonal.
#[inline(always)]
fn is_whole<S: Simd, const R: usize, const C: usize>(place: Place, rows: usize) -> bool {
    let Place { row, column, columns, lower } = place;
    columns >= C && row + R * S::F64_LANES <= rows && !(lower && row < column + C)
}

/// All rows of the tiles beside each other, M registers at a time.
#[inline(always)]
fn rows_of_tiles<S: Simd, const M: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    terms: &[Term<'_>],
    panel: &mut [[S::f64s; M]],
    shares: &[Share],
    mut place: Place,
) {
    let rows = to.nrows();
    while place.row + M * S::F64_LANES <= rows {
        let (mut shares, mut rest) = (shares, place);
        let below = Place { row: place.row + M * S::F64_LANES, ..place };
        ask_for::<S, C>(to.as_ref(), below);
        ask_for::<S, C>(to.as_ref(), Place { column: place.column + C, ..place });
        if is_whole::<S, M, C>(place, rows) {
            let sums = load_sums::<S, M, C>(s, to.as_ref(), place);
            let sums = accumulate_first::<S, M, C>(s, sums, terms, place.row, panel, &shares[0]);
            store_sums::<S, M, C>(to.as_mut(), place, &sums);
            shares = &shares[1..];
            (rest.column, rest.columns) = (place.column + C, place.columns - C);
        } else {
            gather::<S, M>(s, terms, place.row, panel);
        }
        tiles_of_rows::<S, M, M, C>(s, to.as_mut(), panel, shares, rest);
        place.row += M * S::F64_LANES;
    }
    // The last of the registers may have fewer rows than it holds.
    let registers = (rows - place.row).div_ceil(S::F64_LANES);
    if registers == 0 {
        return;
    }
    gather::<S, M>(s, terms, place.row, panel);
    match registers {
        1 => tiles_of_rows::<S, M, 1, C>(s, to, panel, shares, place),
        2 => tiles_of_rows::<S, M, 2, C>(s, to, panel, shares, place),
        _ => tiles_of_rows::<S, M, M, C>(s, to, panel, shares, place),
    }
}

/// Brings M registers of rows of the left factor side by side, or as many as there are.
#[inline(always)]
fn gather<S: Simd, const M: usize>(s: S, terms: &[Term<'_>], row: usize, panel: &mut [[S::f64s; M]]) {
    for (to, term) in panel.iter_mut().zip(terms) {
        let (full, rest) = S::as_simd_f64s(&term.left[row..]);
        if full.len() >= M {
            for r in 0..M {
                to[r] = full[r];
            }
            continue;
        }
        let rest = s.partial_load_f64s(rest);
        for r in 0..M {
            to[r] = *full.get(r).unwrap_or(&rest);
        }
    }
}

/// R registers of rows of the tiles beside each other.
#[inline(always)]
fn tiles_of_rows<S: Simd, const M: usize, const R: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    panel: &[[S::f64s; M]],
    shares: &[Share],
    mut place: Place,
) {
    for share in shares {
        if place.lower && place.row + R * S::F64_LANES <= place.column {
            return;
        }
        ask_for::<S, C>(to.as_ref(), Place { column: place.column + C, ..place });
        if is_whole::<S, R, C>(place, to.nrows()) {
            let sums = load_sums::<S, R, C>(s, to.as_ref(), place);
            let sums = accumulate::<S, M, R, C>(s, sums, panel, share);
            store_sums::<S, R, C>(to.as_mut(), place, &sums);
        } else {
            let mut numbers = [[0.0; MOST_ROWS]; C];
            let sums = load_part::<S, R, C>(s, to.as_ref(), place, &mut numbers);
            let sums = accumulate::<S, M, R, C>(s, sums, panel, share);
            store_part::<S, R, C>(to.as_mut(), place, &sums, &mut numbers);
        }
        (place.column, place.columns) = (place.column + C, place.columns.saturating_sub(C));
    }
}

/// Some registers of rows of the left factor.
#[derive(Clone, Copy)]
enum Left<'a, S: Simd, const M: usize> {
    /// As they lie: whole registers.
    Matrix(MatRef<'a, f64>),
    /// Side by side.
    Panel(&'a [[S::f64s; M]]),
}

/// The product of [`DEPTH`] terms where there are few rows.
#[inline(always)]
fn few_rows<S: Simd, const M: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    left: MatRef<'_, f64>,
    panel: &mut [[S::f64s; M]],
    right: MatRef<'_, f64>,
    (sign, lower): (f64, bool),
) {
    let (rows, columns) = (to.nrows(), to.ncols());
    for row in (0..rows).step_by(M * S::F64_LANES) {
        let registers = M.min((rows - row).div_ceil(S::F64_LANES));
        let count = registers * S::F64_LANES;
        let own = if row + count <= rows && sign > 0.0 {
            Left::Matrix(left.subrows(row, count))
        } else {
            for (p, to) in panel.iter_mut().enumerate() {
                let (full, rest) = S::as_simd_f64s(&column(left, p)[row..]);
                let rest = s.partial_load_f64s(rest);
                for r in 0..M {
                    to[r] = s.mul(s.all(sign), *full.get(r).unwrap_or(&rest));
                }
            }
            Left::Panel(&*panel)
        };
        let place = Place { row, column: 0, columns, lower };
        match registers {
            1 => tiles_in_place::<S, M, 1, C>(s, to.as_mut(), own, right, place),
            2 => tiles_in_place::<S, M, 2, C>(s, to.as_mut(), own, right, place),
            _ => tiles_in_place::<S, M, M, C>(s, to.as_mut(), own, right, place),
        }
    }
}

/// R registers of rows of all tiles, the right factor down its columns.
#[inline(always)]
fn tiles_in_place<S: Simd, const M: usize, const R: usize, const C: usize>(
    s: S,
    mut to: MatMut<'_, f64>,
    left: Left<'_, S, M>,
    right: MatRef<'_, f64>,
    mut place: Place,
) {
    while place.columns > 0 {
        let (j, width) = (place.column, C.min(place.columns));
        if place.lower && place.row + R * S::F64_LANES <= j {
            return;
        }
        let mut columns: [&[f64]; C] = [&[]; C];
        for c in 0..C {
            // Beyond the last one: not stored.
            columns[c] = column(right, j + c.min(width - 1));
        }
        for next in j + C..(j + 2 * C).min(right.ncols()) {
            prefetch(column(right, next));
        }
        ask_for::<S, C>(to.as_ref(), Place { column: place.column + C, ..place });
        if is_whole::<S, R, C>(place, to.nrows()) {
            let sums = load_sums::<S, R, C>(s, to.as_ref(), place);
            let sums = accumulate_down::<S, M, R, C>(s, sums, left, columns);
            store_sums::<S, R, C>(to.as_mut(), place, &sums);
        } else {
            let mut numbers = [[0.0; MOST_ROWS]; C];
            let sums = load_part::<S, R, C>(s, to.as_ref(), place, &mut numbers);
            let sums = accumulate_down::<S, M, R, C>(s, sums, left, columns);
            store_part::<S, R, C>(to.as_mut(), place, &sums, &mut numbers);
        }
        (place.column, place.columns) = (j + C, place.columns - width);
    }
}

/// Asks for the sums of a tile, or what there is of it.
#[inline(always)]
fn ask_for<S: Simd, const C: usize>(to: MatRef<'_, f64>, place: Place) {
    let end = (place.row + 3 * S::F64_LANES).min(to.nrows());
    for j in place.column..(place.column + C).min(to.ncols()) {
        prefetch(column(to, j).get(place.row..end).unwrap_or_default());
    }
}

/// The sums of a whole tile. Indices into registers are known when they are compiled, or the sums
/// would stand in memory: parts of a tile go by way of numbers.
#[inline(always)]
fn load_sums<S: Simd, const R: usize, const C: usize>(
    s: S,
    to: MatRef<'_, f64>,
    place: Place,
) -> [[S::f64s; R]; C] {
    let mut sums = [[s.all(0.0); R]; C];
    for c in 0..C {
        let old = &column(to, place.column + c)[place.row..][..R * S::F64_LANES];
        let old = &S::as_simd_f64s(old).0[..R];
        for r in 0..R {
            sums[c][r] = old[r];
        }
    }
    sums
}

#[inline(always)]
fn store_sums<S: Simd, const R: usize, const C: usize>(
    mut to: MatMut<'_, f64>,
    place: Place,
    sums: &[[S::f64s; R]; C],
) {
    for c in 0..C {
        let own = &mut column_mut(to.as_mut(), place.column + c)[place.row..][..R * S::F64_LANES];
        let own = &mut S::as_mut_simd_f64s(own).0[..R];
        for r in 0..R {
            own[r] = sums[c][r];
        }
    }
}

/// The sums of a tile of which a part is there.
#[inline(always)]
fn load_part<S: Simd, const R: usize, const C: usize>(
    s: S,
    to: MatRef<'_, f64>,
    place: Place,
    numbers: &mut [[f64; MOST_ROWS]; C],
) -> [[S::f64s; R]; C] {
    let count = (R * S::F64_LANES).min(to.nrows() - place.row);
    for (c, numbers) in numbers.iter_mut().enumerate().take(place.columns) {
        numbers[..count].copy_from_slice(&column(to, place.column + c)[place.row..][..count]);
    }
    let mut sums = [[s.all(0.0); R]; C];
    for c in 0..C {
        let (old, _) = S::as_simd_f64s(&numbers[c][..R * S::F64_LANES]);
        for r in 0..R {
            sums[c][r] = old[r];
        }
    }
    sums
}

#[inline(always)]
fn store_part<S: Simd, const R: usize, const C: usize>(
    mut to: MatMut<'_, f64>,
    place: Place,
    sums: &[[S::f64s; R]; C],
    numbers: &mut [[f64; MOST_ROWS]; C],
) {
    let Place { row, column: j, columns, lower } = place;
    let count = (R * S::F64_LANES).min(to.nrows() - row);
    for c in 0..C {
        for r in 0..R {
            let own = lanes::<S>(sums[c][r]);
            numbers[c][r * S::F64_LANES..][..S::F64_LANES].copy_from_slice(&own[..S::F64_LANES]);
        }
    }
    for (c, numbers) in numbers.iter().enumerate().take(columns) {
        let above = if lower { (j + c).saturating_sub(row).min(count) } else { 0 };
        let own = &mut column_mut(to.as_mut(), j + c)[row..][..count];
        own[above..].copy_from_slice(&numbers[above..count]);
    }
}

/// The sums with all terms of the stretch.
#[inline(always)]
fn accumulate<S: Simd, const M: usize, const R: usize, const C: usize>(
    s: S,
    mut sums: [[S::f64s; R]; C],
    panel: &[[S::f64s; M]],
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

/// The same of the first tile of these rows: it brings them side by side as it goes, and asks for
/// those after them.
#[inline(always)]
fn accumulate_first<S: Simd, const M: usize, const C: usize>(
    s: S,
    mut sums: [[S::f64s; M]; C],
    terms: &[Term<'_>],
    row: usize,
    panel: &mut [[S::f64s; M]],
    share: &Share,
) -> [[S::f64s; M]; C] {
    let count = M * S::F64_LANES;
    for ((to, term), share) in panel.iter_mut().zip(terms).zip(share) {
        let (own, next) = term.left[row..].split_at(count);
        let own = &S::as_simd_f64s(own).0[..M];
        prefetch(&next[..next.len().min(count)]);
        let mut from = [s.all(0.0); M];
        for r in 0..M {
            from[r] = own[r];
        }
        *to = from;
        for c in 0..C {
            let factor = s.all(share[c]);
            for r in 0..M {
                sums[c][r] = s.mul_add(from[r], factor, sums[c][r]);
            }
        }
    }
    sums
}

/// The same with the right factor down its columns.
#[inline(always)]
fn accumulate_down<S: Simd, const M: usize, const R: usize, const C: usize>(
    s: S,
    mut sums: [[S::f64s; R]; C],
    left: Left<'_, S, M>,
    mut columns: [&[f64]; C],
) -> [[S::f64s; R]; C] {
    let terms = match left {
        Left::Matrix(left) => left.ncols(),
        Left::Panel(panel) => panel.len(),
    };
    for c in 0..C {
        columns[c] = &columns[c][..terms];
    }
    match left {
        Left::Matrix(left) => {
            for p in 0..terms {
                let own = &S::as_simd_f64s(column(left, p)).0[..R];
                for c in 0..C {
                    let factor = s.all(columns[c][p]);
                    for r in 0..R {
                        sums[c][r] = s.mul_add(own[r], factor, sums[c][r]);
                    }
                }
            }
        }
        Left::Panel(panel) => {
            for (p, from) in panel.iter().enumerate() {
                for c in 0..C {
                    let factor = s.all(columns[c][p]);
                    for r in 0..R {
                        sums[c][r] = s.mul_add(from[r], factor, sums[c][r]);
                    }
                }
            }
        }
    }
    sums
}
