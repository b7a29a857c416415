//! Propositions 4.3 and 4.4 and Corollary 4.5 against 50-digit values.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod reference;

use eigensweep_theory::thresholds::{Preference, Spectra, SpectraError, thresholds};

fn check(file: &reference::File) {
    for (index, case) in file.thresholds.iter().enumerate() {
        let place = format!("threshold case {index}");
        let found = thresholds(&Spectra {
            signal: &case.signal,
            theta_signal: &case.theta_signal,
            gamma: &case.gamma,
            theta_noise: &case.theta_noise,
        })
        .unwrap();
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
    }
    assert!(file.thresholds.len() >= 60);
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
    assert!(thresholds(&good).is_ok());
    let empty = thresholds(&Spectra { gamma: &[], theta_noise: &[], ..good });
    assert_eq!(empty, Err(SpectraError::Empty { what: "gamma" }));
    let lengths = thresholds(&Spectra { theta_noise: &[1.0, 2.0], ..good });
    assert_eq!(lengths, Err(SpectraError::Length { what: "theta_noise", expected: 1, found: 2 }));
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        assert!(matches!(
            thresholds(&Spectra { theta_signal: &[bad], ..good }),
            Err(SpectraError::OutOfRange { what: "theta_signal", index: 0, .. })
        ));
    }
    assert!(matches!(
        thresholds(&Spectra { signal: &[0.0], ..good }),
        Err(SpectraError::OutOfRange { what: "signal", .. })
    ));
}
