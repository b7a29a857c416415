//! The rows of a data set by their coordinates.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use eigensweep_store::columns::STATUS;
use eigensweep_store::dataset::{Dataset, read_columns};
use eigensweep_theory::metrics;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Of each row, by its coordinates as text, the bits of its values and its status as text.
pub(crate) type Rows = BTreeMap<String, String>;

/// All rows of a data set, which must be sound: none is there twice.
pub(crate) fn read_rows(root: &Path) -> Rows {
    let (dataset, faults) = Dataset::read(root, true).unwrap();
    assert_eq!(faults, []);
    let mut rows = Rows::new();
    let mut count = 0;
    for record in dataset.records() {
        let before = count;
        let path = dataset.part_file(record);
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
        let columns: Vec<&str> = names.iter().map(String::as_str).collect();
        for batch in read_columns(&path, &columns).unwrap().map(Result::unwrap) {
            for at in 0..batch.num_rows() {
                let (mut place, mut values) = (String::new(), String::new());
                for (name, column) in names.iter().zip(batch.columns()) {
                    let is_value = metrics::named(name).is_some() || name == STATUS;
                    let of = if is_value { &mut values } else { &mut place };
                    of.push_str(&format!("{name} {}, ", text(column, at)));
                }
                let before = rows.insert(place, values);
                assert_eq!(before, None, "a row twice");
                count += 1;
            }
        }
        assert_eq!(count - before, record.rows, "{}", record.file);
    }
    assert_eq!(count, dataset.rows_done());
    rows
}

/// A value with all its bits.
fn text(column: &ArrayRef, at: usize) -> String {
    if column.is_null(at) {
        return "null".to_owned();
    }
    if let Some(floats) = column.as_primitive_opt::<Float64Type>() {
        return format!("{:016x}", floats.value(at).to_bits());
    }
    if let Some(wholes) = column.as_primitive_opt::<Int64Type>() {
        return wholes.value(at).to_string();
    }
    if let Some(wholes) = column.as_primitive_opt::<Int32Type>() {
        return wholes.value(at).to_string();
    }
    column.as_string::<i32>().value(at).to_owned()
}
