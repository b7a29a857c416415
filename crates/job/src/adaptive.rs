//! Adaptive replicates: `replicates = { min = 50, max = 10000, relative_error = 0.02 }`.
//!
//! A combination of the axes is drawn anew until the standard error of the mean is small enough
//! against the mean, for every paradigm. It is asked at fixed checkpoints only, after `min`
//! replicates and each time their number has doubled, so which rows exist is a function of the job
//! alone. (Stopping at the first of several looks where the error happens to look small makes it a
//! little smaller than it is; with doubling there are few looks, and `min` keeps the first from
//! being a fluke.)

use std::ops::Range;

use super::JobSpec;
use super::numbers::Allowed;
use super::read::Reader;
use super::tree::{Entry, Node, find};

/// When a combination has been drawn often enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    /// Replicates of every combination, at least 2.
    pub min: u32,
    /// Replicates after which a combination is given up.
    pub max: u32,
    /// Standard error of the mean over the mean that is small enough, above 0 and below 1.
    pub relative_error: f64,
}

impl Adaptive {
    /// Replicates between one checkpoint and the next.
    #[must_use]
    pub fn rounds(&self) -> Vec<Range<u32>> {
        let mut rounds = Vec::new();
        let (mut start, mut end) = (0, self.min.min(self.max));
        while start < self.max {
            rounds.push(start..end);
            start = end;
            end = end.saturating_mul(2).min(self.max);
        }
        rounds
    }
}

impl JobSpec {
    /// The job from checkpoint to checkpoint, each a job of its own; the job itself if its
    /// replicates are fixed.
    #[must_use]
    pub fn rounds(&self) -> Vec<JobSpec> {
        let Some(adaptive) = self.job.adaptive else { return vec![self.clone()] };
        let round = |replicates: Range<u32>| {
            let mut spec = self.clone();
            spec.job.first_replicate = replicates.start;
            spec.job.replicates = replicates.end - replicates.start;
            spec
        };
        adaptive.rounds().into_iter().map(round).collect()
    }
}

/// The keys of the table.
const KEYS: [&str; 3] = ["min", "max", "relative_error"];

const FORM: &str = "write how many replicates there are, or { min = 50, max = 10000, relative_error = 0.02 }: at least \
    `min`, then until the standard error is below `relative_error` of the mean, at most `max`";

/// Replicates of a table.
const fn count(help: &'static str) -> Allowed {
    let holds = |count| (2.0..=2_147_483_647.0).contains(&count);
    Allowed::whole("a whole number from 2 to 2147483647", holds, help)
}

const MIN: Allowed = count("a standard error needs two replicates");
const MAX: Allowed = count("replicates after which a combination is given up");
const RELATIVE_ERROR: Allowed = Allowed::share(
    "above 0 and below 1",
    |error| error > 0.0 && error < 1.0,
    "the standard error of the mean over the mean that is small enough",
);

impl Reader<'_> {
    /// `job.replicates` as a table.
    pub(super) fn adaptive(&mut self, node: &Node, path: &str, entries: &[Entry]) -> Option<Adaptive> {
        if !entries.iter().any(|entry| KEYS.contains(&entry.name.as_str())) {
            let message = format!("`{path}` takes one number, or `min`, `max` and `relative_error`");
            return self.refuse(&node.place, message, "not an axis", FORM);
        }
        let sound = self.known_only(&format!("`{path}`"), entries, &KEYS, FORM);
        let [min, max, error] = KEYS.map(|key| find(entries, key));
        let (Some(min), Some(max), Some(error)) = (min, max, error) else {
            let message = format!("`{path}` needs `min`, `max` and `relative_error`");
            return self.refuse(&node.place, message, "not all three", FORM);
        };
        let max_node = max;
        let min = self.number(min, &format!("{path}.min"), MIN);
        let max = self.number(max, &format!("{path}.max"), MAX);
        // Data sets that exist may have one of 1 or more, which ends at `min`.
        let holds = if self.stored { |error| error > 0.0 } else { RELATIVE_ERROR.holds };
        let allowed = Allowed { holds, ..RELATIVE_ERROR };
        let relative_error = self.number(error, &format!("{path}.relative_error"), allowed);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and within range")]
        let (min, max) = (min? as u32, max? as u32);
        if max < min {
            let message = format!("`{path}.max` is below `{path}.min`");
            return self.refuse(&max_node.place, message, "below `min`", FORM);
        }
        let adaptive = Adaptive { min, max, relative_error: relative_error? };
        sound.then_some(adaptive)
    }
}

#[cfg(test)]
mod tests {
    use super::Adaptive;

    #[test]
    fn checkpoints_double() {
        let rounds = |min, max| Adaptive { min, max, relative_error: 0.1 }.rounds();
        assert_eq!(rounds(50, 300), [0..50, 50..100, 100..200, 200..300]);
        assert_eq!(rounds(7, 7).len(), 1);
        assert_eq!(rounds(2, 4), [0..2, 2..4]);
        let long = rounds(2, u32::MAX / 2);
        assert_eq!(long.last().map(|round| round.end), Some(u32::MAX / 2));
        assert!(long.windows(2).all(|pair| pair[0].end == pair[1].start));
    }
}
