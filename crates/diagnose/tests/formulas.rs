//! The numbers of an answer against the formulas of the method, row by row.
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]
#![allow(clippy::float_cmp, reason = "the same bits are the same numbers")]

mod common;

use common::{ask, interleaved, question, repeats};
use eigensweep_diagnose::{FOLDS, Measurements, Question, REPETITIONS, Views};
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_sampling::subset::permute;
use eigensweep_testkit::random::{Random, symmetrized};
use eigensweep_testkit::repeats::Repeated;
use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef, Scale, Side};

/// Rows of each item.
type Items = Vec<Vec<Vec<f64>>>;

/// The folds of items.
fn folds(items: usize, repetition: usize) -> Vec<usize> {
    let mut rng = Streams::new(0).stream(Draw::Folds, &[repetition as u64]);
    let mut order = vec![0; items];
    permute(u32::try_from(items).unwrap(), &mut order, &mut vec![0; items], &mut rng);
    let mut fold = vec![0; items];
    for (place, item) in order.into_iter().enumerate() {
        fold[item as usize] = place % FOLDS;
    }
    fold
}

fn outer(sum: &mut Mat<f64>, x: &[f64], y: &[f64], scale: f64) {
    for j in 0..y.len() {
        for i in 0..x.len() {
            sum[(i, j)] += scale * x[i] * y[j];
        }
    }
}

fn less(x: &[f64], y: &[f64]) -> Vec<f64> {
    x.iter().zip(y).map(|(x, y)| x - y).collect()
}

fn mean<'a>(rows: impl Iterator<Item = &'a Vec<f64>>) -> Vec<f64> {
    let mut count = 0.0;
    let mut sum: Vec<f64> = Vec::new();
    for row in rows {
        sum.resize(row.len(), 0.0);
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        count += 1.0;
    }
    sum.iter().map(|sum| sum / count).collect()
}

/// C about a point, and the component within items.
fn moments(items: &[&Vec<Vec<f64>>], about: &[f64]) -> [Mat<f64>; 2] {
    let size = about.len();
    let (mut inputs, mut within) = (Mat::zeros(size, size), Mat::zeros(size, size));
    let rows: f64 = items.iter().map(|item| item.len() as f64).sum();
    for item in items {
        let own = mean(item.iter());
        for row in *item {
            let (x, r) = (less(row, about), less(row, &own));
            outer(&mut inputs, &x, &x, 1.0 / rows);
            outer(&mut within, &r, &r, 1.0 / (rows - items.len() as f64));
        }
    }
    [inputs, within]
}

/// (B − W)/n₀ (Searle, Casella and McCulloch).
fn between(items: &[&Vec<Vec<f64>>], within: &Mat<f64>) -> Mat<f64> {
    let all = mean(items.iter().flat_map(|item| item.iter()));
    let (count, rows) = (items.len() as f64, items.iter().map(|item| item.len() as f64).sum::<f64>());
    let squares: f64 = items.iter().map(|item| (item.len() * item.len()) as f64).sum();
    let mut power = Mat::zeros(all.len(), all.len());
    for item in items {
        let off = less(&mean(item.iter()), &all);
        outer(&mut power, &off, &off, item.len() as f64 / (count - 1.0));
    }
    Scale((count - 1.0) / (rows - squares / rows)) * (power - within)
}

/// The leading directions of (M, S).
fn pencil(matrix: &Mat<f64>, views: &Mat<f64>, count: usize) -> Mat<f64> {
    let found = views.self_adjoint_eigen(Side::Lower).unwrap();
    let size = views.nrows();
    let root = |i: usize| found.S().column_vector()[i].sqrt();
    let inverse = Mat::from_fn(size, size, |i, j| found.U()[(i, j)] / root(j)) * found.U().transpose();
    let form = symmetrized(&(&inverse * matrix * &inverse));
    let found = form.self_adjoint_eigen(Side::Lower).unwrap();
    inverse * found.U().reverse_cols().subcols(0, count)
}

fn trace(matrix: &Mat<f64>) -> f64 {
    (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum()
}

/// V whitened: `V (VᵀCV)^(−½)`.
fn whitened(basis: &Mat<f64>, inputs: &Mat<f64>) -> Mat<f64> {
    let form = symmetrized(&(basis.transpose() * inputs * basis));
    let found = form.self_adjoint_eigen(Side::Lower).unwrap();
    let count = basis.ncols();
    let root = Mat::from_fn(count, count, |i, j| found.U()[(i, j)] / found.S().column_vector()[j].sqrt());
    basis * root * found.U().transpose()
}

/// Kept of pairs as losses of predicting the repeat: what a representation spares of the power of
/// clean inputs.
fn spared(pairs: &[&Vec<Vec<f64>>], about: &[f64], basis: &Mat<f64>, map: &Mat<f64>) -> [f64; 2] {
    let column = |x: Vec<f64>| Mat::from_fn(x.len(), 1, |i, _| x[i]);
    let (mut spared, mut power) = (0.0, 0.0);
    for pair in pairs {
        let [x, y] = [0, 1].map(|row: usize| column(less(&pair[row], about)));
        let [z, w] = [&x, &y].map(|x| basis.transpose() * x);
        let loss = |z: &Mat<f64>, x: &Mat<f64>| (x - map.transpose() * z).squared_norm_l2();
        spared += 0.5 * (x.squared_norm_l2() + y.squared_norm_l2() - loss(&z, &y) - loss(&w, &x));
        power += (x.transpose() * &y)[(0, 0)];
    }
    [spared / pairs.len() as f64, power / pairs.len() as f64]
}

/// Kept and leakage of both paradigms, of additive views: by definition.
struct Naive {
    kept: [[f64; 2]; 2],
    leakage: [[f64; 2]; 2],
}

/// Sums of parts and wholes of kept over folds, and means of leakage.
fn by_definition(
    items: &Items,
    theta: MatRef<'_, f64>,
    alpha: f64,
    dimension: usize,
    batches: bool,
) -> Naive {
    let mut naive = Naive { kept: [[0.0; 2]; 2], leakage: [[0.0; 2]; 2] };
    let paired = items.iter().all(|item| item.len() == 2) && !batches;
    for repetition in 0..REPETITIONS {
        let fold_of = folds(items.len(), repetition);
        for fold in 0..FOLDS {
            let part = |held: bool| -> Vec<&Vec<Vec<f64>>> {
                items
                    .iter()
                    .zip(&fold_of)
                    .filter(|(_, of)| (**of == fold) == held)
                    .map(|(item, _)| item)
                    .collect()
            };
            let (training, held) = (part(false), part(true));
            let about = mean(training.iter().flat_map(|item| item.iter()));
            let [inputs, within] = moments(&training, &about);
            let apart = between(&training, &within);
            let (signal, noise) = if batches { (within, apart) } else { (apart, within) };
            // Views repeat a covariance: what is below zero is no noise.
            let injected = if batches { clipped(&noise) } else { noise.clone() };
            let views = &inputs + theta + Scale(alpha * alpha) * &injected;
            let [tried, within] = moments(&held, &about);
            let rest = &tried - &within;
            let (clean, disturbed) = if batches { (within, rest) } else { (rest, within) };
            let squared = &inputs * &inputs;
            for (paradigm, matrix) in [&inputs, &squared].into_iter().enumerate() {
                let basis = whitened(&pencil(matrix, &views, dimension), &inputs);
                let map = basis.transpose() * &signal;
                let form = |matrix: &Mat<f64>| basis.transpose() * matrix * &basis;
                let power = map.transpose() * form(&tried) * &map;
                let crossed = map.transpose() * (basis.transpose() * &clean);
                let mut kept = [2.0 * trace(&crossed) - trace(&power), trace(&clean)];
                if paired {
                    let losses = spared(&held, &about, &basis, &map);
                    assert!((losses[0] - kept[0]).abs() < 1e-9 * kept[1].abs(), "{losses:?} {kept:?}");
                    kept = losses;
                }
                let sums = &mut naive.kept[paradigm];
                *sums = [sums[0] + kept[0], sums[1] + kept[1]];
                let leaked = trace(&form(&disturbed)) / trace(&form(&tried));
                let sums = &mut naive.leakage[paradigm];
                *sums = [sums[0] + leaked, sums[1] + leaked * leaked];
            }
        }
    }
    naive
}

fn clipped(matrix: &Mat<f64>) -> Mat<f64> {
    let found = matrix.self_adjoint_eigen(Side::Lower).unwrap();
    let size = matrix.nrows();
    let root = |j: usize| found.S().column_vector()[j].max(0.0).sqrt();
    let scaled = Mat::from_fn(size, size, |i, j| found.U()[(i, j)] * root(j));
    symmetrized(&(&scaled * scaled.transpose()))
}

fn check(question: &Question<'_>, naive: &Naive) {
    let found = ask(question).unwrap();
    for paradigm in 0..2 {
        let [part, whole] = naive.kept[paradigm];
        let kept = found.kept.each[paradigm].value;
        assert!((kept - part / whole).abs() < 1e-8, "kept {paradigm}: {kept} {}", part / whole);
        let count = (FOLDS * REPETITIONS) as f64;
        let [sum, squares] = naive.leakage[paradigm];
        let leakage = found.leakage.each[paradigm];
        assert!(
            (leakage.value - sum / count).abs() < 1e-8,
            "leakage {paradigm}: {leakage:?} {}",
            sum / count
        );
        if let Some(half) = leakage.half {
            // t₂₉ √(s²/K), or more.
            let variance = (squares - sum * sum / count) / (count - 1.0);
            let least = 2.045_23 * (variance / FOLDS as f64).sqrt();
            assert!(half > least * (1.0 - 1e-5), "{half} {least}");
        }
    }
}

fn table(items: &Items) -> (Mat<f64>, Vec<usize>) {
    let of: Vec<usize> =
        items.iter().enumerate().flat_map(|(number, item)| vec![number * 7 + 1; item.len()]).collect();
    let rows: Vec<&Vec<f64>> = items.iter().flatten().collect();
    (Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j]), of)
}

#[test]
fn numbers_of_pairs_are_those_of_the_formulas() {
    let mut random = Random(5);
    let problem = Repeated::random(&mut random, 9);
    let tables =
        problem.measure(&mut random, 60).map(|table| Mat::from_fn(60, 9, |i, j| table[(i, j)] + 3.0));
    let row = |of: usize, i: usize| -> Vec<f64> { tables[of].row(i).iter().copied().collect() };
    let items: Items = (0..60).map(|i| vec![row(0, i), row(1, i)]).collect();
    for (dimension, alpha) in [(1, 0.0), (3, 1.0)] {
        let naive = by_definition(&items, problem.theta.as_ref(), alpha, dimension, false);
        let views = Views::Additive(problem.theta.as_ref());
        let question = Question { alignment: Some(alpha), ..question(repeats(&tables), views, dimension) };
        check(&question, &naive);
        // The same things in one table.
        let (rows, ids) = interleaved(&tables);
        let measurements = Measurements::Groups { rows: rows.as_ref(), ids: &ids };
        check(&Question { measurements, ..question }, &naive);
    }
}

#[test]
fn numbers_of_unequal_groups_are_those_of_the_formulas() {
    let mut random = Random(8);
    let problem = Repeated::random(&mut random, 9);
    let items: Items = (0..70)
        .map(|number| {
            let [first, second] = problem.measure(&mut random, 1);
            // More rows of the same thing: half of one measurement's distance to the next.
            let more = (0..number % 3).map(|_| {
                let [x, y] = problem.measure(&mut random, 1);
                (0..9).map(|j| first[(0, j)] + 0.7 * (x[(0, j)] - y[(0, j)])).collect()
            });
            let row = |table: &Mat<f64>| table.row(0).iter().copied().collect();
            [row(&first), row(&second)].into_iter().chain(more).collect()
        })
        .collect();
    let (rows, of) = table(&items);
    let views = Views::Additive(problem.theta.as_ref());
    let naive = by_definition(&items, problem.theta.as_ref(), 0.3, 2, false);
    let groups = Measurements::Groups { rows: rows.as_ref(), ids: &of };
    check(&Question { alignment: Some(0.3), ..question(groups, views, 2) }, &naive);
    let naive = by_definition(&items, problem.theta.as_ref(), 0.3, 2, true);
    let batches = Measurements::Nuisance { rows: rows.as_ref(), batches: &of };
    check(&Question { alignment: Some(0.3), ..question(batches, views, 2) }, &naive);
}

#[test]
fn what_is_learnt_from_all_rows_is_whitened_and_unbiased_of_them() {
    let mut random = Random(21);
    let problem = Repeated::random(&mut random, 9);
    let tables = problem.measure(&mut random, 80);
    let row = |of: usize, i: usize| -> Vec<f64> { tables[of].row(i).iter().copied().collect() };
    let items: Items = (0..80).map(|i| vec![row(0, i), row(1, i)]).collect();
    let all: Vec<&Vec<Vec<f64>>> = items.iter().collect();
    let views = Views::Additive(problem.theta.as_ref());
    let found = ask(&question(repeats(&tables), views, 3)).unwrap().learnt;
    let about = mean(items.iter().flatten());
    let [inputs, within] = moments(&all, &about);
    assert!(less(&found.mean, &about).iter().all(|x| x.abs() < 1e-12));
    for (found, expected) in
        [(&found.inputs, &inputs), (&found.noise, &within), (&found.signal, &between(&all, &within))]
    {
        assert!((found - expected).norm_max() < 1e-10 * expected.norm_max());
    }
    let whole = &inputs + &problem.theta;
    for (encoder, matrix) in found.encoders.iter().zip([&inputs, &(&inputs * &inputs)]) {
        let identity = encoder.transpose() * &inputs * encoder;
        assert!((&identity - Mat::<f64>::identity(3, 3)).norm_max() < 1e-10);
        // The span of the pencil's leading directions.
        let basis = whitened(&pencil(matrix, &whole, 3), &inputs);
        let affinity = encoder.transpose() * &inputs * basis;
        assert!((affinity.partial_piv_lu().solve(&affinity) - Mat::<f64>::identity(3, 3)).norm_max() < 1e-9);
        assert!((affinity.squared_norm_l2() - 3.0).abs() < 1e-8);
    }
}
