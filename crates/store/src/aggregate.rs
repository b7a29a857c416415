//! Many values as a few numbers: count, mean, variance, extremes and quantiles, of values that
//! arrive one by one or in blocks.
//!
//! Mean and squared deviations by Welford's update (1962), joined by the formula of Chan, Golub and
//! LeVeque (1979); both in a fixed order, so that the bits are a function of the values.
//!
//! A quantile lies on the straight line between its two neighbours among the sorted values, at
//! place (n − 1) · share, as NumPy's and polars' `linear`. It is exact of up to [`EXACT`] values,
//! which are kept. Of more, the neighbours come of a DDSketch (Masson, Rim and Lee, VLDB 2019):
//! bins of equal ratios, counted; joining two sketches adds counts, in any order. Each neighbour is
//! then within [`QUANTILE_ACCURACY`] of the true one, relatively, and so is the quantile (of the
//! larger of the two, where they differ in sign), as long as the values span less than [`BINS`]
//! bins (seventeen decades); lowest values are lumped beyond.

use std::borrow::Cow;
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
    /// The moments with a count, a mean and a sum of squared deviations.
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
    /// A sketch of them.
    Sketch(Sketch),
}

/// The first byte of values as bytes, which no sketch begins with.
const VALUES_TAG: u8 = b'V';

impl Quantiles {
    fn add(&mut self, value: f64) {
        match self {
            Self::Values(values) if values.len() < EXACT => values.push(value),
            Self::Values(values) => *self = Self::Sketch(Sketch::of(values.iter().copied().chain([value]))),
            Self::Sketch(sketch) => sketch.add(value),
        }
    }

    fn join(&mut self, other: &Self) {
        match (&mut *self, other) {
            (Self::Values(own), Self::Values(others)) if own.len() + others.len() <= EXACT => {
                own.extend_from_slice(others);
            }
            (Self::Values(own), others) => {
                let mut sketch = Sketch::of(own.iter().copied());
                sketch.join(&others.sketch());
                *self = Self::Sketch(sketch);
            }
            (Self::Sketch(own), others) => own.join(&others.sketch()),
        }
    }

    fn sketch(&self) -> Cow<'_, Sketch> {
        match self {
            Self::Values(values) => Cow::Owned(Sketch::of(values.iter().copied())),
            Self::Sketch(sketch) => Cow::Borrowed(sketch),
        }
    }

    /// The bytes of what is kept: a sketch in the format of `sketches-java`, values as
    /// [`VALUES_TAG`] and then eight bytes each, least significant first.
    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Values(values) => {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes());
                [VALUES_TAG].into_iter().chain(bytes).collect()
            }
            Self::Sketch(sketch) => sketch.bins().to_java_bytes(),
        }
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let Some((&VALUES_TAG, values)) = bytes.split_first() else {
            let read = DDSketch::from_java_bytes(bytes).ok()?;
            return Some(Self::Sketch(Sketch::Joining(Box::new(read))));
        };
        let (values, []) = values.as_chunks::<8>() else { return None };
        let values = values.iter().map(|&value| f64::from_le_bytes(value));
        (values.len() <= EXACT).then(|| Self::Values(values.collect()))
    }
}

/// Counts of values in bins of equal ratios.
#[derive(Clone)]
enum Sketch {
    /// Takes values.
    Counting(Box<DDSketch>),
    /// Read from bytes, which do not say what counts as zero: it takes other sketches alone.
    Joining(Box<DDSketch>),
}

impl Sketch {
    fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut sketch =
            Self::Counting(Box::new(DDSketch::new(Config::new(QUANTILE_ACCURACY, BINS, SMALLEST))));
        values.into_iter().for_each(|value| sketch.add(value));
        sketch
    }

    fn bins(&self) -> &DDSketch {
        match self {
            Self::Counting(bins) | Self::Joining(bins) => bins,
        }
    }

    /// Counts a value; infinite ones, which have no bin, as the largest there are.
    fn add(&mut self, value: f64) {
        match self {
            Self::Counting(bins) => bins.add(value.clamp(f64::MIN, f64::MAX)),
            Self::Joining(_) => self.join(&Self::of([value])),
        }
    }

    fn join(&mut self, other: &Self) {
        if self.bins().count() == 0 {
            self.clone_from(other);
        } else if other.bins().count() > 0 {
            let others = other.joining();
            let mut own = self.joining().into_owned();
            // Cannot fail: as read, all sketches have the same bins.
            let _ = own.merge(&others);
            *self = Self::Joining(own);
        }
    }

    /// The sketch as it would be read from its bytes.
    fn joining(&self) -> Cow<'_, Box<DDSketch>> {
        match self {
            Self::Counting(bins) => {
                // Cannot fail: what was written can be read.
                let read = DDSketch::from_java_bytes(&bins.to_java_bytes());
                read.map_or(Cow::Borrowed(bins), |read| Cow::Owned(Box::new(read)))
            }
            Self::Joining(bins) => Cow::Borrowed(bins),
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

/// Bytes that quantiles cannot be taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is neither values nor a sketch of quantiles")]
pub struct NoQuantiles;

impl Aggregate {
    /// The aggregate with these parts; `quantiles` as [`Self::quantile_bytes`] gave them, or an
    /// earlier program, which had sketches only.
    ///
    /// # Errors
    ///
    /// [`NoQuantiles`] if these bytes are none.
    pub fn new(
        running: Running,
        extremes: Option<[f64; 2]>,
        quantiles: Option<&[u8]>,
    ) -> Result<Self, NoQuantiles> {
        let read = quantiles.map(|bytes| Quantiles::from_bytes(bytes).ok_or(NoQuantiles)).transpose()?;
        let quantiles = read.unwrap_or(Quantiles::Values(Vec::new()));
        let [least, most] = extremes.unwrap_or([f64::INFINITY, f64::NEG_INFINITY]);
        Ok(Self { running, least, most, quantiles })
    }

    /// Of nothing, with exact quantiles as long as there are at most [`EXACT`] values.
    #[must_use]
    pub fn exact() -> Self {
        Self::of_nothing(Quantiles::Values(Vec::new()))
    }

    /// Of nothing, for a part of many values: with a sketch from the first of them.
    #[must_use]
    pub fn sketched() -> Self {
        Self::of_nothing(Quantiles::Sketch(Sketch::of([])))
    }

    fn of_nothing(quantiles: Quantiles) -> Self {
        Self { running: Running::default(), least: f64::INFINITY, most: f64::NEG_INFINITY, quantiles }
    }

    /// Adds a value, which must be finite or +∞.
    pub fn add(&mut self, value: f64) {
        self.running.add(value);
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.quantiles.add(value);
    }

    /// Adds the values of another.
    pub fn join(&mut self, other: &Self) {
        self.running.join(&other.running);
        self.least = self.least.min(other.least);
        self.most = self.most.max(other.most);
        self.quantiles.join(&other.quantiles);
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
    #[must_use]
    pub fn quantiles<const N: usize>(&self, shares: [f64; N]) -> [Option<f64>; N] {
        match &self.quantiles {
            Quantiles::Values(values) => {
                let mut sorted = values.clone();
                sorted.sort_unstable_by(f64::total_cmp);
                shares.map(|share| interpolated(sorted.len(), share, |rank| sorted.get(rank).copied()))
            }
            Quantiles::Sketch(sketch) => {
                let sketch = sketch.bins();
                let last = sketch.count().saturating_sub(1);
                let at = |rank: usize| match rank {
                    0 => Some(self.least),
                    _ if rank == last => Some(self.most),
                    // Half a rank above, so that rounding cannot fall below.
                    _ => Some(
                        sketch
                            .quantile((rank as f64 + 0.5) / last as f64)
                            .ok()??
                            .clamp(self.least, self.most),
                    ),
                };
                shares.map(|share| interpolated(sketch.count(), share, at))
            }
        }
    }

    /// What quantiles are taken of, as bytes; `None` of nothing.
    #[must_use]
    pub fn quantile_bytes(&self) -> Option<Vec<u8>> {
        (self.running.count() > 0).then(|| self.quantiles.to_bytes())
    }
}

/// The quantile at a share of so many values, of which `at` knows the one of a rank: neighbours
/// joined by a straight line.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
fn interpolated(count: usize, share: f64, at: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let place = share * count.checked_sub(1)? as f64;
    let rank = place as usize;
    let below = at(rank)?;
    if place.fract() == 0.0 {
        return Some(below);
    }
    let above = at(rank + 1)?;
    // Neighbours may be infinite (a threshold that no alignment passes).
    Some(if above > below { below + place.fract() * (above - below) } else { below })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Aggregate, EXACT, QUANTILE_ACCURACY, Running};

    fn of(values: &[f64]) -> Aggregate {
        let mut aggregate = Aggregate::exact();
        values.iter().for_each(|&value| aggregate.add(value));
        aggregate
    }

    /// As an earlier program kept few values, too: as a sketch of them.
    fn sketched(values: &[f64]) -> Aggregate {
        let mut aggregate = Aggregate::sketched();
        values.iter().for_each(|&value| aggregate.add(value));
        aggregate
    }

    /// Through bytes, as blocks are.
    fn stored(aggregate: &Aggregate) -> Aggregate {
        let quantiles = aggregate.quantile_bytes();
        Aggregate::new(*aggregate.running(), aggregate.extremes(), quantiles.as_deref()).unwrap()
    }

    const SHARES: [f64; 7] = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];

    /// NumPy's `quantile` of these values.
    fn linear(values: &[f64]) -> [Option<f64>; 7] {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        SHARES.map(|share| {
            let place = share * (sorted.len() - 1) as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
            let rank = place as usize;
            let above = sorted.get(rank + 1).unwrap_or(&sorted[rank]);
            Some(sorted[rank] + place.fract() * (above - sorted[rank]))
        })
    }

    #[track_caller]
    fn assert_within(found: &Aggregate, values: &[f64], accuracy: f64) {
        for (found, expected) in found.quantiles(SHARES).into_iter().zip(linear(values)) {
            let (found, expected) = (found.unwrap(), expected.unwrap());
            assert!((found - expected).abs() <= accuracy * expected.abs(), "{found} for {expected}");
        }
    }

    #[test]
    fn nothing_has_no_mean() {
        for mut nothing in [Aggregate::exact(), Aggregate::sketched()] {
            assert_eq!(
                (nothing.running().mean(), nothing.extremes(), nothing.quantiles([0.5])),
                (None, None, [None])
            );
            nothing.join(&stored(&Aggregate::sketched()));
            assert_eq!((nothing.running().count(), nothing.quantile_bytes()), (0, None));
            nothing.add(3.0);
            assert_eq!(nothing.quantiles([0.5]), [Some(3.0)]);
        }
    }

    #[test]
    fn bytes_that_are_no_quantiles_are_refused() {
        let many = [&b"V"[..], &[0; 8 * (EXACT + 1)]].concat();
        for bytes in [&b"nonsense"[..], b"", b"Vseven77", &many] {
            assert!(Aggregate::new(Running::default(), None, Some(bytes)).is_err(), "{} bytes", bytes.len());
        }
        assert!(sketches_ddsketch::DDSketch::from_java_bytes(&of(&[1.0]).quantile_bytes().unwrap()).is_err());
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
        for of in [of, sketched] {
            let mut blocks = stored(&of(&[f64::INFINITY; 3]));
            blocks.join(&stored(&of(&[f64::INFINITY; 2])));
            for all in [blocks, of(&[f64::INFINITY; 5])] {
                assert_eq!(all.quantiles([0.05, 0.5, 0.95]), [f64::INFINITY; 3].map(Some));
                assert_eq!(all.extremes(), Some([f64::INFINITY; 2]));
                assert_eq!((all.running().count(), all.running().mean()), (5, Some(f64::INFINITY)));
                assert_eq!((all.running().variance(), all.running().standard_error()), (None, None));
            }
        }
    }

    /// What two programs and two parts keep of one combination is joined: exactly as long as it can
    /// be, and within the stated error beyond.
    #[test]
    fn quantiles_of_few_values_are_exact_and_of_many_within_a_percent() {
        let values: Vec<f64> = (0..600).map(|i| 1.5_f64.powi(i * 7919 % 61)).collect();
        let (one, other) = values.split_at(300);
        let join = |mut one: Aggregate, other: &Aggregate| {
            one.join(&stored(other));
            one
        };
        let few = join(of(&one[..20]), &of(&one[20..40]));
        assert_within(&few, &one[..40], 1e-15);
        assert_eq!(few.quantile_bytes(), of(&one[..40]).quantile_bytes());
        assert_within(&join(join(Aggregate::exact(), &of(one)), &of(&other[..212])), &values[..512], 1e-15);
        for (one, other) in [(of(one), of(other)), (sketched(one), of(other)), (of(one), sketched(other))] {
            let joined = join(join(Aggregate::exact(), &one), &other);
            assert_within(&joined, &values, QUANTILE_ACCURACY);
            assert_eq!(joined.quantiles(SHARES), sketched(&values).quantiles(SHARES));
        }
        // An earlier program's few, and all ranks of a sketch.
        assert_within(&join(Aggregate::exact(), &sketched(&one[..40])), &one[..40], QUANTILE_ACCURACY);
        let ranks: Vec<f64> = (1..=777).map(f64::from).collect();
        for rank in 0..777 {
            let found = sketched(&ranks).quantiles([f64::from(rank) / 776.0])[0].unwrap();
            assert!((found / f64::from(rank + 1) - 1.0).abs() <= 1.01 * QUANTILE_ACCURACY, "{rank}: {found}");
        }
    }

    proptest! {
        /// Blocks joined are all values: counts and extremes exactly, mean and variance to
        /// rounding, quantiles to their accuracy.
        #[test]
        fn blocks_are_the_whole(
            magnitudes in prop::collection::vec((-12.0_f64..3.0, any::<bool>()), 1..300),
            cut in 0.0_f64..1.0,
            few in any::<[bool; 2]>(),
        ) {
            let values: Vec<f64> =
                magnitudes.iter().map(|&(m, zero)| if zero && m > 2.5 { 0.0 } else { 10_f64.powf(m) }).collect();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
            let (one, other) = values.split_at((cut * values.len() as f64) as usize);
            let block = |values: &[f64], few: bool| if few { of(values) } else { sketched(values) };
            let mut joined = stored(&block(one, few[0]));
            joined.join(&stored(&block(other, few[1])));
            let exact = values.iter().sum::<f64>() / values.len() as f64;
            prop_assert_eq!(joined.running().count(), values.len() as u64);
            prop_assert_eq!(joined.extremes(), of(&values).extremes());
            prop_assert!((joined.running().mean().unwrap() - exact).abs() <= 1e-12 * exact);
            let squares: f64 = values.iter().map(|x| (x - exact) * (x - exact)).sum();
            prop_assert!((joined.running().squares() - squares).abs() <= 1e-9 * squares.max(exact * exact));
            assert_within(&joined, &values, 1.001 * QUANTILE_ACCURACY);
        }
    }
}
