//! Scaling of each lane to unit size by a power of two, so that tolerances mean the same in every
//! unit.
//!
//! Exact: it changes no bit of a result short of underflow (of entries 1e-308 of the largest).

use pulp::{Simd, WithSimd};

use super::MAX_LANES;
use super::arithmetic::{Arithmetic, lanes, register};
use crate::Failure;
use crate::scaling::power_of_two;

/// Divides the numbers of each lane by the power of two that brings the largest magnitude into [1,
/// 2). A lane that is not finite, or has failed before, becomes zero.
pub(crate) struct Normalize<'a> {
    pub(crate) numbers: &'a mut [f64],
    /// The powers of two, by lane.
    pub(crate) units: &'a mut [f64],
    pub(crate) outcome: &'a mut [Result<(), Failure>; MAX_LANES],
}

impl WithSimd for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let (numbers, _) = S::as_mut_simd_f64s(self.numbers);
        let zero = s.all(0.0);
        // Zero, or NaN from the first infinity or NaN on.
        let (mut largest, mut not_finite) = (zero, zero);
        for x in numbers.iter() {
            largest = s.largest(largest, *x);
            not_finite = s.mul_add(*x, zero, not_finite);
        }
        let (largest, not_finite) = (lanes::<S>(largest), lanes::<S>(not_finite));
        let (mut inverse, mut keep) = ([1.0; MAX_LANES], [1.0; MAX_LANES]);
        for lane in 0..S::F64_LANES {
            if not_finite[lane].is_nan() && self.outcome[lane].is_ok() {
                self.outcome[lane] = Err(Failure::NotFinite);
            }
            self.units[lane] = 1.0;
            if self.outcome[lane].is_err() {
                keep[lane] = 0.0;
            } else {
                self.units[lane] = power_of_two(largest[lane]);
                // Exact: even 2^-1023 is a (subnormal) power of two.
                inverse[lane] = 1.0 / self.units[lane];
            }
        }
        let inverse = register::<S>(inverse);
        let keep = s.greater_than_f64s(register::<S>(keep), zero);
        for x in numbers {
            *x = s.choose(keep, s.mul(*x, inverse), zero);
        }
    }
}
