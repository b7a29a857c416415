//! What the batches of a part are collected into: rows or blocks, as the job's `detail` says.

use std::path::Path;
use std::sync::Arc;

use super::blocks::BlockWriter;
use super::commit::{self, CommitRecord};
use super::encode::Encoded;
use super::part::PartWriter;
use super::section::Section;
use crate::StoreError;
use crate::active::Active;
use crate::plan::Plan;
use crate::rows::Rows;
use eigensweep_job::Detail;

/// Collects the batches of one part after another and encodes each.
#[derive(Debug)]
pub struct Collector {
    kind: Kind,
    /// Combinations whose rows are kept; `None` for all.
    active: Option<Arc<Active>>,
}

#[derive(Debug)]
enum Kind {
    Rows(PartWriter),
    Blocks(BlockWriter),
}

impl Collector {
    /// A collector for the parts of a section; of these combinations only, if they are given.
    #[must_use]
    pub fn new(section: &Section, active: Option<Arc<Active>>) -> Self {
        let kind = match section.spec.output.detail {
            Detail::Rows => Kind::Rows(PartWriter::new(section)),
            Detail::Summary => Kind::Blocks(BlockWriter::new(section)),
        };
        Self { kind, active }
    }

    /// Begins a part.
    pub fn begin(&mut self, plan: &Plan, part: u64) {
        let rows = plan.part_rows(part);
        match &mut self.kind {
            Kind::Rows(writer) => writer.begin(rows.end - rows.start),
            Kind::Blocks(blocks) => blocks.begin(rows.start),
        }
    }

    /// Adds the rows of the part's next task.
    pub fn add(&mut self, plan: &Plan, rows: &Rows) {
        match &mut self.kind {
            Kind::Rows(writer) => writer.add(rows),
            Kind::Blocks(blocks) => blocks.add(&plan.grid, rows, self.active.as_deref()),
        }
    }

    /// Encodes part `part` of a section, all of whose batches have been added, and commits it to
    /// the data set at `root`, unless another process did so first; see the module's documentation.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], [`StoreError::Parquet`] or [`StoreError::ReadBack`]; then nothing is
    /// recorded.
    pub fn commit(&self, root: &Path, section: &Section, part: u64) -> Result<CommitRecord, StoreError> {
        let (plan, active) = (&section.plan, self.active.as_deref());
        let rows = plan.part_rows(part);
        let encoded = match active.map_or(rows.end - rows.start, |active| active.rows(plan, part)) {
            0 => None,
            _ => Some(self.encode(plan, part, &root.join("staging"))?),
        };
        commit::commit(root, section, part, active, encoded)
    }

    /// Encodes the part, all of whose batches have been added, into a file in `staging`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] or [`StoreError::Parquet`] if the file cannot be written.
    pub fn encode(&self, plan: &Plan, part: u64, staging: &Path) -> Result<Encoded, StoreError> {
        match &self.kind {
            Kind::Rows(rows) => rows.encode(plan, part, self.active.as_deref(), staging),
            Kind::Blocks(blocks) => blocks.encode(plan, part, staging),
        }
    }
}
