//! Finite samples: where the critical alignment lies at n, to leading order, and for d ∝ n.
//!
//! [Propositions 4.3 and 4.4](crate::thresholds) are about n → ∞. At finite n each draw of the data
//! has a critical alignment αᵣ of its own. Take one signal component (κ², λ^Θ = θ) beside one noise
//! component (λ, θ'), the signal's clean moment given. The sample's second moment is off by order
//! n^(−½): its noise entry is λ(1 + √(2/n) z₂), its cross entry z √(κ²λ/n), z and z₂ standard
//! normal and independent. Half of a component leaks where the leading eigenvector is half noise:
//!
//! - **joint-embedding**: in coordinates Σ^(−½) the diagonal entries a = κ²/θ and b = λ/(θ' + α²λ)
//!   are equal there, whatever the cross entry is, so with q = θ'/λ
//!   `(αᵣ² + q) / (α_JE² + q) = 1 + √(2/n) z₂`: the median is α_JE.
//! - **reconstruction**: with μ = κ⁴/(κ² + θ) the eigenvalue at which both meet, the pencil couples
//!   them by `m/μ = |z| (κ² + λ − μ)/√(κ²λn)`, and half of a component leaks at an angle of tangent
//!   T = √(λ/κ²), so where the diagonal entries differ by −m (T − 1/T): with q = 1 + θ'/λ
//!   `(αᵣ² + q) / (α_RC² + q) = 1/(1 + x) + √(2/n) z₂ (2 − μ/λ)`,
//!   `x = |z| (κ² + λ − μ)/√(κ²λ) (T − 1/T)/√n`: noise that is stronger than the signal lets
//!   reconstruction recover *below* its threshold, as long as n is not far above (λ/κ²)².
//!
//! A signal that is drawn, too, adds a term of the same kind: √2 z₁, or √2 z₁ (2 − μ/κ²).
//!
//! The law is of the pair that is critical at this n; components that are nearly as strong add to
//! it, and are not in it. [`spiked_level`] is about many of them: as many as p = γn.
//!
//! Source: section 2.2 of this project's specification of statistics, derived and confirmed there
//! and in `tests/finite.rs`; Baik, Ben Arous and Péché (2005) and Paul (2007) for the spiked model.

use crate::paradigms::Paradigm;
use crate::thresholds::{Spectra, SpectraError, thresholds};

/// A signal component and a noise component, by their eigenvalues.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// κ²/n.
    pub signal: f64,
    /// λ^Θ of the signal component.
    pub theta_signal: f64,
    /// λ^Γ.
    pub gamma: f64,
    /// λ^Θ of the noise component.
    pub theta_noise: f64,
}

/// How the critical alignment of a pair varies: `α² + offset = level · (1/(1 + coupling |z|/√n) +
/// √(2/n) (noise z₂ + signal z₁))`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// α² + q at n = ∞.
    pub level: f64,
    /// q.
    pub offset: f64,
    /// x √n / |z|.
    pub coupling: f64,
    /// Sensitivity to the noise component's second moment.
    pub noise: f64,
    /// Sensitivity to the signal component's, if that is drawn.
    pub signal: f64,
}

/// The critical alignments of n samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Law {
    /// Median of α², signed: below zero, more than half of the draws recover at every α.
    pub squared: f64,
    /// Standard deviation of log α, to first order; infinite where the median is not positive.
    pub deviation: f64,
}

/// Median of |z|, z standard normal.
const HALF_NORMAL_MEDIAN: f64 = 0.674_489_750_196_081_7;

impl Crossing {
    /// The law at n samples; `None` where the leading order means nothing, as 1 + x ≤ 0.
    #[must_use]
    pub fn law(&self, samples: f64, signal_is_drawn: bool) -> Option<Law> {
        let Self { level, offset, coupling, noise, signal } = *self;
        let spread = coupling / samples.sqrt();
        let shrunk = 1.0 + spread * HALF_NORMAL_MEDIAN;
        if shrunk <= 0.0 {
            return None;
        }
        let squared = level / shrunk - offset;
        let drawn = if signal_is_drawn { signal * signal } else { 0.0 };
        // The variance of |z| is 1 − 2/π.
        let coupled = spread / (shrunk * shrunk);
        let variance = coupled * coupled * (1.0 - core::f64::consts::FRAC_2_PI)
            + 2.0 / samples * (noise * noise + drawn);
        let deviation = if squared > 0.0 { 0.5 * level * variance.sqrt() / squared } else { f64::INFINITY };
        Some(Law { squared, deviation })
    }
}

/// The law of a paradigm's critical alignment at n samples, for representations of dimension k:
/// that of the critical pair. A representation needs the k signal components that reappear at the
/// least α, in front of every noise component.
///
/// `None` for k > k₀, of a paradigm without a threshold, and where the leading order means nothing.
///
/// ```
/// use eigensweep_theory::finite::law;
/// use eigensweep_theory::paradigms::RECONSTRUCTION;
/// use eigensweep_theory::thresholds::Spectra;
///
/// let spectra = Spectra { signal: &[1.0], theta_signal: &[1.0], gamma: &[1000.0], theta_noise: &[1.0] };
/// // α_RC² = 2000 − 0.001 − 1; at a million samples less than 0.6 of it.
/// let found = law(&RECONSTRUCTION, &spectra, 1, 1e6, false)?.unwrap();
/// assert!((found.squared / 2000.0 - 0.597).abs() < 0.001);
/// # Ok::<(), eigensweep_theory::thresholds::SpectraError>(())
/// ```
///
/// Cost: O(k₀ p).
///
/// # Errors
///
/// Those of [`thresholds`].
pub fn law(
    paradigm: &Paradigm,
    spectra: &Spectra<'_>,
    dimension: usize,
    samples: f64,
    signal_is_drawn: bool,
) -> Result<Option<Law>, SpectraError> {
    let never = thresholds(spectra, dimension)?.is_never();
    let Some(limit) = paradigm.threshold.as_ref().filter(|_| !never) else { return Ok(None) };
    let Spectra { signal, theta_signal, gamma, theta_noise } = *spectra;
    let mut critical: Option<Law> = None;
    let mut of_signals: Vec<Law> = Vec::with_capacity(signal.len());
    for (&gamma, &theta_noise) in gamma.iter().zip(theta_noise) {
        of_signals.clear();
        for (&signal, &theta_signal) in signal.iter().zip(theta_signal) {
            let pair = Pair { signal, theta_signal, gamma, theta_noise };
            let Some(law) = (limit.crossing)(&pair).law(samples, signal_is_drawn) else { return Ok(None) };
            of_signals.push(law);
        }
        of_signals.sort_unstable_by(|one, other| one.squared.total_cmp(&other.squared));
        // The signal that the last of k dimensions goes to.
        let last = of_signals[dimension - 1];
        if critical.is_none_or(|before| last.squared > before.squared) {
            critical = Some(last);
        }
    }
    Ok(critical)
}

/// How far above the noise a spike must stand where d ∝ n: `(α*² + q)/(α_JE² + q)` of
/// joint-embedding, for p noise components of one strength among n samples, γ = p/n, and the signal
/// well above them.
///
/// In the spiked model a component of population ratio ℓ > 1 + √γ over the bulk has an eigenvector
/// of `cos² = (1 − γ/(ℓ−1)²)/(1 + γ/(ℓ−1))`, and leaks `(1 − cos²)/(ℓ cos² + 1 − cos²)`; the answer
/// is the ℓ at which that is `tolerance`, by bisection to a relative 10⁻¹². It tends to 1 as γ → 0,
/// so the paper's threshold is the limit of n → ∞ at fixed d only.
///
/// NaN unless γ is at least 0 and `tolerance` in (0, 1).
#[must_use]
pub fn spiked_level(gamma: f64, tolerance: f64) -> f64 {
    if !(gamma >= 0.0 && gamma.is_finite() && tolerance > 0.0 && tolerance < 1.0) {
        return f64::NAN;
    }
    let leaks = |level: f64| {
        let above = level - 1.0;
        let cosine = (1.0 - gamma / (above * above)).max(0.0) / (1.0 + gamma / above);
        (1.0 - cosine) / (level * cosine + 1.0 - cosine)
    };
    let mut low = 1.0 + gamma.sqrt();
    let mut high = 2.0 * low;
    while leaks(high) > tolerance {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-12 * high {
        let middle = 0.5 * (low + high);
        if leaks(middle) > tolerance { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}
