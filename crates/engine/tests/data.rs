//! Data of jobs: labels, targets and groups, held-out rows, and which data are the same.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fmt::Write;
use std::fs;

use eigensweep_engine::facts::{LabelFacts, facts};
use eigensweep_engine::input::Input;
use eigensweep_store::columns::Status;
use eigensweep_testkit::random::Random;
use eigensweep_testkit::rows::{Cell, cells, job, simulation};
use eigensweep_theory::metrics::{ACCURACY_TEST, LOSS_CLEAN, LOSS_CORRUPTED, LOSS_TEST};
use faer::Mat;
use faer::linalg::solvers::SolveLstsq;
use tempfile::TempDir;

const ROWS: usize = 120;
const FEATURES: usize = 4;
const WORDS: [&str; 3] = ["setosa", "versicolor", "virginica"];

/// A table of four measurements, a class in words, a number that depends on them, and a patient.
struct Table {
    directory: TempDir,
    values: Mat<f64>,
    numbers: Vec<f64>,
    classes: Vec<usize>,
}

fn table() -> Table {
    let mut random = Random(7);
    let classes: Vec<usize> = (0..ROWS).map(|row| row * 7 % 3).collect();
    let values = Mat::from_fn(ROWS, FEATURES, |row, i| {
        // Two digits, so that the text is the number.
        (100.0 * (random.normal() + f64::from(u8::from(classes[row] == i)) * 2.0)).round() / 100.0
    });
    let number = |row: usize| 3.0 + values[(row, 0)] - 2.0 * values[(row, 3)] + 0.1 * random.normal();
    let numbers = (0..ROWS).map(number).collect();
    let table = Table { directory: tempfile::tempdir().unwrap(), values, numbers, classes };
    table.write("all.csv", 0..ROWS, &["a", "b", "c", "d"]);
    table
}

impl Table {
    /// Writes rows with the columns in that order, `a` being the first feature.
    fn write(&self, name: &str, rows: impl Iterator<Item = usize>, columns: &[&str]) {
        let mut text = format!("kind,{},number,patient\n", columns.join(","));
        for row in rows {
            let at = |name: &&str| self.values[(row, usize::from(name.as_bytes()[0] - b'a'))].to_string();
            let features: Vec<String> = columns.iter().map(at).collect();
            let (word, number) = (WORDS[self.classes[row]], self.numbers[row]);
            writeln!(text, "{word},{},{number},p{}", features.join(","), row / 10).unwrap();
        }
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn job(&self, file: &str, data: &str, rest: &str) -> String {
        format!(
            "[job]\nreplicates = 1\n[model]\ndimension = 2\n[data]\nsource = \"csv\"\ninputs = {:?}\n\
             columns = [\"a\", \"b\", \"c\", \"d\"]\n{data}\n{rest}",
            self.path(file).display().to_string()
        )
    }
}

const STAGES: &str =
    "[augmentation]\nstages = []\n[output]\nmetrics = [\"distance\", \"accuracy_test\", \"loss_test\"]\n";

fn grid(samples: usize) -> String {
    format!("[grid]\nsamples = {samples}\n")
}

fn supervised(text: &str) -> Cell {
    let simulation = simulation(text, &[]);
    let cell = cells(&simulation, 1).next().unwrap().1;
    assert_eq!(cell.row.status, Status::Ok);
    cell
}

fn refused(text: &str) -> String {
    Input::load(&job(text, &[])).unwrap_err().to_string()
}

fn fingerprint(text: &str) -> String {
    Input::load(&job(text, &[])).unwrap().fingerprint().to_owned()
}

/// Loss of least squares with an intercept of one target, on the rows learned from and on the
/// others.
fn least_squares(table: &Table, training: usize) -> [f64; 2] {
    let x = Mat::from_fn(ROWS, FEATURES + 1, |i, j| if j == FEATURES { 1.0 } else { table.values[(i, j)] });
    let y = Mat::from_fn(ROWS, 1, |i, _| table.numbers[i]);
    let weights = x.subrows(0, training).qr().solve_lstsq(y.subrows(0, training));
    let errors = &x * &weights - &y;
    let mean = |first: usize, count: usize| errors.subrows(first, count).squared_norm_l2() / count as f64;
    [mean(0, training), mean(training, ROWS - training)]
}

#[test]
fn targets_are_learned_as_least_squares_does_and_have_no_accuracy() {
    let table = table();
    let data = "targets = \"number\"\ntest_share = 0.25";
    let cell = supervised(&table.job("all.csv", data, &(grid(90) + STAGES)));
    let [loss, test] = least_squares(&table, 90);
    for (metric, expected) in [(&LOSS_CORRUPTED, loss), (&LOSS_TEST, test)] {
        assert!((cell[metric] - expected).abs() < 1e-9 * (1.0 + expected), "{}", metric.name);
    }
    assert!(cell[&ACCURACY_TEST].is_nan());
    // Numbers with fractions are targets, too, where they are called labels.
    let labels = table.job("all.csv", "labels = \"number\"\ntest_share = 0.25", &(grid(90) + STAGES));
    assert_eq!(supervised(&labels)[&LOSS_TEST].to_bits(), cell[&LOSS_TEST].to_bits());
    // And in jobs without stages, whose inputs and targets are centred: no noise, all rows.
    let none = "[corruption]\nscale = 0.0\n[augmentation]\nscale = 0.0\n";
    let [loss, _] = least_squares(&table, ROWS);
    let found = supervised(&table.job("all.csv", "targets = \"number\"", &(grid(ROWS) + none)))[&LOSS_CLEAN];
    assert!((found - loss).abs() < 1e-9, "{found}, not {loss}");
}

#[test]
fn words_are_classes_in_alphabetical_order_wherever_they_stand() {
    let table = table();
    let words = self::words(&table, 0..ROWS);
    fs::write(table.path("kinds.txt"), words.join("\n") + "\n").unwrap();
    let numbers: Vec<String> = table.classes.iter().map(usize::to_string).collect();
    fs::write(table.path("numbers.txt"), numbers.join("\n") + "\n").unwrap();
    let of = |labels: &str| {
        let stages = "[augmentation]\nstages = []\n";
        let text = table.job("all.csv", &format!("labels = {labels}"), &(grid(60) + stages));
        supervised(&text)[&LOSS_CORRUPTED].to_bits()
    };
    let file = |name: &str| format!("{:?}", table.path(name).display().to_string());
    let inside = of("\"kind\"");
    let elsewhere = format!("{{ file = {}, column = \"kind\" }}", file("all.csv"));
    assert_eq!([of(&file("kinds.txt")), of(&file("numbers.txt")), of(&elsewhere)], [inside; 3]);
    let of_job = job(&table.job("all.csv", "labels = \"kind\"", &grid(60)), &[]);
    let LabelFacts::Classes(classes) = facts(&of_job).unwrap().unwrap().labels else { panic!("no classes") };
    assert_eq!(classes.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), WORDS);
}

fn words(table: &Table, rows: impl Iterator<Item = usize>) -> Vec<String> {
    rows.map(|row| WORDS[table.classes[row]].to_owned()).collect()
}

#[test]
fn data_are_the_same_by_their_contents_and_by_what_is_asked_of_them() {
    let table = table();
    fs::copy(table.path("all.csv"), table.path("moved.csv")).unwrap();
    let of = |file: &str, data: &str| fingerprint(&table.job(file, data, &grid(60)));
    let one = of("all.csv", "labels = \"kind\"");
    assert_eq!(of("moved.csv", "labels = \"kind\""), one);
    assert_ne!(of("all.csv", "labels = \"patient\""), one);
    assert_ne!(of("all.csv", "targets = \"number\""), of("all.csv", "labels = \"number\""));
    table.write("other.csv", (0..ROWS).rev(), &["a", "b", "c", "d"]);
    assert_ne!(of("other.csv", "labels = \"kind\""), one);
}

#[test]
fn held_out_rows_have_their_features_by_name_and_their_classes_in_words() {
    let table = table();
    table.write("training.csv", 0..90, &["a", "b", "c", "d"]);
    // Classes come in another order, columns too.
    table.write("test.csv", (90..ROWS).rev(), &["d", "b", "a", "c"]);
    table.write("renamed.csv", 90..ROWS, &["a", "b", "c"]);
    let test = |name: &str| {
        let file = format!("labels = \"kind\"\ntest_inputs = {:?}", table.path(name).display().to_string());
        table
            .job("training.csv", &file, &(grid(90) + STAGES))
            .replace("columns = [\"a\", \"b\", \"c\", \"d\"]", "columns = [\"?\"]")
    };
    let share = table.job("all.csv", "labels = \"kind\"\ntest_share = 0.25", &(grid(90) + STAGES));
    let (found, expected) = (supervised(&test("test.csv")), supervised(&share));
    for metric in [&LOSS_TEST, &ACCURACY_TEST] {
        assert!((found[metric] - expected[metric]).abs() < 1e-12, "{}", metric.name);
    }
    assert!(expected[&ACCURACY_TEST] > 0.6);
    let message = refused(&test("renamed.csv"));
    assert!(message.contains("has no feature \"d\""), "{message}");
}

#[test]
fn groups_are_held_out_whole() {
    let table = table();
    for rows in ["last", "random"] {
        let data =
            format!("labels = \"kind\"\ngroups = \"patient\"\ntest_share = 0.24\ntest_rows = {rows:?}");
        let text = table.job("all.csv", &data, &(grid(60) + STAGES));
        let Input::Samples(samples) = Input::load(&job(&text, &[])).unwrap() else { panic!("no samples") };
        let held = samples.held_out.as_ref().unwrap();
        // A quarter of twelve patients with ten rows each comes nearest with three.
        assert_eq!((held.len(), samples.training.len()), (30, 90), "{rows}");
        let mut row = vec![0.0; FEATURES];
        let mut patients = [0; ROWS / 10];
        for at in 0..held.len() {
            held.write(at, &mut row);
            let same =
                |all: usize| (0..FEATURES).all(|i| table.values[(all, i)].to_bits() == row[i].to_bits());
            let place = (0..ROWS).find(|&all| same(all)).unwrap();
            patients[place / 10] += 1;
            assert!(rows == "random" || place == 90 + at);
        }
        assert!(patients.iter().all(|count| [0, 10].contains(count)), "{patients:?}");
    }
}

#[test]
fn sorted_rows_are_not_cut_at_the_end_and_random_ones_depend_on_the_seed_alone() {
    let table = table();
    let mut order: Vec<usize> = (0..ROWS).collect();
    order.sort_by_key(|&row| table.classes[row]);
    table.write("sorted.csv", order.into_iter(), &["a", "b", "c", "d"]);
    let text = |rows: &str, seed: u64| {
        let data = format!("labels = \"kind\"\ntest_share = 0.25{rows}");
        table
            .job("sorted.csv", &data, &(grid(90) + STAGES))
            .replace("[job]", &format!("[job]\nseed = {seed}"))
    };
    let message = refused(&text("", 0));
    assert!(message.contains("sorted by label"), "{message}");
    let of = |seed| supervised(&text("\ntest_rows = \"random\"", seed))[&LOSS_TEST].to_bits();
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let cell = supervised(&text("\ntest_rows = \"random\"", 1));
    assert!(cell[&ACCURACY_TEST] > 0.6);
}

#[test]
fn a_missing_file_of_labels_is_told_with_what_columns_there_are_not() {
    let table = table();
    let text = table.job("all.csv", "labels = \"none.csv\"", &grid(60));
    let message = refused(&text);
    assert!(message.contains("which does not exist") && message.contains("none.csv"), "{message}");
}
