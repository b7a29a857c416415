//! Whether a run that was stopped in time is put back into SLURM's queue, so that it goes on there.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use eigensweep_store::dataset::read_runs;

use crate::cluster;

/// Runs of one job, one after the other, that may get no part done before it is given up: they may
/// have been short because the job was pre-empted, but with the time that it has it may never get
/// any done.
const FRUITLESS: u64 = 3;

/// Puts this job back into the queue, once, whoever asks first: the run or its watchdog.
#[derive(Clone)]
pub(crate) struct Requeue {
    root: PathBuf,
    asked: Arc<Mutex<bool>>,
}

impl Requeue {
    /// For the data set at `root`.
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_path_buf(), asked: Arc::new(Mutex::new(false)) }
    }

    /// Asks SLURM to run this job again, and says what came of it. This run committed `rows` rows,
    /// and has written that down.
    pub(crate) fn ask(&self, rows: u64) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *asked, true) {
            return;
        }
        let Some(job) = cluster::own_job() else {
            tell!("warning: --requeue: this is no job of SLURM, so nothing runs it again by itself");
            return;
        };
        let fruitless = if rows > 0 { 0 } else { self.fruitless() };
        if fruitless >= FRUITLESS {
            tell!(
                "error: job {job} is not put back into the queue: its last {fruitless} runs were stopped before any of them \
                 finished a part. Give it more time, or make parts smaller with [output] part_rows; the data set can be resumed"
            );
            return;
        }
        match cluster::requeue(&job) {
            Ok(()) => tell!("job {job} is back in the queue; it goes on from the last finished part"),
            Err(error) => tell!(
                "warning: job {job} is not put back into the queue: {error}. Submit it again; it goes on from the last finished part"
            ),
        }
    }

    /// How many runs of this job, up to this one, got no part done.
    fn fruitless(&self) -> u64 {
        let name = eigensweep_host::batch::job_name();
        let runs = read_runs(&self.root).unwrap_or_default();
        let rows: Vec<u64> =
            runs.into_iter().filter(|run| run.batch_job == name).map(|run| run.rows).collect();
        // Without records (a full disk) every restart counts.
        let restarts = eigensweep_host::batch::number("SLURM_RESTART_COUNT").unwrap_or(0);
        counted(&rows).unwrap_or(restarts + 1)
    }
}

/// Zeros at the end of the rows of runs; none if there are no runs.
fn counted(rows: &[u64]) -> Option<u64> {
    let zeros = rows.iter().rev().take_while(|&&rows| rows == 0).count() as u64;
    (!rows.is_empty()).then_some(zeros)
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn only_the_last_runs_count() {
        assert_eq!(counted(&[]), None);
        assert_eq!(counted(&[0, 0]), Some(2));
        assert_eq!(counted(&[0, 0, 5]), Some(0));
        assert_eq!(counted(&[0, 5, 0, 0, 0]), Some(3));
    }
}
