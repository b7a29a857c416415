//! A data set on disk: a directory in which a part appears whole or not at all.
//!
//! | path | what |
//! |---|---|
//! | `data/part-000-000000-<hash8>.parquet` | committed parts of one schema, nothing else |
//! | `commits/000-000000.json` | one record a part; a part is done iff its record exists and its file matches |
//! | `sections/000.json` | which rows of the job the parts 000-… are, and of which dimension their thresholds: one file each time that the job grew |
//! | `logs/run-….json` | one file a run: who, what, how fast; times and hosts live here and in the manifest only |
//! | `staging/` | work in progress and locks; whatever lies there may be deleted |
//! | `job.toml` | the job as resolved |
//! | `inputs/` | arrays that a Python program gave the job, each under the hash of its content |
//! | `manifest.json` | a snapshot derived from the others |
//!
//! **Commit of a part** ([`Collector::commit`]): write `staging/…`, read back and hash, fsync,
//! rename into `data/`, fsync `data/`; write the commit record to `staging/`, fsync, put it into
//! `commits/` unless there is one (the first writer wins; a loser's bytes are the same), fsync
//! `commits/`. A kill at any point leaves the data set readable: an unrecorded file in `data/` is
//! whole, and the next run that is alone removes it, or the same bytes come under the same name.

mod arrays;
mod batches;
mod blocks;
mod collector;
mod commit;
mod digest;
mod encode;
mod files;
mod history;
mod identity;
mod lock;
mod manifest;
mod merge;
mod part;
mod reader;
mod remains;
mod schema;
mod section;

use std::path::{Path, PathBuf};

pub use batches::Batches;
pub use collector::Collector;
pub use commit::CommitRecord;
pub(crate) use commit::part_stem;
pub use digest::{Cell, Columns, SUMMARY_FILE};
pub use encode::Encoded;
pub use files::{INPUT_DIGITS, INPUTS, input_names};
pub use history::{RunRecord, RunState, read_runs};
pub use identity::Identity;
#[cfg(unix)]
pub use lock::Forking;
pub use manifest::{Manifest, SectionSummary};
pub use merge::{Merged, merge};
pub use reader::read_columns;
pub use reader::{floats, text, value};
pub use remains::{Fault, Repair};
pub use section::{MOST_PARTS, Section};

use crate::StoreError;
use crate::columns::ThresholdsOf;
use crate::plan::Extents;
use crate::shard::Shard;
use eigensweep_job::{self as job, Job, JobProblems, JobSpec};
use lock::Locks;
use remains::Look;

/// What a data set must know of its job's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFacts {
    /// Its sizes.
    pub extents: Extents,
    /// BLAKE3 of its files, so that a resumed run notices other data under the same path; empty if
    /// it has none.
    pub fingerprint: String,
}

/// A data set of one job, open for a shard to write or for everyone to read.
#[derive(Debug)]
pub struct Dataset {
    root: PathBuf,
    spec: JobSpec,
    identity: Identity,
    sections: Vec<Section>,
    shard: Shard,
    /// Held as long as the data set is open.
    _locks: Option<Locks>,
}

impl Dataset {
    /// Creates the data set of a job at `root`, or adds to it the sections that the job asks for
    /// beyond what is there: what several shards then find. Parts are neither read nor written.
    ///
    /// # Errors
    ///
    /// Those of [`Self::open`], but not [`StoreError::Busy`] because of a shard.
    pub fn create(root: &Path, spec: &JobSpec, input: &InputFacts) -> Result<(), StoreError> {
        let identity = Identity::new(spec, &input.fingerprint);
        admit(root, spec, input, &identity)?;
        establish(root, spec, input, &identity).map(drop)
    }

    /// Opens the data set at `root` for a shard of a job, creating it if there is nothing, and
    /// finds out which parts are done. Parts of the shard that do not match their record are
    /// forgotten, so that they are computed again; what was found is returned. Where the job asks
    /// for more than the data set has, sections are added. `holder` says who opens it.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutputIsFile`], [`StoreError::NotADataSet`], [`StoreError::DifferentJob`],
    /// [`StoreError::NotExtended`], [`StoreError::FormatVersion`], [`StoreError::Section`],
    /// [`StoreError::TaskTooLarge`], [`StoreError::TooManyParts`], [`StoreError::Busy`], or
    /// [`StoreError::Io`] where the file system refuses.
    pub fn open(
        root: &Path,
        spec: &JobSpec,
        input: &InputFacts,
        shard: Shard,
        holder: &str,
    ) -> Result<(Self, Vec<Repair>), StoreError> {
        let identity = Identity::new(spec, &input.fingerprint);
        admit(root, spec, input, &identity)?;
        let mut locks = Locks::take(root, shard, holder)?;
        let alone = locks.enter(root)?;
        let mut sections = establish(root, spec, input, &identity)?;
        let identity = Identity::with(spec, &input.fingerprint, section::thresholds(&sections));
        let faults = remains::take_stock(root, &mut sections, Look::Shard(shard))?;
        // Those of other shards are theirs to repair.
        let own = |fault: &Fault| {
            let Some((number, part)) = fault.part else { return shard.is_whole() };
            let section = sections.iter().find(|section| section.number == number);
            section.map_or(shard.is_whole(), |section| {
                shard.parts(&section.plan).contains(&part) || part >= section.plan.parts && shard.is_whole()
            })
        };
        let faults: Vec<Fault> = faults.into_iter().filter(own).collect();
        remains::forget(root, &faults)?;
        if alone {
            remains::tidy(root)?;
        }
        locks.settle();
        let repairs = faults.into_iter().map(|Fault { file, fault, .. }| Repair { file, fault }).collect();
        let dataset = Self {
            root: root.to_path_buf(),
            spec: spec.clone(),
            identity,
            sections,
            shard,
            _locks: Some(locks),
        };
        Ok((dataset, repairs))
    }

    /// Opens a data set to read it. Faults of its parts are returned: all if `verify`, which reads
    /// every byte; else missing files and wrong sizes. Nothing is changed.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoDataSet`], [`StoreError::FormatVersion`], [`StoreError::Section`] or
    /// [`StoreError::Io`].
    pub fn read(root: &Path, verify: bool) -> Result<(Self, Vec<Fault>), StoreError> {
        if !root.join("commits").is_dir() {
            return Err(StoreError::NoDataSet { path: root.to_path_buf() });
        }
        remains::refuse_other_formats(root)?;
        let found = section::read_all(root)?;
        if let Some(path) = found.damaged.into_iter().next() {
            return Err(damaged(path));
        }
        let mut sections = found.sections;
        let Some(first) = sections.first() else {
            return Err(StoreError::NoDataSet { path: root.to_path_buf() });
        };
        // The job as last asked for: section 0 if that file is lost.
        let text = std::fs::read_to_string(root.join("job.toml")).unwrap_or_default();
        let parsed = job::stored("job.toml", &text, &[]).ok().map(|job| job.spec);
        let known =
            parsed.filter(|spec| Identity::new(spec, &first.fingerprint).study == first.identity.study);
        let spec = known.unwrap_or_else(|| first.spec.clone());
        let identity = Identity::with(&spec, &first.fingerprint, section::thresholds(&sections));
        let look = if verify { Look::Shard(Shard::WHOLE) } else { Look::Sizes };
        let faults = remains::take_stock(root, &mut sections, look)?;
        let dataset =
            Self { root: root.to_path_buf(), spec, identity, sections, shard: Shard::WHOLE, _locks: None };
        Ok((dataset, faults))
    }

    /// Removes a data set (only one that this program wrote) so that a run of `job` starts afresh;
    /// what else lies in its directory stays, and so do inputs of its own that the job reads.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutputIsFile`], [`StoreError::NotADataSet`], [`StoreError::Busy`] or
    /// [`StoreError::Io`].
    pub fn remove(root: &Path, job: Option<&JobSpec>) -> Result<(), StoreError> {
        if !root.exists() {
            return Ok(());
        }
        remains::refuse_to_remove(root)?;
        Locks::refuse_writers(root)?;
        let mut job = job.cloned();
        let read = job.iter_mut().flat_map(JobSpec::paths_mut);
        let read: Vec<PathBuf> = read.filter_map(|path| std::fs::canonicalize(path).ok()).collect();
        files::remove_contents(root, &read)
    }

    /// Refuses a directory in which a run would not begin: a file, or one that holds something
    /// else.
    ///
    /// # Errors
    ///
    /// [`StoreError::OutputIsFile`], [`StoreError::NotADataSet`] or [`StoreError::Io`].
    pub fn refuse_strange(root: &Path) -> Result<(), StoreError> {
        if root.exists() { remains::refuse_strange(root) } else { Ok(()) }
    }

    /// The job as last asked for, read again with overrides. Of inputs in the data set's own
    /// directory ([`INPUTS`]) the paths follow where that has been moved to.
    ///
    /// # Errors
    ///
    /// What is wrong with the overrides.
    pub fn job(&self, overrides: &[String]) -> Result<Job, JobProblems> {
        let name = self.path("job.toml").display().to_string();
        // Paths in a resolved job are relative to where its run was started.
        let mut job = job::stored(&name, &self.identity.job, overrides)?;
        for file in job.spec.paths_mut() {
            let Some(name) = file.file_name() else { continue };
            let (moved, own) =
                (self.path(INPUTS).join(name), file.parent().is_some_and(|at| at.ends_with(INPUTS)));
            if own && !file.exists() && moved.is_file() {
                *file = moved;
            }
        }
        Ok(job)
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The job whose rows these are.
    #[must_use]
    pub fn spec(&self) -> &JobSpec {
        &self.spec
    }

    /// Its hashes.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Refuses critical alignments, for whoever needs rows of replicates.
    ///
    /// # Errors
    ///
    /// [`StoreError::Boundaries`].
    pub fn refuse_boundaries(&self) -> Result<(), StoreError> {
        match self.spec.boundary {
            None => Ok(()),
            Some(_) => Err(StoreError::Boundaries { path: self.root.clone() }),
        }
    }

    /// The dimension whose thresholds its rows hold.
    #[must_use]
    pub fn thresholds(&self) -> ThresholdsOf {
        section::thresholds(&self.sections)
    }

    /// What to say of a data set whose thresholds are those of an earlier version.
    #[must_use]
    pub fn age_remark(&self) -> Option<String> {
        (self.thresholds() == ThresholdsOf::Components).then(|| {
            format!(
                "{} was begun by an earlier version and goes on as it began: its thresholds are those of k = k₀ at every k",
                self.root().display()
            )
        })
    }

    /// The shard that this process writes.
    #[must_use]
    pub fn shard(&self) -> Shard {
        self.shard
    }

    /// The boxes of cells that the data set grew by, in order.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Commit records of all parts that are done, in order.
    pub fn records(&self) -> impl Iterator<Item = &CommitRecord> {
        self.sections.iter().flat_map(Section::records)
    }

    /// Rows of the whole grid; with adaptive replicates, of what is done and at most of the rest.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.sections.iter().map(Section::rows).sum()
    }

    /// Rows that are done.
    #[must_use]
    pub fn rows_done(&self) -> u64 {
        self.sections.iter().map(Section::rows_done).sum()
    }

    /// Whether every part is done.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.sections.iter().all(|section| section.committed.iter().all(Option::is_some))
    }

    /// A path inside the data set.
    #[must_use]
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The file of a part that is done.
    #[must_use]
    pub fn part_file(&self, record: &CommitRecord) -> PathBuf {
        self.root.join("data").join(&record.file)
    }

    /// Notes that a part of the section at `place` has been committed.
    pub fn note(&mut self, place: usize, record: CommitRecord) {
        let slot = usize::try_from(record.part).ok();
        if let Some(slot) = slot.and_then(|part| self.sections[place].committed.get_mut(part)) {
            *slot = Some(record);
        }
    }
}

/// Refuses all that may be refused, before anything is written; else creates the directories that
/// are missing.
fn admit(root: &Path, spec: &JobSpec, input: &InputFacts, identity: &Identity) -> Result<(), StoreError> {
    let mut known = Vec::new();
    if root.exists() {
        remains::refuse_strange(root)?;
        remains::refuse_other_formats(root)?;
        known = known_sections(root, spec, identity, &input.fingerprint)?;
    }
    let new = new_sections(root, spec, input, &known)?;
    if root.exists() {
        remains::refuse_orphans(root, &known, &new)?;
    }
    files::create_directories(root)
}

/// Writes the job and the sections that are missing; returns all sections.
fn establish(
    root: &Path,
    spec: &JobSpec,
    input: &InputFacts,
    identity: &Identity,
) -> Result<Vec<Section>, StoreError> {
    let sections = sections(root, spec, input, identity)?;
    let job_file = root.join("job.toml");
    if std::fs::read_to_string(&job_file).ok().as_deref() != Some(identity.job.as_str()) {
        files::write_whole(&root.join("staging"), &job_file, identity.job.as_bytes())?;
    }
    Ok(sections)
}

/// The sound sections that a directory has, all of this study.
fn known_sections(
    root: &Path,
    spec: &JobSpec,
    identity: &Identity,
    fingerprint: &str,
) -> Result<Vec<Section>, StoreError> {
    let sections = section::read_all(root)?.sections;
    let traced = |spec: &JobSpec| spec.boundary.is_some();
    if let Some(first) = sections.first().filter(|first| traced(&first.spec) != traced(spec)) {
        let found = match traced(&first.spec) {
            true => "critical alignments, a data set of `boundary`",
            false => "rows of replicates, a data set of `run`",
        };
        return Err(StoreError::OtherKind { path: root.to_path_buf(), found });
    }
    remains::refuse_foreign(root, identity, fingerprint, &sections)?;
    Ok(sections)
}

/// The sections that a job adds to those that a directory has.
fn new_sections(
    root: &Path,
    spec: &JobSpec,
    input: &InputFacts,
    known: &[Section],
) -> Result<Vec<Section>, StoreError> {
    let specs: Vec<JobSpec> = known.iter().map(|section| section.spec.clone()).collect();
    let new = job::remainder(spec, &specs)
        .map_err(|reason| StoreError::NotExtended { path: root.to_path_buf(), reason })?;
    let free = (0..u32::MAX).filter(|number| known.iter().all(|section| section.number != *number));
    new.into_iter().zip(free).map(|(spec, number)| Section::beside(known, number, spec, input)).collect()
}

/// The sections of a job in a directory: those that are there and, written now, what the job asks
/// for beyond them.
fn sections(
    root: &Path,
    spec: &JobSpec,
    input: &InputFacts,
    identity: &Identity,
) -> Result<Vec<Section>, StoreError> {
    /// Other processes that may extend the data set at the same moment.
    const ATTEMPTS: usize = 8;
    // No record depends on them: that has been refused.
    for path in section::read_all(root)?.damaged {
        files::remove(&path)?;
    }
    for _ in 0..ATTEMPTS {
        let mut sections = known_sections(root, spec, identity, &input.fingerprint)?;
        let mut all_ours = true;
        for section in new_sections(root, spec, input, &sections)? {
            all_ours = section.write(root)?;
            if !all_ours {
                break;
            }
            sections.push(section);
        }
        if all_ours {
            sections.sort_by_key(|section| section.number);
            return Ok(sections);
        }
    }
    Err(StoreError::Busy { path: root.to_path_buf(), holder: "another process extends it".to_owned() })
}

fn damaged(path: PathBuf) -> StoreError {
    let section = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()).unwrap_or(0);
    StoreError::Section { path, section }
}
