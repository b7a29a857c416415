//! Data sets that keep a summary in place of rows.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use eigensweep_analysis::figure::{FigureSpec, Kind, draw};
use eigensweep_analysis::{AnalysisError, Query, Source, report, source};
use eigensweep_engine::input::Input;
use eigensweep_engine::run::{self, Observer};
use eigensweep_job as job;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::shard::Shard;
use polars::prelude::*;

/// Runs a small job into `root` to its end.
fn simulate(root: &Path, detail: &str) {
    struct Deaf;
    impl Observer for Deaf {
        fn clock(&self) -> fn() -> f64 {
            || 0.0
        }
        fn computed(&mut self, _: u64, _: u64) {}
        fn committed(&mut self, _: u32, _: u64, _: u64, _: f64) {}
    }
    let text = format!(
        "[job]\nreplicates = 40\n[data]\ncomponents = 4\n[corruption]\ncomponents = 3\n[augmentation]\nalignment = [0.1, 10]\n\
         [model]\ndimension = 3\n[grid]\nsamples = [20, 200]\n[output]\ndetail = \"{detail}\"\n"
    );
    let job = job::parse("job.toml", &text, &[], Path::new("")).unwrap();
    let input = Arc::new(Input::load(&job).unwrap());
    let (mut dataset, _) = Dataset::open(root, &job.spec, &input, Shard::WHOLE, "a test").unwrap();
    run::run(&input, &mut dataset, 1, &AtomicBool::new(false), &mut Deaf).unwrap();
    let early = Source::open(root).map(|source| source.keeps_rows());
    assert!(matches!(early, Ok(true) | Err(AnalysisError::Empty { .. })), "{early:?}");
    dataset.write_summary().unwrap();
}

/// The job in both ways: with its rows, and with a summary in their place.
fn both(place: &Path) -> Vec<Source> {
    let roots = ["rows", "summary"].map(|detail| {
        simulate(&place.join(detail), detail);
        place.join(detail)
    });
    source::open_all(&roots).unwrap()
}

/// A data set without rows has its summary: the engine's, which says what the view says of the same rows.
#[test]
fn a_summary_in_place_of_rows_can_be_asked() {
    let place = tempfile::tempdir().unwrap();
    let sources = both(place.path());
    let sql = "SELECT * FROM summary ORDER BY samples, alignment, paradigm";
    let [view, table] = [0, 1].map(|at| Query::new(&sources[at..=at]).unwrap().collect(sql).unwrap());
    assert_eq!((view.height(), table.height()), (12, 12));
    for name in view.get_column_names() {
        if name.as_str() == "paradigm" {
            assert!(view.column(name).unwrap().equals(table.column(name).unwrap()));
            continue;
        }
        // Of 40 values, the 5 % quantile lies between neighbours far apart: a sketch's is one of them (the engine's tests have its error).
        if name.ends_with("_q05") || name.ends_with("_q95") {
            assert!(table.column(name).is_ok(), "{name}");
            continue;
        }
        let sketched = name.ends_with("_median");
        for row in 0..12 {
            let value =
                |frame: &DataFrame| frame.column(name).unwrap().get(row).unwrap().try_extract::<f64>().ok();
            match (value(&view), value(&table)) {
                (None, None) => {}
                (Some(view), Some(table)) if sketched => {
                    assert!(
                        (view - table).abs() <= 0.5 * view.abs().max(table.abs()),
                        "{name}: {view} and {table}"
                    );
                }
                (Some(view), Some(table)) => {
                    assert!(
                        (view - table).abs() <= 1e-10 * view.abs().max(1e-12),
                        "{name}: {view} and {table}"
                    );
                }
                found => panic!("{name}: {found:?}"),
            }
        }
    }
    assert!(table.column("distance_variance").is_ok() && table.column("failed").is_ok());
    let several = source::open_all(&[place.path().join("summary"), place.path().join("summary")]).unwrap();
    let both = Query::new(&several).unwrap().collect("SELECT dataset, rows FROM summary").unwrap();
    assert_eq!(both.height(), 24);
    let mut query = Query::new(&sources[1..]).unwrap();
    let error = query.collect("SELECT * FROM results").unwrap_err().to_string();
    assert!(error.contains("results") && error.contains("summary") && !error.contains("best"), "{error}");
    assert!(matches!(Query::new(&sources), Err(AnalysisError::Mixed { .. })));
    assert!(matches!(sources[1].scan(), Err(AnalysisError::NoRows { .. })));
}

/// Figures and reports of a summary are those of the rows that it sums up, where they show means, counts and theory.
#[test]
fn figures_and_reports_are_made_of_summaries() {
    let place = tempfile::tempdir().unwrap();
    let sources = both(place.path());
    let drawn = |at: usize, kind| {
        let spec = FigureSpec { title: Some(String::new()), ..FigureSpec::new(kind) };
        draw(&sources[at..=at], &spec).unwrap()
    };
    for kind in [Kind::LearningCurves, Kind::Spectrum] {
        assert_eq!(drawn(0, kind).svg(), drawn(1, kind).svg(), "{kind:?}");
    }
    // Cells are the same, margins wider: errors of paradigms that share their draws are taken as independent.
    let [rows, summary] = [0, 1].map(|at| drawn(at, Kind::Phase));
    assert!(summary.notes().iter().any(|note| note.contains("not paired")), "{:?}", summary.notes());
    let cells = |svg: String| -> Vec<String> {
        let tips =
            svg.split("<title>").skip(1).filter_map(|rest| rest.split("</title>").next().map(str::to_owned));
        tips.filter(|tip| tip.contains("replicates")).collect()
    };
    let [rows, summary] = [rows, summary].map(|drawing| cells(drawing.svg()));
    assert_eq!(rows.len(), 12);
    assert_eq!(rows, summary);

    let [rows, summary] = [0, 1].map(|at| report::html(&sources[at..=at]).unwrap());
    assert!(rows.contains("id=\"best\"") && !summary.contains("id=\"best\""));
    assert!(summary.contains("keeps no rows"));
    assert!(matches!(report::html(&sources), Err(AnalysisError::Mixed { .. })));
    let filtered =
        FigureSpec { filter: Some("replicate < 3".to_owned()), ..FigureSpec::new(Kind::LearningCurves) };
    let error = draw(&sources[1..], &filtered).map(drop).unwrap_err().to_string();
    assert!(error.contains("replicate"), "{error}");
}
