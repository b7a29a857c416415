//! The first two moments of pixels, exactly: what [`pca`](crate::pca) diagonalises and what centring subtracts.
//!
//! | symbol | here | shape | unit |
//! |---|---|---|---|
//! | `X` | [`Images::pixels`] | n × p | grey levels, 0..=255 |
//! | `s = Xᵀ1` | `column_sums` | p | grey levels |
//! | `G = XᵀX` | `gram` | p × p | grey levels² |
//! | `C = G/n − s sᵀ/n²` | `centred_second_moment` | p × p | grey levels² |
//!
//! **Numerics.** Every entry of `G`, and every partial sum on the way to it, is an integer of at most n · 255². As
//! long as that stays below 2⁵³ ([`MAX_SAMPLES`]) no addition or fused multiply-add rounds, so `G` is exact: the
//! same bits for every block size, order of summation, instruction set and machine. The subtraction that usually
//! ruins a one-pass covariance is done on the integers `n G − s sᵀ` in 128 bits; `C` then carries the three
//! roundings of one conversion and two divisions, however large the means.
//!
//! **Cost.** n p² flops, half of those of a full product, and 8 p² bytes for `G`; 8 · `BLOCK_ROWS` · p bytes for
//! a block of pixels as `f64`.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatRef, Par};

use crate::{Images, InputError};

/// The most samples for which the Gram matrix is exact: the largest n with n · 255² < 2⁵³. Derived, see above.
pub const MAX_SAMPLES: u64 = ((1 << 53) - 1) / (255 * 255);

/// Rows converted to `f64` at a time. Tuned on 60,000 × 784 reduced to 50: from 128 to 1024 a run takes 0.9 to 1.1 s
/// with no trend beyond noise, with 4096, whose block outgrows the cache, 1.3 s. No influence on the Gram matrix.
pub(crate) const BLOCK_ROWS: usize = 512;

/// The mean of every feature over the samples, p grey levels: an exact integer sum, then one rounding.
#[must_use]
pub fn means(images: &Images) -> Vec<f64> {
    let samples = images.samples() as f64;
    column_sums(images).into_iter().map(|sum| sum as f64 / samples).collect()
}

/// The sum of every feature over the samples, exactly.
///
/// Cannot overflow: 2⁵⁶ samples do not fit memory.
pub(crate) fn column_sums(images: &Images) -> Vec<u64> {
    let mut sums = vec![0; images.features()];
    for row in images.pixels().chunks_exact(images.features()) {
        for (sum, &pixel) in sums.iter_mut().zip(row) {
            *sum += u64::from(pixel);
        }
    }
    sums
}

/// The uncentred Gram matrix `XᵀX`, p × p, lower triangle, accumulated over blocks of `block_rows ≥ 1` rows.
///
/// # Errors
///
/// [`InputError::TooManySamples`] above [`MAX_SAMPLES`], where it would no longer be exact.
pub(crate) fn gram(images: &Images, block_rows: usize) -> Result<Mat<f64>, InputError> {
    check_exact(images.samples())?;
    let features = images.features();
    let mut gram = Mat::zeros(features, features);
    for_blocks(images, block_rows, |block, pixels| {
        for (to, &pixel) in block.iter_mut().zip(pixels) {
            *to = f64::from(pixel);
        }
        // Row-major samples are column-major features × rows: `XᵀX` is this times its transpose.
        let transposed = MatRef::from_column_major_slice(block, features, block.len() / features);
        triangular::matmul(
            gram.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Add,
            transposed,
            BlockStructure::Rectangular,
            transposed.transpose(),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
    });
    Ok(gram)
}

/// Refuses more samples than the sums stay exact for.
fn check_exact(samples: usize) -> Result<(), InputError> {
    if samples as u64 > MAX_SAMPLES {
        return Err(InputError::TooManySamples { samples, max: MAX_SAMPLES });
    }
    Ok(())
}

/// Calls `each` with a buffer and the pixels of up to `block_rows` rows, both of the same length, in order.
///
/// The buffer keeps nothing between calls that the caller may rely on.
pub(crate) fn for_blocks(images: &Images, block_rows: usize, mut each: impl FnMut(&mut [f64], &[u8])) {
    let rows = block_rows.min(images.samples());
    let mut buffer = vec![0.0; rows * images.features()];
    for pixels in images.pixels().chunks(buffer.len()) {
        each(&mut buffer[..pixels.len()], pixels);
    }
}

/// The centred second moment `G/n − s sᵀ/n²`, p × p, lower triangle, in the place of an exact `G`.
#[expect(clippy::cast_possible_truncation, reason = "entries of the Gram matrix are integers below 2^53")]
pub(crate) fn centred_second_moment(mut gram: Mat<f64>, sums: &[u64], samples: usize) -> Mat<f64> {
    let n = samples as f64;
    let count = samples as i128;
    for column in 0..gram.ncols() {
        for row in column..gram.nrows() {
            // Below 2^37 · 2^53 in magnitude, far from the limits of 128 bits.
            let scaled =
                count * (gram[(row, column)] as i128) - i128::from(sums[row]) * i128::from(sums[column]);
            gram[(row, column)] = scaled as f64 / n / n;
        }
    }
    gram
}

#[cfg(test)]
mod tests {
    use super::{MAX_SAMPLES, centred_second_moment, check_exact, column_sums, gram, means};
    use crate::{Images, InputError};

    /// A full-range image set that no structure makes easy; the generator is a 64-bit linear congruence.
    fn noise(samples: usize, features: usize) -> Images {
        let mut state = 1_u64;
        let pixels = (0..samples * features)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state.to_be_bytes()[0]
            })
            .collect();
        Images::new(pixels, samples, features).unwrap()
    }

    #[test]
    fn gram_is_the_integer_gram_for_every_block_size() {
        let images = noise(301, 37);
        for block_rows in [1, 2, 7, 64, 300, 301, 1024] {
            let gram = gram(&images, block_rows).unwrap();
            for i in 0..37 {
                for j in 0..=i {
                    let exact: u64 = images
                        .pixels()
                        .chunks_exact(37)
                        .map(|row| u64::from(row[i]) * u64::from(row[j]))
                        .sum();
                    assert_eq!(gram[(i, j)].to_bits(), (exact as f64).to_bits(), "[{i}, {j}], {block_rows}");
                }
            }
        }
    }

    #[test]
    fn centring_survives_means_that_dwarf_the_variance() {
        // One pixel alternates 254, 255 over many samples: variance 1/4 around a mean of 254.5.
        let images = Images::new((0..100_000).map(|i| 254 + (i % 2) as u8).collect(), 100_000, 1).unwrap();
        let moment =
            centred_second_moment(gram(&images, 512).unwrap(), &column_sums(&images), images.samples());
        assert_eq!(moment[(0, 0)].to_bits(), 0.25_f64.to_bits());
        assert_eq!(means(&images)[0].to_bits(), 254.5_f64.to_bits());
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
