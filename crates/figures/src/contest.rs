//! Which paradigm is better where: paradigms against each other, cell by cell.
//!
//! Those that learn a representation compete; where fewer than two of them are there, all do. The
//! metric says which value is the better one. Where theory says that none of them recovers the
//! clean model, none is called better, however their values differ, nor where k > k₀, of which it
//! says nothing but that a noise component is kept; and a difference counts where
//! it is more than 1.96 of its standard errors, paired within replicates, from 0.

use std::collections::BTreeMap;

use eigensweep_store::columns::PARADIGM;
use eigensweep_store::format::digits;
use eigensweep_theory::Paradigm;
use eigensweep_theory::metrics::{Better, Metric};

use crate::FigureError;
use crate::data::{Key, Lines, Pair, Stats};
use crate::verdict::recovers;

/// A difference counts beyond so many standard errors: 95 % of a normal distribution.
const NORMAL_95: f64 = 1.96;

/// Paradigms against each other.
pub(crate) struct Contest {
    /// Who competes, two or more.
    pub rivals: Vec<&'static Paradigm>,
    /// Whether paradigms that learn no representation are there and do not compete.
    pub partial: bool,
    /// What the better of two is called, and the best of all.
    pub words: [&'static str; 2],
    /// By the coordinates that were asked for.
    pub cells: BTreeMap<Vec<Key>, Cell>,
}

/// One cell of a contest.
pub(crate) struct Cell {
    pub outcome: Outcome,
    /// Rivals with a value, the best first, with their means.
    pub ranked: Vec<(&'static Paradigm, f64)>,
    /// The difference between the first two of them, from 0 up.
    pub margin: Option<Pair>,
    /// Rivals with a threshold, with the median of α*: infinite where no α recovers.
    pub thresholds: Vec<(&'static Paradigm, f64)>,
}

/// How a cell went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// This one is better.
    Better(&'static Paradigm),
    /// The first two do not differ clearly.
    Unclear,
    /// No rival recovers the clean model as n → ∞.
    NoneRecovers,
    /// No rival has a threshold, as k > k₀.
    NoThreshold,
    /// No rival has a value.
    Missing,
}

impl Contest {
    /// The contest by a metric in each group of `by`, which with the paradigm are all axes that
    /// vary; `None` where there are no two rivals, or the metric tells no better from worse.
    pub(crate) fn new(
        rows: &Lines<'_>,
        by: &[&str],
        metric: &'static Metric,
    ) -> Result<Option<Self>, FigureError> {
        let (larger, words) = match metric.better {
            Better::Smaller(comparative, superlative) => (false, [comparative, superlative]),
            Better::Larger(comparative, superlative) => (true, [comparative, superlative]),
            Better::Neither => return Ok(None),
        };
        let all = rows.paradigms();
        let mut rivals: Vec<_> = all.iter().copied().filter(|paradigm| paradigm.spectrum.is_some()).collect();
        if rivals.len() < 2 {
            rivals.clone_from(&all);
        }
        if rivals.len() < 2 {
            return Ok(None);
        }
        let partial = rivals.len() < all.len();
        let keyed: Vec<&str> = by.iter().copied().chain([PARADIGM]).collect();
        let mut found: BTreeMap<Vec<Key>, Vec<(usize, Stats)>> = BTreeMap::new();
        for (mut key, stats) in rows.grouped(&keyed, metric)? {
            let paradigm = key.pop().and_then(|key| key.paradigm());
            let rival = rivals.iter().position(|rival| Some(*rival) == paradigm);
            if let Some(at) = rival {
                found.entry(key).or_default().push((at, stats));
            }
        }
        let mut pairs = BTreeMap::new();
        for (second, &later) in rivals.iter().enumerate() {
            for (first, &earlier) in rivals[..second].iter().enumerate() {
                pairs.insert([first, second], rows.pairs(by, metric, [earlier, later]));
            }
        }
        let cells = found.into_iter().map(|(key, stats)| {
            let margin = |one: usize, other: usize| {
                let pair = *pairs.get(&[one.min(other), one.max(other)])?.get(&key)?;
                Some(Pair { mean: pair.mean.abs(), ..pair })
            };
            let cell = Cell::new(&rivals, larger, &stats, margin);
            (key, cell)
        });
        let cells = cells.collect();
        Ok(Some(Self { rivals, partial, words, cells }))
    }

    /// Who competes, in words.
    pub(crate) fn field(&self) -> String {
        let names: Vec<&str> = self.rivals.iter().map(|rival| rival.name).collect();
        match names.as_slice() {
            [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
            _ => names.join(", "),
        }
    }

    /// How `outcome` is said where no paradigm is named.
    pub(crate) fn name(&self, outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Better(paradigm) => paradigm.name,
            Outcome::Unclear => "no clear difference",
            Outcome::NoneRecovers if self.rivals.len() == 2 => "neither recovers",
            Outcome::NoneRecovers => "none recovers",
            Outcome::NoThreshold => "k > k₀",
            Outcome::Missing => "no value",
        }
    }
}

impl Cell {
    fn new(
        rivals: &[&'static Paradigm],
        larger: bool,
        stats: &[(usize, Stats)],
        margin: impl Fn(usize, usize) -> Option<Pair>,
    ) -> Self {
        let mut ranked: Vec<(usize, f64)> =
            stats.iter().filter_map(|(at, stats)| Some((*at, stats.mean?))).collect();
        // Of equals the first wins.
        ranked.sort_by(|a, b| if larger { b.1.total_cmp(&a.1) } else { a.1.total_cmp(&b.1) });
        let margin = match ranked.as_slice() {
            [(best, _), (second, _), ..] => margin(*best, *second),
            _ => None,
        };
        // One replicate has no spread: its difference stands as it is.
        let clear = margin.is_some_and(|pair| pair.mean > NORMAL_95 * pair.error.unwrap_or(0.0));
        let fails = |(at, stats): &(usize, Stats)| recovers(rivals[*at], stats.above) == Some(false);
        let outcome = match ranked.as_slice() {
            [] => Outcome::Missing,
            _ if stats.iter().all(|(_, stats)| stats.has_no_threshold()) => Outcome::NoThreshold,
            _ if stats.len() == rivals.len() && stats.iter().all(fails) => Outcome::NoneRecovers,
            [(best, _)] => Outcome::Better(rivals[*best]),
            [(best, _), ..] if clear => Outcome::Better(rivals[*best]),
            _ => Outcome::Unclear,
        };
        let thresholds = stats.iter().filter_map(|(at, stats)| Some((rivals[*at], stats.alpha()?[0])));
        Self {
            outcome,
            ranked: ranked.into_iter().map(|(at, mean)| (rivals[at], mean)).collect(),
            margin,
            thresholds: thresholds.collect(),
        }
    }

    /// Which rival has the lower threshold.
    pub(crate) fn lower(&self) -> Option<Lower> {
        let mut sorted = self.thresholds.clone();
        sorted.sort_by(|a, b| a.1.total_cmp(&b.1));
        let [(first, low), (_, high), ..] = sorted[..] else { return None };
        Some(match high / low {
            _ if low.is_infinite() => Lower::Never,
            _ if high <= 0.0 => Lower::Always,
            factor if factor <= 1.0 + 1e-9 => Lower::Equal,
            factor if factor.is_finite() => Lower::By(first, factor),
            _ if low <= 0.0 => Lower::Zero(first),
            _ => Lower::Only(first),
        })
    }
}

/// Which of two thresholds α* is the lower one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Lower {
    /// This one's, by this factor.
    By(&'static Paradigm, f64),
    /// This one's, which is 0.
    Zero(&'static Paradigm),
    /// This one's: no α passes the other.
    Only(&'static Paradigm),
    Equal,
    /// Both are 0.
    Always,
    /// Neither has a threshold, as k > k₀.
    Never,
}

impl Lower {
    /// In a table: whose it is, and by what factor.
    pub(crate) fn text(self) -> String {
        match self {
            Self::By(paradigm, factor) => format!("{paradigm} ({})", digits(factor, 3)),
            Self::Zero(paradigm) => format!("{paradigm} (it is 0)"),
            Self::Only(paradigm) => format!("{paradigm} (the other: never)"),
            Self::Equal => "equal".to_owned(),
            Self::Always => "both 0".to_owned(),
            Self::Never => "no threshold (k > k₀)".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use eigensweep_theory::paradigms::{JOINT_EMBEDDING, RECONSTRUCTION};

    use super::*;

    const RIVALS: [&Paradigm; 2] = [&JOINT_EMBEDDING, &RECONSTRUCTION];

    /// α² = 1 against these thresholds on it.
    fn cell(values: [f64; 2], thresholds: [f64; 2], error: f64) -> Cell {
        let stats = [0, 1].map(|at| {
            let above = Some(if thresholds[at] < 1.0 { 1.0 } else { 0.0 });
            let threshold = Some([thresholds[at]; 3]);
            (at, Stats { mean: Some(values[at]), above, threshold, ..Stats::default() })
        });
        let mean = (values[0] - values[1]).abs();
        Cell::new(&RIVALS, false, &stats, |_, _| Some(Pair { mean, error: Some(error), count: None }))
    }

    #[test]
    fn nobody_wins_where_neither_recovers() {
        assert_eq!(cell([0.400, 0.421], [4.0, 9.0], 1e-3).outcome, Outcome::NoneRecovers);
        assert_eq!(cell([0.400, 0.421], [0.5, 9.0], 1e-3).outcome, Outcome::Better(&JOINT_EMBEDDING));
        assert_eq!(cell([0.421, 0.400], [4.0, 0.5], 1e-3).outcome, Outcome::Better(&RECONSTRUCTION));
        assert_eq!(cell([0.400, 0.421], [0.5, 0.5], 1e-1).outcome, Outcome::Unclear);
    }

    /// They are counted apart: recovery is by leakage, and the distance may fall to 0 there.
    #[test]
    fn nobody_wins_where_there_is_no_threshold() {
        assert_eq!(cell([0.400, 0.421], [f64::INFINITY; 2], 1e-3).outcome, Outcome::NoThreshold);
        assert_eq!(cell([0.400, 0.421], [4.0, f64::INFINITY], 1e-3).outcome, Outcome::NoneRecovers);
    }

    #[test]
    fn half_of_the_replicates_make_a_recovery() {
        let outcome = |share: f64| {
            let stats = [0, 1].map(|at| {
                let above = Some(if at == 0 { share } else { 0.0 });
                (at, Stats { mean: Some(0.1 * at as f64), above, ..Stats::default() })
            });
            Cell::new(&RIVALS, false, &stats, |_, _| Some(Pair { mean: 0.1, error: None, count: None }))
                .outcome
        };
        assert_eq!(outcome(0.5), Outcome::Better(&JOINT_EMBEDDING));
        assert_eq!(outcome(0.49), Outcome::NoneRecovers);
    }

    #[test]
    fn the_lower_threshold_has_a_factor() {
        let lower = |thresholds| cell([0.1, 0.2], thresholds, 0.0).lower();
        assert_eq!(lower([4.0, 36.0]), Some(Lower::By(&JOINT_EMBEDDING, 3.0)));
        assert_eq!(lower([4.0, -1.0]), Some(Lower::Zero(&RECONSTRUCTION)));
        assert_eq!(lower([4.0, f64::INFINITY]), Some(Lower::Only(&JOINT_EMBEDDING)));
        assert_eq!(lower([f64::INFINITY; 2]), Some(Lower::Never));
        assert_eq!(lower([-1.0, -2.0]), Some(Lower::Always));
        assert_eq!(lower([2.0, 2.0]), Some(Lower::Equal));
    }
}
