//! Text in columns: what is read, and what is refused.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use std::io::Write;
use std::path::Path;

use eigensweep_inputs::readers::csv::table_from;
use eigensweep_inputs::readers::{Chosen, Column, Contents, Inputs, Wanted};
use eigensweep_inputs::{Blocks, InputError};
use eigensweep_testkit::random::Random;
use flate2::Compression;
use flate2::write::GzEncoder;

fn chosen(columns: &[&str]) -> Chosen {
    Chosen { columns: columns.iter().map(|&name| name.to_owned()).collect(), ..Chosen::default() }
}

fn read(text: &[u8], columns: &[&str], wanted: &[Option<&str>]) -> Result<Contents, InputError> {
    let inputs = Some(&chosen(columns));
    table_from(
        text,
        Path::new("data.csv"),
        &Wanted { inputs: inputs.map(|of| of as &Chosen), columns: wanted },
    )
}

fn inputs(text: &[u8], columns: &[&str]) -> Inputs {
    read(text, columns, &[]).unwrap().inputs.unwrap()
}

fn column(text: &[u8], name: Option<&str>) -> Result<Column, InputError> {
    let wanted = Wanted { inputs: None, columns: &[name] };
    table_from(text, Path::new("data.csv"), &wanted).map(|mut contents| contents.columns.remove(0))
}

fn values(rows: &dyn Blocks) -> Vec<f64> {
    let mut values = vec![0.0; rows.samples() * rows.features()];
    rows.write_rows(0, &mut values);
    values
}

fn words(words: &[&str]) -> Column {
    Column::Words(words.iter().map(|&word| word.to_owned()).collect())
}

/// A refusal says all of that.
fn refused(result: Result<impl std::fmt::Debug, InputError>, parts: &[&str]) {
    let message = result.unwrap_err().to_string();
    for part in ["data.csv"].iter().chain(parts) {
        assert!(message.contains(part), "`{part}` is missing: {message}");
    }
}

#[test]
fn every_delimiter_is_told_by_the_first_line() {
    for text in [
        "x,y\n1,-2.5\n3,4e2\n",
        "x;y\n1;-2.5\n3;4e2\n",
        "x\ty\n1\t-2.5\n3\t4e2\n",
        "x|y\n1|-2.5\n3|4e2\n",
        "x y\n1 -2.5\n3 4e2\n",
        "# made by NumPy\n# x y\n1 -2.5\n3   4e2\n",
        "#x,y\n1,-2.5\n3,4e2",
        "\u{feff}x,y\r\n1,-2.5\r\n3,4e2\r\n\r\n",
        "\n\"x\",\"y\"\n\"1\",\" -2.5\"\n\n+3 ,4E+02\n\n\n",
        "x , y\n1, -2.5\n3, 400.0".replace("x , y", "x,y").as_str(),
    ] {
        let found = inputs(text.as_bytes(), &[]);
        assert_eq!(found.names, ["x", "y"], "{text}");
        assert_eq!(values(&*found.rows), [1.0, -2.5, 3.0, 400.0], "{text}");
        assert_eq!((found.rows.samples(), found.rows.features(), found.rows.bytes()), (2, 2, 16));
    }
}

#[test]
fn without_names_columns_are_called_by_their_places() {
    let found = inputs(b"1,2,3\n4,5,6\n", &["!1"]);
    assert_eq!(found.names, ["0", "2"]);
    assert_eq!(values(&*found.rows), [1.0, 3.0, 4.0, 6.0]);
    let found = inputs(b"  1.000e+00  2.500e+00\n -1.000e+00  0.000e+00\n", &[]);
    assert_eq!(values(&*found.rows), [1.0, 2.5, -1.0, 0.0]);
}

/// What pandas writes above an array without names.
#[test]
fn a_first_line_that_counts_to_three_or_more_is_names() {
    let found = inputs(b"0,1,2,3\n5,6,7,8\n", &["!0"]);
    assert_eq!(
        (found.names, values(&*found.rows)),
        (["1", "2", "3"].map(str::to_owned).to_vec(), vec![6.0, 7.0, 8.0])
    );
    assert_eq!(inputs(b"0,1,2\n5,6,7\n", &[]).rows.samples(), 2);
    assert_eq!(inputs(b"0,1,2,4\n5,6,7,8\n", &[]).rows.samples(), 2);
}

#[test]
fn bytes_stay_bytes_without_bounds_and_other_numbers_are_held_as_the_least_type() {
    for (text, bytes) in [("0,255\n7,8\n", 4), ("0.5,255\n7,8\n", 16), ("0.1,255\n7,8\n", 32)] {
        let found = inputs(text.as_bytes(), &[]);
        assert_eq!((found.rows.bytes(), found.rows.bounds()), (bytes, None), "{text}");
    }
}

#[test]
fn gzip_is_read_as_what_it_holds_and_cut_gzip_is_refused() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"x,y\n1,2\n").unwrap();
    let packed = encoder.finish().unwrap();
    assert_eq!(values(&*inputs(&packed, &[]).rows), [1.0, 2.0]);
    refused(read(&packed[..packed.len() - 3], &[], &[]), &["gzip", "cut short"]);
}

#[test]
fn doubles_that_were_written_come_back_with_their_bits() {
    let mut random = Random(3);
    let numbers: Vec<f64> = std::iter::repeat_with(|| {
        f64::from_bits((0..8).fold(0, |bits, _| bits << 8 | u64::from(random.byte())))
    })
    .filter(|number| number.is_finite())
    .take(3000)
    .collect();
    let shortest: String =
        numbers.as_chunks::<3>().0.iter().map(|[a, b, c]| format!("{a},{b:e},{c:?}\n")).collect();
    let seventeen: String =
        numbers.as_chunks::<3>().0.iter().map(|[a, b, c]| format!("{a:.17e},{b:.16e},{c:.18e}\n")).collect();
    for text in [shortest, seventeen] {
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values(&*inputs(text.as_bytes(), &[]).rows)), bits(&numbers));
    }
}

#[test]
fn columns_are_chosen_by_patterns_and_those_wanted_otherwise_are_no_inputs() {
    let text = b"id,p1,p2,label,batch\n9,1,2,a,0\n9,3,4,b,1\n";
    let contents = read(text, &["!id"], &[Some("label"), Some("batch"), Some("label")]).unwrap();
    assert_eq!(contents.inputs.as_ref().unwrap().names, ["p1", "p2"]);
    assert_eq!(contents.columns, [words(&["a", "b"]), Column::Numbers(vec![0.0, 1.0]), words(&["a", "b"])]);
    let found = inputs(text, &["p*", "!p1"]);
    assert_eq!((found.names, values(&*found.rows)), (vec!["p2".to_owned()], vec![2.0, 4.0]));
}

#[test]
fn a_first_column_without_a_name_that_counts_rows_is_left_out() {
    for text in [",x\n0,5\n1,6\n", "\"\",x\n1,5\n2,6\n"] {
        let found = inputs(text.as_bytes(), &[]);
        assert_eq!((found.names, values(&*found.rows)), (vec!["x".to_owned()], vec![5.0, 6.0]));
    }
    refused(read(b",x\n0,5\n7,6\n", &[], &[]), &["line 3, column 1 (without a name)", "`7`", "index=False"]);
    refused(read(b"\"\"\n0\n1\n", &[], &[]), &["numbers the rows", "`columns`"]);
}

#[test]
fn labels_keep_their_words_as_they_are_written() {
    let text = "x,y\n1,\"T cell, CD4\"\n2, NA\n3,\"a \"\"b\"\"\"\n4,NA\n";
    let expected = words(&["T cell, CD4", " NA", "a \"b\"", "NA"]);
    assert_eq!(column(text.as_bytes(), Some("y")).unwrap(), expected);
    let codes = column(b"x,y\n1,01\n2,1b\n", Some("y")).unwrap();
    assert_eq!(codes, words(&["01", "1b"]));
    assert_eq!(column(b"x,y\n1,01\n2,1.5\n", Some("y")).unwrap(), Column::Numbers(vec![1.0, 1.5]));
}

#[test]
fn the_only_column_of_a_file_may_have_a_name_or_not() {
    for (text, expected) in [
        ("cat\ndog\ncat\n", words(&["cat", "dog", "cat"])),
        ("kind\ncat\ndog\ncat\n", words(&["cat", "dog", "cat"])),
        ("B cell\r\nT cell\r\nB cell\r\n", words(&["B cell", "T cell", "B cell"])),
        ("alone\n", words(&["alone"])),
        ("kind\n3\n1\n", Column::Numbers(vec![3.0, 1.0])),
        ("3\n1\n\n", Column::Numbers(vec![3.0, 1.0])),
    ] {
        assert_eq!(column(text.as_bytes(), None).unwrap(), expected, "{text}");
    }
    refused(column(b"a,b\n1,2\n", None), &["there are 2: `a`, `b`", "{ file = \"…\", column = \"…\" }"]);
}

#[test]
fn words_among_the_inputs_are_refused_with_the_column_and_the_remedy() {
    refused(
        read(b"x,species\n1,setosa\n", &[], &[]),
        &[
            "line 2, column `species`",
            "`setosa` is no number",
            "columns = [\"!species\"]",
            "labels = \"species\"",
        ],
    );
    refused(read(b"x;y\n1,5;2,5\n", &[], &[]), &["line 2, column `x`", "with a point"]);
    refused(read(b"x,y\n1,1_000\n", &[], &[]), &["`1_000` is no number"]);
}

#[test]
fn missing_values_are_refused_with_the_first_place_and_their_number() {
    for mark in ["", "NA", "NaN", "nan", "null", "None", "<NA>", " "] {
        let text = format!("x,y\n1,2\n3,{mark}\n{mark},4\n");
        refused(
            read(text.as_bytes(), &[], &[]),
            &["line 3, column `y`", "missing", "the first of 2 such cells", "columns = [\"!y\"]"],
        );
    }
    refused(column(b"x,y\n1,a\n2,\n", Some("y")), &["line 3, column `y`", "the only such cell"]);
    refused(column(b"x,y\n1,2\n2,NA\n3,nan\n", Some("y")), &["line 3, column `y`", "the first of 2"]);
    refused(column(b"y\n1\n\n2\n", None), &["line 3", "empty"]);
    refused(column(b"y\r\n1\r\n\r\n2\r\n", None), &["line 3", "empty"]);
}

#[test]
fn infinite_numbers_are_refused() {
    for text in ["x,y\n1,inf\n", "x,y\n1,-Infinity\n", "x,y\n1,1e999\n"] {
        refused(read(text.as_bytes(), &[], &[]), &["line 2, column `y`", "is not finite"]);
    }
    refused(column(b"x,y\n1,2\n1,inf\n", Some("y")), &["line 3, column `y`"]);
}

#[test]
fn lines_of_another_length_are_refused() {
    for text in ["x,y\n1,2\n3\n", "x,y\n1,2\n3,4,5\n", "x,y\r\n1,2\r\n3,4,\r\n", "\n#\n1,\"2\n\"\n3\n"] {
        let line = if text.starts_with('\n') { "line 5" } else { "line 3" };
        refused(read(text.as_bytes(), &[], &[]), &[line, "fields, where the first line has 2"]);
    }
}

#[test]
fn names_that_are_missing_or_of_several_columns_are_refused() {
    let text = b"width,height,x,x\n1,2,3,3\n";
    refused(read(text, &["widht"], &[]), &["no column `widht`", "did you mean `width`?"]);
    refused(read(text, &["pixel*"], &[]), &["no column like `pixel*`", "there are 4: `width`, `height`"]);
    refused(read(text, &["!id"], &[]), &["no column `id`"]);
    refused(column(text, Some("class")), &["no column `class`"]);
    refused(read(text, &[], &[]), &["column `x`", "columns 3, 4 have this name"]);
    refused(column(text, Some("x")), &["columns 3, 4 have this name"]);
    assert_eq!(values(&*inputs(text, &["!x"]).rows), [1.0, 2.0]);
    refused(read(b"a,b\n1,2\n", &[], &[Some("a"), Some("b")]), &["none is left for the inputs of 2"]);
}

#[test]
fn what_is_no_table_is_named() {
    refused(read(b"", &[], &[]), &["there is no table"]);
    refused(read(b"# only\n\n", &[], &[]), &["there is no table"]);
    refused(read(b"x,y\n", &[], &[]), &["no rows"]);
    refused(read(b"\x93NUMPY\x01\0", &[], &[]), &["a NumPy array"]);
    refused(read(b"<!DOCTYPE html><p>404, sorry", &[], &[]), &["a web page"]);
    refused(read(b"\xff\xfex\0,\0y\0\n\0", &[], &[]), &["no known format", "UTF-8"]);
    refused(column(b"x,y\n1,caf\xe9\n", Some("y")), &["column `y`", "not in UTF-8"]);
}

#[test]
fn a_line_longer_than_every_buffer_is_read() {
    let n = 70_000;
    let names: Vec<String> = (0..n).map(|at| format!("gene{at}")).collect();
    let row: Vec<String> = (0..n).map(|at| (at % 256).to_string()).collect();
    let found = inputs(format!("{}\n{}\n", names.join(","), row.join(",")).as_bytes(), &[]);
    assert_eq!((found.names.len(), found.rows.features(), found.rows.bytes()), (n, n, n as u64));
    assert!(
        values(&*found.rows)
            .iter()
            .enumerate()
            .all(|(at, &value)| value.total_cmp(&((at % 256) as f64)).is_eq())
    );
}
