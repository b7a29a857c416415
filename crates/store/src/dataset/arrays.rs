//! Arrow arrays of the coordinates of rows.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray};

use crate::grid::{Grid, GridAxis, Values};

/// Replicates of rows.
pub(super) fn replicates(grid: &Grid, rows: &[u64]) -> ArrayRef {
    Arc::new(Int32Array::from_iter_values(rows.iter().map(|&row| narrow(grid.replicate(row)))))
}

/// Axes and paradigms of rows, in the order of the schema; `paradigms` are the names of the grid's.
pub(super) fn combinations<'a>(
    grid: &'a Grid,
    rows: &'a [u64],
    paradigms: &'a ArrayRef,
) -> impl Iterator<Item = ArrayRef> + 'a {
    let keys = rows.iter().map(|&row| narrow(grid.paradigm(row) as u64));
    grid.axes.iter().map(|of| axis(of, rows)).chain([dictionary(keys, paradigms)])
}

/// Values of an axis at rows.
fn axis(axis: &GridAxis, rows: &[u64]) -> ArrayRef {
    let at = |&row: &u64| axis.index(row);
    match &axis.values {
        Values::Floats(values) => {
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| values[at(row)])))
        }
        Values::Integers(values) if axis.name == "samples" => {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| values[at(row)])))
        }
        Values::Integers(values) => {
            let narrow = |row| narrow(values[at(row)].unsigned_abs());
            Arc::new(Int32Array::from_iter_values(rows.iter().map(narrow)))
        }
    }
}

/// A count that the job reader keeps within 31 bits.
pub(super) fn narrow(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// NaN becomes null: the engine's *no value*.
pub(super) fn nullable(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(values.map(|value| (!value.is_nan()).then_some(value)).collect::<Float64Array>())
}

/// Words, as keys into `names`.
pub(super) fn dictionary(keys: impl Iterator<Item = i32>, names: &ArrayRef) -> ArrayRef {
    let keys = Int32Array::from_iter_values(keys);
    // Cannot fail: keys are indices into `names`.
    match DictionaryArray::<Int32Type>::try_new(keys, names.clone()) {
        Ok(array) => Arc::new(array),
        Err(_) => Arc::new(StringArray::from(Vec::<&str>::new())),
    }
}
