//! `status`: what of a data set is done, missing and failed; and how its shards get on.

use eigensweep_host::machine;
use eigensweep_store::dataset::Dataset;
use eigensweep_store::format::{counted, whole};
use eigensweep_store::shard::Shard;
use eigensweep_store::status::{self, Progress};
use eigensweep_store::summary::failures;
use indicatif::{HumanBytes, HumanCount, HumanDuration};
use serde_json::json;
use std::time::Duration;

use super::queue::Queue;
use super::{table, verify};
use crate::args::Status;
use crate::exit::Exit;
use crate::progress::duration;
use crate::report::CommandError;

pub(crate) fn call(arguments: &Status) -> Result<Exit, CommandError> {
    let root = &arguments.dataset;
    let (dataset, faults) = Dataset::read(root, false)?;
    let progress = Progress::of(&dataset, machine::now())?;
    let queue = Queue::of(root);
    if arguments.json {
        let mut object = progress.json(&dataset);
        object["faults"] = json!(faults.len());
        object["queue"] = json!(queue.as_ref().map(Queue::json));
        table::print(&serde_json::to_string_pretty(&object).unwrap_or_default());
    } else {
        verify::print_faults(root, &faults);
        print(&progress, &dataset);
        queue.iter().for_each(Queue::print);
    }
    Ok(Exit::Success)
}

/// Says it to people.
fn print(progress: &Progress, dataset: &Dataset) {
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
    let parts = status::parts(dataset);
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
    let rate = progress.rate();
    if rate > 0.0 && done < all {
        let left = duration((all - done) as f64 / rate);
        line("rate", format!("{} rows/s, {left} left", HumanCount(whole(rate))));
    }
    if progress.shards.is_empty() {
        return;
    }
    let headings = ["shard", "state", "where", "rows", "done", "failed", "parts", "rows/s", "last heard of"];
    let mut shards = table::new(&headings.map(str::to_owned), 3);
    for shard in &progress.shards {
        let run = &shard.run;
        let place = run.batch_job.as_ref().map_or_else(
            || format!("{}, process {}", run.host, run.process),
            |job| format!("{}, {job}", run.host),
        );
        let age = match progress.now.saturating_sub(run.updated) {
            0 => "now".to_owned(),
            seconds => format!("{} ago", HumanDuration(Duration::from_secs(seconds))),
        };
        shards.add_row([
            run.shard.clone(),
            shard.state(progress.now).to_owned(),
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
    if let Some(missing) = not_begun(progress) {
        table::print(&format!("shards that have not begun: {missing}"));
    }
}

/// Shards of the division that no run has had, as text.
fn not_begun(progress: &Progress) -> Option<String> {
    /// Numbers that are listed.
    const SHOWN: usize = 20;
    let count = progress.shards.first()?.run.shard.parse::<Shard>().ok()?.count();
    let begun: Vec<u64> =
        progress.shards.iter().filter_map(|shard| shard.run.shard.parse().ok()).map(Shard::index).collect();
    let mut missing = (1..=count).filter(|index| !begun.contains(index));
    let shown: Vec<String> = missing.by_ref().take(SHOWN).map(|index| index.to_string()).collect();
    let more = if missing.next().is_some() { ", …" } else { "" };
    (!shown.is_empty()).then(|| format!("{}{more} of {count}", shown.join(", ")))
}
