//! `submit`, and what `status` shows of it, with a SLURM of small scripts; `tests/slurm/run.sh`
//! does the same with a real one.
#![cfg(unix)]

mod common;

use std::fs;

use common::cluster::Cluster;
use serde_json::Value;

const SCRIPT: &str = r#"#!/bin/bash
# Shards 1 to 4 of 4 of the job PLACE/out/logs/submit-1/job.toml. Submitted once more, it computes what is missing and no more.
# Written by eigensweep VERSION: PROGRAM submit small.toml --shards 4 --time 90m --memory 4G --cpus 2 --output out --dry-run
#SBATCH --job-name=small
#SBATCH --time=0-01:30:00
#SBATCH --nodes=1 --ntasks=1 --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH '--output=PLACE/out/logs/submit-1/%A_%a.out'
#SBATCH --open-mode=append --requeue
#SBATCH --array=0-3
#SBATCH --signal=B:USR2@60

trap '' USR1 USR2
# Indices of an array are limited, shards are not.
offset=0
# exec: signals go to the program, which stops and is put back into the queue before its time is over.
exec PROGRAM run PLACE/out/logs/submit-1/job.toml \
    --output PLACE/out \
    --shard "$((offset + SLURM_ARRAY_TASK_ID + 1))/4" --time-limit auto --requeue --quiet
"#;

#[test]
fn dry_run_prints_everything_and_does_nothing() {
    let cluster = Cluster::new(1001);
    let arguments = "submit small.toml --shards 4 --time 90m --memory 4G --cpus 2 --output out --dry-run";
    let (code, stdout, stderr) = cluster.run(&arguments.split(' ').collect::<Vec<_>>(), &[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("the job has 1 part: shards without a part"), "{stderr}");
    let stdout = cluster.fixed(&stdout);
    assert!(stdout.contains(SCRIPT), "{stdout}");
    assert!(stdout.contains("exec PROGRAM merge PLACE/out \\\n    --into PLACE/out\n"), "{stdout}");
    assert!(
        stdout.ends_with(
            "# sbatch --parsable --dependency=afterany:ARRAY1 --kill-on-invalid-dep=yes PLACE/out/logs/submit-1/merge.sbatch\n"
        ),
        "{stdout}"
    );
    assert!(!cluster.place.path("out").exists());
    assert!(!cluster.calls().contains("sbatch"), "{}", cluster.calls());
    // Nor does it need SLURM.
    fs::remove_dir_all(cluster.place.path("bin")).unwrap();
    assert_eq!(cluster.run(&["submit", "small.toml", "--shards", "4", "--dry-run"], &[]).0, 0);
}

#[test]
fn arrays_are_submitted_with_a_merge_after_them() {
    let cluster = Cluster::new(2);
    let options = [
        "--set",
        "output.part_rows=4",
        "--partition",
        "short",
        "--account",
        "lab",
        "--sbatch-arg=--qos=high",
        "--concurrent",
        "3",
    ];
    let arguments =
        [&["submit", "small.toml", "--shards", "5", "--set", "job.seed=8"][..], &options].concat();
    let (code, stdout, stderr) = cluster.run(&arguments, &[]);
    assert_eq!(code, 0, "{stderr}");
    for word in
        ["array job 101 (shards 1 to 1), 102 (shards 2 to 3), 103 (shards 4 to 5); merge job 104", "status"]
    {
        assert!(stdout.contains(word), "no {word:?} in {stdout}");
    }
    let logs = "output/small/logs";
    let read =
        |name: &str| fs::read_to_string(cluster.place.path(&format!("{logs}/submit-1/{name}"))).unwrap();
    let last = read("array-4.sbatch");
    for line in [
        "#SBATCH --array=0-1%1",
        "#SBATCH --partition=short",
        "#SBATCH --account=lab",
        "#SBATCH '--qos=high'",
        "offset=3",
    ] {
        assert!(last.lines().any(|found| found == line), "no {line} in {last}");
    }
    assert!(last.contains("--shard \"$((offset + SLURM_ARRAY_TASK_ID + 1))/5\""), "{last}");
    assert!(read("job.toml").contains("seed = 8"));
    let calls = cluster.fixed(&cluster.calls());
    let merge = "--dependency=afterany:101:102:103 --kill-on-invalid-dep=yes PLACE/output/small/logs/submit-1/merge.sbatch";
    assert!(calls.contains(merge), "{calls}");
    let text = fs::read_to_string(cluster.place.path(&format!("{logs}/submitted.json"))).unwrap();
    let submitted: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(submitted[0]["arrays"][2]["first_shard"], 4);
    assert_eq!(submitted[0]["merge"], 104);
    // The scripts do what they say: task 1 of the last array is shard 5.
    let status = std::process::Command::new("bash")
        .arg(cluster.place.path(&format!("{logs}/submit-1/array-4.sbatch")))
        .env("SLURM_ARRAY_TASK_ID", "1")
        .env("SLURM_JOB_END_TIME", "99999999999")
        .status()
        .unwrap();
    assert!(status.success());
    let (code, stdout, _) = cluster.run(&["status", "output/small"], &[]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("5/5") && stdout.contains("array job 103 (shards 4 to 5): no longer in the queue"),
        "{stdout}"
    );
}

/// Blanks, quotation marks, dollars and percent signs in a path, and a job that lies elsewhere.
#[test]
fn scripts_survive_any_path() {
    let cluster = Cluster::new(1001);
    let output = cluster.place.path("it's $HOME \"100%A\" #; é/out");
    fs::create_dir_all(output.parent().unwrap()).unwrap();
    let output = output.to_str().unwrap();
    let (code, _, stderr) = cluster.run(&["submit", "small.toml", "--shards", "1", "--output", output], &[]);
    assert_eq!(code, 0, "{stderr}");
    let script = format!("{output}/logs/submit-1/array.sbatch");
    let end = [("SLURM_ARRAY_TASK_ID", "0"), ("SLURM_JOB_END_TIME", "99999999999")];
    assert!(std::process::Command::new("bash").arg(script).envs(end).status().unwrap().success());
    assert_eq!(cluster.run(&["verify", output], &[]).0, 0);
    let merge = format!("{output}/logs/submit-1/merge.sbatch");
    assert!(std::process::Command::new("bash").arg(merge).status().unwrap().success());
    let bad = cluster.place.path("two\nlines");
    let arguments = ["submit", "small.toml", "--shards", "1", "--output", bad.to_str().unwrap()];
    let (code, _, stderr) = cluster.run(&arguments, &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("cannot stand in a batch script") && !bad.exists(), "{stderr}");
}

#[test]
fn what_cannot_be_submitted_whole_is_taken_back() {
    let cluster = Cluster::new(2);
    cluster.command(
        "sbatch",
        "case \"$*\" in *merge*) echo 'sbatch: error: invalid account' >&2; exit 1 ;; esac\n\
         count=$(cat count 2>/dev/null || echo 100)\necho $((count + 1)) | tee count",
    );
    let (code, _, stderr) = cluster.run(&["submit", "small.toml", "--shards", "4", "--output", "out"], &[]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("invalid account") && stderr.contains("(jobs 101 102) is taken back"),
        "{stderr}"
    );
    assert!(cluster.calls().contains("scancel 101 102"), "{}", cluster.calls());
    assert!(!cluster.place.path("out/logs/submitted.json").exists());
    cluster.command("sbatch", "echo Submitted");
    let (code, _, stderr) = cluster.run(&["submit", "small.toml", "--shards", "4", "--output", "out"], &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("\"Submitted\"") && stderr.contains("Nothing was submitted"), "{stderr}");
    fs::remove_file(cluster.place.path("bin/sbatch")).unwrap();
    let elsewhere = ["submit", "small.toml", "--shards", "4", "--output", "elsewhere"];
    let (code, _, stderr) = cluster.run(&elsewhere, &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("cannot start sbatch") && stderr.contains("login node"), "{stderr}");
    assert!(
        stderr.contains("Nothing was submitted") && !cluster.place.path("elsewhere").exists(),
        "{stderr}"
    );
}

#[test]
fn nothing_is_submitted_while_earlier_jobs_are_queued() {
    let cluster = Cluster::new(1001);
    let arguments = ["submit", "small.toml", "--shards", "2", "--output", "out"];
    assert_eq!(cluster.run(&arguments, &[]).0, 0);
    cluster.command(
        "squeue",
        "echo '101|0|RUNNING|None'\necho '101|1|PENDING|BeginTime'\necho '102|N/A|PENDING|Dependency'",
    );
    let (code, _, stderr) = cluster.run(&arguments, &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("scancel 101 102"), "{stderr}");
    let (_, stdout, _) = cluster.run(&["status", "out"], &[]);
    assert!(stdout.contains("array job 101 (shards 1 to 2): 1 PENDING (BeginTime), 1 RUNNING"), "{stdout}");
    let (_, stdout, _) = cluster.run(&["status", "out", "--json"], &[]);
    let status: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(status["queue"]["tasks"][1]["shard"], 2);
    assert_eq!(status["queue"]["tasks"][1]["reason"], "BeginTime");
    // Where a database remembers, it is asked first; the jobs are over.
    cluster.command("sacct", "echo '101_0|COMPLETED'\necho '101_1|CANCELLED by 1000'\necho '102|COMPLETED'");
    let (_, stdout, _) = cluster.run(&["status", "out"], &[]);
    assert!(stdout.contains("1 CANCELLED, 1 COMPLETED"), "{stdout}");
    assert_eq!(cluster.run(&arguments, &[]).0, 0);
    assert!(cluster.place.path("out/logs/submit-2/array.sbatch").is_file());
}

#[test]
fn bad_options_and_jobs_are_refused_before_anything_is_written() {
    let cluster = Cluster::new(1001);
    for (arguments, word) in [
        ("--shards 0", "0 is not in"),
        ("--shards 2 --time soon", "1-12:00:00"),
        ("--shards 2 --time 30M", "`M` may be minutes or months"),
        ("--shards 2 --time 0", "no time"),
        ("--shards 2 --memory lots", "megabytes"),
        ("--shards 2 --partition a;b", "give a name"),
        ("--shards 2 --sbatch-arg qos", "--sbatch-arg=--qos=high"),
        ("--shards 2 --concurrent 0", "0 is not in"),
        ("--shards 2 --set job.sed=1", "unknown key"),
    ] {
        let arguments = format!("submit small.toml {arguments}");
        let (code, stdout, stderr) = cluster.run(&arguments.split(' ').collect::<Vec<_>>(), &[]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments}: {stderr}");
        assert!(stderr.contains(word), "{arguments}: no {word:?} in {stderr}");
    }
    fs::create_dir(cluster.place.path("other")).unwrap();
    cluster.place.write("other/file", b"");
    let (code, _, stderr) = cluster.run(&["submit", "small.toml", "--shards", "2", "--output", "other"], &[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("holds no data set"), "{stderr}");
    assert!(!cluster.calls().contains("sbatch") && !cluster.place.path("output").exists());
}
