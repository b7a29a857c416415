//! Single rows again: computed alone, to be compared bit for bit with what is stored.

use std::sync::Arc;

use eigensweep_job::{self as job, JobSpec};
use eigensweep_store::dataset::Section;
use eigensweep_store::plan::Plan;
use eigensweep_store::rows::Row;

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
