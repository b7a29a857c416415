//! Inputs and labels side by side: the rows `A = [X₁ Y]` whose running moments the samplers
//! consume.
//!
//! The engine makes one of these a job and hands its rows out; the moment sampler needs nothing of
//! the data but `AᵀA` over nested subsets of rows.
//!
//! | symbol | here | shape |
//! |---|---|---|
//! | `X₁` | the first [`features`](LabelledRows::features) columns | n × k₀ |
//! | `Y` | the last [`labels`](LabelledRows::labels) columns: one-hot classes, or real targets | n × ℓ |
//!
//! **Cost.** 8 n (k₀ + ℓ) bytes, row-major, so that a subset of samples is read row by row.

use faer::MatRef;

use crate::{Blocks, ClassLabels, Dense, InputError, Labels};

/// Rows of `A = [X₁ Y]`, n × (k₀ + ℓ), row-major, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelledRows {
    rows: Vec<f64>,
    samples: usize,
    features: usize,
    labels: usize,
    /// Class of each sample; empty if the labels are real targets.
    classes: Vec<u16>,
}

impl LabelledRows {
    /// Joins inputs (n × k₀) with labels: one-hot classes, or real targets.
    ///
    /// # Errors
    ///
    /// As [`with_classes`](Self::with_classes) and [`with_targets`](Self::with_targets).
    pub fn with_labels(inputs: &Dense<f64>, labels: &Labels) -> Result<Self, InputError> {
        match labels {
            Labels::Classes(classes) => Self::with_classes(inputs, classes),
            Labels::Targets(targets) => Self::with_targets(inputs, targets.as_ref()),
        }
    }

    /// Joins inputs (n × k₀) with one-hot labels (n × number of classes).
    ///
    /// # Errors
    ///
    /// [`InputError::SampleCount`] if the two do not have the same number of samples.
    pub fn with_classes(inputs: &Dense<f64>, labels: &ClassLabels) -> Result<Self, InputError> {
        let classes = labels.classes();
        let joined = Self::join(inputs, classes.len(), labels.count(), |sample, targets| {
            targets[usize::from(classes[sample])] = 1.0;
        })?;
        Ok(Self { classes: classes.to_vec(), ..joined })
    }

    /// Joins inputs (n × k₀) with real targets (n × ℓ).
    ///
    /// # Errors
    ///
    /// * [`InputError::SampleCount`] if the two do not have the same number of samples.
    /// * [`InputError::Dimension`] if there are no target columns.
    /// * [`InputError::NonFiniteEntry`] if a target is infinite or not a number.
    pub fn with_targets(inputs: &Dense<f64>, targets: MatRef<'_, f64>) -> Result<Self, InputError> {
        if targets.ncols() == 0 {
            return Err(InputError::Dimension { what: "targets", expected: targets.nrows(), found: 0 });
        }
        for (column, entries) in targets.col_iter().enumerate() {
            if let Some((row, &value)) = entries.iter().enumerate().find(|(_, entry)| !entry.is_finite()) {
                return Err(InputError::NonFiniteEntry { what: "targets", row, column, value });
            }
        }
        Self::join(inputs, targets.nrows(), targets.ncols(), |sample, row| {
            for (to, from) in row.iter_mut().zip(targets.row(sample).iter()) {
                *to = *from;
            }
        })
    }

    /// Copies the inputs and lets `write` fill the labels of each sample, which arrive as zeros.
    fn join(
        inputs: &Dense<f64>,
        labelled: usize,
        labels: usize,
        write: impl Fn(usize, &mut [f64]),
    ) -> Result<Self, InputError> {
        let (samples, features) = (inputs.samples(), inputs.features());
        if labelled != samples {
            return Err(InputError::SampleCount { inputs: samples, labels: labelled });
        }
        let width = features + labels;
        let mut rows = vec![0.0; samples * width];
        let pairs = rows.chunks_exact_mut(width).zip(inputs.values().chunks_exact(features));
        for (sample, (row, input)) in pairs.enumerate() {
            let (signal, targets) = row.split_at_mut(features);
            signal.copy_from_slice(input);
            write(sample, targets);
        }
        Ok(Self { rows, samples, features, labels, classes: Vec::new() })
    }

    /// All rows, n × (k₀ + ℓ), row-major.
    #[must_use]
    pub fn rows(&self) -> &[f64] {
        &self.rows
    }

    /// The row of one sample, k₀ inputs and then ℓ labels.
    ///
    /// # Panics
    ///
    /// If `sample` is not below [`samples`](Self::samples).
    #[must_use]
    pub fn row(&self, sample: usize) -> &[f64] {
        let width = self.width();
        &self.rows[sample * width..][..width]
    }

    /// Class of each sample where the labels are one-hot; empty where they are real targets.
    #[must_use]
    pub fn classes(&self) -> &[u16] {
        &self.classes
    }

    /// n, the number of samples, at least 1.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// k₀, the number of input columns, at least 1.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// ℓ, the number of label columns, at least 1.
    #[must_use]
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// k₀ + ℓ, the length of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.features + self.labels
    }

    /// The rows as an n × (k₀ + ℓ) view.
    #[must_use]
    pub fn matrix(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.rows, self.samples, self.width())
    }
}
