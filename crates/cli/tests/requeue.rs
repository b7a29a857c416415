//! How a task of SLURM stops in time and goes back into the queue, with a SLURM of small scripts.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, reason = "a test takes times")]

mod common;

use common::cluster::Cluster;

/// A job that lasts long enough to be stopped, as task 3 of array 7.
const LONG: [&str; 10] = [
    "run",
    "small.toml",
    "--output",
    "out",
    "--set",
    "job.replicates=2000000",
    "--set",
    "output.part_rows=120000",
    "--quiet",
    "--requeue",
];
const TASK: [(&str, &str); 3] =
    [("SLURM_JOB_ID", "9"), ("SLURM_ARRAY_JOB_ID", "7"), ("SLURM_ARRAY_TASK_ID", "3")];

#[test]
fn a_run_that_is_out_of_time_is_requeued() {
    let cluster = Cluster::new(1001);
    let arguments = [&LONG[..], &["--time-limit", "2s"]].concat();
    let (code, _, stderr) = cluster.run(&arguments, &TASK);
    assert_eq!(code, 75, "{stderr}");
    assert!(cluster.calls().contains("scontrol requeue 7_3\n"), "{}", cluster.calls());
    assert!(stderr.contains("job 7_3 is back in the queue"), "{stderr}");
    // SLURM may refuse, or not be there.
    cluster.command("scontrol", "echo 'Requested operation is presently disabled' >&2\nexit 1");
    let (code, _, stderr) = cluster.run(&arguments, &TASK);
    assert_eq!(code, 75);
    assert!(stderr.contains("presently disabled") && stderr.contains("Submit it again"), "{stderr}");
    let (code, _, stderr) = cluster.run(&arguments, &[]);
    assert_eq!(code, 75);
    assert!(stderr.contains("no job of SLURM"), "{stderr}");
}

#[test]
fn a_run_that_never_gets_anything_done_is_given_up() {
    let cluster = Cluster::new(1001);
    let hopeless = [&LONG[..], &["--set", "output.part_rows=16000000", "--time-limit", "1s"]].concat();
    let mut answers = Vec::new();
    for restarts in ["0", "1", "2"] {
        let environment = [&TASK[..], &[("SLURM_RESTART_COUNT", restarts)]].concat();
        let (code, _, stderr) = cluster.run(&hopeless, &environment);
        assert_eq!(code, 75, "{stderr}");
        answers.push(stderr);
        // Runs are told apart by the second and the process.
        std::thread::sleep(std::time::Duration::from_millis(1100));
    }
    assert!(answers[1].contains("back in the queue"), "{}", answers[1]);
    assert!(answers[2].contains("its last 3 runs") && answers[2].contains("part_rows"), "{}", answers[2]);
    assert_eq!(cluster.calls().matches("requeue").count(), 2);
}

#[test]
fn the_time_limit_is_asked_of_slurm() {
    let cluster = Cluster::new(1001);
    let automatic = [&LONG[..], &["--time-limit", "auto"]].concat();
    // Two seconds left, told to this element and not to the whole array.
    cluster.command("squeue", "case \"$*\" in *7_3*) echo 0:02 ;; *) echo 1:00:00; echo 1:00:00 ;; esac");
    assert_eq!(cluster.run(&automatic, &TASK).0, 75);
    // No limit, or no answer: a small job gets done.
    let small = ["run", "small.toml", "--quiet", "--time-limit", "auto"];
    cluster.command("squeue", "echo UNLIMITED");
    assert_eq!(cluster.run(&small, &TASK).0, 0);
    cluster.command("squeue", "exit 1");
    let (code, _, stderr) = cluster.run(&small, &TASK);
    assert_eq!(code, 0);
    assert!(stderr.contains("SLURM does not say"), "{stderr}");
    let (code, _, stderr) = cluster.run(&small, &[]);
    assert_eq!(code, 2);
    assert!(stderr.contains("give a time"), "{stderr}");
}

/// Pre-emption stops a run at once; a warning about the limit only when that is near.
#[test]
fn a_warning_is_taken_as_it_is_meant() {
    let cluster = Cluster::new(1001);
    let automatic = [&LONG[..], &["--time-limit", "auto"]].concat();
    for (left, least, most) in [("10:00", 0.0, 6.0), ("0:10", 4.0, 8.0)] {
        cluster.command("squeue", &format!("echo {left}"));
        let path = cluster.place.path("bin");
        let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_eigensweep"));
        run.current_dir(cluster.place.directory.path())
            .args(&automatic)
            .env_clear()
            .env("PATH", path)
            .envs(TASK);
        let mut run = run.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(700));
        let clock = std::time::Instant::now();
        let kill = ["-USR2".to_owned(), run.id().to_string()];
        assert!(std::process::Command::new("kill").args(kill).status().unwrap().success());
        assert_eq!(run.wait().unwrap().code(), Some(75));
        let seconds = clock.elapsed().as_secs_f64();
        assert!((least..most).contains(&seconds), "{seconds} s after the warning with {left} left");
    }
}
