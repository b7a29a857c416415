//! The front door for programs: a job becomes a plan, and a plan rows, on disk or in memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use eigensweep_job::{Job, JobSpec};
use eigensweep_store::dataset::{Dataset, Identity, Repair};
use eigensweep_store::plan::Plan;
use eigensweep_store::rows::Rows;
use eigensweep_store::shard::Shard;

use crate::EngineError;
use crate::input::Input;
use crate::replay::Alone;
use crate::run::{self, Observer, Outcome, Share};
use crate::schedule;
use crate::simulation::Simulation;

/// A job whose input is loaded and fits it.
///
/// ```
/// use std::path::Path;
///
/// use eigensweep_engine::study::Study;
///
/// let text = "[job]\nreplicates = 3\n[data]\ncomponents = 4\n[grid]\nsamples = [10, 1000]\n";
/// let job = eigensweep_job::parse("small.toml", text, &[], Path::new(""))?;
/// let planned = Study::load(job)?.plan()?;
/// let rows = planned.rows(1)?;
/// assert_eq!(rows.len(), 3 * 2 * 3, "replicates, sample sizes and paradigms");
/// # Ok::<(), eigensweep_engine::EngineError>(())
/// ```
#[derive(Debug)]
pub struct Study {
    job: Job,
    input: Arc<Input>,
}

impl Study {
    /// Loads the input of a job.
    ///
    /// # Errors
    ///
    /// Those of [`Input::load`].
    pub fn load(job: Job) -> Result<Self, EngineError> {
        let input = Arc::new(Input::load(&job)?);
        Ok(Self { job, input })
    }

    /// The input.
    #[must_use]
    pub fn input(&self) -> &Arc<Input> {
        &self.input
    }

    /// Divides the grid into tasks and parts.
    ///
    /// # Errors
    ///
    /// [`StoreError::TaskTooLarge`](eigensweep_store::StoreError::TaskTooLarge).
    pub fn plan(self) -> Result<Planned, EngineError> {
        let Self { job, input } = self;
        let plan = Plan::new(&job.spec, input.extents())?;
        let simulation = Simulation::new(&job.spec, Arc::clone(&input), plan);
        Ok(Planned { job, input, simulation })
    }
}

/// A study that is ready to compute.
#[derive(Debug)]
pub struct Planned {
    job: Job,
    input: Arc<Input>,
    simulation: Simulation,
}

/// How a data set is to be computed.
#[derive(Clone, Copy, Debug)]
pub struct How<'a> {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Which share of the parts.
    pub shard: Shard,
    /// Who computes, in the words in which another process would be told.
    pub holder: &'a str,
    /// Stops the run once it is true; parts that are done stay.
    pub stop: &'a AtomicBool,
}

/// What a run that began has to go on from.
#[derive(Debug)]
pub struct Opened {
    /// What was found damaged, and is computed again.
    pub repairs: Vec<Repair>,
    /// What the shard has to do, and has done.
    pub share: Share,
}

impl Planned {
    /// The job as resolved.
    #[must_use]
    pub fn spec(&self) -> &JobSpec {
        &self.job.spec
    }

    /// The simulation, which numbers and computes tasks.
    #[must_use]
    pub fn simulation(&self) -> &Simulation {
        &self.simulation
    }

    /// Hashes of the job with its input.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::new(&self.job.spec, self.input.fingerprint())
    }

    /// Computes what is missing of a shard of the data set at `into`, creating it if there is
    /// nothing, and finishes it: its manifest in any case, its summary once every part is done.
    /// Returns how the run ended, and the data set.
    ///
    /// # Errors
    ///
    /// Those of [`Dataset::open`] and [`run::run`]; parts that are done stay.
    pub fn run(
        &self,
        into: &Path,
        how: How<'_>,
        observer: &mut dyn Observer,
    ) -> Result<(Outcome, Dataset), EngineError> {
        let (mut dataset, repairs) =
            Dataset::open(into, &self.job.spec, &self.input.facts(), how.shard, how.holder)?;
        observer.opened(&Opened { repairs, share: run::share(&dataset) });
        let outcome = run::run(&self.input, &mut dataset, how.threads, how.stop, observer);
        observer.ended(&outcome);
        // Other shards may have committed meanwhile.
        let dataset =
            if how.shard.is_whole() { Ok(dataset) } else { Dataset::read(into, false).map(|read| read.0) };
        // A run that failed for want of space must not hide that behind the manifest's own failure.
        let manifest = dataset.as_ref().map(Dataset::write_manifest);
        let outcome = outcome?;
        if let Ok(manifest) = manifest {
            manifest?;
        }
        let dataset = dataset?;
        let missing = outcome.rows > 0 || !dataset.has_latest_summary();
        if outcome.complete && dataset.is_complete() && missing {
            dataset.write_summary()?;
        }
        Ok((outcome, dataset))
    }

    /// Computes all rows in memory, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// [`EngineError::Threads`].
    pub fn rows(&self, threads: usize) -> Result<Rows, EngineError> {
        schedule::rows(&self.simulation, threads)
    }

    /// A single row computed alone: the cell of `replicate` with, of each axis, the value at the
    /// position that `position` gives for its column.
    ///
    /// # Errors
    ///
    /// [`EngineError`] if the cell cannot be planned.
    pub fn cell(&self, replicate: u64, position: impl Fn(&str) -> usize) -> Result<Alone, EngineError> {
        Alone::of(&self.job.spec, replicate, position, &self.input)
    }
}
