//! Kinds of views (data augmentations): one file each, and one line in [`KINDS`].
//!
//! A kind says which keys of `[augmentation]` it takes, and what covariance Σ its views add to a
//! sample's inputs.

mod spectral;
pub mod stages;

use faer::MatRef;

pub use spectral::SPECTRAL;

/// All kinds.
pub static KINDS: [&View; 1] = [&SPECTRAL];

/// A kind of views with a diagonal covariance.
pub struct View {
    /// The name in job files.
    pub name: &'static str,
    /// What its views are, in a line, for the documentation.
    pub help: &'static str,
    /// Whether it has a spectrum Θ of its own: the keys `spectrum`, `scale` and `decay`.
    pub spectrum: bool,
    /// Its numbers, each of which may be an axis.
    pub parameters: &'static [Parameter],
    /// Writes the diagonal of Σ (d) for a sample.
    pub covariance: fn(&Sample<'_>, &mut [f64]),
    /// Whether Propositions 4.3 and 4.4 are about it.
    pub thresholds: bool,
}

/// A number of a kind of views.
#[derive(Debug)]
pub struct Parameter {
    /// The key in `[augmentation]`.
    pub key: &'static str,
    /// The column.
    pub column: &'static str,
    /// Its value unless given.
    pub default: f64,
    /// Which values it takes; written so that NaN fails.
    pub holds: fn(f64) -> bool,
    /// The same in words, to complete "must be …".
    pub words: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Whether views of clean inputs depend on it.
    pub clean: bool,
}

/// What the covariance of views may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Second moment of the inputs (d × d), both triangles.
    pub inputs: MatRef<'a, f64>,
    /// Eigenvalues of Θ (d), of a kind that has a spectrum.
    pub theta: &'a [f64],
    /// Eigenvalues of Γ on the last components (p); empty for clean inputs.
    pub gamma: &'a [f64],
    /// Values of the parameters, in their order.
    pub parameters: &'a [f64],
}

/// The kind of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static View> {
    KINDS.into_iter().find(|view| view.name == name)
}

told_by_name!(View);
