//! AnnData's files: what they give, and what is refused. The fixtures are of anndata 0.12.19 and
//! h5py 3.16, each in gzip, since HDF5 is mostly zeros.

#![cfg(feature = "hdf5")]
#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::io::Read;
use std::path::Path;

use eigensweep_inputs::InputError;
use eigensweep_inputs::readers::h5ad::h5ad_from;
use eigensweep_inputs::readers::{Chosen, Column, Contents, H5AD, Wanted};
use flate2::read::GzDecoder;

fn bytes(name: &str) -> Vec<u8> {
    let packed = fs::read(format!("tests/fixtures/{name}.h5ad.gz")).unwrap();
    let mut bytes = Vec::new();
    GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    bytes
}

fn matrix_of(name: &str, matrix: &str) -> Result<(Vec<f64>, Vec<String>, u64), InputError> {
    let chosen = Chosen { matrix: Some(matrix.to_owned()), ..Chosen::default() };
    let wanted = Wanted { inputs: Some(&chosen), columns: &[] };
    let inputs = h5ad_from(&bytes(name), Path::new("cells"), &wanted)?.inputs.unwrap();
    let mut values = vec![0.0; inputs.rows.samples() * inputs.rows.features()];
    inputs.rows.write_rows(0, &mut values);
    Ok((values, inputs.names, inputs.rows.bytes()))
}

fn column_of(name: &str, column: &str) -> Result<Column, InputError> {
    let wanted = Wanted { inputs: None, columns: &[Some(column)] };
    let Contents { mut columns, .. } = h5ad_from(&bytes(name), Path::new("cells"), &wanted)?;
    Ok(columns.remove(0))
}

fn words(of: &[&str]) -> Column {
    Column::Words(of.iter().map(|&word| word.to_owned()).collect())
}

/// The counts of all fixtures.
const COUNTS: [f64; 20] =
    [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 2.0, 1.0, 1.0, 0.0];

#[test]
fn dense_and_sparse_matrices_of_anndata_have_its_values() {
    let (values, names, _) = matrix_of("cells", "X").unwrap();
    let log1p = COUNTS.map(|count| {
        let float: f32 = format!("{:?}", count.ln_1p()).parse().unwrap();
        f64::from(float)
    });
    assert_eq!(values, log1p);
    assert_eq!(names, ["g0", "g1", "g2", "g1"]);
    // By rows as floats, by columns as 64-bit integers: both are sparse rows of bytes here.
    for matrix in ["raw/X", "layers/counts"] {
        let (values, names, bytes) = matrix_of("cells", matrix).unwrap();
        assert_eq!((values.as_slice(), names[3].as_str(), bytes), (&COUNTS[..], "g1", 6 * 8 + 8 * 5));
    }
    let (values, names, _) = matrix_of("cells", "obsm/X_pca").unwrap();
    assert_eq!((values[0], values[9], names.len()), (-1.0, 1.0, 0));
}

#[test]
fn chunks_across_columns_old_tables_and_cell_rangers_counts_are_read() {
    assert_eq!(matrix_of("dense", "X").unwrap().0, COUNTS);
    for (name, matrix) in [("old", "X"), ("old", "raw/X"), ("ranger", "X")] {
        let (values, names, _) = matrix_of(name, matrix).unwrap();
        assert_eq!((values.as_slice(), names.len(), names[2].as_str()), (&COUNTS[..], 4, "g2"), "{name}");
    }
    assert_eq!(matrix_of("old", "obsm/X_pca").unwrap().0[..4], [0.0, 0.0, 1.0, -1.0]);
}

#[test]
fn columns_of_obs_are_words_or_numbers() {
    assert_eq!(column_of("cells", "kind").unwrap(), words(&["b", "a", "b", "c", "a"]));
    assert_eq!(column_of("cells", "word").unwrap(), words(&["x", "y", "x", "z", "y"]));
    assert_eq!(column_of("cells", "_index").unwrap(), words(&["cell0", "cell1", "cell2", "cell3", "cell4"]));
    assert_eq!(column_of("cells", "batch").unwrap(), Column::Numbers(vec![3.0, 1.0, 3.0, 1.0, 1.0]));
    assert_eq!(column_of("cells", "flag").unwrap(), Column::Numbers(vec![1.0, 0.0, 1.0, 1.0, 0.0]));
    assert_eq!(column_of("cells", "depth").unwrap(), Column::Numbers(vec![1.5, 2.0, 3.25, -1.0, 0.5]));
    assert_eq!(column_of("old", "kind").unwrap(), words(&["odd", "even", "odd", "even", "odd"]));
    assert_eq!(column_of("old", "depth").unwrap(), Column::Numbers(vec![0.0, 0.5, 1.0, 1.5, 2.0]));
}

#[test]
fn missing_values_and_names_are_refused_with_their_place() {
    for (name, column, problem) in [
        ("cells", "hole", "obs/hole: cell 1 (from 0) has no value"),
        ("codes", "kind", "obs/kind: cell 3 (from 0) has no value"),
        ("cells", "nan", "obs/nan: entry 1 (from 0) is NaN"),
        ("cells", "type", "there is no column of obs `type`; there are hole, kind, word, "),
        ("old", "type", "there is no column of obs `type`; there are index, kind, depth"),
    ] {
        let error = column_of(name, column).unwrap_err().to_string();
        assert!(error.starts_with("cells: ") && error.contains(problem), "{error}");
    }
    let error = matrix_of("cells", "layers/spliced").unwrap_err().to_string();
    assert!(error.contains("there are X, raw/X, layers/counts, obsm/X_pca"), "{error}");
    let wanted = Wanted { inputs: None, columns: &[None] };
    let error = h5ad_from(&bytes("cells"), Path::new("cells"), &wanted).unwrap_err().to_string();
    assert!(error.contains("name one of obs: hole, kind"), "{error}");
}

#[test]
fn hostile_files_are_refused_with_their_place() {
    for (name, matrix, problem) in [
        ("cycle", "X", "there is no matrix `X`"),
        ("cycle", "raw/X", "there is no matrix `raw/X`"),
        ("outside", "X", "there is no matrix `X`"),
        ("gone", "X", "X: the chunk at row 2, column 0 is missing"),
        ("huge", "X", "X: the shape [1000000000, 1000000] is more than the file can hold"),
        ("longp", "X", "X: the shape 1000000000000 × 1000000000 is not one of this file"),
        ("index", "X", "X/indices: -1 is no index below 3"),
    ] {
        let error = matrix_of(name, matrix).unwrap_err().to_string();
        assert!(error.starts_with("cells: ") && error.contains(problem), "{error}");
    }
    let mut bent = bytes("dense");
    let place = bent.len() - 20;
    bent[place] ^= 1;
    let wanted = Wanted { inputs: Some(&Chosen::default()), columns: &[] };
    let error = h5ad_from(&bent, Path::new("cells"), &wanted).unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");
    let other = h5ad_from(b"a,b\n1,2\n", Path::new("cells"), &wanted).unwrap_err();
    assert!(matches!(other, InputError::OtherFormat { .. }), "{other}");
}

/// Every byte of a small file bent, and the file cut everywhere: an answer each time.
#[test]
fn bent_and_cut_files_are_answered() {
    for name in ["dense", "old"] {
        let whole = bytes(name);
        let wanted = Wanted { inputs: Some(&Chosen::default()), columns: &[Some("kind")] };
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 0xff;
            drop(h5ad_from(&bent, Path::new("cells"), &wanted));
            drop(h5ad_from(&whole[..at], Path::new("cells"), &wanted));
        }
    }
}

#[test]
fn files_on_disk_are_read_as_their_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.h5ad");
    fs::write(&path, bytes("cells")).unwrap();
    let wanted = Wanted { inputs: Some(&Chosen::default()), columns: &[Some("kind")] };
    let contents = (H5AD.read)(&path, &wanted).unwrap();
    assert_eq!(contents.inputs.unwrap().rows.samples(), 5);
    assert_eq!(contents.columns.len(), 1);
}
