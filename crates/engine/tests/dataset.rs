//! Data sets on disk: what an interruption or damage leaves is put right to identical bytes, what is not ours is left alone,
//! and a part says what was computed.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use common::{contents, files, idx_source, job, prepare, run_parts, run_to_the_end, write_images};
use eigensweep_engine::EngineError;
use eigensweep_engine::columns::{FORMAT_VERSION, METRICS, Status};
use eigensweep_engine::dataset::{CommitRecord, Dataset, Manifest, PartReader};
use eigensweep_engine::job::Job;
use eigensweep_engine::run;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

/// Three parts of the smallest problems there are: parts close at 122,880 rows, here 128 tasks of 960 rows.
const THREE_PARTS: &str = r#"
[job]
name = "three-parts"
seed = 11
replicates = 300
[data]
components = 1
label_count = 2
[corruption]
components = 1
[augmentation]
alignment = { from = 0.01, to = 100, count = 320, scale = "log" }
[model]
dimension = 1
[grid]
samples = 20
"#;

/// The finished data set of [`THREE_PARTS`], computed once.
static REFERENCE: LazyLock<TempDir> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let ran = run_to_the_end(directory.path(), &three_parts(), 2);
    assert_eq!(ran.committed, [0, 1, 2]);
    directory
});

fn three_parts() -> Job {
    job(THREE_PARTS, &[])
}

fn copy_tree(from: &Path, to: &Path) {
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

/// A copy of the finished data set, to be damaged.
fn copy() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy_tree(REFERENCE.path(), directory.path());
    directory
}

/// Every file below a directory with its content.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(root).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            found.insert(entry.path(), Vec::new());
            found.extend(tree(&entry.path()));
        } else {
            found.insert(entry.path(), fs::read(entry.path()).unwrap());
        }
    }
    found
}

fn record_path(root: &Path, part: u64) -> PathBuf {
    root.join(format!("commits/{part:06}.json"))
}

fn record(root: &Path, part: u64) -> CommitRecord {
    serde_json::from_str(&fs::read_to_string(record_path(root, part)).unwrap()).unwrap()
}

fn part_path(root: &Path, part: u64) -> PathBuf {
    root.join("data").join(record(root, part).file)
}

/// Changes one field of a commit record.
fn edit_record(root: &Path, part: u64, field: &str, value: serde_json::Value) {
    let path = record_path(root, part);
    let mut object: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    object[field] = value;
    fs::write(&path, object.to_string()).unwrap();
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("new/data set");
    let mut done = Vec::new();
    for (threads, expected) in [(2, 0), (1, 1), (3, 2)] {
        let ran = run_parts(&root, &three_parts(), threads, 1).unwrap();
        assert_eq!(ran.repairs, []);
        assert_eq!(ran.committed, [expected], "an interruption drops the part in hand and no other");
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
    let (simulation, identity) = prepare(&three_parts()).unwrap();
    let (mut dataset, _) = Dataset::open(directory.path(), identity, simulation.plan()).unwrap();
    let stop = AtomicBool::new(true);
    let mut observer = common::Stopping::after(&stop, u64::MAX);
    let outcome = run::run(&simulation, &mut dataset, 2, &stop, &mut observer).unwrap();
    assert_eq!((outcome.rows, outcome.complete, observer.rows), (0, false, 0));
    run_to_the_end(directory.path(), &three_parts(), 2);
    assert!(contents(directory.path()) == contents(REFERENCE.path()));
}

/// A kind of damage; what is reported (file without its hash, words of the fault), if anything; which parts are computed again.
struct Damage {
    name: &'static str,
    harm: fn(&Path),
    reported: Option<(&'static str, &'static str)>,
    again: &'static [u64],
}

const DAMAGES: &[Damage] = &[
    Damage {
        name: "a truncated part",
        harm: |root| {
            let path = part_path(root, 1);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        },
        reported: Some(("data/part-000001-", "bytes instead of")),
        again: &[1],
    },
    Damage {
        name: "an emptied part",
        harm: |root| fs::write(part_path(root, 0), b"").unwrap(),
        reported: Some(("data/part-000000-", "has 0 bytes instead of")),
        again: &[0],
    },
    Damage {
        name: "a flipped bit",
        harm: |root| {
            let path = part_path(root, 2);
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        },
        reported: Some(("data/part-000002-", "does not match its checksum")),
        again: &[2],
    },
    Damage {
        name: "a deleted part",
        harm: |root| fs::remove_file(part_path(root, 1)).unwrap(),
        reported: Some(("data/part-000001-", "is missing or unreadable")),
        again: &[1],
    },
    Damage {
        name: "a garbled commit record",
        harm: |root| fs::write(record_path(root, 1), b"{\"format_version\": 1, \"job_ha").unwrap(),
        reported: Some(("commits/000001.json", "is not a commit record")),
        again: &[1],
    },
    Damage {
        name: "an emptied commit record",
        harm: |root| fs::write(record_path(root, 2), b"").unwrap(),
        reported: Some(("commits/000002.json", "is not a commit record")),
        again: &[2],
    },
    Damage {
        name: "a commit record that is no text",
        harm: |root| fs::write(record_path(root, 0), [0xff, 0xfe, 0x00]).unwrap(),
        reported: Some(("commits/000000.json", "is not a commit record")),
        again: &[0],
    },
    Damage {
        name: "a commit record with other rows",
        harm: |root| edit_record(root, 1, "rows", 7.into()),
        reported: Some(("commits/000001.json", "does not belong to this job's plan")),
        again: &[1],
    },
    Damage {
        name: "a commit record with rows past all counting",
        harm: |root| edit_record(root, 1, "rows", u64::MAX.into()),
        reported: Some(("commits/000001.json", "does not belong to this job's plan")),
        again: &[1],
    },
    Damage {
        name: "a commit record under another part's name",
        harm: |root| {
            fs::copy(record_path(root, 0), record_path(root, 1)).unwrap();
        },
        reported: Some(("commits/000001.json", "does not belong to this job's plan")),
        again: &[1],
    },
    Damage {
        name: "a commit record beyond the plan",
        harm: |root| {
            fs::copy(record_path(root, 0), record_path(root, 99)).unwrap();
            edit_record(root, 99, "part", 99.into());
        },
        reported: Some(("commits/000099.json", "does not belong to this job's plan")),
        again: &[],
    },
    Damage {
        name: "a commit record that points outside",
        harm: |root| edit_record(root, 2, "file", "../../elsewhere".into()),
        reported: Some(("data/../../elsewhere", "is missing or unreadable")),
        again: &[2],
    },
    Damage {
        name: "a deleted commit record",
        harm: |root| fs::remove_file(record_path(root, 0)).unwrap(),
        reported: None,
        again: &[0],
    },
    Damage {
        name: "all commit records gone",
        harm: |root| fs::remove_dir_all(root.join("commits")).unwrap(),
        reported: None,
        again: &[0, 1, 2],
    },
    Damage {
        name: "a part that nobody recorded",
        harm: |root| {
            fs::copy(part_path(root, 1), root.join("data/part-000001-00000000.parquet")).unwrap();
        },
        reported: None,
        again: &[],
    },
    Damage {
        name: "leftovers of a kill",
        harm: |root| {
            fs::create_dir_all(root.join("staging")).unwrap();
            fs::write(root.join("staging/part-000001-deadbeef.parquet.4711.0"), b"half a part").unwrap();
            fs::write(root.join("staging/000001.json.4711.1"), b"{").unwrap();
        },
        reported: None,
        again: &[],
    },
    Damage {
        name: "no staging directory",
        harm: |root| fs::remove_dir_all(root.join("staging")).unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a missing manifest",
        harm: |root| fs::remove_file(root.join("manifest.json")).unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "an emptied manifest",
        harm: |root| fs::write(root.join("manifest.json"), b"").unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a garbled manifest",
        harm: |root| fs::write(root.join("manifest.json"), b"{\"format_version\": \"one\"}").unwrap(),
        reported: None,
        again: &[],
    },
    Damage {
        name: "a missing job file",
        harm: |root| fs::remove_file(root.join("job.toml")).unwrap(),
        reported: None,
        again: &[],
    },
];

/// Every kind of damage is reported, and a run computes what it touched, to the same bytes.
#[test]
fn damage_is_repaired_to_the_same_bytes() {
    let whole = contents(REFERENCE.path());
    let others = ["job.toml", "manifest.json"].map(|name| fs::read(REFERENCE.path().join(name)).unwrap());
    for damage in DAMAGES {
        let directory = copy();
        let root = directory.path();
        (damage.harm)(root);
        let ran = run_to_the_end(root, &three_parts(), 2);
        let name = damage.name;
        let reported: Vec<_> = ran.repairs.iter().map(|r| (r.file.as_str(), r.fault.as_str())).collect();
        match (damage.reported, &reported[..]) {
            (None, []) => {}
            (Some((file, fault)), [(found_file, found_fault)]) => {
                assert!(found_file.starts_with(file), "{name}: {reported:?}");
                assert!(found_fault.contains(fault), "{name}: {reported:?}");
            }
            _ => panic!("{name}: {reported:?}"),
        }
        assert_eq!(ran.committed, damage.again, "{name}");
        assert!(contents(root) == whole, "{name}: the same parts and records");
        for (file, expected) in ["job.toml", "manifest.json"].iter().zip(&others) {
            assert!(fs::read(root.join(file)).unwrap() == *expected, "{name}: the same {file}");
        }
    }
}

/// What is in `data/` and has no part's name is not the program's to delete.
#[test]
fn strange_files_in_data_are_left_alone() {
    let directory = copy();
    let strange = directory.path().join("data/notes.txt");
    fs::write(&strange, b"mine").unwrap();
    let ran = run_to_the_end(directory.path(), &three_parts(), 1);
    assert_eq!((ran.repairs.len(), ran.committed.len()), (0, 0));
    assert_eq!(fs::read(strange).unwrap(), b"mine");
}

#[test]
fn another_job_is_refused_and_nothing_changes() {
    let directory = copy();
    let before = tree(directory.path());
    for other in ["job.seed=12", "job.replicates=301", "grid.samples=21", "output.metrics=['gap']"] {
        let result = run_parts(directory.path(), &job(THREE_PARTS, &[other]), 1, 1);
        let Err(EngineError::DifferentJob { expected, found, .. }) = result.map(drop) else {
            panic!("{other} is another job")
        };
        assert_eq!((expected.len(), found.len()), (12, 12), "{expected}, {found}");
        assert!(found != expected);
        assert!(tree(directory.path()) == before, "{other}: nothing changes");
    }
    // Without rows, the manifest says whose it is; without that, the job file.
    for part in 0..3 {
        fs::remove_file(record_path(directory.path(), part)).unwrap();
    }
    let before = tree(directory.path());
    let result = run_parts(directory.path(), &job(THREE_PARTS, &["job.seed=12"]), 1, 1);
    assert!(matches!(result.map(drop), Err(EngineError::DifferentJob { .. })));
    assert!(tree(directory.path()) == before);
    fs::remove_file(directory.path().join("manifest.json")).unwrap();
    let before = tree(directory.path());
    let result = run_parts(directory.path(), &job(THREE_PARTS, &["job.seed=12"]), 1, 1);
    assert!(matches!(result.map(drop), Err(EngineError::DifferentJob { .. })));
    assert!(tree(directory.path()) == before);
}

/// The name and the paths of a job say nothing about its rows; the content of its files does.
#[test]
fn identity_is_content() {
    let directory = tempfile::tempdir().unwrap();
    let [here, there, other] = ["here", "there", "other"].map(|name| directory.path().join(name));
    for place in [&here, &there, &other] {
        fs::create_dir(place).unwrap();
    }
    let images = |place: &Path, samples| write_images(place, samples, 4, 3);
    let of = |place: &Path, samples, set: &[&str]| {
        let data = idx_source(&images(place, samples), "components = 3");
        let rest =
            "[grid]\nsamples = [20, 30]\n[corruption]\ncomponents = 2\n[job]\nreplicates = 2\nname = \"a\"\n";
        let job = job(&format!("{data}{rest}"), set);
        let (_, identity) = prepare(&job).unwrap();
        (job, identity)
    };
    let (first_job, first) = of(&here, 40, &[]);
    let (second_job, second) = of(&there, 40, &["job.name=b"]);
    assert_eq!(first.hash, second.hash, "another name and another path");
    assert_ne!(first.hash, of(&other, 41, &[]).1.hash, "another file");
    assert_ne!(first.hash, of(&here, 40, &["job.seed=1"]).1.hash, "another seed");
    assert_ne!(first.hash, of(&here, 40, &["data.components=2"]).1.hash);
    // So a data set goes on after its job was renamed and its files moved, to the same bytes.
    let root = directory.path().join("data set");
    run_to_the_end(&root, &first_job, 1);
    let again = run_to_the_end(&root, &second_job, 1);
    assert_eq!((again.repairs.len(), again.committed.len()), (0, 0));
    let whole = contents(&root);
    fs::remove_file(part_path(&root, 0)).unwrap();
    assert_eq!(run_to_the_end(&root, &second_job, 1).committed, [0]);
    assert!(contents(&root) == whole, "parts do not depend on names and paths");
}

/// A job that was started, renamed before its first part and started again is still the same job.
#[test]
fn a_renamed_job_without_rows_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (simulation, identity) = prepare(&three_parts()).unwrap();
    drop(Dataset::open(directory.path(), identity, simulation.plan()).unwrap());
    assert!(!directory.path().join("manifest.json").exists());
    let (simulation, identity) = prepare(&job(THREE_PARTS, &["job.name=renamed"])).unwrap();
    let opened = Dataset::open(directory.path(), identity, simulation.plan());
    assert!(opened.is_ok(), "{:?}", opened.err());
}

#[test]
fn an_output_that_is_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = |root: &Path| {
        let (simulation, identity) = prepare(&three_parts()).unwrap();
        Dataset::open(root, identity, simulation.plan()).map(drop)
    };
    let file = directory.path().join("file");
    fs::write(&file, b"mine").unwrap();
    assert!(matches!(open(&file), Err(EngineError::OutputIsFile { .. })));
    assert!(matches!(Dataset::remove(&file), Err(EngineError::OutputIsFile { .. })));
    // Below a file nothing can be created, whoever runs this.
    let error = open(&file.join("data set")).unwrap_err();
    let EngineError::Io { action, path, .. } = &error else { panic!("{error}") };
    assert_eq!(*action, "create");
    assert!(path.starts_with(&file), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");

    let documents = directory.path().join("documents");
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("thesis.tex"), b"mine").unwrap();
    let before = tree(&documents);
    assert!(matches!(open(&documents), Err(EngineError::NotADataSet { .. })));
    assert!(matches!(Dataset::remove(&documents), Err(EngineError::NotADataSet { .. })));
    assert!(tree(&documents) == before, "nothing changes");

    // Where somebody keeps a job and its inputs.
    let project = directory.path().join("project");
    fs::create_dir_all(project.join("data")).unwrap();
    fs::write(project.join("job.toml"), THREE_PARTS).unwrap();
    fs::write(project.join("data/train-images-idx3-ubyte.gz"), b"precious").unwrap();
    let before = tree(&project);
    assert!(matches!(open(&project), Err(EngineError::DifferentJob { .. })));
    assert!(matches!(Dataset::remove(&project), Err(EngineError::NotADataSet { .. })));
    assert!(tree(&project) == before, "nothing changes");

    let empty = directory.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(open(&empty).is_ok(), "an empty directory will do");
    assert!(open(&empty).is_ok(), "and again, without parts");
    Dataset::remove(&empty).unwrap();
    assert!(!empty.exists());
}

/// Two machines that round differently commit the same part: the first wins, and no row is there twice.
#[test]
fn the_first_of_two_commits_wins() {
    let directory = tempfile::tempdir().unwrap();
    let open = || {
        let (simulation, identity) = prepare(&three_parts()).unwrap();
        Dataset::open(directory.path(), identity, simulation.plan()).unwrap().0
    };
    let (mut one, mut other) = (open(), open());
    // Rows of another seed stand for other rounding.
    let elsewhere = tempfile::tempdir().unwrap();
    run_parts(elsewhere.path(), &job(THREE_PARTS, &["job.seed=12"]), 2, 1).unwrap();
    let rows = record(REFERENCE.path(), 0).row_range();
    one.commit(0, rows.clone(), &fs::read(part_path(REFERENCE.path(), 0)).unwrap()).unwrap();
    other.commit(0, rows, &fs::read(part_path(elsewhere.path(), 0)).unwrap()).unwrap();
    assert_eq!(files(&directory.path().join("data")).len(), 1);
    assert_eq!(one.record(0), other.record(0));
    assert_eq!(record(directory.path(), 0), record(REFERENCE.path(), 0));
    run_to_the_end(directory.path(), &three_parts(), 2);
    assert!(contents(directory.path()) == contents(REFERENCE.path()));
}

/// `--fresh` takes away what the program wrote, and nothing else.
#[test]
fn removing_a_data_set_spares_what_is_not_ours() {
    let directory = copy();
    let root = directory.path().join("set");
    copy_tree(REFERENCE.path(), &root);
    Dataset::remove(&root).unwrap();
    assert!(!root.exists());
    Dataset::remove(&root).unwrap();
    copy_tree(REFERENCE.path(), &root);
    fs::write(root.join("notes.txt"), b"mine").unwrap();
    Dataset::remove(&root).unwrap();
    assert_eq!(fs::read(root.join("notes.txt")).unwrap(), b"mine");
    assert!(!root.join("data").exists() && !root.join("commits").exists());
    // Scratch space is often behind a link.
    #[cfg(unix)]
    {
        let (target, link) = (directory.path().join("scratch"), directory.path().join("link"));
        copy_tree(REFERENCE.path(), &target);
        std::os::unix::fs::symlink(&target, &link).unwrap();
        Dataset::remove(&link).unwrap();
        let left = if target.exists() { files(&target).len() } else { 0 };
        assert_eq!(left, 0);
        run_parts(&link, &three_parts(), 2, 1).unwrap();
    }
}

/// Two runs of one job into one directory at once: both write the same bytes under the same names, so neither harms the other.
/// Both have opened the data set before either commits.
#[test]
fn two_runs_at_once_agree() {
    let directory = tempfile::tempdir().unwrap();
    let opened = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (simulation, identity) = prepare(&three_parts()).unwrap();
                let (mut dataset, _) = Dataset::open(directory.path(), identity, simulation.plan()).unwrap();
                opened.wait();
                let stop = AtomicBool::new(false);
                let mut observer = common::Stopping::after(&stop, u64::MAX);
                let outcome = run::run(&simulation, &mut dataset, 1, &stop, &mut observer).unwrap();
                assert!(outcome.complete);
            });
        }
    });
    assert!(contents(directory.path()) == contents(REFERENCE.path()));
    assert_eq!(files(&directory.path().join("staging")).len(), 0);
}

/// A data set of a later format is refused and left alone, whatever that format has made of records and manifest.
#[test]
fn a_format_from_the_future_is_refused() {
    let refused = |what: &str, harm: &dyn Fn(&Path)| {
        let directory = copy();
        harm(directory.path());
        let before = tree(directory.path());
        match run_parts(directory.path(), &three_parts(), 1, 1).map(drop) {
            Err(EngineError::FormatVersion { found, known, .. }) => {
                assert_eq!((found, known), (2, FORMAT_VERSION))
            }
            other => panic!("{what}: {other:?}"),
        }
        assert!(tree(directory.path()) == before, "{what}: nothing changes");
    };
    refused("one record", &|root| edit_record(root, 1, "format_version", 2.into()));
    refused("records of another shape", &|root| {
        for part in 0..3 {
            fs::write(record_path(root, part), "{\"format_version\": 2, \"parts\": [\"a\", \"b\"]}").unwrap();
        }
    });
    refused("no records, a manifest of another shape", &|root| {
        for part in 0..3 {
            fs::remove_file(record_path(root, part)).unwrap();
        }
        fs::write(root.join("manifest.json"), "{\"format_version\": 2}").unwrap();
    });
}

#[test]
fn the_manifest_is_a_snapshot_of_the_commits() {
    let root = REFERENCE.path();
    let manifest = Manifest::read(root).unwrap();
    let (simulation, identity) = prepare(&three_parts()).unwrap();
    let plan = simulation.plan();
    assert_eq!((manifest.format_version, &manifest.job_hash), (FORMAT_VERSION, &identity.hash));
    assert_eq!(manifest.job, identity.job);
    assert_eq!((manifest.rows, manifest.parts), (plan.grid.rows(), plan.parts));
    assert_eq!(manifest.rows_done, manifest.rows);
    assert_eq!(manifest.committed, [0, 1, 2].map(|part| record(root, part)));
    assert_eq!(fs::read_to_string(root.join("job.toml")).unwrap(), identity.job);
    for record in &manifest.committed {
        let bytes = fs::read(root.join("data").join(&record.file)).unwrap();
        assert_eq!(bytes.len() as u64, record.bytes);
        assert_eq!(blake3::hash(&bytes).to_hex().to_string(), record.blake3);
    }
    assert_eq!(files(&root.join("staging")).len(), 0, "nothing is left in staging");
}

/// Rows without a value, axes of all three kinds, all metrics.
const WITH_FAILURES: &str = r#"
[job]
name = "with-failures"
replicates = 3
[data]
components = 3
label_count = 2
teacher = "linear"
[corruption]
components = [2, 3]
scale = [5, 0.1]
[augmentation]
scale = [0, 2]
alignment = [0, 1]
[model]
dimension = [2, 4]
[grid]
samples = [4, 50]
"#;

fn read_all(root: &Path, job: &Job) -> RecordBatch {
    let (simulation, identity) = prepare(job).unwrap();
    let (dataset, _) = Dataset::open(root, identity, simulation.plan()).unwrap();
    let records: Vec<_> = dataset.records().collect();
    let [record] = records[..] else { panic!("one part") };
    let path = root.join("data").join(&record.file);
    let names = schema(&path).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let batches = PartReader::read(&path, &names).unwrap();
    let [batch] = &batches[..] else { panic!("a small part is one batch") };
    batch.clone()
}

/// Columns of a file with their Arrow types.
fn schema(path: &Path) -> Vec<(String, String)> {
    let file = fs::File::open(path).unwrap();
    let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let fields = builder.schema().fields().iter();
    let kind = |nullable: bool| if nullable { ", nullable" } else { "" };
    fields.map(|f| (f.name().clone(), format!("{}{}", f.data_type(), kind(f.is_nullable())))).collect()
}

#[test]
fn columns_and_types() {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &job(WITH_FAILURES, &[]), 1);
    let columns = schema(&part_path(directory.path(), 0));
    let text: Vec<String> = columns.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    replicate: Int32
    samples: Int64
    signal_components: Int32
    signal_scale: Float64
    signal_decay: Float64
    label_noise: Float64
    noise_components: Int32
    noise_scale: Float64
    augmentation_scale: Float64
    alignment: Float64
    dimension: Int32
    paradigm: Dictionary(Int32, Utf8)
    loss_clean: Float64, nullable
    loss_corrupted: Float64, nullable
    distance: Float64, nullable
    leakage: Float64, nullable
    gap: Float64, nullable
    threshold_squared: Float64, nullable
    status: Dictionary(Int32, Utf8)
    ");
}

/// What Parquet says is what was computed: coordinates, bits of every number, nulls where there is no value.
#[test]
fn parts_read_back_as_computed() {
    let directory = tempfile::tempdir().unwrap();
    let job = job(WITH_FAILURES, &[]);
    let ran = run_to_the_end(directory.path(), &job, 2);
    let batch = read_all(directory.path(), &job);
    let (simulation, _) = prepare(&job).unwrap();
    let grid = &simulation.plan().grid;
    assert_eq!(batch.num_rows() as u64, grid.rows());
    let column = |name: &str| batch.column_by_name(name).unwrap_or_else(|| panic!("{name}")).clone();
    let float = |name: &str, row: usize| {
        let column = column(name);
        let column = column.as_primitive::<Float64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let text = |name: &str, row: usize| {
        let column = column(name);
        let column = column.as_dictionary::<Int32Type>();
        let key = usize::try_from(column.keys().value(row)).unwrap();
        column.values().as_string::<i32>().value(key).to_owned()
    };
    let mut statuses = BTreeMap::new();
    common::for_rows(&simulation, 1, &mut |number, cell| {
        let row = usize::try_from(number).unwrap();
        let mut place = format!("replicate {}", column("replicate").as_primitive::<Int32Type>().value(row));
        for axis in &grid.axes {
            let column = column(axis.name);
            let value = match axis.name {
                "samples" => column.as_primitive::<Int64Type>().value(row) as f64,
                "signal_components" | "noise_components" | "dimension" => {
                    f64::from(column.as_primitive::<Int32Type>().value(row))
                }
                _ => column.as_primitive::<Float64Type>().value(row),
            };
            place.push_str(&format!(", {} {value:e}", axis.name));
        }
        place.push_str(&format!(", {}", text("paradigm", row)));
        assert_eq!(place, common::coordinates(&simulation, number));
        let status = text("status", row);
        assert_eq!(status, cell.status.name());
        *statuses.entry(status).or_insert(0) += 1;
        let expected = [
            cell.loss_clean,
            cell.loss_corrupted,
            (cell.loss_clean - cell.loss_corrupted).abs(),
            cell.leakage,
            cell.gap,
            cell.threshold_squared,
        ];
        for (name, expected) in METRICS.iter().zip(expected) {
            let found = float(name, row);
            assert_eq!(found.is_none(), expected.is_nan(), "{place}: {name}");
            assert!(found.is_none_or(|found| found.to_bits() == expected.to_bits()), "{place}: {name}");
            if cell.status != Status::Ok && *name != "threshold_squared" {
                assert_eq!(found, None, "{place}: {name} of a failed row");
            }
        }
        if cell.status == Status::Ok {
            assert!(
                ["loss_clean", "loss_corrupted", "distance"].iter().all(|name| float(name, row).is_some())
            );
            assert_eq!(float("leakage", row).is_none(), place.ends_with("supervised"), "{place}");
        }
    });
    // Σ = 0 and n < d: S is singular. Nothing else fails.
    let failed = statuses.get("not-positive-definite").copied().unwrap_or(0);
    assert_eq!(statuses.len(), 2, "{statuses:?}");
    assert!(failed > 0 && failed == ran.failed, "{statuses:?}, {} counted", ran.failed);
}

#[test]
fn metrics_that_were_not_asked_for_are_null() {
    for (metrics, present) in [
        ("['distance']", &["loss_clean", "loss_corrupted", "distance"][..]),
        ("['leakage']", &["leakage"]),
        ("['gap']", &["gap"]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let job = job(WITH_FAILURES, &[&format!("output.metrics={metrics}")]);
        run_to_the_end(directory.path(), &job, 1);
        let batch = read_all(directory.path(), &job);
        for name in METRICS {
            let column = batch.column_by_name(name).unwrap();
            let asked = present.contains(&name) || name == "threshold_squared";
            assert_eq!(column.null_count() < column.len(), asked, "{metrics}: {name}");
        }
    }
}

/// What identifies the job is in every part; nothing that differs between runs is.
#[test]
fn parts_carry_the_job_and_no_provenance() {
    let path = part_path(REFERENCE.path(), 1);
    let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata();
    let pairs: BTreeMap<String, String> = metadata
        .key_value_metadata()
        .unwrap()
        .iter()
        .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
        .collect();
    let keys: Vec<&str> = pairs.keys().map(String::as_str).collect();
    let ours = [
        "ARROW:schema",
        "eigensweep.format_version",
        "eigensweep.job",
        "eigensweep.job_hash",
        "eigensweep.streams",
        "eigensweep.version",
    ];
    assert_eq!(keys, ours);
    assert_eq!(pairs["eigensweep.format_version"], FORMAT_VERSION.to_string());
    assert_eq!(pairs["eigensweep.job_hash"], record(REFERENCE.path(), 1).job_hash);
    assert!(pairs["eigensweep.job"].contains("seed = 11"));
    assert_eq!(metadata.created_by(), Some(concat!("eigensweep ", env!("CARGO_PKG_VERSION"))));
    // One row group, statistics on every column, zstd everywhere.
    assert_eq!(reader.metadata().num_row_groups(), 1);
    for column in reader.metadata().row_group(0).columns() {
        assert!(column.statistics().is_some(), "{}", column.column_path());
        let compression = format!("{:?}", column.compression());
        assert!(compression.starts_with("ZSTD"), "{}: {compression}", column.column_path());
    }
}
