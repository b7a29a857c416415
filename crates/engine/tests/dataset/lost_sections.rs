//! Files of `sections/` that are damaged, emptied or gone, in a data set that grew: made anew where
//! they would be the same, refused where only they tell which rows the parts hold.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use eigensweep_job::Job;
use eigensweep_store::StoreError;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{open, run_parts, run_to_the_end};
use eigensweep_testkit::files::{contents, copy_of, tree};
use eigensweep_testkit::rows::job;
use tempfile::TempDir;

use crate::three_parts::{THREE_PARTS, three_parts};

fn larger() -> Job {
    job(THREE_PARTS, &["job.replicates=80", "grid.samples=[20, 30]"])
}

/// Of three sections: the first job, replicates, samples.
static GROWN: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &three_parts(), 1);
    run_to_the_end(directory.path(), &larger(), 2);
    let (dataset, _) = Dataset::read(directory.path(), true).unwrap();
    assert_eq!(dataset.sections().len(), 3);
    directory
});

fn section(root: &Path, number: u32) -> std::path::PathBuf {
    root.join(format!("sections/{number:03}.json"))
}

/// What is done to a file, and its name.
type Harm = (&'static str, fn(&Path));

const HARMS: [Harm; 5] = [
    ("deleted", |path| fs::remove_file(path).unwrap()),
    ("emptied", |path| fs::write(path, b"").unwrap()),
    ("garbled", |path| fs::write(path, b"{\"format_version\": 2, \"number\"").unwrap()),
    ("no text", |path| fs::write(path, [0xff, 0xfe, 0x00]).unwrap()),
    ("truncated", |path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    }),
];

/// The job says what the section was: its file is written anew, and no part is computed again.
#[test]
fn a_lost_section_is_made_anew() {
    for (what, harm) in HARMS {
        for number in 0..3 {
            let directory = copy_of(GROWN.path());
            let root = directory.path();
            harm(&section(root, number));
            let ran = run_to_the_end(root, &larger(), 1);
            assert_eq!((ran.repairs.len(), ran.committed.len()), (0, 0), "{what}, section {number}");
            assert!(contents(root) == contents(GROWN.path()), "{what}, section {number}");
        }
    }
}

/// A job that would make other sections does not tell what the lost one was: refused, by readers
/// and writers, and nothing changes.
#[test]
fn a_section_that_is_lost_for_good_is_refused() {
    let others = [
        three_parts(),
        job(THREE_PARTS, &["job.replicates=90", "grid.samples=[20, 30]"]),
        job(THREE_PARTS, &["job.replicates=80", "grid.samples=[20, 30, 40]"]),
    ];
    for (what, harm) in HARMS {
        for number in [1, 2] {
            let directory = copy_of(GROWN.path());
            let root = directory.path();
            harm(&section(root, number));
            // Of what is left, the first job is all; otherwise it would lack replicates or samples.
            if number == 1 {
                harm(&section(root, 2));
            }
            let before = tree(root);
            for other in &others[..if number == 1 { 1 } else { 3 }] {
                let refused = open(root, other, Shard::WHOLE).map(drop);
                match refused {
                    Err(StoreError::Section { path, .. }) => {
                        assert!(path.starts_with(root.join("sections")), "{what}: {}", path.display());
                    }
                    Err(StoreError::NotExtended { .. }) if number == 2 => {}
                    other => panic!("{what}, section {number}: {other:?}"),
                }
                assert!(tree(root) == before, "{what}, section {number}: nothing changes");
            }
            // Whoever has the right job still has everything.
            let ran = run_to_the_end(root, &larger(), 1);
            assert_eq!((ran.repairs.len(), ran.committed.len()), (0, 0), "{what}, section {number}");
        }
    }
}

/// Readers have no job to make it from.
#[test]
fn readers_refuse_a_damaged_section() {
    for (what, harm) in &HARMS[1..] {
        let directory = copy_of(GROWN.path());
        harm(&section(directory.path(), 1));
        match Dataset::read(directory.path(), false).map(drop) {
            Err(error @ StoreError::Section { section: 1, .. }) => {
                assert!(error.to_string().contains("sections/001.json"), "{what}: {error}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    // A deleted one leaves parts of which nobody knows what they are.
    let directory = copy_of(GROWN.path());
    fs::remove_file(section(directory.path(), 1)).unwrap();
    let (dataset, faults) = Dataset::read(directory.path(), true).unwrap();
    assert!(
        !faults.is_empty() && faults.iter().all(|fault| fault.file.starts_with("commits/001-")),
        "{faults:?}"
    );
    assert!(dataset.is_complete(), "as far as it is known");
}

/// Nothing depends on a section without parts.
#[test]
fn a_damaged_section_without_parts_is_no_loss() {
    for (what, harm) in HARMS {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        run_parts(root, &three_parts(), 1, u64::MAX).unwrap();
        drop(open(root, &larger(), Shard::WHOLE).unwrap());
        harm(&section(root, 1));
        harm(&section(root, 2));
        let other = job(THREE_PARTS, &["job.replicates=75"]);
        let ran = run_to_the_end(root, &other, 1);
        assert_eq!((ran.repairs.len(), ran.committed.len()), (0, 1), "{what}");
        run_to_the_end(root, &larger(), 1);
    }
}
