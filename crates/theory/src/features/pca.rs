//! `pca`: principal components.
//!
//! Source: K. Pearson, *On lines and planes of closest fit to systems of points in space* (1901).

use super::{Components, Kind};

/// Principal components.
pub static PCA: Kind = Kind {
    name: "pca",
    help: "principal components, as many as `components`",
    keys: &[],
    components: Components::Required,
    map: None,
};
