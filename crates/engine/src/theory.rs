//! Thresholds of a job: one row per combination of the axes that they depend on.
//!
//! | job | thresholds, by [`Method`] |
//! |---|---|
//! | data, Γ and Θ diagonal in one basis | Propositions 4.3 and 4.4 |
//! | raw features, their noise on components of its own | the same of two pencils' eigenvalues |
//! | stages | [the population limit](eigensweep_theory::population) of excess leakage |
//!
//! Samples and alignment do not enter them, so they do not multiply the rows. Spectra may be drawn
//! a replicate: [`table`] has those of one, [`over_replicates`] medians and quantiles, by the same
//! rule as the summary of a data set. Of stages nothing is drawn, and there are [`limits`].

use std::collections::HashMap;
use std::sync::Arc;

use eigensweep_job::{BoundarySpec, JobSpec, Recovery, SpectrumShape};
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_store::StoreError;
use eigensweep_store::aggregate::{Aggregate, EXACT};
use eigensweep_store::grid::Grid;
use eigensweep_theory::paradigms;
use eigensweep_theory::population::{Limit, Sought};
use eigensweep_theory::thresholds::{
    self, Lower, Pencils, Preference, Spectra, SpectraError, Thresholds, thresholds,
};
use eigensweep_theory::{Failure, Paradigm};
use faer::{Mat, MatRef};

use crate::input::{Input, SecondMoment, size};
use crate::simulation::spectral::setting::{DataSetting, ScaledSpectrum, Settings};
use crate::simulation::stages::limit::{Found, MOST_INPUTS, Whole};

/// Thresholds at one combination of axes, of which the dimension is the last.
#[derive(Clone, Debug, PartialEq)]
pub struct TheoryRow {
    /// Axis names and values.
    pub axes: Vec<(&'static str, f64)>,
    /// Largest eigenvalue of the clean data, which relative scales are multiples of; NaN of raw
    /// features where no scale is relative.
    pub largest: f64,
    /// What the thresholds come from.
    pub method: Method,
    /// The thresholds, or why the spectra have none.
    pub thresholds: Result<Thresholds, NoThresholds>,
}

/// What thresholds come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Propositions 4.3 and 4.4: data, Γ and Θ are diagonal in one basis.
    Propositions,
    /// The same of the eigenvalues of two pencils of the signal: it has no common basis with Θ, and
    /// noise is on components of its own.
    Pencils,
    /// The population limit: where the excess leakage falls below a tolerance.
    PopulationLimit,
}

impl Method {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Propositions => "propositions",
            Self::Pencils => "pencils",
            Self::PopulationLimit => "population-limit",
        }
    }

    /// What it is, in a line.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Propositions => "Propositions 4.3 and 4.4",
            Self::Pencils => {
                "Propositions 4.3 and 4.4 of raw features: δ and η² are the kth eigenvalues of (C₀, C₀ + Θ) and (C₀², C₀ + Θ)"
            }
            Self::PopulationLimit => {
                "population limit: from α* on, leakage is less than a tolerance above the least that any linear map has"
            }
        }
    }
}

/// Spectra at one combination of axes, in the common basis of the data, Γ and Θ.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectraRow {
    /// Axis names and values.
    pub axes: Vec<(&'static str, f64)>,
    /// The number of the setting of the data.
    pub data: usize,
    /// κⱼ²/n of the important components (k₀); `None` of raw features, which have no common basis
    /// with Θ.
    pub signal: Option<Vec<f64>>,
    /// λⱼ^Θ of the important components, or of the raw features (k₀).
    pub theta_signal: Vec<f64>,
    /// λᵢ^Γ of the noise components (p).
    pub gamma: Vec<f64>,
    /// λᵢ^Θ of the noise components (p).
    pub theta_noise: Vec<f64>,
}

impl SpectraRow {
    /// How their thresholds come about.
    fn method(&self) -> Method {
        if self.signal.is_some() { Method::Propositions } else { Method::Pencils }
    }

    /// Their thresholds at dimension k.
    pub(crate) fn thresholds(
        &self,
        input: &Input,
        solved: &mut SolvedPencils,
        dimension: usize,
    ) -> Result<Thresholds, NoThresholds> {
        let Self { theta_signal, gamma, theta_noise, .. } = self;
        match &self.signal {
            Some(signal) => Ok(thresholds(&Spectra { signal, theta_signal, gamma, theta_noise }, dimension)?),
            None => {
                let most = theta_signal.len() + gamma.len();
                if dimension > most {
                    return Err(SpectraError::Dimension { found: dimension, most }.into());
                }
                Ok(solved.of(self, input)?.thresholds(gamma, theta_noise, dimension)?)
            }
        }
    }
}

/// Pencils of raw features that were solved, which depend on the data and on Θ alone.
#[derive(Debug, Default)]
pub(crate) struct SolvedPencils(HashMap<(usize, Vec<u64>), Result<Arc<Pencils>, Failure>>);

impl SolvedPencils {
    fn of(&mut self, row: &SpectraRow, input: &Input) -> Result<Arc<Pencils>, NoThresholds> {
        let theta = &row.theta_signal;
        let key = (row.data, theta.iter().map(|value| value.to_bits()).collect());
        let solved = self.0.entry(key).or_insert_with(|| {
            let theta = Mat::from_fn(theta.len(), theta.len(), |i, j| if i == j { theta[i] } else { 0.0 });
            let clean = dense(input, row.data).ok_or(Failure::DimensionAboveRank { rank: 0 })?;
            Pencils::of(clean, theta.as_ref()).map(Arc::new)
        });
        Ok(solved.clone()?)
    }
}

/// C₀ of raw features.
fn dense(input: &Input, data: usize) -> Option<MatRef<'_, f64>> {
    let Input::Rows { sets, .. } = input else { return None };
    match &sets.get(data)?.moment {
        SecondMoment::Dense(moment) => Some(moment.as_ref()),
        SecondMoment::Diagonal(_) => None,
    }
}

/// Why there are no thresholds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoThresholds {
    /// Noise has no moments behind features that act on rows.
    #[error("features act on rows, and the limit needs the noise's moments: take linear features, or none")]
    FeaturesOnRows,
    /// Noise of this corruption has no moments.
    #[error("a stage of the corruption has no closed form, and the limit needs the noise's moments")]
    OpenCorruption,
    /// A limit takes too long.
    #[error(
        "a limit takes some thirty problems of {inputs} inputs: up to {MOST_INPUTS} are solved, set `data.components`"
    )]
    TooLarge {
        /// Number of inputs.
        inputs: usize,
    },
    /// A problem has no solution.
    #[error(transparent)]
    Failed(#[from] Failure),
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

/// What a population limit is beside its alignments.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradual {
    /// The excess leakage below which a representation has got rid of the noise.
    pub tolerance: f64,
    /// The least leakage that a linear map of so many dimensions has.
    pub least: f64,
    /// How gradual the transition of each paradigm is: log α at a quarter of a component in excess,
    /// minus log α at three quarters. Infinite where one of them is not reached, NaN where there is
    /// no transition.
    pub widths: Vec<(&'static Paradigm, f64)>,
}

/// Thresholds of several draws of the spectra.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// What they come from.
    pub method: Method,
    /// What a population limit has more; δ, η, the crossover and the corollary it has not.
    pub gradual: Option<Gradual>,
    /// δ.
    pub delta: Quantiles,
    /// η.
    pub eta: Quantiles,
    /// η²/δ.
    pub crossover: Quantiles,
    /// η²/δ over the largest eigenvalue of the clean data, draw by draw: what a relative noise
    /// scale compares with.
    pub relative_crossover: Quantiles,
    /// α², signed, of each paradigm that has a threshold; of a population limit −∞ where every α is
    /// enough.
    pub limits: Vec<(&'static Paradigm, Quantiles)>,
    /// Whether no alignment recovers, as k > k₀.
    pub never: bool,
    /// The paradigm whose median threshold is the lower one, and the ratio of the median thresholds
    /// α*; `None` where they are equal.
    pub lower: Option<Lower>,
    /// That ratio in the single draws, 1 or less where the other threshold is no higher; its median
    /// is not the ratio of the medians. NaN where no threshold is the lower one.
    pub factors: Quantiles,
    /// Corollary 4.5's verdicts, each with the share of the draws that have it, above 0; none of a
    /// population limit.
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
        let method = draws.first().map_or(Method::Propositions, |row| row.method);
        let draws = draws.into_iter().map(|row| Ok((row.thresholds?, row.largest)));
        let draws = draws.collect::<Result<Vec<_>, _>>();
        Self { axes, thresholds: draws.map(|draws| Spread { method, ..Spread::of(&draws) }) }
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
            method: Method::Propositions,
            gradual: None,
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

    /// Of a population limit.
    fn of_limits(Found { least, limits }: Found, tolerance: f64) -> Self {
        let same = |value| Quantiles { q05: value, median: value, q95: value };
        let squared = |&(paradigm, limit)| {
            let squared = match limit {
                Limit::Always => f64::NEG_INFINITY,
                Limit::At { alpha, .. } => alpha * alpha,
                Limit::Never => f64::INFINITY,
            };
            (paradigm, squared)
        };
        let width = |&(paradigm, limit)| match limit {
            Limit::At { width, .. } => (paradigm, width),
            Limit::Always | Limit::Never => (paradigm, f64::NAN),
        };
        let lower = thresholds::lower(limits.iter().map(squared));
        let none = same(f64::NAN);
        Self {
            method: Method::PopulationLimit,
            gradual: Some(Gradual { tolerance, least, widths: limits.iter().map(width).collect() }),
            delta: none,
            eta: none,
            crossover: none,
            relative_crossover: none,
            limits: limits.iter().map(squared).map(|(paradigm, squared)| (paradigm, same(squared))).collect(),
            never: false,
            lower,
            factors: lower.map_or(none, |lower| same(lower.factor)),
            preferences: Vec::new(),
        }
    }

    /// Whether every alignment recovers, none does, or those from the median threshold on:
    /// `always`, `never` or `at`.
    #[must_use]
    pub fn verdict(&self, paradigm: &Paradigm) -> Option<&'static str> {
        let (_, squared) = self.limits.iter().find(|(other, _)| *other == paradigm)?;
        Some(match squared.median {
            ..=0.0 => "always",
            f64::INFINITY => "never",
            _ => "at",
        })
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
    solved_table(spec, input, replicate, &mut SolvedPencils::default())
}

/// The same with pencils that may have been solved.
fn solved_table(spec: &JobSpec, input: &Input, replicate: u64, solved: &mut SolvedPencils) -> Vec<TheoryRow> {
    let Some((_, views)) = spec.spectral() else { return Vec::new() };
    let kind = views.kind;
    let mut of = |row: &SpectraRow, k: i64| match kind.thresholds {
        true => row.thresholds(input, solved, size(k)),
        false => Err(NoThresholds::Views { kind: kind.name }),
    };
    let mut rows = Vec::new();
    for row in spectra(spec, input, replicate) {
        let largest = match (&row.signal, input) {
            (Some(signal), _) => signal.iter().copied().fold(f64::NAN, f64::max),
            (None, Input::Rows { sets, .. }) => {
                sets.get(row.data).and_then(|set| set.largest).unwrap_or(f64::NAN)
            }
            (None, Input::Synthetic { .. } | Input::Samples(_)) => f64::NAN,
        };
        for &k in spec.model.dimension.values() {
            let axes = row.axes.iter().copied().chain([("dimension", k as f64)]).collect();
            rows.push(TheoryRow { axes, largest, method: row.method(), thresholds: of(&row, k) });
        }
    }
    rows
}

/// Most thresholds that are computed, a second or so.
const MOST: u64 = 1_000_000;

/// Fewest replicates that are drawn all the same, where the job has as many.
const FEWEST: u64 = 64;

/// The same where Θ of raw features is drawn, so that each replicate has pencils of its own: most
/// floating-point operations of them, some seconds, and fewest replicates.
const MOST_FLOPS: f64 = 1e11;
const FEWEST_PENCILS: f64 = 2.0;

/// Thresholds over the replicates of a job, for every combination of the axes that matter, in row
/// order; and the number of replicates.
///
/// They are all replicates of the job, of adaptive ones the fewest that a combination has; the
/// first of them where they are so many that the table would take longer than a second or so (some
/// seconds of raw features); and one where no spectrum is drawn.
#[must_use]
pub fn over_replicates(spec: &JobSpec, input: &Input) -> (Vec<TheorySpread>, u64) {
    let first = u64::from(spec.job.first_replicate);
    let mut solved = SolvedPencils::default();
    let rows = solved_table(spec, input, first, &mut solved);
    let all = u64::from(spec.job.adaptive.map_or(spec.job.replicates, |adaptive| adaptive.min));
    let replicates = match is_drawn(spec) {
        true => all.min(FEWEST.max(MOST / rows.len().max(1) as u64)).min(most_pencils(spec, input)),
        false => 1,
    };
    let mut draws: Vec<Vec<TheoryRow>> = rows.into_iter().map(|row| vec![row]).collect();
    for replicate in 1..replicates {
        for (draws, row) in draws.iter_mut().zip(solved_table(spec, input, first + replicate, &mut solved)) {
            draws.push(row);
        }
    }
    (draws.into_iter().map(TheorySpread::of).collect(), replicates)
}

/// Replicates whose pencils are solved: any number but where Θ of raw features is drawn.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 2")]
pub(crate) fn most_pencils(spec: &JobSpec, input: &Input) -> u64 {
    let Input::Rows { sets, .. } = input else { return u64::MAX };
    let Some((_, views)) = spec.spectral() else { return u64::MAX };
    let sizes = (0..sets.len()).filter_map(|at| dense(input, at)).map(|moment| moment.nrows() as f64);
    let flops: f64 = sizes.map(|size| 30.0 * size * size * size).sum();
    match views.spectrum.shape == SpectrumShape::Uniform && flops > 0.0 {
        true => (MOST_FLOPS / flops).max(FEWEST_PENCILS) as u64,
        false => u64::MAX,
    }
}

/// Population limits of a job with stages for every combination of the axes that matter, in row
/// order, of the rows that `replicate` corrupts where views must see rows.
///
/// The tolerance is that of `[boundary]`, half of a component unless the job says otherwise. Of
/// other jobs there are none. One of many inputs takes seconds: `told` hears how many limits of all
/// are done, first that none is.
///
/// # Errors
///
/// [`StoreError::TaskTooLarge`] if the job cannot be planned.
pub fn limits(
    spec: &JobSpec,
    boundary: &BoundarySpec,
    input: &Arc<Input>,
    replicate: u64,
    told: &mut dyn FnMut(usize, usize),
) -> Result<Vec<TheorySpread>, StoreError> {
    let Some(mut whole) = Whole::of(spec, input)? else { return Ok(Vec::new()) };
    let wanted: Vec<_> = paradigms::ALL.into_iter().filter(|paradigm| paradigm.threshold.is_some()).collect();
    let mut rows = Vec::new();
    let (settings, dimensions) = (whole.settings(), spec.model.dimension.values());
    let all = settings.len() * dimensions.len() * wanted.len();
    told(0, all);
    for setting in settings {
        let axes = axes_at(whole.grid(), setting.row);
        for &k in dimensions {
            let sought = Sought { tolerance: tolerance(boundary, size(k)), ..Sought::of(size(k)) };
            let mut done = rows.len() * wanted.len();
            let heard = || {
                done += 1;
                told(done, all);
            };
            let found = whole.limits(setting, size(k), replicate, &wanted, |_| Some(sought), heard);
            rows.push(TheorySpread {
                axes: axes.iter().copied().chain([("dimension", k as f64)]).collect(),
                thresholds: found.map(|found| Spread::of_limits(found, sought.tolerance)),
            });
        }
    }
    told(all, all);
    Ok(rows)
}

/// The leakage that is enough: as `[boundary]` says, or of recovery by distance half of a
/// component.
pub(crate) fn tolerance(boundary: &BoundarySpec, dimension: usize) -> f64 {
    match boundary.recovery {
        Recovery::Leakage => boundary.tolerance(dimension),
        Recovery::Distance => Sought::of(dimension).tolerance,
    }
}

/// Names and values of the axes that spectra depend on, at a row of the grid.
fn axes_at(grid: &Grid, row: u64) -> Vec<(&'static str, f64)> {
    let axes = grid.axes.iter().filter(|axis| !SILENT.contains(&axis.name));
    axes.map(|axis| (axis.name, axis.values.as_float(axis.index(row)))).collect()
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
        let features = match &signal {
            Some(signal) => signal.len(),
            None => dense(input, at).map_or(0, |moment| moment.nrows()),
        };
        let largest = || data.largest(input, signal.as_deref().unwrap_or_default());
        for noise in &settings.noise {
            let gamma = fill(&noise.spectrum, Draw::CorruptionSpectrum, &largest, noise.components);
            for views in &settings.views {
                let components = features + noise.components;
                let mut theta_signal =
                    fill(&views.spectrum, Draw::AugmentationSpectrum, &largest, components);
                let theta_noise = theta_signal.split_off(features);
                // The first row of this combination tells the values of its axes.
                let row = at as u64 * grid.rows_per_setting + (noise.row + views.row) as u64;
                rows.push(SpectraRow {
                    axes: axes_at(&grid, row),
                    data: at,
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
