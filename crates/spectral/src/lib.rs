//! Dense symmetric kernels for thousands of problems of one size.
//!
//! What a closed form of self-supervised learning needs of linear algebra, and nothing more:
//! eigenvalues of a symmetric matrix with the projections of a few right-hand sides ([`scaled`]),
//! definite pencils ([`general`]),
//! its eigenvectors ([`symmetric`]; the leading k for several k: [`leading`]), Cholesky factors and
//! triangular solves ([`cholesky`]), the root of the inverse of a singular matrix on its range
//! ([`range`]), singular values ([`singular`]) and quadratic forms with the pseudo-inverse of a
//! semidefinite matrix ([`semidefinite`]).
//!
//! The crate knows nothing of learning, randomness or files. It is called by `theory` (the
//! paradigms), `sampling` (factors of Gram matrices) and `datasets` (principal components).
//!
//! # Conventions
//!
//! - Matrices are column-major `f64`. A *symmetric* argument is read from its lower triangle unless
//!   a function says otherwise.
//! - No function allocates but [`leading::eigenpairs`]. A kernel's workspace is a struct of its
//!   own, or comes from a [`MemStack`] of the size that its twin `*_scratch` returns. One for the
//!   largest size serves every smaller one.
//! - Everything is the same bits on every instruction set up to [`band::LARGEST_SIZE`].
//! - Everything runs on the calling thread (`Par::Seq`): parallelism lives in the scheduler.
//! - A kernel that cannot answer returns a [`Failure`] and leaves its outputs unspecified.
//! - Results do not depend on units: A and `10⁻³⁰ A` are answered with the same relative accuracy.

#![allow(
    clippy::needless_range_loop,
    clippy::manual_memcpy,
    reason = "loops over the entries of a tile read like the sums that they are"
)]

pub mod band;
pub mod cholesky;
pub mod dense;
mod failure;
pub mod general;
mod householder;
pub mod lanes;
pub mod leading;
pub mod range;
pub mod scaled;
mod scaling;
pub mod semidefinite;
pub mod singular;
pub mod symmetric;

pub use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
pub use failure::Failure;
