//! Matrix Market files and folders of counts: what they give, and what is refused.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::io::Write;
use std::path::Path;

use eigensweep_inputs::readers::mtx::mtx_from;
use eigensweep_inputs::readers::{Chosen, Column, Inputs, MTX, Orientation, Wanted};
use eigensweep_inputs::{Blocks, InputError};
use flate2::Compression;
use flate2::write::GzEncoder;

fn from(text: &str, rows: Orientation) -> Result<Box<dyn Blocks>, InputError> {
    mtx_from(format!("%%MatrixMarket matrix {text}").as_bytes(), Path::new("some/counts"), rows)
}

fn written_out(rows: &dyn Blocks) -> Vec<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    values
}

fn values(text: &str) -> Vec<f64> {
    written_out(&*from(text, Orientation::Samples).unwrap())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn entries_in_any_order_with_repeats_and_zeros_are_the_rows_that_scipy_reads() {
    let text = "coordinate integer general\n% made by hand\n\n3 4 7\n3 4 7\r\n1 1 300\n 2 2 0\n3 1 -2\n3 4 1\n1 2 5\n1 2 -5\n";
    let rows = from(text, Orientation::Samples).unwrap();
    let expected = [300.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -2.0, 0.0, 0.0, 8.0];
    assert_eq!(written_out(&*rows), expected);
    // Three entries of 32-bit floats are left.
    assert_eq!(rows.bytes(), 4 * 8 + 3 * (4 + 4));
    let turned = from(text, Orientation::Features).unwrap();
    assert_eq!((turned.samples(), turned.features()), (4, 3));
    assert_eq!(written_out(&*turned), [300.0, 0.0, -2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0]);
}

#[test]
fn every_kind_of_matrix_is_read() {
    assert_eq!(values("coordinate pattern general\n2 2 2\n1 1\n2 1\n"), [1.0, 0.0, 1.0, 0.0]);
    assert_eq!(values("coordinate real symmetric\n2 2 2\n1 1 0.1\n2 1 3e2\n"), [0.1, 300.0, 300.0, 0.0]);
    assert_eq!(values("coordinate integer skew-symmetric\n2 2 1\n2 1 3\n"), [0.0, -3.0, 3.0, 0.0]);
    assert_eq!(values("Coordinate Real General\n1 2 1\n1 2 -1.5\n"), [0.0, -1.5]);
    assert_eq!(values("array real general\n2 3\n1\n2\n3\n4\n5\n6.5\n"), [1.0, 3.0, 5.0, 2.0, 4.0, 6.5]);
    assert_eq!(values("array integer general\n2 2\n1\n2\n3\n4\n"), [1.0, 3.0, 2.0, 4.0]);
    // What SciPy makes of uint64; the least and the largest of which doubles have the value.
    let unsigned = "array unsigned-integer general\n2 1\n18446744073709549568\n-9223372036854775808\n";
    assert_eq!(values(unsigned), [18_446_744_073_709_549_568.0, -9_223_372_036_854_775_808.0]);
    let turned = from("array integer general\n2 3\n1\n2\n3\n4\n5\n6\n", Orientation::Features).unwrap();
    assert_eq!((turned.samples(), written_out(&*turned)), (3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
}

#[test]
fn gzip_is_told_by_its_first_bytes() {
    let text = b"%%MatrixMarket matrix coordinate real general\n2 1 1\n2 1 4\n";
    let rows = mtx_from(&*gzip(text), Path::new("counts"), Orientation::Samples).unwrap();
    assert_eq!(written_out(&*rows), [0.0, 4.0]);
    let cut = &gzip(text)[..40];
    let error = mtx_from(cut, Path::new("counts"), Orientation::Samples).unwrap_err();
    assert!(matches!(error, InputError::Gzip { .. }), "{error}");
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_a_remedy() {
    for (text, line, problem) in [
        ("coordinate complex general\n1 1 1\n", 1, "coordinate complex general` is not read"),
        ("array real symmetric\n1 1\n1\n", 1, "array real symmetric` is not read"),
        ("coordinate real\n", 1, "the header is not of four words"),
        ("coordinate real general\n% only\n", 3, "the file ends before the sizes"),
        ("coordinate real general\n2 2\n", 2, "not three whole numbers"),
        ("coordinate real general\n-2 2 1\n", 2, "not three whole numbers"),
        ("array real general\n2 2 4\n", 2, "not two whole numbers"),
        ("coordinate real general\n0 2 0\n", 2, "the matrix is empty"),
        ("coordinate real symmetric\n1 2 0\n", 2, "not square"),
        ("coordinate real general\n4294967296 2 0\n", 2, "too many"),
        ("coordinate real general\n2 2 1\n0 1 1\n", 3, "not in rows 1 to 2 and columns 1 to 2"),
        ("coordinate real general\n2 2 1\n\n1 3 1\n", 4, "not in rows 1 to 2 and columns 1 to 2"),
        ("coordinate real general\n2 2 1\n1 1\n", 3, "the line is not row, column and value"),
        ("coordinate real general\n2 2 1\n1 1 1 1\n", 3, "the line is not row, column and value"),
        ("coordinate pattern general\n2 2 1\n1 1 1\n", 3, "the line is not row and column"),
        ("coordinate real general\n2 2 1\n1 1 1,5\n", 3, "`1,5` is no number"),
        ("coordinate real general\n2 2 1\n1 1 nan\n", 3, "the value is NaN"),
        ("coordinate integer general\n2 2 1\n1 1 1.5\n", 3, "no whole number"),
        ("coordinate integer general\n2 2 1\n1 1 9007199254740993\n", 3, "no double holds"),
        ("coordinate integer general\n2 2 1\n1 1 18446744073709551616\n", 3, "no whole number of 64 bits"),
        ("coordinate real general\n2 2 1\n1 1 1\n2 2 1\n", 4, "more than the 1 entries"),
        ("coordinate real general\n2 2 3\n1 1 1\n", 4, "1 entries, where the sizes say 3"),
        ("array real general\n2 2\n1\n2\n3\n", 6, "3 values, where the sizes say 4"),
        ("array real general\n1 1\n1\n2\n", 4, "more than the 1 values"),
    ] {
        let error = from(text, Orientation::Samples).unwrap_err().to_string();
        assert!(error.starts_with(&format!("some/counts: line {line}: ")), "{error}");
        assert!(error.contains(problem), "{error}");
    }
    let long = format!("coordinate real general\n%{}\n1 1 0\n", "x".repeat(70_000));
    assert!(from(&long, Orientation::Samples).unwrap_err().to_string().contains("longer than 65536 bytes"));
    let other = mtx_from(&b"a,b\n1,2\n"[..], Path::new("x"), Orientation::Samples).unwrap_err();
    assert!(matches!(other, InputError::OtherFormat { .. }), "{other}");
}

#[test]
fn rows_that_no_file_of_that_length_has_are_refused() {
    let error = from("coordinate real general\n4000000000 4000000000 1\n1 1 1\n", Orientation::Samples);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("too many for a file of 7") && error.contains("damaged"), "{error}");
    assert_eq!(
        from("coordinate real general\n16000 3 1\n1 1 1\n", Orientation::Samples).unwrap().samples(),
        16000
    );
}

fn read(path: &Path, rows: Option<Orientation>) -> Result<Inputs, InputError> {
    let chosen = Chosen { rows, ..Chosen::default() };
    let contents = (MTX.read)(path, &Wanted { inputs: Some(&chosen), columns: &[] })?;
    Ok(contents.inputs.unwrap())
}

#[test]
fn folders_are_genes_by_cells_with_names_and_their_files_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let matrix = "%%MatrixMarket matrix coordinate integer general\n3 2 3\n1 1 4\n3 1 1\n2 2 7\n";
    fs::write(at("matrix.mtx.gz"), gzip(matrix.as_bytes())).unwrap();
    fs::write(at("features.tsv.gz"), gzip(b"E1\tA\tGene\nE2\tB\tGene\nE3\tA\tGene\n")).unwrap();
    fs::write(at("barcodes.tsv"), "AAA-1\nAAC-1\n").unwrap();
    let inputs = read(folder.path(), None).unwrap();
    assert_eq!(inputs.names, ["A", "B", "A"]);
    assert_eq!(written_out(&*inputs.rows), [4.0, 0.0, 1.0, 0.0, 7.0, 0.0]);
    let files = (MTX.files)(folder.path());
    assert_eq!(files, [at("matrix.mtx.gz"), at("features.tsv.gz"), at("barcodes.tsv")]);
    assert_eq!((MTX.files)(&at("matrix.mtx.gz")), [at("matrix.mtx.gz")]);
    // The same file alone has samples as rows.
    assert_eq!(read(&at("matrix.mtx.gz"), None).unwrap().rows.samples(), 3);
    let error = read(folder.path(), Some(Orientation::Samples)).unwrap_err().to_string();
    assert!(error.contains("barcodes.tsv") && error.contains("2 lines, where the matrix has 3"), "{error}");
    fs::write(at("features.tsv.gz"), "E1\n").unwrap();
    let error = read(folder.path(), None).unwrap_err().to_string();
    assert!(error.contains("features.tsv.gz") && error.contains("1 lines"), "{error}");
    fs::remove_file(at("features.tsv.gz")).unwrap();
    fs::write(at("genes.tsv"), "E1\nE2\nE3\n").unwrap();
    assert_eq!(read(folder.path(), None).unwrap().names, ["E1", "E2", "E3"]);
    fs::remove_file(at("matrix.mtx.gz")).unwrap();
    assert!(read(folder.path(), None).unwrap_err().to_string().contains("no matrix.mtx"));
}

#[test]
fn a_matrix_of_one_column_is_a_column_and_none_has_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("types.mtx");
    fs::write(&path, "%%MatrixMarket matrix array integer general\n3 1\n2\n0\n1\n").unwrap();
    let contents = (MTX.read)(&path, &Wanted { inputs: None, columns: &[None] }).unwrap();
    assert_eq!(contents.columns, [Column::Numbers(vec![2.0, 0.0, 1.0])]);
    let error = (MTX.read)(&path, &Wanted { inputs: None, columns: &[Some("kind")] }).unwrap_err();
    assert!(matches!(error, InputError::NoSuch { .. }), "{error}");
    fs::write(&path, "%%MatrixMarket matrix array integer general\n1 2\n2\n0\n").unwrap();
    let error = (MTX.read)(&path, &Wanted { inputs: None, columns: &[None] }).unwrap_err();
    assert!(error.to_string().contains("2 columns, where one is needed"), "{error}");
}
