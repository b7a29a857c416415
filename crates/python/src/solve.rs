//! Moments of one problem, and what the paradigms make of it.

use std::path::Path;
use std::sync::Arc;

use eigensweep_engine::EngineError;
use eigensweep_engine::given::solution::{self, Dimension, Solution, Source};
use eigensweep_engine::given::views::StagedViews;
use eigensweep_engine::given::{Given, GivenError, GivenMoments, asymmetry, centred};
use eigensweep_inputs::ClassLabels;
use eigensweep_theory::closed_forms::ClosedForms;
use eigensweep_theory::paradigms::named;
use eigensweep_theory::{InstructionSet, Paradigm};
use faer::{Mat, MatRef};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::arrays::{Array, NotFinite, doubles, of_matrix, optional, reserve, with};
use crate::errors;
use crate::jobs::{document, value_of};
use crate::moments::size_of_some;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Moments>()?;
    module.add_function(wrap_pyfunction!(given_moments, module)?)?;
    module.add_function(wrap_pyfunction!(staged_moments, module)?)?;
    module.add_function(wrap_pyfunction!(solve, module)?)?;
    module.add_function(wrap_pyfunction!(classes, module)?)
}

/// The moments of a problem: of p inputs, d features of a view and ℓ labels.
#[pyclass(frozen, module = "eigensweep._core")]
struct Moments(Arc<GivenMoments>);

#[pymethods]
impl Moments {
    /// Moments from elsewhere; what is left out is not known.
    #[new]
    #[pyo3(signature = (
        views, *, mean_views=None, cross=None, view_labels=None, inputs=None, input_labels=None,
        label_power=None, samples=0, mean=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "what a problem consists of")]
    fn new(
        views: PyReadonlyArray2<'_, f64>,
        mean_views: Option<PyReadonlyArray2<'_, f64>>,
        cross: Option<PyReadonlyArray2<'_, f64>>,
        view_labels: Option<PyReadonlyArray2<'_, f64>>,
        inputs: Option<PyReadonlyArray2<'_, f64>>,
        input_labels: Option<PyReadonlyArray2<'_, f64>>,
        label_power: Option<f64>,
        samples: usize,
        mean: Option<PyReadonlyArray1<'_, f64>>,
    ) -> PyResult<Self> {
        let size = Array::new("S", &views)?.view().nrows();
        // As the first that is given says.
        let columns =
            |array: &Option<PyReadonlyArray2<'_, f64>>| array.as_ref().map(|a| a.as_array().ncols());
        let rows = |array: &Option<PyReadonlyArray2<'_, f64>>| array.as_ref().map(|a| a.as_array().nrows());
        let labels = columns(&view_labels).or(columns(&input_labels)).unwrap_or(0);
        let features = rows(&cross).or(rows(&inputs)).or(rows(&input_labels)).unwrap_or(size);
        let most = size.max(features);
        reserve(doubles(5, most, most) + doubles(2, most, labels), "a problem")?;
        let take = |name, array: Option<PyReadonlyArray2<'_, f64>>, rows: usize, columns: usize| {
            let Some(array) = optional(name, array)? else {
                return Ok(Mat::from_fn(rows, columns, |_, _| f64::NAN));
            };
            let matrix = array.finite()?;
            let found = (matrix.nrows(), matrix.ncols());
            if found != (rows, columns) {
                return Err(PyValueError::new_err(format!(
                    "{name} is {rows} × {columns} where S is {size} × {size}, found {} × {}",
                    found.0, found.1
                )));
            }
            Ok(matrix.to_owned())
        };
        let moments = GivenMoments {
            samples,
            mean: mean.map_or(Ok(Mat::new()), |mean| {
                let mean = mean.as_slice()?;
                PyResult::Ok(Mat::from_fn(mean.len(), 1, |i, _| mean[i]))
            })?,
            views: take("S", Some(views), size, size)?,
            mean_views: take("G", mean_views, size, size)?,
            unfloored: None,
            cross: take("C", cross, features, size)?,
            view_labels: take("B", view_labels, size, labels)?,
            inputs: take("input_moment", inputs, features, features)?,
            input_labels: take("input_labels", input_labels, features, labels)?,
            label_power: label_power.unwrap_or(f64::NAN),
        };
        let symmetric =
            [("S", &moments.views), ("G", &moments.mean_views), ("input_moment", &moments.inputs)];
        for (name, matrix) in symmetric {
            if let Some(difference) = asymmetry(matrix.as_ref()) {
                return Err(PyValueError::new_err(format!(
                    "{name} must be symmetric, entries that should be equal differ by {difference:e}: pass ({name} + {name}.T) / 2"
                )));
            }
        }
        Ok(Self(Arc::new(moments)))
    }

    /// μ (d), if it is known.
    #[getter]
    fn mean<'py>(&self, python: Python<'py>) -> Option<Bound<'py, PyArray1<f64>>> {
        let mean = &self.0.mean;
        (mean.ncols() > 0).then(|| PyArray1::from_slice(python, mean.col_as_slice(0)))
    }

    /// G (d × d).
    #[getter]
    fn mean_views<'py>(&self, python: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        of_matrix(python, self.0.mean_views.as_ref())
    }

    /// S before its floor (d × d).
    #[getter]
    fn views<'py>(&self, python: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        of_matrix(python, self.0.unfloored.as_ref().unwrap_or(&self.0.views).as_ref())
    }

    /// C (p × d).
    #[getter]
    fn cross<'py>(&self, python: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        of_matrix(python, self.0.cross.as_ref())
    }

    /// B (d × ℓ).
    #[getter]
    fn view_labels<'py>(&self, python: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        of_matrix(python, self.0.view_labels.as_ref())
    }
}

/// Why there are no moments.
enum Fault {
    NotFinite(NotFinite),
    Given(GivenError),
    Engine(EngineError),
}

impl From<NotFinite> for Fault {
    fn from(fault: NotFinite) -> Self {
        Self::NotFinite(fault)
    }
}

impl Fault {
    fn raised(self, python: Python<'_>) -> PyErr {
        match self {
            Self::NotFinite(fault) => fault.into(),
            Self::Given(fault) => PyValueError::new_err(fault.to_string()),
            Self::Engine(fault) => errors::of_engine(python, &fault),
        }
    }
}

/// The moments of X (n × d) and Y (n × ℓ) with mean views X̄ (n × d) and a covariance Σ (d × d).
#[pyfunction]
#[pyo3(signature = (inputs, labels, mean_views, covariance, center))]
fn given_moments(
    python: Python<'_>,
    inputs: PyReadonlyArray2<'_, f64>,
    labels: Option<PyReadonlyArray2<'_, f64>>,
    mean_views: Option<PyReadonlyArray2<'_, f64>>,
    covariance: Option<PyReadonlyArray2<'_, f64>>,
    center: bool,
) -> PyResult<Moments> {
    let inputs = Array::new("inputs", &inputs)?;
    let [samples, size] = [inputs.view().nrows(), inputs.view().ncols()];
    let held = (
        inputs,
        optional("labels", labels)?,
        optional("mean_views", mean_views)?,
        optional("covariance", covariance)?,
    );
    let copies = if center { 1 + usize::from(held.2.is_some()) } else { 0 };
    let bytes = doubles(8, size, size) + doubles(copies, samples, size) + of_labels(&held.1, size);
    let found = with(python, held, (bytes, "a problem"), move |(inputs, labels, mean_views, covariance)| {
        let finite = |array: &Option<Array>| array.as_ref().map(Array::finite).transpose().map(drop);
        [labels, mean_views, covariance].into_iter().try_for_each(finite)?;
        let inputs = inputs.finite()?;
        let own = |matrix: MatRef<'_, f64>| (center && matrix.nrows() > 0).then(|| centred(matrix).0);
        let mean_views = mean_views.as_ref().map(Array::view);
        let (own_inputs, own_views) = (own(inputs), mean_views.and_then(own));
        let given = Given {
            inputs: own_inputs.as_ref().map_or(inputs, Mat::as_ref),
            labels: labels.as_ref().map(Array::view),
            mean_views: own_views.as_ref().map(Mat::as_ref).or(mean_views),
            covariance: covariance.as_ref().map(Array::view),
        };
        given.moments().map_err(Fault::Given)
    })?;
    found.map(|moments| Moments(Arc::new(moments))).map_err(|fault| fault.raised(python))
}

/// Bytes of the moments of labels (n × ℓ), with as much again on the way.
fn of_labels(labels: &Option<Array>, size: usize) -> u128 {
    labels.as_ref().map_or(0, |labels| {
        let labels = labels.view();
        doubles(1, labels.nrows(), labels.ncols()) + doubles(4, size, labels.ncols())
    })
}

/// The moments of X (n × d) and Y (n × ℓ) under views of stages: the keys of a file of views, as
/// JSON.
#[pyfunction]
#[pyo3(signature = (inputs, labels, views, center))]
fn staged_moments(
    python: Python<'_>,
    inputs: PyReadonlyArray2<'_, f64>,
    labels: Option<PyReadonlyArray2<'_, f64>>,
    views: &str,
    center: bool,
) -> PyResult<Moments> {
    let file = eigensweep_job::views_file("views", &document(&value_of(views)), Path::new(""))
        .map_err(|problems| errors::of_problems(python, &problems))?;
    let inputs = Array::new("inputs", &inputs)?;
    let samples = inputs.view().nrows();
    let size = size_of_some(samples, inputs.view().ncols())?;
    let held = (inputs, optional("labels", labels)?);
    let bytes = doubles(16, size, size) + doubles(2, samples, size) + of_labels(&held.1, size);
    let found = with(python, held, (bytes, "a problem"), move |(inputs, labels)| {
        let inputs = inputs.finite()?;
        let labels = labels.as_ref().map(Array::finite).transpose()?;
        let mut views = StagedViews::new(&file, inputs).map_err(Fault::Engine)?;
        views.moments(inputs, labels, center).map_err(Fault::Given)
    })?;
    found.map(|moments| Moments(Arc::new(moments))).map_err(|fault| fault.raised(python))
}

/// What the paradigms of these names make of a problem.
///
/// An `estimator` wants at most so many dimensions, calls them `n_components`, and is told of ties
/// alone.
#[pyfunction]
#[pyo3(signature = (moments, paradigms, dimension, source, *, centred, inputs=None, estimator=false))]
#[expect(clippy::too_many_arguments, reason = "a keyword each")]
fn solve<'py>(
    python: Python<'py>,
    moments: &Bound<'py, Moments>,
    paradigms: Vec<String>,
    dimension: usize,
    source: &str,
    centred: bool,
    inputs: Option<PyReadonlyArray2<'py, f64>>,
    estimator: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let source = match source {
        "inputs" => Source::Inputs,
        "mean_views" => Source::MeanViews,
        "covariance" => Source::Covariance,
        "views" => Source::Views,
        "moments" => Source::Moments,
        other => return Err(PyValueError::new_err(format!("{other} is no source of moments"))),
    };
    let of =
        |name: &String| named(name).ok_or_else(|| PyValueError::new_err(format!("{name} is no paradigm")));
    let paradigms = paradigms.iter().map(of).collect::<PyResult<Vec<&'static Paradigm>>>()?;
    let moments = Arc::clone(&moments.get().0);
    let size = moments.size().max(moments.inputs.nrows());
    let bytes = ClosedForms::bytes(InstructionSet::detect(), size) as u128;
    // Maps of each paradigm, here and as arrays; a probe; what remarks look at.
    let beside = doubles(8 + 4 * paradigms.len(), size, size) + doubles(8, size, moments.labels());
    let held = (moments, optional("inputs", inputs)?);
    let found = with(python, held, (bytes + beside, "a solution"), move |(moments, inputs)| {
        let inputs = inputs.as_ref().map(Array::view);
        let spelling = if estimator { of_estimator } else { of_solve };
        let problem = solution::Problem { moments, inputs, source, centred, spelling };
        let wanted = if estimator { Dimension::AtMost(dimension) } else { Dimension::Exactly(dimension) };
        let solution = problem.solve(&paradigms, wanted)?;
        let remarks = if estimator { problem.ties(&solution) } else { problem.remarks(&solution) };
        Ok::<_, solution::Unsolved>((solution, remarks))
    })?;
    let (solution, remarks) = found.map_err(|error| PyValueError::new_err(error.to_string()))?;
    of_solution(python, solution, remarks)
}

/// An argument of `solve` as it is spelled.
fn of_solve(name: &str, value: Option<usize>) -> String {
    match (name, value) {
        ("center", None) => "center=True".to_owned(),
        (name, Some(value)) => format!("{name}={value}"),
        (name, None) => format!("{name}="),
    }
}

/// A parameter of an estimator.
fn of_estimator(name: &str, value: Option<usize>) -> String {
    of_solve(if name == "dimension" { "n_components" } else { name }, value)
}

fn of_solution(python: Python<'_>, solution: Solution, remarks: Vec<String>) -> PyResult<Bound<'_, PyDict>> {
    let all = PyDict::new(python);
    for solved in solution.paradigms {
        let one = PyDict::new(python);
        one.set_item("objective", solved.objective)?;
        one.set_item("loss", solved.loss)?;
        if let Some(values) = solved.spectrum {
            one.set_item("values", PyArray1::from_vec(python, values))?;
        }
        for (name, map) in solved.maps {
            one.set_item(name, of_matrix(python, map.as_ref())?)?;
        }
        all.set_item(solved.paradigm.name, one)?;
    }
    let found = PyDict::new(python);
    found.set_item("dimension", solution.dimension)?;
    found.set_item("rank", solution.rank)?;
    found.set_item("remarks", remarks)?;
    found.set_item("paradigms", all)?;
    Ok(found)
}

/// Values (ℓ), one-hot labels (n × ℓ), and a remark.
type Classes<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray2<f64>>, Option<String>);

/// The distinct of whole numbers, and one-hot labels (n × ℓ), with a remark if they are many;
/// `None` if one is not whole.
#[pyfunction]
fn classes<'py>(python: Python<'py>, numbers: PyReadonlyArray1<'py, f64>) -> PyResult<Option<Classes<'py>>> {
    let found = ClassLabels::from_whole_numbers(numbers.as_slice()?)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    let Some(labels) = found else { return Ok(None) };
    let (count, samples) = (labels.count(), labels.classes().len());
    let remark = solution::many_classes("labels=", count, samples, of_solve);
    let values = PyArray1::from_slice(python, labels.values());
    Ok(Some((values, of_matrix(python, labels.one_hot().as_ref())?, remark)))
}
