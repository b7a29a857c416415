//! All eigenvectors of a symmetric matrix.
//!
//! `A = Q Λ Qᵀ`: `A = H T Hᵀ`, the eigenvectors of the tridiagonal T, and the reflectors applied to
//! them. Backward stable: exact for a matrix within a small multiple of d·ε·‖A‖ of A (the tests
//! bound it by 20).
//!
//! Cost: 4/3 d³ (tridiagonalization) + ≤ 6 d³ (QL with vectors; divide and conquer deflates above
//! `DIVIDE_ABOVE`) + 2 d³ (back-transformation) flops.

use faer::diag::{DiagMut, DiagRef};
use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::evd::{
    ComputeEigenvectors, SelfAdjointEvdParams, self_adjoint_evd_scratch, tridiagonal_self_adjoint_evd,
};
use faer::linalg::{temp_mat_scratch, temp_mat_zeroed};
use faer::mat::AsMatMut;
use faer::{Auto, MatMut, Par, Spec};

use crate::Failure;
use crate::householder::{BLOCK, apply, householder_scratch, reduce};
use crate::scaling::normalize_lower_in_place;

/// Size above which faer's divide and conquer replaces QL with vectors.
const DIVIDE_ABOVE: usize = 32;

fn params() -> Spec<SelfAdjointEvdParams, f64> {
    let mut params = <SelfAdjointEvdParams as Auto<f64>>::auto();
    params.recursion_threshold = DIVIDE_ABOVE;
    params.into()
}

/// Scratch of [`eigenvectors`] for a matrix of size `size`.
#[must_use]
pub fn eigenvectors_scratch(size: usize) -> StackReq {
    // faer's own request underflows for size 0.
    if size == 0 {
        return StackReq::EMPTY;
    }
    StackReq::all_of(&[
        temp_mat_scratch::<f64>(BLOCK, size),
        StackReq::new::<f64>(size),
        StackReq::new::<f64>(size),
        StackReq::any_of(&[
            householder_scratch(size, size),
            self_adjoint_evd_scratch::<f64>(size, ComputeEigenvectors::Yes, Par::Seq, params()),
        ]),
    ])
}

/// Computes the eigenvalues of `matrix` (d × d, destroyed), ascending, into `values` (d), and the
/// orthonormal eigenvectors in the same order into the columns of `vectors` (d × d).
///
/// # Errors
///
/// [`Failure::NotFinite`] if A or an eigenvalue (near the largest f64) is not;
/// [`Failure::NoConvergence`].
///
/// # Panics
///
/// If the shapes do not fit one another.
pub fn eigenvectors(
    mut matrix: MatMut<'_, f64>,
    values: &mut [f64],
    mut vectors: MatMut<'_, f64>,
    stack: &mut MemStack,
) -> Result<(), Failure> {
    let size = matrix.nrows();
    assert!(matrix.ncols() == size && values.len() == size, "d × d, d values");
    assert!(vectors.nrows() == size && vectors.ncols() == size, "room for d × d eigenvectors");
    if size == 0 {
        return Ok(());
    }
    let unit = normalize_lower_in_place(matrix.as_mut())?;
    let (mut factor, stack) = temp_mat_zeroed::<f64, _, _>(BLOCK, size - 1, stack);
    let mut factor = factor.as_mat_mut();
    let (mut diagonal, stack) = stack.make_with::<f64>(size, |_| 0.0);
    let (mut off_diagonal, stack) = stack.make_with::<f64>(size, |_| 0.0);
    reduce(matrix.as_mut(), factor.as_mut(), &mut diagonal, &mut off_diagonal, stack);
    of_tridiagonal(&diagonal, &off_diagonal, values, vectors.as_mut(), stack)?;
    apply(matrix.as_ref(), factor.as_ref(), vectors, stack);
    for x in values.iter_mut() {
        *x *= unit;
    }
    if values.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
}

/// The same for a tridiagonal T, d ≥ 1; a stack for [`eigenvectors`] of this size is enough.
pub(crate) fn of_tridiagonal(
    diagonal: &[f64],
    off_diagonal: &[f64],
    values: &mut [f64],
    vectors: MatMut<'_, f64>,
    stack: &mut MemStack,
) -> Result<(), Failure> {
    tridiagonal_self_adjoint_evd(
        DiagRef::from_slice(diagonal),
        DiagRef::from_slice(off_diagonal),
        DiagMut::from_slice_mut(values),
        Some(vectors),
        Par::Seq,
        stack,
        params(),
    )
    .map_err(|_| Failure::NoConvergence)
}
