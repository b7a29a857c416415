//! `dropout`: each feature is replaced, independently, with a probability.
//!
//! With κ = 1 − p and fill φ: `Ā = κ`, `b̄ = (1 − κ)φ`; `E mmᵀ` is κ² beside the diagonal and κ on
//! it. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};

use super::mask::{self, Fill, MEAN, Mask, Pair};
use super::{Bounds, Domain, Key, Kind, Scratch, Stage, Takes, Unless};

/// Features replaced independently of each other.
pub static DROPOUT: Kind = Kind {
    name: "dropout",
    help: "each feature becomes `fill`, independently, with a probability",
    keys: &[
        Key {
            name: "probability",
            takes: Takes::Number(Bounds::SHARE),
            unless: Unless::Required,
            help: "of being replaced",
        },
        Key {
            name: "fill",
            takes: Takes::NumberListOrWord(Bounds::FINITE, &[MEAN]),
            unless: Unless::Number(0.0),
            help: "what a replaced feature becomes; `mean`: its mean where the stage stands",
        },
    ],
    build: |spec, shape| {
        let keep = 1.0 - spec.number("probability");
        Ok(Box::new(Dropout { keep, fill: Fill::of(spec, shape)? }))
    },
    severity: None,
};

#[derive(Debug)]
struct Dropout {
    keep: f64,
    fill: Fill,
}

impl Mask for Dropout {
    fn keep(&self, _: usize) -> f64 {
        self.keep
    }

    fn fill(&self, i: usize) -> f64 {
        (1.0 - self.keep) * self.fill.values[i]
    }

    fn pair(&self, i: usize, j: usize) -> Pair {
        let both = if i == j { self.keep } else { self.keep * self.keep };
        self.fill.pair([i, j], [self.keep; 2], both)
    }
}

impl Stage for Dropout {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        mask::mean(self, moment, weights);
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        mask::second(self, second, mean);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        for (value, fill) in values.iter_mut().zip(&self.fill.values) {
            if rng.random::<f64>() >= self.keep {
                *value = *fill;
            }
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        Ok(self.fill.domain(before))
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        let fill = self.fill.single();
        outcomes.extend(fill.iter().flat_map(|&fill| [(value, self.keep), (fill, 1.0 - self.keep)]));
        fill.is_some()
    }

    fn settle(&mut self, mean: &[f64], _: &mut Scratch) {
        self.fill.settle(mean);
    }

    fn needs_mean(&self) -> bool {
        self.fill.is_mean
    }
}
