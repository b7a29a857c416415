//! Scaling to unit size by powers of two, so that tolerances inside the kernels mean the same in
//! every unit.
//!
//! faer's divide and conquer deflates below 8ε·max(‖d‖, ‖z‖) with ‖z‖ ≈ 1: for a matrix much
//! smaller than 1 that is an absolute tolerance. Squares of entries beyond 1e±154 leave the range
//! of f64 as well. LAPACK's drivers scale for the same reasons. A power of two changes no bit of
//! the result short of underflow (of entries 1e-308 of the largest).

use faer::{MatMut, MatRef};
use pulp::{Simd, WithSimd};

use crate::Failure;
use crate::dense::cholesky::scale;
use crate::dense::{column, column_mut};
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes};

/// Bits of the exponent.
const EXPONENT: u64 = 0x7ff0_0000_0000_0000;

/// The power of two at or below the largest magnitude among `entries`; 1 if all are zero.
///
/// # Errors
///
/// [`Failure::NotFinite`] if one is a NaN or an infinity.
fn unit_of<'a>(entries: impl Iterator<Item = &'a f64>) -> Result<f64, Failure> {
    // As bits, magnitudes order like numbers, and everything that is not finite is above everything
    // that is.
    let largest = entries.map(|x| x.abs().to_bits()).fold(0, u64::max);
    match largest {
        EXPONENT.. => Err(Failure::NotFinite),
        bits => Ok(power_of_two(f64::from_bits(bits))),
    }
}

/// The power of two at or below a magnitude that is finite; 1 for zero.
pub(crate) fn power_of_two(magnitude: f64) -> f64 {
    match magnitude.to_bits() {
        0 => 1.0,
        // A subnormal one is brought as near to 1 as dividing by a normal power of two can.
        bits => f64::from_bits(bits & EXPONENT).max(f64::MIN_POSITIVE),
    }
}

/// Divides the lower triangle of `matrix`, whose columns are contiguous, by the power of two that
/// brings its largest magnitude into \[1, 2), and returns that power.
pub(crate) fn normalize_lower_in_place(
    instruction_set: InstructionSet,
    matrix: MatMut<'_, f64>,
) -> Result<f64, Failure> {
    instruction_set.run(NormalizeLower { matrix })
}

struct NormalizeLower<'a> {
    matrix: MatMut<'a, f64>,
}

impl WithSimd for NormalizeLower<'_> {
    type Output = Result<f64, Failure>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> Self::Output {
        let mut matrix = self.matrix;
        let size = matrix.nrows();
        // What is not finite is so times 0; a NaN is no largest one.
        let (mut most, mut zero) = (s.all(0.0), s.all(0.0));
        let (mut most_rest, mut zero_rest) = (0.0_f64, 0.0_f64);
        for j in 0..size {
            let (registers, rest) = S::as_simd_f64s(&column(matrix.as_ref(), j)[j..]);
            for x in registers {
                most = s.largest(most, *x);
                zero = s.mul_add(*x, s.all(0.0), zero);
            }
            for x in rest {
                most_rest = most_rest.max(x.abs());
                zero_rest += x * 0.0;
            }
        }
        for (x, zero) in lanes::<S>(most).iter().zip(lanes::<S>(zero)) {
            most_rest = most_rest.max(*x);
            zero_rest += zero;
        }
        if zero_rest.is_nan() {
            return Err(Failure::NotFinite);
        }
        let unit = power_of_two(most_rest);
        // Exact: even 2^-1023 is a (subnormal) power of two.
        let inverse = 1.0 / unit;
        for j in 0..size {
            scale(s, &mut column_mut(matrix.as_mut(), j)[j..], inverse);
        }
        Ok(unit)
    }
}

/// Writes `matrix` divided by the power of two that brings its largest magnitude into \[1, 2) to
/// `to`, and returns that power.
pub(crate) fn normalize_into(matrix: MatRef<'_, f64>, mut to: MatMut<'_, f64>) -> Result<f64, Failure> {
    let unit = unit_of(matrix.col_iter().flat_map(|column| column.iter()))?;
    // Exact: even 2^-1023 is a (subnormal) power of two.
    let inverse = 1.0 / unit;
    for (column, from) in to.as_mut().col_iter_mut().zip(matrix.col_iter()) {
        for (x, y) in column.iter_mut().zip(from.iter()) {
            *x = y * inverse;
        }
    }
    Ok(unit)
}
