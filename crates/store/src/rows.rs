//! Rows by column: what a task fills, a part encodes, `replay` prints and a test reads. Coordinates
//! follow from a row's number.

use std::ops::Range;

use eigensweep_job::JobSpec;
use eigensweep_theory::Metric;
use eigensweep_theory::metrics::{self, Asked};

use crate::boundary;
use crate::columns::Status;

/// Values and status of consecutive rows.
///
/// NaN stands for *no value* and is written as null: a NaN that was computed is a
/// [`Status::NotFinite`].
#[derive(Clone, Debug, Default)]
pub struct Rows {
    metrics: Vec<&'static Metric>,
    /// By metric.
    values: Vec<Vec<f64>>,
    status: Vec<Status>,
}

/// Values and status of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// By metric, in the order of the data set's columns; NaN where there is none.
    pub values: Vec<f64>,
    /// Why it has values or none.
    pub status: Status,
}

impl Row {
    /// All numbers as bits: NaN (no value) equals itself.
    #[must_use]
    pub fn bits(&self) -> (Vec<u64>, Status) {
        (self.values.iter().map(|value| value.to_bits()).collect(), self.status)
    }
}

/// The metrics that a job's rows have columns for, in their order.
#[must_use]
pub fn metrics_of(spec: &JobSpec) -> Vec<&'static Metric> {
    match &spec.boundary {
        Some(boundary) => boundary::columns(boundary),
        None => metrics::columns(&spec.output.metrics),
    }
}

impl Rows {
    /// No rows of a job, and room for so many.
    #[must_use]
    pub fn with_capacity(spec: &JobSpec, rows: usize) -> Self {
        let metrics = metrics_of(spec);
        let values = metrics.iter().map(|_| Vec::with_capacity(rows)).collect();
        Self { metrics, values, status: Vec::with_capacity(rows) }
    }

    /// Begins anew with so many rows, none of which has a value.
    pub fn restart(&mut self, rows: usize) {
        for values in &mut self.values {
            values.clear();
            values.resize(rows, f64::NAN);
        }
        self.status.clear();
        self.status.resize(rows, Status::Ok);
    }

    /// Forgets all rows, and makes room for so many.
    pub fn empty(&mut self, rows: usize) {
        for values in &mut self.values {
            values.clear();
            values.reserve_exact(rows);
        }
        self.status.clear();
        self.status.reserve_exact(rows);
    }

    /// Adds the rows of another, which must be of the same job.
    pub fn append(&mut self, other: &Self) {
        for (values, others) in self.values.iter_mut().zip(&other.values) {
            values.extend_from_slice(others);
        }
        self.status.extend_from_slice(&other.status);
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.status.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.status.is_empty()
    }

    /// The metrics, in the order of the columns.
    #[must_use]
    pub fn metrics(&self) -> &[&'static Metric] {
        &self.metrics
    }

    /// The column of a metric; `None` where the job has none for it.
    #[must_use]
    pub fn column(&self, metric: &Metric) -> Option<usize> {
        self.metrics.iter().position(|known| *known == metric)
    }

    /// Values of a column, row by row.
    #[must_use]
    pub fn values(&self, column: usize) -> &[f64] {
        &self.values[column]
    }

    /// The values of a column, to be written.
    pub fn values_mut(&mut self, column: usize) -> &mut [f64] {
        &mut self.values[column]
    }

    /// Statuses, row by row.
    #[must_use]
    pub fn status(&self) -> &[Status] {
        &self.status
    }

    /// One row.
    #[must_use]
    pub fn row(&self, at: usize) -> Row {
        Row { values: self.values.iter().map(|values| values[at]).collect(), status: self.status[at] }
    }

    /// Says of a row why it has values or none, whatever these are.
    pub fn set_status(&mut self, row: usize, status: Status) {
        self.status[row] = status;
    }

    /// Gives rows a status and takes their results away; what is known without a solution stays.
    pub fn fail(&mut self, rows: Range<usize>, status: Status) {
        let solved = self.metrics.iter().map(|metric| metric.asked != Asked::Always);
        for (values, _) in self.values.iter_mut().zip(solved).filter(|(_, solved)| *solved) {
            values[rows.clone()].fill(f64::NAN);
        }
        self.status[rows].fill(status);
    }

    /// Number of rows without a value.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.status.iter().filter(|status| status.is_failure()).count() as u64
    }
}
