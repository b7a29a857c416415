//! `[features]` of jobs: rows agree with what is worked out from the images themselves, features of
//! held-out rows and of views included.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![expect(clippy::cast_possible_truncation, reason = "numbers of a small test")]
#![expect(clippy::float_cmp, reason = "counts")]

use std::path::Path;

use eigensweep_engine::input::Input;
use eigensweep_store::columns::Status;
use eigensweep_testkit::idx::idx;
use eigensweep_testkit::random::Random;
use eigensweep_testkit::rows::{Cell, cells, job, rows, simulation};
use eigensweep_theory::metrics::{
    ACCURACY_TEST, DISTANCE, GAP, LEAKAGE, LOSS_CLEAN, LOSS_CORRUPTED, LOSS_TEST, RANK, TIER,
};
use faer::Mat;
use faer::linalg::solvers::SolveLstsq;
use tempfile::TempDir;

const SIDE: usize = 3;
const SIZE: usize = SIDE * SIDE;
const CLASSES: usize = 3;
const TRAINING: usize = 240;
const HELD: usize = 60;

/// Images of 3 × 3 bytes, counts of 0 to 40, whose class shows in a product of two pixels.
struct Written {
    directory: TempDir,
    values: Mat<f64>,
    classes: Vec<usize>,
}

fn write() -> Written {
    let mut random = Random(11);
    let mut bytes = Vec::new();
    let mut classes = Vec::new();
    for _ in 0..TRAINING + HELD {
        let image: [u8; SIZE] = std::array::from_fn(|_| random.byte() % 41);
        let product = f64::from(image[0]) * f64::from(image[4]);
        classes.push(if product < 150.0 { 0 } else { usize::from(product < 500.0) + 1 });
        bytes.extend(image);
    }
    let directory = tempfile::tempdir().unwrap();
    let samples = u32::try_from(classes.len()).unwrap();
    let side = u32::try_from(SIDE).unwrap();
    std::fs::write(directory.path().join("images"), idx(&[samples, side, side], &bytes)).unwrap();
    let labels: Vec<u8> = classes.iter().map(|&class| u8::try_from(class).unwrap()).collect();
    std::fs::write(directory.path().join("labels"), idx(&[samples], &labels)).unwrap();
    let values = Mat::from_fn(classes.len(), SIZE, |i, j| f64::from(bytes[i * SIZE + j]));
    Written { directory, values, classes }
}

const OUTPUT: &str = "[output]\nmetrics = [\"distance\", \"gap\", \"leakage\", \"rank\", \"tier\", \"accuracy_test\", \"loss_test\"]\n";

impl Written {
    /// A job on counts, with a fifth of the rows held out.
    fn job(&self, rest: &str) -> String {
        let path = |name: &str| self.directory.path().join(name).display().to_string();
        format!(
            "[job]\nreplicates = 1\n[data]\nsource = \"idx\"\nimages = {:?}\nlabels = {:?}\nrange = \"none\"\ntest_share = 0.2\n\
             [model]\ndimension = 3\n[grid]\nsamples = {TRAINING}\n{OUTPUT}{rest}",
            path("images"),
            path("labels")
        )
    }

    /// The squared loss of least squares with an intercept on these features (n × D), of rows that
    /// it was learned from and of the others.
    fn least_squares(&self, features: &Mat<f64>) -> [f64; 2] {
        let wide = Mat::from_fn(features.nrows(), features.ncols() + 1, |i, j| {
            if j == features.ncols() { 1.0 } else { features[(i, j)] }
        });
        let answers = Mat::from_fn(wide.nrows(), CLASSES, |i, c| f64::from(u8::from(self.classes[i] == c)));
        let [x, y] = [&wide, &answers].map(|all| all.subrows(0, TRAINING));
        let weights = x.qr().solve_lstsq(y);
        let errors = &wide * &weights - &answers;
        let mean = |first: usize, count: usize| errors.subrows(first, count).squared_norm_l2() / count as f64;
        [mean(0, TRAINING), mean(TRAINING, HELD)]
    }
}

fn by_paradigm(text: &str) -> Vec<(&'static str, Cell)> {
    let simulation = simulation(text, &[]);
    let names: Vec<&str> = simulation.paradigms().map(|paradigm| paradigm.name).collect();
    let found = cells(&simulation, 2).map(|(row, cell)| (names[row as usize % names.len()], cell));
    found.inspect(|(name, cell)| assert_eq!(cell.row.status, Status::Ok, "{name}")).collect()
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-8 * expected.abs().max(1e-2), "{what}: {found}, not {expected}");
}

const PLAIN: &str = "[augmentation]\nstages = []\n";

/// Supervised learning without views is least squares on the features.
#[test]
fn polynomials_are_learned_from_and_tried_as_worked_out_by_hand() {
    let written = write();
    let products = (0..SIZE).flat_map(|i| (i..SIZE).map(move |j| (i, j)));
    let products: Vec<(usize, usize)> = products.collect();
    let features = Mat::from_fn(written.values.nrows(), SIZE + products.len(), |row, at| {
        let value = |i: usize| written.values[(row, i)];
        if at < SIZE { value(at) } else { value(products[at - SIZE].0) * value(products[at - SIZE].1) }
    });
    let [loss, held_out] = written.least_squares(&features);
    let found = by_paradigm(&written.job(&format!("{PLAIN}[features]\nkind = \"polynomial\"\n")));
    let supervised = &found[0].1;
    close(supervised[&LOSS_CORRUPTED], loss, "loss");
    close(supervised[&LOSS_TEST], held_out, "loss on held-out rows");
    // All have the rank of the features, and nothing to compare leakage with.
    for (name, cell) in &found {
        assert_eq!((cell[&RANK], cell[&TIER]), (54.0, 3.0), "{name}");
        assert!(cell[&LEAKAGE].is_nan(), "{name}");
    }
    // Where the class shows in a product, that is worth something.
    let raw = by_paradigm(&written.job(PLAIN));
    assert!(supervised[&ACCURACY_TEST] > raw[0].1[&ACCURACY_TEST] + 0.05);
}

#[test]
fn logarithms_of_normalized_counts_are_worked_out_by_hand_on_all_rows() {
    let written = write();
    let size = |row: usize| (0..SIZE).map(|i| written.values[(row, i)]).sum::<f64>();
    let mut sizes: Vec<f64> = (0..TRAINING).map(size).filter(|size| *size > 0.0).collect();
    sizes.sort_by(f64::total_cmp);
    let median = f64::midpoint(sizes[TRAINING / 2 - 1], sizes[TRAINING / 2]);
    for (key, target) in [("\"median\"", median), ("100", 100.0)] {
        for log1p in [false, true] {
            // Of rows of one sum a column says nothing that the others do not.
            let columns = if log1p { SIZE } else { SIZE - 1 };
            let features = Mat::from_fn(written.values.nrows(), columns, |row, i| {
                let scaled = target / size(row) * written.values[(row, i)];
                if log1p { scaled.ln_1p() } else { scaled }
            });
            let [loss, held_out] = written.least_squares(&features);
            let rest = format!("{PLAIN}[features]\nnormalize = {key}\nlog1p = {log1p}\n");
            let supervised = &by_paradigm(&written.job(&rest))[0].1;
            close(supervised[&LOSS_CORRUPTED], loss, key);
            close(supervised[&LOSS_TEST], held_out, key);
            assert_eq!(supervised[&TIER], 2.0);
        }
    }
}

/// Of views that are drawn the entries are means of many; of thinned counts they are finite sums.
#[test]
fn logarithms_behind_thinning_are_exact_and_what_drawn_views_come_to() {
    let written = write();
    let features = "[features]\nnormalize = \"median\"\nlog1p = true\n";
    let thinned = "{ kind = \"thinning\", keep = 0.5 }, { kind = \"scale\", factors = [2.0] }";
    let exact = by_paradigm(&written.job(&format!("[augmentation]\nstages = [{thinned}]\n{features}")));
    // A choice has no law by entries: the same views, drawn.
    let drawn = format!(
        "[augmentation]\nstages = [{{ kind = \"choice\", options = [[{thinned}]] }}]\n{features}views = 600\n"
    );
    for ((name, exact), (_, drawn)) in exact.iter().zip(&by_paradigm(&written.job(&drawn))) {
        assert_eq!((exact[&TIER], drawn[&TIER]), (2.0, 3.0));
        for metric in [&LOSS_CORRUPTED, &GAP, &LOSS_TEST] {
            let (exact, drawn) = (exact[metric], drawn[metric]);
            assert!(
                exact.is_nan() && drawn.is_nan() || (exact - drawn).abs() < 0.01,
                "{name}: {exact}, {drawn}"
            );
        }
    }
}

/// Row spaces of supervised learning and joint-embedding do not depend on the basis of the inputs.
#[test]
fn linear_features_of_full_rank_change_no_row_space() {
    let written = write();
    let views = "[corruption]\nstages = [{ kind = \"additive\", variance = 9.0 }]\n[augmentation]\nstages = [{ kind = \"dropout\", \
        probability = 0.3 }]\n";
    let raw = by_paradigm(&written.job(views));
    for features in [
        "standardize = true",
        "kind = \"whitening\"",
        "standardize = true\nkind = \"whitening\"",
        "components = 9",
    ] {
        let found = by_paradigm(&written.job(&format!("{views}[features]\n{features}\n")));
        for ((name, raw), (_, found)) in raw.iter().zip(&found).take(2) {
            assert_eq!(found[&TIER], 1.0);
            for metric in [&LOSS_CLEAN, &LOSS_CORRUPTED] {
                close(found[metric], raw[metric], &format!("{features}, {name}"));
            }
        }
    }
    // Centring is what is done anyway.
    let centred = by_paradigm(&written.job(&format!("{views}[features]\ncenter = true\n")));
    for ((_, raw), (_, centred)) in raw.iter().zip(&centred) {
        assert_eq!(raw.bits(), centred.bits());
    }
}

/// Columns are chosen by the rows that are learned from, and kept of all.
#[test]
fn the_most_variable_features_are_kept_of_all_rows() {
    let written = write();
    let views = "[augmentation]\nstages = [{ kind = \"thinning\", keep = 0.5 }]\n";
    let raw = by_paradigm(&written.job(views));
    let all = by_paradigm(&written.job(&format!("{views}[features]\nvariable = 9\n")));
    for ((_, raw), (_, all)) in raw.iter().zip(&all) {
        assert_eq!(raw.bits(), all.bits());
    }
    let some = by_paradigm(&written.job(&format!("{views}[features]\nvariable = 4\n")));
    assert!((4.0..9.0).contains(&some[0].1[&RANK]) && some[0].1[&LOSS_TEST].is_finite());
}

#[test]
fn both_names_of_components_make_the_same_job() {
    let written = write();
    let long = job(&written.job("[augmentation]\nstages = []\n[features]\ncomponents = [3, 4]\n"), &[]);
    let short = job(&written.job(PLAIN), &["data.components=[3, 4]"]);
    assert_eq!(long.spec.to_toml(), short.spec.to_toml());
}

const RANDOM: &str = "[corruption]\nstages = [{ kind = \"thinning\", keep = [0.5, 0.9] }]\n[augmentation]\nstages = [{ kind = \
    \"dropout\", probability = 0.2, fill = \"mean\" }]\n[features]\nkind = \"fourier\"\ncount = 20\nviews = 3\ncomponents = [3, 5]\n";

/// Random weights are drawn once a job: whatever the part, the process and the rest of the grid.
#[test]
fn rows_of_random_features_are_functions_of_their_coordinates() {
    let written = write();
    let text = written.job(RANDOM);
    let set = ["grid.samples=[60, 200]", "job.replicates=2"];
    let all = rows(&simulation(&text, &set), 2);
    assert_eq!(all.len(), 2 * 2 * 2 * 2 * 3);
    assert!(all.values().all(|cell| cell.row.status == Status::Ok && cell[&DISTANCE].is_finite()));
    for other in ["grid.samples=[200, 90]", "features.components=[5]", "job.replicates=1"] {
        let set = [set[0], set[1], other];
        let some = rows(&simulation(&text, &set), 1);
        let mut shared = 0;
        for (place, cell) in &some {
            let Some(before) = all.get(place) else { continue };
            assert_eq!(cell.bits(), before.bits(), "{place}");
            shared += 1;
        }
        assert!(shared >= 12, "{other}");
    }
    let other = rows(&simulation(&text, &[set[0], set[1], "job.seed=1"]), 1);
    assert!(
        all.iter().all(|(place, cell)| other[place].bits() != cell.bits()),
        "another seed, other weights"
    );
}

#[test]
fn features_of_jobs_without_stages_are_those_of_the_clean_rows() {
    let written = write();
    let path = |name: &str| written.directory.path().join(name).display().to_string();
    let text = |features: &str| {
        format!(
            "[data]\nsource = \"idx\"\nimages = {:?}\nlabels = {:?}\n[corruption]\ncomponents = 2\n[model]\ndimension = 2\n\
             [grid]\nsamples = 50\n[job]\nreplicates = 1\n[features]\n{features}\n",
            path("images"),
            path("labels")
        )
    };
    for (features, size) in [
        ("standardize = true", SIZE),
        ("kind = \"whitening\"\ncomponents = 4", 4),
        ("kind = \"fourier\"\ncount = 15", 15),
        ("kind = \"relu\"\ncount = 12\ncomponents = 3", 12),
        ("kind = \"polynomial\"\ncomponents = 3", 9),
        ("normalize = 100\nlog1p = true\nvariable = 9", 9),
        ("normalize = 100\ncomponents = 2", 2),
    ] {
        let job = job(&text(features), &[]);
        let input = Input::load(&job).unwrap();
        assert_eq!(input.largest_signal(), size, "{features}");
        let Input::Rows { sets, .. } = &input else { panic!("rows") };
        let mut row = vec![0.0; size + CLASSES];
        let mut diagonal = |i: usize| {
            let square = |sample| {
                sets[0].rows.write(sample, &mut row);
                row[i] * row[i]
            };
            (0..sets[0].rows.samples()).map(square).sum::<f64>()
        };
        if features.contains("standardize") || features.contains("whitening") {
            let samples = (TRAINING + HELD) as f64;
            assert!((0..size).all(|i| (diagonal(i) / samples - 1.0).abs() < 1e-12), "{features}");
        }
        assert!(cells(&simulation(&text(features), &[]), 1).all(|(_, cell)| cell.row.status == Status::Ok));
    }
}

/// What a job is refused for.
fn refused(text: &str) -> String {
    match eigensweep_job::parse("job.toml", text, &[], Path::new("")) {
        Err(problems) => problems.to_string(),
        Ok(job) => Input::load(&job).unwrap_err().to_string(),
    }
}

#[test]
fn what_cannot_be_is_refused_with_its_remedy() {
    let written = write();
    for (rest, message, remedy) in [
        (
            "[augmentation]\nstages = []\n[features]\nkind = \"pca\"\n",
            "needs `features.components`",
            "principal components",
        ),
        (
            "[augmentation]\nstages = []\n[features]\ncomponents = 10\n",
            "asks for 10 components",
            "choose at most 9",
        ),
        (
            "[augmentation]\nstages = []\n[features]\ncount = 10\n",
            "has no meaning with kind = \"identity\"",
            "fourier",
        ),
        ("[augmentation]\nstages = []\n[features]\nnormalize = 0\n", "must be above 0", "median"),
        ("[augmentation]\nstages = []\n[features]\nnormalize = \"mean\"\n", "must be \"median\"", "median"),
        ("[augmentation]\nstages = []\n[features]\nlog1p = 1\n", "must be", ""),
        (
            "[augmentation]\nstages = []\n[features]\nkind = \"fourier\"\ncount = 9000\n",
            "makes 9000 features",
            "up to 8192",
        ),
        (
            "[augmentation]\nstages = [{ kind = \"additive\", variance = 1 }]\n[features]\nlog1p = true\n",
            "logarithms of values from 0",
            "leave it out",
        ),
        (
            "[corruption]\ndraw = \"population\"\nstages = [{ kind = \"additive\", variance = 1 }]\n[features]\nkind = \"relu\"\n\
             [output]\nmetrics = [\"distance\"]\n",
            "features act on rows",
            "a draw a sample",
        ),
    ] {
        // The last `[output]` is the only one.
        let text = if rest.contains("[output]") {
            written.job(rest).replacen(OUTPUT, "", 1)
        } else {
            written.job(rest)
        };
        let found = refused(&text);
        assert!(found.contains(message) && found.contains(remedy), "{rest}\n{found}");
    }
    let both = written
        .job("[augmentation]\nstages = []\n[features]\ncomponents = 3\n")
        .replace("range =", "components = 3\nrange =");
    assert!(refused(&both).contains("`data.components` and `features.components` are the same"));
    let drawn = "[data]\nsource = \"gaussian\"\n[model]\ndimension = 3\n[features]\nlog1p = true\n";
    assert!(refused(drawn).contains("has no meaning with data.source = \"gaussian\""), "{}", refused(drawn));
}
