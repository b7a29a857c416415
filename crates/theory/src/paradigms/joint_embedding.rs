//! Joint-embedding (Theorem 3.2).

use super::{Paradigm, Pencil};

/// Predicts one view's latent from another's: the leading eigenvectors of (G, S).
pub static JOINT_EMBEDDING: Paradigm = Paradigm {
    name: "joint-embedding",
    help: "predict one view's latent from another's (Theorem 3.2)",
    spectrum: Some(Pencil {
        name: "eigenvalues",
        symbol: "ω",
        eigenvalue: |omega| omega,
        population: |moment, views| moment / views,
    }),
    threshold: Some(|thresholds| thresholds.alpha_je_squared),
};
