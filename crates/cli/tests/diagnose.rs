//! `diagnose` as a user calls it: the answer in three forms, files of every kind, and what goes on
//! from it.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::fmt::Write as _;
use std::fs;

use common::Place;
use eigensweep_inputs::{read_matrix, write_matrix};
use eigensweep_testkit::arrays::zip;
use eigensweep_testkit::idx::idx;
use eigensweep_testkit::random::Random;
use faer::{Mat, MatRef};
use serde_json::Value;

const FEATURES: usize = 8;

/// Two directions of signal (variances 9 and 4), strong noise in two others, weak noise everywhere:
/// two measurements of each thing, and a class of each.
fn measured(things: usize) -> ([Mat<f64>; 2], Vec<usize>) {
    let mut random = Random(7);
    let signal = random.normals(things, 2);
    let mut rows = || {
        Mat::from_fn(things, FEATURES, |i, j| {
            let strong = if (2..4).contains(&j) { 5.0 } else { 0.3 };
            let own = if j < 2 { signal[(i, j)] * (3 - j) as f64 } else { 0.0 };
            own + strong * random.normal()
        })
    };
    let pair = [rows(), rows()];
    (pair, (0..things).map(|i| usize::from(signal[(i, 0)] > 0.0)).collect())
}

fn place(things: usize) -> Place {
    let place = Place::new();
    let ([first, second], classes) = measured(things);
    write(&place, "first.npy", first.as_ref());
    write(&place, "second.npy", second.as_ref());
    write(&place, "classes.npy", Mat::from_fn(things, 1, |i, _| classes[i] as f64).as_ref());
    place.write("isotropic.toml", b"[[stages]]\nkind = \"additive\"\nvariance = 0.5\n");
    place.write("table.csv", table([&first, &second], &classes).as_bytes());
    place
}

fn write(place: &Place, name: &str, matrix: MatRef<'_, f64>) {
    write_matrix(&place.path(name), matrix).unwrap();
}

/// Both measurements below one another, with the thing and its class in words.
fn table(rows: [&Mat<f64>; 2], classes: &[usize]) -> String {
    let mut text: String = (0..FEATURES).map(|j| format!("x{j},")).collect();
    text.push_str("thing,class\n");
    for i in 0..classes.len() {
        for rows in rows {
            (0..FEATURES).for_each(|j| write!(text, "{:?},", rows[(i, j)]).unwrap());
            writeln!(text, "t{i},{}", ["low", "high"][classes[i]]).unwrap();
        }
    }
    text
}

const REPEATS: [&str; 5] = ["diagnose", "--inputs", "first.npy", "--repeats", "second.npy"];

/// What `--json` says.
#[track_caller]
fn json(place: &Place, arguments: &[&str]) -> Value {
    let all: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let (code, stdout, stderr) = place.run(&all);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn joint_embedding_is_recommended_where_noise_is_strong_and_the_views_have_it() {
    let place = place(300);
    let found = json(&place, &REPEATS);
    assert_eq!(found["answer"], "joint-embedding", "{found}");
    assert_eq!((&found["dimension"], &found["pairs"]), (&2.into(), &300.into()));
    assert_eq!(found["alignment_used"], 1.0);
    for quantity in ["kept", "leakage"] {
        for of in ["joint-embedding", "reconstruction", "difference"] {
            let of = &found[quantity][of];
            assert!(number(&of["low"]) <= number(&of["value"]), "{quantity} {of}");
            assert!(number(&of["value"]) <= number(&of["high"]), "{quantity} {of}");
        }
        let [je, rc, difference] = ["joint-embedding", "reconstruction", "difference"]
            .map(|of| number(&found[quantity][of]["value"]));
        assert!((je - rc - difference).abs() < 1e-12, "{quantity}");
    }
    assert!(number(&found["kept"]["joint-embedding"]["value"]) > 0.8);
    assert!(number(&found["leakage"]["reconstruction"]["value"]) > 0.3);
    for paradigm in ["joint-embedding", "reconstruction"] {
        assert!(number(&found["alignment"][paradigm]) >= 0.0);
    }
    assert!(found["warnings"].is_array());
    // With views that leave every direction alike there is nothing to choose.
    let isotropic = [&REPEATS[..], &["--views", "isotropic.toml", "--dimension", "2"]].concat();
    let found = json(&place, &isotropic);
    assert_eq!((&found["answer"], &found["alignment_used"]), (&"identical".into(), &0.0.into()));
    // The curve and the strip say so, too.
    assert_eq!(found["by_alignment"][0]["answer"], "identical");
    assert_ne!(found["by_alignment"][5]["answer"], "identical");
    assert!(found["by_dimension"].as_array().unwrap().iter().all(|at| at["answer"] == "identical"));
}

#[test]
fn a_table_with_ids_says_what_two_files_say() {
    let place = place(200);
    let two = json(&place, &[&REPEATS[..], &["--labels", "classes.npy"]].concat());
    let one = json(&place, &["diagnose", "--inputs", "table.csv", "--pairs", "thing", "--labels", "class"]);
    for quantity in ["kept", "leakage"] {
        for of in ["joint-embedding", "reconstruction", "difference"] {
            let [two, one] = [&two, &one].map(|found| number(&found[quantity][of]["value"]));
            assert!((two - one).abs() < 1e-9, "{quantity} {of}: {two} and {one}");
        }
    }
    assert_eq!(two["answer"], one["answer"]);
    assert!(number(&two["probe"]["accuracy"]["joint-embedding"]["value"]) > 0.9);
    // Ids and labels in files of their own, and columns by pattern.
    let apart = ["--pairs", "table.csv:thing", "--labels", "table.csv:class", "--columns", "x*"];
    let apart = json(&place, &[&["diagnose", "--inputs", "table.csv"][..], &apart].concat());
    assert_eq!(apart, one);
}

#[test]
fn the_number_of_threads_changes_no_number() {
    let place = place(120);
    let of = |threads| json(&place, &[&REPEATS[..], &["--threads", threads]].concat());
    assert_eq!(of("1"), of("3"));
}

#[test]
fn batches_need_a_dimension_and_sixteen_of_them_for_an_interval() {
    let place = Place::new();
    let mut random = Random(3);
    let (batches, each) = (20, 12);
    let offsets = random.normals(batches, 2);
    let rows = Mat::from_fn(batches * each, 5, |i, j| match j {
        0 => 3.0 * random.normal(),
        1 | 2 => 4.0 * offsets[(i / each, j - 1)] + 0.3 * random.normal(),
        _ => 0.5 * random.normal(),
    });
    write(&place, "rows.npy", rows.as_ref());
    let batch = |of: usize| Mat::from_fn(batches * each, 1, |i, _| (i / each % of) as f64);
    write(&place, "batch.npy", batch(batches).as_ref());
    write(&place, "few.npy", batch(5).as_ref());
    let nuisance = ["diagnose", "--inputs", "rows.npy", "--nuisance", "batch.npy"];
    let (code, _, stderr) = place.run(&nuisance);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--dimension K"), "{stderr}");
    let found = json(&place, &[&nuisance[..], &["--dimension", "1"]].concat());
    assert_eq!((&found["items"], &found["pairs"]), (&"batches".into(), &20.into()));
    assert!(found["kept"]["difference"]["low"].is_number());
    let few =
        json(&place, &["diagnose", "--inputs", "rows.npy", "--nuisance", "few.npy", "--dimension", "1"]);
    assert_eq!(few["answer"], "not-enough-data");
    assert!(few["kept"]["difference"]["low"].is_null(), "{few}");
}

#[test]
fn a_corruption_is_drawn_twice_for_each_row_and_stands_in_for_repeats() {
    let place = place(150);
    let corruption = "[[corruption]]\nkind = \"additive\"\nvariance = 4.0\n";
    let views = "[[stages]]\nkind = \"dropout\"\nprobability = 0.3\n";
    place.write("corrupted.toml", format!("{views}{corruption}").as_bytes());
    let arguments = ["diagnose", "--inputs", "first.npy", "--views", "corrupted.toml", "--dimension", "2"];
    let found = json(&place, &arguments);
    assert_eq!(found["pairs"], 150);
    assert!(number(&found["leakage"]["joint-embedding"]["value"]) > 0.0);
    assert_eq!(found, json(&place, &arguments));
    for (rest, said) in [
        (&["--repeats", "second.npy", "--views", "corrupted.toml"][..], "in place of repeats"),
        (&["--views", "isotropic.toml"], "nothing tells signal from noise"),
        (&[], "nothing tells signal from noise"),
    ] {
        let (code, _, stderr) = place.run(&[&["diagnose", "--inputs", "first.npy"], rest].concat());
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    place.write("fixed.toml", b"stages = []\n[[corruption]]\nkind = \"blur\"\nwidths = [1.0]\n");
    let (code, _, stderr) = place.run(&["diagnose", "--inputs", "first.npy", "--views", "fixed.toml"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("problem in the file of views"), "{stderr}");
}

#[test]
fn views_that_must_be_drawn_answer_at_any_alignment_and_those_of_counts_at_none_but_zero() {
    let place = place(120);
    let clip =
        "[[stages]]\nkind = \"additive\"\nvariance = 0.5\n[[stages]]\nkind = \"clip\"\nlow = -4\nhigh = 4\n";
    place.write("clip.toml", clip.as_bytes());
    let arguments = [&REPEATS[..], &["--views", "clip.toml", "--dimension", "2"]].concat();
    let found = json(&place, &arguments);
    assert_eq!(found["by_alignment"].as_array().unwrap().len(), 10);
    // α = 0 of a fold is all rows less those held out, above it drawn anew: a small α is no jump.
    let kept = |alignment: &str| {
        let found = json(&place, &[&arguments[..], &["--alignment", alignment]].concat());
        number(&found["kept"]["joint-embedding"]["value"])
    };
    assert!((kept("0") - kept("1e-6")).abs() < 0.02, "{} and {}", kept("0"), kept("1e-6"));

    let mut random = Random(5);
    let mut counts = || Mat::from_fn(120, 4, |i, j| ((i * (j + 1)) % 9 + random.below(3)) as f64);
    write(&place, "c1.npy", counts().as_ref());
    write(&place, "c2.npy", counts().as_ref());
    place.write("thin.toml", b"[[stages]]\nkind = \"thinning\"\nkeep = 0.5\n");
    let thinned =
        ["diagnose", "--inputs", "c1.npy", "--repeats", "c2.npy", "--views", "thin.toml", "--dimension", "2"];
    let found = json(&place, &thinned);
    assert!(found["alignment"]["joint-embedding"].is_null(), "{found}");
    let (code, _, stderr) = place.run(&[&thinned[..], &["--alignment", "1"]].concat());
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("counts"), "{stderr}");
}

#[test]
fn bad_arguments_and_files_that_do_not_fit_are_named_with_a_remedy() {
    let place = place(100);
    write(&place, "short.npy", Mat::<f64>::zeros(99, FEATURES).as_ref());
    write(&place, "narrow.npy", Mat::<f64>::zeros(100, 3).as_ref());
    let mut first = read_matrix(&place.path("first.npy")).unwrap();
    first[(4, 2)] = f64::NAN;
    write(&place, "nan.npy", first.as_ref());
    place.write("pixels.idx", &idx(&[100, 2, 4], &[1; 800]));
    let array = |name: &str| fs::read(place.path(name)).unwrap();
    let arrays = zip(&[("p.npy", array("first.npy")), ("q.npy", array("second.npy"))], false);
    place.write("arrays.npz", &arrays);
    let help = place.run(&["diagnose", "--help"]).1;
    fs::create_dir(place.path("directory.html")).unwrap();
    let cases: [(&[&str], i32, &[&str]); 25] = [
        (&["--repeats", "second.npy", "--pairs", "classes.npy"], 2, &["cannot be used with"]),
        (&["--repeats", "short.npy"], 1, &["short.npy: it has 99 rows, and first.npy has 100"]),
        (&["--repeats", "narrow.npy"], 1, &["narrow.npy: it has 3 columns"]),
        (&["--repeats", "nan.npy"], 1, &["nan.npy"]),
        (&["--repeats", "missing.npy"], 1, &["missing.npy"]),
        (&["--repeats", "second.npy", "--labels", "table.csv:class"], 1, &["table.csv: it has 200 rows"]),
        (&["--repeats", "second.npy", "--labels", "table.csv:clas"], 1, &["table.csv", "clas", "class"]),
        (&["--repeats", "second.npy", "--dimension", "0"], 2, &["dimension is 0", "--dimension K"]),
        (&["--repeats", "second.npy", "--dimension", "9"], 2, &["from 1 to 8"]),
        (&["--repeats", "second.npy", "--components", "9"], 2, &["components is 9", "--components P"]),
        (&["--repeats", "second.npy", "--alignment", "-1"], 2, &["alignment -1", "--alignment A"]),
        (&["--repeats", "second.npy", "--output", "page.txt"], 2, &["page.txt", ".html"]),
        // What cannot be written is known before anything is read.
        (&["--repeats", "missing.npy", "--output", "none/page.html"], 1, &["create none/page.html"]),
        (&["--repeats", "missing.npy", "--output", "directory.html"], 1, &["write directory.html: Is a"]),
        (&["--repeats", "missing.npy", "--output", "nan.npy/p.html"], 1, &["create nan.npy/p.html"]),
        (&["--repeats", "missing.npy", "--write", "nan.npy"], 1, &["cannot create nan.npy"]),
        (&[], 2, &["nothing tells signal from noise: give --repeats, --pairs, --nuisance"]),
        (&["--repeats", "second.npy", "--columns", "x0"], 1, &["leave out `--columns`"]),
        (&["--repeats", "arrays.npz"], 1, &["p [100, 8]", "a file of its own"]),
        (&["--pairs", "table.csv"], 1, &["table.csv", "FILE:COLUMN"]),
        (&["--pairs", "id"], 1, &["first.npy: its columns have no names that `id`", "or FILE:COLUMN"]),
        (&["--nuisance", "id"], 1, &["first.npy: its columns have no names that `id`"]),
        (&["--repeats", "second.npy", "--labels", "y"], 1, &["first.npy: its columns have no names"]),
        (&["--repeats", "table.csv"], 1, &["`--columns '!thing'`", "`--labels 'thing'`"]),
        (&["--repeats", "second.npy", "--labels", "pixels.idx"], 1, &["give it as `--inputs`"]),
    ];
    for (rest, code, said) in cases {
        let (found, stdout, stderr) = place.run(&[&["diagnose", "--inputs", "first.npy"][..], rest].concat());
        assert_eq!(found, code, "{rest:?}: {stderr}");
        // A flag that is named is one of the command's.
        for flag in stderr.split(|letter: char| !(letter == '-' || letter.is_ascii_alphanumeric())) {
            assert!(!flag.starts_with("--") || help.contains(flag), "{rest:?}: {flag} in {stderr}");
        }
        assert!(!stderr.contains("` = ") && !stderr.contains(" = ["), "{rest:?}: {stderr}");
        assert!(said.iter().all(|said| stderr.contains(said)), "{rest:?}: {stderr}");
        assert_eq!(stdout, "");
    }
    let few = [&REPEATS[..], &["--components", "4"]].concat();
    assert_eq!(json(&place, &few)["features"], 4);
    // More features than pairs: k cannot be found, and the remedy is named.
    let wide = |seed| Random(seed).normals(60, 70);
    write(&place, "wide1.npy", wide(1).as_ref());
    write(&place, "wide2.npy", wide(2).as_ref());
    let (code, _, stderr) = place.run(&["diagnose", "--inputs", "wide1.npy", "--repeats", "wide2.npy"]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("--components P"), "{stderr}");
}

#[test]
fn columns_of_repeats_that_are_no_inputs_are_refused_by_name_unless_the_choice_leaves_them_out() {
    let place = Place::new();
    let ([first, second], classes) = measured(60);
    let table = |rows: &Mat<f64>, names: [&str; 3]| {
        let mut text = format!(",x1,x0,{}\n", names.join(","));
        for i in 0..60 {
            let class = ["low", "high"][classes[i]];
            writeln!(text, "{i},{:?},{:?},{class},{i},{}", rows[(i, 1)], rows[(i, 0)], 2 * i).unwrap();
        }
        text
    };
    let inputs = format!(
        "x0,x1,class\n{}",
        (0..60).fold(String::new(), |text, i| {
            format!("{text}{:?},{:?},{}\n", first[(i, 0)], first[(i, 1)], ["low", "high"][classes[i]])
        })
    );
    place.write("first.csv", inputs.as_bytes());
    place.write("second.csv", table(&second, ["class", "when", "who"]).as_bytes());
    let fixed = ["diagnose", "--inputs", "first.csv", "--repeats", "second.csv", "--labels", "class"];
    let fixed = [&fixed[..], &["--dimension", "1"]].concat();
    let (code, _, stderr) = place.run(&fixed);
    assert_eq!(code, 1, "{stderr}");
    // Neither the labels' nor what numbers the rows.
    let said = "second.csv: beside the columns of first.csv it has `when`, `who`; leave these out, or name \
                the inputs by `--columns`";
    assert!(stderr.contains(said), "{stderr}");
    let found = json(&place, &[&fixed[..], &["--columns", "x*"]].concat());
    write(&place, "first.npy", first.as_ref().subcols(0, 2));
    write(&place, "second.npy", second.as_ref().subcols(0, 2));
    write(&place, "classes.npy", Mat::from_fn(60, 1, |i, _| classes[i] as f64).as_ref());
    let plain = [&REPEATS[..], &["--labels", "classes.npy", "--dimension", "1"]].concat();
    assert_eq!(found["kept"], json(&place, &plain)["kept"]);
}

#[test]
fn the_text_has_the_answer_first_and_then_the_numbers() {
    let place = place(200);
    let (code, stdout, stderr) = place.run(&REPEATS);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("joint-embedding: it keeps "), "{stdout}");
    for said in ["kept at your n", "leakage", "→ 2", "is best at α", "200 pairs", "found by permutation"] {
        assert!(stdout.contains(said), "{said}: {stdout}");
    }
    let quiet = place.run(&[&REPEATS[..], &["--quiet"]].concat());
    assert_eq!((quiet.0, quiet.1.as_str()), (0, stdout.as_str()));
}

#[test]
fn the_page_needs_nothing_else_and_has_figures_words_and_provenance() {
    let place = place(200);
    let arguments = [&REPEATS[..], &["--labels", "classes.npy", "-o", "page.html"]].concat();
    let (code, _, stderr) = place.run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let page = fs::read_to_string(place.path("page.html")).unwrap();
    let outside = page.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xhtml", "");
    for reference in ["http://", "https://", "src=", "@import", "url(//"] {
        assert!(!outside.contains(reference), "{reference}");
    }
    for id in ["finding", "words", "numbers", "figures", "dimensions", "change", "definitions", "provenance"]
    {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert_eq!(page.matches("<svg ").count(), 3);
    for said in ["probe accuracy", "second.npy", "classes.npy", "kept at your n", "Take joint-embedding."] {
        assert!(page.contains(said), "{said}");
    }
    // The same files and arguments, the same bytes.
    let before = fs::read(place.path("page.html")).unwrap();
    assert_eq!(place.run(&arguments).0, 0);
    assert_eq!(fs::read(place.path("page.html")).unwrap(), before);
}

#[test]
fn what_is_written_fits_together_and_the_job_runs_and_has_a_boundary() {
    let place = place(120);
    let arguments = [&REPEATS[..], &["--labels", "classes.npy", "--write", "out"]].concat();
    assert_eq!(place.run(&arguments).0, 0);
    let saved = |name: &str| read_matrix(&place.path("out").join(format!("{name}.npy"))).unwrap();
    let (signal, noise, clean) = (saved("signal"), saved("noise"), saved("clean"));
    let near = |what: &str, found: &Mat<f64>, expected: &Mat<f64>, within: f64| {
        let difference = (found - expected).norm_max();
        assert!(difference <= within * expected.norm_max(), "{what} differs by {difference:e}");
    };
    // Ĉ = Ĉ₀ + Γ̂, and encoders have unit covariance on all rows.
    let covariance = saved("covariance");
    near("the covariance", &(&signal + &noise), &covariance, 0.02);
    for name in ["W", "E"] {
        let encoder = saved(name);
        assert_eq!((encoder.nrows(), encoder.ncols()), (FEATURES, 2));
        near(name, &(encoder.transpose() * &covariance * &encoder), &Mat::identity(2, 2), 1e-9);
    }
    // Clean rows have the signal's covariance, but for what of it is below zero.
    let mean = Mat::from_fn(1, FEATURES, |_, j| clean.col(j).iter().sum::<f64>() / 120.0);
    let centred = Mat::from_fn(120, FEATURES, |i, j| clean[(i, j)] - mean[(0, j)]);
    let found = centred.transpose() * &centred * faer::Scale(1.0 / 120.0);
    let of = signal.self_adjoint_eigen(faer::Side::Lower).unwrap();
    let values = Mat::from_fn(FEATURES, FEATURES, |i, j| if i == j { of.S()[i].max(0.0) } else { 0.0 });
    near("clean rows", &found, &(of.U() * values * of.U().transpose()), 1e-6);
    near("the corruption", &saved("corruption"), &noise, 1e-9);

    let (code, _, stderr) = place.run(&["run", "out/job.toml", "--set", "job.replicates=2", "--quiet"]);
    assert_eq!(code, 0, "{stderr}");
    let set = ["--set", "grid.samples=[120]", "--set", "boundary.precision=0.2", "--json"];
    let (code, stdout, stderr) = place.run(&[&["boundary", "out/job.toml"][..], &set].concat());
    assert_eq!(code, 0, "{stderr}");
    let cells: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(cells.as_array().unwrap().len(), 2, "{cells}");
}

#[test]
fn the_job_of_stages_batches_and_corruptions_runs_too() {
    let place = place(96);
    let views = "floor = 1e-3\n[[stages]]\nkind = \"dropout\"\nprobability = 0.3\n";
    place.write("views.toml", views.as_bytes());
    let corruption = "[[corruption]]\nkind = \"additive\"\nvariance = { relative = 0.5 }\n";
    place.write("corrupted.toml", format!("{views}{corruption}").as_bytes());
    write(&place, "batch.npy", Mat::from_fn(96, 1, |i, _| (i / 6) as f64).as_ref());
    let cases: [(&str, &[&str]); 3] = [
        ("staged", &["--repeats", "second.npy", "--views", "views.toml"]),
        ("batches", &["--nuisance", "batch.npy", "--standardize", "--components", "6"]),
        ("corrupted", &["--views", "corrupted.toml"]),
    ];
    for (name, rest) in cases {
        let fixed = ["diagnose", "--inputs", "first.npy", "--dimension", "2", "--write", name];
        let (code, _, stderr) = place.run(&[&fixed[..], rest].concat());
        assert_eq!(code, 0, "{name}: {stderr}");
        let job = format!("{name}/job.toml");
        let output = format!("{name}-rows");
        let run = ["run", &job, "--set", "job.replicates=1", "--output", &output, "--quiet"];
        let (code, _, stderr) = place.run(&run);
        assert_eq!(code, 0, "{name}: {stderr}");
    }
}

#[test]
fn the_job_of_hardly_any_data_runs_or_is_not_written() {
    let place = place(60);
    let few = Random(1).normals(3, 5);
    write(&place, "few.npy", few.as_ref());
    write(&place, "again.npy", (&few + faer::Scale(0.1) * Random(2).normals(3, 5)).as_ref());
    write(&place, "batch.npy", Mat::from_fn(60, 1, |i, _| (i % 20) as f64).as_ref());
    place.write("none.toml", b"stages = []\n");
    // No noise, which no α can add; three pairs.
    let pairs = ["--inputs", "few.npy", "--repeats", "again.npy", "--views", "none.toml", "--alignment", "1"];
    let cases: [(&str, &[&str]); 4] = [
        ("2", &["--inputs", "first.npy", "--repeats", "first.npy"]),
        ("1", &["--inputs", "first.npy", "--nuisance", "batch.npy"]),
        ("1", &pairs),
        ("2", &pairs),
    ];
    for (at, (dimension, rest)) in cases.into_iter().enumerate() {
        let name = format!("out{at}");
        let fixed = ["diagnose", "--dimension", dimension, "--write", &name];
        let (code, _, stderr) = place.run(&[&fixed[..], rest].concat());
        assert_eq!(code, 0, "{rest:?}: {stderr}");
        let (code, _, stderr) = place.run(&["run", &format!("{name}/job.toml"), "--quiet"]);
        assert_eq!(code, 0, "{rest:?}: {stderr}");
    }
    let job = fs::read_to_string(place.path("out0/job.toml")).unwrap();
    assert!(job.contains("There is no noise here") && job.contains("alignment = 0.0"), "{job}");
    let many = ["diagnose", "--dimension", "3", "--write", "out"];
    let (code, stdout, stderr) = place.run(&[&many[..], &pairs].concat());
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("3 clean rows differ in fewer than the 3 directions"), "{stderr}");
    assert_eq!(fs::read_dir(place.path("out")).unwrap().count(), 0);
}

#[test]
fn an_answer_is_not_written_over_files_that_no_answer_wrote() {
    let place = place(60);
    let before = fs::read(place.path("first.npy")).unwrap();
    fs::rename(place.path("first.npy"), place.path("clean.npy")).unwrap();
    let arguments = ["diagnose", "--inputs", "clean.npy", "--repeats", "second.npy", "--dimension", "2"];
    let (code, stdout, stderr) = place.run(&[&arguments[..], &["--write", "."]].concat());
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    assert!(stderr.contains("clean.npy is there already") && stderr.contains("of its own"), "{stderr}");
    assert_eq!(fs::read(place.path("clean.npy")).unwrap(), before);
    // What another answer wrote is replaced, and the page may stand beside it.
    for _ in 0..2 {
        let (code, _, stderr) =
            place.run(&[&arguments[..], &["--write", "out", "-o", "out/page.html"]].concat());
        assert_eq!(code, 0, "{stderr}");
    }
}
