//! A part on its way to a file: rows are collected as they are computed, sorted, and encoded row
//! group by row group.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::SchemaRef;
use parquet::file::properties::WriterProperties;

use super::encode::{Encoded, encode};
use super::section::Section;
use super::{arrays, schema};
use crate::StoreError;
use crate::active::Active;
use crate::columns::{REPLICATE, Status};
use crate::plan::Plan;
use crate::rows::{Rows, metrics_of};
use eigensweep_job::ROW_GROUP_ROWS;

/// Collects the batches of one part and encodes them.
#[derive(Debug)]
pub(super) struct PartWriter {
    schema: SchemaRef,
    properties: WriterProperties,
    paradigm_names: ArrayRef,
    status_names: ArrayRef,
    collected: Rows,
}

impl PartWriter {
    /// A writer for the parts of a section.
    pub(super) fn new(section: &Section) -> Self {
        let names = section.spec.model.paradigms.iter().map(|paradigm| paradigm.name);
        let metrics = metrics_of(&section.spec);
        Self {
            schema: Arc::new(schema::rows(&section.spec, &section.plan.grid, &metrics)),
            properties: schema::properties(&section.identity, &[], metrics.iter().map(|metric| metric.name)),
            paradigm_names: Arc::new(StringArray::from_iter_values(names)),
            status_names: Arc::new(StringArray::from(Status::names(section.spec.boundary.is_some()))),
            collected: Rows::with_capacity(&section.spec, 0),
        }
    }

    /// Begins a part of so many rows.
    pub(super) fn begin(&mut self, rows: u64) {
        self.collected.empty(usize::try_from(rows).unwrap_or(0));
    }

    /// Adds the next rows.
    pub(super) fn add(&mut self, rows: &Rows) {
        self.collected.append(rows);
    }

    /// Encodes part `part` of `plan`, all of whose rows have been added, into a file in `staging`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] or [`StoreError::Parquet`] if the file cannot be written.
    pub(super) fn encode(
        &self,
        plan: &Plan,
        part: u64,
        active: Option<&Active>,
        staging: &Path,
    ) -> Result<Encoded, StoreError> {
        let first = plan.part_rows(part).start;
        let group = usize::try_from(ROW_GROUP_ROWS).unwrap_or(usize::MAX);
        let rows = plan.grid.written(plan.part_units(part));
        let mut rows = rows.filter(|&row| active.is_none_or(|active| active.row(&plan.grid, row)));
        let batches = std::iter::from_fn(|| {
            let rows: Vec<u64> = rows.by_ref().take(group).collect();
            (!rows.is_empty()).then(|| self.arrays(plan, &rows, first))
        });
        encode(
            staging,
            &format!("part-{part:06}"),
            &self.schema,
            &self.properties,
            batches,
            self.failures(),
            false,
        )
    }

    fn arrays(&self, plan: &Plan, rows: &[u64], first: u64) -> Vec<ArrayRef> {
        let (grid, collected) = (&plan.grid, &self.collected);
        #[expect(clippy::cast_possible_truncation, reason = "a part is collected in memory")]
        let places: Vec<usize> = rows.iter().map(|row| (row - first) as usize).collect();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.schema.fields().len());
        if self.schema.field(0).name() == REPLICATE {
            columns.push(arrays::replicates(grid, rows));
        }
        columns.extend(arrays::combinations(grid, rows, &self.paradigm_names));
        columns.extend((0..collected.metrics().len()).map(|metric| {
            let values = collected.values(metric);
            arrays::nullable(places.iter().map(|&at| values[at]))
        }));
        let statuses = places.iter().map(|&at| collected.status()[at] as i32);
        columns.push(arrays::dictionary(statuses, &self.status_names));
        columns
    }

    fn failures(&self) -> BTreeMap<String, u64> {
        let mut failed = BTreeMap::new();
        count_failures(self.collected.status(), &mut failed);
        failed
    }
}

/// Counts the rows without a value, by status.
pub(super) fn count_failures(statuses: &[Status], failed: &mut BTreeMap<String, u64>) {
    for status in statuses.iter().filter(|status| status.is_failure()) {
        *failed.entry(status.name().to_owned()).or_default() += 1;
    }
}
