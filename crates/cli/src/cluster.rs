//! What a batch system tells its jobs: which element of an array this is, the processors granted, the time left.

use std::env;
use std::process::Command;
use std::time::Duration;

use eigensweep_engine::shard::Shard;

use crate::host;

/// The environment variables of one batch system.
struct ArrayVariables {
    system: &'static str,
    index: &'static str,
    first: Option<&'static str>,
    /// The last index, or how many there are.
    last: Option<&'static str>,
    count: Option<&'static str>,
    step: Option<&'static str>,
    /// First index where no variable tells it.
    default_first: u64,
}

const ARRAYS: [ArrayVariables; 6] = [
    ArrayVariables {
        system: "SLURM",
        index: "SLURM_ARRAY_TASK_ID",
        first: Some("SLURM_ARRAY_TASK_MIN"),
        last: Some("SLURM_ARRAY_TASK_MAX"),
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        step: Some("SLURM_ARRAY_TASK_STEP"),
        default_first: 0,
    },
    ArrayVariables {
        system: "Kubernetes",
        index: "JOB_COMPLETION_INDEX",
        first: None,
        last: None,
        count: None,
        step: None,
        default_first: 0,
    },
    ArrayVariables {
        system: "PBS",
        index: "PBS_ARRAY_INDEX",
        first: None,
        last: None,
        count: None,
        step: None,
        default_first: 1,
    },
    ArrayVariables {
        system: "Torque",
        index: "PBS_ARRAYID",
        first: None,
        last: None,
        count: None,
        step: None,
        default_first: 1,
    },
    ArrayVariables {
        system: "LSF",
        index: "LSB_JOBINDEX",
        first: None,
        last: Some("LSB_JOBINDEX_END"),
        count: None,
        step: Some("LSB_JOBINDEX_STEP"),
        default_first: 1,
    },
    ArrayVariables {
        system: "Grid Engine",
        index: "SGE_TASK_ID",
        first: Some("SGE_TASK_FIRST"),
        last: Some("SGE_TASK_LAST"),
        count: None,
        step: Some("SGE_TASK_STEPSIZE"),
        default_first: 1,
    },
];

/// Why the environment tells no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArrayError {
    /// Not an array task.
    #[error(
        "--shard auto: this is no array task; none of {} is set. Give the shard as I/N",
        ARRAYS.map(|array| array.index).join(", ")
    )]
    NoArray,
    /// The number of tasks is not told.
    #[error(
        "--shard auto: {system} does not say how many tasks the array has. Give it as --shard auto/N ({variable} is {index})"
    )]
    NoCount {
        /// The batch system.
        system: &'static str,
        /// Its variable.
        variable: &'static str,
        /// Its value.
        index: u64,
    },
    /// What was said contradicts the environment.
    #[error("--shard auto: task {index} of {system} is not one of {count} that begin at {first}")]
    Outside {
        /// The batch system.
        system: &'static str,
        /// The task.
        index: u64,
        /// The first task.
        first: u64,
        /// How many there are.
        count: u64,
    },
}

/// The shard that this array task is, of `count` or of as many as the batch system says.
pub(crate) fn shard(count: Option<u64>, variable: impl Fn(&str) -> Option<u64>) -> Result<Shard, ArrayError> {
    let known = ARRAYS.iter().find_map(|array| Some((array, variable(array.index)?)));
    let (array, index) = known.ok_or(ArrayError::NoArray)?;
    let told = |name: Option<&str>| name.and_then(&variable);
    let step = told(array.step).unwrap_or(1).max(1);
    let first = told(array.first).unwrap_or(array.default_first);
    let of_range = |last: u64| last.checked_sub(first).map(|range| range / step + 1);
    let count = count.or_else(|| told(array.count)).or_else(|| told(array.last).and_then(of_range));
    let ArrayVariables { system, index: name, .. } = *array;
    let count = count.ok_or(ArrayError::NoCount { system, variable: name, index })?;
    let outside = ArrayError::Outside { system, index, first, count };
    let position = index.checked_sub(first).ok_or_else(|| outside.clone())? / step;
    Shard::new(position + 1, count).map_err(|_| outside)
}

/// A number in the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.trim().parse().ok()
}

/// Threads to use: what the batch system granted, within what this process may use; `RAYON_NUM_THREADS` wins.
pub(crate) fn threads() -> usize {
    /// Processors of a task, by batch system.
    const GRANTED: [&str; 6] =
        ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE", "NCPUS", "PBS_NUM_PPN", "NSLOTS", "LSB_DJOB_NUMPROC"];
    let count = |name: &str| number(name).and_then(|count| usize::try_from(count).ok()).filter(|&n| n > 0);
    if let Some(asked) = count("RAYON_NUM_THREADS") {
        return asked;
    }
    let most = host::available_threads();
    GRANTED.into_iter().find_map(count).map_or(most, |granted| granted.min(most))
}

/// The batch system's name for this job, if there is one: `SLURM 123_4`.
pub(crate) fn job_name() -> Option<String> {
    let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(job), Some(task)) = (text("SLURM_ARRAY_JOB_ID"), text("SLURM_ARRAY_TASK_ID")) {
        return Some(format!("SLURM {job}_{task}"));
    }
    [("SLURM", "SLURM_JOB_ID"), ("PBS", "PBS_JOBID"), ("LSF", "LSB_JOBID"), ("Grid Engine", "JOB_ID")]
        .into_iter()
        .find_map(|(system, name)| Some(format!("{system} {}", text(name)?)))
}

/// The time that the batch system leaves this job: told by its environment, else asked of SLURM.
pub(crate) fn time_left() -> Option<Duration> {
    if let Some(end) = number("SLURM_JOB_END_TIME") {
        return Some(Duration::from_secs(end.saturating_sub(host::now())));
    }
    let job = number("SLURM_JOB_ID")?.to_string();
    let answer =
        Command::new("squeue").args(["--noheader", "--jobs", &job, "--format", "%L"]).output().ok()?;
    clock_time(String::from_utf8_lossy(&answer.stdout).trim())
}

/// A duration as SLURM writes it: `minutes`, `minutes:seconds`, `hours:minutes:seconds`, each with `days-` before it.
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

    use super::{ArrayError, clock_time, shard};

    fn shard_in(environment: &[(&str, u64)], count: Option<u64>) -> Result<String, ArrayError> {
        let variable =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
        shard(count, variable).map(|shard| shard.to_string())
    }

    #[test]
    fn every_batch_system_tells_its_shard() {
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", 7),
            ("SLURM_ARRAY_TASK_MIN", 5),
            ("SLURM_ARRAY_TASK_MAX", 8),
            ("SLURM_ARRAY_TASK_COUNT", 4),
        ];
        assert_eq!(shard_in(&slurm, None).as_deref(), Ok("3/4"));
        let steps = [
            ("SLURM_ARRAY_TASK_ID", 15),
            ("SLURM_ARRAY_TASK_MIN", 5),
            ("SLURM_ARRAY_TASK_MAX", 20),
            ("SLURM_ARRAY_TASK_STEP", 5),
            ("SLURM_ARRAY_TASK_COUNT", 4),
        ];
        assert_eq!(shard_in(&steps, None).as_deref(), Ok("3/4"));
        assert_eq!(shard_in(&[("JOB_COMPLETION_INDEX", 0)], Some(3)).as_deref(), Ok("1/3"));
        assert_eq!(shard_in(&[("PBS_ARRAY_INDEX", 3)], Some(3)).as_deref(), Ok("3/3"));
        assert_eq!(shard_in(&[("PBS_ARRAYID", 1)], Some(3)).as_deref(), Ok("1/3"));
        assert_eq!(shard_in(&[("LSB_JOBINDEX", 2), ("LSB_JOBINDEX_END", 9)], None).as_deref(), Ok("2/9"));
        let grid_engine =
            [("SGE_TASK_ID", 6), ("SGE_TASK_FIRST", 2), ("SGE_TASK_LAST", 10), ("SGE_TASK_STEPSIZE", 4)];
        assert_eq!(shard_in(&grid_engine, None).as_deref(), Ok("2/3"));
    }

    #[test]
    fn what_the_environment_does_not_tell_is_asked_for() {
        assert_eq!(shard_in(&[], None), Err(ArrayError::NoArray));
        let no_count = shard_in(&[("JOB_COMPLETION_INDEX", 2)], None).unwrap_err().to_string();
        assert!(no_count.contains("Kubernetes") && no_count.contains("auto/N"), "{no_count}");
        for (index, count) in [(3, 3), (9, 3)] {
            let outside = shard_in(&[("JOB_COMPLETION_INDEX", index)], Some(count)).unwrap_err();
            assert!(matches!(outside, ArrayError::Outside { first: 0, .. }), "{outside}");
        }
        assert!(matches!(shard_in(&[("PBS_ARRAY_INDEX", 0)], Some(3)), Err(ArrayError::Outside { .. })));
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
}
