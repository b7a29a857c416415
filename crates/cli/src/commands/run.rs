//! `run`: simulates the missing parts of a job's data set, then says what came out.

use std::path::{Path, PathBuf};
use std::time::Instant;

use eigensweep_engine::EngineError;
use eigensweep_engine::dataset::{Dataset, RunRecord};
use eigensweep_engine::run;
use eigensweep_engine::simulation::Simulation;
use eigensweep_engine::summary::{Running, Summary, summarise};
use indicatif::{HumanBytes, HumanCount, HumanDuration};

use super::table;
use crate::args::Run;
use crate::exit::Exit;
use crate::progress::{Progress, whole};
use crate::report::CommandError;
use crate::signals::Signals;
use crate::{host, job};

pub(crate) fn call(arguments: &Run, quiet: bool, verbose: bool) -> Result<Exit, CommandError> {
    let started = host::now();
    let job = job::read(&arguments.file.job, &arguments.file.set)?;
    let root = arguments.output.clone().unwrap_or_else(|| Path::new("output").join(&job.spec.job.name));
    let signals = Signals::catch().map_err(|source| CommandError::Io {
        action: "catch signals for",
        path: PathBuf::from("this process"),
        source,
    })?;
    let (simulation, identity) = job::prepare(&job)?;
    if arguments.fresh {
        Dataset::remove(&root)?;
    }
    let plan = simulation.plan();
    let (mut dataset, repairs) = Dataset::open(&root, identity, plan)?;
    for repair in &repairs {
        eprintln!("warning: {} {}; its part will be computed again", repair.file, repair.fault);
    }
    let there: u64 = dataset.records().map(|record| record.rows).sum();
    if there > 0 && !quiet {
        eprintln!("{} of {} rows are there already", HumanCount(there), HumanCount(plan.grid.rows()));
    }
    let threads = arguments.threads.unwrap_or_else(host::available_threads);
    let mut progress = Progress::new(plan.grid.rows() - there, quiet, verbose);
    let clock = Instant::now();
    let outcome = run::run(&simulation, &mut dataset, threads, &signals.stop, &mut progress);
    let seconds = clock.elapsed().as_secs_f64();
    progress.finish();
    let added: u64 = dataset.records().map(|record| record.rows).sum::<u64>() - there;
    let record = (added > 0).then(|| RunRecord {
        program: concat!("eigensweep ", env!("CARGO_PKG_VERSION")).to_owned(),
        host: host::name(),
        instruction_set: host::instruction_set(),
        threads,
        started,
        finished: host::now(),
        seconds,
        rows: added,
    });
    // A run that failed for want of space must not hide that behind the manifest's own failure.
    let manifest = dataset.write_manifest(plan, record);
    let outcome = outcome?;
    manifest?;
    if !outcome.complete {
        eprintln!(
            "stopped: {} of {} rows are in {}; the same command goes on from there",
            HumanCount(there + added),
            HumanCount(plan.grid.rows()),
            root.display()
        );
        return Ok(signals.exit());
    }
    if !quiet {
        finish(&simulation, &dataset, added, seconds)?;
        eprintln!("{}", super::analysis::next(&root));
    }
    Ok(Exit::Success)
}

/// The summary, and where the rows are.
fn finish(simulation: &Simulation, dataset: &Dataset, added: u64, seconds: f64) -> Result<(), EngineError> {
    match summarise(simulation, dataset)? {
        Some(summary) => print_summary(&summary),
        None => table::print("too many combinations of axes for a summary"),
    }
    let rows: u64 = dataset.records().map(|record| record.rows).sum();
    let bytes: u64 = dataset.records().map(|record| record.bytes).sum();
    table::print(&format!(
        "{} rows, {} in {}",
        HumanCount(rows),
        HumanBytes(bytes),
        dataset.root().display()
    ));
    if added > 0 {
        let elapsed = HumanDuration(std::time::Duration::from_secs_f64(seconds));
        eprintln!(
            "{} rows in {elapsed}, {} rows/s",
            HumanCount(added),
            HumanCount(whole(added as f64 / seconds))
        );
    }
    Ok(())
}

fn print_summary(summary: &Summary) {
    let Some(first) = summary.lines.first() else { return };
    let mut headings = vec!["paradigm".to_owned()];
    headings.extend(first.axes.iter().map(|(name, _)| (*name).to_owned()));
    headings.push("alignment".to_owned());
    headings.push(format!("distance, n = {}", summary.smallest));
    headings.push(format!("distance, n = {}", summary.largest));
    headings.push("threshold α*".to_owned());
    headings.push("α above it".to_owned());
    let mut table = table::new(&headings, 1);
    let mut lines: Vec<_> = summary.lines.iter().collect();
    // Paradigm by paradigm; within one, in the order of the grid.
    let order = |name: &str| summary.lines.iter().position(|line| line.paradigm == name);
    lines.sort_by_key(|line| order(line.paradigm));
    for line in lines {
        let mut cells = vec![line.paradigm.to_owned()];
        cells.extend(line.axes.iter().map(|(_, value)| table::coordinate(*value)));
        cells.push(table::coordinate(line.alignment));
        cells.push(mean_and_error(&line.smallest));
        cells.push(mean_and_error(&line.largest));
        cells.push(line.median_threshold().map_or_else(|| "–".to_owned(), table::number));
        cells.push(line.share_above().map_or_else(|| "–".to_owned(), verdict));
        table.add_row(cells);
    }
    table::print(&table.to_string());
    table::print(
        "distance: mean ± standard error over replicates; threshold: median over replicates, whose spectra are drawn",
    );
    for (status, count) in &summary.failed {
        let share = 100.0 * *count as f64 / summary.rows as f64;
        table::print(&format!("{} rows have no value ({share:.2} %): {status}", HumanCount(*count)));
    }
}

fn mean_and_error(running: &Running) -> String {
    match (running.mean(), running.standard_error()) {
        (Some(mean), Some(error)) => format!("{mean:.3e} ± {error:.0e}"),
        (Some(mean), None) => format!("{mean:.3e}"),
        _ => "–".to_owned(),
    }
}

fn verdict(share: f64) -> String {
    if share >= 1.0 {
        "yes".to_owned()
    } else if share <= 0.0 {
        "no".to_owned()
    } else {
        format!("in {:.0} %", 100.0 * share)
    }
}
