//! Sparse matrices that scipy.sparse.save_npz wrote: csr as it is, csc and coo turned into rows.
//!
//! Columns are sorted within their rows, entries of the same place are added up in the type of the
//! file, as SciPy does (but a sum that it would let overflow is refused), and zeros are left out.
//!
//! **Cost.** 4 bytes an entry beside its value, 8 a row; while csc and coo are turned, twice that.

use std::collections::TryReserveError;

use half::f16;

use crate::arrays::{Array, Stream, Type, no_memory};
use crate::blocks::Element;
use crate::memory::may_fail;
use crate::readers::Inputs;
use crate::readers::npz::archive::Archive;
use crate::{Blocks, Compact, InputError, Sparse, npy};

/// Rows that csc and coo may have for each entry, and beyond that; more are not accounted for by
/// the file, and would be memory that it only claims.
const EMPTY_ROWS: (usize, usize) = (16, 1 << 12);

/// What to do about a matrix that contradicts itself.
const REMEDY: &str = "write the matrix with scipy.sparse.save_npz";

/// Whether an archive has the arrays of a sparse matrix.
pub(super) fn is_sparse(archive: &Archive<'_>) -> bool {
    ["format", "shape", "data"].into_iter().all(|name| archive.get(name).is_some())
}

/// The matrix as sparse rows.
pub(super) fn inputs(archive: &Archive<'_>) -> Result<Inputs, InputError> {
    let refused = |array: &str, problem: String, remedy: &str| {
        let place = format!("array `{array}` of its sparse matrix");
        InputError::unreadable(archive.path, place, problem, remedy)
    };
    let format = part(archive, "format", Array::words)?.concat();
    // Where the number of the row and the column of an entry are, or of both by where rows begin.
    let (inner, outer) = match &*format {
        "csr" => ("indices", "indptr"),
        "csc" => ("indptr", "indices"),
        "coo" => ("col", "row"),
        _ => {
            let problem = format!("the sparse format `{format}` is not read");
            return Err(refused("format", problem, "write `a.tocsr()`"));
        }
    };
    let shape: Vec<usize> = part(archive, "shape", |array, stream| array.indices(stream, usize::MAX))?;
    let &[samples, features] = &*shape else {
        let problem = format!("there are {} dimensions, where a matrix has 2", shape.len());
        return Err(refused("shape", problem, "give a matrix, samples as rows"));
    };
    // Columns are held in 32 bits.
    if samples == 0 || features == 0 || samples == usize::MAX || u32::try_from(features).is_err() {
        let problem = format!("{samples} rows of {features} columns are not read");
        return Err(refused("shape", problem, "give samples as rows"));
    }
    let starts = |count: usize| -> Result<Vec<usize>, InputError> {
        let starts = part(archive, "indptr", |array, stream| array.indices(stream, usize::MAX))?;
        if starts.len() == count + 1 && starts[0] == 0 && starts.is_sorted() {
            return Ok(starts);
        }
        let problem = format!("its {} numbers do not ascend from 0 over {count} parts", starts.len());
        Err(refused("indptr", problem, REMEDY))
    };
    let indices = |name: &str, below: usize| -> Result<Vec<u32>, InputError> {
        let indices: Vec<u32> = part(archive, name, |array, stream| array.indices(stream, u32::MAX))?;
        match indices.iter().position(|&index| index as usize >= below) {
            None => Ok(indices),
            Some(at) => {
                let problem = format!("entry {at} (from 0) is not from 0 to {}", below - 1);
                Err(refused(name, problem, REMEDY))
            }
        }
    };
    let (of, values) = part(archive, "data", |array, stream| Ok((array.of, array.vector(stream)?)))?;
    let entries = values.len();
    // Whatever is done with columns takes memory for each: so many, or so many for each entry.
    if features > (1 << 21).max(64 * entries) {
        let problem = format!("hardly any of {features} columns has one of the {entries} entries");
        return Err(refused("shape", problem, "keep the columns that have some"));
    }
    let agree = |name: &str, found: usize| {
        let problem = format!("it is about {found} entries, and `data` has {entries}");
        if found == entries { Ok(()) } else { Err(refused(name, problem, REMEDY)) }
    };
    let place = if format == "csr" {
        let (starts, columns) = (starts(samples)?, indices(inner, features)?);
        agree("indices", columns.len())?;
        agree("indptr", starts[samples])?;
        Place { starts, rows: Vec::new(), columns }
    } else {
        let most = EMPTY_ROWS.0.saturating_mul(entries).saturating_add(EMPTY_ROWS.1);
        if samples > most || u32::try_from(samples).is_err() {
            let problem = format!("hardly any of {samples} rows has one of the {entries} entries");
            return Err(refused("shape", problem, "write `a.tocsr()`"));
        }
        let rows = indices(outer, samples)?;
        agree(outer, rows.len())?;
        let columns = if format == "coo" {
            indices(inner, features)?
        } else {
            let starts = starts(features)?;
            agree("indptr", starts[features])?;
            let columns = starts.windows(2).zip(0_u32..);
            let mut all = room(entries).map_err(|_| no_memory(archive.path))?;
            columns.for_each(|(two, column)| all.resize(two[1], column));
            all
        };
        agree(inner, columns.len())?;
        Place { starts: Vec::new(), rows, columns }
    };
    let sums = |row: usize, column: usize| {
        let problem = format!("several entries [{row}, {column}] have a sum that its type does not hold");
        refused("data", problem, "sum them in a wider type: `a = a.astype(float); a.sum_duplicates()`")
    };
    let no_memory = |_| no_memory(archive.path);
    let size = (samples, features, of);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sums are seen to fit")]
    let rows: Box<dyn Blocks> = match values {
        Compact::Bytes(values) => place.rows(values, size, |sum| sum as u8, no_memory, sums)?,
        Compact::Floats(values) => place.rows(values, size, |sum| sum as f32, no_memory, sums)?,
        Compact::Doubles(values) => place.rows(values, size, |sum| sum, no_memory, sums)?,
    };
    Ok(Inputs { rows, names: Vec::new() })
}

/// Reads an array of the archive.
fn part<T>(
    archive: &Archive<'_>,
    name: &str,
    read: impl FnOnce(&Array, &mut Stream<'_>) -> Result<T, InputError>,
) -> Result<T, InputError> {
    let path = &*archive.inside(name);
    let mut stream = archive.stream(archive.named("array", name)?, path)?;
    let array = npy::array(&mut stream)?;
    if array.shape.len() > 1 {
        let expected = "a sparse matrix has vectors";
        return Err(InputError::Rank { path: path.to_owned(), expected, found: array.shape.len() });
    }
    read(&array, &mut stream)
}

/// Where entries are: rows begin somewhere, or each entry has its row.
struct Place {
    starts: Vec<usize>,
    rows: Vec<u32>,
    columns: Vec<u32>,
}

impl Place {
    /// Entries as sparse rows, of so many samples and features, of values of a type of a file.
    fn rows<T: Element>(
        self,
        values: Vec<T>,
        (samples, features, of): (usize, usize, Type),
        sum_of: fn(f64) -> T,
        no_memory: impl Fn(TryReserveError) -> InputError,
        refused: impl Fn(usize, usize) -> InputError,
    ) -> Result<Box<dyn Blocks>, InputError> {
        let (mut starts, mut columns, mut values) = if self.starts.is_empty() {
            turned(&self.rows, &self.columns, &values, samples).map_err(no_memory)?
        } else {
            (self.starts, self.columns, values)
        };
        let (mut kept, mut first) = (0, 0);
        let mut row_of: Vec<(u32, T)> = Vec::new();
        for row in 0..samples {
            let (from, mut to) = (first, starts[row + 1]);
            first = to;
            if !columns[from..to].is_sorted_by(|a, b| a < b) {
                row_of.clear();
                row_of.extend(columns[from..to].iter().copied().zip(values[from..to].iter().copied()));
                row_of.sort_by_key(|&(column, _)| column);
                to = from;
                for &(column, value) in &row_of {
                    if to > from && columns[to - 1] == column {
                        let sum = added(of, values[to - 1].into(), value.into());
                        values[to - 1] = sum_of(sum.ok_or_else(|| refused(row, column as usize))?);
                    } else {
                        (columns[to], values[to]) = (column, value);
                        to += 1;
                    }
                }
            }
            for at in from..to {
                if values[at].into().abs() > 0.0 {
                    (columns[kept], values[kept]) = (columns[at], values[at]);
                    kept += 1;
                }
            }
            starts[row + 1] = kept;
        }
        columns.truncate(kept);
        values.truncate(kept);
        Ok(Box::new(Sparse::new(starts, columns, values, features)?))
    }
}

/// Sparse rows, with the entries of each in the order in which they come.
type Turned<T> = (Vec<usize>, Vec<u32>, Vec<T>);

/// Entries in any order, by their rows.
fn turned<T: Element>(
    rows: &[u32],
    columns: &[u32],
    values: &[T],
    samples: usize,
) -> Result<Turned<T>, TryReserveError> {
    let (mut starts, mut to_columns, mut to_values) =
        (room(samples + 1)?, room(columns.len())?, room(values.len())?);
    starts.resize(samples + 1, 0);
    for &row in rows {
        starts[row as usize + 1] += 1;
    }
    for row in 0..samples {
        starts[row + 1] += starts[row];
    }
    to_columns.resize(columns.len(), 0);
    to_values.extend_from_slice(values);
    for ((&row, &column), &value) in rows.iter().zip(columns).zip(values) {
        let at = &mut starts[row as usize];
        (to_columns[*at], to_values[*at]) = (column, value);
        *at += 1;
    }
    // Each is now where its row ends, which is where the next begins.
    starts.rotate_right(1);
    starts[0] = 0;
    Ok((starts, to_columns, to_values))
}

/// An empty list with room for so many, a number that the file accounts for.
fn room<T>(count: usize) -> Result<Vec<T>, TryReserveError> {
    let mut list = Vec::new();
    may_fail(|| list.try_reserve_exact(count))?;
    Ok(list)
}

/// The sum of two entries in the type of the file, if it has it.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
fn added(of: Type, one: f64, other: f64) -> Option<f64> {
    let sum = one + other;
    let (sum, most) = match of {
        // True and true is true.
        Type::Bool => (sum.min(1.0), 1.0),
        Type::I8 => (sum, f64::from(i8::MAX)),
        Type::U8 => (sum, f64::from(u8::MAX)),
        Type::I16 => (sum, f64::from(i16::MAX)),
        Type::U16 => (sum, f64::from(u16::MAX)),
        Type::I32 => (sum, f64::from(i32::MAX)),
        Type::U32 => (sum, f64::from(u32::MAX)),
        // All integers up to there are doubles, so that the sum is none of others.
        Type::I64 | Type::U64 => (sum, 2_f64.powi(53) - 1.0),
        Type::F16 => (f16::from_f64(sum).to_f64(), f64::MAX),
        // Rounding twice is rounding once: a double has more than twice the digits.
        Type::F32 => (f64::from(sum as f32), f64::MAX),
        Type::F64 => (sum, f64::MAX),
        Type::Bytes(_) | Type::Characters(_) | Type::Other { .. } => (sum, 0.0),
    };
    (sum.abs() <= most).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::added;
    use crate::arrays::Type;

    #[test]
    fn sums_are_those_of_the_type_in_the_file() {
        let tiny = f64::from(f32::EPSILON) / 2.0;
        for (of, one, other, expected) in [
            (Type::Bool, 1.0, 1.0, Some(1.0)),
            (Type::U8, 200.0, 55.0, Some(255.0)),
            (Type::U8, 200.0, 56.0, None),
            (Type::I16, -300.0, 200.0, Some(-100.0)),
            (Type::I64, 2_f64.powi(53) - 2.0, 1.0, Some(2_f64.powi(53) - 1.0)),
            (Type::I64, 2_f64.powi(53), 1.0, None),
            (Type::F16, 2048.0, 1.0, Some(2048.0)),
            (Type::F16, 65504.0, 65504.0, None),
            (Type::F32, 1.0, tiny, Some(1.0)),
            (Type::F64, 1.0, tiny, Some(1.0 + tiny)),
            (Type::F64, f64::MAX, f64::MAX, None),
        ] {
            assert_eq!(added(of, one, other), expected, "{of:?} {one} {other}");
        }
    }
}
