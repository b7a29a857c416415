//! Alignment thresholds: Propositions 4.3 and 4.4, and Corollary 4.5.
//!
//! With κⱼ²/n the clean second moments and λ^Θ, λ^Γ the eigenvalues of Θ and Γ (i over the noise
//! components, j over the important ones):
//!
//! - `η = minⱼ (κⱼ²/n) / √(κⱼ²/n + λⱼ^Θ)`, `α_RC² = maxᵢ ( λᵢ^Γ/η² − λᵢ^Θ/λᵢ^Γ − 1 )` (Proposition
//!   4.3),
//! - `δ = minⱼ (κⱼ²/n) / (κⱼ²/n + λⱼ^Θ)`, `α_JE² = maxᵢ ( (1−δ)/δ − λᵢ^Θ/λᵢ^Γ )` (Proposition 4.4).
//!
//! As n → ∞ the corrupted model recovers the clean one iff `α²` is above the threshold. Thresholds
//! are signed: below zero, every α ≥ 0 recovers, and `α* = √max(0, ·)`.

/// Eigenvalues in the common basis of the data, Γ and Θ.
#[derive(Clone, Copy, Debug)]
pub struct Spectra<'a> {
    /// κⱼ²/n > 0 of the important components (k₀).
    pub signal: &'a [f64],
    /// λⱼ^Θ ≥ 0 of the important components (k₀).
    pub theta_signal: &'a [f64],
    /// λᵢ^Γ > 0 of the noise components (p).
    pub gamma: &'a [f64],
    /// λᵢ^Θ ≥ 0 of the noise components (p).
    pub theta_noise: &'a [f64],
}

/// Why spectra have no thresholds.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SpectraError {
    /// A spectrum is empty.
    #[error("`{what}` is empty: thresholds need at least one signal and one noise component")]
    Empty {
        /// Name of the spectrum.
        what: &'static str,
    },
    /// Two spectra over the same components differ in length.
    #[error("`{what}` has {found} eigenvalues where {expected} components need one each")]
    Length {
        /// Name of the spectrum.
        what: &'static str,
        /// Number of components.
        expected: usize,
        /// Number of eigenvalues.
        found: usize,
    },
    /// An eigenvalue is outside its range.
    #[error("`{what}` holds {value} at index {index}; it must be {allowed}")]
    OutOfRange {
        /// Name of the spectrum.
        what: &'static str,
        /// Position in it.
        index: usize,
        /// The eigenvalue.
        value: f64,
        /// The range in words.
        allowed: &'static str,
    },
}

/// Corollary 4.5: which paradigm needs the weaker alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// `max λ^Γ < η²/δ`, so `α_JE² > α_RC²`: noise is weak, reconstruction is preferable.
    Reconstruction,
    /// `min λ^Γ > η²/δ`, so `α_JE² < α_RC²`: noise is strong, joint-embedding is preferable.
    JointEmbedding,
    /// The corollary is silent: compare the two thresholds.
    Undetermined,
}

impl Preference {
    /// The name in tables and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reconstruction => "reconstruction",
            Self::JointEmbedding => "joint-embedding",
            Self::Undetermined => "undetermined",
        }
    }
}

/// The paper's thresholds for one set of spectra.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// δ, in (0, 1\].
    pub delta: f64,
    /// η, in the units of the inputs.
    pub eta: f64,
    /// α_RC², signed (Proposition 4.3).
    pub alpha_rc_squared: f64,
    /// α_JE², signed (Proposition 4.4).
    pub alpha_je_squared: f64,
    /// η²/δ, in the units of λ^Γ (Corollary 4.5).
    pub crossover: f64,
    /// Corollary 4.5's verdict.
    pub preference: Preference,
}

/// Computes Propositions 4.3 and 4.4 and Corollary 4.5.
///
/// ```
/// use eigensweep_theory::thresholds::{Preference, Spectra, thresholds};
///
/// let spectra = Spectra { signal: &[1.0], theta_signal: &[1.0], gamma: &[4.0], theta_noise: &[2.0] };
/// let found = thresholds(&spectra)?;
/// // δ = 1/2, η² = 1/2: α_JE² = 1 − 2/4, α_RC² = 4/η² − 2/4 − 1.
/// assert!((found.alpha_je_squared - 0.5_f64).abs() < 1e-12);
/// assert!((found.alpha_rc_squared - 6.5_f64).abs() < 1e-12);
/// assert_eq!(found.preference, Preference::JointEmbedding);
/// # Ok::<(), eigensweep_theory::thresholds::SpectraError>(())
/// ```
///
/// # Errors
///
/// [`SpectraError`]: empty spectra, lengths that differ, a signal or Γ that is not positive, a
/// negative Θ; NaN everywhere.
pub fn thresholds(spectra: &Spectra<'_>) -> Result<Thresholds, SpectraError> {
    check("signal", spectra.signal, spectra.signal.len(), true)?;
    check("theta_signal", spectra.theta_signal, spectra.signal.len(), false)?;
    check("gamma", spectra.gamma, spectra.gamma.len(), true)?;
    check("theta_noise", spectra.theta_noise, spectra.gamma.len(), false)?;
    let (mut delta, mut eta) = (f64::INFINITY, f64::INFINITY);
    // (1−δ)/δ as maxⱼ λⱼ^Θ/(κⱼ²/n): no cancellation where δ is near 1.
    let mut theta_over_signal = 0.0_f64;
    for (&signal, &theta) in spectra.signal.iter().zip(spectra.theta_signal) {
        delta = delta.min(signal / (signal + theta));
        eta = eta.min(signal / (signal + theta).sqrt());
        theta_over_signal = theta_over_signal.max(theta / signal);
    }
    let (mut alpha_rc_squared, mut alpha_je_squared) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for (&gamma, &theta) in spectra.gamma.iter().zip(spectra.theta_noise) {
        let ratio = theta / gamma;
        alpha_rc_squared = alpha_rc_squared.max(gamma / (eta * eta) - ratio - 1.0);
        alpha_je_squared = alpha_je_squared.max(theta_over_signal - ratio);
        least = least.min(gamma);
        most = most.max(gamma);
    }
    let crossover = eta * eta / delta;
    let preference = if most < crossover {
        Preference::Reconstruction
    } else if least > crossover {
        Preference::JointEmbedding
    } else {
        Preference::Undetermined
    };
    Ok(Thresholds { delta, eta, alpha_rc_squared, alpha_je_squared, crossover, preference })
}

fn check(what: &'static str, values: &[f64], expected: usize, positive: bool) -> Result<(), SpectraError> {
    if values.is_empty() {
        return Err(SpectraError::Empty { what });
    }
    if values.len() != expected {
        return Err(SpectraError::Length { what, expected, found: values.len() });
    }
    let allowed = if positive { "finite and above 0" } else { "finite and at least 0" };
    let fits = |x: f64| x.is_finite() && if positive { x > 0.0 } else { x >= 0.0 };
    match values.iter().position(|&x| !fits(x)) {
        Some(index) => Err(SpectraError::OutOfRange { what, index, value: values[index], allowed }),
        None => Ok(()),
    }
}
