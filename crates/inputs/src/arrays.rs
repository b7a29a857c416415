//! Arrays of one type of elements, as files hold them: what idx, npy and npz have in common.
//!
//! A format tells where its elements begin, and their shape, type, byte order and order
//! ([`Array`]); they are then read block by block straight into the least type that has all their
//! values: bytes for bytes and booleans, `f32` for floats and integers of at most 16 bits and for
//! 32-bit floats, else `f64`. Samples come first; the other dimensions are flattened, the last one
//! fastest.
//!
//! **Nothing is trusted.** Sizes are compared with what is there before anything is allocated; what
//! is compressed goes to a buffer that at most doubles with what really arrives, and is read to its
//! end, so that its checksum is verified. Every entry must be finite, and every integer must have
//! an `f64` of the same value: a rounded identifier or count would be a plausible wrong input.
//!
//! **Cost.** One buffered pass. Beside the result, two blocks: 256 KiB, and in Fortran order up to
//! a sixteenth of the result.

use std::collections::TryReserveError;
use std::io::{self, Read};
use std::path::Path;

use half::f16;

use crate::compact::double;
use crate::files::{self, read_up_to};
use crate::memory::may_fail;
use crate::readers::{Column, Inputs};
use crate::{Blocks, Compact, Dense, InputError};

/// Most bytes that one byte of a deflate stream can stand for: 258 bytes for every two bits, 1032.
///
/// Source: derived from RFC 1951 (longest match 258, shortest codes one bit for the length and one
/// for the distance); zlib's technical notes give the same limit.
pub(crate) const MAX_EXPANSION: u64 = 1032;

/// Elements of a block; of no influence on the result.
const BLOCK: usize = 1 << 14;

/// Blocks of an array in Fortran order: each passes over the whole result.
const FORTRAN_BLOCKS: usize = 32;

/// Columns of a block in Fortran order, if they are long; their places in a row are neighbours.
const FORTRAN_COLUMNS: usize = 64;

/// Rows that are filled together: their places stay in the processor's cache meanwhile.
const TILE: usize = 8;

/// Longest word taken, bytes.
const MAX_WORD: usize = 1 << 16;

/// How the bytes of a stream were stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    /// As they are: the length is the stream's.
    No,
    /// By gzip: the length is that of the compressed file.
    Gzip,
    /// In a zip archive, as they are, or unpacked before: the length is the stream's.
    Stored,
    /// In a zip archive, by deflate: the length is the stream's, as the archive claims.
    Deflated,
}

/// Bytes of an array, unpacked, with what is known of where they come from.
pub(crate) struct Stream<'a> {
    pub(crate) source: Box<dyn Read + 'a>,
    /// Bytes; of what, says `packed`.
    pub(crate) length: u64,
    pub(crate) packed: Packed,
    pub(crate) path: &'a Path,
}

impl Stream<'_> {
    /// Reads until the buffer is full or the stream ends.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, InputError> {
        read_up_to(&mut self.source, buffer).map_err(|error| self.failed(error))
    }

    /// Tells damaged data from a refusal of the system: decoders speak through the same error type.
    pub(crate) fn failed(&self, source: io::Error) -> InputError {
        let zip = match self.packed {
            Packed::No | Packed::Gzip => false,
            Packed::Stored | Packed::Deflated => true,
        };
        if zip && files::is_damage(&source) {
            let remedy = "fetch the archive again, or test it with `unzip -t`";
            return InputError::unreadable(self.path, "its data in the archive", source.to_string(), remedy);
        }
        files::failed(self.path, self.packed == Packed::Gzip, source)
    }

    pub(crate) fn truncated(&self, what: &'static str, expected: u64, found: u64) -> InputError {
        InputError::Truncated { path: self.path.to_owned(), what, expected, found }
    }

    /// Whether the length is only claimed, so that nothing of that size may be allocated.
    fn claims(&self) -> bool {
        match self.packed {
            Packed::No | Packed::Stored => false,
            Packed::Gzip | Packed::Deflated => true,
        }
    }

    /// Compares the size that a header declares with the length, before anything of that size
    /// exists.
    fn check_length(&self, total: u64) -> Result<(), InputError> {
        let path = self.path.to_owned();
        match self.packed {
            Packed::Gzip => {
                let (compressed, allowed) = (self.length, self.length.saturating_mul(MAX_EXPANSION));
                if total > allowed {
                    return Err(InputError::Implausible { path, declared: total, compressed, allowed });
                }
            }
            Packed::No | Packed::Stored | Packed::Deflated => {
                if total > self.length {
                    return Err(self.truncated("header and elements", total, self.length));
                }
                if total < self.length {
                    return Err(InputError::TrailingBytes { path, expected: total });
                }
            }
        }
        Ok(())
    }
}

/// The type of an array's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Bool,
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F16,
    F32,
    F64,
    /// Words of so many bytes, zeros after their end.
    Bytes(usize),
    /// Words of so many characters of four bytes, zeros after their end.
    Characters(usize),
    /// What is not read.
    Other {
        /// What such elements are.
        problem: &'static str,
        /// How to make numbers or words of them.
        remedy: &'static str,
    },
}

impl Type {
    /// Bytes of an element.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
            Self::Bytes(size) => size,
            Self::Characters(characters) => characters.saturating_mul(4),
            Self::Other { .. } => 0,
        }
    }

    /// Whether elements are words.
    pub(crate) fn is_words(self) -> bool {
        matches!(self, Self::Bytes(_) | Self::Characters(_))
    }
}

/// What a header says of an array.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    /// Bytes before the elements.
    pub(crate) header: u64,
    /// The dimensions, samples first.
    pub(crate) shape: Vec<u64>,
    pub(crate) of: Type,
    /// What the format calls that type.
    pub(crate) type_name: String,
    /// Whether the bytes of an element are in big-endian order.
    pub(crate) big: bool,
    /// Whether the first dimension is the fastest, not the last.
    pub(crate) fortran: bool,
}

/// What an array is as rows, every number of which fits the address space.
struct Rows {
    samples: usize,
    features: usize,
    /// Elements.
    count: usize,
    /// Bytes, header included.
    total: u64,
}

impl Array {
    /// The array as inputs: one dimension a column, of more the first one counts samples.
    pub(crate) fn inputs(&self, stream: &mut Stream<'_>) -> Result<Inputs, InputError> {
        if self.of.is_words() {
            let problem = "words are labels or groups, not inputs";
            return Err(self.refused(stream, problem, "give numbers, say `a.astype(float)`"));
        }
        if self.shape.is_empty() {
            return Err(InputError::Rank {
                path: stream.path.to_owned(),
                expected: "at least 1 is taken (samples first); this is a single number",
                found: 0,
            });
        }
        let rows = self.rows(stream)?;
        // They divide the number of features, which was seen to fit.
        let size = |&size: &u64| usize::try_from(size).unwrap_or(usize::MAX);
        let shape = match &self.shape[1..] {
            [] => [1, 1, 1],
            [columns] => [1, 1, size(columns)],
            // Of more dimensions, those before the last two are channels.
            [channels @ .., rows, columns] => {
                [channels.iter().map(size).product(), size(rows), size(columns)]
            }
        };
        let (samples, features) = (rows.samples, rows.features);
        let rows: Box<dyn Blocks> = match self.values(stream, &rows)? {
            Compact::Bytes(values) => {
                let rows = Dense::new(values, samples, features)?.shaped(shape);
                Box::new(if self.of == Type::Bool { rows.unbounded() } else { rows })
            }
            Compact::Floats(values) => Box::new(Dense::new(values, samples, features)?.shaped(shape)),
            Compact::Doubles(values) => Box::new(Dense::new(values, samples, features)?.shaped(shape)),
        };
        Ok(Inputs { rows, names: Vec::new() })
    }

    /// The array as a column of numbers or words.
    pub(crate) fn column(&self, stream: &mut Stream<'_>) -> Result<Column, InputError> {
        if !self.is_column() {
            return Err(InputError::Rank {
                path: stream.path.to_owned(),
                expected: "labels and groups are one column: a vector, or a matrix with one column; give one, \
                    say `a[:, 0]` (a whole matrix of targets can be a file of its own, numpy.save)",
                found: self.shape.len(),
            });
        }
        if self.of.is_words() {
            return Ok(Column::Words(self.words(stream)?));
        }
        let decode = wide(self.of).ok_or_else(|| self.no_numbers(stream))?;
        let rows = self.rows(stream)?;
        Ok(Column::Numbers(self.rowwise(stream, &rows, decode)?))
    }

    /// Whether its elements are numbers.
    pub(crate) fn is_numbers(&self) -> bool {
        wide(self.of).is_some()
    }

    /// Whether it is a vector, or a matrix with one column.
    pub(crate) fn is_column(&self) -> bool {
        matches!(*self.shape, [_] | [_, 1])
    }

    /// All numbers as doubles, to where they belong; the shape is told before anything is read.
    pub(crate) fn doubles<M>(
        &self,
        stream: &mut Stream<'_>,
        make: impl FnOnce(usize, usize) -> Result<M, InputError>,
        set: impl Fn(&mut M, usize, usize, f64),
    ) -> Result<M, InputError> {
        let decode = wide(self.of).ok_or_else(|| self.no_numbers(stream))?;
        let rows = self.rows(stream)?;
        let mut matrix = make(rows.samples, rows.features)?;
        self.numbers(stream, &rows, BLOCK, decode, |first, block| {
            for (at, &value) in (first..).zip(block) {
                let (row, column) = self.place(&rows, at);
                set(&mut matrix, row, column, value);
            }
            Ok(())
        })?;
        Ok(matrix)
    }

    /// All numbers in the order of the file, in the least type that has them.
    pub(crate) fn vector(&self, stream: &mut Stream<'_>) -> Result<Compact, InputError> {
        let rows = self.rows(stream)?;
        self.values(stream, &rows)
    }

    /// All words.
    pub(crate) fn words(&self, stream: &mut Stream<'_>) -> Result<Vec<String>, InputError> {
        let rows = self.rows(stream)?;
        let size = self.of.size();
        let mut words = Vec::new();
        let path = stream.path;
        let claims = stream.claims();
        let block = (BLOCK / size).max(1);
        self.blocks(stream, &rows, block, |first, bytes| {
            reserve(&mut words, bytes.len() / size, rows.count, claims).map_err(|_| no_memory(path))?;
            for (at, bytes) in (first..).zip(bytes.chunks_exact(size)) {
                words.push(self.word(bytes).map_err(|problem| {
                    let remedy = "write words with `a.astype(str)`, bytes of another encoding with \
                         `numpy.char.decode(a, 'latin-1')`";
                    InputError::unreadable(path, format!("entry {at} (from 0)"), problem, remedy)
                })?);
            }
            Ok(())
        })?;
        Ok(words)
    }

    /// All whole numbers that count or number something; what is negative or too large becomes
    /// `none`.
    pub(crate) fn indices<T: TryFrom<u64> + Copy>(
        &self,
        stream: &mut Stream<'_>,
        none: T,
    ) -> Result<Vec<T>, InputError> {
        let rows = self.rows(stream)?;
        let decode = whole(self.of).ok_or_else(|| {
            let problem = "indices are integers of 32 or 64 bits";
            self.refused(stream, problem, "write the matrix with scipy.sparse.save_npz")
        })?;
        let (path, claims) = (stream.path, stream.claims());
        let (mut all, mut numbers) = (Vec::new(), Vec::new());
        self.blocks(stream, &rows, BLOCK, |_, bytes| {
            numbers.clear();
            decode(bytes, self.big, &mut numbers);
            reserve(&mut all, numbers.len(), rows.count, claims).map_err(|_| no_memory(path))?;
            all.extend(numbers.iter().map(|&number| T::try_from(number).unwrap_or(none)));
            Ok(())
        })?;
        Ok(all)
    }

    /// The refusal of elements that are no numbers.
    fn no_numbers(&self, stream: &Stream<'_>) -> InputError {
        if let Type::Other { problem, remedy } = self.of {
            return self.refused(stream, problem, remedy);
        }
        self.refused(stream, "numbers are needed, and these are words", "give numbers, say `a.astype(float)`")
    }

    fn refused(&self, stream: &Stream<'_>, problem: &str, remedy: &str) -> InputError {
        let place = format!("elements of type {}", self.type_name);
        InputError::unreadable(stream.path, place, problem, remedy)
    }

    /// Sizes, after all checks that need no data.
    fn rows(&self, stream: &Stream<'_>) -> Result<Rows, InputError> {
        let path = stream.path;
        if let Type::Other { .. } = self.of {
            return Err(self.no_numbers(stream));
        }
        if self.of.is_words() && !(1..=MAX_WORD).contains(&self.of.size()) {
            let problem = format!("words are of 1 to {MAX_WORD} bytes here");
            return Err(self.refused(
                stream,
                &problem,
                "write the words that there are with `a.astype(str)`",
            ));
        }
        if let Some(axis) = self.shape.iter().position(|&size| size == 0) {
            return Err(InputError::ZeroDimension { path: path.to_owned(), axis });
        }
        let overflow = || InputError::Overflow { path: path.to_owned(), shape: self.shape.clone() };
        let product =
            |sizes: &[u64]| sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size));
        let samples = self.shape.first().copied().unwrap_or(1);
        let count = product(&self.shape).ok_or_else(overflow)?;
        let bytes = count.checked_mul(self.of.size() as u64).ok_or_else(overflow)?;
        let total = bytes.checked_add(self.header).ok_or_else(overflow)?;
        // What an allocation can hold at most bounds everything.
        isize::try_from(total).map_err(|_| overflow())?;
        let fits = |size: u64| usize::try_from(size).map_err(|_| overflow());
        let rows =
            Rows { samples: fits(samples)?, features: fits(count / samples)?, count: fits(count)?, total };
        stream.check_length(total)?;
        Ok(rows)
    }

    /// Sample and feature of an element, by its place in the file.
    fn place(&self, rows: &Rows, at: usize) -> (usize, usize) {
        if self.fortran {
            (at % rows.samples, self.feature(at / rows.samples))
        } else {
            (at / rows.features, at % rows.features)
        }
    }

    /// The feature that comes at that place in Fortran order, the second dimension fastest.
    fn feature(&self, mut at: usize) -> usize {
        let mut feature = 0;
        for &size in &self.shape[1..] {
            // It fits, as their product does.
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            feature = feature * size + at % size;
            at /= size;
        }
        feature
    }

    fn values(&self, stream: &mut Stream<'_>, rows: &Rows) -> Result<Compact, InputError> {
        if matches!(self.of, Type::U8 | Type::Bool) {
            return Ok(Compact::Bytes(
                self.rowwise(stream, rows, |bytes, _, to| to.extend_from_slice(bytes))?,
            ));
        }
        if let Some(decode) = narrow::<f32>(self.of) {
            return Ok(Compact::Floats(self.rowwise(stream, rows, decode)?));
        }
        let decode = wide(self.of).ok_or_else(|| self.no_numbers(stream))?;
        Ok(Compact::Doubles(self.rowwise(stream, rows, decode)?))
    }

    /// All numbers, row-major.
    fn rowwise<T: Copy + Default + Into<f64>>(
        &self,
        stream: &mut Stream<'_>,
        rows: &Rows,
        decode: Decode<T>,
    ) -> Result<Vec<T>, InputError> {
        let mut values = Vec::new();
        let (path, claims) = (stream.path, stream.claims());
        if !self.fortran || rows.samples == 1 && self.shape.len() < 3 || rows.features == 1 {
            self.numbers(stream, rows, BLOCK, decode, |_, block| {
                reserve(&mut values, block.len(), rows.count, claims).map_err(|_| no_memory(path))?;
                values.extend_from_slice(block);
                Ok(())
            })?;
            return Ok(values);
        }
        // Whoever has compressed data of that order reads them to their end first.
        may_fail(|| values.try_reserve_exact(rows.count)).map_err(|_| no_memory(path))?;
        values.resize(rows.count, T::default());
        // Whole columns where they are not too long.
        let most = BLOCK.max(rows.count / FORTRAN_BLOCKS);
        let columns = (most / rows.samples).min((BLOCK / rows.samples).max(FORTRAN_COLUMNS));
        let block = if columns == 0 { most } else { columns * rows.samples };
        self.numbers(stream, rows, block, decode, |first, block| {
            scatter(&mut values, rows, first, block, |column| self.feature(column));
            Ok(())
        })?;
        Ok(values)
    }

    /// Hands out all numbers, block by block in the order of the file, after a look at each.
    fn numbers<T: Copy + Into<f64>>(
        &self,
        stream: &mut Stream<'_>,
        rows: &Rows,
        block: usize,
        decode: Decode<T>,
        mut take: impl FnMut(usize, &[T]) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        // A rounded integer was marked as not finite.
        let most = if self.of == Type::Bool { 1.0 } else { f64::MAX };
        let wrong = |value: T| value.into().abs() > most || value.into().is_nan();
        let mut values = Vec::new();
        let path = stream.path;
        self.blocks(stream, rows, block, |first, bytes| {
            values.clear();
            decode(bytes, self.big, &mut values);
            // Without a way out, so that it is vectorized.
            if values.iter().fold(false, |any, &value| any | wrong(value)) {
                let at = values.iter().position(|&value| wrong(value)).unwrap_or(0);
                let bytes = &bytes[at * self.of.size()..][..self.of.size()];
                let (row, column) = self.place(rows, first + at);
                return Err(self.wrong(path, row, column, bytes, values[at].into()));
            }
            take(first, &values)
        })
    }

    /// Why an entry is refused.
    fn wrong(&self, path: &Path, row: usize, column: usize, bytes: &[u8], value: f64) -> InputError {
        if self.of == Type::Bool {
            let problem = format!("a boolean is 0 or 1, and this is {value}");
            let remedy = "the file is damaged; write it again with numpy.save";
            return InputError::unreadable(path, format!("entry [{row}, {column}]"), problem, remedy);
        }
        let path = path.to_owned();
        let mut integer: Vec<i128> = Vec::new();
        if self.of == Type::I64 {
            append(bytes, self.big, &mut integer, |bytes| i64::from_le_bytes(bytes).into());
        } else if self.of == Type::U64 {
            append(bytes, self.big, &mut integer, |bytes| u64::from_le_bytes(bytes).into());
        }
        match integer.pop() {
            Some(value) => InputError::Inexact { path, row, column, value },
            None => InputError::NonFinite { path, row, column, value },
        }
    }

    /// Hands out the bytes of all elements, at most so many elements at a time, and sees that the
    /// stream ends with them.
    fn blocks(
        &self,
        stream: &mut Stream<'_>,
        rows: &Rows,
        block: usize,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), InputError>,
    ) -> Result<(), InputError> {
        let size = self.of.size();
        let block = block.min(rows.count);
        let mut bytes = vec![0; block * size];
        let mut first = 0;
        while first < rows.count {
            let bytes = &mut bytes[..block.min(rows.count - first) * size];
            let found = stream.fill(bytes)?;
            if found < bytes.len() {
                // The file was cut while it was read, or is packed.
                let arrived = self.header + (first * size + found) as u64;
                return Err(stream.truncated("header and elements", rows.total, arrived));
            }
            take(first, bytes)?;
            first += bytes.len() / size;
        }
        // Reading on to the end also makes decoders verify the checksum.
        if stream.fill(&mut [0])? > 0 {
            return Err(InputError::TrailingBytes { path: stream.path.to_owned(), expected: rows.total });
        }
        Ok(())
    }

    /// A word, without the zeros after it.
    fn word(&self, bytes: &[u8]) -> Result<String, String> {
        if let Type::Characters(_) = self.of {
            let mut codes = Vec::with_capacity(bytes.len() / 4);
            append(bytes, self.big, &mut codes, u32::from_le_bytes);
            let last = codes.iter().rposition(|&code| code != 0).map_or(0, |at| at + 1);
            let letter =
                |&code| char::from_u32(code).ok_or_else(|| format!("{code:#x} is no character of Unicode"));
            return codes[..last].iter().map(letter).collect();
        }
        let last = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&bytes[..last]).map_err(|_| "these bytes are no text in UTF-8")?;
        Ok(text.to_owned())
    }
}

/// Turns bytes, big-endian or not, into numbers.
type Decode<T> = fn(&[u8], bool, &mut Vec<T>);

/// Adds the elements of `N` bytes each, as their little-endian bytes say.
fn append<const N: usize, T>(bytes: &[u8], big: bool, to: &mut Vec<T>, of: impl Fn([u8; N]) -> T) {
    let elements = bytes.as_chunks().0.iter();
    if big {
        to.extend(elements.map(|&(mut bytes)| {
            bytes.reverse();
            of(bytes)
        }));
    } else {
        to.extend(elements.map(|&bytes| of(bytes)));
    }
}

/// What decodes a type all of whose values a 32-bit float has.
fn narrow<T>(of: Type) -> Option<Decode<T>>
where
    T: From<u8> + From<i8> + From<u16> + From<i16> + From<f32>,
{
    Some(match of {
        Type::Bool | Type::U8 => |bytes, big, to| append(bytes, big, to, |[byte]| T::from(byte)),
        Type::I8 => |bytes, big, to| append(bytes, big, to, |bytes| T::from(i8::from_le_bytes(bytes))),
        Type::U16 => |bytes, big, to| append(bytes, big, to, |bytes| T::from(u16::from_le_bytes(bytes))),
        Type::I16 => |bytes, big, to| append(bytes, big, to, |bytes| T::from(i16::from_le_bytes(bytes))),
        Type::F16 => {
            |bytes, big, to| append(bytes, big, to, |bytes| T::from(f16::from_le_bytes(bytes).to_f32()))
        }
        Type::F32 => |bytes, big, to| append(bytes, big, to, |bytes| T::from(f32::from_le_bytes(bytes))),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 | Type::F64 => return None,
        Type::Bytes(_) | Type::Characters(_) | Type::Other { .. } => return None,
    })
}

/// What decodes any type of numbers; 64-bit integers without a double of the same value become no
/// numbers.
fn wide(of: Type) -> Option<Decode<f64>> {
    Some(match of {
        Type::I32 => |bytes, big, to| append(bytes, big, to, |bytes| i32::from_le_bytes(bytes).into()),
        Type::U32 => |bytes, big, to| append(bytes, big, to, |bytes| u32::from_le_bytes(bytes).into()),
        Type::I64 => |bytes, big, to| append(bytes, big, to, |bytes| exact(i64::from_le_bytes(bytes).into())),
        Type::U64 => |bytes, big, to| append(bytes, big, to, |bytes| exact(u64::from_le_bytes(bytes).into())),
        Type::F64 => |bytes, big, to| append(bytes, big, to, f64::from_le_bytes),
        Type::Bool | Type::I8 | Type::U8 | Type::I16 | Type::U16 | Type::F16 | Type::F32 => {
            return narrow(of);
        }
        Type::Bytes(_) | Type::Characters(_) | Type::Other { .. } => return None,
    })
}

/// What decodes integers of 32 or 64 bits; negative ones become the largest.
fn whole(of: Type) -> Option<Decode<u64>> {
    Some(match of {
        Type::I32 => {
            |bytes, big, to| append(bytes, big, to, |bytes| natural(i32::from_le_bytes(bytes).into()))
        }
        Type::U32 => |bytes, big, to| append(bytes, big, to, |bytes| u32::from_le_bytes(bytes).into()),
        Type::I64 => |bytes, big, to| append(bytes, big, to, |bytes| natural(i64::from_le_bytes(bytes))),
        Type::U64 => |bytes, big, to| append(bytes, big, to, u64::from_le_bytes),
        Type::Bool | Type::I8 | Type::U8 | Type::I16 | Type::U16 | Type::F16 | Type::F32 => return None,
        Type::F64 | Type::Bytes(_) | Type::Characters(_) | Type::Other { .. } => return None,
    })
}

/// The integer, or the largest for a negative one.
fn natural(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// The `f64` of the same value, or no number.
fn exact(value: i128) -> f64 {
    double(value).unwrap_or(f64::NAN)
}

/// Puts elements that follow each other in Fortran order, from `first` on, where they belong.
fn scatter<T: Copy>(
    values: &mut [T],
    rows: &Rows,
    first: usize,
    mut block: &[T],
    feature: impl Fn(usize) -> usize,
) {
    let samples = rows.samples;
    if first.is_multiple_of(samples) && block.len().is_multiple_of(samples) {
        let columns: Vec<usize> = (first / samples..).take(block.len() / samples).map(feature).collect();
        for (tile, to) in values.chunks_mut(TILE * rows.features).enumerate() {
            for (from, column) in block.chunks_exact(samples).zip(&columns) {
                let to = to[*column..].iter_mut().step_by(rows.features);
                to.zip(&from[tile * TILE..]).for_each(|(to, &value)| *to = value);
            }
        }
        return;
    }
    let mut at = first;
    while !block.is_empty() {
        let (row, column) = (at % samples, feature(at / samples));
        let (here, rest) = block.split_at(block.len().min(samples - row));
        let to = values[row * rows.features + column..].iter_mut().step_by(rows.features);
        to.zip(here).for_each(|(to, &value)| *to = value);
        at += here.len();
        block = rest;
    }
}

/// Makes room for `more` of `all` values: at once, or where their number is only claimed, at most
/// as many as have arrived.
fn reserve<T>(values: &mut Vec<T>, more: usize, all: usize, claimed: bool) -> Result<(), TryReserveError> {
    let (length, room) = (values.len(), values.capacity());
    if length + more <= room {
        return Ok(());
    }
    let step = if claimed { length.max(more).min(all - length) } else { all - length };
    may_fail(|| values.try_reserve_exact(step))
}

/// The refusal of what does not fit memory.
pub(crate) fn no_memory(path: &Path) -> InputError {
    let source = io::ErrorKind::OutOfMemory.into();
    InputError::Io { path: path.to_owned(), action: "hold in memory", source }
}
