//! `threshold_squared`: α_JE² or α_RC² of the replicate's spectra at the row's dimension k, signed;
//! infinite for k > k₀, where no alignment recovers.

use super::{Asked, Better, Formula, Metric};

/// The threshold on α²: α_JE² or α_RC² of the replicate's spectra at the row's k, signed.
pub static THRESHOLD_SQUARED: Metric = Metric {
    name: "threshold_squared",
    title: "threshold on α²",
    help: "α_JE² or α_RC² of the replicate's spectra at the row's k, signed; infinite for k > k₀",
    better: Better::Neither,
    asked: Asked::Always,
    of: Formula::Threshold(|paradigm, thresholds| {
        paradigm.threshold.as_ref().map(|limit| (limit.squared)(thresholds))
    }),
};
