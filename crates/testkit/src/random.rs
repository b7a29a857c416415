//! Random numbers and matrices that are the same in every run.

use faer::{Mat, Scale};

/// SplitMix64 (Steele, Lea and Flood, 2014): one 64-bit state, good enough to fill test matrices.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.bits().to_be_bytes()[0]
    }

    /// A whole number in `0..end`, and 0 where there is none.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
    pub fn below(&mut self, end: usize) -> usize {
        ((end as f64 * self.uniform()) as usize).min(end.saturating_sub(1))
    }

    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) * 2.0_f64.powi(-53)
    }

    /// Log-uniform between two powers of ten.
    pub fn decades(&mut self, from: f64, to: f64) -> f64 {
        10_f64.powf(from + (to - from) * self.uniform())
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A matrix of standard normal entries.
    pub fn normals(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        Mat::from_fn(rows, columns, |_, _| self.normal())
    }

    /// A random orthogonal matrix: a product of Householder reflections along random directions.
    pub fn orthogonal(&mut self, size: usize) -> Mat<f64> {
        let mut q = Mat::<f64>::identity(size, size);
        for _ in 0..size {
            let v = self.normals(size, 1);
            let length = v.squared_norm_l2();
            let along = v.transpose() * &q;
            q -= Scale(2.0 / length) * (&v * along);
        }
        q
    }

    /// `Q diag(values) Qᵀ` with a random orthogonal Q, exactly symmetric.
    pub fn with_eigenvalues(&mut self, values: &[f64]) -> Mat<f64> {
        let q = self.orthogonal(values.len());
        let scaled = Mat::from_fn(values.len(), values.len(), |i, j| q[(i, j)] * values[j]);
        symmetrized(&(scaled * q.transpose()))
    }

    /// A random symmetric matrix with entries of order one.
    pub fn symmetric(&mut self, size: usize) -> Mat<f64> {
        symmetrized(&self.normals(size, size))
    }

    /// `F Fᵀ` with F d × rank, exactly symmetric.
    pub fn semidefinite(&mut self, size: usize, rank: usize) -> Mat<f64> {
        let f = self.normals(size, rank);
        symmetrized(&(&f * f.transpose()))
    }
}

/// Half the sum with the transpose.
#[must_use]
pub fn symmetrized(matrix: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| 0.5 * matrix[(i, j)] + 0.5 * matrix[(j, i)])
}
