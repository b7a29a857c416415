//! `diagnose`: which paradigm for given data and views.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use eigensweep_engine::diagnose::statistics::{Labels, Run};
use eigensweep_engine::diagnose::{Found, Measured, Problem, Seen, Unanswered};
use eigensweep_figures::report::diagnosis as page;
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{Array, NotFinite, doubles, of_matrix, optional, reserve};
use crate::errors;
use crate::interrupt::interruptible;
use crate::jobs::{document, value_of};

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Diagnosis>()?;
    module.add_function(wrap_pyfunction!(diagnose, module)?)
}

/// An answer.
#[pyclass(frozen, module = "eigensweep._core")]
struct Diagnosis {
    found: Box<Found>,
}

/// Two encoders (d × k).
type Encoders<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<f64>>);

#[pymethods]
impl Diagnosis {
    /// The object of `--json`.
    fn json(&self) -> String {
        self.found.json().to_string()
    }

    /// The lines that the program prints, but for tables.
    fn sentences(&self) -> Vec<String> {
        let found = &self.found;
        let numbers = found
            .numbers()
            .into_iter()
            .map(|[name, je, rc, difference]| {
                format!("{name}: joint-embedding {je}, reconstruction {rc}, difference {difference}")
            })
            .collect();
        [
            vec![found.headline(), found.setting()],
            numbers,
            found.alignments(),
            found.findings(),
            found.changes(),
        ]
        .concat()
    }

    /// V of joint-embedding and of reconstruction (d × k).
    fn encoders<'py>(&self, python: Python<'py>) -> PyResult<Encoders<'py>> {
        let [je, rc] = &self.found.diagnosis.learnt.encoders;
        Ok((of_matrix(python, je.as_ref())?, of_matrix(python, rc.as_ref())?))
    }

    /// μ (d).
    fn mean<'py>(&self, python: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(python, &self.found.diagnosis.learnt.mean)
    }

    /// Ĉ₀ and Γ̂ (d × d).
    fn moments<'py>(&self, python: Python<'py>) -> PyResult<Encoders<'py>> {
        let learnt = &self.found.diagnosis.learnt;
        Ok((of_matrix(python, learnt.signal.as_ref())?, of_matrix(python, learnt.noise.as_ref())?))
    }

    /// What a notebook shows.
    fn part(&self, python: Python<'_>) -> PyResult<String> {
        page::part(&self.found).map_err(|error| errors::of_figure(python, &error))
    }

    /// Writes the page.
    fn save(
        &self,
        python: Python<'_>,
        path: PathBuf,
        title: String,
        facts: Vec<(String, String)>,
    ) -> PyResult<()> {
        let written = python.detach(|| page::write(&self.found, &title, &facts, &path));
        written.map_err(|error| errors::of_figure(python, &error))
    }
}

enum Fault {
    NotFinite(NotFinite),
    Unanswered(Unanswered),
}

impl From<NotFinite> for Fault {
    fn from(fault: NotFinite) -> Self {
        Self::NotFinite(fault)
    }
}

impl From<Unanswered> for Fault {
    fn from(fault: Unanswered) -> Self {
        Self::Unanswered(fault)
    }
}

impl Fault {
    fn raised(self, python: Python<'_>) -> PyErr {
        match self {
            Self::NotFinite(fault) => fault.into(),
            Self::Unanswered(Unanswered::Engine(error)) => errors::of_engine(python, &error),
            Self::Unanswered(error) => PyValueError::new_err(error.to_string()),
        }
    }
}

/// Which paradigm for X (n × d): one of `repeats` (n × d), `pairs` and `nuisance` (n ids), or a
/// corruption in `views`, the keys of a file of views as JSON. Views are these, additive of a
/// `covariance` (d × d), or `draws` of the rows (m · rows × d). Labels are `classes` from 0 or
/// `targets` (n × ℓ).
#[pyfunction]
#[pyo3(signature = (
    inputs, *, repeats, pairs, nuisance, views, covariance, draws, classes, targets, dimension, alignment,
    components, standardize, threads
))]
#[expect(clippy::too_many_arguments, reason = "a keyword each")]
#[expect(clippy::needless_pass_by_value, reason = "arrays are borrowed by value")]
fn diagnose(
    python: Python<'_>,
    inputs: PyReadonlyArray2<'_, f64>,
    repeats: Option<PyReadonlyArray2<'_, f64>>,
    pairs: Option<PyReadonlyArray1<'_, u64>>,
    nuisance: Option<PyReadonlyArray1<'_, u64>>,
    views: Option<&str>,
    covariance: Option<PyReadonlyArray2<'_, f64>>,
    draws: Option<PyReadonlyArray2<'_, f64>>,
    classes: Option<PyReadonlyArray1<'_, u64>>,
    targets: Option<PyReadonlyArray2<'_, f64>>,
    dimension: Option<usize>,
    alignment: Option<f64>,
    components: Option<usize>,
    standardize: bool,
    threads: usize,
) -> PyResult<Diagnosis> {
    let file = views
        .map(|views| eigensweep_job::views_file("views", &document(&value_of(views)), Path::new("")))
        .transpose()
        .map_err(|problems| errors::of_problems(python, &problems))?;
    // Numbers of classes and of things: they fit wherever the rows do.
    let whole = |ids: Option<PyReadonlyArray1<'_, u64>>| {
        ids.map(|ids| {
            ids.as_array().iter().map(|&id| usize::try_from(id).unwrap_or(usize::MAX)).collect::<Vec<_>>()
        })
    };
    let (pairs, nuisance, classes) = (whole(pairs), whole(nuisance), whole(classes));
    let held = (
        Array::new("X", &inputs)?,
        optional("repeats", repeats)?,
        optional("views", covariance)?,
        optional("views", draws)?,
        optional("targets", targets)?,
    );
    // Some two dozen matrices a thread (d × d), of all folds and alignments; the rows, centred and by item.
    let (rows, features) = (inputs.as_array().nrows(), inputs.as_array().ncols());
    reserve(doubles(24 * threads.min(32), features, features) + doubles(2, rows, features), "diagnose")?;
    let work = move |stop: &AtomicBool| {
        let answered = (|| {
            let (inputs, repeats, covariance, draws, targets) = &held;
            let finite = |array: &Option<Array>| array.as_ref().map(Array::finite).transpose().map(drop);
            [repeats, covariance, draws, targets].into_iter().try_for_each(finite)?;
            let rows = inputs.finite()?;
            let measured = match (repeats, &pairs, &nuisance) {
                (Some(repeats), ..) => Measured::Repeats(repeats.view()),
                (_, Some(ids), _) => Measured::Pairs(ids),
                (.., Some(batches)) => Measured::Nuisance(batches),
                (None, None, None) => Measured::Corruption,
            };
            let seen = match (&file, covariance, draws) {
                (Some(file), ..) => Seen::Stages(file),
                (_, Some(theta), _) => Seen::Covariance(theta.view()),
                (.., Some(draws)) => Seen::Draws(draws.view()),
                (None, None, None) => Seen::Noise,
            };
            let count = classes.iter().flatten().max().map_or(0, |most| most + 1);
            let labels = match (&classes, targets) {
                (Some(classes), _) => Some(Labels::Classes { classes, count }),
                (None, Some(targets)) => Some(Labels::Targets(targets.view())),
                (None, None) => None,
            };
            let problem = Problem {
                labels,
                dimension,
                alignment,
                components,
                standardize,
                ..Problem::new(rows, measured, seen)
            };
            Ok::<_, Fault>(problem.diagnose(&Run { threads, stop, progress: &|_, _| {} })?)
        })();
        // Given back to the interpreter's thread, which lets go of the arrays.
        (answered, held)
    };
    let (answered, _held) = interruptible(python, work, |_| Ok(()))?;
    let found = answered.map_err(|fault| fault.raised(python))?;
    Ok(Diagnosis { found: Box::new(found) })
}
