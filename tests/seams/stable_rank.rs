//! `stable_rank`: how many directions a representation has, counted by power.

use super::{Asked, Better, Formula, Metric};

/// `Σσ²/σ₁²` over the k values that are kept.
pub static STABLE_RANK: Metric = Metric {
    name: "stable_rank",
    title: "stable rank",
    help: "power of the representation's spectrum over that of its first value",
    better: Better::Neither,
    asked: Asked::ByName,
    of: Formula::Spectrum(|spectrum, k| {
        let power = |i: usize| spectrum.singular_value(i).powi(2);
        (power(0) > 0.0).then(|| (0..k).map(power).sum::<f64>() / power(0))
    }),
};
