//! What becomes of a source's values, and which values these are.

use std::sync::Arc;

use eigensweep_inputs::{Blocks, InputError, moments};
use eigensweep_job::{DataSpec, Job, Problem, RowSource, RowsSpec, ValueRange};
use eigensweep_theory::features::Moments;
use eigensweep_theory::views::stages::Domain;
use faer::Mat;

use super::refused;
use crate::EngineError;

/// What becomes of a source's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Map {
    /// The least value of the source, and the width of its range.
    from: [f64; 2],
    /// The same of what they become.
    to: [f64; 2],
}

impl Map {
    /// The least value and the width first, so that whole numbers stay whole.
    fn apply(self, value: f64) -> f64 {
        self.to[0] + self.to[1] * (value - self.from[0]) / self.from[1]
    }
}

/// A source whose values become others.
#[derive(Debug)]
pub(super) struct Mapped {
    of: Arc<dyn Blocks>,
    map: Map,
}

impl Blocks for Mapped {
    fn samples(&self) -> usize {
        self.of.samples()
    }

    fn features(&self) -> usize {
        self.of.features()
    }

    fn bytes(&self) -> u64 {
        self.of.bytes()
    }

    fn shape(&self) -> Option<[usize; 3]> {
        self.of.shape()
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        self.of.write_rows(first, rows);
        rows.iter_mut().for_each(|value| *value = self.map.apply(*value));
    }

    fn ask_for(&self, row: usize) {
        self.of.ask_for(row);
    }

    fn means(&self) -> Vec<f64> {
        self.of.means().into_iter().map(|mean| self.map.apply(mean)).collect()
    }

    fn second_moment(&self) -> Result<Mat<f64>, InputError> {
        let factor = self.map.to[1] / self.map.from[1];
        Ok(self.of.second_moment()? * faer::Scale(factor * factor))
    }
}

/// What becomes of the values of rows that are learned from; `None` if they stay what they are.
pub(crate) fn map(job: &Job, spec: &RowsSpec, rows: &dyn Blocks) -> Result<Option<Map>, EngineError> {
    let bounds = rows.bounds();
    // Bytes may as well be counts.
    let are_images =
        spec.shape.is_some() || rows.shape().is_some_and(|[channels, rows, _]| channels * rows > 1);
    let [low, high] = match (spec.range, bounds) {
        (ValueRange::Auto, Some(_)) if are_images => [0.0, 1.0],
        (ValueRange::Own | ValueRange::Auto, _) => return Ok(None),
        (ValueRange::To(range), _) => range,
    };
    let [least, most] = bounds.unwrap_or_else(|| moments::extremes(rows));
    if least < most {
        return Ok(Some(Map { from: [least, most - least], to: [low, high - low] }));
    }
    let message = "`data.range` has no meaning where all values are the same".to_owned();
    Err(refused(job, "data.range", message, "one value", None))
}

/// A source with its values mapped.
pub(crate) fn mapped(map: Option<Map>, of: Arc<dyn Blocks>) -> Arc<dyn Blocks> {
    match map {
        Some(map) => Arc::new(Mapped { of, map }),
        None => of,
    }
}

/// Which values rows have after a map: what those of bytes can be, or what those are that are
/// there.
pub(super) fn domain(map: Option<Map>, rows: &dyn Blocks) -> Domain {
    let apply = |value: f64| map.map_or(value, |map| map.apply(value));
    let mut found = Domain::Counts;
    let mut add = |value: f64| found = found.min(Domain::of(&[apply(value)]));
    match rows.bounds() {
        Some(_) => (0..=255).for_each(|byte| add(f64::from(byte))),
        None => moments::each_value(rows, add),
    }
    found
}

/// A feature whose mean dwarfs its spread so far that moments of values as they are, which stages
/// act on, would keep no more than four digits of it.
pub(super) fn far_from_zero(job: &Job, moments: &Moments, names: &[String]) -> Option<Problem> {
    let Moments { mean, covariance } = moments;
    let at = (0..mean.len()).find(|&i| {
        let (rounding, variance) = (8.0 * f64::EPSILON * mean[i], covariance[(i, i)]);
        variance > rounding * rounding && mean[i] * mean[i] > 1e12 * variance
    })?;
    let name = names.get(at).filter(|_| names.len() == mean.len());
    let name = name.map_or_else(|| format!("feature {at} (from 0)"), |name| format!("feature {name:?}"));
    let (mean, deviation) = (mean[at], covariance[(at, at)].sqrt());
    let message = format!(
        "{name} has a mean of {mean:.6e} and a standard deviation of {deviation:.3e}: stages act on values as they are, \
            and rounding would hide it"
    );
    let help = "take the offset out of the file, leave the feature out, or map all values with `data.range`";
    let key = match &job.spec.data {
        DataSpec::Rows(RowsSpec { source: RowSource::Files(source), .. }) => {
            format!("data.{}", source.reader.inputs.key)
        }
        DataSpec::Rows(_) | DataSpec::Gaussian(_) => "data.source".to_owned(),
    };
    Some(job.source.problem_at(&key, message, "far from zero", Some(help.to_owned())))
}
