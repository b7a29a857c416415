//! Writes down how a run gets on, in its file in `logs/`: what `status` shows while it runs and after it was killed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use eigensweep_engine::run::{Observer, Share};
use eigensweep_store::dataset::{RunRecord, RunState};
use eigensweep_store::shard::Shard;

use crate::progress::Progress;
use crate::{cluster, host};

/// Time between two writes.
const WRITE_EVERY: Duration = Duration::from_secs(10);

/// The record of this run, shared with the watchdog.
#[derive(Clone)]
pub(crate) struct RunLog {
    root: PathBuf,
    record: Arc<Mutex<RunRecord>>,
    clock: Instant,
}

impl RunLog {
    /// The log of a run that began at `started` and now begins to compute.
    pub(crate) fn new(root: &Path, started: u64, threads: usize, shard: Shard, share: Share) -> Self {
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
            rows_total: share.rows,
            rows_before: share.rows_done,
            rows: 0,
            rows_computed: 0,
        };
        Self { root: root.to_path_buf(), record: Arc::new(Mutex::new(record)), clock: Instant::now() }
    }

    /// Seconds since the run began to compute.
    pub(crate) fn seconds(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }

    /// Rows that this run has committed.
    pub(crate) fn rows(&self) -> u64 {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).rows
    }

    /// Writes the file; that it cannot be written (a full disk) must not end a run, or hide why it ended.
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
fn seconds() -> f64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed().as_secs_f64()
}

/// Shows progress and writes it down.
pub(crate) struct Logged<'a> {
    pub(crate) progress: &'a mut Progress,
    pub(crate) log: &'a RunLog,
    pub(crate) written: Instant,
}

impl Observer for Logged<'_> {
    fn computed(&mut self, rows: u64, failed: u64) {
        self.progress.computed(rows, failed);
        self.log.change(|record| record.rows_computed += rows);
        if self.written.elapsed() >= WRITE_EVERY {
            self.written = Instant::now();
            self.log.write(RunState::Running);
        }
    }

    fn clock(&self) -> fn() -> f64 {
        seconds
    }

    fn committed(&mut self, section: u32, part: u64, rows: u64, seconds: f64) {
        self.progress.committed(section, part, rows);
        self.log.change(|record| {
            record.rows += rows;
            record.seconds_writing += seconds;
        });
    }
}
