//! QR factors of one matrix by Householder reflections, `A = Q R` or `A Π = Q R`.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A | `matrix` | m × q, q ≤ m | afterwards R, and below it V: reflectors without their first 1 |
//! | T | `factors` | b × q | triangular factors of blocks of b reflectors, `I − V T Vᵀ` |
//!
//! The kernels are those of [`band::reduction`](crate::band), with the same fixed order of
//! summation.
//!
//! Cost: 2 q² (m − q/3) flops, in products but for the panels; with pivoting column by column, from
//! cache; 4 m q n to apply Q to n columns.

use faer::{Mat, MatMut, MatRef};
use pulp::{Simd, WithSimd};

use crate::band::reduction::{Panel, Workspace, apply_panel, dots, eliminate, panel_factor};
use crate::dense::cholesky::scale;
use crate::dense::{column, column_mut};
use crate::lanes::InstructionSet;
use crate::scaling::power_of_two;

/// Reflectors of a panel.
const BLOCK: usize = 16;

/// Share of what the squared length of a column was, when it was last summed, at which it is summed
/// again: far above the rounding of what was taken away, d·ε.
const STALE: f64 = 1e-6;

/// Which of Q and its transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Forward,
    Transposed,
}

/// Workspace for matrices of up to d rows, and the triangular factors of the last one.
#[derive(Debug)]
pub(crate) struct Qr {
    instruction_set: InstructionSet,
    factors: Mat<f64>,
    tau: Vec<f64>,
    /// Squared lengths of what is left of columns, and what they were when they were last summed.
    lengths: [Vec<f64>; 2],
    workspace: Workspace,
}

impl Qr {
    /// Room for matrices of up to `size` rows, applied to up to `size` columns.
    pub(crate) fn new(instruction_set: InstructionSet, size: usize) -> Self {
        Self {
            instruction_set,
            factors: Mat::zeros(BLOCK, size),
            tau: vec![0.0; size],
            lengths: [vec![0.0; size], vec![0.0; size]],
            workspace: Workspace::new(size, BLOCK, size),
        }
    }

    /// Factors a matrix.
    pub(crate) fn factor(&mut self, mut matrix: MatMut<'_, f64>) {
        let (rows, columns) = (matrix.nrows(), matrix.ncols());
        for j in (0..columns).step_by(BLOCK) {
            let count = BLOCK.min(columns - j);
            let below = matrix.as_mut().submatrix_mut(j, j, rows - j, columns - j);
            let (mut panel, trailing) = below.split_at_col_mut(count);
            let tau = &mut self.tau[j..j + count];
            self.instruction_set.run(Panel { panel: panel.as_mut(), count, tau });
            self.finish(j, panel.as_ref());
            let factor = self.factors.as_ref().submatrix(0, j, count, count).transpose();
            apply_panel(self.instruction_set, panel.as_ref(), factor, trailing, &mut self.workspace);
        }
    }

    /// Factors a matrix, of the columns that are left the longest first, each to a unit of its own.
    ///
    /// R is not kept: a column may be scaled by a power of two on the way.
    pub(crate) fn factor_pivoted(&mut self, mut matrix: MatMut<'_, f64>) {
        let (rows, columns) = (matrix.nrows(), matrix.ncols());
        let [lengths, before] = self.lengths.each_mut().map(|lengths| &mut lengths[..columns]);
        let tau = &mut self.tau[..columns];
        self.instruction_set.run(Pivoted { matrix: matrix.as_mut(), tau, lengths, before });
        for j in (0..columns).step_by(BLOCK) {
            let count = BLOCK.min(columns - j);
            self.finish(j, matrix.as_ref().submatrix(j, j, rows - j, count));
        }
    }

    /// Overwrites `columns` (m × n) by Q or Qᵀ times them; `matrix` is what was factored last.
    pub(crate) fn apply(&mut self, side: Side, matrix: MatRef<'_, f64>, mut columns: MatMut<'_, f64>) {
        let (rows, count) = (matrix.nrows(), matrix.ncols());
        let panels = count.div_ceil(BLOCK);
        for n in 0..panels {
            let j = BLOCK * if side == Side::Forward { panels - 1 - n } else { n };
            let own = BLOCK.min(count - j);
            let factor = self.factors.as_ref().submatrix(0, j, own, own);
            let factor = if side == Side::Forward { factor } else { factor.transpose() };
            let panel = matrix.submatrix(j, j, rows - j, own);
            let below = columns.as_mut().subrows_mut(j, rows - j);
            apply_panel(self.instruction_set, panel, factor, below, &mut self.workspace);
        }
    }

    /// Writes Q (m × n, n ≥ q) with q the columns of the matrix that was factored last.
    pub(crate) fn write(&mut self, matrix: MatRef<'_, f64>, mut to: MatMut<'_, f64>) {
        identity(to.as_mut());
        self.apply(Side::Forward, matrix, to);
    }

    /// The triangular factor of the panel at column j.
    fn finish(&mut self, j: usize, panel: MatRef<'_, f64>) {
        let count = panel.ncols();
        let factor = self.factors.as_mut().submatrix_mut(0, j, count, count);
        panel_factor(self.instruction_set, panel, &self.tau[j..j + count], factor, &mut self.workspace);
    }
}

/// The leading columns of I.
pub(crate) fn identity(mut matrix: MatMut<'_, f64>) {
    matrix.fill(0.0);
    for i in 0..matrix.nrows().min(matrix.ncols()) {
        matrix[(i, i)] = 1.0;
    }
}

struct Pivoted<'a> {
    matrix: MatMut<'a, f64>,
    tau: &'a mut [f64],
    lengths: &'a mut [f64],
    before: &'a mut [f64],
}

impl WithSimd for Pivoted<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Self { mut matrix, tau, lengths, before } = self;
        let columns = tau.len();
        for j in 0..columns {
            let own = column(matrix.as_ref(), j);
            lengths[j] = dots(s, own, [own])[0];
            before[j] = lengths[j];
        }
        for c in 0..columns {
            let mut at = c;
            for j in c + 1..columns {
                if lengths[j] > lengths[at] {
                    at = j;
                }
            }
            if at > c {
                let (mut left, mut right) = matrix.as_mut().split_at_col_mut(at);
                column_mut(left.as_mut(), c).swap_with_slice(column_mut(right.as_mut(), 0));
                lengths.swap(c, at);
                before.swap(c, at);
            }
            let (own, mut others) = matrix.as_mut().split_at_col_mut(c + 1);
            let x = &mut column_mut(own, c)[c..];
            let mut largest = 0.0_f64;
            for x in &*x {
                largest = largest.max(x.abs());
            }
            // Squares of what is left are far from the ends of the range.
            scale(s, x, 1.0 / power_of_two(largest));
            tau[c] = eliminate(s, x, others.as_mut(), c);
            for j in c + 1..columns {
                let own = &column(others.as_ref(), j - c - 1)[c..];
                lengths[j] -= own[0] * own[0];
                if lengths[j] <= STALE * before[j] {
                    lengths[j] = dots(s, &own[1..], [&own[1..]])[0];
                    before[j] = lengths[j];
                }
            }
        }
    }
}
