//! `polynomial`: all features and all distinct products of two of them.
//!
//! `x_i`, then `x_i x_j / s` for i ≤ j, the second factor running, with s the root of the mean
//! variance of the features: in units of s linear and quadratic features are of one size, whatever
//! the unit of the data. Joint-embedding hardly depends on s; reconstruction does.

use std::sync::Arc;

use faer::MatMut;

use super::{Components, Kind, MapKind, Moments};
use crate::views::stages::Map;

/// Polynomials of degree 2.
pub static POLYNOMIAL: Kind = Kind {
    name: "polynomial",
    help: "all features, and all distinct products of two of them in units of their root mean variance",
    keys: &[],
    components: Components::Optional,
    map: Some(MapKind {
        features: |_, before| count(before),
        build: |_, moments, _| {
            let Moments { mean, .. } = moments;
            let unit = moments.distance() / (2.0 * mean.len() as f64).sqrt();
            Arc::new(Quadratic { unit })
        },
    }),
};

/// d + d(d + 1)/2; saturates.
fn count(before: usize) -> usize {
    before.saturating_add(before.saturating_mul(before.saturating_add(1)) / 2)
}

#[derive(Debug)]
struct Quadratic {
    /// s.
    unit: f64,
}

impl Map for Quadratic {
    fn features(&self, before: usize) -> usize {
        count(before)
    }

    fn apply(&self, samples: MatMut<'_, f64>, to: MatMut<'_, f64>) {
        let size = samples.nrows();
        for (from, mut to) in samples.col_iter().zip(to.col_iter_mut()) {
            let mut place = size;
            for i in 0..size {
                to[i] = from[i];
                let scaled = from[i] / self.unit;
                for j in i..size {
                    to[place] = scaled * from[j];
                    place += 1;
                }
            }
        }
    }
}
