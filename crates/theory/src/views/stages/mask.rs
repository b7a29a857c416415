//! Random masks and fills: `m∘v + f` with (m, f) of any joint law, independent of v.
//!
//! With `Q = E mmᵀ`, `F = E mfᵀ` and `H = E ffᵀ` (d × d): `Ā = D(E m)`, `b̄ = E f`, and the second
//! moment becomes `Q∘S + D(μ)F + FᵀD(μ) + H`. A kind says the entries of these; none stores more
//! than it has numbers. Source: `views.md`, section 3.

use faer::Mat;

use super::{Domain, Fault, Shape, Spec, Value};

/// The law of a mask and its fill, up to second moments.
pub(super) trait Mask {
    /// `E m_i`.
    fn keep(&self, i: usize) -> f64;

    /// `E f_i`.
    fn fill(&self, i: usize) -> f64;

    /// The moments of two features.
    fn pair(&self, i: usize, j: usize) -> Pair;
}

/// Moments of the masks and fills of two features i and j.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// `Q_ij = E m_i m_j`.
    pub(super) keep: f64,
    /// `F_ij = E m_i f_j`.
    pub(super) keep_fill: f64,
    /// `F_ji = E f_i m_j`.
    pub(super) fill_keep: f64,
    /// `H_ij = E f_i f_j`.
    pub(super) fill: f64,
}

/// `M ← D(E m) M + E f wᵀ`.
pub(super) fn mean(mask: &impl Mask, moment: &mut Mat<f64>, weights: &[f64]) {
    for (column, weight) in moment.col_iter_mut().zip(weights) {
        for (i, entry) in column.iter_mut().enumerate() {
            *entry = mask.keep(i) * *entry + mask.fill(i) * weight;
        }
    }
}

/// `S ← Q∘S + D(μ)F + FᵀD(μ) + H`.
pub(super) fn second(mask: &impl Mask, second: &mut Mat<f64>, mean: &[f64]) {
    for (j, column) in second.col_iter_mut().enumerate() {
        for (i, entry) in column.iter_mut().enumerate() {
            let Pair { keep, keep_fill, fill_keep, fill } = mask.pair(i, j);
            *entry = keep * *entry + mean[i] * keep_fill + mean[j] * fill_keep + fill;
        }
    }
}

/// The one word that a fill can be.
pub(super) const MEAN: &str = "mean";

/// What masked features become, whatever else happens: φ.
#[derive(Clone, Debug)]
pub(super) struct Fill {
    /// φ (d); NaN until a [mean](Self::is_mean) is known.
    pub(super) values: Vec<f64>,
    /// Whether it is the mean of what comes in.
    pub(super) is_mean: bool,
}

impl Fill {
    /// The value of `fill`.
    pub(super) fn of(spec: &Spec, shape: Shape) -> Result<Self, Fault> {
        let is_mean = matches!(spec.value("fill"), Some(Value::Word(_)));
        let values = if is_mean { vec![f64::NAN; shape.size()] } else { spec.per_feature("fill", shape)? };
        Ok(Self { values, is_mean })
    }

    /// Takes the mean of what comes in.
    pub(super) fn settle(&mut self, mean: &[f64]) {
        if self.is_mean {
            self.values.copy_from_slice(mean);
        }
    }

    /// The one value, where it is the same for all features, whatever comes in.
    pub(super) fn single(&self) -> Option<f64> {
        let first = self.values.first().copied()?;
        let same = self.values.iter().all(|fill| fill.total_cmp(&first).is_eq());
        (same && !self.is_mean).then_some(first)
    }

    /// The moments of two features that are kept with probabilities κ, both of them with `both`.
    pub(super) fn pair(&self, [i, j]: [usize; 2], keep: [f64; 2], both: f64) -> Pair {
        let (a, b) = (self.values[i], self.values[j]);
        Pair {
            keep: both,
            keep_fill: (keep[0] - both) * b,
            fill_keep: (keep[1] - both) * a,
            fill: (1.0 - keep[0] - keep[1] + both) * a * b,
        }
    }

    /// What values come out where some of such values are replaced.
    pub(super) fn domain(&self, before: Domain) -> Domain {
        if self.is_mean { before.min(Domain::NotNegative) } else { before.min(Domain::of(&self.values)) }
    }
}
