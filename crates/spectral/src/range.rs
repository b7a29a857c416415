//! The root of the inverse of a positive semidefinite matrix on its range.
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | S | `matrix` | d × d | positive semidefinite up to rounding, lower triangle read |
//! | r | | | its rank |
//! | T | `root` | d × r | `TᵀST = I`, its columns in the range of S, so `T Tᵀ = S⁺` |
//!
//! Method: with D the diagonal of S, zeros left out, `E = D^(−½) S D^(−½) = U Λ Uᵀ`. The columns
//! of `D^(−½) Uᵣ Λᵣ^(−½)` have `TᵀST = I`, but they lie in the range of `D^(−½) E`, not in that of
//! S: the null space of S is `N = D^(−½) U₀`, and what lies in it is taken away, which changes
//! nothing of `TᵀST`. Without equilibration the small eigenvalues of a sound S whose variables
//! have different units would count as rounding.
//!
//! The rank: an eigenvalue of E counts as zero at or below 10·d·ε·λ₁, d variables with a diagonal
//! entry. The eigenvalues that are found are those of a matrix within a small multiple of d·ε·λ₁,
//! and rounding in the products that S is made of has that order, too: of 10⁶ normal samples of 2
//! to 11 variables, some of which are linear in the others, it stays below a third of the bound. It
//! is also what
//! [`factor_safely_in_place`](crate::cholesky::factor_safely_in_place) refuses: a share of at most
//! 10·d·ε of a variable that the others leave unexplained, `1/(E⁻¹)ᵢᵢ`, is no less than the
//! smallest eigenvalue, and λ₁ ≥ 1, so that what that refuses has a rank below d here.
//!
//! Rows of N are as different as units are. They are sorted, the largest first, and N is factored
//! with pivoted columns, `N Π = Q R`, each in a unit of its own, which changes no span: then
//! rounding in each row is relative to that row (Cox and Higham, *Stability of Householder QR
//! factorization for weighted least squares problems*, 1998), and `TᵀST = I` holds in every unit.
//!
//! Cost: ≈ 9d³ (eigenvectors) + 2d (d−r)² + 8d r (d−r) flops.

use faer::{MatMut, MatRef};

use crate::Failure;
use crate::cholesky::SAFE;
use crate::householder::{Qr, Side};
use crate::lanes::InstructionSet;
use crate::symmetric::Eigensolver;

/// Workspace for roots of one matrix at a time.
#[derive(Debug)]
pub struct InverseRoot {
    order: Vec<usize>,
    weights: Vec<f64>,
    /// λ, descending.
    values: Vec<f64>,
    qr: Qr,
}

impl InverseRoot {
    /// Room for matrices of up to `size` = d.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, size: usize) -> Self {
        Self {
            order: vec![0; size],
            weights: vec![0.0; size],
            values: vec![0.0; size],
            qr: Qr::new(instruction_set, size),
        }
    }

    /// Writes T into the first r columns of `root` (d × d), those of the largest λ first, and
    /// returns r, which is 0 for a matrix of zeros; `vectors` (d × d) is workspace.
    ///
    /// `rounding` is what the equilibrated matrix is known to be off by, in the spectral norm,
    /// beside what is always; 0 if nothing is known. Eigenvalues up to it count as zero, too.
    ///
    /// # Errors
    ///
    /// [`Failure::NotPositiveDefinite`] if S is negative in some direction by more than rounding:
    /// then it is no second moment. [`Failure::NotFinite`] if the lower triangle holds a NaN or an
    /// infinity; [`Failure::NoConvergence`].
    ///
    /// # Panics
    ///
    /// If the shapes do not fit one another or the room, or columns are not contiguous.
    pub fn of(
        &mut self,
        eigensolver: &mut Eigensolver,
        matrix: MatRef<'_, f64>,
        rounding: f64,
        vectors: MatMut<'_, f64>,
        mut root: MatMut<'_, f64>,
    ) -> Result<usize, Failure> {
        let size = matrix.nrows();
        assert!(matrix.ncols() == size && vectors.nrows() == size && vectors.ncols() == size, "d × d");
        assert!(root.nrows() == size && root.ncols() == size, "room for d × d");
        if !(0..size).all(|j| matrix.col(j).subrows(j, size - j).is_all_finite()) {
            return Err(Failure::NotFinite);
        }
        let order = &mut self.order[..size];
        let live = variables(matrix, order)?;
        let order = &order[..live];
        let weights = &mut self.weights[..live];
        for (weight, &i) in weights.iter_mut().zip(order) {
            *weight = 1.0 / matrix[(i, i)].sqrt();
        }
        let mut equilibrated = root.as_mut().submatrix_mut(0, 0, live, live);
        for b in 0..live {
            equilibrated[(b, b)] = 1.0;
            for a in b + 1..live {
                let (i, j) = (order[a].max(order[b]), order[a].min(order[b]));
                equilibrated[(a, b)] = matrix[(i, j)] * weights[a] * weights[b];
            }
        }
        let mut vectors = vectors.submatrix_mut(0, 0, live, live);
        let values = &mut self.values[..live];
        eigensolver.solve(equilibrated.as_ref(), values, vectors.as_mut())?;
        let floor = SAFE * live as f64 * f64::EPSILON * values.first().copied().unwrap_or(0.0);
        let floor = floor.max(rounding);
        if values.last().is_some_and(|&least| least < -floor) {
            let share = |a: usize| vectors[(a, live - 1)].abs();
            let heaviest = (0..live).max_by(|&a, &b| share(a).total_cmp(&share(b)));
            return Err(Failure::NotPositiveDefinite { pivot: order[heaviest.unwrap_or(0)] });
        }
        let rank = values.iter().take_while(|&&value| value > floor).count();
        let (mut kept, mut null) = vectors.split_at_col_mut(rank);
        for (a, weight) in weights.iter().enumerate() {
            null.as_mut().row_mut(a).iter_mut().for_each(|x| *x *= weight / weights[0]);
            let kept = kept.as_mut().row_mut(a);
            kept.iter_mut().zip(&values[..rank]).for_each(|(x, value)| *x *= weight / value.sqrt());
        }
        project_away(&mut self.qr, null, kept.as_mut());
        let mut root = root.subcols_mut(0, rank);
        root.fill(0.0);
        for (a, &i) in order.iter().enumerate() {
            for c in 0..rank {
                root[(i, c)] = kept[(a, c)];
            }
        }
        Ok(rank)
    }
}

/// Writes the variables with a diagonal entry to the front of `order` (0 to d − 1), the smallest
/// first, and returns their number.
///
/// A diagonal entry may be rounding of zero: zero or negative, and so far below the largest that
/// nothing can be said of it. Then its row is rounding, too.
fn variables(matrix: MatRef<'_, f64>, order: &mut [usize]) -> Result<usize, Failure> {
    let size = order.len();
    let largest = (0..size).fold(0.0_f64, |largest, i| largest.max(matrix[(i, i)].abs()));
    let rounding = SAFE * size as f64 * f64::EPSILON * largest;
    let mut live = 0;
    for i in 0..size {
        if matrix[(i, i)] > 0.0 {
            order[live] = i;
            live += 1;
        } else if (0..size).any(|j| matrix[(i.max(j), i.min(j))].abs() > rounding) {
            return Err(Failure::NotPositiveDefinite { pivot: i });
        }
    }
    order[..live].sort_unstable_by(|&i, &j| matrix[(i, i)].total_cmp(&matrix[(j, j)]).then(i.cmp(&j)));
    Ok(live)
}

/// Takes away from `columns` (m × r) what lies in the span of the columns of `null` (m × q, q ≤ m,
/// destroyed).
fn project_away(qr: &mut Qr, mut null: MatMut<'_, f64>, mut columns: MatMut<'_, f64>) {
    let count = null.ncols();
    if count == 0 || columns.ncols() == 0 {
        return;
    }
    qr.factor_pivoted(null.as_mut());
    qr.apply(Side::Transposed, null.as_ref(), columns.as_mut());
    columns.as_mut().subrows_mut(0, count).fill(0.0);
    qr.apply(Side::Forward, null.as_ref(), columns);
}
