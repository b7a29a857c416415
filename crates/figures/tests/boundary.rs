//! Figures and reports of critical alignments.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{Axes, Place, plausible};
use eigensweep_figures::kinds::{BOUNDARY, LEARNING_CURVES, PHASE, SPECTRUM, THRESHOLD, default_for};
use eigensweep_figures::{FigureSpec, Source, draw, finding, report};

/// Noise scales and sizes of the sample; rows go noise scale by noise scale, or n by n.
fn job(noise: &str, samples: &str, paradigms: &str) -> String {
    format!(
        "[job]\nname = \"traced\"\n[data]\ncomponents = 4\n[corruption]\ncomponents = 4\nspectrum = \"flat\"\nscale = \
         {noise}\n[augmentation]\nspectrum = \"flat\"\nscale = 100.0\n[model]\nparadigms = {paradigms}\n[grid]\nsamples = \
         {samples}\n[boundary]\n"
    )
}

const BOTH: &str = "[\"joint-embedding\", \"reconstruction\"]";

/// Joint-embedding at 4 throughout, reconstruction at 1, 2, 8, 16: they cross at the geometric
/// mean.
fn crossing(place: &Place) -> Source {
    let text = job("[1.0, 10.0, 100.0, 1000.0]", "100", BOTH);
    let source = place.boundary("crossing", &text, |row| {
        if row % 2 == 0 { 4.0 } else { [1.0, 2.0, 8.0, 16.0][usize::try_from(row / 2).unwrap() % 4] }
    });
    source.into()
}

fn classes(svg: &str, class: &str) -> usize {
    svg.matches(&format!("class=\"{class}\"")).count() + svg.matches(&format!("class=\"tt {class}\"")).count()
}

#[test]
fn the_default_of_critical_alignments_is_a_panel_a_paradigm_with_intervals_and_theory() {
    let place = Place::new();
    let text = job("10.0", "[100, 1000, 10000]", BOTH);
    let sources = [Source::from(place.boundary("d", &text, |row| 1.0 + row as f64))];
    assert_eq!(default_for(&sources), &BOUNDARY);
    let drawing = draw(&sources, &FigureSpec::new(&BOUNDARY)).unwrap();
    let svg = drawing.svg();
    let counts = ["panel", "curve", "point", "theory"].map(|class| classes(&svg, class));
    assert_eq!(counts, [2, 2, 6, 2]);
    assert!(svg.contains(">joint-embedding<") && svg.contains(">reconstruction<"), "no headings");
    assert_eq!(svg, draw(&sources, &FigureSpec::new(&BOUNDARY)).unwrap().svg());
    // Paradigms as colours share a panel.
    let spec = FigureSpec { color: Some("paradigm".to_owned()), ..FigureSpec::new(&BOUNDARY) };
    let svg = draw(&sources, &spec).unwrap().svg();
    assert_eq!(["panel", "curve"].map(|class| classes(&svg, class)), [1, 2]);
}

#[test]
fn another_axis_is_told_by_colour() {
    let place = Place::new();
    let text = job("[1.0, 100.0]", "[100, 1000, 10000]", BOTH);
    let sources = [Source::from(place.boundary("d", &text, |row| 1.0 + row as f64))];
    let svg = draw(&sources, &FigureSpec::new(&BOUNDARY)).unwrap().svg();
    assert_eq!(["panel", "curve"].map(|class| classes(&svg, class)), [2, 4]);
    let spec = FigureSpec {
        filter: Some("noise_scale = 1 AND paradigm = 'reconstruction'".to_owned()),
        ..FigureSpec::new(&BOUNDARY)
    };
    let svg = draw(&sources, &spec).unwrap().svg();
    assert_eq!(["panel", "curve", "point"].map(|class| classes(&svg, class)), [1, 1, 3]);
}

#[test]
fn cells_without_an_alignment_are_hollow_markers_with_a_note_and_break_the_curve() {
    let place = Place::new();
    let text = job("10.0", "[100, 1000, 10000, 100000, 1000000]", "[\"joint-embedding\"]");
    let never = |row: u64| if row == 2 { f64::NAN } else { 1.0 };
    let sources = [Source::from(place.boundary("d", &text, never))];
    let drawing = draw(&sources, &FigureSpec::new(&BOUNDARY)).unwrap();
    let svg = drawing.svg();
    assert_eq!(["curve", "point"].map(|class| classes(&svg, class)), [2, 5]);
    assert!(drawing.notes().iter().any(|note| note == "△ 1 cell recovers at no α."), "{:?}", drawing.notes());
}

#[test]
fn a_phase_diagram_names_regions_and_marks_where_the_curves_cross() {
    let place = Place::new();
    let sources = [crossing(&place)];
    let drawing = draw(&sources, &FigureSpec::new(&PHASE)).unwrap();
    let svg = drawing.svg();
    let counts = ["panel", "curve", "interval", "theory", "only"].map(|class| classes(&svg, class));
    assert_eq!(counts, [1, 2, 2, 2, 2]);
    for region in ["both", "joint-embedding only", "reconstruction only", "neither"] {
        assert!(svg.contains(&format!(">{region}<")), "{region} has no name");
    }
    // log 4 is half-way from log 2 to log 8, so the place is half-way from log 10 to log 100.
    // Theory is twice as high throughout.
    let note = drawing.notes().iter().find(|note| note.contains("cross")).unwrap();
    assert_eq!(note, "the curves cross at 31.6; theory's (n → ∞) at 31.6.");
}

#[test]
fn what_a_figure_does_not_show_is_refused_with_a_clear_sentence() {
    let place = Place::new();
    let traced = crossing(&place);
    let rows = Source::from(place.source("rows", &Axes::default(), plausible));
    for kind in [&LEARNING_CURVES, &THRESHOLD, &SPECTRUM] {
        let error = draw(std::slice::from_ref(&traced), &FigureSpec::new(kind)).unwrap_err().to_string();
        assert!(error.contains("holds critical alignments"), "{error}");
        assert!(error.contains("its figures are boundary, phase"), "{error}");
    }
    let error = draw(std::slice::from_ref(&rows), &FigureSpec::new(&BOUNDARY)).unwrap_err().to_string();
    assert!(error.contains("holds rows of replicates, which `boundary` does not show"), "{error}");
    let asked = [
        (FigureSpec { y: Some("samples".to_owned()), ..FigureSpec::new(&PHASE) }, "α upwards"),
        (
            FigureSpec { color: Some("leakage".to_owned()), ..FigureSpec::new(&PHASE) },
            "--color means nothing",
        ),
        (FigureSpec { x: Some("samples".to_owned()), ..FigureSpec::new(&PHASE) }, "several values"),
        (FigureSpec { x: Some("noise".to_owned()), ..FigureSpec::new(&BOUNDARY) }, "noise_scale"),
        (
            FigureSpec { filter: Some("alpha > 99".to_owned()), ..FigureSpec::new(&BOUNDARY) },
            "no row is left",
        ),
        (
            FigureSpec { filter: Some("paradigm = 'reconstruction'".to_owned()), ..FigureSpec::new(&PHASE) },
            "two paradigms",
        ),
    ];
    for (spec, expected) in asked {
        let error = draw(std::slice::from_ref(&traced), &spec).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let both = [traced, rows];
    for error in [
        draw(&both, &FigureSpec::new(&PHASE)).unwrap_err().to_string(),
        report::html(&both).unwrap_err().to_string(),
    ] {
        assert!(error.contains("name one of them"), "{error}");
    }
}

#[test]
fn a_report_of_critical_alignments_has_a_finding_figures_a_table_and_provenance() {
    let place = Place::new();
    let sources = [crossing(&place)];
    let page = report::html(&sources).unwrap();
    assert_eq!(page.matches("<figure>").count(), 2);
    let section = page.split("id=\"boundary\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(section.matches("<tr>").count(), 1 + 8);
    assert!(page.contains("id=\"provenance\"") && page.contains("eigensweep boundary job.toml"));
    assert!(!page.contains("id=\"verdicts\""), "there are no verdicts of replicates");
    assert_eq!(
        finding(&sources).unwrap().unwrap(),
        "α* of joint-embedding goes from 4 at max λ(Γ) = 1 to 4 at max λ(Γ) = 10³; α* of reconstruction rises from 1 at \
         max λ(Γ) = 1 to 16 at max λ(Γ) = 10³. The lower α* is joint-embedding's in 2 of 4 cells, reconstruction's in 2."
    );
}

#[test]
fn a_long_table_of_critical_alignments_is_cut_and_says_so() {
    let place = Place::new();
    let samples: Vec<String> = (1..=40).map(|at| (100 * at).to_string()).collect();
    let text = job("[1.0, 10.0, 100.0]", &format!("[{}]", samples.join(", ")), BOTH);
    let page = report::html(&[place.boundary("d", &text, |row| 1.0 + row as f64).into()]).unwrap();
    let section = page.split("id=\"boundary\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!((2..=31).contains(&section.matches("<tr>").count()), "{}", section.matches("<tr>").count());
    assert!(section.contains("SELECT * FROM boundary"), "nothing tells where the rest is");
}
