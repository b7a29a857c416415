//! The axes of a job in canonical order, under the names that they have as columns.

use super::JobSpec;
use super::axis::Axis;
use super::data::{DataSpec, Teacher};
use super::spectrum::{SpectrumShape, SpectrumSpec};

/// One axis of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AxisColumn<'a> {
    /// The column of the data set.
    pub name: &'static str,
    /// The key of the job file, for problems with its values.
    pub key: &'static str,
    /// The values, in the order of the job file.
    pub values: AxisValues<'a>,
}

/// The values of an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AxisValues<'a> {
    /// Counts: samples, components, dimensions.
    Integers(&'a [i64]),
    /// Real numbers.
    Floats(&'a [f64]),
}

impl AxisValues<'_> {
    /// The number of values, at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            AxisValues::Integers(values) => values.len(),
            AxisValues::Floats(values) => values.len(),
        }
    }
}

impl JobSpec {
    /// Every axis that the job has, those of one value included, in canonical order: `samples`, `signal_components`,
    /// `signal_scale`, `signal_decay`, `separation`, `label_noise`, `noise_components`, `noise_decay`, `noise_scale`,
    /// `augmentation_decay`, `augmentation_scale`, `alignment`, `dimension`.
    ///
    /// What the job's source, spectra and teacher have no use for is left out.
    #[must_use]
    pub fn axes(&self) -> Vec<AxisColumn<'_>> {
        let mut axes = vec![integers("samples", "grid.samples", &self.grid.samples)];
        if let Some(components) = self.data.components() {
            axes.push(integers("signal_components", "data.components", components));
        }
        if let DataSpec::Gaussian(gaussian) = &self.data {
            axes.push(floats("signal_scale", "data.scale", &gaussian.spectrum.scale));
            axes.extend(decay("signal_decay", "data.decay", &gaussian.spectrum));
            axes.push(match &gaussian.teacher {
                Teacher::Classes { separation } => floats("separation", "data.separation", separation),
                Teacher::Linear { label_noise } => floats("label_noise", "data.label_noise", label_noise),
            });
        }
        let (noise, views) = (&self.corruption, &self.augmentation);
        axes.push(integers("noise_components", "corruption.components", &noise.components));
        axes.extend(decay("noise_decay", "corruption.decay", &noise.spectrum));
        axes.push(floats("noise_scale", "corruption.scale", &noise.spectrum.scale));
        axes.extend(decay("augmentation_decay", "augmentation.decay", &views.spectrum));
        axes.push(floats("augmentation_scale", "augmentation.scale", &views.spectrum.scale));
        axes.push(floats("alignment", "augmentation.alignment", &views.alignment));
        axes.push(integers("dimension", "model.dimension", &self.model.dimension));
        axes
    }

    /// The same axes in the same order, to be changed.
    pub(super) fn axes_mut(&mut self) -> Vec<AxisValuesMut<'_>> {
        use AxisValuesMut::{Floats, Integers};
        let mut axes = vec![Integers(&mut self.grid.samples)];
        match &mut self.data {
            DataSpec::Idx(idx) => axes.extend(idx.components.as_mut().map(Integers)),
            DataSpec::Gaussian(gaussian) => {
                axes.push(Integers(&mut gaussian.components));
                axes.push(Floats(&mut gaussian.spectrum.scale));
                axes.extend(decay_mut(&mut gaussian.spectrum.shape));
                axes.push(match &mut gaussian.teacher {
                    Teacher::Classes { separation } => Floats(separation),
                    Teacher::Linear { label_noise } => Floats(label_noise),
                });
            }
        }
        let (noise, views) = (&mut self.corruption, &mut self.augmentation);
        axes.push(Integers(&mut noise.components));
        axes.extend(decay_mut(&mut noise.spectrum.shape));
        axes.push(Floats(&mut noise.spectrum.scale));
        axes.extend(decay_mut(&mut views.spectrum.shape));
        axes.push(Floats(&mut views.spectrum.scale));
        axes.push(Floats(&mut views.alignment));
        axes.push(Integers(&mut self.model.dimension));
        axes
    }

    /// The number of rows: the product of all axes, the paradigms and the replicates. `None` past 128 bits, which no
    /// parsed job reaches.
    #[must_use]
    pub fn cells(&self) -> Option<u128> {
        let others = [self.model.paradigms.len() as u128, u128::from(self.job.replicates)];
        let axes = self.axes().into_iter().map(|axis| axis.values.count() as u128);
        axes.chain(others).try_fold(1, u128::checked_mul)
    }
}

/// The values of an axis, to be changed.
pub(super) enum AxisValuesMut<'a> {
    Integers(&'a mut Axis<i64>),
    Floats(&'a mut Axis<f64>),
}

fn decay_mut(shape: &mut SpectrumShape) -> Option<AxisValuesMut<'_>> {
    if let SpectrumShape::PowerLaw { decay } = shape { Some(AxisValuesMut::Floats(decay)) } else { None }
}

fn integers<'a>(name: &'static str, key: &'static str, axis: &'a Axis<i64>) -> AxisColumn<'a> {
    AxisColumn { name, key, values: AxisValues::Integers(axis.values()) }
}

fn floats<'a>(name: &'static str, key: &'static str, axis: &'a Axis<f64>) -> AxisColumn<'a> {
    AxisColumn { name, key, values: AxisValues::Floats(axis.values()) }
}

fn decay<'a>(name: &'static str, key: &'static str, spectrum: &'a SpectrumSpec) -> Option<AxisColumn<'a>> {
    let SpectrumShape::PowerLaw { decay } = &spectrum.shape else { return None };
    Some(floats(name, key, decay))
}
