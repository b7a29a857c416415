//! `blur`: the image is smoothed with a Gaussian of one of several widths.
//!
//! Weights `exp(−k²/2σ²)` for |k| ≤ ⌈4σ⌉, normalized, along the rows and along the columns; a width
//! of 0 leaves the image as it is. Source: `views.md`, sections 3, 5 and 10.

use super::operator::{Axis, Map, check_count, one_of};
use super::separable::separable;
use super::{Bounds, Fault, Key, Kind, Severities, Shape, Spec, Stage, Takes, Unless, Value};

/// Images smoothed at random.
pub static BLUR: Kind = Kind {
    name: "blur",
    help: "the image is smoothed with a Gaussian of one of several widths",
    keys: &[
        Key {
            name: "widths",
            takes: Takes::List(Bounds::NOT_NEGATIVE),
            unless: Unless::Required,
            help: "standard deviations in pixels",
        },
        Key {
            name: "weights",
            takes: Takes::List(Bounds::NOT_NEGATIVE),
            unless: Unless::Absent("all alike"),
            help: "how likely each width is, relative to the others",
        },
        Key {
            name: "padding",
            takes: Takes::Word(&["reflect", "wrap", "edge", "zero"]),
            unless: Unless::Word("reflect"),
            help: "what is beyond the border: the mirrored image (`d c b a | a b c d`), the other side, \
                   the outermost pixels again, or zeros",
        },
    ],
    build,
    severity: Some(severity),
};

/// The widths of `gaussian_blur`, of the longer side of an image: they are pixels of 224 in
/// ImageNet-C and of 32 in CIFAR-C. Scaled by the side, a severity smooths the same share of a
/// picture whatever its resolution.
fn severity(table: Severities, severity: usize, shape: Shape) -> Vec<(&'static str, Value)> {
    let (widths, side) = match table {
        Severities::ImageNet => ([1.0, 2.0, 3.0, 4.0, 6.0], 224.0),
        Severities::Cifar => ([0.4, 0.6, 0.7, 0.8, 1.0], 32.0),
    };
    let longer = shape.rows.max(shape.columns) as f64;
    vec![("widths", Value::List(vec![widths[severity.clamp(1, 5) - 1] * longer / side]))]
}

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let (widths, padding) = (spec.list("widths"), spec.word("padding"));
    check_count("widths", widths.len(), Axis::pixels(shape))?;
    let longer = shape.rows.max(shape.columns) as f64;
    let blurs = widths.iter().map(|&width| {
        if width > longer {
            let message = format!("a width of {width} pixels in an image of {longer}");
            return Err(Fault::new("widths", message, format!("a width is at most {longer}")));
        }
        Ok(separable(shape, blur(shape.rows, width, padding), blur(shape.columns, width, padding)))
    });
    one_of(blurs.collect::<Result<_, _>>()?, spec.list("weights"))
}

/// The blur along an axis.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most four images wide")]
fn blur(size: usize, width: f64, padding: &str) -> Map {
    let radius = (4.0 * width).ceil() as usize;
    let bell = |k: f64| if width > 0.0 { (-k * k / (2.0 * width * width)).exp() } else { 1.0 };
    let bell: Vec<f64> = (0..=2 * radius).map(|at| bell(at as f64 - radius as f64)).collect();
    let sum: f64 = bell.iter().sum();
    // Places ahead of the image, so many images that every source is above 0.
    let shift = radius.div_ceil(2 * size) * 2 * size;
    Map::new((0..size).map(|place| {
        let entries = bell.iter().enumerate().filter_map(|(at, weight)| {
            let ahead = place + shift + at - radius;
            let source = match padding {
                "reflect" => Some(ahead % (2 * size)).map(|at| at.min(2 * size - 1 - at)),
                "wrap" => Some(ahead % size),
                "edge" => Some(ahead.saturating_sub(shift).min(size - 1)),
                _zero => ahead.checked_sub(shift).filter(|source| *source < size),
            };
            source.map(|source| (source, weight / sum))
        });
        entries.collect::<Vec<_>>()
    }))
}
