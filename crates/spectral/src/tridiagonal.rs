//! Implicit QL on a symmetric tridiagonal matrix, rotating a few right-hand sides along.
//!
//! `T = Z Λ Zᵀ`: eigenvalues, and `Zᵀ f` for the ℓ columns of `f`, without `Z`. Each rotation of rows i and i + 1 of `Zᵀ`
//! is applied to two ℓ-vectors instead of two d-vectors (Golub and Welsch, 1969, for one vector; ℓ here).
//!
//! Source: the implicit QL iteration with Wilkinson's shift of Dubrulle, Martin and Wilkinson (1968), as in EISPACK's
//! `imtql2`. T is scaled to unit largest entry first, so `√(f² + g²)` can neither overflow nor lose what matters.
//!
//! Cost: about 1.7 QL sweeps an eigenvalue, each a chain of square root and division over the unreduced block
//! (≈ 0.85 d² rotations in all, 6ℓ flops each): latency of the chain, not flops, is what it takes.

use crate::Failure;

/// QL sweeps allowed for one eigenvalue. LAPACK's `dsteqr` allows 30; published counts never exceed a handful.
const SWEEPS: usize = 50;

/// Below this a rotation is of nothing with nothing, and the squares that it is made of lose their digits: 2⁻⁵⁰⁰, nothing
/// beside the unit norm of T and far above the root of the smallest normal number.
const SPLIT: f64 = f64::from_bits((1023 - 500) << 52);

/// Diagonalizes T in place: `diagonal` (d) becomes the eigenvalues, unordered; row i of `rows` (d rows of `width`
/// contiguous numbers) becomes the projection on the i-th eigenvector. `off_diagonal` (d, last entry unused) is
/// destroyed.
///
/// # Errors
///
/// [`Failure::NoConvergence`] after 50 sweeps for one eigenvalue, [`Failure::NotFinite`] if T is not finite.
pub(crate) fn implicit_ql(
    diagonal: &mut [f64],
    off_diagonal: &mut [f64],
    rows: &mut [f64],
    width: usize,
) -> Result<(), Failure> {
    let size = diagonal.len();
    debug_assert!(off_diagonal.len() == size && rows.len() == size * width);
    if size == 0 {
        return Ok(());
    }
    off_diagonal[size - 1] = 0.0;
    if !diagonal.iter().chain(off_diagonal.iter()).all(|x| x.is_finite()) {
        return Err(Failure::NotFinite);
    }
    let scale = diagonal.iter().chain(off_diagonal.iter()).fold(0.0_f64, |m, x| m.max(x.abs()));
    if scale == 0.0 {
        return Ok(());
    }
    for x in diagonal.iter_mut().chain(off_diagonal.iter_mut()) {
        *x /= scale;
    }
    for start in 0..size {
        let mut sweeps = 0;
        loop {
            let end = block_end(diagonal, off_diagonal, start);
            if end == start {
                break;
            }
            if sweeps == SWEEPS {
                return Err(Failure::NoConvergence);
            }
            sweeps += 1;
            sweep(diagonal, off_diagonal, rows, width, start, end);
        }
    }
    for x in diagonal.iter_mut() {
        *x *= scale;
    }
    Ok(())
}

/// Last index of the unreduced block that begins at `start`: the first negligible off-diagonal entry from there on.
///
/// Negligible against the unit norm of T or its two neighbours. Against the neighbours alone, the null directions of
/// a matrix of low rank would not settle: their entries are all of the size of rounding, and each sweep adds new
/// rounding of that size from the large entries in the same block (EISPACK's `imtql2` has that flaw, its `tql2` does not).
fn block_end(diagonal: &[f64], off_diagonal: &[f64], start: usize) -> usize {
    (start..diagonal.len() - 1)
        .find(|&i| off_diagonal[i].abs() <= f64::EPSILON * (1.0 + diagonal[i].abs() + diagonal[i + 1].abs()))
        .unwrap_or(diagonal.len() - 1)
}

/// One implicit QL sweep over the block `start..=end`.
fn sweep(
    diagonal: &mut [f64],
    off_diagonal: &mut [f64],
    rows: &mut [f64],
    width: usize,
    start: usize,
    end: usize,
) {
    // Wilkinson's shift: the eigenvalue of the leading 2 × 2 block that is nearer to its first entry.
    let half = (diagonal[start + 1] - diagonal[start]) / (2.0 * off_diagonal[start]);
    let root = half.hypot(1.0);
    let mut g = diagonal[end] - diagonal[start] + off_diagonal[start] / (half + root.copysign(half));
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for i in (start..end).rev() {
        let f = sine * off_diagonal[i];
        let b = cosine * off_diagonal[i];
        let radius = (f * f + g * g).sqrt();
        off_diagonal[i + 1] = radius;
        if radius <= SPLIT {
            // The block split while the bulge was chased: recover and let the caller look again.
            diagonal[i + 1] -= shift;
            off_diagonal[end] = 0.0;
            return;
        }
        let inverse = 1.0 / radius;
        sine = f * inverse;
        cosine = g * inverse;
        g = diagonal[i + 1] - shift;
        let r = (diagonal[i] - g) * sine + 2.0 * cosine * b;
        shift = sine * r;
        diagonal[i + 1] = g + shift;
        g = cosine * r - b;
        let (upper, lower) = rows[i * width..(i + 2) * width].split_at_mut(width);
        for (u, l) in upper.iter_mut().zip(lower) {
            let (x, y) = (*u, *l);
            *l = sine * x + cosine * y;
            *u = cosine * x - sine * y;
        }
    }
    diagonal[start] -= shift;
    off_diagonal[start] = g;
    off_diagonal[end] = 0.0;
}
