//! The eigenvalues of a covariance, as `[data]`, `[corruption]` and `[augmentation]` describe them alike.

use super::axis::{AXIS_LIMIT, Axis};
use super::numbers::Allowed;
use super::read::TableReader;
use super::tree::{Node, Value};

/// Exponent of a power law unless given: eigenvalue i is 1/i of the first. A convention, not derived.
pub const DEFAULT_DECAY: f64 = 1.0;

/// Scale of a spectrum given as a list unless given: the list holds the eigenvalues themselves.
pub const LIST_SCALE: f64 = 1.0;

/// Eigenvalues (variances, in squared units of the inputs) of one covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectrumSpec {
    /// How the eigenvalues relate to each other.
    pub shape: SpectrumShape,
    /// The largest eigenvalue (its upper bound for `Uniform`); for `List`, what multiplies the list.
    pub scale: Axis<f64>,
}

/// How the eigenvalues `λ₁ … λ_m` relate to `scale`.
#[derive(Clone, Debug, PartialEq)]
pub enum SpectrumShape {
    /// Independent `λᵢ ~ U[0, scale]`, drawn anew for each replicate (Appendix C).
    Uniform,
    /// `λᵢ = scale`.
    Flat,
    /// `λᵢ = scale · i^(−decay)`.
    PowerLaw {
        /// The exponent, ≥ 0.
        decay: Axis<f64>,
    },
    /// `λᵢ = scale · listᵢ`.
    List(Vec<f64>),
}

impl SpectrumShape {
    /// The number of eigenvalues, if the shape fixes it.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        if let SpectrumShape::List(list) = self { Some(list.len()) } else { None }
    }
}

/// The shapes that have a name.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Named {
    Uniform,
    Flat,
    PowerLaw,
}

impl Named {
    pub(super) fn name(self) -> &'static str {
        match self {
            Named::Uniform => "uniform",
            Named::Flat => "flat",
            Named::PowerLaw => "power-law",
        }
    }
}

/// What a table expects of its spectrum.
pub(super) struct Expected {
    pub(super) shape: Named,
    pub(super) scale: f64,
    /// Which scales are possible, and which items of a list.
    pub(super) values: Allowed,
}

/// Variances that may be zero.
pub(super) const NOT_NEGATIVE: Allowed = Allowed {
    whole: false,
    holds: |value| value >= 0.0,
    words: "at least 0",
    help: "eigenvalues of a covariance are variances: 0 leaves the direction without any",
};

/// Variances that must not be zero.
pub(super) const POSITIVE: Allowed = Allowed {
    whole: false,
    holds: |value| value > 0.0,
    words: "above 0",
    help: "every important component has a positive variance",
};

const DECAY: Allowed = Allowed {
    whole: false,
    holds: |value| value >= 0.0,
    words: "at least 0",
    help: "eigenvalue i is scale · i^(−decay): the first is the largest, and 0 makes all equal",
};

impl TableReader<'_> {
    /// Reads `spectrum`, `scale` and `decay`.
    pub(super) fn spectrum(&mut self, expected: &Expected) -> Option<SpectrumSpec> {
        let list = match self.node("spectrum").map(|node| (node, &node.value)) {
            Some((node, Value::List(items))) => Some(self.list(node, items, expected.values)),
            _ => None,
        };
        let named = match list {
            Some(_) => None,
            None => {
                let all = [Named::Uniform, Named::Flat, Named::PowerLaw];
                Some(self.choice("spectrum", &all, Named::name, expected.shape))
            }
        };
        let default_scale = if list.is_some() { LIST_SCALE } else { expected.scale };
        let scale = self.reals("scale", expected.values, &[default_scale]);
        let decay = self.reals("decay", DECAY, &[DEFAULT_DECAY]);
        // What `spectrum` is decides whether `decay` belongs; a `spectrum` that is itself wrong decides nothing.
        if list.is_some() || named.flatten().is_some_and(|named| named != Named::PowerLaw) {
            let help = "only spectrum = \"power-law\" has a decay";
            self.not_applicable(&["decay"], "this spectrum", help);
        }
        let shape = match list {
            Some(list) => SpectrumShape::List(list?),
            None => match named.flatten()? {
                Named::Uniform => SpectrumShape::Uniform,
                Named::Flat => SpectrumShape::Flat,
                Named::PowerLaw => SpectrumShape::PowerLaw { decay: decay? },
            },
        };
        self.finite(SpectrumSpec { shape, scale: scale? })
    }

    /// The items of a spectrum given as a list. Repeats are fine: it is one spectrum, not an axis.
    fn list(&mut self, node: &Node, items: &[Node], allowed: Allowed) -> Option<Vec<f64>> {
        let path = self.path("spectrum");
        if items.is_empty() {
            let help = "list the eigenvalues, or write \"uniform\", \"flat\" or \"power-law\"";
            return self.refuse(&node.place, format!("`{path}` has no eigenvalues"), "empty", help);
        }
        if items.len() > AXIS_LIMIT {
            let message = format!("`{path}` has {} eigenvalues", items.len());
            return self.refuse(
                &node.place,
                message,
                "too many",
                "the covariances are dense: a few thousand at most",
            );
        }
        let values: Vec<_> = items.iter().map(|item| self.number(item, &path, allowed)).collect();
        values.into_iter().collect()
    }

    /// Refuses a list whose multiples by `scale` leave the range of a float.
    fn finite(&mut self, spectrum: SpectrumSpec) -> Option<SpectrumSpec> {
        let SpectrumShape::List(list) = &spectrum.shape else { return Some(spectrum) };
        let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        if (largest(list) * largest(spectrum.scale.values())).is_finite() {
            return Some(spectrum);
        }
        let message = format!(
            "`{}` times the largest item of `spectrum` is too large for a number",
            self.path("scale")
        );
        self.refuse(&self.source.place(&self.path("scale")), message, "overflows", "take a smaller scale")
    }
}
