//! Figures and reports of data sets: the paper's figures, on any axes, and one HTML page about
//! everything.
//!
//! ```no_run
//! use eigensweep_figures::kinds::LEARNING_CURVES;
//! use eigensweep_figures::{FigureSpec, Source, draw};
//!
//! let sources = [Source::open("output/figure3-mnist".as_ref())?];
//! let mut spec = FigureSpec::new(&LEARNING_CURVES);
//! spec.filter = Some("noise_scale = 1e6".to_owned());
//! draw(&sources, &spec)?.save("strong-noise.svg".as_ref(), 2.0)?;
//! # Ok::<(), eigensweep_figures::FigureError>(())
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`kinds`] | the kinds of figure, one file each |
//! | [`report`] | one self-contained HTML page |
//! | `spec`, `source` | what is to be drawn, and of which data sets |
//! | `data`, `theory`, `verdict` | summaries → groups and their numbers; what theory says |
//! | `grid`, `legend`, `scale` | panels and axes, the legend, values → positions |
//! | `canvas`, `drawing`, `theme`, `names` | shapes, SVG and PNG, colours, what columns are called |
//!
//! The crate reads [summaries](eigensweep_store::summary) only, so a figure of 10⁸ rows takes no
//! longer than one of a thousand. kuva gives the colour maps, ticks, fonts and the SVG and PNG
//! backends; where panels, axes and labels stand is decided here, because these figures need
//! logarithmic axes under maps, curves over them, and labels that never overlap.

mod canvas;
mod data;
mod drawing;
mod error;
mod grid;
pub mod kinds;
mod legend;
mod names;
pub mod report;
mod scale;
mod source;
mod spec;
mod theme;
mod theory;
mod verdict;

pub use drawing::Drawing;
pub use error::FigureError;
pub use scale::Spacing;
pub use source::Source;
pub use spec::{Band, FigureSpec};

use std::collections::BTreeSet;

use data::{Key, Lines};
use eigensweep_store::format::count;

/// Most panels side by side and one below the other.
const MOST_PANELS: usize = 8;

/// Draws a figure of data sets.
///
/// # Errors
///
/// [`FigureError::Unknown`] for a name that there is not, [`FigureError::FreeAxis`] for an axis
/// that varies and has no place, [`FigureError::Figure`] where the rows cannot give it or the kind
/// has no use for what is asked, or what reading gives.
pub fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    spec.refuse_meaningless()?;
    (spec.kind.draw)(sources, spec)
}

/// The names of the data sets.
fn title(sources: &[Source], spec: &FigureSpec) -> String {
    let names = || sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    spec.title.clone().unwrap_or_else(names)
}

/// What all panels have in common: axes of one value that a reader would ask for, and the number of
/// replicates.
fn common(sources: &[Source], rows: &Lines<'_>, placed: &[&str]) -> String {
    let asked = [
        "paradigm",
        "samples",
        "noise_scale",
        "augmentation_scale",
        "alignment",
        "signal_components",
        "noise_components",
        "dimension",
    ];
    let mut parts: Vec<String> = asked
        .into_iter()
        .filter(|name| !placed.contains(name))
        .filter_map(|name| match rows.axis(name) {
            [only] => Some(names::valued(name, &only.text())),
            _ => None,
        })
        .collect();
    let replicates = sources.iter().map(|source| source.job().job.replicates);
    let (least, most) = (replicates.clone().min().unwrap_or(0), replicates.max().unwrap_or(0));
    let many = if least == most {
        count(u128::from(most))
    } else {
        format!("{} to {}", count(u128::from(least)), count(u128::from(most)))
    };
    parts.push(format!("{many} replicate{}", if most == 1 { "" } else { "s" }));
    parts.join(" · ")
}

/// Notes on data sets that are not finished, and on axes that hold multiples.
fn unfinished(sources: &[Source]) -> Vec<String> {
    let note = |source: &Source| {
        let (done, all) = source.unfinished()?;
        let (done, all) = (count(done.into()), count(all.into()));
        Some(format!("{} is not finished: {done} of {all} rows.", source.name))
    };
    let mut notes: Vec<String> = sources.iter().filter_map(note).collect();
    let axes = sources.iter().flat_map(|source| source.job().axes());
    let relative: BTreeSet<&str> = axes.filter(|axis| axis.relative).map(|axis| axis.name).collect();
    notes.extend(relative.into_iter().map(|name| {
        format!("`{name}` holds multiples of the largest eigenvalue of the clean data, as the job says.")
    }));
    notes
}

/// Panels: an axis for the columns and one for the rows, each with its values.
struct Facets {
    columns: Option<String>,
    rows: Option<String>,
}

impl Facets {
    /// The axes that were asked for, or `default` for the columns and what varies and has no place
    /// yet for the rows.
    fn choose(
        rows: &Lines<'_>,
        asked: &[String],
        default: Option<&str>,
        taken: &[&str],
    ) -> Result<Self, FigureError> {
        let free = |name: &&str, but: Option<&str>| !taken.contains(name) && Some(*name) != but;
        if !asked.is_empty() {
            let mut known =
                asked.iter().map(|name| rows.known_axis(name)).collect::<Result<Vec<_>, _>>()?.into_iter();
            let facets = Self { columns: known.next(), rows: known.next() };
            if known.next().is_some() {
                let reason = "--facet takes at most two axes: columns, then rows".to_owned();
                return Err(FigureError::Figure { reason });
            }
            return facets.checked(rows);
        }
        let columns = default.filter(|name| free(name, None) && rows.axis(name).len() > 1);
        let mut varying = rows.varying().into_iter().filter(|name| free(name, columns));
        let across = varying.next().map(str::to_owned);
        let facets = match columns {
            Some(columns) => Self { columns: Some(columns.to_owned()), rows: across },
            None => Self { columns: across, rows: varying.next().map(str::to_owned) },
        };
        facets.checked(rows)
    }

    fn checked(self, rows: &Lines<'_>) -> Result<Self, FigureError> {
        for name in self.names() {
            let count = rows.axis(name).len();
            if count > MOST_PANELS {
                return Err(FigureError::Figure {
                    reason: format!(
                        "`{name}` has {count} values, and at most {MOST_PANELS} panels stand side by side: choose values, as in \
                         `--where '{name} IN (…)'`, or give it another place with --x or --color"
                    ),
                });
            }
        }
        Ok(self)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.as_deref().into_iter().chain(self.rows.as_deref())
    }

    fn values(rows: &Lines<'_>, name: Option<&String>) -> Vec<Option<Key>> {
        name.map_or_else(|| vec![None], |name| rows.axis(name).iter().cloned().map(Some).collect())
    }

    fn headings(rows: &Lines<'_>, name: Option<&String>) -> Vec<String> {
        let heading = |name: &String| {
            rows.axis(name).iter().map(|value| names::valued(name, &value.text())).collect::<Vec<_>>()
        };
        name.map_or_else(|| vec![String::new()], heading)
    }
}
