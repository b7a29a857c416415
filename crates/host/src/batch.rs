//! What a batch system granted, and what it calls this job.

use std::env;

use crate::machine;

/// A number in the environment.
#[must_use]
pub fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.trim().parse().ok()
}

/// Threads to use: what the batch system granted, within what this process may use;
/// `RAYON_NUM_THREADS` wins.
#[must_use]
pub fn threads() -> usize {
    /// Processors of a task, by batch system.
    const GRANTED: [&str; 6] =
        ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NCPUS", "PBS_NUM_PPN", "NSLOTS", "LSB_DJOB_NUMPROC"];
    let count = |name: &str| number(name).and_then(|count| usize::try_from(count).ok()).filter(|&n| n > 0);
    if let Some(asked) = count("RAYON_NUM_THREADS") {
        return asked;
    }
    let most = machine::available_threads();
    GRANTED.into_iter().find_map(count).map_or(most, |granted| granted.min(most))
}

/// The batch system's name for this job, if there is one: `SLURM 123_4`.
#[must_use]
pub fn job_name() -> Option<String> {
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(job), Some(task)) = (text("SLURM_ARRAY_JOB_ID"), text("SLURM_ARRAY_TASK_ID")) {
        return Some(format!("SLURM {job}_{task}"));
    }
    [("SLURM", "SLURM_JOB_ID"), ("PBS", "PBS_JOBID"), ("LSF", "LSB_JOBID"), ("Grid Engine", "JOB_ID")]
        .into_iter()
        .find_map(|(system, name)| Some(format!("{system} {}", text(name)?)))
}
