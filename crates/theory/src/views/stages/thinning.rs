//! `thinning`: each unit of a count is kept independently.
//!
//! `s = p`, `c₁ = p(1 − p)`. Source: `views.md`, section 3.

use faer::Mat;
use rand::{Rng, RngExt};
use rand_distr::Binomial;

use super::{Bounds, Domain, Key, Kind, Scratch, Stage, Takes, Unless, counts};

/// Units of counts kept with a probability.
pub static THINNING: Kind = Kind {
    name: "thinning",
    help: "each unit of a count is kept with a probability; for counts",
    keys: &[Key {
        name: "keep",
        takes: Takes::Number(Bounds::POSITIVE_SHARE),
        unless: Unless::Required,
        help: "probability of being kept",
    }],
    build: |spec, _| Ok(Box::new(Thinning { keep: spec.number("keep") })),
    severity: None,
};

#[derive(Debug)]
struct Thinning {
    keep: f64,
}

impl Stage for Thinning {
    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        counts::mean(self.keep, moment);
    }

    fn second(&self, second: &mut Mat<f64>, mean: &[f64], _: &mut Scratch) {
        counts::second(self.keep, [self.keep * (1.0 - self.keep), 0.0], second, mean);
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count; saturates")]
    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng) {
        for value in values {
            let law = Binomial::new(value.round() as u64, self.keep);
            *value = law.map_or(f64::NAN, |law| rng.sample(law) as f64);
        }
    }

    fn domain(&self, before: Domain) -> Result<Domain, Domain> {
        if before == Domain::Counts { Ok(before) } else { Err(Domain::Counts) }
    }

    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        let (count, odds) = (value.round(), self.keep / (1.0 - self.keep));
        let mode = ((count + 1.0) * self.keep).floor().min(count);
        counts::around(mode, |k| (count - k) / (k + 1.0) * odds, 1.0, outcomes);
        true
    }
}
