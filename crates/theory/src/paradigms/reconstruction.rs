//! Theorem 3.1: reconstruction in closed form.
//!
//! `min_{E,D} mean E‖xᵢ − D E τ(xᵢ)‖²`. With the SVD `C S^(−1/2) = R Φ Pᵀ`: `E* = T Pₖᵀ S^(−1/2)`,
//! `D* = Rₖ Φₖ T⁻¹`. As a pencil: the rows of E* span the top-k eigenvectors of (CᵀC, S),
//! eigenvalues φ²; objective `tr(XᵀX)/n − Σᵢ≤ₖ φᵢ²`.
//!
//! Here `C L⁻ᵀ = R Φ Pᵀ` by a singular value decomposition, not by squaring: every φ has an error
//! of a few d·ε·φ₁. The theorem's free factor is I. Where S is singular its root T on the range
//! takes the place of `L⁻ᵀ` ([`closed_forms`](crate::closed_forms)), and `C T` is d × r.
//!
//! Cost: d³ (solve) + ≈ 17d³ (SVD with both sides) + d³ (back) flops.
//!
//! In lanes ([`general`](crate::general)) by squaring: `L⁻¹CᵀCL⁻ᵀ = P Φ² Pᵀ`, for the leading
//! columns of V only and without D. φ² has an error of a few d·ε·φ₁², so that a φ of rounding may
//! be √(d·ε)·φ₁.
//!
//! Additive views: with `v = Σ^(−½) u` the pencil (C̃², C̃ + Σ) becomes `(A Σ A, A + I)`.
//! `A + I = L Lᵀ`; `F = L⁻¹ A Σ^½`; `F Fᵀ = P Φ² Pᵀ`; `U = L⁻ᵀ P`. The probe needs `VᵀC̃V = UᵀAU`
//! and `VᵀB̃ = Uᵀb`. Columns of U satisfy `uᵀ(A + I)u = 1`, so `uᵀAu` lies in \[0, 1): the probe's
//! floor is relative to the largest of them. Forming `F Fᵀ` squares the singular values: φ² has an
//! error of a few d·ε·φ₁². That bounds what is reported of them; where φ itself is wanted, the
//! general form has it.
//!
//! Cost in lanes: see [`scaled`](eigensweep_spectral::scaled). Blocked: d³/3 (factor) + d³ (solve)
//! + d³ (product) + ≈ 9d³ (eigenvectors); per k: d²k (back) + 2d²k + dk² (probe) flops.

use eigensweep_spectral::Failure;
use eigensweep_spectral::cholesky::{solve_lower_in_place, solve_lower_transpose_in_place};
use eigensweep_spectral::dense::gram_lower;
use eigensweep_spectral::general::{GeneralBatch, Pencil as PencilInLanes};
use eigensweep_spectral::scaled::{ScaledBatch, Wanted};
use faer::Accum;
use faer::reborrow::IntoConst;

use super::{InLanes, Limit, Paradigm, Pencil, Scaled, ScaledEncoder};
use crate::additive::BlockedSolver;
use crate::closed_forms::{ClosedForms, Encoder, Solution};
use crate::finite::{Crossing, Pair};
use crate::moments::Moments;
use crate::spectrum::{Spectrum, Values};

/// Predicts the input from its view: the leading eigenvectors of (CᵀC, S).
pub static RECONSTRUCTION: Paradigm = Paradigm {
    name: "reconstruction",
    help: "predict the input from its view (Theorem 3.1)",
    map: "E",
    spectrum: Some(Pencil {
        name: "singular values",
        symbol: "φ",
        eigenvalue: |phi| phi * phi,
        population: |moment, views| moment * moment / views,
        objective: |phis, input_power| input_power - phis.iter().map(|phi| phi * phi).sum::<f64>(),
        decoder: Some("D"),
    }),
    threshold: Some(Limit {
        symbol: "α_RC",
        key: "alpha_rc",
        squared: |thresholds| thresholds.alpha_rc_squared,
        crossing,
    }),
    solve,
    in_lanes: Some(InLanes { wants: |wanted| wanted.cross = true, read: read_lanes }),
    scaled: Some(Scaled {
        wants,
        read,
        decompose,
        loss,
        encoder: Some(ScaledEncoder { values: Values::Eigenvalues, basis: ScaledBatch::basis }),
    }),
};

/// Eigenvalues κ⁴/(κ² + θ) and λ²/(λ + θ' + α²λ) meet, at half a component's leakage.
fn crossing(pair: &Pair) -> Crossing {
    let Pair { signal, theta_signal, gamma, theta_noise } = *pair;
    let shared = signal * (signal / (signal + theta_signal));
    let tangent = (gamma / signal).sqrt();
    let coupling = (signal + gamma - shared) / (signal * gamma).sqrt();
    Crossing {
        level: gamma / shared,
        offset: 1.0 + theta_noise / gamma,
        coupling: coupling * (tangent - 1.0 / tangent),
        noise: 2.0 - shared / gamma,
        signal: 2.0 - shared / signal,
    }
}

fn solve<'f>(forms: &'f mut ClosedForms, moments: &Moments<'_>) -> Result<Solution<'f>, Failure> {
    let rank = forms.factor(moments, 0.0)?;
    let (size, inputs) = (forms.size, moments.cross.nrows());
    // Rows of zeros where views have more features than inputs: as many rows as columns at least.
    let rows = inputs.max(size);
    let mut work = forms.work.as_mut().submatrix_mut(0, 0, rows, rank);
    forms.root.reduce_right(moments.cross, work.as_mut().subrows_mut(0, inputs));
    work.as_mut().subrows_mut(inputs, rows - inputs).fill(0.0);
    let mut left = forms.left.as_mut().submatrix_mut(0, 0, rows, rank);
    let mut right = forms.right.as_mut().submatrix_mut(0, 0, rank, rank);
    let values = &mut forms.values[..rank];
    let eigensolver = &mut forms.eigensolver;
    forms.singular.of(eigensolver, work.as_ref(), values, left.as_mut(), right.as_mut())?;
    let mut basis = forms.basis.as_mut().submatrix_mut(0, 0, size, rank);
    forms.root.lift(right.as_ref(), basis.as_mut());
    for (column, phi) in left.as_mut().col_iter_mut().zip(&*values) {
        column.iter_mut().for_each(|x| *x *= phi);
    }
    let spectrum = Spectrum { of: Values::Singular, values };
    let (basis, decoder) = (basis.into_const(), Some(left.into_const().subrows(0, inputs)));
    Ok(Solution::Encoder(Encoder { spectrum, basis, decoder }))
}

/// φ is the root of what lanes find.
fn read_lanes<'f>(
    lanes: &GeneralBatch,
    place: usize,
    count: usize,
    forms: &'f mut ClosedForms,
    _: &Moments<'_>,
) -> Result<Solution<'f>, Failure> {
    let phi = |squared: f64| squared.max(0.0).sqrt();
    let encoder = forms.read_pencil(lanes, (PencilInLanes::Cross, place), count, Values::Singular, phi)?;
    Ok(Solution::Encoder(encoder))
}

fn wants(wanted: &mut Wanted) {
    wanted.pencil = true;
}

fn read<'b>(
    lanes: &'b ScaledBatch,
    place: usize,
    label_power: f64,
    _: &[usize],
    losses: &mut [f64],
) -> Result<&'b [f64], Failure> {
    let (values, explained) = lanes.pencil(place)?;
    for (loss, explained) in losses.iter_mut().zip(explained) {
        *loss = label_power - explained;
    }
    Ok(values)
}

/// Decomposes `F Fᵀ`, the pencil as one symmetric matrix.
fn decompose(solver: &mut BlockedSolver) -> Result<(), Failure> {
    solver.factor()?;
    let size = solver.size;
    let factor = solver.factor.as_ref().submatrix(0, 0, size, size);
    let mut scaled = solver.work.as_mut().submatrix_mut(0, 0, size, size);
    for j in 0..size {
        for i in 0..size {
            scaled[(i, j)] = solver.matrix[(i, j)] * solver.root[(j, 0)];
        }
    }
    solve_lower_in_place(solver.instruction_set, factor, scaled.as_mut());
    let mut form = solver.form.as_mut().submatrix_mut(0, 0, size, size);
    gram_lower(solver.instruction_set, form.as_mut(), Accum::Replace, scaled.as_ref());
    let vectors = solver.vectors.as_mut().submatrix_mut(0, 0, size, size);
    solver.forms.eigensolver.solve(form.as_ref(), &mut solver.values[..size], vectors)?;
    for value in &mut solver.values[..size] {
        *value = value.max(0.0);
    }
    Ok(())
}

/// Makes U (d × k) of the eigenvectors, and probes it.
fn loss(solver: &mut BlockedSolver, label_power: f64, dimension: usize) -> f64 {
    let (size, labels) = (solver.size, solver.labels);
    solver.leading(dimension);
    let mut basis = solver.basis.as_mut().submatrix_mut(0, 0, size, dimension);
    let factor = solver.factor.as_ref().submatrix(0, 0, size, size);
    solve_lower_transpose_in_place(solver.instruction_set, factor, basis.as_mut());
    // VᵀC̃V = UᵀAU and VᵀB̃ = Uᵀb: the probe of U on (A, b).
    let matrix = solver.matrix.as_ref().submatrix(0, 0, size, size);
    let scaled_labels = solver.scaled_labels.as_ref().submatrix(0, 0, size, labels);
    solver.probe.loss(basis.as_ref(), matrix, scaled_labels, label_power)
}
