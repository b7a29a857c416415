//! Jobs that grow: what a job asks for beyond earlier ones, as jobs of their own.
//!
//! The cells of a job are a box: its replicates times its axes. A later job with more replicates or
//! values is a larger box; what is new is the difference, cut into boxes axis by axis (first the
//! replicates). Each of them is a job, so it is planned, written and resumed as any other.

use std::collections::HashMap;
use std::ops::Range;

use super::JobSpec;
use super::fields::{AxisMut, AxisValues};

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
    #[error("{}, but the job asks for {}", named(earlier), named(job))]
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

/// `replicate 5`, `replicates 0 to 3`.
fn named(replicates: &Range<u32>) -> String {
    match replicates.len() {
        1 => format!("replicate {}", replicates.start),
        _ => format!("replicates {} to {}", replicates.start, replicates.end.saturating_sub(1)),
    }
}

/// What `job` asks for beyond `earlier` jobs, in a fixed order: the same for the same arguments.
/// Empty if nothing is new.
///
/// The jobs must be of one study: alike in everything but replicates and the values of their axes.
///
/// # Errors
///
/// [`NotAnExtension`] if an earlier job has cells that this one does not ask for.
pub fn remainder(job: &JobSpec, earlier: &[JobSpec]) -> Result<Vec<JobSpec>, NotAnExtension> {
    let all = Region::of(job, job)?;
    let known: Vec<Region> = earlier.iter().map(|known| Region::of(known, job)).collect::<Result<_, _>>()?;
    if job.job.adaptive.is_some() {
        let mut rounds = job.rounds();
        let same = |(known, round): (&Region, &JobSpec)| {
            known.axes == all.axes && known.replicates == round.job.range()
        };
        if !known.iter().zip(&rounds).all(same) {
            return Err(NotAnExtension::Adaptive);
        }
        return Ok(rounds.split_off(known.len().min(rounds.len())));
    }
    let mut regions = vec![all];
    for known in whole(known) {
        regions = regions.iter().flat_map(|region| region.without(&known)).collect();
    }
    Ok(whole(regions).iter().map(|region| region.spec(job)).collect())
}

/// One box instead of several that fill it: what a job grew by is not cut where it grew before.
fn whole(regions: Vec<Region>) -> Vec<Region> {
    let Some(hull) = regions.iter().cloned().reduce(|a, b| a.hull(&b)) else { return regions };
    let disjoint = |at: usize| regions[..at].iter().all(|other| !regions[at].meets(other));
    let cells: u128 = regions.iter().map(Region::cells).sum();
    if cells == hull.cells() && (0..regions.len()).all(disjoint) { vec![hull] } else { regions }
}

/// The job of a single cell: one replicate, and of each axis the value at the position that
/// `position` gives for its column.
#[must_use]
pub fn cell(job: &JobSpec, replicate: u64, position: impl Fn(&str) -> usize) -> JobSpec {
    let first = u32::try_from(replicate).unwrap_or(u32::MAX);
    let axes = job.axes().iter().map(|axis| vec![position(axis.name)]).collect();
    Region { replicates: first..first.saturating_add(1), axes }.spec(job)
}

/// A box of cells: replicates, and of each axis the positions of its values on the axis of one job,
/// ascending.
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

    /// Number of cells, of which a job has fewer than 2⁶³.
    fn cells(&self) -> u128 {
        self.axes.iter().fold(self.replicates.len() as u128, |cells, axis| cells * axis.len() as u128)
    }

    /// The smallest box that holds this one and another.
    fn hull(&self, other: &Self) -> Self {
        let (a, b) = (&self.replicates, &other.replicates);
        let axes = self.axes.iter().zip(&other.axes).map(|(own, others)| {
            let mut all = [&own[..], others].concat();
            all.sort_unstable();
            all.dedup();
            all
        });
        Self { replicates: a.start.min(b.start)..a.end.max(b.end), axes: axes.collect() }
    }

    /// The cells that this box has in common with another: a range of replicates and positions on
    /// each axis, some of them none if there are no such cells.
    fn common(&self, other: &Self) -> Self {
        let (a, b) = (&self.replicates, &other.replicates);
        let axes = self.axes.iter().zip(&other.axes);
        let shared = |(own, others): (&Vec<usize>, &Vec<usize>)| {
            own.iter().copied().filter(|at| others.binary_search(at).is_ok()).collect()
        };
        Self { replicates: a.start.max(b.start)..a.end.min(b.end), axes: axes.map(shared).collect() }
    }

    fn is_empty(&self) -> bool {
        self.replicates.is_empty() || self.axes.iter().any(Vec::is_empty)
    }

    fn meets(&self, other: &Self) -> bool {
        !self.common(other).is_empty()
    }

    /// This box without another, as disjoint boxes.
    fn without(&self, other: &Self) -> Vec<Self> {
        let shared = self.common(other);
        if shared.is_empty() {
            return vec![self.clone()];
        }
        let Self { replicates: common, axes: shared } = shared;
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
                AxisMut::Integers(axis) => axis.keep(keep),
                AxisMut::Floats(axis) => axis.keep(keep),
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
