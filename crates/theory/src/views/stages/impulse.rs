//! `impulse`: each feature becomes salt or pepper, independently, with a probability.
//!
//! With κ = 1 − p and a replacement s: `F_ij = κ p E s` and `H_ij = p² (E s)²` beside the diagonal,
//! 0 and `p E s²` on it. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};

use super::mask::{self, Mask, Pair};
use super::{
    Bounds, Domain, Fault, Key, Kind, Scratch, Severities, Shape, Spec, Stage, Takes, Unless, Value,
};

/// Salt and pepper.
pub static IMPULSE: Kind = Kind {
    name: "impulse",
    help: "each feature becomes `high` or `low`, independently, with a probability",
    keys: &[
        Key {
            name: "probability",
            takes: Takes::Number(Bounds::SHARE),
            unless: Unless::Required,
            help: "of being replaced",
        },
        Key {
            name: "salt",
            takes: Takes::Number(Bounds::SHARE),
            unless: Unless::Number(0.5),
            help: "share of the replaced that become `high`",
        },
        Key {
            name: "low",
            takes: Takes::Number(Bounds::FINITE),
            unless: Unless::Number(0.0),
            help: "pepper",
        },
        Key { name: "high", takes: Takes::Number(Bounds::FINITE), unless: Unless::Number(1.0), help: "salt" },
    ],
    build,
    severity: Some(|table, severity, _| {
        // `impulse_noise` of both files: skimage's `random_noise` in mode "s&p", amount = c.
        let probability = match table {
            Severities::ImageNet => [0.03, 0.06, 0.09, 0.17, 0.27],
            Severities::Cifar => [0.01, 0.02, 0.03, 0.05, 0.07],
        };
        vec![("probability", Value::Number(probability[severity - 1]))]
    }),
};

#[derive(Debug)]
struct Impulse {
    /// p.
    probability: f64,
    /// What a feature becomes with which probability, given that it is replaced.
    becomes: [(f64, f64); 2],
    /// `E s` and `E s²`.
    moments: [f64; 2],
}

#[expect(clippy::unnecessary_wraps, reason = "as all kinds are built")]
fn build(spec: &Spec, _: Shape) -> Result<Box<dyn Stage>, Fault> {
    let salt = spec.number("salt");
    let becomes = [(spec.number("high"), salt), (spec.number("low"), 1.0 - salt)];
    let power = |power| becomes.iter().map(|(value, share)| share * value.powi(power)).sum();
    let moments = [power(1), power(2)];
    Ok(Box::new(Impulse { probability: spec.number("probability"), becomes, moments }))
}

impl Mask for Impulse {
    fn keep(&self, _: usize) -> f64 {
        1.0 - self.probability
    }

    fn fill(&self, _: usize) -> f64 {
        self.probability * self.moments[0]
    }

    fn pair(&self, i: usize, j: usize) -> Pair {
        let ([first, square], p) = (self.moments, self.probability);
        let keep = 1.0 - p;
        if i == j {
            return Pair { keep, keep_fill: 0.0, fill_keep: 0.0, fill: p * square };
        }
        let mixed = keep * p * first;
        Pair { keep: keep * keep, keep_fill: mixed, fill_keep: mixed, fill: p * p * first * first }
    }
}

impl Stage for Impulse {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        mask::mean(self, moment, weights);
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        mask::second(self, second, mean);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        let [(high, salt), (low, _)] = self.becomes;
        for value in values {
            if rng.random::<f64>() < self.probability {
                *value = if rng.random::<f64>() < salt { high } else { low };
            }
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        Ok(before.min(Domain::of(&self.becomes.map(|(value, _)| value))))
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        outcomes.push((value, 1.0 - self.probability));
        outcomes.extend(self.becomes.map(|(value, share)| (value, self.probability * share)));
        true
    }
}
