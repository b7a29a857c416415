//! `theory`: thresholds of spectra, or of a job.

use eigensweep_engine::EngineError;
use eigensweep_engine::thresholds::ThresholdTable;
use eigensweep_theory::thresholds::Spectra;
use numpy::PyReadonlyArray1;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::Value;

use crate::errors;
use crate::interrupt::interruptible;
use crate::jobs::JobText;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(theory_of_spectra, module)?)?;
    module.add_function(wrap_pyfunction!(theory_of_job, module)?)
}

/// Thresholds at dimension k of eigenvalues in the common basis, as JSON.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "arrays are borrowed by value")]
fn theory_of_spectra(
    signal: PyReadonlyArray1<'_, f64>,
    theta_signal: PyReadonlyArray1<'_, f64>,
    gamma: PyReadonlyArray1<'_, f64>,
    theta_noise: PyReadonlyArray1<'_, f64>,
    dimension: Option<usize>,
) -> PyResult<String> {
    let [signal, theta_signal, gamma, theta_noise] = [&signal, &theta_signal, &gamma, &theta_noise]
        .map(|spectrum| spectrum.as_array().iter().copied().collect::<Vec<f64>>());
    let dimension = dimension.unwrap_or(signal.len());
    let spectra =
        Spectra { signal: &signal, theta_signal: &theta_signal, gamma: &gamma, theta_noise: &theta_noise };
    let table = ThresholdTable::of_spectra(&spectra, dimension);
    Ok(json(&table.map_err(|error| PyValueError::new_err(error.to_string()))?))
}

/// Thresholds of a job, over its replicates or of one, as JSON.
#[pyfunction]
fn theory_of_job(python: Python<'_>, job: JobText, replicate: Option<u32>) -> PyResult<String> {
    let work = move |_: &_| {
        let job = job.read()?;
        let replicates = job.spec.job.replicates;
        match replicate.filter(|&replicate| replicate >= replicates) {
            Some(found) => {
                Ok(Err(format!("replicate={found}: the job has {replicates} replicates, counted from 0")))
            }
            None => ThresholdTable::of_job(&job, replicate).map(Ok),
        }
    };
    let found = interruptible(python, work, |_| Ok(()))?;
    let table = found.map_err(|error: EngineError| errors::of_engine(python, &error))?;
    Ok(json(&table.map_err(PyValueError::new_err)?))
}

fn json(table: &ThresholdTable) -> String {
    Value::Array(table.json()).to_string()
}
