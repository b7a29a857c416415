//! Data sets of format 3, written before the crates were taken apart, are read, gone on with,
//! replayed and drawn: for ever.
//!
//! `tests/fixtures/format-3` has a complete one that grew once, one of which a shard is missing,
//! and one that keeps a summary in place of rows, all of its `job.toml`. They are never written
//! anew: a program that cannot do with them what is done here breaks its users'.
//!
//! Half of their rows were refused, as S is singular there (no Θ, and fewer samples than inputs):
//! so they stay, and a program that solves these problems, as this one does, computes the others
//! with values.
//!
//! Their k = 2 is below k₀ = 5, and their thresholds are those of k₀: so they were written then.
//! Such a data set goes on as it began, and a fresh one has the thresholds of k.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::Place;
use eigensweep_testkit::files::{contents, copy_tree};
use serde_json::Value;

/// Each data set, its rows, and those of them that are done; half of these were refused.
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

/// Whether a row, as `replay` prints it, was refused by the program that wrote it.
fn was_refused(row: &Value) -> bool {
    row["status"]["stored"] == "not-positive-definite"
}

/// Replays all rows of a data set, each of which must have the bits that are stored, or have been
/// refused and have values now; returns their number.
#[track_caller]
fn replayed(place: &Place, name: &str) -> usize {
    let (out, _) = run(place, &["replay", name, "--where", "replicate >= 0", "--limit", "1000", "--json"]);
    let rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    for row in &rows {
        assert_eq!(row["same_bits"], !was_refused(row), "{name}: {row}");
        assert_eq!(row["status"]["alone"], "ok", "{name}: {row}");
    }
    rows.len()
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

/// All rows of a data set as `replay` prints them, without the time it took and the file.
fn rows(place: &Place, name: &str) -> Vec<Value> {
    let (out, _) = run(place, &["replay", name, "--where", "replicate >= 0", "--limit", "1000", "--json"]);
    let mut rows: Vec<Value> = serde_json::from_str(&out).unwrap();
    for row in &mut rows {
        row.as_object_mut().unwrap().retain(|key, _| key != "seconds" && key != "file");
    }
    rows
}

#[test]
fn an_interrupted_one_is_resumed_to_the_rows_of_the_program_that_began_it() {
    let place = place();
    let (_, told) = run(&place, &["run", "job.toml", "--output", "interrupted"]);
    assert!(told.contains("48 of 96 rows are there already"), "{told}");
    assert!(told.contains("thresholds are those of k = k₀"), "{told}");
    assert_eq!(replayed(&place, "interrupted"), 96);
    // Section 0 of the complete one is the same job.
    let (found, expected) = (rows(&place, "interrupted"), rows(&place, "complete"));
    let values = |row: &Value| (row["loss_clean"]["stored"].clone(), row["distance"]["stored"].clone());
    let mut new = 0;
    for (found, expected) in found.iter().zip(&expected) {
        if was_refused(expected) {
            new += usize::from(!was_refused(found));
        } else {
            assert_eq!(found, expected);
            assert_ne!(values(found), (Value::Null, Value::Null));
        }
    }
    assert_eq!(new, 24, "of the 48 rows that were missing");
    // And there is nothing left to do.
    let before = contents(&place.path("interrupted"));
    run(&place, &["run", "job.toml", "--output", "interrupted"]);
    assert!(contents(&place.path("interrupted")) == before);
}

#[test]
fn a_fresh_run_writes_what_was_written_but_for_thresholds_and_what_was_refused() {
    let place = place();
    for replicates in ["job.replicates=4", "job.replicates=6"] {
        run(&place, &["run", "job.toml", "--set", replicates, "--output", "fresh"]);
    }
    let (mut before, mut after) = (rows(&place, "complete"), rows(&place, "fresh"));
    let mut lower = 0;
    for (before, after) in before.iter_mut().zip(&mut after) {
        let [old, new] =
            [&mut *before, &mut *after].map(|row| row["threshold_squared"].take()["stored"].as_f64());
        assert_eq!(old.is_some(), new.is_some());
        assert!(
            old.zip(new).is_none_or(|(old, new)| new <= old),
            "{old:?}, {new:?}: fewer components, less is needed"
        );
        lower += usize::from(old.zip(new).is_some_and(|(old, new)| new < old));
    }
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(after["status"]["stored"], "ok");
        assert!(was_refused(before) || before == after, "{before} and {after}");
    }
    // All but joint-embedding's without Θ, which are 0.
    assert_eq!(lower, 72);
    // Neither is brought into the other.
    let (code, _, told) = place.run(&["merge", "complete", "fresh", "--into", "both"]);
    assert_eq!(code, 1, "{told}");
    assert!(!place.path("both").exists());
}

/// Where every k is k₀ thresholds are what they were, and so is every byte.
#[test]
fn a_data_set_of_all_important_components_has_no_thresholds_of_its_own_kind() {
    let place = place();
    let wide = ["run", "job.toml", "--set", "model.dimension=5", "--output", "wide"];
    let (_, told) = run(&place, &wide);
    assert!(!told.contains("k₀"), "{told}");
    let section = fs::read_to_string(place.path("wide/sections/000.json")).unwrap();
    assert!(!section.contains("thresholds"), "{section}");
    // It grows to other k, whose thresholds are their own.
    let (_, told) = run(&place, &[&wide[..], &["--set", "model.dimension=[2, 5]"]].concat());
    assert!(told.contains("96 of 192 rows are there already") && !told.contains("k₀"), "{told}");
    assert_eq!(replayed(&place, "wide"), 192);
    let section = fs::read_to_string(place.path("wide/sections/001.json")).unwrap();
    assert!(section.contains("\"thresholds\": \"dimension\""), "{section}");
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
    // Thresholds do not depend on α: those of the new values are of the same kind as the old ones'.
    let mut thresholds = BTreeMap::new();
    for row in rows(&place, "complete") {
        let place = ["replicate", "augmentation_scale", "paradigm"].map(|name| row[name].to_string());
        let known = thresholds.entry(place).or_insert_with(|| row["threshold_squared"]["stored"].clone());
        assert_eq!(*known, row["threshold_squared"]["stored"], "{row}");
    }
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
