//! `mtx`: sparse or dense matrices in Matrix Market files, and folders of counts as 10x Genomics'
//! Cell Ranger writes them; plain or gzip.
//!
//! | line | what |
//! |---|---|
//! | 1 | `%%MatrixMarket matrix`, then `coordinate` or `array`, `real`, `integer`, `unsigned-integer` or `pattern`, and `general` or, of `coordinate`, `symmetric` or `skew-symmetric` |
//! | `%` … | comments, and empty lines |
//! | next | rows, columns and, of `coordinate`, the number of entries |
//! | then | row and column from 1 and the value of an entry; of `array`, the values column by column |
//!
//! Entries of the same place are summed, and zeros not held. What is said of one side of the
//! diagonal of a symmetric matrix holds for the other one, too.
//!
//! A folder holds `matrix.mtx`, `features.tsv` (or `genes.tsv`) and `barcodes.tsv`, each with or
//! without `.gz`; the second column of the features is their names. Its matrix is genes × cells, so
//! that rows are features unless a job says otherwise; those of a file are samples.
//!
//! **Nothing is trusted.** Memory grows with the entries that arrive. Rows and columns without
//! entries may be at most four for every byte of the unpacked file, or 16,384.
//!
//! **Cost.** One pass; 8 bytes an entry beside its value, and half of it once more unless samples
//! ascend, as they do in folders.
//!
//! Source: R. Boisvert, R. Pozo, K. Remington, *The Matrix Market exchange formats: initial design*
//! (1996).

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use crate::compact::double;
use crate::files::{self, Unpacked, failed, unpacked};
use crate::readers::{Choice, Column, Contents, INPUTS, Inputs, Orientation, Reader, Wanted, one_file};
use crate::sparse::{Entries, most_rows};
use crate::{Blocks, Compact, Dense, Element, InputError, formats};

/// Matrix Market files, and folders with one.
pub static MTX: Reader = Reader {
    name: "mtx",
    help: "sparse or dense matrices in Matrix Market files, and folders of Cell Ranger (10x), plain or gzip",
    inputs: INPUTS,
    choices: &[Choice::Rows],
    columns: false,
    images: false,
    samples: "samples",
    features: "features",
    files,
    read,
};

/// How the first line begins.
const BANNER: &str = "%%MatrixMarket";

/// The longest line that is read, in bytes. The format allows 1024; of no influence on any value.
const LONGEST_LINE: usize = 1 << 16;

/// The files of a folder, each by the names that it may have.
const FOLDER: [&[&str]; 3] = [
    &["matrix.mtx", "matrix.mtx.gz"],
    &["features.tsv", "features.tsv.gz", "genes.tsv", "genes.tsv.gz"],
    &["barcodes.tsv", "barcodes.tsv.gz"],
];

/// The matrix, the features and the barcodes of a folder, where they are there.
fn folder(path: &Path) -> [Option<PathBuf>; 3] {
    FOLDER.map(|names| names.iter().map(|name| path.join(name)).find(|file| file.is_file()))
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { folder(path).into_iter().flatten().collect() } else { one_file(path) }
}

fn read(path: &Path, wanted: &Wanted<'_>) -> Result<Contents, InputError> {
    if let Some(name) = wanted.columns.iter().copied().flatten().next() {
        let (path, name) = (path.to_owned(), name.to_owned());
        let there = "columns of an mtx file have no names: give labels in a file of one column, and leave the name out".to_owned();
        return Err(InputError::NoSuch { path, what: "column", name, there });
    }
    let rows = wanted.inputs.and_then(|chosen| chosen.rows);
    let inputs = if path.is_dir() { read_folder(path, rows)? } else { read_file(path, rows)? };
    let mut contents = Contents::default();
    for _ in wanted.columns {
        if inputs.rows.features() != 1 {
            let problem = format!("the matrix has {} columns, where one is needed", inputs.rows.features());
            return Err(refused(path, "line 1", problem, "give labels in a file of one column, such as csv"));
        }
        let mut numbers = vec![0.0; inputs.rows.samples()];
        inputs.rows.write_rows(0, &mut numbers);
        contents.columns.push(Column::Numbers(numbers));
    }
    contents.inputs = wanted.inputs.is_some().then_some(inputs);
    Ok(contents)
}

fn read_file(path: &Path, rows: Option<Orientation>) -> Result<Inputs, InputError> {
    let (file, _) = files::open(path)?;
    Ok(Inputs { rows: mtx_from(file, path, rows.unwrap_or(Orientation::Samples))?, names: Vec::new() })
}

fn read_folder(path: &Path, rows: Option<Orientation>) -> Result<Inputs, InputError> {
    let [matrix, features, barcodes] = folder(path);
    let Some(matrix) = matrix else {
        let problem = "there is no matrix.mtx or matrix.mtx.gz".to_owned();
        return Err(refused(path, "folder", problem, "give a folder of Cell Ranger, or an .mtx file"));
    };
    let (file, _) = files::open(&matrix)?;
    let rows = mtx_from(file, &matrix, rows.unwrap_or(Orientation::Features))?;
    let names_of = |path: Option<PathBuf>, expected: usize, of: &str| -> Result<Vec<String>, InputError> {
        let Some(path) = path else { return Ok(Vec::new()) };
        let names = names_from(files::open(&path)?.0, &path)?;
        if names.len() == expected {
            return Ok(names);
        }
        let problem = format!("{} lines, where the matrix has {expected} {of}", names.len());
        Err(refused(
            &path,
            "end of the file",
            problem,
            "give the files of one folder, or `rows = \"samples\"`",
        ))
    };
    names_of(barcodes, rows.samples(), "samples")?;
    let names = names_of(features, rows.features(), "features")?;
    Ok(Inputs { rows, names })
}

/// The second of the columns in each line, or the first if there is one: names of features.
fn names_from(source: impl Read, path: &Path) -> Result<Vec<String>, InputError> {
    let mut lines = Lines::new(source, path)?;
    let mut names = Vec::new();
    while lines.advance()? {
        let mut columns = lines.text()?.split('\t');
        let first = columns.next().unwrap_or_default();
        names.push(columns.next().unwrap_or(first).to_owned());
    }
    Ok(names)
}

/// A matrix from a source in Matrix Market format, plain or gzip; `path` is for messages only.
///
/// # Errors
///
/// * [`InputError::OtherFormat`]: the source is of another format.
/// * [`InputError::Unreadable`]: a line is not as the format has it, a size or an index is
///   impossible, there are more or fewer entries than declared, or a value is not finite.
/// * [`InputError::Io`], [`InputError::Gzip`]: reading fails.
pub fn mtx_from(source: impl Read, path: &Path, rows: Orientation) -> Result<Box<dyn Blocks>, InputError> {
    let mut lines = Lines::new(source, path)?;
    let header = Header::read(&mut lines)?;
    let [rows_declared, columns_declared, _] = header.sizes;
    let (samples, features) = match rows {
        Orientation::Samples => (rows_declared, columns_declared),
        Orientation::Features => (columns_declared, rows_declared),
    };
    if header.dense {
        let values = dense_values(&mut lines, &header)?;
        return match (rows, values) {
            (Orientation::Features, values) => values.into_rows(samples, features),
            (Orientation::Samples, Compact::Bytes(values)) => {
                Ok(Box::new(turned(&values, samples, features)?.unbounded()))
            }
            (Orientation::Samples, Compact::Floats(values)) => {
                Ok(Box::new(turned(&values, samples, features)?))
            }
            (Orientation::Samples, Compact::Doubles(values)) => {
                Ok(Box::new(turned(&values, samples, features)?))
            }
        };
    }
    let entries = entries(&mut lines, &header, rows)?;
    let most = most_rows(lines.bytes);
    if samples.max(features) as u64 > most {
        let problem = format!(
            "{rows_declared} rows and {columns_declared} columns are too many for a file of {} bytes (at most {most})",
            lines.bytes
        );
        let remedy = "the sizes are damaged, or nearly all rows are empty: leave empty ones out";
        return Err(refused(path, "the line of sizes", problem, remedy));
    }
    entries.into_rows(samples, features)
}

/// What the first lines say.
struct Header {
    dense: bool,
    pattern: bool,
    integer: bool,
    /// The factor of the entry on the other side of the diagonal, if that is not written.
    mirrored: Option<f64>,
    /// Rows, columns, and values that follow.
    sizes: [usize; 3],
}

impl Header {
    fn read(lines: &mut Lines<'_>) -> Result<Self, InputError> {
        let known = lines.advance()?
            && lines
                .line
                .get(..BANNER.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(BANNER.as_bytes()));
        if !known {
            let start = &lines.line[..lines.line.len().min(formats::LOOKED_AT)];
            return Err(InputError::OtherFormat {
                path: lines.path.to_owned(),
                expected: "a Matrix Market file, whose first line begins with %%MatrixMarket",
                found: formats::described(start),
            });
        }
        let banner = lines.text()?.to_ascii_lowercase();
        let words: Vec<&str> = banner.split_whitespace().skip(1).collect();
        let [object, layout, field, symmetry] = words[..] else {
            return Err(lines.refused("the header is not of four words after %%MatrixMarket", WRITE_AGAIN));
        };
        let dense = layout == "array";
        // SciPy calls what has no sign `unsigned-integer`.
        let (pattern, integer) = (field == "pattern", ["integer", "unsigned-integer"].contains(&field));
        let mirrored = match symmetry {
            "symmetric" => Some(1.0),
            "skew-symmetric" => Some(-1.0),
            _ => None,
        };
        let known = object == "matrix"
            && ["coordinate", "array"].contains(&layout)
            && (["real", "double"].contains(&field) || integer || (pattern && !dense))
            && (symmetry == "general" || (mirrored.is_some() && !dense));
        if !known {
            let problem = format!("`{}` is not read", words.join(" "));
            let remedy = "write real, integer or pattern numbers, as `coordinate` (general, symmetric or \
                          skew-symmetric) or as `array` (general; scipy.io.mmwrite with `symmetry=\"general\"`)";
            return Err(lines.refused(&problem, remedy));
        }
        if !lines.advance_to_data()? {
            return Err(lines.refused("the file ends before the sizes", FETCH_AGAIN));
        }
        let numbers: Option<Vec<u64>> =
            lines.text()?.split_whitespace().map(|word| word.parse().ok()).collect();
        let (rows, columns, values) = match (numbers.as_deref(), dense) {
            (Some(&[rows, columns]), true) => (rows, columns, rows.checked_mul(columns)),
            (Some(&[rows, columns, entries]), false) => (rows, columns, Some(entries)),
            (Some(_) | None, _) => {
                let problem = match dense {
                    true => "the sizes are not two whole numbers: rows and columns",
                    false => "the sizes are not three whole numbers: rows, columns and entries",
                };
                return Err(lines.refused(problem, WRITE_AGAIN));
            }
        };
        let small = |size: u64| u32::try_from(size).ok().and_then(|size| usize::try_from(size).ok());
        let values = values.and_then(|values| usize::try_from(values).ok());
        let (Some(rows), Some(columns), Some(values)) = (small(rows), small(columns), values) else {
            let problem = format!("{rows} rows and {columns} columns are too many (at most 2^32 - 1)");
            return Err(lines.refused(&problem, "give a part of them"));
        };
        if rows == 0 || columns == 0 {
            return Err(lines.refused("the matrix is empty", "give one that holds samples"));
        }
        if mirrored.is_some() && rows != columns {
            return Err(lines.refused("a symmetric matrix is not square", WRITE_AGAIN));
        }
        Ok(Self { dense, pattern, integer, mirrored, sizes: [rows, columns, values] })
    }

    /// A value as text.
    fn value(&self, word: &str, lines: &Lines<'_>) -> Result<f64, InputError> {
        if self.integer {
            let numbers = i64::MIN.into()..=u64::MAX.into();
            let Some(value) = word.parse::<i128>().ok().filter(|value| numbers.contains(value)) else {
                return Err(lines.refused(&format!("`{word}` is no whole number of 64 bits"), WRITE_AGAIN));
            };
            return double(value).ok_or_else(|| {
                let problem = format!("no double holds {value} exactly (beyond 2^53)");
                lines.refused(&problem, "rescale the values")
            });
        }
        match word.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(value) => Err(lines.refused(&format!("the value is {value}"), "every value must be finite")),
            Err(_) => Err(lines.refused(&format!("`{word}` is no number"), WRITE_AGAIN)),
        }
    }
}

const WRITE_AGAIN: &str = "write the file with scipy.io.mmwrite";
const FETCH_AGAIN: &str = "it is cut short, fetch it again";

/// The values of a dense matrix, column by column.
fn dense_values(lines: &mut Lines<'_>, header: &Header) -> Result<Compact, InputError> {
    let expected = header.sizes[2];
    let mut values = Compact::default();
    while lines.advance_to_data()? {
        for word in lines.text()?.split_whitespace() {
            let value = header.value(word, lines)?;
            if values.len() == expected {
                return Err(
                    lines.refused(&format!("more than the {expected} values of the sizes"), WRITE_AGAIN)
                );
            }
            values.push(value).map_err(|_| lines.no_memory())?;
        }
    }
    if values.len() < expected {
        let problem = format!("{} values, where the sizes say {expected}", values.len());
        return Err(lines.refused(&problem, FETCH_AGAIN));
    }
    Ok(values)
}

/// Rows of what is there column by column.
fn turned<T: Element>(values: &[T], samples: usize, features: usize) -> Result<Dense<T>, InputError> {
    let row = |row| (0..features).map(move |column| values[column * samples + row]);
    Dense::new((0..samples).flat_map(row).collect(), samples, features)
}

/// The entries of a sparse matrix.
fn entries(lines: &mut Lines<'_>, header: &Header, orientation: Orientation) -> Result<Entries, InputError> {
    let [rows, columns, declared] = header.sizes;
    let (mut entries, mut found) = (Entries::default(), 0);
    while lines.advance_to_data()? {
        let mut words = lines.text()?.split_whitespace();
        let mut index =
            |size: usize| words.next()?.parse::<u32>().ok().filter(|&at| (1..=size).contains(&(at as usize)));
        let place = index(rows).zip(index(columns));
        let value = if header.pattern { Some("1") } else { words.next() };
        let ((row, column), value) = match (place, value, words.next()) {
            (Some(place), Some(value), None) => (place, header.value(value, lines)?),
            (None, _, _) => {
                let problem = format!("the entry is not in rows 1 to {rows} and columns 1 to {columns}");
                return Err(lines.refused(&problem, WRITE_AGAIN));
            }
            (Some(_), _, _) => {
                let words = if header.pattern { "row and column" } else { "row, column and value" };
                return Err(lines.refused(&format!("the line is not {words}"), WRITE_AGAIN));
            }
        };
        if found == declared {
            let problem = format!("more than the {declared} entries of the sizes");
            return Err(lines.refused(&problem, WRITE_AGAIN));
        }
        found += 1;
        let mut push = |row: u32, column: u32, value: f64| match orientation {
            Orientation::Samples => entries.push(row - 1, column - 1, value),
            Orientation::Features => entries.push(column - 1, row - 1, value),
        };
        push(row, column, value).map_err(|_| lines.no_memory())?;
        if let Some(factor) = header.mirrored.filter(|_| row != column) {
            push(column, row, factor * value).map_err(|_| lines.no_memory())?;
        }
    }
    if found < declared {
        let problem = format!("{found} entries, where the sizes say {declared}");
        return Err(lines.refused(&problem, FETCH_AGAIN));
    }
    Ok(entries)
}

/// The lines of a source, which may be gzip.
struct Lines<'a> {
    source: Unpacked<'a>,
    path: &'a Path,
    /// The line, with its end.
    line: Vec<u8>,
    /// Its number, from 1.
    number: u64,
    /// Bytes so far.
    bytes: u64,
}

impl<'a> Lines<'a> {
    fn new(source: impl Read + 'a, path: &'a Path) -> Result<Self, InputError> {
        let source = unpacked(source).map_err(|source| failed(path, true, source))?;
        Ok(Self { source, path, line: Vec::new(), number: 0, bytes: 0 })
    }

    /// Reads the next line; false at the end.
    fn advance(&mut self) -> Result<bool, InputError> {
        self.line.clear();
        self.number += 1;
        let mut limited = self.source.source.by_ref().take(LONGEST_LINE as u64);
        let read = limited.read_until(b'\n', &mut self.line);
        let count = read.map_err(|source| failed(self.path, self.source.gzip, source))?;
        self.bytes += count as u64;
        if count == LONGEST_LINE && self.number > 1 {
            return Err(self.refused(&format!("the line is longer than {LONGEST_LINE} bytes"), WRITE_AGAIN));
        }
        Ok(count > 0)
    }

    /// Reads the next line that is no comment and not empty; false at the end.
    fn advance_to_data(&mut self) -> Result<bool, InputError> {
        while self.advance()? {
            if !self.line.starts_with(b"%") && !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn text(&self) -> Result<&str, InputError> {
        match std::str::from_utf8(&self.line) {
            Ok(text) => Ok(text.trim_end_matches(['\r', '\n'])),
            Err(_) => Err(self.refused("the line is no text", FETCH_AGAIN)),
        }
    }

    fn refused(&self, problem: &str, remedy: &str) -> InputError {
        refused(self.path, &format!("line {}", self.number), problem.to_owned(), remedy)
    }

    fn no_memory(&self) -> InputError {
        no_memory(self.path, format!("line {}", self.number))
    }
}

fn refused(path: &Path, place: &str, problem: String, remedy: &str) -> InputError {
    InputError::unreadable(path, place, problem, remedy)
}

fn no_memory(path: &Path, place: String) -> InputError {
    let remedy = "give a part of them, or the program more memory";
    InputError::unreadable(path, place, "there is no memory for the entries", remedy)
}
