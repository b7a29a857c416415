//! `[corruption]` and `[augmentation]`: the covariances Γ of the noise and `Σ = Θ + α²Γ` of the views.

use super::axis::Axis;
use super::numbers::Allowed;
use super::read::TableReader;
use super::spectrum::{Expected, NOT_NEGATIVE, Named, SpectrumSpec};

/// Noise components p unless given: those of Appendix C.
pub const DEFAULT_NOISE_COMPONENTS: i64 = 50;

/// Largest eigenvalue of Γ unless given: the weak noise of Appendix C.
pub const DEFAULT_NOISE_SCALE: f64 = 1e3;

/// Largest eigenvalue of Θ unless given: that of Appendix C.
pub const DEFAULT_AUGMENTATION_SCALE: f64 = 1e4;

/// Alignment α unless given: views add noise of the strength that the samples have.
pub const DEFAULT_ALIGNMENT: f64 = 1.0;

/// Irrelevant features: noise `γᵢ ~ N(0, Γ)`, drawn once a sample, in p components of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct CorruptionSpec {
    /// p, the number of noise components.
    pub components: Axis<i64>,
    /// The eigenvalues `λᵢ^Γ` on the noise components.
    pub spectrum: SpectrumSpec,
}

/// Views `τ(x) = x + θ + αγ` with `θ ~ N(0, Θ)`, `γ ~ N(0, Γ)`.
#[derive(Clone, Debug, PartialEq)]
pub struct AugmentationSpec {
    /// The eigenvalues `λᵢ^Θ`: the k₀ important components first, then the p noise components.
    pub spectrum: SpectrumSpec,
    /// α ≥ 0, how much of the views' noise is the noise of the samples.
    pub alignment: Axis<f64>,
}

const ALIGNMENT: Allowed = Allowed {
    whole: false,
    holds: |value| value >= 0.0,
    words: "at least 0",
    help: "α multiplies the noise that views share with the samples; only its square matters, and 0 means none",
};

/// The kinds of corruption and of augmentation there are, the same for both.
#[derive(Clone, Copy)]
enum Kind {
    Spectral,
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Spectral => "spectral",
    }
}

pub(super) fn read_corruption(table: &mut TableReader<'_>) -> Option<CorruptionSpec> {
    let Kind::Spectral = table.choice("kind", &[Kind::Spectral], kind_name, Kind::Spectral)?;
    let expected = Expected { shape: Named::Uniform, scale: DEFAULT_NOISE_SCALE, values: NOT_NEGATIVE };
    let spectrum = table.spectrum(&expected);
    let components = table.counted("components", DEFAULT_NOISE_COMPONENTS, spectrum.as_ref());
    Some(CorruptionSpec { components: components?, spectrum: spectrum? })
}

pub(super) fn read_augmentation(table: &mut TableReader<'_>) -> Option<AugmentationSpec> {
    let Kind::Spectral = table.choice("kind", &[Kind::Spectral], kind_name, Kind::Spectral)?;
    let expected =
        Expected { shape: Named::Uniform, scale: DEFAULT_AUGMENTATION_SCALE, values: NOT_NEGATIVE };
    let spectrum = table.spectrum(&expected);
    let alignment = table.reals("alignment", ALIGNMENT, &[DEFAULT_ALIGNMENT]);
    Some(AugmentationSpec { spectrum: spectrum?, alignment: alignment? })
}
