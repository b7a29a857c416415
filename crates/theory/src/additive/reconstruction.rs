//! Theorem 3.1 in the additive case.
//!
//! With `v = Σ^(−½) u` the pencil (C̃², C̃ + Σ) becomes `(A Σ A, A + I)`. `A + I = L Lᵀ`; `F = L⁻¹ A Σ^½`; `F Fᵀ = P Φ² Pᵀ`;
//! `U = L⁻ᵀ P`. The probe needs `VᵀC̃V = UᵀAU` and `VᵀB̃ = Uᵀb`. Columns of U satisfy `uᵀ(A + I)u = 1`, so `uᵀAu` lies in
//! \[0, 1): the probe's floor is relative to the largest of them.
//!
//! Forming `F Fᵀ` squares the singular values: φ² has an error of a few d·ε·φ₁². That bounds the gap, which is what is
//! reported of them; where φ itself is wanted, the general path has it.
//!
//! Cost in lanes: see [`scaled`](eigensweep_spectral::scaled). Blocked: d³/3 (factor) + d³ (solve) + d³ (product) + ≈ 9d³
//! (eigenvectors); per k: d²k (back) + 2d²k + dk² (probe) flops.

use eigensweep_spectral::cholesky::{solve_lower_in_place, solve_lower_transpose_in_place};
use eigensweep_spectral::symmetric::eigenvectors;
use eigensweep_spectral::{Failure, MemStack};
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::{Accum, Par};

use super::Additive;
use super::blocked::{BlockedSolver, Path};
use crate::leakage::Population;
use crate::representation::{Representation, relative_gap};

impl BlockedSolver {
    /// Metrics of the reconstruction encoder at each of the `dimensions`, into `out` in the same order; leakage where
    /// a `population` is given.
    ///
    /// # Errors
    ///
    /// [`Failure`] if a factor or the eigenproblem has no finite answer.
    pub(super) fn reconstruction(
        &mut self,
        problem: &Additive<'_>,
        dimensions: &[usize],
        population: Option<Population<'_>>,
        out: &mut [Representation],
    ) -> Result<(), Failure> {
        if self.path == Path::General {
            let views = self.matrix.as_ref().submatrix(0, 0, self.size, self.size);
            let encoder = self.general.reconstruction(&problem.moments(views))?;
            let workspaces = (&mut self.probe, &mut self.leakage);
            Self::represent_general(encoder, true, problem, dimensions, population, workspaces, out);
            return Ok(());
        }
        self.factor()?;
        self.form_pencil()?;
        for (&k, to) in dimensions.iter().zip(out.iter_mut()) {
            *to = self.reconstruct(problem, k, population);
        }
        Ok(())
    }

    /// Decomposes `F Fᵀ`, the pencil as one symmetric matrix.
    fn form_pencil(&mut self) -> Result<(), Failure> {
        let size = self.size;
        let factor = self.factor.as_ref().submatrix(0, 0, size, size);
        let mut scaled = self.work.as_mut().submatrix_mut(0, 0, size, size);
        for j in 0..size {
            for i in 0..size {
                scaled[(i, j)] = self.matrix[(i, j)] * self.root[(j, 0)];
            }
        }
        solve_lower_in_place(factor, scaled.as_mut());
        let scaled = scaled.as_ref();
        let mut form = self.form.as_mut().submatrix_mut(0, 0, size, size);
        triangular_matmul(
            form.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            scaled,
            BlockStructure::Rectangular,
            scaled.transpose(),
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        let vectors = self.vectors.as_mut().submatrix_mut(0, 0, size, size);
        eigenvectors(form, &mut self.values[..size], vectors, MemStack::new(&mut self.memory))?;
        self.values[..size].reverse();
        for value in &mut self.values[..size] {
            *value = value.max(0.0);
        }
        Ok(())
    }

    /// The encoder of dimension k, U (d × k) into `basis`, and its metrics.
    fn reconstruct(
        &mut self,
        problem: &Additive<'_>,
        dimension: usize,
        population: Option<Population<'_>>,
    ) -> Representation {
        let (size, labels) = (self.size, problem.input_labels.ncols());
        self.leading(dimension);
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, dimension);
        solve_lower_transpose_in_place(self.factor.as_ref().submatrix(0, 0, size, size), basis.as_mut());
        // VᵀC̃V = UᵀAU and VᵀB̃ = Uᵀb: the probe of U on (A, b).
        let matrix = self.matrix.as_ref().submatrix(0, 0, size, size);
        let scaled_labels = self.scaled_labels.as_ref().submatrix(0, 0, size, labels);
        let loss = self.probe.loss(basis.as_ref(), matrix, scaled_labels, problem.label_power);
        let leakage = population.map(|population| {
            self.unscale(dimension);
            self.leakage.of(self.basis.as_ref().submatrix(0, 0, size, dimension), population)
        });
        Representation { loss, leakage, gap: relative_gap(&self.values[..size], dimension) }
    }
}
