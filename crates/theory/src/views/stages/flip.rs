//! `flip`: the image is mirrored with a probability.
//!
//! A mixture of two permutations. Source: `views.md`, section 3.

use super::operator::{Axis, Map, Mixture};
use super::{Bounds, Fault, Key, Kind, Shape, Spec, Stage, Takes, Unless};

/// Images mirrored at random.
pub static FLIP: Kind = Kind {
    name: "flip",
    help: "the image is mirrored with a probability",
    keys: &[
        Key {
            name: "axis",
            takes: Takes::Word(&["rows", "columns"]),
            unless: Unless::Required,
            help: "what is put in reverse order: `rows` exchanges top and bottom, `columns` left and right",
        },
        Key {
            name: "probability",
            takes: Takes::Number(Bounds::SHARE),
            unless: Unless::Number(0.5),
            help: "of being mirrored",
        },
    ],
    build,
    severity: None,
};

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let key = spec.word("axis");
    let axis = if key == "rows" { Axis::rows(shape) } else { Axis::columns(shape) };
    let size = axis.size();
    if size < 2 {
        let message = format!("samples have {size} of `{key}`: nothing to reverse");
        return Err(Fault::new("axis", message, "flip the other axis, or say which shape samples have"));
    }
    let as_it_is = Map::new((0..size).map(|place| [(place, 1.0)]));
    let mirrored = Map::new((0..size).map(|place| [(size - 1 - place, 1.0)]));
    let probability = spec.number("probability");
    let shares = vec![1.0 - probability, probability];
    Ok(Box::new(Mixture::new(axis, vec![as_it_is, mirrored], shares)))
}
