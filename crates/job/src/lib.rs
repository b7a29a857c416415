//! Jobs: what to simulate, read from a TOML file and `--set` overrides and checked before anything
//! is computed.
//!
//! [`parse`] gives a [`Job`], or every problem at once ([`JobProblems`]), each with the text to
//! underline. The program calls it; plan, scheduler and data set work from its [`JobSpec`], in
//! which every default is filled in and every range is written out.
//!
//! Each key of the job file is declared once, in [`keys::KEYS`]; what it takes and what it is by
//! default stand in `docs/jobs.md`, which is written from there. A key that can be an axis takes a
//! number, a list, or a range (see [`Axis`] for the forms); the grid is the product of the axes.
//! Unknown keys are refused, and so are keys that the choice of source, spectrum, teacher or views
//! leaves without a meaning.
//!
//! An override `table.key=value` replaces the whole value; its value is TOML, or a string without
//! quotes (`data.images=../images.gz`). A later override of one key wins.
//!
//! # How it is read
//!
//! `tree` turns the texts into one tree of values with places, overrides included; `read` goes
//! through the keys and records what is wrong; `check` compares values with each other, as far as
//! they could be read; `values` puts them together. `fields` is the way back: every value of a job
//! by its key.

mod adaptive;
mod axis;
mod boundary;
pub mod chains;
mod check;
mod columns;
mod extension;
mod fields;
mod init;
pub mod keys;
mod numbers;
mod problem;
mod range;
mod read;
mod source;
mod spec;
pub mod stages;
mod tree;
mod values;
mod views_file;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use adaptive::Adaptive;
pub use axis::{AXIS_LIMIT, Axis};
pub use boundary::{BoundarySpec, Recovery};
pub use check::{CELLS_LIMIT, EXPLICIT_SAMPLES_LIMIT, NAME_LIMIT};
pub use extension::{NotAnExtension, cell, remainder};
pub use fields::{AxisColumn, AxisValues};
pub use init::commented;
pub use keys::{Level, Shown};
pub use problem::{JobProblems, Place, Problem, SourceText};
pub use read::nearest;
pub use source::JobSource;
pub use spec::{
    AugmentationSpec, CorruptionSpec, DataSpec, Detail, FeaturesSpec, GaussianSpec, GridSpec, HeldOut,
    HeldOutRows, JobSpec, MOST_PART_ROWS, ModelSpec, OutputSpec, ROW_GROUP_ROWS, RowSource, RowsSpec,
    RunSpec, Sampler, Signal, SpectrumShape, SpectrumSpec, Teacher, ValueRange, ViewsSpec,
};
pub use stages::StageSpec;
pub use views_file::{ViewsFile, views_file};

/// A job and where it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What to simulate.
    pub spec: JobSpec,
    /// `[boundary]`, for whoever asks for critical alignments: [`traced`](Job::traced).
    pub boundary: BoundarySpec,
    /// The texts and the places of their keys, for problems that show only later.
    pub source: JobSource,
}

/// Reads a job from the text of its file and `--set` overrides (`table.key=value`).
///
/// `file_name` names the file in problems and, without directory and extension, is the job's
/// default name. Relative paths in the file are joined to `base_dir`, the job file's directory;
/// those in overrides stay as they are, relative to the working directory. Nothing is read from
/// disk.
///
/// # Errors
///
/// [`JobProblems`] with every problem of the file and the overrides, in the order in which they
/// stand there. A file without any table, and no override, is such a problem: nobody asked for
/// anything.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// let text = "[grid]\nsamples = { from = 100, to = 400, ratio = 2 }";
/// let overrides = ["job.replicates=20".to_owned()];
/// let job = eigensweep_job::parse("small.toml", text, &overrides, Path::new("."))?;
/// assert_eq!(job.spec.job.name, "small");
/// assert_eq!(job.spec.grid.samples.values(), [100, 200, 400]);
/// // Three sample sizes, three paradigms, twenty replicates.
/// assert_eq!(job.spec.cells(), Some(180));
///
/// let problems = eigensweep_job::parse("small.toml", "[grid]\nsamples = 0", &[], Path::new("."));
/// assert_eq!(problems.unwrap_err().problems.len(), 1);
/// # Ok::<(), eigensweep_job::JobProblems>(())
/// ```
pub fn parse(file_name: &str, text: &str, overrides: &[String], base_dir: &Path) -> Result<Job, JobProblems> {
    read_job(file_name, text, overrides, Some(base_dir))
}

/// Reads the job of a data set, as [`JobSpec::to_toml`] printed it, with overrides; relative paths
/// stay as they are.
///
/// Like [`parse`], but takes what was once allowed and is refused in a new job.
///
/// # Errors
///
/// As [`parse`].
pub fn stored(file_name: &str, text: &str, overrides: &[String]) -> Result<Job, JobProblems> {
    read_job(file_name, text, overrides, None)
}

fn read_job(
    file_name: &str,
    text: &str,
    overrides: &[String],
    base_dir: Option<&Path>,
) -> Result<Job, JobProblems> {
    let file = SourceText { name: file_name.to_owned(), text: text.to_owned() };
    let settings =
        overrides.iter().map(|text| SourceText { name: format!("--set {text}"), text: text.clone() });
    let texts: Vec<SourceText> = std::iter::once(file).chain(settings).collect();
    let mut problems = Vec::new();
    let (tree, sound) = tree::read(&texts, &mut problems);
    let source = JobSource::of_job(texts, &tree);
    if sound && tree.is_empty() && overrides.is_empty() {
        problems.push(Problem {
            message: "the job is empty".into(),
            label: "no table".into(),
            help: Some(
                "the least is `[data]` on a line of its own: the built-in synthetic data, with all defaults"
                    .into(),
            ),
            place: Place::FILE,
        });
    }
    if !sound || tree.is_empty() {
        return Err(source.report(problems));
    }
    let mut values = read::read(&tree, &source, base_dir, &mut problems);
    problems.extend(check::values(&source, &mut values, file_name));
    problems.extend(boundary::check(&source, &values));
    let mut spec = values.spec();
    let boundary = BoundarySpec::of(&values);
    if let (Some(spec), None) = (&mut spec, base_dir) {
        // The table stands in the job of a data set only where its rows are critical alignments.
        spec.boundary = boundary.clone().filter(|_| tree.entries().any(|(table, _)| table == "boundary"));
    }
    if let Some(spec) = &spec {
        problems.extend(check::cells(&source, spec));
        problems.extend(check::stages(&source, spec));
    }
    match spec.zip(boundary) {
        Some((spec, boundary)) if problems.is_empty() => Ok(Job { spec, boundary, source }),
        _ => Err(source.report(problems)),
    }
}
