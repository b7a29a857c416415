//! `verify`: every byte of a data set against its commit records, and its summary against its seal.

use std::path::Path;

use eigensweep_store::dataset::{Dataset, Fault};
use eigensweep_store::format::counted;
use indicatif::HumanBytes;

use super::table;
use crate::exit::Exit;
use crate::report::CommandError;

pub(crate) fn call(root: &Path) -> Result<Exit, CommandError> {
    let (dataset, mut faults) = Dataset::read(root, true)?;
    faults.extend(dataset.summary_fault());
    let bytes: u64 = dataset.records().map(|record| record.bytes).sum();
    print_faults(root, &faults);
    table::print(&format!(
        "as written: {} with {}, {}",
        counted(dataset.records().count() as u64, "part"),
        counted(dataset.rows_done(), "row"),
        HumanBytes(bytes)
    ));
    if !dataset.is_complete() {
        table::print(&format!(
            "missing: {} of the job",
            counted(dataset.rows() - dataset.rows_done(), "row")
        ));
    }
    if faults.is_empty() {
        return Ok(Exit::Success);
    }
    tell!(
        "error: {} damaged; `eigensweep run JOB --output {}` computes again what is",
        counted(faults.len() as u64, "file"),
        root.display()
    );
    Ok(Exit::Failure)
}

/// A line for each fault.
pub(crate) fn print_faults(root: &Path, faults: &[Fault]) {
    for Fault { file, fault, .. } in faults {
        tell!("warning: {} {fault}", root.join(file).display());
    }
}
