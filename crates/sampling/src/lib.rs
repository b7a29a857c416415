//! Reproducible random streams, and two samplers of the second moments of corrupted data.
//!
//! A sample of n noisy inputs with labels enters every closed form through its second moments only.
//! This crate draws those moments:
//!
//! - [`moments`]: **exactly**, without ever drawing the n × p noise, at a cost that does not grow
//!   with n;
//! - [`explicit`]: by drawing every number, the reference that the exact sampler is tested against.
//!
//! The clean inputs behind them are real ([`subset`]: nested subsets of a keyed permutation) or
//! Gaussian ([`gaussian`]: a low-rank signal with a teacher, whose Gram matrix is drawn exactly as
//! well); [`glyphs`] are images of digits that need no file. [`streams`] derives an independent
//! generator from what is drawn and its coordinates; [`wishart`] holds the Wishart root,
//! [`spectrum`] the laws of unit eigenvalues.
//!
//! The crate knows nothing of paradigms, jobs or files. It is called by `engine`, one task at a
//! time.
//!
//! # Notation
//!
//! | symbol | code | shape | meaning |
//! |---|---|---|---|
//! | A = [X Y] | | n × w | clean inputs and labels, w = k₀ + ℓ |
//! | N | | n × p | irrelevant noise of unit variance (scaled by Γ^½ later) |
//! | AᵀA | `clean` | w × w | Gram matrix, full symmetric |
//! | AᵀN | `cross` | w × p | |
//! | NᵀN | `noise` | p × p | Gram matrix, lower triangle |
//!
//! All are sums over the sample, not means. Nothing allocates after construction.

pub mod explicit;
pub mod gaussian;
pub mod glyphs;
mod gram;
pub mod moments;
pub mod spectrum;
pub mod streams;
pub mod subset;
pub mod wishart;
