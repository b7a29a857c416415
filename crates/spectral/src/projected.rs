//! Eigenvalues of symmetric matrices and the power of ℓ right-hand sides along each eigenvector, without the eigenvectors.
//!
//! `A = Q Λ Qᵀ`; wanted are `λᵢ` and `‖qᵢᵀb‖²`: all that joint-embedding's probing loss needs of the pencil.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A | `matrix` | d × d | symmetric, lower triangle read |
//! | b | `rows` | d × ℓ | right-hand sides |
//! | λ | `values` | d | eigenvalues, descending |
//! | `‖qᵢᵀb‖²` | `powers` | d | in the same order |
//!
//! Method: Householder tridiagonalization `A = H T Hᵀ` (4/3 d³ flops), the reflectors applied to `b` (2 d²ℓ), implicit QL on
//! T with the rows of `Hᵀ b` rotated along (≈ 5 d²ℓ). Accumulating the d × d eigenvector matrix would take about 6 d³ more.
//! All of it for a batch of problems at once ([`lanes`](crate::lanes)).
//!
//! Backward stable: the result is exact for a matrix within a small multiple of d·ε·‖A‖ of A (the tests bound it by 20).
//! Eigenvalues below that are rounding, of either sign.

use faer::MatRef;

use crate::Failure;
use crate::lanes::InstructionSet;
use crate::lanes::batch::{Batch, Ranked};

/// Projected eigenproblems of one size, solved together.
#[derive(Debug)]
pub struct ProjectedBatch {
    batch: Batch,
    width: usize,
    order: Vec<Ranked>,
    /// Per problem d numbers, descending.
    values: Vec<f64>,
    powers: Vec<f64>,
}

impl ProjectedBatch {
    /// Room for problems of up to `size` = d and `width` = ℓ.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, size: usize, width: usize) -> Self {
        let batch = Batch::new(instruction_set, size, width, false);
        let all = batch.capacity() * size;
        let order = vec![Ranked::default(); size];
        Self { width, order, values: vec![0.0; all], powers: vec![0.0; all], batch }
    }

    /// Most problems at a time.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.batch.capacity()
    }

    /// Forgets all problems; the next ones are of this size and width.
    ///
    /// # Panics
    ///
    /// If either is larger than the room.
    pub fn start(&mut self, size: usize, width: usize) {
        assert!(size <= self.order.len(), "room for this size");
        self.width = width;
        self.batch.start(size);
    }

    /// Takes a problem and returns its place. What is not finite fails by itself, and later.
    ///
    /// # Panics
    ///
    /// If the batch is full or the shapes are not those of [`start`](Self::start).
    pub fn push(&mut self, matrix: MatRef<'_, f64>, rows: MatRef<'_, f64>) -> usize {
        let size = self.batch.size();
        assert!(self.batch.len() < self.capacity(), "room for another problem");
        assert!(matrix.nrows() == size && matrix.ncols() == size, "d × d");
        assert!(rows.nrows() == size && rows.ncols() == self.width, "d × ℓ");
        let place = self.batch.push(matrix);
        self.batch.set_rows(place, rows);
        place
    }

    /// Solves all problems.
    pub fn solve(&mut self) {
        let (size, width) = (self.batch.size(), self.width);
        self.batch.reduce();
        self.batch.reflect_rows(width);
        self.batch.diagonalize(width);
        for place in 0..self.batch.len() {
            let (values, powers) =
                (&mut self.values[place * size..][..size], &mut self.powers[place * size..][..size]);
            self.batch.read_powers(place, &mut self.order, values, powers);
        }
    }

    /// Eigenvalues of the problem at `place`, descending, and the power of its right-hand sides along each eigenvector.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if A, b or a result (eigenvalues near the largest f64) is not; [`Failure::NoConvergence`].
    pub fn solution(&self, place: usize) -> Result<(&[f64], &[f64]), Failure> {
        self.batch.outcome(place)?;
        let size = self.batch.size();
        let (values, powers) = (&self.values[place * size..][..size], &self.powers[place * size..][..size]);
        let finite = values.iter().chain(powers).all(|x| x.is_finite());
        if finite { Ok((values, powers)) } else { Err(Failure::NotFinite) }
    }
}
