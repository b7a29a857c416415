//! Reads and writes arrays in NumPy's npy format: inputs and targets from elsewhere, solved weights
//! to elsewhere.
//!
//! Taken are 16-, 32- and 64-bit floats, signed and unsigned integers of any width, booleans, and
//! as labels words; either byte order, C or Fortran order, versions 1 to 3 of the format. The
//! program's `solve` reads its arguments as doubles and writes its results with this; jobs read
//! inputs in the least type ([`readers::npy`](crate::readers::npy)). How elements are read, and
//! what is checked before, is the same for all formats of arrays (`arrays.rs`); the header is
//! screened before npyz parses it.
//!
//! **Cost.** One buffered pass; for a matrix 8 bytes an element, or 64 where faer pads columns
//! shorter than eight.

mod header;

use std::io::{self, Read, Write};
use std::path::Path;

use faer::{Mat, MatRef};
use npyz::WriterBuilder;

use crate::arrays::{Array, Packed, Stream, no_memory};
use crate::memory::may_fail;
use crate::{InputError, files, whole_file};

/// Reads a matrix: two dimensions as they are, one as a column.
///
/// # Errors
///
/// * [`InputError::Io`], [`InputError::NotAFile`]: the file cannot be opened or read.
/// * [`InputError::OtherFormat`], [`InputError::NpyHeader`]: this is no npy file, or its header
///   cannot be understood.
/// * [`InputError::Unreadable`], [`InputError::Rank`], [`InputError::ZeroDimension`],
///   [`InputError::Overflow`]: the array is not of a kind that is taken.
/// * [`InputError::Truncated`], [`InputError::TrailingBytes`]: the file is shorter or longer than
///   declared.
/// * [`InputError::NonFinite`], [`InputError::Inexact`]: the first entry, in the file's order, that
///   is unusable.
pub fn read_matrix(path: &Path) -> Result<Mat<f64>, InputError> {
    let (file, length) = files::open(path)?;
    matrix_from(file, length, path)
}

/// [`read_matrix`] from a source of `length` bytes; `path` is for messages only.
///
/// # Errors
///
/// As [`read_matrix`].
pub fn matrix_from(source: impl Read, length: u64, path: &Path) -> Result<Mat<f64>, InputError> {
    let mut stream = Stream { source: Box::new(source), length, packed: Packed::No, path };
    let array = array(&mut stream)?;
    if !matches!(*array.shape, [_] | [_, _]) {
        return Err(InputError::Rank {
            path: path.to_owned(),
            expected: "1 (a column) or 2 (rows and columns) are taken; reshape it, samples first",
            found: array.shape.len(),
        });
    }
    let zeros = |rows, columns| {
        let mut matrix = Mat::<f64>::new();
        may_fail(|| matrix.try_reserve(rows, columns)).map_err(|_| no_memory(path))?;
        matrix.resize_with(rows, columns, |_, _| 0.0);
        Ok(matrix)
    };
    array.doubles(&mut stream, zeros, |matrix, row, column, value| matrix[(row, column)] = value)
}

/// Reads up to the elements.
pub(crate) fn array(stream: &mut Stream<'_>) -> Result<Array, InputError> {
    header::read(stream)
}

/// Writes a matrix as `f64` in C order, whole or not at all: beside `path` first, synced, then
/// renamed.
///
/// Entries are written as they are, also if they are not finite.
///
/// # Errors
///
/// [`InputError::Io`] with the step that failed; whatever was at `path` is untouched then.
pub fn write_matrix(path: &Path, matrix: MatRef<'_, f64>) -> Result<(), InputError> {
    Ok(whole_file::write(path, |file| matrix_into(file, matrix))?)
}

/// Writes a vector as doubles, whole or not at all.
///
/// # Errors
///
/// [`InputError::Io`] with the step that failed; whatever was at `path` is untouched then.
pub fn write_vector(path: &Path, vector: &[f64]) -> Result<(), InputError> {
    Ok(whole_file::write(path, |file| {
        let options = npyz::WriteOptions::new().default_dtype().shape(&[vector.len() as u64]);
        let mut writer = options.writer(file).begin_nd()?;
        writer.extend(vector)?;
        writer.finish()
    })?)
}

/// [`write_matrix`] to any writer.
///
/// # Errors
///
/// Those of the writer.
pub fn matrix_into(destination: impl Write, matrix: MatRef<'_, f64>) -> io::Result<()> {
    let mut writer = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&[matrix.nrows() as u64, matrix.ncols() as u64])
        .writer(destination)
        .begin_nd()?;
    for row in matrix.row_iter() {
        for value in row.iter() {
            writer.push(value)?;
        }
    }
    writer.finish()
}
