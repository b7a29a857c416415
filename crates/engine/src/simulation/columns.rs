//! Where the values of each metric go, by how it is computed.

use eigensweep_store::rows::Rows;
use eigensweep_theory::additive::Represented;
use eigensweep_theory::metrics::{Formula, Model, On, Score};
use eigensweep_theory::thresholds::Thresholds;
use eigensweep_theory::{Metric, Paradigm};

/// The columns of the metrics that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// Metrics of representations.
    pub(crate) represented: Vec<&'static Metric>,
    /// Their columns.
    of_represented: Vec<usize>,
    clean: Vec<usize>,
    corrupted: Vec<usize>,
    thresholds: Vec<(usize, Threshold)>,
    derived: Vec<Derived>,
    /// Metrics of predictions.
    pub(crate) probed: Vec<(usize, Probed)>,
}

/// Of which model, on which rows, and what is said of its predictions.
type Probed = (Model, On, Score);

type Threshold = fn(&Paradigm, &Thresholds) -> Option<f64>;

/// A column that follows from others.
#[derive(Debug)]
struct Derived {
    column: usize,
    from: Vec<usize>,
    of: fn(&[f64]) -> f64,
}

/// Most metrics that one is derived from.
const MOST_FROM: usize = 4;

impl Columns {
    /// Those of rows whose job names these metrics.
    pub(crate) fn new(rows: &Rows, named: &[&'static Metric]) -> Self {
        let mut columns = Self::default();
        let asked = rows.metrics().iter().enumerate().filter(|(_, metric)| metric.is_asked(named));
        for (column, &metric) in asked {
            match metric.of {
                Formula::Loss(Model::Clean) => columns.clean.push(column),
                Formula::Loss(Model::Corrupted) => columns.corrupted.push(column),
                Formula::Views(_) | Formula::Spectrum(_) | Formula::RowSpace(_) => {
                    columns.represented.push(metric);
                    columns.of_represented.push(column);
                }
                Formula::Probed { model, on, score } => columns.probed.push((column, (model, on, score))),
                Formula::Threshold(of) => columns.thresholds.push((column, of)),
                Formula::Traced => {}
                Formula::Derived { from, of } => {
                    assert!(from.len() <= MOST_FROM, "room for what `{}` is derived from", metric.name);
                    let from = from.iter().filter_map(|metric| rows.column(metric)).collect();
                    columns.derived.push(Derived { column, from, of });
                }
            }
        }
        columns
    }

    /// Writes what a paradigm made of a corrupted problem, at each dimension a row.
    pub(crate) fn write_corrupted(
        &self,
        rows: &mut Rows,
        at: impl Iterator<Item = usize> + Clone,
        found: Represented<'_>,
    ) {
        let mut write = |column: usize, values: &[f64]| {
            let to = rows.values_mut(column);
            at.clone().zip(values).for_each(|(row, value)| to[row] = *value);
        };
        self.corrupted.iter().for_each(|&column| write(column, found.losses));
        self.of_represented.iter().enumerate().for_each(|(n, &column)| write(column, found.metric(n)));
    }

    /// The clean loss of a row; NaN where there is none.
    pub(crate) fn clean_loss(&self, rows: &Rows, row: usize) -> f64 {
        self.clean.first().map_or(f64::NAN, |&column| rows.values(column)[row])
    }

    /// Whether a loss of the clean model is asked for.
    pub(crate) fn has_clean(&self) -> bool {
        !self.clean.is_empty()
    }

    /// Writes the loss of a row's corrupted problem, and metrics of its representation.
    pub(crate) fn write_problem(&self, rows: &mut Rows, row: usize, loss: f64, metrics: &[f64]) {
        for &column in &self.corrupted {
            rows.values_mut(column)[row] = loss;
        }
        for (&column, value) in self.of_represented.iter().zip(metrics) {
            rows.values_mut(column)[row] = *value;
        }
    }

    /// Writes the clean loss of a row, the last of its values, and what follows from them.
    pub(crate) fn write_clean(&self, rows: &mut Rows, row: usize, loss: f64) {
        for &column in &self.clean {
            rows.values_mut(column)[row] = loss;
        }
        for Derived { column, from, of } in &self.derived {
            let mut values = [f64::NAN; MOST_FROM];
            for (value, &column) in values.iter_mut().zip(from) {
                *value = rows.values(column)[row];
            }
            rows.values_mut(*column)[row] = of(&values[..from.len()]);
        }
    }

    /// Writes the thresholds of a row.
    pub(crate) fn write_thresholds(
        &self,
        rows: &mut Rows,
        row: usize,
        paradigm: &Paradigm,
        limits: &Thresholds,
    ) {
        for &(column, of) in &self.thresholds {
            rows.values_mut(column)[row] = of(paradigm, limits).unwrap_or(f64::NAN);
        }
    }
}
