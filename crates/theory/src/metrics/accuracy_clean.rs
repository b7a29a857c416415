//! `accuracy_clean`: top-1 accuracy of the clean model's ridge probe on its own clean sample.
//!
//! The probe of a representation is a ridge regression of the one-hot labels with an intercept
//! ([`ridge`](crate::ridge)); a model of the labels has its own predictions. Ties go to the first
//! class.

use super::{Asked, Better, Formula, Metric, Model, On, Score};

/// Top-1 accuracy of the clean model's ridge probe on its own clean sample.
pub static ACCURACY_CLEAN: Metric = Metric {
    name: "accuracy_clean",
    title: "accuracy, clean",
    help: "top-1 accuracy of the clean model's ridge probe on its own clean sample",
    better: Better::Larger("more accurate", "most accurate"),
    asked: Asked::ByName,
    of: Formula::Probed { model: Model::Clean, on: On::Training, score: Score::Accuracy },
};
