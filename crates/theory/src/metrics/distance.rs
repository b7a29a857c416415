//! `distance`: |loss_clean − loss_corrupted|.

use super::{Asked, Metric};

/// |loss_clean − loss_corrupted|.
pub static DISTANCE: Metric = Metric {
    name: "distance",
    title: "|clean − corrupted| loss",
    help: "|loss_clean − loss_corrupted|",
    asked: Asked::ByDefault,
};
