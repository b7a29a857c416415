//! Moments of nested samples, accumulated row by row.
//!
//! Every fifth row is kept apart, so that the strength of a probe can be tried on rows that it was
//! not fitted on. Entries are chains of fused multiply-adds over the rows in their order
//! ([`RowGram`]): their bits do not depend on which sample sizes are asked for.

use eigensweep_spectral::dense::{RowGram, Rows};
use eigensweep_spectral::lanes::InstructionSet;
use faer::Mat;

use crate::samples::Label;

/// Of so many rows one is kept apart.
const APART: usize = 5;

/// Moments of the rows so far, in two parts.
#[derive(Debug)]
pub(super) struct Gather {
    instruction_set: InstructionSet,
    parts: [Part; 2],
    rows: usize,
    /// What is taken off every row first (d), so that little is lost where means dwarf variances.
    origin: Vec<f64>,
}

/// Sums over some rows.
#[derive(Debug)]
struct Part {
    /// XᵀX.
    gram: RowGram,
    /// Xᵀ1.
    sums: Mat<f64>,
    /// XᵀY: of one-hot labels, sums by class.
    with_labels: Mat<f64>,
    /// Yᵀ1: of one-hot labels, rows of each class.
    label_sums: Vec<f64>,
    /// Σ yᵀy.
    label_power: f64,
    rows: u64,
    /// Rows that wait, one after another, in one column: room for a block of them.
    block: Mat<f64>,
    waiting: usize,
}

/// Moments of rows, divided by their number.
#[derive(Clone, Debug)]
pub(super) struct SampleMoments {
    /// Number of rows.
    pub(super) samples: u64,
    /// XᵀX/n (d × d), both triangles.
    pub(super) second: Mat<f64>,
    /// mean x (d × 1).
    pub(super) mean: Mat<f64>,
    /// XᵀY/n (d × ℓ).
    pub(super) labels: Mat<f64>,
    /// mean y (ℓ × 1).
    pub(super) label_mean: Mat<f64>,
    /// mean yᵀy: 1 of one-hot labels.
    pub(super) label_power: f64,
}

impl Gather {
    /// No rows of d features and ℓ classes, about that origin (d).
    pub(super) fn new(instruction_set: InstructionSet, origin: &[f64], labels: usize) -> Self {
        let size = origin.len();
        let part = || Part {
            gram: RowGram::new(instruction_set, size, 0),
            sums: Mat::zeros(size, 1),
            with_labels: Mat::zeros(size, labels),
            label_sums: vec![0.0; labels],
            label_power: 0.0,
            rows: 0,
            block: Mat::zeros(size * RowGram::depth(size), 1),
            waiting: 0,
        };
        Self { instruction_set, parts: [part(), part()], rows: 0, origin: origin.to_vec() }
    }

    /// Forgets all rows; the next ones are about that origin, with so many labels.
    pub(super) fn begin(&mut self, origin: &[f64], labels: usize) {
        if origin.len() != self.origin.len() {
            *self = Self::new(self.instruction_set, origin, labels);
        }
        self.origin.copy_from_slice(origin);
        self.clear();
    }

    /// Forgets all rows.
    fn clear(&mut self) {
        self.rows = 0;
        for part in &mut self.parts {
            part.gram.clear();
            for matrix in [&mut part.sums, &mut part.with_labels] {
                matrix.fill(0.0);
            }
            part.label_sums.fill(0.0);
            part.label_power = 0.0;
            part.rows = 0;
            part.waiting = 0;
        }
    }

    /// Number of rows so far.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Adds a row with its label.
    pub(super) fn add(&mut self, row: &[f64], label: Label<'_>) {
        let part = &mut self.parts[usize::from(self.rows % APART == APART - 1)];
        self.rows += 1;
        part.rows += 1;
        let size = self.origin.len();
        let block = &mut part.block.col_as_slice_mut(0)[part.waiting * size..][..size];
        let sums = part.sums.col_as_slice_mut(0);
        let deviations = block.iter_mut().zip(row).zip(&self.origin).zip(sums);
        match label {
            // In one pass: each takes a few hundredths of the products' time.
            Label::Class(class) => {
                let with_class = part.with_labels.col_as_slice_mut(class);
                for ((((to, x), origin), sum), of_class) in deviations.zip(with_class) {
                    *to = x - origin;
                    *sum += *to;
                    *of_class += *to;
                }
                part.label_sums[class] += 1.0;
                part.label_power += 1.0;
            }
            Label::Targets(targets) => {
                for (((to, x), origin), sum) in deviations {
                    *to = x - origin;
                    *sum += *to;
                }
                for (at, target) in targets.iter().enumerate() {
                    let sums = part.with_labels.col_as_slice_mut(at);
                    sums.iter_mut().zip(&*block).for_each(|(sum, x)| *sum += target * x);
                    part.label_sums[at] += target;
                    part.label_power += target * target;
                }
            }
        }
        part.waiting += 1;
        if part.waiting == RowGram::depth(size) {
            part.flush();
        }
    }

    /// The moments of all rows, of those for fitting, and of those kept apart.
    pub(super) fn moments(&mut self) -> [SampleMoments; 3] {
        self.parts.iter_mut().for_each(Part::flush);
        let [fitted, tried] = &self.parts;
        let of = |parts: &[&Part]| SampleMoments::of(parts, &self.origin);
        [of(&[fitted, tried]), of(&[fitted]), of(&[tried])]
    }
}

impl Part {
    fn flush(&mut self) {
        let Self { gram, sums, block, waiting, .. } = self;
        let rows = Rows { values: block.col_as_slice(0), width: sums.nrows(), classes: &[] };
        gram.add(&rows, 0..*waiting);
        *waiting = 0;
    }
}

impl SampleMoments {
    /// Of the sums of deviations from an origin.
    fn of(parts: &[&Part], origin: &[f64]) -> Self {
        let samples: u64 = parts.iter().map(|part| part.rows).sum();
        let share = 1.0 / samples.max(1) as f64;
        // An empty part has no mean.
        let there = if samples > 0 { 1.0 } else { 0.0 };
        let (size, labels) = (origin.len(), parts.first().map_or(0, |part| part.label_sums.len()));
        let sum = |of: fn(&Part) -> &Mat<f64>, i: usize, j: usize| {
            parts.iter().map(|part| of(part)[(i, j)]).sum::<f64>() * share
        };
        let deviation: Vec<f64> = (0..size).map(|i| sum(|part| &part.sums, i, 0)).collect();
        let label_mean =
            Mat::from_fn(labels, 1, |i, _| parts.iter().map(|part| part.label_sums[i]).sum::<f64>() * share);
        Self {
            samples,
            second: Mat::from_fn(size, size, |i, j| {
                let mixed = origin[i] * deviation[j] + deviation[i] * origin[j];
                let products = parts.iter().map(|part| part.gram.entry(i, j)).sum::<f64>() * share;
                products + (mixed + there * origin[i] * origin[j])
            }),
            mean: Mat::from_fn(size, 1, |i, _| there * origin[i] + deviation[i]),
            labels: Mat::from_fn(size, labels, |i, j| {
                sum(|part| &part.with_labels, i, j) + origin[i] * label_mean[(j, 0)]
            }),
            label_mean,
            // A division: n/n is 1. Of no rows it is of no consequence.
            label_power: match samples {
                0 => 1.0,
                _ => parts.iter().map(|part| part.label_power).sum::<f64>() / samples as f64,
            },
        }
    }
}
