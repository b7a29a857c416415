//! `fourier`: random Fourier features, `√(2/D) cos(wᵀx + b)` with `w ~ N(0, I/σ²)` and b uniform on
//! \[0, 2π\].
//!
//! Products of two samples' features are `exp(−‖x − x′‖²/2σ²)` on average: kernel learning with a
//! Gaussian kernel of width σ. Source: A. Rahimi and B. Recht, *Random features for large-scale
//! kernel machines*, NeurIPS 2007.

use std::f64::consts::TAU;

use rand::RngExt;

use super::{COUNT, Components, Kind, MapKind, RandomFeatures, bandwidth};

/// Random Fourier features.
pub static FOURIER: Kind = Kind {
    name: "fourier",
    help: "random Fourier features, √(2/count) cos(wᵀx + b): a Gaussian kernel",
    keys: &[
        COUNT,
        bandwidth("width σ of the kernel, in units of the root mean squared distance of two samples"),
    ],
    components: Components::Optional,
    map: Some(MapKind {
        features: |recipe, _| recipe.count("count"),
        build: |recipe, moments, rng| {
            let offset = |_: &[f64], rng: &mut dyn rand::Rng| TAU * rng.random::<f64>();
            RandomFeatures::draw(recipe, moments, offset, f64::cos, rng)
        },
    }),
};
