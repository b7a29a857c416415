//! A data set on disk, read anew at each call: what it is, its rows, its figures.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_schema::DataType;
use eigensweep_engine::EngineError;
use eigensweep_engine::replay::{self as engine, Alone, Replayed};
use eigensweep_figures::kinds::{self, KINDS};
use eigensweep_figures::{Band, FigureError, FigureSpec, Source, Spacing, draw as drawn, report as page};
use eigensweep_host::machine;
use eigensweep_job::Detail;
use eigensweep_store::StoreError;
use eigensweep_store::dataset::{Dataset, SUMMARY_FILE};
use eigensweep_store::filter::Filter;
use eigensweep_store::find;
use eigensweep_store::grid::{Grid, Values};
use eigensweep_store::rows::metrics_of;
use eigensweep_store::source::{Source as Sound, UnknownName};
use eigensweep_store::status::Progress;
use eigensweep_store::views::{self, Columns};
use eigensweep_theory::paradigms;
use numpy::PyArray1;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict};
use serde_json::{Value, json};

use crate::errors;
use crate::interrupt::interruptible;
use crate::jobs::overrides;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Drawing>()?;
    module.add_function(wrap_pyfunction!(refuse_strange, module)?)?;
    module.add_function(wrap_pyfunction!(describe, module)?)?;
    module.add_function(wrap_pyfunction!(part_files, module)?)?;
    module.add_function(wrap_pyfunction!(summary_file, module)?)?;
    module.add_function(wrap_pyfunction!(sql_views, module)?)?;
    module.add_function(wrap_pyfunction!(columns, module)?)?;
    module.add_function(wrap_pyfunction!(arrow_stream, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(replay, module)?)?;
    module.add_function(wrap_pyfunction!(draw, module)?)?;
    module.add_function(wrap_pyfunction!(report, module)?)
}

/// Opens a data set to read it; what is damaged of it counts as missing.
fn read(python: Python<'_>, path: &Path) -> PyResult<Dataset> {
    let read = python.detach(|| Dataset::read(path, false));
    read.map(|(dataset, _)| dataset).map_err(|error| errors::of_store(python, &error))
}

/// The same where it is read whole: nothing of it may be damaged, and there must be rows.
fn sound(python: Python<'_>, path: &Path) -> PyResult<Dataset> {
    let sound = python.detach(|| Sound::open(path)).map_err(FigureError::from);
    sound.map(|source| source.dataset).map_err(|error| errors::of_figure(python, &error))
}

/// The same of a data set that keeps rows.
fn with_rows(python: Python<'_>, path: &Path) -> PyResult<Dataset> {
    let dataset = sound(python, path)?;
    match dataset.spec().output.detail {
        Detail::Rows => Ok(dataset),
        Detail::Summary => Err(errors::error(
            python,
            &format!("{} keeps a summary in place of rows: summary() has it", path.display()),
        )),
    }
}

/// Refuses a directory in which a run would not begin.
#[pyfunction]
fn refuse_strange(python: Python<'_>, path: PathBuf) -> PyResult<()> {
    Dataset::refuse_strange(&path).map_err(|error| errors::of_store(python, &error))
}

/// What a data set is and how it stands, as JSON.
#[pyfunction]
fn describe(python: Python<'_>, path: PathBuf) -> PyResult<String> {
    let described = python.detach(|| -> Result<Value, StoreError> {
        let (dataset, faults) = Dataset::read(&path, false)?;
        let mut status = Progress::of(&dataset, machine::now())?.json(&dataset);
        status["faults"] = json!(faults.len());
        let spec = dataset.spec();
        let axes: Vec<Value> = Grid::new(spec)
            .axes
            .iter()
            .map(|axis| match &axis.values {
                Values::Integers(values) => json!([axis.name, values]),
                Values::Floats(values) => json!([axis.name, values]),
            })
            .collect();
        let metrics = metrics_of(spec);
        Ok(json!({
            "status": status,
            "axes": axes,
            "paradigms": spec.model.paradigms.iter().map(|paradigm| paradigm.name).collect::<Vec<_>>(),
            "metrics": metrics.iter().map(|metric| metric.name).collect::<Vec<_>>(),
            "detail": spec.output.detail.name(),
            "table": if spec.boundary.is_some() { "boundary" } else { "results" },
            "job": dataset.identity().job,
        }))
    });
    described.map(|value| value.to_string()).map_err(|error| errors::of_store(python, &error))
}

/// The files of all rows that are done.
#[pyfunction]
fn part_files(python: Python<'_>, path: PathBuf) -> PyResult<Vec<PathBuf>> {
    Ok(with_rows(python, &path)?.part_files())
}

/// The file of the summary of all rows.
#[pyfunction]
fn summary_file(python: Python<'_>, path: PathBuf) -> PyResult<PathBuf> {
    let dataset = read(python, &path)?;
    dataset.refuse_boundaries().map_err(|error| errors::of_store(python, &error))?;
    if dataset.has_summary() {
        return Ok(dataset.path(SUMMARY_FILE));
    }
    let (done, all) = (dataset.rows_done(), dataset.rows());
    let message = format!(
        "{} has no summary: {done} of {all} rows are done, and it comes with the last; run the job to its end",
        path.display()
    );
    Err(errors::error(python, &message))
}

/// The tables that SQL knows beside `results`, each with its query.
#[pyfunction]
fn sql_views(python: Python<'_>, path: PathBuf) -> PyResult<Vec<(&'static str, String)>> {
    let dataset = with_rows(python, &path)?;
    if dataset.spec().boundary.is_some() {
        return Ok(Vec::new());
    }
    let schema = dataset.schema();
    let columns = Columns::new(Detail::Rows, schema.fields().iter().map(|field| field.name().as_str()));
    let best = views::best(&columns, &paradigms::ALL.map(|paradigm| paradigm.name));
    // Every job has a column of distances, which is what there may be no `best` for want of.
    Ok([("summary", Ok(views::summary(&columns))), ("best", best)]
        .into_iter()
        .filter_map(|(name, query)| Some((name, query.ok()?)))
        .collect())
}

/// A column in hand: numbers, or keys into names.
enum Column {
    Floats(Vec<f64>),
    Integers(Vec<i32>),
    Longs(Vec<i64>),
    Words(Vec<i32>, Vec<String>),
}

impl Column {
    fn of(kind: &DataType, rows: usize) -> Self {
        if *kind == DataType::Int32 {
            Self::Integers(Vec::with_capacity(rows))
        } else if *kind == DataType::Int64 {
            Self::Longs(Vec::with_capacity(rows))
        } else if matches!(kind, DataType::Dictionary(..)) {
            Self::Words(Vec::with_capacity(rows), Vec::new())
        } else {
            Self::Floats(Vec::with_capacity(rows))
        }
    }

    fn extend(&mut self, array: &dyn Array) {
        match self {
            Self::Floats(all) => {
                let found = array.as_primitive::<Float64Type>();
                all.extend(found.iter().map(|value| value.unwrap_or(f64::NAN)));
            }
            Self::Integers(all) => all.extend_from_slice(array.as_primitive::<Int32Type>().values()),
            Self::Longs(all) => all.extend_from_slice(array.as_primitive::<Int64Type>().values()),
            Self::Words(all, names) => {
                let found = array.as_dictionary::<Int32Type>();
                all.extend_from_slice(found.keys().values());
                if names.is_empty() {
                    names.extend(found.values().as_string::<i32>().iter().flatten().map(str::to_owned));
                }
            }
        }
    }

    fn into_python<'py>(self, python: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::Floats(values) => PyArray1::from_vec(python, values).into_any(),
            Self::Integers(values) => PyArray1::from_vec(python, values).into_any(),
            Self::Longs(values) => PyArray1::from_vec(python, values).into_any(),
            Self::Words(keys, names) => {
                (PyArray1::from_vec(python, keys), names).into_pyobject(python)?.into_any()
            }
        })
    }
}

/// All rows that are done, a column an array; words are keys and names; NaN where there is no
/// value.
#[pyfunction]
fn columns<'py>(python: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyDict>> {
    let dataset = with_rows(python, &path)?;
    let read = move |stop: &AtomicBool| {
        let rows: u64 = dataset.records().map(|record| record.rows).sum();
        let (rows, batches) = (usize::try_from(rows).unwrap_or(0), dataset.batches());
        let schema = batches.schema();
        let mut columns: Vec<Column> =
            schema.fields().iter().map(|field| Column::of(field.data_type(), rows)).collect();
        for batch in batches {
            let batch: RecordBatch = batch?;
            columns.iter_mut().zip(batch.columns()).for_each(|(column, array)| column.extend(array));
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok::<_, arrow_schema::ArrowError>((schema, columns))
    };
    let read = interruptible(python, read, |_| Ok(()))?;
    let (schema, columns) = read.map_err(|error| errors::error(python, &error.to_string()))?;
    let found = PyDict::new(python);
    for (field, column) in schema.fields().iter().zip(columns) {
        found.set_item(field.name(), column.into_python(python)?)?;
    }
    Ok(found)
}

/// All rows that are done, as a stream of Arrow's C interface: a part at a time is open.
#[pyfunction]
fn arrow_stream<'py>(python: Python<'py>, path: PathBuf) -> PyResult<Bound<'py, PyCapsule>> {
    let batches = with_rows(python, &path)?.batches();
    PyCapsule::new_with_value(python, FFI_ArrowArrayStream::new(Box::new(batches)), c"arrow_array_stream")
}

/// What is damaged: each file with what is wrong with it.
#[pyfunction]
fn verify(python: Python<'_>, path: PathBuf) -> PyResult<Vec<(String, String)>> {
    let verified = interruptible(
        python,
        move |_| {
            let (dataset, mut faults) = Dataset::read(&path, true)?;
            faults.extend(dataset.summary_fault());
            Ok::<_, StoreError>(faults)
        },
        |_| Ok(()),
    )?;
    let faults = verified.map_err(|error| errors::of_store(python, &error))?;
    Ok(faults.into_iter().map(|fault| (fault.file, fault.fault)).collect())
}

/// Why a row was not computed again.
enum Fault {
    Engine(EngineError),
    /// No such rows, or a condition that is none.
    Condition(String),
}

impl<E: Into<EngineError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

/// The first rows, `most` of them, that fulfil a condition, each computed again alone, as JSON;
/// `set` says where files are now, each key with its value as JSON.
#[pyfunction]
fn replay(
    python: Python<'_>,
    path: PathBuf,
    condition: String,
    most: usize,
    set: Vec<(String, String)>,
) -> PyResult<String> {
    let work = move |stop: &AtomicBool| -> Result<Value, Fault> {
        let (dataset, _) = Dataset::read(&path, false)?;
        let filter = Filter::parse(&condition, &find::columns(&dataset))
            .map_err(|error| Fault::Condition(format!("where='{condition}': {error}")))?;
        let (rows, _) = find::find(&dataset, &filter, most)?;
        if rows.is_empty() {
            let why = find::why_none(&filter, std::iter::once(("", &dataset)));
            return Err(Fault::Condition(format!("no row fulfils {condition}{why}")));
        }
        let input = Arc::new(engine::input(&dataset, &overrides(&set))?);
        let mut found = Vec::new();
        for stored in &rows {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let section = &dataset.sections()[stored.section];
            let mut alone = Alone::new(section, stored.row, &input)?;
            found.push(Value::Object(Replayed::new(section, stored, &mut alone).json()));
        }
        Ok(Value::Array(found))
    };
    let found = interruptible(python, work, |_| Ok(()))?;
    found.map(|rows| rows.to_string()).map_err(|fault| match fault {
        Fault::Engine(error) => errors::of_engine(python, &error),
        Fault::Condition(message) => errors::error(python, &errors::spelled(&message)),
    })
}

/// A number, of which none is too large to be wrong as a value.
fn resolution_of(value: &Bound<'_, PyAny>) -> PyResult<f32> {
    let is_overflow = |error: &PyErr| error.is_instance_of::<PyOverflowError>(value.py());
    value.extract().map_err(|error: PyErr| match is_overflow(&error) {
        true => PyValueError::new_err("resolution is beyond what numbers hold"),
        false => error,
    })
}

/// A figure that was drawn.
#[pyclass(frozen, module = "eigensweep._core")]
struct Drawing(eigensweep_figures::Drawing);

#[pymethods]
impl Drawing {
    /// The SVG text.
    #[getter]
    fn svg(&self) -> String {
        self.0.svg()
    }

    fn __repr__(&self) -> String {
        format!("Drawing({})", self.0.label())
    }

    /// The same, for notebooks, which have several on a page.
    fn _repr_svg_(&self) -> String {
        self.0.svg_in_page()
    }

    /// A PNG image, so many pixels per pixel of the SVG.
    #[pyo3(signature = (resolution=2.0))]
    fn png<'py>(
        &self,
        python: Python<'py>,
        #[pyo3(from_py_with = resolution_of)] resolution: f32,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let png = python.detach(|| self.0.png(resolution));
        Ok(PyBytes::new(python, &png.map_err(|error| errors::of_figure(python, &error))?))
    }

    /// Writes a file, `.svg` or `.png`.
    #[pyo3(signature = (path, resolution=2.0))]
    fn save(
        &self,
        python: Python<'_>,
        path: PathBuf,
        #[pyo3(from_py_with = resolution_of)] resolution: f32,
    ) -> PyResult<()> {
        let saved = python.detach(|| self.0.save(&path, resolution));
        saved.map_err(|error| errors::of_figure(python, &error))
    }

    /// What a reader should know, and what else could be drawn.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes().iter().chain(self.0.hints()).map(|note| errors::spelled(note)).collect()
    }

    /// What it shows, in a line.
    #[getter]
    fn label(&self) -> &str {
        self.0.label()
    }
}

/// A choice among words, by name.
fn choice<T>(what: &str, name: Option<&str>, all: &[(&str, T)]) -> PyResult<Option<T>>
where
    T: Copy,
{
    let Some(name) = name else { return Ok(None) };
    match all.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let names: Vec<String> = all.iter().map(|(known, _)| format!("'{known}'")).collect();
            Err(PyValueError::new_err(format!("{what}='{name}' is not one of {}", names.join(", "))))
        }
    }
}

/// Draws a figure of data sets.
#[pyfunction]
#[pyo3(signature = (paths, figure, *, x, y, color, facet, filter, band, x_scale, y_scale, title))]
#[expect(clippy::too_many_arguments, reason = "Python names them")]
fn draw(
    python: Python<'_>,
    paths: Vec<PathBuf>,
    figure: &str,
    x: Option<String>,
    y: Option<String>,
    color: Option<String>,
    facet: Vec<String>,
    filter: Option<String>,
    band: Option<&str>,
    x_scale: Option<&str>,
    y_scale: Option<&str>,
    title: Option<String>,
) -> PyResult<Drawing> {
    let spacings = [("linear", Spacing::Linear), ("log", Spacing::Log)];
    let bands = [("mean", Band::Mean), ("quantiles", Band::Quantiles), ("none", Band::None)];
    let kind = kinds::named(figure).ok_or_else(|| {
        let unknown = UnknownName::new("figure", figure, KINDS.iter().map(|kind| kind.name));
        PyValueError::new_err(unknown.to_string())
    })?;
    let spec = FigureSpec {
        kind,
        x,
        y,
        color,
        facet,
        filter,
        band: choice("band", band, &bands)?,
        x_spacing: choice("x_scale", x_scale, &spacings)?,
        y_spacing: choice("y_scale", y_scale, &spacings)?,
        title,
    };
    let work = move |_: &_| drawn(&Source::open_all(&paths)?, &spec);
    let drawing = interruptible(python, work, |_| Ok(()))?;
    drawing.map(Drawing).map_err(|error| errors::of_figure(python, &error))
}

/// Writes a report of data sets.
#[pyfunction]
fn report(python: Python<'_>, paths: Vec<PathBuf>, path: PathBuf) -> PyResult<()> {
    let work = move |_: &_| {
        if path.extension().is_none_or(|extension| extension != "html") {
            return Err(FigureError::Extension { path, allowed: ".html" });
        }
        page::write(&Source::open_all(&paths)?, &path)
    };
    let written = interruptible(python, work, |_| Ok(()))?;
    written.map_err(|error| errors::of_figure(python, &error))
}
