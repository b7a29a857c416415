//! The tasks of a cell with faer's blocked algorithms, one problem at a time on this thread,
//! workspace allocated beforehand.
//!
//! The formulas are those of [`tasks`](crate::tasks), with the fewest flops that faer's calls have
//! for them: products of which a triangle is wanted compute that triangle. faer chooses its
//! instruction set by itself. Called by `kernel-rates`.

use std::hint::black_box;
use std::time::Duration;

use eigensweep_spectral::lanes::measure::Shape;
use faer::diag::DiagMut;
use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::{Accum, Mat, MatMut, MatRef, Par, Spec};

use crate::Fault;
use crate::clock::{fastest, seconds};
use crate::tasks::{Problem, Task, distinct};

/// Distinct problems that a run goes through, but for the largest.
pub const PROBLEMS: usize = 8;

/// faer on some problems of one shape.
pub struct FaerTasks {
    problems: Vec<Problem>,
    /// `Σ^(−½) C Σ^(−½)` of each.
    scaled: Vec<Mat<f64>>,
    work: Work,
}

/// Workspace for one problem.
struct Work {
    count: usize,
    /// S, then its factor K; or the scaled C.
    factor: Mat<f64>,
    /// K⁻¹C, then E and C E (d × k each).
    image: Mat<f64>,
    form: Mat<f64>,
    vectors: Mat<f64>,
    values: Vec<f64>,
    right: Mat<f64>,
    small_form: Mat<f64>,
    small_right: Mat<f64>,
    memory: MemBuffer,
}

impl std::fmt::Debug for FaerTasks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FaerTasks {{ {} problems, d = {} }}", self.problems.len(), self.work.values.len())
    }
}

impl FaerTasks {
    /// Problems of this shape, and workspace.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let count = distinct(shape.size, PROBLEMS) as u64;
        let problems: Vec<Problem> = (0..count).map(|seed| Problem::new(shape, seed)).collect();
        Self { scaled: problems.iter().map(Problem::scaled).collect(), problems, work: Work::new(shape) }
    }

    /// The answer to one of the [`PROBLEMS`].
    ///
    /// # Errors
    ///
    /// If it has none.
    ///
    /// # Panics
    ///
    /// If there is no such problem.
    pub fn solve(&mut self, task: Task, number: usize) -> Result<f64, Fault> {
        self.work.solve(task, &self.problems[number])
    }

    /// Seconds a problem, the best within the budget.
    ///
    /// # Errors
    ///
    /// If a problem has no answer.
    pub fn measure(&mut self, task: Task, budget: Duration) -> Result<f64, Fault> {
        let Self { problems, work, .. } = self;
        for problem in &*problems {
            work.solve(task, problem)?;
        }
        let all = fastest(budget, || {
            seconds(|| problems.iter().for_each(|problem| _ = black_box(work.solve(task, problem))))
        });
        Ok(all / problems.len() as f64)
    }

    /// Seconds of all eigenpairs of `Σ^(−½) C Σ^(−½)` alone, the best within the budget.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub fn measure_decomposition(&mut self, budget: Duration) -> Result<f64, Fault> {
        let Self { scaled, work, .. } = self;
        for matrix in &*scaled {
            work.decompose(matrix.as_ref())?;
        }
        let all = fastest(budget, || {
            seconds(|| scaled.iter().for_each(|matrix| _ = black_box(work.decompose(matrix.as_ref()))))
        });
        Ok(all / scaled.len() as f64)
    }
}

impl Work {
    fn new(Shape { size, width, count }: Shape) -> Self {
        let square = || Mat::zeros(size, size);
        let scratch = StackReq::any_of(&[
            cholesky_in_place_scratch::<f64>(size, Par::Seq, Spec::default()),
            self_adjoint_evd_scratch::<f64>(size, ComputeEigenvectors::Yes, Par::Seq, Spec::default()),
        ]);
        Self {
            count,
            factor: square(),
            image: square(),
            form: square(),
            vectors: square(),
            values: vec![0.0; size],
            right: Mat::zeros(size, width),
            small_form: Mat::zeros(count, count),
            small_right: Mat::zeros(count, width),
            memory: MemBuffer::new(scratch),
        }
    }

    fn solve(&mut self, task: Task, problem: &Problem) -> Result<f64, Fault> {
        match task {
            Task::JointEmbedding => self.joint_embedding(problem),
            Task::Reconstruction => self.reconstruction(problem),
            Task::Supervised => self.supervised(problem),
        }
    }

    fn joint_embedding(&mut self, problem: &Problem) -> Result<f64, Fault> {
        let size = self.values.len();
        for (value, sigma) in self.values.iter_mut().zip(&problem.sigma) {
            *value = sigma.sqrt().recip();
        }
        for j in 0..size {
            let (scale, from) = (self.values[j], problem.matrix.col(j));
            for i in j..size {
                self.image[(i, j)] = from[i] * scale * self.values[i];
            }
        }
        for c in 0..self.right.ncols() {
            for i in 0..size {
                self.right[(i, c)] = problem.right[(i, c)] * self.values[i];
            }
        }
        decompose(self.image.as_ref(), &mut self.values, self.vectors.as_mut(), &mut self.memory)?;
        let leading = self.vectors.as_ref().subcols(size - self.count, self.count);
        let projected = self.small_right.as_mut();
        matmul(projected, Accum::Replace, leading.transpose(), self.right.as_ref(), 1.0, Par::Seq);
        let projected = self.small_right.as_ref();
        let explained = |i: usize| projected.row(i).squared_norm_l2() / self.values[size - self.count + i];
        Ok((0..self.count).map(explained).sum())
    }

    fn reconstruction(&mut self, problem: &Problem) -> Result<f64, Fault> {
        let (size, count) = (self.values.len(), self.count);
        self.factor(problem)?;
        self.image.copy_from(&problem.matrix);
        solve_lower_triangular_in_place(self.factor.as_ref(), self.image.as_mut(), Par::Seq);
        lower_product(self.form.as_mut(), self.image.as_ref(), self.image.transpose());
        decompose(self.form.as_ref(), &mut self.values, self.vectors.as_mut(), &mut self.memory)?;
        let basis = self.vectors.as_mut().subcols_mut(size - count, count);
        solve_upper_triangular_in_place(self.factor.transpose(), basis, Par::Seq);
        let basis = self.vectors.as_ref().subcols(size - count, count);
        let image = self.image.as_mut().subcols_mut(0, count);
        matmul(image, Accum::Replace, problem.matrix.as_ref(), basis, 1.0, Par::Seq);
        let image = self.image.as_ref().subcols(0, count);
        lower_product(self.small_form.as_mut(), basis.transpose(), image);
        let projected = self.small_right.as_mut();
        matmul(projected, Accum::Replace, basis.transpose(), problem.right.as_ref(), 1.0, Par::Seq);
        factor_in_place(self.small_form.as_mut(), &mut self.memory)?;
        solve_lower_triangular_in_place(self.small_form.as_ref(), self.small_right.as_mut(), Par::Seq);
        Ok(self.small_right.squared_norm_l2())
    }

    fn supervised(&mut self, problem: &Problem) -> Result<f64, Fault> {
        self.factor(problem)?;
        self.right.copy_from(&problem.right);
        solve_lower_triangular_in_place(self.factor.as_ref(), self.right.as_mut(), Par::Seq);
        let mut explained = self.right.squared_norm_l2();
        solve_upper_triangular_in_place(self.factor.transpose(), self.right.as_mut(), Par::Seq);
        for column in self.right.col_iter() {
            explained += column.iter().zip(&problem.sigma).map(|(v, sigma)| v * v * sigma).sum::<f64>();
        }
        Ok(explained)
    }

    /// `S = C + Σ = K Kᵀ`.
    fn factor(&mut self, problem: &Problem) -> Result<(), Fault> {
        self.factor.copy_from_triangular_lower(&problem.matrix);
        for (i, sigma) in problem.sigma.iter().enumerate() {
            self.factor[(i, i)] += sigma;
        }
        factor_in_place(self.factor.as_mut(), &mut self.memory)
    }

    fn decompose(&mut self, matrix: MatRef<'_, f64>) -> Result<(), Fault> {
        decompose(matrix, &mut self.values, self.vectors.as_mut(), &mut self.memory)
    }
}

/// A triangle of a product.
fn lower_product(to: MatMut<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>) {
    let whole = BlockStructure::Rectangular;
    let lower = BlockStructure::TriangularLower;
    triangular_matmul(to, lower, Accum::Replace, left, whole, right, whole, 1.0, Par::Seq);
}

fn factor_in_place(matrix: MatMut<'_, f64>, memory: &mut MemBuffer) -> Result<(), Fault> {
    let stack = MemStack::new(memory);
    cholesky_in_place(matrix, Default::default(), Par::Seq, stack, Spec::default())
        .map_err(|_| "faer finds a problem indefinite: measure another size with --sizes")?;
    Ok(())
}

fn decompose(
    matrix: MatRef<'_, f64>,
    values: &mut [f64],
    vectors: MatMut<'_, f64>,
    memory: &mut MemBuffer,
) -> Result<(), Fault> {
    let values = DiagMut::from_slice_mut(values);
    self_adjoint_evd(matrix, values, Some(vectors), Par::Seq, MemStack::new(memory), Spec::default())
        .map_err(|_| "faer finds no eigenvectors: measure another size with --sizes")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eigensweep_spectral::lanes::InstructionSet;

    use super::FaerTasks;
    use crate::kernels::FullBatch;
    use crate::tasks::{Task, shape};

    #[test]
    fn faer_and_the_lanes_answer_alike() {
        for size in [2, 16, 40] {
            let mut faer = FaerTasks::new(shape(size));
            for task in Task::ALL {
                let mut batch = FullBatch::new(task, InstructionSet::detect(), shape(size));
                let own = batch.solve().unwrap();
                for (number, own) in own.iter().take(4).enumerate() {
                    let theirs = faer.solve(task, number).unwrap();
                    assert!((own - theirs).abs() <= 1e-9 * theirs, "{task:?}, d = {size}: {own} {theirs}");
                }
            }
        }
    }

    #[test]
    fn tasks_and_the_decomposition_take_time() {
        let mut faer = FaerTasks::new(shape(8));
        assert!(faer.measure_decomposition(Duration::ZERO).unwrap() > 0.0);
        for task in Task::ALL {
            assert!(faer.measure(task, Duration::ZERO).unwrap() > 0.0);
        }
    }
}
