//! Cells of jobs: draws and bits are those of `run`.

use std::sync::atomic::AtomicBool;

use eigensweep_engine::boundary::select::ranks;
use eigensweep_engine::simulation::Workspace;
use eigensweep_engine::study::Study;
use eigensweep_job::Job;
use eigensweep_store::boundary::{ALPHA, HIGH, LOW, REPLICATES, SOLVES, THEORY, WIDTH, quantile};
use eigensweep_store::columns::Status;
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::{Cell, job};
use eigensweep_theory::metrics::{DISTANCE, LEAKAGE};

/// A problem of three signal and three noise components.
pub(crate) const SMALL: &str = "[data]\ncomponents = 3\nspectrum = [5.0, 20.0, 60.0]\nlabel_count = 2\n\
    [corruption]\ncomponents = 3\nspectrum = [10.0, 100.0, 300.0]\n\
    [augmentation]\nspectrum = [2.0, 1.0, 10.0, 3.0, 1.0, 20.0]\n\
    [grid]\nsamples = [100, 10000]\n[boundary]\nprecision = 0.1\nmax_replicates = 100\n";

pub(crate) fn traced(text: &str, set: &[&str]) -> Job {
    job(text, set).traced().unwrap()
}

/// The rows of a job, in memory.
pub(crate) fn rows(job: Job) -> Vec<Cell> {
    let rows = Study::load(job).unwrap().plan().unwrap().rows(2).unwrap();
    (0..rows.len()).map(|at| Cell::of(&rows, at)).collect()
}

/// At α a little below and a little above each end that is reported, `run` must find as many
/// replicates that recover as the ranks say: the same draws, and the same bits of what decides.
fn agree(text: &str, recovery: &str, share_of_start: bool) {
    let metric = if recovery == "distance" { &DISTANCE } else { &LEAKAGE };
    let traced = traced(text, &[&format!("boundary.recovery={recovery:?}")]);
    let (dimensions, boundary) = (traced.spec.model.dimension.values().to_vec(), traced.boundary.clone());
    let tolerance = boundary.tolerance(dimensions[0] as usize);
    let paradigms: Vec<&str> = traced.spec.model.paradigms.iter().map(|one| one.name).collect();
    let samples = traced.spec.grid.samples.values().to_vec();
    let found = rows(traced);
    assert_eq!(found.len(), samples.len() * paradigms.len());
    for (at, cell) in found.iter().enumerate() {
        let (n, paradigm) = (samples[at / paradigms.len()], paradigms[at % paradigms.len()]);
        let replicates = cell[&REPLICATES];
        assert_eq!(cell.row.status, Status::Ok, "{paradigm}, n = {n}");
        let (l, u) = ranks(replicates as u32, 0.5, boundary.confidence).unwrap();
        let count = |alpha: f64| {
            let one = |alpha: f64| {
                let set = [
                    format!("grid.samples={n}"),
                    format!("model.paradigms=[{paradigm:?}]"),
                    format!("output.metrics=[{recovery:?}]"),
                    format!("job.replicates={replicates}"),
                    format!("augmentation.alignment={alpha:?}"),
                ];
                rows(job(text, &set.iter().map(String::as_str).collect::<Vec<_>>()))
            };
            let start: Vec<f64> = match share_of_start {
                true => one(0.0).iter().map(|row| row[metric]).collect(),
                false => vec![1.0; replicates as usize],
            };
            one(alpha).iter().zip(start).filter(|(row, start)| row[metric] < tolerance * start).count() as f64
        };
        assert!(count(cell[&LOW]) < f64::from(l), "{paradigm}, n = {n}: {}", cell[&LOW]);
        assert!(count(cell[&HIGH]) >= f64::from(u), "{paradigm}, n = {n}: {}", cell[&HIGH]);
        assert!(cell[&LOW] <= cell[&ALPHA] && cell[&ALPHA] <= cell[&HIGH]);
        let half = (replicates / 2.0).ceil();
        let edge = 0.051 * boundary.precision;
        assert!(count(cell[&ALPHA] * (-edge).exp()) < half && count(cell[&ALPHA] * edge.exp()) >= half);
        let width = cell[quantile(0.9)].ln() - cell[quantile(0.1)].ln();
        assert!((cell[&WIDTH] - width).abs() < 1e-12);
    }
}

#[test]
fn the_replicates_of_a_boundary_are_those_that_run_computes() {
    agree(SMALL, "leakage", false);
}

#[test]
fn recovery_by_distance_is_against_that_at_no_alignment() {
    // At n = 100 the distance of some replicates rises again with α.
    agree(&SMALL.replace("[100, 10000]", "[10000]"), "distance", true);
}

/// Images of any brightness: moments of rows, views with a dose of the corruption.
#[test]
fn stages_are_traced_with_the_draws_of_run() {
    let place = tempfile::tempdir().unwrap();
    let images = write_images(place.path(), 60, 4, 3);
    let rest = "[corruption]\nstages = [{ kind = \"brightness\", low = -0.5, high = 0.5 }]\n[augmentation]\nfloor = 1e-3\n\
        stages = [{ kind = \"additive\", variance = 0.05 }]\n[model]\ndimension = 3\n[grid]\nsamples = [50]\n\
        [boundary]\nprecision = 0.2\nmax_replicates = 30\n";
    agree(&format!("{}{rest}", images.source("")), "leakage", false);
}

/// Principal components of images: subsets of rows, nested or not.
#[test]
fn samples_of_rows_are_traced_with_the_draws_of_run() {
    let place = tempfile::tempdir().unwrap();
    let images = write_images(place.path(), 60, 4, 3);
    let rest = "[corruption]\ncomponents = 2\nspectrum = \"flat\"\nscale = 5e3\n[augmentation]\nscale = 100\n\
        [model]\ndimension = 4\n[grid]\nsamples = [55, 25]\n[boundary]\nprecision = 0.2\nmax_replicates = 40\n";
    agree(&format!("{}{rest}", images.source("components = 4")), "leakage", false);
}

/// What takes long is given up when a run is to stop, and nothing is said of it.
#[test]
fn a_cell_is_given_up_when_the_run_is_to_stop() {
    let planned = Study::load(traced(SMALL, &[])).unwrap().plan().unwrap();
    let simulation = planned.simulation();
    let (mut workspace, mut batch) = (Workspace::new(simulation), simulation.new_batch());
    assert!(!simulation.run_task_until(&AtomicBool::new(true), 0, &mut workspace, &mut batch));
    assert!(simulation.run_task_until(&AtomicBool::new(false), 0, &mut workspace, &mut batch));
}

/// With k > k₀ a noise component is kept whatever α is.
#[test]
fn a_dimension_above_that_of_the_signal_is_never_recovered() {
    for row in rows(traced(SMALL, &["model.dimension=4", "grid.samples=1000"])) {
        assert_eq!(row.row.status, Status::Never);
        assert!(row[&ALPHA].is_nan() && row[&THEORY].is_nan() && row[&SOLVES] >= 24.0);
    }
}

/// Views that repeat nothing and noise that is weak: every α recovers.
#[test]
fn weak_noise_is_always_recovered() {
    for row in rows(traced(SMALL, &["corruption.scale=1e-4", "grid.samples=100000"])) {
        assert_eq!((row.row.status, row[&SOLVES], row[&THEORY]), (Status::Always, 48.0, 0.0));
    }
}

/// At n = 10¹² both are at the thresholds of Propositions 4.3 and 4.4, where λ/κ² is moderate.
#[test]
fn boundaries_tend_to_the_thresholds() {
    for row in rows(traced(SMALL, &["grid.samples=1000000000000", "boundary.precision=0.005"])) {
        let ratio = row[&ALPHA] / row[&THEORY];
        assert!((ratio - 1.0).abs() < 2e-3, "{ratio}");
    }
}

/// A cell depends on itself alone: not on what else the job asks for, nor on threads.
#[test]
fn a_cell_has_the_same_bits_alone() {
    let all = rows(traced(SMALL, &["corruption.scale=[1, 2]", "grid.samples=[50, 100, 10000]"]));
    let alone = rows(traced(
        SMALL,
        &["corruption.scale=2", "grid.samples=100", "model.paradigms=[\"reconstruction\"]"],
    ));
    // Sample sizes, then scales, then paradigms.
    assert_eq!(all[(2 + 1) * 2 + 1].bits(), alone[0].bits());
}
