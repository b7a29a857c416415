//! Whatever the bytes, the readers return; and they never hold more memory than the bytes can
//! account for.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::io::Write;
use std::path::Path;

use eigensweep_inputs::readers::mtx::mtx_from;
use eigensweep_inputs::readers::{Chosen, Orientation, Wanted, csv, npy, npz, parquet};
use eigensweep_inputs::{images_from, labels_from, matrix_from};
use eigensweep_testkit::allocator::{Counting, peak};
use eigensweep_testkit::arrays::zip;
use eigensweep_testkit::random::Random;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Buffers, the decoder's window and state, and what proptest does meanwhile: independent of the
/// input.
const FIXED: usize = 1 << 19;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Runs every reader and checks that none held more than `factor` bytes for each of `size`.
fn within(bytes: &[u8], size: usize, factor: usize) -> Result<(), TestCaseError> {
    let (length, path) = (bytes.len() as u64, Path::new("hostile"));
    let allowed = factor * size + FIXED;
    let (chosen, columns) = (Chosen::default(), [Some("y")]);
    let all = Wanted { inputs: Some(&chosen), columns: if size.is_multiple_of(2) { &columns } else { &[] } };
    for (name, held) in [
        ("images", peak(|| drop(images_from(bytes, length, path)))),
        ("labels", peak(|| drop(labels_from(bytes, length, path)))),
        ("matrix", peak(|| drop(matrix_from(bytes, length, path)))),
        ("npy inputs", peak(|| drop(npy::inputs_from(bytes, length, path)))),
        ("npy column", peak(|| drop(npy::column_from(bytes, length, path)))),
        ("npz", peak(|| drop(npz::contents_from(bytes, length, path, &all)))),
        ("mtx", peak(|| drop(mtx_from(bytes, path, Orientation::Samples)))),
    ] {
        prop_assert!(held <= allowed, "{} held {} bytes, {} allowed", name, held, allowed);
    }
    Ok(())
}

/// The most that a reader of tables held of these bytes: all inputs, then the only column.
fn held_by_tables(read: impl Fn(&Wanted<'_>)) -> usize {
    let all = Chosen::default();
    let whole = peak(|| read(&Wanted { inputs: Some(&all), columns: &[] }));
    whole.max(peak(|| read(&Wanted { inputs: None, columns: &[None] })))
}

/// [`within`] for text in columns.
fn csv_within(bytes: &[u8], size: usize, factor: usize) -> Result<(), TestCaseError> {
    let held = held_by_tables(|wanted| drop(csv::table_from(bytes, Path::new("hostile"), wanted)));
    prop_assert!(held <= factor * size + FIXED, "csv held {} bytes of {}", held, size);
    Ok(())
}

/// Buffers of Parquet's decoder, whose batches have up to 8192 rows.
const FIXED_OF_PARQUET: usize = 1 << 22;

/// [`within`] for Parquet files.
fn parquet_within(bytes: &[u8]) -> Result<(), TestCaseError> {
    let held = held_by_tables(|wanted| {
        drop(parquet::table_from(bytes.to_vec(), Path::new("hostile"), wanted));
    });
    prop_assert!(
        held <= 64 * bytes.len() + FIXED_OF_PARQUET,
        "parquet held {} bytes of {}",
        held,
        bytes.len()
    );
    Ok(())
}

/// Something like text in columns: cells and delimiters in any order.
fn nearly_csv() -> impl Strategy<Value = Vec<u8>> {
    let cell = prop::sample::select(vec![
        "1", "-2.5", "1e3", "255", "x", "word", "\"", "\"\"", "NA", "nan", "inf", "#", " ", "\u{feff}", "",
    ]);
    let delimiter = prop::sample::select(vec![",", ",", ",", "\n", "\n", "\r\n", ";", "\t", " ", "|"]);
    prop::collection::vec((cell, delimiter), 0..60).prop_map(|cells| {
        cells.into_iter().flat_map(|(cell, delimiter)| [cell, delimiter].concat().into_bytes()).collect()
    })
}

/// A Parquet file of another program, with a few bytes changed, put in or taken out.
fn nearly_parquet() -> impl Strategy<Value = Vec<u8>> {
    let files = prop::sample::select(vec!["duckdb", "pandas", "polars", "checksum"]);
    let change = (any::<prop::sample::Index>(), 0..3, prop_oneof![Just(0xff_u8), Just(0x7f), any::<u8>()]);
    (files, prop::collection::vec(change, 1..4)).prop_map(|(file, changes)| {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let mut bytes = std::fs::read(fixtures.join(file).with_extension("parquet")).unwrap();
        for (at, kind, byte) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

/// Dimensions as an attacker would choose them.
fn dimension() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![0_u64..5, Just(u64::MAX), Just(1 << 32), any::<u32>().prop_map(u64::from), any::<u64>()]
}

/// Something like an idx file: a header that is nearly right, then anything.
fn nearly_idx() -> impl Strategy<Value = Vec<u8>> {
    let magic = (0_u8..2, prop_oneof![Just(8_u8), any::<u8>()]);
    (magic, prop::collection::vec(dimension(), 0..5), prop::collection::vec(any::<u8>(), 0..200)).prop_map(
        |((zero, code), shape, data)| {
            let mut bytes = vec![zero, 0, code, u8::try_from(shape.len()).unwrap()];
            bytes.extend(shape.iter().flat_map(|size| size.to_be_bytes()[4..].to_vec()));
            bytes.extend(data);
            bytes
        },
    )
}

/// Something like an npy file: pieces of headers in any order, a length that may lie, then
/// anything.
fn nearly_npy() -> impl Strategy<Value = Vec<u8>> {
    let shape = prop::collection::vec(dimension(), 0..4).prop_map(|shape| {
        format!("'shape': ({}), ", shape.iter().map(|size| format!("{size}, ")).collect::<String>())
    });
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("'fortran_order': True, ".to_owned()),
        prop::sample::select(vec![
            "'descr': '<f8', ",
            "'descr': '|u1', ",
            "'descr': '|b1', ",
            "'descr': '<q9', "
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec![
            "(", ")", "[", "'", "'''", "\"", "\\", "1_0", "0x7", "1+2j", "-", ".", "#"
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,12}",
    ];
    let whole = (
        shape.clone(),
        prop::sample::select(vec![
            "<f8",
            "|u1",
            "|b1",
            ">i8",
            "<f2",
            "|S0",
            "|S1",
            "<U1",
            "<U99999",
            "|V99999999999",
        ]),
    )
        .prop_map(|(shape, descr)| format!("{{'descr': '{descr}', 'fortran_order': False, {shape}}}\n"));
    let pieces =
        prop::collection::vec(prop_oneof![3 => piece, 1 => shape], 0..9).prop_map(|pieces| pieces.concat());
    let text = prop_oneof![whole, pieces];
    let lie = prop_oneof![9 => Just(0_u16), 1 => any::<u16>()];
    (text, lie, 1_u8..4, prop::collection::vec(any::<u8>(), 0..200)).prop_map(|(text, lie, version, data)| {
        let length = u16::try_from(text.len()).unwrap() ^ lie;
        let mut bytes = [b"\x93NUMPY", &[version, 0][..], &length.to_le_bytes()].concat();
        if version > 1 {
            bytes.extend([0, 0]);
        }
        bytes.extend(text.bytes());
        bytes.extend(data);
        bytes
    })
}

/// Something like a Matrix Market file: a header that is nearly right, sizes that may lie, entries.
fn nearly_mtx() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        vec!["coordinate", "array"],
        vec!["real", "integer", "pattern", "complex"],
        vec!["general", "symmetric", "skew-symmetric"],
    ];
    let header = words.map(prop::sample::select).prop_map(|words| words.join(" "));
    let index = || prop_oneof![9 => (0_u64..6).boxed(), 1 => dimension().boxed()];
    let value = prop::sample::select(vec!["", "1", "-2.5", "1e300", "nan", "1e999", "9007199254740993", "x"]);
    let line = (index(), index(), value).prop_map(|(row, column, value)| format!("{row} {column} {value}\n"));
    let sizes = prop::collection::vec(prop_oneof![(0_u64..6).boxed(), dimension().boxed()], 2..4);
    (header, sizes, prop::collection::vec(line, 0..20)).prop_map(|(header, sizes, lines)| {
        let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
        format!("%%MatrixMarket matrix {header}\n{}\n{}", sizes.join(" "), lines.concat()).into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, rng_seed: RngSeed::Fixed(8), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        within(&bytes, bytes.len(), 3)?;
        csv_within(&bytes, bytes.len(), 256)?;
        parquet_within(&bytes)?;
        parquet_within(&[b"PAR1", &bytes[..]].concat())?;
    }

    #[test]
    fn almost_csv(bytes in nearly_csv(), cut in 0_usize..60) {
        csv_within(&bytes, bytes.len(), 256)?;
        let packed = gzip(&bytes);
        csv_within(&packed[..packed.len().saturating_sub(cut)], bytes.len(), 256)?;
    }

    #[test]
    fn arbitrary_gzip(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let packed = [&[0x1f, 0x8b, 8, 0], &bytes[..]].concat();
        within(&packed, bytes.len(), 3)?;
        csv_within(&packed, bytes.len(), 256)?;
    }

    #[test]
    fn almost_idx(bytes in nearly_idx()) {
        within(&bytes, bytes.len(), 3)?;
    }

    #[test]
    fn almost_idx_in_gzip(bytes in nearly_idx(), cut in 0_usize..60) {
        let packed = gzip(&bytes);
        within(&packed, bytes.len(), 3)?;
        within(&packed[..packed.len().saturating_sub(cut)], bytes.len(), 3)?;
    }

    #[test]
    fn almost_npy(bytes in nearly_npy()) {
        within(&bytes, bytes.len(), 64)?;
    }

    #[test]
    fn almost_mtx(bytes in nearly_mtx()) {
        within(&bytes, bytes.len(), 64)?;
    }
}

/// The names of arrays in archives: those of a sparse matrix first.
const NAMES: [&str; 7] =
    ["format.npy", "shape.npy", "data.npy", "indices.npy", "indptr.npy", "X.npy", "y.npy"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, rng_seed: RngSeed::Fixed(9), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn almost_npz(
        arrays in prop::collection::vec(nearly_npy(), 1..6),
        from in 0_usize..6,
        compressed in any::<bool>(),
        cut in 0_usize..60,
        bent in any::<(u16, u8)>(),
    ) {
        let names = NAMES.into_iter().cycle().skip(from);
        let files: Vec<(&str, Vec<u8>)> = names.zip(arrays).collect();
        let size = files.iter().map(|(_, array)| array.len()).sum();
        let mut packed = zip(&files, compressed);
        within(&packed, size, 64)?;
        within(&packed[..packed.len() - cut], size, 64)?;
        let at = packed.len() - 1 - usize::from(bent.0) % packed.len();
        packed[at] = bent.1;
        within(&packed, size, 64)?;
    }
}

/// What a zip archive claims is not allocated before it arrives, in either order of the elements.
#[test]
fn an_archive_that_claims_a_gigabyte_is_read_as_far_as_it_goes() {
    let mut random = Random(1);
    let noise: Vec<u8> = (0..5_000_000).map(|_| random.byte()).collect();
    for fortran in ["False", "True"] {
        let array = eigensweep_testkit::arrays::npy("|u1", fortran, "(1000000, 1000)", &noise);
        let mut packed = zip(&[("X.npy", array)], true);
        let directory = packed.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
        packed[directory + 24..directory + 28].copy_from_slice(&1_000_000_128_u32.to_le_bytes());
        within(&packed, 5_000_128, 3).unwrap();
    }
}

/// Nor are rows that only the shape of a sparse matrix has.
#[test]
fn a_sparse_matrix_of_a_billion_rows_without_entries_is_not_made() {
    let npy = eigensweep_testkit::arrays::npy;
    let number = |value: u32| npy("<i4", "False", "(1,)", &value.to_le_bytes());
    for (format, row, column) in [("coo", "row.npy", "col.npy"), ("csc", "indices.npy", "indptr.npy")] {
        let shape = [1_000_000_000_u32, 1].map(u32::to_le_bytes).concat();
        let files = [
            ("format.npy", npy("|S3", "False", "()", format.as_bytes())),
            ("shape.npy", npy("<i4", "False", "(2,)", &shape)),
            ("data.npy", number(1)),
            (row, number(0)),
            (
                column,
                if format == "coo" {
                    number(0)
                } else {
                    npy("<i4", "False", "(2,)", &[0, 0, 0, 0, 1, 0, 0, 0])
                },
            ),
        ];
        within(&zip(&files, false), 1000, 3).unwrap();
    }
}

proptest! {
    // Parquet's decoder is slow where it is not optimized.
    #![proptest_config(ProptestConfig { cases: 200, rng_seed: RngSeed::Fixed(8), failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn almost_parquet(bytes in nearly_parquet()) {
        parquet_within(&bytes)?;
    }
}

/// The counter counts: an honest file is held once as a whole.
#[test]
fn honest_files_are_seen_by_the_counter() {
    let bytes =
        [&[0, 0, 8, 2][..], &1_000_u32.to_be_bytes(), &4_000_u32.to_be_bytes(), &[1; 4_000_000]].concat();
    let path = Path::new("honest");
    let held = peak(|| assert!(images_from(bytes.as_slice(), bytes.len() as u64, path).is_ok()));
    assert!((4_000_000..=3 * bytes.len() + FIXED).contains(&held), "{held} bytes");
}

/// Sixty megabytes of zeros in gzip are no table: what is held follows the line that arrives.
#[test]
fn bombs_of_text_are_held_no_longer_than_their_lines_are() {
    let lines = gzip("0,0,0,x\n".repeat(1 << 20).as_bytes());
    let held = held_by_tables(|wanted| drop(csv::table_from(&*lines, Path::new("bomb"), wanted)));
    assert!(held < 1 << 20, "{held} bytes");
    let empty = gzip("\n".repeat(60 << 20).as_bytes());
    let held = held_by_tables(|wanted| drop(csv::table_from(&*empty, Path::new("bomb"), wanted)));
    assert!(held < 1 << 20, "{held} bytes");
}

/// A header may declare as much as deflate could hold; the buffer still follows what arrives.
#[test]
fn a_plausible_declaration_is_not_allocated_before_the_data_arrive() {
    // Five megabytes of noise in gzip could be five gigabytes; the header declares one, which never
    // comes.
    let mut random = Random(1);
    let noise: Vec<u8> = (0..5_000_000).map(|_| random.byte()).collect();
    let header = [&[0, 0, 8, 2][..], &1_000_000_u32.to_be_bytes(), &1_000_u32.to_be_bytes()].concat();
    let packed = gzip(&[header, noise].concat());
    within(&packed, 5_000_012, 3).unwrap();
}

/// Entries that name the last of many rows, out of order: what is held follows the file.
#[test]
fn sparse_entries_are_held_in_proportion_to_their_lines() {
    let mut text = "%%MatrixMarket matrix coordinate real general\n500000 500000 500000\n".to_owned();
    for at in (1..=500_000).rev() {
        text += &format!("{at} {at} 1.5\n");
    }
    within(text.as_bytes(), text.len(), 8).unwrap();
}

/// Files of the fuzzer's corpus: dimensions that nothing is behind, cycles, chunks that are not
/// there.
#[cfg(feature = "hdf5")]
#[test]
fn hdf5_files_are_held_in_proportion_to_their_bytes() {
    use eigensweep_inputs::readers::h5ad::h5ad_from;
    use eigensweep_inputs::readers::{Chosen, Wanted};

    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/h5ad");
    let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() > 10);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for matrix in ["X", "raw/X", "layers/counts"] {
            let chosen = Chosen { matrix: Some(matrix.to_owned()), ..Chosen::default() };
            let wanted = Wanted { inputs: Some(&chosen), columns: &[] };
            let held = peak(|| drop(h5ad_from(&bytes, &file, &wanted)));
            assert!(held <= FIXED + 64 * bytes.len(), "{}: {held} bytes", file.display());
        }
    }
}
