//! `loss_corrupted`: the same loss of the corrupted model on corrupted inputs.

use super::{Asked, Better, Formula, Metric, Model};

/// The same loss of the corrupted model on corrupted inputs.
pub static LOSS_CORRUPTED: Metric = Metric {
    name: "loss_corrupted",
    title: "probing loss, corrupted",
    help: "the same loss of the corrupted model on corrupted inputs",
    better: Better::Smaller("lower", "lowest"),
    asked: Asked::With("distance"),
    of: Formula::Loss(Model::Corrupted),
};
