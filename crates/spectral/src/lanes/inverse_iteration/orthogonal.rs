//! Making vectors orthogonal to those before: classical within a block of columns, one block after
//! the other.

use std::ops::Range;

use pulp::Simd;

use super::factor::{CHAINS, Row};
use crate::lanes::arithmetic::Arithmetic;
use crate::lanes::reduction::dot;

/// Columns that vectors are made orthogonal to at once; the number of chains, so that what is known
/// comes in whole blocks.
const BLOCK: usize = CHAINS;

/// Where orthogonalization leaves less than this share of a vector, it is repeated: "twice is
/// enough" (Parlett, 1980, section 6-9).
pub(crate) const KEPT: f64 = 0.7;

/// The length of each vector.
#[inline(always)]
pub(super) fn lengths<S: Simd>(s: S, rows: &[Row<S>]) -> [S::f64s; CHAINS] {
    let mut sums = [s.all(0.0); CHAINS];
    for row in rows {
        for c in 0..CHAINS {
            sums[c] = s.mul_add(row[c], row[c], sums[c]);
        }
    }
    for sum in &mut sums {
        *sum = s.sqrt(*sum);
    }
    sums
}

/// Removes from each vector its components along the first `known` columns of `vectors` (rows of
/// `width`), [`BLOCK`] at a time: a load of a column's entry serves all chains.
#[inline(always)]
pub(super) fn remove_from_all<S: Simd>(
    s: S,
    rows: &mut [Row<S>],
    vectors: &[S::f64s],
    width: usize,
    known: usize,
) {
    // `known` is a multiple of the number of chains.
    for first in (0..known).step_by(BLOCK) {
        if S::REGISTER_COUNT > 16 {
            remove_block::<S, CHAINS>(s, rows, vectors, width, first, 0);
        } else {
            for chain in (0..CHAINS).step_by(2) {
                remove_block::<S, 2>(s, rows, vectors, width, first, chain);
            }
        }
    }
}

/// The same for the block from column `first` on, and N vectors from number `chain` on.
#[inline(always)]
fn remove_block<S: Simd, const N: usize>(
    s: S,
    rows: &mut [Row<S>],
    vectors: &[S::f64s],
    width: usize,
    first: usize,
    chain: usize,
) {
    let mut along = [[s.all(0.0); BLOCK]; N];
    for (row, known) in rows.iter().zip(vectors.chunks_exact(width)) {
        let (row, known) = (&row[chain..][..N], &known[first..][..BLOCK]);
        for n in 0..N {
            for b in 0..BLOCK {
                along[n][b] = s.mul_add(known[b], row[n], along[n][b]);
            }
        }
    }
    for (row, known) in rows.iter_mut().zip(vectors.chunks_exact(width)) {
        let (row, known) = (&mut row[chain..][..N], &known[first..][..BLOCK]);
        for n in 0..N {
            let mut left = row[n];
            for b in 0..BLOCK {
                left = s.sub_mul(left, known[b], along[n][b]);
            }
            row[n] = left;
        }
    }
}

/// Makes x, once of length `before`, orthogonal to the columns `known` of `vectors` (rows of
/// `width`) and to all before them, of which its components are gone already or `known` begins at
/// 0; and of length 1.
#[inline(always)]
pub(super) fn orthonormalize<S: Simd>(
    s: S,
    x: &mut [S::f64s],
    before: S::f64s,
    vectors: &[S::f64s],
    width: usize,
    known: Range<usize>,
) {
    let mut column = known.start;
    while column + BLOCK <= known.end {
        remove::<S, BLOCK>(s, x, vectors, width, column);
        column += BLOCK;
    }
    while column < known.end {
        remove::<S, 1>(s, x, vectors, width, column);
        column += 1;
    }
    let mut length = s.sqrt(dot(s, x, x));
    let repeat = s.less_than_f64s(length, s.mul(s.all(KEPT), before));
    if !s.none(repeat) {
        for column in 0..known.end {
            remove_where(s, x, vectors, width, column, repeat);
        }
        length = s.choose(repeat, s.sqrt(dot(s, x, x)), length);
    }
    let inverse = s.div(s.all(1.0), length);
    for x in x.iter_mut() {
        *x = s.mul(*x, inverse);
    }
}

/// Removes from x its components along the C columns from `first` on.
#[inline(always)]
fn remove<S: Simd, const C: usize>(s: S, x: &mut [S::f64s], vectors: &[S::f64s], width: usize, first: usize) {
    let mut along = [s.all(0.0); C];
    for (x, row) in x.iter().zip(vectors.chunks_exact(width)) {
        let row = &row[first..][..C];
        for c in 0..C {
            along[c] = s.mul_add(row[c], *x, along[c]);
        }
    }
    for (x, row) in x.iter_mut().zip(vectors.chunks_exact(width)) {
        let row = &row[first..][..C];
        let mut left = *x;
        for c in 0..C {
            left = s.sub_mul(left, row[c], along[c]);
        }
        *x = left;
    }
}

/// The same for one column in the lanes of `mask`.
#[inline(always)]
fn remove_where<S: Simd>(
    s: S,
    x: &mut [S::f64s],
    vectors: &[S::f64s],
    width: usize,
    column: usize,
    mask: S::m64s,
) {
    let mut along = s.all(0.0);
    for (x, row) in x.iter().zip(vectors.chunks_exact(width)) {
        along = s.mul_add(row[column], *x, along);
    }
    for (x, row) in x.iter_mut().zip(vectors.chunks_exact(width)) {
        *x = s.choose(mask, s.sub_mul(*x, row[column], along), *x);
    }
}
