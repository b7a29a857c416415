//! Counts relative to the size of their library: each sample times a factor of its own, then
//! perhaps `ln(1 + x)`.
//!
//! The factor is that of the whole sample as it was measured, not of a thinned view of it: then a
//! view's entries stay independent, and their moments finite sums. Source: `views.md`, section 9;
//! F. A. Wolf, P. Angerer and F. J. Theis, *Scanpy: large-scale single-cell gene expression data
//! analysis*, Genome Biology 19 (2018).

use faer::Mat;
use rand::Rng;

use crate::views::stages::{Domain, Scratch, Stage, Tier, no_closed_form};

/// `f(s v)` of each feature, s the [scale of the sample](Stage::scale_next), f the identity or
/// `ln(1 + x)`.
#[derive(Clone, Debug)]
pub struct Normalize {
    scale: f64,
    log1p: bool,
}

impl Normalize {
    /// At scale 1, until told.
    #[must_use]
    pub fn new(log1p: bool) -> Self {
        Self { scale: 1.0, log1p }
    }

    /// One value.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let scaled = self.scale * value;
        if self.log1p { libm::log1p(scaled) } else { scaled }
    }
}

impl Stage for Normalize {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        // Each sample has another scale.
        no_closed_form(moment);
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(second);
    }

    fn draw(&self, values: &mut Vec<f64>, _: &mut dyn Rng) {
        values.iter_mut().for_each(|value| *value = self.at(*value));
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        if self.log1p && before < Domain::NotNegative {
            return Err(Domain::NotNegative);
        }
        Ok(before.min(Domain::NotNegative))
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

    fn scale_next(&mut self, scale: f64) {
        self.scale = scale;
    }
}
