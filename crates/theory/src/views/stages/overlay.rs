//! `overlay`: `v + (1 − v)∘β`, a random background β seen where the image is dark.
//!
//! With `β̄ = E β` and `β₂ = E ββᵀ`: `Ā = D(1 − β̄)`, `b̄ = β̄`, `Q = 1 − β̄1ᵀ − 1β̄ᵀ + β₂`,
//! `F = 1β̄ᵀ − β₂`, `H = β₂`. Source: `views.md`, section 3.

use eigensweep_spectral::dense::gram_lower;
use faer::{Accum, Mat};
use rand::{Rng, RngExt};

use super::additive::mirror;
use super::mask::{self, Mask, Pair};
use super::{Domain, Fault, Key, Kind, Scratch, Shape, Spec, Stage, Takes, Unless};
use crate::InstructionSet;

/// A random background, seen where the image is dark.
pub static OVERLAY: Kind = Kind {
    name: "overlay",
    help: "a random background, seen where the image is dark: v + (1 − v) β; for values from 0 to 1",
    keys: &[Key {
        name: "backgrounds",
        takes: Takes::Matrix,
        unless: Unless::Required,
        help: "a background a row, all as likely (any number × d)",
    }],
    build,
    severity: None,
};

#[derive(Debug)]
struct Overlay {
    /// A background a column (d × number).
    backgrounds: Mat<f64>,
    /// β̄ (d).
    mean: Vec<f64>,
    /// β₂ (d × d).
    second: Mat<f64>,
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let rows = spec.rows("backgrounds");
    let Some(rows) = rows.filter(|rows| rows.nrows() > 0) else {
        return Err(Fault::new("backgrounds", "there are no backgrounds", "list at least one"));
    };
    if rows.ncols() != shape.size() {
        let message = format!("a background has {} values for {} features", rows.ncols(), shape.size());
        return Err(Fault::new("backgrounds", message, "give backgrounds of the size of the images"));
    }
    if !rows.is_all_finite() {
        return Err(Fault::new("backgrounds", "a value is not finite", "give finite numbers"));
    }
    let backgrounds = rows.transpose().to_owned();
    let share = 1.0 / backgrounds.ncols() as f64;
    let mean = backgrounds.row_iter().map(|row| row.iter().sum::<f64>() * share).collect();
    let mut second = Mat::zeros(shape.size(), shape.size());
    let instruction_set = InstructionSet::detect();
    gram_lower(instruction_set, second.as_mut(), Accum::Replace, backgrounds.as_ref());
    second.col_iter_mut().for_each(|column| column.iter_mut().for_each(|entry| *entry *= share));
    mirror(&mut second);
    Ok(Box::new(Overlay { backgrounds, mean, second }))
}

impl Mask for Overlay {
    fn keep(&self, i: usize) -> f64 {
        1.0 - self.mean[i]
    }

    fn fill(&self, i: usize) -> f64 {
        self.mean[i]
    }

    fn pair(&self, i: usize, j: usize) -> Pair {
        let ([a, b], fill) = ([self.mean[i], self.mean[j]], self.second[(i, j)]);
        Pair { keep: 1.0 - a - b + fill, keep_fill: b - fill, fill_keep: a - fill, fill }
    }
}

impl Stage for Overlay {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        mask::mean(self, moment, weights);
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        mask::second(self, second, mean);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        let background = self.backgrounds.col(rng.random_range(0..self.backgrounds.ncols()));
        for (value, background) in values.iter_mut().zip(background.iter()) {
            *value += (1.0 - *value) * background;
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        // v (1 − β) + β.
        let within = self.backgrounds.col_iter().all(|one| one.iter().all(|b| (0.0..=1.0).contains(b)));
        Ok(before.min(if within { Domain::NotNegative } else { Domain::Real }))
    }

    fn is_fixed(&self) -> bool {
        self.backgrounds.ncols() == 1
    }
}
