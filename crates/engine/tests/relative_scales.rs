//! `scale = { relative = x }` is x times the clean data's largest eigenvalue, of any data.

use eigensweep_engine::input::Input;
use eigensweep_engine::simulation::Simulation;
use eigensweep_engine::theory;
use eigensweep_job::AxisValues;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::shard::Shard;
use eigensweep_testkit::data_set::{open, run_to_the_end};
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::{Cell, cells, job, simulation};

/// λ_max of the data is 100, their first eigenvalue.
const JOB: &str = r#"
[job]
seed = 4
replicates = 3
[data]
components = 4
scale = 100
label_count = 3
[corruption]
components = 3
[augmentation]
alignment = [0.3, 2]
[model]
dimension = [2, 4]
[grid]
samples = [30, 400]
"#;

fn all(simulation: &Simulation) -> Vec<Cell> {
    cells(simulation, 2).map(|(_, cell)| cell).collect()
}

/// The rows of two jobs, which differ in how scales are written, are the same in every bit.
#[track_caller]
fn assert_same_rows(text: &str, set: &[&str], relative: &[&str], absolute: &[&str]) -> usize {
    let of = |scales: &[&str]| all(&simulation(text, &[set, scales].concat()));
    let (relative, absolute) = (of(relative), of(absolute));
    assert_eq!(relative.len(), absolute.len());
    for (at, (relative, absolute)) in relative.iter().zip(&absolute).enumerate() {
        assert_eq!(relative.bits(), absolute.bits(), "row {at}");
    }
    relative.len()
}

#[test]
fn relative_scales_give_the_rows_of_the_absolute_ones_that_they_amount_to() {
    let relative =
        ["corruption.scale={ relative = [0.5, 2] }", "augmentation.scale={ relative = [0.25, 0.01] }"];
    let absolute = ["corruption.scale=[50, 200]", "augmentation.scale=[25, 1]"];
    for set in [
        &[][..],
        &["sampler.kind=explicit"],
        &["corruption.spectrum=power-law", "augmentation.spectrum=flat"],
        &["corruption.spectrum=[3, 1, 0]", "data.spectrum=[1, 0.5, 0.25, 0.01]"],
    ] {
        assert_same_rows(JOB, set, &relative, &absolute);
    }
    // One of the two alone.
    assert_same_rows(JOB, &["augmentation.scale=7"], &relative[..1], &absolute[..1]);
}

#[test]
fn each_setting_of_the_data_has_its_own_largest_eigenvalue() {
    let relative = all(&simulation(JOB, &["data.scale=[3, 100]", "corruption.scale={ relative = 2 }"]));
    let apart = [("data.scale=3", "corruption.scale=6"), ("data.scale=100", "corruption.scale=200")];
    let apart: Vec<Cell> =
        apart.into_iter().flat_map(|(data, scale)| all(&simulation(JOB, &[data, scale]))).collect();
    assert_eq!(relative.len(), apart.len());
    assert!(relative.iter().zip(&apart).all(|(relative, apart)| relative.bits() == apart.bits()));
}

#[test]
fn drawn_eigenvalues_are_those_of_the_replicate_and_theory_knows_the_same() {
    let drawn = ["data.spectrum=uniform", "job.replicates=1"];
    let mut largest = Vec::new();
    for replicate in 0..3 {
        let first = format!("job.first_replicate={replicate}");
        let set = [&drawn[..], &[&first]].concat();
        let relative = "corruption.scale={ relative = 0.3 }";
        let relative_job = job(JOB, &[&set[..], &[relative]].concat());
        let input = Input::load(&relative_job).unwrap();
        let spectra = theory::spectra(&relative_job.spec, &input, replicate);
        let signal = spectra[0].signal.clone().unwrap();
        let most = signal.iter().copied().fold(0.0, f64::max);
        let absolute = format!("corruption.scale={:?}", 0.3 * most);
        assert_same_rows(JOB, &set, &[relative], &[&absolute]);
        let absolute_job = job(JOB, &[&set[..], &[&absolute]].concat());
        let expected = theory::spectra(&absolute_job.spec, &input, replicate);
        for (found, expected) in spectra.iter().zip(&expected) {
            assert_eq!((&found.gamma, &found.theta_signal), (&expected.gamma, &expected.theta_signal));
        }
        // The column has what was written.
        assert!(spectra.iter().all(|row| row.axes.contains(&("noise_scale", 0.3))));
        largest.push(most.to_bits());
    }
    largest.dedup();
    assert_eq!(largest.len(), 3, "another one each time");
}

#[test]
fn of_files_it_is_the_largest_variance_of_all_rows() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 500, 5, 4);
    let rest = JOB.split_once("[corruption]").unwrap().1;
    for components in ["components = 4", ""] {
        let text = format!("[job]\nreplicates = 2\n{}[corruption]{rest}", images.source(components));
        let relative = ["corruption.scale={ relative = 0.1 }", "augmentation.scale={ relative = 1 }"];
        let input = Input::load(&job(&text, &relative)).unwrap();
        let Input::Rows { sets, .. } = &input else { panic!("files") };
        let largest = sets[0].largest.unwrap();
        let moment = match sets[0].moment.view() {
            eigensweep_theory::leakage::CleanMoment::Diagonal(variances) => variances[0],
            eigensweep_theory::leakage::CleanMoment::Dense(moment)
            | eigensweep_theory::leakage::CleanMoment::Mixed { inputs: moment, .. } => {
                *moment.self_adjoint_eigenvalues(faer::Side::Lower).unwrap().last().unwrap()
            }
        };
        assert!((largest / moment - 1.0).abs() < 1e-12, "{largest} for {moment}");
        let absolute =
            [format!("corruption.scale={:?}", 0.1 * largest), format!("augmentation.scale={largest:?}")];
        assert_same_rows(&text, &[], &relative, &absolute.each_ref().map(String::as_str));
    }
}

#[test]
fn a_data_set_of_relative_scales_grows_and_is_not_that_of_absolute_ones() {
    let directory = tempfile::tempdir().unwrap();
    let of = |scale: &str| job(JOB, &[&format!("corruption.scale={scale}")]);
    run_to_the_end(directory.path(), &of("{ relative = 0.5 }"), 1);
    run_to_the_end(directory.path(), &of("{ relative = [0.5, 2] }"), 1);
    let (dataset, faults) = Dataset::read(directory.path(), true).unwrap();
    assert_eq!((faults.len(), dataset.sections().len(), dataset.is_complete()), (0, 2, true));
    let axes = dataset.spec().axes();
    let axis = axes.iter().find(|axis| axis.name == "noise_scale").unwrap();
    assert_eq!((axis.relative, axis.values), (true, AxisValues::Floats(&[0.5, 2.0])));
    let told = open(directory.path(), &of("[0.5, 2]"), Shard::WHOLE).map(drop).unwrap_err().to_string();
    assert!(told.contains("the data set of another job"), "{told}");
}
