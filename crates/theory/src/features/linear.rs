//! Linear features: centring, standardizing, principal components and whitening, as one map
//! `x ↦ Bᵀ (x − c)`.
//!
//! | | B | c |
//! |---|---|---|
//! | centring | I | μ |
//! | standardizing | `D = diag(1/√Cov_ii)`; 1 of a feature without variance | 0, or μ |
//! | principal components | `D V`, V the eigenvectors of `D Cov D` | μ |
//! | whitening | `D V Λ^{-½}` | μ |
//!
//! Variances are divided by n. Exact in moments: `G ↦ BᵀGB`.

use eigensweep_spectral::leading::eigenpairs;
use faer::{Mat, MatMut};

use super::{Moments, Recipe, times};
use crate::Failure;
use crate::views::stages::{Map, Stage, linear};

/// `x ↦ Bᵀ (x − c)`, with `B = D U`.
#[derive(Clone, Debug)]
pub struct Linear {
    /// c (d); empty where it is 0.
    centre: Vec<f64>,
    /// The diagonal of D (d); empty where it is I.
    scales: Vec<f64>,
    /// Uᵀ (k × d); `None` where it is I.
    basis: Option<Mat<f64>>,
}

/// Principal components of samples, before it is known how many are kept.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Without its basis.
    before: Linear,
    /// Of what comes out of that.
    moments: Moments,
    /// μ, in the samples' units.
    mean: Vec<f64>,
    /// Variances, descending, and directions (d × k), of the largest number of components.
    pairs: Option<(Vec<f64>, Mat<f64>)>,
}

impl Principal {
    /// Of samples with these moments; `most` components, or none.
    ///
    /// # Errors
    ///
    /// [`Failure`] of the eigensolver.
    ///
    /// # Panics
    ///
    /// If `most` exceeds d.
    pub fn new(recipe: &Recipe, moments: Moments, most: Option<usize>) -> Result<Self, Failure> {
        let Moments { mean, covariance } = moments;
        let size = mean.len();
        let mut before = Linear { centre: Vec::new(), scales: Vec::new(), basis: None };
        let mut covariance = covariance;
        if recipe.standardize {
            let scale = |i: usize| {
                let variance = covariance[(i, i)];
                // Centred first: what rounding leaves of a constant is some units of its last
                // place.
                let rounding = 8.0 * f64::EPSILON * mean[i];
                if variance > rounding * rounding { 1.0 / variance.sqrt() } else { 1.0 }
            };
            before.scales = (0..size).map(scale).collect();
            let scales = &before.scales;
            covariance = Mat::from_fn(size, size, |i, j| scales[i] * covariance[(i, j)] * scales[j]);
        }
        if recipe.center {
            before.centre.clone_from(&mean);
        }
        let most = match recipe.kind.components {
            super::Components::Whitened => Some(most.unwrap_or(size)),
            super::Components::Optional | super::Components::Required => most,
        };
        let pairs = most.map(|most| eigenpairs(covariance.as_ref(), most)).transpose()?;
        let after = before.of_mean(&mean);
        Ok(Self { before, moments: Moments { mean: after, covariance }, mean, pairs })
    }

    /// The map to the leading `components`, scaled to unit variance or not; `None` where it changes
    /// nothing.
    pub(super) fn linear(
        &self,
        whitened: bool,
        components: Option<usize>,
    ) -> Result<Option<Linear>, Failure> {
        let Some((variances, directions)) = self.pairs.as_ref().filter(|_| whitened || components.is_some())
        else {
            let Linear { centre, scales, .. } = &self.before;
            return Ok((!centre.is_empty() || !scales.is_empty()).then(|| self.before.clone()));
        };
        let size = self.mean.len();
        let rounding = 8.0 * f64::EPSILON * size as f64 * variances.first().copied().unwrap_or(0.0);
        let rank = variances.iter().take_while(|variance| **variance > rounding).count();
        let count = components.unwrap_or(rank);
        if whitened && (count > rank || rank == 0) {
            return Err(Failure::DimensionAboveRank { rank });
        }
        let factor = |i: usize| if whitened { 1.0 / variances[i].sqrt() } else { 1.0 };
        let basis = Mat::from_fn(count, size, |i, j| factor(i) * directions[(j, i)]);
        Ok(Some(Linear { centre: self.mean.clone(), scales: self.before.scales.clone(), basis: Some(basis) }))
    }

    /// Moments of what comes out of a map of [`linear`](Self::linear).
    pub(super) fn behind(&self, linear: Option<&Linear>) -> Moments {
        let Some(basis) = linear.and_then(|linear| linear.basis.as_ref()) else {
            return self.moments.clone();
        };
        let count = basis.nrows();
        let mut half = Mat::zeros(count, basis.ncols());
        times(basis.as_ref(), self.moments.covariance.as_ref(), half.as_mut());
        let mut covariance = Mat::zeros(count, count);
        times(half.as_ref(), basis.transpose(), covariance.as_mut());
        Moments { mean: vec![0.0; count], covariance }
    }
}

impl Linear {
    /// B (d × k): what acts on moments, together with [`centre`](Self::centre); `None` where it is
    /// I.
    #[must_use]
    pub fn matrix(&self, features: usize) -> Option<Mat<f64>> {
        let scale = |i: usize| self.scales.get(i).copied().unwrap_or(1.0);
        match &self.basis {
            Some(basis) => Some(Mat::from_fn(features, basis.nrows(), |i, j| scale(i) * basis[(j, i)])),
            None if self.scales.is_empty() => None,
            None => Some(Mat::from_fn(features, features, |i, j| if i == j { scale(i) } else { 0.0 })),
        }
    }

    /// c (d); empty where it is 0.
    #[must_use]
    pub fn centre(&self) -> &[f64] {
        &self.centre
    }

    /// As a stage that acts on moments.
    pub(super) fn stage(&self) -> Box<dyn Stage> {
        let columns = self.basis.as_ref().map(Mat::ncols);
        let features = columns.unwrap_or(self.centre.len().max(self.scales.len()));
        let matrix = self.matrix(features).map(|matrix| matrix.transpose().to_owned());
        let matrix = matrix.unwrap_or_else(|| Mat::identity(features, features));
        let moved = |i: usize| -self.centre.iter().enumerate().map(|(j, c)| matrix[(i, j)] * c).sum::<f64>();
        let offset = (0..matrix.nrows()).map(moved).collect();
        linear(matrix, offset)
    }

    /// Where the mean goes, without a basis.
    fn of_mean(&self, mean: &[f64]) -> Vec<f64> {
        let mut values = mean.to_vec();
        self.move_and_scale(&mut values);
        values
    }

    fn move_and_scale(&self, values: &mut [f64]) {
        values.iter_mut().zip(&self.centre).for_each(|(value, centre)| *value -= centre);
        values.iter_mut().zip(&self.scales).for_each(|(value, scale)| *value *= scale);
    }
}

impl Map for Linear {
    fn features(&self, before: usize) -> usize {
        self.basis.as_ref().map_or(before, Mat::nrows)
    }

    /// The centre is taken off first: a score is then as accurate as its own size allows.
    fn apply(&self, mut samples: MatMut<'_, f64>, mut to: MatMut<'_, f64>) {
        for column in samples.as_mut().col_iter_mut() {
            if let Some(values) = column.try_as_col_major_mut() {
                self.move_and_scale(values.as_slice_mut());
            }
        }
        match &self.basis {
            Some(basis) => times(basis.as_ref(), samples.as_ref(), to),
            None => to.copy_from(samples),
        }
    }
}
