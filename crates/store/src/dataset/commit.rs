//! The commit record, and the protocol that makes a part durable before it counts.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::encode::Encoded;
use super::files;
use super::reader::Footer;
use super::section::Section;
use crate::StoreError;
use crate::active::Active;
use crate::columns::FORMAT_VERSION;
use crate::plan::Plan;

/// `commits/<section>-<part>.json`: what a part must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    /// Version of the format.
    pub format_version: u32,
    /// Hash of the study: the same in all records of a data set.
    pub study: String,
    /// Number of the section.
    pub section: u32,
    /// Hash of the section.
    pub section_hash: String,
    /// Number of the part in its section.
    pub part: u64,
    /// File name within `data/`; empty where the part has no rows.
    pub file: String,
    /// Number of the first row in the section.
    pub first_row: u64,
    /// Number of rows.
    pub rows: u64,
    /// Rows in the file: fewer where it holds blocks (`detail = "summary"`).
    pub file_rows: u64,
    /// Combinations that the part has rows of, with adaptive replicates: [`Active::to_text`] of its
    /// columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<String>,
    /// Rows without a value, by status.
    pub failed: BTreeMap<String, u64>,
    /// Size of the file.
    pub bytes: u64,
    /// BLAKE3 of the file, hexadecimal.
    pub blake3: String,
}

impl CommitRecord {
    /// The combinations that the part has rows of; `None` for all.
    #[must_use]
    pub fn active(&self, plan: &Plan) -> Option<Active> {
        let nothing = || Active::none(plan, 0..0);
        let text = self.active.as_ref()?;
        Some(Active::from_text(plan, plan.part_columns(self.part), text).unwrap_or_else(nothing))
    }

    /// Whether the record is what this plan would give its part.
    pub(super) fn fits(&self, plan: &Plan) -> bool {
        if self.part >= plan.parts {
            return false;
        }
        let all = plan.part_rows(self.part);
        let rows = match &self.active {
            None => Some(all.end - all.start),
            Some(text) => Active::from_text(plan, plan.part_columns(self.part), text)
                .map(|active| active.rows(plan, self.part)),
        };
        self.first_row == all.start && Some(self.rows) == rows && self.file.is_empty() == (self.rows == 0)
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

/// Commits one part, unless another process did so first: then its record is returned, and of two
/// files that one stays. See [`super`]. `encoded` is `None` for a part without rows.
pub(super) fn commit(
    root: &Path,
    section: &Section,
    part: u64,
    active: Option<&Active>,
    encoded: Option<Encoded>,
) -> Result<CommitRecord, StoreError> {
    let plan = &section.plan;
    let all = plan.part_rows(part);
    let mut record = CommitRecord {
        format_version: FORMAT_VERSION,
        study: section.identity.study.clone(),
        section: section.number,
        section_hash: section.identity.hash.clone(),
        part,
        file: String::new(),
        first_row: all.start,
        rows: active.map_or(all.end - all.start, |active| active.rows(plan, part)),
        file_rows: 0,
        active: active.map(|active| active.to_text(plan, plan.part_columns(part))),
        failed: BTreeMap::new(),
        bytes: 0,
        blake3: String::new(),
    };
    let Some(Encoded { staged, rows, bytes, blake3, failed }) = encoded else {
        put(root, &record)?;
        return Ok(record);
    };
    read_back(staged.path(), rows, &blake3)?;
    record.file = format!("part-{}-{part:06}-{}.parquet", part_stem(section.number), &blake3[..8]);
    (record.file_rows, record.failed, record.bytes, record.blake3) = (rows, failed, bytes, blake3);
    let place = root.join("data").join(&record.file);
    files::replace(staged, &place)?;
    let record_place = root.join("commits").join(record_name(section.number, part));
    if put(root, &record)? {
        // Whoever tidied up in between has taken an unrecorded file for a remnant.
        if !place.exists() {
            files::remove(&record_place)?;
            return Err(StoreError::ReadBack { path: place, what: "another process removed it" });
        }
        return Ok(record);
    }
    // Another process was first: the same bytes, unless its machine rounds differently. One file
    // must stay.
    match CommitRecord::read(&record_place) {
        Some(first) if first.file != record.file => {
            files::remove(&place)?;
            Ok(first)
        }
        _ => Ok(record),
    }
}

/// Records a part, unless it is recorded; returns whether this record is it.
pub(super) fn put(root: &Path, record: &CommitRecord) -> Result<bool, StoreError> {
    let place = root.join("commits").join(record_name(record.section, record.part));
    files::write_first(&root.join("staging"), &place, &files::json(record))
}

/// Refuses a copy of a part that is not what its record says.
pub(super) fn verify_copy(place: &Path, record: &CommitRecord) -> Result<(), StoreError> {
    match files::hash(place)? {
        (hash, bytes) if hash == record.blake3 && bytes == record.bytes => Ok(()),
        _ => Err(StoreError::ReadBack { path: place.to_path_buf(), what: "checksum" }),
    }
}

/// Re-opens a staged part: hash and row count must be what was encoded.
fn read_back(staged: &Path, rows: u64, blake3: &str) -> Result<(), StoreError> {
    let fault = |what| StoreError::ReadBack { path: staged.to_path_buf(), what };
    if files::hash(staged)?.0 != blake3 {
        return Err(fault("checksum"));
    }
    if Footer::read(staged)?.rows != rows {
        return Err(fault("number of rows"));
    }
    Ok(())
}
