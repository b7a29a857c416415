//! Single rows again: computed alone, to be compared bit for bit with what is stored.

use std::sync::Arc;

use eigensweep_job::{self as job, JobSpec};
use eigensweep_store::StoreError;
use eigensweep_store::columns::{self, Status};
use eigensweep_store::dataset::{Dataset, Identity, Section};
use eigensweep_store::find::StoredRow;
use eigensweep_store::grid::Values;
use eigensweep_store::plan::Plan;
use eigensweep_store::rows::{Row, metrics_of};
use eigensweep_theory::Paradigm;
use serde_json::{Map, Number, Value, json};

use crate::EngineError;
use crate::input::Input;
use crate::simulation::explain::{Explained, explain};
use crate::simulation::{Simulation, Workspace};

/// A row on its own: a job of one cell.
#[derive(Debug)]
pub struct Alone {
    simulation: Simulation,
    workspace: Workspace,
    samples: u64,
    paradigm: usize,
}

impl Alone {
    /// Prepares the row with this number of a section, from the input of the whole job.
    ///
    /// # Errors
    ///
    /// [`EngineError`] if the cell cannot be planned, which the whole job could.
    pub fn new(section: &Section, row: u64, input: &Arc<Input>) -> Result<Self, EngineError> {
        let grid = &section.plan.grid;
        let position = |name: &str| grid.axis(name).map_or(0, |axis| axis.index(row));
        let alone = Self::of(&section.spec, grid.replicate(row), position, input)?;
        let simulation = alone.simulation.with_thresholds_of(section.thresholds);
        Ok(Self { simulation, paradigm: grid.paradigm(row), ..alone })
    }

    /// Prepares a cell of a job, of each axis the value at the position that `position` gives for
    /// its column; its row is that of the job's first paradigm.
    ///
    /// # Errors
    ///
    /// [`EngineError`] if the cell cannot be planned, which the whole job could.
    pub fn of(
        spec: &JobSpec,
        replicate: u64,
        position: impl Fn(&str) -> usize,
        input: &Arc<Input>,
    ) -> Result<Self, EngineError> {
        let spec = job::cell(spec, replicate, position);
        let input = Arc::new(input.for_part(&spec));
        let plan = Plan::new(&spec, input.extents())?;
        let samples = spec.grid.samples.values().first().map_or(0, |n| n.unsigned_abs());
        let simulation = Simulation::new(&spec, input, plan);
        let workspace = Workspace::new(&simulation);
        Ok(Self { simulation, workspace, samples, paradigm: 0 })
    }

    /// Computes the row.
    pub fn compute(&mut self) -> Row {
        let mut rows = self.simulation.new_batch();
        self.simulation.run_task(0, &mut self.workspace, &mut rows);
        rows.row(self.paradigm)
    }

    /// Estimated flops of the cell.
    #[must_use]
    pub fn flops(&self) -> f64 {
        self.simulation.plan().cost.total()
    }

    /// Spectra and eigenvalues of the problem that was computed last.
    #[must_use]
    pub fn explain(&self) -> Explained {
        explain(&self.simulation, &self.workspace, self.samples)
    }
}

/// The input that a data set's rows were computed from, `overrides` (`data.images=…`) saying where
/// its files are now.
///
/// # Errors
///
/// [`EngineError`] if it cannot be read, or is another than the data set's.
pub fn input(dataset: &Dataset, overrides: &[String]) -> Result<Input, EngineError> {
    let job = dataset.job(overrides)?;
    let input = Input::load(&job)?;
    let identity = Identity::new(&job.spec, input.fingerprint());
    if identity.study != dataset.identity().study {
        let what = dataset.identity().difference(&identity);
        return Err(StoreError::DifferentJob { path: dataset.root().to_path_buf(), what }.into());
    }
    Ok(input)
}

/// A stored row beside the same one computed alone, and what is behind it.
#[derive(Debug)]
pub struct Replayed<'a> {
    section: &'a Section,
    /// What is stored.
    pub stored: &'a StoredRow,
    /// What is computed.
    pub alone: Row,
    /// The problem behind it.
    pub explained: Explained,
    /// Whether its bits are those stored, if any are.
    pub same_bits: Option<bool>,
}

impl<'a> Replayed<'a> {
    /// Computes a row of a section, which `alone` is of.
    #[must_use]
    pub fn new(section: &'a Section, stored: &'a StoredRow, alone: &mut Alone) -> Self {
        let values = alone.compute();
        let same_bits = stored.stored.as_ref().map(|stored| stored.bits() == values.bits());
        Self { section, stored, alone: values, explained: alone.explain(), same_bits }
    }

    /// Whether an earlier program refused it as singular, which this one solves.
    #[must_use]
    pub fn was_refused(&self) -> bool {
        let status = |row: &Row| row.status == Status::NotPositiveDefinite;
        self.stored.stored.as_ref().is_some_and(status) && !status(&self.alone)
    }

    /// Whose row it is.
    #[must_use]
    pub fn paradigm(&self) -> &'static Paradigm {
        self.section.spec.model.paradigms[self.section.plan.grid.paradigm(self.stored.row)]
    }

    /// k.
    #[must_use]
    pub fn dimension(&self) -> Option<usize> {
        let axis = self.section.plan.grid.axis("dimension")?;
        let values = self.section.spec.model.dimension.values();
        values.get(axis.index(self.stored.row)).and_then(|&k| usize::try_from(k).ok())
    }

    /// Each metric: its name, computed alone, and stored.
    pub fn metrics(&self) -> impl Iterator<Item = (&'static str, Option<f64>, Option<f64>)> + '_ {
        let number = |value: f64| (!value.is_nan()).then_some(value);
        metrics_of(&self.section.spec).into_iter().enumerate().map(move |(at, metric)| {
            let stored = self.stored.stored.as_ref().and_then(|row| number(row.values[at]));
            (metric.name, number(self.alone.values[at]), stored)
        })
    }

    /// The name of the stored status.
    #[must_use]
    pub fn stored_status(&self) -> Option<&str> {
        self.stored.stored.as_ref().map(|row| row.status.name())
    }

    /// Names and values of the coordinates; counts are whole.
    #[must_use]
    pub fn coordinates(&self) -> Vec<(&'static str, Number)> {
        let (grid, row) = (&self.section.plan.grid, self.stored.row);
        let axes = grid.axes.iter().filter_map(|axis| {
            let index = axis.index(row);
            let value = match &axis.values {
                Values::Integers(values) => Number::from(*values.get(index)?),
                Values::Floats(values) => Number::from_f64(*values.get(index)?)?,
            };
            Some((axis.name, value))
        });
        std::iter::once((columns::REPLICATE, grid.replicate(row).into())).chain(axes).collect()
    }

    /// All of it for programs.
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        let mut object: Map<String, Value> =
            self.coordinates().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        object.insert("paradigm".to_owned(), self.paradigm().name.into());
        for (name, new, old) in self.metrics() {
            object.insert(name.to_owned(), json!({ "alone": new, "stored": old }));
        }
        let explained = &self.explained;
        let spectra: Map<String, Value> = explained
            .spectra
            .iter()
            .map(|(paradigm, values)| {
                let values = values.as_ref().map_or_else(|failure| json!(failure.to_string()), |v| json!(v));
                (paradigm.name.to_owned(), values)
            })
            .collect();
        for (key, value) in [
            ("status", json!({ "alone": self.alone.status.name(), "stored": self.stored_status() })),
            ("same_bits", json!(self.same_bits)),
            ("file", self.stored.file.clone().into()),
            ("signal", json!(explained.signal)),
            ("gamma", json!(explained.gamma)),
            ("theta", json!(explained.theta)),
            ("spectra", spectra.into()),
        ] {
            object.insert(key.to_owned(), value);
        }
        object
    }
}
