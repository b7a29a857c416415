//! The limit n = ∞ for any covariances: from which alignment on a representation holds no more noise
//! than it must.
//!
//! [Propositions 4.3 and 4.4](crate::thresholds) need data, Γ and Θ diagonal in one basis. In general
//! eigenvalues do not cross, recovery is gradual, and some noise may be unavoidable: no map of k
//! dimensions leaks less than `L_min = 1 − mean of the k largest eigenvalues of (C₀, C₀ + Γ)`. So the
//! threshold is where the *excess* leakage `L(α) − L_min` falls below a tolerance, 1/(2k) unless
//! another is given: half of a component. Where Γ vanishes on the signal and k ≤ k₀, L_min is 0 and
//! this is the threshold of the propositions.
//!
//! Source: section 2.1 of this project's specification of statistics.

use faer::{Mat, MatRef};

use eigensweep_spectral::Failure;
use eigensweep_spectral::lanes::InstructionSet;

use crate::Paradigm;
use crate::closed_forms::ClosedForms;
use crate::leakage::{CleanMoment, Leakage, Population};
use crate::moments::Moments;
use crate::paradigms::JOINT_EMBEDDING;

/// Second moments of a population and its views at some alignment (d × d each).
#[derive(Clone, Debug)]
pub struct Views {
    /// G, of the mean views.
    pub mean_views: Mat<f64>,
    /// S, of the views.
    pub views: Mat<f64>,
    /// C, of inputs and views.
    pub cross: Mat<f64>,
}

/// A population whose limits are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Covariances<'a> {
    /// C₀ (d × d), of the clean inputs; may be singular.
    pub clean: MatRef<'a, f64>,
    /// Γ (d × d), of the irrelevant features.
    pub noise: MatRef<'a, f64>,
}

/// Where a paradigm's representation gets rid of the noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// At every α.
    Always,
    /// From α on.
    At {
        /// α*.
        alpha: f64,
        /// How gradual it is: log α at a quarter of a component in excess, minus log α at three
        /// quarters; about 0 where eigenvalues cross, infinite where one of them is not reached.
        width: f64,
    },
    /// At no α up to the largest.
    Never,
}

/// Search range of α, times `scale`.
const RANGE: [f64; 2] = [1e-3, 1e4];

/// Width of log α at which a bracket is an answer.
const PRECISION: f64 = 1e-8;

/// Workspace for limits of one population.
pub struct Limits<'a> {
    covariances: Covariances<'a>,
    inputs: Mat<f64>,
    forms: ClosedForms,
    leakage: Leakage,
    dimension: usize,
    least: f64,
}

impl std::fmt::Debug for Limits<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dimension, least, .. } = self;
        write!(f, "Limits {{ dimension: {dimension}, least: {least} }}")
    }
}

impl<'a> Limits<'a> {
    /// Of representations of dimension k.
    ///
    /// # Errors
    ///
    /// [`Failure::DimensionAboveRank`] if inputs have fewer directions; [`Failure::NotFinite`],
    /// [`Failure::NotPositiveDefinite`] if C₀ + Γ is no second moment, [`Failure::NoConvergence`].
    ///
    /// # Panics
    ///
    /// If the covariances are not square and of one size.
    pub fn new(
        instruction_set: InstructionSet,
        covariances: Covariances<'a>,
        dimension: usize,
    ) -> Result<Self, Failure> {
        let Covariances { clean, noise } = covariances;
        let size = clean.nrows();
        assert!(clean.ncols() == size && noise.nrows() == size && noise.ncols() == size, "d × d");
        let inputs = clean + noise;
        let mut forms = ClosedForms::on(instruction_set, size, 0);
        // The pencil (C₀, C₀ + Γ) is joint-embedding's of views that have the noise for theirs.
        let least = {
            let mut problem = forms.problem(moments(clean, inputs.as_ref(), clean));
            let solved = problem.solve(&JOINT_EMBEDDING)?;
            let values = solved.encoder().map_or(&[][..], |encoder| encoder.spectrum.values);
            let kept = values.get(..dimension).ok_or(Failure::DimensionAboveRank { rank: values.len() })?;
            1.0 - kept.iter().sum::<f64>() / dimension as f64
        };
        let leakage = Leakage::new(instruction_set, size, 0);
        Ok(Self { covariances, inputs, forms, leakage, dimension, least })
    }

    /// L_min, the least leakage that any linear map to k dimensions has.
    #[must_use]
    pub fn least(&self) -> f64 {
        self.least
    }

    /// C₀ + Γ.
    #[must_use]
    pub fn inputs(&self) -> MatRef<'_, f64> {
        self.inputs.as_ref()
    }

    /// Excess leakage L(α) − L_min of a paradigm's representation, of views with these moments.
    ///
    /// # Errors
    ///
    /// Those of the paradigm, and [`Failure::DimensionAboveRank`].
    pub fn excess(&mut self, paradigm: &Paradigm, views: &Views) -> Result<f64, Failure> {
        let Views { mean_views, views, cross } = views;
        let given = Moments {
            cross: cross.as_ref(),
            ..moments(mean_views.as_ref(), views.as_ref(), mean_views.as_ref())
        };
        let mut problem = self.forms.problem(given);
        let Some(encoder) = problem.solve(paradigm)?.encoder() else { return Ok(0.0) };
        let basis = encoder.leading(self.dimension)?;
        let (inputs, noise) = (self.inputs.as_ref(), self.covariances.noise);
        let population = Population { clean: CleanMoment::Mixed { inputs, noise }, gamma: &[] };
        Ok(self.leakage.of(basis, population) - self.least)
    }

    /// The limit of a paradigm as the excess leakage falls below `tolerance`, of views that `at`
    /// gives for an α; α is looked for from 10⁻³ to 10⁴ times `scale`, by bisection of log α to 10⁻⁸.
    ///
    /// # Errors
    ///
    /// Those of [`excess`](Self::excess) and of `at`.
    pub fn find(
        &mut self,
        paradigm: &Paradigm,
        tolerance: f64,
        scale: f64,
        mut at: impl FnMut(f64) -> Result<Views, Failure>,
    ) -> Result<Limit, Failure> {
        let share = 1.0 / self.dimension as f64;
        let mut below = |alpha: f64, bound: f64| Ok(self.excess(paradigm, &at(alpha)?)? < bound);
        if below(0.0, tolerance)? {
            return Ok(Limit::Always);
        }
        let ends = RANGE.map(|end| libm::log(end * scale));
        if !below(libm::exp(ends[1]), tolerance)? {
            return Ok(Limit::Never);
        }
        let mut root = |bound: f64, [mut low, mut high]: [f64; 2]| {
            while high - low > PRECISION {
                let middle = 0.5 * (low + high);
                if below(libm::exp(middle), bound)? { high = middle } else { low = middle }
            }
            Ok::<_, Failure>(0.5 * (low + high))
        };
        let log_alpha = root(tolerance, ends)?;
        let (most, little) = (root(0.75 * share, ends)?, root(0.25 * share, ends)?);
        let reached = little < ends[1] - 2.0 * PRECISION && most > ends[0] + 2.0 * PRECISION;
        let width = if reached { little - most } else { f64::INFINITY };
        Ok(Limit::At { alpha: libm::exp(log_alpha), width })
    }

    /// The same of additive views of covariance Θ + α²Γ (Θ is d × d).
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub fn additive(
        &mut self,
        paradigm: &Paradigm,
        tolerance: f64,
        theta: MatRef<'_, f64>,
    ) -> Result<Limit, Failure> {
        let (inputs, noise) = (self.inputs.clone(), self.covariances.noise);
        // The α at which views are as strong in the noise as in all.
        let trace = |matrix: MatRef<'_, f64>| (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum::<f64>();
        let scale = ((trace(inputs.as_ref()) + trace(theta)) / trace(noise)).sqrt();
        self.find(paradigm, tolerance, scale, |alpha| {
            let views = Mat::from_fn(inputs.nrows(), inputs.ncols(), |i, j| {
                inputs[(i, j)] + theta[(i, j)] + alpha * alpha * noise[(i, j)]
            });
            Ok(Views { mean_views: inputs.clone(), views, cross: inputs.clone() })
        })
    }
}

/// Moments without labels, of which C and C̃ are the same.
fn moments<'m>(mean_views: MatRef<'m, f64>, views: MatRef<'m, f64>, cross: MatRef<'m, f64>) -> Moments<'m> {
    let none = cross.subcols(0, 0);
    Moments {
        mean_views,
        views,
        cross,
        view_labels: none,
        inputs: cross,
        input_labels: none,
        label_power: 0.0,
    }
}
