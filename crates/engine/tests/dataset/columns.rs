//! What a part holds: columns and types, the bits that were computed, nulls where there is no
//! value, the job.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use eigensweep_store::columns::{FORMAT_VERSION, Status};
use eigensweep_store::dataset::{Dataset, read_columns};
use eigensweep_store::rows::metrics_of;
use eigensweep_testkit::data_set::run_to_the_end;
use eigensweep_testkit::rows::{cells, coordinates, job, prepare};
use eigensweep_theory::metrics::THRESHOLD_SQUARED;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::three_parts::{REFERENCE, part_path, record};

/// Rows without a value (k above n, and no Σ), axes of all three kinds, all metrics.
const WITH_FAILURES: &str = r#"
[job]
name = "with-failures"
replicates = 3
[data]
components = 3
label_count = 2
teacher = "linear"
[corruption]
components = [2, 3]
scale = [5, 0.1]
[augmentation]
scale = [0, 2]
alignment = [0, 1]
[model]
dimension = [2, 4]
[grid]
samples = [3, 50]
"#;

fn read_all(root: &Path) -> RecordBatch {
    let (dataset, _) = Dataset::read(root, true).unwrap();
    let records: Vec<_> = dataset.records().collect();
    let [record] = records[..] else { panic!("one part") };
    let path = dataset.part_file(record);
    let names = schema(&path).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let batches: Vec<RecordBatch> = read_columns(&path, &names).unwrap().map(Result::unwrap).collect();
    let [batch] = &batches[..] else { panic!("a small part is one batch") };
    batch.clone()
}

/// Columns of a file with their Arrow types.
fn schema(path: &Path) -> Vec<(String, String)> {
    let file = fs::File::open(path).unwrap();
    let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let fields = builder.schema().fields().iter();
    let kind = |nullable: bool| if nullable { ", nullable" } else { "" };
    fields.map(|f| (f.name().clone(), format!("{}{}", f.data_type(), kind(f.is_nullable())))).collect()
}

#[test]
fn columns_and_types() {
    let directory = tempfile::tempdir().unwrap();
    run_to_the_end(directory.path(), &job(WITH_FAILURES, &[]), 1);
    let columns = schema(&part_path(directory.path(), 0));
    let text: Vec<String> = columns.iter().map(|(name, kind)| format!("{name}: {kind}")).collect();
    insta::assert_snapshot!(text.join("\n"), @r"
    replicate: Int32
    samples: Int64
    signal_components: Int32
    signal_scale: Float64
    signal_decay: Float64
    label_noise: Float64
    noise_components: Int32
    noise_scale: Float64
    augmentation_scale: Float64
    alignment: Float64
    dimension: Int32
    paradigm: Utf8
    loss_clean: Float64, nullable
    loss_corrupted: Float64, nullable
    distance: Float64, nullable
    leakage: Float64, nullable
    gap: Float64, nullable
    threshold_squared: Float64, nullable
    status: Utf8
    ");
}

/// What Parquet says is what was computed: coordinates, bits of every number, nulls where there is
/// no value.
#[test]
fn parts_read_back_as_computed() {
    let directory = tempfile::tempdir().unwrap();
    let job = job(WITH_FAILURES, &[]);
    let ran = run_to_the_end(directory.path(), &job, 2);
    let batch = read_all(directory.path());
    let simulation = prepare(&job);
    let plan = simulation.plan();
    let grid = &plan.grid;
    assert_eq!(batch.num_rows() as u64, grid.rows());
    let mut place_of = vec![0; batch.num_rows()];
    for (at, row) in grid.written(plan.part_units(0)).enumerate() {
        place_of[usize::try_from(row).unwrap()] = at;
    }
    let column = |name: &str| batch.column_by_name(name).unwrap_or_else(|| panic!("{name}")).clone();
    let float = |name: &str, row: usize| {
        let column = column(name);
        let column = column.as_primitive::<Float64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let text = |name: &str, row: usize| {
        let column = column(name);
        column.as_string::<i32>().value(row).to_owned()
    };
    let mut statuses = BTreeMap::new();
    for (number, cell) in cells(&simulation, 1) {
        let row = place_of[usize::try_from(number).unwrap()];
        let mut place = format!("replicate {}", column("replicate").as_primitive::<Int32Type>().value(row));
        for axis in &grid.axes {
            let column = column(axis.name);
            let value = match axis.name {
                "samples" => column.as_primitive::<Int64Type>().value(row) as f64,
                "signal_components" | "noise_components" | "dimension" => {
                    f64::from(column.as_primitive::<Int32Type>().value(row))
                }
                _ => column.as_primitive::<Float64Type>().value(row),
            };
            place.push_str(&format!(", {} {value:e}", axis.name));
        }
        place.push_str(&format!(", {}", text("paradigm", row)));
        assert_eq!(place, coordinates(&simulation, number));
        let status = text("status", row);
        assert_eq!(status, cell.row.status.name());
        *statuses.entry(status).or_insert(0) += 1;
        for metric in metrics_of(&job.spec) {
            let (name, expected) = (metric.name, cell[metric]);
            let found = float(name, row);
            assert_eq!(found.is_none(), expected.is_nan(), "{place}: {name}");
            assert!(found.is_none_or(|found| found.to_bits() == expected.to_bits()), "{place}: {name}");
            if cell.row.status != Status::Ok && metric != &THRESHOLD_SQUARED {
                assert_eq!(found, None, "{place}: {name} of a failed row");
            }
        }
        if cell.row.status == Status::Ok {
            assert!(
                ["loss_clean", "loss_corrupted", "distance"].iter().all(|name| float(name, row).is_some())
            );
            assert_eq!(float("leakage", row).is_none(), place.ends_with("supervised"), "{place}");
        }
    }
    // Σ = 0 and n < k. Nothing else fails.
    let failed = statuses.get("dimension-above-rank").copied().unwrap_or(0);
    assert_eq!(statuses.len(), 2, "{statuses:?}");
    assert!(failed > 0 && failed == ran.failed, "{statuses:?}, {} counted", ran.failed);
    let counted = BTreeMap::from([("dimension-above-rank".to_owned(), failed)]);
    assert_eq!(record(directory.path(), 0).failed, counted, "and recorded");
}

#[test]
fn metrics_that_were_not_asked_for_are_null() {
    for (metrics, present) in [
        ("['distance']", &["loss_clean", "loss_corrupted", "distance"][..]),
        ("['leakage']", &["leakage"]),
        ("['gap']", &["gap"]),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let job = job(WITH_FAILURES, &[&format!("output.metrics={metrics}")]);
        run_to_the_end(directory.path(), &job, 1);
        let batch = read_all(directory.path());
        for metric in metrics_of(&job.spec) {
            let name = metric.name;
            let column = batch.column_by_name(name).unwrap();
            let asked = present.contains(&name) || metric == &THRESHOLD_SQUARED;
            assert_eq!(column.null_count() < column.len(), asked, "{metrics}: {name}");
        }
    }
}

/// What identifies the job is in every part; nothing that differs between runs is.
#[test]
fn parts_carry_the_job_and_no_provenance() {
    let path = part_path(REFERENCE.path(), 1);
    let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    let metadata = reader.metadata().file_metadata();
    let pairs: BTreeMap<String, String> = metadata
        .key_value_metadata()
        .unwrap()
        .iter()
        .map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default()))
        .collect();
    let keys: Vec<&str> = pairs.keys().map(String::as_str).collect();
    let ours = [
        "eigensweep.format_version",
        "eigensweep.job",
        "eigensweep.section_hash",
        "eigensweep.streams",
        "eigensweep.study",
        "eigensweep.version",
    ];
    assert_eq!(keys, ours);
    assert_eq!(pairs["eigensweep.format_version"], FORMAT_VERSION.to_string());
    assert_eq!(pairs["eigensweep.section_hash"], record(REFERENCE.path(), 1).section_hash);
    assert!(pairs["eigensweep.job"].contains("seed = 11"));
    assert!(!pairs["eigensweep.job"].contains("three-parts"), "no name, so that a renamed job goes on");
    assert_eq!(metadata.created_by(), Some(concat!("eigensweep ", env!("CARGO_PKG_VERSION"))));
    // One row group, statistics on every column, zstd everywhere.
    assert_eq!(reader.metadata().num_row_groups(), 1);
    for column in reader.metadata().row_group(0).columns() {
        assert!(column.statistics().is_some(), "{}", column.column_path());
        let compression = format!("{:?}", column.compression());
        assert!(compression.starts_with("ZSTD"), "{}: {compression}", column.column_path());
    }
}
