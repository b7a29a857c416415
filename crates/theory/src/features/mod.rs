//! Features: fixed maps of samples, fitted once on clean samples and applied to views, corrupted
//! samples and samples that are held out alike.
//!
//! ```text
//! sample ──▶ normalize, log1p ──▶ centre, scale, components ──▶ kind ──▶ features
//!            a factor a sample    linear: acts on moments        a map: drawn with the views
//! ```
//!
//! A view is drawn in input space, its features come after. What is linear is exact in moments; the
//! normalization of each sample by a factor of its own, and the logarithm, are [exact a
//! sample](crate::views::stages::Tier::Entries) behind views with independent coordinates; a
//! [`Map`] is [sampled](crate::views::stages::Tier::Sampled). A kind of features is a file here and
//! a line in [`KINDS`].
//!
//! | module | is about |
//! |---|---|
//! | [`normalize`] | the factor of each sample, and the logarithm |
//! | [`linear`] | centring, standardizing, principal components, whitening |
//! | the others | a kind each |
//!
//! Source: `views.md` of this project's specification, sections 8 and 9.

mod fourier;
mod identity;
pub mod linear;
pub mod normalize;
mod pca;
mod polynomial;
mod relu;
mod whitening;

use std::sync::Arc;

use eigensweep_spectral::dense::product;
use faer::{Accum, Mat, MatMut, MatRef};
use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::views::stages::{Bounds, Key, Map, Mapped, Stage, Takes, Unless, default_number, whole};
use crate::{Failure, InstructionSet};
pub use fourier::FOURIER;
pub use identity::IDENTITY;
pub use linear::{Linear, Principal};
pub use normalize::Normalize;
pub use pca::PCA;
pub use polynomial::POLYNOMIAL;
pub use relu::RELU;
pub use whitening::WHITENING;

/// All kinds, in the order of the documentation.
pub static KINDS: [&Kind; 6] = [&IDENTITY, &PCA, &WHITENING, &FOURIER, &RELU, &POLYNOMIAL];

/// A kind of features.
pub struct Kind {
    /// The name in job files.
    pub name: &'static str,
    /// What it does, in a line, for the documentation.
    pub help: &'static str,
    /// Its keys, each of which takes a number.
    pub keys: &'static [Key],
    /// What it makes of principal components.
    pub components: Components,
    /// The map at its end, if it is not linear.
    pub map: Option<MapKind>,
}

/// What a kind of features makes of principal components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Components {
    /// As many as are asked for; all features where none are.
    Optional,
    /// As many as must be asked for.
    Required,
    /// Scaled to unit variance: as many as are asked for, or all that have any variance.
    Whitened,
}

/// A kind of maps.
pub struct MapKind {
    /// Features that come out, of so many that go in.
    pub features: fn(&Recipe, usize) -> usize,
    /// Builds a map of samples with these moments.
    pub build: fn(&Recipe, &Moments, &mut dyn Rng) -> Arc<dyn Map>,
}

/// Features as a job file says them.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Whether means are taken off.
    pub center: bool,
    /// Whether features are divided by their standard deviations.
    pub standardize: bool,
    /// The kind.
    pub kind: &'static Kind,
    /// The values of its keys that are given; what is left out has its default.
    pub values: Vec<(&'static str, f64)>,
}

impl Recipe {
    /// The samples as they are.
    pub const IDENTITY: Self =
        Self { center: false, standardize: false, kind: &IDENTITY, values: Vec::new() };

    /// The number at a key of the kind, or its default; NaN where it has neither.
    #[must_use]
    pub fn number(&self, key: &str) -> f64 {
        if let Some((_, number)) = self.values.iter().find(|(name, _)| *name == key) {
            return *number;
        }
        default_number(self.kind.keys, key)
    }

    /// The number at a key of whole numbers.
    #[must_use]
    pub fn count(&self, key: &str) -> usize {
        whole(self.number(key))
    }

    /// Features that come out, of d that go in and of which so many components are kept; saturates.
    #[must_use]
    pub fn features(&self, before: usize, components: Option<usize>) -> usize {
        let linear = components.unwrap_or(before);
        self.kind.map.as_ref().map_or(linear, |map| (map.features)(self, linear))
    }
}

/// Moments of the samples that features are fitted on.
#[derive(Clone, Debug)]
pub struct Moments {
    /// mean x (d).
    pub mean: Vec<f64>,
    /// mean xxᵀ − mean x mean xᵀ (d × d), both triangles.
    pub covariance: Mat<f64>,
}

impl Moments {
    /// √(2 tr Cov): the root of the mean squared distance of two samples; 1 where all are the same.
    #[must_use]
    pub fn distance(&self) -> f64 {
        let trace: f64 = (0..self.mean.len()).map(|i| self.covariance[(i, i)]).sum();
        if trace > 0.0 { (2.0 * trace).sqrt() } else { 1.0 }
    }
}

/// Fitted features, but for the factor and the logarithm of each sample.
#[derive(Clone, Debug)]
pub struct Features {
    /// `None` where it changes nothing.
    linear: Option<Arc<Linear>>,
    map: Option<Arc<dyn Map>>,
}

impl Features {
    /// Features of samples with these principal components: the leading `components`, as many as
    /// the recipe's kind needs, or none if `None`.
    ///
    /// `rng` draws the weights of a map: a shorter list of random features is the beginning of a
    /// longer one, up to their common factor.
    ///
    /// # Errors
    ///
    /// [`Failure::DimensionAboveRank`] if components without variance would be scaled to unit
    /// variance.
    pub fn new(
        recipe: &Recipe,
        principal: &Principal,
        components: Option<usize>,
        rng: &mut dyn Rng,
    ) -> Result<Self, Failure> {
        let linear = principal.linear(recipe.kind.components == Components::Whitened, components)?;
        let map =
            recipe.kind.map.as_ref().map(|map| (map.build)(recipe, &principal.behind(linear.as_ref()), rng));
        Ok(Self { linear: linear.map(Arc::new), map })
    }

    /// The linear part; `None` where it changes nothing.
    #[must_use]
    pub fn linear(&self) -> Option<&Linear> {
        self.linear.as_deref()
    }

    /// Whether they act on moments.
    #[must_use]
    pub fn are_linear(&self) -> bool {
        self.map.is_none()
    }

    /// Features that come out, of d that go in.
    #[must_use]
    pub fn count(&self, before: usize) -> usize {
        self.maps().fold(before, |features, map| map.features(features))
    }

    fn maps(&self) -> impl Iterator<Item = Arc<dyn Map>> {
        let linear = self.linear.clone().map(|linear| linear as Arc<dyn Map>);
        linear.into_iter().chain(self.map.clone())
    }

    /// The features of each column of `samples` (d × m): d′ × m.
    #[must_use]
    pub fn of(&self, samples: Mat<f64>) -> Mat<f64> {
        self.maps().fold(samples, |mut samples, map| {
            let mut to = Mat::zeros(map.features(samples.nrows()), samples.ncols());
            map.apply(samples.as_mut(), to.as_mut());
            to
        })
    }

    /// The same as stages behind views.
    #[must_use]
    pub fn stages(&self) -> Vec<Box<dyn Stage>> {
        match (&self.linear, &self.map) {
            (Some(linear), None) => vec![linear.stage()],
            (_, _) => self.maps().map(|map| Box::new(Mapped(map)) as Box<dyn Stage>).collect(),
        }
    }
}

/// Random features `√(2/D) f(wᵀx + b)`: normal w, drawn before its b, one feature after another.
#[derive(Debug)]
struct RandomFeatures {
    /// A w in each row (D × d).
    weights: Mat<f64>,
    /// b (D).
    offsets: Vec<f64>,
    /// f.
    function: fn(f64) -> f64,
}

/// How many features are drawn.
const COUNT: Key = Key {
    name: "count",
    takes: Takes::Number(Bounds::SIZE),
    unless: Unless::Number(1000.0),
    help: "number of random features",
};

/// `bandwidth`, in units of the distance of two samples; `help` says what it is of.
const fn bandwidth(help: &'static str) -> Key {
    let (takes, unless) = (Takes::Number(Bounds::POSITIVE), Unless::Number(1.0));
    Key { name: "bandwidth", takes, unless, help }
}

impl RandomFeatures {
    /// As many as the recipe's `count`, of samples with these moments. `w ~ N(0, I/σ²)`, σ the
    /// recipe's `bandwidth` times their [distance](Moments::distance); `offset` draws b.
    fn draw(
        recipe: &Recipe,
        moments: &Moments,
        offset: impl Fn(&[f64], &mut dyn Rng) -> f64,
        function: fn(f64) -> f64,
        rng: &mut dyn Rng,
    ) -> Arc<dyn Map> {
        let (count, features) = (recipe.count("count"), moments.mean.len());
        let length = recipe.number("bandwidth") * moments.distance();
        let (mut weights, mut offsets) = (Mat::zeros(count, features), vec![0.0; count]);
        let mut row = vec![0.0; features];
        for (i, to) in offsets.iter_mut().enumerate() {
            row.fill_with(|| rng.sample::<f64, _>(StandardNormal) / length);
            *to = offset(&row, rng);
            weights.row_mut(i).iter_mut().zip(&row).for_each(|(to, weight)| *to = *weight);
        }
        Arc::new(Self { weights, offsets, function })
    }
}

impl Map for RandomFeatures {
    fn features(&self, _: usize) -> usize {
        self.offsets.len()
    }

    fn apply(&self, samples: MatMut<'_, f64>, mut to: MatMut<'_, f64>) {
        times(self.weights.as_ref(), samples.as_ref(), to.as_mut());
        let factor = (2.0 / self.offsets.len() as f64).sqrt();
        for column in to.col_iter_mut() {
            for (value, offset) in column.iter_mut().zip(&self.offsets) {
                *value = factor * (self.function)(*value + offset);
            }
        }
    }
}

/// `T ← L R`.
fn times(left: MatRef<'_, f64>, right: MatRef<'_, f64>, to: MatMut<'_, f64>) {
    product(InstructionSet::detect(), to, Accum::Replace, left, right);
}

/// The kind of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

told_by_name!(Kind);
