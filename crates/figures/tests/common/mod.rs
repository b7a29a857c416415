//! Makes data sets with chosen rows: what a run would write, without simulating.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::path::{Path, PathBuf};

use eigensweep_job as job;
use eigensweep_store::Extents;
use eigensweep_store::boundary::{ALPHA, HIGH, LOW, THEORY};
use eigensweep_store::columns::Status;
use eigensweep_store::dataset::{Collector, Dataset, InputFacts, RunRecord, RunState, Section};
use eigensweep_store::rows::Rows;
use eigensweep_store::shard::Shard;
use eigensweep_store::source::Source;
use eigensweep_theory::Metric;
use eigensweep_theory::metrics::{DISTANCE, GAP, LEAKAGE, LOSS_CLEAN, LOSS_CORRUPTED, THRESHOLD_SQUARED};
use tempfile::TempDir;

/// Coordinates of a row.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    pub replicate: i32,
    pub samples: i64,
    pub noise_scale: f64,
    pub alignment: f64,
    pub paradigm: &'a str,
}

/// Values of a row; a row without a distance has failed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values {
    pub distance: Option<f64>,
    pub leakage: Option<f64>,
    pub threshold_squared: Option<f64>,
}

/// The axes of a data set, and whether it keeps rows.
#[derive(Clone, Debug)]
pub struct Axes {
    pub replicates: i32,
    pub samples: Vec<i64>,
    pub noise_scale: Vec<f64>,
    pub alignment: Vec<f64>,
    pub paradigms: Vec<&'static str>,
    pub detail: &'static str,
    /// Whether the noise scale holds multiples.
    pub relative: bool,
}

impl Default for Axes {
    fn default() -> Self {
        Self {
            replicates: 4,
            samples: vec![100, 1000, 10000],
            noise_scale: vec![10.0, 1e4],
            alignment: vec![0.1, 1.0, 10.0],
            paradigms: vec!["supervised", "joint-embedding", "reconstruction"],
            detail: "rows",
            relative: false,
        }
    }
}

/// Rows like those of a simulation: curves that fall with n above the threshold and stay below it.
pub fn plausible(at: At<'_>) -> Values {
    let wobble = 1.0 + 0.1 * f64::from(at.replicate) + 0.01 * at.paradigm.len() as f64;
    let threshold = match at.paradigm {
        "joint-embedding" => Some(0.5),
        "reconstruction" => Some(at.noise_scale / 100.0 - 1.0),
        _ => None,
    };
    let recovers = threshold.is_none_or(|threshold| at.alignment * at.alignment > threshold);
    let distance = if recovers { wobble / at.samples as f64 / (1.0 + at.alignment) } else { 0.2 * wobble };
    Values {
        distance: Some(distance),
        leakage: threshold.map(|_| if recovers { 1e-3 / at.samples as f64 } else { 0.25 }),
        threshold_squared: threshold,
    }
}

/// A directory of data sets.
pub struct Place {
    pub directory: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a data set, a part for each n, and opens it.
    pub fn source(&self, name: &str, axes: &Axes, values: impl Fn(At<'_>) -> Values) -> Source {
        let root = self.path(name);
        let job = job::parse("job.toml", &text(name, axes), &[], Path::new("")).unwrap();
        let facts = InputFacts { extents: Extents { signal: 4, labels: 10 }, fingerprint: String::new() };
        let (mut dataset, _) = Dataset::open(&root, &job.spec, &facts, Shard::WHOLE, "a test").unwrap();
        let section = dataset.sections()[0].clone();
        let mut collector = Collector::new(&section, None);
        for part in 0..section.plan.parts {
            collector.begin(&section.plan, part);
            for task in section.plan.part_tasks(part) {
                collector.add(&section.plan, &batch(&section, task, &values));
            }
            dataset.note(0, collector.commit(&root, &section, part).unwrap());
        }
        run(dataset.rows()).write(&root).unwrap();
        dataset.write_manifest().unwrap();
        dataset.write_summary().unwrap();
        drop(dataset);
        Source::open(&root).unwrap()
    }

    /// Writes a data set of critical alignments of a job, with these values of α* by row, NaN where
    /// there is none, and opens it.
    pub fn boundary(&self, name: &str, text: &str, alpha: impl Fn(u64) -> f64) -> Source {
        let root = self.path(name);
        let job = job::parse("job.toml", text, &[], Path::new("")).unwrap().traced().unwrap();
        let facts = InputFacts { extents: Extents { signal: 4, labels: 10 }, fingerprint: String::new() };
        let (mut dataset, _) = Dataset::open(&root, &job.spec, &facts, Shard::WHOLE, "a test").unwrap();
        let section = dataset.sections()[0].clone();
        let mut collector = Collector::new(&section, None);
        for part in 0..section.plan.parts {
            collector.begin(&section.plan, part);
            for task in section.plan.part_tasks(part) {
                let rows = section.plan.task_rows(task);
                let mut batch = Rows::with_capacity(&section.spec, 0);
                batch.restart(usize::try_from(rows.end - rows.start).unwrap());
                for (at, row) in rows.enumerate() {
                    for (metric, share) in [(&ALPHA, 1.0), (&LOW, 0.9), (&HIGH, 1.1), (&THEORY, 2.0)] {
                        let column = batch.column(metric).unwrap();
                        batch.values_mut(column)[at] = share * alpha(row);
                    }
                    if alpha(row).is_nan() {
                        batch.set_status(at, Status::Never);
                    }
                }
                collector.add(&section.plan, &batch);
            }
            dataset.note(0, collector.commit(&root, &section, part).unwrap());
        }
        dataset.write_manifest().unwrap();
        drop(dataset);
        Source::open(&root).unwrap()
    }
}

fn batch(section: &Section, task: u64, values: impl Fn(At<'_>) -> Values) -> Rows {
    let (grid, rows) = (&section.plan.grid, section.plan.task_rows(task));
    let count = usize::try_from(rows.end - rows.start).unwrap();
    let mut batch = Rows::with_capacity(&section.spec, count);
    batch.restart(count);
    let axis = |name: &str, row: u64| {
        let axis = grid.axis(name).unwrap();
        axis.values.as_float(axis.index(row))
    };
    for (at, row) in rows.enumerate() {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number")]
        let samples = axis("samples", row) as i64;
        let found = values(At {
            replicate: i32::try_from(grid.replicate(row)).unwrap(),
            samples,
            noise_scale: axis("noise_scale", row),
            alignment: axis("alignment", row),
            paradigm: section.spec.model.paradigms[grid.paradigm(row)].name,
        });
        let values: [(&Metric, Option<f64>); 6] = [
            (&LOSS_CLEAN, Some(0.0)),
            (&LOSS_CORRUPTED, found.distance),
            (&DISTANCE, found.distance),
            (&LEAKAGE, found.leakage),
            (&GAP, Some(0.1)),
            (&THRESHOLD_SQUARED, found.threshold_squared),
        ];
        for (metric, value) in values {
            let column = batch.column(metric).unwrap();
            batch.values_mut(column)[at] = value.unwrap_or(f64::NAN);
        }
        if found.distance.is_none() {
            batch.fail(at..at + 1, Status::NotPositiveDefinite);
        }
    }
    batch
}

/// The run that has written all rows.
fn run(rows: u64) -> RunRecord {
    RunRecord {
        program: "eigensweep 0".to_owned(),
        commit: String::new(),
        features: String::new(),
        instruction_set: String::new(),
        host: "here".to_owned(),
        process: 1,
        batch_job: None,
        threads: 1,
        shard: "1/1".to_owned(),
        started: 86400,
        updated: 86400,
        state: RunState::Finished,
        seconds: 1.0,
        seconds_writing: 0.0,
        rows_total: rows,
        rows_before: 0,
        rows,
        rows_computed: rows,
    }
}

fn text(name: &str, axes: &Axes) -> String {
    let scale = format!("{:?}", axes.noise_scale);
    let scale = if axes.relative { format!("{{ relative = {scale} }}") } else { scale };
    let rows = axes.noise_scale.len() * axes.alignment.len() * axes.paradigms.len();
    format!(
        "[job]\nname = \"{name}\"\nreplicates = {}\n[data]\ncomponents = 4\n[corruption]\ncomponents = 4\nspectrum = \
         \"flat\"\nscale = {scale}\n[augmentation]\nspectrum = \"flat\"\nscale = 100.0\nalignment = {:?}\n[model]\nparadigms = \
         {:?}\n[grid]\nsamples = {:?}\n[output]\ndetail = \"{}\"\npart_rows = {}\n",
        axes.replicates,
        axes.alignment,
        axes.paradigms,
        axes.samples,
        axes.detail,
        rows * usize::try_from(axes.replicates).unwrap()
    )
}
