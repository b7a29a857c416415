//! `distance`: |loss_clean − loss_corrupted|.

use super::{Asked, Better, Formula, LOSS_CLEAN, LOSS_CORRUPTED, Metric};

/// |loss_clean − loss_corrupted|.
pub static DISTANCE: Metric = Metric {
    name: "distance",
    title: "|clean − corrupted| loss",
    help: "|loss_clean − loss_corrupted|",
    better: Better::Smaller("closer", "closest"),
    asked: Asked::ByDefault,
    of: Formula::Derived {
        from: &[&LOSS_CLEAN, &LOSS_CORRUPTED],
        of: |losses| (losses[0] - losses[1]).abs(),
    },
};
