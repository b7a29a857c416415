//! The law of finite samples against simulated pairs, and the spiked model against its table.

use eigensweep_testkit::random::Random;
use eigensweep_theory::Paradigm;
use eigensweep_theory::finite::{Pair, law, spiked_level};
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};
use eigensweep_theory::thresholds::{Spectra, thresholds};

/// Leakage of the leading generalized eigenvector of a pencil of two components, a signal and a
/// noise, at α: written out, without the kernels.
fn leakage(paradigm: &Paradigm, pair: &Pair, moment: [f64; 3], alpha: f64) -> f64 {
    let [ss, sn, nn] = moment;
    let views = [ss + pair.theta_signal, sn, nn + pair.theta_noise + alpha * alpha * pair.gamma];
    let left = if *paradigm == JOINT_EMBEDDING {
        moment
    } else {
        [ss * ss + sn * sn, sn * (ss + nn), sn * sn + nn * nn]
    };
    // det(left − ω views) = 0, its larger root; then the null vector.
    let determinant = |m: [f64; 3]| m[0] * m[2] - m[1] * m[1];
    let half = 0.5 * (left[0] * views[2] + left[2] * views[0] - 2.0 * left[1] * views[1]);
    let (a, c) = (determinant(views), determinant(left));
    let omega = (half + (half * half - a * c).max(0.0).sqrt()) / a;
    let rest = |i: usize| left[i] - omega * views[i];
    let [s, n] = if rest(0).abs() > rest(2).abs() { [-rest(1), rest(0)] } else { [rest(2), -rest(1)] };
    n * n * pair.gamma / (s * s * pair.signal + n * n * pair.gamma)
}

/// αᵣ² of a draw: 0 where it recovers at α = 0.
fn critical(paradigm: &Paradigm, pair: &Pair, moment: [f64; 3], around: f64) -> f64 {
    let recovers = |alpha| leakage(paradigm, pair, moment, alpha) < 0.5;
    if recovers(0.0) {
        return 0.0;
    }
    let (mut low, mut high) = (1e-6 * around, 1e3 * around);
    while high - low > 1e-10 * high {
        let middle = (low * high).sqrt();
        if recovers(middle) { high = middle } else { low = middle }
    }
    low * high
}

/// Medians of simulated draws are the law's, within four standard errors and the next order of 1/n.
#[test]
fn the_median_critical_alignment_of_a_pair_is_the_laws() {
    const DRAWS: usize = 4000;
    let mut random = Random(1);
    for (paradigm, ratio, samples, random_signal) in [
        (&JOINT_EMBEDDING, 10.0, 1e2, false),
        (&JOINT_EMBEDDING, 100.0, 1e4, true),
        (&RECONSTRUCTION, 1.0, 1e4, false),
        (&RECONSTRUCTION, 10.0, 1e4, true),
        (&RECONSTRUCTION, 100.0, 1e4, false),
        (&RECONSTRUCTION, 100.0, 1e6, true),
        (&RECONSTRUCTION, 1000.0, 1e6, false),
        (&RECONSTRUCTION, 1000.0, 1e8, false),
    ] {
        let pair = Pair { signal: 2.0, theta_signal: 3.0, gamma: 2.0 * ratio, theta_noise: 1.5 };
        let spectra = Spectra {
            signal: &[pair.signal],
            theta_signal: &[pair.theta_signal],
            gamma: &[pair.gamma],
            theta_noise: &[pair.theta_noise],
        };
        let found = law(paradigm, &spectra, 1, samples, random_signal).unwrap().unwrap();
        let around = found.squared.max(1e-3).sqrt();
        // The Gram matrix of n normal pairs: exact up to 1/n, a chi-square as a normal.
        let mut squares: Vec<f64> = (0..DRAWS)
            .map(|_| {
                let [z, one, two] = [random.normal(), random.normal(), random.normal()];
                let signal = if random_signal {
                    pair.signal * (1.0 + (2.0 / samples).sqrt() * one)
                } else {
                    pair.signal
                };
                let cross = z * (signal * pair.gamma / samples).sqrt();
                let noise = pair.gamma * (1.0 + (2.0 / samples).sqrt() * two);
                critical(paradigm, &pair, [signal, cross, noise], around)
            })
            .collect();
        squares.sort_unstable_by(f64::total_cmp);
        let [low, median, high] = [1, 2, 3].map(|quarter| squares[quarter * DRAWS / 4]);
        // Of a median: 1.2533 σ/√n, σ from the quartiles.
        let error = 1.2533 * (high - low) / 1.349 / (DRAWS as f64).sqrt();
        let next =
            3.0 * found.squared * (ratio / samples.sqrt()).min(1.0).powi(2) + 20.0 * found.squared / samples;
        let off = (median - found.squared).abs();
        assert!(off < 4.0 * error + next, "{paradigm} {ratio} {samples}: {median}, law {}", found.squared);
        let deviation = (high.ln() - low.ln()) / 2.0 / 1.349;
        assert!(
            (found.deviation / deviation - 1.0).abs() < 0.3,
            "{paradigm} {ratio} {samples}: {deviation}, {found:?}"
        );
    }
}

/// At infinite n the law is the propositions' threshold, at every k; at finite n it is below
/// reconstruction's where noise is the stronger.
#[test]
fn the_law_tends_to_the_thresholds() {
    let mut random = Random(2);
    for _ in 0..200 {
        let mut draw = |low: f64, high: f64, count: usize| -> Vec<f64> {
            (0..count).map(|_| low * (high / low).powf(random.uniform())).collect()
        };
        let (signal, theta_signal) = (draw(0.1, 10.0, 4), draw(0.1, 10.0, 4));
        let (gamma, theta_noise) = (draw(20.0, 200.0, 3), draw(0.1, 10.0, 3));
        let spectra = Spectra {
            signal: &signal,
            theta_signal: &theta_signal,
            gamma: &gamma,
            theta_noise: &theta_noise,
        };
        for k in 1..=4 {
            let limits = thresholds(&spectra, k).unwrap();
            for (paradigm, squared) in limits.limits() {
                let found = law(paradigm, &spectra, k, 1e30, true).unwrap().unwrap();
                assert!(
                    (found.squared - squared).abs() < 1e-9 * squared.abs().max(1.0),
                    "{paradigm}, k = {k}"
                );
            }
            let at = |n| law(&RECONSTRUCTION, &spectra, k, n, false).unwrap().unwrap().squared;
            assert!(at(1e4) < at(1e8) && at(1e8) < limits.alpha_rc_squared);
        }
        assert_eq!(law(&JOINT_EMBEDDING, &spectra, 5, 1e4, false).unwrap(), None, "k > k₀");
    }
}

/// The table of section 2.3 of the specification of statistics, three spikes at a tolerance of 1/6.
#[test]
fn a_spike_stands_as_far_above_many_components_as_the_spiked_model_says() {
    for (gamma, level) in [(0.05, 1.548), (0.2, 2.095), (0.5, 2.732)] {
        assert!((spiked_level(gamma, 1.0 / 6.0) - level).abs() < 5e-4, "{gamma}");
    }
    assert!((spiked_level(0.0, 0.3) - 1.0).abs() < 1e-9);
    for (gamma, tolerance) in [(-1.0, 0.5), (f64::NAN, 0.5), (0.1, 0.0), (0.1, 1.0), (f64::INFINITY, 0.5)] {
        assert!(spiked_level(gamma, tolerance).is_nan());
    }
}
