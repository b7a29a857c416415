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
