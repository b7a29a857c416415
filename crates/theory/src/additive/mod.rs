//! The additive case, `x̄ = x`: all paradigms as scaled symmetric problems, many at a time.
//!
//! Then `G = C = C̃` and `S = C̃ + Σ`. With Σ diagonal and positive definite (Section 4.1: Σ = Θ +
//! α²Γ), let `A = Σ^(−½) C̃ Σ^(−½)` and `b = Σ^(−½) B̃`: d² scalings in place of a Cholesky factor
//! and two triangular solves. `A + I` has every eigenvalue at least 1, so its Cholesky factor `L`
//! always exists and is safe.
//!
//! - joint-embedding: `A = Q Λ Qᵀ`, `ω = λ/(1+λ)`, basis `Σ^(−½) Q`;
//! - reconstruction: the pencil `(A Σ A, A + I)`, basis `Σ^(−½) L⁻ᵀ P`;
//! - supervised: one solve with `A + I`.
//!
//! These scaled forms stand with their theorems in [`paradigms`](crate::paradigms). Where Σ has a
//! zero, and for a paradigm without a scaled form, the general one
//! ([`ClosedForms`](crate::closed_forms::ClosedForms)) answers, on the range of `S = C̃ + Σ`: up to
//! its rank, below which S is singular for fewer samples than inputs that Σ adds nothing to. The
//! metrics at one k do not depend on which other k are asked for.
//!
//! Source: `mathematics.md` of this project's specification, section 5; Theorems 3.1 and 3.2.

mod batch;
mod blocked;

use faer::MatRef;

use crate::moments::Moments;

pub use eigensweep_spectral::scaled::Way;

pub use batch::{AdditiveBatch, Represented, Room, Wanted};
pub(crate) use blocked::BlockedSolver;

/// One additive problem.
#[derive(Clone, Copy, Debug)]
pub struct Additive<'a> {
    /// C̃ (d × d), both triangles.
    pub inputs: MatRef<'a, f64>,
    /// B̃ (d × ℓ).
    pub input_labels: MatRef<'a, f64>,
    /// y².
    pub label_power: f64,
    /// Diagonal of Σ (d), ≥ 0.
    pub sigma: &'a [f64],
}

impl<'a> Additive<'a> {
    /// The same problem as general moments; `views` must hold S = C̃ + Σ.
    fn moments(&self, views: MatRef<'a, f64>) -> Moments<'a> {
        Moments {
            mean_views: self.inputs,
            views,
            cross: self.inputs,
            view_labels: self.input_labels,
            inputs: self.inputs,
            input_labels: self.input_labels,
            label_power: self.label_power,
        }
    }
}

/// Which kernels solve scaled problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Batches of [`spectral::scaled`](eigensweep_spectral::scaled), all of it in lanes or by way
    /// of a band: the same bits on every instruction set.
    Batch(Way),
    /// One problem at a time; above [`LARGEST_SIZE`](eigensweep_spectral::band::LARGEST_SIZE)
    /// eigenvectors are faer's, whose last bits depend on the instruction set.
    Blocked,
}

impl Route {
    /// The faster route for problems of size d, a function of d alone.
    #[must_use]
    pub fn for_size(size: usize) -> Self {
        Way::for_size(size).map_or(Self::Blocked, Self::Batch)
    }

    fn way(self) -> Option<Way> {
        match self {
            Self::Batch(way) => Some(way),
            Self::Blocked => None,
        }
    }
}
