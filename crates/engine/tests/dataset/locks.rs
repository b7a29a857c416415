//! Locks: one process a shard, no tidying up beneath another's hands, and nothing left when a
//! process ends.

use std::fs;
use std::path::Path;

use eigensweep_store::StoreError;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{HOLDER, open, run_shard, run_to_the_end};
use eigensweep_testkit::files::{contents, files, leftovers};

use crate::three_parts::{REFERENCE, copy, three_parts};

fn shard(index: u64, count: u64) -> Shard {
    Shard::new(index, count).unwrap()
}

fn open_shard(root: &Path, shard: Shard) -> Result<Dataset, StoreError> {
    open(root, &three_parts(), shard).map(|(_, dataset, _)| dataset)
}

#[track_caller]
fn assert_busy(root: &Path, result: Result<(), StoreError>) {
    match result {
        Err(error @ StoreError::Busy { .. }) => {
            let message = error.to_string();
            assert!(message.contains(&format!("({HOLDER})")), "{message}");
            assert!(message.contains(&root.display().to_string()), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_shard_has_one_process() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let first = open_shard(root, shard(1, 2)).unwrap();
    assert_busy(root, open_shard(root, shard(1, 2)).map(drop));
    let second = open_shard(root, shard(2, 2)).expect("another shard");
    assert_busy(root, open_shard(root, shard(2, 2)).map(drop));
    drop(first);
    let again = open_shard(root, shard(1, 2)).expect("the lock goes with its process");
    drop((second, again));
    assert!(open_shard(root, Shard::WHOLE).is_ok());
}

/// A refused process has changed nothing.
#[test]
fn a_busy_data_set_is_left_alone() {
    let directory = copy();
    let root = directory.path();
    let held = open_shard(root, Shard::WHOLE).unwrap();
    fs::write(root.join("staging/half a part"), b"PAR1").unwrap();
    let before = (contents(root), files(&root.join("staging")));
    assert_busy(root, open_shard(root, Shard::WHOLE).map(drop));
    assert!((contents(root), files(&root.join("staging"))) == before);
    drop(held);
}

/// What looks like the remains of a kill may be what another process has in hand.
#[test]
fn only_a_process_that_is_alone_tidies_up() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let other = open_shard(root, shard(1, 2)).unwrap();
    let remains = ["data/part-000-000001-00000000.parquet", "staging/part-000001.aBcDeF"];
    for name in remains {
        fs::write(root.join(name), b"in hand").unwrap();
    }
    let ran = run_shard(root, &three_parts(), shard(2, 2), 1, u64::MAX).unwrap();
    assert_eq!(ran.repairs, []);
    for name in remains {
        assert_eq!(fs::read(root.join(name)).unwrap(), b"in hand", "{name} while another process writes");
    }
    drop(other);
    run_shard(root, &three_parts(), shard(1, 2), 1, u64::MAX).unwrap();
    assert!(contents(root) == contents(REFERENCE.path()));
    assert_eq!(leftovers(root), [""; 0]);
}

/// The whole and a shard are different locks: both may write, and what they do is the same.
#[test]
fn a_shard_beside_the_whole_does_no_damage() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    let shard_first = open_shard(root, shard(2, 3)).unwrap();
    run_to_the_end(root, &three_parts(), 2);
    drop(shard_first);
    let ran = run_shard(root, &three_parts(), shard(2, 3), 1, u64::MAX).unwrap();
    assert_eq!((ran.repairs.len(), ran.committed.len()), (0, 0));
    assert!(contents(root) == contents(REFERENCE.path()));
}

/// `--fresh` takes nothing away from under a process that writes, and says which it is.
#[test]
fn a_data_set_that_is_written_is_not_removed() {
    let directory = copy();
    let root = directory.path().join("set");
    run_shard(&root, &three_parts(), shard(1, 3), 1, u64::MAX).unwrap();
    let before = contents(&root);
    for held in [shard(3, 3), Shard::WHOLE] {
        let writer = open_shard(&root, held).unwrap();
        assert_busy(&root, Dataset::remove(&root, None));
        assert!(contents(&root) == before);
        drop(writer);
    }
    Dataset::remove(&root, None).unwrap();
    assert!(!root.exists());
}

/// Readers take no lock and need none.
#[test]
fn a_data_set_can_be_read_while_it_is_written() {
    let directory = copy();
    let writer = open_shard(directory.path(), Shard::WHOLE).unwrap();
    let (dataset, faults) = Dataset::read(directory.path(), true).unwrap();
    assert_eq!((dataset.is_complete(), faults.len()), (true, 0));
    drop(writer);
}

/// A lock file without content, with binary or endless content: the message stays readable.
#[test]
fn a_strange_lock_file_is_no_trouble() {
    for content in [&b""[..], b"\xff\xfe\x00", &[b'x'; 100_000]] {
        let directory = copy();
        let root = directory.path();
        let held = open_shard(root, Shard::WHOLE).unwrap();
        fs::write(root.join("staging/shard-1-of-1.lock"), content).unwrap();
        let Err(error @ StoreError::Busy { .. }) = open_shard(root, Shard::WHOLE) else {
            panic!("the lock is held")
        };
        assert!(error.to_string().len() < 1000, "{error}");
        drop(held);
        assert!(open_shard(root, Shard::WHOLE).is_ok());
    }
}
