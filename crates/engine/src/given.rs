//! Moments of matrices that a user gives: one problem from elsewhere, for the closed forms.
//!
//! | symbol | here | shape |
//! |---|---|---|
//! | `X` | [`Given::inputs`] | n × d |
//! | `Y` | [`Given::labels`], of no columns if left out | n × ℓ |
//! | `X̄` | [`Given::mean_views`], the inputs if left out | n × d |
//! | `Σ` | [`Given::covariance`], zero if left out | d × d |
//! | `G = X̄ᵀX̄/n`, `S = G + Σ`, `C = XᵀX̄/n`, `B = X̄ᵀY/n` | [`GivenMoments`] | d × d, and d × ℓ |
//!
//! Nothing is centred by [`Given::moments`]. [`views`] has the moments of inputs and labels under
//! views that are chains of stages, in place of X̄ and Σ; [`solution`] what the paradigms make of
//! any of them. Products are those of faer on the calling thread; their last bits
//! depend on the instruction set.
//!
//! ```
//! use eigensweep_engine::given::Given;
//! use eigensweep_theory::closed_forms::ClosedForms;
//! use eigensweep_theory::paradigms::JOINT_EMBEDDING;
//! use faer::mat;
//!
//! let inputs = mat![[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]];
//! let labels = mat![[1.0], [1.0], [-1.0], [-1.0]];
//! let covariance = mat![[1.0, 0.0], [0.0, 3.0]];
//! let given = Given {
//!     inputs: inputs.as_ref(),
//!     labels: Some(labels.as_ref()),
//!     mean_views: None,
//!     covariance: Some(covariance.as_ref()),
//! };
//! let moments = given.moments()?;
//! let mut forms = ClosedForms::new(2, 1);
//! let mut problem = forms.problem(moments.view());
//! let solution = problem.solve(&JOINT_EMBEDDING).map_err(|failure| failure.to_string())?;
//! // G = I and S = diag(2, 4), so that the eigenvalues are 1/2 and 1/4.
//! let omega = solution.encoder().ok_or("a predictor")?.spectrum.values;
//! assert!((omega[0] - 0.5).abs() < 1e-15 && (omega[1] - 0.25).abs() < 1e-15);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod solution;
pub mod views;

use std::fmt;

use eigensweep_theory::Failure;
use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::moments::Moments;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};

/// The largest difference of entries that should be equal, where a matrix does not count as
/// symmetric: beyond what a product in single precision leaves, 10⁻⁹ of the largest entry (chosen).
#[must_use]
pub fn asymmetry(matrix: MatRef<'_, f64>) -> Option<f64> {
    let difference = (matrix - matrix.transpose()).norm_max();
    (difference > 1e-9 * matrix.norm_max()).then_some(difference)
}

/// Inputs, labels and views of one problem; symbols and shapes as in the [module's table](self).
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// X (n × d), a sample a row.
    pub inputs: MatRef<'a, f64>,
    /// Y (n × ℓ); `None`: there are none, ℓ = 0.
    pub labels: Option<MatRef<'a, f64>>,
    /// X̄ (n × d), the expected view of each sample; `None`: the inputs.
    pub mean_views: Option<MatRef<'a, f64>>,
    /// Σ (d × d), the mean covariance of the views; `None`: zero.
    pub covariance: Option<MatRef<'a, f64>>,
}

/// The moments of a problem, owned: of p inputs and d features of a view, which are the same unless
/// a stage changes their number. Of moments that come from elsewhere, what nobody knows of the
/// inputs and labels is NaN.
#[derive(Clone, Debug)]
pub struct GivenMoments {
    /// n.
    pub samples: usize,
    /// μ, the mean of X̄ (d × 1).
    pub mean: Mat<f64>,
    /// G (d × d).
    pub mean_views: Mat<f64>,
    /// S = G + Σ (d × d), with its floor.
    pub views: Mat<f64>,
    /// S before its floor, where it has one.
    pub unfloored: Option<Mat<f64>>,
    /// C = XᵀX̄/n (p × d).
    pub cross: Mat<f64>,
    /// B = X̄ᵀY/n (d × ℓ).
    pub view_labels: Mat<f64>,
    /// XᵀX/n (p × p).
    pub inputs: Mat<f64>,
    /// XᵀY/n (p × ℓ).
    pub input_labels: Mat<f64>,
    /// tr(YᵀY)/n.
    pub label_power: f64,
}

/// One of the matrices that are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// X.
    Inputs,
    /// Y.
    Labels,
    /// X̄.
    MeanViews,
    /// Σ.
    Covariance,
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inputs => "inputs hold a sample a row",
            Self::Labels => "labels need a row per sample",
            Self::MeanViews => "mean views have the shape of the inputs",
            Self::Covariance => "the covariance is d × d, symmetric",
        })
    }
}

/// Why matrices are no problem.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GivenError {
    /// A matrix has another shape than the inputs call for.
    #[error("{matrix}: expected {} × {}, found {} × {}", expected.0, expected.1, found.0, found.1)]
    Shape {
        /// Which.
        matrix: Matrix,
        /// Rows and columns that it should have.
        expected: (usize, usize),
        /// Rows and columns that it has.
        found: (usize, usize),
    },
    /// The covariance is not symmetric.
    #[error(
        "{}: expected a symmetric matrix, found entries that differ by {difference:e}",
        Matrix::Covariance
    )]
    Asymmetric {
        /// The largest difference of entries that should be equal.
        difference: f64,
    },
}

impl GivenError {
    /// The matrix at fault.
    #[must_use]
    pub fn matrix(&self) -> Matrix {
        match self {
            Self::Shape { matrix, .. } => *matrix,
            Self::Asymmetric { .. } => Matrix::Covariance,
        }
    }
}

impl Given<'_> {
    /// The moments of these matrices: 2 n d (2 d + ℓ) multiply-adds, or n d (d + ℓ) without mean
    /// views.
    ///
    /// # Errors
    ///
    /// * [`GivenError::Shape`] if a matrix does not fit the inputs, or inputs or labels hold
    ///   nothing.
    /// * [`GivenError::Asymmetric`] if the covariance is not symmetric.
    pub fn moments(&self) -> Result<GivenMoments, GivenError> {
        let Self { inputs: x, labels: y, mean_views, covariance } = *self;
        let (samples, size) = (x.nrows(), x.ncols());
        check(Matrix::Inputs, x, (samples.max(1), size.max(1)))?;
        if let Some(y) = y {
            check(Matrix::Labels, y, (samples, y.ncols().max(1)))?;
        }
        let y = y.unwrap_or(x.subcols(0, 0));
        let x_bar = mean_views.unwrap_or(x);
        check(Matrix::MeanViews, x_bar, (samples, size))?;
        if let Some(sigma) = covariance {
            check(Matrix::Covariance, sigma, (size, size))?;
            if let Some(difference) = asymmetry(sigma) {
                return Err(GivenError::Asymmetric { difference });
            }
        }

        let inputs = product(x, x);
        let input_labels = product(x, y);
        let (gram, cross, view_labels) = match mean_views {
            None => (inputs.clone(), inputs.clone(), input_labels.clone()),
            Some(x_bar) => (product(x_bar, x_bar), product(x, x_bar), product(x_bar, y)),
        };
        let views = covariance.map_or_else(|| gram.clone(), |sigma| &gram + sigma);
        let label_power = y.squared_norm_l2() / samples as f64;
        Ok(GivenMoments {
            samples,
            mean: means(x_bar),
            mean_views: gram,
            views,
            unfloored: None,
            cross,
            view_labels,
            inputs,
            input_labels,
            label_power,
        })
    }
}

impl GivenMoments {
    /// What the closed forms take.
    #[must_use]
    pub fn view(&self) -> Moments<'_> {
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

    /// d, features of a view.
    #[must_use]
    pub fn size(&self) -> usize {
        self.views.nrows()
    }

    /// Whether views have as many features as inputs: else no model of views takes an input.
    #[must_use]
    pub fn is_square(&self) -> bool {
        self.inputs.nrows() == self.size()
    }

    /// Of what [`size`](Self::size) is the number, in words.
    #[must_use]
    pub fn features(&self) -> &'static str {
        if self.is_square() { "inputs" } else { "features of a view" }
    }

    /// ℓ, the number of labels.
    #[must_use]
    pub fn labels(&self) -> usize {
        self.input_labels.ncols()
    }
}

/// A matrix (n × m) less the mean of each column, and these means (m × 1); a constant column is
/// zero to the last bit.
#[must_use]
pub fn centred(matrix: MatRef<'_, f64>) -> (Mat<f64>, Mat<f64>) {
    let offsets = offsets(matrix);
    let deviations = Mat::from_fn(matrix.nrows(), matrix.ncols(), |row, column| {
        matrix[(row, column)] - matrix[(0, column)] - offsets[column]
    });
    (deviations, means(matrix))
}

/// The means of the columns (m × 1) of a matrix (n × m).
fn means(matrix: MatRef<'_, f64>) -> Mat<f64> {
    let offsets = offsets(matrix);
    Mat::from_fn(offsets.len(), 1, |column, _| matrix[(0, column)] + offsets[column])
}

/// What the means of the columns are above the first row.
fn offsets(matrix: MatRef<'_, f64>) -> Vec<f64> {
    let of_first = |column: usize| {
        let first = matrix[(0, column)];
        matrix.col(column).iter().map(|value| value - first).sum::<f64>() / matrix.nrows() as f64
    };
    (0..matrix.ncols()).map(of_first).collect()
}

/// The feature along which a symmetric matrix (d × d) is most negative, where it is in some
/// direction beyond rounding: it is no second moment then.
#[must_use]
pub fn negative(matrix: MatRef<'_, f64>) -> Option<usize> {
    let size = matrix.nrows();
    let (square, none) = (matrix, matrix.subcols(0, 0));
    let moments = Moments {
        mean_views: square,
        views: square,
        cross: square,
        view_labels: none,
        inputs: square,
        input_labels: none,
        label_power: 0.0,
    };
    match ClosedForms::new(size, 0).problem(moments).rank() {
        Err(Failure::NotPositiveDefinite { pivot }) => Some(pivot),
        Ok(_) | Err(Failure::NotFinite | Failure::NoConvergence | Failure::DimensionAboveRank { .. }) => None,
    }
}

/// `AᵀB/n` of A and B with n rows.
#[must_use]
pub fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut out = Mat::zeros(a.ncols(), b.ncols());
    matmul(out.as_mut(), Accum::Replace, a.transpose(), b, 1.0 / a.nrows() as f64, Par::Seq);
    out
}

fn check(matrix: Matrix, given: MatRef<'_, f64>, expected: (usize, usize)) -> Result<(), GivenError> {
    let found = (given.nrows(), given.ncols());
    if found == expected { Ok(()) } else { Err(GivenError::Shape { matrix, expected, found }) }
}

#[cfg(test)]
mod tests {
    use faer::{Mat, mat};

    use super::{Given, GivenError, Matrix};

    #[test]
    fn moments_are_those_worked_by_hand() {
        let inputs = mat![[1.0, 2.0], [3.0, -4.0]];
        let labels = mat![[1.0, 0.0], [0.0, 1.0]];
        let mean_views = mat![[2.0, 0.0], [0.0, 2.0]];
        let covariance = mat![[1.0, 0.5], [0.5, 3.0]];
        let given = Given {
            inputs: inputs.as_ref(),
            labels: Some(labels.as_ref()),
            mean_views: Some(mean_views.as_ref()),
            covariance: Some(covariance.as_ref()),
        };
        let moments = given.moments().unwrap();
        assert_eq!(moments.mean, mat![[1.0], [1.0]]);
        assert_eq!(moments.mean_views, mat![[2.0, 0.0], [0.0, 2.0]]);
        assert_eq!(moments.views, mat![[3.0, 0.5], [0.5, 5.0]]);
        assert_eq!(moments.cross, mat![[1.0, 3.0], [2.0, -4.0]]);
        assert_eq!(moments.view_labels, mat![[1.0, 0.0], [0.0, 1.0]]);
        assert_eq!(moments.inputs, mat![[5.0, -5.0], [-5.0, 10.0]]);
        assert_eq!(moments.input_labels, mat![[0.5, 1.5], [1.0, -2.0]]);
        assert_eq!((moments.samples, moments.size(), moments.labels()), (2, 2, 2));
        assert_eq!(moments.label_power.to_bits(), 1.0_f64.to_bits());
        // Without views, all of them are the inputs'.
        let moments = Given { mean_views: None, covariance: None, ..given }.moments().unwrap();
        for moment in [&moments.mean_views, &moments.views, &moments.cross] {
            assert_eq!(moment, &moments.inputs);
        }
        assert_eq!(moments.view_labels, moments.input_labels);
        // Without labels, the same with none.
        let unlabelled =
            Given { labels: None, mean_views: None, covariance: None, ..given }.moments().unwrap();
        assert_eq!((unlabelled.labels(), &unlabelled.views), (0, &moments.views));
    }

    #[test]
    fn matrices_that_do_not_fit_are_named() {
        let x = Mat::<f64>::zeros(3, 2);
        let given =
            Given { inputs: x.as_ref(), labels: Some(x.as_ref()), mean_views: None, covariance: None };
        let four = Mat::<f64>::zeros(4, 2);
        let skew = mat![[1.0, 2.0], [0.0, 1.0]];
        let empty = Mat::<f64>::zeros(0, 2);
        let cases = [
            (Given { labels: Some(four.as_ref()), ..given }, Matrix::Labels, "expected 3 × 2, found 4 × 2"),
            (
                Given { labels: Some(x.as_ref().subcols(0, 0)), ..given },
                Matrix::Labels,
                "expected 3 × 1, found 3 × 0",
            ),
            (Given { mean_views: Some(four.as_ref()), ..given }, Matrix::MeanViews, "found 4 × 2"),
            (
                Given { covariance: Some(x.as_ref()), ..given },
                Matrix::Covariance,
                "expected 2 × 2, found 3 × 2",
            ),
            (Given { covariance: Some(skew.as_ref()), ..given }, Matrix::Covariance, "differ by 2e0"),
            (Given { inputs: empty.as_ref(), ..given }, Matrix::Inputs, "expected 1 × 2, found 0 × 2"),
        ];
        for (given, matrix, words) in cases {
            let error = given.moments().unwrap_err();
            assert_eq!(error.matrix(), matrix);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert!(matches!(
            Given { covariance: Some(skew.as_ref()), ..given }.moments(),
            Err(GivenError::Asymmetric { .. })
        ));
    }
}
