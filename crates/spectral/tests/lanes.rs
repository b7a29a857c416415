//! The promises of lane batches: a problem's bits are its own, whatever the lane, the neighbours,
//! the fill and the instruction set; and a problem that fails leaves its neighbours alone.

use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::leading::LeadingBatch;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted, Way};
use eigensweep_testkit::random::Random;
use faer::Mat;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// One problem: C, B and Σ.
#[derive(Clone, Debug)]
struct Problem {
    matrix: Mat<f64>,
    right: Mat<f64>,
    sigma: Vec<f64>,
}

/// Kinds of problems that [`Problem::new`] makes.
const KINDS: usize = 12;

impl Problem {
    /// What grids have, and what they should not.
    fn new(kind: usize, size: usize, width: usize, seed: u64) -> Self {
        let rng = &mut Random(seed);
        let at = |i: usize| i as f64 / size as f64;
        let mut right = rng.normals(size, width);
        let mut sigma: Vec<f64> = (0..size).map(|_| 0.1 + rng.uniform()).collect();
        let mut matrix = match kind {
            1 => Mat::zeros(size, size),
            2 => rng.semidefinite(size, 1),
            3 => rng.semidefinite(size, size.div_ceil(3)),
            4 => {
                let values: Vec<f64> = (0..size).map(|i| 10.0_f64.powf(-18.0 * at(i))).collect();
                rng.with_eigenvalues(&values)
            }
            5 => {
                let values: Vec<f64> = (0..size).map(|i| if i % 3 == 0 { 1.0 } else { 0.25 }).collect();
                rng.with_eigenvalues(&values)
            }
            6 => rng.semidefinite(size, size) * faer::Scale(1e-150),
            7 => rng.semidefinite(size, size) * faer::Scale(1e150),
            // Not semidefinite: no Cholesky factor.
            8 => rng.symmetric(size) * faer::Scale(10.0),
            _ => rng.semidefinite(size, 2 * size),
        };
        match kind {
            9 => matrix[(size - 1, size / 2)] = f64::NAN,
            10 if width > 0 => right[(size / 2, width - 1)] = f64::INFINITY,
            11 => sigma[size / 2] = 5e-324,
            _ => {}
        }
        Self { matrix, right, sigma }
    }
}

/// Everything that a batch says of a problem, as bits; signs of zero and payloads of NaN included.
type Answers = Vec<Result<Vec<u64>, Failure>>;

fn bits<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> Vec<u64> {
    numbers.into_iter().map(|x| x.to_bits()).collect()
}

/// The answers to problems of one shape, solved in batches of `fill`.
fn solve(way: Way, isa: InstructionSet, problems: &[Problem], fill: usize) -> Vec<Answers> {
    let (size, width) = (problems[0].right.nrows(), problems[0].right.ncols());
    let mut leading = LeadingBatch::new(isa, size, size);
    let wanted = Wanted { ridge: true, projected: true, pencil: true, vectors: true };
    let mut scaled =
        ScaledBatch::in_way(Some(way), isa, Room { size, smallest: size, width, count: size }, 2, wanted);
    let fill = fill.clamp(1, scaled.capacity());
    let mut answers = vec![];
    for problems in problems.chunks(fill) {
        leading.start(size);
        scaled.start(size, width);
        for (number, problem) in problems.iter().enumerate() {
            leading.push(problem.matrix.as_ref());
            scaled.push(number, &problem.sigma);
        }
        leading.solve(size);
        scaled
            .solve(&[size, size.div_ceil(2)], |n| (problems[n].matrix.as_ref(), problems[n].right.as_ref()));
        for place in 0..problems.len() {
            let vectors = |write: &dyn Fn(faer::MatMut<'_, f64>)| {
                let mut vectors = Mat::zeros(size, size);
                write(vectors.as_mut());
                vectors.col_iter().flat_map(|c| c.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
            };
            answers.push(vec![
                leading.values(place).map(bits),
                leading.values(place).map(|_| vectors(&|to| leading.vectors(place, to))),
                scaled.ridge_power(place).map(|x| vec![x.to_bits()]),
                scaled.projected(place).map(|(values, powers)| bits(values.iter().chain(powers))),
                scaled.projected(place).map(|_| vectors(&|to| scaled.eigenvectors(place, to))),
                scaled.pencil(place).map(|(values, explained)| bits(values.iter().chain(explained))),
                scaled.pencil(place).map(|_| vectors(&|to| scaled.basis(place, to))),
            ]);
        }
    }
    answers
}

/// Each problem alone, on the portable instruction set: the reference.
fn alone(way: Way, problems: &[Problem]) -> Vec<Answers> {
    solve(way, InstructionSet::portable(), problems, 1)
}

#[test]
fn the_machine_has_the_portable_set_first() {
    let available = InstructionSet::available();
    assert_eq!(available[0].name(), "portable");
    assert_eq!(available[0].lanes(), 1);
    let widest = InstructionSet::detect();
    assert!(available.iter().all(|isa| isa.lanes() <= widest.lanes()));
    eprintln!("held to the same bits: {:?}", available.iter().map(|isa| isa.name()).collect::<Vec<_>>());
}

/// All ways.
const WAYS: [Way; 2] = [Way::Lanes, Way::Band];

/// Sizes around the tiles, blocks and groups of every kernel.
#[test]
fn every_instruction_set_gives_the_same_bits() {
    for (size, width) in [(1, 1), (2, 3), (3, 0), (7, 2), (16, 10), (33, 10), (50, 7), (64, 3), (100, 10)] {
        let count = if size > 40 { 9 } else { 33 };
        let problems: Vec<_> = (0..count).map(|i| Problem::new(i % KINDS, size, width, i as u64)).collect();
        for way in WAYS {
            let expected = alone(way, &problems);
            for isa in InstructionSet::available() {
                let found = solve(way, isa, &problems, usize::MAX);
                for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    let at = format!("{way:?}, {}, d = {size}, ℓ = {width}, problem {place}", isa.name());
                    assert!(found == expected, "{at}");
                }
            }
        }
    }
}

/// What the two ways find differs by rounding.
#[test]
fn lanes_and_band_agree() {
    const WIDTH: usize = 4;
    let isa = InstructionSet::detect();
    for size in [1, 2, 15, 16, 17, 18, 33, 60, 130, 300] {
        // Sound ones.
        for kind in [0, 3, 5, 6, 7] {
            let problem = Problem::new(kind, size, WIDTH, size as u64);
            let counts = [size, size.div_ceil(2), 1];
            let [one, other] = WAYS.map(|way| {
                let wanted = Wanted { ridge: true, projected: true, pencil: true, vectors: true };
                let room = Room { size, smallest: size, width: WIDTH, count: size };
                let mut batch = ScaledBatch::in_way(Some(way), isa, room, 3, wanted);
                batch.start(size, WIDTH);
                batch.push(0, &problem.sigma);
                batch.solve(&counts, |_| (problem.matrix.as_ref(), problem.right.as_ref()));
                let values = batch.projected(0).unwrap().0.to_vec();
                let (squares, explained) = batch.pencil(0).unwrap();
                let mut q = Mat::zeros(size, size);
                batch.eigenvectors(0, q.as_mut());
                let off = (q.transpose() * &q - Mat::<f64>::identity(size, size)).norm_max();
                assert!(off <= 20.0 * size as f64 * f64::EPSILON, "{way:?}, kind {kind}, {size}: {off:e}");
                (batch.ridge_power(0).unwrap(), values, squares.to_vec(), explained.to_vec())
            });
            let near = |x: f64, y: f64, scale: f64| (x - y).abs() <= 1e-11 * size as f64 * scale;
            let at = format!("kind {kind}, d = {size}");
            assert!(near(one.0, other.0, one.0), "{at}: ridge {} {}", one.0, other.0);
            assert!(one.1.iter().zip(&other.1).all(|(x, y)| near(*x, *y, one.1[0])), "{at}: values");
            assert!(one.2.iter().zip(&other.2).all(|(x, y)| near(*x, *y, one.2[0])), "{at}: squares");
            // The first vector, and all of them: what is between depends on gaps, and all of a
            // matrix of low rank on rounding.
            for n in if kind == 3 { 2..3 } else { 0..3 }.filter(|n| *n != 1) {
                let (x, y) = (one.3[n], other.3[n]);
                assert!(near(x, y, 1e3 * x), "{at}: explained {:?} {:?}", one.3, other.3);
            }
        }
    }
}

#[test]
fn failures_are_named_in_their_own_lane() {
    let (size, width) = (12, 3);
    let problems: Vec<_> = (0..40).map(|i| Problem::new(i % KINDS, size, width, 7 + i as u64)).collect();
    for (way, isa) in
        WAYS.into_iter().flat_map(|way| InstructionSet::available().into_iter().map(move |isa| (way, isa)))
    {
        let answers = solve(way, isa, &problems, usize::MAX);
        for (i, answers) in answers.iter().enumerate() {
            let failed = |answer: usize| answers[answer].as_ref().err().copied();
            match i % KINDS {
                9 => assert!((0..7).all(|n| failed(n) == Some(Failure::NotFinite)), "{i}: {answers:?}"),
                10 => {
                    assert_eq!(failed(0), None, "eigenvalues do not see a right-hand side");
                    assert!((2..7).all(|n| failed(n) == Some(Failure::NotFinite)));
                }
                8 => {
                    assert!([0, 1, 3, 4].iter().all(|&n| failed(n).is_none()), "indefinite is no matter");
                    assert!(matches!(failed(2), Some(Failure::NotPositiveDefinite { .. })));
                    assert!(matches!(failed(5), Some(Failure::NotPositiveDefinite { .. })));
                }
                7 | 11 => {}
                _ => assert!((0..7).all(|n| failed(n).is_none()), "{i}: {answers:?}"),
            }
        }
    }
}

fn batches() -> impl Strategy<Value = (Vec<Problem>, usize)> {
    let kinds = prop::collection::vec((0..KINDS, any::<u64>()), 1..40);
    (1_usize..=24, 0_usize..=6, kinds, 1_usize..=32).prop_map(|(size, width, kinds, fill)| {
        let problems = kinds.iter().map(|&(kind, seed)| Problem::new(kind, size, width, seed)).collect();
        (problems, fill)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(6), failure_persistence: None, ..ProptestConfig::default() })]

    /// Any neighbours, any place, any fill, any instruction set.
    #[test]
    fn a_problem_has_its_own_bits((problems, fill) in batches()) {
        for way in WAYS {
            let expected = alone(way, &problems);
            for isa in InstructionSet::available() {
                let found = solve(way, isa, &problems, fill);
                for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    prop_assert!(found == expected, "{way:?}, {}, fill {fill}, problem {place}", isa.name());
                }
            }
        }
    }

    /// Entries that are any f64 at all, subnormal and infinite ones among them.
    #[test]
    fn any_bits_stay_in_their_lane(
        entries in prop::collection::vec(any::<f64>(), 4 * 12),
        size in 1_usize..=4,
        seed in any::<u64>(),
        banded in any::<bool>(),
    ) {
        let way = if banded { Way::Band } else { Way::Lanes };
        let mut problems: Vec<_> = (0..9).map(|i| Problem::new(0, size, 1, seed.wrapping_add(i))).collect();
        let expected = alone(way, &problems);
        for (n, place) in [1, 4, 6].into_iter().enumerate() {
            let at = |i: usize, j: usize| entries[n * 16 + i * 4 + j];
            problems[place].matrix = Mat::from_fn(size, size, |i, j| at(i.max(j), i.min(j)));
        }
        let wild = alone(way, &problems);
        for isa in InstructionSet::available() {
            let found = solve(way, isa, &problems, usize::MAX);
            for place in 0..9 {
                prop_assert!(found[place] == wild[place], "{}, problem {place}", isa.name());
                prop_assert!([1, 4, 6].contains(&place) || found[place] == expected[place]);
            }
        }
    }
}
