//! `clip`: values beyond a range become its ends.
//!
//! It has no closed form in moments; behind stages with independent coordinates it is exact a
//! sample, and [drawn](super::Tier::Sampled) behind others.

use faer::Mat;
use rand::Rng;

use super::{Bounds, Domain, Key, Kind, Scratch, Stage, Takes, Tier, Unless, no_closed_form};

/// Values kept within a range.
pub static CLIP: Kind = Kind {
    name: "clip",
    help: "values below `low` become `low`, those above `high` become `high`",
    keys: &[
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
        Ok(Box::new(Clip { low, high }))
    },
    severity: None,
};

#[derive(Debug)]
struct Clip {
    low: f64,
    high: f64,
}

impl Stage for Clip {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(moment);
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(second);
    }

    fn draw(&self, values: &mut Vec<f64>, _: &mut dyn Rng) {
        values.iter_mut().for_each(|value| *value = value.clamp(self.low, self.high));
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        let least = self.low.max(if before < Domain::NotNegative { f64::NEG_INFINITY } else { 0.0 });
        let ends = Domain::of(&[least.min(self.high), self.high]);
        Ok(if before == Domain::Counts { ends } else { ends.min(Domain::NotNegative) })
    }

    fn tier(&self) -> Tier {
        Tier::Entries
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        outcomes.push((value.clamp(self.low, self.high), 1.0));
        true
    }
}
