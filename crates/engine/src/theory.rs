//! Thresholds of a job's spectra: one row per combination of the axes that they depend on.
//!
//! Samples, alignment and dimension do not enter Propositions 4.3 and 4.4, so they do not multiply
//! the rows. Drawn spectra are those of one replicate.

use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_theory::thresholds::{Spectra, SpectraError, Thresholds, thresholds};

use crate::input::{Input, SecondMoment};
use crate::simulation::setting::{DataSetting, ScaledSpectrum, Settings};
use eigensweep_job::JobSpec;
use eigensweep_store::grid::Grid;

/// Thresholds at one combination of axes.
#[derive(Clone, Debug, PartialEq)]
pub struct TheoryRow {
    /// Axis names and values.
    pub axes: Vec<(&'static str, f64)>,
    /// The thresholds, or why the spectra have none.
    pub thresholds: Result<Thresholds, NoThresholds>,
}

/// Spectra at one combination of axes, in the common basis of the data, Γ and Θ.
#[derive(Clone, Debug, PartialEq)]
pub struct SpectraRow {
    /// Axis names and values.
    pub axes: Vec<(&'static str, f64)>,
    /// κⱼ²/n of the important components (k₀); `None` where the data has no common basis with Γ and
    /// Θ, and then Θ is empty.
    pub signal: Option<Vec<f64>>,
    /// λⱼ^Θ of the important components (k₀).
    pub theta_signal: Vec<f64>,
    /// λᵢ^Γ of the noise components (p).
    pub gamma: Vec<f64>,
    /// λᵢ^Θ of the noise components (p).
    pub theta_noise: Vec<f64>,
}

impl SpectraRow {
    /// Their thresholds.
    fn thresholds(&self) -> Result<Thresholds, NoThresholds> {
        let signal = self.signal.as_ref().ok_or(NoThresholds::RawFeatures)?;
        let Self { theta_signal, gamma, theta_noise, .. } = self;
        Ok(thresholds(&Spectra { signal, theta_signal, gamma, theta_noise })?)
    }
}

/// Why there are no thresholds.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoThresholds {
    /// The propositions need data, Γ and Θ diagonal in one basis.
    #[error("raw features have no common basis with Γ and Θ: set `[data] components`")]
    RawFeatures,
    /// The spectra are outside the propositions' assumptions.
    #[error(transparent)]
    Spectra(#[from] SpectraError),
}

/// Axes that thresholds do not depend on.
const SILENT: [&str; 5] = ["samples", "alignment", "dimension", "separation", "label_noise"];

/// Thresholds of `replicate`'s spectra for every combination of the axes that matter, in row order.
#[must_use]
pub fn table(spec: &JobSpec, input: &Input, replicate: u64) -> Vec<TheoryRow> {
    let rows = spectra(spec, input, replicate).into_iter();
    rows.map(|row| TheoryRow { thresholds: row.thresholds(), axes: row.axes }).collect()
}

/// `replicate`'s spectra for every combination of the axes that matter, in row order.
#[must_use]
pub fn spectra(spec: &JobSpec, input: &Input, replicate: u64) -> Vec<SpectraRow> {
    let grid = Grid::new(spec);
    let settings = Settings::new(spec, &grid);
    let streams = Streams::new(spec.job.seed);
    let fill = |spectrum: &ScaledSpectrum, draw, largest: &dyn Fn() -> f64, length| {
        let mut values = vec![0.0; length];
        spectrum.fill(&streams, draw, replicate, largest, &mut values);
        values
    };
    let mut rows = Vec::new();
    for (at, data) in settings.data.iter().enumerate() {
        // Settings that differ in the teacher only have the same spectra: the first of them speaks
        // for all.
        if matches!(data, DataSetting::Gaussian { teacher_index: 1.., .. }) {
            continue;
        }
        let signal = match data {
            DataSetting::Gaussian { components, spectrum, .. } => {
                Some(fill(spectrum, Draw::SignalSpectrum, &|| 1.0, *components))
            }
            DataSetting::Rows(index) => match input {
                Input::Rows { sets, .. } => match &sets[*index].moment {
                    SecondMoment::Diagonal(moments) => Some(moments.clone()),
                    SecondMoment::Dense(_) => None,
                },
                Input::Synthetic { .. } => None,
            },
        };
        let largest = || data.largest(input, signal.as_deref().unwrap_or_default());
        for noise in &settings.noise {
            let gamma = fill(&noise.spectrum, Draw::CorruptionSpectrum, &largest, noise.components);
            for views in &settings.views {
                let (theta_signal, theta_noise) = signal.as_ref().map_or_else(Default::default, |signal| {
                    let components = signal.len() + noise.components;
                    let mut theta = fill(&views.spectrum, Draw::AugmentationSpectrum, &largest, components);
                    let theta_noise = theta.split_off(signal.len());
                    (theta, theta_noise)
                });
                // The first row of this combination tells the values of its axes.
                let row = at as u64 * grid.rows_per_setting + (noise.row + views.row) as u64;
                let axes = grid.axes.iter().filter(|axis| !SILENT.contains(&axis.name));
                let axes: Vec<_> =
                    axes.map(|axis| (axis.name, axis.values.as_float(axis.index(row)))).collect();
                rows.push(SpectraRow {
                    axes,
                    signal: signal.clone(),
                    theta_signal,
                    gamma: gamma.clone(),
                    theta_noise,
                });
            }
        }
    }
    rows
}
