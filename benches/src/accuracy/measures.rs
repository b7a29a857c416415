//! Errors of answers, and the largest over many problems.

use super::problems::{Answer, Problem};

/// Largest of the four quantities that the lane kernels may have, in units of d·ε: what the
/// kernels' own test allows.
pub const ALLOWED: f64 = 5.0;

/// Largest difference from LAPACK's eigenvalues, in units of d·ε·‖A‖: twice [`ALLOWED`], since
/// either may be off by that.
pub const ALLOWED_DIFFERENCE: f64 = 10.0;

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

    /// Whether the lane kernels solved every problem as well as [`ALLOWED`] and
    /// [`ALLOWED_DIFFERENCE`] ask.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failed == 0
            && self.own.0.iter().all(|&error| error <= ALLOWED)
            && self.difference <= ALLOWED_DIFFERENCE
    }
}
