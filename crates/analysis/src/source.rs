//! A data set's files: found by its commit records, checked, and opened as one lazy frame.
//!
//! Nothing else in this crate knows where a data set keeps what. Only what a query needs is read from the records, so that
//! fields added later do no harm; every file that is scanned is named by a record of `commits/`, never found by a glob: a
//! file without a record does not exist. Sizes are compared; checksums are `verify`'s business.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use eigensweep_engine::input::Input;
pub use eigensweep_job::Detail;
use eigensweep_job::{self as job, Job, JobSpec};
use eigensweep_store::columns::{FORMAT_VERSION, REPLICATES};
use eigensweep_store::dataset::SUMMARY_FILE;
use polars::prelude::*;
use serde::Deserialize;

use crate::AnalysisError;

/// Column that tells the data sets apart where several are read together.
pub const DATASET: &str = "dataset";

/// What is read of a commit record.
#[derive(Deserialize)]
struct Record {
    format_version: u32,
    study: String,
    file: String,
    rows: u64,
    bytes: u64,
}

/// One run that added rows, as the manifest has it. What a manifest does not say is empty.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Run {
    /// Program and version.
    pub program: String,
    /// Host name.
    pub host: String,
    /// Instruction sets that were found.
    pub instruction_set: String,
    /// Worker threads.
    pub threads: u64,
    /// Start, seconds since 1970-01-01 UTC.
    pub started: u64,
    /// Seconds of simulation.
    pub seconds: f64,
    /// Rows that it added.
    pub rows: u64,
}

/// What is read of the manifest: provenance only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Hash of the job.
    pub job_hash: String,
    /// Rows of the whole grid.
    pub rows: u64,
    /// Scheme of the random streams.
    pub streams: String,
    /// Runs, oldest first.
    pub runs: Vec<Run>,
}

/// A data set on disk, its files checked.
#[derive(Clone, Debug)]
pub struct Source {
    /// The directory.
    pub root: PathBuf,
    /// The directory's name, by which the data set goes in column [`DATASET`].
    pub name: String,
    /// The job as resolved.
    pub job: JobSpec,
    /// The same with its text, as the engine loads its input from.
    loadable: Job,
    /// Its input, once it was asked for.
    input: Arc<OnceLock<Option<Input>>>,
    /// Its text.
    pub job_text: String,
    /// Hash of the study, which all records share: of the job without replicates and values of axes.
    study: String,
    /// Hash of the job; empty if the manifest is missing.
    pub job_hash: String,
    /// Committed parts, in order.
    pub parts: Vec<PathBuf>,
    /// Rows of the committed parts.
    pub rows: u64,
    /// Bytes of the committed parts.
    pub bytes: u64,
    /// Streams and runs; empty if the manifest is missing.
    pub provenance: Provenance,
}

impl Source {
    /// Opens the data set in the directory `root`.
    ///
    /// # Errors
    ///
    /// [`AnalysisError::NotADataSet`], [`AnalysisError::FormatVersion`], [`AnalysisError::Damaged`],
    /// [`AnalysisError::PartSize`], [`AnalysisError::Empty`] or [`AnalysisError::Io`].
    pub fn open(root: &Path) -> Result<Self, AnalysisError> {
        let missing = |missing| AnalysisError::NotADataSet { path: root.to_path_buf(), missing };
        if !root.is_dir() {
            return Err(missing("directory"));
        }
        let job_file = root.join("job.toml");
        if !job_file.is_file() {
            return Err(missing("job.toml"));
        }
        let commits = root.join("commits");
        if !commits.is_dir() {
            return Err(missing("commits/"));
        }
        let job_text = read(&job_file)?;
        let loadable = job::parse("job.toml", &job_text, &[], Path::new(""))
            .map_err(|problems| damaged(&job_file, problems))?;
        let job = loadable.spec.clone();
        let mut found = Self {
            root: root.to_path_buf(),
            name: name_of(root, &job.job.name),
            job,
            loadable,
            input: Arc::default(),
            job_text,
            study: String::new(),
            job_hash: String::new(),
            parts: Vec::new(),
            rows: 0,
            bytes: 0,
            provenance: provenance(root),
        };
        found.job_hash = found.provenance.job_hash.clone();
        for path in record_files(&commits)? {
            found.add(&path)?;
        }
        // The summary is written when the job is finished.
        if found.rows == 0 || !found.keeps_rows() && !found.root.join(SUMMARY_FILE).is_file() {
            return Err(AnalysisError::Empty { path: root.to_path_buf() });
        }
        Ok(found)
    }

    /// Adds the part of the record at `path`.
    fn add(&mut self, path: &Path) -> Result<(), AnalysisError> {
        let record: Record = serde_json::from_str(&read(path)?).map_err(|error| damaged(path, error))?;
        if record.format_version != FORMAT_VERSION {
            return Err(AnalysisError::FormatVersion {
                path: path.to_path_buf(),
                found: record.format_version,
                expected: FORMAT_VERSION,
            });
        }
        if self.study.is_empty() {
            self.study = record.study;
        } else if self.study != record.study {
            return Err(damaged(path, "it belongs to another job than the other records"));
        }
        // A part of adaptive replicates may have no rows left, and then no file.
        if record.rows == 0 && record.file.is_empty() {
            return Ok(());
        }
        // A record may name a file of its own data set, nothing else.
        if Path::new(&record.file).components().count() != 1 || record.file.starts_with('.') {
            return Err(damaged(path, "it names a file outside data/"));
        }
        let part = self.root.join("data").join(&record.file);
        let found = fs::metadata(&part).map_err(AnalysisError::io("find the part", &part))?.len();
        if found != record.bytes {
            return Err(AnalysisError::PartSize { path: part, expected: record.bytes, found });
        }
        self.rows += record.rows;
        self.bytes += record.bytes;
        self.parts.push(part);
        Ok(())
    }

    /// Rows of the whole grid; more than [`rows`](Self::rows) while the job is not finished.
    #[must_use]
    pub fn planned_rows(&self) -> u128 {
        // How many replicates there are, adaptive ones tell when they are done.
        if self.job.job.adaptive.is_some() {
            return self.provenance.rows.max(self.rows).into();
        }
        self.job.cells().unwrap_or(u128::MAX)
    }

    /// The job's input, for what theory says of its spectra; `None` where its files are no longer there.
    #[must_use]
    pub fn input(&self) -> Option<&Input> {
        self.input.get_or_init(|| Input::load(&self.loadable).ok()).as_ref()
    }

    /// Whether it keeps rows, and not a summary in their place.
    #[must_use]
    pub fn keeps_rows(&self) -> bool {
        self.job.output.detail == Detail::Rows
    }

    /// The rows, lazily.
    ///
    /// # Errors
    ///
    /// [`AnalysisError::NoRows`], or [`AnalysisError::Query`] if polars refuses the files.
    pub fn scan(&self) -> Result<LazyFrame, AnalysisError> {
        if !self.keeps_rows() {
            return Err(AnalysisError::NoRows { path: self.root.clone() });
        }
        scan(&self.parts)
    }

    /// The summary that the engine wrote, lazily: a row per combination and paradigm, with columns named as those of the view
    /// [`summary`](crate::query::views), and besides `failed`, variances, extremes and quartiles of each metric. Its quantiles are a
    /// sketch's, within 1 %.
    ///
    /// # Errors
    ///
    /// [`AnalysisError::Query`] if polars refuses the file.
    pub fn scan_summary(&self) -> Result<LazyFrame, AnalysisError> {
        let mut frame = scan(&[self.root.join(SUMMARY_FILE)])?;
        let names: Vec<String> = frame.collect_schema()?.iter_names().map(ToString::to_string).collect();
        let new = names.iter().map(|name| match name.strip_suffix("_standard_error") {
            Some(metric) => format!("{metric}_se"),
            None if name == REPLICATES => "rows".to_owned(),
            None => name.clone(),
        });
        Ok(frame.rename(&names, new.collect::<Vec<_>>(), true))
    }
}

/// Files of one schema, lazily.
fn scan(files: &[PathBuf]) -> Result<LazyFrame, AnalysisError> {
    let paths = files.iter().map(|path| PlRefPath::try_from_path(path));
    let paths = paths.collect::<PolarsResult<Vec<_>>>()?.into();
    let options = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    Ok(LazyFrame::scan_parquet_files(paths, options)?)
}

/// Opens several data sets.
///
/// # Errors
///
/// [`AnalysisError::NoDataSet`], or what [`Source::open`] gives for one of them.
pub fn open_all<P: AsRef<Path>>(roots: &[P]) -> Result<Vec<Source>, AnalysisError> {
    if roots.is_empty() {
        return Err(AnalysisError::NoDataSet);
    }
    let mut sources: Vec<Source> =
        roots.iter().map(|root| Source::open(root.as_ref())).collect::<Result<_, _>>()?;
    // Directories of one name in different places: tell them apart by their paths.
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    for source in &mut sources {
        if names.iter().filter(|name| **name == source.name).count() > 1 {
            source.name = source.root.display().to_string();
        }
    }
    Ok(sources)
}

/// What several data sets keep, rows or a summary, as one lazy frame.
///
/// # Errors
///
/// [`AnalysisError::NoDataSet`], [`AnalysisError::Mixed`] if some keep rows and some a summary, or [`AnalysisError::Query`].
pub fn scan_kept(sources: &[Source]) -> Result<(Detail, LazyFrame), AnalysisError> {
    match sources.iter().find(|source| !source.keeps_rows()) {
        None => Ok((Detail::Rows, together(sources, Source::scan)?)),
        Some(source) if sources.iter().any(Source::keeps_rows) => {
            Err(AnalysisError::Mixed { path: source.root.clone() })
        }
        Some(_) => Ok((Detail::Summary, together(sources, Source::scan_summary)?)),
    }
}

/// Several data sets as one lazy frame. Of several, the column [`DATASET`] comes first, and axes that one of them does not have are
/// null there.
fn together(
    sources: &[Source],
    scan: fn(&Source) -> Result<LazyFrame, AnalysisError>,
) -> Result<LazyFrame, AnalysisError> {
    match sources {
        [] => Err(AnalysisError::NoDataSet),
        [source] => scan(source),
        several => {
            let named = |source: &Source| {
                let frame = scan(source)?;
                let name = lit(source.name.clone()).alias(DATASET);
                Ok(frame.select([name, all().as_expr()]))
            };
            let frames = several.iter().map(named).collect::<Result<Vec<_>, AnalysisError>>()?;
            Ok(concat_lf_diagonal(frames, UnionArgs::default())?)
        }
    }
}

fn name_of(root: &Path, job: &str) -> String {
    let absolute = fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    absolute.file_name().map_or_else(|| job.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The records, in order of their names, which is the order of the parts.
fn record_files(commits: &Path) -> Result<Vec<PathBuf>, AnalysisError> {
    let fault = || AnalysisError::io("list", commits);
    let mut files = Vec::new();
    for entry in fs::read_dir(commits).map_err(fault())? {
        let path = entry.map_err(fault())?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The manifest loses nothing but the history of runs: it may be missing or garbled.
fn provenance(root: &Path) -> Provenance {
    let text = fs::read_to_string(root.join("manifest.json")).ok();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

fn read(path: &Path) -> Result<String, AnalysisError> {
    fs::read_to_string(path).map_err(AnalysisError::io("read", path))
}

fn damaged(path: &Path, reason: impl ToString) -> AnalysisError {
    AnalysisError::Damaged { path: path.to_path_buf(), reason: reason.to_string() }
}
