//! The reflectors of a chase applied to vectors of one problem: `Z ← Q₂ Z`.
//!
//! `Q₂ = H(0,0) H(0,1) … H(1,0) H(1,1) …` as [`chase`](crate::lanes::chase) left them: H(j, s) acts
//! on the rows `j + 1 + s·b` and on, b of them.
//!
//! # Diamonds
//!
//! The last reflector is the first to apply. H(j, s) must wait for H(j + 1, s − 1) and H(j + 1, s),
//! whose rows it shares, and for no others of sweep j + 1: so [`TOGETHER`] sweeps can be taken
//! together, s ascending. Those of one s act on b + 3 rows, each begins a row below the one before:
//! with `s_n = τ_n (v_nᵀZ − Σ_{m>n} (v_nᵀv_m) s_m)`, n descending, their product takes Z to
//! `Z − Σ_n v_n s_nᵀ` (Schreiber and Van Loan, 1989), with all sums in one pass over these rows and
//! all updates in another, while they are in L1 (Auckenthaler and others, *Parallel solution of
//! partial symmetric eigenvalue problems*, 2011). At the end of the matrix, where reflectors are
//! shorter, they apply one by one.
//!
//! # Stripes
//!
//! Columns of Z stand along registers: a stripe of up to [`WIDEST`] registers of them is brought
//! side by side, row after row, so that entries of v are the same for all. It stays in L2 while all
//! reflectors pass by. Each column is summed by itself, rows ascending, in diamonds that depend on
//! d and b alone: neither the width of a register nor of a stripe nor of Z changes a bit.
//!
//! # Counts
//!
//! 2 d² flops a column, a few in a hundred more for the overlaps' corrections. A diamond takes
//! 4·b·R fused multiply-adds of registers in either pass for (b + 3)·R loads, R the registers of a
//! stripe, and 4·b broadcasts. From L2: a row of the stripe there and back for 4 reflectors, 1 byte
//! a flop; the reflectors, 4 d² bytes, once a stripe.
//!
//! Measured on a core of an AMD EPYC (Zen 4; 59 Gflop/s) with AVX-512, b = 16, Gflop/s at d = 256,
//! 512, 1,024 and 2,048: 45, 47, 45, 46 for d/2 columns; 38, 39, 38, 35 for 50, which are seven
//! registers in two stripes, and for which the overlaps count a tenth. With b = 8 or 32 up to 8 %
//! less. With AVX2 33 at d = 512: 16 registers hold few sums for a broadcast of v.

use faer::{MatMut, MatRef};
use pulp::{Simd, WithSimd};

use super::chase_column;
use crate::dense::product::column;
use crate::lanes::MAX_LANES;
use crate::lanes::arithmetic::Arithmetic;
use crate::lanes::tiles::{load, store, unrolled};

/// Sweeps that are taken together.
const TOGETHER: usize = 4;

/// Pairs of them.
const PAIRS: usize = pair(0, TOGETHER);

/// Number of the pair m < n.
const fn pair(m: usize, n: usize) -> usize {
    n * (n - 1) / 2 + m
}

/// Most registers of a stripe, with [`TOGETHER`] sums each: 20 of 32 or 8 of 16, since one of 12
/// would be in memory.
const WIDEST: usize = 5;
const WIDEST_OF_16: usize = 2;

/// Numbers of workspace for `width` columns.
pub(crate) fn apply_work_len(size: usize, half_width: usize, width: usize) -> usize {
    size * most_columns(width) + PAIRS * diamonds(size, half_width)
}

/// Most columns of a stripe for `width` of them.
fn most_columns(width: usize) -> usize {
    width.next_multiple_of(MAX_LANES).min(WIDEST * MAX_LANES)
}

/// Sweeps that have something to eliminate.
const fn sweeps(size: usize) -> usize {
    size.saturating_sub(2)
}

/// Whole diamonds of the sweeps from j on: all of their reflectors have b rows.
const fn whole(size: usize, half_width: usize, j: usize) -> usize {
    // The last of the sweeps begins at row j + TOGETHER.
    if half_width < TOGETHER { 0 } else { size.saturating_sub(j + TOGETHER) / half_width }
}

/// All of them.
fn diamonds(size: usize, half_width: usize) -> usize {
    (0..sweeps(size)).step_by(TOGETHER).map(|j| whole(size, half_width, j)).sum()
}

/// Overwrites `vectors` (d × m, columns contiguous) by Q₂ times them.
pub(crate) struct ApplyChased<'a> {
    pub(crate) size: usize,
    /// b ≥ 1.
    pub(crate) half_width: usize,
    /// Above the diagonal (d × d), as the chase left them.
    pub(crate) reflectors: MatRef<'a, f64>,
    pub(crate) vectors: MatMut<'a, f64>,
    /// [`apply_work_len`].
    pub(crate) work: &'a mut [f64],
}

impl WithSimd for ApplyChased<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, half_width, reflectors, mut vectors, work } = self;
        let reflectors = Reflectors { size, half_width, numbers: reflectors };
        let width = vectors.ncols();
        let registers = width.div_ceil(S::F64_LANES);
        let count = registers.div_ceil(if S::REGISTER_COUNT > 16 { WIDEST } else { WIDEST_OF_16 });
        let (stripe, overlaps) = work.split_at_mut(size * most_columns(width));
        reflectors.overlaps(overlaps);
        for b in 0..count {
            let (first, end) = (b * registers / count, (b + 1) * registers / count);
            let columns = first * S::F64_LANES..width.min(end * S::F64_LANES);
            let across = (end - first) * S::F64_LANES;
            let stripe = &mut stripe[..size * across];
            for (c, j) in columns.clone().enumerate() {
                for (row, x) in stripe.chunks_exact_mut(across).zip(vectors.as_ref().col(j).iter()) {
                    row[c] = *x;
                }
            }
            for row in stripe.chunks_exact_mut(across) {
                row[columns.len()..].fill(0.0);
            }
            let (rows, _) = S::as_mut_simd_f64s(&mut *stripe);
            match end - first {
                1 => reflectors.apply::<S, 1>(s, overlaps, rows),
                2 => reflectors.apply::<S, 2>(s, overlaps, rows),
                3 => reflectors.apply::<S, 3>(s, overlaps, rows),
                4 => reflectors.apply::<S, 4>(s, overlaps, rows),
                _ => reflectors.apply::<S, WIDEST>(s, overlaps, rows),
            }
            for (c, j) in columns.enumerate() {
                let column = vectors.as_mut().col_mut(j);
                for (x, row) in column.iter_mut().zip(stripe.chunks_exact(across)) {
                    *x = row[c];
                }
            }
        }
    }
}

/// The reflectors of one problem.
#[derive(Clone, Copy)]
struct Reflectors<'a> {
    size: usize,
    half_width: usize,
    numbers: MatRef<'a, f64>,
}

impl<'a> Reflectors<'a> {
    /// The one of sweep j that begins at `row`, τ in place of its first entry.
    #[inline(always)]
    fn at(self, j: usize, row: usize) -> &'a [f64] {
        let sweep = &column(self.numbers, chase_column(self.size, j))[..self.size - 1 - j];
        let rest = &sweep[row - 1 - j..];
        &rest[..self.half_width.min(rest.len())]
    }

    /// Those of a whole diamond.
    #[inline(always)]
    fn diamond(self, j: usize, step: usize) -> [&'a [f64]; TOGETHER] {
        let mut v: [&[f64]; TOGETHER] = [&[]; TOGETHER];
        for n in 0..TOGETHER {
            v[n] = &self.at(j + n, j + n + 1 + step * self.half_width)[..self.half_width];
        }
        v
    }

    /// First sweeps of those that are taken together, in the order in which they apply.
    #[inline(always)]
    fn groups(self) -> impl Iterator<Item = usize> {
        (0..sweeps(self.size).div_ceil(TOGETHER)).rev().map(|group| group * TOGETHER)
    }

    /// `v_mᵀv_n` of all pairs of each whole diamond, in the order in which they apply.
    #[inline(always)]
    fn overlaps(self, to: &mut [f64]) {
        let mut to = to.chunks_exact_mut(PAIRS);
        for j in self.groups() {
            for (step, to) in (0..whole(self.size, self.half_width, j)).zip(&mut to) {
                let v = self.diamond(j, step);
                unrolled!(n < TOGETHER {
                    for m in 0..n {
                        // v_n begins beside entry n − m of v_m, with a 1.
                        let count = self.half_width - (n - m);
                        let (x, y) = (&v[m][n - m..][..count], &v[n][..count]);
                        let mut sum = x[0];
                        for i in 1..count {
                            sum = x[i].mul_add(y[i], sum);
                        }
                        to[pair(m, n)] = sum;
                    }
                });
            }
        }
    }

    /// Applies them to a stripe: rows of C registers.
    #[inline(always)]
    fn apply<S: Simd, const C: usize>(self, s: S, overlaps: &[f64], rows: &mut [S::f64s]) {
        let (size, b) = (self.size, self.half_width);
        let mut overlaps = overlaps.chunks_exact(PAIRS);
        for j in self.groups() {
            let whole = whole(size, b, j);
            for (step, overlaps) in (0..whole).zip(&mut overlaps) {
                let first = j + 1 + step * b;
                let rows = &mut rows[first * C..][..(b + TOGETHER - 1) * C];
                diamond::<S, C>(s, self.diamond(j, step), overlaps, rows);
            }
            for step in whole..(size - 1 - j).div_ceil(b) {
                for n in (0..TOGETHER.min(sweeps(size) - j)).rev() {
                    let first = j + n + 1 + step * b;
                    if first < size {
                        single::<S, C>(s, self.at(j + n, first), &mut rows[first * C..]);
                    }
                }
            }
        }
    }
}

/// Applies the reflectors of a diamond to its b + 3 rows, the last of them first.
#[inline(always)]
fn diamond<S: Simd, const C: usize>(s: S, v: [&[f64]; TOGETHER], overlaps: &[f64], rows: &mut [S::f64s]) {
    let b = v[0].len();
    let count = b - TOGETHER;
    let (head, rest) = rows.split_at_mut(TOGETHER * C);
    let (middle, tail) = rest.split_at_mut(count * C);
    let mut within: [&[f64]; TOGETHER] = [&[]; TOGETHER];
    for n in 0..TOGETHER {
        within[n] = &v[n][TOGETHER - n..][..count];
    }
    let mut sums = [[s.all(0.0); C]; TOGETHER];
    // The first rows, where not all of them are yet: reflector i begins at row i, with a 1.
    unrolled!(i < TOGETHER {
        let x = load::<S, C>(&head[i * C..]);
        for n in 0..i {
            let v = s.all(v[n][i - n]);
            for c in 0..C {
                sums[n][c] = s.mul_add(v, x[c], sums[n][c]);
            }
        }
        sums[i] = x;
    });
    for (i, row) in (0..count).zip(middle.chunks_exact(C)) {
        let x = load::<S, C>(row);
        for n in 0..TOGETHER {
            let v = s.all(within[n][i]);
            for c in 0..C {
                sums[n][c] = s.mul_add(v, x[c], sums[n][c]);
            }
        }
    }
    // The last rows, where not all of them are any more: reflector n ends with row b − 1 + n.
    unrolled!(i < TOGETHER {
        if i > 0 {
            let x = load::<S, C>(&tail[(i - 1) * C..]);
            for n in i..TOGETHER {
                let v = s.all(v[n][b - 1 + i - n]);
                for c in 0..C {
                    sums[n][c] = s.mul_add(v, x[c], sums[n][c]);
                }
            }
        }
    });
    // In the order in which they apply.
    unrolled!(step < TOGETHER {
        let n = TOGETHER - 1 - step;
        for m in n + 1..TOGETHER {
            let overlap = s.all(overlaps[pair(n, m)]);
            for c in 0..C {
                sums[n][c] = s.sub_mul(sums[n][c], overlap, sums[m][c]);
            }
        }
        let tau = s.all(v[n][0]);
        for c in 0..C {
            sums[n][c] = s.mul(tau, sums[n][c]);
        }
    });
    unrolled!(i < TOGETHER {
        let row = &mut head[i * C..][..C];
        for c in 0..C {
            let mut x = s.sub(row[c], sums[i][c]);
            for n in 0..i {
                x = s.sub_mul(x, s.all(v[n][i - n]), sums[n][c]);
            }
            row[c] = x;
        }
    });
    for (i, row) in (0..count).zip(middle.chunks_exact_mut(C)) {
        let mut x = load::<S, C>(row);
        for n in 0..TOGETHER {
            let v = s.all(within[n][i]);
            for c in 0..C {
                x[c] = s.sub_mul(x[c], v, sums[n][c]);
            }
        }
        store::<S, C>(row, &x);
    }
    unrolled!(i < TOGETHER {
        if i > 0 {
            let row = &mut tail[(i - 1) * C..][..C];
            for c in 0..C {
                let mut x = row[c];
                for n in i..TOGETHER {
                    x = s.sub_mul(x, s.all(v[n][b - 1 + i - n]), sums[n][c]);
                }
                row[c] = x;
            }
        }
    });
}

/// Applies one reflector to the rows from its first on.
#[inline(always)]
fn single<S: Simd, const C: usize>(s: S, v: &[f64], rows: &mut [S::f64s]) {
    let (head, rows) = rows.split_at_mut(C);
    let mut sums = load::<S, C>(head);
    for (row, v) in rows.chunks_exact(C).zip(&v[1..]) {
        let v = s.all(*v);
        for c in 0..C {
            sums[c] = s.mul_add(v, row[c], sums[c]);
        }
    }
    let tau = s.all(v[0]);
    for c in 0..C {
        sums[c] = s.mul(tau, sums[c]);
        head[c] = s.sub(head[c], sums[c]);
    }
    for (row, v) in rows.chunks_exact_mut(C).zip(&v[1..]) {
        let v = s.all(*v);
        for c in 0..C {
            row[c] = s.sub_mul(row[c], v, sums[c]);
        }
    }
}

#[cfg(test)]
mod tests {
    use eigensweep_testkit::random::Random;
    use faer::Mat;

    use super::*;
    use crate::lanes::InstructionSet;
    use crate::lanes::chase::tests::{KINDS, applied, band, chase, sizes};

    /// `Q₂ X`.
    fn apply(isa: InstructionSet, half_width: usize, reflectors: &Mat<f64>, x: &Mat<f64>) -> Mat<f64> {
        let (size, mut x, width) = (x.nrows(), x.clone(), x.ncols());
        isa.run(ApplyChased {
            size,
            half_width,
            reflectors: reflectors.as_ref(),
            vectors: x.as_mut(),
            work: &mut vec![f64::NAN; apply_work_len(size, half_width, width)],
        });
        x
    }

    #[test]
    fn the_product_is_that_of_the_reflectors_one_by_one() {
        let rng = &mut Random(21);
        for half_width in [1, 2, 3, 4, 5, 8, 16, 24, 32] {
            for size in sizes(half_width) {
                let bands: Vec<_> = (0..KINDS).map(|kind| band(kind, size, half_width, rng)).collect();
                let identity = Mat::<f64>::identity(size, size);
                let answers = chase(InstructionSet::detect(), half_width, &bands, &identity);
                for (kind, answer) in answers.iter().enumerate() {
                    let name = format!("kind {kind}, {size} by {half_width}");
                    let reflectors = &answer.reflectors;
                    let expected = applied(reflectors, half_width, &identity);
                    let q = apply(InstructionSet::detect(), half_width, reflectors, &identity);
                    let error = (&q - &expected).norm_l2();
                    assert!(error <= 4.0 * size as f64 * f64::EPSILON, "{name}: {error:e}");
                }
            }
        }
    }

    #[test]
    fn neither_the_instruction_set_nor_other_columns_change_a_bit() {
        let rng = &mut Random(22);
        for half_width in [2, 4, 8, 16] {
            for size in sizes(half_width).into_iter().chain([0, 257]) {
                let bands = [band(0, size, half_width, rng)];
                let right = Mat::zeros(size, 0);
                let answers = chase(InstructionSet::detect(), half_width, &bands, &right);
                let reflectors = &answers[0].reflectors;
                let x = rng.normals(size, 50);
                let reference = apply(InstructionSet::portable(), half_width, reflectors, &x);
                for isa in InstructionSet::available() {
                    for width in [0, 1, 2, 7, 8, 9, 23, 41, 50] {
                        let first = x.subcols(0, width).to_owned();
                        let answer = apply(isa, half_width, reflectors, &first);
                        let name = format!("{}, {width} of {size} by {half_width}", isa.name());
                        for (x, y) in answer.col_iter().zip(reference.col_iter()) {
                            assert!(
                                x.iter().zip(y.iter()).all(|(x, y)| x.to_bits() == y.to_bits()),
                                "{name}"
                            );
                        }
                    }
                }
            }
        }
    }
}
