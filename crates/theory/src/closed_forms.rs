//! The closed forms for any moments `(G, S, C, B)`: dense Σ, mean views that differ from the
//! inputs, ill-conditioned or singular S.
//!
//! All paradigms begin with the Cholesky factor `S = L Lᵀ` in place of the paper's `S^(−1/2)`:
//! `S^(−1/2) = O L⁻¹` with O orthogonal, so spectra are the same and row spaces are the same. Only
//! S itself, never `S⁻¹`, is formed.
//!
//! Where S is singular (constant, zero or collinear inputs, masks, fewer samples than inputs) the
//! problem is solved on its range, r = rank S: a T (d × r) with `TᵀST = I` takes the place of
//! `L⁻ᵀ`. There are r values and r directions, and k above r is no problem of this sample
//! ([`Failure::DimensionAboveRank`]). Nothing that views show distinguishes a direction from
//! another with a share in the null space of S; the one without, of the smallest norm, is the
//! solution: `V* = BᵀS⁺`, and columns of V in the range of S.
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
//! let found = omega.unwrap_or_default().iter().zip([0.75, 0.5]);
//! assert!(found.len() == 2 && found.into_iter().all(|(x, y)| (x - y).abs() < 1e-15));
//! # Ok::<(), eigensweep_theory::Failure>(())
//! ```

use eigensweep_spectral::Failure;
use eigensweep_spectral::general::{GeneralBatch, Pencil};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::singular::SingularValues;
use eigensweep_spectral::symmetric::Eigensolver;
use faer::reborrow::IntoConst;
use faer::{Mat, MatRef};

use crate::Paradigm;
use crate::moments::Moments;
use crate::root::Root;
use crate::spectrum::{Spectrum, Values};

/// Workspace of the closed forms for d inputs and ℓ labels.
pub struct ClosedForms {
    pub(crate) instruction_set: InstructionSet,
    pub(crate) size: usize,
    pub(crate) root: Root,
    /// The ρ of the `S + ρI` that was factored of the present problem, and its rank.
    factored: Option<(f64, Result<usize, Failure>)>,
    pub(crate) work: Mat<f64>,
    pub(crate) left: Mat<f64>,
    pub(crate) right: Mat<f64>,
    pub(crate) basis: Mat<f64>,
    pub(crate) values: Vec<f64>,
    pub(crate) map: Mat<f64>,
    pub(crate) product: Mat<f64>,
    pub(crate) eigensolver: Eigensolver,
    pub(crate) singular: SingularValues,
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

/// An encoder as a spectrum and a basis of its row space: the leading k columns serve every
/// dimension k up to r, the rank of S, or up to as many as were asked for.
#[derive(Clone, Copy, Debug)]
pub struct Encoder<'a> {
    /// The values of the paradigm's [`Pencil`](crate::paradigms::Pencil) (r), descending.
    pub spectrum: Spectrum<'a>,
    /// V (d × r, or the columns that were asked for): the encoder is `Vₖᵀ`, normalised so that
    /// `VᵀSV = I`.
    pub basis: MatRef<'a, f64>,
    /// D (p × r): the decoder is `Dₖ`; `None` of a paradigm without one, and in lanes.
    pub decoder: Option<MatRef<'a, f64>>,
}

impl<'a> Encoder<'a> {
    /// r.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.spectrum.values.len()
    }

    /// `Vₖ` (d × k).
    ///
    /// # Errors
    ///
    /// [`Failure::DimensionAboveRank`] if there are not so many directions.
    ///
    /// # Panics
    ///
    /// If there are, but not so many were asked for.
    pub fn leading(&self, dimension: usize) -> Result<MatRef<'a, f64>, Failure> {
        let rank = self.rank();
        if dimension > rank {
            return Err(Failure::DimensionAboveRank { rank });
        }
        Ok(self.basis.subcols(0, dimension))
    }
}

/// A linear model of the labels.
#[derive(Clone, Copy, Debug)]
pub struct Predictor<'a> {
    /// r, the rank of S.
    pub rank: usize,
    /// Expected squared loss over views and sample.
    pub objective: f64,
    /// Squared loss on the inputs without views.
    pub loss: f64,
    /// `V*ᵀ` (d × ℓ), of the smallest norm.
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
    /// The same of an S that is known to be off by so much, in the spectral norm once its diagonal
    /// is one: directions that this hides are not in its range.
    #[must_use]
    pub fn with_rounding(self, rounding: f64) -> Self {
        self.forms.root.rounding = rounding;
        self
    }

    /// Solves the problem by a paradigm.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is negative in some direction, and so no second
    /// moment. [`Failure::NotFinite`], [`Failure::NoConvergence`].
    pub fn solve(&mut self, paradigm: &Paradigm) -> Result<Solution<'_>, Failure> {
        (paradigm.solve)(self.forms, &self.moments)
    }

    /// The rank r of S, d where it is positive definite: how many directions there are.
    ///
    /// # Errors
    ///
    /// As [`solve`](Self::solve).
    pub fn rank(&mut self) -> Result<usize, Failure> {
        self.forms.factor(&self.moments, 0.0)
    }
}

impl ClosedForms {
    /// Workspace for up to `size` inputs and features of views, and `labels` = ℓ.
    #[must_use]
    pub fn new(size: usize, labels: usize) -> Self {
        Self::on(InstructionSet::detect(), size, labels)
    }

    /// The same for kernels on an instruction set, which changes no bit of problems of up to
    /// [`LARGEST_SIZE`](eigensweep_spectral::band::LARGEST_SIZE) inputs.
    #[must_use]
    pub fn on(instruction_set: InstructionSet, size: usize, labels: usize) -> Self {
        let square = || Mat::zeros(size, size);
        Self {
            instruction_set,
            size,
            root: Root::new(instruction_set, size),
            factored: None,
            work: square(),
            left: square(),
            right: square(),
            basis: square(),
            values: vec![0.0; size],
            map: Mat::zeros(size, labels),
            product: Mat::zeros(size, labels),
            eigensolver: Eigensolver::new(instruction_set, size),
            singular: SingularValues::new(instruction_set, size),
        }
    }

    /// Bytes of a workspace, about.
    #[must_use]
    pub fn bytes(instruction_set: InstructionSet, size: usize) -> usize {
        // Four squares, three of the root, and panels.
        let own = 8 * size * (7 * size + 200);
        own + Eigensolver::bytes(instruction_set, size) + SingularValues::bytes(size)
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

    /// A pencil that lanes solved, its values as `value` makes them what `of` says.
    pub(crate) fn read_pencil(
        &mut self,
        lanes: &GeneralBatch,
        (pencil, place): (Pencil, usize),
        count: usize,
        of: Values,
        value: impl Fn(f64) -> f64,
    ) -> Result<Encoder<'_>, Failure> {
        let found = lanes.values(pencil, place)?;
        self.size = found.len();
        let values = &mut self.values[..self.size];
        values.iter_mut().zip(found).for_each(|(to, found)| *to = value(*found));
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, self.size, count);
        lanes.vectors(pencil, place, basis.as_mut());
        Ok(Encoder { spectrum: Spectrum { of, values }, basis: basis.into_const(), decoder: None })
    }

    /// Another problem comes.
    pub(crate) fn forget(&mut self) {
        self.factored = None;
        self.root.rounding = 0.0;
    }

    /// Factors `S + ρI`, unless that is what was factored last of the problem; returns its rank.
    pub(crate) fn factor(&mut self, moments: &Moments<'_>, ridge: f64) -> Result<usize, Failure> {
        self.size = moments.views.nrows();
        if let Some((of, outcome)) = self.factored
            && of.to_bits() == ridge.to_bits()
        {
            return outcome;
        }
        let workspace = [&mut self.work, &mut self.left]
            .map(|matrix| matrix.as_mut().submatrix_mut(0, 0, self.size, self.size));
        let outcome = self.root.factor(moments.views, ridge, workspace, &mut self.eigensolver);
        self.factored = Some((ridge, outcome));
        outcome
    }

    /// The eigenvectors of a symmetric M (d × d) relative to what was factored:
    /// `Tᵀ M T = Q Ω Qᵀ`, `V = T Q`.
    ///
    /// Cost: d³ (two solves) + ≈ 9d³ (eigenvectors) + d³ (back) flops; of rank r 2d²r + 2dr² + ≈
    /// 9r³ + 2dr².
    pub(crate) fn pencil(&mut self, matrix: MatRef<'_, f64>) -> Result<Encoder<'_>, Failure> {
        let (size, rank) = (self.size, self.root.rank());
        let mut half = self.right.as_mut().submatrix_mut(0, 0, rank, size);
        self.root.reduce_left(matrix, half.as_mut());
        let mut form = self.work.as_mut().submatrix_mut(0, 0, rank, rank);
        self.root.reduce_right(half.as_ref(), form.as_mut());
        let mut vectors = self.left.as_mut().submatrix_mut(0, 0, rank, rank);
        let values = &mut self.values[..rank];
        self.eigensolver.solve(form.as_ref(), values, vectors.as_mut())?;
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, rank);
        self.root.lift(vectors.as_ref(), basis.as_mut());
        let spectrum = Spectrum { of: Values::Eigenvalues, values };
        Ok(Encoder { spectrum, basis: basis.into_const(), decoder: None })
    }
}
