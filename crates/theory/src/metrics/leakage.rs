//! `leakage`: share of the representation's variance that is irrelevant noise.

use super::{Asked, Better, Formula, Metric};

/// Share of the representation's variance that is irrelevant noise.
pub static LEAKAGE: Metric = Metric {
    name: "leakage",
    title: "leakage",
    help: "share of the representation's variance that is irrelevant noise",
    better: Better::Smaller("purer", "purest"),
    asked: Asked::ByDefault,
    of: Formula::RowSpace(|workspace, basis, population| workspace.of(basis, population)),
};
