//! Backward errors of the lane kernels and of LAPACK over the same random symmetric problems.
//!
//! A problem is a symmetric A (d × d) and right-hand sides b (d × ℓ); an answer is the eigenvalues λᵢ and the powers `‖qᵢᵀb‖²`.
//! Four quantities measure it, in units of d·ε, all that a backward error of that size implies whatever the spectrum:
//!
//! | quantity | error |
//! |---|---|
//! | trace | `abs(Σλ − tr A) / ‖A‖` |
//! | squares | `abs(Σ(λ/‖A‖)² − 1)` |
//! | power | `abs(Σ‖qᵀb‖² − ‖b‖²) / ‖b‖²` |
//! | form | `abs(Σλ‖qᵀb‖² − tr bᵀAb) / (‖A‖ ‖b‖²)` |
//!
//! ‖·‖ is the Frobenius norm. The solvers are given A times a scale (of [`SCALES`]); everything is measured on A, with λ divided
//! by the scale: no square overflows or underflows. Kinds and sizes are those of `crates/spectral/tests/accuracy.rs`.
//!
//! LAPACK is `peers/lapack_accuracy.py`, a child that solves a chunk of problems at a time ([`encode`], [`decode`] are its
//! protocol). Called by `kernel-accuracy`.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::projected::ProjectedBatch;
use faer::{Mat, Scale};

use crate::Fault;
use crate::problems::SplitMix;

/// Largest of the four quantities that the lane kernels may have, in units of d·ε: what the kernels' own test allows.
pub const ALLOWED: f64 = 5.0;

/// Largest difference from LAPACK's eigenvalues, in units of d·ε·‖A‖: twice [`ALLOWED`], since either may be off by that.
pub const ALLOWED_DIFFERENCE: f64 = 10.0;

/// What the matrices are multiplied by. Squares of the middle two leave the range of f64.
pub const SCALES: [f64; 4] = [1.0, 1e-150, 1e150, 1e-3];

/// Kinds of matrices, with a largest entry near one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Normal entries.
    Random,
    /// `F Fᵀ`, F d × 2d.
    Gram,
    /// `F Fᵀ`, F d × d/3.
    RankDeficient,
    /// Rows and columns of a random matrix fall over up to 20 decades.
    GradedDown,
    /// The same, rising.
    GradedUp,
    /// The identity and 10⁻⁹ times a matrix of rank two.
    Clustered,
    /// A random matrix with a random share of its entries: some are diagonal, or zero.
    Sparse,
}

impl Kind {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] = [
        Self::Random,
        Self::Gram,
        Self::RankDeficient,
        Self::GradedDown,
        Self::GradedUp,
        Self::Clustered,
        Self::Sparse,
    ];

    /// Its name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Gram => "gram",
            Self::RankDeficient => "rank deficient",
            Self::GradedDown => "graded down",
            Self::GradedUp => "graded up",
            Self::Clustered => "clustered",
            Self::Sparse => "sparse",
        }
    }

    fn matrix(self, rng: &mut SplitMix, size: usize) -> Mat<f64> {
        match self {
            Self::Random => symmetric(rng, size),
            Self::Gram => semidefinite(rng, size, 2 * size),
            Self::RankDeficient => semidefinite(rng, size, size.div_ceil(3)),
            Self::GradedDown => graded(rng, size, |i| i),
            Self::GradedUp => graded(rng, size, |i| size - 1 - i),
            Self::Clustered => {
                let low = semidefinite(rng, size, 2);
                Mat::from_fn(size, size, |i, j| 1e-9 * low[(i, j)] + f64::from(u8::from(i == j)))
            }
            Self::Sparse => {
                let keep = rng.uniform();
                let mut matrix = symmetric(rng, size);
                for j in 0..size {
                    for i in j..size {
                        if rng.uniform() >= keep {
                            (matrix[(i, j)], matrix[(j, i)]) = (0.0, 0.0);
                        }
                    }
                }
                matrix
            }
        }
    }
}

/// Standard normal numbers (Box and Muller).
fn normals(rng: &mut SplitMix, rows: usize, columns: usize) -> Mat<f64> {
    Mat::from_fn(rows, columns, |_, _| {
        // In (0, 1]: its logarithm is finite.
        let radius = (-2.0 * (1.0 - rng.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * rng.uniform()).cos()
    })
}

/// Half the sum with the transpose.
fn symmetrized(matrix: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| 0.5 * matrix[(i, j)] + 0.5 * matrix[(j, i)])
}

fn symmetric(rng: &mut SplitMix, size: usize) -> Mat<f64> {
    symmetrized(&normals(rng, size, size))
}

fn semidefinite(rng: &mut SplitMix, size: usize, rank: usize) -> Mat<f64> {
    let factor = normals(rng, size, rank);
    symmetrized(&(&factor * factor.transpose()))
}

fn graded(rng: &mut SplitMix, size: usize, place: impl Fn(usize) -> usize) -> Mat<f64> {
    let decades = 20.0 * rng.uniform();
    let base = symmetric(rng, size);
    let weight = |i: usize| 10.0_f64.powf(-decades * place(i) as f64 / size as f64);
    Mat::from_fn(size, size, |i, j| base[(i, j)] * (weight(i) * weight(j)))
}

/// d and ℓ of all problems of a round: 2 to 16, each fortieth time 17 to 100; and 1 to 4.
#[must_use]
pub fn shape(round: usize) -> (usize, usize) {
    let size = match round % 40 {
        0 => 17 + round / 40 % 84,
        _ => 2 + round % 15,
    };
    (size, 1 + (round + round / 40) % 4)
}

/// A symmetric matrix and right-hand sides.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Kind of its matrix.
    pub kind: Kind,
    /// A, exactly symmetric (d × d).
    matrix: Mat<f64>,
    /// What the solvers' matrix is multiplied by.
    scale: f64,
    /// b (d × ℓ).
    right: Mat<f64>,
}

impl Problem {
    /// The problem at a place of a round. All combinations of shape, kind and scale occur.
    pub fn draw(rng: &mut SplitMix, round: usize, place: usize) -> Self {
        let (size, width) = shape(round);
        let kind = Kind::ALL[(round + place) % Kind::ALL.len()];
        let scale = SCALES[(round / 4 + place) % SCALES.len()];
        Self { kind, matrix: kind.matrix(rng, size), scale, right: normals(rng, size, width) }
    }

    /// The matrix that is solved.
    fn scaled(&self) -> Mat<f64> {
        &self.matrix * Scale(self.scale)
    }

    /// d·ε·‖A‖, the unit of an eigenvalue's error; that of a zero matrix is positive, too.
    fn unit(&self) -> f64 {
        self.epsilons() * self.length()
    }

    /// d·ε.
    fn epsilons(&self) -> f64 {
        self.matrix.nrows() as f64 * f64::EPSILON
    }

    /// ‖A‖, but positive.
    fn length(&self) -> f64 {
        self.matrix.norm_l2().max(f64::MIN_POSITIVE)
    }
}

/// What a solver finds.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Eigenvalues of the scaled matrix, descending.
    pub values: Vec<f64>,
    /// `‖qᵢᵀb‖²`, in the same order.
    pub powers: Vec<f64>,
}

/// A round of problems, as many as a batch has room for, and what the lane kernels find; `None` where they fail.
#[must_use]
pub fn solve_round(
    instruction_set: InstructionSet,
    rng: &mut SplitMix,
    round: usize,
) -> (Vec<Problem>, Vec<Option<Answer>>) {
    let (size, width) = shape(round);
    let mut batch = ProjectedBatch::new(instruction_set, size, width);
    batch.start(size, width);
    let problems: Vec<Problem> =
        (0..batch.capacity()).map(|place| Problem::draw(rng, round, place)).collect();
    for problem in &problems {
        batch.push(problem.scaled().as_ref(), problem.right.as_ref());
    }
    batch.solve();
    let answer = |place| {
        let (values, powers) = batch.solution(place).ok()?;
        Some(Answer { values: values.to_vec(), powers: powers.to_vec() })
    };
    let answers = (0..problems.len()).map(answer).collect();
    (problems, answers)
}

/// A chunk of problems of a round for `lapack_accuracy.py`, little-endian: d, ℓ and the number of problems as u64; all scaled
/// matrices; all right-hand sides, as f64 in column-major order.
#[must_use]
pub fn encode(round: usize, problems: &[Problem]) -> Vec<u8> {
    let (size, width) = shape(round);
    let numbers = problems.len() * size * (size + width);
    let mut bytes = Vec::with_capacity(8 * (3 + numbers));
    for number in [size, width, problems.len()] {
        bytes.extend((number as u64).to_le_bytes());
    }
    let mut extend = |matrix: &Mat<f64>| {
        for column in matrix.col_iter() {
            bytes.extend(column.iter().flat_map(|entry| entry.to_le_bytes()));
        }
    };
    problems.iter().for_each(|problem| extend(&problem.scaled()));
    problems.iter().for_each(|problem| extend(&problem.right));
    bytes
}

/// The answers of `lapack_accuracy.py` to a chunk of problems of this size: of each d eigenvalues and d powers; `None` where one
/// is not finite.
#[must_use]
pub fn decode(size: usize, bytes: &[u8]) -> Vec<Option<Answer>> {
    let (words, _) = bytes.as_chunks::<8>();
    let numbers: Vec<f64> = words.iter().map(|word| f64::from_le_bytes(*word)).collect();
    let answer = |numbers: &[f64]| {
        let (values, powers) = numbers.split_at(size);
        let finite = numbers.iter().all(|number| number.is_finite());
        finite.then(|| Answer { values: values.to_vec(), powers: powers.to_vec() })
    };
    numbers.chunks_exact(2 * size).map(answer).collect()
}

/// LAPACK, in a child that waits for chunks.
#[derive(Debug)]
pub struct Lapack {
    child: Child,
    chunks: ChildStdin,
    answers: ChildStdout,
}

impl Lapack {
    /// Starts `lapack_accuracy.py` through the interpreter `python`; what it has to say goes to stderr.
    ///
    /// # Errors
    ///
    /// If the interpreter cannot be started.
    pub fn start(python: &str) -> Result<Self, Fault> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/lapack_accuracy.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        // No bytecode beside scripts that are only read.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.spawn().map_err(|error| {
            format!("cannot start {python}: {error}; name an interpreter with --python PROGRAM")
        })?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(chunks), Some(answers)) => Ok(Self { child, chunks, answers }),
            _ => Err("lapack_accuracy.py has no pipes: is the limit of open files reached?".into()),
        }
    }

    /// Solves the problems of a round; `None` where `dsyevd` fails.
    ///
    /// # Errors
    ///
    /// If the script ends before it has answered.
    pub fn solve(&mut self, round: usize, problems: &[Problem]) -> Result<Vec<Option<Answer>>, Fault> {
        let (size, _) = shape(round);
        let mut bytes = vec![0; 8 * 2 * size * problems.len()];
        // The script reads a whole chunk before it answers: neither waits for the other.
        let exchanged = self
            .chunks
            .write_all(&encode(round, problems))
            .and_then(|()| self.chunks.flush())
            .and_then(|()| self.answers.read_exact(&mut bytes));
        match exchanged {
            Ok(()) => Ok(decode(size, &bytes)),
            Err(error) => Err(format!(
                "lapack_accuracy.py ended in the middle ({error}): mend what it says above, or name another interpreter with \
                 --python PROGRAM"
            )
            .into()),
        }
    }

    /// Ends the script.
    ///
    /// # Errors
    ///
    /// If it fails, or says more than it was asked.
    pub fn finish(mut self) -> Result<(), Fault> {
        drop(self.chunks);
        let mut rest = vec![];
        self.answers.read_to_end(&mut rest)?;
        let status = self.child.wait()?;
        match (status.success(), rest.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err("lapack_accuracy.py answers too much: is it this version's?".into()),
            (false, _) => {
                Err(format!("lapack_accuracy.py failed ({status}): mend what it says above").into())
            }
        }
    }
}

/// The larger; NaN if one is.
fn larger(one: f64, other: f64) -> f64 {
    if other > one || other.is_nan() { other } else { one }
}

/// Trace, squares, power and form, in units of d·ε.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures(pub [f64; 4]);

impl Measures {
    /// Names of the four.
    pub const NAMES: [&str; 4] = ["trace", "squares", "power", "form"];

    /// Of an answer.
    #[must_use]
    pub fn of(problem: &Problem, answer: &Answer) -> Self {
        let (matrix, right, length) = (&problem.matrix, &problem.right, problem.length());
        let value = |i: usize| answer.values[i] / problem.scale;
        let size = matrix.nrows();
        let sum = |f: &dyn Fn(usize) -> f64| (0..size).map(f).sum::<f64>();
        let weight = right.squared_norm_l2();
        // Per ‖A‖ at once: squares of a small matrix would underflow.
        let squares = sum(&|i| (value(i) / length).powi(2));
        let expected = if matrix.norm_max() == 0.0 { 0.0 } else { 1.0 };
        let form = (right.transpose() * matrix * right).diagonal().column_vector().iter().sum::<f64>();
        let errors = [
            (sum(&value) - sum(&|i| matrix[(i, i)])) / length,
            squares - expected,
            (sum(&|i| answer.powers[i]) - weight) / weight,
            (sum(&|i| value(i) * answer.powers[i]) - form) / (length * weight),
        ];
        Self(errors.map(|error| error.abs() / problem.epsilons()))
    }

    /// The larger of each; NaN if one is.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(std::array::from_fn(|n| larger(self.0[n], other.0[n])))
    }
}

/// The largest errors over some problems.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Number of problems.
    pub problems: usize,
    /// How many of them the lane kernels did not solve.
    pub failed: usize,
    /// How many of them LAPACK did not solve.
    pub lapack_failed: usize,
    /// Of the lane kernels.
    pub own: Measures,
    /// Of LAPACK.
    pub lapack: Measures,
    /// Between the eigenvalues of the two, in units of d·ε·‖A‖.
    pub difference: f64,
}

impl Tally {
    /// Counts a problem. An answer that is missing has failed.
    pub fn take(&mut self, problem: &Problem, own: Option<&Answer>, lapack: Option<&Answer>) {
        self.problems += 1;
        match own {
            Some(answer) => self.own = self.own.max(Measures::of(problem, answer)),
            None => self.failed += 1,
        }
        match lapack {
            Some(answer) => self.lapack = self.lapack.max(Measures::of(problem, answer)),
            None => self.lapack_failed += 1,
        }
        if let (Some(own), Some(lapack)) = (own, lapack) {
            for (one, other) in own.values.iter().zip(&lapack.values) {
                let difference = (one / problem.scale - other / problem.scale).abs() / problem.unit();
                self.difference = larger(self.difference, difference);
            }
        }
    }

    /// Both together.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            problems: self.problems + other.problems,
            failed: self.failed + other.failed,
            lapack_failed: self.lapack_failed + other.lapack_failed,
            own: self.own.max(other.own),
            lapack: self.lapack.max(other.lapack),
            difference: larger(self.difference, other.difference),
        }
    }

    /// Whether the lane kernels solved every problem as well as [`ALLOWED`] and [`ALLOWED_DIFFERENCE`] ask.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failed == 0
            && self.own.0.iter().all(|&error| error <= ALLOWED)
            && self.difference <= ALLOWED_DIFFERENCE
    }
}

#[cfg(test)]
mod tests {
    use eigensweep_spectral::lanes::InstructionSet;
    use faer::{Mat, mat};

    use super::{Answer, Kind, Measures, Problem, SCALES, Tally, decode, encode, shape, solve_round};
    use crate::problems::SplitMix;

    fn diagonal(scale: f64) -> Problem {
        Problem {
            kind: Kind::Sparse,
            matrix: mat![[3.0, 0.0], [0.0, -4.0]],
            scale,
            right: mat![[1.0], [2.0]],
        }
    }

    fn exact(scale: f64) -> Answer {
        Answer { values: vec![3.0 * scale, -4.0 * scale], powers: vec![1.0, 4.0] }
    }

    #[test]
    fn a_chunk_is_a_header_all_matrices_and_all_right_hand_sides() {
        // A round of the smallest shape.
        let round = (1..).find(|&round| shape(round) == (2, 1)).unwrap();
        let mut second = diagonal(0.5);
        second.matrix = mat![[1.0, 7.0], [7.0, 2.0]];
        let bytes = encode(round, &[diagonal(2.0), second]);
        let (words, rest) = bytes.as_chunks::<8>();
        assert!(rest.is_empty());
        let header: Vec<u64> = words[..3].iter().map(|word| u64::from_le_bytes(*word)).collect();
        assert_eq!(header, [2, 1, 2]);
        let numbers: Vec<f64> = words[3..].iter().map(|word| f64::from_le_bytes(*word)).collect();
        assert_eq!(numbers, [6.0, 0.0, 0.0, -8.0, 0.5, 3.5, 3.5, 1.0, 1.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn answers_are_read_and_what_is_not_finite_has_failed() {
        let numbers = [3.0, -4.0, 1.0, 4.0, f64::NAN, f64::NAN, f64::NAN, f64::NAN];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number: &f64| number.to_le_bytes()).collect();
        assert_eq!(decode(2, &bytes), [Some(exact(1.0)), None]);
    }

    #[test]
    fn errors_are_measured_at_every_scale() {
        for scale in SCALES {
            let problem = diagonal(scale);
            assert!(Measures::of(&problem, &exact(scale)).0.iter().all(|error| *error < 1.0), "{scale:e}");
            let mut wrong = exact(scale);
            wrong.values[0] *= 1.0 + 1e-12;
            let Measures([trace, squares, power, form]) = Measures::of(&problem, &wrong);
            assert!([trace, squares, form].iter().all(|error| *error > 100.0), "{scale:e}");
            assert!(power < 1.0);
            wrong.powers[0] *= 1.0 + 1e-12;
            assert!(Measures::of(&problem, &wrong).0[2] > 100.0);
        }
    }

    #[test]
    fn eigenvalues_of_nothing_for_something_are_an_error() {
        let nothing = Answer { values: vec![0.0, 0.0], powers: vec![1.0, 4.0] };
        assert!(Measures::of(&diagonal(1.0), &nothing).0[1] > 1e12);
        let zero = Problem { matrix: Mat::zeros(2, 2), ..diagonal(1.0) };
        assert!(Measures::of(&zero, &nothing).0.iter().all(|error| *error < 1.0));
    }

    #[test]
    fn a_tally_holds_only_if_all_is_solved_well_and_like_lapack() {
        let (problem, answer) = (diagonal(1.0), exact(1.0));
        let mut good = Tally::default();
        good.take(&problem, Some(&answer), Some(&answer));
        assert!(good.holds());
        let mut failed = Tally::default();
        failed.take(&problem, None, Some(&answer));
        assert!(!failed.holds() && !good.join(failed).holds() && !failed.join(good).holds());
        let mut off = answer.clone();
        off.values[1] -= 1e-12;
        let mut differs = Tally::default();
        differs.take(&problem, Some(&answer), Some(&off));
        assert!(!differs.holds() && !good.join(differs).holds());
        let mut nan = Tally::default();
        off.values[1] = f64::NAN;
        nan.take(&problem, Some(&off), None);
        assert!(!nan.holds() && !nan.join(good).holds() && !good.join(nan).holds());
        assert_eq!((nan.join(failed).failed, nan.join(failed).lapack_failed), (1, 1));
    }

    #[test]
    fn the_kernels_solve_a_round_of_every_kind() {
        let mut rng = SplitMix::new(1);
        let (problems, answers) = solve_round(InstructionSet::detect(), &mut rng, 9);
        let mut tally = Tally::default();
        for (problem, answer) in problems.iter().zip(&answers) {
            tally.take(problem, answer.as_ref(), None);
        }
        assert_eq!((tally.problems, tally.lapack_failed), (problems.len(), problems.len()));
        assert!(tally.holds());
    }
}
