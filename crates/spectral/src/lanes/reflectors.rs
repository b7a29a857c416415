//! The reflectors of a reduction applied to several columns of each problem of a group.
//!
//! `H = H₀ H₁ …`, `H_j = I − τ_j v_j v_jᵀ` as [`reduction`](super::reduction) left them. Columns
//! are stored row after row (d rows of `width`), so that a row of a block of C columns is
//! contiguous.
//!
//! A block of up to [`WIDEST`] columns stays near while all reflectors pass by, [`TOGETHER`] at a
//! time. In the order in which they apply, with `s_n = τ_n (v_nᵀZ − Σ_{m<n} (v_mᵀv_n) s_m)`, their
//! product takes Z to `Z − Σ_n v_n s_nᵀ` (Schreiber and Van Loan, 1989): all sums in one pass over
//! the block, all updates in another, which quarters its loads and stores a flop. Every column is
//! summed by itself, rows ascending, so the width of a block changes no bit.
//!
//! Counts: 2 d² flops a column, and 3/2 d² for the products v_mᵀv_n. Bytes: the reflectors (4 d² a
//! problem) twice a block; the block twice loaded and once stored, 1.5 bytes a flop.

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::reduction::{column_start, dot};
use super::tiles::{load, unrolled};

/// Reflectors that are applied in one pass.
const TOGETHER: usize = 4;

/// Pairs of them.
const PAIRS: usize = pair(0, TOGETHER);

/// Number of the pair m < n.
const fn pair(m: usize, n: usize) -> usize {
    n * (n - 1) / 2 + m
}

/// Most columns of a block, with [`TOGETHER`] sums each: 20 of 32 registers, 12 of 16.
const WIDEST: usize = 5;
const WIDEST_OF_16: usize = 3;

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
    /// 2d.
    pub(crate) work: &'a mut [f64],
}

/// Neighbouring reflectors, the longest first: v_n on the rows from `row + n` on, its first entry
/// 1.
#[derive(Clone, Copy)]
struct Reflectors<'a, S: Simd, const R: usize> {
    side: Side,
    row: usize,
    v: [&'a [S::f64s]; R],
    tau: [S::f64s; R],
}

impl<'a, S: Simd, const R: usize> Reflectors<'a, S, R> {
    /// Those from H_j on.
    #[inline(always)]
    fn new(side: Side, size: usize, j: usize, packed: &'a [S::f64s], tau: &[S::f64s]) -> Self {
        let mut v: [&[S::f64s]; R] = [&[]; R];
        for n in 0..R {
            v[n] = &packed[column_start(size, j + n) + 1..column_start(size, j + n + 1)];
        }
        Self { side, row: j + 1, v, tau: load::<S, R>(&tau[j..]) }
    }

    /// `v_mᵀv_n` of all pairs.
    #[inline(always)]
    fn overlaps(self, s: S, to: &mut [S::f64s]) {
        for n in 1..R {
            for m in 0..n {
                to[pair(m, n)] = dot(s, &self.v[m][n - m..], self.v[n]);
            }
        }
    }

    /// Applies them to columns `first..first + C`.
    #[inline(always)]
    fn apply<const C: usize>(
        self,
        s: S,
        overlaps: &[S::f64s],
        rows: &mut [S::f64s],
        width: usize,
        first: usize,
    ) {
        let v = self.v;
        let (head, rows) = rows[self.row * width..].split_at_mut((R - 1) * width);
        let mut sums = [[s.all(0.0); C]; R];
        // The rows where not all of them are yet.
        unrolled!(n < R {
            for i in n..R - 1 {
                let x = load::<S, C>(&head[i * width + first..]);
                for c in 0..C {
                    sums[n][c] = s.mul_add(v[n][i - n], x[c], sums[n][c]);
                }
            }
        });
        let count = v[R - 1].len();
        let mut below = v;
        for n in 0..R {
            below[n] = &v[n][R - 1 - n..][..count];
        }
        for (i, row) in (0..count).zip(rows.chunks_exact(width)) {
            let row = &row[first..][..C];
            for n in 0..R {
                for c in 0..C {
                    sums[n][c] = s.mul_add(below[n][i], row[c], sums[n][c]);
                }
            }
        }
        // In the order in which they apply.
        unrolled!(step < R {
            let n = if self.side == Side::Forward { R - 1 - step } else { step };
            let before = if self.side == Side::Forward { n + 1..R } else { 0..n };
            for m in before {
                let overlap = overlaps[pair(m.min(n), m.max(n))];
                for c in 0..C {
                    sums[n][c] = s.sub_mul(sums[n][c], overlap, sums[m][c]);
                }
            }
            for c in 0..C {
                sums[n][c] = s.mul(self.tau[n], sums[n][c]);
            }
        });
        unrolled!(n < R {
            for i in n..R - 1 {
                let row = &mut head[i * width + first..][..C];
                for c in 0..C {
                    row[c] = s.sub_mul(row[c], v[n][i - n], sums[n][c]);
                }
            }
        });
        for (i, row) in (0..count).zip(rows.chunks_exact_mut(width)) {
            let row = &mut row[first..][..C];
            for c in 0..C {
                let mut x = row[c];
                for n in 0..R {
                    x = s.sub_mul(x, below[n][i], sums[n][c]);
                }
                row[c] = x;
            }
        }
    }
}

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        match self.side {
            Side::Forward => self.all::<S, true>(s),
            Side::Transposed => self.all::<S, false>(s),
        }
    }
}

impl Apply<'_> {
    #[inline(always)]
    fn all<S: Simd, const FORWARD: bool>(self, s: S) {
        let Self { size, width, .. } = self;
        let side = if FORWARD { Side::Forward } else { Side::Transposed };
        let (packed, _) = S::as_simd_f64s(self.packed);
        let (tau, _) = S::as_simd_f64s(self.tau);
        let (rows, _) = S::as_mut_simd_f64s(self.rows);
        let (overlaps, _) = S::as_mut_simd_f64s(self.work);
        // The last column has no reflector, the one before the trivial τ = 0.
        let count = size.saturating_sub(2);
        let (whole, single) = (count / TOGETHER, count % TOGETHER);
        for (group, to) in overlaps.chunks_exact_mut(PAIRS).enumerate().take(whole) {
            Reflectors::<S, TOGETHER>::new(side, size, group * TOGETHER, packed, tau).overlaps(s, to);
        }
        for (first, columns) in blocks::<S>(width) {
            let mut on = Columns { rows: &mut *rows, width, first, columns };
            if FORWARD {
                for n in (0..single).rev() {
                    let one = Reflectors::<S, 1>::new(side, size, whole * TOGETHER + n, packed, tau);
                    on.apply(s, one, &[]);
                }
            }
            for step in 0..whole {
                let group = if FORWARD { whole - 1 - step } else { step };
                let some = Reflectors::<S, TOGETHER>::new(side, size, group * TOGETHER, packed, tau);
                on.apply(s, some, &overlaps[group * PAIRS..][..PAIRS]);
            }
            if !FORWARD {
                for n in 0..single {
                    let one = Reflectors::<S, 1>::new(side, size, whole * TOGETHER + n, packed, tau);
                    on.apply(s, one, &[]);
                }
            }
        }
    }
}

/// A block of columns.
struct Columns<'a, S: Simd> {
    rows: &'a mut [S::f64s],
    width: usize,
    first: usize,
    columns: usize,
}

impl<S: Simd> Columns<'_, S> {
    #[inline(always)]
    fn apply<const R: usize>(&mut self, s: S, by: Reflectors<'_, S, R>, overlaps: &[S::f64s]) {
        let Self { rows, width, first, columns } = self;
        match columns {
            1 => by.apply::<1>(s, overlaps, rows, *width, *first),
            2 => by.apply::<2>(s, overlaps, rows, *width, *first),
            3 => by.apply::<3>(s, overlaps, rows, *width, *first),
            4 => by.apply::<4>(s, overlaps, rows, *width, *first),
            _ => by.apply::<WIDEST>(s, overlaps, rows, *width, *first),
        }
    }
}

/// First column and number of columns of blocks as equal as can be.
fn blocks<S: Simd>(width: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = width.div_ceil(if S::REGISTER_COUNT > 16 { WIDEST } else { WIDEST_OF_16 });
    (0..count).map(move |b| {
        let (first, end) = (b * width / count, (b + 1) * width / count);
        (first, end - first)
    })
}
