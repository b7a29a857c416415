//! Rows without a value: how many, of which kind, how to see them; and whether they are too many.

use eigensweep_store::dataset::Dataset;
use eigensweep_store::summary::{FailureRemarks, failure_remarks};

use crate::exit::Exit;

/// Says on standard error which rows have no value; the exit code is [`Exit::TooManyFailed`] where
/// they are more than the job allows.
pub(crate) fn report(dataset: &Dataset) -> Exit {
    let FailureRemarks { of_status, too_many } = failure_remarks(dataset);
    for (status, remark) in of_status {
        let root = dataset.root().display();
        match dataset.spec().boundary {
            None => tell!(
                "warning: {remark}. To see them: eigensweep replay {root} --where \"status = '{status}'\""
            ),
            Some(_) => tell!(
                "warning: {remark}. To see them: eigensweep query {root} \"SELECT * FROM boundary WHERE verdict = '{status}'\""
            ),
        }
    }
    let Some(too_many) = too_many else { return Exit::Success };
    tell!("error: {too_many}");
    Exit::TooManyFailed
}
