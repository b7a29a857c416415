//! Joining data sets of one study: shards that were written into directories of their own, or into
//! one.

use std::fs;
use std::path::{Path, PathBuf};

use super::lock::Locks;
use super::remains::{self, Look};
use super::section::{self, Section};
use super::{CommitRecord, Dataset, Fault, commit, files, history};
use crate::StoreError;
use crate::shard::Shard;

/// What a merge found.
#[derive(Debug, Default)]
pub struct Merged {
    /// Parts that were brought in.
    pub parts: u64,
    /// Parts that several data sets have, once each beyond the first.
    pub again: u64,
    /// Parts of which two data sets have different bytes: files that stay, and files that were
    /// passed over.
    pub different: Vec<(PathBuf, PathBuf)>,
    /// Parts of no use: damaged ones, with the data set that they are in.
    pub faults: Vec<(PathBuf, Fault)>,
}

/// Brings the parts of `sources` together in `into`, each once, after every byte was verified; a
/// source may be `into` itself. The parts that are missing then are the result's to tell. `holder`
/// says who merges.
///
/// # Errors
///
/// Nothing is written if a source is no data set ([`StoreError::NoDataSet`]), is of another job
/// ([`StoreError::DifferentJob`]), or grew otherwise than the first
/// ([`StoreError::DifferentSections`]). [`StoreError::Busy`] while another process writes the whole
/// of `into`; [`StoreError::Io`].
pub fn merge(sources: &[PathBuf], into: &Path, holder: &str) -> Result<(Dataset, Merged), StoreError> {
    let mut merged = Merged::default();
    let mut read: Vec<Dataset> = Vec::new();
    for root in sources {
        let (dataset, faults) = Dataset::read(root, true)?;
        if let Some(first) = read.first() {
            refuse_other(first, &dataset)?;
        }
        merged.faults.extend(faults.into_iter().map(|fault| (root.clone(), fault)));
        read.push(dataset);
    }
    let Some(model) = read.iter().max_by_key(|dataset| dataset.sections().len()) else {
        return Err(StoreError::NoDataSet { path: into.to_path_buf() });
    };
    if into.exists() {
        remains::refuse_strange(into)?;
        remains::refuse_other_formats(into)?;
        remains::refuse_foreign(
            into,
            model.identity(),
            fingerprint(model),
            &section::read_all(into)?.sections,
        )?;
    }
    files::create_directories(into)?;
    let mut locks = Locks::take(into, Shard::WHOLE, holder)?;
    let alone = locks.enter(into)?;
    let mut sections: Vec<Section> = model.sections().to_vec();
    for section in &mut sections {
        section.committed.fill(None);
        if !section.write(into)? {
            let there = section::read_all(into)?.sections;
            let there = there.iter().find(|other| other.number == section.number);
            return Err(StoreError::DifferentSections {
                path: into.to_path_buf(),
                section: section.number,
                what: there.map_or_else(|| "its rows".to_owned(), |there| difference(there, section)),
            });
        }
    }
    let job_file = into.join("job.toml");
    if !job_file.exists() {
        files::write_whole(&into.join("staging"), &job_file, model.identity().job.as_bytes())?;
    }
    let faults = remains::take_stock(into, &mut sections, Look::Shard(Shard::WHOLE))?;
    remains::forget(into, &faults)?;
    let target = into.canonicalize().ok();
    for dataset in &read {
        if dataset.root().canonicalize().ok() != target {
            for record in dataset.records() {
                bring(dataset, record, into, &mut sections, &mut merged)?;
            }
            for run in history::read_runs(dataset.root())? {
                run.write(into)?;
            }
        }
    }
    if alone {
        remains::tidy(into)?;
    }
    locks.settle();
    let dataset = Dataset {
        root: into.to_path_buf(),
        spec: model.spec().clone(),
        identity: model.identity().clone(),
        sections,
        shard: Shard::WHOLE,
        _locks: Some(locks),
    };
    if dataset.is_complete() {
        dataset.write_summary()?;
    }
    dataset.write_manifest()?;
    Ok((dataset, merged))
}

/// BLAKE3 of the input files of a data set's job.
fn fingerprint(dataset: &Dataset) -> &str {
    dataset.sections().first().map_or("", |section| &section.fingerprint)
}

/// Refuses a data set whose rows would not belong to those of another.
fn refuse_other(first: &Dataset, other: &Dataset) -> Result<(), StoreError> {
    remains::refuse_foreign(other.root(), first.identity(), fingerprint(first), other.sections())?;
    for (one, two) in first.sections().iter().zip(other.sections()) {
        if (one.number, &one.identity.hash) != (two.number, &two.identity.hash) {
            return Err(StoreError::DifferentSections {
                path: other.root().to_path_buf(),
                section: two.number,
                what: difference(two, one),
            });
        }
    }
    Ok(())
}

/// What of a section is not as in another one, in words.
fn difference(section: &Section, other: &Section) -> String {
    // Sections may be numbered otherwise, and hold the same.
    section.identity.section_difference(&other.identity).unwrap_or_else(|| "its number".to_owned())
}

/// Brings one part in, unless it is there.
fn bring(
    from: &Dataset,
    record: &CommitRecord,
    into: &Path,
    sections: &mut [Section],
    merged: &mut Merged,
) -> Result<(), StoreError> {
    let section = sections.iter_mut().find(|section| section.number == record.section);
    let slot = usize::try_from(record.part).ok();
    let Some(slot) = section.zip(slot).and_then(|(section, part)| section.committed.get_mut(part)) else {
        return Ok(());
    };
    let source = from.part_file(record);
    if let Some(there) = slot {
        merged.again += 1;
        if there.blake3 != record.blake3 {
            merged.different.push((into.join("data").join(&there.file), source));
        }
        return Ok(());
    }
    if record.file.is_empty() {
        commit::put(into, record)?;
        *slot = Some(record.clone());
        merged.parts += 1;
        return Ok(());
    }
    let place = into.join("data").join(&record.file);
    // One file for both data sets where the file system can; it is never written to again.
    if fs::hard_link(&source, &place).is_err() {
        let staged = files::stage(&into.join("staging"), &record.file)?;
        fs::copy(&source, staged.path()).map_err(StoreError::io("copy", &source))?;
        staged.as_file().sync_all().map_err(StoreError::io("write", staged.path()))?;
        files::replace(staged, &place)?;
    }
    commit::verify_copy(&place, record)?;
    commit::put(into, record)?;
    *slot = Some(record.clone());
    merged.parts += 1;
    Ok(())
}
