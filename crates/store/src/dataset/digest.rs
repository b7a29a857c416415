//! `summary/summary.parquet`: each combination of the axes and paradigm over its replicates: how many values each metric has, their
//! mean, variance, standard error, extremes and quantiles.
//!
//! Derived from the parts, in order, so its bytes are a function of the job. One pass: a column's blocks are in memory from its
//! first part to its last.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};

use super::blocks::{Block, block_rows};
use super::encode::encode;
use super::reader::{floats, value};
use super::section::Section;
use super::{CommitRecord, Dataset, arrays, files, read_columns, schema};
use crate::StoreError;
use crate::aggregate::{Aggregate, Running};
use crate::columns::{self, BLOCK_STATISTICS, STATISTICS, Status};
use crate::grid::Grid;
use crate::index_map::IndexMap;
use crate::rows::metrics_of;
use crate::shard::Shard;
use eigensweep_job::Detail;
use eigensweep_theory::Metric;

/// Where the summary is, in a data set.
pub const SUMMARY_FILE: &str = "summary/summary.parquet";

/// Quantiles, in the order of [`STATISTICS`].
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// A column of the whole grid while its parts are read.
struct Open {
    /// Parts that are still to come.
    parts: u64,
    /// By row within the unit.
    blocks: Vec<Block>,
}

impl Dataset {
    /// Writes the summary of the parts that are done.
    ///
    /// # Errors
    ///
    /// [`StoreError::Parquet`] or [`StoreError::Io`] if a part cannot be read or the file cannot be written.
    pub fn write_summary(&self) -> Result<(), StoreError> {
        let whole = Grid::new(self.spec());
        let mut columns = Columns::new(self, &whole, Shard::WHOLE, self.sections().len());
        let schema = Arc::new(summary_schema(&whole, &columns.metrics));
        let numbers: Vec<String> =
            metric_statistics(&columns.metrics).filter(|name| !name.ends_with("_count")).collect();
        let properties = schema::properties(self.identity(), numbers.iter().map(String::as_str));
        let mut failure = None;
        let batches = std::iter::from_fn(|| match columns.next_batch() {
            Ok(batch) => batch,
            Err(error) => {
                failure = Some(error);
                None
            }
        });
        let staging = self.path("staging");
        let encoded = encode(&staging, "summary", &schema, &properties, batches, BTreeMap::new());
        if let Some(error) = failure {
            return Err(error);
        }
        files::replace(encoded?.staged, &self.path(SUMMARY_FILE))
    }
}

/// The columns of the whole grid, as their last parts are read.
pub struct Columns<'d> {
    dataset: &'d Dataset,
    whole: &'d Grid,
    maps: Vec<IndexMap<'d>>,
    parts: Box<dyn Iterator<Item = (usize, &'d CommitRecord)> + 'd>,
    open: BTreeMap<u64, Open>,
    paradigm_names: ArrayRef,
    metrics: Vec<&'static Metric>,
}

impl<'d> Columns<'d> {
    /// Of the parts of a shard that are done, in the first `sections` sections.
    pub fn new(dataset: &'d Dataset, whole: &'d Grid, shard: Shard, sections: usize) -> Self {
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
                    open.entry(there).or_insert(Open { parts: 0, blocks: Vec::new() }).parts += 1;
                }
            }
        }
        let parts = sections
            .iter()
            .enumerate()
            .flat_map(move |(place, section)| own(section).map(move |record| (place, record)));
        let names: Vec<&str> = dataset.spec().model.paradigms.iter().map(|paradigm| paradigm.name).collect();
        let paradigm_names = Arc::new(StringArray::from(names));
        Self {
            dataset,
            whole,
            maps,
            parts: Box::new(parts),
            open,
            paradigm_names,
            metrics: metrics_of(dataset.spec()),
        }
    }

    /// The lines of the next finished column.
    fn next_batch(&mut self) -> Result<Option<Vec<ArrayRef>>, StoreError> {
        Ok(self.next()?.map(|(column, blocks)| self.arrays(column, &blocks)))
    }

    /// The next finished column and its blocks, by row within the unit; none if the column has no rows.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if a part cannot be read.
    #[expect(clippy::should_implement_trait, reason = "it may fail")]
    pub fn next(&mut self) -> Result<Option<(u64, Vec<Block>)>, StoreError> {
        loop {
            let finished = self.open.first_entry().filter(|entry| entry.get().parts == 0);
            if let Some(entry) = finished {
                let (column, Open { blocks, .. }) = entry.remove_entry();
                return Ok(Some((column, blocks)));
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
        match section.spec.output.detail {
            _ if record.file.is_empty() => {}
            Detail::Rows => {
                let names: Vec<&str> =
                    self.metrics.iter().map(|metric| metric.name).chain([columns::STATUS]).collect();
                let mut rows = section.written(record);
                for batch in read_columns(&path, &names)? {
                    let batch = batch?;
                    let metrics: Vec<_> =
                        self.metrics.iter().map(|metric| floats(&batch, metric.name)).collect();
                    let ok = statuses(&batch);
                    for at in 0..batch.num_rows() {
                        let Some(row) = rows.next() else { break };
                        let values = metrics.iter().map(|column| value(*column, at).unwrap_or(f64::NAN));
                        let block = self.block(place, row);
                        block.add(values, ok.as_ref().is_none_or(|ok| ok(at)));
                    }
                }
            }
            Detail::Summary => {
                let names: Vec<String> = block_columns(&self.metrics).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let mut rows = section_blocks(section, record);
                for batch in read_columns(&path, &names)? {
                    let batch = batch?;
                    for at in 0..batch.num_rows() {
                        let Some(row) = rows.next() else { break };
                        let damaged = || StoreError::Block { path: path.clone() };
                        let block = read_block(&batch, at, &self.metrics).ok_or_else(damaged)?;
                        self.block(place, row).join(&block);
                    }
                }
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

    /// The block that a section's row belongs to.
    #[expect(clippy::cast_possible_truncation, reason = "a column's blocks are in memory")]
    fn block(&mut self, place: usize, row: u64) -> &mut Block {
        let row = self.maps[place].row(row);
        let (per_unit, metrics) = (self.whole.rows_per_unit as usize, self.metrics.len());
        let open =
            self.open.entry(self.whole.column(row)).or_insert_with(|| Open { parts: 0, blocks: Vec::new() });
        if open.blocks.is_empty() {
            open.blocks.resize_with(per_unit, || Block::new(metrics));
        }
        &mut open.blocks[(row % self.whole.rows_per_unit) as usize]
    }

    fn arrays(&self, column: u64, blocks: &[Block]) -> Vec<ArrayRef> {
        let grid = self.whole;
        let first = column * grid.rows_per_column();
        // A cell of an interrupted run may have no replicate yet.
        let (rows, blocks): (Vec<u64>, Vec<&Block>) =
            (first..).zip(blocks).filter(|(_, block)| block.replicates > 0).unzip();
        let mut columns: Vec<ArrayRef> = arrays::combinations(grid, &rows, &self.paradigm_names).collect();
        columns.push(counts(blocks.iter().map(|block| block.replicates)));
        columns.push(counts(blocks.iter().map(|block| block.failed)));
        for metric in 0..self.metrics.len() {
            let of = || blocks.iter().map(|block| &block.metrics[metric]);
            let numbers = |number: &dyn Fn(&Aggregate) -> Option<f64>| -> ArrayRef {
                Arc::new(of().map(number).collect::<Float64Array>())
            };
            columns.push(counts(of().map(|aggregate| aggregate.running().count())));
            columns.push(numbers(&|aggregate| aggregate.running().mean()));
            columns.push(numbers(&|aggregate| aggregate.running().variance()));
            columns.push(numbers(&|aggregate| aggregate.running().standard_error()));
            columns.push(numbers(&|aggregate| aggregate.extremes().map(|[least, _]| least)));
            columns.extend(QUANTILES.map(|at| numbers(&|aggregate| aggregate.quantile(at))));
            columns.push(numbers(&|aggregate| aggregate.extremes().map(|[_, most]| most)));
        }
        columns
    }
}

fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.map(|count| i64::try_from(count).unwrap_or(i64::MAX))))
}

/// The first row of each block of a part, in the order of its file.
fn section_blocks<'s>(section: &'s Section, record: &'s CommitRecord) -> impl Iterator<Item = u64> + 's {
    let active = record.active(&section.plan);
    let grid = &section.plan.grid;
    block_rows(&section.plan, record.part)
        .filter(move |&row| active.as_ref().is_none_or(|active| active.row(grid, row)))
}

/// Names of the summary's columns of metrics.
fn metric_statistics(metrics: &[&'static Metric]) -> impl Iterator<Item = String> {
    metrics.iter().flat_map(|metric| STATISTICS.map(|statistic| format!("{}_{statistic}", metric.name)))
}

/// Names of a block's columns that are read.
fn block_columns(metrics: &[&'static Metric]) -> impl Iterator<Item = String> {
    let counts = [columns::REPLICATES, columns::FAILED].map(str::to_owned);
    let metrics = metrics
        .iter()
        .flat_map(|metric| BLOCK_STATISTICS.map(|statistic| format!("{}_{statistic}", metric.name)));
    counts.into_iter().chain(metrics)
}

fn summary_schema(grid: &Grid, metrics: &[&'static Metric]) -> Schema {
    let mut fields: Vec<Field> = schema::axes(grid).collect();
    fields.push(Field::new(columns::PARADIGM, schema::text(), false));
    fields.push(Field::new(columns::REPLICATES, DataType::Int64, false));
    fields.push(Field::new(columns::FAILED, DataType::Int64, false));
    fields.extend(metric_statistics(metrics).map(|name| {
        let count = name.ends_with("_count");
        Field::new(name, if count { DataType::Int64 } else { DataType::Float64 }, !count)
    }));
    Schema::new(fields)
}

/// Whether the rows of a batch have their values, by position.
fn statuses(batch: &RecordBatch) -> Option<impl Fn(usize) -> bool + '_> {
    let column = batch.column_by_name(columns::STATUS)?.as_string_opt::<i32>()?;
    Some(move |at| column.value(at) == Status::Ok.name())
}

/// A block of a batch; `None` if it is none.
fn read_block(batch: &RecordBatch, at: usize, metrics: &[&Metric]) -> Option<Block> {
    let count = |name: &str| {
        let column = batch.column_by_name(name)?.as_primitive_opt::<Int32Type>()?;
        u64::try_from(column.value(at)).ok()
    };
    let mut block = Block {
        replicates: count(columns::REPLICATES)?,
        failed: count(columns::FAILED)?,
        ..Block::new(metrics.len())
    };
    for (metric, aggregate) in metrics.iter().zip(&mut block.metrics) {
        let name = |statistic: &str| format!("{}_{statistic}", metric.name);
        let count = batch.column_by_name(&name("count"))?.as_primitive_opt::<Int64Type>()?.value(at);
        let float = |statistic| value(floats(batch, &name(statistic)), at);
        let sketches: &BinaryArray = batch.column_by_name(&name("sketch"))?.as_binary_opt::<i32>()?;
        let sketch = sketches.is_valid(at).then(|| sketches.value(at));
        let running = Running::new(
            u64::try_from(count).ok()?,
            float("mean").unwrap_or(0.0),
            float("squares").unwrap_or(0.0),
        );
        let extremes = float("min").zip(float("max")).map(|(least, most)| [least, most]);
        *aggregate = Aggregate::new(running, extremes, sketch).ok()?;
    }
    Some(block)
}
