//! Jobs with stages: rows agree with what is worked out from the images themselves, and are
//! functions of their coordinates.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![expect(clippy::cast_possible_truncation, reason = "numbers of a small test")]
#![expect(clippy::float_cmp, reason = "counts")]

use std::path::Path;

use eigensweep_engine::input::Input;
use eigensweep_engine::simulation::Workspace;
use eigensweep_engine::study::Study;
use eigensweep_store::columns::Status;
use eigensweep_testkit::idx::idx;
use eigensweep_testkit::random::Random;
use eigensweep_testkit::rows::{Cell, cells, job, rows, simulation};
use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::metrics::{
    ACCURACY_CORRUPTED, ACCURACY_TEST, DISTANCE, GAP, LEAKAGE, LOSS_CLEAN, LOSS_CORRUPTED, LOSS_TEST, RANK,
    TIER,
};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms;
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{InstructionSet, Paradigm};
use faer::{Mat, MatRef};
use tempfile::TempDir;

const SIDE: usize = 4;
const SIZE: usize = SIDE * SIDE;
const CLASSES: usize = 3;

/// Images of 4 × 4 bytes whose class shows, and their classes.
struct Written {
    directory: TempDir,
    images: Vec<[u8; SIZE]>,
    classes: Vec<usize>,
}

fn write(samples: usize, constant: bool) -> Written {
    let mut random = Random(7);
    let classes: Vec<usize> = (0..samples).map(|i| i % CLASSES).collect();
    let image = |&class: &usize| {
        let mut image = [0; SIZE];
        for (i, byte) in image.iter_mut().enumerate() {
            let ink = if i % CLASSES == class { 120 } else { 20 };
            *byte = ink + (random.byte() >> 1);
        }
        // The frame of an image is often empty.
        if constant {
            image[..SIDE].fill(0);
        }
        image
    };
    let images: Vec<[u8; SIZE]> = classes.iter().map(image).collect();
    let directory = tempfile::tempdir().unwrap();
    let shape = [u32::try_from(samples).unwrap(), SIDE as u32, SIDE as u32];
    std::fs::write(directory.path().join("images"), idx(&shape, images.as_flattened())).unwrap();
    let bytes: Vec<u8> = classes.iter().map(|&class| class as u8).collect();
    std::fs::write(directory.path().join("labels"), idx(&shape[..1], &bytes)).unwrap();
    Written { directory, images, classes }
}

impl Written {
    fn job(&self, data: &str, rest: &str) -> String {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        format!(
            "[data]\nsource = \"idx\"\nimages = {:?}\nlabels = {:?}\n{data}\n{rest}",
            path("images"),
            path("labels")
        )
    }

    /// X (n × d) in [0, 1], and one-hot Y, less their means.
    fn centred(&self) -> (Mat<f64>, Mat<f64>) {
        let samples = self.images.len();
        let x = Mat::from_fn(samples, SIZE, |i, j| f64::from(self.images[i][j]) / 255.0);
        let y = Mat::from_fn(samples, CLASSES, |i, j| f64::from(u8::from(self.classes[i] == j)));
        (less_means(&x), less_means(&y))
    }
}

fn less_means(matrix: &Mat<f64>) -> Mat<f64> {
    let means = matrix.col_iter().map(|column| column.iter().sum::<f64>() / matrix.nrows() as f64);
    let means: Vec<f64> = means.collect();
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| matrix[(i, j)] - means[j])
}

/// `AᵀB/n`.
fn moment(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    a.transpose() * b * faer::Scale(1.0 / a.nrows() as f64)
}

/// Loss and gap of a paradigm for given moments.
fn solved(
    paradigm: &'static Paradigm,
    inputs: MatRef<'_, f64>,
    views: MatRef<'_, f64>,
    labels: MatRef<'_, f64>,
    label_power: f64,
    k: usize,
) -> (f64, f64) {
    let mut forms = ClosedForms::new(SIZE, CLASSES);
    let moments = Moments {
        mean_views: inputs,
        views,
        cross: inputs,
        view_labels: labels,
        inputs,
        input_labels: labels,
        label_power,
    };
    let mut problem = forms.problem(moments);
    let solution = problem.solve(paradigm).unwrap();
    if let Some(encoder) = solution.encoder() {
        let mut probe = Probe::new(InstructionSet::detect(), SIZE, CLASSES);
        let loss = probe.loss(encoder.leading(k).unwrap(), inputs, labels, label_power);
        return (loss, encoder.spectrum.gap(k).unwrap());
    }
    (solution.predictor().unwrap().loss, f64::NAN)
}

fn by_paradigm(text: &str, set: &[&str]) -> Vec<(&'static str, Cell)> {
    let simulation = simulation(text, set);
    let names: Vec<&str> = simulation.paradigms().map(|paradigm| paradigm.name).collect();
    cells(&simulation, 1).map(|(row, cell)| (names[row as usize % names.len()], cell)).collect()
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-11 * expected.abs().max(1.0), "{what}: {found}, not {expected}");
}

const MODEL: &str = "[job]\nreplicates = 1\n[model]\ndimension = 3\n[grid]\nsamples = 60\n";

/// With all rows in the sample its order does not matter. Additive noise v: S = C + v I, whatever
/// the mean.
#[test]
fn rows_are_those_worked_out_from_the_images_themselves() {
    let written = write(60, false);
    let rest = format!(
        "[augmentation]\nfloor = 0\nstages = [ {{ kind = \"additive\", variance = 0.02 }} ]\n\
         [output]\nmetrics = [\"distance\", \"gap\", \"rank\", \"tier\", \"accuracy_corrupted\"]\n{MODEL}"
    );
    let (x, y) = written.centred();
    let (inputs, labels) = (moment(&x, &x), moment(&x, &y));
    let label_power = y.squared_norm_l2() / 60.0;
    let mut views = inputs.clone();
    (0..SIZE).for_each(|i| views[(i, i)] += 0.02);
    for (name, cell) in by_paradigm(&written.job("", &rest), &[]) {
        let paradigm = paradigms::named(name).unwrap();
        let (loss, gap) = solved(paradigm, inputs.as_ref(), views.as_ref(), labels.as_ref(), label_power, 3);
        assert_eq!(cell.row.status, Status::Ok);
        close(cell[&LOSS_CORRUPTED], loss, name);
        // Nothing is corrupted.
        assert_eq!(cell[&LOSS_CLEAN].to_bits(), cell[&LOSS_CORRUPTED].to_bits());
        assert_eq!((cell[&DISTANCE], cell[&RANK], cell[&TIER]), (0.0, 16.0, 1.0));
        if paradigm.spectrum.is_some() {
            close(cell[&GAP], gap, name);
        } else {
            let map = views.clone().partial_piv_lu().solve_in_place_with(&labels);
            let predicted = &x * &map;
            let right = (0..60).filter(|&i| {
                let best = (0..CLASSES).max_by(|&a, &b| {
                    let mean = |c: usize| written.classes.iter().filter(|&&of| of == c).count() as f64 / 60.0;
                    (predicted[(i, a)] + mean(a)).total_cmp(&(predicted[(i, b)] + mean(b)))
                });
                best == Some(written.classes[i])
            });
            close(cell[&ACCURACY_CORRUPTED], right.count() as f64 / 60.0, "accuracy");
        }
    }
}

trait Solve {
    fn solve_in_place_with(&self, right: &Mat<f64>) -> Mat<f64>;
}

impl Solve for faer::linalg::solvers::PartialPivLu<f64> {
    fn solve_in_place_with(&self, right: &Mat<f64>) -> Mat<f64> {
        use faer::linalg::solvers::Solve as _;
        self.solve(right)
    }
}

/// Section 2 of the paper: x̃ + αγ' with Γ = v I has Σ = α² v I.
#[test]
fn an_alignment_with_additive_noise_is_alpha_squared_of_it() {
    let written = write(60, false);
    let job = |augmentation: &str| {
        written.job(
            "",
            &format!(
                "[corruption]\nstages = [ {{ kind = \"additive\", variance = 0.05 }} ]\n[augmentation]\nfloor = 0\n{augmentation}\n\
                 [output]\nmetrics = [\"distance\", \"gap\", \"leakage\"]\n{MODEL}"
            ),
        )
    };
    let aligned =
        by_paradigm(&job("alignment = 0.6\nstages = [ { kind = \"additive\", variance = 0.01 } ]"), &[]);
    let plain = by_paradigm(&job("stages = [ { kind = \"additive\", variance = 0.028 } ]"), &[]);
    for ((name, aligned), (_, plain)) in aligned.iter().zip(&plain) {
        for metric in [&LOSS_CORRUPTED, &GAP, &LEAKAGE] {
            if *name != "supervised" || *metric == LOSS_CORRUPTED {
                close(aligned[metric], plain[metric], name);
            }
        }
    }
}

const SWEEP: &str = "[job]\nreplicates = 3\nseed = 5\n[corruption]\nstages = [ { kind = \"additive\", variance = { from = 0.01, to = \
    0.09, ratio = 3 } } ]\n[augmentation]\nalignment = [0, 1]\nstages = [ { kind = \"dropout\", probability = [0.2, 0.5] }, { \
    kind = \"clip\", low = 0.1, high = 0.8, probability = 0.5 } ]\n[features]\nviews = 3\n[model]\ndimension = [2, 5]\n[grid]\n\
    samples = [20, 45]\n[output]\nmetrics = [\"distance\", \"gap\", \"leakage\", \"rank\", \"accuracy_clean\", \
    \"accuracy_corrupted\", \"accuracy_test\", \"loss_test\", \"tier\"]\n";

/// Sampled views and drawn corruption included.
#[test]
fn a_row_is_a_function_of_its_coordinates() {
    let written = write(80, false);
    let text = written.job("test_share = 0.25", SWEEP);
    let all = rows(&simulation(&text, &[]), 2);
    assert_eq!(all.len(), 3 * 3 * 2 * 2 * 2 * 2 * 3);
    assert!(all.values().all(|cell| cell.row.status == Status::Ok), "all have values");
    for set in [
        "grid.samples=45",
        "grid.samples=[45, 30, 20]",
        "augmentation.alignment=[1]",
        "model.dimension=5",
        "job.replicates=5",
    ] {
        let some = rows(&simulation(&text, &[set]), 1);
        let common: Vec<_> = some.iter().filter_map(|(at, cell)| Some((cell, all.get(at)?))).collect();
        assert!(common.len() >= all.len() / 2, "{set}: {} in common", common.len());
        for (one, other) in common {
            assert_eq!(one.bits(), other.bits(), "{set}");
        }
    }
    // Single cells, as `replay` computes them.
    let planned = Study::load(job(&text, &[])).unwrap().plan().unwrap();
    let whole = planned.rows(1).unwrap();
    let grid = planned.simulation().plan().grid.clone();
    for row in (0..grid.rows()).step_by(31) {
        let position = |name: &str| grid.axis(name).map_or(0, |axis| axis.index(row));
        let mut alone = planned.cell(grid.replicate(row), position).unwrap();
        let first = row - row % grid.paradigms;
        assert_eq!(alone.compute().bits(), whole.row(first as usize).bits(), "row {row}");
        assert!(!alone.explain().spectra.is_empty());
    }
}

/// Of a definite S; leakage and probes of rows are not solved in lanes.
#[test]
fn every_instruction_set_gives_the_same_rows() {
    let written = write(80, false);
    let text = written.job("test_share = 0.25", SWEEP);
    let simulation = simulation(&text, &["output.metrics=[\"distance\", \"gap\", \"rank\"]"]);
    let table = |instruction_set| {
        let mut workspace = Workspace::on(instruction_set, &simulation);
        let (mut batch, mut bits) = (simulation.new_batch(), Vec::new());
        for task in 0..simulation.plan().tasks {
            simulation.run_task(task, &mut workspace, &mut batch);
            bits.extend((0..batch.len()).map(|at| Cell::of(&batch, at).bits()));
        }
        bits
    };
    let expected = table(InstructionSet::portable());
    for instruction_set in InstructionSet::available() {
        assert!(table(instruction_set) == expected, "{}", instruction_set.name());
    }
}

/// Nothing in a row depends on how many rows are held out of the test, but what is of the test.
#[test]
fn the_probe_is_tried_on_rows_that_were_held_out() {
    let written = write(80, false);
    let text = written.job("test_share = 0.25", SWEEP);
    for cell in rows(&simulation(&text, &[]), 2).values() {
        // 20 rows of three classes that show.
        let hits = cell[&ACCURACY_TEST] * 20.0;
        assert!((hits - hits.round()).abs() < 1e-9 && cell[&ACCURACY_TEST] > 0.3, "{}", cell[&ACCURACY_TEST]);
        assert!(cell[&LOSS_TEST] > 0.0 && cell[&LOSS_TEST].is_finite());
    }
}

#[test]
fn the_population_limit_is_what_many_drawn_samples_come_to() {
    let written = write(6000, false);
    let text = written.job(
        "",
        "[job]\nreplicates = 1\n[corruption]\nstages = [ { kind = \"dropout\", probability = 0.3 }, { kind = \"additive\", \
         variance = 0.02 } ]\n[augmentation]\nalignment = 1\nfloor = 1e-3\n[model]\ndimension = 3\n[grid]\nsamples = 6000\n\
         [output]\nmetrics = [\"distance\", \"gap\", \"leakage\"]\n",
    );
    let once = by_paradigm(&text, &[]);
    let limit = by_paradigm(&text, &["corruption.draw=population"]);
    for ((name, once), (_, limit)) in once.iter().zip(&limit) {
        let (found, expected) = (once[&LOSS_CORRUPTED], limit[&LOSS_CORRUPTED]);
        assert!((found - expected).abs() < 0.03 * expected, "{name}: {found} and {expected}");
        assert_eq!(once[&LOSS_CLEAN].to_bits(), limit[&LOSS_CLEAN].to_bits());
        if *name != "supervised" {
            assert!((once[&LEAKAGE] - limit[&LEAKAGE]).abs() < 0.03, "{name}");
        }
    }
}

/// Four pixels are always zero: S has rank 12.
#[test]
fn constant_pixels_lower_the_rank_and_a_dimension_above_it_has_a_status() {
    let written = write(60, true);
    let rest = "[job]\nreplicates = 1\n[augmentation]\nfloor = 0\nstages = [ { kind = \"dropout\", probability = 0.3 } ]\n[model]\n\
        dimension = [3, 12, 13]\n[grid]\nsamples = 60\n[output]\nmetrics = [\"distance\", \"rank\"]\n";
    let simulation = simulation(&written.job("", rest), &[]);
    let names: Vec<&str> = simulation.paradigms().map(|paradigm| paradigm.name).collect();
    let dimension = simulation.plan().grid.axis("dimension").unwrap().clone();
    for (row, cell) in cells(&simulation, 1) {
        let (k, name) = (dimension.values.as_float(dimension.index(row)), names[row as usize % 3]);
        if k > 12.0 && name != "supervised" {
            assert_eq!(cell.row.status, Status::DimensionAboveRank, "{name}, k = {k}");
        } else {
            assert_eq!(cell.row.status, Status::Ok, "{name}, k = {k}");
            assert_eq!(cell[&RANK], 12.0);
            assert!(cell[&LOSS_CORRUPTED].is_finite());
        }
    }
}

/// Without views of its own, reconstruction predicts the input from itself: principal components.
#[test]
fn a_paradigm_may_have_views_of_its_own() {
    let written = write(60, false);
    let rest = format!(
        "[augmentation]\nfloor = 0\nstages = [ {{ kind = \"dropout\", probability = 0.4 }} ]\n[augmentation.reconstruction]\n\
         stages = []\n[output]\nmetrics = [\"distance\", \"gap\"]\n{MODEL}"
    );
    let (x, y) = written.centred();
    let (inputs, labels) = (moment(&x, &x), moment(&x, &y));
    let label_power = y.squared_norm_l2() / 60.0;
    let cells = by_paradigm(&written.job("", &rest), &[]);
    let (_, reconstruction) = cells.iter().find(|(name, _)| *name == "reconstruction").unwrap();
    let paradigm = paradigms::named("reconstruction").unwrap();
    let (loss, gap) = solved(paradigm, inputs.as_ref(), inputs.as_ref(), labels.as_ref(), label_power, 3);
    close(reconstruction[&LOSS_CORRUPTED], loss, "loss");
    close(reconstruction[&GAP], gap, "gap");
}

/// Components of views and inputs: the same as a problem in which the basis is all that there is.
#[test]
fn all_principal_components_are_the_raw_features() {
    let written = write(60, false);
    let rest = format!(
        "[corruption]\nstages = [ {{ kind = \"additive\", variance = 0.05 }} ]\n[augmentation]\nfloor = 0\nalignment = 1\nstages = [ {{ kind = \
         \"dropout\", probability = 0.2 }} ]\n[output]\nmetrics = [\"distance\", \"gap\", \"leakage\", \"accuracy_corrupted\"]\n{MODEL}"
    );
    let raw = by_paradigm(&written.job("", &rest), &[]);
    let components = by_paradigm(&written.job(&format!("components = {SIZE}"), &rest), &[]);
    for ((name, raw), (_, components)) in raw.iter().zip(&components) {
        for metric in [&LOSS_CLEAN, &LOSS_CORRUPTED, &ACCURACY_CORRUPTED] {
            close(components[metric], raw[metric], &format!("{name}, {}", metric.name));
        }
        if *name != "supervised" {
            close(components[&LEAKAGE], raw[&LEAKAGE], name);
        }
    }
    let fewer = by_paradigm(&written.job("components = 5", &rest), &["model.dimension=5"]);
    assert!(fewer.iter().all(|(_, cell)| cell.row.status == Status::Ok));
}

/// Pixels of 0.1 in all views but few: rounding of their means is no direction of its own.
#[test]
fn pixels_that_hardly_change_leave_rows_their_values() {
    let written = write(60, true);
    let clip = "{ kind = \"clip\", low = 0.1, high = 0.8 }";
    for stages in [
        format!("[ {clip} ]"),
        format!("[ {{ kind = \"rotate\", degrees = [0, 10] }}, {clip} ]"),
        "[ { kind = \"rotate\", degrees = [0, 10] }, { kind = \"additive\", variance = 0, mean = 0.1 } ]"
            .to_owned(),
        "[ { kind = \"rotate\", degrees = [0, 10] }, { kind = \"brightness\", low = 0.1, high = 0.1 } ]"
            .to_owned(),
    ] {
        let rest = format!(
            "[augmentation]\nstages = {stages}\n[output]\nmetrics = [\"distance\", \"rank\"]\n{MODEL}"
        );
        for (name, cell) in by_paradigm(&written.job("", &rest), &[]) {
            assert_eq!(cell.row.status, Status::Ok, "{stages}, {name}");
            assert!(cell[&RANK] <= 16.0 && cell[&LOSS_CORRUPTED].is_finite());
        }
    }
}

/// What a job asks for that its rows do not give is refused where it stands.
#[test]
fn what_does_not_fit_the_rows_is_refused_where_it_stands() {
    let written = write(60, false);
    let cases = [
        (
            "[augmentation]\nstages = [ { kind = \"dropout\", probability = 0.2, fill = [1, 2] } ]",
            "fill",
            "[1, 2]",
        ),
        (
            "[corruption]\ndraw = \"population\"\nstages = [ { kind = \"clip\", low = 0, high = 1 } ]",
            "closed form",
            "\"population\"",
        ),
        // Views that see rows would see clean ones.
        (
            "[corruption]\ndraw = \"population\"\nstages = [ { kind = \"additive\", variance = 1 } ]\n\
             [augmentation]\nstages = [ { kind = \"additive\", variance = 1 }, { kind = \"clip\", low = 0, high = 1 } ]",
            "draw = \"once\"",
            "kind = \"clip\"",
        ),
        (
            "[output]\nmetrics = [\"accuracy_test\"]\n[augmentation]\nstages = []",
            "held out",
            "[\"accuracy_test\"]",
        ),
        (
            "[augmentation]\nstages = [ { kind = \"additive\", variance = 1 }, { kind = \"thinning\", keep = 0.5 } ]",
            "counts",
            "kind = \"thinning\"",
        ),
        ("[corruption]\nstages = [ { kind = \"thinning\", keep = 0.5 } ]", "counts", "thinning"),
    ];
    let rectangular = format!("{{ kind = \"linear\", matrix = [{:?}] }}", [1; SIZE]);
    let rectangular = [
        format!("[augmentation]\nstages = [ {rectangular} ]"),
        format!("[corruption]\nstages = [ {rectangular} ]"),
        format!("[augmentation.reconstruction]\nstages = [ {rectangular} ]"),
    ];
    let rectangular = rectangular.iter().map(|rest| (rest.as_str(), "number of features", "linear"));
    for (rest, words, marked) in cases.into_iter().chain(rectangular) {
        let text = written.job("", &format!("{rest}\n{}", MODEL.replace("[output]", "")));
        let job = eigensweep_job::parse("job.toml", &text, &[], Path::new("")).unwrap();
        let report = Input::load(&job).map(|_| ()).unwrap_err().to_string();
        assert!(report.contains(words), "{rest}: {report}");
        let problem = match Input::load(&job) {
            Err(eigensweep_engine::EngineError::Job(problems)) => problems.problems[0].clone(),
            other => panic!("{other:?}"),
        };
        let underlined = &text[problem.place.span.clone()];
        assert!(underlined.contains(marked) || marked.contains(underlined), "{rest}: {underlined}");
    }
}
