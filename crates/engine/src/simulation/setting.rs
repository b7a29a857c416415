//! The settings of data, corruption and views that the grid runs through, decoded from their axes.

use eigensweep_sampling::spectrum::Spectrum;
use eigensweep_sampling::streams::{Draw, Streams};

use crate::input::size;
use eigensweep_job::{DataSpec, JobSpec, SpectrumShape, SpectrumSpec, Teacher};

/// Largest numbers of components and labels: what workspaces are sized for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) signal: usize,
    pub(super) noise: usize,
    pub(super) labels: usize,
}

/// A spectrum up to its scale, and the scale λ_max.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScaledSpectrum {
    pub(crate) shape: Spectrum,
    pub(crate) scale: f64,
}

impl ScaledSpectrum {
    /// Fills `values` with the eigenvalues in this replicate; draws from the stream of `draw` if the shape is random.
    pub(crate) fn fill(&self, streams: &Streams, draw: Draw, replicate: u64, values: &mut [f64]) {
        self.shape.fill_unit(values, &mut streams.stream(draw, &[replicate]));
        for value in values {
            *value *= self.scale;
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

/// One setting of the corruption axes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NoiseSetting {
    pub(crate) components: usize,
    pub(crate) spectrum: ScaledSpectrum,
}

/// All settings, in the order of the rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) data: Vec<DataSetting>,
    pub(crate) noise: Vec<NoiseSetting>,
    pub(crate) views: Vec<ScaledSpectrum>,
}

impl Settings {
    pub(crate) fn new(spec: &JobSpec) -> Self {
        let noise = &spec.corruption;
        let spectra = scaled_spectra(&noise.spectrum);
        let components = noise.components.values().iter().map(|&p| size(p));
        Self {
            data: data_settings(&spec.data),
            // The order of the grid's axes: components, decay, scale.
            noise: components
                .flat_map(|components| {
                    spectra
                        .iter()
                        .map(move |spectrum| NoiseSetting { components, spectrum: spectrum.clone() })
                })
                .collect(),
            views: scaled_spectra(&spec.augmentation.spectrum),
        }
    }
}

fn data_settings(spec: &DataSpec) -> Vec<DataSetting> {
    match spec {
        DataSpec::Files(files) => {
            let count = files.components.as_ref().map_or(1, |axis| axis.values().len());
            (0..count).map(DataSetting::Rows).collect()
        }
        DataSpec::Gaussian(gaussian) => {
            let teachers = match &gaussian.teacher {
                Teacher::Classes { separation } => separation.values().len(),
                Teacher::Linear { label_noise } => label_noise.values().len(),
            };
            // The order of the grid's axes: components, scale, decay, teacher.
            let mut settings = Vec::new();
            for &components in gaussian.components.values() {
                for &scale in gaussian.spectrum.scale.values() {
                    for shape in shapes(&gaussian.spectrum.shape) {
                        for teacher_index in 0..teachers {
                            settings.push(DataSetting::Gaussian {
                                components: size(components),
                                spectrum: ScaledSpectrum { shape: shape.clone(), scale },
                                teacher: gaussian.teacher.clone(),
                                teacher_index,
                            });
                        }
                    }
                }
            }
            settings
        }
    }
}

/// The order of the grid's axes for corruption and views: decay, then scale.
fn scaled_spectra(spec: &SpectrumSpec) -> Vec<ScaledSpectrum> {
    let with_scales = |shape: Spectrum| {
        spec.scale.values().iter().map(move |&scale| ScaledSpectrum { shape: shape.clone(), scale })
    };
    shapes(&spec.shape).into_iter().flat_map(with_scales).collect()
}

fn shapes(shape: &SpectrumShape) -> Vec<Spectrum> {
    match shape {
        SpectrumShape::Uniform => vec![Spectrum::Uniform],
        SpectrumShape::Flat => vec![Spectrum::Flat],
        SpectrumShape::PowerLaw { decay } => {
            decay.values().iter().map(|&decay| Spectrum::PowerLaw { decay }).collect()
        }
        SpectrumShape::List(values) => vec![Spectrum::Listed(values.clone())],
    }
}
