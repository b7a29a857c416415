//! `rotate`: the image is turned about its centre by one of several angles.
//!
//! With pixel centres at integers and the centre at ((h − 1)/2, (w − 1)/2), a pixel comes from
//! where the turn takes it from, bilinearly, with zeros outside. Source: `views.md`, sections 3, 5
//! and 10.

use super::combine::shares;
use super::operator::{Axis, Map, Mixture, check_count, interpolate};
use super::{Bounds, Fault, Key, Kind, Shape, Spec, Stage, Takes, Unless};

/// Images turned at random.
pub static ROTATE: Kind = Kind {
    name: "rotate",
    help: "the image is turned about its centre by one of several angles",
    keys: &[
        Key {
            name: "degrees",
            takes: Takes::List(Bounds::FINITE),
            unless: Unless::Required,
            help: "the angles, counter-clockwise",
        },
        Key {
            name: "weights",
            takes: Takes::List(Bounds::NOT_NEGATIVE),
            unless: Unless::Absent("all alike"),
            help: "how likely each angle is, relative to the others",
        },
    ],
    build,
    severity: None,
};

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    if shape.rows < 2 || shape.columns < 2 {
        let message = format!("samples of {} × {} are no images to turn", shape.rows, shape.columns);
        return Err(Fault::new("", message, "leave the stage out, or say which shape samples have"));
    }
    let (axis, degrees) = (Axis::pixels(shape), spec.list("degrees"));
    check_count("degrees", degrees.len(), axis)?;
    let shares = shares(spec.list("weights"), degrees.len())?;
    let maps = degrees.iter().map(|degrees| rotation(shape, *degrees)).collect();
    Ok(Box::new(Mixture::new(axis, maps, shares)))
}

fn rotation(shape: Shape, degrees: f64) -> Map {
    let (rows, columns) = (shape.rows, shape.columns);
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (row_centre, column_centre) = ((rows - 1) as f64 / 2.0, (columns - 1) as f64 / 2.0);
    Map::new((0..rows * columns).map(|pixel| {
        let (down, across) =
            ((pixel / columns) as f64 - row_centre, (pixel % columns) as f64 - column_centre);
        let row = row_centre + cosine * down + sine * across;
        let column = column_centre - sine * down + cosine * across;
        let across = interpolate(columns, column);
        interpolate(rows, row).flat_map(move |(row, of_row)| {
            across.clone().map(move |(column, weight)| (row * columns + column, of_row * weight))
        })
    }))
}
