//! The kinds of figure: one file each, and one line in [`KINDS`].

mod boundary;
mod learning_curves;
mod phase;
mod regions;
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

/// All kinds, in the order of the report; the first that shows the rows is the default.
pub static KINDS: [&Kind; 5] = [&LEARNING_CURVES, &BOUNDARY, &PHASE, &THRESHOLD, &SPECTRUM];

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
    /// Which data sets it is of.
    pub shows: Shows,
    /// Draws it.
    pub draw: fn(&[Source], &FigureSpec) -> Result<Drawing, FigureError>,
}

/// Which data sets a figure is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Those of `eigensweep run`: rows of replicates, or their summary.
    Replicates,
    /// Those of `eigensweep boundary`: critical alignments.
    Boundaries,
    /// Both.
    Either,
}

impl Shows {
    /// Whether a figure is of data sets of critical alignments, or of others.
    #[must_use]
    pub fn includes(self, boundaries: bool) -> bool {
        match self {
            Self::Replicates => !boundaries,
            Self::Boundaries => boundaries,
            Self::Either => true,
        }
    }
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
    KINDS.into_iter().find(|kind| kind.shows.includes(boundaries)).unwrap_or(&LEARNING_CURVES)
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
