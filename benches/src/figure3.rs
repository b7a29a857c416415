//! The job `jobs/figure3-mnist.toml`, or `jobs/figure3-pixels.toml`, in process: loaded once, run
//! and timed as often as wanted.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use eigensweep_engine::input::Input;
use eigensweep_engine::run::{self, Observer};
use eigensweep_job::{self as job, JobSpec};
use eigensweep_store::dataset::Dataset;
use eigensweep_store::grid::Grid;
use eigensweep_store::shard::Shard;
use eigensweep_theory::metrics::DISTANCE;

use crate::Fault;

/// Rows of one replicate: 10 sample sizes × 2 noise scales × 3 alignments × 3 paradigms.
pub const ROWS_PER_REPLICATE: u64 = 180;

/// MNIST's training set, as the options name it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Files {
    /// Images in idx format, gzipped or not [default: those that jobs/figure3-mnist.toml names]
    #[arg(long, value_name = "FILE")]
    pub images: Option<PathBuf>,
    /// Labels in idx format, likewise
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
}

/// What may differ from the job file.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Raw pixels in place of their principal components.
    pub pixels: bool,
    /// Other files.
    pub files: Files,
    /// Another number of replicates.
    pub replicates: u32,
    /// Leave leakage and gap out, which the peers do not compute either.
    pub distance_only: bool,
}

/// Figure 3, ready to run.
#[derive(Debug)]
pub struct Figure3 {
    spec: JobSpec,
    input: Arc<Input>,
    images: PathBuf,
    labels: PathBuf,
}

/// A simulation's wall time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// Seconds.
    pub seconds: f64,
    /// Rows computed in them.
    pub rows: u64,
}

impl Timed {
    /// Rows per second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rows as f64 / self.seconds
    }
}

/// The workspace's root, where this crate was compiled.
fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().unwrap_or(root)
}

impl Figure3 {
    /// Reads the job, the images and their labels, and computes the principal components.
    ///
    /// # Errors
    ///
    /// If the job file or the data cannot be read.
    pub fn load(changes: &Changes) -> Result<Self, Fault> {
        let file = if changes.pixels { "figure3-pixels.toml" } else { "figure3-mnist.toml" };
        let path = workspace().join("jobs").join(file);
        let text =
            std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut job = job::parse(file, &text, &[], directory)?;
        job.spec.job.replicates = changes.replicates;
        if changes.distance_only {
            job.spec.output.metrics = vec![&DISTANCE];
        }
        let [images, labels] = &mut job.spec.paths_mut()[..] else {
            return Err(format!("jobs/{file} does not read images and labels").into());
        };
        **images = changes.files.images.clone().unwrap_or_else(|| images.clone());
        **labels = changes.files.labels.clone().unwrap_or_else(|| labels.clone());
        let (images, labels) = ((*images).clone(), (*labels).clone());
        for file in [&images, &labels] {
            if !file.is_file() {
                return Err(missing(file).into());
            }
        }
        let input = Arc::new(Input::load(&job)?);
        if Grid::new(&job.spec).rows_per_replicate != ROWS_PER_REPLICATE {
            return Err(format!("jobs/{file} is not the protocol of Figure 3 any more").into());
        }
        Ok(Self { spec: job.spec, input, images, labels })
    }

    /// The images' file.
    #[must_use]
    pub fn images(&self) -> &Path {
        &self.images
    }

    /// The labels' file.
    #[must_use]
    pub fn labels(&self) -> &Path {
        &self.labels
    }

    /// Simulates everything into a new data set at `root` and times it: drawing, solving, encoding,
    /// writing and fsync; not loading.
    ///
    /// # Errors
    ///
    /// If the engine refuses.
    pub fn run_into(&self, root: &Path, threads: usize) -> Result<Timed, Fault> {
        let started = Instant::now();
        let (mut dataset, _) =
            Dataset::open(root, &self.spec, &self.input.facts(), Shard::WHOLE, "a benchmark")?;
        let stop = AtomicBool::new(false);
        let outcome = run::run(&self.input, &mut dataset, threads, &stop, &mut Deaf)?;
        let seconds = started.elapsed().as_secs_f64();
        if !outcome.complete {
            return Err("the run did not come to its end".into());
        }
        Ok(Timed { seconds, rows: outcome.rows })
    }
}

/// Where MNIST is and should be.
fn missing(file: &Path) -> String {
    format!(
        "{} is not there: download MNIST's training set (train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz; \
         README.md says where from) and name the files with --images and --labels",
        file.display()
    )
}

/// An observer that does nothing.
struct Deaf;

impl Observer for Deaf {
    fn computed(&mut self, _rows: u64, _failed: u64) {}
    fn clock(&self) -> fn() -> f64 {
        || 0.0
    }

    fn committed(&mut self, _section: u32, _part: u64, _rows: u64, _seconds: f64) {}
}
