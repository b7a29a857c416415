//! Unit spectra: what is drawn, from which law, and what is not drawn.

mod common;

use common::{assert_moments, stream};
use eigensweep_sampling::spectrum::Spectrum;
use rand::Rng;

fn filled(spectrum: &Spectrum, size: usize) -> Vec<f64> {
    let mut unit = vec![f64::NAN; size];
    spectrum.fill_unit(&mut unit, &mut stream(1));
    unit
}

#[test]
fn uniform_is_uniform_and_never_zero() {
    let unit = filled(&Spectrum::Uniform, 100_000);
    assert!(unit.iter().all(|&x| x > 0.0 && x <= 1.0));
    // Four comparisons at 5σ, each false once in 1.7 million.
    assert_moments("U(0, 1)", &unit, 0.5, 1.0 / 12.0);
    let squares: Vec<f64> = unit.iter().map(|x| x * x).collect();
    assert_moments("its square", &squares, 1.0 / 3.0, 4.0 / 45.0);
    let neighbours: Vec<f64> = unit.chunks(2).map(|p| (p[0] - 0.5) * (p[1] - 0.5)).collect();
    assert_moments("products of neighbours", &neighbours, 0.0, 1.0 / 144.0);
}

#[test]
fn a_longer_uniform_spectrum_begins_with_a_shorter_one() {
    assert_eq!(filled(&Spectrum::Uniform, 5), filled(&Spectrum::Uniform, 50)[..5]);
}

#[test]
fn flat_power_law_and_list() {
    assert_eq!(filled(&Spectrum::Flat, 3), [1.0; 3]);
    assert_eq!(filled(&Spectrum::PowerLaw { decay: 2.0 }, 4), [1.0, 0.25, 1.0 / 9.0, 0.0625]);
    assert_eq!(filled(&Spectrum::PowerLaw { decay: 0.0 }, 2), [1.0; 2]);
    assert_eq!(filled(&Spectrum::PowerLaw { decay: -1.0 }, 3), [1.0, 2.0, 3.0]);
    assert_eq!(filled(&Spectrum::Listed(vec![0.5, 3.0]), 2), [0.5, 3.0]);
    assert!(filled(&Spectrum::Listed(vec![]), 0).is_empty());
}

#[test]
fn only_uniform_draws() {
    let untouched = stream(1).next_u64();
    let after = |spectrum: &Spectrum| {
        let mut rng = stream(1);
        spectrum.fill_unit(&mut [0.0; 2], &mut rng);
        rng.next_u64()
    };
    assert_eq!(after(&Spectrum::Flat), untouched);
    assert_eq!(after(&Spectrum::PowerLaw { decay: 1.0 }), untouched);
    assert_eq!(after(&Spectrum::Listed(vec![1.0, 2.0])), untouched);
    let mut rng = stream(1);
    let third = (0..3).map(|_| rng.next_u64()).last();
    assert_eq!(Some(after(&Spectrum::Uniform)), third, "one word an eigenvalue");
}

#[test]
#[should_panic(expected = "a list of 2 for 3 eigenvalues")]
fn a_list_of_another_length_panics() {
    let _ = filled(&Spectrum::Listed(vec![1.0, 2.0]), 3);
}
