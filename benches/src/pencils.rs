//! General pencils `(M, S)`, both dense, in lanes: the k leading pairs of a full batch.
//!
//! M and S − Σ are two of the matrices that [`tasks`](crate::tasks) are given. The answer is
//! `Σ_{i ≤ k} ‖vᵢᵀB‖²` with `VᵀSV = I`. Called by `kernel-rates`; the peer is
//! `peers/lapack.py --pencil`.

use std::hint::black_box;
use std::time::Duration;

use eigensweep_spectral::Failure;
use eigensweep_spectral::general::{General, GeneralBatch, Pencil, Room, Wanted};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::lanes::measure::Shape;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};

use crate::Fault;
use crate::clock::{fastest, seconds};
use crate::problems::gram_like;
use crate::tasks::Problem;

/// A batch with as many pencils as it has room for.
#[derive(Debug)]
pub struct FullPencils {
    shape: Shape,
    problems: Vec<(Problem, Mat<f64>)>,
    batch: GeneralBatch,
    vectors: Mat<f64>,
    projected: Mat<f64>,
    /// Of each pencil.
    explained: Vec<f64>,
}

impl FullPencils {
    /// The batch of a shape.
    #[must_use]
    pub fn new(instruction_set: InstructionSet, shape: Shape) -> Self {
        let Shape { size, width, count } = shape;
        let wanted = Wanted { symmetric: true, ..Wanted::default() };
        let batch = GeneralBatch::new(instruction_set, Room { size, inputs: 0, width: 0, count }, wanted);
        let problem = |seed: u64| {
            let problem = Problem::new(shape, seed);
            let mut definite = gram_like(size, seed ^ (1 << 32));
            problem.sigma.iter().enumerate().for_each(|(i, sigma)| definite[(i, i)] += sigma);
            (problem, definite)
        };
        let problems: Vec<_> = (0..batch.capacity() as u64).map(problem).collect();
        let (vectors, projected) = (Mat::zeros(size, count), Mat::zeros(count, width));
        Self { shape, explained: vec![0.0; problems.len()], problems, batch, vectors, projected }
    }

    /// Solves all of them; the answer to each.
    ///
    /// # Errors
    ///
    /// If one has no answer.
    pub fn solve(&mut self) -> Result<&[f64], Failure> {
        let Self { shape, problems, batch, vectors, projected, explained } = self;
        let wanted = Wanted { symmetric: true, ..Wanted::default() };
        let all: Vec<General<'_>> = problems.iter().map(general).collect();
        batch.solve(wanted, shape.count, &all);
        for (place, (to, (problem, _))) in explained.iter_mut().zip(&*problems).enumerate() {
            batch.values(Pencil::Symmetric, place)?;
            batch.vectors(Pencil::Symmetric, place, vectors.as_mut());
            let (accum, right) = (Accum::Replace, problem.right.as_ref());
            matmul(projected.as_mut(), accum, vectors.transpose(), right, 1.0, Par::Seq);
            *to = projected.squared_norm_l2();
        }
        Ok(explained)
    }

    /// Seconds a pencil, the best within the budget.
    ///
    /// # Errors
    ///
    /// If one has no answer.
    pub fn measure(&mut self, budget: Duration) -> Result<f64, Fault> {
        let size = self.shape.size;
        self.solve().map_err(|failure| {
            format!(
                "a pencil at d = {size} has no answer ({failure}): measure another size with --pencil-sizes"
            )
        })?;
        let batch = fastest(budget, || seconds(|| _ = black_box(self.solve())));
        Ok(batch / self.problems.len() as f64)
    }
}

fn general((problem, definite): &(Problem, Mat<f64>)) -> General<'_> {
    General {
        definite: definite.as_ref(),
        symmetric: problem.matrix.as_ref(),
        cross: problem.matrix.as_ref(),
        right: problem.right.as_ref(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eigensweep_spectral::lanes::InstructionSet;
    use faer::Side;
    use faer::linalg::solvers::Solve;

    use super::FullPencils;
    use crate::tasks::shape;

    #[test]
    fn answers_are_those_of_the_definition_and_take_time() {
        let shape = shape(12);
        let mut pencils = FullPencils::new(InstructionSet::detect(), shape);
        let explained = pencils.solve().unwrap().to_vec();
        for ((problem, definite), found) in pencils.problems.iter().zip(explained) {
            let lower = definite.llt(Side::Lower).unwrap().L().to_owned();
            let left = lower.partial_piv_lu();
            let half = left.solve(&problem.matrix);
            let reduced = left.solve(half.transpose().to_owned());
            let decomposed = reduced.self_adjoint_eigen(Side::Lower).unwrap();
            let leading = decomposed.U().subcols(shape.size - shape.count, shape.count);
            let right = left.solve(&problem.right);
            let expected = (leading.transpose() * right).squared_norm_l2();
            assert!((found - expected).abs() <= 1e-9 * expected, "{found} {expected}");
        }
        assert!(pencils.measure(Duration::ZERO).unwrap() > 0.0);
    }
}
