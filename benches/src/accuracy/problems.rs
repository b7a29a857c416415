//! Random symmetric problems of every kind, shape and scale, and what the lane kernels find of
//! them.

use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted};
use faer::{Mat, Scale};

use crate::problems::SplitMix;

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
    pub(super) matrix: Mat<f64>,
    /// What the solvers' matrix is multiplied by.
    pub(super) scale: f64,
    /// b (d × ℓ).
    pub(super) right: Mat<f64>,
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
    pub(super) fn scaled(&self) -> Mat<f64> {
        &self.matrix * Scale(self.scale)
    }

    /// d·ε·‖A‖, the unit of an eigenvalue's error; that of a zero matrix is positive, too.
    pub(super) fn unit(&self) -> f64 {
        self.epsilons() * self.length()
    }

    /// d·ε.
    pub(super) fn epsilons(&self) -> f64 {
        self.matrix.nrows() as f64 * f64::EPSILON
    }

    /// ‖A‖, but positive.
    pub(super) fn length(&self) -> f64 {
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

/// A round of problems, as many as a batch has room for, and what the lane kernels find; `None`
/// where they fail.
#[must_use]
pub fn solve_round(
    instruction_set: InstructionSet,
    rng: &mut SplitMix,
    round: usize,
) -> (Vec<Problem>, Vec<Option<Answer>>) {
    let (size, width) = shape(round);
    let wanted = Wanted { projected: true, ..Wanted::default() };
    let mut batch =
        ScaledBatch::new(instruction_set, Room { size, smallest: size, width, count: 0 }, 0, wanted);
    let problems: Vec<Problem> =
        (0..batch.capacity()).map(|place| Problem::draw(rng, round, place)).collect();
    let scaled: Vec<Mat<f64>> = problems.iter().map(Problem::scaled).collect();
    batch.start(size, width);
    for number in 0..problems.len() {
        batch.push(number, &vec![1.0; size]);
    }
    batch.solve(&[], |number| (scaled[number].as_ref(), problems[number].right.as_ref()));
    let answer = |place| {
        let (values, powers) = batch.projected(place).ok()?;
        Some(Answer { values: values.to_vec(), powers: powers.to_vec() })
    };
    let answers = (0..problems.len()).map(answer).collect();
    (problems, answers)
}
