//! The closed forms for any moments `(G, S, C, B)`: dense Σ, mean views that differ from the
//! inputs, ill-conditioned S.
//!
//! All paradigms begin with the Cholesky factor `S = L Lᵀ` in place of the paper's `S^(−1/2)`:
//! `S^(−1/2) = O L⁻¹` with O orthogonal, so spectra are the same and row spaces are the same. Only
//! S itself, never `S⁻¹`, is formed.
//!
//! What is here is common to them; each theorem stands in its file of
//! [`paradigms`](crate::paradigms).
//!
//! ```
//! use eigensweep_theory::closed_forms::ClosedForms;
//! use eigensweep_theory::moments::Moments;
//! use eigensweep_theory::paradigms::JOINT_EMBEDDING;
//! use faer::mat;
//!
//! // Two inputs of second moments 3 and 1, views with Σ = I, one label.
//! let (inputs, labels) = (mat![[3.0, 0.0], [0.0, 1.0]], mat![[1.0], [1.0]]);
//! let views = mat![[4.0, 0.0], [0.0, 2.0]];
//! let moments = Moments {
//!     mean_views: inputs.as_ref(),
//!     views: views.as_ref(),
//!     cross: inputs.as_ref(),
//!     view_labels: labels.as_ref(),
//!     inputs: inputs.as_ref(),
//!     input_labels: labels.as_ref(),
//!     label_power: 2.0,
//! };
//! let mut forms = ClosedForms::new(2, 1);
//! let mut problem = forms.problem(moments);
//! let omega = problem.solve(&JOINT_EMBEDDING)?.encoder().map(|encoder| encoder.spectrum.values);
//! assert_eq!(omega, Some(&[0.75, 0.5][..]));
//! # Ok::<(), eigensweep_theory::Failure>(())
//! ```

use eigensweep_spectral::cholesky::{
    factor_safely_in_place, factor_scratch, solve_lower_in_place, solve_lower_transpose_in_place,
};
use eigensweep_spectral::singular::singular_values_scratch;
use eigensweep_spectral::symmetric::{eigenvectors, eigenvectors_scratch};
use eigensweep_spectral::{Failure, MemBuffer, MemStack, StackReq};
use faer::reborrow::IntoConst;
use faer::{Mat, MatRef};

use crate::Paradigm;
use crate::moments::Moments;
use crate::spectrum::{Spectrum, Values};

/// Workspace of the closed forms for d inputs and ℓ labels.
pub struct ClosedForms {
    pub(crate) size: usize,
    /// L, lower triangle.
    pub(crate) factor: Mat<f64>,
    /// The ρ of the `S + ρI` that was factored of the present problem, and how that went.
    factored: Option<(f64, Result<(), Failure>)>,
    pub(crate) work: Mat<f64>,
    pub(crate) left: Mat<f64>,
    pub(crate) right: Mat<f64>,
    pub(crate) basis: Mat<f64>,
    pub(crate) values: Vec<f64>,
    pub(crate) map: Mat<f64>,
    pub(crate) product: Mat<f64>,
    pub(crate) memory: MemBuffer,
}

impl std::fmt::Debug for ClosedForms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClosedForms {{ size: {} }}", self.size)
    }
}

/// What a paradigm learns.
#[derive(Clone, Copy, Debug)]
pub enum Solution<'a> {
    /// A representation, which a probe reads.
    Encoder(Encoder<'a>),
    /// The labels themselves.
    Predictor(Predictor<'a>),
}

/// An encoder as a spectrum and a basis of its row space, complete: the leading k columns serve
/// every dimension k.
#[derive(Clone, Copy, Debug)]
pub struct Encoder<'a> {
    /// The values of the paradigm's [`Pencil`](crate::paradigms::Pencil) (d), descending.
    pub spectrum: Spectrum<'a>,
    /// V (d × d): the encoder is `Vₖᵀ`, normalised so that `VᵀSV = I`.
    pub basis: MatRef<'a, f64>,
    /// D (d × d): the decoder is `Dₖ`; `None` of a paradigm without one.
    pub decoder: Option<MatRef<'a, f64>>,
}

/// A linear model of the labels.
#[derive(Clone, Copy, Debug)]
pub struct Predictor<'a> {
    /// Expected squared loss over views and sample.
    pub objective: f64,
    /// Squared loss on the inputs without views.
    pub loss: f64,
    /// `V*ᵀ` (d × ℓ).
    pub map: MatRef<'a, f64>,
}

impl<'a> Solution<'a> {
    /// The encoder, of a paradigm that learns a representation.
    #[must_use]
    pub fn encoder(self) -> Option<Encoder<'a>> {
        match self {
            Self::Encoder(encoder) => Some(encoder),
            Self::Predictor(_) => None,
        }
    }

    /// The model of the labels, of a paradigm that learns one.
    #[must_use]
    pub fn predictor(self) -> Option<Predictor<'a>> {
        match self {
            Self::Predictor(predictor) => Some(predictor),
            Self::Encoder(_) => None,
        }
    }
}

/// The closed forms of one problem.
#[derive(Debug)]
pub struct Problem<'f, 'm> {
    forms: &'f mut ClosedForms,
    moments: Moments<'m>,
}

impl Problem<'_, '_> {
    /// Solves the problem by a paradigm.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is not: the theorems' own assumption.
    /// [`Failure::NotFinite`], [`Failure::NoConvergence`].
    pub fn solve(&mut self, paradigm: &Paradigm) -> Result<Solution<'_>, Failure> {
        (paradigm.solve)(self.forms, &self.moments)
    }
}

impl ClosedForms {
    /// Workspace for up to `size` = d inputs and `labels` = ℓ.
    #[must_use]
    pub fn new(size: usize, labels: usize) -> Self {
        let scratch = StackReq::any_of(&[
            factor_scratch(size),
            eigenvectors_scratch(size),
            singular_values_scratch(size),
        ]);
        let square = || Mat::zeros(size, size);
        Self {
            size,
            factor: square(),
            factored: None,
            work: square(),
            left: square(),
            right: square(),
            basis: square(),
            values: vec![0.0; size],
            map: Mat::zeros(size, labels),
            product: Mat::zeros(size, labels),
            memory: MemBuffer::new(scratch),
        }
    }

    /// A problem, of which S is factored once whatever the number of paradigms.
    ///
    /// # Panics
    ///
    /// If it is larger than the workspace; at the first paradigm.
    pub fn problem<'m>(&mut self, moments: Moments<'m>) -> Problem<'_, 'm> {
        self.forget();
        Problem { forms: self, moments }
    }

    /// Another problem comes.
    pub(crate) fn forget(&mut self) {
        self.factored = None;
    }

    /// Factors `S + ρI = L Lᵀ`, unless that is what was factored last of the problem.
    pub(crate) fn factor(&mut self, moments: &Moments<'_>, ridge: f64) -> Result<(), Failure> {
        self.size = moments.views.nrows();
        if let Some((of, outcome)) = self.factored
            && of.to_bits() == ridge.to_bits()
        {
            return outcome;
        }
        let mut factor = self.factor.as_mut().submatrix_mut(0, 0, self.size, self.size);
        factor.copy_from_triangular_lower(moments.views);
        for i in 0..self.size {
            factor[(i, i)] += ridge;
        }
        let inverse = self.work.as_mut().submatrix_mut(0, 0, self.size, self.size);
        let outcome = factor_safely_in_place(factor, inverse, MemStack::new(&mut self.memory));
        self.factored = Some((ridge, outcome));
        outcome
    }

    /// The eigenvectors of a symmetric M (d × d) relative to what was factored:
    /// `L⁻¹ M L⁻ᵀ = Q Ω Qᵀ`, `V = L⁻ᵀ Q`.
    ///
    /// Cost: d³ (two solves) + ≈ 9d³ (eigenvectors) + d³ (back) flops.
    pub(crate) fn pencil(&mut self, matrix: MatRef<'_, f64>) -> Result<Encoder<'_>, Failure> {
        let size = self.size;
        let factor = self.factor.as_ref().submatrix(0, 0, size, size);
        let mut work = self.work.as_mut().submatrix_mut(0, 0, size, size);
        work.copy_from(matrix);
        solve_lower_in_place(factor, work.as_mut());
        solve_lower_in_place(factor, work.as_mut().transpose_mut());
        let mut vectors = self.left.as_mut().submatrix_mut(0, 0, size, size);
        let values = &mut self.values[..size];
        eigenvectors(work, values, vectors.as_mut(), MemStack::new(&mut self.memory))?;
        values.reverse();
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, size);
        basis.copy_from(vectors.as_ref().reverse_cols());
        solve_lower_transpose_in_place(factor, basis.as_mut());
        let spectrum = Spectrum { of: Values::Eigenvalues, values };
        Ok(Encoder { spectrum, basis: basis.into_const(), decoder: None })
    }
}
