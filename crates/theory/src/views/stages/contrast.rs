//! `contrast`: differences from the mean of a channel are multiplied by a random factor.
//!
//! `T(v) = t v + (1 − t) J v` with J the mean of a channel: random coefficients (t, 1 − t), so
//! `Φ(S) = t₂ S + (t₁ − t₂)(S J + J S) + (1 − 2 t₁ + t₂) J S J` with t₁ = E t and t₂ = E t².
//! Source: `views.md`, section 3.

use faer::Mat;
use rand::Rng;

use super::factors::{self, Factors};
use super::{Domain, Fault, Kind, Scratch, Severities, Shape, Spec, Stage, Value};

/// Images of random contrast.
pub static CONTRAST: Kind = Kind {
    name: "contrast",
    help: "differences from the mean of a channel are multiplied by a random factor",
    keys: factors::KEYS,
    build,
    severity: Some(severity),
};

/// The factor of `contrast`.
fn severity(table: Severities, severity: usize, _: Shape) -> Vec<(&'static str, Value)> {
    let factors = match table {
        Severities::ImageNet => [0.4, 0.3, 0.2, 0.1, 0.05],
        Severities::Cifar => [0.75, 0.5, 0.4, 0.3, 0.15],
    };
    vec![("factors", Value::List(vec![factors[severity.clamp(1, 5) - 1]]))]
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    Ok(Box::new(Contrast { factors: Factors::of(spec)?, pixels: shape.rows * shape.columns }))
}

#[derive(Debug)]
struct Contrast {
    factors: Factors,
    /// Pixels of a channel.
    pixels: usize,
}

impl Contrast {
    /// `v ← t v + (1 − t) J v`.
    fn apply(&self, values: &mut [f64], factor: f64) {
        for channel in values.chunks_mut(self.pixels) {
            let rest = (1.0 - factor) * mean(channel);
            channel.iter_mut().for_each(|value| *value = factor * *value + rest);
        }
    }
}

/// The mean, summed in eight interleaved parts.
fn mean(values: &[f64]) -> f64 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for eight in eights {
        for (sum, value) in sums.iter_mut().zip(eight) {
            *sum += value;
        }
    }
    (sums.iter().sum::<f64>() + rest.iter().sum::<f64>()) / values.len() as f64
}

impl Stage for Contrast {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        let [first, _] = self.factors.moments();
        for j in 0..moment.ncols() {
            self.apply(moment.col_as_slice_mut(j), first);
        }
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], scratch: &mut Scratch) {
        let [first, square] = self.factors.moments();
        let (mixed, both) = (first - square, 1.0 - 2.0 * first + square);
        let size = second.nrows();
        let channels = size / self.pixels;
        // S J: a column a channel, and J S J.
        let mut means = scratch.take(size, channels);
        for j in 0..size {
            for (channel, values) in second.col_as_slice(j).chunks(self.pixels).enumerate() {
                means[(j, channel)] = mean(values);
            }
        }
        for j in 0..size {
            let own = means.col_as_slice(j / self.pixels);
            let column = second.col_as_slice_mut(j).chunks_mut(self.pixels);
            for ((channel, column), own) in column.enumerate().zip(own.chunks(self.pixels)) {
                let constant = mixed * means[(j, channel)] + both * mean(own);
                for (entry, own) in column.iter_mut().zip(own) {
                    *entry = square * *entry + (mixed * own + constant);
                }
            }
        }
        scratch.give(means);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        self.apply(values, self.factors.draw(rng));
    }

    /// Up to a factor of 1 pixels lie between their mean and themselves.
    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        Ok(match self.factors.only() {
            Some(1.0) => before,
            _ if self.factors.greatest() <= 1.0 => before.min(Domain::NotNegative),
            Some(_) | None => Domain::Real,
        })
    }

    fn is_fixed(&self) -> bool {
        self.factors.only().is_some()
    }
}
