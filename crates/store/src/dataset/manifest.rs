//! `manifest.json`: a snapshot of sections, commits and runs for people and programs. Derived:
//! nothing here reads it but to know whose directory an otherwise empty one is.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{CommitRecord, Dataset, RunRecord, files, read_runs};
use crate::StoreError;
use crate::columns::FORMAT_VERSION;
use eigensweep_sampling::streams::SCHEME;

/// The snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the format.
    pub format_version: u32,
    /// Hash of the study: of the job without replicates and values of axes.
    pub study: String,
    /// Hash of the job.
    pub job_hash: String,
    /// Scheme of the random streams.
    pub streams: String,
    /// The job as resolved (TOML).
    pub job: String,
    /// Sections, in the order of growth.
    pub sections: Vec<SectionSummary>,
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

/// A section in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionSummary {
    /// Its number.
    pub section: u32,
    /// Its hash.
    pub hash: String,
    /// Its rows.
    pub rows: u64,
    /// Its parts.
    pub parts: u64,
}

impl Manifest {
    /// Reads the manifest of a data set; `None` if it is missing or garbled, which loses nothing.
    #[must_use]
    pub fn read(root: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(root.join("manifest.json")).ok()?).ok()
    }
}

impl Dataset {
    /// Writes `manifest.json` anew from what is known of the commits, and the runs in `logs/`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn write_manifest(&self) -> Result<(), StoreError> {
        let sections = self.sections();
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            study: self.identity().study.clone(),
            job_hash: self.identity().hash.clone(),
            streams: SCHEME.to_owned(),
            job: self.identity().job.clone(),
            sections: sections
                .iter()
                .map(|section| SectionSummary {
                    section: section.number,
                    hash: section.identity.hash.clone(),
                    rows: section.rows(),
                    parts: section.plan.parts,
                })
                .collect(),
            rows: self.rows(),
            rows_done: self.rows_done(),
            parts: sections.iter().map(|section| section.plan.parts).sum(),
            committed: self.records().cloned().collect(),
            runs: read_runs(self.root())?,
        };
        files::write_whole(&self.path("staging"), &self.path("manifest.json"), &files::json(&manifest))
    }
}
