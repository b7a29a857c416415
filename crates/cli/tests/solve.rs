//! `solve` as a user calls it: closed forms against values, and what labels are read as.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use std::fs;

use common::Place;
use eigensweep_inputs::{read_matrix, write_matrix};
use eigensweep_testkit::random::Random;
use faer::{Mat, mat};
use serde_json::Value;

/// Inputs with X'X/n = I, and Σ = diag(1, 3): ω = (1/2, 1/4), φ = (1/√2, 1/2).
fn place() -> Place {
    let place = Place::new();
    write(&place, "x.npy", &mat![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]);
    write(&place, "sigma.npy", &mat![[1.0, 0.0], [0.0, 3.0]]);
    place
}

fn write(place: &Place, name: &str, matrix: &Mat<f64>) {
    write_matrix(&place.path(name), matrix.as_ref()).unwrap();
}

/// A vector of one dimension of signed bytes in NumPy's format.
fn write_vector(place: &Place, name: &str, values: &[i8]) {
    let header = format!("{{'descr': '|i1', 'fortran_order': False, 'shape': ({},), }}", values.len());
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(format!("{header:<117}\n").bytes());
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    place.write(name, &bytes);
}

/// Solves `x.npy` with `sigma.npy` and k = 1; what `--json` printed, and standard error.
fn solve(place: &Place, rest: &[&str]) -> (Value, String) {
    let fixed = ["solve", "--inputs", "x.npy", "--covariance", "sigma.npy", "--dimension", "1", "--json"];
    let arguments: Vec<&str> = fixed.iter().chain(rest).copied().collect();
    let (code, stdout, stderr) = place.run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    (serde_json::from_str(&stdout).unwrap(), stderr)
}

#[track_caller]
fn near(value: &Value, expected: f64) {
    let found = value.as_f64().unwrap();
    assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
}

#[test]
fn solve_answers_in_closed_form() {
    let place = place();
    write(&place, "y.npy", &mat![[1.0], [1.0], [-1.0], [-1.0]]);
    let (solution, stderr) = solve(&place, &["--targets", "y.npy", "--write", "maps"]);
    assert_eq!(stderr, "");
    let je = &solution["joint_embedding"];
    near(&je["eigenvalues"][0], 0.5);
    near(&je["eigenvalues"][1], 0.25);
    near(&je["objective"], 1.0);
    near(&je["probing_loss"], 0.0);
    let rc = &solution["reconstruction"];
    near(&rc["singular_values"][0], 0.5_f64.sqrt());
    near(&rc["singular_values"][1], 0.5);
    near(&rc["objective"], 1.5);
    near(&rc["probing_loss"], 0.0);
    // V = (1/2, 0): objective 1 − 1/2, loss on the inputs 1 − 1 + 1/4.
    near(&solution["supervised"]["objective"], 0.5);
    near(&solution["supervised"]["loss"], 0.25);
    assert_eq!((&solution["n"], &solution["d"], &solution["k"]), (&4.into(), &2.into(), &1.into()));
    assert_eq!(solution["labels"], serde_json::json!({ "kind": "targets", "count": 1 }));
    for name in ["W.npy", "E.npy", "D.npy", "V.npy"] {
        assert!(place.path("maps").join(name).is_file(), "{name}");
    }
}

#[test]
fn a_column_of_whole_numbers_is_classes_and_solves_as_one_hot_labels_made_by_hand() {
    let place = place();
    write(&place, "one-hot.npy", &mat![[0.0, 1.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]);
    let (expected, _) = solve(&place, &["--labels", "one-hot.npy", "--write", "by-hand"]);
    assert_eq!(expected["labels"], serde_json::json!({ "kind": "targets", "count": 2 }));
    // B = (−1/2, 1/2; 0, 0): probing loss 1 − 1/2 of the first direction; supervised 1 − tr(BᵀS⁻¹B)
    // with S = diag(2, 4).
    near(&expected["joint_embedding"]["probing_loss"], 0.5);
    near(&expected["supervised"]["objective"], 0.75);

    write_vector(&place, "vector.npy", &[1, 1, -1, -1]);
    write(&place, "column.npy", &mat![[1.0], [1.0], [-1.0], [-1.0]]);
    write(&place, "huge.npy", &mat![[1e300], [1e300], [-7.0], [-7.0]]);
    for (name, values) in
        [("vector.npy", [-1.0, 1.0]), ("column.npy", [-1.0, 1.0]), ("huge.npy", [-7.0, 1e300])]
    {
        let (found, stderr) = solve(&place, &["--labels", name, "--write", "maps"]);
        for paradigm in ["joint_embedding", "reconstruction", "supervised"] {
            assert_eq!(found[paradigm], expected[paradigm], "{name}");
        }
        let labels = serde_json::json!({ "kind": "classes", "count": 2, "values": values });
        assert_eq!((&found["labels"], stderr.as_str()), (&labels, ""));
        let maps = ["maps", "by-hand"].map(|maps| fs::read(place.path(maps).join("V.npy")).unwrap());
        assert_eq!(maps[0], maps[1], "{name}");
    }
    assert_eq!(read_matrix(&place.path("maps/V.npy")).unwrap().nrows(), 2);
}

#[test]
fn labels_that_are_no_column_of_whole_numbers_are_real_targets() {
    let place = place();
    write(&place, "half.npy", &mat![[1.0], [1.0], [-1.0], [0.5]]);
    let (with_labels, _) = solve(&place, &["--labels", "half.npy"]);
    let (with_targets, _) = solve(&place, &["--targets", "half.npy"]);
    assert_eq!(with_labels, with_targets);
    assert_eq!(with_labels["labels"]["kind"], "targets");
    // Whole numbers as real targets, because they are said to be.
    write_vector(&place, "counts.npy", &[1, 1, -1, -1]);
    let (solution, _) = solve(&place, &["--targets", "counts.npy"]);
    assert_eq!(solution["labels"]["kind"], "targets");
    near(&solution["joint_embedding"]["probing_loss"], 0.0);
}

#[test]
fn what_labels_were_read_as_is_said() {
    let place = place();
    let table = |rest: &[&str]| {
        let fixed = ["solve", "--inputs", "x.npy", "--covariance", "sigma.npy", "--dimension", "1"];
        let arguments: Vec<&str> = fixed.iter().chain(rest).copied().collect();
        let (code, stdout, stderr) = place.run(&arguments);
        assert_eq!(code, 0, "{stderr}");
        assert!(stdout.contains("joint-embedding") && stdout.contains("n = 4, d = 2, k = 1"), "{stdout}");
        (stdout, stderr)
    };
    write_vector(&place, "y.npy", &[3, -2, 3, 3]);
    let (stdout, stderr) = table(&["--labels", "y.npy"]);
    assert!(stdout.contains("labels: 2 classes, one-hot (-2, 3)"), "{stdout}");
    assert_eq!(stderr, "");
    let (stdout, _) = table(&["--targets", "y.npy"]);
    assert!(stdout.contains("labels: 1 real target\n"), "{stdout}");
    // Counts or identifiers look like this: still classes, with a word.
    write_vector(&place, "counts.npy", &[3, 1, 4, 15]);
    let (stdout, stderr) = table(&["--labels", "counts.npy"]);
    assert!(stdout.contains("labels: 4 classes"), "{stdout}");
    assert!(stderr.contains("4 classes in 4 rows") && stderr.contains("--targets"), "{stderr}");
}

/// `solve` of these inputs with targets and k; exit code, standard output and standard error.
fn solve_inputs(place: &Place, inputs: &Mat<f64>, rest: &[&str]) -> (i32, String, String) {
    write(place, "inputs.npy", inputs);
    write(place, "t.npy", &Mat::from_fn(inputs.nrows(), 1, |i, _| 0.5 + i as f64));
    let fixed = ["solve", "--inputs", "inputs.npy", "--targets", "t.npy", "--dimension"];
    place.run(&fixed.iter().chain(rest).copied().collect::<Vec<_>>())
}

/// Inputs of full rank.
fn random(rows: usize, columns: usize) -> Mat<f64> {
    Random(5).normals(rows, columns)
}

#[test]
fn inputs_that_make_a_problem_singular_are_named_and_it_is_solved_on_its_range() {
    let place = Place::new();
    let mut inputs = random(60, 30);
    for row in 0..60 {
        inputs[(row, 4)] = 0.0;
        inputs[(row, 7)] = inputs[(row, 2)] - inputs[(row, 3)];
        inputs[(row, 9)] = inputs[(row, 8)];
    }
    let (code, stdout, stderr) = solve_inputs(&place, &inputs, &["3"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("n = 60, d = 30, k = 3, rank of S = 27"), "{stdout}");
    assert!(stdout.contains("beyond the rank, from 28 to 30: 0"), "{stdout}");
    let named = [
        "input 4 (from 0) is zero in all samples",
        "inputs 7 and 9 (from 0) are linear in the inputs before",
    ];
    for words in [&["warning: S = X̄ᵀX̄/n + Σ has rank 27 of 30", "smallest norm"][..], &named].concat()
    {
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
    }
    assert!(!stderr.contains("the same in all samples"), "said once: {stderr}");
    // The supervised model and all 27 directions are those of the inputs without.
    let (_, stdout, _) = solve_inputs(&place, &inputs, &["27", "--json"]);
    let whole: Value = serde_json::from_str(&stdout).unwrap();
    let kept: Vec<usize> = (0..30).filter(|column| ![4, 7, 9].contains(column)).collect();
    let (_, stdout, stderr) =
        solve_inputs(&place, &Mat::from_fn(60, 27, |i, j| inputs[(i, kept[j])]), &["27", "--json"]);
    let without: Value = serde_json::from_str(&stdout).unwrap();
    assert!(!stderr.contains("rank"), "{stderr}");
    assert_eq!((&whole["rank"], &whole["d"], &without["rank"]), (&27.into(), &30.into(), &27.into()));
    for (paradigm, loss) in
        [("joint_embedding", "probing_loss"), ("reconstruction", "probing_loss"), ("supervised", "loss")]
    {
        let [whole, without] = [&whole, &without].map(|found| found[paradigm][loss].as_f64().unwrap());
        assert!((whole - without).abs() < 1e-9 * (1.0 + whole), "{paradigm}: {whole} and {without}");
    }
    for (paradigm, spectrum) in [("joint_embedding", "eigenvalues"), ("reconstruction", "singular_values")] {
        let values = whole[paradigm][spectrum].as_array().unwrap();
        assert_eq!(values.len(), 30, "{paradigm}");
        assert!(values[..27].iter().all(|value| value.as_f64().unwrap() > 1e-6), "{values:?}");
        assert!(values[27..].iter().all(|value| value == 0.0), "{values:?}");
    }
    // Above the rank there is nothing.
    let (code, stdout, stderr) = solve_inputs(&place, &inputs, &["28"]);
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    for words in [&["--dimension 28 is above the rank of S, 27", "of at most 27"][..], &named].concat() {
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
    }
    // Ten are named, the others counted; too few samples are said as such.
    let repeated = Mat::from_fn(60, 14, |row, column| inputs[(row, column % 2)]);
    let (_, _, stderr) = solve_inputs(&place, &repeated, &["1"]);
    assert!(
        stderr.contains("inputs 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … (from 0; 12 in all) are linear"),
        "{stderr}"
    );
    let (code, _, stderr) = solve_inputs(&place, &random(3, 5), &["1"]);
    assert!(code == 0 && stderr.contains("has rank 3 of 5: 3 samples do not determine 5 inputs"), "{stderr}");
    let (code, _, stderr) = solve_inputs(&place, &Mat::zeros(4, 2), &["1"]);
    assert!(
        code == 1 && stderr.contains("above the rank of S, 0: inputs 0 and 1 (from 0) are zero"),
        "{stderr}"
    );
    assert!(stderr.contains("nothing to represent"), "{stderr}");
    // With a covariance of the views the problem has an answer, and a warning.
    write(&place, "identity.npy", &Mat::identity(30, 30));
    for row in 0..60 {
        inputs[(row, 4)] = 2.0;
    }
    let (code, _, stderr) = solve_inputs(&place, &inputs, &["3", "--covariance", "identity.npy", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("warning: input 4 (from 0) is the same in all samples"), "{stderr}");
    assert!(stderr.contains("warning: inputs 7 and 9 (from 0) are linear in the inputs before"), "{stderr}");
}

/// X = (1 1; 2 2; 3 3), targets (½, 3/2, 5/2): S = C = 14/3 (1 1; 1 1), B = 11/3 (1, 1), so
/// `S⁺ = 3/56 (1 1; 1 1)` and `V* = BᵀS⁺ = (11/28, 11/28)`. `Vₖ` along (1, 1) with `VᵀSV = 1`:
/// c² · 4 · 14/3 = 1. ω = 1, φ² = vᵀCᵀCv = tr C = 28/3, `D E = (½ ½; ½ ½)`. Least squares on the
/// one direction: 35/12 − 121/42.
#[test]
fn a_repeated_input_has_the_solution_of_smallest_norm() {
    let place = Place::new();
    let inputs = mat![[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]];
    let (code, stdout, stderr) = solve_inputs(&place, &inputs, &["1", "--json", "--write", "maps"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("has rank 1 of 2: input 1 (from 0) is linear in the inputs before"), "{stderr}");
    let solution: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(solution["rank"], 1);
    let loss = 35.0 / 12.0 - 121.0 / 42.0;
    let (joint, reconstruction) = (&solution["joint_embedding"], &solution["reconstruction"]);
    for (place, (omega, phi)) in [(1.0, (28.0_f64 / 3.0).sqrt()), (0.0, 0.0)].into_iter().enumerate() {
        near(&joint["eigenvalues"][place], omega);
        near(&reconstruction["singular_values"][place], phi);
    }
    near(&joint["objective"], 0.0);
    near(&reconstruction["objective"], 0.0);
    for found in [&joint["probing_loss"], &reconstruction["probing_loss"], &solution["supervised"]["loss"]] {
        near(found, loss);
    }
    let map = |name: &str| read_matrix(&place.path("maps").join(name)).unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} and {b}");
    let (joint, encoder, decoder, model) = (map("W.npy"), map("E.npy"), map("D.npy"), map("V.npy"));
    for i in 0..2 {
        close(model[(0, i)], 11.0 / 28.0);
        close(joint[(0, i)].abs(), (3.0_f64 / 56.0).sqrt());
        close(decoder[(i, 0)] * encoder[(0, 1 - i)], 0.5);
    }
}

/// X = (1 0 1; 0 1 1), targets (½, 3/2): the interpolation of smallest norm is `tᵀ(XXᵀ)⁻¹X` with
/// `(XXᵀ)⁻¹ = ⅓ (2 −1; −1 2)`, which is (−1/6, 5/6, 2/3).
#[test]
fn fewer_samples_than_inputs_are_interpolated_with_the_smallest_norm() {
    let place = Place::new();
    let inputs = mat![[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]];
    let (code, stdout, stderr) = solve_inputs(&place, &inputs, &["2", "--json", "--write", "maps"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("has rank 2 of 3: 2 samples do not determine 3 inputs"), "{stderr}");
    let solution: Value = serde_json::from_str(&stdout).unwrap();
    near(&solution["supervised"]["loss"], 0.0);
    let model = read_matrix(&place.path("maps/V.npy")).unwrap();
    for (found, expected) in model.row(0).iter().zip([-1.0 / 6.0, 5.0 / 6.0, 2.0 / 3.0]) {
        assert!((found - expected).abs() < 1e-14, "{model:?}");
    }
    // No row has a share along (1, 1, −1), which X does not see.
    for name in ["W.npy", "E.npy"] {
        let map = read_matrix(&place.path("maps").join(name)).unwrap();
        assert_eq!((map.nrows(), map.ncols()), (2, 3));
        for row in map.row_iter() {
            assert!((row[0] + row[1] - row[2]).abs() < 1e-14, "{name}: {map:?}");
        }
    }
}

#[test]
fn a_row_space_that_is_undetermined_is_a_warning() {
    let place = place();
    let mut y = Mat::zeros(4, 1);
    y[(0, 0)] = 1.5;
    write(&place, "y.npy", &y);
    // Views that are the inputs: every ω is 1.
    let plain = ["solve", "--inputs", "x.npy", "--targets", "y.npy", "--dimension", "1", "--json"];
    let (code, stdout, stderr) = place.run(&plain);
    assert_eq!(code, 0);
    assert!(
        stderr.contains("every ω of joint-embedding is 1") && stderr.contains("--covariance"),
        "{stderr}"
    );
    let solution: Value = serde_json::from_str(&stdout).unwrap();
    for value in solution["joint_embedding"]["eigenvalues"].as_array().unwrap() {
        near(value, 1.0);
    }
    // X'X/n = I and Σ = I: both spectra are tied at k = 1, and whole at k = 2.
    write(&place, "tied.npy", &mat![[1.0, 0.0], [0.0, 1.0]]);
    let solved = |k: &'static str| {
        let arguments = [
            "solve",
            "--inputs",
            "x.npy",
            "--targets",
            "y.npy",
            "--covariance",
            "tied.npy",
            "--dimension",
            k,
        ];
        place.run(&arguments)
    };
    let tied = |k| solved(k).2;
    let stderr = tied("1");
    for paradigm in ["joint-embedding", "reconstruction"] {
        assert!(stderr.contains(&format!("1 and 2 of {paradigm} are tied")), "{stderr}");
    }
    assert_eq!(tied("2"), "");
    // The table claims to keep nothing that rounding decides.
    assert_eq!(solved("1").1.matches(" tied ").count(), 2, "{}", solved("1").1);
    assert_eq!((solved("2").1.matches(" tied ").count(), solved("2").1.matches(" yes ").count()), (0, 2));
    // The sound problem of this file has no warning: other tests look.
}

/// With `--center` the moments are those of X − mean(X), by hand: G = X'X/n = (8/3, 2; 2, 2) and
/// S = G + diag(1, 3); a constant is zero to the last bit.
#[test]
fn inputs_are_centred_where_that_is_asked_for() {
    let place = Place::new();
    let inputs = mat![[10.0, 5.0], [12.0, 5.0], [14.0, 8.0]];
    write(&place, "sigma.npy", &mat![[1.0, 0.0], [0.0, 3.0]]);
    let solve = |rest: &[&str]| {
        let fixed = ["1", "--covariance", "sigma.npy", "--json"];
        let (code, stdout, stderr) = solve_inputs(&place, &inputs, &[&fixed[..], rest].concat());
        assert_eq!(code, 0, "{stderr}");
        serde_json::from_str::<Value>(&stdout).unwrap()
    };
    let by_hand = mat![[-2.0, -1.0], [0.0, -1.0], [2.0, 2.0]];
    let (centred, plain) = (solve(&["--center"]), solve(&[]));
    // The roots of |G − ω S| = 0, by tr and det of S⁻¹G.
    let (g, s) = ([8.0 / 3.0, 2.0, 2.0], [11.0 / 3.0, 2.0, 5.0]);
    let determinant = |m: [f64; 3]| m[0] * m[2] - m[1] * m[1];
    let trace = (s[2] * g[0] - 2.0 * s[1] * g[1] + s[0] * g[2]) / determinant(s);
    let half = (trace * trace / 4.0 - determinant(g) / determinant(s)).sqrt();
    near(&centred["joint_embedding"]["eigenvalues"][0], trace / 2.0 + half);
    near(&centred["joint_embedding"]["eigenvalues"][1], trace / 2.0 - half);
    assert_ne!(centred["joint_embedding"], plain["joint_embedding"]);
    let (_, stdout, _) = solve_inputs(&place, &by_hand, &["1", "--covariance", "sigma.npy", "--json"]);
    for paradigm in ["joint_embedding", "reconstruction"] {
        let by_hand = &serde_json::from_str::<Value>(&stdout).unwrap()[paradigm];
        near(&centred[paradigm]["objective"], by_hand["objective"].as_f64().unwrap());
        near(&centred[paradigm]["probing_loss"], by_hand["probing_loss"].as_f64().unwrap());
    }
    // Without views and with all inputs every ω is 1: the objective's terms cancel, and 0 is said.
    let (_, stdout, _) = solve_inputs(&place, &random(40, 6), &["6", "--center", "--json"]);
    let solution: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(
        (&solution["joint_embedding"]["objective"], &solution["reconstruction"]["objective"]),
        (&0.0.into(), &0.0.into())
    );
    let constant = mat![[0.1, 1.0], [0.1, 2.0], [0.1, 4.0]];
    let (code, stdout, stderr) = solve_inputs(&place, &constant, &["1", "--center", "--json"]);
    assert!(code == 0 && stderr.contains("rank 1 of 2: input 0 (from 0) is zero in all samples"), "{stderr}");
    let (_, alone, _) = solve_inputs(&place, &mat![[1.0], [2.0], [4.0]], &["1", "--center", "--json"]);
    let [with, alone] = [stdout, alone].map(|text| serde_json::from_str::<Value>(&text).unwrap());
    for paradigm in ["joint_embedding", "reconstruction", "supervised"] {
        near(&with[paradigm]["objective"], alone[paradigm]["objective"].as_f64().unwrap());
    }
}

#[test]
fn tables_show_the_leading_values_and_json_all() {
    let place = Place::new();
    write(&place, "sigma.npy", &Mat::from_fn(40, 40, |i, j| if i == j { 1.0 + i as f64 } else { 0.0 }));
    for (k, shown) in [("3", 20), ("18", 23), ("38", 40)] {
        let arguments = [k, "--covariance", "sigma.npy"];
        let (code, stdout, stderr) = solve_inputs(&place, &random(90, 40), &arguments);
        assert_eq!(code, 0, "{stderr}");
        let is_line =
            |line: &&str| line.trim_start_matches(['│', ' ']).starts_with(|c: char| c.is_ascii_digit());
        assert_eq!(stdout.lines().filter(is_line).count(), shown, "{stdout}");
        assert_eq!(
            stdout.contains(&format!("the first {shown} of 40; --json has all")),
            shown < 40,
            "{stdout}"
        );
        let (_, stdout, _) = solve_inputs(&place, &random(90, 40), &[&arguments[..], &["--json"]].concat());
        let solution: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(solution["joint_embedding"]["eigenvalues"].as_array().unwrap().len(), 40);
    }
}

#[test]
fn usage_names_both_ways_to_give_answers() {
    let place = Place::new();
    let (_, stdout, _) = place.run(&["solve", "--help"]);
    assert!(stdout.contains("<--labels <Y.npy>|--targets <T.npy>>"), "{stdout}");
    let (code, _, stderr) = place.run(&["solve", "--inputs", "x.npy", "--dimension", "1"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("<--labels <Y.npy>|--targets <T.npy>>"), "{stderr}");
}

#[test]
fn solve_reads_tables_and_words() {
    let place = Place::new();
    write(&place, "x.npy", &mat![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.5], [0.5, 2.0]]);
    write(&place, "y.npy", &mat![[1.0], [0.0], [1.0], [0.0]]);
    place.write("x.csv", b"a,b\n1,1\n1,-1\n-1,1.5\n0.5,2\n");
    place.write("y.txt", b"versicolor\nsetosa\nversicolor\nsetosa\n");
    let solved = |inputs: &str, labels: &str| {
        let (code, stdout, stderr) =
            place.run(&["solve", "--inputs", inputs, "--labels", labels, "--dimension", "1", "--json"]);
        assert_eq!(code, 0, "{stderr}");
        stdout
    };
    let (arrays, tables) = (solved("x.npy", "y.npy"), solved("x.csv", "y.txt"));
    assert!(tables.contains("versicolor"), "{tables}");
    let without_names = |json: &str| {
        let mut json: serde_json::Value = serde_json::from_str(json).unwrap();
        json["labels"]["values"].take();
        json
    };
    assert_eq!(without_names(&tables), without_names(&arrays));
}

#[test]
fn what_readers_say_of_keys_of_a_job_is_said_of_files() {
    let place = Place::new();
    place.write("word.csv", b"a,b,extra\n1,1,x\n1,-1,y\n");
    place.write("hole.csv", b"a,b\n1,1\n1,\n");
    place.write("rows.csv", b",a\n7,1\n8,2\n");
    write(&place, "x.npy", &mat![[1.0, 1.0], [1.0, -1.0]]);
    for (inputs, labels, said) in [
        ("word.csv", "x.npy", "leave the column out, or write it to a file for `--labels`\n"),
        ("hole.csv", "x.npy", "or leave the column out\n"),
        ("rows.csv", "x.npy", "give it a name, leave it out, or write the file without it"),
        ("x.npy", "word.csv", "`extra`; write the one that is meant to its own file\n"),
    ] {
        let arguments = ["solve", "--inputs", inputs, "--labels", labels, "--dimension", "1"];
        let (code, _, stderr) = place.run(&arguments);
        assert_eq!(code, 1, "{stderr}");
        assert!(stderr.contains(said) && !stderr.contains("columns = "), "{stderr}");
    }
}

#[test]
fn solve_refuses_what_does_not_fit() {
    let place = Place::new();
    write(&place, "x.npy", &mat![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]]);
    write(&place, "y.npy", &mat![[1.0], [1.0]]);
    write(&place, "z.npy", &mat![[1.0], [1.0], [0.0]]);
    write(&place, "skew.npy", &mat![[1.0, 2.0], [0.0, 1.0]]);
    write(&place, "negative.npy", &mat![[-5.0, 0.0], [0.0, 1.0]]);
    write(&place, "line.npy", &mat![[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]);
    let many = Mat::from_fn(8193, 1, |i, _| i as f64);
    write(&place, "many.npy", &many);
    let refused = |arguments: &[&str], word: &str, code: i32| {
        let arguments: Vec<&str> = ["solve"].iter().chain(arguments).copied().collect();
        let (found, stdout, stderr) = place.run(&arguments);
        assert_eq!((found, stdout.as_str()), (code, ""), "{stderr}");
        assert!(stderr.contains(word), "no {word:?} in:\n{stderr}");
    };
    let labels = ["--inputs", "x.npy", "--labels", "y.npy", "--dimension", "1"];
    refused(&labels, "expected 3 × 1, found 2 × 1 (y.npy)", 1);
    let targets = ["--inputs", "x.npy", "--targets", "y.npy", "--dimension", "1"];
    refused(&targets, "expected 3 × 1, found 2 × 1 (y.npy)", 1);
    refused(&["--inputs", "x.npy", "--labels", "z.npy", "--dimension", "3"], "--dimension 3", 2);
    refused(&["--inputs", "x.npy", "--labels", "z.npy", "--dimension", "0"], "--dimension 0", 2);
    refused(
        &["--inputs", "x.npy", "--labels", "z.npy", "--covariance", "skew.npy", "--dimension", "1"],
        "symmetric",
        1,
    );
    refused(
        &["--inputs", "line.npy", "--labels", "z.npy", "--dimension", "2"],
        "above the rank of S, 1: input 1 (from 0) is linear",
        1,
    );
    refused(
        &["--inputs", "x.npy", "--labels", "z.npy", "--covariance", "negative.npy", "--dimension", "1"],
        "most along input 0 (from 0): a --covariance must be positive semidefinite",
        1,
    );
    // What cannot be written is known before anything is solved.
    let line = ["--inputs", "line.npy", "--labels", "z.npy", "--dimension", "2", "--write", "z.npy"];
    refused(&line, "cannot create z.npy", 1);
    place.write("paper.pdf", b"%PDF-1.4");
    refused(&["--inputs", "paper.pdf", "--labels", "z.npy", "--dimension", "1"], "this is a PDF", 1);
    refused(&["--inputs", "absent.npy", "--labels", "z.npy", "--dimension", "1"], "absent.npy", 1);
    refused(&["--inputs", "many.npy", "--labels", "many.npy", "--dimension", "1"], "give them as targets", 1);
    // Exactly one of labels and targets.
    refused(&["--inputs", "x.npy", "--dimension", "1"], "--labels", 2);
    let both = ["--inputs", "x.npy", "--labels", "z.npy", "--targets", "z.npy", "--dimension", "1"];
    refused(&both, "--targets", 2);
}
