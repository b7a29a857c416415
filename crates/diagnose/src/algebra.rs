//! Products of matrices that are owned.

use eigensweep_spectral::dense;
use eigensweep_theory::InstructionSet;
use faer::{Accum, Mat, MatRef};

/// `L R`; columns of L must be contiguous.
pub(crate) fn product(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    let mut to = Mat::zeros(left.nrows(), right.ncols());
    dense::product(InstructionSet::detect(), to.as_mut(), Accum::Replace, left, right);
    to
}

/// `Lᵀ R`.
pub(crate) fn transposed_product(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    product(left.transpose().to_owned().as_ref(), right)
}

/// `F Fᵀ`, both triangles.
pub(crate) fn gram(factor: MatRef<'_, f64>) -> Mat<f64> {
    let mut to = Mat::zeros(factor.nrows(), factor.nrows());
    dense::gram_lower(InstructionSet::detect(), to.as_mut(), Accum::Replace, factor);
    symmetric(factor.nrows(), |i, j| to[(i, j)])
}

/// The symmetric matrix of these entries (i, j), i ≥ j.
pub(crate) fn symmetric(size: usize, entry: impl Fn(usize, usize) -> f64) -> Mat<f64> {
    let mut to = Mat::zeros(size, size);
    for j in 0..size {
        for i in j..size {
            let x = entry(i, j);
            to[(i, j)] = x;
            to[(j, i)] = x;
        }
    }
    to
}

pub(crate) fn trace(matrix: MatRef<'_, f64>) -> f64 {
    (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum()
}

/// Inner product of column `a` of one with column `b` of another, in the order of the rows.
pub(crate) fn inner(left: MatRef<'_, f64>, a: usize, right: MatRef<'_, f64>, b: usize) -> f64 {
    left.col(a).iter().zip(right.col(b).iter()).map(|(x, y)| x * y).sum()
}
