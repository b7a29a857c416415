//! `[model]`: which paradigms are trained, and the dimension of their representations.

use eigensweep_theory::{Paradigm, paradigms};

use super::axis::Axis;
use super::data::{DIMENSION, DataSpec};
use super::read::TableReader;

/// What is trained.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// The paradigms, at least one, none twice, in canonical order.
    pub paradigms: Vec<&'static Paradigm>,
    /// k, the dimension of the representation.
    pub dimension: Axis<i64>,
}

/// Reads `[model]`; `data` is `None` if `[data]` could not be read, and then no default is asked of it.
pub(super) fn read(table: &mut TableReader<'_>, data: Option<&DataSpec>) -> Option<ModelSpec> {
    let paradigms = table.words("paradigms", &paradigms::ALL, |paradigm| paradigm.name);
    let dimension = if table.node("dimension").is_some() {
        table.wholes("dimension", DIMENSION, &[])
    } else {
        match data?.components() {
            Some(components) => match components.only() {
                Some(components) => Some(Axis::single(components)),
                None => missing(table, "data.components is an axis, so no single dimension follows from it"),
            },
            None => missing(table, "without data.components no dimension follows from the data"),
        }
    };
    Some(ModelSpec { paradigms: paradigms?, dimension: dimension? })
}

fn missing(table: &mut TableReader<'_>, why: &str) -> Option<Axis<i64>> {
    let place = table.source.place("model.dimension");
    let message = "`model.dimension` is needed".to_owned();
    let help = format!("{why}: set dimension, k, the number of features that each model learns");
    table.refuse(&place, message, "no dimension", help)
}
