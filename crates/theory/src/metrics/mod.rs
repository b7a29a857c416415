//! The metrics: one file each, and one line in [`ALL`].

mod distance;
mod gap;
mod leakage;
mod loss_clean;
mod loss_corrupted;
mod threshold_squared;

use std::fmt;

pub use distance::DISTANCE;
pub use gap::GAP;
pub use leakage::LEAKAGE;
pub use loss_clean::LOSS_CLEAN;
pub use loss_corrupted::LOSS_CORRUPTED;
pub use threshold_squared::THRESHOLD_SQUARED;

/// All metrics, in the order of the columns.
pub static ALL: [&Metric; 6] = [&LOSS_CLEAN, &LOSS_CORRUPTED, &DISTANCE, &LEAKAGE, &GAP, &THRESHOLD_SQUARED];

/// A number that is reported of each row.
pub struct Metric {
    /// The column.
    pub name: &'static str,
    /// The title on figures.
    pub title: &'static str,
    /// What it is, in a line, for the documentation.
    pub help: &'static str,
    /// Who asks for it.
    pub asked: Asked,
}

/// Who asks for a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `[output] metrics`, by its own name; asked for unless the job says otherwise.
    ByDefault,
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
        matches!(self.asked, Asked::ByDefault | Asked::ByName)
    }

    /// Whether a job that names these metrics has its values.
    #[must_use]
    pub fn is_asked(&self, named: &[&Self]) -> bool {
        match self.asked {
            Asked::ByDefault | Asked::ByName => named.contains(&self),
            Asked::With(name) => named.iter().any(|metric| metric.name == name),
            Asked::Always => true,
        }
    }
}

/// The metrics that `[output] metrics` can name.
pub fn nameable() -> impl Iterator<Item = &'static Metric> {
    ALL.into_iter().filter(|metric| metric.can_be_named())
}

/// The columns of a data set whose job names these metrics: all metrics but those that are there only where they are asked for.
#[must_use]
pub fn columns(named: &[&Metric]) -> Vec<&'static Metric> {
    ALL.into_iter().filter(|metric| metric.asked != Asked::ByName || metric.is_asked(named)).collect()
}

/// The metric of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Metric> {
    ALL.into_iter().find(|metric| metric.name == name)
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Metric {}

impl fmt::Debug for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
