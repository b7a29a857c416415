//! Sections: the boxes of cells that a data set grew by, each with a plan and parts of its own.
//!
//! The first run of a job makes section 0. A later run of the same job with more replicates or
//! values of its axes adds sections for what is new ([`eigensweep_job::remainder`]) and leaves the
//! others alone. `sections/000.json` and so on are written once, by link, before any part of
//! theirs.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::identity::{Identity, thresholds_differ};
use super::{CommitRecord, InputFacts, files};
use crate::StoreError;
use crate::columns::{FORMAT_VERSION, ThresholdsOf};
use crate::plan::{Extents, Plan};
use eigensweep_job::{self as job, JobSpec};

/// Most parts of a section: its commit records then take 2 GB.
pub const MOST_PARTS: u64 = 10_000_000;

/// `sections/<number>.json`: all that is needed to plan a section, without its input files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SectionRecord {
    format_version: u32,
    /// Number of the section, from 0.
    number: u32,
    /// Hash of the study.
    study: String,
    /// Hash of the section.
    hash: String,
    /// Sizes of the input.
    extents: Extents,
    /// BLAKE3 of the input files.
    fingerprint: String,
    /// The section as a job, in TOML; of adaptive replicates, the whole job.
    job: String,
    /// Which round of adaptive replicates it is.
    round: usize,
    /// The dimension whose thresholds it holds; absent where they are those of k₀, because all k
    /// are or because it was written before they took k into account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thresholds: Option<ThresholdsOf>,
    /// BLAKE3 of all this.
    checksum: String,
}

impl SectionRecord {
    fn sum(&self) -> String {
        let content = Self { checksum: String::new(), ..self.clone() };
        blake3::hash(&files::json(&content)).to_hex().to_string()
    }
}

/// A section of a data set and what is done of it.
#[derive(Clone, Debug)]
pub struct Section {
    /// Number, from 0 in the order of growth.
    pub number: u32,
    /// The section as a job.
    pub spec: JobSpec,
    /// Its hashes.
    pub identity: Identity,
    /// Which round of adaptive replicates it is; 0 where they are fixed.
    pub round: usize,
    /// Sizes of its input.
    pub extents: Extents,
    /// BLAKE3 of its input files; empty if it has none.
    pub fingerprint: String,
    /// The dimension whose thresholds it holds.
    pub thresholds: ThresholdsOf,
    /// Its division into parts.
    pub plan: Plan,
    /// Commit records by part.
    pub(super) committed: Vec<Option<CommitRecord>>,
}

impl Section {
    /// The section that `spec` is, with nothing done.
    pub(super) fn new(
        number: u32,
        spec: JobSpec,
        extents: Extents,
        fingerprint: String,
        thresholds: ThresholdsOf,
    ) -> Result<Self, StoreError> {
        let plan = Plan::new(&spec, extents)?;
        let identity = Identity::with(&spec, &fingerprint, thresholds);
        let round = spec.rounds().iter().position(|round| round.job.range() == spec.job.range());
        let round = round.unwrap_or(0);
        let too_many = || StoreError::TooManyParts { parts: plan.parts, limit: MOST_PARTS };
        let parts = usize::try_from(plan.parts).ok().filter(|_| plan.parts <= MOST_PARTS);
        let parts = parts.ok_or_else(too_many)?;
        let committed = vec![None; parts];
        Ok(Self { number, spec, identity, round, extents, fingerprint, thresholds, plan, committed })
    }

    /// The section of a loaded job.
    ///
    /// # Errors
    ///
    /// [`StoreError::TaskTooLarge`] or [`StoreError::TooManyParts`].
    pub fn of_input(number: u32, spec: JobSpec, input: &InputFacts) -> Result<Self, StoreError> {
        Self::beside(&[], number, spec, input)
    }

    /// A section of a data set that has others, whose kind of thresholds it takes.
    pub(super) fn beside(
        others: &[Self],
        number: u32,
        spec: JobSpec,
        input: &InputFacts,
    ) -> Result<Self, StoreError> {
        let extents = input.extents.of_part(&spec);
        Self::new(number, spec, extents, input.fingerprint.clone(), thresholds(others))
    }

    /// Reads a section's file; `None` if it says nothing sound.
    fn read(path: &Path) -> Option<Self> {
        let record: SectionRecord = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
        if record.checksum != record.sum() {
            return None;
        }
        let job = job::stored("job.toml", &record.job, &[]).ok()?.spec;
        let spec = job.rounds().into_iter().nth(record.round)?;
        let thresholds = match record.thresholds {
            None if thresholds_differ(&spec) => ThresholdsOf::Components,
            known => known.unwrap_or_default(),
        };
        let section = Self::new(record.number, spec, record.extents, record.fingerprint, thresholds).ok()?;
        let known = section.identity.hash == record.hash && section.identity.study == record.study;
        (known && file_name(section.number) == path.file_name()?.to_str()?).then_some(section)
    }

    /// Whether a data set has a section of this number whose file is sound.
    pub(super) fn is_sound(root: &Path, number: u32) -> bool {
        Self::read(&path(root, number)).is_some()
    }

    /// Writes the section's file unless there is one; returns whether this one is it.
    pub(super) fn write(&self, root: &Path) -> Result<bool, StoreError> {
        let mut record = SectionRecord {
            format_version: FORMAT_VERSION,
            number: self.number,
            study: self.identity.study.clone(),
            hash: self.identity.hash.clone(),
            extents: self.extents,
            fingerprint: self.fingerprint.clone(),
            job: self.identity.job.clone(),
            round: self.round,
            thresholds: Some(self.thresholds)
                .filter(|&of| of == ThresholdsOf::Dimension && thresholds_differ(&self.spec)),
            checksum: String::new(),
        };
        record.checksum = record.sum();
        let path = path(root, self.number);
        if files::write_first(&root.join("staging"), &path, &files::json(&record))? {
            return Ok(true);
        }
        Ok(Self::read(&path).is_some_and(|there| there.identity.hash == self.identity.hash))
    }

    /// The section without what is done of it.
    #[must_use]
    pub fn blank(&self) -> Self {
        Self {
            number: self.number,
            spec: self.spec.clone(),
            identity: self.identity.clone(),
            round: self.round,
            extents: self.extents,
            fingerprint: self.fingerprint.clone(),
            thresholds: self.thresholds,
            plan: self.plan.clone(),
            committed: Vec::new(),
        }
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

    /// Commit records of the parts that are done, in order.
    pub fn records(&self) -> impl Iterator<Item = &CommitRecord> {
        self.committed.iter().flatten()
    }

    /// The rows of a part that is done, in the order of its file.
    pub fn written<'s>(&'s self, record: &'s CommitRecord) -> impl Iterator<Item = u64> + 's {
        let active = record.active(&self.plan);
        let rows = self.plan.grid.written(self.plan.part_units(record.part));
        rows.filter(move |&row| active.as_ref().is_none_or(|active| active.row(&self.plan.grid, row)))
    }

    /// Rows of a part: of one that is done, those that it has; else those that it may have.
    #[must_use]
    pub fn part_rows(&self, part: u64) -> u64 {
        let all = self.plan.part_rows(part);
        self.record(part).map_or(all.end - all.start, |record| record.rows)
    }

    /// Rows of all parts.
    #[must_use]
    pub fn rows(&self) -> u64 {
        if self.plan.adaptive {
            (0..self.plan.parts).map(|part| self.part_rows(part)).sum()
        } else {
            self.plan.grid.rows()
        }
    }

    /// Rows that are done.
    #[must_use]
    pub fn rows_done(&self) -> u64 {
        self.records().map(|record| record.rows).sum()
    }
}

/// The dimension whose thresholds a data set with these sections holds.
pub(super) fn thresholds(sections: &[Section]) -> ThresholdsOf {
    let before = sections.iter().any(|section| section.thresholds == ThresholdsOf::Components);
    if before { ThresholdsOf::Components } else { ThresholdsOf::Dimension }
}

fn file_name(number: u32) -> String {
    format!("{number:03}.json")
}

/// Where a section's file is.
pub(super) fn path(root: &Path, number: u32) -> PathBuf {
    root.join("sections").join(file_name(number))
}

/// What `sections/` holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Sound sections, in order.
    pub(super) sections: Vec<Section>,
    /// Files that say nothing sound.
    pub(super) damaged: Vec<PathBuf>,
}

/// Reads all sections of a data set.
pub(super) fn read_all(root: &Path) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for path in files::list(&root.join("sections"))? {
        match Section::read(&path) {
            Some(section) => found.sections.push(section),
            None => found.damaged.push(path),
        }
    }
    found.sections.sort_by_key(|section| section.number);
    Ok(found)
}
