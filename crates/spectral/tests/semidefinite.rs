//! `tr(Rᵀ M⁺ R)` against the eigendecomposition's pseudo-inverse, singular or not, in any units.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::workspace;
use eigensweep_spectral::MemStack;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::semidefinite::{explained_power, explained_power_scratch};
use eigensweep_testkit::random::{Random, symmetrized};
use faer::{Mat, Side, mat};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The form, from the lower triangle alone.
fn explained(matrix: &Mat<f64>, right: &Mat<f64>, floor: f64) -> f64 {
    let mut memory = workspace(explained_power_scratch(matrix.nrows()));
    let mut lower =
        Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| if i >= j { matrix[(i, j)] } else { f64::NAN });
    explained_power(
        InstructionSet::detect(),
        lower.as_mut(),
        right.clone().as_mut(),
        floor,
        MemStack::new(&mut memory),
    )
}

/// Through the eigendecomposition, with eigenvalues below 1e-10 of the largest taken as zero.
fn reference(matrix: &Mat<f64>, right: &Mat<f64>) -> f64 {
    let eigen = matrix.self_adjoint_eigen(Side::Lower).unwrap();
    let projected = eigen.U().transpose() * right;
    let values: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
    let floor = 1e-10 * values.iter().copied().fold(0.0, f64::max);
    (0..values.len())
        .filter(|&i| values[i] > floor)
        .map(|i| projected.row(i).iter().map(|x| x * x).sum::<f64>() / values[i])
        .sum()
}

/// M of rank r, and R in its range: `M = F Fᵀ`, `R = F W`; the form is `tr(Wᵀ Fᵀ M⁺ F W)`, ‖W‖² if
/// r ≤ k.
fn problem(size: usize, rank: usize, width: usize, seed: u64) -> (Mat<f64>, Mat<f64>) {
    let rng = &mut Random(seed);
    let factor = rng.normals(size, rank);
    let right = &factor * rng.normals(rank, width);
    (symmetrized(&(&factor * factor.transpose())), right)
}

/// Cholesky with diagonal pivoting of the equilibrated M, each step's update at once.
fn step_by_step(matrix: &Mat<f64>, right: &Mat<f64>) -> f64 {
    let (size, width) = (right.nrows(), right.ncols());
    let scale: Vec<f64> = (0..size).map(|i| 1.0 / matrix[(i, i)].sqrt()).collect();
    let mut left = Mat::from_fn(size, size, |i, j| matrix[(i, j)] * scale[i.max(j)] * scale[i.min(j)]);
    let mut rows = Mat::from_fn(size, width, |i, c| right[(i, c)] * scale[i]);
    let mut explained = 0.0;
    for step in 0..size {
        let at = (step..size).fold(step, |at, i| if left[(i, i)] > left[(at, at)] { i } else { at });
        let pivot = left[(at, at)];
        if pivot <= size as f64 * f64::EPSILON {
            break;
        }
        let order = |i: usize| {
            if i == step {
                at
            } else if i == at {
                step
            } else {
                i
            }
        };
        left = Mat::from_fn(size, size, |i, j| left[(order(i), order(j))]);
        rows = Mat::from_fn(size, width, |i, c| rows[(order(i), c)]);
        let column: Vec<f64> = (0..size).map(|i| left[(i, step)] / pivot.sqrt()).collect();
        for c in 0..width {
            rows[(step, c)] /= pivot.sqrt();
            explained += rows[(step, c)] * rows[(step, c)];
            for i in step + 1..size {
                let update = column[i] * rows[(step, c)];
                rows[(i, c)] -= update;
            }
        }
        for j in step + 1..size {
            for i in step + 1..size {
                let update = column[i] * column[j];
                left[(i, j)] -= update;
            }
        }
    }
    explained
}

#[test]
fn a_singular_form_is_that_of_one_step_after_the_other_to_the_bit() {
    for (size, rank) in [(3, 1), (9, 8), (20, 7), (41, 24), (70, 50)] {
        for seed in 0..5 {
            let (matrix, right) = problem(size, rank, 3, 77 + seed);
            let (found, wanted) = (explained(&matrix, &right, 0.0), step_by_step(&matrix, &right));
            assert_eq!(found.to_bits(), wanted.to_bits(), "{size} {rank}: {found} {wanted}");
        }
    }
}

fn assert_close(found: f64, wanted: f64, relative: f64, what: &str) {
    assert!((found - wanted).abs() <= relative * wanted.abs(), "{what}: {found} {wanted}");
}

#[test]
fn equals_the_pseudo_inverse() {
    for (size, rank, width) in [
        (1, 1, 1),
        (2, 2, 3),
        (2, 1, 3),
        (10, 30, 4),
        (10, 5, 4),
        (33, 100, 10),
        (33, 32, 1),
        (33, 12, 10),
        (50, 25, 10),
        (100, 300, 10),
        (100, 40, 10),
        (100, 1, 2),
    ] {
        for seed in 0..10 {
            let (matrix, right) = problem(size, rank, width, seed);
            let (found, wanted) = (explained(&matrix, &right, 0.0), reference(&matrix, &right));
            assert_close(found, wanted, 1e-9, &format!("rank {rank} of {size}, seed {seed}"));
        }
    }
}

#[test]
fn of_a_right_side_in_the_range_of_a_factor() {
    // With independent columns of F, Fᵀ(FFᵀ)⁺F = I: the form is ‖W‖².
    for (size, rank) in [(6, 6), (20, 7), (60, 30)] {
        let rng = &mut Random(3);
        let factor = rng.normals(size, rank);
        let weights = rng.normals(rank, 4);
        let matrix = symmetrized(&(&factor * factor.transpose()));
        let found = explained(&matrix, &(&factor * &weights), 0.0);
        assert_close(found, weights.squared_norm_l2(), 1e-9, &format!("rank {rank} of {size}"));
    }
}

#[test]
fn fewer_samples_than_components_explain_everything() {
    // A probe on more components than samples fits the labels exactly: tr(Rᵀ M⁺ R) = tr(YᵀY)/n.
    let rng = &mut Random(4);
    let (samples, components, labels) = (12, 30, 3);
    let z = rng.normals(samples, components);
    let y = rng.normals(samples, labels);
    let matrix = symmetrized(&(z.transpose() * &z * faer::Scale(1.0 / samples as f64)));
    let right = z.transpose() * &y * faer::Scale(1.0 / samples as f64);
    assert_close(explained(&matrix, &right, 0.0), y.squared_norm_l2() / samples as f64, 1e-9, "all");
}

#[test]
fn zero_rows_count_for_nothing() {
    let (matrix, right) = problem(8, 20, 3, 1);
    let wanted = explained(&matrix, &right, 0.0);
    for place in [0, 4, 8] {
        let from = |i: usize| if i < place { i } else { i - 1 };
        let wide = Mat::from_fn(9, 9, |i, j| match i == place || j == place {
            true => 0.0,
            false => matrix[(from(i), from(j))],
        });
        let tall = Mat::from_fn(9, 3, |i, c| if i == place { 0.0 } else { right[(from(i), c)] });
        assert_close(explained(&wide, &tall, 0.0), wanted, 1e-12, &format!("row {place}"));
    }
}

#[test]
fn a_repeated_component_explains_nothing_new() {
    let (matrix, right) = problem(5, 20, 2, 9);
    let wanted = explained(&matrix, &right, 0.0);
    let from = |i: usize| if i == 5 { 2 } else { i };
    let wide = Mat::from_fn(6, 6, |i, j| matrix[(from(i), from(j))]);
    let tall = Mat::from_fn(6, 2, |i, c| right[(from(i), c)]);
    assert_close(explained(&wide, &tall, 0.0), wanted, 1e-11, "copy of a component");
}

#[test]
fn a_small_pivot_that_is_not_rounding_counts() {
    // R = M w with w = (−1e4, 1e4, 0): the form is wᵀMw = 1, all of it on a pivot of 1e-8. The row
    // of zeros makes M singular.
    let matrix = mat![[1.0, 1.0, 0.0], [1.0, 1.0 + 1e-8, 0.0], [0.0, 0.0, 0.0]];
    assert_close(explained(&matrix, &mat![[0.0], [1e-4], [0.0]], 0.0), 1.0, 1e-7, "pivoted");
    let matrix = mat![[1.0, 1.0], [1.0, 1.0 + 1e-8]];
    assert_close(explained(&matrix, &mat![[0.0], [1e-4]], 0.0), 1.0, 1e-7, "definite");
}

#[test]
fn the_floor_itself_is_dropped_and_anything_above_is_kept() {
    let matrix = common::diagonal(&[4.0, 1e-9, 2.0]);
    let right = mat![[2.0], [1e-3], [1.0]];
    assert_close(explained(&matrix, &right, 0.0), 1.0 + 1e3 + 0.5, 1e-14, "no floor");
    assert_close(explained(&matrix, &right, 0.9e-9), 1.0 + 1e3 + 0.5, 1e-14, "floor below");
    assert_close(explained(&matrix, &right, 1e-9), 1.0 + 0.5, 1e-14, "floor at the entry");
    assert_close(explained(&matrix, &right, 2.0), 1.0, 1e-14, "floor at another entry");
    assert!(explained(&matrix, &right, 5.0).abs() == 0.0, "floor above all");
    // A floor below zero is zero: a negative variance never counts.
    let negative = common::diagonal(&[4.0, -1.0, 2.0]);
    assert_close(explained(&negative, &right, -10.0), 1.0 + 0.5, 1e-14, "negative entry");
}

#[test]
fn nothing_to_explain() {
    assert!(explained(&Mat::zeros(0, 0), &Mat::zeros(0, 2), 0.0) == 0.0);
    assert!(explained(&Mat::zeros(4, 4), &Mat::zeros(4, 2), 0.0) == 0.0);
    let (matrix, _) = problem(4, 9, 1, 1);
    assert!(explained(&matrix, &Mat::zeros(4, 0), 0.0) == 0.0);
    assert!(explained(&matrix, &Mat::zeros(4, 3), 0.0) == 0.0);
}

#[test]
fn extreme_units() {
    let (matrix, right) = problem(6, 20, 2, 5);
    let wanted = explained(&matrix, &right, 0.0);
    // M in units of u², R in units of u: the form has none.
    for unit in [1e-158, 1e-150, 1e-70, 1e70, 1e150] {
        let scaled = Mat::from_fn(6, 6, |i, j| matrix[(i, j)] * unit * unit);
        let tall = Mat::from_fn(6, 2, |i, c| right[(i, c)] * unit);
        // At 1e-158 the entries of M are subnormal, with some seven digits left.
        let allowed = if unit < 1e-154 { 1e-4 } else { 1e-11 };
        assert_close(explained(&scaled, &tall, 0.0), wanted, allowed, &format!("unit {unit:e}"));
    }
}

#[test]
fn what_is_not_finite_stays_visible() {
    for rank in [3, 20] {
        let (matrix, right) = problem(6, rank, 2, 5);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for i in 0..6 {
                for j in 0..=i {
                    let mut broken = matrix.clone();
                    broken[(i, j)] = bad;
                    let form = explained(&broken, &right, 0.0);
                    assert!(!form.is_finite(), "rank {rank}: {bad} at ({i}, {j}) gave {form}");
                }
                for c in 0..2 {
                    let mut broken = right.clone();
                    broken[(i, c)] = bad;
                    let form = explained(&matrix, &broken, 0.0);
                    assert!(!form.is_finite(), "rank {rank}: {bad} in row {i} of R gave {form}");
                }
            }
        }
    }
}

#[test]
fn what_is_not_finite_stays_visible_in_a_row_without_variance() {
    let matrix = common::diagonal(&[1.0, 0.0]);
    assert!(!explained(&matrix, &mat![[1.0], [f64::NAN]], 0.0).is_finite());
    let broken = mat![[1.0, 0.0], [f64::NAN, 0.0]];
    assert!(!explained(&broken, &mat![[1.0], [0.0]], 0.0).is_finite());
}

fn run(rows: usize, columns: usize, right: usize) {
    let mut memory = workspace(explained_power_scratch(5));
    let _ = explained_power(
        InstructionSet::detect(),
        Mat::zeros(rows, columns).as_mut(),
        Mat::zeros(right, 1).as_mut(),
        0.0,
        MemStack::new(&mut memory),
    );
}

#[test]
#[should_panic(expected = "k × k")]
fn a_matrix_that_is_not_square_panics() {
    run(3, 2, 3);
}

#[test]
#[should_panic(expected = "k × k")]
fn a_right_side_of_another_size_panics() {
    run(3, 3, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

    /// The form does not change with the units of the components, whatever the rank.
    #[test]
    fn units_do_not_matter(
        size in 1_usize..30,
        rank in 1_usize..60,
        seed in any::<u64>(),
        exponents in prop::collection::vec(-40_i32..40, 30),
    ) {
        let (matrix, right) = problem(size, rank, 3, seed);
        let unit = |i: usize| 2.0_f64.powi(exponents[i]);
        let scaled = Mat::from_fn(size, size, |i, j| matrix[(i, j)] * unit(i) * unit(j));
        let tall = Mat::from_fn(size, 3, |i, c| right[(i, c)] * unit(i));
        let (found, wanted) = (explained(&scaled, &tall, 0.0), explained(&matrix, &right, 0.0));
        prop_assert!((found - wanted).abs() <= 1e-6 * wanted, "{found} {wanted}");
    }

    /// More components never explain less, and nothing explains more than there is.
    #[test]
    fn more_components_explain_more(size in 2_usize..25, rank in 1_usize..50, seed in any::<u64>()) {
        let rng = &mut Random(seed);
        let z = rng.normals(rank, size);
        let y = rng.normals(rank, 2);
        let matrix = symmetrized(&(z.transpose() * &z));
        let right = z.transpose() * &y;
        let mut before = 0.0;
        for kept in 1..=size {
            let now = explained(
                &matrix.as_ref().submatrix(0, 0, kept, kept).to_owned(),
                &right.as_ref().subrows(0, kept).to_owned(),
                0.0,
            );
            prop_assert!(now >= before - 1e-6 * y.squared_norm_l2(), "{before} {now}");
            prop_assert!(now <= (1.0 + 1e-6) * y.squared_norm_l2(), "{now} {}", y.squared_norm_l2());
            before = now;
        }
    }
}
