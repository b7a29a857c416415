//! Clean inputs: the matrix whose rows the paradigms learn from, before noise and views.
//!
//! Principal component scores, centred pixels and matrices from files all become this.

use faer::MatRef;

use crate::InputError;
use crate::images::check_length;

/// Inputs `X₁`, samples × features, row-major, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    rows: Vec<f64>,
    samples: usize,
    features: usize,
}

impl Inputs {
    /// Takes `samples × features` entries, row-major.
    ///
    /// # Errors
    ///
    /// * [`InputError::Dimension`] if `rows` has another length, or if there are no samples or features.
    /// * [`InputError::NonFiniteEntry`] if an entry is infinite or not a number.
    pub fn new(rows: Vec<f64>, samples: usize, features: usize) -> Result<Self, InputError> {
        check_length("inputs", rows.len(), samples, features)?;
        match rows.iter().position(|entry| !entry.is_finite()) {
            Some(at) => Err(InputError::NonFiniteEntry {
                what: "inputs",
                row: at / features,
                column: at % features,
                value: rows[at],
            }),
            None => Ok(Self { rows, samples, features }),
        }
    }

    /// Copies a matrix with one sample a row.
    ///
    /// # Errors
    ///
    /// As [`Inputs::new`].
    pub fn from_matrix(matrix: MatRef<'_, f64>) -> Result<Self, InputError> {
        let rows = matrix.row_iter().flat_map(|row| row.iter().copied()).collect();
        Self::new(rows, matrix.nrows(), matrix.ncols())
    }

    /// All entries, row-major.
    #[must_use]
    pub fn rows(&self) -> &[f64] {
        &self.rows
    }

    /// Number of samples, at least 1.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Number of features, at least 1.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// The inputs as a samples × features view.
    #[must_use]
    pub fn matrix(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.rows, self.samples, self.features)
    }
}
