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

/// What pandas writes above an array without names, and what may be such a line.
#[test]
fn a_first_line_that_counts_is_names_or_a_row_only_where_that_is_certain() {
    let found = inputs(b"0,1,2,3\n5,6,7,8\n", &["!0"]);
    assert_eq!(
        (found.names, values(&*found.rows)),
        (["1", "2", "3"].map(str::to_owned).to_vec(), vec![6.0, 7.0, 8.0])
    );
    assert_eq!(inputs(b"\"0\",\"1\",\"2\",\"3\"\n0,1,2,3\n", &[]).rows.samples(), 1);
    assert_eq!(inputs(b"0,1,2,4\n5,6,7,8\n", &[]).rows.samples(), 2);
    // Of numpy.arange.
    for text in ["0,1\n2,3\n4,5\n", "0 1 2\n3 4 5", "0,1,2,3\n4,5,6,7\n", "\"0\";\"1\"\r\n\"2\";\"3\"\r\n"] {
        let all: Vec<f64> = values(&*inputs(text.as_bytes(), &[]).rows);
        assert_eq!(all, (0..all.len()).map(|at| at as f64).collect::<Vec<_>>(), "{text}");
    }
    for text in [
        "0,1,2\n5,6,7\n",
        "0,1\n0.1,0.995\n",
        "0,1\n",
        "0\t1\n0\t1\n",
        "0,1\n2,3\n5,4\n",
        "0,1,2,3\n4,5,6,7\n9,9,9,9\n",
    ] {
        refused(read(text.as_bytes(), &[], &[]), &["names that pandas gave, or a row", "add_prefix"]);
    }
    // The remedies.
    assert_eq!(inputs(b"x0,x1\n0,1\n0.1,0.995\n", &[]).rows.samples(), 2);
    assert_eq!(inputs(b"# x0,x1\n0,1\n0.1,0.995\n", &[]).rows.samples(), 2);
    assert_eq!(inputs(b",0,1\n0,5,6\n1,7,8\n", &[]).names, ["0", "1"]);
    assert_eq!(column(b"0\n1\n0\n", None).unwrap(), Column::Numbers(vec![0.0, 1.0, 0.0]));
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
        numbers.as_chunks::<3>().0.iter().map(|[a, b, c]| format!("{a:E},{b:e},{c:?}\n")).collect();
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
    for text in [b",x\n0,5\n7,6\n", b",x\n0,5\nb,6\n"] {
        let parts = ["line 3, column 1 (without a name)", "columns = [\"!\"]", "index=False"];
        refused(read(text, &[], &[]), &parts);
        assert_eq!(inputs(text, &["!"]).names, ["x"]);
    }
    refused(read(b",l\n0,a\n1,b\n", &[], &[Some("l")]), &["numbers the rows", "give it a name"]);
}

#[test]
fn the_only_column_is_the_inputs_with_a_name_or_without() {
    for text in [
        "1\n2\n3\n",
        "#\n1\n2\n3\n",
        "# \r\n1\r\n2\r\n3",
        "\"\"\n1\n2\n3\n",
        "v\n1\n2\n3\n",
        "# v\n1\n2\n3\n",
    ] {
        assert_eq!(values(&*inputs(text.as_bytes(), &[]).rows), [1.0, 2.0, 3.0], "{text}");
    }
}

#[test]
fn labels_keep_their_words_as_they_are_written() {
    let text = "x,y\n1,\"T cell, CD4\"\n2, Na\u{308}\n3,\"a \"\"b\"\"\"\n4,inf\n";
    let expected = words(&["T cell, CD4", " Na\u{308}", "a \"b\"", "inf"]);
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
    refused(read(b"species\nsetosa\n", &[], &[]), &["`setosa` is no number", "with columns of numbers"]);
    refused(read(b"x;y\n1,5;2,5\n", &[], &[]), &["line 2, column `x`", "with a point", "`1.5`"]);
}

#[test]
fn thousands_are_told_from_fractions() {
    for (cell, plain) in [
        ("0,5", "`0.5`"),
        ("-1234,5", "`-1234.5`"),
        ("1_000", "`1000`"),
        ("1,234,567", "`1234567`"),
        ("1,234.5", "`1234.5`"),
        ("1.234,5", "`1234.5`"),
        ("1.234.567", "`1234567`"),
        ("1 000", "`1000`"),
        ("1'000", "`1000`"),
        ("1,5e3", "`1.5e3`"),
    ] {
        let text = format!("x;y\n1;{cell}\n");
        refused(read(text.as_bytes(), &[], &[]), &["line 2, column `y`", "nothing between thousands", plain]);
    }
    let text = b"x,y\n1,\"1,000\"\n";
    refused(read(text, &[], &[]), &["`1000` if thousands are set apart", "`1.000` if the fraction is"]);
    for cell in ["1,2,3", "a,b", "12,34,567", ",", "-"] {
        let text = format!("x;y\n1;{cell}\n");
        refused(read(text.as_bytes(), &[], &[]), &["columns = [\"!y\"]", "labels = \"y\""]);
    }
}

#[test]
fn whole_numbers_that_no_double_holds_are_refused() {
    for cell in ["9007199254740993", "-9007199254740993", "+09007199254740993 ", "100000000000000000000001"] {
        let text = format!("x,y\n1,2\n3,{cell}\n");
        let parts = ["line 3, column `y`", "no double holds", "beyond 2^53"];
        refused(read(text.as_bytes(), &[], &[]), &parts);
        refused(column(text.as_bytes(), Some("y")), &parts);
    }
    for cell in [
        "9007199254740992",
        "-9007199254740994",
        "100000000000000000000",
        "9007199254740993.0",
        "0000000000000000001",
    ] {
        let text = format!("y\n1\n{cell}\n");
        assert_eq!(
            values(&*inputs(text.as_bytes(), &[]).rows)[1].to_bits(),
            cell.parse::<f64>().unwrap().to_bits()
        );
    }
    // Words may have any digits.
    assert_eq!(column(b"y\nd1\n9007199254740993\n", Some("y")).unwrap(), words(&["d1", "9007199254740993"]));
}

#[test]
fn quotes_that_stay_open_are_refused_where_they_open() {
    for (text, line) in [
        ("a,l\n1,\"x\n2,z\n", "line 2"),
        ("a,l\n1,x\n2,\"z", "line 3"),
        ("a,l\n1,x\n2,\"z\n\n\n", "line 3"),
        ("a,l,m\n1,\"x\ny\",\"z\n2,x,y\n", "line 3"),
        ("a,l\n1,\"x\"\"\n2,z\n", "line 2"),
        ("a,\"l\n1,2\n", "line 1"),
    ] {
        refused(read(text.as_bytes(), &["a"], &[]), &[line, "a quote opens that is closed nowhere"]);
    }
    // Closed by the next one.
    let text = b"a,l\n1,\"x\n2,\"z\"\n";
    refused(column(text, Some("l")), &["line 2, column `l`", "over several lines", "close the quote"]);
    for text in ["a,l\n1,\"x\"", "a,l\n1,\"x\"\n", "a,l\r\n1,\"x\"\r\n", "a,l\n1,x\r", "a,l\n\n1,x\n\n"] {
        assert_eq!(column(text.as_bytes(), Some("l")).unwrap(), words(&["x"]), "{text:?}");
    }
    assert_eq!(column(b"a,l\n1,", Some("a")).unwrap(), Column::Numbers(vec![1.0]));
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
    for mark in ["", "NA", "NaN", "-nan", "none"] {
        // Of labels, the column cannot be left out; nor can the only one of the inputs.
        let text = format!("x,z,l\n1,1,a\n2,2,{mark}\n");
        for result in
            [read(text.as_bytes(), &[], &[Some("l")]), read(format!("x\n1\n{mark} \n").as_bytes(), &[], &[])]
        {
            let message = result.unwrap_err().to_string();
            assert!(message.contains("fill it in") && !message.contains("columns = "), "{message}");
        }
    }
    refused(column(b"x,y\n1,2\n2,NA\n3,nan\n", Some("y")), &["line 3, column `y`", "the first of 2"]);
    for text in ["B\nNA\nB\n", "NA\nB\nC\n", "nan\n1\n2\n", "NA\n1\n2\n", "B\nT\nnan\n"] {
        let parts = ["the value is missing", "a class that is called `", "needs another name"];
        refused(column(text.as_bytes(), None), &parts);
    }
    // A first row, and no names.
    refused(read(b"1,NA,3\n4,5,6\n", &[], &[]), &["line 1, column `1`", "missing"]);
    refused(read(b"1,,3\n4,5,6\n", &[], &[]), &["line 1, column `1`", "missing"]);
    refused(column(b"y\n1\n\n2\n", None), &["line 3", "empty"]);
    refused(column(b"y\r\n1\r\n\r\n2\r\n", None), &["line 3", "empty"]);
}

#[test]
fn infinite_numbers_are_refused() {
    for text in ["x,y\n1,inf\n", "x,y\n1,-Infinity\n", "x,y\n1,1e999\n"] {
        refused(read(text.as_bytes(), &[], &[]), &["line 2, column `y`", "is not finite"]);
    }
    refused(column(b"x,y\n1,2\n1,inf\n", Some("y")), &["line 3, column `y`", "`inf` is not finite"]);
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
    let parts = ["none is left for the inputs of 2", "beside those of labels"];
    refused(read(b"a,b\n1,2\n", &[], &[Some("a"), Some("b")]), &parts);
}

#[test]
fn what_is_no_table_is_named() {
    refused(read(b"", &[], &[]), &["there is no table"]);
    refused(read(b"# only\n\n", &[], &[]), &["there is no table"]);
    refused(read(b"x,y\n", &[], &[]), &["no rows"]);
    refused(read(b"\x93NUMPY\x01\0", &[], &[]), &["a NumPy array"]);
    refused(read(b"<!DOCTYPE html><p>404, sorry", &[], &[]), &["a web page"]);
}

#[test]
fn text_that_is_not_in_utf_8_is_told_with_its_place_and_what_converts_it() {
    let wide = |bytes: fn(u16) -> [u8; 2]| "x,y\n1,2\n".encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    for text in [[b"\xff\xfe", &*little].concat(), [b"\xfe\xff", &*big].concat()] {
        refused(read(&text, &[], &[]), &["text in UTF-16", "`iconv -f UTF-16 -t UTF-8`"]);
    }
    refused(read(&little, &[], &[]), &["text in UTF-16", "`iconv -f UTF-16LE -t UTF-8`"]);
    refused(read(&big, &[], &[]), &["text in UTF-16", "`iconv -f UTF-16BE -t UTF-8`"]);
    refused(read(b"x,y\n1,\x002\n", &[], &[]), &["a NUL byte at byte 6 (from 0, line 2)", "UTF-8"]);
    // Beyond what is looked at.
    let long = |cell: &[u8]| [b"x,y\n", &b"1,2\n".repeat(400)[..], b"1,", cell, b"\n"].concat();
    for cell in [&b"\0"[..], b"2\0", b"caf\xe9"] {
        let problem = if cell.contains(&0) { "NUL" } else { "not in UTF-8 (byte e9)" };
        refused(read(&long(cell), &[], &[]), &["line 402, column `y`", problem]);
        refused(column(&long(cell), Some("y")), &["line 402, column `y`", problem]);
    }
    refused(column(b"x,y\n1,caf\xe9\n", Some("y")), &["line 2, column `y`", "LATIN1", "encoding=\"utf-8\""]);
    refused(column(b"x,caf\xe9\n1,2\n", Some("x")), &["line 1, name of column 2", "not in UTF-8"]);
    assert_eq!(column(b"x,y\n1,caf\xe9\n", Some("x")).unwrap(), Column::Numbers(vec![1.0]));
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

/// Where a record fills a buffer, its end comes in another call of the parser.
#[test]
fn a_last_line_without_an_end_is_read_whatever_its_length() {
    for n in [255, 256, 257, 511, 512, 513] {
        let found = inputs(vec!["7"; n].join(",").as_bytes(), &[]);
        assert_eq!((found.rows.samples(), found.rows.features()), (1, n));
        let open = format!("{},\"7", vec!["7"; n - 1].join(","));
        refused(read(open.as_bytes(), &[], &[]), &["line 1", "closed nowhere"]);
    }
    for n in 4090..4100 {
        let word = "w".repeat(n);
        assert_eq!(column(format!("l\n{word}").as_bytes(), Some("l")).unwrap(), words(&[&word]));
        refused(column(format!("l\n\"{word}").as_bytes(), Some("l")), &["line 2", "closed nowhere"]);
    }
}
