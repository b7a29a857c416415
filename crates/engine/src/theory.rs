//! Thresholds of a job's spectra: one row per combination of the axes that they depend on.
//!
//! Samples and alignment do not enter Propositions 4.3 and 4.4, so they do not multiply the rows.
//! Spectra may be drawn a replicate: [`table`] has those of one, [`over_replicates`] medians and
//! quantiles, by the same rule as the summary of a data set.

use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_store::aggregate::{Aggregate, EXACT};
use eigensweep_theory::Paradigm;
use eigensweep_theory::paradigms;
use eigensweep_theory::thresholds::{self, Lower, Preference, Spectra, SpectraError, Thresholds, thresholds};

use crate::input::{Input, SecondMoment, size};
use crate::simulation::spectral::setting::{DataSetting, ScaledSpectrum, Settings};
use eigensweep_job::{JobSpec, SpectrumShape};
use eigensweep_store::grid::Grid;

/// Thresholds at one combination of axes, of which the dimension is the last.
#[derive(Clone, Debug, PartialEq)]
pub struct TheoryRow {
    /// Axis names and values.
    pub axes: Vec<(&'static str, f64)>,
    /// Largest eigenvalue of the clean data, which relative scales are multiples of; NaN where it
    /// has no common basis with Γ and Θ.
    pub largest: f64,
    /// The thresholds, or why the spectra have none.
    pub thresholds: Result<Thresholds, NoThresholds>,
}

/// Spectra at one combination of axes, in the common basis of the data, Γ and Θ.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectraRow {
    /// Axis names and values.
    pub axes: Vec<(&'static str, f64)>,
    /// κⱼ²/n of the important components (k₀); `None` where the data has no common basis with Γ and
    /// Θ, and then Θ is empty.
    pub signal: Option<Vec<f64>>,
    /// λⱼ^Θ of the important components (k₀).
    pub theta_signal: Vec<f64>,
    /// λᵢ^Γ of the noise components (p).
    pub gamma: Vec<f64>,
    /// λᵢ^Θ of the noise components (p).
    pub theta_noise: Vec<f64>,
}

impl SpectraRow {
    /// Their thresholds at dimension k.
    fn thresholds(&self, dimension: usize) -> Result<Thresholds, NoThresholds> {
        let signal = self.signal.as_ref().ok_or(NoThresholds::RawFeatures)?;
        let Self { theta_signal, gamma, theta_noise, .. } = self;
        Ok(thresholds(&Spectra { signal, theta_signal, gamma, theta_noise }, dimension)?)
    }
}

/// Why there are no thresholds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoThresholds {
    /// The propositions need data, Γ and Θ diagonal in one basis.
    #[error(
        "features that are no principal components have no common basis with Γ and Θ: set `components`, and no [features] kind behind them"
    )]
    RawFeatures,
    /// The propositions are about additive views.
    #[error("the propositions are not about `{kind}` views")]
    Views {
        /// The kind of views.
        kind: &'static str,
    },
    /// The spectra are outside the propositions' assumptions.
    #[error(transparent)]
    Spectra(#[from] SpectraError),
}

/// Thresholds over replicates at one combination of axes, of which the dimension is the last.
#[derive(Clone, Debug, PartialEq)]
pub struct TheorySpread {
    /// Axis names and values.
    pub axes: Vec<(&'static str, f64)>,
    /// The thresholds, or why the spectra have none.
    pub thresholds: Result<Spread, NoThresholds>,
}

/// Thresholds of several draws of the spectra.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// δ.
    pub delta: Quantiles,
    /// η.
    pub eta: Quantiles,
    /// η²/δ.
    pub crossover: Quantiles,
    /// η²/δ over the largest eigenvalue of the clean data, draw by draw: what a relative noise
    /// scale compares with.
    pub relative_crossover: Quantiles,
    /// α², signed, of each paradigm that has a threshold.
    pub limits: Vec<(&'static Paradigm, Quantiles)>,
    /// Whether no alignment recovers, as k > k₀.
    pub never: bool,
    /// The paradigm whose median threshold is the lower one, and the ratio of the median thresholds
    /// α*; `None` where they are equal.
    pub lower: Option<Lower>,
    /// That ratio in the single draws, 1 or less where the other threshold is no higher; its median
    /// is not the ratio of the medians. NaN where no threshold is the lower one.
    pub factors: Quantiles,
    /// Corollary 4.5's verdicts, each with the share of the draws that have it, above 0.
    pub preferences: Vec<(Preference, f64)>,
}

/// Median and quantiles over replicates, exact up to [`EXACT`]
/// of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantiles {
    /// Quantile at 5 %.
    pub q05: f64,
    /// Median.
    pub median: f64,
    /// Quantile at 95 %.
    pub q95: f64,
}

impl Quantiles {
    /// Of some values; NaN of none.
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut aggregate = Aggregate::exact();
        // There is no crossover for k > k₀.
        values.filter(|value| !value.is_nan()).for_each(|value| aggregate.add(value));
        let [q05, median, q95] =
            aggregate.quantiles([0.05, 0.5, 0.95]).map(|found| found.unwrap_or(f64::NAN));
        Self { q05, median, q95 }
    }

    /// The same of a function that never falls: quantiles first, then the function, as everywhere.
    #[must_use]
    pub fn map(self, of: fn(f64) -> f64) -> Self {
        Self { q05: of(self.q05), median: of(self.median), q95: of(self.q95) }
    }
}

impl TheorySpread {
    /// Of the draws of one combination of the axes.
    #[must_use]
    pub fn of(draws: Vec<TheoryRow>) -> Self {
        let axes = draws.first().map(|row| row.axes.clone()).unwrap_or_default();
        let draws = draws.into_iter().map(|row| Ok((row.thresholds?, row.largest)));
        Self { axes, thresholds: draws.collect::<Result<Vec<_>, _>>().map(|draws| Spread::of(&draws)) }
    }
}

impl Spread {
    /// Of some draws, at least one, each with the largest eigenvalue of its clean data.
    #[must_use]
    pub fn of(draws: &[(Thresholds, f64)]) -> Self {
        let over = |of: &dyn Fn(&Thresholds) -> f64| Quantiles::of(draws.iter().map(|(draw, _)| of(draw)));
        let limits: Vec<_> = paradigms::ALL
            .into_iter()
            .filter_map(|paradigm| Some((paradigm, over(&paradigm.threshold.as_ref()?.squared))))
            .collect();
        let medians = limits.iter().map(|(paradigm, found)| (*paradigm, found.median));
        let lower = thresholds::lower(medians);
        // Factors may be infinite here and finite there, for which a sketch has no bins.
        let factors = draws
            .iter()
            .take(EXACT)
            .filter_map(|(draw, _)| lower.and_then(|lower| draw.factor(lower.paradigm)));
        let factors = Quantiles::of(factors);
        let share = |verdict| {
            let same = draws.iter().filter(|(draw, _)| draw.preference == verdict);
            (verdict, same.count() as f64 / draws.len() as f64)
        };
        Self {
            delta: over(&|draw| draw.delta),
            eta: over(&|draw| draw.eta),
            crossover: over(&|draw| draw.crossover),
            relative_crossover: Quantiles::of(draws.iter().map(|(draw, largest)| draw.crossover / largest)),
            limits,
            never: draws.iter().all(|(draw, _)| draw.is_never()),
            lower,
            factors,
            preferences: Preference::ALL.into_iter().map(share).filter(|(_, share)| *share > 0.0).collect(),
        }
    }

    /// Corollary 4.5's verdict: the one that more than half of the draws have, else undetermined.
    #[must_use]
    pub fn preference(&self) -> Preference {
        let most = self.preferences.iter().find(|(_, share)| *share > 0.5);
        most.map_or(Preference::Undetermined, |(verdict, _)| *verdict)
    }
}

/// Axes that spectra do not depend on; of these thresholds depend on the dimension.
const SILENT: [&str; 5] = ["samples", "alignment", "dimension", "separation", "label_noise"];

/// Thresholds of `replicate`'s spectra for every combination of the axes that matter, in row order.
#[must_use]
pub fn table(spec: &JobSpec, input: &Input, replicate: u64) -> Vec<TheoryRow> {
    let Some((_, views)) = spec.spectral() else { return Vec::new() };
    let kind = views.kind;
    let of = |row: &SpectraRow, k: i64| match kind.thresholds {
        true => row.thresholds(size(k)),
        false => Err(NoThresholds::Views { kind: kind.name }),
    };
    let rows = spectra(spec, input, replicate).into_iter();
    rows.flat_map(|row| {
        let at = |&k: &i64| {
            let axes = row.axes.iter().copied().chain([("dimension", k as f64)]);
            let largest = row.signal.iter().flatten().copied().fold(f64::NAN, f64::max);
            TheoryRow { axes: axes.collect(), largest, thresholds: of(&row, k) }
        };
        spec.model.dimension.values().iter().map(at).collect::<Vec<_>>()
    })
    .collect()
}

/// Most thresholds that are computed, a second or so.
const MOST: u64 = 1_000_000;

/// Fewest replicates that are drawn all the same, where the job has as many.
const FEWEST: u64 = 64;

/// Thresholds over the replicates of a job, for every combination of the axes that matter, in row
/// order; and the number of replicates.
///
/// They are all replicates of the job, of adaptive ones the fewest that a combination has; the first
/// of them where they are so many that the table would take longer than a second or so; and one where
/// no spectrum is drawn.
#[must_use]
pub fn over_replicates(spec: &JobSpec, input: &Input) -> (Vec<TheorySpread>, u64) {
    let first = u64::from(spec.job.first_replicate);
    let rows = table(spec, input, first);
    let all = u64::from(spec.job.adaptive.map_or(spec.job.replicates, |adaptive| adaptive.min));
    let replicates = match is_drawn(spec) {
        true => all.min(FEWEST.max(MOST / rows.len().max(1) as u64)),
        false => 1,
    };
    let mut draws: Vec<Vec<TheoryRow>> = rows.into_iter().map(|row| vec![row]).collect();
    for replicate in 1..replicates {
        for (draws, row) in draws.iter_mut().zip(table(spec, input, first + replicate)) {
            draws.push(row);
        }
    }
    (draws.into_iter().map(TheorySpread::of).collect(), replicates)
}

/// Whether a spectrum of the job differs between replicates.
fn is_drawn(spec: &JobSpec) -> bool {
    let noise = spec.spectral().map(|(corruption, views)| [&corruption.spectrum, &views.spectrum]);
    noise
        .into_iter()
        .flatten()
        .chain(spec.data.spectrum())
        .any(|spectrum| spectrum.shape == SpectrumShape::Uniform)
}

/// `replicate`'s spectra for every combination of the axes that matter, in row order.
#[must_use]
pub fn spectra(spec: &JobSpec, input: &Input, replicate: u64) -> Vec<SpectraRow> {
    let grid = Grid::new(spec);
    let settings = Settings::new(spec, &grid);
    let streams = Streams::new(spec.job.seed);
    let fill = |spectrum: &ScaledSpectrum, draw, largest: &dyn Fn() -> f64, length| {
        let mut values = vec![0.0; length];
        spectrum.fill(&streams, draw, replicate, largest, &mut values);
        values
    };
    let mut rows = Vec::new();
    for (at, data) in settings.data.iter().enumerate() {
        // Settings that differ in the teacher only have the same spectra: the first of them speaks
        // for all.
        if matches!(data, DataSetting::Gaussian { teacher_index: 1.., .. }) {
            continue;
        }
        let signal = match data {
            DataSetting::Gaussian { components, spectrum, .. } => {
                Some(fill(spectrum, Draw::SignalSpectrum, &|| 1.0, *components))
            }
            DataSetting::Rows(index) => match input {
                Input::Rows { sets, .. } => match &sets[*index].moment {
                    SecondMoment::Diagonal(moments) => Some(moments.clone()),
                    SecondMoment::Dense(_) => None,
                },
                Input::Synthetic { .. } | Input::Samples(_) => None,
            },
        };
        let largest = || data.largest(input, signal.as_deref().unwrap_or_default());
        for noise in &settings.noise {
            let gamma = fill(&noise.spectrum, Draw::CorruptionSpectrum, &largest, noise.components);
            for views in &settings.views {
                let (theta_signal, theta_noise) = signal.as_ref().map_or_else(Default::default, |signal| {
                    let components = signal.len() + noise.components;
                    let mut theta = fill(&views.spectrum, Draw::AugmentationSpectrum, &largest, components);
                    let theta_noise = theta.split_off(signal.len());
                    (theta, theta_noise)
                });
                // The first row of this combination tells the values of its axes.
                let row = at as u64 * grid.rows_per_setting + (noise.row + views.row) as u64;
                let axes = grid.axes.iter().filter(|axis| !SILENT.contains(&axis.name));
                let axes: Vec<_> =
                    axes.map(|axis| (axis.name, axis.values.as_float(axis.index(row)))).collect();
                rows.push(SpectraRow {
                    axes,
                    signal: signal.clone(),
                    theta_signal,
                    gamma: gamma.clone(),
                    theta_noise,
                });
            }
        }
    }
    rows
}
