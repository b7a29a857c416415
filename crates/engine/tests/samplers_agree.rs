//! The moment sampler draws from the explicit sampler's distribution: two whole jobs that differ in
//! `sampler.kind` and seed, compared metric by metric with two-sample Kolmogorov–Smirnov tests.

use std::collections::BTreeMap;

use eigensweep_engine::simulation::Simulation;
use eigensweep_store::columns::Status;
use eigensweep_testkit::idx::write_images;
use eigensweep_testkit::kolmogorov_smirnov::{REPLICATES, critical_distance, distance};
use eigensweep_testkit::rows::{cells, coordinates, simulation};
use eigensweep_theory::metrics::{DISTANCE, GAP, LEAKAGE, LOSS_CLEAN, LOSS_CORRUPTED};

/// Metrics are of order 1; where theory says 0, what is left is rounding, which is not what is
/// compared.
const ROUNDING: f64 = 1e-9;

fn rounded(value: f64) -> f64 {
    // Plus zero: no negative zeros.
    (value / ROUNDING).round() * ROUNDING + 0.0
}

/// Values by metric at each place of the grid: the coordinates without the replicate.
type Columns = BTreeMap<String, Vec<f64>>;

fn columns(simulation: &Simulation) -> Columns {
    let mut found = Columns::new();
    for (row, cell) in cells(simulation, 2) {
        let place = coordinates(simulation, row);
        let place = place.split_once(", ").map_or("", |(_, rest)| rest).to_owned();
        assert_eq!(cell.row.status, Status::Ok, "{place}");
        let supervised = place.ends_with("supervised");
        assert!(cell[&LEAKAGE].is_nan() == supervised, "{place}: leakage {}", cell[&LEAKAGE]);
        for metric in [&LOSS_CLEAN, &LOSS_CORRUPTED, &DISTANCE, &LEAKAGE, &GAP] {
            let value = cell[metric];
            if value.is_nan() {
                continue;
            }
            found.entry(format!("{place}: {}", metric.name)).or_default().push(rounded(value));
        }
    }
    found
}

/// Runs `text` with both samplers; returns the comparisons and the largest distance.
fn compare(text: &str, set: [&[&str]; 2]) -> (usize, f64, String) {
    let [mut one, mut other] = [("moments", 1), ("explicit", 2)].map(|(kind, seed)| {
        let (kind, seed) = (format!("sampler.kind={kind}"), format!("job.seed={seed}"));
        let replicates = format!("job.replicates={REPLICATES}");
        let mut all = vec![kind.as_str(), &seed, &replicates];
        all.extend(set[usize::from(kind.ends_with("explicit"))]);
        columns(&simulation(text, &all))
    });
    assert_eq!(one.len(), other.len());
    let (mut worst, mut at) = (0.0, String::new());
    for ((place, a), b) in one.iter_mut().zip(other.values_mut()) {
        assert_eq!((a.len(), b.len()), (REPLICATES, REPLICATES), "{place}");
        let found = distance(a, b);
        if found > worst {
            (worst, at) = (found, place.clone());
        }
    }
    (one.len(), worst, at)
}

fn assert_agree(text: &str, comparisons: usize) {
    let (count, worst, place) = compare(text, [&[], &[]]);
    println!(
        "{count} comparisons, largest distance {worst:.4} (critical {:.4}) at {place}",
        critical_distance()
    );
    assert_eq!(count, comparisons);
    assert!(worst <= critical_distance(), "{place}: {worst:.4}, critical {:.4}", critical_distance());
}

/// d = 3 + 4; with 3 labels r is at most 6: n below r, between r and d, at d + 1, and far above.
const SYNTHETIC: &str = r#"
[corruption]
components = 4
spectrum = "uniform"
scale = 30
[augmentation]
spectrum = "uniform"
scale = 3
alignment = 0.6
[model]
dimension = [3, 5]
[grid]
samples = [4, 6, 8, 40, 1000]
"#;

/// Supervised rows have 3 metrics, the others 5.
const PER_PLACE: usize = 3 + 5 + 5;

#[test]
fn of_a_linear_teacher() {
    let data = "[data]\ncomponents = 3\nscale = 10\nteacher = \"linear\"\nlabel_count = 3\n";
    assert_agree(&format!("{data}{SYNTHETIC}"), 2 * 5 * PER_PLACE);
}

/// Labels are linear in the inputs: AᵀA has rank k₀ whatever n is.
#[test]
fn of_labels_without_noise() {
    let data = "[data]\ncomponents = 3\nscale = 10\nteacher = \"linear\"\nlabel_count = 3\nlabel_noise = 0\n";
    assert_agree(&format!("{data}{SYNTHETIC}"), 2 * 5 * PER_PLACE);
}

#[test]
fn of_classes() {
    let data =
        "[data]\ncomponents = 3\nscale = 10\nteacher = \"classes\"\nlabel_count = 3\nseparation = 0.6\n";
    assert_agree(&format!("{data}{SYNTHETIC}"), 2 * 5 * PER_PLACE);
}

/// More classes than a sample has rows, and fewer components than class directions.
#[test]
fn of_many_classes() {
    let data =
        "[data]\ncomponents = 3\nscale = 10\nteacher = \"classes\"\nlabel_count = 7\nseparation = 0.6\n";
    assert_agree(&format!("{data}{SYNTHETIC}"), 2 * 5 * PER_PLACE);
}

/// Θ = 0: Σ is singular and the general path answers, for n above d.
#[test]
fn where_sigma_is_singular() {
    let data = "[data]\ncomponents = 3\nscale = 10\nteacher = \"linear\"\nlabel_count = 3\n";
    let rest = SYNTHETIC.replace("scale = 3\n", "scale = 0\n").replace("[4, 6, 8, 40, 1000]", "[9, 40]");
    assert_agree(&format!("{data}{rest}"), 2 * 2 * PER_PLACE);
}

/// Nested subsets of real rows; at n = 400 the subset is the whole data set, and only the noise is
/// random.
#[test]
fn of_images_and_their_components() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 400, 6, 4);
    let rest = SYNTHETIC
        .replace("scale = 30", "scale = 2000")
        .replace("scale = 3\n", "scale = 300\n")
        .replace("[3, 5]", "8")
        .replace("[4, 6, 8, 40, 1000]", "[5, 11, 13, 100, 400]");
    assert_agree(&format!("{}{rest}", images.source("components = 8")), 5 * PER_PLACE);
}

#[test]
fn of_images_and_their_pixels() {
    let directory = tempfile::tempdir().unwrap();
    let images = write_images(directory.path(), 400, 3, 4);
    let rest = SYNTHETIC
        .replace("scale = 30", "scale = 2000")
        .replace("scale = 3\n", "scale = 300\n")
        .replace("[3, 5]", "5")
        .replace("[4, 6, 8, 40, 1000]", "[5, 14, 300]");
    assert_agree(&format!("{}{rest}", images.source("")), 3 * PER_PLACE);
}

/// The test can fail: samples of 8 and of 10 rows are told apart.
#[test]
fn another_sample_size_is_noticed() {
    let data = "[data]\ncomponents = 3\nscale = 10\nteacher = \"linear\"\nlabel_count = 3\n";
    let text = format!("{data}{SYNTHETIC}");
    let mut jobs = [("moments", "8"), ("explicit", "10")].map(|(kind, samples)| {
        let set = [
            format!("sampler.kind={kind}"),
            format!("job.replicates={REPLICATES}"),
            format!("grid.samples={samples}"),
        ];
        columns(&simulation(&text, &set.iter().map(String::as_str).collect::<Vec<_>>()))
    });
    let [one, other] = &mut jobs;
    let distances = one.values_mut().zip(other.values_mut()).map(|(a, b)| distance(a, b));
    let noticed = distances.filter(|&found| found > critical_distance()).count();
    assert!(noticed >= 5, "{noticed} of {} metrics", jobs[0].len());
}
