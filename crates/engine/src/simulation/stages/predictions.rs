//! Linear predictions of labels, tried row by row.

use eigensweep_spectral::dense::product;
use eigensweep_spectral::lanes::InstructionSet;
use faer::{Accum, Mat, MatRef};

use crate::samples::Label;

/// Rows of a block.
const BLOCK_ROWS: usize = 256;

/// Models that wait to be tried, at most: their weights are read once a block of rows.
pub(super) const MOST: usize = 256;

/// Linear models of labels, `ŷ = Wᵀx + c`, on their way to rows.
#[derive(Debug)]
pub(super) struct Predictions<T> {
    instruction_set: InstructionSet,
    labels: usize,
    /// Wᵀ of each (ℓ rows each).
    weights: Mat<f64>,
    intercepts: Vec<f64>,
    tags: Vec<T>,
    /// Rows, a column each.
    block: Mat<f64>,
    /// The label of each (ℓ × block).
    wanted: Mat<f64>,
    /// The class of each, if it is one.
    classes: Vec<Option<usize>>,
    predicted: Mat<f64>,
    correct: Vec<u64>,
    squares: Vec<f64>,
}

/// How well a model predicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tried {
    /// Share of rows whose class has the largest prediction; NaN where labels are no classes.
    pub(super) accuracy: f64,
    /// Mean squared difference from the labels, one-hot of classes.
    pub(super) loss: f64,
}

impl<T: Clone> Predictions<T> {
    /// No models of d features and ℓ classes.
    pub(super) fn new(instruction_set: InstructionSet, size: usize, labels: usize) -> Self {
        Self {
            instruction_set,
            labels,
            weights: Mat::zeros(MOST * labels, size),
            intercepts: Vec::with_capacity(MOST * labels),
            tags: Vec::with_capacity(MOST),
            block: Mat::zeros(size, BLOCK_ROWS),
            wanted: Mat::zeros(labels, BLOCK_ROWS),
            classes: Vec::with_capacity(BLOCK_ROWS),
            predicted: Mat::zeros(MOST * labels, BLOCK_ROWS),
            correct: Vec::with_capacity(MOST),
            squares: Vec::with_capacity(MOST),
        }
    }

    /// The next rows have so many features; there is no model.
    pub(super) fn resize(&mut self, size: usize) {
        if size != self.block.nrows() {
            *self = Self::new(self.instruction_set, size, self.labels);
        }
    }

    /// Whether no further model has room.
    pub(super) fn is_full(&self) -> bool {
        self.tags.len() == MOST
    }

    /// Whether there is no model.
    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Adds a model: W (d × ℓ) and c (ℓ × 1).
    pub(super) fn push(&mut self, weights: MatRef<'_, f64>, intercept: MatRef<'_, f64>, tag: T) {
        let first = self.tags.len() * self.labels;
        self.weights.as_mut().subrows_mut(first, self.labels).copy_from(weights.transpose());
        self.intercepts.extend(intercept.col(0).iter());
        self.tags.push(tag);
    }

    /// Forgets all models.
    pub(super) fn clear(&mut self) {
        self.tags.clear();
        self.intercepts.clear();
    }

    /// Tries all models on rows: `next` writes one after another and returns its label, or `None`
    /// behind the last.
    pub(super) fn try_on<'l>(
        &mut self,
        mut next: impl FnMut(&mut [f64]) -> Option<Label<'l>>,
    ) -> Vec<(T, Tried)> {
        self.correct.clear();
        self.correct.resize(self.tags.len(), 0);
        self.squares.clear();
        self.squares.resize(self.tags.len(), 0.0);
        let (mut count, mut classes) = (0, true);
        while let Some(label) = next(self.block.col_as_slice_mut(self.classes.len())) {
            label.write(self.wanted.col_as_slice_mut(self.classes.len()));
            self.classes.push(label.class());
            classes = classes && label.class().is_some();
            count += 1;
            if self.classes.len() == BLOCK_ROWS {
                self.flush();
            }
        }
        self.flush();
        let share = 1.0 / f64::from(u32::try_from(count).unwrap_or(u32::MAX).max(1));
        let found = self.tags.iter().cloned().zip(self.correct.iter().zip(&self.squares));
        found
            .map(|(tag, (&correct, squares))| {
                let accuracy = if classes { correct as f64 * share } else { f64::NAN };
                (tag, Tried { accuracy, loss: squares * share })
            })
            .collect()
    }

    fn flush(&mut self) {
        let (models, rows, labels) = (self.tags.len(), self.classes.len(), self.labels);
        if rows == 0 || models == 0 {
            self.classes.clear();
            return;
        }
        let mut predicted = self.predicted.as_mut().submatrix_mut(0, 0, models * labels, rows);
        let weights = self.weights.as_ref().subrows(0, models * labels);
        let block = self.block.as_ref().subcols(0, rows);
        product(self.instruction_set, predicted.as_mut(), Accum::Replace, weights, block);
        let wanted = self.wanted.col_iter();
        for ((column, wanted), &class) in predicted.col_iter().zip(wanted).zip(&self.classes) {
            for model in 0..models {
                let first = model * labels;
                let (mut best, mut largest, mut squares) = (0, f64::NEG_INFINITY, 0.0);
                for c in 0..labels {
                    let value = column[first + c] + self.intercepts[first + c];
                    squares += (value - wanted[c]) * (value - wanted[c]);
                    if value > largest {
                        (best, largest) = (c, value);
                    }
                }
                self.correct[model] += u64::from(class == Some(best));
                self.squares[model] += squares;
            }
        }
        self.classes.clear();
    }
}

#[cfg(test)]
mod tests {
    use eigensweep_spectral::lanes::InstructionSet;
    use faer::mat;

    use super::{Predictions, Tried};
    use crate::samples::Label;

    /// x = (1, 0), (0, 1), (2, 1) of classes 0, 1, 1; the first model is the identity, the second
    /// always says 1.
    #[test]
    fn accuracy_and_loss_are_those_counted_by_hand() {
        let mut predictions = Predictions::new(InstructionSet::detect(), 2, 2);
        let (identity, zero) = (mat![[1.0, 0.0], [0.0, 1.0]], mat![[0.0, 0.0], [0.0, 0.0]]);
        predictions.push(identity.as_ref(), mat![[0.0], [0.0]].as_ref(), "identity");
        predictions.push(zero.as_ref(), mat![[0.0], [1.0]].as_ref(), "one");
        let rows = [([1.0, 0.0], 0), ([0.0, 1.0], 1), ([2.0, 1.0], 1)];
        let mut rows = rows.iter();
        let tried = predictions.try_on(|to| {
            let (row, class) = rows.next()?;
            to.copy_from_slice(row);
            Some(Label::Class(*class))
        });
        let share = 1.0 / 3.0;
        assert_eq!(tried[0], ("identity", Tried { accuracy: 2.0 * share, loss: 4.0 * share }));
        assert_eq!(tried[1], ("one", Tried { accuracy: 2.0 * share, loss: 2.0 * share }));
    }
}
