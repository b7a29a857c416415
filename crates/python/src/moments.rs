//! Second moments of rows, by the project's kernels: what the estimators fit.

use eigensweep_engine::given::product;
use eigensweep_inputs::{Blocks, InputError, Sparse};
use faer::{Mat, MatRef};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{Array, doubles, of_matrix, reserve, with};

/// Means (d), and a moment (d × d).
type MeanAndMoment<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>);

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(second_moment, module)?)?;
    module.add_function(wrap_pyfunction!(sparse_second_moment, module)?)?;
    module.add_function(wrap_pyfunction!(cross_moment, module)?)
}

/// A matrix as rows.
#[derive(Debug)]
struct Rows<'a>(MatRef<'a, f64>);

impl Blocks for Rows<'_> {
    fn samples(&self) -> usize {
        self.0.nrows()
    }

    fn features(&self) -> usize {
        self.0.ncols()
    }

    fn bytes(&self) -> u64 {
        size_of::<f64>() as u64 * self.0.nrows() as u64 * self.0.ncols() as u64
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        let to = rows.chunks_exact_mut(self.features());
        for (to, row) in to.zip(self.0.subrows(first, self.samples() - first).row_iter()) {
            match row.try_as_row_major() {
                Some(row) => to.copy_from_slice(row.as_slice()),
                None => to.iter_mut().zip(row.iter()).for_each(|(to, value)| *to = *value),
            }
        }
    }
}

/// Column means of X (n × d), and its centred second moment (d × d).
#[pyfunction]
fn second_moment<'py>(
    python: Python<'py>,
    inputs: PyReadonlyArray2<'py, f64>,
) -> PyResult<MeanAndMoment<'py>> {
    let inputs = Array::new("inputs", &inputs)?;
    let size = size_of_some(inputs.view().nrows(), inputs.view().ncols())?;
    let needs = (doubles(4, size, size), "a second moment");
    let found = with(python, inputs, needs, |inputs| inputs.finite().map(|inputs| moments(&Rows(inputs))))?;
    of_moments(python, found?)
}

/// The same of compressed sparse rows: where each begins and the last ends (n + 1), and the column
/// of each value, ascending within a row.
#[pyfunction]
fn sparse_second_moment<'py>(
    python: Python<'py>,
    starts: PyReadonlyArray1<'py, u64>,
    columns: PyReadonlyArray1<'py, u32>,
    values: PyReadonlyArray1<'py, f64>,
    features: usize,
) -> PyResult<MeanAndMoment<'py>> {
    let size = size_of_some(starts.as_slice()?.len().saturating_sub(1), features)?;
    let entries = columns.len()? + starts.len()?;
    let needs = (doubles(4, size, size) + doubles(2, entries, 1), "a second moment");
    // First of all: no more is copied than can be worked on.
    reserve(needs.0 + doubles(2, entries, 1), needs.1)?;
    let starts = starts.as_slice()?.iter().map(|&start| usize::try_from(start));
    let starts = starts.collect::<Result<Vec<_>, _>>()?;
    let (columns, values) = (columns.as_slice()?.to_vec(), values.as_slice()?.to_vec());
    let found = with(python, (), needs, move |()| {
        Sparse::new(starts, columns, values, features).and_then(|rows| moments(&rows))
    })?;
    of_moments(python, found)
}

/// `AᵀB/n` of A (n × p) and B (n × q).
#[pyfunction]
fn cross_moment<'py>(
    python: Python<'py>,
    left: PyReadonlyArray2<'py, f64>,
    right: PyReadonlyArray2<'py, f64>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let held = (Array::new("left", &left)?, Array::new("right", &right)?);
    let (left, right) = (held.0.view(), held.1.view());
    if left.nrows() != right.nrows() || left.nrows() == 0 {
        let (left, right) = (left.nrows(), right.nrows());
        return Err(PyValueError::new_err(format!("{left} and {right} rows: they belong together")));
    }
    let needs = (doubles(2, left.ncols(), right.ncols()), "a moment");
    let found = with(python, held, needs, |(left, right)| product(left.view(), right.view()))?;
    of_matrix(python, found.as_ref())
}

/// d, of inputs that hold something.
///
/// # Errors
///
/// `ValueError`.
pub(crate) fn size_of_some(samples: usize, features: usize) -> PyResult<usize> {
    if samples == 0 || features == 0 {
        let message = format!("inputs of {samples} rows and {features} columns hold nothing");
        return Err(PyValueError::new_err(message));
    }
    Ok(features)
}

/// Means and the lower triangle of the centred second moment.
fn moments(rows: &dyn Blocks) -> Result<(Vec<f64>, Mat<f64>), InputError> {
    Ok((rows.means(), rows.second_moment()?))
}

fn of_moments(
    python: Python<'_>,
    found: Result<(Vec<f64>, Mat<f64>), InputError>,
) -> PyResult<MeanAndMoment<'_>> {
    let (mean, mut moment) = found.map_err(|error| PyValueError::new_err(error.to_string()))?;
    for column in 0..moment.ncols() {
        for row in 0..column {
            moment[(row, column)] = moment[(column, row)];
        }
    }
    Ok((PyArray1::from_vec(python, mean), of_matrix(python, moment.as_ref())?))
}
