//! The settings of data, corruption and views that the grid runs through, decoded from their axes.

use eigensweep_job::{DataSpec, JobSpec, Level, SpectrumShape, SpectrumSpec, Teacher};
use eigensweep_sampling::spectrum::Spectrum;
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_store::grid::{Grid, Setting};
use eigensweep_theory::views::{Parameter, SPECTRAL, View};

use crate::input::{Input, size};

/// Largest numbers of components and labels: what workspaces are sized for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) signal: usize,
    pub(super) noise: usize,
    pub(super) labels: usize,
}

/// A spectrum up to its scale, and the scale.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScaledSpectrum {
    pub(crate) shape: Spectrum,
    pub(crate) scale: f64,
    /// Whether the scale is a multiple of the clean data's largest eigenvalue.
    pub(crate) relative: bool,
}

impl ScaledSpectrum {
    /// What `spec` is at a setting of the axes of these names.
    fn at(spec: &SpectrumSpec, setting: &Setting<'_>, [decay, scale]: [&str; 2]) -> Self {
        let shape = match &spec.shape {
            SpectrumShape::Uniform => Spectrum::Uniform,
            SpectrumShape::Flat => Spectrum::Flat,
            SpectrumShape::PowerLaw { decay: axis } => {
                Spectrum::PowerLaw { decay: axis.values()[setting.index(decay)] }
            }
            SpectrumShape::List(values) => Spectrum::Listed(values.clone()),
        };
        let relative = spec.scale.is_relative();
        Self { shape, scale: spec.scale.values()[setting.index(scale)], relative }
    }

    /// Fills `values` with the eigenvalues in this replicate; draws from the stream of `draw` if
    /// the shape is random. A relative scale asks for the clean data's largest eigenvalue, which
    /// [`DataSetting::largest`] is.
    pub(crate) fn fill(
        &self,
        streams: &Streams,
        draw: Draw,
        replicate: u64,
        largest: impl FnOnce() -> f64,
        values: &mut [f64],
    ) {
        self.shape.fill_unit(values, &mut streams.stream(draw, &[replicate]));
        // One product, so that the eigenvalues are those of the absolute scale of this value.
        let scale = if self.relative { self.scale * largest() } else { self.scale };
        for value in values {
            *value *= scale;
        }
    }
}

/// One setting of the data axes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DataSetting {
    /// A Gaussian population.
    Gaussian { components: usize, spectrum: ScaledSpectrum, teacher: Teacher, teacher_index: usize },
    /// The row set with this index.
    Rows(usize),
}

impl DataSetting {
    /// Largest eigenvalue of the clean second moment: of the population whose eigenvalues in this
    /// replicate are `signal`, or of all rows of the data set.
    pub(crate) fn largest(&self, input: &Input, signal: &[f64]) -> f64 {
        match (self, input) {
            (Self::Rows(index), Input::Rows { sets, .. }) => {
                sets.get(*index).and_then(|set| set.largest).unwrap_or(f64::NAN)
            }
            (Self::Gaussian { .. }, _) | (Self::Rows(_), Input::Synthetic { .. } | Input::Samples(_)) => {
                signal.iter().copied().fold(0.0, f64::max)
            }
        }
    }
}

/// One setting of the corruption axes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NoiseSetting {
    pub(crate) components: usize,
    pub(crate) spectrum: ScaledSpectrum,
    /// Its first row, of those of a sample.
    pub(crate) row: usize,
}

/// One setting of the axes of the views, also of clean inputs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ViewSetting {
    pub(crate) spectrum: ScaledSpectrum,
    /// Its first row, of those of a corruption.
    pub(crate) row: usize,
    /// Those that only corrupted inputs see, a cell each: its first row, and the values of the
    /// parameters. Views of clean inputs may depend on what is the same in all of them.
    pub(crate) cells: Vec<(usize, Vec<f64>)>,
}

/// All settings, in the order of the rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) data: Vec<DataSetting>,
    pub(crate) noise: Vec<NoiseSetting>,
    pub(crate) kind: &'static View,
    pub(crate) views: Vec<ViewSetting>,
    /// Of each dimension its first row, of those of a cell.
    pub(crate) dimensions: Vec<usize>,
}

impl Settings {
    pub(crate) fn new(spec: &JobSpec, grid: &Grid) -> Self {
        let data = grid.settings(Level::Data).map(|setting| data_setting(&spec.data, &setting)).collect();
        let dimensions = grid.settings(Level::Dimension).map(|setting| row(&setting)).collect();
        let Some((noise, augmentation)) = spec.spectral() else {
            return Self { data, noise: Vec::new(), kind: &SPECTRAL, views: Vec::new(), dimensions };
        };
        let kind = augmentation.kind;
        let views = grid.settings(Level::Views).map(|setting| {
            let cells = grid.settings(Level::Within).map(|within| {
                let value = |parameter: &Parameter| {
                    let own = if parameter.clean { setting } else { within };
                    own.value(parameter.column).unwrap_or(parameter.default)
                };
                (row(&within), kind.parameters.iter().map(value).collect())
            });
            let axes = ["augmentation_decay", "augmentation_scale"];
            ViewSetting {
                spectrum: ScaledSpectrum::at(&augmentation.spectrum, &setting, axes),
                row: row(&setting),
                cells: cells.collect(),
            }
        });
        let noise = grid.settings(Level::Noise).map(|setting| NoiseSetting {
            components: size(noise.components.values()[setting.index("noise_components")]),
            spectrum: ScaledSpectrum::at(&noise.spectrum, &setting, ["noise_decay", "noise_scale"]),
            row: row(&setting),
        });
        Self { data, noise: noise.collect(), kind, views: views.collect(), dimensions }
    }
}

/// The first row of a setting of what a task goes through.
#[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
fn row(setting: &Setting<'_>) -> usize {
    setting.row() as usize
}

fn data_setting(spec: &DataSpec, setting: &Setting<'_>) -> DataSetting {
    match spec {
        DataSpec::Rows(_) => DataSetting::Rows(setting.index("signal_components")),
        DataSpec::Gaussian(gaussian) => DataSetting::Gaussian {
            components: size(gaussian.components.values()[setting.index("signal_components")]),
            spectrum: ScaledSpectrum::at(&gaussian.spectrum, setting, ["signal_decay", "signal_scale"]),
            teacher: gaussian.teacher.clone(),
            teacher_index: setting.index(match &gaussian.teacher {
                Teacher::Classes { .. } => "separation",
                Teacher::Linear { .. } => "label_noise",
            }),
        },
    }
}
