//! Whatever is done to one file of a data set: the next run makes it what it was, or refuses and
//! changes nothing. No panic, no row lost, none wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use eigensweep_job::Job;
use eigensweep_store::dataset::{CommitRecord, Dataset};
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{open, run_to_the_end};
use eigensweep_testkit::files::{copy_of, files, tree};
use eigensweep_testkit::rows::job;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;
use tempfile::TempDir;

use crate::three_parts::THREE_PARTS;

fn larger() -> Job {
    job(THREE_PARTS, &["job.replicates=30", "grid.samples=[20, 4]"])
}

/// A data set of two sections, which has all kinds of files.
static GROWN: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &job(THREE_PARTS, &["job.replicates=30"]), 2);
    run_to_the_end(directory.path(), &larger(), 2);
    directory
});

/// The files directly in a directory, in order.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

/// What is done to a file.
#[derive(Clone, Debug)]
enum Harm {
    Delete,
    Truncate(Index),
    Append(Vec<u8>),
    Flip(Index, u8),
    Overwrite(Vec<u8>),
    /// Another file of the same directory in its place.
    Replace(Index),
    Exchange(Index),
    /// A directory in its place.
    Directory,
}

fn harm() -> impl Strategy<Value = Harm> {
    let bytes = || proptest::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        1 => Just(Harm::Delete),
        3 => any::<Index>().prop_map(Harm::Truncate),
        1 => bytes().prop_map(Harm::Append),
        8 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Harm::Flip(at, 1 << bit)),
        1 => bytes().prop_map(Harm::Overwrite),
        2 => any::<Index>().prop_map(Harm::Replace),
        2 => any::<Index>().prop_map(Harm::Exchange),
    ]
}

fn apply(harm: &Harm, path: &Path) {
    let bytes = fs::read(path).unwrap();
    let other = |index: &Index| index.get(&files_in(path.parent().unwrap())).clone();
    match harm {
        Harm::Delete => fs::remove_file(path).unwrap(),
        Harm::Truncate(at) => fs::write(path, &bytes[..at.index(bytes.len() + 1)]).unwrap(),
        Harm::Append(more) => fs::write(path, [&bytes[..], more].concat()).unwrap(),
        Harm::Flip(at, mask) => {
            let mut bytes = bytes;
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            fs::write(path, bytes).unwrap();
        }
        Harm::Overwrite(with) => fs::write(path, with).unwrap(),
        Harm::Replace(index) => fs::write(path, fs::read(other(index)).unwrap()).unwrap(),
        Harm::Exchange(index) => {
            let other = other(index);
            let of_other = fs::read(&other).unwrap();
            fs::write(other, bytes).unwrap();
            fs::write(path, of_other).unwrap();
        }
        Harm::Directory => {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }
    }
}

/// Parts with their bytes, and what the commit records say: a blank more in a record is no damage.
fn meaning(root: &Path) -> (BTreeMap<String, Vec<u8>>, Vec<CommitRecord>) {
    let (dataset, faults) = Dataset::read(root, true).unwrap();
    assert_eq!(faults, []);
    assert!(dataset.is_complete());
    (files(&root.join("data")), dataset.records().cloned().collect())
}

fn harmed() -> impl Strategy<Value = (PathBuf, Harm)> {
    (any::<Index>(), harm()).prop_map(|(file, harm)| {
        // A directory after another, so that small ones have their share.
        let directories = ["commits", "sections", "data", "commits", "sections", "data", "."];
        let directory = directories[file.index(directories.len())];
        let paths = files_in(&GROWN.path().join(directory));
        let path = file.get(&paths).strip_prefix(GROWN.path()).unwrap().to_owned();
        (path, harm)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, rng_seed: RngSeed::Fixed(3), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_damage_is_repaired_or_refused((path, harm) in harmed()) {
        let directory = copy_of(GROWN.path());
        let root = directory.path();
        apply(&harm, &root.join(&path));
        let before = tree(root);
        // Readers do not panic either.
        let _ = Dataset::read(root, true);
        prop_assert!(tree(root) == before, "readers change nothing");
        if let Err(error) = open(root, &larger(), Shard::WHOLE) {
            prop_assert!(tree(root) == before, "refused ({}), and nothing changes", error);
        } else {
            run_to_the_end(root, &larger(), 1);
            prop_assert!(meaning(root) == meaning(GROWN.path()));
        }
    }
}

/// A directory in the place of a file is nobody's to delete: refused, or passed over.
#[test]
fn a_directory_in_the_place_of_a_file() {
    for path in ["manifest.json", "job.toml", "sections/000.json", "commits/000-000000.json"] {
        let directory = copy_of(GROWN.path());
        let root = directory.path();
        apply(&Harm::Directory, &root.join(path));
        fs::write(root.join(path).join("mine"), b"mine").unwrap();
        let refused = open(root, &larger(), Shard::WHOLE).map(drop);
        assert_eq!(fs::read(root.join(path).join("mine")).unwrap(), b"mine");
        let Err(error) = refused else { continue };
        assert!(error.to_string().contains(path), "{error}");
    }
}
