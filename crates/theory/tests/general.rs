//! Many problems at a time are what each is alone by the closed forms: to rounding where lanes
//! solve them, bit for bit where they are left, and whatever else is in the batch.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod reference;

use eigensweep_testkit::random::Random;
use eigensweep_theory::closed_forms::{ClosedForms, Solution};
use eigensweep_theory::general::{GeneralForms, Given};
use eigensweep_theory::moments::Moments;
use eigensweep_theory::paradigms::{ALL, JOINT_EMBEDDING, RECONSTRUCTION, SUPERVISED};
use eigensweep_theory::{Failure, InstructionSet, Paradigm};
use faer::{Mat, MatRef, Side};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use reference::assert_close;

/// Moments of views that are not those of the inputs.
#[derive(Clone, Debug)]
struct Problem {
    mean_views: Mat<f64>,
    views: Mat<f64>,
    /// Cᵀ (d × p).
    cross: Mat<f64>,
    view_labels: Mat<f64>,
    inputs: Mat<f64>,
    input_labels: Mat<f64>,
    rounding: f64,
}

/// d, p and ℓ.
type Shape = (usize, usize, usize);

impl Problem {
    /// `rank` = d, or less: directions that no view shows.
    fn new((size, inputs, labels): Shape, rank: usize, seed: u64) -> Self {
        let rng = &mut Random(seed);
        let samples = 2 * size + 10;
        let share = 1.0 / samples as f64;
        let x = rng.normals(samples, inputs);
        let y = rng.normals(samples, labels);
        let map = rng.normals(inputs, rank);
        let up = rng.normals(rank, size);
        let mean = (&x * map + rng.normals(samples, rank)) * &up;
        let noise = rng.normals(samples, rank) * &up;
        let second = |a: &Mat<f64>, b: &Mat<f64>| a.transpose() * b * faer::Scale(share);
        let mean_views = second(&mean, &mean);
        // Moments of the inputs where they have the size of views.
        let same = inputs == size;
        Self {
            views: &mean_views + second(&noise, &noise),
            cross: second(&mean, &x),
            view_labels: second(&mean, &y),
            inputs: if same { second(&x, &x) } else { Mat::zeros(size, size) },
            input_labels: if same { second(&x, &y) } else { Mat::zeros(size, labels) },
            mean_views,
            rounding: 0.0,
        }
    }

    fn of(case: &reference::ClosedForm) -> Self {
        let (x, x_bar) = (reference::matrix(&case.x), reference::matrix(&case.x_bar));
        let (y, sigma) = (reference::matrix(&case.y), reference::matrix(&case.sigma));
        let share = faer::Scale(1.0 / x.nrows() as f64);
        let mean_views = x_bar.transpose() * &x_bar * share;
        Self {
            views: &mean_views + sigma,
            mean_views,
            cross: x_bar.transpose() * &x * share,
            view_labels: x_bar.transpose() * &y * share,
            inputs: x.transpose() * &x * share,
            input_labels: x.transpose() * &y * share,
            rounding: 0.0,
        }
    }

    fn given(&self) -> Given<'_> {
        let moments = Moments {
            mean_views: self.mean_views.as_ref(),
            views: self.views.as_ref(),
            cross: self.cross.as_ref().transpose(),
            view_labels: self.view_labels.as_ref(),
            inputs: self.inputs.as_ref(),
            input_labels: self.input_labels.as_ref(),
            label_power: 7.0,
        };
        Given { moments, rounding: self.rounding }
    }

    /// Condition of S with a unit diagonal.
    fn condition(&self) -> f64 {
        let (s, size) = (&self.views, self.views.nrows());
        let equilibrated = Mat::from_fn(size, size, |i, j| s[(i, j)] / (s[(i, i)] * s[(j, j)]).sqrt());
        let values = equilibrated.self_adjoint_eigenvalues(Side::Lower).unwrap();
        values[size - 1] / values[0]
    }
}

/// What a paradigm found.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    Encoder { values: Vec<f64>, basis: Mat<f64> },
    Predictor { rank: usize, objective: f64, loss: f64, map: Mat<f64> },
}

type Answer = Result<Found, Failure>;

fn found(solution: Result<Solution<'_>, Failure>) -> Answer {
    Ok(match solution? {
        Solution::Encoder(encoder) => {
            assert_eq!(encoder.rank(), encoder.spectrum.values.len());
            Found::Encoder { values: encoder.spectrum.values.to_vec(), basis: encoder.basis.to_owned() }
        }
        Solution::Predictor(predictor) => Found::Predictor {
            rank: predictor.rank,
            objective: predictor.objective,
            loss: predictor.loss,
            map: predictor.map.to_owned(),
        },
    })
}

/// Each problem by each paradigm, in batches of `fill`.
fn solve(isa: InstructionSet, problems: &[Problem], dimension: usize, fill: usize) -> Vec<[Answer; 3]> {
    let (size, labels) = (problems[0].views.nrows(), problems[0].view_labels.ncols());
    let size = size.max(problems[0].cross.ncols());
    let mut forms = GeneralForms::new(isa, size, labels, dimension, &ALL);
    let mut answers = Vec::new();
    for some in problems.chunks(fill.clamp(1, forms.capacity(size))) {
        let given: Vec<_> = some.iter().map(Problem::given).collect();
        let mut own = Vec::new();
        forms.solve(&ALL, dimension, &given, |place, paradigm, solution| {
            assert_eq!(place * ALL.len() + paradigm, own.len(), "in order");
            own.push(found(solution));
        });
        let answers_of = |three: &[Answer]| std::array::from_fn(|at| three[at].clone());
        answers.extend(own.chunks(3).map(answers_of));
    }
    answers
}

/// The same one by one.
fn alone(problem: &Problem) -> [Answer; 3] {
    let size = problem.views.nrows().max(problem.cross.ncols());
    let mut forms = ClosedForms::new(size, problem.view_labels.ncols());
    let mut solver = forms.problem(problem.given().moments).with_rounding(problem.rounding);
    ALL.map(|paradigm| found(solver.solve(paradigm)))
}

/// Orthogonal projector on the span of the columns of `basis`.
fn projector(basis: MatRef<'_, f64>) -> Mat<f64> {
    let q = basis.qr().compute_thin_Q();
    &q * q.transpose()
}

/// Values agree to `30 d ε` times the condition, projectors to that over the gap, whatever the k,
/// and maps.
fn assert_agree(problem: &Problem, lanes: &[Answer; 3], alone: &[Answer; 3], dimension: usize) {
    let size = problem.views.nrows();
    let slack = 30.0 * size as f64 * f64::EPSILON * problem.condition();
    for ((paradigm, lanes), alone) in ALL.iter().zip(lanes).zip(alone) {
        let place = format!("{paradigm}, d = {size}");
        match (lanes.as_ref().unwrap(), alone.as_ref().unwrap()) {
            (Found::Encoder { values, basis }, Found::Encoder { values: expected, basis: full }) => {
                let squared = |values: &[f64]| -> Vec<f64> {
                    let power = if *paradigm == &RECONSTRUCTION { 2 } else { 1 };
                    values.iter().map(|x| x.powi(power)).collect()
                };
                let (values, expected) = (squared(values), squared(expected));
                let scale = expected[0].max(f64::MIN_POSITIVE);
                assert_close(&place, "values", &values, &expected, slack * scale);
                assert_eq!(basis.ncols(), dimension.min(size), "{place}");
                for k in 1..=basis.ncols() {
                    let next = expected.get(k).copied().unwrap_or(0.0);
                    let gap = if k == size { 1.0 } else { (expected[k - 1] - next) / scale };
                    if gap < 1e-6 {
                        continue;
                    }
                    let difference = projector(basis.subcols(0, k)) - projector(full.subcols(0, k));
                    // A projector in raw coordinates: once more the condition of S.
                    let error = difference.norm_max();
                    let allowed = slack * problem.condition() / gap;
                    assert!(error <= allowed, "{place}, k = {k}: projector {error:e} of {allowed:e}");
                }
            }
            (
                Found::Predictor { rank, objective, loss, map },
                Found::Predictor { rank: full, objective: own_objective, loss: own_loss, map: own_map },
            ) => {
                assert_eq!((rank, full), (&size, &size));
                let unit = own_map.norm_max().max(1.0);
                let difference = (map - own_map).norm_max();
                assert!(difference <= slack * unit * problem.condition(), "{place}: map {difference:e}");
                let power = problem.inputs.norm_max().max(1.0) * unit * unit * size as f64;
                let (found, expected) = ([*objective, *loss], [*own_objective, *own_loss]);
                assert_close(&place, "losses", &found, &expected, slack * problem.condition() * power);
            }
            other => panic!("{place}: {other:?}"),
        }
    }
}

#[test]
fn reference_problems_are_solved_in_lanes() {
    let files = [Some(reference::project()), reference::shared()];
    let mut cases = 0;
    for case in files.iter().flatten().flat_map(|file| &file.closed_forms) {
        let problem = Problem::of(case);
        let answers = solve(InstructionSet::detect(), std::slice::from_ref(&problem), case.k, 1);
        let slack = 1e-9 + 30.0 * f64::EPSILON * case.d as f64 * problem.condition();
        let [supervised, joint, reconstruction] = &answers[0];
        let Found::Encoder { values, .. } = joint.as_ref().unwrap() else { panic!("an encoder") };
        assert_close(&case.kind, "ω", values, &case.expect.je.eigenvalues, slack);
        let Found::Encoder { values, .. } = reconstruction.as_ref().unwrap() else { panic!("an encoder") };
        let squares = |values: &[f64]| -> Vec<f64> { values.iter().map(|x| x * x).collect() };
        let expected = squares(&case.expect.rc.singular_values);
        assert_close(&case.kind, "φ²", &squares(values), &expected, slack * expected[0]);
        let Found::Predictor { map, .. } = supervised.as_ref().unwrap() else { panic!("a predictor") };
        let map = map.transpose().to_owned();
        reference::assert_matrix_close(&case.kind, "V", &map, &case.expect.sl.map, 1e-6 + slack);
        cases += 1;
    }
    assert!(cases >= 30, "a file of problems");
}

/// What lanes leave, for each reason: S of low rank, S that is off by much, moments that are not
/// finite, S that is negative, and more features than lanes take.
#[test]
fn what_lanes_leave_is_what_the_closed_forms_make_of_it() {
    let shape = (9, 9, 2);
    let mut problems: Vec<_> = (0..12).map(|seed| Problem::new(shape, 9, seed)).collect();
    problems[1] = Problem::new(shape, 6, 1);
    problems[3].rounding = 1e-9;
    problems[5].views[(4, 2)] = f64::NAN;
    problems[6].mean_views[(4, 2)] = f64::INFINITY;
    problems[8].views *= faer::Scale(-1.0);
    problems[10] = Problem::new(shape, 8, 10);
    let answers = solve(InstructionSet::detect(), &problems, 4, usize::MAX);
    let bits = |answer: &Answer| format!("{answer:?}");
    for at in [1, 3, 5, 8, 10] {
        let expected = alone(&problems[at]);
        assert!(answers[at].iter().zip(&expected).all(|(a, b)| bits(a) == bits(b)), "problem {at}");
    }
    assert_eq!(answers[6][1], Err(Failure::NotFinite), "joint-embedding reads G");
    assert!(answers[6][0].is_ok() && answers[6][2].is_ok(), "the others do not");
    for at in [0, 2, 4, 7, 9, 11] {
        assert_agree(&problems[at], &answers[at], &alone(&problems[at]), 4);
    }
    let large = Problem::new((257, 3, 1), 257, 5);
    let answers = solve(InstructionSet::detect(), std::slice::from_ref(&large), 2, 1);
    let own = alone(&large);
    assert!(answers[0].iter().zip(&own).all(|(a, b)| bits(a) == bits(b)));
}

#[test]
fn paradigms_of_their_own_views_are_solved_by_themselves() {
    let problems: Vec<_> = (0..5).map(|seed| Problem::new((11, 11, 3), 11, seed)).collect();
    let given: Vec<_> = problems.iter().map(Problem::given).collect();
    let isa = InstructionSet::detect();
    let together = solve(isa, &problems, 5, usize::MAX);
    for (at, paradigm) in [&SUPERVISED, &JOINT_EMBEDDING, &RECONSTRUCTION].into_iter().enumerate() {
        let paradigms: [&'static Paradigm; 1] = [paradigm];
        let mut forms = GeneralForms::new(isa, 11, 3, 5, &paradigms);
        forms.solve(&paradigms, 5, &given, |place, number, solution| {
            assert_eq!(number, 0);
            assert_eq!(found(solution), together[place][at]);
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(18), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_problems_agree_with_the_closed_forms(
        size in 1_usize..=30, inputs in 1_usize..=30, square: bool, labels in 1_usize..=3, seed: u64,
    ) {
        let shape = (size, if square { size } else { inputs }, labels);
        let problem = Problem::new(shape, size, seed);
        let dimension = size.div_ceil(2);
        let answers = solve(InstructionSet::detect(), std::slice::from_ref(&problem), dimension, 1);
        assert_agree(&problem, &answers[0], &alone(&problem), dimension);
    }

    /// Which way a problem takes, and each bit of it where that is in lanes.
    #[test]
    fn a_problem_does_not_depend_on_its_batch(
        size in 2_usize..=12, ranks in prop::collection::vec((any::<bool>(), any::<u64>()), 1..40), fill in 1_usize..=32,
    ) {
        let problem = |&(full, seed): &(bool, u64)| {
            Problem::new((size, size, 2), if full { size } else { size / 2 }, seed)
        };
        let problems: Vec<_> = ranks.iter().map(problem).collect();
        let expected = solve(InstructionSet::portable(), &problems, size, 1);
        for isa in InstructionSet::available() {
            let found = solve(isa, &problems, size, fill);
            for ((found, expected), (full, _)) in found.iter().zip(&expected).zip(&ranks) {
                prop_assert!(!full || found == expected, "{}", isa.name());
            }
        }
    }
}
