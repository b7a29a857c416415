//! What a job's clean data are like, so that the scales of noise and views can be chosen against
//! them: the spectrum of the signal, and how much of the labels' power lies where in it.

use eigensweep_job::{self as job, DataSpec, GaussianSpec, JobSpec, Level, Teacher};
use eigensweep_store::grid::Grid;
use faer::{Mat, Side};

use crate::input::{Input, RowSet, SecondMoment};
use crate::theory::spectra;

/// Most raw features whose eigenvalues are computed: about a second.
const MOST_FEATURES: usize = 1024;

/// The clean data at one setting.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// Names and values of the axes of the data.
    pub axes: Vec<(&'static str, f64)>,
    /// Number k₀ of components.
    pub components: usize,
    /// Their variances in all, in squared units of the inputs.
    pub trace: f64,
    /// Their variances, descending; empty of more raw features than are decomposed in a moment.
    pub variances: Vec<f64>,
    /// y², the labels' second moment a sample.
    pub label_power: f64,
    /// What of it is the square of the labels' mean: inputs are centred and nothing adds a
    /// constant, so no model explains it, and every loss contains it.
    pub label_mean: f64,
    /// What of it each component explains in the population, in the order of the variances; of a
    /// synthetic source on average over its teachers.
    pub explained: Vec<f64>,
}

/// The clean data at the first `most` settings of their axes, and how many settings there are;
/// where a spectrum is drawn, the first replicate's.
#[must_use]
pub fn signals(spec: &JobSpec, input: &Input, most: usize) -> (Vec<Signal>, u64) {
    let grid = Grid::new(spec);
    let settings = grid.rows() / grid.rows_per_setting;
    let signal = |setting: usize| {
        let row = setting as u64 * grid.rows_per_setting;
        let of_data = grid.axes.iter().filter(|axis| axis.level == Level::Data);
        let axes = of_data.map(|axis| (axis.name, axis.values.as_float(axis.index(row)))).collect();
        match (&spec.data, input) {
            (DataSpec::Gaussian(gaussian), _) => {
                let first = u64::from(spec.job.first_replicate);
                let position = |name: &str| grid.axis(name).map_or(0, |axis| axis.index(row));
                let cell = job::cell(spec, first, position);
                let variances = spectra(&cell, input, first).into_iter().find_map(|row| row.signal)?;
                Some(synthetic(gaussian, variances, axes))
            }
            (DataSpec::Rows(_), Input::Rows { sets, .. }) => Some(of_rows(sets.get(setting)?, axes)),
            (DataSpec::Rows(_), Input::Synthetic { .. } | Input::Samples(_)) => None,
        }
    };
    let shown = usize::try_from(settings).unwrap_or(most).min(most);
    ((0..shown).filter_map(signal).collect(), settings)
}

/// A synthetic population. The teacher's directions are uniformly random, so that on average each
/// component explains as much.
fn synthetic(gaussian: &GaussianSpec, mut variances: Vec<f64>, axes: Vec<(&'static str, f64)>) -> Signal {
    let (components, labels) = (variances.len() as f64, f64::from(gaussian.label_count));
    let value = |name: &str| axes.iter().find(|axis| axis.0 == name).map_or(f64::NAN, |axis| axis.1);
    let (label_power, label_mean, explained) = match gaussian.teacher {
        // Of ℓ classes, their means span ℓ − 1 directions, each of which explains s/ℓ.
        Teacher::Classes { .. } => {
            (1.0, 1.0 / labels, value("separation") / labels * (labels - 1.0).min(components))
        }
        Teacher::Linear { .. } => (labels, 0.0, (1.0 - value("label_noise")) * labels),
    };
    variances.sort_unstable_by(|a, b| b.total_cmp(a));
    Signal {
        axes,
        components: variances.len(),
        trace: variances.iter().sum(),
        explained: vec![explained / components; variances.len()],
        variances,
        label_power,
        label_mean,
    }
}

/// A data set: all of its rows.
fn of_rows(set: &RowSet, axes: Vec<(&'static str, f64)>) -> Signal {
    let (features, labels) = (set.rows.features(), set.rows.labels());
    let share = 1.0 / set.rows.samples() as f64;
    let (mut power, mut mean) = (vec![0.0; labels], vec![0.0; labels]);
    let mut cross = Mat::zeros(features, labels);
    let mut row = vec![0.0; set.rows.width()];
    for sample in 0..set.rows.samples() {
        set.rows.write(sample, &mut row);
        let (x, y) = row.split_at(features);
        for (label, &y) in y.iter().enumerate().filter(|(_, y)| y.abs() > 0.0) {
            power[label] += y * y;
            mean[label] += y;
            cross.col_as_slice_mut(label).iter_mut().zip(x).for_each(|(sum, x)| *sum += x * y);
        }
    }
    cross *= faer::Scale(share);
    let power = power.into_iter().map(|power| power * share).sum();
    let mean = mean.into_iter().map(|mean| (mean * share).powi(2)).sum();
    let (trace, variances, cross) = match &set.moment {
        SecondMoment::Diagonal(moments) => (moments.iter().sum(), moments.clone(), cross),
        SecondMoment::Dense(moment) => {
            let trace = moment.diagonal().column_vector().iter().sum();
            let decomposed = (features <= MOST_FEATURES).then(|| moment.self_adjoint_eigen(Side::Lower).ok());
            match decomposed.flatten() {
                Some(decomposed) => {
                    let vectors = decomposed.U().reverse_cols();
                    let values = decomposed.S().column_vector().iter().rev();
                    (trace, values.map(|value| value.max(0.0)).collect(), vectors.transpose() * cross)
                }
                None => (trace, Vec::new(), cross),
            }
        }
    };
    // A component without variance explains nothing.
    let least = variances.first().map_or(0.0, |largest: &f64| largest * f64::EPSILON * features as f64);
    let explained = variances.iter().zip(cross.row_iter()).map(|(&variance, row)| {
        if variance > least { row.iter().map(|b| b * b).sum::<f64>() / variance } else { 0.0 }
    });
    Signal {
        axes,
        components: features,
        trace,
        explained: explained.collect(),
        variances,
        label_power: power,
        label_mean: mean,
    }
}
