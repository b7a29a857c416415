//! `scale`: the sample is multiplied by a random factor, the same for all features.
//!
//! `Ā = E t`, `Φ(S) = E t² S`. Source: `views.md`, section 3.

use faer::Mat;
use rand::Rng;

use super::factors::{self, Factors};
use super::{Domain, Kind, Scratch, Stage};

/// Samples of random size.
pub static SCALE: Kind = Kind {
    name: "scale",
    help: "all features are multiplied by one random factor",
    keys: factors::KEYS,
    build: |spec, _| Ok(Box::new(Scale(Factors::of(spec)?))),
    severity: None,
};

#[derive(Debug)]
struct Scale(Factors);

impl Stage for Scale {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        multiply(moment, self.0.moments()[0]);
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        multiply(second, self.0.moments()[1]);
    }

    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        let factor = self.0.draw(rng);
        values.iter_mut().for_each(|value| *value *= factor);
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        let whole = !self.0.listed().is_empty() && self.0.listed().iter().all(|factor| factor.fract() == 0.0);
        Ok(if whole { before } else { before.min(Domain::NotNegative) })
    }

    fn is_fixed(&self) -> bool {
        self.0.only().is_some()
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        // Two factors would be the same in all coordinates.
        self.0.only().inspect(|factor| outcomes.push((value * factor, 1.0))).is_some()
    }
}

fn multiply(matrix: &mut Mat<f64>, by: f64) {
    for j in 0..matrix.ncols() {
        matrix.col_as_slice_mut(j).iter_mut().for_each(|entry| *entry *= by);
    }
}
