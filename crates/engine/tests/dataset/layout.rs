//! How a part is laid out: row groups, order, encodings, statistics that prune.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use eigensweep_store::columns::REPLICATE;
use eigensweep_store::dataset::{Dataset, read_columns};
use eigensweep_testkit::data_set::run_to_the_end;
use eigensweep_testkit::rows::job;
use eigensweep_theory::metrics;
use parquet::basic::Encoding;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::statistics::Statistics;

use crate::three_parts::{REFERENCE, THREE_PARTS, part_path};

fn reader(path: &Path) -> SerializedFileReader<File> {
    SerializedFileReader::new(File::open(path).unwrap()).unwrap()
}

/// A part of more rows than a row group: groups are full, sorted by cell and then replicate, and
/// say which values they hold.
#[test]
fn row_groups_are_sorted_and_prune() {
    let directory = tempfile::tempdir().unwrap();
    // 1600 replicates of 32 alignments of 3 paradigms.
    let set = ["job.replicates=1600", "output.part_rows=200000", "output.metrics=['distance']"];
    run_to_the_end(directory.path(), &job(THREE_PARTS, &set), 2);
    let path = part_path(directory.path(), 0);
    let metadata = reader(&path).metadata().clone();
    let sizes: Vec<i64> = metadata.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(sizes, [122_880, 30_720]);
    let ranges: Vec<(f64, f64)> = metadata
        .row_groups()
        .iter()
        .map(|group| {
            let column = group.columns().iter().find(|c| c.column_path().string() == "alignment").unwrap();
            match column.statistics() {
                Some(Statistics::Double(found)) => (*found.min_opt().unwrap(), *found.max_opt().unwrap()),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    // 25 alignments and a third fill the first group.
    assert!(ranges[0].0 < ranges[0].1 && ranges[0].1 <= ranges[1].0, "{ranges:?}");
    let keys: Vec<(u64, i32)> = read_columns(&path, &["alignment", REPLICATE])
        .unwrap()
        .flat_map(|batch| {
            let batch = batch.unwrap();
            let alignments = batch.column_by_name("alignment").unwrap().as_primitive::<Float64Type>().clone();
            let replicates = batch.column_by_name(REPLICATE).unwrap().as_primitive::<Int32Type>().clone();
            // Positive numbers are ordered like their bits.
            (0..batch.num_rows()).map(move |at| (alignments.value(at).to_bits(), replicates.value(at)))
        })
        .collect();
    assert_eq!(keys.len(), 153_600);
    let alignments: Vec<u64> = keys.iter().map(|key| key.0).collect();
    assert!(alignments.is_sorted(), "cell by cell");
    for cell in keys.chunks(1600) {
        let replicates: Vec<i32> = cell.iter().map(|key| key.1).collect();
        assert_eq!(replicates, (0..1600).collect::<Vec<i32>>(), "in a cell replicate by replicate");
    }
}

#[test]
fn numbers_are_split_by_byte_and_axes_have_dictionaries() {
    let file = reader(&part_path(REFERENCE.path(), 1));
    for column in file.metadata().row_group(0).columns() {
        let name = column.column_path().string();
        let encodings: Vec<Encoding> = column.encodings().collect();
        let expected = match name.as_str() {
            REPLICATE => Encoding::DELTA_BINARY_PACKED,
            name if metrics::named(name).is_some() => Encoding::BYTE_STREAM_SPLIT,
            _ => Encoding::RLE_DICTIONARY,
        };
        assert!(encodings.contains(&expected), "{name}: {encodings:?}");
        let dictionary = encodings.contains(&Encoding::RLE_DICTIONARY);
        assert_eq!(dictionary, expected == Encoding::RLE_DICTIONARY, "{name}: {encodings:?}");
    }
}

/// What a row costs on disk: 8 bytes a random number, and next to nothing for axes and strings.
#[test]
fn axes_cost_next_to_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let set = ["job.replicates=1000", "output.part_rows=200000"];
    run_to_the_end(directory.path(), &job(THREE_PARTS, &set), 2);
    let (dataset, _) = Dataset::read(directory.path(), false).unwrap();
    let file = reader(&dataset.part_file(dataset.records().next().unwrap()));
    let (mut numbers, mut others) = (0, 0);
    for column in file.metadata().row_group(0).columns() {
        let is_metric = metrics::named(&column.column_path().string()).is_some();
        let of = if is_metric { &mut numbers } else { &mut others };
        *of += column.compressed_size();
    }
    let rows = file.metadata().row_group(0).num_rows() as f64;
    let (numbers, others) = (numbers as f64 / rows, others as f64 / rows);
    assert!((8.0..48.0).contains(&numbers), "{numbers} bytes of numbers a row");
    assert!(others < 0.5, "{others} bytes of axes and words a row");
}
