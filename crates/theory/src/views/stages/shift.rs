//! `shift`: the image is moved by so many rows and columns, uniformly and independently.
//!
//! A mixture of the shifts of the rows, then one of the shifts of the columns. Source: `views.md`,
//! sections 3 and 5.

use super::combine::shares;
use super::operator::{Axis, Map, Mixture, check_count};
use super::{Bounds, Chain, Fault, Key, Kind, Shape, Spec, Stage, Takes, Unless};

/// Images moved at random.
pub static SHIFT: Kind = Kind {
    name: "shift",
    help: "the image is moved by up to so many rows and columns, each distance as likely",
    keys: &[
        Key {
            name: "rows",
            takes: Takes::Number(Bounds::COUNT),
            unless: Unless::Number(0.0),
            help: "most rows that it is moved by, up or down",
        },
        Key {
            name: "columns",
            takes: Takes::Number(Bounds::COUNT),
            unless: Unless::Number(0.0),
            help: "most columns that it is moved by, left or right",
        },
        Key {
            name: "padding",
            takes: Takes::Word(&["zero", "wrap", "edge"]),
            unless: Unless::Word("zero"),
            help: "what comes in at the border: zeros, the other side, or the outermost pixels again",
        },
    ],
    build,
    severity: None,
};

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    if spec.value("rows").is_none() && spec.value("columns").is_none() {
        return Err(Fault::new("", "neither `rows` nor `columns` is given", "give one of them, or both"));
    }
    let mut stages: Vec<Box<dyn Stage>> = Vec::new();
    for (key, axis) in [("rows", Axis::rows(shape)), ("columns", Axis::columns(shape))] {
        let (most, size) = (spec.count(key), axis.size());
        if most >= size {
            let message = format!("a shift by {most} moves all of an image with {size} {key} out of it");
            return Err(Fault::new(key, message, format!("`{key}` must be below {size}")));
        }
        if most > 0 {
            let count = 2 * most + 1;
            check_count(key, count, axis)?;
            let maps = (0..count).map(|to| shift(size, most, to, spec.word("padding"))).collect();
            stages.push(Box::new(Mixture::new(axis, maps, shares(&[], count)?)));
        }
    }
    Ok(Box::new(Chain { stages }))
}

/// The shift by `to − most` places.
fn shift(size: usize, most: usize, to: usize, padding: &str) -> Map {
    Map::new((0..size).map(|place| {
        // The source is `ahead − size`, with −size < source < 2 size.
        let ahead = place + size + most - to;
        let source = match padding {
            "wrap" => Some(ahead % size),
            "edge" => Some(ahead.saturating_sub(size).min(size - 1)),
            _zero => ahead.checked_sub(size).filter(|source| *source < size),
        };
        source.map(|source| (source, 1.0))
    }))
}
