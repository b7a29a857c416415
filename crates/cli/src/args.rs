//! What can be typed.

mod diagnose;
mod plot;
mod submit;

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgGroup, Args, Parser, Subcommand};
use clap_complete::Shell;
use eigensweep_store::shard::{Shard, ShardError};

use crate::cluster::{self, TimeError};
pub(crate) use diagnose::Diagnose;
pub(crate) use plot::{Plot, Report};
pub(crate) use submit::{Submit, memory_bytes};

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
        after_help = "Examples:\n  eigensweep run jobs/quickstart.toml --set job.replicates=20 --threads 2\n  \
                      eigensweep run jobs/figure3-mnist.toml --shard 2/9 --time-limit 3h"
    )]
    Run(Run),
    /// Find the critical alignment of each combination of the other axes, with an exact interval
    #[command(
        after_help = "Examples:\n  eigensweep boundary jobs/boundary.toml --threads 2\n  eigensweep boundary jobs/boundary.toml \
                      --set boundary.precision=0.05 --json"
    )]
    Boundary(Boundary),
    /// Show grid, tasks, bytes, memory and time of a job without running it
    #[command(after_help = "Example:\n  eigensweep plan jobs/figure3-mnist.toml --set job.replicates=1000")]
    Plan(Plan),
    /// Show a job's alignment thresholds (Propositions 4.3 and 4.4, Corollary 4.5; of stages the
    /// limit n = ∞)
    #[command(
        after_help = "Examples:\n  eigensweep theory jobs/quickstart.toml\n  eigensweep theory --spectra spectra.json \
                      --json"
    )]
    Theory(Theory),
    /// Solve one problem in closed form, all three paradigms
    #[command(
        group = ArgGroup::new("answers").args(["labels", "targets"]).required(true),
        after_help = "\
Examples:
  eigensweep solve --inputs X.npy --labels Y.npy --covariance SIGMA.npy --dimension 5 --json
  eigensweep solve --inputs images.npy --labels Y.npy --views views.toml --center --dimension 10 --write out

views.toml, for images of 28 x 28 (stages and their keys as in a job: docs/jobs.md):
  shape = [1, 28, 28]
  floor = 1e-4
  [[stages]]
  kind = \"shift\"
  rows = 2
  columns = 2
  [[stages]]
  kind = \"dropout\"
  probability = 0.5"
    )]
    Solve(Solve),
    /// Say which paradigm suits these data and views, from repeated measurements, batches or a
    /// corruption
    #[command(after_help = "\
Examples:
  eigensweep diagnose --inputs first.npy --repeats second.npy --dimension 8 -o page.html
  eigensweep diagnose --inputs cells.csv --pairs donor --labels type --components 30
  eigensweep diagnose --inputs images.npy --views views.toml --write out    (with a corruption in views.toml)

What comes out, and how to read it: docs/diagnose.md")]
    Diagnose(Diagnose),
    /// Show what of a data set is done, missing and failed, and how fast its shards get on
    #[command(after_help = "Example:\n  eigensweep status output/figure3-mnist")]
    Status(Status),
    /// Verify shards and join them into one data set
    #[command(
        after_help = "Examples:\n  eigensweep merge shard-1 shard-2 --into output/figure3-mnist\n  eigensweep merge \
                      output/figure3-mnist --into output/figure3-mnist    (shards that shared a directory)"
    )]
    Merge(Merge),
    /// Check every byte of a data set against its commit records
    #[command(after_help = "Example:\n  eigensweep verify output/figure3-mnist")]
    Verify {
        /// The data set
        dataset: PathBuf,
    },
    /// Compute single rows again, alone, and show what is behind them
    #[command(
        after_help = "Example:\n  eigensweep replay output/quickstart --where \"paradigm = 'reconstruction' and distance > \
                      0.4\" --limit 3"
    )]
    Replay(Replay),
    /// Submit a job to SLURM: an array of shards, then a job that merges them
    #[command(
        after_help = "Examples:\n  eigensweep submit jobs/figure3-mnist.toml --shards 9 --time 2h --memory 2G --dry-run\n  \
                      eigensweep submit jobs/quickstart.toml --shards 4 --partition short --account lab \\\n      \
                      --module gcc/13 --sbatch-arg=--qos=high --concurrent 2"
    )]
    Submit(Submit),
    /// Ask data sets in SQL: tables `results`, `summary`, `best` and `boundary` (`eigensweep query
    /// --help` for more)
    #[command(disable_help_flag = true)]
    Query(HandedOver),
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
    /// Show the keys of a job file: where each has a meaning, what it takes, and its default
    #[command(after_help = "Examples:\n  eigensweep keys\n  eigensweep keys augmentation")]
    Keys {
        /// A table of the job file, or `stages` for the kinds of stages [default: all]
        #[arg(value_parser = clap::builder::PossibleValuesParser::new(
            eigensweep_job::keys::tables().into_iter().chain([eigensweep_job::chains::STAGES])
        ))]
        table: Option<String>,
    },
    /// Print a commented job to begin with: the keys that most jobs set, at their defaults
    #[command(
        after_help = "Examples:\n  eigensweep init > my.toml\n  eigensweep init --full | eigensweep plan /dev/stdin"
    )]
    Init(Init),
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
    /// Override a key of the job, paths relative to here; may be repeated
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
    /// Directory of the data set [default: output/NAME, of a boundary output/NAME-boundary]
    #[arg(long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Compute one of N shares of the job, I from 1; `auto` takes I (and N, where it is told) from
    /// the array variables of SLURM, Kubernetes, PBS, LSF or Grid Engine
    #[arg(long, value_name = "I/N|auto|auto/N")]
    pub(crate) shard: Option<ShardChoice>,
    /// Stop cleanly before this time is over (3h, 90m, 45s or, as SLURM has it, 90 for minutes,
    /// 1-12:00:00), with exit code 75; `auto` asks the batch system
    #[arg(long, value_name = "TIME|auto")]
    pub(crate) time_limit: Option<TimeLimit>,
    /// In a SLURM job: ask SLURM to run this job again when a time limit or a warning signal has
    /// stopped it
    #[arg(long)]
    pub(crate) requeue: bool,
    /// Delete the data set first and start anew
    #[arg(long, conflicts_with = "shard")]
    pub(crate) fresh: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Boundary {
    #[command(flatten)]
    pub(crate) run: Run,
    /// Print a JSON array instead of a table: an object for each combination and paradigm
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which share of a job to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShardChoice {
    /// This one.
    Given(Shard),
    /// The one that the batch system's array task is, of so many, if that is given.
    Auto(Option<u64>),
}

impl FromStr for ShardChoice {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("auto") {
            None => text.parse().map(Self::Given),
            Some("") => Ok(Self::Auto(None)),
            Some(rest) => match rest.strip_prefix('/').and_then(|count| count.parse().ok()) {
                Some(count) if count > 0 => Ok(Self::Auto(Some(count))),
                _ => Err(ShardError { found: text.to_owned() }),
            },
        }
    }
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeLimit {
    /// After this time.
    Given(Duration),
    /// Before the batch system does.
    Auto,
}

impl FromStr for TimeLimit {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "auto" { Ok(Self::Auto) } else { cluster::duration(text).map(Self::Given) }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The data set
    pub(crate) dataset: PathBuf,
    /// Print JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Merge {
    /// Data sets of one job
    #[arg(required = true, value_name = "DATASET")]
    pub(crate) datasets: Vec<PathBuf>,
    /// Where all parts come together; may be one of them
    #[arg(long, value_name = "DATASET")]
    pub(crate) into: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The data set
    pub(crate) dataset: PathBuf,
    /// Which rows, as in SQL: comparisons of columns joined by and, or, not; a number equals a
    /// coordinate also as tables round it
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: String,
    /// Most rows to compute
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub(crate) limit: usize,
    /// Override a key of the data set's job, such as data.images where files have moved
    #[arg(long, value_name = "TABLE.KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Print JSON instead of text, spectra in full
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) file: JobFile,
    /// Shards to divide the job into
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) shards: u64,
    /// Worker threads to plan for [default: all processors that this process may use]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("source").required(true).args(["job", "spectra"])))]
pub(crate) struct Theory {
    /// The job file (TOML)
    pub(crate) job: Option<PathBuf>,
    /// Override a key of the job, paths relative to here; may be repeated
    #[arg(long, value_name = "TABLE.KEY=VALUE", conflicts_with = "spectra")]
    pub(crate) set: Vec<String>,
    /// Spectra in place of a job: {"signal": [κ²/n …], "theta_signal": […], "gamma": […],
    /// "theta_noise": […]}, and "dimension": k if it is not the number of signal components
    #[arg(long, value_name = "FILE.json")]
    pub(crate) spectra: Option<PathBuf>,
    /// Show the drawn spectra of this replicate alone [default: medians and quantiles over all]
    #[arg(long, value_name = "R", conflicts_with = "spectra")]
    pub(crate) replicate: Option<u32>,
    /// Print a JSON array instead of tables; what is infinite is null: a threshold where `never`
    /// says why or its `_verdict` is so, a factor where the lower threshold is 0. `factor` is the
    /// ratio of the two median α*, `factor_q05` and `factor_q95` are quantiles over replicates of a
    /// draw's own ratio
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Solve {
    /// Inputs X, a sample a row (n × d); taken as they are, unless --center (a job's are centred)
    #[arg(long, value_name = "X.npy")]
    pub(crate) inputs: PathBuf,
    /// Labels Y: one column of whole numbers is classes (one-hot), anything else real targets (n ×
    /// ℓ)
    #[arg(long, value_name = "Y.npy")]
    pub(crate) labels: Option<PathBuf>,
    /// Real targets in place of labels, whole numbers or not (n × ℓ; a vector is one column)
    #[arg(long, value_name = "T.npy")]
    pub(crate) targets: Option<PathBuf>,
    /// Mean views, E τ(x) a row (n × d) [default: the inputs]
    #[arg(long, value_name = "XBAR.npy")]
    pub(crate) mean_views: Option<PathBuf>,
    /// Mean covariance Σ of the views (d × d) [default: zero]
    #[arg(long, value_name = "SIGMA.npy")]
    pub(crate) covariance: Option<PathBuf>,
    /// Stages that make a view of an input, and that corrupt inputs before, in place of mean views
    /// and covariance
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["covariance", "mean_views"])]
    pub(crate) views: Option<PathBuf>,
    /// Subtract from each column of the inputs, and of the mean views, its mean (with --views from
    /// their moments, last); labels stay as they are
    #[arg(long)]
    pub(crate) center: bool,
    /// Dimension k of the representation
    #[arg(long, value_name = "K")]
    pub(crate) dimension: usize,
    /// Print JSON instead of tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Save W.npy, E.npy, D.npy and V.npy in this directory, and the moments mu.npy, C.npy, G.npy,
    /// S.npy and B.npy
    #[arg(long, value_name = "DIR")]
    pub(crate) write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The few keys that a first study changes
    #[arg(long, conflicts_with = "full")]
    pub(crate) minimal: bool,
    /// Every key, with other choices commented out
    #[arg(long)]
    pub(crate) full: bool,
}

/// Arguments of a command that `eigensweep-query` carries out.
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
