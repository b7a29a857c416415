//! Eigenvalues and projections: the invariants `rowsᵀ f(Λ) rows = bᵀ f(A) b`, and agreement with the eigenvectors.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{Random, hard_symmetric, largest, lower_only, norm, workspace};
use eigensweep_spectral::projected::{eigen_in_place, eigen_scratch};
use eigensweep_spectral::symmetric::{eigenvectors, eigenvectors_scratch};
use eigensweep_spectral::{Failure, MemStack};
use faer::Mat;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SIZES: [usize; 13] = [1, 2, 3, 4, 5, 8, 16, 17, 31, 33, 65, 100, 150];

/// Eigenvalues and projections (d × ℓ), from the lower triangle alone.
fn project(matrix: &Mat<f64>, right: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>), Failure> {
    let (size, width) = (matrix.nrows(), right.ncols());
    let mut values = vec![f64::NAN; size];
    let mut rows: Vec<f64> = (0..size).flat_map(|i| (0..width).map(move |c| right[(i, c)])).collect();
    let mut memory = workspace(eigen_scratch(size, width));
    eigen_in_place(lower_only(matrix).as_mut(), &mut values, &mut rows, MemStack::new(&mut memory))?;
    Ok((values, Mat::from_fn(size, width, |i, c| rows[i * width + c])))
}

/// With `b = I` the projections are `Qᵀ` itself. `‖QᵀQ − I‖` and `‖A − Q Λ Qᵀ‖ / ‖A‖`, the backward error, are at most 20·d·ε.
fn check_backward_error(name: &str, matrix: &Mat<f64>) {
    let size = matrix.nrows();
    let allowed = 20.0 * size as f64 * f64::EPSILON;
    let scale = largest(matrix.as_ref());
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let (values, transposed) = project(matrix, &Mat::identity(size, size)).unwrap();
    assert!(values.is_sorted(), "{name}, {size}: ascending {values:?}");
    let gram = &transposed * transposed.transpose() - Mat::<f64>::identity(size, size);
    assert!(norm(gram.as_ref()) <= allowed, "{name}, {size}: orthogonality {:e}", norm(gram.as_ref()));
    let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] / unit);
    let weighted = Mat::from_fn(size, size, |i, j| transposed[(i, j)] * (values[i] / unit));
    let error = norm((&scaled - transposed.transpose() * weighted).as_ref());
    let relative = error / norm(scaled.as_ref()).max(f64::MIN_POSITIVE);
    assert!(relative <= allowed, "{name}, {size}, scale {scale:e}: {relative:e} > {allowed:e}");
}

/// `rowsᵀ f(Λ) rows = bᵀ f(A) b` for f = 1, λ, λ²: what clusters of eigenvalues cannot spoil.
///
/// The backward error of 20·d·ε·‖A‖ enters m times for f = λᵐ, and the projection itself twice.
fn check_invariants(name: &str, matrix: &Mat<f64>, right: &Mat<f64>) {
    let (values, rows) = project(matrix, right).unwrap();
    let (size, weight) = (matrix.nrows(), right.squared_norm_l2());
    let mut applied = right.clone();
    for power in 0..3_i32 {
        let expected = right.transpose() * &applied;
        let scaled = Mat::from_fn(size, right.ncols(), |i, c| values[i].powi(power) * rows[(i, c)]);
        let error = largest((rows.transpose() * scaled - expected).as_ref());
        let magnitude = norm(matrix.as_ref()).powi(power) * weight;
        let allowed = 20.0 * f64::from(power + 2) * size as f64 * f64::EPSILON * magnitude;
        assert!(error <= allowed, "{name}, {size}, power {power}: {error:e} > {allowed:e}");
        applied = matrix * applied;
    }
}

#[test]
fn backward_error_on_hard_spectra() {
    for size in SIZES {
        for (name, matrix) in hard_symmetric(size, size as u64) {
            check_backward_error(name, &matrix);
        }
    }
}

#[test]
fn accuracy_does_not_depend_on_the_unit() {
    for scale in [1e-300, 1e-150, 1e-30, 1e-15, 1e15, 1e150, 1e300] {
        for size in [2, 20, 50] {
            for (name, matrix) in hard_symmetric(size, 3) {
                check_backward_error(name, &(matrix * faer::Scale(scale)));
            }
        }
    }
}

#[test]
fn invariants_on_hard_spectra() {
    for size in SIZES {
        for (name, matrix) in hard_symmetric(size, size as u64) {
            for width in [0, 1, 10] {
                check_invariants(name, &matrix, &Random(17).normals(size, width));
            }
        }
    }
}

#[test]
fn equals_the_eigenvectors_where_eigenvalues_are_separated() {
    for size in [1, 2, 5, 32, 33, 100] {
        for width in [1, 2, 10] {
            let rng = &mut Random((size * width) as u64);
            let spectrum: Vec<f64> = (0..size).map(|i| i as f64 - 3.0).collect();
            let matrix = rng.with_eigenvalues(&spectrum);
            let right = rng.normals(size, width);
            let (values, rows) = project(&matrix, &right).unwrap();
            let (mut expected, mut vectors) = (vec![0.0; size], Mat::zeros(size, size));
            let mut memory = workspace(eigenvectors_scratch(size));
            eigenvectors(
                matrix.clone().as_mut(),
                &mut expected,
                vectors.as_mut(),
                MemStack::new(&mut memory),
            )
            .unwrap();
            let projected = vectors.transpose() * &right;
            // Gaps of 1 and norm ≈ d: eigenvectors agree to about d · d·ε ≈ 2e-12 at d = 100.
            for i in 0..size {
                assert!((values[i] - expected[i]).abs() <= 1e-12, "{} {}", values[i], expected[i]);
                let sign = if rows[(i, 0)] * projected[(i, 0)] < 0.0 { -1.0 } else { 1.0 };
                for c in 0..width {
                    let (found, wanted) = (rows[(i, c)], sign * projected[(i, c)]);
                    assert!((found - wanted).abs() <= 1e-11, "size {size}, row {i}: {found} {wanted}");
                }
                let power = |m: &Mat<f64>| m.row(i).iter().map(|x| x * x).sum::<f64>();
                assert!((power(&rows) - power(&projected)).abs() <= 1e-10);
            }
        }
    }
}

#[test]
fn eigenvalues_do_not_depend_on_the_right_hand_sides() {
    let matrix = Random(1).symmetric(50);
    let (alone, _) = project(&matrix, &Mat::zeros(50, 0)).unwrap();
    let (one, single) = project(&matrix, &Random(2).normals(50, 1)).unwrap();
    let (many, _) = project(&matrix, &Random(3).normals(50, 10)).unwrap();
    assert_eq!(alone, one);
    assert_eq!(alone, many);
    assert!(single.squared_norm_l2() > 0.0);
}

#[test]
fn a_diagonal_matrix_sorts_its_entries_and_rows() {
    let matrix = common::diagonal(&[3.0, -1.0, 2.0, 0.0]);
    let right = Mat::from_fn(4, 2, |i, c| (1 + i) as f64 * if c == 0 { 1.0 } else { -10.0 });
    let (values, rows) = project(&matrix, &right).unwrap();
    assert_eq!(values, [-1.0, 0.0, 2.0, 3.0]);
    for (to, from) in [1, 3, 2, 0].into_iter().enumerate() {
        let expected = (1 + from) as f64;
        assert!((rows[(to, 0)].abs() - expected).abs() <= 1e-15);
        assert!((rows[(to, 0)] * -10.0 - rows[(to, 1)]).abs() <= 1e-14, "columns share one sign");
    }
}

#[test]
fn nothing_at_all() {
    assert!(project(&Mat::zeros(0, 0), &Mat::zeros(0, 0)).is_ok());
}

#[test]
fn a_workspace_for_a_larger_size_serves_smaller_ones() {
    let mut memory = workspace(eigen_scratch(60, 10));
    for (size, width) in [(0, 0), (1, 10), (2, 1), (17, 10), (59, 10), (60, 10)] {
        let mut matrix = Random(1).symmetric(size);
        let (mut values, mut rows) = (vec![0.0; size], vec![1.0; size * width]);
        eigen_in_place(matrix.as_mut(), &mut values, &mut rows, MemStack::new(&mut memory)).unwrap();
    }
}

#[test]
fn an_entry_that_is_not_finite_is_refused() {
    for size in [1, 2, 5, 33, 70] {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let right = Random(1).normals(size, 2);
            for (i, j) in [(0, 0), (size - 1, 0), (size - 1, size - 1), (size / 2, size / 3)] {
                let mut matrix = Random(7).symmetric(size);
                matrix[(i, j)] = bad;
                let outcome = project(&matrix, &right).map(|_| ());
                assert_eq!(outcome, Err(Failure::NotFinite), "size {size}: {bad} at ({i}, {j})");
            }
            let mut broken = right.clone();
            broken[(size / 2, 1)] = bad;
            let outcome = project(&Random(7).symmetric(size), &broken).map(|_| ());
            assert_eq!(outcome, Err(Failure::NotFinite), "size {size}: {bad} in a right-hand side");
        }
    }
}

fn run(rows: usize, columns: usize, values: usize, right: usize) {
    let mut memory = workspace(eigen_scratch(5, 5));
    let mut right = vec![0.0; right];
    let _ = eigen_in_place(
        Mat::zeros(rows, columns).as_mut(),
        &mut vec![0.0; values],
        &mut right,
        MemStack::new(&mut memory),
    );
}

#[test]
#[should_panic(expected = "square")]
fn a_matrix_that_is_not_square_panics() {
    run(3, 2, 3, 3);
}

#[test]
#[should_panic(expected = "square")]
fn values_of_another_length_panic() {
    run(3, 3, 2, 3);
}

#[test]
#[should_panic(expected = "equal width")]
fn ragged_rows_panic() {
    run(3, 3, 3, 4);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, rng_seed: RngSeed::Fixed(2), failure_persistence: None, ..ProptestConfig::default() })]

    /// Spectra over many decades with repeated values, any size and width.
    #[test]
    fn invariants_of_any_spectrum(
        size in 1_usize..60,
        width in 0_usize..12,
        seed in any::<u64>(),
        decades in 0.0_f64..25.0,
        repeats in 1_usize..6,
    ) {
        let rng = &mut Random(seed);
        let spectrum: Vec<f64> = (0..size)
            .map(|i| {
                let sign = if i % 4 == 3 { -1.0 } else { 1.0 };
                sign * 10.0_f64.powf(-decades * (i / repeats) as f64 / size as f64)
            })
            .collect();
        let matrix = rng.with_eigenvalues(&spectrum);
        check_backward_error("any", &matrix);
        check_invariants("any", &matrix, &rng.normals(size, width));
    }
}
