//! The reflectors of a reduction applied to several columns of each problem of a group.
//!
//! `H = H₀ H₁ …`, `H_j = I − τ_j v_j v_jᵀ` as [`reduction`](super::reduction) left them. Columns are stored row after row (d rows of
//! `width`), so that a row of a block of C columns is contiguous.
//!
//! A block of up to [`BLOCK`] columns stays in L1 while all reflectors pass by, two at a time: with `s₁ = τ₁ v₁ᵀZ` and
//! `s₂ = τ₂ (v₂ᵀZ − (v₂ᵀv₁) s₁)`, `(I − τ₂v₂v₂ᵀ)(I − τ₁v₁v₁ᵀ) Z = Z − v₁s₁ᵀ − v₂s₂ᵀ`: both sums in one pass over the block, both updates in
//! another, which halves the loads and stores a flop. 2C independent chains hide the latency of the fused multiply-add.
//! Every column is summed by itself, rows ascending, so the width of a block changes no bit.
//!
//! Counts: 2 d² flops a column, and d² for the products v₂ᵀv₁. Bytes: the reflectors (4 d² a problem) once a block; the
//! block twice loaded and once stored from L1, 1.5 bytes a flop.

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::reduction::{column_start, dot};
use super::tiles::load;

/// Most columns of a block: two sums each leave room in 16 registers for what passes by.
const BLOCK: usize = 5;

/// Which product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// `Z ← H Z`: from the last reflector to the first.
    Forward,
    /// `Z ← Hᵀ Z`: from the first to the last.
    Transposed,
}

/// Applies the reflectors of a group to its `rows` (d rows of `width`).
pub(crate) struct Apply<'a> {
    pub(crate) side: Side,
    pub(crate) size: usize,
    pub(crate) packed: &'a [f64],
    pub(crate) tau: &'a [f64],
    pub(crate) rows: &'a mut [f64],
    pub(crate) width: usize,
    /// d.
    pub(crate) work: &'a mut [f64],
}

/// One reflector: v on the rows from `row` on.
#[derive(Clone, Copy)]
struct Reflector<'a, S: Simd> {
    row: usize,
    v: &'a [S::f64s],
    tau: S::f64s,
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { side, size, width, .. } = self;
        let (packed, _) = S::as_simd_f64s(self.packed);
        let (tau, _) = S::as_simd_f64s(self.tau);
        let (rows, _) = S::as_mut_simd_f64s(self.rows);
        let (overlaps, _) = S::as_mut_simd_f64s(self.work);
        // The last column has no reflector, the one before the trivial τ = 0.
        let count = size.saturating_sub(2);
        let nth = |step: usize| {
            let j = if side == Side::Forward { count - 1 - step } else { step };
            let v = &packed[column_start(size, j) + 1..column_start(size, j + 1)];
            Reflector::<S> { row: j + 1, v, tau: tau[j] }
        };
        for pair in 0..count / 2 {
            let (longer, shorter) = by_length(nth(2 * pair), nth(2 * pair + 1));
            overlaps[pair] = dot(s, &longer.v[1..], shorter.v);
        }
        for (first, columns) in blocks(width) {
            for pair in 0..count / 2 {
                let both = (nth(2 * pair), nth(2 * pair + 1), overlaps[pair]);
                match columns {
                    1 => reflect_twice::<S, 1>(s, both, rows, width, first),
                    2 => reflect_twice::<S, 2>(s, both, rows, width, first),
                    3 => reflect_twice::<S, 3>(s, both, rows, width, first),
                    4 => reflect_twice::<S, 4>(s, both, rows, width, first),
                    _ => reflect_twice::<S, BLOCK>(s, both, rows, width, first),
                }
            }
            if count % 2 == 1 {
                for column in first..first + columns {
                    reflect(s, nth(count - 1), rows, width, column);
                }
            }
        }
    }
}

/// First column and number of columns of blocks as equal as can be.
fn blocks(width: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = width.div_ceil(BLOCK);
    (0..count).map(move |b| {
        let (first, end) = (b * width / count, (b + 1) * width / count);
        (first, end - first)
    })
}

/// Of two neighbours: the one that begins a row earlier, and the other.
#[inline(always)]
fn by_length<'a, S: Simd>(
    one: Reflector<'a, S>,
    other: Reflector<'a, S>,
) -> (Reflector<'a, S>, Reflector<'a, S>) {
    if one.row < other.row { (one, other) } else { (other, one) }
}

/// One reflector on one column.
#[inline(always)]
fn reflect<S: Simd>(s: S, by: Reflector<'_, S>, rows: &mut [S::f64s], width: usize, column: usize) {
    let rows = &mut rows[by.row * width..];
    let mut sum = s.all(0.0);
    for (v, row) in by.v.iter().zip(rows.chunks_exact(width)) {
        sum = s.fused(*v, row[column], sum);
    }
    let sum = s.times(by.tau, sum);
    for (v, row) in by.v.iter().zip(rows.chunks_exact_mut(width)) {
        row[column] = s.less(row[column], *v, sum);
    }
}

/// Two reflectors, the first and then the second, on columns `first..first + C`.
#[inline(always)]
fn reflect_twice<S: Simd, const C: usize>(
    s: S,
    (one, two, overlap): (Reflector<'_, S>, Reflector<'_, S>, S::f64s),
    rows: &mut [S::f64s],
    width: usize,
    first: usize,
) {
    let (longer, shorter) = by_length(one, two);
    let rows = &mut rows[longer.row * width..];
    // In the row where only the longer one is, its entry is 1.
    let (top, rows) = rows.split_at_mut(width);
    let top = &mut top[first..][..C];
    let mut of_longer = load::<S, C>(top);
    let mut of_shorter = [s.all(0.0); C];
    let (long, short) = (&longer.v[1..], shorter.v);
    for ((v, w), row) in long.iter().zip(short).zip(rows.chunks_exact(width)) {
        let row = &row[first..][..C];
        for c in 0..C {
            of_longer[c] = s.fused(*v, row[c], of_longer[c]);
            of_shorter[c] = s.fused(*w, row[c], of_shorter[c]);
        }
    }
    let longer_first = one.row < two.row;
    for c in 0..C {
        let (mut a, mut b) =
            if longer_first { (of_longer[c], of_shorter[c]) } else { (of_shorter[c], of_longer[c]) };
        a = s.times(one.tau, a);
        b = s.times(two.tau, s.less(b, overlap, a));
        (of_longer[c], of_shorter[c]) = if longer_first { (a, b) } else { (b, a) };
    }
    for c in 0..C {
        top[c] = s.minus(top[c], of_longer[c]);
    }
    for ((v, w), row) in long.iter().zip(short).zip(rows.chunks_exact_mut(width)) {
        let row = &mut row[first..][..C];
        for c in 0..C {
            row[c] = s.less(s.less(row[c], *v, of_longer[c]), *w, of_shorter[c]);
        }
    }
}
