//! A data set on disk: a directory in which a part appears whole or not at all.
//!
//! | path | what |
//! |---|---|
//! | `data/part-000000-<hash8>.parquet` | committed parts of one schema, nothing else |
//! | `commits/000000.json` | one record a part; a part is done iff its record exists and its file matches |
//! | `staging/` | work in progress; whatever lies there may be deleted |
//! | `job.toml` | the job as resolved |
//! | `manifest.json` | a snapshot derived from the commits; times and hosts live here only |
//!
//! **Commit of a part** ([`Dataset::commit`]): write `staging/…`, fsync, read back and hash, rename into `data/`, fsync `data/`;
//! write the commit record to `staging/`, fsync, link it into `commits/` (the first writer wins; a loser's bytes are the
//! same), fsync `commits/`. A kill at any point leaves the data set readable: an unrecorded file in `data/` is
//! whole, and the next run replaces it by the same bytes under the same name or removes it.

mod commit;
mod files;
mod manifest;
mod part;
mod remains;

use std::path::{Path, PathBuf};

pub use commit::CommitRecord;
pub use manifest::{Manifest, RunRecord};
pub use part::{PartReader, PartWriter};
pub use remains::Repair;

use crate::EngineError;
use crate::columns::FORMAT_VERSION;
use crate::input::Input;
use crate::job::JobSpec;
use crate::plan::Plan;
use eigensweep_sampling::streams::SCHEME;

/// What makes two runs runs of one job: everything that a row depends on. Names and paths are left out, contents of input
/// files are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// BLAKE3 as hexadecimal text.
    pub hash: String,
    /// The job as resolved, in TOML.
    pub job: String,
    /// The same without the lines that no row depends on: what goes into the parts.
    pub content: String,
}

impl Identity {
    /// The identity of a job with its input.
    #[must_use]
    pub fn new(spec: &JobSpec, input: &Input) -> Self {
        let job = spec.to_toml();
        let content = content(&job);
        let mut hasher = blake3::Hasher::new_derive_key("eigensweep job identity 1");
        hasher.update(content.as_bytes());
        hasher.update(SCHEME.as_bytes());
        hasher.update(&FORMAT_VERSION.to_le_bytes());
        hasher.update(input.fingerprint().as_bytes());
        Self { hash: hasher.finalize().to_hex().to_string(), job, content }
    }
}

/// A resolved job without the lines that no row depends on.
fn content(job: &str) -> String {
    job.lines().filter(|line| !is_incidental(line)).flat_map(|line| [line, "\n"]).collect()
}

/// A line of the resolved job that no row depends on: the name, and paths (their files' contents count instead).
fn is_incidental(line: &str) -> bool {
    let key = line.split('=').next().unwrap_or_default().trim();
    matches!(key, "name" | "images" | "labels")
}

/// An open data set of one job.
#[derive(Debug)]
pub struct Dataset {
    root: PathBuf,
    identity: Identity,
    committed: Vec<Option<CommitRecord>>,
}

impl Dataset {
    /// Opens the data set at `root` for a job, creating it if there is nothing, and finds out which parts are done. Files
    /// that do not match their record are set aside, so that they are computed again; what was found is returned.
    ///
    /// # Errors
    ///
    /// [`EngineError::OutputIsFile`], [`EngineError::NotADataSet`], [`EngineError::DifferentJob`],
    /// [`EngineError::FormatVersion`], or [`EngineError::Io`] where the file system refuses.
    pub fn open(root: &Path, identity: Identity, plan: &Plan) -> Result<(Self, Vec<Repair>), EngineError> {
        remains::refuse_foreign(root, &identity)?;
        files::create_directories(root)?;
        let job_file = root.join("job.toml");
        if !job_file.exists() {
            files::write_whole(&root.join("staging"), &job_file, identity.job.as_bytes())?;
        }
        let (committed, repairs) = remains::take_stock(root, &identity, plan)?;
        Ok((Self { root: root.to_path_buf(), identity, committed }, repairs))
    }

    /// Removes a data set (only one that this program wrote) so that a run starts afresh; what else lies in its directory stays.
    ///
    /// # Errors
    ///
    /// [`EngineError::OutputIsFile`], [`EngineError::NotADataSet`] or [`EngineError::Io`].
    pub fn remove(root: &Path) -> Result<(), EngineError> {
        if !root.exists() {
            return Ok(());
        }
        remains::refuse_to_remove(root)?;
        files::remove_contents(root)
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Identity of the job whose rows these are.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether a part is done.
    #[must_use]
    pub fn is_done(&self, part: u64) -> bool {
        self.record(part).is_some()
    }

    /// The commit record of a part that is done.
    #[must_use]
    pub fn record(&self, part: u64) -> Option<&CommitRecord> {
        self.committed.get(usize::try_from(part).ok()?)?.as_ref()
    }

    /// Commit records of all parts that are done, in order.
    pub fn records(&self) -> impl Iterator<Item = &CommitRecord> {
        self.committed.iter().flatten()
    }

    /// A path inside the data set.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Commits a part from its encoded bytes; see the module's documentation.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`], [`EngineError::Parquet`] or [`EngineError::ReadBack`]; then nothing is recorded.
    pub fn commit(&mut self, part: u64, rows: std::ops::Range<u64>, bytes: &[u8]) -> Result<(), EngineError> {
        let record = commit::commit(&self.root, &self.identity, part, rows, bytes)?;
        if let Some(slot) = usize::try_from(part).ok().and_then(|part| self.committed.get_mut(part)) {
            *slot = Some(record);
        }
        Ok(())
    }
}
