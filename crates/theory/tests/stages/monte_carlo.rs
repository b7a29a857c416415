//! Closed forms against draws, in units of the standard error over batches.

use eigensweep_theory::views::stages::{Domain, State, Tier, Views};
use faer::{Accum, Mat, Par};
use serde_json::{Value as Json, json};

use crate::table::{Data, Generator, SHAPE, build, kind, moments, present};

/// What was found beside what was expected.
#[derive(Default)]
struct Tally {
    entries: usize,
    /// Those beyond three standard errors.
    beyond: usize,
    /// The greatest, and whose it is.
    most: (f64, String),
}

/// Moments of batches of views of each sample: G without its bias.
fn batch(
    chain: &[Box<dyn eigensweep_theory::views::stages::Stage>],
    data: &Data,
    views: usize,
    rng: &mut Generator,
) -> State {
    let (size, n, m) = (SHAPE.size(), data.inputs.ncols(), views as f64);
    let zeros = |columns| Mat::<f64>::zeros(size, columns);
    let mut state = State {
        mean: zeros(1),
        cross: zeros(size),
        mean_views: zeros(size),
        views: zeros(size),
        view_labels: zeros(2),
        input_mean: zeros(1),
        label_mean: zeros(1),
    };
    let mut drawn = zeros(views);
    for at in 0..n {
        for view in 0..views {
            let mut values = data.inputs.col_as_slice(at).to_vec();
            chain.iter().for_each(|stage| stage.draw(&mut values, rng));
            drawn.col_as_slice_mut(view).copy_from_slice(&values);
        }
        let mean = Mat::from_fn(size, 1, |i, _| drawn.row(i).iter().sum::<f64>() / m);
        let add = |to: &mut Mat<f64>, factor: f64, left: &Mat<f64>, right: faer::MatRef<'_, f64>| {
            faer::linalg::matmul::matmul(to, Accum::Add, left, right, factor / n as f64, Par::Seq);
        };
        add(&mut state.views, 1.0 / m, &drawn, drawn.transpose());
        add(&mut state.mean_views, m / (m - 1.0), &mean, mean.transpose());
        add(&mut state.mean_views, -1.0 / (m * (m - 1.0)), &drawn, drawn.transpose());
        add(&mut state.cross, 1.0, &mean, data.inputs.subcols(at, 1).transpose());
        add(&mut state.view_labels, 1.0, &mean, data.labels.subcols(at, 1).transpose());
        add(&mut state.mean, 1.0, &mean, Mat::<f64>::ones(1, 1).as_ref());
    }
    state
}

impl Tally {
    /// Draws of a chain beside its closed form; false where it has none, or cannot be drawn.
    fn compare(&mut self, stages: &Json, batches: usize, views: usize) -> bool {
        let data = Data::counts(SHAPE.size(), 4);
        let mut chain = Views::new(build(stages, SHAPE).unwrap());
        if chain.tier() == Tier::Sampled || chain.check(Domain::Counts).is_err() {
            return false;
        }
        let expected = data.through(&mut chain, 2, 0);
        let mut whole = eigensweep_theory::views::stages::Chain { stages: build(stages, SHAPE).unwrap() };
        // The mean behind a stage that is exact by entries is that of a chain cut short.
        let tables = stages.as_array().unwrap();
        let mut scratch = eigensweep_theory::views::stages::Scratch::default();
        for (at, stage) in whole.stages.iter_mut().enumerate() {
            let before = data.through(&mut Views::new(build(&json!(tables[..at]), SHAPE).unwrap()), 2, 0);
            stage.settle(before.mean.col_as_slice(0), &mut scratch);
        }
        let mut rng = Generator::new(
            stages.to_string().bytes().fold(7, |seed, byte| seed * 31 % 1_000_003 + u64::from(byte)),
        );
        let found: Vec<State> = (0..batches).map(|_| batch(&whole.stages, &data, views, &mut rng)).collect();
        for (which, (name, expected)) in moments(&expected).into_iter().enumerate() {
            let scale = expected.norm_max();
            for j in 0..expected.ncols() {
                for i in 0..expected.nrows() {
                    let values: Vec<f64> =
                        found.iter().map(|state| moments(state)[which].1[(i, j)]).collect();
                    let count = values.len() as f64;
                    let mean = values.iter().sum::<f64>() / count;
                    let spread: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                    let error = (spread / (count * (count - 1.0))).sqrt();
                    let difference = (mean - expected[(i, j)]).abs();
                    if error <= 1e-13 * scale {
                        assert!(
                            difference <= 1e-11 * scale,
                            "{stages}: {name}[{i}, {j}] is off by {difference:e}"
                        );
                        continue;
                    }
                    let z = difference / error;
                    assert!(z.is_finite(), "{stages}: {name}[{i}, {j}]");
                    self.entries += 1;
                    self.beyond += usize::from(z > 3.0);
                    if z > self.most.0 {
                        self.most = (z, format!("{name}[{i}, {j}] of {stages}"));
                    }
                }
            }
        }
        true
    }

    fn share(&self) -> f64 {
        self.beyond as f64 / self.entries as f64
    }
}

#[test]
fn every_kind_draws_what_its_closed_form_says() {
    let mut tally = Tally::default();
    for stage in present() {
        // Of the kinds without a closed form of their own, behind one that has a law.
        let alone = json!([stage]);
        let behind = json!([{"kind": "thinning", "keep": 0.7}, stage]);
        assert!(tally.compare(&alone, 60, 400) || tally.compare(&behind, 60, 400), "{}", kind(&stage));
    }
    eprintln!(
        "{} entries, {:.3} % beyond 3, most {:.2}: {}",
        tally.entries,
        100.0 * tally.share(),
        tally.most.0,
        tally.most.1
    );
    assert!(tally.entries > 1000);
    assert!(tally.share() < 0.01, "{} of {} beyond 3", tally.beyond, tally.entries);
    assert!(tally.most.0 < 5.5, "{:.2}: {}", tally.most.0, tally.most.1);
}

#[test]
fn every_pair_that_can_be_drawn_draws_what_its_closed_form_says() {
    let mut tally = Tally::default();
    let mut pairs = 0;
    for first in present() {
        for second in present() {
            pairs += usize::from(tally.compare(&json!([first, second]), 40, 40));
        }
    }
    eprintln!(
        "{pairs} pairs, {} entries, {:.3} % beyond 3, most {:.2}: {}",
        tally.entries,
        100.0 * tally.share(),
        tally.most.0,
        tally.most.1
    );
    assert!(pairs > 100);
    assert!(tally.share() < 0.01, "{} of {} beyond 3", tally.beyond, tally.entries);
    assert!(tally.most.0 < 7.0, "{:.2}: {}", tally.most.0, tally.most.1);
}
