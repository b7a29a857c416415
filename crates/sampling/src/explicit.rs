//! The explicit sampler: every noise number is drawn and the moments are summed.
//!
//! The reference that the exact moment sampler is tested against, and what a direct simulation does. Rows are drawn in
//! blocks of [`BLOCK_ROWS`], so memory does not grow with n; the cost does: n p normals and n (w + p) p flops.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::gram::{accumulate_lower, fill_normal};
use crate::streams::Stream;

/// Rows drawn at a time. A block of 64 × 160 numbers (80 kB) stays in a second-level cache.
pub const BLOCK_ROWS: usize = 64;

/// Workspace of the explicit sampler: one block of noise.
#[derive(Debug)]
pub struct ExplicitNoise {
    block: Mat<f64>,
}

impl ExplicitNoise {
    /// Workspace for up to `noise_components` = p noise components.
    #[must_use]
    pub fn new(noise_components: usize) -> Self {
        Self { block: Mat::zeros(noise_components, BLOCK_ROWS) }
    }

    /// Adds the noise of some more rows: `clean_rows` is w × m (a column a row of A, m ≤ [`BLOCK_ROWS`]); `cross` (w × p)
    /// and the lower triangle of `noise` (p × p) are added to.
    ///
    /// Draws m·p normals, row of N by row of N.
    ///
    /// # Panics
    ///
    /// If there are more than [`BLOCK_ROWS`] rows, or the shapes do not fit.
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
        matmul(cross, Accum::Add, clean_rows, block.transpose(), 1.0, Par::Seq);
        accumulate_lower(noise, Accum::Add, block);
    }
}
