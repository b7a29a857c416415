//! Regular files of known length, and reading of them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use crate::InputError;

/// Opens a regular file and tells its length in bytes.
///
/// # Errors
///
/// [`InputError::NotAFile`] for anything else (its length would say nothing about what arrives, and opening a
/// pipe would wait for a writer), [`InputError::Io`] if the system refuses.
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
