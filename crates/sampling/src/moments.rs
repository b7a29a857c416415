//! The exact moment sampler: `(AᵀN, NᵀN)` given `AᵀA`, without N.
//!
//! Let `AᵀA = L Lᵀ` with L (w × r) of full column rank, so `A = U Lᵀ` with U (n × r) orthonormal. The rows of N are i.i.d.
//! `N(0, I_p)` and independent of A, so `Z = UᵀN` (r × p) is standard normal and independent of the part of N orthogonal to U,
//! whose Gram matrix is Wishart. Jointly and exactly in distribution,
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
//! Numerics: L comes from the eigendecomposition of AᵀA scaled to unit diagonal, so that a rank decision does not depend on
//! units (labels of size 1 beside pixels of size 1e3); eigenvalues at or below [`RANK_TOLERANCE`] times the largest are null
//! directions. A direction that is dropped wrongly changes second moments by at most that share.
//!
//! Cost: ≈ 9 w³ flops for L (once per clean sample), r p + p² / 2 normals, w r p + p² (r + p) flops; nothing in n.
//!
//! Source: `mathematics.md` of this project's specification, section 4; Anderson (2003), theorem 7.2.1 (Wishart of a
//! projection).

use eigensweep_spectral::symmetric::{eigenvectors, eigenvectors_scratch};
use eigensweep_spectral::{Failure, MemBuffer, MemStack};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::gram::{accumulate_lower, fill_normal};
use crate::streams::Stream;
use crate::wishart;

/// Share of the largest eigenvalue of the equilibrated Gram matrix up to which a direction is null.
///
/// Tuned: rounding in a w × w Gram matrix of n rows leaves null eigenvalues near w·ε ≈ 1e-14; a hundred times that.
pub const RANK_TOLERANCE: f64 = 1e-12;

/// Workspace of the moment sampler for one largest width w and noise dimension p.
pub struct MomentSampler {
    scaled: Mat<f64>,
    scale: Mat<f64>,
    values: Vec<f64>,
    vectors: Mat<f64>,
    factor: Mat<f64>,
    rank: usize,
    width: usize,
    samples: u64,
    conditioned: bool,
    draws: Mat<f64>,
    memory: MemBuffer,
}

impl std::fmt::Debug for MomentSampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rank, width, samples, .. } = self;
        write!(f, "MomentSampler {{ rank: {rank}, width: {width}, samples: {samples} }}")
    }
}

impl MomentSampler {
    /// Workspace for clean samples of up to `width` = k₀ + ℓ columns and up to `noise_components` = p noise components.
    #[must_use]
    pub fn new(width: usize, noise_components: usize) -> Self {
        Self {
            scaled: Mat::zeros(width, width),
            scale: Mat::zeros(width, 1),
            values: vec![0.0; width],
            vectors: Mat::zeros(width, width),
            factor: Mat::zeros(width, width),
            rank: 0,
            width: 0,
            samples: 0,
            conditioned: false,
            draws: Mat::zeros(noise_components, width + noise_components),
            memory: MemBuffer::new(eigenvectors_scratch(width)),
        }
    }

    /// Factors the clean Gram matrix `AᵀA` (w × w, lower triangle read) of a sample of `samples` rows. Every [`draw`]
    /// until the next call is conditional on it.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the Gram matrix is not finite, has a negative diagonal entry ([`Failure::NotFinite`], too) or its
    /// eigendecomposition does not converge. There is nothing to draw from until a call succeeds.
    ///
    /// # Panics
    ///
    /// If the Gram matrix is not square or larger than the workspace was made for.
    ///
    /// [`draw`]: Self::draw
    pub fn condition_on(&mut self, clean: MatRef<'_, f64>, samples: u64) -> Result<(), Failure> {
        let width = clean.nrows();
        assert!(
            clean.ncols() == width && width <= self.values.len(),
            "a w × w Gram matrix in this workspace"
        );
        // Nothing to draw from after a failure: not the sample before it.
        self.conditioned = false;
        for i in 0..width {
            let power = clean[(i, i)];
            self.scale[(i, 0)] = if power == 0.0 { 0.0 } else { power.sqrt() };
        }
        let inverse = |x: f64| if x == 0.0 { 0.0 } else { 1.0 / x };
        for j in 0..width {
            for i in j..width {
                self.scaled[(i, j)] =
                    clean[(i, j)] * inverse(self.scale[(i, 0)]) * inverse(self.scale[(j, 0)]);
            }
        }
        let mut vectors = self.vectors.as_mut().submatrix_mut(0, 0, width, width);
        eigenvectors(
            self.scaled.as_mut().submatrix_mut(0, 0, width, width),
            &mut self.values[..width],
            vectors.as_mut(),
            MemStack::new(&mut self.memory),
        )?;
        let floor = RANK_TOLERANCE * self.values[..width].last().copied().unwrap_or(0.0);
        let most = wishart::root_columns(width, samples);
        self.rank = self.values[..width].iter().rev().take(most).take_while(|&&x| x > floor).count();
        for r in 0..self.rank {
            let from = width - 1 - r;
            let root = self.values[from].sqrt();
            for i in 0..width {
                self.factor[(i, r)] = vectors[(i, from)] * root * self.scale[(i, 0)];
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
    /// If the shapes are not those that the workspace was made and conditioned for, or [`condition_on`](Self::condition_on) has
    /// not succeeded before.
    pub fn draw(&mut self, cross: MatMut<'_, f64>, noise: MatMut<'_, f64>, rng: &mut Stream) {
        assert!(self.conditioned, "a clean sample to draw noise for");
        let (rank, width, components) = (self.rank, self.width, noise.nrows());
        assert!(cross.nrows() == width && cross.ncols() == components, "cross is w × p");
        let degrees_of_freedom = self.samples - rank as u64;
        let columns = wishart::root_columns(components, degrees_of_freedom);
        let mut draws = self.draws.as_mut().submatrix_mut(0, 0, components, rank + columns);
        fill_normal(draws.as_mut().submatrix_mut(0, 0, components, rank), rng);
        wishart::root(draws.as_mut().submatrix_mut(0, rank, components, columns), degrees_of_freedom, rng);
        let draws = draws.as_ref();
        matmul(
            cross,
            Accum::Replace,
            self.factor.as_ref().submatrix(0, 0, width, rank),
            draws.submatrix(0, 0, components, rank).transpose(),
            1.0,
            Par::Seq,
        );
        accumulate_lower(noise, Accum::Replace, draws);
    }
}
