//! Unit eigenvalues of a signal or noise spectrum; the caller multiplies them by a scale (λ_max,
//! κ²_max).
//!
//! The protocol of the paper's appendix C draws the eigenvalues of Γ and Θ from `U[0, λ_max]`; a
//! *unit* spectrum is drawn once a replicate and shared over n, α and the scales, so that these are
//! compared on the same spectrum.

use rand_distr::{Distribution, OpenClosed01};

use crate::streams::Stream;

/// The law of a unit spectrum.
#[derive(Clone, Debug, PartialEq)]
pub enum Spectrum {
    /// Independent uniform on (0, 1], never exactly 0: Σ stays definite.
    Uniform,
    /// All 1.
    Flat,
    /// `(i + 1)^(−decay)`, i from 0.
    PowerLaw {
        /// 0 is flat; negative values grow.
        decay: f64,
    },
    /// These, in this order.
    Listed(Vec<f64>),
}

impl Spectrum {
    /// Writes the unit eigenvalues of one replicate into `unit`.
    ///
    /// Draws `unit.len()` uniforms, in order, if [`Uniform`](Self::Uniform); nothing otherwise.
    ///
    /// # Panics
    ///
    /// If a list has another length than `unit` (the reader of jobs refuses it before).
    pub fn fill_unit(&self, unit: &mut [f64], rng: &mut Stream) {
        match self {
            Self::Uniform => unit.fill_with(|| OpenClosed01.sample(rng)),
            Self::Flat => unit.fill(1.0),
            Self::PowerLaw { decay } => {
                for (i, x) in unit.iter_mut().enumerate() {
                    *x = ((i + 1) as f64).powf(-decay);
                }
            }
            Self::Listed(values) => {
                assert!(
                    values.len() == unit.len(),
                    "a list of {} for {} eigenvalues",
                    values.len(),
                    unit.len()
                );
                unit.copy_from_slice(values);
            }
        }
    }
}
