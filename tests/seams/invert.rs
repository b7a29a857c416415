//! `invert`: `level − v`, the negative of an image.

use faer::Mat;
use rand::Rng;

use super::{Bounds, Domain, Fault, Key, Kind, Scratch, Shape, Spec, Stage, Takes, Unless};

/// The negative of an image.
pub static INVERT: Kind = Kind {
    name: "invert",
    help: "the negative of an image, `level − v`",
    keys: &[Key {
        name: "level",
        takes: Takes::Number(Bounds::FINITE),
        unless: Unless::Number(1.0),
        help: "what a value of 0 becomes",
    }],
    build,
    severity: None,
};

#[derive(Debug)]
struct Invert {
    level: f64,
}

fn build(spec: &Spec, _: Shape) -> Result<Box<dyn Stage>, Fault> {
    Ok(Box::new(Invert { level: spec.number("level") }))
}

impl Stage for Invert {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        for (column, weight) in moment.col_iter_mut().zip(weights) {
            column.iter_mut().for_each(|entry| *entry = self.level * weight - *entry);
        }
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        for (column, a) in second.col_iter_mut().zip(mean) {
            for (entry, b) in column.iter_mut().zip(mean) {
                *entry += self.level * (self.level - a - b);
            }
        }
    }

    fn draw(&self, values: &mut Vec<f64>, _: &mut dyn Rng) {
        values.iter_mut().for_each(|value| *value = self.level - *value);
    }

    fn domain(&self, _: Domain) -> Result<Domain, Domain> {
        Ok(Domain::Real)
    }

    fn is_fixed(&self) -> bool {
        true
    }
}
