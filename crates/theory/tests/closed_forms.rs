//! Lemma B.1 and Theorems 3.1 and 3.2 against 50-digit solutions, on the general path and, where Σ
//! is diagonal and views are additive, on the fast one.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod reference;

use eigensweep_theory::additive::{Additive, Route};
use eigensweep_theory::closed_forms::{ClosedForms, Encoder};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION, SUPERVISED};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{InstructionSet, Paradigm, relative_gap};
use faer::{Mat, MatRef};
use reference::{ClosedForm, assert_close};

/// Tolerances of the project: relative to the largest value for spectra, absolute on unit scale
/// otherwise; [`slack`] is added to each.
const SPECTRUM: f64 = 1e-9;
const OBJECTIVE: f64 = 1e-8;
const PROBE: f64 = 1e-6;
const PROBE_GAP: f64 = 1e-6;
const PROJECTOR: f64 = 1e-6;
const PROJECTOR_GAP: f64 = 1e-5;

struct Problem {
    mean_views: Mat<f64>,
    views: Mat<f64>,
    cross: Mat<f64>,
    view_labels: Mat<f64>,
    inputs: Mat<f64>,
    input_labels: Mat<f64>,
    label_power: f64,
}

impl Problem {
    fn new(case: &ClosedForm) -> Self {
        let (x, x_bar) = (reference::matrix(&case.x), reference::matrix(&case.x_bar));
        let (y, sigma) = (reference::matrix(&case.y), reference::matrix(&case.sigma));
        let inverse = 1.0 / x.nrows() as f64;
        let mean_views = x_bar.transpose() * &x_bar * inverse;
        Self {
            views: &mean_views + sigma,
            mean_views,
            cross: x.transpose() * &x_bar * inverse,
            view_labels: x_bar.transpose() * &y * inverse,
            inputs: x.transpose() * &x * inverse,
            input_labels: x.transpose() * &y * inverse,
            label_power: y.squared_norm_l2() * inverse,
        }
    }

    fn moments(&self) -> Moments<'_> {
        Moments {
            mean_views: self.mean_views.as_ref(),
            views: self.views.as_ref(),
            cross: self.cross.as_ref(),
            view_labels: self.view_labels.as_ref(),
            inputs: self.inputs.as_ref(),
            input_labels: self.input_labels.as_ref(),
            label_power: self.label_power,
        }
    }

    fn probe(&self, basis: MatRef<'_, f64>) -> f64 {
        let mut probe = Probe::new(InstructionSet::detect(), basis.nrows(), self.input_labels.ncols());
        probe.loss(basis, self.inputs.as_ref(), self.input_labels.as_ref(), self.label_power)
    }

    fn input_power(&self) -> f64 {
        (0..self.inputs.nrows()).map(|i| self.inputs[(i, i)]).sum()
    }
}

/// What moments in double precision cannot know: rounding G and S by ε perturbs ω by ε times the
/// condition of the equilibrated S, and a projector by that over the gap. Below 1e-11 for every
/// case of ordinary condition.
fn slack(problem: &Problem) -> f64 {
    let s = &problem.views;
    let size = s.nrows();
    let equilibrated = Mat::from_fn(size, size, |i, j| s[(i, j)] / (s[(i, i)] * s[(j, j)]).sqrt());
    let values = equilibrated.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
    8.0 * f64::EPSILON * values[size - 1] / values[0]
}

/// Orthogonal projector on the span of the columns of `basis`.
fn projector(basis: MatRef<'_, f64>) -> Mat<f64> {
    let q = basis.qr().compute_thin_Q();
    &q * q.transpose()
}

fn check_general(case: &ClosedForm, place: &str) {
    let problem = Problem::new(case);
    let moments = problem.moments();
    let (k, labels) = (case.k, problem.input_labels.ncols());
    let slack = slack(&problem);
    let mut forms = ClosedForms::new(case.d, labels);
    let mut solved = forms.problem(moments);
    let power = problem.input_power();
    let objective = |paradigm: &Paradigm, encoder: &Encoder<'_>| {
        (paradigm.spectrum.as_ref().unwrap().objective)(&encoder.spectrum.values[..k], power)
    };

    let encoder = solved.solve(&JOINT_EMBEDDING).unwrap().encoder().unwrap();
    let expect = &case.expect.je;
    let omega = encoder.spectrum.values;
    assert_close(place, "ω", omega, &expect.eigenvalues, SPECTRUM * expect.eigenvalues[0] + slack);
    let found = objective(&JOINT_EMBEDDING, &encoder);
    assert_close(place, "JE objective", &[found], &[expect.objective], OBJECTIVE + slack);
    let basis = encoder.basis.subcols(0, k);
    if case.relative_gap.je > PROBE_GAP {
        assert_close(place, "JE probe", &[problem.probe(basis)], &[expect.probe], PROBE + slack);
    }
    if case.relative_gap.je > PROJECTOR_GAP {
        let gap = case.relative_gap.je;
        reference::assert_matrix_close(
            place,
            "JE projector",
            &projector(basis),
            &expect.projector,
            PROJECTOR + slack / gap,
        );
    }

    let encoder = solved.solve(&RECONSTRUCTION).unwrap().encoder().unwrap();
    let expect = &case.expect.rc;
    let largest = expect.singular_values[0];
    let phi = encoder.spectrum.values;
    assert_close(place, "φ", phi, &expect.singular_values, (SPECTRUM + slack) * largest);
    assert_close(
        place,
        "RC objective",
        &[objective(&RECONSTRUCTION, &encoder)],
        &[expect.objective],
        (OBJECTIVE + slack) * power.max(1.0),
    );
    let basis = encoder.basis.subcols(0, k);
    if case.relative_gap.rc > PROBE_GAP {
        assert_close(place, "RC probe", &[problem.probe(basis)], &[expect.probe], PROBE + slack);
    }
    if case.relative_gap.rc > PROJECTOR_GAP {
        let gap = case.relative_gap.rc;
        reference::assert_matrix_close(
            place,
            "RC projector",
            &projector(basis),
            &expect.projector,
            PROJECTOR + slack / gap,
        );
        // D*E* = R Φ Vᵀ, with V = L⁻ᵀ P.
        let map = encoder.decoder.unwrap().subcols(0, k) * basis.transpose();
        reference::assert_matrix_close(place, "RC map", &map, &expect.map, PROJECTOR + slack);
    }

    let predictor = solved.solve(&SUPERVISED).unwrap().predictor().unwrap();
    let expect = &case.expect.sl;
    assert_close(place, "SL objective", &[predictor.objective], &[expect.objective], OBJECTIVE + slack);
    let map = predictor.map.transpose().to_owned();
    reference::assert_matrix_close(place, "SL map", &map, &expect.map, PROJECTOR + slack);
}

/// The fast path on the additive diagonal cases gives what the general path gives.
fn check_additive(case: &ClosedForm, place: &str) -> bool {
    let sigma = reference::matrix(&case.sigma);
    let diagonal: Vec<f64> = (0..case.d).map(|i| sigma[(i, i)]).collect();
    let off_diagonal = (0..case.d).any(|j| (0..case.d).any(|i| i != j && sigma[(i, j)] != 0.0));
    if case.x != case.x_bar || off_diagonal {
        return false;
    }
    let problem = Problem::new(case);
    let slack = slack(&problem);
    let additive = Additive {
        inputs: problem.inputs.as_ref(),
        input_labels: problem.input_labels.as_ref(),
        label_power: problem.label_power,
        sigma: &diagonal,
    };
    let mut forms = ClosedForms::new(case.d, problem.input_labels.ncols());
    let mut solved = forms.problem(problem.moments());
    let supervised = solved.solve(&SUPERVISED).unwrap().predictor().unwrap().loss;
    for route in reference::ROUTES {
        check_route(route, &additive, case, supervised, slack, &format!("{place}, {route:?}"));
    }
    true
}

fn check_route(
    route: Option<Route>,
    additive: &Additive<'_>,
    case: &ClosedForm,
    supervised: f64,
    slack: f64,
    place: &str,
) {
    let [sl, je, rc] = reference::solve_additive(route, additive, &[case.k], None).map(|out| out.unwrap()[0]);
    let gap = relative_gap(&case.expect.je.eigenvalues, case.k);
    assert_eq!(je.gap.is_some(), gap.is_some());
    let found = [je.gap.unwrap_or(0.0)];
    assert_close(place, "additive JE gap", &found, &[gap.unwrap_or(0.0)], SPECTRUM + slack);
    if case.relative_gap.je > PROBE_GAP {
        assert_close(place, "additive JE probe", &[je.loss], &[case.expect.je.probe], PROBE + slack);
    }
    let rank = |singular: Vec<f64>| {
        let sum: f64 = singular[..case.k].iter().sum();
        let entropy = singular[..case.k].iter().map(|x| x / sum).filter(|&p| p > 0.0).map(|p| -p * p.ln());
        entropy.sum::<f64>().exp()
    };
    let omega = case.expect.je.eigenvalues.iter().map(|x| x.max(0.0).sqrt()).collect();
    let ranks = [rank(omega), rank(case.expect.rc.singular_values.clone())];
    let found = [je.effective_rank.unwrap(), rc.effective_rank.unwrap()];
    // Roots of what is rounded: a value of 0 may be √ε.
    assert_close(place, "effective ranks", &found, &ranks, case.k as f64 * 1e-5);
    assert!(sl.effective_rank.is_none(), "{place}: no representation");
    let squares: Vec<f64> = case.expect.rc.singular_values.iter().map(|x| x * x).collect();
    let gap = relative_gap(&squares, case.k);
    let found = [rc.gap.unwrap_or(0.0)];
    assert_close(place, "additive RC gap", &found, &[gap.unwrap_or(0.0)], SPECTRUM + slack);
    if case.relative_gap.rc > PROBE_GAP {
        assert_close(place, "additive RC probe", &[rc.loss], &[case.expect.rc.probe], PROBE + slack);
    }
    assert_close(place, "additive SL loss", &[sl.loss], &[supervised], OBJECTIVE + slack);
}

fn check_all(file: &reference::File) -> usize {
    let mut additive = 0;
    for (index, case) in file.closed_forms.iter().enumerate() {
        let place = format!("case {index} ({}, d = {}, k = {})", case.kind, case.d, case.k);
        check_general(case, &place);
        additive += usize::from(check_additive(case, &place));
    }
    assert!(file.closed_forms.len() >= 30, "a file of problems");
    additive
}

#[test]
fn project_reference_agrees() {
    assert!(check_all(&reference::project()) >= 6, "the file covers the fast path too");
}

#[test]
fn shared_reference_agrees() {
    if let Some(file) = reference::shared() {
        check_all(&file);
    }
}
