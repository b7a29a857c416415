//! The three tasks of a cell, which eigensweep, faer and LAPACK are measured on, and the problems
//! that they are given.
//!
//! A problem is C (d × d), B (d × ℓ), a diagonal Σ and k. With `S = C + Σ`:
//!
//! | task | computes |
//! |---|---|
//! | joint-embedding | `Σ^(−½) C Σ^(−½) = Q Λ Qᵀ`; `Σ_{i ≤ k} ‖qᵢᵀ Σ^(−½) B‖² / λᵢ` |
//! | reconstruction | `S = K Kᵀ`, `(K⁻¹C)(K⁻¹C)ᵀ = P Φ² Pᵀ`, `E = K⁻ᵀ P_k`; `tr((EᵀB)ᵀ (EᵀCE)⁻¹ EᵀB)` |
//! | supervised | `S V = B`; `2 tr(VᵀB) − tr(VᵀCV) = ‖K⁻¹B‖² + tr(VᵀΣV)` |
//!
//! Each is a single number, what the representation explains of the labels: y² less it is the loss.
//!
//! `C = XᵀX/2d` of 2d rows uniform in [−1, 1) with column scales `j^(−½)`, B uniform in [−1, 1), Σ
//! uniform in [0.1, 1.9): the family that `peers/lapack.py` and
//! [`measure`](eigensweep_spectral::lanes::measure) draw from.

use eigensweep_spectral::lanes::measure::Shape;
use faer::Mat;

use crate::problems::{LABELS, SplitMix, gram_like};

/// A task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Eigenvalues and projections.
    JointEmbedding,
    /// The pencil.
    Reconstruction,
    /// Ridge regression.
    Supervised,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::JointEmbedding, Self::Reconstruction, Self::Supervised];
}

/// The shape of the problems of size d: ℓ = 10 and k = d/2.
#[must_use]
pub fn shape(size: usize) -> Shape {
    Shape { size, width: LABELS, count: (size / 2).max(1) }
}

/// Distinct problems of a size, of so many that could be had: those of large ones take long to
/// make.
#[must_use]
pub fn distinct(size: usize, most: usize) -> usize {
    match size {
        ..=256 => most,
        257..=512 => most.min(8),
        _ => most.min(2),
    }
}

/// A problem.
#[derive(Clone, Debug)]
pub struct Problem {
    /// C, both triangles.
    pub matrix: Mat<f64>,
    /// B.
    pub right: Mat<f64>,
    /// The diagonal of Σ.
    pub sigma: Vec<f64>,
}

impl Problem {
    /// The problem of a seed.
    #[must_use]
    pub fn new(shape: Shape, seed: u64) -> Self {
        // Another sequence than that of C.
        let mut uniform = SplitMix::new(!seed);
        Self {
            matrix: gram_like(shape.size, seed),
            right: uniform.matrix(shape.size, shape.width),
            sigma: (0..shape.size).map(|_| 0.1 + 1.8 * uniform.uniform()).collect(),
        }
    }

    /// `Σ^(−½) C Σ^(−½)`.
    #[must_use]
    pub fn scaled(&self) -> Mat<f64> {
        let root = |i: usize| self.sigma[i].sqrt();
        Mat::from_fn(self.sigma.len(), self.sigma.len(), |i, j| self.matrix[(i, j)] / (root(i) * root(j)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, shape};

    #[test]
    fn problems_differ_and_are_definite() {
        let [one, two] = [1, 2].map(|seed| Problem::new(shape(12), seed));
        assert!((one.matrix[(3, 3)] - two.matrix[(3, 3)]).abs() > 1e-6);
        assert!(one.sigma.iter().all(|sigma| (0.1..1.9).contains(sigma)));
        assert!(one.scaled().llt(faer::Side::Lower).is_ok());
    }

    #[test]
    fn shapes_have_a_dimension() {
        assert_eq!((shape(1).count, shape(9).count), (1, 4));
    }
}
