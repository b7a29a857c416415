//! Every command as a user calls it.

mod common;

use std::fs;

use common::Place;
use eigensweep_testkit::idx::write_images;
use serde_json::Value;

#[test]
fn run_writes_a_data_set_and_resumes_it() {
    let place = Place::new();
    let arguments = ["run", "small.toml", "--output", "out"];
    let (code, stdout, stderr) = place.run(&arguments);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("36 rows"), "{stdout}");
    for word in ["supervised", "joint-embedding", "reconstruction", "n = 50", "n = 500", "threshold"] {
        assert!(stdout.contains(word), "no {word:?} in:\n{stdout}");
    }
    let parts = place.contents("out/data");
    assert_eq!(parts.len(), 1);
    let (code, again, stderr) = place.run(&arguments);
    assert_eq!(code, 0);
    assert!(stderr.contains("36 of 36 rows are there already"), "{stderr}");
    assert_eq!(again, stdout, "the summary is that of the data set, not of the run");
    assert_eq!(place.contents("out/data"), parts);
}

/// A log on a full disk: what would be said there is lost, and nothing else.
#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let place = Place::new();
    let to_full_disk = |arguments: &[&str]| {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_eigensweep"));
        command.current_dir(place.directory.path()).args(arguments).stderr(full);
        command.status().unwrap().code()
    };
    assert_eq!(to_full_disk(&["run", "small.toml", "--output", "out"]), Some(0));
    assert_eq!(place.contents("out/data").len(), 1);
    assert_eq!(to_full_disk(&["run", "no such job.toml"]), Some(2));
}

#[test]
fn the_output_directory_is_named_after_the_job() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--quiet"]).0, 0);
    assert!(place.path("output/small/manifest.json").is_file());
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--set", "job.name=other"]).0, 0);
    assert!(place.path("output/other/job.toml").is_file());
}

#[test]
fn the_resolved_job_runs_again_to_the_same_bytes() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--output", "first"]).0, 0);
    assert_eq!(place.run(&["run", "first/job.toml", "--quiet", "--output", "second"]).0, 0);
    let bytes = |name| place.contents(name).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    assert_eq!(bytes("first/data"), bytes("second/data"));
}

#[test]
fn fresh_starts_anew() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--output", "out"]).0, 0);
    let other = ["run", "small.toml", "--quiet", "--output", "out", "--set", "job.seed=4", "--fresh"];
    assert_eq!(place.run(&other).0, 0);
    assert!(fs::read_to_string(place.path("out/job.toml")).unwrap().contains("seed = 4"));
}

#[test]
fn damage_is_reported_and_repaired() {
    let place = Place::new();
    let arguments = ["run", "small.toml", "--output", "out", "--quiet"];
    assert_eq!(place.run(&arguments).0, 0);
    let parts = place.contents("out/data");
    fs::write(&parts[0].0, &parts[0].1[..100]).unwrap();
    let (code, _, stderr) = place.run(&arguments);
    assert_eq!(code, 0);
    assert!(stderr.contains("100 bytes instead of"), "{stderr}");
    assert_eq!(place.contents("out/data"), parts);
}

#[test]
fn the_manifest_tells_what_was_run() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--quiet", "--output", "out", "--threads", "2"]).0, 0);
    let text = fs::read_to_string(place.path("out/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["format_version"], eigensweep_store::columns::FORMAT_VERSION);
    assert_eq!(manifest["rows"], 36);
    assert_eq!(manifest["rows_done"], 36);
    assert_eq!(manifest["runs"][0]["threads"], 2);
    assert_eq!(manifest["runs"][0]["rows"], 36);
    assert_eq!(manifest["committed"].as_array().unwrap().len(), 1);
}

#[test]
fn plan_shows_the_grid_without_writing() {
    let place = Place::new();
    let (code, stdout, stderr) = place.run(&["plan", "small.toml", "--threads", "2"]);
    assert_eq!(code, 0, "{stderr}");
    for word in [
        "samples",
        "50, 500",
        "36",
        "tasks",
        "disk",
        "memory",
        "time",
        "variances 10000 (largest)",
        "0.3333 their mean",
    ] {
        assert!(stdout.contains(word), "no {word:?} in:\n{stdout}");
    }
    assert!(!place.path("output").exists() && !stdout.contains("of this study"));
    let (_, stdout, _) = place.run(&["plan", "small.toml", "--shards", "4"]);
    assert!(stdout.contains("3 of them have nothing to do: 1 part is all there is"), "{stdout}");
    // What is there already is said, of this study only.
    assert_eq!(place.run(&["run", "small.toml", "--quiet"]).0, 0);
    let (_, stdout, _) = place.run(&["plan", "small.toml", "--set", "job.replicates=5"]);
    assert!(stdout.contains("36 rows of this study are in output/small already"), "{stdout}");
    let (_, stdout, _) = place.run(&["plan", "small.toml", "--set", "job.seed=5"]);
    assert!(!stdout.contains("of this study"), "{stdout}");
}

#[test]
fn theory_prints_an_object_per_combination() {
    let place = Place::new();
    let arguments = ["theory", "small.toml", "--set", "corruption.scale=[10.0, 1e6]", "--json"];
    let (code, stdout, _) = place.run(&arguments);
    assert_eq!(code, 0);
    let rows: Value = serde_json::from_str(&stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for (row, scale) in rows.iter().zip([10.0, 1e6]) {
        assert_eq!(row["noise_scale"].as_f64(), Some(scale));
        for key in ["delta", "eta", "alpha_rc_squared", "alpha_je_squared", "crossover"] {
            assert!(row[key].is_f64(), "{key} in {row}");
        }
        assert!(row["corollary_4_5"].is_string() && row["corollary_4_5_reason"].is_string());
        assert_eq!((&row["dimension"], &row["replicates"]), (&4.into(), &3.into()));
        for key in
            ["delta", "eta", "alpha_rc", "alpha_je", "alpha_rc_squared", "alpha_je_squared", "crossover"]
        {
            let [low, median, high] = [format!("{key}_q05"), key.to_owned(), format!("{key}_q95")]
                .map(|key| row[&key].as_f64().unwrap());
            assert!(low <= median && median <= high, "{key} in {row}");
        }
        assert_eq!(row["alpha_je"].as_f64(), row["alpha_je_squared"].as_f64().map(|t| t.max(0.0).sqrt()));
    }
    let (code, stdout, _) = place.run(&["theory", "small.toml"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("α_JE²") && stdout.contains("over the 3 replicates"), "{stdout}");
    assert_eq!(place.run(&["theory", "small.toml", "--replicate", "3"]).0, 2);
    let (code, _, stderr) = place.run(&["theory"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--spectra"), "{stderr}");
}

/// Limits take minutes where there are many inputs; numbers are on standard output alone.
#[test]
fn theory_of_stages_tells_how_it_gets_on_unless_it_is_to_be_quiet() {
    let place = Place::new();
    let rest = "[corruption]\nstages = [{ kind = \"additive\", variance = { relative = [0.5, 2] } }]\n\
                [augmentation]\nstages = [{ kind = \"additive\", variance = 0.1 }]\n\
                [model]\ndimension = 2\n[grid]\nsamples = 40\n";
    let text = write_images(place.directory.path(), 60, 3, 3).source(rest);
    place.write("stages.toml", text.as_bytes());
    let (code, stdout, stderr) = place.run(&["theory", "stages.toml"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("0 of 4 limits"), "{stderr}");
    assert!(stdout.contains("multiples of the mean variance of a feature"), "{stdout}");
    let quiet = place.run(&["theory", "stages.toml", "--quiet"]);
    assert_eq!(quiet, (0, stdout, String::new()));
}

/// One draw is a replicate's own; by default it is the median over all of them.
#[test]
fn theory_shows_one_replicate_where_it_is_asked_for() {
    let place = Place::new();
    let rows = |arguments: &[&str]| -> Value {
        let (code, stdout, stderr) = place.run(&[&["theory", "small.toml", "--json"], arguments].concat());
        assert_eq!(code, 0, "{stderr}");
        serde_json::from_str(&stdout).unwrap()
    };
    let mut single: Vec<f64> = ["0", "1", "2"]
        .into_iter()
        .map(|replicate| {
            let rows = rows(&["--replicate", replicate]);
            assert!(rows[0].get("alpha_je_squared_q05").is_none() && rows[0].get("replicates").is_none());
            rows[0]["alpha_je_squared"].as_f64().unwrap()
        })
        .collect();
    single.sort_by(f64::total_cmp);
    assert!(single[0] < single[1] && single[1] < single[2]);
    assert_eq!(rows(&[])[0]["alpha_je_squared"].as_f64(), Some(single[1]));
    // Nothing is drawn: one is as good as all.
    let flat = ["--set", "corruption.spectrum=flat", "--set", "augmentation.spectrum=flat"];
    let flat = rows(&flat);
    assert_eq!(flat[0]["replicates"], 1);
    assert_eq!(flat[0]["alpha_je_squared_q05"], flat[0]["alpha_je_squared_q95"]);
}

/// The same digits, of an even number of replicates, whose median lies between two: the square root
/// of the median, not the median of square roots.
#[test]
fn theory_and_run_show_the_same_thresholds() {
    let place = Place::new();
    let job = ["small.toml", "--set", "job.replicates=4", "--set", "corruption.scale=[1, 1e4]"];
    let (_, summary, _) = place.run(&[&["run"], &job[..], &["--output", "out"]].concat());
    let (_, theory, _) = place.run(&[&["theory"], &job[..]].concat());
    let mut compared = 0;
    for line in summary.lines().map(cells).filter(|cells| cells.len() > 5) {
        // paradigm, noise_scale, alignment, two distances, α*, whether α is above it.
        let column = match line[0].as_str() {
            "joint-embedding" => 1,
            "reconstruction" => 2,
            _ => continue,
        };
        let theory = theory.lines().map(cells).find(|cells| cells.first() == line.get(1)).unwrap();
        assert_eq!(theory[column].split(" (").next(), Some(line[5].as_str()), "{line:?}, {theory:?}");
        compared += 1;
    }
    assert_eq!(compared, 8, "{summary}");
}

#[test]
fn theory_says_what_dimension_its_thresholds_are_of() {
    let place = Place::new();
    let (code, stdout, stderr) =
        place.run(&["theory", "small.toml", "--set", "model.dimension=[1, 4, 5]", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let rows: Value = serde_json::from_str(&stdout).unwrap();
    let of = |at: usize, key: &str| rows[at][key].as_f64();
    assert_eq!([0, 1, 2].map(|at| rows[at]["dimension"].as_i64()), [Some(1), Some(4), Some(5)]);
    assert!(of(0, "alpha_je_squared") < of(1, "alpha_je_squared"), "fewer components, less is needed");
    assert!(of(0, "delta") > of(1, "delta") && of(0, "eta") > of(1, "eta"));
    // JSON has no infinity: what no alignment passes is null, with the reason.
    for key in [
        "delta",
        "alpha_je",
        "alpha_je_squared",
        "alpha_rc_squared",
        "crossover",
        "factor",
        "lower_threshold",
    ] {
        assert!(rows[2][key].is_null(), "{key} in {}", rows[2]);
    }
    assert!(rows[2]["never"].as_str().unwrap().contains("k = 5"), "{}", rows[2]);
    assert!(rows[0].get("never").is_none());
    let (_, stdout, _) = place.run(&["theory", "small.toml", "--set", "model.dimension=5"]);
    assert!(stdout.contains('∞') && stdout.contains("no α recovers"), "{stdout}");
}

/// Cells of a line of a table.
fn cells(line: &str) -> Vec<String> {
    line.trim_matches('│')
        .split("  ")
        .map(|cell| cell.trim().to_owned())
        .filter(|cell| !cell.is_empty())
        .collect()
}

/// One definition everywhere: the ratio of the two thresholds that are shown, which is not the
/// median of the ratios.
#[test]
fn the_lower_threshold_is_lower_by_the_ratio_of_those_shown() {
    let place = Place::new();
    let mut compared = 0;
    for seed in 0..6 {
        let seed = format!("job.seed={seed}");
        let job =
            ["small.toml", "--set", "job.replicates=6", "--set", "corruption.scale=1e4", "--set", &seed];
        let (_, json, _) = place.run(&[&["theory"], &job[..], &["--json"]].concat());
        let row = &serde_json::from_str::<Value>(&json).unwrap()[0];
        let [je, rc] = ["alpha_je", "alpha_rc"].map(|key| row[key].as_f64().unwrap());
        let (lower, ratio) = if je < rc { ("joint-embedding", rc / je) } else { ("reconstruction", je / rc) };
        assert_eq!(row["lower_threshold"], lower);
        let factor = row["factor"].as_f64().unwrap();
        assert!((factor / ratio - 1.0).abs() < 1e-12, "{row}");
        let (_, table, _) = place.run(&[&["theory"], &job[..]].concat());
        let line = table.lines().map(cells).find(|cells| cells.iter().any(|cell| cell == lower)).unwrap();
        let shown = |at: usize| line[at].split(" (").next().unwrap().parse::<f64>().unwrap();
        let (low, high) = (shown(0).min(shown(1)), shown(0).max(shown(1)));
        assert!((shown(3) / (high / low) - 1.0).abs() < 2e-3, "{line:?}");
        // What `run` ends with says the same number.
        let (_, said, _) = place.run(&[&["run"], &job[..], &["--fresh", "--output", "out"]].concat());
        let words = format!("is {lower}'s, by a factor ");
        let told = said.split(&words).nth(1).unwrap().split_whitespace().next().unwrap();
        assert!((told.trim_end_matches('.').parse::<f64>().unwrap() / factor - 1.0).abs() < 6e-3, "{said}");
        compared += usize::from(row["factor_q05"] != row["factor_q95"]);
    }
    assert_eq!(compared, 6);
}

/// A table holds what `plan`, `theory` and `run` say of columns that are relative to the data.
#[test]
fn relative_scales_are_said_to_be_relative() {
    let place = Place::new();
    let sets = [
        "--set",
        "corruption.scale={ relative = [0.5, 100] }",
        "--set",
        "augmentation.scale={ relative = 0.25 }",
    ];
    let noise = "noise_scale is relative: multiples of λ₁, the largest eigenvalue of the clean data\n";
    let views = "augmentation_scale is relative: ";
    for command in ["plan", "theory", "run"] {
        let (_, stdout, stderr) = place.run(&[&[command, "small.toml"], &sets[..]].concat());
        assert!(stdout.contains(noise) && stdout.contains(views), "{command}: {stdout}{stderr}");
        let (_, stdout, _) =
            place.run(&[&[command, "small.toml"], &sets[2..], &["--set", "job.name=b"]].concat());
        assert!(!stdout.contains(noise) && stdout.contains(views), "{command}: {stdout}");
    }
    // λ₁ is 1e4 here: the crossover on the axis that is shown.
    let (_, stdout, _) = place.run(&[&["theory", "small.toml"], &sets[..]].concat());
    assert!(stdout.contains("η²/δ/λ₁ "), "{stdout}");
    let (_, json, _) = place.run(&[&["theory", "small.toml", "--json"], &sets[..]].concat());
    for row in serde_json::from_str::<Value>(&json).unwrap().as_array().unwrap() {
        let [absolute, relative] = ["crossover", "crossover_relative"].map(|key| row[key].as_f64().unwrap());
        assert!((absolute / relative / 1e4 - 1.0).abs() < 1e-12, "{row}");
    }
}

/// k > k₀ is never recovered by leakage, which says nothing of the distance.
#[test]
fn thresholds_that_are_never_passed_are_explained_where_they_are_shown() {
    let place = Place::new();
    let said = |k: &str| {
        let dimension = format!("model.dimension={k}");
        let run = ["run", "small.toml", "--fresh", "--output", "out", "--set", &dimension];
        place.run(&run).1
    };
    let words = "never: k > k₀, the number of important components";
    let (above, below) = (said("[4, 5]"), said("[3, 4]"));
    assert!(above.contains(words) && above.contains("distance may fall all the same"), "{above}");
    assert!(!below.contains(words), "{below}");
}

/// Rates and times of a run are the same wherever they are shown.
#[test]
fn run_and_status_tell_the_same_rate() {
    let place = Place::new();
    let (_, _, said) = place.run(&["run", "small.toml", "--output", "out"]);
    let rate = said.split(" rows/s").next().unwrap().rsplit(' ').next().unwrap().to_owned();
    let (_, status, _) = place.run(&["status", "out"]);
    assert!(status.lines().map(cells).any(|cells| cells.contains(&rate)), "{rate}: {status}");
    assert!(said.contains("36 rows computed and written in "), "{said}");
}

/// Long tables end with what is spread over them, and say where the rest is.
#[test]
fn theory_prints_thirty_rows_from_end_to_end() {
    let place = Place::new();
    let set = "corruption.scale={ from = 1, to = 40, step = 1 }";
    let (_, stdout, _) = place.run(&["theory", "small.toml", "--set", set]);
    let said = "3 of 40 rows, those with 3 of 40 values of noise_scale; --json has them all";
    assert!(stdout.contains(said), "{stdout}");
    let shown: Vec<String> = stdout
        .lines()
        .map(cells)
        .filter(|cells| cells.len() > 4)
        .map(|mut cells| cells.swap_remove(0))
        .collect();
    assert_eq!(shown, ["noise_scale", "1", "21", "40", "noise_scale", "1", "21", "40"], "{stdout}");
    let (_, json, _) = place.run(&["theory", "small.toml", "--set", set, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap().as_array().unwrap().len(), 40);
}

/// Glyphs under white noise: a limit, with what it has and has not.
#[test]
fn theory_of_stages_is_a_population_limit() {
    let place = Place::new();
    let job = "[data]\nsource = \"glyphs\"\ncount = 200\ncomponents = 6\n[corruption]\nstages = [{ kind = \"additive\", variance = 0.5 }]\n\
        [augmentation]\nstages = [{ kind = \"shift\", rows = 1, columns = 1 }]\n[model]\ndimension = [2, 4]\n[grid]\nsamples = 100\n";
    place.write("stages.toml", job.as_bytes());
    let (code, stdout, stderr) = place.run(&["theory", "stages.toml", "--json"]);
    assert_eq!(code, 0, "{stderr}");
    let rows: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    for row in rows.as_array().unwrap() {
        assert_eq!(row["method"], "population-limit");
        assert!(row["delta"].is_null() && row["corollary_4_5"].is_null(), "{row}");
        assert!(row["least_leakage"].as_f64().unwrap() > 0.0);
        for key in ["alpha_je", "alpha_rc"] {
            let verdict = row[format!("{key}_verdict")].as_str().unwrap();
            assert_eq!(row[format!("{key}_squared")].is_f64(), verdict == "at", "{row}");
        }
    }
    let (code, stdout, _) = place.run(&["theory", "stages.toml"]);
    assert_eq!(code, 0);
    for said in ["population limit: ", "least leakage", "width: ", "tolerance: 0.2500, 0.1250"] {
        assert!(stdout.contains(said), "{said} in {stdout}");
    }
    assert!(!stdout.contains("Corollary") && !stdout.contains("η"), "{stdout}");
    // Noise without moments.
    let clip = "corruption.stages=[{ kind = \"clip\", low = 0, high = 0.5 }]";
    let (code, stdout, stderr) =
        place.run(&["theory", "stages.toml", "--set", clip, "--set", "augmentation.alignment=0"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("no closed form"), "{stdout}");
}

#[test]
fn theory_reads_spectra() {
    let place = Place::new();
    let good = r#"{"signal": [4.0], "theta_signal": [0.0], "gamma": [1.0], "theta_noise": [0.5]}"#;
    place.write("spectra.json", good.as_bytes());
    let (code, stdout, _) = place.run(&["theory", "--spectra", "spectra.json", "--json"]);
    assert_eq!(code, 0);
    let rows: Value = serde_json::from_str(&stdout).unwrap();
    // δ = 1, η = 2: α_RC² = 1/4 − 1/2 − 1, α_JE² = 0 − 1/2.
    assert_eq!(rows[0]["delta"], 1.0);
    assert_eq!(rows[0]["eta"], 2.0);
    assert_eq!(rows[0]["alpha_rc_squared"], -1.25);
    assert_eq!(rows[0]["alpha_je_squared"], -0.5);
    assert_eq!(rows[0]["corollary_4_5"], "reconstruction");
    assert_eq!(rows[0]["corollary_4_5_reason"], "reconstruction: max λ^Γ < η²/δ");
    // Neither needs any alignment.
    assert!(rows[0]["lower_threshold"].is_null() && rows[0]["factor"].is_null());
    assert_eq!((&rows[0]["dimension"], rows[0].get("delta_q05")), (&1.into(), None));
    // Two components, of which the stronger one is enough for k = 1; the corollary is silent
    // between 10 and 30, and the thresholds are not: α_JE² = 1 − 1/30, α_RC² = 30/8 − 1 − 1/30.
    let two = r#"{"signal": [16.0, 4.0], "theta_signal": [16.0, 12.0], "gamma": [30.0, 10.0], "theta_noise": [1.0, 1.0], "dimension": 1}"#;
    place.write("two.json", two.as_bytes());
    let (_, stdout, _) = place.run(&["theory", "--spectra", "two.json", "--json"]);
    let rows: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&rows[0]["dimension"], &rows[0]["delta"]), (&1.into(), &0.5.into()));
    assert_eq!(rows[0]["corollary_4_5"], "undetermined");
    assert_eq!(rows[0]["corollary_4_5_reason"], "undetermined: η²/δ lies between min and max λ^Γ");
    assert_eq!(rows[0]["lower_threshold"], "joint-embedding");
    let factor = (30.0_f64 / 8.0 - 1.0 - 1.0 / 30.0).sqrt() / (1.0_f64 - 1.0 / 30.0).sqrt();
    assert!((rows[0]["factor"].as_f64().unwrap() - factor).abs() < 1e-12, "{}", rows[0]);
    for (text, word) in [
        ("{", "spectra.json"),
        (r#"{"signal": []}"#, "theta_signal"),
        (r#"{"signal": [0.0], "theta_signal": [0.0], "gamma": [1.0], "theta_noise": [0.5]}"#, "above 0"),
        (
            r#"{"signal": [1.0], "theta_signal": [0.0, 1.0], "gamma": [1.0], "theta_noise": [0.5]}"#,
            "`theta_signal` has 2",
        ),
        (
            r#"{"signal": [1.0], "theta_signal": [0.0], "gamma": [1.0], "theta_noise": [0.5], "dimension": 3}"#,
            "`dimension` is 3; it must be from 1 to 2",
        ),
    ] {
        place.write("bad.json", text.as_bytes());
        let (code, stdout, stderr) = place.run(&["theory", "--spectra", "bad.json"]);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains(if word == "spectra.json" { "bad.json" } else { word }), "{stderr}");
    }
}

#[test]
fn completions_for_every_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (code, stdout, _) = place.run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(stdout.contains("eigensweep"), "{shell}");
    }
}

/// Plans of the same job have the same hash.
fn hash(plan: &str) -> String {
    let found = plan.lines().find(|line| line.starts_with("job hash"));
    found.unwrap_or_else(|| panic!("no hash in {plan}")).to_owned()
}

#[test]
fn a_commented_job_is_planned_as_the_job_of_defaults() {
    let place = Place::new();
    place.write("least.toml", b"[data]");
    let defaults = hash(&place.run(&["plan", "least.toml"]).1);
    for length in [&["init"][..], &["init", "--minimal"], &["init", "--full"]] {
        let (code, text, told) = place.run(length);
        assert_eq!((code, told.as_str()), (0, ""));
        place.write("my.toml", text.as_bytes());
        let (code, plan, told) = place.run(&["plan", "my.toml"]);
        assert_eq!((code, hash(&plan)), (0, defaults.clone()), "{told}");
    }
    #[cfg(unix)]
    {
        let (_, text, _) = place.run(&["init", "--full"]);
        let piped = place.eigensweep(&["plan", "/dev/stdin"]).write_stdin(text).output().unwrap();
        assert_eq!(hash(&String::from_utf8(piped.stdout).unwrap()), defaults);
    }
    assert_eq!(place.run(&["init", "--minimal", "--full"]).0, 2);
}

#[test]
fn keys_are_a_table_that_fits_and_has_each_of_them() {
    let place = Place::new();
    let (code, all, _) = place.run(&["keys"]);
    assert_eq!(code, 0);
    assert!(all.lines().all(|line| line.chars().count() <= 100), "{all}");
    for key in eigensweep_job::keys::KEYS.iter() {
        let page = all.split_once(&format!("[{}]\n", key.table)).unwrap().1;
        assert!(page.lines().any(|line| line.starts_with(&format!(" {} ", key.name))), "{}", key.path);
    }
    let (_, one, _) = place.run(&["keys", "sampler"]);
    assert!(one.starts_with("[sampler]\n") && all.contains(&one) && !one.contains("[output]"), "{one}");
    let (code, _, told) = place.run(&["keys", "agumentation"]);
    assert!(code == 2 && told.contains("'augmentation'"), "{told}");
}

#[test]
fn every_command_has_an_example() {
    let place = Place::new();
    for command in ["run", "plan", "theory", "solve", "keys", "init", "completions"] {
        let (code, stdout, _) = place.run(&[command, "--help"]);
        assert_eq!(code, 0);
        assert!(stdout.contains("Example"), "{command}");
    }
}

/// Each signal has its exit code, leaves recorded parts only, and the next run goes on to the bytes
/// of a run that nobody stopped.
#[cfg(unix)]
#[test]
fn signals_stop_a_run_that_resumes_to_the_same_bytes() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    // Long enough to be interrupted: sixty parts, each of many small tasks.
    let long = ["--set", "job.replicates=6000", "--set", "output.part_rows=1200", "--threads", "2"];
    let run = |output: &str| -> Vec<String> {
        ["run", "small.toml", "--output", output].iter().chain(&long).map(|&text| text.to_owned()).collect()
    };
    let bytes = |output: &str| -> Vec<Vec<u8>> {
        let files = ["data", "commits"].map(|name| place.contents(&format!("{output}/{name}")));
        files.into_iter().flatten().map(|(_, bytes)| bytes).collect()
    };
    let to_the_end = |output: &str| {
        let arguments = run(output);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--quiet"]).collect();
        assert_eq!(place.run(&arguments).0, 0);
        bytes(output)
    };
    let whole = to_the_end("whole");
    for (signal, expected) in [("-TERM", 143), ("-INT", 130), ("-USR1", 75), ("-USR2", 75)] {
        let output = format!("out{signal}");
        let mut child = Command::new(env!("CARGO_BIN_EXE_eigensweep"))
            .current_dir(place.directory.path())
            .args(run(&output))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while fs::read_dir(place.path(&output).join("commits")).map_or(0, Iterator::count) == 0 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(child.try_wait().unwrap().is_none(), "the run is long enough to be interrupted");
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(expected));
        let done = fs::read_dir(place.path(&output).join("commits")).unwrap().count();
        let parts = fs::read_dir(place.path(&output).join("data")).unwrap().count();
        assert_eq!(done, parts, "every part in data/ is recorded");
        assert!(done < 60, "{signal} stopped it");
        let manifest = fs::read_to_string(place.path(&output).join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["committed"].as_array().unwrap().len(), done);
        assert_eq!(manifest["runs"][0]["state"], "stopped");
        assert!(to_the_end(&output) == whole, "{signal}: the same bytes");
    }
}
