//! The paper in code: closed-form self-supervised learning from second moments.
//!
//! Source of every theorem, proposition, corollary and equation number: Van Assel, Ibrahim,
//! Biancalani, Regev and Balestriero, *Joint-Embedding vs Reconstruction: Provable Benefits of
//! Latent Space Prediction for Self-Supervised Learning*, NeurIPS 2025, arXiv:2505.12477v2.
//!
//! | in the paper | here |
//! |---|---|
//! | Lemma B.1, equation 46 (supervised) | [`paradigms::SUPERVISED`] |
//! | Theorem 3.1 (reconstruction) | [`paradigms::RECONSTRUCTION`] |
//! | Theorem 3.2 (joint-embedding) | [`paradigms::JOINT_EMBEDDING`] |
//! | Section 4.1 (corruption; views, Σ = Θ + α²Γ) | [`moments`]; [`views::SPECTRAL`] |
//! | Propositions 4.3 and 4.4 (thresholds), Corollary 4.5 (crossover) | [`thresholds`] |
//! | finite samples: not in the paper, its future work | [`finite`] |
//! | n = ∞ for any covariances: not in the paper | [`population`] |
//! | Proposition 4.2 (supervised recovers for every α) | a test: `crates/engine/tests/propositions.rs` |
//! | equation 93 (linear probing loss) | [`probing`] |
//!
//! A paradigm is solved for any moments by [`closed_forms`], many problems at a time by
//! [`general`], and for additive views by [`additive`]. [`features`] are fixed maps of samples and
//! of their views. What is reported of a paradigm is a table of [`metrics`]. Leakage, the share of
//! a representation's variance that is irrelevant, is not in the paper: [`leakage`].
//!
//! The crate is called by `engine` (a batch of Σ at a time, every buffer reused) and by
//! `eigensweep solve` (one problem). It knows nothing of grids, randomness, threads or files.
//!
//! # Notation
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | G | `mean_views` | d × d | X̄ᵀX̄/n, Gram matrix of the mean views |
//! | S | `views` | d × d | G + Σ, second moment of the views |
//! | C | `cross` | d × d | XᵀX̄/n |
//! | B | `view_labels` | d × ℓ | X̄ᵀY/n |
//! | C̃, B̃ | `inputs`, `input_labels` | d × d, d × ℓ | moments of the (corrupted) inputs that a probe sees |
//! | y² | `label_power` | | tr(YᵀY)/n |
//! | r | `rank` | | rank of S; d unless it is singular |
//! | k | `dimension` | | dimension of the representation, up to r |
//! | V | `basis` | d × k | columns span the row space of the encoder |

/// Things of a table are told apart by their names, which are also what `Debug` prints.
macro_rules! told_by_name {
    ($of:ty) => {
        impl PartialEq for $of {
            fn eq(&self, other: &Self) -> bool {
                self.name == other.name
            }
        }

        impl Eq for $of {}

        impl std::fmt::Debug for $of {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name)
            }
        }
    };
}

pub mod additive;
pub mod closed_forms;
pub mod features;
pub mod finite;
pub mod general;
pub mod leakage;
pub mod metrics;
pub mod moments;
pub mod paradigms;
pub mod population;
pub mod probing;
pub mod ridge;
mod root;
pub mod spectrum;
pub mod thresholds;
pub mod views;

pub use eigensweep_spectral::lanes::InstructionSet;
pub use eigensweep_spectral::{Failure, MemBuffer, MemStack, StackReq};
pub use metrics::Metric;
pub use paradigms::Paradigm;
pub use spectrum::relative_gap;
