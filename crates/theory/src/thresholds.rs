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
//! are signed: below zero, every α ≥ 0 recovers, and `α* = √max(0, ·)` ([`alignment`]).
//!
//! The propositions are about k = k₀. A representation of dimension k < k₀ needs the k strongest
//! important components only: in place of the minimum over j stands the k-th largest value. One of
//! k > k₀ keeps a noise component whatever α is: its thresholds are infinite.
//!
//! Signal that is diagonal in no basis of Θ has thresholds all the same, as long as noise is on
//! components of its own and diagonal there: G and S are then block-diagonal, so that the signal
//! enters through the eigenvalues of its pencils alone. Those of (C₀, C₀ + Θ) stand in place of
//! `(κⱼ²/n) / (κⱼ²/n + λⱼ^Θ)`, those of (C₀², C₀ + Θ) in place of its square times `κⱼ²/n + λⱼ^Θ`
//! ([`Pencils`]).
//!
//! A difference within the rounding error of its terms is zero: it says that the threshold is at α
//! = 0, and not at some √ε.

use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use faer::{Mat, MatRef};

use crate::closed_forms::ClosedForms;
use crate::moments::Moments;
use crate::paradigms::{self, JOINT_EMBEDDING, Paradigm, RECONSTRUCTION};

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
    /// No representation has that dimension.
    #[error("`dimension` is {found}; it must be from 1 to {most}, the number of signal and noise components")]
    Dimension {
        /// k.
        found: usize,
        /// k₀ + p.
        most: usize,
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
    /// All verdicts, from weak noise to strong.
    pub const ALL: [Self; 3] = [Self::Reconstruction, Self::Undetermined, Self::JointEmbedding];

    /// The name in tables and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reconstruction => "reconstruction",
            Self::JointEmbedding => "joint-embedding",
            Self::Undetermined => "undetermined",
        }
    }

    /// The condition that holds, in symbols.
    #[must_use]
    pub fn condition(self) -> &'static str {
        match self {
            Self::Reconstruction => "max λ^Γ < η²/δ",
            Self::JointEmbedding => "min λ^Γ > η²/δ",
            Self::Undetermined => "η²/δ lies between min and max λ^Γ",
        }
    }
}

/// The paper's thresholds for one set of spectra and one dimension of the representation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// δ, in (0, 1\]; 0 for k > k₀.
    pub delta: f64,
    /// η, in the units of the inputs; 0 for k > k₀.
    pub eta: f64,
    /// α_RC², signed (Proposition 4.3); infinite for k > k₀.
    pub alpha_rc_squared: f64,
    /// α_JE², signed (Proposition 4.4); infinite for k > k₀.
    pub alpha_je_squared: f64,
    /// η²/δ, in the units of λ^Γ (Corollary 4.5); NaN for k > k₀.
    pub crossover: f64,
    /// Corollary 4.5's verdict: a sufficient condition, which may be silent where the thresholds
    /// themselves are not.
    pub preference: Preference,
}

impl Thresholds {
    /// Those of more dimensions than there are important components.
    const NEVER: Self = Self {
        delta: 0.0,
        eta: 0.0,
        alpha_rc_squared: f64::INFINITY,
        alpha_je_squared: f64::INFINITY,
        crossover: f64::NAN,
        preference: Preference::Undetermined,
    };

    /// Whether no alignment recovers, as k > k₀.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.delta == 0.0 && self.alpha_je_squared == f64::INFINITY
    }

    /// The thresholds on α², signed, of the paradigms that have one.
    pub fn limits(&self) -> impl Iterator<Item = (&'static Paradigm, f64)> + Clone + use<> {
        let found = *self;
        paradigms::ALL
            .into_iter()
            .filter_map(move |paradigm| Some((paradigm, (paradigm.threshold.as_ref()?.squared)(&found))))
    }

    /// How many times as large as a paradigm's threshold α* the lowest of the others is; `None` of
    /// one without a threshold.
    #[must_use]
    pub fn factor(&self, paradigm: &Paradigm) -> Option<f64> {
        factor(self.limits(), paradigm)
    }

    /// The paradigm whose threshold is the lower one, which the corollary may not tell.
    #[must_use]
    pub fn lower(&self) -> Option<Lower> {
        lower(self.limits())
    }
}

/// The threshold `α* = √max(0, α²)` on the alignment, of a threshold on α².
#[must_use]
pub fn alignment(squared: f64) -> f64 {
    squared.max(0.0).sqrt()
}

/// A paradigm that needs less alignment than the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lower {
    /// The paradigm.
    pub paradigm: &'static Paradigm,
    /// How many times as large the next threshold α* is, above 1; infinite where the paradigm needs
    /// none.
    pub factor: f64,
}

/// The paradigm with the lowest α*, of thresholds on α²; `None` where several need the same: none,
/// where all their thresholds are negative, or more than there is.
#[must_use]
pub fn lower(limits: impl Iterator<Item = (&'static Paradigm, f64)> + Clone) -> Option<Lower> {
    let (paradigm, _) = limits.clone().min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    factor(limits, paradigm).filter(|&factor| factor > 1.0).map(|factor| Lower { paradigm, factor })
}

/// How many times as large as a paradigm's threshold α* the lowest of the others is, of thresholds
/// on α²: infinite where it needs no alignment and the others do, 1 where both need none or none is
/// enough.
#[must_use]
pub fn factor(
    limits: impl Iterator<Item = (&'static Paradigm, f64)> + Clone,
    paradigm: &Paradigm,
) -> Option<f64> {
    let own = limits.clone().find(|(other, _)| *other == paradigm)?.1;
    let next = limits.filter(|(other, _)| *other != paradigm).map(|(_, squared)| squared).reduce(f64::min)?;
    let (own, next) = (alignment(own), alignment(next));
    // Equal ones may be zero, or infinite.
    Some(if own.to_bits() == next.to_bits() { 1.0 } else { next / own })
}

/// Computes Propositions 4.3 and 4.4 and Corollary 4.5 for representations of `dimension` k.
///
/// ```
/// use eigensweep_theory::thresholds::{Preference, Spectra, thresholds};
///
/// let spectra = Spectra { signal: &[1.0], theta_signal: &[1.0], gamma: &[4.0], theta_noise: &[2.0] };
/// let found = thresholds(&spectra, 1)?;
/// // δ = 1/2, η² = 1/2: α_JE² = 1 − 2/4, α_RC² = 4/η² − 2/4 − 1.
/// assert!((found.alpha_je_squared - 0.5_f64).abs() < 1e-12);
/// assert!((found.alpha_rc_squared - 6.5_f64).abs() < 1e-12);
/// assert_eq!(found.preference, Preference::JointEmbedding);
/// // A second dimension is noise's.
/// assert!(thresholds(&spectra, 2)?.is_never());
/// # Ok::<(), eigensweep_theory::thresholds::SpectraError>(())
/// ```
///
/// Cost: O(k₀ + p) for k = k₀, else O(k₀² + p); no allocation.
///
/// # Errors
///
/// [`SpectraError`]: empty spectra, lengths that differ, a signal or Γ that is not positive, a
/// negative Θ; NaN everywhere; a dimension outside 1..=k₀ + p.
pub fn thresholds(spectra: &Spectra<'_>, dimension: usize) -> Result<Thresholds, SpectraError> {
    let Spectra { signal, theta_signal, gamma, theta_noise } = *spectra;
    check("signal", signal, signal.len(), true)?;
    check("theta_signal", theta_signal, signal.len(), false)?;
    check("gamma", gamma, gamma.len(), true)?;
    check("theta_noise", theta_noise, gamma.len(), false)?;
    let most = signal.len() + gamma.len();
    if !(1..=most).contains(&dimension) {
        return Err(SpectraError::Dimension { found: dimension, most });
    }
    if dimension > signal.len() {
        return Ok(Thresholds::NEVER);
    }
    let components = || signal.iter().copied().zip(theta_signal.iter().copied());
    let delta = largest(dimension, components().map(|(signal, theta)| signal / (signal + theta)));
    let eta = largest(dimension, components().map(|(signal, theta)| signal / (signal + theta).sqrt()));
    // (1−δ)/δ as the k-th smallest λⱼ^Θ/(κⱼ²/n): no cancellation where δ is near 1.
    let theta_over_signal = -largest(dimension, components().map(|(signal, theta)| -(theta / signal)));
    Ok(against_noise(Signal { delta, eta, theta_over_signal }, gamma, theta_noise))
}

/// What thresholds depend on of the signal.
#[derive(Clone, Copy)]
struct Signal {
    delta: f64,
    eta: f64,
    /// (1−δ)/δ.
    theta_over_signal: f64,
}

/// The thresholds of a signal against eigenvalues of Γ and of Θ on the noise components.
fn against_noise(
    Signal { delta, eta, theta_over_signal }: Signal,
    gamma: &[f64],
    theta_noise: &[f64],
) -> Thresholds {
    let (mut alpha_rc_squared, mut alpha_je_squared) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for (&gamma, &theta) in gamma.iter().zip(theta_noise) {
        let (gain, ratio) = (gamma / (eta * eta), theta / gamma);
        alpha_rc_squared = alpha_rc_squared.max(settled(gain - ratio - 1.0, gain + ratio + 1.0));
        alpha_je_squared =
            alpha_je_squared.max(settled(theta_over_signal - ratio, theta_over_signal + ratio));
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
    Thresholds { delta, eta, alpha_rc_squared, alpha_je_squared, crossover, preference }
}

/// Signal in any basis, of which thresholds depend on the values of two pencils.
#[derive(Clone, Debug, PartialEq)]
pub struct Pencils {
    /// Eigenvalues of (C₀, C₀ + Θ), those above rounding, descending.
    deltas: Vec<f64>,
    /// Square roots of the eigenvalues of (C₀², C₀ + Θ), as many.
    etas: Vec<f64>,
}

impl Pencils {
    /// Of the clean second moment C₀ (k₀ × k₀), which may be singular, and of Θ there (k₀ × k₀), in
    /// squared units of the inputs.
    ///
    /// Cost: ≈ 30 k₀³ flops.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if C₀ + Θ is no second moment; [`Failure::NotFinite`],
    /// [`Failure::NoConvergence`].
    ///
    /// # Panics
    ///
    /// If they are not square and of one size.
    pub fn of(clean: MatRef<'_, f64>, theta: MatRef<'_, f64>) -> Result<Self, Failure> {
        let size = clean.nrows();
        assert!(clean.ncols() == size && theta.nrows() == size && theta.ncols() == size, "k₀ × k₀");
        let views: Mat<f64> = clean + theta;
        let mut forms = ClosedForms::on(InstructionSet::detect(), size, 0);
        let mut problem = forms.problem(Moments::unlabelled(clean, views.as_ref(), clean));
        // ω of the one and φ of the other.
        let mut values = |paradigm| -> Result<Vec<f64>, Failure> {
            let encoder = problem.solve(paradigm)?.encoder();
            Ok(encoder.map_or_else(Vec::new, |encoder| encoder.spectrum.values.to_vec()))
        };
        let (mut deltas, mut etas) = (values(&JOINT_EMBEDDING)?, values(&RECONSTRUCTION)?);
        let rounding = 16.0 * size as f64 * f64::EPSILON;
        let rank = |values: &[f64]| {
            let least = values.first().map_or(0.0, |first| first * rounding);
            values.iter().take_while(|value| **value > least).count()
        };
        let rank = rank(&deltas).min(rank(&etas));
        deltas.truncate(rank);
        etas.truncate(rank);
        Ok(Self { deltas, etas })
    }

    /// Thresholds for representations of `dimension` k, against noise on further components with
    /// eigenvalues λᵢ^Γ > 0 (p), where Θ has the eigenvalues λᵢ^Θ ≥ 0 (p).
    ///
    /// The important components are the directions in which C₀ has a variance.
    ///
    /// # Errors
    ///
    /// [`SpectraError`]: empty spectra, lengths that differ, values outside their ranges.
    pub fn thresholds(
        &self,
        gamma: &[f64],
        theta_noise: &[f64],
        dimension: usize,
    ) -> Result<Thresholds, SpectraError> {
        check("gamma", gamma, gamma.len(), true)?;
        check("theta_noise", theta_noise, gamma.len(), false)?;
        let kth = |values: &[f64]| values.get(dimension.checked_sub(1)?).copied();
        let Some((delta, eta)) = kth(&self.deltas).zip(kth(&self.etas)) else { return Ok(Thresholds::NEVER) };
        let signal = Signal { delta, eta, theta_over_signal: (1.0 - delta).max(0.0) / delta };
        Ok(against_noise(signal, gamma, theta_noise))
    }
}

/// The k-th largest of at least k values: the largest that k of them reach.
fn largest(k: usize, values: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    if k == values.len() {
        return values.fold(f64::INFINITY, f64::min);
    }
    let reached = |&value: &f64| values.clone().filter(|&other| other >= value).count() >= k;
    values.clone().filter(reached).fold(f64::NEG_INFINITY, f64::max)
}

/// A difference, 0 where it is the rounding error of its terms, whose magnitudes are given in sum.
///
/// The longest term, γ/η², has gone through six roundings, and the eigenvalues through one each: 16
/// units in the last place are more than all of them.
fn settled(difference: f64, terms: f64) -> f64 {
    if difference.abs() < 8.0 * f64::EPSILON * terms { 0.0 } else { difference }
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
