//! `patches`: so many of the patches of an image are masked, the same in all channels.
//!
//! Exactly r of q patches are masked, without replacement: a feature is kept with κ = (q − r)/q,
//! two in one patch both with κ, in two patches both with κ (q − r − 1)/(q − 1), which is less than
//! κ²: masked patches are not independent. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};

use super::mask::{self, Fill, MEAN, Mask, Pair};
use super::{Bounds, Domain, Fault, Key, Kind, Scratch, Shape, Spec, Stage, Takes, Unless};

/// Patches of an image, masked without replacement.
pub static PATCHES: Kind = Kind {
    name: "patches",
    help: "so many patches of an image become `fill`, drawn without replacement, in all channels",
    keys: &[
        Key {
            name: "size",
            takes: Takes::Pair(Bounds::SIZE),
            unless: Unless::Required,
            help: "rows and columns of a patch; at the right and lower edge patches may be smaller",
        },
        Key {
            name: "masked",
            takes: Takes::Number(Bounds::COUNT),
            unless: Unless::Required,
            help: "patches that are masked, fewer than there are",
        },
        Key {
            name: "fill",
            takes: Takes::NumberListOrWord(Bounds::FINITE, &[MEAN]),
            unless: Unless::Number(0.0),
            help: "what a masked feature becomes; `mean`: its mean where the stage stands",
        },
    ],
    build,
    severity: None,
};

#[derive(Debug)]
struct Patches {
    /// The patch of a feature (d).
    patch: Vec<usize>,
    /// q.
    patches: usize,
    /// r.
    masked: usize,
    /// κ.
    keep: f64,
    /// The probability that features of two patches are both kept.
    both: f64,
    fill: Fill,
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, within its bounds")]
fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let &[rows, columns] = spec.list("size") else {
        return Err(Fault::new("size", "a size is two numbers", "give rows and columns: [4, 4]"));
    };
    let (rows, columns) = (rows as usize, columns as usize);
    if rows > shape.rows || columns > shape.columns {
        let message = format!(
            "patches of {rows} × {columns} are larger than images of {} × {}",
            shape.rows, shape.columns
        );
        return Err(Fault::new("size", message, "give a size within the image"));
    }
    let across = shape.columns.div_ceil(columns);
    let patches = shape.rows.div_ceil(rows) * across;
    let masked = spec.count("masked");
    if masked >= patches {
        let message = format!("{masked} of {patches} patches of {rows} × {columns} leave nothing");
        return Err(Fault::new("masked", message, format!("mask {} at most", patches - 1)));
    }
    let channel = shape.rows * shape.columns;
    let patch = |i: usize| (i % channel / shape.columns / rows) * across + i % shape.columns / columns;
    let (q, kept) = (patches as f64, (patches - masked) as f64);
    Ok(Box::new(Patches {
        patch: (0..shape.size()).map(patch).collect(),
        patches,
        masked,
        keep: kept / q,
        both: kept * (kept - 1.0) / (q * (q - 1.0).max(1.0)),
        fill: Fill::of(spec, shape)?,
    }))
}

impl Mask for Patches {
    fn keep(&self, _: usize) -> f64 {
        self.keep
    }

    fn fill(&self, i: usize) -> f64 {
        (1.0 - self.keep) * self.fill.values[i]
    }

    fn pair(&self, i: usize, j: usize) -> Pair {
        let both = if self.patch[i] == self.patch[j] { self.keep } else { self.both };
        self.fill.pair([i, j], [self.keep; 2], both)
    }
}

impl Stage for Patches {
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], _: &mut Scratch) {
        mask::mean(self, moment, weights);
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        mask::second(self, second, mean);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        // Each patch in turn is masked with the share of those still to be masked among those left.
        let mut left = self.masked;
        let masked: Vec<bool> = (0..self.patches)
            .map(|patch| {
                let masks = rng.random::<f64>() * ((self.patches - patch) as f64) < left as f64;
                left -= usize::from(masks);
                masks
            })
            .collect();
        for ((value, fill), patch) in values.iter_mut().zip(&self.fill.values).zip(&self.patch) {
            if masked[*patch] {
                *value = *fill;
            }
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        Ok(self.fill.domain(before))
    }

    fn settle(&mut self, mean: &[f64], _: &mut Scratch) {
        self.fill.settle(mean);
    }

    fn needs_mean(&self) -> bool {
        self.fill.is_mean
    }
}
