//! `gap`: (kth − (k+1)th) eigenvalue of the pencil over the first.

use super::{Asked, Better, Formula, Metric};

/// (kth − (k+1)th) eigenvalue of the pencil over the first.
pub static GAP: Metric = Metric {
    name: "gap",
    title: "relative spectral gap",
    help: "(kth − (k+1)th) eigenvalue of the pencil over the first",
    better: Better::Larger("wider", "widest"),
    asked: Asked::ByDefault,
    of: Formula::Spectrum(|spectrum, dimension| spectrum.gap(dimension)),
};
