//! Principal components: the few input features that the paper's experiments learn from.
//!
//! The engine calls this once a job, before anything random happens. Appendix C reduces MNIST to 50
//! components of the raw pixels (0..=255), centred and not scaled. With the moments of
//! [`moments`](crate::moments), u the features' unit (grey levels for images):
//!
//! | symbol | here | shape | unit |
//! |---|---|---|---|
//! | `C = V Λ Vᵀ` | centred second moment, divided by n and not n − 1 | p × p | u² |
//! | `V` | [`PrincipalComponents::basis`] | p × m | none, orthonormal columns |
//! | `Λ` | [`PrincipalComponents::variances`], descending | m | u² |
//! | `μ` | [`PrincipalComponents::mean`] | p | u |
//! | `X₁ = (X − 1μᵀ) V` | [`PrincipalComponents::scores`] | n × m | u |
//!
//! The sign of each column of `V`, which an eigensolver leaves open, is fixed: its entry of largest
//! magnitude is positive, the first one if several tie.
//!
//! **Numerics.** `C` of bytes is exact up to three roundings an entry, of other numbers up to n of
//! them; the eigensolver and the projection round by a few units of 2⁻⁵³ relative to the largest
//! variance. Variances are therefore clamped at zero, and columns of `V` whose variances are closer
//! than that (those of constant features and repeated samples, all zero) are an arbitrary
//! orthonormal basis of their space. Up to
//! [`MOST_IN_A_LANE`](eigensweep_spectral::leading::MOST_IN_A_LANE) features all of it is the same
//! bits on every machine; beyond, faer's blocked eigensolver is the faster way, and its last bits
//! depend on the instruction set.
//!
//! **Cost.** n p² flops for the moments, O(p³) for the eigenvectors, 2 n p m for the scores.
//! Memory: n m doubles for the scores, some five p × p matrices while the eigensolver runs, and one
//! block of rows as doubles. MNIST's 60,000 × 784 to 50 components, read from gzip: about 1 s on
//! one core and 110 MB at the peak.

use eigensweep_spectral::dense::product;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::leading::eigenpairs;
use faer::{Accum, Mat, MatMut, MatRef};

use crate::moments::{BLOCK_ROWS, centre, for_blocks};
use crate::{Blocks, Dense, InputError};

/// The most features that [`principal_components`] takes. Derived from memory: five matrices of
/// this order are 2.5 GiB, and what the eigensolver allocates must not be left to a header.
pub const MAX_FEATURES: usize = 8192;

/// The leading principal components of a set of samples and the samples' scores on them.
#[derive(Debug, Clone)]
pub struct PrincipalComponents {
    scores: Dense<f64>,
    variances: Vec<f64>,
    total_variance: f64,
    mean: Vec<f64>,
    basis: Mat<f64>,
}

/// The first `components` principal components of raw, centred features.
///
/// # Errors
///
/// * [`InputError::Components`] unless `components` is in 1..=min(features, samples).
/// * [`InputError::TooManyFeatures`] above [`MAX_FEATURES`].
/// * [`InputError::TooManySamples`] above [`MAX_SAMPLES`](crate::MAX_SAMPLES) samples of bytes.
/// * [`InputError::TooLarge`] if the squares of a feature overflow.
/// * [`InputError::NoConvergence`] if the eigensolver gives up.
///
/// Source: K. Pearson, *On lines and planes of closest fit to systems of points in space* (1901).
pub fn principal_components(
    inputs: &dyn Blocks,
    components: usize,
) -> Result<PrincipalComponents, InputError> {
    let (samples, features) = (inputs.samples(), inputs.features());
    check_components(components, samples.min(features), "the smaller of features and samples")?;
    if features > MAX_FEATURES {
        return Err(InputError::TooManyFeatures { features, max: MAX_FEATURES });
    }
    let moment = inputs.second_moment()?;
    let total_variance = moment.diagonal().column_vector().iter().sum();
    let (variances, basis) = leading_eigenpairs(moment, components)?;
    let mean = inputs.means();
    let scores = project(inputs, &mean, basis.as_ref())?;
    Ok(PrincipalComponents { scores, variances, total_variance, mean, basis })
}

impl PrincipalComponents {
    /// The scores, samples × components, in the features' units; the columns are centred and
    /// uncorrelated.
    #[must_use]
    pub fn scores(&self) -> &Dense<f64> {
        &self.scores
    }

    /// The scores alone, for callers who need nothing else.
    #[must_use]
    pub fn into_scores(self) -> Dense<f64> {
        self.scores
    }

    /// The variance of each component, descending, none negative, in the features' units squared.
    #[must_use]
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The variance of the images along all directions together, in the features' units squared.
    #[must_use]
    pub fn total_variance(&self) -> f64 {
        self.total_variance
    }

    /// The mean of every feature.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The directions, features × components, orthonormal columns in the order of the variances.
    #[must_use]
    pub fn basis(&self) -> MatRef<'_, f64> {
        self.basis.as_ref()
    }

    /// Number of components, at least 1.
    #[must_use]
    pub fn components(&self) -> usize {
        self.variances.len()
    }

    /// The first `components` of these, entry for entry the same: principal components are nested.
    ///
    /// # Errors
    ///
    /// [`InputError::Components`] unless `components` is in 1..=[`components()`](Self::components).
    pub fn first(&self, components: usize) -> Result<Self, InputError> {
        check_components(components, self.components(), "the number computed")?;
        Ok(Self {
            scores: Dense::from_matrix(self.scores.matrix().subcols(0, components))?,
            variances: self.variances[..components].to_vec(),
            total_variance: self.total_variance,
            mean: self.mean.clone(),
            basis: self.basis.subcols(0, components).to_owned(),
        })
    }
}

/// Refuses a number of components outside 1..=max.
fn check_components(value: usize, max: usize, limit: &'static str) -> Result<(), InputError> {
    if (1..=max).contains(&value) { Ok(()) } else { Err(InputError::Components { value, max, limit }) }
}

/// The largest eigenvalue, clamped at zero, of a symmetric matrix given by its lower triangle, such
/// as a second moment.
///
/// # Errors
///
/// [`InputError::NoConvergence`] if the eigensolver gives up.
pub fn largest_eigenvalue(moment: MatRef<'_, f64>) -> Result<f64, InputError> {
    Ok(leading_eigenpairs(moment.to_owned(), 1)?.0[0])
}

/// The largest variances of principal components, descending, from the p × p second moment (its
/// lower triangle).
///
/// # Errors
///
/// [`InputError::NoConvergence`] if the eigensolver gives up; [`InputError::Components`] unless
/// `count` is in 1..=p.
pub fn leading_variances(moment: Mat<f64>, count: usize) -> Result<Vec<f64>, InputError> {
    check_components(count, moment.nrows(), "the number of features")?;
    Ok(leading_eigenpairs(moment, count)?.0)
}

/// The largest eigenvalues, descending and clamped at zero, with their eigenvectors (p ×
/// components, signs fixed), of a symmetric p × p matrix given by its lower triangle.
fn leading_eigenpairs(moment: Mat<f64>, components: usize) -> Result<(Vec<f64>, Mat<f64>), InputError> {
    let features = moment.nrows();
    let found = eigenpairs(moment.as_ref(), components);
    let (variances, basis) = found.map_err(|_| InputError::NoConvergence { features })?;
    Ok((variances.into_iter().map(|value| value.max(0.0)).collect(), basis))
}

/// The scores `(X − 1μᵀ) V`, block by block.
///
/// The mean is subtracted before the product, not after: then a score is as accurate as its own
/// size allows.
fn project(inputs: &dyn Blocks, mean: &[f64], basis: MatRef<'_, f64>) -> Result<Dense<f64>, InputError> {
    let (features, components) = (inputs.features(), basis.ncols());
    let mut scores = vec![0.0; inputs.samples() * components];
    let mut rest = scores.as_mut_slice();
    let directions = basis.transpose().to_owned();
    for_blocks(inputs, BLOCK_ROWS, |block| {
        centre(block, mean);
        let rows = block.len() / features;
        let (to, after) = std::mem::take(&mut rest).split_at_mut(rows * components);
        rest = after;
        product(
            InstructionSet::detect(),
            // Row-major scores are column-major ones of the transposed product VᵀXᵀ.
            MatMut::from_column_major_slice_mut(to, components, rows),
            Accum::Replace,
            directions.as_ref(),
            MatRef::from_column_major_slice(block, features, rows),
        );
    });
    Dense::new(scores, inputs.samples(), components)
}
