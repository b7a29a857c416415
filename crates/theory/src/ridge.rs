//! Ridge probes: labels from a representation with an intercept, their strength chosen on a part of
//! the sample.
//!
//! `P = (K + s tr K/k · I)⁻¹ R` with `K = cov z`, `R = cov(z, y)` of a representation z (k) and
//! one-hot labels y (ℓ); the prediction is `ȳ + Pᵀ(z − z̄)`. The strength s is the one of
//! [`STRENGTHS`] whose probe, fitted on four fifths of the sample, has the smallest squared loss on
//! the last fifth; then it is fitted on all. From moments alone.
//!
//! Cost: 8 (k³/3 + 2k²ℓ) flops.

use eigensweep_spectral::Failure;
use eigensweep_spectral::cholesky::{factor_in_place, solve_in_place};
use eigensweep_spectral::dense::product;
use eigensweep_spectral::lanes::InstructionSet;
use faer::{Accum, Mat, MatRef};

/// The strengths that are tried, in units of the mean variance of the representation. Chosen: from
/// where it does nothing to where it keeps the leading directions only.
pub const STRENGTHS: [f64; 8] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];

/// Moments of a representation and labels over some rows, not centred, divided by their number.
#[derive(Clone, Debug)]
pub struct ProbeMoments {
    /// Number of rows.
    pub samples: u64,
    /// mean zzᵀ (k × k), both triangles.
    pub second: Mat<f64>,
    /// mean z (k × 1).
    pub mean: Mat<f64>,
    /// mean zyᵀ (k × ℓ).
    pub labels: Mat<f64>,
    /// mean y (ℓ × 1).
    pub label_mean: Mat<f64>,
    /// mean yᵀy: 1 of one-hot labels.
    pub label_power: f64,
}

/// A fitted probe.
#[derive(Clone, Debug)]
pub struct RidgeProbe {
    /// P (k × ℓ).
    pub weights: Mat<f64>,
    /// `ȳ − Pᵀz̄` (ℓ × 1).
    pub intercept: Mat<f64>,
    /// s.
    pub strength: f64,
}

impl ProbeMoments {
    /// The probe of strength s.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the representation is not finite or has no variance that a ridge could mend.
    pub fn probe(&self, strength: f64) -> Result<RidgeProbe, Failure> {
        let (size, labels) = (self.labels.nrows(), self.labels.ncols());
        let mean = self.mean.as_ref();
        let centred = |second: &Mat<f64>, other: &Mat<f64>| {
            Mat::from_fn(size, second.ncols(), |i, j| second[(i, j)] - mean[(i, 0)] * other[(j, 0)])
        };
        let mut covariance = centred(&self.second, &self.mean);
        let mut weights = centred(&self.labels, &self.label_mean);
        let trace: f64 = (0..size).map(|i| covariance[(i, i)]).sum();
        if !trace.is_finite() {
            return Err(Failure::NotFinite);
        }
        // A representation without variance predicts the mean.
        if trace > 0.0 {
            for i in 0..size {
                covariance[(i, i)] += strength * trace / size as f64;
            }
            let instruction_set = InstructionSet::detect();
            factor_in_place(instruction_set, covariance.as_mut())?;
            solve_in_place(instruction_set, covariance.as_ref(), weights.as_mut());
        } else {
            weights = Mat::zeros(size, labels);
        }
        let of_mean = |c: usize| inner(weights.as_ref(), c, mean, 0);
        let intercept = Mat::from_fn(labels, 1, |c, _| self.label_mean[(c, 0)] - of_mean(c));
        Ok(RidgeProbe { weights, intercept, strength })
    }

    /// Mean squared loss of a probe on these rows.
    fn loss(&self, probe: &RidgeProbe) -> f64 {
        let weights = probe.weights.as_ref();
        let mut image = Mat::zeros(weights.nrows(), weights.ncols());
        let second = self.second.as_ref();
        product(InstructionSet::detect(), image.as_mut(), Accum::Replace, second, weights);
        let mut loss = self.label_power;
        for c in 0..weights.ncols() {
            let intercept = probe.intercept[(c, 0)];
            let of_mean = inner(weights, c, self.mean.as_ref(), 0);
            loss += intercept * (intercept + 2.0 * of_mean - 2.0 * self.label_mean[(c, 0)]);
            loss += inner(weights, c, image.as_ref(), c) - 2.0 * inner(weights, c, self.labels.as_ref(), c);
        }
        loss
    }
}

/// Inner product of column c of one with column e of another.
fn inner(a: MatRef<'_, f64>, c: usize, b: MatRef<'_, f64>, e: usize) -> f64 {
    a.col(c).iter().zip(b.col(e).iter()).map(|(a, b)| a * b).sum()
}

/// The probe of all rows, whose strength is the best on some of them: `fitted` on the others, tried
/// on `tried`; the smallest strength if either has no rows.
///
/// # Errors
///
/// As [`ProbeMoments::probe`].
pub fn ridge(all: &ProbeMoments, fitted: &ProbeMoments, tried: &ProbeMoments) -> Result<RidgeProbe, Failure> {
    let mut best = (STRENGTHS[0], f64::INFINITY);
    if fitted.samples > 0 && tried.samples > 0 {
        for strength in STRENGTHS {
            // A weak one may fail where a stronger one does not.
            let Ok(probe) = fitted.probe(strength) else { continue };
            let loss = tried.loss(&probe);
            if loss < best.1 {
                best = (strength, loss);
            }
        }
    }
    all.probe(best.0)
}

#[cfg(test)]
mod tests {
    use faer::{Mat, mat};

    use super::{ProbeMoments, STRENGTHS, ridge};

    /// Moments of rows z with one-hot labels.
    fn moments(rows: &[([f64; 2], usize)]) -> ProbeMoments {
        let share = 1.0 / rows.len() as f64;
        let mut moments = ProbeMoments {
            samples: rows.len() as u64,
            second: Mat::zeros(2, 2),
            mean: Mat::zeros(2, 1),
            labels: Mat::zeros(2, 2),
            label_mean: Mat::zeros(2, 1),
            label_power: 1.0,
        };
        for (z, class) in rows {
            moments.label_mean[(*class, 0)] += share;
            for i in 0..2 {
                moments.mean[(i, 0)] += share * z[i];
                moments.labels[(i, *class)] += share * z[i];
                for j in 0..2 {
                    moments.second[(i, j)] += share * z[i] * z[j];
                }
            }
        }
        moments
    }

    /// Two classes at ±1 along the first axis: cov z₁ = 1, cov(z₁, y) = ±1/2.
    #[test]
    fn a_probe_is_the_one_worked_by_hand() {
        let rows = [([3.0, 0.0], 0), ([5.0, 0.0], 1)];
        let probe = moments(&rows).probe(0.2).unwrap();
        // tr K / k = 1/2, so that the ridge is 0.1.
        let expected = mat![[-0.5 / 1.1, 0.5 / 1.1], [0.0, 0.0]];
        assert!((&probe.weights - &expected).norm_max() < 1e-15, "{:?}", probe.weights);
        let intercept = mat![[0.5 + 4.0 * 0.5 / 1.1], [0.5 - 4.0 * 0.5 / 1.1]];
        assert!((&probe.intercept - &intercept).norm_max() < 1e-14, "{:?}", probe.intercept);
    }

    #[test]
    fn the_loss_of_a_probe_is_that_of_its_predictions() {
        let rows = [([1.0, 0.3], 0), ([-0.5, 2.0], 1), ([0.2, -1.0], 1), ([0.7, 0.7], 0)];
        let (fitted, tried) = (moments(&rows[..3]), moments(&rows[1..]));
        for strength in STRENGTHS {
            let probe = fitted.probe(strength).unwrap();
            let mut loss = 0.0;
            for (z, class) in &rows[1..] {
                for c in 0..2 {
                    let predicted =
                        probe.intercept[(c, 0)] + z[0] * probe.weights[(0, c)] + z[1] * probe.weights[(1, c)];
                    loss += (predicted - f64::from(u8::from(c == *class))).powi(2) / 3.0;
                }
            }
            assert!((tried.loss(&probe) - loss).abs() < 1e-13, "{strength}");
        }
    }

    #[test]
    fn noise_is_answered_by_a_strong_ridge_and_signal_by_a_weak_one() {
        let signal: Vec<([f64; 2], usize)> =
            (0..40).map(|i| ([f64::from(i % 2), f64::from(i % 5)], (i % 2) as usize)).collect();
        let found = ridge(&moments(&signal), &moments(&signal[..32]), &moments(&signal[32..])).unwrap();
        assert!(found.strength < 1e-3, "{}", found.strength);
        let noise: Vec<([f64; 2], usize)> = (0..10)
            .map(|i| ([f64::from(i * i % 7), f64::from(i * i % 11)], (i * i % 3 % 2) as usize))
            .collect();
        let found = ridge(&moments(&noise), &moments(&noise[..5]), &moments(&noise[5..])).unwrap();
        assert!(found.strength > 1e-3, "{}", found.strength);
    }
}
