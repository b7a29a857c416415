//! eigensweep's kernels on the tasks of a cell: a full batch of problems, distinct but for the
//! largest.
//!
//! What is timed is what the solver of a sweep does for a batch: its problems are handed over
//! (`push`), solved, and their results read. Called by `kernel-rates`.

use std::hint::black_box;
use std::time::Duration;

use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::lanes::measure::Shape;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted};

use crate::Fault;
use crate::clock::{fastest, seconds};
use crate::tasks::{Problem, Task, distinct};

/// A batch with as many problems as it has room for.
#[derive(Debug)]
pub struct FullBatch {
    task: Task,
    shape: Shape,
    problems: Vec<Problem>,
    batch: ScaledBatch,
    /// Of each problem.
    explained: Vec<f64>,
}

impl FullBatch {
    /// The batch of a task.
    #[must_use]
    pub fn new(task: Task, instruction_set: InstructionSet, shape: Shape) -> Self {
        let Shape { size, width, count } = shape;
        let mut wanted = Wanted::default();
        match task {
            Task::JointEmbedding => wanted.projected = true,
            Task::Reconstruction => wanted.pencil = true,
            Task::Supervised => wanted.ridge = true,
        }
        let room = Room { size, smallest: size, width, count };
        let mut batch = ScaledBatch::new(instruction_set, room, 1, wanted);
        batch.start(size, width);
        let all = batch.capacity();
        let problems = (0..distinct(size, all) as u64).map(|seed| Problem::new(shape, seed)).collect();
        Self { task, shape, explained: vec![0.0; all], problems, batch }
    }

    /// Solves all problems; the answer to each.
    ///
    /// # Errors
    ///
    /// If a problem has no answer.
    pub fn solve(&mut self) -> Result<&[f64], Failure> {
        let Self { task, shape, problems, batch, explained } = self;
        batch.start(shape.size, shape.width);
        for place in 0..explained.len() {
            let source = place % problems.len();
            batch.push(source, &problems[source].sigma);
        }
        batch.solve(&[shape.count], |source| {
            (problems[source].matrix.as_ref(), problems[source].right.as_ref())
        });
        for (place, to) in explained.iter_mut().enumerate() {
            *to = match task {
                Task::JointEmbedding => {
                    let (values, powers) = batch.projected(place)?;
                    values.iter().zip(powers).take(shape.count).map(|(value, power)| power / value).sum()
                }
                Task::Reconstruction => batch.pencil(place)?.1.iter().sum(),
                Task::Supervised => batch.ridge_power(place)?,
            };
        }
        Ok(explained)
    }

    /// Seconds a problem, the best within the budget.
    ///
    /// # Errors
    ///
    /// If a problem has no answer.
    pub fn measure(&mut self, budget: Duration) -> Result<f64, Fault> {
        let (task, size) = (self.task, self.shape.size);
        self.solve().map_err(|failure| {
            format!("{task:?} at d = {size} has no answer ({failure}): measure another size with --sizes")
        })?;
        let problems = self.explained.len();
        let batch = fastest(budget, || seconds(|| _ = black_box(self.solve())));
        Ok(batch / problems as f64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eigensweep_spectral::lanes::InstructionSet;

    use super::FullBatch;
    use crate::tasks::{Task, shape};

    #[test]
    fn batches_are_full_of_distinct_problems_and_take_time() {
        // In lanes, and by way of a band.
        for (task, size) in Task::ALL.into_iter().flat_map(|task| [(task, 8), (task, 513)]) {
            let mut batch = FullBatch::new(task, InstructionSet::detect(), shape(size));
            if size > 8 {
                assert!(!batch.explained.is_empty(), "{task:?}: problems at d = {size}");
                continue;
            }
            let explained = batch.solve().unwrap().to_vec();
            assert!(
                !explained.is_empty() && explained.windows(2).all(|pair| (pair[0] - pair[1]).abs() > 1e-9),
                "{task:?}"
            );
            assert!(batch.measure(Duration::ZERO).unwrap() > 0.0);
        }
    }
}
