//! Propositions 4.3 and 4.4 and Corollary 4.5 against 50-digit values.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod reference;

use std::cmp::Ordering;

use eigensweep_testkit::random::Random;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};
use eigensweep_theory::thresholds::{
    Lower, Preference, Spectra, SpectraError, Thresholds, alignment, factor, lower, thresholds,
};

/// The thresholds at k = k₀.
fn at_all(spectra: &Spectra<'_>) -> Result<Thresholds, SpectraError> {
    thresholds(spectra, spectra.signal.len())
}

fn check(file: &reference::File) {
    for (index, case) in file.thresholds.iter().enumerate() {
        let place = format!("threshold case {index}");
        let spectra = Spectra {
            signal: &case.signal,
            theta_signal: &case.theta_signal,
            gamma: &case.gamma,
            theta_noise: &case.theta_noise,
        };
        let found = thresholds(&spectra, case.dimension.unwrap_or(case.signal.len())).unwrap();
        let expect = &case.expect;
        for (what, found, expected) in [
            ("δ", found.delta, expect.delta),
            ("η", found.eta, expect.eta),
            ("α_RC²", found.alpha_rc_squared, expect.alpha_rc_squared),
            ("α_JE²", found.alpha_je_squared, expect.alpha_je_squared),
            ("η²/δ", found.crossover, expect.crossover),
        ] {
            reference::assert_close(&place, what, &[found], &[expected], 1e-12 * expected.abs().max(1.0));
        }
        assert_eq!(found.preference.name(), expect.corollary_4_5, "{place}");
        // The corollary is a theorem: where it speaks, the thresholds agree with it.
        match found.preference {
            Preference::Reconstruction => assert!(found.alpha_je_squared > found.alpha_rc_squared, "{place}"),
            Preference::JointEmbedding => assert!(found.alpha_je_squared < found.alpha_rc_squared, "{place}"),
            Preference::Undetermined => {}
        }
        // Which is lower is said wherever the alignments differ.
        let [one, other] = [found.alpha_je_squared, found.alpha_rc_squared].map(alignment);
        let expected = match one.total_cmp(&other) {
            Ordering::Less => Some(Lower { paradigm: &JOINT_EMBEDDING, factor: other / one }),
            Ordering::Greater => Some(Lower { paradigm: &RECONSTRUCTION, factor: one / other }),
            Ordering::Equal => None,
        };
        assert_eq!(found.lower(), expected, "{place}");
    }
    assert!(file.thresholds.len() >= 60);
}

/// The definition: sort, take the k-th. At k = k₀ these are the bits of the minimum over the
/// components, which rows have.
#[test]
fn thresholds_are_of_the_kth_strongest_component() {
    let mut random = Random(15);
    for _ in 0..200 {
        let (s, p) = (1 + random.below(9), 1 + random.below(5));
        let mut draw = |count: usize| -> Vec<f64> { (0..count).map(|_| random.decades(-2.0, 3.0)).collect() };
        let (signal, theta_signal, gamma, theta_noise) = (draw(s), draw(s), draw(p), draw(p));
        let spectra = Spectra {
            signal: &signal,
            theta_signal: &theta_signal,
            gamma: &gamma,
            theta_noise: &theta_noise,
        };
        let sorted = |of: fn(f64, f64) -> f64| {
            let mut values: Vec<f64> = signal.iter().zip(&theta_signal).map(|(&k, &t)| of(k, t)).collect();
            values.sort_by(|a, b| b.total_cmp(a));
            values
        };
        let (delta, eta) = (sorted(|k, t| k / (k + t)), sorted(|k, t| k / (k + t).sqrt()));
        let ratio = sorted(|k, t| t / k);
        for k in 1..=s {
            let found = thresholds(&spectra, k).unwrap();
            let (eta, delta, ratio) = (eta[k - 1], delta[k - 1], ratio[s - k]);
            let most = |of: &dyn Fn(f64, f64) -> f64| {
                gamma.iter().zip(&theta_noise).map(|(&g, &t)| of(g, t)).fold(f64::NEG_INFINITY, f64::max)
            };
            let expected = [
                delta,
                eta,
                most(&|g, t| g / (eta * eta) - t / g - 1.0),
                most(&|g, t| ratio - t / g),
                eta * eta / delta,
            ];
            let found =
                [found.delta, found.eta, found.alpha_rc_squared, found.alpha_je_squared, found.crossover];
            assert_eq!(found.map(f64::to_bits), expected.map(f64::to_bits), "{spectra:?}, k = {k}");
        }
        for k in s + 1..=s + p {
            let never = thresholds(&spectra, k).unwrap();
            assert!(never.is_never() && never.lower().is_none(), "{never:?}");
            assert!(never.limits().all(|(_, squared)| squared == f64::INFINITY), "{never:?}");
        }
        for k in [0, s + p + 1] {
            let error = SpectraError::Dimension { found: k, most: s + p };
            assert_eq!(thresholds(&spectra, k), Err(error));
        }
    }
}

/// Both terms of α_JE² and all of α_RC² are 1/3 or 1 in exact arithmetic: what is left of them is
/// rounding, of either sign.
#[test]
fn a_threshold_that_is_rounding_of_zero_is_zero() {
    for (signal, scale) in [(3.0, 0.1), (0.7, 0.1), (7.0, 1e-3), (0.3, 1e5), (4.9e-7, 3.3)] {
        let (signal, theta) = (signal * scale, 0.3 * scale);
        // λ^Θ/λ^Γ of the noise is that of the signal.
        let spectra = Spectra {
            signal: &[signal],
            theta_signal: &[theta],
            gamma: &[signal * 3.7],
            theta_noise: &[theta * 3.7],
        };
        assert_eq!(at_all(&spectra).unwrap().alpha_je_squared.to_bits(), 0, "{spectra:?}");
        // λ^Γ/η² = 1, without Θ on the noise.
        let gamma = signal / (signal + theta).sqrt() * (signal / (signal + theta).sqrt());
        let spectra =
            Spectra { gamma: &[gamma * (1.0 + 2.0 * f64::EPSILON)], theta_noise: &[0.0], ..spectra };
        assert_eq!(at_all(&spectra).unwrap().alpha_rc_squared.to_bits(), 0, "{spectra:?}");
        // What is more than rounding stays.
        let spectra = Spectra { gamma: &[gamma * (1.0 + 1e-12)], ..spectra };
        let found = at_all(&spectra).unwrap().alpha_rc_squared;
        assert!((found - 1e-12).abs() < 1e-14, "{found:e}");
    }
}

#[test]
fn the_lower_threshold_and_its_factor_are_of_the_alignment() {
    let limits = |je: f64, rc: f64| [(&JOINT_EMBEDDING, je), (&RECONSTRUCTION, rc)].into_iter();
    for (je, rc, expected) in [
        (4.0, 36.0, Some((&JOINT_EMBEDDING, 3.0))),
        (36.0, 4.0, Some((&RECONSTRUCTION, 3.0))),
        // None is needed by one: by infinitely more.
        (-1.0, 4.0, Some((&JOINT_EMBEDDING, f64::INFINITY))),
        // By none of them, and by all the same; no alignment is enough.
        (-1.0, -2.0, None),
        (4.0, 4.0, None),
        (f64::INFINITY, f64::INFINITY, None),
    ] {
        let found = lower(limits(je, rc)).map(|found| (found.paradigm, found.factor));
        assert_eq!(found, expected, "{je}, {rc}");
    }
    assert_eq!(factor(limits(36.0, 4.0), &JOINT_EMBEDDING), Some(1.0 / 3.0));
    assert_eq!(factor(limits(-1.0, -2.0), &JOINT_EMBEDDING), Some(1.0));
}

#[test]
fn project_thresholds_agree() {
    check(&reference::project());
}

#[test]
fn shared_thresholds_agree() {
    if let Some(file) = reference::shared() {
        check(&file);
    }
}

#[test]
fn impossible_spectra_are_named() {
    let good = Spectra { signal: &[1.0], theta_signal: &[0.0], gamma: &[2.0], theta_noise: &[0.5] };
    assert!(at_all(&good).is_ok());
    let empty = at_all(&Spectra { gamma: &[], theta_noise: &[], ..good });
    assert_eq!(empty, Err(SpectraError::Empty { what: "gamma" }));
    let lengths = at_all(&Spectra { theta_noise: &[1.0, 2.0], ..good });
    assert_eq!(lengths, Err(SpectraError::Length { what: "theta_noise", expected: 1, found: 2 }));
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(
            at_all(&Spectra { theta_signal: &[bad], ..good }),
            Err(SpectraError::OutOfRange { what: "theta_signal", index: 0, .. })
        ));
    }
    assert!(matches!(
        at_all(&Spectra { signal: &[0.0], ..good }),
        Err(SpectraError::OutOfRange { what: "signal", .. })
    ));
}
