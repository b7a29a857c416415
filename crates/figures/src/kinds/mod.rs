//! The kinds of figure: one file each, and one line in [`KINDS`].

mod boundary;
mod learning_curves;
mod phase;
mod spectrum;
mod threshold;

use std::fmt;

pub use boundary::BOUNDARY;
pub use learning_curves::LEARNING_CURVES;
pub use phase::PHASE;
pub use spectrum::SPECTRUM;
pub use threshold::THRESHOLD;

use crate::drawing::Drawing;
use crate::spec::FigureSpec;
use crate::{FigureError, Source};

/// All kinds, in the order of the report.
pub static KINDS: [&Kind; 5] = [&LEARNING_CURVES, &PHASE, &THRESHOLD, &SPECTRUM, &BOUNDARY];

/// A kind of figure.
pub struct Kind {
    /// The name on the command line and in file names.
    pub name: &'static str,
    /// The name in the report.
    pub title: &'static str,
    /// What it shows, in a line, for `--help`.
    pub help: &'static str,
    /// What it shows, for the report.
    pub caption: &'static str,
    /// Axes with the least number of values that it needs to say something in the report.
    pub needs: &'static [(&'static str, usize)],
    /// Flags that mean something for it, of those that not every figure has.
    pub reads: &'static [&'static str],
    /// Whether it shows critical alignments, and not rows of replicates.
    pub of_boundaries: bool,
    /// Draws it.
    pub draw: fn(&[Source], &FigureSpec) -> Result<Drawing, FigureError>,
}

/// The kind of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

/// The kind that data sets are drawn as where none is asked for: the first of what they hold.
#[must_use]
pub fn default_for(sources: &[Source]) -> &'static Kind {
    let boundaries = !sources.is_empty() && sources.iter().all(Source::has_boundaries);
    KINDS.into_iter().find(|kind| kind.of_boundaries == boundaries).unwrap_or(&LEARNING_CURVES)
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Kind {}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
