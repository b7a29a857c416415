//! Files that appear whole or not at all, and survive a power cut.
//!
//! A file is staged beside its place, flushed, synced and renamed; then its directory is synced. A
//! reader sees what was there before or all of what is there after, and on failure what was there
//! before stays.
//!
//! | function | does |
//! |---|---|
//! | [`write()`] | all of it |
//! | [`check`] | whether it can, before the work that a file is to hold |
//! | [`stage`], [`replace`] | the two halves, for a file that something else fills or that is staged elsewhere |
//! | [`sync_directory`] | the last step alone |
//!
//! **Directories that cannot be synced.** CIFS and some FUSE file systems answer the sync of a
//! *directory* with EINVAL or ENOTSUP: nothing more can be done there, the rename is as durable as
//! the system makes it, and the write counts as done; [`sync_remark`] tells of it. Any other
//! answer (EIO above all) is an error, and so is every failed sync of a *file*.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::NamedTempFile;

use crate::InputError;

/// The first directory that could not be synced.
static UNSYNCED: OnceLock<PathBuf> = OnceLock::new();

/// A step on the way to a whole file that failed; whatever was in its place is untouched, unless
/// the step is the sync of the directory.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct WriteError {
    /// What was being done, as a verb that takes the path.
    pub action: &'static str,
    /// The place that the file was to have.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl From<WriteError> for InputError {
    fn from(WriteError { action, path, source }: WriteError) -> Self {
        Self::Io { path, action, source }
    }
}

/// Writes a file that appears under `path` whole or not at all, over what is there.
///
/// ```
/// use std::io::Write;
/// use eigensweep_inputs::whole_file;
///
/// let directory = tempfile::tempdir()?;
/// let path = directory.path().join("answer");
/// whole_file::write(&path, |file| write!(file, "{}", 6 * 7))?;
/// assert_eq!(std::fs::read_to_string(&path)?, "42");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`WriteError`] with the step that failed.
pub fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), WriteError> {
    let staged = stage(parent(path), path)?;
    let mut buffered = BufWriter::new(staged.as_file());
    content(&mut buffered).and_then(|()| buffered.flush()).map_err(failed("write", path))?;
    drop(buffered);
    replace(staged, path)
}

/// Whether a file can be written there, before anything is computed for it.
///
/// # Errors
///
/// Those of [`stage`].
pub fn check(path: &Path) -> Result<(), WriteError> {
    stage(parent(path), path).map(drop)
}

/// A new file in `directory` under a hidden name of its own, to be moved to `path` later; removed
/// when dropped before that.
///
/// Readable by whom the user's mask lets read, as any other file of theirs.
///
/// # Errors
///
/// [`WriteError`] if it cannot be created, `path` does not end in a file name, or something else
/// than a file stands there: a directory, or a device, whose place a rename would take.
pub fn stage(directory: &Path, path: &Path) -> Result<NamedTempFile, WriteError> {
    let Some(name) = path.file_name() else {
        let message = "the path does not end in a file name";
        return Err(failed("name", path)(io::Error::new(io::ErrorKind::InvalidInput, message)));
    };
    let found = std::fs::metadata(path);
    if found.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
        // In the system's words.
        File::options().append(true).open(path).map_err(failed("write", path))?;
    } else if found.is_ok_and(|found| !found.is_file()) {
        let message = "a device, a pipe or a socket stands there";
        return Err(failed("replace", path)(io::Error::new(io::ErrorKind::InvalidInput, message)));
    }
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let staged = builder.prefix(&prefix).suffix(".part").tempfile_in(directory);
    staged.map_err(system_error).map_err(failed("create", path))
}

/// What the system said, without the name that a staged file would have had: tempfile adds it and
/// keeps the error itself to itself.
fn system_error(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((said, _)) => {
            let number =
                said.rsplit_once("(os error ").and_then(|(_, rest)| rest.strip_suffix(')')?.parse().ok());
            number.map_or_else(|| io::Error::new(error.kind(), said.to_owned()), io::Error::from_raw_os_error)
        }
        None => error,
    }
}

/// Syncs a staged file, moves it to `path` over what is there, and syncs the directory.
///
/// # Errors
///
/// [`WriteError`] with the step that failed; the staged file is gone then.
pub fn replace(staged: NamedTempFile, path: &Path) -> Result<(), WriteError> {
    let written = staged.as_file().sync_all();
    written
        .and_then(|()| staged.persist(path).map_err(|refused| refused.error))
        .map_err(failed("write", path))?;
    sync_directory(parent(path)).map_err(failed("sync the directory of", path))
}

/// Syncs a directory: its entries survive a power cut. Goes on where directories cannot be synced.
///
/// # Errors
///
/// What the system says, unless it is that a directory cannot be synced.
#[cfg(unix)]
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory)?.sync_all() {
        Err(error) if cannot_be_synced(&error) => {
            UNSYNCED.get_or_init(|| directory.to_path_buf());
            Ok(())
        }
        synced => synced,
    }
}

/// Elsewhere directories cannot be opened as files; a rename is as durable as the system makes it.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn sync_directory(_directory: &Path) -> io::Result<()> {
    Ok(())
}

/// The first directory of this process that could not be synced.
fn unsynced_directory() -> Option<&'static Path> {
    UNSYNCED.get().map(PathBuf::as_path)
}

/// What to say, once, where a directory of this process could not be synced.
#[must_use]
pub fn sync_remark() -> Option<String> {
    unsynced_directory().map(|directory| {
        format!(
            "the file system of {} cannot sync directories: a power cut may take back what was written last",
            directory.display()
        )
    })
}

/// Whether this is a file system's way to say that it does not sync directories: EINVAL, or
/// ENOTSUP, which is EOPNOTSUPP.
#[cfg(unix)]
fn cannot_be_synced(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// The directory of a file: where a rename must take place, because it cannot cross file systems.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{self, Write};

    use super::{check, stage, sync_directory, unsynced_directory, write};

    fn names(directory: &std::path::Path) -> Vec<std::ffi::OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_file_replaces_what_was_there_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        for content in ["first", "second, longer"] {
            write(&path, |file| file.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
            assert_eq!(names(directory.path()), ["file"]);
        }
        assert_eq!(unsynced_directory(), None);
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, "before").unwrap();
        let error = write(&path, |file| {
            file.write_all(b"half of ")?;
            Err(io::Error::other("and then the disk was full"))
        })
        .unwrap_err();
        assert_eq!(error.action, "write");
        assert!(error.to_string().contains("file: and then the disk was full"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn what_is_no_name_for_a_file_is_refused_before_anything_is_created() {
        let directory = tempfile::tempdir().unwrap();
        let error = stage(directory.path(), &directory.path().join("..")).unwrap_err();
        assert_eq!(error.action, "name");
        assert_eq!(write(&directory.path().join("absent/file"), |_| Ok(())).unwrap_err().action, "create");
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn whether_a_file_can_be_written_is_known_before_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let of = |name: &str| check(&directory.path().join(name));
        assert!(of("file").is_ok() && names(directory.path()).is_empty());
        fs::write(directory.path().join("file"), "before").unwrap();
        fs::create_dir(directory.path().join("directory")).unwrap();
        assert!(of("file").is_ok());
        assert_eq!(fs::read_to_string(directory.path().join("file")).unwrap(), "before");
        for (name, action) in [("directory", "write"), ("file/file", "create"), ("absent/file", "create")] {
            assert_eq!(of(name).unwrap_err().action, action, "{name}");
        }
        assert_eq!(of("directory").unwrap_err().source.kind(), io::ErrorKind::IsADirectory);
        assert_eq!(names(directory.path()).len(), 2);
    }

    /// As any other file of the user's, and not as the private file that it was before.
    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_a_file_simply_created() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let mode = |name: &str| fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        write(&directory.path().join("whole"), |_| Ok(())).unwrap();
        fs::write(directory.path().join("simple"), "").unwrap();
        assert_eq!(mode("whole"), mode("simple"));
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert!(sync_directory(directory.path()).is_ok());
        assert!(sync_directory(&directory.path().join("absent")).is_err());
    }

    /// CIFS says EINVAL (22), others ENOTSUP (95 on Linux); a failing disk says EIO (5), a full one
    /// ENOSPC (28).
    #[cfg(target_os = "linux")]
    #[test]
    fn only_the_refusal_to_sync_directories_is_gone_over() {
        for (code, tolerated) in [(22, true), (95, true), (5, false), (28, false), (9, false), (13, false)] {
            let error = io::Error::from_raw_os_error(code);
            assert_eq!(super::cannot_be_synced(&error), tolerated, "{error}");
        }
    }
}
