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
//! | `cells` | critical alignments of `eigensweep boundary`, for figures and reports |
//! | `contest`, `finding` | which paradigm is better where; what a study found, in a sentence |
//! | `grid`, `legend`, `scale` | panels and axes, the legend, values → positions |
//! | `canvas`, `drawing`, `theme`, `names` | shapes, SVG and PNG, colours, what columns are called |
//!
//! The crate reads [summaries](eigensweep_store::summary) only, so a figure of 10⁸ rows takes no
//! longer than one of a thousand. kuva gives the colour maps, ticks and the SVG, resvg makes PNGs
//! of it; where panels, axes and labels stand is decided here, because these figures need
//! logarithmic axes under maps, curves over them, and labels that never overlap.

mod canvas;
mod cells;
mod contest;
mod data;
mod drawing;
mod error;
mod finding;
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
pub use finding::finding;
pub use scale::Spacing;
pub use source::Source;
pub use spec::{Band, FigureSpec};

use std::collections::{BTreeMap, BTreeSet};

use data::{Key, Lines};
use eigensweep_store::format::count;

/// Most panels side by side and one below the other.
const MOST_PANELS: usize = 8;

/// So many of them are drawn where nobody asked for more values than fit.
const PANELS: usize = 4;

/// Draws a figure of data sets.
///
/// # Errors
///
/// [`FigureError::Unknown`] for a name that there is not, [`FigureError::Figure`] where an axis of
/// text has no place, the rows cannot give the figure, or the kind has no use for what is asked, or
/// what reading gives.
pub fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, FigureError> {
    spec.refuse_meaningless()?;
    if let Some(other) = sources.iter().find(|source| !spec.kind.shows.includes(source.has_boundaries())) {
        let (holds, of) = if other.has_boundaries() {
            ("critical alignments", "boundary")
        } else {
            ("rows of replicates", "run")
        };
        let names: Vec<&str> = kinds::KINDS
            .iter()
            .filter(|kind| kind.shows.includes(other.has_boundaries()))
            .map(|kind| kind.name)
            .collect();
        let reason = format!(
            "{} is of `eigensweep {of}` and holds {holds}, which `{}` does not show: its figures are {}",
            other.name,
            spec.kind.name,
            names.join(", ")
        );
        return Err(FigureError::Figure { reason });
    }
    one_kind(sources)?;
    (spec.kind.draw)(sources, spec)
}

/// Refuses critical alignments and rows of replicates together.
fn one_kind(sources: &[Source]) -> Result<(), FigureError> {
    let of = |boundaries: bool| sources.iter().find(|source| source.has_boundaries() == boundaries);
    match (of(true), of(false)) {
        (Some(traced), Some(other)) => Err(FigureError::Figure {
            reason: format!(
                "{} holds critical alignments and {} rows of replicates, which share nothing to show: name one of them",
                traced.name, other.name
            ),
        }),
        _ => Ok(()),
    }
}

/// The names of the data sets' jobs, which are the same in any directory; the directories' where
/// two jobs have one name.
fn title(sources: &[Source], spec: &FigureSpec) -> String {
    spec.title.clone().unwrap_or_else(|| called(sources).join(", "))
}

/// What data sets are called on figures and pages: by their jobs, or by their directories where two
/// jobs have one name.
fn called(sources: &[Source]) -> Vec<String> {
    let jobs: Vec<String> = sources.iter().map(|source| source.job().job.name.clone()).collect();
    let told_apart = jobs.iter().collect::<BTreeSet<_>>().len() == jobs.len();
    if told_apart { jobs } else { sources.iter().map(|source| source.name.clone()).collect() }
}

/// What all panels have in common: axes of one value that a reader would ask for or of which one
/// value was chosen, and the number of replicates.
fn common(rows: &Lines<'_>, placed: &[&str]) -> String {
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
    let mut parts = rows.constants(&asked, placed);
    let (least, most) = rows.replicates();
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
        Some(format!("{} is not finished: {done} of {all} rows.", source.job().job.name))
    };
    let mut notes: Vec<String> = sources.iter().filter_map(note).collect();
    let mut relative: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for source in sources {
        for axis in source.job().axes().iter().filter(|axis| axis.relative) {
            relative.entry(axis.name).or_default().push(&source.name);
        }
    }
    notes.extend(relative.into_iter().map(|(name, of)| {
        let of = if sources.len() > 1 { format!(" of {}", of.join(", ")) } else { String::new() };
        format!("`{name}`{of} holds multiples of {}, as the job says.", names::multiples(name))
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
    /// yet for what is left of `places`; of those, a few values where they are many.
    fn choose(
        rows: &mut Lines<'_>,
        asked: &[String],
        default: Option<&str>,
        taken: &[&str],
        places: usize,
    ) -> Result<Self, FigureError> {
        if !asked.is_empty() {
            let known = asked.iter().map(|name| rows.known_axis(name)).collect::<Result<Vec<_>, _>>()?;
            let facets = Self { columns: known.first().cloned(), rows: known.get(1).cloned() };
            return if known.len() > 2 {
                let reason = "--facet takes at most two axes: columns, then rows".to_owned();
                Err(FigureError::Figure { reason })
            } else {
                facets.checked(rows)
            };
        }
        let varying = rows.varying();
        let free = |name: &&str| varying.contains(name) && !taken.contains(name);
        let columns = default.filter(free);
        let others = varying.iter().copied().filter(free).filter(|name| Some(*name) != columns);
        let mut chosen: Vec<String> = columns.into_iter().chain(others).map(str::to_owned).collect();
        chosen.truncate(places);
        for name in &chosen {
            if rows.axis(name).len() > MOST_PANELS {
                rows.thin(name, PANELS);
            }
        }
        let mut chosen = chosen.into_iter();
        Ok(Self { columns: chosen.next(), rows: chosen.next() })
    }

    /// Refuses more panels than fit, of both axes at once.
    fn checked(self, rows: &Lines<'_>) -> Result<Self, FigureError> {
        let wide: Vec<&str> = self.names().filter(|name| rows.axis(name).len() > MOST_PANELS).collect();
        if wide.is_empty() {
            return Ok(self);
        }
        let counts: Vec<String> =
            wide.iter().map(|name| format!("`{name}` has {} values", rows.axis(name).len())).collect();
        let choice: Vec<String> = wide.iter().map(|name| format!("{name} IN (…)")).collect();
        Err(FigureError::Figure {
            reason: format!(
                "{}, and at most {MOST_PANELS} panels stand side by side: choose values, as in `--where '{}'`, or give another \
                 place with --x or --color",
                counts.join(" and "),
                choice.join(" AND ")
            ),
        })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.as_deref().into_iter().chain(self.rows.as_deref())
    }

    fn values(rows: &Lines<'_>, name: Option<&String>) -> Vec<Option<Key>> {
        name.map_or_else(|| vec![None], |name| rows.axis(name).iter().cloned().map(Some).collect())
    }

    fn headings(rows: &Lines<'_>, name: Option<&String>) -> Vec<String> {
        let heading =
            |name: &String| rows.axis(name).iter().map(|value| rows.valued(name, value)).collect::<Vec<_>>();
        name.map_or_else(|| vec![String::new()], heading)
    }
}
