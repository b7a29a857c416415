//! `[job]`, `[grid]`, `[sampler]` and `[output]`: what the run is called, how large it is and what it reports.

use std::path::Path;

use super::axis::{Allowed, Axis};
use super::problem::Place;
use super::read::TableReader;

/// Seed unless given.
pub const DEFAULT_SEED: u64 = 0;

/// Replicates unless given: those of the paper's figures.
pub const DEFAULT_REPLICATES: u32 = 100;

/// Sample counts unless given: those of Appendix C, `100 · 2ʲ` for j = 0 … 9.
pub const DEFAULT_SAMPLES: [i64; 10] = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200];

/// Longest job name in bytes: file systems take 255 for a directory, and parts and temporary files add to it.
pub const NAME_LIMIT: usize = 128;

/// `[job]`: the run's name and its randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSpec {
    /// Names the data set's directory: ASCII letters, digits, `-`, `_` and `.`, not beginning with `.`.
    pub name: String,
    /// Keys every random stream of the run.
    pub seed: u64,
    /// How often each cell is drawn anew; 1 to 2³¹ − 1.
    pub replicates: u32,
}

/// `[grid]`: the sizes of the samples.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSpec {
    /// n, observations a sample; 1 to 10¹⁵.
    pub samples: Axis<i64>,
}

/// `[sampler]`: how the moments of a sample are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampler {
    /// The moments themselves, at a cost that does not grow with n.
    Moments,
    /// Every noise vector, n × p normals, and then their moments: the reference.
    Explicit,
}

impl Sampler {
    /// All samplers.
    pub const ALL: [Sampler; 2] = [Sampler::Moments, Sampler::Explicit];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Sampler::Moments => "moments",
            Sampler::Explicit => "explicit",
        }
    }
}

/// A quantity to report of each trained model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// |clean − corrupted| of the (probing) losses.
    Distance,
    /// The share of the representation's variance that is irrelevant noise.
    Leakage,
    /// The spectral gap after the kth eigenvalue, relative to the first.
    Gap,
}

impl Metric {
    /// All metrics in canonical order.
    pub const ALL: [Metric; 3] = [Metric::Distance, Metric::Leakage, Metric::Gap];

    /// The name in job files and of the column.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Metric::Distance => "distance",
            Metric::Leakage => "leakage",
            Metric::Gap => "gap",
        }
    }
}

/// How much of the results is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A row for each replicate.
    Rows,
}

impl Detail {
    /// All levels of detail.
    pub const ALL: [Detail; 1] = [Detail::Rows];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Detail::Rows => "rows",
        }
    }
}

/// `[output]`: what is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSpec {
    /// The metrics, at least one, none twice, in canonical order.
    pub metrics: Vec<Metric>,
    /// How much is kept.
    pub detail: Detail,
}

const SAMPLES: Allowed = Allowed {
    whole: true,
    holds: |value| (1.0..=1e15).contains(&value),
    words: "a whole number from 1 to 10^15",
    help: "a sample needs at least one observation, and past 10^15 the moments of a sample are those of the population \
        to every digit",
};

pub(super) fn read_run(table: &mut TableReader<'_>, file_name: &str) -> Option<RunSpec> {
    let name = read_name(table, file_name);
    let seed =
        table.whole("seed", 0, u64::MAX, DEFAULT_SEED, "the seed is a non-negative integer of 64 bits");
    let most = u64::from(i32::MAX.unsigned_abs());
    let help = "how often each cell is drawn anew, at least once";
    let replicates = table.whole("replicates", 1, most, DEFAULT_REPLICATES.into(), help);
    Some(RunSpec { name: name?, seed: seed?, replicates: u32::try_from(replicates?).ok()? })
}

/// The name, by default the file's without its extension.
fn read_name(table: &mut TableReader<'_>, file_name: &str) -> Option<String> {
    let help = "it names the directory of the results: ASCII letters, digits, `-`, `_` and `.`, not beginning with `.`";
    let stem = || Path::new(file_name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let given = table.text("name", help)?;
    let name = given.unwrap_or_else(stem);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let fault = if name.is_empty() {
        "empty"
    } else if name.starts_with('.') {
        "begins with `.`"
    } else if !name.chars().all(plain) {
        "has other characters"
    } else if name.len() > NAME_LIMIT {
        "too long"
    } else {
        return Some(name.to_owned());
    };
    let place = table.source.place("job.name");
    let message = match given {
        Some(_) => "`job.name` cannot name a directory".to_owned(),
        None => format!(
            "`job.name` is needed: the file's name, {file_name:?}, cannot name the results' directory"
        ),
    };
    // The place of a name that is not given is a header, of which "empty" would be wrong.
    let label = if given.is_some() || place == Place::FILE { fault } else { "no name" };
    table.refuse(&place, message, label, help)
}

pub(super) fn read_grid(table: &mut TableReader<'_>) -> Option<GridSpec> {
    Some(GridSpec { samples: table.wholes("samples", SAMPLES, &DEFAULT_SAMPLES)? })
}

pub(super) fn read_sampler(table: &mut TableReader<'_>) -> Option<Sampler> {
    table.choice("kind", &Sampler::ALL, Sampler::name, Sampler::Moments)
}

pub(super) fn read_output(table: &mut TableReader<'_>) -> Option<OutputSpec> {
    let metrics = table.words("metrics", &Metric::ALL, Metric::name);
    let detail = table.choice("detail", &Detail::ALL, Detail::name, Detail::Rows);
    Some(OutputSpec { metrics: metrics?, detail: detail? })
}
