//! The values of a solved pencil.
//!
//! Each way to solve a pencil finds the values that it finds best, and everything that is said of a
//! spectrum is computed from these: differences of values near 1, or of squares, lose digits.

/// What the values of a [`Spectrum`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Eigenvalues of the pencil.
    Eigenvalues,
    /// Their square roots.
    Singular,
    /// λ of `Σ^(−½) C̃ Σ^(−½)`: the pencil's eigenvalues are `λ/(1+λ)`.
    SignalToViews,
}

/// A descending spectrum of r values, r the rank of S.
#[derive(Clone, Copy, Debug)]
pub struct Spectrum<'a> {
    /// What its values are.
    pub of: Values,
    /// The values (r), descending; below zero by rounding only.
    pub values: &'a [f64],
}

impl Spectrum<'_> {
    /// Singular value σᵢ: the square root of the pencil's ith eigenvalue, from 0.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[must_use]
    pub fn singular_value(&self, i: usize) -> f64 {
        let value = self.values[i].max(0.0);
        match self.of {
            Values::Eigenvalues => value.sqrt(),
            Values::Singular => value,
            Values::SignalToViews => (value / (1.0 + value)).sqrt(),
        }
    }

    /// (kth − (k+1)th) eigenvalue of the pencil over the first, in \[0, 1\]; `None` where there is
    /// no (k+1)th, k = r.
    ///
    /// A small gap says that the row space of the encoder is ill-determined. Zero if the first
    /// eigenvalue is.
    #[must_use]
    pub fn gap(&self, dimension: usize) -> Option<f64> {
        match self.of {
            Values::Eigenvalues => relative_gap(self.values, dimension),
            Values::Singular => {
                let (first, kth, next) = around(self.values, dimension)?;
                let difference = |first| ((kth - next) / first) * ((kth + next) / first);
                Some(if first > 0.0 { difference(first) } else { 0.0 })
            }
            Values::SignalToViews => {
                let (first, kth, next) = around(self.values, dimension)?;
                let (first, kth, next) = (first.max(0.0), kth.max(0.0), next.max(0.0));
                if first == 0.0 {
                    return Some(0.0);
                }
                Some((kth - next) / ((1.0 + kth) * (1.0 + next)) * ((1.0 + first) / first))
            }
        }
    }
}

/// (kth − (k+1)th) value over the first of a descending spectrum; `None` where there is no (k+1)th.
/// Zero if the first value is.
#[must_use]
pub fn relative_gap(descending: &[f64], dimension: usize) -> Option<f64> {
    let (first, kth, next) = around(descending, dimension)?;
    Some(if first > 0.0 { ((kth - next) / first).max(0.0) } else { 0.0 })
}

/// The first, the kth and the (k+1)th value.
fn around(descending: &[f64], dimension: usize) -> Option<(f64, f64, f64)> {
    let next = descending.get(dimension)?;
    let kth = descending.get(dimension.checked_sub(1)?)?;
    Some((*descending.first()?, *kth, *next))
}

#[cfg(test)]
mod tests {
    use super::{Spectrum, Values};

    /// ω = 9/10, 1/2, 1/5 as eigenvalues, as their roots, and as λ = 9, 1, 1/4.
    #[test]
    fn a_spectrum_is_the_same_whatever_its_values_are() {
        let omega = [0.9, 0.5, 0.2_f64];
        let roots = omega.map(f64::sqrt);
        let lambda = omega.map(|x| x / (1.0 - x));
        let spectra =
            [(Values::Eigenvalues, omega), (Values::Singular, roots), (Values::SignalToViews, lambda)];
        for (of, values) in spectra {
            let spectrum = Spectrum { of, values: &values };
            for (i, root) in roots.iter().enumerate() {
                assert!((spectrum.singular_value(i) - root).abs() < 1e-15, "{of:?}");
            }
            for (k, gap) in [(1, 0.4 / 0.9), (2, 0.3 / 0.9)] {
                assert!((spectrum.gap(k).unwrap() - gap).abs() < 1e-15, "{of:?}");
            }
            assert_eq!((spectrum.gap(0), spectrum.gap(3)), (None, None), "{of:?}");
        }
    }

    #[test]
    fn a_spectrum_of_zeros_has_no_gap() {
        for of in [Values::Eigenvalues, Values::Singular, Values::SignalToViews] {
            let spectrum = Spectrum { of, values: &[0.0, 0.0, -1e-17] };
            assert_eq!(spectrum.gap(2), Some(0.0), "{of:?}");
            assert!(spectrum.singular_value(2).abs() < f64::MIN_POSITIVE, "{of:?}");
        }
    }
}
