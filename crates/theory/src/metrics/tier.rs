//! `tier`: what the moments of the views were computed from.
//!
//! 1: exact in moments; 2: exact a sample; 3: sampled, so many views of each sample
//! ([`Tier`](crate::views::stages::Tier)).

use super::{Asked, Better, Formula, Metric};
use crate::views::stages::Tier;

/// What the moments of the views were computed from: 1, 2 or 3.
pub static TIER: Metric = Metric {
    name: "tier",
    title: "tier of the views",
    help: "how the views' moments were found: 1 exact in moments, 2 exact a sample, 3 sampled (m views a row)",
    better: Better::Neither,
    asked: Asked::WithStages,
    of: Formula::Views(|_, tier| match tier {
        Tier::Moments => 1.0,
        Tier::Entries => 2.0,
        Tier::Sampled => 3.0,
    }),
};
