//! `status`: what of a data set is done, missing and failed; and how its shards get on.

use std::collections::BTreeMap;

use eigensweep_store::dataset::{Dataset, RunRecord, RunState, read_runs};
use eigensweep_store::format::counted;
use eigensweep_store::shard::Shard;
use eigensweep_store::summary::failures;
use indicatif::{HumanBytes, HumanCount, HumanDuration};
use serde_json::{Value, json};
use std::time::Duration;

use super::queue::Queue;
use super::{table, verify};
use crate::args::Status;
use crate::exit::Exit;
use crate::host;
use crate::progress::{duration, whole};
use crate::report::CommandError;

/// Age of a running process's last sign of life, in seconds, after which it counts as lost: six of
/// its intervals.
const LOST_AFTER: u64 = 60;

pub(crate) fn call(arguments: &Status) -> Result<Exit, CommandError> {
    let root = &arguments.dataset;
    let (dataset, faults) = Dataset::read(root, false)?;
    let report = Report::new(&dataset, read_runs(root)?, host::now());
    let queue = Queue::of(root);
    if arguments.json {
        report.print_json(&dataset, faults.len(), queue.as_ref());
    } else {
        verify::print_faults(root, &faults);
        report.print(&dataset);
        queue.iter().for_each(Queue::print);
    }
    Ok(Exit::Success)
}

/// A shard and its last run.
struct ShardStatus {
    run: RunRecord,
    rows: u64,
    rows_done: u64,
    failed: u64,
    parts: u64,
    parts_done: u64,
}

struct Report {
    shards: Vec<ShardStatus>,
    now: u64,
}

impl Report {
    /// The shards of the division that was used last, by their last runs.
    fn new(dataset: &Dataset, runs: Vec<RunRecord>, now: u64) -> Self {
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
        Self { shards: shards.collect(), now }
    }

    /// Rows per second of everything that runs now.
    fn rate(&self) -> f64 {
        let alive = self.shards.iter().filter(|shard| shard.state(self.now) == "running");
        alive.map(|shard| shard.rate()).sum()
    }

    fn print(&self, dataset: &Dataset) {
        let bytes: u64 = dataset.records().map(|record| record.bytes).sum();
        let (done, all) = (dataset.rows_done(), dataset.rows());
        let share = 100.0 * done as f64 / all.max(1) as f64;
        let line = |name: &str, value: String| table::print(&format!("{name:<10}{value}"));
        line("job", dataset.spec().job.name.clone());
        line(
            "done",
            format!(
                "{} of {} ({share:.1} %), {} of parts",
                HumanCount(done),
                counted(all, "row"),
                HumanBytes(bytes)
            ),
        );
        let parts: u64 = dataset.sections().iter().map(|section| section.plan.parts).sum();
        let parts_done = dataset.records().count() as u64;
        line(
            "missing",
            format!(
                "{}, {} of {}",
                counted(all - done, "row"),
                HumanCount(parts - parts_done),
                counted(parts, "part")
            ),
        );
        let failed = failures(dataset);
        let kinds: Vec<String> =
            failed.iter().map(|(status, count)| format!("{} {status}", HumanCount(*count))).collect();
        line("failed", if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") });
        let rate = self.rate();
        if rate > 0.0 && done < all {
            let left = duration((all - done) as f64 / rate);
            line("rate", format!("{} rows/s, {left} left", HumanCount(whole(rate))));
        }
        if self.shards.is_empty() {
            return;
        }
        let headings =
            ["shard", "state", "where", "rows", "done", "failed", "parts", "rows/s", "last heard of"];
        let mut shards = table::new(&headings.map(str::to_owned), 3);
        for shard in &self.shards {
            let run = &shard.run;
            let place = run.batch_job.as_ref().map_or_else(
                || format!("{}, process {}", run.host, run.process),
                |job| format!("{}, {job}", run.host),
            );
            let age = match self.now.saturating_sub(run.updated) {
                0 => "now".to_owned(),
                seconds => format!("{} ago", HumanDuration(Duration::from_secs(seconds))),
            };
            shards.add_row([
                run.shard.clone(),
                shard.state(self.now).to_owned(),
                place,
                HumanCount(shard.rows).to_string(),
                format!("{:.1} %", 100.0 * shard.rows_done as f64 / shard.rows.max(1) as f64),
                HumanCount(shard.failed).to_string(),
                format!("{} of {}", shard.parts_done, shard.parts),
                HumanCount(whole(shard.rate())).to_string(),
                age,
            ]);
        }
        table::print(&shards.to_string());
        if let Some(missing) = self.not_begun() {
            table::print(&format!("shards that have not begun: {missing}"));
        }
    }

    /// Shards of the division that no run has had, as text.
    fn not_begun(&self) -> Option<String> {
        /// Numbers that are listed.
        const SHOWN: usize = 20;
        let count = self.shards.first()?.run.shard.parse::<Shard>().ok()?.count();
        let begun: Vec<u64> =
            self.shards.iter().filter_map(|shard| shard.run.shard.parse().ok()).map(Shard::index).collect();
        let mut missing = (1..=count).filter(|index| !begun.contains(index));
        let shown: Vec<String> = missing.by_ref().take(SHOWN).map(|index| index.to_string()).collect();
        let more = if missing.next().is_some() { ", …" } else { "" };
        (!shown.is_empty()).then(|| format!("{}{more} of {count}", shown.join(", ")))
    }

    fn print_json(&self, dataset: &Dataset, faults: usize, queue: Option<&Queue>) {
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
        let object = json!({
            "job": dataset.spec().job.name,
            "job_hash": dataset.identity().hash,
            "rows": dataset.rows(),
            "rows_done": dataset.rows_done(),
            "failed": failures(dataset).into_iter().collect::<BTreeMap<_, _>>(),
            "faults": faults,
            "complete": dataset.is_complete(),
            "rows_per_second": self.rate(),
            "shards": shards,
            "queue": queue.map(Queue::json),
        });
        table::print(&serde_json::to_string_pretty(&object).unwrap_or_default());
    }
}

impl ShardStatus {
    /// How the last run stands: one that is silent for long was killed, or its host is gone.
    fn state(&self, now: u64) -> &'static str {
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
    fn rate(&self) -> f64 {
        if self.run.seconds > 0.0 { self.run.rows_computed as f64 / self.run.seconds } else { 0.0 }
    }
}
