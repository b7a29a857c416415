//! Independent coordinates whose variance is a polynomial of the value: thinning, counting noise.
//!
//! With `E T = s v` and `Var T_i = c₁ v_i + c₂ v_i²`, the second moment becomes
//! `s² S + D(c₁ μ + c₂ diag S)`. Source: `views.md`, section 3; C. N. Morris, *Natural exponential
//! families with quadratic variance functions*, Annals of Statistics 10 (1982).

use faer::Mat;

/// The least probability that is told, relative to the most likely outcome's.
const LEAST: f64 = 1e-25;

/// `M ← s M`.
pub(super) fn mean(factor: f64, moment: &mut Mat<f64>) {
    for column in moment.col_iter_mut() {
        column.iter_mut().for_each(|entry| *entry *= factor);
    }
}

/// `S ← s² S + D(c₁ μ + c₂ diag S)`.
pub(super) fn second(factor: f64, [linear, square]: [f64; 2], second: &mut Mat<f64>, mean: &[f64]) {
    for (j, column) in second.col_iter_mut().enumerate() {
        for (i, entry) in column.iter_mut().enumerate() {
            let variance = if i == j { linear * mean[i] + square * *entry } else { 0.0 };
            *entry = factor * factor * *entry + variance;
        }
    }
}

/// Adds `unit · k` with its probability for whole k, the most likely `mode`, of a law with
/// `p(k + 1) = ratio(k) p(k)` and no other mode.
///
/// From the mode outwards and normalised at the end, so that errors are those of as many products
/// as the law is wide.
pub(super) fn around(mode: f64, ratio: impl Fn(f64) -> f64, unit: f64, outcomes: &mut Vec<(f64, f64)>) {
    let from = outcomes.len();
    outcomes.push((unit * mode, 1.0));
    let (mut weight, mut k) = (1.0, mode);
    loop {
        weight *= ratio(k);
        k += 1.0;
        // NaN ends, too.
        if !(weight >= LEAST && weight.is_finite()) {
            break;
        }
        outcomes.push((unit * k, weight));
    }
    (weight, k) = (1.0, mode);
    while k > 0.0 {
        k -= 1.0;
        weight /= ratio(k);
        if !(weight >= LEAST && weight.is_finite()) {
            break;
        }
        outcomes.push((unit * k, weight));
    }
    let sum: f64 = outcomes[from..].iter().map(|(_, weight)| weight).sum();
    outcomes[from..].iter_mut().for_each(|(_, weight)| *weight /= sum);
}
