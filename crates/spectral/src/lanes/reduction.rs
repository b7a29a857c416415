//! Householder reduction `A = H T Hᵀ` of a group of problems to tridiagonal form, a problem a lane.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A | `packed` | d(d+1)/2 | lower triangle, column after column; afterwards column j holds d_j and v_j |
//! | T | `diagonal`, `off_diagonal` | d | the last off-diagonal entry is 0 |
//! | τ | `tau` | d | `H = H₀ H₁ …`, `H_j = I − τ_j v_j v_jᵀ`, v_j = (1, …) on rows j + 1, …, d − 1 |
//!
//! With x = A(j+1:, j): `β = −sign(x₀) ‖x‖`, `v = (x − β e₀)/(x₀ − β)`, `τ = (β − x₀)/β`; then, on
//! the trailing matrix, `A ← A − v wᵀ − w vᵀ` with `y = A v`, `w = τ y − ½ τ² (yᵀv) v`.
//!
//! # One pass over the matrix a column
//!
//! The update with (v, w) waits until the next v is known, which takes the first column of the
//! updated matrix only. Then one pass updates each element, stores it, and uses it twice in the
//! next product y: 4 fused multiply-adds for one load and one store of the matrix, half of the
//! traffic of update and product apart. [`pass`] takes `C` columns at once, so that the four
//! vectors of the rows are loaded once for C elements. C does not change the order in which
//! anything is summed, so it may differ between instruction sets.
//!
//! # Counts
//!
//! 4/3 d³ flops: d³/6 elements in all passes, 8 flops each. Bytes: 16 a flop-octet (8 loaded, 8
//! stored), 8/3 d³ in all, from L1 where a group's triangle fits (d ≤ 44 for 4 lanes in 32 KiB),
//! from L2 up to d ≈ 180 (4 lanes, 512 KiB). The chain of square root and two divisions a column is
//! paid once for all lanes.
//!
//! # Rounding
//!
//! Every sum has a fixed order: rows ascending, four partial sums where it is a whole column's.
//! Backward stable as any sequence of reflections (Higham, 2002, section 19.3). A column below
//! 2⁻⁴⁵⁰ of the unit norm of A has squares that lose digits: it counts as zero, which is nothing
//! beside ε‖A‖.

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::tiles::load;

/// Most columns of a pass.
const COLUMNS: usize = 4;

/// ‖x‖² up to which a column counts as zero: 2⁻⁹⁰⁰.
pub(crate) const NOTHING: f64 = f64::from_bits((1023 - 900) << 52);

/// Length of a packed triangle.
pub(crate) const fn packed_len(size: usize) -> usize {
    size * (size + 1) / 2
}

/// Position of the diagonal entry of column j.
pub(crate) const fn column_start(size: usize, j: usize) -> usize {
    j * (2 * size + 1 - j) / 2
}

/// The reduction of one group; slices hold registers' worth of numbers an entry. Entries of A must
/// be at most 2 in size.
pub(crate) struct Reduce<'a> {
    pub(crate) size: usize,
    pub(crate) packed: &'a mut [f64],
    pub(crate) diagonal: &'a mut [f64],
    pub(crate) off_diagonal: &'a mut [f64],
    pub(crate) tau: &'a mut [f64],
    /// 2d.
    pub(crate) work: &'a mut [f64],
}

impl WithSimd for Reduce<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let size = self.size;
        let (packed, _) = S::as_mut_simd_f64s(self.packed);
        let (diagonal, _) = S::as_mut_simd_f64s(self.diagonal);
        let (off_diagonal, _) = S::as_mut_simd_f64s(self.off_diagonal);
        let (tau, _) = S::as_mut_simd_f64s(self.tau);
        let (work, _) = S::as_mut_simd_f64s(self.work);
        let (w, y) = work.split_at_mut(size);
        let y = &mut y[..size];
        let zero = s.all(0.0);
        w.fill(zero);
        y.fill(zero);
        for j in 0..size {
            let length = size - j;
            let (before, rest) = packed.split_at_mut(column_start(size, j));
            let (column, trailing) = rest.split_at_mut(length);
            // The reflector before: v on rows j, …; none for the first column, where w is zero and
            // v does not matter.
            let old_w = &w[j..];
            let old_v = if j > 0 { &before[before.len() - length..] } else { old_w };
            update_column(s, column, old_v, old_w);
            diagonal[j] = column[0];
            if length == 1 {
                off_diagonal[j] = zero;
                tau[j] = zero;
                break;
            }
            let x = &mut column[1..];
            (off_diagonal[j], tau[j]) = reflector(s, x);
            let v = &column[1..];
            if j == 0 {
                product(s, trailing, v, &mut y[1..]);
            } else {
                let y = &mut y[j + 1..];
                y.fill(zero);
                update_and_multiply(s, trailing, &old_v[1..], &old_w[1..], v, y);
            }
            // w = τ y − ½ τ² (yᵀv) v.
            let along = dot(s, &y[j + 1..], v);
            let half = s.mul(s.all(0.5), s.mul(tau[j], s.mul(tau[j], along)));
            for ((w, y), v) in w[j + 1..].iter_mut().zip(&mut y[j + 1..]).zip(v) {
                *w = s.sub_mul(s.mul(tau[j], *y), half, *v);
            }
        }
    }
}

/// a ← a − v w₀ − w v₀.
#[inline(always)]
fn update_column<S: Simd>(s: S, column: &mut [S::f64s], v: &[S::f64s], w: &[S::f64s]) {
    let (v0, w0) = (v[0], w[0]);
    for ((a, v), w) in column.iter_mut().zip(v).zip(w) {
        *a = s.sub_mul(s.sub_mul(*a, *v, w0), *w, v0);
    }
}

/// Overwrites x by v and returns (β, τ).
#[inline(always)]
fn reflector<S: Simd>(s: S, x: &mut [S::f64s]) -> (S::f64s, S::f64s) {
    let (zero, one) = (s.all(0.0), s.all(1.0));
    let first = x[0];
    let rest = dot(s, &x[1..], &x[1..]);
    let length = s.sqrt(s.mul_add(first, first, rest));
    let nothing = s.less_than_or_equal_f64s(rest, s.all(NOTHING));
    let minus_length = s.sub(zero, length);
    let beta = s.choose(s.less_than_f64s(first, zero), length, minus_length);
    let head = s.sub(first, beta);
    let tau = s.choose(nothing, zero, s.sub(zero, s.div(head, beta)));
    let inverse = s.choose(nothing, zero, s.div(one, head));
    x[0] = one;
    for x in &mut x[1..] {
        *x = s.mul(*x, inverse);
    }
    (s.choose(nothing, first, beta), tau)
}

/// xᵀy in four partial sums: entry i goes to sum i mod 4.
#[inline(always)]
pub(crate) fn dot<S: Simd>(s: S, x: &[S::f64s], y: &[S::f64s]) -> S::f64s {
    let mut sums = [s.all(0.0); 4];
    let (x_fours, x_rest) = pulp::as_arrays::<4, _>(x);
    let (y_fours, y_rest) = pulp::as_arrays::<4, _>(y);
    for (x, y) in x_fours.iter().zip(y_fours) {
        for i in 0..4 {
            sums[i] = s.mul_add(x[i], y[i], sums[i]);
        }
    }
    for (sum, (x, y)) in sums.iter_mut().zip(x_rest.iter().zip(y_rest)) {
        *sum = s.mul_add(*x, *y, *sum);
    }
    s.add(s.add(sums[0], sums[1]), s.add(sums[2], sums[3]))
}

/// y = A x, A untouched: the first product, when no update waits. The same sums as [`pass`] makes.
#[inline(always)]
fn product<S: Simd>(s: S, packed: &mut [S::f64s], x: &[S::f64s], y: &mut [S::f64s]) {
    let mut rest = packed;
    for c in 0..x.len() {
        let (column, others) = rest.split_at_mut(x.len() - c);
        rest = others;
        let mut sum = s.mul(column[0], x[c]);
        let (head, tail) = y[c..].split_at_mut(1);
        for ((a, x_i), y) in column[1..].iter().zip(&x[c + 1..]).zip(tail) {
            sum = s.mul_add(*a, *x_i, sum);
            *y = s.mul_add(*a, x[c], *y);
        }
        head[0] = s.add(head[0], sum);
    }
}

/// A ← A − v wᵀ − w vᵀ and y ← y + A x, in one pass over the trailing triangle `packed`.
#[inline(always)]
fn update_and_multiply<S: Simd>(
    s: S,
    packed: &mut [S::f64s],
    v: &[S::f64s],
    w: &[S::f64s],
    x: &[S::f64s],
    y: &mut [S::f64s],
) {
    let size = x.len();
    let mut rest = packed;
    let mut c = 0;
    if S::REGISTER_COUNT > 16 {
        while c + 4 <= size {
            rest = pass::<S, 4>(s, rest, &v[c..], &w[c..], &x[c..], &mut y[c..]);
            c += 4;
        }
    }
    while c + 2 <= size {
        rest = pass::<S, 2>(s, rest, &v[c..], &w[c..], &x[c..], &mut y[c..]);
        c += 2;
    }
    if c < size {
        pass::<S, 1>(s, rest, &v[c..], &w[c..], &x[c..], &mut y[c..]);
    }
}

/// The next C columns; vectors begin at the first one's row. Returns what is left of the triangle.
#[inline(always)]
fn pass<'a, S: Simd, const C: usize>(
    s: S,
    packed: &'a mut [S::f64s],
    v: &[S::f64s],
    w: &[S::f64s],
    x: &[S::f64s],
    y: &mut [S::f64s],
) -> &'a mut [S::f64s] {
    let size = x.len();
    let (columns, rest) = packed.split_at_mut(column_start(size, C));
    let count = size - C;
    // Heads and tails of the columns; not by closures: what is not inlined has no vector
    // instructions.
    let mut heads: [&mut [S::f64s]; COLUMNS] = Default::default();
    let mut tails: [&mut [S::f64s]; COLUMNS] = Default::default();
    let mut columns = columns;
    for p in 0..C {
        let (column, others) = columns.split_at_mut(size - p);
        let (head, tail) = column.split_at_mut(C - p);
        (heads[p], tails[p], columns) = (head, &mut tail[..count], others);
    }
    let zero = s.all(0.0);
    let (v_c, w_c, x_c) = (load::<S, C>(v), load::<S, C>(w), load::<S, C>(x));
    let mut sums = [zero; C];
    // The triangle of the first C rows.
    for p in 0..C {
        let head = &mut *heads[p];
        for q in p..C {
            let a = s.sub_mul(s.sub_mul(head[q - p], v_c[q], w_c[p]), w_c[q], v_c[p]);
            head[q - p] = a;
            if q == p {
                sums[p] = s.mul(a, x_c[p]);
            } else {
                sums[p] = s.mul_add(a, x_c[q], sums[p]);
                y[q] = s.mul_add(a, x_c[p], y[q]);
            }
        }
    }
    // All rows below.
    let (y_c, y) = y.split_at_mut(C);
    let (v, w, x, y) = (&v[C..][..count], &w[C..][..count], &x[C..][..count], &mut y[..count]);
    for i in 0..count {
        let (v, w, x, mut sum) = (v[i], w[i], x[i], y[i]);
        for p in 0..C {
            let a = s.sub_mul(s.sub_mul(tails[p][i], v, w_c[p]), w, v_c[p]);
            tails[p][i] = a;
            sums[p] = s.mul_add(a, x, sums[p]);
            sum = s.mul_add(a, x_c[p], sum);
        }
        y[i] = sum;
    }
    for (y, sum) in y_c.iter_mut().zip(sums) {
        *y = s.add(*y, sum);
    }
    rest
}
