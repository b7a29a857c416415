//! Data sets that keep a summary in place of rows.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{Axes, Place, plausible};
use eigensweep_figures::kinds::{LEARNING_CURVES, PHASE, SPECTRUM};
use eigensweep_figures::{FigureSpec, Source, draw, report};

/// The same rows in both ways: kept, and summed up.
fn both(place: &Place) -> [Source; 2] {
    ["rows", "summary"]
        .map(|detail| place.source(detail, &Axes { detail, ..Axes::default() }, plausible).into())
}

/// Figures and reports of a summary are those of the rows that it sums up, where they show means,
/// counts and theory.
#[test]
fn figures_and_reports_are_made_of_summaries() {
    let place = Place::new();
    let sources = both(&place);
    let drawn = |at: usize, kind| {
        let spec = FigureSpec { title: Some(String::new()), ..FigureSpec::new(kind) };
        draw(&sources[at..=at], &spec).unwrap()
    };
    for kind in [&LEARNING_CURVES, &SPECTRUM] {
        assert_eq!(drawn(0, kind).svg(), drawn(1, kind).svg(), "{kind:?}");
    }
    // Cells are the same, margins wider: errors of paradigms that share their draws are taken as
    // independent.
    let [rows, summary] = [0, 1].map(|at| drawn(at, &PHASE));
    assert!(summary.notes().iter().any(|note| note.contains("not paired")), "{:?}", summary.notes());
    let cells = |svg: String| -> Vec<String> {
        let tips =
            svg.split("<title>").skip(1).filter_map(|rest| rest.split("</title>").next().map(str::to_owned));
        tips.filter(|tip| tip.contains("replicates")).collect()
    };
    let [rows, summary] = [rows, summary].map(|drawing| cells(drawing.svg()));
    assert_eq!(rows.len(), 3 * 2 * 3);
    assert_eq!(rows, summary);

    let [rows, summary] = [0, 1].map(|at| report::html(&sources[at..=at]).unwrap());
    assert!(rows.contains("id=\"best\"") && !rows.contains("Margins are not paired: the"));
    assert!(summary.contains("id=\"best\"") && summary.contains("Margins are not paired: the"));
    assert!(summary.contains("keeps no rows"));
    let filtered =
        FigureSpec { filter: Some("replicate < 3".to_owned()), ..FigureSpec::new(&LEARNING_CURVES) };
    let error = draw(&sources[1..], &filtered).map(drop).unwrap_err().to_string();
    assert!(error.contains("there is no column `replicate`"), "{error}");
}

/// One that keeps rows and one that does not can be drawn together: the summary is what both have.
#[test]
fn rows_and_summaries_go_into_one_figure() {
    let place = Place::new();
    let spec =
        FigureSpec { filter: Some("noise_scale = 10".to_owned()), ..FigureSpec::new(&LEARNING_CURVES) };
    let svg = draw(&both(&place), &spec).unwrap().svg();
    assert!(svg.contains(">rows<") && svg.contains(">summary<"), "a row of panels each");
}
