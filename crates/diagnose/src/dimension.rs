//! How many directions have something in common within items: the whitened cross moment, beside
//! that of permuted pairs.
//!
//! With C whitened, the component between items has a direction for each eigenvalue that is larger
//! than the *largest* of permuted pairs is in 95 of 100. Raw moments would let loud noise hide the
//! signal, and a null for each rank would count what earlier directions left.
//!
//! The component is a linear function of B alone, whose whitened eigenvalues are all that a
//! permutation needs. Cost: m d² + 4 d³ flops each.

use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_sampling::subset::permute;
use eigensweep_spectral::range::InverseRoot;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_theory::{Failure, InstructionSet};
use faer::Mat;

use crate::algebra::{product, symmetric, transposed_product};
use crate::features::Features;
use crate::measurements::{Items, Kind};
use crate::moments::{Covariances, Sums, between};
use crate::tasks::Tasks;
use crate::{DiagnoseError, DimensionFrom, Needs, Run, SEED};

/// Permutations.
pub(crate) const PERMUTATIONS: usize = 60;

/// Share of them that a direction's eigenvalue exceeds.
const LEVEL: f64 = 0.95;

/// C whitened.
pub(crate) struct Whitened<'s> {
    sums: &'s Sums,
    root: Mat<f64>,
    /// Eigenvalues of the component between items (r), descending.
    pub(crate) values: Vec<f64>,
}

impl<'s> Whitened<'s> {
    /// Of the root that [`root`] finds.
    pub(crate) fn new(sums: &'s Sums, root: Mat<f64>) -> Result<Self, DiagnoseError> {
        let mut eigensolver = Eigensolver::new(InstructionSet::detect(), root.ncols());
        let mut whitened = Self { sums, root, values: Vec::new() };
        whitened.values = whitened.of(&sums.between, &mut eigensolver).map_err(failed)?;
        Ok(whitened)
    }

    /// r.
    fn rank(&self) -> usize {
        self.root.ncols()
    }

    /// Eigenvalues, of this B (d × d, lower triangle).
    fn of(&self, between: &Mat<f64>, eigensolver: &mut Eigensolver) -> Result<Vec<f64>, Failure> {
        let between = symmetric(between.nrows(), |i, j| between[(i, j)]);
        let half = product(between.as_ref(), self.root.as_ref());
        let form = transposed_product(self.root.as_ref(), half.as_ref());
        let mut values = vec![0.0; self.rank()];
        eigensolver.solve(form.as_ref(), &mut values, Mat::zeros(self.rank(), 0).as_mut())?;
        let rows = self.sums.rows as f64;
        values.iter_mut().for_each(|value| *value = self.component(*value / rows));
        Ok(values)
    }

    /// The component between items in a direction with this share B/(B + W).
    fn component(&self, share: f64) -> f64 {
        let rows = self.sums.rows as f64;
        let within = (rows - 1.0) / self.sums.freedom() * (1.0 - share);
        (1.0 - within) * rows / (rows - self.sums.squares / rows)
    }

    /// Down to which chance explains eigenvalues; `None` where it explains any.
    ///
    /// The lower edge of the eigenvalues of `B (B + W)⁻¹` without signal (Wachter, *The limiting
    /// empirical measure of multiple discriminant ratios*, 1980), and three standard deviations of
    /// a single one.
    pub(crate) fn least_by_chance(&self) -> Option<f64> {
        let (between, within) = (self.sums.items as f64 - 1.0, self.sums.freedom());
        let (size, all) = (self.rank() as f64, between + within);
        (size < between.min(within)).then(|| {
            let edge = ((between * (all - size)).sqrt() - (size * within).sqrt()) / all;
            self.component(edge * edge) - 3.0 / (self.sums.items as f64).sqrt()
        })
    }

    /// How many directions stand out.
    pub(crate) fn dimension(
        &self,
        items: &Items<'_>,
        tasks: &Tasks<'_>,
    ) -> Result<(usize, DimensionFrom), DiagnoseError> {
        let workspace = || Eigensolver::new(InstructionSet::detect(), self.rank());
        let mut largest = tasks.each(PERMUTATIONS, workspace, |eigensolver, number| {
            let between = permuted(items, number, tasks.run)?;
            let values = self.of(&between, eigensolver).map_err(failed)?;
            Ok(values.first().copied().unwrap_or(0.0))
        })?;
        largest.sort_by(f64::total_cmp);
        let bound = quantile(&largest, LEVEL);
        let found = self.values.iter().take_while(|value| **value > bound).count();
        Ok((found, DimensionFrom::Permutation { values: self.values.clone(), bound }))
    }
}

/// T R (d × r), with `Rᵀ(TᵀCT)R = I`: r is the rank of the rows.
pub(crate) fn root(all: &Covariances, features: &Features) -> Result<Mat<f64>, DiagnoseError> {
    let inputs = features.moment(&all.inputs);
    let size = inputs.nrows();
    let isa = InstructionSet::detect();
    let (mut vectors, mut root) = (Mat::zeros(size, size), Mat::zeros(size, size));
    let (inputs, eigensolver) = (inputs.as_ref().as_ref(), &mut Eigensolver::new(isa, size));
    let rank = InverseRoot::new(isa, size)
        .of(eigensolver, inputs, 0.0, vectors.as_mut(), root.as_mut())
        .map_err(failed)?;
    Ok(features.lift(root.as_ref().subcols(0, rank).to_owned()))
}

/// Refuses what has no answer.
pub(crate) fn check(items: &Items<'_>, features: usize) -> Result<(), DiagnoseError> {
    let needs = match items.kind {
        Kind::Batches => Needs::Nuisance,
        Kind::Pairs | Kind::Groups if items.len() <= features => {
            Needs::Pairs { items: items.len(), features }
        }
        Kind::Pairs | Kind::Groups => return Ok(()),
    };
    Err(DiagnoseError::DimensionNeeded(needs))
}

/// B of rows that were dealt to items by chance: of pairs the second ones, of groups all.
fn permuted(items: &Items<'_>, number: usize, run: &Run<'_>) -> Result<Mat<f64>, DiagnoseError> {
    let count = match items.kind {
        Kind::Pairs => items.len(),
        Kind::Groups | Kind::Batches => items.rows().len(),
    };
    let order = order(count, Draw::Permutation, number);
    let row_at = |item, number| match items.kind {
        Kind::Pairs if number == 0 => items.of(item)[0],
        Kind::Pairs => items.of(order[item] as usize)[number],
        Kind::Groups | Kind::Batches => items.rows()[order[items.start(item) + number] as usize],
    };
    between(items, row_at, run)
}

/// A random order of so many.
pub(crate) fn order(count: usize, draw: Draw, number: usize) -> Vec<u32> {
    let mut rng = Streams::new(SEED).stream(draw, &[number as u64]);
    // Items are counted by numbers of 32 bits; rows beyond stay where they are.
    let total = u32::try_from(count).unwrap_or(u32::MAX);
    let mut order: Vec<u32> = vec![0; total as usize];
    permute(total, &mut order, &mut vec![0; total as usize], &mut rng);
    order
}

/// A point of sorted numbers, between two of them by proportion.
fn quantile(sorted: &[f64], level: f64) -> f64 {
    let at = level * (sorted.len() - 1) as f64;
    let below = at.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
    let first = below as usize;
    let next = (first + 1).min(sorted.len() - 1);
    sorted[first] + (at - below) * (sorted[next] - sorted[first])
}

fn failed(source: Failure) -> DiagnoseError {
    DiagnoseError::Kernel { what: "the whitened cross moment", source }
}
