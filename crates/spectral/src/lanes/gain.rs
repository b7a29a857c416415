//! `G = L⁻¹A` of a group, where `A + I = L Lᵀ`, and the pencil (A Σ A, A + I) as one symmetric matrix.
//!
//! `A = L Lᵀ − I` gives `G = Lᵀ − L⁻¹`: the entries of the factor above the diagonal, those of its inverse below, and on it
//! `Lⱼⱼ − 1/Lⱼⱼ = pivotⱼ/Lⱼⱼ`, which the factor has without cancellation. So the triangular solve with d right-hand sides (d³ flops)
//! is the inverse of a triangle (d³/3).
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | G | `matrix` | d rows | above and on the diagonal from [`Factor`](super::cholesky::Factor); here all of it |
//! | L⁻¹ | `inverse` | d rows | lower triangle, zeros above |
//! | Fᵀ | `transposed` | d rows | `Fᵀⱼᵢ = Gᵢⱼ rⱼ` for `F = G Σ^½` |
//!
//! Counts: d³/3 flops. Rounding: of the inverse by substitution, `|L⁻¹L − I| ≤ d·ε |L⁻¹||L|` (Higham, 2002, section 14.2); relative to
//! ‖A‖ all of G has the error that the solve has: both come from the factor's.

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::cholesky::substitute;
use super::tiles::{COLUMNS, Tile, View, add, for_tiles, store, stride, subtract};

/// Completes G and writes Fᵀ of each lane.
pub(crate) struct Gain<'a> {
    pub(crate) size: usize,
    pub(crate) matrix: &'a mut [f64],
    pub(crate) inverses: &'a [f64],
    /// Σ^½ (d).
    pub(crate) roots: &'a [f64],
    pub(crate) inverse: &'a mut [f64],
    pub(crate) transposed: &'a mut [f64],
}

struct Inverting<'a, S: Simd> {
    stride: usize,
    factor: View<'a, S>,
    inverses: &'a [S::f64s],
    inverse: &'a mut [S::f64s],
}

impl WithSimd for Gain<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let size = self.size;
        let stride = stride(size);
        let (matrix, _) = S::as_mut_simd_f64s(self.matrix);
        let (inverses, _) = S::as_simd_f64s(self.inverses);
        let (roots, _) = S::as_simd_f64s(self.roots);
        let (inverse, _) = S::as_mut_simd_f64s(self.inverse);
        let (transposed, _) = S::as_mut_simd_f64s(self.transposed);
        let mut inverting =
            Inverting::<S> { stride, factor: View::new(matrix, stride), inverses, inverse: &mut *inverse };
        // Up to the end of the tile that holds the last diagonal entry of the block.
        for_tiles(s, &mut inverting, size, size, |row, rows| {
            0..(row + rows).next_multiple_of(COLUMNS).min(size)
        });
        for i in 0..size {
            let upper = &matrix[i * stride + i..][..size - i];
            for (j, (x, root)) in (i..).zip(upper.iter().zip(&roots[i..])) {
                transposed[j * stride + i] = s.times(*x, *root);
            }
            let lower = &mut matrix[i * stride..][..i];
            let known = &inverse[i * stride..][..i];
            for (j, ((to, x), root)) in lower.iter_mut().zip(known).zip(roots).enumerate() {
                *to = s.minus(s.all(0.0), *x);
                transposed[j * stride + i] = s.times(*to, *root);
            }
        }
    }
}

impl<S: Simd> Tile<S> for Inverting<'_, S> {
    /// Rows of L⁻¹ by forward substitution on the identity.
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let stride = self.stride;
        let (above, block) = self.inverse.split_at_mut(row * stride);
        let mut sums = [[s.all(0.0); C]; A];
        for a in 0..A {
            let place = row + a;
            for c in 0..C {
                if column + c == place {
                    sums[a][c] = s.all(1.0);
                }
            }
        }
        // Rows above the first column's own hold zeros there.
        if column < row {
            let known = View::<S>::new(above, stride).at_column(column);
            sums = subtract(s, sums, self.factor.at_column(row), known, column..row);
        }
        sums = substitute(s, sums, self.factor, self.inverses, row);
        for a in 0..A {
            store::<S, C>(&mut block[a * stride + column..], &sums[a]);
        }
    }
}

/// For columns P (d rows of `width`) of each lane: `U = L⁻ᵀP` and `A U = GᵀP`.
///
/// With `s = Σ_{p>i} Gₚᵢ Pₚ`, row i of U is `Pᵢ/Lᵢᵢ − s` and row i of A U is `s + Σ_{p≤i} Gₚᵢ Pₚ`: one pass over G. 2d² flops a column.
pub(crate) struct Images<'a> {
    pub(crate) size: usize,
    pub(crate) matrix: &'a [f64],
    pub(crate) inverses: &'a [f64],
    pub(crate) columns: &'a [f64],
    pub(crate) width: usize,
    /// U (d rows of `width`).
    pub(crate) basis: &'a mut [f64],
    /// A U (d rows of `width`).
    pub(crate) image: &'a mut [f64],
}

struct Mapping<'a, S: Simd> {
    size: usize,
    matrix: View<'a, S>,
    inverses: &'a [S::f64s],
    columns: View<'a, S>,
    width: usize,
    basis: &'a mut [S::f64s],
    image: &'a mut [S::f64s],
}

impl WithSimd for Images<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let width = self.width;
        let mut mapping = Mapping::<S> {
            size: self.size,
            matrix: View::new(S::as_simd_f64s(self.matrix).0, stride(self.size)),
            inverses: S::as_simd_f64s(self.inverses).0,
            columns: View::new(S::as_simd_f64s(self.columns).0, width),
            width,
            basis: S::as_mut_simd_f64s(self.basis).0,
            image: S::as_mut_simd_f64s(self.image).0,
        };
        for_tiles(s, &mut mapping, self.size, self.size, |_, _| 0..width);
    }
}

impl<S: Simd> Tile<S> for Mapping<'_, S> {
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let (gain, given) = (self.matrix.at_column(row), self.columns.at_column(column));
        let end = row + A;
        let mut own = [[s.all(0.0); C]; A];
        let mut sums = own;
        for a in 0..A {
            own[a] = given.row::<C>(row + a);
        }
        for q in 1..A {
            let x = gain.row::<A>(row + q);
            for a in 0..q {
                for c in 0..C {
                    sums[a][c] = s.fused(x[a], own[q][c], sums[a][c]);
                }
            }
        }
        sums = add(s, sums, gain, given, end..self.size);
        for a in 0..A {
            let inverse = self.inverses[row + a];
            for c in 0..C {
                let at = (row + a) * self.width + column + c;
                self.basis[at] = s.minus(s.times(own[a][c], inverse), sums[a][c]);
                self.image[at] = sums[a][c];
            }
        }
        let mut sums = [[s.all(0.0); C]; A];
        sums = add(s, sums, gain, given, 0..row);
        for q in 0..A {
            let x = gain.row::<A>(row + q);
            for a in q..A {
                for c in 0..C {
                    sums[a][c] = s.fused(x[a], own[q][c], sums[a][c]);
                }
            }
        }
        for a in 0..A {
            for c in 0..C {
                let at = (row + a) * self.width + column + c;
                self.image[at] = s.plus(self.image[at], sums[a][c]);
            }
        }
    }
}
