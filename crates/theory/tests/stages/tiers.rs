//! What is computed from samples: exact entries, sampled views, and how chains split.

use eigensweep_testkit::allocator::{self, Counting};
use eigensweep_theory::views::stages::{Chain, Domain, Scratch, Shape, Stage, State, Tier, Views, residual};
use faer::Mat;
use serde_json::{Value as Json, json};

use crate::table::{Data, Generator, SHAPE, assert_state, build, moments, specs};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROW: Shape = Shape { channels: 1, rows: 1, columns: 1 };

fn tier(stages: &Json) -> Tier {
    Views::new(build(stages, SHAPE).unwrap()).tier()
}

fn entry(stages: &Json, value: f64) -> [f64; 2] {
    Chain { stages: build(stages, ROW).unwrap() }.entry(value).unwrap()
}

#[test]
fn a_chain_is_as_exact_as_its_stages_allow() {
    let log = json!({"kind": "elementwise", "function": "log1p"});
    let thinning = json!({"kind": "thinning", "keep": 0.5});
    let dropout = json!({"kind": "dropout", "probability": 0.5});
    let listed = json!({"kind": "dropout", "probability": 0.5, "fill": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]});
    let bright = json!({"kind": "brightness", "low": 0, "high": 1});
    let clip = json!({"kind": "clip", "low": 0, "high": 1});
    let noise = json!({"kind": "clipped-gaussian", "sigma": 0.1});
    let dosed = |kind: &str, key: &str, stage: &Json| json!({"kind": kind, key: 0.5, "stages": [stage]});
    for (stages, expected) in [
        (json!([]), Tier::Moments),
        (json!([thinning, bright]), Tier::Moments),
        (json!([log]), Tier::Entries),
        (json!([thinning, dropout, log, bright]), Tier::Entries),
        (json!([dropout, noise, bright]), Tier::Entries),
        (json!([dosed("strength", "alpha", &thinning), log]), Tier::Entries),
        (json!([dosed("strength", "alpha", &noise)]), Tier::Entries),
        (json!([dosed("sometimes", "probability", &thinning), log]), Tier::Sampled),
        (json!([dosed("sometimes", "probability", &noise)]), Tier::Sampled),
        (json!([noise, clip]), Tier::Sampled),
        (json!([listed, log]), Tier::Sampled),
        (json!([bright, clip, bright]), Tier::Sampled),
        (json!([{"kind": "choice", "options": [[log], [thinning]]}]), Tier::Sampled),
    ] {
        assert_eq!(tier(&stages), expected, "{stages}");
    }
}

/// A sum over all ways in which n units are kept or lost.
fn binomial(n: u32, keep: f64, f: impl Fn(f64) -> f64) -> f64 {
    (0..1_u32 << n)
        .map(|kept| {
            let k = f64::from(kept.count_ones());
            keep.powf(k) * (1.0 - keep).powf(f64::from(n) - k) * f(k)
        })
        .sum()
}

#[test]
fn entries_behind_thinning_are_the_sums_over_its_outcomes() {
    for (n, keep, scale) in [(0, 0.5, 1.0), (1, 0.3, 2.0), (5, 0.554, 2.484), (12, 0.9, 0.1)] {
        let stages = json!([{"kind": "thinning", "keep": keep},
            {"kind": "elementwise", "function": "log1p", "scale": scale}]);
        let [mean, variance] = entry(&stages, f64::from(n));
        let expected = binomial(n, keep, |k| (scale * k).ln_1p());
        let spread = binomial(n, keep, |k| ((scale * k).ln_1p() - expected).powi(2));
        assert!((mean - expected).abs() <= 1e-14 * expected.max(1.0), "{n}: {mean} and {expected}");
        assert!((variance - spread).abs() <= 1e-14, "{n}: {variance} and {spread}");
    }
}

#[test]
fn laws_have_the_moments_of_the_closed_forms() {
    for stage in [
        json!({"kind": "thinning", "keep": 0.37}),
        json!({"kind": "thinning", "keep": 1.0}),
        json!({"kind": "poisson", "exposure": 11.0}),
        json!({"kind": "poisson", "exposure": 0.7, "dispersion": 0.4}),
        json!({"kind": "poisson", "exposure": 3.0, "dispersion": 2.5}),
        json!({"kind": "impulse", "probability": 0.3, "salt": 0.2, "low": -1, "high": 3}),
        json!({"kind": "dropout", "probability": 0.3, "fill": 2}),
        json!({"kind": "strength", "alpha": 0.4, "stages": [{"kind": "thinning", "keep": 0.5}]}),
    ] {
        let stages = build(&json!([stage]), ROW).unwrap();
        for value in [0.0, 1.0, 7.0, 400.0, 20_000.0] {
            let [mean, variance] = stages[0].entry(value).unwrap();
            let mut scratch = Scratch::default();
            let (mut first, mut second) = (Mat::full(1, 1, value), Mat::full(1, 1, value * value));
            stages[0].second(&mut second, &[value], &mut scratch);
            stages[0].mean(&mut first, &[1.0], &mut scratch);
            let (expected, square) = (first[(0, 0)], second[(0, 0)]);
            let spread = square - expected * expected;
            // Rounding adds up over as many outcomes as the law is wide: exposures are above 0.5.
            let tolerance = 1e-12 + 2e-15 * spread.sqrt();
            assert!(
                (mean - expected).abs() <= tolerance * expected.abs(),
                "{stage} {value}: {mean}, {expected}"
            );
            assert!(
                (variance - spread).abs() <= 10.0 * tolerance * square,
                "{stage} {value}: {variance}, {spread}"
            );
        }
    }
}

/// Simpson's rule.
fn integral(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    let steps = 20_000;
    let width = (to - from) / f64::from(steps);
    let weight = |i: i32| if i == 0 || i == steps { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
    (0..=steps).map(|i| weight(i) * f(from + width * f64::from(i))).sum::<f64>() * width / 3.0
}

#[test]
fn entries_of_clipped_noise_are_its_integrals() {
    for sigma in [1e-3, 0.08, 0.386, 3.0] {
        let stages = json!([{"kind": "clipped-gaussian", "sigma": sigma}]);
        for value in [0.0, 0.2, 0.5, 0.999, 1.0, -0.1, 1.3] {
            let [mean, variance] = entry(&stages, value);
            let density = |e: f64| (-0.5 * e * e).exp() / (2.0 * std::f64::consts::PI).sqrt();
            // Between its kinks the integrand is smooth.
            let kink = |end: f64| ((end - value) / sigma).clamp(-14.0, 14.0);
            let ends = [-14.0, kink(0.0), kink(1.0), 14.0];
            let moment = |f: &dyn Fn(f64) -> f64| -> f64 {
                ends.windows(2)
                    .map(|at| integral(at[0], at[1], |e| f((value + sigma * e).clamp(0.0, 1.0)) * density(e)))
                    .sum()
            };
            let expected = moment(&|v| v);
            let spread = moment(&|v| (v - expected).powi(2));
            assert!((mean - expected).abs() <= 1e-13, "{sigma} {value}: {mean} and {expected}");
            assert!(
                (variance - spread).abs() <= 1e-12 * spread + 1e-22,
                "{sigma} {value}: {variance}, {spread}"
            );
        }
    }
}

#[test]
fn sampled_moments_have_no_bias() {
    // A clip that changes nothing, behind noise that has no law by entries: it must be drawn.
    let through = json!({"kind": "clip", "low": -1e9, "high": 1e9});
    let noise = json!({"kind": "brightness", "low": -1, "high": 2});
    let after = json!({"kind": "dropout", "probability": 0.4, "fill": 1.5});
    let data = Data::counts(4, 5);
    let shape = Shape::features(4);
    let closed = data.through(&mut Views::new(build(&json!([noise, after]), shape).unwrap()), 0, 0);
    for m in [2, 3, 8] {
        let replicates = 4000 / m as u64;
        let mut views = Views::new(build(&json!([noise, through, after]), shape).unwrap());
        assert_eq!(views.tier(), Tier::Sampled);
        let found: Vec<State> = (0..replicates).map(|seed| data.through(&mut views, m, 1 + seed)).collect();
        for (which, (name, expected)) in moments(&closed).into_iter().enumerate() {
            for j in 0..expected.ncols() {
                for i in 0..expected.nrows() {
                    let value = |state: &State| moments(state)[which].1[(i, j)];
                    let count = replicates as f64;
                    let mean = found.iter().map(value).sum::<f64>() / count;
                    let spread: f64 = found.iter().map(|state| (value(state) - mean).powi(2)).sum();
                    let error = (spread / (count * (count - 1.0))).sqrt();
                    let z = (mean - expected[(i, j)]).abs() / error;
                    assert!(z < 4.5, "m = {m}: {name}[{i}, {j}] is {z:.2} standard errors off");
                }
            }
        }
    }
}

#[test]
fn neither_blocks_nor_other_samples_change_a_bit() {
    let data = Data::counts(12, 150);
    for stages in [
        json!([{"kind": "brightness", "low": -1, "high": 2}, {"kind": "clip"}]),
        json!([{"kind": "thinning", "keep": 0.5}, {"kind": "elementwise", "function": "sqrt"}]),
    ] {
        let mut views = Views::new(build(&stages, SHAPE).unwrap());
        let mean = data.state().mean;
        let mut by_blocks = |size: usize, until: usize| {
            let mut sums = views.rows(mean.col_as_slice(0), 3, &mut Scratch::default()).unwrap();
            for first in (0..until).step_by(size) {
                let count = size.min(until - first);
                let [rows, labels] = [&data.inputs, &data.labels].map(|all| all.subcols(first, count));
                sums.add(&mut views, rows, None, None, labels, |column| {
                    Generator::new((first + column) as u64)
                });
            }
            sums.state()
        };
        let whole = by_blocks(150, 150);
        for size in [1, 7, 64, 65] {
            assert_state("blocks", &by_blocks(size, 150), &whole, 0.0);
        }
        // Moments of the first samples are those of a data set that has no others.
        assert!(by_blocks(150, 40).views != whole.views);
        assert_state("nested", &by_blocks(13, 40), &by_blocks(40, 40), 0.0);
    }
}

#[test]
fn targets_are_the_rows_or_what_is_given() {
    let data = Data::counts(4, 6);
    let mut views =
        Views::new(build(&json!([{"kind": "clip", "low": 1, "high": 3}]), Shape::features(4)).unwrap());
    let mut scratch = Scratch::default();
    let mean = data.state().mean;
    let mut sums = views.rows(mean.col_as_slice(0), 2, &mut scratch).unwrap();
    let targets = Mat::from_fn(3, 6, |i, j| (i * 2 + j) as f64);
    sums.add(&mut views, data.inputs.as_ref(), None, Some(targets.as_ref()), data.labels.as_ref(), |_| {
        Generator::new(0)
    });
    let state = sums.state();
    assert_eq!((state.cross.nrows(), state.cross.ncols()), (4, 3));
    let clipped = Mat::from_fn(4, 6, |i, j| data.inputs[(i, j)].clamp(1.0, 3.0));
    let expected = faer::Scale(1.0 / 6.0) * (&clipped * targets.transpose());
    assert!((&state.cross - &expected).norm_max() < 1e-14);
    assert!((state.input_mean[(2, 0)] - 6.5).abs() < 1e-14);
}

#[test]
fn the_residual_of_a_corruption_is_noise_with_its_moments() {
    let data = Data::counts(12, 30);
    let state = data.state();
    let mut scratch = Scratch::default();
    for stage in [
        json!({"kind": "impulse", "probability": 0.3}),
        json!({"kind": "poisson", "exposure": 0.5}),
        json!({"kind": "dropout", "probability": 0.2, "fill": 1.0}),
    ] {
        let corruption = build(&json!([stage]), SHAPE).unwrap();
        let alpha = 1.3;
        let mean = state.mean.col_as_slice(0);
        let noise = residual(&*corruption[0], &state.views, mean, alpha, &mut scratch);
        let mut found = state.clone();
        found.view(&*noise, &mut scratch);
        // x + α (T(x′) − x′) by hand.
        let mut after = state.mean.clone();
        corruption[0].mean(&mut after, &[1.0], &mut scratch);
        let mut mixed = state.views.clone();
        corruption[0].mean(&mut mixed, mean, &mut scratch);
        let mut whole = state.views.clone();
        corruption[0].second(&mut whole, mean, &mut scratch);
        let moment = &whole - &mixed - mixed.transpose() + &state.views;
        let shift = faer::Scale(alpha) * (&after - &state.mean);
        let expected = &state.views
            + &state.mean * shift.transpose()
            + &shift * state.mean.transpose()
            + faer::Scale(alpha * alpha) * moment;
        assert!((&found.views - &expected).norm_max() <= 1e-12 * expected.norm_max(), "{stage}");
        // Its draws have these moments.
        let mut rng = Generator::new(3);
        let draws = 20_000;
        let mut sum = [0.0; 12];
        let mut square = [0.0; 12];
        for _ in 0..draws {
            let mut values = vec![0.0; 12];
            noise.draw(&mut values, &mut rng);
            for i in 0..12 {
                sum[i] += values[i];
                square[i] += values[i] * values[i];
            }
        }
        for i in 0..12 {
            let (mean, square) = (sum[i] / f64::from(draws), square[i] / f64::from(draws));
            let second = found.views[(i, i)] - state.views[(i, i)] - 2.0 * state.mean[(i, 0)] * shift[(i, 0)];
            assert!((mean - shift[(i, 0)]).abs() < 5.0 * (second / f64::from(draws)).sqrt(), "{stage} {i}");
            assert!((square / second - 1.0).abs() < 0.06, "{stage} {i}: {square} and {second}");
        }
    }
}

#[test]
fn a_million_stages_are_a_loop() {
    let one = specs(&json!([{"kind": "additive", "variance": 1e-6}])).remove(0);
    let all = vec![one; 1_000_000];
    let stages = eigensweep_theory::views::stages::build_all(&all, ROW, "stages").unwrap();
    let mut views = Views::new(stages);
    assert_eq!(views.check(Domain::Counts), Ok(Domain::Real));
    let mut state = Data::counts(1, 5).state();
    let before = state.views[(0, 0)];
    views.push(&mut state, &mut Scratch::default());
    assert!((state.views[(0, 0)] - before - 1.0).abs() < 1e-6);
}

#[test]
fn a_chain_allocates_on_its_first_pass_only() {
    let stages = json!([
        {"kind": "choice", "options": [
            [{"kind": "dropout", "probability": 0.1, "fill": "mean"}, {"kind": "brightness", "low": 0, "high": 1}],
            [{"kind": "thinning", "keep": 0.5}]]},
        {"kind": "strength", "alpha": 0.5, "stages": [{"kind": "impulse", "probability": 0.2}]},
        {"kind": "illumination", "modes": 3, "variance": 1},
        {"kind": "patches", "size": [1, 2], "masked": 2, "fill": "mean"},
    ]);
    let mut views = Views::new(build(&stages, SHAPE).unwrap());
    let mut scratch = Scratch::default();
    let mut state = Data::counts(12, 20).state();
    views.push(&mut state, &mut scratch);
    assert_eq!(allocator::calls(|| views.push(&mut state, &mut scratch)), 0);
}
