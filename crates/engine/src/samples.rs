//! Samples that stages act on: raw rows of images or features, their labels, and what is known of
//! all of them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eigensweep_inputs::readers::Inputs;
use eigensweep_inputs::{
    Answers, Blocks, ClassLabels, Columns, Dense, InputError, Labels, Source, SourceFiles, moments,
    read_matrix,
};
use eigensweep_job::stages::StageValue;
use eigensweep_job::{
    DataSpec, HeldOut, HeldOutRows, Job, Problem, RowSource, RowsSpec, StageSpec, ValueRange,
};
use eigensweep_sampling::glyphs;
use eigensweep_sampling::streams::{Draw, Stream, Streams};
use eigensweep_sampling::subset::permute;
use eigensweep_theory::features::Moments;
use eigensweep_theory::views::stages::{Domain, Shape};
use faer::Mat;

use crate::EngineError;
use crate::features::{self, Counts, RowFeatures};

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

/// Labels of rows.
#[derive(Clone, Debug)]
enum RowLabels {
    /// Class of each row.
    Classes(Vec<u16>),
    /// Targets, a column a row (ℓ × n).
    Targets(Mat<f64>),
}

/// The label of a row.
#[derive(Clone, Copy, Debug)]
pub enum Label<'a> {
    /// Its class.
    Class(usize),
    /// Its targets (ℓ).
    Targets(&'a [f64]),
}

impl Label<'_> {
    /// The class, if it is one.
    #[must_use]
    pub fn class(self) -> Option<usize> {
        match self {
            Self::Class(class) => Some(class),
            Self::Targets(_) => None,
        }
    }

    /// The label as numbers (ℓ), one-hot of a class.
    pub fn write(self, to: &mut [f64]) {
        match self {
            Self::Class(class) => {
                to.fill(0.0);
                to[class] = 1.0;
            }
            Self::Targets(targets) => to.copy_from_slice(targets),
        }
    }
}

/// What becomes of a source's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Map {
    /// The least value of the source, and the width of its range.
    from: [f64; 2],
    /// The same of what they become.
    to: [f64; 2],
}

impl Map {
    /// The least value and the width first, so that whole numbers stay whole.
    fn apply(self, value: f64) -> f64 {
        self.to[0] + self.to[1] * (value - self.from[0]) / self.from[1]
    }
}

/// A source whose values become others.
#[derive(Debug)]
struct Mapped {
    of: Arc<dyn Blocks>,
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

    /// Class of each row; none where labels are targets.
    #[must_use]
    pub fn classes(&self) -> &[u16] {
        match &self.labels {
            RowLabels::Classes(classes) => classes,
            RowLabels::Targets(_) => &[],
        }
    }

    /// The rows themselves.
    #[must_use]
    pub fn rows(&self) -> &dyn Blocks {
        &*self.rows
    }
}

/// Some of the rows of a source.
#[derive(Debug)]
struct Part {
    of: Arc<dyn Blocks>,
    which: Which,
}

/// Which rows of a source.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    /// Consecutive ones.
    Range(Range<usize>),
    /// Any, ascending.
    Rows(Vec<usize>),
}

impl Which {
    fn len(&self) -> usize {
        match self {
            Self::Range(range) => range.len(),
            Self::Rows(rows) => rows.len(),
        }
    }

    fn iter(&self) -> Box<dyn Iterator<Item = usize> + '_> {
        match self {
            Self::Range(range) => Box::new(range.clone()),
            Self::Rows(rows) => Box::new(rows.iter().copied()),
        }
    }
}

impl Blocks for Part {
    fn samples(&self) -> usize {
        self.which.len()
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

    fn bounds(&self) -> Option<[f64; 2]> {
        self.of.bounds()
    }

    fn write_rows(&self, first: usize, rows: &mut [f64]) {
        match &self.which {
            Which::Range(range) => self.of.write_rows(range.start + first, rows),
            Which::Rows(which) => {
                for (&row, to) in which[first..].iter().zip(rows.chunks_exact_mut(self.features())) {
                    self.of.write_rows(row, to);
                }
            }
        }
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

/// Reads the source of a job's rows, with as many labels as inputs.
pub(crate) fn read(job: &Job, spec: &RowsSpec) -> Result<(Source, Labels), EngineError> {
    let mut source = match &spec.source {
        RowSource::Files(source) => {
            missing(job, "", source)?;
            source.read()?
        }
        RowSource::Glyphs { count } => {
            let streams = Streams::new(job.spec.job.seed);
            let count = *count as usize;
            let mut values = vec![0_u8; count * glyphs::PIXELS];
            let images = values.as_chunks_mut::<{ glyphs::PIXELS }>().0;
            let classes =
                (0..).zip(images).map(|(index, image)| u16::from(glyphs::draw(&streams, index, image)));
            let labels = Some(Labels::Classes(ClassLabels::new(classes.collect())?));
            let rows = Dense::new(values, count, glyphs::PIXELS)?.shaped([1, glyphs::SIDE, glyphs::SIDE]);
            Source { inputs: Inputs { rows: Box::new(rows), names: Vec::new() }, labels, groups: None }
        }
    };
    let inputs = source.inputs.rows.samples();
    let Some(labels) = source.labels.take() else {
        return Err(InputError::SampleCount { inputs, labels: 0 }.into());
    };
    let groups = source.groups.as_ref().map(|groups| groups.classes().len());
    for (of, key) in [(Some(labels.samples()), "data.labels"), (groups, "data.groups")] {
        if let Some(found) = of.filter(|of| *of != inputs) {
            let key =
                if job.source.has("data.targets") && key == "data.labels" { "data.targets" } else { key };
            let message = format!("`{key}` has {found} rows, the inputs have {inputs}");
            let help = "give those that belong to these inputs (train with train, test with test)".to_owned();
            return Err(refused(job, key, message, "another number of rows", Some(help)));
        }
    }
    Ok((source, labels))
}

/// The files of rows that are held out: read as those that are learned from.
fn held_out_files(source: &SourceFiles, inputs: &Path, answers: Option<&Columns>) -> SourceFiles {
    let mut files = SourceFiles { inputs: inputs.to_owned(), groups: None, ..source.clone() };
    if let (Some(columns), Some(answers)) = (&mut files.answers, answers) {
        answers.clone_into(columns.columns_mut());
    }
    files
}

/// BLAKE3 of all files of a job, in the order in which it names them, and of the columns in them that
/// it names; empty if there are none.
pub(crate) fn fingerprint(job: &Job) -> Result<String, EngineError> {
    let (mut paths, mut names) = (Vec::new(), String::new());
    if let DataSpec::Rows(RowsSpec { source: RowSource::Files(source), held_out, .. }) = &job.spec.data {
        let all = [
            Some(source.clone()),
            match held_out {
                HeldOut::Files { inputs, answers } => Some(held_out_files(source, inputs, answers.as_ref())),
                HeldOut::Nothing | HeldOut::Share { .. } => None,
            },
        ];
        for SourceFiles { answers, groups, .. } in all.iter().flatten() {
            let kind = match answers {
                Some(Answers::Targets(_)) => "targets",
                Some(Answers::Labels(_)) | None => "labels",
            };
            for (kind, Columns { names: columns, .. }) in answers
                .iter()
                .map(|answers| (kind, answers.columns()))
                .chain(groups.iter().map(|of| ("groups", of)))
            {
                if !columns.is_empty() || kind != "labels" {
                    names.push_str(&format!("{kind} {columns:?}\n"));
                }
            }
        }
        paths.extend(all.iter().flatten().flat_map(SourceFiles::files));
    }
    paths.extend(job.spec.views.clone().paths_mut().into_iter().map(|path| path.clone()));
    if paths.is_empty() { Ok(String::new()) } else { crate::input::fingerprint(&paths, &names) }
}

/// So large a share of rows, and before them the others: the last rows or, with a generator, random
/// ones. Of groups, whole ones: the last in the order in which they begin, or random ones.
fn divided(
    total: usize,
    share: f64,
    groups: Option<&ClassLabels>,
    rng: Option<&mut Stream>,
) -> (Which, Which) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the rows")]
    let wanted = (total as f64 * share).round() as usize;
    // Without groups every row is one.
    let (of, sizes) = match groups {
        None if rng.is_none() => {
            let training = total.saturating_sub(wanted);
            return (Which::Range(0..training), Which::Range(training..total));
        }
        None => ((0..total).collect::<Vec<_>>(), vec![1; total]),
        Some(groups) => {
            let mut sizes = vec![0_usize; groups.count()];
            groups.classes().iter().for_each(|&group| sizes[usize::from(group)] += 1);
            (groups.classes().iter().map(|&group| usize::from(group)).collect(), sizes)
        }
    };
    let mut order: Vec<usize> = Vec::new();
    let mut begun = vec![false; sizes.len()];
    for &group in &of {
        if !std::mem::replace(&mut begun[group], true) {
            order.push(group);
        }
    }
    if let Some(rng) = rng {
        let count = order.len();
        let (mut places, mut pool) = (vec![0; count], vec![0; count]);
        permute(u32::try_from(count).unwrap_or(u32::MAX), &mut places, &mut pool, rng);
        order = places.into_iter().map(|place| order[place as usize]).collect();
    }
    let (mut out, mut taken) = (vec![false; sizes.len()], 0_usize);
    for group in order.into_iter().rev() {
        // As long as it comes nearer to the share.
        if (taken + sizes[group]).abs_diff(wanted) > taken.abs_diff(wanted) {
            break;
        }
        out[group] = true;
        taken += sizes[group];
    }
    let (out, training) = (0..total).partition(|&row| out[of[row]]);
    (Which::Rows(training), Which::Rows(out))
}

/// Whether rows are in the order of their labels: each class in one piece, or one target that only
/// rises or only falls. Of few rows that may be chance.
fn are_sorted(labels: &Labels) -> bool {
    const FEW: usize = 20;
    match labels {
        Labels::Classes(classes) => {
            let classes = classes.classes();
            let changes = classes.windows(2).filter(|two| two[0] != two[1]).count();
            let mut there = classes.to_vec();
            there.sort_unstable();
            there.dedup();
            let several = there.len() > 1 && 2 * there.len() < classes.len();
            classes.len() >= FEW && several && changes + 1 == there.len()
        }
        Labels::Targets(targets) => {
            let first = targets.col_iter().next();
            let column: Vec<f64> = first.map_or_else(Vec::new, |of| of.iter().copied().collect());
            let rises = column.windows(2).all(|two| two[0] <= two[1]);
            let falls = column.windows(2).all(|two| two[0] >= two[1]);
            column.len() >= FEW && targets.ncols() == 1 && rises != falls
        }
    }
}

/// Held-out inputs with their features in the order of those that are learned from, where both have
/// names.
fn same_features(job: &Job, key: &str, names: &[String], inputs: Inputs) -> Result<Inputs, EngineError> {
    if names.is_empty() || inputs.names.is_empty() || *names == *inputs.names {
        return Ok(inputs);
    }
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, name) in inputs.names.iter().enumerate() {
        if places.insert(name, place).is_some() {
            // Names that are not unique tell nothing: features are taken in their order.
            return Ok(inputs);
        }
    }
    let found: Vec<Option<usize>> = names.iter().map(|name| places.get(&**name).copied()).collect();
    if let Some(missing) = found.iter().position(Option::is_none) {
        let name = &names[missing];
        let message = format!("`{key}` has no feature {name:?}, which those that are learned from have");
        let help = "give a file with the same columns, in any order; `columns` chooses them".to_owned();
        return Err(refused(job, key, message, "other features", Some(help)));
    }
    let columns: Vec<usize> = found.into_iter().flatten().collect();
    Ok(Inputs { rows: inputs.rows.select(&columns)?, names: names.to_vec() })
}

/// Takes the means of targets off, those of some rows; returns them.
///
/// With them goes what a constant prediction explains, which is no representation's merit.
pub(crate) fn centre(labels: &mut Labels, rows: Option<&Which>) -> Vec<f64> {
    let Labels::Targets(targets) = labels else { return Vec::new() };
    let all = Which::Range(0..targets.nrows());
    let rows = rows.unwrap_or(&all);
    let mut means = Vec::new();
    for column in targets.col_iter_mut() {
        let mean = rows.iter().map(|row| column[row]).sum::<f64>() / rows.len() as f64;
        column.iter_mut().for_each(|entry| *entry -= mean);
        means.push(mean);
    }
    means
}

/// The labels of some rows.
fn row_labels(labels: &Labels, rows: &Which) -> RowLabels {
    match labels {
        Labels::Classes(classes) => {
            RowLabels::Classes(rows.iter().map(|row| classes.classes()[row]).collect())
        }
        Labels::Targets(targets) => {
            let rows: Vec<usize> = rows.iter().collect();
            RowLabels::Targets(Mat::from_fn(targets.ncols(), rows.len(), |i, j| targets[(rows[j], i)]))
        }
    }
}

/// Refuses files that do not exist, all at once.
fn missing(job: &Job, prefix: &str, source: &SourceFiles) -> Result<(), EngineError> {
    let SourceFiles { reader, inputs, answers, groups, .. } = source;
    let kind = match answers {
        Some(Answers::Targets(_)) => "targets",
        Some(Answers::Labels(_)) | None => "labels",
    };
    let columns = answers.iter().map(|answers| (kind, answers.columns()));
    let columns = columns.chain(groups.iter().map(|groups| ("groups", groups)));
    let files = columns.filter_map(|(key, columns)| Some((key, columns.file.as_ref()?)));
    let all = std::iter::once((reader.inputs.key, inputs)).chain(files);
    let missing = all.filter(|(_, path)| !path.exists()).map(|(key, path)| {
        let key = format!("data.{prefix}{key}");
        let message = format!("`{key}` names {}, which does not exist", path.display());
        let mut help = format!(
            "put the file there, or name it with --set {key}=PATH (relative to the working directory)"
        );
        if !reader.columns && path != inputs {
            help.push_str(&format!(
                "; files of source = {:?} have no columns that it could name",
                reader.name
            ));
        }
        job.source.problem_at(&key, message, "no such file", Some(help))
    });
    let missing: Vec<_> = missing.collect();
    if missing.is_empty() { Ok(()) } else { Err(job.source.report(missing).into()) }
}

/// The shape of a sample: as given, as the source has it, or one row of features.
fn shape(job: &Job, spec: &RowsSpec, rows: &dyn Blocks) -> Result<Shape, EngineError> {
    // One row of features is no shape that a source knows: an array of two dimensions may hold images.
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

/// A feature whose mean dwarfs its spread so far that moments of values as they are, which stages act
/// on, would keep no more than four digits of it.
fn far_from_zero(job: &Job, moments: &Moments, names: &[String]) -> Option<Problem> {
    let Moments { mean, covariance } = moments;
    let at = (0..mean.len()).find(|&i| {
        let (rounding, variance) = (8.0 * f64::EPSILON * mean[i], covariance[(i, i)]);
        variance > rounding * rounding && mean[i] * mean[i] > 1e12 * variance
    })?;
    let name = names.get(at).filter(|_| names.len() == mean.len());
    let name = name.map_or_else(|| format!("feature {at} (from 0)"), |name| format!("feature {name:?}"));
    let (mean, deviation) = (mean[at], covariance[(at, at)].sqrt());
    let message = format!(
        "{name} has a mean of {mean:.6e} and a standard deviation of {deviation:.3e}: stages act on values as they are, \
            and rounding would hide it"
    );
    let help = "take the offset out of the file, leave the feature out, or map all values with `data.range`";
    let key = match &job.spec.data {
        DataSpec::Rows(RowsSpec { source: RowSource::Files(source), .. }) => {
            format!("data.{}", source.reader.inputs.key)
        }
        DataSpec::Rows(_) | DataSpec::Gaussian(_) => "data.source".to_owned(),
    };
    Some(job.source.problem_at(&key, message, "far from zero", Some(help.to_owned())))
}

/// What becomes of the values of rows that are learned from; `None` if they stay what they are.
pub(crate) fn map(job: &Job, spec: &RowsSpec, rows: &dyn Blocks) -> Result<Option<Map>, EngineError> {
    let bounds = rows.bounds();
    // Bytes may as well be counts.
    let are_images =
        spec.shape.is_some() || rows.shape().is_some_and(|[channels, rows, _]| channels * rows > 1);
    let [low, high] = match (spec.range, bounds) {
        (ValueRange::Auto, Some(_)) if are_images => [0.0, 1.0],
        (ValueRange::Own | ValueRange::Auto, _) => return Ok(None),
        (ValueRange::To(range), _) => range,
    };
    let [least, most] = bounds.unwrap_or_else(|| moments::extremes(rows));
    if least < most {
        return Ok(Some(Map { from: [least, most - least], to: [low, high - low] }));
    }
    let message = "`data.range` has no meaning where all values are the same".to_owned();
    Err(refused(job, "data.range", message, "one value", None))
}

/// A source with its values mapped.
pub(crate) fn mapped(map: Option<Map>, of: Arc<dyn Blocks>) -> Arc<dyn Blocks> {
    match map {
        Some(map) => Arc::new(Mapped { of, map }),
        None => of,
    }
}

/// Some of the rows of a source.
fn part(of: &Arc<dyn Blocks>, which: &Which) -> Arc<dyn Blocks> {
    match which {
        Which::Range(range) if range.len() == of.samples() => Arc::clone(of),
        Which::Range(_) | Which::Rows(_) => Arc::new(Part { of: Arc::clone(of), which: which.clone() }),
    }
}

/// Which values rows have after a map: what those of bytes can be, or what those are that are there.
fn domain(map: Option<Map>, rows: &dyn Blocks) -> Domain {
    let apply = |value: f64| map.map_or(value, |map| map.apply(value));
    let holds = |holds: fn(f64) -> bool| match rows.bounds() {
        Some(_) => (0..=255).all(|byte| holds(apply(f64::from(byte)))),
        None => moments::all(rows, |value| holds(apply(value))),
    };
    match () {
        () if !holds(|value| value >= 0.0) => Domain::Real,
        () if !holds(|value| value.fract() == 0.0) => Domain::NotNegative,
        () => Domain::Counts,
    }
}

/// The labels of rows that are held out: classes numbered as those that are learned from, targets
/// about the same means.
fn same_labels(job: &Job, known: &Labels, means: &[f64], held: Labels) -> Result<RowLabels, EngineError> {
    let key = "data.test_labels";
    match (known, held) {
        (Labels::Classes(known), Labels::Classes(held)) => {
            let place = |name: String| (0..known.count()).find(|&class| known.name(class) == name);
            let places: Vec<Option<usize>> = (0..held.count()).map(|class| place(held.name(class))).collect();
            if let Some(unknown) = places.iter().position(Option::is_none) {
                let message = format!(
                    "`{key}` has class {}, which no row that is learned from has",
                    held.name(unknown)
                );
                return Err(refused(job, key, message, "an unknown class", None));
            }
            let class = |&class: &u16| places[usize::from(class)].and_then(|place| u16::try_from(place).ok());
            Ok(RowLabels::Classes(held.classes().iter().filter_map(class).collect()))
        }
        (Labels::Targets(known), Labels::Targets(mut held)) if held.ncols() == known.ncols() => {
            for (column, mean) in held.col_iter_mut().zip(means) {
                column.iter_mut().for_each(|entry| *entry -= mean);
            }
            let all = Which::Range(0..held.nrows());
            Ok(row_labels(&Labels::Targets(held), &all))
        }
        (_, held) => {
            let message = format!(
                "the labels that are learned from are {}, those of held-out rows {}",
                in_words(known),
                in_words(&held)
            );
            Err(refused(job, key, message, "another kind", None))
        }
    }
}

/// What labels are.
fn in_words(labels: &Labels) -> String {
    match labels {
        Labels::Classes(labels) => format!("{} classes", labels.count()),
        Labels::Targets(targets) => format!("{} real targets", targets.ncols()),
    }
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
