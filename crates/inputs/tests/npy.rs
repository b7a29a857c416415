//! The npy reader and writer: what they give back, and one test per thing that can be wrong with a file.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::Path;

use eigensweep_inputs::{InputError, matrix_from, matrix_into, read_matrix, write_matrix};
use faer::{Mat, mat};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// An npy file of version 1 as NumPy lays it out.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    with_header(&header, data)
}

fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let padding = 63 - (10 + header.len()) % 64;
    let length = u16::try_from(header.len() + padding + 1).unwrap();
    [b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], header.as_bytes(), &vec![b' '; padding], b"\n", data]
        .concat()
}

fn read(bytes: &[u8]) -> Result<Mat<f64>, InputError> {
    matrix_from(bytes, bytes.len() as u64, Path::new("some/matrix"))
}

/// The error for these bytes, checked to name the file.
fn refused(bytes: &[u8]) -> InputError {
    let error = read(bytes).unwrap_err();
    assert!(error.to_string().contains("some/matrix"), "{error}");
    error
}

fn bytes_of<const N: usize>(values: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    values.into_iter().flatten().collect()
}

#[test]
fn orders_and_byte_orders() {
    let expected = mat![[1.0, -2.5, 3.0], [4.0, 5.0, 1e300]];
    let c = [1.0, -2.5, 3.0, 4.0, 5.0, 1e300_f64];
    let fortran = [1.0, 4.0, -2.5, 5.0, 3.0, 1e300_f64];
    assert_eq!(read(&npy("<f8", "False", "(2, 3)", &bytes_of(c.map(f64::to_le_bytes)))).unwrap(), expected);
    assert_eq!(read(&npy(">f8", "False", "(2, 3)", &bytes_of(c.map(f64::to_be_bytes)))).unwrap(), expected);
    assert_eq!(
        read(&npy("<f8", "True", "(2, 3)", &bytes_of(fortran.map(f64::to_le_bytes)))).unwrap(),
        expected
    );
    assert_eq!(
        read(&npy(">f8", "True", "(2, 3)", &bytes_of(fortran.map(f64::to_be_bytes)))).unwrap(),
        expected
    );
}

#[test]
fn element_types() {
    let signed = mat![[-1.0], [2.0]];
    let unsigned = mat![[200.0], [2.0]];
    for (descr, data, expected) in [
        ("<f4", bytes_of([-1.0_f32, 2.0].map(f32::to_le_bytes)), &signed),
        ("|i1", bytes_of([-1_i8, 2].map(i8::to_le_bytes)), &signed),
        ("<i2", bytes_of([-1_i16, 2].map(i16::to_le_bytes)), &signed),
        (">i4", bytes_of([-1_i32, 2].map(i32::to_be_bytes)), &signed),
        ("<i8", bytes_of([-1_i64, 2].map(i64::to_le_bytes)), &signed),
        ("|u1", vec![200, 2], &unsigned),
        (">u2", bytes_of([200_u16, 2].map(u16::to_be_bytes)), &unsigned),
        ("<u4", bytes_of([200_u32, 2].map(u32::to_le_bytes)), &unsigned),
        (">u8", bytes_of([200_u64, 2].map(u64::to_be_bytes)), &unsigned),
        ("|b1", vec![0, 1], &mat![[0.0], [1.0]]),
    ] {
        // One dimension is a column.
        assert_eq!(&read(&npy(descr, "False", "(2,)", &data)).unwrap(), expected, "{descr}");
    }
}

#[test]
fn versions_two_and_three_have_a_longer_length() {
    let one = npy("|u1", "False", "(1, 1)", &[7]);
    for version in [2, 3] {
        let bytes = [&one[..6], &[version, 0], &one[8..10], &[0, 0], &one[10..]].concat();
        assert_eq!(read(&bytes).unwrap(), mat![[7.0]]);
    }
    let mut unknown = one.clone();
    unknown[6] = 9;
    assert!(matches!(refused(&unknown), InputError::NpyHeader { .. }));
}

/// What NumPy under Python 2 wrote: `(40L, 5L)`.
#[test]
fn shapes_of_long_numbers_are_shapes() {
    let data = bytes_of([1.0, 2.0].map(f64::to_le_bytes));
    for (shape, expected) in [("(1L, 2L)", mat![[1.0, 2.0]]), ("(2L,)", mat![[1.0], [2.0]])] {
        assert_eq!(read(&npy("<f8", "False", shape, &data)).unwrap(), expected);
    }
    for shape in ["(1LL, 2L)", "(1l, 2)", "(1L2, 1)", "(L1, 2)", "(1 L, 2)"] {
        assert!(
            matches!(refused(&npy("<f8", "False", shape, &data)), InputError::NpyHeader { .. }),
            "{shape}"
        );
    }
}

#[test]
fn other_formats_are_named_with_what_reads_them() {
    for (bytes, says) in [
        (&b"PK\x03\x04 a zip file"[..], "zip archive, such as npz"),
        (
            b"\0\0\x08\x01\0\0\0\x01\x07",
            "an idx file, which `source = \"idx\"` of a job reads; give a NumPy array",
        ),
        (b"1,2\n3", "text in columns"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\xff", "gzip of"),
        (b"<html>", "a web page"),
        (b"\x93PUMNY\x01\0", "no known format"),
    ] {
        let error = refused(bytes);
        assert!(matches!(error, InputError::OtherFormat { .. }), "{error}");
        assert!(error.to_string().contains(says), "no {says:?} in {error}");
    }
}

#[test]
fn broken_headers() {
    for bytes in [
        with_header("not a dictionary", &[]),
        with_header("{'descr': '<f8', 'shape': (1, 1)}", &[0; 8]),
        with_header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 1)}", &[0; 8]),
        with_header("{'descr': 'f8', 'fortran_order': False, 'shape': (1, 1)}", &[0; 8]),
        with_header(&"(".repeat(9000), &[]),
        npy("<f8", "False", "(4294967296, 4294967296)", &[]),
        npy("<f8", "False", "(0, 4294967296, 4294967296)", &[]),
    ] {
        let error = refused(&bytes);
        assert!(matches!(error, InputError::NpyHeader { .. }), "{error}");
    }
}

#[test]
fn a_header_length_beyond_reason_is_not_allocated() {
    let bytes = [&b"\x93NUMPY\x02\x00"[..], &u32::MAX.to_le_bytes()].concat();
    let error = refused(&bytes);
    assert!(
        matches!(error, InputError::NpyHeader { .. }) && error.to_string().contains("4294967295"),
        "{error}"
    );
}

#[test]
fn unsupported_element_types() {
    for descr in ["<c16", "<f2", "<U3", "|O", "<M8[ns]", "|V8", "<f16"] {
        let error = refused(&npy(descr, "False", "(1, 1)", &[0; 16]));
        assert!(matches!(error, InputError::ElementType { .. }), "{descr}: {error}");
        assert!(error.to_string().contains(descr), "{error}");
    }
    let record = "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1, 1)}";
    assert!(matches!(refused(&with_header(record, &[0; 8])), InputError::ElementType { .. }));
}

#[test]
fn wrong_ranks() {
    for (shape, rank) in [("()", 0), ("(1, 1, 1)", 3)] {
        let error = refused(&npy("<f8", "False", shape, &[0; 8]));
        assert!(matches!(error, InputError::Rank { found, .. } if found == rank), "{error}");
    }
}

#[test]
fn zero_dimensions() {
    assert!(matches!(
        refused(&npy("<f8", "False", "(3, 0)", &[])),
        InputError::ZeroDimension { axis: 1, .. }
    ));
}

#[test]
fn truncation_anywhere() {
    let bytes = npy("<f8", "False", "(1, 2)", &[0; 16]);
    for length in 6..bytes.len() {
        let error = refused(&bytes[..length]);
        assert!(matches!(error, InputError::Truncated { .. }), "{length}: {error}");
    }
}

#[test]
fn a_declared_size_without_the_data_is_not_allocated() {
    let error = refused(&npy("<f8", "False", "(1000000, 1000000)", &[0; 8]));
    assert!(matches!(error, InputError::Truncated { expected: 8_000_000_000_128, .. }), "{error}");
    let error = refused(&npy("<f8", "False", "(4294967296, 2147483648)", &[]));
    assert!(matches!(error, InputError::Overflow { .. }), "{error}");
}

#[test]
fn a_source_shorter_than_its_length_says() {
    let bytes = npy("<f8", "False", "(1, 2)", &[0; 8]);
    let error = matrix_from(bytes.as_slice(), bytes.len() as u64 + 8, Path::new("matrix")).unwrap_err();
    assert!(matches!(error, InputError::Truncated { expected: 144, found: 136, .. }), "{error}");
}

#[test]
fn trailing_bytes() {
    assert!(matches!(refused(&npy("<f8", "False", "(1, 1)", &[0; 9])), InputError::TrailingBytes { .. }));
}

#[test]
fn entries_that_are_not_finite_are_named() {
    let values = [0.0, 1.0, 2.0, f64::NAN, f64::INFINITY, 5.0];
    let data = bytes_of(values.map(f64::to_le_bytes));
    let error = refused(&npy("<f8", "False", "(2, 3)", &data));
    assert!(
        matches!(error, InputError::NonFinite { row: 1, column: 0, value, .. } if value.is_nan()),
        "{error}"
    );
    let error = refused(&npy("<f8", "True", "(2, 3)", &data));
    assert!(matches!(error, InputError::NonFinite { row: 1, column: 1, .. }), "{error}");
    let error = refused(&npy("<f4", "False", "(1,)", &f32::NEG_INFINITY.to_le_bytes()));
    assert!(matches!(error, InputError::NonFinite { row: 0, column: 0, .. }), "{error}");
}

#[test]
fn integers_that_a_double_would_round_are_named() {
    let even = (1_i64 << 53) + 2;
    let data = bytes_of([even, even + 1].map(i64::to_le_bytes));
    let error = refused(&npy("<i8", "False", "(1, 2)", &data));
    assert!(
        matches!(error, InputError::Inexact { row: 0, column: 1, value: 9_007_199_254_740_995, .. }),
        "{error}"
    );
    assert!(matches!(refused(&npy("<u8", "False", "(1,)", &[255; 8])), InputError::Inexact { .. }));
    assert!(read(&npy("<i8", "False", "(1,)", &i64::MIN.to_le_bytes())).is_ok());
}

#[test]
fn booleans_other_than_zero_and_one() {
    assert!(matches!(refused(&npy("|b1", "False", "(1, 1)", &[2])), InputError::NpyHeader { .. }));
}

#[test]
fn written_files_are_whole_and_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("W.npy");
    fs::write(&path, "what was there before").unwrap();
    let matrix = mat![[1.0, f64::MIN_POSITIVE], [-0.0, 3.5], [1e-310, 7.0]];
    write_matrix(&path, matrix.as_ref()).unwrap();
    let back = read_matrix(&path).unwrap();
    assert_eq!(back, matrix);
    assert!(back[(1, 0)].is_sign_negative());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01\x00"));
    assert!(bytes.windows(4).any(|window| window == b"3, 2"));
    assert_eq!((bytes.len() - 6 * 8) % 64, 0);
}

#[test]
fn a_failed_write_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let occupied = directory.path().join("occupied");
    fs::create_dir_all(occupied.join("inside")).unwrap();
    let matrix = mat![[1.0]];
    let error = write_matrix(&occupied, matrix.as_ref()).unwrap_err();
    assert!(matches!(error, InputError::Io { action: "write", .. }), "{error}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    let error = write_matrix(&directory.path().join("absent/W.npy"), matrix.as_ref()).unwrap_err();
    assert!(matches!(error, InputError::Io { action: "create", .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(8), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(
        (rows, columns, values) in (1_usize..9, 1_usize..9).prop_flat_map(|(r, c)| {
            let finite = any::<f64>().prop_filter("finite", |value| value.is_finite());
            (Just(r), Just(c), prop::collection::vec(finite, r * c))
        })
    ) {
        let matrix = Mat::from_fn(rows, columns, |i, j| values[i * columns + j]);
        let mut bytes = Vec::new();
        matrix_into(&mut bytes, matrix.as_ref()).unwrap();
        prop_assert_eq!(read(&bytes).unwrap(), matrix);
    }
}
