//! Where the search for a critical alignment begins: theory, never a neighbour's answer, so that a
//! cell depends on itself alone.

use std::sync::Arc;

use eigensweep_job::stages::AlignmentDose;
use eigensweep_job::{BoundarySpec, JobSpec, Recovery};
use eigensweep_theory::Paradigm;
use eigensweep_theory::finite::{Law, law};
use eigensweep_theory::population::{Limit, Sought};
use eigensweep_theory::thresholds::{Spectra, Thresholds, alignment};

use super::select::Start;
use crate::input::{Input, size};
use crate::simulation::stages::limit::{MOST_INPUTS, Whole};
use crate::theory::{SolvedPencils, SpectraRow, most_pencils, spectra, tolerance};

/// First step from the first pivot, in log α, where nothing is known of the spread, and the least.
const STEP: f64 = 0.2;
const SHORTEST: f64 = 1e-3;

/// The largest α is so many times the larger threshold.
const REACH: f64 = 1e3;

/// Thresholds on α² below this are taken for it: they may be negative.
const LEAST: f64 = 1e-2;

/// What theory says of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theory {
    /// Where the search begins.
    pub start: Start,
    /// Median over replicates of the threshold α* for infinite samples; NaN where there is none.
    pub threshold: f64,
    /// What the law of finite samples makes of it; NaN where there is none.
    pub law: f64,
}

/// Spectra of the first replicates of a cell (a job with one value on each axis), which its
/// paradigms share: none of a job with stages, nor of more than 1,024 raw features.
#[derive(Debug)]
pub struct Draws(Vec<DrawnSpectra>);

/// Spectra of a replicate.
#[derive(Debug)]
struct DrawnSpectra {
    spectra: SpectraRow,
    /// Thresholds at k, at k₀ where k is larger.
    thresholds: Option<Thresholds>,
}

impl Draws {
    /// Of so many replicates; of fewer where Θ of many raw features is drawn.
    #[must_use]
    pub fn of(spec: &JobSpec, input: &Input, replicates: u32) -> Self {
        let k = dimension(spec);
        let mut solved = SolvedPencils::default();
        let drawn = (0..u64::from(replicates).min(most_pencils(spec, input))).filter_map(|replicate| {
            let spectra = spectra(spec, input, replicate).into_iter().next()?;
            let k = spectra.signal.as_ref().map_or(k, |signal| k.min(signal.len()));
            let is_small = spectra.signal.is_some() || spectra.theta_signal.len() <= MOST_INPUTS;
            let thresholds = is_small.then(|| spectra.thresholds(input, &mut solved, k).ok()).flatten();
            Some(DrawnSpectra { spectra, thresholds: thresholds.filter(|found| !found.is_never()) })
        });
        Self(drawn.collect())
    }

    /// The median over the replicates that have a value.
    fn median(&self, of: impl Fn(&Thresholds) -> Option<f64>) -> Option<f64> {
        let found = self.0.iter().filter_map(|draw| of(draw.thresholds.as_ref()?));
        let mut values: Vec<f64> = found.collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len().checked_sub(1)? / 2).copied()
    }
}

/// k of a cell.
fn dimension(spec: &JobSpec) -> usize {
    spec.model.dimension.only().map_or(0, size)
}

/// Theory of a cell and a paradigm.
///
/// The search begins where the [law of finite samples](eigensweep_theory::finite) puts the median,
/// with steps of the spread that it and the draws of the spectra have; or else at the median
/// threshold of Propositions 4.3 and 4.4, also of raw features, that of k = k₀ where k is larger.
/// With stages it begins at the [population limit](eigensweep_theory::population), of up to 1,024
/// inputs and views that are closed in moments. Without any it begins at α = 1.
#[must_use]
pub fn theory(
    spec: &JobSpec,
    input: &Arc<Input>,
    boundary: &BoundarySpec,
    paradigm: &'static Paradigm,
    draws: &Draws,
) -> Theory {
    let k = dimension(spec);
    let squared =
        |found: &Thresholds, of: &Paradigm| of.threshold.as_ref().map(|limit| (limit.squared)(found));
    let own = draws.median(|found| squared(found, paradigm));
    let largest =
        draws.median(|found| Some(found.limits().map(|(_, squared)| squared).fold(LEAST, f64::max)));
    // Where k is above k₀, a noise component is always kept.
    let exists = |draw: &DrawnSpectra| {
        draw.spectra.signal.as_ref().map_or(draw.thresholds.is_some(), |signal| k <= signal.len())
    };
    let exists = draws.0.iter().all(exists);
    let threshold = own.filter(|_| exists).map_or(f64::NAN, alignment);
    let samples = spec.grid.samples.only().map_or(f64::INFINITY, |n| n as f64);
    let laws: Option<Vec<Law>> =
        draws.0.iter().map(|draw| law_of(&draw.spectra, paradigm, k, samples, spec)).collect();
    let law = laws.filter(|laws| !laws.is_empty()).map(|laws| spread(&laws));
    let log = |squared: f64| 0.5 * libm::log(squared);
    let start = match own.zip(largest) {
        Some((own, largest)) => {
            let top = log(largest) + libm::log(REACH);
            match law {
                Some(law) => {
                    let pivot = log(law.squared.max(LEAST)).min(top);
                    Start { pivot, step: law.deviation.clamp(SHORTEST, STEP), top }
                }
                None => Start { pivot: log(own.max(LEAST)), step: STEP, top },
            }
        }
        None => return of_limit(spec, input, boundary, paradigm),
    };
    Theory { start, threshold, law: law.map_or(f64::NAN, |law| alignment(law.squared)) }
}

/// Theory of a cell with stages, by its population limit.
///
/// What is traced is leakage itself: its limit is where the excess falls below the tolerance less
/// L_min. A tolerance below L_min is reached by no linear map whatever n is, and there is no limit.
/// Of recovery by distance it is that of half a component in excess.
fn of_limit(
    spec: &JobSpec,
    input: &Arc<Input>,
    boundary: &BoundarySpec,
    paradigm: &'static Paradigm,
) -> Theory {
    let k = dimension(spec);
    let sought = |least: f64| {
        let unavoidable = if boundary.recovery == Recovery::Leakage { least } else { 0.0 };
        let tolerance = tolerance(boundary, k) - unavoidable;
        (tolerance > 0.0).then_some(Sought { tolerance, width: false, ..Sought::of(k) })
    };
    let found = Whole::of(spec, input).ok().flatten().filter(Whole::is_closed).and_then(|mut whole| {
        let setting = whole.settings().first().copied()?;
        let found = whole.limits(setting, k, 0, &[paradigm], sought, || {}).ok()?;
        found.limits.first().map(|(_, limit)| *limit)
    });
    let alpha = match found {
        Some(Limit::Always) => 0.0,
        Some(Limit::At { alpha, .. }) => alpha,
        Some(Limit::Never) | None => f64::NAN,
    };
    // A probability is at most 1.
    let is_share = spec.stages().is_some_and(|stages| stages.dose == AlignmentDose::Probability);
    let usual = if is_share { libm::log(0.1) } else { 0.0 };
    let pivot = if alpha.is_nan() { usual } else { 0.5 * libm::log((alpha * alpha).max(LEAST)) };
    let top = if is_share { 0.0 } else { libm::log(REACH) + pivot.max(0.0) };
    Theory { start: Start { pivot: pivot.min(top), step: STEP, top }, threshold: alpha, law: f64::NAN }
}

/// The law of finite samples of a draw of the spectra.
fn law_of(draw: &SpectraRow, paradigm: &Paradigm, k: usize, samples: f64, spec: &JobSpec) -> Option<Law> {
    let SpectraRow { signal, theta_signal, gamma, theta_noise, .. } = draw;
    let spectra = Spectra { signal: signal.as_ref()?, theta_signal, gamma, theta_noise };
    law(paradigm, &spectra, k, samples, spec.data.signal_is_drawn()).ok().flatten()
}

/// The law of the median draw, with a deviation that holds the draws' own.
fn spread(laws: &[Law]) -> Law {
    let mut sorted = laws.to_vec();
    sorted.sort_unstable_by(|one, other| one.squared.total_cmp(&other.squared));
    let Law { squared, deviation } = sorted[sorted.len() / 2];
    let logs = || sorted.iter().map(|law| 0.5 * libm::log(law.squared.max(LEAST)));
    let mean = logs().sum::<f64>() / sorted.len() as f64;
    let variance = logs().map(|log| (log - mean) * (log - mean)).sum::<f64>() / sorted.len() as f64;
    Law { squared, deviation: libm::sqrt(deviation * deviation + variance) }
}
