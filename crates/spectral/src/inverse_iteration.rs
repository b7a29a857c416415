//! Eigenvectors of a symmetric tridiagonal matrix one by one, from the largest eigenvalue down.
//!
//! For an eigenvalue λ of T: solve `(T − λI) x ← x` twice from a fixed start, make x orthogonal to the vectors found before,
//! and again where `‖Tx − λx‖` is not yet rounding. Vector j depends on T, λ_j and the vectors before it only, so the first k
//! of many are the same bits as k alone.
//!
//! The two solves do not need the vectors before: they run for [`LANES`] eigenvalues at once, a lane each, so that the chain
//! of divisions is paid once for all. A lane's operations are the same whatever its neighbours hold.
//!
//! Checked, not trusted: a vector counts only if its residual is at most [`RESIDUAL`]·√d·ε·‖T‖ after orthogonalization.
//! Where one does not get there (it has not been seen to happen), the caller has another method.
//!
//! Source: Wilkinson, *The Algebraic Eigenvalue Problem* (1965), chapter 5; LAPACK's `dstein`, which orthogonalizes within
//! clusters only. Here against all: 4 d j flops for the vector after j others are cheap at these sizes, and clusters need
//! no definition.
//!
//! Cost a vector: 8d (factor) + 2 · 8d (solves) + 4 d j (orthogonalization) + 6d (residual) flops.

use faer::dyn_stack::{MemStack, StackReq};
use faer::{MatMut, MatRef};

/// Eigenvalues treated at once: the width of the widest registers.
const LANES: usize = 8;

/// One number of each lane.
type Lanes = [f64; LANES];

/// Residual up to which a vector counts, in units of √d·ε·‖T‖. LAPACK's tests allow 30 d·ε·‖T‖; two solves leave 1 or less.
const RESIDUAL: f64 = 4.0;

/// Further solves for one vector; none is needed unless eigenvalues agree to many digits.
const SOLVES: usize = 6;

/// Where orthogonalization leaves less than this share of a vector, it is repeated: "twice is enough" (Parlett, 1980, section
/// 6-9).
const KEPT: f64 = 0.7;

/// T − λI = P L U of a tridiagonal matrix with partial pivoting, a λ a lane.
struct Factor<'a> {
    lower: &'a mut [Lanes],
    inverse_pivot: &'a mut [Lanes],
    upper: &'a mut [Lanes],
    second: &'a mut [Lanes],
    swapped: &'a mut [[bool; LANES]],
}

/// Scratch of [`extend`] for size `size`.
pub(crate) fn extend_scratch(size: usize) -> StackReq {
    StackReq::all_of(&[
        StackReq::new::<Lanes>(size).array(6),
        StackReq::new::<[bool; LANES]>(size),
        StackReq::new::<f64>(size),
    ])
}

/// Extends the eigenvectors of T (`diagonal`, `off_diagonal`) from `known` to `wanted` columns of `vectors` (d × d), those of the
/// largest of the ascending `values` first; returns how many columns are good, less than `wanted` if one did not converge.
pub(crate) fn extend(
    diagonal: &[f64],
    off_diagonal: &[f64],
    values: &[f64],
    mut vectors: MatMut<'_, f64>,
    known: usize,
    wanted: usize,
    stack: &mut MemStack,
) -> usize {
    let size = diagonal.len();
    let norm = norm(diagonal, off_diagonal);
    if norm == 0.0 {
        return known;
    }
    let zeros = |_| [0.0; LANES];
    let (mut lower, stack) = stack.make_with::<Lanes>(size, zeros);
    let (mut inverse_pivot, stack) = stack.make_with::<Lanes>(size, zeros);
    let (mut upper, stack) = stack.make_with::<Lanes>(size, zeros);
    let (mut second, stack) = stack.make_with::<Lanes>(size, zeros);
    let (mut solution, stack) = stack.make_with::<Lanes>(size, zeros);
    let (mut again, stack) = stack.make_with::<Lanes>(size, zeros);
    let (mut swapped, stack) = stack.make_with::<[bool; LANES]>(size, |_| [false; LANES]);
    let (mut vector, _) = stack.make_with::<f64>(size, |_| 0.0);
    let (solution, again, vector) = (&mut *solution, &mut *again, &mut *vector);
    let mut factor = Factor {
        lower: &mut lower,
        inverse_pivot: &mut inverse_pivot,
        upper: &mut upper,
        second: &mut second,
        swapped: &mut swapped,
    };
    let allowed = RESIDUAL * (size as f64).sqrt() * f64::EPSILON * norm;
    let mut first = known;
    while first < wanted {
        let count = LANES.min(wanted - first);
        // Lanes without an eigenvalue repeat the last one.
        let lane_values: Lanes = std::array::from_fn(|lane| values[size - 1 - first - lane.min(count - 1)]);
        factor.compute(diagonal, off_diagonal, lane_values, f64::EPSILON * norm);
        start(solution, first);
        for _ in 0..2 {
            factor.solve(solution);
            normalize(solution);
        }
        for lane in 0..count {
            let index = first + lane;
            let value = lane_values[lane];
            let (before, mut rest) = vectors.as_mut().split_at_col_mut(index);
            vector.iter_mut().zip(solution.iter()).for_each(|(x, lanes)| *x = lanes[lane]);
            let mut solves = 0;
            loop {
                if !orthonormalize(vector, before.as_ref()) {
                    return index;
                }
                if residual(diagonal, off_diagonal, value, vector) <= allowed {
                    break;
                }
                if solves == SOLVES {
                    return index;
                }
                solves += 1;
                again.iter_mut().zip(vector.iter()).for_each(|(lanes, x)| lanes[lane] = *x);
                factor.solve(again);
                normalize(again);
                vector.iter_mut().zip(again.iter()).for_each(|(x, lanes)| *x = lanes[lane]);
            }
            for (to, x) in rest.as_mut().col_mut(0).iter_mut().zip(vector.iter()) {
                *to = *x;
            }
        }
        first += count;
    }
    wanted
}

/// Largest row sum.
fn norm(diagonal: &[f64], off_diagonal: &[f64]) -> f64 {
    let size = diagonal.len();
    let side = |i: usize| if i < size - 1 { off_diagonal[i].abs() } else { 0.0 };
    (0..size)
        .map(|i| diagonal[i].abs() + side(i) + if i > 0 { side(i - 1) } else { 0.0 })
        .fold(0.0_f64, f64::max)
}

/// A fixed start without structure for the vectors `first`, `first + 1`, …: SplitMix64 (Steele, Lea and Flood, 2014), uniform
/// in [−1, 1).
fn start(vectors: &mut [Lanes], first: usize) {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    for (row, lanes) in (0..).zip(vectors) {
        for (lane, x) in lanes.iter_mut().enumerate() {
            let mut z = STEP.wrapping_mul(((first + lane) as u64 + 1) << 32 | row);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            *x = (z >> 11) as f64 / (1_u64 << 52) as f64 - 1.0;
        }
    }
}

/// Divides each lane by its largest magnitude, so that the next solve cannot overflow.
fn normalize(vectors: &mut [Lanes]) {
    let mut largest = [0.0_f64; LANES];
    for lanes in vectors.iter() {
        for (most, x) in largest.iter_mut().zip(lanes) {
            *most = if x.abs() > *most { x.abs() } else { *most };
        }
    }
    let inverse = largest.map(|most| 1.0 / most);
    for lanes in vectors.iter_mut() {
        for (x, factor) in lanes.iter_mut().zip(&inverse) {
            *x *= factor;
        }
    }
}

impl Factor<'_> {
    /// Factors T − λI; pivots below `least` are raised to it: the solution only grows along the eigenvector.
    fn compute(&mut self, diagonal: &[f64], off_diagonal: &[f64], values: Lanes, least: f64) {
        let size = diagonal.len();
        let safe = |x: f64| if x.abs() < least { least.copysign(x) } else { x };
        // What is left of the row above: (pivot, next, 0).
        let mut pivot: Lanes = values.map(|value| diagonal[0] - value);
        let mut next = [if size > 1 { off_diagonal[0] } else { 0.0 }; LANES];
        for i in 0..size - 1 {
            let below = off_diagonal[i];
            let below_next = if i + 2 < size { off_diagonal[i + 1] } else { 0.0 };
            for lane in 0..LANES {
                let below_diagonal = diagonal[i + 1] - values[lane];
                let swap = pivot[lane].abs() < below.abs();
                let (top, rest) = if swap { (below, pivot[lane]) } else { (pivot[lane], below) };
                let inverse = 1.0 / safe(top);
                let multiplier = rest * inverse;
                let (upper, second) = if swap { (below_diagonal, below_next) } else { (next[lane], 0.0) };
                let (left, right) = if swap { (next[lane], 0.0) } else { (below_diagonal, below_next) };
                self.swapped[i][lane] = swap;
                self.inverse_pivot[i][lane] = inverse;
                self.lower[i][lane] = multiplier;
                self.upper[i][lane] = upper;
                self.second[i][lane] = second;
                pivot[lane] = left - multiplier * upper;
                next[lane] = right - multiplier * second;
            }
        }
        self.inverse_pivot[size - 1] = pivot.map(|pivot| 1.0 / safe(pivot));
        self.upper[size - 1] = [0.0; LANES];
        self.second[size - 1] = [0.0; LANES];
    }

    /// Overwrites x by (T − λI)⁻¹ x.
    fn solve(&self, x: &mut [Lanes]) {
        let size = x.len();
        let mut above = x[0];
        for i in 0..size - 1 {
            let below = x[i + 1];
            for lane in 0..LANES {
                let swap = self.swapped[i][lane];
                let (top, rest) = if swap { (below[lane], above[lane]) } else { (above[lane], below[lane]) };
                x[i][lane] = top;
                above[lane] = rest - self.lower[i][lane] * top;
            }
        }
        x[size - 1] = above;
        let (mut one_below, mut two_below) = ([0.0; LANES], [0.0; LANES]);
        for i in (0..size).rev() {
            for lane in 0..LANES {
                // What is two below is known first: only one product is on the critical path.
                let known = x[i][lane] - self.second[i][lane] * two_below[lane];
                let solved = (known - self.upper[i][lane] * one_below[lane]) * self.inverse_pivot[i][lane];
                two_below[lane] = one_below[lane];
                one_below[lane] = solved;
                x[i][lane] = solved;
            }
        }
    }
}

/// Makes x orthogonal to the columns of `before` and of length 1; false if nothing finite is left.
fn orthonormalize(x: &mut [f64], before: MatRef<'_, f64>) -> bool {
    let mut length = dot(x, x).sqrt();
    for _ in 0..2 {
        for other in before.col_iter() {
            if let Some(other) = other.try_as_col_major() {
                remove(x, other.as_slice());
            }
        }
        let left = dot(x, x).sqrt();
        let enough = left >= KEPT * length;
        length = left;
        if enough {
            break;
        }
    }
    x.iter_mut().for_each(|x| *x /= length);
    length > 0.0 && length.is_finite()
}

/// `‖Tx − λx‖`.
fn residual(diagonal: &[f64], off_diagonal: &[f64], value: f64, x: &[f64]) -> f64 {
    let size = x.len();
    let mut sum = 0.0;
    for i in 0..size {
        let mut entry = (diagonal[i] - value) * x[i];
        if i > 0 {
            entry += off_diagonal[i - 1] * x[i - 1];
        }
        if i + 1 < size {
            entry += off_diagonal[i] * x[i + 1];
        }
        sum += entry * entry;
    }
    sum.sqrt()
}

/// Partial sums of a dot product: eight independent chains, in a fixed order.
const CHAINS: usize = 8;

fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; CHAINS];
    let (x_blocks, y_blocks) = (x.chunks_exact(CHAINS), y.chunks_exact(CHAINS));
    let rest: f64 = x_blocks.remainder().iter().zip(y_blocks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in x_blocks.zip(y_blocks) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Removes from x its component along the unit vector `other`.
fn remove(x: &mut [f64], other: &[f64]) {
    let along = dot(x, other);
    for (x, y) in x.iter_mut().zip(other) {
        *x -= along * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;
    use faer::dyn_stack::MemBuffer;

    fn eigenvalues(diagonal: &[f64], off_diagonal: &[f64]) -> Vec<f64> {
        let (mut values, mut rest) = (diagonal.to_vec(), off_diagonal.to_vec());
        crate::tridiagonal::implicit_ql(&mut values, &mut rest, &mut [], 0).unwrap();
        values.sort_unstable_by(f64::total_cmp);
        values
    }

    /// A name, diagonal and off-diagonal entries by index.
    type Form = (&'static str, fn(usize) -> f64, fn(usize) -> f64);

    /// Every kind of form gets all its vectors: the other route is a safeguard, not the rule.
    #[test]
    fn no_form_is_given_up() {
        let size = 100;
        let forms: [Form; 8] = [
            ("second difference", |_| 2.0, |_| -1.0),
            ("Wilkinson", |i| i.abs_diff(50) as f64 / 50.0, |_| 0.02),
            ("diagonal", |i| i as f64 / 100.0, |_| 0.0),
            ("identity", |_| 1.0, |_| 0.0),
            (
                "graded",
                |i| 0.7_f64.powi(i32::try_from(i).unwrap()),
                |i| 0.3 * 0.7_f64.powi(i32::try_from(i).unwrap()),
            ),
            ("anti-graded", |i| 0.7_f64.powi(100 - i32::try_from(i).unwrap()), |_| 1e-9),
            ("blocks", |i| (i % 10) as f64 / 10.0, |i| if i % 10 == 9 { 0.0 } else { 0.1 }),
            ("low rank", |i| if i < 5 { 1.0 } else { 1e-17 }, |i| if i < 5 { 0.3 } else { 1e-17 }),
        ];
        for (name, diagonal, off_diagonal) in forms {
            let diagonal: Vec<f64> = (0..size).map(diagonal).collect();
            let off_diagonal: Vec<f64> = (0..size).map(off_diagonal).collect();
            let values = eigenvalues(&diagonal, &off_diagonal);
            let mut vectors = Mat::zeros(size, size);
            let mut memory = MemBuffer::new(extend_scratch(size));
            let stack = MemStack::new(&mut memory);
            let known = extend(&diagonal, &off_diagonal, &values, vectors.as_mut(), 0, size, stack);
            assert_eq!(known, size, "{name}");
        }
    }
}
