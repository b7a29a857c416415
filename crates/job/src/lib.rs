//! Jobs: what to simulate, read from a TOML file and `--set` overrides and checked before anything is computed.
//!
//! [`parse`] gives a [`Job`], or every problem at once ([`JobProblems`]), each with the text to underline. The program
//! calls it; plan, scheduler and data set work from its [`JobSpec`], in which every default is filled in and every
//! range is written out.
//!
//! # The job file
//!
//! A key marked *axis* takes a number, a list, or a range (see [`Axis`] for the forms); the grid is the product of the
//! axes. Every key may be left out but those marked *required*. Unknown keys are refused, and so are keys that the
//! choice of source, spectrum or teacher leaves without a meaning.
//!
//! | table | key | value | default |
//! |---|---|---|---|
//! | `[job]` | `name` | ASCII letters, digits, `-`, `_`, `.`; not first `.` | the file's name without extension |
//! | | `seed` | 0 … 2⁶⁴ − 1 | 0 |
//! | | `replicates` | 1 … 2³¹ − 1, or [`{ min, max, relative_error }`](Adaptive) | 100 |
//! | | `first_replicate` | 0 …: number of the first replicate | 0 |
//! | `[data]` | `source` | `"gaussian"`, `"idx"` | `"gaussian"` |
//! | gaussian | `components` | k₀ ≥ 1, *axis* | 50, or the length of a list `spectrum` |
//! | gaussian | `spectrum` | `"uniform"`, `"flat"`, `"power-law"`, or a list of numbers > 0 | `"power-law"` |
//! | gaussian | `scale` | > 0, *axis*: the largest eigenvalue, or what multiplies the list | 1e4; of a list 1 |
//! | gaussian, power-law | `decay` | ≥ 0, *axis*: eigenvalue i is `scale · i^(−decay)` | 1 |
//! | gaussian | `teacher` | `"classes"`, `"linear"` | `"classes"` |
//! | gaussian | `label_count` | ℓ ≥ 1; of classes ≥ 2 | 10 |
//! | gaussian, classes | `separation` | in (0, 1), *axis*: share of the variance along the class directions that lies between | 0.5 |
//! | gaussian, linear | `label_noise` | in [0, 1], *axis*: noise share of the labels' variance | 0.1 |
//! | idx | `images`, `labels` | paths, relative to the job file | *required* |
//! | idx | `components` | k₀ ≥ 1, *axis*: principal components | the raw features |
//! | `[corruption]` | `kind` | `"spectral"` | `"spectral"` |
//! | | `components` | p ≥ 1, *axis* | 50, or the length of a list `spectrum` |
//! | | `spectrum` | as above, items ≥ 0 | `"uniform"` |
//! | | `scale` | ≥ 0, *axis*: λ_max^Γ | 1e3; of a list 1 |
//! | power-law | `decay` | ≥ 0, *axis* | 1 |
//! | `[augmentation]` | `kind` | `"spectral"` | `"spectral"` |
//! | | `spectrum` | as above, items ≥ 0; a list has k₀ + p items | `"uniform"` |
//! | | `scale` | ≥ 0, *axis*: λ_max^Θ | 1e4; of a list 1 |
//! | power-law | `decay` | ≥ 0, *axis* | 1 |
//! | | `alignment` | α ≥ 0, *axis* | 1 |
//! | `[model]` | `paradigms` | any of `"supervised"`, `"joint-embedding"`, `"reconstruction"` | all |
//! | | `dimension` | 1 ≤ k ≤ k₀ + p, *axis* | `data.components`, if that is one number; else *required* |
//! | `[grid]` | `samples` | n in 1 … 10¹⁵, *axis* | 100, 200, 400, …, 51200 |
//! | `[sampler]` | `kind` | `"moments"`, `"explicit"` (n ≤ 10⁸) | `"moments"` |
//! | `[output]` | `metrics` | any of `"distance"`, `"leakage"`, `"gap"` | all |
//! | | `detail` | `"rows"`, `"summary"` (count, mean, variance, extremes and quantiles over replicates only) | `"rows"` |
//! | | `part_rows` | 1 … 2²⁴: most rows of a Parquet file | 983040 |
//! | | `max_failed` | 0 … 1: share of rows without a value above which `run` exits with 3 | 0.01 |
//!
//! An override `table.key=value` replaces the whole value; its value is TOML, or a string without quotes
//! (`data.images=../images.gz`). A later override of one key wins.
//!
//! # How it is read
//!
//! `tree` turns the texts into one tree of values with places, overrides included; each table has a reader, which
//! records problems and goes on; `check` compares the tables with each other, as far as they could be read.

mod adaptive;
mod axis;
mod check;
mod columns;
mod data;
mod extension;
mod model;
mod noise;
mod numbers;
mod print;
mod problem;
mod range;
mod read;
mod run;
mod source;
mod spectrum;
mod tree;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use adaptive::Adaptive;
pub use axis::{AXIS_LIMIT, Axis};
pub use check::{CELLS_LIMIT, EXPLICIT_SAMPLES_LIMIT};
pub use columns::{AxisColumn, AxisValues};
pub use data::{
    DEFAULT_COMPONENTS, DEFAULT_LABEL_COUNT, DEFAULT_LABEL_NOISE, DEFAULT_SEPARATION, DEFAULT_SIGNAL_SCALE,
    DataSpec, GaussianSpec, IdxSpec, Teacher,
};
pub use extension::{NotAnExtension, cell, remainder};
pub use model::ModelSpec;
pub use noise::{
    AugmentationSpec, CorruptionSpec, DEFAULT_ALIGNMENT, DEFAULT_AUGMENTATION_SCALE,
    DEFAULT_NOISE_COMPONENTS, DEFAULT_NOISE_SCALE,
};
pub use problem::{JobProblems, Place, Problem, SourceText};
pub use run::{
    DEFAULT_MAX_FAILED, DEFAULT_PART_ROWS, DEFAULT_REPLICATES, DEFAULT_SAMPLES, DEFAULT_SEED, Detail,
    GridSpec, MOST_PART_ROWS, NAME_LIMIT, OutputSpec, ROW_GROUP_ROWS, RunSpec, Sampler,
};
pub use source::JobSource;
pub use spectrum::{DEFAULT_DECAY, LIST_SCALE, SpectrumShape, SpectrumSpec};

use read::TableReader;
pub use read::nearest;

/// A valid job, one field per table of the job file.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// `[job]`: name, seed, replicates.
    pub job: RunSpec,
    /// `[data]`: inputs and labels.
    pub data: DataSpec,
    /// `[corruption]`: the noise of the samples, Γ.
    pub corruption: CorruptionSpec,
    /// `[augmentation]`: the views, Σ = Θ + α²Γ.
    pub augmentation: AugmentationSpec,
    /// `[model]`: paradigms and dimension.
    pub model: ModelSpec,
    /// `[grid]`: sizes of the samples.
    pub grid: GridSpec,
    /// `[sampler]`: how moments are drawn.
    pub sampler: Sampler,
    /// `[output]`: what is reported.
    pub output: OutputSpec,
}

/// A job and where it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What to simulate.
    pub spec: JobSpec,
    /// The texts and the places of their keys, for problems that show only later.
    pub source: JobSource,
}

/// Reads a job from the text of its file and `--set` overrides (`table.key=value`).
///
/// `file_name` names the file in problems and, without directory and extension, is the job's default name. Relative
/// paths in the job are joined to `base_dir`, the job file's directory. Nothing is read from disk.
///
/// # Errors
///
/// [`JobProblems`] with every problem of the file and the overrides, in the order in which they stand there.
pub fn parse(file_name: &str, text: &str, overrides: &[String], base_dir: &Path) -> Result<Job, JobProblems> {
    let file = SourceText { name: file_name.to_owned(), text: text.to_owned() };
    let settings =
        overrides.iter().map(|text| SourceText { name: format!("--set {text}"), text: text.clone() });
    let texts: Vec<SourceText> = std::iter::once(file).chain(settings).collect();
    let mut problems = Vec::new();
    let (tree, sound) = tree::read(&texts, &mut problems);
    let source = JobSource::new(texts, &tree);
    if !sound {
        return Err(source.report(problems));
    }
    read::refuse_unknown(&tree, &mut problems);
    let mut reader = TableReader::new(&tree, &source, &mut problems);
    let job = run::read_run(reader.table("job"), file_name);
    let data = data::read(reader.table("data"), base_dir);
    let corruption = noise::read_corruption(reader.table("corruption"));
    let augmentation = noise::read_augmentation(reader.table("augmentation"));
    let model = model::read(reader.table("model"), data.as_ref());
    let grid = run::read_grid(reader.table("grid"));
    let sampler = run::read_sampler(reader.table("sampler"));
    let output = run::read_output(reader.table("output"));
    let sizes = reader.sizes;
    problems.extend(check::dimensions(&source, &sizes));
    problems.extend(check::augmentation_list(&source, &sizes, augmentation.as_ref()));
    problems.extend(check::explicit_samples(&source, &sizes, sampler));
    let spec = (|| {
        Some(JobSpec {
            job: job?,
            data: data?,
            corruption: corruption?,
            augmentation: augmentation?,
            model: model?,
            grid: grid?,
            sampler: sampler?,
            output: output?,
        })
    })();
    problems.extend(spec.as_ref().and_then(|spec| check::cells(&source, spec)));
    match spec {
        Some(spec) if problems.is_empty() => Ok(Job { spec, source }),
        _ => Err(source.report(problems)),
    }
}
