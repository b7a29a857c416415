//! The paradigms: one file each, and one line in [`ALL`].
//!
//! A file has a theorem: its general form, which answers for any moments, and if there are any its
//! form in lanes, which answers many problems at a time where S is safely definite, and its scaled
//! form, which answers for additive views many times as fast. Who calls them knows no paradigm by
//! name.

mod joint_embedding;
mod reconstruction;
mod supervised;

use std::fmt;

use eigensweep_spectral::Failure;
use eigensweep_spectral::general::{self, GeneralBatch};
use eigensweep_spectral::scaled::{ScaledBatch, Wanted};
use faer::MatMut;

pub use joint_embedding::JOINT_EMBEDDING;
pub use reconstruction::RECONSTRUCTION;
pub use supervised::SUPERVISED;

use crate::additive::BlockedSolver;
use crate::closed_forms::{ClosedForms, Solution};
use crate::finite::{Crossing, Pair};
use crate::moments::Moments;
use crate::spectrum::Values;
use crate::thresholds::Thresholds;

/// All paradigms, in the order in which rows are written.
pub static ALL: [&Paradigm; 3] = [&SUPERVISED, &JOINT_EMBEDDING, &RECONSTRUCTION];

/// A way to learn from views that has a closed form.
pub struct Paradigm {
    /// The name in job files, columns and tables.
    pub name: &'static str,
    /// What it predicts, in a line, for the documentation.
    pub help: &'static str,
    /// Symbol of its encoder, or of its model of the labels.
    pub map: &'static str,
    /// The generalized eigenvalues that its representation is made of; `None` where it learns no
    /// representation.
    pub spectrum: Option<Pencil>,
    /// Its threshold on the alignment; `None` where it recovers at every α.
    pub threshold: Option<Limit>,
    /// Solves it for any moments, an encoder where it has a [`spectrum`](Self::spectrum), a
    /// predictor where it has none.
    pub(crate) solve: for<'f> fn(&'f mut ClosedForms, &Moments<'_>) -> Result<Solution<'f>, Failure>,
    /// Solves it many problems at a time; without it, the general form answers one by one.
    pub(crate) in_lanes: Option<InLanes>,
    /// Solves it faster where views are additive; without it, the general form answers there, too.
    pub(crate) scaled: Option<Scaled>,
}

/// A paradigm as a [dense problem](crate::general) in lanes.
pub(crate) struct InLanes {
    /// Asks lanes for what [`read`](Self::read) needs.
    pub(crate) wants: fn(&mut general::Wanted),
    /// Reads what lanes found of the problem at a place, an encoder with so many columns, by way of
    /// the buffers of the general form.
    pub(crate) read: for<'f> fn(
        &GeneralBatch,
        usize,
        usize,
        &'f mut ClosedForms,
        &Moments<'_>,
    ) -> Result<Solution<'f>, Failure>,
}

/// A threshold on the alignment, above which a paradigm recovers the clean model as n → ∞.
pub struct Limit {
    /// Symbol of the threshold α*.
    pub symbol: &'static str,
    /// What α* is called in JSON; α², signed, is called so with `_squared`.
    pub key: &'static str,
    /// α², signed, of the paper's thresholds.
    pub squared: fn(&Thresholds) -> f64,
    /// Where a signal component and a noise component cross, in a [finite sample](crate::finite).
    pub crossing: fn(&Pair) -> Crossing,
}

/// A paradigm as a [scaled symmetric problem](crate::additive): in lanes, and one problem at a
/// time.
pub(crate) struct Scaled {
    /// Asks lanes for what [`read`](Self::read) needs.
    pub(crate) wants: fn(&mut Wanted),
    /// Reads what lanes found.
    pub(crate) read: Read,
    /// Decomposes the problem that was prepared.
    pub(crate) decompose: fn(&mut BlockedSolver) -> Result<(), Failure>,
    /// The loss, from the power of the labels, at a dimension k; leaves `Σ^½ V` (d × k) in the
    /// solver's `basis`.
    pub(crate) loss: fn(&mut BlockedSolver, f64, usize) -> f64,
    /// The encoder; `None` where no representation is learned.
    pub(crate) encoder: Option<ScaledEncoder>,
}

/// Writes the loss of the problem at a place, with that power of the labels, at each of the
/// dimensions; returns its spectrum, descending.
pub(crate) type Read =
    for<'b> fn(&'b ScaledBatch, usize, f64, &[usize], &mut [f64]) -> Result<&'b [f64], Failure>;

/// The encoder of a scaled problem.
pub(crate) struct ScaledEncoder {
    /// What both ways find.
    pub(crate) values: Values,
    /// Writes the first columns of `Σ^½ V` of the problem at a place (d × k).
    pub(crate) basis: fn(&ScaledBatch, usize, MatMut<'_, f64>),
}

/// The pencil whose leading eigenvectors are the rows of an encoder.
pub struct Pencil {
    /// What its values are called: `eigenvalues` or `singular values`.
    pub name: &'static str,
    /// Their symbol.
    pub symbol: &'static str,
    /// The eigenvalue that a value stands for: the value itself, or the square of a singular value.
    pub eigenvalue: fn(f64) -> f64,
    /// The eigenvalue of a component in the population, where all moments are diagonal in one
    /// basis: of its second moment m and its second moment over the views s.
    pub population: fn(f64, f64) -> f64,
    /// The paradigm's objective at dimension k: of its first k values and of `tr(XᵀX)/n`.
    pub objective: fn(&[f64], f64) -> f64,
    /// Symbol of its decoder, if it has one.
    pub decoder: Option<&'static str>,
}

/// The paradigm of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Paradigm> {
    ALL.into_iter().find(|paradigm| paradigm.name == name)
}

told_by_name!(Paradigm);

impl fmt::Display for Paradigm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}
