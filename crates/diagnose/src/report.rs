//! What comes of a question.

use faer::Mat;

use crate::{Answer, Change, DecidedBy, Finding, Warning};

/// A number with the half width of its 95 % interval, where it has one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Half the width of the interval; `None` where none is given.
    pub half: Option<f64>,
}

impl Estimate {
    /// The lower end.
    #[must_use]
    pub fn low(&self) -> Option<f64> {
        self.half.map(|half| self.value - half)
    }

    /// The upper end.
    #[must_use]
    pub fn high(&self) -> Option<f64> {
        self.half.map(|half| self.value + half)
    }
}

/// A quantity of both paradigms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Of each, in the order of [`PARADIGMS`](crate::PARADIGMS).
    pub each: [Estimate; 2],
    /// Joint-embedding less reconstruction, within folds.
    pub difference: Estimate,
}

/// The answer with the numbers behind it.
#[derive(Clone, Debug)]
pub struct Diagnosis {
    /// The answer, about the views as given.
    pub answer: Answer,
    /// What it rests on.
    pub decided_by: DecidedBy,
    /// m: pairs, groups or batches that were used.
    pub items: usize,
    /// N: rows that were used, of repeats both of each pair.
    pub rows: usize,
    /// Features that the paradigms see: d, or the principal components.
    pub features: usize,
    /// k.
    pub dimension: usize,
    /// Where k comes from.
    pub dimension_from: DimensionFrom,
    /// α of the answer.
    pub alignment_used: f64,
    /// Share of the clean signal's variance that is kept, at this n: at most 1; below 0 it is worse
    /// than nothing.
    pub kept: Compared,
    /// Share of the representation's variance that is noise.
    pub leakage: Compared,
    /// The held-out probe, with labels.
    pub probe: Option<Probe>,
    /// From k − 2 to k + 4, those that exist.
    pub by_dimension: Vec<AtDimension>,
    /// At the alignments that were asked for and the one of the answer, ascending; empty if none
    /// were asked for.
    pub by_alignment: Vec<AtAlignment>,
    /// The best alignment of each paradigm; `None` if no alignments were asked for.
    pub best: Option<[Best; 2]>,
    /// What else there is to know.
    pub findings: Vec<Finding>,
    /// What would change the answer, the nearest first.
    pub changes: Vec<Change>,
    /// Assumptions that look violated.
    pub warnings: Vec<Warning>,
    /// The explanation; `None` if no alignments were asked for.
    pub model: Option<Model>,
    /// What is learnt from all rows.
    pub learnt: Learnt,
}

/// Where the dimension comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum DimensionFrom {
    /// The question.
    Given,
    /// The number of eigenvalues of the whitened cross moment above what permuted pairs have.
    Permutation {
        /// The eigenvalues, descending.
        values: Vec<f64>,
        /// The 95 % point of the largest eigenvalue of permuted pairs.
        bound: f64,
    },
}

/// The held-out ridge probe of labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// Mean squared loss, of one-hot labels or of targets.
    pub loss: Compared,
    /// Share of rows whose class is found; `None` of targets.
    pub accuracy: Option<Compared>,
}

/// The comparison at another dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtDimension {
    /// k.
    pub dimension: usize,
    /// Kept.
    pub kept: Compared,
    /// Leakage.
    pub leakage: Compared,
    /// What the rule says there; at k it is the answer itself.
    pub answer: Answer,
}

/// The comparison at another alignment, from one set of ten folds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtAlignment {
    /// α.
    pub alignment: f64,
    /// Kept, cross-fitted.
    pub kept: Compared,
    /// Leakage, cross-fitted.
    pub leakage: Compared,
    /// What the rule says there, of the folds of one repetition and without labels.
    pub answer: Answer,
    /// Kept of the maps that are trained on all rows, as the model learnt from the same rows says:
    /// biased, for explanation only.
    pub plug_in_kept: [f64; 2],
    /// Leakage of the same kind.
    pub plug_in_leakage: [f64; 2],
}

/// The alignment that serves a paradigm best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// The α of the largest kept, among those that were asked for.
    pub alignment: f64,
    /// The least and the largest α whose kept is not surely below the best: the interval of the
    /// difference, within folds, reaches 0.
    pub range: [f64; 2],
    /// Kept there.
    pub kept: Estimate,
    /// By how much that is more than at the α of the answer, within folds.
    pub gain: Estimate,
}

/// The model of the data that is learnt from all rows, in the features that the paradigms see: an
/// explanation.
#[derive(Clone, Debug)]
pub struct Model {
    /// Eigenvalues of Ĉ₀, descending; estimates may be below zero.
    pub signal: Vec<f64>,
    /// Eigenvalues of Γ̂, descending.
    pub noise: Vec<f64>,
    /// Eigenvalues of Σ = S − G at the α of the answer, descending.
    pub views: Vec<f64>,
    /// L_min: the least leakage that any map to k dimensions has, in the model.
    pub least_leakage: f64,
    /// From which α on each paradigm leaks less than half a component more than that.
    pub limits: [Limit; 2],
}

/// A threshold of the model, among the alignments that were asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Below every α.
    Always,
    /// From this α on.
    From(f64),
    /// Above every α.
    Never,
}

/// What is learnt from all rows.
#[derive(Clone, Debug)]
pub struct Learnt {
    /// μ (d): encoders take `x − μ`.
    pub mean: Vec<f64>,
    /// V of each paradigm (d × k), at the α of the answer: the representation `Vᵀ(x − μ)` has unit
    /// covariance.
    pub encoders: [Mat<f64>; 2],
    /// C (d × d).
    pub inputs: Mat<f64>,
    /// Ĉ₀ (d × d).
    pub signal: Mat<f64>,
    /// Γ̂ (d × d).
    pub noise: Mat<f64>,
    /// G, S and C of the views at the α of the answer, in the features that the paradigms see.
    pub views: crate::ViewMoments,
}
