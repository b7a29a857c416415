//! Interrupted runs, runs side by side, and the protocol that they keep.

use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use eigensweep_engine::run;
use eigensweep_engine::simulation::{Simulation, Workspace};
use eigensweep_store::StoreError;
use eigensweep_store::columns::FORMAT_VERSION;
use eigensweep_store::dataset::{Collector, CommitRecord, Dataset, Identity, Manifest};
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{Stopping, open, run_parts, run_shard, run_to_the_end};
use eigensweep_testkit::files::{contents, files, leftovers};
use eigensweep_testkit::rows::{job, prepare};

use crate::three_parts::{PART_ROWS, REFERENCE, THREE_PARTS, part_path, record, three_parts};

#[test]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("new/data set");
    let mut done = Vec::new();
    for (threads, expected) in [(2, 0), (1, 1), (3, 2)] {
        let ran = run_parts(&root, &three_parts(), threads, 1).unwrap();
        assert_eq!(ran.repairs, []);
        assert_eq!(ran.committed, [(0, expected)], "an interruption drops the part in hand and no other");
        assert_eq!(ran.outcome.complete, expected == 2);
        assert_eq!(ran.outcome.rows, record(&root, expected).rows);
        done.push(contents(&root));
    }
    let whole = contents(REFERENCE.path());
    assert!(done[2] == whole, "files of one run and of three");
    for kinds in done.windows(2) {
        let kept =
            kinds[0].iter().zip(&kinds[1]).all(|(a, b)| a.iter().all(|(name, bytes)| b[name] == *bytes));
        assert!(kept, "finished parts are left alone");
    }
    let again = run_to_the_end(&root, &three_parts(), 2);
    assert_eq!((again.outcome.rows, again.committed.len()), (0, 0), "nothing is left to do");
    assert!(contents(&root) == whole);
}

/// A stop before anything was computed: directories, no parts, and a run that goes on.
#[test]
fn a_run_that_never_began_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (input, mut dataset, _) = open(directory.path(), &three_parts(), Shard::WHOLE).unwrap();
    let stop = AtomicBool::new(true);
    let mut observer = Stopping::after(&stop, u64::MAX);
    let outcome = run::run(&input, &mut dataset, 2, &stop, &mut observer).unwrap();
    assert_eq!((outcome.rows, outcome.complete, observer.rows), (0, false, 0));
    drop(dataset);
    run_to_the_end(directory.path(), &three_parts(), 2);
    assert!(contents(directory.path()) == contents(REFERENCE.path()));
}

/// What a run must do, and what is done.
#[test]
fn shares_count_rows() {
    let directory = tempfile::tempdir().unwrap();
    run_parts(directory.path(), &three_parts(), 1, 2).unwrap();
    let share = |shard| {
        let (_, dataset, _) = open(directory.path(), &three_parts(), shard).unwrap();
        let share = run::share(&dataset);
        (share.rows_done, share.rows)
    };
    assert_eq!(share(Shard::WHOLE), (2 * PART_ROWS, 3 * PART_ROWS));
    assert_eq!(share(Shard::new(1, 3).unwrap()), (PART_ROWS, PART_ROWS));
    assert_eq!(share(Shard::new(3, 3).unwrap()), (0, PART_ROWS));
    let (dataset, faults) = Dataset::read(directory.path(), true).unwrap();
    assert_eq!(
        (dataset.rows_done(), dataset.rows(), dataset.is_complete()),
        (2 * PART_ROWS, 3 * PART_ROWS, false)
    );
    assert_eq!(faults, []);
}

/// Commits a part of a data set's section 0 with the rows that `simulation` gives.
fn commit(dataset: &Dataset, part: u64, simulation: &Simulation) -> Result<CommitRecord, StoreError> {
    let section = &dataset.sections()[0];
    let (mut workspace, mut batch) = (Workspace::new(simulation), simulation.new_batch());
    let mut collector = Collector::new(section, simulation.active().cloned());
    collector.begin(&section.plan, part);
    for task in section.plan.part_tasks(part) {
        simulation.run_task(task, &mut workspace, &mut batch);
        collector.add(&section.plan, &batch);
    }
    collector.commit(dataset.root(), section, part)
}

/// Opens the data set though another process has: as on a file system that loses locks.
fn open_without_locks(root: &Path) -> Dataset {
    let staging = root.join("staging");
    for name in files(&staging).into_keys().filter(|name| name.ends_with(".lock")) {
        fs::remove_file(staging.join(name)).unwrap();
    }
    open(root, &three_parts(), Shard::WHOLE).unwrap().1
}

/// Two machines that round differently commit the same part: the first wins, and no row is there
/// twice.
#[test]
fn the_first_of_two_commits_wins() {
    let directory = tempfile::tempdir().unwrap();
    let one = open(directory.path(), &three_parts(), Shard::WHOLE).unwrap().1;
    let other = open_without_locks(directory.path());
    let same = prepare(&three_parts());
    // Rows of another seed stand for other rounding.
    let different = prepare(&job(THREE_PARTS, &["job.seed=12"]));
    let first = commit(&one, 0, &same).unwrap();
    let second = commit(&other, 0, &different).unwrap();
    assert_eq!(files(&directory.path().join("data")).len(), 1);
    assert_eq!(first, second);
    assert_eq!(record(directory.path(), 0), record(REFERENCE.path(), 0));
    // The other order of events: the loser wrote its file and died before it could take it back.
    fs::write(directory.path().join("data/part-000-000000-deadbeef.parquet"), b"the loser's").unwrap();
    drop((one, other));
    run_to_the_end(directory.path(), &three_parts(), 2);
    assert!(contents(directory.path()) == contents(REFERENCE.path()));
}

/// A file that cannot be put into place is an error, and leaves no record and nothing staged.
#[test]
fn a_commit_that_fails_records_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let one = open(directory.path(), &three_parts(), Shard::WHOLE).unwrap().1;
    let simulation = prepare(&three_parts());
    // No directory can be written over by a rename, so the commit fails at its first step.
    let place = part_path(REFERENCE.path(), 0);
    let place = directory.path().join("data").join(place.file_name().unwrap());
    fs::create_dir_all(place.join("in the way")).unwrap();
    match commit(&one, 0, &simulation) {
        Err(StoreError::Io { action, path, .. }) => assert_eq!((action, path), ("write", place)),
        other => panic!("{other:?}"),
    }
    assert_eq!(files(&directory.path().join("commits")).len(), 0, "nothing is recorded");
    assert_eq!(leftovers(directory.path()), [""; 0], "what was staged is gone");
}

/// Two runs of one job into one directory at once, without locks: both write the same bytes under
/// the same names, so neither harms the other. Both have opened the data set before either commits.
#[test]
fn two_runs_at_once_agree() {
    let directory = tempfile::tempdir().unwrap();
    let first = open(directory.path(), &three_parts(), Shard::WHOLE).unwrap().1;
    let second = open_without_locks(directory.path());
    let input = eigensweep_engine::input::Input::load(&three_parts()).unwrap();
    let input = std::sync::Arc::new(input);
    std::thread::scope(|scope| {
        for mut dataset in [first, second] {
            let input = &input;
            scope.spawn(move || {
                let stop = AtomicBool::new(false);
                let mut observer = Stopping::after(&stop, u64::MAX);
                let outcome = run::run(input, &mut dataset, 1, &stop, &mut observer).unwrap();
                assert!(outcome.complete);
            });
        }
    });
    assert!(contents(directory.path()) == contents(REFERENCE.path()));
    assert_eq!(leftovers(directory.path()), [""; 0]);
}

#[test]
fn the_manifest_is_a_snapshot_of_the_commits() {
    let root = REFERENCE.path();
    let manifest = Manifest::read(root).unwrap();
    let plan = prepare(&three_parts()).plan().clone();
    let identity = Identity::new(&three_parts().spec, "");
    assert_eq!((manifest.format_version, &manifest.job_hash), (FORMAT_VERSION, &identity.hash));
    assert_eq!((&manifest.study, &manifest.job), (&identity.study, &identity.job));
    assert_eq!((manifest.rows, manifest.parts), (plan.grid.rows(), plan.parts));
    assert_eq!(manifest.rows_done, manifest.rows);
    let [section] = &manifest.sections[..] else { panic!("{:?}", manifest.sections) };
    assert_eq!((section.section, section.rows, section.parts), (0, manifest.rows, manifest.parts));
    assert_eq!(section.hash, manifest.job_hash);
    assert_eq!(manifest.committed, [0, 1, 2].map(|part| record(root, part)));
    assert_eq!(fs::read_to_string(root.join("job.toml")).unwrap(), identity.job);
    for record in &manifest.committed {
        let bytes = fs::read(root.join("data").join(&record.file)).unwrap();
        assert_eq!(bytes.len() as u64, record.bytes);
        assert_eq!(blake3::hash(&bytes).to_hex().to_string(), record.blake3);
        assert!(record.file.contains(&record.blake3[..8]), "{}", record.file);
        assert_eq!(record.section_hash, identity.hash);
    }
    assert_eq!(leftovers(root), [""; 0], "nothing is left in staging");
}

/// A run of some of the parts and a manifest from it say what is there, not what this process did.
#[test]
fn the_manifest_of_a_shard_counts_the_others() {
    let directory = tempfile::tempdir().unwrap();
    for index in [3, 1] {
        run_shard(directory.path(), &three_parts(), Shard::new(index, 3).unwrap(), 1, u64::MAX).unwrap();
    }
    let (dataset, _) = Dataset::read(directory.path(), false).unwrap();
    dataset.write_manifest().unwrap();
    let manifest = Manifest::read(directory.path()).unwrap();
    assert_eq!((manifest.rows_done, manifest.rows), (2 * PART_ROWS, 3 * PART_ROWS));
    assert_eq!(manifest.committed, [0, 2].map(|part| record(REFERENCE.path(), part)));
}
