//! `idx`: images and labels in the format of MNIST and its kin, plain or gzip.
//!
//! The engine calls this before a run. An idx file is
//!
//! | bytes | what |
//! |---|---|
//! | 0, 1 | zero |
//! | 2 | element type: 0x08 unsigned and 0x09 signed bytes, 0x0b and 0x0c integers of 16 and 32 bits, 0x0d and 0x0e floats of 32 and 64 |
//! | 3 | rank r |
//! | 4 … 4 + 4 r | the dimensions, unsigned 32-bit, big-endian |
//! | then | the elements, big-endian, last dimension fastest |
//!
//! Compression is told by the gzip magic 1f 8b and never by the file's name; concatenated gzip
//! members are one stream, and zeros after them are padding.
//!
//! **Nothing is trusted.** A plain file must have exactly the length that its header declares,
//! which is checked before the data are allocated. A gzip file may not declare more than deflate
//! could pack into its length, and its data go to a buffer that at most doubles with what really
//! arrives; the stream is read to its end, so that the checksum of every member is verified.
//!
//! **Cost.** One pass; one byte a pixel (or what its type needs), and for gzip, while the buffer
//! grows, up to half as much again.
//!
//! Source: Y. LeCun, C. Cortes, C. Burges, *The MNIST database of handwritten digits*, section
//! "File formats".

use std::io::Read;
use std::path::Path;

use crate::arrays::{Array, Packed, Stream, Type};
use crate::files::{self, Unpacked, unpacked};
use crate::formats;
use crate::readers::{Column, Contents, FileKey, Inputs, Reader, Wanted, no_names, one_file};
use crate::{Compact, InputError};

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
        no_names(path, name, "an idx file")?;
        let (file, length) = files::open(path)?;
        contents.columns.push(labels_from(file, length, path)?);
    }
    if wanted.inputs.is_some() {
        let (file, length) = files::open(path)?;
        contents.inputs = Some(images_from(file, length, path)?);
    }
    Ok(contents)
}

/// Reads images from a source of `length` bytes (compressed ones if it is gzip): an idx array with
/// at least two dimensions, the first of which counts the samples; `path` is for messages only.
///
/// The other dimensions (rows, columns, channels) are flattened into features, last dimension
/// fastest.
///
/// # Errors
///
/// * [`InputError::Io`]: the source cannot be read.
/// * [`InputError::OtherFormat`], [`InputError::ElementType`], [`InputError::Rank`],
///   [`InputError::ZeroDimension`]: the header is of something else.
/// * [`InputError::Overflow`], [`InputError::Implausible`]: the header declares an impossible size.
/// * [`InputError::Truncated`], [`InputError::TrailingBytes`]: the data are shorter or longer than
///   declared.
/// * [`InputError::Gzip`]: the compressed stream is damaged.
/// * [`InputError::NonFinite`]: the first entry that is infinite or no number.
pub fn images_from(source: impl Read, length: u64, path: &Path) -> Result<Inputs, InputError> {
    let mut stream = stream(source, length, path)?;
    let images = |rank| rank >= 2;
    let expected = "images need at least 2 (samples, rows, columns); if this is the label file, swap `images` and `labels`";
    header(&mut stream, images, expected)?.inputs(&mut stream)
}

/// Reads labels, an idx array with one dimension, as [`images_from`]: class numbers of unsigned
/// bytes, else numbers.
///
/// # Errors
///
/// As [`images_from`].
pub fn labels_from(source: impl Read, length: u64, path: &Path) -> Result<Column, InputError> {
    let mut stream = stream(source, length, path)?;
    let labels = |rank| rank == 1;
    let expected = "labels need exactly 1; if this is the image file, swap `images` and `labels`";
    let array = header(&mut stream, labels, expected)?;
    if array.of != Type::U8 {
        return array.column(&mut stream);
    }
    Ok(match array.vector(&mut stream)? {
        Compact::Bytes(classes) => Column::Numbered(classes.into_iter().map(u16::from).collect()),
        values @ (Compact::Floats(_) | Compact::Doubles(_)) => Column::Numbers(values.iter().collect()),
    })
}

/// Tells gzip from plain by the first two bytes.
fn stream<'a>(source: impl Read + 'a, length: u64, path: &'a Path) -> Result<Stream<'a>, InputError> {
    let Unpacked { source, gzip } = unpacked(source).map_err(|error| files::failed(path, false, error))?;
    let packed = if gzip { Packed::Gzip } else { Packed::No };
    Ok(Stream { source: Box::new(source), length, packed, path })
}

/// Reads and checks everything before the elements; none of the dimensions is zero.
fn header(
    stream: &mut Stream<'_>,
    takes: fn(usize) -> bool,
    expected: &'static str,
) -> Result<Array, InputError> {
    let mut magic = [0; 4];
    let found = stream.fill(&mut magic)?;
    if found < magic.len() {
        return Err(stream.truncated("the first four bytes", magic.len() as u64, found as u64));
    }
    let [0, 0, code, rank] = magic else {
        return Err(other_format(stream, &magic));
    };
    let path = stream.path;
    let Some(&(_, of, type_name)) = TYPES.iter().find(|&&(of, ..)| of == code) else {
        return Err(InputError::ElementType {
            path: path.to_owned(),
            expected: "codes 0x08, 0x09 and 0x0b to 0x0e",
            found: format!("of no type that idx knows (code {code:#04x})"),
        });
    };
    let rank = usize::from(rank);
    if !takes(rank) {
        return Err(InputError::Rank { path: path.to_owned(), expected, found: rank });
    }
    let mut sizes = vec![0; 4 * rank];
    let found = stream.fill(&mut sizes)?;
    if found < sizes.len() {
        return Err(stream.truncated("the dimensions", 4 + sizes.len() as u64, 4 + found as u64));
    }
    let shape = sizes.as_chunks().0.iter().map(|&bytes| u32::from_be_bytes(bytes).into()).collect();
    let header = 4 + sizes.len() as u64;
    Ok(Array { header, shape, of, type_name: type_name.to_owned(), big: true, fortran: false })
}

/// The refusal of a file that begins with these bytes: what it is, as far as it can be read.
fn other_format(stream: &mut Stream<'_>, magic: &[u8]) -> InputError {
    let mut start = magic.to_vec();
    let rest = (formats::LOOKED_AT - magic.len()) as u64;
    // What came before an error is enough to tell.
    let _ = stream.source.by_ref().take(rest).read_to_end(&mut start);
    let found = formats::described(&start);
    InputError::OtherFormat {
        path: stream.path.to_owned(),
        expected: "an idx file (MNIST's format), plain or gzip",
        found: if stream.packed == Packed::Gzip { format!("gzip of {found}") } else { found },
    }
}

/// The type codes of idx, what they stand for, and their names.
const TYPES: [(u8, Type, &str); 6] = [
    (0x08, Type::U8, "unsigned bytes"),
    (0x09, Type::I8, "signed bytes"),
    (0x0b, Type::I16, "16-bit integers"),
    (0x0c, Type::I32, "32-bit integers"),
    (0x0d, Type::F32, "32-bit floats"),
    (0x0e, Type::F64, "64-bit floats"),
];
