//! Parquet files: what is read, and what is refused.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, ListBuilder};
use arrow_array::types::{ArrowPrimitiveType, Float16Type, Float32Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float16Array, Float32Array,
    Float64Array, Int8Array, Int32Array, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray,
    StructArray, UInt8Array, UInt16Array, UInt64Array,
};
use eigensweep_inputs::readers::parquet::{PARQUET, table_from};
use eigensweep_inputs::readers::{Chosen, Column, Contents, Inputs, Wanted};
use eigensweep_inputs::{Blocks, InputError};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};

fn chosen(columns: &[&str]) -> Chosen {
    Chosen { columns: columns.iter().map(|&name| name.to_owned()).collect(), ..Chosen::default() }
}

fn written_with(columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, of)| (name, of, true)))
            .unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn written(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    written_with(columns, WriterProperties::default())
}

fn read(bytes: &[u8], columns: &[&str], wanted: &[Option<&str>]) -> Result<Contents, InputError> {
    let inputs = chosen(columns);
    let wanted = Wanted { inputs: Some(&inputs), columns: wanted };
    table_from(bytes.to_vec(), Path::new("data.parquet"), &wanted)
}

fn inputs(bytes: &[u8], columns: &[&str]) -> Inputs {
    read(bytes, columns, &[]).unwrap().inputs.unwrap()
}

fn column(bytes: &[u8], name: Option<&str>) -> Result<Column, InputError> {
    let wanted = Wanted { inputs: None, columns: &[name] };
    table_from(bytes.to_vec(), Path::new("data.parquet"), &wanted)
        .map(|mut contents| contents.columns.remove(0))
}

fn values(rows: &dyn Blocks) -> Vec<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    values
}

/// A refusal says all of that.
fn refused(result: Result<impl std::fmt::Debug, InputError>, parts: &[&str]) {
    let message = result.unwrap_err().to_string();
    for part in ["data.parquet"].iter().chain(parts) {
        assert!(message.contains(part), "`{part}` is missing: {message}");
    }
}

/// Files of pandas, polars and DuckDB, and beside each, a line a column, what polars read of them.
#[test]
fn files_of_others_are_read_as_polars_reads_them() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut compared = 0;
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "parquet") {
            continue;
        }
        let expected = fs::read_to_string(path.with_extension("parquet.txt")).unwrap();
        for line in expected.lines() {
            let mut fields = line.split('\t');
            let (name, kind) = (fields.next().unwrap(), fields.next().unwrap());
            let numbers = || fields.clone().map(|field| field.parse().unwrap()).collect::<Vec<f64>>();
            let place = format!("{}: {name}", path.display());
            if kind == "w" {
                let wanted = Wanted { inputs: None, columns: &[Some(name)] };
                let found = (PARQUET.read)(&path, &wanted).unwrap().columns.remove(0);
                assert_eq!(found, Column::Words(fields.map(str::to_owned).collect()), "{place}");
            } else {
                let inputs = chosen(&[name]);
                let wanted = Wanted { inputs: Some(&inputs), columns: &[] };
                let found = (PARQUET.read)(&path, &wanted).unwrap().inputs.unwrap();
                assert_eq!(values(&*found.rows), numbers(), "{place}");
                if kind == "n" {
                    let wanted = Wanted { inputs: None, columns: &[Some(name)] };
                    let found = (PARQUET.read)(&path, &wanted).unwrap().columns.remove(0);
                    assert_eq!(found, Column::Numbers(numbers()), "{place}");
                }
            }
            compared += 1;
        }
    }
    assert!(compared >= 15, "{compared}");
}

fn halves(values: &[f32]) -> ArrayRef {
    let bits = |value: &f32| <Float16Type as ArrowPrimitiveType>::Native::from_f32(*value);
    Arc::new(Float16Array::from_iter_values(values.iter().map(bits)))
}

#[test]
fn the_least_type_that_has_all_numbers_is_held() {
    let bytes = || Arc::new(UInt8Array::from(vec![0, 255])) as ArrayRef;
    let least = |columns: Vec<(&str, ArrayRef)>| {
        let rows = inputs(&written(columns), &[]).rows;
        (rows.bytes() / 4, rows.bounds(), values(&*rows))
    };
    assert_eq!(
        least(vec![("a", bytes()), ("b", bytes())]),
        (1, Some([0.0, 255.0]), vec![0.0, 0.0, 255.0, 255.0])
    );
    for (other, size, expected) in [
        (Arc::new(Int64Array::from(vec![3, 4])) as ArrayRef, 1, [3.0, 4.0]),
        (Arc::new(BooleanArray::from(vec![true, false])), 1, [1.0, 0.0]),
        (Arc::new(Int8Array::from(vec![-3, 4])), 4, [-3.0, 4.0]),
        (Arc::new(UInt16Array::from(vec![3, 60_000])), 4, [3.0, 60_000.0]),
        (Arc::new(Int32Array::from(vec![3, 1 << 24 | 1])), 8, [3.0, 16_777_217.0]),
        (Arc::new(UInt64Array::from(vec![1 << 53, 0])), 4, [9_007_199_254_740_992.0, 0.0]),
        (halves(&[0.5, 2.0]), 4, [0.5, 2.0]),
        (Arc::new(Float32Array::from(vec![1.0, 2.0])), 4, [1.0, 2.0]),
        (Arc::new(Float64Array::from(vec![1.0, 2.0])), 8, [1.0, 2.0]),
    ] {
        let kind = other.data_type().clone();
        let expected = vec![0.0, expected[0], 255.0, expected[1]];
        assert_eq!(least(vec![("a", bytes()), ("b", other)]), (size, None, expected), "{kind}");
    }
    let decimals = Decimal128Array::from(vec![10, -12_345]).with_precision_and_scale(12, 2).unwrap();
    assert_eq!(
        least(vec![("a", bytes()), ("b", Arc::new(decimals))]),
        (8, None, vec![0.0, 0.1, 255.0, -123.45])
    );
}

/// Forty columns of seven row groups, of which one is empty, packed in every way.
#[test]
fn row_groups_pages_and_codecs_do_not_matter() {
    let rows = 20_003;
    let names: Vec<String> = (0..40).map(|at| format!("x{at}")).collect();
    let value = |row: usize, at: usize| (row * 40 + at) as f32 * 0.37 - 1000.0;
    let columns = || {
        let column =
            |at| Arc::new(Float32Array::from_iter_values((0..rows).map(|row| value(row, at)))) as ArrayRef;
        names.iter().enumerate().map(|(at, name)| (&**name, column(at))).collect::<Vec<_>>()
    };
    let expected: Vec<f64> =
        (0..rows).flat_map(|row| (0..40).map(move |at| f64::from(value(row, at)))).collect();
    for codec in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
    ] {
        let version = if codec == Compression::SNAPPY {
            WriterVersion::PARQUET_2_0
        } else {
            WriterVersion::PARQUET_1_0
        };
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_max_row_group_row_count(Some(3000))
            .set_data_page_row_count_limit(700)
            .set_writer_version(version)
            .build();
        let found = inputs(&written_with(columns(), properties), &[]);
        assert!(values(&*found.rows) == expected, "{codec}");
        assert_eq!(found.names, names);
    }
}

#[test]
fn columns_are_chosen_by_patterns_and_words_are_labels() {
    let words = || StringArray::from(vec!["T", "B", "T"]);
    let categories: DictionaryArray<Int32Type> = vec!["b", "a", "b"].into_iter().collect();
    let bytes = written(vec![
        ("label", Arc::new(words())),
        ("p1", Arc::new(Float32Array::from(vec![0.5, 1.5, 2.5]))),
        ("id", Arc::new(Int64Array::from(vec![7, 8, 9]))),
        ("p2", Arc::new(Float32Array::from(vec![3.5, 4.5, 5.5]))),
        ("large", Arc::new(LargeStringArray::from(vec!["x", "y", ""]))),
        ("cat", Arc::new(categories)),
    ]);
    let contents =
        read(&bytes, &["p*"], &[Some("cat"), Some("id"), Some("label"), Some("id"), Some("large")]).unwrap();
    let of = |words: [&str; 3]| Column::Words(words.map(str::to_owned).to_vec());
    let ids = Column::Numbers(vec![7.0, 8.0, 9.0]);
    assert_eq!(
        contents.columns,
        [of(["b", "a", "b"]), ids.clone(), of(["T", "B", "T"]), ids, of(["x", "y", ""])]
    );
    let found = contents.inputs.unwrap();
    assert_eq!(
        (found.names, values(&*found.rows)),
        (vec!["p1".into(), "p2".into()], vec![0.5, 3.5, 1.5, 4.5, 2.5, 5.5])
    );
    assert_eq!(column(&written(vec![("only", Arc::new(words()))]), None).unwrap(), of(["T", "B", "T"]));
    refused(column(&bytes, None), &["there are 6: `label`, `p1`", "{ file = \"…\", column = \"…\" }"]);
    refused(column(&bytes, Some("lable")), &["no column `lable`", "did you mean `label`?"]);
    refused(read(&bytes, &["q*"], &[]), &["no column like `q*`"]);
    refused(
        read(&bytes, &[], &[]),
        &["column `label`", "it holds words", "columns = [\"!label\"]", "labels = \"label\""],
    );
}

fn lists(rows: &[Option<&[Option<f32>]>]) -> ArrayRef {
    let lists = rows.iter().map(|row| row.map(|row| row.to_vec()));
    Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(lists))
}

#[test]
fn a_column_of_lists_is_the_matrix() {
    let rows = 5000;
    let mut fixed = FixedSizeListBuilder::new(Float32Builder::new(), 3);
    let mut free = ListBuilder::new(Float32Builder::new());
    for row in 0..rows {
        for at in 0..3 {
            fixed.values().append_value((3 * row + at) as f32);
            free.values().append_value((3 * row + at) as f32);
        }
        fixed.append(true);
        free.append(true);
    }
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let bytes = written_with(
        vec![("id", ids), ("fixed", Arc::new(fixed.finish())), ("free", Arc::new(free.finish()))],
        WriterProperties::builder().set_max_row_group_row_count(Some(1900)).build(),
    );
    let expected: Vec<f64> = (0..3 * rows).map(|value| value as f64).collect();
    for name in ["fixed", "free"] {
        let found = inputs(&bytes, &[name]).rows;
        assert_eq!((found.samples(), found.features(), found.bytes()), (5000, 3, 60_000));
        assert!(values(&*found) == expected);
    }
    refused(
        read(&bytes, &[], &[]),
        &["column `fixed`", "lists, beside other inputs", "columns = [\"fixed\"]", "columns = [\"!fixed\"]"],
    );
    refused(column(&bytes, Some("free")), &["column `free`", "labels and groups are numbers or words"]);
}

#[test]
fn lists_of_several_lengths_or_with_nulls_are_refused() {
    let some = |values: &[f32]| values.iter().map(|&value| Some(value)).collect::<Vec<_>>();
    let (two, three, one) = (some(&[1.0, 2.0]), some(&[1.0, 2.0, 3.0]), some(&[1.0]));
    for (rows, parts) in [
        (
            vec![Some(&two[..]), Some(&three)],
            ["row 1 (from 0), column `e`", "3 numbers, where the first has 2"],
        ),
        (vec![Some(&three), Some(&one), Some(&two)], ["row 1 (from 0)", "1 numbers, where the first has 3"]),
        (vec![Some(&two), Some(&two), Some(&[])], ["row 2 (from 0)", "0 numbers, where the first has 2"]),
        (vec![Some(&two), None, Some(&two)], ["row 1 (from 0)", "null (the only such value)"]),
        (vec![Some(&two), Some(&[None, None])], ["row 1 (from 0)", "null (one of 2 such values)"]),
        (vec![Some(&two), Some(&[Some(1.0), Some(f32::NAN)])], ["row 1 (from 0), column `e`", "NaN"]),
    ] {
        refused(read(&written(vec![("e", lists(&rows))]), &[], &[]), &parts);
    }
}

#[test]
fn what_is_missing_or_not_finite_is_refused_with_its_place() {
    let full: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0]));
    let with = |values: Vec<Option<f64>>| {
        written(vec![("x", Arc::clone(&full)), ("y", Arc::new(Float64Array::from(values)))])
    };
    let gaps = with(vec![Some(1.0), None, None]);
    let parts = ["row 1 (from 0), column `y`", "null (one of 2 such values)", "columns = [\"!y\"]"];
    refused(read(&gaps, &[], &[]), &parts);
    refused(column(&gaps, Some("y")), &parts[..2]);
    assert_eq!(values(&*inputs(&gaps, &["!y"]).rows), [1.0, 2.0, 3.0]);
    for bad in [f64::NAN, f64::INFINITY] {
        let bytes = with(vec![Some(1.0), Some(2.0), Some(bad)]);
        refused(read(&bytes, &[], &[]), &["row 2 (from 0), column `y`", &bad.to_string()]);
        refused(column(&bytes, Some("y")), &["row 2 (from 0), column `y`"]);
        // Of labels, and of the only inputs, the column cannot be left out.
        for result in [
            read(&gaps, &[], &[Some("y")]),
            read(&bytes, &[], &[Some("y")]),
            read(&bytes, &["y"], &[]),
            read(&gaps, &["y"], &[]),
        ] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains("leave such rows out") && !message.contains("columns = "), "{message}");
        }
    }
    let words: ArrayRef = Arc::new(StringArray::from(vec!["a"]));
    refused(read(&written(vec![("w", words)]), &[], &[]), &["it holds words", "with columns of numbers"]);
    let big: ArrayRef = Arc::new(Int64Array::from(vec![1, 1 << 53 | 1]));
    refused(
        read(&written(vec![("n", big)]), &[], &[]),
        &["row 1 (from 0), column `n`", "9007199254740993", "2^53"],
    );
}

#[test]
fn other_types_are_refused_with_a_remedy() {
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let inner = RecordBatch::try_from_iter([("a", Arc::clone(&numbers))]).unwrap();
    for other in [Arc::new(Date32Array::from(vec![1])) as ArrayRef, Arc::new(StructArray::from(inner))] {
        let bytes = written(vec![("x", Arc::clone(&numbers)), ("other", other)]);
        refused(read(&bytes, &[], &[]), &["column `other`", "inputs are numbers", "columns = [\"!other\"]"]);
        refused(column(&bytes, Some("other")), &["column `other`", "numbers or words"]);
        assert_eq!(values(&*inputs(&bytes, &["x"]).rows), [1.0]);
    }
}

#[test]
fn the_index_that_pandas_writes_is_no_input_unless_it_is_named() {
    let column = |value| Arc::new(Float64Array::from(vec![value])) as ArrayRef;
    let bytes = written(vec![("x", column(1.0)), ("__index_level_0__", column(5.0))]);
    assert_eq!(values(&*inputs(&bytes, &[]).rows), [1.0]);
    assert_eq!(values(&*inputs(&bytes, &["x", "__index_level_0__"]).rows), [1.0, 5.0]);
    refused(read(&written(vec![("__index_level_0__", column(5.0))]), &[], &[]), &["index of pandas"]);
}

#[test]
fn files_without_rows_are_refused() {
    let bytes = written(vec![("x", Arc::new(Float64Array::from(Vec::<f64>::new())))]);
    refused(read(&bytes, &[], &[]), &["there are no rows"]);
}

#[test]
fn what_is_no_parquet_file_is_named() {
    for (bytes, part) in [
        (&b""[..], "a file of no known format"),
        (b"a,b\n1,2\n", "text in columns"),
        (b"\x93NUMPY\x01\0", "a NumPy array"),
        (b"PAR1", "does not end with a footer"),
        (b"PAR1\x00\x00\x00\x00PAR1", "footer"),
        (b"PAR1\xff\xff\xff\xffPAR1", "does not end with a footer"),
        // A footer whose list of row groups has 2^31 entries.
        (b"PAR1\x49\xfc\xff\xff\xff\xff\x07\x00\x08\x00\x00\x00PAR1", "its lists are longer"),
    ] {
        refused(read(bytes, &[], &[]), &[part]);
    }
}

#[test]
fn every_cut_and_every_turned_bit_is_an_error_or_some_table() {
    let bytes = written(vec![
        ("x", Arc::new(Float64Array::from_iter_values((0..50).map(f64::from)))),
        ("e", lists(&vec![Some(&[Some(1.0), Some(2.0)][..]); 50])),
        ("w", Arc::new(StringArray::from(vec!["word"; 50]))),
    ]);
    for end in 0..bytes.len() {
        refused(read(&bytes[..end], &["x"], &[Some("w")]), &[]);
    }
    for at in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[at] ^= 1 << (at % 8);
        for columns in ["x", "e"] {
            drop(read(&bent, &[columns], &[Some("w")]));
        }
    }
}

/// pyarrow stamps pages with checksums if it is asked to; so does this.
#[test]
fn a_page_with_a_wrong_checksum_is_refused() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/checksum.parquet");
    let mut bytes = fs::read(path).unwrap();
    assert_eq!(values(&*inputs(&bytes, &[]).rows), [1.0, 2.0, 3.0]);
    let at = bytes.windows(8).position(|window| window == 2.0_f64.to_le_bytes()).unwrap();
    bytes[at + 3] ^= 1;
    refused(read(&bytes, &[], &[]), &["column", "`x`", "CRC"]);
}

#[test]
fn a_page_that_declares_more_than_its_bytes_can_hold_is_refused() {
    let column: ArrayRef = Arc::new(Float64Array::from_iter_values((0..20).map(f64::from)));
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_dictionary_enabled(false);
    let mut bytes = written_with(vec![("x", column)], properties.build());
    // The first page's header follows the mark: its kind, then its size unpacked as a zigzag
    // varint.
    assert!(bytes[4..7] == [0x15, 0, 0x15] && bytes[7] >= 0x80 && bytes[8] < 0x80, "{:?}", &bytes[4..9]);
    (bytes[7], bytes[8]) = (0xfe, 0x7f);
    refused(read(&bytes, &[], &[]), &["column `x`", "a page declares more than its bytes can hold"]);
}

#[test]
fn texts_whose_lengths_are_packed_are_read() {
    let words: Vec<String> = (0..3001).map(|row| "type".repeat(row % 7) + &row.to_string()).collect();
    for encoding in [Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for nullable in [false, true] {
                let texts = words.iter().enumerate();
                let texts = texts.map(|(row, word)| (!nullable || row % 5 > 0).then_some(word));
                let columns: Vec<(&str, ArrayRef)> = vec![
                    ("x", Arc::new(Int64Array::from_iter_values(0..3001))),
                    ("w", Arc::new(StringArray::from_iter(texts))),
                ];
                let properties = WriterProperties::builder()
                    .set_dictionary_enabled(false)
                    .set_column_encoding("w".into(), encoding)
                    .set_writer_version(version)
                    .set_compression(Compression::SNAPPY)
                    .set_data_page_row_count_limit(700);
                let found = read(&written_with(columns, properties.build()), &["x"], &[Some("w")]);
                if nullable {
                    refused(found, &["row 0", "column `w`", "one of 601 such values"]);
                } else {
                    assert_eq!(found.unwrap().columns, [Column::Words(words.clone())], "{encoding}");
                }
            }
        }
    }
}

/// The decoder would allocate 131 GB for the lengths that a page of 110 bytes declares.
#[test]
fn a_page_that_declares_more_lengths_than_values_is_refused() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/parquet");
    let bytes = fs::read(corpus.join("many_lengths")).unwrap();
    refused(column(&bytes, Some("w")), &["column `w`", "more lengths of texts than it has values"]);
}
