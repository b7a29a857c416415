//! Eigenvalues and powers of projections: the invariants `Σ λᵐ ‖qᵀb‖² = tr(bᵀ Aᵐ b)`, and agreement
//! with the eigenvectors.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{Projected, WAYS, hard_symmetric, largest, lower_only, norm, projecting};
use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::leading::LeadingBatch;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted, Way};
use eigensweep_testkit::random::Random;
use faer::Mat;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SIZES: [usize; 13] = [1, 2, 3, 4, 5, 8, 16, 17, 31, 33, 65, 100, 150];

/// One problem alone, from the lower triangle.
fn project(way: Way, matrix: &Mat<f64>, right: &Mat<f64>) -> Projected {
    let mut batch = projecting(way, InstructionSet::detect(), matrix.nrows(), right.ncols());
    common::project(&mut batch, &[(lower_only(matrix), right.clone())]).remove(0)
}

/// `Σ λᵐ ‖qᵀb‖² = tr(bᵀ Aᵐ b)` for m = 0, 1, 2, and `Σ λᵐ = tr(Aᵐ)`: what clusters of eigenvalues
/// cannot spoil.
///
/// The backward error of 20·d·ε·‖A‖ enters m times, and the projection itself twice.
fn check_invariants(name: &str, matrix: &Mat<f64>, right: &Mat<f64>) {
    for way in WAYS {
        check_invariants_of(way, name, matrix, right);
    }
}

fn check_invariants_of(way: Way, name: &str, matrix: &Mat<f64>, right: &Mat<f64>) {
    let size = matrix.nrows();
    let scale = largest(matrix.as_ref());
    let unit = if scale == 0.0 { 1.0 } else { scale };
    let (values, powers) = project(way, matrix, right).unwrap();
    assert!(values.is_sorted_by(|a, b| a >= b), "{way:?}, {name}, {size}: descending {values:?}");
    let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] / unit);
    let length = norm(scaled.as_ref());
    let mut applied = right.clone();
    let mut whole = Mat::<f64>::identity(size, size);
    for m in 0..3_i32 {
        let rounding = 20.0 * f64::from(m + 2) * size as f64 * f64::EPSILON * length.powi(m);
        let power = |i: usize| (values[i] / unit).powi(m);
        let expected = (right.transpose() * &applied).diagonal().column_vector().iter().sum::<f64>();
        let found: f64 = (0..size).map(|i| power(i) * powers[i]).sum();
        let allowed = rounding * right.squared_norm_l2();
        let error = (found - expected).abs();
        assert!(
            error <= allowed,
            "{way:?}, {name}, {size}, scale {scale:e}, m = {m}: {error:e} > {allowed:e}"
        );
        let trace = whole.diagonal().column_vector().iter().sum::<f64>();
        let error = ((0..size).map(power).sum::<f64>() - trace).abs();
        let allowed = rounding * size as f64;
        assert!(
            error <= allowed,
            "{way:?}, {name}, {size}, scale {scale:e}, trace {m}: {error:e} > {allowed:e}"
        );
        applied = &scaled * applied;
        whole = &scaled * whole;
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
fn accuracy_does_not_depend_on_the_unit() {
    for scale in [1e-300, 1e-150, 1e-30, 1e-15, 1e15, 1e150, 1e300] {
        for size in [2, 20, 50] {
            for (name, matrix) in hard_symmetric(size, 3) {
                check_invariants(name, &(matrix * faer::Scale(scale)), &Random(17).normals(size, 3));
            }
        }
    }
}

/// Gaps of 1 and norm ≈ d: eigenvectors agree to about d · d·ε ≈ 2e-12 at d = 100.
#[test]
fn equals_the_eigenvectors_where_eigenvalues_are_separated() {
    for size in [1, 2, 5, 32, 33, 100] {
        for width in [1, 2, 10] {
            let rng = &mut Random((size * width) as u64);
            let spectrum: Vec<f64> = (0..size).map(|i| i as f64 - 3.0).collect();
            let matrix = rng.with_eigenvalues(&spectrum);
            let right = rng.normals(size, width);
            let (values, powers) = project(Way::Lanes, &matrix, &right).unwrap();
            let mut batch = LeadingBatch::new(InstructionSet::detect(), size, size);
            batch.start(size);
            let place = batch.push(matrix.as_ref());
            batch.solve(size);
            let mut vectors = Mat::zeros(size, size);
            batch.vectors(place, vectors.as_mut());
            let projected = vectors.transpose() * &right;
            assert_eq!(batch.values(place).unwrap(), values, "the same eigenvalues, to the bit");
            let by_band = project(Way::Band, &matrix, &right).unwrap();
            for i in 0..size {
                assert!(
                    (values[i] - by_band.0[i]).abs() <= 1e-12 && (powers[i] - by_band.1[i]).abs() <= 1e-10
                );
                assert!((values[i] - spectrum[size - 1 - i]).abs() <= 1e-12, "{}", values[i]);
                let power: f64 = projected.row(i).iter().map(|x| x * x).sum();
                assert!((powers[i] - power).abs() <= 1e-10, "size {size}, {i}: {} {power}", powers[i]);
            }
        }
    }
}

#[test]
fn eigenvalues_do_not_depend_on_the_right_hand_sides() {
    let matrix = Random(1).symmetric(50);
    for way in WAYS {
        let (alone, _) = project(way, &matrix, &Mat::zeros(50, 0)).unwrap();
        let (one, single) = project(way, &matrix, &Random(2).normals(50, 1)).unwrap();
        let (many, _) = project(way, &matrix, &Random(3).normals(50, 10)).unwrap();
        assert_eq!(alone, one);
        assert_eq!(alone, many);
        assert!(single.iter().sum::<f64>() > 0.0);
    }
}

#[test]
fn a_diagonal_matrix_sorts_its_entries_and_powers() {
    let matrix = common::diagonal(&[3.0, -1.0, 2.0, 0.0]);
    let right = Mat::from_fn(4, 2, |i, c| (1 + i) as f64 * if c == 0 { 1.0 } else { -10.0 });
    for way in WAYS {
        let (values, powers) = project(way, &matrix, &right).unwrap();
        assert_eq!(values, [3.0, 2.0, 0.0, -1.0]);
        for (power, from) in powers.iter().zip([0, 2, 3, 1]) {
            let expected = 101.0 * ((1 + from) as f64).powi(2);
            assert!((power - expected).abs() <= 1e-12 * expected);
        }
    }
}

#[test]
fn nothing_at_all() {
    assert!(WAYS.iter().all(|&way| project(way, &Mat::zeros(0, 0), &Mat::zeros(0, 0)).is_ok()));
}

#[test]
fn room_for_a_larger_size_serves_smaller_ones() {
    for way in WAYS {
        let mut batch = projecting(way, InstructionSet::detect(), 60, 10);
        for (size, width) in [(60, 10), (0, 0), (1, 10), (2, 1), (17, 10), (59, 10), (60, 10)] {
            let (matrix, right) = (Random(1).symmetric(size), Random(2).normals(size, width));
            let alone = project(way, &matrix, &right);
            assert_eq!(common::project(&mut batch, &[(matrix, right)]), [alone], "{way:?}: {size}, {width}");
        }
    }
}

#[test]
fn as_many_problems_of_a_size_fit_as_are_promised_whatever_else_is_served() {
    let all = Wanted { ridge: true, projected: true, pencil: true, vectors: false };
    let alone = Wanted { ridge: true, ..Wanted::default() };
    for isa in InstructionSet::available() {
        for wanted in [all, alone] {
            for sizes in [[40, 100], [40, 300], [40, 520], [300, 520], [300, 400], [520, 900]] {
                let [smallest, size] = sizes;
                let of = [(Room { size, smallest, width: 1, count: 1 }, wanted)];
                let mut batch = ScaledBatch::serving(None, isa, &of, 1);
                for d in sizes {
                    batch.start(d, 1);
                    let most = ScaledBatch::capacity_for(None, isa, d, &of);
                    assert_eq!(most, batch.capacity(), "{d} of {sizes:?}, {wanted:?}, {}", isa.name());
                }
            }
        }
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
                let outcomes = WAYS.map(|way| project(way, &matrix, &right).map(|_| ()));
                assert_eq!(outcomes, [Err(Failure::NotFinite); 2], "size {size}: {bad} at ({i}, {j})");
            }
            let mut broken = right.clone();
            broken[(size / 2, 1)] = bad;
            let outcomes = WAYS.map(|way| project(way, &Random(7).symmetric(size), &broken).map(|_| ()));
            assert_eq!(outcomes, [Err(Failure::NotFinite); 2], "size {size}: {bad} in a right-hand side");
        }
    }
}

#[test]
#[should_panic(expected = "room for this size")]
fn a_size_without_room_panics() {
    projecting(Way::Band, InstructionSet::detect(), 5, 5).start(6, 5);
}

#[test]
#[should_panic(expected = "d × d")]
fn a_matrix_of_another_size_panics() {
    let mut batch = projecting(Way::Band, InstructionSet::detect(), 5, 5);
    common::project(&mut batch, &[(Mat::zeros(3, 2), Mat::zeros(3, 5))]);
}

#[test]
#[should_panic(expected = "d × ℓ")]
fn right_hand_sides_of_another_width_panic() {
    let mut batch = projecting(Way::Band, InstructionSet::detect(), 5, 5);
    let problem = |width| (Mat::zeros(3, 3), Mat::zeros(3, width));
    common::project(&mut batch, &[problem(5), problem(4)]);
}

#[test]
#[should_panic(expected = "room for another problem")]
fn a_full_batch_panics() {
    let mut batch = projecting(Way::Band, InstructionSet::detect(), 1, 1);
    batch.start(1, 1);
    for number in 0..=batch.capacity() {
        batch.push(number, &[1.0]);
    }
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
        check_invariants("any", &matrix, &rng.normals(size, width));
    }
}
