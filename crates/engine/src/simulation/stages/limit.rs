//! Population limits of jobs with stages: moments of all rows, the corruption in its limit of many
//! samples, and views of any alignment.
//!
//! Where all of a chain is closed in moments no row is touched. Where it is not, all rows are read
//! for each alignment, corrupted once and seen as often as the job samples its views: then the
//! limit is that of these rows.

use std::sync::Arc;

use eigensweep_job::stages::{AlignmentDose, CorruptionDraw};
use eigensweep_job::{JobSpec, Level};
use eigensweep_store::StoreError;
use eigensweep_store::grid::Grid;
use eigensweep_store::plan::Plan;
use eigensweep_theory::population::{self, Covariances, Limit, Limits, Sought};
use eigensweep_theory::views::stages::Tier;
use eigensweep_theory::{InstructionSet, Paradigm, paradigms};
use faer::Mat;

use super::gather::SampleMoments;
use super::problem::Population;
use super::setting::ViewSetting;
use super::{Frame, Given, Moments, Place, Stages, Unit, Workspace};
use crate::input::Input;
use crate::theory::NoThresholds;

/// Most inputs of a problem whose limit is looked for: a root is some thirty of their problems.
pub(crate) const MOST_INPUTS: usize = 1024;

/// All rows of a job's data, of which limits are asked.
pub(crate) struct Whole {
    stages: Stages,
    workspace: Workspace,
}

/// A setting of data, corruption and views.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// A row of the grid that has its values.
    pub(crate) row: u64,
    views: usize,
}

/// Limits at a setting and a dimension.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// L_min, the least leakage that a linear map to so many dimensions has.
    pub(crate) least: f64,
    /// The limit of each paradigm that was asked for.
    pub(crate) limits: Vec<(&'static Paradigm, Limit)>,
}

impl Whole {
    /// Of a job with stages and its input; `None` of another job.
    ///
    /// # Errors
    ///
    /// [`StoreError::TaskTooLarge`] if the job cannot be planned.
    pub(crate) fn of(spec: &JobSpec, input: &Arc<Input>) -> Result<Option<Self>, StoreError> {
        let mut spec = spec.clone();
        spec.boundary = None;
        spec.model.paradigms =
            paradigms::ALL.into_iter().filter(|paradigm| paradigm.threshold.is_some()).collect();
        let Some(mut staged) = spec.stages().cloned() else { return Ok(None) };
        // Rows that must be seen are corrupted rows.
        staged.draw = CorruptionDraw::Once;
        let plan = Plan::new(&spec, input.extents())?;
        let stages = Stages::new(&spec, &staged, Frame::new(&spec, Arc::clone(input), plan));
        let mut workspace = Workspace::on(InstructionSet::detect(), &stages);
        workspace.order =
            (0..stages.samples.training.len()).filter_map(|row| u32::try_from(row).ok()).collect();
        Ok(Some(Self { stages, workspace }))
    }

    /// The grid that numbers the rows of settings.
    pub(crate) fn grid(&self) -> &Grid {
        &self.stages.frame.plan.grid
    }

    /// Whether all chains of views are closed in moments, so that no row is touched.
    pub(crate) fn is_closed(&self) -> bool {
        let Stages { settings, samples, frame, .. } = &self.stages;
        let at = settings.views.first().map_or(0, |views| views.at);
        let is_closed = |number: &usize| {
            let chain = &settings.chains[*number];
            let stages = super::built(super::setting::views(chain, samples, &frame.plan.grid, at, None));
            stages.iter().all(|stage| stage.tier() == Tier::Moments)
        };
        settings.of.iter().all(is_closed)
    }

    /// The settings, in the order of their rows.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        let Stages { settings, frame, .. } = &self.stages;
        let grid = &frame.plan.grid;
        let mut found = Vec::new();
        for data in grid.settings(Level::Data) {
            for noise in &settings.noise {
                let row = |of: &ViewSetting| data.row() + noise + of.row as u64;
                let settings = settings.views.iter().enumerate();
                found.extend(settings.map(|(views, of)| Setting { row: row(of), views }));
            }
        }
        found
    }

    /// Limits of paradigms at a setting and a dimension; `sought` says what is looked for where so
    /// much leakage is the least, or that nothing is, and `told` hears of each that is found.
    ///
    /// # Errors
    ///
    /// Why there is none: noise without moments, too many inputs, a problem without a solution.
    pub(crate) fn limits(
        &mut self,
        setting: Setting,
        dimension: usize,
        replicate: u64,
        wanted: &[&'static Paradigm],
        sought: impl Fn(f64) -> Option<Sought>,
        mut told: impl FnMut(),
    ) -> Result<Found, NoThresholds> {
        let Self { stages, workspace } = self;
        let Some(unit) = stages.unit(setting.row, replicate, Some(None), workspace) else {
            return Ok(Found { least: f64::NAN, limits: Vec::new() });
        };
        if unit.features.act_on_rows() {
            return Err(NoThresholds::FeaturesOnRows);
        }
        let corruption = unit.corruption.as_deref();
        let population = Population::of(&stages.samples, corruption, unit.features, &mut workspace.scratch);
        let Population { inputs, noise, rounding } = population.ok_or(NoThresholds::OpenCorruption)?;
        if inputs.nrows() > MOST_INPUTS {
            return Err(NoThresholds::TooLarge { inputs: inputs.nrows() });
        }
        let clean = &inputs - &noise;
        let covariances = Covariances { clean: clean.as_ref(), noise: noise.as_ref(), rounding };
        let mut limits = Limits::new(InstructionSet::detect(), covariances, dimension)?;
        let least = limits.least();
        let Some(sought) = sought(least) else { return Ok(Found { least, limits: Vec::new() }) };
        let most = match stages.staged.dose {
            AlignmentDose::Probability => 1.0,
            AlignmentDose::Fixed | AlignmentDose::Uniform => f64::INFINITY,
        };
        let sought = Sought { most, ..sought };
        let moments = stages.whole(&unit);
        let views = stages.settings.views[setting.views];
        let find = |&paradigm: &&'static Paradigm| {
            let at = |alpha| Ok(stages.views_of_all(&unit, &moments, (paradigm, views), alpha, workspace));
            let found = limits.find::<NoThresholds>(paradigm, sought, at)?;
            told();
            Ok((paradigm, found))
        };
        let limits = wanted.iter().map(find).collect::<Result<_, NoThresholds>>()?;
        Ok(Found { least, limits })
    }
}

impl Stages {
    /// The moments of all clean rows, without labels.
    fn whole(&self, unit: &Unit<'_>) -> Moments {
        let (size, labels) = (self.samples.shape.size(), self.samples.labels);
        let all = SampleMoments {
            samples: self.samples.training.len() as u64,
            second: self.samples.second.clone(),
            mean: self.samples.mean.clone(),
            labels: Mat::zeros(size, labels),
            label_mean: Mat::zeros(labels, 1),
            label_power: 0.0,
        };
        Moments::new([all.clone(), all.clone(), all], &[], unit)
    }

    /// The moments of a paradigm's views of all corrupted rows, at an alignment.
    fn views_of_all(
        &self,
        unit: &Unit<'_>,
        moments: &Moments,
        (paradigm, setting): (&'static Paradigm, ViewSetting),
        alignment: f64,
        workspace: &mut Workspace,
    ) -> population::Views {
        let of = self.frame.paradigms.iter().position(|other| *other == paradigm);
        let chain = &self.settings.chains[of.map_or(0, |at| self.settings.of[at])];
        let mut given = Given {
            unit,
            moments,
            corrupted: true,
            corruption: None,
            alignment,
            population: None,
            wants: &[],
        };
        let mut views = self.views(&given, chain, setting.at);
        if views.tier() == Tier::Moments {
            given.corruption = unit.corruption.as_deref();
        }
        let samples = self.samples.training.len();
        let place = Place { column: 0, within: 0, start: 0, samples };
        self.problem(&given, place, &mut views, setting.floor, workspace).into_views()
    }
}
