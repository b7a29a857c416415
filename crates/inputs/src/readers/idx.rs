//! `idx`: images and labels in the format of MNIST and its kin, plain or gzip.
//!
//! The engine calls this before a run. An idx file is
//!
//! | bytes | what |
//! |---|---|
//! | 0, 1 | zero |
//! | 2 | element type; only 0x08, unsigned bytes, is taken here |
//! | 3 | rank r |
//! | 4 … 4 + 4 r | the dimensions, unsigned 32-bit, big-endian |
//! | then | the elements, last dimension fastest |
//!
//! Compression is told by the gzip magic 1f 8b and never by the file's name; concatenated gzip
//! members are one stream, and zeros after them are padding.
//!
//! **Nothing is trusted.** A plain file must have exactly the length that its header declares, which is checked before
//! the data are allocated. A gzip file may not declare more than deflate could pack into its length, and its data go
//! to a buffer that at most doubles with what really arrives; the stream is read to its end, so that the checksum of
//! every member is verified.
//!
//! **Cost.** One pass; one byte a pixel, and for gzip, while the buffer grows, up to half as much again.
//!
//! Source: Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*, section "File formats".

use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use crate::files::{self, read_up_to};
use crate::formats;
use crate::gzip::{self, Members};
use crate::memory::may_fail;
use crate::readers::{Column, Contents, FileKey, Inputs, Reader, Wanted, one_file};
use crate::{ClassLabels, Dense, InputError};

/// Images and labels in idx files, MNIST's format.
pub static IDX: Reader = Reader {
    name: "idx",
    help: "images and labels in idx files (MNIST's format), plain or gzip",
    inputs: FileKey {
        key: "images",
        help: "the path of an idx file, plain or gzipped, relative to the job file",
    },
    choices: &[],
    columns: false,
    images: true,
    samples: "images",
    features: "pixels",
    files: one_file,
    read,
};

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let mut contents = Contents::default();
    for &name in wanted.columns {
        if let Some(name) = name {
            let there = "an idx file has no names: leave the name out".to_owned();
            return Err(InputError::NoSuch {
                path: path.to_owned(),
                what: "column",
                name: name.to_owned(),
                there,
            });
        }
        contents.columns.push(Column::Numbered(read_labels(path)?.classes().to_vec()));
    }
    if wanted.inputs.is_some() {
        contents.inputs = Some(Inputs { rows: Box::new(read_images(path)?), names: Vec::new() });
    }
    Ok(contents)
}

/// The idx code of unsigned bytes.
const UNSIGNED_BYTE: u8 = 0x08;

/// Most bytes that one byte of a deflate stream can stand for: 258 bytes for every two bits, 1032.
///
/// Source: derived from RFC 1951 (longest match 258, shortest codes one bit for the length and one for the
/// distance); zlib's technical notes give the same limit.
const MAX_EXPANSION: u64 = 1032;

/// Size of the first allocation for data whose length is only declared; 64 KiB, of no influence on the result.
const FIRST_ALLOCATION: usize = 1 << 16;

/// Size of the read buffer in front of the decoder; 64 KiB, of no influence on the result.
const READ_BUFFER: usize = 1 << 16;

/// What the caller needs the array to be.
#[derive(Clone, Copy)]
enum Content {
    Images,
    Labels,
}

/// The header and data of an idx file.
struct Array {
    dimensions: Vec<usize>,
    data: Vec<u8>,
}

/// Reads images: an idx array of unsigned bytes with at least two dimensions, the first of which counts the samples.
///
/// The other dimensions (rows, columns, channels) are flattened into features, last dimension fastest.
///
/// # Errors
///
/// * [`InputError::Io`], [`InputError::NotAFile`]: the file cannot be opened or read.
/// * [`InputError::OtherFormat`], [`InputError::ElementType`], [`InputError::Rank`],
///   [`InputError::ZeroDimension`]: the header is of something else.
/// * [`InputError::Overflow`], [`InputError::Implausible`]: the header declares an impossible size.
/// * [`InputError::Truncated`], [`InputError::TrailingBytes`]: the data are shorter or longer than declared.
/// * [`InputError::Gzip`]: the compressed stream is damaged.
pub fn read_images(path: &Path) -> Result<Dense<u8>, InputError> {
    let (file, length) = files::open(path)?;
    images_from(file, length, path)
}

/// Reads class labels: an idx array of unsigned bytes with one dimension.
///
/// # Errors
///
/// As [`read_images`].
pub fn read_labels(path: &Path) -> Result<ClassLabels, InputError> {
    let (file, length) = files::open(path)?;
    labels_from(file, length, path)
}

/// [`read_images`] from a source of `length` bytes (compressed ones if it is gzip); `path` is for messages only.
///
/// # Errors
///
/// As [`read_images`].
pub fn images_from(source: impl Read, length: u64, path: &Path) -> Result<Dense<u8>, InputError> {
    let array = array_from(source, length, Content::Images, path)?;
    // `array_from` made sure of at least two dimensions, of their product and of no zero among them.
    let samples = array.dimensions[0];
    let features = array.data.len() / samples;
    let shape = match array.dimensions[1..] {
        [columns] => [1, 1, columns],
        [rows, columns] => [1, rows, columns],
        [channels, rows, columns] => [channels, rows, columns],
        // Of more dimensions, those before the last two are channels.
        [.., rows, columns] => [features / rows / columns, rows, columns],
        [] => [1, 1, features],
    };
    Ok(Dense::new(array.data, samples, features)?.shaped(shape))
}

/// [`read_labels`] from a source of `length` bytes (compressed ones if it is gzip); `path` is for messages only.
///
/// # Errors
///
/// As [`read_images`].
pub fn labels_from(source: impl Read, length: u64, path: &Path) -> Result<ClassLabels, InputError> {
    let classes = array_from(source, length, Content::Labels, path)?.data;
    ClassLabels::new(classes.into_iter().map(u16::from).collect())
}

/// Tells gzip from plain by the first two bytes and reads the array.
fn array_from(
    mut source: impl Read,
    length: u64,
    content: Content,
    path: &Path,
) -> Result<Array, InputError> {
    let mut magic = [0; 2];
    let found = read_up_to(&mut source, &mut magic).map_err(|source| InputError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    })?;
    let whole = Cursor::new(magic).take(found as u64).chain(source);
    if found == magic.len() && magic == gzip::MAGIC {
        let decoder = Members::new(BufReader::with_capacity(READ_BUFFER, whole));
        Stream { stream: decoder, length, gzip: true, path }.array(content)
    } else {
        Stream { stream: whole, length, gzip: false, path }.array(content)
    }
}

/// An idx stream, after decompression, with what is known of where it comes from.
struct Stream<'a, R> {
    stream: R,
    /// Bytes of the source, compressed ones for gzip.
    length: u64,
    gzip: bool,
    path: &'a Path,
}

impl<R: Read> Stream<'_, R> {
    fn array(mut self, content: Content) -> Result<Array, InputError> {
        let shape = self.header(content)?;
        let header = 4 + 4 * shape.len() as u64;
        let overflow = || InputError::Overflow { path: self.path.to_owned(), shape: shape.clone() };

        let declared =
            shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size)).ok_or_else(overflow)?;
        let total = declared.checked_add(header).ok_or_else(overflow)?;
        // The elements are bytes, so what an allocation can hold at most bounds their number.
        let elements = isize::try_from(declared).map_err(|_| overflow())?.unsigned_abs();
        let dimensions = shape
            .iter()
            .map(|&size| usize::try_from(size))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| overflow())?;
        self.check_length(total)?;

        let data = self.data(elements)?;
        if data.len() < elements {
            return Err(self.truncated("the elements", total, header + data.len() as u64));
        }
        // Reading on to the end also makes the decoder verify the checksum.
        if self.fill(&mut [0])? > 0 {
            return Err(InputError::TrailingBytes { path: self.path.to_owned(), expected: total });
        }
        Ok(Array { dimensions, data })
    }

    /// Reads and checks everything before the elements; the dimensions, none of them zero.
    fn header(&mut self, content: Content) -> Result<Vec<u64>, InputError> {
        let mut magic = [0; 4];
        let found = self.fill(&mut magic)?;
        if found < magic.len() {
            return Err(self.truncated("the first four bytes", magic.len() as u64, found as u64));
        }
        let [0, 0, code, rank] = magic else {
            return Err(self.other_format(&magic));
        };
        if code != UNSIGNED_BYTE {
            return Err(InputError::ElementType {
                path: self.path.to_owned(),
                expected: "unsigned bytes (code 0x08)",
                found: type_name(code),
            });
        }
        let expected = match content {
            Content::Images => (rank < 2).then_some(
                "images need at least 2 (samples, rows, columns); if this is the label file, swap `images` and `labels`",
            ),
            Content::Labels => (rank != 1)
                .then_some("labels need exactly 1; if this is the image file, swap `images` and `labels`"),
        };
        if let Some(expected) = expected {
            return Err(InputError::Rank { path: self.path.to_owned(), expected, found: rank.into() });
        }

        let mut sizes = vec![0; 4 * usize::from(rank)];
        let found = self.fill(&mut sizes)?;
        if found < sizes.len() {
            return Err(self.truncated("the dimensions", 4 + sizes.len() as u64, 4 + found as u64));
        }
        let shape: Vec<u64> =
            sizes.as_chunks().0.iter().map(|&bytes: &[u8; 4]| u64::from(u32::from_be_bytes(bytes))).collect();
        match shape.iter().position(|&size| size == 0) {
            Some(axis) => Err(InputError::ZeroDimension { path: self.path.to_owned(), axis }),
            None => Ok(shape),
        }
    }

    /// Compares the size that the header declares with the length of the source, before anything of that size exists.
    fn check_length(&self, total: u64) -> Result<(), InputError> {
        if self.gzip {
            let allowed = self.length.saturating_mul(MAX_EXPANSION);
            if total > allowed {
                return Err(InputError::Implausible {
                    path: self.path.to_owned(),
                    declared: total,
                    compressed: self.length,
                    allowed,
                });
            }
        } else if total > self.length {
            return Err(self.truncated("header and elements", total, self.length));
        } else if total < self.length {
            return Err(InputError::TrailingBytes { path: self.path.to_owned(), expected: total });
        }
        Ok(())
    }

    /// Reads `expected` bytes, or fewer if the stream ends; allocates at most twice what arrives.
    fn data(&mut self, expected: usize) -> Result<Vec<u8>, InputError> {
        let mut data = Vec::new();
        while data.len() < expected {
            let step = (expected - data.len()).min(data.len().max(FIRST_ALLOCATION));
            let start = data.len();
            may_fail(|| data.try_reserve_exact(step)).map_err(|error| self.failed(error.into()))?;
            data.resize(start + step, 0);
            let found = self.fill(&mut data[start..])?;
            data.truncate(start + found);
            if found < step {
                break;
            }
        }
        Ok(data)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, InputError> {
        read_up_to(&mut self.stream, buffer).map_err(|error| self.failed(error))
    }

    /// Tells a damaged stream from a refusal of the system: the decoder speaks through the same error type.
    fn failed(&self, source: io::Error) -> InputError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let path = self.path.to_owned();
        if self.gzip && matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            InputError::Gzip { path, source }
        } else {
            InputError::Io { path, action: "read", source }
        }
    }

    /// The refusal of a file that begins with these bytes: what it is, as far as it can be read.
    fn other_format(&mut self, magic: &[u8]) -> InputError {
        let mut start = magic.to_vec();
        let rest = (formats::LOOKED_AT - magic.len()) as u64;
        // What came before an error is enough to tell.
        let _ = self.stream.by_ref().take(rest).read_to_end(&mut start);
        let found = formats::described(&start);
        InputError::OtherFormat {
            path: self.path.to_owned(),
            expected: "an idx file (MNIST's format), plain or gzip",
            found: if self.gzip { format!("gzip of {found}") } else { found },
        }
    }

    fn truncated(&self, what: &'static str, expected: u64, found: u64) -> InputError {
        InputError::Truncated { path: self.path.to_owned(), what, expected, found }
    }
}

/// What an idx type code stands for.
fn type_name(code: u8) -> String {
    let name = match code {
        0x09 => "signed bytes",
        0x0b => "16-bit integers",
        0x0c => "32-bit integers",
        0x0d => "32-bit floats",
        0x0e => "64-bit floats",
        _ => "of no type that idx knows",
    };
    format!("{name} (code {code:#04x})")
}
