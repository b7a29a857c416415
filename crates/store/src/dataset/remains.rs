//! What lies in an output directory before a run: nothing, this study's parts, damage, or something
//! that must not be touched.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::Deserialize;

use super::commit::{CommitRecord, record_name};
use super::section::{self, Section};
use super::{Identity, Manifest, files};
use crate::StoreError;
use crate::columns::FORMAT_VERSION;
use crate::shard::Shard;
use eigensweep_job::{self as job, JobSpec};

/// Something that was found wrong in a data set and put right by forgetting a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The file at fault, relative to the data set.
    pub file: String,
    /// What is wrong with it.
    pub fault: String,
}

/// Refuses a path that is a file or a directory of something else.
pub(super) fn refuse_strange(root: &Path) -> Result<(), StoreError> {
    if root.is_file() {
        return Err(StoreError::OutputIsFile { path: root.to_path_buf() });
    }
    // Bare first: another process may be filling it, whose directories are there before anything
    // else.
    let ours = is_bare(root)?
        || root.join("job.toml").is_file()
        || (root.join("commits").is_dir() && root.join("data").is_dir());
    if ours { Ok(()) } else { Err(StoreError::NotADataSet { path: root.to_path_buf() }) }
}

/// Refuses to take away what this program did not write: `commits/` is what no other directory has.
pub(super) fn refuse_to_remove(root: &Path) -> Result<(), StoreError> {
    refuse_strange(root)?;
    let ours = (root.join("commits").is_dir()
        && (root.join("data").is_dir() || root.join("job.toml").is_file()))
        || is_bare(root)?;
    if ours { Ok(()) } else { Err(StoreError::NotADataSet { path: root.to_path_buf() }) }
}

/// Whether a directory holds nothing, or no more than what a kill leaves of a first run at its
/// beginning or of a removal near its end: empty directories of ours, inputs, and a job that a run
/// has resolved.
fn is_bare(root: &Path) -> Result<bool, StoreError> {
    let bare = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match &*name {
            "job.toml" => matches!(job_file(root), Ok(JobFile::Resolved(_))),
            // Arrays of a run that has yet to begin.
            files::INPUTS => {
                files::list(path).is_ok_and(|inputs| inputs.iter().all(|input| files::is_input(input)))
            }
            name if files::DIRECTORIES.contains(&name) => {
                fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
            }
            _ => false,
        }
    };
    Ok(files::list(root)?.iter().all(|path| bare(path)))
}

/// What `job.toml` is.
enum JobFile {
    Absent,
    /// A job as a run writes it.
    Resolved(Box<JobSpec>),
    /// Somebody's own.
    Strange,
}

fn job_file(root: &Path) -> Result<JobFile, StoreError> {
    let path = root.join("job.toml");
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(JobFile::Absent),
        bytes => bytes.map_err(StoreError::io("read", &path))?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let spec = job::stored("job.toml", &text, &[]).ok().map(|job| job.spec);
    let resolved = spec.filter(|spec| spec.to_toml() == text);
    Ok(resolved.map_or(JobFile::Strange, |spec| JobFile::Resolved(Box::new(spec))))
}

/// What records and manifests of every version have.
#[derive(Deserialize)]
struct Versioned {
    format_version: u32,
}

/// Refuses a data set of which any file is of a format that this program does not know: what
/// another format has made of its files is not damage.
pub(super) fn refuse_other_formats(root: &Path) -> Result<(), StoreError> {
    let mut paths = files::list(&root.join("commits"))?;
    paths.extend(files::list(&root.join("sections"))?);
    paths.push(root.join("manifest.json"));
    for path in paths {
        let text = fs::read_to_string(path).unwrap_or_default();
        let version = serde_json::from_str(&text).ok().map(|found: Versioned| found.format_version);
        if let Some(found) = version.filter(|&version| version != FORMAT_VERSION) {
            return Err(StoreError::FormatVersion { path: root.to_path_buf(), found, known: FORMAT_VERSION });
        }
    }
    Ok(())
}

/// Refuses the data set of another study than that of a job. `fingerprint` is that of the job's
/// input.
pub(super) fn refuse_foreign(
    root: &Path,
    identity: &Identity,
    fingerprint: &str,
    sections: &[Section],
) -> Result<(), StoreError> {
    let refused = |what: String| Err(StoreError::DifferentJob { path: root.to_path_buf(), what });
    let (study, there) = if let Some(section) = sections.first() {
        (section.identity.study.clone(), Some(section.identity.clone()))
    } else if let Some(manifest) = Manifest::read(root) {
        // No sections yet: the manifest may say whose directory it is, or the job file.
        let job = job::stored("manifest.json", &manifest.job, &[]).ok();
        (manifest.study, job.map(|job| Identity::new(&job.spec, fingerprint)))
    } else {
        match job_file(root)? {
            JobFile::Absent => return Ok(()),
            JobFile::Resolved(spec) => {
                let there = Identity::new(&spec, fingerprint);
                (there.study.clone(), Some(there))
            }
            // It must not be written over.
            JobFile::Strange => return refused("job.toml, which no run has written".to_owned()),
        }
    };
    if study == identity.study {
        return Ok(());
    }
    refused(there.map_or_else(|| "what manifest.json says".to_owned(), |there| there.difference(identity)))
}

/// Refuses where records tell of parts of a section that is lost, and that would not be the same if
/// it were made anew: nothing says which rows they hold.
pub(super) fn refuse_orphans(root: &Path, known: &[Section], new: &[Section]) -> Result<(), StoreError> {
    for path in files::list(&root.join("commits"))? {
        let Some(record) = CommitRecord::read(&path) else { continue };
        let there = known.iter().any(|section| section.number == record.section);
        let again = new
            .iter()
            .any(|section| section.number == record.section && section.identity.hash == record.section_hash);
        // Another process may have added it since.
        if !there && !again && !Section::is_sound(root, record.section) {
            return Err(StoreError::Section {
                path: section::path(root, record.section),
                section: record.section,
            });
        }
    }
    Ok(())
}

/// A fault of a part: its file or its record, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Section and part, where the file's name tells.
    pub part: Option<(u32, u64)>,
    /// Name of the record in `commits/`.
    pub(super) record: String,
    /// The file at fault, relative to the data set.
    pub file: String,
    /// What is wrong with it.
    pub fault: String,
}

impl Fault {
    /// A fault of a file that is no part.
    pub(super) fn of_file(file: &str, fault: &str) -> Self {
        Self { part: None, record: String::new(), file: file.to_owned(), fault: fault.to_owned() }
    }
}

/// How closely parts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Every byte of the parts of a shard; of the others, whether they are there and of the right
    /// size.
    Shard(Shard),
    /// Whether they are there and of the right size.
    Sizes,
}

/// Finds the parts that are done and enters them into their sections; returns what is wrong with
/// the others.
pub(super) fn take_stock(
    root: &Path,
    sections: &mut [Section],
    look: Look,
) -> Result<Vec<Fault>, StoreError> {
    let mut faults = Vec::new();
    for path in files::list(&root.join("commits"))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match check(root, sections, &name, CommitRecord::read(&path), look) {
            Ok((section, record)) => {
                let slot = usize::try_from(record.part).ok();
                let slot = slot.and_then(|part| sections[section].committed.get_mut(part));
                slot.into_iter().for_each(|slot| *slot = Some(record.clone()));
            }
            Err((file, fault)) => faults.push(Fault { part: part_of(&name), record: name, file, fault }),
        }
    }
    Ok(faults)
}

/// Section and part that the name of a record tells.
fn part_of(record: &str) -> Option<(u32, u64)> {
    let (section, part) = record.strip_suffix(".json")?.split_once('-')?;
    Some((section.parse().ok()?, part.parse().ok()?))
}

/// The place of a record's section, if it and its file are what the section's plan would write;
/// else the file at fault and why.
fn check(
    root: &Path,
    sections: &[Section],
    name: &str,
    record: Option<CommitRecord>,
    look: Look,
) -> Result<(usize, CommitRecord), (String, String)> {
    let record_file = format!("commits/{name}");
    let Some(record) = record else { return Err((record_file, "is not a commit record".to_owned())) };
    let place = sections.iter().position(|section| section.number == record.section);
    let fits = |section: &Section| {
        record.fits(&section.plan)
            && record_name(record.section, record.part) == name
            && record.section_hash == section.identity.hash
    };
    let Some(place) = place.filter(|&place| fits(&sections[place])) else {
        return Err((record_file, "does not belong to this data set's plan".to_owned()));
    };
    if record.file.is_empty() {
        return Ok((place, record));
    }
    let file = format!("data/{}", record.file);
    let path = root.join("data").join(&record.file);
    let (hash, bytes) = match look {
        Look::Shard(shard) if shard.parts(&sections[place].plan).contains(&record.part) => {
            let found =
                files::hash(&path).map_err(|_| (file.clone(), "is missing or unreadable".to_owned()))?;
            (Some(found.0), found.1)
        }
        Look::Shard(_) | Look::Sizes => {
            let found = fs::metadata(&path);
            (None, found.map_err(|_| (file.clone(), "is missing or unreadable".to_owned()))?.len())
        }
    };
    if bytes != record.bytes {
        return Err((file, format!("has {bytes} bytes instead of {}", record.bytes)));
    }
    if hash.is_some_and(|hash| hash != record.blake3) {
        return Err((file, "does not match its checksum".to_owned()));
    }
    Ok((place, record))
}

/// Removes the records (then the files) of faults, so that the parts are computed again.
pub(super) fn forget(root: &Path, faults: &[Fault]) -> Result<(), StoreError> {
    for fault in faults {
        let path = root.join("commits").join(&fault.record);
        // First the record, so that a kill in between leaves an unrecorded file, not an unmatched
        // record.
        files::remove(&path)?;
        if let Some(name) = fault.file.strip_prefix("data/").filter(|name| is_part(name)) {
            files::remove(&root.join("data").join(name))?;
        }
    }
    Ok(())
}

/// Removes what interrupted runs left: parts that no record names, and staged files. Only for a
/// process that is alone.
pub(super) fn tidy(root: &Path) -> Result<(), StoreError> {
    let parts = files::list(&root.join("data"))?;
    // Records after parts: a part that is recorded meanwhile is recorded here.
    let records = files::list(&root.join("commits"))?;
    let recorded: BTreeSet<String> =
        records.iter().filter_map(|path| CommitRecord::read(path)).map(|record| record.file).collect();
    for path in parts {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Only what carries a part's name: anything else is not ours to delete.
        if is_part(&name) && !recorded.contains(&*name) {
            files::remove(&path)?;
        }
    }
    for path in files::list(&root.join("staging"))? {
        if path.is_file() && path.extension().is_none_or(|extension| extension != "lock") {
            files::remove(&path)?;
        }
    }
    Ok(())
}

/// Whether a file name is one that parts have.
fn is_part(name: &str) -> bool {
    name.starts_with("part-") && name.ends_with(".parquet") && !name.contains(['/', '\\'])
}
