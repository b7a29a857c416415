//! The idx readers: what they give back, and one test per thing that can be wrong with a file.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::io::Write;
use std::path::Path;

use eigensweep_inputs::readers::{Chosen, Column, Contents, IDX, Wanted};
use eigensweep_inputs::{Blocks, InputError, images_from, labels_from};
use eigensweep_testkit::idx::idx;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn images(bytes: &[u8]) -> Result<Box<dyn Blocks>, InputError> {
    Ok(images_from(bytes, bytes.len() as u64, Path::new("some/images"))?.rows)
}

/// All values as doubles.
fn doubles(rows: &dyn Blocks) -> Vec<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    values
}

trait Pixels {
    /// All values, of images that are held as bytes.
    fn values(&self) -> Vec<u8>;
}

impl Pixels for Box<dyn Blocks> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "they were bytes")]
    fn values(&self) -> Vec<u8> {
        let values: Vec<u8> = doubles(&**self).into_iter().map(|value| value as u8).collect();
        assert_eq!((self.bytes(), self.bounds()), (values.len() as u64, Some([0.0, 255.0])));
        values
    }
}

fn read(path: &Path, columns: &[Option<&str>]) -> Result<Contents, InputError> {
    (IDX.read)(path, &Wanted { inputs: columns.is_empty().then_some(&Chosen::default()), columns })
}

fn read_images(path: &Path) -> Result<Box<dyn Blocks>, InputError> {
    Ok(read(path, &[])?.inputs.unwrap().rows)
}

/// The error for these bytes as images, checked to name the file.
fn refused(bytes: &[u8]) -> InputError {
    let error = images(bytes).unwrap_err();
    assert!(error.to_string().contains("some/images"), "{error}");
    error
}

#[test]
fn plain_and_gzip_files_read_the_same_whatever_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = idx(&[2, 2, 3], &(0..12).collect::<Vec<_>>());
    for (name, content) in [("plain.gz", bytes.clone()), ("packed", gzip(&bytes))] {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        let images = read_images(&path).unwrap();
        assert_eq!((images.samples(), images.features()), (2, 6));
        assert_eq!(images.values(), (0..12).collect::<Vec<_>>());
    }
}

#[test]
fn labels_of_bytes_are_class_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("labels");
    fs::write(&path, gzip(&idx(&[4], &[3, 0, 7, 3]))).unwrap();
    assert_eq!(read(&path, &[None]).unwrap().columns, [Column::Numbered(vec![3, 0, 7, 3])]);
    let error = read(&path, &[Some("y")]).unwrap_err();
    assert!(matches!(error, InputError::NoSuch { .. }), "{error}");
}

#[test]
fn other_element_types_are_held_as_the_least_that_has_their_values() {
    let of = |code: u8, shape: &[u32], data: &[u8]| {
        let mut bytes = idx(shape, data);
        bytes[2] = code;
        bytes
    };
    for (code, data, expected, held) in [
        (0x09, vec![0x80, 1], [-128.0, 1.0], 4),
        (0x0b, vec![0x80, 0, 1, 2], [-32768.0, 258.0], 4),
        (0x0c, vec![0x80, 0, 0, 1, 1, 2, 3, 4], [-2_147_483_647.0, 16_909_060.0], 8),
        (0x0d, [0.1_f32, -0.0].map(f32::to_be_bytes).concat(), [f64::from(0.1_f32), -0.0], 4),
        (0x0e, [0.1_f64, 1e300].map(f64::to_be_bytes).concat(), [0.1, 1e300], 8),
    ] {
        for pack in [<[u8]>::to_vec, gzip] {
            let rows = images(&pack(&of(code, &[1, 1, 1, 2], &data))).unwrap();
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&doubles(&*rows)), bits(&expected), "code {code}");
            assert_eq!((rows.bytes(), rows.bounds(), rows.shape()), (2 * held, None, Some([1, 1, 2])));
            let bytes = pack(&of(code, &[2], &data));
            let labels = labels_from(&*bytes, bytes.len() as u64, Path::new("labels")).unwrap();
            assert_eq!(labels, Column::Numbers(expected.to_vec()), "code {code}");
        }
    }
    let bytes = of(0x0d, &[1, 2], &[1.0, f32::NAN].map(f32::to_be_bytes).concat());
    let error = refused(&bytes);
    assert!(matches!(error, InputError::NonFinite { row: 0, column: 1, .. }), "{error}");
}

#[test]
fn gzip_members_are_joined_even_within_the_header() {
    let bytes = idx(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    for cut in 0..bytes.len() {
        let members = [gzip(&bytes[..cut]), gzip(&bytes[cut..])].concat();
        assert_eq!(images(&members).unwrap().values(), [1, 2, 3, 4, 5, 6], "cut at {cut}");
    }
}

#[test]
fn data_larger_than_the_first_allocation_arrive_whole() {
    let data: Vec<u8> = (0..300_007_u32).map(|i| (i % 251).to_le_bytes()[0]).collect();
    let bytes = idx(&[300_007, 1], &data);
    assert_eq!(images(&bytes).unwrap().values(), data);
    assert_eq!(images(&gzip(&bytes)).unwrap().values(), data);
}

#[test]
fn missing_file_and_directory() {
    let directory = tempfile::tempdir().unwrap();
    let missing = read_images(&directory.path().join("absent")).unwrap_err();
    assert!(matches!(missing, InputError::Io { action: "open", .. }), "{missing}");
    let not_a_file = read_images(directory.path()).unwrap_err();
    assert!(matches!(not_a_file, InputError::NotAFile { .. }), "{not_a_file}");
}

#[test]
fn other_formats_are_named_with_what_reads_them() {
    for (bytes, says) in [
        (
            b"\x93NUMPY\x01\0".to_vec(),
            "a NumPy array (npy), which `source = \"npy\"` of a job or `eigensweep solve` reads; give an idx file",
        ),
        (
            b"a,b,c\n1,2,3\n".to_vec(),
            "this is text in columns, such as CSV, which `source = \"csv\"` of a job reads; give an idx file",
        ),
        (b"PK\x03\x04 and so on".to_vec(), "zip archive, such as npz"),
        (b"PAR1 and so on".to_vec(), "a Parquet file"),
        (b"\x89HDF\r\n\x1a\n".to_vec(), "an HDF5 file"),
        (b"<!DOCTYPE html><p>404".to_vec(), "a web page (HTML)"),
        (gzip(b"1,2,3,4\n5,6,7,8\n"), "gzip of text in columns"),
        (gzip(b"\x93NUMPY\x01\0"), "gzip of a NumPy array"),
        (vec![7; 600], "no known format, whose first bytes are [07 07 07 07]"),
    ] {
        let error = refused(&bytes);
        assert!(matches!(error, InputError::OtherFormat { .. }), "{error}");
        assert!(error.to_string().contains(says), "no {says:?} in {error}");
    }
}

#[test]
fn element_types_that_idx_does_not_know() {
    for code in [0x00, 0x01, 0x0a, 0x0f, 0xff] {
        let mut bytes = idx(&[1, 1], &[0]);
        bytes[2] = code;
        let error = refused(&bytes);
        assert!(matches!(error, InputError::ElementType { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{code:#04x}")) && text.contains("0x0b to 0x0e"), "{text}");
    }
}

#[test]
fn wrong_ranks_suggest_the_swap() {
    for (rank, bytes) in [(0, idx(&[], &[])), (1, idx(&[2], &[0, 1]))] {
        let error = refused(&bytes);
        assert!(matches!(error, InputError::Rank { found, .. } if found == rank), "{error}");
        assert!(error.to_string().contains("swap"), "{error}");
    }
    let bytes = idx(&[1, 2], &[0, 1]);
    let error = labels_from(bytes.as_slice(), bytes.len() as u64, Path::new("labels")).unwrap_err();
    assert!(matches!(error, InputError::Rank { found: 2, .. }), "{error}");
}

#[test]
fn zero_dimensions() {
    assert!(matches!(refused(&idx(&[0, 2], &[])), InputError::ZeroDimension { axis: 0, .. }));
    // The zero is found before the others are multiplied.
    let shape = [u32::MAX, u32::MAX, 0, u32::MAX];
    assert!(matches!(refused(&idx(&shape, &[])), InputError::ZeroDimension { axis: 2, .. }));
}

#[test]
fn products_beyond_the_address_space() {
    for shape in [&[u32::MAX; 3][..], &[u32::MAX; 255], &[u32::MAX, u32::MAX]] {
        assert!(matches!(refused(&idx(shape, &[])), InputError::Overflow { .. }));
        assert!(matches!(refused(&gzip(&idx(shape, &[]))), InputError::Overflow { .. }));
    }
}

#[test]
fn truncation_anywhere_in_a_plain_file() {
    let bytes = idx(&[2, 3], &[1, 2, 3, 4, 5, 6]);
    for length in 0..bytes.len() {
        let error = refused(&bytes[..length]);
        assert!(matches!(error, InputError::Truncated { found, .. } if found == length as u64), "{error}");
    }
}

#[test]
fn truncation_anywhere_in_a_gzip_file() {
    let packed = gzip(&idx(&[2, 3], &[1, 2, 3, 4, 5, 6]));
    for length in 2..packed.len() {
        let error = refused(&packed[..length]);
        assert!(matches!(error, InputError::Gzip { .. }), "{length}: {error}");
    }
}

#[test]
fn truncation_before_compression() {
    let error = refused(&gzip(&idx(&[2, 3], &[1, 2, 3, 4])));
    assert!(matches!(error, InputError::Truncated { expected: 18, found: 16, .. }), "{error}");
}

#[test]
fn trailing_bytes() {
    let bytes = idx(&[1, 2], &[1, 2, 3]);
    assert!(matches!(refused(&bytes), InputError::TrailingBytes { expected: 14, .. }));
    assert!(matches!(refused(&gzip(&bytes)), InputError::TrailingBytes { expected: 14, .. }));
    // A length that lies about a plain source does not hide them either.
    let error = images_from(bytes.as_slice(), 14, Path::new("images")).unwrap_err();
    assert!(matches!(error, InputError::TrailingBytes { .. }), "{error}");
}

#[test]
fn damage_inside_a_gzip_stream_is_noticed_by_its_checksum() {
    let bytes = idx(&[1, 4], &[1, 2, 3, 4]);
    let mut packed = gzip(&bytes);
    let checksum = packed.len() - 8;
    packed[checksum] ^= 1;
    assert!(matches!(refused(&packed), InputError::Gzip { .. }));
    let followed = [gzip(&bytes), b"not gzip".to_vec()].concat();
    assert!(matches!(refused(&followed), InputError::Gzip { .. }));
}

/// gzip(1) passes over zeros at the end, and over nothing else.
#[test]
fn zeros_after_a_gzip_file_are_padding() {
    let bytes = idx(&[1, 4], &[1, 2, 3, 4]);
    let packed = gzip(&bytes);
    for zeros in [1, 2, 511, 100_000] {
        let padded = [&packed[..], &vec![0; zeros]].concat();
        assert_eq!(images(&padded).unwrap().values(), [1, 2, 3, 4], "{zeros} zeros");
        // After several members, too.
        let members = [&gzip(&bytes[..5])[..], &gzip(&bytes[5..]), &vec![0; zeros]].concat();
        assert_eq!(images(&members).unwrap().values(), [1, 2, 3, 4], "{zeros} zeros");
        for after in [&b"x"[..], &packed] {
            let followed = [&padded[..], after].concat();
            assert!(matches!(refused(&followed), InputError::Gzip { .. }), "{zeros} zeros");
        }
    }
    assert!(images(&[0; 100]).is_err(), "zeros alone are no gzip file");
}

#[test]
fn more_than_deflate_can_hold() {
    let packed = gzip(&idx(&[60_000, 28, 28], &[0; 64]));
    let error = refused(&packed);
    let compressed = packed.len() as u64;
    assert!(
        matches!(error, InputError::Implausible { declared: 47_040_016, allowed, .. } if allowed == 1032 * compressed),
        "{error}"
    );
}

#[test]
fn the_most_compressible_data_stay_within_the_expansion_limit() {
    let bytes = idx(&[3000, 1000], &vec![0; 3_000_000]);
    let packed = gzip(&bytes);
    assert!(bytes.len() / packed.len() > 900, "{} bytes", packed.len());
    assert_eq!(images(&packed).unwrap().samples(), 3000);
}

#[test]
fn mnist_where_it_is_at_hand() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/mnist"));
    if !root.exists() {
        println!("skipped: no MNIST beside the workspace");
        return;
    }
    let images = read_images(&root.join("t10k-images-idx3-ubyte.gz")).unwrap();
    let labels = read(&root.join("t10k-labels-idx1-ubyte.gz"), &[None]).unwrap().columns;
    let [Column::Numbered(classes)] = &*labels else { panic!("{labels:?}") };
    assert_eq!((images.samples(), images.features()), (10_000, 784));
    assert_eq!((classes.len(), classes.iter().max()), (10_000, Some(&9)));
    // The first test images are famous: 7, 2, 1, 0, 4.
    assert_eq!(classes[..5], [7, 2, 1, 0, 4]);
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(8), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(
        (samples, rows, columns, pixels) in (1_u32..9, 1_u32..6, 1_u32..6).prop_flat_map(|(n, r, c)| {
            (Just(n), Just(r), Just(c), prop::collection::vec(any::<u8>(), (n * r * c) as usize))
        })
    ) {
        let bytes = idx(&[samples, rows, columns], &pixels);
        for bytes in [bytes.clone(), gzip(&bytes)] {
            let images = images(&bytes).unwrap();
            prop_assert_eq!(images.samples(), samples as usize);
            prop_assert_eq!(images.features(), (rows * columns) as usize);
            prop_assert_eq!(images.values(), &pixels[..]);
        }
    }
}
