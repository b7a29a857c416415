//! Reads and writes matrices in NumPy's npy format: inputs and targets from elsewhere, solved weights to elsewhere.
//!
//! The program's `solve` reads its arguments and writes its results with this.
//! Taken are arrays of one or two dimensions (one becomes a column) of 64- and 32-bit floats, of signed and unsigned
//! integers of any width, and of booleans; either byte order; C or Fortran order. The result is always `f64`.
//!
//! **Nothing is trusted.** The header is screened before npyz parses it, and a file must have exactly the length that
//! its header declares, which is checked before the matrix is allocated: at most eight bytes an element, or 64 where
//! faer pads columns shorter than eight. Every entry must be finite, and every integer must have an `f64` of the
//! same value: a rounded identifier or count would be a plausible wrong input.
//!
//! **Cost.** One buffered pass; 8 bytes an element for the result.

mod header;

use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use faer::{Mat, MatRef};
use npyz::{DType, Deserialize, NpyFile, NpyHeader, Order, TypeChar, WriterBuilder};

use crate::memory::may_fail;
use crate::npy::header::Refusal;
use crate::{InputError, files, whole_file};

/// The element types taken, for messages.
const SUPPORTED: &str = "float64, float32, int8 to int64, uint8 to uint64, bool";

/// Reads a matrix: two dimensions as they are, one as a column.
///
/// # Errors
///
/// * [`InputError::Io`], [`InputError::NotAFile`]: the file cannot be opened or read.
/// * [`InputError::OtherFormat`], [`InputError::NpyHeader`]: this is no npy file, or its header
///   cannot be understood.
/// * [`InputError::ElementType`], [`InputError::Rank`], [`InputError::ZeroDimension`],
///   [`InputError::Overflow`]: the array is not of a kind that is taken.
/// * [`InputError::Truncated`], [`InputError::TrailingBytes`]: the file is shorter or longer than declared.
/// * [`InputError::NonFinite`], [`InputError::Inexact`]: the first entry, in the file's order, that is unusable.
pub fn read_matrix(path: &Path) -> Result<Mat<f64>, InputError> {
    let (file, length) = files::open(path)?;
    matrix_from(BufReader::new(file), length, path)
}

/// [`read_matrix`] from a source of `length` bytes, read an element at a time, so buffered if it is a file; `path` is
/// for messages only.
///
/// # Errors
///
/// As [`read_matrix`].
pub fn matrix_from(mut source: impl Read, length: u64, path: &Path) -> Result<Mat<f64>, InputError> {
    let (header, start) = header::read(&mut source).map_err(|refusal| match refusal {
        Refusal::Io(source) => InputError::Io { path: path.to_owned(), action: "read", source },
        Refusal::Other(found) => {
            InputError::OtherFormat { path: path.to_owned(), expected: "a NumPy array (numpy.save)", found }
        }
        Refusal::Malformed(problem) => InputError::NpyHeader { path: path.to_owned(), problem },
        Refusal::Truncated { expected, found } => {
            InputError::Truncated { path: path.to_owned(), what: "the header", expected, found }
        }
    })?;
    let (rows, columns) = dimensions(&header, path)?;
    let (kind, size) = element(&header, path)?;
    let overflow = || InputError::Overflow { path: path.to_owned(), shape: header.shape().to_vec() };
    let total = (rows as u64)
        .checked_mul(columns as u64)
        .and_then(|elements| elements.checked_mul(size)?.checked_add(start))
        .ok_or_else(overflow)?;
    if total > length {
        return Err(InputError::Truncated {
            path: path.to_owned(),
            what: "header and elements",
            expected: total,
            found: length,
        });
    }
    if total < length {
        return Err(InputError::TrailingBytes { path: path.to_owned(), expected: total });
    }

    let mut matrix = Mat::<f64>::new();
    may_fail(|| matrix.try_reserve(rows, columns)).map_err(|_| InputError::Io {
        path: path.to_owned(),
        action: "hold in memory",
        source: io::ErrorKind::OutOfMemory.into(),
    })?;
    matrix.resize_with(rows, columns, |_, _| 0.0);
    let file =
        Elements { file: NpyFile::with_header(header, source), matrix: &mut matrix, start, size, path };
    match (kind, size) {
        (TypeChar::Float, 8) => file.fill(|value: f64| Ok(value)),
        (TypeChar::Float, _) => file.fill(|value: f32| Ok(value.into())),
        (TypeChar::Int, 1) => file.fill(|value: i8| Ok(value.into())),
        (TypeChar::Int, 2) => file.fill(|value: i16| Ok(value.into())),
        (TypeChar::Int, 4) => file.fill(|value: i32| Ok(value.into())),
        (TypeChar::Int, _) => file.fill(|value: i64| exact(value.into())),
        (TypeChar::Uint, 1) => file.fill(|value: u8| Ok(value.into())),
        (TypeChar::Uint, 2) => file.fill(|value: u16| Ok(value.into())),
        (TypeChar::Uint, 4) => file.fill(|value: u32| Ok(value.into())),
        (TypeChar::Uint, _) => file.fill(|value: u64| exact(value.into())),
        // `element` lets nothing else pass.
        _ => file.fill(|value: bool| Ok(f64::from(u8::from(value)))),
    }?;
    Ok(matrix)
}

/// Writes a matrix as `f64` in C order, whole or not at all: beside `path` first, synced, then renamed.
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

/// Rows and columns, neither of them zero.
fn dimensions(header: &NpyHeader, path: &Path) -> Result<(usize, usize), InputError> {
    let shape = header.shape();
    let (rows, columns) = match *shape {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => {
            return Err(InputError::Rank {
                path: path.to_owned(),
                expected: "1 (a column) or 2 (rows and columns) are taken; reshape it, samples first",
                found: shape.len(),
            });
        }
    };
    if let Some(axis) = shape.iter().position(|&size| size == 0) {
        return Err(InputError::ZeroDimension { path: path.to_owned(), axis });
    }
    match (usize::try_from(rows), usize::try_from(columns)) {
        (Ok(rows), Ok(columns)) => Ok((rows, columns)),
        _ => Err(InputError::Overflow { path: path.to_owned(), shape: shape.to_vec() }),
    }
}

/// Kind and size in bytes of an element, one of [`SUPPORTED`].
fn element(header: &NpyHeader, path: &Path) -> Result<(TypeChar, u64), InputError> {
    let dtype = header.dtype();
    if let DType::Plain(plain) = &dtype {
        let (kind, size) = (plain.type_char(), plain.size_field());
        if matches!(
            (kind, size),
            (TypeChar::Float, 4 | 8) | (TypeChar::Int | TypeChar::Uint, 1 | 2 | 4 | 8) | (TypeChar::Bool, 1)
        ) {
            return Ok((kind, size));
        }
    }
    Err(InputError::ElementType { path: path.to_owned(), expected: SUPPORTED, found: dtype.descr() })
}

/// The `f64` of the same value, or the value back if there is none.
#[expect(clippy::cast_possible_truncation, reason = "the cast back is the test of exactness")]
fn exact(value: i128) -> Result<f64, i128> {
    let float = value as f64;
    if float as i128 == value { Ok(float) } else { Err(value) }
}

/// A file read up to its elements, and the matrix of its shape that they go to.
struct Elements<'a, R: Read> {
    file: NpyFile<R>,
    matrix: &'a mut Mat<f64>,
    /// Bytes of the header.
    start: u64,
    /// Bytes of an element.
    size: u64,
    path: &'a Path,
}

impl<R: Read> Elements<'_, R> {
    /// Reads every element as a `T`, which must fit the header's type, and converts it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the standard library's kinds of errors")]
    fn fill<T: Deserialize>(self, convert: impl Fn(T) -> Result<f64, i128>) -> Result<(), InputError> {
        let Self { file, matrix, start, size, path } = self;
        let order = file.header().order();
        let (rows, columns) = (matrix.nrows(), matrix.ncols());
        let malformed = |problem: String| InputError::NpyHeader { path: path.to_owned(), problem };
        let elements = file.data::<T>().map_err(|error| malformed(error.to_string()))?;
        for (index, element) in elements.enumerate() {
            let (row, column) = match order {
                Order::C => (index / columns, index % columns),
                Order::Fortran => (index % rows, index / rows),
            };
            let element = element.map_err(|source| match source.kind() {
                // The file was cut while it was read: its length had been right.
                io::ErrorKind::UnexpectedEof => InputError::Truncated {
                    path: path.to_owned(),
                    what: "header and elements",
                    expected: start + (rows * columns) as u64 * size,
                    found: start + index as u64 * size,
                },
                io::ErrorKind::InvalidData => malformed(format!("entry [{row}, {column}]: {source}")),
                _ => InputError::Io { path: path.to_owned(), action: "read", source },
            })?;
            let value = convert(element).map_err(|value| InputError::Inexact {
                path: path.to_owned(),
                row,
                column,
                value,
            })?;
            if !value.is_finite() {
                return Err(InputError::NonFinite { path: path.to_owned(), row, column, value });
            }
            matrix[(row, column)] = value;
        }
        Ok(())
    }
}
