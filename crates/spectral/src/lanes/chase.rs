//! From bands to tridiagonal form `B = Q₂ T Q₂ᵀ`, a problem a lane.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | B | `band` | d columns of 2b | entry (j + r, j), r ≥ 0; zero for r > b at first |
//! | T | `diagonal`, `off_diagonal` | d | the last off-diagonal entry is 0 |
//! | H | `squares` | above the diagonal of d × d a lane | `Q₂ = H(0,0) H(0,1) … H(1,0) …` |
//!
//! H(j, s), the reflector s of sweep j, acts on the rows `j + 1 + s·b` and on, b of them.
//!
//! # Chasing bulges
//!
//! Sweep j makes column j tridiagonal by a reflector `H = I − τ v vᵀ` on rows j + 1, …, j + b. Both
//! sides of the diagonal block of these rows take it, and from the right the block E below, b × b,
//! which it fills. Of this bulge only the first column is eliminated, by the next reflector; that
//! acts from the left on the rest of E, and on both sides of the next diagonal block, and so on to
//! the end of the band. What of the bulge remains is where the next sweep fills it again: nothing
//! grows beyond 2b − 1 subdiagonals (Murata and Horikoshi, 1975; Lang, *A parallel algorithm for
//! reducing symmetric banded matrices to tridiagonal form*, 1993).
//!
//! A step is of a diagonal block A and of E, in four passes:
//!
//! 1. `p = A v` and `y = E v`;
//! 2. `A ← A − v wᵀ − w vᵀ` with `w = τ p − ½ τ² (pᵀv) v`;
//! 3. `z = σ ((E − t vᵀ)ᵀ u)` with t = τ y and (u, σ) the next reflector, of E's first column less
//!    t: as `σ (Eᵀu − (uᵀt) v)`, so that E is not written in between;
//! 4. `E ← E − t vᵀ − u zᵀ`, columns in blocks for which pass 3 comes just before.
//!
//! The root and the quotients of the next reflector are begun before pass 2, which they wait
//! beside.
//!
//! # Sweeps behind one another
//!
//! Sweep j + 1 may do its step as soon as sweep j has done the one after that. [`SWEEPS`] of them
//! go through the band one behind the other, so that all of the band comes near once for them. Each
//! entry sees the same operations in the same order as sweep after sweep.
//!
//! # Counts
//!
//! 6 d² b flops: d²/(2b) steps, 4 b² for the diagonal block and 8 b² for E. A step's blocks are
//! 3/2 b² numbers, of which E (16 KiB at b = 16 and 8 lanes) stays in L1 from pass to pass; from
//! step to step they come from L2, 2 bytes a flop with the way back. The reflectors, 4 d² bytes a
//! problem, are written once.
//!
//! Measured on a core of an AMD EPYC (Zen 4; 59 Gflop/s) with AVX-512, Gflop/s at d = 256, 512,
//! 1,024 and 2,048:
//!
//! | b | without reflectors | with them |
//! |---:|---|---|
//! | 8 | 29, 27, 26, 24 | 20, 15, 14, 12 |
//! | 16 | 35, 33, 32, 28 | 30, 24, 23, 22 |
//! | 32 | 38, 34, 30, 26 | 33, 29, 25, 24 |
//!
//! With AVX2 about as much: 32, 30, 29, 27 at b = 16. At b = 16 and d = 96, where all is in L2, 48
//! with reflectors. So L2 stops it, or the chain from reflector to reflector (b = 8), and memory
//! where reflectors leave the cache. Sweeps one by one reach 26 in place of 28 at d = 2,048 and the
//! same up to 512, two or eight at a time no more than four.
//!
//! # Rounding
//!
//! Every sum has a fixed order: columns or rows ascending, four partial sums where it is of two
//! vectors. Backward stable as any sequence of reflections (Higham, 2002, section 19.3): the z of
//! pass 3 is off by no more than a few b·ε‖E‖. What of a column is below 2⁻⁴⁵⁰ counts as zero, as
//! in [`reduction`](super::reduction).

use faer::MatMut;
use faer::reborrow::ReborrowMut;
use pulp::{Simd, WithSimd};

use super::arithmetic::{Arithmetic, lanes};
use super::reduction::{NOTHING, dot};
use super::tiles::{load, turn, unrolled};
use crate::band::{band_stride, chase_column};
use crate::dense::product::column_mut;

/// Sweeps that go through the band one behind the other.
const SWEEPS: usize = 4;

/// Most columns of E, or of right-hand sides, that are taken at a time.
const MOST_COLUMNS: usize = 8;

/// Registers of workspace.
pub(crate) const fn chase_work_len(half_width: usize) -> usize {
    SWEEPS * (2 * half_width + 1) + 2 * half_width
}

/// The chase of one group; slices hold registers' worth of numbers an entry, but for the
/// reflectors. Entries of B must be at most 2 in size.
pub(crate) struct Chase<'a> {
    pub(crate) size: usize,
    /// b ≥ 1.
    pub(crate) half_width: usize,
    /// d columns of [`band_stride`]; destroyed.
    pub(crate) band: &'a mut [f64],
    pub(crate) diagonal: &'a mut [f64],
    pub(crate) off_diagonal: &'a mut [f64],
    /// d rows of `width`: overwritten by Q₂ᵀ times them.
    pub(crate) rows: &'a mut [f64],
    pub(crate) width: usize,
    /// Of each of the first lanes, as many as there are, a square for its reflectors: see
    /// [`chase_column`]. What is on and below the diagonal stays.
    pub(crate) squares: &'a mut [MatMut<'a, f64>],
    /// [`chase_work_len`].
    pub(crate) work: &'a mut [f64],
}

impl WithSimd for Chase<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, half_width, width, .. } = self;
        let (band, _) = S::as_mut_simd_f64s(self.band);
        let (diagonal, _) = S::as_mut_simd_f64s(self.diagonal);
        let (off_diagonal, _) = S::as_mut_simd_f64s(self.off_diagonal);
        let (rows, _) = S::as_mut_simd_f64s(self.rows);
        let (work, _) = S::as_mut_simd_f64s(self.work);
        let (vectors, scratch) = work.split_at_mut(SWEEPS * (2 * half_width + 1));
        let squares = self.squares;
        let mut chasing = Chasing::<S> { size, half_width, band, rows, width, squares, scratch };
        let Some(last) = size.checked_sub(1) else { return };
        for first in (0..last).step_by(SWEEPS) {
            let count = SWEEPS.min(last - first);
            let steps = (last - first).div_ceil(half_width);
            for turn in 0..steps + count - 1 {
                let sweeps = vectors.chunks_exact_mut(2 * half_width + 1).enumerate();
                for (m, state) in sweeps.take(count.min(turn + 1)) {
                    let (j, step) = (first + m, turn - m);
                    if step == 0 {
                        (diagonal[j], off_diagonal[j]) = chasing.begin(s, j, state);
                    }
                    let row = j + 1 + step * half_width;
                    if row < size {
                        chasing.step(s, j, row, step % 2 == 1, state);
                    }
                }
            }
        }
        diagonal[last] = chasing.band[last * band_stride(half_width)];
        off_diagonal[last] = s.all(0.0);
    }
}

struct Chasing<'a, S: Simd> {
    size: usize,
    half_width: usize,
    band: &'a mut [S::f64s],
    rows: &'a mut [S::f64s],
    width: usize,
    squares: &'a mut [MatMut<'a, f64>],
    /// 2b.
    scratch: &'a mut [S::f64s],
}

impl<S: Simd> Chasing<'_, S> {
    /// Makes the first reflector of sweep j: v at the head of `state`, τ at its end. Returns the
    /// entries of T.
    #[inline(always)]
    fn begin(&mut self, s: S, j: usize, state: &mut [S::f64s]) -> (S::f64s, S::f64s) {
        let (v, tau) = state.split_at_mut(2 * self.half_width);
        let v = &mut v[..self.half_width.min(self.size - 1 - j)];
        let column = &self.band[j * band_stride(self.half_width)..];
        for (v, x) in v.iter_mut().zip(&column[1..]) {
            *v = *x;
        }
        let reflector = Reflector::<S>::new(s, v);
        reflector.scale(s, v);
        tau[0] = reflector.tau;
        let diagonal = column[0];
        self.made(s, j, j + 1, v, reflector.tau);
        (diagonal, reflector.beta)
    }

    /// One step of sweep j: the reflector on the rows from `row` on is taken by their diagonal
    /// block and by the block below, and the next one made and taken by that from the left.
    ///
    /// `state` has two places for reflectors, of which `second` says which is now in use, and τ.
    #[inline(always)]
    fn step(&mut self, s: S, j: usize, row: usize, second: bool, state: &mut [S::f64s]) {
        let (size, b) = (self.size, self.half_width);
        let stride = band_stride(b);
        let count = b.min(size - row);
        // The block below has b columns, or no rows.
        let below = b.min(size - row - count);
        let (one, rest) = state.split_at_mut(b);
        let (other, tau) = rest.split_at_mut(b);
        let (v, u) =
            if second { (&other[..count], &mut one[..below]) } else { (&one[..count], &mut other[..below]) };
        let (w, t) = self.scratch.split_at_mut(b);
        let (w, t) = (&mut w[..count], &mut t[..below]);

        let corner = row * stride;
        product(s, &self.band[corner..], stride, v, w);
        if below > 0 {
            times(s, &self.band[corner + b..], stride - 1, v, t);
        }
        // w = τ p − ½ τ² (pᵀv) v.
        let along = dot(s, w, v);
        let half = s.mul(s.all(0.5), s.mul(tau[0], s.mul(tau[0], along)));
        for (w, v) in w.iter_mut().zip(v) {
            *w = s.sub_mul(s.mul(tau[0], *w), half, *v);
        }
        if below == 0 {
            update(s, &mut self.band[corner..], stride, v, w);
            return;
        }
        for ((u, t), x) in u.iter_mut().zip(&mut *t).zip(&self.band[corner + b..]) {
            *t = s.mul(tau[0], *t);
            *u = s.sub(*x, *t);
        }
        let next = Reflector::<S>::new(s, u);
        update(s, &mut self.band[corner..], stride, v, w);
        next.scale(s, u);
        tau[0] = next.tau;
        let block = &mut self.band[corner + b..];
        block[0] = next.beta;
        block[1..below].fill(s.all(0.0));
        let by = Left { v: &v[1..], t, u, tau: next.tau, along: dot(s, u, t) };
        by.all(s, &mut block[stride - 1..], stride - 1);
        self.made(s, j, row + b, u, next.tau);
    }

    /// Applies a reflector of sweep j to the right-hand sides, and keeps it.
    #[inline(always)]
    fn made(&mut self, s: S, j: usize, row: usize, v: &[S::f64s], tau: S::f64s) {
        if self.width > 0 {
            let rows = &mut self.rows[row * self.width..][..v.len() * self.width];
            for (first, columns) in blocks::<S>(self.width) {
                match columns {
                    1 => reflect::<S, 1>(s, rows, self.width, first, v, tau),
                    2 => reflect::<S, 2>(s, rows, self.width, first, v, tau),
                    3 => reflect::<S, 3>(s, rows, self.width, first, v, tau),
                    4 => reflect::<S, 4>(s, rows, self.width, first, v, tau),
                    5 => reflect::<S, 5>(s, rows, self.width, first, v, tau),
                    6 => reflect::<S, 6>(s, rows, self.width, first, v, tau),
                    7 => reflect::<S, 7>(s, rows, self.width, first, v, tau),
                    _ => reflect::<S, MOST_COLUMNS>(s, rows, self.width, first, v, tau),
                }
            }
        }
        if !self.squares.is_empty() {
            let (column, before) = (chase_column(self.size, j), row - 1 - j);
            match S::F64_LANES {
                8 => take_apart::<S, 8>(s, v, self.squares, column, before),
                4 => take_apart::<S, 4>(s, v, self.squares, column, before),
                2 => take_apart::<S, 2>(s, v, self.squares, column, before),
                _ => take_apart::<S, 1>(s, v, self.squares, column, before),
            }
            for (square, tau) in self.squares.iter_mut().zip(lanes::<S>(tau)) {
                square[(before, column)] = tau;
            }
        }
    }
}

/// Takes the numbers of N lanes apart: those of each go to a column of its square, from row `at`
/// on.
#[inline(always)]
fn take_apart<S: Simd, const N: usize>(
    s: S,
    numbers: &[S::f64s],
    squares: &mut [MatMut<'_, f64>],
    column: usize,
    at: usize,
) {
    let mut own: [&mut [f64]; N] = std::array::from_fn(|_| Default::default());
    let kept = squares.len();
    for (own, square) in own.iter_mut().zip(squares) {
        *own = &mut column_mut(square.rb_mut(), column)[at..][..numbers.len()];
    }
    let (squares, rest) = pulp::as_arrays::<N, _>(numbers);
    for (b, square) in squares.iter().enumerate() {
        let mut square = load::<S, N>(square);
        turn::<S, N>(s, &mut square);
        for lane in 0..N {
            if lane < kept {
                S::as_mut_simd_f64s(&mut own[lane][b * N..][..N]).0[0] = square[lane];
            }
        }
    }
    for (i, x) in (squares.len() * N..).zip(rest) {
        let numbers = lanes::<S>(*x);
        for (own, x) in own.iter_mut().zip(numbers).take(kept) {
            own[i] = x;
        }
    }
}

/// A reflector in the making, of a vector x; v replaces x in the end.
#[derive(Clone, Copy)]
struct Reflector<S: Simd> {
    beta: S::f64s,
    tau: S::f64s,
    /// 1/(x₀ − β), or 0 where there is nothing to eliminate.
    inverse: S::f64s,
}

impl<S: Simd> Reflector<S> {
    #[inline(always)]
    fn new(s: S, x: &[S::f64s]) -> Self {
        let (zero, one) = (s.all(0.0), s.all(1.0));
        let first = x[0];
        let rest = dot(s, &x[1..], &x[1..]);
        let length = s.sqrt(s.mul_add(first, first, rest));
        let nothing = s.less_than_or_equal_f64s(rest, s.all(NOTHING));
        let beta = s.choose(s.less_than_f64s(first, zero), length, s.sub(zero, length));
        let head = s.sub(first, beta);
        Self {
            beta: s.choose(nothing, first, beta),
            tau: s.choose(nothing, zero, s.sub(zero, s.div(head, beta))),
            inverse: s.choose(nothing, zero, s.div(one, head)),
        }
    }

    /// x becomes v.
    #[inline(always)]
    fn scale(self, s: S, x: &mut [S::f64s]) {
        x[0] = s.all(1.0);
        for x in &mut x[1..] {
            *x = s.mul(*x, self.inverse);
        }
    }
}

/// p = A v, A the lower triangle of a diagonal block: column c begins at its diagonal entry, at
/// `c * (stride)`.
#[inline(always)]
fn product<S: Simd>(s: S, block: &[S::f64s], stride: usize, v: &[S::f64s], p: &mut [S::f64s]) {
    p.fill(s.all(0.0));
    let mut c = 0;
    if S::REGISTER_COUNT > 16 {
        while c + 4 <= v.len() {
            product_columns::<S, 4>(s, &block[c * stride..], stride, &v[c..], &mut p[c..]);
            c += 4;
        }
    }
    while c + 2 <= v.len() {
        product_columns::<S, 2>(s, &block[c * stride..], stride, &v[c..], &mut p[c..]);
        c += 2;
    }
    if c < v.len() {
        product_columns::<S, 1>(s, &block[c * stride..], stride, &v[c..], &mut p[c..]);
    }
}

/// The share of the first C columns; vectors begin at the first one's row.
#[inline(always)]
fn product_columns<S: Simd, const C: usize>(
    s: S,
    block: &[S::f64s],
    stride: usize,
    v: &[S::f64s],
    p: &mut [S::f64s],
) {
    let count = v.len() - C;
    let v_c = load::<S, C>(v);
    let (p_c, p) = p.split_at_mut(C);
    let (v, p) = (&v[C..], &mut p[..count]);
    let mut sums = [s.all(0.0); C];
    let mut tails: [&[S::f64s]; MOST_COLUMNS] = [&[]; MOST_COLUMNS];
    unrolled!(q < C {
        let column = &block[q * stride..][..C - q + count];
        tails[q] = &column[C - q..];
        sums[q] = s.mul(column[0], v_c[q]);
        for i in q + 1..C {
            let a = column[i - q];
            sums[q] = s.mul_add(a, v_c[i], sums[q]);
            p_c[i] = s.mul_add(a, v_c[q], p_c[i]);
        }
    });
    for i in 0..count {
        let (v, mut sum) = (v[i], p[i]);
        for q in 0..C {
            let a = tails[q][i];
            sums[q] = s.mul_add(a, v, sums[q]);
            sum = s.mul_add(a, v_c[q], sum);
        }
        p[i] = sum;
    }
    for q in 0..C {
        p_c[q] = s.add(p_c[q], sums[q]);
    }
}

/// A ← A − v wᵀ − w vᵀ, the lower triangle.
#[inline(always)]
fn update<S: Simd>(s: S, block: &mut [S::f64s], stride: usize, v: &[S::f64s], w: &[S::f64s]) {
    let mut c = 0;
    if S::REGISTER_COUNT > 16 {
        while c + 4 <= v.len() {
            update_columns::<S, 4>(s, &mut block[c * stride..], stride, &v[c..], &w[c..]);
            c += 4;
        }
    }
    while c + 2 <= v.len() {
        update_columns::<S, 2>(s, &mut block[c * stride..], stride, &v[c..], &w[c..]);
        c += 2;
    }
    if c < v.len() {
        update_columns::<S, 1>(s, &mut block[c * stride..], stride, &v[c..], &w[c..]);
    }
}

/// The first C columns of it.
#[inline(always)]
fn update_columns<S: Simd, const C: usize>(
    s: S,
    block: &mut [S::f64s],
    stride: usize,
    v: &[S::f64s],
    w: &[S::f64s],
) {
    let count = v.len() - C;
    let (v_c, w_c) = (load::<S, C>(v), load::<S, C>(w));
    let mut columns = columns_mut::<S, C>(block, stride);
    let mut tails: [&mut [S::f64s]; MOST_COLUMNS] = Default::default();
    unrolled!(q < C {
        let (head, tail) = std::mem::take(&mut columns[q]).split_at_mut(C - q);
        for i in q..C {
            head[i - q] = s.sub_mul(s.sub_mul(head[i - q], v_c[i], w_c[q]), w_c[i], v_c[q]);
        }
        tails[q] = &mut tail[..count];
    });
    let (v, w) = (&v[C..], &w[C..][..count]);
    for i in 0..count {
        let (v, w) = (v[i], w[i]);
        for q in 0..C {
            tails[q][i] = s.sub_mul(s.sub_mul(tails[q][i], v, w_c[q]), w, v_c[q]);
        }
    }
}

/// C columns that begin `stride` apart.
#[inline(always)]
fn columns_mut<S: Simd, const C: usize>(
    mut block: &mut [S::f64s],
    stride: usize,
) -> [&mut [S::f64s]; MOST_COLUMNS] {
    let mut columns: [&mut [S::f64s]; MOST_COLUMNS] = Default::default();
    for column in columns.iter_mut().take(C) {
        let end = stride.min(block.len());
        (*column, block) = block.split_at_mut(end);
    }
    columns
}

/// y = E v, the columns of E `stride` apart.
#[inline(always)]
fn times<S: Simd>(s: S, block: &[S::f64s], stride: usize, v: &[S::f64s], y: &mut [S::f64s]) {
    y.fill(s.all(0.0));
    let most = if S::REGISTER_COUNT > 16 { 8 } else { 4 };
    let mut c = 0;
    while c + most <= v.len() {
        if S::REGISTER_COUNT > 16 {
            times_columns::<S, 8>(s, &block[c * stride..], stride, &v[c..], y);
        } else {
            times_columns::<S, 4>(s, &block[c * stride..], stride, &v[c..], y);
        }
        c += most;
    }
    while c < v.len() {
        times_columns::<S, 1>(s, &block[c * stride..], stride, &v[c..], y);
        c += 1;
    }
}

/// The share of the first C columns.
#[inline(always)]
fn times_columns<S: Simd, const C: usize>(
    s: S,
    block: &[S::f64s],
    stride: usize,
    v: &[S::f64s],
    y: &mut [S::f64s],
) {
    let v = load::<S, C>(v);
    let mut columns: [&[S::f64s]; C] = [&[]; C];
    for q in 0..C {
        columns[q] = &block[q * stride..][..y.len()];
    }
    for i in 0..y.len() {
        let mut sum = y[i];
        for q in 0..C {
            sum = s.mul_add(columns[q][i], v[q], sum);
        }
        y[i] = sum;
    }
}

/// `E ← (I − σ u uᵀ) (E − t vᵀ)` but for the first column, with uᵀt.
#[derive(Clone, Copy)]
struct Left<'a, S: Simd> {
    v: &'a [S::f64s],
    t: &'a [S::f64s],
    u: &'a [S::f64s],
    tau: S::f64s,
    along: S::f64s,
}

impl<S: Simd> Left<'_, S> {
    #[inline(always)]
    fn all(self, s: S, block: &mut [S::f64s], stride: usize) {
        for (first, columns) in blocks::<S>(self.v.len()) {
            let block = &mut block[first * stride..];
            match columns {
                1 => self.columns::<1>(s, block, stride, first),
                2 => self.columns::<2>(s, block, stride, first),
                3 => self.columns::<3>(s, block, stride, first),
                4 => self.columns::<4>(s, block, stride, first),
                5 => self.columns::<5>(s, block, stride, first),
                6 => self.columns::<6>(s, block, stride, first),
                7 => self.columns::<7>(s, block, stride, first),
                _ => self.columns::<MOST_COLUMNS>(s, block, stride, first),
            }
        }
    }

    /// C columns, the first of `block` on.
    #[inline(always)]
    fn columns<const C: usize>(self, s: S, block: &mut [S::f64s], stride: usize, first: usize) {
        let count = self.u.len();
        let (u, t) = (self.u, &self.t[..count]);
        let mut columns = columns_mut::<S, C>(block, stride);
        for q in 0..C {
            columns[q] = &mut std::mem::take(&mut columns[q])[..count];
        }
        let v = load::<S, C>(&self.v[first..]);
        let mut z = [s.all(0.0); C];
        for i in 0..count {
            for q in 0..C {
                z[q] = s.mul_add(u[i], columns[q][i], z[q]);
            }
        }
        for q in 0..C {
            z[q] = s.mul(self.tau, s.sub_mul(z[q], self.along, v[q]));
        }
        for i in 0..count {
            let (u, t) = (u[i], t[i]);
            for q in 0..C {
                columns[q][i] = s.sub_mul(s.sub_mul(columns[q][i], t, v[q]), u, z[q]);
            }
        }
    }
}

/// `X ← (I − τ v vᵀ) X` for C columns of rows of `width`.
#[inline(always)]
fn reflect<S: Simd, const C: usize>(
    s: S,
    rows: &mut [S::f64s],
    width: usize,
    first: usize,
    v: &[S::f64s],
    tau: S::f64s,
) {
    let mut sums = [s.all(0.0); C];
    for (row, v) in rows.chunks_exact(width).zip(v) {
        let row = &row[first..][..C];
        for c in 0..C {
            sums[c] = s.mul_add(*v, row[c], sums[c]);
        }
    }
    for c in 0..C {
        sums[c] = s.mul(tau, sums[c]);
    }
    for (row, v) in rows.chunks_exact_mut(width).zip(v) {
        let row = &mut row[first..][..C];
        for c in 0..C {
            row[c] = s.sub_mul(row[c], *v, sums[c]);
        }
    }
}

/// First column and number of columns of blocks as equal as can be.
#[inline(always)]
fn blocks<S: Simd>(width: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = width.div_ceil(if S::REGISTER_COUNT > 16 { MOST_COLUMNS } else { 4 });
    (0..count).map(move |b| {
        let (first, end) = (b * width / count, (b + 1) * width / count);
        (first, end - first)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use eigensweep_testkit::random::Random;
    use faer::Mat;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::lanes::InstructionSet;

    /// Kinds of bands that [`band`] makes.
    pub(crate) const KINDS: usize = 9;

    /// A symmetric band with entries of at most 1.
    pub(crate) fn band(kind: usize, size: usize, half_width: usize, rng: &mut Random) -> Mat<f64> {
        let at = |i: usize| i as f64 / size as f64;
        let mut lower = Mat::<f64>::zeros(size, size);
        for j in 0..size {
            for i in j..size.min(j + half_width + 1) {
                let x = 2.0 * rng.uniform() - 1.0;
                lower[(i, j)] = match kind {
                    1 => 0.0,
                    2 => x * f64::from(u8::from(i == j)),
                    3 => x * 10.0_f64.powf(-12.0 * at(i + j) / 2.0),
                    4 => x * 10.0_f64.powf(12.0 * at(i + j) / 2.0 - 12.0),
                    // One eigenvalue, but for a little.
                    5 => {
                        if i == j {
                            1.0
                        } else {
                            1e-9 * x
                        }
                    }
                    // Many equal ones.
                    6 => f64::from(u8::from(i == j)) * if i % 3 == 0 { 1.0 } else { 0.25 },
                    // Some columns have nothing to eliminate.
                    7 => {
                        if j % 5 < 2 && i > j + 1 {
                            0.0
                        } else {
                            x
                        }
                    }
                    _ => x,
                };
            }
        }
        if kind == 8 {
            // Rank-deficient: a product of bands with empty columns.
            let half = half_width / 2;
            let factor = Mat::from_fn(size, size, |i, j| {
                if j % 3 == 0 && i >= j && i <= j + half { lower[(i, j)] } else { 0.0 }
            });
            let product = &factor * factor.transpose();
            let most = product.norm_max().max(1.0);
            return Mat::from_fn(size, size, |i, j| product[(i.max(j), i.min(j))] / most);
        }
        Mat::from_fn(size, size, |i, j| lower[(i.max(j), i.min(j))])
    }

    /// What a chase says of one problem.
    pub(crate) struct Answer {
        diagonal: Vec<f64>,
        off_diagonal: Vec<f64>,
        /// `Q₂ᵀ` times the right-hand sides.
        rows: Mat<f64>,
        /// Above the diagonal.
        pub(crate) reflectors: Mat<f64>,
    }

    impl Answer {
        fn bits(&self) -> Vec<u64> {
            let matrices = [&self.rows, &self.reflectors].into_iter();
            let entries = matrices.flat_map(|matrix| matrix.col_iter().flat_map(|column| column.iter()));
            let numbers = [&self.diagonal, &self.off_diagonal].into_iter().flatten();
            numbers.chain(entries).map(|x| x.to_bits()).collect()
        }
    }

    /// Chases bands of one size, in as many groups as it takes.
    pub(crate) fn chase(
        isa: InstructionSet,
        half_width: usize,
        bands: &[Mat<f64>],
        right: &Mat<f64>,
    ) -> Vec<Answer> {
        let (lanes, size, width) = (isa.lanes(), right.nrows(), right.ncols());
        let stride = band_stride(half_width);
        let mut answers = vec![];
        for bands in bands.chunks(lanes) {
            let mut band = vec![0.0; size * stride * lanes];
            let mut rows = vec![0.0; size * width * lanes];
            for lane in 0..lanes {
                let matrix = &bands[lane.min(bands.len() - 1)];
                for j in 0..size {
                    for i in j..size.min(j + half_width + 1) {
                        band[(j * stride + i - j) * lanes + lane] = matrix[(i, j)];
                    }
                    for c in 0..width {
                        rows[(j * width + c) * lanes + lane] = right[(j, c)];
                    }
                }
            }
            let mut diagonal = vec![f64::NAN; size * lanes];
            let mut off_diagonal = vec![f64::NAN; size * lanes];
            let mut reflectors = vec![Mat::<f64>::zeros(size, size); bands.len()];
            let mut squares: Vec<_> = reflectors.iter_mut().map(|square| square.as_mut()).collect();
            isa.run(Chase {
                size,
                half_width,
                band: &mut band,
                diagonal: &mut diagonal,
                off_diagonal: &mut off_diagonal,
                rows: &mut rows,
                width,
                squares: &mut squares,
                work: &mut vec![f64::NAN; chase_work_len(half_width) * lanes],
            });
            for (lane, reflectors) in reflectors.into_iter().enumerate() {
                let own = |x: &[f64]| x.iter().skip(lane).step_by(lanes).copied().collect();
                answers.push(Answer {
                    diagonal: own(&diagonal),
                    off_diagonal: own(&off_diagonal),
                    rows: Mat::from_fn(size, width, |i, c| rows[(i * width + c) * lanes + lane]),
                    reflectors,
                });
            }
        }
        answers
    }

    /// `Q₂ X`, reflector after reflector.
    pub(crate) fn applied(reflectors: &Mat<f64>, half_width: usize, x: &Mat<f64>) -> Mat<f64> {
        let (size, mut x) = (x.nrows(), x.clone());
        for j in (0..size.saturating_sub(1)).rev() {
            for row in (j + 1..size).step_by(half_width) {
                let sweep =
                    reflectors.col(chase_column(size, j)).subrows(row - j - 1, half_width.min(size - row));
                let mut v: Vec<f64> = sweep.iter().copied().collect();
                let tau = std::mem::replace(&mut v[0], 1.0);
                for c in 0..x.ncols() {
                    let along: f64 = v.iter().enumerate().map(|(i, v)| v * x[(row + i, c)]).sum();
                    for (i, v) in v.iter().enumerate() {
                        x[(row + i, c)] -= tau * along * v;
                    }
                }
            }
        }
        x
    }

    /// Sizes around a half-width, and beyond.
    pub(crate) fn sizes(half_width: usize) -> Vec<usize> {
        let b = half_width;
        let mut sizes = vec![1, 2, 3, b - 1, b, b + 1, 2 * b, 2 * b + 1, 3 * b + 2, 7 * b + 5];
        sizes.retain(|size| *size > 0);
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// `‖Q₂ᵀ Q₂ − I‖`, `‖Q₂ T Q₂ᵀ − B‖/‖B‖` and the error of `Q₂ᵀ` as rows, in units of d·ε.
    fn check(kind: usize, band: &Mat<f64>, half_width: usize, answer: &Answer) {
        let size = band.nrows();
        let name = format!("kind {kind}, {size} by {half_width}");
        let (identity, unit) = (Mat::<f64>::identity(size, size), size as f64 * f64::EPSILON);
        let q = applied(&answer.reflectors, half_width, &identity);
        let orthogonal = (q.transpose() * &q - &identity).norm_l2();
        assert!(orthogonal <= 4.0 * unit, "{name}: {orthogonal:e}");
        let same = (answer.rows.transpose() - &q).norm_l2();
        assert!(same <= 4.0 * unit, "{name}: {same:e}");
        let tridiagonal = Mat::from_fn(size, size, |i, j| match i.abs_diff(j) {
            0 => answer.diagonal[i],
            1 => answer.off_diagonal[i.min(j)],
            _ => 0.0,
        });
        assert!(answer.off_diagonal[size - 1] == 0.0, "{name}");
        let residual = (&q * tridiagonal * q.transpose() - band).norm_l2();
        assert!(residual <= 4.0 * unit * band.norm_l2(), "{name}: {residual:e}");
    }

    #[test]
    fn the_band_is_the_tridiagonal_matrix_between_orthogonal_ones() {
        let rng = &mut Random(18);
        for half_width in [1, 2, 3, 5, 8, 16, 24, 32] {
            for size in sizes(half_width) {
                let bands: Vec<_> = (0..KINDS).map(|kind| band(kind, size, half_width, rng)).collect();
                let identity = Mat::<f64>::identity(size, size);
                let answers = chase(InstructionSet::detect(), half_width, &bands, &identity);
                for (kind, (band, answer)) in bands.iter().zip(&answers).enumerate() {
                    check(kind, band, half_width, answer);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(18), failure_persistence: None, ..ProptestConfig::default() })]

        /// Any size, any half-width, any neighbours, any instruction set.
        #[test]
        fn a_band_has_its_own_bits(
            size in 1_usize..90,
            half_width in 1_usize..20,
            kinds in proptest::collection::vec(0..KINDS, 1..10),
            seed in any::<u64>(),
        ) {
            let rng = &mut Random(seed);
            let bands: Vec<_> = kinds.iter().map(|kind| band(*kind, size, half_width, rng)).collect();
            let identity = Mat::<f64>::identity(size, size);
            for isa in InstructionSet::available() {
                let answers = chase(isa, half_width, &bands, &identity);
                for ((kind, own), answer) in kinds.iter().zip(&bands).zip(&answers) {
                    check(*kind, own, half_width, answer);
                    let alone = chase(InstructionSet::portable(), half_width, std::slice::from_ref(own), &identity);
                    prop_assert!(answer.bits() == alone[0].bits(), "{}, kind {kind}", isa.name());
                }
            }
        }
    }

    #[test]
    fn large_bands_keep_the_bounds() {
        let rng = &mut Random(19);
        for (size, half_width) in [(257, 8), (513, 32), (1024, 16)] {
            let bands = [band(0, size, half_width, rng)];
            let right = rng.normals(size, 5);
            let answer = &chase(InstructionSet::detect(), half_width, &bands, &right)[0];
            let unit = size as f64 * f64::EPSILON * right.norm_l2();
            // B Q₂ X = Q₂ T X, and Q₂ Q₂ᵀ X = X, for a few X.
            let tridiagonal = Mat::from_fn(size, size, |i, j| match i.abs_diff(j) {
                0 => answer.diagonal[i],
                1 => answer.off_diagonal[i.min(j)],
                _ => 0.0,
            });
            let left = &bands[0] * applied(&answer.reflectors, half_width, &right);
            let residual = left - applied(&answer.reflectors, half_width, &(tridiagonal * &right));
            let most = bands[0].norm_l2() * unit;
            assert!(residual.norm_l2() <= most, "{size}: {:e}", residual.norm_l2());
            let back = applied(&answer.reflectors, half_width, &answer.rows) - &right;
            assert!(back.norm_l2() <= unit, "{size}: {:e}", back.norm_l2());
        }
    }

    #[test]
    fn the_instruction_set_changes_no_bit() {
        let rng = &mut Random(20);
        for half_width in [2, 3, 8, 16, 24] {
            for size in sizes(half_width) {
                let bands: Vec<_> = (0..KINDS).map(|kind| band(kind, size, half_width, rng)).collect();
                let right = rng.normals(size, size % 13);
                let reference = chase(InstructionSet::portable(), half_width, &bands, &right);
                for isa in InstructionSet::available() {
                    let answers = chase(isa, half_width, &bands, &right);
                    for (answer, reference) in answers.iter().zip(&reference) {
                        assert!(answer.bits() == reference.bits(), "{}, {size} by {half_width}", isa.name());
                    }
                }
            }
        }
    }
}
