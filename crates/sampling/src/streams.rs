//! Random streams keyed by what is drawn and its coordinates.
//!
//! A stream is a [`Xoshiro256PlusPlus`] seeded with 256 bits: the BLAKE3 hash, in key-derivation
//! mode, of (job seed, [`Draw`], coordinates). So a draw depends neither on threads nor on order,
//! and no two draws share a stream: among 10¹⁰ streams two 256-bit seeds coincide with probability
//! 10⁻⁵⁷; hashed 64-bit seeds would be expected to collide 2.7 times.
//!
//! Sources: Blackman and Vigna, *Scrambled linear pseudorandom number generators* (2021); O'Connor,
//! Aumasson, Neves and Wilcox-O'Hearn, *BLAKE3* (2020), section 2.3 (key derivation).

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

/// The generator behind every stream.
pub type Stream = Xoshiro256PlusPlus;

/// Names the derivation. Any change of what a draw consumes, or in which order, needs a new number
/// here: old data sets were drawn by another scheme and must not be extended by this one.
pub const SCHEME: &str = "eigensweep streams 1";

/// What a stream is for. Draws that the protocol shares over axes leave those axes out of their
/// coordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Draw {
    /// Unit spectrum of the signal; coordinates: replicate.
    SignalSpectrum = 0,
    /// Unit spectrum of Γ; coordinates: replicate. Shared over n, α and the noise scales.
    CorruptionSpectrum = 1,
    /// Unit spectrum of Θ; coordinates: replicate. Shared over n, α and the scales.
    AugmentationSpectrum = 2,
    /// The teacher's directions; coordinates: replicate.
    Teacher = 3,
    /// The permutation of a data set whose prefixes are the samples; coordinates: replicate.
    Subset = 4,
    /// Clean inputs and labels of a synthetic sample; coordinates: replicate, n.
    Clean = 5,
    /// The irrelevant noise of a sample; coordinates: replicate, n.
    Noise = 6,
    /// A drawn image of a digit; coordinates: its number.
    Glyph = 7,
    /// The corruption of a row of a data set; coordinates: replicate, row. Shared over n,
    /// severities and views.
    Corruption = 8,
    /// The corruption of a row that is held out; coordinates: replicate, row.
    HeldOut = 9,
    /// Sampled views of a row; coordinates: replicate, row. Shared over n and the parameters of
    /// views.
    SampledViews = 10,
    /// The weights of random features; no coordinates: once a job.
    Features = 11,
    /// Which rows are held out; no coordinates: once a job.
    HeldOutRows = 12,
    /// Which fold an item of a comparison is dealt to; coordinates: repetition.
    Folds = 13,
    /// Pairs that are none, to compare pairs with; coordinates: number.
    Permutation = 14,
}

/// All random streams of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// The streams of a job with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The stream for one draw at these coordinates.
    #[must_use]
    pub fn stream(&self, draw: Draw, coordinates: &[u64]) -> Stream {
        let mut hasher = blake3::Hasher::new_derive_key(SCHEME);
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(&[draw as u8]);
        for coordinate in coordinates {
            hasher.update(&coordinate.to_le_bytes());
        }
        Stream::from_seed(*hasher.finalize().as_bytes())
    }
}
