//! `F = L⁻¹A Σ^½` of a group, where `A + I = L Lᵀ`: with it the pencil (A Σ A, A + I) is one
//! symmetric matrix `F Fᵀ`.
//!
//! `A = L Lᵀ − I` gives `F = (Lᵀ − L⁻¹) Σ^½`: above the diagonal the entries of the factor, below
//! it those of its inverse, and on it `Lⱼⱼ − 1/Lⱼⱼ = pivotⱼ/Lⱼⱼ`, which the factor has without
//! cancellation. So the triangular solve with d right-hand sides (d³ flops) is the inverse of a
//! triangle (d³/3), and F takes the place of the factor: what is below the diagonal is free.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | F | `matrix` | d rows | above and on the diagonal from [`Factor`](super::cholesky::Factor); here all of it |
//! | Σ^½ | `roots` | d | |
//! | Σ^(−½) | `scales` | d | |
//!
//! Counts: d³/3 flops. Rounding: of the inverse by substitution, `|L⁻¹L − I| ≤ d·ε |L⁻¹||L|`
//! (Higham, 2002, section 14.2); relative to ‖A‖ all of `F Σ^(−½)` has the error that the solve
//! has: both come from the factor's.

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::cholesky::substitute;
use super::tiles::{Tile, View, add_upwards, for_tiles, store, stride, subtract, unrolled};

/// Makes F of the factor of each lane.
pub(crate) struct Gain<'a> {
    pub(crate) size: usize,
    pub(crate) matrix: &'a mut [f64],
    pub(crate) inverses: &'a [f64],
    pub(crate) roots: &'a [f64],
}

struct Inverting<'a, S: Simd> {
    stride: usize,
    matrix: &'a mut [S::f64s],
    inverses: &'a [S::f64s],
    roots: &'a [S::f64s],
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
        let mut inverting = Inverting::<S> { stride, matrix: &mut *matrix, inverses, roots };
        for_tiles(s, &mut inverting, size, size, |row, rows| 0..(row + rows).saturating_sub(1));
        for i in 0..size {
            for (x, root) in matrix[i * stride + i..][..size - i].iter_mut().zip(&roots[i..]) {
                *x = s.mul(*x, *root);
            }
        }
    }
}

impl<S: Simd> Tile<S> for Inverting<'_, S> {
    /// Rows of `−L⁻¹Σ^½` below the diagonal, by forward substitution on `−Σ^½`.
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let zero = s.all(0.0);
        let all = View::<S>::new(self.matrix, self.stride);
        let (factor, known) = (all.at_column(row), all.at_column(column));
        let below = column + C <= row;
        let mut sums = [[zero; C]; A];
        if !below {
            for a in 0..A {
                for c in 0..C {
                    if column + c == row + a {
                        sums[a][c] = s.sub(zero, self.roots[row + a]);
                    }
                }
            }
        }
        // Rows in which the tile's own columns begin, on the diagonal.
        unrolled!(q < C {
            let p = column + q;
            if p < row {
                let (x, own) = (factor.row::<A>(p), known.row::<C>(p));
                let first = s.mul(s.sub(zero, self.roots[p]), self.inverses[p]);
                for a in 0..A {
                    for c in 0..q {
                        sums[a][c] = s.sub_mul(sums[a][c], x[a], own[c]);
                    }
                    sums[a][q] = s.sub_mul(sums[a][q], x[a], first);
                }
            }
        });
        if below {
            sums = subtract(s, sums, factor, known, column + C..row);
        }
        sums = substitute(s, sums, all, self.inverses, row);
        for a in 0..A {
            let to = &mut self.matrix[(row + a) * self.stride + column..][..C];
            if below {
                store::<S, C>(to, &sums[a]);
            } else {
                for c in 0..C {
                    if column + c < row + a {
                        to[c] = sums[a][c];
                    }
                }
            }
        }
    }
}

/// Writes the diagonal of `(L Lᵀ)⁻¹` of each lane: squared lengths of the columns of `L⁻¹`, which
/// [`Gain`] leaves below the diagonal where Σ is the identity. d² flops.
pub(crate) struct InversePowers<'a> {
    pub(crate) size: usize,
    pub(crate) matrix: &'a [f64],
    pub(crate) inverses: &'a [f64],
    pub(crate) powers: &'a mut [f64],
}

impl WithSimd for InversePowers<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (matrix, _) = S::as_simd_f64s(self.matrix);
        let (inverses, _) = S::as_simd_f64s(self.inverses);
        let (powers, _) = S::as_mut_simd_f64s(self.powers);
        for i in 0..self.size {
            powers[i] = s.mul(inverses[i], inverses[i]);
            let row = &matrix[i * stride(self.size)..][..i];
            for (power, x) in powers.iter_mut().zip(row) {
                *power = s.mul_add(*x, *x, *power);
            }
        }
    }
}

/// For columns P (d rows of `width`) of each lane: `U = L⁻ᵀP` and `A U = Σ^(−½)FᵀP`.
///
/// With `s = Σ_{p>i} Fₚᵢ Pₚ/√σᵢ`, row i of U is `Pᵢ/Lᵢᵢ − s` and row i of A U is
/// `s + Σ_{p≤i} Fₚᵢ Pₚ/√σᵢ`: one pass over F, from its last row to its first. 2d² flops a column.
pub(crate) struct Images<'a> {
    pub(crate) size: usize,
    pub(crate) matrix: &'a [f64],
    pub(crate) inverses: &'a [f64],
    pub(crate) scales: &'a [f64],
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
    scales: &'a [S::f64s],
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
            scales: S::as_simd_f64s(self.scales).0,
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
        let sums = [[s.all(0.0); C]; A];
        let mut sums = add_upwards(s, sums, gain, given, row + A..self.size);
        unrolled!(n < A {
            let q = A - 1 - n;
            let (x, own) = (gain.row::<A>(row + q), given.row::<C>(row + q));
            for a in 0..q {
                for c in 0..C {
                    sums[a][c] = s.mul_add(x[a], own[c], sums[a][c]);
                }
            }
        });
        for a in 0..A {
            let (own, inverse, scale) =
                (given.row::<C>(row + a), self.inverses[row + a], self.scales[row + a]);
            let to = &mut self.basis[(row + a) * self.width + column..][..C];
            for c in 0..C {
                to[c] = s.sub_mul(s.mul(own[c], inverse), sums[a][c], scale);
            }
        }
        unrolled!(n < A {
            let q = A - 1 - n;
            let (x, own) = (gain.row::<A>(row + q), given.row::<C>(row + q));
            for a in q..A {
                for c in 0..C {
                    sums[a][c] = s.mul_add(x[a], own[c], sums[a][c]);
                }
            }
        });
        let sums = add_upwards(s, sums, gain, given, 0..row);
        for a in 0..A {
            let scale = self.scales[row + a];
            let to = &mut self.image[(row + a) * self.width + column..][..C];
            for c in 0..C {
                to[c] = s.mul(sums[a][c], scale);
            }
        }
    }
}
