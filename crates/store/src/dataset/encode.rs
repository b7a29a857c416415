//! Arrays on their way to a Parquet file in `staging/`: hashed while it is written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;

use super::files;
use crate::StoreError;

/// Where a sealed file has length and BLAKE3 of its pages.
const SEAL_KEY: &str = "eigensweep.pages";

/// Whether the pages of a file are those that its seal tells of.
pub(super) fn is_sound(path: &Path, seal: &str) -> bool {
    let Some((bytes, hash)) = seal.split_once(' ') else { return false };
    let (Ok(bytes), Ok(file)) = (bytes.parse(), File::open(path)) else { return false };
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file.take(bytes)).is_ok() && hasher.finalize().to_hex().as_str() == hash
}

/// A Parquet file in `staging/`.
#[derive(Debug)]
pub struct Encoded {
    pub(super) staged: NamedTempFile,
    /// Rows in the file.
    pub(super) rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    pub(super) blake3: String,
    /// Rows of the job without a value, by status.
    pub(super) failed: BTreeMap<String, u64>,
}

/// Writes batches of columns, each at most a row group, into a new file in `staging`.
///
/// A sealed file says in its footer what its pages hash to: for files that no record does that for.
///
/// # Errors
///
/// [`StoreError::Io`] or [`StoreError::Parquet`] if the file cannot be written.
pub(super) fn encode(
    staging: &Path,
    name: &str,
    schema: &SchemaRef,
    properties: &WriterProperties,
    batches: impl Iterator<Item = Vec<ArrayRef>>,
    failed: BTreeMap<String, u64>,
    sealed: bool,
) -> Result<Encoded, StoreError> {
    let staged = files::stage(staging, name)?;
    let path = staged.path();
    let file = staged.reopen().map_err(StoreError::io("open", path))?;
    let mut rows = 0;
    let write = || -> Result<Hashing, ParquetError> {
        // Without the Arrow schema texts are strings to every reader: polars 0.55 decodes Arrow
        // dictionaries value by value.
        let options =
            ArrowWriterOptions::new().with_properties(properties.clone()).with_skip_arrow_metadata(true);
        let mut writer = ArrowWriter::try_new_with_options(Hashing::new(file), schema.clone(), options)?;
        for columns in batches {
            let batch = RecordBatch::try_new(schema.clone(), columns)?;
            rows += batch.num_rows() as u64;
            writer.write(&batch)?;
        }
        if sealed {
            writer.flush()?;
            writer.sync()?;
            let (hash, bytes) = writer.inner().digest();
            writer.append_key_value_metadata(KeyValue::new(SEAL_KEY.to_owned(), format!("{bytes} {hash}")));
        }
        writer.into_inner()
    };
    let out = write().map_err(|source| StoreError::Parquet {
        action: "write",
        path: path.to_path_buf(),
        source,
    })?;
    let (blake3, bytes) = out.finish().map_err(StoreError::io("write", path))?;
    Ok(Encoded { staged, rows, bytes, blake3, failed })
}

/// A file that hashes what is written to it.
struct Hashing {
    file: BufWriter<File>,
    hasher: blake3::Hasher,
}

impl Hashing {
    fn new(file: File) -> Self {
        Self { file: BufWriter::with_capacity(1 << 20, file), hasher: blake3::Hasher::new() }
    }

    /// BLAKE3 and length of what has been written.
    fn digest(&self) -> (String, u64) {
        (self.hasher.finalize().to_hex().to_string(), self.hasher.count())
    }

    /// Flushes; returns BLAKE3 and length.
    fn finish(mut self) -> io::Result<(String, u64)> {
        self.file.flush()?;
        Ok(self.digest())
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
