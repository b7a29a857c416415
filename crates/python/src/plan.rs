//! `plan`: what a job would take.

use eigensweep_engine::EngineError;
use eigensweep_engine::estimate::{Estimate, Shards};
use eigensweep_engine::study::{Planned, Study};
use eigensweep_store::grid::Values;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors;
use crate::interrupt::interruptible;
use crate::jobs::JobText;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(plan, module)?)
}

/// The grid of a job, and what it would take on so many threads and over so many shards.
#[pyfunction]
fn plan<'py>(python: Python<'py>, job: JobText, threads: usize, shards: u64) -> PyResult<Bound<'py, PyDict>> {
    let planned = interruptible(python, move |_| estimated(&job, threads), |_| Ok(()))?;
    let (planned, estimate, loading) = planned.map_err(|error| errors::of_engine(python, &error))?;
    let (simulation, found) = (planned.simulation(), PyDict::new(python));
    let grid = &simulation.plan().grid;
    let axes = PyDict::new(python);
    for axis in &grid.axes {
        match &axis.values {
            Values::Integers(values) => axes.set_item(axis.name, values)?,
            Values::Floats(values) => axes.set_item(axis.name, values)?,
        }
    }
    found.set_item("name", &planned.spec().job.name)?;
    let identity = planned.identity();
    found.set_item("hash", identity.hash)?;
    found.set_item("job", identity.job)?;
    found.set_item("replicates", grid.replicates)?;
    found.set_item("axes", axes)?;
    found.set_item("paradigms", simulation.paradigms().map(|paradigm| paradigm.name).collect::<Vec<_>>())?;
    found.set_item("metrics", simulation.no_rows().metrics().iter().map(|m| m.name).collect::<Vec<_>>())?;
    found.set_item("rows", estimate.rows)?;
    found.set_item("tasks", estimate.tasks)?;
    found.set_item("parts", estimate.parts)?;
    found.set_item("bytes", estimate.bytes)?;
    found.set_item("memory", estimate.memory)?;
    found.set_item("threads", estimate.threads)?;
    found.set_item("seconds", estimate.seconds)?;
    found.set_item("loading", loading)?;
    let Shards { count, empty, parts, seconds } = estimate.shards(simulation.plan(), shards);
    let division = PyDict::new(python);
    division.set_item("count", count)?;
    division.set_item("empty", empty)?;
    division.set_item("parts", (parts[0], parts[1]))?;
    division.set_item("seconds", (seconds[0], seconds[1]))?;
    found.set_item("shards", division)?;
    Ok(found)
}

/// A job that was tried, and the seconds that its input took to load.
fn estimated(job: &JobText, threads: usize) -> Result<(Planned, Estimate, f64), EngineError> {
    let job = job.read()?;
    let begun = eigensweep_host::clock();
    let planned = Study::load(job)?.plan()?;
    let loading = eigensweep_host::clock() - begun;
    let estimate = Estimate::new(&planned, threads, eigensweep_host::clock)?;
    Ok((planned, estimate, loading))
}
