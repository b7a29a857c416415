//! Fixed maps of samples without a closed form, applied to many samples at a time.

use std::fmt;
use std::sync::Arc;

use faer::{Mat, MatMut};
use rand::Rng;

use super::{Domain, Scratch, Stage, Tier, no_closed_form};

/// A fixed map of a sample (d) to a sample (d′).
pub trait Map: fmt::Debug + Send + Sync {
    /// d′, of d features that go in.
    fn features(&self, before: usize) -> usize;

    /// Writes what becomes of each column of `samples` (d × m), which are overwritten, to `to`
    /// (d′ × m). A column depends on no other.
    fn apply(&self, samples: MatMut<'_, f64>, to: MatMut<'_, f64>);
}

/// A map as a stage: drawn with the views before it, a block of them at a time.
#[derive(Clone, Debug)]
pub struct Mapped(pub Arc<dyn Map>);

impl Stage for Mapped {
    fn features(&self, before: usize) -> usize {
        self.0.features(before)
    }

    fn mean(&self, moment: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(moment);
    }

    fn second(&self, second: &mut Mat<f64>, _: &[f64], _: &mut Scratch) {
        no_closed_form(second);
    }

    fn draw(&self, values: &mut Vec<f64>, _: &mut dyn Rng) {
        let before = values.len();
        let mut after = vec![0.0; self.0.features(before)];
        let to = MatMut::from_column_major_slice_mut(&mut after, self.0.features(before), 1);
        self.0.apply(MatMut::from_column_major_slice_mut(values, before, 1), to);
        *values = after;
    }

    fn domain(&self, _: Domain) -> Result<Domain, Domain> {
        Ok(Domain::Real)
    }

    fn tier(&self) -> Tier {
        Tier::Sampled
    }

    fn is_fixed(&self) -> bool {
        true
    }

    fn as_map(&self) -> Option<&dyn Map> {
        Some(&*self.0)
    }
}
