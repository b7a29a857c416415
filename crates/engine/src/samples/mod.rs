//! Samples that stages act on: raw rows of images or features, their labels, and what is known of
//! all of them.
//!
//! | module | is about |
//! |---|---|
//! | `files` | the files of a job, what they hold and what identifies them |
//! | `values` | what becomes of their values |
//! | `labels` | classes, or real targets |
//! | `held_out` | rows that are not learned from |

mod files;
mod held_out;
mod labels;
mod values;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use eigensweep_inputs::{Blocks, InputError, Source};
use eigensweep_job::{HeldOut, HeldOutRows, Job, RowSource, RowsSpec};
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_theory::features::Moments;
use eigensweep_theory::views::stages::{Domain, Shape};
use faer::Mat;

pub(crate) use files::{fingerprint, numbers_of, read};
pub use labels::Label;
pub(crate) use labels::centre;
pub(crate) use values::{map, mapped};

use crate::EngineError;
use crate::features::{self, Counts, RowFeatures};
use files::{missing, stage_files};
use held_out::{Which, are_sorted, divided, held_out_files, part, same_features};
use labels::{RowLabels, row_labels, same_labels};
use values::{domain, far_from_zero};

/// Raw rows with their labels, and moments of all of them.
#[derive(Debug)]
pub struct Samples {
    /// Channels, rows and columns of a sample.
    pub shape: Shape,
    /// Rows that are learned from.
    pub training: LabelledBlocks,
    /// Rows that are not.
    pub held_out: Option<LabelledBlocks>,
    /// Number ℓ of classes, or of targets.
    pub labels: usize,
    /// μ (d × 1) of all training rows.
    pub mean: Mat<f64>,
    /// XᵀX/n (d × d), both triangles, not centred, of all training rows.
    pub second: Mat<f64>,
    /// Which values samples have.
    pub domain: Domain,
    /// Whether the values of the source are bytes.
    pub bounded: bool,
    /// Features by value of the `components` axis; a single one without it.
    pub features: Vec<RowFeatures>,
    /// Numbers of the files that stages name.
    pub files: BTreeMap<PathBuf, Mat<f64>>,
    /// Bytes that all of it takes, about.
    pub bytes: u64,
    /// Bytes that loading took at its peak, about.
    pub loading_bytes: u64,
    /// BLAKE3 of the files.
    pub fingerprint: String,
}

/// Some rows of a source with their labels.
#[derive(Clone, Debug)]
pub struct LabelledBlocks {
    rows: Arc<dyn Blocks>,
    labels: RowLabels,
    /// A factor of each row; empty where they are all 1.
    scales: Vec<f64>,
}

impl LabelledBlocks {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.samples()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes a row (d) and returns its label.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn write(&self, row: usize, values: &mut [f64]) -> Label<'_> {
        self.rows.write_rows(row, values);
        match &self.labels {
            RowLabels::Classes(classes) => Label::Class(usize::from(classes[row])),
            RowLabels::Targets(targets) => Label::Targets(targets.col_as_slice(row)),
        }
    }

    /// The factor by which a row is normalized.
    #[must_use]
    pub fn scale(&self, row: usize) -> f64 {
        self.scales.get(row).copied().unwrap_or(1.0)
    }

    /// The rows themselves.
    #[must_use]
    pub fn rows(&self) -> &dyn Blocks {
        &*self.rows
    }
}

impl Samples {
    /// Loads the samples of a job with stages.
    ///
    /// # Errors
    ///
    /// [`EngineError::Input`] if a file is missing or damaged; [`EngineError::Job`] if the job asks
    /// for more than the data have, or its shape is not theirs.
    pub fn load(job: &Job, spec: &RowsSpec) -> Result<Self, EngineError> {
        let (Source { inputs, groups, .. }, mut labels) = read(job, spec)?;
        let names = inputs.names;
        let raw: Arc<dyn Blocks> = Arc::from(inputs.rows);
        let (total, features) = (raw.samples(), raw.features());
        let (training, out) = match &spec.held_out {
            HeldOut::Nothing | HeldOut::Files { .. } => (Which::Range(0..total), None),
            HeldOut::Share { share, rows } => {
                if *rows == HeldOutRows::Last && groups.is_none() && are_sorted(&labels) {
                    let message =
                        "the rows are sorted by label, and `data.test_share` holds the last ones out";
                    let help = "set test_rows = \"random\", or shuffle the file".to_owned();
                    let label = "labels that are not learned from";
                    return Err(refused(job, "data.test_share", message.to_owned(), label, Some(help)));
                }
                let mut rng = match rows {
                    HeldOutRows::Last => None,
                    HeldOutRows::Random => {
                        Some(Streams::new(job.spec.job.seed).stream(Draw::HeldOutRows, &[]))
                    }
                };
                let (training, out) = divided(total, *share, groups.as_ref(), rng.as_mut());
                if training.len() == 0 || out.len() == 0 {
                    let message = format!("`data.test_share` of {total} rows leaves none on one side");
                    let help = Some("choose a share that leaves rows (or groups) on both sides".to_owned());
                    return Err(refused(job, "data.test_share", message, "all or none", help));
                }
                (training, Some(out))
            }
        };
        let map = map(job, spec, &*part(&raw, &training))?;
        let domain = domain(map, &*raw);
        let (bytes, bounded) = (raw.bytes(), raw.bounds().is_some());
        let rows = mapped(map, raw);
        let means = centre(&mut labels, Some(&training));
        let learned = part(&rows, &training);
        let counts = Counts::fit(job, &spec.features, &*learned)?;
        let labelled = |rows: &Arc<dyn Blocks>, labels: RowLabels| -> Result<LabelledBlocks, InputError> {
            let scales = counts.scales(&**rows);
            Ok(LabelledBlocks { rows: counts.keep(Arc::clone(rows))?, labels, scales })
        };
        let out = out.map(|out| labelled(&part(&rows, &out), row_labels(&labels, &out))).transpose()?;
        let (training, mut held_out) = (labelled(&learned, row_labels(&labels, &training))?, out);
        let mut held_bytes = 0;
        if let (HeldOut::Files { inputs, answers }, RowSource::Files(source)) = (&spec.held_out, &spec.source)
        {
            let files = held_out_files(source, inputs, answers.as_ref());
            missing(job, "test_", &files)?;
            let Source { inputs, labels: held, .. } = files.read()?;
            let key = format!("data.test_{}", source.reader.inputs.key);
            let inputs = same_features(job, &key, &names, inputs)?;
            if inputs.rows.features() != features {
                let message = format!(
                    "`{key}` has samples of {} {}, those that are learned from have {features}",
                    inputs.rows.features(),
                    source.reader.features
                );
                return Err(refused(job, &key, message, "another size", None));
            }
            let samples = inputs.rows.samples();
            let held =
                held.ok_or_else(|| refused(job, &key, "there are no labels".to_owned(), "no labels", None))?;
            if held.samples() != samples {
                return Err(InputError::SampleCount { inputs: samples, labels: held.samples() }.into());
            }
            held_bytes = inputs.rows.bytes();
            let labels = same_labels(job, &labels, &means, held)?;
            held_out = Some(labelled(&mapped(map, Arc::from(inputs.rows)), labels)?);
        }
        let features = training.rows().features();
        if let Some(large) = crate::input::too_large(job, features, labels.count()) {
            // Before their second moment is allocated.
            return Err(job.source.report(vec![large]).into());
        }
        let shape = shape(job, spec, training.rows())?;
        let most = job.spec.grid.samples.values();
        let problems =
            crate::input::above(job, "grid.samples", most, training.len(), "samples", "rows to learn from");
        if !problems.is_empty() {
            return Err(job.source.report(problems).into());
        }
        let moments = features::moments(training.rows())?;
        if let Some(problem) = far_from_zero(job, &moments, &names) {
            return Err(job.source.report(vec![problem]).into());
        }
        let row_features = RowFeatures::fit(job, spec, &training.rows, &training.scales, &moments)?;
        let Moments { mean, covariance } = moments;
        let second = Mat::from_fn(features, features, |i, j| covariance[(i, j)] + mean[i] * mean[j]);
        let mean = Mat::from_fn(features, 1, |i, _| mean[i]);
        let files = stage_files(job)?;
        let of_features: u64 = row_features.iter().map(RowFeatures::bytes).sum();
        let bytes = bytes + held_bytes + 2 * 8 * (features as u64).pow(2) + of_features;
        let loading_bytes = bytes + 4 * 8 * (features as u64).pow(2);
        let fingerprint = fingerprint(job)?;
        Ok(Self {
            shape,
            training,
            held_out,
            bytes,
            labels: labels.count(),
            mean,
            second,
            domain,
            bounded,
            features: row_features,
            files,
            loading_bytes,
            fingerprint,
        })
    }

    /// Mean variance of the features: what `{ relative = x }` of a variance multiplies.
    #[must_use]
    pub fn mean_variance(&self) -> f64 {
        let size = self.mean.nrows();
        let variance = |i: usize| self.second[(i, i)] - self.mean[(i, 0)] * self.mean[(i, 0)];
        (0..size).map(variance).sum::<f64>() / size as f64
    }

    /// Number of features that are the same in all training rows, up to rounding.
    #[must_use]
    pub fn constant(&self) -> usize {
        let is_constant = |i: &usize| {
            let (second, mean) = (self.second[(*i, *i)], self.mean[(*i, 0)]);
            second - mean * mean <= 4.0 * f64::EPSILON * second
        };
        (0..self.mean.nrows()).filter(is_constant).count()
    }

    /// Features of the representation's inputs: components, or all.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.features.iter().map(RowFeatures::inputs).max().unwrap_or_else(|| self.shape.size())
    }

    /// Features of the rows that moments are taken of, at most.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.features.iter().map(|features| features.mean().len()).max().unwrap_or_else(|| self.shape.size())
    }

    /// The features at a value of the `components` axis.
    ///
    /// # Panics
    ///
    /// If the job has no such value.
    #[must_use]
    pub fn features(&self, components: Option<i64>) -> &RowFeatures {
        let found = self.features.iter().find(|features| features.setting() == components);
        found.unwrap_or_else(|| panic!("features of {components:?} components"))
    }
}

/// A problem of a job, as an error.
pub(crate) fn refused(
    job: &Job,
    key: &str,
    message: String,
    label: &str,
    help: Option<String>,
) -> EngineError {
    job.source.report(vec![job.source.problem_at(key, message, label, help)]).into()
}

/// The shape of a sample: as given, as the source has it, or one row of features.
fn shape(job: &Job, spec: &RowsSpec, rows: &dyn Blocks) -> Result<Shape, EngineError> {
    // One row of features is no shape that a source knows: an array of two dimensions may hold
    // images.
    let known = rows.shape().filter(|[channels, rows, _]| channels * rows > 1);
    let known = known.map(|[channels, rows, columns]| Shape { channels, rows, columns });
    let shape = spec.shape.or(known).unwrap_or(Shape::features(rows.features()));
    let fits = shape.channels.checked_mul(shape.rows).and_then(|size| size.checked_mul(shape.columns));
    if fits == Some(rows.features()) && (spec.shape.is_none() || known.is_none_or(|known| known == shape)) {
        return Ok(shape);
    }
    let words = |shape: Shape| format!("{} × {} × {}", shape.channels, shape.rows, shape.columns);
    let found = known.map_or_else(|| format!("{} features", rows.features()), words);
    let message = format!("`data.shape` is {}, but the data have samples of {found}", words(shape));
    let help = "write [channels, rows, columns] of a sample, or leave it out where the source knows it";
    Err(refused(job, "data.shape", message, "not the data's", Some(help.to_owned())))
}
