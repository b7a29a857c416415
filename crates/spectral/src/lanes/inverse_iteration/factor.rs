//! `T − λI = P L U` of several eigenvalues beside each other, and solves with it.

use pulp::Simd;

use super::{CHAINS, Form, Row};
use crate::lanes::arithmetic::Arithmetic;

/// T − λI = P L U with partial pivoting.
pub(super) struct Factor<'a, S: Simd> {
    pub(super) lower: &'a mut [Row<S>],
    pub(super) inverse_pivot: &'a mut [Row<S>],
    pub(super) upper: &'a mut [Row<S>],
    pub(super) second: &'a mut [Row<S>],
    /// 1 where row i and row i + 1 changed places.
    pub(super) swapped: &'a mut [Row<S>],
}

impl<S: Simd> Factor<'_, S> {
    /// Factors T − λI; pivots below ε‖T‖ are raised to it: the solution only grows along the
    /// eigenvector.
    #[inline(always)]
    pub(super) fn compute(&mut self, s: S, form: &Form<'_, S>, shifts: &[S::f64s; CHAINS]) {
        let size = form.diagonal.len();
        let (zero, one) = (s.all(0.0), s.all(1.0));
        // What is left of the row above: (pivot, next, 0).
        let (mut pivot, mut next) = ([zero; CHAINS], [form.off_diagonal[0]; CHAINS]);
        for c in 0..CHAINS {
            pivot[c] = s.sub(form.diagonal[0], shifts[c]);
        }
        for i in 0..size - 1 {
            let (below, below_next, diagonal) =
                (form.off_diagonal[i], form.off_diagonal[i + 1], form.diagonal[i + 1]);
            let (mut lower, mut inverse_pivot, mut upper, mut second, mut swapped) =
                ([zero; CHAINS], [zero; CHAINS], [zero; CHAINS], [zero; CHAINS], [zero; CHAINS]);
            for c in 0..CHAINS {
                let below_diagonal = s.sub(diagonal, shifts[c]);
                let swap = s.less_than_f64s(s.abs(pivot[c]), s.abs(below));
                let top = raised(s, s.choose(swap, below, pivot[c]), form.least);
                let rest = s.choose(swap, pivot[c], below);
                inverse_pivot[c] = s.div(one, top);
                lower[c] = s.mul(rest, inverse_pivot[c]);
                upper[c] = s.choose(swap, below_diagonal, next[c]);
                second[c] = s.choose(swap, below_next, zero);
                swapped[c] = s.choose(swap, one, zero);
                pivot[c] = s.sub_mul(s.choose(swap, next[c], below_diagonal), lower[c], upper[c]);
                next[c] = s.sub_mul(s.choose(swap, zero, below_next), lower[c], second[c]);
            }
            (self.lower[i], self.inverse_pivot[i]) = (lower, inverse_pivot);
            (self.upper[i], self.second[i], self.swapped[i]) = (upper, second, swapped);
        }
        for c in 0..CHAINS {
            self.inverse_pivot[size - 1][c] = s.div(one, raised(s, pivot[c], form.least));
        }
        self.upper[size - 1] = [zero; CHAINS];
        self.second[size - 1] = [zero; CHAINS];
    }

    /// Overwrites x by `L⁻¹ P⁻¹ x`.
    #[inline(always)]
    pub(super) fn solve_lower(&self, s: S, x: &mut [Row<S>]) {
        let size = x.len();
        let half = s.all(0.5);
        let mut above = x[0];
        for i in 0..size - 1 {
            let (below, lower, swapped) = (x[i + 1], self.lower[i], self.swapped[i]);
            let mut top = above;
            for c in 0..CHAINS {
                let swap = s.greater_than_f64s(swapped[c], half);
                let rest = s.choose(swap, above[c], below[c]);
                top[c] = s.choose(swap, below[c], above[c]);
                above[c] = s.sub_mul(rest, lower[c], top[c]);
            }
            x[i] = top;
        }
        x[size - 1] = above;
    }

    /// Overwrites x by `U⁻¹ x`.
    #[inline(always)]
    pub(super) fn solve_upper(&self, s: S, x: &mut [Row<S>]) {
        let zero = s.all(0.0);
        let (mut one_below, mut two_below) = ([zero; CHAINS], [zero; CHAINS]);
        for i in (0..x.len()).rev() {
            let (upper, second, inverse_pivot) = (self.upper[i], self.second[i], self.inverse_pivot[i]);
            let mut solved = x[i];
            for c in 0..CHAINS {
                // What is two below is known first: only one product is on the critical path.
                let known = s.sub_mul(solved[c], second[c], two_below[c]);
                solved[c] = s.mul(s.sub_mul(known, upper[c], one_below[c]), inverse_pivot[c]);
            }
            (two_below, one_below) = (one_below, solved);
            x[i] = solved;
        }
    }
}

/// x, or `least` with its sign where it is smaller.
#[inline(always)]
fn raised<S: Simd>(s: S, x: S::f64s, least: S::f64s) -> S::f64s {
    s.choose(s.less_than_f64s(s.abs(x), least), s.with_sign_of(least, x), x)
}
