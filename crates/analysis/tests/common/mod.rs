//! Makes data sets with chosen rows: what the engine would write, without simulating.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use eigensweep_analysis::Source;
use eigensweep_store::columns::FORMAT_VERSION;
use polars::prelude::*;
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

/// The axes of a data set.
#[derive(Clone, Debug)]
pub struct Axes {
    pub replicates: i32,
    pub samples: Vec<i64>,
    pub noise_scale: Vec<f64>,
    pub alignment: Vec<f64>,
    pub paradigms: Vec<&'static str>,
}

impl Default for Axes {
    fn default() -> Self {
        Self {
            replicates: 4,
            samples: vec![100, 1000, 10000],
            noise_scale: vec![10.0, 1e4],
            alignment: vec![0.1, 1.0, 10.0],
            paradigms: vec!["supervised", "joint-embedding", "reconstruction"],
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

    /// Writes a data set of two parts and opens it.
    pub fn source(&self, name: &str, axes: &Axes, values: impl Fn(At<'_>) -> Values) -> Source {
        let root = self.path(name);
        for directory in ["data", "commits"] {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        fs::write(root.join("job.toml"), job(name, axes)).unwrap();
        fs::write(
            root.join("manifest.json"),
            "{\"job_hash\": \"a1b2\", \"streams\": \"s1\", \"runs\": [{\"program\": \"eigensweep 0\", \"host\": \"here\", \"started\": 86400, \"rows\": 7}]}",
        )
        .unwrap();
        let rows = frame(axes, values);
        let half = rows.height() / 2;
        let halves = [rows.slice(0, half), rows.slice(i64::try_from(half).unwrap(), rows.height() - half)];
        for (part, mut rows) in halves.into_iter().enumerate() {
            let file = format!("part-{part:06}.parquet");
            let path = root.join("data").join(&file);
            ParquetWriter::new(File::create(&path).unwrap()).finish(&mut rows).unwrap();
            commit(&root, part, &file, rows.height(), "a1b2");
        }
        Source::open(&root).unwrap()
    }
}

/// Records a part.
pub fn commit(root: &Path, part: usize, file: &str, rows: usize, study: &str) {
    let bytes = fs::metadata(root.join("data").join(file)).unwrap().len();
    let record = format!(
        "{{\"format_version\": {FORMAT_VERSION}, \"study\": \"{study}\", \"part\": {part}, \"file\": \"{file}\", \"rows\": {rows}, \
         \"bytes\": {bytes}, \"blake3\": \"unread\", \"a_later_field\": true}}"
    );
    fs::write(root.join(format!("commits/{part:06}.json")), record).unwrap();
}

fn job(name: &str, axes: &Axes) -> String {
    format!(
        "[job]\nname = \"{name}\"\nreplicates = {}\n[data]\ncomponents = 4\n[corruption]\ncomponents = 4\nspectrum = \
         \"flat\"\nscale = {:?}\n[augmentation]\nspectrum = \"flat\"\nscale = 100.0\nalignment = {:?}\n[model]\nparadigms = \
         {:?}\n[grid]\nsamples = {:?}\n",
        axes.replicates, axes.noise_scale, axes.alignment, axes.paradigms, axes.samples
    )
}

/// The rows in the engine's order and schema.
fn frame(axes: &Axes, values: impl Fn(At<'_>) -> Values) -> DataFrame {
    let (mut replicate, mut samples, mut noise, mut alignment) = (vec![], vec![], vec![], vec![]);
    let (mut paradigm, mut distance, mut leakage, mut threshold, mut status) =
        (vec![], vec![], vec![], vec![], vec![]);
    for r in 0..axes.replicates {
        for &n in &axes.samples {
            for &scale in &axes.noise_scale {
                for &alpha in &axes.alignment {
                    for &name in &axes.paradigms {
                        let at = At {
                            replicate: r,
                            samples: n,
                            noise_scale: scale,
                            alignment: alpha,
                            paradigm: name,
                        };
                        let found = values(at);
                        replicate.push(r);
                        samples.push(n);
                        noise.push(scale);
                        alignment.push(alpha);
                        paradigm.push(name);
                        distance.push(found.distance);
                        leakage.push(found.leakage);
                        threshold.push(found.threshold_squared);
                        status.push(if found.distance.is_some() { "ok" } else { "not-positive-definite" });
                    }
                }
            }
        }
    }
    let gap: Vec<Option<f64>> = distance.iter().map(|distance| distance.map(|_| 0.1)).collect();
    let corrupted: Vec<Option<f64>> =
        distance.iter().map(|distance| distance.map(|distance| 0.5 + distance)).collect();
    let clean: Vec<Option<f64>> = distance.iter().map(|distance| distance.map(|_| 0.5)).collect();
    let dimension = vec![4; replicate.len()];
    DataFrame::new_infer_height(vec![
        Column::new("replicate".into(), replicate),
        Column::new("samples".into(), samples),
        Column::new("noise_scale".into(), noise),
        Column::new("alignment".into(), alignment),
        Column::new("dimension".into(), dimension),
        Column::new("paradigm".into(), paradigm),
        Column::new("loss_clean".into(), clean),
        Column::new("loss_corrupted".into(), corrupted),
        Column::new("distance".into(), distance),
        Column::new("leakage".into(), leakage),
        Column::new("gap".into(), gap),
        Column::new("threshold_squared".into(), threshold),
        Column::new("status".into(), status),
    ])
    .unwrap()
}
