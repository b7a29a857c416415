//! The rows of one task, by column; coordinates follow from the row's number.

use std::ops::Range;

use crate::columns::Status;

/// Values of the rows of one task. NaN stands for *no value* and is written as null: a NaN that was computed is a
/// [`Status::NotFinite`].
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// `loss_clean`.
    pub loss_clean: Vec<f64>,
    /// `loss_corrupted`.
    pub loss_corrupted: Vec<f64>,
    /// `leakage`.
    pub leakage: Vec<f64>,
    /// `gap`.
    pub gap: Vec<f64>,
    /// `threshold_squared`.
    pub threshold_squared: Vec<f64>,
    /// `status`.
    pub status: Vec<Status>,
}

impl Batch {
    /// So many rows without values.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        let values = || vec![f64::NAN; rows];
        Self {
            loss_clean: values(),
            loss_corrupted: values(),
            leakage: values(),
            gap: values(),
            threshold_squared: values(),
            status: vec![Status::Ok; rows],
        }
    }

    /// Forgets all rows, and makes room for so many.
    pub(crate) fn empty(&mut self, rows: usize) {
        for values in self.values() {
            values.clear();
            values.reserve_exact(rows);
        }
        self.status.clear();
        self.status.reserve_exact(rows);
    }

    /// Adds another batch's rows.
    pub(crate) fn append(&mut self, other: &Self) {
        self.loss_clean.extend_from_slice(&other.loss_clean);
        self.loss_corrupted.extend_from_slice(&other.loss_corrupted);
        self.leakage.extend_from_slice(&other.leakage);
        self.gap.extend_from_slice(&other.gap);
        self.threshold_squared.extend_from_slice(&other.threshold_squared);
        self.status.extend_from_slice(&other.status);
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.status.len()
    }

    /// The numeric columns that hold results.
    fn values(&mut self) -> [&mut Vec<f64>; 5] {
        [
            &mut self.loss_clean,
            &mut self.loss_corrupted,
            &mut self.leakage,
            &mut self.gap,
            &mut self.threshold_squared,
        ]
    }

    /// Begins anew with so many rows.
    pub fn clear(&mut self, rows: usize) {
        for values in self.values() {
            values.clear();
            values.resize(rows, f64::NAN);
        }
        self.status.clear();
        self.status.resize(rows, Status::Ok);
    }

    /// Gives rows a status and takes their results away.
    pub fn fail(&mut self, rows: Range<usize>, status: Status) {
        for values in [&mut self.loss_clean, &mut self.loss_corrupted, &mut self.leakage, &mut self.gap] {
            values[rows.clone()].fill(f64::NAN);
        }
        self.status[rows].fill(status);
    }
}

/// What a task computed for one row.
#[derive(Clone, Copy, Debug)]
pub struct Values {
    /// `loss_clean`; NaN where there is none, as below.
    pub loss_clean: f64,
    /// `loss_corrupted`.
    pub loss_corrupted: f64,
    /// `leakage`.
    pub leakage: f64,
    /// `gap`.
    pub gap: f64,
    /// `threshold_squared`.
    pub threshold_squared: f64,
    /// `status`.
    pub status: Status,
}

impl Values {
    /// Those of a row of a batch.
    #[must_use]
    pub fn of(batch: &Batch, at: usize) -> Self {
        Self {
            loss_clean: batch.loss_clean[at],
            loss_corrupted: batch.loss_corrupted[at],
            leakage: batch.leakage[at],
            gap: batch.gap[at],
            threshold_squared: batch.threshold_squared[at],
            status: batch.status[at],
        }
    }

    /// In the order of [`eigensweep_store::columns::METRICS`].
    #[must_use]
    pub fn metrics(&self, distance: bool) -> [f64; 6] {
        let apart = if distance { (self.loss_clean - self.loss_corrupted).abs() } else { f64::NAN };
        [self.loss_clean, self.loss_corrupted, apart, self.leakage, self.gap, self.threshold_squared]
    }
}
