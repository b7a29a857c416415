//! One problem: the moments of views and inputs at a setting, and what the paradigms make of them.

use eigensweep_sampling::streams::Draw;
use eigensweep_spectral::dense::product;
use eigensweep_store::columns::Status;
use eigensweep_theory::closed_forms::{Predictor, Solution};
use eigensweep_theory::leakage::{self, CleanMoment, Leakage};
use eigensweep_theory::metrics::{Found, measure};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::ridge::{ProbeMoments, ridge};
use eigensweep_theory::views::stages::{Scratch, Stage, State, Tier, Views};
use eigensweep_theory::{Failure, InstructionSet, general, moments, population};
use faer::{Accum, Mat, MatRef};

use super::gather::SampleMoments;
use super::{Frame, Given, Moments, Place, Solved, Stages, Unit, Workspace};
use crate::features::RowFeatures;
use crate::samples::Samples;

/// Rows of a block.
const BLOCK_ROWS: usize = 256;

/// Moments of a problem in the representation's inputs, centred.
#[derive(Debug)]
pub(super) struct Problem {
    /// What the views' moments were computed from.
    tier: Tier,
    /// Of the views, with their floor.
    state: State,
    /// What taking means off has left of S's digits.
    rounding: f64,
    /// C̃.
    inputs: Mat<f64>,
    /// B̃.
    input_labels: Mat<f64>,
    /// y².
    label_power: f64,
    /// mean x and mean y, which predictions start from.
    input_mean: Mat<f64>,
    label_mean: Mat<f64>,
}

/// What leakage is measured against: moments of all rows, centred, in the representation's inputs.
#[derive(Debug)]
pub(super) struct Population {
    /// C₀ + Γ.
    pub(super) inputs: Mat<f64>,
    /// Γ = S − C₀, with `C₀ = mean E[T(x)|x] E[T(x)|x]ᵀ`.
    pub(super) noise: Mat<f64>,
    /// What taking means off has left of the digits of C₀ + Γ.
    pub(super) rounding: f64,
}

impl Population {
    /// Of all rows of a data set under a corruption; `None` of one, or of features,
    /// that do not act on moments.
    pub(super) fn of(
        samples: &Samples,
        corruption: Option<&dyn Stage>,
        features: &RowFeatures,
        scratch: &mut Scratch,
    ) -> Option<Self> {
        if features.act_on_rows() {
            return None;
        }
        let labels = Mat::zeros(samples.mean.nrows(), 0);
        let (second, mean) = (samples.second.as_ref(), samples.mean.as_ref());
        let mut state = State::of(second, mean, labels.as_ref(), Mat::zeros(0, 1).as_ref());
        if let Some(corruption) = corruption {
            if corruption.tier() != Tier::Moments {
                return None;
            }
            // As views, the corruption has two copies: C₀ is where they are independent.
            state.view(corruption, scratch);
        }
        let before = state.centre(samples.training.len() + samples.shape.size());
        let rounding = state.rounding(&before);
        let noise = &state.views - &state.mean_views;
        Some(match features.basis() {
            None => Self { inputs: state.views, noise, rounding },
            Some(basis) => {
                let [inputs, noise] = [&state.views, &noise].map(|matrix| turned(basis, matrix.as_ref()));
                Self { inputs, noise, rounding }
            }
        })
    }
}

impl Moments {
    /// Of rows, and of their components in a basis; `sum` is that of the rows before features that
    /// act on rows.
    pub(super) fn new([all, fitted, tried]: [SampleMoments; 3], sum: &[f64], unit: &Unit<'_>) -> Self {
        let mean = match unit.features.act_on_rows() {
            true => Mat::from_fn(sum.len(), 1, |i, _| sum[i] / all.samples.max(1) as f64),
            false => all.mean.clone(),
        };
        let Some(basis) = unit.basis else {
            return Self { mean, raw: all.clone(), inputs: [all, fitted, tried] };
        };
        let project = |of: &SampleMoments| SampleMoments {
            samples: of.samples,
            second: turned(basis, of.second.as_ref()),
            mean: times(basis.transpose(), of.mean.as_ref()),
            labels: times(basis.transpose(), of.labels.as_ref()),
            label_mean: of.label_mean.clone(),
            label_power: of.label_power,
        };
        Self { mean, inputs: [project(&all), project(&fitted), project(&tried)], raw: all }
    }
}

impl Stages {
    /// The problem of a sample under a chain of views.
    pub(super) fn problem(
        &self,
        given: &Given<'_>,
        place: Place,
        views: &mut Views,
        floor: f64,
        workspace: &mut Workspace,
    ) -> Problem {
        let SampleMoments { second, mean, labels, label_mean, .. } = &given.moments.raw;
        let moments = || State::of(second.as_ref(), mean.as_ref(), labels.as_ref(), label_mean.as_ref());
        let fill = given.moments.mean.col_as_slice(0);
        let mut state = match views.rows(fill, self.sampled, &mut workspace.scratch) {
            None => {
                let mut state = moments();
                if let Some(corruption) = given.corruption {
                    state.corrupt(corruption, &mut workspace.scratch);
                }
                state
            }
            Some(mut sums) => {
                self.sum(given, place, views, &mut sums, workspace);
                sums.state()
            }
        };
        let basis = given.unit.basis;
        // Moments of the inputs: of corrupted rows as they were drawn, or of the population.
        let (mut inputs, mut input_labels, input_mean) = match given.corruption {
            None => {
                let [all, ..] = &given.moments.inputs;
                (all.second.clone(), all.labels.clone(), all.mean.clone())
            }
            Some(_) => match basis {
                None => (state.cross.clone(), state.view_labels.clone(), state.input_mean.clone()),
                Some(basis) => (
                    turned(basis, state.cross.as_ref()),
                    times(basis.transpose(), state.view_labels.as_ref()),
                    times(basis.transpose(), state.input_mean.as_ref()),
                ),
            },
        };
        let label_mean = state.label_mean.clone();
        views.push(&mut state, &mut workspace.scratch);
        if let Some(basis) = basis {
            project(&mut state, basis);
        }
        let before = state.centre(place.samples + self.samples.shape.size());
        state.floor(floor);
        let rounding = state.rounding(&before);
        subtract(&mut inputs, &input_mean, &input_mean);
        subtract(&mut input_labels, &input_mean, &label_mean);
        // In order: a vectorised sum would depend on the width of registers.
        let mean_power: f64 = label_mean.col(0).iter().map(|mean| mean * mean).sum();
        let label_power = given.moments.raw.label_power - mean_power;
        let tier = views.tier();
        Problem { tier, state, rounding, inputs, input_labels, label_power, input_mean, label_mean }
    }

    /// Sums what must see the rows of a sample.
    fn sum(
        &self,
        given: &Given<'_>,
        place: Place,
        views: &mut Views,
        sums: &mut eigensweep_theory::views::stages::RowMoments,
        workspace: &mut Workspace,
    ) {
        let Workspace { order, values, .. } = workspace;
        let (size, labels) = (self.samples.shape.size(), self.samples.labels);
        let mut block = Mat::zeros(size, BLOCK_ROWS.min(place.samples));
        let mut answers = Mat::zeros(labels, block.ncols());
        let (features, mut scales) = (given.unit.features, vec![1.0; block.ncols()]);
        for rows in order[..place.samples].chunks(BLOCK_ROWS) {
            for (at, &row) in rows.iter().enumerate() {
                let (label, scale) = if given.corrupted {
                    self.write(given.unit, row as usize, values)
                } else {
                    self.write_clean(row as usize, values)
                };
                block.col_as_slice_mut(at).copy_from_slice(values);
                label.write(answers.col_as_slice_mut(at));
                scales[at] = scale;
            }
            let (block, answers) = (block.subcols(0, rows.len()), answers.subcols(0, rows.len()));
            // What reconstruction aims at has the features of views.
            let targets = features.act_on_rows().then(|| features.of_rows(block.to_owned(), |at| scales[at]));
            let targets = targets.as_ref().map(Mat::as_ref);
            sums.add(views, block, Some(&scales[..rows.len()]), targets, answers, |column| {
                let at = [given.unit.replicate, u64::from(rows[column])];
                self.frame.streams.stream(Draw::SampledViews, &at)
            });
        }
    }
}

impl Problem {
    /// As paradigms take it.
    pub(super) fn given(&self) -> general::Given<'_> {
        let Self { state, inputs, input_labels, label_power, rounding, .. } = self;
        let moments = moments::Moments {
            mean_views: state.mean_views.as_ref(),
            views: state.views.as_ref(),
            cross: state.cross.as_ref().transpose(),
            view_labels: state.view_labels.as_ref(),
            inputs: inputs.as_ref(),
            input_labels: input_labels.as_ref(),
            label_power: *label_power,
        };
        general::Given { moments, rounding: *rounding }
    }

    /// The moments of its views.
    pub(super) fn into_views(self) -> population::Views {
        let State { mean_views, views, cross, .. } = self.state;
        population::Views { mean_views, views, cross: cross.transpose().to_owned(), rounding: self.rounding }
    }

    /// Number of features.
    pub(super) fn size(&self) -> usize {
        self.inputs.nrows()
    }

    /// What a paradigm's solution is worth, at each dimension.
    pub(super) fn evaluate(
        &self,
        given: &Given<'_>,
        solution: Result<Solution<'_>, Failure>,
        (simulation, probe, leakage): (&Stages, &mut Probe, &mut Leakage),
    ) -> Vec<Result<Solved, Status>> {
        let Self { tier, inputs, input_labels, label_power, .. } = self;
        let Stages { frame: Frame { dimensions, .. }, metrics: wanted, predicted, .. } = simulation;
        let probed = given.wants.iter().any(|on| predicted[*on]);
        match solution {
            Err(failure) => dimensions.iter().map(|_| Err(failure.into())).collect(),
            Ok(Solution::Predictor(Predictor { loss, map, rank, .. })) => {
                let model = probed.then(|| {
                    let intercept = &self.label_mean - times(map.transpose(), self.input_mean.as_ref());
                    (raw(given.unit.basis, map), intercept)
                });
                let mut metrics = vec![f64::NAN; wanted.len()];
                let found = Found { rank, tier: *tier, spectrum: None, row_space: None };
                measure(wanted, found, leakage, metrics.iter_mut());
                let solved = |_| finite(Solved { loss, metrics: metrics.clone(), model: model.clone() });
                dimensions.iter().map(solved).collect()
            }
            Ok(Solution::Encoder(encoder)) => {
                let mut at = |&k: &usize| {
                    let kept = encoder.leading(k).map_err(Status::from)?;
                    let loss = probe.loss(kept, inputs.as_ref(), input_labels.as_ref(), *label_power);
                    let mut metrics = vec![f64::NAN; wanted.len()];
                    let row_space = given.population.map(|population| {
                        let Population { inputs, noise, .. } = population;
                        let clean = CleanMoment::Mixed { inputs: inputs.as_ref(), noise: noise.as_ref() };
                        (kept, leakage::Population { clean, gamma: &[] })
                    });
                    let spectrum = Some((encoder.spectrum, k));
                    let found = Found { rank: encoder.rank(), tier: *tier, spectrum, row_space };
                    measure(wanted, found, leakage, metrics.iter_mut());
                    let model = probed.then(|| predictions(kept, given)).transpose()?;
                    finite(Solved { loss, metrics, model })
                };
                dimensions.iter().map(&mut at).collect()
            }
        }
    }
}

/// What is solved, unless its loss is no number.
fn finite(solved: Solved) -> Result<Solved, Status> {
    if solved.loss.is_finite() { Ok(solved) } else { Err(Status::NotFinite) }
}

/// The ridge probe of a representation (d × k) as predictions of raw rows.
fn predictions(basis: MatRef<'_, f64>, given: &Given<'_>) -> Result<(Mat<f64>, Mat<f64>), Status> {
    let of = |moments: &SampleMoments| ProbeMoments {
        samples: moments.samples,
        second: turned(basis, moments.second.as_ref()),
        mean: times(basis.transpose(), moments.mean.as_ref()),
        labels: times(basis.transpose(), moments.labels.as_ref()),
        label_mean: moments.label_mean.clone(),
        label_power: moments.label_power,
    };
    let [all, fitted, tried] = &given.moments.inputs;
    let probe = ridge(&of(all), &of(fitted), &of(tried)).map_err(Status::from)?;
    let weights = times(basis, probe.weights.as_ref());
    Ok((raw(given.unit.basis, weights.as_ref()), probe.intercept))
}

/// Weights of the representation's inputs as weights of raw features.
fn raw(basis: Option<MatRef<'_, f64>>, weights: MatRef<'_, f64>) -> Mat<f64> {
    basis.map_or_else(|| weights.to_owned(), |basis| times(basis, weights))
}

/// Moments of inputs and views in a basis (d × k₀), which is a linear stage of both.
fn project(state: &mut State, basis: MatRef<'_, f64>) {
    state.cross = turned(basis, state.cross.as_ref());
    state.mean_views = turned(basis, state.mean_views.as_ref());
    state.views = turned(basis, state.views.as_ref());
    for matrix in [&mut state.view_labels, &mut state.mean, &mut state.input_mean] {
        *matrix = times(basis.transpose(), matrix.as_ref());
    }
}

/// `UᵀMU`, both triangles.
fn turned(basis: MatRef<'_, f64>, matrix: MatRef<'_, f64>) -> Mat<f64> {
    times(basis.transpose(), times(matrix, basis).as_ref())
}

/// `L R`.
fn times(left: MatRef<'_, f64>, right: MatRef<'_, f64>) -> Mat<f64> {
    let mut to = Mat::zeros(left.nrows(), right.ncols());
    // The kernel wants contiguous columns of L.
    let owned = (left.row_stride() != 1).then(|| left.to_owned());
    let left = owned.as_ref().map_or(left, Mat::as_ref);
    product(InstructionSet::detect(), to.as_mut(), Accum::Replace, left, right);
    to
}

/// `M ← M − a bᵀ`.
fn subtract(matrix: &mut Mat<f64>, a: &Mat<f64>, b: &Mat<f64>) {
    for (column, b) in matrix.col_iter_mut().zip(b.col(0).iter()) {
        for (entry, a) in column.iter_mut().zip(a.col(0).iter()) {
            *entry -= a * b;
        }
    }
}
