//! `solve --views` as a user calls it: moments against enumeration, and files of views that are
//! refused.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::fs;
use std::path::Path;

use common::Place;
use eigensweep_inputs::{read_matrix, write_matrix};
use eigensweep_testkit::random::Random;
use faer::{Mat, mat};
use serde_json::Value;

fn write(place: &Place, name: &str, matrix: &Mat<f64>) {
    write_matrix(&place.path(name), matrix.as_ref()).unwrap();
}

/// `solve` of `x.npy` and targets `y.npy` with views `views.toml`; exit code and both streams.
fn run(place: &Place, views: &str, rest: &[&str]) -> (i32, String, String) {
    place.write("views.toml", views.as_bytes());
    let fixed = ["solve", "--inputs", "x.npy", "--targets", "y.npy", "--views", "views.toml"];
    place.run(&fixed.iter().chain(rest).copied().collect::<Vec<_>>())
}

/// The same in JSON with k = 1, moments saved in `out`.
#[track_caller]
fn solve(place: &Place, views: &str, rest: &[&str]) -> (Value, String) {
    let fixed = ["--dimension", "1", "--json", "--write", "out"];
    let (code, stdout, stderr) = run(place, views, &fixed.iter().chain(rest).copied().collect::<Vec<_>>());
    assert_eq!(code, 0, "{stderr}");
    (serde_json::from_str(&stdout).unwrap(), stderr)
}

fn saved(place: &Place, name: &str) -> Mat<f64> {
    read_matrix(&place.path("out").join(format!("{name}.npy"))).unwrap()
}

/// Compares to 1e-12 of the largest entry.
#[track_caller]
fn near(what: &str, found: &Mat<f64>, expected: &Mat<f64>) {
    assert_eq!((found.nrows(), found.ncols()), (expected.nrows(), expected.ncols()), "{what}");
    let difference = (found - expected).norm_max();
    assert!(difference <= 1e-12 * expected.norm_max(), "{what} differs by {difference:e}");
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

fn matrix(value: &Value) -> Mat<f64> {
    let rows = value.as_array().unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    let row = |i: usize| {
        rows[i].as_array().map_or_else(|| vec![number(&rows[i])], |row| row.iter().map(number).collect())
    };
    let rows: Vec<Vec<f64>> = (0..rows.len()).map(row).collect();
    Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
}

/// JSON as an inline value of TOML.
fn toml(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{key} = {}", toml(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// 33 chains enumerated in long double by other code; nothing to compare with where the folder is
/// absent.
#[test]
fn saved_moments_are_those_of_the_specifications_enumeration() {
    // Beside the repository, or beside what holds several checkouts of it.
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut paths = above.map(|directory| directory.join("shared/reference/views.json"));
    let Some(path) = paths.find(|path| path.exists()) else { return };
    let reference: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let place = Place::new();
    let mut compared = 0;
    for case in ["cases", "elementwise"].into_iter().flat_map(|key| reference[key].as_array().unwrap()) {
        write(&place, "x.npy", &matrix(&case["X"]));
        write(&place, "y.npy", &matrix(&case["Y"]));
        let mut views = format!("shape = {}\nstages = {}\n", toml(&case["shape"]), toml(&case["stages"]));
        if let Some(corruption) = case.get("corruption") {
            views += &format!("corruption = {}\n", toml(corruption));
        }
        solve(&place, &views, &[]);
        for moment in ["mu", "C", "G", "S", "B"] {
            let what = format!("{moment} of {}", case["name"]);
            near(&what, &saved(&place, moment), &matrix(&case["expect"][moment]));
        }
        compared += 1;
    }
    assert_eq!(compared, 33);
}

/// Two pixels, moved by −1, 0 or 1 with zeros beyond the border, then each zero with probability ¼.
fn enumerate(row: [f64; 2]) -> Vec<(f64, [f64; 2])> {
    let [a, b] = row;
    let moved = [[b, 0.0], [a, b], [0.0, a]];
    let masks = [(9.0, [1.0, 1.0]), (3.0, [1.0, 0.0]), (3.0, [0.0, 1.0]), (1.0, [0.0, 0.0])];
    let views = moved
        .into_iter()
        .flat_map(|[a, b]| masks.map(|(share, [first, second])| (share / 48.0, [a * first, b * second])));
    views.collect()
}

/// The moments (μ, C, G, S, B) of rows whose targets are their numbers.
fn enumerated(rows: &[[f64; 2]]) -> [Mat<f64>; 5] {
    let n = rows.len() as f64;
    let square = || Mat::<f64>::zeros(2, 2);
    let (mut c, mut g, mut s) = (square(), square(), square());
    let (mut mu, mut b) = (Mat::<f64>::zeros(2, 1), Mat::<f64>::zeros(2, 1));
    for (at, &row) in rows.iter().enumerate() {
        let views = enumerate(row);
        let mean = [0, 1].map(|i| views.iter().map(|(share, view)| share * view[i]).sum::<f64>());
        for i in 0..2 {
            mu[(i, 0)] += mean[i] / n;
            b[(i, 0)] += mean[i] * at as f64 / n;
            for j in 0..2 {
                c[(i, j)] += row[i] * mean[j] / n;
                g[(i, j)] += mean[i] * mean[j] / n;
                s[(i, j)] += views.iter().map(|(share, view)| share * view[i] * view[j]).sum::<f64>() / n;
            }
        }
    }
    [mu, c, g, s, b]
}

const ROWS: [[f64; 2]; 3] = [[1.0, 4.0], [2.0, 0.0], [5.0, 3.0]];

const SHIFT_AND_DROPOUT: &str = r#"
[[stages]]
kind = "shift"
columns = 1
[[stages]]
kind = "dropout"
probability = 0.25
"#;

/// `x.npy` of `ROWS`, `y.npy` of their numbers.
fn place() -> Place {
    let place = Place::new();
    write(&place, "x.npy", &Mat::from_fn(3, 2, |i, j| ROWS[i][j]));
    write(&place, "y.npy", &Mat::from_fn(3, 1, |i, _| i as f64));
    place
}

#[test]
fn saved_moments_are_those_of_an_enumeration_and_are_centred_last() {
    let place = place();
    let [mu, c, g, s, b] = enumerated(&ROWS);
    let (solution, stderr) = solve(&place, SHIFT_AND_DROPOUT, &[]);
    assert_eq!(stderr, "");
    for (name, expected) in [("mu", &mu), ("C", &c), ("G", &g), ("S", &s), ("B", &b)] {
        near(name, &saved(&place, name), expected);
    }
    let views = &solution["views"];
    assert_eq!((&views["tier"], &views["features"]), (&"exact in moments".into(), &2.into()));
    assert_eq!(views["stages"][1]["name"], "dropout");
    assert_eq!((&solution["n"], &solution["d"]), (&3.into(), &2.into()));

    // Less products of the views' means, not moments of centred pixels.
    let input_mean = mat![[8.0 / 3.0], [7.0 / 3.0]];
    let (centred, _) = solve(&place, SHIFT_AND_DROPOUT, &["--center"]);
    assert_eq!(saved(&place, "mu"), Mat::<f64>::zeros(2, 1));
    near("C", &saved(&place, "C"), &(&c - &input_mean * mu.transpose()));
    near("G", &saved(&place, "G"), &(&g - &mu * mu.transpose()));
    near("S", &saved(&place, "S"), &(&s - &mu * mu.transpose()));
    near("B", &saved(&place, "B"), &(&b - &mu));
    assert_ne!(centred["joint_embedding"], solution["joint_embedding"]);

    // The floor is in the problem, not in what is saved.
    let floored = format!("floor = 0.5\n{SHIFT_AND_DROPOUT}");
    let (with_floor, _) = solve(&place, &floored, &[]);
    near("S", &saved(&place, "S"), &s);
    assert_eq!(with_floor["views"]["floor"], 0.5);
    // The largest root of |G − ω(S + f I)| = 0.
    let f = 0.25 * (s[(0, 0)] + s[(1, 1)]);
    let (p, q, r) = (s[(0, 0)] + f, s[(0, 1)], s[(1, 1)] + f);
    let det = p * r - q * q;
    let trace = (r * g[(0, 0)] - 2.0 * q * g[(0, 1)] + p * g[(1, 1)]) / det;
    let det = (g[(0, 0)] * g[(1, 1)] - g[(0, 1)] * g[(0, 1)]) / det;
    let omega = trace / 2.0 + (trace * trace / 4.0 - det).sqrt();
    close(with_floor["joint_embedding"]["eigenvalues"][0].as_f64().unwrap(), omega);
}

/// Independent noise of variance v on each input is Σ = v I, and as corruption it is in the inputs.
#[test]
fn additive_stages_are_the_covariance_and_corruption_is_in_the_inputs() {
    let place = place();
    write(&place, "sigma.npy", &mat![[0.5, 0.0], [0.0, 0.5]]);
    let additive = "{ kind = \"additive\", variance = 0.5 }";
    let (staged, _) = solve(&place, &format!("stages = [{additive}]"), &["--center"]);
    let given = ["solve", "--inputs", "x.npy", "--targets", "y.npy", "--covariance", "sigma.npy"];
    let rest = ["--dimension", "1", "--json", "--center"];
    let (_, stdout, _) = place.run(&given.iter().chain(&rest).copied().collect::<Vec<_>>());
    let given: Value = serde_json::from_str(&stdout).unwrap();
    for (paradigm, loss) in
        [("joint_embedding", "probing_loss"), ("reconstruction", "probing_loss"), ("supervised", "loss")]
    {
        for key in ["objective", loss] {
            close(staged[paradigm][key].as_f64().unwrap(), given[paradigm][key].as_f64().unwrap());
        }
    }
    // In units of the mean variance of the inputs: 26/9 of each.
    let relative = "stages = [{ kind = \"additive\", variance = { relative = 0.5 } }]";
    solve(&place, relative, &[]);
    let [x, s] = [Mat::from_fn(3, 2, |i, j| ROWS[i][j]), saved(&place, "S")];
    let second = x.transpose() * &x * (1.0 / 3.0);
    let unit = (26.0 + 26.0) / 18.0;
    near("S", &s, &(&second + Mat::<f64>::identity(2, 2) * (0.5 * unit)));
    let (corrupted, _) = solve(&place, &format!("corruption = [{additive}]\nstages = []"), &[]);
    let noisy = &second + Mat::<f64>::identity(2, 2) * 0.5;
    for name in ["C", "G", "S"] {
        near(name, &saved(&place, name), &noisy);
    }
    assert_eq!(corrupted["views"]["corruption"], "population");
}

#[test]
fn a_last_linear_stage_changes_the_size_and_losses_on_inputs_are_null() {
    let place = place();
    for (rows, matrix) in [(1, "[[1.0, 2.0]]"), (3, "[[1.0, 2.0], [0.5, 0.0], [0.0, -1.0]]")] {
        let stages = format!(
            "[{{ kind = \"dropout\", probability = 0.5 }}, {{ kind = \"linear\", matrix = {matrix} }}]"
        );
        let (solution, _) = solve(&place, &format!("stages = {stages}"), &[]);
        let [c, g, s, b] = ["C", "G", "S", "B"].map(|name| saved(&place, name));
        assert_eq!((c.nrows(), c.ncols(), g.nrows(), s.ncols(), b.nrows()), (2, rows, rows, rows, rows));
        assert_eq!((&solution["d"], &solution["views"]["features"]), (&2.into(), &rows.into()));
        let nulls =
            [("joint_embedding", "probing_loss"), ("reconstruction", "probing_loss"), ("supervised", "loss")];
        for (paradigm, loss) in nulls {
            assert!(
                solution[paradigm][loss].is_null() && solution[paradigm]["objective"].is_f64(),
                "{solution}"
            );
        }
        let [encoder, decoder] = ["E", "D"].map(|name| saved(&place, name));
        assert_eq!((encoder.ncols(), decoder.nrows()), (rows, 2));
        // The objective of what was saved: E‖x − D E v‖².
        let power = ROWS.iter().flatten().map(|x| x * x).sum::<f64>() / 3.0;
        let map = &decoder * &encoder;
        let trace = |m: Mat<f64>| (0..m.nrows()).map(|i| m[(i, i)]).sum::<f64>();
        let value = power - 2.0 * trace(&c * map.transpose()) + trace(&map * &s * map.transpose());
        close(solution["reconstruction"]["objective"].as_f64().unwrap(), value);
        let (_, stdout, _) = run(&place, &format!("stages = {stages}"), &["--dimension", "1"]);
        assert!(stdout.contains('–') && stdout.contains("dropout, linear; exact in moments"), "{stdout}");
        let above = (rows + 1).to_string();
        let (code, _, stderr) = run(&place, &format!("stages = {stages}"), &["--dimension", &above]);
        assert!(code == 2 && stderr.contains(&format!("features of a view, {rows}")), "{stderr}");
    }
}

#[test]
fn stages_without_a_closed_form_are_sampled_with_a_fixed_seed() {
    let place = Place::new();
    write(&place, "x.npy", &Random(3).normals(300, 4));
    write(&place, "y.npy", &Random(4).normals(300, 2));
    let views = "shape = [1, 2, 2]\nstages = [{ kind = \"shift\", columns = 1 }, { kind = \"clip\", low = -9, high = 9 }]";
    let (solution, _) = solve(&place, views, &[]);
    let of = &solution["views"];
    assert_eq!((&of["tier"], &of["sampled"], &of["seed"]), (&"sampled".into(), &8.into(), &0.into()));
    let first = ["S", "G"].map(|name| saved(&place, name));
    solve(&place, views, &[]);
    assert_eq!(first, ["S", "G"].map(|name| saved(&place, name)));
    // Nothing is clipped: up to chance, the closed form without the clip.
    solve(&place, "shape = [1, 2, 2]\nstages = [{ kind = \"shift\", columns = 1 }]", &[]);
    for (found, name) in first.iter().zip(["S", "G"]) {
        let exact = saved(&place, name);
        assert!((found - &exact).norm_max() < 0.2 * exact.norm_max(), "{name}");
    }
    let (_, stdout, _) = run(&place, views, &["--dimension", "1"]);
    assert!(stdout.contains("8 views of each sample, seed 0"), "{stdout}");
}

/// Matrices of stages come from files beside the file of views.
#[test]
fn stages_read_their_matrices_from_files() {
    let place = place();
    fs::create_dir(place.path("views")).unwrap();
    write(&place, "views/a.npy", &mat![[1.0, 2.0], [0.0, 1.0]]);
    place.write("views/v.toml", b"stages = [{ kind = \"linear\", matrix = \"a.npy\" }]");
    let solve =
        ["solve", "--inputs", "x.npy", "--targets", "y.npy", "--views", "views/v.toml", "--dimension"];
    let (code, _, stderr) = place.run(&[&solve[..], &["1", "--write", "out"]].concat());
    assert_eq!(code, 0, "{stderr}");
    near("mu", &saved(&place, "mu"), &mat![[22.0 / 3.0], [7.0 / 3.0]]);
    fs::remove_file(place.path("views/a.npy")).unwrap();
    let (code, _, stderr) = place.run(&[&solve[..], &["1"]].concat());
    assert!(code == 1 && stderr.contains("a.npy"), "{stderr}");
}

/// Dead pixels: zero in the views, or constant and then centred; no model is made of rounding.
#[test]
fn what_views_leave_constant_lowers_the_rank() {
    let place = Place::new();
    let mut x = Random(7).normals(50, 4);
    for i in 0..50 {
        x[(i, 1)] = 0.1;
        x[(i, 3)] = 0.0;
    }
    write(&place, "x.npy", &x);
    write(&place, "y.npy", &Random(8).normals(50, 1));
    let views =
        "stages = [{ kind = \"contrast\", low = 1, high = 1 }, { kind = \"scale\", factors = [1.0] }]";
    let (_, stderr) = solve(&place, "stages = [{ kind = \"dropout\", probability = 0.5 }]", &[]);
    assert!(
        stderr.contains("S of these views has rank 3 of 4: feature 3 (from 0) is zero in all views"),
        "{stderr}"
    );
    assert!(stderr.contains("input 1 (from 0) is the same in all samples; nothing is centred"), "{stderr}");
    let (solution, stderr) = solve(&place, views, &["--center"]);
    assert_eq!(solution["rank"], 2, "{stderr}");
    assert!(stderr.contains("features 1 and 3 (from 0) are zero in all views"), "{stderr}");
    assert!(!stderr.contains("the same in all samples"), "{stderr}");
}

#[test]
fn files_of_views_that_do_not_fit_are_refused_at_the_place_and_nothing_is_written() {
    let place = Place::new();
    write(&place, "x.npy", &Random(1).normals(20, 12));
    write(&place, "y.npy", &Random(2).normals(20, 1));
    let shaped = |stages: &str| format!("shape = [1, 3, 4]\nstages = [\n  {stages}\n]\n");
    let cases = [
        ("shape = [1, 3, 5]\nstages = []".to_owned(), "1:9", "the inputs have 12 columns"),
        (shaped("{ kind = \"patches\", size = [4, 4], masked = 1 }"), "3:", "patch"),
        (shaped("{ kind = \"patches\", size = [1, 1], masked = 40 }"), "3:", "masked"),
        (shaped("{ kind = \"crop\", sizes = [[9, 9]] }"), "3:", "sizes"),
        (shaped("{ kind = \"pixelate\", cells = [7, 9] }"), "3:", "cells"),
        (shaped("{ kind = \"blur\", widths = [-1.0] }"), "3:", "widths"),
        (shaped("{ kind = \"rotate\", degrees = [1, 2], weights = [1] }"), "3:", "1 weights for 2"),
        (shaped("{ kind = \"swirl\" }"), "3:", "swirl"),
        (shaped("{ kind = \"thinning\", keep = 0.5 }"), "3:", "it can be drawn at counts only"),
        (shaped("{ kind = \"dropout\", probability = [0.1, 0.2] }"), "3:", "probability"),
        (shaped("{ kind = \"additive\", variance = [1.0, 2.0] }"), "3:", "2 values for 12 features"),
        (shaped("{ kind = \"linear\", matrix = [[1.0, 2.0]] }"), "3:", "samples have 12 features"),
        ("stage = []".to_owned(), "1:1", "no key `stage`"),
        ("stages = [".to_owned(), "1:", ""),
        ("floor = -1\nstages = []".to_owned(), "1:9", "floor"),
        (
            "stages = []\ncorruption = [{ kind = \"clip\", low = 0, high = 1 }]".to_owned(),
            "2:",
            "no closed form",
        ),
        (
            "stages = [{ kind = \"clip\", low = 0, high = 1 }]\ncorruption = [{ kind = \"additive\", variance = 1 }]"
                .to_owned(),
            "1:",
            "must see corrupted samples",
        ),
        (
            format!("stages = []\ncorruption = [{{ kind = \"linear\", matrix = [[{}1.0]] }}]", "1.0, ".repeat(11)),
            "2:",
            "leaves the number of features",
        ),
        (
            "stages = []\ncorruption = [{ kind = \"poisson\", exposure = 1 }]".to_owned(),
            "2:",
            "it can be drawn at values from 0 only",
        ),
    ];
    for (views, at, words) in cases {
        let (code, stdout, stderr) = run(&place, &views, &["--dimension", "1", "--write", "out"]);
        assert_eq!((code, stdout.as_str()), (2, ""), "{views}\n{stderr}");
        assert!(stderr.contains(&format!("views.toml:{at}")), "no {at} in {stderr}");
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
        assert!(stderr.contains("in the file of views; nothing was written"), "{stderr}");
        assert!(!place.path("out").exists(), "{views}");
    }
    let absent = ["solve", "--inputs", "x.npy", "--targets", "y.npy", "--dimension", "1", "--views"];
    let (code, _, stderr) = place.run(&[&absent[..], &["none.toml"]].concat());
    assert!(code == 2 && stderr.contains("cannot read the file of views none.toml"), "{stderr}");
    for other in ["--covariance", "--mean-views"] {
        let (code, _, stderr) = run(&place, "stages = []", &["--dimension", "1", other, "x.npy"]);
        assert!(code == 2 && stderr.contains("cannot be used with"), "{stderr}");
    }
}
