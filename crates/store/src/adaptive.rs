//! Adaptive replicates: which combinations go on after a checkpoint.
//!
//! A combination goes on as long as, for any paradigm, the standard error of the mean of the first
//! metric that the job asks for (of distance, leakage and gap) exceeds `relative_error` times the
//! mean. What has no values at all does not go on.

use crate::StoreError;
use crate::active::Active;
use crate::aggregate::Aggregate;
use crate::dataset::{Cell, Columns, Dataset};
use crate::grid::Grid;
use eigensweep_job::Adaptive;
use eigensweep_theory::metrics::DISTANCE;

/// The combinations that are drawn in the section at `place`, from the parts of the sections before
/// it; `None` for all, where replicates are fixed and in the first round.
///
/// # Errors
///
/// [`StoreError`] if a part cannot be read.
pub fn active(dataset: &Dataset, place: usize) -> Result<Option<Active>, StoreError> {
    let section = &dataset.sections()[place];
    let Some(adaptive) = section.spec.job.adaptive.filter(|_| section.round > 0) else { return Ok(None) };
    let plan = &section.plan;
    let mut active = Active::none(plan, 0..plan.grid.columns());
    let metric = [dataset.spec().output.metrics.first().copied().unwrap_or(&DISTANCE)];
    let whole = Grid::new(dataset.spec());
    let mut columns = Columns::new(dataset, &whole, dataset.shard(), place, &metric, None);
    while let Some((column, cells)) = columns.next()? {
        let paradigms = usize::try_from(plan.grid.paradigms).unwrap_or(1);
        for (combination, cells) in cells.chunks(paradigms).enumerate() {
            // Who stopped at an earlier checkpoint has fewer replicates, and does not go on again.
            let drawn = cells.iter().map(|cell| cell.replicates).max().unwrap_or(0);
            let kept = drawn == u64::from(section.spec.job.first_replicate);
            if kept && cells.iter().any(|cell| goes_on(cell, &adaptive)) {
                active.insert(column, combination as u64);
            }
        }
    }
    Ok(Some(active))
}

/// Whether a paradigm's estimate is not good enough yet.
fn goes_on(cell: &Cell, adaptive: &Adaptive) -> bool {
    let Some(running) = cell.metrics.first().map(Aggregate::running) else { return false };
    match (running.mean(), running.standard_error()) {
        (Some(mean), Some(error)) => error > adaptive.relative_error * mean.abs(),
        // One value is not enough; none will not become more.
        (Some(_), None) => true,
        _ => false,
    }
}
