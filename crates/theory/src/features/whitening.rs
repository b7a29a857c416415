//! `whitening`: principal components of unit variance, `Λ^{-½} Vᵀ (x − μ)`.

use super::{Components, Kind};

/// Principal components of unit variance.
pub static WHITENING: Kind = Kind {
    name: "whitening",
    help: "principal components scaled to unit variance: as many as `components`, or all with any variance",
    keys: &[],
    components: Components::Whitened,
    map: None,
};
