//! Dense products and factors of one problem, the same bits on every instruction set.
//!
//! Where a problem stands alone (a sampler's moments, a probe on clean inputs, principal
//! components) there are no lanes to interleave: registers run down the columns instead. faer's
//! products are blocked by shape and by instruction set, and so is their rounding; here every entry
//! is one chain of fused multiply-adds in ascending order of the summation index. Neither the width
//! of a register, nor a tile, nor how many other rows and columns there are changes a bit.
//!
//! | | computes | flops |
//! |---|---|---|
//! | [`product`] | `T (+)= L R` | 2 m n q |
//! | [`gram_lower`] | lower triangle of `G (+)= F Fᵀ` | m² q |
//! | [`RowGram`] | `AᵀA` of rows that lie anywhere | w² a row |
//! | [`factor_in_place`] | `M = L Lᵀ` | m³/3 |
//! | [`factor_pivoted`] | the same for M of rank r | m r² |
//! | [`solve_lower_in_place`] | `L⁻¹ R` | m² n |

pub(crate) mod cholesky;
pub(crate) mod product;
mod row_gram;
pub(crate) mod transposition;

pub use cholesky::{factor_in_place, factor_pivoted, solve_lower_in_place};
pub(crate) use product::{column, column_mut};
pub use product::{gram_lower, product};
pub use row_gram::{HeldRows, RowGram, Rows};

/// Asks for the cache lines of numbers, without waiting for them.
#[inline(always)]
pub fn prefetch<T>(numbers: &[T]) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    for line in numbers.chunks(64 / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64, and a prefetch reads nothing: no address can make it fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(any(not(target_arch = "x86_64"), miri))]
    let _ = numbers;
}
