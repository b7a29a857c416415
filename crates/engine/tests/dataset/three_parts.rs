//! A small data set of three parts, computed once, and ways to look into one and to harm it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use eigensweep_job::Job;
use eigensweep_store::dataset::CommitRecord;
use eigensweep_testkit::data_set::run_to_the_end;
use eigensweep_testkit::files::copy_of;
use eigensweep_testkit::rows::job;
use tempfile::TempDir;

/// Rows of each part of [`THREE_PARTS`].
pub(crate) const PART_ROWS: u64 = 2304;

/// Three parts of the smallest problems there are: 24 tasks of 96 rows each, more than are in
/// flight when a run is stopped.
pub(crate) const THREE_PARTS: &str = r#"
[job]
name = "three-parts"
seed = 11
replicates = 72
[data]
components = 1
label_count = 2
[corruption]
components = 1
[augmentation]
alignment = { from = 0.01, to = 100, count = 32, scale = "log" }
[model]
dimension = 1
[grid]
samples = 20
[output]
part_rows = 2304
"#;

pub(crate) fn three_parts() -> Job {
    job(THREE_PARTS, &[])
}

/// The finished data set of [`THREE_PARTS`], computed once.
pub(crate) static REFERENCE: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let ran = run_to_the_end(directory.path(), &three_parts(), 2);
    assert_eq!(ran.committed, [(0, 0), (0, 1), (0, 2)]);
    directory
});

/// A copy of it, to be harmed.
pub(crate) fn copy() -> TempDir {
    copy_of(REFERENCE.path())
}

/// The commit record of a part of section 0.
pub(crate) fn record_path(root: &Path, part: u64) -> PathBuf {
    root.join(format!("commits/000-{part:06}.json"))
}

pub(crate) fn record(root: &Path, part: u64) -> CommitRecord {
    serde_json::from_str(&fs::read_to_string(record_path(root, part)).unwrap()).unwrap()
}

pub(crate) fn part_path(root: &Path, part: u64) -> PathBuf {
    root.join("data").join(record(root, part).file)
}

/// Changes one field of a commit record.
pub(crate) fn edit_record(root: &Path, part: u64, field: &str, value: serde_json::Value) {
    edit_json(&record_path(root, part), field, value);
}

/// Changes one field of a JSON file.
pub(crate) fn edit_json(path: &Path, field: &str, value: serde_json::Value) {
    let mut object: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    object[field] = value;
    fs::write(path, object.to_string()).unwrap();
}
