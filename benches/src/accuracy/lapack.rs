//! LAPACK's answers: `peers/lapack_accuracy.py`, a child that solves a chunk of problems at a time
//! ([`encode`] and [`decode`] are its protocol).

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use faer::Mat;

use super::problems::{Answer, Problem, shape};
use crate::Fault;

/// A chunk of problems of a round for `lapack_accuracy.py`, little-endian: d, ℓ and the number of
/// problems as u64; all scaled matrices; all right-hand sides, as f64 in column-major order.
#[must_use]
pub fn encode(round: usize, problems: &[Problem]) -> Vec<u8> {
    let (size, width) = shape(round);
    let numbers = problems.len() * size * (size + width);
    let mut bytes = Vec::with_capacity(8 * (3 + numbers));
    for number in [size, width, problems.len()] {
        bytes.extend((number as u64).to_le_bytes());
    }
    let mut extend = |matrix: &Mat<f64>| {
        for column in matrix.col_iter() {
            bytes.extend(column.iter().flat_map(|entry| entry.to_le_bytes()));
        }
    };
    problems.iter().for_each(|problem| extend(&problem.scaled()));
    problems.iter().for_each(|problem| extend(&problem.right));
    bytes
}

/// The answers of `lapack_accuracy.py` to a chunk of problems of this size: of each d eigenvalues
/// and d powers; `None` where one is not finite.
#[must_use]
pub fn decode(size: usize, bytes: &[u8]) -> Vec<Option<Answer>> {
    let (words, _) = bytes.as_chunks::<8>();
    let numbers: Vec<f64> = words.iter().map(|word| f64::from_le_bytes(*word)).collect();
    let answer = |numbers: &[f64]| {
        let (values, powers) = numbers.split_at(size);
        let finite = numbers.iter().all(|number| number.is_finite());
        finite.then(|| Answer { values: values.to_vec(), powers: powers.to_vec() })
    };
    numbers.chunks_exact(2 * size).map(answer).collect()
}

/// LAPACK, in a child that waits for chunks.
#[derive(Debug)]
pub struct Lapack {
    child: Child,
    chunks: ChildStdin,
    answers: ChildStdout,
}

impl Lapack {
    /// Starts `lapack_accuracy.py` through the interpreter `python`; what it has to say goes to
    /// stderr.
    ///
    /// # Errors
    ///
    /// If the interpreter cannot be started.
    pub fn start(python: &str) -> Result<Self, Fault> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/lapack_accuracy.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        // No bytecode beside scripts that are only read.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.spawn().map_err(|error| {
            format!("cannot start {python}: {error}; name an interpreter with --python PROGRAM")
        })?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(chunks), Some(answers)) => Ok(Self { child, chunks, answers }),
            _ => Err("lapack_accuracy.py has no pipes: is the limit of open files reached?".into()),
        }
    }

    /// Solves the problems of a round; `None` where `dsyevd` fails.
    ///
    /// # Errors
    ///
    /// If the script ends before it has answered.
    pub fn solve(&mut self, round: usize, problems: &[Problem]) -> Result<Vec<Option<Answer>>, Fault> {
        let (size, _) = shape(round);
        let mut bytes = vec![0; 8 * 2 * size * problems.len()];
        // The script reads a whole chunk before it answers: neither waits for the other.
        let exchanged = self
            .chunks
            .write_all(&encode(round, problems))
            .and_then(|()| self.chunks.flush())
            .and_then(|()| self.answers.read_exact(&mut bytes));
        match exchanged {
            Ok(()) => Ok(decode(size, &bytes)),
            Err(error) => Err(format!(
                "lapack_accuracy.py ended in the middle ({error}): mend what it says above, or name another interpreter with \
                 --python PROGRAM"
            )
            .into()),
        }
    }

    /// Ends the script.
    ///
    /// # Errors
    ///
    /// If it fails, or says more than it was asked.
    pub fn finish(mut self) -> Result<(), Fault> {
        drop(self.chunks);
        let mut rest = vec![];
        self.answers.read_to_end(&mut rest)?;
        let status = self.child.wait()?;
        match (status.success(), rest.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err("lapack_accuracy.py answers too much: is it this version's?".into()),
            (false, _) => {
                Err(format!("lapack_accuracy.py failed ({status}): mend what it says above").into())
            }
        }
    }
}
