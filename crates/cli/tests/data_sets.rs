//! Shards, `status`, `merge`, `verify` and `replay` as a user calls them; exit codes.

mod common;

use std::fs;

use common::Place;
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Several parts of the small job.
const PARTS: &str = "output.part_rows=6";

#[test]
fn shards_in_one_directory_and_in_two_are_the_whole() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--set", PARTS, "--output", "whole"]).0, 0);
    for shard in ["2/2", "1/2"] {
        let arguments = ["run", "small.toml", "--set", PARTS, "--shard", shard];
        let (code, out, _) = place.run(&[&arguments[..], &["--output", "shared"]].concat());
        assert_eq!(code, 0);
        assert_eq!(
            out.contains("distance, n = 500"),
            shard == "1/2",
            "the last shard prints the summary: {out}"
        );
        let own = format!("own-{}", &shard[..1]);
        assert_eq!(place.run(&[&arguments[..], &["--output", &own]].concat()).0, 0);
    }
    let (code, out, err) = place.run(&["merge", "own-1", "--into", "joined"]);
    assert_eq!(code, 1, "half of it is missing: {out}{err}");
    assert!(err.contains("rows missing"), "{err}");
    let (code, out, err) = place.run(&["merge", "own-1", "own-2", "--into", "joined"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("36 rows in") && err.contains("more than once"), "{out}{err}");
    assert_eq!(place.run(&["merge", "shared", "--into", "shared"]).0, 0);
    let bytes = |root: &str, directory: &str| {
        let files = place.contents(&format!("{root}/{directory}")).into_iter();
        files.map(|(path, bytes)| (path.file_name().unwrap().to_owned(), bytes)).collect::<Vec<_>>()
    };
    for directory in ["data", "commits", "sections", "summary"] {
        assert!(!bytes("whole", directory).is_empty());
        for root in ["shared", "joined"] {
            assert!(bytes(root, directory) == bytes("whole", directory), "{root}/{directory}");
        }
    }
    let (code, out, _) = place.run(&["status", "joined", "--json"]);
    assert_eq!(code, 0);
    let status = json(&out);
    assert_eq!(
        (&status["rows"], &status["rows_done"], &status["complete"]),
        (&36.into(), &36.into(), &true.into())
    );
    let shards: Vec<&str> =
        status["shards"].as_array().unwrap().iter().map(|shard| shard["shard"].as_str().unwrap()).collect();
    assert_eq!(shards, ["1/2", "2/2"]);
}

#[test]
fn array_tasks_tell_their_shard() {
    let place = Place::new();
    let run = |variables: &[(&str, &str)], shard: &str| {
        let arguments = ["run", "small.toml", "--set", PARTS, "--output", "out", "--shard", shard];
        let output = place.eigensweep(&arguments).envs(variables.iter().copied()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let slurm =
        [("SLURM_ARRAY_TASK_ID", "6"), ("SLURM_ARRAY_TASK_MIN", "5"), ("SLURM_ARRAY_TASK_COUNT", "2")];
    assert_eq!(run(&slurm, "auto").0, 0);
    assert_eq!(run(&[("JOB_COMPLETION_INDEX", "0")], "auto/2").0, 0);
    let (_, out, _) = place.run(&["status", "out", "--json"]);
    assert_eq!(json(&out)["complete"], true);
    let (code, err) = run(&[], "auto");
    assert_eq!(code, 2);
    assert!(err.contains("SLURM_ARRAY_TASK_ID"), "{err}");
    assert_eq!(run(&[("JOB_COMPLETION_INDEX", "2")], "auto/2").0, 2);
    for wrong in ["0/2", "3/2", "auto/0", "two"] {
        let (code, err) = run(&[], wrong);
        assert_eq!(code, 2, "{wrong}");
        assert!(err.contains("I/N"), "{wrong}: {err}");
    }
}

#[test]
fn a_job_grows_and_does_not_shrink() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--output", "out"]).0, 0);
    let before = place.contents("out/data");
    let more = ["run", "small.toml", "--set", "job.replicates=5", "--set", "grid.samples=[50, 500, 5000]"];
    let (code, _, err) = place.run(&[&more[..], &["--output", "out"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("36 of 90 rows are there already"), "{err}");
    let after = place.contents("out/data");
    assert!(before.iter().all(|file| after.contains(file)), "what was there is left alone");
    let (code, _, err) = place.run(&["run", "small.toml", "--output", "out"]);
    assert_eq!(code, 1);
    assert!(err.contains("5000") || err.contains("replicates"), "{err}");
}

#[test]
fn damage_is_named_and_mended() {
    let place = Place::new();
    let run = ["run", "small.toml", "--set", PARTS, "--output", "out"];
    assert_eq!(place.run(&run).0, 0);
    let (code, out, _) = place.run(&["verify", "out"]);
    assert_eq!(code, 0);
    assert!(out.contains("36 rows") && out.contains("as they were written"), "{out}");
    let whole = place.contents("out/data");
    let (path, bytes) = &whole[2];
    let mut bent = bytes.clone();
    bent[40] ^= 1;
    fs::write(path, bent).unwrap();
    let (code, _, err) = place.run(&["verify", "out"]);
    assert_eq!(code, 1);
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(err.contains(name) && err.contains("checksum") && err.contains("eigensweep run"), "{err}");
    let (code, _, err) = place.run(&run);
    assert_eq!(code, 0);
    assert!(err.contains(name), "{err}");
    assert!(place.contents("out/data") == whole);
    for command in ["verify", "status"] {
        let (code, _, err) = place.run(&[command, "nowhere"]);
        assert_eq!(code, 1);
        assert!(err.contains("nowhere") && err.contains("no data set"), "{err}");
    }
}

#[test]
fn rows_are_computed_again_to_their_bits() {
    let place = Place::new();
    for detail in ["rows", "summary"] {
        let detail = format!("output.detail={detail}");
        let (code, _, err) = place.run(&["run", "small.toml", "--set", &detail, "--output", &detail]);
        assert_eq!(code, 0);
        let table = if detail.ends_with("rows") { "FROM best" } else { "FROM summary" };
        for next in ["eigensweep plot", "eigensweep report", "eigensweep query", table] {
            assert!(err.contains(next), "{err}");
        }
        let condition = "samples = 500 and alignment < 1 and paradigm <> 'supervised'";
        let (code, out, err) =
            place.run(&["replay", &detail, "--where", condition, "--json", "--limit", "100"]);
        assert_eq!(code, 0, "{err}");
        let rows = json(&out);
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), 6, "three replicates of two paradigms");
        for row in rows {
            let same = if detail.ends_with("rows") { Value::Bool(true) } else { Value::Null };
            assert_eq!(row["same_bits"], same);
            let paradigm = row["paradigm"].as_str().unwrap();
            let spectrum = row["spectra"][paradigm].as_array().unwrap();
            assert_eq!((spectrum.len(), row["theta"].as_array().unwrap().len()), (7, 7));
            assert!(row["distance"]["alone"].is_number());
            // The gap is that of the spectrum beside it, which other code computed.
            let power = if paradigm == "reconstruction" { 2 } else { 1 };
            let number = |i: usize| spectrum[i].as_f64().unwrap().powi(power);
            let gap = (number(3) - number(4)) / number(0);
            assert!((row["gap"]["alone"].as_f64().unwrap() - gap).abs() < 1e-9, "{row}");
        }
    }
    let (code, out, _) =
        place.run(&["replay", "output.detail=rows", "--where", "replicate = 1", "--limit", "1"]);
    assert_eq!(code, 0);
    assert!(out.contains("the same bits") && out.contains("--limit"), "{out}");
    for (condition, says) in [
        ("samplse = 50", "did you mean \"samples\""),
        ("samples = ", "cannot be read"),
        ("gap > 'x'", "numbers"),
    ] {
        let (code, _, err) = place.run(&["replay", "output.detail=rows", "--where", condition]);
        assert_eq!(code, 2, "{condition}: {err}");
        assert!(err.contains(says), "{err}");
    }
    let (code, _, err) = place.run(&["replay", "output.detail=rows", "--where", "samples = 7"]);
    assert_eq!(code, 1);
    assert!(err.contains("no row"), "{err}");
}

/// A row that is not what its job gives is told.
#[test]
fn rows_of_another_program_are_told() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--output", "out"]).0, 0);
    assert_eq!(place.run(&["run", "small.toml", "--output", "other", "--set", "job.seed=4"]).0, 0);
    // Another seed's rows under this job's name stand for another program's.
    let files = |root: &str| place.contents(&format!("{root}/data"));
    let foreign = &files("other")[0].1;
    fs::write(&files("out")[0].0, foreign).unwrap();
    let record = place.path("out/commits/000-000000.json");
    let mut value = json(&fs::read_to_string(&record).unwrap());
    value["bytes"] = foreign.len().into();
    fs::write(record, value.to_string()).unwrap();
    let (code, out, err) = place.run(&["replay", "out", "--where", "replicate = 0", "--limit", "1"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("NOT the same bits") && err.contains("eigensweep verify"), "{out}{err}");
}

#[test]
fn too_many_failures_are_an_exit_code() {
    let place = Place::new();
    // Σ = 0 and n < d: nothing has a solution at n = 3.
    let singular = [
        "--set",
        "augmentation.scale=0",
        "--set",
        "augmentation.alignment=0",
        "--set",
        "grid.samples=[3, 50]",
    ];
    let run = [&["run", "small.toml", "--output", "out"][..], &singular].concat();
    let (code, _, err) = place.run(&run);
    assert_eq!(code, 3, "{err}");
    assert!(err.contains("max_failed") && err.contains("eigensweep replay out --where"), "{err}");
    assert!(err.contains("not-positive-definite"), "{err}");
    let (code, _, err) = place.run(&[&run[..], &["--set", "output.max_failed=0.6"]].concat());
    assert_eq!(code, 0, "the rows are there, and allowed now: {err}");
    let (code, out, _) =
        place.run(&["replay", "out", "--where", "status = 'not-positive-definite'", "--limit", "1"]);
    assert_eq!(code, 0);
    assert!(out.contains("the same bits"), "{out}");
}

#[test]
fn a_time_limit_stops_and_the_same_command_goes_on() {
    let place = Place::new();
    let long = ["run", "small.toml", "--set", "job.replicates=200000", "--set", "output.part_rows=6000"];
    let (code, _, err) = place.run(&[&long[..], &["--output", "out", "--time-limit", "1s"]].concat());
    assert_eq!(code, 75, "{err}");
    assert!(err.contains("goes on from there"), "{err}");
    let (_, out, _) = place.run(&["status", "out", "--json"]);
    let status = json(&out);
    assert_eq!(status["shards"][0]["state"], "stopped");
    let done = status["rows_done"].as_u64().unwrap();
    assert!(done < status["rows"].as_u64().unwrap());
    let (code, _, err) = place.run(&[&long[..], &["--output", "out", "--time-limit", "0s"]].concat());
    assert_eq!(code, 75, "{err}");
    assert!(done == 0 || err.contains("are there already"), "{err}");
    for wrong in ["soon", "-3", "1:2:3:4"] {
        assert_eq!(place.run(&["run", "small.toml", "--time-limit", wrong]).0, 2, "{wrong}");
    }
}

#[test]
fn a_plan_tells_its_shards() {
    let place = Place::new();
    let (code, out, _) = place.run(&["plan", "small.toml", "--set", PARTS, "--shards", "3"]);
    assert_eq!(code, 0);
    assert!(out.contains("shards    3 of "), "{out}");
    let (code, out, _) = place.run(&["plan", "small.toml", "--set", PARTS, "--shards", "100"]);
    assert_eq!(code, 0);
    assert!(out.contains("have nothing to do"), "{out}");
    // A grid that no machine finishes is planned as any other.
    let huge = ["plan", "small.toml", "--set", "job.replicates=2000000000"];
    let (code, out, _) = place.run(&huge);
    assert_eq!(code, 0);
    assert!(out.contains("24,000,000,000"), "{out}");
}
