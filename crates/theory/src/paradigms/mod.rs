//! The paradigms: one file each, and one line in [`ALL`].

mod joint_embedding;
mod reconstruction;
mod supervised;

use std::fmt;

pub use joint_embedding::JOINT_EMBEDDING;
pub use reconstruction::RECONSTRUCTION;
pub use supervised::SUPERVISED;

use crate::thresholds::Thresholds;

/// All paradigms, in the order in which rows are written.
pub static ALL: [&Paradigm; 3] = [&SUPERVISED, &JOINT_EMBEDDING, &RECONSTRUCTION];

/// A way to learn from views that has a closed form.
pub struct Paradigm {
    /// The name in job files, columns and tables.
    pub name: &'static str,
    /// What it predicts, in a line, for the documentation.
    pub help: &'static str,
    /// The generalized eigenvalues that its representation is made of; `None` where it learns no representation.
    pub spectrum: Option<Pencil>,
    /// Its threshold on α², signed, of the paper's; `None` where it recovers at every α.
    pub threshold: Option<fn(&Thresholds) -> f64>,
}

/// The pencil whose leading eigenvectors are the rows of an encoder.
pub struct Pencil {
    /// What its values are called: `eigenvalues` or `singular values`.
    pub name: &'static str,
    /// Their symbol.
    pub symbol: &'static str,
    /// The eigenvalue that a value stands for: the value itself, or the square of a singular value.
    pub eigenvalue: fn(f64) -> f64,
    /// The eigenvalue of a component in the population, where all moments are diagonal in one basis: of its second moment m and its second
    /// moment over the views s.
    pub population: fn(f64, f64) -> f64,
}

/// The paradigm of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Paradigm> {
    ALL.into_iter().find(|paradigm| paradigm.name == name)
}

impl PartialEq for Paradigm {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Paradigm {}

impl fmt::Debug for Paradigm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Display for Paradigm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}
