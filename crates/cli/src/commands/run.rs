//! `run`: simulates the missing parts of a job's data set, then says what came out.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eigensweep_engine::EngineError;
use eigensweep_engine::run::{Observer, Outcome};
use eigensweep_engine::study::{How, Opened, Study};
use eigensweep_figures::{Source, finding};
use eigensweep_host::{RunLog, batch, machine};
use eigensweep_job::{Job, JobProblems};
use eigensweep_store::dataset::{Dataset, RunState};
use eigensweep_store::format::whole;
use eigensweep_store::shard::Shard;
use eigensweep_store::summary::{Slice, Statistics, Summary, SummaryLine, TABLE_ROWS, summarise};
use indicatif::{HumanBytes, HumanCount};

use super::{ABOVE_COMPONENTS, failures, relative_scales, table};
use crate::args::{Run, ShardChoice, TimeLimit};
use crate::cluster::TimeLeft;
use crate::exit::Exit;
use crate::progress::{Progress, duration};
use crate::report::CommandError;
use crate::requeue::Requeue;
use crate::stop::Stop;
use crate::{cluster, job};

/// Time kept for stopping, out of a limit: what a batch system's clock may be off, and the grace to
/// write what is in hand.
const RESERVE: Duration = Duration::from_secs(20);

/// Longest that a warning about the time limit comes before it: a minute as `submit` asks for it, a
/// minute early, and some more.
const WARNED_BEFORE: Duration = Duration::from_secs(150);

pub(crate) fn call(arguments: &Run, quiet: bool, verbose: bool) -> Result<Exit, CommandError> {
    let done = match simulate(arguments, Ok, quiet, verbose)? {
        Ended::Stopped(exit) => return Ok(exit),
        Ended::Done(done) => done,
    };
    let dataset = &done.dataset;
    if !quiet {
        done.finish(said)?;
        if dataset.is_complete() {
            tell!("{}", super::query::next(dataset.root(), dataset.spec().output.detail));
        }
    }
    Ok(failures::report(dataset))
}

/// How a run ended.
pub(super) enum Ended {
    /// It was stopped, which has been said.
    Stopped(Exit),
    /// Its share is done.
    Done(Box<Done>),
}

/// A share that is done.
pub(super) struct Done {
    pub(super) dataset: Dataset,
    shard: Shard,
    /// Rows that this run computed.
    added: u64,
    /// Seconds that it took.
    seconds: f64,
}

/// Computes what is missing of the data set of a job, as `of` makes it of the one that was given.
pub(super) fn simulate(
    arguments: &Run,
    of: impl FnOnce(Job) -> Result<Job, JobProblems>,
    quiet: bool,
    verbose: bool,
) -> Result<Ended, CommandError> {
    let (started, clock) = (machine::now(), Instant::now());
    let shard = shard(arguments.shard)?;
    let limit = time_limit(arguments.time_limit)?;
    let job = of(job::read(&arguments.file.job, &arguments.file.set)?).map_err(EngineError::from)?;
    let root = arguments.output.clone().unwrap_or_else(|| job.spec.default_output());
    let stop = Stop::catch().map_err(|source| CommandError::Io {
        action: "catch signals for",
        path: PathBuf::from("this process"),
        source,
    })?;
    if let Some(limit) = limit {
        // A twentieth of short limits.
        let time = limit.saturating_sub(RESERVE.min(limit / 20));
        stop.after(time.saturating_sub(clock.elapsed()));
    }
    let trusted = arguments.time_limit == Some(TimeLimit::Auto);
    stop.heed_warnings(move || if trusted { time_to_go_on() } else { Duration::ZERO });
    let planned = Study::load(job)?.plan()?;
    if arguments.fresh {
        Dataset::remove(&root, Some(planned.spec()))?;
    }
    let holder = format!("process {} on {}", std::process::id(), machine::name());
    let threads = arguments.threads.unwrap_or_else(eigensweep_host::threads);
    let log = RunLog::new(&root, started, threads, shard);
    let requeue = arguments.requeue.then(|| Requeue::new(&root));
    let mut progress = Progress::new(quiet, verbose);
    let mut observer = Observed {
        root: &root,
        stop: &stop,
        requeue: requeue.clone(),
        progress: &mut progress,
        log: log.clone(),
    };
    let how = How { threads, shard, holder: &holder, stop: &stop.flag };
    let (outcome, dataset) = planned.run(&root, how, &mut observer)?;
    if let Some(remark) = dataset.age_remark() {
        tell!("warning: {remark}; --fresh computes it anew");
    }
    if !outcome.complete {
        let share = log.share();
        let (done, all) = (HumanCount(share.rows_done + outcome.rows), HumanCount(share.rows));
        tell!("stopped: {done} of {all} rows are in {}; the same command goes on from there", root.display());
        // SLURM ends what it puts back into the queue: the cause is settled before.
        let exit = stop.exit();
        if let Some(requeue) = requeue.filter(|_| exit == Exit::TimeLimit) {
            requeue.ask(log.rows());
        }
        return Ok(Ended::Stopped(exit));
    }
    let done = Done { dataset, shard, added: outcome.rows, seconds: log.recorded_seconds() };
    Ok(Ended::Done(Box::new(done)))
}

/// Hears how a run gets on: says it, shows it, and writes it down.
struct Observed<'a> {
    root: &'a Path,
    stop: &'a Stop,
    requeue: Option<Requeue>,
    progress: &'a mut Progress,
    log: RunLog,
}

impl Observer for Observed<'_> {
    fn opened(&mut self, opened: &Opened) {
        let Opened { repairs, share } = opened;
        for repair in repairs {
            tell!("warning: {} {}; its part will be computed again", repair.file, repair.fault);
        }
        if share.rows_done > 0 && !self.progress.quiet {
            let (there, all) = (HumanCount(share.rows_done), HumanCount(share.rows));
            tell!("{there} of {all} rows are there already");
        }
        self.log.opened(opened);
        self.progress.begin(share.rows - share.rows_done);
        self.stop.watch({
            let (log, root, requeue) = (self.log.clone(), self.root.to_path_buf(), self.requeue.clone());
            move |exit| {
                log.write(RunState::Stopped);
                // What the commits say: this process's own view may be in the middle of a change.
                let _ = Dataset::read(&root, false).and_then(|(dataset, _)| dataset.write_manifest());
                tell!(
                    "stopped in the middle of a task; the same command goes on from the last finished part"
                );
                if let Some(requeue) = requeue.filter(|_| exit == Exit::TimeLimit) {
                    requeue.ask(log.rows());
                }
            }
        });
    }

    fn ended(&mut self, outcome: &Result<Outcome, EngineError>) {
        self.progress.finish();
        self.log.ended(outcome);
    }

    fn clock(&self) -> fn() -> f64 {
        self.log.clock()
    }

    fn computed(&mut self, rows: u64, failed: u64) {
        self.progress.computed(rows, failed);
        self.log.computed(rows, failed);
    }

    fn committed(&mut self, section: u32, part: u64, rows: u64, seconds: f64) {
        self.progress.committed(section, part, rows);
        self.log.committed(section, part, rows, seconds);
    }
}

/// The shard that was asked for.
fn shard(choice: Option<ShardChoice>) -> Result<Shard, CommandError> {
    Ok(match choice {
        None => Shard::WHOLE,
        Some(ShardChoice::Given(shard)) => shard,
        Some(ShardChoice::Auto(count)) => cluster::shard(count, batch::number)?,
    })
}

/// The time that was given, or that the batch system leaves.
fn time_limit(choice: Option<TimeLimit>) -> Result<Option<Duration>, CommandError> {
    match choice {
        None => Ok(None),
        Some(TimeLimit::Given(time)) => Ok(Some(time)),
        Some(TimeLimit::Auto) => match cluster::time_left() {
            TimeLeft::Limited(time) => Ok(Some(time)),
            TimeLeft::Unlimited => Ok(None),
            TimeLeft::NoAnswer => {
                // A task must not fail because the scheduler is busy; its warning comes all the
                // same.
                tell!(
                    "warning: --time-limit auto: SLURM does not say how much time is left; going on until it warns"
                );
                Ok(None)
            }
            TimeLeft::NoJob => Err(CommandError::NoTimeLimit),
        },
    }
}

/// The time to go on after a batch system's warning. One about the time limit may come early; one
/// that comes at any other time announces pre-emption, whose grace SLURM does not count as the
/// job's time left.
fn time_to_go_on() -> Duration {
    match cluster::time_left_now() {
        TimeLeft::Limited(time) if time <= WARNED_BEFORE => time.saturating_sub(RESERVE.min(time / 2)),
        TimeLeft::Limited(_) | TimeLeft::Unlimited | TimeLeft::NoAnswer | TimeLeft::NoJob => Duration::ZERO,
    }
}

/// The summary.
fn said(dataset: &Dataset) -> Result<(), EngineError> {
    // The rows are safe whatever becomes of what is said about them.
    let source = Source::open(dataset.root());
    if let Some(found) = source.and_then(|source| finding(&[source])).unwrap_or_default() {
        table::print(&found);
    }
    match summarise(dataset)? {
        Some(summary) => print_summary(&summary, dataset),
        None => table::print(&format!("too many combinations for a table; {}", rest(dataset.root()))),
    }
    Ok(())
}

impl Done {
    /// What is `said` of all rows, where the rows are, and how long they took.
    pub(super) fn finish(
        &self,
        said: impl FnOnce(&Dataset) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let Self { dataset, shard, added, seconds } = self;
        if dataset.is_complete() {
            said(dataset)?;
        } else {
            table::print(&format!("shard {shard} is done"));
        }
        let bytes: u64 = dataset.records().map(|record| record.bytes).sum();
        let (done, all) = (dataset.rows_done(), dataset.rows());
        let of_all = if done == all { String::new() } else { format!(" of {}", HumanCount(all)) };
        table::print(&format!(
            "{}{of_all} rows, {} of parts in {}",
            HumanCount(done),
            HumanBytes(bytes),
            dataset.root().display()
        ));
        if *added > 0 {
            let elapsed = duration(*seconds);
            tell!(
                "{} rows computed and written in {elapsed}, {} rows/s",
                HumanCount(*added),
                HumanCount(whole(*added as f64 / seconds))
            );
        }
        Ok(())
    }
}

/// Where the rows of a table are that are not shown.
fn rest(root: &Path) -> String {
    format!("all are in: {}", super::query::all(root))
}

/// The table: rows that fit a screen, in columns that differ, as wide as the terminal; what is left
/// out is said below it.
fn print_summary(summary: &Summary, dataset: &Dataset) {
    // Nothing has a value.
    if summary.lines.iter().all(|line| line.smallest.mean.or(line.largest.mean).is_none()) {
        return;
    }
    let slice = slice(summary);
    let mut lines: Vec<&SummaryLine> = summary.lines.iter().collect();
    lines.retain(|line| axes(line).all(|(name, value)| slice.holds(name, value)));
    // Paradigm by paradigm; within one, in the order of the grid.
    let order = |name: &str| summary.lines.iter().position(|line| line.paradigm == name);
    lines.sort_by_key(|line| order(line.paradigm));
    let limits = dataset.spec().spectral().is_some();
    table::print(&summary_table(summary, &lines, limits, table::terminal_width().map(usize::from)));
    let metric = summary.metric.name;
    let limits = if limits { "; threshold: median over replicates, whose spectra are drawn" } else { "" };
    table::print(&format!("{metric}: mean ± standard error over replicates{limits}"));
    let constants: Vec<String> = summary
        .constants
        .iter()
        .map(|(name, value)| format!("{name} = {}", table::coordinate(*value)))
        .collect();
    if !constants.is_empty() {
        table::print(&format!("throughout: {}", constants.join(", ")));
    }
    relative_scales(dataset.spec());
    if lines.iter().any(|line| line.median_threshold() == Some(f64::INFINITY)) {
        table::print(&format!("never: {ABOVE_COMPONENTS}"));
    }
    let words = slice.words();
    if !words.is_empty() {
        let (shown, all) = (HumanCount(lines.len() as u64), HumanCount(summary.lines.len() as u64));
        table::print(&format!(
            "{shown} of {all} lines, those with {}; {}",
            words.join(", "),
            rest(dataset.root())
        ));
    }
}

/// Values of the axes that the table shows.
fn slice(summary: &Summary) -> Slice {
    let Some(first) = summary.lines.first() else { return Slice::default() };
    let values = |name: &str| {
        let found = |line| axes(line).find(|(known, _)| *known == name).map(|(_, value)| value);
        summary.lines.iter().filter_map(found).collect::<Vec<f64>>()
    };
    let mut paradigms: Vec<&str> = summary.lines.iter().map(|line| line.paradigm).collect();
    paradigms.sort_unstable();
    paradigms.dedup();
    Slice::new(axes(first).map(|(name, _)| (name, values(name))), TABLE_ROWS / paradigms.len().max(1))
}

/// The axes of a line, the alignment last.
fn axes(line: &SummaryLine) -> impl Iterator<Item = (&'static str, f64)> {
    line.axes.iter().copied().chain([("alignment", line.alignment)])
}

/// Columns in the widest form that fits `width`: headings in one line, in two, closer together, and
/// without the smaller n. Thresholds are there where `limits` says that the job may have any.
fn summary_table(summary: &Summary, lines: &[&SummaryLine], limits: bool, width: Option<usize>) -> String {
    let both = summary.smallest != summary.largest;
    let narrower = [("\n", both, 1), ("\n", both, 0), ("\n", false, 0)];
    let of = |(space, both, padding)| table_of(summary, lines, (space, padding), both, limits);
    table::fitting((" ", both, 1), &narrower, width, of).0
}

fn table_of(
    summary: &Summary,
    lines: &[&SummaryLine],
    (space, padding): (&str, u16),
    both: bool,
    limits: bool,
) -> String {
    // An axis of which one value is shown is said below the table.
    let several = |at: usize| {
        let values = || lines.iter().filter_map(|line| axes(line).nth(at)).map(|(_, value)| value.to_bits());
        values().any(|value| Some(value) != values().next())
    };
    let names: Vec<&str> =
        lines.first().map(|line| axes(line).map(|(name, _)| name).collect()).unwrap_or_default();
    let told: Vec<usize> = (0..names.len()).filter(|&at| several(at)).collect();
    let mut headings = vec!["paradigm".to_owned()];
    headings.extend(told.iter().map(|&at| names[at].to_owned()));
    let samples = [summary.smallest, summary.largest];
    let samples = if both { &samples[..] } else { &samples[1..] };
    headings.extend(samples.iter().map(|n| format!("{},{space}n = {n}", summary.metric.name)));
    if limits {
        headings.push(format!("threshold{space}α*"));
        headings.push(format!("α above{space}it"));
    }
    let mut table = table::new(&headings, 1);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((padding, 1));
    });
    for line in lines {
        let values: Vec<(&str, f64)> = axes(line).collect();
        let mut cells = vec![line.paradigm.to_owned()];
        cells.extend(told.iter().map(|&at| table::coordinate(values[at].1)));
        if both {
            cells.push(mean_and_error(&line.smallest));
        }
        cells.push(mean_and_error(&line.largest));
        if limits {
            cells.push(line.median_threshold().map_or_else(|| "–".to_owned(), threshold));
            cells.push(line.share_above().map_or_else(|| "–".to_owned(), verdict));
        }
        table.add_row(cells);
    }
    table.to_string()
}

fn threshold(alpha: f64) -> String {
    if alpha.is_infinite() { "never".to_owned() } else { table::number(alpha) }
}

fn mean_and_error(distance: &Statistics) -> String {
    match (distance.mean, distance.standard_error) {
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

#[cfg(test)]
mod tests {
    use eigensweep_theory::metrics::DISTANCE;

    use super::*;

    fn summary() -> Summary {
        let statistics = Statistics { mean: Some(0.2), standard_error: Some(0.01), ..Statistics::default() };
        let of = |at: usize| SummaryLine {
            axes: vec![("noise_scale", (at % 9) as f64), ("dimension", (at / 81) as f64)],
            paradigm: "joint-embedding",
            alignment: (at / 9 % 9) as f64,
            smallest: statistics,
            largest: statistics,
            threshold: Statistics { median: Some(f64::INFINITY), count: 3, ..Statistics::default() },
            above: Some(0),
        };
        let lines = (0..243).map(of).collect();
        Summary { metric: &DISTANCE, constants: Vec::new(), smallest: 100, largest: 1000, lines }
    }

    #[test]
    fn a_table_fits_the_terminal_where_it_can() {
        let summary = summary();
        let lines: Vec<&SummaryLine> = summary.lines.iter().take(2).collect();
        let width = |wanted| {
            let text = summary_table(&summary, &lines, true, wanted);
            text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
        };
        let full = width(None);
        assert!(full > 90);
        for wanted in [90, 80, 70] {
            assert!(width(Some(wanted)) <= wanted, "{wanted}: {}", width(Some(wanted)));
        }
        assert_eq!(width(Some(full)), full);
    }

    #[test]
    fn few_lines_stand_for_many_and_what_is_constant_is_no_column() {
        let summary = summary();
        let slice = slice(&summary);
        let mut lines: Vec<&SummaryLine> = summary.lines.iter().collect();
        lines.retain(|line| axes(line).all(|(name, value)| slice.holds(name, value)));
        assert!(lines.len() <= TABLE_ROWS && lines.len() >= 9, "{}", lines.len());
        let text = summary_table(&summary, &lines, true, None);
        assert!(
            !text.contains("dimension") && text.contains("noise_scale") && text.contains("never"),
            "{text}"
        );
        assert!(slice.words().contains(&"dimension = 1 (middle of 3)".to_owned()), "{:?}", slice.words());
    }
}
