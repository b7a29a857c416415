//! Rows as moments are taken of them: a block at a time where features act on rows.

use faer::Mat;

use crate::features::RowFeatures;
use crate::samples::Label;

/// Rows that are read ahead: a map is faster at many rows than at one.
const AHEAD: usize = 64;

/// Rows in an order, one after another, behind features.
pub(super) struct Ahead<'a, I, W> {
    features: &'a RowFeatures,
    rows: I,
    /// Writes a row (d) and returns its label and its factor.
    write: W,
    values: Vec<f64>,
    block: Mat<f64>,
    labels: Vec<Label<'a>>,
    next: usize,
}

impl<'a, I: Iterator<Item = usize>, W: FnMut(usize, &mut Vec<f64>) -> (Label<'a>, f64)> Ahead<'a, I, W> {
    /// These rows, each of them written by `write`.
    pub(super) fn new(features: &'a RowFeatures, rows: I, write: W) -> Self {
        let (values, labels, block) = (Vec::new(), Vec::new(), Mat::new());
        Self { features, rows, write, values, block, labels, next: 0 }
    }

    /// Writes the next row and returns its label; `None` behind the last.
    pub(super) fn next(&mut self, to: &mut [f64]) -> Option<Label<'a>> {
        if !self.features.act_on_rows() {
            let row = self.rows.next()?;
            let (label, _) = (self.write)(row, &mut self.values);
            to.copy_from_slice(&self.values);
            return Some(label);
        }
        if self.next == self.labels.len() {
            self.read();
        }
        let label = *self.labels.get(self.next)?;
        to.copy_from_slice(self.block.col_as_slice(self.next));
        self.next += 1;
        Some(label)
    }

    /// Reads the next rows.
    fn read(&mut self) {
        self.labels.clear();
        self.next = 0;
        let (mut all, mut scales) = (Vec::new(), Vec::with_capacity(AHEAD));
        for row in self.rows.by_ref().take(AHEAD) {
            let (label, scale) = (self.write)(row, &mut self.values);
            all.extend_from_slice(&self.values);
            self.labels.push(label);
            scales.push(scale);
        }
        let raw = Mat::from_fn(self.values.len(), scales.len(), |i, j| all[j * self.values.len() + i]);
        self.block = self.features.of_rows(raw, |at| scales[at]);
    }
}
