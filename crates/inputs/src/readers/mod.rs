//! Readers: what each takes from a job's `[data]`, one file each, and one line in [`READERS`].

pub mod idx;

use std::fmt;
use std::path::Path;

pub use idx::IDX;

use crate::{Blocks, ClassLabels, InputError};

/// All readers, by the name of their `source`.
pub static READERS: [&Reader; 1] = [&IDX];

/// A format of files that a job can name.
pub struct Reader {
    /// `[data] source`.
    pub name: &'static str,
    /// What it reads, in a line, for the documentation.
    pub help: &'static str,
    /// The keys of `[data]` that name its files, all of them required, in the order in which
    /// [`read`](Self::read) takes their paths.
    pub files: &'static [FileKey],
    /// What its samples are, in the plural, for messages: `images`.
    pub samples: &'static str,
    /// What its features are, in the plural, for messages: `pixels`.
    pub features: &'static str,
    /// Reads the files, a path for each of [`files`](Self::files).
    pub read: fn(&[&Path]) -> Result<Source, InputError>,
}

/// A key that names a file.
#[derive(Debug)]
pub struct FileKey {
    /// The key.
    pub key: &'static str,
    /// What the file is.
    pub help: &'static str,
}

/// Inputs and labels as a reader found them, not yet compared in number.
#[derive(Debug)]
pub struct Source {
    /// Raw inputs, n × p.
    pub inputs: Box<dyn Blocks>,
    /// The class of each sample.
    pub labels: ClassLabels,
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
