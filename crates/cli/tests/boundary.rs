//! `boundary` as a user calls it.

mod common;

use common::Place;
use serde_json::Value;

/// Four cells that take milliseconds.
const JOB: &str = r#"
[job]
replicates = 3
[data]
components = 3
spectrum = [5.0, 20.0, 60.0]
label_count = 2
[corruption]
components = 3
spectrum = [10.0, 100.0, 300.0]
[augmentation]
spectrum = [2.0, 1.0, 10.0, 3.0, 1.0, 20.0]
[grid]
samples = [100, 100000]
[output]
part_rows = 2
[boundary]
precision = 0.05
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("job.toml", JOB.as_bytes());
    place
}

#[test]
fn the_table_has_alignments_with_intervals_and_the_data_set_is_resumed() {
    let place = place();
    let (code, stdout, stderr) = place.run(&["boundary", "job.toml"]);
    assert_eq!(code, 0, "{stderr}");
    for word in [
        "joint-embedding",
        "reconstruction",
        "traced",
        "α*",
        "low",
        "high",
        "n → ∞",
        "problems solved",
        "4 rows",
    ] {
        assert!(stdout.contains(word), "no {word:?} in:\n{stdout}");
    }
    assert!(!stdout.contains("supervised"));
    let parts = place.contents("output/job-boundary/data");
    assert_eq!(parts.len(), 2);
    let (code, again, stderr) = place.run(&["boundary", "job.toml"]);
    assert_eq!((code, &again), (0, &stdout));
    assert!(stderr.contains("4 of 4 rows are there already"), "{stderr}");
    // A damaged part is computed again, to the same bytes.
    std::fs::write(&parts[0].0, b"PAR1").unwrap();
    assert_eq!(place.run(&["verify", "output/job-boundary"]).0, 1);
    let (code, stdout, stderr) = place.run(&["boundary", "job.toml", "--quiet"]);
    assert!(code == 0 && stdout.is_empty() && stderr.contains("will be computed again"), "{stdout}{stderr}");
    assert_eq!(place.contents("output/job-boundary/data"), parts);
    assert_eq!(place.run(&["verify", "output/job-boundary"]).0, 0);
    let (code, status, _) = place.run(&["status", "output/job-boundary"]);
    assert!(code == 0 && status.contains("4 of 4 rows"), "{status}");
}

#[test]
fn json_is_what_the_contract_says() {
    let place = place();
    let (code, stdout, stderr) = place.run(&["boundary", "job.toml", "--json", "--threads", "1"]);
    assert_eq!(code, 0, "{stderr}");
    let found: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found.len(), 4);
    for row in &found {
        let number = |key: &str| row[key].as_f64().unwrap_or_else(|| panic!("{key}: {row}"));
        assert_eq!(row["verdict"], "traced");
        assert!(number("low") <= number("alpha") && number("alpha") <= number("high"));
        assert!(row["quantiles"]["0.1"].as_f64().unwrap() <= row["quantiles"]["0.9"].as_f64().unwrap());
        assert!(number("theory") > 0.0 && number("law") > 0.0);
        assert!(row["samples"].is_i64() && number("replicates") >= 24.0 && number("solves") > 24.0);
        assert!(row["alignment"].is_null() && row["replicate"].is_null());
    }
    // Joint-embedding is at its limit at n = 10⁵.
    let limit =
        found.iter().find(|row| row["samples"] == 100_000 && row["paradigm"] == "joint-embedding").unwrap();
    assert!((limit["alpha"].as_f64().unwrap() / limit["theory"].as_f64().unwrap() - 1.0).abs() < 0.02);
}

#[test]
fn shards_join_to_what_one_run_writes() {
    let place = place();
    assert_eq!(place.run(&["boundary", "job.toml", "--quiet", "--output", "whole"]).0, 0);
    for shard in ["1/2", "2/2"] {
        let (code, stdout, stderr) =
            place.run(&["boundary", "job.toml", "--output", "shared", "--shard", shard]);
        assert_eq!(code, 0, "{stdout}{stderr}");
    }
    let (code, stdout, stderr) = place.run(&["merge", "shared", "--into", "shared"]);
    assert!(code == 0 && stdout.contains("4 rows in 2 parts, verified"), "{stdout}{stderr}");
    let bytes = |name: &str| place.contents(name).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    assert_eq!(bytes("shared/data"), bytes("whole/data"));
    // The job as resolved is traced to the same bytes.
    assert_eq!(place.run(&["boundary", "whole/job.toml", "--quiet", "--output", "again"]).0, 0);
    assert_eq!(bytes("again/data"), bytes("whole/data"));
}

#[test]
fn what_cannot_be_traced_is_refused_and_nothing_is_written() {
    let place = place();
    for (set, message) in [
        ("augmentation.alignment=[1, 2]", "has several values"),
        ("boundary.tolerance=1.5", "above 0 and below 1"),
        ("boundary.precision=0", "above 0"),
        ("boundary.quantiles=[0.1, 2]", "above 0 and below 1"),
        ("corruption.scale=0", "needs noise"),
        ("model.paradigms=[\"supervised\"]", "no paradigm here learns a representation"),
    ] {
        let (code, _, stderr) = place.run(&["boundary", "job.toml", "--set", set]);
        assert_eq!(code, 2, "{set}: {stderr}");
        assert!(stderr.replace('\n', " ").contains(message), "{set}: {stderr}");
    }
    assert!(!place.path("output").exists());
}

/// That there is none is an answer.
#[test]
fn a_dimension_above_that_of_the_signal_has_the_verdict_never() {
    let place = place();
    let (code, stdout, stderr) = place.run(&["boundary", "job.toml", "--json", "--set", "model.dimension=4"]);
    assert_eq!(code, 0, "{stderr}");
    let found: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    assert!(found.iter().all(|row| row["verdict"] == "never" && row["alpha"].is_null()), "{stdout}");
}

#[test]
fn commands_about_rows_of_replicates_say_that_there_are_none() {
    let place = place();
    assert_eq!(place.run(&["boundary", "job.toml", "--quiet", "--output", "out"]).0, 0);
    for arguments in
        [&["plot", "out", "--figure", "threshold"][..], &["replay", "out", "--where", "samples = 100"]]
    {
        let (code, _, stderr) = place.run(arguments);
        assert!(code != 0 && stderr.contains("holds critical alignments"), "{arguments:?}: {stderr}");
    }
    for arguments in [
        &["plot", "out", "-o", "a.svg"][..],
        &["plot", "out", "--figure", "phase", "-o", "b.svg"],
        &["report", "out", "-o", "a.html"],
    ] {
        let (code, _, stderr) = place.run(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stderr}");
    }
    let (code, _, stderr) = place.run(&["run", "job.toml", "--output", "out"]);
    assert!(code == 1 && stderr.contains("a data set of `boundary`"), "{stderr}");
}
