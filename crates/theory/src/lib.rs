//! The paper in code: closed-form self-supervised learning from second moments.
//!
//! Source of every theorem, proposition, corollary and equation number: Van Assel, Ibrahim, Biancalani, Regev and
//! Balestriero, *Joint-Embedding vs Reconstruction: Provable Benefits of Latent Space Prediction for Self-Supervised Learning*, NeurIPS
//! 2025, arXiv:2505.12477v2.
//!
//! | in the paper | here |
//! |---|---|
//! | Lemma B.1, equation 46 (supervised) | [`closed_forms::ClosedForms::supervised`], [`additive::AdditiveBatch`] |
//! | Theorem 3.1 (reconstruction) | [`closed_forms::ClosedForms::reconstruction`], [`additive::AdditiveBatch`] |
//! | Theorem 3.2 (joint-embedding) | [`closed_forms::ClosedForms::joint_embedding`], [`additive::AdditiveBatch`] |
//! | Section 4.1 (corruption, views, Σ = Θ + α²Γ) | [`moments`] |
//! | Propositions 4.3 and 4.4 (thresholds), Corollary 4.5 (crossover) | [`thresholds`] |
//! | Proposition 4.2 (supervised recovers for every α) | a test: `crates/engine/tests/propositions.rs` |
//! | equation 93 (linear probing loss) | [`probing`] |
//!
//! Leakage, the share of a representation's variance that is irrelevant, is not in the paper: [`leakage`].
//!
//! The crate is called by `engine` (a batch of Σ at a time, every buffer reused) and by `eigensweep solve` (one problem). It
//! knows nothing of grids, randomness, threads or files.
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
//! | k | `dimension` | | dimension of the representation |
//! | V | `basis` | d × k | columns span the row space of the encoder |

pub mod additive;
pub mod closed_forms;
mod joint_embedding;
pub mod leakage;
pub mod metrics;
pub mod moments;
pub mod paradigms;
pub mod probing;
mod reconstruction;
mod representation;
mod supervised;
pub mod thresholds;
pub mod views;

pub use eigensweep_spectral::Failure;
pub use eigensweep_spectral::lanes::InstructionSet;
pub use metrics::Metric;
pub use paradigms::Paradigm;
pub use representation::{Representation, relative_gap};
pub use supervised::Supervised;
