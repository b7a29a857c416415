//! Properties that hold of every problem: what metrics must not depend on, and what bounds them.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod reference;

use eigensweep_testkit::random::Random;
use eigensweep_theory::additive::{Additive, Route};
use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::leakage::{CleanMoment, Leakage, Population};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION, SUPERVISED};
use eigensweep_theory::probing::{Probe, least_squares_loss, least_squares_scratch};
use eigensweep_theory::{InstructionSet, MemBuffer, MemStack};
use faer::{Mat, MatRef};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use reference::Representation;

/// A matrix of entries uniform on (−√3, √3): mean 0, variance 1.
fn uniform(random: &mut Random, rows: usize, columns: usize) -> Mat<f64> {
    Mat::from_fn(rows, columns, |_, _| (random.uniform() - 0.5) * 12_f64.sqrt())
}

/// A problem of n rows: signal and noise columns of different scales, Σ diagonal.
#[derive(Debug)]
struct Problem {
    inputs: Mat<f64>,
    input_labels: Mat<f64>,
    label_power: f64,
    sigma: Vec<f64>,
    signal: Vec<f64>,
    gamma: Vec<f64>,
}

const LABELS: usize = 3;

impl Problem {
    fn new(seed: u64, samples: usize, signal: usize, noise: usize) -> Self {
        let mut random = Random(seed);
        let size = signal + noise;
        let scales: Vec<f64> = (0..size).map(|_| random.decades(-1.0, 1.0)).collect();
        let mut x = uniform(&mut random, samples, size);
        for j in 0..size {
            for i in 0..samples {
                x[(i, j)] *= scales[j];
            }
        }
        let teacher = uniform(&mut random, signal, LABELS);
        let y = x.subcols(0, signal) * teacher + uniform(&mut random, samples, LABELS);
        let inverse = 1.0 / samples as f64;
        let product = x.transpose() * &x;
        Self {
            // Symmetric to the bit.
            inputs: Mat::from_fn(size, size, |i, j| product[(i.max(j), i.min(j))] * inverse),
            input_labels: x.transpose() * &y * inverse,
            label_power: y.squared_norm_l2() * inverse,
            sigma: (0..size).map(|_| random.decades(-1.0, 1.0)).collect(),
            signal: scales[..signal].iter().map(|s| s * s).collect(),
            gamma: scales[signal..].iter().map(|s| s * s).collect(),
        }
    }

    fn size(&self) -> usize {
        self.sigma.len()
    }

    fn additive(&self) -> Additive<'_> {
        Additive {
            inputs: self.inputs.as_ref(),
            input_labels: self.input_labels.as_ref(),
            label_power: self.label_power,
            sigma: &self.sigma,
        }
    }

    /// Condition of A = Σ^(−½) C̃ Σ^(−½) on its range: an eigenvalue λ is found to ε·λ₁, and the
    /// share of the labels' power that its direction explains to ε·λ₁/λ.
    fn condition(&self) -> f64 {
        let a = Mat::from_fn(self.size(), self.size(), |i, j| {
            self.inputs[(i, j)] / (self.sigma[i] * self.sigma[j]).sqrt()
        });
        let values = a.self_adjoint_eigenvalues(faer::Side::Lower).unwrap();
        let largest = values[self.size() - 1];
        let floor = self.size() as f64 * f64::EPSILON * largest;
        largest / values.iter().copied().find(|&x| x > floor).unwrap_or(largest)
    }

    fn population(&self) -> Population<'_> {
        Population { clean: CleanMoment::Diagonal(&self.signal), gamma: &self.gamma }
    }

    fn probe(&self, basis: MatRef<'_, f64>) -> f64 {
        let mut probe = Probe::new(InstructionSet::detect(), self.size(), LABELS);
        probe.loss(basis, self.inputs.as_ref(), self.input_labels.as_ref(), self.label_power)
    }

    fn leakage(&self, basis: MatRef<'_, f64>) -> f64 {
        let mut leakage = Leakage::new(InstructionSet::detect(), self.size(), self.gamma.len());
        leakage.of(basis, self.population())
    }

    /// Both encoders at all dimensions, and the supervised loss, on the fast path.
    fn fast(&self, with_leakage: bool) -> (Vec<Representation>, Vec<Representation>, f64) {
        self.on_route(None, with_leakage)
    }

    fn on_route(
        &self,
        route: Option<Route>,
        with_leakage: bool,
    ) -> (Vec<Representation>, Vec<Representation>, f64) {
        let dimensions: Vec<usize> = (1..=self.size()).collect();
        let population = with_leakage.then(|| self.population());
        let [sl, je, rc] = reference::solve_additive(route, &self.additive(), &dimensions, population)
            .map(|representations| representations.unwrap());
        (je, rc, sl[0].loss)
    }
}

/// A matrix that is far from singular: the identity's multiple dominates.
fn invertible(random: &mut Random, size: usize) -> Mat<f64> {
    let noise = uniform(random, size, size);
    Mat::from_fn(size, size, |i, j| noise[(i, j)] + if i == j { 3.0 * size as f64 } else { 0.0 })
}

fn problems() -> impl Strategy<Value = Problem> {
    (any::<u64>(), 1..40_usize, 1..8_usize, 1..8_usize)
        .prop_map(|(seed, samples, signal, noise)| Problem::new(seed, samples, signal, noise))
}

/// Relative to the labels' power; the problems' moments have condition numbers up to about 10⁶.
const TOLERANCE: f64 = 1e-8;

/// Eigenvalues closer than this (relative to the first) have no row space of their own to compare.
const GAP: f64 = 1e-5;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        rng_seed: RngSeed::Fixed(5),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// T of Theorem 3.1 and U of Theorem 3.2 are free: metrics are of the row space.
    #[test]
    fn metrics_belong_to_the_row_space(problem in problems(), seed in any::<u64>(), part in 0.0..1.0_f64) {
        let mut random = Random(seed);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let k = 1 + (part * problem.size() as f64) as usize;
        let basis = uniform(&mut random, problem.size(), k);
        let mixed = &basis * invertible(&mut random, k);
        let (a, b) = (problem.probe(basis.as_ref()), problem.probe(mixed.as_ref()));
        prop_assert!((a - b).abs() <= TOLERANCE * problem.label_power, "probe {a} and {b}");
        let (a, b) = (problem.leakage(basis.as_ref()), problem.leakage(mixed.as_ref()));
        prop_assert!((a - b).abs() <= TOLERANCE, "leakage {a} and {b}");
    }

    /// Losses lie between 0 and the labels' power and fall with k, leakage is a share, gaps are in
    /// [0, 1] and end at d.
    #[test]
    fn metrics_keep_their_bounds(problem in problems()) {
        let (je, rc, supervised) = problem.fast(true);
        let slack = (TOLERANCE + 100.0 * f64::EPSILON * problem.condition()) * problem.label_power;
        let inside = |loss: f64| (-slack..=problem.label_power + slack).contains(&loss);
        prop_assert!(inside(supervised), "supervised {supervised}");
        for (name, encoder) in [("joint-embedding", je), ("reconstruction", rc)] {
            for (i, at) in encoder.iter().enumerate() {
                prop_assert!(inside(at.loss), "{name} at {}: {}", i + 1, at.loss);
                let leakage = at.leakage.unwrap();
                prop_assert!((0.0..=1.0).contains(&leakage), "{name} at {}: leakage {leakage}", i + 1);
                prop_assert!(at.gap.is_none() == (i + 1 == problem.size()));
                prop_assert!(at.gap.is_none_or(|gap| (0.0..=1.0).contains(&gap)), "{name}: {:?}", at.gap);
                let most = (i + 1) as f64;
                prop_assert!(at.effective_rank.is_none_or(|rank| (1.0..=most).contains(&rank)), "{name}: {at:?}");
                if i > 0 {
                    prop_assert!(at.loss <= encoder[i - 1].loss + slack, "{name}: loss rises at {}", i + 1);
                }
            }
            // All of the inputs: least squares, whatever the paradigm. Supervised learning on views
            // cannot do better.
            let all = encoder[problem.size() - 1];
            let mut memory = MemBuffer::new(least_squares_scratch(problem.size(), LABELS));
            let (inputs, labels) = (problem.inputs.as_ref(), problem.input_labels.as_ref());
            let (power, stack) = (problem.label_power, MemStack::new(&mut memory));
            let least = least_squares_loss(InstructionSet::detect(), inputs, labels, power, stack);
            prop_assert!((all.loss - least).abs() <= slack, "{name}: {} and {least}", all.loss);
            prop_assert!(supervised >= least - slack);
            // Whatever the basis, all of it carries the p noise components.
            let share = problem.gamma.len() as f64 / problem.size() as f64;
            prop_assert!((all.leakage.unwrap() - share).abs() <= TOLERANCE);
        }
    }

    /// The scaled path and the general one are two ways to the same numbers, n < d included.
    #[test]
    fn fast_and_general_paths_agree(problem in problems()) {
        let size = problem.size();
        let mut views = problem.inputs.clone();
        for (i, sigma) in problem.sigma.iter().enumerate() {
            views[(i, i)] += sigma;
        }
        let inputs = problem.inputs.as_ref();
        let moments = Moments {
            mean_views: inputs,
            views: views.as_ref(),
            cross: inputs,
            view_labels: problem.input_labels.as_ref(),
            inputs,
            input_labels: problem.input_labels.as_ref(),
            label_power: problem.label_power,
        };
        let mut forms = ClosedForms::new(size, LABELS);
        let mut solved = forms.problem(moments);
        let slack = TOLERANCE * problem.label_power;
        let loss = solved.solve(&SUPERVISED).unwrap().predictor().unwrap().loss;
        for route in reference::ROUTES {
        let (je, rc, supervised) = problem.on_route(route, true);
        let (without, _, _) = problem.on_route(route, false);
        prop_assert!((loss - supervised).abs() <= slack, "supervised {supervised} and {loss}");
        for (name, paradigm, fast) in [("joint-embedding", &JOINT_EMBEDDING, je), ("reconstruction", &RECONSTRUCTION, rc)] {
            let encoder = solved.solve(paradigm).unwrap().encoder().unwrap();
            let eigenvalue = paradigm.spectrum.as_ref().unwrap().eigenvalue;
            let spectrum: Vec<f64> = encoder.spectrum.values.iter().map(|&x| eigenvalue(x)).collect();
            for (i, at) in fast.iter().enumerate() {
                let next = spectrum.get(i + 1).copied();
                let gap = next.map(|next| (spectrum[i] - next) / spectrum[0]);
                if let (Some(found), Some(gap)) = (at.gap, gap) {
                    prop_assert!((found - gap).abs() <= TOLERANCE, "{name} gap at {}: {found} and {gap}", i + 1);
                }
                if gap.is_some_and(|gap| gap < GAP) {
                    continue;
                }
                let basis = encoder.basis.subcols(0, i + 1);
                let loss = problem.probe(basis);
                let close = |a: f64, b: f64, scale: f64| (a - b).abs() <= 1e-6 * scale;
                prop_assert!(close(at.loss, loss, problem.label_power),
                    "{name} loss at {}: {} and {loss}", i + 1, at.loss);
                let leakage = problem.leakage(basis);
                prop_assert!(close(at.leakage.unwrap(), leakage, 1.0),
                    "{name} leakage at {}: {:?} and {leakage}", i + 1, at.leakage);
                if paradigm == &JOINT_EMBEDDING {
                    prop_assert!(close(at.loss, without[i].loss, problem.label_power), "with and without vectors");
                    prop_assert!(without[i].leakage.is_none());
                }
            }
        }
        }
    }

    /// Inputs in another unit (by √c, so that second moments and Σ change by c): nothing changes
    /// but the solver's numbers.
    #[test]
    fn units_do_not_matter(mut problem in problems(), exponent in -40..40_i32) {
        let (je, rc, supervised) = problem.fast(true);
        // A power of four, whose root is a power of two: exact, so that all metrics are the same to
        // rounding in sqrt only.
        let (root, c) = (2_f64.powi(exponent), 4_f64.powi(exponent));
        let size = problem.size();
        for j in 0..size {
            for i in 0..size {
                problem.inputs[(i, j)] *= c;
            }
            for l in 0..LABELS {
                problem.input_labels[(j, l)] *= root;
            }
        }
        for x in problem.sigma.iter_mut().chain(&mut problem.signal).chain(&mut problem.gamma) {
            *x *= c;
        }
        let (je_scaled, rc_scaled, supervised_scaled) = problem.fast(true);
        prop_assert!((supervised - supervised_scaled).abs() <= 1e-12 * problem.label_power);
        for (name, a, b) in [("joint-embedding", je, je_scaled), ("reconstruction", rc, rc_scaled)] {
            for (a, b) in a.iter().zip(&b) {
                prop_assert!((a.loss - b.loss).abs() <= 1e-12 * problem.label_power, "{name}: {a:?} and {b:?}");
                let difference = a.leakage.unwrap() - b.leakage.unwrap();
                prop_assert!(difference.abs() <= 1e-12, "{name}: {a:?} and {b:?}");
                prop_assert!(a.gap.zip(b.gap).is_none_or(|(a, b)| (a - b).abs() <= 1e-12));
            }
        }
    }

    /// Joint-embedding sees only Σ^(−½)C̃Σ^(−½): scaling single components together with their Σ
    /// changes nothing at all, and reconstruction, which does not have that invariance, changes.
    #[test]
    fn joint_embedding_does_not_see_the_scale_of_a_component(mut problem in problems(), seed in any::<u64>()) {
        let (je, _, supervised) = problem.fast(true);
        let mut random = Random(seed);
        let size = problem.size();
        let roots: Vec<f64> = (0..size).map(|_| 2_f64.powf((random.uniform() * 8.0 - 4.0).round())).collect();
        for j in 0..size {
            for i in 0..size {
                problem.inputs[(i, j)] *= roots[i] * roots[j];
            }
            for l in 0..LABELS {
                problem.input_labels[(j, l)] *= roots[j];
            }
            problem.sigma[j] *= roots[j] * roots[j];
        }
        let signal = problem.signal.len();
        for (x, root) in problem.signal.iter_mut().zip(&roots) {
            *x *= root * root;
        }
        for (x, root) in problem.gamma.iter_mut().zip(&roots[signal..]) {
            *x *= root * root;
        }
        let (scaled, _, supervised_scaled) = problem.fast(true);
        prop_assert!((supervised - supervised_scaled).abs() <= 1e-12 * problem.label_power);
        for (a, b) in je.iter().zip(&scaled) {
            prop_assert!((a.loss - b.loss).abs() <= 1e-12 * problem.label_power, "{a:?} and {b:?}");
            prop_assert!((a.leakage.unwrap() - b.leakage.unwrap()).abs() <= 1e-12, "{a:?} and {b:?}");
        }
    }
}

/// Where Σ is a zero somewhere the general path answers, and its limit is the fast path's.
#[test]
fn a_vanishing_sigma_is_continuous() {
    for seed in 0..20 {
        let mut problem = Problem::new(seed, 200, 4, 3);
        problem.sigma[1] = 0.0;
        let singular = problem.fast(true);
        // Measured: gaps are 90 σ from their limit, and rounding beside an eigenvalue of 9/σ moves
        // them by 1e-14/σ.
        problem.sigma[1] = 1e-8;
        let nearly = problem.fast(true);
        assert!((singular.2 - nearly.2).abs() < 1e-6 * problem.label_power);
        for (a, b) in singular.0.iter().zip(&nearly.0).chain(singular.1.iter().zip(&nearly.1)) {
            assert!(
                (a.gap.unwrap_or(0.0) - b.gap.unwrap_or(0.0)).abs() < 5e-6,
                "seed {seed}: {a:?} and {b:?}"
            );
            if a.gap.is_none_or(|gap| gap > 1e-3) {
                assert!((a.loss - b.loss).abs() < 1e-5 * problem.label_power, "seed {seed}: {a:?} and {b:?}");
            }
        }
    }
}
