//! Writes down how a run gets on, in its file in `logs/`: what `status` shows while it runs and
//! after it was killed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use eigensweep_engine::run::Share;
use eigensweep_store::dataset::{RunRecord, RunState};
use eigensweep_store::shard::Shard;

use crate::{cluster, host};

/// The record of this run, shared with the watchdog.
#[derive(Clone)]
pub(crate) struct RunLog {
    root: PathBuf,
    record: Arc<Mutex<RunRecord>>,
    /// When it began to compute.
    clock: Arc<OnceLock<Instant>>,
}

impl RunLog {
    /// The log of a run that began at `started`.
    pub(crate) fn new(root: &Path, started: u64, threads: usize, shard: Shard) -> Self {
        let record = RunRecord {
            program: concat!("eigensweep ", env!("CARGO_PKG_VERSION")).to_owned(),
            commit: env!("EIGENSWEEP_COMMIT").to_owned(),
            features: host::features(),
            instruction_set: host::instruction_set(),
            host: host::name(),
            process: std::process::id(),
            batch_job: cluster::job_name(),
            threads,
            shard: shard.to_string(),
            started,
            updated: started,
            state: RunState::Running,
            seconds: 0.0,
            seconds_writing: 0.0,
            rows_total: 0,
            rows_before: 0,
            rows: 0,
            rows_computed: 0,
        };
        Self { root: root.to_path_buf(), record: Arc::new(Mutex::new(record)), clock: Arc::default() }
    }

    /// Seconds from where the run began to compute to where it ended, as its file, `status` and the
    /// report have them; the summary is written after that.
    pub(crate) fn recorded_seconds(&self) -> f64 {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).seconds
    }

    /// Seconds since the run began to compute.
    fn seconds(&self) -> f64 {
        self.clock.get().map_or(0.0, |clock| clock.elapsed().as_secs_f64())
    }

    /// The run begins to compute its share; where that is done already, nothing is written down.
    pub(crate) fn begin(&self, share: Share) {
        let _ = self.clock.set(Instant::now());
        self.change(|record| (record.rows_total, record.rows_before) = (share.rows, share.rows_done));
        self.end(RunState::Running);
    }

    /// Writes how the run stands, unless there was nothing to do.
    pub(crate) fn end(&self, state: RunState) {
        let share = self.share();
        if share.rows_done < share.rows {
            self.write(state);
        }
    }

    /// What the shard had to do when the run began, and had done.
    pub(crate) fn share(&self) -> Share {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        Share { rows: record.rows_total, rows_done: record.rows_before }
    }

    /// Rows that this run has committed.
    pub(crate) fn rows(&self) -> u64 {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).rows
    }

    /// More rows were computed.
    pub(crate) fn computed(&self, rows: u64) {
        self.change(|record| record.rows_computed += rows);
    }

    /// More rows were committed, which took so many seconds of a thread.
    pub(crate) fn committed(&self, rows: u64, seconds: f64) {
        self.change(|record| {
            record.rows += rows;
            record.seconds_writing += seconds;
        });
    }

    /// Writes the file; that it cannot be written (a full disk) must not end a run, or hide why it
    /// ended.
    pub(crate) fn write(&self, state: RunState) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.state = state;
        record.updated = host::now();
        record.seconds = self.seconds();
        let _ = record.write(&self.root);
    }

    fn change(&self, change: impl FnOnce(&mut RunRecord)) {
        change(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Seconds since it was first asked for.
pub(crate) fn clock() -> f64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed().as_secs_f64()
}
