//! Readers: what each takes from a job's `[data]`, one file each, and one line in [`READERS`].

use std::fmt;
use std::path::Path;

use crate::{ClassLabels, Images, InputError, read_images, read_labels};

/// All readers, by the name of their `source`.
pub static READERS: [&Reader; 1] = [&IDX];

/// A format of files that a job can name.
pub struct Reader {
    /// `[data] source`.
    pub name: &'static str,
    /// What it reads, in a line, for the documentation.
    pub help: &'static str,
    /// The keys of `[data]` that name its files, all of them required, in the order in which [`read`](Self::read) takes their paths.
    pub files: &'static [FileKey],
    /// Reads the files.
    pub read: fn(&[&Path]) -> Result<(Images, ClassLabels), InputError>,
}

/// A key that names a file.
#[derive(Debug)]
pub struct FileKey {
    /// The key.
    pub key: &'static str,
    /// What the file is.
    pub help: &'static str,
}

/// Images and labels in idx files, MNIST's format.
pub static IDX: Reader = Reader {
    name: "idx",
    help: "images and labels in idx files (MNIST's format), plain or gzip",
    files: &[
        FileKey {
            key: "images",
            help: "the path of an idx file, plain or gzipped, relative to the job file",
        },
        FileKey {
            key: "labels",
            help: "the path of an idx file, plain or gzipped, relative to the job file",
        },
    ],
    read: |paths| match paths {
        [images, labels] => Ok((read_images(images)?, read_labels(labels)?)),
        _ => Err(InputError::Dimension { what: "paths of an idx source", expected: 2, found: paths.len() }),
    },
};

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
