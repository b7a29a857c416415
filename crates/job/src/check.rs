//! Checks between tables that are each sound by themselves: sizes that must fit each other, and the
//! whole grid.
//!
//! What could not be read is absent here, and a check that needs it finds nothing.

use std::path::Path;

use super::JobSpec;
use super::axis::Axis;
use super::keys;
use super::problem::{Place, Problem};
use super::source::JobSource;
use super::spec::Sampler;
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
        dimension(source, values),
        length(source, values, "data"),
        length(source, values, "corruption"),
        overflow(source, values, "data"),
        overflow(source, values, "corruption"),
        overflow(source, values, "augmentation"),
    ];
    let then =
        [dimensions(source, values), augmentation_list(source, values), explicit_samples(source, values)];
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
    let (signal, noise) = (least("data.components")?, least("corruption.components")?);
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
