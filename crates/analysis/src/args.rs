//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use eigensweep_analysis::figure::{Band, FigureSpec, Kind, Spacing};
use eigensweep_analysis::query::output::Format;

/// Queries, figures and reports of data sets; `eigensweep query|plot|report` calls it.
#[derive(Debug, Parser)]
#[command(name = "eigensweep-analysis", bin_name = "eigensweep", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Print results and errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what is done
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Version of the `eigensweep` that hands over
    #[arg(long, hide = true, value_name = "VERSION")]
    pub(crate) called_by: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Ask data sets in SQL: tables `results`, `summary` and `best`
    #[command(after_help = "\
Tables:
  results  a row per replicate, combination of axes and paradigm
  summary  per combination and paradigm: count, mean, standard error, median, 5 and 95 % quantiles of each metric
  best     per combination: which paradigm is closest, and by how much, with a paired standard error
Data sets of detail = \"summary\" have the table summary, with more statistics, and no other.

Examples:
  eigensweep query output/quickstart \"SELECT paradigm, alignment, AVG(distance) FROM results GROUP BY paradigm, alignment\"
  eigensweep query output/quickstart \"SELECT * FROM best WHERE samples = 51200\"
  eigensweep query output/a output/b \"SELECT * FROM summary\" -o summary.parquet")]
    Query(Query),
    /// Draw a figure of data sets as SVG or PNG
    #[command(after_help = "\
Examples:
  eigensweep plot output/figure3-mnist -o figure3.svg
  eigensweep plot output/quickstart --figure phase --where 'samples = 51200' -o phase.png
  eigensweep plot output/quickstart --x alignment --color samples --facet paradigm,noise_scale --y leakage")]
    Plot(Plot),
    /// Write one HTML page about data sets: verdicts, figures, who wins, provenance
    #[command(after_help = "Example:\n  eigensweep report output/figure3-mnist -o figure3.html")]
    Report(Report),
}

#[derive(Debug, Args)]
pub(crate) struct Query {
    /// Data sets (directories), then the query
    #[arg(required = true, num_args = 2.., value_names = ["DATASET", "SQL"])]
    pub(crate) datasets_and_sql: Vec<String>,
    /// How rows are written [default: by the ending of FILE, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show the optimized plan instead of running it
    #[arg(long)]
    pub(crate) explain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plot {
    /// Data sets (directories)
    #[arg(required = true, value_name = "DATASET")]
    pub(crate) datasets: Vec<PathBuf>,
    /// Which figure
    #[arg(long, value_enum, default_value_t)]
    pub(crate) figure: Kind,
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
    /// Only rows for which this SQL condition holds
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// What a curve and its band show
    #[arg(long, value_enum, default_value_t)]
    pub(crate) band: Band,
    /// Spacing of the horizontal axis [default: by its values]
    #[arg(long, value_enum)]
    pub(crate) x_scale: Option<Spacing>,
    /// Spacing of the vertical axis [default: by its values]
    #[arg(long, value_enum)]
    pub(crate) y_scale: Option<Spacing>,
    /// Title; empty for none [default: the data sets' names]
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
    pub(crate) fn spec(&self) -> FigureSpec {
        FigureSpec {
            kind: self.figure,
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

/// A resolution that makes an image of reasonable size.
fn resolution(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(factor) if (0.25..=10.0).contains(&factor) => Ok(factor),
        _ => Err("give a number from 0.25 to 10".to_owned()),
    }
}
