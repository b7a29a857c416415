//! `merge`: verifies shards and joins them.

use eigensweep_store::dataset;
use indicatif::HumanCount;

use super::{failures, table, verify};
use crate::args::Merge;
use crate::exit::Exit;
use crate::host;
use crate::report::CommandError;

pub(crate) fn call(arguments: &Merge) -> Result<Exit, CommandError> {
    let Merge { datasets, into } = arguments;
    let holder = format!("the merge process {} on {}", std::process::id(), host::name());
    let (joined, merged) = dataset::merge(datasets, into, &holder)?;
    for (root, fault) in &merged.faults {
        verify::print_faults(root, std::slice::from_ref(fault));
    }
    for (stays, other) in &merged.different {
        tell!(
            "warning: {} and {} hold the same rows with different bits (their machines round differently); the first stays",
            stays.display(),
            other.display()
        );
    }
    if merged.again > 0 {
        tell!("{} parts were there more than once, and are kept once", HumanCount(merged.again));
    }
    let (done, all) = (HumanCount(joined.rows_done()), HumanCount(joined.rows()));
    if joined.is_complete() {
        table::print(&format!("{all} rows in {} parts, verified, in {}", parts(&joined), into.display()));
        return Ok(failures::report(&joined));
    }
    table::print(&format!(
        "{done} of {all} rows in {} parts, verified, in {}",
        parts(&joined),
        into.display()
    ));
    tell!(
        "error: {} rows are missing; run the shards that `eigensweep status` names, or the whole job with --output {}",
        HumanCount(joined.rows() - joined.rows_done()),
        into.display()
    );
    Ok(Exit::Failure)
}

fn parts(joined: &dataset::Dataset) -> HumanCount {
    HumanCount(joined.records().count() as u64)
}
