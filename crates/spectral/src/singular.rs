//! Singular values and vectors of a matrix with no more columns than rows.
//!
//! `M = U Φ Pᵀ`. Reconstruction's general path takes them from `C T` (`C L⁻ᵀ`) directly: squaring
//! it to `TᵀCᵀC T` would leave the small φ with an error of √ε·φ₁.
//!
//! Method: products, eigenvectors and QR factors, each in one order of summation. `MᵀM = P Λ Pᵀ`
//! has an error of ε φ₁², so that the columns of `M P` are orthogonal up to ε φ₁²: the leading
//! ones, of a φ above `SHARE`·φ₁, to a few ε relative to their lengths. With `M P = Q R`,
//!
//! ```text
//! R = ( D  E )    D diagonal, and E zero, up to ε φ₁ / SHARE;
//!     ( 0  F )    ‖F‖ ≤ SHARE·φ₁,
//! ```
//!
//! the leading φ are |D|, the leading vectors those columns of Q and P, and what is left is F,
//! smaller in size and in norm, of which the error of the next square is relative to its own norm.
//! It ends where all that is left is rounding, d·ε·φ₁, which counts as 0; Q is orthonormal there,
//! too.
//!
//! Backward stable: exact for a matrix within a small multiple of d·ε·‖M‖ of M (the tests bound it
//! by 20).
//!
//! Cost: ≈ 17 d³ flops of a square one, and once more those of the size of F, and so on: of φ
//! spread evenly F has a few of the columns, of φ over 16 decades there are 9 steps.
//!
//! Measured on one core of an AMD EPYC of the Zen 4 kind that others shared, AVX-512,
//! milliseconds, of entries uniform, graded over 12 decades, and of a product of rank d/2; residual
//! up to 0.12, `UᵀU − I` up to 0.7 and `PᵀP − I` up to 1.4 in units of d·ε:
//!
//! | d | uniform | faer | graded | faer | rank d/2 | faer |
//! |---:|---:|---:|---:|---:|---:|---:|
//! | 100 | 2.5 | 1.4 | 5.6 | 0.9 | 2.1 | 0.8 |
//! | 256 | 21 | 16 | 49 | 8.9 | 18 | 9.9 |
//! | 512 | 116 | 89 | 289 | 66 | 111 | 69 |
//! | 784 | 384 | 272 | 925 | 199 | 395 | 227 |
//!
//! Half of it is eigenvectors; what makes graded ones slow is that a step finds little.

use faer::{Accum, Mat, MatMut, MatRef};

use crate::Failure;
use crate::band::solver::{padded_mat, part};
use crate::dense::{column_mut, gram_lower, product};
use crate::householder::{Qr, identity};
use crate::lanes::InstructionSet;
use crate::scaling::normalize_into;
use crate::symmetric::Eigensolver;

/// Share of the largest φ above which others are found with it.
const SHARE: f64 = 1.0 / 64.0;

/// Workspace for singular values of one matrix at a time.
#[derive(Debug)]
pub struct SingularValues {
    instruction_set: InstructionSet,
    /// M or F; its transposed, and later the product of what was found with a factor.
    core: Mat<f64>,
    turned: Mat<f64>,
    gram: Mat<f64>,
    vectors: Mat<f64>,
    /// R with its reflectors, and Q.
    factor: Mat<f64>,
    orthogonal: Mat<f64>,
    qr: Qr,
}

impl SingularValues {
    /// Room for matrices of up to `size` rows.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, size: usize) -> Self {
        let square = || padded_mat(size, size);
        Self {
            instruction_set,
            core: square(),
            turned: square(),
            gram: square(),
            vectors: square(),
            factor: square(),
            orthogonal: square(),
            qr: Qr::new(instruction_set, size),
        }
    }

    /// Bytes of one, about.
    #[must_use]
    pub fn bytes(size: usize) -> usize {
        8 * size * (6 * size + 200)
    }

    /// Computes `M = U Φ Pᵀ` of a d × r matrix, r ≤ d: Φ, descending, into `values` (r), U (d × r)
    /// and P (r × r) into `left` and `right`.
    ///
    /// # Errors
    ///
    /// [`Failure::NotFinite`] if M or a singular value (near the largest f64) is not;
    /// [`Failure::NoConvergence`].
    ///
    /// # Panics
    ///
    /// If the shapes do not fit one another or the room, or columns are not contiguous.
    pub fn of(
        &mut self,
        eigensolver: &mut Eigensolver,
        matrix: MatRef<'_, f64>,
        values: &mut [f64],
        mut left: MatMut<'_, f64>,
        mut right: MatMut<'_, f64>,
    ) -> Result<(), Failure> {
        let (size, rank) = (matrix.nrows(), matrix.ncols());
        assert!(rank <= size && values.len() == rank, "no more columns than rows, and r singular values");
        assert!((left.nrows(), left.ncols()) == (size, rank), "room for d × r left singular vectors");
        assert!((right.nrows(), right.ncols()) == (rank, rank), "room for r × r right singular vectors");
        let Self { instruction_set, core, turned, gram, vectors, factor, orthogonal, qr } = self;
        let instruction_set = *instruction_set;
        let unit = normalize_into(matrix, part(core, size, rank))?;
        identity(left.as_mut());
        identity(right.as_mut());
        let (mut done, mut rows, mut floor) = (0, size, 0.0);
        while done < rank {
            let count = rank - done;
            let core = part(core, rows, count);
            // Nothing but rounding is left.
            let power: f64 = core.as_ref().col_iter().flat_map(|x| x.iter()).map(|x| x * x).sum();
            if power.sqrt() <= floor {
                values[done..].fill(0.0);
                break;
            }
            let mut across = part(turned, count, rows);
            across.copy_from(core.as_ref().transpose());
            let mut gram = part(gram, count, count);
            gram_lower(instruction_set, gram.as_mut(), Accum::Replace, across.as_ref());
            let (found, mut vectors) = (&mut values[done..], part(vectors, count, count));
            eigensolver.solve(gram.as_ref(), found, vectors.as_mut())?;
            let largest = found[0].max(0.0);
            if done == 0 {
                floor = size as f64 * f64::EPSILON * largest.sqrt();
            }
            let leading = found.iter().take_while(|value| **value > SHARE * SHARE * largest).count();
            let mut factor = part(factor, rows, count);
            product(instruction_set, factor.as_mut(), Accum::Replace, core.as_ref(), vectors.as_ref());
            qr.factor(factor.as_mut());
            let mut orthogonal = part(orthogonal, rows, count);
            qr.write(factor.as_ref(), orthogonal.as_mut());
            let mut own_left = left.as_mut().subcols_mut(done, count);
            let mut own_right = right.as_mut().subcols_mut(done, count);
            if done == 0 {
                own_left.copy_from(orthogonal.as_ref());
                own_right.copy_from(vectors.as_ref());
            } else {
                for (side, factor) in
                    [(&mut own_left, orthogonal.as_ref()), (&mut own_right, vectors.as_ref())]
                {
                    let mut turned = part(turned, side.nrows(), count);
                    product(instruction_set, turned.as_mut(), Accum::Replace, side.as_ref(), factor);
                    side.copy_from(turned.as_ref());
                }
            }
            for (c, value) in found[..leading].iter_mut().enumerate() {
                let x = factor[(c, c)];
                *value = x.abs();
                if x < 0.0 {
                    own_left.as_mut().col_mut(c).iter_mut().for_each(|x| *x = -*x);
                }
            }
            done += leading;
            rows = count - leading;
            let mut core = core.submatrix_mut(0, 0, rows, rows);
            for j in 0..rows {
                for i in 0..rows {
                    core[(i, j)] = if i <= j { factor[(leading + i, leading + j)] } else { 0.0 };
                }
            }
        }
        sort_descending(values, left, right);
        for x in values.iter_mut() {
            *x *= unit;
        }
        if values.iter().all(|x| x.is_finite()) { Ok(()) } else { Err(Failure::NotFinite) }
    }
}

/// Sorts values, the largest first, and the columns with them: they are nearly sorted.
fn sort_descending(values: &mut [f64], mut left: MatMut<'_, f64>, mut right: MatMut<'_, f64>) {
    for i in 1..values.len() {
        let mut at = i;
        while at > 0 && values[at - 1] < values[at] {
            values.swap(at - 1, at);
            for mut side in [left.as_mut(), right.as_mut()] {
                let (mut before, mut after) = side.as_mut().split_at_col_mut(at);
                column_mut(before.as_mut(), at - 1).swap_with_slice(column_mut(after.as_mut(), 0));
            }
            at -= 1;
        }
    }
}
