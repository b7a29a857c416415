//! Householder reduction `A = H T Hᵀ` to tridiagonal form, and the reflectors H on other matrices.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A | `matrix` | d × d | lower triangle read; afterwards T, and the reflectors below it |
//! | | `block_factor` | BLOCK × (d − 1) | triangular factors of blocks of reflectors |
//! | T | `diagonal`, `off_diagonal` | d | the last off-diagonal entry is 0 |
//!
//! Cost: 4/3 d³ flops, half of them in symmetric matrix–vector products that read the triangle from
//! cache; 2 d² per column that the reflectors are applied to.

use faer::dyn_stack::{MemStack, StackReq};
use faer::linalg::evd::tridiag::{tridiag_in_place, tridiag_in_place_scratch};
use faer::linalg::householder as blocks;
use faer::{Conj, MatMut, MatRef, Par, Spec};

/// Reflectors applied together. Tuned on d = 100, ℓ = 10: 8 to 32 are alike, larger ones pay for
/// their own products.
pub(crate) const BLOCK: usize = 16;

/// Scratch of every function here, for size `size` and `width` columns.
pub(crate) fn householder_scratch(size: usize, width: usize) -> StackReq {
    StackReq::any_of(&[
        tridiag_in_place_scratch::<f64>(size, Par::Seq, Spec::default()),
        blocks::apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(size, BLOCK, width),
    ])
}

/// Reduces a d × d matrix, d ≥ 1.
pub(crate) fn reduce(
    mut matrix: MatMut<'_, f64>,
    block_factor: MatMut<'_, f64>,
    diagonal: &mut [f64],
    off_diagonal: &mut [f64],
    stack: &mut MemStack,
) {
    let size = matrix.nrows();
    tridiag_in_place(matrix.as_mut(), block_factor, Par::Seq, stack, Spec::default());
    for i in 0..size {
        diagonal[i] = matrix[(i, i)];
        off_diagonal[i] = if i + 1 < size { matrix[(i + 1, i)] } else { 0.0 };
    }
}

/// Overwrites `columns` (d × m) by `H columns`.
pub(crate) fn apply(
    reflectors: MatRef<'_, f64>,
    block_factor: MatRef<'_, f64>,
    columns: MatMut<'_, f64>,
    stack: &mut MemStack,
) {
    let size = reflectors.nrows();
    if size > 1 && columns.ncols() > 0 {
        blocks::apply_block_householder_sequence_on_the_left_in_place_with_conj(
            reflectors.submatrix(1, 0, size - 1, size - 1),
            block_factor,
            Conj::No,
            columns.subrows_mut(1, size - 1),
            Par::Seq,
            stack,
        );
    }
}
