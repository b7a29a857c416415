//! What the engine's tests share: jobs from a template, rows by their coordinates, data sets in temporary directories, small
//! idx files.

#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::ops::Index;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eigensweep_engine::EngineError;
use eigensweep_engine::input::Input;
use eigensweep_engine::run::{self, Observer, Outcome};
use eigensweep_engine::schedule::{self, Sink};
use eigensweep_engine::simulation::Simulation;
use eigensweep_job::{self as job, Job};
use eigensweep_store::StoreError;
use eigensweep_store::columns::Status;
use eigensweep_store::dataset::{Dataset, Repair};
use eigensweep_store::plan::Plan;
use eigensweep_store::rows::{Row, Rows};
use eigensweep_store::shard::Shard;
use eigensweep_theory::Metric;

/// Parses a job; `set` are overrides, `table.key=value`.
pub fn job(text: &str, set: &[&str]) -> Job {
    let overrides: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
    job::parse("test.toml", text, &overrides, Path::new("")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Loads and plans a job.
pub fn prepare(job: &Job) -> Result<Simulation, EngineError> {
    let input = Arc::new(Input::load(job)?);
    let plan = Plan::new(&job.spec, input.extents())?;
    Ok(Simulation::new(&job.spec, input, plan))
}

pub fn simulation(text: &str, set: &[&str]) -> Simulation {
    prepare(&job(text, set)).unwrap()
}

/// A row that knows its columns: `cell[&LEAKAGE]` is a value of it, NaN where there is none.
#[derive(Clone, Debug)]
pub struct Cell {
    pub row: Row,
    metrics: Vec<&'static Metric>,
}

impl Cell {
    pub fn of(rows: &Rows, at: usize) -> Self {
        Self { row: rows.row(at), metrics: rows.metrics().to_vec() }
    }

    /// All numbers as bits: NaN (no value) equals itself.
    pub fn bits(&self) -> (Vec<u64>, Status) {
        self.row.bits()
    }
}

impl Index<&Metric> for Cell {
    type Output = f64;

    fn index(&self, metric: &Metric) -> &f64 {
        let at = self.metrics.iter().position(|known| *known == metric);
        &self.row.values[at.unwrap_or_else(|| panic!("no column {metric:?}"))]
    }
}

/// Coordinates of a row as text: what a row is a function of.
pub fn coordinates(simulation: &Simulation, row: u64) -> String {
    let grid = &simulation.plan().grid;
    let mut text = format!("replicate {}", grid.replicate(row));
    for axis in &grid.axes {
        text.push_str(&format!(", {} {:e}", axis.name, axis.values.as_float(axis.index(row))));
    }
    let paradigm = simulation.paradigms().nth(grid.paradigm(row)).unwrap();
    format!("{text}, {paradigm}")
}

struct Walk<'a> {
    simulation: &'a Simulation,
    row: u64,
    collect: &'a mut (dyn FnMut(u64, Cell) + Send),
}

impl Sink for Walk<'_> {
    type Work = Infallible;

    fn take(&mut self, task: u64, batch: &Rows) -> Result<Option<Infallible>, EngineError> {
        assert_eq!(self.simulation.plan().task_rows(task).start, self.row, "tasks arrive in order");
        for at in 0..batch.len() {
            (self.collect)(self.row, Cell::of(batch, at));
            self.row += 1;
        }
        Ok(None)
    }

    fn done(&mut self, done: Infallible) -> Result<(), EngineError> {
        match done {}
    }
}

/// Runs all tasks on `threads` threads and hands over each row with its number, in order.
#[allow(clippy::single_range_in_vec_init, reason = "one range of tasks")]
pub fn for_rows(simulation: &Simulation, threads: usize, collect: &mut (dyn FnMut(u64, Cell) + Send)) {
    let mut sink = Walk { simulation, row: 0, collect };
    let tasks = simulation.plan().tasks;
    assert!(schedule::run(simulation, &[0..tasks], threads, &AtomicBool::new(false), &mut sink).unwrap());
    assert_eq!(sink.row, simulation.plan().grid.rows());
}

/// All rows by their coordinates.
pub fn rows(simulation: &Simulation, threads: usize) -> BTreeMap<String, Cell> {
    let mut found = BTreeMap::new();
    for_rows(simulation, threads, &mut |row, cell| {
        assert!(found.insert(coordinates(simulation, row), cell).is_none(), "one row per coordinates");
    });
    found
}

/// Stops a run once so many rows were computed, and counts.
pub struct Stopping<'a> {
    pub stop: &'a AtomicBool,
    pub after: u64,
    pub committed: Vec<(u32, u64)>,
    pub rows: u64,
    pub failed: u64,
}

impl<'a> Stopping<'a> {
    pub fn after(stop: &'a AtomicBool, after: u64) -> Self {
        Self { stop, after, committed: Vec::new(), rows: 0, failed: 0 }
    }
}

impl Observer for Stopping<'_> {
    fn computed(&mut self, rows: u64, failed: u64) {
        self.rows += rows;
        self.failed += failed;
        if self.rows >= self.after {
            self.stop.store(true, Ordering::Relaxed);
        }
    }

    fn clock(&self) -> fn() -> f64 {
        || 0.0
    }

    fn committed(&mut self, section: u32, part: u64, _rows: u64, _seconds: f64) {
        self.committed.push((section, part));
    }
}

/// What a run did.
#[derive(Debug)]
pub struct Ran {
    pub outcome: Outcome,
    pub repairs: Vec<Repair>,
    /// Section and number of each part that it committed.
    pub committed: Vec<(u32, u64)>,
    pub failed: u64,
}

/// What `Dataset::open` says of this process.
pub const HOLDER: &str = "a test";

/// Opens (or goes on with) the data set at `root`, for a shard.
pub fn open(root: &Path, job: &Job, shard: Shard) -> Result<(Arc<Input>, Dataset, Vec<Repair>), StoreError> {
    let input = Arc::new(Input::load(job).unwrap());
    let (dataset, repairs) = Dataset::open(root, &job.spec, &input.facts(), shard, HOLDER)?;
    Ok((input, dataset, repairs))
}

/// Opens (or goes on with) the data set at `root` and runs a shard until `parts` parts are done or nothing is missing.
pub fn run_shard(
    root: &Path,
    job: &Job,
    shard: Shard,
    threads: usize,
    parts: u64,
) -> Result<Ran, StoreError> {
    let (input, mut dataset, repairs) = open(root, job, shard)?;
    let stop = AtomicBool::new(false);
    let sections = dataset.sections().iter();
    let missing = sections.flat_map(|section| {
        let own = shard.parts(&section.plan).filter(|&part| !section.is_done(part));
        own.map(|part| section.plan.part_rows(part))
    });
    // What is computed beyond belongs to the next part, and does not fill it: parts have more tasks than there are batches.
    let rows = missing.take(usize::try_from(parts).unwrap_or(usize::MAX)).map(|rows| rows.end - rows.start);
    let after = if parts == u64::MAX { u64::MAX } else { rows.sum() };
    let mut observer = Stopping::after(&stop, after);
    let outcome = run::run(&input, &mut dataset, threads, &stop, &mut observer).map_err(of_the_store)?;
    dataset.write_manifest()?;
    // Parts end in any order.
    observer.committed.sort_unstable();
    Ok(Ran { outcome, repairs, committed: observer.committed, failed: observer.failed })
}

/// What a run refuses here is a matter of the data set.
fn of_the_store(error: EngineError) -> StoreError {
    match error {
        EngineError::Store(error) => error,
        other => panic!("{other}"),
    }
}

/// The same for everything.
pub fn run_parts(root: &Path, job: &Job, threads: usize, parts: u64) -> Result<Ran, StoreError> {
    run_shard(root, job, Shard::WHOLE, threads, parts)
}

/// The same to the end.
pub fn run_to_the_end(root: &Path, job: &Job, threads: usize) -> Ran {
    let ran = run_parts(root, job, threads, u64::MAX).unwrap_or_else(|error| panic!("{error}"));
    assert!(ran.outcome.complete);
    ran
}

/// Names and contents of the files in a directory.
pub fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
}

/// Everything that a run leaves and that must not depend on how it ran: parts, commit records and sections.
pub fn contents(root: &Path) -> [BTreeMap<String, Vec<u8>>; 3] {
    ["data", "commits", "sections"].map(|name| files(&root.join(name)))
}

/// The files in `staging/` beside locks: of a run that has ended, none.
pub fn leftovers(root: &Path) -> Vec<String> {
    let names = files(&root.join("staging")).into_keys();
    names.filter(|name| !name.ends_with(".lock")).collect()
}

/// An idx file of unsigned bytes.
pub fn idx(shape: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0x08, u8::try_from(shape.len()).unwrap()];
    bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()));
    bytes.extend(data);
    bytes
}

/// A small labelled image set.
pub struct Images {
    pub images: PathBuf,
    pub labels: PathBuf,
}

/// Class images of `side` × `side` bytes: a pattern per class whose strength varies, and pixel noise, all from a linear congruential
/// generator.
pub fn write_images(directory: &Path, samples: u32, side: u32, classes: u8) -> Images {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a class number")]
        let class = (uniform() * f64::from(classes)) as u8;
        let (strength, slope) = (60.0 + 60.0 * uniform(), 40.0 * uniform());
        for at in 0..side * side {
            let (x, y) = (f64::from(at % side), f64::from(at / side));
            let wave = ((x + y * f64::from(class)) * 1.3 + f64::from(class)).sin();
            let level =
                110.0 + strength * wave * 0.6 + slope * (x - y) / f64::from(side) + 50.0 * (uniform() - 0.5);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a byte")]
            pixels.push(level.clamp(0.0, 255.0) as u8);
        }
        labels.push(class);
    }
    let paths = Images { images: directory.join("images"), labels: directory.join("labels") };
    fs::write(&paths.images, idx(&[samples, side, side], &pixels)).unwrap();
    fs::write(&paths.labels, idx(&[samples], &labels)).unwrap();
    paths
}

/// `[data]` of a job on these images.
pub fn idx_source(images: &Images, rest: &str) -> String {
    format!(
        "[data]\nsource = \"idx\"\nimages = '{}'\nlabels = '{}'\n{rest}\n",
        images.images.display(),
        images.labels.display()
    )
}
