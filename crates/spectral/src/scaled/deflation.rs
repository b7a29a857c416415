//! Features that are proportional to another one in the sample, or zero, and so carry nothing of
//! their own: pixels that never change, genes that are never counted, copies.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | ρ | | d × d | `C_ij / √(C_ii C_jj)`, ±1 where features i and j are proportional |
//! | w | `weights` | d | of a group of such features, `±√(C_ii/σ_i)`, of length 1 |
//! | r | `rank` | | features that stay: one of each group, and all others but zeros |
//!
//! A of a group has rank one, `w wᵀ ‖·‖²`: the reflection that takes the group's first feature to w
//! turns A into `diag(A′, 0)` with A′ r × r, of which the group's first feature has
//!
//! ```text
//! A′_f· = A_f· √(Σ_i A_ii / A_ff)   and   σ′_f = Σ_i C_ii / Σ_i A_ii,   A_ii = C_ii/σ_i,
//! ```
//!
//! and `H Σ Hᵀ` is diagonal there as before. So reductions and factors, which cost d³, cost r³, and
//! their answers, which are the same for any orthogonal basis, are those of A. What the reflections
//! leave below the first r rows, and is neglected, is at most [`NEGLECTED`] times the largest entry
//! of A, as a bound of each of its entries tells.

use faer::{MatMut, MatRef};
use pulp::{Simd, WithSimd};

use crate::dense::product::{column, column_mut};
use crate::lanes::InstructionSet;
use crate::lanes::arithmetic::{Arithmetic, lanes};

/// How far |ρ| may be from 1 for features that are looked at: sums of n products have errors.
const NEAR: f64 = 1e-9;

/// Largest entry of A that is neglected, over the largest of A; and of b.
const NEGLECTED: f64 = 4.0 * f64::EPSILON;

/// One in so many features at least must go: else it is not worth it.
const WORTH: usize = 32;

/// What a feature is to those before it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Proportional to none.
    Own,
    /// Zero, as its products with labels are.
    Zero,
    /// Proportional to the feature `first`, which is its own.
    Proportional {
        first: usize,
        /// ±1.
        sign: f64,
        /// Largest difference of their rows of `C_ij/√(C_ii C_jj)`, and of `B_ic/√C_ii`.
        apart: [f64; 2],
    },
}

/// Which features of a problem stay, and where the others go.
#[derive(Debug)]
pub(super) struct Deflation {
    size: usize,
    /// Of each feature, in the problem's source.
    kinds: Vec<Kind>,
    /// 1/√C_ii (d).
    scales: Vec<f64>,
    /// Features that stay, ascending, then the others.
    order: Vec<usize>,
    rank: usize,
    /// Of each feature that goes, or that others go to; of the latter in place of its entry of w
    /// what that is less than 1.
    weights: Vec<f64>,
}

impl Deflation {
    /// Room for problems of up to d.
    pub(super) fn new(size: usize) -> Self {
        Self {
            size: 0,
            kinds: vec![Kind::Own; size],
            scales: vec![0.0; size],
            order: vec![0; size],
            rank: 0,
            weights: vec![0.0; size],
        }
    }

    /// r.
    pub(super) fn rank(&self) -> usize {
        self.rank
    }

    /// Features that stay, ascending, unless all do.
    pub(super) fn kept(&self) -> Option<&[usize]> {
        (self.rank < self.size).then(|| &self.order[..self.rank])
    }

    /// Takes what is known of a source from another problem of it.
    pub(super) fn copy_source(&mut self, from: &Self) {
        self.size = from.size;
        self.kinds[..self.size].copy_from_slice(&from.kinds[..self.size]);
        self.scales[..self.size].copy_from_slice(&from.scales[..self.size]);
    }

    /// Looks for proportional features in C (d × d, lower triangle read) and B (d × ℓ).
    pub(super) fn of_source(&mut self, set: InstructionSet, matrix: MatRef<'_, f64>, right: MatRef<'_, f64>) {
        self.size = matrix.nrows();
        let (kinds, scales) = (&mut self.kinds[..self.size], &mut self.scales[..self.size]);
        let entry = |i: usize, j: usize| matrix[(i.max(j), i.min(j))];
        for (j, (scale, kind)) in scales.iter_mut().zip(&mut *kinds).enumerate() {
            let zero = matrix[(j, j)] == 0.0
                && (0..self.size).all(|i| entry(i, j) == 0.0)
                && right.row(j).iter().all(|x| *x == 0.0);
            (*scale, *kind) = if zero { (0.0, Kind::Zero) } else { (1.0 / matrix[(j, j)].sqrt(), Kind::Own) };
        }
        let near = 1.0 - NEAR;
        for j in 0..self.size {
            let below = &column(matrix, j)[j + 1..];
            let any = matches!(kinds[j], Kind::Own)
                && set.run(Largest { x: below, by: &scales[j + 1..] }) * scales[j] >= near;
            if !any {
                continue;
            }
            for i in j + 1..self.size {
                let rho = matrix[(i, j)] * scales[i] * scales[j];
                if !(matches!(kinds[i], Kind::Own) && rho.abs() >= near) {
                    continue;
                }
                let sign = rho.signum();
                let mut apart = [0.0_f64; 2];
                for o in 0..self.size {
                    let of = |i: usize| entry(i, o) * scales[i];
                    apart[0] = larger(apart[0], (of(i) - sign * of(j)) * scales[o]);
                }
                for c in 0..right.ncols() {
                    let of = |i: usize| right[(i, c)] * scales[i];
                    apart[1] = larger(apart[1], of(i) - sign * of(j));
                }
                kinds[i] = Kind::Proportional { first: j, sign, apart };
            }
        }
    }

    /// Chooses what goes from the problem of (C, B) and Σ (d), and writes what takes C to A′ from
    /// both sides (`inverses`) and √σ′ (`roots`) of the features that stay.
    pub(super) fn of_problem(
        &mut self,
        [matrix, right]: [MatRef<'_, f64>; 2],
        sigma: &[f64],
        roots: &mut [f64],
        inverses: &mut [f64],
    ) {
        let size = self.size;
        let (mut largest, mut largest_right) = (0.0_f64, 0.0_f64);
        for (i, sigma) in sigma.iter().enumerate() {
            let power = right.row(i).iter().fold(0.0, |most: f64, x| most.max(x.abs()));
            largest = largest.max(matrix[(i, i)] / sigma);
            largest_right = largest_right.max(power / sigma.sqrt());
        }
        let goes = |i: usize, kind: Kind| match kind {
            Kind::Own => false,
            Kind::Zero => true,
            Kind::Proportional { apart: [inputs, labels], .. } => {
                let root = (matrix[(i, i)] / sigma[i]).sqrt();
                inputs * root <= NEGLECTED * largest.sqrt() && labels * root <= NEGLECTED * largest_right
            }
        };
        let kinds = &self.kinds[..size];
        let go = kinds.iter().enumerate().filter(|(i, kind)| goes(*i, **kind)).count();
        // What is not finite is to be found where it stands.
        let finite = largest.is_finite() && largest_right.is_finite();
        self.rank = if finite && go * WORTH >= size { size - go } else { size };
        if self.rank == size {
            return;
        }
        // Of each feature: Σ A_ii and Σ C_ii of its group so far, in places that are free for it.
        let (sums, weights) = (inverses, &mut self.weights[..size]);
        for i in 0..size {
            (sums[i], roots[i]) = (matrix[(i, i)] / sigma[i], matrix[(i, i)]);
        }
        let (mut kept, mut gone) = (0, self.rank);
        for i in 0..size {
            let kind = kinds[i];
            let place = if goes(i, kind) { &mut gone } else { &mut kept };
            self.order[*place] = i;
            *place += 1;
            weights[i] = 0.0;
            if let Kind::Proportional { first, sign, .. } = kind
                && goes(i, kind)
            {
                let own = sums[i];
                weights[i] = sign * own.sqrt();
                weights[first] += own;
                sums[first] += own;
                roots[first] += matrix[(i, i)];
            }
        }
        for &i in &self.order[self.rank..] {
            if let Kind::Proportional { first, .. } = kinds[i] {
                weights[i] /= sums[first].sqrt();
            }
        }
        for (to, &i) in self.order[..self.rank].iter().enumerate() {
            let grown = weights[i] > 0.0;
            let (sum, power, own) = (sums[i], roots[i], matrix[(i, i)]);
            if grown {
                // 1 − w_f from the others' w², without cancellation.
                weights[i] = weights[i] / sum / (1.0 + (own / sigma[i] / sum).sqrt());
            }
            roots[to] = if grown { (power / sum).sqrt() } else { sigma[i].sqrt() };
            sums[to] = if grown { (sum / own).sqrt() } else { 1.0 / roots[to] };
        }
        roots[self.rank..].fill(1.0);
        sums[self.rank..].fill(1.0);
    }

    /// Takes columns from the order of A′ to that of A, and reflects them; `work` has d numbers.
    pub(super) fn expand(&self, mut vectors: MatMut<'_, f64>, work: &mut [f64]) {
        let size = self.size;
        if self.rank == size {
            return;
        }
        let work = &mut work[..size];
        for c in 0..vectors.ncols() {
            let vector = column_mut(vectors.as_mut(), c);
            work.copy_from_slice(vector);
            for (&i, x) in self.order.iter().zip(&*work) {
                vector[i] = *x;
            }
            // v = e_f − w of each group: first vᵀx at the place of its first feature.
            for &i in &self.order[..self.rank] {
                work[i] = self.weights[i] * vector[i];
            }
            let gone = self.order[self.rank..size].iter().filter_map(|&i| match self.kinds[i] {
                Kind::Proportional { first, .. } => Some((i, first)),
                Kind::Own | Kind::Zero => None,
            });
            for (i, first) in gone.clone() {
                work[first] -= self.weights[i] * vector[i];
            }
            for &i in &self.order[..self.rank] {
                // ‖v‖² is twice its first entry.
                if self.weights[i] > 0.0 {
                    work[i] /= self.weights[i];
                    vector[i] -= work[i] * self.weights[i];
                }
            }
            for (i, first) in gone {
                if self.weights[first] > 0.0 {
                    vector[i] += work[first] * self.weights[i];
                }
            }
        }
    }
}

/// The larger of a distance and |x|; infinite where x is no number.
fn larger(most: f64, x: f64) -> f64 {
    if x.is_nan() { f64::INFINITY } else { most.max(x.abs()) }
}

/// The largest |x_i| times a positive number.
struct Largest<'a> {
    x: &'a [f64],
    by: &'a [f64],
}

impl WithSimd for Largest<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> f64 {
        let (x, x_rest) = S::as_simd_f64s(self.x);
        let (by, by_rest) = S::as_simd_f64s(self.by);
        let mut largest = s.all(0.0);
        for (x, by) in x.iter().zip(by) {
            largest = s.max_f64s(largest, s.mul(s.abs(*x), *by));
        }
        let rest = x_rest.iter().zip(by_rest).map(|(x, by)| x.abs() * by);
        lanes::<S>(largest).iter().copied().chain(rest).fold(0.0, f64::max)
    }
}
