//! Limits at n = ∞ against Propositions 4.3 and 4.4, and for dense covariances.

use eigensweep_testkit::random::Random;
use eigensweep_theory::InstructionSet;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};
use eigensweep_theory::population::{Covariances, Limit, Limits, Sought, Views};
use eigensweep_theory::thresholds::{Pencils, Spectra, alignment, thresholds};
use eigensweep_theory::{Failure, Paradigm};
use faer::Mat;

const SIGNAL: usize = 4;
const NOISE: usize = 5;

fn spread(random: &mut Random, low: f64, high: f64, count: usize) -> Vec<f64> {
    (0..count).map(|_| low * (high / low).powf(random.uniform())).collect()
}

fn diagonal(values: &[f64]) -> Mat<f64> {
    Mat::from_fn(values.len(), values.len(), |i, j| if i == j { values[i] } else { 0.0 })
}

/// In the propositions' case, in any basis and at every k, the root is their threshold.
#[test]
fn the_limit_of_a_common_basis_is_that_of_the_propositions() {
    let mut random = Random(3);
    let size = SIGNAL + NOISE;
    let (mut traced, mut always) = (0, 0);
    for _ in 0..25 {
        let (signal, theta_signal) =
            (spread(&mut random, 1.0, 30.0, SIGNAL), spread(&mut random, 0.3, 10.0, SIGNAL));
        let (gamma, theta_noise) =
            (spread(&mut random, 1.0, 100.0, NOISE), spread(&mut random, 0.3, 10.0, NOISE));
        let q = random.orthogonal(size);
        let turned = |values: Vec<f64>| &q * diagonal(&values) * q.transpose();
        let zeros = |count| vec![0.0; count];
        let clean = turned([signal.clone(), zeros(NOISE)].concat());
        let noise = turned([zeros(SIGNAL), gamma.clone()].concat());
        let theta = turned([theta_signal.clone(), theta_noise.clone()].concat());
        let spectra = Spectra {
            signal: &signal,
            theta_signal: &theta_signal,
            gamma: &gamma,
            theta_noise: &theta_noise,
        };
        for k in 1..=SIGNAL {
            let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
            let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
            assert!(limits.least().abs() < 1e-12, "the signal can be had without noise");
            for (paradigm, squared) in thresholds(&spectra, k).unwrap().limits() {
                let found = limits.additive(paradigm, Sought::of(k), theta.as_ref()).unwrap();
                match found {
                    Limit::At { alpha, width } => {
                        assert!(
                            (alpha / alignment(squared) - 1.0).abs() < 1e-6,
                            "{paradigm}, k = {k}: {alpha}"
                        );
                        assert!(width.abs() < 1e-6, "eigenvalues cross: {width}");
                        traced += 1;
                    }
                    Limit::Always => {
                        assert!(squared <= 1e-9, "{paradigm}, k = {k}: {squared}");
                        always += 1;
                    }
                    Limit::Never => panic!("{paradigm}, k = {k}: never, and {squared}"),
                }
            }
        }
    }
    assert!(traced > 50 && always > 5, "{traced} and {always}");
}

/// With more dimensions than signal, half a component of noise is not too much: the rest is least.
#[test]
fn more_dimensions_than_signal_have_noise_that_is_no_excess() {
    let (clean, noise) = (diagonal(&[4.0, 0.0, 0.0]), diagonal(&[0.0, 9.0, 5.0]));
    let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
    let mut limits = Limits::new(InstructionSet::detect(), covariances, 2).unwrap();
    assert!((limits.least() - 0.5).abs() < 1e-12);
    let theta = diagonal(&[1.0; 3]);
    assert!(matches!(
        limits.additive(&JOINT_EMBEDDING, Sought::of(2), theta.as_ref()),
        Ok(Limit::At { .. } | Limit::Always)
    ));
    assert!(Limits::new(InstructionSet::detect(), covariances, 4).is_err());
}

/// For any covariances joint-embedding's leakage becomes the least as α grows (its pencil tends to
/// (C₀ + Γ, Γ)), and the transition has a width; reconstruction's need not.
#[test]
fn joint_embedding_leaks_least_of_all_where_views_are_the_noise() {
    let mut random = Random(4);
    let size = 8;
    let (mut never, mut gradual) = (0, 0);
    for _ in 0..20 {
        let mut covariance = |low: f64, high: f64| {
            let values = spread(&mut random, low, high, size);
            random.with_eigenvalues(&values)
        };
        let (clean, noise, theta) = (covariance(0.1, 10.0), covariance(0.1, 30.0), covariance(0.1, 3.0));
        let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
        let k = 3;
        let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
        assert!(limits.least() > 0.0 && limits.least() < 1.0);
        let sought = Sought { tolerance: 0.02, ..Sought::of(k) };
        match limits.additive(&JOINT_EMBEDDING, sought, theta.as_ref()).unwrap() {
            Limit::Always => {}
            Limit::At { width, .. } => gradual += usize::from(width > 0.05),
            Limit::Never => panic!("joint-embedding is optimal as α grows"),
        }
        never +=
            usize::from(limits.additive(&RECONSTRUCTION, sought, theta.as_ref()).unwrap() == Limit::Never);
    }
    assert!(never > 0 && gradual > 0, "{never} and {gradual}");
}

/// A matrix with these two blocks on its diagonal.
fn blocks(first: &Mat<f64>, second: &Mat<f64>) -> Mat<f64> {
    let (head, size) = (first.nrows(), first.nrows() + second.nrows());
    Mat::from_fn(size, size, |i, j| match (i < head, j < head) {
        (true, true) => first[(i, j)],
        (false, false) => second[(i - head, j - head)],
        _ => 0.0,
    })
}

/// Raw features: C₀ and Θ share no basis, and noise is on components of its own. The closed form of
/// the pencils is the root, at every k; with fewer directions than features, none beyond them.
#[test]
fn dense_signal_beside_the_noise_has_a_closed_form_that_is_the_root() {
    let mut random = Random(5);
    let (mut traced, mut always) = (0, 0);
    for round in 0..25 {
        let rank = if round % 3 == 0 { SIGNAL - 1 } else { SIGNAL };
        let mut moment = |low: f64, high: f64, rank: usize| {
            let mut values = spread(&mut random, low, high, SIGNAL);
            values[rank..].fill(0.0);
            random.with_eigenvalues(&values)
        };
        let (signal, theta_signal) = (moment(1.0, 30.0, rank), moment(0.3, 10.0, SIGNAL));
        let (gamma, theta_noise) =
            (spread(&mut random, 1.0, 100.0, NOISE), spread(&mut random, 0.3, 10.0, NOISE));
        let clean = blocks(&signal, &Mat::zeros(NOISE, NOISE));
        let noise = blocks(&Mat::zeros(SIGNAL, SIGNAL), &diagonal(&gamma));
        let theta = blocks(&theta_signal, &diagonal(&theta_noise));
        let pencils = Pencils::of(signal.as_ref(), theta_signal.as_ref()).unwrap();
        for k in 1..=rank {
            let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
            let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
            for (paradigm, squared) in pencils.thresholds(&gamma, &theta_noise, k).unwrap().limits() {
                match limits.additive(paradigm, Sought::of(k), theta.as_ref()).unwrap() {
                    Limit::At { alpha, width } => {
                        let expected = alignment(squared);
                        assert!((alpha / expected - 1.0).abs() < 1e-6, "{paradigm}, k = {k}: {alpha}");
                        assert!(width.abs() < 1e-6, "eigenvalues cross: {width}");
                        traced += 1;
                    }
                    Limit::Always => {
                        assert!(squared <= 1e-9, "{paradigm}, k = {k}: {squared}");
                        always += 1;
                    }
                    Limit::Never => panic!("{paradigm}, k = {k}: never, and {squared}"),
                }
            }
        }
        assert!(pencils.thresholds(&gamma, &theta_noise, rank + 1).unwrap().is_never());
    }
    assert!(traced > 50 && always > 5, "{traced} and {always}");
}

/// In a common basis the pencils have the propositions' own values.
#[test]
fn pencils_of_a_common_basis_have_the_thresholds_of_the_propositions() {
    let mut random = Random(6);
    let (gamma, theta_noise) = ([40.0, 3.0, 7.0], [1.0, 0.0, 2.0]);
    let (signal, theta_signal) =
        (spread(&mut random, 0.1, 30.0, SIGNAL), spread(&mut random, 0.3, 10.0, SIGNAL));
    let q = random.orthogonal(SIGNAL);
    let turned = |values: &[f64]| &q * diagonal(values) * q.transpose();
    let pencils = Pencils::of(turned(&signal).as_ref(), turned(&theta_signal).as_ref()).unwrap();
    let spectra =
        Spectra { signal: &signal, theta_signal: &theta_signal, gamma: &gamma, theta_noise: &theta_noise };
    for k in 1..=SIGNAL + 1 {
        let (found, expected) =
            (pencils.thresholds(&gamma, &theta_noise, k).unwrap(), thresholds(&spectra, k).unwrap());
        assert_eq!(found.is_never(), expected.is_never());
        assert_eq!(found.preference, expected.preference);
        if !found.is_never() {
            for (found, expected) in [
                (found.delta, expected.delta),
                (found.eta, expected.eta),
                (found.crossover, expected.crossover),
                (found.alpha_rc_squared, expected.alpha_rc_squared),
                (found.alpha_je_squared, expected.alpha_je_squared),
            ] {
                assert!((found - expected).abs() < 1e-10 * expected.abs().max(1.0), "{found}, {expected}");
            }
        }
    }
    assert!(pencils.thresholds(&[], &[], 1).is_err(), "thresholds need noise");
}

/// C₀, Γ and Θ of twenty problems, which share nothing.
fn dense() -> Vec<[Mat<f64>; 3]> {
    let mut random = Random(7);
    let ranges = [(0.1, 10.0), (0.1, 30.0), (0.1, 3.0)];
    let mut covariance = |(low, high)| {
        let values = spread(&mut random, low, high, 8);
        random.with_eigenvalues(&values)
    };
    (0..20).map(|_| ranges.map(&mut covariance)).collect()
}

/// The root is where the excess is at the tolerance, and the largest α there is ends the search.
#[test]
fn the_excess_is_the_tolerance_at_the_limit() {
    let k = 3;
    let mut traced = 0;
    for [clean, noise, theta] in &dense() {
        let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
        let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
        let views = |inputs: &Mat<f64>, alpha: f64| Views {
            mean_views: inputs.clone(),
            views: inputs + theta + alpha * alpha * noise,
            cross: inputs.clone(),
            rounding: 0.0,
        };
        let inputs = limits.inputs().to_owned();
        for paradigm in [&JOINT_EMBEDDING, &RECONSTRUCTION] {
            let sought = Sought { tolerance: 0.03, ..Sought::of(k) };
            let Limit::At { alpha, .. } = limits.additive(paradigm, sought, theta.as_ref()).unwrap() else {
                continue;
            };
            let mut excess = |alpha: f64| limits.excess(paradigm, &views(&inputs, alpha)).unwrap();
            assert!((excess(alpha) / 0.03 - 1.0).abs() < 1e-5);
            assert!(excess(alpha * 0.99) > 0.03 && excess(alpha * 1.01) < 0.03);
            // Where α is a share, it ends at 1.
            let ends = Sought { most: 0.9 * alpha, ..sought };
            let found = limits.additive(paradigm, ends, theta.as_ref());
            assert_eq!(found.unwrap(), Limit::Never);
            let ends = Sought { most: 1.1 * alpha, width: false, ..sought };
            let Ok(Limit::At { alpha: again, width }) = limits.additive(paradigm, ends, theta.as_ref())
            else {
                panic!("there is a limit below its 1.1-fold")
            };
            assert!((again / alpha - 1.0).abs() < 1e-7 && width.is_nan());
            traced += 1;
        }
    }
    assert!(traced > 15, "{traced}");
}

/// A root takes no more than a step more than bisection, 31 steps to a width of 10⁻⁸, and about
/// half as many where recovery is gradual.
#[test]
fn roots_take_few_problems() {
    let k = 3;
    let mut solved = Vec::new();
    for [clean, noise, theta] in &dense() {
        let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
        let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
        let inputs = limits.inputs().to_owned();
        for paradigm in [&JOINT_EMBEDDING, &RECONSTRUCTION] {
            let mut asked = 0;
            let at = |alpha: f64| {
                asked += 1;
                let views = &inputs + theta + alpha * alpha * noise;
                let (mean_views, cross) = (inputs.clone(), inputs.clone());
                Ok::<_, Failure>(Views { mean_views, views, cross, rounding: 0.0 })
            };
            let sought = Sought { tolerance: 0.03, width: false, ..Sought::of(k) };
            if let Limit::At { .. } = limits.find(paradigm, sought, at).unwrap() {
                solved.push(asked);
            }
        }
    }
    solved.sort_unstable();
    let (median, most) = (solved[solved.len() / 2], solved[solved.len() - 1]);
    assert!(most <= 2 + 32, "at most {most}");
    assert!(median <= 2 + 18, "{median} in the median of {}", solved.len());
}

/// As α grows joint-embedding leaks the least that there is, reconstruction more.
#[test]
fn joint_embedding_is_optimal_in_the_limit_of_strong_views() {
    let k = 3;
    let mut worst = 0.0_f64;
    for [clean, noise, theta] in &dense() {
        let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
        let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
        let inputs = limits.inputs().to_owned();
        let mut excess = |paradigm: &Paradigm| {
            let views = &inputs + theta + 1e8 * noise;
            let views = Views { mean_views: inputs.clone(), views, cross: inputs.clone(), rounding: 0.0 };
            limits.excess(paradigm, &views).unwrap()
        };
        let found = excess(&JOINT_EMBEDDING);
        assert!(found.abs() < 1e-9, "{found}");
        worst = worst.max(excess(&RECONSTRUCTION));
    }
    assert!(worst > 0.1, "reconstruction leaks at most {worst} more");
}
