//! Eigenvectors of symmetric tridiagonal matrices, a problem a lane, from the largest eigenvalue down.
//!
//! For an eigenvalue λ of T: `T − λI = P L U`; from a fixed start, `x ← U⁻¹ x`, then `x ← (T − λI)⁻¹ x`; make x orthogonal to the
//! vectors found before; and again where `‖Tx − ρx‖` is not yet [`RESIDUAL`]·√d·ε·‖T‖. Vector j depends on T, λ_j and the vectors
//! before it only, so the first k of many are the same bits as k alone.
//!
//! Factors and solves do not need the vectors before: [`CHAINS`] eigenvalues of each lane run beside each other, so that the
//! chains of divisions fill each other's gaps.
//!
//! Checked, not trusted: a vector counts only if `‖Tx − ρx‖`, ρ its Rayleigh quotient, is at most [`ALLOWED`]·d·ε·‖T‖ after
//! orthogonalization, and ρ no farther from λ than the rounding of λ. Where one does not get there (it has not been seen to
//! happen), the lane fails with [`Failure::NoConvergence`].
//!
//! Source: Wilkinson, *The Algebraic Eigenvalue Problem* (1965), chapter 5; LAPACK's `dstein`, which orthogonalizes within
//! clusters only. Here against all, in blocks of [`BLOCK`] columns: clusters need no definition.
//!
//! Counts a vector: 10d (factor) + 14d (solves) + 4 d j (orthogonalization) + 15d (residual) flops; for k vectors 2 d k² in all. Bytes:
//! the vectors before, 8 d j, are read twice, for [`CHAINS`] vectors at a time, the second time from L1.
//!
//! Rounding: sums run over ascending rows, one chain a column, so nothing depends on the number of columns.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::MAX_LANES;
use super::arithmetic::{Arithmetic, lanes};
use super::reduction::dot;
use crate::Failure;

/// Eigenvalues of one lane that are treated beside each other.
const CHAINS: usize = 4;

/// Columns that vectors are made orthogonal to at once; the number of chains, so that what is known comes in whole blocks.
const BLOCK: usize = CHAINS;

/// Residual that is aimed at, in units of √d·ε·‖T‖; two solves leave 1 or less where eigenvalues are apart.
const RESIDUAL: f64 = 4.0;

/// Residual up to which a vector counts, in units of d·ε·‖T‖: what many vectors of a cluster before it, each with a rounding of its
/// own, can leave behind. LAPACK's tests allow 30.
const ALLOWED: f64 = 4.0;

/// Distance of its Rayleigh quotient from the eigenvalue up to which a vector counts, in units of d·ε·‖T‖: the backward error of
/// QL, which is 1 or less.
const NEAR: f64 = 20.0;

/// Further solves for one vector; none is needed unless eigenvalues agree to many digits.
const SOLVES: usize = 3;

/// Where orthogonalization leaves less than this share of a vector, it is repeated: "twice is enough" (Parlett, 1980, section
/// 6-9).
const KEPT: f64 = 0.7;

/// Numbers of workspace a row: five of the factor and two vectors, of each chain.
pub(crate) const WORK: usize = 8 * CHAINS;

/// One row of a factor, of a solution, in each chain.
type Row<S> = [<S as Simd>::f64s; CHAINS];

/// Writes the eigenvectors of the `count` largest eigenvalues of each lane into the columns of `vectors` (d rows of
/// `count`).
pub(crate) struct InverseIteration<'a> {
    pub(crate) size: usize,
    pub(crate) count: usize,
    pub(crate) diagonal: &'a [f64],
    pub(crate) off_diagonal: &'a [f64],
    /// Descending, `count` or more.
    pub(crate) values: &'a [f64],
    pub(crate) vectors: &'a mut [f64],
    /// [`WORK`]·d.
    pub(crate) work: &'a mut [f64],
    pub(crate) outcome: &'a mut [Result<(), Failure>; MAX_LANES],
}

/// T and what counts as nothing beside it.
struct Form<'a, S: Simd> {
    diagonal: &'a [S::f64s],
    off_diagonal: &'a [S::f64s],
    /// ε‖T‖.
    least: S::f64s,
}

/// T − λI = P L U with partial pivoting.
struct Factor<'a, S: Simd> {
    lower: &'a mut [Row<S>],
    inverse_pivot: &'a mut [Row<S>],
    upper: &'a mut [Row<S>],
    second: &'a mut [Row<S>],
    /// 1 where row i and row i + 1 changed places.
    swapped: &'a mut [Row<S>],
}

impl WithSimd for InverseIteration<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, count, .. } = self;
        let (diagonal, _) = S::as_simd_f64s(self.diagonal);
        let (off_diagonal, _) = S::as_simd_f64s(self.off_diagonal);
        let (values, _) = S::as_simd_f64s(self.values);
        let (vectors, _) = S::as_mut_simd_f64s(self.vectors);
        let (work, _) = S::as_mut_simd_f64s(self.work);
        let (work, _) = pulp::as_arrays_mut::<CHAINS, _>(work);
        let (lower, work) = work.split_at_mut(size);
        let (inverse_pivot, work) = work.split_at_mut(size);
        let (upper, work) = work.split_at_mut(size);
        let (second, work) = work.split_at_mut(size);
        let (swapped, work) = work.split_at_mut(size);
        let (solution, work) = work.split_at_mut(size);
        let (again, work) = work.split_at_mut(size);
        let (x, work) = work.as_flattened_mut().split_at_mut(size);
        let (kept, _) = work.split_at_mut(size);
        let mut factor = Factor::<S> { lower, inverse_pivot, upper, second, swapped };
        let norm = norm(s, diagonal, off_diagonal);
        let norm = s.choose(s.greater_than_f64s(norm, s.all(0.0)), norm, s.all(1.0));
        let form = Form::<S> { diagonal, off_diagonal, least: s.times(s.all(f64::EPSILON), norm) };
        let aim = s.times(s.all(RESIDUAL * (size as f64).sqrt()), form.least);
        let allowed = s.times(s.all(ALLOWED * size as f64), form.least);
        let near = s.times(s.all(NEAR * size as f64), form.least);
        // NaN until a lane has given up.
        let mut given_up = s.all(0.0);
        let mut first = 0;
        while first < count {
            let chains = CHAINS.min(count - first);
            let mut shifts = [s.all(0.0); CHAINS];
            for c in 0..CHAINS {
                // Chains without an eigenvalue repeat the last one.
                shifts[c] = values[first + c.min(chains - 1)];
            }
            factor.compute(s, &form, &shifts);
            start(s, solution, first);
            factor.solve_upper(s, solution);
            normalize(s, solution);
            factor.solve_lower(s, solution);
            factor.solve_upper(s, solution);
            normalize(s, solution);
            let lengths = lengths(s, solution);
            remove_from_all(s, solution, vectors, count, first);
            for c in 0..chains {
                for (x, row) in x.iter_mut().zip(solution.iter()) {
                    *x = row[c];
                }
                let mut solves = 0;
                // All lanes to begin with, then those that are to be solved again.
                let mut open = s.equal_f64s(given_up, given_up);
                loop {
                    kept.copy_from_slice(x);
                    // The first time, the vectors before those of the other chains are gone already.
                    let (before, from) =
                        if solves == 0 { (lengths[c], first) } else { (s.root(dot(s, x, x)), 0) };
                    orthonormalize(s, x, before, vectors, count, from..first + c);
                    for (x, kept) in x.iter_mut().zip(kept.iter()) {
                        *x = s.choose(open, *x, *kept);
                    }
                    let (quotient, residual) = residual(s, &form, x);
                    let distance = s.magnitude(s.minus(quotient, shifts[c]));
                    let limit = if solves < SOLVES { aim } else { allowed };
                    let good = s.and_m64s(
                        s.less_than_or_equal_f64s(residual, limit),
                        s.less_than_or_equal_f64s(distance, near),
                    );
                    let missed = s.choose(good, s.all(0.0), s.all(1.0));
                    open = s.greater_than_f64s(missed, given_up);
                    if s.none(open) {
                        break;
                    }
                    if solves == SOLVES {
                        given_up = s.choose(open, s.all(1.0), given_up);
                        break;
                    }
                    solves += 1;
                    for (row, x) in again.iter_mut().zip(x.iter()) {
                        *row = [*x; CHAINS];
                    }
                    factor.solve_lower(s, again);
                    factor.solve_upper(s, again);
                    normalize(s, again);
                    for (x, row) in x.iter_mut().zip(again.iter()) {
                        *x = s.choose(open, row[c], *x);
                    }
                }
                for (row, x) in vectors.chunks_exact_mut(count).zip(x.iter()) {
                    row[first + c] = *x;
                }
            }
            first += chains;
        }
        for (outcome, given_up) in self.outcome.iter_mut().zip(lanes::<S>(given_up)).take(S::F64_LANES) {
            if outcome.is_ok() && given_up > 0.0 {
                *outcome = Err(Failure::NoConvergence);
            }
        }
    }
}

/// Largest row sum.
#[inline(always)]
fn norm<S: Simd>(s: S, diagonal: &[S::f64s], off_diagonal: &[S::f64s]) -> S::f64s {
    let (mut most, mut above) = (s.all(0.0), s.all(0.0));
    for (d, e) in diagonal.iter().zip(off_diagonal) {
        let beside = s.magnitude(*e);
        most = s.largest(most, s.plus(s.plus(above, s.magnitude(*d)), beside));
        above = beside;
    }
    most
}

/// A fixed start without structure for the vectors `first`, `first + 1`, …: SplitMix64 (Steele, Lea and Flood, 2014), uniform
/// in [−1, 1).
#[inline(always)]
fn start<S: Simd>(s: S, rows: &mut [Row<S>], first: usize) {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    for (i, row) in (0_u64..).zip(rows) {
        for c in 0..CHAINS {
            let mut z = STEP.wrapping_mul(((first + c) as u64 + 1) << 32 | i);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            row[c] = s.all((z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0);
        }
    }
}

/// Divides each vector by its largest magnitude, so that the next solve cannot overflow.
#[inline(always)]
fn normalize<S: Simd>(s: S, rows: &mut [Row<S>]) {
    let mut factor = [s.all(0.0); CHAINS];
    for row in rows.iter() {
        for c in 0..CHAINS {
            factor[c] = s.largest(factor[c], row[c]);
        }
    }
    for c in 0..CHAINS {
        factor[c] = s.over(s.all(1.0), factor[c]);
    }
    for row in rows.iter_mut() {
        for c in 0..CHAINS {
            row[c] = s.times(row[c], factor[c]);
        }
    }
}

impl<S: Simd> Factor<'_, S> {
    /// Factors T − λI; pivots below ε‖T‖ are raised to it: the solution only grows along the eigenvector.
    #[inline(always)]
    fn compute(&mut self, s: S, form: &Form<'_, S>, shifts: &[S::f64s; CHAINS]) {
        let size = form.diagonal.len();
        let (zero, one) = (s.all(0.0), s.all(1.0));
        // What is left of the row above: (pivot, next, 0).
        let (mut pivot, mut next) = ([zero; CHAINS], [form.off_diagonal[0]; CHAINS]);
        for c in 0..CHAINS {
            pivot[c] = s.minus(form.diagonal[0], shifts[c]);
        }
        for i in 0..size - 1 {
            let (below, below_next, diagonal) =
                (form.off_diagonal[i], form.off_diagonal[i + 1], form.diagonal[i + 1]);
            let (mut lower, mut inverse_pivot, mut upper, mut second, mut swapped) =
                ([zero; CHAINS], [zero; CHAINS], [zero; CHAINS], [zero; CHAINS], [zero; CHAINS]);
            for c in 0..CHAINS {
                let below_diagonal = s.minus(diagonal, shifts[c]);
                let swap = s.less_than_f64s(s.magnitude(pivot[c]), s.magnitude(below));
                let top = raised(s, s.choose(swap, below, pivot[c]), form.least);
                let rest = s.choose(swap, pivot[c], below);
                inverse_pivot[c] = s.over(one, top);
                lower[c] = s.times(rest, inverse_pivot[c]);
                upper[c] = s.choose(swap, below_diagonal, next[c]);
                second[c] = s.choose(swap, below_next, zero);
                swapped[c] = s.choose(swap, one, zero);
                pivot[c] = s.less(s.choose(swap, next[c], below_diagonal), lower[c], upper[c]);
                next[c] = s.less(s.choose(swap, zero, below_next), lower[c], second[c]);
            }
            (self.lower[i], self.inverse_pivot[i]) = (lower, inverse_pivot);
            (self.upper[i], self.second[i], self.swapped[i]) = (upper, second, swapped);
        }
        for c in 0..CHAINS {
            self.inverse_pivot[size - 1][c] = s.over(one, raised(s, pivot[c], form.least));
        }
        self.upper[size - 1] = [zero; CHAINS];
        self.second[size - 1] = [zero; CHAINS];
    }

    /// Overwrites x by `L⁻¹ P⁻¹ x`.
    #[inline(always)]
    fn solve_lower(&self, s: S, x: &mut [Row<S>]) {
        let size = x.len();
        let half = s.all(0.5);
        let mut above = x[0];
        for i in 0..size - 1 {
            let (below, lower, swapped) = (x[i + 1], self.lower[i], self.swapped[i]);
            let mut top = above;
            for c in 0..CHAINS {
                let swap = s.greater_than_f64s(swapped[c], half);
                let rest = s.choose(swap, above[c], below[c]);
                top[c] = s.choose(swap, below[c], above[c]);
                above[c] = s.less(rest, lower[c], top[c]);
            }
            x[i] = top;
        }
        x[size - 1] = above;
    }

    /// Overwrites x by `U⁻¹ x`.
    #[inline(always)]
    fn solve_upper(&self, s: S, x: &mut [Row<S>]) {
        let zero = s.all(0.0);
        let (mut one_below, mut two_below) = ([zero; CHAINS], [zero; CHAINS]);
        for i in (0..x.len()).rev() {
            let (upper, second, inverse_pivot) = (self.upper[i], self.second[i], self.inverse_pivot[i]);
            let mut solved = x[i];
            for c in 0..CHAINS {
                // What is two below is known first: only one product is on the critical path.
                let known = s.less(solved[c], second[c], two_below[c]);
                solved[c] = s.times(s.less(known, upper[c], one_below[c]), inverse_pivot[c]);
            }
            (two_below, one_below) = (one_below, solved);
            x[i] = solved;
        }
    }
}

/// x, or `least` with its sign where it is smaller.
#[inline(always)]
fn raised<S: Simd>(s: S, x: S::f64s, least: S::f64s) -> S::f64s {
    s.choose(s.less_than_f64s(s.magnitude(x), least), s.with_sign_of(least, x), x)
}

/// The length of each vector.
#[inline(always)]
fn lengths<S: Simd>(s: S, rows: &[Row<S>]) -> [S::f64s; CHAINS] {
    let mut sums = [s.all(0.0); CHAINS];
    for row in rows {
        for c in 0..CHAINS {
            sums[c] = s.fused(row[c], row[c], sums[c]);
        }
    }
    for sum in &mut sums {
        *sum = s.root(*sum);
    }
    sums
}

/// Removes from each vector its components along the first `known` columns of `vectors` (rows of `width`), [`BLOCK`] at a time: a load
/// of a column's entry serves all chains.
#[inline(always)]
fn remove_from_all<S: Simd>(s: S, rows: &mut [Row<S>], vectors: &[S::f64s], width: usize, known: usize) {
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
                along[n][b] = s.fused(known[b], row[n], along[n][b]);
            }
        }
    }
    for (row, known) in rows.iter_mut().zip(vectors.chunks_exact(width)) {
        let (row, known) = (&mut row[chain..][..N], &known[first..][..BLOCK]);
        for n in 0..N {
            let mut left = row[n];
            for b in 0..BLOCK {
                left = s.less(left, known[b], along[n][b]);
            }
            row[n] = left;
        }
    }
}

/// Makes x, once of length `before`, orthogonal to the columns `known` of `vectors` (rows of `width`) and to all before them, of
/// which its components are gone already or `known` begins at 0; and of length 1.
#[inline(always)]
fn orthonormalize<S: Simd>(
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
    let mut length = s.root(dot(s, x, x));
    let repeat = s.less_than_f64s(length, s.times(s.all(KEPT), before));
    if !s.none(repeat) {
        for column in 0..known.end {
            remove_where(s, x, vectors, width, column, repeat);
        }
        length = s.choose(repeat, s.root(dot(s, x, x)), length);
    }
    let inverse = s.over(s.all(1.0), length);
    for x in x.iter_mut() {
        *x = s.times(*x, inverse);
    }
}

/// Removes from x its components along the C columns from `first` on.
#[inline(always)]
fn remove<S: Simd, const C: usize>(s: S, x: &mut [S::f64s], vectors: &[S::f64s], width: usize, first: usize) {
    let mut along = [s.all(0.0); C];
    for (x, row) in x.iter().zip(vectors.chunks_exact(width)) {
        let row = &row[first..][..C];
        for c in 0..C {
            along[c] = s.fused(row[c], *x, along[c]);
        }
    }
    for (x, row) in x.iter_mut().zip(vectors.chunks_exact(width)) {
        let row = &row[first..][..C];
        let mut left = *x;
        for c in 0..C {
            left = s.less(left, row[c], along[c]);
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
        along = s.fused(row[column], *x, along);
    }
    for (x, row) in x.iter_mut().zip(vectors.chunks_exact(width)) {
        *x = s.choose(mask, s.less(*x, row[column], along), *x);
    }
}

/// Rayleigh quotient `ρ = xᵀTx` of a vector of length 1, and `‖Tx − ρx‖`; NaN if x is not finite.
#[inline(always)]
fn residual<S: Simd>(s: S, form: &Form<'_, S>, x: &[S::f64s]) -> (S::f64s, S::f64s) {
    let zero = s.all(0.0);
    let mut quotient = zero;
    let mut sum = zero;
    for pass in 0..2 {
        let (mut above, mut beside) = (zero, zero);
        for i in 0..x.len() {
            let below = if i + 1 < x.len() { x[i + 1] } else { zero };
            let (diagonal, next) = (form.diagonal[i], form.off_diagonal[i]);
            if pass == 0 {
                let entry = s.fused(next, below, s.fused(beside, above, s.times(diagonal, x[i])));
                quotient = s.fused(entry, x[i], quotient);
            } else {
                let entry = s.times(s.minus(diagonal, quotient), x[i]);
                let entry = s.fused(next, below, s.fused(beside, above, entry));
                sum = s.fused(entry, entry, sum);
            }
            (above, beside) = (x[i], next);
        }
    }
    (quotient, s.root(sum))
}
