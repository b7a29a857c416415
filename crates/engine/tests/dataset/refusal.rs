//! Directories that are not to be written: of another job, of a later format, of something else.

use std::fs;
use std::path::Path;

use eigensweep_engine::input::Input;
use eigensweep_store::StoreError;
use eigensweep_store::columns::FORMAT_VERSION;
use eigensweep_store::dataset::{Dataset, INPUTS, Identity, MOST_PARTS};
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{open, run_parts, run_to_the_end};
use eigensweep_testkit::files::{contents, copy_tree, files, tree};
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::job;

use crate::three_parts::{
    REFERENCE, THREE_PARTS, copy, edit_json, edit_record, part_path, record_path, three_parts,
};

#[test]
fn another_job_is_refused_and_nothing_changes() {
    let directory = copy();
    let before = tree(directory.path());
    for (other, differs) in [
        ("job.seed=12", "job.seed ("),
        ("output.metrics=['gap']", "output.metrics"),
        ("data.label_count=3", "data.label_count ("),
        ("sampler.kind=explicit", "sampler.kind (\"moments\", not \"explicit\")"),
        ("data.teacher=linear", "data.teacher ("),
    ] {
        let result = run_parts(directory.path(), &job(THREE_PARTS, &[other]), 1, 1);
        let Err(StoreError::DifferentJob { what, .. }) = result.map(drop) else {
            panic!("{other} is another job")
        };
        assert!(what.contains(differs), "{other}: {what}");
        assert!(tree(directory.path()) == before, "{other}: nothing changes");
    }
    // Without sections, the manifest says whose it is; without that, the job file.
    fs::remove_file(directory.path().join("sections/000.json")).unwrap();
    for part in 0..3 {
        fs::remove_file(record_path(directory.path(), part)).unwrap();
    }
    let before = tree(directory.path());
    let result = run_parts(directory.path(), &job(THREE_PARTS, &["job.seed=12"]), 1, 1);
    let Err(StoreError::DifferentJob { what, .. }) = result.map(drop) else { panic!("it is another job") };
    assert!(what.contains("not 12)"), "{what}");
    assert!(tree(directory.path()) == before);
    fs::remove_file(directory.path().join("manifest.json")).unwrap();
    let before = tree(directory.path());
    let result = run_parts(directory.path(), &job(THREE_PARTS, &["job.seed=12"]), 1, 1);
    let Err(StoreError::DifferentJob { what, .. }) = result.map(drop) else { panic!("it is another job") };
    assert!(what.contains("not 12)"), "{what}");
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
        let data = images(place, samples).source("components = 3");
        let rest =
            "[grid]\nsamples = [20, 30]\n[corruption]\ncomponents = 2\n[job]\nreplicates = 2\nname = \"a\"\n";
        let job = job(&format!("{data}{rest}"), set);
        let identity = Identity::new(&job.spec, Input::load(&job).unwrap().fingerprint());
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
    assert_eq!(run_to_the_end(&root, &second_job, 1).committed, [(0, 0)]);
    assert!(contents(&root) == whole, "parts do not depend on names and paths");
}

/// A job that was started, renamed before its first part and started again is still the same job.
#[test]
fn a_renamed_job_without_rows_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path(), &three_parts(), Shard::WHOLE).unwrap());
    assert!(!directory.path().join("manifest.json").exists());
    let opened = open(directory.path(), &job(THREE_PARTS, &["job.name=renamed"]), Shard::WHOLE);
    assert!(opened.is_ok(), "{:?}", opened.err());
}

#[test]
fn an_output_that_is_something_else_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = |root: &Path| open(root, &three_parts(), Shard::WHOLE).map(drop);
    let file = directory.path().join("file");
    fs::write(&file, b"mine").unwrap();
    assert!(matches!(open(&file), Err(StoreError::OutputIsFile { .. })));
    assert!(matches!(Dataset::remove(&file, None), Err(StoreError::OutputIsFile { .. })));
    // Below a file nothing can be created, whoever runs this.
    let error = open(&file.join("data set")).unwrap_err();
    let StoreError::Io { action, path, .. } = &error else { panic!("{error}") };
    assert_eq!(*action, "create");
    assert!(path.starts_with(&file), "{error}");
    assert_eq!(fs::read(&file).unwrap(), b"mine");

    let documents = directory.path().join("documents");
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("thesis.tex"), b"mine").unwrap();
    let before = tree(&documents);
    assert!(matches!(open(&documents), Err(StoreError::NotADataSet { .. })));
    assert!(matches!(Dataset::remove(&documents, None), Err(StoreError::NotADataSet { .. })));
    assert!(tree(&documents) == before, "nothing changes");

    // Where somebody keeps a job and its inputs.
    let project = directory.path().join("project");
    fs::create_dir_all(project.join("data")).unwrap();
    fs::write(project.join("job.toml"), THREE_PARTS).unwrap();
    fs::write(project.join("data/train-images-idx3-ubyte.gz"), b"precious").unwrap();
    let before = tree(&project);
    assert!(matches!(open(&project), Err(StoreError::DifferentJob { .. })));
    assert!(matches!(Dataset::remove(&project, None), Err(StoreError::NotADataSet { .. })));
    assert!(tree(&project) == before, "nothing changes");
    // The same whatever the file says: only what a run resolved is a run's.
    for text in [&b"mine\xff"[..], b"", b"[job]\nname = \"mine\"\n"] {
        fs::write(project.join("job.toml"), text).unwrap();
        assert!(matches!(open(&project), Err(StoreError::DifferentJob { .. })));
        assert_eq!(fs::read(project.join("job.toml")).unwrap(), text);
    }

    // What a removal leaves that was interrupted just before its end.
    let removed = directory.path().join("removed");
    fs::create_dir(&removed).unwrap();
    fs::copy(REFERENCE.path().join("job.toml"), removed.join("job.toml")).unwrap();
    assert!(open(&removed).is_ok());
    Dataset::remove(&removed, None).unwrap();
    fs::create_dir_all(removed.join("staging")).unwrap();
    fs::copy(REFERENCE.path().join("job.toml"), removed.join("job.toml")).unwrap();
    Dataset::remove(&removed, None).unwrap();
    assert!(!removed.exists(), "and the removal goes on");

    // What a kill leaves of the first run's first steps.
    let begun = directory.path().join("begun");
    fs::create_dir_all(begun.join("data")).unwrap();
    assert!(open(&begun).is_ok());
    fs::create_dir_all(project.join("logs")).unwrap();
    fs::remove_file(project.join("job.toml")).unwrap();
    assert!(matches!(open(&project), Err(StoreError::NotADataSet { .. })), "data that are not ours");

    let empty = directory.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(open(&empty).is_ok(), "an empty directory will do");
    assert!(open(&empty).is_ok(), "and again, without parts");
    Dataset::remove(&empty, None).unwrap();
    assert!(!empty.exists());
}

/// `--fresh` takes away what the program wrote, and nothing else.
#[test]
fn removing_a_data_set_spares_what_is_not_ours() {
    let directory = copy();
    let root = directory.path().join("set");
    copy_tree(REFERENCE.path(), &root);
    Dataset::remove(&root, None).unwrap();
    assert!(!root.exists());
    Dataset::remove(&root, None).unwrap();
    copy_tree(REFERENCE.path(), &root);
    fs::write(root.join("notes.txt"), b"mine").unwrap();
    Dataset::remove(&root, None).unwrap();
    assert_eq!(fs::read(root.join("notes.txt")).unwrap(), b"mine");
    assert!(!root.join("data").exists() && !root.join("commits").exists());
    // Of inputs those that a run was given, but not those that the new job reads.
    fs::remove_file(root.join("notes.txt")).unwrap();
    copy_tree(REFERENCE.path(), &root);
    fs::create_dir(root.join(INPUTS)).unwrap();
    let input = |name: &str| root.join(INPUTS).join(name);
    let (read, old) = (input("inputs-0123456789abcdef.npy"), input("labels-0123456789abcdef.npy"));
    let mine = input("mine.npy");
    [&read, &old, &mine].into_iter().for_each(|path| fs::write(path, b"").unwrap());
    let text = format!(
        "[data]\nsource = \"npy\"\ninputs = {read:?}\nlabels = \"labels.npy\"\n[model]\ndimension = 2\n"
    );
    let job = eigensweep_job::parse("job.toml", &text, &[], Path::new("")).unwrap();
    Dataset::remove(&root, Some(&job.spec)).unwrap();
    assert!(read.exists() && mine.exists() && !old.exists() && !root.join("commits").exists());
    fs::remove_file(&mine).unwrap();
    assert!(run_parts(&root, &three_parts(), 1, 1).is_ok(), "arrays are there before the first run");
    Dataset::remove(&root, None).unwrap();
    assert!(!root.exists());
    // Scratch space is often behind a link.
    #[cfg(unix)]
    {
        let (target, link) = (directory.path().join("scratch"), directory.path().join("link"));
        copy_tree(REFERENCE.path(), &target);
        std::os::unix::fs::symlink(&target, &link).unwrap();
        Dataset::remove(&link, None).unwrap();
        let left = if target.exists() { files(&target).len() } else { 0 };
        assert_eq!(left, 0);
        run_parts(&link, &three_parts(), 2, 1).unwrap();
    }
}

/// A data set of another format is refused and left alone, whatever that format has made of records
/// and manifest.
#[test]
fn another_format_is_refused() {
    let refused = |what: &str, version: u32, harm: &dyn Fn(&Path)| {
        let directory = copy();
        harm(directory.path());
        let before = tree(directory.path());
        match run_parts(directory.path(), &three_parts(), 1, 1).map(drop) {
            Err(StoreError::FormatVersion { found, known, .. }) => {
                assert_eq!((found, known), (version, FORMAT_VERSION));
            }
            other => panic!("{what}: {other:?}"),
        }
        let read = Dataset::read(directory.path(), false).map(drop);
        assert!(matches!(read, Err(StoreError::FormatVersion { .. })), "{what}: {read:?}");
        assert!(tree(directory.path()) == before, "{what}: nothing changes");
    };
    for version in [1, FORMAT_VERSION + 1, u32::MAX] {
        refused("one record", version, &|root| edit_record(root, 1, "format_version", version.into()));
        refused("a section", version, &|root| {
            edit_json(&root.join("sections/000.json"), "format_version", version.into());
        });
        refused("records of another shape", version, &|root| {
            for part in 0..3 {
                let text = format!("{{\"format_version\": {version}, \"parts\": [\"a\", \"b\"]}}");
                fs::write(record_path(root, part), text).unwrap();
            }
        });
        refused("no records, a manifest of another shape", version, &|root| {
            for part in 0..3 {
                fs::remove_file(record_path(root, part)).unwrap();
            }
            let text = format!("{{\"format_version\": {version}}}");
            fs::write(root.join("manifest.json"), text).unwrap();
        });
    }
}

/// Refused before anything is allocated or written.
#[test]
fn more_parts_than_can_be_counted() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("out");
    let many = ["job.replicates=2147483647", "output.part_rows=1"];
    match open(&root, &job(THREE_PARTS, &many), Shard::WHOLE).map(drop) {
        Err(StoreError::TooManyParts { parts, limit }) => {
            assert_eq!((parts, limit), (2_147_483_647, MOST_PARTS))
        }
        other => panic!("{other:?}"),
    }
    assert!(!root.exists());
}
