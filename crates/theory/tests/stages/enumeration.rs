//! Closed forms against the enumeration of all outcomes, written here once more from the kinds'
//! definitions. Normal, Poisson and uniform laws are replaced by two equally likely values with
//! their mean and variance: moments of second order are the same.

use eigensweep_theory::views::stages::{Chain, Domain, Scratch, Shape, Stage, State, Views};
use faer::Mat;
use serde_json::{Value as Json, json};

use crate::table::{Data, assert_state, build, kind, list, matrix};

/// Outcomes of a sample, each with its probability.
type Law = Vec<(f64, Vec<f64>)>;

/// Outcomes of independent coordinates, from those of each.
fn product(coordinates: impl Iterator<Item = Vec<(f64, f64)>>) -> Law {
    coordinates.fold(vec![(1.0, Vec::new())], |law, coordinate| {
        let longer = |(share, values): &(f64, Vec<f64>), &(p, value): &(f64, f64)| {
            (share * p, values.iter().copied().chain([value]).collect())
        };
        law.iter().flat_map(|one| coordinate.iter().map(move |other| longer(one, other))).collect()
    })
}

/// The same law with equal outcomes together: shorter sums.
fn merged(mut law: Law) -> Law {
    let order = |a: &[f64], b: &[f64]| {
        let mut entries = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
        entries.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
    };
    law.sort_by(|(_, a), (_, b)| order(a, b));
    law.dedup_by(|(share, value), (kept, other)| {
        let same = order(value, other).is_eq();
        *kept += if same { *share } else { 0.0 };
        same
    });
    law
}

/// Two values of a mean and a variance.
fn two(mean: f64, variance: f64) -> Vec<(f64, f64)> {
    vec![(0.5, mean - variance.sqrt()), (0.5, mean + variance.sqrt())]
}

fn number(stage: &Json, key: &str, default: f64) -> f64 {
    stage.get(key).map_or(default, |value| value.as_f64().unwrap())
}

fn add(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// The outcomes of a stage at v, where features have these means.
fn outcomes(stage: &Json, shape: Shape, v: &[f64], mean: &[f64]) -> Law {
    let d = v.len();
    let fill: Vec<f64> = match stage.get("fill") {
        None => vec![0.0; d],
        Some(Json::String(_)) => mean.to_vec(),
        Some(list @ Json::Array(_)) => self::list(list),
        Some(number) => vec![number.as_f64().unwrap(); d],
    };
    let chain = |stages: &Json, v: &[f64]| {
        stages.as_array().unwrap().iter().fold(vec![(1.0, v.to_vec())], |law: Law, stage| {
            law.iter()
                .flat_map(|(share, v)| {
                    outcomes(stage, shape, v, mean).into_iter().map(move |(p, v)| (share * p, v))
                })
                .collect()
        })
    };
    match kind(stage) {
        "additive" => {
            let own = match stage.get("mean") {
                Some(list @ Json::Array(_)) => self::list(list),
                _ => vec![number(stage, "mean", 0.0); d],
            };
            // K = Σ over columns of a factor: a sign for each.
            let factor = if let Some(factor) = stage.get("factor") {
                matrix(factor)
            } else if let Some(covariance) = stage.get("covariance") {
                matrix(covariance).llt(faer::Side::Lower).unwrap().L().to_owned()
            } else {
                Mat::from_fn(d, d, |i, j| {
                    let variance =
                        stage["variance"].as_f64().unwrap_or_else(|| stage["variance"][i].as_f64().unwrap());
                    if i == j { variance.sqrt() } else { 0.0 }
                })
            };
            let signs = product((0..factor.ncols()).map(|_| two(0.0, 1.0)));
            let at = |signs: &[f64], i: usize| (0..signs.len()).map(|r| factor[(i, r)] * signs[r]).sum();
            signs
                .iter()
                .map(|(share, signs)| {
                    let noise: Vec<f64> = (0..d).map(|i| at(signs, i)).collect();
                    (*share, add(&add(v, &own), &noise))
                })
                .collect()
        }
        "brightness" => {
            let (low, high) = (number(stage, "low", 0.0), number(stage, "high", 0.0));
            let offsets = two(0.5 * (low + high), (high - low).powi(2) / 12.0);
            offsets.iter().map(|(share, offset)| (*share, add(v, &vec![*offset; d]))).collect()
        }
        "multiplicative" => {
            let variance = number(stage, "variance", 0.0);
            product(v.iter().map(|&v| two(v, variance * v * v)))
        }
        "poisson" => {
            let (exposure, dispersion) = (number(stage, "exposure", 1.0), number(stage, "dispersion", 0.0));
            product(v.iter().map(|&v| two(v, v / exposure + dispersion * v * v)))
        }
        "thinning" => {
            let keep = number(stage, "keep", 1.0);
            let unit = [(keep, 1.0), (1.0 - keep, 0.0)];
            // Every unit of a count is kept or is not.
            product(v.iter().map(|&v| {
                (0..).take_while(|unit| f64::from(*unit) < v).fold(vec![(1.0, 0.0)], |law, _| {
                    let longer = law.iter().flat_map(|(p, n)| unit.map(|(q, one)| (p * q, vec![n + one])));
                    merged(longer.collect()).into_iter().map(|(p, n)| (p, n[0])).collect()
                })
            }))
        }
        "impulse" => {
            let (p, salt) = (number(stage, "probability", 0.0), number(stage, "salt", 0.5));
            let (low, high) = (number(stage, "low", 0.0), number(stage, "high", 1.0));
            product(v.iter().map(|&v| vec![(1.0 - p, v), (p * salt, high), (p * (1.0 - salt), low)]))
        }
        "dropout" => {
            let p = number(stage, "probability", 0.0);
            product(v.iter().zip(&fill).map(|(&v, &fill)| vec![(1.0 - p, v), (p, fill)]))
        }
        "patches" => {
            let size = [0, 1].map(|at| usize::try_from(stage["size"][at].as_u64().unwrap()).unwrap());
            let across = shape.columns.div_ceil(size[1]);
            let patches = across * shape.rows.div_ceil(size[0]);
            let patch = |i: usize| {
                let pixel = i % (shape.rows * shape.columns);
                pixel / shape.columns / size[0] * across + pixel % shape.columns / size[1]
            };
            let masked = stage["masked"].as_u64().unwrap();
            let sets: Vec<u64> =
                (0..1 << patches).filter(|set: &u64| u64::from(set.count_ones()) == masked).collect();
            let share = 1.0 / sets.len() as f64;
            let value = |set: u64, i: usize| if set >> patch(i) & 1 == 1 { fill[i] } else { v[i] };
            sets.iter().map(|&set| (share, (0..d).map(|i| value(set, i)).collect())).collect()
        }
        "overlay" => {
            let backgrounds: Vec<_> = stage["backgrounds"].as_array().unwrap().iter().map(list).collect();
            let share = 1.0 / backgrounds.len() as f64;
            let over = |b: &[f64]| v.iter().zip(b).map(|(v, b)| v + (1.0 - v) * b).collect();
            backgrounds.iter().map(|background| (share, over(background))).collect()
        }
        "choice" => {
            let weights = list(&stage["weights"]);
            let sum: f64 = weights.iter().sum();
            let options = stage["options"].as_array().unwrap().iter().zip(weights);
            options
                .flat_map(|(option, weight)| {
                    chain(option, v).into_iter().map(move |(p, v)| (p * weight / sum, v))
                })
                .collect()
        }
        "sometimes" => {
            let p = number(stage, "probability", 0.0);
            let with = chain(&stage["stages"], v).into_iter().map(|(share, v)| (p * share, v));
            with.chain([(1.0 - p, v.to_vec())]).collect()
        }
        "strength" => {
            let alpha = number(stage, "alpha", 1.0);
            let at = |after: &[f64]| v.iter().zip(after).map(|(v, after)| v + alpha * (after - v)).collect();
            chain(&stage["stages"], v).iter().map(|(share, after)| (*share, at(after))).collect()
        }
        other => panic!("`{other}` is not enumerated"),
    }
}

/// Laws of all samples behind one more stage.
fn step(laws: &[Law], stage: &Json, shape: Shape) -> Vec<Law> {
    let mut mean = vec![0.0; shape.size()];
    for (share, v) in laws.iter().flatten() {
        let part = share / laws.len() as f64;
        mean.iter_mut().zip(v).for_each(|(mean, v)| *mean += part * v);
    }
    let next = |law: &Law| {
        let after = law.iter().map(|(share, v)| (share, outcomes(stage, shape, v, &mean)));
        merged(after.flat_map(|(share, law)| law.into_iter().map(move |(p, v)| (share * p, v))).collect())
    };
    laws.iter().map(next).collect()
}

/// Moments by enumeration: every outcome of the corruption is a sample of its own.
fn enumerate(data: &Data, corruption: &Json, stages: &Json, shape: Shape) -> State {
    let d = shape.size();
    let column = |matrix: &Mat<f64>, at: usize| matrix.col_as_slice(at).to_vec();
    let (n, all) = (data.inputs.ncols(), |json: &Json| json.as_array().unwrap().clone());
    let points: Vec<Law> = (0..n).map(|at| vec![(1.0, column(&data.inputs, at))]).collect();
    let corrupted = all(corruption).iter().fold(points, |laws, stage| step(&laws, stage, shape));
    // The mean that a stage may fill with is that of all samples: laws that start at one corrupted
    // sample are followed side by side with it.
    let mut laws: Vec<(f64, usize, Vec<f64>, Law)> = Vec::new();
    for (at, law) in corrupted.iter().enumerate() {
        laws.extend(law.iter().map(|(p, v)| (p / n as f64, at, v.clone(), vec![(1.0, v.clone())])));
    }
    for stage in all(stages) {
        let mut mean = vec![0.0; d];
        for (share, _, _, law) in &laws {
            for (p, v) in law {
                mean.iter_mut().zip(v).for_each(|(mean, v)| *mean += share * p * v);
            }
        }
        for (_, _, _, law) in &mut laws {
            let after = law.iter().map(|(share, v)| (share, outcomes(&stage, shape, v, &mean)));
            *law = merged(
                after.flat_map(|(share, law)| law.into_iter().map(move |(p, v)| (share * p, v))).collect(),
            );
        }
    }
    let zeros = |rows, columns| Mat::<f64>::zeros(rows, columns);
    let mut state = State {
        mean: zeros(d, 1),
        cross: zeros(d, d),
        mean_views: zeros(d, d),
        views: zeros(d, d),
        view_labels: zeros(d, 2),
        input_mean: zeros(d, 1),
        label_mean: zeros(2, 1),
    };
    for (share, at, x, law) in &laws {
        let total: f64 = law.iter().map(|(p, _)| p).sum();
        assert!((total - 1.0).abs() < 1e-12, "probabilities sum to {total}");
        let mean: Vec<f64> = (0..d).map(|i| law.iter().map(|(p, v)| p * v[i]).sum()).collect();
        for i in 0..d {
            state.mean[(i, 0)] += share * mean[i];
            for j in 0..d {
                state.cross[(i, j)] += share * mean[i] * x[j];
                state.mean_views[(i, j)] += share * mean[i] * mean[j];
                state.views[(i, j)] += share * law.iter().map(|(p, v)| p * v[i] * v[j]).sum::<f64>();
            }
            for j in 0..2 {
                state.view_labels[(i, j)] += share * mean[i] * data.labels[(j, *at)];
            }
        }
    }
    state
}

#[test]
fn moments_are_those_of_all_outcomes() {
    let shape = Shape { channels: 1, rows: 2, columns: 2 };
    let covariance =
        json!([[1.0, 0.3, 0.1, 0.0], [0.3, 0.8, 0.2, -0.1], [0.1, 0.2, 0.5, 0.0], [0.0, -0.1, 0.0, 0.3]]);
    let factor = json!([[0.5, 0.1], [-0.2, 0.4], [0.9, 0.0], [0.3, -0.7]]);
    let backgrounds = json!([[0.1, 0.9, 0.4, 0.3], [0.7, 0.2, 0.6, 0.8], [0.0, 0.5, 1.0, 0.1]]);
    let vector = json!([0.4, -0.3, 0.8, 0.1]);
    let single = [
        json!({"kind": "additive", "covariance": covariance, "mean": vector}),
        json!({"kind": "additive", "variance": [0.1, 0.4, 0.2, 0.9], "mean": 0.3}),
        json!({"kind": "additive", "factor": factor}),
        json!({"kind": "brightness", "low": -0.2, "high": 0.7}),
        json!({"kind": "multiplicative", "variance": 0.3}),
        json!({"kind": "poisson", "exposure": 2.5}),
        json!({"kind": "poisson", "exposure": 0.5, "dispersion": 0.2}),
        json!({"kind": "thinning", "keep": 0.35}),
        json!({"kind": "impulse", "probability": 0.2, "salt": 0.3, "low": -0.5, "high": 2.0}),
        json!({"kind": "dropout", "probability": 0.4}),
        json!({"kind": "dropout", "probability": 0.4, "fill": vector}),
        json!({"kind": "dropout", "probability": 0.4, "fill": "mean"}),
        json!({"kind": "patches", "size": [1, 1], "masked": 3, "fill": 0.7}),
        json!({"kind": "patches", "size": [1, 2], "masked": 1, "fill": "mean"}),
        json!({"kind": "patches", "size": [2, 2], "masked": 0}),
        json!({"kind": "overlay", "backgrounds": backgrounds}),
        json!({"kind": "choice", "weights": [1, 0, 2], "options": [
            [{"kind": "thinning", "keep": 0.5}, {"kind": "dropout", "probability": 0.3, "fill": 1.0}],
            [{"kind": "brightness", "low": 9, "high": 9}],
            [{"kind": "overlay", "backgrounds": backgrounds}]]}),
        json!({"kind": "sometimes", "probability": 0.3, "stages": [
            {"kind": "dropout", "probability": 0.5}, {"kind": "brightness", "low": 0, "high": 1}]}),
        json!({"kind": "strength", "alpha": 1.7, "stages": [
            {"kind": "patches", "size": [1, 2], "masked": 1}, {"kind": "brightness", "low": 0, "high": 1}]}),
    ];
    let chains: Vec<Json> = single.iter().map(|stage| json!([stage])).collect();
    let pairs = single.iter().enumerate().map(|(at, stage)| json!([stage, single[(at + 7) % single.len()]]));
    let corruptions = [0, 5, 8, 11, 13, 15, 17, 18].map(|at| json!([single[at]]));
    let data = Data::counts(4, 3);
    let mut scratch = Scratch::default();
    let check = |corruption: &Json, stages: &Json, scratch: &mut Scratch| {
        let mut state = data.state();
        if corruption[0].is_object() {
            let mut chain = Chain { stages: build(corruption, shape).unwrap() };
            chain.settle(state.mean.col_as_slice(0), scratch);
            state.corrupt(&chain, scratch);
        }
        let mut views = Views::new(build(stages, shape).unwrap());
        if corruption[0].is_null() && views.check(Domain::Counts).is_err() {
            return 0;
        }
        views.push(&mut state, scratch);
        let place = format!("{corruption} {stages}");
        assert_state(&place, &state, &enumerate(&data, corruption, stages, shape), 1e-12);
        1
    };
    let checked: u32 =
        chains.iter().cloned().chain(pairs).map(|stages| check(&json!([]), &stages, &mut scratch)).sum();
    assert!(checked > 30, "{checked} chains can be drawn");
    for corruption in corruptions {
        check(&corruption, &json!([single[11], single[8]]), &mut scratch);
        check(&corruption, &json!([{"kind": "strength", "alpha": 0.6, "stages": corruption}]), &mut scratch);
    }
}

#[test]
fn channels_share_their_patches() {
    let shape = Shape { channels: 2, rows: 2, columns: 3 };
    let stages = json!([{"kind": "patches", "size": [2, 2], "masked": 1, "fill": 0.5}]);
    let data = Data::counts(12, 3);
    let mut state = data.state();
    Views::new(build(&stages, shape).unwrap()).push(&mut state, &mut Scratch::default());
    assert_state("two channels", &state, &enumerate(&data, &json!([]), &stages, shape), 1e-12);
}
