//! Standard output that cannot be written: what is lost is told, and a reader who has seen enough
//! is no failure.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use common::Place;
use eigensweep_inputs::write_matrix;
use faer::mat;

/// A data set in `out`, and every command that prints, as it would be typed.
fn place() -> (Place, Vec<Vec<&'static str>>) {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--output", "out"]).0, 0);
    let x = mat![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -2.0]];
    write_matrix(&place.path("x.npy"), x.as_ref()).unwrap();
    let commands = [
        "--help",
        "--version",
        "help plot",
        "run --help",
        "run small.toml --output out",
        "run small.toml --output new",
        "plan small.toml",
        "theory small.toml",
        "theory small.toml --json",
        "solve --inputs x.npy --targets x.npy --dimension 1",
        "solve --inputs x.npy --targets x.npy --dimension 1 --json",
        "status out",
        "status out --json",
        "merge out --into joined",
        "verify out",
        "replay out --where replicate=1 --limit 1",
        "replay out --where replicate=1 --limit 1 --json",
        "submit small.toml --shards 2 --dry-run",
        "plot out -o out.svg",
        "report out -o out.html",
        "completions bash",
        "completions zsh",
    ];
    (place, commands.map(|command| command.split(' ').collect()).to_vec())
}

/// Runs a command with that standard output; its exit code and standard error.
fn run(place: &Place, arguments: &[&str], stdout: impl Into<Stdio>) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eigensweep"));
    command.current_dir(place.directory.path()).args(arguments).stdout(stdout);
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn output_that_a_full_disk_does_not_take_is_a_failure_of_every_command() {
    let (place, commands) = place();
    for arguments in commands {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, stderr) = run(&place, &arguments, full);
        assert_eq!(code, Some(1), "{arguments:?}: {stderr}");
        let told = "error: cannot write to standard output: No space left on device";
        assert_eq!(stderr.matches(told).count(), 1, "{arguments:?}: {stderr}");
    }
    // The data sets are whole all the same: only what was printed is lost.
    for dataset in ["new", "joined"] {
        assert_eq!(place.run(&["verify", dataset]).0, 0, "{dataset}");
    }
    // What failed by itself keeps its own code.
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let singular = "run small.toml --output failed --set augmentation.scale=0 --set augmentation.alignment=0 \
                    --set grid.samples=[3,50]";
    let (code, stderr) = run(&place, &singular.split(' ').collect::<Vec<_>>(), full);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains("cannot write to standard output"), "{stderr}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure_of_any_command() {
    let (place, commands) = place();
    for arguments in commands {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (code, stderr) = run(&place, &arguments, writer);
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("error") && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}
