//! The page: what it holds, and that it needs nothing else.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{At, Axes, Place, Values, plausible};
use eigensweep_figures::{Source, report};

fn source(place: &Place, name: &str, axes: &Axes, values: impl Fn(At<'_>) -> Values) -> Source {
    place.source(name, axes, values).into()
}

#[test]
fn a_page_needs_nothing_else() {
    let place = Place::new();
    let axes = Axes {
        alignment: vec![0.1, 0.3, 1.0, 3.0, 10.0],
        noise_scale: vec![1.0, 10.0, 1e4],
        ..Axes::default()
    };
    let sources = [source(&place, "d", &axes, plausible)];
    let page = report::html(&sources).unwrap();
    for fetched in ["src=", "url(h", "url(\"", "@import", "<link"] {
        assert!(!page.contains(fetched), "the page fetches something: {fetched}");
    }
    assert_eq!(page.matches("<figure>").count(), 4);
    for id in page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert_eq!(page.matches(&format!(" id=\"{id}\"")).count(), 1, "`{id}` is there twice");
    }
    for part in [
        "id=\"verdicts\"",
        "id=\"best\"",
        &sources[0].dataset.identity().hash.clone(),
        "1970-01-02 00:00",
        "2505.12477",
        "replicates = 4",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    let again = report::html(&sources).unwrap();
    let other = page.lines().zip(again.lines()).find(|(one, other)| one != other);
    assert!(page == again, "the same page, other bytes: {other:?}");
}

#[test]
fn a_page_about_several_data_sets() {
    let place = Place::new();
    let other = Axes { replicates: 1, noise_scale: vec![1.0, 2.0, 3.0], ..Axes::default() };
    let sources = [source(&place, "a", &Axes::default(), plausible), source(&place, "b", &other, plausible)];
    let page = report::html(&sources).unwrap();
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
    let page = report::html(&[source(&place, "d", &axes, plausible)]).unwrap();
    assert_eq!(page.matches("<figure>").count(), 1);
    assert!(page.contains("No phase diagram: it needs 3 values of noise_scale"), "{page}");
    let unfinished = source(&place, "u", &Axes::default(), plausible);
    std::fs::remove_file(place.path("u/commits/000-000001.json")).unwrap();
    drop(unfinished);
    let source = Source::open(&place.path("u")).unwrap();
    let page = report::html(&[source]).unwrap();
    assert!(page.contains("144 of 216"), "the missing rows are not told");
}

/// The winner at the largest n, its runner-up, and the paired margin between them.
#[test]
fn the_page_tells_who_wins() {
    let place = Place::new();
    let page = report::html(&[source(&place, "d", &Axes::default(), plausible)]).unwrap();
    let best = page.split("id=\"best\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(best.matches("<tr>").count(), 1 + 2 * 3);
    // α = 0.1, weak noise: reconstruction and supervised learning recover and differ in the wobble
    // alone.
    let row = best.split("<tr>").nth(2).unwrap();
    assert!(row.contains("<td>supervised</td><td>reconstruction</td>"), "{row}");
    // (0.14 − 0.1) / 10⁴ / 1.1, in every replicate.
    assert!(row.contains(">3.636e-6<") && row.contains("data-v=\"0.000000e0\""), "{row}");
}
