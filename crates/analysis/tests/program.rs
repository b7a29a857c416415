//! The program: what it prints, where it writes, how it ends; and the page that it makes.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::path::Path;

use assert_cmd::Command;
use common::{Axes, Place, plausible};

fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eigensweep-analysis"));
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
    let (code, table, _) = run(&["query", "d", sql]);
    assert_eq!(code, 0);
    assert!(table.contains("joint-embedding    72") || table.contains("│ joint-embedding   72 │"), "{table}");
    let (_, json, _) = run(&["query", "d", sql, "--format", "json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()[0]["n"], 72);
    let (code, printed, _) = run(&["query", "d", sql, "-o", "o.csv"]);
    assert_eq!((code, printed.as_str()), (0, ""));
    assert!(std::fs::read_to_string(place.path("o.csv")).unwrap().starts_with("paradigm,n\n"));
    let (_, plan, _) = run(&["query", "d", sql, "--explain"]);
    assert!(plan.contains("Parquet SCAN"), "{plan}");
}

#[test]
fn what_is_wrong_has_a_code_and_a_remedy() {
    let place = Place::new();
    place.source("d", &Axes::default(), plausible);
    let cases: [(&[&str], i32, &str); 8] = [
        (&["query", "d", "SELECT distanc FROM results"], 2, "did you mean `distance`"),
        (&["query", "d", "SELECT 1", "-o", "x.xyz"], 2, "must end in .csv"),
        (&["query", "d", "SELECT * FROM results", "--format", "parquet"], 2, "-o FILE.parquet"),
        (&["query", "d", "d"], 2, "the last argument is SQL"),
        (&["query", "nowhere", "SELECT 1"], 1, "nowhere is not a data set"),
        (&["plot", "d", "--figure", "nonsense"], 2, "learning-curves"),
        (&["plot", "d", "-o", "x.pdf"], 2, ".svg or .png"),
        (&["--called-by", "0.0.0-other", "plot", "d"], 1, "cargo build --release --workspace"),
    ];
    for (arguments, code, remedy) in cases {
        let (found, _, said) = run(place.directory.path(), arguments);
        assert_eq!(found, code, "{arguments:?}: {said}");
        assert!(said.contains(remedy), "{arguments:?}: {said}");
    }
}

#[test]
fn figures_and_pages_have_default_names() {
    let place = Place::new();
    place.source("d", &Axes::default(), plausible);
    let run = |arguments: &[&str]| run(place.directory.path(), arguments);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(run(&["--called-by", version, "plot", "d", "--figure", "phase"]).1, "d-phase.svg\n");
    assert_eq!(run(&["report", "d"]).1, "d-report.html\n");
    assert_eq!(run(&["--quiet", "plot", "d", "-o", "f.png"]), (0, String::new(), String::new()));
    assert!(place.path("d-phase.svg").is_file() && place.path("f.png").is_file());
}

#[test]
fn a_page_needs_nothing_else() {
    let place = Place::new();
    let axes = Axes {
        alignment: vec![0.1, 0.3, 1.0, 3.0, 10.0],
        noise_scale: vec![1.0, 10.0, 1e4],
        ..Axes::default()
    };
    let sources = [place.source("d", &axes, plausible)];
    let page = eigensweep_analysis::report::html(&sources).unwrap();
    for fetched in ["src=", "url(h", "url(\"", "@import", "<link"] {
        assert!(!page.contains(fetched), "the page fetches something: {fetched}");
    }
    assert_eq!(page.matches("<figure>").count(), 4);
    for id in page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "`{id}` is there twice");
    }
    for part in ["id=\"verdicts\"", "id=\"best\"", "a1b2", "1970-01-02 00:00", "2505.12477", "replicates = 4"]
    {
        assert!(page.contains(part), "{part} is missing");
    }
    let again = eigensweep_analysis::report::html(&sources).unwrap();
    let other = page.lines().zip(again.lines()).find(|(one, other)| one != other);
    assert!(page == again, "the same page, other bytes: {other:?}");
}

#[test]
fn a_page_about_several_data_sets() {
    let place = Place::new();
    let other = Axes { replicates: 1, noise_scale: vec![1.0, 2.0, 3.0], ..Axes::default() };
    let sources = [place.source("a", &Axes::default(), plausible), place.source("b", &other, plausible)];
    let page = eigensweep_analysis::report::html(&sources).unwrap();
    for part in [
        "<h1>a, b</h1>",
        "2 data sets",
        "<h3>a</h3>",
        "<h3>b</h3>",
        "No spectrum: a spectrum is of one data set",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
}

#[test]
fn a_page_of_little_says_what_is_missing() {
    let place = Place::new();
    let axes = Axes {
        alignment: vec![1.0],
        noise_scale: vec![10.0],
        paradigms: vec!["supervised"],
        ..Axes::default()
    };
    let page = eigensweep_analysis::report::html(&[place.source("d", &axes, plausible)]).unwrap();
    assert_eq!(page.matches("<figure>").count(), 1);
    assert!(page.contains("No phase diagram: it needs 3 values of noise_scale"), "{page}");
    let unfinished = place.source("u", &Axes::default(), plausible);
    std::fs::remove_file(unfinished.root.join("commits/000001.json")).unwrap();
    let source = eigensweep_analysis::Source::open(&unfinished.root).unwrap();
    let page = eigensweep_analysis::report::html(&[source]).unwrap();
    assert!(page.contains("108 of 216"), "the missing rows are not told");
}
