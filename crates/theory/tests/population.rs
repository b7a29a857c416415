//! Limits at n = ∞ against Propositions 4.3 and 4.4, and for dense covariances.

use eigensweep_testkit::random::Random;
use eigensweep_theory::InstructionSet;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};
use eigensweep_theory::population::{Covariances, Limit, Limits};
use eigensweep_theory::thresholds::{Spectra, alignment, thresholds};
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
            let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref() };
            let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
            assert!(limits.least().abs() < 1e-12, "the signal can be had without noise");
            for (paradigm, squared) in thresholds(&spectra, k).unwrap().limits() {
                let found = limits.additive(paradigm, 0.5 / k as f64, theta.as_ref()).unwrap();
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
    let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref() };
    let mut limits = Limits::new(InstructionSet::detect(), covariances, 2).unwrap();
    assert!((limits.least() - 0.5).abs() < 1e-12);
    let theta = diagonal(&[1.0; 3]);
    assert!(matches!(
        limits.additive(&JOINT_EMBEDDING, 0.25, theta.as_ref()),
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
        let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref() };
        let k = 3;
        let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
        assert!(limits.least() > 0.0 && limits.least() < 1.0);
        match limits.additive(&JOINT_EMBEDDING, 0.02, theta.as_ref()).unwrap() {
            Limit::Always => {}
            Limit::At { width, .. } => gradual += usize::from(width > 0.05),
            Limit::Never => panic!("joint-embedding is optimal as α grows"),
        }
        never += usize::from(limits.additive(&RECONSTRUCTION, 0.02, theta.as_ref()).unwrap() == Limit::Never);
    }
    assert!(never > 0 && gradual > 0, "{never} and {gradual}");
}
