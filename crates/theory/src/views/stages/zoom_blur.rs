//! `zoom-blur`: the mean of the image and of its zooms by several factors.
//!
//! A fixed map, `(I + Σ_z Z_z)/(m + 1)` of m zooms: a sum of Kronecker products with sparse
//! factors, kept as one sparse map of a channel's pixels. Source: `views.md`, sections 3, 5 and 10.

use super::operator::{Axis, Map, Mixture, check_count};
use super::zoom::zoom;
use super::{Bounds, Fault, Key, Kind, Severities, Shape, Spec, Stage, Takes, Unless, Value};

/// Images blurred by zooming.
pub static ZOOM_BLUR: Kind = Kind {
    name: "zoom-blur",
    help: "the mean of the image and of its zooms; fixed, not random",
    keys: &[Key {
        name: "factors",
        takes: Takes::List(Bounds::POSITIVE),
        unless: Unless::Required,
        help: "the factors of the zooms",
    }],
    build,
    severity: Some(severity),
};

/// The factors of `zoom_blur`, ends and steps of `np.arange(1, end, step)`.
fn severity(table: Severities, severity: usize, _: Shape) -> Vec<(&'static str, Value)> {
    let ranges = match table {
        Severities::ImageNet => [(1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)],
        Severities::Cifar => [(1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)],
    };
    let (end, step) = ranges[severity.clamp(1, 5) - 1];
    vec![("factors", Value::List(arange(end, step)))]
}

/// NumPy's `arange(1, end, step)`, rounding and all: so many as ⌈(end − 1)/step⌉, which reaches the
/// end itself where the quotient is rounded up, at multiples of the first difference.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
fn arange(end: f64, step: f64) -> Vec<f64> {
    let (count, difference) = (((end - 1.0) / step).ceil() as usize, (1.0 + step) - 1.0);
    (0..count).map(|i| 1.0 + i as f64 * difference).collect()
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let (axis, factors) = (Axis::pixels(shape), spec.list("factors"));
    check_count("factors", factors.len(), axis)?;
    let share = 1.0 / (factors.len() + 1) as f64;
    let zooms: Vec<_> = factors.iter().map(|&by| (zoom(shape.rows, by), zoom(shape.columns, by))).collect();
    let map = Map::new((0..axis.size()).map(|pixel| {
        let zoomed = zooms.iter().flat_map(move |(rows, columns)| {
            rows.row(pixel / shape.columns).flat_map(move |(row, of_row)| {
                let across = columns.row(pixel % shape.columns);
                across.map(move |(column, weight)| (row * shape.columns + column, share * (of_row * weight)))
            })
        });
        std::iter::once((pixel, share)).chain(zoomed)
    }));
    Ok(Box::new(Mixture::only(axis, map)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_have_as_many_zooms_as_numpy_makes() {
        let shape = Shape { channels: 1, rows: 28, columns: 28 };
        let factors = |table, at| match &severity(table, at, shape)[..] {
            [("factors", Value::List(factors))] => factors.clone(),
            other => panic!("{other:?}"),
        };
        // NumPy 2.4: len(np.arange(1, 1.11, .01)) is 12, not 11, and so on.
        let counts = |table| [1, 2, 3, 4, 5].map(|at| factors(table, at).len());
        assert_eq!(counts(Severities::ImageNet), [12, 16, 11, 13, 11]);
        assert_eq!(counts(Severities::Cifar), [7, 12, 16, 21, 26]);
        // Its last ones to the bit.
        let last = |table, at| factors(table, at).last().copied().unwrap();
        assert_eq!(last(Severities::ImageNet, 1).to_bits(), 1.11_f64.to_bits());
        assert_eq!(last(Severities::ImageNet, 5).to_bits(), 1.300_000_000_000_000_3_f64.to_bits());
        assert_eq!(last(Severities::Cifar, 4).to_bits(), 1.200_000_000_000_000_2_f64.to_bits());
    }
}
