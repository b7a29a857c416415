//! `illumination`: a random Gaussian field on the lowest cosine modes of each channel.
//!
//! Mode (u, v) of a channel of h × w pixels is the orthonormal DCT-II
//! `c_u(i) c_v(j)`, `c_u(i) = √((2 − [u = 0])/h) cos(πu(2i + 1)/2h)`. The modes are taken by
//! ascending frequency `u/h + v/w`, the constant one first, of equal frequencies the lower u first:
//! in triangles, ten modes being the whole of u + v ≤ 3 of a square. Amplitudes are independent and
//! all of one variance, `variance · h w / modes`, so that the mean variance of a feature is
//! `variance`.
//!
//! Source: `views.md`, sections 7 and 10; low-rank additive noise.

use std::f64::consts::PI;

use faer::Mat;

use super::additive::{Additive, Noise};
use super::{Bounds, Fault, Key, Kind, Shape, Spec, Stage, Takes, Unless};

/// Smooth random fields.
pub static ILLUMINATION: Kind = Kind {
    name: "illumination",
    help: "additive Gaussian fields on the lowest cosine modes of each channel",
    keys: &[
        Key {
            name: "modes",
            takes: Takes::Number(Bounds::SIZE),
            unless: Unless::Required,
            help: "cosine modes of a channel, by ascending frequency, the constant one included",
        },
        Key {
            name: "variance",
            takes: Takes::Number(Bounds::NOT_NEGATIVE),
            unless: Unless::Required,
            help: "of the field, on average over the features; the same for each mode",
        },
    ],
    build,
    severity: None,
};

fn build(spec: &Spec, shape: Shape) -> Result<Box<dyn Stage>, Fault> {
    let Shape { channels, rows, columns } = shape;
    let (modes, pixels) = (spec.count("modes"), rows * columns);
    if modes > pixels {
        let message = format!("{modes} modes of {pixels} pixels");
        return Err(Fault::new("modes", message, format!("a channel has {pixels} modes")));
    }
    // Whole numbers, so that equal frequencies are equal.
    let frequency = |&(u, v): &(usize, usize)| u * columns + v * rows;
    let mut order: Vec<_> = (0..rows).flat_map(|u| (0..columns).map(move |v| (u, v))).collect();
    order.sort_by_key(frequency);
    let scale = (spec.number("variance") * pixels as f64 / modes as f64).sqrt();
    let factor = Mat::from_fn(shape.size(), modes * channels, |i, mode| {
        let ((channel, pixel), (of, mode)) = ((i / pixels, i % pixels), (mode / modes, mode % modes));
        let (u, v) = order[mode];
        let same = f64::from(u8::from(channel == of));
        same * scale * cosine(u, pixel / columns, rows) * cosine(v, pixel % columns, columns)
    });
    Ok(Box::new(Additive { noise: Noise::Factor(factor), mean: vec![0.0; shape.size()] }))
}

/// Entry i of the orthonormal DCT-II vector u of n.
fn cosine(u: usize, i: usize, n: usize) -> f64 {
    let norm = if u == 0 { 1.0 } else { 2.0 };
    (norm / n as f64).sqrt() * (PI * (u * (2 * i + 1)) as f64 / (2 * n) as f64).cos()
}
