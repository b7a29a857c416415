//! Stages from JSON, one example of each kind, and the state of samples.

use eigensweep_theory::views::stages::{
    Fault, KINDS, Kind, Scratch, Shape, Spec, Stage, State, Takes, Value, Views, build_all, named,
};
use faer::Mat;
use rand::rand_core::{Infallible, TryRng};
use serde_json::{Value as Json, json};

/// The shape of the samples that the examples are for.
pub(crate) const SHAPE: Shape = Shape { channels: 1, rows: 3, columns: 4 };

/// A stage of each kind for [`SHAPE`], those of other files of this crate included.
pub(crate) fn examples() -> Vec<Json> {
    let background = |shift: usize| (0..12).map(|i| ((i * 7 + shift) % 11) as f64 / 10.0).collect::<Vec<_>>();
    let matrix = |i: usize, j: usize| f64::from(u8::from(i == j)) + ((i * 5 + j * 3) % 7) as f64 / 10.0 - 0.3;
    let matrix: Vec<Vec<f64>> = (0..12).map(|i| (0..12).map(|j| matrix(i, j)).collect()).collect();
    vec![
        json!({"kind": "additive", "variance": 0.3, "mean": 0.2}),
        json!({"kind": "brightness", "low": -0.2, "high": 0.9}),
        json!({"kind": "illumination", "modes": 4, "variance": 3.0}),
        json!({"kind": "multiplicative", "variance": 0.2}),
        json!({"kind": "poisson", "exposure": 2.0, "dispersion": 0.3}),
        json!({"kind": "thinning", "keep": 0.6}),
        json!({"kind": "impulse", "probability": 0.3, "salt": 0.4, "low": 1.0, "high": 4.0}),
        json!({"kind": "dropout", "probability": 0.3, "fill": 2.0}),
        json!({"kind": "patches", "size": [2, 2], "masked": 2, "fill": "mean"}),
        json!({"kind": "overlay", "backgrounds": [background(0), background(4), background(9)]}),
        json!({"kind": "clipped-gaussian", "sigma": 0.8, "low": 0.5, "high": 3.0}),
        json!({"kind": "elementwise", "function": "log1p", "scale": 1.5}),
        json!({"kind": "clip", "low": 0.5, "high": 2.5}),
        json!({"kind": "choice", "weights": [1, 3], "options": [
            [{"kind": "additive", "variance": 0.5}], [{"kind": "dropout", "probability": 0.4}]]}),
        json!({"kind": "sometimes", "probability": 0.6, "stages": [{"kind": "thinning", "keep": 0.4}]}),
        json!({"kind": "strength", "alpha": 0.7, "stages": [{"kind": "poisson", "exposure": 1.0}]}),
        json!({"kind": "linear", "matrix": matrix}),
        json!({"kind": "shift", "rows": 1, "columns": 1, "padding": "zero"}),
        json!({"kind": "flip", "axis": "columns", "probability": 0.5}),
        json!({"kind": "crop", "sizes": [[2, 3], [3, 3]], "weights": [1, 2]}),
        json!({"kind": "rotate", "degrees": [-25, 0, 25]}),
        json!({"kind": "blur", "widths": [0.0, 0.5, 1.0]}),
        json!({"kind": "zoom", "factors": [1.0, 1.3]}),
        json!({"kind": "zoom-blur", "factors": [1.1, 1.2]}),
        json!({"kind": "pixelate", "cells": [2, 3]}),
        json!({"kind": "contrast", "low": 0.4, "high": 1.2}),
        json!({"kind": "scale", "low": 0.7, "high": 1.1}),
    ]
}

/// The examples of the kinds that there are.
pub(crate) fn present() -> Vec<Json> {
    let kinds: Vec<_> = examples().into_iter().filter(|one| named(kind(one)).is_some()).collect();
    for one in KINDS {
        assert!(kinds.iter().any(|example| kind(example) == one.name), "an example of `{}`", one.name);
    }
    kinds
}

/// The name of a stage's kind.
pub(crate) fn kind(stage: &Json) -> &str {
    stage["kind"].as_str().unwrap()
}

/// The first kind of a chain that is not there.
pub(crate) fn missing(stages: &Json) -> Option<String> {
    let mut found = None;
    let mut walk = vec![stages];
    while let Some(next) = walk.pop() {
        match next {
            Json::Array(items) => walk.extend(items),
            Json::Object(entries) => {
                walk.extend(entries.values());
                let kind = entries.get("kind").and_then(Json::as_str);
                found = found.or(kind.filter(|kind| named(kind).is_none()).map(str::to_owned));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
    found
}

/// A stage from its table.
pub(crate) fn spec(table: &Json) -> Spec {
    let kind: &'static Kind = named(kind(table)).unwrap();
    let values = kind.keys.iter().filter_map(|key| Some((key.name, value(table.get(key.name)?, &key.takes))));
    Spec::new(kind, values.collect())
}

pub(crate) fn specs(tables: &Json) -> Vec<Spec> {
    tables.as_array().unwrap().iter().map(spec).collect()
}

fn value(json: &Json, takes: &Takes) -> Value {
    if let Some(text) = json.as_str() {
        let (Takes::Word(words) | Takes::NumberListOrWord(_, words)) = takes else { panic!("no words here") };
        return Value::Word(words.iter().copied().find(|word| *word == text).unwrap());
    }
    if matches!(takes, Takes::Stages) {
        return Value::Stages(specs(json));
    }
    if matches!(takes, Takes::Options) {
        return Value::Options(json.as_array().unwrap().iter().map(specs).collect());
    }
    match json.as_f64() {
        Some(number) => Value::Number(number),
        None if json[0].is_number() => Value::List(list(json)),
        None => Value::Matrix(matrix(json)),
    }
}

/// Numbers.
pub(crate) fn list(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Rows of numbers.
pub(crate) fn matrix(json: &Json) -> Mat<f64> {
    let rows: Vec<_> = json.as_array().unwrap().iter().map(list).collect();
    Mat::from_fn(rows.len(), rows.first().map_or(0, Vec::len), |i, j| rows[i][j])
}

/// The stages of a chain.
pub(crate) fn build(tables: &Json, shape: Shape) -> Result<Vec<Box<dyn Stage>>, Fault> {
    build_all(&specs(tables), shape, "stages")
}

/// Samples, a column each.
pub(crate) struct Data {
    pub(crate) inputs: Mat<f64>,
    pub(crate) labels: Mat<f64>,
}

impl Data {
    /// Samples of d counts from 0 to 4.
    pub(crate) fn counts(features: usize, samples: usize) -> Self {
        let mut rng = Generator::new(17);
        let inputs = Mat::from_fn(features, samples, |_, _| (rng.0.uniform() * 4.99).floor());
        let labels = Mat::from_fn(2, samples, |_, _| rng.0.normal());
        Self { inputs, labels }
    }

    /// The moments before any stage.
    pub(crate) fn state(&self) -> State {
        let share = 1.0 / self.inputs.ncols() as f64;
        let with = |other: &Mat<f64>| faer::Scale(share) * (&self.inputs * other.transpose());
        let mean = |matrix: &Mat<f64>| {
            Mat::from_fn(matrix.nrows(), 1, |i, _| matrix.row(i).iter().sum::<f64>() * share)
        };
        let (second, labels) = (with(&self.inputs), with(&self.labels));
        let (mean, label_mean) = (mean(&self.inputs), mean(&self.labels));
        State::of(second.as_ref(), mean.as_ref(), labels.as_ref(), label_mean.as_ref())
    }

    /// The moments behind a chain in the first two tiers; of m views in the third.
    pub(crate) fn through(&self, views: &mut Views, m: usize, seed: u64) -> State {
        let mut scratch = Scratch::default();
        let before = self.state();
        let sums = views.rows(before.mean.col_as_slice(0), m, &mut scratch);
        let mut state = sums.map_or(before, |mut sums| {
            let generator = |row: usize| Generator::new(seed * 1_000_003 + row as u64);
            sums.add(views, self.inputs.as_ref(), None, None, self.labels.as_ref(), generator);
            sums.state()
        });
        views.push(&mut state, &mut scratch);
        state
    }
}

/// The moments with their names.
pub(crate) fn moments(state: &State) -> [(&'static str, &Mat<f64>); 5] {
    [
        ("mu", &state.mean),
        ("C", &state.cross),
        ("G", &state.mean_views),
        ("S", &state.views),
        ("B", &state.view_labels),
    ]
}

/// Asserts that moments agree to a tolerance relative to the largest entry of each.
pub(crate) fn assert_state(place: &str, found: &State, expected: &State, tolerance: f64) {
    for ((name, found), (_, expected)) in moments(found).into_iter().zip(moments(expected)) {
        assert_eq!((found.nrows(), found.ncols()), (expected.nrows(), expected.ncols()), "{place}: {name}");
        let scale = expected.norm_max();
        for j in 0..found.ncols() {
            for i in 0..found.nrows() {
                let (found, expected) = (found[(i, j)], expected[(i, j)]);
                assert!(
                    (found - expected).abs() <= tolerance * scale,
                    "{place}: {name}[{i}, {j}] is {found:e}, not {expected:e}"
                );
            }
        }
    }
}

/// The tests' generator, as the stages take it.
pub(crate) struct Generator(pub(crate) eigensweep_testkit::random::Random);

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self(eigensweep_testkit::random::Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d)))
    }
}

impl TryRng for Generator {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0.bits() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.bits())
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.iter_mut().for_each(|byte| *byte = self.0.byte());
        Ok(())
    }
}
