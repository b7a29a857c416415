//! Joint-embedding with a ridge: S + ρI in place of S.

use eigensweep_spectral::Failure;

use super::{Paradigm, Pencil};
use crate::closed_forms::{ClosedForms, Solution};
use crate::moments::Moments;

/// ρ, in the units of the inputs' squares.
const RIDGE: f64 = 1.0;

/// The leading eigenvectors of (G, S + ρI).
pub static RIDGE_JOINT_EMBEDDING: Paradigm = Paradigm {
    name: "ridge-joint-embedding",
    help: "joint-embedding with a ridge on the views",
    map: "R",
    spectrum: Some(Pencil {
        name: "eigenvalues",
        symbol: "ω",
        eigenvalue: |omega| omega,
        population: |moment, views| moment / (views + RIDGE),
        objective: |omegas, _| 2.0 * omegas.iter().map(|omega| 1.0 - omega).sum::<f64>(),
        decoder: None,
    }),
    threshold: None,
    solve,
    scaled: None,
    in_lanes: None,
};

fn solve<'f>(forms: &'f mut ClosedForms, moments: &Moments<'_>) -> Result<Solution<'f>, Failure> {
    forms.factor(moments, RIDGE)?;
    forms.pencil(moments.mean_views).map(Solution::Encoder)
}
