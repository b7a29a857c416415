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
    assert!(out.contains("as written: 6 parts with 36 rows"), "{out}");
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
    assert!(out.contains("the same bits") && out.contains("1 of 12 rows; --limit shows more"), "{out}");
    for (condition, says) in [
        ("samplse = 50", "did you mean \"samples\""),
        ("samples = ", "cannot be read"),
        ("gap > 'x'", "numbers"),
    ] {
        let (code, _, err) = place.run(&["replay", "output.detail=rows", "--where", condition]);
        assert_eq!(code, 2, "{condition}: {err}");
        assert!(err.contains(says), "{err}");
    }
    for (condition, says) in [
        ("samples = 7", "no row fulfils samples = 7: samples is 50 or 500"),
        ("replicate = 3 and samples = 50", ": replicate is 0 to 2"),
        ("paradigm = 'joint_embedding'", "'reconstruction'; did you mean 'joint-embedding'?"),
        ("status = 'not-finite'", ": status is 'ok'"),
    ] {
        let (code, _, err) = place.run(&["replay", "output.detail=rows", "--where", condition]);
        assert_eq!(code, 1);
        assert!(err.contains(says), "no {says:?} in {err}");
        let (code, _, err) = place.run(&["plot", "output.detail=rows", "--where", condition]);
        assert_eq!(code, 2);
        let says = says.trim_start_matches("no row fulfils samples = 7");
        assert!(err.contains("no row is left by --where") && err.contains(says), "no {says:?} in {err}");
    }
}

/// What `replay` says of a row is about the numbers beside it, in text and in JSON.
#[test]
fn a_row_that_is_explained_has_its_own_numbers() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--output", "out"]).0, 0);
    for paradigm in ["joint-embedding", "reconstruction"] {
        let condition =
            format!("samples = 500 and alignment = 10 and replicate = 1 and paradigm = '{paradigm}'");
        let (code, out, err) = place.run(&["replay", "out", "--where", &condition, "--json"]);
        assert_eq!(code, 0, "{err}");
        let row = &json(&out)[0];
        for (name, value) in [("replicate", 1), ("samples", 500), ("dimension", 4)] {
            assert!(row[name].is_i64() && row[name] == value, "{name} in {row}");
        }
        assert!(row["alignment"].is_f64(), "{row}");
        // The sentence on the gap: its numbers are eigenvalues, and make the gap that is stored.
        let (_, out, _) = place.run(&["replay", "out", "--where", &condition]);
        let line = out.lines().find(|line| line.starts_with("gap  ")).unwrap();
        let words: Vec<&str> = line.split([' ', '(', ')', ':']).filter(|word| !word.is_empty()).collect();
        let ["gap", gap, "=", kth, "−", next, "/", first, ..] = words[..] else { panic!("{line}") };
        let [gap, kth, next, first] = [gap, kth, next, first].map(|text| text.parse::<f64>().unwrap());
        assert!(((kth - next) / first - gap).abs() < 2e-3, "{line}");
        let stored = row["gap"]["stored"].as_f64().unwrap();
        assert!((gap - stored).abs() <= 1e-3 * stored, "{line}, and stored is {stored}");
        assert_eq!(line.contains("square of φ"), paradigm == "reconstruction", "{line}");
    }
}

/// Values are shown rounded; what is shown can be typed.
#[test]
fn coordinates_can_be_typed_as_they_are_shown() {
    let place = Place::new();
    let scale = "corruption.scale={ from = 1.0, to = 1e6, count = 5, scale = \"log\" }";
    let run = ["run", "small.toml", "--set", scale, "--set", "job.replicates=1", "--output", "out"];
    let (code, out, err) = place.run(&run);
    assert_eq!(code, 0, "{err}");
    // 10^1.5 and 10^4.5.
    for shown in ["31.62", "31623"] {
        assert!(out.contains(shown), "{out}");
        for relation in ["=", "in"] {
            let value = if relation == "in" { format!("({shown}, 7)") } else { shown.to_owned() };
            let condition = format!("noise_scale {relation} {value}");
            let (code, out, err) = place.run(&["replay", "out", "--where", &condition, "--limit", "1"]);
            assert_eq!(code, 0, "{err}");
            assert!(out.contains(&format!("noise_scale {shown}")), "{out}");
            assert_eq!(place.run(&["plot", "out", "--where", &condition, "-o", "out.svg"]).0, 0);
        }
    }
    let (code, _, err) = place.run(&["replay", "out", "--where", "noise_scale = 30"]);
    assert_eq!(code, 1);
    assert!(err.contains(": noise_scale is 31.6227766017, 1, 1000, 31622.7766017 or 1e6"), "{err}");
}

/// A summary that was changed on disk is no better than a part that was.
#[test]
fn the_summary_is_verified() {
    let place = Place::new();
    let run = ["run", "small.toml", "--output", "out"];
    assert_eq!(place.run(&run).0, 0);
    let path = place.path("out/summary/summary.parquet");
    let whole = fs::read(&path).unwrap();
    let mut bent = whole.clone();
    bent[100] ^= 1;
    for (bytes, says) in [(&bent[..], "does not match its checksum"), (&whole[..50], "is unreadable")] {
        fs::write(&path, bytes).unwrap();
        let (code, out, err) = place.run(&["verify", "out"]);
        assert_eq!(code, 1, "{out}{err}");
        assert!(
            err.contains("summary.parquet") && err.contains(says) && err.contains("1 file damaged"),
            "{err}"
        );
        assert!(!err.contains("panicked"), "{err}");
        assert_eq!(place.run(&run).0, 0);
        assert_eq!(place.run(&["verify", "out"]).0, 0, "the run has written it anew");
        assert!(fs::read(&path).unwrap() == whole);
    }
}

/// One of several shards has no part: what to do is said.
#[test]
fn shards_without_a_part_are_to_be_merged() {
    let place = Place::new();
    for shard in ["1/2", "2/2"] {
        let arguments = ["run", "small.toml", "--quiet", "--shard", shard, "--output", &shard[..1]];
        assert_eq!(place.run(&arguments).0, 0);
    }
    for command in [&["plot", "1", "2"][..], &["report", "1", "2"], &["plot", "2", "1"]] {
        let (code, _, err) = place.run(command);
        assert_eq!(code, 1, "{err}");
        assert!(err.contains("eigensweep merge SHARD"), "{err}");
    }
    assert_eq!(place.run(&["merge", "1", "2", "--into", "whole"]).0, 0);
    assert_eq!(place.run(&["plot", "whole"]).0, 0);
}

/// Shards of two divisions do not fit: which key made them differ is said.
#[test]
fn a_merge_of_other_divisions_names_the_key() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--output", "one"]).0, 0);
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--set", PARTS, "--output", "two"]).0, 0);
    let (code, _, err) = place.run(&["merge", "one", "two", "--into", "whole"]);
    assert_eq!(code, 1);
    assert!(err.contains("output.part_rows (6, not "), "{err}");
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
    // Σ = 0 and n < k: at n = 3 no representation has four dimensions.
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
    assert!(err.contains("dimension-above-rank"), "{err}");
    let (code, _, err) = place.run(&[&run[..], &["--set", "output.max_failed=0.6"]].concat());
    assert_eq!(code, 0, "the rows are there, and allowed now: {err}");
    let (code, out, _) =
        place.run(&["replay", "out", "--where", "status = 'dimension-above-rank'", "--limit", "1"]);
    assert_eq!(code, 0);
    assert!(out.contains("the same bits"), "{out}");
}

/// Views that add no noise, and fewer samples than inputs: values up to the rank, which is a
/// column, and a status above it; alone as in the run, and as SQL-ready rows.
#[test]
fn a_job_of_fewer_samples_than_inputs_has_values_up_to_its_rank() {
    let place = Place::new();
    let set = [
        "augmentation.scale=0",
        "augmentation.alignment=[0, 1]",
        "grid.samples=[3, 5, 50]",
        "model.dimension=[2, 3, 4]",
        "output.metrics=['distance', 'leakage', 'rank']",
        "output.max_failed=1",
    ];
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    let (code, _, err) = place.run(&[&["run", "small.toml", "--output", "out"][..], &set].concat());
    assert_eq!(code, 0, "{err}");
    let (code, out, err) =
        place.run(&["replay", "out", "--where", "replicate >= 0", "--limit", "1000", "--json"]);
    assert_eq!(code, 0, "{err}");
    let rows = json(&out);
    for row in rows.as_array().unwrap() {
        let (samples, k) = (row["samples"].as_u64().unwrap(), row["dimension"].as_u64().unwrap());
        // Four components of signal and three of noise, to which Σ = α²Γ adds where α is not 0.
        let noise = if row["alignment"].as_f64().unwrap() > 0.0 { 3 } else { 0 };
        let rank = (samples + noise).min(7);
        let above = k > rank && row["paradigm"] != "supervised";
        let status = if above { "dimension-above-rank" } else { "ok" };
        assert_eq!(row["status"]["stored"], status, "{row}");
        let stored = |name: &str| row[name]["stored"].as_f64();
        assert_eq!(stored("rank"), (!above).then_some(rank as f64), "{row}");
        for loss in ["loss_clean", "loss_corrupted", "distance"] {
            assert_eq!(stored(loss).is_some(), !above, "{loss}: {row}");
        }
        // All directions of a sample that is interpolated explain its labels.
        if noise == 0 && samples == k && !above {
            assert!(stored("loss_corrupted").unwrap().abs() < 1e-9, "{row}");
        }
    }
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
