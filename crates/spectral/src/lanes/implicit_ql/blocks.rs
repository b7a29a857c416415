//! Where T has come apart: the blocks of every lane, from sweep to sweep.

use std::ops::Range;

use pulp::Simd;

use super::rotations::{Bulge, turn_stretches};
use super::{Group, Pairs, Sweep};
use crate::Failure;
use crate::lanes::MAX_LANES;
use crate::lanes::arithmetic::{Arithmetic, lanes, register};

/// QL sweeps allowed for one eigenvalue. LAPACK's `dsteqr` allows 30; published counts never exceed
/// a handful.
const SWEEPS: f64 = 50.0;

/// Up to this an off-diagonal entry may count as zero: ε·(1 + |d| + |d′|), and no eigenvalue of T
/// is beyond 3.
const SMALL: f64 = 8.0 * f64::EPSILON;

/// The block of each lane, rows `start..=end` as numbers. A lane without work begins and ends at
/// the last row.
#[derive(Clone, Copy)]
pub(super) struct Block<S: Simd> {
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
    pub(super) fn none(s: S) -> Self {
        let zero = s.all(0.0);
        Self { start: zero, end: zero, sweeps: zero, at: zero, beside: zero, after: zero }
    }
}

/// T of all groups, a row after the other.
pub(super) struct State<'a, S: Simd, const G: usize> {
    pub(super) form: &'a mut [Pairs<S, G>],
    pub(super) blocks: [Block<S>; G],
}

/// Rows of a sweep, see [`State::reach`].
struct Reach<const G: usize> {
    low: usize,
    high: usize,
    common_low: usize,
    common_high: usize,
    lows: [usize; G],
}

/// What was found of the first block with work in each lane's old one, and where T has come apart
/// last.
#[derive(Clone, Copy)]
struct Found<S: Simd> {
    gap: S::f64s,
    block: Block<S>,
}

impl<S: Simd, const G: usize> State<'_, S, G> {
    #[inline(always)]
    pub(super) fn unfinished(&self, s: S) -> bool {
        for block in &self.blocks {
            if !s.none(s.less_than_f64s(block.start, block.end)) {
                return true;
            }
        }
        false
    }

    /// Takes T of a group, scaled to unit largest entry, and finds its first blocks; lanes that are
    /// not finite are out. Returns the scale.
    #[inline(always)]
    pub(super) fn begin(&mut self, s: S, group: &mut Group<'_>, q: usize) -> S::f64s {
        let (diagonal, _) = S::as_simd_f64s(group.diagonal);
        let (off_diagonal, _) = S::as_simd_f64s(group.off_diagonal);
        let zero = s.all(0.0);
        let last = self.form.len() - 1;
        let (mut largest, mut not_finite) = (zero, zero);
        for (i, row) in self.form.iter_mut().enumerate() {
            let (d, e) = (diagonal[i], if i < last { off_diagonal[i] } else { zero });
            largest = s.largest(s.largest(largest, d), e);
            // Zero, or NaN from the first infinity or NaN on.
            not_finite = s.mul_add(d, zero, s.mul_add(e, zero, not_finite));
            row[q] = [d, e];
        }
        let scale = s.choose(s.greater_than_f64s(largest, zero), largest, s.all(1.0));
        for row in self.form.iter_mut() {
            row[q] = [s.div(row[q][0], scale), s.div(row[q][1], scale)];
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

    /// Finds the first block that needs work from a row on, in the lanes that have one to begin
    /// from.
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

    /// First and last row of all lanes with work, and where each group begins; the last row in
    /// which a lane begins and the first in which one with work ends.
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
    pub(super) fn sweep(
        &mut self,
        s: S,
        groups: &mut [&mut Group<'_>; G],
        to: &mut Sweep<'_, S, G>,
        keep: bool,
    ) {
        let Reach { low, high, common_low, common_high, lows } = self.reach(s);
        (to.low, to.high, to.lows) = (low, high, lows);
        // Not by a closure: what is not inlined has no vector instructions.
        let mut bulges = [self.shift(s, 0, high); G];
        for q in 1..G {
            bulges[q] = self.shift(s, q, high);
        }
        // From `top` on some blocks have ended; up to `bottom` some have not begun. In between
        // nothing is masked.
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

    /// Looks on, from the end of `rows` up, for the first block with work in each lane's old one;
    /// it starts where the old one ends if there is none.
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
            let size = s.add(s.all(1.0), s.add(s.abs(at), s.abs(below)));
            // Rounds as `find_blocks` does.
            let apart = s.less_than_or_equal_f64s(s.abs(beside), s.mul(s.all(f64::EPSILON), size));
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
        let sweeps = s.choose(same, s.add(old.sweeps, s.all(1.0)), s.all(0.0));
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

    /// Wilkinson's shift of every lane: the eigenvalue of the leading 2 × 2 block that is nearer to
    /// its first entry.
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
        let half = s.div(s.sub(after, at), s.add(beside, beside));
        let root = s.sqrt(s.mul_add(half, half, one));
        let correction = s.div(beside, s.add(half, s.with_sign_of(root, half)));
        Bulge {
            g: s.add(s.sub(at_end, at), correction),
            sine: one,
            cosine: one,
            shift: s.all(0.0),
            below: self.form[high][q],
            start,
            end,
        }
    }
}

/// The index that a sweep kept as a number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, made of one")]
fn index(x: f64) -> usize {
    x as usize
}
