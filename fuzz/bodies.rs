//! What the fuzz targets do with bytes: each must end without a panic, whatever they are, and hold
//! no more memory meanwhile than [`FIXED`] + [`FACTOR`] times as many bytes.
//!
//! Shared by `fuzz_targets/` (libFuzzer) and by `crates/engine/tests/corpus.rs` (the corpus, bent
//! and cut, in the ordinary tests).

use std::fs;
use std::path::Path;

use eigensweep_inputs::InputError;
use eigensweep_inputs::readers::mtx::mtx_from;
use eigensweep_inputs::readers::{self, Chosen, Contents, H5AD, Orientation, Wanted};
use eigensweep_job as job;
use eigensweep_store::StoreError;
use eigensweep_store::dataset::{Dataset, Fault, read_columns};
use eigensweep_store::filter::{Filter, Known, Value};
use eigensweep_testkit::allocator::{Counting, peak};
use eigensweep_testkit::arrays::zip;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that any input may take: buffers of readers, decompressors and files.
const FIXED: usize = 8 << 20;

/// Bytes that a byte of input may take beyond [`FIXED`].
const FACTOR: usize = 64;

/// Bytes that a byte of a Parquet file may take: zstd packs as many alike into one.
pub(crate) const ZSTD: usize = 1 << 15;

/// Bytes that a byte of gzip may take: deflate packs as many into one.
const GZIP: usize = 1032 * FACTOR;

/// Bytes that a header of HDF5 may take for the messages that it declares, at most 2¹⁶: its decoder
/// has room for them at once.
const HDF5_HEADER: usize = 160 << 16;

/// Runs a body and counts what it holds at most.
pub(crate) fn bounded(body: fn(&[u8]), data: &[u8]) {
    within(FACTOR, body, data);
}

/// [`bounded`] with another factor.
pub(crate) fn within(factor: usize, body: fn(&[u8]), data: &[u8]) {
    limited(FIXED + factor * data.len(), body, data);
}

fn limited(allowed: usize, body: fn(&[u8]), data: &[u8]) {
    let held = peak(|| body(data));
    assert!(held <= allowed, "{} bytes of input hold {held} bytes, more than {allowed}", data.len());
}

/// A job file, and after a NUL byte an override.
pub(crate) fn job(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (file, set) = text.split_once('\0').unwrap_or((&text, ""));
    let set: Vec<String> = if set.is_empty() { Vec::new() } else { vec![set.to_owned()] };
    match job::parse("job.toml", file, &set, Path::new("")) {
        // What a job prints is the job. Paths need not come back: they may be no text.
        Ok(job) => {
            let printed = job.spec.to_toml();
            let again = job::parse("job.toml", &printed, &[], Path::new(""));
            assert_eq!(again.map(|job| job.spec.to_toml()).ok(), Some(printed));
        }
        Err(problems) => {
            assert!(!problems.problems.is_empty());
            let _ = problems.to_string();
        }
    }
}

/// A condition on rows.
pub(crate) fn condition(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let columns = [("alignment", false), ("samples", false), ("paradigm", true), ("gap", false)];
    match Filter::parse(&text, &columns) {
        Ok(filter) => {
            let values = [0.3, 0.1 + 0.2, 5_623.413_251_903_491, 1e300, -0.0];
            let filter = filter.as_shown(&|name| (name != "gap").then(|| values.to_vec()));
            let _ = filter.why_none(&|name| match name {
                "samples" => Some(Known::Range(0..u64::MAX)),
                "paradigm" => Some(Known::Texts(vec!["reconstruction".to_owned()])),
                "gap" => None,
                _ => Some(Known::Numbers(values.to_vec())),
            });
            let _ = filter.holds(&|name| match name {
                "alignment" => Value::Number(0.5),
                "samples" => Value::Unknown,
                "paradigm" => Value::Text("reconstruction"),
                _ => Value::Missing,
            });
        }
        Err(error) => drop(error.to_string()),
    }
}

/// The texts of a data set: a section, a commit record, a manifest and the resolved job, separated
/// by NUL bytes.
pub(crate) fn records(data: &[u8]) {
    match read_records(data) {
        Some(Ok((dataset, faults))) => {
            // There is no part: whatever the record says, it is a fault, unless it claims no rows.
            assert!(dataset.records().all(|record| record.rows == 0) && faults.len() <= 1);
            let _ = (dataset.rows(), dataset.is_complete());
        }
        Some(Err(error)) => drop(error.to_string()),
        None => {}
    }
}

/// The data set of such texts; `None` where there is no room for it.
pub(crate) fn read_records(data: &[u8]) -> Option<Result<(Dataset, Vec<Fault>), StoreError>> {
    let directory = tempfile::tempdir().ok()?;
    let root = directory.path();
    let mut texts = data.split(|&byte| byte == 0);
    for directory in ["data", "commits", "sections"] {
        fs::create_dir(root.join(directory)).ok()?;
    }
    for name in ["sections/000.json", "commits/000-000000.json", "manifest.json", "job.toml"] {
        fs::write(root.join(name), texts.next().unwrap_or_default()).ok()?;
    }
    Some(Dataset::read(root, true))
}

/// Images and labels in idx format, plain or gzipped.
pub(crate) fn idx(data: &[u8]) {
    let path = Path::new("data.idx");
    let _ = eigensweep_inputs::images_from(data, data.len() as u64, path).map_err(|error| error.to_string());
    let _ = eigensweep_inputs::labels_from(data, data.len() as u64, path).map_err(|error| error.to_string());
}

/// An array in npy format, as a matrix, as inputs and as labels.
pub(crate) fn npy(data: &[u8]) {
    let (length, path) = (data.len() as u64, Path::new("data.npy"));
    let _ = eigensweep_inputs::matrix_from(data, length, path).map_err(|error| error.to_string());
    let _ = readers::npy::inputs_from(data, length, path).map_err(|error| error.to_string());
    let _ = readers::npy::column_from(data, length, path).map_err(|error| error.to_string());
}

/// An archive of arrays; or arrays in npy format one after the other, which become one whose
/// checksums are right: the parts of a sparse matrix, or inputs and labels.
pub(crate) fn npz(data: &[u8]) {
    const SPARSE: [&[&str]; 5] = [
        &["format.npy"],
        &["shape.npy"],
        &["data.npy"],
        &["indices.npy", "row.npy"],
        &["indptr.npy", "col.npy"],
    ];
    const DENSE: [&[&str]; 5] = [&["X.npy"], &["y.npy"], &["a.npy"], &["b.npy"], &["c.npy"]];
    if data.starts_with(b"PK") {
        return archive(data);
    }
    let mut starts: Vec<usize> =
        (0..data.len()).filter(|&at| data[at..].starts_with(b"\x93NUMPY")).take(5).collect();
    starts.push(data.len());
    for names in [SPARSE, DENSE] {
        let arrays = starts.windows(2).map(|two| &data[two[0]..two[1]]);
        let files =
            names.iter().zip(arrays).flat_map(|(names, array)| names.iter().map(move |&name| (name, array)));
        let files: Vec<(&str, &[u8])> = files.collect();
        archive(&zip(&files, data.len().is_multiple_of(2)));
    }
}

fn archive(data: &[u8]) {
    let (length, path, chosen) = (data.len() as u64, Path::new("data.npz"), Chosen::default());
    for columns in [&[][..], &[None], &[Some("y")]] {
        let wanted = Wanted { inputs: columns.is_empty().then_some(&chosen), columns };
        let _ = readers::npz::contents_from(data, length, path, &wanted).map_err(|error| error.to_string());
    }
}

/// What is asked of tables: all inputs, the only column, columns with names.
fn tables(read: impl Fn(&Wanted<'_>) -> Result<Contents, InputError>) {
    let (all, some) =
        (Chosen::default(), Chosen { columns: vec!["x*".to_owned(), "!xs".to_owned()], ..Chosen::default() });
    for (inputs, columns) in [
        (Some(&all), &[][..]),
        (Some(&all), &[Some("y")]),
        (Some(&some), &[Some("y"), Some("w")]),
        (None, &[None]),
    ] {
        match read(&Wanted { inputs, columns }) {
            Ok(contents) => {
                assert_eq!(
                    (contents.inputs.is_some(), contents.columns.len()),
                    (inputs.is_some(), columns.len())
                );
                if let Some(inputs) = contents.inputs {
                    let mut row = vec![0.0; inputs.rows.features()];
                    inputs.rows.write_rows(inputs.rows.samples() - 1, &mut row);
                    assert!(row.iter().all(|value| value.is_finite()));
                    assert!(inputs.names.is_empty() || inputs.names.len() == row.len());
                }
            }
            Err(error) => drop(error.to_string()),
        }
    }
}

/// [`bounded`] for [`csv`], whose gzip may hold a line that is much longer than the file.
pub(crate) fn bounded_csv(data: &[u8]) {
    within(if data.starts_with(b"\x1f\x8b") { GZIP } else { FACTOR }, csv, data);
}

/// Text in columns, plain or gzipped.
pub(crate) fn csv(data: &[u8]) {
    tables(|wanted| readers::csv::table_from(data, Path::new("data.csv"), wanted));
}

/// A Parquet file.
pub(crate) fn parquet(data: &[u8]) {
    tables(|wanted| readers::parquet::table_from(data.to_vec(), Path::new("data.parquet"), wanted));
}

/// A matrix in Matrix Market format, plain or gzipped.
pub(crate) fn mtx(data: &[u8]) {
    for rows in Orientation::ALL {
        let _ = mtx_from(data, Path::new("data.mtx"), rows).map_err(|error| error.to_string());
    }
}

/// [`bounded`] for [`h5ad`].
pub(crate) fn bounded_h5ad(data: &[u8]) {
    limited(FIXED + HDF5_HEADER + FACTOR * data.len(), h5ad, data);
}

/// AnnData's file, from disk, as every program reads it; those without the feature `hdf5` only say
/// so.
pub(crate) fn h5ad(data: &[u8]) {
    let Ok(directory) = tempfile::tempdir() else { return };
    let path = directory.path().join("data.h5ad");
    let _ = fs::write(&path, data);
    for matrix in ["X", "raw/X", "layers/counts", "obsm/X_pca"] {
        let chosen = Chosen { matrix: Some(matrix.to_owned()), ..Chosen::default() };
        let wanted = Wanted { inputs: Some(&chosen), columns: &[] };
        let _ = (H5AD.read)(&path, &wanted).map_err(|error| error.to_string());
    }
    for column in ["kind", "depth"] {
        let wanted = Wanted { inputs: None, columns: &[Some(column)] };
        let _ = (H5AD.read)(&path, &wanted).map_err(|error| error.to_string());
    }
}

/// A part of a data set.
pub(crate) fn part(data: &[u8]) {
    let Ok(directory) = tempfile::tempdir() else { return };
    let path = directory.path().join("part.parquet");
    let _ = fs::write(&path, data);
    let names = ["replicate", "distance", "threshold_squared", "status"];
    let Ok(batches) = read_columns(&path, &names) else { return };
    for batch in batches {
        let Ok(batch) = batch else { return };
        assert!(batch.num_columns() <= names.len());
    }
}
