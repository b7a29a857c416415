//! `pixelate`: every pixel becomes the mean of its cell.
//!
//! Of n pixels along an axis, pixel i is in cell ⌊i · cells/n⌋. A fixed map of the rows, then one
//! of the columns. Source: `views.md`, sections 3 and 10.

use super::operator::{Axis, Map};
use super::separable::separable;
use super::{Bounds, Fault, Key, Kind, Severities, Shape, Spec, Stage, Takes, Unless, Value};

/// Images of few cells.
pub static PIXELATE: Kind = Kind {
    name: "pixelate",
    help: "every pixel becomes the mean of its cell; fixed, not random",
    keys: &[Key {
        name: "cells",
        takes: Takes::Pair(Bounds::SIZE),
        unless: Unless::Required,
        help: "cells along the rows and along the columns",
    }],
    build,
    severity: Some(severity),
};

/// The shares of `pixelate`: so many cells of a side's pixels, rounded down, at least one.
fn severity(table: Severities, severity: usize, shape: Shape) -> Vec<(&'static str, Value)> {
    let shares = match table {
        Severities::ImageNet => [0.6, 0.5, 0.4, 0.3, 0.25],
        Severities::Cifar => [0.95, 0.9, 0.85, 0.75, 0.65],
    };
    let share = shares[severity.clamp(1, 5) - 1];
    let cells = [shape.rows, shape.columns].map(|size| (share * size as f64).floor().max(1.0));
    vec![("cells", Value::List(cells.into()))]
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let &[rows, columns] = spec.list("cells") else {
        let message = "`cells` must be two numbers";
        return Err(Fault::new("cells", message, "give cells along the rows and along the columns"));
    };
    if rows > shape.rows as f64 || columns > shape.columns as f64 {
        let (of, by) = (shape.rows, shape.columns);
        let message = format!("{rows} × {columns} cells in an image of {of} × {by} pixels");
        return Err(Fault::new("cells", message, format!("there are at most [{of}, {by}]")));
    }
    Ok(separable(shape, pixelate(Axis::rows(shape), rows), pixelate(Axis::columns(shape), columns)))
}

/// The means of cells along an axis.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, at most the size")]
fn pixelate(axis: Axis, cells: f64) -> Map {
    let (size, cells) = (axis.size(), cells as usize);
    let cell = |place: usize| place * cells / size;
    Map::new((0..size).map(|place| {
        let first = (cell(place) * size).div_ceil(cells);
        let end = ((cell(place) + 1) * size).div_ceil(cells);
        (first..end).map(move |other| (other, 1.0 / (end - first) as f64))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_of_28_pixels_have_16_to_7_cells() {
        let shape = Shape { channels: 1, rows: 28, columns: 28 };
        for (at, cells) in [(1, 16.0), (2, 14.0), (3, 11.0), (4, 8.0), (5, 7.0)] {
            let expected = vec![("cells", Value::List(vec![cells, cells]))];
            assert_eq!(severity(Severities::ImageNet, at, shape), expected);
        }
        let single = Shape { channels: 1, rows: 1, columns: 3 };
        assert_eq!(
            severity(Severities::ImageNet, 5, single),
            vec![("cells", Value::List(vec![1.0, 1.0]))],
            "never no cell"
        );
    }

    #[test]
    fn a_cell_is_the_pixels_that_the_quotient_puts_there() {
        let axis = Axis::columns(Shape::features(7));
        let map = pixelate(axis, 3.0);
        let cells: Vec<usize> = (0..7).map(|i| i * 3 / 7).collect();
        for place in 0..7 {
            let expected: Vec<usize> = (0..7).filter(|other| cells[*other] == cells[place]).collect();
            let row: Vec<_> = map.row(place).collect();
            assert_eq!(row.iter().map(|(at, _)| *at).collect::<Vec<_>>(), expected);
            assert!((row.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-15);
        }
    }
}
