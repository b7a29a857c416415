//! The exact moment sampler: `(AᵀN, NᵀN)` given `AᵀA`, without N.
//!
//! Let `AᵀA = L Lᵀ` with L (w × r) of full column rank, so `A = U Lᵀ` with U (n × r) orthonormal.
//! The rows of N are i.i.d. `N(0, I_p)` and independent of A, so `Z = UᵀN` (r × p) is standard
//! normal and independent of the part of N orthogonal to U, whose Gram matrix is Wishart. Jointly
//! and exactly in distribution,
//!
//! - `AᵀN = L Z`,
//! - `NᵀN = ZᵀZ + H`, `H ~ Wishart_p(I, n − r)`.
//!
//! r ≤ n always, so there is no smallest n: at n = r, H = 0 and `NᵀN = ZᵀZ` is N itself, rotated.
//!
//! | symbol | code | shape |
//! |---|---|---|
//! | L | `factor` | w × r |
//! | Z, root of H | `draws` = [Zᵀ R] | p × (r + min(p, n − r)) |
//!
//! Numerics: L comes from the Cholesky factorization with diagonal pivoting of AᵀA scaled to unit
//! diagonal, so that a rank decision does not depend on units (labels of size 1 beside pixels of
//! size 1e3). It ends where no variable has more than [`RANK_TOLERANCE`] of its power left
//! unexplained by those before: second moments change by at most that share.
//!
//! Cost: w r² flops for L (once per clean sample), r p + p² / 2 normals, 2 w r p + p² (r + p)
//! flops; nothing in n.
//!
//! Source: `mathematics.md` of this project's specification, section 4; Anderson (2003), theorem
//! 7.2.1 (Wishart of a projection).

use eigensweep_spectral::dense::{factor_pivoted, gram_lower, product};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::{Failure, MemStack, StackReq};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::{Accum, Mat, MatMut, MatRef};

use crate::gram::fill_normal;
use crate::streams::Stream;
use crate::wishart;

/// Share of a variable's power up to which nothing of it is left.
///
/// Tuned: rounding in a w × w Gram matrix of n rows leaves about w·ε ≈ 1e-14 of a variable that
/// others explain; a hundred times that.
pub const RANK_TOLERANCE: f64 = 1e-12;

/// Workspace of the moment sampler for one largest width w.
///
/// ```
/// use eigensweep_sampling::moments::MomentSampler;
/// use eigensweep_sampling::streams::{Draw, Streams};
/// use eigensweep_spectral::lanes::InstructionSet;
/// use eigensweep_spectral::{MemBuffer, MemStack};
/// use faer::Mat;
///
/// // A sample of a billion rows of one input and one label, and noise in three components.
/// let n = 1_000_000_000;
/// let clean = faer::mat![[4e9, 1e9], [1e9, 1e9]];
/// let mut sampler = MomentSampler::new(InstructionSet::detect(), 2);
/// let mut memory = MemBuffer::new(MomentSampler::scratch(2, 3));
/// let stack = MemStack::new(&mut memory);
/// sampler.condition_on(clean.as_ref(), n, stack)?;
/// let (mut cross, mut noise) = (Mat::zeros(2, 3), Mat::zeros(3, 3));
/// let mut rng = Streams::new(0).stream(Draw::Noise, &[0, n]);
/// sampler.draw(cross.as_mut(), noise.as_mut(), &mut rng, stack);
/// // NᵀN/n is near the identity, to about 1/√n.
/// assert!((noise[(0, 0)] / 1e9 - 1.0_f64).abs() < 1e-3);
/// # Ok::<(), eigensweep_spectral::Failure>(())
/// ```
pub struct MomentSampler {
    instruction_set: InstructionSet,
    scale: Vec<f64>,
    remaining: Vec<f64>,
    factor: Mat<f64>,
    rank: usize,
    width: usize,
    samples: u64,
    conditioned: bool,
}

impl std::fmt::Debug for MomentSampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rank, width, samples, .. } = self;
        write!(f, "MomentSampler {{ rank: {rank}, width: {width}, samples: {samples} }}")
    }
}

impl MomentSampler {
    /// Workspace for clean samples of up to `width` = k₀ + ℓ columns.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, width: usize) -> Self {
        Self {
            instruction_set,
            scale: vec![0.0; width],
            remaining: vec![0.0; width],
            factor: Mat::zeros(width, width),
            rank: 0,
            width: 0,
            samples: 0,
            conditioned: false,
        }
    }

    /// Scratch of both methods for samples of up to `width` = w columns and up to `noise_components`
    /// = p noise components.
    #[must_use]
    pub fn scratch(width: usize, noise_components: usize) -> StackReq {
        let draws = temp_mat_scratch::<f64>(noise_components, width + noise_components);
        draws.or(temp_mat_scratch::<f64>(width, width))
    }

    /// Factors the clean Gram matrix `AᵀA` (w × w, lower triangle read) of a sample of `samples`
    /// rows. Every [`draw`] until the next call is conditional on it.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if the Gram matrix is not finite or has a negative diagonal entry.
    /// There is nothing to draw from until a call succeeds.
    ///
    /// # Panics
    ///
    /// If the Gram matrix is not square or larger than the workspace was made for.
    ///
    /// [`draw`]: Self::draw
    pub fn condition_on(
        &mut self,
        clean: MatRef<'_, f64>,
        samples: u64,
        stack: &mut MemStack,
    ) -> Result<(), Failure> {
        let width = clean.nrows();
        assert!(clean.ncols() == width && width <= self.scale.len(), "a w × w Gram matrix in this workspace");
        // Nothing to draw from after a failure: not the sample before it.
        self.conditioned = false;
        for i in 0..width {
            let power = clean[(i, i)];
            self.scale[i] = if power == 0.0 { 0.0 } else { power.sqrt() };
        }
        let (mut scaled, _) = temp_mat_zeroed::<f64, _, _>(width, width, stack);
        let mut scaled = scaled.as_mat_mut();
        let inverse = |x: f64| if x == 0.0 { 0.0 } else { 1.0 / x };
        for j in 0..width {
            for i in j..width {
                scaled[(i, j)] = clean[(i, j)] * inverse(self.scale[i]) * inverse(self.scale[j]);
            }
        }
        let mut factor = self.factor.as_mut().submatrix_mut(0, 0, width, width);
        self.rank = factor_pivoted(
            self.instruction_set,
            scaled.as_ref(),
            RANK_TOLERANCE,
            wishart::root_columns(width, samples),
            factor.as_mut(),
            &mut self.remaining[..width],
        )?;
        for r in 0..self.rank {
            for i in 0..width {
                factor[(i, r)] *= self.scale[i];
            }
        }
        self.width = width;
        self.samples = samples;
        self.conditioned = true;
        Ok(())
    }

    /// Rank r of the clean sample that was last conditioned on.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Draws `cross` = AᵀN (w × p) and the lower triangle of `noise` = NᵀN (p × p) for unit noise.
    ///
    /// Draws r·p normals (Z, column by column of Zᵀ), then a root of H ([`wishart::root`]).
    ///
    /// # Panics
    ///
    /// If the shapes are not those that the workspace was made and conditioned for, or
    /// [`condition_on`](Self::condition_on) has not succeeded before.
    pub fn draw(
        &mut self,
        cross: MatMut<'_, f64>,
        noise: MatMut<'_, f64>,
        rng: &mut Stream,
        stack: &mut MemStack,
    ) {
        assert!(self.conditioned, "a clean sample to draw noise for");
        let (rank, width, components) = (self.rank, self.width, noise.nrows());
        assert!(cross.nrows() == width && cross.ncols() == components, "cross is w × p");
        let degrees_of_freedom = self.samples - rank as u64;
        let columns = wishart::root_columns(components, degrees_of_freedom);
        let (mut draws, _) = temp_mat_zeroed::<f64, _, _>(components, rank + columns, stack);
        let mut draws = draws.as_mat_mut();
        fill_normal(draws.as_mut().submatrix_mut(0, 0, components, rank), rng);
        wishart::root(draws.as_mut().submatrix_mut(0, rank, components, columns), degrees_of_freedom, rng);
        let draws = draws.as_ref();
        let factor = self.factor.as_ref().submatrix(0, 0, width, rank);
        let z = draws.submatrix(0, 0, components, rank).transpose();
        product(self.instruction_set, cross, Accum::Replace, factor, z);
        gram_lower(self.instruction_set, noise, Accum::Replace, draws);
    }
}
