//! `clipped-gaussian`: independent normal noise, then a clip: the noise of ImageNet-C as it is.
//!
//! Exact a sample: with `c = clip(x)`, `s = (x − c)/σ` and `a, b` the ends of the range seen from x
//! in units of σ, `(T − c)/σ` is `s + e` within the range and `a + s`, `b + s` beyond, so that
//!
//! ```text
//! E (T − c)/σ   = (a + s) Φ(a) + s P + φ(a) − φ(b) + (b + s) Φ(−b)
//! E ((T − c)/σ)² = (a + s)² Φ(a) + (1 + s²) P + (a + 2s) φ(a) − (b + 2s) φ(b) + (b + s)² Φ(−b)
//! ```
//!
//! with `P = Φ(b) − Φ(a)`: from c, not from 0, so that little cancels. Source: `views.md`,
//! section 3.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use super::additive::gaussian_deviation;
use super::{Bounds, Domain, Key, Kind, Scratch, Stage, Takes, Tier, Unless, Value, no_closed_form};

/// Normal noise, clipped.
pub static CLIPPED_GAUSSIAN: Kind = Kind {
    name: "clipped-gaussian",
    help: "independent normal noise, then values clipped to `low` and `high`",
    keys: &[
        Key {
            name: "sigma",
            takes: Takes::Number(Bounds::POSITIVE),
            unless: Unless::Required,
            help: "standard deviation of the noise",
        },
        Key {
            name: "low",
            takes: Takes::Number(Bounds::FINITE),
            unless: Unless::Number(0.0),
            help: "the least value",
        },
        Key {
            name: "high",
            takes: Takes::Number(Bounds::FINITE),
            unless: Unless::Number(1.0),
            help: "the greatest value",
        },
    ],
    build: |spec, _| {
        let (low, high) = spec.range()?;
        Ok(Box::new(ClippedGaussian { sigma: spec.number("sigma"), low, high }))
    },
    severity: Some(|table, severity, _| {
        // `gaussian_noise` of both files: clip(x + N(0, c²), 0, 1).
        vec![("sigma", Value::Number(gaussian_deviation(table, severity)))]
    }),
};

#[derive(Debug)]
struct ClippedGaussian {
    sigma: f64,
    low: f64,
    high: f64,
}

/// Φ.
fn below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// φ.
fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

impl Stage for ClippedGaussian {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(moment);
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(second);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        for value in values {
            let noise = self.sigma * rng.sample::<f64, _>(StandardNormal);
            *value = (*value + noise).clamp(self.low, self.high);
        }
    }

    fn domain(&self, _: Domain) -> Result<Domain, Domain> {
        Ok(Domain::of(&[self.low]).min(Domain::NotNegative))
    }

    fn tier(&self) -> Tier {
        Tier::Entries
    }

    fn entry(&self, value: f64) -> Option<[f64; 2]> {
        let centre = value.clamp(self.low, self.high);
        let s = (value - centre) / self.sigma;
        let (a, b) = ((self.low - value) / self.sigma, (self.high - value) / self.sigma);
        let within = if a > 0.0 { below(-a) - below(-b) } else { below(b) - below(a) };
        let (low, high) = (a + s, b + s);
        let (under, over) = (below(a), below(-b));
        let (at_low, at_high) = (density(a), density(b));
        let mean = low * under + s * within + at_low - at_high + high * over;
        let square = low * low * under + (1.0 + s * s) * within + (a + 2.0 * s) * at_low
            - (b + 2.0 * s) * at_high
            + high * high * over;
        let variance = (square - mean * mean).max(0.0);
        Some([centre + self.sigma * mean, self.sigma * self.sigma * variance])
    }
}
