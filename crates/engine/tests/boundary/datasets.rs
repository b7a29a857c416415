//! Data sets of critical alignments: whole, resumed, in shards, told from those of `run`.

use std::path::Path;

use arrow_array::RecordBatchReader;
use eigensweep_engine::study::{How, Study};
use eigensweep_job::Job;
use eigensweep_store::StoreError;
use eigensweep_store::boundary::{self, ALPHA, HIGH, LOW, SOLVES};
use eigensweep_store::dataset::{Dataset, merge};
use eigensweep_store::shard::Shard;
use eigensweep_store::summary::summarise;
use eigensweep_testkit::data_set::{HOLDER, Stopping, open, run_parts, run_shard, run_to_the_end};
use eigensweep_testkit::files::{contents, leftovers, tree};
use eigensweep_testkit::rows::job;
use std::sync::atomic::AtomicBool;

use super::cells::{SMALL, rows, traced};

/// Three parts of one cell each.
fn three_parts() -> Job {
    traced(SMALL, &["grid.samples=[50, 100, 1000]", "output.part_rows=2"])
}

#[test]
fn a_data_set_has_a_row_for_each_cell_and_paradigm_with_what_was_found() {
    let place = tempfile::tempdir().unwrap();
    let job = three_parts();
    run_to_the_end(place.path(), &job, 2);
    let (dataset, faults) = Dataset::read(place.path(), true).unwrap();
    assert!(faults.is_empty() && dataset.is_complete() && leftovers(place.path()).is_empty());
    assert_eq!((dataset.rows(), dataset.sections()[0].plan.parts), (6, 3));
    let schema = dataset.batches().schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names[..2], ["samples", "signal_components"]);
    let expected = [
        "paradigm",
        "alpha",
        "low",
        "high",
        "alpha_q10",
        "alpha_q90",
        "width",
        "replicates",
        "solves",
        "theory",
        "law",
        "verdict",
    ];
    assert_eq!(names[names.len() - expected.len()..], expected);
    assert!(!names.contains(&"alignment") && !names.contains(&"replicate"));
    let batches: Result<Vec<_>, _> = dataset.batches().collect();
    assert_eq!(batches.unwrap().iter().map(|batch| batch.num_rows()).sum::<usize>(), 6);
    let (lines, computed) = (boundary::read(&dataset).unwrap(), rows(job));
    assert_eq!(lines.len(), computed.len());
    for (line, cell) in lines.iter().zip(&computed) {
        for metric in [&ALPHA, &LOW, &HIGH, &SOLVES] {
            assert_eq!(line.value(metric), Some(cell[metric]), "{metric:?}");
        }
        let json = line.json();
        assert_eq!((json["verdict"].as_str(), json["alpha"].as_f64()), (Some("traced"), Some(cell[&ALPHA])));
        assert!(json["quantiles"]["0.1"].as_f64() < json["quantiles"]["0.9"].as_f64());
        assert!(json["samples"].is_i64() && json["replicates"].is_i64() && json["law"].is_f64());
    }
    // It has no rows of replicates, and says so.
    assert!(matches!(summarise(&dataset), Err(StoreError::Boundaries { .. })));
}

#[test]
fn threads_shards_and_interruptions_leave_the_same_bytes() {
    let whole = tempfile::tempdir().unwrap();
    let job = three_parts();
    run_to_the_end(whole.path(), &job, 1);
    let expected = contents(whole.path());
    let again = tempfile::tempdir().unwrap();
    for parts in [1, 1, u64::MAX] {
        run_parts(again.path(), &job, 2, parts).unwrap();
    }
    assert_eq!(contents(again.path()), expected);
    let shards = [1, 2].map(|index| {
        let place = tempfile::tempdir().unwrap();
        let ran = run_shard(place.path(), &job, Shard::new(index, 2).unwrap(), 1, u64::MAX).unwrap();
        assert!(ran.outcome.complete);
        place
    });
    let joined = tempfile::tempdir().unwrap();
    let roots: Vec<_> = shards.iter().map(|place| place.path().to_path_buf()).collect();
    let (dataset, _) = merge(&roots, &joined.path().join("all"), HOLDER).unwrap();
    assert!(dataset.is_complete());
    assert_eq!(contents(dataset.root()), expected);
}

#[test]
fn a_data_set_grows_along_its_axes() {
    let place = tempfile::tempdir().unwrap();
    let cells = |samples: &str| traced(SMALL, &[&format!("grid.samples={samples}")]);
    run_to_the_end(place.path(), &cells("[50, 100]"), 1);
    let before = contents(place.path());
    run_to_the_end(place.path(), &cells("[50, 100, 200]"), 1);
    let [after, ..] = contents(place.path());
    assert!(before[0].iter().all(|(name, bytes)| after.get(name) == Some(bytes)));
    let found = boundary::read(&Dataset::read(place.path(), false).unwrap().0).unwrap();
    assert_eq!(found.len(), 6);
    let alone = rows(cells("200"));
    assert_eq!(found[4].value(&ALPHA), Some(alone[0][&ALPHA]));
}

/// Runs a study as a program does: to the end, with all that is written then.
fn run_whole(place: &Path, job: Job) -> Result<Dataset, String> {
    let planned = Study::load(job).unwrap().plan().unwrap();
    let stop = AtomicBool::new(false);
    let how = How { threads: 1, shard: Shard::WHOLE, holder: HOLDER, stop: &stop };
    let ran = planned.run(place, how, &mut Stopping::after(&stop, u64::MAX));
    ran.map(|(_, dataset)| dataset).map_err(|error| error.to_string())
}

#[test]
fn run_and_boundary_refuse_the_data_sets_of_one_another() {
    let (traces, replicates) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let set = ["grid.samples=50", "job.replicates=2"];
    run_whole(traces.path(), traced(SMALL, &set)).unwrap();
    run_whole(replicates.path(), job(SMALL, &set)).unwrap();
    for (place, job, found) in [
        (&traces, job(SMALL, &set), "critical alignments, a data set of `boundary`"),
        (&replicates, traced(SMALL, &set), "rows of replicates, a data set of `run`"),
    ] {
        let before = tree(place.path());
        let error = open(place.path(), &job, Shard::WHOLE).unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
        assert_eq!(tree(place.path()), before, "nothing was written");
    }
    // Other keys of the table are another study.
    let other = traced(SMALL, &["grid.samples=50", "boundary.tolerance=0.3"]);
    assert!(matches!(open(traces.path(), &other, Shard::WHOLE), Err(StoreError::DifferentJob { .. })));
    // What is not used is not.
    let same = traced(SMALL, &["grid.samples=50", "job.replicates=7", "augmentation.alignment=2"]);
    assert!(open(traces.path(), &same, Shard::WHOLE).is_ok());
}
