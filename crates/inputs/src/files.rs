//! Regular files of known length, and reading of them.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::InputError;
use crate::gzip::{self, Members};

/// Opens a regular file and tells its length in bytes.
///
/// # Errors
///
/// [`InputError::NotAFile`] for anything else (its length would say nothing about what arrives, and
/// opening a pipe would wait for a writer), [`InputError::Io`] if the system refuses.
pub(crate) fn open(path: &Path) -> Result<(File, u64), InputError> {
    let cannot_open = |source| InputError::Io { path: path.to_owned(), action: "open", source };
    // Asked before opening, because opening a pipe would block.
    if !fs::metadata(path).map_err(cannot_open)?.is_file() {
        return Err(InputError::NotAFile { path: path.to_owned() });
    }
    let file = File::open(path).map_err(cannot_open)?;
    // Asked again of what was opened: the path may have been replaced in between.
    let metadata = file.metadata().map_err(cannot_open)?;
    if !metadata.is_file() {
        return Err(InputError::NotAFile { path: path.to_owned() });
    }
    Ok((file, metadata.len()))
}

/// Reads until `buffer` is full or the source ends; tells how many bytes came.
pub(crate) fn read_up_to(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Size of the read buffers; 64 KiB, of no influence on any result.
pub(crate) const READ_BUFFER: usize = 1 << 16;

/// What a source holds, unpacked if it is gzip, which its first bytes tell.
pub(crate) fn unpacked<'a>(source: impl Read + 'a) -> io::Result<Unpacked<'a>> {
    let mut packed = BufReader::with_capacity(READ_BUFFER, source);
    let gzip = packed.fill_buf()?.starts_with(&gzip::MAGIC);
    let source: Box<dyn BufRead + 'a> = if gzip {
        Box::new(BufReader::with_capacity(READ_BUFFER, Members::new(packed)))
    } else {
        Box::new(packed)
    };
    Ok(Unpacked { source, gzip })
}

/// What a source holds, and whether it was gzip.
pub(crate) struct Unpacked<'a> {
    pub(crate) source: Box<dyn BufRead + 'a>,
    pub(crate) gzip: bool,
}

/// Whether a decoder speaks of damaged data: it does so through the error type of the system.
pub(crate) fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

/// Tells a damaged gzip stream from a refusal of the system.
pub(crate) fn failed(path: &Path, gzip: bool, source: io::Error) -> InputError {
    let path = path.to_owned();
    if gzip && is_damage(&source) {
        InputError::Gzip { path, source }
    } else {
        InputError::Io { path, action: "read", source }
    }
}
