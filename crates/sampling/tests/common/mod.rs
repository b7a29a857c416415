//! What a test of a sampler needs: streams, sample moments in units of their standard errors, and
//! two-sample tests.

#![allow(dead_code, reason = "every test program uses a part of it")]

use eigensweep_sampling::streams::{Draw, Stream, Streams};
use eigensweep_testkit::kolmogorov_smirnov::{REPLICATES, critical_distance, distance};
use faer::Mat;
use rand_distr::{Distribution, StandardNormal};

/// A stream of the tests: one a purpose, so that no two share numbers.
pub(crate) fn stream(purpose: u64) -> Stream {
    Streams::new(0x7e57).stream(Draw::Noise, &[purpose])
}

pub(crate) fn normals(rows: usize, columns: usize, rng: &mut Stream) -> Mat<f64> {
    Mat::from_fn(rows, columns, |_, _| StandardNormal.sample(rng))
}

/// Mean and variance of a sample, and the standard errors of both (the variance's from the fourth
/// moment).
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    pub(crate) mean_error: f64,
    pub(crate) variance: f64,
    pub(crate) variance_error: f64,
}

pub(crate) fn estimate(sample: &[f64]) -> Estimate {
    let n = sample.len() as f64;
    let mean = sample.iter().sum::<f64>() / n;
    let moment = |k: i32| sample.iter().map(|x| (x - mean).powi(k)).sum::<f64>() / n;
    let variance = moment(2);
    Estimate {
        mean,
        mean_error: (variance / n).sqrt(),
        variance,
        variance_error: ((moment(4) - variance * variance) / n).sqrt(),
    }
}

/// Five standard errors: by a normal approximation one honest comparison in 1.7 million falls
/// outside.
pub(crate) const SIGMAS: f64 = 5.0;

pub(crate) fn assert_within(what: &str, found: f64, exact: f64, standard_error: f64) {
    assert!(
        (found - exact).abs() <= SIGMAS * standard_error,
        "{what}: {found} against {exact}, {:.1} standard errors",
        (found - exact) / standard_error
    );
}

/// The mean and the variance of a sample against exact values.
pub(crate) fn assert_moments(what: &str, sample: &[f64], mean: f64, variance: f64) {
    let found = estimate(sample);
    assert_within(&format!("mean of {what}"), found.mean, mean, (variance / sample.len() as f64).sqrt());
    assert_within(&format!("variance of {what}"), found.variance, variance, found.variance_error);
}

/// Compares two samplers functional by functional: each writes its functionals of one draw.
pub(crate) fn assert_same_law<const F: usize>(
    what: &str,
    names: [&str; F],
    mut one: impl FnMut() -> [f64; F],
    mut other: impl FnMut() -> [f64; F],
) {
    let (first, second): (Vec<_>, Vec<_>) = (0..REPLICATES).map(|_| (one(), other())).unzip();
    for (f, name) in names.iter().enumerate() {
        let column = |draws: &[[f64; F]]| draws.iter().map(|d| d[f]).collect::<Vec<_>>();
        let distance = distance(&mut column(&first), &mut column(&second));
        assert!(
            distance <= critical_distance(),
            "{what}: {name} differs by {distance:.3} (critical {:.3})",
            critical_distance()
        );
    }
}

/// Eigenvalues, ascending, of the symmetric matrix in a lower triangle.
pub(crate) fn eigenvalues(matrix: &Mat<f64>) -> Vec<f64> {
    let values = matrix.self_adjoint_eigenvalues(faer::Side::Lower);
    assert!(values.is_ok(), "{values:?}");
    values.unwrap_or_default()
}

/// Largest magnitude of an entry.
pub(crate) fn largest(matrix: &Mat<f64>) -> f64 {
    matrix.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<_>>()).fold(0.0, |m, x| m.max(x.abs()))
}
