//! `spectral`: the views of Section 4.1 of the paper, Σ = Θ + α²Γ.

use super::{Parameter, Sample, View};

/// Additive noise `τ(x) = x + θ + αγ` with `θ ~ N(0, Θ)`, `γ ~ N(0, Γ)`: view generation 𝒯(α).
pub static SPECTRAL: View = View {
    name: "spectral",
    help: "additive noise, Σ = Θ + α²Γ (Section 4.1)",
    spectrum: true,
    parameters: &[Parameter {
        key: "alignment",
        column: "alignment",
        default: 1.0,
        holds: |value| value >= 0.0,
        words: "at least 0",
        help: "α multiplies the noise that views share with the samples; only its square matters, and 0 means none",
        clean: false,
    }],
    covariance,
    thresholds: true,
};

fn covariance(sample: &Sample<'_>, sigma: &mut [f64]) {
    let Sample { theta, gamma, parameters, .. } = *sample;
    sigma.copy_from_slice(theta);
    let signal = theta.len() - gamma.len();
    for (s, g) in sigma[signal..].iter_mut().zip(gamma) {
        *s += parameters[0] * parameters[0] * g;
    }
}

#[cfg(test)]
mod tests {
    use faer::Mat;

    use super::{Sample, covariance};

    #[test]
    fn noise_components_have_alignment_squared_times_gamma_more() {
        let (theta, inputs) = ([1.0, 2.0, 3.0, 4.0], Mat::new());
        let mut sigma = [0.0; 4];
        for (gamma, alignment, expected) in [
            (&[10.0, 20.0][..], 0.5, [1.0, 2.0, 5.5, 9.0]),
            (&[10.0, 20.0], 0.0, theta),
            // Clean inputs.
            (&[], 3.0, theta),
        ] {
            let parameters = &[alignment];
            covariance(&Sample { inputs: inputs.as_ref(), theta: &theta, gamma, parameters }, &mut sigma);
            let close = sigma.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15);
            assert!(close, "{sigma:?}, not {expected:?}");
        }
    }
}
