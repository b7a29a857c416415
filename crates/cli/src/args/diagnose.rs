//! `diagnose`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::threads;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("measured").args(["repeats", "pairs", "nuisance"]))]
pub(crate) struct Diagnose {
    /// Inputs X, a measurement a row (n × d), of any format that a job reads, told by its contents
    #[arg(long, value_name = "X")]
    pub(crate) inputs: PathBuf,
    /// Which columns are inputs, by name, `*` for any letters; `!NAME` takes one out [default: all
    /// that are not named otherwise]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// A second measurement of each row, in the same order: what differs is noise
    #[arg(long, value_name = "FILE")]
    pub(crate) repeats: Option<PathBuf>,
    /// Rows of one id are measurements of the same thing: a column of the inputs' file, a file of
    /// its own, or FILE:COLUMN
    #[arg(long, value_name = "COLUMN")]
    pub(crate) pairs: Option<String>,
    /// Rows of one batch (donor, site): how batches differ is noise; named as --pairs
    #[arg(long, value_name = "COLUMN")]
    pub(crate) nuisance: Option<String>,
    /// Stages that make a view of a row, as of `solve`; its `corruption`, drawn twice for each row,
    /// in place of repeats [default: the noise's own views]
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) views: Option<PathBuf>,
    /// Labels, which settle what depends on what is wanted; named as --pairs
    #[arg(long, value_name = "Y")]
    pub(crate) labels: Option<String>,
    /// Dimension k of the representation [default: found by permutation of pairs]
    #[arg(long, value_name = "K")]
    pub(crate) dimension: Option<usize>,
    /// Alignment α of the views with the noise, at least 0, that the answer is about [default: 0
    /// with --views, else 1]
    #[arg(long, value_name = "A", allow_negative_numbers = true)]
    pub(crate) alignment: Option<f64>,
    /// Keep so many principal components, fitted inside each fold [default: all features]
    #[arg(long, value_name = "P")]
    pub(crate) components: Option<usize>,
    /// Divide features by their standard deviations, inside each fold
    #[arg(long)]
    pub(crate) standardize: bool,
    /// Worker threads, which change no number [default: all processors that this process may use]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// Print JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
    /// Write a page with figures and words: one HTML file that needs nothing else
    #[arg(long, short, value_name = "PAGE.html")]
    pub(crate) output: Option<PathBuf>,
    /// Save the encoders W.npy and E.npy, the moments, and job.toml, which simulates the situation
    #[arg(long, value_name = "DIR")]
    pub(crate) write: Option<PathBuf>,
}
