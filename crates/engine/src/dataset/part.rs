//! A part as a Parquet file: schema, encodings, and reading back.
//!
//! One part is one row group of at most [`PART_ROWS`](crate::plan::PART_ROWS) rows. zstd level 3; axes and strings
//! dictionary-encoded (sorted, they cost next to nothing); metrics byte-stream-split without dictionary (25 bytes for four
//! random doubles instead of 30); statistics on every column. Key-values hold what identifies the job and nothing
//! that differs between runs, so a part's bytes are a function of the job.

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int32Builder, Int64Builder};
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnPath;

use super::Identity;
use crate::EngineError;
use crate::columns::{self, Status};
use crate::grid::{Grid, Values};
use crate::plan::PART_ROWS;
use crate::simulation::{Batch, Simulation};
use eigensweep_sampling::streams::SCHEME;

/// Collects the batches of one part and encodes them.
#[derive(Debug)]
pub struct PartWriter {
    schema: SchemaRef,
    properties: WriterProperties,
    paradigm_names: ArrayRef,
    status_names: ArrayRef,
    distance: bool,
    first_row: u64,
    collected: Batch,
}

impl PartWriter {
    /// A writer for the parts of one job.
    #[must_use]
    pub fn new(simulation: &Simulation, identity: &Identity) -> Self {
        let names: Vec<&str> = simulation.paradigms().map(|paradigm| paradigm.name()).collect();
        Self {
            schema: Arc::new(schema(&simulation.plan().grid)),
            properties: properties(identity),
            paradigm_names: Arc::new(StringArray::from(names)),
            status_names: Arc::new(StringArray::from_iter_values(Status::ALL.map(Status::name))),
            distance: simulation.wants_distance(),
            first_row: 0,
            collected: Batch::default(),
        }
    }

    /// Begins a part whose first row has this number.
    pub fn begin(&mut self, first_row: u64) {
        self.first_row = first_row;
        let Batch { loss_clean, loss_corrupted, leakage, gap, threshold_squared, status } =
            &mut self.collected;
        for values in [loss_clean, loss_corrupted, leakage, gap, threshold_squared] {
            values.clear();
        }
        status.clear();
    }

    /// Adds the next rows.
    pub fn add(&mut self, batch: &Batch) {
        let to = &mut self.collected;
        to.loss_clean.extend_from_slice(&batch.loss_clean);
        to.loss_corrupted.extend_from_slice(&batch.loss_corrupted);
        to.leakage.extend_from_slice(&batch.leakage);
        to.gap.extend_from_slice(&batch.gap);
        to.threshold_squared.extend_from_slice(&batch.threshold_squared);
        to.status.extend_from_slice(&batch.status);
    }

    /// Number of the rows collected.
    #[must_use]
    pub fn rows(&self) -> Range<u64> {
        self.first_row..self.first_row + self.collected.rows() as u64
    }

    /// Encodes the part.
    ///
    /// # Errors
    ///
    /// [`ParquetError`] if the encoder refuses.
    pub fn encode(&self, grid: &Grid) -> Result<Vec<u8>, ParquetError> {
        let rows = RecordBatch::try_new(self.schema.clone(), self.arrays(grid))?;
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::try_new(&mut bytes, self.schema.clone(), Some(self.properties.clone()))?;
        writer.write(&rows)?;
        writer.close()?;
        Ok(bytes)
    }

    fn arrays(&self, grid: &Grid) -> Vec<ArrayRef> {
        let rows = self.rows();
        let batch = &self.collected;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        arrays.push(Arc::new(Int32Array::from_iter_values(
            rows.clone().map(|row| narrow(grid.replicate(row))),
        )));
        for axis in &grid.axes {
            arrays.push(match &axis.values {
                Values::Floats(values) => {
                    let mut builder = Float64Builder::with_capacity(batch.rows());
                    rows.clone().for_each(|row| builder.append_value(values[axis.index(row)]));
                    Arc::new(builder.finish())
                }
                Values::Integers(values) if axis.name == "samples" => {
                    let mut builder = Int64Builder::with_capacity(batch.rows());
                    rows.clone().for_each(|row| builder.append_value(values[axis.index(row)]));
                    Arc::new(builder.finish())
                }
                Values::Integers(values) => {
                    let mut builder = Int32Builder::with_capacity(batch.rows());
                    rows.clone()
                        .for_each(|row| builder.append_value(narrow(values[axis.index(row)].unsigned_abs())));
                    Arc::new(builder.finish())
                }
            });
        }
        arrays.push(dictionary(
            rows.clone().map(|row| narrow(grid.paradigm(row) as u64)),
            &self.paradigm_names,
        ));
        arrays.push(nullable(batch.loss_clean.iter().copied()));
        arrays.push(nullable(batch.loss_corrupted.iter().copied()));
        let pairs = batch.loss_clean.iter().zip(&batch.loss_corrupted);
        arrays.push(nullable(pairs.map(|(clean, corrupted)| match self.distance {
            true => (clean - corrupted).abs(),
            false => f64::NAN,
        })));
        arrays.push(nullable(batch.leakage.iter().copied()));
        arrays.push(nullable(batch.gap.iter().copied()));
        arrays.push(nullable(batch.threshold_squared.iter().copied()));
        arrays.push(dictionary(batch.status.iter().map(|&status| status as i32), &self.status_names));
        arrays
    }
}

/// A count that the job reader keeps within 31 bits.
fn narrow(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// NaN becomes null: the engine's *no value*.
fn nullable(values: impl Iterator<Item = f64>) -> ArrayRef {
    let mut builder = Float64Builder::new();
    values.for_each(|value| builder.append_option((!value.is_nan()).then_some(value)));
    Arc::new(builder.finish())
}

fn dictionary(keys: impl Iterator<Item = i32>, names: &ArrayRef) -> ArrayRef {
    let keys = Int32Array::from_iter_values(keys);
    // Cannot fail: keys are indices into `names`.
    match DictionaryArray::<Int32Type>::try_new(keys, names.clone()) {
        Ok(array) => Arc::new(array),
        Err(_) => Arc::new(StringArray::from(Vec::<&str>::new())),
    }
}

fn schema(grid: &Grid) -> Schema {
    let text = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let mut fields = vec![Field::new(columns::REPLICATE, DataType::Int32, false)];
    fields.extend(grid.axes.iter().map(|axis| {
        let kind = match (&axis.values, axis.name) {
            (Values::Floats(_), _) => DataType::Float64,
            (Values::Integers(_), "samples") => DataType::Int64,
            (Values::Integers(_), _) => DataType::Int32,
        };
        Field::new(axis.name, kind, false)
    }));
    fields.push(Field::new(columns::PARADIGM, text(), false));
    fields.extend(columns::METRICS.map(|name| Field::new(name, DataType::Float64, true)));
    fields.push(Field::new(columns::STATUS, text(), false));
    Schema::new(fields)
}

fn properties(identity: &Identity) -> WriterProperties {
    let pair = |key: &str, value: &str| KeyValue::new(format!("eigensweep.{key}"), value.to_owned());
    let mut builder = WriterProperties::builder()
        .set_created_by(concat!("eigensweep ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_max_row_group_row_count(usize::try_from(PART_ROWS).ok().map(|rows| rows.max(1 << 21)))
        .set_key_value_metadata(Some(vec![
            pair("format_version", &columns::FORMAT_VERSION.to_string()),
            pair("version", env!("CARGO_PKG_VERSION")),
            pair("job_hash", &identity.hash),
            pair("streams", SCHEME),
            pair("job", &identity.content),
        ]));
    if let Ok(level) = ZstdLevel::try_new(3) {
        builder = builder.set_compression(Compression::ZSTD(level));
    }
    for name in columns::METRICS {
        let column = ColumnPath::from(name);
        builder = builder
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::BYTE_STREAM_SPLIT);
    }
    builder.build()
}

/// Number of rows in a file's footer.
pub(super) fn row_count(path: &Path) -> Result<u64, EngineError> {
    let file = File::open(path).map_err(EngineError::io("open", path))?;
    let reader = SerializedFileReader::new(file).map_err(|source| parquet_error(path, source))?;
    Ok(u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0))
}

fn parquet_error(path: &Path, source: ParquetError) -> EngineError {
    EngineError::Parquet { action: "read", path: path.to_path_buf(), source }
}

/// Reads chosen columns of a committed part.
#[derive(Debug)]
pub struct PartReader;

impl PartReader {
    /// Reads `names` from the file at `path`, batch by batch.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] or [`EngineError::Parquet`].
    pub fn read(path: &Path, names: &[&str]) -> Result<Vec<RecordBatch>, EngineError> {
        let file = File::open(path).map_err(EngineError::io("open", path))?;
        let builder =
            ParquetRecordBatchReaderBuilder::try_new(file).map_err(|source| parquet_error(path, source))?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
        let reader = builder.with_projection(mask).build().map_err(|source| parquet_error(path, source))?;
        reader.map(|batch| batch.map_err(|error| parquet_error(path, error.into()))).collect()
    }
}
