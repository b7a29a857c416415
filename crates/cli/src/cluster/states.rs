//! How submitted jobs stand: asked of `sacct`, which remembers, or else (it needs a database that
//! not every site has) of `squeue`, which forgets a job some minutes after its end.

use std::collections::BTreeMap;

use super::slurm::{self, SlurmError};

/// How one job, or one task of an array job, stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobState {
    /// The job's number.
    pub(crate) job: u64,
    /// Index in the array, if it is one.
    pub(crate) task: Option<u64>,
    /// SLURM's word: `PENDING`, `RUNNING`, `COMPLETED`, `CANCELLED`, `TIMEOUT`, …
    pub(crate) state: String,
    /// Why it waits, or ended so, where SLURM says: `Dependency`, `BeginTime`, `NonZeroExitCode`, …
    pub(crate) reason: Option<String>,
}

impl JobState {
    /// Whether it will run, or does.
    pub(crate) fn is_alive(&self) -> bool {
        const ALIVE: [&str; 11] = [
            "PENDING",
            "CONFIGURING",
            "RUNNING",
            "SUSPENDED",
            "STOPPED",
            "COMPLETING",
            "REQUEUED",
            "REQUEUE_HOLD",
            "REQUEUE_FED",
            "RESIZING",
            "SIGNALING",
        ];
        ALIVE.contains(&self.state.as_str())
    }
}

/// How jobs stand, every task of an array by itself, in order. Those that SLURM has forgotten are
/// not there.
///
/// # Errors
///
/// [`SlurmError`] if neither command can be had.
pub(crate) fn job_states(jobs: &[u64]) -> Result<Vec<JobState>, SlurmError> {
    if jobs.is_empty() {
        return Ok(Vec::new());
    }
    let list = jobs.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let accounts = ["--noheader", "--parsable2", "--allocations", "--jobs", &list, "--format", "JobID,State"];
    if let Ok(answer) = slurm::ask("sacct", &accounts) {
        let states = of_sacct(&answer);
        if !states.is_empty() {
            return Ok(states);
        }
    }
    let queue = ["--noheader", "--array", "--states", "all", "--jobs", &list, "--format", "%F|%K|%T|%r"];
    match slurm::ask("squeue", &queue) {
        Ok(answer) => Ok(of_squeue(&answer)),
        // It has forgotten all of them.
        Err(SlurmError::Refused { message, .. }) if message.contains("Invalid job id") => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Most tasks that a list of indices is believed to name.
const MOST_TASKS: u64 = 1 << 22;

/// Lines `12_3|COMPLETED`, `12_[4-6,9%2]|PENDING`, `13|CANCELLED by 1000`.
fn of_sacct(answer: &str) -> Vec<JobState> {
    // A job that was requeued may have several lines; the last one is how it stands.
    let mut found = BTreeMap::new();
    for line in answer.lines() {
        let Some((name, state)) = line.split_once('|') else { continue };
        let state = state.split([' ', '|']).next().unwrap_or_default();
        let (job, tasks) = match name.split_once('_') {
            Some((job, tasks)) => (job, indices(tasks)),
            None => (name, vec![None]),
        };
        let Ok(job) = job.parse::<u64>() else { continue };
        for task in tasks {
            found.insert((job, task), JobState { job, task, state: state.to_owned(), reason: None });
        }
    }
    found.into_values().collect()
}

/// Lines `12|3|PENDING|BeginTime`, `13|N/A|RUNNING|None`.
fn of_squeue(answer: &str) -> Vec<JobState> {
    let mut found = Vec::new();
    for line in answer.lines() {
        let fields: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
        let [job, task, state, reason] = fields[..] else { continue };
        let Ok(job) = job.parse() else { continue };
        let reason = Some(reason).filter(|reason| !reason.is_empty() && *reason != "None").map(str::to_owned);
        let tasks = if task == "N/A" { vec![None] } else { indices(task) };
        found.extend(tasks.into_iter().map(|task| JobState {
            job,
            task,
            state: state.to_owned(),
            reason: reason.clone(),
        }));
    }
    found.sort_by_key(|state| (state.job, state.task));
    found
}

/// Array indices: `3`, `[4-6,9]`, `[0-99:2%4]`.
fn indices(text: &str) -> Vec<Option<u64>> {
    let list = text.trim_start_matches('[').trim_end_matches(']');
    let list = list.split('%').next().unwrap_or_default();
    let mut found = Vec::new();
    for piece in list.split(',') {
        let (range, step) = piece.split_once(':').unwrap_or((piece, "1"));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let numbers = (first.parse::<u64>(), last.parse::<u64>(), step.parse::<usize>());
        let (Ok(first), Ok(last), Ok(step)) = numbers else { continue };
        if step > 0 && last.saturating_sub(first) < MOST_TASKS {
            found.extend((first..=last).step_by(step).map(Some));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{JobState, of_sacct, of_squeue};

    fn short(states: &[JobState]) -> Vec<String> {
        let task = |state: &JobState| state.task.map_or_else(String::new, |task| format!("_{task}"));
        let reason = |state: &JobState| state.reason.as_ref().map_or_else(String::new, |r| format!(" ({r})"));
        states.iter().map(|s| format!("{}{} {}{}", s.job, task(s), s.state, reason(s))).collect()
    }

    #[test]
    fn squeue_is_understood() {
        let answer = "1|1|RUNNING|None\n1|0|PENDING|BeginTime\n2|N/A|PENDING|Dependency\nnoise\n";
        let expected = ["1_0 PENDING (BeginTime)", "1_1 RUNNING", "2 PENDING (Dependency)"];
        assert_eq!(short(&of_squeue(answer)), expected);
        assert_eq!(of_squeue(""), []);
    }

    #[test]
    fn sacct_is_understood() {
        let answer = "7_0|COMPLETED\n7_1|CANCELLED by 1000\n7_[2-3,5%2]|PENDING\n7_1|RUNNING\n8|TIMEOUT\n8.batch|TIMEOUT\n";
        let expected =
            ["7_0 COMPLETED", "7_1 RUNNING", "7_2 PENDING", "7_3 PENDING", "7_5 PENDING", "8 TIMEOUT"];
        assert_eq!(short(&of_sacct(answer)), expected);
        assert_eq!(short(&of_sacct("9_[0-6:3]|PENDING")), ["9_0 PENDING", "9_3 PENDING", "9_6 PENDING"]);
    }

    #[test]
    fn impossible_ranges_name_nothing() {
        for text in
            ["9_[0-18446744073709551615]|PENDING", "9_[5-x]|PENDING", "9_[0-4:0]|PENDING", "9_|PENDING"]
        {
            assert_eq!(of_sacct(text), [], "{text}");
        }
        assert!(of_squeue("1|[0-3]|RUNNING|None").iter().all(JobState::is_alive));
    }
}
