//! The program: what it prints, where it writes, how it ends.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

#[path = "../../figures/tests/common/mod.rs"]
mod common;

use std::path::Path;

use assert_cmd::Command;
use common::{Axes, Place, plausible};

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eigensweep-query"));
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn queries_print_or_write() {
    let place = Place::new();
    place.source("d", &Axes::default(), plausible);
    let run = |arguments: &[&str]| run(place.directory.path(), arguments);
    let sql = "SELECT paradigm, COUNT(*) AS n FROM results GROUP BY paradigm ORDER BY paradigm";
    let (code, table, _) = run(&["d", sql]);
    assert_eq!(code, 0);
    assert!(table.contains("joint-embedding    72") || table.contains("│ joint-embedding   72 │"), "{table}");
    let (_, json, _) = run(&["d", sql, "--format", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()[0]["n"], 72);
    let (code, printed, _) = run(&["d", sql, "-o", "o.csv"]);
    assert_eq!((code, printed.as_str()), (0, ""));
    assert!(std::fs::read_to_string(place.path("o.csv")).unwrap().starts_with("paradigm,n\n"));
    let (_, plan, _) = run(&["d", sql, "--explain"]);
    assert!(plan.contains("Parquet SCAN"), "{plan}");
}

/// What a table prints of an axis can be typed: the same number to the last bit.
#[test]
fn axes_are_printed_with_all_their_digits_and_metrics_to_six() {
    let place = Place::new();
    let alignment = vec![0.1, 0.1_f64.sqrt(), 1e-9 / 3.0, 1e6, 1e22 / 3.0];
    place.source("d", &Axes { alignment: alignment.clone(), ..Axes::default() }, plausible);
    let run = |sql: &str| run(place.directory.path(), &["d", sql]);
    let sql = "SELECT alignment, AVG(distance) AS d FROM results GROUP BY alignment ORDER BY alignment";
    let (_, table, _) = run(sql);
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches(['│', ' ']).split_whitespace().map(str::to_owned).collect()
    };
    let rows: Vec<Vec<String>> =
        table.lines().filter(|line| line.starts_with('│')).skip(1).map(cells).collect();
    let mut expected = alignment;
    expected.sort_by(f64::total_cmp);
    let printed: Vec<f64> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(printed, expected, "{table}");
    for row in &rows {
        assert!(row[1].len() <= 11, "{table}");
        let sql = format!("SELECT COUNT(*) AS n FROM results WHERE alignment = {}", row[0]);
        let (_, found, said) = run(&sql);
        assert!(!found.contains("│ 0 │") && said.is_empty(), "{sql}: {found}{said}");
    }
    assert!(rows.iter().any(|row| row[0] == "0.31622776601683794"), "{table}");
}

#[test]
fn what_is_wrong_has_a_code_and_a_remedy() {
    let place = Place::new();
    place.source("d", &Axes::default(), plausible);
    let cases: [(&[&str], i32, &str); 6] = [
        (&["d", "SELECT distanc FROM results"], 2, "did you mean `distance`"),
        (&["d", "SELECT 1", "-o", "x.xyz"], 2, "must end in .csv"),
        (&["d", "SELECT * FROM results", "--format", "parquet"], 2, "-o FILE.parquet"),
        (&["d", "d"], 2, "the last argument is SQL"),
        (&["nowhere", "SELECT 1"], 1, "nowhere holds no data set"),
        (&["--called-by", "0.0.0-other", "d", "SELECT 1"], 1, "cargo build --release --workspace"),
    ];
    for (arguments, code, remedy) in cases {
        let (found, _, said) = run(place.directory.path(), arguments);
        assert_eq!(found, code, "{arguments:?}: {said}");
        assert!(said.contains(remedy), "{arguments:?}: {said}");
    }
}

/// Rows that cannot be written are a failure in every format, and what stands in the place of a
/// file stays there.
#[cfg(target_os = "linux")]
#[test]
fn lost_rows_are_a_failure() {
    let place = Place::new();
    place.source("d", &Axes::default(), plausible);
    let sql = "SELECT * FROM results";
    for arguments in
        [&["--format", "table"], &["--format", "csv"], &["--format", "json"], &["--explain", "-q"]]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_eigensweep-query"));
        command.current_dir(place.directory.path()).args(["d", sql]).args(arguments).stdout(full);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("cannot write to standard output"), "{arguments:?}: {said}");
    }
    let socket = place.path("socket.csv");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (code, _, said) = run(place.directory.path(), &["d", sql, "-o", "socket.csv"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("a device, a pipe or a socket stands there"), "{said}");
    drop(listener);
    assert!(!socket.is_file() && std::fs::symlink_metadata(&socket).is_ok());
}

#[test]
fn threads_and_absent_values_are_said() {
    let place = Place::new();
    place.source("d", &Axes::default(), plausible);
    for threads in ["0", "-1", "many", ""] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eigensweep-query"));
        command
            .current_dir(place.directory.path())
            .args(["d", "SELECT 1"])
            .env("POLARS_MAX_THREADS", threads);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains("POLARS_MAX_THREADS"), "{threads}: {said}");
    }
    let sql = "SELECT winner FROM best WHERE samples = 101";
    let (code, _, said) = run(place.directory.path(), &["d", sql]);
    assert_eq!((code, said.as_str()), (0, "note: no row has samples = 101: there are 100, 1000, 10000\n"));
    let (_, _, said) = run(place.directory.path(), &["d", sql, "-q"]);
    assert_eq!(said, "");
    let paradigms = ["--paradigms", "joint-embedding,reconstruction", "--format", "csv"];
    let best = "SELECT DISTINCT winner FROM best ORDER BY winner";
    let (_, csv, _) = run(place.directory.path(), &[&["d", best], &paradigms[..]].concat());
    assert_eq!(csv, "winner\njoint-embedding\nreconstruction\n");
    let (code, _, said) =
        run(place.directory.path(), &["d", best, "--paradigms", "joint-embeding,reconstruction"]);
    assert!(code == 2 && said.contains("did you mean `joint-embedding`"), "{said}");
}
