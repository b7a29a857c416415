//! `plot` and `report`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use eigensweep_figures::kinds::{self, KINDS, Kind};
use eigensweep_figures::{Band, FigureSpec, Spacing};

#[derive(Debug, Args)]
pub(crate) struct Plot {
    /// Data sets (directories)
    #[arg(required = true, value_name = "DATASET")]
    pub(crate) datasets: Vec<PathBuf>,
    /// Which figure [default: learning-curves; boundary where `eigensweep boundary` made the data
    /// set]
    #[arg(long, value_name = "FIGURE", value_parser = figure())]
    pub(crate) figure: Option<&'static Kind>,
    /// Write to this file, .svg or .png [default: DATASET-FIGURE.svg in this directory]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// What runs to the right: an axis of the job
    #[arg(long, value_name = "COLUMN")]
    pub(crate) x: Option<String>,
    /// What runs upwards: a metric (of a phase diagram: an axis)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) y: Option<String>,
    /// What colours tell apart: an axis (of a phase diagram: a metric)
    #[arg(long, value_name = "COLUMN")]
    pub(crate) color: Option<String>,
    /// What panels tell apart: an axis for the columns, and one for the rows
    #[arg(long, value_name = "COLUMNS[,ROWS]", value_delimiter = ',')]
    pub(crate) facet: Vec<String>,
    /// Only rows for which this condition holds, as in SQL: comparisons of columns joined by and,
    /// or, not; a number equals a coordinate also as tables round it
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// What a curve and its band show [default: mean]
    #[arg(long, value_enum)]
    pub(crate) band: Option<Band>,
    /// Spacing of the horizontal axis [default: by its values]
    #[arg(long, value_enum)]
    pub(crate) x_scale: Option<Spacing>,
    /// Spacing of the vertical axis [default: by its values]
    #[arg(long, value_enum)]
    pub(crate) y_scale: Option<Spacing>,
    /// Title; empty for none [default: the jobs' names]
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// Pixels of a PNG per pixel of the SVG
    #[arg(long, value_name = "FACTOR", default_value_t = 2.0, value_parser = resolution)]
    pub(crate) resolution: f32,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Data sets (directories)
    #[arg(required = true, value_name = "DATASET")]
    pub(crate) datasets: Vec<PathBuf>,
    /// Write to this file [default: DATASET-report.html in this directory]
    #[arg(long, short, value_name = "FILE.html")]
    pub(crate) output: Option<PathBuf>,
}

impl Plot {
    /// What is to be drawn.
    pub(crate) fn spec(&self, kind: &'static Kind) -> FigureSpec {
        FigureSpec {
            kind,
            x: self.x.clone(),
            y: self.y.clone(),
            color: self.color.clone(),
            facet: self.facet.clone(),
            filter: self.filter.clone(),
            band: self.band,
            x_spacing: self.x_scale,
            y_spacing: self.y_scale,
            title: self.title.clone(),
        }
    }
}

/// The kinds of figure, as their table has them.
fn figure() -> impl TypedValueParser<Value = &'static Kind> {
    let values = KINDS.map(|kind| PossibleValue::new(kind.name).help(kind.help));
    PossibleValuesParser::new(values).map(|name| kinds::named(&name).unwrap_or(KINDS[0]))
}

/// A resolution that makes an image of reasonable size.
fn resolution(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(factor) if (0.25..=10.0).contains(&factor) => Ok(factor),
        _ => Err("give a number from 0.25 to 10".to_owned()),
    }
}
