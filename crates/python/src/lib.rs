//! `eigensweep._core`: what the Python package calls.
//!
//! Arguments are plain: texts, numbers, arrays of doubles. What is friendly (keywords,
//! dictionaries, optional libraries) is Python's, in `python/eigensweep`. Long calls release the
//! interpreter's lock; nothing prints, and there is no global allocator and no global thread pool.
//!
//! | file | about |
//! |---|---|
//! | `arrays` | NumPy's arrays as matrices, and matrices as arrays |
//! | `errors` | errors of the engine as exceptions |
//! | `interrupt` | long work that Ctrl-C ends |
//! | `jobs` | jobs as Python hands them over |
//! | `run`, `plan` | a job computed, and what it would take |
//! | `dataset` | a data set on disk: its rows, its figures |
//! | `theory` | thresholds |
//! | `moments` | second moments of rows |
//! | `solve` | one problem in closed form |
//! | `diagnose` | which paradigm for given data and views |

use pyo3::prelude::*;

mod arrays;
mod dataset;
mod diagnose;
mod errors;
mod interrupt;
mod jobs;
mod moments;
mod plan;
mod run;
mod solve;
mod theory;

/// The module.
#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    dataset::add(module)?;
    diagnose::add(module)?;
    interrupt::add(module)?;
    plan::add(module)?;
    run::add(module)?;
    theory::add(module)?;
    moments::add(module)?;
    solve::add(module)?;
    // What is public is the package's to say.
    module.delattr("__all__")
}
