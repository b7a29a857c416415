//! Theorem 3.2 in the additive case.
//!
//! `A = Q Λ Qᵀ`, `ω = λ/(1+λ)` in the same order. The basis `vᵢ = Σ^(−½) qᵢ` diagonalizes the probe, `VᵀC̃V = Λ`, so the probing
//! loss is `y² − Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ`: eigenvalues and projections are enough, and eigenvectors are computed for leakage only.
//!
//! Cost: 4/3 d³ + ≈ 9 d²ℓ flops without leakage; with it ≤ 10 d³ more.

use eigensweep_spectral::projected::eigen_in_place;
use eigensweep_spectral::symmetric::leading_eigenvectors;
use eigensweep_spectral::{Failure, MemStack};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, Par};

use super::{Additive, AdditiveSolver, Path};
use crate::leakage::Population;
use crate::representation::Representation;

impl AdditiveSolver {
    /// Metrics of the joint-embedding representation at each of the `dimensions`, into `out` in the same order; leakage
    /// where a `population` is given.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the eigenproblem has no finite answer.
    ///
    /// # Panics
    ///
    /// If a dimension is 0 or above d.
    pub fn joint_embedding(
        &mut self,
        problem: &Additive<'_>,
        dimensions: &[usize],
        population: Option<Population<'_>>,
        out: &mut [Representation],
    ) -> Result<(), Failure> {
        if self.path == Path::General {
            let views = self.matrix.as_ref().submatrix(0, 0, self.size, self.size);
            let encoder = self.general.joint_embedding(&problem.moments(views))?;
            let workspaces = (&mut self.probe, &mut self.leakage);
            Self::represent_general(encoder, false, problem, dimensions, population, workspaces, out);
        } else {
            match population {
                None => self.projected(problem.input_labels.ncols())?,
                Some(population) => self.with_vectors(problem, population)?,
            }
            for (&k, to) in dimensions.iter().zip(out.iter_mut()) {
                *to = Representation {
                    loss: problem.label_power - self.explained_by(k, problem.input_labels.ncols()),
                    leakage: population.map(|p| self.leakage.of_leading(k, p.gamma.len())),
                    gap: self.omega_gap(k),
                };
            }
        }
        match out[..dimensions.len()].iter().all(|r| r.loss.is_finite()) {
            true => Ok(()),
            false => Err(Failure::NotFinite),
        }
    }

    /// Λ into `values` and the rows of Qᵀb into `rows`, both ascending, without Q.
    fn projected(&mut self, labels: usize) -> Result<(), Failure> {
        let size = self.size;
        let mut work = self.work.as_mut().submatrix_mut(0, 0, size, size);
        work.copy_from_triangular_lower(self.matrix.as_ref().submatrix(0, 0, size, size));
        let rows = contiguous(self.rows.as_mut(), size * labels);
        for i in 0..size {
            for c in 0..labels {
                rows[i * labels + c] = self.scaled_labels[(i, c)];
            }
        }
        eigen_in_place(work, &mut self.values[..size], rows, MemStack::new(&mut self.memory))
    }

    /// The same by way of Q, which leakage needs: of all its columns (see the module `additive` for why).
    fn with_vectors(&mut self, problem: &Additive<'_>, population: Population<'_>) -> Result<(), Failure> {
        let (size, labels) = (self.size, problem.input_labels.ncols());
        let mut work = self.work.as_mut().submatrix_mut(0, 0, size, size);
        work.copy_from_triangular_lower(self.matrix.as_ref().submatrix(0, 0, size, size));
        let mut vectors = self.vectors.as_mut().submatrix_mut(0, 0, size, size);
        let values = &mut self.values[..size];
        leading_eigenvectors(work, values, vectors.as_mut(), size, MemStack::new(&mut self.memory))?;
        let vectors = vectors.as_ref();
        let rows = contiguous(self.rows.as_mut(), size * labels);
        let rows = MatMut::from_row_major_slice_mut(rows, size, labels);
        matmul(
            rows,
            Accum::Replace,
            vectors.transpose(),
            self.scaled_labels.as_ref().submatrix(0, 0, size, labels),
            1.0,
            Par::Seq,
        );
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, size);
        for j in 0..size {
            for i in 0..size {
                basis[(i, j)] = vectors[(i, size - 1 - j)] / self.root[(i, 0)];
            }
        }
        self.leakage.prepare(basis.as_ref(), population);
        Ok(())
    }

    /// `Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ`; directions whose λ is rounding (at most d·ε·λ₁) carry nothing.
    fn explained_by(&self, dimension: usize, labels: usize) -> f64 {
        let size = self.size;
        let floor = size as f64 * f64::EPSILON * self.values[size - 1];
        let rows = self.rows.as_ref().col(0);
        (0..dimension)
            .map(|i| size - 1 - i)
            .take_while(|&i| self.values[i] > floor)
            .map(|i| {
                let power: f64 = (0..labels).map(|c| rows[i * labels + c] * rows[i * labels + c]).sum();
                power / self.values[i]
            })
            .sum()
    }

    /// `(ω_k − ω_{k+1})/ω₁` with `ω = λ/(1+λ)`, from differences of λ, so that ω near 1 lose nothing.
    fn omega_gap(&self, dimension: usize) -> Option<f64> {
        let size = self.size;
        let value = |i: usize| self.values[size - 1 - i].max(0.0);
        if dimension >= size {
            return None;
        }
        let (first, kth, next) = (value(0), value(dimension - 1), value(dimension));
        if first == 0.0 {
            return Some(0.0);
        }
        Some((kth - next) / ((1.0 + kth) * (1.0 + next)) * ((1.0 + first) / first))
    }
}

/// The first `length` numbers of an aligned one-column matrix, as a slice.
fn contiguous(column: MatMut<'_, f64>, length: usize) -> &mut [f64] {
    let column = column.col_mut(0).try_as_col_major_mut();
    &mut column.map_or(&mut [] as &mut [f64], |c| c.as_slice_mut())[..length]
}
