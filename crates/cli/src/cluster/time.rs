//! Times as SLURM writes them, and the time that it leaves a job.

use std::time::Duration;

use super::{number, slurm};
use crate::host;

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
    Some(TimeLeft::Limited(Duration::from_secs(end.saturating_sub(host::now()))))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{TimeLeft, clock_time, slurm_time, understood};

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
