//! Summaries: what they say is what the rows say, from rows and from blocks, whole and in pieces.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use eigensweep_store::aggregate::QUANTILE_ACCURACY;
use eigensweep_store::columns::Status;
use eigensweep_store::dataset::{self, Dataset, SUMMARY_FILE, read_columns};
use eigensweep_store::filter::Filter;
use eigensweep_store::find;
use eigensweep_store::rows::{Row, metrics_of};
use eigensweep_store::shard::Shard;
use eigensweep_store::summary::summarise;
use eigensweep_testkit::data_set::{run_parts, run_shard, run_to_the_end};
use eigensweep_testkit::files::{contents, copy_tree};
use eigensweep_testkit::rows::job;

/// Some rows have no value: Σ = 0 and n < d.
const JOB: &str = r#"
[job]
name = "digest"
seed = 5
replicates = 17
[data]
components = [2, 3]
label_count = 2
[corruption]
components = 2
scale = [0.1, 100]
[augmentation]
scale = [0, 2]
alignment = [0, 1]
[model]
dimension = [1, 2]
[grid]
samples = [1, 50]
[output]
part_rows = 200
"#;

fn summary(root: &Path) -> RecordBatch {
    let path = root.join(SUMMARY_FILE);
    let file = fs::File::open(&path).unwrap();
    let builder = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let names: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let batches: Vec<RecordBatch> = read_columns(&path, &names).unwrap().map(Result::unwrap).collect();
    arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap()
}

fn written(root: &Path) {
    let (dataset, faults) = Dataset::read(root, true).unwrap();
    assert_eq!(faults, []);
    dataset.write_summary().unwrap();
}

fn float(batch: &RecordBatch, name: &str, at: usize) -> Option<f64> {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("{name}")).as_primitive::<Float64Type>();
    column.is_valid(at).then(|| column.value(at))
}

fn count(batch: &RecordBatch, name: &str, at: usize) -> u64 {
    let column = batch.column_by_name(name).unwrap_or_else(|| panic!("{name}")).as_primitive::<Int64Type>();
    u64::try_from(column.value(at)).unwrap()
}

/// A line's combination and paradigm, spelled as [`rows_by_cell`] does.
fn cell(batch: &RecordBatch, at: usize) -> String {
    let mut text = String::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        match field.name().as_str() {
            "paradigm" => {
                text.push_str(column.as_string::<i32>().value(at));
                return text;
            }
            name => {
                let small = column.as_primitive_opt::<Int32Type>().map(|column| f64::from(column.value(at)));
                let whole = || column.as_primitive_opt::<Int64Type>().map(|column| column.value(at) as f64);
                let value =
                    small.or_else(whole).unwrap_or_else(|| column.as_primitive::<Float64Type>().value(at));
                text.push_str(&format!("{name} {value:e}, "));
            }
        }
    }
    text
}

type Cells = BTreeMap<String, Vec<Row>>;

/// All rows of a data set, by combination and paradigm.
fn rows_by_cell(root: &Path) -> Cells {
    let (dataset, _) = Dataset::read(root, true).unwrap();
    let filter = Filter::parse("replicate >= 0", &find::columns(&dataset)).unwrap();
    let mut cells = Cells::new();
    for row in find::find(&dataset, &filter, usize::MAX).unwrap().0 {
        let section = &dataset.sections()[row.section];
        let grid = &section.plan.grid;
        let mut text = String::new();
        for axis in &grid.axes {
            text.push_str(&format!("{} {:e}, ", axis.name, axis.values.as_float(axis.index(row.row))));
        }
        text.push_str(section.spec.model.paradigms[grid.paradigm(row.row)].name);
        cells.entry(text).or_default().push(row.stored.unwrap());
    }
    cells
}

fn close(found: Option<f64>, expected: Option<f64>, tolerance: f64, what: &str) {
    match (found, expected) {
        (None, None) => {}
        (Some(found), Some(expected)) => {
            assert!((found - expected).abs() <= tolerance, "{what}: {found:e}, not {expected:e}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// Every number of a summary of few replicates against the rows, naively.
fn check(batch: &RecordBatch, cells: &Cells) {
    assert_eq!(batch.num_rows(), cells.len());
    let (mut failed, mut missing) = (0, 0);
    for at in 0..batch.num_rows() {
        let place = cell(batch, at);
        let rows = &cells[&place];
        assert_eq!(count(batch, "replicates", at), rows.len() as u64, "{place}");
        let without = rows.iter().filter(|row| row.status != Status::Ok).count();
        assert_eq!(count(batch, "failed", at), without as u64, "{place}");
        failed += without;
        for (column, name) in metrics_of(&job(JOB, &[]).spec).iter().map(|metric| metric.name).enumerate() {
            let mut values: Vec<f64> =
                rows.iter().map(|row| row.values[column]).filter(|value| !value.is_nan()).collect();
            values.sort_unstable_by(f64::total_cmp);
            let n = values.len() as f64;
            let what = format!("{name} of {place}");
            assert_eq!(count(batch, &format!("{name}_count"), at), values.len() as u64, "{what}");
            let get = |statistic: &str| float(batch, &format!("{name}_{statistic}"), at);
            let some = |value: f64, least: usize| (values.len() >= least).then_some(value);
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
            let size = values.iter().fold(0.0_f64, |size, x| size.max(x.abs()));
            close(get("mean"), some(mean, 1), 1e-13 * size, &what);
            close(get("variance"), some(variance, 2), 1e-12 * size * size, &what);
            close(get("standard_error"), some((variance / n).sqrt(), 2), 1e-7 * size, &what);
            assert_eq!(get("min"), values.first().copied(), "{what}");
            assert_eq!(get("max"), values.last().copied(), "{what}");
            for (statistic, q) in
                [("q05", 0.05), ("q25", 0.25), ("median", 0.5), ("q75", 0.75), ("q95", 0.95)]
            {
                close(get(statistic), linear(&values, q), 1e-15 * size, &format!("{statistic} of {what}"));
            }
            missing += usize::from(values.is_empty());
        }
    }
    assert!(
        failed > 0 && missing > 0,
        "rows without values, and metrics that supervised has not, are among them"
    );
}

/// Counts above the threshold, and differences between paradigms within replicates, naively.
fn check_pairs(batch: &RecordBatch, cells: &Cells) {
    let names = ["supervised", "joint-embedding", "reconstruction"];
    let metrics = metrics_of(&job(JOB, &[]).spec);
    let (mut several, mut none) = (0, 0);
    for at in 0..batch.num_rows() {
        let place = cell(batch, at);
        let (combination, paradigm) = place.rsplit_once(", ").unwrap();
        let alpha = float(batch, "alignment", at).unwrap();
        let thresholds = cells[&place].iter().map(|row| row.values[5]).filter(|value| !value.is_nan());
        let thresholds: Vec<f64> = thresholds.collect();
        let above = thresholds.iter().filter(|&&threshold| alpha * alpha > threshold).count();
        let column = batch.column_by_name("above").unwrap().as_primitive::<Int64Type>();
        let found = column.is_valid(at).then(|| column.value(at));
        assert_eq!(found, (!thresholds.is_empty()).then_some(i64::try_from(above).unwrap()), "{place}");
        let number = |name: &str| names.iter().position(|known| *known == name);
        for earlier in &names[..2] {
            let others = &cells[&format!("{combination}, {earlier}")];
            for (metric, name) in metrics.iter().map(|metric| metric.name).enumerate().take(5) {
                let column =
                    |statistic: &str| format!("{name}_minus_{}_{statistic}", earlier.replace('-', "_"));
                let counts = batch.column_by_name(&column("count")).unwrap();
                assert_eq!(counts.is_valid(at), number(earlier) < number(paradigm), "{place}: {earlier}");
                if counts.is_null(at) {
                    continue;
                }
                let pairs = cells[&place].iter().zip(others);
                let apart = pairs.map(|(own, other)| own.values[metric] - other.values[metric]);
                let apart: Vec<f64> = apart.filter(|apart| !apart.is_nan()).collect();
                let n = apart.len() as f64;
                assert_eq!(count(batch, &column("count"), at), apart.len() as u64, "{place}: {name}");
                let mean = apart.iter().sum::<f64>() / n;
                let variance = apart.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
                let size = apart.iter().fold(1e-300_f64, |size, x| size.max(x.abs()));
                let some = |value: f64, least: usize| (apart.len() >= least).then_some(value);
                close(float(batch, &column("mean"), at), some(mean, 1), 1e-13 * size, &place);
                let error = float(batch, &column("standard_error"), at);
                close(error, some((variance / n).sqrt(), 2), 1e-7 * size, &place);
                several += usize::from(apart.len() > 1);
                none += usize::from(apart.is_empty());
            }
        }
    }
    assert!(several > 0 && none > 0, "pairs, and metrics that supervised has not, are among them");
}

#[test]
fn a_summary_says_what_the_rows_say() {
    let [rows, blocks] = [0, 1].map(|_| tempfile::tempdir().unwrap());
    run_to_the_end(rows.path(), &job(JOB, &[]), 2);
    written(rows.path());
    let cells = rows_by_cell(rows.path());
    check(&summary(rows.path()), &cells);
    check_pairs(&summary(rows.path()), &cells);
    let job = job(JOB, &["output.detail=summary"]);
    run_to_the_end(blocks.path(), &job, 2);
    written(blocks.path());
    check(&summary(blocks.path()), &cells);
    for name in ["above", "distance_minus_supervised_count", "gap_minus_joint_embedding_mean"] {
        let batch = summary(blocks.path());
        let column = batch.column_by_name(name).unwrap();
        assert_eq!(column.null_count(), batch.num_rows(), "{name}: blocks do not tell");
    }
    // What `run` prints, too.
    let read = |root: &Path| summarise(&Dataset::read(root, false).unwrap().0).unwrap().unwrap();
    let (from_rows, from_blocks) = (read(rows.path()), read(blocks.path()));
    for (one, other) in from_rows.lines.iter().zip(&from_blocks.lines) {
        assert_eq!((&one.axes, one.paradigm), (&other.axes, other.paradigm));
        assert_eq!(one.largest.count, other.largest.count);
        close(other.largest.mean, one.largest.mean, 1e-13, "mean at the largest n");
        close(other.smallest.standard_error, one.smallest.standard_error, 1e-13, "error at the smallest n");
    }
}

/// Threads, interruptions, shards and directories change no byte of it.
#[test]
fn the_same_summary_however_it_came_about() {
    for detail in ["rows", "summary"] {
        let job = job(JOB, &[&format!("output.detail={detail}")]);
        let reference = tempfile::tempdir().unwrap();
        run_to_the_end(reference.path(), &job, 1);
        written(reference.path());
        let expected = fs::read(reference.path().join(SUMMARY_FILE)).unwrap();
        let interrupted = tempfile::tempdir().unwrap();
        while !run_parts(interrupted.path(), &job, 3, 2).unwrap().outcome.complete {}
        written(interrupted.path());
        assert!(fs::read(interrupted.path().join(SUMMARY_FILE)).unwrap() == expected, "{detail}");
        assert!(contents(interrupted.path()) == contents(reference.path()));
        let directory = tempfile::tempdir().unwrap();
        let roots: Vec<_> = (1..=3).map(|index| directory.path().join(index.to_string())).collect();
        for (root, index) in roots.iter().zip(1..) {
            run_shard(root, &job, Shard::new(index, 3).unwrap(), 2, u64::MAX).unwrap();
        }
        let joined = directory.path().join("joined");
        dataset::merge(&roots, &joined, "a test").unwrap();
        assert!(fs::read(joined.join(SUMMARY_FILE)).unwrap() == expected, "{detail}: shards");
    }
}

/// A data set that grew is summarised as one that was run at once, to rounding (its blocks are
/// others).
#[test]
fn what_grew_is_one_summary() {
    for detail in ["rows", "summary"] {
        let detail = format!("output.detail={detail}");
        let directory = tempfile::tempdir().unwrap();
        let some = ["job.replicates=5", "grid.samples=50", "augmentation.alignment=1", &detail];
        run_to_the_end(directory.path(), &job(JOB, &some), 2);
        run_to_the_end(directory.path(), &job(JOB, &[&detail]), 2);
        written(directory.path());
        let rows = tempfile::tempdir().unwrap();
        run_to_the_end(rows.path(), &job(JOB, &[]), 2);
        let cells = rows_by_cell(rows.path());
        let kept = detail.ends_with("rows");
        check(&summary(directory.path()), &cells);
        if kept {
            check_pairs(&summary(directory.path()), &cells);
        }
    }
}

/// Quantiles of a data set's summary, line by line.
fn quantiles(root: &Path) -> Vec<Option<f64>> {
    let batch = summary(root);
    let names = ["q05", "q25", "median", "q75", "q95"];
    let names = names.map(|statistic| format!("distance_{statistic}"));
    (0..batch.num_rows()).flat_map(|at| names.each_ref().map(|name| float(&batch, name, at))).collect()
}

/// Exact and the same to every bit while replicates are few; of more, and joined from parts, a
/// sketch's, whichever is kept.
#[test]
fn quantiles_are_the_same_of_rows_and_of_blocks() {
    for replicates in [&[40][..], &[20, 40], &[512], &[300, 600]] {
        let of = |detail: &str| {
            let directory = tempfile::tempdir().unwrap();
            for count in replicates {
                let set = [
                    &format!("job.replicates={count}"),
                    detail,
                    "output.part_rows=1000",
                    "augmentation.scale=2",
                    "model.dimension=1",
                    "corruption.scale=100",
                ];
                run_to_the_end(directory.path(), &job(JOB, &set), 2);
            }
            written(directory.path());
            let cells = detail.ends_with("rows").then(|| rows_by_cell(directory.path()));
            if let Some(cells) = &cells {
                let few = replicates.last() <= Some(&512);
                check_quantiles(
                    &summary(directory.path()),
                    cells,
                    if few { 1e-15 } else { QUANTILE_ACCURACY },
                );
            }
            quantiles(directory.path())
        };
        assert_eq!(of("output.detail=rows"), of("output.detail=summary"), "{replicates:?}");
    }
}

/// The quantiles of the distance against the rows', as NumPy has them.
fn check_quantiles(batch: &RecordBatch, cells: &Cells, accuracy: f64) {
    for at in 0..batch.num_rows() {
        let place = cell(batch, at);
        let values = cells[&place].iter().map(|row| row.values[2]).filter(|value| !value.is_nan());
        let mut values: Vec<f64> = values.collect();
        values.sort_unstable_by(f64::total_cmp);
        for (statistic, share) in [("q05", 0.05), ("median", 0.5), ("q95", 0.95)] {
            let expected = linear(&values, share);
            let tolerance = accuracy * expected.unwrap_or(0.0);
            close(float(batch, &format!("distance_{statistic}"), at), expected, tolerance, &place);
        }
    }
}

/// NumPy's quantile of sorted values.
fn linear(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    let rank = place as usize;
    let above = sorted.get(rank + 1).unwrap_or(&sorted[rank]);
    Some(sorted[rank] + place.fract() * (above - sorted[rank]))
}

/// Blocks that an earlier program wrote, sketches of a handful of values, go together with those of
/// this one.
#[test]
fn blocks_of_an_earlier_program_are_joined() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/format-3");
    let text = fs::read_to_string(fixture.join("job.toml")).unwrap();
    let (directory, rows) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy_tree(&fixture.join("summary"), directory.path());
    let (old, _) = Dataset::read(directory.path(), true).unwrap();
    assert!(old.has_summary() && !old.has_latest_summary(), "the lower of two neighbours");
    run_to_the_end(rows.path(), &job(&text, &["job.replicates=9"]), 2);
    for replicates in ["job.replicates=4", "job.replicates=9"] {
        run_to_the_end(directory.path(), &job(&text, &[replicates, "output.detail=summary"]), 2);
        written(directory.path());
        let (dataset, faults) = Dataset::read(directory.path(), true).unwrap();
        assert!(faults.is_empty() && dataset.has_latest_summary());
    }
    let mut cells = rows_by_cell(rows.path());
    // The first four replicates are the earlier program's, which refused these: S is singular.
    for (_, rows) in cells.iter_mut().filter(|(cell, _)| cell.contains("augmentation_scale 0e0")) {
        rows.drain(..4);
    }
    check_quantiles(&summary(directory.path()), &cells, 1.001 * QUANTILE_ACCURACY);
}

/// Its bytes are nobody's but the rows': a summary whose pages were changed does not count, and
/// what is read is folded anew.
#[test]
fn a_damaged_summary_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    run_to_the_end(root, &job(JOB, &[]), 2);
    written(root);
    let lines = |expected: bool| {
        let (dataset, _) = Dataset::read(root, false).unwrap();
        assert_eq!(dataset.has_summary(), expected);
        summarise(&dataset).unwrap()
    };
    let right = lines(true);
    let path = root.join(SUMMARY_FILE);
    let sound = fs::read(&path).unwrap();
    for at in (4..sound.len() / 3).step_by(97) {
        let mut bytes = sound.clone();
        bytes[at] ^= 64;
        fs::write(&path, bytes).unwrap();
        assert_eq!(lines(false), right, "byte {at}");
    }
    fs::write(&path, sound).unwrap();
    lines(true);
}
