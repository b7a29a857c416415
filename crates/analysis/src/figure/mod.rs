//! Figures of data sets: the paper's, on any axes.
//!
//! ```no_run
//! use eigensweep_analysis::Source;
//! use eigensweep_analysis::figure::{FigureSpec, Kind, draw};
//!
//! let sources = [Source::open("output/figure3-mnist".as_ref())?];
//! let mut spec = FigureSpec::new(Kind::LearningCurves);
//! spec.filter = Some("noise_scale = 1e6".to_owned());
//! draw(&sources, &spec)?.save("strong-noise.svg".as_ref(), 2.0)?;
//! # Ok::<(), eigensweep_analysis::AnalysisError>(())
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `spec` | what is to be drawn |
//! | `data`, `paired`, `theory`, `verdict` | rows → groups with means, errors, quantiles, thresholds; paired differences; what theory says |
//! | `learning_curves`, `phase`, `threshold`, `spectrum` | one figure each |
//! | `grid`, `legend`, `scale` | panels and axes, the legend, values → positions |
//! | `canvas`, `drawing`, `theme`, `names` | shapes on a sheet, SVG and PNG, colours and type, what columns are called |
//!
//! kuva gives the colour maps, ticks, fonts and the SVG and PNG backends; where panels, axes and labels stand is decided here, because
//! these figures need logarithmic axes under maps, curves over them, and labels that never overlap.

mod canvas;
pub(crate) mod data;
mod drawing;
mod grid;
mod groups;
mod learning_curves;
mod legend;
mod names;
mod paired;
mod phase;
mod scale;
mod spec;
mod spectrum;
mod theme;
mod theory;
mod threshold;
pub(crate) mod verdict;

pub use drawing::Drawing;
pub(crate) use drawing::write_whole;
pub use scale::Spacing;
pub use spec::{Band, FigureSpec, Kind};

use data::{Key, Rows};

use crate::AnalysisError;
use crate::format::count;
use crate::source::Source;

/// Most panels side by side and one below the other.
const MOST_PANELS: usize = 8;

/// Draws a figure of data sets.
///
/// # Errors
///
/// [`AnalysisError::Unknown`] for a name that there is not, [`AnalysisError::FreeAxis`] for an axis that varies and has no place,
/// [`AnalysisError::Figure`] where the rows cannot give it, or what reading gives.
pub fn draw(sources: &[Source], spec: &FigureSpec) -> Result<Drawing, AnalysisError> {
    match spec.kind {
        Kind::LearningCurves => learning_curves::draw(sources, spec),
        Kind::Phase => phase::draw(sources, spec),
        Kind::Threshold => threshold::draw(sources, spec),
        Kind::Spectrum => spectrum::draw(sources, spec),
    }
}

/// The names of the data sets.
fn title(sources: &[Source], spec: &FigureSpec) -> String {
    let names = || sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>().join(", ");
    spec.title.clone().unwrap_or_else(names)
}

/// What all panels have in common: axes of one value that a reader would ask for, and the number of replicates.
fn common(sources: &[Source], rows: &Rows, placed: &[&str]) -> String {
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
    let replicates = sources.iter().map(|source| source.job.job.replicates);
    let (least, most) = (replicates.clone().min().unwrap_or(0), replicates.max().unwrap_or(0));
    let many = if least == most {
        count(u128::from(most))
    } else {
        format!("{} to {}", count(u128::from(least)), count(u128::from(most)))
    };
    parts.push(format!("{many} replicate{}", if most == 1 { "" } else { "s" }));
    parts.join(" · ")
}

/// Notes on data sets that are not finished.
fn unfinished(sources: &[Source]) -> Vec<String> {
    let partial = sources.iter().filter(|source| u128::from(source.rows) < source.planned_rows());
    partial
        .map(|source| {
            let (rows, planned) = (count(u128::from(source.rows)), count(source.planned_rows()));
            format!("{} is not finished: {rows} of {planned} rows.", source.name)
        })
        .collect()
}

/// Panels: an axis for the columns and one for the rows, each with its values.
struct Facets {
    columns: Option<String>,
    rows: Option<String>,
}

impl Facets {
    /// The axes that were asked for, or `default` for the columns and what varies and has no place yet for the rows.
    fn choose(
        rows: &Rows,
        asked: &[String],
        default: Option<&str>,
        taken: &[&str],
    ) -> Result<Self, AnalysisError> {
        let free = |name: &&str, but: Option<&str>| !taken.contains(name) && Some(*name) != but;
        if !asked.is_empty() {
            let mut known =
                asked.iter().map(|name| rows.known_axis(name)).collect::<Result<Vec<_>, _>>()?.into_iter();
            let facets = Self { columns: known.next(), rows: known.next() };
            if known.next().is_some() {
                let reason = "--facet takes at most two axes: columns, then rows".to_owned();
                return Err(AnalysisError::Figure { reason });
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

    fn checked(self, rows: &Rows) -> Result<Self, AnalysisError> {
        for name in self.names() {
            let count = rows.axis(name).len();
            if count > MOST_PANELS {
                return Err(AnalysisError::Figure {
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

    fn values(rows: &Rows, name: Option<&String>) -> Vec<Option<Key>> {
        name.map_or_else(|| vec![None], |name| rows.axis(name).iter().cloned().map(Some).collect())
    }

    fn headings(rows: &Rows, name: Option<&String>) -> Vec<String> {
        let heading = |name: &String| {
            rows.axis(name).iter().map(|value| names::valued(name, &value.text())).collect::<Vec<_>>()
        };
        name.map_or_else(|| vec![String::new()], heading)
    }
}
