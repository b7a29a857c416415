//! Reads the reference values, and compares with a message that names the case.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use eigensweep_theory::additive::{Additive, AdditiveBatch, Room, Route, Wanted, Way};
use eigensweep_theory::leakage::Population;
use eigensweep_theory::metrics::{EFFECTIVE_RANK, GAP, LEAKAGE};
use eigensweep_theory::{Failure, InstructionSet, Metric, paradigms};
use faer::Mat;
use serde::Deserialize;

pub type Rows = Vec<Vec<f64>>;

#[derive(Deserialize)]
pub struct File {
    pub closed_forms: Vec<ClosedForm>,
    pub thresholds: Vec<ThresholdCase>,
    #[serde(default)]
    pub leakage: Vec<LeakageCase>,
    #[serde(default)]
    pub supervised_loss: Vec<SupervisedLossCase>,
}

#[derive(Deserialize)]
pub struct ClosedForm {
    pub kind: String,
    pub d: usize,
    pub k: usize,
    #[serde(rename = "X")]
    pub x: Rows,
    #[serde(rename = "X_bar")]
    pub x_bar: Rows,
    #[serde(rename = "Sigma")]
    pub sigma: Rows,
    #[serde(rename = "Y")]
    pub y: Rows,
    pub relative_gap: Gaps,
    pub expect: Expect,
}

#[derive(Deserialize)]
pub struct Gaps {
    pub je: f64,
    pub rc: f64,
}

#[derive(Deserialize)]
pub struct Expect {
    pub je: JointEmbedding,
    pub rc: Reconstruction,
    pub sl: Supervised,
}

#[derive(Deserialize)]
pub struct JointEmbedding {
    pub eigenvalues: Vec<f64>,
    pub projector: Rows,
    pub objective: f64,
    pub probe: f64,
}

#[derive(Deserialize)]
pub struct Reconstruction {
    pub singular_values: Vec<f64>,
    pub projector: Rows,
    pub map: Rows,
    pub objective: f64,
    pub probe: f64,
}

#[derive(Deserialize)]
pub struct Supervised {
    pub map: Rows,
    pub objective: f64,
}

#[derive(Deserialize)]
pub struct ThresholdCase {
    pub signal: Vec<f64>,
    pub theta_signal: Vec<f64>,
    pub gamma: Vec<f64>,
    pub theta_noise: Vec<f64>,
    /// k; k₀ if it is left out.
    pub dimension: Option<usize>,
    pub expect: ThresholdExpect,
}

#[derive(Deserialize)]
pub struct ThresholdExpect {
    pub delta: f64,
    pub eta: f64,
    pub alpha_rc_squared: f64,
    pub alpha_je_squared: f64,
    pub crossover: f64,
    pub corollary_4_5: String,
}

#[derive(Deserialize)]
pub struct LeakageCase {
    pub second_moment: Rows,
    pub gamma: Vec<f64>,
    pub basis: Rows,
    pub leakage: f64,
}

#[derive(Deserialize)]
#[allow(non_snake_case, reason = "the symbols of the paper")]
pub struct SupervisedLossCase {
    pub S: Rows,
    pub C: Rows,
    pub B: Rows,
    pub label_power: f64,
    pub loss: f64,
}

/// The project's own reference values (`reference/generate.py`).
pub fn project() -> File {
    serde_json::from_str(include_str!("../../reference/closed_forms.json")).unwrap()
}

/// A second, independent set that may lie beside the project.
pub fn shared() -> Option<File> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/closed_forms.json");
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        eprintln!("skipped: no shared reference beside the project");
    }
    text.map(|text| serde_json::from_str(&text).unwrap())
}

pub fn matrix(rows: &Rows) -> Mat<f64> {
    Mat::from_fn(rows.len(), rows.first().map_or(0, Vec::len), |i, j| rows[i][j])
}

/// Every difference at most `tolerance`, NaN refused.
pub fn assert_close(place: &str, what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{place}: number of {what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "{place}: {what}[{i}] is {f:e}, not {e:e} (± {tolerance:e})");
    }
}

/// The same relative to the largest entry, or to 1.
pub fn assert_matrix_close(place: &str, what: &str, found: &Mat<f64>, expected: &Rows, tolerance: f64) {
    let expected = matrix(expected);
    let scale = expected.norm_max().max(1.0);
    for j in 0..expected.ncols() {
        assert_close(
            place,
            &format!("{what} column {j}"),
            &(0..expected.nrows()).map(|i| found[(i, j)]).collect::<Vec<_>>(),
            &(0..expected.nrows()).map(|i| expected[(i, j)]).collect::<Vec<_>>(),
            tolerance * scale,
        );
    }
}

/// What is known of one problem at one dimension; `None` for metrics without a value.
#[derive(Clone, Copy, Debug)]
pub struct Representation {
    pub loss: f64,
    pub leakage: Option<f64>,
    pub gap: Option<f64>,
    pub effective_rank: Option<f64>,
}

/// One additive problem alone, on the given route: representations of each paradigm at each of the
/// dimensions.
pub fn solve_additive(
    route: Option<Route>,
    problem: &Additive<'_>,
    dimensions: &[usize],
    population: Option<Population<'_>>,
) -> [Result<Vec<Representation>, Failure>; 3] {
    let size = problem.sigma.len();
    let noise_components = population.map_or(0, |population| population.gamma.len());
    let room = Room {
        size,
        smallest: size,
        noise_components,
        labels: problem.input_labels.ncols(),
        dimension: size,
        dimensions: dimensions.len(),
    };
    let mut metrics: Vec<&'static Metric> = vec![&GAP, &EFFECTIVE_RANK];
    metrics.extend(population.is_some().then_some(&LEAKAGE));
    let wanted = Wanted { paradigms: paradigms::ALL.to_vec(), metrics };
    let mut batch = AdditiveBatch::on_route(route, InstructionSet::detect(), room, wanted);
    batch.solve_one(problem, dimensions, population);
    [0, 1, 2].map(|paradigm| {
        let found = batch.represented(0, paradigm)?;
        let metric = |number: usize, n: usize| Some(found.metric(number)[n]).filter(|x| !x.is_nan());
        let at = |n| Representation {
            loss: found.losses[n],
            leakage: population.and_then(|_| metric(2, n)),
            gap: metric(0, n),
            effective_rank: metric(1, n),
        };
        Ok((0..dimensions.len()).map(at).collect())
    })
}

/// Both routes, and the one that the size asks for.
pub const ROUTES: [Option<Route>; 4] =
    [None, Some(Route::Batch(Way::Lanes)), Some(Route::Batch(Way::Band)), Some(Route::Blocked)];
