//! The rotations of a sweep: a chain of square root and division from row to row, in every lane of
//! every group.

use pulp::Simd;

use super::{Pairs, Sweep};
use crate::lanes::arithmetic::Arithmetic;

/// Below this `√(f² + g²)` is of nothing with nothing, and squares lose their digits: 2⁻⁵⁰⁰,
/// nothing beside the unit norm of T and far above the root of the smallest normal number. The
/// rotation is then the identity, as LAPACK's `dlartg` has it for f = 0.
const NOTHING: f64 = f64::from_bits((1023 - 500) << 52);

/// What a sweep carries from row to row, and where its lanes begin and end.
#[derive(Clone, Copy)]
pub(super) struct Bulge<S: Simd> {
    pub(super) g: S::f64s,
    pub(super) sine: S::f64s,
    pub(super) cosine: S::f64s,
    pub(super) shift: S::f64s,
    /// Entries i + 1 of T while rotation i is made: what they are until then.
    pub(super) below: [S::f64s; 2],
    pub(super) start: S::f64s,
    pub(super) end: S::f64s,
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

/// The rotations of rows i and i + 1, of which `row` is row i of T. Operation by operation for all
/// groups: their chains are then beside each other in a window of the size that processors have.
#[inline(always)]
fn turn<S: Simd, const G: usize>(s: S, old: &[Bulge<S>; G], row: &Pairs<S, G>) -> Turned<S, G> {
    let (zero, one) = (s.all(0.0), s.all(1.0));
    let all = [zero; G];
    let (mut f, mut b, mut radius, mut inverse) = (all, all, all, all);
    for q in 0..G {
        let [_, beside] = row[q];
        f[q] = s.mul(old[q].sine, beside);
        b[q] = s.mul(old[q].cosine, beside);
        radius[q] = s.sqrt(s.mul_add(old[q].g, old[q].g, s.mul(f[q], f[q])));
    }
    let (mut before, mut change, mut twice) = (all, all, all);
    for q in 0..G {
        let [at, _] = row[q];
        before[q] = s.sub(old[q].below[0], old[q].shift);
        change[q] = s.sub(at, before[q]);
        twice[q] = s.add(b[q], b[q]);
    }
    for q in 0..G {
        inverse[q] = s.div(one, radius[q]);
    }
    let (mut sine, mut cosine, mut diagonal, mut shift, mut g) = (all, all, all, all, all);
    for q in 0..G {
        let nothing = s.less_than_or_equal_f64s(radius[q], s.all(NOTHING));
        sine[q] = s.choose(nothing, zero, s.mul(f[q], inverse[q]));
        cosine[q] = s.choose(nothing, one, s.mul(old[q].g, inverse[q]));
        let r = s.mul_add(change[q], sine[q], s.mul(twice[q], cosine[q]));
        shift[q] = s.mul(sine[q], r);
        g[q] = s.mul_add(cosine[q], r, s.sub(zero, b[q]));
        diagonal[q] = s.add(before[q], shift[q]);
    }
    Turned { sine, cosine, radius, diagonal, shift, g }
}

/// The rotations of a sweep: lanes have all begun from `bottom` on, and none has ended up to `top`.
/// Returns the least e in between.
#[inline(always)]
pub(super) fn turn_stretches<S: Simd, const G: usize, const KEEP: bool>(
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

/// The rotations of all but the first of the rows, from the last up; `first` is the number of the
/// first row. Lanes are `WITHIN` their blocks as said there; in others, T stays as it is and the
/// rotation is the identity. With `KEEP`, rotations go to `turns`. Returns the least e of the rows
/// that are done, if all lanes are within.
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
            // A lane that has got to its start goes on with numbers that are never looked at: the
            // identity, lest they become subnormal, which is slow.
            [own[q].sine, own[q].cosine] = match WITHIN {
                within::SOME => [s.choose(active, sine, old.sine), s.choose(active, cosine, old.cosine)],
                _ => kept[q],
            };
            own[q].below = [s.choose(last, s.sub(at, shift), at), s.choose(last, g, beside)];
        }
        form[i + 1] = below;
        if KEEP {
            turns[i] = kept;
        }
    }
    *bulges = own;
    least
}
