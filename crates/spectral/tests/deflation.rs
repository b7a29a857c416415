//! Problems with copies of features, features that never change, and zeros: by way of a band, which
//! solves them without these, and in lanes, which does not know of them.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted, Way};
use eigensweep_testkit::random::Random;
use faer::Mat;
use proptest::prelude::*;

mod common;
use common::{largest, norm};

/// Numbers of leading vectors.
const COUNTS: [usize; 2] = [3, 8];

/// Labels.
const WIDTH: usize = 3;

/// Moments of a sample, and Σ.
#[derive(Debug)]
struct Problem {
    matrix: Mat<f64>,
    right: Mat<f64>,
    sigma: Vec<f64>,
}

impl Problem {
    /// Of features that are their own, in random order with copies of them (each a multiple, with
    /// noise of the relative size `noise`), features that are constant, and zeros.
    fn new(own: usize, others: [usize; 3], noise: f64, seed: u64) -> Self {
        let rng = &mut Random(seed);
        let [copies, constants, zeros] = others;
        let (size, samples) = (own + copies + constants + zeros, 2 * own);
        let factors = rng.normals(samples, WIDTH);
        let labels = &factors + rng.normals(samples, WIDTH);
        let mut columns: Vec<Mat<f64>> = (0..own)
            .map(|i| {
                let weights = rng.normals(WIDTH, 1);
                let scale = 10.0 / (1.0 + i as f64);
                (&factors * weights + rng.normals(samples, 1)) * faer::Scale(scale)
            })
            .collect();
        for _ in 0..copies {
            let of = rng.below(own);
            let by = faer::Scale(0.1 + 3.0 * rng.uniform() * if rng.uniform() < 0.5 { -1.0 } else { 1.0 });
            let copy = &columns[of] * by;
            let noise = rng.normals(samples, 1) * faer::Scale(noise * norm(copy.as_ref()));
            columns.push(copy + noise);
        }
        for _ in 0..constants {
            let value = -rng.uniform();
            columns.push(Mat::from_fn(samples, 1, |_, _| value));
        }
        columns.resize(size, Mat::zeros(samples, 1));
        let mut order: Vec<usize> = (0..size).collect();
        for i in (1..size).rev() {
            order.swap(i, rng.below(i + 1));
        }
        let inputs = Mat::from_fn(samples, size, |i, j| columns[order[j]][(i, 0)]);
        let share = faer::Scale(1.0 / samples as f64);
        Self {
            matrix: inputs.transpose() * &inputs * share,
            right: inputs.transpose() * labels * share,
            sigma: (0..size).map(|_| 0.01 + rng.uniform()).collect(),
        }
    }

    fn size(&self) -> usize {
        self.sigma.len()
    }

    /// `Σ^(−½) C Σ^(−½)`.
    fn scaled(&self) -> Mat<f64> {
        let root = |i: usize| self.sigma[i].sqrt();
        Mat::from_fn(self.size(), self.size(), |i, j| self.matrix[(i, j)] / root(i) / root(j))
    }

    fn solve(&self, way: Way, vectors: usize) -> Result<Answers, Failure> {
        // The same twice, since what is known of a source is used again.
        solve(way, InstructionSet::detect(), &[(7, self), (7, self)], vectors).pop().expect("two problems")
    }

    /// Both ways agree, and vectors are what they should be.
    fn check(&self, vectors: usize) -> Result<(), TestCaseError> {
        let by_band = self.solve(Way::Band, vectors).unwrap();
        let in_lanes = self.solve(Way::Lanes, vectors).unwrap();
        let (a, size) = (self.scaled(), self.size());
        let power = self.right.col_iter().map(|c| c.norm_l2()).sum::<f64>() * 100.0;
        let rounding = 20.0 * size as f64 * f64::EPSILON;
        let close = |what: &str, one: &[f64], other: &[f64], allowed: f64| {
            let all = one.iter().zip(other).enumerate();
            for (i, (x, y)) in all {
                prop_assert!((x - y).abs() <= allowed, "{what} {i}: {x} and {y}, {allowed:e} apart at most");
            }
            Ok(())
        };
        close("ridge", &[by_band.ridge], &[in_lanes.ridge], 1e-11 * in_lanes.ridge)?;
        close("value", &by_band.values, &in_lanes.values, rounding * norm(a.as_ref()))?;
        let leading: [Vec<f64>; 2] = [&by_band, &in_lanes].map(|of| of.powers[..COUNTS[1]].to_vec());
        close("power", &leading[0], &leading[1], 1e-8 * power)?;
        close("φ²", &by_band.pencil, &in_lanes.pencil, rounding * in_lanes.pencil[0])?;
        close("explained", &by_band.explained, &in_lanes.explained, 1e-8 * in_lanes.explained[1])?;

        // A Q = Q Λ, QᵀQ = I.
        let q = &by_band.eigenvectors;
        let lambda = Mat::from_fn(size, vectors, |i, j| q[(i, j)] * by_band.values[j]);
        prop_assert!(norm((&a * q - lambda).as_ref()) <= rounding * norm(a.as_ref()));
        let identity = Mat::<f64>::identity(vectors, vectors);
        prop_assert!(norm((q.transpose() * q - &identity).as_ref()) <= rounding);
        // A Σ A U = (A + I) U Φ², Uᵀ(A + I) U = I.
        let u = &by_band.basis;
        let shifted = &a + Mat::<f64>::identity(size, size);
        let sigma = common::diagonal(&self.sigma);
        let phi = Mat::from_fn(size, vectors, |i, j| u[(i, j)] * by_band.pencil[j]);
        let left = &a * sigma * &a;
        let error = norm((&left * u - &shifted * phi).as_ref());
        prop_assert!(error <= rounding * norm(left.as_ref()) * largest(u.as_ref()).max(1.0), "{error:e}");
        let form = u.transpose() * &shifted * u - &identity;
        prop_assert!(norm(form.as_ref()) <= rounding * norm(a.as_ref()).max(1.0));
        Ok(())
    }
}

/// Solves problems of one size, each of a source of its number.
fn solve(
    way: Way,
    isa: InstructionSet,
    problems: &[(usize, &Problem)],
    vectors: usize,
) -> Vec<Result<Answers, Failure>> {
    let size = problems[0].1.size();
    let room = Room { size, smallest: size, width: WIDTH, count: size };
    let wanted = Wanted { ridge: true, projected: true, pencil: true, vectors: true };
    let mut batch = ScaledBatch::in_way(Some(way), isa, room, 3, wanted);
    batch.start(size, WIDTH);
    let mut answers = vec![];
    for problems in problems.chunks(batch.capacity()) {
        batch.start(size, WIDTH);
        for (source, problem) in problems {
            batch.push(*source, &problem.sigma);
        }
        batch.solve(&[COUNTS[0], COUNTS[1], vectors], |number| {
            let of = problems.iter().find(|(source, _)| *source == number).expect("a source").1;
            (of.matrix.as_ref(), of.right.as_ref())
        });
        answers.extend((0..problems.len()).map(|place| {
            let (mut eigenvectors, mut basis) = (Mat::zeros(size, vectors), Mat::zeros(size, vectors));
            batch.eigenvectors(place, eigenvectors.as_mut());
            batch.basis(place, basis.as_mut());
            let (values, powers) = batch.projected(place)?;
            let (pencil, explained) = batch.pencil(place)?;
            Ok(Answers {
                ridge: batch.ridge_power(place)?,
                values: values.to_vec(),
                powers: powers.to_vec(),
                pencil: pencil.to_vec(),
                explained: explained[..2].to_vec(),
                eigenvectors,
                basis,
            })
        }));
    }
    answers
}

#[derive(Debug, PartialEq)]
struct Answers {
    ridge: f64,
    values: Vec<f64>,
    powers: Vec<f64>,
    pencil: Vec<f64>,
    explained: Vec<f64>,
    eigenvectors: Mat<f64>,
    basis: Mat<f64>,
}

#[test]
fn all_vectors_are_found_although_some_are_of_what_went() {
    let problem = Problem::new(30, [20, 10, 5], 0.0, 1);
    problem.check(problem.size()).unwrap();
    // All copies and zeros went, and all constants but one.
    let values = problem.solve(Way::Band, 1).unwrap().values;
    assert_eq!(values.iter().filter(|x| **x == 0.0).count(), 34);
}

#[test]
fn answers_are_the_same_bits_whatever_stays_of_the_neighbours() {
    let problems = [
        Problem::new(30, [20, 10, 5], 0.0, 5),
        Problem::new(65, [0, 0, 0], 0.0, 6),
        Problem::new(50, [0, 10, 5], 0.0, 7),
        Problem::new(20, [40, 0, 5], 0.0, 8),
    ];
    let all: Vec<_> = problems.iter().enumerate().collect();
    let alone = |of| solve(Way::Band, InstructionSet::portable(), &[of], 20).pop();
    for isa in InstructionSet::available() {
        for together in [all.clone(), all.iter().rev().copied().collect(), all[2..].to_vec()] {
            for (answers, of) in solve(Way::Band, isa, &together, 20).into_iter().zip(together) {
                assert_eq!(Some(answers), alone(of), "{} of {}", of.0, isa.name());
            }
        }
    }
}

#[test]
fn a_copy_with_labels_of_its_own_stays() {
    let mut problem = Problem::new(30, [20, 10, 5], 0.0, 2);
    let size = problem.size();
    // As moments of other samples might be.
    problem.right = Random(3).normals(size, WIDTH);
    let [by_band, in_lanes] = [Way::Band, Way::Lanes].map(|way| problem.solve(way, 8).unwrap());
    assert!((by_band.ridge / in_lanes.ridge - 1.0).abs() < 1e-11);
}

#[test]
fn a_number_that_is_none_is_found_in_what_would_go() {
    for place in [(3, 3), (40, 3), (50, 50)] {
        let mut problem = Problem::new(30, [20, 10, 5], 0.0, 4);
        problem.matrix[place] = f64::NAN;
        assert_eq!(problem.solve(Way::Band, 8).err(), Some(Failure::NotFinite));
    }
    for row in [3, 40, 50] {
        let mut problem = Problem::new(30, [20, 10, 5], 0.0, 4);
        problem.right[(row, 0)] = f64::INFINITY;
        assert_eq!(problem.solve(Way::Band, 8).err(), Some(Failure::NotFinite));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_ways_agree(
        own in 10_usize..60,
        copies in 0_usize..20,
        constants in 0_usize..20,
        zeros in 0_usize..20,
        decades in 0_usize..4,
        seed: u64,
    ) {
        let noise = [0.0, 1e-12, 1e-8, 1e-4][decades];
        Problem::new(own, [copies, constants, zeros], noise, seed).check(8)?;
    }
}
