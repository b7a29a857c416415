//! `logs/`: one file a run, which says who ran, what was done and how fast. Everything that differs
//! between runs is here (and in the manifest, which is derived), and nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files;
use crate::StoreError;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It computes, or was killed since it last wrote.
    Running,
    /// It did all that was its own.
    Finished,
    /// It was stopped: by a signal or a time limit.
    Stopped,
    /// An error ended it.
    Failed,
}

/// One run that added to the data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Program and version.
    pub program: String,
    /// Commit that the program was built from.
    pub commit: String,
    /// Features that it was built with.
    pub features: String,
    /// Instruction sets that were found.
    pub instruction_set: String,
    /// Host name.
    pub host: String,
    /// Process number on that host.
    pub process: u32,
    /// Batch system's name of the job, if there is one.
    #[serde(default)]
    pub batch_job: Option<String>,
    /// Worker threads.
    pub threads: usize,
    /// Shard, `I/N`.
    pub shard: String,
    /// Start, seconds since 1970-01-01 UTC.
    pub started: u64,
    /// When this was last written, likewise.
    pub updated: u64,
    /// How it stands.
    pub state: RunState,
    /// Seconds of simulation (without loading).
    pub seconds: f64,
    /// Seconds, among these, in which the writing thread sorted, encoded, verified and committed
    /// parts.
    pub seconds_writing: f64,
    /// Rows of the shard.
    pub rows_total: u64,
    /// Rows of the shard that were there before.
    pub rows_before: u64,
    /// Rows that this run committed.
    pub rows: u64,
    /// Rows that this run computed, those of a part in hand included.
    pub rows_computed: u64,
}

impl RunRecord {
    fn path(&self, root: &Path) -> PathBuf {
        let Self { started, host, process, .. } = self;
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let host: String = host.chars().map(plain).take(64).collect();
        root.join("logs").join(format!("run-{started}-{host}-{process}.json"))
    }

    /// Writes this run's file anew.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub fn write(&self, root: &Path) -> Result<(), StoreError> {
        files::write_whole(&root.join("staging"), &self.path(root), &files::json(self))
    }
}

/// All runs of a data set, oldest first; files that say nothing are passed over.
///
/// # Errors
///
/// [`StoreError::Io`] if the directory cannot be read.
pub fn read_runs(root: &Path) -> Result<Vec<RunRecord>, StoreError> {
    let texts = files::list(&root.join("logs"))?;
    let texts = texts.iter().filter_map(|path| fs::read_to_string(path).ok());
    let mut runs: Vec<RunRecord> = texts.filter_map(|text| serde_json::from_str(&text).ok()).collect();
    runs.sort_by(|a, b| (a.started, &a.host, a.process).cmp(&(b.started, &b.host, b.process)));
    Ok(runs)
}
