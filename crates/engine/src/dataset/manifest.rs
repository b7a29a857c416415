//! `manifest.json`: a snapshot of the commits, with the provenance of every run.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CommitRecord, Dataset, files};
use crate::EngineError;
use crate::columns::FORMAT_VERSION;
use crate::plan::Plan;
use eigensweep_sampling::streams::SCHEME;

/// One run that added to the data set. Everything that differs between runs is here, and nowhere else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Program and version.
    pub program: String,
    /// Host name.
    pub host: String,
    /// Instruction sets that were found.
    pub instruction_set: String,
    /// Worker threads.
    pub threads: usize,
    /// Start, seconds since 1970-01-01 UTC.
    pub started: u64,
    /// End, likewise.
    pub finished: u64,
    /// Seconds of simulation (without loading).
    pub seconds: f64,
    /// Rows that this run added.
    pub rows: u64,
}

/// The snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format_version: u32,
    /// Hash of the job.
    pub job_hash: String,
    /// Scheme of the random streams.
    pub streams: String,
    /// The job as resolved (TOML).
    pub job: String,
    /// Rows of the whole grid.
    pub rows: u64,
    /// Rows of the whole grid that are done.
    pub rows_done: u64,
    /// Parts of the whole grid.
    pub parts: u64,
    /// Commit records of the parts that are done.
    pub committed: Vec<CommitRecord>,
    /// Runs, oldest first.
    pub runs: Vec<RunRecord>,
}

impl Manifest {
    /// Reads the manifest of a data set; `None` if it is missing or garbled, which loses nothing but the history of runs.
    #[must_use]
    pub fn read(root: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(root.join("manifest.json")).ok()?).ok()
    }
}

impl Dataset {
    /// Writes `manifest.json` anew from the commits, adding a run to the history.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`].
    pub fn write_manifest(&self, plan: &Plan, run: Option<RunRecord>) -> Result<(), EngineError> {
        let mut runs = Manifest::read(self.root()).map(|manifest| manifest.runs).unwrap_or_default();
        runs.extend(run);
        let committed: Vec<CommitRecord> = self.records().cloned().collect();
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            job_hash: self.identity().hash.clone(),
            streams: SCHEME.to_owned(),
            job: self.identity().job.clone(),
            rows: plan.grid.rows(),
            rows_done: committed.iter().map(|record| record.rows).sum(),
            parts: plan.parts,
            committed,
            runs,
        };
        let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        text.push('\n');
        files::write_whole(&self.path("staging"), &self.path("manifest.json"), text.as_bytes())
    }
}
