//! `zoom`: the image is magnified about its centre by one of several factors.
//!
//! Pixel i of n comes from `(i − c)/z + c` with c = (n − 1)/2, bilinearly, with zeros outside.
//! Source: `views.md`, sections 3 and 10.

use super::operator::{Axis, Map, check_count, one_of};
use super::separable::separable;
use super::{Bounds, Fault, Key, Kind, Shape, Spec, Stage, Takes, Unless};

/// Images magnified at random.
pub static ZOOM: Kind = Kind {
    name: "zoom",
    help: "the image is magnified about its centre by one of several factors",
    keys: &[
        Key {
            name: "factors",
            takes: Takes::List(Bounds::POSITIVE),
            unless: Unless::Required,
            help: "the factors; below 1 the image shrinks, with zeros around it",
        },
        Key {
            name: "weights",
            takes: Takes::List(Bounds::NOT_NEGATIVE),
            unless: Unless::Absent("all alike"),
            help: "how likely each factor is, relative to the others",
        },
    ],
    build,
    severity: None,
};

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let factors = spec.list("factors");
    check_count("factors", factors.len(), Axis::pixels(shape))?;
    let zooms = factors.iter().map(|&by| separable(shape, zoom(shape.rows, by), zoom(shape.columns, by)));
    one_of(zooms.collect(), spec.list("weights"))
}

/// The zoom along an axis.
pub(super) fn zoom(size: usize, factor: f64) -> Map {
    let centre = (size - 1) as f64 / 2.0;
    Map::interpolating(size, (0..size).map(|place| (place as f64 - centre) / factor + centre))
}
