//! Eigenvectors of one symmetric tridiagonal matrix, from the largest eigenvalue down, many
//! eigenvalues in the lanes of a register.
//!
//! What [`inverse_iteration`](crate::lanes::inverse_iteration) does for a problem a lane, for one
//! problem: for an eigenvalue λ of T, `T − λI = P L U`; from a fixed start, `x ← U⁻¹ x`, then
//! `x ← (T − λI)⁻¹ x`; make x orthogonal to the vectors found before; and again where `‖Tx − ρx‖`,
//! ρ the Rayleigh quotient, is not yet `RESIDUAL·√d·ε·‖T‖`. A vector counts if that is at most
//! `ALLOWED·d·ε·‖T‖`, and ρ no farther than `NEAR·d·ε·‖T‖` from λ. Vector j depends on T, λ_j and
//! the vectors before it only, so the first k of many are the same bits as k alone.
//!
//! # Which vectors are orthogonal by themselves
//!
//! For x and y of length 1 and any two numbers θ > μ, since T is symmetric,
//!
//! ```text
//! (θ − μ) xᵀy = xᵀ(Ty − μy) − yᵀ(Tx − θx),   so   |xᵀy| ≤ (‖Tx − θx‖ + ‖Ty − μy‖) / (θ − μ).
//! ```
//!
//! Vectors whose residuals, with what rounding may hide of them, are at most [`OVERLAP`]·√d·ε times
//! the distance of their Rayleigh quotients are orthogonal to that already, and nothing is removed.
//! It is asked of the vectors as they are in the end, so it takes no belief in how eigenvalues or
//! solutions come about; each vector is made orthogonal to all from the first one on that it may
//! overlap with. Where eigenvalues spread out that is a few dozen, where all of them agree it is
//! all: clusters need no definition (LAPACK's `dstein` takes 10⁻³‖T‖).
//!
//! # Clusters
//!
//! Where eigenvalues agree, the solution of one factor is the same direction from nearly every
//! start, and what is left of it beside the vector before is rounding. So the second is solved for
//! a little above its eigenvalue ([`BESIDE`]): all directions of the cluster grow alike. In a large
//! cluster each vector is orthogonal to many that have rounding of their own, which is why after
//! the first solution a residual counts up to `ALLOWED`.
//!
//! # Blocks
//!
//! [`BLOCK`] vectors lie side by side, row after row: the lanes of factors and solves, and the
//! columns of the products that remove components, [`BLOCK`] known vectors at a time (classical
//! Gram-Schmidt within such a block, one block after the other); then one after the other within
//! the block (modified Gram-Schmidt). Where less than `KEPT` of a vector is left, the whole is
//! repeated, for it and for those after it in the block ("twice is enough": Parlett, *The Symmetric
//! Eigenvalue Problem*, 1980, section 6-9).
//!
//! # Counts
//!
//! An entry of a vector: 14 flops and a division (factor), 14 (solves), 24 (two measures), 66
//! (within the block) and 128 a block of known vectors; so 2 d k² in all if none is orthogonal by
//! itself. Bytes: six numbers of each vector and row for a solve, 48 d·[`BLOCK`], from L2 up to d ≈
//! 600, beyond from L3; known vectors once for both of their products where d·[`BLOCK`] numbers fit
//! in L2.
//!
//! Measured on one core of an AMD EPYC of the Zen 4 kind (59 Gflop/s), AVX-512, T of a Wishart
//! matrix of 2d samples, milliseconds:
//!
//! | d | k = 10 | 50 | d/2 | d |
//! |---:|---:|---:|---:|---:|
//! | 512 | 0.07 | 0.19 | 1.1 | 2.4 |
//! | 784 | 0.11 | 0.32 | 2.6 | 5.9 |
//! | 1,024 | 0.14 | 0.43 | 4.4 | 10.5 |
//! | 2,048 | 0.28 | 0.85 | 19 | 52 |
//!
//! Products with known vectors run at 44 to 58 Gflop/s; what stops the rest is the latency of
//! divisions and memory (solves), and that within a block a number is loaded and stored for every 4
//! flops.
//!
//! # Rounding
//!
//! Sums run over ascending rows, or ascending columns, one fused chain an entry, whatever the
//! instruction set. What does not concern a vector is multiplied by 0 for it, and zeros are +0 in
//! the end.

mod orthogonal;

use faer::MatMut;
use pulp::{Simd, WithSimd};

use crate::Failure;
use crate::dense::column_mut;
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::Arithmetic;
use crate::lanes::inverse_iteration::factor::{CHAINS, Entries, FACTOR, Factor, Row, normalize};
use crate::lanes::inverse_iteration::{ALLOWED, KEPT, NEAR, RESIDUAL, uniform};
use orthogonal::{remove_among, remove_known, scale};

/// Vectors that are treated side by side: as many as four of the widest registers hold.
const BLOCK: usize = 32;

/// Scalar product of two vectors up to which they count as orthogonal by themselves, in units of
/// √d·ε.
const OVERLAP: f64 = 4.0;

/// Distance of eigenvalues, in units of ε‖T‖, up to which they count as equal, and how far above
/// the second one to solve for its vector: all directions of both then grow alike, so that what the
/// vector before leaves of it is theirs and not rounding.
const EQUAL: f64 = 2.0;
const BESIDE: f64 = 4.0;

/// The same where a vector, orthogonal to those before, is solved for again: so far that what a
/// factor's rounding makes of a cluster changes little.
const AGAIN: f64 = 32.0;

/// How often at most a vector is solved for again.
const SOLVES: usize = 5;

/// Further rounds of orthogonalization; one is enough unless a vector is hardly its own at all.
const ROUNDS: usize = 3;

/// A row of the vectors of a block.
type Line = [f64; BLOCK];

/// Numbers of workspace for `count` vectors of a matrix of size d.
pub(crate) const fn tridiagonal_vectors_work(size: usize, count: usize) -> usize {
    // A factor, a solution and a block; products; starts, quotients and errors.
    (FACTOR / CHAINS + 2) * BLOCK * size + BLOCK * BLOCK + (size + count + BLOCK) + 2 * count
}

/// The eigenvectors of the largest eigenvalues of one matrix T, whose entries are about 1 in size.
pub(crate) struct TridiagonalVectors<'a> {
    /// d.
    pub(crate) diagonal: &'a [f64],
    /// d, the last one 0.
    pub(crate) off_diagonal: &'a [f64],
    /// k or more, descending, each an eigenvalue to `d·ε·‖T‖`.
    pub(crate) values: &'a [f64],
    /// d × k, columns contiguous, k ≤ d. Strides of a large power of two are slow.
    pub(crate) vectors: MatMut<'a, f64>,
    /// [`tridiagonal_vectors_work`].
    pub(crate) work: &'a mut [f64],
}

/// T, the same in all lanes.
struct Form<'a> {
    diagonal: &'a [f64],
    off_diagonal: &'a [f64],
    /// ε‖T‖.
    least: f64,
}

impl<S: Simd> Entries<S> for Form<'_> {
    #[inline(always)]
    fn size(&self) -> usize {
        self.diagonal.len()
    }

    #[inline(always)]
    fn diagonal(&self, s: S, i: usize) -> S::f64s {
        s.all(self.diagonal[i])
    }

    #[inline(always)]
    fn off_diagonal(&self, s: S, i: usize) -> S::f64s {
        s.all(self.off_diagonal[i])
    }

    #[inline(always)]
    fn least(&self, s: S) -> S::f64s {
        s.all(self.least)
    }
}

/// Writes the eigenvectors of the k largest eigenvalues, each to the sign that comes about.
///
/// # Errors
///
/// [`Failure::NoConvergence`] if a vector's residual stays too large: T or a value is not finite, a
/// value is no eigenvalue, or (one matrix of tens of thousands made to be hard) clusters of nearly
/// decoupled rows.
///
/// # Panics
///
/// If slices are too short or columns not contiguous.
pub(crate) fn tridiagonal_vectors(
    instruction_set: InstructionSet,
    problem: TridiagonalVectors<'_>,
) -> Result<(), Failure> {
    instruction_set.run(problem)
}

impl WithSimd for TridiagonalVectors<'_> {
    type Output = Result<(), Failure>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> Result<(), Failure> {
        let Self { diagonal, off_diagonal, values, mut vectors, work } = self;
        let (size, count) = (diagonal.len(), vectors.ncols());
        let off_diagonal = &off_diagonal[..size];
        let norm = norm(diagonal, off_diagonal);
        let norm = if norm > 0.0 { norm } else { 1.0 };
        let form = Form { diagonal, off_diagonal, least: f64::EPSILON * norm };
        let (solving, work) = work.split_at_mut((FACTOR / CHAINS + 1) * BLOCK * size);
        let (x, work) = work.split_at_mut(BLOCK * size);
        let (products, work) = work.split_at_mut(BLOCK * BLOCK);
        let (starts, work) = work.split_at_mut(size + count + BLOCK);
        let (quotients, errors) = work.split_at_mut(count);
        let (x, _) = pulp::as_arrays_mut::<BLOCK, _>(x);
        let (products, _) = pulp::as_arrays_mut::<BLOCK, _>(products);
        for (i, start) in (1..).zip(starts.iter_mut()) {
            *start = uniform(i);
        }
        let root = (size as f64).sqrt();
        let aim = RESIDUAL * root * form.least;
        let allowed = ALLOWED * size as f64 * form.least;
        let near = NEAR * size as f64 * form.least;
        let overlap = OVERLAP * root * f64::EPSILON;
        for first in (0..count).step_by(BLOCK) {
            let own = BLOCK.min(count - first);
            let mut shifts = [0.0; BLOCK];
            for c in 0..BLOCK {
                // What is beyond the last repeats it, and comes to nothing.
                shifts[c] = values[first + c.min(own - 1)];
            }
            let mut near_them = shifts;
            for c in 0..own {
                let n = first + c;
                if n > 0 && values[n - 1] - values[n] <= EQUAL * form.least {
                    near_them[c] += BESIDE * form.least;
                }
            }
            solve(s, &form, &near_them, own, Begin::From(&starts[first..]), solving, x);
            // The first vector that each one is made orthogonal to.
            let mut lows = [first; BLOCK];
            let (mut from, mut solves) = (0, 0);
            loop {
                let mut lost = None;
                for _ in 0..ROUNDS {
                    let found = measure(s, &form, &shifts, x);
                    for c in from..own {
                        let (quotient, error) = (found.quotient[c], found.error[c]);
                        let beside = beside(&quotients[..first], errors, quotient, error, 0.5 * overlap);
                        lows[c] = lows[c].min(if solves < 2 { beside } else { 0 });
                    }
                    let mut before = first;
                    for low in &lows[from..own] {
                        before = before.min(*low);
                    }
                    for known in (before / BLOCK * BLOCK..first).step_by(BLOCK) {
                        let mut wanted = [0.0; BLOCK];
                        for c in from..own {
                            wanted[c] = if lows[c] < known + BLOCK { 1.0 } else { 0.0 };
                        }
                        remove_known(s, x, vectors.as_ref().subcols(known, BLOCK), products, &wanted);
                    }
                    let (squares, factors) = remove_among(s, x, from, own);
                    scale(s, x, &factors);
                    lost = None;
                    for c in (from..own).rev() {
                        if squares[c].sqrt() < KEPT * found.length[c] {
                            lost = Some(c);
                        }
                    }
                    let Some(next) = lost else { break };
                    from = next;
                }
                let found = measure(s, &form, &shifts, x);
                let limit = if solves == 0 { aim } else { allowed };
                let (mut open, mut again) = (None, [false; BLOCK]);
                for c in (0..own).rev() {
                    let good = found.residual[c] <= limit && found.distance[c] <= near && lost != Some(c);
                    let (quotient, error) = (found.quotient[c], found.error[c]);
                    let apart = lows[c] == 0
                        || beside(&quotients[..lows[c]], errors, quotient, error, overlap) == lows[c];
                    again[c] = !good;
                    if !(good && apart) {
                        open = Some(c);
                    }
                }
                let Some(next) = open else {
                    quotients[first..][..own].copy_from_slice(&found.quotient[..own]);
                    errors[first..][..own].copy_from_slice(&found.error[..own]);
                    break;
                };
                if solves == SOLVES {
                    return Err(Failure::NoConvergence);
                }
                solves += 1;
                from = next;
                for c in from..own {
                    near_them[c] = shifts[c] + AGAIN * solves as f64 * form.least;
                    // Nothing of it was its own: from another start.
                    if again[c] && found.length[c] < 0.5 {
                        for (i, row) in (0_u64..).zip(x.iter_mut()) {
                            row[c] = uniform(((first + c + 1) as u64) << 32 | (solves as u64) << 24 | i);
                        }
                    }
                }
                if again[..own].contains(&true) {
                    solve(s, &form, &near_them, own, Begin::Again(&again), solving, x);
                }
            }
            write(x, vectors.as_mut().subcols_mut(first, own));
        }
        Ok(())
    }
}

/// Largest row sum.
#[inline(always)]
fn norm(diagonal: &[f64], off_diagonal: &[f64]) -> f64 {
    let (mut most, mut above) = (0.0, 0.0);
    for (d, e) in diagonal.iter().zip(off_diagonal) {
        let sum = above + d.abs() + e.abs();
        if sum > most {
            most = sum;
        }
        above = e.abs();
    }
    most
}

/// What a solution begins with.
enum Begin<'a> {
    /// Vector c of the block: the numbers from number c on.
    From(&'a [f64]),
    /// Itself, where it is wanted; the others stay.
    Again(&'a [bool; BLOCK]),
}

/// Solves with `T − λI` for the first `own` vectors of a block, twice or, again, once.
#[inline(always)]
fn solve<S: Simd>(
    s: S,
    form: &Form<'_>,
    shifts: &Line,
    own: usize,
    begin: Begin<'_>,
    work: &mut [f64],
    x: &mut [Line],
) {
    let (work, _) = S::as_mut_simd_f64s(work);
    let (work, _) = pulp::as_arrays_mut::<CHAINS, _>(work);
    let (mut factor, work) = Factor::<S>::new(x.len(), work);
    let solution = &mut work[..x.len()];
    for group in 0..own.div_ceil(CHAINS * S::F64_LANES) {
        let at = group * CHAINS * S::F64_LANES;
        factor.compute(s, form, &row::<S>(&shifts[at..]));
        match begin {
            Begin::From(starts) => {
                for (i, row) in solution.iter_mut().enumerate() {
                    *row = self::row::<S>(&starts[i + at..]);
                }
                factor.solve_upper(s, form, solution);
                normalize(s, solution);
            }
            Begin::Again(_) => {
                for (row, x) in solution.iter_mut().zip(x.iter()) {
                    *row = self::row::<S>(&x[at..]);
                }
            }
        }
        factor.solve_lower(s, solution);
        factor.solve_upper(s, form, solution);
        normalize(s, solution);
        let mut wanted = [1.0; BLOCK];
        if let Begin::Again(again) = begin {
            for c in 0..BLOCK {
                wanted[c] = if again[c] { 1.0 } else { 0.0 };
            }
        }
        let (wanted, half) = (row::<S>(&wanted[at..]), s.all(0.5));
        for (row, x) in solution.iter().zip(x.iter_mut()) {
            let x = row_mut::<S>(&mut x[at..]);
            for c in 0..CHAINS {
                // What is not finite would reach its neighbours.
                let finite = s.choose(s.equal_f64s(row[c], row[c]), row[c], s.all(0.0));
                x[c] = s.choose(s.greater_than_f64s(wanted[c], half), finite, x[c]);
            }
        }
    }
}

/// The first registers of a slice.
#[inline(always)]
fn row<S: Simd>(from: &[f64]) -> Row<S> {
    let (from, _) = S::as_simd_f64s(&from[..CHAINS * S::F64_LANES]);
    [from[0], from[1], from[2], from[3]]
}

#[inline(always)]
fn row_mut<S: Simd>(from: &mut [f64]) -> &mut Row<S> {
    let (from, _) = S::as_mut_simd_f64s(&mut from[..CHAINS * S::F64_LANES]);
    &mut pulp::as_arrays_mut::<CHAINS, _>(from).0[0]
}

/// What is known of each vector of a block.
struct Found {
    /// Its length.
    length: Line,
    /// Its Rayleigh quotient ρ.
    quotient: Line,
    /// Distance of ρ from λ.
    distance: Line,
    /// `‖Tx − ρx‖` of the vector of length 1.
    residual: Line,
    /// Bound of it: with what rounding of its entries may hide, which is at most ε of the first
    /// term of each and ½ε of the sum of the first two, and of the entry.
    error: Line,
}

/// One pass over a block: with `u = (T − λI)x`, `ρ = λ + xᵀu/xᵀx`, and `‖Tx − ρx‖² = ‖u‖² −
/// (xᵀu)²/xᵀx`.
#[inline(always)]
fn measure<S: Simd>(s: S, form: &Form<'_>, shifts: &Line, x: &[Line]) -> Found {
    /// Registers at a time.
    const N: usize = 2;
    let zero = s.all(0.0);
    let [mut length, mut quotient, mut distance, mut residual, mut error] = [[0.0; BLOCK]; 5];
    let mut sums = [[0.0; BLOCK]; 4];
    for at in (0..BLOCK).step_by(N * S::F64_LANES) {
        let (mut along, mut squares, mut entries, mut terms) = ([zero; N], [zero; N], [zero; N], [zero; N]);
        let shift = registers::<S, N>(&shifts[at..]);
        let (mut above, mut beside, mut own) = ([zero; N], zero, registers::<S, N>(&x[0][at..]));
        for i in 0..x.len() {
            let below = if i + 1 < x.len() { registers::<S, N>(&x[i + 1][at..]) } else { [zero; N] };
            let (diagonal, next) = (s.all(form.diagonal[i]), s.all(form.off_diagonal[i]));
            for n in 0..N {
                let term = s.mul(s.sub(diagonal, shift[n]), own[n]);
                let sum = s.mul_add(beside, above[n], term);
                let entry = s.mul_add(next, below[n], sum);
                squares[n] = s.mul_add(own[n], own[n], squares[n]);
                along[n] = s.mul_add(own[n], entry, along[n]);
                entries[n] = s.mul_add(entry, entry, entries[n]);
                terms[n] = s.mul_add(term, term, s.mul_add(sum, sum, terms[n]));
            }
            (above, own, beside) = (own, below, next);
        }
        for (to, from) in sums.iter_mut().zip([squares, along, entries, terms]) {
            S::as_mut_simd_f64s(&mut to[at..][..N * S::F64_LANES]).0.copy_from_slice(&from);
        }
    }
    let [squares, along, entries, terms] = sums;
    for c in 0..BLOCK {
        length[c] = squares[c].sqrt();
        let shift = along[c] / squares[c];
        quotient[c] = shifts[c] + shift;
        distance[c] = shift.abs();
        let square = (-shift).mul_add(shift, entries[c] / squares[c]);
        // Not `max`, which hides a NaN.
        residual[c] = if square < 0.0 { 0.0 } else { square.sqrt() };
        error[c] = (2.0 * f64::EPSILON).mul_add((terms[c] / squares[c]).sqrt(), residual[c]);
    }
    Found { length, quotient, distance, residual, error }
}

/// The first N registers of a slice.
#[inline(always)]
fn registers<S: Simd, const N: usize>(from: &[f64]) -> [S::f64s; N] {
    pulp::as_arrays::<N, _>(S::as_simd_f64s(&from[..N * S::F64_LANES]).0).0[0]
}

/// The first of the vectors before with which a vector may have a scalar product above `overlap`.
#[inline(always)]
fn beside(quotients: &[f64], errors: &[f64], quotient: f64, error: f64, overlap: f64) -> usize {
    for (i, (before, own)) in quotients.iter().zip(errors).enumerate() {
        let apart = own + error < overlap * (before - quotient);
        if !apart {
            return i;
        }
    }
    quotients.len()
}

/// Writes the vectors of a block to their columns.
#[inline(always)]
fn write(x: &[Line], mut to: MatMut<'_, f64>) {
    /// Rows at a time: a line of the cache of each column.
    const ROWS: usize = 8;
    for (first, rows) in (0..).step_by(ROWS).zip(x.chunks(ROWS)) {
        for c in 0..to.ncols() {
            let column = &mut column_mut(to.as_mut(), c)[first..][..rows.len()];
            for (to, row) in column.iter_mut().zip(rows) {
                *to = row[c];
            }
        }
    }
}

#[cfg(test)]
mod tests;
