//! Stages: random maps of a sample that act on moments, and the algebra that they form.
//!
//! A view is a chain of stages. A stage T is *quadratic* where `E[T(v)|v] = Āv + b̄` and
//! `E[T(v)T(v)ᵀ|v]` is a polynomial of degree 2 in v: then the moments after it are functions of
//! the moments before it, whatever the data, and no sample is touched. Quadratic stages are closed
//! under composition, choice and dose. [`State`] is what a chain carries; a kind of stages is a
//! file here and a line in [`KINDS`].
//!
//! | module | is about |
//! |---|---|
//! | [`state`] | the moments (μ, C, G, S, B), and how a stage is pushed through them |
//! | [`combine`] | chain, choice and dose: stages made of stages |
//! | [`evaluation`] | a chain as it is evaluated: what must see the samples, and the closed rest |
//! | [`Map`] | a fixed map without a closed form, such as a [feature](crate::features) |
//! | the others | a kind each |
//!
//! Source: `views.md` of this project's specification, sections 1 to 5; Theorem 1 there says which
//! stages are quadratic.

mod additive;
mod blur;
mod brightness;
mod clip;
mod clipped_gaussian;
pub mod combine;
mod contrast;
mod counts;
mod crop;
mod dropout;
mod elementwise;
pub mod evaluation;
mod factors;
mod flip;
mod illumination;
mod impulse;
mod linear;
mod map;
mod mask;
mod multiplicative;
mod operator;
mod overlay;
mod patches;
mod pixelate;
mod poisson;
mod rotate;
mod scale;
mod scratch;
mod separable;
mod shift;
mod spec;
pub mod state;
mod thinning;
mod tiles;
mod zoom;
mod zoom_blur;

use std::fmt;

use faer::Mat;
use rand::Rng;

pub use additive::{ADDITIVE, residual};
pub use blur::BLUR;
pub use brightness::BRIGHTNESS;
pub use clip::CLIP;
pub use clipped_gaussian::CLIPPED_GAUSSIAN;
pub use combine::{CHOICE, Chain, Choice, Dose, SOMETIMES, STRENGTH};
pub use contrast::CONTRAST;
pub use crop::CROP;
pub use dropout::DROPOUT;
pub use elementwise::ELEMENTWISE;
pub use evaluation::{RowMoments, Views};
pub use flip::FLIP;
pub use illumination::ILLUMINATION;
pub use impulse::IMPULSE;
pub use linear::{LINEAR, linear};
pub use map::{Map, Mapped};
pub use multiplicative::MULTIPLICATIVE;
pub use overlay::OVERLAY;
pub use patches::PATCHES;
pub use pixelate::PIXELATE;
pub use poisson::POISSON;
pub use rotate::ROTATE;
pub use scale::SCALE;
pub use scratch::Scratch;
pub use shift::SHIFT;
pub use spec::{Bounds, Dosing, Fault, Key, Severities, Spec, Takes, Unless, Value, build_all};
pub(crate) use spec::{default_number, whole};
pub use state::State;
pub use thinning::THINNING;
pub use zoom::ZOOM;
pub use zoom_blur::ZOOM_BLUR;

/// All kinds of stages, in the order of the documentation.
pub static KINDS: [&Kind; 27] = [
    &ADDITIVE,
    &BRIGHTNESS,
    &ILLUMINATION,
    &MULTIPLICATIVE,
    &POISSON,
    &THINNING,
    &IMPULSE,
    &DROPOUT,
    &PATCHES,
    &OVERLAY,
    &SHIFT,
    &FLIP,
    &CROP,
    &ROTATE,
    &ZOOM,
    &ZOOM_BLUR,
    &BLUR,
    &PIXELATE,
    &CONTRAST,
    &SCALE,
    &LINEAR,
    &CLIPPED_GAUSSIAN,
    &ELEMENTWISE,
    &CLIP,
    &CHOICE,
    &SOMETIMES,
    &STRENGTH,
];

/// A random map of a sample (d) to a sample, drawn independently of everything but its input.
pub trait Stage: fmt::Debug + Send + Sync {
    /// Features that come out, of d that go in.
    fn features(&self, before: usize) -> usize {
        before
    }

    /// `M ← Ā M + b̄ wᵀ`: what is left of the stage where its draw meets what does not share it.
    ///
    /// `moment` is M = mean E\[v\] zᵀ (d × m) for any z, `weights` w = mean z (m).
    fn mean(&self, moment: &mut Mat<f64>, weights: &[f64], scratch: &mut Scratch);

    /// `S ← mean E[T(v)T(v)ᵀ]`: where both factors share the draw.
    ///
    /// `second` is S = mean E\[vvᵀ\] (d × d, both triangles), `mean` μ = mean E\[v\] (d).
    fn second(&self, second: &mut Mat<f64>, mean: &[f64], scratch: &mut Scratch);

    /// One draw of T at `values` (d), in their place.
    fn draw(&self, values: &mut Vec<f64>, rng: &mut dyn Rng);

    /// What values come out, of such values.
    ///
    /// # Errors
    ///
    /// What must go in, where a draw at such values is impossible: the closed form would compute a
    /// formal answer.
    fn domain(&self, before: Domain) -> Result<Domain, Domain>;

    /// What its moments are computed from.
    fn tier(&self) -> Tier {
        Tier::Moments
    }

    /// Whether it draws nothing: such a corruption has no randomness that views could repeat.
    fn is_fixed(&self) -> bool {
        false
    }

    /// Adds the outcomes of one coordinate at a value, each with its probability, to `outcomes`;
    /// returns false where coordinates are not independent and alike, or the law is not discrete.
    fn law(&self, value: f64, outcomes: &mut Vec<(f64, f64)>) -> bool {
        let _ = (value, outcomes);
        false
    }

    /// Mean and variance of one coordinate at a value, where coordinates are independent and alike;
    /// of the [law](Self::law) unless a stage knows better.
    fn entry(&self, value: f64) -> Option<[f64; 2]> {
        let mut outcomes = Vec::new();
        self.law(value, &mut outcomes).then(|| mixture(&outcomes, |value| Some([value, 0.0])))?
    }

    /// Tells a stage that fills with the mean of what comes in what that is (d). Its draws and
    /// moments are NaN before.
    fn settle(&mut self, mean: &[f64], scratch: &mut Scratch) {
        let _ = (mean, scratch);
    }

    /// Whether it must be told.
    fn needs_mean(&self) -> bool {
        false
    }

    /// Tells a stage that multiplies each sample by a factor of its own the factor of the next one.
    fn scale_next(&mut self, scale: f64) {
        let _ = scale;
    }

    /// A stage that draws nothing and is faster at many samples than at one, as what it is.
    fn as_map(&self) -> Option<&dyn Map> {
        None
    }
}

/// What a stage without a closed form makes of moments: nobody can take it for a result.
pub(crate) fn no_closed_form(moment: &mut Mat<f64>) {
    moment.fill(f64::NAN);
}

/// Mean and variance of a mixture: of `[mean, variance]` at each outcome, with its probability.
fn mixture(outcomes: &[(f64, f64)], at: impl Fn(f64) -> Option<[f64; 2]>) -> Option<[f64; 2]> {
    let parts: Vec<_> =
        outcomes.iter().map(|&(value, share)| Some((at(value)?, share))).collect::<Option<_>>()?;
    let mean: f64 = parts.iter().map(|([mean, _], share)| share * mean).sum();
    let square = |x: f64| x * x;
    let variance = parts.iter().map(|([own, variance], share)| share * (variance + square(own - mean))).sum();
    Some([mean, variance])
}

/// What the moments of a stage are computed from, the cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Exact in moments: no sample is touched.
    Moments,
    /// Exact a sample: mean and variance of each entry, one pass over the data and no draw; in the
    /// first place of a chain only.
    Entries,
    /// Sampled: so many views of each sample.
    Sampled,
}

impl Tier {
    /// All tiers.
    pub const ALL: [Self; 3] = [Self::Moments, Self::Entries, Self::Sampled];

    /// The tier in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Moments => "exact in moments",
            Self::Entries => "exact a sample",
            Self::Sampled => "sampled",
        }
    }
}

/// Which values a sample has: each includes those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Domain {
    /// Real numbers.
    Real,
    /// From 0.
    NotNegative,
    /// Whole numbers from 0.
    Counts,
}

impl Domain {
    /// Which values these are.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let all = |holds: fn(&f64) -> bool| values.iter().all(holds);
        if !all(|x| *x >= 0.0) {
            return Self::Real;
        }
        if all(|x| x.fract() == 0.0) { Self::Counts } else { Self::NotNegative }
    }

    /// The values in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Real => "real numbers",
            Self::NotNegative => "values from 0",
            Self::Counts => "counts",
        }
    }
}

/// The shape of a sample: d = channels · rows · columns features, channel by channel, row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Channels, at least 1.
    pub channels: usize,
    /// Rows of a channel, at least 1.
    pub rows: usize,
    /// Columns of a channel, at least 1.
    pub columns: usize,
}

impl Shape {
    /// One row of features.
    #[must_use]
    pub fn features(features: usize) -> Self {
        Self { channels: 1, rows: 1, columns: features }
    }

    /// d.
    #[must_use]
    pub fn size(self) -> usize {
        self.channels * self.rows * self.columns
    }
}

/// Builds a stage for samples of a shape.
pub type Build = fn(&Spec, Shape) -> Result<Box<dyn Stage>, Fault>;

/// The values of keys at a severity from 1 to 5, for samples of a shape.
pub type Severity = fn(Severities, usize, Shape) -> Vec<(&'static str, Value)>;

/// A kind of stages.
pub struct Kind {
    /// The name in job files.
    pub name: &'static str,
    /// What it does, in a line, for the documentation.
    pub help: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
    /// Builds a stage of values that its keys take; what is wrong between them, and with the shape,
    /// is its to find.
    pub build: Build,
    /// The values of its keys at a severity from 1 to 5; `None` where it has no severities.
    pub severity: Option<Severity>,
}

/// The kind of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

told_by_name!(Kind);
