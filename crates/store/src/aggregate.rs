//! Many values as a few numbers: count, mean, variance, extremes and quantiles, of values that
//! arrive one by one or in blocks.
//!
//! Mean and squared deviations by Welford's update (1962), joined by the formula of Chan, Golub and
//! LeVeque (1979); both in a fixed order, so that the bits are a function of the values. Quantiles
//! are exact where at most [`EXACT`] values were kept for them; of more, and of blocks, they come
//! of a DDSketch (Masson, Rim and Lee, VLDB 2019): bins of equal ratios, counted; joining two
//! sketches adds counts, in any order. Such a quantile is within [`QUANTILE_ACCURACY`] of the true
//! one, relatively, as long as the values span less than [`BINS`] bins (seventeen decades), and its
//! lowest values are lumped beyond.

use std::fmt;

use sketches_ddsketch::{Config, DDSketch};

/// Most values of which quantiles are exact, 4 kB.
pub const EXACT: usize = 512;

/// Relative error of a sketch's quantile.
pub const QUANTILE_ACCURACY: f64 = 0.01;

/// Most bins of a sketch, each with 8 bytes.
pub const BINS: u32 = 2048;

/// Below it, a value counts as zero.
const SMALLEST: f64 = 1e-290;

/// Mean and squared deviations of values that arrive one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Running {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Running {
    /// Of a count, a mean and a sum of squared deviations.
    #[must_use]
    pub fn new(count: u64, mean: f64, squares: f64) -> Self {
        Self { count, mean, squares }
    }

    /// Adds a value. Of infinite ones (a threshold that no alignment passes) the mean is infinite,
    /// and there is no variance.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        if value.is_infinite() || self.mean.is_infinite() {
            (self.mean, self.squares) = (f64::INFINITY, f64::INFINITY);
            return;
        }
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Adds the values of another.
    pub fn join(&mut self, other: &Self) {
        if self.count == 0 {
            *self = *other;
        } else if self.mean.is_infinite() || other.mean.is_infinite() {
            self.count += other.count;
            (self.mean, self.squares) = (f64::INFINITY, f64::INFINITY);
        } else if other.count > 0 {
            let (own, others) = (self.count as f64, other.count as f64);
            let apart = other.mean - self.mean;
            self.count += other.count;
            self.mean += apart * (others / (own + others));
            self.squares += other.squares + apart * apart * (own * (others / (own + others)));
        }
    }

    /// Number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean; `None` of nothing.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Sum of the squared deviations from the mean.
    #[must_use]
    pub fn squares(&self) -> f64 {
        self.squares
    }

    /// Variance, with n − 1; `None` of fewer than two values.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1 && self.squares.is_finite()).then(|| self.squares / (self.count as f64 - 1.0))
    }

    /// Standard error of the mean; `None` of fewer than two values.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.variance().map(|variance| (variance / self.count as f64).sqrt())
    }
}

/// Count, mean, variance, extremes and quantiles of some values.
#[derive(Clone)]
pub struct Aggregate {
    running: Running,
    least: f64,
    most: f64,
    quantiles: Quantiles,
}

/// What quantiles are taken of.
#[derive(Clone)]
enum Quantiles {
    /// All values, in the order in which they came; at most [`EXACT`].
    Values(Vec<f64>),
    /// A sketch of them; `None` of nothing.
    Sketch(Option<Box<DDSketch>>),
}

impl Quantiles {
    fn add(&mut self, value: f64) {
        match self {
            Self::Values(values) if values.len() < EXACT => values.push(value),
            Self::Values(_) => {
                *self = Self::Sketch(self.sketch());
                self.add(value);
            }
            Self::Sketch(sketch) => add(sketch, value),
        }
    }

    /// The sketch of the values; `None` of nothing.
    fn sketch(&self) -> Option<Box<DDSketch>> {
        match self {
            Self::Sketch(sketch) => sketch.clone(),
            Self::Values(values) => {
                let mut sketch = None;
                values.iter().for_each(|&value| add(&mut sketch, value));
                sketch
            }
        }
    }
}

/// Adds a value to a sketch; an infinite one has no bin, and is found again by the extremes.
fn add(sketch: &mut Option<Box<DDSketch>>, value: f64) {
    sketch.get_or_insert_with(new_sketch).add(value.min(f64::MAX));
}

fn new_sketch() -> Box<DDSketch> {
    Box::new(DDSketch::new(Config::new(QUANTILE_ACCURACY, BINS, SMALLEST)))
}

impl Default for Aggregate {
    fn default() -> Self {
        Self {
            running: Running::default(),
            least: f64::INFINITY,
            most: f64::NEG_INFINITY,
            quantiles: Quantiles::Sketch(None),
        }
    }
}

impl fmt::Debug for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregate")
            .field("running", &self.running)
            .field("extremes", &self.extremes())
            .finish()
    }
}

/// Values that cannot be a sketch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no sketch of quantiles")]
pub struct NoSketch;

impl Aggregate {
    /// Of its parts; `sketch` as [`Self::sketch`] gave it.
    ///
    /// # Errors
    ///
    /// [`NoSketch`] if these bytes are none.
    pub fn new(
        running: Running,
        extremes: Option<[f64; 2]>,
        sketch: Option<&[u8]>,
    ) -> Result<Self, NoSketch> {
        let read = |bytes| DDSketch::from_java_bytes(bytes).map(Box::new).map_err(|_| NoSketch);
        let quantiles = Quantiles::Sketch(sketch.map(read).transpose()?);
        let [least, most] = extremes.unwrap_or([f64::INFINITY, f64::NEG_INFINITY]);
        Ok(Self { running, least, most, quantiles })
    }

    /// Of nothing, with exact quantiles as long as there are at most [`EXACT`] values.
    #[must_use]
    pub fn exact() -> Self {
        Self { quantiles: Quantiles::Values(Vec::new()), ..Self::default() }
    }

    /// Adds a value, which must be finite or +∞.
    pub fn add(&mut self, value: f64) {
        self.running.add(value);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.quantiles.add(value);
    }

    /// Adds the values of another; quantiles are a sketch's from then on.
    pub fn join(&mut self, other: &Self) {
        self.running.join(&other.running);
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        let own = match std::mem::replace(&mut self.quantiles, Quantiles::Sketch(None)) {
            Quantiles::Sketch(sketch) => sketch,
            values @ Quantiles::Values(_) => values.sketch(),
        };
        self.quantiles = Quantiles::Sketch(match (own, other.quantiles.sketch()) {
            (Some(mut own), Some(others)) => {
                // Cannot fail: all sketches have the same bins.
                let _ = own.merge(&others);
                Some(own)
            }
            (own, others) => own.or(others),
        });
    }

    /// Count, mean and squared deviations.
    #[must_use]
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Smallest and largest value; `None` of nothing.
    #[must_use]
    pub fn extremes(&self) -> Option<[f64; 2]> {
        (self.running.count() > 0).then_some([self.least, self.most])
    }

    /// The values below which these shares (0 to 1) of the values lie; `None` of nothing.
    ///
    /// Exact ones are joined by straight lines, as NumPy's and polars' `linear` quantiles.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [Option<f64>; N] {
        match &self.quantiles {
            Quantiles::Sketch(sketch) => shares.map(|at| {
                let found = sketch.as_ref()?.quantile(at).ok()??;
                Some(found.clamp(self.least, self.most))
            }),
            Quantiles::Values(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                shares.map(|at| interpolated(&sorted, at))
            }
        }
    }

    /// The sketch as bytes, in the format of `sketches-java`; `None` of nothing.
    #[must_use]
    pub fn sketch(&self) -> Option<Vec<u8>> {
        self.quantiles.sketch().map(|sketch| sketch.to_java_bytes())
    }
}

/// The quantile at a share of sorted values, neighbours joined by a straight line.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
fn interpolated(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * (sorted.len() as f64 - 1.0);
    let below = *sorted.get(place.max(0.0) as usize)?;
    let above = sorted.get(place.max(0.0) as usize + 1).copied().unwrap_or(below);
    // Neighbours may be infinite (a threshold that no alignment passes).
    let between = above > below && place.fract() > 0.0;
    Some(if between { below + place.fract() * (above - below) } else { below })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Aggregate, EXACT, QUANTILE_ACCURACY, Running};

    fn of(values: &[f64]) -> Aggregate {
        let mut aggregate = Aggregate::default();
        values.iter().for_each(|&value| aggregate.add(value));
        aggregate
    }

    /// Through bytes, as blocks are.
    fn stored(aggregate: &Aggregate) -> Aggregate {
        let sketch = aggregate.sketch();
        Aggregate::new(*aggregate.running(), aggregate.extremes(), sketch.as_deref()).unwrap()
    }

    #[test]
    fn nothing_has_no_mean() {
        let mut nothing = Aggregate::default();
        assert_eq!(
            (nothing.running().mean(), nothing.extremes(), nothing.quantiles([0.5])),
            (None, None, [None])
        );
        nothing.join(&stored(&Aggregate::default()));
        assert_eq!((nothing.running().count(), nothing.sketch()), (0, None));
        assert!(Aggregate::new(Running::default(), None, Some(b"nonsense")).is_err());
    }

    /// A threshold may be: no alignment passes it.
    #[test]
    fn infinite_values_are_infinite_quantiles() {
        let mut exact = Aggregate::exact();
        for value in [1.0, f64::INFINITY, f64::INFINITY] {
            exact.add(value);
        }
        assert_eq!(
            exact.quantiles([0.0, 0.25, 0.5, 1.0]),
            [1.0, f64::INFINITY, f64::INFINITY, f64::INFINITY].map(Some)
        );
        let mut blocks = stored(&of(&[f64::INFINITY; 3]));
        blocks.join(&stored(&of(&[f64::INFINITY; 2])));
        for all in [blocks, of(&[f64::INFINITY; 5])] {
            assert_eq!(all.quantiles([0.05, 0.5, 0.95]), [f64::INFINITY; 3].map(Some));
            assert_eq!(all.extremes(), Some([f64::INFINITY; 2]));
            assert_eq!((all.running().count(), all.running().mean()), (5, Some(f64::INFINITY)));
            assert_eq!((all.running().variance(), all.running().standard_error()), (None, None));
        }
    }

    #[test]
    fn quantiles_of_few_values_are_exact_and_of_many_within_a_percent() {
        let mut exact = Aggregate::exact();
        assert_eq!(exact.quantiles([0.5]), [None]);
        for value in [4.0, 1.0, 3.0, 2.0] {
            exact.add(value);
        }
        assert_eq!(exact.quantiles([0.0, 0.25, 0.5, 1.0]), [1.0, 1.75, 2.5, 4.0].map(Some));
        assert_eq!(exact.sketch(), of(&[4.0, 1.0, 3.0, 2.0]).sketch());
        for value in 5..2 * EXACT {
            exact.add(value as f64);
        }
        let median = exact.quantiles([0.5])[0].unwrap();
        assert!((median / EXACT as f64 - 1.0).abs() <= 1.1 * QUANTILE_ACCURACY, "{median}");
    }

    proptest! {
        /// Blocks joined are all values: counts and extremes exactly, mean and variance to
        /// rounding, quantiles to their accuracy.
        #[test]
        fn blocks_are_the_whole(
            magnitudes in prop::collection::vec((-12.0_f64..3.0, any::<bool>()), 1..300),
            cut in 0.0_f64..1.0,
        ) {
            let values: Vec<f64> =
                magnitudes.iter().map(|&(m, zero)| if zero && m > 2.5 { 0.0 } else { 10_f64.powf(m) }).collect();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
            let (one, other) = values.split_at((cut * values.len() as f64) as usize);
            let mut joined = stored(&of(one));
            joined.join(&stored(&of(other)));
            let whole = of(&values);
            let exact = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert_eq!(joined.running().count(), values.len() as u64);
            prop_assert_eq!(joined.extremes(), whole.extremes());
            prop_assert!((joined.running().mean().unwrap() - exact).abs() <= 1e-12 * exact);
            let squares: f64 = values.iter().map(|x| (x - exact) * (x - exact)).sum();
            prop_assert!((joined.running().squares() - squares).abs() <= 1e-9 * squares.max(exact * exact));
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            for at in [0.05, 0.25, 0.5, 0.75, 0.95] {
                prop_assert_eq!(joined.quantiles([at]), stored(&whole).quantiles([at]), "{}", at);
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
                let exact = sorted[(at * (sorted.len() - 1) as f64) as usize];
                let found = joined.quantiles([at])[0].unwrap();
                prop_assert!((found - exact).abs() <= 1.001 * QUANTILE_ACCURACY * exact, "{} for {}", found, exact);
            }
        }
    }
}
