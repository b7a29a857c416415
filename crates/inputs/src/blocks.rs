//! Rows of numbers that are read a block at a time: what a reader gives, and what moments and
//! components are computed from.
//!
//! | symbol | here | shape |
//! |---|---|---|
//! | `X` | a [`Blocks`]: inputs, a sample a row | n × p |
//!
//! Bytes, `f32` and `f64` stay what they are ([`Dense`]); only some rows at a time become
//! doubles. A source of another layout (sparse, on disk) implements the trait: it says how its rows
//! are written out, and brings moments of its own where blocks of doubles are not the best way to
//! them.

use std::fmt;

use eigensweep_spectral::dense::prefetch;
use faer::{Mat, MatRef};

use crate::{InputError, moments};

/// A source of n × p numbers, all finite, whose rows are handed out as blocks of doubles.
///
/// ```
/// use eigensweep_inputs::{Blocks, Dense, principal_components};
///
/// let expression = Dense::<f32>::new(vec![0.5, 1.0, 2.5, 1.0, 0.5, 3.0, 2.5, 3.0], 4, 2)?;
/// assert_eq!(expression.means(), [1.5, 2.0]);
/// assert_eq!(expression.second_moment()?[(1, 1)], 1.0);
/// assert_eq!(principal_components(&expression, 1)?.variances().len(), 1);
/// # Ok::<(), eigensweep_inputs::InputError>(())
/// ```
pub trait Blocks: fmt::Debug + Send + Sync {
    /// n, the number of samples, at least 1.
    fn samples(&self) -> usize;

    /// p, the number of features, at least 1.
    fn features(&self) -> usize;

    /// Bytes that the numbers take in memory.
    fn bytes(&self) -> u64;

    /// Channels, rows and columns of a sample, channel by channel and row by row, where the source
    /// knows them.
    fn shape(&self) -> Option<[usize; 3]> {
        None
    }

    /// The least and the largest value that the numbers' type can have, where that means anything:
    /// those of a byte.
    fn bounds(&self) -> Option<[f64; 2]> {
        None
    }

    /// Writes the rows from `first` on as doubles, row-major; `rows` has room for as many as are
    /// wanted.
    ///
    /// # Panics
    ///
    /// If there are not that many rows.
    fn write_rows(&self, first: usize, rows: &mut [f64]);

    /// Asks for a row that is wanted soon, without waiting for it.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    fn ask_for(&self, row: usize) {
        let _ = row;
    }

    /// The mean of every feature, p numbers in the features' units, as accurate as one rounding of
    /// exact sums.
    fn means(&self) -> Vec<f64> {
        moments::compensated_means(self)
    }

    /// The centred second moment `(X − 1μᵀ)ᵀ(X − 1μᵀ)/n`, p × p in the features' units squared,
    /// lower triangle.
    ///
    /// # Errors
    ///
    /// * [`InputError::TooManySamples`] where sums are exact integers and would no longer be.
    /// * [`InputError::TooLarge`] if the squares of a feature overflow.
    fn second_moment(&self) -> Result<Mat<f64>, InputError> {
        moments::two_pass(self)
    }

    /// Calls `each` with row, column and value of all entries that are not zero, row by row, with
    /// columns ascending.
    fn for_entries(&self, each: &mut dyn FnMut(usize, usize, f64)) {
        let mut row = 0;
        moments::for_blocks(self, moments::BLOCK_ROWS, |block| {
            for values in block.chunks_exact(self.features()) {
                for (column, &value) in values.iter().enumerate().filter(|(_, value)| value.abs() > 0.0) {
                    each(row, column, value);
                }
                row += 1;
            }
        });
    }

    /// These rows with some of their columns, which are below p; of the same layout and type
    /// where the source is one of this crate's.
    ///
    /// # Errors
    ///
    /// [`InputError::Dimension`] if there are no columns.
    ///
    /// # Panics
    ///
    /// If there is no such column.
    fn select(&self, columns: &[usize]) -> Result<Box<dyn Blocks>, InputError> {
        let mut values = Vec::with_capacity(self.samples() * columns.len());
        moments::for_blocks(self, moments::BLOCK_ROWS, |block| {
            for row in block.chunks_exact(self.features()) {
                values.extend(columns.iter().map(|&column| row[column]));
            }
        });
        Ok(Box::new(Dense::new(values, self.samples(), columns.len())?))
    }

    /// Doubles in place of the numbers: `map` of each number's row and value, which keeps zeros.
    ///
    /// # Errors
    ///
    /// [`InputError::NonFiniteEntry`] if one is infinite or not a number.
    fn mapped(&self, map: &dyn Fn(usize, f64) -> f64) -> Result<Box<dyn Blocks>, InputError> {
        let mut values = vec![0.0; self.samples() * self.features()];
        self.write_rows(0, &mut values);
        for (row, values) in values.chunks_exact_mut(self.features()).enumerate() {
            values.iter_mut().for_each(|value| *value = map(row, *value));
        }
        Ok(Box::new(Dense::new(values, self.samples(), self.features())?))
    }
}

/// A type of numbers that a [`Dense`] source holds, with the best way to their moments.
pub trait Element: Copy + fmt::Debug + PartialEq + Into<f64> + Send + Sync + 'static {
    /// What [`Blocks::bounds`] gives for rows of this type.
    const BOUNDS: Option<[f64; 2]> = None;

    /// What [`Blocks::means`] gives for rows of this type.
    fn means(rows: &Dense<Self>) -> Vec<f64> {
        moments::compensated_means(rows)
    }

    /// What [`Blocks::second_moment`] gives for rows of this type.
    ///
    /// # Errors
    ///
    /// As [`Blocks::second_moment`].
    fn second_moment(rows: &Dense<Self>) -> Result<Mat<f64>, InputError> {
        moments::two_pass(rows)
    }
}

/// Bytes, such as grey levels: sums of them and of their products are exact.
impl Element for u8 {
    const BOUNDS: Option<[f64; 2]> = Some([0.0, 255.0]);

    fn means(rows: &Dense<Self>) -> Vec<f64> {
        moments::byte_means(rows)
    }

    fn second_moment(rows: &Dense<Self>) -> Result<Mat<f64>, InputError> {
        moments::byte_second_moment(rows)
    }
}

impl Element for f32 {}

impl Element for f64 {}

/// Rows in memory, samples × features, row-major, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense<T> {
    values: Vec<T>,
    samples: usize,
    features: usize,
    shape: Option<[usize; 3]>,
    bounds: Option<[f64; 2]>,
}

impl<T: Element> Dense<T> {
    /// Takes `samples × features` values, row-major.
    ///
    /// # Errors
    ///
    /// * [`InputError::Dimension`] if `values` has another length, or if there are no samples or
    ///   features.
    /// * [`InputError::NonFiniteEntry`] if a value is infinite or not a number.
    pub fn new(values: Vec<T>, samples: usize, features: usize) -> Result<Self, InputError> {
        let (expected, found) = (samples.checked_mul(features), values.len());
        if expected != Some(found) || found == 0 {
            let expected = expected.unwrap_or(usize::MAX);
            return Err(InputError::Dimension { what: "inputs", expected, found });
        }
        match values.iter().position(|&value| !value.into().is_finite()) {
            Some(at) => Err(InputError::NonFiniteEntry {
                what: "inputs",
                row: at / features,
                column: at % features,
                value: values[at].into(),
            }),
            None => Ok(Self { values, samples, features, shape: None, bounds: T::BOUNDS }),
        }
    }

    /// These rows as samples of so many channels, rows and columns, or as they were if that is
    /// another number of features.
    #[must_use]
    pub fn shaped(self, shape: [usize; 3]) -> Self {
        let fits = shape.iter().try_fold(1_usize, |size, &of| size.checked_mul(of)) == Some(self.features);
        Self { shape: fits.then_some(shape), ..self }
    }

    /// These rows without bounds: the type of the values says nothing of which could have been
    /// there.
    #[must_use]
    pub fn unbounded(self) -> Self {
        Self { bounds: None, ..self }
    }

    /// All values, samples × features, row-major.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }
}

impl<T: Element> Blocks for Dense<T> {
    fn samples(&self) -> usize {
        self.samples
    }

    fn features(&self) -> usize {
        self.features
    }

    fn bytes(&self) -> u64 {
        size_of_val(self.values.as_slice()) as u64
    }

    fn shape(&self) -> Option<[usize; 3]> {
        self.shape
    }

    fn bounds(&self) -> Option<[f64; 2]> {
        self.bounds
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        let from = &self.values[first * self.features..][..rows.len()];
        for (to, &value) in rows.iter_mut().zip(from) {
            *to = value.into();
        }
    }

    fn ask_for(&self, row: usize) {
        prefetch(&self.values[row * self.features..][..self.features]);
    }

    fn means(&self) -> Vec<f64> {
        T::means(self)
    }

    fn second_moment(&self) -> Result<Mat<f64>, InputError> {
        T::second_moment(self)
    }

    fn select(&self, columns: &[usize]) -> Result<Box<dyn Blocks>, InputError> {
        let rows = self.values.chunks_exact(self.features);
        let values = rows.flat_map(|row| columns.iter().map(|&column| row[column])).collect();
        let bounds = self.bounds;
        Ok(Box::new(Self { bounds, ..Self::new(values, self.samples, columns.len())? }))
    }
}

impl Dense<f64> {
    /// Copies a matrix with one sample a row.
    ///
    /// # Errors
    ///
    /// As [`Dense::new`].
    pub fn from_matrix(matrix: MatRef<'_, f64>) -> Result<Self, InputError> {
        let values = matrix.row_iter().flat_map(|row| row.iter().copied()).collect();
        Self::new(values, matrix.nrows(), matrix.ncols())
    }

    /// The values as a samples × features view.
    #[must_use]
    pub fn matrix(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.values, self.samples, self.features)
    }
}
