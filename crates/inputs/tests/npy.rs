//! The npy reader and writer: what they give back, and one test per thing that can be wrong with a
//! file.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::Path;

use eigensweep_inputs::readers::npy::{column_from, inputs_from};
use eigensweep_inputs::readers::{Chosen, Column, NPY, Wanted};
use eigensweep_inputs::{Blocks, InputError, matrix_from, matrix_into, read_matrix, write_matrix};
use eigensweep_testkit::arrays::{npy, npy_of};
use faer::{Mat, mat};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn read(bytes: &[u8]) -> Result<Mat<f64>, InputError> {
    matrix_from(bytes, bytes.len() as u64, Path::new("some/matrix"))
}

fn inputs(bytes: &[u8]) -> Result<Box<dyn Blocks>, InputError> {
    let inputs = inputs_from(bytes, bytes.len() as u64, Path::new("some/matrix"))?;
    assert!(inputs.names.is_empty());
    Ok(inputs.rows)
}

fn column(bytes: &[u8]) -> Result<Column, InputError> {
    column_from(bytes, bytes.len() as u64, Path::new("some/matrix"))
}

fn doubles(rows: &dyn Blocks) -> Vec<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    values
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

/// A type: its name, bytes of a few numbers (little-endian), the numbers, bytes that one takes in
/// memory, and whether all bytes could have been there.
type Case = (&'static str, Vec<Vec<u8>>, Vec<f64>, u64, bool);

fn cases() -> Vec<Case> {
    fn of<const N: usize>(values: [[u8; N]; 6]) -> Vec<Vec<u8>> {
        values.map(Vec::from).to_vec()
    }
    let (small, signed) = ([0.0, 1.0, 2.0, 3.0, 100.0, 127.0], [0.0, -1.0, 2.0, -128.0, 100.0, 127.0]);
    let floats = [0.0_f32, -0.0, 0.1, -1e-40, 3.4e38, 65504.0];
    let doubles = [0.0, -0.0, 0.1, 5e-324, 1.7e308, -65504.0];
    // Least and largest of the halves, normal and not. Source: IEEE 754, binary16.
    let halves = [0x0000_u16, 0x8000, 0x0001, 0x03ff, 0x7bff, 0xc000];
    let half = [0.0, -0.0, 2_f64.powi(-24), 1023.0 * 2_f64.powi(-24), 65504.0, -2.0];
    vec![
        ("b1", of([[0], [1], [1], [0], [0], [1]]), vec![0.0, 1.0, 1.0, 0.0, 0.0, 1.0], 1, false),
        ("u1", of([[0], [1], [2], [3], [100], [127]]), small.to_vec(), 1, true),
        ("i1", of([0, -1, 2, -128, 100, 127].map(i8::to_le_bytes)), signed.to_vec(), 4, false),
        (
            "u2",
            of([0, 1, 2, 3, 100, 65535].map(u16::to_le_bytes)),
            [&small[..5], &[65535.0]].concat(),
            4,
            false,
        ),
        ("i2", of([0, -1, 2, -128, 100, 127].map(i16::to_le_bytes)), signed.to_vec(), 4, false),
        (
            "u4",
            of([0, 1, 2, 3, 100, u32::MAX].map(u32::to_le_bytes)),
            [&small[..5], &[4_294_967_295.0]].concat(),
            8,
            false,
        ),
        ("i4", of([0, -1, 2, -128, 100, 127].map(i32::to_le_bytes)), signed.to_vec(), 8, false),
        (
            "u8",
            of([0, 1, 2, 3, 100, 1 << 63].map(u64::to_le_bytes)),
            [&small[..5], &[2_f64.powi(63)]].concat(),
            8,
            false,
        ),
        ("i8", of([0, -1, 2, -128, 100, 127].map(i64::to_le_bytes)), signed.to_vec(), 8, false),
        ("f2", of(halves.map(u16::to_le_bytes)), half.to_vec(), 4, false),
        ("f4", of(floats.map(f32::to_le_bytes)), floats.map(f64::from).to_vec(), 4, false),
        ("f8", of(doubles.map(f64::to_le_bytes)), doubles.to_vec(), 8, false),
    ]
}

#[test]
fn every_type_byte_order_order_and_version_gives_the_same_values() {
    for (descr, elements, expected, held, whole) in cases() {
        for big in [false, true] {
            for fortran in [false, true] {
                // 3 × 2 in the order of the file.
                let order = if fortran { [0, 2, 4, 1, 3, 5] } else { [0, 1, 2, 3, 4, 5] };
                let data: Vec<u8> = order
                    .iter()
                    .flat_map(|&at| {
                        let mut bytes = elements[at].clone();
                        if big {
                            bytes.reverse();
                        }
                        bytes
                    })
                    .collect();
                let mark = match (elements[0].len(), big) {
                    (1, _) => '|',
                    (_, false) => '<',
                    (_, true) => '>',
                };
                let (name, fortran) = (format!("{mark}{descr}"), if fortran { "True" } else { "False" });
                for version in [1, 2, 3] {
                    let bytes = of_version(version, &npy(&name, fortran, "(3, 2)", &data));
                    let rows = inputs(&bytes).unwrap();
                    let bits =
                        |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                    let place = format!("{name} {fortran} {version}");
                    assert_eq!((rows.samples(), rows.features(), rows.bytes()), (3, 2, 6 * held), "{place}");
                    assert_eq!(bits(&doubles(&*rows)), bits(&expected), "{place}");
                    assert_eq!(rows.bounds(), whole.then_some([0.0, 255.0]), "{place}");
                    let matrix = read(&bytes).unwrap();
                    let matrix: Vec<f64> = (0..6).map(|at| matrix[(at / 2, at % 2)]).collect();
                    assert_eq!(bits(&matrix), bits(&expected), "{place}");
                    let vector = of_version(version, &npy(&name, fortran, "(6,)", &data));
                    let Column::Numbers(numbers) = column(&vector).unwrap() else { panic!("{place}") };
                    let expected = order.map(|at| expected[at]);
                    assert_eq!(bits(&numbers), bits(&expected), "{place}");
                }
            }
        }
    }
}

#[test]
fn more_dimensions_are_flattened_the_last_one_fastest() {
    // 2 × 2 × 3 × 5: sample, channel, row, column.
    let sizes = [2, 2, 3, 5];
    let c: Vec<u8> = (0..60).collect();
    let mut fortran = vec![0; 60];
    for (at, &value) in c.iter().enumerate() {
        let index = [at / 30, at / 15 % 2, at / 5 % 3, at % 5];
        let place = index.iter().zip(sizes).rev().fold(0, |place, (index, size)| place * size + index);
        fortran[place] = value;
    }
    for (order, data) in [("False", &c), ("True", &fortran)] {
        let rows = inputs(&npy("|u1", order, "(2, 2, 3, 5)", data)).unwrap();
        assert_eq!((rows.samples(), rows.features(), rows.shape()), (2, 30, Some([2, 3, 5])), "{order}");
        assert_eq!(doubles(&*rows), c.iter().map(|&value| f64::from(value)).collect::<Vec<_>>(), "{order}");
        let rows = inputs(&npy("|u1", order, "(1, 60)", &c)).unwrap();
        assert_eq!(doubles(&*rows), c.iter().map(|&value| f64::from(value)).collect::<Vec<_>>(), "{order}");
    }
    // One dimension is a column; none, nothing.
    let rows = inputs(&npy("|u1", "False", "(60,)", &c)).unwrap();
    assert_eq!((rows.samples(), rows.features()), (60, 1));
    assert!(matches!(inputs(&npy("|u1", "False", "()", &[1])), Err(InputError::Rank { found: 0, .. })));
}

/// Several blocks, of several columns each, and of parts of a column.
#[test]
fn arrays_larger_than_a_block_arrive_whole_in_either_order() {
    for (rows, columns) in [(3, 40_000), (40_000, 3), (611, 307), (100_003, 1), (1, 100_003)] {
        let value = |row: usize, column: usize| (row * columns + column) as f32;
        let c: Vec<f32> = (0..rows * columns).map(|at| value(at / columns, at % columns)).collect();
        let fortran: Vec<f32> = (0..rows * columns).map(|at| value(at % rows, at / rows)).collect();
        for (order, data) in [("False", &c), ("True", &fortran)] {
            let data = bytes_of(data.iter().map(|value| value.to_be_bytes()));
            let bytes = npy(">f4", order, &format!("({rows}, {columns})"), &data);
            let found = doubles(&*inputs(&bytes).unwrap());
            let wrong =
                found.iter().zip(&c).position(|(found, &of)| found.to_bits() != f64::from(of).to_bits());
            assert_eq!((found.len(), wrong), (rows * columns, None), "{rows} by {columns}, {order}");
        }
    }
}

#[test]
fn words_end_before_the_zeros_after_them() {
    let characters = |text: &str, big: bool| -> Vec<u8> {
        let codes = text.chars().map(u32::from);
        codes.flat_map(|code| if big { code.to_be_bytes() } else { code.to_le_bytes() }).collect()
    };
    let words = ["B cell".to_owned(), String::new(), "a\0b".to_owned(), "größe😀".to_owned()];
    let padded = |word: &String| word.chars().chain(std::iter::repeat('\0')).take(7).collect::<String>();
    for (descr, big) in [("<U7", false), (">U7", true)] {
        let data: Vec<u8> = words.iter().flat_map(|word| characters(&padded(word), big)).collect();
        for shape in ["(4,)", "(4, 1)"] {
            assert_eq!(column(&npy(descr, "False", shape, &data)).unwrap(), Column::Words(words.to_vec()));
        }
    }
    let bytes = column(&npy("|S3", "False", "(4,)", b"abcx\0\0\0\0\0a\0b")).unwrap();
    assert_eq!(bytes, Column::Words(["abc", "x", "", "a\0b"].map(str::to_owned).to_vec()));
    let error = column(&npy("|S1", "False", "(2,)", b"a\xff")).unwrap_err();
    assert!(
        error.to_string().contains("entry 1 (from 0)") && error.to_string().contains("latin-1"),
        "{error}"
    );
    let error = column(&npy("<U1", "False", "(1,)", &0xd800_u32.to_le_bytes())).unwrap_err();
    assert!(error.to_string().contains("0xd800 is no character"), "{error}");
}

#[test]
fn labels_are_one_column_without_a_name() {
    let error = column(&npy("|u1", "False", "(2, 2)", &[0; 4])).unwrap_err();
    assert!(matches!(error, InputError::Rank { found: 2, .. }), "{error}");
    assert!(error.to_string().contains("a[:, 0]"), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("y");
    fs::write(&path, npy("<i8", "False", "(2,)", &bytes_of([7_i64, -1].map(i64::to_le_bytes)))).unwrap();
    let read =
        |columns: &[Option<&str>]| (NPY.read)(&path, &Wanted { inputs: Some(&Chosen::default()), columns });
    let contents = read(&[None]).unwrap();
    assert_eq!(contents.columns, [Column::Numbers(vec![7.0, -1.0])]);
    assert_eq!(contents.inputs.unwrap().rows.samples(), 2);
    let error = read(&[Some("y")]).unwrap_err();
    assert!(matches!(error, InputError::NoSuch { .. }) && error.to_string().contains("no names"), "{error}");
}

/// The same file in another version of the format.
fn of_version(version: u8, one: &[u8]) -> Vec<u8> {
    let longer: &[u8] = if version == 1 { &[] } else { &[0, 0] };
    [&one[..6], &[version, 0], &one[8..10], longer, &one[10..]].concat()
}

#[test]
fn versions_two_and_three_have_a_longer_length() {
    let one = npy("|u1", "False", "(1, 1)", &[7]);
    for version in [2, 3] {
        assert_eq!(read(&of_version(version, &one)).unwrap(), mat![[7.0]]);
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
        npy_of("not a dictionary", &[]),
        npy_of("{'descr': '<f8', 'shape': (1, 1)}", &[0; 8]),
        npy_of("{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 1)}", &[0; 8]),
        npy_of("{'descr': 'f8', 'fortran_order': False, 'shape': (1, 1)}", &[0; 8]),
        npy_of(&"(".repeat(9000), &[]),
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
fn element_types_that_are_not_read_are_named_with_a_remedy() {
    for (descr, remedy) in [
        ("<c16", "numpy.hstack([a.real, a.imag])"),
        ("<U3", "a.astype(float)"),
        ("|S3", "a.astype(float)"),
        ("|O", "allow_pickle=False"),
        ("<M8[ns]", "a.astype('int64')"),
        ("<m8[s]", "a.astype('int64')"),
        ("|V8", "a.view("),
        ("<f16", "a.astype(float)"),
    ] {
        let bytes = npy(descr, "False", "(1, 1)", &[0; 16]);
        for error in [refused(&bytes), inputs(&bytes).unwrap_err()] {
            assert!(matches!(error, InputError::Unreadable { .. }), "{descr}: {error}");
            assert!(error.to_string().contains(descr) && error.to_string().contains(remedy), "{error}");
        }
    }
    let record = "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1, 1)}";
    let error = refused(&npy_of(record, &[0; 8]));
    assert!(error.to_string().contains("structured_to_unstructured"), "{error}");
    // Words of no length would be as many as the header likes.
    for descr in ["<U0", "|S0", "|S99999999999"] {
        let error = column(&npy(descr, "False", "(1000000,)", &[])).unwrap_err();
        assert!(error.to_string().contains("a.astype(str)"), "{descr}: {error}");
    }
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
    let error = refused(&npy("|b1", "False", "(1, 2)", &[1, 2]));
    assert!(error.to_string().contains("entry [0, 1]: a boolean is 0 or 1, and this is 2"), "{error}");
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
