//! Cholesky factors of a group, and the triangular solves with them.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | M | `matrix` | d rows | upper triangle read; afterwards, above the diagonal, `Lᵀ` |
//! | | `pivots` | d | `Mⱼⱼ − Σ_p Lⱼₚ²`, without the shift |
//! | | `inverses` | d | `1/Lⱼⱼ` |
//!
//! `M + shift·I = L Lᵀ`, `Lⱼⱼ = √(shift + pivotⱼ)`, `Lᵢⱼ = (Mᵢⱼ − Σ_{p<j} Lᵢₚ Lⱼₚ)/Lⱼⱼ`. With a
//! shift of 1 the pivot is the difference `Lⱼⱼ² − 1` without its cancellation.
//!
//! Tiles: what rows above contribute first, then the rows of the block itself, in registers. Each
//! entry takes its terms in ascending order of p, so blocks leave no trace.
//!
//! Counts: d³/3 flops, a load of a tile's row for 2·A·C/(A + C) flops; solves 2d² flops a column
//! (d² each). Rounding: backward stable, `|ΔM| ≤ (d + 2)·ε |L||Lᵀ|` (Higham, 2002, theorem 10.3).

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::tiles::{Tile, View, for_tiles, load, store, stride, subtract, unrolled};

/// Factors `matrix + shift·I` of each lane. A lane whose pivot is not positive goes on with NaN.
pub(crate) struct Factor<'a> {
    pub(crate) size: usize,
    pub(crate) shift: f64,
    pub(crate) matrix: &'a mut [f64],
    pub(crate) pivots: &'a mut [f64],
    pub(crate) inverses: &'a mut [f64],
}

struct Factoring<'a, S: Simd> {
    stride: usize,
    shift: S::f64s,
    matrix: &'a mut [S::f64s],
    pivots: &'a mut [S::f64s],
    inverses: &'a mut [S::f64s],
}

impl WithSimd for Factor<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let size = self.size;
        let mut factoring = Factoring::<S> {
            stride: stride(size),
            shift: s.all(self.shift),
            matrix: S::as_mut_simd_f64s(self.matrix).0,
            pivots: S::as_mut_simd_f64s(self.pivots).0,
            inverses: S::as_mut_simd_f64s(self.inverses).0,
        };
        for_tiles(s, &mut factoring, size, size, |row, _| row..size);
    }
}

impl<S: Simd> Tile<S> for Factoring<'_, S> {
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let stride = self.stride;
        let (above, block) = self.matrix.split_at_mut(row * stride);
        let mut sums = [[s.all(0.0); C]; A];
        for a in 0..A {
            sums[a] = load::<S, C>(&block[a * stride + column..]);
        }
        if row > 0 {
            let above = View::<S>::new(above, stride);
            sums = subtract(s, sums, above.at_column(row), above.at_column(column), 0..row);
        }
        unrolled!(a < A {
            // The rows of the block before this one.
            for q in 0..a {
                let x = block[q * stride + row + a];
                for c in 0..C {
                    sums[a][c] = s.sub_mul(sums[a][c], x, sums[q][c]);
                }
            }
            let place = row + a;
            // The tile with the diagonal comes first, and is as wide as high.
            if column == row && a < C {
                let pivot = sums[a][a];
                self.pivots[place] = pivot;
                self.inverses[place] = s.div(s.all(1.0), s.sqrt(s.add(self.shift, pivot)));
            }
            let inverse = self.inverses[place];
            for c in 0..C {
                sums[a][c] = s.mul(sums[a][c], inverse);
            }
            store::<S, C>(&mut block[a * stride + column..], &sums[a]);
        });
    }
}

/// Overwrites `rows` (d rows of `width`) of each lane by `L⁻¹` times them.
pub(crate) struct SolveLower<'a> {
    pub(crate) size: usize,
    pub(crate) matrix: &'a [f64],
    pub(crate) inverses: &'a [f64],
    pub(crate) rows: &'a mut [f64],
    pub(crate) width: usize,
}

pub(super) struct Lower<'a, S: Simd> {
    pub(super) factor: View<'a, S>,
    pub(super) inverses: &'a [S::f64s],
    pub(super) rows: &'a mut [S::f64s],
    pub(super) width: usize,
}

impl WithSimd for SolveLower<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let width = self.width;
        if width == 0 {
            return;
        }
        let mut lower = Lower::<S> {
            factor: View::new(S::as_simd_f64s(self.matrix).0, stride(self.size)),
            inverses: S::as_simd_f64s(self.inverses).0,
            rows: S::as_mut_simd_f64s(self.rows).0,
            width,
        };
        for_tiles(s, &mut lower, self.size, self.size, |_, _| 0..width);
    }
}

impl<S: Simd> Tile<S> for Lower<'_, S> {
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let width = self.width;
        let (above, block) = self.rows.split_at_mut(row * width);
        let mut sums = [[s.all(0.0); C]; A];
        for a in 0..A {
            sums[a] = load::<S, C>(&block[a * width + column..]);
        }
        if row > 0 {
            let known = View::<S>::new(above, width).at_column(column);
            sums = subtract(s, sums, self.factor.at_column(row), known, 0..row);
        }
        sums = substitute(s, sums, self.factor, self.inverses, row);
        for a in 0..A {
            store::<S, C>(&mut block[a * width + column..], &sums[a]);
        }
    }
}

/// Forward substitution of a block of rows among themselves, what rows above contribute being gone:
/// row a of `sums` is row `row + a` of the right-hand side and becomes that of the solution.
#[inline(always)]
pub(crate) fn substitute<S: Simd, const A: usize, const C: usize>(
    s: S,
    mut sums: [[S::f64s; C]; A],
    factor: View<'_, S>,
    inverses: &[S::f64s],
    row: usize,
) -> [[S::f64s; C]; A] {
    unrolled!(a < A {
        for q in 0..a {
            let [x] = factor.at_column(row + a).row::<1>(row + q);
            for c in 0..C {
                sums[a][c] = s.sub_mul(sums[a][c], x, sums[q][c]);
            }
        }
        let inverse = inverses[row + a];
        for c in 0..C {
            sums[a][c] = s.mul(sums[a][c], inverse);
        }
    });
    sums
}

/// Overwrites `rows` (d rows of `width`) of each lane by `L⁻ᵀ` times them.
pub(crate) struct SolveUpper<'a> {
    pub(crate) size: usize,
    pub(crate) matrix: &'a [f64],
    pub(crate) inverses: &'a [f64],
    pub(crate) rows: &'a mut [f64],
    pub(crate) width: usize,
}

impl WithSimd for SolveUpper<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (matrix, _) = S::as_simd_f64s(self.matrix);
        let (inverses, _) = S::as_simd_f64s(self.inverses);
        let (rows, _) = S::as_mut_simd_f64s(self.rows);
        let mut first = 0;
        while first + 5 <= self.width {
            solve_upper::<S, 5>(s, self.size, matrix, inverses, rows, self.width, first);
            first += 5;
        }
        while first < self.width {
            solve_upper::<S, 1>(s, self.size, matrix, inverses, rows, self.width, first);
            first += 1;
        }
    }
}

/// C columns, two rows at a time from the last: 2·C chains. Terms in ascending order of the row,
/// but the neighbour's last.
#[inline(always)]
fn solve_upper<S: Simd, const C: usize>(
    s: S,
    size: usize,
    matrix: &[S::f64s],
    inverses: &[S::f64s],
    rows: &mut [S::f64s],
    width: usize,
    first: usize,
) {
    let stride = stride(size);
    let mut row = size;
    if size % 2 == 1 {
        row -= 1;
        for x in &mut rows[row * width + first..][..C] {
            *x = s.mul(*x, inverses[row]);
        }
    }
    while row > 0 {
        row -= 2;
        let (above, below) = rows.split_at_mut((row + 2) * width);
        let (upper, lower) = above[row * width..].split_at_mut(width);
        let (upper, lower) = (&mut upper[first..][..C], &mut lower[first..][..C]);
        let count = size - row - 2;
        let x = &matrix[row * stride + row + 1..][..count + 1];
        let (beside, x) = (x[0], &x[1..]);
        let y = &matrix[(row + 1) * stride + row + 2..][..count];
        let mut sums = [[s.all(0.0); C]; 2];
        for ((x, y), known) in x.iter().zip(y).zip(below.chunks_exact(width)) {
            let known = &known[first..][..C];
            for c in 0..C {
                sums[0][c] = s.mul_add(*x, known[c], sums[0][c]);
                sums[1][c] = s.mul_add(*y, known[c], sums[1][c]);
            }
        }
        for c in 0..C {
            lower[c] = s.mul(s.sub(lower[c], sums[1][c]), inverses[row + 1]);
            let known = s.mul_add(beside, lower[c], sums[0][c]);
            upper[c] = s.mul(s.sub(upper[c], known), inverses[row]);
        }
    }
}
