//! Geometric stages against moments that are computed outcome by outcome, pixel by pixel.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::path::Path;

use eigensweep_testkit::random::Random;
use eigensweep_theory::views::stages::{
    BLUR, CONTRAST, CROP, Domain, Dosing, FLIP, Key, Kind, LINEAR, PIXELATE, ROTATE, SCALE, SHIFT, Scratch,
    Severities, Shape, Spec, Stage, State, Takes, Value, ZOOM, ZOOM_BLUR, named,
};
use faer::{Mat, Side};
use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::Value as Json;

const SMALL: Shape = Shape { channels: 1, rows: 3, columns: 4 };
const COLOUR: Shape = Shape { channels: 2, rows: 4, columns: 3 };
/// More places of both axes than lanes, and no multiple of them.
const LARGE: Shape = Shape { channels: 2, rows: 9, columns: 5 };
/// More places than have pairs.
const LONG: Shape = Shape { channels: 1, rows: 1, columns: 70 };

fn spec(kind: &'static Kind, values: &[(&'static str, Value)]) -> Spec {
    Spec::new(kind, values.to_vec())
}

fn list(values: &[f64]) -> Value {
    Value::List(values.to_vec())
}

fn rows(rows: &[&[f64]]) -> Value {
    Value::Matrix(Mat::from_fn(rows.len(), rows.first().map_or(0, |row| row.len()), |i, j| rows[i][j]))
}

/// Specs of all kinds that suit all of the shapes but the long one, and of the padding and weights.
fn all_specs() -> Vec<Spec> {
    let number = Value::Number;
    let mut specs = vec![
        spec(&FLIP, &[("axis", Value::Word("rows")), ("probability", number(0.3))]),
        spec(&FLIP, &[("axis", Value::Word("columns"))]),
        spec(&CROP, &[("sizes", rows(&[&[2.0, 2.0], &[3.0, 1.0]])), ("weights", list(&[1.0, 3.0]))]),
        spec(&CROP, &[("sizes", rows(&[&[1.0, 3.0]]))]),
        spec(&ROTATE, &[("degrees", list(&[-25.0, 0.0, 40.0])), ("weights", list(&[1.0, 0.5, 2.0]))]),
        spec(&ROTATE, &[("degrees", list(&[90.0]))]),
        spec(&ZOOM, &[("factors", list(&[0.8, 1.0, 1.3])), ("weights", list(&[0.0, 1.0, 2.0]))]),
        spec(&ZOOM_BLUR, &[("factors", list(&[1.0, 1.1, 1.2, 1.3]))]),
        spec(&PIXELATE, &[("cells", list(&[2.0, 3.0]))]),
        spec(&PIXELATE, &[("cells", list(&[1.0, 1.0]))]),
        spec(&CONTRAST, &[("low", number(0.4)), ("high", number(1.2))]),
        spec(&CONTRAST, &[("factors", list(&[0.5, 1.0, 0.1]))]),
        spec(&SCALE, &[("low", number(0.4)), ("high", number(1.2))]),
        spec(&SCALE, &[("factors", list(&[0.5, 2.0]))]),
    ];
    for padding in ["zero", "wrap", "edge"].map(Value::Word) {
        let [one, two] = [1.0, 2.0].map(number);
        specs.push(spec(&SHIFT, &[("rows", two), ("columns", one.clone()), ("padding", padding.clone())]));
        specs.push(spec(&SHIFT, &[("columns", one), ("padding", padding)]));
    }
    for padding in ["reflect", "zero", "wrap", "edge"].map(Value::Word) {
        let widths = list(&[0.0, 0.5, 1.7]);
        let weights = list(&[1.0, 1.0, 2.0]);
        specs.push(spec(&BLUR, &[("widths", widths), ("weights", weights), ("padding", padding.clone())]));
        specs.push(spec(&BLUR, &[("widths", list(&[0.7])), ("padding", padding)]));
    }
    specs
}

/// The outcomes of a stage at a sample with their probabilities, moved pixel by pixel.
///
/// A uniform factor is replaced by two factors with the same mean and mean square.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places of small images")]
fn outcomes(spec: &Spec, shape: Shape, v: &[f64]) -> Vec<(f64, Vec<f64>)> {
    let (h, w) = (shape.rows as i64, shape.columns as i64);
    let at = |c: usize, r: i64, q: i64| v[c * shape.rows * shape.columns + (r * w + q) as usize];
    // A new image, of what becomes of each pixel of each channel.
    let image = |pixel: &dyn Fn(usize, i64, i64) -> f64| -> Vec<f64> {
        let rows = |c| (0..h).flat_map(move |r| (0..w).map(move |q| (c, r, q)));
        (0..shape.channels).flat_map(rows).map(|(c, r, q)| pixel(c, r, q)).collect()
    };
    // Bilinear interpolation as a sum over all pixels of products of two hats.
    let hat = |x: f64, i: i64| (1.0 - (x - i as f64).abs()).max(0.0);
    let between = |c: usize, y: f64, x: f64| -> f64 {
        let weigh = |r| move |q| hat(y, r) * hat(x, q) * at(c, r, q);
        (0..h).map(|r| (0..w).map(weigh(r)).sum::<f64>()).sum()
    };
    let padded = |padding: &str, i: i64, n: i64| match padding {
        "wrap" => Some(i.rem_euclid(n)),
        "edge" => Some(i.clamp(0, n - 1)),
        "reflect" => {
            let mut i = i;
            while !(0..n).contains(&i) {
                i = if i < 0 { -1 - i } else { 2 * n - 1 - i };
            }
            Some(i)
        }
        _zero => (0..n).contains(&i).then_some(i),
    };
    let beyond = |padding: &str, c: usize, r: i64, q: i64| {
        padded(padding, r, h).zip(padded(padding, q, w)).map_or(0.0, |(r, q)| at(c, r, q))
    };
    let centre = |n: i64| (n - 1) as f64 / 2.0;
    let zoomed = |z: f64, i: i64, n: i64| centre(n) + (i as f64 - centre(n)) / z;
    let weighted = |options: Vec<Vec<f64>>| -> Vec<(f64, Vec<f64>)> {
        let weights = spec.list("weights");
        let weight = |i: usize| if weights.is_empty() { 1.0 } else { weights[i] };
        let sum: f64 = (0..options.len()).map(weight).sum();
        options.into_iter().enumerate().map(|(i, image)| (weight(i) / sum, image)).collect()
    };
    match spec.kind.name {
        "shift" => {
            let [most_rows, most_columns] = ["rows", "columns"].map(|key| spec.count(key) as i64);
            let mut all = Vec::new();
            for down in -most_rows..=most_rows {
                for right in -most_columns..=most_columns {
                    let padding = spec.word("padding");
                    all.push(image(&|c, r, q| beyond(padding, c, r - down, q - right)));
                }
            }
            weighted(all)
        }
        "flip" => {
            let p = spec.number("probability");
            let rows = spec.word("axis") == "rows";
            let mirrored = image(&|c, r, q| if rows { at(c, h - 1 - r, q) } else { at(c, r, w - 1 - q) });
            vec![(p, mirrored), (1.0 - p, v.to_vec())]
        }
        "crop" => {
            let sizes = spec.matrix("sizes").unwrap();
            let source = |i: i64, n: i64, size: i64, first: i64| {
                let at = first as f64 + (i as f64 + 0.5) * size as f64 / n as f64 - 0.5;
                at.max(first as f64).min((first + size - 1) as f64)
            };
            let whole: Vec<_> = (0..sizes.nrows()).map(|_| v.to_vec()).collect();
            let shares = weighted(whole);
            let mut all = Vec::new();
            for (i, (share, _)) in shares.into_iter().enumerate() {
                let (a, b) = (sizes[(i, 0)] as i64, sizes[(i, 1)] as i64);
                let count = (h - a + 1) * (w - b + 1);
                for top in 0..=h - a {
                    for left in 0..=w - b {
                        let cropped =
                            image(&|c, r, q| between(c, source(r, h, a, top), source(q, w, b, left)));
                        all.push((share / count as f64, cropped));
                    }
                }
            }
            all
        }
        "rotate" => weighted(
            spec.list("degrees")
                .iter()
                .map(|degrees| {
                    image(&|c, r, q| {
                        let (y, x) = (r as f64 - centre(h), q as f64 - centre(w));
                        let (radius, angle) = (y.hypot(x), x.atan2(y) - degrees.to_radians());
                        between(c, centre(h) + radius * angle.cos(), centre(w) + radius * angle.sin())
                    })
                })
                .collect(),
        ),
        "blur" => weighted(
            spec.list("widths")
                .iter()
                .map(|&width| {
                    let radius = (4.0 * width).ceil() as i64;
                    let bell = |k: i64| {
                        if k == 0 { 1.0 } else { (-((k * k) as f64) / (2.0 * width * width)).exp() }
                    };
                    let sum: f64 = (-radius..=radius).map(bell).sum();
                    image(&|c, r, q| {
                        let mut total = 0.0;
                        for k in -radius..=radius {
                            for l in -radius..=radius {
                                total += bell(k) * bell(l) * beyond(spec.word("padding"), c, r + k, q + l);
                            }
                        }
                        total / (sum * sum)
                    })
                })
                .collect(),
        ),
        "zoom" => weighted(
            spec.list("factors")
                .iter()
                .map(|&z| image(&|c, r, q| between(c, zoomed(z, r, h), zoomed(z, q, w))))
                .collect(),
        ),
        "zoom-blur" => {
            let factors = spec.list("factors");
            let total = |c, r, q| {
                let zoom = |&z: &f64| between(c, zoomed(z, r, h), zoomed(z, q, w));
                at(c, r, q) + factors.iter().map(zoom).sum::<f64>()
            };
            vec![(1.0, image(&|c, r, q| total(c, r, q) / (factors.len() + 1) as f64))]
        }
        "pixelate" => {
            let [down, across] = [0, 1].map(|i| spec.list("cells")[i] as i64);
            let cell = |r: i64, q: i64| (r * down / h, q * across / w);
            let mean = |c, r, q| {
                let all = (0..h).flat_map(|r| (0..w).map(move |q| (r, q)));
                let same: Vec<f64> =
                    all.filter(|(a, b)| cell(*a, *b) == cell(r, q)).map(|(a, b)| at(c, a, b)).collect();
                same.iter().sum::<f64>() / same.len() as f64
            };
            vec![(1.0, image(&mean))]
        }
        "contrast" | "scale" => {
            let factors = if spec.list("factors").is_empty() {
                let [low, high] = ["low", "high"].map(|key| spec.number(key));
                let (mid, half) = ((low + high) / 2.0, (high - low) / 2.0);
                vec![mid - half / 3_f64.sqrt(), mid + half / 3_f64.sqrt()]
            } else {
                spec.list("factors").to_vec()
            };
            let mean = |c: usize| {
                if spec.kind.name == "scale" {
                    return 0.0;
                }
                let pixels = v.len() / shape.channels;
                v[c * pixels..(c + 1) * pixels].iter().sum::<f64>() / pixels as f64
            };
            let with = |t: &f64| image(&|c, r, q| mean(c) + t * (at(c, r, q) - mean(c)));
            weighted(factors.iter().map(with).collect())
        }
        "linear" => {
            let matrix = spec.matrix("matrix").unwrap();
            let offset = |i: usize| spec.list("offset").get(i).copied().unwrap_or(spec.number("offset"));
            let entry = |i: usize| (0..v.len()).map(|j| matrix[(i, j)] * v[j]).sum::<f64>();
            vec![(1.0, (0..matrix.nrows()).map(|i| entry(i) + offset(i)).collect())]
        }
        other => panic!("no reference for {other}"),
    }
}

/// Moments of the views, in the order of [`moments_of`].
type Moments = [(&'static str, Mat<f64>); 5];

/// Moments of a chain's views, by enumeration.
fn enumerate(chain: &[&Spec], shape: Shape, x: &Mat<f64>, y: &Mat<f64>) -> Moments {
    let n = x.nrows();
    let (mut means, mut second) = (Vec::new(), None);
    for i in 0..n {
        let mut views = vec![(1.0, (0..x.ncols()).map(|j| x[(i, j)]).collect::<Vec<f64>>())];
        for spec in chain {
            let next = |(p, v): &(f64, Vec<f64>)| {
                let p = *p;
                outcomes(spec, shape, v).into_iter().map(move |(q, v)| (p * q, v)).collect::<Vec<_>>()
            };
            views = views.iter().flat_map(next).collect();
        }
        let size = views[0].1.len();
        let second = second.get_or_insert_with(|| Mat::<f64>::zeros(size, size));
        let mut mean = vec![0.0; size];
        for (p, v) in &views {
            for a in 0..size {
                mean[a] += p * v[a];
                for b in 0..size {
                    second[(a, b)] += p * v[a] * v[b] / n as f64;
                }
            }
        }
        means.push(mean);
    }
    let size = means[0].len();
    let mean = Mat::from_fn(n, size, |i, j| means[i][j]);
    let inverse = 1.0 / n as f64;
    let one = Mat::from_fn(n, 1, |_, _| 1.0);
    [
        ("mean", mean.transpose() * one * inverse),
        ("cross", mean.transpose() * x * inverse),
        ("mean_views", mean.transpose() * &mean * inverse),
        ("views", second.unwrap()),
        ("view_labels", mean.transpose() * y * inverse),
    ]
}

fn state_of(x: &Mat<f64>, y: &Mat<f64>) -> State {
    let inverse = 1.0 / x.nrows() as f64;
    let one = Mat::from_fn(x.nrows(), 1, |_, _| inverse);
    let second = x.transpose() * x * inverse;
    let second = Mat::from_fn(x.ncols(), x.ncols(), |i, j| second[(i.max(j), i.min(j))]);
    let (mean, labels) = (x.transpose() * &one, x.transpose() * y * inverse);
    let label_mean = y.transpose() * &one;
    State::of(second.as_ref(), mean.as_ref(), labels.as_ref(), label_mean.as_ref())
}

fn moments_of(state: &State) -> Moments {
    [
        ("mean", state.mean.clone()),
        ("cross", state.cross.clone()),
        ("mean_views", state.mean_views.clone()),
        ("views", state.views.clone()),
        ("view_labels", state.view_labels.clone()),
    ]
}

/// Every entry within 10⁻¹² of the largest.
fn assert_same(place: &str, found: &Moments, expected: &Moments) {
    for ((name, found), (_, expected)) in found.iter().zip(expected) {
        assert_eq!((found.nrows(), found.ncols()), (expected.nrows(), expected.ncols()), "{place}: {name}");
        let most = (found - expected).norm_max();
        let scale = expected.norm_max();
        assert!(most <= 1e-12 * scale, "{place}: {name} is off by {most:e} of {scale:e}");
    }
}

fn data(seed: u64, n: usize, size: usize) -> (Mat<f64>, Mat<f64>) {
    let mut random = Random(seed);
    (random.normals(n, size), random.normals(n, 2))
}

fn check(chain: &[&Spec], shape: Shape, seed: u64) {
    let (x, y) = data(seed, 3, shape.size());
    let (mut state, mut scratch) = (state_of(&x, &y), Scratch::default());
    for spec in chain {
        state.view(spec.build(shape).unwrap().as_ref(), &mut scratch);
    }
    assert_same(&format!("{chain:?} at {shape:?}"), &moments_of(&state), &enumerate(chain, shape, &x, &y));
}

#[test]
fn moments_of_each_kind_are_those_of_its_outcomes_pixel_by_pixel() {
    for (at, spec) in all_specs().iter().enumerate() {
        for shape in [SMALL, COLOUR, LARGE] {
            check(&[spec], shape, at as u64);
        }
    }
}

#[test]
fn moments_of_ordered_pairs_are_those_of_their_outcomes() {
    let specs = all_specs();
    for (i, first) in specs.iter().enumerate() {
        // Each with every third of the others.
        for (j, second) in specs.iter().enumerate().filter(|(j, _)| (i + j) % 3 == 0) {
            check(&[first, second], if j % 2 == 0 { SMALL } else { COLOUR }, (100 * i + j) as u64);
        }
    }
}

#[test]
fn a_row_of_many_features_is_an_image_of_one_row() {
    let number = Value::Number;
    for spec in [
        spec(&SHIFT, &[("columns", number(2.0)), ("padding", Value::Word("edge"))]),
        spec(&SHIFT, &[("columns", number(66.0))]),
        spec(&FLIP, &[("axis", Value::Word("columns"))]),
        spec(&CROP, &[("sizes", rows(&[&[1.0, 60.0]]))]),
        spec(&BLUR, &[("widths", list(&[0.4, 1.2]))]),
        spec(&ZOOM, &[("factors", list(&[1.2]))]),
        spec(&PIXELATE, &[("cells", list(&[1.0, 11.0]))]),
        spec(&CONTRAST, &[("factors", list(&[0.2]))]),
    ] {
        check(&[&spec], LONG, 7);
    }
}

#[test]
fn a_matrix_may_change_the_number_of_features() {
    let mut random = Random(3);
    let shift = spec(&SHIFT, &[("rows", Value::Number(1.0))]);
    for out in [1, 5, 12, 17] {
        let matrix = Value::Matrix(random.normals(out, 12));
        let offset = list(&(0..out).map(|_| random.normal()).collect::<Vec<_>>());
        let linear = spec(&LINEAR, &[("matrix", matrix.clone()), ("offset", offset)]);
        assert_eq!(linear.build(SMALL).unwrap().features(12), out);
        check(&[&shift, &linear], SMALL, out as u64);
        let plain = spec(&LINEAR, &[("matrix", matrix), ("offset", Value::Number(0.5))]);
        check(&[&plain], SMALL, out as u64);
    }
}

#[test]
fn a_corruption_in_its_population_limit_is_what_its_outcomes_average_to() {
    let pixelate = spec(&PIXELATE, &[("cells", list(&[2.0, 2.0]))]);
    let crop = spec(&CROP, &[("sizes", rows(&[&[2.0, 3.0]]))]);
    let (x, y) = data(5, 4, SMALL.size());
    for spec in [&pixelate, &crop] {
        let (mut state, mut scratch) = (state_of(&x, &y), Scratch::default());
        state.corrupt(spec.build(SMALL).unwrap().as_ref(), &mut scratch);
        let [mean, _, _, views, labels] = enumerate(&[spec], SMALL, &x, &y);
        let expected = [mean, ("cross", views.1.clone()), ("mean_views", views.1.clone()), views, labels];
        assert_same(spec.kind.name, &moments_of(&state), &expected);
    }
}

/// ω and φ² on the range of S, descending.
fn spectra(state: &State) -> [Vec<f64>; 2] {
    let eigen = state.views.self_adjoint_eigen(Side::Lower).unwrap();
    let values = eigen.S().column_vector();
    let most = values.iter().copied().fold(0.0, f64::max);
    let kept: Vec<usize> = (0..values.nrows()).filter(|i| values[*i] > 1e-8 * most).collect();
    let root =
        Mat::from_fn(values.nrows(), kept.len(), |i, j| eigen.U()[(i, kept[j])] / values[kept[j]].sqrt());
    let half = root.transpose() * &state.cross;
    [root.transpose() * &state.mean_views * &root, &half * half.transpose()].map(|matrix| {
        let mut values = matrix.self_adjoint_eigenvalues(Side::Lower).unwrap();
        values.reverse();
        values
    })
}

/// The map v ↦ Āv of a stage without offset.
fn mean_map(stage: &dyn Stage, size: usize) -> Mat<f64> {
    let mut map = Mat::identity(size, size);
    stage.mean(&mut map, &vec![0.0; size], &mut Scratch::default());
    map
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Theorem 2.
    #[test]
    fn no_eigenvalue_grows_along_a_chain(
        seed in 0_u64..1000,
        places in prop::collection::vec(0_usize..28, 1..5),
    ) {
        let specs = all_specs();
        let (x, y) = data(seed, 40, COLOUR.size());
        let (mut state, mut scratch) = (state_of(&x, &y), Scratch::default());
        let mut before = spectra(&state);
        for place in places {
            let spec = &specs[place % specs.len()];
            let stage = spec.build(COLOUR).unwrap();
            let variance = &state.views - &state.mean_views;
            let map = mean_map(stage.as_ref(), COLOUR.size());
            let least = &map * variance * map.transpose();
            state.view(stage.as_ref(), &mut scratch);
            let more = &state.views - &state.mean_views - least;
            let lowest = more.self_adjoint_eigenvalues(Side::Lower).unwrap()[0];
            let scale = state.views.norm_max();
            prop_assert!(lowest >= -1e-12 * scale, "{spec:?}: {lowest:e} of {scale:e}");
            let after = spectra(&state);
            for (before, after) in before.iter().zip(&after) {
                for (before, after) in before.iter().zip(after) {
                    prop_assert!(*after <= before + 1e-6, "{spec:?}: {before} grows to {after}");
                }
            }
            before = after;
        }
    }
}

#[test]
fn draws_have_the_moments_that_are_computed() {
    const DRAWS: usize = 20_000;
    let mut rng = SmallRng::seed_from_u64(11);
    let (v, _) = data(2, 1, COLOUR.size());
    let v: Vec<f64> = v.row(0).iter().copied().collect();
    let size = v.len();
    let mut compared = 0;
    for spec in all_specs() {
        let stage = spec.build(COLOUR).unwrap();
        let mut scratch = Scratch::default();
        let mut mean = Mat::from_fn(size, 1, |i, _| v[i]);
        let mut second = Mat::from_fn(size, size, |i, j| v[i] * v[j]);
        stage.second(&mut second, &v, &mut scratch);
        stage.mean(&mut mean, &[1.0], &mut scratch);
        let draws: Vec<Vec<f64>> = (0..DRAWS)
            .map(|_| {
                let mut drawn = v.clone();
                stage.draw(&mut drawn, &mut rng);
                drawn
            })
            .collect();
        if stage.is_fixed() {
            for drawn in &draws {
                assert_eq!(drawn, &draws[0], "{spec:?} draws nothing");
            }
        }
        let mut compare = |what: &str, of: &dyn Fn(&[f64]) -> f64, expected: f64| {
            let sum: f64 = draws.iter().map(|drawn| of(drawn)).sum();
            let average = sum / DRAWS as f64;
            let spread: f64 = draws.iter().map(|drawn| (of(drawn) - average).powi(2)).sum();
            let error = spread.sqrt() / DRAWS as f64;
            let off = (average - expected).abs();
            assert!(off <= 5.0 * error + 1e-12, "{spec:?}: {what} is off by {off}, the error is {error}");
            compared += 1;
        };
        for i in 0..size {
            compare("a mean", &|drawn| drawn[i], mean[(i, 0)]);
            let j = (5 * i + 3) % size;
            compare("a second moment", &|drawn| drawn[i] * drawn[j], second[(i, j)]);
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn only_what_draws_something_is_random() {
    let fixed = |spec: Spec| spec.build(COLOUR).unwrap().is_fixed();
    assert!(fixed(spec(&PIXELATE, &[("cells", list(&[2.0, 2.0]))])));
    assert!(fixed(spec(&ZOOM_BLUR, &[("factors", list(&[1.0, 1.1]))])));
    assert!(fixed(spec(&BLUR, &[("widths", list(&[1.0]))])));
    assert!(fixed(spec(&LINEAR, &[("matrix", Value::Matrix(Mat::identity(24, 24)))])));
    assert!(fixed(spec(&CONTRAST, &[("factors", list(&[0.5, 0.5]))])));
    assert!(fixed(spec(&SCALE, &[("low", Value::Number(2.0)), ("high", Value::Number(2.0))])));
    assert!(fixed(spec(&ROTATE, &[("degrees", list(&[5.0, 7.0])), ("weights", list(&[1.0, 0.0]))])));
    assert!(fixed(spec(&SHIFT, &[("rows", Value::Number(0.0))])));
    assert!(!fixed(spec(&BLUR, &[("widths", list(&[0.0, 1.0]))])));
    assert!(!fixed(spec(&SHIFT, &[("rows", Value::Number(1.0))])));
    assert!(!fixed(spec(&FLIP, &[("axis", Value::Word("rows"))])));
    assert!(!fixed(spec(&CONTRAST, &[("factors", list(&[0.5, 0.6]))])));
}

#[test]
fn a_kind_keeps_counts_or_the_sign_where_all_of_its_draws_do() {
    let after = |spec: Spec, before| spec.build(COLOUR).unwrap().domain(before).unwrap();
    let counts = |spec: Spec| after(spec, Domain::Counts);
    let number = Value::Number;
    assert_eq!(counts(spec(&SHIFT, &[("rows", number(1.0)), ("columns", number(1.0))])), Domain::Counts);
    assert_eq!(counts(spec(&FLIP, &[("axis", Value::Word("rows"))])), Domain::Counts);
    let moved = spec(&SHIFT, &[("rows", number(1.0)), ("padding", Value::Word("edge"))]);
    assert_eq!(after(moved.clone(), Domain::Real), Domain::Real);
    assert_eq!(after(moved, Domain::NotNegative), Domain::NotNegative);
    assert_eq!(counts(spec(&ROTATE, &[("degrees", list(&[10.0]))])), Domain::NotNegative);
    assert_eq!(counts(spec(&CROP, &[("sizes", rows(&[&[2.0, 2.0]]))])), Domain::NotNegative);
    assert_eq!(counts(spec(&BLUR, &[("widths", list(&[0.0, 1.0]))])), Domain::NotNegative);
    assert_eq!(counts(spec(&BLUR, &[("widths", list(&[0.0]))])), Domain::Counts);
    assert_eq!(counts(spec(&ZOOM, &[("factors", list(&[1.1]))])), Domain::NotNegative);
    assert_eq!(counts(spec(&PIXELATE, &[("cells", list(&[2.0, 2.0]))])), Domain::NotNegative);
    assert_eq!(counts(spec(&SCALE, &[("factors", list(&[1.0, 3.0]))])), Domain::Counts);
    assert_eq!(counts(spec(&SCALE, &[("factors", list(&[0.5]))])), Domain::NotNegative);
    assert_eq!(counts(spec(&SCALE, &[("low", number(0.0)), ("high", number(1.0))])), Domain::NotNegative);
    assert_eq!(counts(spec(&CONTRAST, &[("factors", list(&[0.5, 1.0]))])), Domain::NotNegative);
    assert_eq!(counts(spec(&CONTRAST, &[("factors", list(&[1.5]))])), Domain::Real);
    assert_eq!(counts(spec(&CONTRAST, &[("factors", list(&[1.0]))])), Domain::Counts);
    let linear = |matrix: Mat<f64>, offset| {
        counts(spec(&LINEAR, &[("matrix", Value::Matrix(matrix)), ("offset", number(offset))]))
    };
    let identity = || Mat::<f64>::identity(24, 24);
    assert_eq!(linear(identity(), 0.0), Domain::Counts);
    assert_eq!(linear(identity(), 0.5), Domain::NotNegative);
    assert_eq!(linear(-identity(), 0.0), Domain::Real);
}

#[test]
fn what_does_not_fit_is_refused_at_its_key_with_a_remedy() {
    let number = Value::Number;
    let row = Shape::features(6);
    let box_of = |a: f64, b: f64| spec(&CROP, &[("sizes", rows(&[&[a, b]]))]);
    let of_list = |kind: &'static Kind, key: &'static str, values: &[f64]| spec(kind, &[(key, list(values))]);
    let weighted = |kind: &'static Kind, key: &'static str| {
        spec(kind, &[(key, list(&[1.0, 1.1])), ("weights", list(&[1.0]))])
    };
    let matrix = |rows, columns| ("matrix", Value::Matrix(Mat::<f64>::zeros(rows, columns)));
    for (spec, shape, key) in [
        (spec(&SHIFT, &[]), SMALL, ""),
        (spec(&SHIFT, &[("rows", number(3.0))]), SMALL, "rows"),
        (spec(&SHIFT, &[("columns", number(1e6))]), SMALL, "columns"),
        (spec(&SHIFT, &[("rows", number(1.0))]), row, "rows"),
        (spec(&SHIFT, &[("columns", number(99_999.0))]), Shape::features(100_000), "columns"),
        (spec(&FLIP, &[("axis", Value::Word("rows"))]), row, "axis"),
        (box_of(4.0, 4.0), SMALL, "sizes"),
        (box_of(1.0, 5.0), SMALL, "sizes"),
        (spec(&CROP, &[("sizes", rows(&[]))]), SMALL, "sizes"),
        (spec(&CROP, &[("sizes", rows(&[&[1.0, 1.0]])), ("weights", list(&[1.0, 2.0]))]), SMALL, "weights"),
        (of_list(&ROTATE, "degrees", &[]), SMALL, "degrees"),
        (of_list(&ROTATE, "degrees", &[5.0]), row, ""),
        (of_list(&ROTATE, "degrees", &vec![1.0; 1_000_000]), SMALL, "degrees"),
        (weighted(&ROTATE, "degrees"), SMALL, "weights"),
        (of_list(&BLUR, "widths", &[]), SMALL, "widths"),
        (of_list(&BLUR, "widths", &[1e300]), SMALL, "widths"),
        (weighted(&BLUR, "widths"), SMALL, "weights"),
        (spec(&BLUR, &[("widths", list(&[1.0])), ("weights", list(&[0.0]))]), SMALL, "weights"),
        (of_list(&ZOOM, "factors", &[]), SMALL, "factors"),
        (weighted(&ZOOM, "factors"), SMALL, "weights"),
        (of_list(&ZOOM_BLUR, "factors", &[]), SMALL, "factors"),
        (of_list(&PIXELATE, "cells", &[4.0, 4.0]), SMALL, "cells"),
        (of_list(&PIXELATE, "cells", &[1.0, 5.0]), SMALL, "cells"),
        (of_list(&PIXELATE, "cells", &[2.0]), SMALL, "cells"),
        (spec(&CONTRAST, &[]), SMALL, ""),
        (of_list(&CONTRAST, "factors", &[]), SMALL, "factors"),
        (spec(&CONTRAST, &[("factors", list(&[1.0])), ("low", number(0.0))]), SMALL, "factors"),
        (spec(&SCALE, &[("low", number(1.0))]), SMALL, "low"),
        (spec(&SCALE, &[("high", number(1.0))]), SMALL, "high"),
        (spec(&SCALE, &[("low", number(2.0)), ("high", number(1.0))]), SMALL, "low"),
        (spec(&LINEAR, &[matrix(3, 5)]), SMALL, "matrix"),
        (spec(&LINEAR, &[matrix(0, 12)]), SMALL, "matrix"),
        (spec(&LINEAR, &[matrix(3, 12), ("offset", list(&[1.0, 2.0]))]), SMALL, "offset"),
    ] {
        let fault = spec.build(shape).expect_err(&format!("{} at {shape:?}", spec.kind.name));
        assert_eq!(fault.key, key, "{fault}");
        assert!(!fault.message.is_empty() && !fault.help.is_empty(), "{fault:?}");
    }
}

#[test]
fn extreme_factors_leave_finite_moments() {
    for factor in [f64::MIN_POSITIVE, 5e-324, 1e300, f64::MAX] {
        for kind in [&ZOOM, &ZOOM_BLUR] {
            check(&[&spec(kind, &[("factors", list(&[factor]))])], SMALL, 1);
        }
    }
    check(&[&spec(&BLUR, &[("widths", list(&[1e-300]))])], SMALL, 1);
}

#[test]
fn every_severity_fills_in_keys_that_build_a_stage() {
    for kind in [&BLUR, &CONTRAST, &PIXELATE, &ZOOM_BLUR] {
        for table in Severities::ALL {
            for severity in 1..=5 {
                for shape in [SMALL, COLOUR, LARGE, LONG] {
                    let of = kind.severity.expect("a table");
                    let spec = Spec::new(kind, of(table, severity, shape));
                    spec.build(shape).unwrap_or_else(|fault| panic!("{} {severity}: {fault}", kind.name));
                }
            }
        }
    }
    let side = |side| Shape { channels: 1, rows: side, columns: side };
    let width = |table, severity, shape| match &(BLUR.severity.unwrap())(table, severity, shape)[..] {
        [("widths", Value::List(widths))] => widths[0],
        other => panic!("{other:?}"),
    };
    let cases = [(Severities::ImageNet, 5, 224), (Severities::ImageNet, 5, 28), (Severities::Cifar, 1, 32)];
    let widths = cases.map(|(table, severity, pixels)| width(table, severity, side(pixels)));
    assert_eq!(widths.to_vec(), [6.0, 0.75, 0.4]);
}

/// A stage of a table in JSON; `None` of a kind that is not there.
fn read(table: &Json) -> Option<Spec> {
    let table = table.as_object().unwrap();
    let kind = named(table["kind"].as_str().unwrap())?;
    let values = table.iter().filter(|(key, _)| *key != "kind").map(|(key, value)| {
        let key = kind.keys.iter().find(|one| one.name == key).unwrap();
        Some((key.name, value_of(key, value)?))
    });
    Some(Spec::new(kind, values.collect::<Option<_>>()?))
}

fn value_of(key: &Key, value: &Json) -> Option<Value> {
    let chain =
        |stages: &Json| -> Option<Vec<Spec>> { stages.as_array().unwrap().iter().map(read).collect() };
    let numbers = |row: &Json| -> Vec<f64> {
        row.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    Some(match key.takes {
        Takes::Stages => Value::Stages(chain(value)?),
        Takes::Options => Value::Options(value.as_array().unwrap().iter().map(chain).collect::<Option<_>>()?),
        Takes::Word(words) => Value::Word(words.iter().find(|word| Some(**word) == value.as_str()).unwrap()),
        Takes::Number(_)
        | Takes::NumberOrList(_)
        | Takes::NumberListOrWord(..)
        | Takes::List(_)
        | Takes::Pair(_)
        | Takes::Pairs(_)
        | Takes::Matrix => match value {
            Json::Array(rows) if rows[0].is_array() => {
                let rows: Vec<_> = rows.iter().map(numbers).collect();
                Value::Matrix(Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j]))
            }
            Json::Array(_) => Value::List(numbers(value)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                Value::Number(value.as_f64().unwrap())
            }
        },
    })
}

#[test]
fn shared_reference_cases_of_these_kinds_agree() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let Some(path) = beside.map(|at| at.join("shared/reference/views.json")).find(|path| path.exists())
    else {
        eprintln!("skipped: no shared reference beside the project");
        return;
    };
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let matrix = |rows: &Json| -> Mat<f64> {
        let rows: Vec<Vec<f64>> = serde_json::from_value(rows.clone()).unwrap();
        Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j])
    };
    let mut checked = 0;
    for case in file["cases"].as_array().unwrap() {
        let chain = |key: &str| case[key].as_array().unwrap().iter().map(read).collect::<Option<Vec<_>>>();
        let name = case["name"].as_str().unwrap();
        let (Some(corruption), Some(stages)) = (chain("corruption"), chain("stages")) else {
            eprintln!("left out: {name}");
            continue;
        };
        let shape: Vec<usize> = serde_json::from_value(case["shape"].clone()).unwrap();
        let shape = Shape { channels: shape[0], rows: shape[1], columns: shape[2] };
        let (mut state, mut scratch) =
            (state_of(&matrix(&case["X"]), &matrix(&case["Y"])), Scratch::default());
        for spec in corruption {
            state.corrupt(spec.build(shape).unwrap().as_ref(), &mut scratch);
        }
        for spec in stages {
            state.view(spec.build(shape).unwrap().as_ref(), &mut scratch);
        }
        let expect = &case["expect"];
        let mean: Vec<f64> = serde_json::from_value(expect["mu"].clone()).unwrap();
        let expected = [
            ("mean", Mat::from_fn(mean.len(), 1, |i, _| mean[i])),
            ("cross", matrix(&expect["C"]).transpose().to_owned()),
            ("mean_views", matrix(&expect["G"])),
            ("views", matrix(&expect["S"])),
            ("view_labels", matrix(&expect["B"])),
        ];
        assert_same(name, &moments_of(&state), &expected);
        checked += 1;
    }
    assert!(checked >= 11, "{checked} cases");
}

#[test]
fn a_dose_of_a_geometric_stage_is_a_mixture_with_the_identity() {
    let rotate = spec(&ROTATE, &[("degrees", list(&[20.0]))]);
    let sometimes = Spec { dose: Some(Dosing::Probability(0.25)), ..rotate };
    let weighted = spec(&ROTATE, &[("degrees", list(&[20.0, 0.0])), ("weights", list(&[1.0, 3.0]))]);
    let (x, y) = data(9, 3, SMALL.size());
    let [dosed, mixed] = [sometimes, weighted].map(|spec| {
        let mut state = state_of(&x, &y);
        state.view(spec.build(SMALL).unwrap().as_ref(), &mut Scratch::default());
        moments_of(&state)
    });
    assert_same("a quarter of the turns", &dosed, &mixed);
}
