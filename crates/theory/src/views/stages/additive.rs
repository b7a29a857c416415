//! `additive`: normal noise of any mean and covariance; and the residual of a corruption as noise.
//!
//! `Ā = I`, `b̄ = m`; the second moment becomes `S + K + μmᵀ + mμᵀ + mmᵀ`. K is dense, diagonal or
//! `FFᵀ` with F d × r. Source: `views.md`, section 3.

use std::sync::OnceLock;

use eigensweep_spectral::dense::{factor_pivoted, gram_lower};
use faer::{Accum, Mat};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::{
    Bounds, Domain, Fault, Key, Kind, Scratch, Severities, Shape, Spec, Stage, Takes, Unless, Value,
};
use crate::InstructionSet;

/// Noise that does not depend on the sample.
pub static ADDITIVE: Kind = Kind {
    name: "additive",
    help: "normal noise, the same whatever the sample",
    keys: &[
        Key {
            name: "variance",
            takes: Takes::NumberOrList(Bounds::NOT_NEGATIVE),
            unless: Unless::Absent("there is a `covariance` or a `factor`"),
            help: "of each feature, independent",
        },
        Key {
            name: "covariance",
            takes: Takes::Matrix,
            unless: Unless::Absent("there is a `variance` or a `factor`"),
            help: "of the noise (d × d)",
        },
        Key {
            name: "factor",
            takes: Takes::Matrix,
            unless: Unless::Absent("there is a `variance` or a `covariance`"),
            help: "F of a covariance FFᵀ (d × any number)",
        },
        Key {
            name: "mean",
            takes: Takes::NumberOrList(Bounds::FINITE),
            unless: Unless::Number(0.0),
            help: "of the noise",
        },
    ],
    build,
    severity: Some(|table, severity, _| {
        // `gaussian_noise` of both files: x + N(0, c²); there clipped, as `clipped-gaussian` is.
        let deviation = gaussian_deviation(table, severity);
        vec![("variance", Value::Number(deviation * deviation))]
    }),
};

/// σ of `gaussian_noise` at a severity.
pub(super) fn gaussian_deviation(table: Severities, severity: usize) -> f64 {
    let deviations = match table {
        Severities::ImageNet => [0.08, 0.12, 0.18, 0.26, 0.38],
        Severities::Cifar => [0.04, 0.06, 0.08, 0.09, 0.10],
    };
    deviations[severity - 1]
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    spec.one_of(&["variance", "covariance", "factor"])?;
    let mean = spec.per_feature("mean", shape)?;
    let noise = if let Some(covariance) = Covariance::of(spec, shape)? {
        Noise::Joint(covariance)
    } else if let Some(factor) = spec.columns("factor") {
        if factor.nrows() != shape.size() {
            let message = format!("`factor` has {} rows for {} features", factor.nrows(), shape.size());
            return Err(Fault::new("factor", message, "give a row for each feature"));
        }
        if !factor.is_all_finite() {
            return Err(Fault::new("factor", "a value is not finite", "give finite numbers"));
        }
        Noise::Factor(factor)
    } else {
        Noise::Each(spec.per_feature("variance", shape)?)
    };
    Ok(Box::new(Additive { noise, mean }))
}

/// A covariance, and its factor where it is drawn.
#[derive(Debug)]
pub(super) struct Covariance {
    /// K (d × d), symmetric.
    pub(super) matrix: Mat<f64>,
    /// F of `K = FFᵀ`.
    factor: OnceLock<Mat<f64>>,
}

/// Share of the largest entry that may be rounding.
const ROUNDING: f64 = 1e-8;

impl Covariance {
    /// The covariance at `covariance`, if it is given.
    pub(super) fn of(spec: &Spec, shape: Shape) -> Result<Option<Self>, Fault> {
        let fault = |message: String, help: &str| Err(Fault::new("covariance", message, help));
        let Some(given) = spec.columns("covariance") else { return Ok(None) };
        let (rows, columns, size) = (given.nrows(), given.ncols(), shape.size());
        if (rows, columns) != (size, size) {
            let message = format!("`covariance` is {rows} × {columns} for {size} features");
            return fault(message, "give a row and a column for each feature");
        }
        if !given.is_all_finite() {
            return fault("a value is not finite".to_owned(), "give finite numbers");
        }
        let most = ROUNDING * given.norm_max();
        let at = |i, j| given[(i, j)] - given[(j, i)];
        for j in 0..size {
            if let Some(i) = (j + 1..size).find(|&i| at(i, j).abs() > most) {
                let message = format!(
                    "`covariance` is not symmetric: {} in row {}, column {}, but {} the other way round",
                    given[(j, i)],
                    j + 1,
                    i + 1,
                    given[(i, j)]
                );
                return fault(message, "a covariance is symmetric");
            }
        }
        let found = Self::new(Mat::from_fn(size, size, |i, j| 0.5 * (given[(i, j)] + given[(j, i)])));
        // K is positive semidefinite if and only if nothing is left of it behind its factor.
        let mut left = Mat::zeros(size, size);
        gram_lower(InstructionSet::detect(), left.as_mut(), Accum::Replace, found.factor().as_ref());
        let left = |i, j| f64::abs(left[(i, j)] - found.matrix[(i, j)]);
        if (0..size).any(|j| (j..size).any(|i| left(i, j) > most)) {
            let message = "`covariance` is not positive semidefinite: some variances are negative";
            return fault(message.to_owned(), "no noise has such a covariance; check its entries");
        }
        Ok(Some(found))
    }

    fn new(matrix: Mat<f64>) -> Self {
        Self { matrix, factor: OnceLock::new() }
    }

    /// F (d × rank).
    pub(super) fn factor(&self) -> &Mat<f64> {
        self.factor.get_or_init(|| {
            let size = self.matrix.nrows();
            let mut factor = Mat::zeros(size, size);
            let tolerance = size as f64 * f64::EPSILON;
            let (matrix, mut remaining) = (self.matrix.as_ref(), vec![0.0; size]);
            let set = InstructionSet::detect();
            let rank = factor_pivoted(set, matrix, tolerance, size, factor.as_mut(), &mut remaining);
            rank.map_or_else(|_| Mat::full(size, 1, f64::NAN), |rank| factor.subcols(0, rank).to_owned())
        })
    }
}

/// The covariance of noise.
#[derive(Debug)]
pub(super) enum Noise {
    /// Variances of independent features (d).
    Each(Vec<f64>),
    /// A dense covariance.
    Joint(Covariance),
    /// F of `FFᵀ` (d × r).
    Factor(Mat<f64>),
}

/// Normal noise.
#[derive(Debug)]
pub(super) struct Additive {
    pub(super) noise: Noise,
    /// m (d).
    pub(super) mean: Vec<f64>,
}

impl Stage for Additive {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        for (column, weight) in moment.col_iter_mut().zip(weights) {
            column.iter_mut().zip(&self.mean).for_each(|(entry, mean)| *entry += mean * weight);
        }
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        let own = &self.mean;
        match &self.noise {
            Noise::Each(variances) => {
                variances.iter().enumerate().for_each(|(i, variance)| second[(i, i)] += variance);
            }
            Noise::Joint(covariance) => *second += &covariance.matrix,
            Noise::Factor(factor) => {
                gram_lower(InstructionSet::detect(), second.as_mut(), Accum::Add, factor.as_ref());
                mirror(second);
            }
        }
        if own.iter().any(|mean| *mean != 0.0) {
            for (j, column) in second.col_iter_mut().enumerate() {
                for (i, entry) in column.iter_mut().enumerate() {
                    *entry += mean[i] * own[j] + own[i] * mean[j] + own[i] * own[j];
                }
            }
        }
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        match &self.noise {
            Noise::Each(variances) => {
                for (value, variance) in values.iter_mut().zip(variances) {
                    *value += variance.sqrt() * rng.sample::<f64, _>(StandardNormal);
                }
            }
            Noise::Joint(covariance) => add_product(values, covariance.factor(), rng),
            Noise::Factor(factor) => add_product(values, factor, rng),
        }
        values.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value += mean);
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        Ok(if self.is_fixed() { before.min(Domain::of(&self.mean)) } else { Domain::Real })
    }

    fn is_fixed(&self) -> bool {
        match &self.noise {
            Noise::Each(variances) => variances.iter().all(|variance| *variance == 0.0),
            Noise::Joint(covariance) => covariance.matrix.norm_max() == 0.0,
            Noise::Factor(factor) => factor.norm_max() == 0.0,
        }
    }
}

/// Adds F z to values, with z standard normal.
pub(super) fn add_product(values: &mut [f64], factor: &Mat<f64>, rng: &mut dyn Rng) {
    for column in factor.col_iter() {
        let normal = rng.sample::<f64, _>(StandardNormal);
        values.iter_mut().zip(column.iter()).for_each(|(value, entry)| *value += entry * normal);
    }
}

/// Copies the lower triangle to the upper one.
pub(super) fn mirror(matrix: &mut Mat<f64>) {
    for j in 0..matrix.ncols() {
        for i in j + 1..matrix.nrows() {
            matrix[(j, i)] = matrix[(i, j)];
        }
    }
}

/// `α (T(x′) − x′)` of an independent sample x′, as the noise that has its moments: mean
/// `α(Āμ + b̄ − μ)` and second moment `α² (Φ(S) − P − Pᵀ + S)` with `P = ĀS + b̄μᵀ`.
///
/// `second` is S (d × d, both triangles) and `mean` μ (d) of the samples that T meets. Draws are
/// normal. T must keep the number of features.
///
/// Source: `views.md`, section 3 (alignment for any corruption).
#[must_use]
pub fn residual(
    stage: &dyn Stage,
    second: &Mat<f64>,
    mean: &[f64],
    alpha: f64,
    scratch: &mut Scratch,
) -> Box<dyn Stage> {
    let size = mean.len();
    let mut after = Mat::from_fn(size, 1, |i, _| mean[i]);
    stage.mean(&mut after, &[1.0], scratch);
    let shift: Vec<f64> = after.col(0).iter().zip(mean).map(|(after, mean)| after - mean).collect();
    let mut mixed = scratch.copy(second);
    stage.mean(&mut mixed, mean, scratch);
    let mut whole = scratch.copy(second);
    stage.second(&mut whole, mean, scratch);
    let covariance = |i: usize, j: usize| {
        let moment = whole[(i, j)] - mixed[(i, j)] - mixed[(j, i)] + second[(i, j)];
        alpha * alpha * (moment - shift[i] * shift[j])
    };
    let noise = Mat::from_fn(size, size, |i, j| covariance(i.max(j), i.min(j)));
    scratch.give(mixed);
    scratch.give(whole);
    let mean = shift.iter().map(|shift| alpha * shift).collect();
    Box::new(Additive { noise: Noise::Joint(Covariance::new(noise)), mean })
}
