//! `crop`: a box of the image at a uniform place, resized to the whole image.
//!
//! The place's row and column are independent: a mixture of maps of the rows, then one of maps of
//! the columns. Pixel i of n comes from `o + (i + ½) s/n − ½` of a box \[o, o + s), bilinearly,
//! clamped to the box. Source: `views.md`, sections 3, 5 and 10.

use super::combine::shares;
use super::operator::{Axis, Map, Mixture, check_count, one_of};
use super::{Bounds, Chain, Fault, Key, Kind, Shape, Spec, Stage, Takes, Unless};

/// Random boxes of images.
pub static CROP: Kind = Kind {
    name: "crop",
    help: "a box of the image, at a place that is uniform in it, is resized to the whole image",
    keys: &[
        Key {
            name: "sizes",
            takes: Takes::Pairs(Bounds::SIZE),
            unless: Unless::Required,
            help: "rows and columns of the box; one of these",
        },
        Key {
            name: "weights",
            takes: Takes::List(Bounds::NOT_NEGATIVE),
            unless: Unless::Absent("all alike"),
            help: "how likely each size is, relative to the others",
        },
    ],
    build,
    severity: None,
};

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let sizes = spec.matrix("sizes").filter(|sizes| sizes.ncols() == 2).map(|sizes| {
        let of = |column: usize| sizes.col(column).iter().copied();
        of(0).zip(of(1)).collect::<Vec<_>>()
    });
    let sizes = sizes.unwrap_or_default();
    check_count("sizes", sizes.len(), Axis::pixels(shape))?;
    let crops = sizes.into_iter().map(|(rows, columns)| {
        if rows > shape.rows as f64 || columns > shape.columns as f64 {
            let (of, by) = (shape.rows, shape.columns);
            let message = format!("a box of {rows} × {columns} in an image of {of} × {by}");
            return Err(Fault::new("sizes", message, format!("a box is at most [{of}, {by}]")));
        }
        let stages = [along(Axis::rows(shape), rows)?, along(Axis::columns(shape), columns)?];
        Ok(Box::new(Chain { stages: stages.into() }) as Box<dyn Stage>)
    });
    one_of(crops.collect::<Result<_, _>>()?, spec.list("weights"))
}

/// A box of so many places along an axis.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, at least 1")]
fn along(axis: Axis, length: f64) -> Result<Box<dyn Stage>, Fault> {
    let size = axis.size();
    let count = size - (length as usize).min(size) + 1;
    check_count("sizes", count, axis)?;
    let map = |first: f64| {
        let source = |i: usize| {
            (first + (i as f64 + 0.5) * length / size as f64 - 0.5).clamp(first, first + length - 1.0)
        };
        Map::interpolating(size, (0..size).map(source))
    };
    let maps = (0..count).map(|first| map(first as f64)).collect();
    Ok(Box::new(Mixture::new(axis, maps, shares(&[], count)?)))
}
