//! Calls of SLURM's commands, with their exit codes looked at.

use std::env;
use std::io::Error;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Longest that a question may take: a busy controller answers in seconds, one that is down never.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why SLURM did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SlurmError {
    /// No such command.
    #[error(
        "cannot start {program}: {source}. Call this where SLURM's commands are, on a login node of the cluster"
    )]
    NotThere {
        /// The command.
        program: &'static str,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// It refused.
    #[error("{program} failed ({status}): {message}")]
    Refused {
        /// The command.
        program: &'static str,
        /// Its exit status.
        status: String,
        /// What it printed.
        message: String,
    },
    /// It took too long.
    #[error("{program} gave no answer within {} seconds: try again later", PATIENCE.as_secs())]
    NoAnswer {
        /// The command.
        program: &'static str,
    },
    /// It said something unexpected.
    #[error("{program} answered {answer:?}, which is no job number: is it SLURM's?")]
    Strange {
        /// The command.
        program: &'static str,
        /// What it said.
        answer: String,
    },
}

/// SLURM's name for this job. The last element of an array to start has the number of the whole
/// array as its own, so an element is named by array and index.
pub(crate) fn own_job() -> Option<String> {
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    match (text("SLURM_ARRAY_JOB_ID"), text("SLURM_ARRAY_TASK_ID")) {
        (Some(job), Some(task)) => Some(format!("{job}_{task}")),
        _ => text("SLURM_JOB_ID"),
    }
}

/// Calls a command that only asks; returns its standard output.
///
/// # Errors
///
/// [`SlurmError`]; a command that does not answer is left alone after [`PATIENCE`].
pub(super) fn ask(program: &'static str, arguments: &[&str]) -> Result<String, SlurmError> {
    let mut command = Command::new(program);
    command.args(arguments);
    let (send, receive) = mpsc::channel();
    let caller = thread::Builder::new().spawn(move || send.send(command.output()));
    caller.map_err(|source| SlurmError::NotThere { program, source })?;
    let output = receive.recv_timeout(PATIENCE).map_err(|_| SlurmError::NoAnswer { program })?;
    checked(program, output)
}

/// Calls a command that changes something, however long that takes: whether it did must be known.
fn act(program: &'static str, command: &mut Command) -> Result<String, SlurmError> {
    checked(program, command.output())
}

fn checked(program: &'static str, output: std::io::Result<Output>) -> Result<String, SlurmError> {
    let output = output.map_err(|source| SlurmError::NotThere { program, source })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = [text(&output.stderr), text(&output.stdout)];
    let message =
        said.into_iter().find(|text| !text.is_empty()).unwrap_or_else(|| "it did not say why".to_owned());
    Err(SlurmError::Refused { program, status: output.status.to_string(), message })
}

/// How many tasks an array may have at this site: indices from 0 must be below `MaxArraySize`. None
/// if SLURM does not say.
pub(crate) fn max_array_size() -> Option<u64> {
    array_size(&ask("scontrol", &["show", "config"]).ok()?)
}

fn array_size(config: &str) -> Option<u64> {
    let lines = config.lines().filter_map(|line| line.split_once('='));
    let value = lines.into_iter().find(|(name, _)| name.trim() == "MaxArraySize")?.1;
    value.trim().parse().ok().filter(|&size| size > 0)
}

/// Whether jobs can be submitted from here: looked for before anything is written for them.
///
/// # Errors
///
/// [`SlurmError::NotThere`].
pub(crate) fn look_for_sbatch() -> Result<(), SlurmError> {
    let absent = || SlurmError::NotThere { program: "sbatch", source: Error::other("it is not on PATH") };
    eigensweep_host::machine::on_path("sbatch").map(drop).ok_or_else(absent)
}

/// Submits a batch script; returns the job's number.
///
/// # Errors
///
/// [`SlurmError`].
pub(crate) fn submit(arguments: &[String], script: &Path) -> Result<u64, SlurmError> {
    let answer = act("sbatch", Command::new("sbatch").args(arguments).arg(script))?;
    job_number(&answer).ok_or(SlurmError::Strange { program: "sbatch", answer })
}

/// The number in the answer of `sbatch --parsable`: `number` or `number;cluster`, after whatever a
/// site's plugins print.
fn job_number(answer: &str) -> Option<u64> {
    answer.lines().next_back()?.split(';').next()?.trim().parse().ok()
}

/// Takes jobs back.
///
/// # Errors
///
/// [`SlurmError`].
pub(crate) fn cancel(jobs: &[u64]) -> Result<(), SlurmError> {
    let jobs = jobs.iter().map(u64::to_string);
    act("scancel", Command::new("scancel").args(jobs)).map(drop)
}

/// Puts a job back into the queue. SLURM ends its processes then, the caller among them.
///
/// # Errors
///
/// [`SlurmError`].
pub(crate) fn requeue(job: &str) -> Result<(), SlurmError> {
    ask("scontrol", &["requeue", job]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{array_size, job_number};

    #[test]
    fn the_largest_array_is_read_from_the_configuration() {
        let config = "Configuration data as of 2026\nMaxArraySize            = 10001\nMaxJobCount = 10000\n";
        assert_eq!(array_size(config), Some(10001));
        assert_eq!(array_size("MaxArraySize = 0"), None);
        assert_eq!(array_size("MaxJobCount = 10000"), None);
    }

    #[test]
    fn job_numbers_are_parsable() {
        assert_eq!(job_number("1234"), Some(1234));
        assert_eq!(job_number("1234;cluster"), Some(1234));
        assert_eq!(job_number("Welcome to the site\n1234;cluster\n"), Some(1234));
        for strange in ["", "Submitted batch job 1234", "-1"] {
            assert_eq!(job_number(strange), None, "{strange}");
        }
    }
}
