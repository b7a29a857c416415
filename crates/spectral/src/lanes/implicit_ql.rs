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
//! of the same problem can shorten: lanes share it, and the chains of `G` groups run beside each other. The rotations are kept
//! and applied to the right-hand sides when the sweep is done, with no chain to wait for and one load and one store a
//! number; another pass finds where the block has fallen apart. Each lane has its own `start` and `end`, and outside of
//! them the identity: it does what it would do alone.
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

use pulp::{Simd, WithSimd};

use super::MAX_LANES;
use super::arithmetic::{Arithmetic, lanes, register};
use crate::Failure;

/// QL sweeps allowed for one eigenvalue. LAPACK's `dsteqr` allows 30; published counts never exceed a handful.
const SWEEPS: u32 = 50;

/// Below this `√(f² + g²)` is of nothing with nothing, and squares lose their digits: 2⁻⁵⁰⁰, nothing beside the unit norm of T and
/// far above the root of the smallest normal number. The rotation is then the identity, as LAPACK's `dlartg` has it for f = 0.
const NOTHING: f64 = f64::from_bits((1023 - 500) << 52);

/// One group: T (`diagonal`, `off_diagonal`: d entries each, the last off-diagonal one unused) becomes its eigenvalues,
/// unordered, and nothing; row i of `rows` (d rows of ℓ) becomes the projections on the i-th eigenvector.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) diagonal: &'a mut [f64],
    pub(crate) off_diagonal: &'a mut [f64],
    pub(crate) rows: &'a mut [f64],
    /// Sines and cosines of a sweep (2d).
    pub(crate) rotations: &'a mut [f64],
    /// What became of each lane.
    pub(crate) outcome: [Result<(), Failure>; MAX_LANES],
}

/// Diagonalizes T of every lane of G groups.
pub(crate) struct ImplicitQl<'a, 'b, const G: usize> {
    pub(crate) size: usize,
    pub(crate) width: usize,
    pub(crate) groups: [&'a mut Group<'b>; G],
}

impl<const G: usize> WithSimd for ImplicitQl<'_, '_, G> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, width, groups } = self;
        if size == 0 {
            return;
        }
        let mut states = groups.map(|group| {
            let (diagonal, _) = S::as_mut_simd_f64s(group.diagonal);
            let (off_diagonal, _) = S::as_mut_simd_f64s(group.off_diagonal);
            let (rows, _) = S::as_mut_simd_f64s(group.rows);
            let (rotations, _) = S::as_mut_simd_f64s(group.rotations);
            let (sines, cosines) = rotations.split_at_mut(size);
            State {
                diagonal,
                off_diagonal,
                rows,
                sines,
                cosines: &mut cosines[..size],
                blocks: Blocks::default(),
                scale: s.all(1.0),
                outcome: &mut group.outcome,
            }
        });
        for state in &mut states {
            begin(s, size, state);
        }
        while states.iter().any(|state| state.blocks.unfinished::<S>()) {
            sweep(s, size, width, &mut states);
        }
        for state in &mut states {
            for x in state.diagonal.iter_mut() {
                *x = s.times(*x, state.scale);
            }
        }
    }
}

/// Where each lane stands. A lane without work has `start == end`.
#[derive(Clone, Copy, Debug, Default)]
struct Blocks {
    start: [usize; MAX_LANES],
    end: [usize; MAX_LANES],
    sweeps: [u32; MAX_LANES],
}

impl Blocks {
    fn unfinished<S: Simd>(&self) -> bool {
        (0..S::F64_LANES).any(|lane| self.start[lane] < self.end[lane])
    }
}

struct State<'a, S: Simd> {
    diagonal: &'a mut [S::f64s],
    off_diagonal: &'a mut [S::f64s],
    rows: &'a mut [S::f64s],
    sines: &'a mut [S::f64s],
    cosines: &'a mut [S::f64s],
    blocks: Blocks,
    scale: S::f64s,
    outcome: &'a mut [Result<(), Failure>; MAX_LANES],
}

/// Scales T to unit largest entry and finds the first blocks; lanes that are not finite are out.
#[inline(always)]
fn begin<S: Simd>(s: S, size: usize, state: &mut State<'_, S>) {
    let zero = s.all(0.0);
    state.off_diagonal[size - 1] = zero;
    let (mut largest, mut not_finite) = (zero, zero);
    for (d, e) in state.diagonal.iter().zip(state.off_diagonal.iter()) {
        largest = s.largest(s.largest(largest, *d), *e);
        // Zero, or NaN from the first infinity or NaN on.
        not_finite = s.fused(*d, zero, s.fused(*e, zero, not_finite));
    }
    let flags = lanes::<S>(not_finite);
    state.scale = s.choose(s.greater_than_f64s(largest, zero), largest, s.all(1.0));
    for (d, e) in state.diagonal.iter_mut().zip(state.off_diagonal.iter_mut()) {
        *d = s.over(*d, state.scale);
        *e = s.over(*e, state.scale);
    }
    for lane in 0..S::F64_LANES {
        if flags[lane].is_nan() {
            state.outcome[lane] = Err(Failure::NotFinite);
        }
        let from = if state.outcome[lane].is_ok() { 0 } else { size };
        find_block::<S>(size, state, lane, from);
    }
}

/// Finds the first block of a lane from index `from` on that needs work.
fn find_block<S: Simd>(size: usize, state: &mut State<'_, S>, lane: usize, from: usize) {
    let diagonal = pulp::bytemuck::cast_slice::<S::f64s, f64>(state.diagonal);
    let off_diagonal = pulp::bytemuck::cast_slice::<S::f64s, f64>(state.off_diagonal);
    let at = |i: usize| i * S::F64_LANES + lane;
    // Rounds as `note` does.
    let negligible = |i: usize| {
        off_diagonal[at(i)].abs()
            <= f64::EPSILON * (1.0 + (diagonal[at(i)].abs() + diagonal[at(i + 1)].abs()))
    };
    let last = size - 1;
    let start = (from..last).find(|&i| !negligible(i)).unwrap_or(last);
    let end = (start..last).find(|&i| negligible(i)).unwrap_or(last);
    (state.blocks.start[lane], state.blocks.end[lane], state.blocks.sweeps[lane]) = (start, end, 0);
}

/// The running quantities of a sweep.
#[derive(Clone, Copy)]
struct Bulge<S: Simd> {
    g: S::f64s,
    sine: S::f64s,
    cosine: S::f64s,
    shift: S::f64s,
    /// Entries i + 1 of T while rotation i is made: what they are until then.
    diagonal: S::f64s,
    off_diagonal: S::f64s,
    start: S::f64s,
    end: S::f64s,
}

impl<S: Simd> Bulge<S> {
    #[inline(always)]
    fn none(s: S) -> Self {
        let zero = s.all(0.0);
        Self {
            g: zero,
            sine: zero,
            cosine: zero,
            shift: zero,
            diagonal: zero,
            off_diagonal: zero,
            start: zero,
            end: zero,
        }
    }
}

/// One sweep of every lane over its block.
#[inline(always)]
fn sweep<S: Simd, const G: usize>(s: S, size: usize, width: usize, states: &mut [State<'_, S>; G]) {
    // Lanes in work span low..=high.
    let (mut low, mut high, mut common_low, mut common_high) = (usize::MAX, 0, 0, usize::MAX);
    for state in states.iter() {
        for lane in 0..S::F64_LANES {
            let (start, end) = (state.blocks.start[lane], state.blocks.end[lane]);
            if start < end {
                (low, high) = (low.min(start), high.max(end));
                (common_low, common_high) = (common_low.max(start), common_high.min(end));
            } else {
                common_high = 0;
            }
        }
    }
    let mut bulges = [Bulge::<S>::none(s); G];
    for g in 0..G {
        bulges[g] = shift(s, &states[g], high);
    }
    // The stretch on which every lane of every group is inside its block needs no mask.
    let top = (common_high.saturating_sub(1)).max(low);
    let bottom = (common_low + 1).clamp(low, top);
    for i in (top..high).rev() {
        for g in 0..G {
            step::<S, true>(s, &mut states[g], &mut bulges[g], i);
        }
    }
    for i in (bottom..top).rev() {
        for g in 0..G {
            step::<S, false>(s, &mut states[g], &mut bulges[g], i);
        }
    }
    for i in (low..bottom).rev() {
        for g in 0..G {
            step::<S, true>(s, &mut states[g], &mut bulges[g], i);
        }
    }
    for (state, bulge) in states.iter_mut().zip(&bulges) {
        state.diagonal[low] = bulge.diagonal;
        state.off_diagonal[low] = bulge.off_diagonal;
        rotate(s, state, width, low, high);
        let (starts, ends) = next_blocks(s, state, bulge, low, high);
        for lane in 0..S::F64_LANES {
            let (start, end, sweeps) =
                (state.blocks.start[lane], state.blocks.end[lane], state.blocks.sweeps[lane] + 1);
            if start >= end {
                continue;
            }
            let (next_start, next_end) = (index(starts[lane]), index(ends[lane]));
            if next_start == end {
                find_block::<S>(size, state, lane, (end + 1).min(size - 1));
            } else {
                let sweeps = if next_start == start { sweeps } else { 0 };
                let blocks = &mut state.blocks;
                (blocks.start[lane], blocks.end[lane], blocks.sweeps[lane]) = (next_start, next_end, sweeps);
                if sweeps == SWEEPS {
                    state.outcome[lane] = Err(Failure::NoConvergence);
                    blocks.start[lane] = blocks.end[lane];
                }
            }
        }
    }
}

/// Where the first block with work begins and ends in each lane's old block; the old end where none is left.
#[inline(always)]
fn next_blocks<S: Simd>(
    s: S,
    state: &State<'_, S>,
    bulge: &Bulge<S>,
    low: usize,
    high: usize,
) -> ([f64; MAX_LANES], [f64; MAX_LANES]) {
    let (mut gap, mut start, mut end) = (bulge.end, bulge.end, bulge.end);
    let mut below = state.diagonal[high];
    for i in (low..high).rev() {
        let (at, here) = (state.diagonal[i], s.all(i as f64));
        let inside =
            s.and_m64s(s.less_than_or_equal_f64s(bulge.start, here), s.less_than_f64s(here, bulge.end));
        let size = s.plus(s.all(1.0), s.plus(s.magnitude(at), s.magnitude(below)));
        // Rounds as `find_block` does.
        let apart =
            s.less_than_or_equal_f64s(s.magnitude(state.off_diagonal[i]), s.times(s.all(f64::EPSILON), size));
        gap = s.choose(s.and_m64s(inside, apart), here, gap);
        let joined = s.and_m64s(inside, s.not_m64s(apart));
        start = s.choose(joined, here, start);
        end = s.choose(joined, gap, end);
        below = at;
    }
    (lanes::<S>(start), lanes::<S>(end))
}

/// The index that a sweep kept as a number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, made of one")]
fn index(x: f64) -> usize {
    x as usize
}

/// Wilkinson's shift of every lane: the eigenvalue of the leading 2 × 2 block that is nearer to its first entry.
#[inline(always)]
fn shift<S: Simd>(s: S, state: &State<'_, S>, high: usize) -> Bulge<S> {
    let mut at_start = [0.0; MAX_LANES];
    let (mut after, mut beside, mut at_end, mut start, mut end) =
        (at_start, at_start, at_start, at_start, at_start);
    let diagonal = pulp::bytemuck::cast_slice::<S::f64s, f64>(state.diagonal);
    let off_diagonal = pulp::bytemuck::cast_slice::<S::f64s, f64>(state.off_diagonal);
    for lane in 0..S::F64_LANES {
        let (from, to) = (state.blocks.start[lane], state.blocks.end[lane]);
        let at = |i: usize| i * S::F64_LANES + lane;
        if from < to {
            (at_start[lane], after[lane]) = (diagonal[at(from)], diagonal[at(from + 1)]);
            (beside[lane], at_end[lane]) = (off_diagonal[at(from)], diagonal[at(to)]);
        }
        (start[lane], end[lane]) = (from as f64, to as f64);
    }
    let (zero, one) = (s.all(0.0), s.all(1.0));
    let (at_start, after) = (register::<S>(at_start), register::<S>(after));
    let (beside, at_end) = (register::<S>(beside), register::<S>(at_end));
    let half = s.over(s.minus(after, at_start), s.plus(beside, beside));
    let root = s.root(s.fused(half, half, one));
    let correction = s.over(beside, s.plus(half, s.with_sign_of(root, half)));
    let (start, end) = (register::<S>(start), register::<S>(end));
    Bulge {
        g: s.plus(s.minus(at_end, at_start), correction),
        sine: one,
        cosine: one,
        shift: zero,
        diagonal: state.diagonal[high],
        off_diagonal: state.off_diagonal[high],
        start,
        end,
    }
}

/// The rotation of rows i and i + 1 of each lane that moves the bulge up; the identity in lanes that are outside their blocks,
/// unless all are known to be inside (not `MASKED`).
#[inline(always)]
fn step<S: Simd, const MASKED: bool>(s: S, state: &mut State<'_, S>, bulge: &mut Bulge<S>, i: usize) {
    let (zero, one) = (s.all(0.0), s.all(1.0));
    let old = *bulge;
    let (at, beside) = (state.diagonal[i], state.off_diagonal[i]);
    let f = s.times(old.sine, beside);
    let b = s.times(old.cosine, beside);
    let radius = s.root(s.fused(old.g, old.g, s.times(f, f)));
    let inverse = s.over(one, radius);
    let nothing = s.less_than_or_equal_f64s(radius, s.all(NOTHING));
    let sine = s.choose(nothing, zero, s.times(f, inverse));
    let cosine = s.choose(nothing, one, s.times(old.g, inverse));
    let g = s.minus(old.diagonal, old.shift);
    let r = s.fused(s.minus(at, g), sine, s.times(s.plus(b, b), cosine));
    let shift = s.times(sine, r);
    let g_next = s.fused(cosine, r, s.minus(zero, b));
    if !MASKED {
        state.diagonal[i + 1] = s.plus(g, shift);
        state.off_diagonal[i + 1] = radius;
        state.sines[i] = sine;
        state.cosines[i] = cosine;
        *bulge = Bulge { g: g_next, sine, cosine, shift, diagonal: at, off_diagonal: beside, ..old };
        return;
    }
    let here = s.all(i as f64);
    let active = s.and_m64s(s.less_than_or_equal_f64s(old.start, here), s.less_than_f64s(here, old.end));
    let inside = s.less_than_f64s(s.all((i + 1) as f64), old.end);
    let last = s.and_m64s(active, s.equal_f64s(old.start, here));
    state.diagonal[i + 1] = s.choose(active, s.plus(g, shift), old.diagonal);
    // The last entry of a block is zero once it has been swept.
    state.off_diagonal[i + 1] = s.choose(active, s.choose(inside, radius, zero), old.off_diagonal);
    state.sines[i] = s.choose(active, sine, zero);
    state.cosines[i] = s.choose(active, cosine, one);
    *bulge = Bulge {
        g: s.choose(active, g_next, old.g),
        sine: s.choose(active, sine, old.sine),
        cosine: s.choose(active, cosine, old.cosine),
        shift: s.choose(active, shift, old.shift),
        diagonal: s.choose(last, s.minus(at, shift), at),
        off_diagonal: s.choose(last, g_next, beside),
        ..old
    };
}

/// Columns that are rotated together: what is carried from row to row of them stays in registers.
const COLUMNS: usize = 5;

/// Applies the rotations of a sweep to the right-hand sides.
#[inline(always)]
fn rotate<S: Simd>(s: S, state: &mut State<'_, S>, width: usize, low: usize, high: usize) {
    let mut first = 0;
    while first + COLUMNS <= width {
        rotate_columns::<S, COLUMNS>(s, state, width, low, high, first);
        first += COLUMNS;
    }
    while first < width {
        rotate_columns::<S, 1>(s, state, width, low, high, first);
        first += 1;
    }
}

/// The same for columns `first..first + C`. The identity may change the sign of a zero, which no square shows.
#[inline(always)]
fn rotate_columns<S: Simd, const C: usize>(
    s: S,
    state: &mut State<'_, S>,
    width: usize,
    low: usize,
    high: usize,
    first: usize,
) {
    let mut below = [s.all(0.0); C];
    below.copy_from_slice(&state.rows[high * width + first..][..C]);
    let rows = state.rows[low * width..(high + 1) * width].chunks_exact_mut(width).rev();
    let turns = state.sines[low..high].iter().zip(&state.cosines[low..high]).rev();
    let mut rows = rows;
    let mut lower = rows.next();
    for ((sine, cosine), upper) in turns.zip(rows) {
        if let Some(lower) = lower.take() {
            let (to, from) = (&mut lower[first..][..C], &upper[first..][..C]);
            for c in 0..C {
                let (x, y) = (from[c], below[c]);
                to[c] = s.fused(*sine, x, s.times(*cosine, y));
                below[c] = s.less(s.times(*cosine, x), *sine, y);
            }
        }
        lower = Some(upper);
    }
    if let Some(lower) = lower {
        lower[first..][..C].copy_from_slice(&below);
    }
}
