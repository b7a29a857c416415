//! Theorem 3.2 in the additive case.
//!
//! `A = Q Λ Qᵀ`, `ω = λ/(1+λ)` in the same order. The basis `vᵢ = Σ^(−½) qᵢ` diagonalizes the probe, `VᵀC̃V = Λ`, so the probing
//! loss is `y² − Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ`: eigenvalues and projections are enough, and eigenvectors are computed for leakage only.
//! The losses of the two routes agree to rounding, not to the bit: which metrics are asked for is part of a job's identity.
//!
//! Cost: 4/3 d³ + ≈ 9 d²ℓ flops without leakage; with it that of reconstruction's eigenvectors in place of the second term.

use eigensweep_spectral::projected::eigen_in_place;
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
                None => self.without_vectors(problem, dimensions, out)?,
                Some(population) => {
                    self.eigen.decompose(self.matrix.as_ref().submatrix(0, 0, self.size, self.size))?;
                    for (&k, to) in dimensions.iter().zip(out.iter_mut()) {
                        *to = self.with_vectors(problem, k, population)?;
                    }
                }
            }
        }
        match out[..dimensions.len()].iter().all(|r| r.loss.is_finite()) {
            true => Ok(()),
            false => Err(Failure::NotFinite),
        }
    }

    /// Every dimension from Λ and Qᵀb, without Q.
    fn without_vectors(
        &mut self,
        problem: &Additive<'_>,
        dimensions: &[usize],
        out: &mut [Representation],
    ) -> Result<(), Failure> {
        let (size, labels) = (self.size, problem.input_labels.ncols());
        let mut work = self.work.as_mut().submatrix_mut(0, 0, size, size);
        work.copy_from_triangular_lower(self.matrix.as_ref().submatrix(0, 0, size, size));
        let rows = contiguous(self.rows.as_mut(), size * labels);
        for i in 0..size {
            for c in 0..labels {
                rows[i * labels + c] = self.scaled_labels[(i, c)];
            }
        }
        let values = &mut self.values[..size];
        eigen_in_place(work, values, rows, MemStack::new(&mut self.memory))?;
        values.reverse();
        let rows = &*rows;
        let power = |i: usize| rows[(size - 1 - i) * labels..][..labels].iter().map(|x| x * x).sum();
        for (&k, to) in dimensions.iter().zip(out) {
            let loss = problem.label_power - explained(&self.values[..size], k, power);
            *to = Representation { loss, leakage: None, gap: omega_gap(&self.values[..size], k) };
        }
        Ok(())
    }

    /// Dimension k by way of the leading columns of Q, which leakage needs.
    fn with_vectors(
        &mut self,
        problem: &Additive<'_>,
        dimension: usize,
        population: Population<'_>,
    ) -> Result<Representation, Failure> {
        let (size, labels) = (self.size, problem.input_labels.ncols());
        let mut basis = self.basis.as_mut().submatrix_mut(0, 0, size, dimension);
        let ascending = self.eigen.leading(basis.as_mut())?;
        for (to, value) in self.values.iter_mut().zip(ascending.iter().rev()) {
            *to = *value;
        }
        let mut right = self.right.as_mut().submatrix_mut(0, 0, dimension, labels);
        matmul(
            right.as_mut(),
            Accum::Replace,
            basis.as_ref().transpose(),
            self.scaled_labels.as_ref().submatrix(0, 0, size, labels),
            1.0,
            Par::Seq,
        );
        let right = right.as_ref();
        let power = |i: usize| right.row(i).iter().map(|x| x * x).sum();
        let loss = problem.label_power - explained(&self.values[..size], dimension, power);
        for j in 0..dimension {
            for i in 0..size {
                basis[(i, j)] /= self.root[(i, 0)];
            }
        }
        let leakage = Some(self.leakage.of(basis.as_ref(), population));
        Ok(Representation { loss, leakage, gap: omega_gap(&self.values[..size], dimension) })
    }
}

/// `Σᵢ≤ₖ ‖qᵢᵀb‖²/λᵢ` for descending λ, `power(i) = ‖qᵢᵀb‖²`; directions whose λ is rounding (at most d·ε·λ₁) carry nothing.
fn explained(values: &[f64], dimension: usize, power: impl Fn(usize) -> f64) -> f64 {
    let floor = values.len() as f64 * f64::EPSILON * values[0];
    (0..dimension).take_while(|&i| values[i] > floor).map(|i| power(i) / values[i]).sum()
}

/// `(ω_k − ω_{k+1})/ω₁` with `ω = λ/(1+λ)`, from differences of descending λ, so that ω near 1 lose nothing; `None` at k = d.
fn omega_gap(values: &[f64], dimension: usize) -> Option<f64> {
    let value = |i: usize| values[i].max(0.0);
    if dimension >= values.len() {
        return None;
    }
    let (first, kth, next) = (value(0), value(dimension - 1), value(dimension));
    if first == 0.0 {
        return Some(0.0);
    }
    Some((kth - next) / ((1.0 + kth) * (1.0 + next)) * ((1.0 + first) / first))
}

/// The first `length` numbers of an aligned one-column matrix, as a slice.
fn contiguous(column: MatMut<'_, f64>, length: usize) -> &mut [f64] {
    let column = column.col_mut(0).try_as_col_major_mut();
    &mut column.map_or(&mut [] as &mut [f64], |c| c.as_slice_mut())[..length]
}
