//! Theorem 3.1 in the additive case.
//!
//! With `v = Σ^(−½) u` the pencil (C̃², C̃ + Σ) becomes `(A Σ A, A + I)`. `A + I = L Lᵀ`; `F = L⁻¹ A Σ^½`; `F Fᵀ = P Φ² Pᵀ`;
//! `U = L⁻ᵀ P`. The probe needs `VᵀC̃V = UᵀAU` and `VᵀB̃ = Uᵀb`. Columns of U satisfy `uᵀ(A + I)u = 1`, so `uᵀAu` lies in
//! \[0, 1): the probe's floor is relative to the largest of them.
//!
//! Forming `F Fᵀ` squares the singular values: φ² has an error of a few d·ε·φ₁². That bounds the gap, which is what is
//! reported of them; where φ itself is wanted, the general path has it.
//!
//! Cost: d³/3 + d³ (solve) + d³ (product) + ≤ 10d³ (eigenvectors) + d³ (back) + 3d³ (probe) flops.

use eigensweep_spectral::cholesky::{solve_lower_in_place, solve_lower_transpose_in_place};
use eigensweep_spectral::symmetric::leading_eigenvectors;
use eigensweep_spectral::{Failure, MemStack};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::{Accum, Par};

use super::{Additive, AdditiveSolver, Path};
use crate::leakage::Population;
use crate::probing::quadratic_form_lower;
use crate::representation::{Representation, relative_gap};

impl AdditiveSolver {
    /// Metrics of the reconstruction encoder at each of the `dimensions`, into `out` in the same order; leakage where
    /// a `population` is given.
    ///
    /// # Errors
    ///
    /// [`Failure`] if a factor or the eigenproblem has no finite answer.
    ///
    /// # Panics
    ///
    /// If a dimension is 0 or above d.
    pub fn reconstruction(
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
        } else {
            self.factor()?;
            self.solve_pencil()?;
            self.represent_scaled(problem, dimensions, population, out);
        }
        match out[..dimensions.len()].iter().all(|r| r.loss.is_finite()) {
            true => Ok(()),
            false => Err(Failure::NotFinite),
        }
    }

    /// φ², descending, into `values`; U (d × d, leading eigenvectors first) into `basis`.
    fn solve_pencil(&mut self) -> Result<(), Failure> {
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
        let mut vectors = self.vectors.as_mut().submatrix_mut(0, 0, size, size);
        let values = &mut self.values[..size];
        leading_eigenvectors(form, values, vectors.as_mut(), size, MemStack::new(&mut self.memory))?;
        values.reverse();
        for value in values.iter_mut() {
            *value = value.max(0.0);
        }
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, size);
        basis.copy_from(vectors.as_ref().reverse_cols());
        solve_lower_transpose_in_place(factor, basis.as_mut());
        Ok(())
    }

    fn represent_scaled(
        &mut self,
        problem: &Additive<'_>,
        dimensions: &[usize],
        population: Option<Population<'_>>,
        out: &mut [Representation],
    ) {
        let (size, labels) = (self.size, problem.input_labels.ncols());
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, size);
        let mut product = self.work.as_mut().submatrix_mut(0, 0, size, size);
        let mut form = self.form.as_mut().submatrix_mut(0, 0, size, size);
        let matrix = self.matrix.as_ref().submatrix(0, 0, size, size);
        quadratic_form_lower(basis.as_ref(), matrix, product.as_mut(), form.as_mut());
        let mut right = self.right.as_mut().submatrix_mut(0, 0, size, labels);
        matmul(
            right.as_mut(),
            Accum::Replace,
            basis.as_ref().transpose(),
            self.scaled_labels.as_ref().submatrix(0, 0, size, labels),
            1.0,
            Par::Seq,
        );
        if let Some(population) = population {
            for j in 0..size {
                for i in 0..size {
                    basis[(i, j)] /= self.root[(i, 0)];
                }
            }
            self.leakage.prepare(basis.as_ref(), population);
        }
        let largest = (0..size).fold(0.0_f64, |m, i| m.max(form[(i, i)]));
        let floor = size as f64 * f64::EPSILON * largest;
        for (&k, to) in dimensions.iter().zip(out) {
            let explained = self.probe.explained(form.as_ref(), right.as_ref(), k, floor);
            *to = Representation {
                loss: problem.label_power - explained,
                leakage: population.map(|p| self.leakage.of_leading(k, p.gamma.len())),
                gap: relative_gap(&self.values[..size], k),
            };
        }
    }
}
