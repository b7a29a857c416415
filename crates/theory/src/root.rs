//! The root of the inverse of S that all closed forms begin with: T (d × r) with `TᵀST = I`, its
//! columns in the range of S.
//!
//! Where S is positive definite `T = L⁻ᵀ` of its Cholesky factor, r = d; where it is singular, T is
//! its root on the [`range`](eigensweep_spectral::range).

use eigensweep_spectral::Failure;
use eigensweep_spectral::cholesky::{
    factor_safely_in_place, solve_lower_in_place, solve_lower_transpose_in_place,
};
use eigensweep_spectral::dense::product;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::range::InverseRoot;
use eigensweep_spectral::symmetric::Eigensolver;
use faer::{Accum, Mat, MatMut, MatRef};

/// T, of the S that was factored last.
pub(crate) struct Root {
    instruction_set: InstructionSet,
    /// L and Lᵀ, or T.
    matrix: Mat<f64>,
    /// Tᵀ of a T that is not triangular.
    transposed: Mat<f64>,
    /// What T is multiplied from the left by, or its transposed.
    left: Mat<f64>,
    range: InverseRoot,
    is_triangular: bool,
    size: usize,
    rank: usize,
    /// What S with a unit diagonal is off by, beside its own rounding.
    pub(crate) rounding: f64,
}

/// Rounding of S, in units of d·ε, above which a factor of it may be that of rounding: what is
/// usual is a few. Chosen.
const MUCH: f64 = 100.0;

/// Whether S of d variables is off by so much that no factor of it is trusted.
pub(crate) fn is_much(rounding: f64, size: usize) -> bool {
    rounding > MUCH * size as f64 * f64::EPSILON
}

impl Root {
    /// Room for matrices of up to `size` = d.
    pub(crate) fn new(instruction_set: InstructionSet, size: usize) -> Self {
        Self {
            instruction_set,
            matrix: Mat::zeros(size, size),
            transposed: Mat::zeros(size, size),
            left: Mat::zeros(size, size),
            range: InverseRoot::new(instruction_set, size),
            is_triangular: true,
            size: 0,
            rank: 0,
            rounding: 0.0,
        }
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
        eigensolver: &mut Eigensolver,
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
            factor_safely_in_place(self.instruction_set, matrix.as_mut(), first.as_mut())
        };
        self.size = size;
        self.is_triangular = definite.is_ok();
        self.rank = match definite {
            Ok(()) => size,
            Err(Failure::NotPositiveDefinite { .. }) => {
                load(first.as_mut());
                let root = matrix.as_mut();
                let rank = self.range.of(eigensolver, first.as_ref(), self.rounding, second, root)?;
                let mut transposed = self.transposed.as_mut().submatrix_mut(0, 0, rank, size);
                transposed.copy_from(matrix.as_ref().subcols(0, rank).transpose());
                rank
            }
            Err(
                failure @ (Failure::NotFinite | Failure::NoConvergence | Failure::DimensionAboveRank { .. }),
            ) => return Err(failure),
        };
        Ok(self.rank)
    }

    /// L and Lᵀ (d × d), or T (d × r).
    fn matrix(&self) -> MatRef<'_, f64> {
        let columns = if self.is_triangular { self.size } else { self.rank };
        self.matrix.as_ref().submatrix(0, 0, self.size, columns)
    }

    /// Writes `Tᵀ M` (r × m) of M (d × m).
    pub(crate) fn reduce_left(&self, matrix: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
        if self.is_triangular {
            to.copy_from(matrix);
            solve_lower_in_place(self.instruction_set, self.matrix(), to);
        } else {
            let transposed = self.transposed.as_ref().submatrix(0, 0, self.rank, self.size);
            product(self.instruction_set, to, Accum::Replace, transposed, matrix);
        }
    }

    /// Writes `M T` (m × r) of M (m × d), m no more than there is room for.
    pub(crate) fn reduce_right(&mut self, matrix: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
        let rows = matrix.nrows();
        if self.is_triangular {
            // M L⁻ᵀ = (L⁻¹ Mᵀ)ᵀ.
            let mut left = self.left.as_mut().submatrix_mut(0, 0, self.size, rows);
            left.copy_from(matrix.transpose());
            let factor = self.matrix.as_ref().submatrix(0, 0, self.size, self.size);
            solve_lower_in_place(self.instruction_set, factor, left.as_mut());
            to.copy_from(left.transpose());
        } else {
            let mut left = self.left.as_mut().submatrix_mut(0, 0, rows, self.size);
            left.copy_from(matrix);
            let root = self.matrix.as_ref().submatrix(0, 0, self.size, self.rank);
            product(self.instruction_set, to, Accum::Replace, left.as_ref(), root);
        }
    }

    /// Writes `T Q` (d × m) of Q (r × m).
    pub(crate) fn lift(&self, columns: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
        if self.is_triangular {
            to.copy_from(columns);
            solve_lower_transpose_in_place(self.instruction_set, self.matrix(), to);
        } else {
            product(self.instruction_set, to, Accum::Replace, self.matrix(), columns);
        }
    }
}
