//! Rows without a value: how many, of which kind, how to see them; and whether they are too many.

use eigensweep_store::dataset::Dataset;
use eigensweep_store::format::{count, counted};
use eigensweep_store::summary::failures;

use crate::exit::Exit;

/// Says on standard error which rows have no value; the exit code is [`Exit::TooManyFailed`] where
/// they are more than the job allows.
pub(crate) fn report(dataset: &Dataset) -> Exit {
    let failed = failures(dataset);
    let rows = dataset.rows_done().max(1) as f64;
    for (status, count) in &failed {
        let share = 100.0 * *count as f64 / rows;
        tell!(
            "warning: {} without a value ({share:.2} %): {status}. To see them: eigensweep replay {} --where \
             \"status = '{status}'\"",
            counted(*count, "row"),
            dataset.root().display()
        );
    }
    let all: u64 = failed.iter().map(|(_, count)| count).sum();
    let allowed = dataset.spec().output.max_failed;
    if all as f64 > allowed * rows {
        tell!(
            "error: {} of {} without a value, more than [output] max_failed = {allowed} allows",
            count(all.into()),
            counted(dataset.rows_done(), "row")
        );
        return Exit::TooManyFailed;
    }
    Exit::Success
}
