//! What `run` prints at the end: how far the corrupted model is from the clean one at the smallest and the largest sample, and what
//! theory says.
//!
//! Computed from the committed parts in order, so it is the same after one run or many.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, RecordBatch};

use crate::EngineError;
use crate::columns;
use crate::dataset::{Dataset, PartReader};
use crate::grid::Grid;
use crate::simulation::Simulation;

/// Mean and standard error of values that arrive one by one (Welford, 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Running {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Running {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean; `None` of nothing.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Standard error of the mean; `None` of fewer than two values.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        let count = self.count as f64;
        (self.count > 1).then(|| (self.squares / (count - 1.0) / count).sqrt())
    }
}

/// One line of the summary: a paradigm at one combination of the axes other than samples.
#[derive(Clone, Debug, PartialEq)]
pub struct SummaryLine {
    /// Axis names and values, those of one value left out.
    pub axes: Vec<(&'static str, f64)>,
    /// The paradigm's name.
    pub paradigm: &'static str,
    /// α.
    pub alignment: f64,
    /// Distance at the smallest n.
    pub smallest: Running,
    /// Distance at the largest n.
    pub largest: Running,
    /// Thresholds on α², one per replicate; empty for supervised.
    pub thresholds: Vec<f64>,
}

impl SummaryLine {
    /// Median over the replicates of `α* = √max(0, threshold)`.
    #[must_use]
    pub fn median_threshold(&self) -> Option<f64> {
        let mut sorted = self.thresholds.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let count = sorted.len();
        let middle = |i: usize| sorted.get(i).map(|x| x.max(0.0).sqrt());
        match count % 2 {
            1 => middle(count / 2),
            _ => Some(f64::midpoint(middle((count / 2).checked_sub(1)?)?, middle(count / 2)?)),
        }
    }

    /// Share of the replicates whose threshold α² exceeds.
    #[must_use]
    pub fn share_above(&self) -> Option<f64> {
        let above = self.thresholds.iter().filter(|&&x| self.alignment * self.alignment > x).count();
        (!self.thresholds.is_empty()).then(|| above as f64 / self.thresholds.len() as f64)
    }
}

/// The summary of a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Smallest n of the job.
    pub smallest: i64,
    /// Largest n of the job.
    pub largest: i64,
    /// One line per paradigm and combination.
    pub lines: Vec<SummaryLine>,
    /// Rows read.
    pub rows: u64,
    /// Rows without a value, by status.
    pub failed: Vec<(&'static str, u64)>,
}

/// Most lines that are collected: a terminal's worth many times over.
pub const LINES: u64 = 10_000;

/// Reads the committed parts and summarises them; `None` if there are more than [`LINES`] combinations.
///
/// # Errors
///
/// [`EngineError`] if a part cannot be read.
pub fn summarise(simulation: &Simulation, dataset: &Dataset) -> Result<Option<Summary>, EngineError> {
    let grid = &simulation.plan().grid;
    let Some(samples) = grid.axis("samples") else { return Ok(None) };
    let combinations = grid.rows_per_replicate / samples.values.count();
    if combinations > LINES {
        return Ok(None);
    }
    let value = |index: usize| samples.values.as_float(index);
    #[expect(clippy::cast_possible_truncation, reason = "an axis' length is a usize")]
    let indices = 0..samples.values.count() as usize;
    let least = indices.clone().min_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap_or(0);
    let most = indices.max_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap_or(0);
    let mut lines = blank_lines(simulation, grid);
    let mut rows = 0;
    let mut failed: Vec<(&'static str, u64)> =
        columns::Status::ALL[1..].iter().map(|status| (status.name(), 0)).collect();
    for record in dataset.records() {
        let path = dataset.path("data").join(&record.file);
        let names = [columns::DISTANCE, columns::THRESHOLD_SQUARED, columns::STATUS];
        let mut row = record.first_row;
        for batch in PartReader::read(&path, &names)? {
            let Some(columns) = Columns::new(&batch) else { continue };
            for at in 0..batch.num_rows() {
                let index = samples.index(row);
                let line = &mut lines[line_of(grid, row)];
                if let Some(distance) = columns.distance(at) {
                    if index == least {
                        line.smallest.add(distance);
                    }
                    if index == most {
                        line.largest.add(distance);
                    }
                }
                if index == most
                    && let Some(threshold) = columns.threshold(at)
                {
                    line.thresholds.push(threshold);
                }
                if let Some(status) =
                    columns.status(at).filter(|&status| status != columns::Status::Ok.name())
                {
                    failed.iter_mut().filter(|(name, _)| *name == status).for_each(|(_, count)| *count += 1);
                }
                row += 1;
            }
        }
        rows += record.rows;
    }
    failed.retain(|(_, count)| *count > 0);
    #[expect(clippy::cast_possible_truncation, reason = "a sample size, at most 10^15")]
    let whole = |index| value(index) as i64;
    Ok(Some(Summary { smallest: whole(least), largest: whole(most), lines, rows, failed }))
}

/// The three columns of a batch, downcast once.
struct Columns<'a>(&'a RecordBatch);

impl<'a> Columns<'a> {
    fn new(batch: &'a RecordBatch) -> Option<Self> {
        let known = [columns::DISTANCE, columns::THRESHOLD_SQUARED, columns::STATUS];
        known.iter().all(|name| batch.column_by_name(name).is_some()).then_some(Self(batch))
    }

    fn float(&self, name: &str, at: usize) -> Option<f64> {
        let column = self.0.column_by_name(name)?.as_primitive_opt::<Float64Type>()?;
        column.is_valid(at).then(|| column.value(at))
    }

    fn distance(&self, at: usize) -> Option<f64> {
        self.float(columns::DISTANCE, at)
    }

    fn threshold(&self, at: usize) -> Option<f64> {
        self.float(columns::THRESHOLD_SQUARED, at)
    }

    fn status(&self, at: usize) -> Option<&str> {
        let column = self.0.column_by_name(columns::STATUS)?.as_dictionary_opt::<Int32Type>()?;
        let names = column.values().as_string_opt::<i32>()?;
        usize::try_from(column.keys().value(at)).ok().map(|key| names.value(key))
    }
}

/// Position of a row's line: its number within the replicate with the samples' digit taken out.
#[expect(clippy::cast_possible_truncation, reason = "below LINES")]
fn line_of(grid: &Grid, row: u64) -> usize {
    let within = row % grid.rows_per_replicate;
    let setting = within / grid.rows_per_setting;
    (setting * grid.rows_per_sample + within % grid.rows_per_sample) as usize
}

fn blank_lines(simulation: &Simulation, grid: &Grid) -> Vec<SummaryLine> {
    let names: Vec<&'static str> = simulation.paradigms().map(|paradigm| paradigm.name()).collect();
    let settings = grid.rows_per_replicate / grid.rows_per_setting;
    let rows = (0..settings)
        .flat_map(|setting| (0..grid.rows_per_sample).map(move |row| setting * grid.rows_per_setting + row));
    rows.map(|row| SummaryLine {
        axes: grid
            .axes
            .iter()
            .filter(|axis| axis.values.count() > 1 && axis.name != "samples" && axis.name != "alignment")
            .map(|axis| (axis.name, axis.values.as_float(axis.index(row))))
            .collect(),
        paradigm: names[grid.paradigm(row)],
        alignment: grid.axis("alignment").map_or(f64::NAN, |axis| axis.values.as_float(axis.index(row))),
        smallest: Running::default(),
        largest: Running::default(),
        thresholds: Vec::new(),
    })
    .collect()
}
