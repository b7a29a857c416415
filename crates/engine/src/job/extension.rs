//! Jobs that grow: what a job asks for beyond earlier ones, as jobs of their own.
//!
//! The cells of a job are a box: its replicates times its axes. A later job with more replicates or values is a larger box; what is
//! new is the difference, cut into boxes axis by axis (first the replicates). Each of them is a job, so it is planned, written and
//! resumed as any other.

use std::collections::HashMap;
use std::ops::Range;

use super::JobSpec;
use super::columns::{AxisValues, AxisValuesMut};

/// Why a job does not extend an earlier one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotAnExtension {
    /// The earlier job has a value that this one lacks.
    #[error("{name} {value}, which the job no longer asks for")]
    Value {
        /// Column name of the axis.
        name: &'static str,
        /// The value.
        value: f64,
    },
    /// The earlier job has replicates that this one lacks.
    #[error("replicates {} to {}, but the job asks for {} to {}", earlier.start, earlier.end - 1, job.start, job.end - 1)]
    Replicates {
        /// Of the earlier job.
        earlier: Range<u32>,
        /// Of this one.
        job: Range<u32>,
    },
    /// Replicates are adaptive, and the earlier job has other cells.
    #[error("other cells, and adaptive replicates cannot be extended")]
    Adaptive,
    /// An axis is there in one of the two only.
    #[error("other axes than the job")]
    Axes,
}

/// What `job` asks for beyond `earlier` jobs, in a fixed order: the same for the same arguments. Empty if nothing is new.
///
/// The jobs must be of one study: alike in everything but replicates and the values of their axes.
///
/// # Errors
///
/// [`NotAnExtension`] if an earlier job has cells that this one does not ask for.
pub fn remainder(job: &JobSpec, earlier: &[JobSpec]) -> Result<Vec<JobSpec>, NotAnExtension> {
    let whole = Region::of(job, job)?;
    if job.job.adaptive.is_some() {
        let mut rounds = job.rounds();
        for (known, round) in earlier.iter().zip(&rounds) {
            let same = Region::of(known, job)?.axes == whole.axes && known.job.range() == round.job.range();
            if !same {
                return Err(NotAnExtension::Adaptive);
            }
        }
        return Ok(rounds.split_off(earlier.len().min(rounds.len())));
    }
    let mut regions = vec![whole];
    for known in earlier {
        let known = Region::of(known, job)?;
        regions = regions.iter().flat_map(|region| region.without(&known)).collect();
    }
    Ok(regions.iter().map(|region| region.spec(job)).collect())
}

/// The job of a single cell: one replicate, and of each axis the value at the position that `position` gives for its column.
pub(crate) fn cell(job: &JobSpec, replicate: u64, position: impl Fn(&str) -> usize) -> JobSpec {
    let first = u32::try_from(replicate).unwrap_or(u32::MAX);
    let axes = job.axes().iter().map(|axis| vec![position(axis.name)]).collect();
    Region { replicates: first..first.saturating_add(1), axes }.spec(job)
}

/// A box of cells: replicates, and of each axis the positions of its values on the axis of one job, ascending.
#[derive(Clone, Debug, PartialEq)]
struct Region {
    replicates: Range<u32>,
    axes: Vec<Vec<usize>>,
}

impl Region {
    /// The cells of `part` as a box of the cells of `whole`.
    fn of(part: &JobSpec, whole: &JobSpec) -> Result<Self, NotAnExtension> {
        let (replicates, all) = (part.job.range(), whole.job.range());
        if replicates.start < all.start || replicates.end > all.end {
            return Err(NotAnExtension::Replicates { earlier: replicates, job: all });
        }
        let (some, all) = (part.axes(), whole.axes());
        if some.len() != all.len() || some.iter().zip(&all).any(|(a, b)| a.name != b.name) {
            return Err(NotAnExtension::Axes);
        }
        let axes = some.iter().zip(&all).map(|(some, all)| positions(some.name, some.values, all.values));
        Ok(Self { replicates, axes: axes.collect::<Result<_, _>>()? })
    }

    /// This box without another, as disjoint boxes.
    fn without(&self, other: &Self) -> Vec<Self> {
        let common =
            self.replicates.start.max(other.replicates.start)..self.replicates.end.min(other.replicates.end);
        let shared: Vec<Vec<usize>> = self
            .axes
            .iter()
            .zip(&other.axes)
            .map(|(own, others)| own.iter().copied().filter(|at| others.binary_search(at).is_ok()).collect())
            .collect();
        if common.is_empty() || shared.iter().any(Vec::is_empty) {
            return vec![self.clone()];
        }
        let mut pieces = Vec::new();
        for replicates in [self.replicates.start..common.start, common.end..self.replicates.end] {
            if !replicates.is_empty() {
                pieces.push(Self { replicates, axes: self.axes.clone() });
            }
        }
        let mut rest = Self { replicates: common, axes: self.axes.clone() };
        for (axis, shared) in shared.into_iter().enumerate() {
            let new: Vec<usize> =
                self.axes[axis].iter().copied().filter(|at| shared.binary_search(at).is_err()).collect();
            if !new.is_empty() {
                let mut piece = rest.clone();
                piece.axes[axis] = new;
                pieces.push(piece);
            }
            rest.axes[axis] = shared;
        }
        pieces
    }

    /// The box as a job.
    fn spec(&self, job: &JobSpec) -> JobSpec {
        let mut spec = job.clone();
        spec.job.adaptive = None;
        spec.job.first_replicate = self.replicates.start;
        spec.job.replicates = self.replicates.end - self.replicates.start;
        for (values, keep) in spec.axes_mut().into_iter().zip(&self.axes) {
            match values {
                AxisValuesMut::Integers(axis) => axis.keep(keep),
                AxisValuesMut::Floats(axis) => axis.keep(keep),
            }
        }
        spec
    }
}

/// Where the values of one axis stand on another, ascending.
fn positions(
    name: &'static str,
    some: AxisValues<'_>,
    all: AxisValues<'_>,
) -> Result<Vec<usize>, NotAnExtension> {
    let place: HashMap<u64, usize> =
        numbers(all).iter().enumerate().map(|(at, value)| (value.to_bits(), at)).collect();
    let find = |value: f64| place.get(&value.to_bits()).copied().ok_or(NotAnExtension::Value { name, value });
    let mut found: Vec<usize> = numbers(some).into_iter().map(find).collect::<Result<_, _>>()?;
    found.sort_unstable();
    Ok(found)
}

/// Values as floats: whole numbers are below 2⁵³.
fn numbers(values: AxisValues<'_>) -> Vec<f64> {
    match values {
        AxisValues::Integers(values) => values.iter().map(|&value| value as f64).collect(),
        AxisValues::Floats(values) => values.to_vec(),
    }
}
