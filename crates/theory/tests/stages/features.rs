//! Features: linear ones against moments pushed by hand, maps against enumerated views.

use std::collections::BTreeMap;

use eigensweep_theory::Failure;
use eigensweep_theory::features::{
    FOURIER, Features, IDENTITY, KINDS, Kind, Moments, Normalize, PCA, POLYNOMIAL, Principal, RELU, Recipe,
    WHITENING, named,
};
use eigensweep_theory::views::stages::{
    Domain, RowMoments, Scratch, Shape, Spec, Stage, State, Takes, Tier, Value, Views, named as stage_kind,
};
use faer::{Mat, MatRef};
use serde_json::json;

use crate::table::{Data, Generator, SHAPE, assert_state, build, moments};

/// Mean and covariance of columns.
fn fit(samples: MatRef<'_, f64>) -> Moments {
    let share = 1.0 / samples.ncols() as f64;
    let mean: Vec<f64> = samples.row_iter().map(|row| row.iter().sum::<f64>() * share).collect();
    let centred = Mat::from_fn(samples.nrows(), samples.ncols(), |i, j| samples[(i, j)] - mean[i]);
    let covariance = faer::Scale(share) * (&centred * centred.transpose());
    Moments { mean, covariance }
}

fn recipe(kind: &'static Kind, values: &[(&'static str, f64)]) -> Recipe {
    Recipe { kind, values: values.to_vec(), ..Recipe::IDENTITY }
}

fn features(recipe: &Recipe, samples: MatRef<'_, f64>, components: Option<usize>) -> Features {
    let principal = Principal::new(recipe, fit(samples), components).unwrap();
    Features::new(recipe, &principal, components, &mut Generator::new(5)).unwrap()
}

/// Features of each kind, with few random ones.
fn each() -> Vec<(Recipe, Option<usize>)> {
    let small = [("count", 7.0)];
    let of = |kind| recipe(kind, &small);
    vec![
        (Recipe { center: true, ..recipe(&IDENTITY, &[]) }, None),
        (Recipe { standardize: true, ..recipe(&IDENTITY, &[]) }, None),
        (Recipe { standardize: true, ..recipe(&PCA, &[]) }, Some(3)),
        (recipe(&PCA, &[]), Some(4)),
        (recipe(&WHITENING, &[]), Some(5)),
        (of(&FOURIER), None),
        (Recipe { standardize: true, ..of(&FOURIER) }, Some(3)),
        (of(&RELU), None),
        (Recipe { center: true, ..of(&RELU) }, None),
        (recipe(&POLYNOMIAL, &[]), Some(3)),
    ]
}

#[test]
fn every_kind_has_a_name_of_its_own_and_counts_what_comes_out() {
    for kind in KINDS {
        assert_eq!(named(kind.name), Some(kind));
    }
    let data = Data::counts(12, 40);
    for (recipe, components) in each() {
        let features = features(&recipe, data.inputs.as_ref(), components);
        let of = features.of(data.inputs.clone());
        assert_eq!(features.count(12), of.nrows(), "{recipe:?}");
        assert_eq!(recipe.features(12, components), of.nrows(), "{recipe:?}");
    }
}

#[test]
fn standardized_features_have_variance_one_and_constant_ones_stay() {
    let mut samples = Data::counts(5, 60).inputs;
    samples.row_mut(3).fill(2.0);
    let recipe = Recipe { center: true, standardize: true, ..Recipe::IDENTITY };
    let Moments { mean, covariance } =
        fit(features(&recipe, samples.as_ref(), None).of(samples.clone()).as_ref());
    for i in 0..5 {
        assert!(mean[i].abs() < 1e-14);
        let expected = if i == 3 { 0.0 } else { 1.0 };
        assert!((covariance[(i, i)] - expected).abs() < 1e-13, "{i}");
    }
}

#[test]
fn features_whose_means_dwarf_their_spread_are_standardized_all_the_same() {
    // Seconds since 1970 that differ by two, and a constant.
    let moments = Moments { mean: vec![1.7e9, 1e8], covariance: faer::mat![[4.0, 0.0], [0.0, 1e-17]] };
    let recipe = Recipe { standardize: true, ..Recipe::IDENTITY };
    let principal = Principal::new(&recipe, moments, None).unwrap();
    let features = Features::new(&recipe, &principal, None, &mut Generator::new(1)).unwrap();
    let matrix = features.linear().unwrap().matrix(2).unwrap();
    assert_eq!([matrix[(0, 0)], matrix[(1, 1)]].map(f64::to_bits), [0.5, 1.0].map(f64::to_bits));
}

#[test]
fn principal_components_are_uncorrelated_and_whitened_ones_alike() {
    let data = Data::counts(6, 80);
    let of = |kind, components| {
        fit(features(&recipe(kind, &[]), data.inputs.as_ref(), components).of(data.inputs.clone()).as_ref())
    };
    let [scores, white] = [of(&PCA, Some(4)), of(&WHITENING, None)].map(|moments| moments.covariance);
    assert_eq!((scores.nrows(), white.nrows()), (4, 6));
    let off = |matrix: &Mat<f64>| {
        let entries = |(i, j)| if i == j { 0.0 } else { f64::abs(matrix[(i, j)]) };
        (0..matrix.nrows())
            .flat_map(|i| (0..matrix.nrows()).map(move |j| (i, j)))
            .map(entries)
            .fold(0.0, f64::max)
    };
    assert!(off(&scores) < 1e-13 && off(&white) < 1e-13);
    assert!((1..4).all(|i| scores[(i, i)] < scores[(i - 1, i - 1)]));
    assert!((0..6).all(|i| (white[(i, i)] - 1.0).abs() < 1e-13));
    // As many as the data have.
    let flat =
        Mat::from_fn(6, 9, |i, j| if i < 2 { ((i + 1) * (j * j % 7)) as f64 + (i * j) as f64 } else { 1.0 });
    assert_eq!(features(&recipe(&WHITENING, &[]), flat.as_ref(), None).of(flat.clone()).nrows(), 2);
    let principal = Principal::new(&recipe(&WHITENING, &[]), fit(flat.as_ref()), Some(3)).unwrap();
    let refused = Features::new(&recipe(&WHITENING, &[]), &principal, Some(3), &mut Generator::new(0));
    assert_eq!(refused.unwrap_err(), Failure::DimensionAboveRank { rank: 2 });
}

#[test]
fn linear_features_of_views_are_the_views_moments_between_matrices() {
    let data = Data::counts(12, 30);
    let stages = json!([{"kind": "thinning", "keep": 0.6}, {"kind": "shift", "rows": 1}]);
    let through = |features: Option<&Features>| {
        let mut chain = build(&stages, SHAPE).unwrap();
        chain.extend(features.into_iter().flat_map(Features::stages));
        let mut views = Views::new(chain);
        assert_eq!(views.tier(), Tier::Moments);
        let mut state = data.state();
        views.push(&mut state, &mut Scratch::default());
        state
    };
    let raw = through(None);
    for (recipe, components) in each() {
        let features = features(&recipe, data.inputs.as_ref(), components);
        let Some(linear) = features.linear().filter(|_| features.are_linear()) else { continue };
        let found = through(Some(&features));
        let matrix = linear.matrix(12).unwrap_or_else(|| Mat::identity(12, 12));
        let between = |middle: &Mat<f64>| matrix.transpose() * middle * &matrix;
        // What the centre does, the means do.
        let about = |second: &Mat<f64>, mean: &Mat<f64>| second - mean * mean.transpose();
        let close = |found: Mat<f64>, expected: Mat<f64>| {
            assert!((&found - &expected).norm_max() <= 1e-12 * expected.norm_max(), "{recipe:?}");
        };
        close(about(&found.views, &found.mean), between(&about(&raw.views, &raw.mean)));
        close(about(&found.mean_views, &found.mean), between(&about(&raw.mean_views, &raw.mean)));
        let mut mean = raw.mean.col_as_slice(0).to_vec();
        mean.iter_mut().zip(linear.centre()).for_each(|(mean, centre)| *mean -= centre);
        let mean = Mat::from_fn(12, 1, |i, _| mean[i]);
        assert!((&found.mean - matrix.transpose() * &mean).norm_max() < 1e-12, "{recipe:?}");
        // Rows by hand.
        let by_hand = features.of(data.inputs.clone());
        let direct =
            Mat::from_fn(12, 30, |i, j| data.inputs[(i, j)] - linear.centre().get(i).unwrap_or(&0.0));
        assert!((&by_hand - matrix.transpose() * &direct).norm_max() < 1e-12, "{recipe:?}");
    }
}

#[test]
fn products_of_random_fourier_features_are_the_gaussian_kernel() {
    let data = Data::counts(4, 9);
    let (count, bandwidth) = (40_000.0, 0.6);
    let recipe = recipe(&FOURIER, &[("count", count), ("bandwidth", bandwidth)]);
    let features = features(&recipe, data.inputs.as_ref(), None).of(data.inputs.clone());
    let width = bandwidth * fit(data.inputs.as_ref()).distance();
    let pairs = (0..9).flat_map(|i| (0..9).map(move |j| (i, j)));
    for (i, j) in pairs {
        let square: f64 = (0..4).map(|f| (data.inputs[(f, i)] - data.inputs[(f, j)]).powi(2)).sum();
        let expected = (-square / (2.0 * width * width)).exp();
        let found = features.col(i).transpose() * features.col(j);
        // A product has a variance below ½.
        assert!((found - expected).abs() < 4.5 * (0.5 / count).sqrt(), "{i} {j}: {found} and {expected}");
    }
    // The distance is that of two samples.
    let mean: f64 = (0..9)
        .flat_map(|i| (0..9).map(move |j| (i, j)))
        .map(|(i, j)| (0..4).map(|f| (data.inputs[(f, i)] - data.inputs[(f, j)]).powi(2)).sum::<f64>())
        .sum();
    assert!((fit(data.inputs.as_ref()).distance() - (mean / 81.0).sqrt()).abs() < 1e-12);
}

#[test]
fn the_kinks_of_rectified_features_lie_where_the_samples_are() {
    let data = Data::counts(6, 50);
    let count = 4000;
    let features = features(&recipe(&RELU, &[("count", f64::from(count))]), data.inputs.as_ref(), None);
    let of = features.of(data.inputs.clone());
    let active = of.col_iter().flat_map(|column| column.iter()).filter(|value| **value > 0.0).count();
    // Symmetric about the mean, and `E max(0, z)² = ½ Var z` with `Var z = ½ + ½`.
    assert!((active as f64 / f64::from(50 * count) - 0.5).abs() < 0.02);
    let power = of.squared_norm_l2() / 50.0;
    assert!((power - 1.0).abs() < 0.1, "{power}");
}

#[test]
fn shorter_lists_of_random_features_begin_longer_ones() {
    let data = Data::counts(5, 8);
    for kind in [&FOURIER, &RELU] {
        let of = |count: f64| {
            let of = features(&recipe(kind, &[("count", count)]), data.inputs.as_ref(), None);
            faer::Scale((count / 2.0).sqrt()) * of.of(data.inputs.clone())
        };
        let (short, long) = (of(6.0), of(20.0));
        assert!((&short - long.subrows(0, 6)).norm_max() < 1e-13, "{kind:?}");
    }
}

#[test]
fn polynomials_are_all_features_and_all_their_products() {
    let samples = Mat::from_fn(3, 4, |i, j| [1.0, -2.0, 0.5][i] * (j as f64 - 1.0) + i as f64);
    let unit = (0..3).map(|i| fit(samples.as_ref()).covariance[(i, i)]).sum::<f64>() / 3.0;
    let of = features(&recipe(&POLYNOMIAL, &[]), samples.as_ref(), None).of(samples.clone());
    for (j, x) in samples.col_iter().enumerate() {
        let products =
            [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)].map(|(a, b)| x[a] * x[b] / unit.sqrt());
        let expected = [x[0], x[1], x[2]].into_iter().chain(products);
        for (i, expected) in expected.enumerate() {
            assert!((of[(i, j)] - expected).abs() < 1e-14, "{i} {j}");
        }
    }
}

/// The maps by which a small image moves: 5 blends of it with its mirror image × 9 shifts.
fn moves() -> Vec<Mat<f64>> {
    let (rows, columns) = (3_usize, 4_usize);
    let mut maps = Vec::new();
    for share in [0.0, 0.1, 0.25, 0.4, 0.5] {
        for down in [-1_isize, 0, 1] {
            for right in [-1_isize, 0, 1] {
                let mut map = Mat::zeros(12, 12);
                for r in 0..rows {
                    for c in 0..columns {
                        let from = r.checked_add_signed(-down).zip(c.checked_add_signed(-right));
                        if let Some((from, at)) = from.filter(|(from, at)| *from < rows && *at < columns) {
                            map[(r * columns + c, from * columns + at)] += 1.0 - share;
                            map[(r * columns + c, from * columns + (columns - 1 - at))] += share;
                        }
                    }
                }
                maps.push(map);
            }
        }
    }
    maps
}

/// Views that are each of these moves alike.
fn choice(moves: &[Mat<f64>]) -> Vec<Box<dyn Stage>> {
    let option = |map: &Mat<f64>| {
        let kind = stage_kind("linear").unwrap();
        vec![Spec::new(kind, vec![("matrix", Value::Matrix(map.clone()))])]
    };
    let options = Value::Options(moves.iter().map(option).collect());
    let spec = Spec::new(stage_kind("choice").unwrap(), vec![("options", options)]);
    vec![spec.build(SHAPE).unwrap()]
}

/// The moments of all views of all samples, each view written out.
fn enumerated(data: &Data, moves: &[Mat<f64>], features: &Features) -> State {
    let targets = features.of(data.inputs.clone());
    let views: Vec<Mat<f64>> = moves.iter().map(|map| features.of(map * &data.inputs)).collect();
    let share = 1.0 / moves.len() as f64;
    let (size, samples) = (targets.nrows(), data.inputs.ncols());
    let mut means = Mat::<f64>::zeros(size, samples);
    let mut second = Mat::<f64>::zeros(size, size);
    for view in &views {
        means += faer::Scale(share) * view;
        second += faer::Scale(share / samples as f64) * (view * view.transpose());
    }
    let of =
        |left: &Mat<f64>, right: &Mat<f64>| faer::Scale(1.0 / samples as f64) * (left * right.transpose());
    let ones = Mat::full(1, samples, 1.0);
    State {
        mean: of(&means, &ones),
        cross: of(&means, &targets),
        mean_views: of(&means, &means),
        views: second,
        view_labels: of(&means, &data.labels),
        input_mean: of(&targets, &ones),
        label_mean: of(&data.labels, &ones),
    }
}

/// Moments of m views of each sample.
fn sampled(data: &Data, stages: Vec<Box<dyn Stage>>, features: &Features, m: usize, seed: u64) -> State {
    let mut chain = stages;
    chain.extend(features.stages());
    let mut views = Views::new(chain);
    assert_eq!(views.tier(), Tier::Sampled);
    let mean = data.state().mean;
    let mut sums = views.rows(mean.col_as_slice(0), m, &mut Scratch::default()).unwrap();
    let targets = features.of(data.inputs.clone());
    let (rows, labels) = (data.inputs.as_ref(), data.labels.as_ref());
    sums.add(&mut views, rows, None, Some(targets.as_ref()), labels, |row| {
        Generator::new(seed * 1000 + row as u64)
    });
    sums.state()
}

#[test]
fn views_that_are_drawn_have_the_moments_of_all_views_with_an_error_of_one_over_m() {
    let data = Data::counts(12, 8);
    let moves = moves();
    assert_eq!(moves.len(), 45);
    for (recipe, components) in each() {
        let features = features(&recipe, data.inputs.as_ref(), components);
        if features.are_linear() {
            continue;
        }
        let expected = enumerated(&data, &moves, &features);
        let mut errors = BTreeMap::new();
        for (m, repeats) in [(2, 600), (16, 150)] {
            let found: Vec<State> =
                (0..repeats).map(|seed| sampled(&data, choice(&moves), &features, m, 1 + seed)).collect();
            let mut squares = 0.0;
            for (which, (name, exact)) in moments(&expected).into_iter().enumerate() {
                for j in 0..exact.ncols() {
                    for i in 0..exact.nrows() {
                        let value = |state: &State| moments(state)[which].1[(i, j)];
                        let count = repeats as f64;
                        let mean = found.iter().map(value).sum::<f64>() / count;
                        let spread: f64 = found.iter().map(|state| (value(state) - mean).powi(2)).sum();
                        let error = (spread / (count * (count - 1.0))).sqrt();
                        let off = (mean - exact[(i, j)]).abs();
                        let z = off / error.max(1e-13);
                        assert!(
                            z < 4.8,
                            "{recipe:?}, m = {m}: {name}[{i}, {j}] is {z:.2} standard errors off"
                        );
                        squares += spread / count;
                    }
                }
            }
            errors.insert(m, squares);
        }
        // All but G's second order goes down as 1/m; 8 times the views leave an eighth or less.
        let ratio = errors[&2] / errors[&16];
        assert!((6.0..30.0).contains(&ratio), "{recipe:?}: {ratio}");
    }
}

/// A sum over all ways in which n units are kept or lost.
fn binomial(n: u32, keep: f64, f: impl Fn(f64) -> f64) -> f64 {
    let outcome = |kept: u32| {
        let k = f64::from(kept.count_ones());
        keep.powf(k) * (1.0 - keep).powf(f64::from(n) - k) * f(k)
    };
    (0..1_u32 << n).map(outcome).sum()
}

#[test]
fn normalized_views_of_counts_are_finite_sums_at_the_scale_of_each_sample() {
    let data = Data::counts(4, 7);
    let scales: Vec<f64> = (0..7).map(|row| 0.3 + f64::from(row % 3)).collect();
    let keep = 0.4;
    for log1p in [false, true] {
        let of = |value: f64, scale: f64| if log1p { (scale * value).ln_1p() } else { scale * value };
        let unbiased =
            json!([{"kind": "thinning", "keep": keep}, {"kind": "scale", "factors": [1.0 / keep]}]);
        let mut chain = build(&unbiased, Shape::features(4)).unwrap();
        chain.push(Box::new(Normalize::new(log1p)));
        let mut views = Views::new(chain);
        assert_eq!(views.tier(), Tier::Entries);
        let mean = data.state().mean;
        let mut sums = views.rows(mean.col_as_slice(0), 8, &mut Scratch::default()).unwrap();
        let targets = Mat::from_fn(4, 7, |i, j| of(data.inputs[(i, j)], scales[j]));
        sums.add(
            &mut views,
            data.inputs.as_ref(),
            Some(&scales),
            Some(targets.as_ref()),
            data.labels.as_ref(),
            |_| Generator::new(0),
        );
        let found = sums.state();
        let count = |i: usize, j: usize| (0..9).find(|n| f64::from(*n) >= data.inputs[(i, j)]).unwrap();
        let expectation = |i: usize, j: usize, power: i32| {
            binomial(count(i, j), keep, |k| of(k / keep, scales[j]).powi(power))
        };
        let means = Mat::from_fn(4, 7, |i, j| expectation(i, j, 1));
        let share = faer::Scale(1.0 / 7.0);
        let mean_views = share * (&means * means.transpose());
        let mut second = mean_views.clone();
        for i in 0..4 {
            second[(i, i)] = (0..7).map(|j| expectation(i, j, 2)).sum::<f64>() / 7.0;
        }
        let cross = share * (&means * targets.transpose());
        for (found, expected) in
            [(&found.mean_views, &mean_views), (&found.views, &second), (&found.cross, &cross)]
        {
            assert!((found - expected).norm_max() <= 1e-13 * expected.norm_max(), "log1p = {log1p}");
        }
        if !log1p {
            // Σ = (1 − p)/p · D(mean s² x).
            for i in 0..4 {
                let mean = (0..7).map(|j| scales[j] * scales[j] * data.inputs[(i, j)]).sum::<f64>() / 7.0;
                let variance = found.views[(i, i)] - found.mean_views[(i, i)];
                assert!((variance - (1.0 - keep) / keep * mean).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn drawn_views_have_the_scale_of_their_sample_too() {
    let data = Data::counts(4, 3);
    let scales = [1.0, 2.0, 0.5];
    let mut chain = build(&json!([{"kind": "brightness", "low": 1, "high": 1}]), Shape::features(4)).unwrap();
    chain.push(Box::new(Normalize::new(true)));
    let mut views = Views::new(chain);
    assert_eq!(views.tier(), Tier::Sampled);
    let mean = data.state().mean;
    let mut sums = views.rows(mean.col_as_slice(0), 2, &mut Scratch::default()).unwrap();
    let (rows, labels) = (data.inputs.as_ref(), data.labels.as_ref());
    sums.add(&mut views, rows, Some(&scales), None, labels, |_| Generator::new(0));
    let expected =
        |i: usize| (0..3).map(|j| (scales[j] * (data.inputs[(i, j)] + 1.0)).ln_1p()).sum::<f64>() / 3.0;
    let found = sums.state();
    assert!((0..4).all(|i| (found.mean[(i, 0)] - expected(i)).abs() < 1e-14));
    // Logarithms of what may be below −1 are refused.
    let log = || Views::new(vec![Box::new(Normalize::new(true)) as Box<dyn Stage>]);
    assert_eq!(log().check(Domain::Counts), Ok(Domain::NotNegative));
    assert!(log().check(Domain::Real).unwrap_err().1.message.contains("values from 0"));
}

#[test]
fn neither_blocks_nor_other_samples_change_a_bit_of_features() {
    let data = Data::counts(12, 150);
    let scales: Vec<f64> = (0..150).map(|row| 0.5 + f64::from(row % 7)).collect();
    let dropout = json!([{"kind": "dropout", "probability": 0.3}]);
    let mapped = |recipe: &Recipe, components| -> Vec<Box<dyn Stage>> {
        let mut chain = build(&dropout, SHAPE).unwrap();
        chain.push(Box::new(Normalize::new(true)));
        chain.extend(features(recipe, data.inputs.as_ref(), components).stages());
        chain
    };
    for (recipe, components) in each() {
        let mut views = Views::new(mapped(&recipe, components));
        let mean = data.state().mean;
        let mut by_blocks = |size: usize, until: usize| {
            let mut sums = views.rows(mean.col_as_slice(0), 3, &mut Scratch::default()).unwrap();
            for first in (0..until).step_by(size) {
                let count = size.min(until - first);
                let [rows, labels] = [&data.inputs, &data.labels].map(|all| all.subcols(first, count));
                let generator = |column: usize| Generator::new((first + column) as u64);
                RowMoments::add(&mut sums, &mut views, rows, Some(&scales[first..]), None, labels, generator);
            }
            sums.state()
        };
        let whole = by_blocks(150, 150);
        for size in [1, 7, 64, 65] {
            assert_state("blocks", &by_blocks(size, 150), &whole, 0.0);
        }
        assert_state("nested", &by_blocks(13, 40), &by_blocks(40, 40), 0.0);
    }
}

/// What is drawn one by one is what is mapped together.
#[test]
fn a_map_says_the_same_of_one_sample_as_of_many() {
    let data = Data::counts(12, 33);
    for (recipe, components) in each() {
        let features = features(&recipe, data.inputs.as_ref(), components);
        let together = features.of(data.inputs.clone());
        for (j, sample) in data.inputs.col_iter().enumerate() {
            let mut values: Vec<f64> = sample.iter().copied().collect();
            let stages = features.stages();
            stages.iter().for_each(|stage| stage.draw(&mut values, &mut Generator::new(0)));
            for (i, value) in values.iter().enumerate() {
                let expected: f64 = together[(i, j)];
                let same = if features.are_linear() {
                    (value - expected).abs() <= 1e-12
                } else {
                    value.to_bits() == expected.to_bits()
                };
                assert!(same, "{recipe:?}");
            }
        }
    }
}

#[test]
fn every_key_is_a_number_with_a_default() {
    for (kind, key) in KINDS.iter().flat_map(|kind| kind.keys.iter().map(move |key| (kind, key))) {
        let number = recipe(kind, &[]).number(key.name);
        assert!(matches!(key.takes, Takes::Number(bounds) if (bounds.holds)(number)), "{}", key.name);
    }
}
