//! Where the search for a critical alignment begins: theory, never a neighbour's answer, so that a
//! cell depends on itself alone.

use eigensweep_job::JobSpec;
use eigensweep_job::stages::AlignmentDose;
use eigensweep_theory::Paradigm;
use eigensweep_theory::finite::{Law, law};
use eigensweep_theory::thresholds::{Spectra, Thresholds, alignment, thresholds};

use super::select::Start;
use crate::input::{Input, size};
use crate::theory::{SpectraRow, spectra};

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

/// Theory of a cell (a job with one value on each axis) and a paradigm, over the first `replicates`.
///
/// The search begins where the [law of finite samples](eigensweep_theory::finite) puts the median,
/// with steps of the spread that it and the draws of the spectra have; or else at the median threshold
/// of Propositions 4.3 and 4.4, that of k = k₀ where k is larger. Without one (raw features, stages) it
/// begins at α = 1.
#[must_use]
pub fn theory(spec: &JobSpec, input: &Input, paradigm: &Paradigm, replicates: u32) -> Theory {
    let k = spec.model.dimension.only().map_or(0, size);
    let draws: Vec<SpectraRow> = (0..replicates)
        .filter_map(|replicate| spectra(spec, input, replicate.into()).into_iter().next())
        .collect();
    let median = |of: &dyn Fn(&SpectraRow) -> Option<f64>| {
        let mut values: Vec<f64> = draws.iter().filter_map(of).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len().checked_sub(1)? / 2).copied()
    };
    let at = |draw: &SpectraRow, k: usize| -> Option<Thresholds> {
        let SpectraRow { signal, theta_signal, gamma, theta_noise, .. } = draw;
        let signal = signal.as_ref()?;
        let spectra = Spectra { signal, theta_signal, gamma, theta_noise };
        thresholds(&spectra, k.min(signal.len())).ok()
    };
    let squared =
        |found: &Thresholds, of: &Paradigm| of.threshold.as_ref().map(|limit| (limit.squared)(found));
    let own = median(&|draw| squared(&at(draw, k)?, paradigm));
    let largest = median(&|draw| {
        at(draw, k).map(|found| found.limits().map(|(_, squared)| squared).fold(LEAST, f64::max))
    });
    // Where k is above k₀, a noise component is always kept.
    let exists = draws.iter().all(|draw| draw.signal.as_ref().is_some_and(|signal| k <= signal.len()));
    let threshold = own.filter(|_| exists).map_or(f64::NAN, alignment);
    let samples = spec.grid.samples.only().map_or(f64::INFINITY, |n| n as f64);
    let laws: Option<Vec<Law>> = draws.iter().map(|draw| law_of(draw, paradigm, k, samples, spec)).collect();
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
        None => match spec.stages().map(|stages| stages.dose) {
            // A probability is at most 1.
            Some(AlignmentDose::Probability) => Start { pivot: log(0.1), step: STEP, top: 0.0 },
            Some(AlignmentDose::Fixed | AlignmentDose::Uniform) | None => {
                Start { pivot: 0.0, step: STEP, top: libm::log(REACH) }
            }
        },
    };
    Theory { start, threshold, law: law.map_or(f64::NAN, |law| alignment(law.squared)) }
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
