//! `rank`: rank of S, the second moment of the views.
//!
//! As many dimensions as a representation can have: k above it is no problem (status
//! `dimension-above-rank`). d unless there are fewer samples than inputs, or inputs that are zero
//! or linear in others, and views that add no noise to them.

use super::{Asked, Better, Formula, Metric};

/// Rank of S, the second moment of the views.
pub static RANK: Metric = Metric {
    name: "rank",
    title: "rank of S",
    help: "rank of the views' second moment S: the most dimensions that a representation can have",
    better: Better::Neither,
    asked: Asked::WithStages,
    of: Formula::Views(|rank, _| rank as f64),
};
