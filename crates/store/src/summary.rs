//! What `run` prints at the end: how far the corrupted model is from the clean one at the smallest and the largest sample, and what
//! theory says.
//!
//! Computed from the committed parts in order, so it is the same after one run or many; parts of other n are not read.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use crate::StoreError;
use crate::aggregate::Running;
use crate::columns;
use crate::dataset::{Dataset, SUMMARY_FILE, Section, floats, read_columns, value};
use crate::grid::Grid;
use crate::index_map::IndexMap;
use eigensweep_job::Detail;
use eigensweep_theory::Paradigm;
use eigensweep_theory::metrics::{DISTANCE, THRESHOLD_SQUARED};

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
    /// Thresholds on α² of the first replicates, [`THRESHOLDS`] of all lines together; empty for supervised.
    pub thresholds: Vec<f64>,
    /// Replicates that have a threshold, and those of them whose threshold α² exceeds.
    pub above: (u64, u64),
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
        let (all, above) = self.above;
        (all > 0).then(|| above as f64 / all as f64)
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

/// Most thresholds that are kept for medians, so that memory does not grow with the replicates.
pub const THRESHOLDS: usize = 4_000_000;

/// Reads the committed parts and summarises them; `None` if there are more than [`LINES`] combinations.
///
/// # Errors
///
/// [`StoreError`] if a part cannot be read.
pub fn summarise(dataset: &Dataset) -> Result<Option<Summary>, StoreError> {
    let spec = dataset.spec();
    let grid = Grid::new(spec);
    let samples = spec.grid.samples.values();
    let combinations = grid.rows_per_replicate / samples.len() as u64;
    let (Some(&smallest), Some(&largest)) = (samples.iter().min(), samples.iter().max()) else {
        return Ok(None);
    };
    if combinations > LINES {
        return Ok(None);
    }
    let mut lines = blank_lines(&spec.model.paradigms, &grid);
    if spec.output.detail == Detail::Summary {
        add_digest(dataset, &grid, [smallest, largest], &mut lines)?;
        let failed = failures(dataset);
        return Ok(Some(Summary { smallest, largest, lines, rows: dataset.rows_done(), failed }));
    }
    let most_thresholds = THRESHOLDS / lines.len().max(1);
    for section in dataset.sections() {
        let ends = Ends::new(section, [smallest, largest]);
        let places = places(section, &grid);
        for record in section.records() {
            let mut rows = section.written(record);
            if record.file.is_empty() || !ends.touch(section, record.part) {
                continue;
            }
            let names = [DISTANCE.name, THRESHOLD_SQUARED.name];
            for batch in read_columns(&dataset.part_file(record), &names)? {
                let batch = batch?;
                let [distances, thresholds] = names.map(|name| floats(&batch, name));
                for at in 0..batch.num_rows() {
                    let Some(row) = rows.next() else { break };
                    let end = ends.of(section, row);
                    let line = &mut lines[places[line_of(&section.plan.grid, row)]];
                    if let Some(distance) = value(distances, at) {
                        if end[0] {
                            line.smallest.add(distance);
                        }
                        if end[1] {
                            line.largest.add(distance);
                        }
                    }
                    if let Some(threshold) = value(thresholds, at).filter(|_| end[1]) {
                        line.add_threshold(threshold, most_thresholds);
                    }
                }
            }
        }
    }
    let failed = failures(dataset);
    Ok(Some(Summary { smallest, largest, lines, rows: dataset.rows_done(), failed }))
}

/// Rows without a value, by status.
#[must_use]
pub fn failures(dataset: &Dataset) -> Vec<(&'static str, u64)> {
    let count = |status: &columns::Status| {
        let name = status.name();
        (name, dataset.records().filter_map(|record| record.failed.get(name)).sum())
    };
    columns::Status::ALL.iter().map(count).filter(|&(_, count)| count > 0).collect()
}

/// Fills the lines from the data set's summary.
fn add_digest(
    dataset: &Dataset,
    grid: &Grid,
    ends: [i64; 2],
    lines: &mut [SummaryLine],
) -> Result<(), StoreError> {
    let names = ["distance_count", "distance_mean", "distance_variance", "threshold_squared_median"];
    let names: Vec<&str> = names.into_iter().chain([columns::PARADIGM]).collect();
    let per_column = grid.rows_per_column();
    // As the file has them: column by column, in each the rows of one unit.
    let mut rows = (0..grid.columns())
        .flat_map(|column| (0..grid.rows_per_unit).map(move |within| column * per_column + within));
    let samples = grid.axis("samples");
    for batch in read_columns(&dataset.path(SUMMARY_FILE), &names)? {
        let batch = batch?;
        for at in 0..batch.num_rows() {
            let Some(row) = rows.next() else { break };
            let float = |name| value(floats(&batch, name), at);
            let count =
                batch.column_by_name(names[0]).and_then(|column| column.as_primitive_opt::<Int64Type>());
            let count = count.and_then(|column| u64::try_from(column.value(at)).ok()).unwrap_or(0);
            let squares = float(names[2]).unwrap_or(0.0) * (count as f64 - 1.0).max(0.0);
            let running = float(names[1]).map(|mean| Running::new(count, mean, squares)).unwrap_or_default();
            let line = &mut lines[line_of(grid, row)];
            let n = samples.map_or(f64::NAN, |axis| axis.values.as_float(axis.index(row)));
            let at_end = ends.map(|end| (end as f64).to_bits() == n.to_bits());
            if at_end[0] {
                line.smallest = running;
            }
            if at_end[1] {
                line.largest = running;
                line.thresholds.extend(float(names[3]));
            }
        }
    }
    Ok(())
}

impl SummaryLine {
    fn add_threshold(&mut self, threshold: f64, most: usize) {
        self.above.0 += 1;
        self.above.1 += u64::from(self.alignment * self.alignment > threshold);
        if self.thresholds.len() < most {
            self.thresholds.push(threshold);
        }
    }
}

/// Where the smallest and the largest n stand on a section's axis of samples, if they do.
struct Ends([Option<usize>; 2]);

impl Ends {
    fn new(section: &Section, samples: [i64; 2]) -> Self {
        let values = section.spec.grid.samples.values();
        Self(samples.map(|n| values.iter().position(|&value| value == n)))
    }

    /// Whether a row has the smallest, and the largest n.
    fn of(&self, section: &Section, row: u64) -> [bool; 2] {
        let index = section.plan.grid.axis("samples").map(|axis| axis.index(row));
        self.0.map(|end| end.is_some() && end == index)
    }

    /// Whether any row of a part has one of the two.
    fn touch(&self, section: &Section, part: u64) -> bool {
        let grid = &section.plan.grid;
        let Some(axis) = grid.axis("samples") else { return false };
        let column = grid.rows_per_column();
        if axis.stride < column {
            return self.0.iter().any(Option::is_some);
        }
        let rows = section.plan.part_rows(part);
        (rows.start / column..rows.end.div_ceil(column))
            .any(|at| self.of(section, at * column).contains(&true))
    }
}

/// Of each line of a section's grid, the place of the same line of the whole grid.
fn places(section: &Section, whole: &Grid) -> Vec<usize> {
    let map = IndexMap::new(&section.plan.grid, whole);
    lines(&section.plan.grid).map(|row| line_of(whole, map.row(row))).collect()
}

/// Position of a row's line: its number within the data setting's sample.
#[expect(clippy::cast_possible_truncation, reason = "below LINES")]
fn line_of(grid: &Grid, row: u64) -> usize {
    let setting = row / grid.rows_per_setting;
    (setting * grid.rows_per_sample + row % grid.rows_per_sample) as usize
}

/// A row of each line.
fn lines(grid: &Grid) -> impl Iterator<Item = u64> + '_ {
    let settings = grid.rows() / grid.rows_per_setting;
    (0..settings).flat_map(move |setting| {
        (0..grid.rows_per_sample).map(move |row| setting * grid.rows_per_setting + row)
    })
}

fn blank_lines(paradigms: &[&'static Paradigm], grid: &Grid) -> Vec<SummaryLine> {
    let line = |row| SummaryLine {
        axes: grid
            .axes
            .iter()
            .filter(|axis| axis.values.count() > 1 && axis.name != "samples" && axis.name != "alignment")
            .map(|axis| (axis.name, axis.values.as_float(axis.index(row))))
            .collect(),
        paradigm: paradigms[grid.paradigm(row)].name,
        alignment: grid.axis("alignment").map_or(f64::NAN, |axis| axis.values.as_float(axis.index(row))),
        smallest: Running::default(),
        largest: Running::default(),
        thresholds: Vec::new(),
        above: (0, 0),
    };
    lines(grid).map(line).collect()
}
