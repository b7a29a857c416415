//! Raw samples as they lie in image files: unsigned bytes a pixel, one class a sample.
//!
//! [`idx`](crate::idx) fills these; [`pca`](crate::pca) and [`labelled`](crate::labelled) read them. Generated
//! images come in through the constructors, which check what the rest relies on.

use crate::InputError;

/// Images of one size, flattened: samples × features bytes, row-major, each in 0..=255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    pixels: Vec<u8>,
    samples: usize,
    features: usize,
}

impl Images {
    /// Takes `samples × features` pixels, row-major.
    ///
    /// # Errors
    ///
    /// [`InputError::Dimension`] if `pixels` has another length, or if there are no samples or features.
    pub fn new(pixels: Vec<u8>, samples: usize, features: usize) -> Result<Self, InputError> {
        check_length("images", pixels.len(), samples, features)?;
        Ok(Self { pixels, samples, features })
    }

    /// All pixels, samples × features, row-major.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Number of images, at least 1.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Pixels of one image, at least 1.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }
}

/// The class of each sample, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassLabels {
    classes: Vec<u8>,
    count: usize,
}

impl ClassLabels {
    /// Takes one class a sample; the number of classes is the largest plus one, whether or not all of them occur.
    ///
    /// # Errors
    ///
    /// [`InputError::Dimension`] if there are none.
    pub fn new(classes: Vec<u8>) -> Result<Self, InputError> {
        let Some(&largest) = classes.iter().max() else {
            return Err(InputError::Dimension { what: "class labels", expected: 1, found: 0 });
        };
        Ok(Self { classes, count: usize::from(largest) + 1 })
    }

    /// The classes, one a sample, each below [`count`](Self::count).
    #[must_use]
    pub fn classes(&self) -> &[u8] {
        &self.classes
    }

    /// Number of classes: the largest label plus one, in 1..=256.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }
}

/// Refuses data that are empty or whose length is not `samples × features`.
///
/// # Errors
///
/// [`InputError::Dimension`], with the needed length saturated.
pub(crate) fn check_length(
    what: &'static str,
    found: usize,
    samples: usize,
    features: usize,
) -> Result<(), InputError> {
    let expected = samples.checked_mul(features);
    if expected == Some(found) && found > 0 {
        Ok(())
    } else {
        Err(InputError::Dimension { what, expected: expected.unwrap_or(usize::MAX), found })
    }
}
