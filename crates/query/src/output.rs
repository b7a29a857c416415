//! Rows of a query as a table, CSV, JSON or Parquet.
//!
//! Batches are written as they arrive, so a result may be larger than memory (a table keeps its
//! first [`TABLE_ROWS`]). A file appears whole or not at all: it is written beside its place and
//! renamed.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use polars::prelude::*;

use crate::QueryError;
use eigensweep_inputs::whole_file;
use eigensweep_store::StoreError;
use eigensweep_store::format::number;

/// Rows of a table: more than anyone reads in a terminal; every other format has all of them.
pub const TABLE_ROWS: usize = 1000;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table for people, numbers to six digits, those of axes with all
    Table,
    /// Comma-separated values with a header
    Csv,
    /// An array of objects
    Json,
    /// A Parquet file (needs a file: -o)
    Parquet,
}

impl Format {
    /// The format that a file name tells by its ending.
    #[must_use]
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "parquet" => Some(Self::Parquet),
            "txt" => Some(Self::Table),
            _ => None,
        }
    }
}

/// Runs a lazy frame and writes its rows to standard output; returns how many there were. A table
/// has the columns named in `exact` with all their digits, so that they can be typed.
///
/// # Errors
///
/// [`QueryError::Query`] where the query fails, [`QueryError::Output`] where standard output cannot
/// be written; a closed pipe is no error.
pub fn print(frame: LazyFrame, format: Format, exact: &[String]) -> Result<usize, QueryError> {
    stream(frame, format, exact, Box::new(BufWriter::new(io::stdout())))?.map_err(QueryError::Output)
}

/// Runs a lazy frame and writes its rows to a file; returns how many there were, if that is known.
/// `exact` as in [`print()`].
///
/// # Errors
///
/// [`QueryError::Store`] or [`QueryError::Query`]; then the file is as it was before.
pub fn write(
    mut frame: LazyFrame,
    format: Format,
    exact: &[String],
    path: &Path,
) -> Result<Option<usize>, QueryError> {
    let io = |source| StoreError::Io { action: "write", path: path.to_path_buf(), source };
    let mut rows = None;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let staged = whole_file::stage(parent.unwrap_or(Path::new(".")), path).map_err(StoreError::from)?;
    if format == Format::Parquet {
        let target = SinkTarget::Path(PlRefPath::try_from_path(staged.path())?);
        let options = FileWriteFormat::Parquet(Arc::new(ParquetWriteOptions::default()));
        frame = frame.sink(SinkDestination::File { target }, options, UnifiedSinkArgs::default())?;
        crate::collect(frame)?;
    } else {
        let file = staged.reopen().map_err(io)?;
        rows = Some(stream(frame, format, exact, Box::new(BufWriter::new(file)))?.map_err(io)?);
    }
    whole_file::replace(staged, path).map_err(StoreError::from)?;
    Ok(rows)
}

type Sink = Box<dyn Write + Send>;

/// Writes batches as they arrive; returns how many rows, or why they cannot be written. Who closes
/// a pipe has seen enough.
fn stream(
    mut frame: LazyFrame,
    format: Format,
    exact: &[String],
    sink: Sink,
) -> Result<io::Result<usize>, QueryError> {
    let schema = frame.collect_schema()?;
    let headings: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    let writer = Arc::new(Mutex::new(RowWriter::new(format, headings, exact, sink)));
    let failed: Arc<Mutex<Option<io::Error>>> = Arc::default();
    let (shared, failure) = (Arc::clone(&writer), Arc::clone(&failed));
    let take = move |batch: DataFrame| {
        let mut writer = shared.lock().unwrap_or_else(PoisonError::into_inner);
        match writer.add(batch) {
            Ok(()) => Ok(false),
            Err(PolarsError::IO { error, .. }) => {
                let error = io::Error::new(error.kind(), error.to_string());
                *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Ok(true)
            }
            Err(error) => Err(error),
        }
    };
    crate::collect(frame.sink_batches(PlanCallback::new(take), true, None)?)?;
    let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    let failed = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
    Ok(match failed.map_or_else(|| writer.finish(), Err) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(writer.rows),
    })
}

/// One result on its way out.
struct RowWriter {
    format: Format,
    headings: Vec<String>,
    sink: Sink,
    rows: usize,
    table: Table,
    /// By column: whether a table has all digits.
    exact: Vec<bool>,
}

impl RowWriter {
    fn new(format: Format, headings: Vec<String>, exact: &[String], sink: Sink) -> Self {
        let exact = headings.iter().map(|heading| exact.contains(heading)).collect();
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&headings);
        Self { format, headings, sink, rows: 0, table, exact }
    }

    fn add(&mut self, mut batch: DataFrame) -> PolarsResult<()> {
        match self.format {
            Format::Csv => {
                CsvWriter::new(&mut self.sink).include_header(self.rows == 0).finish(&mut batch)?;
            }
            Format::Json => self.add_objects(&batch)?,
            Format::Table | Format::Parquet => self.add_lines(&batch)?,
        }
        self.rows += batch.height();
        Ok(())
    }

    fn add_lines(&mut self, batch: &DataFrame) -> PolarsResult<()> {
        for row in 0..batch.height().min(TABLE_ROWS.saturating_sub(self.rows)) {
            let columns = batch.columns().iter().zip(&self.exact);
            let cells = columns.map(|(column, exact)| Ok(cell(&column.get(row)?, *exact)));
            self.table.add_row(cells.collect::<PolarsResult<Vec<String>>>()?);
        }
        for (at, column) in batch.columns().iter().enumerate() {
            if column.dtype().is_numeric()
                && let Some(column) = self.table.column_mut(at)
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        Ok(())
    }

    fn add_objects(&mut self, batch: &DataFrame) -> PolarsResult<()> {
        for row in 0..batch.height() {
            let mut text = String::from(if self.rows + row == 0 { "[\n{" } else { ",\n{" });
            for (at, (heading, column)) in self.headings.iter().zip(batch.columns()).enumerate() {
                if at > 0 {
                    text.push_str(", ");
                }
                text.push_str(&json_text(heading));
                text.push_str(": ");
                text.push_str(&json(&column.get(row)?));
            }
            text.push('}');
            self.sink.write_all(text.as_bytes())?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.format {
            Format::Json => self.sink.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?,
            Format::Csv if self.rows == 0 => writeln!(self.sink, "{}", self.headings.join(","))?,
            Format::Csv => {}
            Format::Table | Format::Parquet => {
                writeln!(self.sink, "{}", self.table)?;
                if self.rows > TABLE_ROWS {
                    writeln!(
                        self.sink,
                        "the first {TABLE_ROWS} of {} rows; --format csv, json or parquet writes all",
                        self.rows
                    )?;
                }
            }
        }
        self.sink.flush()
    }
}

/// A value in a table; with all its digits, or to six.
#[expect(clippy::wildcard_enum_match_arm, reason = "polars' own, of which few kinds matter here")]
fn cell(value: &AnyValue<'_>, exact: bool) -> String {
    match value {
        AnyValue::Null => "–".to_owned(),
        AnyValue::Float64(value) if exact => typed(*value),
        AnyValue::Float64(value) => number(*value),
        AnyValue::Float32(value) => number(f64::from(*value)),
        _ => text(value),
    }
}

/// A number as it can be typed: the shortest text that reads back as the same number.
fn typed(value: f64) -> String {
    let [plain, scientific] = [format!("{value}"), format!("{value:e}")];
    let rounded = number(value);
    if value.is_nan() || rounded.parse() == Ok(value) {
        rounded
    } else if scientific.len() < plain.len() {
        scientific
    } else {
        plain
    }
}

/// A value in JSON, which has no number that is not finite: "inf", "-inf", "NaN" are text.
#[expect(clippy::wildcard_enum_match_arm, reason = "polars' own, of which few kinds matter here")]
fn json(value: &AnyValue<'_>) -> String {
    match value {
        AnyValue::Null => "null".to_owned(),
        AnyValue::Boolean(value) => value.to_string(),
        AnyValue::Float64(value) if value.is_finite() => serde_json::json!(value).to_string(),
        AnyValue::Float32(value) if value.is_finite() => serde_json::json!(value).to_string(),
        AnyValue::Float64(value) => json_text(&value.to_string()),
        AnyValue::Float32(value) => json_text(&value.to_string()),
        _ if value.is_primitive_numeric() => text(value),
        _ => json_text(&text(value)),
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn text(value: &AnyValue<'_>) -> String {
    value.get_str().map_or_else(|| value.str_value().into_owned(), str::to_owned)
}
