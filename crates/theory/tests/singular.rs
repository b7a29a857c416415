//! Singular S: the closed forms on its range, against the same problem in as many dimensions as it
//! has.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod reference;

use eigensweep_testkit::allocator::{Counting, calls};
use eigensweep_testkit::random::Random;
use eigensweep_theory::additive::{Additive, AdditiveBatch, Room, Route, Wanted};
use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::leakage::{CleanMoment, Population};
use eigensweep_theory::metrics::{EFFECTIVE_RANK, GAP, LEAKAGE, RANK};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms::{self, JOINT_EMBEDDING, RECONSTRUCTION, SUPERVISED};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::{Failure, InstructionSet};
use faer::{Mat, MatRef, mat};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const LABELS: usize = 2;

/// Inputs, mean views and labels of n rows, and Σ.
struct Problem {
    inputs: Mat<f64>,
    mean_views: Mat<f64>,
    labels: Mat<f64>,
    covariance: Mat<f64>,
}

/// Moments, owned.
struct Owned {
    mean_views: Mat<f64>,
    views: Mat<f64>,
    cross: Mat<f64>,
    view_labels: Mat<f64>,
    inputs: Mat<f64>,
    input_labels: Mat<f64>,
    label_power: f64,
}

/// Symmetric to the bit.
fn gram(matrix: &Mat<f64>) -> Mat<f64> {
    let product = matrix.transpose() * matrix * faer::Scale(1.0 / matrix.nrows() as f64);
    Mat::from_fn(matrix.ncols(), matrix.ncols(), |i, j| product[(i.max(j), i.min(j))])
}

impl Problem {
    fn random(random: &mut Random, samples: usize, size: usize) -> Self {
        let inputs = random.normals(samples, size);
        let noise = random.normals(samples, size);
        Self {
            mean_views: Mat::from_fn(samples, size, |i, j| inputs[(i, j)] + 0.3 * noise[(i, j)]),
            labels: &inputs * random.normals(size, LABELS) + random.normals(samples, LABELS),
            inputs,
            covariance: random.semidefinite(size, size) * faer::Scale(0.2),
        }
    }

    /// Every column, and Σ, mapped by `map` (r × d).
    fn mapped(&self, map: &Mat<f64>) -> Self {
        let covariance = map.transpose() * &self.covariance * map;
        Self {
            inputs: &self.inputs * map,
            mean_views: &self.mean_views * map,
            labels: self.labels.clone(),
            covariance: Mat::from_fn(map.ncols(), map.ncols(), |i, j| covariance[(i.max(j), i.min(j))]),
        }
    }

    fn moments(&self) -> Owned {
        let scale = faer::Scale(1.0 / self.inputs.nrows() as f64);
        let mean_views = gram(&self.mean_views);
        Owned {
            views: &mean_views + &self.covariance,
            mean_views,
            cross: self.inputs.transpose() * &self.mean_views * scale,
            view_labels: self.mean_views.transpose() * &self.labels * scale,
            inputs: gram(&self.inputs),
            input_labels: self.inputs.transpose() * &self.labels * scale,
            label_power: self.labels.squared_norm_l2() / self.inputs.nrows() as f64,
        }
    }
}

impl Owned {
    fn view(&self) -> Moments<'_> {
        Moments {
            mean_views: self.mean_views.as_ref(),
            views: self.views.as_ref(),
            cross: self.cross.as_ref(),
            view_labels: self.view_labels.as_ref(),
            inputs: self.inputs.as_ref(),
            input_labels: self.input_labels.as_ref(),
            label_power: self.label_power,
        }
    }

    fn solve(&self) -> Found {
        let mut forms = ClosedForms::new(self.views.nrows(), LABELS);
        let mut problem = forms.problem(self.view());
        let rank = problem.rank().unwrap();
        let predictor = problem.solve(&SUPERVISED).unwrap().predictor().unwrap();
        assert_eq!(predictor.rank, rank);
        let supervised = (predictor.objective, predictor.loss, predictor.map.to_owned());
        let [joint, reconstruction] = [&JOINT_EMBEDDING, &RECONSTRUCTION].map(|paradigm| {
            let encoder = problem.solve(paradigm).unwrap().encoder().unwrap();
            assert_eq!((encoder.spectrum.values.len(), encoder.basis.ncols()), (rank, rank));
            assert_eq!(encoder.leading(rank + 1).map(|_| ()), Err(Failure::DimensionAboveRank { rank }));
            Encoded {
                values: encoder.spectrum.values.to_vec(),
                basis: encoder.basis.to_owned(),
                decoder: encoder.decoder.map(|decoder| decoder.to_owned()),
                losses: (1..=rank).map(|k| self.probe(encoder.leading(k).unwrap())).collect(),
            }
        });
        Found { rank, supervised, joint, reconstruction }
    }

    fn probe(&self, basis: MatRef<'_, f64>) -> f64 {
        let mut probe = Probe::new(InstructionSet::detect(), basis.nrows(), LABELS);
        probe.loss(basis, self.inputs.as_ref(), self.input_labels.as_ref(), self.label_power)
    }
}

struct Found {
    rank: usize,
    /// Objective, loss and map.
    supervised: (f64, f64, Mat<f64>),
    joint: Encoded,
    reconstruction: Encoded,
}

struct Encoded {
    values: Vec<f64>,
    basis: Mat<f64>,
    decoder: Option<Mat<f64>>,
    /// By dimension.
    losses: Vec<f64>,
}

/// Largest difference of two matrices' entries.
fn apart(a: &Mat<f64>, b: &Mat<f64>) -> f64 {
    (a - b).norm_max()
}

/// V Vᵀ of the first k columns: what is determined of a basis.
fn span(basis: &Mat<f64>, dimension: usize) -> Mat<f64> {
    let basis = basis.subcols(0, dimension);
    basis * basis.transpose()
}

/// What of the problem in r dimensions is to be found of the one in d, by a basis that is mapped by
/// `up` (d × r).
#[track_caller]
fn assert_same(small: &Found, large: &Found, up: &Mat<f64>, tolerance: f64) {
    assert_eq!((small.rank, large.rank), (up.ncols(), up.ncols()));
    let close = |a: f64, b: f64, what: &str| assert!((a - b).abs() <= tolerance, "{what}: {a} and {b}");
    close(small.supervised.0, large.supervised.0, "supervised objective");
    close(small.supervised.1, large.supervised.1, "supervised loss");
    let map = apart(&(up * &small.supervised.2), &large.supervised.2);
    assert!(map <= tolerance * small.supervised.2.norm_max().max(1.0), "supervised map: {map:e}");
    for (small, large) in [(&small.joint, &large.joint), (&small.reconstruction, &large.reconstruction)] {
        let scale = small.values[0].max(1.0);
        for (i, (a, b)) in small.values.iter().zip(&large.values).enumerate() {
            close(a / scale, b / scale, "value");
            let gap = small.values.get(i + 1).map_or(scale, |next| a - next);
            if gap < 1e-2 * scale {
                continue;
            }
            close(small.losses[i], large.losses[i], "probing loss");
            let (a, b) = (up * span(&small.basis, i + 1) * up.transpose(), span(&large.basis, i + 1));
            assert!(apart(&a, &b) <= tolerance * a.norm_max(), "row space at {}: {:e}", i + 1, apart(&a, &b));
            if let (Some(from), Some(to)) = (&small.decoder, &large.decoder) {
                let map = |decoder: &Mat<f64>, basis: &Mat<f64>| {
                    decoder.subcols(0, i + 1) * basis.subcols(0, i + 1).transpose()
                };
                let (a, b) = (up * map(from, &small.basis) * up.transpose(), map(to, &large.basis));
                assert!(
                    apart(&a, &b) <= tolerance * a.norm_max().max(1.0),
                    "decoder after encoder at {}",
                    i + 1
                );
            }
        }
    }
}

/// Samples, r and d, and a seed.
fn sizes() -> impl Strategy<Value = (usize, usize, usize, u64)> {
    (1..9_usize, 0..9_usize, any::<u64>())
        .prop_map(|(rank, beyond, seed)| (rank + 5 + (seed % 40) as usize, rank, rank + beyond, seed))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        rng_seed: RngSeed::Fixed(6),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Inputs that fill r of d dimensions, in any directions: spectra, losses and maps are those in
    /// r dimensions, and nothing lies beyond these: the smallest norm.
    #[test]
    fn a_problem_in_a_subspace_is_the_problem_of_the_subspace((samples, rank, size, seed) in sizes()) {
        let random = &mut Random(seed);
        let small = Problem::random(random, samples, rank);
        let up = random.orthogonal(size).subcols(0, rank).to_owned();
        let large = small.mapped(&up.transpose().to_owned());
        assert_same(&small.moments().solve(), &large.moments().solve(), &up, 1e-7);
    }

    /// Fewer samples than inputs, and views that add nothing: the row space of the samples.
    #[test]
    fn few_samples_are_solved_in_their_row_space(samples in 1..9_usize, beyond in 1..9_usize, seed in any::<u64>()) {
        let random = &mut Random(seed);
        let mut large = Problem::random(random, samples, samples + beyond);
        large.covariance.fill(0.0);
        large.mean_views = large.inputs.clone();
        let found = large.moments().solve();
        prop_assert_eq!(found.rank, samples);
        // Every direction is kept, and every label explained: the interpolation of least norm.
        prop_assert!(found.joint.values.iter().all(|omega| (omega - 1.0).abs() < 1e-7));
        prop_assert!(found.supervised.1.abs() < 1e-7 && found.supervised.0.abs() < 1e-7);
        let solved = (&large.inputs * large.inputs.transpose()).partial_piv_lu();
        let least = large.inputs.transpose() * faer::linalg::solvers::Solve::solve(&solved, &large.labels);
        prop_assert!(apart(&least, &found.supervised.2) <= 1e-6 * least.norm_max().max(1.0));
    }
}

/// Columns of zeros, before, between and after: no direction has a share in them, and what is found
/// is what was found without.
#[test]
fn a_column_of_zeros_changes_nothing() {
    for seed in 0..10 {
        let small = Problem::random(&mut Random(seed), 30, 4);
        let up = Mat::from_fn(7, 4, |i, j| f64::from(i == [1, 2, 4, 5][j]));
        let large = small.mapped(&up.transpose().to_owned());
        assert_same(&small.moments().solve(), &large.moments().solve(), &up, 1e-11);
    }
}

/// A column twice is one column of √2 times its size, whose weight the two share.
#[test]
fn a_repeated_column_shares_its_weight() {
    for seed in 0..10 {
        let small = Problem::random(&mut Random(seed), 30, 3);
        let half = 0.5_f64.sqrt();
        let up = mat![[1.0, 0.0, 0.0], [0.0, half, 0.0], [0.0, 0.0, 1.0], [0.0, half, 0.0]];
        let large = small.mapped(&up.transpose().to_owned());
        let found = large.moments().solve();
        assert_same(&small.moments().solve(), &found, &up, 1e-10);
        for basis in [&found.joint.basis, &found.reconstruction.basis, &found.supervised.2] {
            for column in basis.col_iter() {
                assert!((column[1] - column[3]).abs() <= 1e-12 * column.norm_max());
            }
        }
    }
}

/// X = (1 1 0; 1 1 0), Y = (2; 2): S = C = (1 1 0; 1 1 0; 0 0 0), B = (2, 2, 0). S⁺ = S/4, so
/// `V* = (1, 1, 0)`; `Vₖ = (1, 1, 0)/2` with `VᵀSV = 1`; ω = 1 and φ² = vᵀCᵀCv = 2.
#[test]
fn two_equal_columns_and_a_zero_by_hand() {
    let inputs = mat![[1.0, 1.0, 0.0], [1.0, 1.0, 0.0]];
    let problem = Problem {
        mean_views: inputs.clone(),
        inputs,
        labels: mat![[2.0, 0.0], [2.0, 0.0]],
        covariance: Mat::zeros(3, 3),
    };
    let found = problem.moments().solve();
    assert_eq!(found.rank, 1);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} and {b}");
    for (place, expected) in [1.0, 1.0, 0.0].into_iter().enumerate() {
        close(found.supervised.2[(place, 0)], expected);
        close(found.joint.basis[(place, 0)].abs(), expected / 2.0);
        close(found.reconstruction.basis[(place, 0)].abs(), expected / 2.0);
    }
    close(found.joint.values[0], 1.0);
    close(found.reconstruction.values[0].powi(2), 2.0);
    close(found.joint.losses[0], 0.0);
}

#[test]
fn nothing_at_all_has_no_direction_and_predicts_nothing() {
    let problem = Problem {
        inputs: Mat::zeros(4, 3),
        mean_views: Mat::zeros(4, 3),
        labels: Mat::from_fn(4, LABELS, |i, _| i as f64),
        covariance: Mat::zeros(3, 3),
    };
    let moments = problem.moments();
    let found = moments.solve();
    assert_eq!((found.rank, found.joint.values.len()), (0, 0));
    assert_eq!(found.supervised.2, Mat::<f64>::zeros(3, LABELS));
    assert!((found.supervised.1 - moments.label_power).abs() < 1e-15);
}

#[test]
fn what_is_no_second_moment_is_refused_by_all() {
    let mut moments = Problem::random(&mut Random(1), 20, 3).moments();
    moments.views[(1, 1)] = -1.0;
    let mut forms = ClosedForms::new(3, LABELS);
    let mut problem = forms.problem(moments.view());
    assert!(matches!(problem.rank(), Err(Failure::NotPositiveDefinite { .. })));
    for paradigm in paradigms::ALL {
        assert!(matches!(problem.solve(paradigm), Err(Failure::NotPositiveDefinite { .. })));
    }
}

/// Workspace serves problems of every size and rank up to its own, and none allocates.
#[test]
fn no_problem_allocates_once_warm() {
    let (size, mut forms) = (150, ClosedForms::new(150, LABELS));
    let problems: Vec<Owned> = [(200, 150), (90, 150), (60, 100), (3, 150), (140, 150)]
        .map(|(samples, d)| {
            let mut problem = Problem::random(&mut Random(samples as u64), samples, d);
            problem.covariance.fill(0.0);
            problem.moments()
        })
        .into_iter()
        .collect();
    let mut solve = |moments: &Owned| {
        let mut problem = forms.problem(moments.view());
        for paradigm in paradigms::ALL {
            problem.solve(paradigm).unwrap();
        }
        problem.rank().unwrap()
    };
    let ranks: Vec<usize> = problems.iter().map(&mut solve).collect();
    assert_eq!(ranks, [size, 90, 60, 3, 140]);
    for moments in &problems {
        assert_eq!(
            calls(|| {
                solve(moments);
            }),
            0
        );
    }
}

/// Additive views with a Σ that is zero on some inputs, and fewer samples than inputs: r = n and as
/// many as Σ adds to. Rows above the rank have a status, those below their values, whatever else is
/// asked for; the labels' model has its row.
#[test]
fn additive_problems_have_values_up_to_their_rank() {
    let (samples, size) = (3, 8);
    let random = &mut Random(4);
    let inputs = random.normals(samples, size);
    let labels = random.normals(samples, LABELS);
    let scale = faer::Scale(1.0 / samples as f64);
    let (moment, input_labels) = (gram(&inputs), inputs.transpose() * &labels * scale);
    let sigma = [0.0, 0.0, 0.5, 0.0, 0.0, 2.0, 0.0, 0.0];
    let problem = Additive {
        inputs: moment.as_ref(),
        input_labels: input_labels.as_ref(),
        label_power: labels.squared_norm_l2() / samples as f64,
        sigma: &sigma,
    };
    let population = Population { clean: CleanMoment::Diagonal(&[1.0; 5]), gamma: &[1.0; 3] };
    let solve = |route: Option<Route>, dimensions: &[usize]| {
        let room = Room {
            size,
            smallest: size,
            noise_components: 3,
            labels: LABELS,
            dimension: size,
            dimensions: dimensions.len(),
        };
        let metrics = vec![&RANK, &GAP, &LEAKAGE, &EFFECTIVE_RANK];
        let wanted = Wanted { paradigms: paradigms::ALL.to_vec(), metrics };
        let mut batch = AdditiveBatch::on_route(route, InstructionSet::detect(), room, wanted);
        batch.solve_one(&problem, dimensions, Some(population));
        let of = |paradigm: usize| {
            let found = batch.represented(0, paradigm).unwrap();
            let row = |n: usize| {
                let metrics = [0, 1, 2, 3].map(|metric| found.metric(metric)[n]);
                (found.loss(n), metrics.map(f64::to_bits))
            };
            (0..dimensions.len()).map(row).collect::<Vec<_>>()
        };
        [of(0), of(1), of(2)]
    };
    let all: Vec<usize> = (1..=size).collect();
    for route in reference::ROUTES {
        let found = solve(route, &all);
        for (paradigm, rows) in paradigms::ALL.into_iter().zip(&found) {
            for (&k, (loss, metrics)) in all.iter().zip(rows) {
                let metrics = metrics.map(f64::from_bits);
                if k > 5 && paradigm.spectrum.is_some() {
                    assert_eq!(loss, &Err(Failure::DimensionAboveRank { rank: 5 }), "{paradigm} at {k}");
                    assert!(metrics.iter().all(|value| value.is_nan()), "{paradigm} at {k}: {metrics:?}");
                    continue;
                }
                assert!(loss.unwrap() >= -1e-9 && loss.unwrap() <= problem.label_power + 1e-9);
                assert_eq!(metrics[0].to_bits(), 5.0_f64.to_bits(), "{paradigm} at {k}");
                assert_eq!(metrics[1].is_nan(), paradigm.spectrum.is_none() || k == 5, "{paradigm} at {k}");
                assert_eq!(metrics[2].is_nan(), paradigm.spectrum.is_none(), "{paradigm} at {k}");
            }
            // Some of them, in another order.
            for dimensions in [&[5, 2][..], &[7], &[8, 5, 6, 1]] {
                let some =
                    &solve(route, dimensions)[paradigms::ALL.iter().position(|p| *p == paradigm).unwrap()];
                for (&k, row) in dimensions.iter().zip(some) {
                    assert_eq!(row, &rows[k - 1], "{paradigm} at {k} among {dimensions:?}");
                }
            }
        }
        // All directions explain what least squares does: the labels of three samples.
        for rows in &found[1..] {
            assert!(rows[4].0.unwrap().abs() < 1e-9, "{:?}", rows[4]);
        }
    }
}

/// A definite problem has rank d, in lanes and on the general path.
#[test]
fn the_rank_of_a_definite_problem_is_the_number_of_its_inputs() {
    let moment = Random(2).semidefinite(6, 9);
    let labels = Random(3).normals(6, LABELS);
    for sigma in [[0.5; 6], [0.5, 0.0, 1.0, 2.0, 0.0, 1.0]] {
        let problem = Additive {
            inputs: moment.as_ref(),
            input_labels: labels.as_ref(),
            label_power: 50.0,
            sigma: &sigma,
        };
        for route in reference::ROUTES {
            let room = Room {
                size: 6,
                smallest: 6,
                noise_components: 0,
                labels: LABELS,
                dimension: 6,
                dimensions: 2,
            };
            let wanted = Wanted { paradigms: paradigms::ALL.to_vec(), metrics: vec![&RANK] };
            let mut batch = AdditiveBatch::on_route(route, InstructionSet::detect(), room, wanted);
            batch.solve_one(&problem, &[6, 1], None);
            for paradigm in 0..3 {
                let found = batch.represented(0, paradigm).unwrap();
                assert_eq!((found.rank, found.metric(0)), (6, &[6.0, 6.0][..]), "{route:?}");
            }
        }
    }
}

/// A cluster whose nodes differ gives one answer: singular and definite S, every paradigm.
#[test]
fn every_instruction_set_gives_the_same_bits() {
    for size in [5, 40, 130, 300] {
        for samples in [size / 2, 2 * size] {
            let mut problem = Problem::random(&mut Random(size as u64), samples, size);
            problem.covariance.fill(0.0);
            let owned = problem.moments();
            let bits = |instruction_set: InstructionSet| {
                let mut forms = ClosedForms::on(instruction_set, size, LABELS);
                let mut solver = forms.problem(owned.view());
                assert_eq!(solver.rank(), Ok(samples.min(size)));
                let of = |matrix: MatRef<'_, f64>| -> Vec<u64> {
                    let columns = matrix.col_iter();
                    columns.flat_map(|x| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
                };
                let model = solver.solve(&SUPERVISED).unwrap().predictor().unwrap();
                let mut bits = vec![model.objective.to_bits(), model.loss.to_bits()];
                bits.extend(of(model.map));
                for paradigm in [&JOINT_EMBEDDING, &RECONSTRUCTION] {
                    let encoder = solver.solve(paradigm).unwrap().encoder().unwrap();
                    bits.extend(encoder.spectrum.values.iter().map(|x| x.to_bits()));
                    bits.extend(of(encoder.basis));
                    bits.extend(encoder.decoder.map(of).unwrap_or_default());
                }
                bits
            };
            let expected = bits(InstructionSet::portable());
            for instruction_set in InstructionSet::available() {
                let same = bits(instruction_set) == expected;
                assert!(same, "{} at d = {size}, n = {samples}", instruction_set.name());
            }
        }
    }
}
