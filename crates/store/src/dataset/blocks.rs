//! Blocks: the parts of `detail = "summary"`. A block is a cell and paradigm over the replicates of
//! a part; the summary joins them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Float64Array, Int32Array, Int64Array, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::file::properties::WriterProperties;

use super::encode::{Encoded, encode};
use super::part::count_failures;
use super::section::Section;
use super::{arrays, schema};
use crate::StoreError;
use crate::active::Active;
use crate::aggregate::{Aggregate, EXACT};
use crate::columns::{self, BLOCK_STATISTICS, Status};
use crate::grid::Grid;
use crate::plan::Plan;
use crate::rows::{Rows, metrics_of};
use eigensweep_theory::Metric;

/// Rows that are encoded at a time: what quantiles are taken of is large.
const BATCH_BLOCKS: usize = 4096;

/// A cell and paradigm over some replicates.
#[derive(Clone, Debug)]
struct Block {
    /// Replicates.
    replicates: u64,
    /// Those of them without a value.
    failed: u64,
    /// By metric.
    metrics: Vec<Aggregate>,
}

impl Block {
    /// Nothing yet of so many metrics.
    fn new(metrics: usize, nothing: fn() -> Aggregate) -> Self {
        Self { replicates: 0, failed: 0, metrics: (0..metrics).map(|_| nothing()).collect() }
    }

    /// Adds a row: its metrics, NaN where there is none, and whether it has its values.
    fn add(&mut self, metrics: impl Iterator<Item = f64>, ok: bool) {
        self.replicates += 1;
        self.failed += u64::from(!ok);
        for (aggregate, value) in self.metrics.iter_mut().zip(metrics) {
            if !value.is_nan() {
                aggregate.add(value);
            }
        }
    }
}

/// Collects the blocks of one part and encodes them.
#[derive(Debug)]
pub(super) struct BlockWriter {
    schema: SchemaRef,
    properties: WriterProperties,
    paradigm_names: ArrayRef,
    metrics: Vec<&'static Metric>,
    /// A block's metrics before its first row. Values are kept only where all replicates of the
    /// section are few: otherwise many parts of few replicates would keep them all.
    nothing: fn() -> Aggregate,
    /// Number of the next row, and of the part's first.
    next: u64,
    first: u64,
    /// Column by column, cell by cell.
    blocks: Vec<Block>,
    failed: BTreeMap<String, u64>,
}

impl BlockWriter {
    /// A writer for the parts of a section.
    pub(super) fn new(section: &Section) -> Self {
        let names = section.spec.model.paradigms.iter().map(|paradigm| paradigm.name);
        let metrics = metrics_of(&section.spec);
        let numbers = numbers(&metrics);
        Self {
            schema: Arc::new(block_schema(&section.plan.grid, &metrics)),
            properties: schema::properties(&section.identity, &[], numbers.iter().map(String::as_str)),
            paradigm_names: Arc::new(StringArray::from_iter_values(names)),
            metrics,
            nothing: if section.spec.job.range().len() <= EXACT {
                Aggregate::exact
            } else {
                Aggregate::sketched
            },
            next: 0,
            first: 0,
            blocks: Vec::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Begins a part whose first row has this number.
    pub(super) fn begin(&mut self, first: u64) {
        (self.first, self.next) = (first, first);
        self.blocks.clear();
        self.failed.clear();
    }

    /// Adds the next rows; those of combinations that are not active are passed over.
    pub(super) fn add(&mut self, grid: &Grid, rows: &Rows, active: Option<&Active>) {
        count_failures(rows.status(), &mut self.failed);
        for at in 0..rows.len() {
            let place = place(grid, self.first, self.next);
            if self.blocks.len() <= place {
                self.blocks.resize_with(place + 1, || Block::new(self.metrics.len(), self.nothing));
            }
            if active.is_none_or(|active| active.row(grid, self.next)) {
                let values = (0..self.metrics.len()).map(|column| rows.values(column)[at]);
                self.blocks[place].add(values, rows.status()[at] == Status::Ok);
            }
            self.next += 1;
        }
    }

    /// Encodes part `part` of `plan`, all of whose rows have been added, into a file in `staging`.
    pub(super) fn encode(&self, plan: &Plan, part: u64, staging: &Path) -> Result<Encoded, StoreError> {
        let drawn = block_rows(plan, part).zip(&self.blocks).filter(|(_, block)| block.replicates > 0);
        let (rows, blocks): (Vec<u64>, Vec<&Block>) = drawn.unzip();
        let batches = rows
            .chunks(BATCH_BLOCKS)
            .zip(blocks.chunks(BATCH_BLOCKS))
            .map(|(rows, blocks)| self.arrays(&plan.grid, rows, blocks));
        encode(
            staging,
            &format!("part-{part:06}"),
            &self.schema,
            &self.properties,
            batches,
            self.failed.clone(),
            false,
        )
    }

    fn arrays(&self, grid: &Grid, rows: &[u64], blocks: &[&Block]) -> Vec<ArrayRef> {
        let mut columns = vec![arrays::replicates(grid, rows)];
        columns.extend(arrays::combinations(grid, rows, &self.paradigm_names));
        let counts = |count: fn(&Block) -> u64| -> ArrayRef {
            Arc::new(Int32Array::from_iter_values(blocks.iter().map(|block| arrays::narrow(count(block)))))
        };
        columns.push(counts(|block| block.replicates));
        columns.push(counts(|block| block.failed));
        for metric in 0..self.metrics.len() {
            let of = || blocks.iter().map(|block| &block.metrics[metric]);
            let numbers = |number: fn(&Aggregate) -> Option<f64>| -> ArrayRef {
                Arc::new(of().map(number).collect::<Float64Array>())
            };
            let count =
                |aggregate: &Aggregate| i64::try_from(aggregate.running().count()).unwrap_or(i64::MAX);
            columns.push(Arc::new(Int64Array::from_iter_values(of().map(count))));
            columns.push(numbers(|aggregate| aggregate.running().mean()));
            columns
                .push(numbers(|aggregate| aggregate.running().mean().map(|_| aggregate.running().squares())));
            columns.push(numbers(|aggregate| aggregate.extremes().map(|[least, _]| least)));
            columns.push(numbers(|aggregate| aggregate.extremes().map(|[_, most]| most)));
            columns.push(Arc::new(of().map(Aggregate::quantile_bytes).collect::<BinaryArray>()));
        }
        columns
    }
}

/// Place of a row's block in a part that begins with row `first`: by column, then by cell.
#[expect(clippy::cast_possible_truncation, reason = "a part's blocks are in memory")]
fn place(grid: &Grid, first: u64, row: u64) -> usize {
    ((grid.column(row) - grid.column(first)) * grid.rows_per_unit + row % grid.rows_per_unit) as usize
}

/// The first row of each block of a part, in the order of the file.
pub(super) fn block_rows(plan: &Plan, part: u64) -> impl Iterator<Item = u64> + '_ {
    let (grid, units) = (&plan.grid, plan.part_units(part));
    plan.part_columns(part).flat_map(move |column| {
        let unit = units.start.max(column * grid.replicates);
        (0..grid.rows_per_unit).map(move |within| unit * grid.rows_per_unit + within)
    })
}

fn block_schema(grid: &Grid, metrics: &[&Metric]) -> Schema {
    let mut fields = vec![Field::new(columns::REPLICATE, DataType::Int32, false)];
    fields.extend(schema::axes(grid));
    fields.push(Field::new(columns::PARADIGM, schema::text(), false));
    fields.push(Field::new(columns::REPLICATES, DataType::Int32, false));
    fields.push(Field::new(columns::FAILED, DataType::Int32, false));
    for metric in metrics {
        fields.extend(BLOCK_STATISTICS.map(|statistic| {
            let name = format!("{}_{statistic}", metric.name);
            match statistic {
                "count" => Field::new(name, DataType::Int64, false),
                "sketch" => Field::new(name, DataType::Binary, true),
                _ => Field::new(name, DataType::Float64, true),
            }
        }));
    }
    Schema::new(fields)
}

/// Names of the columns of random numbers.
fn numbers(metrics: &[&Metric]) -> Vec<String> {
    let statistics = ["mean", "squares", "min", "max"];
    metrics
        .iter()
        .flat_map(|metric| statistics.map(|statistic| format!("{}_{statistic}", metric.name)))
        .collect()
}
