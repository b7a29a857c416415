//! Times as SLURM writes them, and the time that it leaves a job.

use std::time::Duration;

use eigensweep_host::batch::number;

use super::slurm;

/// What a batch system says about the time that is left to this job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeLeft {
    /// So much.
    Limited(Duration),
    /// There is no limit.
    Unlimited,
    /// This is a job of SLURM, but SLURM does not answer.
    NoAnswer,
    /// This is no job of a batch system that can be asked.
    NoJob,
}

/// The time left: told by the environment, else asked of SLURM. Thousands of tasks may start at
/// once and ask nothing.
pub(crate) fn time_left() -> TimeLeft {
    told().unwrap_or_else(asked)
}

/// The time left as it is now (a limit may have been changed, or pre-emption have begun): asked of
/// SLURM, else told by the environment.
pub(crate) fn time_left_now() -> TimeLeft {
    match asked() {
        TimeLeft::NoAnswer => told().unwrap_or(TimeLeft::NoAnswer),
        answer @ (TimeLeft::Limited(_) | TimeLeft::Unlimited | TimeLeft::NoJob) => answer,
    }
}

fn told() -> Option<TimeLeft> {
    let end = number("SLURM_JOB_END_TIME")?;
    Some(TimeLeft::Limited(Duration::from_secs(end.saturating_sub(eigensweep_host::machine::now()))))
}

fn asked() -> TimeLeft {
    let Some(job) = slurm::own_job() else { return TimeLeft::NoJob };
    let answer = slurm::ask("squeue", &["--noheader", "--jobs", &job, "--format", "%L"]);
    answer.map_or(TimeLeft::NoAnswer, |answer| understood(answer.trim()))
}

/// The answer of `squeue --format %L`.
fn understood(text: &str) -> TimeLeft {
    match text {
        "UNLIMITED" => TimeLeft::Unlimited,
        // Past its end.
        "INVALID" => TimeLeft::Limited(Duration::ZERO),
        _ => clock_time(text).map_or(TimeLeft::NoAnswer, TimeLeft::Limited),
    }
}

/// A duration as SLURM reads it, `days-hours:minutes:seconds`, in whole seconds.
pub(crate) fn slurm_time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    format!("{}-{:02}:{minutes:02}:{seconds:02}", hours / 24, hours % 24)
}

/// A duration as SLURM writes it: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, each with
/// `days-` before it.
pub(crate) fn clock_time(text: &str) -> Option<Duration> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days.parse::<u64>().ok()?), rest),
        None => (None, text),
    };
    let fields: Vec<u64> = rest.split(':').map(|field| field.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = match (days, &fields[..]) {
        (Some(_), &[hours]) => [hours, 0, 0],
        (Some(_), &[hours, minutes]) => [hours, minutes, 0],
        (None, &[minutes]) => [0, minutes, 0],
        (None, &[minutes, seconds]) => [0, minutes, seconds],
        (_, &[hours, minutes, seconds]) => [hours, minutes, seconds],
        _ => return None,
    };
    let hours = days.unwrap_or(0).checked_mul(24)?.checked_add(hours)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    Some(Duration::from_secs(minutes.checked_mul(60)?.checked_add(seconds)?))
}

/// Units of a time, largest first: the words that name each, and its seconds. No word has capitals,
/// and none is shorter than it takes to be clear: `M` is a month to some programs and a minute to
/// others.
const UNITS: [(&[&str], u64); 4] = [
    (&["d", "day", "days"], 24 * 60 * 60),
    (&["h", "hr", "hour", "hours"], 60 * 60),
    (&["m", "min", "minute", "minutes"], 60),
    (&["s", "sec", "second", "seconds"], 1),
];

/// Why a text is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{reason}. Give a time with its units (2d, 3h, 90m, 1h30m, 45s) or as SLURM does (90 for minutes, 3:00:00, 1-12:00:00)"
)]
pub(crate) struct TimeError {
    reason: String,
}

/// A time as it is typed: numbers with their units, each unit once and the largest first (`1h30m`,
/// `2 days 3 hours`), or as SLURM reads it ([`clock_time`]).
///
/// # Errors
///
/// [`TimeError`] for anything else: a time that is guessed wrong is a job that is killed.
pub(crate) fn duration(text: &str) -> Result<Duration, TimeError> {
    match clock_time(text) {
        Some(time) => Ok(time),
        None => in_units(text).map_err(|reason| TimeError { reason }),
    }
}

fn in_units(text: &str) -> Result<Duration, String> {
    let no_time = || format!("{text:?} is no time");
    let (mut seconds, mut larger) = (0_u64, 0);
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(no_time());
    }
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = &rest[..rest.len() - after.len()];
        let after = after.trim_start();
        let other = after.trim_start_matches(char::is_alphabetic);
        let word = &after[..after.len() - other.len()];
        let number = number.parse::<u64>().map_err(|_| no_time())?;
        let Some(at) = UNITS.iter().position(|(words, _)| words.contains(&word)) else {
            return Err(match word {
                "" => no_time(),
                "M" => "`M` may be minutes or months: minutes are `m` or `min`".to_owned(),
                _ => format!("`{word}` is no unit of time here"),
            });
        };
        if at < larger {
            return Err(format!("{text:?} has its units in another order, or one of them twice"));
        }
        larger = at + 1;
        let sum = number.checked_mul(UNITS[at].1).and_then(|more| seconds.checked_add(more));
        seconds = sum.ok_or_else(|| format!("{text:?} is longer than can be counted"))?;
        rest = other.trim_start();
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use eigensweep_testkit::random::Random;

    use super::{TimeLeft, clock_time, duration, slurm_time, understood};

    #[test]
    fn times_are_typed_in_units_or_as_slurm_has_them() {
        for (text, seconds) in [
            ("45s", 45),
            ("30m", 1800),
            ("30min", 1800),
            ("30 minutes", 1800),
            ("3h", 3 * 3600),
            ("2d", 2 * 86_400),
            ("1h30m", 5400),
            (" 1 day 2 hours 3 min 4 sec ", 86_400 + 2 * 3600 + 184),
            ("0s", 0),
            // SLURM's own.
            ("30", 1800),
            ("30:15", 1815),
            ("3:00:00", 3 * 3600),
            ("1-12", 36 * 3600),
            ("1-12:30", 36 * 3600 + 1800),
            ("1-12:00:01", 36 * 3600 + 1),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn a_time_that_can_be_misunderstood_is_refused() {
        for (text, says) in [
            ("30M", "`M` may be minutes or months"),
            ("1h30M", "`M` may be minutes or months"),
            ("3H", "`H` is no unit"),
            ("2months", "`months` is no unit"),
            ("1y", "`y` is no unit"),
            ("500ms", "`ms` is no unit"),
            ("1w", "`w` is no unit"),
            ("30m1h", "another order"),
            ("1h1h", "twice"),
            ("1.5h", "is no time"),
            ("soon", "is no time"),
            ("-3", "is no time"),
            ("1h 30", "is no time"),
            ("", "is no time"),
            ("99999999999999999999s", "is no time"),
            ("18446744073709551615d", "longer than can be counted"),
        ] {
            let refusal = duration(text).unwrap_err().to_string();
            assert!(refusal.contains(says) && refusal.contains("1-12:00:00"), "{text}: {refusal}");
        }
    }

    #[test]
    fn any_text_is_a_time_or_refused() {
        let mut random = Random(9);
        let pieces = ["1", "30", "m", "h", "-", ":", " ", "M", "d", "é", "99999999999999999999", "s", "."];
        for _ in 0..20_000 {
            let text: String = (0..random.below(8)).map(|_| pieces[random.below(pieces.len())]).collect();
            if let Ok(time) = duration(&text) {
                assert_eq!(clock_time(&slurm_time(time)), Some(time), "{text}");
            }
        }
    }

    #[test]
    fn clock_times_are_slurms() {
        let seconds = |text| clock_time(text).map(|time| time.as_secs());
        assert_eq!(seconds("90"), Some(5400));
        assert_eq!(seconds("1:30"), Some(90));
        assert_eq!(seconds("2:00:05"), Some(7205));
        assert_eq!(seconds("1-12"), Some(36 * 3600));
        assert_eq!(seconds("1-00:30"), Some(24 * 3600 + 1800));
        assert_eq!(seconds("2-01:00:01"), Some(49 * 3600 + 1));
        for wrong in ["", "UNLIMITED", "INVALID", "1:2:3:4", "a:b", "-5", "1-", "18446744073709551615-0"] {
            assert_eq!(clock_time(wrong), None, "{wrong}");
        }
        assert_eq!(clock_time("0:00"), Some(Duration::ZERO));
    }

    #[test]
    fn times_come_back_as_they_were_written() {
        for (seconds, text) in [(59, "0-00:00:59"), (3 * 3600, "0-03:00:00"), (129_601, "1-12:00:01")] {
            let time = Duration::from_secs(seconds);
            assert_eq!(slurm_time(time), text);
            assert_eq!(clock_time(text), Some(time));
        }
    }

    #[test]
    fn answers_of_squeue_are_understood() {
        assert_eq!(understood("59:30"), TimeLeft::Limited(Duration::from_secs(3570)));
        assert_eq!(understood("UNLIMITED"), TimeLeft::Unlimited);
        assert_eq!(understood("INVALID"), TimeLeft::Limited(Duration::ZERO));
        for nothing in ["", "NOT_SET", "1:00\n2:00"] {
            assert_eq!(understood(nothing), TimeLeft::NoAnswer);
        }
    }
}
