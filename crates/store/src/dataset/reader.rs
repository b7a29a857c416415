//! Reading parts back: counts, and chosen columns batch by batch.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, Float64Array, RecordBatch};
use eigensweep_inputs::decoding;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::StoreError;

/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 8192;

/// What a file's footer says.
pub(super) struct Footer {
    /// Rows.
    pub(super) rows: u64,
    /// Names of the columns.
    pub(super) columns: Vec<String>,
    values: Vec<KeyValue>,
}

impl Footer {
    /// Reads the footer of a file.
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(StoreError::io("open", path))?;
        let reader = guarded(path, || SerializedFileReader::new(file))?;
        let metadata = reader.metadata().file_metadata();
        let columns = metadata.schema_descr().columns().iter().map(|column| column.name().to_owned());
        Ok(Self {
            rows: u64::try_from(metadata.num_rows()).unwrap_or(0),
            columns: columns.collect(),
            values: metadata.key_value_metadata().cloned().unwrap_or_default(),
        })
    }

    /// The value of our key.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        let ours = |pair: &&KeyValue| pair.key.strip_prefix("eigensweep.") == Some(key);
        self.values.iter().find(ours)?.value.as_deref()
    }
}

/// What a decoder gives; a panic of its is an error.
fn guarded<T>(path: &Path, decode: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, StoreError> {
    decoding::guarded(decode).map_err(|source| StoreError::Parquet {
        action: "read",
        path: path.to_path_buf(),
        source,
    })
}

/// Reads `names` from a part, batch by batch; texts as plain strings.
///
/// # Errors
///
/// [`StoreError::Io`] or [`StoreError::Parquet`], at once or of a batch.
pub fn read_columns(
    path: &Path,
    names: &[&str],
) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + use<>, StoreError> {
    let file = File::open(path).map_err(StoreError::io("open", path))?;
    // The Arrow schema that the writer leaves beside Parquet's own tells that texts are
    // categorical, and its decoder panics on damaged bytes.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let reader = guarded(path, || {
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
        builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()
    })?;
    let (mut reader, path) = (Some(reader), path.to_path_buf());
    // Ends with the first error: a decoder that has failed is not asked again.
    Ok(std::iter::from_fn(move || {
        let mut decoder = reader.take()?;
        let batch = guarded(&path, || Ok(decoder.next().transpose()?)).transpose()?;
        if batch.is_ok() {
            reader = Some(decoder);
        }
        Some(batch)
    }))
}

/// A column of numbers, if it is one.
#[must_use]
pub fn floats<'b>(batch: &'b RecordBatch, name: &str) -> Option<&'b Float64Array> {
    batch.column_by_name(name)?.as_primitive_opt::<Float64Type>()
}

/// A number of a column, if it is there and not null.
#[must_use]
pub fn value(column: Option<&Float64Array>, at: usize) -> Option<f64> {
    column.filter(|column| column.is_valid(at)).map(|column| column.value(at))
}

/// A word of a column, if it is one of words.
#[must_use]
pub fn text<'b>(batch: &'b RecordBatch, name: &str, at: usize) -> Option<&'b str> {
    batch.column_by_name(name)?.as_string_opt::<i32>().map(|column| column.value(at))
}
