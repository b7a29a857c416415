//! Eigenvectors of a symmetric matrix: all, or the leading k.
//!
//! `A = Q Λ Qᵀ` by way of a [`band`](crate::band) up to its
//! [`LARGEST_SIZE`], the same bits on every instruction set; above it by
//! faer's blocked algorithm. Backward stable: exact for a matrix within a small multiple of d·ε·‖A‖
//! of A (the tests bound it by 20).
//!
//! Cost: 4/3 d³ (to a band) + 6 d² b (to T, one lane of a register) + up to 2 d k² (inverse
//! iteration) + 4 d² k (back-transformation) flops, k = d for all.
//!
//! Measured on one core of an AMD EPYC of the Zen 4 kind that others shared, AVX-512, of a Gram
//! matrix, at d = 100, 256, 512 and 784: 1.2, 10, 50 and 155 ms; faer 0.7, 5.8, 32 and 87. One
//! problem alone fills one lane of four between the band and the eigenvalues, and of its
//! reflectors.

use faer::diag::DiagMut;
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, MatMut, MatRef, Par};

use crate::band::LARGEST_SIZE;
use crate::band::solver::{BandSolver, Room, padded_mat, part};
use crate::lanes::InstructionSet;
use crate::scaling::normalize_lower_in_place;
use crate::{Failure, MemBuffer, MemStack};

/// Workspace for eigenvectors of one matrix at a time.
pub struct Eigensolver {
    instruction_set: InstructionSet,
    size: usize,
    band: BandSolver,
    /// Q (d × d), and above the largest size of a band a copy of A and its Q.
    vectors: Mat<f64>,
    blocked: Option<([Mat<f64>; 2], MemBuffer)>,
}

impl std::fmt::Debug for Eigensolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Eigensolver {{ size: {} }}", self.size)
    }
}

/// The room of a band.
fn room(size: usize) -> Room {
    let size = size.min(LARGEST_SIZE);
    Room { problems: 1, size, width: 0, count: size }
}

impl Eigensolver {
    /// Room for matrices of up to `size` = d.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, size: usize) -> Self {
        let blocked = || {
            let wanted = ComputeEigenvectors::Yes;
            let scratch = self_adjoint_evd_scratch::<f64>(size, wanted, Par::Seq, Default::default());
            ([(); 2].map(|()| Mat::zeros(size, size)), MemBuffer::new(scratch))
        };
        Self {
            instruction_set,
            size,
            band: BandSolver::new(instruction_set, room(size)),
            vectors: padded_mat(size.min(LARGEST_SIZE), size.min(LARGEST_SIZE)),
            blocked: (size > LARGEST_SIZE).then(blocked),
        }
    }

    /// Bytes of one, about.
    #[must_use]
    pub fn bytes(instruction_set: InstructionSet, size: usize) -> usize {
        let blocked = if size > LARGEST_SIZE { 5 * size * size } else { 0 };
        BandSolver::bytes(instruction_set, room(size)) + 8 * (size.min(LARGEST_SIZE).pow(2) + blocked)
    }

    /// Computes the eigenvalues of `matrix` (d × d, lower triangle read), descending, into `values`
    /// (d), and the orthonormal eigenvectors of the largest, in the same order, into the columns of
    /// `vectors` (d × k, k up to d): the first vectors of a longer list are those of a shorter one.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if A or an eigenvalue (near the largest f64) is not;
    /// [`Failure::NoConvergence`].
    ///
    /// # Panics
    ///
    /// If the shapes do not fit one another, or are larger than the room.
    pub fn solve(
        &mut self,
        matrix: MatRef<'_, f64>,
        values: &mut [f64],
        mut vectors: MatMut<'_, f64>,
    ) -> Result<(), Failure> {
        let size = matrix.nrows();
        assert!(matrix.ncols() == size && values.len() == size, "d × d, d values");
        let count = vectors.ncols();
        assert!(vectors.nrows() == size && count <= size, "room for d × k eigenvectors");
        assert!(size <= self.size, "room for this size");
        if size == 0 {
            return Ok(());
        }
        if size > LARGEST_SIZE {
            return self.solve_blocked(matrix, values, vectors);
        }
        let band = &mut self.band;
        band.start(size, 0);
        band.problem_mut(0).0.copy_from_triangular_lower(matrix);
        band.reduce(0, size, Ok(()));
        band.diagonalize(1, true);
        band.batch.outcome(0)?;
        band.batch.sort_descending();
        for (i, value) in values.iter_mut().enumerate() {
            *value = band.batch.value(0, i);
        }
        if !values.iter().all(|x| x.is_finite()) {
            return Err(Failure::NotFinite);
        }
        if count > 0 {
            band.leading_vectors(0, part(&mut self.vectors, size, count))?;
            vectors.copy_from(self.vectors.as_ref().submatrix(0, 0, size, count));
        }
        Ok(())
    }

    /// The same by faer's blocked algorithm, whose last bits depend on the instruction set.
    fn solve_blocked(
        &mut self,
        matrix: MatRef<'_, f64>,
        values: &mut [f64],
        mut vectors: MatMut<'_, f64>,
    ) -> Result<(), Failure> {
        let size = matrix.nrows();
        let Some(([copy, upwards], memory)) = &mut self.blocked else { return Err(Failure::NoConvergence) };
        let mut copy = copy.as_mut().submatrix_mut(0, 0, size, size);
        copy.copy_from_triangular_lower(matrix);
        let unit = normalize_lower_in_place(self.instruction_set, copy.as_mut())?;
        let mut upwards = upwards.as_mut().submatrix_mut(0, 0, size, size);
        self_adjoint_evd(
            copy.as_ref(),
            DiagMut::from_slice_mut(values),
            Some(upwards.as_mut()),
            Par::Seq,
            MemStack::new(memory),
            Default::default(),
        )
        .map_err(|_| Failure::NoConvergence)?;
        // faer sorts upwards.
        values.reverse();
        let count = vectors.ncols();
        vectors.copy_from(upwards.as_ref().reverse_cols().subcols(0, count));
        values.iter_mut().for_each(|x| *x *= unit);
        if values.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
    }
}
