//! Which paradigm for *these* data and views: joint-embedding or reconstruction?
//!
//! The covariance of what is irrelevant is unknown in practice, but it can be learnt from repeated
//! [`Measurements`]. The answer is a *held-out comparison*: both paradigms are trained on the training
//! folds' rows, and repeats of items that they have not seen say
//!
//! - **kept**, the share of the clean signal's variance that the representation predicts, measured by
//!   predicting the repeat: *at this n*, of maps that are fitted on so many items;
//! - **leakage**, the share of the representation's variance that is noise: one minus the mean
//!   reliability of its directions.
//!
//! A model of the data (spectra, thresholds, curves) is computed beside it, and explains; it never
//! answers, since what is learnt of noise looks cleaner in the same sample than it is.
//!
//! # Notation
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | x | `rows` | d | a measurement |
//! | m | `items` | | items: pairs, groups of repeats, or batches; folds are over them |
//! | μ | `mean` | d | of the training rows |
//! | C | `inputs` | d × d | covariance of the training rows about μ |
//! | Γ̂ | `noise` | d × d | covariance of the noise, unbiased |
//! | Ĉ₀ | `signal` | d × d | covariance of the clean signal, unbiased, perhaps indefinite |
//! | G, S, C | `mean_views`, `views`, `cross` | d × d | moments of the views, as in `theory` |
//! | k | `dimension` | | dimension of the representation |
//! | V | `basis` | d × k | the encoder, with `VᵀCV = I` on the training rows |
//! | M | | k × d | `VᵀĈ₀`, the map that predicts a clean input from a representation |
//! | K, J | | | folds (10), and folds over all repetitions (30) |
//!
//! # Method
//!
//! Everything held out is a function of second moments. With C′, Γ′ and Ĉ₀′ those of a fold's held-out
//! items about the *training* mean,
//!
//! - `leakage = tr(VᵀΓ′V) / tr(VᵀC′V)`,
//! - `kept = (2 tr(MᵀVᵀĈ₀′) − tr(MᵀVᵀC′VM)) / tr Ĉ₀′`.
//!
//! Sums of squares within and between items are all that a fold reads of its rows. Intervals are
//! Nadeau and Bengio's over 10 folds × 3 repetitions, of leakage the wider of that and of its influence
//! function over items; differences are taken within folds, which all paradigms, alignments and
//! dimensions share.
//!
//! Source: section 3 of this project's specification of statistics. C. Nadeau and Y. Bengio, *Inference
//! for the generalization error* (2003); S. R. Searle, G. Casella and C. E. McCulloch, *Variance
//! components* (1992); P. E. Shrout and J. L. Fleiss, *Intraclass correlations* (1979).
//!
//! The crate is called by the program and by the Python package. It knows nothing of files, jobs or
//! arguments. Answers do not depend on the number of threads, and up to 2048 features not on the
//! processor.

mod decision;
mod error;
mod measurements;
mod report;
mod tasks;
mod views;
mod warning;

pub use decision::{Answer, Change, DecidedBy, Finding};
pub use error::{DiagnoseError, Needs};
pub use measurements::{Labels, Measurements};
pub use report::{
    AtAlignment, AtDimension, Best, Compared, Diagnosis, DimensionFrom, Estimate, Learnt, Limit, Model, Probe,
};
pub use tasks::Run;
pub use views::{AtAnyAlignment, Fault, Training, ViewMoments, Views, ViewsOfRows};
pub use warning::Warning;

use eigensweep_theory::Paradigm;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};

/// What is compared, in the order of every pair of numbers here.
pub static PARADIGMS: [&Paradigm; 2] = [&JOINT_EMBEDDING, &RECONSTRUCTION];

/// The alignments that the best one is looked for among.
pub const ALIGNMENTS: [f64; 10] = [0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0];

/// Folds, of fewer items one each.
pub const FOLDS: usize = 10;

/// How many times items are dealt to folds.
pub const REPETITIONS: usize = 3;

/// ε: a difference counts from here on.
pub const MARGIN: f64 = 0.02;

/// c: a difference that is surely below is no difference.
pub const CLOSE: f64 = 0.05;

/// Fewest pairs that get an interval; and twice the dimension.
pub const LEAST_PAIRS: usize = 50;

/// Fewest batches that get an interval.
pub const LEAST_BATCHES: usize = 16;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// What was measured.
    pub measurements: Measurements<'a>,
    /// The views.
    pub views: Views<'a>,
    /// Labels of the rows, which decide where the answer depends on what is wanted.
    pub labels: Option<Labels<'a>>,
    /// k; by permutation of pairs if `None`.
    pub dimension: Option<usize>,
    /// α of the views as given; [`Views::alignment`] if `None`.
    pub alignment: Option<f64>,
    /// Alignments that the best one is looked for among: [`ALIGNMENTS`] as a rule, none for the answer
    /// alone.
    pub alignments: &'a [f64],
    /// Principal components that are kept, fitted inside each fold; all features if `None`.
    pub components: Option<usize>,
    /// Whether features are divided by their standard deviations, inside each fold.
    pub standardize: bool,
}

impl<'a> Question<'a> {
    /// Which paradigm for these measurements and views, with every default.
    #[must_use]
    pub fn new(measurements: Measurements<'a>, views: Views<'a>) -> Self {
        Self {
            measurements,
            views,
            labels: None,
            dimension: None,
            alignment: None,
            alignments: &ALIGNMENTS,
            components: None,
            standardize: false,
        }
    }
}

/// Answers a question.
///
/// Cost: N d² flops for each of 4 passes over the N rows; two pencils, ≈ 6 d³ flops, for each of 30 folds
/// and 10 more alignments of ten folds; of the permutations, if k is not given, 60 (m d² + 5 d³). Memory:
/// some 15 matrices of d × d a thread.
///
/// # Errors
///
/// [`DiagnoseError`] says what is wrong with the input, and where; or that the run was stopped.
pub fn diagnose(question: &Question<'_>, run: &Run<'_>) -> Result<Diagnosis, DiagnoseError> {
    todo!()
}
