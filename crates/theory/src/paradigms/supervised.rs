//! Lemma B.1, equation 46: the supervised linear model on views.
//!
//! `min_V mean E‖yᵢ − V τ(xᵢ)‖²` is solved by `V* = Bᵀ S⁻¹`, with objective `y² − tr(Bᵀ S⁻¹ B)`;
//! where S is singular by `V* = Bᵀ S⁺`, of the smallest norm. On
//! inputs without views the same model's squared loss is `y² − 2 tr(V B̃) + tr(V C̃ Vᵀ)`. It
//! recovers at every α (Proposition 4.2).
//!
//! Cost: 2d²ℓ (two solves) + 2d²ℓ (loss) flops.
//!
//! In lanes the same by [`general`](crate::general).
//!
//! Additive views: with `u = (A + I)⁻¹ b`, `V*ᵀ = Σ^(−½) u`. From `C̃ = S − Σ`, the squared loss on
//! the inputs is `y² − 2 tr(V B̃) + tr(V C̃ Vᵀ) = y² − tr(uᵀb) − ‖u‖²`, and `tr(uᵀb) = ‖L⁻¹b‖²`.
//!
//! Cost: d³/3 (factor, shared with reconstruction) + 2d²ℓ flops.

use eigensweep_spectral::Failure;
use eigensweep_spectral::cholesky::solve_in_place;
use eigensweep_spectral::dense::product as multiply;
use eigensweep_spectral::general::GeneralBatch;
use eigensweep_spectral::scaled::{ScaledBatch, Wanted};
use faer::{Accum, MatRef};

use super::{InLanes, Paradigm, Scaled};
use crate::additive::BlockedSolver;
use crate::closed_forms::{ClosedForms, Predictor, Solution};
use crate::moments::Moments;

/// Predicts the labels from the views.
pub static SUPERVISED: Paradigm = Paradigm {
    name: "supervised",
    help: "predict the labels from the views (Lemma B.1)",
    map: "V",
    spectrum: None,
    threshold: None,
    solve,
    in_lanes: Some(InLanes { wants: |wanted| wanted.solved = true, read: read_lanes }),
    scaled: Some(Scaled { wants, read, decompose: BlockedSolver::factor, loss, encoder: None }),
};

fn solve<'f>(forms: &'f mut ClosedForms, moments: &Moments<'_>) -> Result<Solution<'f>, Failure> {
    let rank = forms.factor(moments, 0.0)?;
    let (size, labels) = (forms.size, moments.view_labels.ncols());
    // S⁺B = T (TᵀB).
    let mut reduced = forms.product.as_mut().submatrix_mut(0, 0, rank, labels);
    forms.root.reduce_left(moments.view_labels, reduced.as_mut());
    let map = forms.map.as_mut().submatrix_mut(0, 0, size, labels);
    forms.root.lift(reduced.as_ref(), map);
    Ok(Solution::Predictor(predictor(forms, moments, rank)))
}

fn read_lanes<'f>(
    lanes: &GeneralBatch,
    place: usize,
    _: usize,
    forms: &'f mut ClosedForms,
    moments: &Moments<'_>,
) -> Result<Solution<'f>, Failure> {
    lanes.definite(place)?;
    let (size, labels) = (moments.views.nrows(), moments.view_labels.ncols());
    forms.size = size;
    lanes.solution(place, forms.map.as_mut().submatrix_mut(0, 0, size, labels));
    Ok(Solution::Predictor(predictor(forms, moments, size)))
}

/// What the map in `forms` is as a model of the labels.
fn predictor<'f>(forms: &'f mut ClosedForms, moments: &Moments<'_>, rank: usize) -> Predictor<'f> {
    let (size, labels) = (forms.size, moments.view_labels.ncols());
    let map = forms.map.as_ref().submatrix(0, 0, size, labels);
    let mut product = forms.product.as_mut().submatrix_mut(0, 0, size, labels);
    multiply(forms.instruction_set, product.as_mut(), Accum::Replace, moments.inputs, map);
    let on_inputs = inner(map, product.as_ref()) - 2.0 * inner(map, moments.input_labels);
    Predictor {
        rank,
        objective: moments.label_power - inner(map, moments.view_labels),
        loss: moments.label_power + on_inputs,
        map,
    }
}

fn wants(wanted: &mut Wanted) {
    wanted.ridge = true;
}

fn read<'b>(
    lanes: &'b ScaledBatch,
    place: usize,
    label_power: f64,
    _: &[usize],
    losses: &mut [f64],
) -> Result<&'b [f64], Failure> {
    losses.fill(label_power - lanes.ridge_power(place)?);
    Ok(&[])
}

/// The loss does not depend on k.
fn loss(solver: &mut BlockedSolver, label_power: f64, _: usize) -> f64 {
    let (size, labels) = (solver.size, solver.labels);
    let scaled = solver.scaled_labels.as_ref().submatrix(0, 0, size, labels);
    let mut map = solver.right.as_mut().submatrix_mut(0, 0, size, labels);
    map.copy_from(scaled);
    let factor = solver.factor.as_ref().submatrix(0, 0, size, size);
    solve_in_place(solver.instruction_set, factor, map.as_mut());
    let map = map.as_ref();
    label_power - inner(map, scaled) - inner(map, map)
}

/// `tr(AᵀB)`.
fn inner(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> f64 {
    let columns = a.col_iter().zip(b.col_iter());
    columns.map(|(x, y)| x.iter().zip(y.iter()).map(|(p, q)| p * q).sum::<f64>()).sum()
}
