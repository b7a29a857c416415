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

/// A study of five axes fits on the screen, and everything that is advised works.
#[test]
fn a_grid_of_five_axes_is_shown_in_slices() {
    let place = Place::new();
    let sets = [
        "corruption.scale=[1, 10, 100, 1e3, 1e4]",
        "augmentation.scale=[1, 10, 100]",
        "augmentation.alignment=[0.1, 1, 10]",
        "model.dimension=[2, 3, 4]",
        "grid.samples=[20, 100, 1000]",
        "job.name=five",
    ];
    let mut run = vec!["run", "small.toml", "--output", "d"];
    run.extend(sets.iter().flat_map(|set| ["--set", set]));
    let (code, out, said) = place.run(&run);
    assert_eq!(code, 0, "{said}");
    assert!(out.lines().count() <= 40, "{out}");
    assert!(out.starts_with("At n = ") && out.contains(" of 135 cells"), "{out}");
    assert!(out.contains("dimension = 3 (middle of 3)") && out.contains("SELECT * FROM summary"), "{out}");
    for figure in ["learning-curves", "phase", "spectrum"] {
        let (code, _, said) = place.run(&["plot", "d", "--figure", figure, "-o", "f.svg"]);
        assert_eq!(code, 0, "{figure}: {said}");
        assert!(said.contains("--where chooses other values"), "{figure}: {said}");
    }
    assert_eq!(place.run(&["report", "d", "-o", "r.html"]).0, 0);
    let page = std::fs::read_to_string(place.path("r.html")).unwrap();
    assert!(
        page.contains("<h1>five</h1>")
            && page.contains("Learning curves.")
            && page.contains("Phase diagram.")
    );
    assert!(page.matches("<tr>").count() < 80 && !page.contains("--where") && !page.contains("--facet"));
}

/// The next commands that a run names work whatever the job measures.
#[test]
fn a_job_without_a_distance_has_figures() {
    let place = Place::new();
    let run = ["run", "small.toml", "--output", "d", "--set", "output.metrics=[\"leakage\", \"gap\"]"];
    let (code, out, _) = place.run(&run);
    assert_eq!(code, 0);
    assert!(out.contains("leakage, n = 500") && out.starts_with("At n = 500, "), "{out}");
    for command in [&["plot", "d"][..], &["plot", "d", "--figure", "phase"], &["report", "d"]] {
        let (code, _, said) = place.run(command);
        assert_eq!(code, 0, "{command:?}: {said}");
    }
    assert!(std::fs::read_to_string(place.path("d-learning-curves.svg")).unwrap().contains(">leakage<"));
}

#[test]
fn what_is_wrong_has_a_code_and_a_remedy() {
    let place = with_rows();
    std::fs::create_dir(place.path("directory.svg")).unwrap();
    let cases: [(&[&str], i32, &str); 10] = [
        // What cannot be written is known before anything is drawn.
        (&["plot", "d", "--y", "distanc", "-o", "directory.svg"], 1, "cannot write directory.svg"),
        (&["report", "d", "-o", "none/page.html"], 1, "cannot create none/page.html"),
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
