//! `accuracy_corrupted`: the same of the corrupted model on its own corrupted sample.
//!
//! The probe of a representation is a ridge regression of the one-hot labels with an intercept
//! ([`ridge`](crate::ridge)); a model of the labels has its own predictions. Ties go to the first
//! class.

use super::{Asked, Better, Formula, Metric, Model, On, Score};

/// The same of the corrupted model on its own corrupted sample.
pub static ACCURACY_CORRUPTED: Metric = Metric {
    name: "accuracy_corrupted",
    title: "accuracy, corrupted",
    help: "the same of the corrupted model on its own corrupted sample",
    better: Better::Larger("more accurate", "most accurate"),
    asked: Asked::ByName,
    of: Formula::Probed { model: Model::Corrupted, on: On::Training, score: Score::Accuracy },
};
