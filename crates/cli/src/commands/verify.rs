//! `verify`: every byte of a data set against its commit records.

use std::path::Path;

use eigensweep_store::dataset::{Dataset, Fault};
use indicatif::{HumanBytes, HumanCount};

use super::table;
use crate::exit::Exit;
use crate::report::CommandError;

pub(crate) fn call(root: &Path) -> Result<Exit, CommandError> {
    let (dataset, faults) = Dataset::read(root, true)?;
    let parts = dataset.records().count() as u64;
    let bytes: u64 = dataset.records().map(|record| record.bytes).sum();
    print_faults(root, &faults);
    let sound = format!(
        "{} parts with {} rows, {}, are as they were written",
        HumanCount(parts),
        HumanCount(dataset.rows_done()),
        HumanBytes(bytes)
    );
    table::print(&sound);
    if !dataset.is_complete() {
        let missing = dataset.rows() - dataset.rows_done();
        table::print(&format!("{} rows of the job are missing", HumanCount(missing)));
    }
    if faults.is_empty() {
        return Ok(Exit::Success);
    }
    let count = faults.len();
    tell!(
        "error: {count} part{} damaged; `eigensweep run JOB --output {}` computes them again",
        if count == 1 { " is" } else { "s are" },
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
