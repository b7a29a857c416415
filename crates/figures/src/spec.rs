//! What is to be drawn.

use crate::FigureError;
use crate::kinds::Kind;
use crate::scale::Spacing;

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
/// Each kind reads the fields that mean something for it ([`Kind::reads`]), and a figure with any
/// other is refused:
///
/// | field | learning-curves | phase | threshold | spectrum |
/// |---|---|---|---|---|
/// | `x` | axis, else `samples` | axis, else `noise_scale` | – | – |
/// | `y` | metric, else the first that the job has | axis, else `alignment` | – | – |
/// | `color` | axis, else `alignment` | metric, else the same | axis, else `samples` | – |
/// | `facet` | columns, rows | rows | columns, rows | columns |
/// | `band` | yes | – | – | – |
/// | `x_spacing`, `y_spacing` | both | both | `x_spacing`, for both axes | `y_spacing` |
///
/// `boundary` has an axis for `x` (else `samples`), one for `color`, columns (else the paradigms)
/// and rows for `facet`, and both spacings; `phase` of critical alignments no `y` but `alignment`,
/// no `color`, and columns and rows.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureSpec {
    /// Which figure.
    pub kind: &'static Kind,
    /// What runs to the right.
    pub x: Option<String>,
    /// What runs upwards.
    pub y: Option<String>,
    /// What colours tell apart.
    pub color: Option<String>,
    /// What panels tell apart: columns, then rows.
    pub facet: Vec<String>,
    /// A condition on the rows.
    pub filter: Option<String>,
    /// What a curve and its band show.
    pub band: Option<Band>,
    /// Spacing of the horizontal axis; else by its values.
    pub x_spacing: Option<Spacing>,
    /// Spacing of the vertical axis; else by its values.
    pub y_spacing: Option<Spacing>,
    /// Title; else the job's name. Empty for none.
    pub title: Option<String>,
}

impl FigureSpec {
    /// The figure with all defaults.
    #[must_use]
    pub fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            x: None,
            y: None,
            color: None,
            facet: Vec::new(),
            filter: None,
            band: None,
            x_spacing: None,
            y_spacing: None,
            title: None,
        }
    }

    /// Refuses what was asked for and means nothing for the kind.
    pub(crate) fn refuse_meaningless(&self) -> Result<(), FigureError> {
        let asked = [
            ("--x", self.x.is_some()),
            ("--y", self.y.is_some()),
            ("--color", self.color.is_some()),
            ("--facet", !self.facet.is_empty()),
            ("--band", self.band.is_some()),
            ("--x-scale", self.x_spacing.is_some()),
            ("--y-scale", self.y_spacing.is_some()),
        ];
        let Kind { name, reads, .. } = self.kind;
        match asked.iter().find(|(flag, asked)| *asked && !reads.contains(flag)) {
            None => Ok(()),
            Some((flag, _)) => Err(FigureError::Figure {
                reason: format!(
                    "{flag} means nothing for a figure of kind `{name}`, which has {}: leave it out",
                    reads.join(", ")
                ),
            }),
        }
    }
}
