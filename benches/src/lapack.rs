//! SciPy's LAPACK on the tasks of a cell and on general pencils: runs `peers/lapack.py` on one
//! thread and reads what it prints.
//!
//! The script prints a line for each size,
//! `d seconds_dsyevd seconds_je seconds_rc seconds_sl WAYS`, and with `--pencil`
//! `d seconds_dsygvd seconds_general WAY`: which routine was the fastest. Called by `kernel-rates`.

use std::process::Command;
use std::time::Duration;

use eigensweep_spectral::lanes::measure::Shape;

use crate::Fault;
use crate::tasks::Task;

/// Seconds a problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// All eigenpairs of the scaled matrix alone (`dsyevd`).
    pub decomposition: f64,
    /// Whole tasks.
    tasks: [f64; 3],
    /// The routines that were the fastest for the first two.
    pub ways: String,
}

/// Seconds a general pencil.
#[derive(Clone, Debug, PartialEq)]
pub struct PencilTimes {
    /// All pairs alone (`dsygvd`).
    pub decomposition: f64,
    /// The whole task.
    pub task: f64,
    /// The routine that was the fastest for it.
    pub way: String,
}

impl Times {
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
        let own_ways = self.tasks[0] + self.tasks[1] <= other.tasks[0] + other.tasks[1];
        Self {
            decomposition: self.decomposition.min(other.decomposition),
            tasks: std::array::from_fn(|n| self.tasks[n].min(other.tasks[n])),
            ways: if own_ways { self.ways } else { other.ways },
        }
    }
}

impl PencilTimes {
    /// The smaller of each.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            decomposition: self.decomposition.min(other.decomposition),
            task: self.task.min(other.task),
            way: if self.task <= other.task { self.way } else { other.way },
        }
    }
}

/// Measures LAPACK on the three tasks of a shape through the interpreter `python`, each number
/// within the budget.
///
/// # Errors
///
/// If the interpreter cannot be started, or the script fails or does not print its times.
pub fn measure(python: &str, shape: Shape, budget: Duration) -> Result<Times, Fault> {
    run(python, shape, budget, &[], |[decomposition, joint_embedding, reconstruction, supervised], ways| {
        Times { decomposition, tasks: [joint_embedding, reconstruction, supervised], ways }
    })
}

/// The same on general pencils.
///
/// # Errors
///
/// As [`measure`].
pub fn measure_pencil(python: &str, shape: Shape, budget: Duration) -> Result<PencilTimes, Fault> {
    run(python, shape, budget, &["--pencil"], |[decomposition, task], way| PencilTimes {
        decomposition,
        task,
        way,
    })
}

fn run<const N: usize, T>(
    python: &str,
    shape: Shape,
    budget: Duration,
    options: &[&str],
    of: impl FnOnce([f64; N], String) -> T,
) -> Result<T, Fault> {
    let Shape { size, count, .. } = shape;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/lapack.py");
    let mut command = Command::new(python);
    command.arg(script).arg("--sizes").arg(size.to_string()).arg("--count").arg(count.to_string());
    command.arg("--seconds").arg(budget.as_secs_f64().to_string()).args(options);
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
        Some((found, times, ways)) if found == size => Ok(of(times, ways)),
        _ => {
            Err(format!("lapack.py printed `{line}`, not its times at d = {size}: is it this version's?")
                .into())
        }
    }
}

/// Size, times and ways of a line of the script; `None` if it is no such line.
fn read_line<const N: usize>(line: &str) -> Option<(usize, [f64; N], String)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [size, times @ .., ways] = &words[..] else { return None };
    let times: Vec<f64> = times.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
    let positive = times.iter().all(|seconds| seconds.is_finite() && *seconds > 0.0);
    let times = times.try_into().ok().filter(|_| positive)?;
    Some((size.parse().ok()?, times, (*ways).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Times, read_line};
    use crate::tasks::Task;

    fn times(decomposition: f64, tasks: [f64; 3], ways: &str) -> Times {
        Times { decomposition, tasks, ways: ways.to_owned() }
    }

    #[test]
    fn lines_are_read() {
        let (size, read, ways) = read_line::<4>("100 6e-4 7.5e-4 1e-3 5e-5 dsyevd,dsygvx").unwrap();
        assert_eq!((size, ways.as_str()), (100, "dsyevd,dsygvx"));
        assert!(read.iter().zip([6e-4, 7.5e-4, 1e-3, 5e-5]).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(
            read_line::<2>("50 1 2 dsygvd").map(|(size, _, way)| (size, way)),
            Some((50, "dsygvd".into()))
        );
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for line in
            ["", "100", "100 1 2 3 x", "100 1 2 3 4 5 x", "d 1 2 3 4 x", "100 1 2 nan 4 x", "100 0 2 3 4 x"]
        {
            assert_eq!(read_line::<4>(line), None, "{line}");
        }
    }

    #[test]
    fn the_smaller_of_each_is_kept() {
        let (one, two) = (times(1.0, [4.0, 1.0, 4.0], "a"), times(2.0, [3.0, 1.5, 3.0], "b"));
        assert!((one.of(Task::JointEmbedding) - 4.0).abs() < 1e-12);
        assert_eq!(one.min(two), times(1.0, [3.0, 1.0, 3.0], "b"));
    }
}
