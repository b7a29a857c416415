//! Readers: what each takes from a job's `[data]`, one file each, and one line in [`READERS`].
//!
//! A reader gives what is asked of one file ([`Wanted`]): inputs, and columns beside them that hold
//! labels or groups. Which files a job names, and what of them, is the same for all formats
//! ([`source`](crate::source)).

mod choose;
pub mod csv;
pub mod h5ad;
pub mod idx;
pub mod mtx;
pub mod npy;
pub mod npz;
pub mod parquet;

use std::fmt;
use std::path::{Path, PathBuf};

pub use csv::CSV;
pub use h5ad::H5AD;
pub use idx::IDX;
pub use mtx::MTX;
pub use npy::NPY;
pub use npz::NPZ;
pub use parquet::PARQUET;

use crate::{Blocks, InputError};

/// All readers, by the name of their `source`.
pub static READERS: [&Reader; 7] = [&IDX, &NPY, &NPZ, &CSV, &PARQUET, &MTX, &H5AD];

/// A format of files that a job can name.
pub struct Reader {
    /// `[data] source`.
    pub name: &'static str,
    /// What it reads, in a line, for the documentation.
    pub help: &'static str,
    /// The key of `[data]` that names the file of inputs.
    pub inputs: FileKey,
    /// What of the file can be chosen, in the order of the documentation.
    pub choices: &'static [Choice],
    /// Whether a file has columns with names beside its inputs: a bare name of labels is then one
    /// of them.
    pub columns: bool,
    /// Whether its samples are images, whose values a job with stages maps to \[0, 1\].
    pub images: bool,
    /// What its samples are, in the plural, for messages: `images`.
    pub samples: &'static str,
    /// What its features are, in the plural, for messages: `pixels`.
    pub features: &'static str,
    /// The files that stand for a path: the path itself, or what is in a directory of that name.
    pub files: fn(&Path) -> Vec<PathBuf>,
    /// Reads what is wanted of a file.
    pub read: fn(&Path, &Wanted<'_>) -> Result<Contents, InputError>,
}

/// A key that names a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileKey {
    /// The key.
    pub key: &'static str,
    /// What the file is.
    pub help: &'static str,
}

/// `inputs`, the key of all formats but that of MNIST.
pub const INPUTS: FileKey = FileKey {
    key: "inputs",
    help: "the path of the file of inputs, a sample a row, relative to the job file",
};

/// What a job can choose of a file, each a key of `[data]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// `matrix`: which of several arrays holds the inputs.
    Matrix,
    /// `columns`: which columns are inputs.
    Columns,
    /// `rows`: whether rows are samples or features.
    Rows,
}

impl Choice {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Matrix, Self::Columns, Self::Rows];

    /// The key.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Matrix => "matrix",
            Self::Columns => "columns",
            Self::Rows => "rows",
        }
    }
}

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// Samples.
    Samples,
    /// Features: a sample is a column.
    Features,
}

impl Orientation {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Samples, Self::Features];

    /// The name in job files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Features => "features",
        }
    }
}

/// What is chosen of a file; what its reader does not let choose is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chosen {
    /// The array that holds the inputs; the format's own choice if `None`.
    pub matrix: Option<String>,
    /// Patterns of the names of the columns that are inputs, in which `*` stands for any letters
    /// and `?` for one; one that begins with `!` takes columns out again. None: all that are not
    /// wanted otherwise.
    pub columns: Vec<String>,
    /// What rows are; the format's own choice if `None`.
    pub rows: Option<Orientation>,
}

impl Chosen {
    /// Whether a column of that name is among the inputs, as far as the patterns go.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        let mut chosen = self.columns.first().is_none_or(|first| first.starts_with('!'));
        for pattern in &self.columns {
            let (out, pattern) = pattern.strip_prefix('!').map_or((false, &**pattern), |rest| (true, rest));
            if matches(pattern, column) {
                chosen = !out;
            }
        }
        chosen
    }
}

/// Whether a name is like a pattern with `*` and `?`; in time quadratic in the lengths at most.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star is, and how far it has taken letters.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&letter) if letter == '?' || letter == name[n] => {
                p += 1;
                n += 1;
            }
            Some(_) | None => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, n) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&letter| letter == '*')
}

/// What is wanted of a file.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Which inputs; `None` where none are wanted.
    pub inputs: Option<&'a Chosen>,
    /// Columns beside them, by name; `None` stands for the only one that the file has. They are no
    /// inputs, whatever is chosen.
    pub columns: &'a [Option<&'a str>],
}

/// What a file gave.
#[derive(Debug, Default)]
pub struct Contents {
    /// The inputs, if they were wanted.
    pub inputs: Option<Inputs>,
    /// The columns that were wanted, in this order.
    pub columns: Vec<Column>,
    /// The names of the columns that are neither, where columns can be chosen.
    pub others: Vec<String>,
}

/// Inputs as they were read.
#[derive(Debug)]
pub struct Inputs {
    /// n × p.
    pub rows: Box<dyn Blocks>,
    /// The names of the features (p), or none where the file has none.
    pub names: Vec<String>,
}

/// A column beside the inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// Class numbers from 0, of which not all may occur.
    Numbered(Vec<u16>),
    /// Numbers, all finite.
    Numbers(Vec<f64>),
    /// Words.
    Words(Vec<String>),
}

/// The file itself, for formats of one file.
#[must_use]
pub fn one_file(path: &Path) -> Vec<PathBuf> {
    vec![path.to_owned()]
}

/// Refuses the name of a column of a file that has none.
pub(crate) fn no_names(path: &Path, name: Option<&str>, file: &str) -> Result<(), InputError> {
    let Some(name) = name else { return Ok(()) };
    Err(InputError::NoSuch {
        path: path.to_owned(),
        what: "column",
        name: name.to_owned(),
        there: format!("{file} has no names: leave the name out"),
    })
}

/// The reader of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Reader> {
    READERS.into_iter().find(|reader| reader.name == name)
}

impl PartialEq for Reader {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Reader {}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Chosen, matches};

    #[test]
    fn stars_and_question_marks_stand_for_letters() {
        for (pattern, name, expected) in [
            ("pixel*", "pixel12", true),
            ("pixel*", "label", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("p?", "p1", true),
            ("p?", "p12", false),
            ("*a*b", "xaxxab", true),
            ("*a*b", "xaxxa", false),
            ("größe?", "größe1", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_with_an_exclamation_mark_take_columns_out() {
        let chosen = |patterns: &[&str]| Chosen {
            columns: patterns.iter().map(|&pattern| pattern.to_owned()).collect(),
            ..Chosen::default()
        };
        for (patterns, name, expected) in [
            (&[][..], "id", true),
            (&["!id"], "id", false),
            (&["!id"], "x", true),
            (&["x*", "!x1"], "x1", false),
            (&["x*", "!x1"], "x2", true),
            (&["x*", "!x1"], "id", false),
        ] {
            assert_eq!(chosen(patterns).has(name), expected, "{patterns:?} {name}");
        }
    }
}
