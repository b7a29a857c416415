//! The keys of a job file, each declared once: reader, printer, axes, identity and documentation
//! follow from [`KEYS`].
//!
//! A key that means another thing beside other words (`data.components` of drawn data and of files)
//! is declared once for each meaning; at most one of them applies to a job.

use std::fmt::Write;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use eigensweep_inputs::readers::READERS;
use eigensweep_theory::metrics::{self, Asked};
use eigensweep_theory::paradigms;
use eigensweep_theory::views::KINDS;

use super::numbers::Allowed;
use super::spec::{Detail, MOST_PART_ROWS, ROW_GROUP_ROWS, Sampler, SpectrumShape};
use super::values::Values;

/// Every key, table by table, in the order in which `to_toml` prints them.
pub static KEYS: LazyLock<Vec<Key>> = LazyLock::new(declare);

/// A key of a job file.
pub struct Key {
    /// Its table.
    pub table: &'static str,
    /// Its name within the table.
    pub name: &'static str,
    /// The name as messages spell it, `table.name`.
    pub path: String,
    /// Conditions on other keys of the table, all of which must hold for this key to have a meaning.
    pub when: Vec<When>,
    /// Which values it takes.
    pub(super) kind: Kind,
    /// What it is unless given.
    pub default: Default,
    /// The axis that its values make, if it may have several.
    pub axis: Option<Column>,
    /// What it is part of.
    pub enters: Identity,
    /// Whether it is left out of the printed job at its default. For keys that are younger than data
    /// sets, whose identity is that of the printed job; the default is then as `to_toml` prints it.
    pub silent: bool,
    /// What it means, in a line.
    pub help: String,
}

/// A condition on another key of the same table, which is declared before.
pub struct When {
    /// The other key.
    pub key: &'static str,
    /// Its choices (see [`Given::choice`](super::values::Given::choice)) with which the condition holds.
    pub is: Vec<&'static str>,
    /// What else it may be, and why the key has no meaning then; made up from the names if `None`.
    pub(super) otherwise: Option<(&'static str, &'static str)>,
}

/// The values that a key takes.
pub(super) enum Kind {
    /// A string.
    Text,
    /// The path of a file.
    Path,
    /// One of these words.
    Word(Vec<&'static str>),
    /// A list of some of these words.
    Words(Vec<&'static str>),
    /// A whole number of up to 64 bits between bounds that may depend on keys read before.
    Whole(fn(&Values) -> RangeInclusive<u64>),
    /// A number; an axis of them where the key has a column.
    Number(Allowed),
    /// The name of a shape, or a list of eigenvalues.
    Spectrum(Allowed),
    /// How many replicates, or when there are enough.
    Replicates,
}

/// What a key is unless given.
pub enum Default {
    /// It must be given.
    Required,
    /// A value, in TOML.
    Is(String),
    /// A value, in TOML, beside a named spectrum, and another one beside a list of eigenvalues.
    Listed {
        /// The value beside a named spectrum.
        named: &'static str,
        /// The value beside a list of so many eigenvalues.
        listed: fn(usize) -> String,
        /// The latter in words.
        words: &'static str,
    },
    /// No value of its own: what happens then, in words.
    Derived(&'static str),
}

/// An axis of the grid as a column of the data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The column's name.
    pub name: &'static str,
    /// What a step along the axis changes.
    pub level: Level,
}

/// What a step along an axis changes, from the whole data down to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The population that samples are drawn from: axes of `[data]`.
    Data,
    /// The number of samples.
    Samples,
    /// The noise of the samples: axes of `[corruption]`.
    Noise,
    /// The views of clean and of corrupted inputs.
    Views,
    /// The views of corrupted inputs alone.
    Within,
    /// The dimension of the representation.
    Dimension,
}

/// What a key is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// What all rows of a data set share.
    Study,
    /// What may grow from run to run of one study: axes, replicates, the layout of files.
    Extensible,
    /// Nothing that a file depends on: names, paths, limits.
    Nothing,
}

/// The first declaration of a key: column and identity are the same in all.
#[must_use]
pub fn find(table: &str, name: &str) -> Option<&'static Key> {
    named(table, name).next()
}

/// What the key `table.name` is part of; an unknown one is part of the study.
#[must_use]
pub fn enters(path: &str) -> Identity {
    KEYS.iter().find(|key| key.path == path).map_or(Identity::Study, |key| key.enters)
}

/// All declarations of a key.
pub(super) fn named<'n>(table: &'n str, name: &'n str) -> impl Iterator<Item = &'static Key> + use<'n> {
    KEYS.iter().filter(move |key| key.table == table && key.name == name)
}

/// The tables, in canonical order.
#[must_use]
pub fn tables() -> Vec<&'static str> {
    unique(KEYS.iter().map(|key| key.table))
}

/// The names of a table's keys, in canonical order.
#[must_use]
pub fn names(table: &str) -> Vec<&'static str> {
    unique(KEYS.iter().filter(|key| key.table == table).map(|key| key.name))
}

/// Paths of the keys that can be axes, samples first.
pub(super) fn axes() -> Vec<&'static str> {
    let (samples, others): (Vec<&Key>, Vec<&Key>) = KEYS
        .iter()
        .filter(|key| key.axis.is_some())
        .partition(|key| key.axis.is_some_and(|column| column.level == Level::Samples));
    unique(samples.into_iter().chain(others).map(|key| key.path.as_str()))
}

/// Items without repeats, in the order of their first appearance.
pub(super) fn unique<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::new();
    for item in items {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    kept
}

impl Key {
    /// Which values the key takes, in words.
    #[must_use]
    pub fn allowed(&self) -> String {
        let quoted = |words: &[&str]| words.iter().map(|word| format!("`{word:?}`")).collect::<Vec<_>>();
        let number = |allowed: &Allowed| {
            if allowed.whole { allowed.words.to_owned() } else { format!("a number {}", allowed.words) }
        };
        let mut words = match &self.kind {
            Kind::Text => "a string".to_owned(),
            Kind::Path => "a path".to_owned(),
            Kind::Word(words) => quoted(words).join(" or "),
            Kind::Words(words) => format!("a list of any of {}", quoted(words).join(", ")),
            Kind::Whole(within) => in_words(&within(&Values::default())),
            Kind::Number(allowed) => number(allowed),
            Kind::Spectrum(allowed) => {
                format!("{}, or a list, each {}", quoted(&SpectrumShape::NAMES).join(", "), number(allowed))
            }
            Kind::Replicates => {
                format!("{}, or `{{ min, max, relative_error }}`", in_words(&REPLICATES))
            }
        };
        if self.axis.is_some() {
            words.push_str("; *axis*");
        }
        words
    }

    /// The conditions of [`when`](Self::when) in words; empty if there are none.
    #[must_use]
    pub fn condition(&self) -> String {
        let each = self.when.iter().map(|when| format!("{} is {}", when.key, when.is.join(" or ")));
        each.collect::<Vec<_>>().join(", ")
    }

    fn when(mut self, key: &'static str, is: &[&'static str]) -> Self {
        self.when.push(When { key, is: is.to_vec(), otherwise: None });
        self
    }

    fn when_else(self, key: &'static str, is: &'static str, otherwise: (&'static str, &'static str)) -> Self {
        let mut key = self.when(key, &[is]);
        if let Some(when) = key.when.last_mut() {
            when.otherwise = Some(otherwise);
        }
        key
    }

    fn axis(mut self, name: &'static str, level: Level) -> Self {
        self.axis = Some(Column { name, level });
        self.enters(Identity::Extensible)
    }

    fn enters(mut self, enters: Identity) -> Self {
        self.enters = enters;
        self
    }
}

/// A whole number between two bounds, in words.
pub(super) fn in_words(range: &RangeInclusive<u64>) -> String {
    format!("a whole number from {} to {}", range.start(), range.end())
}

/// The table of all keys in Markdown: a section a table of the job file, in canonical order.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for table in tables() {
        let _ = writeln!(text, "### `[{table}]`\n");
        text.push_str("| key | where | value | default | meaning |\n|---|---|---|---|---|\n");
        for key in KEYS.iter().filter(|key| key.table == table) {
            let default = match &key.default {
                Default::Required => "*required*".to_owned(),
                Default::Is(value) => format!("`{value}`"),
                Default::Listed { named, words, .. } => format!("`{named}`; of a list {words}"),
                Default::Derived(words) => (*words).to_owned(),
            };
            let (condition, allowed) = (key.condition(), key.allowed());
            let _ = writeln!(text, "| `{}` | {condition} | {allowed} | {default} | {} |", key.name, key.help);
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Most of what is counted in 31 bits: replicates, classes.
const MOST: u64 = i32::MAX.unsigned_abs() as u64;

/// How many replicates there may be.
pub(super) const REPLICATES: RangeInclusive<u64> = 1..=MOST;

/// A number of components or dimensions; the data set's columns hold it in 32 bits.
const DIMENSION: Allowed = Allowed {
    whole: true,
    holds: |value| (1.0..=2_147_483_647.0).contains(&value),
    words: "a whole number from 1 to 2147483647",
    help: "it counts components, of which there must be one",
};

const SAMPLES: Allowed = Allowed {
    whole: true,
    holds: |value| (1.0..=1e15).contains(&value),
    words: "a whole number from 1 to 10^15",
    help: "a sample needs at least one observation, and past 10^15 the moments of a sample are those of the population \
        to every digit",
};

const SEPARATION: Allowed = Allowed {
    whole: false,
    holds: |value| value > 0.0 && value < 1.0,
    words: "above 0 and below 1",
    help: "the share of the variance along the class directions that lies between classes: at 0 there are no classes, \
        at 1 nothing else",
};

const LABEL_NOISE: Allowed = Allowed {
    whole: false,
    holds: |value| (0.0..=1.0).contains(&value),
    words: "from 0 to 1",
    help: "the share of the labels' variance that is noise",
};

const MAX_FAILED: Allowed = Allowed {
    whole: false,
    holds: |value| (0.0..=1.0).contains(&value),
    words: "from 0 to 1",
    help: "the share of rows without a value above which `run` exits with 3",
};

/// Variances that may be zero.
const NOT_NEGATIVE: Allowed = Allowed {
    whole: false,
    holds: |value| value >= 0.0,
    words: "at least 0",
    help: "eigenvalues of a covariance are variances: 0 leaves the direction without any",
};

/// Variances of components that are there.
const POSITIVE: Allowed = Allowed {
    whole: false,
    holds: |value| value > 0.0,
    words: "above 0",
    help: "every important component has a positive variance",
};

const DECAY: Allowed = Allowed {
    whole: false,
    holds: |value| value >= 0.0,
    words: "at least 0",
    help: "eigenvalue i is scale · i^(−decay): the first is the largest, and 0 makes all equal",
};

fn key(
    table: &'static str,
    name: &'static str,
    kind: Kind,
    default: Default,
    help: impl Into<String>,
) -> Key {
    Key {
        table,
        name,
        path: format!("{table}.{name}"),
        when: Vec::new(),
        kind,
        default,
        axis: None,
        enters: Identity::Study,
        silent: false,
        help: help.into(),
    }
}

fn is(value: impl Into<String>) -> Default {
    Default::Is(value.into())
}

/// One of these words, the first unless given.
fn word(table: &'static str, name: &'static str, words: Vec<&'static str>, help: impl Into<String>) -> Key {
    let default = is(words.first().map_or_else(String::new, |word| format!("{word:?}")));
    key(table, name, Kind::Word(words), default, help)
}

/// `spectrum`, `scale` and `decay` of one covariance: its shape and largest eigenvalue unless given.
fn spectrum(
    table: &'static str,
    (shape, scale): (&'static str, &'static str),
    allowed: Allowed,
    [scales, decays]: [&'static str; 2],
    level: Level,
) -> [Key; 3] {
    let scale = Default::Listed { named: scale, listed: |_| "1".to_owned(), words: "`1`" };
    let power_law = ("this spectrum", "only spectrum = \"power-law\" has a decay");
    [
        key(
            table,
            "spectrum",
            Kind::Spectrum(allowed),
            is(shape),
            "how the eigenvalues relate to each other",
        ),
        key(
            table,
            "scale",
            Kind::Number(allowed),
            scale,
            "the largest eigenvalue (of `\"uniform\"` its upper bound), or what multiplies a list",
        )
        .axis(scales, level),
        // 1/i: a convention, not derived.
        key(table, "decay", Kind::Number(DECAY), is("1"), DECAY.help)
            .when_else("spectrum", SpectrumShape::POWER_LAW, power_law)
            .axis(decays, level),
    ]
}

/// A number of components: those of Appendix C, or as many as a list of eigenvalues has.
fn components(table: &'static str, help: &'static str, column: &'static str, level: Level) -> Key {
    let listed = |length: usize| length.to_string();
    let default = Default::Listed { named: "50", listed, words: "its length" };
    key(table, "components", Kind::Number(DIMENSION), default, help).axis(column, level)
}

/// Keys whose meaning hangs on a word before all their other conditions.
fn only(keys: impl IntoIterator<Item = Key>, name: &'static str, is: &[&'static str]) -> Vec<Key> {
    let mut keys: Vec<Key> = keys.into_iter().collect();
    for key in &mut keys {
        key.when.insert(0, When { key: name, is: is.to_vec(), otherwise: None });
    }
    keys
}

/// Every key, in canonical order.
fn declare() -> Vec<Key> {
    [job(), data(), corruption(), augmentation(), model_and_grid(), sampler_and_output()]
        .into_iter()
        .flatten()
        .collect()
}

fn job() -> Vec<Key> {
    let name = "it names the directory of the results: ASCII letters, digits, `-`, `_` and `.`, not beginning with `.`";
    let left = |values: &Values| 0..=MOST - values.whole("job.replicates").unwrap_or(1);
    let adaptive = ("adaptive replicates", "checkpoints count from the first replicate");
    vec![
        key("job", "name", Kind::Text, Default::Derived("the file's name without extension"), name)
            .enters(Identity::Nothing),
        key(
            "job",
            "seed",
            Kind::Whole(|_| 0..=u64::MAX),
            is("0"),
            "the seed is a non-negative integer of 64 bits",
        ),
        // Those of the paper's figures.
        key(
            "job",
            "replicates",
            Kind::Replicates,
            is("100"),
            "how often each cell is drawn anew, at least once",
        )
        .enters(Identity::Extensible),
        key(
            "job",
            "first_replicate",
            Kind::Whole(left),
            is("0"),
            "the number of the first replicate: the job computes the rest of a longer one",
        )
        .when_else("replicates", "a number", adaptive)
        .enters(Identity::Extensible),
    ]
}

fn data() -> Vec<Key> {
    const DRAWN: &str = "gaussian";
    let files: Vec<&'static str> = READERS.iter().map(|reader| reader.name).collect();
    let sources = [&[DRAWN], &files[..]].concat();
    let mut help = "where inputs and labels come from: `\"gaussian\"` draws them".to_owned();
    for reader in READERS {
        let _ = write!(help, "; `{:?}` reads {}", reader.name, reader.help);
    }
    let mut keys = vec![word("data", "source", sources, help)];
    for reader in READERS {
        let file = |file: &'static eigensweep_inputs::readers::FileKey| {
            key("data", file.key, Kind::Path, Default::Required, file.help).enters(Identity::Nothing)
        };
        keys.extend(only(reader.files.iter().map(file), "source", &[reader.name]));
    }
    let raw = Default::Derived("the raw features");
    let principal =
        key("data", "components", Kind::Number(DIMENSION), raw, "k₀, the principal components to keep")
            .axis("signal_components", Level::Data);
    // A scale equal to that of the views (Appendix C): the weak noise of Appendix C (10³) then lies below the
    // strongest signal and above the weakest.
    let shape =
        spectrum("data", ("\"power-law\"", "1e4"), POSITIVE, ["signal_scale", "signal_decay"], Level::Data);
    let count = |low: fn(&Values) -> RangeInclusive<u64>, help| {
        key("data", "label_count", Kind::Whole(low), is("10"), help)
    };
    let drawn = [components(
        "data",
        "k₀, the number of important components",
        "signal_components",
        Level::Data,
    )]
    .into_iter()
    .chain(shape)
    .chain([
        word(
            "data",
            "teacher",
            vec!["classes", "linear"],
            "how labels come from the signal: one-hot classes with means of their own, or linear targets",
        ),
        count(|_| 2..=MOST, "ℓ, the number of classes: one class is no distinction")
            .when("teacher", &["classes"]),
        count(|_| 1..=MOST, "ℓ, the number of targets").when("teacher", &["linear"]),
        key("data", "separation", Kind::Number(SEPARATION), is("0.5"), SEPARATION.help)
            .when("teacher", &["classes"])
            .axis("separation", Level::Data),
        // Not 0, so that the best loss is not zero.
        key("data", "label_noise", Kind::Number(LABEL_NOISE), is("0.1"), LABEL_NOISE.help)
            .when("teacher", &["linear"])
            .axis("label_noise", Level::Data),
    ]);
    keys.extend(only(drawn, "source", &[DRAWN]));
    keys.extend(only([principal], "source", &files));
    keys
}

fn corruption() -> Vec<Key> {
    let mut keys = vec![
        word(
            "corruption",
            "kind",
            vec!["spectral"],
            "Gaussian noise γ ~ N(0, Γ), once a sample (Section 4.1)",
        ),
        components("corruption", "p, the number of noise components", "noise_components", Level::Noise),
    ];
    let columns = ["noise_scale", "noise_decay"];
    keys.extend(spectrum("corruption", ("\"uniform\"", "1e3"), NOT_NEGATIVE, columns, Level::Noise));
    keys
}

fn augmentation() -> Vec<Key> {
    const TABLE: &str = "augmentation";
    let kinds = KINDS.iter().map(|kind| kind.name).collect();
    let help = KINDS.iter().map(|kind| format!("`{:?}`: {}", kind.name, kind.help)).collect::<Vec<_>>();
    let mut keys = vec![word(TABLE, "kind", kinds, help.join("; "))];
    let own: Vec<&'static str> = KINDS.iter().filter(|kind| kind.spectrum).map(|kind| kind.name).collect();
    let columns = ["augmentation_scale", "augmentation_decay"];
    let shape = spectrum(TABLE, ("\"uniform\"", "1e4"), NOT_NEGATIVE, columns, Level::Views);
    keys.extend(only(shape, "kind", &own));
    for kind in KINDS {
        let parameter = |parameter: &'static eigensweep_theory::views::Parameter| {
            let allowed = Allowed {
                whole: false,
                holds: parameter.holds,
                words: parameter.words,
                help: parameter.help,
            };
            let default = is(format!("{:?}", parameter.default));
            let level = if parameter.clean { Level::Views } else { Level::Within };
            key(TABLE, parameter.key, Kind::Number(allowed), default, parameter.help)
                .axis(parameter.column, level)
        };
        keys.extend(only(kind.parameters.iter().map(parameter), "kind", &[kind.name]));
    }
    keys
}

fn model_and_grid() -> Vec<Key> {
    let all: Vec<&'static str> = paradigms::ALL.iter().map(|paradigm| paradigm.name).collect();
    let default = Default::Derived("`data.components`, if that is one number; otherwise *required*");
    vec![
        key("model", "paradigms", Kind::Words(all.clone()), is(format!("{all:?}")), "what is trained"),
        key(
            "model",
            "dimension",
            Kind::Number(DIMENSION),
            default,
            "k, the number of features that each model learns, at most k₀ + p",
        )
        .axis("dimension", Level::Dimension),
        // Those of Appendix C.
        key(
            "grid",
            "samples",
            Kind::Number(SAMPLES),
            is("{ from = 100, to = 51200, ratio = 2 }"),
            "n, the observations of a sample",
        )
        .axis("samples", Level::Samples),
    ]
}

fn sampler_and_output() -> Vec<Key> {
    let metrics: Vec<&'static str> = metrics::nameable().map(|metric| metric.name).collect();
    let by_default = metrics::nameable().filter(|metric| metric.asked == Asked::ByDefault);
    let by_default: Vec<&str> = by_default.map(|metric| metric.name).collect();
    vec![
        word(
            "sampler",
            "kind",
            Sampler::ALL.map(Sampler::name).to_vec(),
            "how moments are drawn: themselves, or from every noise vector (n up to 10⁸)",
        ),
        key("output", "metrics", Kind::Words(metrics), is(format!("{by_default:?}")), "what is reported"),
        word(
            "output",
            "detail",
            Detail::ALL.map(Detail::name).to_vec(),
            "a row a replicate, or count, mean, variance, extremes and quantiles over replicates only",
        ),
        // Eight row groups: 25 to 30 MB on disk.
        key(
            "output",
            "part_rows",
            Kind::Whole(|_| 1..=MOST_PART_ROWS),
            is((8 * ROW_GROUP_ROWS).to_string()),
            "rows of a Parquet file: small files for short tests, large ones for long runs",
        )
        .enters(Identity::Extensible),
        key("output", "max_failed", Kind::Number(MAX_FAILED), is("0.01"), MAX_FAILED.help)
            .enters(Identity::Nothing),
    ]
}
