//! `npy`: an array of NumPy's, of any type of numbers, as inputs; or a vector of numbers or words
//! as labels.

use std::io::Read;
use std::path::Path;

use crate::arrays::{Packed, Stream};
use crate::readers::{Column, Contents, INPUTS, Inputs, Reader, Wanted, no_names, one_file};
use crate::{InputError, files, npy};

/// Arrays that numpy.save wrote.
pub static NPY: Reader = Reader {
    name: "npy",
    help: "an array of NumPy's (numpy.save): floats, integers or booleans of any width, samples first",
    inputs: INPUTS,
    choices: &[],
    columns: false,
    images: false,
    samples: "samples",
    features: "features",
    files: one_file,
    read,
};

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let mut contents = Contents::default();
    for &name in wanted.columns {
        no_names(path, name, "an npy file")?;
        let (file, length) = files::open(path)?;
        contents.columns.push(column_from(file, length, path)?);
    }
    if wanted.inputs.is_some() {
        let (file, length) = files::open(path)?;
        contents.inputs = Some(inputs_from(file, length, path)?);
    }
    Ok(contents)
}

/// Reads inputs from a source of `length` bytes; `path` is for messages only.
///
/// One dimension is a column; of more, the first one counts samples and the others are flattened,
/// last dimension fastest. Held is the least of bytes, `f32` and `f64` that has all values of the
/// array's type.
///
/// # Errors
///
/// As [`read_matrix`](crate::read_matrix).
pub fn inputs_from(source: impl Read, length: u64, path: &Path) -> Result<Inputs, InputError> {
    let mut stream = Stream { source: Box::new(source), length, packed: Packed::No, path };
    npy::array(&mut stream)?.inputs(&mut stream)
}

/// Reads a vector (or a matrix with one column) of numbers or words, as [`inputs_from`].
///
/// # Errors
///
/// As [`read_matrix`](crate::read_matrix); [`InputError::Unreadable`] if a word is no text.
pub fn column_from(source: impl Read, length: u64, path: &Path) -> Result<Column, InputError> {
    let mut stream = Stream { source: Box::new(source), length, packed: Packed::No, path };
    npy::array(&mut stream)?.column(&mut stream)
}
