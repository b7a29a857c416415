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
//! **Cost.** Scores and few features are 8 n k₀ bytes, row-major, so that a subset of samples is read
//! row by row. Many raw features stay what they are, and become doubles about their means as they
//! are read.
//! Classes are two bytes a row, real targets 8 ℓ.

use std::fmt;
use std::sync::Arc;

use eigensweep_spectral::dense::{HeldRows, prefetch};

use crate::moments::{self, Centred};
use crate::{Blocks, Dense, InputError, Labels};

/// Rows of `A = [X₁ Y]`, n × (k₀ + ℓ), all finite.
#[derive(Clone)]
pub struct LabelledRows {
    held: Held,
    samples: usize,
    features: usize,
    labels: usize,
    /// Class of each sample; empty if the labels are real targets.
    classes: Vec<u16>,
}

/// Features up to which raw inputs are held as doubles: what becomes of a row takes as long as its
/// products. Measured at 50, Gflop/s: 20 of doubles, 9 to 17 of rows as they are.
const NARROW: usize = 128;

/// What rows are held as.
#[derive(Clone)]
enum Held {
    /// Doubles, each row's targets behind its inputs.
    Doubles(Vec<f64>),
    /// As they are in the file: with the means (k₀) that are taken off, and targets (n × ℓ,
    /// row-major).
    Raw { inputs: Arc<dyn Blocks>, means: Vec<f64>, targets: Vec<f64> },
}

impl fmt::Debug for LabelledRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { samples, features, labels, .. } = self;
        write!(f, "LabelledRows {{ {samples} × ({features} + {labels}) }}")
    }
}

impl LabelledRows {
    /// Joins inputs (n × k₀) with labels: one-hot classes, or real targets.
    ///
    /// # Errors
    ///
    /// * [`InputError::SampleCount`] if the two do not have the same number of samples.
    /// * [`InputError::Dimension`] if there are no target columns.
    /// * [`InputError::NonFiniteEntry`] if a target is infinite or not a number.
    pub fn with_labels(inputs: &Dense<f64>, labels: &Labels) -> Result<Self, InputError> {
        let (samples, features) = (inputs.samples(), inputs.features());
        let (classes, targets) = checked(labels, samples)?;
        let values = if targets.is_empty() {
            inputs.values().to_vec()
        } else {
            let pairs = inputs.values().chunks_exact(features).zip(targets.chunks_exact(labels.count()));
            pairs.flat_map(|(input, targets)| input.iter().chain(targets)).copied().collect()
        };
        Ok(Self { held: Held::Doubles(values), samples, features, labels: labels.count(), classes })
    }

    /// Joins inputs (n × k₀) less their means with labels: wide inputs stay what they are, and a row
    /// is centred as it is read; narrow ones become doubles now.
    ///
    /// # Errors
    ///
    /// * As [`with_labels`](Self::with_labels).
    /// * [`InputError::NonFiniteEntry`] if the difference of an input and its mean overflows.
    pub fn centred(inputs: Arc<dyn Blocks>, labels: &Labels) -> Result<Self, InputError> {
        let (samples, features) = (inputs.samples(), inputs.features());
        let means = inputs.means();
        if features <= NARROW {
            let mut values = vec![0.0; samples * features];
            inputs.write_rows(0, &mut values);
            moments::centre(&mut values, &means);
            return Self::with_labels(&Dense::new(values, samples, features)?, labels);
        }
        let (classes, targets) = checked(labels, samples)?;
        let (mut row, mut found) = (0, Ok(()));
        moments::for_blocks(&*inputs, moments::BLOCK_ROWS, |block| {
            moments::centre(block, &means);
            if let (Some(at), Ok(())) = (block.iter().position(|entry| !entry.is_finite()), &found) {
                let (row, column, value) = (row + at / features, at % features, block[at]);
                found = Err(InputError::NonFiniteEntry { what: "inputs", row, column, value });
            }
            row += block.len() / features;
        });
        found?;
        let held = Held::Raw { inputs, means, targets };
        Ok(Self { held, samples, features, labels: labels.count(), classes })
    }

    /// Writes a row, k₀ inputs and then ℓ labels.
    ///
    /// # Panics
    ///
    /// If there is no such row, or `to` has not k₀ + ℓ numbers.
    pub fn write(&self, row: usize, to: &mut [f64]) {
        assert!(to.len() == self.width(), "k₀ + ℓ numbers");
        let (numbers, classes) = to.split_at_mut(self.numbers());
        match &self.held {
            Held::Doubles(values) => numbers.copy_from_slice(&values[row * numbers.len()..][..numbers.len()]),
            Held::Raw { .. } => self.write_raw(row, numbers),
        }
        if !classes.is_empty() {
            classes.fill(0.0);
            classes[self.class(row)] = 1.0;
        }
    }

    /// Writes the numbers of a row that are not held as doubles.
    fn write_raw(&self, row: usize, to: &mut [f64]) {
        if let Held::Raw { inputs, means, targets } = &self.held {
            let (signal, own) = to.split_at_mut(self.features);
            Centred { rows: &**inputs, means }.write(row, signal);
            own.copy_from_slice(&targets[row * own.len()..][..own.len()]);
        }
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

    /// Bytes that the rows take in memory.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let of_doubles = |values: &[f64]| size_of_val(values) as u64;
        let numbers = match &self.held {
            Held::Doubles(values) => of_doubles(values),
            Held::Raw { inputs, means, targets } => inputs.bytes() + of_doubles(means) + of_doubles(targets),
        };
        numbers + size_of_val(&*self.classes) as u64
    }
}

impl HeldRows for LabelledRows {
    #[inline]
    fn rows(&self) -> usize {
        self.samples
    }

    #[inline]
    fn numbers(&self) -> usize {
        self.features + if self.classes.is_empty() { self.labels } else { 0 }
    }

    #[inline]
    fn row<'a>(&'a self, row: usize, room: &'a mut [f64]) -> &'a [f64] {
        match &self.held {
            Held::Doubles(values) => &values[row * room.len()..][..room.len()],
            Held::Raw { .. } => {
                self.write_raw(row, room);
                room
            }
        }
    }

    #[inline]
    fn class(&self, row: usize) -> usize {
        usize::from(self.classes[row])
    }

    #[inline]
    fn ask_for(&self, row: usize) {
        match &self.held {
            Held::Doubles(values) => prefetch(&values[row * self.numbers()..][..self.numbers()]),
            Held::Raw { inputs, .. } => inputs.ask_for(row),
        }
    }
}

/// Classes of so many samples, or their targets (n × ℓ, row-major); the other is empty.
fn checked(labels: &Labels, samples: usize) -> Result<(Vec<u16>, Vec<f64>), InputError> {
    let (classes, targets) = match labels {
        Labels::Classes(classes) => (classes.classes().to_vec(), Vec::new()),
        Labels::Targets(targets) => {
            if targets.ncols() == 0 {
                return Err(InputError::Dimension { what: "targets", expected: targets.nrows(), found: 0 });
            }
            for (column, entries) in targets.col_iter().enumerate() {
                if let Some((row, &value)) = entries.iter().enumerate().find(|(_, entry)| !entry.is_finite())
                {
                    return Err(InputError::NonFiniteEntry { what: "targets", row, column, value });
                }
            }
            (Vec::new(), targets.row_iter().flat_map(|row| row.iter().copied()).collect())
        }
    };
    if labels.samples() != samples {
        return Err(InputError::SampleCount { inputs: samples, labels: labels.samples() });
    }
    Ok((classes, targets))
}
