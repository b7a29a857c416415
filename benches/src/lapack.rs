//! SciPy's LAPACK on the tasks of a cell: runs `peers/lapack.py` on one thread and reads what it
//! prints.
//!
//! The script prints a line for each size, `d seconds_dsyevd seconds_je seconds_rc seconds_sl`.
//! Called by `kernel-rates`.

use std::process::Command;
use std::time::Duration;

use crate::Fault;
use crate::tasks::Task;

/// Seconds a problem.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    /// All eigenpairs of the scaled matrix alone (`dsyevd`).
    pub decomposition: f64,
    /// Whole tasks.
    tasks: [f64; 3],
}

impl Times {
    /// No measurement yet: longer than any.
    pub const NONE: Self = Self { decomposition: f64::INFINITY, tasks: [f64::INFINITY; 3] };

    /// Seconds of a whole task.
    #[must_use]
    pub fn of(&self, task: Task) -> f64 {
        match task {
            Task::JointEmbedding => self.tasks[0],
            Task::Reconstruction => self.tasks[1],
            Task::Supervised => self.tasks[2],
        }
    }

    /// The smaller of each.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            decomposition: self.decomposition.min(other.decomposition),
            tasks: std::array::from_fn(|n| self.tasks[n].min(other.tasks[n])),
        }
    }
}

/// Measures LAPACK through the interpreter `python` at one size, each number within the budget.
///
/// # Errors
///
/// If the interpreter cannot be started, or the script fails or does not print its times.
pub fn measure(python: &str, size: usize, budget: Duration) -> Result<Times, Fault> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/lapack.py");
    let mut command = Command::new(python);
    command.arg(script).arg("--sizes").arg(size.to_string());
    command.arg("--seconds").arg(budget.as_secs_f64().to_string());
    // No bytecode beside scripts that are only read.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().map_err(|error| {
        format!(
            "cannot start {python}: {error}; name an interpreter with --python PROGRAM, or leave LAPACK out with \
             --no-python"
        )
    })?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "lapack.py failed ({}); leave LAPACK out with --no-python, or mend:\n{}",
            output.status,
            text.trim()
        )
        .into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.trim_end().lines().last().unwrap_or_default();
    match read_line(line) {
        Some((found, times)) if found == size => Ok(times),
        _ => {
            Err(format!("lapack.py printed `{line}`, not its times at d = {size}: is it this version's?")
                .into())
        }
    }
}

/// Size and times of a line of the script; `None` if it is no such line.
fn read_line(line: &str) -> Option<(usize, Times)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [size, times @ ..] = &words[..] else { return None };
    let times: Vec<f64> = times.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let [decomposition, joint_embedding, reconstruction, supervised] = times[..] else { return None };
    let positive = times.iter().all(|seconds| seconds.is_finite() && *seconds > 0.0);
    let times = Times { decomposition, tasks: [joint_embedding, reconstruction, supervised] };
    Some((size.parse().ok()?, times)).filter(|_| positive)
}

#[cfg(test)]
mod tests {
    use super::{Times, read_line};
    use crate::tasks::Task;

    #[test]
    fn lines_are_read() {
        let (size, times) = read_line("100 6e-4 7.5e-4 1e-3 5e-5").unwrap();
        assert_eq!(size, 100);
        let read = [times.decomposition, times.of(Task::JointEmbedding), times.of(Task::Reconstruction)];
        assert!(read.iter().zip([6e-4, 7.5e-4, 1e-3]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!((times.of(Task::Supervised) - 5e-5).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in ["", "100", "100 1 2 3", "100 1 2 3 4 5", "d 1 2 3 4", "100 1 2 nan 4", "100 0 2 3 4"] {
            assert_eq!(read_line(line), None, "{line}");
        }
    }

    #[test]
    fn the_smaller_of_each_is_kept() {
        let [one, two] = ["8 1 4 1 4", "8 2 3 2 3"].map(|line| read_line(line).unwrap().1);
        assert_eq!(Some((8, Times::NONE.min(one).min(two))), read_line("8 1 3 1 3"));
    }
}
