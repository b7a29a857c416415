//! How a run gets on: a bar with rows/s and ETA on a terminal, a plain line every few seconds
//! elsewhere.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use eigensweep_store::format::{counted, whole};
use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Time between two plain lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Shows progress on standard error.
pub(crate) struct Progress {
    bar: ProgressBar,
    plain: bool,
    pub(crate) quiet: bool,
    verbose: bool,
    started: Instant,
    last: Instant,
    done: u64,
    total: u64,
    /// Rows without a value.
    pub(crate) failed: u64,
    /// What is counted.
    unit: &'static str,
}

impl Progress {
    /// Progress of rows that has yet to begin.
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        Self::of("row", quiet, verbose)
    }

    /// Progress of anything that can be counted; `unit` is a noun whose plural ends in `s`.
    pub(crate) fn of(unit: &'static str, quiet: bool, verbose: bool) -> Self {
        let terminal = stderr().is_terminal();
        let bar = match terminal && !quiet {
            true => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
            false => ProgressBar::hidden(),
        };
        let template = format!("{{bar:32}} {{human_pos}} of {{human_len}} {unit}s  {{per_sec}}  ETA {{eta}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            let per_second = move |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = out.write_str(&rate(state.per_sec(), unit));
            };
            bar.set_style(style.with_key("per_sec", per_second));
        }
        let now = Instant::now();
        Self {
            bar,
            plain: !terminal && !quiet,
            quiet,
            verbose,
            started: now,
            last: now,
            done: 0,
            total: 0,
            failed: 0,
            unit,
        }
    }

    /// Begins, with so many rows to come.
    pub(crate) fn begin(&mut self, total: u64) {
        self.total = total;
        self.bar.set_length(total);
        self.bar.reset();
        (self.started, self.last) = (Instant::now(), Instant::now());
    }

    /// Ends the display.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// `rows` more rows were computed, `failed` of them without a value.
    pub(crate) fn computed(&mut self, rows: u64, failed: u64) {
        self.done += rows;
        self.failed += failed;
        self.bar.inc(rows);
        if self.plain && self.last.elapsed() >= LINE_EVERY {
            self.last = Instant::now();
            self.line();
        }
    }

    /// So many of all are done.
    pub(crate) fn reached(&mut self, done: u64, total: u64) {
        if self.total != total {
            self.begin(total);
            // The first may take a while.
            if self.plain && done == 0 {
                tell!("0 of {}", counted(total, self.unit));
            }
        }
        // Threads report in any order.
        self.computed(done.saturating_sub(self.done), 0);
    }

    /// A part was committed.
    pub(crate) fn committed(&self, section: u32, part: u64, rows: u64) {
        if self.verbose {
            let rows = counted(rows, "row");
            self.bar.suspend(|| tell!("part {section:03}-{part:06} committed: {rows}"));
        }
    }

    fn line(&self) {
        let elapsed = self.started.elapsed().as_secs_f64();
        let rate = self.done as f64 / elapsed;
        let left = (self.total - self.done) as f64 / rate;
        tell!(
            "{} of {}, {}, {} left",
            HumanCount(self.done),
            counted(self.total, self.unit),
            self::rate(rate, self.unit),
            duration(left),
        );
    }
}

/// How many are done in a second, or how long one takes.
fn rate(per_second: f64, unit: &str) -> String {
    match per_second {
        // Nothing yet.
        0.0 => String::new(),
        ..0.5 => format!("{} a {unit}", duration(1.0 / per_second)),
        _ => format!("{} {unit}s/s", HumanCount(whole(per_second))),
    }
}

/// So many seconds for people, never none: `40 ms`, `2.5 seconds`, `3 minutes`.
pub(crate) fn duration(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time < Duration::from_secs(1) => format!("{:.0} ms", (1e3 * seconds).max(1.0)),
        Ok(time) if time < Duration::from_secs(10) => format!("{seconds:.1} seconds"),
        time => HumanDuration(time.unwrap_or(Duration::MAX)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::rate;

    #[test]
    fn slow_work_is_told_by_the_time_that_one_takes() {
        assert_eq!(rate(1234.0, "row"), "1,234 rows/s");
        assert_eq!(rate(0.05, "row"), "20 seconds a row");
        assert_eq!(rate(0.4, "row"), "2.5 seconds a row");
        assert_eq!(rate(0.0, "row"), "");
    }
}
