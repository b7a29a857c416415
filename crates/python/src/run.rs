//! `run`: what is missing of a job's data set, computed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use eigensweep_engine::EngineError;
use eigensweep_engine::run::{Observer, Outcome};
use eigensweep_engine::study::{How, Opened, Study};
use eigensweep_host::{RunLog, machine};
use eigensweep_inputs::whole_file;
use eigensweep_job::Job;
use eigensweep_store::dataset::{self, Dataset, INPUT_DIGITS, INPUTS, RunState};
use eigensweep_store::shard::Shard;
use eigensweep_store::summary::{FailureRemarks, failure_remarks};
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;

use crate::errors;
use crate::interrupt::interruptible;
use crate::jobs::JobText;

pub(crate) fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(threads, module)?)?;
    module.add_function(wrap_pyfunction!(output, module)?)?;
    module.add("INPUTS", INPUTS)?;
    module.add("INPUT_DIGITS", INPUT_DIGITS)?;
    module.add_function(wrap_pyfunction!(input_names, module)?)?;
    module.add_function(wrap_pyfunction!(run, module)?)
}

/// Threads that a batch system granted, or that this process may use.
#[pyfunction]
fn threads() -> usize {
    eigensweep_host::threads()
}

/// The job itself, or the one whose rows are its critical alignments.
fn asked(job: &JobText, traced: bool) -> Result<Job, EngineError> {
    let job = job.read()?;
    Ok(if traced { job.traced()? } else { job })
}

/// Where the data set of a job goes unless something else is said, from the root; the job is
/// checked.
#[pyfunction]
fn output(python: Python<'_>, job: JobText, traced: bool) -> PyResult<PathBuf> {
    let job = python.detach(|| asked(&job, traced)).map_err(|error| errors::of_engine(python, &error))?;
    // The working directory may be another one by the time that the data set is read.
    Ok(std::path::absolute(job.spec.default_output())?)
}

/// What the file of an array in the directory `INPUTS` of a data set is called, and while it is
/// written: for a key of `[data]`, a hash of the content and a number, of `INPUT_DIGITS`
/// hexadecimal digits each.
#[pyfunction]
fn input_names(key: &str, hash: &str, number: &str) -> [String; 2] {
    dataset::input_names(key, hash, number)
}

/// How a run gets on, for the thread that waits for it.
#[derive(Debug, Default)]
struct Seen {
    /// Rows of the shard: all, done, and without a value; nothing before the data set was opened.
    rows: Option<[u64; 3]>,
    /// What a person should hear.
    warnings: Vec<String>,
}

/// Hears how a run gets on: writes it down, and keeps it for Python.
struct Observed {
    log: RunLog,
    seen: Arc<Mutex<Seen>>,
}

impl Observed {
    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Observer for Observed {
    fn opened(&mut self, opened: &Opened) {
        self.log.opened(opened);
        let Opened { repairs, share } = opened;
        self.change(|seen| {
            seen.rows = Some([share.rows, share.rows_done, 0]);
            seen.warnings.extend(
                repairs
                    .iter()
                    .map(|repair| format!("{} {}; its part is computed again", repair.file, repair.fault)),
            );
        });
    }

    fn ended(&mut self, outcome: &Result<Outcome, EngineError>) {
        self.log.ended(outcome);
    }

    fn clock(&self) -> fn() -> f64 {
        self.log.clock()
    }

    fn computed(&mut self, rows: u64, failed: u64) {
        self.log.computed(rows, failed);
        self.change(|seen| {
            if let Some([_, done, without]) = &mut seen.rows {
                *done += rows;
                *without += failed;
            }
        });
    }

    fn committed(&mut self, section: u32, part: u64, rows: u64, seconds: f64) {
        self.log.committed(section, part, rows, seconds);
    }
}

/// Runs a job, or traces its critical alignments. `progress` is called with rows done, all rows and
/// rows without a value; `warn` with a text.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python names them")]
fn run(
    python: Python<'_>,
    job: JobText,
    traced: bool,
    output: PathBuf,
    threads: usize,
    shard: Option<(u64, u64)>,
    fresh: bool,
    progress: Option<Bound<'_, PyAny>>,
    warn: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let shard = match shard {
        None => Shard::WHOLE,
        Some((index, count)) => {
            Shard::new(index, count).map_err(|error| PyValueError::new_err(error.to_string()))?
        }
    };
    let seen = Arc::new(Mutex::new(Seen::default()));
    let look = |python: Python<'_>| {
        let (rows, warnings) = {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.rows, std::mem::take(&mut seen.warnings))
        };
        for warning in warnings {
            warn.call1((warning,))?;
        }
        if let (Some(progress), Some([all, done, without])) = (&progress, rows) {
            progress.call1((done, all, without))?;
        }
        // A callback may have taken long.
        python.check_signals()
    };
    let work = {
        let seen = Arc::clone(&seen);
        move |stop: &AtomicBool| compute(|| asked(&job, traced), &output, threads, shard, fresh, seen, stop)
    };
    match interruptible(python, work, look) {
        Ok(done) => done.map_err(|error| errors::of_engine(python, &error)),
        Err(raised) => {
            let begun = seen.lock().unwrap_or_else(PoisonError::into_inner).rows.is_some();
            if begun && raised.is_instance_of::<PyKeyboardInterrupt>(python) {
                let note = "the same call goes on from the last finished part";
                raised.value(python).call_method1("add_note", (note,))?;
            }
            Err(raised)
        }
    }
}

/// All that a run does without Python.
fn compute(
    job: impl FnOnce() -> Result<Job, EngineError>,
    root: &Path,
    threads: usize,
    shard: Shard,
    fresh: bool,
    seen: Arc<Mutex<Seen>>,
    stop: &AtomicBool,
) -> Result<(), EngineError> {
    let started = machine::now();
    let planned = Study::load(job()?)?.plan()?;
    if stop.load(Ordering::Relaxed) {
        return Ok(());
    }
    if fresh {
        Dataset::remove(root, Some(planned.spec()))?;
    }
    let holder = format!("process {} on {}", std::process::id(), machine::name());
    let how = How { threads, shard, holder: &holder, stop };
    let log = RunLog::new(root, started, threads, shard);
    let mut observed = Observed { log: log.clone(), seen: Arc::clone(&seen) };
    let (outcome, dataset) = planned.run(root, how, &mut observed)?;
    if !outcome.complete {
        log.stands(RunState::Stopped);
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).warnings.extend(warnings(&dataset));
    Ok(())
}

/// What there is to say of a data set that was run.
fn warnings(dataset: &Dataset) -> Vec<String> {
    let FailureRemarks { of_status, too_many } = failure_remarks(dataset);
    let age = dataset.age_remark().map(|remark| format!("{remark}; fresh=True computes it anew"));
    let failed = of_status.into_iter().map(|(_, remark)| remark);
    age.into_iter().chain(failed).chain(too_many).chain(whole_file::sync_remark()).collect()
}
