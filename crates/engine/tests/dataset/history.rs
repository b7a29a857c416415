//! `logs/`: one file a run, whatever the host is called, and files that say nothing are no trouble.

use std::fs;

use eigensweep_store::dataset::{Manifest, RunRecord, RunState, read_runs};
use eigensweep_testkit::data_set::run_to_the_end;

use crate::three_parts::{copy, three_parts};

fn run(host: &str, process: u32, started: u64) -> RunRecord {
    RunRecord {
        program: "eigensweep 0".to_owned(),
        commit: "unknown".to_owned(),
        features: String::new(),
        instruction_set: "portable".to_owned(),
        host: host.to_owned(),
        process,
        batch_job: None,
        threads: 2,
        shard: "1/1".to_owned(),
        started,
        updated: started,
        state: RunState::Running,
        seconds: 0.5,
        seconds_writing: 0.0,
        rows_total: 10,
        rows_before: 0,
        rows: 4,
        rows_computed: 7,
    }
}

#[test]
fn runs_are_read_as_written_oldest_first() {
    let directory = copy();
    let root = directory.path();
    let long = "x".repeat(300);
    let runs = [run("a", 2, 5), run("b/../../c d\u{e9}", 1, 7), run(&long, 1, 9), run("a", 1, u64::MAX)];
    for run in runs.iter().rev() {
        run.write(root).unwrap();
    }
    assert_eq!(read_runs(root).unwrap(), runs);
    assert_eq!(fs::read_dir(root.join("logs")).unwrap().count(), 4, "a file each, all in logs/");
    // Written anew as the run gets on.
    let later = RunRecord { state: RunState::Finished, rows: 10, ..run("a", 2, 5) };
    later.write(root).unwrap();
    assert_eq!(read_runs(root).unwrap()[0], later);
    run_to_the_end(root, &three_parts(), 1);
    assert_eq!(Manifest::read(root).unwrap().runs.len(), 4);
}

#[test]
fn strange_logs_are_passed_over() {
    let directory = copy();
    let root = directory.path();
    run("a", 1, 5).write(root).unwrap();
    for (name, content) in [
        ("run-1-x-1.json", &b""[..]),
        ("notes.txt", b"mine"),
        ("run-2.json", b"{\"program\": 1}"),
        ("b", b"\xff"),
    ] {
        fs::write(root.join("logs").join(name), content).unwrap();
    }
    assert_eq!(read_runs(root).unwrap().len(), 1);
    let ran = run_to_the_end(root, &three_parts(), 1);
    assert_eq!((ran.repairs.len(), ran.committed.len()), (0, 0));
    assert_eq!(fs::read(root.join("logs/notes.txt")).unwrap(), b"mine");
    fs::remove_dir_all(root.join("logs")).unwrap();
    assert_eq!(read_runs(root).unwrap(), []);
}
