//! The two ways this crate touches the file system: a regular file of known length, and a file that appears whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Writes a file that appears under `path` whole or not at all.
///
/// The bytes go to a hidden file in the same directory, which is flushed, synced and renamed; then the directory
/// is synced. On failure the hidden file is removed and whatever was at `path` is untouched.
///
/// # Errors
///
/// [`InputError::Io`] with the step that failed.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), InputError> {
    let failed = |action| move |source| InputError::Io { path: path.to_owned(), action, source };
    let aside = aside_name(path).map_err(failed("name"))?;
    // `create_new` also refuses to follow a link that somebody left under this name.
    let file = OpenOptions::new().write(true).create_new(true).open(&aside).map_err(failed("create"))?;
    let written = (|| {
        let mut buffered = BufWriter::new(file);
        write(&mut buffered)?;
        buffered.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&aside, path)
    })();
    if let Err(source) = written {
        // Best effort: the error that matters is the first one.
        let _ = fs::remove_file(&aside);
        return Err(failed("write")(source));
    }
    sync_directory(path).map_err(failed("sync the directory of"))
}

/// A name beside `path` that no other writer uses: the process and a counter tell them apart.
fn aside_name(path: &Path) -> io::Result<PathBuf> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path does not end in a file name"));
    };
    let mut aside = OsString::from(".");
    aside.push(name);
    aside.push(format!(".{}.{}.part", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed)));
    Ok(path.with_file_name(aside))
}

/// Makes a rename in the directory of `path` durable.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

/// Elsewhere directories cannot be opened as files; the rename is as durable as the system makes it.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
