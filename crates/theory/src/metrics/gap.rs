//! `gap`: (kth − (k+1)th) eigenvalue of the pencil over the first.

use super::{Asked, Metric};

/// (kth − (k+1)th) eigenvalue of the pencil over the first.
pub static GAP: Metric = Metric {
    name: "gap",
    title: "relative spectral gap",
    help: "(kth − (k+1)th) eigenvalue of the pencil over the first",
    asked: Asked::ByDefault,
};
