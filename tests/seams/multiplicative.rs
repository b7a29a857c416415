//! `multiplicative`: views `x∘(1 + g)`, whose noise is as large as the inputs are.

use super::{Parameter, Sample, View};

/// Σ = v diag(C̃), with v the variance of the factors.
pub static MULTIPLICATIVE: View = View {
    name: "multiplicative",
    help: "each input times an independent factor of mean 1, Σ = v diag(C̃)",
    spectrum: false,
    parameters: &[Parameter {
        key: "variance",
        column: "multiplicative_variance",
        default: 0.1,
        holds: |value| value > 0.0,
        words: "above 0",
        help: "variance of the factors",
        clean: true,
    }],
    covariance,
    thresholds: false,
};

fn covariance(sample: &Sample<'_>, sigma: &mut [f64]) {
    for (i, s) in sigma.iter_mut().enumerate() {
        *s = sample.parameters[0] * sample.inputs[(i, i)];
    }
}
