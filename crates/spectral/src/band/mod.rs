//! One symmetric problem by way of a band, where a group of lanes would leave the cache.
//!
//! ```text
//! A  ── reduction ──▶  B  ── lanes::chase ──▶  T  ── lanes::implicit_ql ──▶  Λ
//! full, one problem    band of half-width b    tridiagonal                   leading vectors:
//! products             in lanes                in lanes                      Q₁ Q₂ Z
//! ```
//!
//! `A = Q₁ B Q₁ᵀ` costs 4/3 d³ flops, almost all of them in products of matrices; `B = Q₂ T Q₂ᵀ`
//! costs 6 d² b, on b·d numbers of each problem (Bischof, Lang and Sun, *A framework for symmetric
//! band reduction*, 2000).
//!
//! Every sum has a fixed order that neither the instruction set nor a block changes: see
//! [`dense`](crate::dense).

pub(crate) mod chased;
pub(crate) mod reduction;
pub(crate) mod solver;
pub(crate) mod vectors;

/// Largest size that is solved by way of a band; above it the memory of a problem is that of many.
pub const LARGEST_SIZE: usize = 2048;

/// Half-width b of the band that problems are reduced to: entries (i, j) with |i − j| ≤ b.
pub(crate) const HALF_WIDTH: usize = 16;

/// Numbers of a column of a band in lanes: entries (j + r, j) for r < 2b, of which those from b + 1
/// on are room for what a chase fills.
pub(crate) const fn band_stride(half_width: usize) -> usize {
    2 * half_width
}

/// Column of a square (d × d) that keeps the reflectors of sweep j of a chase above its diagonal.
///
/// Sweep j = 0, …, d − 3 takes column j to tridiagonal form. Its reflectors H(j, s) act on rows
/// `j + 1 + s·b` and on, b of them or as many as there are: together on each of the rows
/// j + 1, …, d − 1 once. So its `d − 1 − j` numbers stand one after the other from the first row
/// of that column on; in place of a first entry of a reflector, which is 1, stands τ.
/// `Q₂ = H(0,0) H(0,1) … H(1,0) H(1,1) …`.
pub(crate) const fn chase_column(size: usize, j: usize) -> usize {
    size - 1 - j
}
