//! Checks between tables that are each sound by themselves: sizes that must fit each other, and the
//! whole grid.
//!
//! What could not be read is absent here, and a check that needs it finds nothing.

use std::collections::HashSet;
use std::path::Path;

use eigensweep_inputs::readers::{self, READERS};
use eigensweep_theory::features::{self, Components};
use eigensweep_theory::metrics;
use eigensweep_theory::views::stages::KINDS;

use super::JobSpec;
use super::axis::Axis;
use super::keys;
use super::problem::{Place, Problem};
use super::source::JobSource;
use super::spec::{Sampler, Signal};
use super::stages::{AlignmentDose, StageSpec, StageValue};
use super::values::{Given, Values};

/// Longest job name in bytes: file systems take 255 for a directory, and parts and temporary files
/// add to it.
pub const NAME_LIMIT: usize = 128;

/// Most samples that the explicit sampler takes: at p = 50 these are 5·10⁹ normals a cell, a minute
/// or so, where the moment sampler draws a few thousand from the same distribution.
pub const EXPLICIT_SAMPLES_LIMIT: i64 = 100_000_000;

/// Most cells of a grid: the largest 64-bit integer, in which plan and data set count them.
pub const CELLS_LIMIT: u128 = i64::MAX as u128;

/// Checks values against each other, and fills in those that follow from others.
pub(super) fn values(source: &JobSource, values: &mut Values, file_name: &str) -> Vec<Problem> {
    let first = [
        name(source, values, file_name),
        second_names(source, values),
        components(source, values),
        dimension(source, values),
        length(source, values, "data"),
        length(source, values, "corruption"),
        overflow(source, values, "data"),
        overflow(source, values, "corruption"),
        overflow(source, values, "augmentation"),
        answers(source, values),
        held_out(source, values),
    ];
    let then = [
        dimensions(source, values),
        augmentation_list(source, values),
        explicit_samples(source, values),
        fixed_signal(source, values),
    ];
    first.into_iter().chain(then).flatten().collect()
}

/// A name that cannot be a directory's; by default it is the file's without its extension.
fn name(source: &JobSource, values: &mut Values, file_name: &str) -> Option<Problem> {
    const KEY: &str = "job.name";
    let given = values.0.contains_key(KEY);
    if !given {
        let stem = Path::new(file_name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        values.0.insert(KEY.to_owned(), Some(Given::Text(stem.to_owned())));
    }
    let name = values.text(KEY)?;
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let fault = if name.is_empty() {
        "empty"
    } else if name.starts_with('.') {
        "begins with `.`"
    } else if !name.chars().all(plain) {
        "has other characters"
    } else if name.len() > NAME_LIMIT {
        "too long"
    } else {
        return None;
    };
    let message = if given {
        format!("`{KEY}` cannot name a directory")
    } else {
        format!("`{KEY}` is needed: the file's name, {file_name:?}, cannot name the results' directory")
    };
    // The place of a name that is not given is a header, of which "empty" would be wrong.
    let label = if given || source.place(KEY) == Place::FILE { fault } else { "no name" };
    let help = keys::find("job", "name").map(|key| key.help.clone());
    Some(source.problem_at(KEY, message, label, help))
}

/// Second names of keys: one of the two is given, and it has the place of the first from here on.
fn second_names(source: &JobSource, values: &mut Values) -> Option<Problem> {
    let mut problem = None;
    for (key, first) in keys::KEYS.iter().filter_map(|key| Some((&key.path, key.same_as?))) {
        if source.has(key) && source.has(first) {
            let message = format!("`{first}` and `{key}` are the same");
            let help = Some("give one of the two".to_owned());
            problem = Some(source.problem_at(key, message, "the second time", help));
        }
        if let Some(given) = values.0.remove(key) {
            values.0.insert(first.to_owned(), given);
        }
    }
    problem
}

/// A kind of features that is one of so many components.
fn components(source: &JobSource, values: &Values) -> Option<Problem> {
    let kind = features::named(values.word("features.kind")?)?;
    if kind.components != Components::Required || values.0.contains_key("data.components") {
        return None;
    }
    let message = format!("features.kind = {:?} needs `features.components`", kind.name);
    let help = keys::find("features", "components").map(|key| key.help.clone());
    Some(source.problem_at("features.kind", message, "how many?", help))
}

/// The dimension is by default the number of important components, if that is one number.
fn dimension(source: &JobSource, values: &mut Values) -> Option<Problem> {
    const KEY: &str = "model.dimension";
    if values.0.contains_key(KEY) {
        return None;
    }
    let why = match values.0.get("data.components") {
        Some(None) => return None,
        Some(Some(_)) => match values.integers("data.components").and_then(Axis::only) {
            Some(components) => {
                values.0.insert(KEY.to_owned(), Some(Given::Integers(Axis::single(components))));
                return None;
            }
            None => "data.components is an axis, so no single dimension follows from it",
        },
        None => "without data.components no dimension follows from the data",
    };
    let help = format!("{why}: set dimension, k, the number of features that each model learns");
    Some(source.problem_at(KEY, format!("`{KEY}` is needed"), "no dimension", Some(help)))
}

/// A spectrum given as a list fixes the number of components.
fn length(source: &JobSource, values: &Values, table: &str) -> Option<Problem> {
    let (spectrum, key) = (format!("{table}.spectrum"), format!("{table}.components"));
    let listed = values.list(&spectrum)?.len();
    let components = values.integers(&key)?;
    if i64::try_from(listed).ok() == components.only() {
        return None;
    }
    let found = source.excerpt(&source.place(&key));
    let message = format!("`{key}` is {found}, but `{spectrum}` lists {listed} eigenvalues");
    let help = format!("leave `components` out, or set it to {listed}");
    Some(source.problem_at(&key, message, "does not agree", Some(help)))
}

/// Multiples by the scale that leave the range of a float.
fn overflow(source: &JobSource, values: &Values, table: &str) -> Option<Problem> {
    let scale = format!("{table}.scale");
    let largest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let listed = |table: &str| values.list(&format!("{table}.spectrum"));
    let axis = values.floats(&scale)?;
    // Of files the data's largest eigenvalue is not known yet.
    let data = values.floats("data.scale").filter(|_| axis.is_relative());
    let data = data.map_or(1.0, |data| largest(data.values()) * listed("data").map_or(1.0, largest));
    let list = listed(table).map_or(1.0, largest);
    if (list * (largest(axis.values()) * data)).is_finite() {
        return None;
    }
    let times =
        if axis.is_relative() { "the data's largest eigenvalue" } else { "the largest item of `spectrum`" };
    let message = format!("`{scale}` times {times} is too large for a number");
    Some(source.problem_at(&scale, message, "overflows", Some("take a smaller scale".into())))
}

/// `k ≤ k₀ + p` for every combination of the axes.
fn dimensions(source: &JobSource, values: &Values) -> Option<Problem> {
    let least = |key: &str| values.integers(key)?.values().iter().copied().min();
    // Stages leave the inputs as many components as they have.
    let noise = if values.has_stages() { 0 } else { least("corruption.components")? };
    let components = least("data.components")?;
    // Maps make other features of them.
    let signal = values.recipe().map_or(components, |recipe| {
        let count = usize::try_from(components).unwrap_or(usize::MAX);
        i64::try_from(recipe.features(count, Some(count))).unwrap_or(i64::MAX)
    });
    let most = signal.saturating_add(noise);
    let dimensions = values.integers("model.dimension")?.values();
    let index = dimensions.iter().position(|&dimension| dimension > most)?;
    let message =
        format!("`model.dimension` = {} is more than the inputs have components", dimensions[index]);
    let help = format!(
        "with {signal} important and {noise} noise components (the fewest on their axes), dimension is at most {most}"
    );
    Some(source.problem_at_item("model.dimension", index, message, format!("at most {most}"), Some(help)))
}

/// A list of Θ's eigenvalues has one for each of the k₀ + p components, so there must be one such
/// number.
fn augmentation_list(source: &JobSource, values: &Values) -> Option<Problem> {
    const KEY: &str = "augmentation.spectrum";
    let found = values.list(KEY)?.len();
    let noise = values.integers("corruption.components")?.only();
    let (axis, signal) = match (values.integers("data.components"), noise) {
        (_, None) => ("corruption.components", None),
        (Some(signal), _) => ("data.components", signal.only()),
        // Raw features: their number is known once the files are read.
        (None, Some(_)) => return None,
    };
    let (Some(signal), Some(noise)) = (signal, noise) else {
        let message = format!("`{KEY}` is a list, but `{axis}` is an axis");
        let help = format!("a list fits one number of components: make {axis} a single number");
        return Some(source.problem_at(KEY, message, "one length", Some(help)));
    };
    let expected = signal.saturating_add(noise);
    if i64::try_from(found) == Ok(expected) {
        return None;
    }
    let message = format!(
        "`{KEY}` lists {found} eigenvalues, but there are {signal} + {noise} = {expected} components"
    );
    let help = format!("list {signal} for the important components, then {noise} for the noise components");
    Some(source.problem_at(KEY, message, format!("{found} items"), Some(help)))
}

/// The explicit sampler draws n × p normals a cell.
fn explicit_samples(source: &JobSource, values: &Values) -> Option<Problem> {
    let samples = values.integers("grid.samples")?.values();
    let index = samples.iter().position(|&samples| samples > EXPLICIT_SAMPLES_LIMIT)?;
    if values.word("sampler.kind")? != Sampler::Explicit.name() {
        return None;
    }
    let message = format!("`grid.samples` = {} is too many for the explicit sampler", samples[index]);
    let help = "the explicit sampler draws every noise vector; set sampler.kind = \"moments\", the moment sampler, \
        which draws from the same distribution at a cost that does not grow with the samples";
    let label = format!("at most {EXPLICIT_SAMPLES_LIMIT}");
    Some(source.problem_at_item("grid.samples", index, message, label, Some(help.into())))
}

/// Inputs of a given second moment are as many as they have components, and never drawn row by row.
fn fixed_signal(source: &JobSource, values: &Values) -> Option<Problem> {
    const KEY: &str = "data.signal";
    if values.word(KEY)? != Signal::Fixed.name() {
        return None;
    }
    if values.word("sampler.kind")? == Sampler::Explicit.name() {
        let message = format!("`{KEY}` = \"fixed\" has no explicit sampler");
        let help = "rows that are drawn one by one have a second moment that varies: take the moment sampler, or a random signal";
        return Some(source.problem_at(KEY, message, "needs moments", Some(help.to_owned())));
    }
    let most = values.integers("data.components")?.values().iter().copied().max()?;
    let samples = values.integers("grid.samples")?.values();
    let index = samples.iter().position(|&samples| samples < most)?;
    let message = format!("{} samples cannot have {most} components of given second moments", samples[index]);
    let help = format!("with signal = \"fixed\" samples are at least as many as components, {most}");
    Some(source.problem_at_item("grid.samples", index, message, format!("at least {most}"), Some(help)))
}

/// A grid whose cells cannot be counted; stands at its longest axis.
pub(super) fn cells(source: &JobSource, spec: &JobSpec) -> Option<Problem> {
    let cells = spec.cells();
    if cells.is_some_and(|cells| cells <= CELLS_LIMIT) {
        return None;
    }
    let axes = spec.axes();
    let longest = axes.iter().max_by_key(|axis| axis.values.count())?;
    let number = cells.map_or_else(|| format!("more than {}", u128::MAX), |cells| cells.to_string());
    let message = format!("the grid has {number} cells; at most {CELLS_LIMIT} can be counted");
    let several = axes.iter().filter(|axis| axis.values.count() > 1);
    let mut factors: Vec<_> = several.map(|axis| format!("{} {}", axis.values.count(), axis.name)).collect();
    factors.push(format!("{} paradigms × {} replicates", spec.model.paradigms.len(), spec.job.replicates));
    let help = format!("it is the product of {}", factors.join(" × "));
    Some(source.problem_at(longest.key, message, "the longest axis", Some(help)))
}

/// What is wrong between the keys of a job with stages that are each sound by themselves.
pub(super) fn stages(source: &JobSource, spec: &JobSpec) -> Vec<Problem> {
    let Some(stages) = spec.stages() else { return Vec::new() };
    let mut problems = columns(source, spec);
    if !spec.data.is_rows() {
        let message = "a job with stages needs rows of inputs, and source = \"gaussian\" draws moments";
        let files = READERS.iter().map(|reader| format!(", or source = {:?} with its files", reader.name));
        let help = format!("set data.source = \"glyphs\"{}", files.collect::<String>());
        problems.push(source.problem_at("data.source", message, "no rows", Some(help)));
    }
    let alignment = stages.alignment.values();
    let above = |most: f64| alignment.iter().position(|&alignment| alignment > most);
    if let (Some(index), true) = (above(0.0), stages.corruption.is_empty()) {
        let message = "`augmentation.alignment` is a dose of the corruption, and there is none";
        let help = "list the stages of the corruption, or leave `alignment` out";
        problems.push(source.problem_at_item(
            "augmentation.alignment",
            index,
            message,
            "of nothing",
            Some(help.into()),
        ));
    }
    if let (Some(index), AlignmentDose::Probability) = (above(1.0), stages.dose) {
        let message = format!("`augmentation.alignment` must be from 0 to 1, not {}", alignment[index]);
        let help = "with dose = \"probability\" it is a probability".to_owned();
        problems.push(source.problem_at_item(
            "augmentation.alignment",
            index,
            message,
            "no probability",
            Some(help),
        ));
    }
    if stages.severity.is_some() && !has_severities(&stages.corruption) {
        let kinds = KINDS.iter().filter(|kind| kind.severity.is_some()).map(|kind| kind.name);
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let message = "`corruption.severity` has no meaning for these stages";
        let help =
            format!("severities fill in the keys of stages of kind {kinds}: list one in corruption.stages");
        problems.push(source.problem_at("corruption.severity", message, "does not apply", Some(help)));
    }
    problems
}

/// Whether a severity fills in a key of one of the stages.
fn has_severities(stages: &[StageSpec]) -> bool {
    stages.iter().any(|stage| {
        stage.kind.severity.is_some()
            || stage.values.iter().any(|(_, value)| match value {
                StageValue::Stages(stages) => has_severities(stages),
                StageValue::Options(options) => options.iter().any(|stages| has_severities(stages)),
                StageValue::Number(_) | StageValue::Fixed(_) | StageValue::File(_) => false,
            })
    })
}

/// Axes of stages that have the column of something else.
fn columns(source: &JobSource, spec: &JobSpec) -> Vec<Problem> {
    let mut taken: HashSet<&str> = keys::KEYS.iter().filter_map(|key| Some(key.axis?.name)).collect();
    let axes = spec.axes();
    let own = |name| keys::KEYS.iter().any(|key| key.path == name);
    let of_stages = axes.iter().filter(|axis| !own(axis.key));
    let clashes = of_stages.filter(|axis| {
        let of_metric = metrics::ALL.iter().any(|metric| axis.name.starts_with(metric.name));
        !taken.insert(axis.name) || of_metric
    });
    clashes
        .map(|axis| {
            let message = format!("there is another column `{}`", axis.name);
            let help = "give the stage a name of its own: name = \"…\"".to_owned();
            source.problem_at(axis.key, message, "the same column", Some(help))
        })
        .collect()
}

/// Files of held-out rows with their labels, or none; and no share beside them.
fn held_out(source: &JobSource, values: &Values) -> Option<Problem> {
    let reader = readers::named(values.word("data.source")?)?;
    let test = |key: &str| format!("data.{}", keys::test_key(key));
    if source.has("data.test_rows") && !source.has("data.test_share") {
        let message = "`data.test_rows` needs `data.test_share`".to_owned();
        let help = "it says which rows the share is: give `test_share`, or leave it out".to_owned();
        return Some(source.problem_at("data.test_rows", message, "of nothing", Some(help)));
    }
    if source.has("data.groups") && !source.has("data.test_share") {
        let message = "`data.groups` has no meaning without `data.test_share`".to_owned();
        let help =
            "a held-out share does not divide a group: give `test_share`, or leave `groups` out".to_owned();
        return Some(source.problem_at("data.groups", message, "of nothing", Some(help)));
    }
    let (inputs, answers) = (test(reader.inputs.key), [keys::LABELS, keys::TARGETS].map(test));
    let first = [&inputs, &answers[0], &answers[1]].into_iter().find(|key| source.has(key))?;
    if source.has("data.test_share") {
        let message = format!("`data.test_share` and `{first}` exclude each other");
        let help = "held-out rows are a share of the source, or have files of their own".to_owned();
        return Some(source.problem_at("data.test_share", message, "one of the two", Some(help)));
    }
    if !source.has(&inputs) {
        let help = format!("held-out rows have {inputs} of their own").replace("data.", "");
        return Some(source.problem_at(
            first,
            format!("`{first}` needs `{inputs}`"),
            "not alone",
            Some(help),
        ));
    }
    // Of labels in a file of their own, those of the held-out rows have another one.
    let key = if source.has("data.targets") { keys::TARGETS } else { keys::LABELS };
    let elsewhere = values.columns(&format!("data.{key}"))?.file.is_some();
    if elsewhere && !source.has(&test(key)) {
        let message = format!("`{inputs}` needs `{}`", test(key));
        let help = format!("held-out rows have {inputs}, {} of their own", test(key)).replace("data.", "");
        return Some(source.problem_at(&inputs, message, "not alone", Some(help)));
    }
    let other = answers.iter().find(|other| source.has(other) && **other != test(key))?;
    let message = format!("`{other}` has no meaning beside `data.{key}`");
    let help = format!("what is learned and what it is tried on are of one kind: give `{}`", test(key));
    Some(source.problem_at(other, message, "another kind", Some(help)))
}

/// Labels or targets: one of the two.
fn answers(source: &JobSource, values: &Values) -> Option<Problem> {
    readers::named(values.word("data.source")?)?;
    let (labels, targets) = (format!("data.{}", keys::LABELS), format!("data.{}", keys::TARGETS));
    match (source.has(&labels), source.has(&targets)) {
        (true, false) | (false, true) => None,
        (true, true) => {
            let message = format!("`{labels}` and `{targets}` exclude each other");
            let help = "labels are classes, targets are real numbers: give one of the two".to_owned();
            Some(source.problem_at(&targets, message, "one of the two", Some(help)))
        }
        (false, false) => {
            let help = keys::find("data", keys::LABELS).map(|key| key.help.clone());
            Some(source.problem_at(&labels, format!("`{labels}` is needed"), "not given", help))
        }
    }
}
