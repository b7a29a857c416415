//! `query` reaches `eigensweep-query` with its arguments, and its exit code comes back.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// Copies a program, by another process: were it open for writing here, a test beside this one that
/// starts a process would keep it open, and it could not be run ("text file busy").
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
}

/// Writes a program that prints its arguments and ends with code 7.
fn stand_in(directory: &Path, says: &str) {
    let path = directory.join("eigensweep-query");
    let source = directory.join("source");
    fs::write(&source, format!("#!/bin/sh\necho {says} \"$@\"\nexit 7\n")).unwrap();
    fs::set_permissions(&source, fs::Permissions::from_mode(0o755)).unwrap();
    copy(&source, &path);
}

/// Runs a copy of the program, alone in its directory, with this PATH.
fn run(home: &Path, path: &str, arguments: &[&str]) -> Output {
    let program = home.join("eigensweep");
    if !program.exists() {
        copy(Path::new(env!("CARGO_BIN_EXE_eigensweep")), &program);
    }
    Command::new(program).args(arguments).env("PATH", path).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn without_the_program_one_line_says_what_builds_it() {
    let home = TempDir::new().unwrap();
    let output = run(home.path(), "/nowhere", &["query", "output/x", "SELECT 1"]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("`query`") && said.contains("cargo build --release -p eigensweep-query"), "{said}");
}

#[test]
fn arguments_and_exit_code_pass() {
    let home = TempDir::new().unwrap();
    stand_in(home.path(), "beside");
    let output =
        run(home.path(), "/usr/bin:/bin", &["query", "output/x", "SELECT 1", "--format", "json", "-o", "f"]);
    assert_eq!(output.status.code(), Some(7));
    let expected =
        format!("beside --called-by {} output/x SELECT 1 --format json -o f\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&output.stdout), expected);
    let help = run(home.path(), "/usr/bin:/bin", &["query", "--help"]);
    assert!(text(&help.stdout).ends_with(" --help\n"), "{}", text(&help.stdout));
    let quiet = run(home.path(), "/usr/bin:/bin", &["-q", "query", "x"]);
    assert!(text(&quiet.stdout).ends_with(" --quiet x\n"), "{}", text(&quiet.stdout));
}

#[test]
fn beside_comes_before_path() {
    let (home, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    stand_in(elsewhere.path(), "elsewhere");
    let path = format!("{}:/usr/bin:/bin", elsewhere.path().display());
    assert!(text(&run(home.path(), &path, &["query", "x"]).stdout).starts_with("elsewhere"));
    stand_in(home.path(), "beside");
    assert!(text(&run(home.path(), &path, &["query", "x"]).stdout).starts_with("beside"));
}

#[test]
fn a_run_names_the_next_commands() {
    let place = common::Place::new();
    let (code, _, progress) = place.run(&["run", "small.toml", "--output", "my set"]);
    assert_eq!(code, 0);
    for command in ["plot", "report", "query"] {
        assert!(progress.contains(&format!("eigensweep {command} 'my set'")), "{progress}");
    }
    let (_, _, progress) = place.run(&["run", "small.toml", "--output", "my set", "--quiet"]);
    assert!(!progress.contains("eigensweep plot"), "{progress}");
}
