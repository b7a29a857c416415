//! The structure of figures: panels, curves, labels that neither overlap nor leave the sheet, and
//! rows that are hard to draw.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{At, Axes, Place, Values, plausible};
use eigensweep_figures::kinds::{KINDS, LEARNING_CURVES, PHASE, SPECTRUM, THRESHOLD};
use eigensweep_figures::{Band, Drawing, FigureError, FigureSpec, Source, Spacing, draw, report};

/// What an SVG is made of.
struct Structure {
    /// Groups by class.
    groups: Vec<String>,
    /// Texts with their boxes: left, top, right, bottom.
    texts: Vec<(String, [f64; 4])>,
    size: (f64, f64),
}

impl Structure {
    fn of(drawing: &Drawing) -> Self {
        let svg = drawing.svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "a coordinate is not a number");
        let document = roxmltree::Document::parse(&svg).unwrap();
        let root = document.root_element();
        let number = |node: &roxmltree::Node<'_, '_>, name: &str| {
            node.attribute(name).unwrap().parse::<f64>().unwrap()
        };
        let groups = root
            .descendants()
            .filter(|node| node.has_tag_name("g"))
            .filter_map(|node| node.attribute("class"));
        let texts = root.descendants().filter(|node| node.has_tag_name("text")).map(|node| {
            let content = node.text().unwrap_or_default().to_owned();
            let (x, y, size) = (number(&node, "x"), number(&node, "y"), number(&node, "font-size"));
            // A little less than DejaVu's average width, so that what overlaps here overlaps in
            // print.
            let width = content.chars().count() as f64 * size * 0.52;
            let (from, to) = match node.attribute("text-anchor") {
                Some("middle") => (-width / 2.0, width / 2.0),
                Some("end") => (-width, 0.0),
                _ => (0.0, width),
            };
            let (above, below) = (-size * 0.72, size * 0.2);
            let place = match node.attribute("transform") {
                None => [x + from, y + above, x + to, y + below],
                Some(turn) if turn.contains("rotate(90") => [x - below, y + from, x - above, y + to],
                Some(_) => [x + above, y - to, x + below, y - from],
            };
            (content, place)
        });
        Self {
            groups: groups.map(str::to_owned).collect(),
            texts: texts.collect(),
            size: (number(&root, "width"), number(&root, "height")),
        }
    }

    fn count(&self, class: &str) -> usize {
        self.groups.iter().filter(|group| group.split(' ').any(|one| one == class)).count()
    }

    fn has(&self, text: &str) -> bool {
        self.texts.iter().any(|(content, _)| content == text)
    }

    /// No text leaves the sheet or lies on another.
    fn assert_legible(&self, what: &str) {
        for (at, (content, [left, top, right, bottom])) in self.texts.iter().enumerate() {
            let (width, height) = self.size;
            let inside = *left >= -1.0 && *top >= -1.0 && *right <= width + 1.0 && *bottom <= height + 1.0;
            assert!(
                inside,
                "{what}: `{content}` leaves the sheet: {left} {top} {right} {bottom} of {width} × {height}"
            );
            for (other, box_) in &self.texts[at + 1..] {
                let apart = *right <= box_[0] || box_[2] <= *left || *bottom <= box_[1] || box_[3] <= *top;
                assert!(apart, "{what}: `{content}` lies on `{other}`");
            }
        }
    }
}

fn source(place: &Place, name: &str, axes: &Axes, values: impl Fn(At<'_>) -> Values) -> Source {
    place.source(name, axes, values).into()
}

fn curves() -> FigureSpec {
    FigureSpec::new(&LEARNING_CURVES)
}

fn drawn(sources: &[Source], spec: &FigureSpec, what: &str) -> (Drawing, Structure) {
    let drawing = draw(sources, spec).unwrap_or_else(|error| panic!("{what}: {error}"));
    let structure = Structure::of(&drawing);
    structure.assert_legible(what);
    assert!(drawing.svg() == draw(sources, spec).unwrap().svg(), "{what}: the same figure, other bytes");
    (drawing, structure)
}

#[test]
fn learning_curves_have_a_panel_per_paradigm_and_noise_scale() {
    let place = Place::new();
    let sources = [source(&place, "three", &Axes::default(), plausible)];
    let (drawing, structure) = drawn(&sources, &curves(), "defaults");
    assert_eq!((structure.count("panel"), structure.count("curve")), (6, 18));
    assert_eq!(structure.count("point"), 54);
    let mut texts: Vec<&str> = structure.texts.iter().map(|(text, _)| text.as_str()).collect();
    texts.retain(|text| !text.starts_with("10") && !text.starts_with("max λ(Θ)"));
    insta::assert_debug_snapshot!("learning_curves_texts", texts);
    assert!(drawing.notes().is_empty());
    let png = drawing.png(1.0).unwrap();
    assert_eq!(&png[..4], b"\x89PNG");
    assert!(png == drawing.png(1.0).unwrap(), "the same image, other bytes");
}

#[test]
fn any_axis_goes_anywhere() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let spec = FigureSpec {
        x: Some("alignment".to_owned()),
        y: Some("leakage".to_owned()),
        color: Some("samples".to_owned()),
        facet: vec!["noise_scale".to_owned(), "paradigm".to_owned()],
        band: Some(Band::Quantiles),
        ..curves()
    };
    let (drawing, structure) = drawn(&sources, &spec, "turned");
    // Supervised learning has no leakage: no empty panels for it, and a note.
    assert_eq!(structure.count("panel"), 4);
    assert!(drawing.notes()[0].contains("supervised"), "{:?}", drawing.notes());
    let spec = FigureSpec {
        color: Some("paradigm".to_owned()),
        filter: Some("noise_scale = 10 AND alignment = 1".to_owned()),
        ..curves()
    };
    let (_, structure) = drawn(&sources, &spec, "paradigms as colours");
    assert_eq!((structure.count("panel"), structure.count("curve")), (1, 3));
}

#[test]
fn what_has_no_place_is_refused_with_a_remedy() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let spec =
        |facet: &[&str]| FigureSpec { facet: facet.iter().map(ToString::to_string).collect(), ..curves() };
    let error = draw(&sources, &spec(&["noise_scale"])).unwrap_err();
    assert!(error.to_string().contains("no place in the figure for `paradigm` (3 values)"), "{error}");
    assert!(error.to_string().contains("--where 'paradigm = \"reconstruction\"'"), "{error}");
    // All that have no place are named at once.
    let two =
        [source(&place, "a", &Axes::default(), plausible), source(&place, "b", &Axes::default(), plausible)];
    let error = draw(&two, &spec(&["noise_scale"])).unwrap_err().to_string();
    assert!(error.contains("`dataset` (2 values) and `paradigm` (3 values)"), "{error}");
    let twice = FigureSpec { color: Some("samples".to_owned()), x: Some("samples".to_owned()), ..curves() };
    assert!(draw(&sources, &twice).unwrap_err().to_string().contains("two places"));
    let error = draw(&sources, &spec(&["paradigma"])).unwrap_err();
    assert!(
        matches!(&error, FigureError::Unknown(name) if name.nearest.as_deref() == Some("paradigm")),
        "{error}"
    );
    let error = draw(&sources, &FigureSpec { y: Some("distanz".to_owned()), ..curves() }).unwrap_err();
    assert!(
        matches!(&error, FigureError::Unknown(name) if name.nearest.as_deref() == Some("distance")),
        "{error}"
    );
    let error =
        draw(&sources, &FigureSpec { filter: Some("samples > 1e9".to_owned()), ..curves() }).unwrap_err();
    assert!(error.to_string().contains("no row is left by --where"), "{error}");
    let error =
        draw(&sources, &FigureSpec { filter: Some("sampels > 1".to_owned()), ..curves() }).unwrap_err();
    assert!(
        matches!(&error, FigureError::Unknown(name) if name.nearest.as_deref() == Some("samples")),
        "{error}"
    );
    assert!(error.is_usage());
}

#[test]
fn one_curve_and_one_point() {
    let place = Place::new();
    let axes = Axes {
        replicates: 1,
        samples: vec![500],
        noise_scale: vec![7.0],
        alignment: vec![2.0],
        paradigms: vec!["joint-embedding"],
        ..Axes::default()
    };
    let sources = [source(&place, "one", &axes, plausible)];
    let (_, structure) = drawn(&sources, &curves(), "one point");
    assert_eq!((structure.count("panel"), structure.count("curve"), structure.count("point")), (1, 1, 1));
    assert!(structure.has("samples n"));
    let (_, structure) = drawn(&sources, &FigureSpec::new(&PHASE), "a phase diagram of one cell");
    assert_eq!((structure.count("panel"), structure.count("cell")), (1, 1));
}

#[test]
fn forty_curves_get_a_colour_bar() {
    let place = Place::new();
    let alignment: Vec<f64> = (0..40).map(|at| 0.1 * 1.2_f64.powi(at)).collect();
    let axes = Axes { replicates: 2, alignment, ..Axes::default() };
    let sources = [source(&place, "forty", &axes, plausible)];
    let (_, structure) = drawn(&sources, &curves(), "forty curves");
    assert_eq!(structure.count("curve"), 6 * 40);
    assert!(structure.has("alignment α") && !structure.has("alignment α:"));
    let (_, structure) = drawn(&sources, &FigureSpec::new(&PHASE), "a phase diagram of forty rows");
    assert_eq!(structure.count("cell"), 4 * 2 * 40);
}

/// Distances of exactly 0, failed rows, and a combination without any value.
fn hard(at: At<'_>) -> Values {
    let mut values = plausible(at);
    if at.paradigm == "joint-embedding" && at.alignment > 5.0 && at.samples > 500 {
        values.distance = Some(0.0);
    }
    if at.paradigm == "reconstruction" && (at.replicate == 0 || at.samples == 1000) {
        values = Values { threshold_squared: values.threshold_squared, ..Values::default() };
    }
    values
}

#[test]
fn zeros_failures_and_gaps_are_told() {
    let place = Place::new();
    let sources = [source(&place, "hard", &Axes::default(), hard)];
    let (drawing, structure) = drawn(&sources, &curves(), "zeros");
    let notes = drawing.notes().join(" ");
    assert!(notes.contains("4 values at or below 0"), "{notes}");
    // Six combinations × (4 failures at n = 1000 + 1 at each of the two others).
    assert!(notes.contains("36 rows have no value"), "{notes}");
    // A combination without a value has no point, and its curve a gap.
    assert_eq!(structure.count("point"), 54 - 6);
    let middle = FigureSpec { filter: Some("samples = 1000".to_owned()), ..FigureSpec::new(&PHASE) };
    let (drawing, _) = drawn(&sources, &middle, "missing cells");
    assert!(
        drawing.notes().iter().any(|note| note.contains("6 cells have no value")),
        "{:?}",
        drawing.notes()
    );
    let nothing =
        |at: At<'_>| Values { threshold_squared: plausible(at).threshold_squared, ..Values::default() };
    let sources = [source(&place, "nothing", &Axes::default(), nothing)];
    for kind in [&LEARNING_CURVES, &PHASE, &THRESHOLD] {
        let error = draw(&sources, &FigureSpec::new(kind)).unwrap_err();
        assert!(matches!(error, FigureError::Figure { .. }), "{error}");
    }
}

#[test]
fn zero_on_an_axis_that_spans_decades() {
    let place = Place::new();
    let axes = Axes { alignment: vec![0.0, 0.1, 1.0, 10.0], ..Axes::default() };
    let sources = [source(&place, "zero", &axes, plausible)];
    let spec = FigureSpec {
        x: Some("alignment".to_owned()),
        facet: vec!["paradigm".to_owned(), "noise_scale".to_owned()],
        ..curves()
    };
    let (_, structure) = drawn(&sources, &spec, "α = 0 to the right");
    assert!(structure.has("0") && structure.has("0.1"));
    let (_, structure) = drawn(&sources, &FigureSpec::new(&PHASE), "α = 0 upwards");
    assert_eq!(structure.count("cell"), 4 * 2 * 4);
}

#[test]
fn phase_diagrams_show_thresholds_and_the_winner() {
    let place = Place::new();
    let axes = Axes {
        noise_scale: vec![1.0, 10.0, 100.0, 1000.0],
        alignment: vec![0.1, 0.3, 1.0, 3.0, 10.0],
        ..Axes::default()
    };
    let sources = [source(&place, "phase", &axes, plausible)];
    let (drawing, structure) = drawn(&sources, &FigureSpec::new(&PHASE), "phase");
    assert_eq!((structure.count("panel"), structure.count("cell")), (4, 4 * 20));
    // Joint-embedding's and reconstruction's own panels, and both in the winner's.
    assert_eq!((structure.count("threshold"), structure.count("crossover")), (4, 1));
    let svg = drawing.svg();
    assert!(svg.contains("n = 10⁴ (largest of 3)"), "{:?}", structure.texts);
    assert!(drawing.hints()[0].contains("--where 'samples = 100'"), "{:?}", drawing.hints());
    assert!(svg.contains("reconstruction is closer by") || svg.contains("joint-embedding is closer by"));
    let spec = FigureSpec {
        facet: vec!["samples".to_owned()],
        x: Some("alignment".to_owned()),
        y: Some("noise_scale".to_owned()),
        ..FigureSpec::new(&PHASE)
    };
    let (_, structure) = drawn(&sources, &spec, "phase, turned and by samples");
    assert_eq!(structure.count("cell"), 3 * 4 * 20);
    assert_eq!(structure.count("threshold"), 3 * 4);
}

#[test]
fn thresholds_are_measured_where_leakage_ends() {
    let place = Place::new();
    let alignment: Vec<f64> = (0..=24).map(|at| 10.0_f64.powf(f64::from(at) / 8.0 - 1.0)).collect();
    let axes = Axes { noise_scale: vec![10.0, 1e3, 1e4], alignment, ..Axes::default() };
    let sources = [source(&place, "threshold", &axes, plausible)];
    let (drawing, structure) = drawn(&sources, &FigureSpec::new(&THRESHOLD), "threshold");
    // Joint-embedding: 3 noise scales × 3 n; reconstruction: the weakest noise has no threshold
    // above 0.
    assert_eq!(structure.count("point"), 9 + 6);
    assert!(drawing.notes()[0].contains("3 combinations recover at every α"), "{:?}", drawing.notes());
    for line in drawing.svg().lines().filter(|line| line.contains("measured α*")) {
        let number = |after: &str| {
            let rest = line.split(after).nth(1).unwrap();
            rest.split([' ', '<', ',', '(']).next().unwrap().parse::<f64>().unwrap()
        };
        let (measured, theory) = (number("measured α* "), number("theory "));
        // The grid has eight values a decade.
        assert!((measured / theory).ln().abs() < 10.0_f64.ln() / 8.0, "{line}");
    }
    let few = Axes { alignment: vec![1.0], ..Axes::default() };
    let error = draw(&[source(&place, "few", &few, plausible)], &FigureSpec::new(&THRESHOLD)).unwrap_err();
    assert!(error.to_string().contains("several values of `alignment`"), "{error}");
}

#[test]
fn spectra_tell_signal_from_noise() {
    let place = Place::new();
    let sources = [source(&place, "spectrum", &Axes::default(), plausible)];
    let (drawing, structure) = drawn(&sources, &FigureSpec::new(&SPECTRUM), "spectrum");
    // Two paradigms × three alignments, 4 + 4 components each.
    assert_eq!((structure.count("panel"), structure.count("point"), structure.count("cut")), (6, 48, 6));
    assert_eq!(drawing.svg().matches("signal component, ").count(), 24);
    assert!(structure.has("signal only"));
    let two =
        [source(&place, "a", &Axes::default(), plausible), source(&place, "b", &Axes::default(), plausible)];
    assert!(matches!(draw(&two, &FigureSpec::new(&SPECTRUM)), Err(FigureError::Figure { .. })));
}

#[test]
fn spacing_is_as_asked() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let spec = FigureSpec { y_spacing: Some(Spacing::Linear), x_spacing: Some(Spacing::Linear), ..curves() };
    let (_, structure) = drawn(&sources, &spec, "linear");
    assert!(structure.has("5000") && structure.has("0.1"), "{:?}", structure.texts);
}

#[test]
fn files_are_svg_or_png() {
    let place = Place::new();
    let drawing = draw(&[source(&place, "d", &Axes::default(), plausible)], &curves()).unwrap();
    drawing.save(&place.path("f.svg"), 1.0).unwrap();
    drawing.save(&place.path("f.png"), 1.0).unwrap();
    assert_eq!(std::fs::read_to_string(place.path("f.svg")).unwrap(), drawing.svg());
    assert!(matches!(drawing.save(&place.path("f.pdf"), 1.0), Err(FigureError::Extension { .. })));
    assert!(matches!(drawing.save(&place.path("no/f.svg"), 1.0), Err(FigureError::Store(_))));
}

#[test]
fn what_means_nothing_for_a_kind_is_refused() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    for kind in KINDS {
        let new = || FigureSpec::new(kind);
        let x = || Some("samples".to_owned());
        let asked = [
            ("--x", FigureSpec { x: x(), ..new() }),
            ("--y", FigureSpec { y: x(), ..new() }),
            ("--color", FigureSpec { color: x(), ..new() }),
            ("--facet", FigureSpec { facet: vec!["samples".to_owned()], ..new() }),
            ("--band", FigureSpec { band: Some(Band::Quantiles), ..new() }),
            ("--x-scale", FigureSpec { x_spacing: Some(Spacing::Log), ..new() }),
            ("--y-scale", FigureSpec { y_spacing: Some(Spacing::Log), ..new() }),
        ];
        for (flag, spec) in asked {
            let refused = match draw(&sources, &spec) {
                Err(error) => {
                    error.is_usage() && error.to_string().contains(&format!("{flag} means nothing"))
                }
                Ok(_) => false,
            };
            assert_eq!(refused, !kind.reads.contains(&flag), "{flag} of {kind:?}");
        }
    }
}

/// An axis more than there are places for has one value, and the figure says which.
#[test]
fn surplus_axes_are_sliced_and_said() {
    let place = Place::new();
    let axes = Axes { noise_scale: vec![1.0, 10.0, 1e4], ..Axes::default() };
    let sources = [source(&place, "d", &axes, plausible)];
    let spec = FigureSpec { facet: vec!["paradigm".to_owned()], ..curves() };
    let (drawing, structure) = drawn(&sources, &spec, "sliced");
    assert_eq!(structure.count("panel"), 3);
    assert!(drawing.svg().contains("max λ(Γ) = 10 (middle of 3)"), "{:?}", structure.texts);
    assert!(drawing.hints()[0].contains("--where 'noise_scale = 1'"), "{:?}", drawing.hints());
    // Nothing that is not a fact of the figure is on it.
    assert!(!drawing.svg().contains("--where"));
}

/// More panels than fit are thinned where nobody asked for them, and refused where somebody did.
#[test]
fn many_panels_are_thinned_unless_they_are_asked_for() {
    let place = Place::new();
    let axes = Axes { noise_scale: (0..11).map(|at| 10.0_f64.powi(at)).collect(), ..Axes::default() };
    let sources = [source(&place, "d", &axes, plausible)];
    let (drawing, structure) = drawn(&sources, &curves(), "thinned");
    assert_eq!(structure.count("panel"), 4 * 3);
    let which = "4 of 11 values of noise scale are shown: 1, 10³, 10⁶, 10¹⁰.";
    assert!(drawing.notes().iter().any(|note| note == which), "{:?}", drawing.notes());
    let five = Axes { alignment: vec![0.1, 0.3, 1.0, 3.0, 10.0], ..Axes::default() };
    let (drawing, _) =
        drawn(&[source(&place, "five", &five, plausible)], &FigureSpec::new(&SPECTRUM), "five");
    let which = "4 of 5 values of alignment are shown: all but 3.";
    assert!(drawing.notes().iter().any(|note| note == which), "{:?}", drawing.notes());
    let spec = FigureSpec { facet: vec!["paradigm".to_owned(), "noise_scale".to_owned()], ..curves() };
    let error = draw(&sources, &spec).unwrap_err().to_string();
    assert!(error.contains("`noise_scale` has 11 values"), "{error}");
}

/// A curve that recovers from some α on must not be drawn as one that recovers.
#[test]
fn along_the_alignment_the_threshold_is_a_line() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let along = FigureSpec {
        x: Some("alignment".to_owned()),
        y: Some("leakage".to_owned()),
        color: Some("samples".to_owned()),
        facet: vec!["paradigm".to_owned(), "noise_scale".to_owned()],
        ..curves()
    };
    let (drawing, structure) = drawn(&sources, &along, "along α");
    // Two paradigms with a threshold × two noise scales.
    assert_eq!((structure.count("panel"), structure.count("threshold")), (4, 4));
    let svg = drawing.svg();
    assert!(
        !svg.contains("stroke-dasharray") && !svg.contains("recovers the clean model"),
        "no dashes along α"
    );
    assert!(structure.has("threshold α*; to its right the paradigm recovers"));
    // Reconstruction: α*² is 10/100 − 1 under weak noise, and 10⁴/100 − 1 = 99 under strong noise,
    // within the axis.
    assert!(drawing.notes().iter().any(|note| note.contains("at every α shown")), "{:?}", drawing.notes());
    // The line stands at √0.5 of joint-embedding: between 0.1 and 1, and no curve on its left says
    // that it recovers.
    assert!(svg.contains("at 0.1:") && svg.contains("n → ∞: does not recover"));
}

/// Along any other axis a line is cut where the verdict changes.
#[test]
fn a_curve_of_two_verdicts_is_two_pieces() {
    let place = Place::new();
    let axes = Axes { noise_scale: vec![1.0, 10.0, 1e3, 1e4], ..Axes::default() };
    let sources = [source(&place, "d", &axes, plausible)];
    let spec = FigureSpec {
        x: Some("noise_scale".to_owned()),
        filter: Some("paradigm = 'reconstruction' and alignment = 1 and samples = 10000".to_owned()),
        ..curves()
    };
    let (drawing, structure) = drawn(&sources, &spec, "two verdicts");
    assert_eq!(structure.count("curve"), 1);
    let svg = drawing.svg();
    let curve = svg.split("class=\"curve\"").nth(1).unwrap().split("class=\"tt point\"").next().unwrap();
    assert_eq!(curve.matches("fill=\"none\"").count(), 2, "{curve}");
    assert_eq!(curve.matches("stroke-dasharray").count(), 1, "{curve}");
    assert!(structure.has("recovers the clean model") && structure.has("does not"));
}

/// Of 0.20 and 0.26, where neither recovers, neither is closer.
#[test]
fn nobody_is_closer_where_neither_recovers() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let (drawing, structure) = drawn(&sources, &FigureSpec::new(&PHASE), "phase");
    let svg = drawing.svg();
    assert!(svg.contains("max λ(Γ) = 10⁴, α = 0.1: neither recovers, "), "{svg}");
    assert!(structure.has("neither recovers") && structure.has("which is closer"));
    let leakage = FigureSpec { color: Some("leakage".to_owned()), ..FigureSpec::new(&PHASE) };
    assert!(drawn(&sources, &leakage, "purer").1.has("which is purer"));
    let gap = FigureSpec { color: Some("gap".to_owned()), ..FigureSpec::new(&PHASE) };
    assert!(drawn(&sources, &gap, "wider").1.has("which is wider"));
    let loss = FigureSpec { color: Some("threshold_squared".to_owned()), ..FigureSpec::new(&PHASE) };
    let (_, structure) = drawn(&sources, &loss, "no better");
    assert!(structure.texts.iter().all(|(text, _)| !text.starts_with("which is")));
}

/// k > k₀: no α recovers.
#[test]
fn a_threshold_that_no_alignment_passes_is_drawn_and_told() {
    let place = Place::new();
    let never = |at: At<'_>| {
        let values = plausible(at);
        let threshold_squared = values.threshold_squared.map(|_| f64::INFINITY);
        Values { threshold_squared, distance: Some(0.2), ..values }
    };
    let sources =
        [source(&place, "d", &Axes { alignment: vec![0.1, 0.3, 1.0, 3.0, 10.0], ..Axes::default() }, never)];
    let (_, structure) = drawn(&sources, &curves(), "never");
    assert!(
        structure.has("k > k₀: no threshold; a noise component is always kept") && !structure.has("does not")
    );
    let along = FigureSpec { x: Some("alignment".to_owned()), ..curves() };
    let (drawing, _) = drawn(&sources, &along, "never, along α");
    assert!(drawing.notes().iter().any(|note| note.contains("at no α shown")), "{:?}", drawing.notes());
    // What is not there is not in the legend.
    let (_, structure) = drawn(&sources, &FigureSpec::new(&PHASE), "never, phase");
    assert!(structure.has("k > k₀") && structure.count("threshold") == 0);
    assert!(["neither recovers", "α* of joint-embedding"].iter().all(|text| !structure.has(text)));
    let error = draw(&sources, &FigureSpec::new(&THRESHOLD)).unwrap_err().to_string();
    assert!(error.contains("k > k₀"), "{error}");
}

/// Where the lines at thresholds stand, as shares of their panel.
fn threshold_places(drawing: &Drawing) -> Vec<f64> {
    let svg = drawing.svg();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let is = |node: &roxmltree::Node<'_, '_>, class: &str| node.attribute("class") == Some(class);
    let number = |node: &roxmltree::Node<'_, '_>, name: &str| {
        node.attribute(name).and_then(|text| text.parse::<f64>().ok())
    };
    let mut places = Vec::new();
    for panel in document.descendants().filter(|node| is(node, "panel")) {
        let frame = panel.descendants().rfind(|node| node.has_tag_name("rect")).unwrap();
        let (left, width) = (number(&frame, "x").unwrap(), number(&frame, "width").unwrap());
        let lines = panel.descendants().filter(|node| is(node, "threshold"));
        let at = lines.filter_map(|line| line.descendants().find_map(|node| number(&node, "x1")));
        places.extend(at.map(|at| (at - left) / width));
    }
    places
}

/// A threshold of 0 and one that no α passes are two lines, on two edges; and two on one edge stand
/// side by side.
#[test]
fn thresholds_beyond_the_axis_stand_on_their_own_edge() {
    let place = Place::new();
    let axes = Axes {
        samples: vec![100],
        noise_scale: vec![1.0, 2.0, 3.0, 4.0],
        paradigms: vec!["joint-embedding"],
        ..Axes::default()
    };
    let ends = |at: At<'_>| {
        let threshold = if at.noise_scale < 3.0 {
            -1.0
        } else if at.noise_scale < 4.0 {
            1.0
        } else {
            f64::INFINITY
        };
        Values { threshold_squared: Some(threshold), ..plausible(at) }
    };
    let sources = [source(&place, "d", &axes, ends)];
    let spec =
        FigureSpec { x: Some("alignment".to_owned()), color: Some("noise_scale".to_owned()), ..curves() };
    let (drawing, _) = drawn(&sources, &spec, "edges");
    let places = threshold_places(&drawing);
    let [first, second, middle, last] = places[..] else { panic!("{places:?}") };
    assert!(first < second && second < 0.02, "{places:?}");
    assert!((middle - 0.5).abs() < 0.01 && last > 0.98, "{places:?}");
    let notes = drawing.notes().join(" ");
    assert!(notes.contains("left edge: the paradigm recovers at every α shown"), "{notes}");
    assert!(notes.contains("right edge: the paradigm recovers at no α shown"), "{notes}");
}

/// Paradigms are never mixed in the points of one panel and colour.
#[test]
fn thresholds_always_tell_paradigms_apart() {
    let place = Place::new();
    let axes = Axes { noise_scale: vec![1e3, 1e4], ..Axes::default() };
    let beyond = |at: At<'_>| {
        let threshold = plausible(at).threshold_squared;
        let infinite = threshold.map(|it| if at.noise_scale > 5e3 { f64::INFINITY } else { it });
        Values { threshold_squared: infinite, ..plausible(at) }
    };
    let sources = [source(&place, "d", &axes, beyond)];
    let spec = |facet: &[&str], color: Option<&str>| FigureSpec {
        facet: facet.iter().map(ToString::to_string).collect(),
        color: color.map(str::to_owned),
        ..FigureSpec::new(&THRESHOLD)
    };
    let (drawing, structure) = drawn(&sources, &spec(&["noise_scale"], None), "one facet");
    assert_eq!(structure.count("panel"), 4);
    assert!(structure.has("joint-embedding") && structure.has("reconstruction"));
    // Panels without a point say why.
    let why = structure.texts.iter().filter(|(text, _)| text.starts_with("k > k₀: there is no")).count();
    assert_eq!(why, 2);
    assert!(drawing.notes().iter().any(|note| note.contains("no theoretical threshold, as k > k₀")));
    let (_, structure) = drawn(&sources, &spec(&["noise_scale", "samples"], None), "two facets");
    assert!(structure.has("paradigm:") && structure.has("reconstruction"));
    let error =
        draw(&sources, &spec(&["noise_scale", "alignment"], Some("samples"))).unwrap_err().to_string();
    assert!(error.contains("give `paradigm` to --facet or --color"), "{error}");
}

/// Multiples are not called eigenvalues, and share no axis with them.
#[test]
fn relative_axes_say_of_what_and_are_not_pooled() {
    let place = Place::new();
    let relative = Axes { noise_scale: vec![0.01, 0.1, 1.0], relative: true, ..Axes::default() };
    let sources =
        [source(&place, "multiples", &relative, plausible), source(&place, "b", &Axes::default(), plausible)];
    let (drawing, structure) = drawn(&sources[..1], &FigureSpec::new(&PHASE), "relative");
    assert!(structure.has("noise scale, max λ(Γ) / max λ(signal)"));
    assert!(drawing.svg().contains("max λ(Γ) / max λ(signal) = 0.1, α = 1: "), "{}", drawing.svg());
    let page = report::html(&sources[..1]).unwrap();
    assert!(page.contains("noise scale / max λ(signal)</"), "{page}");
    let error = draw(&sources, &curves()).unwrap_err().to_string();
    assert!(error.contains("in multiples and absolute values in b"), "{error}");
    let one = FigureSpec { filter: Some("dataset = 'multiples'".to_owned()), ..curves() };
    let notes = draw(&sources, &one).unwrap().notes().join(" ");
    assert!(notes.contains("`noise_scale` of multiples holds multiples"), "{notes}");
}

#[test]
fn a_figure_is_named_by_its_job_in_any_directory() {
    let place = Place::new();
    let first = draw(&[source(&place, "study", &Axes::default(), plausible)], &curves()).unwrap().svg();
    std::fs::rename(place.path("study"), place.path("elsewhere")).unwrap();
    let second = draw(&[Source::open(&place.path("elsewhere")).unwrap()], &curves()).unwrap().svg();
    assert!(first == second && second.contains(">study<"));
}

#[test]
fn two_data_sets_say_that_they_took_a_place() {
    let place = Place::new();
    let two =
        [source(&place, "a", &Axes::default(), plausible), source(&place, "b", &Axes::default(), plausible)];
    let (drawing, _) = drawn(&two, &curves(), "two");
    assert!(
        drawing.hints().iter().any(|hint| hint.contains("`dataset` has taken a place")),
        "{:?}",
        drawing.hints()
    );
    assert!(drawing.svg().contains("max λ(Γ) = 10⁴ (largest of 2)"));
}

/// Data sets that share no value of an axis keep one each, and what differs between them alone
/// takes no place.
#[test]
fn data_sets_of_different_axes_are_drawn_together() {
    let place = Place::new();
    let other = Axes { noise_scale: vec![1e3, 1e6], samples: vec![50, 500], ..Axes::default() };
    let two = [source(&place, "a", &Axes::default(), plausible), source(&place, "b", &other, plausible)];
    let (drawing, structure) = drawn(&two, &curves(), "two of different axes");
    assert_eq!((structure.count("panel"), structure.count("curve")), (6, 18));
    let subtitle = &structure.texts[1].0;
    assert!(subtitle.starts_with("max λ(Γ) = 10⁴, 10⁶ (each data set's own) · "), "{subtitle}");
    assert!(drawing.hints()[0].contains("--where 'noise_scale = 10'"), "{:?}", drawing.hints());
    let single = Axes { noise_scale: vec![7.0], ..Axes::default() };
    let three = [source(&place, "c", &single, plausible), source(&place, "d", &Axes::default(), plausible)];
    let (_, structure) = drawn(&three, &FigureSpec::new(&PHASE), "phase of two");
    assert!(structure.count("cell") > 0);
}

#[test]
fn panels_that_would_be_the_same_are_refused() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let spec = FigureSpec { facet: vec!["samples".to_owned()], ..FigureSpec::new(&SPECTRUM) };
    let error = draw(&sources, &spec).unwrap_err().to_string();
    assert!(error.contains("spectra do not depend on `samples`"), "{error}");
}

/// Replicates are those of the rows that are drawn.
#[test]
fn the_subtitle_counts_the_rows_replicates() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let spec = FigureSpec { filter: Some("replicate < 2".to_owned()), ..curves() };
    assert!(drawn(&sources, &spec, "two of four").0.svg().contains("· 2 replicates ·"));
}

/// Settings that a panel does not tell apart are said, and how coarse the grid is.
#[test]
fn thresholds_say_what_they_pool_and_how_coarse_the_grid_is() {
    let place = Place::new();
    let axes =
        Axes { noise_scale: vec![1e3, 1e4], alignment: vec![0.01, 0.1, 1.0, 10.0, 100.0], ..Axes::default() };
    let sources = [source(&place, "d", &axes, plausible)];
    let notes = drawn(&sources, &FigureSpec::new(&THRESHOLD), "coarse").0.notes().join(" ");
    assert!(notes.contains("up to a factor 10 apart"), "{notes}");
    assert!(notes.contains("A panel's points of one colour are 2 values of noise scale."), "{notes}");
}

/// The same however the lines came about: from the summary's file, or folded from the parts.
#[test]
fn without_the_summary_s_file_the_figure_is_the_same() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), hard)];
    let all =
        |sources: &[Source]| KINDS.map(|kind| draw(sources, &FigureSpec::new(kind)).map(|it| it.svg()).ok());
    let from_file = all(&sources);
    let of_rows = KINDS.into_iter().filter(|kind| kind.shows.includes(false));
    assert_eq!(from_file.iter().flatten().count(), of_rows.count());
    std::fs::remove_file(place.path("d/summary/summary.parquet")).unwrap();
    assert!(!sources[0].dataset.has_summary());
    assert!(all(&sources) == from_file);
}

/// A condition on single rows folds them anew; one on axes chooses among lines.
#[test]
fn conditions_choose_rows_or_lines() {
    let place = Place::new();
    let sources = [source(&place, "d", &Axes::default(), plausible)];
    let with = |filter: &str| {
        let spec = FigureSpec { filter: Some(filter.to_owned()), ..curves() };
        draw(&sources, &spec).unwrap_or_else(|error| panic!("{filter}: {error}")).svg()
    };
    assert!(
        with("replicate < 2").contains(", 2 replicates") && !with("replicate < 2").contains(", 4 replicates")
    );
    assert!(with("distance > 0.01 and status = 'ok'").contains("supervised"));
    assert_eq!(with("samples > 500"), with("samples > 500 and replicate >= 0"));
    let two =
        [source(&place, "a", &Axes::default(), plausible), source(&place, "b", &Axes::default(), plausible)];
    let spec = FigureSpec { filter: Some("dataset = 'b' and noise_scale = 10".to_owned()), ..curves() };
    assert!(draw(&two, &spec).is_ok());
}
