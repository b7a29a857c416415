//! Jobs with stages: rows of images or features, corrupted once each, under views that act on
//! moments.
//!
//! ```text
//! replicate ──▶ permutation of the rows
//!   corruption ──▶ a draw for each row ──▶ nested moments                gather.rs
//!     n ──▶ views, α ──▶ moments (μ, C, G, S, B)                         problem.rs
//!   many of them ──▶ all paradigms                                       waiting.rs
//!         at every k: losses, metrics, probes ──▶ rows
//!       ──▶ probes on rows that were learned from, and held out          predictions.rs
//! ```
//!
//! Rows are touched twice for each n: once for their moments, and once for the predictions of all
//! models, if a metric asks for them. The clean model is that of Appendix C of the paper: learned
//! from clean rows under the same views without the corruption's dose, and tried on clean rows.
//!
//! The problems of a unit wait for one another and are solved in lanes ([`general`]); those that
//! lanes leave, one at a time. Which way a problem takes, and what comes of it, is a matter of that
//! problem alone.
//!
//! [`general`]: eigensweep_theory::general

mod ahead;
mod check;
mod gather;
mod kept;
pub(crate) mod limit;
mod predictions;
mod problem;
mod setting;
mod waiting;

pub(crate) use check::check;
pub(super) use kept::Kept;
pub use setting::{ChainTiers, tiers};

use std::sync::Arc;

use eigensweep_job::stages::{CorruptionDraw, StagesSpec};
use eigensweep_job::{DataSpec, FeaturesSpec, JobSpec, Level};
use eigensweep_sampling::streams::Draw;
use eigensweep_sampling::subset::permute;
use eigensweep_store::columns::Status;
use eigensweep_store::rows::Rows;
use eigensweep_theory::general::GeneralForms;
use eigensweep_theory::leakage::Leakage;
use eigensweep_theory::metrics::{Model, On, Score};
use eigensweep_theory::probing::Probe;
use eigensweep_theory::views::stages::{Dose, Scratch, Stage, Views};
use eigensweep_theory::{Failure, InstructionSet, Metric, Paradigm};
use faer::{Mat, MatRef};

use super::Frame;
use super::explain::Explained;
use crate::features::RowFeatures;
use crate::input::Input;
use crate::samples::{Label, Samples};
use ahead::Ahead;
use gather::{Gather, SampleMoments};
use predictions::{Predictions, Tried};
use problem::Population;
use setting::{ChainSpec, Misbuilt, Settings, position};
use waiting::Waiting;

/// Everything that the tasks of a job share.
#[derive(Debug)]
pub(crate) struct Stages {
    pub(super) frame: Frame,
    samples: Arc<Samples>,
    settings: Settings,
    /// Positions of the sample sizes from the smallest to the largest.
    nested: Vec<usize>,
    staged: StagesSpec,
    features: FeaturesSpec,
    /// m, views of each sample where a stage has no closed form.
    sampled: usize,
    /// Metrics of representations.
    metrics: Vec<&'static Metric>,
    /// Whether a metric is of the clean model.
    clean: bool,
    /// Whether a metric is of predictions: of the clean and of the corrupted model on rows that
    /// they were learned from, and of the latter on rows that are held out.
    predicted: [bool; 3],
    leakage: bool,
}

/// Buffers of one thread.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// The rows of the largest sample, in the order in which smaller ones are nested.
    order: Vec<u32>,
    pool: Vec<u32>,
    values: Vec<f64>,
    corrupted: Gather,
    clean: Gather,
    /// Sums of these rows before their features (d each), where these act on rows.
    sums: [Vec<f64>; 2],
    scratch: Scratch,
    forms: GeneralForms,
    probe: Probe,
    leakage: Leakage,
    predictions: [Predictions<Target>; 3],
    /// Of each paradigm that learns a representation, the values of the last problem's pencil.
    spectra: Vec<(&'static Paradigm, Result<Vec<f64>, Failure>)>,
    /// The smallest and the largest variance that the last problem's views add.
    sigma: (f64, f64),
}

/// What a model's predictions are of: a view setting, one of its cells (all, of the clean model), a
/// dimension and a paradigm.
#[derive(Clone, Copy, Debug)]
struct Target {
    views: usize,
    cell: Option<usize>,
    dimension: usize,
    paradigm: usize,
}

/// Where the predictions of a model are tried, by place in [`Workspace::predictions`].
const CLEAN: usize = 0;
const TRAINING: usize = 1;
const HELD_OUT: usize = 2;

impl Stages {
    /// Prepares a job whose input was checked.
    ///
    /// # Panics
    ///
    /// If the input is not that of a job with stages.
    pub(super) fn new(spec: &JobSpec, staged: &StagesSpec, frame: Frame) -> Self {
        let Input::Samples(samples) = &*frame.input else { panic!("rows of a job with stages") };
        let samples = Arc::clone(samples);
        let mut nested: Vec<usize> = (0..frame.samples.len()).collect();
        nested.sort_by_key(|&at| frame.samples[at]);
        let probed =
            |model, on| frame.columns.probed.iter().any(|&(_, (of, tried, _))| of == model && tried == on);
        let predicted = [
            probed(Model::Clean, On::Training),
            probed(Model::Corrupted, On::Training),
            probed(Model::Corrupted, On::HeldOut),
        ];
        Self {
            settings: Settings::new(spec, staged, &frame.plan.grid),
            samples,
            nested,
            sampled: staged.sampled as usize,
            staged: staged.clone(),
            features: match &spec.data {
                DataSpec::Rows(rows) => (*rows.features).clone(),
                DataSpec::Gaussian(_) => FeaturesSpec::NONE,
            },
            metrics: frame.columns.represented.clone(),
            clean: frame.columns.has_clean() || predicted[CLEAN],
            predicted,
            leakage: frame.columns.represented.iter().any(|metric| metric.needs_row_space()),
            frame,
        }
    }

    /// Gives the views of all cells an alignment.
    pub(super) fn set_alignment(&mut self, alpha: f64) {
        self.settings.cells.iter_mut().for_each(|cell| cell.alignment = alpha);
    }

    /// Bytes of a workspace, about.
    pub(super) fn workspace_bytes(&self) -> u64 {
        let (size, labels) = (self.samples.shape.size() as u64, self.samples.labels as u64);
        let (inputs, seen) = (self.samples.inputs() as u64, self.samples.seen() as u64);
        let models = predictions::MOST as u64 * labels;
        let predictions = self.predicted.iter().filter(|wanted| **wanted).count() as u64;
        // Sums, blocks and moments of rows; a state, its copies and the problem; the closed forms;
        // probes; models that wait.
        let rows = if self.samples.features.iter().any(RowFeatures::act_on_rows) {
            // Their weights, once a problem, and views of a block before and behind.
            2 * size * seen + (self.sampled as u64 * 64 + 512) * (size + 2 * seen)
        } else {
            0
        };
        let of_rows =
            seen * seen * (4 + 9 + 8) + inputs * inputs * 7 + predictions * models * (seen + 256) + rows;
        8 * of_rows + self.bytes_of_problems()
    }

    /// Of those, what solves problems, and the problems that wait.
    fn bytes_of_problems(&self) -> u64 {
        let (size, labels) = (self.samples.inputs(), self.samples.labels);
        let (instruction_set, paradigms) = (InstructionSet::detect(), &self.frame.paradigms);
        let forms = GeneralForms::bytes(instruction_set, size, labels, self.largest_dimension(), paradigms);
        let most = GeneralForms::capacity_for(instruction_set, size, paradigms) * self.settings.chains.len();
        let waits = self.problems_of_a_unit().min(most) as u64;
        forms + 8 * waits * (size * (4 * size + 2 * labels)) as u64
    }

    /// Most problems of a unit.
    fn problems_of_a_unit(&self) -> usize {
        let Settings { views, cells, chains, .. } = &self.settings;
        self.nested.len() * views.len() * (cells.len() + usize::from(self.clean)) * chains.len()
    }

    /// Largest k.
    fn largest_dimension(&self) -> usize {
        self.frame.dimensions.iter().copied().max().unwrap_or(0)
    }

    /// Computes the rows of a unit, which begin at `start`.
    #[expect(clippy::cast_possible_truncation, reason = "digits of the grid, each below the length of a Vec")]
    pub(super) fn run_unit(&self, unit: u64, start: usize, workspace: &mut Workspace, batch: &mut Rows) {
        let grid = &self.frame.plan.grid;
        let row = unit * grid.rows_per_unit;
        let (replicate, column) = (grid.replicate(row), grid.column(row));
        if !self.frame.wants(column, 0..grid.rows_per_unit) {
            return;
        }
        let Some(unit) = self.unit(row, replicate, None, workspace) else { return };
        self.begin(&unit, workspace);
        let rows_per_sample = grid.rows_per_sample as usize;
        let mut waiting = Waiting::new(self.settings.chains.len());
        for &index in &self.nested {
            let within = index * rows_per_sample;
            if self.frame.wants(column, within as u64..(within + rows_per_sample) as u64) {
                let samples = usize::try_from(self.frame.samples[index]).unwrap_or(usize::MAX);
                self.extend(&unit, samples, workspace);
                let place = Place { column, within: within as u64, start: start + within, samples };
                self.sample(&unit, place, &mut waiting, workspace, batch);
            }
        }
        self.finish(&unit, waiting, workspace, batch);
    }

    /// The replicate's unit that a row of the grid is in, with a population that may be known.
    fn unit<'u>(
        &'u self,
        row: u64,
        replicate: u64,
        population: Option<Option<Population>>,
        workspace: &mut Workspace,
    ) -> Option<Unit<'u>> {
        let grid = &self.frame.plan.grid;
        let components = self.settings.components.get(position(grid, Level::Data, row)).copied().flatten();
        let features = self.samples.features(components);
        let at = *self.settings.noise.get(position(grid, Level::Noise, row))?;
        let corruption = built(setting::corruption(&self.staged, &self.samples, grid, at));
        let corruption = corruption.map(|mut corruption| {
            corruption.settle(self.samples.mean.col_as_slice(0), &mut workspace.scratch);
            corruption
        });
        let population = population.unwrap_or_else(|| {
            let scratch = &mut workspace.scratch;
            self.leakage.then(|| Population::of(&self.samples, corruption.as_deref(), features, scratch))?
        });
        Some(Unit { replicate, at, corruption, features, basis: features.basis(), population })
    }

    /// Draws the order of the rows of a unit, of which there are none yet.
    fn begin(&self, unit: &Unit<'_>, workspace: &mut Workspace) {
        let mut rng = self.frame.streams.stream(Draw::Subset, &[unit.replicate]);
        let total = u32::try_from(self.samples.training.len()).unwrap_or(u32::MAX);
        permute(total, &mut workspace.order, &mut workspace.pool, &mut rng);
        workspace.begin(self, unit.features);
    }

    /// The stage that draws each row's corruption; `None` where rows stay what they are.
    fn drawn<'u>(&self, unit: &'u Unit<'_>) -> Option<&'u dyn Stage> {
        match self.staged.draw {
            CorruptionDraw::Once => unit.corruption.as_deref(),
            CorruptionDraw::Population => None,
        }
    }

    /// Whether the clean model is another than the corrupted one.
    fn differs(&self, unit: &Unit<'_>) -> bool {
        self.clean && unit.corruption.is_some()
    }

    /// Writes a row of those that are learned from as it is; returns its label and its factor.
    fn write_clean(&self, row: usize, values: &mut Vec<f64>) -> (Label<'_>, f64) {
        values.resize(self.samples.shape.size(), 0.0);
        (self.samples.training.write(row, values), self.samples.training.scale(row))
    }

    /// The same of a corrupted row.
    fn write(&self, unit: &Unit<'_>, row: usize, values: &mut Vec<f64>) -> (Label<'_>, f64) {
        let written = self.write_clean(row, values);
        if let Some(stage) = self.drawn(unit) {
            stage.draw(
                values,
                &mut self.frame.streams.stream(Draw::Corruption, &[unit.replicate, row as u64]),
            );
        }
        written
    }

    /// Adds rows until there are so many.
    fn extend(&self, unit: &Unit<'_>, samples: usize, workspace: &mut Workspace) {
        let Workspace { order, values, corrupted, clean, sums: [sum, clean_sum], .. } = workspace;
        let both = self.differs(unit) && self.drawn(unit).is_some();
        let rows = order[corrupted.rows()..samples].iter().map(|&row| row as usize);
        let add = |sum: &mut [f64], values: &[f64]| sum.iter_mut().zip(values).for_each(|(sum, x)| *sum += x);
        let mut clean_rows = Ahead::new(unit.features, rows.clone(), |row, values| {
            let written = self.write_clean(row, values);
            add(clean_sum, values);
            written
        });
        let mut corrupted_rows = Ahead::new(unit.features, rows, |row, values| {
            let written = self.write(unit, row, values);
            add(sum, values);
            written
        });
        values.resize(unit.features.mean().len(), 0.0);
        while let Some(label) = corrupted_rows.next(values) {
            corrupted.add(values, label);
        }
        if both {
            while let Some(label) = clean_rows.next(values) {
                clean.add(values, label);
            }
        }
    }

    /// Has every problem of a sample wait to be solved.
    fn sample(
        &self,
        unit: &Unit<'_>,
        place: Place,
        waiting: &mut Waiting,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        let (moments, clean) = self.moments(unit, workspace);
        self.hand_over(unit, Sample { place, moments, clean }, waiting, workspace, batch);
    }

    /// Moments of the rows so far, and those of the clean model where it is another one.
    fn moments(&self, unit: &Unit<'_>, workspace: &mut Workspace) -> (Moments, Option<Moments>) {
        let [sum, clean_sum] = &workspace.sums;
        let moments = Moments::new(workspace.corrupted.moments(), sum, unit);
        let clean = self.differs(unit).then(|| match self.drawn(unit) {
            Some(_) => Moments::new(workspace.clean.moments(), clean_sum, unit),
            None => moments.clone(),
        });
        (moments, clean)
    }

    /// Has every problem of a sample wait, whose moments are there.
    fn hand_over(
        &self,
        unit: &Unit<'_>,
        sample: Sample,
        waiting: &mut Waiting,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        let (place, differs) = (sample.place, sample.clean.is_some());
        waiting.begin(sample);
        for views in 0..self.settings.views.len() {
            let cells: Vec<usize> = self.cells(place, views).collect();
            if differs && !cells.is_empty() {
                self.add(unit, views, Of::Clean, waiting, workspace, batch);
            }
            for cell in cells {
                self.add(unit, views, Of::Cell(cell), waiting, workspace, batch);
            }
        }
    }

    /// The cells of a view setting of which rows are computed.
    fn cells(&self, place: Place, views: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.settings.cells.len()).filter(move |&cell| {
            let first = place.within + (self.first_row(place, views, cell) - place.start) as u64;
            self.frame.wants(place.column, first..first + self.frame.rows_per_cell() as u64)
        })
    }

    /// The first row of a cell within the batch.
    fn first_row(&self, place: Place, views: usize, cell: usize) -> usize {
        place.start + self.settings.views[views].row + self.settings.cells[cell].row
    }

    /// What a problem of a sample is made of.
    fn given<'a>(&self, unit: &'a Unit<'a>, sample: &'a Sample, of: Of) -> Given<'a> {
        match of {
            // Where nothing is corrupted, the corrupted model is the clean one.
            Of::Clean => Given {
                unit,
                moments: sample.clean.as_ref().unwrap_or(&sample.moments),
                corrupted: false,
                corruption: None,
                alignment: 0.0,
                population: None,
                wants: &[CLEAN],
            },
            Of::Cell(cell) => Given {
                unit,
                moments: &sample.moments,
                corrupted: true,
                corruption: match self.staged.draw {
                    CorruptionDraw::Once => None,
                    CorruptionDraw::Population => unit.corruption.as_deref(),
                },
                alignment: self.settings.cells[cell].alignment,
                population: unit.population.as_ref(),
                wants: match sample.clean {
                    None => &[CLEAN, TRAINING, HELD_OUT],
                    Some(_) => &[TRAINING, HELD_OUT],
                },
            },
        }
    }

    /// A chain of views of what a problem is made of, at a row of the grid: the dose of the
    /// corruption first, the features behind.
    fn views(&self, given: &Given<'_>, chain: &ChainSpec, at: u64) -> Views {
        let stages = setting::views(chain, &self.samples, &self.frame.plan.grid, at, self.dose(given));
        let behind = given.unit.features.stages(&self.features).into_iter().map(|(_, stage)| stage);
        Views::new(built(stages).into_iter().chain(behind).collect())
    }

    /// Has a model's predictions tried on the rows that metrics ask for.
    #[expect(clippy::too_many_arguments, reason = "where a model's predictions belong")]
    fn predict(
        &self,
        on: &[usize],
        solved: &Solved,
        target: Target,
        unit: &Unit<'_>,
        place: Place,
        workspace: &mut Workspace,
        batch: &mut Rows,
    ) {
        let Some((weights, intercept)) = &solved.model else { return };
        for &on in on.iter().filter(|on| self.predicted[**on]) {
            if workspace.predictions[on].is_full() {
                self.try_on(on, unit, place, workspace, batch);
            }
            workspace.predictions[on].push(weights.as_ref(), intercept.as_ref(), target);
        }
    }

    /// Tries the models that wait, and writes what comes of it.
    fn try_on(&self, on: usize, unit: &Unit<'_>, place: Place, workspace: &mut Workspace, batch: &mut Rows) {
        let Workspace { order, predictions, .. } = workspace;
        let predictions = &mut predictions[on];
        if predictions.is_empty() {
            return;
        }
        let training = order[..place.samples].iter().map(|&row| row as usize);
        let found = match (on, &self.samples.held_out) {
            (HELD_OUT, Some(held_out)) => {
                let mut rows = Ahead::new(unit.features, 0..held_out.len(), |row, values| {
                    values.resize(self.samples.shape.size(), 0.0);
                    let label = held_out.write(row, values);
                    if let Some(stage) = self.drawn(unit) {
                        let at = [unit.replicate, row as u64];
                        stage.draw(values, &mut self.frame.streams.stream(Draw::HeldOut, &at));
                    }
                    (label, held_out.scale(row))
                });
                predictions.try_on(|to| rows.next(to))
            }
            (TRAINING, _) => {
                let write = |row, values: &mut Vec<f64>| self.write(unit, row, values);
                let mut rows = Ahead::new(unit.features, training, write);
                predictions.try_on(|to| rows.next(to))
            }
            (CLEAN, _) => {
                let write = |row, values: &mut Vec<f64>| self.write_clean(row, values);
                let mut rows = Ahead::new(unit.features, training, write);
                predictions.try_on(|to| rows.next(to))
            }
            (_, _) => Vec::new(),
        };
        predictions.clear();
        let (model, rows) = match on {
            CLEAN => (Model::Clean, On::Training),
            TRAINING => (Model::Corrupted, On::Training),
            _ => (Model::Corrupted, On::HeldOut),
        };
        for (Target { views, cell, dimension, paradigm }, Tried { accuracy, loss }) in found {
            let views = &self.settings.views[views];
            let cells =
                self.settings.cells.iter().enumerate().filter(|(at, _)| cell.is_none_or(|cell| cell == *at));
            for (_, cell) in cells {
                let row = place.start + views.row + cell.row + self.settings.dimensions[dimension] + paradigm;
                for &(column, (of, tried, score)) in &self.frame.columns.probed {
                    if of == model && tried == rows && batch.status()[row] == Status::Ok {
                        batch.values_mut(column)[row] = match score {
                            Score::Accuracy => accuracy,
                            Score::Loss => loss,
                        };
                    }
                }
            }
        }
    }

    /// The dose of the corruption that views repeat.
    fn dose(&self, given: &Given<'_>) -> Option<Dose> {
        let dosing = self.staged.dose.of(given.alignment)?;
        let at = given.unit.at;
        let corruption = built(setting::corruption(&self.staged, &self.samples, &self.frame.plan.grid, at));
        corruption.map(|corruption| Dose::new(corruption, dosing))
    }
}

/// What was built, of a job that was checked.
///
/// # Panics
///
/// If it could not be, which [`check`](check::check) finds before anything runs.
fn built<T>(result: Result<T, Misbuilt>) -> T {
    result.unwrap_or_else(|Misbuilt { path, fault }| panic!("{path}{}: {fault}", fault.key))
}

/// What the samples of a unit share.
#[derive(Debug)]
struct Unit<'a> {
    replicate: u64,
    /// A row of the grid that has the values of the corruption's axes.
    at: u64,
    /// `None` where samples stay clean.
    corruption: Option<Box<dyn Stage>>,
    features: &'a RowFeatures,
    /// What of the features acts on moments (d × k₀); `None` where nothing does.
    basis: Option<MatRef<'a, f64>>,
    /// What leakage is measured against, where it is and can be.
    population: Option<Population>,
}

/// Where the rows of a sample are.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The column of the grid.
    column: u64,
    /// Its first row within the unit.
    within: u64,
    /// Its first row within the batch.
    start: usize,
    /// n.
    samples: usize,
}

/// Moments of a sample, of which problems are made.
#[derive(Debug)]
struct Sample {
    place: Place,
    moments: Moments,
    /// Of the clean model, where it is another than the corrupted one.
    clean: Option<Moments>,
}

/// The model that a problem is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// The clean one, of all cells.
    Clean,
    /// The corrupted one of a cell.
    Cell(usize),
}

/// Moments of a sample, as they are taken and in the representation's inputs.
#[derive(Clone, Debug)]
struct Moments {
    raw: SampleMoments,
    /// mean x (d × 1) of the rows that stages act on.
    mean: Mat<f64>,
    /// Of all rows, of those for fitting a probe, and of those for trying it.
    inputs: [SampleMoments; 3],
}

/// What a problem is made of.
#[derive(Clone, Copy)]
struct Given<'a> {
    unit: &'a Unit<'a>,
    moments: &'a Moments,
    /// Whether rows are those of the corrupted model.
    corrupted: bool,
    /// The corruption, in its population limit.
    corruption: Option<&'a dyn Stage>,
    /// How much of it views repeat.
    alignment: f64,
    population: Option<&'a Population>,
    /// Where its predictions are tried, if metrics ask for them.
    wants: &'a [usize],
}

/// What a paradigm makes of a problem at a dimension.
#[derive(Debug)]
struct Solved {
    loss: f64,
    /// Metrics of the representation.
    metrics: Vec<f64>,
    /// Its predictions of a raw row, if a metric asks for them: W (d × ℓ) and c (ℓ × 1).
    model: Option<(Mat<f64>, Mat<f64>)>,
}

impl Workspace {
    /// Buffers for the tasks of `simulation`.
    pub(super) fn on(instruction_set: InstructionSet, simulation: &Stages) -> Self {
        let Samples { shape, training, labels, .. } = &*simulation.samples;
        let (raw, inputs) = (shape.size(), simulation.samples.inputs());
        let seen = simulation.samples.features.first().map_or(&[][..], |features| features.mean());
        let most = simulation.frame.samples.iter().copied().max().unwrap_or(0);
        let dimension = simulation.largest_dimension();
        let gather = |wanted| {
            let (origin, labels) = if wanted { (seen, *labels) } else { (&seen[..0], 0) };
            Gather::new(instruction_set, origin, labels)
        };
        let predictions = simulation.predicted.map(|wanted| {
            let (size, labels) = if wanted { (seen.len(), *labels) } else { (0, 0) };
            Predictions::new(instruction_set, size, labels)
        });
        Self {
            order: vec![0; usize::try_from(most).unwrap_or(usize::MAX).min(training.len())],
            pool: vec![0; training.len()],
            values: vec![0.0; raw],
            corrupted: gather(true),
            clean: gather(simulation.clean),
            sums: [Vec::new(), Vec::new()],
            scratch: Scratch::default(),
            forms: GeneralForms::new(
                instruction_set,
                inputs,
                *labels,
                dimension,
                &simulation.frame.paradigms,
            ),
            probe: Probe::new(instruction_set, inputs, *labels),
            leakage: Leakage::new(instruction_set, inputs, 0),
            predictions,
            spectra: Vec::new(),
            sigma: (f64::NAN, f64::NAN),
        }
    }

    /// Forgets all rows; the next ones have these features.
    fn begin(&mut self, simulation: &Stages, features: &RowFeatures) {
        let labels = simulation.samples.labels;
        self.corrupted.begin(features.mean(), labels);
        if simulation.clean {
            self.clean.begin(features.mean(), labels);
        }
        for (predictions, _) in
            self.predictions.iter_mut().zip(simulation.predicted).filter(|(_, wanted)| *wanted)
        {
            predictions.resize(features.mean().len());
        }
        for sum in &mut self.sums {
            sum.clear();
            sum.resize(if features.act_on_rows() { simulation.samples.shape.size() } else { 0 }, 0.0);
        }
    }

    /// Spectra of the problem that was solved last.
    pub(super) fn explain(&self) -> Explained {
        Explained {
            signal: None,
            gamma: Vec::new(),
            theta: Vec::new(),
            sigma: self.sigma,
            spectra: self.spectra.clone(),
        }
    }
}
