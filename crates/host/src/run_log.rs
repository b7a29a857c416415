//! Writes down how a run gets on, in its file in `logs/`: what `status` shows while it runs and
//! after it was killed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use eigensweep_engine::EngineError;
use eigensweep_engine::run::{Observer, Outcome, Share};
use eigensweep_engine::study::Opened;
use eigensweep_store::dataset::{RunRecord, RunState};
use eigensweep_store::shard::Shard;

use crate::{batch, machine};

/// The record of this run, shared by the threads that it concerns.
#[derive(Clone, Debug)]
pub struct RunLog {
    root: PathBuf,
    record: Arc<Mutex<RunRecord>>,
    /// When it began to compute.
    clock: Arc<OnceLock<Instant>>,
}

impl RunLog {
    /// The log of a run that began at `started`.
    #[must_use]
    pub fn new(root: &Path, started: u64, threads: usize, shard: Shard) -> Self {
        let record = RunRecord {
            program: concat!("eigensweep ", env!("CARGO_PKG_VERSION")).to_owned(),
            commit: env!("EIGENSWEEP_COMMIT").to_owned(),
            features: machine::features(),
            instruction_set: machine::instruction_set(),
            host: machine::name(),
            process: std::process::id(),
            batch_job: batch::job_name(),
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
    #[must_use]
    pub fn recorded_seconds(&self) -> f64 {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).seconds
    }

    /// Seconds since the run began to compute.
    fn seconds(&self) -> f64 {
        self.clock.get().map_or(0.0, |clock| clock.elapsed().as_secs_f64())
    }

    /// Writes how the run stands, unless there was nothing to do.
    pub fn stands(&self, state: RunState) {
        let share = self.share();
        if share.rows_done < share.rows {
            self.write(state);
        }
    }

    /// What the shard had to do when the run began, and had done.
    #[must_use]
    pub fn share(&self) -> Share {
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        Share { rows: record.rows_total, rows_done: record.rows_before }
    }

    /// Rows that this run has committed.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.record.lock().unwrap_or_else(PoisonError::into_inner).rows
    }

    /// Writes the file; that it cannot be written (a full disk) must not end a run, or hide why it
    /// ended.
    pub fn write(&self, state: RunState) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.state = state;
        record.updated = machine::now();
        record.seconds = self.seconds();
        let _ = record.write(&self.root);
    }

    fn change(&self, change: impl FnOnce(&mut RunRecord)) {
        change(&mut self.record.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Observer for RunLog {
    /// Where the share is done already, nothing is written down.
    fn opened(&mut self, Opened { share, .. }: &Opened) {
        let _ = self.clock.set(Instant::now());
        self.change(|record| (record.rows_total, record.rows_before) = (share.rows, share.rows_done));
        self.stands(RunState::Running);
    }

    fn ended(&mut self, outcome: &Result<Outcome, EngineError>) {
        self.stands(match outcome {
            Err(_) => RunState::Failed,
            Ok(Outcome { complete: false, .. }) => RunState::Stopped,
            Ok(_) => RunState::Finished,
        });
    }

    fn clock(&self) -> fn() -> f64 {
        clock
    }

    fn computed(&mut self, rows: u64, _: u64) {
        /// Seconds between two writes of the file.
        const WRITE_EVERY: u64 = 10;
        self.change(|record| record.rows_computed += rows);
        let updated = self.record.lock().unwrap_or_else(PoisonError::into_inner).updated;
        if machine::now().saturating_sub(updated) >= WRITE_EVERY {
            self.write(RunState::Running);
        }
    }

    fn committed(&mut self, _: u32, _: u64, rows: u64, seconds: f64) {
        self.change(|record| {
            record.rows += rows;
            record.seconds_writing += seconds;
        });
    }
}

/// Seconds since it was first asked for.
#[must_use]
pub fn clock() -> f64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed().as_secs_f64()
}
