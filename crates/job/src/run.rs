//! `[job]`, `[grid]`, `[sampler]` and `[output]`: what the run is called, how large it is and what it reports.

use std::ops::Range;
use std::path::Path;

use eigensweep_theory::metrics::{self, Asked, Metric};

use super::adaptive::Adaptive;
use super::axis::Axis;
use super::numbers::Allowed;
use super::problem::Place;
use super::read::TableReader;
use super::tree::{Node, Value};

/// Seed unless given.
pub const DEFAULT_SEED: u64 = 0;

/// Replicates unless given: those of the paper's figures.
pub const DEFAULT_REPLICATES: u32 = 100;

/// Sample counts unless given: those of Appendix C, `100 · 2ʲ` for j = 0 … 9.
pub const DEFAULT_SAMPLES: [i64; 10] = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200];

/// Longest job name in bytes: file systems take 255 for a directory, and parts and temporary files add to it.
pub const NAME_LIMIT: usize = 128;

/// Most rows of a part unless given: eight row groups, 25 to 30 MB on disk.
pub const DEFAULT_PART_ROWS: u64 = 8 * ROW_GROUP_ROWS;

/// Rows of a row group: DuckDB's own, so that a reader's vectors are full (5.5 MiB in the writer).
pub const ROW_GROUP_ROWS: u64 = 122_880;

/// Largest `part_rows`: a part is collected in memory, about 100 bytes a row.
pub const MOST_PART_ROWS: u64 = 1 << 24;

/// Share of rows without a value that a run may have unless given.
pub const DEFAULT_MAX_FAILED: f64 = 0.01;

/// `[job]`: the run's name and its randomness.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSpec {
    /// Names the data set's directory: ASCII letters, digits, `-`, `_` and `.`, not beginning with `.`.
    pub name: String,
    /// Keys every random stream of the run.
    pub seed: u64,
    /// How often each cell is drawn anew, at most if that is adaptive; 1 to 2³¹ − 1.
    pub replicates: u32,
    /// When a combination has been drawn often enough; `None` where the number is fixed.
    pub adaptive: Option<Adaptive>,
    /// Number of the first replicate; the last is below 2³¹.
    pub first_replicate: u32,
}

impl RunSpec {
    /// Numbers of the replicates.
    #[must_use]
    pub fn range(&self) -> Range<u32> {
        // The job reader keeps the end below 2³¹.
        self.first_replicate..self.first_replicate.saturating_add(self.replicates)
    }
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

/// How much of the results is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A row for each replicate.
    Rows,
    /// Count, mean, variance, extremes and quantiles over the replicates.
    Summary,
}

impl Detail {
    /// All levels of detail.
    pub const ALL: [Detail; 2] = [Detail::Rows, Detail::Summary];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Detail::Rows => "rows",
            Detail::Summary => "summary",
        }
    }
}

/// `[output]`: what is reported, and how it is laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSpec {
    /// The metrics, at least one, none twice, in canonical order.
    pub metrics: Vec<&'static Metric>,
    /// How much is kept.
    pub detail: Detail,
    /// Most rows of a part (a Parquet file); no row depends on it.
    pub part_rows: u64,
    /// Share of failed rows above which a run counts as failed; no row depends on it.
    pub max_failed: f64,
}

const MAX_FAILED: Allowed = Allowed {
    whole: false,
    holds: |value| (0.0..=1.0).contains(&value),
    words: "from 0 to 1",
    help: "the share of rows without a value above which `run` exits with 3",
};

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
    let (replicates, adaptive) = match table.node("replicates") {
        Some(node @ Node { value: Value::Table(entries), .. }) => {
            let adaptive = table.adaptive(node, &table.path("replicates"), entries);
            (adaptive.map(|adaptive| adaptive.max.into()), adaptive)
        }
        _ => (table.whole("replicates", 1, most, DEFAULT_REPLICATES.into(), help), None),
    };
    if adaptive.is_some() {
        let help = "checkpoints count from the first replicate";
        table.not_applicable(&["first_replicate"], "adaptive replicates", help);
    }
    let help = "the number of the first replicate: the job computes the rest of a longer one";
    let first = table.whole("first_replicate", 0, most - replicates.unwrap_or(1), 0, help);
    let narrow = |count: u64| u32::try_from(count).ok();
    Some(RunSpec {
        name: name?,
        seed: seed?,
        replicates: narrow(replicates?)?,
        adaptive,
        first_replicate: narrow(first?)?,
    })
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
    let all: Vec<&Metric> = metrics::nameable().collect();
    let default: Vec<&Metric> =
        all.iter().copied().filter(|metric| metric.asked == Asked::ByDefault).collect();
    let metrics = match table.node("metrics") {
        None => Some(default),
        Some(_) => table.words("metrics", &all, |metric| metric.name),
    };
    let detail = table.choice("detail", &Detail::ALL, Detail::name, Detail::Rows);
    let help = "rows of a Parquet file: small files for short tests, large ones for long runs";
    let part_rows = table.whole("part_rows", 1, MOST_PART_ROWS, DEFAULT_PART_ROWS, help);
    let max_failed = table.real("max_failed", MAX_FAILED, DEFAULT_MAX_FAILED);
    Some(OutputSpec { metrics: metrics?, detail: detail?, part_rows: part_rows?, max_failed: max_failed? })
}
