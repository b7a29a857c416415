//! `brightness`: one random number is added to all features.
//!
//! Additive with mean `m1` and covariance `Var t 11ᵀ`, for t uniform on \[low, high\]:
//! `m = (low + high)/2`, `Var t = (high − low)²/12`. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};

use super::{
    Bounds, Domain, Fault, Key, Kind, Scratch, Severities, Shape, Spec, Stage, Takes, Unless, Value,
};

/// A random offset, the same in all features.
pub static BRIGHTNESS: Kind = Kind {
    name: "brightness",
    help: "a random offset, the same in all features, uniform from `low` to `high`",
    keys: &[
        Key {
            name: "low",
            takes: Takes::Number(Bounds::FINITE),
            unless: Unless::Required,
            help: "the least offset",
        },
        Key {
            name: "high",
            takes: Takes::Number(Bounds::FINITE),
            unless: Unless::Required,
            help: "the greatest offset",
        },
    ],
    build,
    severity: Some(|table, severity, _| {
        // `brightness` of both files: c is added to the value in HSV.
        let offset = match table {
            Severities::ImageNet => [0.1, 0.2, 0.3, 0.4, 0.5],
            Severities::Cifar => [0.05, 0.1, 0.15, 0.2, 0.3],
        }[severity - 1];
        vec![("low", Value::Number(offset)), ("high", Value::Number(offset))]
    }),
};

#[derive(Debug)]
struct Brightness {
    low: f64,
    high: f64,
}

fn build(spec: &Spec, _: Shape) -> Result<Box<dyn Stage>, Fault> {
    let (low, high) = spec.range()?;
    Ok(Box::new(Brightness { low, high }))
}

impl Brightness {
    fn offset(&self) -> f64 {
        0.5 * (self.low + self.high)
    }
}

impl Stage for Brightness {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        for (column, weight) in moment.col_iter_mut().zip(weights) {
            column.iter_mut().for_each(|entry| *entry += self.offset() * weight);
        }
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        let (offset, width) = (self.offset(), self.high - self.low);
        let square = offset * offset + width * width / 12.0;
        for (j, column) in second.col_iter_mut().enumerate() {
            for (entry, own) in column.iter_mut().zip(mean) {
                *entry += offset * (own + mean[j]) + square;
            }
        }
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        let offset = self.low + (self.high - self.low) * rng.random::<f64>();
        values.iter_mut().for_each(|value| *value += offset);
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        let least = Domain::of(&[self.low]);
        Ok(before.min(if self.is_fixed() { least } else { least.min(Domain::NotNegative) }))
    }

    fn is_fixed(&self) -> bool {
        self.low.total_cmp(&self.high).is_eq()
    }
}
