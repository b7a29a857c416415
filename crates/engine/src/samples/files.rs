//! The files of a job: whether they are there, what they hold, and what identifies them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eigensweep_inputs::readers::Inputs;
use eigensweep_inputs::source::{GROUPS, LABELS};
use eigensweep_inputs::{ClassLabels, Columns, Dense, InputError, Labels, Source, SourceFiles, read_matrix};
use eigensweep_job::stages::StageValue;
use eigensweep_job::{DataSpec, HeldOut, Job, RowSource, RowsSpec, StageSpec};
use eigensweep_sampling::glyphs;
use eigensweep_sampling::streams::Streams;
use faer::Mat;

use super::held_out::held_out_files;
use super::refused;
use crate::EngineError;

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
    let answers = match &spec.source {
        RowSource::Files(SourceFiles { answers: Some(answers), .. }) => answers.key(),
        RowSource::Files(_) | RowSource::Glyphs { .. } => LABELS,
    };
    for (of, key) in [(Some(labels.samples()), answers), (groups, GROUPS)] {
        if let Some(found) = of.filter(|of| *of != inputs) {
            let key = format!("data.{key}");
            let message = format!("`{key}` has {found} rows, the inputs have {inputs}");
            let help = "give those that belong to these inputs (train with train, test with test)".to_owned();
            return Err(refused(job, &key, message, "another number of rows", Some(help)));
        }
    }
    Ok((source, labels))
}

/// BLAKE3 of all files of a job, in the order in which it names them, and of the columns in them
/// that it names; empty if there are none.
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
        for (key, Columns { names: columns, .. }) in all.iter().flatten().flat_map(SourceFiles::columns) {
            if !columns.is_empty() || key != LABELS {
                names.push_str(&format!("{key} {columns:?}\n"));
            }
        }
        paths.extend(all.iter().flatten().flat_map(SourceFiles::files));
    }
    paths.extend(job.spec.views.clone().paths_mut().into_iter().map(|path| path.clone()));
    if paths.is_empty() { Ok(String::new()) } else { crate::input::fingerprint(&paths, &names) }
}

/// Refuses files that do not exist, all at once.
pub(super) fn missing(job: &Job, prefix: &str, source: &SourceFiles) -> Result<(), EngineError> {
    let SourceFiles { reader, inputs, .. } = source;
    let files = source.columns().filter_map(|(key, columns)| Some((key, columns.file.as_ref()?)));
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

/// Reads the files that a job's stages name.
pub(super) fn stage_files(job: &Job) -> Result<BTreeMap<PathBuf, Mat<f64>>, EngineError> {
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
