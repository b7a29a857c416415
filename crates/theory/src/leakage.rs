//! Leakage: the share of a representation's variance that is irrelevant noise.
//!
//! `tr( (Vᵀ(C₀+Γ)V)⁺ VᵀΓV ) / k`, with C₀ the clean second moment and Γ the covariance of the
//! irrelevant features, both of the *population*: it says what the encoder passes on from a new
//! input, and it is defined for every n. In \[0, 1\], and invariant to the encoder's free factor;
//! one noise component in place of a signal component gives 1/k.
//!
//! Principal angles between the row space and the important components mislead when scales differ:
//! a row can point along a signal component and still carry almost only noise, if the component
//! that it barely touches has 10⁴ times the variance.

use eigensweep_spectral::dense::{factor_pivoted, gram_lower};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::semidefinite::{explained_power, explained_power_scratch};
use eigensweep_spectral::{MemBuffer, MemStack};
use faer::{Accum, Mat, MatRef};

use crate::probing::quadratic_form;

/// The clean second moment C₀ of the important components (k₀).
#[derive(Clone, Copy, Debug)]
pub enum CleanMoment<'a> {
    /// κ²/n per component: principal components, or a synthetic signal.
    Diagonal(&'a [f64]),
    /// C₀ (k₀ × k₀), both triangles: raw features.
    Dense(MatRef<'a, f64>),
    /// Signal and noise on the same components, both triangles; there are no others.
    Mixed {
        /// C₀ + Γ (d × d).
        inputs: MatRef<'a, f64>,
        /// Γ (d × d).
        noise: MatRef<'a, f64>,
    },
}

impl CleanMoment<'_> {
    /// Number k₀ of important components.
    #[must_use]
    pub fn components(&self) -> usize {
        match self {
            Self::Diagonal(moments) => moments.len(),
            Self::Dense(matrix) | Self::Mixed { inputs: matrix, .. } => matrix.nrows(),
        }
    }
}

/// The population behind a sample: C₀ on the first k₀ components, Γ on the last p.
#[derive(Clone, Copy, Debug)]
pub struct Population<'a> {
    /// C₀.
    pub clean: CleanMoment<'a>,
    /// Eigenvalues of Γ on the noise components (p).
    pub gamma: &'a [f64],
}

/// Workspace to measure leakage of up to `size` inputs.
pub struct Leakage {
    instruction_set: InstructionSet,
    image: Mat<f64>,
    turned: Mat<f64>,
    form: Mat<f64>,
    noise: Mat<f64>,
    memory: MemBuffer,
}

impl std::fmt::Debug for Leakage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leakage {{ size: {}, noise: {} }}", self.image.nrows(), self.noise.ncols())
    }
}

impl Leakage {
    /// Workspace for `size` = d inputs of which at most `noise_components` are noise.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, size: usize, noise_components: usize) -> Self {
        Self::up_to(instruction_set, size, noise_components, size)
    }

    /// The same for representations of up to `dimension` = k columns.
    #[must_use]
    pub fn up_to(
        instruction_set: InstructionSet,
        size: usize,
        noise_components: usize,
        dimension: usize,
    ) -> Self {
        Self {
            instruction_set,
            image: Mat::zeros(size, dimension),
            turned: Mat::zeros(dimension, size),
            form: Mat::zeros(dimension, dimension),
            noise: Mat::zeros(dimension, noise_components),
            memory: MemBuffer::new(explained_power_scratch(dimension)),
        }
    }

    /// Numbers of such a workspace, about.
    pub(crate) fn numbers(size: usize, noise_components: usize, dimension: usize) -> usize {
        dimension * (2 * size + 2 * dimension + noise_components)
    }

    /// Leakage of the encoder whose row space is spanned by the columns of `basis` (d × k), in \[0,
    /// 1\].
    ///
    /// # Panics
    ///
    /// If d is not k₀ + p.
    pub fn of(&mut self, basis: MatRef<'_, f64>, population: Population<'_>) -> f64 {
        let (size, dimension) = (basis.nrows(), basis.ncols());
        let signal = population.clean.components();
        assert!(size == signal + population.gamma.len(), "d = k₀ + p");
        if let CleanMoment::Mixed { inputs, noise } = population.clean {
            return self.of_mixed(basis, inputs, noise);
        }
        let mut form = self.form.as_mut().submatrix_mut(0, 0, dimension, dimension);
        // Rows of F are columns of V, scaled: Vᵀ(C₀+Γ)V = F Fᵀ where C₀ is diagonal.
        let mut turned = self.turned.as_mut().submatrix_mut(0, 0, dimension, size);
        let mut noise = self.noise.as_mut().submatrix_mut(0, 0, dimension, population.gamma.len());
        for (j, gamma) in population.gamma.iter().enumerate() {
            let root = gamma.sqrt();
            for i in 0..dimension {
                let x = basis[(signal + j, i)] * root;
                noise[(i, j)] = x;
                turned[(i, signal + j)] = x;
            }
        }
        match population.clean {
            CleanMoment::Diagonal(moments) => {
                for (j, moment) in moments.iter().enumerate() {
                    let root = moment.sqrt();
                    for i in 0..dimension {
                        turned[(i, j)] = basis[(j, i)] * root;
                    }
                }
                gram_lower(self.instruction_set, form.as_mut(), Accum::Replace, turned.as_ref());
            }
            CleanMoment::Dense(matrix) | CleanMoment::Mixed { inputs: matrix, .. } => {
                let image = self.image.as_mut().submatrix_mut(0, 0, signal, dimension);
                let turned = turned.subcols_mut(0, signal);
                let basis = basis.subrows(0, signal);
                quadratic_form(self.instruction_set, basis, matrix, image, turned, form.as_mut());
                gram_lower(self.instruction_set, form.as_mut(), Accum::Add, noise.as_ref());
            }
        }
        let share = explained_power(self.instruction_set, form, noise, 0.0, MemStack::new(&mut self.memory))
            / dimension as f64;
        share.clamp(0.0, 1.0)
    }

    /// The same where signal and noise are on the same components.
    fn of_mixed(&mut self, basis: MatRef<'_, f64>, inputs: MatRef<'_, f64>, noise: MatRef<'_, f64>) -> f64 {
        let (size, dimension) = (basis.nrows(), basis.ncols());
        let image = self.image.as_mut().submatrix_mut(0, 0, size, dimension);
        let turned = self.turned.as_mut().submatrix_mut(0, 0, dimension, size);
        let mut form = self.form.as_mut().submatrix_mut(0, 0, dimension, dimension);
        quadratic_form(self.instruction_set, basis, noise, image, turned, form.as_mut());
        // R with R Rᵀ = VᵀΓV, what is rounding left out.
        let mut root = Mat::zeros(dimension, dimension);
        let mut remaining = vec![0.0; dimension];
        let tolerance = dimension as f64 * f64::EPSILON;
        let (isa, to) = (self.instruction_set, root.as_mut());
        let factored = factor_pivoted(isa, form.as_ref(), tolerance, dimension, to, &mut remaining);
        let Ok(rank) = factored else { return f64::NAN };
        let image = self.image.as_mut().submatrix_mut(0, 0, size, dimension);
        let turned = self.turned.as_mut().submatrix_mut(0, 0, dimension, size);
        quadratic_form(self.instruction_set, basis, inputs, image, turned, form.as_mut());
        let memory = MemStack::new(&mut self.memory);
        let power =
            explained_power(self.instruction_set, form, root.as_mut().subcols_mut(0, rank), 0.0, memory);
        (power / dimension as f64).clamp(0.0, 1.0)
    }
}
