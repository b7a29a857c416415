//! Nested samples of a real data set: the prefixes of a keyed permutation, and their Gram matrices.
//!
//! The sample of size n is the first n entries of one permutation a replicate, so samples are nested in n, and AᵀA for all n
//! is one running sum. So that the bits of AᵀA(n) do not depend on which other n are asked for, the sum is taken over fixed
//! blocks of [`BLOCK_ROWS`] rows; the rows beyond the last whole block are added to a copy.
//!
//! Cost: N_max w² flops a replicate, each row read once (and up to 63 again per n).

use faer::{Accum, Mat, MatMut};
use rand::RngExt;

use crate::explicit::BLOCK_ROWS;
use crate::gram::{accumulate_lower, mirror_lower};
use crate::streams::Stream;

/// Fills `order` with a uniformly random arrangement of `order.len()` of the numbers `0..total`, in random order.
///
/// The first n entries are the sample of size n; they depend on the stream and on `total` only, not on `order.len()`: Fisher
/// and Yates's shuffle from the front. `pool` is scratch for `total` numbers; its contents do not matter.
///
/// Draws one number in `i..total` for each i.
///
/// # Panics
///
/// If `order` is longer than `total`, or `pool` shorter.
pub fn permute(total: u32, order: &mut [u32], pool: &mut [u32], rng: &mut Stream) {
    let pool = &mut pool[..total as usize];
    for (i, x) in (0..total).zip(pool.iter_mut()) {
        *x = i;
    }
    assert!(order.len() <= pool.len(), "a subset of the rows");
    for (i, chosen) in (0..total).zip(order.iter_mut()) {
        pool.swap(i as usize, rng.random_range(i..total) as usize);
        *chosen = pool[i as usize];
    }
}

/// Rows `A = [X Y]` of a data set, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Row-major numbers, a multiple of `width`.
    pub values: &'a [f64],
    /// Columns w = k₀ + ℓ.
    pub width: usize,
}

impl Rows<'_> {
    /// Copies the rows `chosen` into the columns of `block` (w × m).
    ///
    /// # Panics
    ///
    /// If `block` is not w × m, or there is no such row.
    pub fn gather(&self, chosen: &[u32], mut block: MatMut<'_, f64>) {
        assert!(block.nrows() == self.width && block.ncols() == chosen.len(), "a column of w entries a row");
        for (column, &row) in block.as_mut().col_iter_mut().zip(chosen) {
            let from = &self.values[row as usize * self.width..][..self.width];
            for (to, x) in column.iter_mut().zip(from) {
                *to = *x;
            }
        }
    }
}

/// The running Gram matrix of the prefixes of one arrangement.
#[derive(Debug)]
pub struct NestedGram {
    blocks: Mat<f64>,
    gathered: Mat<f64>,
    whole: usize,
}

impl NestedGram {
    /// Workspace for rows of `width` = w columns.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { blocks: Mat::zeros(width, width), gathered: Mat::zeros(width, BLOCK_ROWS), whole: 0 }
    }

    /// Forgets everything: a new arrangement begins.
    pub fn restart(&mut self) {
        self.blocks.fill(0.0);
        self.whole = 0;
    }

    /// Writes AᵀA (w × w, both triangles) of the first `samples` rows of `order` into `gram`. `samples` must not decrease
    /// between calls without a [`restart`](Self::restart), nor the entries of `order` below it change.
    ///
    /// # Panics
    ///
    /// If `samples` exceeds `order` or has fallen below the last whole block, if `rows` or `gram` are not w wide, or if `order`
    /// names a row that is not there.
    pub fn extend_to(&mut self, rows: Rows<'_>, order: &[u32], samples: usize, mut gram: MatMut<'_, f64>) {
        assert!(self.whole * BLOCK_ROWS <= samples && samples <= order.len(), "samples grow within order");
        while (self.whole + 1) * BLOCK_ROWS <= samples {
            let chosen = &order[self.whole * BLOCK_ROWS..][..BLOCK_ROWS];
            rows.gather(chosen, self.gathered.as_mut());
            accumulate_lower(self.blocks.as_mut(), Accum::Add, self.gathered.as_ref());
            self.whole += 1;
        }
        gram.copy_from_triangular_lower(self.blocks.as_ref());
        let rest = &order[self.whole * BLOCK_ROWS..samples];
        if !rest.is_empty() {
            let mut block = self.gathered.as_mut().subcols_mut(0, rest.len());
            rows.gather(rest, block.as_mut());
            accumulate_lower(gram.as_mut(), Accum::Add, block.as_ref());
        }
        mirror_lower(gram);
    }
}
