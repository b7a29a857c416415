//! Nested samples of a real data set: the prefixes of a keyed permutation, and their Gram matrices.
//!
//! The sample of size n is the first n entries of one permutation a replicate, so samples are
//! nested in n, and AᵀA for all n is a running sum. Each of its entries is one chain of fused
//! multiply-adds over the rows in their order ([`RowGram`]), so its bits do not depend on which
//! other n are asked for.
//!
//! Cost: at most N w² flops a replicate, each row read once.

use eigensweep_spectral::dense::RowGram;
pub use eigensweep_spectral::dense::{HeldRows, Rows};
use eigensweep_spectral::lanes::InstructionSet;
use faer::MatMut;
use rand::RngExt;

use crate::gram::mirror_lower;
use crate::streams::Stream;

/// Fills `order` with a uniformly random arrangement of `order.len()` of the numbers `0..total`, in
/// random order.
///
/// The first n entries are the sample of size n; they depend on the stream and on `total` only, not
/// on `order.len()`: Fisher and Yates's shuffle from the front. `pool` is scratch for `total`
/// numbers; its contents do not matter.
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

/// The Gram matrices of the prefixes of one arrangement of all rows, as running sums from either
/// end.
///
/// Prefixes up to half of the N rows are summed from the front. Longer ones are all rows less the
/// rest, which is summed from the back: at most N/2 rows are read for any number of prefixes in
/// each half. Which way depends on n and N only.
#[derive(Debug)]
pub struct NestedGram {
    width: usize,
    /// One-hot columns, which are last.
    classes: usize,
    /// All rows; none before they are needed.
    total: RowGram,
    /// The first and the last rows of the arrangement.
    front: RowGram,
    back: RowGram,
}

impl NestedGram {
    /// Workspace for rows of `width` = w columns, of which the last `classes` are one-hot.
    ///
    /// # Panics
    ///
    /// If there are more classes than columns.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, width: usize, classes: usize) -> Self {
        assert!(classes <= width, "classes among the columns");
        let empty = || RowGram::new(instruction_set, width - classes, classes);
        Self { width, classes, total: empty(), front: empty(), back: empty() }
    }

    /// Entries of an arrangement of `total` rows that a prefix of n rows needs.
    #[must_use]
    pub fn needs(samples: usize, total: usize) -> usize {
        if from_the_front(samples, total) { samples } else { total }
    }

    /// Forgets the arrangement: another one of the same rows begins.
    pub fn restart(&mut self) {
        self.front.clear();
        self.back.clear();
    }

    /// Writes AᵀA (w × w, both triangles) of the first `samples` = n rows of `order` into `gram`.
    /// Without a [`restart`](Self::restart) between calls, n must not decrease while it is at most
    /// N/2, nor increase while it is above, nor may `rows` or the entries of `order` change.
    ///
    /// # Panics
    ///
    /// If `order` is shorter than n [needs](Self::needs), n exceeds N or goes the wrong way, `rows`
    /// have not as many numbers as there are columns that are not one-hot, `gram` is not w wide,
    /// `order` names a row that is not there, or a row's class is not told where there are classes.
    pub fn extend_to<R: HeldRows>(
        &mut self,
        rows: &R,
        order: &[u32],
        samples: usize,
        mut gram: MatMut<'_, f64>,
    ) {
        let (width, all) = (self.width, rows.rows());
        assert!(rows.numbers() + self.classes == width, "rows of w entries");
        assert!(samples <= all && order.len() >= Self::needs(samples, all), "samples within order");
        let at = |&row: &u32| row as usize;
        let front = from_the_front(samples, all);
        if front {
            assert!(self.front.rows() <= samples, "samples grow up to half of the rows");
            self.front.add(rows, order[self.front.rows()..samples].iter().map(at));
        } else {
            if self.total.rows() != all {
                self.total.clear();
                self.total.add(rows, 0..all);
            }
            assert!(self.back.rows() <= all - samples, "samples shrink down to half of the rows");
            self.back.add(rows, order[samples..all - self.back.rows()].iter().rev().map(at));
        }
        for j in 0..width {
            for i in j..width {
                gram[(i, j)] = match front {
                    true => self.front.entry(i, j),
                    false => self.total.entry(i, j) - self.back.entry(i, j),
                };
            }
        }
        mirror_lower(gram);
    }
}

/// Whether the first n of N rows are summed themselves.
fn from_the_front(samples: usize, total: usize) -> bool {
    samples <= total / 2
}
