//! Implicit QL on symmetric tridiagonal matrices, a problem a lane, rotating ℓ right-hand sides
//! along.
//!
//! `T = Z Λ Zᵀ`: eigenvalues, and `Zᵀ f` for the ℓ columns of `f`, without `Z`: a rotation of rows
//! i and i + 1 of `Zᵀ` is applied to two ℓ-vectors instead of two d-vectors (Golub and Welsch,
//! 1969, for one vector; ℓ here).
//!
//! Source: the implicit QL iteration with Wilkinson's shift of Dubrulle, Martin and Wilkinson
//! (1968), as in EISPACK's `imtql2`. T is scaled to unit largest entry first, so `√(f² + g²)` can
//! neither overflow nor lose what matters.
//!
//! # Lanes
//!
//! A sweep over the block `start..=end` is a chain of square root and division, about 50 cycles a
//! rotation that no instruction of the same problem can shorten: lanes share it, and the chains of
//! `G` groups run beside each other, the entries of T of all groups side by side. Where every lane
//! is inside its block, nothing is masked and what a sweep carries stays in registers.
//!
//! The rotations of two sweeps are kept and applied to the right-hand sides together, the second
//! following the first a row behind: no chain to wait for, and one load and one store a number for
//! two rotations. Where the block has fallen apart is looked for at its ends, and in between only
//! if an entry there is small enough for it. Each lane has its own `start` and `end`, and outside
//! of them the identity: it does what it would do alone.
//!
//! # Counts
//!
//! About 1.7 sweeps an eigenvalue, ≈ 0.85 d² rotations in all; each a square root, a division and
//! 6ℓ + 12 flops: ≈ 5 d²ℓ.
//!
//! # Rounding
//!
//! Each rotation is orthogonal to a few ε and acts on T and on the right-hand sides alike: the
//! whole is backward stable. An off-diagonal entry counts as zero against the unit norm of T or its
//! two neighbours. Against the neighbours alone, the null directions of a matrix of low rank would
//! not settle: their entries are all of the size of rounding, and each sweep adds new rounding of
//! that size from the large entries in the same block (EISPACK's `imtql2` has that flaw, its `tql2`
//! does not).

mod blocks;
mod rotations;
mod rows;

use pulp::{Simd, WithSimd};

use super::MAX_LANES;
use super::arithmetic::Arithmetic;
use crate::Failure;
use blocks::{Block, State};
use rows::rotate;

/// One group: T (`diagonal`, `off_diagonal`: d entries each, the last off-diagonal one unused);
/// `diagonal` becomes its eigenvalues, unordered, and row i of `rows` (d rows of ℓ) the projections
/// on the i-th eigenvector.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) diagonal: &'a mut [f64],
    pub(crate) off_diagonal: &'a [f64],
    pub(crate) rows: &'a mut [f64],
    /// What became of each lane.
    pub(crate) outcome: [Result<(), Failure>; MAX_LANES],
}

/// Numbers of workspace a row and group: T, and sines and cosines of two sweeps.
pub(crate) const WORK: usize = 6;

/// Diagonalizes T of every lane of G groups.
pub(crate) struct ImplicitQl<'a, 'b, const G: usize> {
    pub(crate) size: usize,
    pub(crate) width: usize,
    pub(crate) groups: [&'a mut Group<'b>; G],
    /// G·[`WORK`]·d.
    pub(crate) work: &'a mut [f64],
}

/// Two numbers of each group: d and e of a row of T, or sine and cosine of a rotation.
type Pairs<S, const G: usize> = [[<S as Simd>::f64s; 2]; G];

impl<const G: usize> WithSimd for ImplicitQl<'_, '_, G> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, width, mut groups, work } = self;
        if size == 0 {
            return;
        }
        let (work, _) = S::as_mut_simd_f64s(work);
        let (work, _) = pulp::as_arrays_mut::<2, _>(work);
        let (work, _) = pulp::as_arrays_mut::<G, _>(work);
        let (form, work) = work.split_at_mut(size);
        let (first, second) = work.split_at_mut(size);
        let mut state = State::<S, G> { form, blocks: [Block::none(s); G] };
        let mut scales = [s.all(1.0); G];
        for q in 0..G {
            scales[q] = state.begin(s, groups[q], q);
        }
        while state.unfinished(s) {
            let mut one = Sweep { turns: &mut *first, low: 0, high: 0, lows: [0; G] };
            state.sweep(s, &mut groups, &mut one, width > 0);
            if width == 0 {
                continue;
            }
            let (low, lows) = (one.low, [one.high; G]);
            let mut two = Sweep { turns: &mut second[..size], low, high: low, lows };
            if state.unfinished(s) {
                state.sweep(s, &mut groups, &mut two, true);
            }
            let (low, high) = (one.low.min(two.low), one.high.max(two.high));
            one.widen(s, low, high);
            two.widen(s, low, high);
            for q in 0..G {
                let (rows, _) = S::as_mut_simd_f64s(groups[q].rows);
                rotate(s, rows, width, &one, &two, q);
            }
        }
        for q in 0..G {
            let (diagonal, _) = S::as_mut_simd_f64s(groups[q].diagonal);
            for (to, row) in diagonal.iter_mut().zip(&*state.form) {
                *to = s.mul(row[q][0], scales[q]);
            }
        }
    }
}

/// The rotations of a sweep, number i of rows i and i + 1, and the rows `low..=high` that they
/// reach; each group from a row of its own on.
struct Sweep<'a, S: Simd, const G: usize> {
    turns: &'a mut [Pairs<S, G>],
    low: usize,
    high: usize,
    lows: [usize; G],
}

impl<S: Simd, const G: usize> Sweep<'_, S, G> {
    /// Reaches more rows, by rotations that are the identity.
    #[inline(always)]
    fn widen(&mut self, s: S, low: usize, high: usize) {
        let identity = [[s.all(0.0), s.all(1.0)]; G];
        self.turns[low..self.low].fill(identity);
        self.turns[self.high..high].fill(identity);
        (self.low, self.high) = (low, high);
    }
}
