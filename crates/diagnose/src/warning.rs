//! Assumptions that look violated, in words.

use std::fmt;

use crate::error::counted;

/// Something about the data that a reader of the answer should know; `Display` is a sentence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// Items of a single row were left out.
    Singles {
        /// How many.
        rows: usize,
        /// Ids or batches.
        of: &'static str,
    },
    /// Features that never change.
    Constant {
        /// How many.
        features: usize,
        /// The first of them.
        first: usize,
    },
    /// Repeats are the same, number by number.
    NoNoise,
    /// No direction stands out from permuted pairs.
    NoSignal,
    /// The power of the signal, which is the unit of kept, is known badly.
    UncertainScale {
        /// Half the width of its interval, over itself.
        error: f64,
    },
    /// Too few items for an interval.
    FewItems {
        /// Pairs, groups or batches.
        of: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        least: usize,
    },
    /// No more items than features: what is learnt of the noise is singular or nearly so.
    FewerThanFeatures {
        /// Pairs, groups or batches.
        of: &'static str,
        /// How many there are.
        found: usize,
        /// Features.
        features: usize,
    },
    /// Noise grows, or shrinks, with the level.
    Heteroscedastic {
        /// Rank correlation of the size of the noise with the level of an item.
        correlation: f64,
    },
    /// Ĉ₀ is negative in some direction, more than chance explains.
    Indefinite {
        /// The least eigenvalue of the whitened Ĉ₀.
        least: f64,
        /// Down to which chance explains it.
        bound: f64,
    },
    /// Noise has heavy tails.
    HeavyTails {
        /// Mean kurtosis of the noise of a representation's directions; 3 of normal noise.
        kurtosis: f64,
    },
    /// A few items have much of the noise.
    FewNoisy {
        /// How many items.
        items: usize,
        /// Their share of the noise.
        share: f64,
    },
    /// The second measurements differ from the first ones on average.
    Shifted {
        /// Squared mean difference, over what noise explains of it.
        ratio: f64,
    },
    /// All labels are the same.
    OneLabel {
        /// Whether they are classes.
        classes: bool,
    },
    /// Each batch has one class only: what tells labels apart is called noise.
    LabelsAreBatches,
    /// Groups of repeats are the classes: all that differs within a class is called noise.
    LabelsAreGroups,
    /// Direction k of a paradigm has the value of the next: which one is kept is rounding.
    Tied {
        /// Of which paradigm.
        paradigm: &'static str,
        /// k.
        dimension: usize,
    },
    /// The best alignment is the largest that was tried.
    AlignmentAtEnd {
        /// Of which paradigm.
        paradigm: &'static str,
        /// α.
        alignment: f64,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Singles { rows, of } => {
                let (ids, were) = (counted(*rows, of), if *rows == 1 { "was" } else { "were" });
                write!(f, "{ids} with a single row {were} left out: one row says nothing of noise")
            }
            Self::Constant { features: 1, first } => {
                write!(f, "1 feature is constant, column {first} (counted from 0)")
            }
            Self::Constant { features, first } => {
                write!(f, "{features} features are constant, the first of them column {first} (counted from 0)")
            }
            Self::NoNoise => f.write_str("repeats are identical: there is no noise to be invariant to"),
            Self::NoSignal => f.write_str(
                "no direction has more in common within pairs than permuted pairs have: there may be no signal",
            ),
            Self::UncertainScale { error } => write!(
                f,
                "noise hides how much signal there is (its power is known to ± {:.0} %): shares that are kept are in \
                 an uncertain unit, though which paradigm keeps more does not depend on it",
                100.0 * error
            ),
            Self::FewItems { of, found, least } => {
                write!(f, "{found} {of} are too few for an interval: at least {least} are needed")
            }
            Self::FewerThanFeatures { of, found, features } => write!(
                f,
                "there are {found} {of} of {features} features, so that little is learnt of the covariance of the \
                 noise: principal components may help"
            ),
            Self::Heteroscedastic { correlation } => write!(
                f,
                "noise changes with the level (rank correlation {correlation:.2}): a logarithm or a square root may \
                 make it even"
            ),
            Self::Indefinite { least, bound } => write!(
                f,
                "measurements of one item oppose one another in some direction (share {least:.2}, chance explains \
                 {bound:.2}): are rows matched as they should be?"
            ),
            Self::HeavyTails { kurtosis } => write!(
                f,
                "noise has heavy tails (kurtosis {kurtosis:.0}, normal noise has 3): intervals may be too narrow"
            ),
            Self::FewNoisy { items, share } => write!(
                f,
                "{} {:.0} % of all noise: the answer is about {them}; look at {them}, or leave {them} out",
                if *items == 1 { "1 item has".to_owned() } else { format!("{items} items have") },
                100.0 * share,
                them = if *items == 1 { "it" } else { "them" }
            ),
            Self::Shifted { ratio } => write!(
                f,
                "the second measurements differ from the first ones on average ({ratio:.0} times what noise \
                 explains): the shift counts as noise unless means are taken off first"
            ),
            Self::OneLabel { classes } => write!(
                f,
                "all labels are {}, so that they say nothing: give labels that differ, or none",
                if *classes { "of one class" } else { "the same" }
            ),
            Self::LabelsAreBatches => f.write_str(
                "every batch has labels of one class: what tells classes apart counts as noise, and the probe says \
                 little",
            ),
            Self::LabelsAreGroups => f.write_str(
                "the groups are the classes of the labels: all that differs within a class counts as noise",
            ),
            Self::Tied { paradigm, dimension } => write!(
                f,
                "directions {dimension} and {} of {paradigm} are tied, as where views leave rows as they are: which of \
                 them it keeps is rounding, and so are its numbers; views that change the rows tell them apart",
                dimension + 1
            ),
            Self::AlignmentAtEnd { paradigm, alignment } => write!(
                f,
                "the best alignment of {paradigm} is {alignment}, the largest that was tried: a larger one may be \
                 better"
            ),
        }
    }
}
