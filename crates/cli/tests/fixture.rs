//! Data sets of format 3, written before the crates were taken apart, are read, gone on with,
//! replayed and drawn: for ever.
//!
//! `tests/fixtures/format-3` has a complete one that grew once, one of which a shard is missing,
//! and one that keeps a summary in place of rows, all of its `job.toml`. They are never written
//! anew: a program that cannot do with them what is done here breaks its users'.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::fs;
use std::path::Path;

use common::Place;
use eigensweep_testkit::files::{contents, copy_tree};
use serde_json::Value;

/// The version that wrote them. Parts name theirs, and later ones may encode them otherwise: then
/// rows are compared, not bytes.
const WRITTEN_BY: &str = "0.1.0";

/// Each data set, its rows, and those of them that are done; half of these have no value.
const SETS: [(&str, u64, u64); 3] = [("complete", 144, 144), ("interrupted", 96, 48), ("summary", 96, 96)];

/// A copy of them all.
fn place() -> Place {
    let place = Place::new();
    copy_tree(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format-3"),
        place.directory.path(),
    );
    place
}

/// Runs the program, which must succeed; returns what it printed and what it told.
#[track_caller]
fn run(place: &Place, arguments: &[&str]) -> (String, String) {
    let (code, out, err) = place.run(arguments);
    assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    (out, err)
}

/// Replays all rows of a data set, each of which must have the bits that are stored; returns their
/// number.
#[track_caller]
fn replayed(place: &Place, name: &str) -> usize {
    let (out, _) = run(place, &["replay", name, "--where", "replicate >= 0", "--limit", "1000", "--json"]);
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    assert!(rows.iter().all(|row| row["same_bits"] == true), "{name}: {out}");
    rows.len()
}

#[track_caller]
fn assert_same_parts(place: &Place, one: &str, other: &str) {
    if env!("CARGO_PKG_VERSION") == WRITTEN_BY {
        assert!(contents(&place.path(one)) == contents(&place.path(other)), "{one} and {other}");
    }
}

#[test]
fn what_is_there_is_known_and_verified() {
    let place = place();
    for (name, rows, done) in SETS {
        let status: Value = serde_json::from_str(&run(&place, &["status", name, "--json"]).0).unwrap();
        assert_eq!((&status["rows"], &status["rows_done"]), (&rows.into(), &done.into()), "{name}");
        assert_eq!(status["complete"], rows == done, "{name}");
        assert_eq!(status["failed"]["not-positive-definite"], done / 2, "{name}: {status}");
        let (verified, _) = run(&place, &["verify", name]);
        assert!(verified.contains(&format!("{done} rows")), "{verified}");
    }
}

#[test]
fn rows_are_replayed_bit_for_bit() {
    let place = place();
    assert_eq!(replayed(&place, "complete"), 144);
    assert_eq!(replayed(&place, "interrupted"), 48);
}

#[test]
fn an_interrupted_one_is_resumed_to_what_a_fresh_run_writes() {
    let place = place();
    let (_, told) = run(&place, &["run", "job.toml", "--output", "interrupted"]);
    assert!(told.contains("48 of 96 rows are there already"), "{told}");
    run(&place, &["run", "job.toml", "--output", "fresh"]);
    assert_same_parts(&place, "interrupted", "fresh");
    assert_eq!(replayed(&place, "interrupted"), 96);
    // And there is nothing left to do.
    let before = contents(&place.path("interrupted"));
    run(&place, &["run", "job.toml", "--output", "interrupted"]);
    assert!(contents(&place.path("interrupted")) == before);
}

#[test]
fn a_fresh_run_writes_what_was_written() {
    let place = place();
    for replicates in ["job.replicates=4", "job.replicates=6"] {
        run(&place, &["run", "job.toml", "--set", replicates, "--output", "fresh"]);
    }
    assert_same_parts(&place, "fresh", "complete");
}

#[test]
fn a_complete_one_grows_and_keeps_its_parts() {
    let place = place();
    for (name, detail, rows) in [("complete", "rows", "144 of 384"), ("summary", "summary", "96 of 384")] {
        let before = contents(&place.path(name));
        let detail = format!("output.detail={detail}");
        let more = ["--set", "job.replicates=8", "--set", "augmentation.alignment=[0.1, 1, 10, 100]"];
        let arguments = [&["run", "job.toml", "--output", name, "--set", &detail], &more[..]].concat();
        let (_, told) = run(&place, &arguments);
        assert!(told.contains(&format!("{rows} rows are there already")), "{told}");
        let after = contents(&place.path(name));
        for (before, after) in before.iter().zip(&after) {
            assert!(
                before.iter().all(|(file, bytes)| after.get(file) == Some(bytes)),
                "{name}: what was there stays"
            );
        }
        run(&place, &["verify", name]);
    }
    assert_eq!(replayed(&place, "complete"), 384);
}

#[test]
fn they_are_drawn_and_reported() {
    let place = place();
    for (name, _, _) in SETS {
        let (figure, page) = (format!("{name}.svg"), format!("{name}.html"));
        run(&place, &["plot", name, "-o", &figure]);
        run(&place, &["report", name, "-o", &page]);
        for file in [figure, page] {
            let text = fs::read_to_string(place.path(&file)).unwrap();
            assert!(text.contains("<svg") && text.contains("reconstruction"), "{file}");
        }
    }
}
