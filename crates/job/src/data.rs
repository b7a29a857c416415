//! `[data]`: the clean inputs, their important components, and the labels.

use std::path::{Path, PathBuf};

use super::axis::Axis;
use super::numbers::Allowed;
use super::read::TableReader;
use super::spectrum::{Expected, Named, POSITIVE, SpectrumSpec};

/// Important components k₀ unless given: those of Appendix C.
pub const DEFAULT_COMPONENTS: i64 = 50;

/// Largest eigenvalue of the signal unless given, a variance: chosen equal to that of the views (10⁴, Appendix C), so
/// that the weak noise of Appendix C (10³) lies below the strongest signal and above the weakest.
pub const DEFAULT_SIGNAL_SCALE: f64 = 1e4;

/// Labels ℓ unless given: ten classes, as MNIST has.
pub const DEFAULT_LABEL_COUNT: u32 = 10;

/// Separation unless given: half of the variance along the class directions lies between the classes.
pub const DEFAULT_SEPARATION: f64 = 0.5;

/// Label noise unless given: a tenth of the labels' variance, so that the best loss is not zero.
pub const DEFAULT_LABEL_NOISE: f64 = 0.1;

/// The clean inputs X (n × d), their k₀ important components, and the labels Y (n × ℓ).
#[derive(Clone, Debug, PartialEq)]
pub enum DataSpec {
    /// `source = "gaussian"`: a Gaussian signal with known eigenvalues.
    Gaussian(GaussianSpec),
    /// `source = "idx"`: images and labels from files.
    Idx(IdxSpec),
}

/// A Gaussian signal in k₀ components and a teacher that labels it.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianSpec {
    /// k₀, the number of important components.
    pub components: Axis<i64>,
    /// The signal's eigenvalues `κᵢ²/n`, in expectation.
    pub spectrum: SpectrumSpec,
    /// How inputs and labels belong together.
    pub teacher: Teacher,
    /// ℓ, the number of classes (one-hot labels) or of real targets.
    pub label_count: u32,
}

/// How labels come from the signal.
#[derive(Clone, Debug, PartialEq)]
pub enum Teacher {
    /// ℓ equally likely classes, each with a mean of its own; one-hot labels.
    Classes {
        /// Share of the variance along the class directions that lies between the classes, in (0, 1).
        separation: Axis<f64>,
    },
    /// ℓ real targets, linear in the signal.
    Linear {
        /// Share of the targets' variance that is noise, in [0, 1].
        label_noise: Axis<f64>,
    },
}

/// Images and labels in idx files (the MNIST format), plain or gzipped.
#[derive(Clone, Debug, PartialEq)]
pub struct IdxSpec {
    /// The images' file, joined to the job file's directory if it was relative.
    pub images: PathBuf,
    /// The labels' file, likewise.
    pub labels: PathBuf,
    /// Principal components to keep, k₀; `None` keeps the raw features.
    pub components: Option<Axis<i64>>,
}

impl DataSpec {
    /// k₀ on its axis, or `None` when only the data tell it (files without `components`).
    #[must_use]
    pub fn components(&self) -> Option<&Axis<i64>> {
        match self {
            DataSpec::Gaussian(gaussian) => Some(&gaussian.components),
            DataSpec::Idx(idx) => idx.components.as_ref(),
        }
    }

    /// The spectrum, if the data have a prescribed one.
    #[must_use]
    pub fn spectrum(&self) -> Option<&SpectrumSpec> {
        if let DataSpec::Gaussian(gaussian) = self { Some(&gaussian.spectrum) } else { None }
    }
}

/// A number of components or dimensions; the data set's columns hold it in 32 bits.
pub(super) const DIMENSION: Allowed = Allowed {
    whole: true,
    holds: |value| (1.0..=2_147_483_647.0).contains(&value),
    words: "a whole number from 1 to 2147483647",
    help: "it counts components, of which there must be one",
};

const SEPARATION: Allowed = Allowed {
    whole: false,
    holds: |value| value > 0.0 && value < 1.0,
    words: "above 0 and below 1",
    help: "the share of the variance along the class directions that lies between classes: at 0 there are no classes, \
        at 1 nothing else",
};

const LABEL_NOISE: Allowed = Allowed {
    whole: false,
    holds: |value| (0.0..=1.0).contains(&value),
    words: "from 0 to 1",
    help: "the share of the labels' variance that is noise",
};

#[derive(Clone, Copy)]
enum Source {
    Gaussian,
    Idx,
}

#[derive(Clone, Copy, PartialEq)]
enum Labels {
    Classes,
    Linear,
}

pub(super) fn read(table: &mut TableReader<'_>, base_dir: &Path) -> Option<DataSpec> {
    let source = table.choice("source", &[Source::Gaussian, Source::Idx], source_name, Source::Gaussian)?;
    match source {
        Source::Gaussian => gaussian(table).map(DataSpec::Gaussian),
        Source::Idx => idx(table, base_dir).map(DataSpec::Idx),
    }
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Gaussian => "gaussian",
        Source::Idx => "idx",
    }
}

fn gaussian(table: &mut TableReader<'_>) -> Option<GaussianSpec> {
    let help = "these data are drawn, not read: set source = \"idx\" to read files";
    table.not_applicable(&["images", "labels"], "source = \"gaussian\"", help);
    let expected = Expected { shape: Named::PowerLaw, scale: DEFAULT_SIGNAL_SCALE, values: POSITIVE };
    let spectrum = table.spectrum(&expected);
    let components = table.counted("components", DEFAULT_COMPONENTS, spectrum.as_ref());
    let teacher = table.choice("teacher", &[Labels::Classes, Labels::Linear], teacher_name, Labels::Classes);
    let (fewest, why) = match teacher {
        Some(Labels::Classes) => (2, "ℓ, the number of classes: one class is no distinction"),
        _ => (1, "ℓ, the number of targets"),
    };
    let most = u64::from(i32::MAX.unsigned_abs());
    let label_count = table.whole("label_count", fewest, most, DEFAULT_LABEL_COUNT.into(), why);
    let separation = table.reals("separation", SEPARATION, &[DEFAULT_SEPARATION]);
    let label_noise = table.reals("label_noise", LABEL_NOISE, &[DEFAULT_LABEL_NOISE]);
    if teacher == Some(Labels::Classes) {
        let help = "only teacher = \"linear\" has label noise";
        table.not_applicable(&["label_noise"], "teacher = \"classes\"", help);
    }
    if teacher == Some(Labels::Linear) {
        let help = "only teacher = \"classes\" has classes to separate";
        table.not_applicable(&["separation"], "teacher = \"linear\"", help);
    }
    let teacher = match teacher? {
        Labels::Classes => Teacher::Classes { separation: separation? },
        Labels::Linear => Teacher::Linear { label_noise: label_noise? },
    };
    let label_count = u32::try_from(label_count?).ok()?;
    Some(GaussianSpec { components: components?, spectrum: spectrum?, teacher, label_count })
}

fn teacher_name(labels: Labels) -> &'static str {
    match labels {
        Labels::Classes => "classes",
        Labels::Linear => "linear",
    }
}

fn idx(table: &mut TableReader<'_>, base_dir: &Path) -> Option<IdxSpec> {
    let generated = ["spectrum", "scale", "decay", "teacher", "label_count", "separation", "label_noise"];
    let help = "the files give the spectrum and the labels: leave it out, or set source = \"gaussian\"";
    table.not_applicable(&generated, "source = \"idx\"", help);
    let images = file(table, "images", base_dir);
    let labels = file(table, "labels", base_dir);
    let components = match table.node("components") {
        None => Some(None),
        Some(_) => table.wholes("components", DIMENSION, &[DEFAULT_COMPONENTS]).map(Some),
    };
    Some(IdxSpec { images: images?, labels: labels?, components: components? })
}

/// A required path, joined to the job file's directory.
fn file(table: &mut TableReader<'_>, key: &str, base_dir: &Path) -> Option<PathBuf> {
    let help = "the path of an idx file, plain or gzipped, relative to the job file";
    let text = table.text(key, help)?;
    let path = table.path(key);
    let place = table.source.place(&path);
    match text {
        None => table.refuse(&place, format!("source = \"idx\" needs `{path}`"), "nothing to read", help),
        Some("") => table.refuse(&place, format!("`{path}` is empty"), "no path", help),
        Some(text) => Some(base_dir.join(text)),
    }
}

impl TableReader<'_> {
    /// A number of components, which a spectrum given as a list fixes.
    pub(super) fn counted(
        &mut self,
        key: &str,
        default: i64,
        spectrum: Option<&SpectrumSpec>,
    ) -> Option<Axis<i64>> {
        let listed = spectrum.and_then(|spectrum| spectrum.shape.length());
        let listed = listed.and_then(|length| i64::try_from(length).ok());
        let components = self.wholes(key, DIMENSION, &[listed.unwrap_or(default)])?;
        let Some(listed) = listed.filter(|&listed| components.only() != Some(listed)) else {
            return Some(components);
        };
        let path = self.path(key);
        let found = self.source.excerpt(&self.source.place(&path));
        let message =
            format!("`{path}` is {found}, but `{}` lists {listed} eigenvalues", self.path("spectrum"));
        let help = format!("leave `{key}` out, or set it to {listed}");
        self.refuse(&self.source.place(&path), message, "does not agree", help)
    }
}
