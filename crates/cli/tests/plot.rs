//! `plot` and `report`: what they print, where they write, how they end; all in the one program.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::Place;

/// A place with a small data set.
fn with_rows() -> Place {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--output", "d", "--quiet"]).0, 0);
    place
}

#[test]
fn figures_and_pages_have_default_names() {
    let place = with_rows();
    assert_eq!(place.run(&["plot", "d", "--figure", "phase"]).1, "d-phase.svg\n");
    assert_eq!(place.run(&["report", "d"]).1, "d-report.html\n");
    assert_eq!(place.run(&["--quiet", "plot", "d", "-o", "f.png"]), (0, String::new(), String::new()));
    assert!(place.path("d-phase.svg").is_file() && place.path("f.png").is_file());
}

#[test]
fn what_is_wrong_has_a_code_and_a_remedy() {
    let place = with_rows();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["plot", "nowhere"], 1, "nowhere holds no data set"),
        (&["plot", "d", "--figure", "nonsense"], 2, "learning-curves"),
        (&["plot", "d", "-o", "x.pdf"], 2, ".svg or .png"),
        (&["plot", "d", "--y", "distanc"], 2, "did you mean `distance`"),
        (&["plot", "d", "--where", "alignment >"], 2, "--where"),
        (&["plot", "d", "--where", "alignmnet > 1"], 2, "did you mean `alignment`"),
        (&["plot", "d", "--figure", "spectrum", "--band", "quantiles"], 2, "--band means nothing"),
        (&["report", "d", "-o", "x.pdf"], 2, "must end in .html"),
    ];
    for (arguments, code, remedy) in cases {
        let (found, _, said) = place.run(arguments);
        assert_eq!(found, code, "{arguments:?}: {said}");
        assert!(said.contains(remedy), "{arguments:?}: {said}");
    }
}
