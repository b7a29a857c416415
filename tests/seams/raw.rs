//! `raw`: inputs as bare doubles.

use std::path::Path;

use super::{Contents, INPUTS, Inputs, Reader, Wanted, one_file};
use crate::{Dense, InputError};

/// Doubles, least byte first: the number of samples, that of features, then row by row.
pub static RAW: Reader = Reader {
    name: "raw",
    help: "inputs in bare doubles",
    inputs: INPUTS,
    choices: &[],
    columns: false,
    images: false,
    samples: "samples",
    features: "features",
    files: one_file,
    read,
};

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes")]
fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    if !wanted.columns.is_empty() {
        let there = "it has no columns with names".to_owned();
        return Err(InputError::NoSuch { path: path.to_owned(), what: "column", name: String::new(), there });
    }
    let failed = |source| InputError::Io { path: path.to_owned(), action: "read", source };
    let bytes = std::fs::read(path).map_err(failed)?;
    let mut values: Vec<f64> = bytes.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    let rest = values.split_off(values.len().min(2));
    let [samples, features] = values[..] else {
        return Err(InputError::Dimension { what: "inputs", expected: 2, found: values.len() });
    };
    let rows = Box::new(Dense::<f64>::new(rest, samples as usize, features as usize)?);
    Ok(Contents { inputs: Some(Inputs { rows, names: Vec::new() }), ..Contents::default() })
}
