//! Population limits of jobs: raw features by their pencils, stages by the root of the excess
//! leakage, and boundaries that begin there.

#![expect(clippy::float_cmp, reason = "infinities, zeros and values of axes")]
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::path::Path;
use std::sync::Arc;

use eigensweep_engine::input::{Input, SecondMoment};
use eigensweep_engine::study::Study;
use eigensweep_engine::theory::{Method, NoThresholds, Spread, TheorySpread, limits, over_replicates, table};
use eigensweep_engine::thresholds::ThresholdTable;
use eigensweep_store::boundary::{ALPHA, HIGH, LOW, THEORY};
use eigensweep_store::columns::Status;
use eigensweep_testkit::arrays::npy;
use eigensweep_testkit::idx::{Images, write_images};
use eigensweep_testkit::random::Random;
use eigensweep_testkit::rows::{Cell, job};
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};
use eigensweep_theory::population::{Covariances, Limit, Limits, Sought};
use eigensweep_theory::thresholds::alignment;
use eigensweep_theory::{InstructionSet, Paradigm};
use faer::Mat;

const SIZE: usize = 16;
const ROWS: u32 = 60;

fn images(place: &Path) -> Images {
    write_images(place, ROWS, 4, 3)
}

/// Writes a covariance with such eigenvalues, and returns it.
fn covariance(random: &mut Random, place: &Path, name: &str, decades: [f64; 2]) -> Mat<f64> {
    let values: Vec<f64> = (0..SIZE).map(|_| random.decades(decades[0], decades[1])).collect();
    let matrix = random.with_eigenvalues(&values);
    let bytes: Vec<u8> =
        (0..SIZE * SIZE).flat_map(|at| matrix[(at / SIZE, at % SIZE)].to_le_bytes()).collect();
    std::fs::write(place.join(name), npy("<f8", "False", "(16, 16)", &bytes)).unwrap();
    matrix
}

/// C₀ (d × d) of images with values from 0 to 1, by raw features of a job without stages.
fn clean(images: &Images) -> Mat<f64> {
    let rest = "range = [0, 1]\n[model]\ndimension = 3\n[grid]\nsamples = 60\n";
    let Input::Rows { sets, .. } = Input::load(&job(&images.source(rest), &[])).unwrap() else {
        panic!("rows of files")
    };
    match &sets[0].moment {
        SecondMoment::Dense(moment) => moment.clone(),
        SecondMoment::Diagonal(_) => panic!("raw features"),
    }
}

fn of_stages(text: &str, set: &[&str]) -> Vec<TheorySpread> {
    let job = job(text, set);
    let mut heard = Vec::new();
    let input = Arc::new(Input::load(&job).unwrap());
    let rows = limits(&job.spec, &job.boundary, &input, 0, &mut |done, of| heard.push((done, of))).unwrap();
    // Limits of two paradigms a row.
    let all = 2 * rows.len();
    assert_eq!((heard[0], heard[heard.len() - 1]), ((0, all), (all, all)));
    assert!(heard.is_sorted() && heard.iter().all(|(_, of)| *of == all), "{heard:?}");
    rows
}

fn squared(found: &Spread, paradigm: &Paradigm) -> f64 {
    found.limits.iter().find(|(other, _)| *other == paradigm).unwrap().1.median
}

/// A job on images whose corruption and views have dense covariances, of files.
fn dense(images: &Images, place: &Path, rest: &str) -> String {
    let file = |name: &str| place.join(name).display().to_string();
    images.source(&format!(
        "[corruption]\nstages = [{{ kind = \"additive\", covariance = {:?} }}]\n[augmentation]\n\
         stages = [{{ kind = \"additive\", covariance = {:?} }}]\n[grid]\nsamples = 60\n{rest}",
        file("gamma.npy"),
        file("theta.npy")
    ))
}

/// Dense Γ and Θ through stages: moments of the data by one way, those of the limit by another.
#[test]
fn the_limit_of_additive_stages_is_that_of_their_covariances() {
    let place = tempfile::tempdir().unwrap();
    let (images, mut random) = (images(place.path()), Random(9));
    let gamma = covariance(&mut random, place.path(), "gamma.npy", [-4.0, 0.0]);
    let theta = covariance(&mut random, place.path(), "theta.npy", [-4.0, -2.0]);
    let clean = clean(&images);
    let text = dense(&images, place.path(), "[model]\ndimension = [1, 3, 6]\n");
    let (mut traced, mut widths) = (0, 0);
    for (row, k) in of_stages(&text, &["augmentation.floor=0"]).iter().zip([1, 3, 6]) {
        assert_eq!(row.axes.last(), Some(&("dimension", k as f64)));
        let found = row.thresholds.as_ref().unwrap();
        assert_eq!(found.method, Method::PopulationLimit);
        let more = found.gradual.as_ref().unwrap();
        let covariances = Covariances { clean: clean.as_ref(), noise: gamma.as_ref(), rounding: 0.0 };
        let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
        assert!((more.least - limits.least()).abs() < 1e-10 && more.least > 0.0);
        assert!((more.tolerance - 0.5 / k as f64).abs() < 1e-15);
        for paradigm in [&JOINT_EMBEDDING, &RECONSTRUCTION] {
            let expected = limits.additive(paradigm, Sought::of(k), theta.as_ref()).unwrap();
            let squared = squared(found, paradigm);
            let verdict = found.verdict(paradigm).unwrap();
            match expected {
                Limit::Always => assert!(squared == f64::NEG_INFINITY && verdict == "always"),
                Limit::Never => assert!(squared == f64::INFINITY && verdict == "never"),
                Limit::At { alpha, width } => {
                    assert!((squared.sqrt() / alpha - 1.0).abs() < 1e-6, "{paradigm}: {squared}, {alpha}");
                    assert_eq!(verdict, "at");
                    let (_, own) = more.widths.iter().find(|(other, _)| *other == paradigm).unwrap();
                    assert!(*own == width || (own - width).abs() < 1e-5, "{own}, {width}");
                    widths += usize::from(width > 0.0 && width.is_finite());
                    traced += 1;
                }
            }
        }
    }
    assert!(traced >= 3 && widths > 0, "{traced} traced, {widths} with a width");
}

/// A stage that has no closed form, and changes nothing: views are drawn of all rows, corrupted
/// once each, and the limit is about the same.
#[test]
fn views_that_must_see_rows_have_about_the_same_limit() {
    let place = tempfile::tempdir().unwrap();
    let images = write_images(place.path(), 1500, 4, 3);
    let text = images.source(
        "[corruption]\nstages = [{ kind = \"additive\", variance = 0.002 }, { kind = \"brightness\", low = -0.4, high = 0.4 }]\n\
         [features]\nviews = 4\n[augmentation]\nfloor = 1e-3\nstages = [{ kind = \"additive\", variance = 0.02 }]\n\
         [model]\ndimension = 3\n[grid]\nsamples = 60\n",
    );
    let clip = "augmentation.stages=[{ kind = \"additive\", variance = 0.02 }, { kind = \"clip\", low = -1e6, high = 1e6 }]";
    let [closed, drawn] =
        [&[][..], &[clip]].map(|set| of_stages(&text, set).swap_remove(0).thresholds.unwrap());
    let mut traced = 0;
    for paradigm in [&JOINT_EMBEDDING, &RECONSTRUCTION] {
        let [one, other] = [&closed, &drawn].map(|found| alignment(squared(found, paradigm)));
        assert!((one - other).abs() <= 0.05 * one, "{paradigm}: {one} and {other}");
        traced += usize::from(one > 0.0 && one.is_finite());
    }
    assert!(traced > 0);
}

/// Each setting of the axes that matter has a row, others do not multiply them; what has no limit
/// says why; a tolerance that the job gives is that of the limit.
#[test]
fn rows_of_limits_are_those_of_the_axes_that_matter() {
    let place = tempfile::tempdir().unwrap();
    let images = images(place.path());
    let text = images.source(
        "[corruption]\nstages = [{ kind = \"additive\", variance = 0.01, strength = [0.5, 2] }]\n\
         [augmentation]\nalignment = [0, 1, 2]\nfloor = [1e-3, 1e-2]\n[model]\ndimension = [2, 3]\n[grid]\nsamples = [20, 60]\n",
    );
    let found = of_stages(&text, &[]);
    assert_eq!(found.len(), 2 * 2 * 2);
    assert!(found.iter().all(|row| row.axes.len() == 3 && row.thresholds.is_ok()));
    let of = |row: &TheorySpread, name: &str| row.axes.iter().find(|axis| axis.0 == name).unwrap().1;
    let values = ["additive_strength", "floor", "dimension"];
    let values: Vec<_> = found.iter().map(|row| values.map(|name| of(row, name))).collect();
    assert_eq!(values[..3], [[0.5, 1e-3, 2.0], [0.5, 1e-3, 3.0], [0.5, 1e-2, 2.0]]);
    assert_eq!(values[7], [2.0, 1e-2, 3.0]);
    let least = |row: &TheorySpread| row.thresholds.as_ref().unwrap().gradual.as_ref().unwrap().least;
    assert!(least(&found[0]) < least(&found[4]), "more noise cannot be had around");
    let given = of_stages(&text, &["boundary.tolerance=0.01"]);
    assert!(given.iter().zip(&found).all(|(given, found)| {
        let [given, found] = [given, found].map(|row| row.thresholds.as_ref().unwrap());
        given.gradual.as_ref().unwrap().tolerance == 0.01
            && squared(given, &JOINT_EMBEDDING) >= squared(found, &JOINT_EMBEDDING)
    }));
    let why = |set: &[&str]| of_stages(&text, set).swap_remove(0).thresholds.unwrap_err();
    let clipped =
        "corruption.stages=[{ kind = \"additive\", variance = 0.1 }, { kind = \"clip\", low = 0, high = 1 }]";
    assert_eq!(why(&[clipped]), NoThresholds::OpenCorruption);
    // S is no larger than the inputs.
    let rank = ["model.dimension=17", "augmentation.floor=0"];
    assert!(matches!(why(&rank), NoThresholds::Failed(_)));
    let large = write_images(place.path(), 40, 33, 3).source(
        "[corruption]\nstages = [{ kind = \"additive\", variance = 0.01 }]\n[model]\ndimension = 2\n[grid]\nsamples = 20\n",
    );
    let found = of_stages(&large, &[]).swap_remove(0).thresholds.unwrap_err();
    assert_eq!(found, NoThresholds::TooLarge { inputs: 33 * 33 });
}

/// JSON has the keys of the propositions, null where a limit has no such thing, and what it has
/// more.
#[test]
fn limits_as_json_have_verdicts_widths_and_the_least_leakage() {
    let place = tempfile::tempdir().unwrap();
    let (images, mut random) = (images(place.path()), Random(9));
    for (name, range) in [("gamma.npy", [-4.0, 0.0]), ("theta.npy", [-4.0, -2.0])] {
        covariance(&mut random, place.path(), name, range);
    }
    let text = dense(&images, place.path(), "[model]\ndimension = [3]\n");
    let json = ThresholdTable::of_job(&job(&text, &[]), None).unwrap().json().swap_remove(0);
    for key in ["delta", "eta", "crossover", "corollary_4_5", "corollary_4_5_reason"] {
        assert!(json[key].is_null(), "{key} in {json}");
    }
    for key in ["alpha_rc", "alpha_je"] {
        let verdict = json[format!("{key}_verdict")].as_str().unwrap();
        assert_eq!(json[format!("{key}_squared")].is_f64(), verdict == "at", "{json}");
        assert!(["always", "never", "at"].contains(&verdict));
        assert!(json.get(format!("{key}_width")).is_some());
    }
    assert!(json["least_leakage"].as_f64().unwrap() > 0.0);
    assert_eq!((&json["method"], &json["dimension"]), (&"population-limit".into(), &3.into()));
}

const RAW: &str = "[job]\nreplicates = 5\n[corruption]\ncomponents = 3\nscale = 2e4\n[augmentation]\nscale = 1e4\n\
    [model]\ndimension = [1, 4, 16, 17]\n[grid]\nsamples = 60\n";

/// Raw features of real data: C₀ is dense, Γ on components of its own. The closed form is the root,
/// and δ and η mean what they do.
#[test]
fn raw_features_have_thresholds_that_are_the_roots() {
    let place = tempfile::tempdir().unwrap();
    let images = images(place.path());
    let job = job(&images.source(RAW), &[]);
    let input = Input::load(&job).unwrap();
    let Input::Rows { sets, .. } = &input else { panic!("rows of files") };
    let SecondMoment::Dense(moment) = &sets[0].moment else { panic!("raw features") };
    let spectra = eigensweep_engine::theory::spectra(&job.spec, &input, 2).swap_remove(0);
    let size = SIZE + 3;
    let inside = |i: usize, j: usize| if i < SIZE && j < SIZE { moment[(i, j)] } else { 0.0 };
    let clean = Mat::from_fn(size, size, inside);
    let diagonal = |values: &[f64]| Mat::from_fn(size, size, |i, j| if i == j { values[i] } else { 0.0 });
    let noise = diagonal(&[&[0.0; SIZE][..], &spectra.gamma].concat());
    let theta = diagonal(&[spectra.theta_signal, spectra.theta_noise].concat());
    let rows = table(&job.spec, &input, 2);
    let mut traced = 0;
    for (row, k) in rows.iter().zip([1, 4, 16, 17]) {
        assert_eq!(row.method, Method::Pencils);
        let found = row.thresholds.as_ref().unwrap();
        if k > SIZE {
            assert!(found.is_never());
            continue;
        }
        assert!(found.delta > 0.0 && found.delta < 1.0 && found.eta > 0.0);
        let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding: 0.0 };
        let mut limits = Limits::new(InstructionSet::detect(), covariances, k).unwrap();
        for (paradigm, squared) in found.limits() {
            match limits.additive(paradigm, Sought::of(k), theta.as_ref()).unwrap() {
                Limit::At { alpha, .. } => {
                    traced += 1;
                    let expected = alignment(squared);
                    assert!(
                        (alpha / expected - 1.0).abs() < 1e-5,
                        "{paradigm}, k = {k}: {alpha}, {expected}"
                    );
                }
                Limit::Always => assert!(squared <= 1e-9, "{paradigm}, k = {k}: {squared}"),
                Limit::Never => panic!("{paradigm}, k = {k}: never, and {squared}"),
            }
        }
    }
    assert!(traced >= 3, "{traced}");
    let (spread, drawn) = over_replicates(&job.spec, &input);
    assert_eq!((spread.len(), drawn), (4, 5), "Θ is drawn, and so few pencils are solved at once");
    let of_four = spread[1].thresholds.as_ref().unwrap();
    assert!(of_four.delta.q05 < of_four.delta.q95 && !of_four.preferences.is_empty());
}

/// All principal components have the thresholds of the raw features, where Θ is white and so
/// diagonal in any basis.
#[test]
fn raw_features_and_all_their_components_have_the_same_thresholds() {
    let place = tempfile::tempdir().unwrap();
    let images = images(place.path());
    let white = ["augmentation.spectrum=flat", "model.dimension=[1, 4, 16]"];
    let of = |data: &str| {
        let text = images.source(&format!("{data}\n{RAW}"));
        let job = job(&text, &white);
        table(&job.spec, &Input::load(&job).unwrap(), 1)
    };
    for (raw, components) in of("").iter().zip(of("components = 16")) {
        let [raw, components] =
            [&raw.thresholds, &components.thresholds].map(|found| found.as_ref().unwrap());
        for [one, other] in [
            [raw.delta, components.delta],
            [raw.eta, components.eta],
            [raw.alpha_rc_squared, components.alpha_rc_squared],
            [raw.alpha_je_squared, components.alpha_je_squared],
        ] {
            assert!((one - other).abs() < 1e-8 * one.abs().max(1.0), "{one} and {other}");
        }
        assert_eq!(raw.preference, components.preference);
    }
}

fn traced(text: &str, set: &[&str]) -> Vec<Cell> {
    let rows = Study::load(job(text, set).traced().unwrap()).unwrap().plan().unwrap().rows(2).unwrap();
    (0..rows.len()).map(|at| Cell::of(&rows, at)).collect()
}

/// All rows are the sample, and the corruption is in its limit: each replicate is the population,
/// and its critical alignment the limit, which is that of leakage itself.
#[test]
fn the_boundary_of_a_population_is_its_limit() {
    let place = tempfile::tempdir().unwrap();
    let (images, mut random) = (images(place.path()), Random(9));
    for (name, range) in [("gamma.npy", [-4.0, 0.0]), ("theta.npy", [-4.0, -2.0])] {
        covariance(&mut random, place.path(), name, range);
    }
    let rest = "[model]\ndimension = [1, 2, 3, 12]\n[boundary]\nprecision = 0.02\ntolerance = 0.12\n";
    let found = traced(&dense(&images, place.path(), rest), &["corruption.draw=population"]);
    assert_eq!(found.len(), 8);
    let (mut reached, mut others) = (0, 0);
    for cell in &found {
        match cell.row.status {
            Status::Ok => {
                reached += 1;
                assert!((cell[&ALPHA] / cell[&THEORY] - 1.0).abs() < 0.003, "{}", cell[&THEORY]);
                assert!(cell[&LOW] <= cell[&THEORY] && cell[&THEORY] <= cell[&HIGH]);
            }
            Status::Always => assert_eq!(cell[&THEORY], 0.0),
            Status::Never => {
                others += 1;
                assert!(cell[&THEORY].is_nan());
            }
            Status::NotPositiveDefinite
            | Status::NoConvergence
            | Status::NotFinite
            | Status::DimensionAboveRank => panic!("{:?}", cell.row.status),
        }
    }
    assert!(reached >= 4 && others >= 2, "{reached} and {others}");
}

/// Raw features at n = all rows: the search begins at their threshold.
#[test]
fn boundaries_of_raw_features_have_their_thresholds_beside_them() {
    let place = tempfile::tempdir().unwrap();
    let images = images(place.path());
    let set = ["model.dimension=4", "augmentation.spectrum=flat", "corruption.spectrum=flat"];
    let text = images.source(RAW);
    let found = traced(&text, &[&set[..], &["boundary.precision=0.2"]].concat());
    let job = job(&text, &set);
    let rows = table(&job.spec, &Input::load(&job).unwrap(), 0);
    let thresholds = rows[0].thresholds.as_ref().unwrap();
    for (cell, (_, squared)) in found.iter().zip(thresholds.limits()) {
        let expected = alignment(squared);
        assert!(
            (cell[&THEORY] - expected).abs() <= 1e-12 * expected.max(1.0),
            "{} and {expected}",
            cell[&THEORY]
        );
    }
}
