//! The operations of a lane: each rounds once, as IEEE 754 says, on every instruction set.
//!
//! Sums of products are fused everywhere: what has no fused instruction does it in software. Minima
//! and maxima are made of comparisons, since instruction sets disagree about NaN and signed zeros.

use pulp::Simd;

use super::MAX_LANES;

/// Arithmetic on registers of which each lane holds another problem.
pub(crate) trait Arithmetic: Simd {
    /// The same number in each lane.
    #[inline(always)]
    fn all(self, x: f64) -> Self::f64s {
        self.splat_f64s(x)
    }

    /// a·b + c, rounded once.
    #[inline(always)]
    fn mul_add(self, a: Self::f64s, b: Self::f64s, c: Self::f64s) -> Self::f64s {
        self.mul_add_f64s(a, b, c)
    }

    /// c − a·b, rounded once.
    #[inline(always)]
    fn sub_mul(self, c: Self::f64s, a: Self::f64s, b: Self::f64s) -> Self::f64s {
        self.negate_mul_add_f64s(a, b, c)
    }

    /// a·b.
    #[inline(always)]
    fn mul(self, a: Self::f64s, b: Self::f64s) -> Self::f64s {
        self.mul_f64s(a, b)
    }

    /// a + b.
    #[inline(always)]
    fn add(self, a: Self::f64s, b: Self::f64s) -> Self::f64s {
        self.add_f64s(a, b)
    }

    /// a − b.
    #[inline(always)]
    fn sub(self, a: Self::f64s, b: Self::f64s) -> Self::f64s {
        self.sub_f64s(a, b)
    }

    /// a/b.
    #[inline(always)]
    fn div(self, a: Self::f64s, b: Self::f64s) -> Self::f64s {
        self.div_f64s(a, b)
    }

    /// √a.
    #[inline(always)]
    fn sqrt(self, a: Self::f64s) -> Self::f64s {
        self.sqrt_f64s(a)
    }

    /// |a|.
    #[inline(always)]
    fn abs(self, a: Self::f64s) -> Self::f64s {
        self.abs_f64s(a)
    }

    /// |a| with the sign of b.
    #[inline(always)]
    fn with_sign_of(self, a: Self::f64s, b: Self::f64s) -> Self::f64s {
        let sign = self.splat_f64s(-0.0);
        self.or_f64s(self.abs_f64s(a), self.and_f64s(sign, b))
    }

    /// `yes` in the lanes of the mask, `no` in the others.
    #[inline(always)]
    fn choose(self, mask: Self::m64s, yes: Self::f64s, no: Self::f64s) -> Self::f64s {
        self.select_f64s(mask, yes, no)
    }

    /// Whether no lane of the mask is set.
    #[inline(always)]
    fn none(self, mask: Self::m64s) -> bool {
        self.first_true_m64s(mask) == Self::F64_LANES
    }

    /// Largest magnitude so far; a NaN never counts.
    #[inline(always)]
    fn largest(self, most: Self::f64s, a: Self::f64s) -> Self::f64s {
        let a = self.abs_f64s(a);
        self.choose(self.greater_than_f64s(a, most), a, most)
    }
}

impl<S: Simd> Arithmetic for S {}

/// The numbers of a register by lane.
#[inline(always)]
pub(crate) fn lanes<S: Simd>(x: S::f64s) -> [f64; MAX_LANES] {
    let mut out = [0.0; MAX_LANES];
    S::as_mut_simd_f64s(&mut out[..S::F64_LANES]).0[0] = x;
    out
}

/// A register of numbers by lane.
#[inline(always)]
pub(crate) fn register<S: Simd>(x: [f64; MAX_LANES]) -> S::f64s {
    S::as_simd_f64s(&x[..S::F64_LANES]).0[0]
}
