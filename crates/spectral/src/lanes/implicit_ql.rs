//! Implicit QL on symmetric tridiagonal matrices, a problem a lane, rotating ℓ right-hand sides along.
//!
//! `T = Z Λ Zᵀ`: eigenvalues, and `Zᵀ f` for the ℓ columns of `f`, without `Z`: a rotation of rows i and i + 1 of `Zᵀ` is applied
//! to two ℓ-vectors instead of two d-vectors (Golub and Welsch, 1969, for one vector; ℓ here).
//!
//! Source: the implicit QL iteration with Wilkinson's shift of Dubrulle, Martin and Wilkinson (1968), as in EISPACK's
//! `imtql2`. T is scaled to unit largest entry first, so `√(f² + g²)` can neither overflow nor lose what matters.
//!
//! # Lanes
//!
//! A sweep over the block `start..=end` is a chain of square root and division, about 50 cycles a rotation that no instruction
//! of the same problem can shorten: lanes share it, and the chains of `G` groups run beside each other, the entries of T of all
//! groups side by side. Where every lane is inside its block, nothing is masked and what a sweep carries stays in registers.
//!
//! The rotations of two sweeps are kept and applied to the right-hand sides together, the second following the first a row behind:
//! no chain to wait for, and one load and one store a number for two rotations. Where the block has fallen apart is looked
//! for at its ends, and in between only if an entry there is small enough for it. Each lane has its own `start` and `end`,
//! and outside of them the identity: it does what it would do alone.
//!
//! # Counts
//!
//! About 1.7 sweeps an eigenvalue, ≈ 0.85 d² rotations in all; each a square root, a division and 6ℓ + 12 flops: ≈ 5 d²ℓ.
//!
//! # Rounding
//!
//! Each rotation is orthogonal to a few ε and acts on T and on the right-hand sides alike: the whole is backward stable. An
//! off-diagonal entry counts as zero against the unit norm of T or its two neighbours. Against the neighbours alone, the
//! null directions of a matrix of low rank would not settle: their entries are all of the size of rounding, and each sweep
//! adds new rounding of that size from the large entries in the same block (EISPACK's `imtql2` has that flaw, its
//! `tql2` does not).

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::MAX_LANES;
use super::arithmetic::{Arithmetic, lanes, register};
use crate::Failure;

/// QL sweeps allowed for one eigenvalue. LAPACK's `dsteqr` allows 30; published counts never exceed a handful.
const SWEEPS: f64 = 50.0;

/// Below this `√(f² + g²)` is of nothing with nothing, and squares lose their digits: 2⁻⁵⁰⁰, nothing beside the unit norm of T and
/// far above the root of the smallest normal number. The rotation is then the identity, as LAPACK's `dlartg` has it for f = 0.
const NOTHING: f64 = f64::from_bits((1023 - 500) << 52);

/// Up to this an off-diagonal entry may count as zero: ε·(1 + |d| + |d′|), and no eigenvalue of T is beyond 3.
const SMALL: f64 = 8.0 * f64::EPSILON;

/// One group: T (`diagonal`, `off_diagonal`: d entries each, the last off-diagonal one unused); `diagonal` becomes its eigenvalues,
/// unordered, and row i of `rows` (d rows of ℓ) the projections on the i-th eigenvector.
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
                *to = s.times(row[q][0], scales[q]);
            }
        }
    }
}

/// The block of each lane, rows `start..=end` as numbers. A lane without work begins and ends at the last row.
#[derive(Clone, Copy)]
struct Block<S: Simd> {
    start: S::f64s,
    end: S::f64s,
    /// Sweeps since it began or ended elsewhere.
    sweeps: S::f64s,
    /// d and e at its start, and d one row below.
    at: S::f64s,
    beside: S::f64s,
    after: S::f64s,
}

impl<S: Simd> Block<S> {
    #[inline(always)]
    fn none(s: S) -> Self {
        let zero = s.all(0.0);
        Self { start: zero, end: zero, sweeps: zero, at: zero, beside: zero, after: zero }
    }
}

/// The rotations of a sweep, number i of rows i and i + 1, and the rows `low..=high` that they reach; each group from a row of its
/// own on.
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

/// T of all groups, a row after the other.
struct State<'a, S: Simd, const G: usize> {
    form: &'a mut [Pairs<S, G>],
    blocks: [Block<S>; G],
}

/// What a sweep carries from row to row, and where its lanes begin and end.
#[derive(Clone, Copy)]
struct Bulge<S: Simd> {
    g: S::f64s,
    sine: S::f64s,
    cosine: S::f64s,
    shift: S::f64s,
    /// Entries i + 1 of T while rotation i is made: what they are until then.
    below: [S::f64s; 2],
    start: S::f64s,
    end: S::f64s,
}

/// Rows of a sweep, see [`State::reach`].
struct Reach<const G: usize> {
    low: usize,
    high: usize,
    common_low: usize,
    common_high: usize,
    lows: [usize; G],
}

/// What was found of the first block with work in each lane's old one, and where T has come apart last.
#[derive(Clone, Copy)]
struct Found<S: Simd> {
    gap: S::f64s,
    block: Block<S>,
}

impl<S: Simd, const G: usize> State<'_, S, G> {
    #[inline(always)]
    fn unfinished(&self, s: S) -> bool {
        for block in &self.blocks {
            if !s.none(s.less_than_f64s(block.start, block.end)) {
                return true;
            }
        }
        false
    }

    /// Takes T of a group, scaled to unit largest entry, and finds its first blocks; lanes that are not finite are out. Returns
    /// the scale.
    #[inline(always)]
    fn begin(&mut self, s: S, group: &mut Group<'_>, q: usize) -> S::f64s {
        let (diagonal, _) = S::as_simd_f64s(group.diagonal);
        let (off_diagonal, _) = S::as_simd_f64s(group.off_diagonal);
        let zero = s.all(0.0);
        let last = self.form.len() - 1;
        let (mut largest, mut not_finite) = (zero, zero);
        for (i, row) in self.form.iter_mut().enumerate() {
            let (d, e) = (diagonal[i], if i < last { off_diagonal[i] } else { zero });
            largest = s.largest(s.largest(largest, d), e);
            // Zero, or NaN from the first infinity or NaN on.
            not_finite = s.fused(d, zero, s.fused(e, zero, not_finite));
            row[q] = [d, e];
        }
        let scale = s.choose(s.greater_than_f64s(largest, zero), largest, s.all(1.0));
        for row in self.form.iter_mut() {
            row[q] = [s.over(row[q][0], scale), s.over(row[q][1], scale)];
        }
        let flags = lanes::<S>(not_finite);
        let mut from = [None; MAX_LANES];
        for lane in 0..S::F64_LANES {
            if flags[lane].is_nan() {
                group.outcome[lane] = Err(Failure::NotFinite);
            }
            from[lane] = Some(if group.outcome[lane].is_ok() { 0 } else { last });
        }
        self.find_blocks(q, from);
        scale
    }

    /// d and e of row i in one lane.
    #[inline(always)]
    fn entry(&self, q: usize, lane: usize, i: usize) -> [f64; 2] {
        let numbers = pulp::bytemuck::cast_slice::<S::f64s, f64>(&self.form[i][q]);
        [numbers[lane], numbers[S::F64_LANES + lane]]
    }

    /// Finds the first block that needs work from a row on, in the lanes that have one to begin from.
    fn find_blocks(&mut self, q: usize, from: [Option<usize>; MAX_LANES]) {
        let last = self.form.len() - 1;
        let Block { start, end, sweeps, at, beside, after } = self.blocks[q];
        let [mut start, mut end, mut sweeps] = [start, end, sweeps].map(lanes::<S>);
        let [mut at, mut beside, mut after] = [at, beside, after].map(lanes::<S>);
        for lane in 0..S::F64_LANES {
            let Some(from) = from[lane] else { continue };
            // Rounds as `look` does.
            let negligible = |i: usize| {
                let ([at, beside], [below, _]) = (self.entry(q, lane, i), self.entry(q, lane, i + 1));
                beside.abs() <= f64::EPSILON * (1.0 + (at.abs() + below.abs()))
            };
            let first = (from..last).find(|&i| !negligible(i)).unwrap_or(last);
            let gap = (first..last).find(|&i| negligible(i)).unwrap_or(last);
            (start[lane], end[lane], sweeps[lane]) = (first as f64, gap as f64, 0.0);
            [at[lane], beside[lane]] = self.entry(q, lane, first);
            [after[lane], _] = self.entry(q, lane, (first + 1).min(last));
        }
        let [start, end, sweeps] = [start, end, sweeps].map(register::<S>);
        let [at, beside, after] = [at, beside, after].map(register::<S>);
        self.blocks[q] = Block { start, end, sweeps, at, beside, after };
    }

    /// First and last row of all lanes with work, and where each group begins; the last row in which a lane begins and the first
    /// in which one with work ends.
    #[inline(always)]
    fn reach(&self, s: S) -> Reach<G> {
        let (zero, far) = (s.all(0.0), s.all(f64::INFINITY));
        let (mut high, mut common_low, mut common_high) = (zero, zero, far);
        let mut reach =
            Reach { low: usize::MAX, high: 0, common_low: 0, common_high: usize::MAX, lows: [usize::MAX; G] };
        for q in 0..G {
            let Block { start, end, .. } = self.blocks[q];
            let open = s.less_than_f64s(start, end);
            let last = s.choose(open, end, far);
            common_high = s.choose(s.less_than_f64s(last, common_high), last, common_high);
            common_low = s.choose(s.greater_than_f64s(start, common_low), start, common_low);
            high = s.choose(s.and_m64s(open, s.greater_than_f64s(end, high)), end, high);
            let starts = lanes::<S>(s.choose(open, start, far));
            for start in &starts[..S::F64_LANES] {
                reach.lows[q] = reach.lows[q].min(index(*start));
            }
            reach.low = reach.low.min(reach.lows[q]);
        }
        let (highs, common_lows) = (lanes::<S>(high), lanes::<S>(common_low));
        let common_highs = lanes::<S>(common_high);
        for lane in 0..S::F64_LANES {
            reach.high = reach.high.max(index(highs[lane]));
            reach.common_low = reach.common_low.max(index(common_lows[lane]));
            reach.common_high = reach.common_high.min(index(common_highs[lane]));
        }
        reach
    }

    /// One sweep of every lane over its block; with `keep`, rotations are kept.
    #[inline(always)]
    fn sweep(&mut self, s: S, groups: &mut [&mut Group<'_>; G], to: &mut Sweep<'_, S, G>, keep: bool) {
        let Reach { low, high, common_low, common_high, lows } = self.reach(s);
        (to.low, to.high, to.lows) = (low, high, lows);
        // Not by a closure: what is not inlined has no vector instructions.
        let mut bulges = [self.shift(s, 0, high); G];
        for q in 1..G {
            bulges[q] = self.shift(s, q, high);
        }
        // From `top` on some blocks have ended; up to `bottom` some have not begun. In between nothing is masked.
        let top = if common_high == high { high } else { (common_high - 1).max(low) };
        let bottom = (common_low + 1).min(top);
        let least = match keep {
            true => turn_stretches::<S, G, true>(s, self.form, to, &mut bulges, bottom, top),
            false => turn_stretches::<S, G, false>(s, self.form, to, &mut bulges, bottom, top),
        };
        for q in 0..G {
            self.form[low][q] = bulges[q].below;
            let end = self.blocks[q].end;
            let mut found = Found::<S> { gap: end, block: Block { start: end, ..self.blocks[q] } };
            found = self.look(s, q, found, top + 1..high);
            let unmasked = bottom + 1..(top + 1).min(high);
            if s.none(s.less_than_or_equal_f64s(least[q], s.all(SMALL))) && !unmasked.is_empty() {
                // All of it is one block, in every lane.
                let first = unmasked.start;
                let ([at, beside], [after, _]) = (self.form[first][q], self.form[first + 1][q]);
                let start = s.all(first as f64);
                found.block = Block { start, end: found.gap, at, beside, after, ..found.block };
            } else {
                found = self.look(s, q, found, unmasked);
            }
            found = self.look(s, q, found, low..(bottom + 1).min(high));
            self.go_on(s, q, groups[q], found.block);
        }
    }

    /// Looks on, from the end of `rows` up, for the first block with work in each lane's old one; it starts where the old one
    /// ends if there is none.
    #[inline(always)]
    fn look(&self, s: S, q: usize, found: Found<S>, rows: Range<usize>) -> Found<S> {
        let Found { mut gap, block: mut to } = found;
        if rows.is_empty() {
            return found;
        }
        let old = self.blocks[q];
        let mut below = self.form[rows.end][q][0];
        for i in rows.rev() {
            let ([at, beside], here) = (self.form[i][q], s.all(i as f64));
            let inside =
                s.and_m64s(s.less_than_or_equal_f64s(old.start, here), s.less_than_f64s(here, old.end));
            let size = s.plus(s.all(1.0), s.plus(s.magnitude(at), s.magnitude(below)));
            // Rounds as `find_blocks` does.
            let apart = s.less_than_or_equal_f64s(s.magnitude(beside), s.times(s.all(f64::EPSILON), size));
            gap = s.choose(s.and_m64s(inside, apart), here, gap);
            let joined = s.and_m64s(inside, s.not_m64s(apart));
            to.start = s.choose(joined, here, to.start);
            to.end = s.choose(joined, gap, to.end);
            to.at = s.choose(joined, at, to.at);
            to.beside = s.choose(joined, beside, to.beside);
            to.after = s.choose(joined, below, to.after);
            below = at;
        }
        Found { gap, block: to }
    }

    /// Goes on to the blocks that were found in the old ones, or to those behind.
    #[inline(always)]
    fn go_on(&mut self, s: S, q: usize, group: &mut Group<'_>, found: Block<S>) {
        let old = self.blocks[q];
        let open = s.less_than_f64s(old.start, old.end);
        let done = s.and_m64s(open, s.equal_f64s(found.start, old.end));
        let same = s.equal_f64s(found.start, old.start);
        let sweeps = s.choose(same, s.plus(old.sweeps, s.all(1.0)), s.all(0.0));
        self.blocks[q] = Block {
            start: s.choose(open, found.start, old.start),
            end: s.choose(open, found.end, old.end),
            sweeps,
            ..found
        };
        let tired = s.and_m64s(open, s.less_than_or_equal_f64s(s.all(SWEEPS), sweeps));
        if s.none(done) && s.none(tired) {
            return;
        }
        let flags = |mask| lanes::<S>(s.choose(mask, s.all(1.0), s.all(0.0)));
        let (done, tired, ends) = (flags(done), flags(tired), lanes::<S>(old.end));
        let last = self.form.len() - 1;
        let mut from = [None; MAX_LANES];
        for lane in 0..S::F64_LANES {
            if done[lane] > 0.0 {
                from[lane] = Some((index(ends[lane]) + 1).min(last));
            } else if tired[lane] > 0.0 {
                group.outcome[lane] = Err(Failure::NoConvergence);
                from[lane] = Some(last);
            }
        }
        self.find_blocks(q, from);
    }

    /// Wilkinson's shift of every lane: the eigenvalue of the leading 2 × 2 block that is nearer to its first entry.
    #[inline(always)]
    fn shift(&self, s: S, q: usize, high: usize) -> Bulge<S> {
        let Block { start, end, at, beside, after, .. } = self.blocks[q];
        let mut at_end = self.form[high][q][0];
        if !s.none(s.less_than_f64s(end, s.all(high as f64))) {
            let ends = lanes::<S>(end);
            let mut numbers = lanes::<S>(at_end);
            for lane in 0..S::F64_LANES {
                [numbers[lane], _] = self.entry(q, lane, index(ends[lane]));
            }
            at_end = register::<S>(numbers);
        }
        let one = s.all(1.0);
        let half = s.over(s.minus(after, at), s.plus(beside, beside));
        let root = s.root(s.fused(half, half, one));
        let correction = s.over(beside, s.plus(half, s.with_sign_of(root, half)));
        Bulge {
            g: s.plus(s.minus(at_end, at), correction),
            sine: one,
            cosine: one,
            shift: s.all(0.0),
            below: self.form[high][q],
            start,
            end,
        }
    }
}

/// The rotations of rows i and i + 1 of all groups, and what they leave.
struct Turned<S: Simd, const G: usize> {
    sine: [S::f64s; G],
    cosine: [S::f64s; G],
    /// e of row i + 1.
    radius: [S::f64s; G],
    /// d of row i + 1.
    diagonal: [S::f64s; G],
    shift: [S::f64s; G],
    g: [S::f64s; G],
}

/// The rotations of rows i and i + 1, of which `row` is row i of T. Operation by operation for all groups: their chains are then
/// beside each other in a window of the size that processors have.
#[inline(always)]
fn turn<S: Simd, const G: usize>(s: S, old: &[Bulge<S>; G], row: &Pairs<S, G>) -> Turned<S, G> {
    let (zero, one) = (s.all(0.0), s.all(1.0));
    let all = [zero; G];
    let (mut f, mut b, mut radius, mut inverse) = (all, all, all, all);
    for q in 0..G {
        let [_, beside] = row[q];
        f[q] = s.times(old[q].sine, beside);
        b[q] = s.times(old[q].cosine, beside);
        radius[q] = s.root(s.fused(old[q].g, old[q].g, s.times(f[q], f[q])));
    }
    let (mut before, mut change, mut twice) = (all, all, all);
    for q in 0..G {
        let [at, _] = row[q];
        before[q] = s.minus(old[q].below[0], old[q].shift);
        change[q] = s.minus(at, before[q]);
        twice[q] = s.plus(b[q], b[q]);
    }
    for q in 0..G {
        inverse[q] = s.over(one, radius[q]);
    }
    let (mut sine, mut cosine, mut diagonal, mut shift, mut g) = (all, all, all, all, all);
    for q in 0..G {
        let nothing = s.less_than_or_equal_f64s(radius[q], s.all(NOTHING));
        sine[q] = s.choose(nothing, zero, s.times(f[q], inverse[q]));
        cosine[q] = s.choose(nothing, one, s.times(old[q].g, inverse[q]));
        let r = s.fused(change[q], sine[q], s.times(twice[q], cosine[q]));
        shift[q] = s.times(sine[q], r);
        g[q] = s.fused(cosine[q], r, s.minus(zero, b[q]));
        diagonal[q] = s.plus(before[q], shift[q]);
    }
    Turned { sine, cosine, radius, diagonal, shift, g }
}

/// The rotations of a sweep: lanes have all begun from `bottom` on, and none has ended up to `top`. Returns the least e in
/// between.
#[inline(always)]
fn turn_stretches<S: Simd, const G: usize, const KEEP: bool>(
    s: S,
    form: &mut [Pairs<S, G>],
    Sweep { turns, low, high, .. }: &mut Sweep<'_, S, G>,
    bulges: &mut [Bulge<S>; G],
    bottom: usize,
    top: usize,
) -> [S::f64s; G] {
    let (low, high) = (*low, *high);
    let rows = &mut form[top..=high];
    turn_rows::<S, G, KEEP, { within::SOME }>(s, rows, &mut turns[top..high], bulges, top);
    let rows = &mut form[bottom..=top];
    let least = turn_rows::<S, G, KEEP, { within::ALL }>(s, rows, &mut turns[bottom..top], bulges, bottom);
    let rows = &mut form[low..=bottom];
    turn_rows::<S, G, KEEP, { within::BEGUN }>(s, rows, &mut turns[low..bottom], bulges, low);
    if top == high {
        // All blocks end here, and the last entry of a block is zero once it has been swept.
        for q in 0..G {
            form[high][q][1] = s.all(0.0);
        }
    }
    least
}

/// Which lanes of a stretch of rows are in their blocks.
mod within {
    /// All of them, all the way.
    pub(super) const ALL: u8 = 0;
    /// Those that have begun; none ends.
    pub(super) const BEGUN: u8 = 1;
    /// Those that have begun and not ended.
    pub(super) const SOME: u8 = 2;
}

/// The rotations of all but the first of the rows, from the last up; `first` is the number of the first row. Lanes are `WITHIN` their
/// blocks as said there; in others, T stays as it is and the rotation is the identity. With `KEEP`, rotations go to `turns`.
/// Returns the least e of the rows that are done, if all lanes are within.
#[inline(always)]
fn turn_rows<S: Simd, const G: usize, const KEEP: bool, const WITHIN: u8>(
    s: S,
    form: &mut [Pairs<S, G>],
    turns: &mut [Pairs<S, G>],
    bulges: &mut [Bulge<S>; G],
    first: usize,
) -> [S::f64s; G] {
    let (zero, one) = (s.all(0.0), s.all(1.0));
    let mut least = [s.all(f64::INFINITY); G];
    let mut own = *bulges;
    for i in (0..turns.len()).rev() {
        let row = form[i];
        let mut below = form[i + 1];
        let mut kept = turns[i];
        let (here, next) = (s.all((first + i) as f64), s.all((first + i + 1) as f64));
        let turned = turn(s, &own, &row);
        for q in 0..G {
            let [at, beside] = row[q];
            let old = own[q];
            let (sine, cosine, radius) = (turned.sine[q], turned.cosine[q], turned.radius[q]);
            let (diagonal, shift, g) = (turned.diagonal[q], turned.shift[q], turned.g[q]);
            own[q] = Bulge { g, sine, cosine, shift, below: [at, beside], ..old };
            if WITHIN == within::ALL {
                below[q] = [diagonal, radius];
                kept[q] = [sine, cosine];
                least[q] = s.choose(s.less_than_f64s(radius, least[q]), radius, least[q]);
                continue;
            }
            let mut active = s.less_than_or_equal_f64s(old.start, here);
            let last = s.equal_f64s(old.start, here);
            let mut radius = radius;
            if WITHIN == within::SOME {
                active = s.and_m64s(active, s.less_than_f64s(here, old.end));
                // The last entry of a block is zero once it has been swept.
                radius = s.choose(s.less_than_f64s(next, old.end), radius, zero);
                own[q].g = s.choose(active, g, old.g);
                own[q].shift = s.choose(active, shift, old.shift);
            }
            below[q] = [s.choose(active, diagonal, old.below[0]), s.choose(active, radius, old.below[1])];
            kept[q] = [s.choose(active, sine, zero), s.choose(active, cosine, one)];
            // A lane that has got to its start goes on with numbers that are never looked at: the identity, lest they become
            // subnormal, which is slow.
            [own[q].sine, own[q].cosine] = match WITHIN {
                within::SOME => [s.choose(active, sine, old.sine), s.choose(active, cosine, old.cosine)],
                _ => kept[q],
            };
            own[q].below = [s.choose(last, s.minus(at, shift), at), s.choose(last, g, beside)];
        }
        form[i + 1] = below;
        if KEEP {
            turns[i] = kept;
        }
    }
    *bulges = own;
    least
}

/// The index that a sweep kept as a number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, made of one")]
fn index(x: f64) -> usize {
    x as usize
}

/// Applies the rotations of two sweeps over the same rows to the right-hand sides of a group, the first and then the second.
#[inline(always)]
fn rotate<S: Simd, const G: usize>(
    s: S,
    rows: &mut [S::f64s],
    width: usize,
    one: &Sweep<'_, S, G>,
    two: &Sweep<'_, S, G>,
    q: usize,
) {
    let (low, high) = (one.lows[q].min(two.lows[q]), one.high);
    if low >= high {
        return;
    }
    let rows = &mut rows[low * width..(high + 1) * width];
    let turns = (&one.turns[low..high], &two.turns[low..high]);
    let most = if S::REGISTER_COUNT > 16 { 5 } else { 3 };
    let mut first = 0;
    while first + most <= width {
        match most {
            5 => rotate_columns::<S, G, 5>(s, rows, width, turns, q, first),
            _ => rotate_columns::<S, G, 3>(s, rows, width, turns, q, first),
        }
        first += most;
    }
    match width - first {
        1 => rotate_columns::<S, G, 1>(s, rows, width, turns, q, first),
        2 => rotate_columns::<S, G, 2>(s, rows, width, turns, q, first),
        3 => rotate_columns::<S, G, 3>(s, rows, width, turns, q, first),
        4 => rotate_columns::<S, G, 4>(s, rows, width, turns, q, first),
        _ => {}
    }
}

/// The same for columns `first..first + C`; what is carried from row to row stays in registers. The identity may change the
/// sign of a zero, which no square shows.
#[inline(always)]
fn rotate_columns<S: Simd, const G: usize, const C: usize>(
    s: S,
    rows: &mut [S::f64s],
    width: usize,
    (one, two): (&[Pairs<S, G>], &[Pairs<S, G>]),
    q: usize,
    first: usize,
) {
    let count = one.len();
    let two = &two[..count];
    if count == 0 {
        return;
    }
    let at = |row: usize| row * width + first;
    // Row i + 1 of the first sweep's result and row i + 1 on its way, beside what the second carries.
    let mut carried = [s.all(0.0); C];
    carried.copy_from_slice(&rows[at(count)..][..C]);
    let mut after = [s.all(0.0); C];
    let [sine, cosine] = one[count - 1][q];
    let from = &rows[at(count - 1)..][..C];
    for c in 0..C {
        let (x, y) = (from[c], carried[c]);
        after[c] = s.fused(sine, x, s.times(cosine, y));
        carried[c] = s.less(s.times(cosine, x), sine, y);
    }
    for i in (0..count - 1).rev() {
        let ([sine, cosine], [sine_two, cosine_two]) = (one[i][q], two[i + 1][q]);
        let (above, below) = rows.split_at_mut((i + 2) * width);
        let (from, to) = (&above[at(i)..][..C], &mut below[first..][..C]);
        for c in 0..C {
            let (x, y) = (from[c], carried[c]);
            let z = s.fused(sine, x, s.times(cosine, y));
            carried[c] = s.less(s.times(cosine, x), sine, y);
            to[c] = s.fused(sine_two, z, s.times(cosine_two, after[c]));
            after[c] = s.less(s.times(cosine_two, z), sine_two, after[c]);
        }
    }
    let [sine, cosine] = two[0][q];
    let (above, below) = rows.split_at_mut(width);
    let (top, next) = (&mut above[first..][..C], &mut below[first..][..C]);
    for c in 0..C {
        let z = carried[c];
        next[c] = s.fused(sine, z, s.times(cosine, after[c]));
        top[c] = s.less(s.times(cosine, z), sine, after[c]);
    }
}
