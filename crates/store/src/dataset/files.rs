//! Durable file operations: whole files, files that the first writer wins, synced directories.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use eigensweep_inputs::whole_file;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::StoreError;

/// Directories of a data set.
pub(super) const DIRECTORIES: [&str; 6] = ["data", "commits", "sections", "staging", "logs", "summary"];

/// The directory of inputs that a data set keeps for its job: there if a run from Python was given
/// arrays.
pub const INPUTS: &str = "inputs";

/// Everything else that this program writes into a data set. `commits` near the end: what is left
/// of a removal that was interrupted is still known as a data set.
const ENTRIES: [&str; 8] =
    ["data", "summary", "staging", "logs", "sections", "manifest.json", "commits", "job.toml"];

/// Hexadecimal digits of the hash of an input's content, and of the number that tells apart who
/// writes it.
pub const INPUT_DIGITS: usize = 16;

/// What a file in [`INPUTS`] is called that holds what a job has under a key, `labels-<hash>.npy`,
/// and while it is written, `.labels.<number>.part`.
#[must_use]
pub fn input_names(key: &str, hash: &str, number: &str) -> [String; 2] {
    [format!("{key}-{hash}.npy"), format!(".{key}.{number}.part")]
}

/// Whether a file in [`INPUTS`] has one of its [names](input_names); anything else is not ours.
pub(super) fn is_input(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let of = |parts: Option<(&str, char)>| {
        let (stem, mark) = parts?;
        let (_, hash) = stem.rsplit_once(mark)?;
        Some(hash.len() == INPUT_DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit()))
    };
    let named = name.strip_suffix(".npy").map(|stem| (stem, '-'));
    of(named.or_else(|| name.strip_suffix(".part").map(|stem| (stem, '.')))).unwrap_or(false)
        && path.is_file()
}

/// Creates a data set's directories where they are missing.
pub(super) fn create_directories(root: &Path) -> Result<(), StoreError> {
    for name in DIRECTORIES {
        let path = root.join(name);
        fs::create_dir_all(&path).map_err(StoreError::io("create", &path))?;
    }
    sync_directory(root)
}

/// Removes what this program writes but the inputs to `keep`, and the directory if nothing else is
/// in it.
pub(super) fn remove_contents(root: &Path, keep: &[PathBuf]) -> Result<(), StoreError> {
    let inputs = root.join(INPUTS);
    for path in list(&inputs)?.iter().filter(|path| is_input(path)) {
        if !fs::canonicalize(path).is_ok_and(|path| keep.contains(&path)) {
            remove(path)?;
        }
    }
    // It stays where it holds something.
    let _ = fs::remove_dir(inputs);
    for path in ENTRIES.map(|name| root.join(name)) {
        let removed = match path.is_dir() {
            true => fs::remove_dir_all(&path),
            false => fs::remove_file(&path),
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(StoreError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    // That the directory stays (it holds something else, or is a link) does no harm.
    let _ = fs::remove_dir(root);
    Ok(())
}

/// Removes a file that may be gone already: another process does the same.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Files in a directory, by name; none if there is no such directory.
pub(super) fn list(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StoreError::io("read", directory))?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> =
        paths.collect::<Result<_, _>>().map_err(StoreError::io("read", directory))?;
    paths.sort();
    Ok(paths)
}

/// A value as the text of a JSON file.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    // The types of this crate serialise: their maps have texts as keys.
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

/// A new file in `staging` with a name of its own, removed when dropped unless it was moved into
/// place: a full disk must not stay full because of an attempt.
pub(super) fn stage(staging: &Path, name: &str) -> Result<NamedTempFile, StoreError> {
    Ok(whole_file::stage(staging, &staging.join(name))?)
}

/// Stages a file with this content.
fn stage_bytes(staging: &Path, path: &Path, bytes: &[u8]) -> Result<NamedTempFile, StoreError> {
    let mut staged = whole_file::stage(staging, path)?;
    staged.write_all(bytes).map_err(StoreError::io("write", path))?;
    Ok(staged)
}

/// Fsyncs a staged file, moves it to `place`, over what is there, and fsyncs the directory.
pub(super) fn replace(staged: NamedTempFile, place: &Path) -> Result<(), StoreError> {
    Ok(whole_file::replace(staged, place)?)
}

/// Writes a file so that it appears whole, replacing what is there.
pub(super) fn write_whole(staging: &Path, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace(stage_bytes(staging, path, bytes)?, path)
}

/// Writes a file so that it appears whole, unless there is one; returns whether it did.
pub(super) fn write_first(staging: &Path, path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
    let staged = stage_bytes(staging, path, bytes)?;
    staged.as_file().sync_all().map_err(StoreError::io("write", path))?;
    match staged.persist_noclobber(path) {
        Ok(_) => path.parent().map_or(Ok(()), sync_directory).map(|()| true),
        Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(failed) => Err(StoreError::io("link into place", path)(failed.error)),
    }
}

/// Fsyncs a directory: its entries survive a power cut. Goes on where directories cannot be synced.
pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    whole_file::sync_directory(path).map_err(StoreError::io("sync", path))
}

/// BLAKE3 and length of a file, read in pieces.
pub(super) fn hash(path: &Path) -> Result<(String, u64), StoreError> {
    let read = || -> std::io::Result<(String, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(File::open(path)?)?;
        Ok((hasher.finalize().to_hex().to_string(), hasher.count()))
    };
    read().map_err(StoreError::io("read", path))
}

#[cfg(test)]
mod tests {
    use super::{INPUT_DIGITS, input_names, is_input};

    #[test]
    fn inputs_are_known_by_the_names_that_they_are_given() {
        let directory = tempfile::tempdir().unwrap();
        let digits = "0123456789abcdef";
        assert_eq!(digits.len(), INPUT_DIGITS);
        for name in input_names("test_labels", digits, digits) {
            let path = directory.path().join(name);
            assert!(!is_input(&path), "there is none yet");
            std::fs::write(&path, b"").unwrap();
            assert!(is_input(&path), "{}", path.display());
        }
        for name in ["labels.npy", "labels-0123.npy", ".labels.part", "notes.txt"] {
            let path = directory.path().join(name);
            std::fs::write(&path, b"").unwrap();
            assert!(!is_input(&path), "{name}");
        }
    }
}
