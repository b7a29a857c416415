//! What of a data set is done, missing and failed; and how its shards get on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::StoreError;
use crate::dataset::{Dataset, RunRecord, RunState, read_runs};
use crate::shard::Shard;
use crate::summary::failures;

/// Age of a running process's last sign of life, in seconds, after which it counts as lost: six of
/// its intervals.
const LOST_AFTER: u64 = 60;

/// A shard and its last run.
#[derive(Clone, Debug)]
pub struct ShardStatus {
    /// Its last run.
    pub run: RunRecord,
    /// Rows that it has to do.
    pub rows: u64,
    /// Rows that are done.
    pub rows_done: u64,
    /// Rows without a value.
    pub failed: u64,
    /// Parts that it has to do.
    pub parts: u64,
    /// Parts that are done.
    pub parts_done: u64,
}

/// How the shards of a data set get on.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The shards of the division that was used last, by their last runs.
    pub shards: Vec<ShardStatus>,
    /// Now, in seconds since 1970-01-01 UTC.
    pub now: u64,
}

impl Progress {
    /// What the logs of a data set say at the time `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if they cannot be read.
    pub fn of(dataset: &Dataset, now: u64) -> Result<Self, StoreError> {
        let runs = read_runs(dataset.root())?;
        let mut last: BTreeMap<u64, (Shard, RunRecord)> = BTreeMap::new();
        let divided = |run: &RunRecord| run.shard.parse::<Shard>().ok();
        let count = runs.iter().rev().find_map(divided).map_or(1, Shard::count);
        for run in runs {
            if let Some(shard) = divided(&run).filter(|shard| shard.count() == count) {
                last.insert(shard.index(), (shard, run));
            }
        }
        let shards = last.into_values().map(|(shard, run)| {
            let mut status = ShardStatus { run, rows: 0, rows_done: 0, failed: 0, parts: 0, parts_done: 0 };
            for section in dataset.sections() {
                for part in shard.parts(&section.plan) {
                    status.rows += section.part_rows(part);
                    status.parts += 1;
                    if let Some(record) = section.record(part) {
                        status.rows_done += record.rows;
                        status.parts_done += 1;
                        status.failed += record.failed.values().sum::<u64>();
                    }
                }
            }
            status
        });
        Ok(Self { shards: shards.collect(), now })
    }

    /// Rows per second of everything that runs now.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let alive = self.shards.iter().filter(|shard| shard.state(self.now) == "running");
        // From 0: the sum of nothing is −0.
        alive.fold(0.0, |sum, shard| sum + shard.rate())
    }

    /// All of it as JSON: rows, parts, failures and shards.
    #[must_use]
    pub fn json(&self, dataset: &Dataset) -> Value {
        let shards: Vec<Value> = self
            .shards
            .iter()
            .map(|shard| {
                json!({
                    "shard": shard.run.shard,
                    "state": shard.state(self.now),
                    "host": shard.run.host,
                    "process": shard.run.process,
                    "batch_job": shard.run.batch_job,
                    "threads": shard.run.threads,
                    "rows": shard.rows,
                    "rows_done": shard.rows_done,
                    "failed": shard.failed,
                    "parts": shard.parts,
                    "parts_done": shard.parts_done,
                    "rows_per_second": shard.rate(),
                    "updated": shard.run.updated,
                })
            })
            .collect();
        json!({
            "job": dataset.spec().job.name,
            "job_hash": dataset.identity().hash,
            "rows": dataset.rows(),
            "rows_done": dataset.rows_done(),
            "parts": parts(dataset),
            "parts_done": dataset.records().count(),
            "failed": failures(dataset).into_iter().collect::<BTreeMap<_, _>>(),
            "complete": dataset.is_complete(),
            "rows_per_second": self.rate(),
            "shards": shards,
        })
    }
}

/// Parts of the whole grid.
#[must_use]
pub fn parts(dataset: &Dataset) -> u64 {
    dataset.sections().iter().map(|section| section.plan.parts).sum()
}

impl ShardStatus {
    /// How the last run stands: one that is silent for long was killed, or its host is gone.
    #[must_use]
    pub fn state(&self, now: u64) -> &'static str {
        match self.run.state {
            RunState::Running if now.saturating_sub(self.run.updated) > LOST_AFTER => "lost",
            RunState::Running => "running",
            RunState::Finished if self.rows_done < self.rows => "outgrown",
            RunState::Finished => "finished",
            RunState::Stopped => "stopped",
            RunState::Failed => "failed",
        }
    }

    /// Rows per second of the last run.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.run.seconds > 0.0 { self.run.rows_computed as f64 / self.run.seconds } else { 0.0 }
    }
}
