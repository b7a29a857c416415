//! What a batch system tells its jobs: which element of an array this is, the processors granted,
//! the time left; and SLURM's commands, to submit, requeue and ask.
//!
//! | file | about |
//! |---|---|
//! | `array` | array variables of SLURM, Kubernetes, PBS, Torque, LSF and Grid Engine → a shard |
//! | `time` | times as they are typed and as SLURM writes them; the time left |
//! | `slurm` | calls of `sbatch`, `scontrol`, `scancel` |
//! | `states` | how jobs stand: `sacct`, else `squeue` |
//! | `script` | the batch scripts of `submit` |
//! | `submitted` | which jobs were submitted for a data set |

mod array;
mod script;
mod slurm;
mod states;
mod submitted;
mod time;

use std::env;

use crate::host;

pub(crate) use array::{ArrayError, shard};
pub(crate) use script::{Resources, Script, quote};
pub(crate) use slurm::{SlurmError, cancel, look_for_sbatch, max_array_size, own_job, requeue, submit};
pub(crate) use states::{JobState, job_states};
pub(crate) use submitted::{RecordError, Submission, SubmittedArray, read_submissions, record_submission};
pub(crate) use time::{TimeError, TimeLeft, duration, slurm_time, time_left, time_left_now};

/// A number in the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.trim().parse().ok()
}

/// Threads to use: what the batch system granted, within what this process may use;
/// `RAYON_NUM_THREADS` wins.
pub(crate) fn threads() -> usize {
    /// Processors of a task, by batch system.
    const GRANTED: [&str; 6] =
        ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NCPUS", "PBS_NUM_PPN", "NSLOTS", "LSB_DJOB_NUMPROC"];
    let count = |name: &str| number(name).and_then(|count| usize::try_from(count).ok()).filter(|&n| n > 0);
    if let Some(asked) = count("RAYON_NUM_THREADS") {
        return asked;
    }
    let most = host::available_threads();
    GRANTED.into_iter().find_map(count).map_or(most, |granted| granted.min(most))
}

/// The batch system's name for this job, if there is one: `SLURM 123_4`.
pub(crate) fn job_name() -> Option<String> {
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(job), Some(task)) = (text("SLURM_ARRAY_JOB_ID"), text("SLURM_ARRAY_TASK_ID")) {
        return Some(format!("SLURM {job}_{task}"));
    }
    [("SLURM", "SLURM_JOB_ID"), ("PBS", "PBS_JOBID"), ("LSF", "LSB_JOBID"), ("Grid Engine", "JOB_ID")]
        .into_iter()
        .find_map(|(system, name)| Some(format!("{system} {}", text(name)?)))
}
