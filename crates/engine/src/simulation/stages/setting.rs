//! The settings of corruption and views that the grid runs through: where they are, and how their
//! stages are built.
//!
//! Stages are built where they are used. That takes a small share of what pushing them through
//! moments does, and a sweep of thousands of settings holds the stages of one.

use std::path::Path;

use eigensweep_job::stages::{Filling, StagesSpec, all};
use eigensweep_job::{DataSpec, JobSpec, Level, StageSpec};
use eigensweep_store::grid::{Grid, Setting};
use eigensweep_theory::Paradigm;
use eigensweep_theory::views::stages::{Chain, Dose, Fault, Stage, Tier, Views, build_all};

use crate::samples::Samples;

/// All settings, in the order of the rows.
#[derive(Debug)]
pub(super) struct Settings {
    /// Principal components by data setting; `None` of raw features.
    pub(super) components: Vec<Option<i64>>,
    /// Of each setting of the corruption's axes, a row of the grid that has its values.
    pub(super) noise: Vec<u64>,
    pub(super) views: Vec<ViewSetting>,
    pub(super) cells: Vec<CellSetting>,
    /// Of each dimension its first row, of those of a cell.
    pub(super) dimensions: Vec<usize>,
    /// The different chains of views.
    pub(super) chains: Vec<ChainSpec>,
    /// The chain of each paradigm.
    pub(super) of: Vec<usize>,
}

/// A chain of views with its place in the job.
#[derive(Clone, Debug)]
pub(super) struct ChainSpec {
    pub(super) path: String,
    pub(super) stages: Vec<StageSpec>,
}

/// One setting of the axes of the views.
#[derive(Clone, Copy, Debug)]
pub(super) struct ViewSetting {
    /// Its first row, of those of a sample.
    pub(super) row: usize,
    /// A row of the grid that has its values.
    pub(super) at: u64,
    pub(super) floor: f64,
}

/// One setting of what corrupted samples' views alone depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct CellSetting {
    /// Its first row, of those of a view setting.
    pub(super) row: usize,
    pub(super) alignment: f64,
}

impl Settings {
    pub(super) fn new(spec: &JobSpec, staged: &StagesSpec, grid: &Grid) -> Self {
        let components = spec.data.components();
        let component = |setting: Setting<'_>| {
            components.and_then(|axis| axis.values().get(setting.index("signal_components")).copied())
        };
        let only = |values: &[f64]| values.first().copied().unwrap_or(0.0);
        let views = grid.settings(Level::Views).map(|setting| ViewSetting {
            row: row(&setting),
            at: setting.row(),
            floor: setting.value("floor").unwrap_or(only(staged.floor.values())),
        });
        let cells = grid.settings(Level::Within).map(|setting| CellSetting {
            row: row(&setting),
            alignment: setting.value("alignment").unwrap_or(only(staged.alignment.values())),
        });
        let mut chains =
            vec![ChainSpec { path: "augmentation.stages".to_owned(), stages: staged.augmentation.clone() }];
        let mut chain_of = |paradigm: &&'static Paradigm| {
            let Some((_, stages)) = staged.own.iter().find(|(of, _)| of == paradigm) else { return 0 };
            let path = format!("augmentation.{}.stages", paradigm.name);
            chains.push(ChainSpec { path, stages: stages.clone() });
            chains.len() - 1
        };
        let of = spec.model.paradigms.iter().map(&mut chain_of).collect();
        Self {
            components: grid.settings(Level::Data).map(component).collect(),
            noise: grid.settings(Level::Noise).map(|setting| setting.row()).collect(),
            views: views.collect(),
            cells: cells.collect(),
            dimensions: grid.settings(Level::Dimension).map(|setting| row(&setting)).collect(),
            chains,
            of,
        }
    }
}

/// A chain of views, and what the moments of each of its stages are computed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainTiers {
    /// The paradigms whose views it makes.
    pub paradigms: Vec<&'static Paradigm>,
    /// Each stage with its tier; first the dose of the corruption, where an alignment asks for one.
    pub stages: Vec<(String, Tier)>,
}

/// The chains of a job whose input was checked, at the first setting of its axes.
#[must_use]
pub fn tiers(spec: &JobSpec, staged: &StagesSpec, samples: &Samples) -> Vec<ChainTiers> {
    let grid = Grid::new(spec);
    let settings = Settings::new(spec, staged, &grid);
    let dose = settings.cells.iter().find_map(|cell| staged.dose.of(cell.alignment)).and_then(|dosing| {
        let mut built =
            settings.noise.iter().filter_map(|&at| corruption(staged, samples, &grid, at).ok()?);
        Some(Dose::new(built.next()?, dosing))
    });
    let at = settings.views.first().map_or(0, |views| views.at);
    let mut dose = dose.map(|dose| (dose, "the corruption's dose".to_owned()));
    let mut chains = Vec::new();
    for (number, chain) in settings.chains.iter().enumerate() {
        let of = spec.model.paradigms.iter().zip(&settings.of).filter(|(_, of)| **of == number);
        let paradigms: Vec<_> = of.map(|(paradigm, _)| *paradigm).collect();
        if paradigms.is_empty() {
            continue;
        }
        let (first, name) = dose.take().unzip();
        let names = name.iter().cloned().chain(chain.stages.iter().map(|stage| stage.name.clone()));
        let (behind, of_features): (Vec<String>, Vec<_>) = behind(spec, samples).into_iter().unzip();
        let names: Vec<String> = names.chain(behind).collect();
        let tiers: Vec<Tier> = views(chain, samples, &grid, at, first).map_or_else(
            |_| Vec::new(),
            |stages| Views::new(stages.into_iter().chain(of_features).collect()).tiers().collect(),
        );
        chains.push(ChainTiers { paradigms, stages: names.into_iter().zip(tiers).collect() });
    }
    chains
}

/// The features behind views at the first value of the `components` axis, as stages with their
/// names.
pub(super) fn behind(spec: &JobSpec, samples: &Samples) -> Vec<(String, Box<dyn Stage>)> {
    let DataSpec::Rows(rows) = &spec.data else { return Vec::new() };
    samples.features.first().map_or_else(Vec::new, |features| features.stages(&rows.features))
}

/// A stage of a job that cannot be built.
#[derive(Debug)]
pub(super) struct Misbuilt {
    /// The path of its chain in the job: `augmentation.stages`.
    pub(super) path: String,
    pub(super) fault: Fault,
}

/// Builds the corruption at a row of the grid; `None` where samples stay clean.
pub(super) fn corruption(
    staged: &StagesSpec,
    samples: &Samples,
    grid: &Grid,
    at: u64,
) -> Result<Option<Box<dyn Stage>>, Misbuilt> {
    let index = grid.axis("severity").map_or(0, |axis| axis.index(at));
    let severity = staged.severity.as_ref().and_then(|axis| axis.values().get(index));
    let severity = severity.map(|&severity| usize::try_from(severity).unwrap_or(0));
    if staged.corruption.is_empty() || severity == Some(0) {
        return Ok(None);
    }
    let severity = severity.map(|severity| (staged.severities, severity, samples.shape));
    let stages = with_filling(samples, grid, at, |filling| {
        let specs = all(&staged.corruption, Filling { severity, ..filling });
        build_all(&specs, samples.shape, "")
    });
    let misbuilt = |fault| Misbuilt { path: "corruption.stages".to_owned(), fault };
    Ok(Some(Box::new(Chain { stages: stages.map_err(misbuilt)? })))
}

/// Builds views at a row of the grid: first the dose of the corruption, if there is one.
pub(super) fn views(
    chain: &ChainSpec,
    samples: &Samples,
    grid: &Grid,
    at: u64,
    dose: Option<Dose>,
) -> Result<Vec<Box<dyn Stage>>, Misbuilt> {
    let stages =
        with_filling(samples, grid, at, |filling| build_all(&all(&chain.stages, filling), samples.shape, ""));
    let stages = stages.map_err(|fault| Misbuilt { path: chain.path.clone(), fault })?;
    let dose = dose.map(|dose| Box::new(dose) as Box<dyn Stage>);
    Ok(dose.into_iter().chain(stages).collect())
}

/// Calls with what stages are filled in with at a row of the grid.
fn with_filling<R>(samples: &Samples, grid: &Grid, at: u64, call: impl FnOnce(Filling<'_>) -> R) -> R {
    let axis = |column: &str| grid.axis(column).map(|axis| axis.values.as_float(axis.index(at)));
    let file = |path: &Path| samples.files.get(path).cloned();
    call(Filling { axis: &axis, file: &file, unit: samples.mean_variance(), severity: None })
}

/// The number of a row's setting among those of a level.
#[expect(clippy::cast_possible_truncation, reason = "below the number of settings")]
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
