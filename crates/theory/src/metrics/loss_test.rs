//! `loss_test`: squared loss of the corrupted model's ridge probe on corrupted rows that are held
//! out.
//!
//! The probe of a representation is a ridge regression of the one-hot labels with an intercept
//! ([`ridge`](crate::ridge)); a model of the labels has its own predictions. Ties go to the first
//! class.

use super::{Asked, Better, Formula, Metric, Model, On, Score};

/// Squared loss of the corrupted model's ridge probe on corrupted rows that are held out.
pub static LOSS_TEST: Metric = Metric {
    name: "loss_test",
    title: "probing loss, held out",
    help: "squared loss of the corrupted model's ridge probe on corrupted rows that are held out",
    better: Better::Smaller("lower", "lowest"),
    asked: Asked::ByName,
    of: Formula::Probed { model: Model::Corrupted, on: On::HeldOut, score: Score::Loss },
};
