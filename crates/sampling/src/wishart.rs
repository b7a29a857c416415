//! Roots of Wishart matrices: `H = R Rᵀ ~ Wishart_p(I, m)`.
//!
//! - m ≥ p: Bartlett's decomposition. R is lower triangular, standard normal below the diagonal,
//!   and `Rᵢᵢ² ~ χ²` with m − i degrees of freedom (i from 0), all independent. The cost does not
//!   depend on m.
//! - m < p: R is p × m, standard normal (H has rank m and no density).
//!
//! Source: Bartlett (1933); Anderson, *An Introduction to Multivariate Statistical Analysis*, 3rd
//! edition, section 7.2.
//!
//! Moments that the tests use: `E H = m I`, `Var Hᵢⱼ = m (1 + δᵢⱼ)`.

use faer::MatMut;
use rand_distr::{ChiSquared, Distribution, StandardNormal};

use crate::gram::fill_normal;
use crate::streams::Stream;

/// Columns that a root of `Wishart_p(I, m)` has: min(p, m).
#[must_use]
pub fn root_columns(size: usize, degrees_of_freedom: u64) -> usize {
    usize::try_from(degrees_of_freedom).map_or(size, |m| m.min(size))
}

/// Fills `root` (p × min(p, m)) with a root of `Wishart_p(I, m)`.
///
/// Draws, for m ≥ p: column by column, the χ² of the diagonal first and the normals below it next;
/// for m < p: p·m normals, column by column.
///
/// # Panics
///
/// If `root` does not have [`root_columns`] columns.
pub fn root(mut root: MatMut<'_, f64>, degrees_of_freedom: u64, rng: &mut Stream) {
    let size = root.nrows();
    assert!(root.ncols() == root_columns(size, degrees_of_freedom), "a p × min(p, m) root");
    if root.ncols() < size {
        fill_normal(root, rng);
        return;
    }
    for j in 0..size {
        for i in 0..j {
            root[(i, j)] = 0.0;
        }
        root[(j, j)] = chi_squared((degrees_of_freedom - j as u64) as f64, rng).sqrt();
        for i in j + 1..size {
            root[(i, j)] = StandardNormal.sample(rng);
        }
    }
}

/// A χ² variate with `degrees_of_freedom` ≥ 1.
fn chi_squared(degrees_of_freedom: f64, rng: &mut Stream) -> f64 {
    // The constructor refuses only values that are not positive.
    ChiSquared::new(degrees_of_freedom).map_or(0.0, |d| d.sample(rng))
}
