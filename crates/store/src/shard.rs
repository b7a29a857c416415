//! Shards: which parts of a job one process of several computes.
//!
//! Shard I of N takes the parts whose middle, by estimated cost, lies in the I-th of N equal
//! stretches of the whole. So shards are consecutive parts, balanced to within a part by cost
//! rather than by count, disjoint, and together everything; and which part is whose is a function
//! of the job and N alone.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use crate::plan::Plan;

/// One of several processes that share a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    index: u64,
    /// Of how many.
    count: u64,
}

/// Why a text or two numbers name no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a shard is I/N with 1 ≤ I ≤ N, such as 3/8, not {found}")]
pub struct ShardError {
    /// What was given.
    pub found: String,
}

impl Shard {
    /// Everything.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Shard `index` (from 1) of `count`.
    ///
    /// # Errors
    ///
    /// [`ShardError`] unless 1 ≤ index ≤ count.
    pub fn new(index: u64, count: u64) -> Result<Self, ShardError> {
        match (1..=count).contains(&index) {
            true => Ok(Self { index, count }),
            false => Err(ShardError { found: format!("{index}/{count}") }),
        }
    }

    /// Which, from 1.
    #[must_use]
    pub fn index(self) -> u64 {
        self.index
    }

    /// Of how many.
    #[must_use]
    pub fn count(self) -> u64 {
        self.count
    }

    /// Whether this is everything.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.count == 1
    }

    /// The parts of a plan that are this shard's. With adaptive replicates a shard has whole
    /// columns, the same in every round: whether a combination goes on depends on all its
    /// replicates.
    #[must_use]
    pub fn parts(self, plan: &Plan) -> Range<u64> {
        self.first(plan, self.index - 1)..self.first(plan, self.index)
    }

    /// The first part whose middle (or whose column's) is not before `stretch` of the stretches.
    fn first(self, plan: &Plan, stretch: u64) -> u64 {
        let together = if plan.adaptive { plan.parts_per_column } else { 1 };
        let begin = plan.cost.share() * (stretch as f64 / self.count as f64);
        let middle = |group: u64| {
            let (first, last) = (group * together, (group + 1) * together - 1);
            let (start, end) = (plan.part_units(first).start, plan.part_units(last).end);
            f64::midpoint(plan.cost.share_before(start), plan.cost.share_before(end))
        };
        let (mut low, mut high) = (0, plan.parts / together);
        while low < high {
            let between = low + (high - low) / 2;
            if middle(between) < begin { low = between + 1 } else { high = between }
        }
        low * together
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let found = || ShardError { found: text.to_owned() };
        let (index, count) = text.split_once('/').ok_or_else(found)?;
        let number = |text: &str| text.trim().parse().map_err(|_| found());
        Self::new(number(index)?, number(count)?).map_err(|_| found())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Shard;
    use crate::plan::Extents;
    use crate::plan::Plan;
    use eigensweep_job as job;

    fn plan(text: &str) -> Plan {
        let spec = job::parse("test.toml", text, &[], Path::new("")).unwrap().spec;
        Plan::new(&spec, Extents { signal: 50, labels: 10 }).unwrap()
    }

    #[test]
    fn shards_are_everything_once() {
        for text in [
            "[job]\nreplicates = 7",
            "[job]\nreplicates = 1000\n[sampler]\nkind = \"explicit\"",
            "[job]\nreplicates = 100\n[data]\ncomponents = [2, 200]\n[model]\ndimension = 2\n[output]\npart_rows = 30",
        ] {
            let plan = plan(text);
            for count in [1, 2, 3, 7, 64, 1000] {
                let mut next = 0;
                for index in 1..=count {
                    let parts = Shard::new(index, count).unwrap().parts(&plan);
                    assert_eq!(parts.start, next, "shard {index}/{count} of {} parts", plan.parts);
                    next = parts.end;
                }
                assert_eq!(next, plan.parts);
            }
        }
    }

    /// By count, the half with large problems would have nearly all of the work.
    #[test]
    fn shards_are_balanced_by_cost() {
        let plan = plan(
            "[job]\nreplicates = 1000\n[data]\ncomponents = [2, 200]\n[model]\ndimension = 2\n[output]\npart_rows = 30",
        );
        let largest = (0..plan.parts).map(|part| plan.part_flops(part)).fold(0.0, f64::max);
        let mut counts = Vec::new();
        for index in 1..=4 {
            let parts = Shard::new(index, 4).unwrap().parts(&plan);
            counts.push(parts.end - parts.start);
            let flops: f64 = parts.map(|part| plan.part_flops(part)).sum();
            assert!((flops - plan.cost.total() / 4.0).abs() <= largest, "shard {index} has {flops:e} flops");
        }
        assert!(counts[0] > 2 * counts[3], "{counts:?}");
    }

    #[test]
    fn shards_are_written_as_fractions() {
        assert_eq!("3/8".parse::<Shard>().unwrap().to_string(), "3/8");
        for wrong in ["0/4", "5/4", "4", "a/b", "1/0", "-1/3", "1/2/3", ""] {
            let error = wrong.parse::<Shard>().unwrap_err();
            assert_eq!(error.found, wrong);
        }
    }
}
