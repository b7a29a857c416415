//! `[features]` of a job: fitted once, on the clean rows that are learned from, and applied to all
//! rows and their views alike.
//!
//! ```text
//! source ──▶ factors ──▶ columns ──▶ (corruption, views) ──▶ normalize, log1p ──▶ linear, map
//!            library sizes of all columns                    whatever comes       once a job
//! ```
//!
//! What is linear acts on moments. The factor of a row, the logarithm and maps act on rows before
//! moments are taken of them.

use std::sync::Arc;

use eigensweep_inputs::counts::{self, TargetSum};
use eigensweep_inputs::moments::extremes;
use eigensweep_inputs::{Blocks, Dense, InputError};
use eigensweep_job::{FeaturesSpec, Job, RowsSpec};
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_theory::Failure;
use eigensweep_theory::features::{Features, Moments, Normalize, Principal};
use eigensweep_theory::views::stages::Stage;
use faer::{Mat, MatRef};

use crate::EngineError;
use crate::input::{LARGEST_SIZE, above, size};
use crate::samples::refused;

/// Rows of a block.
const BLOCK_ROWS: usize = 256;

/// What is done to counts before anything else, fitted on rows.
#[derive(Debug)]
pub(crate) struct Counts {
    /// The columns that are kept, ascending; all if `None`.
    kept: Option<Vec<usize>>,
    /// What library sizes become; `None` where rows keep their scale.
    target: Option<TargetSum>,
}

impl Counts {
    /// Of rows that are learned from.
    ///
    /// # Errors
    ///
    /// [`EngineError::Job`] if the values are no counts, or fewer features than are asked for are
    /// there.
    pub(crate) fn fit(job: &Job, spec: &FeaturesSpec, rows: &dyn Blocks) -> Result<Self, EngineError> {
        let asked = [
            ("features.variable", spec.variable.is_some()),
            ("features.normalize", spec.normalize.is_some()),
            ("features.log1p", spec.log1p),
        ];
        let Some((key, _)) = asked.into_iter().find(|(_, asked)| *asked) else {
            return Ok(Self { kept: None, target: None });
        };
        if extremes(rows)[0] < 0.0 {
            let message = format!("`{key}` is made for counts, and some values are negative");
            let help = "give raw counts (of h5ad choose them with `data.matrix`: `raw/X`, `layers/counts`), or \
                leave it out: scaled and logarithmic values are no counts any more";
            return Err(refused(job, key, message, "no counts", Some(help.to_owned())));
        }
        if let Some(count) = spec.variable.filter(|count| *count as usize > rows.features()) {
            let message = format!("`features.variable` asks for {count} of {} features", rows.features());
            return Err(refused(job, "features.variable", message, "more than there are", None));
        }
        Self::of(spec, rows).map_err(|_| {
            let message = "`features.variable` needs features that vary, and there are none".to_owned();
            refused(job, "features.variable", message, "no variance", None)
        })
    }

    fn of(spec: &FeaturesSpec, rows: &dyn Blocks) -> Result<Self, InputError> {
        let mut target = spec.normalize;
        let mut scales = vec![1.0; rows.samples()];
        if let Some(of) = target {
            let sizes = counts::library_sizes(rows);
            scales = counts::scales(&sizes, of);
            // Rows that are held out are scaled to the same number.
            let known = sizes.iter().zip(&scales).find(|(size, _)| **size > 0.0);
            target = Some(known.map_or(of, |(size, scale)| TargetSum::To(size * scale)));
        }
        let variable = spec.variable.map(|count| counts::variable_features(rows, &scales, count as usize));
        Ok(Self { kept: variable.transpose()?, target })
    }

    /// The factor of each row, by its library of all columns; none where rows keep their scale.
    pub(crate) fn scales(&self, rows: &dyn Blocks) -> Vec<f64> {
        self.target.map_or_else(Vec::new, |target| counts::scales(&counts::library_sizes(rows), target))
    }

    /// The rows with the columns that are kept.
    pub(crate) fn keep(&self, rows: Arc<dyn Blocks>) -> Result<Arc<dyn Blocks>, InputError> {
        self.kept.as_ref().map_or(Ok(Arc::clone(&rows)), |kept| Ok(Arc::from(counts::select(&*rows, kept)?)))
    }
}

/// Rows times their factors, and their logarithms, where the job asks for them.
pub(crate) fn normalized(
    spec: &FeaturesSpec,
    rows: Arc<dyn Blocks>,
    scales: &[f64],
) -> Result<Arc<dyn Blocks>, InputError> {
    if scales.is_empty() && !spec.log1p {
        return Ok(rows);
    }
    let ones = if scales.is_empty() { vec![1.0; rows.samples()] } else { Vec::new() };
    Ok(Arc::from(counts::normalized(&*rows, if scales.is_empty() { &ones } else { scales }, spec.log1p)?))
}

/// Mean and covariance of rows.
pub(crate) fn moments(rows: &dyn Blocks) -> Result<Moments, InputError> {
    let (lower, mean) = (rows.second_moment()?, rows.means());
    let covariance = Mat::from_fn(mean.len(), mean.len(), |i, j| lower[(i.max(j), i.min(j))]);
    Ok(Moments { mean, covariance })
}

/// Features of all rows, written out.
pub(crate) fn rows(rows: &dyn Blocks, features: &Features) -> Result<Box<dyn Blocks>, InputError> {
    let (samples, before) = (rows.samples(), rows.features());
    let mut values = Vec::<f64>::with_capacity(samples * features.count(before));
    for first in (0..samples).step_by(BLOCK_ROWS) {
        for column in features.of(block(rows, first)).col_iter() {
            values.extend(column.iter().copied());
        }
    }
    Ok(Box::new(Dense::new(values, samples, features.count(before))?))
}

/// Some rows from `first` on, a column each.
fn block(rows: &dyn Blocks, first: usize) -> Mat<f64> {
    let count = BLOCK_ROWS.min(rows.samples() - first);
    let mut values = vec![0.0; count * rows.features()];
    rows.write_rows(first, &mut values);
    MatRef::from_column_major_slice(&values, rows.features(), count).to_owned()
}

/// The key under which the job asks for components.
pub(crate) fn components_key(job: &Job) -> &'static str {
    if job.source.has("features.components") { "features.components" } else { "data.components" }
}

/// Features at each value of the `components` axis (a single one without it), fitted on so many
/// samples with these moments.
pub(crate) fn fit(
    job: &Job,
    spec: &RowsSpec,
    moments: Moments,
    samples: usize,
) -> Result<Vec<(Option<i64>, Features)>, EngineError> {
    let (recipe, before) = (&spec.features.recipe, moments.mean.len());
    let key = components_key(job);
    let values = spec.components.as_ref().map_or(&[][..], |axis| axis.values());
    let problems = above(job, key, values, before.min(samples), "components", "features");
    if !problems.is_empty() {
        return Err(job.source.report(problems).into());
    }
    let settings: Vec<Option<i64>> =
        if values.is_empty() { vec![None] } else { values.iter().copied().map(Some).collect() };
    let most = settings.iter().map(|k| recipe.features(before, k.map(size))).max().unwrap_or(0);
    if most > LARGEST_SIZE {
        let message = format!("kind = {:?} makes {most} features of these data", recipe.kind.name);
        let help = format!(
            "eigenproblems are dense: keep `components`, or `count`, so that there are up to {LARGEST_SIZE}"
        );
        return Err(refused(job, "features.kind", message, "too many", Some(help)));
    }
    let failed = |failure: Failure| match failure {
        Failure::DimensionAboveRank { rank: 0 } => {
            let message =
                "components cannot be scaled to unit variance: all features are constant".to_owned();
            refused(job, key, message, "no variance", None)
        }
        Failure::DimensionAboveRank { rank } => {
            let message = format!(
                "components can be scaled to unit variance where they have any: the data have {rank}"
            );
            refused(job, key, message, "above the rank", Some(format!("choose at most {rank}")))
        }
        Failure::NotPositiveDefinite { .. } | Failure::NoConvergence | Failure::NotFinite => {
            InputError::NoConvergence { features: before }.into()
        }
    };
    let largest = settings.iter().filter_map(|k| k.map(size)).max();
    let principal = Principal::new(recipe, moments, largest).map_err(failed)?;
    let streams = Streams::new(job.spec.job.seed);
    let of = |&k: &Option<i64>| {
        let mut rng = streams.stream(Draw::Features, &[]);
        let features = Features::new(recipe, &principal, k.map(size), &mut rng).map_err(failed)?;
        Ok((k, features))
    };
    settings.iter().map(of).collect()
}

/// Features of rows that stages act on, at a value of the `components` axis.
#[derive(Debug)]
pub struct RowFeatures {
    /// The value; `None` where there is no such axis.
    setting: Option<i64>,
    normalize: Option<Normalize>,
    features: Features,
    /// B (d × k₀).
    basis: Option<Mat<f64>>,
    /// Mean of the rows that moments are taken of.
    mean: Vec<f64>,
    /// d.
    before: usize,
}

impl RowFeatures {
    /// The features at each value of the `components` axis of rows (n × d) with these factors.
    pub(crate) fn fit(
        job: &Job,
        spec: &RowsSpec,
        rows: &Arc<dyn Blocks>,
        scales: &[f64],
        raw: &Moments,
    ) -> Result<Vec<Self>, EngineError> {
        let normalize =
            (spec.features.log1p || !scales.is_empty()).then(|| Normalize::new(spec.features.log1p));
        let moments = match normalize {
            Some(_) => moments(&*normalized(&spec.features, Arc::clone(rows), scales)?)?,
            None => raw.clone(),
        };
        let (before, mean) = (moments.mean.len(), moments.mean.clone());
        let of = |(setting, features): (Option<i64>, Features)| {
            let linear = features.linear().filter(|_| features.are_linear());
            let basis = linear.and_then(|linear| linear.matrix(before));
            let mean = mean.clone();
            let mut of = Self { setting, normalize: normalize.clone(), features, basis, mean, before };
            if !of.features.are_linear() {
                of.mean = of.mean_of(&**rows, scales);
            }
            of
        };
        Ok(fit(job, spec, moments, rows.samples())?.into_iter().map(of).collect())
    }

    /// The mean of all rows.
    fn mean_of(&self, rows: &dyn Blocks, scales: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.features.count(rows.features())];
        for first in (0..rows.samples()).step_by(BLOCK_ROWS) {
            let scale = |at: usize| scales.get(first + at).copied().unwrap_or(1.0);
            for column in self.of_rows(block(rows, first), scale).col_iter() {
                sum.iter_mut().zip(column.iter()).for_each(|(sum, value)| *sum += value);
            }
        }
        sum.iter().map(|sum| sum / rows.samples() as f64).collect()
    }

    /// The value of the `components` axis that they are for; `None` where there is no such axis.
    #[must_use]
    pub fn setting(&self) -> Option<i64> {
        self.setting
    }

    /// What acts on moments (d × k₀); `None` where nothing does.
    #[must_use]
    pub fn basis(&self) -> Option<MatRef<'_, f64>> {
        self.basis.as_ref().map(Mat::as_ref)
    }

    /// Whether rows become others before moments are taken of them.
    #[must_use]
    pub fn act_on_rows(&self) -> bool {
        self.normalize.is_some() || !self.features.are_linear()
    }

    /// Mean of all rows that are learned from as moments are taken of them: as long as they are.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Features of the representation's inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.basis.as_ref().map_or(self.mean.len(), Mat::ncols)
    }

    /// Bytes that bases and weights take, about.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let basis = self.basis.as_ref().map_or(0, |basis| basis.nrows() * basis.ncols());
        let weights = if self.features.are_linear() { 0 } else { self.mean.len() * self.before };
        8 * (basis + weights) as u64
    }

    /// Rows (d × m, a column each) with their factors as moments are taken of them.
    #[must_use]
    pub fn of_rows(&self, mut rows: Mat<f64>, scale: impl Fn(usize) -> f64) -> Mat<f64> {
        if let Some(mut normalize) = self.normalize.clone() {
            for (at, column) in rows.col_iter_mut().enumerate() {
                normalize.scale_next(scale(at));
                column.iter_mut().for_each(|value| *value = normalize.at(*value));
            }
        }
        if self.features.are_linear() { rows } else { self.features.of(rows) }
    }

    /// The same as stages behind views, with their names.
    #[must_use]
    pub fn stages(&self, spec: &FeaturesSpec) -> Vec<(String, Box<dyn Stage>)> {
        let named = |name: &str, stage: Box<dyn Stage>| (format!("features: {name}"), stage);
        let normalize = self.normalize.clone().map(|normalize| {
            let name = if spec.log1p { "log1p" } else { "normalize" };
            named(name, Box::new(normalize))
        });
        let maps = if self.features.are_linear() { Vec::new() } else { self.features.stages() };
        let last = maps.len().saturating_sub(1);
        let name = |at: usize| if at == last { spec.recipe.kind.name } else { "linear" };
        normalize
            .into_iter()
            .chain(maps.into_iter().enumerate().map(|(at, stage)| named(name(at), stage)))
            .collect()
    }
}
