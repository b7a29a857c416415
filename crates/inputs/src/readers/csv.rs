//! Reader of text in columns: CSV, and what `numpy.savetxt` writes.
//!
//! | what | how it is told |
//! |---|---|
//! | gzip | by the magic 1f 8b |
//! | delimiter | the first line: a tab, `;`, `,` or `\|` in it, in this order; else blanks, if it or the next line is several numbers with blanks between them |
//! | names | the first record, if any of its fields is no number, or if it is 0, 1, 2, 3, … (pandas); else columns are called so |
//! | comments | lines before the first record that begin with `#`; the last of them is the names if it has as many fields as a first record of numbers |
//! | row numbers | a first column without a name that counts rows from 0 or 1 is left out, if it would be an input |
//!
//! A byte order mark, CRLF, quotes, empty lines and blanks around numbers are taken as they come.
//! The only column of a file that is asked for without a name may do without one, too: a first word
//! that comes again below is a value.
//!
//! Numbers are the doubles nearest to what is written, and are held as the least type that has all
//! of them ([`Compact`]). What is missing (an empty cell, `NA`, `NaN`, `null`, …) and what is
//! infinite is refused.
//!
//! **Cost.** One pass; memory for the numbers that came so far, and for one line.

use std::io::{BufRead, Cursor, Read};
use std::path::Path;

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::choose::places;
use super::{Choice, Column, Contents, INPUTS, Inputs, Reader, Wanted, one_file};
use crate::files::{self, Unpacked, read_up_to};
use crate::memory::may_fail;
use crate::{Compact, InputError, formats};

/// Text in columns.
pub static CSV: Reader = Reader {
    name: "csv",
    help: "text in columns (CSV, TSV, numpy.savetxt), plain or gzip",
    inputs: INPUTS,
    choices: &[Choice::Columns],
    columns: true,
    images: false,
    samples: "rows",
    features: "columns",
    files: one_file,
    read,
};

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let (file, _) = files::open(path)?;
    table_from(file, path, wanted)
}

/// Bytes that a line may have: what is longer is no table, or a bomb.
const MAX_LINE: usize = 1 << 28;

/// What a column is for.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Nothing,
    Input,
    /// It counts rows.
    Count,
    /// It is the text of that number.
    Text(usize),
}

/// Reads what is wanted of text in columns; `path` is for messages only.
///
/// ```
/// use eigensweep_inputs::readers::{Chosen, Wanted, csv::table_from};
///
/// let text = "id,x,y,kind\n7,0.5,1,a\n8,2,3,b\n".as_bytes();
/// let chosen = Chosen { columns: vec!["!id".into()], ..Chosen::default() };
/// let wanted = Wanted { inputs: Some(&chosen), columns: &[Some("kind")] };
/// let contents = table_from(text, "data.csv".as_ref(), &wanted)?;
/// assert_eq!(contents.inputs.ok_or("none")?.names, ["x", "y"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// * [`InputError::Io`], [`InputError::Gzip`]: it cannot be read.
/// * [`InputError::OtherFormat`]: it is no text.
/// * [`InputError::NoSuch`]: there is no column of a name.
/// * [`InputError::Unreadable`]: lines differ in length, a cell that is needed is missing, infinite,
///   or no number, a name is of several columns, or there are no rows.
pub fn table_from(source: impl Read, path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let gzip_unknown = |source| files::failed(path, false, source);
    let Unpacked { source, gzip } = files::unpacked(source).map_err(gzip_unknown)?;
    let mut table = Table::begin(source, gzip, path)?;
    let Some(fields) = table.next()? else {
        return Err(table.refused(format!("line {}", table.line), "there is no table", "give one"));
    };
    let headed = table.fields().any(|field| number(field).is_none()) || table.counts();
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    let mut names: Vec<String> = if headed {
        table.fields().map(text).collect()
    } else {
        let commented = table.commented_names();
        if commented.len() == fields { commented } else { (0..fields).map(|at| at.to_string()).collect() }
    };
    // A word above one column is its name, unless it comes again.
    let first_word = (headed && fields == 1 && wanted.columns.contains(&None)).then(|| names[0].clone());
    let places = places(path, &names, wanted)?;

    let mut roles = vec![Role::Nothing; fields];
    for &at in &places.inputs {
        roles[at] = if at == 0 && names[0].is_empty() { Role::Count } else { Role::Input };
    }
    let mut texts: Vec<Texts> = Vec::new();
    let mut text_of = Vec::new();
    for &at in &places.wanted {
        if let Role::Text(text) = roles[at] {
            text_of.push(text);
        } else {
            roles[at] = Role::Text(texts.len());
            text_of.push(texts.len());
            texts.push(Texts::default());
        }
    }
    let inputs = roles.iter().filter(|&&role| role == Role::Input).count();
    if wanted.inputs.is_some() && inputs == 0 {
        let problem = "the only column for the inputs has no name: it numbers the rows";
        return Err(table.refused("its columns".to_owned(), problem, "choose others with `columns`"));
    }

    let (mut values, mut rows, mut gaps) = (Compact::default(), 0_usize, Gaps::default());
    let mut more = if headed { table.next()? } else { Some(fields) };
    while let Some(found) = more {
        if found != fields {
            let place = format!("line {}", table.line);
            let problem = format!("there are {found} fields, where the first line has {fields}");
            return Err(table.refused(
                place,
                &problem,
                "give every line as many (quote what holds delimiters)",
            ));
        }
        for (at, (field, &role)) in table.fields().zip(&roles).enumerate() {
            match role {
                Role::Nothing => {}
                Role::Input => match number(field) {
                    Some(value) if value.is_finite() => {
                        if gaps.count == 0 {
                            values.push(value).map_err(|error| table.failed(error.into()))?;
                        }
                    }
                    Some(value) if value.is_infinite() => {
                        let problem = format!("`{}` is not finite", shown(field));
                        return Err(table.refused(
                            table.place(&names, at),
                            &problem,
                            "mend the number, or leave the line or the column out",
                        ));
                    }
                    Some(_) => gaps.add(table.line, at),
                    None if is_missing(field) => gaps.add(table.line, at),
                    None => return Err(table.word(&names, at, field)),
                },
                Role::Count => {
                    let counts = number(field).is_some_and(|value| {
                        [rows, rows + 1].map(|row| row as f64).iter().any(|row| row.total_cmp(&value).is_eq())
                    });
                    if !counts {
                        let remedy = "give it a name, or write the file without it (pandas: `index=False`)";
                        let problem = format!("`{}` is in a column without a name", shown(field));
                        return Err(table.refused(table.place(&names, at), &problem, remedy));
                    }
                }
                Role::Text(text) => {
                    texts[text].add(field, table.line).map_err(|error| table.failed(error.into()))?;
                }
            }
        }
        rows += 1;
        more = table.next()?;
    }
    if rows == 0 && first_word.is_none() {
        let place = format!("line {}", table.line);
        return Err(table.refused(place, "there are no rows below the names", "give a file with rows"));
    }
    if let Some((line, at)) = gaps.first {
        table.line = line;
        return Err(table.missing(&names, at, gaps.count));
    }

    let mut contents = Contents::default();
    let mut columns = Vec::new();
    for (text, texts) in texts.into_iter().enumerate() {
        let at = roles.iter().position(|&role| role == Role::Text(text)).unwrap_or(0);
        columns.push(texts.finish(&mut table, &names, at, first_word.as_deref())?);
    }
    contents.columns = text_of.iter().map(|&text| columns[text].clone()).collect();
    if wanted.inputs.is_some() {
        names =
            names.into_iter().zip(&roles).filter(|(_, role)| **role == Role::Input).map(|of| of.0).collect();
        contents.inputs = Some(Inputs { rows: values.into_rows(rows, inputs)?, names });
    }
    Ok(contents)
}

/// Cells of inputs where nothing is.
#[derive(Default)]
struct Gaps {
    /// Line and column of the first.
    first: Option<(u64, usize)>,
    count: u64,
}

impl Gaps {
    fn add(&mut self, line: u64, at: usize) {
        self.first.get_or_insert((line, at));
        self.count += 1;
    }
}

/// A column as it is written, one text after the other.
#[derive(Default)]
struct Texts {
    text: Vec<u8>,
    ends: Vec<usize>,
    /// Line of the first cell where there is nothing.
    empty: Option<u64>,
    empties: u64,
    /// Line of the first cell with a mark of what is missing, or infinite.
    odd: Option<u64>,
    odds: u64,
    /// Whether a cell is neither that nor a number.
    words: bool,
}

impl Texts {
    fn add(&mut self, field: &[u8], line: u64) -> Result<(), std::collections::TryReserveError> {
        if field.is_empty() {
            self.empty.get_or_insert(line);
            self.empties += 1;
        } else if !number(field).is_some_and(f64::is_finite) {
            if is_missing(field) || number(field).is_some() {
                self.odd.get_or_insert(line);
                self.odds += 1;
            } else {
                self.words = true;
            }
        }
        may_fail(|| self.text.try_reserve(field.len()).and_then(|()| self.ends.try_reserve(1)))?;
        self.text.extend_from_slice(field);
        self.ends.push(self.text.len());
        Ok(())
    }

    fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.text[start..end])
    }

    /// Numbers if all are, words otherwise; with the first word in front, if it comes again.
    fn finish(
        self,
        table: &mut Table<'_>,
        names: &[String],
        at: usize,
        first_word: Option<&str>,
    ) -> Result<Column, InputError> {
        // Words may be called like what is missing (`NA` is sodium), numbers may not.
        let odd = self.odd.filter(|_| !self.words).map(|line| (line, self.odds));
        if let Some((line, count)) = self.empty.map(|line| (line, self.empties)).or(odd) {
            table.line = line;
            return Err(table.missing(names, at, count));
        }
        let front = first_word.filter(|word| {
            self.ends.is_empty() || self.words && self.cells().any(|cell| cell == word.as_bytes())
        });
        if front.is_none() && !self.words {
            return Ok(Column::Numbers(self.cells().filter_map(number).collect()));
        }
        let words = front.map(str::as_bytes).into_iter().chain(self.cells());
        let words = words.map(|word| std::str::from_utf8(word).map(str::to_owned));
        words.collect::<Result<_, _>>().map(Column::Words).map_err(|_| {
            let place = format!("column `{}`", names[at]);
            table.refused(place, "a word is not in UTF-8", "convert the file to UTF-8")
        })
    }
}

/// A table that is read line by line.
struct Table<'a> {
    source: Box<dyn BufRead + 'a>,
    parser: csv_core::Reader,
    /// Whether blanks delimit, as many as there are.
    blanks: bool,
    delimiter: u8,
    gzip: bool,
    path: &'a Path,
    /// The comment in front of the table.
    comment: Vec<u8>,
    /// Fields of the record in hand, one after the other, and where they end.
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
    /// The line where the record in hand begins, from 1.
    line: u64,
    /// Whether a record was read.
    begun: bool,
    /// Whether it ended with a carriage return.
    returned: bool,
}

impl<'a> Table<'a> {
    /// Reads up to the table, and tells its delimiter.
    fn begin(mut source: Box<dyn BufRead + 'a>, gzip: bool, path: &'a Path) -> Result<Self, InputError> {
        let failed = |error| files::failed(path, gzip, error);
        let mut start = vec![0; formats::LOOKED_AT];
        let found = read_up_to(&mut source, &mut start).map_err(failed)?;
        start.truncate(found);
        if !formats::may_be_table(&start) {
            let found = formats::described(&start);
            return Err(InputError::OtherFormat {
                path: path.to_owned(),
                expected: "text in columns (CSV), in UTF-8, plain or gzip",
                found: if gzip { format!("gzip of {found}") } else { found },
            });
        }
        let mark = if start.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut cursor = Cursor::new(start);
        cursor.set_position(mark);
        let mut source: Box<dyn BufRead + 'a> = Box::new(cursor.chain(source));
        let (mut comment, mut line) = (Vec::new(), 1);
        let mut first = loop {
            let next = read_line(&mut source, path, gzip, line)?;
            let text = next.trim_ascii_start();
            if text.starts_with(b"#") {
                comment = text.trim_ascii_start()[1..].trim_ascii().to_vec();
            } else if !text.is_empty() || next.is_empty() {
                break next;
            }
            line += 1;
        };
        let second = read_line(&mut source, path, gzip, line + 1)?;
        let (delimiter, blanks) = delimiter_of(&first, &second);
        may_fail(|| first.try_reserve(second.len())).map_err(|error| failed(error.into()))?;
        first.extend(second);
        let mut parser = ReaderBuilder::new().delimiter(delimiter).build();
        parser.set_line(line);
        let source = Box::new(Cursor::new(first).chain(source));
        let (text, ends) = (vec![0; 1 << 12], vec![0; 1 << 8]);
        Ok(Self {
            source,
            parser,
            blanks,
            delimiter,
            gzip,
            path,
            comment,
            text,
            ends,
            fields: 0,
            line,
            begun: false,
            returned: false,
        })
    }

    /// The next record's number of fields.
    fn next(&mut self) -> Result<Option<usize>, InputError> {
        let (mut filled, mut fields) = (0, 0);
        // Of CRLF, the parser leaves the second byte to the next record.
        let before = self.parser.line() + u64::from(self.returned);
        let mut returned = false;
        self.line = before;
        loop {
            let input = self.source.fill_buf().map_err(|error| files::failed(self.path, self.gzip, error))?;
            // Empty lines belong to no record.
            if filled == 0 && fields == 0 {
                let empty = input.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
                self.line = self.parser.line() + empty.filter(|&&byte| byte == b'\n').count() as u64;
            }
            let (result, taken, written, ended) =
                self.parser.read_record(input, &mut self.text[filled..], &mut self.ends[fields..]);
            if let Some(&last) = input[..taken].last() {
                returned = last == b'\r';
            }
            self.source.consume(taken);
            filled += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.grow(true)?,
                ReadRecordResult::OutputEndsFull => self.grow(false)?,
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => break,
            }
        }
        self.fields = fields;
        if self.blanks {
            // Several blanks are one: fields between them are empty.
            let (mut kept, mut last) = (0, 0);
            for at in 0..fields {
                if self.ends[at] > last {
                    last = self.ends[at];
                    self.ends[kept] = last;
                    kept += 1;
                }
            }
            self.fields = kept;
        }
        // In a table of one column, an empty line is an empty cell, unless it is the last.
        if self.fields == 1 && self.begun && self.line > before {
            let place = format!("line {before}");
            return Err(self.refused(place, "the line is empty", "leave it out, or say what is missing"));
        }
        (self.begun, self.returned) = (true, returned);
        Ok(Some(self.fields))
    }

    fn grow(&mut self, text: bool) -> Result<(), InputError> {
        let length = if text { self.text.len() } else { self.ends.len() };
        if length >= MAX_LINE {
            return Err(too_long(self.path, self.line));
        }
        let grown = if text {
            may_fail(|| self.text.try_reserve_exact(length)).map(|()| self.text.resize(2 * length, 0))
        } else {
            may_fail(|| self.ends.try_reserve_exact(length)).map(|()| self.ends.resize(2 * length, 0))
        };
        grown.map_err(|error| self.failed(error.into()))
    }

    /// The fields of the record in hand.
    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let ends = &self.ends[..self.fields];
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, &end)| &self.text[start..end])
    }

    /// Whether the record in hand is 0, 1, 2, 3, …: the names that pandas gives to columns without.
    fn counts(&self) -> bool {
        self.fields > 3 && self.fields().enumerate().all(|(at, field)| field == at.to_string().as_bytes())
    }

    /// The names in the comment in front of the table.
    fn commented_names(&self) -> Vec<String> {
        let comment = String::from_utf8_lossy(&self.comment);
        let fields = comment.split(char::from(self.delimiter)).map(|name| name.trim().to_owned());
        fields.filter(|name| !(self.blanks && name.is_empty())).collect()
    }

    fn place(&self, names: &[String], at: usize) -> String {
        match &*names[at] {
            "" => format!("line {}, column {} (without a name)", self.line, at + 1),
            name => format!("line {}, column `{name}`", self.line),
        }
    }

    fn missing(&self, names: &[String], at: usize, count: u64) -> InputError {
        let others = match count {
            1 => "the only such cell".to_owned(),
            count => format!("the first of {count} such cells"),
        };
        let problem = format!("the value is missing ({others})");
        let remedy = format!(
            "fill it in or leave such lines out, or leave out the column: `columns = [\"!{}\"]`",
            names[at]
        );
        self.refused(self.place(names, at), &problem, &remedy)
    }

    fn word(&self, names: &[String], at: usize, field: &[u8]) -> InputError {
        let (problem, name) = (format!("`{}` is no number", shown(field)), &names[at]);
        let comma = field.iter().map(|&byte| if byte == b',' { b'.' } else { byte }).collect::<Vec<_>>();
        let remedy = if number(&comma).is_some() {
            "write numbers with a point: 0.5".to_owned()
        } else {
            format!("leave the column out (`columns = [\"!{name}\"]`), or give it as `labels = \"{name}\"`")
        };
        self.refused(self.place(names, at), &problem, &remedy)
    }

    fn refused(&self, place: String, problem: &str, remedy: &str) -> InputError {
        InputError::Unreadable {
            path: self.path.to_owned(),
            place,
            problem: problem.to_owned(),
            remedy: remedy.to_owned(),
        }
    }

    fn failed(&self, source: std::io::Error) -> InputError {
        files::failed(self.path, self.gzip, source)
    }
}

/// A line with its end, or nothing at the end.
fn read_line(source: &mut impl BufRead, path: &Path, gzip: bool, line: u64) -> Result<Vec<u8>, InputError> {
    let failed = |error| files::failed(path, gzip, error);
    let mut text = Vec::new();
    loop {
        let there = source.fill_buf().map_err(failed)?;
        let end = there.iter().position(|&byte| byte == b'\n').map(|at| at + 1);
        let taken = end.unwrap_or(there.len());
        may_fail(|| text.try_reserve(taken)).map_err(|error| failed(error.into()))?;
        text.extend_from_slice(&there[..taken]);
        source.consume(taken);
        if end.is_some() || taken == 0 {
            return Ok(text);
        }
        if text.len() > MAX_LINE {
            return Err(too_long(path, line));
        }
    }
}

fn too_long(path: &Path, line: u64) -> InputError {
    InputError::Unreadable {
        path: path.to_owned(),
        place: format!("line {line}"),
        problem: format!("the line has more than {} MiB", MAX_LINE >> 20),
        remedy: "give a table, a sample a line".to_owned(),
    }
}

/// The delimiter that the first lines show, and whether it is blanks.
fn delimiter_of(first: &[u8], second: &[u8]) -> (u8, bool) {
    let mut quoted = false;
    let mut seen = [false; 256];
    for &byte in first {
        quoted ^= byte == b'"';
        seen[usize::from(byte)] |= !quoted;
    }
    if let Some(delimiter) = b"\t;,|".iter().find(|&&byte| seen[usize::from(byte)]) {
        return (*delimiter, false);
    }
    let numbers = |line: &[u8]| {
        let mut parts = line.trim_ascii().split(|&byte| byte == b' ').filter(|part| !part.is_empty());
        let (Some(first), Some(next)) = (parts.next(), parts.next()) else { return false };
        [first, next].into_iter().chain(parts).all(|part| number(part).is_some() || is_missing(part))
    };
    if numbers(first) || numbers(second) { (b' ', true) } else { (b',', false) }
}

/// The number that is written there, perhaps infinite or not a number.
fn number(field: &[u8]) -> Option<f64> {
    let field = field.trim_ascii();
    // Most are short and whole.
    if (1..=9).contains(&field.len()) && field.iter().all(u8::is_ascii_digit) {
        let whole = field.iter().fold(0_u32, |whole, digit| 10 * whole + u32::from(digit - b'0'));
        return Some(f64::from(whole));
    }
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// Whether that stands for nothing, as pandas, polars, R and NumPy write it.
fn is_missing(field: &[u8]) -> bool {
    const MARKS: [&[u8]; 8] = [b"", b"na", b"n/a", b"nan", b"<na>", b"#n/a", b"null", b"none"];
    let field = field.trim_ascii();
    MARKS.iter().any(|mark| field.eq_ignore_ascii_case(mark))
}

/// The beginning of a field, for messages.
fn shown(field: &[u8]) -> String {
    let text = String::from_utf8_lossy(&field[..field.len().min(160)]);
    let mut letters = text.chars();
    let first: String = letters.by_ref().take(40).collect();
    if letters.next().is_some() { format!("{first}…") } else { first }
}
