//! Definite pencils in lanes: right to rounding times the condition, refused where S is not safely
//! definite, and the same bits whatever the lane, the neighbours and the instruction set.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

mod common;

use common::{largest, lower_only, norm};
use eigensweep_spectral::Failure;
use eigensweep_spectral::general::{General, GeneralBatch, Pencil, Room, Wanted};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_testkit::random::Random;
use faer::{Mat, Side};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const ALL: Wanted = Wanted { symmetric: true, cross: true, solved: true };

/// One problem.
#[derive(Clone, Debug)]
struct Problem {
    definite: Mat<f64>,
    symmetric: Mat<f64>,
    /// Cᵀ (d × p), so that rows of C are contiguous.
    cross: Mat<f64>,
    right: Mat<f64>,
}

/// d, p and ℓ.
type Shape = (usize, usize, usize);

impl Problem {
    /// Moments of views that are not those of the inputs, variables of different units.
    fn sound((size, inputs, labels): Shape, seed: u64) -> Self {
        let rng = &mut Random(seed);
        let units: Vec<f64> = (0..size).map(|_| rng.decades(-4.0, 4.0)).collect();
        let unit = |x: &Mat<f64>| Mat::from_fn(x.nrows(), size, |i, j| x[(i, j)] * units[j]);
        let mean_views = unit(&rng.normals(size + 3, size));
        let views = unit(&rng.normals(2 * size + 5, size));
        let symmetric = mean_views.transpose() * &mean_views;
        Self {
            definite: &symmetric + views.transpose() * &views,
            cross: mean_views.transpose() * rng.normals(size + 3, inputs),
            right: mean_views.transpose() * rng.normals(size + 3, labels),
            symmetric,
        }
    }

    /// What grids have, and what they should not.
    fn of_kind(kind: usize, shape: Shape, seed: u64) -> Self {
        let size = shape.0;
        let mut problem = Self::sound(shape, seed);
        let rng = &mut Random(seed ^ 1);
        let at = rng.below(size);
        match kind {
            // Of full rank minus one, of low rank, indefinite.
            1 => problem.definite = rng.semidefinite(size, size.saturating_sub(1)),
            2 => problem.definite = rng.semidefinite(size, size / 3),
            3 => problem.definite = rng.symmetric(size) - Mat::<f64>::identity(size, size),
            4 => problem.definite[(size - 1, at)] = f64::NAN,
            5 => problem.symmetric[(size - 1, at)] = f64::INFINITY,
            6 => problem.cross.fill(0.0),
            7 => problem.symmetric.fill(0.0),
            8 => problem.definite *= faer::Scale(1e-200),
            9 => problem.definite *= faer::Scale(1e200),
            // A variable without variance.
            10 => {
                problem.definite.row_mut(at).fill(0.0);
                problem.definite.col_mut(at).fill(0.0);
            }
            11 => problem.symmetric = rng.symmetric(size),
            _ => {}
        }
        problem
    }

    fn view(&self) -> General<'_> {
        General {
            definite: self.definite.as_ref(),
            symmetric: self.symmetric.as_ref(),
            cross: self.cross.as_ref().transpose(),
            right: self.right.as_ref(),
        }
    }
}

/// Kinds of [`Problem::of_kind`].
const KINDS: usize = 12;

/// All values of a pencil and its leading vectors.
type Solved = Result<(Vec<f64>, Mat<f64>), Failure>;

/// What a batch says of a problem.
#[derive(Clone, Debug)]
struct Answers {
    pencils: [Solved; 2],
    solution: Result<Mat<f64>, Failure>,
}

impl Answers {
    /// As bits; signs of zero and payloads of NaN included.
    fn bits(&self) -> Vec<Result<Vec<u64>, Failure>> {
        let entries = |matrix: &Mat<f64>| -> Vec<u64> {
            let columns = matrix.col_iter().map(|c| c.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
            columns.flatten().collect()
        };
        let pencils = self.pencils.iter().map(|answer| {
            let (values, vectors) = answer.as_ref().map_err(|failure| *failure)?;
            Ok(values.iter().map(|x| x.to_bits()).chain(entries(vectors)).collect())
        });
        let solution = self.solution.as_ref().map(entries).map_err(|failure| *failure);
        pencils.chain([solution]).collect()
    }
}

/// The answers to problems of one shape, solved in batches of `fill`.
fn solve(
    isa: InstructionSet,
    wanted: Wanted,
    count: usize,
    problems: &[Problem],
    fill: usize,
) -> Vec<Answers> {
    let (size, width) = (problems[0].right.nrows(), problems[0].right.ncols());
    let room = Room { size, inputs: problems[0].cross.ncols(), width, count };
    let mut batch = GeneralBatch::new(isa, room, wanted);
    let mut answers = Vec::new();
    for problems in problems.chunks(fill.clamp(1, batch.capacity())) {
        let views: Vec<_> = problems.iter().map(Problem::view).collect();
        batch.solve(wanted, count, &views);
        for place in 0..problems.len() {
            let pencil = |wanted: bool, pencil| {
                let mut vectors = Mat::zeros(size, count);
                if !wanted {
                    return Ok((Vec::new(), vectors));
                }
                let values = batch.values(pencil, place)?.to_vec();
                batch.vectors(pencil, place, vectors.as_mut());
                Ok((values, vectors))
            };
            let mut solution = Mat::zeros(size, if wanted.solved { width } else { 0 });
            batch.solution(place, solution.as_mut());
            answers.push(Answers {
                pencils: [pencil(wanted.symmetric, Pencil::Symmetric), pencil(wanted.cross, Pencil::Cross)],
                solution: batch.definite(place).map(|()| solution),
            });
        }
    }
    answers
}

/// Condition of S with a unit diagonal, and the roots of its diagonal.
fn equilibrated(definite: &Mat<f64>) -> (f64, Vec<f64>) {
    let size = definite.nrows();
    let roots: Vec<f64> = (0..size).map(|i| definite[(i, i)].sqrt()).collect();
    let scaled = Mat::from_fn(size, size, |i, j| definite[(i, j)] / roots[i] / roots[j]);
    let values = scaled.self_adjoint_eigenvalues(Side::Lower).unwrap();
    (values[size - 1] / values[0], roots)
}

/// Values and vectors of (M, S) are right to `20 d ε` times the condition: `VᵀSV = I`,
/// `MV = SVΛ`, and all λ those of a full decomposition.
fn check_pencil(what: &str, matrix: &Mat<f64>, definite: &Mat<f64>, found: &(Vec<f64>, Mat<f64>)) {
    let (size, (values, vectors)) = (definite.nrows(), found);
    let (condition, roots) = equilibrated(definite);
    let allowed = 20.0 * size as f64 * f64::EPSILON * condition;
    let scaled = |m: &Mat<f64>| Mat::from_fn(size, size, |i, j| m[(i, j)] / roots[i] / roots[j]);
    let (matrix, definite) = (scaled(matrix), scaled(definite));
    let vectors = Mat::from_fn(size, vectors.ncols(), |i, j| vectors[(i, j)] * roots[i]);
    let factor = definite.llt(Side::Lower).unwrap();
    let mut form = matrix.clone();
    let l = factor.L();
    let lower = |m: &mut Mat<f64>| {
        faer::linalg::triangular_solve::solve_lower_triangular_in_place(l, m.as_mut(), faer::Par::Seq);
    };
    lower(&mut form);
    form = form.transpose().to_owned();
    lower(&mut form);
    let expected = form.self_adjoint_eigenvalues(Side::Lower).unwrap();
    let scale = expected.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(x.abs()));
    assert!(values.is_sorted_by(|a, b| a >= b), "{what}: {values:?}");
    for (found, expected) in values.iter().zip(expected.iter().rev()) {
        let error = (found - expected).abs() / scale;
        assert!(error <= allowed, "{what}: value {error:e} of {allowed:e}");
    }
    let gram = vectors.transpose() * &definite * &vectors;
    let unit = Mat::<f64>::identity(vectors.ncols(), vectors.ncols());
    let error = norm((gram - unit).as_ref());
    assert!(error <= allowed, "{what}: orthonormality {error:e} of {allowed:e}");
    let weighted = Mat::from_fn(size, vectors.ncols(), |i, j| vectors[(i, j)] * values[j]);
    let error = largest((&matrix * &vectors - &definite * weighted).as_ref()) / scale;
    let allowed = allowed * (size as f64).sqrt();
    assert!(error <= allowed, "{what}: residual {error:e} of {allowed:e}");
}

fn check(problem: &Problem, answers: &Answers) {
    let [symmetric, cross] = answers.pencils.clone().map(Result::unwrap);
    check_pencil("(M, S)", &problem.symmetric, &problem.definite, &symmetric);
    let squared = &problem.cross * problem.cross.transpose();
    check_pencil("(CᵀC, S)", &squared, &problem.definite, &cross);
    let (condition, roots) = equilibrated(&problem.definite);
    let size = roots.len();
    let solution = answers.solution.as_ref().unwrap();
    let residual = &problem.definite * solution - &problem.right;
    let most = |c: usize| (0..size).fold(0.0_f64, |m, i| m.max((problem.right[(i, c)] / roots[i]).abs()));
    for c in 0..solution.ncols() {
        for i in 0..size {
            let error = (residual[(i, c)] / roots[i]).abs();
            let allowed = 20.0 * (size as f64).powi(2) * f64::EPSILON * condition * most(c);
            assert!(error <= allowed, "S⁻¹B: {error:e} of {allowed:e}");
        }
    }
}

/// Sizes around the tiles and panels of every kernel, more and fewer inputs than features.
#[test]
fn pencils_of_every_size_are_right() {
    for shape in
        [(1, 1, 1), (2, 5, 2), (5, 3, 1), (9, 9, 4), (16, 40, 3), (33, 20, 10), (64, 64, 2), (100, 70, 10)]
    {
        let problems: Vec<_> = (0..9).map(|seed| Problem::sound(shape, seed)).collect();
        let answers = solve(InstructionSet::detect(), ALL, shape.0, &problems, usize::MAX);
        for (problem, answers) in problems.iter().zip(&answers) {
            check(problem, answers);
        }
    }
}

#[test]
fn what_is_not_safely_definite_is_refused_and_named() {
    let shape = (12, 9, 2);
    let problems: Vec<_> = (0..60).map(|i| Problem::of_kind(i % KINDS, shape, i as u64)).collect();
    for (i, answers) in solve(InstructionSet::detect(), ALL, 4, &problems, usize::MAX).iter().enumerate() {
        let failed = [
            answers.pencils[0].as_ref().err().copied(),
            answers.pencils[1].as_ref().err().copied(),
            answers.solution.as_ref().err().copied(),
        ];
        match i % KINDS {
            1 | 2 | 3 | 10 => {
                let refused = |failure: &Option<Failure>| matches!(failure, Some(Failure::NotPositiveDefinite { pivot }) if *pivot < 12);
                assert!(failed.iter().all(refused), "{i}: {failed:?}");
            }
            4 => assert!(failed.iter().all(|failure| *failure == Some(Failure::NotFinite)), "{failed:?}"),
            5 => assert_eq!(failed, [Some(Failure::NotFinite), None, None]),
            _ => assert_eq!(failed, [None; 3], "{i}"),
        }
    }
}

/// The null vector of S has a small share in every variable, so that no pivot falls to rounding by
/// itself.
#[test]
fn a_matrix_of_rank_one_less_is_refused_whatever_the_order() {
    let shape = (40, 1, 1);
    let problems: Vec<_> = (0..64).map(|seed| Problem::of_kind(1, shape, seed)).collect();
    for answers in solve(InstructionSet::detect(), ALL, 1, &problems, usize::MAX) {
        assert!(matches!(answers.solution, Err(Failure::NotPositiveDefinite { .. })));
    }
}

#[test]
fn only_the_lower_triangles_are_read() {
    let sound: Vec<_> = (0..5).map(|seed| Problem::sound((17, 11, 3), seed)).collect();
    let lower = |problem: &Problem| Problem {
        definite: lower_only(&problem.definite),
        symmetric: lower_only(&problem.symmetric),
        ..problem.clone()
    };
    let read: Vec<_> = sound.iter().map(lower).collect();
    let isa = InstructionSet::detect();
    let (sound, read) = (solve(isa, ALL, 6, &sound, 99), solve(isa, ALL, 6, &read, 99));
    assert!(sound.iter().zip(&read).all(|(a, b)| a.bits() == b.bits()));
}

#[test]
fn how_a_cross_moment_is_stored_changes_nothing() {
    let problems: Vec<_> = (0..5).map(|seed| Problem::sound((13, 7, 1), seed)).collect();
    let by_columns: Vec<_> = problems.iter().map(|problem| problem.cross.transpose().to_owned()).collect();
    let room = Room { size: 13, inputs: 7, width: 1, count: 13 };
    let mut batch = GeneralBatch::new(InstructionSet::detect(), room, ALL);
    let mut values = |rows_of: &[usize]| -> Vec<Vec<f64>> {
        let stored =
            |n: usize| if rows_of.contains(&n) { problems[n].view().cross } else { by_columns[n].as_ref() };
        let views: Vec<_> = (0..5).map(|n| General { cross: stored(n), ..problems[n].view() }).collect();
        batch.solve(ALL, 13, &views);
        (0..5).map(|n| batch.values(Pencil::Cross, n).unwrap().to_vec()).collect()
    };
    let expected = values(&[0, 1, 2, 3, 4]);
    assert!(values(&[]) == expected && values(&[1, 4]) == expected);
}

fn batches() -> impl Strategy<Value = (Shape, Vec<Problem>, usize, usize)> {
    let kinds = prop::collection::vec((0..KINDS, any::<u64>()), 1..40);
    let shape = (1_usize..=24, 0_usize..=30, 0_usize..=6);
    (shape, kinds, 1_usize..=32, 0.0..1.0).prop_map(|(shape, kinds, fill, share)| {
        let problems = kinds.iter().map(|&(kind, seed)| Problem::of_kind(kind, shape, seed)).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let count = ((shape.0 as f64 * share) as usize).max(1);
        (shape, problems, fill, count)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(18), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_pencils_are_right(size in 1_usize..=40, inputs in 0_usize..=50, labels in 0_usize..=4, seed: u64) {
        let problem = Problem::sound((size, inputs, labels), seed);
        let answers = solve(InstructionSet::detect(), ALL, size, std::slice::from_ref(&problem), 1);
        check(&problem, &answers[0]);
    }

    /// Any neighbours, any place, any fill, any instruction set, and whatever else is wanted.
    #[test]
    fn a_problem_has_its_own_bits((shape, problems, fill, count) in batches()) {
        let expected: Vec<_> =
            solve(InstructionSet::portable(), ALL, count, &problems, 1).iter().map(Answers::bits).collect();
        for isa in InstructionSet::available() {
            let found = solve(isa, ALL, count, &problems, fill);
            for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
                prop_assert!(&found.bits() == expected, "{}, fill {fill}, problem {place}", isa.name());
            }
        }
        let isa = InstructionSet::detect();
        let none = Wanted::default();
        for (n, wanted) in [
            Wanted { symmetric: true, ..none }, Wanted { cross: true, ..none }, Wanted { solved: true, ..none },
        ].into_iter().enumerate() {
            for (found, expected) in solve(isa, wanted, count, &problems, fill).iter().zip(&expected) {
                prop_assert!(found.bits()[n] == expected[n] || expected[n].is_err(), "{wanted:?}");
            }
        }
        for (found, expected) in solve(isa, ALL, shape.0, &problems, fill).iter().zip(&expected) {
            for (found, expected) in found.bits().iter().zip(expected).take(2) {
                let own = |bits: &Result<Vec<u64>, Failure>| bits.clone().map(|bits| bits[..shape.0 * (1 + count)].to_vec());
                prop_assert_eq!(own(found), own(expected));
            }
        }
    }
}
