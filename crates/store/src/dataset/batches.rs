//! All rows that a data set has, as Arrow batches: part by part, of the parts that are committed.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, RecordBatch, RecordBatchReader, StringArray};
use arrow_schema::{ArrowError, SchemaRef};
use eigensweep_theory::paradigms;

use super::{Dataset, reader, schema};
use crate::StoreError;
use crate::columns::{PARADIGM, STATUS, Status, VERDICT};
use crate::rows::metrics_of;

/// Batches of the rows that are done, in the order of their files; one part is open at a time.
///
/// Words are dictionaries whose names are the same in every batch: all paradigms and statuses that
/// there are. The first error ends them.
pub struct Batches {
    schema: SchemaRef,
    files: std::vec::IntoIter<PathBuf>,
    open: Option<Box<dyn Iterator<Item = Result<RecordBatch, StoreError>> + Send>>,
    paradigms: ArrayRef,
    statuses: ArrayRef,
}

impl std::fmt::Debug for Batches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Dataset {
    /// The files of the parts that are done and have rows, in order.
    #[must_use]
    pub fn part_files(&self) -> Vec<PathBuf> {
        let records = self.records().filter(|record| !record.file.is_empty());
        records.map(|record| self.part_file(record)).collect()
    }

    /// Columns of its rows.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        let metrics = metrics_of(&self.spec);
        Arc::new(self.sections.first().map_or_else(
            || schema::rows(&self.spec, &crate::grid::Grid::new(&self.spec), &metrics),
            |section| schema::rows(&self.spec, &section.plan.grid, &metrics),
        ))
    }

    /// All rows that are done, batch by batch; of a data set that keeps rows.
    #[must_use]
    pub fn batches(&self) -> Batches {
        let names = |names: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(names)) };
        Batches {
            schema: self.schema(),
            files: self.part_files().into_iter(),
            open: None,
            paradigms: names(paradigms::ALL.map(|paradigm| paradigm.name).to_vec()),
            statuses: names(Status::names(self.spec.boundary.is_some())),
        }
    }
}

impl Batches {
    fn next_batch(&mut self) -> Option<Result<RecordBatch, ArrowError>> {
        loop {
            if let Some(batch) = self.open.as_mut().and_then(Iterator::next) {
                return Some(batch.map_err(external).and_then(|batch| self.arranged(&batch)));
            }
            let path = self.files.next()?;
            let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
            match reader::read_columns(&path, &names) {
                Ok(batches) => self.open = Some(Box::new(batches)),
                Err(error) => return Some(Err(external(error))),
            }
        }
    }

    /// The columns in the order of the schema, with words as keys.
    fn arranged(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns = self.schema.fields().iter().map(|field| {
            let column = batch
                .column_by_name(field.name())
                .ok_or_else(|| ArrowError::SchemaError(format!("a part has no column `{}`", field.name())))?;
            match field.name().as_str() {
                PARADIGM => keyed(column, &self.paradigms),
                STATUS | VERDICT => keyed(column, &self.statuses),
                _ => Ok(Arc::clone(column)),
            }
        });
        RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<Result<_, _>>()?)
    }
}

/// Words as keys into names.
fn keyed(column: &ArrayRef, names: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let (words, known) = (column.as_string_opt::<i32>(), names.as_string::<i32>());
    let words = words.ok_or_else(|| ArrowError::SchemaError("a column of words holds none".to_owned()))?;
    let key = |word: &str| {
        let at = known.iter().position(|name| name == Some(word)).and_then(|at| i32::try_from(at).ok());
        at.ok_or_else(|| ArrowError::SchemaError(format!("{word:?} is no paradigm and no status")))
    };
    let keys = words.iter().map(|word| word.map(key).transpose()).collect::<Result<Int32Array, _>>()?;
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(names))?))
}

fn external(error: StoreError) -> ArrowError {
    ArrowError::ExternalError(Box::new(error))
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_batch();
        if matches!(next, Some(Err(_))) {
            (self.open, self.files) = (None, Vec::new().into_iter());
        }
        next
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
