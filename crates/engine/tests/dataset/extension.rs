//! Jobs that grow: what is new is computed, what was there stays byte for byte, and together they
//! are the larger job.

use std::path::Path;
use std::sync::Barrier;

use eigensweep_job::{Job, NotAnExtension};
use eigensweep_store::StoreError;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{open, run_parts, run_shard, run_to_the_end};
use eigensweep_testkit::files::{contents, copy_of, leftovers, tree};
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::job;

use crate::rows::read_rows;
use crate::three_parts::{THREE_PARTS, copy, three_parts};

/// Every axis that synthetic data have; parts of a unit each.
const ALL_AXES: &str = r#"
[job]
seed = 9
replicates = 2
[data]
components = 3
spectrum = "power-law"
scale = 100
decay = 0.5
label_count = 2
separation = 0.5
[corruption]
components = 4
spectrum = "power-law"
scale = 50
decay = 1
[augmentation]
spectrum = "power-law"
scale = 20
decay = 1
alignment = [0.7, 2]
[model]
dimension = 3
[grid]
samples = [15, 400]
[output]
part_rows = 12
"#;

/// Values at the end, in the middle and at the beginning of each axis, and replicates after and
/// before.
const GROWN: [&str; 17] = [
    "job.replicates=5",
    "grid.samples=[15, 400, 60]",
    "grid.samples=[8, 15, 30, 400]",
    "data.components=[3, 5]",
    "data.scale=[10, 100]",
    "data.decay=[0.5, 2]",
    "data.separation=[0.2, 0.5, 0.9]",
    "corruption.components=[4, 6]",
    "corruption.components=[6, 4, 5]",
    "corruption.scale=[0, 50]",
    "corruption.decay=[1, 0]",
    "augmentation.scale=[20, 1]",
    "augmentation.decay=[0.3, 1]",
    "augmentation.alignment=[0.7, 2, 9]",
    "augmentation.alignment=[0.7, 1, 2]",
    "model.dimension=[3, 1]",
    "model.dimension=[2, 3, 1]",
];

/// Goes on with the data set at `root` as a larger job: what was there must stay, and all must be
/// what the larger job is alone.
#[track_caller]
fn grow(root: &Path, larger: &Job) {
    let before = contents(root);
    let ran = run_to_the_end(root, larger, 2);
    assert_eq!(ran.repairs, []);
    assert_grown(root, larger, &before);
}

#[track_caller]
fn assert_grown(root: &Path, larger: &Job, before: &[std::collections::BTreeMap<String, Vec<u8>>; 3]) {
    let after = contents(root);
    for (before, after) in before.iter().zip(&after) {
        for (name, bytes) in before {
            assert!(after.get(name) == Some(bytes), "{name} stays as it was");
        }
    }
    let alone = tempfile::tempdir().unwrap();
    // In few parts: no row depends on the layout.
    let mut fresh = larger.clone();
    fresh.spec.output.part_rows = 1 << 20;
    run_to_the_end(alone.path(), &fresh, 2);
    let (grown, fresh) = (read_rows(root), read_rows(alone.path()));
    assert_eq!(grown.len(), fresh.len(), "rows");
    for (place, values) in &fresh {
        assert_eq!(grown.get(place), Some(values), "{place}");
    }
    let (dataset, _) = Dataset::read(root, false).unwrap();
    assert!(dataset.is_complete());
    assert_eq!(dataset.spec(), &larger.spec, "job.toml is the larger job");
    let again = run_to_the_end(root, larger, 1);
    assert_eq!((again.committed.len(), again.repairs.len()), (0, 0), "nothing is left to do");
    assert!(contents(root) == after);
}

/// A finished data set of `text`.
fn finished(text: &str, set: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &job(text, set), 2);
    directory
}

#[test]
fn every_axis_grows_at_either_end_and_in_the_middle() {
    let base = finished(ALL_AXES, &[]);
    for grown in GROWN {
        grow(copy_of(base.path()).path(), &job(ALL_AXES, &[grown]));
    }
    let targets = ["data.teacher=linear"];
    let text = ALL_AXES.replace("separation = 0.5\n", "label_noise = 0.5\n");
    let base = finished(&text, &targets);
    grow(base.path(), &job(&text, &[targets[0], "data.label_noise=[0, 0.5]"]));
}

#[test]
fn replicates_and_axes_grow_at_once() {
    let base = finished(ALL_AXES, &[]);
    for grown in [
        &["job.replicates=4", "augmentation.alignment=[0.7, 1, 2, 9]"][..],
        &[
            "job.replicates=3",
            "grid.samples=[8, 15, 400]",
            "model.dimension=[1, 3]",
            "corruption.scale=[50, 1]",
        ],
    ] {
        let directory = copy_of(base.path());
        grow(directory.path(), &job(ALL_AXES, grown));
        let (dataset, _) = Dataset::read(directory.path(), false).unwrap();
        assert_eq!(dataset.sections().len(), 1 + grown.len(), "a section for each direction");
    }
}

#[test]
fn a_data_set_grows_several_times() {
    let base = finished(ALL_AXES, &[]);
    let mut set: Vec<&str> = Vec::new();
    for next in [
        "job.replicates=3",
        "augmentation.alignment=[0.7, 1, 2]",
        "job.replicates=5",
        "grid.samples=[15, 8, 400]",
        "augmentation.alignment=[0.1, 0.7, 1, 2]",
        "data.components=[5, 3]",
    ] {
        set.push(next);
        grow(base.path(), &job(ALL_AXES, &set));
    }
    let (dataset, _) = Dataset::read(base.path(), false).unwrap();
    assert_eq!(dataset.sections().len(), 7);
}

/// The numbers of replicates go on below the first as well.
#[test]
fn replicates_before_the_first() {
    let base = finished(ALL_AXES, &["job.first_replicate=4"]);
    grow(base.path(), &job(ALL_AXES, &["job.first_replicate=1", "job.replicates=7"]));
    grow(base.path(), &job(ALL_AXES, &["job.replicates=8"]));
}

#[test]
fn images_grow_too() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 60, 4, 3);
    let rest = "[corruption]\ncomponents = 3\n[augmentation]\nalignment = [0.5, 2]\n[model]\ndimension = 2\n[grid]\n\
        samples = [20, 50]\n[job]\nreplicates = 3\n[output]\npart_rows = 12\n";
    let text = format!("{}{rest}", images.source("components = 4"));
    let base = finished(&text, &[]);
    for grown in [
        &["job.replicates=5"][..],
        &["grid.samples=[35, 20, 60, 50]"],
        &["data.components=[2, 4, 6]"],
        &["data.components=[4, 6]", "grid.samples=[20, 50, 10]", "job.replicates=4"],
    ] {
        grow(copy_of(base.path()).path(), &job(&text, grown));
    }
    let other = tempfile::tempdir().unwrap();
    let moved = write_images(other.path(), 60, 4, 3);
    let moved = format!("{}{rest}", moved.source("components = 4"));
    grow(base.path(), &job(&moved, &["job.replicates=4"]));
}

/// What the first job left undone is done with the rest.
#[test]
fn an_incomplete_data_set_grows() {
    for parts in [0, 1, 3] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let base = job(ALL_AXES, &["job.replicates=8", "augmentation.alignment=[0.7, 1, 2, 3]"]);
        match parts {
            0 => drop(open(root, &base, Shard::WHOLE).unwrap()),
            // On one thread few parts are in flight.
            _ => assert!(!run_parts(root, &base, 1, parts).unwrap().outcome.complete),
        }
        let larger = job(ALL_AXES, &["job.replicates=9", "augmentation.alignment=[0.7, 1, 2, 3, 4]"]);
        // Stopped on the way, in the old section or a new one, and grown again.
        run_parts(root, &larger, 1, 4).unwrap();
        let largest = job(ALL_AXES, &["job.replicates=11", "augmentation.alignment=[0.7, 1, 2, 3, 4]"]);
        grow(root, &largest);
    }
}

/// Layout and name are no part of what the rows are: nothing is new, and what is there keeps its
/// layout.
#[test]
fn other_layouts_names_and_orders_are_the_same_job() {
    let base = finished(ALL_AXES, &[]);
    let before = contents(base.path());
    for same in [
        "output.part_rows=100",
        "output.max_failed=1",
        "job.name=renamed",
        "grid.samples=[400, 15]",
        "augmentation.alignment=[2, 0.7]",
    ] {
        let ran = run_to_the_end(base.path(), &job(ALL_AXES, &[same]), 1);
        assert_eq!((ran.committed.len(), ran.repairs.len()), (0, 0), "{same}");
        assert!(contents(base.path()) == before, "{same}");
    }
    // What is new may have another layout.
    grow(
        base.path(),
        &job(ALL_AXES, &["output.part_rows=1000", "job.replicates=6", "grid.samples=[400, 15]"]),
    );
}

/// A data set does not lose rows because a job asks for less: it is refused, with the axis named,
/// and nothing changes.
#[test]
fn taking_values_away_is_refused() {
    let all = [
        "job.replicates=4",
        "job.first_replicate=2",
        "grid.samples=[15, 400]",
        "data.components=[3, 5]",
        "data.scale=[10, 100]",
        "data.decay=[0.5, 2]",
        "data.separation=[0.2, 0.5]",
        "corruption.components=[4, 6]",
        "corruption.scale=[0, 50]",
        "corruption.decay=[1, 0]",
        "augmentation.scale=[20, 1]",
        "augmentation.decay=[0.3, 1]",
        "augmentation.alignment=[0.7, 2]",
        "model.dimension=[3, 1]",
    ];
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path(), &job(ALL_AXES, &all), Shard::WHOLE).unwrap());
    let before = tree(directory.path());
    for (fewer, words) in [
        ("job.replicates=3", "has replicates 2 to 5, but the job asks for replicates 2 to 4"),
        ("job.first_replicate=3", "has replicates 2 to 5, but the job asks for replicates 3 to 6"),
        ("job.first_replicate=0", "has replicates 2 to 5, but the job asks for replicates 0 to 3"),
        ("grid.samples=15", "has samples 400"),
        ("grid.samples=[15, 401]", "has samples 400"),
        ("data.components=3", "has signal_components 5"),
        ("data.scale=100", "has signal_scale 10"),
        ("data.decay=0.5", "has signal_decay 2"),
        ("data.separation=0.2", "has separation 0.5"),
        ("corruption.components=4", "has noise_components 6"),
        ("corruption.scale=50", "has noise_scale 0"),
        ("corruption.decay=1", "has noise_decay 0"),
        ("augmentation.scale=1", "has augmentation_scale 20"),
        ("augmentation.decay=1", "has augmentation_decay 0.3"),
        ("augmentation.alignment=[0.7, 3]", "has alignment 2"),
        ("model.dimension=3", "has dimension 1"),
    ] {
        // With something new besides.
        let set = [&all[..], &["data.scale=[10, 100, 1000]", fewer]].concat();
        match open(directory.path(), &job(ALL_AXES, &set), Shard::WHOLE).map(drop) {
            Err(error @ StoreError::NotExtended { .. }) => {
                let message = error.to_string();
                assert!(message.contains(words), "{fewer}: {message}");
                assert!(message.contains(&directory.path().display().to_string()), "{message}");
            }
            other => panic!("{fewer}: {other:?}"),
        }
        assert!(tree(directory.path()) == before, "{fewer}: nothing changes");
    }
}

/// The shards of a larger job, in any order, into the directory of the smaller one or each into a
/// copy of it.
#[test]
fn shards_of_a_job_that_grew() {
    let base = finished(ALL_AXES, &[]);
    let before = contents(base.path());
    let larger =
        job(ALL_AXES, &["job.replicates=5", "augmentation.alignment=[0.7, 1, 2]", "data.scale=[100, 1]"]);
    for count in [2, 5, 30] {
        let directory = copy_of(base.path());
        for index in (1..=count).rev() {
            let shard = Shard::new(index, count).unwrap();
            assert!(run_shard(directory.path(), &larger, shard, 2, u64::MAX).unwrap().outcome.complete);
        }
        assert_grown(directory.path(), &larger, &before);
    }
}

/// Two processes see the same larger job at the same moment: they agree on what is new.
#[test]
fn two_processes_extend_at_once() {
    let larger =
        job(THREE_PARTS, &["job.replicates=80", "grid.samples=[20, 30]", "augmentation.scale=[1e4, 1]"]);
    let alone = tempfile::tempdir().unwrap();
    run_to_the_end(alone.path(), &three_parts(), 1);
    run_to_the_end(alone.path(), &larger, 2);
    let expected = contents(alone.path());
    for _ in 0..4 {
        let directory = copy();
        let start = Barrier::new(3);
        std::thread::scope(|scope| {
            for index in 1..=3 {
                let (start, root, larger) = (&start, directory.path(), &larger);
                scope.spawn(move || {
                    start.wait();
                    let shard = Shard::new(index, 3).unwrap();
                    assert!(run_shard(root, larger, shard, 1, u64::MAX).unwrap().outcome.complete);
                });
            }
        });
        assert!(contents(directory.path()) == expected);
        assert_eq!(leftovers(directory.path()), [""; 0]);
    }
}

/// Two processes extend to different jobs at the same moment: one of them is first, and the other
/// is refused, since its job lacks what the first has added.
#[test]
fn two_processes_extend_to_different_jobs() {
    let jobs = [
        job(THREE_PARTS, &["job.replicates=73"]),
        job(THREE_PARTS, &["grid.samples=[20, 30]", "output.part_rows=10000"]),
    ];
    for round in 0..12 {
        let directory = copy();
        let start = Barrier::new(2);
        let refused = std::thread::scope(|scope| {
            let open = |index: u64| {
                let (start, root, job) = (&start, directory.path(), &jobs[usize::from(index == 2)]);
                scope.spawn(move || {
                    start.wait();
                    open(root, job, Shard::new(index, 2).unwrap()).map(drop)
                })
            };
            [1, 2].map(open).map(|thread| thread.join().unwrap())
        });
        let [winner] = [0, 1].into_iter().filter(|&i| refused[i].is_ok()).collect::<Vec<usize>>()[..] else {
            panic!("one of two: {refused:?}")
        };
        match &refused[1 - winner] {
            Err(StoreError::NotExtended { reason, .. }) => {
                let lacks_replicates = matches!(reason, NotAnExtension::Replicates { .. });
                assert_eq!(lacks_replicates, winner == 0, "{reason}");
            }
            other => panic!("{other:?}"),
        }
        if round == 0 {
            grow(directory.path(), &jobs[winner]);
        }
    }
}
