//! The root of the inverse of S that all closed forms begin with: T (d × r) with `TᵀST = I`, its
//! columns in the range of S.
//!
//! Where S is positive definite `T = L⁻ᵀ` of its Cholesky factor, r = d; where it is singular, T is
//! its root on the [`range`](eigensweep_spectral::range).

use eigensweep_spectral::cholesky::{
    factor_safely_in_place, solve_lower_in_place, solve_lower_transpose_in_place,
};
use eigensweep_spectral::range::inverse_root;
use eigensweep_spectral::{Failure, MemStack};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// T, of the S that was factored last.
pub(crate) struct Root {
    /// L, lower triangle, or T.
    matrix: Mat<f64>,
    is_triangular: bool,
    size: usize,
    rank: usize,
    /// What S with a unit diagonal is off by, beside its own rounding.
    pub(crate) rounding: f64,
}

/// Rounding of S, in units of d·ε, above which a factor of it may be that of rounding: what is usual
/// is a few. Chosen.
const MUCH: f64 = 100.0;

/// Whether S of d variables is off by so much that no factor of it is trusted.
pub(crate) fn is_much(rounding: f64, size: usize) -> bool {
    rounding > MUCH * size as f64 * f64::EPSILON
}

impl Root {
    /// Room for matrices of up to `size` = d.
    pub(crate) fn new(size: usize) -> Self {
        Self { matrix: Mat::zeros(size, size), is_triangular: true, size: 0, rank: 0, rounding: 0.0 }
    }

    /// r.
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// Factors `S + ρI` and returns its rank; `workspace` is two of d × d.
    pub(crate) fn factor(
        &mut self,
        views: MatRef<'_, f64>,
        ridge: f64,
        workspace: [MatMut<'_, f64>; 2],
        stack: &mut MemStack,
    ) -> Result<usize, Failure> {
        let size = views.nrows();
        let [mut first, second] = workspace;
        let load = |mut to: MatMut<'_, f64>| {
            to.copy_from_triangular_lower(views);
            for i in 0..size {
                to[(i, i)] += ridge;
            }
        };
        let mut matrix = self.matrix.as_mut().submatrix_mut(0, 0, size, size);
        load(matrix.as_mut());
        let definite = if is_much(self.rounding, size) {
            Err(Failure::NotPositiveDefinite { pivot: 0 })
        } else {
            factor_safely_in_place(matrix.as_mut(), first.as_mut(), stack)
        };
        self.size = size;
        self.is_triangular = definite.is_ok();
        self.rank = match definite {
            Ok(()) => size,
            Err(Failure::NotPositiveDefinite { .. }) => {
                load(first.as_mut());
                inverse_root(first.as_ref(), self.rounding, second, matrix, stack)?
            }
            Err(
                failure @ (Failure::NotFinite | Failure::NoConvergence | Failure::DimensionAboveRank { .. }),
            ) => return Err(failure),
        };
        Ok(self.rank)
    }

    /// L (d × d), or T (d × r).
    fn matrix(&self) -> MatRef<'_, f64> {
        let columns = if self.is_triangular { self.size } else { self.rank };
        self.matrix.as_ref().submatrix(0, 0, self.size, columns)
    }

    /// Writes `Tᵀ M` (r × m) of M (d × m).
    pub(crate) fn reduce_left(&self, matrix: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
        if self.is_triangular {
            to.copy_from(matrix);
            solve_lower_in_place(self.matrix(), to);
        } else {
            matmul(to, Accum::Replace, self.matrix().transpose(), matrix, 1.0, Par::Seq);
        }
    }

    /// Writes `M T` (m × r) of M (m × d).
    pub(crate) fn reduce_right(&self, matrix: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
        if self.is_triangular {
            to.copy_from(matrix);
            // M L⁻ᵀ = (L⁻¹ Mᵀ)ᵀ.
            solve_lower_in_place(self.matrix(), to.transpose_mut());
        } else {
            matmul(to, Accum::Replace, matrix, self.matrix(), 1.0, Par::Seq);
        }
    }

    /// Writes `T Q` (d × m) of Q (r × m).
    pub(crate) fn lift(&self, columns: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
        if self.is_triangular {
            to.copy_from(columns);
            solve_lower_transpose_in_place(self.matrix(), to);
        } else {
            matmul(to, Accum::Replace, self.matrix(), columns, 1.0, Par::Seq);
        }
    }
}
