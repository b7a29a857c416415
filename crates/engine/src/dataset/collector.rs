//! What the batches of a part are collected into: rows or blocks, as the job's `detail` says.

use std::path::Path;
use std::sync::Arc;

use super::blocks::BlockWriter;
use super::encode::Encoded;
use super::part::PartWriter;
use super::section::Section;
use crate::EngineError;
use crate::active::Active;
use crate::job::Detail;
use crate::plan::Plan;
use crate::simulation::{Batch, Simulation};

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
    /// A collector for the parts of a section.
    #[must_use]
    pub fn new(simulation: &Simulation, section: &Section) -> Self {
        let kind = match section.spec.output.detail {
            Detail::Rows => Kind::Rows(PartWriter::new(simulation, section)),
            Detail::Summary => Kind::Blocks(BlockWriter::new(simulation, section)),
        };
        Self { kind, active: simulation.active().cloned() }
    }

    /// Combinations whose rows are kept; `None` for all.
    #[must_use]
    pub fn active(&self) -> Option<&Active> {
        self.active.as_deref()
    }

    /// Begins a part.
    pub fn begin(&mut self, plan: &Plan, part: u64) {
        match &mut self.kind {
            Kind::Rows(rows) => rows.begin(),
            Kind::Blocks(blocks) => blocks.begin(plan.part_rows(part).start),
        }
    }

    /// Adds the batch of the part's next task.
    pub fn add(&mut self, plan: &Plan, batch: &Batch) {
        match &mut self.kind {
            Kind::Rows(rows) => rows.add(batch),
            Kind::Blocks(blocks) => blocks.add(&plan.grid, batch, self.active.as_deref()),
        }
    }

    /// Encodes the part, all of whose batches have been added, into a file in `staging`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] or [`EngineError::Parquet`] if the file cannot be written.
    pub fn encode(&self, plan: &Plan, part: u64, staging: &Path) -> Result<Encoded, EngineError> {
        match &self.kind {
            Kind::Rows(rows) => rows.encode(plan, part, self.active.as_deref(), staging),
            Kind::Blocks(blocks) => blocks.encode(plan, part, staging),
        }
    }
}
