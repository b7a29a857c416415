//! `H = L⁻¹ M L⁻ᵀ` of a group, M symmetric, by triangles: d³ flops instead of 2d³.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | L | `factor` | d rows | above the diagonal `Lᵀ`, from [`Factor`](super::cholesky::Factor) |
//! | | `inverses` | d | `1/Lⱼⱼ` |
//! | M | `matrix` | d rows | upper triangle read; afterwards that of H |
//!
//! First `W = L⁻¹ M` above the diagonal, which needs no entry below it:
//! `w_qj = (m_qj − Σ_{r<q} L_qr w_rj)/L_qq` for q ≤ j. Then `H = W L⁻ᵀ`,
//! `h_qj = (w_qj − Σ_{r<j} h_qr L_jr)/L_jj` for q ≤ j, where `h_qr = h_rq` is above the diagonal
//! for r < q: what rows above hold of the tile's own rows, by rows, and then what its own rows
//! hold.
//!
//! Counts: d³/3 and 2/3 d³ flops, as LAPACK's `dsygst` takes. Rounding: every entry is a chain over
//! ascending r, so tiles leave no trace; backward stable in L as two triangular solves are (Higham,
//! 2002, section 8.1).

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::cholesky::Lower;
use super::tiles::{Tile, View, for_tiles, load, store, stride, subtract, subtract_rows, unrolled};

/// Overwrites the symmetric `matrix` of each lane by `L⁻¹` times it times `L⁻ᵀ`.
pub(crate) struct Congruence<'a> {
    pub(crate) size: usize,
    pub(crate) factor: &'a [f64],
    pub(crate) inverses: &'a [f64],
    pub(crate) matrix: &'a mut [f64],
}

struct FromRight<'a, S: Simd> {
    stride: usize,
    factor: View<'a, S>,
    inverses: &'a [S::f64s],
    matrix: &'a mut [S::f64s],
}

impl WithSimd for Congruence<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (size, stride) = (self.size, stride(self.size));
        let (matrix, _) = S::as_mut_simd_f64s(self.matrix);
        let (inverses, _) = S::as_simd_f64s(self.inverses);
        let factor = View::<S>::new(S::as_simd_f64s(self.factor).0, stride);
        let mut lower = Lower::<S> { factor, inverses, rows: &mut *matrix, width: stride };
        for_tiles(s, &mut lower, size, size, |row, _| row..size);
        let mut right = FromRight::<S> { stride, factor, inverses, matrix };
        for_tiles(s, &mut right, size, size, |row, _| row..size);
    }
}

impl<S: Simd> Tile<S> for FromRight<'_, S> {
    #[inline(always)]
    fn tile<const A: usize, const C: usize>(&mut self, s: S, row: usize, column: usize) {
        let Self { stride, factor, .. } = *self;
        let mut sums = [[s.all(0.0); C]; A];
        for a in 0..A {
            sums[a] = load::<S, C>(&self.matrix[(row + a) * stride + column..]);
        }
        let factor = factor.at_column(column);
        let known = View::<S>::new(self.matrix, stride);
        sums = subtract(s, sums, known.at_column(row), factor, 0..row);
        if column > row {
            sums = subtract_rows(s, sums, known, row, factor, row..column);
        }
        // The columns of the tile among themselves.
        if column > row {
            unrolled!(c < C {
                unrolled!(r < c {
                    let x = factor.row::<C>(column + r)[c];
                    for a in 0..A {
                        sums[a][c] = s.sub_mul(sums[a][c], sums[a][r], x);
                    }
                });
                let inverse = self.inverses[column + c];
                for a in 0..A {
                    sums[a][c] = s.mul(sums[a][c], inverse);
                }
            });
        } else {
            // The tile with the diagonal comes first, and is at least as wide as high: what is
            // below the diagonal stands above it, and is written below for the tiles to the right.
            unrolled!(c < C {
                unrolled!(a < A {
                    if a <= c {
                        unrolled!(r < c {
                            let x = factor.row::<C>(column + r)[c];
                            let known = if r < a { sums[r][a] } else { sums[a][r] };
                            sums[a][c] = s.sub_mul(sums[a][c], known, x);
                        });
                        sums[a][c] = s.mul(sums[a][c], self.inverses[column + c]);
                    }
                });
            });
            unrolled!(a < A {
                unrolled!(c < a {
                    sums[a][c] = sums[c][a];
                });
            });
        }
        for a in 0..A {
            store::<S, C>(&mut self.matrix[(row + a) * stride + column..], &sums[a]);
        }
    }
}
