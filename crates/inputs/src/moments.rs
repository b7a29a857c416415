//! The first two moments of rows: what [`pca`](crate::pca) diagonalises and what centring
//! subtracts.
//!
//! | symbol | here | shape | unit |
//! |---|---|---|---|
//! | `X` | [`Blocks`] | n × p | the features', grey levels for bytes |
//! | `μ = Xᵀ1/n` | [`Blocks::means`] | p | the features' |
//! | `C = (X − 1μᵀ)ᵀ(X − 1μᵀ)/n` | [`Blocks::second_moment`] | p × p | the features', squared |
//! | `s = Xᵀ1`, `G = XᵀX` of bytes | `column_sums`, `byte_gram` | p, p × p | grey levels, and squared |
//!
//! **Bytes.** Every entry of `G`, and every partial sum on the way to it, is an integer of at most
//! n · 255². As long as that stays below 2⁵³ ([`MAX_SAMPLES`]) no addition or fused multiply-add
//! rounds, so `G` is exact: the same bits for every block size, order of summation, instruction set
//! and machine. The subtraction that usually ruins a one-pass covariance is done on the integers `n
//! G − s sᵀ` in 128 bits; `C = G/n − s sᵀ/n²` then carries the three roundings of one conversion
//! and two divisions, however large the means.
//!
//! **Other numbers.** Two passes: the means by compensated sums, which are the exact sums rounded
//! once or twice; then the products of centred rows. Every entry is one chain of fused
//! multiply-adds over the rows in their order ([`RowGram`]), so that the bits are the same for
//! every block size, instruction set and machine. An entry is off by at most about n · 2⁻⁵³ of the
//! variances, however large the means. What the rounded means leave, the square of a mean's error,
//! is far below that.
//!
//! **Cost.** n p² flops, half of those of a full product, and 8 p² bytes for `C`; rows become
//! doubles one at a time, on their way into the block that [`RowGram`] multiplies.
//!
//! Sources: A. Neumaier, *Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen*
//! (1974); T. F. Chan, G. H. Golub, R. J. `LeVeque`, *Algorithms for computing the sample variance:
//! analysis and recommendations* (1983) for two passes.

use eigensweep_spectral::dense::{HeldRows, RowGram};
use eigensweep_spectral::lanes::InstructionSet;
use faer::Mat;

use crate::{Blocks, Dense, InputError};

/// The most samples for which the Gram matrix of bytes is exact: the largest n with n · 255² < 2⁵³.
/// Derived, see above.
pub const MAX_SAMPLES: u64 = ((1 << 53) - 1) / (255 * 255);

/// Rows converted to `f64` at a time where all of them pass once. No influence on any result.
pub(crate) const BLOCK_ROWS: usize = 512;

/// The mean of every feature of bytes: an exact integer sum, then one rounding.
pub(crate) fn byte_means(rows: &Dense<u8>) -> Vec<f64> {
    let samples = rows.samples() as f64;
    column_sums(rows).into_iter().map(|sum| sum as f64 / samples).collect()
}

/// The centred second moment of bytes, p × p, lower triangle, from exact sums.
///
/// # Errors
///
/// [`InputError::TooManySamples`] above [`MAX_SAMPLES`].
pub(crate) fn byte_second_moment(rows: &Dense<u8>) -> Result<Mat<f64>, InputError> {
    Ok(centred_second_moment(byte_gram(rows)?, &column_sums(rows), rows.samples()))
}

/// The mean of every feature by compensated sums (Neumaier's).
pub(crate) fn compensated_means<B: Blocks + ?Sized>(rows: &B) -> Vec<f64> {
    let mut sums = vec![CompensatedSum::default(); rows.features()];
    for_blocks(rows, BLOCK_ROWS, |block| {
        for row in block.chunks_exact(sums.len()) {
            sums.iter_mut().zip(row.iter()).for_each(|(sum, &x)| sum.add(x));
        }
    });
    let samples = rows.samples() as f64;
    sums.into_iter().map(|sum| sum.total() / samples).collect()
}

/// Neumaier's sum: the exact one rounded once or twice.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CompensatedSum {
    sum: f64,
    lost: f64,
}

impl CompensatedSum {
    pub(crate) fn add(&mut self, x: f64) {
        let next = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() { (self.sum - next) + x } else { (x - next) + self.sum };
        self.sum = next;
    }

    pub(crate) fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// The centred second moment of any rows, p × p, lower triangle: the means first, then products of
/// centred rows.
///
/// # Errors
///
/// [`InputError::TooLarge`] if the squares of a feature overflow.
pub(crate) fn two_pass<B: Blocks + ?Sized>(rows: &B) -> Result<Mat<f64>, InputError> {
    let means = rows.means();
    let mut moment = gram(&Centred { rows, means: &means });
    let samples = rows.samples() as f64;
    for feature in 0..moment.ncols() {
        for entry in moment.col_mut(feature).subrows_mut(feature, means.len() - feature).iter_mut() {
            *entry /= samples;
        }
        // No entry beside the diagonal is larger than both of its variances.
        if !moment[(feature, feature)].is_finite() {
            return Err(InputError::TooLarge { feature });
        }
    }
    Ok(moment)
}

/// Calls `each` with every number that is not zero, and with zero once if there is any: sparse rows
/// stay sparse.
pub fn each_value(rows: &dyn Blocks, mut each: impl FnMut(f64)) {
    let mut entries = 0_u64;
    rows.for_entries(&mut |_, _, value| {
        entries += 1;
        each(value);
    });
    if entries < rows.samples() as u64 * rows.features() as u64 {
        each(0.0);
    }
}

/// The least and the largest number of all.
#[must_use]
pub fn extremes(rows: &dyn Blocks) -> [f64; 2] {
    let mut found = [f64::INFINITY, f64::NEG_INFINITY];
    each_value(rows, |value| found = [found[0].min(value), found[1].max(value)]);
    found
}

/// Subtracts the means from whole rows.
pub(crate) fn centre(rows: &mut [f64], means: &[f64]) {
    for row in rows.chunks_exact_mut(means.len()) {
        for (entry, mean) in row.iter_mut().zip(means) {
            *entry -= mean;
        }
    }
}

/// Calls `each` with the rows as doubles, up to `block_rows ≥ 1` of them at a time, in order.
pub(crate) fn for_blocks<B: Blocks + ?Sized>(rows: &B, block_rows: usize, mut each: impl FnMut(&mut [f64])) {
    let (samples, features) = (rows.samples(), rows.features());
    let mut buffer = vec![0.0; block_rows.min(samples) * features];
    for first in (0..samples).step_by(block_rows) {
        let block = &mut buffer[..block_rows.min(samples - first) * features];
        rows.write_rows(first, block);
        each(block);
    }
}

/// Rows less their means, or as they are where there are none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Centred<'a, B: ?Sized> {
    pub(crate) rows: &'a B,
    pub(crate) means: &'a [f64],
}

impl<B: Blocks + ?Sized> Centred<'_, B> {
    /// Writes a row (p).
    pub(crate) fn write(&self, row: usize, to: &mut [f64]) {
        self.rows.write_rows(row, to);
        to.iter_mut().zip(self.means).for_each(|(entry, mean)| *entry -= mean);
    }
}

impl<B: Blocks + ?Sized> HeldRows for Centred<'_, B> {
    fn rows(&self) -> usize {
        self.rows.samples()
    }

    fn numbers(&self) -> usize {
        self.rows.features()
    }

    fn row<'a>(&'a self, row: usize, room: &'a mut [f64]) -> &'a [f64] {
        self.write(row, room);
        room
    }

    fn class(&self, _: usize) -> usize {
        0
    }

    fn ask_for(&self, row: usize) {
        self.rows.ask_for(row);
    }
}

/// `XᵀX`, p × p, lower triangle: chains of fused multiply-adds in the order of the rows.
pub(crate) fn gram<B: Blocks + ?Sized>(rows: &Centred<'_, B>) -> Mat<f64> {
    let features = rows.numbers();
    let mut sums = RowGram::new(InstructionSet::detect(), features, 0);
    sums.add(rows, 0..rows.rows());
    Mat::from_fn(features, features, |i, j| if i >= j { sums.entry(i, j) } else { 0.0 })
}

/// The sum of every feature of bytes over the samples, exactly.
///
/// Cannot overflow: 2⁵⁶ samples do not fit memory.
fn column_sums(rows: &Dense<u8>) -> Vec<u64> {
    let mut sums = vec![0; rows.features()];
    for row in rows.values().chunks_exact(rows.features()) {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += u64::from(value);
        }
    }
    sums
}

/// The uncentred Gram matrix `XᵀX` of bytes, p × p, lower triangle.
///
/// # Errors
///
/// [`InputError::TooManySamples`] above [`MAX_SAMPLES`], where it would no longer be exact.
fn byte_gram(rows: &Dense<u8>) -> Result<Mat<f64>, InputError> {
    check_exact(rows.samples())?;
    Ok(gram(&Centred { rows, means: &[] }))
}

/// Refuses more samples than the sums stay exact for.
fn check_exact(samples: usize) -> Result<(), InputError> {
    if samples as u64 > MAX_SAMPLES {
        return Err(InputError::TooManySamples { samples, max: MAX_SAMPLES });
    }
    Ok(())
}

/// The centred second moment `G/n − s sᵀ/n²`, p × p, lower triangle, in the place of an exact `G`.
#[expect(clippy::cast_possible_truncation, reason = "entries of the Gram matrix are integers below 2^53")]
pub(crate) fn centred_second_moment(
    mut gram: Mat<f64>,
    sums: &[impl Copy + Into<i128>],
    samples: usize,
) -> Mat<f64> {
    let n = samples as f64;
    let count = samples as i128;
    for column in 0..gram.ncols() {
        for row in column..gram.nrows() {
            // Below 2^37 · 2^53 in magnitude, far from the limits of 128 bits.
            let scaled = count * (gram[(row, column)] as i128) - sums[row].into() * sums[column].into();
            gram[(row, column)] = scaled as f64 / n / n;
        }
    }
    gram
}

#[cfg(test)]
mod tests {
    use super::{MAX_SAMPLES, byte_gram, check_exact, compensated_means, two_pass};
    use crate::{Blocks, Dense, InputError};

    /// Bytes of the full range that no structure makes easy; the generator is a 64-bit linear
    /// congruence.
    fn noise(samples: usize, features: usize) -> Dense<u8> {
        let mut state = 1_u64;
        let values = (0..samples * features)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state.to_be_bytes()[0]
            })
            .collect();
        Dense::new(values, samples, features).unwrap()
    }

    #[test]
    fn gram_is_the_integer_gram() {
        let rows = noise(301, 37);
        let gram = byte_gram(&rows).unwrap();
        for i in 0..37 {
            for j in 0..=i {
                let exact: u64 =
                    rows.values().chunks_exact(37).map(|row| u64::from(row[i]) * u64::from(row[j])).sum();
                assert_eq!(gram[(i, j)].to_bits(), (exact as f64).to_bits(), "[{i}, {j}]");
            }
        }
    }

    #[test]
    fn two_passes_are_chains_of_centred_rows_in_their_order() {
        let rows = noise(301, 37);
        let rows = Dense::new(rows.values().iter().map(|&x| f64::from(x).sqrt()).collect(), 301, 37).unwrap();
        let (found, means) = (two_pass(&rows).unwrap(), rows.means());
        for i in 0..37 {
            for j in 0..=i {
                let of = |row: &[f64]| [row[i] - means[i], row[j] - means[j]];
                let chain = rows.values().chunks_exact(37).map(of).fold(0.0, |sum, [x, y]| x.mul_add(y, sum));
                assert_eq!(found[(i, j)].to_bits(), (chain / 301.0).to_bits(), "[{i}, {j}]");
            }
        }
    }

    #[test]
    fn centring_survives_means_that_dwarf_the_variance() {
        // One pixel alternates 254, 255 over many samples: variance 1/4 around a mean of 254.5.
        let rows = Dense::<u8>::new((0..100_000).map(|i| 254 + (i % 2) as u8).collect(), 100_000, 1).unwrap();
        assert_eq!(rows.second_moment().unwrap()[(0, 0)].to_bits(), 0.25_f64.to_bits());
        assert_eq!(rows.means()[0].to_bits(), 254.5_f64.to_bits());
    }

    #[test]
    fn compensated_means_are_the_exact_means_once_rounded() {
        let bytes = noise(1001, 5);
        assert_eq!(compensated_means(&bytes), bytes.means());
        // What a plain sum loses: 2⁵³ + 1 − 2⁵³ is 0 in doubles, and here 1.
        let large = 2_f64.powi(53);
        let rows = Dense::<f64>::new(vec![large, 1.0, -large, 1.0], 4, 1).unwrap();
        assert_eq!(rows.means(), [0.5]);
    }

    #[test]
    fn samples_beyond_exactness_are_refused() {
        assert!(u128::from(MAX_SAMPLES) * 255 * 255 < 1 << 53);
        assert!(u128::from(MAX_SAMPLES + 1) * 255 * 255 >= 1 << 53);
        let most = usize::try_from(MAX_SAMPLES).unwrap();
        assert!(check_exact(most).is_ok());
        assert!(matches!(check_exact(most + 1), Err(InputError::TooManySamples { .. })));
    }
}
