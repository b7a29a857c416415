//! What lies in an output directory before a run: nothing, this job's parts, damage, or something that must not be touched.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::commit::{CommitRecord, record_name};
use super::{Identity, Manifest, content, files};
use crate::EngineError;
use crate::columns::FORMAT_VERSION;
use crate::plan::Plan;

/// Something that was found wrong in a data set and put right by forgetting a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The part that will be computed again.
    pub part: u64,
    /// The file at fault, relative to the data set.
    pub file: String,
    /// What is wrong with it.
    pub fault: String,
}

/// Refuses a path that is a file or a directory of something else.
pub(super) fn refuse_strange(root: &Path) -> Result<(), EngineError> {
    if root.is_file() {
        return Err(EngineError::OutputIsFile { path: root.to_path_buf() });
    }
    let entries = fs::read_dir(root).map_err(EngineError::io("read", root))?;
    let empty = entries.count() == 0;
    // An interrupted first run may have left the bare directories.
    let ours =
        root.join("job.toml").is_file() || (root.join("commits").is_dir() && root.join("data").is_dir());
    if empty || ours { Ok(()) } else { Err(EngineError::NotADataSet { path: root.to_path_buf() }) }
}

/// Refuses to take away what this program did not write: `commits/` is what no other directory has.
pub(super) fn refuse_to_remove(root: &Path) -> Result<(), EngineError> {
    refuse_strange(root)?;
    let ours =
        root.join("commits").is_dir() && (root.join("data").is_dir() || root.join("job.toml").is_file());
    let empty = fs::read_dir(root).is_ok_and(|mut entries| entries.next().is_none());
    if ours || empty { Ok(()) } else { Err(EngineError::NotADataSet { path: root.to_path_buf() }) }
}

/// What records and manifests of every version have.
#[derive(Deserialize)]
struct Versioned {
    format_version: u32,
}

/// Version of a record or a manifest, whatever else this program makes of it.
fn format_version(text: &str) -> Option<u32> {
    serde_json::from_str(text).ok().map(|found: Versioned| found.format_version)
}

/// Refuses an output directory that is not this job's.
pub(super) fn refuse_foreign(root: &Path, identity: &Identity) -> Result<(), EngineError> {
    if !root.exists() {
        return Ok(());
    }
    refuse_strange(root)?;
    let other = |found: &str| EngineError::DifferentJob {
        path: root.to_path_buf(),
        expected: short(&identity.hash),
        found: short(found),
    };
    let version =
        |found| EngineError::FormatVersion { path: root.to_path_buf(), found, known: FORMAT_VERSION };
    // Versions first: what another format has made of its records is not damage.
    let records = read_records(root)?;
    let manifest = fs::read_to_string(root.join("manifest.json")).unwrap_or_default();
    let versions = records.iter().filter_map(|found| found.version).chain(format_version(&manifest));
    if let Some(unknown) = versions.into_iter().find(|&version| version != FORMAT_VERSION) {
        return Err(version(unknown));
    }
    let mut known = false;
    for record in records.into_iter().filter_map(|found| found.record) {
        if record.job_hash != identity.hash {
            return Err(other(&record.job_hash));
        }
        known = true;
    }
    if known {
        return Ok(());
    }
    // No rows yet: the manifest or the resolved job say whose directory it is.
    if let Some(manifest) = Manifest::read(root) {
        return if manifest.job_hash == identity.hash { Ok(()) } else { Err(other(&manifest.job_hash)) };
    }
    match fs::read_to_string(root.join("job.toml")) {
        Ok(text) if content(&text) != identity.content => Err(other("unknown: job.toml differs")),
        _ => Ok(()),
    }
}

fn short(hash: &str) -> String {
    hash.get(..12).filter(|_| hash.len() == 64).unwrap_or(hash).to_owned()
}

/// A file found in `commits/`.
struct FoundRecord {
    name: String,
    /// `None` where the text tells none.
    version: Option<u32>,
    /// `None` where the text is no record.
    record: Option<CommitRecord>,
}

/// Files of `commits/`, by name.
fn read_records(root: &Path) -> Result<Vec<FoundRecord>, EngineError> {
    let directory = root.join("commits");
    let Ok(entries) = fs::read_dir(&directory) else { return Ok(Vec::new()) };
    let mut records = Vec::new();
    for entry in entries {
        let entry = entry.map_err(EngineError::io("read", &directory))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        let (version, record) = (format_version(&text), serde_json::from_str(&text).ok());
        records.push(FoundRecord { name, version, record });
    }
    records.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(records)
}

/// Finds the parts that are done, forgets those that do not match their record, and clears
/// `data/` of what an interrupted run left unrecorded.
pub(super) fn take_stock(
    root: &Path,
    identity: &Identity,
    plan: &Plan,
) -> Result<(Vec<Option<CommitRecord>>, Vec<Repair>), EngineError> {
    let parts = usize::try_from(plan.parts).unwrap_or(usize::MAX);
    let mut committed: Vec<Option<CommitRecord>> = vec![None; parts];
    let mut repairs = Vec::new();
    for FoundRecord { name, record, .. } in read_records(root)? {
        let part = name.strip_suffix(".json").and_then(|stem| stem.parse().ok());
        match check(root, identity, plan, &name, record) {
            Ok(record) => {
                if let Some(slot) = usize::try_from(record.part).ok().and_then(|part| committed.get_mut(part))
                {
                    *slot = Some(record);
                }
            }
            Err((file, fault)) => {
                // First the record, so that a kill in between leaves an unrecorded file, not an unmatched record.
                remove(&root.join("commits").join(&name))?;
                repairs.push(Repair { part: part.unwrap_or(u64::MAX), file, fault });
            }
        }
    }
    remove_unrecorded(root, &committed)?;
    Ok((committed, repairs))
}

/// Whether a record and its file are what this plan would write; else the file at fault and why.
fn check(
    root: &Path,
    identity: &Identity,
    plan: &Plan,
    name: &str,
    record: Option<CommitRecord>,
) -> Result<CommitRecord, (String, String)> {
    let record_file = format!("commits/{name}");
    let Some(record) = record else { return Err((record_file, "is not a commit record".to_owned())) };
    if record.part >= plan.parts
        || record.row_range() != plan.part_rows(record.part)
        || record_name(record.part) != name
        || record.job_hash != identity.hash
    {
        return Err((record_file, "does not belong to this job's plan".to_owned()));
    }
    let file = format!("data/{}", record.file);
    let path = root.join("data").join(&record.file);
    match files::hash(&path) {
        Err(_) => Err((file, "is missing or unreadable".to_owned())),
        Ok((_, bytes)) if bytes != record.bytes => {
            Err((file, format!("has {bytes} bytes instead of {}", record.bytes)))
        }
        Ok((hash, _)) if hash != record.blake3 => Err((file, "does not match its checksum".to_owned())),
        Ok(_) => Ok(record),
    }
}

/// Removes files of `data/` that no record names: damaged ones, and those of a run that was stopped before it recorded them.
fn remove_unrecorded(root: &Path, committed: &[Option<CommitRecord>]) -> Result<(), EngineError> {
    let recorded: BTreeSet<&str> = committed.iter().flatten().map(|record| record.file.as_str()).collect();
    let directory = root.join("data");
    let entries = fs::read_dir(&directory).map_err(EngineError::io("read", &directory))?;
    for entry in entries {
        let entry = entry.map_err(EngineError::io("read", &directory))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // Only what carries a part's name: anything else is not ours to delete.
        if !recorded.contains(&*name) && name.starts_with("part-") && name.ends_with(".parquet") {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), EngineError> {
    fs::remove_file(path).map_err(EngineError::io("remove", path))
}
