//! What theory says of a paradigm at one combination, for figures and tables.
//!
//! Supervised learning recovers always (Proposition 4.2); the self-supervised paradigms where α²
//! exceeds their threshold (Propositions 4.3 and 4.4), which drawn spectra may put on either side
//! from replicate to replicate.

use eigensweep_theory::Paradigm;

use crate::data::Stats;

/// What is said wherever k > k₀ is among the dimensions.
pub(crate) const BEYOND: &str = "For k > k₀ there is no threshold: a noise component is always kept, whatever α is; the distance \
                                 falls to 0 all the same where the whole signal is kept, too.";

const BELOW: &[f64] = &[6.0, 4.0];
const BETWEEN: &[f64] = &[8.0, 3.0, 1.5, 3.0];
const WITHOUT: &[f64] = &[2.5, 2.0];

/// Whether a paradigm recovers the clean model as n → ∞: always where it has no threshold, else
/// where α² exceeds the threshold in at least half of the replicates; `None` where the rows have no
/// thresholds.
pub(crate) fn recovers(paradigm: &Paradigm, above: Option<f64>) -> Option<bool> {
    if paradigm.threshold.is_none() { Some(true) } else { above.map(|share| share >= 0.5) }
}

/// What theory says of a point as n → ∞.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Recovers,
    Sometimes,
    Fails,
    /// k > k₀: a noise component is always kept.
    NoThreshold,
}

impl Verdict {
    /// Dashes of a curve.
    pub(crate) fn dashes(self) -> &'static [f64] {
        match self {
            Self::Recovers => &[],
            Self::Sometimes => BETWEEN,
            Self::Fails => BELOW,
            Self::NoThreshold => WITHOUT,
        }
    }

    /// The verdict in a legend.
    pub(crate) fn legend(self) -> &'static str {
        match self {
            Self::Recovers => "recovers the clean model",
            Self::Sometimes => "in some replicates, as their spectra are drawn",
            Self::Fails => "does not",
            Self::NoThreshold => "k > k₀: no threshold; a noise component is always kept",
        }
    }

    /// The verdict in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Recovers => "recovers",
            Self::Sometimes => "in some replicates",
            Self::Fails => "does not recover",
            Self::NoThreshold => "k > k₀: no threshold",
        }
    }

    /// From the share of replicates above their threshold, if the rows have thresholds.
    pub(crate) fn of(paradigm: Option<&'static Paradigm>, stats: &Stats) -> Option<Self> {
        match (paradigm, stats.above) {
            _ if stats.staged => None,
            (Some(paradigm), _) if paradigm.threshold.is_none() => Some(Self::Recovers),
            _ if stats.has_no_threshold() => Some(Self::NoThreshold),
            (_, Some(share)) if share >= 1.0 => Some(Self::Recovers),
            (_, Some(share)) if share > 0.0 => Some(Self::Sometimes),
            (_, Some(_)) => Some(Self::Fails),
            _ => None,
        }
    }
}
