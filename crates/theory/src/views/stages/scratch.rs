//! Matrices that stages borrow: a chain allocates on its first pass only.

use faer::Mat;

/// Matrices that are lent out again.
#[derive(Debug, Default)]
pub struct Scratch {
    free: Vec<Mat<f64>>,
}

impl Scratch {
    /// A matrix of that shape, whose entries are anything.
    #[must_use]
    pub fn take(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        let fits = |matrix: &Mat<f64>| (matrix.nrows(), matrix.ncols()) == (rows, columns);
        match self.free.iter().position(fits) {
            Some(at) => self.free.swap_remove(at),
            None => Mat::zeros(rows, columns),
        }
    }

    /// A copy of a matrix.
    #[must_use]
    pub fn copy(&mut self, matrix: &Mat<f64>) -> Mat<f64> {
        let mut copy = self.take(matrix.nrows(), matrix.ncols());
        copy.copy_from(matrix);
        copy
    }

    /// Takes a matrix back.
    pub fn give(&mut self, matrix: Mat<f64>) {
        self.free.push(matrix);
    }
}
