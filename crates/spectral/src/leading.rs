//! Leading eigenvectors of one symmetric matrix for several k, each a function of the matrix and k alone.
//!
//! `A = H T Hᵀ` once; then, per k, eigenvectors of T and the reflectors applied to k of them. Two routes to those of T:
//!
//! - *narrow*, k ≤ d/2 and d ≥ [`NARROW_FROM`]: eigenvalues by QL without vectors, then inverse iteration
//!   (`inverse_iteration.rs`) for k of them;
//! - *wide*: all of them by faer (QL with vectors, or divide and conquer).
//!
//! The route depends on d and k, never on the other k that are asked for, and the first vectors of a longer list are those of a
//! shorter one: so adding dimensions to a grid changes no bit of the rows that were there. For the same reason the
//! reflectors are applied to exactly k columns, since blocked products round according to their shapes.
//!
//! Cost: 4/3 d³ once; narrow ≈ 2d² square roots and divisions (QL) + 8 d k² flops (inverse iteration); wide ≤ 6 d³; then 2 d² k.

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::{Mat, MatMut, MatRef};

use crate::Failure;
use crate::householder::{BLOCK, apply, householder_scratch, reduce};
use crate::inverse_iteration::{extend, extend_scratch};
use crate::scaling::normalize_lower_in_place;
use crate::symmetric::{eigenvectors_scratch, of_tridiagonal};
use crate::tridiagonal::implicit_ql;

/// Size from which the narrow route is taken. Measured at k = d/2: at d = 50 the wide route is 10 % faster, at d = 64 the
/// narrow one 30 %.
pub const NARROW_FROM: usize = 56;

/// A symmetric matrix in tridiagonal form, and its eigenvectors as far as they were asked for.
pub struct LeadingEigenvectors {
    size: usize,
    unit: f64,
    /// T and, below it, the reflectors.
    reflectors: Mat<f64>,
    block_factor: Mat<f64>,
    diagonal: Vec<f64>,
    off_diagonal: Vec<f64>,
    narrow: Route,
    wide: Route,
    scratch: Vec<f64>,
    /// Eigenvalues of A, as last returned.
    values: Vec<f64>,
    memory: MemBuffer,
}

/// Eigenvalues, ascending, and eigenvectors of T, found in one way.
struct Route {
    values: Vec<f64>,
    solved: bool,
    vectors: Mat<f64>,
    /// Narrow: how many vectors are there, and whether more can be had.
    known: usize,
    exhausted: bool,
}

impl Route {
    fn new(size: usize) -> Self {
        Self {
            values: vec![0.0; size],
            solved: false,
            vectors: Mat::zeros(size, size),
            known: 0,
            exhausted: false,
        }
    }

    fn reset(&mut self) {
        (self.solved, self.known, self.exhausted) = (false, 0, false);
    }
}

impl std::fmt::Debug for LeadingEigenvectors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LeadingEigenvectors {{ size: {}, narrow: {} }}", self.size, self.narrow.known)
    }
}

impl LeadingEigenvectors {
    /// Workspace for matrices of up to `size` = d.
    #[must_use]
    pub fn new(size: usize) -> Self {
        let scratch = StackReq::any_of(&[
            householder_scratch(size, size),
            eigenvectors_scratch(size),
            extend_scratch(size),
        ]);
        Self {
            size: 0,
            unit: 1.0,
            reflectors: Mat::zeros(size, size),
            block_factor: Mat::zeros(BLOCK, size),
            diagonal: vec![0.0; size],
            off_diagonal: vec![0.0; size],
            narrow: Route::new(size),
            wide: Route::new(size),
            scratch: vec![0.0; size],
            values: vec![0.0; size],
            memory: MemBuffer::new(scratch),
        }
    }

    /// Takes a matrix (d × d, lower triangle read): every [`leading`](Self::leading) until the next call is of it.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if it is not.
    ///
    /// # Panics
    ///
    /// If it is not square, empty, or larger than the workspace.
    pub fn decompose(&mut self, matrix: MatRef<'_, f64>) -> Result<(), Failure> {
        let size = matrix.nrows();
        assert!(size > 0 && matrix.ncols() == size && size <= self.diagonal.len(), "1 ≤ d ≤ workspace");
        self.size = size;
        self.narrow.reset();
        self.wide.reset();
        let mut reflectors = self.reflectors.as_mut().submatrix_mut(0, 0, size, size);
        reflectors.copy_from_triangular_lower(matrix);
        self.unit = normalize_lower_in_place(reflectors.as_mut())?;
        self.block_factor.fill(0.0);
        let block_factor = self.block_factor.as_mut().submatrix_mut(0, 0, BLOCK, size - 1);
        let (diagonal, off_diagonal) = (&mut self.diagonal[..size], &mut self.off_diagonal[..size]);
        reduce(reflectors, block_factor, diagonal, off_diagonal, MemStack::new(&mut self.memory));
        Ok(())
    }

    /// Writes the orthonormal eigenvectors of the k largest eigenvalues, largest first, into `vectors` (d × k), and returns
    /// all d eigenvalues, ascending.
    ///
    /// # Errors
    ///
    /// [`Failure::NoConvergence`], or [`Failure::NotFinite`] if an eigenvalue (near the largest f64) is not.
    ///
    /// # Panics
    ///
    /// If `vectors` does not have d rows, or more than d columns.
    pub fn leading(&mut self, mut vectors: MatMut<'_, f64>) -> Result<&[f64], Failure> {
        let (size, count) = (self.size, vectors.ncols());
        assert!(vectors.nrows() == size && count <= size, "d × k, k ≤ d");
        let narrow = size >= NARROW_FROM && 2 * count <= size && self.narrow_vectors(count)?;
        if narrow {
            vectors.copy_from(self.narrow.vectors.as_ref().submatrix(0, 0, size, count));
        } else {
            self.wide_vectors()?;
            let all = self.wide.vectors.as_ref().submatrix(0, size - count, size, count);
            vectors.copy_from(all.reverse_cols());
        }
        apply(
            self.reflectors.as_ref().submatrix(0, 0, size, size),
            self.block_factor.as_ref().submatrix(0, 0, BLOCK, size - 1),
            vectors.as_mut(),
            MemStack::new(&mut self.memory),
        );
        let route = if narrow { &self.narrow } else { &self.wide };
        let values = &mut self.values[..size];
        for (value, of_form) in values.iter_mut().zip(&route.values) {
            *value = of_form * self.unit;
        }
        if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(Failure::NotFinite) }
    }

    /// Makes sure of `count` narrow vectors; false if inverse iteration gives up before.
    fn narrow_vectors(&mut self, count: usize) -> Result<bool, Failure> {
        let size = self.size;
        let route = &mut self.narrow;
        let diagonal = &self.diagonal[..size];
        let off_diagonal = &self.off_diagonal[..size];
        if !route.solved {
            let scratch = &mut self.scratch[..size];
            let values = &mut route.values[..size];
            values.copy_from_slice(diagonal);
            scratch.copy_from_slice(off_diagonal);
            implicit_ql(values, scratch, &mut [], 0)?;
            values.sort_unstable_by(f64::total_cmp);
            route.solved = true;
        }
        if route.known < count && !route.exhausted {
            let vectors = route.vectors.as_mut().submatrix_mut(0, 0, size, size);
            let stack = MemStack::new(&mut self.memory);
            let values = &route.values[..size];
            route.known = extend(diagonal, off_diagonal, values, vectors, route.known, count, stack);
            route.exhausted = route.known < count;
        }
        Ok(route.known >= count)
    }

    /// Makes sure of all vectors.
    fn wide_vectors(&mut self) -> Result<(), Failure> {
        if self.wide.solved {
            return Ok(());
        }
        let size = self.size;
        of_tridiagonal(
            &self.diagonal[..size],
            &self.off_diagonal[..size],
            &mut self.wide.values[..size],
            self.wide.vectors.as_mut().submatrix_mut(0, 0, size, size),
            MemStack::new(&mut self.memory),
        )?;
        self.wide.solved = true;
        Ok(())
    }
}
