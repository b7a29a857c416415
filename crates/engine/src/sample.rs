//! A part by way of trial: what the rows of a job take on disk.

use std::path::Path;
use std::sync::Arc;

use crate::EngineError;
use crate::input::Input;
use crate::simulation::{Simulation, Workspace};
use eigensweep_job::JobSpec;
use eigensweep_store::dataset::{Collector, Section};

/// Size of a part that was encoded by way of trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleSize {
    /// Rows of the job in it.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Computes the first part of a job, encodes it in `directory`, and throws it away.
///
/// # Errors
///
/// [`EngineError`] if the job cannot be planned or the file cannot be written.
pub fn encode_sample(
    spec: &JobSpec,
    input: &Arc<Input>,
    directory: &Path,
) -> Result<SampleSize, EngineError> {
    let section = Section::of_input(0, spec.clone(), &input.facts())?;
    let plan = &section.plan;
    let simulation = Simulation::new(spec, Arc::clone(input), plan.clone());
    let mut collector = Collector::new(&section, None);
    let (mut workspace, mut batch) = (Workspace::new(&simulation), simulation.new_batch());
    collector.begin(plan, 0);
    for task in plan.part_tasks(0) {
        simulation.run_task(task, &mut workspace, &mut batch);
        collector.add(plan, &batch);
    }
    let rows = plan.part_rows(0);
    let encoded = collector.encode(plan, 0, directory)?;
    Ok(SampleSize { rows: rows.end - rows.start, bytes: encoded.bytes })
}
