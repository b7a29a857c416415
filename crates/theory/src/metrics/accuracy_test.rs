//! `accuracy_test`: top-1 accuracy of the corrupted model's ridge probe on corrupted rows that are
//! held out.
//!
//! The probe of a representation is a ridge regression of the one-hot labels with an intercept
//! ([`ridge`](crate::ridge)); a model of the labels has its own predictions. Ties go to the first
//! class.

use super::{Asked, Better, Formula, Metric, Model, On, Score};

/// Top-1 accuracy of the corrupted model's ridge probe on corrupted rows that are held out.
pub static ACCURACY_TEST: Metric = Metric {
    name: "accuracy_test",
    title: "accuracy, held out",
    help: "top-1 accuracy of the corrupted model's ridge probe on corrupted rows that are held out",
    better: Better::Larger("more accurate", "most accurate"),
    asked: Asked::ByName,
    of: Formula::Probed { model: Model::Corrupted, on: On::HeldOut, score: Score::Accuracy },
};
