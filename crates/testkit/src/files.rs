//! Directories as values, and copies of them to be harmed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Names and contents of the files in a directory.
#[must_use]
pub fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
}

/// Everything that a run leaves and that must not depend on how it ran: parts, commit records and
/// sections.
#[must_use]
pub fn contents(data_set: &Path) -> [BTreeMap<String, Vec<u8>>; 3] {
    ["data", "commits", "sections"].map(|name| files(&data_set.join(name)))
}

/// The files in `staging/` of a data set beside locks: of a run that has ended, none.
#[must_use]
pub fn leftovers(data_set: &Path) -> Vec<String> {
    let names = files(&data_set.join("staging")).into_keys();
    names.filter(|name| !name.ends_with(".lock")).collect()
}

/// Every file below a directory with its content, and every directory with none.
#[must_use]
pub fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(tree(&path));
            found.insert(path, Vec::new());
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

/// Copies all that is below a directory.
pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// A copy of a directory that goes with the value.
#[must_use]
pub fn copy_of(root: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy_tree(root, directory.path());
    directory
}
