//! `identity`: the features as they are, or their principal components.

use super::{Components, Kind};

/// Features as they are.
pub static IDENTITY: Kind = Kind {
    name: "identity",
    help: "the features as they are; their principal components, where `components` are asked for",
    keys: &[],
    components: Components::Optional,
    map: None,
};
