//! The metrics: one file each, and one line in [`ALL`].

mod accuracy_clean;
mod accuracy_corrupted;
mod accuracy_test;
mod distance;
mod effective_rank;
mod gap;
mod leakage;
mod loss_clean;
mod loss_corrupted;
mod loss_test;
mod rank;
mod threshold_squared;
mod tier;

use faer::MatRef;

pub use accuracy_clean::ACCURACY_CLEAN;
pub use accuracy_corrupted::ACCURACY_CORRUPTED;
pub use accuracy_test::ACCURACY_TEST;
pub use distance::DISTANCE;
pub use effective_rank::EFFECTIVE_RANK;
pub use gap::GAP;
pub use leakage::LEAKAGE;
pub use loss_clean::LOSS_CLEAN;
pub use loss_corrupted::LOSS_CORRUPTED;
pub use loss_test::LOSS_TEST;
pub use rank::RANK;
pub use threshold_squared::THRESHOLD_SQUARED;
pub use tier::TIER;

use crate::Paradigm;
use crate::leakage::{Leakage, Population};
use crate::spectrum::Spectrum;
use crate::thresholds::Thresholds;
use crate::views::stages::Tier;

/// All metrics, in the order of the columns.
pub static ALL: [&Metric; 13] = [
    &LOSS_CLEAN,
    &LOSS_CORRUPTED,
    &DISTANCE,
    &LEAKAGE,
    &GAP,
    &THRESHOLD_SQUARED,
    &EFFECTIVE_RANK,
    &RANK,
    &ACCURACY_CLEAN,
    &ACCURACY_CORRUPTED,
    &LOSS_TEST,
    &ACCURACY_TEST,
    &TIER,
];

/// A number that is reported of each row.
pub struct Metric {
    /// The column.
    pub name: &'static str,
    /// The title on figures.
    pub title: &'static str,
    /// What it is, in a line, for the documentation.
    pub help: &'static str,
    /// Which of two values is the better one.
    pub better: Better,
    /// Who asks for it.
    pub asked: Asked,
    /// How it is computed.
    pub of: Formula,
}

/// Which of two values of a metric is the better one, and in which words: of two, and of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The smaller one.
    Smaller(&'static str, &'static str),
    /// The larger one.
    Larger(&'static str, &'static str),
    /// Neither: the metric says what is there, not how good it is.
    Neither,
}

/// How a metric is computed.
#[derive(Clone, Copy)]
pub enum Formula {
    /// The loss of a model: what every problem gives.
    Loss(Model),
    /// Of the corrupted problem, whatever the paradigm, from the rank of S and
    /// what the moments of the views were computed from.
    Views(fn(usize, Tier) -> f64),
    /// Of a representation of the corrupted model, from the spectrum of its pencil and its
    /// dimension k; `None` where there is none.
    Spectrum(fn(&Spectrum<'_>, usize) -> Option<f64>),
    /// Of a representation of the corrupted model, from a basis (d × k) of the row space of its
    /// encoder and the population. Whoever asks for it asks for eigenvectors.
    RowSpace(fn(&mut Leakage, MatRef<'_, f64>, Population<'_>) -> f64),
    /// Of a paradigm, from the thresholds of the replicate's spectra, where these have any.
    Threshold(fn(&Paradigm, &Thresholds) -> Option<f64>),
    /// Of a model's predictions of the labels of single rows: those of its probe, or its own.
    Probed {
        /// Of which model.
        model: Model,
        /// On which rows.
        on: On,
        /// What is said of them.
        score: Score,
    },
    /// Of many replicates together, by whoever searches for the alignment at which they recover.
    Traced,
    /// Of other metrics of the same row, in this order; NaN where one of them is.
    Derived {
        /// The other metrics.
        from: &'static [&'static Metric],
        /// The value, of theirs.
        of: fn(&[f64]) -> f64,
    },
}

/// The models of a row (Appendix C of the paper).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Trained and probed on clean inputs.
    Clean,
    /// Trained and probed on corrupted inputs.
    Corrupted,
}

/// The rows that predictions are tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// Those that the model was learned from.
    Training,
    /// Rows that are held out, corrupted as the model's.
    HeldOut,
}

/// What is said of predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Score {
    /// The share of rows whose class is the one of the largest prediction.
    Accuracy,
    /// The mean squared difference from the one-hot labels.
    Loss,
}

/// Who asks for a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `[output] metrics`, by its own name; asked for unless the job says otherwise.
    ByDefault,
    /// `[output] metrics`, by its own name; asked for unless a job with stages says otherwise, and
    /// the column is there where it was asked for.
    WithStages,
    /// `[output] metrics`, by its own name only; the column is there where it was asked for.
    ByName,
    /// Whoever asks for the metric of this name.
    With(&'static str),
    /// Every job.
    Always,
}

impl Metric {
    /// Whether `[output] metrics` can name it.
    #[must_use]
    pub fn can_be_named(&self) -> bool {
        matches!(self.asked, Asked::ByDefault | Asked::WithStages | Asked::ByName)
    }

    /// Whether a job that names these metrics has its values.
    #[must_use]
    pub fn is_asked(&self, named: &[&Self]) -> bool {
        match self.asked {
            Asked::ByDefault | Asked::WithStages | Asked::ByName => named.contains(&self),
            Asked::With(name) => named.iter().any(|metric| metric.name == name),
            Asked::Always => true,
        }
    }

    /// Whether it is of a corrupted problem that is solved: computed with it, at each dimension.
    #[must_use]
    pub fn is_of_problem(&self) -> bool {
        matches!(self.of, Formula::Views(_) | Formula::Spectrum(_) | Formula::RowSpace(_))
    }

    /// Whether it is of predictions of single rows, which only jobs with rows and stages have.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        matches!(self.of, Formula::Probed { .. })
    }

    /// Whether it needs the row space of the encoder, and not its spectrum alone.
    #[must_use]
    pub fn needs_row_space(&self) -> bool {
        matches!(self.of, Formula::RowSpace(_))
    }
}

/// What of a solved problem metrics are computed from.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// Rank of S.
    pub rank: usize,
    /// What the views' moments were computed from.
    pub tier: Tier,
    /// Of a representation: the values of its pencil, and k.
    pub spectrum: Option<(Spectrum<'a>, usize)>,
    /// A basis (d × k) of its row space, and what it is measured against.
    pub row_space: Option<(MatRef<'a, f64>, Population<'a>)>,
}

/// Writes the values of metrics at one dimension, NaN for none.
pub fn measure<'v>(
    metrics: &[&Metric],
    found: Found<'_>,
    workspace: &mut Leakage,
    to: impl Iterator<Item = &'v mut f64>,
) {
    for (metric, to) in metrics.iter().zip(to) {
        let value = match metric.of {
            Formula::Views(of) => Some(of(found.rank, found.tier)),
            Formula::Spectrum(of) => found.spectrum.and_then(|(spectrum, k)| of(&spectrum, k)),
            Formula::RowSpace(of) => {
                found.row_space.map(|(basis, population)| of(workspace, basis, population))
            }
            Formula::Loss(_)
            | Formula::Threshold(_)
            | Formula::Probed { .. }
            | Formula::Derived { .. }
            | Formula::Traced => None,
        };
        *to = value.unwrap_or(f64::NAN);
    }
}

/// The metrics that `[output] metrics` can name.
pub fn nameable() -> impl Iterator<Item = &'static Metric> {
    ALL.into_iter().filter(|metric| metric.can_be_named())
}

/// The columns of a data set whose job names these metrics: all metrics but those that are there
/// only where they are asked for.
#[must_use]
pub fn columns(named: &[&Metric]) -> Vec<&'static Metric> {
    let always = |metric: &Metric| match metric.asked {
        Asked::ByDefault | Asked::With(_) | Asked::Always => true,
        Asked::WithStages | Asked::ByName => false,
    };
    ALL.into_iter().filter(|metric| always(metric) || metric.is_asked(named)).collect()
}

/// The metric of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Metric> {
    ALL.into_iter().find(|metric| metric.name == name)
}

told_by_name!(Metric);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ALL, Formula};

    #[test]
    fn each_metric_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = ALL.into_iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    /// Or its column would be there without values.
    #[test]
    fn what_a_metric_is_derived_from_is_asked_for_with_it() {
        for metric in ALL {
            let Formula::Derived { from, .. } = metric.of else { continue };
            for other in from {
                assert!(other.is_asked(&[metric]), "{other:?} for {metric:?}");
                assert!(
                    !matches!(other.of, Formula::Derived { .. }),
                    "{other:?} is computed before {metric:?}"
                );
            }
        }
    }
}
