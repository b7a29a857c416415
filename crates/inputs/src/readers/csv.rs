//! Reader of text in columns: CSV, and what `numpy.savetxt` writes.
//!
//! | what | how it is told |
//! |---|---|
//! | gzip | by the magic 1f 8b |
//! | delimiter | the first line: a tab, `;`, `,` or `\|` in it, in this order; else blanks, if it or the next line is several numbers with blanks between them |
//! | names | the first record, if any of its fields is a word, or if it counts 0, 1, 2, 3, … (pandas); else columns are called so |
//! | comments | lines before the first record that begin with `#`; the last of them is the names if it has as many fields as a first record of numbers |
//! | row numbers | a first column without a name that counts rows from 0 or 1 is left out, if there are others |
//!
//! **A first line that counts** 0, 1, 2, … may be the names that pandas gives, or a row. Four and
//! more numbers are names, and the row is one if all lines count on, as those of `numpy.arange` do.
//! Anything else (two or three numbers; lines that begin to count on, and then do not) is refused:
//! cos x from 0 begins with 0, 1, too. Names in front of it, or in a comment, settle it.
//!
//! A byte order mark, CRLF, quotes, empty lines and blanks around numbers are taken as they come.
//! The only column of a file that is asked for without a name may do without one, too: a first word
//! that comes again below is a value.
//!
//! Numbers are the doubles nearest to what is written, and are held as the least type that has all
//! of them ([`Compact`]). Whole numbers without point and exponent that no double holds exactly are
//! refused; so is what is missing (an empty cell, `NA`, `NaN`, `null`, `None`, …: also among words,
//! of which none can be called so), what is infinite, a quote that is not closed, and a word of
//! several lines, which is one that is closed too late.
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
/// * [`InputError::Unreadable`]: lines differ in length, a cell that is needed is missing,
///   infinite, or no number, a name is of several columns, it is not told whether the first line is
///   names, a quote is not closed, or there are no rows.
pub fn table_from(source: impl Read, path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    let gzip_unknown = |source| files::failed(path, false, source);
    let Unpacked { source, gzip } = files::unpacked(source).map_err(gzip_unknown)?;
    let mut table = Table::begin(source, gzip, path)?;
    let Some(fields) = table.next()? else {
        return Err(table.refused(format!("line {}", table.line), "there is no table", "give one"));
    };
    let commented = table.commented_names(fields);
    let counted = commented.is_none() && fields > 1 && table.counts(0);
    // Whether all lines have to count on.
    let counting = counted && table.second_counts;
    if counted && !counting && fields < 4 {
        return Err(table.ambiguous(table.line));
    }
    let headed = table.has_words() || table.numbers_rows() || counted && !counting;
    let mut names: Vec<String> = if headed {
        table.names()?
    } else {
        commented.unwrap_or_else(|| (0..fields).map(|at| at.to_string()).collect())
    };
    // A word above one column is its name, unless it comes again.
    let first_word = (headed && fields == 1 && wanted.columns.contains(&None)).then(|| names[0].clone());
    let places = places(path, &names, wanted)?;

    let mut roles = vec![Role::Nothing; fields];
    for &at in &places.inputs {
        roles[at] = if at == 0 && names[0].is_empty() && fields > 1 { Role::Count } else { Role::Input };
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
        let problem = "the only column that is left for the inputs has no name, as one that numbers the rows";
        let remedy = "give it a name if it is an input, or a file with other columns";
        return Err(table.refused("its columns".to_owned(), problem, remedy));
    }
    table.inputs = inputs;

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
        if counting && !table.counts(rows * fields) {
            return Err(table.ambiguous(table.line));
        }
        for (at, (field, &role)) in table.fields().zip(&roles).enumerate() {
            match role {
                Role::Nothing => {}
                Role::Input => match number(field) {
                    Some(value) if value.is_finite() => {
                        if is_inexact(field, value) {
                            return Err(table.inexact(
                                &names,
                                at,
                                field,
                                "write it with a point to have it rounded",
                            ));
                        }
                        if gaps.count == 0 {
                            values.push(value).map_err(|error| table.failed(error.into()))?;
                        }
                    }
                    Some(value) if value.is_infinite() => {
                        let remedy = table.or_without("mend the number, or leave the line out", &names[at]);
                        return Err(table.infinite(&names, at, &shown(field), &remedy));
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
                        let remedy = "give it a name, leave it out with `columns = [\"!\"]`, or write the file \
                                      without it (pandas: `index=False`)";
                        let problem = format!("`{}` is in a column without a name", shown(field));
                        return Err(table.refused(table.place(&names, at), &problem, remedy));
                    }
                }
                Role::Text(text) => {
                    if let Some((problem, remedy)) = fault_of_word(field) {
                        return Err(table.refused(table.place(&names, at), &problem, remedy));
                    }
                    texts[text].add(field, table.line, at).map_err(|error| table.failed(error.into()))?;
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
        let remedy = table.or_without("fill it in, or leave such lines out", &names[at]);
        return Err(table.missing(&names, at, gaps.count, &remedy));
    }

    let mut contents = Contents { others: places.others(&names), ..Contents::default() };
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
    /// Cells where nothing is.
    gaps: Gaps,
    /// Line and place among the cells of the first that is infinite.
    infinite: Option<(u64, usize)>,
    /// Line and column of the first whole number that no double holds.
    inexact: Option<(u64, usize)>,
    /// Whether a cell is no number.
    words: bool,
}

impl Texts {
    fn add(&mut self, field: &[u8], line: u64, at: usize) -> Result<(), std::collections::TryReserveError> {
        let here = (line, self.ends.len());
        match number(field) {
            _ if is_missing(field) => self.gaps.add(line, at),
            // A sign in front of `nan`.
            Some(value) if value.is_nan() => self.gaps.add(line, at),
            Some(value) if value.is_infinite() => _ = self.infinite.get_or_insert(here),
            Some(value) if is_inexact(field, value) => _ = self.inexact.get_or_insert(here),
            Some(_) => {}
            None => self.words = true,
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
        if let Some((line, at)) = self.gaps.first {
            table.line = line;
            let missing = |cell: &&[u8]| is_missing(cell) || number(cell).is_some_and(f64::is_nan);
            let mark = shown(self.cells().find(missing).unwrap_or_default().trim_ascii());
            let mut remedy = "fill it in, or leave such lines out".to_owned();
            if !mark.is_empty() {
                remedy += &format!("; a class that is called `{mark}` needs another name");
            }
            return Err(table.missing(names, at, self.gaps.count, &remedy));
        }
        let front = first_word.filter(|word| {
            self.ends.is_empty() || self.words && self.cells().any(|cell| cell == word.as_bytes())
        });
        if front.is_some() || self.words {
            let words = front.map(str::as_bytes).into_iter().chain(self.cells());
            return Ok(Column::Words(words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()));
        }
        let cell = |place: usize| self.cells().nth(place).unwrap_or_default();
        if let Some((line, place)) = self.infinite {
            table.line = line;
            let remedy = "mend the number, or leave the line out";
            return Err(table.infinite(names, at, &shown(cell(place)), remedy));
        }
        if let Some((line, place)) = self.inexact {
            table.line = line;
            let remedy = "put a letter in front of each if they stand for classes or groups; else write it with \
                          a point to have it rounded";
            return Err(table.inexact(names, at, cell(place), remedy));
        }
        Ok(Column::Numbers(self.cells().filter_map(number).collect()))
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
    /// Whether the end of the last line was.
    ended: bool,
    /// Whether it ended with a carriage return.
    returned: bool,
    /// Whether the second line counts on where the first ends.
    second_counts: bool,
    /// How many columns are inputs.
    inputs: usize,
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
        let second_counts = counts_on(&first, &second, delimiter);
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
            ended: false,
            returned: false,
            second_counts,
            inputs: 0,
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
            // A last line has an end, too: within quotes, that is part of the text.
            let end = input.is_empty() && !self.ended;
            let input = if end { b"\n" } else { input };
            let (result, taken, written, ended) =
                self.parser.read_record(input, &mut self.text[filled..], &mut self.ends[fields..]);
            if let Some(&last) = input[..taken].last() {
                returned = last == b'\r';
            }
            if end {
                self.ended = taken > 0;
            } else {
                self.source.consume(taken);
            }
            filled += written;
            fields += ended;
            if end && written > 0 && matches!(result, ReadRecordResult::InputEmpty) {
                let before = self.text[..fields.checked_sub(1).map_or(0, |last| self.ends[last])].iter();
                let line = self.line + before.filter(|&&byte| byte == b'\n').count() as u64;
                let problem = "a quote opens that is closed nowhere";
                return Err(self.refused(format!("line {line}"), problem, "close it, or take it out"));
            }
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

    /// Whether the record in hand counts from a number on.
    fn counts(&self, from: usize) -> bool {
        self.fields().zip(from..).all(|(field, count)| field.trim_ascii() == count.to_string().as_bytes())
    }

    /// Whether the record in hand has what is neither a number nor missing.
    fn has_words(&self) -> bool {
        self.fields().any(|field| number(field).is_none() && !is_missing(field))
    }

    /// Whether the record in hand is numbers but for an empty first: names beside row numbers.
    fn numbers_rows(&self) -> bool {
        let mut fields = self.fields();
        fields.next().is_some_and(<[u8]>::is_empty) && fields.all(|field| number(field).is_some())
    }

    /// The record in hand as names.
    fn names(&self) -> Result<Vec<String>, InputError> {
        let mut names = Vec::new();
        for (at, field) in self.fields().enumerate() {
            if let Some((problem, remedy)) = fault_of_text(field) {
                let place = format!("line {}, name of column {}", self.line, at + 1);
                return Err(self.refused(place, &problem, remedy));
            }
            names.push(String::from_utf8_lossy(field).into_owned());
        }
        Ok(names)
    }

    /// The names in the comment in front of the table, if there are as many.
    fn commented_names(&self, fields: usize) -> Option<Vec<String>> {
        let comment = String::from_utf8_lossy(&self.comment);
        let names = comment.split(char::from(self.delimiter)).map(|name| name.trim().to_owned());
        let names: Vec<String> = names.filter(|name| !(self.blanks && name.is_empty())).collect();
        (!comment.is_empty() && names.len() == fields && !self.has_words()).then_some(names)
    }

    /// It is not told what the first line is.
    fn ambiguous(&self, line: u64) -> InputError {
        let problem = "the first line counts 0, 1, …: it may be names that pandas gave, or a row";
        let remedy =
            "write a line of names with letters above the rows (pandas: `df.add_prefix(\"x\").to_csv(…)`)";
        self.refused(format!("line {line}"), problem, remedy)
    }

    fn place(&self, names: &[String], at: usize) -> String {
        match &*names[at] {
            "" => format!("line {}, column {} (without a name)", self.line, at + 1),
            name => format!("line {}, column `{name}`", self.line),
        }
    }

    fn missing(&self, names: &[String], at: usize, count: u64, remedy: &str) -> InputError {
        let others = match count {
            1 => "the only such cell".to_owned(),
            count => format!("the first of {count} such cells"),
        };
        self.refused(self.place(names, at), &format!("the value is missing ({others})"), remedy)
    }

    fn infinite(&self, names: &[String], at: usize, field: &str, remedy: &str) -> InputError {
        self.refused(self.place(names, at), &format!("`{field}` is not finite"), remedy)
    }

    fn inexact(&self, names: &[String], at: usize, field: &[u8], remedy: &str) -> InputError {
        let problem = format!("no double holds {} exactly (beyond 2^53)", shown(field.trim_ascii()));
        self.refused(self.place(names, at), &problem, remedy)
    }

    /// A remedy, or to leave the column of inputs out, if others are left.
    fn or_without(&self, remedy: &str, name: &str) -> String {
        match self.inputs {
            0 | 1 => remedy.to_owned(),
            _ => format!("{remedy}, or leave the column out: `columns = [{:?}]`", format!("!{name}")),
        }
    }

    fn word(&self, names: &[String], at: usize, field: &[u8]) -> InputError {
        let (problem, name) = (format!("`{}` is no number", shown(field)), &names[at]);
        if let Some((problem, remedy)) = fault_of_text(field) {
            return self.refused(self.place(names, at), &problem, remedy);
        }
        let remedy = match &*plain_numbers(&String::from_utf8_lossy(field)) {
            [] if self.inputs > 1 => format!(
                "leave the column out (`columns = [{:?}]`), or give it as `labels = {name:?}`",
                format!("!{name}")
            ),
            [] => "inputs are numbers: mend the cell, or give a file with columns of numbers".to_owned(),
            [one] => format!("write numbers with a point, and nothing between thousands: `{one}`"),
            [whole, fraction, ..] => format!(
                "write `{whole}` if thousands are set apart, `{fraction}` if the fraction is (pandas reads them \
                 with `thousands=\",\"` or `decimal=\",\"`)"
            ),
        };
        self.refused(self.place(names, at), &problem, &remedy)
    }

    fn refused(&self, place: String, problem: &str, remedy: &str) -> InputError {
        InputError::unreadable(self.path, place, problem, remedy)
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
    let problem = format!("the line has more than {} MiB", MAX_LINE >> 20);
    InputError::unreadable(path, format!("line {line}"), problem, "give a table, a sample a line")
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

/// Whether the second line counts on where the first ends, which counts from 0.
fn counts_on(first: &[u8], second: &[u8], delimiter: u8) -> bool {
    let fields = |line| {
        let fields = <[u8]>::split(line, move |&byte| byte == delimiter);
        fields.map(<[u8]>::trim_ascii).filter(|field| delimiter != b' ' || !field.is_empty())
    };
    let from = fields(first).count();
    let bare = |field: &[u8]| {
        field.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).map(<[u8]>::to_vec)
    };
    fields(second)
        .zip(from..)
        .all(|(field, count)| bare(field).as_deref().unwrap_or(field) == count.to_string().as_bytes())
}

/// The numbers without separators of thousands and with a point that a text may stand for.
fn plain_numbers(text: &str) -> Vec<String> {
    let text = text.trim();
    let mut found: Vec<String> = Vec::new();
    for separator in [',', '.', ' ', '\u{a0}', '\u{202f}', '\'', '_'] {
        for point in ['.', ','] {
            let (whole, fraction) = text.split_once(point).unwrap_or((text, ""));
            let mut groups = whole.trim_start_matches(['-', '+']).split(separator);
            let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
            let grouped = groups.next().is_some_and(|first| (1..=3).contains(&first.len()) && digits(first))
                && whole.contains(separator)
                && groups.all(|group| group.len() == 3 && digits(group));
            if separator != point && grouped && digits(fraction) {
                let plain = whole.replace(separator, "");
                found.push(if fraction.is_empty() { plain } else { format!("{plain}.{fraction}") });
            }
        }
    }
    let decimal = text.replacen(',', ".", 1);
    if text.contains(',') && number(decimal.as_bytes()).is_some() {
        found.push(decimal);
    }
    found.dedup();
    found
}

/// What is wrong with a text whatever it says, and the remedy.
fn fault_of_text(field: &[u8]) -> Option<(String, &'static str)> {
    if field.contains(&0) {
        let problem = "there is a NUL byte in it: the file is damaged, or not in UTF-8".to_owned();
        return Some((problem, "write it again in UTF-8 (pandas: `encoding=\"utf-8\"`)"));
    }
    let bad = std::str::from_utf8(field).err().and_then(|error| field.get(error.valid_up_to()))?;
    let problem = format!("`{}` is not in UTF-8 (byte {bad:02x})", shown(field));
    Some((problem, "convert the file (`iconv -f LATIN1 -t UTF-8`), or write it with `encoding=\"utf-8\"`"))
}

/// What is wrong with a word that stands for a class.
fn fault_of_word(field: &[u8]) -> Option<(String, &'static str)> {
    let lines = field.contains(&b'\n') && number(field).is_none();
    let problem = || format!("`{}` goes over several lines", shown(field).replace(['\r', '\n'], " "));
    let remedy = "close the quote that opens in front of it, or write it in one line";
    fault_of_text(field).or_else(|| lines.then(|| (problem(), remedy)))
}

/// Whether that is a whole number, without point and exponent, that `value` is only near.
fn is_inexact(field: &[u8], value: f64) -> bool {
    if field.len() < 16 || value.abs() < 9_007_199_254_740_992.0 {
        return false;
    }
    let digits = field.trim_ascii();
    let digits = digits.strip_prefix(b"-").or_else(|| digits.strip_prefix(b"+")).unwrap_or(digits);
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    // All digits of a double are printed.
    digits.iter().all(u8::is_ascii_digit) && digits[zeros..] != *format!("{:.0}", value.abs()).as_bytes()
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
