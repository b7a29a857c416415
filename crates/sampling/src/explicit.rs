//! The explicit sampler: every noise number is drawn and the moments are summed.
//!
//! The reference that the exact moment sampler is tested against, and what a direct simulation
//! does. Rows are drawn in blocks of [`BLOCK_ROWS`], so memory does not grow with n; the cost does:
//! n p normals and n (w + p) p flops.

use eigensweep_spectral::dense::{gram_lower, product};
use eigensweep_spectral::lanes::InstructionSet;
use faer::{Accum, Mat, MatMut, MatRef};

use crate::gram::fill_normal;
use crate::streams::Stream;

/// Rows drawn at a time. A block of 64 × 160 numbers (80 kB) stays in a second-level cache.
pub const BLOCK_ROWS: usize = 64;

/// Workspace of the explicit sampler: one block of noise.
#[derive(Debug)]
pub struct ExplicitNoise {
    instruction_set: InstructionSet,
    block: Mat<f64>,
}

impl ExplicitNoise {
    /// Workspace for up to `noise_components` = p noise components.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, noise_components: usize) -> Self {
        Self { instruction_set, block: Mat::zeros(noise_components, BLOCK_ROWS) }
    }

    /// Adds the noise of some more rows: `clean_rows` is w × m (a column a row of A, m ≤
    /// [`BLOCK_ROWS`]); `cross` (w × p) and the lower triangle of `noise` (p × p) are added to.
    ///
    /// Draws m·p normals, row of N by row of N.
    ///
    /// # Panics
    ///
    /// If there are more than [`BLOCK_ROWS`] rows, the shapes do not fit, or columns are not
    /// contiguous.
    pub fn add_rows(
        &mut self,
        clean_rows: MatRef<'_, f64>,
        cross: MatMut<'_, f64>,
        noise: MatMut<'_, f64>,
        rng: &mut Stream,
    ) {
        let mut block = self.block.as_mut().submatrix_mut(0, 0, noise.nrows(), clean_rows.ncols());
        fill_normal(block.as_mut(), rng);
        let block = block.as_ref();
        product(self.instruction_set, cross, Accum::Add, clean_rows, block.transpose());
        gram_lower(self.instruction_set, noise, Accum::Add, block);
    }

    /// Adds some more rows of A (w × m, a column a row) to AᵀA (w × w, both triangles).
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or columns are not contiguous.
    pub fn add_gram(&self, clean_rows: MatRef<'_, f64>, gram: MatMut<'_, f64>) {
        product(self.instruction_set, gram, Accum::Add, clean_rows, clean_rows.transpose());
    }
}
