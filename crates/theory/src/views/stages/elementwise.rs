//! `elementwise`: a scalar function of each feature, `f(scale · v)`.
//!
//! It has no closed form in moments; behind stages with independent coordinates it is exact a
//! sample. Source: `views.md`, section 3 (tier 2).

use faer::Mat;
use rand::Rng;

use super::{Bounds, Domain, Key, Kind, Scratch, Stage, Takes, Tier, Unless, no_closed_form};

const LOG1P: &str = "log1p";
const SQRT: &str = "sqrt";

/// A function of each feature.
pub static ELEMENTWISE: Kind = Kind {
    name: "elementwise",
    help: "a function of each feature, `f(scale · v)`; for values from 0",
    keys: &[
        Key {
            name: "function",
            takes: Takes::Word(&[LOG1P, SQRT]),
            unless: Unless::Required,
            help: "f: `log1p` is ln(1 + x), `sqrt` the square root",
        },
        Key {
            name: "scale",
            takes: Takes::Number(Bounds::POSITIVE),
            unless: Unless::Number(1.0),
            help: "what values are multiplied by first",
        },
    ],
    build: |spec, _| {
        let function = if spec.word("function") == SQRT { f64::sqrt } else { f64::ln_1p };
        Ok(Box::new(Elementwise { function, scale: spec.number("scale") }))
    },
    severity: None,
};

#[derive(Debug)]
struct Elementwise {
    function: fn(f64) -> f64,
    scale: f64,
}

impl Elementwise {
    fn at(&self, value: f64) -> f64 {
        (self.function)(self.scale * value)
    }
}

impl Stage for Elementwise {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(moment);
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(second);
    }

    fn draw(&self, values: &mut Vec<f64>, _: &mut dyn Rng) {
        values.iter_mut().for_each(|value| *value = self.at(*value));
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        if before < Domain::NotNegative { Err(Domain::NotNegative) } else { Ok(Domain::NotNegative) }
    }

    fn tier(&self) -> Tier {
        Tier::Entries
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        outcomes.push((self.at(value), 1.0));
        true
    }
}
