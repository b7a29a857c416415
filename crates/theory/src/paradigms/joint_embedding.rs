//! Theorem 3.2: joint-embedding in closed form.
//!
//! `min_W mean E‖Wτ₁(xᵢ) − Wτ₂(xᵢ)‖²` subject to `mean E[Wτ(xᵢ)τ(xᵢ)ᵀWᵀ] = I`. With
//! `S^(−1/2) G S^(−1/2) = Q Ω Qᵀ`: `W* = U Qₖᵀ S^(−1/2)`. As a pencil: the top-k eigenvectors of
//! (G, S); objective `2 (k − Σᵢ≤ₖ ωᵢ)`, its expectation over pairs of views included.
//!
//! Here `L⁻¹ G L⁻ᵀ = Q Ω Qᵀ` and `V = L⁻ᵀ Q`, or with T in place of `L⁻ᵀ` where S is singular
//! ([`closed_forms`](crate::closed_forms)). Since `G ⪯ S`, ω lies in \[0, 1\] and is found with
//! an absolute error of a few d·ε times the condition of the *equilibrated* S.
//!
//! In lanes the same by [`general`](crate::general), for the leading columns of V only.
//!
//! Additive views: `A = Q Λ Qᵀ`, `ω = λ/(1+λ)` in the same order. The basis `vᵢ = Σ^(−½) qᵢ`
//! diagonalizes the probe, `VᵀC̃V = Λ`, so the probing loss is `y² − Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ`: eigenvalues
//! and projections are enough, and in lanes eigenvectors are computed only for metrics of the row
//! space, beside them: the loss is the same bits with and without.
//!
//! Cost: 4/3 d³ + ≈ 9 d²ℓ flops; for the row space 2dk² + 2d²k more.

use eigensweep_spectral::Failure;
use eigensweep_spectral::general::{GeneralBatch, Pencil as PencilInLanes};
use eigensweep_spectral::scaled::{ScaledBatch, Wanted};

use super::{InLanes, Limit, Paradigm, Pencil, Scaled, ScaledEncoder};
use crate::additive::BlockedSolver;
use crate::closed_forms::{ClosedForms, Solution};
use crate::finite::{Crossing, Pair};
use crate::moments::Moments;
use crate::spectrum::Values;

/// Predicts one view's latent from another's: the leading eigenvectors of (G, S).
pub static JOINT_EMBEDDING: Paradigm = Paradigm {
    name: "joint-embedding",
    help: "predict one view's latent from another's (Theorem 3.2)",
    map: "W",
    spectrum: Some(Pencil {
        name: "eigenvalues",
        symbol: "ω",
        eigenvalue: |omega| omega,
        population: |moment, views| moment / views,
        objective: |omegas, _| 2.0 * omegas.iter().map(|omega| 1.0 - omega).sum::<f64>(),
        decoder: None,
    }),
    threshold: Some(Limit {
        symbol: "α_JE",
        key: "alpha_je",
        squared: |thresholds| thresholds.alpha_je_squared,
        crossing,
    }),
    solve,
    in_lanes: Some(InLanes { wants: |wanted| wanted.symmetric = true, read: read_lanes }),
    scaled: Some(Scaled {
        wants,
        read,
        decompose,
        loss,
        encoder: Some(ScaledEncoder { values: Values::SignalToViews, basis: ScaledBatch::eigenvectors }),
    }),
};

/// Diagonal entries κ²/θ and λ/(θ' + α²λ) are equal.
fn crossing(pair: &Pair) -> Crossing {
    let Pair { signal, theta_signal, gamma, theta_noise } = *pair;
    Crossing {
        level: theta_signal / signal,
        offset: theta_noise / gamma,
        coupling: 0.0,
        noise: 1.0,
        signal: 1.0,
    }
}

fn solve<'f>(forms: &'f mut ClosedForms, moments: &Moments<'_>) -> Result<Solution<'f>, Failure> {
    forms.factor(moments, 0.0)?;
    forms.pencil(moments.mean_views).map(Solution::Encoder)
}

fn read_lanes<'f>(
    lanes: &GeneralBatch,
    place: usize,
    count: usize,
    forms: &'f mut ClosedForms,
    _: &Moments<'_>,
) -> Result<Solution<'f>, Failure> {
    let at = (PencilInLanes::Symmetric, place);
    forms.read_pencil(lanes, at, count, Values::Eigenvalues, |omega| omega).map(Solution::Encoder)
}

fn wants(wanted: &mut Wanted) {
    wanted.projected = true;
}

fn read<'b>(
    lanes: &'b ScaledBatch,
    place: usize,
    label_power: f64,
    dimensions: &[usize],
    losses: &mut [f64],
) -> Result<&'b [f64], Failure> {
    let (values, powers) = lanes.projected(place)?;
    for (&k, loss) in dimensions.iter().zip(losses) {
        *loss = label_power - explained(values, k, |i| powers[i]);
    }
    Ok(values)
}

fn decompose(solver: &mut BlockedSolver) -> Result<(), Failure> {
    let size = solver.size;
    let matrix = solver.matrix.as_ref().submatrix(0, 0, size, size);
    let vectors = solver.vectors.as_mut().submatrix_mut(0, 0, size, size);
    solver.forms.eigensolver.solve(matrix, &mut solver.values[..size], vectors)
}

fn loss(solver: &mut BlockedSolver, label_power: f64, dimension: usize) -> f64 {
    let (size, labels) = (solver.size, solver.labels);
    solver.leading(dimension);
    let basis = solver.basis.as_ref().submatrix(0, 0, size, dimension);
    let scaled = solver.scaled_labels.as_ref().submatrix(0, 0, size, labels);
    let along = |i: usize, c: usize| -> f64 {
        basis.col(i).iter().zip(scaled.col(c).iter()).map(|(q, b)| q * b).sum()
    };
    let power = |i: usize| (0..labels).map(|c| along(i, c).powi(2)).sum();
    label_power - explained(&solver.values[..size], dimension, power)
}

/// `Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ` for descending λ, `power(i) = ‖qᵢᵀb‖²`; directions whose λ is rounding (at
/// most d·ε·λ₁) carry nothing.
fn explained(values: &[f64], dimension: usize, power: impl Fn(usize) -> f64) -> f64 {
    let floor = values.len() as f64 * f64::EPSILON * values[0];
    (0..dimension).take_while(|&i| values[i] > floor).map(|i| power(i) / values[i]).sum()
}
