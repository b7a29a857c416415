//! `T − λI = P L U` of several eigenvalues beside each other, and solves with it.

use pulp::Simd;

use crate::lanes::arithmetic::Arithmetic;

/// Eigenvalues of one lane that are treated beside each other.
pub(crate) const CHAINS: usize = 4;

/// Numbers of a factor a row and lane.
pub(crate) const FACTOR: usize = 4 * CHAINS;

/// One row of a factor, of a solution, in each chain.
pub(crate) type Row<S> = [<S as Simd>::f64s; CHAINS];

/// T by entries: of the problem of each lane, or of one problem for all of them.
pub(crate) trait Entries<S: Simd> {
    /// d.
    fn size(&self) -> usize;

    /// Entry (i, i).
    fn diagonal(&self, s: S, i: usize) -> S::f64s;

    /// Entry (i + 1, i); 0 for i = d − 1.
    fn off_diagonal(&self, s: S, i: usize) -> S::f64s;

    /// ε‖T‖: what counts as nothing beside T.
    fn least(&self, s: S) -> S::f64s;
}

/// T − λI = P L U with partial pivoting.
///
/// U has a second off-diagonal where rows changed places: the entries of T.
pub(crate) struct Factor<'a, S: Simd> {
    lower: &'a mut [Row<S>],
    inverse_pivot: &'a mut [Row<S>],
    upper: &'a mut [Row<S>],
    /// 1 where row i and row i + 1 changed places.
    swapped: &'a mut [Row<S>],
}

impl<'a, S: Simd> Factor<'a, S> {
    /// Room for a factor of size d, and the rest: [`FACTOR`]·d numbers of each lane.
    #[inline(always)]
    pub(crate) fn new(size: usize, work: &'a mut [Row<S>]) -> (Self, &'a mut [Row<S>]) {
        let (lower, work) = work.split_at_mut(size);
        let (inverse_pivot, work) = work.split_at_mut(size);
        let (upper, work) = work.split_at_mut(size);
        let (swapped, work) = work.split_at_mut(size);
        (Self { lower, inverse_pivot, upper, swapped }, work)
    }

    /// Factors T − λI; pivots below ε‖T‖ are raised to it: the solution only grows along the
    /// eigenvector.
    #[inline(always)]
    pub(crate) fn compute(&mut self, s: S, form: &impl Entries<S>, shifts: &Row<S>) {
        let size = form.size();
        let least = form.least(s);
        let (zero, one) = (s.all(0.0), s.all(1.0));
        // What is left of the row above: (pivot, next, 0).
        let (mut pivot, mut next) = ([zero; CHAINS], [form.off_diagonal(s, 0); CHAINS]);
        for c in 0..CHAINS {
            pivot[c] = s.sub(form.diagonal(s, 0), shifts[c]);
        }
        for i in 0..size - 1 {
            let (below, below_next, diagonal) =
                (form.off_diagonal(s, i), form.off_diagonal(s, i + 1), form.diagonal(s, i + 1));
            let (mut lower, mut inverse_pivot, mut upper, mut swapped) =
                ([zero; CHAINS], [zero; CHAINS], [zero; CHAINS], [zero; CHAINS]);
            for c in 0..CHAINS {
                let below_diagonal = s.sub(diagonal, shifts[c]);
                let swap = s.less_than_f64s(s.abs(pivot[c]), s.abs(below));
                let top = raised(s, s.choose(swap, below, pivot[c]), least);
                let rest = s.choose(swap, pivot[c], below);
                inverse_pivot[c] = s.div(one, top);
                lower[c] = s.mul(rest, inverse_pivot[c]);
                upper[c] = s.choose(swap, below_diagonal, next[c]);
                let second = s.choose(swap, below_next, zero);
                swapped[c] = s.choose(swap, one, zero);
                pivot[c] = s.sub_mul(s.choose(swap, next[c], below_diagonal), lower[c], upper[c]);
                next[c] = s.sub_mul(s.choose(swap, zero, below_next), lower[c], second);
            }
            (self.lower[i], self.inverse_pivot[i]) = (lower, inverse_pivot);
            (self.upper[i], self.swapped[i]) = (upper, swapped);
        }
        for c in 0..CHAINS {
            self.inverse_pivot[size - 1][c] = s.div(one, raised(s, pivot[c], least));
        }
        self.upper[size - 1] = [zero; CHAINS];
        self.swapped[size - 1] = [zero; CHAINS];
    }

    /// Overwrites x by `L⁻¹ P⁻¹ x`.
    #[inline(always)]
    pub(crate) fn solve_lower(&self, s: S, x: &mut [Row<S>]) {
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
    pub(crate) fn solve_upper(&self, s: S, form: &impl Entries<S>, x: &mut [Row<S>]) {
        let (zero, half) = (s.all(0.0), s.all(0.5));
        let (mut one_below, mut two_below) = ([zero; CHAINS], [zero; CHAINS]);
        let mut next = zero;
        for i in (0..x.len()).rev() {
            let (upper, swapped, inverse_pivot) = (self.upper[i], self.swapped[i], self.inverse_pivot[i]);
            let mut solved = x[i];
            for c in 0..CHAINS {
                let second = s.choose(s.greater_than_f64s(swapped[c], half), next, zero);
                // What is two below is known first: only one product is on the critical path.
                let known = s.sub_mul(solved[c], second, two_below[c]);
                solved[c] = s.mul(s.sub_mul(known, upper[c], one_below[c]), inverse_pivot[c]);
            }
            (two_below, one_below, next) = (one_below, solved, form.off_diagonal(s, i));
            x[i] = solved;
        }
    }
}

/// x, or `least` with its sign where it is smaller.
#[inline(always)]
fn raised<S: Simd>(s: S, x: S::f64s, least: S::f64s) -> S::f64s {
    s.choose(s.less_than_f64s(s.abs(x), least), s.with_sign_of(least, x), x)
}

/// Divides each vector by its largest magnitude, so that the next solve cannot overflow.
#[inline(always)]
pub(crate) fn normalize<S: Simd>(s: S, rows: &mut [Row<S>]) {
    let mut factor = [s.all(0.0); CHAINS];
    for row in rows.iter() {
        for c in 0..CHAINS {
            factor[c] = s.largest(factor[c], row[c]);
        }
    }
    for c in 0..CHAINS {
        factor[c] = s.div(s.all(1.0), factor[c]);
    }
    for row in rows.iter_mut() {
        for c in 0..CHAINS {
            row[c] = s.mul(row[c], factor[c]);
        }
    }
}
