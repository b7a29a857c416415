//! The commit record, and the protocol that makes a part durable before it counts.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::encode::Encoded;
use super::section::Section;
use super::{files, reader};
use crate::EngineError;
use crate::columns::FORMAT_VERSION;

/// `commits/<section>-<part>.json`: what a part must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// Version of the format.
    pub format_version: u32,
    /// Number of the section.
    pub section: u32,
    /// Hash of the section.
    pub section_hash: String,
    /// Number of the part in its section.
    pub part: u64,
    /// File name within `data/`.
    pub file: String,
    /// Number of the first row in the section.
    pub first_row: u64,
    /// Number of rows.
    pub rows: u64,
    /// Rows in the file: fewer where it holds blocks (`detail = "summary"`).
    pub file_rows: u64,
    /// Rows without a value, by status.
    pub failed: BTreeMap<String, u64>,
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

    /// Reads a record; `None` if there is none, or the text is no record.
    pub(super) fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
    }
}

/// What the names of a section's parts and records begin with.
pub(crate) fn part_stem(section: u32) -> String {
    format!("{section:03}")
}

/// File name of a part's commit record.
pub(super) fn record_name(section: u32, part: u64) -> String {
    format!("{}-{part:06}.json", part_stem(section))
}

/// Commits one part, unless another process did so first: then its record is returned, and of two files that one stays. See
/// [`super`].
pub(super) fn commit(
    root: &Path,
    section: &Section,
    part: u64,
    encoded: Encoded,
) -> Result<CommitRecord, EngineError> {
    let rows = section.plan.part_rows(part);
    let Encoded { staged, rows: file_rows, bytes, blake3, failed } = encoded;
    read_back(staged.path(), file_rows, &blake3)?;
    let file = format!("part-{}-{part:06}-{}.parquet", part_stem(section.number), &blake3[..8]);
    let place = root.join("data").join(&file);
    files::replace(staged, &place)?;

    let record = CommitRecord {
        format_version: FORMAT_VERSION,
        section: section.number,
        section_hash: section.identity.hash.clone(),
        part,
        file,
        first_row: rows.start,
        rows: rows.end - rows.start,
        file_rows,
        failed,
        bytes,
        blake3,
    };
    let record_place = root.join("commits").join(record_name(section.number, part));
    if put(root, &record)? {
        // Whoever tidied up in between has taken an unrecorded file for a remnant.
        if !place.exists() {
            files::remove(&record_place)?;
            return Err(EngineError::ReadBack { path: place, what: "another process removed it" });
        }
        return Ok(record);
    }
    // Another process was first: the same bytes, unless its machine rounds differently. One file must stay.
    match CommitRecord::read(&record_place) {
        Some(first) if first.file != record.file => {
            files::remove(&place)?;
            Ok(first)
        }
        _ => Ok(record),
    }
}

/// Records a part, unless it is recorded; returns whether this record is it.
pub(super) fn put(root: &Path, record: &CommitRecord) -> Result<bool, EngineError> {
    let place = root.join("commits").join(record_name(record.section, record.part));
    files::write_first(&root.join("staging"), &place, &files::json(record))
}

/// Refuses a copy of a part that is not what its record says.
pub(super) fn verify_copy(place: &Path, record: &CommitRecord) -> Result<(), EngineError> {
    match files::hash(place)? {
        (hash, bytes) if hash == record.blake3 && bytes == record.bytes => Ok(()),
        _ => Err(EngineError::ReadBack { path: place.to_path_buf(), what: "checksum" }),
    }
}

/// Re-opens a staged part: hash and row count must be what was encoded.
fn read_back(staged: &Path, rows: u64, blake3: &str) -> Result<(), EngineError> {
    let fault = |what| EngineError::ReadBack { path: staged.to_path_buf(), what };
    if files::hash(staged)?.0 != blake3 {
        return Err(fault("checksum"));
    }
    if reader::row_count(staged)? != rows {
        return Err(fault("number of rows"));
    }
    Ok(())
}
