//! `multiplicative`: `v∘(1 + g)` with g normal of mean 0: speckle, and correlated gains.
//!
//! `Ā = I`; the second moment is `S∘(1 + K)` with `K = Cov g`: of independent gains of one variance
//! σ² (speckle) it grows on the diagonal only. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::additive::{Covariance, add_product};
use super::mask::{self, Mask, Pair};
use super::{
    Bounds, Domain, Fault, Key, Kind, Scratch, Severities, Shape, Spec, Stage, Takes, Unless, Value,
};

/// Noise in proportion to the value.
pub static MULTIPLICATIVE: Kind = Kind {
    name: "multiplicative",
    help: "each feature times 1 + normal noise (speckle)",
    keys: &[
        Key {
            name: "variance",
            takes: Takes::Number(Bounds::NOT_NEGATIVE),
            unless: Unless::Absent("there is a `covariance`"),
            help: "of the noise, independent in each feature",
        },
        Key {
            name: "covariance",
            takes: Takes::Matrix,
            unless: Unless::Absent("there is a `variance`"),
            help: "of the noise (d × d)",
        },
    ],
    build,
    severity: Some(|table, severity, _| {
        // `speckle_noise` of both files: x + x · N(0, c²).
        let deviation: f64 = match table {
            Severities::ImageNet => [0.15, 0.2, 0.35, 0.45, 0.6],
            Severities::Cifar => [0.06, 0.1, 0.12, 0.16, 0.2],
        }[severity - 1];
        vec![("variance", Value::Number(deviation * deviation))]
    }),
};

#[derive(Debug)]
enum Multiplicative {
    /// Independent gains of one variance.
    Speckle(f64),
    /// Gains of a covariance.
    Joint(Covariance),
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    spec.one_of(&["variance", "covariance"])?;
    Ok(Box::new(match Covariance::of(spec, shape)? {
        Some(covariance) => Multiplicative::Joint(covariance),
        None => Multiplicative::Speckle(spec.number("variance")),
    }))
}

impl Mask for Multiplicative {
    fn keep(&self, _: usize) -> f64 {
        1.0
    }

    fn fill(&self, _: usize) -> f64 {
        0.0
    }

    fn pair(&self, i: usize, j: usize) -> Pair {
        let covariance = match self {
            Self::Speckle(variance) => f64::from(u8::from(i == j)) * variance,
            Self::Joint(covariance) => covariance.matrix[(i, j)],
        };
        Pair { keep: 1.0 + covariance, keep_fill: 0.0, fill_keep: 0.0, fill: 0.0 }
    }
}

impl Stage for Multiplicative {
    fn mean(&self, _: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {}

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        mask::second(self, second, mean);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        match self {
            Self::Speckle(variance) => {
                let deviation = variance.sqrt();
                for value in values {
                    *value *= 1.0 + deviation * rng.sample::<f64, _>(StandardNormal);
                }
            }
            Self::Joint(covariance) => {
                let mut gains = vec![1.0; values.len()];
                add_product(&mut gains, covariance.factor(), rng);
                values.iter_mut().zip(gains).for_each(|(value, gain)| *value *= gain);
            }
        }
    }

    fn domain(&self, _: Domain) -> Result<Domain, Domain> {
        Ok(Domain::Real)
    }
}
