//! A part on its way to a file: rows are collected as they are computed, sorted, and encoded row group by row group.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;

use super::section::Section;
use super::{arrays, files, schema};
use crate::EngineError;
use crate::columns::{self, Status};
use crate::job::ROW_GROUP_ROWS;
use crate::plan::Plan;
use crate::simulation::{Batch, Simulation};

/// A part in its staged file, flushed and fsynced.
#[derive(Debug)]
pub struct Encoded {
    pub(super) staged: NamedTempFile,
    pub(super) bytes: u64,
    pub(super) blake3: String,
    /// Rows without a value, by status.
    pub(super) failed: BTreeMap<String, u64>,
}

/// Collects the batches of one part and encodes them.
#[derive(Debug)]
pub struct PartWriter {
    schema: SchemaRef,
    properties: WriterProperties,
    paradigm_names: ArrayRef,
    status_names: ArrayRef,
    distance: bool,
    collected: Batch,
}

impl PartWriter {
    /// A writer for the parts of a section.
    #[must_use]
    pub fn new(simulation: &Simulation, section: &Section) -> Self {
        let names: Vec<&str> = simulation.paradigms().map(|paradigm| paradigm.name()).collect();
        Self {
            schema: Arc::new(schema::rows(&section.plan.grid)),
            properties: schema::properties(&section.identity, columns::METRICS.into_iter()),
            paradigm_names: Arc::new(StringArray::from(names)),
            status_names: Arc::new(StringArray::from_iter_values(Status::ALL.map(Status::name))),
            distance: simulation.wants_distance(),
            collected: Batch::default(),
        }
    }

    /// Begins a part.
    pub fn begin(&mut self) {
        self.collected.empty();
    }

    /// Adds the next rows.
    pub fn add(&mut self, batch: &Batch) {
        self.collected.append(batch);
    }

    /// Encodes part `part` of `plan`, all of whose rows have been added, into a file in `staging`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] or [`EngineError::Parquet`] if the file cannot be written.
    pub fn encode(&self, plan: &Plan, part: u64, staging: &Path) -> Result<Encoded, EngineError> {
        let staged = files::stage(staging, &format!("part-{part:06}"))?;
        let failed =
            |source| EngineError::Parquet { action: "write", path: staged.path().to_path_buf(), source };
        let out = Hashing::new(staged.reopen().map_err(EngineError::io("open", staged.path()))?);
        let out = self.write(plan, part, out).map_err(failed)?;
        let (hash, bytes) = out.finish().map_err(EngineError::io("write", staged.path()))?;
        Ok(Encoded { staged, bytes, blake3: hash, failed: self.failures() })
    }

    fn write(&self, plan: &Plan, part: u64, out: Hashing) -> Result<Hashing, ParquetError> {
        let first = plan.part_rows(part).start;
        let group = usize::try_from(ROW_GROUP_ROWS).unwrap_or(usize::MAX);
        let mut writer = ArrowWriter::try_new(out, self.schema.clone(), Some(self.properties.clone()))?;
        let mut rows = plan.grid.written(plan.part_units(part));
        loop {
            let rows: Vec<u64> = rows.by_ref().take(group).collect();
            if rows.is_empty() {
                return writer.into_inner();
            }
            writer.write(&RecordBatch::try_new(self.schema.clone(), self.arrays(plan, &rows, first))?)?;
        }
    }

    fn arrays(&self, plan: &Plan, rows: &[u64], first: u64) -> Vec<ArrayRef> {
        let (grid, batch) = (&plan.grid, &self.collected);
        #[expect(clippy::cast_possible_truncation, reason = "a part is collected in memory")]
        let places: Vec<usize> = rows.iter().map(|row| (row - first) as usize).collect();
        let column = |values: &[f64]| arrays::nullable(places.iter().map(|&at| values[at]));
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        columns.push(arrays::replicates(grid, rows));
        columns.extend(grid.axes.iter().map(|axis| arrays::axis(axis, rows)));
        let paradigms = rows.iter().map(|&row| arrays::narrow(grid.paradigm(row) as u64));
        columns.push(arrays::dictionary(paradigms, &self.paradigm_names));
        columns.push(column(&batch.loss_clean));
        columns.push(column(&batch.loss_corrupted));
        columns.push(arrays::nullable(places.iter().map(|&at| match self.distance {
            true => (batch.loss_clean[at] - batch.loss_corrupted[at]).abs(),
            false => f64::NAN,
        })));
        columns.push(column(&batch.leakage));
        columns.push(column(&batch.gap));
        columns.push(column(&batch.threshold_squared));
        let statuses = places.iter().map(|&at| batch.status[at] as i32);
        columns.push(arrays::dictionary(statuses, &self.status_names));
        columns
    }

    fn failures(&self) -> BTreeMap<String, u64> {
        let mut failed = BTreeMap::new();
        for status in self.collected.status.iter().filter(|&&status| status != Status::Ok) {
            *failed.entry(status.name().to_owned()).or_default() += 1;
        }
        failed
    }
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

    /// Flushes and fsyncs; returns BLAKE3 and length.
    fn finish(self) -> io::Result<(String, u64)> {
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok((self.hasher.finalize().to_hex().to_string(), self.hasher.count()))
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
