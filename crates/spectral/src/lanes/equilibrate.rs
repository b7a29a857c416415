//! Quadratic forms `tr(Rᵀ M⁻¹ R)` of a group with every leading block of M: what the first k
//! columns of a basis explain, for all k.
//!
//! | symbol | code | shape |
//! |---|---|---|
//! | M | `form` | m × m, positive definite, upper triangle (rows of [`stride`]) |
//! | R | `right` | m × ℓ |
//!
//! M is scaled to unit diagonal and factored, `M = L Lᵀ`: row j of `L⁻¹R` depends on the first j
//! rows of M and R only, so its squared length is what column j adds, and running sums are the
//! forms of all leading blocks, each the same bits as alone. Whether a leading block is safely
//! definite is for the caller to see, from the diagonal of M and the pivots.
//!
//! Counts: m² (scaling) + m³/3 + m²ℓ + 2mℓ flops.

use pulp::{Simd, WithSimd};

use super::arithmetic::Arithmetic;
use super::tiles::stride;

/// Writes M and R scaled to unit diagonal to `factor` and `rows`; a diagonal entry that is not
/// positive counts as zero.
pub(crate) struct Equilibrate<'a> {
    pub(crate) size: usize,
    pub(crate) width: usize,
    pub(crate) form: &'a [f64],
    pub(crate) right: &'a [f64],
    pub(crate) factor: &'a mut [f64],
    pub(crate) rows: &'a mut [f64],
    /// m.
    pub(crate) scales: &'a mut [f64],
}

impl WithSimd for Equilibrate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, width, .. } = self;
        let stride = stride(size);
        let (form, _) = S::as_simd_f64s(self.form);
        let (right, _) = S::as_simd_f64s(self.right);
        let (factor, _) = S::as_mut_simd_f64s(self.factor);
        let (rows, _) = S::as_mut_simd_f64s(self.rows);
        let (scales, _) = S::as_mut_simd_f64s(self.scales);
        let (zero, one) = (s.all(0.0), s.all(1.0));
        for (j, scale) in scales[..size].iter_mut().enumerate() {
            let power = form[j * stride + j];
            let positive = s.greater_than_f64s(power, zero);
            *scale = s.choose(positive, s.div(one, s.sqrt(power)), zero);
        }
        let scales = &scales[..size];
        for (j, own) in scales.iter().enumerate() {
            let from = &form[j * stride + j..][..size - j];
            let to = &mut factor[j * stride + j..][..size - j];
            for ((to, x), scale) in to.iter_mut().zip(from).zip(&scales[j..]) {
                // One factor after the other: their product overflows where M is subnormal.
                *to = s.mul(s.mul(*x, *own), *scale);
            }
            for (to, x) in rows[j * width..][..width].iter_mut().zip(&right[j * width..][..width]) {
                *to = s.mul(*x, *own);
            }
        }
    }
}

/// Writes the squared length of each of the rows (of `width`) to `powers`.
pub(crate) struct Powers<'a> {
    pub(crate) width: usize,
    pub(crate) rows: &'a [f64],
    pub(crate) powers: &'a mut [f64],
}

impl WithSimd for Powers<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (rows, _) = S::as_simd_f64s(self.rows);
        let (powers, _) = S::as_mut_simd_f64s(self.powers);
        if self.width == 0 {
            powers.fill(s.all(0.0));
            return;
        }
        for (power, row) in powers.iter_mut().zip(rows.chunks_exact(self.width)) {
            let mut sum = s.all(0.0);
            for x in row {
                sum = s.mul_add(*x, *x, sum);
            }
            *power = sum;
        }
    }
}
