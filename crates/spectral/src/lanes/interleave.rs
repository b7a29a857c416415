//! From matrices one by one to a group, a problem a lane, scaled on the way: `A = Σ^(−½) C Σ^(−½)`
//! and `b = Σ^(−½) B`.
//!
//! Row by row: the numbers of all lanes are brought side by side one by one, then scaled by
//! registers. The transposition is what it costs: a load and a store a number.
//!
//! Rounding: `Aᵢⱼ = (Cᵢⱼ·sᵢ)·sⱼ` for i ≤ j with `s = 1/√σ`, the same for both triangles.

use faer::MatRef;
use pulp::{Simd, WithSimd};

use super::MAX_LANES;
use super::arithmetic::{Arithmetic, lanes};
use super::products::Layout;
use super::reduction::column_start;
use super::tiles::stride;
use crate::Failure;

/// What a lane is made of; an empty lane is made of what a full one is, and does what that does.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// C (d × d), lower triangle read.
    pub(crate) matrix: MatRef<'a, f64>,
    /// B (d × ℓ).
    pub(crate) right: MatRef<'a, f64>,
    /// Diagonal of Σ (d), positive.
    pub(crate) sigma: &'a [f64],
}

/// Fills a group.
pub(crate) struct Interleave<'a> {
    pub(crate) size: usize,
    pub(crate) width: usize,
    pub(crate) sources: [Source<'a>; MAX_LANES],
    pub(crate) layout: Layout,
    /// A, upper triangle.
    pub(crate) matrix: &'a mut [f64],
    /// b (d rows of ℓ).
    pub(crate) rows: &'a mut [f64],
    /// Σ^½ (d).
    pub(crate) roots: &'a mut [f64],
    /// Σ^(−½) (d).
    pub(crate) scales: &'a mut [f64],
    pub(crate) outcome: &'a mut [Result<(), Failure>; MAX_LANES],
}

impl WithSimd for Interleave<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { size, width, sources, layout, matrix, rows, roots, scales, outcome } = self;
        let count = S::F64_LANES;
        for (lane, source) in sources.iter().enumerate().take(count) {
            for i in 0..size {
                let root = source.sigma[i].sqrt();
                roots[i * count + lane] = root;
                scales[i * count + lane] = 1.0 / root;
            }
        }
        let (scales, _) = S::as_simd_f64s(scales);
        let zero = s.all(0.0);
        // Zero, or NaN from the first infinity or NaN on.
        let mut not_finite = zero;
        for i in 0..size {
            let start = match layout {
                Layout::Square => i * stride(size) + i,
                Layout::Packed => column_start(size, i),
            };
            let line = &mut matrix[start * count..][..(size - i) * count];
            let mut columns: [&[f64]; MAX_LANES] = [&[]; MAX_LANES];
            for (column, source) in columns.iter_mut().zip(sources).take(count) {
                *column = &slice(source.matrix, i)[i..];
            }
            side_by_side(count, columns, line);
            let (line, _) = S::as_mut_simd_f64s(line);
            for (to, scale) in line.iter_mut().zip(&scales[i..]) {
                *to = s.mul(s.mul(*to, scales[i]), *scale);
                not_finite = s.mul_add(*to, zero, not_finite);
            }
        }
        for (lane, source) in sources.iter().enumerate().take(count) {
            for c in 0..width {
                let places = rows[c * count + lane..].chunks_mut(width * count);
                for (to, x) in places.zip(slice(source.right, c)) {
                    to[0] = *x;
                }
            }
        }
        if width > 0 {
            let (rows, _) = S::as_mut_simd_f64s(rows);
            for (row, scale) in rows.chunks_exact_mut(width).zip(scales) {
                for x in row {
                    *x = s.mul(*x, *scale);
                    not_finite = s.mul_add(*x, zero, not_finite);
                }
            }
        }
        for (outcome, flag) in outcome.iter_mut().zip(lanes::<S>(not_finite)).take(count) {
            if flag.is_nan() {
                *outcome = Err(Failure::NotFinite);
            }
        }
    }
}

/// Fills d rows of [`stride`] of a group with the columns of matrices (n × d), a problem a lane;
/// what is beside n columns is not written.
///
/// Rows of a matrix that are contiguous (`Xᵀ` stored by columns) are brought side by side as those
/// of [`Interleave`] are; others, entry by entry.
pub(crate) struct InterleaveColumns<'a> {
    pub(crate) size: usize,
    /// n.
    pub(crate) width: usize,
    pub(crate) sources: [MatRef<'a, f64>; MAX_LANES],
    pub(crate) rows: &'a mut [f64],
    /// Workspace (d).
    pub(crate) line: &'a mut [f64],
}

impl WithSimd for InterleaveColumns<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { size, width, sources, rows, line } = self;
        let count = S::F64_LANES;
        let line = &mut line[..size * count];
        for c in 0..width {
            let mut own: [&[f64]; MAX_LANES] = [&[]; MAX_LANES];
            for (own, source) in own.iter_mut().zip(&sources).take(count) {
                *own = slice(source.transpose(), c);
            }
            if own.iter().take(count).all(|own| own.len() == size) {
                side_by_side(count, own, line);
            } else {
                for (i, to) in line.chunks_exact_mut(count).enumerate() {
                    for (to, source) in to.iter_mut().zip(&sources) {
                        *to = source[(c, i)];
                    }
                }
            }
            let (line, _) = S::as_simd_f64s(line);
            let (rows, _) = S::as_mut_simd_f64s(&mut *rows);
            for (to, x) in rows[c..].iter_mut().step_by(stride(width)).zip(line) {
                *to = *x;
            }
        }
    }
}

/// A column as a slice.
#[inline(always)]
fn slice(matrix: MatRef<'_, f64>, j: usize) -> &[f64] {
    matrix.col(j).try_as_col_major().map_or(&[], |column| column.as_slice())
}

/// Writes the entries of `count` columns side by side.
#[inline(always)]
fn side_by_side(count: usize, columns: [&[f64]; MAX_LANES], to: &mut [f64]) {
    match count {
        8 => entries::<8>(columns, to),
        4 => entries::<4>(columns, to),
        2 => entries::<2>(columns, to),
        _ => entries::<1>(columns, to),
    }
}

/// The same for N columns.
#[inline(always)]
fn entries<const N: usize>(columns: [&[f64]; MAX_LANES], to: &mut [f64]) {
    let (to, _) = pulp::as_arrays_mut::<N, _>(to);
    let mut own: [&[f64]; N] = [&[]; N];
    for lane in 0..N {
        own[lane] = &columns[lane][..to.len()];
    }
    // Square blocks: loads, shuffles and stores of whole registers.
    let (blocks, _) = pulp::as_arrays_mut::<N, _>(to);
    let whole = blocks.len() * N;
    for (b, block) in blocks.iter_mut().enumerate() {
        let mut square = [[0.0; N]; N];
        for lane in 0..N {
            square[lane].copy_from_slice(&own[lane][b * N..][..N]);
        }
        for i in 0..N {
            for lane in 0..N {
                block[i][lane] = square[lane][i];
            }
        }
    }
    for (i, to) in to.iter_mut().enumerate().skip(whole) {
        for lane in 0..N {
            to[lane] = own[lane][i];
        }
    }
}
