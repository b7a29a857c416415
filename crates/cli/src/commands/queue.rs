//! How the jobs that `submit` queued for a data set stand, for `status`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::table;
use crate::cluster::{self, JobState, Submission};

/// The last submission for a data set, and what SLURM says about its jobs.
pub(super) struct Queue {
    submission: Submission,
    states: Vec<JobState>,
}

impl Queue {
    /// Asks; none if nothing was submitted. What cannot be found out is said on standard error: the
    /// data set's own state does not depend on it.
    pub(super) fn of(root: &Path) -> Option<Self> {
        let submissions = cluster::read_submissions(root).inspect_err(|error| tell!("warning: {error}"));
        let submission = submissions.ok()?.pop()?;
        let states = cluster::job_states(&submission.jobs()).unwrap_or_else(|error| {
            tell!("warning: how the submitted jobs stand is not known: {error}");
            Vec::new()
        });
        Some(Self { submission, states })
    }

    /// Prints a line a job.
    pub(super) fn print(&self) {
        for array in &self.submission.arrays {
            let last = array.first_shard + array.tasks - 1;
            let states = self.counted(array.job);
            table::print(&format!(
                "array job {} (shards {} to {last}): {states}",
                array.job, array.first_shard
            ));
        }
        table::print(&format!(
            "merge job {}: {}",
            self.submission.merge,
            self.counted(self.submission.merge)
        ));
    }

    /// `2 RUNNING, 1 PENDING (BeginTime)`.
    fn counted(&self, job: u64) -> String {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for state in self.states.iter().filter(|state| state.job == job) {
            let reason = state.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
            *counts.entry(format!("{}{reason}", state.state)).or_default() += 1;
        }
        let counts: Vec<String> = counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        // Without a database SLURM forgets a job some minutes after its end.
        if counts.is_empty() { "no longer in the queue".to_owned() } else { counts.join(", ") }
    }

    /// The same for programs, a task at a time.
    pub(super) fn json(&self) -> Value {
        let tasks: Vec<Value> = self
            .states
            .iter()
            .map(|state| {
                json!({
                    "job": state.job,
                    "task": state.task,
                    "shard": self.submission.shard(state.job, state.task),
                    "state": state.state,
                    "reason": state.reason,
                })
            })
            .collect();
        json!({ "submitted": self.submission.time, "merge_job": self.submission.merge, "tasks": tasks })
    }
}
