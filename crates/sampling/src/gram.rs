//! Gram matrices on faer's products.

use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::{Accum, MatMut, MatRef, Par};

/// Adds `F Fᵀ` to (or replaces by it) the lower triangle of `gram`.
pub(crate) fn accumulate_lower(gram: MatMut<'_, f64>, accum: Accum, factor: MatRef<'_, f64>) {
    matmul(
        gram,
        BlockStructure::TriangularLower,
        accum,
        factor,
        BlockStructure::Rectangular,
        factor.transpose(),
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
}

/// Copies the lower triangle onto the upper one.
pub(crate) fn mirror_lower(mut matrix: MatMut<'_, f64>) {
    for j in 0..matrix.ncols() {
        for i in j + 1..matrix.nrows() {
            matrix[(j, i)] = matrix[(i, j)];
        }
    }
}

/// Fills a matrix with standard normals, column by column.
pub(crate) fn fill_normal<R: rand::Rng>(mut matrix: MatMut<'_, f64>, rng: &mut R) {
    use rand_distr::{Distribution, StandardNormal};
    for column in matrix.as_mut().col_iter_mut() {
        for x in column.iter_mut() {
            *x = StandardNormal.sample(rng);
        }
    }
}
