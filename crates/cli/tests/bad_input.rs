//! Bad input: a clear error that names the place and the remedy, exit 2 for a bad job and 1
//! otherwise, nothing written, nothing lost.

mod common;

use std::fs;

use common::Place;

/// A job with these overrides is refused with exit 2; standard error says all of `words`; nothing
/// is written.
fn refused(overrides: &[&str], words: &[&str]) {
    let place = Place::new();
    let mut arguments = vec!["run", "small.toml", "--output", "out"];
    for text in overrides {
        arguments.extend(["--set", text]);
    }
    check(&place, &arguments, 2, words);
    assert!(!place.path("out").exists(), "nothing is written");
}

fn check(place: &Place, arguments: &[&str], code: i32, words: &[&str]) {
    let (found, stdout, stderr) = place.run(arguments);
    assert_eq!(found, code, "{stderr}");
    assert_eq!(stdout, "");
    for word in words {
        assert!(stderr.contains(word), "no {word:?} in:\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn unknown_keys() {
    refused(&["model.dimensio=3"], &["no key `dimensio`", "did you mean `dimension`"]);
}

#[test]
fn unknown_keys_in_the_file_are_underlined() {
    let place = Place::new();
    place.write("bad.toml", b"[job]\nreplicats = 3\n");
    check(&place, &["run", "bad.toml"], 2, &["bad.toml:2:1", "replicats = 3", "did you mean `replicates`"]);
    assert!(!place.path("output").exists());
}

#[test]
fn syntax_errors() {
    let place = Place::new();
    place.write("bad.toml", b"[job\nseed = 1\n");
    check(&place, &["run", "bad.toml"], 2, &["bad.toml:1"]);
}

#[test]
fn wrong_types() {
    refused(&["job.seed=\"one\""], &["job.seed"]);
    refused(&["model.dimension=2.5"], &["model.dimension", "whole number"]);
}

#[test]
fn not_a_number() {
    refused(&["augmentation.alignment=nan"], &["augmentation.alignment"]);
    refused(&["corruption.scale=[1.0, inf]"], &["corruption.scale"]);
}

#[test]
fn negative_scales() {
    refused(&["corruption.scale=-1.0"], &["corruption.scale", "at least 0"]);
    refused(&["augmentation.scale=-1.0"], &["augmentation.scale", "at least 0"]);
}

#[test]
fn empty_axes() {
    refused(&["grid.samples=[]"], &["grid.samples", "no values"]);
}

#[test]
fn grids_beyond_63_bits() {
    let axis = "{ from = 1, to = 999999, step = 1 }";
    let alignment = format!("augmentation.alignment={axis}");
    let (noise, views) = (format!("corruption.scale={axis}"), format!("augmentation.scale={axis}"));
    refused(&[&alignment, &noise, &views, "job.replicates=1000"], &["cells"]);
}

#[test]
fn tasks_too_large_for_memory() {
    let axis = "{ from = 1, to = 99999, step = 1 }";
    let (alignment, noise) = (format!("augmentation.alignment={axis}"), format!("corruption.scale={axis}"));
    let place = Place::new();
    let arguments = ["run", "small.toml", "--output", "out", "--set", &alignment, "--set", &noise];
    check(&place, &arguments, 1, &["one sample is shared by", "split the axes"]);
    assert!(!place.path("out").exists());
}

#[test]
fn dimension_above_the_features() {
    refused(&["model.dimension=8"], &["model.dimension", "at most 7"]);
}

#[test]
fn no_samples() {
    refused(&["grid.samples=0"], &["grid.samples", "at least one"]);
}

#[test]
fn several_problems_at_once() {
    refused(&["corruption.scale=-1", "grid.samples=[]", "job.seed=-1"], &["3 problems in the job"]);
}

#[test]
fn samples_above_the_data_set() {
    let place = Place::new();
    let mut arguments = place.idx(40, 40);
    arguments.extend(["--set", "grid.samples=[20, 41]"].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    check(&place, &arguments, 2, &["asks for 41 samples", "the data have 40", "at most 40"]);
    assert!(!place.path("out").exists());
}

#[test]
fn labels_and_images_that_differ_in_number() {
    let place = Place::new();
    let arguments = place.idx(40, 39);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    check(&place, &arguments, 2, &["`data.labels` has 39 rows, the inputs have 40", "train with train"]);
    assert!(!place.path("out").exists());
}

#[test]
fn missing_images() {
    let place = Place::new();
    let arguments = place.idx(40, 40);
    fs::remove_file(place.path("images.idx")).unwrap();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    check(&place, &arguments, 2, &["images.idx", "does not exist", "--set data.images"]);
}

#[test]
fn truncated_and_hostile_idx() {
    let place = Place::new();
    let arguments = place.idx(40, 40);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let whole = fs::read(place.path("images.idx")).unwrap();
    place.write("images.idx", &whole[..200]);
    check(&place, &arguments, 1, &["images.idx"]);
    // A header that promises 2^96 bytes.
    let mut hostile = vec![0, 0, 8, 3];
    hostile.extend([0xff; 12]);
    place.write("images.idx", &hostile);
    check(&place, &arguments, 1, &["images.idx"]);
    assert!(!place.path("out").exists());
}

#[test]
fn output_that_is_a_file() {
    let place = Place::new();
    place.write("out", b"precious");
    check(&place, &["run", "small.toml", "--output", "out"], 1, &["out is a file", "--output DIR"]);
    check(&place, &["run", "small.toml", "--output", "out", "--fresh"], 1, &["out is a file"]);
    assert_eq!(fs::read(place.path("out")).unwrap(), b"precious");
}

#[test]
fn output_that_cannot_be_written() {
    let place = Place::new();
    place.write("file", b"");
    check(&place, &["run", "small.toml", "--output", "file/out"], 1, &["file/out"]);
}

#[test]
fn output_with_other_things_in_it() {
    let place = Place::new();
    fs::create_dir(place.path("out")).unwrap();
    place.write("out/thesis.tex", b"precious");
    for arguments in
        [&["run", "small.toml", "--output", "out"][..], &["run", "small.toml", "--output", "out", "--fresh"]]
    {
        check(&place, arguments, 1, &["holds no data set"]);
    }
    assert_eq!(place.contents("out").len(), 1);
}

#[test]
fn output_of_another_job() {
    let place = Place::new();
    assert_eq!(place.run(&["run", "small.toml", "--output", "out", "--quiet"]).0, 0);
    let before = place.contents("out");
    let other = ["run", "small.toml", "--output", "out", "--set", "job.seed=4"];
    check(&place, &other, 1, &["another job, which differs in job.seed (", ", not 4)", "--fresh"]);
    assert_eq!(place.contents("out"), before, "nothing is lost");
}

#[test]
fn missing_job_files() {
    check(&Place::new(), &["run", "absent.toml"], 2, &["absent.toml"]);
}

#[test]
fn bad_usage() {
    let place = Place::new();
    for arguments in [
        &["run"][..],
        &["run", "small.toml", "--threads", "0"],
        &["theory"],
        &["frobnicate"],
        &["run", "small.toml", "--quiet", "--verbose"],
    ] {
        assert_eq!(place.run(arguments).0, 2, "{arguments:?}");
    }
}
