//! Columns of data sets whose rows are critical alignments, one for each cell and paradigm.
//!
//! | column | what |
//! |---|---|
//! | `alpha` | α*, at which half of the replicates recover |
//! | `low`, `high` | its interval; `high` is null where no alignment is known to be above α* |
//! | `alpha_q10`, … | alignments at which other shares recover, as the job asks |
//! | `width` | log `alpha_q90` − log `alpha_q10`, where the job asks for both |
//! | `replicates`, `solves` | replicates, and problems solved, one for a replicate at an alignment |
//! | `theory` | the median over replicates of the threshold for infinite samples |
//! | `law` | what the law of finite samples makes of it |
//! | `verdict` | `traced`; `always` or `never`, and then α* and the like are null; or why nothing was found |

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use eigensweep_job::BoundarySpec;
use eigensweep_theory::metrics::{Asked, Better, Formula};
use eigensweep_theory::{Metric, Paradigm};
use serde_json::{Map, Value, json};

use crate::StoreError;
use crate::columns::VERDICT;
use crate::dataset::{Dataset, floats, read_columns, text, value};

/// A column that is filled where a boundary was traced.
const fn found(name: &'static str, title: &'static str, help: &'static str) -> Metric {
    let (better, asked, of) = (Better::Neither, Asked::ByName, Formula::Traced);
    Metric { name, title, help, better, asked, of }
}

/// A column that is filled whatever was found.
const fn known(name: &'static str, title: &'static str, help: &'static str) -> Metric {
    Metric { asked: Asked::Always, ..found(name, title, help) }
}

/// α*.
pub static ALPHA: Metric =
    found("alpha", "critical alignment α*", "the alignment at which half of the replicates recover");
/// The lower end of its interval.
pub static LOW: Metric = found("low", "lower end of the interval of α*", "an alignment below α*");
/// The upper end of its interval.
pub static HIGH: Metric = found("high", "upper end of the interval of α*", "an alignment above α*");
/// How wide the transition is.
pub static WIDTH: Metric =
    found("width", "width of the transition, log α", "log of alpha_q90 over alpha_q10");
/// Number of replicates.
pub static REPLICATES: Metric = known("replicates", "replicates", "replicates of the cell");
/// Number of problems solved.
pub static SOLVES: Metric =
    known("solves", "problems solved", "pairs of a replicate and an alignment solved");
/// The threshold of infinite samples.
pub static THEORY: Metric =
    known("theory", "threshold α*, n → ∞", "median over replicates of the threshold for infinite samples");
/// What the law of finite samples makes of it.
pub static LAW: Metric =
    known("law", "law of finite samples", "the threshold corrected for n to leading order");

/// The column of a quantile: `alpha_q10` of 0.1, `alpha_q025` of 0.025.
#[must_use]
pub fn quantile(q: f64) -> &'static Metric {
    static KEPT: Mutex<BTreeMap<u64, &'static Metric>> = Mutex::new(BTreeMap::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.entry(q.to_bits()).or_insert_with(|| {
        let text = format!("{q}");
        let digits = text.split_once('.').map_or(text.as_str(), |(_, digits)| digits);
        let name: &'static str = Box::leak(format!("alpha_q{digits:0<2}").into_boxed_str());
        let title = Box::leak(format!("alignment at which {q} recover").into_boxed_str());
        Box::leak(Box::new(found(name, title, "the alignment at which this share of the replicates recover")))
    })
}

/// The columns between paradigm and verdict, in their order.
#[must_use]
pub fn columns(boundary: &BoundarySpec) -> Vec<&'static Metric> {
    let quantiles = boundary.quantiles.iter().map(|&q| quantile(q));
    [&ALPHA, &LOW, &HIGH]
        .into_iter()
        .chain(quantiles)
        .chain([&WIDTH, &REPLICATES, &SOLVES, &THEORY, &LAW])
        .collect()
}

/// A row: what was found of a cell and a paradigm.
#[derive(Clone, Debug)]
pub struct Line {
    /// Axes with their values.
    pub axes: Vec<(&'static str, f64)>,
    /// The paradigm.
    pub paradigm: &'static Paradigm,
    /// `traced`, `always`, `never`, or why nothing was found.
    pub verdict: String,
    /// The quantiles that the job asks for.
    quantiles: Vec<f64>,
    values: Vec<(&'static Metric, Option<f64>)>,
}

impl Line {
    /// The value of a column; `None` where there is none.
    #[must_use]
    pub fn value(&self, metric: &Metric) -> Option<f64> {
        self.values.iter().find(|(known, _)| *known == metric).and_then(|(_, value)| *value)
    }

    /// The least and the largest of the further quantiles, where there are two.
    #[must_use]
    pub fn transition_shares(&self) -> Option<[f64; 2]> {
        let least = self.quantiles.iter().copied().min_by(f64::total_cmp)?;
        let most = self.quantiles.iter().copied().max_by(f64::total_cmp)?;
        (least < most).then_some([least, most])
    }

    /// The alignments at which the least and the largest of the further shares recover.
    #[must_use]
    pub fn transition(&self) -> Option<[f64; 2]> {
        let [least, most] = self.transition_shares()?;
        Some([self.value(quantile(least))?, self.value(quantile(most))?])
    }

    /// The row as JSON, quantiles by their probabilities.
    #[must_use]
    pub fn json(&self) -> Value {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
        let number = |value: f64| match value.fract() == 0.0 && value.abs() < 1e15 {
            true => json!(value as i64),
            false => json!(value),
        };
        let mut object: Map<String, Value> =
            self.axes.iter().map(|&(name, value)| (name.to_owned(), number(value))).collect();
        object.insert("paradigm".to_owned(), json!(self.paradigm.name));
        let mut insert = |metric: &Metric, of: &dyn Fn(f64) -> Value| {
            object.insert(metric.name.to_owned(), self.value(metric).map_or(Value::Null, of));
        };
        for metric in [&ALPHA, &LOW, &HIGH, &WIDTH, &THEORY, &LAW] {
            insert(metric, &|value| json!(value));
        }
        for metric in [&REPLICATES, &SOLVES] {
            insert(metric, &number);
        }
        let quantiles: Map<String, Value> =
            self.quantiles.iter().map(|&q| (format!("{q}"), json!(self.value(quantile(q))))).collect();
        object.insert("quantiles".to_owned(), Value::Object(quantiles));
        object.insert(VERDICT.to_owned(), json!(self.verdict));
        Value::Object(object)
    }
}

/// The rows that are done of a data set of critical alignments, part by part.
///
/// # Errors
///
/// [`StoreError::Io`] or [`StoreError::Parquet`] if a part cannot be read.
pub fn read(dataset: &Dataset) -> Result<Vec<Line>, StoreError> {
    let Some(boundary) = &dataset.spec().boundary else { return Ok(Vec::new()) };
    let metrics = columns(boundary);
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name).chain([VERDICT]).collect();
    let mut lines = Vec::new();
    for section in dataset.sections() {
        let grid = &section.plan.grid;
        for record in section.records() {
            let mut rows = section.written(record);
            for batch in read_columns(&dataset.part_file(record), &names)? {
                let batch = batch?;
                for (at, row) in (0..batch.num_rows()).zip(&mut rows) {
                    let axes =
                        grid.axes.iter().map(|axis| (axis.name, axis.values.as_float(axis.index(row))));
                    let values =
                        metrics.iter().map(|&metric| (metric, value(floats(&batch, metric.name), at)));
                    lines.push(Line {
                        axes: axes.collect(),
                        paradigm: section.spec.model.paradigms[grid.paradigm(row)],
                        verdict: text(&batch, VERDICT, at).unwrap_or_default().to_owned(),
                        quantiles: boundary.quantiles.clone(),
                        values: values.collect(),
                    });
                }
            }
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::quantile;

    #[test]
    fn quantiles_are_named_by_their_digits() {
        let names = [0.1, 0.05, 0.025, 0.25, 0.975, 0.5, 1e-5].map(|q| quantile(q).name);
        let expected =
            ["alpha_q10", "alpha_q05", "alpha_q025", "alpha_q25", "alpha_q975", "alpha_q50", "alpha_q00001"];
        assert_eq!(names, expected);
        assert!(std::ptr::eq(quantile(0.1), quantile(0.1)));
    }
}
