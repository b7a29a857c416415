//! `npy`: inputs and class labels in NumPy's files.

use std::path::Path;

use super::{FileKey, Reader, Source};
use crate::{ClassLabels, Dense, InputError, read_matrix};

/// A matrix of inputs, a sample a row, and a vector of whole numbers.
pub static NPY: Reader = Reader {
    name: "npy",
    help: "inputs and class labels in npy files",
    files: &[
        FileKey { key: "inputs", help: "the path of an npy file, a sample a row" },
        FileKey { key: "labels", help: "the path of an npy file of whole numbers" },
    ],
    samples: "samples",
    features: "features",
    read,
};

fn read(paths: &[&Path]) -> Result<Source, InputError> {
    let [inputs, labels] = paths else {
        return Err(InputError::Dimension { what: "paths of an npy source", expected: 2, found: paths.len() });
    };
    let matrix = read_matrix(inputs)?;
    let (samples, features) = (matrix.nrows(), matrix.ncols());
    let rows = matrix.row_iter().flat_map(|row| row.iter().copied().collect::<Vec<f64>>()).collect();
    let numbers: Vec<f64> = read_matrix(labels)?.col_iter().flat_map(|column| column.iter().copied().collect::<Vec<f64>>()).collect();
    let labels = ClassLabels::from_whole_numbers(&numbers)?;
    let labels = labels.ok_or(InputError::Dimension { what: "whole class labels", expected: samples, found: 0 })?;
    Ok(Source { inputs: Box::new(Dense::<f64>::new(rows, samples, features)?), labels })
}
