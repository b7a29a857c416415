//! The rotations of two sweeps applied to the right-hand sides.

use pulp::Simd;

use super::{Pairs, Sweep};
use crate::lanes::arithmetic::Arithmetic;
use crate::lanes::tiles::load;

/// Applies the rotations of two sweeps over the same rows to the right-hand sides of a group, the
/// first and then the second.
#[inline(always)]
pub(super) fn rotate<S: Simd, const G: usize>(
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

/// The same for columns `first..first + C`; what is carried from row to row stays in registers. The
/// identity may change the sign of a zero, which no square shows.
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
    // Row i + 1 of the first sweep's result and row i + 1 on its way, beside what the second
    // carries.
    let mut carried = load::<S, C>(&rows[at(count)..]);
    let mut after = [s.all(0.0); C];
    let [sine, cosine] = one[count - 1][q];
    let from = &rows[at(count - 1)..][..C];
    for c in 0..C {
        let (x, y) = (from[c], carried[c]);
        after[c] = s.mul_add(sine, x, s.mul(cosine, y));
        carried[c] = s.sub_mul(s.mul(cosine, x), sine, y);
    }
    for i in (0..count - 1).rev() {
        let ([sine, cosine], [sine_two, cosine_two]) = (one[i][q], two[i + 1][q]);
        let (above, below) = rows.split_at_mut((i + 2) * width);
        let (from, to) = (&above[at(i)..][..C], &mut below[first..][..C]);
        for c in 0..C {
            let (x, y) = (from[c], carried[c]);
            let z = s.mul_add(sine, x, s.mul(cosine, y));
            carried[c] = s.sub_mul(s.mul(cosine, x), sine, y);
            to[c] = s.mul_add(sine_two, z, s.mul(cosine_two, after[c]));
            after[c] = s.sub_mul(s.mul(cosine_two, z), sine_two, after[c]);
        }
    }
    let [sine, cosine] = two[0][q];
    let (above, below) = rows.split_at_mut(width);
    let (top, next) = (&mut above[first..][..C], &mut below[first..][..C]);
    for c in 0..C {
        let z = carried[c];
        next[c] = s.mul_add(sine, z, s.mul(cosine, after[c]));
        top[c] = s.sub_mul(s.mul(cosine, z), sine, after[c]);
    }
}
