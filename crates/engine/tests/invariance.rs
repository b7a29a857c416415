//! A row is a function of the job's content, the seed and its own coordinates: not of threads, of
//! the other values on the axes, of the number of replicates, or of which paradigms are computed
//! beside it. All of it bit for bit.

use std::collections::BTreeMap;
use std::convert::Infallible;

use eigensweep_engine::EngineError;
use eigensweep_engine::simulation::{Simulation, Workspace};
use eigensweep_store::columns::Status;
use eigensweep_store::rows::Rows;
use eigensweep_testkit::data_set::run_to_the_end;
use eigensweep_testkit::files::contents;
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::rows::{Cell, job, prepare, rows, simulation};
use eigensweep_theory::InstructionSet;
use eigensweep_theory::metrics::{GAP, LEAKAGE, LOSS_CLEAN, LOSS_CORRUPTED};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Every row of `some` is in `all`, with the same bits; returns how many.
#[track_caller]
fn assert_contained(what: &str, some: &BTreeMap<String, Cell>, all: &BTreeMap<String, Cell>) {
    assert!(!some.is_empty() && some.len() < all.len(), "{what}: {} rows of {}", some.len(), all.len());
    for (place, cell) in some {
        let other = all.get(place).unwrap_or_else(|| panic!("{what}: no row {place}"));
        assert_eq!(cell.bits(), other.bits(), "{what}: {place}\n{cell:?}\n{other:?}");
    }
}

/// What decides the sizes of workspaces.
const SIZES: [&str; 4] = ["data.components", "corruption.components", "model.dimension", "grid.samples"];

/// Runs `text` with the overrides `few`, then with each of `many` on top.
#[track_caller]
fn assert_unchanged(text: &str, few: &[&str], many: &[&str]) {
    let some = rows(&simulation(text, few), 1);
    for added in many {
        let all = rows(&simulation(text, &[few, &[added]].concat()), 2);
        assert_contained(added, &some, &all);
    }
    // Workspaces sized for everything at once.
    let sizes: Vec<&str> =
        many.iter().copied().filter(|added| SIZES.iter().any(|key| added.starts_with(key))).collect();
    let all = rows(&simulation(text, &[few, &sizes].concat()), 2);
    assert_contained("all sizes", &some, &all);
}

const GAUSSIAN: &str = r#"
[job]
seed = 7
replicates = 2
[data]
components = 10
spectrum = "power-law"
scale = 100
decay = 0.5
label_count = 4
[corruption]
components = 12
spectrum = "power-law"
scale = 50
[augmentation]
spectrum = "power-law"
scale = 20
alignment = 0.7
[model]
dimension = 8
[grid]
samples = [15, 400]
"#;

/// A value added before, between or after those that are there, on every axis that the source and
/// the spectra have.
const ADDED: [&str; 12] = [
    "grid.samples=[15, 20, 400, 3]",
    "data.components=[4, 10, 37]",
    "data.scale=[3, 100]",
    "data.decay=[0.5, 2]",
    "corruption.components=[31, 12, 7]",
    "corruption.scale=[1e3, 50, 0]",
    "corruption.decay=[0, 1]",
    "augmentation.scale=[1, 20]",
    "augmentation.decay=[1, 3]",
    "augmentation.alignment=[0, 0.7, 3]",
    "model.dimension=[1, 8, 11]",
    "job.replicates=3",
];

#[test]
fn a_few_inputs_beside_hundreds_on_one_axis() {
    let many =
        "augmentation.alignment=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let few = ["job.replicates=2", "grid.samples=[15, 20]", many];
    assert_unchanged(GAUSSIAN, &few, &["data.components=[10, 260]"]);
}

#[test]
fn more_values_leave_rows_of_classes_as_they_are() {
    for sampler in ["sampler.kind=moments", "sampler.kind=explicit"] {
        let mut added = ADDED.to_vec();
        added.push("data.separation=[0.2, 0.5]");
        assert_unchanged(GAUSSIAN, &[sampler], &added);
    }
}

#[test]
fn more_values_leave_rows_of_targets_as_they_are() {
    for sampler in ["sampler.kind=moments", "sampler.kind=explicit"] {
        let mut added = ADDED.to_vec();
        added.push("data.label_noise=[0.1, 0]");
        assert_unchanged(GAUSSIAN, &[sampler, "data.teacher=linear"], &added);
    }
}

/// Sizes beyond 32 take the divide-and-conquer eigensolver, and products of faer their blocked
/// kernels.
#[test]
fn more_values_leave_rows_of_large_problems_as_they_are() {
    let large = ["data.components=40", "corruption.components=45", "model.dimension=20", "job.replicates=1"];
    let added = [
        "data.components=[40, 61]",
        "corruption.components=[45, 70]",
        "model.dimension=[20, 3, 85]",
        "augmentation.alignment=[0.7, 1]",
    ];
    for sampler in ["sampler.kind=moments", "sampler.kind=explicit"] {
        assert_unchanged(GAUSSIAN, &[&large[..], &[sampler]].concat(), &added);
    }
}

/// The same for every k alone and together with others: which eigenvectors are computed must not
/// show.
#[test]
fn a_dimension_does_not_see_other_dimensions() {
    for (components, noise) in [(3, 4), (10, 12), (30, 25)] {
        let most: usize = components + noise;
        let set = [
            format!("data.components={components}"),
            format!("corruption.components={noise}"),
            "job.replicates=1".to_owned(),
            "grid.samples=[20, 3000]".to_owned(),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let all: Vec<String> = (1..=most).map(|k| k.to_string()).collect();
        let all = format!("model.dimension=[{}]", all.join(", "));
        let together = rows(&simulation(GAUSSIAN, &[&set[..], &[&all]].concat()), 2);
        for k in 1..=most {
            let alone = format!("model.dimension={k}");
            let simulation = simulation(GAUSSIAN, &[&set[..], &[&alone]].concat());
            assert_contained(&alone, &rows(&simulation, 1), &together);
        }
    }
}

/// Spectra that are drawn are shared over n, α and scales, and do not change when a component's
/// neighbours do.
#[test]
fn more_values_leave_rows_of_drawn_spectra_as_they_are() {
    let drawn = ["data.spectrum=uniform", "corruption.spectrum=uniform", "augmentation.spectrum=uniform"];
    let text = GAUSSIAN.replace("\ndecay = 0.5", "");
    let added: Vec<&str> = ADDED.into_iter().filter(|added| !added.contains("decay")).collect();
    assert_unchanged(&text, &drawn, &added);
}

#[test]
fn more_values_leave_rows_of_images_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 300, 5, 4);
    let rest = GAUSSIAN.split_once("[corruption]").map(|(_, rest)| format!("[corruption]{rest}")).unwrap();
    let text = format!("[job]\nseed = 3\nreplicates = 2\n{}{rest}", images.source("components = 10"));
    for sampler in ["sampler.kind=moments", "sampler.kind=explicit"] {
        // n in the order 200, 17: nested subsets grow in another order than the rows stand in.
        let few = [sampler, "grid.samples=[200, 17]", "model.dimension=8"];
        let added = [
            "grid.samples=[200, 100, 17, 64, 300, 5]",
            "data.components=[4, 10, 23]",
            "corruption.components=[31, 12, 7]",
            "corruption.scale=[1e3, 50, 0]",
            "augmentation.scale=[1, 20]",
            "augmentation.alignment=[0, 0.7, 3]",
            "model.dimension=[1, 8, 11]",
            "job.replicates=3",
        ];
        assert_unchanged(&text, &few, &added);
    }
    let text = text.replace("components = 10\n", "");
    let added =
        ["grid.samples=[300, 200, 17, 65]", "corruption.components=[3, 12]", "model.dimension=[28, 8]"];
    assert_unchanged(&text, &["grid.samples=[200, 17]"], &added);
}

#[test]
fn fewer_paradigms_leave_the_others_as_they_are() {
    for sampler in ["sampler.kind=moments", "sampler.kind=explicit"] {
        let all = rows(&simulation(GAUSSIAN, &[sampler]), 1);
        for paradigms in [
            "model.paradigms=['supervised']",
            "model.paradigms=['joint-embedding']",
            "model.paradigms=['reconstruction']",
            "model.paradigms=['supervised', 'reconstruction']",
            "model.paradigms=['joint-embedding', 'reconstruction']",
        ] {
            assert_contained(paradigms, &rows(&simulation(GAUSSIAN, &[sampler, paradigms]), 1), &all);
        }
    }
}

/// Which metrics are reported decides by which route they are computed (joint-embedding without
/// leakage needs no eigenvectors), so the bits may differ; the numbers do not.
#[test]
fn fewer_metrics_change_rounding_only() {
    let all = rows(&simulation(GAUSSIAN, &[]), 1);
    for (metrics, leakage, gap) in [
        ("['distance']", false, false),
        ("['distance', 'gap']", false, true),
        ("['distance', 'leakage']", true, false),
    ] {
        let some = rows(&simulation(GAUSSIAN, &[&format!("output.metrics={metrics}")]), 1);
        assert_eq!(some.len(), all.len());
        for (place, cell) in &some {
            let other = &all[place];
            let close = |a: f64, b: f64| (a - b).abs() < 1e-9 || (a.is_nan() && b.is_nan());
            assert!(close(cell[&LOSS_CLEAN], other[&LOSS_CLEAN]), "{metrics}: {place}");
            assert!(close(cell[&LOSS_CORRUPTED], other[&LOSS_CORRUPTED]), "{metrics}: {place}");
            assert!(if leakage { close(cell[&LEAKAGE], other[&LEAKAGE]) } else { cell[&LEAKAGE].is_nan() });
            assert!(if gap { close(cell[&GAP], other[&GAP]) } else { cell[&GAP].is_nan() });
        }
    }
}

#[test]
fn threads_leave_rows_and_files_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 100, 4, 3);
    let rest = GAUSSIAN.split_once("[corruption]").map(|(_, rest)| format!("[corruption]{rest}")).unwrap();
    let of_images = format!(
        "[job]\nreplicates = 20\n{}{}",
        images.source("components = [6, 9]"),
        rest.replace("[15, 400]", "[90, 20]")
    );
    let set = ["job.replicates=10", "augmentation.alignment=[0.5, 2]", "corruption.components=[12, 3]"];
    for (name, text) in [("gaussian", GAUSSIAN), ("images", &of_images)] {
        let job = job(text, &set);
        let first = prepare(&job);
        let first = rows(&first, 1);
        let one = directory.path().join(format!("{name}-1"));
        run_to_the_end(&one, &job, 1);
        for threads in [2, 3, 7] {
            let again = prepare(&job);
            let again = rows(&again, threads);
            assert_eq!(first.len(), again.len());
            for (place, cell) in &first {
                assert_eq!(cell.bits(), again[place].bits(), "{name}, {threads} threads: {place}");
            }
            let many = directory.path().join(format!("{name}-{threads}"));
            run_to_the_end(&many, &job, threads);
            assert!(contents(&one) == contents(&many), "{name}: files of 1 and {threads} threads");
        }
    }
}

/// A panic in a worker ends the run with that panic, though the others wait for their turn behind
/// the lost batch.
#[test]
#[should_panic(expected = "a task of this plan")]
fn a_panic_in_a_task_does_not_hang() {
    struct Ignore;
    impl eigensweep_engine::schedule::Sink for Ignore {
        type Work = Infallible;

        fn take(&mut self, _: u64, _: &Rows) -> Result<Option<Infallible>, EngineError> {
            Ok(None)
        }

        fn done(&mut self, done: Infallible) -> Result<(), EngineError> {
            match done {}
        }
    }
    let simulation = simulation(GAUSSIAN, &["job.replicates=40"]);
    let tasks = simulation.plan().tasks;
    // A task that does not exist, then more than there are batches.
    let ranges = [tasks..tasks + 1, 0..tasks];
    let stop = std::sync::atomic::AtomicBool::new(false);
    let _ = eigensweep_engine::schedule::run(&simulation, &ranges, 3, &stop, &mut Ignore);
}

/// Another seed, replicate or n draws something else: the equalities above are not between
/// constants.
#[test]
fn coordinates_that_matter_change_rows() {
    let text = GAUSSIAN;
    let one = rows(&simulation(text, &[]), 1);
    let other = rows(&simulation(text, &["job.seed=8"]), 1);
    let all_differ = one.iter().all(|(place, cell)| other[place].bits() != cell.bits());
    assert!(all_differ, "another seed");
    let distinct: std::collections::BTreeSet<_> = one.values().map(Cell::bits).collect();
    assert_eq!(distinct.len(), one.len(), "no two rows are the same");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, rng_seed: RngSeed::Fixed(6), failure_persistence: None, ..ProptestConfig::default() })]

    /// Small random jobs: rows do not see threads, nor values and replicates that are added.
    #[test]
    fn rows_of_random_jobs_are_functions_of_their_coordinates(
        seed in any::<u64>(),
        explicit in any::<bool>(),
        linear in any::<bool>(),
        (signal, noise, labels) in (1..9_usize, 1..9_usize, 2..5_usize),
        (more_signal, more_noise) in (1..20_usize, 1..20_usize),
        (k, more_k) in (0.0..1.0_f64, 0.0..1.0_f64),
        (n, more_n) in (2..60_i64, 2..60_i64),
        (alpha, more_alpha) in (0.0..3.0_f64, 3.5..9.0_f64),
        threads in 2..4_usize,
    ) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let dimension = |share: f64| 1 + (share * (signal + noise) as f64) as usize;
        let list = |a: usize, b: usize| if a == b { format!("{a}") } else { format!("[{b}, {a}]") };
        // Dimensions must fit the fewest components on the axes: others grow only.
        let few = [
            format!("job.seed={}", seed >> 1),
            format!("sampler.kind={}", if explicit { "explicit" } else { "moments" }),
            format!("data.teacher={}", if linear { "linear" } else { "classes" }),
            format!("data.label_count={labels}"),
            format!("data.components={signal}"),
            format!("corruption.components={noise}"),
            format!("model.dimension={}", dimension(k)),
            format!("grid.samples={n}"),
            format!("augmentation.alignment={alpha:?}"),
        ];
        let many = [
            format!("data.components={}", list(signal, signal + more_signal)),
            format!("corruption.components={}", list(noise, noise + more_noise)),
            format!("model.dimension={}", list(dimension(k), dimension(more_k))),
            format!("grid.samples={}", if n == more_n { format!("{n}") } else { format!("[{more_n}, {n}]") }),
            format!("augmentation.alignment=[{more_alpha:?}, {alpha:?}]"),
            "job.replicates=3".to_owned(),
        ];
        let few: Vec<&str> = few.iter().map(String::as_str).collect();
        let many: Vec<&str> = few.iter().copied().chain(many.iter().map(String::as_str)).collect();
        let some = rows(&simulation(GAUSSIAN, &few), 1);
        let threaded = rows(&simulation(GAUSSIAN, &few), threads);
        let all = rows(&simulation(GAUSSIAN, &many), threads);
        for (place, cell) in &some {
            prop_assert_eq!(cell.bits(), threaded[place].bits(), "threads: {}", place);
            let Some(other) = all.get(place) else { panic!("no row {place}") };
            prop_assert_eq!(cell.bits(), other.bits(), "added: {}\n{:?}\n{:?}", place, cell, other);
        }
    }

    /// However extreme the units, a row has all its values, finite and in range, or a status that
    /// says why not.
    #[test]
    fn rows_have_their_values_or_a_status(
        exponents in (-200..200_i32, -200..200_i32, -200..200_i32),
        (seed, n) in (any::<u32>(), 1..40_i64),
        alpha in -100..100_i32,
    ) {
        let (data, noise, views) = exponents;
        let set = [
            format!("job.seed={seed}"),
            format!("data.scale=1e{data}"),
            format!("corruption.scale=1e{noise}"),
            format!("augmentation.scale=1e{views}"),
            format!("augmentation.alignment=[0, 1e{alpha}]"),
            format!("grid.samples={n}"),
            "data.components=4".to_owned(),
            "corruption.components=5".to_owned(),
            "model.dimension=[2, 4]".to_owned(),
        ];
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        for (place, cell) in rows(&simulation(GAUSSIAN, &set), 1) {
            let values = [cell[&LOSS_CLEAN], cell[&LOSS_CORRUPTED]];
            if cell.row.status == Status::Ok {
                // One-hot labels have power 1.
                prop_assert!(values.iter().all(|loss| (-1e-6..=1.0 + 1e-6).contains(loss)), "{place}: {cell:?}");
                let supervised = place.ends_with("supervised");
                let inside = |x: f64| (supervised && x.is_nan()) || (0.0..=1.0).contains(&x);
                prop_assert!(inside(cell[&LEAKAGE]) && inside(cell[&GAP]), "{place}: {cell:?}");
            } else {
                let all = [values[0], values[1], cell[&LEAKAGE], cell[&GAP]];
                prop_assert!(all.iter().all(|x| x.is_nan()), "{place}: {cell:?}");
            }
        }
    }
}

/// All rows of a job as bits, by kernels on one instruction set.
fn rows_on(instruction_set: InstructionSet, simulation: &Simulation) -> Vec<(Vec<u64>, Status)> {
    let mut workspace = Workspace::on(instruction_set, simulation);
    let mut batch = simulation.new_batch();
    let mut rows = vec![];
    for task in 0..simulation.plan().tasks {
        simulation.run_task(task, &mut workspace, &mut batch);
        rows.extend((0..batch.len()).map(|row| Cell::of(&batch, row).bits()));
    }
    rows
}

/// A cluster whose nodes differ gives one answer: every instruction set of this machine, forced one
/// by one, and none at all.
#[test]
fn rows_do_not_depend_on_the_instruction_set() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 90, 6, 4);
    let grids = "[augmentation]\nscale = 20\nalignment = [0, 0.7, 3]\n[model]\ndimension = [3, 8]\n[grid]\nsamples = [15, 40, 80]\n";
    let real = images.source(&format!("components = 9\n[corruption]\ncomponents = 12\nscale = 50\n{grids}"));
    for text in [GAUSSIAN, &real] {
        for sampler in ["sampler.kind=moments", "sampler.kind=explicit"] {
            let simulation = simulation(text, &[sampler, "output.metrics=['distance', 'leakage', 'gap']"]);
            let available = InstructionSet::available();
            let portable = rows_on(available[0], &simulation);
            assert!(portable.iter().all(|(_, status)| *status == Status::Ok));
            for instruction_set in available {
                assert!(
                    rows_on(instruction_set, &simulation) == portable,
                    "{}, {sampler}",
                    instruction_set.name()
                );
            }
        }
    }
}
