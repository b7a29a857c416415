//! The model that is learnt from all rows, and what it says: an explanation, since what is learnt of noise
//! looks cleaner in the same rows than it is.

use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_theory::{Failure, InstructionSet};
use faer::{Mat, MatRef};

use crate::features::Features;
use crate::fold::Fit;
use crate::moments::Covariances;
use crate::scores::{score, whiten};
use crate::solver::{Problem, Solver};
use crate::{AtAlignment, DiagnoseError, Learnt, Limit, Model, Setting};

/// How often a threshold's bracket, a ratio of about three, is halved.
const HALVINGS: usize = 7;

/// What is learnt from all rows; at the alignments of `curves` the plug-in scores are filled in.
pub(crate) fn learn(
    setting: &Setting<'_>,
    solver: &mut Solver,
    all: Covariances,
    features: &Features,
    curves: &mut [AtAlignment],
) -> Result<(Learnt, Option<Model>), DiagnoseError> {
    let dimension = setting.dimension;
    let fit = Fit::new(setting, &all, features)?;
    let rows = setting.all_rows();
    let power = features.trace(&all.signal);
    let (mut encoders, mut moments) = (None, None);
    let mut plug_in = |solver: &mut Solver, alignments: &[f64], keep: bool| {
        let mut found = Vec::with_capacity(alignments.len());
        fit.each(solver, alignments, (&rows, &[]), |at, bases, seen| {
            let scores = bases.each_ref().map(|basis| score(basis.as_ref(), &all, &all, features));
            found.push(
                scores.map(|scores| [scores.predicted[dimension - 1] / power, scores.leakage[dimension - 1]]),
            );
            if keep && alignments[at].to_bits() == setting.alignment.to_bits() {
                encoders = Some(bases.map(|basis| basis.as_ref().subcols(0, dimension).to_owned()));
                moments = Some(seen.into_moments());
            }
        })?;
        Ok::<_, DiagnoseError>(found)
    };
    let mut alignments = setting.alignments.clone();
    if curves.is_empty() {
        alignments = vec![setting.alignment];
    }
    let found = plug_in(solver, &alignments, true)?;
    for (curve, found) in curves.iter_mut().zip(&found) {
        curve.plug_in_kept = found.map(|[kept, _]| kept);
        curve.plug_in_leakage = found.map(|[_, leakage]| leakage);
    }
    let mut bounds = None;
    if !curves.is_empty() {
        let least = least_leakage(setting, solver, &all, features)?;
        let tolerance = 0.5 / dimension as f64;
        let mut limits = [Limit::Never; 2];
        for (paradigm, limit) in limits.iter_mut().enumerate() {
            let is_below = |found: &[[f64; 2]; 2]| found[paradigm][1] - least < tolerance;
            let from = found.iter().rposition(|found| !is_below(found)).map_or(0, |last| last + 1);
            *limit = match (from, alignments.get(from)) {
                (0, _) => Limit::Always,
                (_, None) => Limit::Never,
                (_, Some(&above)) => {
                    let (mut low, mut high) = (alignments[from - 1], above);
                    for _ in 0..HALVINGS {
                        let middle = if low > 0.0 { (low * high).sqrt() } else { 0.5 * high };
                        let below = is_below(&plug_in(solver, &[middle], false)?[0]);
                        if below { high = middle } else { low = middle }
                    }
                    Limit::From(high)
                }
            };
        }
        bounds = Some((least, limits));
    }
    // The alignment of the answer is one of those.
    let (Some(encoders), Some(moments)) = (encoders, moments) else {
        return Err(DiagnoseError::Alignment { found: setting.alignment });
    };
    let model = match bounds {
        None => None,
        Some((least_leakage, limits)) => {
            let spectrum = |matrix: MatRef<'_, f64>| {
                let what = "the spectra of the model";
                eigenvalues(matrix).map_err(|source| DiagnoseError::Kernel { what, source })
            };
            Some(Model {
                signal: spectrum(features.moment(&all.signal).as_ref().as_ref())?,
                noise: spectrum(features.moment(&all.noise).as_ref().as_ref())?,
                views: spectrum((&moments.views - &moments.mean_views).as_ref())?,
                least_leakage,
                limits,
            })
        }
    };
    let Covariances { mean, inputs, noise, signal } = all;
    let mean = mean.iter().zip(&setting.items.origin).map(|(mean, origin)| mean + origin).collect();
    Ok((Learnt { mean, encoders, inputs, signal, noise, views: moments }, model))
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
    let mut found = solver.solve(&[problem], setting.dimension)?;
    let [basis, _] = found.swap_remove(0);
    let basis = whiten(features.lift(basis), all.inputs.as_ref());
    Ok(score(basis.as_ref(), all, all, features).leakage.last().copied().unwrap_or(0.0))
}

fn eigenvalues(matrix: MatRef<'_, f64>) -> Result<Vec<f64>, Failure> {
    let size = matrix.nrows();
    let mut values = vec![0.0; size];
    let mut solver = Eigensolver::new(InstructionSet::detect(), size);
    solver.solve(matrix, &mut values, Mat::zeros(size, 0).as_mut())?;
    Ok(values)
}
