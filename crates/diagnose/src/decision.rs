//! What numbers say: the answer, what it rests on, and what would change it.

use crate::{CLOSE, Compared, Estimate, MARGIN, Probe};

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// Joint-embedding keeps more of the signal.
    JointEmbedding,
    /// Reconstruction keeps more of the signal.
    Reconstruction,
    /// Both learn the same subspace.
    Identical,
    /// The difference is too small to matter.
    TooClose,
    /// One keeps more of the signal, the other is the purer: it depends on what is wanted.
    ItDepends,
    /// The data do not tell.
    NotEnoughData,
}

impl Answer {
    /// All answers.
    pub const ALL: [Self; 6] = [
        Self::JointEmbedding,
        Self::Reconstruction,
        Self::Identical,
        Self::TooClose,
        Self::ItDepends,
        Self::NotEnoughData,
    ];

    /// The name in tables and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JointEmbedding => "joint-embedding",
            Self::Reconstruction => "reconstruction",
            Self::Identical => "identical",
            Self::TooClose => "too-close",
            Self::ItDepends => "it-depends",
            Self::NotEnoughData => "not-enough-data",
        }
    }

    /// Whether it recommends one of the two.
    #[must_use]
    pub fn is_confident(self) -> bool {
        matches!(self, Self::JointEmbedding | Self::Reconstruction)
    }
}

/// What the answer rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// Kept, which leakage does not contradict.
    Kept,
    /// The held-out probe of labels, where kept and leakage contradict one another.
    Labels,
    /// The number of pairs or batches: too few for an interval.
    Count,
    /// The subspaces, which are the same.
    Subspaces,
}

/// Something worth knowing beside the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// Either paradigm gains more from its best alignment than then lies between them.
    TuneAlignment {
        /// The smaller of the two gains in kept.
        gain: f64,
        /// |kept of one − kept of the other| at the best alignment of each.
        between: f64,
    },
    /// Labels are better predicted from a representation that the answer does not recommend.
    Labels {
        /// That paradigm.
        better: Answer,
        /// By how much its held-out loss is lower.
        less: Estimate,
    },
}

/// What would change the answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Another dimension.
    Dimension {
        /// k.
        dimension: usize,
        /// The answer at it.
        answer: Answer,
    },
    /// Another alignment.
    Alignment {
        /// α.
        alignment: f64,
        /// The answer at it.
        answer: Answer,
    },
    /// More pairs, if the difference stays what it is: about so many in all.
    Items {
        /// m.
        items: usize,
        /// The answer then.
        answer: Answer,
    },
    /// As many pairs as an interval needs.
    Interval {
        /// m.
        items: usize,
    },
}

/// What was measured at an alignment and a dimension.
#[derive(Clone, Copy)]
pub(crate) struct Measured<'m> {
    /// Whether both learn the same subspace in every fold.
    pub(crate) are_same: bool,
    pub(crate) kept: &'m Compared,
    pub(crate) leakage: &'m Compared,
    /// Of labels, where they were tried.
    pub(crate) probe: Option<&'m Probe>,
}

/// What that says, and what the answer rests on: the one rule of the answer, the curves and the
/// strip.
pub(crate) fn answer(measured: Measured<'_>) -> (Answer, DecidedBy) {
    let Measured { are_same, kept, leakage, probe } = measured;
    // Only too few items leave a difference without an interval; they may also span no more than k
    // directions, which both paradigms then learn.
    if kept.difference.half.is_none() {
        return (Answer::NotEnoughData, DecidedBy::Count);
    }
    if are_same {
        return (Answer::Identical, DecidedBy::Subspaces);
    }
    let found = combine(kept, leakage);
    match probe.and_then(by_labels).filter(|_| found == Answer::ItDepends) {
        Some(answer) => (answer, DecidedBy::Labels),
        None => (found, DecidedBy::Kept),
    }
}

/// What a difference says, joint-embedding less reconstruction, more being better.
fn decide(difference: &Estimate) -> Answer {
    let Some(half) = difference.half else { return Answer::NotEnoughData };
    let value = difference.value;
    if value - half > MARGIN {
        Answer::JointEmbedding
    } else if value + half < -MARGIN {
        Answer::Reconstruction
    } else if value.abs() + half <= CLOSE {
        Answer::TooClose
    } else {
        Answer::NotEnoughData
    }
}

/// What both say: kept, unless leakage decides the other way.
fn combine(kept: &Compared, leakage: &Compared) -> Answer {
    let purer = Estimate { value: -leakage.difference.value, ..leakage.difference };
    let (kept, purer) = (decide(&kept.difference), decide(&purer));
    if kept.is_confident() && purer.is_confident() && kept != purer { Answer::ItDepends } else { kept }
}

/// Whether the labels contradict an answer, or tell where it does not.
pub(crate) fn labels(probe: Option<&Probe>, answer: Answer) -> Option<Finding> {
    let probe = probe?;
    let better = by_labels(probe).filter(|better| *better != answer && answer != Answer::Identical)?;
    let Estimate { value, half } = probe.loss.difference;
    Some(Finding::Labels { better, less: Estimate { value: value.abs(), half } })
}

/// What the held-out loss of labels says, where its interval is clear of zero.
fn by_labels(probe: &Probe) -> Option<Answer> {
    let Estimate { value, half } = probe.loss.difference;
    match half {
        Some(half) if value + half < 0.0 => Some(Answer::JointEmbedding),
        Some(half) if value - half > 0.0 => Some(Answer::Reconstruction),
        Some(_) | None => None,
    }
}

/// About how many items would do for which answer, if the difference stays what it is.
pub(crate) fn items_needed(difference: &Estimate, items: usize) -> Option<Change> {
    let (size, half) = (difference.value.abs(), difference.half?);
    let (apart, close) = (size - MARGIN, CLOSE - size);
    let answer = match (apart >= close, difference.value > 0.0) {
        (false, _) => Answer::TooClose,
        (true, true) => Answer::JointEmbedding,
        (true, false) => Answer::Reconstruction,
    };
    // An interval shrinks with the root of the number; beyond a hundredfold nothing is known of it.
    let times = (half / apart.max(close)).powi(2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
    (times > 1.0 && times < 100.0)
        .then(|| Change::Items { items: (times * items as f64).ceil() as usize, answer })
}

#[cfg(test)]
mod tests {
    use super::{Answer, Change, DecidedBy, Measured, answer, combine, decide, items_needed};
    use crate::{Compared, Estimate, Probe};

    fn estimate(value: f64, half: f64) -> Estimate {
        Estimate { value, half: Some(half) }
    }

    #[test]
    fn a_difference_counts_from_its_margin_on() {
        let cases = [
            (0.10, 0.07, Answer::JointEmbedding),
            (-0.10, 0.07, Answer::Reconstruction),
            (0.10, 0.09, Answer::NotEnoughData),
            (0.01, 0.03, Answer::TooClose),
            (0.03, 0.03, Answer::NotEnoughData),
            (0.03, 0.015, Answer::TooClose),
        ];
        for (value, half, answer) in cases {
            assert_eq!(decide(&estimate(value, half)), answer, "{value} ± {half}");
        }
        assert_eq!(decide(&Estimate { value: 1.0, half: None }), Answer::NotEnoughData);
    }

    #[test]
    fn richer_against_purer_depends() {
        let of = |value: f64, half: f64| {
            let each = [estimate(0.0, 0.0); 2];
            Compared { each, difference: estimate(value, half) }
        };
        // Joint-embedding keeps more, and leaks less, more, or perhaps more.
        assert_eq!(combine(&of(0.3, 0.1), &of(-0.3, 0.1)), Answer::JointEmbedding);
        assert_eq!(combine(&of(0.3, 0.1), &of(0.3, 0.1)), Answer::ItDepends);
        assert_eq!(combine(&of(0.3, 0.1), &of(0.3, 0.4)), Answer::JointEmbedding);
        // Leakage alone recommends nothing.
        assert_eq!(combine(&of(0.0, 0.01), &of(0.3, 0.1)), Answer::TooClose);
    }

    #[test]
    fn the_number_of_items_comes_first_then_the_same_subspaces_and_labels_only_where_it_depends() {
        let of = |value: f64, half: Option<f64>| {
            let estimate = Estimate { value, half };
            Compared { each: [estimate; 2], difference: estimate }
        };
        let (kept, purer, few) = (of(0.3, Some(0.1)), of(0.3, Some(0.1)), of(0.3, None));
        let probe = Probe { loss: of(0.2, Some(0.1)), accuracy: None };
        let of = |are_same: bool, kept, leakage, probe| answer(Measured { are_same, kept, leakage, probe });
        assert_eq!(of(true, &few, &few, None), (Answer::NotEnoughData, DecidedBy::Count));
        assert_eq!(of(false, &few, &few, Some(&probe)), (Answer::NotEnoughData, DecidedBy::Count));
        assert_eq!(of(true, &kept, &purer, Some(&probe)), (Answer::Identical, DecidedBy::Subspaces));
        assert_eq!(of(false, &kept, &purer, None), (Answer::ItDepends, DecidedBy::Kept));
        assert_eq!(of(false, &kept, &purer, Some(&probe)), (Answer::Reconstruction, DecidedBy::Labels));
        assert_eq!(of(false, &kept, &few, Some(&probe)), (Answer::JointEmbedding, DecidedBy::Kept));
    }

    #[test]
    fn four_times_the_items_halve_an_interval() {
        let needed = |items, answer| Some(Change::Items { items, answer });
        assert_eq!(items_needed(&estimate(0.125, 0.21), 100), needed(400, Answer::JointEmbedding));
        assert_eq!(items_needed(&estimate(-0.125, 0.21), 100), needed(400, Answer::Reconstruction));
        assert_eq!(items_needed(&estimate(0.025, 0.05), 100), needed(400, Answer::TooClose));
        assert_eq!(items_needed(&estimate(0.12, 0.05), 100), None);
    }
}
