//! `dropout`: each feature is replaced, independently, with a probability.
//!
//! With κ = 1 − p and fill φ: `Ā = κ`, `b̄ = (1 − κ)φ`; `E mmᵀ` is κ² beside the diagonal and κ on
//! it. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};

use super::{Bounds, Domain, Fault, Key, Kind, Scratch, Shape, Spec, Stage, Takes, Unless};

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
            takes: Takes::NumberOrList(Bounds::FINITE),
            unless: Unless::Number(0.0),
            help: "what a replaced feature becomes",
        },
    ],
    build,
    severity: None,
};

#[derive(Debug)]
struct Dropout {
    keep: f64,
    fill: Vec<f64>,
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let list = spec.list("fill");
    let fill = if list.is_empty() { vec![spec.number("fill"); shape.size()] } else { list.to_vec() };
    if fill.len() != shape.size() {
        let message = format!("`fill` has {} values for {} features", fill.len(), shape.size());
        return Err(Fault::new("fill", message, "give one number, or one for each feature"));
    }
    Ok(Box::new(Dropout { keep: 1.0 - spec.number("probability"), fill }))
}

impl Stage for Dropout {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        for (column, weight) in moment.col_iter_mut().zip(weights) {
            for (entry, fill) in column.iter_mut().zip(&self.fill) {
                *entry = self.keep * *entry + (1.0 - self.keep) * fill * weight;
            }
        }
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        let (keep, lost) = (self.keep, 1.0 - self.keep);
        for (j, column) in second.col_iter_mut().enumerate() {
            for (i, entry) in column.iter_mut().enumerate() {
                *entry = if i == j {
                    keep * *entry + lost * self.fill[i] * self.fill[i]
                } else {
                    let mixed = mean[i] * self.fill[j] + mean[j] * self.fill[i];
                    keep * keep * *entry + keep * lost * mixed + lost * lost * self.fill[i] * self.fill[j]
                };
            }
        }
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        for (value, fill) in values.iter_mut().zip(&self.fill) {
            if rng.random::<f64>() >= self.keep {
                *value = *fill;
            }
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        let fill = |holds: fn(f64) -> bool| self.fill.iter().all(|&fill| holds(fill));
        Ok(match before {
            Domain::Counts if fill(|x| x >= 0.0 && x.fract() == 0.0) => Domain::Counts,
            Domain::Counts | Domain::NotNegative if fill(|x| x >= 0.0) => Domain::NotNegative,
            Domain::Counts | Domain::NotNegative | Domain::Real => Domain::Real,
        })
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        let Some(&fill) = self.fill.first().filter(|first| self.fill.iter().all(|fill| fill == *first))
        else {
            return false;
        };
        outcomes.extend([(value, self.keep), (fill, 1.0 - self.keep)]);
        true
    }
}
