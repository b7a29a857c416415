//! A job as the rest of the workspace works from it: a field a table, every default filled in.

use std::ops::Range;
use std::path::{Path, PathBuf};

use eigensweep_inputs::counts::TargetSum;
use eigensweep_inputs::{Answers, Columns, SourceFiles};
use eigensweep_theory::Paradigm;
use eigensweep_theory::features::{Components, Recipe};
use eigensweep_theory::metrics::Metric;
use eigensweep_theory::views::View;
use eigensweep_theory::views::stages::Shape;

use super::adaptive::Adaptive;
use super::axis::Axis;
use super::boundary::BoundarySpec;
use super::keys;
use super::stages::{self, StagesSpec};

/// Rows of a row group: DuckDB's own, so that a reader's vectors are full (5.5 MiB in the writer).
pub const ROW_GROUP_ROWS: u64 = 122_880;

/// Largest `part_rows`: a part is collected in memory, about 100 bytes a row.
pub const MOST_PART_ROWS: u64 = 1 << 24;

/// A valid job, one field per table of the job file.
#[derive(Clone, Debug, PartialEq)]
pub struct JobSpec {
    /// `[job]`: name, seed, replicates.
    pub job: RunSpec,
    /// `[data]`: inputs and labels.
    pub data: DataSpec,
    /// `[corruption]` and `[augmentation]`: the irrelevant features of the samples, and the views.
    pub views: ViewsSpec,
    /// `[model]`: paradigms and dimension.
    pub model: ModelSpec,
    /// `[grid]`: sizes of the samples.
    pub grid: GridSpec,
    /// `[sampler]`: how moments are drawn.
    pub sampler: Sampler,
    /// `[output]`: what is reported.
    pub output: OutputSpec,
    /// `[boundary]`, of a job whose rows are critical alignments
    /// ([`Job::traced`](super::Job::traced)).
    pub boundary: Option<BoundarySpec>,
}

impl JobSpec {
    /// Corruption and views of a spectral job.
    #[must_use]
    pub fn spectral(&self) -> Option<(&CorruptionSpec, &AugmentationSpec)> {
        match &self.views {
            ViewsSpec::Spectral { corruption, augmentation } => Some((corruption, augmentation)),
            ViewsSpec::Stages(_) => None,
        }
    }

    /// Corruption and views of a job with stages.
    #[must_use]
    pub fn stages(&self) -> Option<&StagesSpec> {
        match &self.views {
            ViewsSpec::Spectral { .. } => None,
            ViewsSpec::Stages(stages) => Some(stages),
        }
    }

    /// The directory of the job's data set unless another is named: `output/NAME`, of critical
    /// alignments `output/NAME-boundary`.
    #[must_use]
    pub fn default_output(&self) -> PathBuf {
        let ending = if self.boundary.is_some() { "-boundary" } else { "" };
        Path::new("output").join(format!("{}{ending}", self.job.name))
    }

    /// The paths of all input files, to be changed.
    pub fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        let mut paths = Vec::new();
        if let DataSpec::Rows(RowsSpec { source, held_out, .. }) = &mut self.data {
            if let RowSource::Files(SourceFiles { inputs, answers, groups, .. }) = source {
                paths.push(inputs);
                let columns = answers.as_mut().map(Answers::columns_mut).into_iter().chain(groups);
                paths.extend(columns.filter_map(|columns| columns.file.as_mut()));
            }
            if let HeldOut::Files { inputs, answers } = held_out {
                paths.push(inputs);
                paths.extend(answers.as_mut().and_then(|columns| columns.file.as_mut()));
            }
        }
        paths.extend(self.views.paths_mut());
        paths
    }

    /// The numbers p of noise components beside those of the data: 0 where corruption does not add
    /// any.
    #[must_use]
    pub fn noise_components(&self) -> &[i64] {
        self.spectral().map_or(&[0], |(corruption, _)| corruption.components.values())
    }
}

/// `[job]`: the run's name and its randomness.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSpec {
    /// Names the data set's directory: ASCII letters, digits, `-`, `_` and `.`, not beginning with
    /// `.`.
    pub name: String,
    /// Keys every random stream of the run.
    pub seed: u64,
    /// How often each cell is drawn anew, at most if that is adaptive; 1 to 2³¹ − 1.
    pub replicates: u32,
    /// When a combination has been drawn often enough; `None` where the number is fixed.
    pub adaptive: Option<Adaptive>,
    /// Number of the first replicate; the last is below 2³¹.
    pub first_replicate: u32,
}

impl RunSpec {
    /// Numbers of the replicates.
    #[must_use]
    pub fn range(&self) -> Range<u32> {
        // The job reader keeps the end below 2³¹.
        self.first_replicate..self.first_replicate.saturating_add(self.replicates)
    }
}

/// The clean inputs X (n × d), their k₀ important components, and the labels Y (n × ℓ).
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a job has one")]
pub enum DataSpec {
    /// `source = "gaussian"`: a Gaussian signal with known eigenvalues.
    Gaussian(GaussianSpec),
    /// Any other source: rows of inputs with labels.
    Rows(RowsSpec),
}

/// A Gaussian signal in k₀ components and a teacher that labels it.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianSpec {
    /// k₀, the number of important components.
    pub components: Axis<i64>,
    /// The signal's eigenvalues `κᵢ²/n`, in expectation.
    pub spectrum: SpectrumSpec,
    /// Whether the inputs are drawn.
    pub signal: Signal,
    /// How inputs and labels belong together.
    pub teacher: Teacher,
    /// ℓ, the number of classes (one-hot labels) or of real targets.
    pub label_count: u32,
}

/// Whether the inputs of a sample are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// They are, and their second moment is the spectrum in expectation.
    Random,
    /// They are given, and their second moment is the spectrum, whatever n.
    Fixed,
}

impl Signal {
    /// Both; the first is the default.
    pub const ALL: [Self; 2] = [Self::Random, Self::Fixed];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Fixed => "fixed",
        }
    }
}

/// How labels come from the signal.
#[derive(Clone, Debug, PartialEq)]
pub enum Teacher {
    /// ℓ equally likely classes, each with a mean of its own; one-hot labels.
    Classes {
        /// Share of the variance along the class directions that lies between the classes, in (0,
        /// 1).
        separation: Axis<f64>,
    },
    /// ℓ real targets, linear in the signal.
    Linear {
        /// Share of the targets' variance that is noise, in [0, 1].
        label_noise: Axis<f64>,
    },
}

/// Inputs and labels row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowsSpec {
    /// Where they come from.
    pub source: RowSource,
    /// Principal components to keep, k₀; `None` keeps the raw features.
    pub components: Option<Axis<i64>>,
    /// Channels, rows and columns of a sample, where the source does not know them.
    pub shape: Option<Shape>,
    /// What the least and the largest value of the source become.
    pub range: ValueRange,
    /// Rows that nothing is learned from.
    pub held_out: HeldOut,
    /// `[features]`: what becomes of the features.
    pub features: Box<FeaturesSpec>,
}

/// What becomes of the features of rows; the number of principal components is beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct FeaturesSpec {
    /// What the values of each row sum to; `None` where rows keep their scale.
    pub normalize: Option<TargetSum>,
    /// Whether `ln(1 + x)` takes the place of each value.
    pub log1p: bool,
    /// How many of the most variable features are kept; all if `None`.
    pub variable: Option<u32>,
    /// What comes after, fitted on the rows that are learned from.
    pub recipe: Recipe,
}

impl FeaturesSpec {
    /// The features as they are.
    pub const NONE: Self = Self { normalize: None, log1p: false, variable: None, recipe: Recipe::IDENTITY };

    /// Whether features are linear in the values of rows, and keep their units.
    #[must_use]
    pub fn keep_units(&self) -> bool {
        let Recipe { standardize, kind, .. } = &self.recipe;
        !standardize && kind.map.is_none() && kind.components != Components::Whitened
    }
}

/// What becomes of the values of a source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRange {
    /// They stay what they are.
    Own,
    /// Those of images in bytes go to \[0, 1\], others stay what they are.
    Auto,
    /// The least and the largest value go there: those that the type can hold, of bytes, else those
    /// of the rows that are learned from.
    To([f64; 2]),
}

impl ValueRange {
    pub(super) const OWN: &'static str = "none";
    pub(super) const AUTO: &'static str = "auto";
}

/// A source of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum RowSource {
    /// Files.
    Files(SourceFiles),
    /// `source = "glyphs"`: digits of 28 × 28 pixels, drawn.
    Glyphs {
        /// How many, those that are held out included where they are a share.
        count: u32,
    },
}

/// Which rows of a source are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldOutRows {
    /// The last ones.
    Last,
    /// Any, once a job.
    Random,
}

impl HeldOutRows {
    /// Both choices.
    pub const ALL: [Self; 2] = [Self::Last, Self::Random];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::Random => "random",
        }
    }
}

/// Rows on which what was learned is tried.
#[derive(Clone, Debug, PartialEq)]
pub enum HeldOut {
    /// None.
    Nothing,
    /// Files of their own.
    Files {
        /// What is read as the inputs that are learned from are.
        inputs: PathBuf,
        /// What is to be learned; the columns of the inputs' file that have the same names as those
        /// that are learned from if `None`.
        answers: Option<Columns>,
    },
    /// Some of the source's rows.
    Share {
        /// So large a share of them, above 0 and below 1.
        share: f64,
        /// Which.
        rows: HeldOutRows,
    },
}

impl DataSpec {
    /// k₀ on its axis, or `None` when only the data tell it (files without `components`).
    #[must_use]
    pub fn components(&self) -> Option<&Axis<i64>> {
        match self {
            DataSpec::Gaussian(gaussian) => Some(&gaussian.components),
            DataSpec::Rows(rows) => rows.components.as_ref(),
        }
    }

    /// The source's name in job files.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match self {
            DataSpec::Gaussian(_) => keys::GAUSSIAN,
            DataSpec::Rows(RowsSpec { source: RowSource::Files(source), .. }) => source.reader.name,
            DataSpec::Rows(RowsSpec { source: RowSource::Glyphs { .. }, .. }) => keys::GLYPHS,
        }
    }

    /// Whether samples are subsets of rows that are there.
    #[must_use]
    pub fn is_rows(&self) -> bool {
        matches!(self, DataSpec::Rows(_))
    }

    /// Whether the second moment of the clean inputs differs from sample to sample.
    #[must_use]
    pub fn signal_is_drawn(&self) -> bool {
        match self {
            DataSpec::Gaussian(gaussian) => gaussian.signal == Signal::Random,
            DataSpec::Rows(_) => true,
        }
    }

    /// The spectrum, if the data have a prescribed one.
    #[must_use]
    pub fn spectrum(&self) -> Option<&SpectrumSpec> {
        if let DataSpec::Gaussian(gaussian) = self { Some(&gaussian.spectrum) } else { None }
    }
}

/// How samples are corrupted and views are made.
#[derive(Clone, Debug, PartialEq)]
pub enum ViewsSpec {
    /// Section 4.1 of the paper: noise in orthogonal components of its own, and additive views of a
    /// diagonal covariance.
    Spectral {
        /// `[corruption]`: the noise of the samples, Γ.
        corruption: CorruptionSpec,
        /// `[augmentation]`: the views.
        augmentation: AugmentationSpec,
    },
    /// Chains of stages.
    Stages(StagesSpec),
}

impl ViewsSpec {
    /// The paths of the files that stages name, to be changed.
    pub fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        let Self::Stages(StagesSpec { corruption, augmentation, own, .. }) = self else { return Vec::new() };
        let chains = [corruption, augmentation].into_iter().chain(own.iter_mut().map(|(_, own)| own));
        chains.flat_map(|chain| stages::paths_mut(chain)).collect()
    }
}

/// Irrelevant features: noise `γᵢ ~ N(0, Γ)`, drawn once a sample, in p components of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct CorruptionSpec {
    /// p, the number of noise components.
    pub components: Axis<i64>,
    /// The eigenvalues `λᵢ^Γ` on the noise components.
    pub spectrum: SpectrumSpec,
}

/// How views are made.
#[derive(Clone, Debug, PartialEq)]
pub struct AugmentationSpec {
    /// The kind of views.
    pub kind: &'static View,
    /// The eigenvalues `λᵢ^Θ`: the k₀ important components first, then the p noise components. Of a
    /// kind without a spectrum of its own they are all zero.
    pub spectrum: SpectrumSpec,
    /// The kind's numbers, in the order of its parameters.
    pub parameters: Vec<Axis<f64>>,
}

impl AugmentationSpec {
    /// The values of the kind's parameter of that key.
    #[must_use]
    pub fn parameter(&self, key: &str) -> Option<&Axis<f64>> {
        let named = self.kind.parameters.iter().zip(&self.parameters);
        named.into_iter().find(|(parameter, _)| parameter.key == key).map(|(_, axis)| axis)
    }

    /// The alignment α ≥ 0, how much of the views' noise is the noise of the samples; none of a
    /// kind without it.
    #[must_use]
    pub fn alignment(&self) -> &[f64] {
        self.parameter("alignment").map_or(&[], Axis::values)
    }
}

/// Eigenvalues (variances, in squared units of the inputs) of one covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectrumSpec {
    /// How the eigenvalues relate to each other.
    pub shape: SpectrumShape,
    /// The largest eigenvalue (its upper bound for `Uniform`); for `List`, what multiplies the
    /// list.
    pub scale: Axis<f64>,
}

/// How the eigenvalues `λ₁ … λ_m` relate to `scale`.
#[derive(Clone, Debug, PartialEq)]
pub enum SpectrumShape {
    /// Independent `λᵢ ~ U[0, scale]`, drawn anew for each replicate (Appendix C).
    Uniform,
    /// `λᵢ = scale`.
    Flat,
    /// `λᵢ = scale · i^(−decay)`.
    PowerLaw {
        /// The exponent, ≥ 0.
        decay: Axis<f64>,
    },
    /// `λᵢ = scale · listᵢ`.
    List(Vec<f64>),
}

impl SpectrumShape {
    pub(super) const UNIFORM: &'static str = "uniform";
    pub(super) const FLAT: &'static str = "flat";
    pub(super) const POWER_LAW: &'static str = "power-law";

    /// The shapes that have a name.
    pub(super) const NAMES: [&'static str; 3] = [Self::UNIFORM, Self::FLAT, Self::POWER_LAW];

    /// The number of eigenvalues, if the shape fixes it.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        self.list().map(<[f64]>::len)
    }

    /// The eigenvalues that are listed, if any are.
    #[must_use]
    pub fn list(&self) -> Option<&[f64]> {
        if let SpectrumShape::List(list) = self { Some(list) } else { None }
    }
}

/// What is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// The paradigms, at least one, none twice, in canonical order.
    pub paradigms: Vec<&'static Paradigm>,
    /// k, the dimension of the representation.
    pub dimension: Axis<i64>,
}

/// `[grid]`: the sizes of the samples.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSpec {
    /// n, observations a sample; 1 to 10¹⁵.
    pub samples: Axis<i64>,
}

/// `[sampler]`: how the moments of a sample are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampler {
    /// The moments themselves, at a cost that does not grow with n.
    Moments,
    /// Every noise vector, n × p normals, and then their moments: the reference.
    Explicit,
}

impl Sampler {
    /// All samplers.
    pub const ALL: [Sampler; 2] = [Sampler::Moments, Sampler::Explicit];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Sampler::Moments => "moments",
            Sampler::Explicit => "explicit",
        }
    }
}

/// How much of the results is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A row for each replicate.
    Rows,
    /// Count, mean, variance, extremes and quantiles over the replicates.
    Summary,
}

impl Detail {
    /// All levels of detail.
    pub const ALL: [Detail; 2] = [Detail::Rows, Detail::Summary];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Detail::Rows => "rows",
            Detail::Summary => "summary",
        }
    }
}

/// `[output]`: what is reported, and how it is laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSpec {
    /// The metrics, at least one, none twice, in canonical order.
    pub metrics: Vec<&'static Metric>,
    /// How much is kept.
    pub detail: Detail,
    /// Most rows of a part (a Parquet file); no row depends on it.
    pub part_rows: u64,
    /// Share of failed rows above which a run counts as failed; no row depends on it.
    pub max_failed: f64,
}
