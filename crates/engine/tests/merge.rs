//! Merging: shards come together without loss or repetition, and what does not belong together is
//! refused.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::{Path, PathBuf};

use eigensweep_job::Job;
use eigensweep_store::StoreError;
use eigensweep_store::dataset::{Dataset, Manifest, merge};
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{run_shard, run_to_the_end};
use eigensweep_testkit::files::contents;
use eigensweep_testkit::rows::job;
use tempfile::TempDir;

const JOB: &str = r#"
[job]
name = "merge"
replicates = 12
[data]
components = 2
label_count = 2
[corruption]
components = 2
[augmentation]
alignment = [0.1, 1, 10]
[model]
dimension = 1
[grid]
samples = [10, 100]
[output]
part_rows = 36
"#;

fn shards(job: &Job, count: u64) -> (TempDir, Vec<PathBuf>) {
    let directory = tempfile::tempdir().unwrap();
    let root = |index: u64| directory.path().join(format!("shard-{index}"));
    let roots: Vec<_> = (1..=count).map(root).collect();
    for (root, index) in roots.iter().zip(1..) {
        run_shard(root, job, Shard::new(index, count).unwrap(), 2, u64::MAX).unwrap();
    }
    (directory, roots)
}

fn whole(job: &Job) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), job, 2);
    directory
}

#[test]
fn shards_come_together_once_each() {
    let job = job(JOB, &[]);
    let (directory, roots) = shards(&job, 3);
    let into = directory.path().join("into");
    // In pieces, in any order, some of them twice.
    let (some, merged) = merge(&roots[2..], &into, "a test").unwrap();
    assert!(!some.is_complete() && merged.parts > 0);
    drop(some);
    let sources = [roots[1].clone(), roots[0].clone(), roots[1].clone()];
    let (all, merged) = merge(&sources, &into, "a test").unwrap();
    assert!(all.is_complete());
    assert!(merged.again > 0 && merged.different.is_empty() && merged.faults.is_empty());
    assert!(contents(&into) == contents(whole(&job).path()));
    let manifest = Manifest::read(&into).unwrap();
    assert_eq!(manifest.rows, manifest.rows_done);
    drop(all);
    // And once more into itself: nothing changes.
    let before = contents(&into);
    let (all, merged) = merge(std::slice::from_ref(&into), &into, "a test").unwrap();
    assert!(all.is_complete() && merged.parts == 0);
    assert!(contents(&into) == before);
    drop(all);
    // It is a data set as any other: a run finds everything done.
    let again = run_to_the_end(&into, &job, 1);
    assert_eq!((again.outcome.rows, again.repairs.len()), (0, 0));
}

#[test]
fn shards_of_one_directory_are_verified() {
    let job = job(JOB, &[]);
    let directory = tempfile::tempdir().unwrap();
    for index in [2, 3, 1] {
        run_shard(directory.path(), &job, Shard::new(index, 3).unwrap(), 1, u64::MAX).unwrap();
    }
    let root = directory.path().to_path_buf();
    // What a killed shard left.
    fs::write(root.join("data/part-000-000001-00000000.parquet"), b"torn").unwrap();
    let (all, merged) = merge(std::slice::from_ref(&root), &root, "a test").unwrap();
    assert!(all.is_complete() && merged.faults.is_empty());
    drop(all);
    assert!(contents(&root) == contents(whole(&job).path()));
    // A damaged part is found, and is missing then.
    let (dataset, _) = Dataset::read(&root, false).unwrap();
    let part = dataset.part_file(dataset.records().nth(1).unwrap());
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&part, bytes).unwrap();
    let (rest, merged) = merge(std::slice::from_ref(&root), &root, "a test").unwrap();
    assert!(!rest.is_complete());
    let faults: Vec<_> = merged.faults.iter().map(|(_, fault)| fault.fault.as_str()).collect();
    assert_eq!(faults, ["does not match its checksum"]);
    drop(rest);
    run_to_the_end(&root, &job, 1);
    assert!(contents(&root) == contents(whole(&job).path()));
}

#[test]
fn a_damaged_source_gives_what_is_sound() {
    let job = job(JOB, &[]);
    let (directory, roots) = shards(&job, 2);
    let into = directory.path().join("into");
    let (dataset, _) = Dataset::read(&roots[0], false).unwrap();
    fs::write(dataset.part_file(dataset.records().next().unwrap()), b"").unwrap();
    let (joined, merged) = merge(&roots, &into, "a test").unwrap();
    assert_eq!(merged.faults.len(), 1);
    assert_eq!(joined.rows() - joined.rows_done(), 36);
    drop(joined);
    assert_eq!(run_to_the_end(&into, &job, 1).outcome.rows, 36);
    assert!(contents(&into) == contents(whole(&job).path()));
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (directory, roots) = shards(&job(JOB, &[]), 2);
    let (_other, foreign) = shards(&job(JOB, &["job.seed=1"]), 2);
    let into = directory.path().join("into");
    let refused = |sources: &[PathBuf], into: &Path| merge(sources, into, "a test").map(drop).unwrap_err();
    let error = refused(&[roots[0].clone(), foreign[1].clone()], &into);
    assert!(matches!(error, StoreError::DifferentJob { .. }), "{error}");
    assert!(!into.exists(), "nothing was written");
    let error = refused(&[directory.path().join("nowhere")], &into);
    assert!(matches!(error, StoreError::NoDataSet { .. }), "{error}");
    // Shards that grew in different steps number their parts differently.
    let grown = directory.path().join("grown");
    run_to_the_end(&grown, &job(JOB, &["job.replicates=5"]), 1);
    run_to_the_end(&grown, &job(JOB, &[]), 1);
    let error = refused(&[roots[0].clone(), grown], &into);
    assert!(matches!(error, StoreError::DifferentSections { section: 0, .. }), "{error}");
    // Into what is another study's, or no data set at all.
    let error = refused(&roots, &foreign[0]);
    assert!(matches!(error, StoreError::DifferentJob { .. }), "{error}");
    let documents = directory.path().join("documents");
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("thesis.tex"), b"mine").unwrap();
    let error = refused(&roots, &documents);
    assert!(matches!(error, StoreError::NotADataSet { .. }), "{error}");
}

/// Machines that round differently: the first stays, and it is said.
#[test]
fn different_bits_are_told() {
    let job_ = job(JOB, &[]);
    let (directory, roots) = shards(&job_, 1);
    let other = directory.path().join("other");
    run_to_the_end(&other, &job_, 1);
    // Another file under a sound record stands for other rounding.
    let (dataset, _) = Dataset::read(&other, false).unwrap();
    let record = dataset.records().next().unwrap().clone();
    let from = dataset.part_file(dataset.records().nth(1).unwrap());
    let bytes = fs::read(from).unwrap();
    let hash = blake3::hash(&bytes).to_hex().to_string();
    fs::write(dataset.part_file(&record), &bytes).unwrap();
    let path = other.join("commits/000-000000.json");
    let text = fs::read_to_string(&path).unwrap().replace(&record.blake3, &hash);
    fs::write(
        path,
        text.replace(&format!("\"bytes\": {}", record.bytes), &format!("\"bytes\": {}", bytes.len())),
    )
    .unwrap();
    let into = directory.path().join("into");
    let (joined, merged) = merge(&[roots[0].clone(), other], &into, "a test").unwrap();
    assert_eq!(merged.different.len(), 1);
    assert!(joined.is_complete());
    drop(joined);
    assert!(contents(&into) == contents(&roots[0]));
}
