//! What is to be drawn.

use super::scale::Spacing;

/// The figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Distance against n, a curve per alignment: Figure 3 of the paper
    #[default]
    LearningCurves,
    /// A metric over two axes per paradigm, which paradigm wins, and the theoretical thresholds
    Phase,
    /// Measured against theoretical alignment thresholds
    Threshold,
    /// Generalized eigenvalues of signal and noise components, and the gap after the k-th
    Spectrum,
}

impl Kind {
    /// The name on the command line and in file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LearningCurves => "learning-curves",
            Self::Phase => "phase",
            Self::Threshold => "threshold",
            Self::Spectrum => "spectrum",
        }
    }
}

/// What a curve and its band show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Band {
    /// Mean over replicates, and its 95 % interval (1.96 standard errors)
    #[default]
    Mean,
    /// Median over replicates, and the quantiles at 5 % and 95 %
    Quantiles,
    /// Mean only
    None,
}

/// A figure to be drawn; every field has a default that suits the rows.
///
/// | field | learning-curves | phase | threshold | spectrum |
/// |---|---|---|---|---|
/// | `x` | axis, else `samples` | axis, else `noise_scale` | – | – |
/// | `y` | metric, else `distance` | axis, else `alignment` | – | – |
/// | `color` | axis, else `alignment` | metric, else `distance` | axis, else `samples` | – |
/// | `facet` | columns, rows: else `paradigm` and what else varies | rows: else what else varies | columns, rows | – |
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FigureSpec {
    /// Which figure.
    pub kind: Kind,
    /// What runs to the right.
    pub x: Option<String>,
    /// What runs upwards.
    pub y: Option<String>,
    /// What colours tell apart.
    pub color: Option<String>,
    /// What panels tell apart: columns, then rows.
    pub facet: Vec<String>,
    /// A SQL condition on the rows.
    pub filter: Option<String>,
    /// What a curve and its band show.
    pub band: Band,
    /// Spacing of the horizontal axis; else by its values.
    pub x_spacing: Option<Spacing>,
    /// Spacing of the vertical axis; else by its values.
    pub y_spacing: Option<Spacing>,
    /// Title; else the data set's name. Empty for none.
    pub title: Option<String>,
}

impl FigureSpec {
    /// The figure with all defaults.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, ..Self::default() }
    }
}
