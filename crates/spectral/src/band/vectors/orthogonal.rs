//! Making the vectors of a block orthogonal to those before, and to one another.

use faer::MatRef;
use pulp::Simd;

use super::{BLOCK, Line};
use crate::dense::column;
use crate::lanes::arithmetic::Arithmetic;

/// Registers of a row that a tile takes.
const WIDE: usize = 4;

/// Squared length up to which nothing is left of a vector, once of length 1 or more: 2⁻⁹⁰⁰.
const NOTHING: f64 = f64::from_bits((1023 - 900) << 52);

/// Removes from the vectors that are wanted (1, not 0) their components along the columns of
/// `known` (d × [`BLOCK`]): `P = KᵀX`, then `X ← X − K P`.
#[inline(always)]
pub(super) fn remove_known<S: Simd>(
    s: S,
    x: &mut [Line],
    known: MatRef<'_, f64>,
    products: &mut [Line],
    wanted: &Line,
) {
    let mut columns: [&[f64]; BLOCK] = [&[]; BLOCK];
    for c in 0..BLOCK {
        columns[c] = &column(known, c)[..x.len()];
    }
    for at in (0..BLOCK).step_by(WIDE * S::F64_LANES) {
        if S::REGISTER_COUNT > 16 {
            remove_columns::<S, 4>(s, x, &columns, products, wanted, at);
        } else {
            remove_columns::<S, 2>(s, x, &columns, products, wanted, at);
        }
    }
}

/// The same for the [`WIDE`] registers from number `at` on of each row, in tiles of as many
/// registers by T numbers of the known vectors.
#[inline(always)]
fn remove_columns<S: Simd, const T: usize>(
    s: S,
    x: &mut [Line],
    columns: &[&[f64]; BLOCK],
    products: &mut [Line],
    wanted: &Line,
    at: usize,
) {
    let wanted = load::<S, WIDE>(&wanted[at..]);
    let (groups, _) = pulp::as_arrays::<T, _>(columns);
    let (targets, _) = pulp::as_arrays_mut::<T, _>(products);
    for (columns, products) in groups.iter().zip(targets) {
        let mut sums = [[s.all(0.0); WIDE]; T];
        let mut columns = *columns;
        for t in 0..T {
            columns[t] = &columns[t][..x.len()];
        }
        for i in 0..x.len() {
            let row = load::<S, WIDE>(&x[i][at..]);
            for t in 0..T {
                let known = s.all(columns[t][i]);
                for r in 0..WIDE {
                    sums[t][r] = s.mul_add(row[r], known, sums[t][r]);
                }
            }
        }
        for t in 0..T {
            for r in 0..WIDE {
                sums[t][r] = s.mul(sums[t][r], wanted[r]);
            }
            store::<S, WIDE>(&mut products[t][at..], &sums[t]);
        }
    }
    let (tiles, rest) = pulp::as_arrays_mut::<T, _>(x);
    let whole = tiles.len() * T;
    for (i, tile) in (0..).step_by(T).zip(tiles) {
        subtract::<S, T>(s, tile, columns, products, i, at);
    }
    for (i, row) in (whole..).zip(rest) {
        subtract::<S, 1>(s, std::array::from_mut(row), columns, products, i, at);
    }
}

/// T rows of `X ← X − K P`, from row `first` on.
#[inline(always)]
fn subtract<S: Simd, const T: usize>(
    s: S,
    rows: &mut [Line; T],
    columns: &[&[f64]; BLOCK],
    products: &[Line],
    first: usize,
    at: usize,
) {
    let mut left = [[s.all(0.0); WIDE]; T];
    for t in 0..T {
        left[t] = load::<S, WIDE>(&rows[t][at..]);
    }
    for (column, product) in columns.iter().zip(products) {
        let column = &column[first..][..T];
        let product = load::<S, WIDE>(&product[at..]);
        for t in 0..T {
            let known = s.all(column[t]);
            for r in 0..WIDE {
                left[t][r] = s.sub_mul(left[t][r], known, product[r]);
            }
        }
    }
    for t in 0..T {
        store::<S, WIDE>(&mut rows[t][at..], &left[t]);
    }
}

/// Makes each of the vectors from number `from` on orthogonal to those before it in the block of
/// `own`, one after the other. Returns their squared lengths, and the factors that make them unit
/// vectors; 1 for those before `from`, 0 where nothing is left.
#[inline(always)]
pub(super) fn remove_among<S: Simd>(s: S, x: &mut [Line], from: usize, own: usize) -> (Line, Line) {
    let (mut squares, mut factors) = ([1.0; BLOCK], [1.0; BLOCK]);
    // Of the vector before: what is to be removed of it.
    let mut before = [0.0; BLOCK];
    for c in 0..own {
        let mut products = [0.0; BLOCK];
        let previous = c.saturating_sub(1);
        let mut at = c / S::F64_LANES * S::F64_LANES;
        while at + WIDE * S::F64_LANES <= BLOCK {
            turn::<S, WIDE>(s, x, (previous, c), &before, &mut products, at);
            at += WIDE * S::F64_LANES;
        }
        match (BLOCK - at) / S::F64_LANES {
            1 => turn::<S, 1>(s, x, (previous, c), &before, &mut products, at),
            2 => turn::<S, 2>(s, x, (previous, c), &before, &mut products, at),
            3 => turn::<S, 3>(s, x, (previous, c), &before, &mut products, at),
            _ => {}
        }
        squares[c] = products[c];
        before = [0.0; BLOCK];
        if products[c] < NOTHING {
            factors[c] = 0.0;
            continue;
        }
        if c >= from {
            factors[c] = 1.0 / products[c].sqrt();
        }
        for next in from.max(c + 1)..own {
            before[next] = products[next] / products[c];
        }
    }
    (squares, factors)
}

/// Removes vector `previous` times `before` from the N registers from number `at` on of each row,
/// and adds up their products with vector `own`, which is there or before.
#[inline(always)]
fn turn<S: Simd, const N: usize>(
    s: S,
    x: &mut [Line],
    (previous, own): (usize, usize),
    before: &Line,
    products: &mut Line,
    at: usize,
) {
    let before = load::<S, N>(&before[at..]);
    let mut sums = [s.all(0.0); N];
    let (previous, own) = (previous % BLOCK, own % BLOCK);
    for row in x {
        let known = s.all(row[previous]);
        let mut left = load::<S, N>(&row[at..]);
        for n in 0..N {
            left[n] = s.sub_mul(left[n], known, before[n]);
        }
        store::<S, N>(&mut row[at..], &left);
        let known = s.all(row[own]);
        for n in 0..N {
            sums[n] = s.mul_add(left[n], known, sums[n]);
        }
    }
    store::<S, N>(&mut products[at..], &sums);
}

/// Multiplies each vector by its factor; what is zero becomes +0.
#[inline(always)]
pub(super) fn scale<S: Simd>(s: S, x: &mut [Line], factors: &Line) {
    let (factors, _) = S::as_simd_f64s(factors);
    for row in x {
        let (row, _) = S::as_mut_simd_f64s(row);
        for (x, factor) in row.iter_mut().zip(factors) {
            *x = s.mul_add(*x, *factor, s.all(0.0));
        }
    }
}

/// The first N registers of a slice, one by one.
#[inline(always)]
fn load<S: Simd, const N: usize>(from: &[f64]) -> [S::f64s; N] {
    crate::lanes::tiles::load::<S, N>(S::as_simd_f64s(&from[..N * S::F64_LANES]).0)
}

#[inline(always)]
fn store<S: Simd, const N: usize>(to: &mut [f64], x: &[S::f64s; N]) {
    crate::lanes::tiles::store::<S, N>(S::as_mut_simd_f64s(&mut to[..N * S::F64_LANES]).0, x);
}
