//! The commit record, and the protocol that makes a part durable before it counts.

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Identity, files, part};
use crate::EngineError;
use crate::columns::FORMAT_VERSION;

/// `commits/<part>.json`: what a part must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// Version of the format.
    pub format_version: u32,
    /// Hash of the job.
    pub job_hash: String,
    /// Number of the part.
    pub part: u64,
    /// File name within `data/`.
    pub file: String,
    /// Number of the first row.
    pub first_row: u64,
    /// Number of rows.
    pub rows: u64,
    /// Size of the file.
    pub bytes: u64,
    /// BLAKE3 of the file, hexadecimal.
    pub blake3: String,
}

impl CommitRecord {
    /// Numbers of the rows of the part.
    #[must_use]
    pub fn row_range(&self) -> Range<u64> {
        self.first_row..self.first_row.saturating_add(self.rows)
    }
}

/// File name of a part's commit record.
pub(super) fn record_name(part: u64) -> String {
    format!("{part:06}.json")
}

/// Commits one part; see [`super`].
pub(super) fn commit(
    root: &Path,
    identity: &Identity,
    part: u64,
    rows: Range<u64>,
    bytes: &[u8],
) -> Result<CommitRecord, EngineError> {
    let staging = root.join("staging");
    let blake3 = blake3::hash(bytes).to_hex().to_string();
    let file = format!("part-{part:06}-{}.parquet", &blake3[..8]);
    let staged = files::stage(&staging, &file, bytes)?;
    read_back(&staged, rows.end - rows.start, &blake3)?;
    let place = root.join("data").join(&file);
    fs::rename(&staged, &place).map_err(EngineError::io("rename into place", &place))?;
    files::sync_directory(&root.join("data"))?;

    let record = CommitRecord {
        format_version: FORMAT_VERSION,
        job_hash: identity.hash.clone(),
        part,
        file,
        first_row: rows.start,
        rows: rows.end - rows.start,
        bytes: bytes.len() as u64,
        blake3,
    };
    let mut text = serde_json::to_string_pretty(&record).unwrap_or_default();
    text.push('\n');
    let staged = files::stage(&staging, &record_name(part), text.as_bytes())?;
    let place = root.join("commits").join(record_name(part));
    let mut record = record;
    match fs::hard_link(&staged, &place) {
        Ok(()) => {}
        // Another process committed the same part first: the same bytes, unless its machine rounds differently. One part must stay.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if let Some(first) = read_record(&place).filter(|first| first.file != record.file) {
                let loser = root.join("data").join(&record.file);
                fs::remove_file(&loser).map_err(EngineError::io("remove", &loser))?;
                record = first;
            }
        }
        // File systems without hard links: a rename is still whole.
        Err(_) => fs::rename(&staged, &place).map_err(EngineError::io("rename into place", &place))?,
    }
    let _ = fs::remove_file(&staged);
    files::sync_directory(&root.join("commits"))?;
    Ok(record)
}

fn read_record(path: &Path) -> Option<CommitRecord> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Re-opens a staged part: hash and row count must be what was encoded.
fn read_back(staged: &Path, rows: u64, blake3: &str) -> Result<(), EngineError> {
    let fault = |what| EngineError::ReadBack { path: staged.to_path_buf(), what };
    if files::hash(staged)?.0 != blake3 {
        return Err(fault("checksum"));
    }
    if part::row_count(staged)? != rows {
        return Err(fault("number of rows"));
    }
    Ok(())
}
