//! Checks between tables that are each sound by themselves: sizes that must fit each other, and the whole grid.
//!
//! What could not be read is absent here, and a check that needs it finds nothing.

use std::collections::BTreeMap;

use super::JobSpec;
use super::axis::Axis;
use super::noise::AugmentationSpec;
use super::problem::Problem;
use super::run::Sampler;
use super::source::JobSource;

/// Most samples that the explicit sampler takes: at p = 50 these are 5·10⁹ normals a cell, a minute or so, where
/// the moment sampler draws a few thousand from the same distribution.
pub const EXPLICIT_SAMPLES_LIMIT: i64 = 100_000_000;

/// Most cells of a grid: the largest 64-bit integer, in which plan and data set count them.
pub const CELLS_LIMIT: u128 = i64::MAX as u128;

/// The axes of whole numbers by full name, as far as they could be read.
type Sizes = BTreeMap<String, Axis<i64>>;

/// `k ≤ k₀ + p` for every combination of the axes.
pub(super) fn dimensions(source: &JobSource, sizes: &Sizes) -> Option<Problem> {
    let least = |key: &str| sizes.get(key)?.values().iter().copied().min();
    let (signal, noise) = (least("data.components")?, least("corruption.components")?);
    let most = signal.saturating_add(noise);
    let dimensions = sizes.get("model.dimension")?.values();
    let index = dimensions.iter().position(|&dimension| dimension > most)?;
    let message =
        format!("`model.dimension` = {} is more than the inputs have components", dimensions[index]);
    let help = format!(
        "with {signal} important and {noise} noise components (the fewest on their axes), dimension is at most {most}"
    );
    Some(source.problem_at_item("model.dimension", index, message, format!("at most {most}"), Some(help)))
}

/// A list of Θ's eigenvalues has one for each of the k₀ + p components, so there must be one such number.
pub(super) fn augmentation_list(
    source: &JobSource,
    sizes: &Sizes,
    augmentation: Option<&AugmentationSpec>,
) -> Option<Problem> {
    const KEY: &str = "augmentation.spectrum";
    let found = augmentation?.spectrum.shape.length()?;
    let noise = sizes.get("corruption.components")?.only();
    let (axis, signal) = match (sizes.get("data.components"), noise) {
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
pub(super) fn explicit_samples(
    source: &JobSource,
    sizes: &Sizes,
    sampler: Option<Sampler>,
) -> Option<Problem> {
    let samples = sizes.get("grid.samples")?.values();
    let index = samples.iter().position(|&samples| samples > EXPLICIT_SAMPLES_LIMIT)?;
    if sampler? != Sampler::Explicit {
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
