//! The model that is learnt from all rows, and what it says: an explanation, since what is learnt
//! of noise looks cleaner in the same rows than it is.

use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_theory::InstructionSet;
use faer::{Mat, MatRef};

use crate::features::Features;
use crate::fold::Fit;
use crate::moments::Covariances;
use crate::scores::{score, whiten};
use crate::solver::{Problem, Solver};
use crate::tasks::Tasks;
use crate::{AtAlignment, DiagnoseError, Learnt, Limit, Model, PARADIGMS, Question, Setting};

/// How often a threshold's bracket, a ratio of about three, is halved.
const HALVINGS: usize = 7;

/// Tasks of the explanation at these alignments.
pub(crate) fn tasks(question: &Question<'_>, alignments: &[f64]) -> usize {
    let model = if question.alignments.is_empty() { 0 } else { SPECTRA + PARADIGMS.len() };
    alignments.len() + model
}

/// Spectra of the model.
const SPECTRA: usize = 3;

/// What is learnt from all rows; at the alignments of `curves` the plug-in scores are filled in.
/// And of which paradigm direction k is tied with the next.
pub(crate) fn learn(
    setting: &Setting<'_>,
    tasks: &Tasks<'_>,
    solver: &(impl Fn() -> Solver + Sync),
    all: Covariances,
    features: &Features,
    curves: &mut [AtAlignment],
) -> Result<(Learnt, Option<Model>, [bool; 2]), DiagnoseError> {
    let dimension = setting.dimension;
    let fit = Fit::new(setting, &all, features)?;
    let rows = setting.all_rows();
    let power = features.trace(&all.signal);
    let at = |solver: &mut Solver, alignment: f64| {
        let mut found = None;
        fit.each(solver, &[alignment], (&rows, &[]), |_, bases, seen| {
            let is_given = alignment.to_bits() == setting.alignment.to_bits();
            let tied = is_given.then(|| seen.problem().tied(&bases, dimension));
            let bases = fit.whitened(bases);
            let scores = bases.each_ref().map(|basis| score(basis.as_ref(), &all, &all, features));
            let scores =
                scores.map(|scores| [scores.predicted[dimension - 1] / power, scores.leakage[dimension - 1]]);
            let learnt = tied.map(|tied| {
                let encoders = bases.map(|basis| basis.as_ref().subcols(0, dimension).to_owned());
                (encoders, seen.into_moments(), tied)
            });
            found = Some((scores, learnt));
        })?;
        found.ok_or(DiagnoseError::Alignment { found: alignment })
    };
    let alignments = &setting.alignments;
    let found = tasks.each(alignments.len(), solver, |solver, number| at(solver, alignments[number]))?;
    let (found, learnt): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    for (curve, found) in curves.iter_mut().zip(&found) {
        curve.plug_in_kept = found.map(|[kept, _]| kept);
        curve.plug_in_leakage = found.map(|[_, leakage]| leakage);
    }
    // The alignment of the answer is one of those.
    let Some((encoders, moments, tied)) = learnt.into_iter().flatten().next() else {
        return Err(DiagnoseError::Alignment { found: setting.alignment });
    };
    let model = if curves.is_empty() {
        None
    } else {
        let least_leakage = least_leakage(setting, &mut solver(), &all, features)?;
        let mut spectra = tasks.each(
            SPECTRA,
            || (),
            |(), number| match number {
                0 => eigenvalues(features.moment(&all.signal).as_ref().as_ref()),
                1 => eigenvalues(features.moment(&all.noise).as_ref().as_ref()),
                _ => eigenvalues((&moments.views - &moments.mean_views).as_ref()),
            },
        )?;
        let mut spectrum = || spectra.pop().unwrap_or_default();
        let (views, noise, signal) = (spectrum(), spectrum(), spectrum());
        let tolerance = 0.5 / dimension as f64;
        let limits = tasks.each(PARADIGMS.len(), solver, |solver, paradigm| {
            let is_below = |found: &[[f64; 2]; 2]| found[paradigm][1] - least_leakage < tolerance;
            let from = found.iter().rposition(|found| !is_below(found)).map_or(0, |last| last + 1);
            Ok(match (from, alignments.get(from)) {
                (0, _) => Limit::Always,
                (_, None) => Limit::Never,
                (_, Some(&above)) => {
                    let (mut low, mut high) = (alignments[from - 1], above);
                    for _ in 0..HALVINGS {
                        let middle = if low > 0.0 { (low * high).sqrt() } else { 0.5 * high };
                        if is_below(&at(solver, middle)?.0) { high = middle } else { low = middle }
                    }
                    Limit::From(high)
                }
            })
        })?;
        let limits = [limits[0], limits[1]];
        Some(Model { signal, noise, views, least_leakage, limits })
    };
    let Covariances { mean, inputs, noise, signal } = all;
    let mean = mean.iter().zip(&setting.items.origin).map(|(mean, origin)| mean + origin).collect();
    Ok((Learnt { mean, encoders, inputs, signal, noise, views: moments }, model, tied))
}

/// `1 − mean of the k largest eigenvalues of (Ĉ₀, C)`: what its leading directions leak.
fn least_leakage(
    setting: &Setting<'_>,
    solver: &mut Solver,
    all: &Covariances,
    features: &Features,
) -> Result<f64, DiagnoseError> {
    let (signal, inputs) = (features.moment(&all.signal), features.moment(&all.inputs));
    let (mean_views, views) = (signal.as_ref().as_ref(), inputs.as_ref().as_ref());
    let problem = Problem { mean_views, views, cross: mean_views, rounding: 0.0 };
    let mut found = solver.solve(&[problem], setting.dimension, setting.run)?;
    let [basis, _] = found.swap_remove(0);
    let basis = whiten(features.lift(basis), all.inputs.as_ref());
    Ok(score(basis.as_ref(), all, all, features).leakage.last().copied().unwrap_or(0.0))
}

fn eigenvalues(matrix: MatRef<'_, f64>) -> Result<Vec<f64>, DiagnoseError> {
    let size = matrix.nrows();
    let mut values = vec![0.0; size];
    let mut solver = Eigensolver::new(InstructionSet::detect(), size);
    let what = "the spectra of the model";
    solver
        .solve(matrix, &mut values, Mat::zeros(size, 0).as_mut())
        .map_err(|source| DiagnoseError::Kernel { what, source })?;
    Ok(values)
}
