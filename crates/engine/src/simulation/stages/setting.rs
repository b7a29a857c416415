//! The settings of corruption and views that the grid runs through, each built once.

use std::path::Path;
use std::sync::Arc;

use eigensweep_job::stages::{Filling, StagesSpec, all};
use eigensweep_job::{JobSpec, Level, StageSpec};
use eigensweep_store::grid::{Grid, Setting};
use eigensweep_theory::views::stages::{Chain, Dose, Fault, Stage};

use crate::samples::Samples;

/// All settings, in the order of the rows.
#[derive(Debug)]
pub(super) struct Settings {
    /// Principal components by data setting; `None` of raw features.
    pub(super) components: Vec<Option<i64>>,
    pub(super) noise: Vec<NoiseSetting>,
    pub(super) views: Vec<ViewSetting>,
    /// Of each dimension its first row, of those of a cell.
    pub(super) dimensions: Vec<usize>,
}

/// One setting of the corruption's axes.
#[derive(Debug)]
pub(super) struct NoiseSetting {
    /// `None` where samples stay clean.
    pub(super) corruption: Option<Arc<dyn Stage>>,
    /// The dose of it that each cell's views repeat, if any.
    pub(super) doses: Vec<Option<Arc<dyn Stage>>>,
}

/// One setting of the axes of the views.
#[derive(Debug)]
pub(super) struct ViewSetting {
    /// Its first row, of those of a sample.
    pub(super) row: usize,
    pub(super) floor: f64,
    /// Different chains of stages.
    pub(super) chains: Vec<Vec<Arc<dyn Stage>>>,
    /// The chain of each paradigm.
    pub(super) of: Vec<usize>,
    pub(super) cells: Vec<CellSetting>,
}

/// One setting of what corrupted samples' views alone depend on.
#[derive(Debug)]
pub(super) struct CellSetting {
    /// Its first row, of those of a view setting.
    pub(super) row: usize,
    /// Number of its dose.
    pub(super) dose: usize,
}

/// A stage of a job that cannot be built.
#[derive(Debug)]
pub(super) struct Misbuilt {
    /// Its path in the job: `augmentation.stages[2]`.
    pub(super) path: String,
    pub(super) fault: Fault,
}

impl Settings {
    /// The settings of a job that was checked.
    ///
    /// # Panics
    ///
    /// If a stage cannot be built, which [`check`](super::check) finds.
    pub(super) fn new(spec: &JobSpec, staged: &StagesSpec, samples: &Samples, grid: &Grid) -> Self {
        let checked = |misbuilt: Misbuilt| -> ! { panic!("{}: {}", misbuilt.path, misbuilt.fault) };
        let noise = grid.settings(Level::Noise).map(|setting| {
            NoiseSetting::new(staged, samples, &setting).unwrap_or_else(|misbuilt| checked(misbuilt))
        });
        let views = grid.settings(Level::Views).map(|setting| {
            ViewSetting::new(spec, staged, samples, grid, &setting).unwrap_or_else(|misbuilt| checked(misbuilt))
        });
        let components = spec.data.components();
        let component = |setting: Setting<'_>| {
            components.and_then(|axis| axis.values().get(setting.index("signal_components")).copied())
        };
        Self {
            components: grid.settings(Level::Data).map(component).collect(),
            noise: noise.collect(),
            views: views.collect(),
            dimensions: grid.settings(Level::Dimension).map(|setting| row(&setting)).collect(),
        }
    }
}

impl NoiseSetting {
    /// The corruption at a setting, and its doses.
    pub(super) fn new(staged: &StagesSpec, samples: &Samples, setting: &Setting<'_>) -> Result<Self, Misbuilt> {
        let severity = staged.severity.as_ref().and_then(|axis| axis.values().get(setting.index("severity")));
        let severity = severity.map(|&severity| usize::try_from(severity).unwrap_or(0));
        let doses = staged.alignment.values();
        if staged.corruption.is_empty() || severity == Some(0) {
            return Ok(Self { corruption: None, doses: doses.iter().map(|_| None).collect() });
        }
        let severity = severity.map(|severity| (staged.severities, severity, samples.shape));
        let axis = |column: &str| setting.value(column);
        let filling = filling(samples, &axis, severity);
        let corruption = || -> Result<Box<dyn Stage>, Misbuilt> {
            let stages = build(&staged.corruption, filling, samples, "corruption.stages")?;
            Ok(Box::new(Chain { stages }))
        };
        let dose = |&alignment: &f64| -> Result<Option<Arc<dyn Stage>>, Misbuilt> {
            let Some(dosing) = staged.dose.of(alignment) else { return Ok(None) };
            Ok(Some(Arc::new(Dose::new(corruption()?, dosing))))
        };
        let doses = doses.iter().map(dose).collect::<Result<_, _>>()?;
        Ok(Self { corruption: Some(Arc::from(corruption()?)), doses })
    }
}

impl ViewSetting {
    /// The views at a setting.
    pub(super) fn new(
        spec: &JobSpec,
        staged: &StagesSpec,
        samples: &Samples,
        grid: &Grid,
        setting: &Setting<'_>,
    ) -> Result<Self, Misbuilt> {
        let axis = |column: &str| setting.value(column);
        let filling = filling(samples, &axis, None);
        let chain = |stages: &[StageSpec], path: &str| -> Result<Vec<Arc<dyn Stage>>, Misbuilt> {
            Ok(build(stages, filling, samples, path)?.into_iter().map(Arc::from).collect())
        };
        let mut chains = vec![chain(&staged.augmentation, "augmentation.stages")?];
        let mut of = Vec::new();
        for paradigm in &spec.model.paradigms {
            let own = staged.own.iter().find(|(of, _)| of == paradigm);
            of.push(own.map_or(0, |_| chains.len()));
            if let Some((_, stages)) = own {
                chains.push(chain(stages, &format!("augmentation.{}.stages", paradigm.name))?);
            }
        }
        let cells = grid.settings(Level::Within).map(|within| CellSetting {
            row: row(&within),
            dose: within.index("alignment"),
        });
        let floor = setting.value("floor").or_else(|| staged.floor.values().first().copied());
        Ok(Self { row: row(setting), floor: floor.unwrap_or(0.0), chains, of, cells: cells.collect() })
    }
}

/// What stages are filled in with.
fn filling<'a>(
    samples: &'a Samples,
    axis: &'a dyn Fn(&str) -> Option<f64>,
    severity: Option<(eigensweep_theory::views::stages::Severities, usize, eigensweep_theory::views::stages::Shape)>,
) -> Filling<'a> {
    Filling { axis, file: samples, unit: samples.mean_variance(), severity }
}

impl eigensweep_job::stages::Files for Samples {
    fn matrix(&self, path: &Path) -> Option<faer::Mat<f64>> {
        self.files.get(path).cloned()
    }
}

/// Builds the stages at a path of the job.
pub(super) fn build(
    stages: &[StageSpec],
    filling: Filling<'_>,
    samples: &Samples,
    path: &str,
) -> Result<Vec<Box<dyn Stage>>, Misbuilt> {
    let specs = all(stages, filling);
    let built = specs.iter().enumerate().map(|(at, spec)| {
        spec.build(samples.shape).map_err(|fault| Misbuilt { path: format!("{path}[{at}]"), fault })
    });
    built.collect()
}

/// The number of a row's setting among those of a level.
#[expect(clippy::cast_possible_truncation, reason = "below the number of settings, each of which is built")]
pub(super) fn position(grid: &Grid, level: Level, row: u64) -> usize {
    let axes = || grid.axes.iter().filter(move |axis| axis.level == level);
    let count: u64 = axes().map(|axis| axis.values.count()).product();
    // The axes of a level are neighbouring digits.
    axes().map(|axis| axis.stride).min().map_or(0, |step| (row / step % count) as usize)
}

/// The first row of a setting of what a task goes through.
#[expect(clippy::cast_possible_truncation, reason = "at most plan::TASK_ROWS")]
fn row(setting: &Setting<'_>) -> usize {
    setting.row() as usize
}
