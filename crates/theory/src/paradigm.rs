//! The three ways to learn a representation.

/// A learning paradigm with a closed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Paradigm {
    /// Predict the labels from the views (Lemma B.1).
    Supervised,
    /// Predict one view's latent from another's (Theorem 3.2).
    JointEmbedding,
    /// Predict the input from its view (Theorem 3.1).
    Reconstruction,
}

impl Paradigm {
    /// All paradigms, in the order in which rows are written.
    pub const ALL: [Self; 3] = [Self::Supervised, Self::JointEmbedding, Self::Reconstruction];

    /// The name in job files, columns and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Supervised => "supervised",
            Self::JointEmbedding => "joint-embedding",
            Self::Reconstruction => "reconstruction",
        }
    }
}

impl std::fmt::Display for Paradigm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
