//! `threshold_squared`: α_JE² or α_RC² of the replicate's spectra, signed.

use super::{Asked, Better, Formula, Metric};

/// The threshold on α²: α_JE² or α_RC² of the replicate's spectra, signed.
pub static THRESHOLD_SQUARED: Metric = Metric {
    name: "threshold_squared",
    title: "threshold on α²",
    help: "α_JE² or α_RC² of the replicate's spectra, signed",
    better: Better::Neither,
    asked: Asked::Always,
    of: Formula::Threshold(|paradigm, thresholds| paradigm.threshold.map(|of| of(thresholds))),
};
