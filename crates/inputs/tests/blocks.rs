//! Moments and components of `f32` and `f64` against the exact ones of bytes, and against closed
//! forms.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use eigensweep_inputs::{Blocks, Dense, InputError, principal_components};
use eigensweep_testkit::random::Random;
use faer::Mat;

/// Unit roundoff.
const U: f64 = f64::EPSILON / 2.0;

/// Bytes of the full range. More rows than a block, and no multiple of it.
fn bytes(samples: usize, features: usize) -> Dense<u8> {
    let mut random = Random(3);
    let values = (0..samples * features).map(|_| random.byte()).collect();
    Dense::new(values, samples, features).unwrap()
}

/// The same numbers in another type.
fn converted<T: eigensweep_inputs::Element>(bytes: &Dense<u8>, convert: impl Fn(u8) -> T) -> Dense<T> {
    let values = bytes.values().iter().map(|&x| convert(x)).collect();
    Dense::new(values, bytes.samples(), bytes.features()).unwrap()
}

/// The largest difference of lower triangles.
fn difference(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    let entries = (0..a.ncols()).flat_map(|j| (j..a.nrows()).map(move |i| (i, j)));
    entries.map(|at| (a[at] - b[at]).abs()).fold(0.0, f64::max)
}

#[test]
fn the_same_integers_have_the_same_moments_in_every_type() {
    let exact = bytes(1500, 19);
    let expected = exact.second_moment().unwrap();
    let variance = (0..19).map(|j| expected[(j, j)]).fold(0.0, f64::max);
    for rows in [&converted(&exact, f32::from) as &dyn Blocks, &converted(&exact, f64::from)] {
        assert_eq!(rows.means(), exact.means());
        let error = difference(&rows.second_moment().unwrap(), &expected);
        assert!(error <= 1500.0 * U * variance, "{error} of {variance}");
    }
}

#[test]
fn the_same_integers_have_the_same_components_in_every_type() {
    let exact = bytes(1500, 19);
    let expected = principal_components(&exact, 5).unwrap();
    for rows in [&converted(&exact, f32::from) as &dyn Blocks, &converted(&exact, f64::from)] {
        let found = principal_components(rows, 5).unwrap();
        for (a, b) in found.variances().iter().zip(expected.variances()) {
            assert!((a - b).abs() < 1500.0 * U * expected.total_variance(), "{a} against {b}");
        }
        let error = (found.scores().matrix() - expected.scores().matrix()).norm_max();
        assert!(error < 1e-9, "scores differ by {error}");
        assert_eq!(rows.means(), exact.means());
    }
}

/// Means 10⁶ and 2⁴⁰ times the deviations: sums of uncentred squares would have lost all digits, or
/// most.
#[test]
fn means_far_above_the_deviations_cost_no_digits() {
    for mean in [1e6, 2_f64.powi(40)] {
        // A period of 4 in x and y: deviations (1, 2), (−1, 2), (1, −2), (−1, −2); C = diag(1, 4).
        let samples = 100_000;
        let values = (0..samples).flat_map(|i| {
            let x = if i % 2 == 0 { 1.0 } else { -1.0 };
            let y = if i % 4 < 2 { 2.0 } else { -2.0 };
            [mean + x, -3.0 * mean + y]
        });
        let rows = Dense::<f64>::new(values.collect(), samples, 2).unwrap();
        assert_eq!(rows.means(), [mean, -3.0 * mean]);
        let moment = rows.second_moment().unwrap();
        let lower = [moment[(0, 0)], moment[(1, 0)], moment[(1, 1)]].map(f64::to_bits);
        assert_eq!(lower, [1.0, 0.0, 4.0].map(f64::to_bits));
        let components = principal_components(&rows, 2).unwrap();
        for (variance, expected) in components.variances().iter().zip([4.0, 1.0]) {
            assert!((variance - expected).abs() < 8.0 * U * expected, "{variance} is not {expected}");
        }
    }
}

/// A mean that no double holds, against integers.
#[test]
fn a_mean_that_must_be_rounded_costs_no_digits() {
    // 10⁶ + i for i in 0..10, 3000 times, less one row: μ = 10⁶ + S₁/n, C = S₂/n − (S₁/n)² in
    // integers.
    let deviations: Vec<i64> = (0..29_999).map(|i| i % 10).collect();
    let n = 29_999_i64;
    let (sum, squares): (i64, i64) = (deviations.iter().sum(), deviations.iter().map(|d| d * d).sum());
    let exact = (n * squares - sum * sum) as f64 / (n * n) as f64;
    let values: Vec<f64> = deviations.iter().map(|&d| 1e6 + d as f64).collect();
    let rows = Dense::new(values, 29_999, 1).unwrap();
    let mean = 1e6 + sum as f64 / n as f64;
    assert!((rows.means()[0] - mean).abs() <= 2.0 * U * mean);
    let found = rows.second_moment().unwrap()[(0, 0)];
    assert!((found - exact).abs() <= 29_999.0 * U * exact, "{found} is not {exact}");
    // The same in single precision, which holds these numbers exactly.
    let values: Vec<f32> = (0..29_999_u16).map(|i| 1e6 + f32::from(i % 10)).collect();
    let single = Dense::new(values, 29_999, 1).unwrap().second_moment().unwrap()[(0, 0)];
    assert_eq!(single.to_bits(), found.to_bits());
}

#[test]
fn features_of_very_different_scales_keep_their_own_digits() {
    let scales = [1e-150, 1.0, 1e150];
    let values = (0..2_000).flat_map(|i| scales.map(|scale| scale * f64::from(i % 4)));
    let moment = Dense::new(values.collect(), 2_000, 3).unwrap().second_moment().unwrap();
    // 0, 1, 2, 3: variance 5/4.
    for i in 0..3 {
        for j in 0..=i {
            let expected = 1.25 * scales[i] * scales[j];
            let found = moment[(i, j)];
            assert!((found - expected).abs() <= 2_000.0 * U * expected, "{found} is not {expected}");
        }
    }
}

#[test]
fn inputs_too_large_to_square_are_refused_by_feature() {
    let rows = Dense::new(vec![0.0, 1e200, 1.0, -1e200], 2, 2).unwrap();
    for error in [rows.second_moment().unwrap_err(), principal_components(&rows, 1).unwrap_err()] {
        assert!(matches!(error, InputError::TooLarge { feature: 1 }), "{error}");
    }
    let rows = Dense::new(vec![f64::MAX, f64::MAX], 2, 1).unwrap();
    assert!(matches!(rows.second_moment(), Err(InputError::TooLarge { feature: 0 })));
}

#[test]
fn rows_of_any_type_must_be_finite_and_fill_their_shape() {
    let error = Dense::new(vec![0.0, 1.0, f32::NAN, 0.0], 2, 2).unwrap_err();
    assert!(matches!(error, InputError::NonFiniteEntry { row: 1, column: 0, .. }), "{error}");
    assert!(matches!(
        Dense::new(vec![0.0_f32; 5], 2, 3),
        Err(InputError::Dimension { expected: 6, found: 5, .. })
    ));
}

#[test]
fn blocks_are_the_rows_asked_for() {
    let rows = converted(&bytes(9, 3), f32::from);
    let mut block = [0.0; 6];
    rows.write_rows(4, &mut block);
    for (found, expected) in block.iter().zip(&rows.values()[12..18]) {
        assert_eq!(found.to_bits(), f64::from(*expected).to_bits());
    }
    assert_eq!((rows.bytes(), bytes(9, 3).bytes()), (4 * 27, 27));
}
