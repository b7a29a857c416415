//! Samples that stages act on: raw rows of images or features, their labels, and what is known of
//! all of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eigensweep_inputs::readers::Source;
use eigensweep_inputs::{Blocks, ClassLabels, Dense, InputError, principal_components, read_matrix};
use eigensweep_job::stages::StageValue;
use eigensweep_job::{HeldOut, Job, RowSource, RowsSpec, StageSpec};
use eigensweep_sampling::glyphs;
use eigensweep_sampling::streams::Streams;
use eigensweep_theory::views::stages::{Domain, Shape};
use faer::{Mat, MatRef};

use crate::EngineError;
use crate::input::size;

/// Raw rows with their labels, and moments of all of them.
#[derive(Debug)]
pub struct Samples {
    /// Channels, rows and columns of a sample.
    pub shape: Shape,
    /// Rows that are learned from.
    pub training: LabelledBlocks,
    /// Rows that are not.
    pub held_out: Option<LabelledBlocks>,
    /// Number ℓ of classes.
    pub labels: usize,
    /// μ (d × 1) of all training rows.
    pub mean: Mat<f64>,
    /// XᵀX/n (d × d), both triangles, not centred, of all training rows.
    pub second: Mat<f64>,
    /// Which values samples have.
    pub domain: Domain,
    /// By value of the `components` axis: a basis (d × k₀) of principal components.
    pub bases: Vec<(i64, Mat<f64>)>,
    /// Numbers of the files that stages name.
    pub files: BTreeMap<PathBuf, Mat<f64>>,
    /// Bytes that loading took at its peak, about.
    pub loading_bytes: u64,
    /// BLAKE3 of the files.
    pub fingerprint: String,
}

/// Some rows of a source, each with its class.
#[derive(Clone, Debug)]
pub struct LabelledBlocks {
    rows: Arc<dyn Blocks>,
    /// The first row.
    first: usize,
    /// Class of each row.
    classes: Vec<u16>,
}

/// What becomes of a source's values.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Map {
    /// The least value of the source, and the width of its range.
    from: [f64; 2],
    /// The same of what they become.
    to: [f64; 2],
}

/// The least byte, and the width of their range.
const BYTES: [f64; 2] = [0.0, 255.0];

impl Map {
    /// The least value and the width first, so that whole numbers stay whole.
    fn apply(self, value: f64) -> f64 {
        self.to[0] + self.to[1] * (value - self.from[0]) / self.from[1]
    }
}

/// A source whose values become others.
#[derive(Debug)]
struct Mapped {
    of: Box<dyn Blocks>,
    map: Map,
}

impl Blocks for Mapped {
    fn samples(&self) -> usize {
        self.of.samples()
    }

    fn features(&self) -> usize {
        self.of.features()
    }

    fn bytes(&self) -> u64 {
        self.of.bytes()
    }

    fn shape(&self) -> Option<[usize; 3]> {
        self.of.shape()
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        self.of.write_rows(first, rows);
        rows.iter_mut().for_each(|value| *value = self.map.apply(*value));
    }

    fn means(&self) -> Vec<f64> {
        self.of.means().into_iter().map(|mean| self.map.apply(mean)).collect()
    }

    fn second_moment(&self) -> Result<Mat<f64>, InputError> {
        let factor = self.map.to[1] / self.map.from[1];
        Ok(self.of.second_moment()? * faer::Scale(factor * factor))
    }
}

impl LabelledBlocks {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// Writes a row (d) and returns its class.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn write(&self, row: usize, values: &mut [f64]) -> usize {
        self.rows.write_rows(self.first + row, values);
        usize::from(self.classes[row])
    }

    /// Class of each row.
    #[must_use]
    pub fn classes(&self) -> &[u16] {
        &self.classes
    }
}

/// The leading rows of a source.
#[derive(Debug)]
struct Leading {
    of: Arc<dyn Blocks>,
    samples: usize,
}

impl Blocks for Leading {
    fn samples(&self) -> usize {
        self.samples
    }

    fn features(&self) -> usize {
        self.of.features()
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        self.of.write_rows(first, rows);
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
        let Source { inputs, labels } = read(job, spec)?;
        let domain = domain(spec, &*inputs);
        let rows: Arc<dyn Blocks> = Arc::from(inputs);
        let (total, features) = (rows.samples(), rows.features());
        if labels.classes().len() != total {
            return Err(InputError::SampleCount { inputs: total, labels: labels.classes().len() }.into());
        }
        let shape = shape(job, spec, &*rows)?;
        let classes = labels.classes();
        let (training, held_out) = match &spec.held_out {
            HeldOut::Nothing => (total, None),
            HeldOut::Share(share) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of the rows"
                )]
                let out = (total as f64 * share).round() as usize;
                let training = total.saturating_sub(out);
                if training == 0 || out == 0 {
                    let message = format!("`data.test_share` of {total} rows leaves none on one side");
                    let help = Some("choose a share that leaves rows on both sides".to_owned());
                    return Err(refused(job, "data.test_share", message, "all or none", help));
                }
                let rows = Arc::clone(&rows);
                let classes = classes[training..].to_vec();
                (training, Some(LabelledBlocks { rows, first: training, classes }))
            }
            HeldOut::Files(files) => {
                let RowSource::Files(source) = &spec.source else {
                    let message = "`data.source` has no files of its own".to_owned();
                    return Err(refused(job, "data.source", message, "no files", None));
                };
                missing(job, "test_", source.reader.files.iter().map(|file| file.key), files)?;
                let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
                let Source { inputs, labels: held } = (source.reader.read)(&paths)?;
                let inputs = mapped(job, spec, inputs)?;
                if inputs.features() != features {
                    let key =
                        format!("data.test_{}", source.reader.files.first().map_or("", |file| file.key));
                    let message = format!(
                        "`{key}` has samples of {} {}, those that are learned from have {features}",
                        inputs.features(),
                        source.reader.features
                    );
                    return Err(refused(job, &key, message, "another size", None));
                }
                if held.classes().len() != inputs.samples() {
                    let (inputs, labels) = (inputs.samples(), held.classes().len());
                    return Err(InputError::SampleCount { inputs, labels }.into());
                }
                let classes = same_classes(
                    job,
                    &labels,
                    &held,
                    source.reader.files.last().map_or("", |file| file.key),
                )?;
                (total, Some(LabelledBlocks { rows: Arc::from(inputs), first: 0, classes }))
            }
        };
        let most = job.spec.grid.samples.values();
        let problems =
            crate::input::above(job, "grid.samples", most, training, "samples", "rows to learn from");
        if !problems.is_empty() {
            return Err(job.source.report(problems).into());
        }
        let learned: Arc<dyn Blocks> = if training == total {
            Arc::clone(&rows)
        } else {
            Arc::new(Leading { of: Arc::clone(&rows), samples: training })
        };
        let (mean, second) = moments(&*learned)?;
        let bases = bases(job, spec, &*learned)?;
        let files = stage_files(job)?;
        let held_bytes =
            held_out.as_ref().map_or(0, |held| if held.first == 0 { held.rows.bytes() } else { 0 });
        let loading_bytes = rows.bytes() + held_bytes + 6 * 8 * (features as u64).pow(2);
        let fingerprint = fingerprint(job)?;
        Ok(Self {
            shape,
            training: LabelledBlocks { rows, first: 0, classes: classes[..training].to_vec() },
            held_out,
            labels: labels.count(),
            mean,
            second,
            domain,
            bases,
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
        self.bases.iter().map(|(_, basis)| basis.ncols()).max().unwrap_or_else(|| self.shape.size())
    }

    /// The basis at a value of the `components` axis; `None` of raw features.
    #[must_use]
    pub fn basis(&self, components: i64) -> Option<MatRef<'_, f64>> {
        self.bases.iter().find(|(of, _)| *of == components).map(|(_, basis)| basis.as_ref())
    }

    /// Bytes that the rows take.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let held =
            self.held_out.as_ref().map_or(0, |held| if held.first == 0 { held.rows.bytes() } else { 0 });
        self.training.rows.bytes() + held + 2 * 8 * (self.shape.size() as u64).pow(2)
    }
}

/// A problem of a job, as an error.
fn refused(job: &Job, key: &str, message: String, label: &str, help: Option<String>) -> EngineError {
    job.source.report(vec![job.source.problem_at(key, message, label, help)]).into()
}

/// Reads the source of a job's rows, their values in the job's range.
pub(crate) fn read(job: &Job, spec: &RowsSpec) -> Result<Source, EngineError> {
    let Source { inputs, labels } = match &spec.source {
        RowSource::Files(source) => {
            missing(job, "", source.reader.files.iter().map(|file| file.key), &source.files)?;
            let paths: Vec<&Path> = source.files.iter().map(PathBuf::as_path).collect();
            (source.reader.read)(&paths)?
        }
        RowSource::Glyphs { count } => {
            let streams = Streams::new(job.spec.job.seed);
            let count = *count as usize;
            let mut values = vec![0_u8; count * glyphs::PIXELS];
            let images = values.as_chunks_mut::<{ glyphs::PIXELS }>().0;
            let classes =
                (0..).zip(images).map(|(index, image)| u16::from(glyphs::draw(&streams, index, image)));
            let labels = ClassLabels::new(classes.collect())?;
            let inputs = Dense::new(values, count, glyphs::PIXELS)?.shaped([1, glyphs::SIDE, glyphs::SIDE]);
            Source { inputs: Box::new(inputs), labels }
        }
    };
    Ok(Source { inputs: mapped(job, spec, inputs)?, labels })
}

/// BLAKE3 of all files of a job, in the order in which it names them; empty if there are none.
pub(crate) fn fingerprint(job: &Job) -> Result<String, EngineError> {
    let mut spec = job.spec.clone();
    let paths: Vec<PathBuf> = spec.paths_mut().into_iter().map(|path| path.clone()).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    if paths.is_empty() { Ok(String::new()) } else { crate::input::fingerprint(&paths) }
}

/// Refuses files that do not exist, all at once.
fn missing<'k>(
    job: &Job,
    prefix: &str,
    keys: impl Iterator<Item = &'k str>,
    paths: &[PathBuf],
) -> Result<(), EngineError> {
    let missing = keys.zip(paths).filter(|(_, path)| !path.exists()).map(|(key, path)| {
        let key = format!("data.{prefix}{key}");
        let message = format!("`{key}` names {}, which does not exist", path.display());
        let help = format!(
            "put the file there, or name it with --set {key}=PATH (relative to the working directory)"
        );
        job.source.problem_at(&key, message, "no such file", Some(help))
    });
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() { Ok(()) } else { Err(job.source.report(missing).into()) }
}

/// The shape of a sample: as given, as the source has it, or one row of features.
fn shape(job: &Job, spec: &RowsSpec, rows: &dyn Blocks) -> Result<Shape, EngineError> {
    let known = rows.shape().map(|[channels, rows, columns]| Shape { channels, rows, columns });
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

/// A source with its values in the job's range.
fn mapped(job: &Job, spec: &RowsSpec, of: Box<dyn Blocks>) -> Result<Box<dyn Blocks>, EngineError> {
    match (spec.range, of.bounds()) {
        (None, _) => Ok(of),
        (Some([low, high]), Some([least, most])) => {
            let map = Map { from: [least, most - least], to: [low, high - low] };
            Ok(Box::new(Mapped { of, map }))
        }
        (Some(_), None) => {
            let message = "`data.range` has no meaning for values of this type".to_owned();
            Err(refused(job, "data.range", message, "no least and largest value", None))
        }
    }
}

/// Which values rows have: those of bytes in the job's range, or anything.
fn domain(spec: &RowsSpec, rows: &dyn Blocks) -> Domain {
    let map = match (spec.range, rows.bounds()) {
        (Some([low, high]), _) => Map { from: BYTES, to: [low, high - low] },
        (None, Some(_)) => Map { from: BYTES, to: BYTES },
        (None, None) => return Domain::Real,
    };
    let values = || (0..=255).map(|byte| map.apply(f64::from(byte)));
    match () {
        () if values().any(|value| value < 0.0) => Domain::Real,
        () if values().any(|value| value.fract() != 0.0) => Domain::NotNegative,
        () => Domain::Counts,
    }
}

/// The classes of rows that are held out, numbered as those that are learned from.
fn same_classes(
    job: &Job,
    known: &ClassLabels,
    held: &ClassLabels,
    key: &str,
) -> Result<Vec<u16>, EngineError> {
    let place = |value: &f64| known.values().iter().position(|known| known.to_bits() == value.to_bits());
    let places: Vec<Option<usize>> = held.values().iter().map(place).collect();
    if let Some(unknown) = places.iter().position(Option::is_none) {
        let message = format!(
            "`data.test_{key}` has class {}, which no row that is learned from has",
            held.values()[unknown]
        );
        return Err(refused(job, &format!("data.test_{key}"), message, "an unknown class", None));
    }
    let class = |&class: &u16| places[usize::from(class)].and_then(|place| u16::try_from(place).ok());
    Ok(held.classes().iter().filter_map(class).collect())
}

/// Mean (d × 1) and second moment (d × d, not centred) of rows.
fn moments(rows: &dyn Blocks) -> Result<(Mat<f64>, Mat<f64>), EngineError> {
    let (centred, means) = (rows.second_moment()?, rows.means());
    let size = means.len();
    let second = Mat::from_fn(size, size, |i, j| centred[(i.max(j), i.min(j))] + means[i] * means[j]);
    Ok((Mat::from_fn(size, 1, |i, _| means[i]), second))
}

/// Principal components of the training rows, for each value of the `components` axis.
fn bases(job: &Job, spec: &RowsSpec, rows: &dyn Blocks) -> Result<Vec<(i64, Mat<f64>)>, EngineError> {
    let Some(components) = &spec.components else { return Ok(Vec::new()) };
    let most = rows.features().min(rows.samples());
    let problems =
        crate::input::above(job, "data.components", components.values(), most, "components", "features");
    if !problems.is_empty() {
        return Err(job.source.report(problems).into());
    }
    let largest = components.values().iter().map(|&k| size(k)).max().unwrap_or(1);
    let all = principal_components(rows, largest)?;
    let basis = |&k: &i64| (k, all.basis().subcols(0, size(k)).to_owned());
    Ok(components.values().iter().map(basis).collect())
}

/// Reads the files that a job's stages name.
fn stage_files(job: &Job) -> Result<BTreeMap<PathBuf, Mat<f64>>, EngineError> {
    let Some(staged) = job.spec.stages() else { return Ok(BTreeMap::new()) };
    let own = staged.own.iter().map(|(_, chain)| chain);
    numbers_of([&staged.corruption, &staged.augmentation].into_iter().chain(own).flatten())
}

/// Reads the files that stages name.
pub(crate) fn numbers_of<'a>(
    stages: impl IntoIterator<Item = &'a StageSpec>,
) -> Result<BTreeMap<PathBuf, Mat<f64>>, EngineError> {
    let mut files = BTreeMap::new();
    let mut waiting: Vec<&StageSpec> = stages.into_iter().collect();
    while let Some(stage) = waiting.pop() {
        for (_, value) in &stage.values {
            match value {
                StageValue::File(path) if !files.contains_key(path) => {
                    files.insert(path.clone(), read_matrix(path)?);
                }
                StageValue::Stages(chain) => waiting.extend(chain),
                StageValue::Options(options) => waiting.extend(options.iter().flatten()),
                StageValue::File(_) | StageValue::Number(_) | StageValue::Fixed(_) => {}
            }
        }
    }
    Ok(files)
}
