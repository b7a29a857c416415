//! Which element of an array job this is, as the batch systems' environment variables tell it.

use eigensweep_store::shard::Shard;

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

#[cfg(test)]
mod tests {
    use super::{ArrayError, shard};

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
}
