//! Leakage and the supervised loss against 50-digit values, and leakage where it is known by hand.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod reference;

use eigensweep_theory::InstructionSet;
use eigensweep_theory::additive::Additive;
use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::leakage::{CleanMoment, Leakage, Population};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms::SUPERVISED;
use faer::Mat;
use reference::{LeakageCase, SupervisedLossCase, assert_close, matrix};

/// Leakage is a share: absolute, whatever the scales of the basis.
const LEAKAGE: f64 = 1e-9;

/// Relative to the labels' power.
const LOSS: f64 = 1e-8;

/// Leakage of every leading dimension.
fn leading(basis: &Mat<f64>, population: Population<'_>) -> Vec<f64> {
    let mut leakage = Leakage::new(InstructionSet::detect(), basis.nrows(), population.gamma.len());
    (1..=basis.ncols()).map(|k| leakage.of(basis.as_ref().subcols(0, k), population)).collect()
}

fn of(basis: &Mat<f64>, population: Population<'_>) -> f64 {
    leading(basis, population)[basis.ncols() - 1]
}

/// C₀ and Γ may both be dense over all d components in the reference: `[V; V]` with C₀ on the upper
/// copy and Γ on the lower one has the same quadratic forms.
fn check_leakage(place: &str, case: &LeakageCase) -> bool {
    let (second, basis) = (matrix(&case.second_moment), matrix(&case.basis));
    let (size, k) = (basis.nrows(), basis.ncols());
    let doubled = Mat::from_fn(2 * size, k, |i, j| basis[(i % size, j)]);
    let population = Population { clean: CleanMoment::Dense(second.as_ref()), gamma: &case.gamma };
    assert_close(place, "leakage", &[of(&doubled, population)], &[case.leakage], LEAKAGE);
    // The paper's setting, where it is one: signal first, noise after, all diagonal.
    let diagonal: Vec<f64> = (0..size).map(|i| second[(i, i)]).collect();
    let signal = case.gamma.iter().take_while(|&&gamma| gamma == 0.0).count();
    let off_diagonal = (0..size).any(|j| (0..size).any(|i| i != j && second[(i, j)] != 0.0));
    if off_diagonal || signal == 0 || signal == size || diagonal[signal..].iter().any(|&x| x != 0.0) {
        return false;
    }
    let clean = CleanMoment::Diagonal(&diagonal[..signal]);
    let population = Population { clean, gamma: &case.gamma[signal..] };
    assert_close(place, "leakage, diagonal", &[of(&basis, population)], &[case.leakage], LEAKAGE);
    let dense = second.submatrix(0, 0, signal, signal).to_owned();
    let population = Population { clean: CleanMoment::Dense(dense.as_ref()), ..population };
    assert_close(place, "leakage, split", &[of(&basis, population)], &[case.leakage], LEAKAGE);
    true
}

#[test]
fn leakage_agrees_with_the_reference() {
    let file = reference::project();
    assert!(file.leakage.len() >= 12, "a file of cases");
    let cases = file.leakage.iter().enumerate();
    let diagonal = cases.filter(|(i, case)| check_leakage(&format!("leakage case {i}"), case)).count();
    assert!(diagonal >= 6, "the paper's setting is among them");
}

fn check_supervised(place: &str, case: &SupervisedLossCase) -> bool {
    let (views, inputs, labels) = (matrix(&case.S), matrix(&case.C), matrix(&case.B));
    let (size, width) = (labels.nrows(), labels.ncols());
    let moments = Moments {
        mean_views: inputs.as_ref(),
        views: views.as_ref(),
        cross: inputs.as_ref(),
        view_labels: labels.as_ref(),
        inputs: inputs.as_ref(),
        input_labels: labels.as_ref(),
        label_power: case.label_power,
    };
    let mut forms = ClosedForms::new(size, width);
    let loss = forms.problem(moments).solve(&SUPERVISED).unwrap().predictor().unwrap().loss;
    let tolerance = LOSS * case.label_power;
    assert_close(place, "loss", &[loss], &[case.loss], tolerance);
    let sigma: Vec<f64> = (0..size).map(|i| views[(i, i)] - inputs[(i, i)]).collect();
    let scale = sigma.iter().copied().fold(0.0, f64::max);
    let off_diagonal = (0..size)
        .any(|j| (0..size).any(|i| i != j && (views[(i, j)] - inputs[(i, j)]).abs() > 1e-12 * scale));
    if off_diagonal {
        return false;
    }
    let problem = Additive {
        inputs: inputs.as_ref(),
        input_labels: labels.as_ref(),
        label_power: case.label_power,
        sigma: &sigma,
    };
    for route in reference::ROUTES {
        let [supervised, ..] = reference::solve_additive(route, &problem, &[1], None);
        let loss = supervised.unwrap()[0].loss;
        assert_close(place, &format!("loss, {route:?}"), &[loss], &[case.loss], tolerance);
    }
    true
}

#[test]
fn supervised_loss_agrees_with_the_reference() {
    let file = reference::project();
    assert!(file.supervised_loss.len() >= 5, "a file of cases");
    let cases = file.supervised_loss.iter().enumerate();
    let fast = cases.filter(|(i, case)| check_supervised(&format!("supervised case {i}"), case)).count();
    assert!(fast >= 2, "additive cases are among them");
}

/// One noise component in place of a signal component gives 1/k, whatever its variance; nothing but
/// noise 1; no noise 0.
#[test]
fn whole_components_count_one_over_k() {
    let signal = [3.0, 2.0, 1.0, 0.5];
    let gamma = [1e-6, 1.0, 1e6];
    let population = Population { clean: CleanMoment::Diagonal(&signal), gamma: &gamma };
    let unit = |rows: &[usize]| Mat::from_fn(7, rows.len(), |i, j| f64::from(u8::from(rows[j] == i)));
    for noise in 4..7 {
        for k in 1..=4 {
            let mut rows: Vec<usize> = (0..k).collect();
            rows[k - 1] = noise;
            let found = of(&unit(&rows), population);
            assert_close("one noise component", "leakage", &[found], &[1.0 / k as f64], 1e-15);
        }
    }
    assert_close("noise", "leakage", &leading(&unit(&[4, 5, 6]), population), &[1.0; 3], 1e-15);
    assert_close("signal", "leakage", &leading(&unit(&[3, 0, 2, 1]), population), &[0.0; 4], 0.0);
}

/// A component without any variance adds nothing, and is still counted in k.
#[test]
fn empty_directions_are_no_noise() {
    let (signal, gamma) = ([2.0, 1.0], [3.0]);
    let population = Population { clean: CleanMoment::Diagonal(&signal), gamma: &gamma };
    let basis = Mat::from_fn(3, 2, |i, j| if j == 0 { f64::from(u8::from(i == 2)) } else { 0.0 });
    assert_close("empty", "leakage", &leading(&basis, population), &[1.0, 0.5], 1e-15);
}

/// A row that points along a signal component and still carries almost only noise: angles would not
/// see it.
#[test]
fn a_touch_of_strong_noise_is_leakage() {
    let (signal, gamma) = ([1.0, 1.0], [1e8]);
    let population = Population { clean: CleanMoment::Diagonal(&signal), gamma: &gamma };
    let basis = Mat::from_fn(3, 1, |i, _| [0.0, 1.0, 0.01][i]);
    assert_close("touch", "leakage", &[of(&basis, population)], &[1e4 / (1.0 + 1e4)], 1e-14);
}

#[test]
#[should_panic(expected = "d = k₀ + p")]
fn a_population_of_another_size_panics() {
    let population = Population { clean: CleanMoment::Diagonal(&[1.0, 2.0]), gamma: &[1.0] };
    let _ = of(&Mat::zeros(4, 1), population);
}
