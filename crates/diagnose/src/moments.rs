//! Sums of squares within and between items: all that a fold reads of its rows.
//!
//! An item of n rows is turned by Helmert's orthogonal contrasts into one row `Σx/√n`, which is
//! *between*, and n − 1 differences, which are *within*. Their Gram matrices B and W are sums over
//! items, so that those of a training fold are those of all items less those held out.
//!
//! With N rows of m items, the rows' covariance `C = (B + W)/N − μμᵀ` and the component within
//! items `W/(N − m)`, the component between them is `(N C − (N − 1) W/(N − m)) / (N − Σn²/N)`:
//! unbiased whatever the sizes (Searle, Casella and McCulloch, *Variance components*, 1992, section
//! 3.6). About a mean that does not depend on the rows it is `C − W/(N − m)`.
//!
//! Cost: N d² flops.

use eigensweep_spectral::dense::gram_lower;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_theory::{Failure, InstructionSet};
use faer::{Accum, Mat, MatRef};

use crate::algebra::{gram, symmetric};
use crate::measurements::{Items, Kind};
use crate::{DiagnoseError, Run};

/// Rows whose products are added at a time. No bit depends on it.
const BLOCK: usize = 256;

/// Sums over items, of rows less the origin.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    /// m.
    pub(crate) items: usize,
    /// N.
    pub(crate) rows: usize,
    /// Σn².
    pub(crate) squares: f64,
    /// Σx (d).
    sum: Vec<f64>,
    /// B (d × d), lower triangle.
    pub(crate) between: Mat<f64>,
    /// W (d × d), lower triangle.
    pub(crate) within: Mat<f64>,
    /// The diagonal of B + W (d), of a difference that of the larger sums: what rounding is a share
    /// of.
    powers: Vec<f64>,
}

/// Roundings of the sums of a feature, beside which nothing is known of it.
const ROUNDINGS: f64 = 8.0;

/// Columns whose products are not yet added.
struct Block {
    columns: Mat<f64>,
    used: usize,
}

impl Block {
    fn new(size: usize) -> Self {
        Self { columns: Mat::zeros(size, BLOCK), used: 0 }
    }

    fn push(
        &mut self,
        gram: &mut Mat<f64>,
        column: impl Iterator<Item = f64>,
        run: &Run<'_>,
    ) -> Result<(), DiagnoseError> {
        self.columns.col_as_slice_mut(self.used).iter_mut().zip(column).for_each(|(to, x)| *to = x);
        self.used += 1;
        if self.used == BLOCK {
            run.check()?;
            self.add(gram);
        }
        Ok(())
    }

    fn add(&mut self, gram: &mut Mat<f64>) {
        let columns = self.columns.as_ref().subcols(0, self.used);
        gram_lower(InstructionSet::detect(), gram.as_mut(), Accum::Add, columns);
        self.used = 0;
    }
}

impl Sums {
    /// Over some items.
    pub(crate) fn of(
        items: &Items<'_>,
        which: impl Iterator<Item = usize>,
        run: &Run<'_>,
    ) -> Result<Self, DiagnoseError> {
        let size = items.features;
        let square = || Mat::zeros(size, size);
        let (mut between, mut within) = (square(), square());
        let mut blocks = [Block::new(size), Block::new(size)];
        let (mut sum, mut own) = (vec![0.0; size], vec![0.0; size]);
        let (mut count, mut rows, mut squares) = (0, 0, 0.0);
        for item in which {
            own.fill(0.0);
            let of = items.of(item);
            for (number, &row) in of.iter().enumerate() {
                let row = items.row(row).iter().zip(&items.origin).map(|(x, origin)| x - origin);
                if number > 0 {
                    let number = number as f64;
                    let scale = 1.0 / (number * (number + 1.0)).sqrt();
                    let contrast = own.iter().zip(row.clone()).map(|(sum, x)| (sum - number * x) * scale);
                    blocks[1].push(&mut within, contrast, run)?;
                }
                own.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            sum.iter_mut().zip(&own).for_each(|(sum, own)| *sum += own);
            let own_rows = of.len() as f64;
            blocks[0].push(&mut between, own.iter().map(|sum| sum / own_rows.sqrt()), run)?;
            (count, rows, squares) = (count + 1, rows + of.len(), squares + own_rows * own_rows);
        }
        blocks[0].add(&mut between);
        blocks[1].add(&mut within);
        let powers = (0..size).map(|i| between[(i, i)] + within[(i, i)]).collect();
        Ok(Self { items: count, rows, squares, sum, between, within, powers })
    }

    /// Over the items that are not among others.
    pub(crate) fn less(&self, other: &Self) -> Self {
        Self {
            items: self.items - other.items,
            rows: self.rows - other.rows,
            squares: self.squares - other.squares,
            sum: self.sum.iter().zip(&other.sum).map(|(all, other)| all - other).collect(),
            between: &self.between - &other.between,
            within: &self.within - &other.within,
            powers: self.powers.clone(),
        }
    }

    /// Freedom N − m within items.
    pub(crate) fn freedom(&self) -> f64 {
        (self.rows - self.items) as f64
    }

    /// `W/(N − m)`, both triangles.
    fn component_within(&self) -> Mat<f64> {
        let freedom = self.freedom();
        symmetric(self.sum.len(), |i, j| self.within[(i, j)] / freedom)
    }

    fn mean(&self) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / self.rows as f64).collect()
    }

    /// C about a point (d).
    fn about(&self, point: &[f64]) -> Mat<f64> {
        let count = self.rows as f64;
        symmetric(self.sum.len(), |i, j| {
            let shift = self.sum[i] * point[j] + point[i] * self.sum[j] - count * point[i] * point[j];
            (self.between[(i, j)] + self.within[(i, j)] - shift) / count
        })
    }
}

/// What is signal and what is noise in some rows (d × d each, both triangles).
#[derive(Debug)]
pub(crate) struct Covariances {
    /// μ less the origin (d).
    pub(crate) mean: Vec<f64>,
    /// C.
    pub(crate) inputs: Mat<f64>,
    /// Γ̂.
    pub(crate) noise: Mat<f64>,
    /// Ĉ₀.
    pub(crate) signal: Mat<f64>,
}

impl Covariances {
    /// Of rows about their own mean. A feature that is the same in all of them has no variance:
    /// what sums leave of it is rounding.
    pub(crate) fn of(sums: &Sums, kind: Kind) -> Self {
        let mean = sums.mean();
        let (mut inputs, mut within) = (sums.about(&mean), sums.component_within());
        for (i, power) in sums.powers.iter().enumerate() {
            if inputs[(i, i)] <= ROUNDINGS * f64::EPSILON * power {
                for matrix in [&mut inputs, &mut within] {
                    matrix.row_mut(i).fill(0.0);
                    matrix.col_mut(i).fill(0.0);
                }
            }
        }
        let count = sums.rows as f64;
        let scale = 1.0 / (count - sums.squares / count);
        let between =
            symmetric(mean.len(), |i, j| (count * inputs[(i, j)] - (count - 1.0) * within[(i, j)]) * scale);
        Self::sorted(kind, mean, inputs, within, between)
    }

    /// Of rows that are held out, about the mean of those that are not.
    pub(crate) fn held_out(sums: &Sums, kind: Kind, mean: &[f64]) -> Self {
        let inputs = sums.about(mean);
        let within = sums.component_within();
        let between = &inputs - &within;
        Self::sorted(kind, mean.to_vec(), inputs, within, between)
    }

    fn sorted(kind: Kind, mean: Vec<f64>, inputs: Mat<f64>, within: Mat<f64>, between: Mat<f64>) -> Self {
        let (noise, signal) = match kind {
            Kind::Pairs | Kind::Groups => (within, between),
            Kind::Batches => (between, within),
        };
        Self { mean, inputs, noise, signal }
    }
}

/// B (lower triangle), if other rows were of the items: `row_at` gives each by item and number.
pub(crate) fn between(
    items: &Items<'_>,
    row_at: impl Fn(usize, usize) -> usize,
    run: &Run<'_>,
) -> Result<Mat<f64>, DiagnoseError> {
    let size = items.features;
    let (mut gram, mut block) = (Mat::zeros(size, size), Block::new(size));
    let mut own = vec![0.0; size];
    for item in 0..items.len() {
        own.fill(0.0);
        let count = items.of(item).len();
        for number in 0..count {
            let row = items.row(row_at(item, number)).iter().zip(&items.origin);
            own.iter_mut().zip(row).for_each(|(sum, (x, origin))| *sum += x - origin);
        }
        block.push(&mut gram, own.iter().map(|sum| sum / (count as f64).sqrt()), run)?;
    }
    block.add(&mut gram);
    Ok(gram)
}

/// The nearest covariance to a symmetric matrix: its eigenvalues below zero are left out.
pub(crate) fn clipped(matrix: MatRef<'_, f64>) -> Result<Mat<f64>, Failure> {
    let size = matrix.nrows();
    let (mut values, mut vectors) = (vec![0.0; size], Mat::zeros(size, size));
    Eigensolver::new(InstructionSet::detect(), size).solve(matrix, &mut values, vectors.as_mut())?;
    let kept = values.iter().take_while(|value| **value > 0.0).count();
    for (column, value) in vectors.as_mut().col_iter_mut().zip(&values[..kept]) {
        let root = value.sqrt();
        column.iter_mut().for_each(|x| *x *= root);
    }
    Ok(gram(vectors.as_ref().subcols(0, kept)))
}
