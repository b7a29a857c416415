//! The page: what it holds, and that it needs nothing else.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{At, Axes, Place, Values, plausible};
use eigensweep_figures::{Source, report};

fn source(place: &Place, name: &str, axes: &Axes, values: impl Fn(At<'_>) -> Values) -> Source {
    place.source(name, axes, values).into()
}

/// Axes of which every figure can be drawn.
fn grid() -> Axes {
    Axes { alignment: vec![0.1, 0.3, 1.0, 3.0, 10.0], noise_scale: vec![1.0, 10.0, 1e4], ..Axes::default() }
}

#[test]
fn a_page_needs_nothing_else() {
    let place = Place::new();
    let sources = [source(&place, "d", &grid(), plausible)];
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

/// The winner at the largest n where one recovers, its runner-up, the paired margin between them,
/// and whose threshold is the lower one.
#[test]
fn the_page_tells_who_wins() {
    let place = Place::new();
    let page = report::html(&[source(&place, "d", &Axes::default(), plausible)]).unwrap();
    let best = page.split("id=\"best\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert_eq!(best.matches("<tr>").count(), 1 + 2 * 3);
    // α = 0.1, weak noise: reconstruction recovers, joint-embedding (threshold √0.5) does not.
    let row = |at: usize| best.split("<tr>").nth(at).unwrap();
    assert!(
        row(2).contains("<td>reconstruction</td>") && row(2).contains("<td>joint-embedding</td>"),
        "{}",
        row(2)
    );
    assert!(row(2).contains("<td>reconstruction (it is 0)</td>"), "{}", row(2));
    // Strong noise: neither does, and neither wins.
    assert!(row(5).contains("<td>neither recovers</td>"), "{}", row(5));
    assert!(row(5).contains("<td>joint-embedding (14.1)</td>"), "{}", row(5));
}

/// In words, in figures, in tables: in this order.
#[test]
fn a_page_begins_with_what_was_found() {
    let place = Place::new();
    let sources = [source(&place, "d", &grid(), plausible)];
    let page = report::html(&sources).unwrap();
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part} is missing"));
    assert!(at("id=\"finding\"") < at("id=\"figures\"") && at("id=\"figures\"") < at("id=\"best\""));
    assert!(at("id=\"best\"") < at("id=\"verdicts\"") && at("id=\"verdicts\"") < at("id=\"provenance\""));
    let found = eigensweep_figures::finding(&sources).unwrap().unwrap();
    assert!(page.contains(&found.replace(" %", "\u{a0}%").replace('\'', "&#39;")));
    // Fifteen cells: weak noise is reconstruction's up to α = 0.3, strong noise nobody's up to
    // there.
    assert!(found.starts_with("At n = 10⁴, of joint-embedding and reconstruction, "), "{found}");
    assert!(found.contains("neither recovers in 2"), "{found}");
    assert!(found.contains("of 15 cells"), "{found}");
    assert!(found.contains("The lower threshold α* is reconstruction's in 2 of 3 settings (it is 0); joint-embedding's in 1, by a factor 14.1."), "{found}");
    // Colours have twins on a dark page, and a fallback in any other.
    assert!(page.contains("--c1c1e22: #e8eaee") && page.contains("fill=\"var(--c1c1e22,#1c1e22)\""));
    assert!(!page.contains("--where"), "flags of plot are not the page's");
}

/// A long table shows a slice, and says which and where the rest is.
#[test]
fn long_tables_are_cut_and_say_so() {
    let place = Place::new();
    let axes = Axes {
        replicates: 2,
        alignment: (0..9).map(|at| 0.1 * 2.0_f64.powi(at)).collect(),
        noise_scale: (0..9).map(|at| 10.0_f64.powi(at)).collect(),
        ..Axes::default()
    };
    let page = report::html(&[source(&place, "d", &axes, plausible)]).unwrap();
    for section in ["best", "verdicts"] {
        let table =
            page.split(&format!("id=\"{section}\"")).nth(1).unwrap().split("</section>").next().unwrap();
        assert!((10..=31).contains(&table.matches("<tr>").count()), "{section}");
        assert!(table.contains("3 of 9 values of alignment"), "{section}");
    }
    let remedies = [
        "SELECT * FROM best&#39; --paradigms joint-embedding,reconstruction`",
        "SELECT * FROM summary&#39;`",
    ];
    assert!(remedies.iter().all(|remedy| page.contains(remedy)), "{page}");
}

/// By leakage no α recovers where k > k₀, while the distance may fall all the same: such cells are
/// neither "does not recover" nor "neither recovers".
#[test]
fn dimensions_beyond_the_signal_are_counted_apart() {
    let place = Place::new();
    let beyond = |at: At<'_>| {
        let values = plausible(at);
        let infinite = at.noise_scale > 100.0;
        Values {
            threshold_squared: values
                .threshold_squared
                .map(|threshold| if infinite { f64::INFINITY } else { threshold }),
            ..values
        }
    };
    for detail in ["rows", "summary"] {
        let axes = Axes { detail, ..Axes::default() };
        let sources = [source(&place, detail, &axes, beyond)];
        let found = eigensweep_figures::finding(&sources).unwrap().unwrap();
        assert!(found.contains("k > k₀ in 3") && !found.contains("recovers in"), "{found}");
        assert!(found.contains("For k > k₀ there is no threshold"), "{found}");
        let page = report::html(&sources).unwrap();
        let best = page.split("id=\"best\"").nth(1).unwrap().split("</section>").next().unwrap();
        let verdicts = page.split("id=\"verdicts\"").nth(1).unwrap().split("</section>").next().unwrap();
        assert_eq!(
            best.matches("<td>k &#62; k₀</td>").count() + best.matches("<td>k &gt; k₀</td>").count(),
            3
        );
        assert!(best.contains("Of joint-embedding and reconstruction, which learn a representation."));
        assert!(best.contains("1.96 of its standard errors"));
        assert!(!verdicts.contains("never") && verdicts.contains("k₀: no threshold</td>"), "{verdicts}");
    }
    let alone = Axes { paradigms: vec!["joint-embedding"], ..Axes::default() };
    let found = eigensweep_figures::finding(&[source(&place, "alone", &alone, beyond)]).unwrap().unwrap();
    assert!(found.starts_with("As n → ∞, joint-embedding recovers in 2 of 6 cells, k > k₀ in 3."), "{found}");
}
