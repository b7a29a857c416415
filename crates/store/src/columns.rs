//! The data set's columns, statuses and format version: what the engine writes and readers rely on.
//!
//! One row per replicate × combination of axes × paradigm. Axis columns (`samples`, `noise_scale`,
//! …) stand between [`REPLICATE`] and [`PARADIGM`], metrics
//! ([`metrics_of`](crate::rows::metrics_of)) between that and [`STATUS`]; names of axes are in
//! [`JobSpec::axes`](eigensweep_job::JobSpec::axes).

use eigensweep_theory::Failure;
use serde::{Deserialize, Serialize};

/// Version of the directory layout and the schema. A reader refuses a version that it does not
/// know.
pub const FORMAT_VERSION: u32 = 3;

/// `replicate`, i32.
pub const REPLICATE: &str = "replicate";
/// `paradigm`, string.
pub const PARADIGM: &str = "paradigm";
/// `status`, string: `ok`, or why there is no value.
pub const STATUS: &str = "status";

/// `verdict`, string, in the place of [`STATUS`] where rows are critical alignments: `traced`,
/// `always`, `never`, or why there is none.
pub const VERDICT: &str = "verdict";

/// `replicates`, in summaries: how many replicates a line is about.
pub const REPLICATES: &str = "replicates";
/// `failed`, in summaries: how many of them have no value.
pub const FAILED: &str = "failed";

/// What a summary says of each metric, `<metric>_<statistic>`: `count` (i64) of values, and of
/// these (f64, null where there are too few) mean, variance (n − 1), standard error of the mean,
/// extremes and quantiles.
pub const STATISTICS: [&str; 11] =
    ["count", "mean", "variance", "standard_error", "min", "q05", "q25", "median", "q75", "q95", "max"];

/// `above`, in summaries: how many replicates have α² above their threshold, of
/// `threshold_squared_count`; null where rows are not kept and where there is no threshold.
pub const ABOVE: &str = "above";

/// What a summary says of the differences of a metric between two paradigms of one replicate,
/// [`difference`]: `count` (i64) of the replicates where both have a value, mean and its standard
/// error (f64); null where rows are not kept.
pub const DIFFERENCE_STATISTICS: [&str; 3] = ["count", "mean", "standard_error"];

/// Column of the differences of a metric, a line's paradigm minus one before it in the job:
/// `distance_minus_joint_embedding_mean`.
#[must_use]
pub fn difference(metric: &str, earlier: &str, statistic: &str) -> String {
    format!("{metric}_minus_{}_{statistic}", earlier.replace('-', "_"))
}

/// `dataset`, where several data sets are read together: the name that a row's goes by.
pub const DATASET: &str = "dataset";

/// What a block (an intermediate result of `detail = "summary"`) says of each metric: `count`
/// (i64), mean, sum of squared deviations, extremes (f64, null), and what quantiles are taken of
/// (binary, null): the values where the section has few replicates, otherwise a sketch of them.
pub const BLOCK_STATISTICS: [&str; 6] = ["count", "mean", "squares", "min", "max", "sketch"];

/// The dimension whose thresholds rows hold.
///
/// No key says it: a data set has thresholds of one kind in all of its rows, that of its first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdsOf {
    /// The row's own, k.
    #[default]
    Dimension,
    /// k₀, whatever k is: so they were written before they took k into account. Their data sets are
    /// gone on with as they began.
    Components,
}

/// Why a row has a value or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// The row has its values.
    #[default]
    Ok = 0,
    /// S is negative in some direction, and so no second moment. (Earlier programs wrote it of
    /// every singular S, too.)
    NotPositiveDefinite = 1,
    /// An eigenvalue iteration did not converge.
    NoConvergence = 2,
    /// A NaN or an infinity turned up.
    NotFinite = 3,
    /// k is above the rank of S: there are not so many directions.
    DimensionAboveRank = 4,
    /// Of a critical alignment: none, as replicates recover at α = 0.
    Always = 5,
    /// Of a critical alignment: none, as replicates do not recover at the largest α.
    Never = 6,
}

impl Status {
    /// The statuses of rows of replicates, by number: all but the verdicts, which come after them.
    pub const ALL: [Self; 5] =
        [Self::Ok, Self::NotPositiveDefinite, Self::NoConvergence, Self::NotFinite, Self::DimensionAboveRank];

    /// The names in the column [`STATUS`], by number, or where rows are critical alignments in the
    /// column [`VERDICT`].
    #[must_use]
    pub fn names(traced: bool) -> Vec<&'static str> {
        let verdicts = [Self::Always, Self::Never].into_iter().filter(|_| traced);
        let name = |status: Self| if traced && status == Self::Ok { "traced" } else { status.name() };
        Self::ALL.into_iter().chain(verdicts).map(name).collect()
    }

    /// Whether there should have been a value.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Ok | Self::Always | Self::Never)
    }

    /// The status of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The text in the `status` column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotPositiveDefinite => "not-positive-definite",
            Self::NoConvergence => "no-convergence",
            Self::NotFinite => "not-finite",
            Self::DimensionAboveRank => "dimension-above-rank",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

impl From<Failure> for Status {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotPositiveDefinite { .. } => Self::NotPositiveDefinite,
            Failure::NoConvergence => Self::NoConvergence,
            Failure::NotFinite => Self::NotFinite,
            Failure::DimensionAboveRank { .. } => Self::DimensionAboveRank,
        }
    }
}
