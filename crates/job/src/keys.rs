//! The keys of a job file, each declared once: reader, printer, axes, identity, documentation and
//! commented jobs follow from [`KEYS`].
//!
//! A key that means another thing beside other words (`data.components` of drawn data and of files)
//! is declared once for each meaning; at most one of them applies to a job.
//!
//! What a key is stands here, and each key in `table`.

mod table;

use std::fmt::Write;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use eigensweep_inputs::readers::{READERS, Reader};
pub(super) use eigensweep_inputs::source::{GROUPS, LABELS, TARGETS};
pub(super) use table::{GAUSSIAN, GLYPHS, MEDIAN, REPLICATES, test_key};

use super::chains;
use super::numbers::Allowed;
use super::spec::SpectrumShape;
use super::values::Values;

/// Every key, table by table, in the order in which `to_toml` prints them.
pub static KEYS: LazyLock<Vec<Key>> = LazyLock::new(table::declare);

/// A key of a job file.
pub struct Key {
    /// The table of the job file that the key stands in.
    pub table: &'static str,
    /// The key's name within the table.
    pub name: &'static str,
    /// The key as messages spell it, `table.name`.
    pub path: String,
    /// Conditions on other keys of the table, all of which must hold for this key to have a
    /// meaning.
    pub when: Vec<When>,
    /// The values that the key takes.
    pub(super) kind: Kind,
    /// What the key is unless given.
    pub default: Default,
    /// The axis that the key's values make, if it may have several.
    pub axis: Option<Column>,
    /// Whether the key also takes multiples of the data's largest eigenvalue, `{ relative = x }`.
    pub relative: bool,
    /// What the key is part of.
    pub enters: Identity,
    /// Which commented jobs show the key.
    pub shown: Shown,
    /// Whether the key is left out of the printed job at its default. For keys that are younger
    /// than data sets, whose identity is that of the printed job; the default is then as `to_toml`
    /// prints it.
    pub silent: bool,
    /// The key under which its value is kept and printed, if that is another one, of which this is
    /// a second name.
    pub same_as: Option<&'static str>,
    /// What the key means, in a line.
    pub help: String,
}

/// Stands for the choice between a job of spectra and one with stages, which no key names: a job
/// has stages where a key that holds some is given.
pub(super) const VIEWS: &str = "views";

/// The choice of a job with stages.
pub(super) const STAGES: &str = "stages";

/// The other one.
pub(super) const SPECTRAL: &str = "spectral";

/// A condition on another key, which is declared before, or on the kind of the views.
pub struct When {
    /// The other key: its path, or its name in the same table.
    pub key: &'static str,
    /// The other key's words with which the condition holds, or `a number` or `a list` where it
    /// takes these.
    pub is: Vec<&'static str>,
    /// What else the other key may be, and why this one has no meaning then; made up from the names
    /// if `None`.
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
    /// A list of numbers, no two the same.
    Numbers(Allowed),
    /// A number, or one of these words.
    NumberOr(Allowed, &'static [&'static str]),
    /// The name of a shape, or a list of eigenvalues.
    Spectrum(Allowed),
    /// How many replicates, or when there are enough.
    Replicates,
    /// A chain of stages, whose axes are of a level.
    Stages(Level),
    /// A table with a chain of stages, `{ stages = […] }`, whose axes are of a level.
    Own(Level),
    /// Channels, rows and columns.
    Shape,
    /// Two numbers, the smaller one first, or one of these words.
    Range(&'static [&'static str]),
    /// Columns of the inputs' file, or of a file of their own.
    Columns,
    /// Patterns of names.
    Patterns,
    /// True or false.
    Flag,
}

/// What a key is unless given.
pub enum Default {
    /// It must be given.
    Required,
    /// A value, in TOML.
    Is(String),
    /// A value beside a named spectrum, and another one beside a list of eigenvalues; both in TOML.
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

/// Which commented jobs show a key: those of its own kind, and longer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shown {
    /// Every one.
    Minimal,
    /// That of the keys that most jobs set.
    Common,
    /// The full one only.
    Full,
}

impl When {
    /// Table and name of the other key, of a condition of a key of that table.
    pub(super) fn place(&self, table: &'static str) -> (&'static str, &'static str) {
        self.key.split_once('.').unwrap_or((table, self.key))
    }

    /// The path of the other key.
    pub(super) fn path(&self, table: &'static str) -> String {
        if self.key == VIEWS {
            return VIEWS.to_owned();
        }
        let (table, name) = self.place(table);
        format!("{table}.{name}")
    }
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
    let mut keys: Vec<&Key> = KEYS.iter().filter(|key| key.axis.is_some()).collect();
    keys.sort_by_key(|key| key.table != "grid");
    unique(keys.into_iter().map(|key| key.path.as_str()))
}

/// Whether a key that is given makes a job one with stages.
pub(super) fn makes_stages(table: &str, name: &str) -> bool {
    named(table, name).any(|key| matches!(key.kind, Kind::Stages(_) | Kind::Own(_)))
        || (table, name) == ("corruption", "severity")
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
            Kind::Numbers(allowed) => format!("a list of numbers {}", allowed.words),
            Kind::NumberOr(allowed, words) => {
                format!("{}, or {}", number(allowed), quoted(words).join(" or "))
            }
            Kind::Spectrum(allowed) => {
                format!("{}, or a list, each {}", quoted(&SpectrumShape::NAMES).join(", "), number(allowed))
            }
            Kind::Replicates => {
                format!("{}, or `{{ min, max, relative_error }}`", in_words(&REPLICATES))
            }
            Kind::Stages(_) => "a list of stages".to_owned(),
            Kind::Own(_) => "`{ stages = […] }`".to_owned(),
            Kind::Shape => "`[channels, rows, columns]`".to_owned(),
            Kind::Range(words) => format!("`[low, high]`, or {}", quoted(words).join(" or ")),
            Kind::Columns => "a column, a path, or `{ file, column }`".to_owned(),
            Kind::Flag => "`true` or `false`".to_owned(),
            Kind::Patterns => "a list of names, in which `*` stands for any letters".to_owned(),
        };
        if self.relative {
            words.push_str(", or `{ relative = x }` with x above 0");
        }
        if self.axis.is_some() {
            words.push_str("; *axis*");
        }
        words
    }

    /// What the key is unless given, in words.
    #[must_use]
    pub fn unless_given(&self) -> String {
        match &self.default {
            Default::Required => "*required*".to_owned(),
            Default::Is(value) => format!("`{value}`"),
            Default::Listed { named, words, .. } => format!("`{named}`; of a list {words}"),
            Default::Derived(words) => (*words).to_owned(),
        }
    }

    /// The conditions of `when` in words; empty if there are none.
    #[must_use]
    pub fn condition(&self) -> String {
        let each = self.when.iter().map(|when| match when.key {
            VIEWS if when.is.contains(&STAGES) => "there are stages".to_owned(),
            VIEWS => "there are no stages".to_owned(),
            key => {
                let reads = |reader: &&Reader| when.is.contains(&reader.name);
                let files = READERS.iter().filter(|reader| reads(reader)).count();
                match (files == READERS.len(), when.is.contains(&GLYPHS)) {
                    (true, true) => format!("{key} is not {GAUSSIAN}"),
                    (true, false) => format!("{key} is files"),
                    (false, _) => format!("{key} is {}", when.is.join(" or ")),
                }
            }
        });
        each.collect::<Vec<_>>().join(", ")
    }

    /// Whether the key can have a meaning in a job with stages, or in one without.
    pub(super) fn is_for(&self, views: &str) -> bool {
        self.when.iter().all(|when| when.key != VIEWS || when.is.contains(&views))
    }

    /// Whether the key can have a meaning beside a source of data.
    pub(super) fn is_of(&self, source: &str) -> bool {
        self.table != "data" || self.when.iter().all(|when| when.key != "source" || when.is.contains(&source))
    }

    fn when(mut self, key: &'static str, is: &'static str) -> Self {
        self.when.push(When { key, is: vec![is], otherwise: None });
        self
    }

    /// What the last condition says when it fails: what is there instead, and why that excludes the
    /// key.
    fn because(mut self, circumstance: &'static str, help: &'static str) -> Self {
        if let Some(when) = self.when.last_mut() {
            when.otherwise = Some((circumstance, help));
        }
        self
    }

    fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }

    fn axis(mut self, name: &'static str, level: Level) -> Self {
        self.axis = Some(Column { name, level });
        self.enters(Identity::Extensible)
    }

    fn enters(mut self, enters: Identity) -> Self {
        self.enters = enters;
        self
    }

    /// Takes `{ relative = x }`, too.
    fn relative(mut self) -> Self {
        self.relative = true;
        self
    }

    /// Is not printed at its default.
    fn silent(mut self) -> Self {
        self.silent = true;
        self
    }

    /// Is another name of a key.
    fn same_as(mut self, path: &'static str) -> Self {
        self.same_as = Some(path);
        self
    }

    fn shown(mut self, shown: Shown) -> Self {
        self.shown = shown;
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
            let cells = [key.condition(), key.allowed(), key.unless_given(), key.help.clone()];
            let _ = writeln!(text, "| `{}` | {} |", key.name, cells.join(" | "));
        }
        text.push('\n');
    }
    text.push_str(&chains::markdown());
    text
}
