//! Hard matrices, and the measures that the tests bound.

#![allow(dead_code, reason = "every test program uses a part of it")]

use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted, Way};
use eigensweep_spectral::{Failure, MemBuffer, StackReq};
use eigensweep_testkit::random::Random;
use faer::{Mat, MatRef};

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

/// Room for eigenvalues and powers of matrices of up to that size, with right-hand sides of up to
/// that width.
pub(crate) fn projecting(way: Way, isa: InstructionSet, size: usize, width: usize) -> ScaledBatch {
    let wanted = Wanted { projected: true, ..Wanted::default() };
    ScaledBatch::in_way(Some(way), isa, Room { size, smallest: 0, width, count: 0 }, 0, wanted)
}

/// All ways.
pub(crate) const WAYS: [Way; 2] = [Way::Lanes, Way::Band];

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
