//! Leading eigenvectors of symmetric matrices.
//!
//! `A = H T Hᵀ`; the eigenvalues of T by implicit QL without vectors; the eigenvectors of the k
//! largest by inverse iteration; the reflectors applied to them. All of it for a batch of problems
//! at once ([`lanes`](crate::lanes)).
//!
//! The first vectors of a longer list are those of a shorter one, bit for bit: adding dimensions to
//! a grid changes nothing that was there.
//!
//! Cost: 4/3 d³ (reduction) + ≈ 17 d² (QL: d² square roots and divisions) + 2 d k² (inverse
//! iteration) + 2 d²k (reflectors) flops.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::{Mat, MatMut, MatRef, Par};

use crate::Failure;
use crate::lanes::InstructionSet;
use crate::lanes::batch::Batch;

/// Leading eigenvectors of matrices of one size, found together.
#[derive(Debug)]
pub struct LeadingBatch {
    batch: Batch,
    /// Vectors last asked for.
    count: usize,
    most: usize,
    room: usize,
    /// Per problem d numbers, descending.
    values: Vec<f64>,
}

impl LeadingBatch {
    /// Room for matrices of up to `size` = d and up to `count` = k eigenvectors of each.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, size: usize, count: usize) -> Self {
        Self::of(Batch::new(instruction_set, size, count, true), size, count)
    }

    /// The same for a few matrices, at least one, at a time: the least memory.
    #[must_use]
    pub fn single(instruction_set: InstructionSet, size: usize, count: usize) -> Self {
        Self::of(Batch::of_groups(1, instruction_set, size, count, true), size, count)
    }

    fn of(batch: Batch, size: usize, count: usize) -> Self {
        let values = vec![0.0; batch.capacity() * size];
        Self { batch, count: 0, most: count, room: size, values }
    }

    /// Most problems at a time.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.batch.capacity()
    }

    /// Forgets all problems; the next ones are of this size.
    ///
    /// # Panics
    ///
    /// If it is larger than the room.
    pub fn start(&mut self, size: usize) {
        assert!(size <= self.room, "room for this size");
        self.batch.start(size);
    }

    /// Takes a matrix (d × d, lower triangle read) and returns its place. What is not finite fails
    /// by itself, and later.
    ///
    /// # Panics
    ///
    /// If the batch is full or the shape is not that of [`start`](Self::start).
    pub fn push(&mut self, matrix: MatRef<'_, f64>) -> usize {
        let size = self.batch.size();
        assert!(self.batch.len() < self.capacity(), "room for another problem");
        assert!(matrix.nrows() == size && matrix.ncols() == size, "d × d");
        self.batch.push(matrix)
    }

    /// Finds all eigenvalues, and the eigenvectors of the `count` largest, of each problem.
    ///
    /// # Panics
    ///
    /// If `count` exceeds d or the room.
    pub fn solve(&mut self, count: usize) {
        let size = self.batch.size();
        assert!(count <= size && count <= self.most, "k ≤ d, and room for k");
        self.count = count;
        self.batch.reduce();
        self.batch.diagonalize(0);
        self.batch.sort_descending();
        for place in 0..self.batch.len() {
            for i in 0..size {
                self.values[place * size + i] = self.batch.value(place, i);
            }
        }
        if count > 0 {
            self.batch.leading_vectors(count);
        }
    }

    /// Eigenvalues of the problem at `place`, descending.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if A or an eigenvalue (near the largest f64) is not;
    /// [`Failure::NoConvergence`].
    pub fn values(&self, place: usize) -> Result<&[f64], Failure> {
        self.batch.outcome(place)?;
        let size = self.batch.size();
        let values = &self.values[place * size..][..size];
        if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(Failure::NotFinite) }
    }

    /// Writes the orthonormal eigenvectors of the largest eigenvalues of the problem at `place`,
    /// the largest first, into `vectors` (d × k).
    ///
    /// # Panics
    ///
    /// If it has not d rows, or more columns than vectors were asked for.
    pub fn vectors(&self, place: usize, mut vectors: MatMut<'_, f64>) {
        let (size, width) = (self.batch.size(), self.count);
        assert!(vectors.nrows() == size && vectors.ncols() <= width, "d × k");
        for c in 0..vectors.ncols() {
            for i in 0..size {
                vectors[(i, c)] = self.batch.row_entry(place, i, c, width);
            }
        }
    }
}

/// The most rows of a matrix whose [`eigenpairs`] are found by the kernels that give the same bits
/// everywhere. Derived from memory: a group of lanes of this order is 135 MB.
pub const MOST_IN_A_LANE: usize = 2048;

/// The `count` largest eigenvalues, descending, of one symmetric matrix (d × d, lower triangle
/// read), with orthonormal eigenvectors (d × count). Allocates: for what is found once.
///
/// The sign of each eigenvector is fixed: its entry of largest magnitude is positive, the first one
/// if several tie. Up to [`MOST_IN_A_LANE`] rows the bits are the same on every machine; beyond,
/// faer's blocked eigensolver is the faster way, and its last bits depend on the instruction set.
///
/// # Errors
///
/// [`Failure::NotFinite`] if A or an eigenvalue (near the largest f64) is not;
/// [`Failure::NoConvergence`].
///
/// # Panics
///
/// If A is not square, or `count` exceeds d.
pub fn eigenpairs(matrix: MatRef<'_, f64>, count: usize) -> Result<(Vec<f64>, Mat<f64>), Failure> {
    let (values, mut vectors) =
        if matrix.nrows() <= MOST_IN_A_LANE { in_a_lane(matrix, count)? } else { blocked(matrix, count)? };
    for column in vectors.col_iter_mut() {
        let sign = sign_of_largest(column.as_ref().iter().copied());
        column.iter_mut().for_each(|x| *x *= sign);
    }
    Ok((values, vectors))
}

/// Leading eigenpairs of one problem in a batch of its own.
fn in_a_lane(matrix: MatRef<'_, f64>, count: usize) -> Result<(Vec<f64>, Mat<f64>), Failure> {
    let size = matrix.nrows();
    let mut batch = LeadingBatch::single(InstructionSet::detect(), size, count);
    batch.start(size);
    let place = batch.push(matrix);
    batch.solve(count);
    let values = batch.values(place)?[..count].to_vec();
    let mut vectors = Mat::zeros(size, count);
    batch.vectors(place, vectors.as_mut());
    Ok((values, vectors))
}

/// The same by faer's blocked algorithm.
fn blocked(matrix: MatRef<'_, f64>, count: usize) -> Result<(Vec<f64>, Mat<f64>), Failure> {
    let size = matrix.nrows();
    let mut eigenvalues = Diag::<f64>::zeros(size);
    let mut eigenvectors = Mat::zeros(size, size);
    let wanted = ComputeEigenvectors::Yes;
    let scratch = evd::self_adjoint_evd_scratch::<f64>(size, wanted, Par::Seq, Default::default());
    let mut memory = MemBuffer::new(scratch);
    evd::self_adjoint_evd(
        matrix,
        eigenvalues.as_mut(),
        Some(eigenvectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut memory),
        Default::default(),
    )
    .map_err(|_| Failure::NoConvergence)?;
    // faer sorts upwards.
    let values: Vec<f64> = eigenvalues.column_vector().iter().rev().take(count).copied().collect();
    let vectors = eigenvectors.as_ref().reverse_cols().subcols(0, count).to_owned();
    if values.iter().all(|x| x.is_finite()) { Ok((values, vectors)) } else { Err(Failure::NotFinite) }
}

/// The sign of the entry of largest magnitude, of the first one if several tie.
fn sign_of_largest(entries: impl Iterator<Item = f64>) -> f64 {
    let mut largest = 0.0_f64;
    for entry in entries {
        if entry.abs() > largest.abs() {
            largest = entry;
        }
    }
    if largest < 0.0 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::sign_of_largest;

    #[test]
    fn the_first_of_tied_entries_decides_the_sign() {
        let sign = |entries: &[f64]| sign_of_largest(entries.iter().copied()) > 0.0;
        assert!(sign(&[0.1, 0.7, -0.7]));
        assert!(!sign(&[0.1, -0.7, 0.7]));
        assert!(!sign(&[0.5, -0.6]));
        assert!(sign(&[0.0, 0.0]));
    }
}
