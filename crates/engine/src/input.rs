//! What a job's data source gives: loaded once, checked against the job, shared by every thread.

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use eigensweep_inputs::pca::largest_eigenvalue;
use eigensweep_inputs::{Blocks, LabelledRows, Labels, Source, SourceFiles, principal_components};
use eigensweep_sampling::gaussian::Teacher;
use eigensweep_spectral::dense::{HeldRows, RowGram};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_theory::features::Features;
use eigensweep_theory::leakage::CleanMoment;
use faer::Mat;

use crate::EngineError;
use crate::features::{self, Counts, components_key};
use crate::samples::{self, Samples};
use crate::simulation::stages;
use eigensweep_job::{self as job, Axis, DataSpec, Job, JobSpec, Problem, RowSource, RowsSpec};
use eigensweep_store::Extents;
use eigensweep_store::dataset::InputFacts;
use eigensweep_store::format::counted;

/// Largest d (and ℓ) of a problem: a thread's workspace then takes 10 GB.
pub const LARGEST_SIZE: usize = 8192;

/// Clean inputs and labels of a job.
#[derive(Debug)]
pub enum Input {
    /// Nothing to load: samples are drawn from a population.
    Synthetic {
        /// Largest number of signal components over the axis.
        components: usize,
        /// Number ℓ of labels.
        labels: usize,
    },
    /// Rows of a data set, once per setting of the data.
    Rows {
        /// One set per value of the `components` axis, in its order (a single one for raw
        /// features).
        sets: Vec<Arc<RowSet>>,
        /// Bytes that loading took at its peak, about: raw inputs, second moments, scores and rows
        /// side by side.
        loading_bytes: u64,
        /// BLAKE3 of the files, so that a resumed run notices other data under the same path.
        fingerprint: String,
    },
    /// Raw rows that stages act on.
    Samples(Arc<Samples>),
}

/// A data set at one setting.
#[derive(Debug)]
pub struct RowSet {
    /// The value of the `components` axis that it was made for; `None` for raw features, which have
    /// no such axis.
    pub setting: Option<i64>,
    /// Rows \[X Y\].
    pub rows: LabelledRows,
    /// Clean second moment of the whole set.
    pub moment: SecondMoment,
    /// Its largest eigenvalue, which relative scales multiply; `None` of raw features where no
    /// scale is relative.
    pub largest: Option<f64>,
}

impl RowSet {
    /// Principal components with these variances.
    fn of_components(setting: i64, rows: LabelledRows, variances: &[f64]) -> Self {
        let largest = Some(variances.iter().copied().fold(0.0, f64::max));
        Self { setting: Some(setting), rows, moment: SecondMoment::Diagonal(variances.to_vec()), largest }
    }

    /// Any features of rows, which stay what they are.
    fn of_rows(
        job: &Job,
        setting: Option<i64>,
        inputs: Arc<dyn Blocks>,
        labels: &Labels,
    ) -> Result<Arc<Self>, EngineError> {
        let rows = LabelledRows::centred(inputs, labels)?;
        let mut sums = RowGram::new(InstructionSet::detect(), rows.numbers(), rows.width() - rows.numbers());
        sums.add(&rows, 0..rows.samples());
        let scale = 1.0 / rows.samples() as f64;
        let moment = Mat::from_fn(rows.features(), rows.features(), |i, j| sums.entry(i, j) * scale);
        let relative = job.spec.axes().iter().any(|axis| axis.relative);
        let largest = relative.then(|| largest_eigenvalue(moment.as_ref())).transpose()?;
        Ok(Arc::new(Self { setting, rows, moment: SecondMoment::Dense(moment), largest }))
    }
}

/// Clean second moment of a data set.
#[derive(Debug)]
pub enum SecondMoment {
    /// Principal components: their variances.
    Diagonal(Vec<f64>),
    /// Raw features (k₀ × k₀).
    Dense(Mat<f64>),
}

impl SecondMoment {
    /// As the theory wants it.
    #[must_use]
    pub fn view(&self) -> CleanMoment<'_> {
        match self {
            Self::Diagonal(moments) => CleanMoment::Diagonal(moments),
            Self::Dense(matrix) => CleanMoment::Dense(matrix.as_ref()),
        }
    }
}

impl Input {
    /// Loads the input of a job and checks the job's axes against it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Input`] if a file is missing or damaged, or images and labels differ in
    /// number; [`EngineError::Job`] if `samples`, `components` or `dimension` exceed what the data
    /// have.
    pub fn load(job: &Job) -> Result<Self, EngineError> {
        let input = Self::read(job)?;
        let problems = misfits(job, &input);
        if problems.is_empty() { Ok(input) } else { Err(job.source.report(problems).into()) }
    }

    fn read(job: &Job) -> Result<Self, EngineError> {
        match &job.spec.data {
            DataSpec::Gaussian(spec) => Ok(Self::Synthetic {
                components: spec.components.values().iter().map(|&k| size(k)).max().unwrap_or(1),
                labels: spec.label_count as usize,
            }),
            DataSpec::Rows(spec) if job.spec.stages().is_some() => {
                Ok(Self::Samples(Arc::new(Samples::load(job, spec)?)))
            }
            DataSpec::Rows(spec) => Self::load_rows(job, spec),
        }
    }

    /// Reads a job's files and keeps principal components, or all raw features.
    fn load_rows(job: &Job, spec: &RowsSpec) -> Result<Self, EngineError> {
        let RowsSpec { source, components, .. } = spec;
        let (samples_are, features_are) = match source {
            RowSource::Files(SourceFiles { reader, .. }) => (reader.samples, reader.features),
            RowSource::Glyphs { .. } => ("images", "pixels"),
        };
        let (Source { inputs, .. }, mut labels) = samples::read(job, spec)?;
        let map = samples::map(job, spec, &*inputs.rows)?;
        let inputs = samples::mapped(map, Arc::from(inputs.rows));
        let counts = Counts::fit(job, &spec.features, &*inputs)?;
        let scales = counts.scales(&*inputs);
        let inputs = features::normalized(&spec.features, counts.keep(inputs)?, &scales)?;
        samples::centre(&mut labels, None);
        let (samples, features) = (inputs.samples(), inputs.features());
        let mut problems =
            above(job, "grid.samples", job.spec.grid.samples.values(), samples, "samples", samples_are);
        if let Some(components) = components {
            let (most, unit) =
                if samples < features { (samples, samples_are) } else { (features, features_are) };
            let values = components.values();
            problems.extend(above(job, components_key(job), values, most, "components", unit));
        } else {
            let noise = job.spec.noise_components().iter().map(|&p| size(p)).min().unwrap_or(0);
            let values = job.spec.model.dimension.values();
            let most = spec.features.recipe.features(features, None).saturating_add(noise);
            problems.extend(above(job, "model.dimension", values, most, "dimensions", "components"));
            // Before the second moment of all features is allocated.
            problems.extend(too_large(job, features, 0));
        }
        if !problems.is_empty() {
            return Err(job.source.report(problems).into());
        }
        let sets = match components {
            Some(components) if spec.features.keep_units() => {
                let most = components.values().iter().map(|&k| size(k)).max().unwrap_or(1);
                let whole = principal_components(&*inputs, most)?;
                let set = |&k: &i64| -> Result<Arc<RowSet>, EngineError> {
                    let first = whole.first(size(k))?;
                    let rows = LabelledRows::with_labels(first.scores(), &labels)?;
                    Ok(Arc::new(RowSet::of_components(k, rows, first.variances())))
                };
                components.values().iter().map(set).collect::<Result<_, _>>()?
            }
            None if spec.features.keep_units() => {
                vec![RowSet::of_rows(job, None, Arc::clone(&inputs), &labels)?]
            }
            Some(_) | None => {
                if let Some(large) = too_large(job, features, 0) {
                    return Err(job.source.report(vec![large]).into());
                }
                let moments = features::moments(&*inputs)?;
                let set = |(setting, features): (Option<i64>, Features)| -> Result<Arc<RowSet>, EngineError> {
                    RowSet::of_rows(job, setting, Arc::from(features::rows(&*inputs, &features)?), &labels)
                };
                features::fit(job, spec, moments, samples)?.into_iter().map(set).collect::<Result<_, _>>()?
            }
        };
        // The raw inputs; a handful of features × features matrices; the rows, and where they are
        // components, all scores and their leading columns.
        let moments = 10 * 8 * (features as u64).pow(2);
        let copies = |set: &RowSet| if matches!(set.moment, SecondMoment::Diagonal(_)) { 3 } else { 1 };
        let rows: u64 = sets.iter().map(|set| copies(set) * set.rows.bytes()).sum();
        // Rows that are held as they are in the file are the raw inputs.
        let raw = if Arc::strong_count(&inputs) > 1 { 0 } else { inputs.bytes() };
        let loading_bytes = raw + moments + rows;
        Ok(Self::Rows { sets, loading_bytes, fingerprint: samples::fingerprint(job)? })
    }

    /// The same input for a job that has some of the values of the `components` axis.
    #[must_use]
    pub fn for_part(&self, spec: &JobSpec) -> Self {
        let wanted = spec.data.components().map(Axis::values);
        match self {
            Self::Synthetic { labels, .. } => {
                let most = wanted.and_then(|wanted| wanted.iter().map(|&k| size(k)).max());
                Self::Synthetic { components: most.unwrap_or(1), labels: *labels }
            }
            Self::Rows { sets, loading_bytes, fingerprint } => {
                let at = |&k: &i64| sets.iter().find(|set| set.setting == Some(k)).map(Arc::clone);
                let sets =
                    wanted.map_or_else(|| sets.clone(), |wanted| wanted.iter().filter_map(at).collect());
                Self::Rows { sets, loading_bytes: *loading_bytes, fingerprint: fingerprint.clone() }
            }
            Self::Samples(samples) => Self::Samples(Arc::clone(samples)),
        }
    }

    /// Largest number k₀ of signal components.
    #[must_use]
    pub fn largest_signal(&self) -> usize {
        match self {
            Self::Synthetic { components, .. } => *components,
            Self::Rows { sets, .. } => sets.iter().map(|set| set.rows.features()).max().unwrap_or(0),
            Self::Samples(samples) => samples.inputs(),
        }
    }

    /// Number ℓ of labels.
    #[must_use]
    pub fn labels(&self) -> usize {
        match self {
            Self::Synthetic { labels, .. } => *labels,
            Self::Rows { sets, .. } => sets.first().map_or(0, |set| set.rows.labels()),
            Self::Samples(samples) => samples.labels,
        }
    }

    /// What a plan must know of the input.
    #[must_use]
    pub fn extents(&self) -> Extents {
        Extents { signal: self.largest_signal(), labels: self.labels() }
    }

    /// What a data set must know of the input.
    #[must_use]
    pub fn facts(&self) -> InputFacts {
        InputFacts { extents: self.extents(), fingerprint: self.fingerprint().to_owned() }
    }

    /// What identifies the data beside the job's text.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        match self {
            Self::Synthetic { .. } => "",
            Self::Rows { fingerprint, .. } => fingerprint,
            Self::Samples(samples) => &samples.fingerprint,
        }
    }

    /// Bytes that it takes, and that loading it took at its peak, about.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        match self {
            Self::Synthetic { .. } => (0, 0),
            Self::Rows { sets, loading_bytes, .. } => {
                (sets.iter().map(|set| set.rows.bytes()).sum(), *loading_bytes)
            }
            Self::Samples(samples) => (samples.bytes, samples.loading_bytes),
        }
    }
}

/// A validated count as a size: the job reader keeps counts within 31 bits (samples within 10¹⁵).
pub(crate) fn size(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// A job's teacher at one data setting.
pub(crate) fn teacher(spec: &job::Teacher, index: usize, labels: usize) -> Teacher {
    match spec {
        job::Teacher::Classes { separation } => {
            Teacher::Classes { count: labels, separation: separation.values()[index] }
        }
        job::Teacher::Linear { label_noise } => {
            Teacher::Linear { count: labels, label_noise: label_noise.values()[index] }
        }
    }
}

/// What only the loaded input tells: problems too large to hold, a listed Θ that does not fit raw
/// features.
fn misfits(job: &Job, input: &Input) -> Vec<Problem> {
    let most_noise = most_noise(job);
    if let (Some(staged), Input::Samples(samples)) = (job.spec.stages(), input) {
        let large = too_large(job, samples.shape.size(), samples.labels);
        return large.map_or_else(|| stages::check(job, staged, samples), |large| vec![large]);
    }
    let mut problems: Vec<Problem> =
        too_large(job, input.largest_signal(), input.labels()).into_iter().collect();
    let listed = job.spec.spectral().and_then(|(_, views)| views.spectrum.shape.length());
    if let (Some(listed), Input::Rows { .. }) = (listed, input) {
        let expected = input.largest_signal() + most_noise;
        if listed != expected {
            problems.push(job.source.problem_at(
                "augmentation.spectrum",
                format!(
                    "`augmentation.spectrum` lists {} for {}",
                    counted(listed as u64, "eigenvalue"),
                    counted(expected as u64, "component")
                ),
                counted(listed as u64, "value"),
                Some(format!(
                    "list one for each of the {expected} signal and noise components, in this order"
                )),
            ));
        }
    }
    problems
}

/// Largest number p of noise components.
fn most_noise(job: &Job) -> usize {
    job.spec.noise_components().iter().map(|&p| size(p)).max().unwrap_or(0)
}

/// Problems with up to `signal` signal components and `labels` labels, if they exceed
/// [`LARGEST_SIZE`].
pub(crate) fn too_large(job: &Job, signal: usize, labels: usize) -> Option<Problem> {
    let noise = most_noise(job);
    let components = signal.saturating_add(noise);
    if components.max(labels) <= LARGEST_SIZE {
        return None;
    }
    let key = match () {
        () if labels > components => "data.label_count",
        () if noise > signal => "corruption.components",
        () => "data.components",
    };
    Some(job.source.problem_at(
        key,
        format!("the problems of this job have up to {} components or labels", components.max(labels)),
        "too many",
        Some(format!(
            "eigenproblems are dense: keep signal and noise components together, and labels, within {LARGEST_SIZE}{}",
            if job.spec.data.is_rows() { "; of counts, `[features] variable = 2000` keeps the most variable" } else { "" }
        )),
    ))
}

/// A problem per value of an axis that exceeds what the data have.
pub(crate) fn above(
    job: &Job,
    key: &str,
    values: &[i64],
    most: usize,
    what: &str,
    unit: &str,
) -> Vec<Problem> {
    let beyond = values.iter().enumerate().filter(|(_, value)| size(**value) > most);
    if !job.source.has(key) && beyond.clone().next().is_some() {
        let last = values.iter().copied().max().unwrap_or(0);
        let message = format!("`{key}` goes to {last} by default, but the data have {most} {unit}");
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        let help = format!("set {name} under [{table}]: [{most}], or a range up to it");
        return vec![job.source.problem_at(key, message, format!("above {most}"), Some(help))];
    }
    beyond
        .map(|(index, value)| {
            job.source.problem_at_item(
                key,
                index,
                format!("`{key}` asks for {value} {what}, but the data have {most} {unit}"),
                format!("above {most}"),
                Some(format!("choose at most {most}")),
            )
        })
        .collect()
}

/// BLAKE3 of several files, one after another, each preceded by its length, and then of what names
/// parts of them, if anything does.
pub(crate) fn fingerprint(paths: &[PathBuf], names: &str) -> Result<String, EngineError> {
    let mut hasher = blake3::Hasher::new();
    for path in paths {
        let file = File::open(path).map_err(EngineError::io("read", path))?;
        let length = file.metadata().map_err(EngineError::io("read", path))?.len();
        hasher.update(&length.to_le_bytes());
        hasher.update_reader(file).map_err(EngineError::io("read", path))?;
    }
    hasher.update(names.as_bytes());
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use eigensweep_inputs::{ClassLabels, Dense, LabelledRows, Labels};

    use super::{Input, RowSet};

    #[test]
    fn a_set_of_rows_is_found_by_its_setting_and_not_by_its_width() {
        let set = |setting: i64, first: f64| {
            let inputs = Dense::new(vec![first, 1.0, 2.0, 3.0], 2, 2).unwrap();
            let labels = Labels::Classes(ClassLabels::new(vec![0, 1]).unwrap());
            let rows = LabelledRows::with_labels(&inputs, &labels).unwrap();
            Arc::new(RowSet::of_components(setting, rows, &[1.0, 1.0]))
        };
        // Two settings of one width.
        let sets = vec![set(3, 30.0), set(5, 50.0)];
        let input = Input::Rows { sets, loading_bytes: 0, fingerprint: String::new() };
        let text = "[data]\nsource = \"idx\"\nimages = \"i\"\nlabels = \"l\"\n[model]\ndimension = 1\n";
        for (components, expected) in
            [("5", &[50.0][..]), ("3", &[30.0]), ("[5, 3]", &[50.0, 30.0]), ("2", &[])]
        {
            let set = [format!("data.components={components}")];
            let job = eigensweep_job::parse("job.toml", text, &set, Path::new("")).unwrap();
            let Input::Rows { sets, .. } = input.for_part(&job.spec) else { panic!("rows stay rows") };
            let first = |set: &Arc<RowSet>| {
                let mut row = [0.0; 4];
                set.rows.write(0, &mut row);
                row[0]
            };
            let first: Vec<f64> = sets.iter().map(first).collect();
            assert_eq!(first, expected, "{components}");
        }
    }
}
