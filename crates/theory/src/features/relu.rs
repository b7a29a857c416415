//! `relu`: random rectified features, `√(2/D) max(0, wᵀ(x − μ) + b)` with `w ~ N(0, I/σ²)` and
//! `b ~ N(0, ½)`.
//!
//! With σ the root mean squared distance of two samples, as it is unless `bandwidth` says
//! otherwise, `wᵀ(x − μ)` of a sample has variance ½, too: the kinks lie where the samples are. The
//! common factor of w and b does not matter. Source: Y. Cho and L. K. Saul, *Kernel methods for
//! deep learning*, NeurIPS 2009.

use rand::RngExt;
use rand_distr::StandardNormal;

use super::{COUNT, Components, Kind, MapKind, RandomFeatures, bandwidth};

/// Random rectified features.
pub static RELU: Kind = Kind {
    name: "relu",
    help: "random rectified features, √(2/count) max(0, wᵀ(x − μ) + b)",
    keys: &[COUNT, bandwidth("deviation of b in units of that of wᵀ(x − μ)")],
    components: Components::Optional,
    map: Some(MapKind {
        features: |recipe, _| recipe.count("count"),
        build: |recipe, moments, rng| {
            let offset = |weights: &[f64], rng: &mut dyn rand::Rng| {
                let about: f64 = weights.iter().zip(&moments.mean).map(|(w, mean)| w * mean).sum();
                0.5_f64.sqrt() * rng.sample::<f64, _>(StandardNormal) - about
            };
            let rectified = |x: f64| x.max(0.0);
            RandomFeatures::draw(recipe, moments, offset, rectified, rng)
        },
    }),
};
