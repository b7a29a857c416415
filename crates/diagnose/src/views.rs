//! The views of a question: moments of any views of the training rows, at any alignment.

use std::fmt;

use faer::{Mat, MatRef};

use crate::solver::Problem;

/// An error of the caller's.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What views both paradigms learn from.
#[derive(Clone, Copy)]
pub enum Views<'a> {
    /// The noise's own, where no others are given: Σ = α²Γ̂ + s I, s a hundredth of the mean
    /// variance of the features; Γ̂ that of the training rows.
    Noise,
    /// Additive, Σ = Θ + α²Γ̂, with this Θ (d × d, both triangles).
    Additive(MatRef<'a, f64>),
    /// Any others, whose moments the caller computes.
    OfRows(&'a dyn ViewsOfRows),
}

impl Views<'_> {
    /// α of views as they are given: 1 of [`Views::Noise`], else 0.
    #[must_use]
    pub fn alignment(&self) -> f64 {
        match self {
            Self::Noise => 1.0,
            Self::Additive(_) | Self::OfRows(_) => 0.0,
        }
    }
}

impl fmt::Debug for Views<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Noise => "Noise",
            Self::Additive(_) => "Additive",
            Self::OfRows(_) => "OfRows",
        })
    }
}

/// Views whose moments the caller computes: exactly, from the moments of the training rows, or by
/// drawing views of the rows.
pub trait ViewsOfRows: Sync {
    /// Looks at the training rows of a fold, once; the answer gives the moments at each alignment.
    ///
    /// Called on several threads, for different folds. For the answer to be reproducible the views
    /// that are drawn of a row must depend on the row alone.
    ///
    /// # Errors
    ///
    /// Whatever the caller likes; it comes back as
    /// [`DiagnoseError::Views`](crate::DiagnoseError::Views), a
    /// [`DiagnoseError`](crate::DiagnoseError) such as that of [`Run::check`](crate::Run::check) as
    /// itself.
    fn of<'a>(&'a self, training: &'a Training<'a>) -> Result<AtAnyAlignment<'a>, Fault>;
}

/// The moments of the views of a fold at an alignment α: of `x + αγ` in place of each row x before
/// any other map, γ of mean zero and covariance [`Training::noise`].
pub type AtAnyAlignment<'a> = Box<dyn FnMut(f64) -> Result<ViewMoments, Fault> + 'a>;

/// What both paradigms are trained on in a fold.
#[derive(Clone, Copy, Debug)]
pub struct Training<'a> {
    /// μ (d).
    pub mean: &'a [f64],
    /// C, the covariance about μ, divided by the number of rows (d × d, both triangles). The second
    /// moment that `views::stages::State` begins with is C + μμᵀ.
    pub inputs: MatRef<'a, f64>,
    /// Γ̂ (d × d, both triangles).
    pub noise: MatRef<'a, f64>,
    /// The training rows, ascending: of [`Repeats`](crate::Measurements::Repeats) of m rows each, i
    /// is row i of the first and m + i row i of the second; else rows of the table. Rows without a
    /// partner are not among them.
    pub rows: &'a [usize],
    /// The rows that are held out, ascending: sums over all rows less those over these are often
    /// cheaper than sums over the training rows.
    pub held_out: &'a [usize],
}

/// Centred moments of views of d features: each about its own mean.
#[derive(Clone, Debug)]
pub struct ViewMoments {
    /// G (d × d, both triangles).
    pub mean_views: Mat<f64>,
    /// S (d × d, both triangles).
    pub views: Mat<f64>,
    /// C = XᵀX̄/n (d × d), a row an input.
    pub cross: Mat<f64>,
    /// What S is known to be off by once its diagonal is one (`State::rounding`); 0 if nothing is
    /// known.
    pub rounding: f64,
}

/// The moments of a fold's views at an alignment, in the features that the paradigms see.
pub(crate) enum Seen<'a> {
    /// G = C = the inputs' own.
    Additive {
        inputs: &'a Mat<f64>,
        views: Mat<f64>,
    },
    Any(ViewMoments),
}

impl Seen<'_> {
    pub(crate) fn problem(&self) -> Problem<'_> {
        match self {
            Self::Additive { inputs, views } => {
                let inputs = inputs.as_ref();
                Problem { mean_views: inputs, views: views.as_ref(), cross: inputs, rounding: 0.0 }
            }
            Self::Any(ViewMoments { mean_views, views, cross, rounding }) => {
                let (mean_views, cross) = (mean_views.as_ref(), cross.as_ref());
                Problem { mean_views, views: views.as_ref(), cross, rounding: *rounding }
            }
        }
    }

    pub(crate) fn into_moments(self) -> ViewMoments {
        match self {
            Self::Additive { inputs, views } => {
                ViewMoments { mean_views: inputs.clone(), views, cross: inputs.clone(), rounding: 0.0 }
            }
            Self::Any(moments) => moments,
        }
    }
}
