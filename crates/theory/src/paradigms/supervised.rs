//! Supervised learning on views (Lemma B.1).

use super::Paradigm;

/// Predicts the labels from the views; recovers at every α (Proposition 4.2).
pub static SUPERVISED: Paradigm = Paradigm {
    name: "supervised",
    help: "predict the labels from the views (Lemma B.1)",
    spectrum: None,
    threshold: None,
};
