//! Reconstruction (Theorem 3.1).

use super::{Paradigm, Pencil};

/// Predicts the input from its view: the leading eigenvectors of (CᵀC, S).
pub static RECONSTRUCTION: Paradigm = Paradigm {
    name: "reconstruction",
    help: "predict the input from its view (Theorem 3.1)",
    spectrum: Some(Pencil {
        name: "singular values",
        symbol: "φ",
        eigenvalue: |phi| phi * phi,
        population: |moment, views| moment * moment / views,
    }),
    threshold: Some(|thresholds| thresholds.alpha_rc_squared),
};
