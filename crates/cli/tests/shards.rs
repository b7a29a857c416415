//! Shards, growth, failures and limits as a user meets them.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::Place;

/// Arguments of a run of the small job, in six parts, into `out`.
fn run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["run", "small.toml", "--set", "output.part_rows=6"][..], more].concat()
}

/// Parts and records without the directory's own name.
fn bytes(place: &Place, output: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let root = place.path(output);
    let files = ["data", "commits", "sections"].map(|name| place.contents(&format!("{output}/{name}")));
    let relative = |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(&root).unwrap().to_owned(), bytes);
    files.into_iter().flatten().map(relative).collect()
}

#[test]
fn shards_of_one_directory() {
    let place = Place::new();
    assert_eq!(place.run(&run(&["--output", "whole"])).0, 0);
    for (shard, last) in [("3/3", false), ("1/3", false), ("2/3", true)] {
        let (code, stdout, stderr) = place.run(&run(&["--output", "out", "--shard", shard]));
        assert_eq!(code, 0, "{stderr}");
        let (done, summary) = (format!("shard {shard} is done"), "threshold");
        assert_eq!(stdout.contains(&done), !last, "{stdout}");
        assert_eq!(stdout.contains(summary), last, "the last one tells the whole:\n{stdout}");
        assert_eq!(stdout.contains(" of 36 rows"), !last, "{stdout}");
    }
    assert_eq!(bytes(&place, "out").len(), 13);
    assert!(bytes(&place, "out") == bytes(&place, "whole"));
    let manifest = fs::read_to_string(place.path("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["rows_done"], 36);
    let mut shards: Vec<&str> =
        manifest["runs"].as_array().unwrap().iter().map(|run| run["shard"].as_str().unwrap()).collect();
    shards.sort_unstable();
    assert_eq!(shards, ["1/3", "2/3", "3/3"]);
}

#[test]
fn array_tasks_are_shards() {
    let place = Place::new();
    assert_eq!(place.run(&run(&["--output", "whole", "--quiet"])).0, 0);
    let task = |shard: &str, variables: &[(&str, &str)]| {
        let mut command = place.eigensweep(&run(&["--output", "out", "--shard", shard]));
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let texts = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code().unwrap(), texts.concat())
    };
    let slurm = |task: &'static str| {
        [("SLURM_ARRAY_TASK_ID", task), ("SLURM_ARRAY_TASK_MIN", "7"), ("SLURM_ARRAY_TASK_COUNT", "3")]
    };
    let (code, text) = task("auto", &slurm("8"));
    assert!(code == 0 && text.contains("shard 2/3 is done"), "{text}");
    let (code, text) = task("auto/3", &[("JOB_COMPLETION_INDEX", "0")]);
    assert!(code == 0 && text.contains("shard 1/3 is done"), "{text}");
    assert_eq!(task("auto", &slurm("9")).0, 0);
    assert!(bytes(&place, "out") == bytes(&place, "whole"));
    for (variables, words) in [
        (&[][..], "this is no array task"),
        (&[("JOB_COMPLETION_INDEX", "2")], "does not say how many"),
        (&slurm("10"), "task 10 of SLURM is not one of 3"),
    ] {
        let (code, text) = task("auto", variables);
        assert!(code != 0 && text.contains(words), "{code}: {text}");
    }
}

#[test]
fn shards_that_are_none() {
    let place = Place::new();
    for arguments in [
        &["--shard", "0/3"][..],
        &["--shard", "4/3"],
        &["--shard", "3"],
        &["--shard", "auto/0"],
        &["--shard", "1/2", "--fresh"],
        &["--time-limit", "soon"],
    ] {
        let (code, _, stderr) = place.run(&run(arguments));
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
    }
    assert!(!place.path("output").exists());
}

#[test]
fn a_job_grows() {
    let place = Place::new();
    assert_eq!(place.run(&run(&["--output", "out", "--quiet"])).0, 0);
    let before = bytes(&place, "out");
    let more = ["--output", "out", "--set", "job.replicates=5", "--set", "grid.samples=[50, 500, 80]"];
    let (code, stdout, stderr) = place.run(&run(&more));
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("36 of 90 rows are there already"), "{stderr}");
    assert!(stdout.contains("90 rows"), "{stdout}");
    let after = bytes(&place, "out");
    assert!(before.iter().all(|file| after.contains(file)), "what was there is as it was");
    for (fewer, words) in [
        ("job.replicates=4", "replicates 3 to 4, but the job asks for replicates 0 to 3"),
        ("grid.samples=[50, 500]", "samples 80"),
    ] {
        let less = [&more[..], &["--set", fewer]].concat();
        let (code, _, stderr) = place.run(&run(&less));
        assert!(code == 1 && stderr.contains(words) && stderr.contains("--fresh"), "{stderr}");
    }
    assert!(bytes(&place, "out") == after);
}

/// Rows without a value: told with their number, kind and share; too many of them are an exit code
/// of their own.
#[test]
fn too_many_rows_without_a_value() {
    let place = Place::new();
    // Σ = 0 and fewer samples than dimensions: a sixth of the rows has no value.
    let singular = ["--set", "augmentation.scale=0", "--set", "augmentation.alignment=[0, 1]", "--set"];
    let arguments = run(&[&["--output", "out"][..], &singular, &["grid.samples=[3, 500]"]].concat());
    let (code, _, stderr) = place.run(&arguments);
    assert_eq!(code, 3, "{stderr}");
    for words in ["dimension-above-rank", "rows without a value", "max_failed = 0.01", "replay out --where"] {
        assert!(stderr.contains(words), "no {words:?} in:\n{stderr}");
    }
    let data = place.contents("out/data");
    let allowed = [&arguments[..], &["--set", "output.max_failed=1"]].concat();
    let (code, _, stderr) = place.run(&allowed);
    assert!(code == 0 && stderr.contains("rows without a value"), "{code}: {stderr}");
    assert!(place.contents("out/data") == data, "the same data set");
    // Of many, a few may fail.
    let enough =
        [&arguments[..], &["--set", "grid.samples=[3, 500, 501, 502]", "--set", "output.max_failed=0.3"]];
    let (code, _, stderr) = place.run(&enough.concat());
    assert!(code == 0 && stderr.contains("rows without a value"), "{code}: {stderr}");
}

/// A limit that is over before the job is: exit 75, and the next run goes on.
#[test]
fn a_time_limit_stops_a_run() {
    let place = Place::new();
    let long = ["--output", "out", "--set", "job.replicates=10000000", "--set", "output.part_rows=3000"];
    let (code, _, stderr) = place.run(&[&["run", "small.toml", "--time-limit", "1s"][..], &long].concat());
    assert_eq!(code, 75, "{stderr}");
    assert!(stderr.contains("the same command goes on"), "{stderr}");
    let manifest = fs::read_to_string(place.path("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["runs"][0]["state"], "stopped");
    assert_eq!(
        manifest["committed"].as_array().unwrap().len(),
        fs::read_dir(place.path("out/data")).unwrap().count()
    );
}

#[cfg(unix)]
mod processes {
    use std::process::{Child, Command, Stdio};
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    fn start(place: &Place, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eigensweep"));
        command.current_dir(place.directory.path()).args(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn wait_for_log(place: &Place, child: &mut Child) {
        while fs::read_dir(place.path("out/logs")).map_or(0, Iterator::count) == 0 {
            sleep(Duration::from_millis(20));
            assert!(child.try_wait().unwrap().is_none(), "it runs for long");
        }
    }

    /// One process a shard: the second is told which has it. A killed one leaves no lock.
    #[test]
    fn a_shard_that_is_taken() {
        let place = Place::new();
        let long = ["--output", "out", "--set", "job.replicates=10000000", "--set", "output.part_rows=3000"];
        let long = [&long[..], &["--shard", "1/2", "--quiet"]].concat();
        let mut first = start(&place, &run(&long));
        wait_for_log(&place, &mut first);
        let (code, _, stderr) = place.run(&run(&long));
        let holder = format!("another process (process {} on ", first.id());
        assert!(code == 1 && stderr.contains(&holder), "{code}: {stderr}");
        let (code, _, stderr) = place.run(&["run", "small.toml", "--output", "out", "--fresh"]);
        assert!(code == 1 && stderr.contains(&holder), "{code}: {stderr}");
        first.kill().unwrap();
        first.wait().unwrap();
        let (code, _, stderr) = place.run(&run(&[&long[..], &["--time-limit", "1s"]].concat()));
        assert_eq!(code, 75, "{stderr}");
    }

    /// A task that takes longer than a batch system waits is dropped: nothing is lost but the part
    /// in hand.
    #[test]
    fn a_long_task_is_dropped() {
        let place = Place::new();
        // 5·10⁹ normals.
        let long = ["--set", "sampler.kind=explicit", "--set", "grid.samples=100000000"];
        let long =
            [&["--output", "out", "--set", "corruption.components=50", "--threads", "1"][..], &long].concat();
        let mut child = start(&place, &run(&long));
        wait_for_log(&place, &mut child);
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(143));
        let stderr = String::from_utf8(output.stderr).unwrap();
        // The signal may come before the task begins.
        assert!(stderr.contains("stopped"), "{stderr}");
        assert_eq!(fs::read_dir(place.path("out/commits")).unwrap().count(), 0);
        let manifest = fs::read_to_string(place.path("out/manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!((&manifest["rows_done"], &manifest["runs"][0]["state"]), (&0.into(), &"stopped".into()));
    }
}
