//! Adaptive replicates: rows are those of the job with fixed replicates, a combination goes on
//! exactly as long as its error asks for it, and shards, threads and interruptions change nothing.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::collections::BTreeMap;
use std::path::Path;

use eigensweep_job::Job;
use eigensweep_store::StoreError;
use eigensweep_store::aggregate::Running;
use eigensweep_store::columns::Status;
use eigensweep_store::dataset::{self, Dataset};
use eigensweep_store::filter::Filter;
use eigensweep_store::find::{self, StoredRow};
use eigensweep_store::rows::metrics_of;
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{run_parts, run_shard, run_to_the_end};
use eigensweep_testkit::files::contents;
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::job;
use eigensweep_theory::metrics::DISTANCE;

const MIN: u64 = 4;
const MAX: u64 = 20;

/// Weak noise settles quickly, strong noise does not; columns of several sizes.
const JOB: &str = r#"
[job]
name = "adaptive"
seed = 3
replicates = { min = 4, max = 20, relative_error = 0.4 }
[data]
components = [2, 3]
label_count = 2
[corruption]
components = 2
scale = [1, 1e4]
[augmentation]
alignment = [0.1, 1, 10]
[model]
dimension = [1, 2]
[grid]
samples = [10, 1000, 100000]
[output]
part_rows = 150
"#;

/// All rows of a data set with the coordinates that a combination is, and the replicate.
fn rows(root: &Path) -> BTreeMap<(String, u64), StoredRow> {
    let (dataset, faults) = Dataset::read(root, true).unwrap();
    assert_eq!(faults, []);
    let filter = Filter::parse("replicate >= 0", &find::columns(&dataset)).unwrap();
    let (found, more) = find::find(&dataset, &filter, usize::MAX).unwrap();
    assert!(!more);
    let mut rows = BTreeMap::new();
    for row in found {
        let section = &dataset.sections()[row.section];
        let grid = &section.plan.grid;
        let mut place = section.spec.model.paradigms[grid.paradigm(row.row)].name.to_owned();
        for axis in &grid.axes {
            place.push_str(&format!(", {} {:e}", axis.name, axis.values.as_float(axis.index(row.row))));
        }
        assert!(rows.insert((place, grid.replicate(row.row)), row).is_none(), "no row is there twice");
    }
    rows
}

fn bits(row: &StoredRow) -> (Vec<u64>, Status) {
    row.stored.as_ref().unwrap().bits()
}

fn fixed(text: &str) -> Job {
    job(text, &["job.replicates=20", "output.part_rows=100000"])
}

/// The rule, once more and naively, on the rows of the job with as many replicates as there can be.
fn check(text: &str, adaptive: &Path, relative_error: f64) {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &fixed(text), 2);
    let (all, found) = (rows(directory.path()), rows(adaptive));
    let distance = metrics_of(&fixed(text).spec).iter().position(|metric| *metric == &DISTANCE).unwrap();
    let mut combinations: BTreeMap<&str, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for ((place, _), row) in &all {
        let (paradigm, combination) = place.split_once(", ").unwrap();
        let distances = combinations.entry(combination).or_default().entry(paradigm).or_default();
        distances.push(row.stored.as_ref().unwrap().values[distance]);
    }
    let mut counts = BTreeMap::new();
    for (combination, paradigms) in combinations {
        let mut drawn = MIN;
        let wants_more = |drawn: u64| {
            paradigms.values().any(|distances| {
                let mut running = Running::default();
                distances.iter().take(usize::try_from(drawn).unwrap()).for_each(|&x| running.add(x));
                running.standard_error().unwrap() > relative_error * running.mean().unwrap()
            })
        };
        while drawn < MAX && wants_more(drawn) {
            drawn = (2 * drawn).min(MAX);
        }
        *counts.entry(drawn).or_insert(0) += 1;
        for paradigm in paradigms.keys() {
            let place = format!("{paradigm}, {combination}");
            for replicate in 0..MAX {
                let key = (place.clone(), replicate);
                match found.get(&key) {
                    Some(row) => {
                        assert!(replicate < drawn, "{key:?} is one too many");
                        assert_eq!(bits(row), bits(&all[&key]), "{key:?}");
                    }
                    None => assert!(replicate >= drawn, "{key:?} is missing"),
                }
            }
        }
    }
    assert!(counts.len() >= 3, "the job has combinations that stop early and late: {counts:?}");
}

#[test]
fn combinations_go_on_as_long_as_their_error_asks() {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &job(JOB, &[]), 2);
    check(JOB, directory.path(), 0.4);
}

/// Units of real data hold all n: some of them are passed over.
#[test]
fn nested_samples_stop_one_by_one() {
    let files = tempfile::tempdir().unwrap();
    let data = write_images(files.path(), 300, 5, 3).source("components = [3, 4]");
    let text = format!(
        "[job]\nreplicates = {{ min = 4, max = 20, relative_error = 0.3 }}\n{data}[corruption]\ncomponents = 2\nscale = [1, 1e6]\n\
         [augmentation]\nalignment = [0.1, 10]\n[model]\ndimension = 2\n[grid]\nsamples = [10, 40, 200]\n"
    );
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &job(&text, &["output.part_rows=200"]), 2);
    check(&text, directory.path(), 0.3);
}

#[test]
fn threads_shards_and_interruptions_change_nothing() {
    for detail in ["rows", "summary"] {
        let set = [format!("output.detail={detail}")];
        let job = job(JOB, &[&set[0]]);
        let reference = tempfile::tempdir().unwrap();
        run_to_the_end(reference.path(), &job, 2);
        let whole = contents(reference.path());
        // Interrupted after every part.
        let interrupted = tempfile::tempdir().unwrap();
        let mut times = 0;
        while !run_parts(interrupted.path(), &job, 1 + times % 3, 1).unwrap().outcome.complete {
            times += 1;
        }
        assert!(times >= 2, "{times}");
        assert!(contents(interrupted.path()) == whole, "{detail}: interrupted {times} times");
        // Shards, last first, each in a directory of its own.
        let directory = tempfile::tempdir().unwrap();
        let roots: Vec<_> = (1..=4).map(|index| directory.path().join(index.to_string())).collect();
        for index in (1..=4).rev() {
            let shard = Shard::new(index, 4).unwrap();
            run_shard(&roots[usize::try_from(index).unwrap() - 1], &job, shard, 2, u64::MAX).unwrap();
        }
        let joined = directory.path().join("joined");
        let (dataset, merged) = dataset::merge(&roots, &joined, "a test").unwrap();
        assert!(dataset.is_complete() && merged.different.is_empty() && merged.again == 0);
        assert!(contents(&joined) == whole, "{detail}: four shards");
    }
}

#[test]
fn another_rule_is_another_study() {
    let directory = tempfile::tempdir().unwrap();
    run_parts(directory.path(), &job(JOB, &[]), 1, 1).unwrap();
    for rule in
        ["{ min = 4, max = 40, relative_error = 0.4 }", "{ min = 4, max = 20, relative_error = 0.1 }", "20"]
    {
        let other = job(JOB, &[&format!("job.replicates={rule}")]);
        let refused = run_parts(directory.path(), &other, 1, 1).map(drop);
        assert!(matches!(refused, Err(StoreError::DifferentJob { .. })), "{rule}: {refused:?}");
    }
    let other = job(JOB, &["augmentation.alignment=[0.1, 1, 10, 100]"]);
    let refused = run_parts(directory.path(), &other, 1, 1).map(drop);
    assert!(matches!(refused, Err(StoreError::NotExtended { .. })), "{refused:?}");
}
