//! What can be typed.

use std::path::PathBuf;

use clap::Parser;
use eigensweep_query::output::Format;

/// Ask data sets in SQL: tables `results`, `summary`, `best` and `boundary`
#[derive(Debug, Parser)]
#[command(
    name = "eigensweep-query",
    bin_name = "eigensweep query",
    version,
    max_term_width = 100,
    after_help = "\
Tables:
  results  a row per replicate, combination of axes and paradigm
  summary  per combination and paradigm: count, mean, standard error, median, 5 and 95 % quantiles of each metric
  best     per combination: which paradigm is closest, by how much, with a paired standard error, and which recover
  boundary of a data set that `eigensweep boundary` wrote, its only table: per combination and paradigm the critical alignment
           alpha with its interval (low, high), further quantiles, verdict, and the thresholds of theory beside it
Scales that are relative in the job (noise_scale, augmentation_scale) are multiples of the clean data's largest eigenvalue.
Data sets of detail = \"summary\" have the table summary, with more statistics, and no other.

Examples:
  eigensweep query output/quickstart \"SELECT paradigm, alignment, AVG(distance) FROM results GROUP BY paradigm, alignment\"
  eigensweep query output/quickstart \"SELECT * FROM best WHERE samples = 51200\"
  eigensweep query output/quickstart \"SELECT winner, COUNT(*) FROM best GROUP BY winner\" --paradigms joint-embedding,reconstruction
  eigensweep query output/a output/b \"SELECT * FROM summary\" -o summary.parquet"
)]
pub(crate) struct Arguments {
    /// Print results and errors only
    #[arg(long, short, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what is done
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Version of the `eigensweep` that hands over
    #[arg(long, hide = true, value_name = "VERSION")]
    pub(crate) called_by: Option<String>,
    /// Data sets (directories), then the query
    #[arg(required = true, num_args = 2.., value_names = ["DATASET", "SQL"])]
    pub(crate) datasets_and_sql: Vec<String>,
    /// How rows are written [default: by the ending of FILE, else table]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Paradigms that the view `best` chooses from [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) paradigms: Vec<String>,
    /// Show the optimized plan instead of running it
    #[arg(long)]
    pub(crate) explain: bool,
}
