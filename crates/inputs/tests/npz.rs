//! The npz reader: what it takes from archives of arrays and from sparse matrices, and one test per
//! thing that can be wrong with them.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::Path;

use eigensweep_inputs::readers::npz::contents_from;
use eigensweep_inputs::readers::{Chosen, Column, Contents, NPZ, Wanted};
use eigensweep_inputs::{Blocks, InputError};
use eigensweep_testkit::arrays::{npy, zip};

fn of<const N: usize>(values: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    values.into_iter().flatten().collect()
}

fn vector(descr: &str, count: usize, data: &[u8]) -> Vec<u8> {
    npy(descr, "False", &format!("({count},)"), data)
}

fn integers(values: &[i32]) -> Vec<u8> {
    vector("<i4", values.len(), &of(values.iter().map(|value| value.to_le_bytes())))
}

fn read(bytes: &[u8], matrix: Option<&str>, columns: &[Option<&str>]) -> Result<Contents, InputError> {
    let chosen = Chosen { matrix: matrix.map(str::to_owned), ..Chosen::default() };
    let wanted = Wanted { inputs: Some(&chosen), columns };
    contents_from(bytes, bytes.len() as u64, Path::new("some/data.npz"), &wanted)
}

fn inputs(bytes: &[u8]) -> Result<Box<dyn Blocks>, InputError> {
    Ok(read(bytes, None, &[])?.inputs.unwrap().rows)
}

/// The error for these bytes, checked to name the file.
fn refused(bytes: &[u8]) -> String {
    let error = inputs(bytes).unwrap_err().to_string();
    assert!(error.contains("some/data.npz"), "{error}");
    error
}

fn doubles(rows: &dyn Blocks) -> Vec<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    values
}

fn digits() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("X.npy", npy("|u1", "False", "(2, 3)", &[1, 2, 3, 4, 5, 6])),
        ("y.npy", integers(&[7, -1])),
        ("batch.npy", vector("<U2", 2, &of(['b' as u32, 0, 'a' as u32, 'c' as u32].map(u32::to_le_bytes)))),
    ]
}

#[test]
fn inputs_and_columns_are_arrays_of_one_archive() {
    for compressed in [false, true] {
        let bytes = zip(&digits(), compressed);
        let contents = read(&bytes, None, &[Some("batch"), Some("y")]).unwrap();
        let rows = contents.inputs.unwrap().rows;
        assert_eq!((rows.samples(), rows.features(), rows.bytes()), (2, 3, 6));
        assert_eq!(doubles(&*rows), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let words = ["b", "ac"].map(str::to_owned).to_vec();
        assert_eq!(contents.columns, [Column::Words(words), Column::Numbers(vec![7.0, -1.0])]);
        // The same of a file.
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("digits");
        fs::write(&path, &bytes).unwrap();
        let contents = (NPZ.read)(&path, &Wanted { inputs: None, columns: &[Some("y")] }).unwrap();
        assert_eq!(contents.columns, [Column::Numbers(vec![7.0, -1.0])]);
    }
}

#[test]
fn fortran_order_is_read_from_compressed_archives_too() {
    let array = npy("<f4", "True", "(2, 2)", &of([1.0_f32, 3.0, 2.0, 4.0].map(f32::to_le_bytes)));
    for compressed in [false, true] {
        let rows = inputs(&zip(&[("a.npy", array.clone())], compressed)).unwrap();
        assert_eq!(doubles(&*rows), [1.0, 2.0, 3.0, 4.0]);
    }
}

#[test]
fn the_array_of_the_inputs_is_the_only_matrix_or_goes_by_a_usual_name() {
    let matrix = |value: u8| npy("|u1", "False", "(1, 2)", &[value, 0]);
    let vector = || integers(&[5]);
    let words = || npy("|S1", "False", "(1, 1)", b"w");
    let chosen = |files: &[(&str, Vec<u8>)], columns: &[Option<&str>]| {
        read(&zip(files, false), None, columns).map(|contents| doubles(&*contents.inputs.unwrap().rows))
    };
    assert_eq!(chosen(&[("y.npy", vector()), ("pixels.npy", matrix(1))], &[]).unwrap(), [1.0, 0.0]);
    assert_eq!(
        chosen(&[("y.npy", vector()), ("w.npy", words()), ("p.npy", matrix(1))], &[]).unwrap(),
        [1.0, 0.0]
    );
    // A column is no input.
    let two = [("Y.npy", integers_as_matrix()), ("Z.npy", matrix(2))];
    assert_eq!(chosen(&two, &[Some("Y")]).unwrap(), [2.0, 0.0]);
    let usual = ["X", "x", "inputs", "data", "features", "embeddings", "arr_0"];
    for from in 0..7_u8 {
        let mut files = vec![("other.npy".to_owned(), matrix(100))];
        files.extend((from..7).rev().map(|at| (format!("{}.npy", usual[usize::from(at)]), matrix(at))));
        let files: Vec<(&str, Vec<u8>)> =
            files.iter().map(|(name, data)| (name.as_str(), data.clone())).collect();
        assert_eq!(chosen(&files, &[]).unwrap(), [f64::from(from), 0.0]);
    }
    // The only array, a column.
    assert_eq!(chosen(&[("a.npy", vector())], &[]).unwrap(), [5.0]);
    let error = chosen(&[("x_train.npy", matrix(1)), ("x_test.npy", matrix(1))], &[]).unwrap_err();
    let expected = "several arrays could be the inputs: x_train [1, 2] |u1, x_test [1, 2] |u1; say which one";
    assert!(error.to_string().contains(expected), "{error}");
    let error = chosen(&[("a.npy", vector()), ("b.npy", vector())], &[]).unwrap_err();
    assert!(error.to_string().contains("no array of numbers has two or more dimensions"), "{error}");
}

fn integers_as_matrix() -> Vec<u8> {
    npy("<i4", "False", "(1, 1)", &1_i32.to_le_bytes())
}

#[test]
fn a_named_array_is_the_inputs() {
    let bytes = zip(&digits(), false);
    let rows = read(&bytes, Some("y"), &[]).unwrap().inputs.unwrap().rows;
    assert_eq!(doubles(&*rows), [7.0, -1.0]);
    let error = read(&bytes, Some("Y"), &[]).unwrap_err();
    assert!(matches!(error, InputError::NoSuch { what: "array", .. }), "{error}");
    assert!(error.to_string().contains("its 3 arrays are X, y, batch"), "{error}");
    let error = read(&bytes, None, &[Some("z")]).unwrap_err();
    assert!(matches!(error, InputError::NoSuch { what: "column", .. }), "{error}");
    let error = read(&bytes, Some("batch"), &[]).unwrap_err();
    assert!(error.to_string().contains("data.npz/batch.npy") && error.to_string().contains("<U2"), "{error}");
}

#[test]
fn a_column_is_one_column() {
    let bytes = zip(&digits(), false);
    let error = read(&bytes, None, &[Some("X")]).unwrap_err();
    assert!(matches!(error, InputError::Rank { found: 2, .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("data.npz/X.npy") && text.contains("file of its own"), "{text}");
    // Without a name it is the only one.
    let wanted = Wanted { inputs: None, columns: &[None] };
    let only = |bytes: &[u8]| contents_from(bytes, bytes.len() as u64, Path::new("data.npz"), &wanted);
    let error = only(&bytes).unwrap_err();
    assert!(error.to_string().contains("y [2] <i4") && error.to_string().contains("column = "), "{error}");
    let found = only(&zip(&digits()[..2], true)).unwrap();
    assert_eq!(found.columns, [Column::Numbers(vec![7.0, -1.0])]);
}

#[test]
fn what_is_wrong_with_an_array_is_said_of_the_array() {
    let nan = npy("<f4", "False", "(1, 2)", &of([0.0, f32::NAN].map(f32::to_le_bytes)));
    for (array, says) in [
        (nan, "entry [0, 1] is NaN"),
        (npy("|O", "False", "(1, 1)", &[0; 9]), "allow_pickle=False"),
        (npy("<f4", "False", "(1000000, 1000000)", &[0; 8]), "cut short"),
        (npy("<f4", "True", "(1000000, 1000000)", &[0; 8]), "cut short"),
        (npy("|u1", "False", "(1, 2)", &[0; 3]), "more bytes follow"),
        (b"text".to_vec(), "this is text, which `source = \"csv\"` of a job reads; give a NumPy array"),
        (Vec::new(), "cut short"),
    ] {
        for compressed in [false, true] {
            let files = [("X.npy", array.clone())];
            let error = read(&zip(&files, compressed), Some("X"), &[]).unwrap_err().to_string();
            assert!(error.contains("some/data.npz/X.npy") && error.contains(says), "no {says:?} in {error}");
        }
    }
}

#[test]
fn other_files_are_named_for_what_they_are() {
    for (bytes, says) in [
        (digits()[0].1.clone(), "a NumPy array (npy), which `source = \"npy\"`"),
        (b"a,b\n".to_vec(), "text in columns"),
        (zip(&[("xl/workbook.xml", b"<a>".to_vec())], false), "a zip archive without arrays"),
        (zip::<Vec<u8>>(&[], false), "an empty zip archive"),
        (Vec::new(), "no known format"),
    ] {
        let error = refused(&bytes);
        assert!(error.contains(says) && error.contains("give arrays of numpy.savez"), "{error}");
    }
}

/// Where a record of that signature is, counted from the end.
fn record(bytes: &[u8], signature: &[u8; 4]) -> usize {
    bytes.windows(4).rposition(|window| window == signature).unwrap()
}

#[test]
fn truncation_anywhere_is_noticed() {
    for compressed in [false, true] {
        let bytes = zip(&digits(), compressed);
        for length in 0..bytes.len() {
            refused(&bytes[..length]);
        }
    }
}

/// Checksums of what is read, sizes and places: no change of a byte passes but of what nobody
/// reads.
#[test]
fn damage_to_data_is_noticed_by_the_checksum() {
    for compressed in [false, true] {
        let bytes = zip(&digits()[..1], compressed);
        let expected = doubles(&*inputs(&bytes).unwrap());
        let data = bytes.len() - record(&bytes, b"PK\x01\x02");
        for at in 0..bytes.len() - data {
            for bit in [1, 0x80] {
                let mut bent = bytes.clone();
                bent[at] ^= bit;
                if let Ok(rows) = inputs(&bent) {
                    assert_eq!(doubles(&*rows), expected, "byte {at}");
                }
            }
        }
        let mut bent = bytes.clone();
        let checksum = record(&bytes, b"PK\x01\x02") + 16;
        bent[checksum] ^= 1;
        let error = refused(&bent);
        assert!(error.contains("checksum") && error.contains("unzip -t"), "{error}");
    }
}

#[test]
fn encryption_and_other_methods_are_refused() {
    let bytes = zip(&digits(), true);
    let directory = record(&bytes, b"PK\x01\x02");
    let bent = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[directory + at] = value;
        refused(&bytes)
    };
    assert!(bent(8, 1).contains("entry `batch.npy`: is encrypted"), "{}", bent(8, 1));
    let zstd = bent(10, 93);
    assert!(zstd.contains("method") && zstd.contains("numpy.savez_compressed"), "{zstd}");
}

#[test]
fn names_that_occur_twice_are_refused() {
    let array = digits()[0].1.clone();
    let error = refused(&zip(&[("X.npy", array.clone()), ("X.npy", array)], false));
    assert!(error.contains("entry `X.npy`: occurs twice"), "{error}");
}

#[test]
fn entries_that_overlap_are_refused() {
    let array = digits()[0].1.clone();
    let bytes = zip(&[("X.npy", array.clone()), ("Z.npy", array)], false);
    // The second one's place becomes the first one's.
    let mut bent = bytes.clone();
    let directory = record(&bytes, b"PK\x01\x02");
    bent[directory + 42..directory + 46].fill(0);
    assert!(refused(&bent).contains("overlaps"), "{}", refused(&bent));
}

#[test]
fn a_directory_of_another_length_is_refused() {
    let mut bytes = zip(&digits(), false);
    let end = record(&bytes, b"PK\x05\x06");
    bytes[end + 8] = 9;
    bytes[end + 10] = 9;
    assert!(refused(&bytes).contains("its directory: has 3 entries and claims 9"), "{}", refused(&bytes));
}

#[test]
fn a_size_that_deflate_cannot_reach_is_refused() {
    let mut bytes = zip(&digits()[..1], true);
    let directory = record(&bytes, b"PK\x01\x02");
    bytes[directory + 26] = 0x7f;
    assert!(refused(&bytes).contains("cannot hold"), "{}", refused(&bytes));
}

/// The matrix of all sparse tests, 3 × 4.
const DENSE: [f64; 12] = [0.0, 2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 7.0];

fn sparse(format: &str, parts: &[(&'static str, &[i32])], data: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let name = npy(&format!("|S{}", format.len()), "False", "()", format.as_bytes());
    let mut files = vec![("format.npy", name), ("shape.npy", integers(&[3, 4])), ("data.npy", data)];
    files.extend(parts.iter().map(|&(name, values)| (name, integers(values))));
    files
}

fn bytes_of(values: &[u8]) -> Vec<u8> {
    vector("|u1", values.len(), values)
}

/// Unsorted, with an entry in two parts and a zero.
fn csr() -> Vec<(&'static str, Vec<u8>)> {
    let parts: [(&str, &[i32]); 2] = [("indptr.npy", &[0, 3, 4, 6]), ("indices.npy", &[3, 1, 3, 2, 3, 0])];
    sparse("csr", &parts, bytes_of(&[1, 2, 2, 0, 7, 5]))
}

#[test]
fn sparse_matrices_of_every_format_have_the_same_rows() {
    let csc: [(&str, &[i32]); 2] = [("indptr.npy", &[0, 1, 2, 3, 6]), ("indices.npy", &[2, 0, 1, 2, 0, 0])];
    let coo: [(&str, &[i32]); 2] = [("row.npy", &[2, 0, 0, 1, 2, 0]), ("col.npy", &[3, 3, 1, 0, 0, 3])];
    for (name, files) in [
        ("csr", csr()),
        ("csc", sparse("csc", &csc, bytes_of(&[5, 2, 0, 7, 1, 2]))),
        ("coo", sparse("coo", &coo, bytes_of(&[7, 1, 2, 0, 5, 2]))),
    ] {
        for compressed in [false, true] {
            let rows = inputs(&zip(&files, compressed)).unwrap();
            assert_eq!((rows.samples(), rows.features()), (3, 4), "{name}");
            assert_eq!(doubles(&*rows), DENSE, "{name}");
            // Four rows' places, and four entries with their columns: no zeros.
            assert_eq!(rows.bytes(), 4 * 8 + 4 * (4 + 1), "{name}");
        }
    }
    // The parts of a matrix can be named; they are then arrays.
    let rows = read(&zip(&csr(), false), Some("data"), &[]).unwrap().inputs.unwrap().rows;
    assert_eq!(doubles(&*rows), [1.0, 2.0, 2.0, 0.0, 7.0, 5.0]);
}

#[test]
fn sparse_values_are_held_as_the_least_type() {
    let parts: [(&str, &[i32]); 2] = [("indptr.npy", &[0, 2, 2, 4]), ("indices.npy", &[1, 3, 0, 3])];
    let values = [2.0, 3.0, 5.0, 7.0];
    for (data, held) in [
        (vector("<f4", 4, &of([2.0_f32, 3.0, 5.0, 7.0].map(f32::to_le_bytes))), 4),
        (vector(">f8", 4, &of(values.map(f64::to_be_bytes))), 8),
        (vector("<i8", 4, &of([2_i64, 3, 5, 7].map(i64::to_le_bytes))), 8),
        (vector("<i2", 4, &of([2_i16, 3, 5, 7].map(i16::to_le_bytes))), 4),
    ] {
        let rows = inputs(&zip(&sparse("csr", &parts, data), false)).unwrap();
        assert_eq!((doubles(&*rows), rows.bytes()), (DENSE.to_vec(), 4 * 8 + 4 * (4 + held)));
    }
}

#[test]
fn sparse_matrices_that_contradict_themselves_are_refused() {
    let with = |name: &str, array: Vec<u8>| {
        let mut files = csr();
        files.iter_mut().find(|(of, _)| *of == name).unwrap().1 = array;
        refused(&zip(&files, false))
    };
    for (name, array, says) in [
        (
            "format.npy",
            npy("|S3", "False", "()", b"bsr"),
            "the sparse format `bsr` is not read; write `a.tocsr()`",
        ),
        ("shape.npy", integers(&[3, 4, 5]), "there are 3 dimensions"),
        ("shape.npy", integers(&[0, 4]), "0 rows of 4 columns"),
        ("shape.npy", integers(&[3, -4]), "give samples as rows"),
        (
            "shape.npy",
            integers(&[3, 3]),
            "array `indices` of its sparse matrix: entry 0 (from 0) is not from 0 to 2",
        ),
        ("shape.npy", integers(&[4, 4]), "its 4 numbers do not ascend from 0 over 4 parts"),
        ("shape.npy", vector("<f8", 2, &[0; 16]), "indices are integers"),
        ("indptr.npy", integers(&[0, 4, 3, 6]), "do not ascend"),
        ("indptr.npy", integers(&[1, 3, 4, 6]), "do not ascend from 0"),
        ("indptr.npy", integers(&[0, 3, 4, 5]), "it is about 5 entries, and `data` has 6"),
        ("indptr.npy", integers(&[0, 3, 4, -6]), "and `data` has 6"),
        ("indices.npy", integers(&[3, 1, 3, 2, 3, -1]), "entry 5 (from 0) is not from 0 to 3"),
        ("indices.npy", integers(&[3, 1]), "it is about 2 entries"),
        ("data.npy", bytes_of(&[1, 2]), "`data` has 2"),
        ("data.npy", bytes_of(&[200, 2, 100, 0, 7, 5]), "several entries [0, 3] have a sum"),
        ("data.npy", npy("|u1", "False", "(6, 1)", &[0; 6]), "vectors"),
        ("data.npy", vector("<f4", 6, &of([f32::INFINITY; 6].map(f32::to_le_bytes))), "is inf"),
    ] {
        let error = with(name, array);
        assert!(error.contains(says), "no {says:?} in {error}");
    }
    let error = refused(&zip(&csr()[..4], false));
    assert!(error.contains("there is no array `indices`"), "{error}");
}

/// Rows that only a number declares would be memory without bytes.
#[test]
fn rows_without_entries_are_counted_by_csr_only() {
    let coo: [(&str, &[i32]); 2] = [("row.npy", &[2]), ("col.npy", &[3])];
    let mut files = sparse("coo", &coo, bytes_of(&[7]));
    files[1].1 = integers(&[4000, 4]);
    assert_eq!(inputs(&zip(&files, false)).unwrap().samples(), 4000);
    files[1].1 = integers(&[2_000_000_000, 4]);
    assert!(refused(&zip(&files, false)).contains("a.tocsr()"));
}
