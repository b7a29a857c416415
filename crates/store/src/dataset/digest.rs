//! `summary/summary.parquet`: each combination of the axes and paradigm over its replicates, and
//! the folding of parts into it.
//!
//! Derived from the parts, in order, so its bytes are a function of the job. One pass: a column's
//! cells are in memory from its first part to its last. Columns: the axes, `paradigm`,
//! `replicates`, `failed`, the [`STATISTICS`] of each metric, [`ABOVE`], and the
//! [`DIFFERENCE_STATISTICS`] of each metric but thresholds between a line's paradigm and each one
//! before it in the job.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};

use super::blocks::block_rows;
use super::encode::{encode, is_sound};
use super::reader::{Footer, floats, value};
use super::section::Section;
use super::{CommitRecord, Dataset, Fault, arrays, files, read_columns, schema};
use crate::StoreError;
use crate::aggregate::{Aggregate, EXACT, Running};
use crate::columns::{self, ABOVE, BLOCK_STATISTICS, DIFFERENCE_STATISTICS, STATISTICS, Status, difference};
use crate::filter::Value;
use crate::grid::Grid;
use crate::index_map::IndexMap;
use crate::rows::metrics_of;
use crate::shard::Shard;
use crate::summary::{Difference, Line, Selection, Statistics, is_compared};
use eigensweep_job::Detail;
use eigensweep_theory::Paradigm;
use eigensweep_theory::metrics::{self, Metric, THRESHOLD_SQUARED};

/// Where the summary's footer says how quantiles lie between sketched neighbours, and what it says.
const QUANTILES_KEY: &str = "quantiles";
const QUANTILES: &str = "linear";

/// Where the summary is, in a data set.
pub const SUMMARY_FILE: &str = "summary/summary.parquet";

impl Dataset {
    /// Whether the summary's file is that of all rows of the job, with every column.
    #[must_use]
    pub fn has_summary(&self) -> bool {
        let path = self.path(SUMMARY_FILE);
        let Ok(footer) = Footer::read(&path) else { return false };
        let complete = self.is_complete() && footer.rows == Grid::new(self.spec()).rows_per_replicate;
        let known = footer.columns.iter().any(|name| name == ABOVE);
        // Of blocks there is nothing to know.
        let known = known || self.spec().output.detail == Detail::Summary;
        let of_these = footer.value("section_hash") == Some(&self.identity().hash);
        complete && known && of_these && footer.value("pages").is_none_or(|seal| is_sound(&path, seal))
    }

    /// Whether there is a summary that this program would write no other than. Earlier ones took
    /// the lower of two sketched neighbours for a quantile.
    #[must_use]
    pub fn has_latest_summary(&self) -> bool {
        let linear = || {
            Footer::read(&self.path(SUMMARY_FILE))
                .is_ok_and(|footer| footer.value(QUANTILES_KEY) == Some(QUANTILES))
        };
        self.has_summary() && (!self.has_sketches() || linear())
    }

    /// Whether quantiles may come of a sketch.
    fn has_sketches(&self) -> bool {
        self.spec().output.detail == Detail::Summary || self.spec().job.range().len() > EXACT
    }

    /// What is wrong with the bytes of the summary's file, if there is one: it is unreadable, or
    /// its pages are not those that its seal tells of. A run writes it anew.
    #[must_use]
    pub fn summary_fault(&self) -> Option<Fault> {
        let path = self.path(SUMMARY_FILE);
        if !path.exists() {
            return None;
        }
        let fault = match Footer::read(&path) {
            Err(_) => "is unreadable",
            // Files of earlier versions have none.
            Ok(footer) if footer.value("pages").is_none_or(|seal| is_sound(&path, seal)) => return None,
            Ok(_) => "does not match its checksum",
        };
        Some(Fault::of_file(SUMMARY_FILE, fault))
    }

    /// Writes the summary of the parts that are done; critical alignments, which are of all
    /// replicates, have none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Parquet`] or [`StoreError::Io`] if a part cannot be read or the file cannot be
    /// written.
    pub fn write_summary(&self) -> Result<(), StoreError> {
        if self.spec().boundary.is_some() {
            return Ok(());
        }
        let whole = Grid::new(self.spec());
        let metrics = metrics_of(self.spec());
        let paradigms = &self.spec().model.paradigms;
        let mut columns = Columns::new(self, &whole, Shard::WHOLE, self.sections().len(), &metrics, None);
        let schema = Arc::new(summary_schema(&whole, &metrics, paradigms));
        let fields = schema.fields().iter().filter(|field| field.is_nullable());
        let floats = fields.filter(|field| *field.data_type() == DataType::Float64);
        let marks: &[_] = if self.has_sketches() { &[(QUANTILES_KEY, QUANTILES)] } else { &[] };
        let numbers = floats.map(|field| field.name().as_str());
        let properties = schema::properties(self.identity(), marks, numbers);
        let names: Vec<&str> = paradigms.iter().map(|paradigm| paradigm.name).collect();
        let names: ArrayRef = Arc::new(StringArray::from(names));
        let mut failure = None;
        let batches = std::iter::from_fn(|| match columns.next() {
            Ok(column) => column.map(|(column, cells)| {
                let lines: Vec<Line> = lines(&whole, column, &cells).collect();
                line_arrays(&whole, &names, &metrics, &lines)
            }),
            Err(error) => {
                failure = Some(error);
                None
            }
        });
        let staging = self.path("staging");
        let encoded = encode(&staging, "summary", &schema, &properties, batches, BTreeMap::new(), true);
        if let Some(error) = failure {
            return Err(error);
        }
        files::replace(encoded?.staged, &self.path(SUMMARY_FILE))
    }

    /// Shows `take` the lines of the selected cells, in order of their rows, until it says no.
    ///
    /// Lines of a finished data set are read from the summary's file, unless the selection names
    /// what is of single rows; else the parts that are done are folded.
    pub(crate) fn visit_lines(
        &self,
        whole: &Grid,
        metrics: &[&'static Metric],
        selection: Option<Selection<'_>>,
        take: &mut dyn FnMut(Line) -> bool,
    ) -> Result<(), StoreError> {
        let by_cell = selection.is_none_or(|selection| selection.is_of_cells(whole));
        if by_cell && self.has_latest_summary() {
            return self.visit_summary(whole, metrics, selection, take);
        }
        let mut columns = Columns::new(self, whole, Shard::WHOLE, self.sections().len(), metrics, selection);
        while let Some((column, cells)) = columns.next()? {
            if !lines(whole, column, &cells).all(&mut *take) {
                break;
            }
        }
        Ok(())
    }

    fn visit_summary(
        &self,
        whole: &Grid,
        metrics: &[&'static Metric],
        selection: Option<Selection<'_>>,
        take: &mut dyn FnMut(Line) -> bool,
    ) -> Result<(), StoreError> {
        let paradigms = &self.spec().model.paradigms;
        let names: Vec<String> = statistics(metrics, paradigms).map(|(name, _)| name).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (per_column, per_unit) = (whole.rows_per_column(), whole.rows_per_unit);
        let mut rows = (0..whole.columns())
            .flat_map(move |column| (0..per_unit).map(move |within| column * per_column + within));
        for batch in read_columns(&self.path(SUMMARY_FILE), &names)? {
            let batch = batch?;
            let lines = Lines::new(&batch, metrics, paradigms);
            for (at, row) in rows.by_ref().take(batch.num_rows()).enumerate() {
                let coordinate = |name: &str| coordinate(whole, paradigms, row, name);
                if selection.is_none_or(|selection| selection.holds(&coordinate) == Some(true))
                    && !take(lines.line(whole, row, at))
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// An axis or the paradigm of a row, if the column is one.
fn coordinate(grid: &Grid, paradigms: &[&'static Paradigm], row: u64, name: &str) -> Option<Value<'static>> {
    match name {
        columns::PARADIGM => Some(Value::Text(paradigms[grid.paradigm(row)].name)),
        _ => grid.axis(name).map(|axis| Value::Number(axis.values.as_float(axis.index(row)))),
    }
}

/// A cell and paradigm over its replicates.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Replicates.
    pub replicates: u64,
    /// Those of them without a value.
    pub failed: u64,
    /// By metric that was asked for.
    pub metrics: Vec<Aggregate>,
    /// Replicates with α² above their threshold; `None` where that is not known.
    above: Option<u64>,
    /// By metric that is compared and earlier paradigm: this one minus that; empty of blocks.
    differences: Vec<Running>,
}

impl Cell {
    fn line(&self, row: u64) -> Line {
        let difference = |of: &Running| Difference {
            count: of.count(),
            mean: of.mean(),
            standard_error: of.standard_error(),
        };
        Line {
            row,
            replicates: self.replicates,
            failed: self.failed,
            metrics: self.metrics.iter().map(Statistics::of).collect(),
            above: self.above,
            differences: self.differences.iter().map(difference).collect(),
        }
    }
}

/// Lines of a column's cells that have a replicate: one of an interrupted run may have none yet.
fn lines<'c>(whole: &Grid, column: u64, cells: &'c [Cell]) -> impl Iterator<Item = Line> + 'c {
    let rows = column * whole.rows_per_column()..;
    rows.zip(cells).filter(|(_, cell)| cell.replicates > 0).map(|(row, cell)| cell.line(row))
}

/// A column of the whole grid while its parts are read.
#[derive(Default)]
struct Open {
    /// Parts that are still to come.
    parts: u64,
    /// By row within the unit.
    cells: Vec<Cell>,
}

/// The columns of the whole grid, as their last parts are read.
pub struct Columns<'d> {
    dataset: &'d Dataset,
    whole: &'d Grid,
    maps: Vec<IndexMap<'d>>,
    parts: Box<dyn Iterator<Item = (usize, &'d CommitRecord)> + 'd>,
    open: BTreeMap<u64, Open>,
    metrics: &'d [&'static Metric],
    selection: Option<Selection<'d>>,
}

impl<'d> Columns<'d> {
    /// Some metrics of the selected rows, of the parts of a shard that are done in the first
    /// `sections` sections.
    pub fn new(
        dataset: &'d Dataset,
        whole: &'d Grid,
        shard: Shard,
        sections: usize,
        metrics: &'d [&'static Metric],
        selection: Option<Selection<'d>>,
    ) -> Self {
        let sections = &dataset.sections()[..sections];
        let own = move |section: &'d Section| {
            let parts = shard.parts(&section.plan);
            section.records().filter(move |record| parts.contains(&record.part))
        };
        let maps: Vec<IndexMap<'d>> =
            sections.iter().map(|section| IndexMap::new(&section.plan.grid, whole)).collect();
        let mut open: BTreeMap<u64, Open> = BTreeMap::new();
        for (section, map) in sections.iter().zip(&maps) {
            for record in own(section) {
                for column in section.plan.part_columns(record.part) {
                    let there = whole.column(map.row(column * section.plan.grid.rows_per_column()));
                    open.entry(there).or_default().parts += 1;
                }
            }
        }
        let parts = sections
            .iter()
            .enumerate()
            .flat_map(move |(place, section)| own(section).map(move |record| (place, record)));
        Self { dataset, whole, maps, parts: Box::new(parts), open, metrics, selection }
    }

    /// The next finished column and its cells, by row within the unit; none if the column has no
    /// rows.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a part cannot be read.
    #[expect(clippy::should_implement_trait, reason = "it may fail")]
    pub fn next(&mut self) -> Result<Option<(u64, Vec<Cell>)>, StoreError> {
        loop {
            let finished = self.open.first_entry().filter(|entry| entry.get().parts == 0);
            if let Some(entry) = finished {
                let (column, Open { cells, .. }) = entry.remove_entry();
                return Ok(Some((column, cells)));
            }
            let Some((place, record)) = self.parts.next() else { return Ok(None) };
            self.read(place, record)?;
        }
    }

    /// Adds a part to the columns that it is of.
    fn read(&mut self, place: usize, record: &CommitRecord) -> Result<(), StoreError> {
        let section = &self.dataset.sections()[place];
        let path = self.dataset.part_file(record);
        // A part without rows has no file.
        if !record.file.is_empty() && self.may_hold(section, record) {
            match section.spec.output.detail {
                Detail::Rows => self.read_rows(place, record, &path)?,
                Detail::Summary => self.read_blocks(place, record, &path)?,
            }
        }
        for column in section.plan.part_columns(record.part) {
            let row = self.maps[place].row(column * section.plan.grid.rows_per_column());
            if let Some(open) = self.open.get_mut(&self.whole.column(row)) {
                open.parts -= 1;
            }
        }
        Ok(())
    }

    /// Whether any row of a part may be selected, as far as cells decide it.
    fn may_hold(&self, section: &Section, record: &CommitRecord) -> bool {
        let (grid, paradigms) = (&section.plan.grid, &section.spec.model.paradigms);
        self.selection.is_none_or(|selection| {
            section_blocks(section, record).any(|row| {
                let known = |name: &str| coordinate(grid, paradigms, row, name).or(Some(Value::Unknown));
                selection.holds(&known) != Some(false)
            })
        })
    }

    /// Adds the selected rows of a part. In its file all replicates of a cell follow each other,
    /// and the paradigms of a combination.
    fn read_rows(&mut self, place: usize, record: &CommitRecord, path: &Path) -> Result<(), StoreError> {
        let section = &self.dataset.sections()[place];
        let (grid, paradigms) = (&section.plan.grid, &section.spec.model.paradigms);
        let selection = self.selection;
        let named = selection.map_or_else(Vec::new, |selection| selection.filter.columns());
        let named = named.into_iter().filter(|name| metrics::named(name).is_some());
        let metrics = self.metrics;
        let own = metrics.iter().map(|metric| metric.name);
        let names: Vec<&str> = own.chain(named).chain([columns::STATUS]).collect();
        let compared: Vec<usize> = (0..metrics.len()).filter(|&at| is_compared(metrics[at])).collect();
        let threshold = metrics.iter().position(|metric| *metric == &THRESHOLD_SQUARED);
        let alignment = grid.axis("alignment");
        let mut rows = section.written(record);
        let mut values = vec![f64::NAN; metrics.len()];
        // By paradigm of the combination at hand, replicate by replicate: the values that are
        // compared.
        let mut earlier: Vec<Vec<f64>> = vec![Vec::new(); paradigms.len()];
        let mut current = None;
        for batch in read_columns(path, &names)? {
            let batch = batch?;
            let columns: Vec<_> = metrics.iter().map(|metric| floats(&batch, metric.name)).collect();
            let status =
                batch.column_by_name(columns::STATUS).and_then(|column| column.as_string_opt::<i32>());
            for at in 0..batch.num_rows() {
                let Some(row) = rows.next() else { break };
                let paradigm = grid.paradigm(row);
                let cell = (grid.column(row), row % grid.rows_per_unit);
                if current != Some(cell) {
                    current = Some(cell);
                    earlier[paradigm..].iter_mut().for_each(Vec::clear);
                }
                for (value_of, column) in values.iter_mut().zip(&columns) {
                    *value_of = value(*column, at).unwrap_or(f64::NAN);
                }
                let status = status.map_or(Status::Ok.name(), |status| status.value(at));
                let known = |name: &str| match name {
                    columns::REPLICATE => Some(Value::Number(grid.replicate(row) as f64)),
                    columns::STATUS => Some(Value::Text(status)),
                    _ => coordinate(grid, paradigms, row, name)
                        .or_else(|| value(floats(&batch, name), at).map(Value::Number)),
                };
                if selection.is_some_and(|selection| selection.holds(&known) != Some(true)) {
                    earlier[paradigm].extend(compared.iter().map(|_| f64::NAN));
                    continue;
                }
                let place_there = self.maps[place].row(row);
                let alpha = alignment.map(|axis| axis.values.as_float(axis.index(row)));
                let first = earlier[paradigm].len();
                let cell = self.cell(place_there);
                cell.replicates += 1;
                cell.failed += u64::from(status != Status::Ok.name());
                for (aggregate, &value) in cell.metrics.iter_mut().zip(&values) {
                    if !value.is_nan() {
                        aggregate.add(value);
                    }
                }
                if let (Some(threshold), Some(alpha)) = (threshold.map(|at| values[at]), alpha)
                    && !threshold.is_nan()
                {
                    *cell.above.get_or_insert(0) += u64::from(alpha * alpha > threshold);
                }
                cell.differences.resize(compared.len() * paradigm, Running::default());
                for (number, &metric) in compared.iter().enumerate() {
                    for (before, other) in earlier[..paradigm].iter().enumerate() {
                        let apart = values[metric] - other.get(first + number).unwrap_or(&f64::NAN);
                        if !apart.is_nan() {
                            cell.differences[number * paradigm + before].add(apart);
                        }
                    }
                }
                earlier[paradigm].extend(compared.iter().map(|&metric| values[metric]));
            }
        }
        Ok(())
    }

    /// Joins the blocks of a part.
    fn read_blocks(&mut self, place: usize, record: &CommitRecord, path: &Path) -> Result<(), StoreError> {
        let section = &self.dataset.sections()[place];
        let metrics = self.metrics;
        let counts = [columns::REPLICATES, columns::FAILED].map(str::to_owned);
        let of = |metric: &&Metric| BLOCK_STATISTICS.map(|statistic| format!("{}_{statistic}", metric.name));
        let names: Vec<String> = counts.into_iter().chain(metrics.iter().flat_map(of)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut rows = section_blocks(section, record);
        for batch in read_columns(path, &names)? {
            let batch = batch?;
            for at in 0..batch.num_rows() {
                let Some(row) = rows.next() else { break };
                let known =
                    |name: &str| coordinate(&section.plan.grid, &section.spec.model.paradigms, row, name);
                if self.selection.is_some_and(|selection| selection.holds(&known) != Some(true)) {
                    continue;
                }
                let damaged = || StoreError::Block { path: path.to_path_buf() };
                let block = read_block(&batch, metrics, at).ok_or_else(damaged)?;
                let row = self.maps[place].row(row);
                let cell = self.cell(row);
                cell.replicates += block.replicates;
                cell.failed += block.failed;
                for (own, others) in cell.metrics.iter_mut().zip(&block.metrics) {
                    own.join(others);
                }
            }
        }
        Ok(())
    }

    /// The cell of a row of the whole grid.
    #[expect(clippy::cast_possible_truncation, reason = "a column's cells are in memory")]
    fn cell(&mut self, row: u64) -> &mut Cell {
        let open = self.open.entry(self.whole.column(row)).or_default();
        if open.cells.is_empty() {
            open.cells.resize_with(self.whole.rows_per_unit as usize, Cell::default);
        }
        let cell = &mut open.cells[(row % self.whole.rows_per_unit) as usize];
        cell.metrics.resize_with(self.metrics.len(), Aggregate::exact);
        cell
    }
}

/// The first row of each block of a part, in the order of its file.
fn section_blocks<'s>(section: &'s Section, record: &'s CommitRecord) -> impl Iterator<Item = u64> + 's {
    let active = record.active(&section.plan);
    let grid = &section.plan.grid;
    block_rows(&section.plan, record.part)
        .filter(move |&row| active.as_ref().is_none_or(|active| active.row(grid, row)))
}

/// A block of a batch; `None` if it is none.
fn read_block(batch: &RecordBatch, metrics: &[&'static Metric], at: usize) -> Option<Cell> {
    let count = |name: &str| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        u64::try_from(column.value(at)).ok()
    };
    let aggregate = |metric: &&'static Metric| {
        let name = |statistic: &str| format!("{}_{statistic}", metric.name);
        let count = batch.column_by_name(&name("count"))?.as_primitive_opt::<Int64Type>()?.value(at);
        let float = |statistic| value(floats(batch, &name(statistic)), at);
        let quantiles: &BinaryArray = batch.column_by_name(&name("sketch"))?.as_binary_opt::<i32>()?;
        let quantiles = quantiles.is_valid(at).then(|| quantiles.value(at));
        let running = Running::new(
            u64::try_from(count).ok()?,
            float("mean").unwrap_or(0.0),
            float("squares").unwrap_or(0.0),
        );
        let extremes = float("min").zip(float("max")).map(|(least, most)| [least, most]);
        Aggregate::new(running, extremes, quantiles).ok()
    };
    Some(Cell {
        replicates: count(columns::REPLICATES)?,
        failed: count(columns::FAILED)?,
        metrics: metrics.iter().map(aggregate).collect::<Option<_>>()?,
        ..Cell::default()
    })
}

/// The summary's columns behind the paradigm, each with whether it is null where there is nothing
/// to say.
fn statistics(
    metrics: &[&'static Metric],
    paradigms: &[&'static Paradigm],
) -> impl Iterator<Item = (String, bool)> {
    let mut all: Vec<(String, bool)> =
        [columns::REPLICATES, columns::FAILED].map(|name| (name.to_owned(), false)).into();
    for metric in metrics {
        all.extend(
            STATISTICS.map(|statistic| (format!("{}_{statistic}", metric.name), statistic != "count")),
        );
    }
    all.push((ABOVE.to_owned(), true));
    let earlier = &paradigms[..paradigms.len().saturating_sub(1)];
    for metric in metrics.iter().filter(|metric| is_compared(metric)) {
        for paradigm in earlier {
            let name = |statistic| (difference(metric.name, paradigm.name, statistic), true);
            all.extend(DIFFERENCE_STATISTICS.map(name));
        }
    }
    all.into_iter()
}

fn summary_schema(grid: &Grid, metrics: &[&'static Metric], paradigms: &[&'static Paradigm]) -> Schema {
    let mut fields: Vec<Field> = schema::axes(grid).collect();
    fields.push(Field::new(columns::PARADIGM, schema::text(), false));
    fields.extend(statistics(metrics, paradigms).map(|(name, nullable)| {
        let whole = !nullable || name == ABOVE || name.ends_with("_count");
        Field::new(name, if whole { DataType::Int64 } else { DataType::Float64 }, nullable)
    }));
    Schema::new(fields)
}

/// Lines as arrays, in the order of [`summary_schema`].
fn line_arrays(
    grid: &Grid,
    paradigms: &ArrayRef,
    metrics: &[&'static Metric],
    lines: &[Line],
) -> Vec<ArrayRef> {
    let rows: Vec<u64> = lines.iter().map(|line| line.row).collect();
    let mut columns: Vec<ArrayRef> = arrays::combinations(grid, &rows, paradigms).collect();
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let counts = |count: &dyn Fn(&Line) -> u64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| whole(count(line)))))
    };
    let floats = |number: &dyn Fn(&Line) -> Option<f64>| -> ArrayRef {
        Arc::new(lines.iter().map(number).collect::<Float64Array>())
    };
    columns.push(counts(&|line| line.replicates));
    columns.push(counts(&|line| line.failed));
    for metric in 0..metrics.len() {
        columns.push(counts(&|line| line.metrics[metric].count));
        columns
            .extend((0..STATISTICS.len() - 1).map(|at| floats(&|line| line.metrics[metric].numbers()[at])));
    }
    columns.push(Arc::new(lines.iter().map(|line| line.above.map(whole)).collect::<Int64Array>()));
    let compared = metrics.iter().filter(|metric| is_compared(metric)).count();
    let last = usize::try_from(grid.paradigms).unwrap_or(1).saturating_sub(1);
    for metric in 0..compared {
        for earlier in 0..last {
            let of = |line: &Line| {
                let paradigm = grid.paradigm(line.row);
                let at = (earlier < paradigm).then_some(metric * paradigm + earlier);
                at.and_then(|at| line.differences.get(at).copied())
            };
            let count = lines.iter().map(|line| of(line).map(|difference| whole(difference.count)));
            columns.push(Arc::new(count.collect::<Int64Array>()));
            columns.push(floats(&|line| of(line)?.mean));
            columns.push(floats(&|line| of(line)?.standard_error));
        }
    }
    columns
}

/// A column of numbers, if it is there.
type Numbers<'b> = Option<&'b Float64Array>;

/// Counts, and numbers of what is counted.
type Counted<'b, N> = (Option<&'b Int64Array>, N);

/// A batch of the summary's file.
struct Lines<'b> {
    replicates: Option<&'b Int64Array>,
    failed: Option<&'b Int64Array>,
    /// By metric: counts, and the other [`STATISTICS`].
    metrics: Vec<Counted<'b, Vec<Numbers<'b>>>>,
    above: Option<&'b Int64Array>,
    /// By metric that is compared and earlier paradigm: counts, means, standard errors.
    differences: Vec<Vec<Counted<'b, [Numbers<'b>; 2]>>>,
}

impl<'b> Lines<'b> {
    fn new(batch: &'b RecordBatch, metrics: &[&'static Metric], paradigms: &[&'static Paradigm]) -> Self {
        let counts = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
        let of = |metric: &&'static Metric| {
            let name = |statistic: &str| format!("{}_{statistic}", metric.name);
            let numbers = STATISTICS[1..].iter().map(|statistic| floats(batch, &name(statistic)));
            (counts(&name(STATISTICS[0])), numbers.collect())
        };
        let compared = metrics.iter().filter(|metric| is_compared(metric));
        let differences = compared.map(|metric| {
            let earlier = paradigms[..paradigms.len().saturating_sub(1)].iter();
            let of = earlier.map(|earlier| {
                let [count, mean, error] =
                    DIFFERENCE_STATISTICS.map(|statistic| difference(metric.name, earlier.name, statistic));
                (counts(&count), [floats(batch, &mean), floats(batch, &error)])
            });
            of.collect()
        });
        Self {
            replicates: counts(columns::REPLICATES),
            failed: counts(columns::FAILED),
            metrics: metrics.iter().map(of).collect(),
            above: counts(ABOVE),
            differences: differences.collect(),
        }
    }

    fn line(&self, grid: &Grid, row: u64, at: usize) -> Line {
        let count = |column: Option<&Int64Array>| {
            let column = column.filter(|column| column.is_valid(at))?;
            u64::try_from(column.value(at)).ok()
        };
        let statistics = |(counts, numbers): &Counted<'_, Vec<Numbers<'_>>>| {
            let mut numbers = numbers.iter().map(|column| value(*column, at));
            Statistics::new(count(*counts).unwrap_or(0), std::array::from_fn(|_| numbers.next().flatten()))
        };
        let differences = self.differences.iter().flat_map(|earlier| {
            earlier.iter().take(grid.paradigm(row)).map(|(counts, [mean, error])| {
                let count = count(*counts)?;
                let (mean, standard_error) = (value(*mean, at), value(*error, at));
                Some(Difference { count, mean, standard_error })
            })
        });
        Line {
            row,
            replicates: count(self.replicates).unwrap_or(0),
            failed: count(self.failed).unwrap_or(0),
            metrics: self.metrics.iter().map(statistics).collect(),
            above: count(self.above),
            // All or none: of blocks there are none.
            differences: differences.collect::<Option<_>>().unwrap_or_default(),
        }
    }
}
