//! `effective_rank`: the number of directions that a representation uses.
//!
//! `exp(−Σ pᵢ ln pᵢ)` with `pᵢ = σᵢ/Σσ` over the k singular values that are kept, σ² the
//! eigenvalues of the pencil: of the representation of the mean views (joint-embedding), of what is
//! reconstructed (reconstruction). In \[1, k\].
//!
//! Source: O. Roy and M. Vetterli, *The effective rank: a measure of effective dimensionality*,
//! EUSIPCO 2007.

use super::{Asked, Better, Formula, Metric};
use crate::spectrum::Spectrum;

/// Exponential of the entropy of the representation's normalized spectrum.
pub static EFFECTIVE_RANK: Metric = Metric {
    name: "effective_rank",
    title: "effective rank",
    help: "exp of the entropy of the representation's normalized spectrum (Roy & Vetterli 2007)",
    better: Better::Neither,
    asked: Asked::ByName,
    of: Formula::Spectrum(effective_rank),
};

/// `None` where all singular values are zero.
fn effective_rank(spectrum: &Spectrum<'_>, dimension: usize) -> Option<f64> {
    let values = || (0..dimension).map(|i| spectrum.singular_value(i));
    let sum: f64 = values().sum();
    // What is zero adds nothing: p ln p → 0.
    let entropy: f64 = values().map(|x| x / sum).filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum();
    (sum > 0.0).then(|| entropy.exp().clamp(1.0, dimension as f64))
}

#[cfg(test)]
mod tests {
    use super::effective_rank;
    use crate::spectrum::{Spectrum, Values};

    fn of(values: &[f64], dimension: usize) -> Option<f64> {
        effective_rank(&Spectrum { of: Values::Singular, values }, dimension)
    }

    #[test]
    fn a_flat_spectrum_uses_all_that_is_kept() {
        for k in 1..=5 {
            assert!((of(&[0.3; 5], k).unwrap() - k as f64).abs() < 1e-14, "k = {k}");
        }
    }

    #[test]
    fn a_single_value_is_one_direction() {
        assert_eq!(of(&[2.0, 0.0, 0.0], 3), Some(1.0));
        assert_eq!(of(&[1e300, 1e-300], 2), Some(1.0));
    }

    /// p = (1/2, 1/4, 1/4): entropy 3/2 ln 2, so 2√2; over the first two p = (2/3, 1/3): 3/∛4.
    #[test]
    fn the_entropy_is_of_what_is_kept() {
        let values = [4.0, 2.0, 2.0];
        assert!((of(&values, 3).unwrap() - 8.0_f64.sqrt()).abs() < 1e-15);
        assert!((of(&values, 2).unwrap() - 3.0 / 4.0_f64.cbrt()).abs() < 1e-15);
    }

    #[test]
    fn nothing_at_all_has_no_rank() {
        assert_eq!(of(&[0.0, -1e-20], 2), None);
    }
}
