//! `loss_clean`: probing (or supervised) loss of the clean model on clean inputs.

use super::{Asked, Better, Formula, Metric, Model};

/// Probing (or supervised) loss of the clean model on clean inputs.
pub static LOSS_CLEAN: Metric = Metric {
    name: "loss_clean",
    title: "probing loss, clean",
    help: "probing (or supervised) loss of the clean model on clean inputs",
    better: Better::Smaller("lower", "lowest"),
    asked: Asked::With("distance"),
    of: Formula::Loss(Model::Clean),
};
