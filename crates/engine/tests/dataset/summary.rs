//! The summary of a data set: of what was computed, whether in one run, in shards, or as the job
//! grew.

use std::collections::BTreeMap;
use std::path::Path;

use eigensweep_job::Job;
use eigensweep_store::aggregate::Running;
use eigensweep_store::columns::Status;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::shard::Shard;
use eigensweep_store::summary::{Summary, failures, summarise};
use eigensweep_testkit::data_set::{open, run_shard, run_to_the_end};
use eigensweep_testkit::rows::{cells, job, prepare};
use eigensweep_theory::metrics::{DISTANCE, THRESHOLD_SQUARED};

/// Several data settings, noises and views; n not in order; some rows without a value.
const JOB: &str = r#"
[job]
seed = 2
replicates = 6
[data]
components = [3, 2]
scale = [100, 10]
label_count = 2
[corruption]
components = 2
scale = [1, 10]
[augmentation]
scale = [1, 0]
alignment = [0, 2]
[model]
dimension = 2
[grid]
samples = [60, 1, 300, 20]
[output]
part_rows = 30
"#;

fn summary(root: &Path) -> Summary {
    let (dataset, faults) = Dataset::read(root, true).unwrap();
    assert_eq!(faults, []);
    summarise(&dataset).unwrap().unwrap()
}

/// The same from the rows as they are computed: by paradigm and axes, distances at the smallest and
/// the largest n, and thresholds.
fn expected(job: &Job) -> BTreeMap<String, ([Running; 2], Vec<f64>)> {
    let simulation = prepare(job);
    let grid = &simulation.plan().grid;
    let samples = job.spec.grid.samples.values();
    let ends = [samples.iter().min(), samples.iter().max()].map(|n| *n.unwrap());
    let mut lines: BTreeMap<String, ([Running; 2], Vec<f64>)> = BTreeMap::new();
    for (row, cell) in cells(&simulation, 1) {
        let several = grid.axes.iter().filter(|axis| axis.values.count() > 1);
        let named = several.filter(|axis| axis.name != "samples" && axis.name != "alignment");
        let axes: Vec<String> = named
            .chain(grid.axis("alignment"))
            .map(|axis| format!("{} {}", axis.name, axis.values.as_float(axis.index(row))))
            .collect();
        let paradigm = simulation.paradigms().nth(grid.paradigm(row)).unwrap().name;
        let line = lines.entry(format!("{paradigm}, {}", axes.join(", "))).or_default();
        let axis = grid.axis("samples").unwrap();
        let n = samples[axis.index(row)];
        for (end, running) in ends.iter().zip(&mut line.0) {
            if n == *end && cell.row.status == Status::Ok {
                running.add(cell[&DISTANCE]);
            }
        }
        if n == ends[1] && !cell[&THRESHOLD_SQUARED].is_nan() {
            line.1.push(cell[&THRESHOLD_SQUARED]);
        }
    }
    lines
}

#[track_caller]
fn assert_summary(found: &Summary, job: &Job, what: &str) {
    let expected = expected(job);
    let samples = job.spec.grid.samples.values();
    assert_eq!(Some(&found.smallest), samples.iter().min());
    assert_eq!(Some(&found.largest), samples.iter().max());
    assert_eq!(found.lines.len(), expected.len(), "{what}");
    for line in &found.lines {
        let mut axes: Vec<String> = line.axes.iter().map(|(name, value)| format!("{name} {value}")).collect();
        axes.push(format!("alignment {}", line.alignment));
        let name = format!("{}, {}", line.paradigm, axes.join(", "));
        let (running, thresholds) = &expected[&name];
        for (found, expected) in [&line.smallest, &line.largest].into_iter().zip(running) {
            assert_eq!(found.count, expected.count(), "{what}: {name}");
            // Rows arrive in another order, so sums are rounded otherwise.
            let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * b.abs(),
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(close(found.mean, expected.mean()), "{what}: {name}: {found:?}, {expected:?}");
            assert!(close(found.standard_error, expected.standard_error()), "{what}: {name}");
        }
        let mut sorted = thresholds.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let ends = (sorted.first().copied(), sorted.last().copied());
        assert_eq!((line.threshold.min, line.threshold.max), ends, "{what}: {name}");
        assert_eq!(line.threshold.count, sorted.len() as u64, "{what}: {name}");
        let above =
            thresholds.iter().filter(|&&threshold| line.alignment * line.alignment > threshold).count();
        assert_eq!(line.above, (!thresholds.is_empty()).then_some(above as u64), "{what}: {name}");
    }
}

#[test]
fn a_summary_is_that_of_the_rows() {
    let directory = tempfile::tempdir().unwrap();
    let root = |name: &str| directory.path().join(name);
    let job_of = |set: &[&str]| job(JOB, set);
    let whole = job_of(&[]);
    let ran = run_to_the_end(&root("whole"), &whole, 2);
    let found = summary(&root("whole"));
    assert_summary(&found, &whole, "one run");
    let (dataset, _) = Dataset::read(&root("whole"), false).unwrap();
    assert_eq!(failures(&dataset), [("dimension-above-rank", ran.failed)]);
    for index in [2, 3, 1] {
        run_shard(&root("shards"), &whole, Shard::new(index, 3).unwrap(), 1, u64::MAX).unwrap();
    }
    assert_eq!(summary(&root("shards")), found, "the same files, the same summary");
    // Grown three times, in every direction.
    for set in [
        &["job.replicates=4", "grid.samples=[300, 20]", "data.components=2", "augmentation.alignment=2"][..],
        &["job.replicates=4", "grid.samples=[300, 1, 20]", "data.components=2"],
        &["grid.samples=[300, 1, 20]"],
        &[],
    ] {
        let job = job_of(set);
        run_to_the_end(&root("grown"), &job, 2);
        assert_summary(&summary(&root("grown")), &job, &format!("grown to {set:?}"));
    }
}

/// Grids of more lines than a terminal shows have none.
#[test]
fn a_summary_has_an_end() {
    let directory = tempfile::tempdir().unwrap();
    let set = [
        "augmentation.alignment={ from = 0.1, to = 5, count = 5000 }",
        "grid.samples=20",
        "output.part_rows=1000000",
    ];
    let job = job(JOB, &[&set[..], &["job.replicates=1"]].concat());
    let (_, dataset, _) = open(directory.path(), &job, Shard::WHOLE).unwrap();
    assert_eq!(summarise(&dataset).unwrap(), None);
}
