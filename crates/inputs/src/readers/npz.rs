//! `npz`: several arrays of NumPy's in a zip archive (numpy.savez, numpy.savez_compressed), of
//! which one is the inputs and others are labels, targets or groups, by name; or a sparse matrix of
//! SciPy's (scipy.sparse.save_npz).
//!
//! **Which array holds the inputs.** The one that `matrix` names. Else, of the arrays of numbers
//! with two or more dimensions that are not wanted as columns: the only one; of several, the first
//! that there is of `X`, `x`, `inputs`, `data`, `features`, `embeddings`, `arr_0`. Where there is
//! none of two dimensions, the only array. A sparse matrix is the inputs, unless `matrix` names a
//! part of it.
//!
//! **Nothing is trusted.** Names that occur twice, entries that overlap, encryption and methods
//! other than deflate are refused; the checksum and the length of every array that is read are
//! verified; nothing of a size that is only claimed is allocated before as much has arrived.
//!
//! An array is named in messages as a file within the archive: `data.npz/X.npy`.

mod archive;
mod scipy;

use std::path::Path;

use rawzip::{FileReader, ReaderAt};

use crate::arrays::{Array, Packed};
use crate::readers::npz::archive::{Archive, Entry};
use crate::readers::{Choice, Contents, INPUTS, Inputs, Reader, Wanted, one_file};
use crate::{InputError, files, npy};

/// Archives of arrays, dense or sparse.
pub static NPZ: Reader = Reader {
    name: "npz",
    help: "arrays of NumPy's in an archive (numpy.savez, compressed or not), or a sparse matrix of \
           SciPy's (scipy.sparse.save_npz)",
    inputs: INPUTS,
    choices: &[Choice::Matrix],
    columns: true,
    images: false,
    samples: "samples",
    features: "features",
    files: one_file,
    read,
};

/// Names that inputs go by, the likeliest first.
const NAMES: [&str; 7] = ["X", "x", "inputs", "data", "features", "embeddings", "arr_0"];

/// Most arrays that a message lists.
const LISTED: usize = 20;

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let (file, length) = files::open(path)?;
    contents_from(FileReader::from(file), length, path, wanted)
}

/// Reads what is wanted of an archive of `length` bytes; `path` is for messages only.
///
/// # Errors
///
/// * [`InputError::OtherFormat`], [`InputError::Unreadable`]: this is no archive, or its structure
///   is damaged, or of a kind that is not read.
/// * [`InputError::NoSuch`]: there is no array of that name, or it is not told which one is meant.
/// * Those of [`inputs_from`](super::npy::inputs_from) and
///   [`column_from`](super::npy::column_from).
/// * [`InputError::Unreadable`]: a sparse matrix contradicts itself.
pub fn contents_from(
    source: impl ReaderAt,
    length: u64,
    path: &Path,
    wanted: &Wanted<'_>,
) -> Result<Contents, InputError> {
    let archive = Archive::open(Box::new(source), length, path)?;
    let mut contents = Contents::default();
    for &name in wanted.columns {
        let entry = match name {
            Some(name) => archive.named("column", name)?,
            None => only_column(&archive)?,
        };
        let path = &*archive.inside(&entry.name);
        let mut stream = archive.stream(entry, path)?;
        contents.columns.push(npy::array(&mut stream)?.column(&mut stream)?);
    }
    if let Some(chosen) = wanted.inputs {
        contents.inputs = Some(match &chosen.matrix {
            Some(name) => dense(&archive, archive.named("array", name)?)?,
            None if scipy::is_sparse(&archive) => scipy::inputs(&archive)?,
            None => dense(&archive, inputs(&archive, wanted.columns)?)?,
        });
    }
    Ok(contents)
}

/// An array as inputs.
fn dense(archive: &Archive<'_>, entry: &Entry) -> Result<Inputs, InputError> {
    let path = &*archive.inside(&entry.name);
    let mut stream = archive.stream(entry, path)?;
    let array = npy::array(&mut stream)?;
    if array.fortran && stream.packed == Packed::Deflated {
        // Columns go to all places of the result, which is allocated as a whole: not before the
        // data are known to be there.
        archive.verify(entry, path)?;
        stream.packed = Packed::Stored;
    }
    array.inputs(&mut stream)
}

/// The array that holds the inputs where none is named.
fn inputs<'a>(archive: &'a Archive<'_>, columns: &[Option<&str>]) -> Result<&'a Entry, InputError> {
    let arrays = arrays(archive)?;
    let left = |entry: &Entry| !columns.contains(&Some(&*entry.name));
    let matrices: Vec<&Entry> = arrays
        .iter()
        .filter(|(entry, array)| left(entry) && array.shape.len() >= 2 && array.is_numbers())
        .map(|&(entry, _)| entry)
        .collect();
    let all: Vec<&Entry> = arrays.iter().map(|&(entry, _)| entry).filter(|entry| left(entry)).collect();
    match (&*matrices, &*all) {
        (&[only], _) | (&[], &[only]) => Ok(only),
        _ => {
            let known = NAMES.iter().find_map(|&name| matrices.iter().find(|entry| entry.name == name));
            known.copied().ok_or_else(|| {
                let problem = if matrices.is_empty() {
                    "no array of numbers has two or more dimensions"
                } else {
                    "several arrays could be the inputs"
                };
                ambiguous(archive, &arrays, problem, "say which one with `matrix = \"…\"`")
            })
        }
    }
}

/// The only array that can be a column.
fn only_column<'a>(archive: &'a Archive<'_>) -> Result<&'a Entry, InputError> {
    let arrays = arrays(archive)?;
    let columns: Vec<&Entry> =
        arrays.iter().filter(|(_, array)| array.is_column()).map(|&(entry, _)| entry).collect();
    match (&*columns, &*arrays) {
        (&[only], _) | (_, &[(only, _)]) => Ok(only),
        _ => {
            let remedy = "say which one with `{ file = \"…\", column = \"…\" }`";
            Err(ambiguous(archive, &arrays, "not one array is a single column", remedy))
        }
    }
}

/// What all arrays are.
fn arrays<'a>(archive: &'a Archive<'_>) -> Result<Vec<(&'a Entry, Array)>, InputError> {
    let header = |entry: &'a Entry| {
        let path = &*archive.inside(&entry.name);
        Ok((entry, npy::array(&mut archive.stream(entry, path)?)?))
    };
    archive.entries.iter().map(header).collect()
}

fn ambiguous(archive: &Archive<'_>, arrays: &[(&Entry, Array)], problem: &str, remedy: &str) -> InputError {
    let described = |(entry, array): &(&Entry, Array)| {
        format!("{} {:?} {}", entry.name, array.shape, array.type_name.trim_matches('\''))
    };
    let mut list: Vec<String> = arrays.iter().take(LISTED).map(described).collect();
    if arrays.len() > LISTED {
        list.push(format!("and {} more", arrays.len() - LISTED));
    }
    let problem = format!("{problem}: {}", list.join(", "));
    InputError::unreadable(archive.path, "its arrays", problem, remedy)
}
