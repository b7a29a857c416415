//! What can be typed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

/// Simulates closed-form self-supervised learning at scale.
#[derive(Debug, Parser)]
#[command(name = "eigensweep", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Print results and errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more about what is done
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate the grid of a job into a data set, resuming what is there
    #[command(
        after_help = "Example:\n  eigensweep run jobs/quickstart.toml --set job.replicates=20 --threads 2"
    )]
    Run(Run),
    /// Show grid, tasks, bytes, memory and time of a job without running it
    #[command(after_help = "Example:\n  eigensweep plan jobs/figure3-mnist.toml --set job.replicates=1000")]
    Plan(Plan),
    /// Show the alignment thresholds of a job's spectra (Propositions 4.3 and 4.4, Corollary 4.5)
    #[command(
        after_help = "Examples:\n  eigensweep theory jobs/quickstart.toml\n  eigensweep theory --spectra spectra.json \
                      --json"
    )]
    Theory(Theory),
    /// Solve one problem in closed form, all three paradigms
    #[command(
        after_help = "Example:\n  eigensweep solve --inputs X.npy --labels Y.npy --covariance SIGMA.npy --dimension 5 \
                      --json"
    )]
    Solve(Solve),
    /// Ask data sets in SQL: tables `results`, `summary` and `best` (`eigensweep query --help` for more)
    #[command(disable_help_flag = true)]
    Query(HandedOver),
    /// Draw the paper's figures of data sets (`eigensweep plot --help` for more)
    #[command(disable_help_flag = true)]
    Plot(HandedOver),
    /// Write a page with figures, tables and provenance (`eigensweep report --help` for more)
    #[command(disable_help_flag = true)]
    Report(HandedOver),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  eigensweep completions bash > ~/.local/share/bash-completion/completions/eigensweep"
    )]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// A job file and its overrides.
#[derive(Debug, Args)]
pub(crate) struct JobFile {
    /// The job file (TOML)
    pub(crate) job: PathBuf,
    /// Override a key of the job; may be repeated
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) file: JobFile,
    /// Worker threads [default: all processors that this process may use]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
    /// Directory of the data set [default: output/NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Delete the data set first and start anew
    #[arg(long)]
    pub(crate) fresh: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) file: JobFile,
    /// Worker threads to plan for [default: all processors that this process may use]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct Theory {
    /// The job file (TOML)
    #[arg(required_unless_present = "spectra", conflicts_with = "spectra")]
    pub(crate) job: Option<PathBuf>,
    /// Override a key of the job; may be repeated
    #[arg(long, value_name = "TABLE.KEY=VALUE", conflicts_with = "spectra")]
    pub(crate) set: Vec<String>,
    /// Spectra in place of a job: {"signal": [κ²/n …], "theta_signal": […], "gamma": […], "theta_noise": […]}
    #[arg(long, value_name = "FILE.json")]
    pub(crate) spectra: Option<PathBuf>,
    /// The replicate whose drawn spectra are shown
    #[arg(long, value_name = "R", default_value_t = 0, conflicts_with = "spectra")]
    pub(crate) replicate: u32,
    /// Print a JSON array instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Solve {
    /// Inputs X, a sample a row (n × d)
    #[arg(long, value_name = "X.npy")]
    pub(crate) inputs: PathBuf,
    /// Labels Y (n × ℓ; a vector is one column)
    #[arg(long, value_name = "Y.npy")]
    pub(crate) labels: PathBuf,
    /// Mean views, E τ(x) a row (n × d) [default: the inputs]
    #[arg(long, value_name = "XBAR.npy")]
    pub(crate) mean_views: Option<PathBuf>,
    /// Mean covariance Σ of the views (d × d) [default: zero]
    #[arg(long, value_name = "SIGMA.npy")]
    pub(crate) covariance: Option<PathBuf>,
    /// Dimension k of the representation
    #[arg(long, value_name = "K")]
    pub(crate) dimension: usize,
    /// Print JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Save W.npy, E.npy, D.npy and V.npy in this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) write: Option<PathBuf>,
}

/// Arguments of a command that `eigensweep-analysis` carries out.
#[derive(Debug, Args)]
pub(crate) struct HandedOver {
    /// Data sets and options; --help tells
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(crate) rest: Vec<OsString>,
}

/// A number of threads, within what a pool can start.
fn threads(text: &str) -> Result<usize, String> {
    const MOST: usize = 1024;
    match text.parse() {
        Ok(threads) if (1..=MOST).contains(&threads) => Ok(threads),
        _ => Err(format!("give a whole number from 1 to {MOST}")),
    }
}
