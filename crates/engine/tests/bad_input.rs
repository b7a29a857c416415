//! What only the loaded input tells: jobs that parse and cannot be run are refused before any work.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::Path;

use eigensweep_engine::EngineError;
use eigensweep_engine::input::{Input, LARGEST_SIZE};
use eigensweep_inputs::InputError;
use eigensweep_job::{Job, Problem};
use eigensweep_store::StoreError;
use eigensweep_store::plan::{Plan, TASK_ROWS};
use eigensweep_testkit::idx::{Images, idx, write_images};
use eigensweep_testkit::rows::job;
use tempfile::TempDir;

/// 40 images of 4 × 4 pixels, 3 classes.
fn images() -> (TempDir, Images) {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 40, 4, 3);
    (directory, images)
}

/// A job on images: `components = 5`, 2 noise components, k = 5, n = 20.
fn job_on(images: &Images, set: &[&str]) -> Job {
    let rest = "[corruption]\ncomponents = 2\n[model]\ndimension = 5\n[grid]\nsamples = 20\n";
    job(&format!("{}{rest}", images.source("components = 5")), set)
}

fn raw_job_on(images: &Images, set: &[&str]) -> Job {
    let rest = "[corruption]\ncomponents = 2\n[model]\ndimension = 5\n[grid]\nsamples = 20\n";
    job(&format!("{}{rest}", images.source("")), set)
}

/// The problems of a job whose input was refused, each with the text that it underlines.
#[track_caller]
fn problems(job: &Job) -> Vec<(Problem, String)> {
    match Input::load(job) {
        Err(EngineError::Job(found)) => {
            let text = |p: &Problem| found.sources[p.place.source].text[p.place.span.clone()].to_owned();
            found.problems.iter().map(|p| (p.clone(), text(p))).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_one_problem(job: &Job, message: &str, underlined: &str) {
    let found = problems(job);
    let [(problem, text)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((problem.message.as_str(), text.as_str()), (message, underlined));
    assert!(!problem.label.is_empty() && problem.help.is_some(), "{problem:?}");
}

#[track_caller]
fn data_error(job: &Job) -> InputError {
    match Input::load(job) {
        Err(EngineError::Input(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_fits_is_taken() {
    let (_directory, images) = images();
    for set in [
        &[][..],
        &["grid.samples=[1, 40]"],
        &["data.components=16", "model.dimension=18"],
        &["data.components=[1, 5, 16]", "model.dimension=3"],
    ] {
        assert!(Input::load(&job_on(&images, set)).is_ok(), "{set:?}");
    }
    assert!(Input::load(&raw_job_on(&images, &["model.dimension=18"])).is_ok());
}

#[test]
fn more_samples_than_the_data_have() {
    let (_directory, images) = images();
    let message = "`grid.samples` asks for 41 samples, but the data have 40 images";
    assert_one_problem(&job_on(&images, &["grid.samples=41"]), message, "41");
    assert_one_problem(&job_on(&images, &["grid.samples=[3, 41, 40]"]), message, "41");
    assert_one_problem(&raw_job_on(&images, &["grid.samples=41"]), message, "41");
    // A range is underlined as a whole.
    let range = "{ from = 39, to = 41, step = 1 }";
    assert_one_problem(&job_on(&images, &[&format!("grid.samples={range}")]), message, range);
}

#[test]
fn more_components_than_pixels() {
    let (_directory, images) = images();
    let message = "`data.components` asks for 17 components, but the data have 16 pixels";
    assert_one_problem(&job_on(&images, &["data.components=[17, 5]"]), message, "17");
    // However many: nothing is computed or allocated first.
    let huge = "`data.components` asks for 2147483647 components, but the data have 16 pixels";
    assert_one_problem(&job_on(&images, &["data.components=2147483647"]), huge, "2147483647");
}

/// Fewer images than pixels have no more components than images.
#[test]
fn more_components_than_images() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 6, 4, 2);
    let found = problems(&job_on(&images, &["data.components=7", "grid.samples=6"]));
    let [(problem, text)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(text, "7");
    assert!(problem.message.contains("the data have 6 "), "{}", problem.message);
    assert!(!problem.message.contains("6 pixels"), "there are 16 pixels: {}", problem.message);
}

#[test]
fn a_dimension_beyond_the_features() {
    let (_directory, images) = images();
    let message = "`model.dimension` asks for 19 dimensions, but the data have 18 components";
    assert_one_problem(&raw_job_on(&images, &["model.dimension=[5, 19]"]), message, "19");
}

#[test]
fn all_problems_at_once() {
    let (_directory, images) = images();
    let set = ["grid.samples=[41, 42]", "data.components=[5, 17, 99]"];
    let found: Vec<String> = problems(&job_on(&images, &set)).into_iter().map(|(_, text)| text).collect();
    assert_eq!(found, ["41", "42", "17", "99"]);
}

#[test]
fn a_list_of_views_that_does_not_fit() {
    let (_directory, images) = images();
    let set = ["augmentation.spectrum=[1, 2, 3]"];
    let found = problems(&raw_job_on(&images, &set));
    let [(problem, text)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(text, "[1, 2, 3]");
    assert!(problem.message.contains("3 eigenvalues for 18 components"), "{}", problem.message);
    let right: Vec<String> = (0..18).map(|i| i.to_string()).collect();
    let right = format!("augmentation.spectrum=[{}]", right.join(", "));
    assert!(Input::load(&raw_job_on(&images, &[&right])).is_ok());
}

#[test]
fn images_and_labels_of_different_number() {
    let (_directory, images) = images();
    fs::write(&images.labels, idx(&[39], &[1; 39])).unwrap();
    for job in [job_on(&images, &[]), raw_job_on(&images, &[])] {
        let found = problems(&job);
        let [(problem, _)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(problem.message, "`data.labels` has 39 rows, the inputs have 40");
    }
}

#[test]
fn missing_and_damaged_files() {
    let (directory, images) = images();
    let nowhere = |name: &str| directory.path().join(name);
    let missing = Images { images: nowhere("nowhere"), labels: nowhere("either") };
    let found = problems(&job_on(&missing, &[]));
    let [(first, images_text), (second, labels_text)] = &found[..] else { panic!("{found:?}") };
    assert!(first.message.contains("does not exist") && second.message.contains("does not exist"));
    assert!(images_text.contains("nowhere") && labels_text.contains("either"), "both are underlined");

    let whole = fs::read(&images.images).unwrap();
    fs::write(&images.images, &whole[..whole.len() - 1]).unwrap();
    let error = data_error(&job_on(&images, &[]));
    assert!(matches!(&error, InputError::Truncated { path, .. } if *path == images.images), "{error}");

    fs::write(&images.images, b"P5 4 4 255\n").unwrap();
    assert!(matches!(data_error(&job_on(&images, &[])), InputError::OtherFormat { .. }));

    // Images in place of labels, and a directory in place of images.
    fs::write(&images.images, &whole).unwrap();
    let swapped = Images { images: images.images.clone(), labels: images.images.clone() };
    assert!(matches!(data_error(&job_on(&swapped, &[])), InputError::Rank { .. }));
    let folder = Images { images: directory.path().to_owned(), labels: images.labels.clone() };
    assert!(matches!(data_error(&job_on(&folder, &[])), InputError::NotAFile { .. }));
}

/// A header that declares more than memory has is refused by the file's length, before anything is
/// allocated.
#[test]
fn a_header_that_lies() {
    let (_directory, images) = images();
    fs::write(&images.images, idx(&[u32::MAX, 1 << 14, 1 << 14], &[0; 64])).unwrap();
    let error = data_error(&job_on(&images, &[]));
    assert!(matches!(error, InputError::Truncated { .. } | InputError::Overflow { .. }), "{error}");
}

#[test]
fn problems_too_large_to_hold() {
    let beyond = LARGEST_SIZE.to_string();
    for (set, key) in [
        (vec!["corruption.components=2147483647".to_owned()], "corruption.components"),
        (vec![format!("corruption.components={beyond}")], "corruption.components"),
        (vec!["data.components=2147483647".to_owned(), "model.dimension=1".to_owned()], "data.components"),
        (vec!["data.components=[3, 9000]".to_owned(), "model.dimension=1".to_owned()], "data.components"),
        (vec!["data.label_count=2147483647".to_owned()], "data.label_count"),
    ] {
        let overrides: Vec<&str> = set.iter().map(String::as_str).collect();
        let job = job("[data]\ncomponents = 3\n", &overrides);
        let found = problems(&job);
        let [(problem, text)] = &found[..] else { panic!("{found:?}") };
        assert!(problem.message.contains("components or labels"), "{}", problem.message);
        let (_, value) = set[0].split_once('=').unwrap();
        assert_eq!(text, value, "{key} is underlined");
    }
    let fits = format!("corruption.components={}", LARGEST_SIZE - 3);
    assert!(Input::load(&job("[data]\ncomponents = 3\n", &[&fits])).is_ok());
}

/// 4·10⁶ raw features are refused before their second moment is allocated.
#[test]
fn raw_features_too_many_to_hold() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 2, 2, 2);
    // Their second moment would be 1.3·10¹⁴ bytes.
    let side = 2000_u32;
    fs::write(&images.images, idx(&[2, side, side], &vec![7; 2 * (side * side) as usize])).unwrap();
    let found = problems(&raw_job_on(&images, &["grid.samples=2"]));
    let [(problem, _)] = &found[..] else { panic!("{found:?}") };
    assert!(problem.message.contains("4000002"), "{}", problem.message);
}

#[test]
fn a_task_with_too_many_rows() {
    let plan = |set: &[&str]| {
        let job = job("[data]\ncomponents = 3\n[corruption]\ncomponents = 2\n", set);
        let input = Input::load(&job).unwrap();
        Plan::new(&job.spec, input.extents())
    };
    // 3 paradigms × 700,000 α share one sample.
    let alphas = "augmentation.alignment={ from = 0, to = 1, count = 700000 }";
    match plan(&[alphas]) {
        Err(StoreError::TaskTooLarge { rows, limit }) => assert_eq!((rows, limit), (2_100_000, TASK_ROWS)),
        other => panic!("{other:?}"),
    }
    let fits = "augmentation.alignment={ from = 0, to = 1, count = 699050 }";
    assert_eq!(plan(&[fits]).unwrap().rows_per_task(), 3 * 699_050);
    // Samples and replicates do not share one.
    let samples = "grid.samples={ from = 1, to = 1000000, step = 1 }";
    let replicates = "job.replicates=2147483647";
    let large = plan(&[samples, replicates]).unwrap();
    assert_eq!(large.grid.rows(), 3 * 1_000_000 * 2_147_483_647);
    assert_eq!(large.part_rows(large.parts - 1).end, large.grid.rows());
}

/// Nothing of an input is looked for before the job is known to parse, so paths may be relative to
/// anywhere.
#[test]
fn paths_are_relative_to_the_job() {
    let (directory, _images) = images();
    let text = "[data]\nsource = \"idx\"\nimages = \"images\"\nlabels = \"labels\"\ncomponents = 3\n[grid]\nsamples = 4\n";
    let here = eigensweep_job::parse("a.toml", text, &[], directory.path()).unwrap();
    assert!(Input::load(&here).is_ok());
    let elsewhere = eigensweep_job::parse("a.toml", text, &[], Path::new("/nowhere")).unwrap();
    assert!(problems(&elsewhere)[0].0.message.contains("/nowhere/images"));
}
