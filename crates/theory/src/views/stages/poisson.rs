//! `poisson`: counting noise: at exposure e a value v is counted as Poisson(e v)/e.
//!
//! `s = 1`, `c₁ = 1/e`. With a dispersion o the rate itself varies, by a gamma factor of mean 1 and
//! variance o (negative binomial counts): `c₂ = o`. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::{Gamma, Poisson};

use super::{Bounds, Domain, Key, Kind, Scratch, Severities, Stage, Takes, Unless, Value, counts};

/// Counting (shot) noise.
pub static POISSON: Kind = Kind {
    name: "poisson",
    help: "counting (shot) noise: v becomes Poisson(e v)/e at exposure e; for values from 0",
    keys: &[
        Key {
            name: "exposure",
            takes: Takes::Number(Bounds::POSITIVE),
            unless: Unless::Required,
            help: "counts per unit of the value",
        },
        Key {
            name: "dispersion",
            takes: Takes::Number(Bounds::NOT_NEGATIVE),
            unless: Unless::Number(0.0),
            help: "variance of the rate relative to its square: above 0, counts are negative binomial",
        },
    ],
    build: |spec, _| {
        Ok(Box::new(Counting { exposure: spec.number("exposure"), dispersion: spec.number("dispersion") }))
    },
    severity: Some(|table, severity, _| {
        // `shot_noise` of both files: Poisson(x c)/c.
        let exposure = match table {
            Severities::ImageNet => [60.0, 25.0, 12.0, 5.0, 3.0],
            Severities::Cifar => [500.0, 250.0, 100.0, 75.0, 50.0],
        }[severity - 1];
        vec![("exposure", Value::Number(exposure))]
    }),
};

#[derive(Debug)]
struct Counting {
    exposure: f64,
    dispersion: f64,
}

impl Stage for Counting {
    fn mean(&self, _: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {}

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        counts::second(1.0, [1.0 / self.exposure, self.dispersion], second, mean);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        let varying = (self.dispersion > 0.0).then(|| Gamma::new(1.0 / self.dispersion, self.dispersion));
        for value in values {
            let factor = match &varying {
                None => 1.0,
                Some(gamma) => gamma.as_ref().map_or(f64::NAN, |gamma| rng.sample(gamma)),
            };
            let rate = self.exposure * *value * factor;
            // There is no law of rate 0.
            let mut drawn = || Poisson::new(rate).map_or(f64::NAN, |law| rng.sample(law));
            let count = if rate == 0.0 { 0.0 } else { drawn() };
            *value = count / self.exposure;
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        if before < Domain::NotNegative {
            return Err(Domain::NotNegative);
        }
        Ok(Domain::of(&[1.0 / self.exposure]))
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        let (rate, unit) = (self.exposure * value, 1.0 / self.exposure);
        if self.dispersion > 0.0 {
            let size = 1.0 / self.dispersion;
            let share = rate / (rate + size);
            let mode = ((size - 1.0) * rate / size).floor().max(0.0);
            counts::around(mode, |k| (k + size) / (k + 1.0) * share, unit, outcomes);
        } else {
            counts::around(rate.floor(), |k| rate / (k + 1.0), unit, outcomes);
        }
        true
    }
}
