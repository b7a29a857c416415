//! Random matrices from a generator of a dozen lines, and the measures that the tests bound.

#![allow(dead_code, reason = "every test program uses a part of it")]

use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted};
use eigensweep_spectral::{Failure, MemBuffer, StackReq};
use faer::{Mat, MatRef};

/// SplitMix64 (Steele, Lea and Flood, 2014): one 64-bit state, good enough to fill test matrices.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) * 2.0_f64.powi(-53)
    }

    /// Standard normal (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub(crate) fn normals(&mut self, rows: usize, columns: usize) -> Mat<f64> {
        Mat::from_fn(rows, columns, |_, _| self.normal())
    }

    /// A random orthogonal matrix: a product of Householder reflections along random directions.
    pub(crate) fn orthogonal(&mut self, size: usize) -> Mat<f64> {
        let mut q = Mat::<f64>::identity(size, size);
        for _ in 0..size {
            let v = self.normals(size, 1);
            let length = v.squared_norm_l2();
            let along = v.transpose() * &q;
            q -= faer::Scale(2.0 / length) * (&v * along);
        }
        q
    }

    /// `Q diag(values) Qᵀ` with a random orthogonal Q, exactly symmetric.
    pub(crate) fn with_eigenvalues(&mut self, values: &[f64]) -> Mat<f64> {
        let q = self.orthogonal(values.len());
        let scaled = Mat::from_fn(values.len(), values.len(), |i, j| q[(i, j)] * values[j]);
        symmetrized(&(scaled * q.transpose()))
    }

    /// A random symmetric matrix with entries of order one.
    pub(crate) fn symmetric(&mut self, size: usize) -> Mat<f64> {
        symmetrized(&self.normals(size, size))
    }

    /// `F Fᵀ` with F d × rank, exactly symmetric.
    pub(crate) fn semidefinite(&mut self, size: usize, rank: usize) -> Mat<f64> {
        let f = self.normals(size, rank);
        symmetrized(&(&f * f.transpose()))
    }
}

/// Half the sum with the transpose.
pub(crate) fn symmetrized(matrix: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| 0.5 * matrix[(i, j)] + 0.5 * matrix[(j, i)])
}

/// The lower triangle; NaN above, so that reading there shows.
pub(crate) fn lower_only(matrix: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| if i >= j { matrix[(i, j)] } else { f64::NAN })
}

/// Largest magnitude; NaN if there is one.
pub(crate) fn largest(matrix: MatRef<'_, f64>) -> f64 {
    matrix
        .col_iter()
        .flat_map(|c| c.iter().copied().collect::<Vec<_>>())
        .fold(0.0, |m, x| if x.is_nan() || m.is_nan() { f64::NAN } else { x.abs().max(m) })
}

/// Frobenius norm that neither overflows nor underflows.
pub(crate) fn norm(matrix: MatRef<'_, f64>) -> f64 {
    let scale = largest(matrix);
    if scale == 0.0 || !scale.is_finite() {
        return scale;
    }
    let sum: f64 = matrix.col_iter().map(|c| c.iter().map(|x| (x / scale).powi(2)).sum::<f64>()).sum();
    scale * sum.sqrt()
}

/// `diag(values)`.
pub(crate) fn diagonal(values: &[f64]) -> Mat<f64> {
    Mat::from_fn(values.len(), values.len(), |i, j| if i == j { values[i] } else { 0.0 })
}

/// A workspace of exactly the promised size.
pub(crate) fn workspace(request: StackReq) -> MemBuffer {
    MemBuffer::new(request)
}

/// Symmetric matrices that eigensolvers find hard, by name, with largest entry near one.
pub(crate) fn hard_symmetric(size: usize, seed: u64) -> Vec<(&'static str, Mat<f64>)> {
    let rng = &mut Random(seed);
    let at = |i: usize| i as f64 / size as f64;
    let spectrum = |f: &dyn Fn(usize) -> f64| (0..size).map(f).collect::<Vec<_>>();
    let graded = |decades: f64, reversed: bool| {
        let weight = |i: usize| 10.0_f64.powf(-decades * at(if reversed { size - 1 - i } else { i }));
        let base = Random(seed + 1).symmetric(size);
        Mat::from_fn(size, size, |i, j| base[(i, j)] * weight(i) * weight(j))
    };
    vec![
        ("random", rng.symmetric(size)),
        ("zero", Mat::zeros(size, size)),
        ("identity", Mat::identity(size, size)),
        ("diagonal", diagonal(&spectrum(&|i| (i as f64 * 1.7).sin()))),
        ("two values", rng.with_eigenvalues(&spectrum(&|i| if i % 2 == 0 { 1.0 } else { -0.5 }))),
        ("two clusters", {
            let values = spectrum(&|i| if i % 3 == 0 { 1.0 } else { 0.25 } + 1e-14 * i as f64);
            rng.with_eigenvalues(&values)
        }),
        ("condition 1e18", rng.with_eigenvalues(&spectrum(&|i| 10.0_f64.powf(-18.0 * at(i))))),
        ("one large", rng.with_eigenvalues(&spectrum(&|i| if i == 0 { 1.0 } else { 1e-9 * at(i) }))),
        ("rank 1", rng.semidefinite(size, 1)),
        ("rank d/3", rng.semidefinite(size, size / 3)),
        ("graded down", graded(20.0, false)),
        ("graded up", graded(20.0, true)),
        ("steeply graded", graded(120.0, false)),
        ("steeply graded up", graded(120.0, true)),
        // Wilkinson's W⁺: pairs of eigenvalues that agree to many digits.
        ("wilkinson", {
            let middle = (size as f64 - 1.0) / 2.0;
            Mat::from_fn(size, size, |i, j| match i.abs_diff(j) {
                0 => (i as f64 - middle).abs(),
                1 => 1.0,
                _ => 0.0,
            })
        }),
        ("glued", {
            Mat::from_fn(size, size, |i, j| match i.abs_diff(j) {
                0 => ((i % 7) as f64 - 3.0).abs(),
                1 if i.max(j) % 7 == 0 => 1e-8,
                1 => 1.0,
                _ => 0.0,
            })
        }),
        ("blocks", {
            let base = rng.symmetric(size);
            Mat::from_fn(size, size, |i, j| if i / 3 == j / 3 { base[(i, j)] } else { 0.0 })
        }),
    ]
}

/// Room for eigenvalues and powers of matrices of up to that size, with right-hand sides of up to that width.
pub(crate) fn projecting(isa: InstructionSet, size: usize, width: usize) -> ScaledBatch {
    let wanted = Wanted { projected: true, ..Wanted::default() };
    ScaledBatch::new(isa, Room { size, width, count: 0 }, 0, wanted)
}

/// Eigenvalues, descending, and powers.
pub(crate) type Projected = Result<(Vec<f64>, Vec<f64>), Failure>;

/// Solves problems (A, b) of one shape together, as scaled problems of Σ = I.
pub(crate) fn project(batch: &mut ScaledBatch, problems: &[(Mat<f64>, Mat<f64>)]) -> Vec<Projected> {
    let (size, width) = (problems[0].1.nrows(), problems[0].1.ncols());
    batch.start(size, width);
    for number in 0..problems.len() {
        batch.push(number, &vec![1.0; size]);
    }
    batch.solve(&[], |number| (problems[number].0.as_ref(), problems[number].1.as_ref()));
    let answer = |place| batch.projected(place).map(|(values, powers)| (values.to_vec(), powers.to_vec()));
    (0..problems.len()).map(answer).collect()
}
