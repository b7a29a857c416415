//! Eigenvectors of symmetric tridiagonal matrices, a problem a lane, from the largest eigenvalue
//! down.
//!
//! For an eigenvalue λ of T: `T − λI = P L U`; from a fixed start, `x ← U⁻¹ x`, then
//! `x ← (T − λI)⁻¹ x`; make x orthogonal to the vectors found before; and again where `‖Tx − ρx‖`
//! is not yet [`RESIDUAL`]·√d·ε·‖T‖. Vector j depends on T, λ_j and the vectors before it only, so
//! the first k of many are the same bits as k alone.
//!
//! Factors and solves do not need the vectors before: [`CHAINS`] eigenvalues of each lane run
//! beside each other, so that the chains of divisions fill each other's gaps.
//!
//! Checked, not trusted: a vector counts only if `‖Tx − ρx‖`, ρ its Rayleigh quotient, is at most
//! [`ALLOWED`]·d·ε·‖T‖ after orthogonalization, and ρ no farther from λ than the rounding of λ.
//! Where one does not get there (it has not been seen to happen), the lane fails with
//! [`Failure::NoConvergence`].
//!
//! Source: Wilkinson, *The Algebraic Eigenvalue Problem* (1965), chapter 5; LAPACK's `dstein`,
//! which orthogonalizes within clusters only. Here against all, in blocks of [`BLOCK`] columns:
//! clusters need no definition.
//!
//! Counts a vector: 10d (factor) + 14d (solves) + 4 d j (orthogonalization) + 15d (residual) flops;
//! for k vectors 2 d k² in all. Bytes: the vectors before, 8 d j, are read twice, for [`CHAINS`]
//! vectors at a time, the second time from L1.
//!
//! Rounding: sums run over ascending rows, one chain a column, so nothing depends on the number of
//! columns.

pub(crate) mod factor;
mod orthogonal;

use pulp::{Simd, WithSimd};

use super::MAX_LANES;
use super::arithmetic::{Arithmetic, lanes};
use super::reduction::dot;
use crate::Failure;
use factor::{CHAINS, Entries, FACTOR, Factor, Row, normalize};
pub(crate) use orthogonal::KEPT;
use orthogonal::{lengths, orthonormalize, remove_from_all};

/// Residual that is aimed at, in units of √d·ε·‖T‖; two solves leave 1 or less where eigenvalues
/// are apart.
pub(crate) const RESIDUAL: f64 = 4.0;

/// Residual up to which a vector counts, in units of d·ε·‖T‖: what many vectors of a cluster before
/// it, each with a rounding of its own, can leave behind: 4.8 for the last of 24 equal eigenvalues
/// of 47, where all vectors are asked for. LAPACK's tests allow 30.
pub(crate) const ALLOWED: f64 = 8.0;

/// Distance of its Rayleigh quotient from the eigenvalue up to which a vector counts, in units of
/// d·ε·‖T‖: the backward error of QL, which is 1 or less.
pub(crate) const NEAR: f64 = 20.0;

/// Further solves for one vector; none is needed unless eigenvalues agree to many digits.
const SOLVES: usize = 3;

/// Numbers of workspace a row: the factor, two vectors of each chain, and two more.
pub(crate) const WORK: usize = FACTOR + 3 * CHAINS;

/// Writes the eigenvectors of the `count` largest eigenvalues of each lane into the columns of
/// `vectors` (d rows of `count`).
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

impl<S: Simd> Entries<S> for Form<'_, S> {
    #[inline(always)]
    fn size(&self) -> usize {
        self.diagonal.len()
    }

    #[inline(always)]
    fn diagonal(&self, _: S, i: usize) -> S::f64s {
        self.diagonal[i]
    }

    #[inline(always)]
    fn off_diagonal(&self, _: S, i: usize) -> S::f64s {
        self.off_diagonal[i]
    }

    #[inline(always)]
    fn least(&self, _: S) -> S::f64s {
        self.least
    }
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
        let (mut factor, work) = Factor::<S>::new(size, work);
        let (solution, work) = work.split_at_mut(size);
        let (again, work) = work.split_at_mut(size);
        let (x, work) = work.as_flattened_mut().split_at_mut(size);
        let (kept, _) = work.split_at_mut(size);
        let norm = norm(s, diagonal, off_diagonal);
        let norm = s.choose(s.greater_than_f64s(norm, s.all(0.0)), norm, s.all(1.0));
        let form = Form::<S> { diagonal, off_diagonal, least: s.mul(s.all(f64::EPSILON), norm) };
        let aim = s.mul(s.all(RESIDUAL * (size as f64).sqrt()), form.least);
        let allowed = s.mul(s.all(ALLOWED * size as f64), form.least);
        let near = s.mul(s.all(NEAR * size as f64), form.least);
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
            factor.solve_upper(s, &form, solution);
            normalize(s, solution);
            factor.solve_lower(s, solution);
            factor.solve_upper(s, &form, solution);
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
                    // The first time, the vectors before those of the other chains are gone
                    // already.
                    let (before, from) =
                        if solves == 0 { (lengths[c], first) } else { (s.sqrt(dot(s, x, x)), 0) };
                    orthonormalize(s, x, before, vectors, count, from..first + c);
                    for (x, kept) in x.iter_mut().zip(kept.iter()) {
                        *x = s.choose(open, *x, *kept);
                    }
                    let (quotient, residual) = residual(s, &form, x);
                    let distance = s.abs(s.sub(quotient, shifts[c]));
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
                    factor.solve_upper(s, &form, again);
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
        let beside = s.abs(*e);
        most = s.largest(most, s.add(s.add(above, s.abs(*d)), beside));
        above = beside;
    }
    most
}

/// A fixed start without structure for the vectors `first`, `first + 1`, ….
#[inline(always)]
fn start<S: Simd>(s: S, rows: &mut [Row<S>], first: usize) {
    for (i, row) in (0_u64..).zip(rows) {
        for c in 0..CHAINS {
            row[c] = s.all(uniform(((first + c) as u64 + 1) << 32 | i));
        }
    }
}

/// Number n of a fixed sequence without structure, in [−1, 1): SplitMix64 (Steele, Lea and Flood,
/// 2014).
#[inline(always)]
pub(crate) fn uniform(n: u64) -> f64 {
    let mut z = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(n);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
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
                let entry = s.mul_add(next, below, s.mul_add(beside, above, s.mul(diagonal, x[i])));
                quotient = s.mul_add(entry, x[i], quotient);
            } else {
                let entry = s.mul(s.sub(diagonal, quotient), x[i]);
                let entry = s.mul_add(next, below, s.mul_add(beside, above, entry));
                sum = s.mul_add(entry, entry, sum);
            }
            (above, beside) = (x[i], next);
        }
    }
    (quotient, s.sqrt(sum))
}
