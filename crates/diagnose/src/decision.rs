//! What numbers say: the answer, what it rests on, and what would change it.

use std::fmt;

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
    },
}
