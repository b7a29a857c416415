//! The limit n = ∞ for any covariances: from which alignment on a representation holds no more
//! noise than it must.
//!
//! [Propositions 4.3 and 4.4](crate::thresholds) need data, Γ and Θ diagonal in one basis. In
//! general eigenvalues do not cross, recovery is gradual, and some noise may be unavoidable: no map
//! of k dimensions leaks less than `L_min = 1 − mean of the k largest eigenvalues of (C₀, C₀ + Γ)`.
//! So the threshold is where the *excess* leakage `L(α) − L_min` falls below a tolerance, 1/(2k)
//! unless another is given: half of a component. Where Γ vanishes on the signal and k ≤ k₀, L_min
//! is 0 and this is the threshold of the propositions.
//!
//! Roots are found by ITP: I. F. D. Oliveira and R. H. C. Takahashi, *An enhancement of the
//! bisection method average performance preserving minmax optimality*, ACM Transactions on
//! Mathematical Software 47 (2020), article 5. It takes at most one step more than bisection, as it
//! does where eigenvalues cross, and half as many or fewer where recovery is gradual.
//!
//! Source: section 2.1 of this project's specification of statistics.

use eigensweep_spectral::Failure;
use eigensweep_spectral::dense::{factor_pivoted, gram_lower};
use eigensweep_spectral::lanes::InstructionSet;
use faer::{Accum, Mat, MatRef};

use crate::Paradigm;
use crate::closed_forms::ClosedForms;
use crate::leakage::{CleanMoment, Leakage, Population};
use crate::moments::Moments;

/// Second moments of a population and its views at some alignment (d × d each).
#[derive(Clone, Debug)]
pub struct Views {
    /// G, of the mean views.
    pub mean_views: Mat<f64>,
    /// S, of the views.
    pub views: Mat<f64>,
    /// C, of inputs and views.
    pub cross: Mat<f64>,
    /// What S is known to be off by
    /// ([`with_rounding`](crate::closed_forms::Problem::with_rounding)); 0 if nothing is.
    pub rounding: f64,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sought {
    /// The excess leakage below which a representation has got rid of the noise.
    pub tolerance: f64,
    /// The largest α there is: 1 where it is a probability, else infinite.
    pub most: f64,
    /// Whether the width of the transition is wanted, too.
    pub width: bool,
}

impl Sought {
    /// Of representations of dimension k: half of a component, with the width.
    #[must_use]
    pub fn of(dimension: usize) -> Self {
        Self { tolerance: 0.5 / dimension as f64, most: f64::INFINITY, width: true }
    }
}

/// A population whose limits are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Covariances<'a> {
    /// C₀ (d × d), of the clean inputs; may be singular.
    pub clean: MatRef<'a, f64>,
    /// Γ (d × d), of the irrelevant features.
    pub noise: MatRef<'a, f64>,
    /// What C₀ + Γ is known to be off by
    /// ([`with_rounding`](crate::closed_forms::Problem::with_rounding)); 0 if nothing is.
    pub rounding: f64,
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
        /// quarters; 0 where eigenvalues cross, infinite where one of them is not reached, NaN
        /// where it was not asked for.
        width: f64,
    },
    /// At no α up to the largest.
    Never,
}

/// Search range of α, in units of the α at which views are as strong in the noise as in all at α = 0.
const RANGE: [f64; 2] = [1e-3, 1e4];

/// Width of log α at which a bracket is an answer.
const PRECISION: f64 = 1e-8;

/// Excess leakage below this is rounding.
const LEAST: f64 = 1e-15;

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
        let Covariances { clean, noise, .. } = covariances;
        let size = clean.nrows();
        assert!(clean.ncols() == size && noise.nrows() == size && noise.ncols() == size, "d × d");
        let inputs = clean + noise;
        let mut forms = ClosedForms::on(instruction_set, size, 0);
        let shares = noise_shares(&mut forms, covariances, inputs.as_ref())?;
        let kept = shares.len().checked_sub(dimension).and_then(|others| shares.get(others..));
        let kept = kept.ok_or(Failure::DimensionAboveRank { rank: shares.len() })?;
        let least = (kept.iter().sum::<f64>() / dimension as f64).clamp(0.0, 1.0);
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
    /// Those of the paradigm, and [`Failure::DimensionAboveRank`]; [`Failure::NotFinite`] if
    /// leakage is no number.
    pub fn excess(&mut self, paradigm: &Paradigm, views: &Views) -> Result<f64, Failure> {
        let Views { mean_views, views, cross, rounding } = views;
        let given = Moments::unlabelled(mean_views.as_ref(), views.as_ref(), cross.as_ref());
        let mut problem = self.forms.problem(given).with_rounding(*rounding);
        let Some(encoder) = problem.solve(paradigm)?.encoder() else { return Ok(0.0) };
        let basis = encoder.leading(self.dimension)?;
        let (inputs, noise) = (self.inputs.as_ref(), self.covariances.noise);
        let population = Population { clean: CleanMoment::Mixed { inputs, noise }, gamma: &[] };
        let excess = self.leakage.of(basis, population) - self.least;
        if excess.is_nan() { Err(Failure::NotFinite) } else { Ok(excess) }
    }

    /// The limit of a paradigm as the excess leakage falls below a tolerance, of views that `at`
    /// gives for an α.
    ///
    /// α is looked for to 10⁻⁸ of log α, from 10⁻³ to 10⁴ times the α at which views are as strong
    /// in the noise as they are in all at α = 0.
    ///
    /// # Errors
    ///
    /// Those of [`excess`](Self::excess) and of `at`.
    pub fn find<E: From<Failure>>(
        &mut self,
        paradigm: &Paradigm,
        sought: Sought,
        mut at: impl FnMut(f64) -> Result<Views, E>,
    ) -> Result<Limit, E> {
        let Sought { tolerance, most, width } = sought;
        let [much, little] = [0.75, 0.25].map(|part| part / self.dimension as f64);
        let none = at(0.0)?;
        let without = self.excess(paradigm, &none)?;
        if without < tolerance {
            return Ok(Limit::Always);
        }
        let scale = (trace(none.views.as_ref()) / trace(self.covariances.noise)).sqrt();
        drop(none);
        let [low, high] = RANGE.map(|end| end * scale);
        let ends = [low.min(RANGE[0] * most), high.min(most)].map(libm::log);
        let mut excess = |log: f64| Ok::<_, E>(self.excess(paradigm, &at(libm::exp(log))?)?);
        let within = excess(ends[1])?;
        if within >= tolerance {
            return Ok(Limit::Never);
        }
        let mut known = vec![(ends[0], without), (ends[1], within)];
        let log_alpha = root(&mut known, tolerance, &mut excess)?;
        let width = match (width, without >= much && within < little) {
            (false, _) => f64::NAN,
            (true, false) => f64::INFINITY,
            (true, true) => root(&mut known, little, &mut excess)? - root(&mut known, much, &mut excess)?,
        };
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
        sought: Sought,
        theta: MatRef<'_, f64>,
    ) -> Result<Limit, Failure> {
        let (inputs, noise) = (self.inputs.clone(), self.covariances.noise);
        self.find(paradigm, sought, |alpha| {
            let views = Mat::from_fn(inputs.nrows(), inputs.ncols(), |i, j| {
                inputs[(i, j)] + theta[(i, j)] + alpha * alpha * noise[(i, j)]
            });
            Ok(Views { mean_views: inputs.clone(), views, cross: inputs.clone(), rounding: 0.0 })
        })
    }
}

/// The noise's share of each direction's variance: eigenvalues of (Γ, C₀ + Γ) on the range of C₀ +
/// Γ, descending.
///
/// With Γ = F Fᵀ those that are not zero are eigenvalues of `Fᵀ (C₀ + Γ)⁻¹ F`, which is as small as
/// the rank of Γ: what noise does not touch has a share of zero, and no rounding of one minus one.
fn noise_shares(
    forms: &mut ClosedForms,
    Covariances { clean, noise, rounding }: Covariances<'_>,
    inputs: MatRef<'_, f64>,
) -> Result<Vec<f64>, Failure> {
    let size = inputs.nrows();
    forms.forget();
    forms.root.rounding = rounding;
    let rank = forms.factor(&Moments::unlabelled(clean, inputs, clean), 0.0)?;
    let mut factor = Mat::zeros(size, size);
    let mut remaining = vec![0.0; size];
    let tolerance = size as f64 * f64::EPSILON;
    let isa = forms.instruction_set;
    let count = factor_pivoted(isa, noise, tolerance, size, factor.as_mut(), &mut remaining)?;
    let mut reduced = Mat::zeros(rank, count);
    forms.root.reduce_left(factor.as_ref().subcols(0, count), reduced.as_mut());
    let mut form = Mat::zeros(count, count);
    gram_lower(isa, form.as_mut(), Accum::Replace, reduced.transpose().to_owned().as_ref());
    let (mut shares, mut vectors) = (vec![0.0; count], Mat::zeros(count, count));
    forms.eigensolver.solve(form.as_ref(), &mut shares, vectors.as_mut())?;
    // More directions than S has are of rounding.
    shares.resize(rank, 0.0);
    Ok(shares)
}

/// tr M.
fn trace(matrix: MatRef<'_, f64>) -> f64 {
    (0..matrix.nrows()).map(|i| matrix[(i, i)]).sum()
}

/// The log α from which on the excess leakage is below a bound, by ITP with its usual constants, of
/// the logarithm of the excess: where recovery is gradual, that is nearly a straight line.
///
/// `known` are log α and excess, ascending: not below the bound at the first, below it at the last.
/// What is computed is added.
fn root<E>(
    known: &mut Vec<(f64, f64)>,
    bound: f64,
    excess: &mut impl FnMut(f64) -> Result<f64, E>,
) -> Result<f64, E> {
    let height = |excess: f64| libm::log(excess.max(LEAST) / bound);
    // From here on all are below; the first is not, whatever rounding says.
    let mut place = known.iter().rposition(|&(_, excess)| excess >= bound).unwrap_or(0);
    let apart = |known: &[(f64, f64)], place: usize| known[place + 1].0 - known[place].0;
    let whole = apart(known, place);
    // Half of the interval that bisection would have left, with one step to spare.
    let mut radius = PRECISION;
    while radius < whole {
        radius *= 2.0;
    }
    while apart(known, place) > PRECISION {
        let ((low, above), (high, below)) = (known[place], known[place + 1]);
        let middle = 0.5 * (low + high);
        let (above, below) = (height(above), height(below));
        let secant = (above * high - below * low) / (above - below);
        // Towards the middle by so much, and within what bisection would still reach.
        let step = 0.2 / whole * (high - low) * (high - low);
        let toward = (middle - secant).signum();
        let truncated = if step <= (middle - secant).abs() { secant + toward * step } else { middle };
        let reach = (radius - 0.5 * (high - low)).max(0.0);
        let next = if (truncated - middle).abs() <= reach { truncated } else { middle - toward * reach };
        let next = if next > low && next < high { next } else { middle };
        let found = excess(next)?;
        known.insert(place + 1, (next, found));
        place += usize::from(found >= bound);
        radius *= 0.5;
    }
    Ok(0.5 * (known[place].0 + known[place + 1].0))
}
