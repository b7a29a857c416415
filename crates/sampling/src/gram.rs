//! What Gram matrices need beside the products of [`dense`](eigensweep_spectral::dense).

use faer::MatMut;

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
