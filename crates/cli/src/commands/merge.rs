//! `merge`: verifies shards and joins them.

use eigensweep_store::dataset;
use eigensweep_store::format::{count, counted};

use super::{failures, table, verify};
use crate::args::Merge;
use crate::exit::Exit;
use crate::report::CommandError;

pub(crate) fn call(arguments: &Merge) -> Result<Exit, CommandError> {
    let Merge { datasets, into } = arguments;
    let holder = format!("the merge process {} on {}", std::process::id(), eigensweep_host::machine::name());
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
        tell!("{} there more than once, kept once", counted(merged.again, "part"));
    }
    let (done, all) = (joined.rows_done(), counted(joined.rows(), "row"));
    let parts = counted(joined.records().count() as u64, "part");
    if joined.is_complete() {
        table::print(&format!("{all} in {parts}, verified, in {}", into.display()));
        return Ok(failures::report(&joined));
    }
    table::print(&format!("{} of {all} in {parts}, verified, in {}", count(done.into()), into.display()));
    tell!(
        "error: {} missing; run the shards that `eigensweep status` names, or the whole job with --output {}",
        counted(joined.rows() - done, "row"),
        into.display()
    );
    Ok(Exit::Failure)
}
