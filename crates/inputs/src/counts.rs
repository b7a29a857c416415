//! Preprocessing of counts, such as those of single cells, by scanpy's definitions.
//!
//! | symbol | here | shape |
//! |---|---|---|
//! | `x` | raw counts, a cell a row, a gene a column | n × p |
//! | `t_i = Σ_j x_ij` | [`library_sizes`] | n |
//! | `s_i = T/t_i` | [`scales`] | n |
//! | `ln(1 + s_i x_ij)` | [`normalized`] | n × p |
//!
//! A job goes through them in this order: scales of the library sizes of all genes, the most
//! variable genes, their columns, their values. Sparse rows stay sparse all the way: what is zero
//! stays zero.
//!
//! scanpy computes in 32-bit floats where counts are such, we in doubles: values agree to some
//! 10⁻⁷.
//!
//! ```
//! use eigensweep_inputs::counts::{TargetSum, library_sizes, normalized, scales};
//! use eigensweep_inputs::{Blocks, Dense};
//!
//! let counts = Dense::<u8>::new(vec![1, 3, 0, 8], 2, 2)?;
//! let sizes = library_sizes(&counts);
//! assert_eq!(sizes, [4.0, 8.0]);
//! let scales = scales(&sizes, TargetSum::Median);
//! assert_eq!(scales, [1.5, 0.75]);
//! let mut values = [0.0; 4];
//! normalized(&counts, &scales, false)?.write_rows(0, &mut values);
//! assert_eq!(values, [1.5, 4.5, 0.0, 6.0]);
//! # Ok::<(), eigensweep_inputs::InputError>(())
//! ```
//!
//! Source: F. A. Wolf, P. Angerer, F. J. Theis, *SCANPY: large-scale single-cell gene expression
//! data analysis* (2018), and version 1.11.5 of its program: `normalize_total`, `log1p`,
//! `highly_variable_genes(flavor="seurat")` after R. Satija et al., *Spatial reconstruction of
//! single-cell gene expression data* (2015).

use crate::{Blocks, InputError};

/// What the counts of every cell sum to after normalization.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TargetSum {
    /// The median of the library sizes of cells that have any count.
    Median,
    /// This number, such as 10⁴.
    To(f64),
}

/// The sum of each row (n), exact for counts.
#[must_use]
pub fn library_sizes(rows: &dyn Blocks) -> Vec<f64> {
    let mut sizes = vec![0.0; rows.samples()];
    rows.for_entries(&mut |row, _, value| sizes[row] += value);
    sizes
}

/// The factor of each row (n): the target by the library size, and 1 for a cell without counts.
///
/// The median is that of cells with counts, as scanpy says and does for dense matrices; its version
/// 1.11 takes cells without counts in where the matrix is sparse.
#[must_use]
pub fn scales(sizes: &[f64], target: TargetSum) -> Vec<f64> {
    let target = match target {
        TargetSum::To(target) => target,
        TargetSum::Median => median(sizes.iter().copied().filter(|&size| size > 0.0).collect()),
    };
    sizes.iter().map(|&size| if size > 0.0 { target / size } else { 1.0 }).collect()
}

/// The middle number, or the mean of both; 0 of none.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.get((numbers.len().max(1) - 1) / 2..=numbers.len() / 2);
    middle.map_or(0.0, |middle| middle.iter().sum::<f64>() / middle.len() as f64)
}

/// Bins of equal width that genes are sorted into by their log-means. Scanpy's default.
const BINS: usize = 20;

/// What scanpy takes for the mean of a gene without counts.
const NO_MEAN: f64 = 1e-12;

/// The columns, ascending, of the `count` most variable genes of the log-normalized counts.
///
/// The dispersion of a gene is the logarithm of variance (by n − 1) over mean of its scaled counts
/// `s_i x_ij`. Genes are sorted into 20 bins of equal width by `ln(1 + mean)`, and rank by how many
/// standard deviations (by their number − 1) of their bin's dispersions they are above its mean; 1
/// for a gene alone in its bin. Genes that tie with the last are taken, too; constant genes never
/// are.
///
/// # Errors
///
/// * [`InputError::NegativeCount`] at the first negative entry.
/// * [`InputError::Dimension`] if there is not a scale for each row, or if no gene varies.
pub fn variable_features(rows: &dyn Blocks, scales: &[f64], count: usize) -> Result<Vec<usize>, InputError> {
    check(rows, scales)?;
    let (means, dispersions) = dispersions(rows, scales);
    let scores = scores(&means, &dispersions);
    let mut order: Vec<f64> = scores.iter().copied().filter(|score| !score.is_nan()).collect();
    order.sort_unstable_by(|a, b| b.total_cmp(a));
    let Some(&least) = order.get(count.min(order.len()).wrapping_sub(1)) else {
        return Err(InputError::Dimension {
            what: "genes that vary",
            expected: count.max(1),
            found: order.len(),
        });
    };
    Ok((0..scores.len()).filter(|&gene| scores[gene] >= least).collect())
}

/// `ln(1 + mean)` and the logarithm of variance over mean of each column's scaled counts; the
/// latter is no number where there is no variance.
fn dispersions(rows: &dyn Blocks, scales: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let samples = rows.samples() as f64;
    let mut sums = vec![(0.0, 0.0); rows.features()];
    rows.for_entries(&mut |row, column, value| {
        let value = scales[row] * value;
        sums[column].0 += value;
        sums[column].1 += value * value;
    });
    let unbiased = if rows.samples() > 1 { samples / (samples - 1.0) } else { 1.0 };
    let of = |(sum, squares): (f64, f64)| {
        let mean = sum / samples;
        let variance = (squares / samples - mean * mean) * unbiased;
        let mean = if mean > 0.0 { mean } else { NO_MEAN };
        // Not below what rounding leaves of a constant.
        let varies = variance > 4.0 * f64::EPSILON * squares / samples;
        let dispersion = if varies { libm::log(variance / mean) } else { f64::NAN };
        (libm::log1p(mean), dispersion)
    };
    sums.into_iter().map(of).unzip()
}

/// How far each dispersion is above those of its bin, in their standard deviations.
fn scores(means: &[f64], dispersions: &[f64]) -> Vec<f64> {
    let edges = edges(means);
    // The bin of a mean m is the one with edges a < m ≤ b.
    let bin = |mean: f64| edges.partition_point(|&edge| edge < mean);
    let mut bins = vec![Vec::new(); edges.len() + 1];
    for (&mean, &dispersion) in means.iter().zip(dispersions).filter(|(_, dispersion)| !dispersion.is_nan()) {
        bins[bin(mean)].push(dispersion);
    }
    let of_bin = |found: &Vec<f64>| {
        let number = found.len() as f64;
        let mean = found.iter().sum::<f64>() / number;
        let squares: f64 = found.iter().map(|dispersion| (dispersion - mean) * (dispersion - mean)).sum();
        if found.len() > 1 { (mean, (squares / (number - 1.0)).sqrt()) } else { (0.0, mean) }
    };
    let bins: Vec<(f64, f64)> = bins.iter().map(of_bin).collect();
    let score = |(&mean, &dispersion): (&f64, &f64)| {
        let (centre, deviation) = bins[bin(mean)];
        (dispersion - centre) / deviation
    };
    means.iter().zip(dispersions).map(score).collect()
}

/// The edges of the bins, as `pandas.cut` has them: the first is a thousandth of the range lower,
/// or if all means are the same, both ends a thousandth of them apart.
fn edges(means: &[f64]) -> Vec<f64> {
    let mut least = means.iter().copied().fold(f64::INFINITY, f64::min);
    let mut most = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let below = if most > least {
        (most - least) * 0.001
    } else {
        let margin = if least.abs() > 0.0 { 0.001 * least.abs() } else { 0.001 };
        (least, most) = (least - margin, most + margin);
        0.0
    };
    let step = (most - least) / BINS as f64;
    let mut edges: Vec<f64> = (0..BINS).map(|at| at as f64 * step + least).collect();
    edges[0] -= below;
    edges.push(most);
    edges
}

/// Rows with the chosen columns only, in that order; their layout and type stay.
///
/// # Errors
///
/// [`InputError::Dimension`] if there are no columns, or no such column.
pub fn select(rows: &dyn Blocks, columns: &[usize]) -> Result<Box<dyn Blocks>, InputError> {
    if let Some(&found) = columns.iter().find(|&&column| column >= rows.features()) {
        return Err(InputError::Dimension { what: "columns", expected: rows.features(), found });
    }
    rows.select(columns)
}

/// Scaled counts `s_i x_ij`, and `ln(1 + s_i x_ij)` if `log1p`, as doubles; sparse rows stay
/// sparse.
///
/// # Errors
///
/// * [`InputError::NegativeCount`] at the first negative entry.
/// * [`InputError::Dimension`] if there is not a scale for each row.
/// * [`InputError::NonFiniteEntry`] if a scaled count overflows.
pub fn normalized(rows: &dyn Blocks, scales: &[f64], log1p: bool) -> Result<Box<dyn Blocks>, InputError> {
    check(rows, scales)?;
    let scaled = |row: usize, value: f64| scales[row] * value;
    if log1p { rows.mapped(&|row, value| libm::log1p(scaled(row, value))) } else { rows.mapped(&scaled) }
}

/// Refuses negative entries, and scales of other rows.
fn check(rows: &dyn Blocks, scales: &[f64]) -> Result<(), InputError> {
    let (expected, found) = (rows.samples(), scales.len());
    if expected != found {
        return Err(InputError::Dimension { what: "scales", expected, found });
    }
    let mut negative = None;
    rows.for_entries(&mut |row, column, value| {
        if value < 0.0 && negative.is_none() {
            negative = Some(InputError::NegativeCount { row, column, value });
        }
    });
    negative.map_or(Ok(()), Err)
}
