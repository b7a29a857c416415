//! Moments of given inputs under corruption and views that are chains of stages.
//!
//! The corruption is taken in its population limit: one draw a sample, shared by the input and its
//! views. Targets of reconstruction are the inputs, corrupted so. Stages act on raw values:
//! centring comes last, and then the floor.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eigensweep_job::stages::{Filling, all};
use eigensweep_job::{JobProblems, StageSpec, ViewsFile};
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_theory::views::stages::{
    Chain, Domain, Fault, Scratch, Shape, Spec, Stage, State, Tier, Views, build_all,
};
use faer::{Mat, MatRef};

use super::{GivenError, GivenMoments, Matrix, centred, check, product};
use crate::EngineError;
use crate::samples::numbers_of;

/// m, views of each sample where a stage has no closed form.
pub const SAMPLED: usize = 8;

/// The seed that they are drawn with.
pub const SEED: u64 = 0;

/// Samples of a block where stages must see them.
const BLOCK_ROWS: usize = 256;

/// Corruption and views of given inputs, built and checked.
#[derive(Debug)]
pub struct StagedViews {
    corruption: Option<Chain>,
    views: Views,
    floor: f64,
    /// Each stage of the views with what its moments are computed from.
    stages: Vec<(String, Tier)>,
    features: usize,
}

impl StagedViews {
    /// The views of a file, for inputs X (n × d).
    ///
    /// Relative variances are multiples of the mean variance of the inputs.
    ///
    /// # Errors
    ///
    /// * [`EngineError::Job`]: problems of the file, where they stand in it: a shape or a stage
    ///   that does not fit the inputs, a stage that cannot be drawn at such values, a corruption
    ///   without a closed form.
    /// * [`EngineError::Input`]: a file that a stage names cannot be read.
    pub fn new(file: &ViewsFile, inputs: MatRef<'_, f64>) -> Result<Self, EngineError> {
        let (deviations, _) = centred(inputs);
        let unit = deviations.squared_norm_l2() / (inputs.nrows() * inputs.ncols()) as f64;
        let chains = Chains::new(file, inputs.ncols(), None, unit)?;
        let sampled =
            |stages: &[Box<dyn Stage>]| stages.iter().position(|stage| stage.tier() != Tier::Moments);
        if let Some(at) = sampled(&chains.corruption()?) {
            let message =
                "a corruption is taken in the limit of many samples, and this stage has no closed form";
            let help = "corrupt the inputs themselves, a draw a sample, and leave `corruption` out";
            let place = format!("corruption[{at}]");
            return Err(refused(file, &place, "no closed form", Fault::new("", message, help)).into());
        }
        let mut domain = domain(inputs);
        let corruption = chains.corrupted(&mut domain)?;
        let views = chains.views(domain)?;
        if let (Some(_), Some(at)) = (&corruption, views.tiers().position(|tier| tier != Tier::Moments)) {
            let message = "this stage has no closed form and must see corrupted samples, which the limit of many samples has not";
            let help = "corrupt the inputs themselves, a draw a sample, and leave `corruption` out";
            let place = format!("stages[{at}]");
            return Err(refused(file, &place, "no closed form", Fault::new("", message, help)).into());
        }
        let names = file.stages.iter().map(|stage| stage.name.clone());
        Ok(Self {
            corruption,
            floor: file.floor,
            stages: names.zip(views.tiers()).collect(),
            features: views.features(inputs.ncols()),
            views,
        })
    }

    /// d′, features of a view.
    #[must_use]
    pub fn features(&self) -> usize {
        self.features
    }

    /// Each stage of the views with what its moments are computed from, the first first.
    #[must_use]
    pub fn stages(&self) -> &[(String, Tier)] {
        &self.stages
    }

    /// What the moments of the whole are computed from.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.views.tier()
    }

    /// Whether inputs are corrupted before.
    #[must_use]
    pub fn is_corrupted(&self) -> bool {
        self.corruption.is_some()
    }

    /// White noise of so many times `tr S / d`, last in the views.
    #[must_use]
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// The moments of the inputs X (n × d) that it was built for, and of labels Y (n × ℓ), if there
    /// are any; `center` centres them, last.
    ///
    /// Samples with the same views in [`Tier::Sampled`] have the same moments: the seed is
    /// [`SEED`].
    ///
    /// # Errors
    ///
    /// [`GivenError::Shape`] if the labels do not fit the inputs.
    pub fn moments(
        &mut self,
        inputs: MatRef<'_, f64>,
        labels: Option<MatRef<'_, f64>>,
        center: bool,
    ) -> Result<GivenMoments, GivenError> {
        let samples = inputs.nrows();
        if let Some(labels) = labels {
            check(Matrix::Labels, labels, (samples, labels.ncols().max(1)))?;
        }
        let labels = labels.unwrap_or(inputs.subcols(0, 0));
        let mut scratch = Scratch::default();
        // By way of the deviations, a constant feature's variance is rounding of few operations,
        // not of n.
        let ((deviations, mean), (_, label_mean)) = (centred(inputs), centred(labels));
        let with_means = |of: Mat<f64>, other: &Mat<f64>| of + &mean * other.transpose();
        let second = with_means(product(deviations.as_ref(), deviations.as_ref()), &mean);
        let moment = with_means(product(deviations.as_ref(), labels), &label_mean);
        let mut state = State::of(second.as_ref(), mean.as_ref(), moment.as_ref(), label_mean.as_ref());
        if let Some(corruption) = &mut self.corruption {
            corruption.settle(mean.col_as_slice(0), &mut scratch);
            state.corrupt(corruption, &mut scratch);
        }
        let (mut clean, mut clean_labels) = (state.cross.clone(), state.view_labels.clone());
        let mut terms = inputs.ncols();
        if let Some(mut sums) = self.views.rows(mean.col_as_slice(0), SAMPLED, &mut scratch) {
            let streams = Streams::new(SEED);
            for first in (0..samples).step_by(BLOCK_ROWS) {
                let count = BLOCK_ROWS.min(samples - first);
                let [rows, labels] =
                    [inputs, labels].map(|of| of.subrows(first, count).transpose().to_owned());
                sums.add(&mut self.views, rows.as_ref(), None, None, labels.as_ref(), |column| {
                    streams.stream(Draw::SampledViews, &[0, (first + column) as u64])
                });
            }
            state = sums.state();
            terms += samples;
        }
        self.views.push(&mut state, &mut scratch);
        if center {
            let (input_mean, label_mean) = (state.input_mean.clone(), state.label_mean.clone());
            let clean_before = diagonal(&clean);
            state.centre(terms);
            clean -= &input_mean * input_mean.transpose();
            clean_labels -= &input_mean * label_mean.transpose();
            // What is left of features that are the same in all samples is rounding.
            let rounding = 8.0 * f64::EPSILON * terms as f64;
            let is_still = |i: &usize| clean[(*i, *i)] <= rounding * clean_before[*i];
            let still: Vec<usize> = (0..clean_before.len()).filter(is_still).collect();
            for i in still {
                clean.row_mut(i).fill(0.0);
                clean.col_mut(i).fill(0.0);
                clean_labels.row_mut(i).fill(0.0);
                state.cross.col_mut(i).fill(0.0);
            }
        }
        let unfloored = (self.floor > 0.0).then(|| state.views.clone());
        state.floor(self.floor);
        Ok(GivenMoments {
            samples,
            mean: state.mean,
            mean_views: state.mean_views,
            views: state.views,
            unfloored,
            cross: state.cross.transpose().to_owned(),
            view_labels: state.view_labels,
            inputs: clean,
            input_labels: clean_labels,
            label_power: labels.squared_norm_l2() / samples as f64,
        })
    }
}

/// The chains of a file, with everything filled in, for samples of a shape.
#[derive(Debug)]
pub(crate) struct Chains<'f> {
    file: &'f ViewsFile,
    pub(crate) shape: Shape,
    numbers: BTreeMap<PathBuf, Mat<f64>>,
    unit: f64,
}

impl<'f> Chains<'f> {
    /// Of samples with `size` features; `shape` is theirs where the file says none and `unit` what
    /// relative variances are multiples of.
    ///
    /// # Errors
    ///
    /// A shape of another size; [`EngineError::Input`] of a file that a stage names.
    pub(crate) fn new(
        file: &'f ViewsFile,
        size: usize,
        shape: Option<Shape>,
        unit: f64,
    ) -> Result<Self, EngineError> {
        let shape = file.shape.or(shape).unwrap_or(Shape::features(size));
        if shape.size() != size {
            let Shape { channels, rows, columns } = shape;
            let message = format!(
                "`shape` has {channels} · {rows} · {columns} = {} features, the inputs have {size} columns",
                shape.size()
            );
            let help = "write [channels, rows, columns] of a sample; left out, it is one row of features";
            return Err(refused(file, "shape", "another size", Fault::new("", message, help)).into());
        }
        let numbers = numbers_of(file.corruption.iter().chain(&file.stages))?;
        Ok(Self { file, shape, numbers, unit })
    }

    /// The stages of the views.
    pub(crate) fn specs(&self) -> Vec<Spec> {
        self.filled(&self.file.stages)
    }

    fn filled(&self, stages: &[StageSpec]) -> Vec<Spec> {
        let filling = Filling {
            axis: &|_| None,
            file: &|path| self.numbers.get(path).cloned(),
            unit: self.unit,
            severity: None,
        };
        all(stages, filling)
    }

    fn build(&self, key: &str, stages: &[StageSpec]) -> Result<Vec<Box<dyn Stage>>, JobProblems> {
        build_all(&self.filled(stages), self.shape, key).map_err(|fault| {
            let key = fault.key.clone();
            refused(self.file, &key, "does not fit", fault)
        })
    }

    fn misplaced(&self, key: &str, (at, fault): (usize, Fault)) -> JobProblems {
        let place = fault.within(&format!("{key}[{at}]"));
        refused(self.file, &place.key.clone(), "cannot be drawn", place)
    }

    /// The stages of the corruption.
    pub(crate) fn corruption(&self) -> Result<Vec<Box<dyn Stage>>, JobProblems> {
        self.build("corruption", &self.file.corruption)
    }

    /// The corruption, if there is one; `domain` becomes what comes out of it.
    pub(crate) fn corrupted(&self, domain: &mut Domain) -> Result<Option<Chain>, JobProblems> {
        let chain = Chain { stages: self.corruption()? };
        let (size, after) = (self.shape.size(), chain.features(self.shape.size()));
        if after != size {
            let message =
                format!("a corruption leaves the number of features as it is, not {after} of {size}");
            let help = "put such a stage last in `stages`";
            return Err(refused(self.file, "corruption", "another size", Fault::new("", message, help)));
        }
        if chain.stages.is_empty() {
            return Ok(None);
        }
        let drawn = Views::new(self.corruption()?);
        *domain = drawn.check(*domain).map_err(|fault| self.misplaced("corruption", fault))?;
        Ok(Some(chain))
    }

    /// The stages of the views, built.
    pub(crate) fn stages(&self) -> Result<Vec<Box<dyn Stage>>, JobProblems> {
        self.build("stages", &self.file.stages)
    }

    /// The views of samples with such values.
    pub(crate) fn views(&self, domain: Domain) -> Result<Views, JobProblems> {
        let views = Views::new(self.stages()?);
        views.check(domain).map_err(|fault| self.misplaced("stages", fault))?;
        Ok(views)
    }
}

/// Which values the inputs have.
pub(crate) fn domain(inputs: MatRef<'_, f64>) -> Domain {
    let of = |column: faer::ColRef<'_, f64>| Domain::of(&column.iter().copied().collect::<Vec<_>>());
    inputs.col_iter().map(of).min().unwrap_or(Domain::Real)
}

fn diagonal(matrix: &Mat<f64>) -> Vec<f64> {
    matrix.diagonal().column_vector().iter().copied().collect()
}

/// A problem of the file at `key`.
pub(crate) fn refused(file: &ViewsFile, key: &str, label: &str, fault: Fault) -> JobProblems {
    file.source.report(vec![file.source.problem_at(key, fault.message, label, Some(fault.help))])
}
