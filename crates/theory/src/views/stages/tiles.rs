//! Moments and their transposes, by tiles of whole cache lines.

use faer::Mat;

/// Rows and columns of a tile: numbers of a cache line, to which columns are aligned.
const TILE: usize = 8;

/// `M ← (M + Mᵀ)/2` of a square matrix.
pub(super) fn symmetrize(matrix: &mut Mat<f64>) {
    let size = matrix.nrows();
    for left in (0..size).step_by(TILE) {
        for top in (left..size).step_by(TILE) {
            for j in left..size.min(left + TILE) {
                for i in top.max(j + 1)..size.min(top + TILE) {
                    let mean = 0.5 * (matrix[(i, j)] + matrix[(j, i)]);
                    matrix[(i, j)] = mean;
                    matrix[(j, i)] = mean;
                }
            }
        }
    }
}

/// `N ← Mᵀ`.
pub(super) fn transpose(from: &Mat<f64>, to: &mut Mat<f64>) {
    let (rows, columns) = (to.nrows(), to.ncols());
    for left in (0..columns).step_by(TILE) {
        for top in (0..rows).step_by(TILE) {
            for j in left..columns.min(left + TILE) {
                for i in top..rows.min(top + TILE) {
                    to[(i, j)] = from[(j, i)];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_at_the_border_are_not_left_out() {
        for (rows, columns) in [(1, 1), (7, 7), (8, 17), (19, 3)] {
            let entry = |i: usize, j: usize| (i * 31 + j) as f64;
            let from = Mat::from_fn(rows, columns, entry);
            let mut to = Mat::zeros(columns, rows);
            transpose(&from, &mut to);
            assert_eq!(to, from.transpose().to_owned());
            let mut square = Mat::from_fn(columns, columns, entry);
            symmetrize(&mut square);
            assert_eq!(square, Mat::from_fn(columns, columns, |i, j| 0.5 * (entry(i, j) + entry(j, i))));
        }
    }
}
