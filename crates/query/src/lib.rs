//! SQL over data sets: the table `results` and the views of [`views`], read lazily by polars'
//! streaming engine.
//!
//! Filters and the choice of columns are pushed into the Parquet scan, whose row groups carry
//! statistics; what is aggregated streams through, so rows need not fit in memory. What is
//! *returned* goes to a file part by part as well ([`output`]).

mod error;
mod literals;
pub mod output;
mod quantiles;
mod scan;
pub mod views;

pub use error::QueryError;

use eigensweep_job::Detail;
use eigensweep_store::source::{Source, UnknownName};
use eigensweep_theory::paradigms;
use polars::prelude::*;
use polars::sql::SQLContext;

use scan::scan;
use views::Columns;

/// Tables that a query may name, what is read from files first.
fn tables(detail: Detail) -> &'static [&'static str] {
    match detail {
        Detail::Rows => &["results", "summary", "best"],
        Detail::Summary => &["summary"],
    }
}

/// Data sets that SQL can be asked about.
///
/// ```no_run
/// use eigensweep_query::Query;
/// use eigensweep_store::source::Source;
///
/// let sources = [Source::open("output/quickstart".as_ref())?];
/// let sql = "SELECT paradigm, AVG(distance) FROM results GROUP BY paradigm";
/// let frame = Query::new(&sources)?.collect(sql)?;
/// # Ok::<(), eigensweep_query::QueryError>(())
/// ```
pub struct Query {
    context: SQLContext,
    columns: Columns,
    names: Vec<String>,
    /// Rows, from which the views are computed, or the table `summary`.
    detail: Detail,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Query {
    /// Registers `results` and the views; of data sets that keep a summary in place of rows, that
    /// as `summary` and nothing else.
    ///
    /// # Errors
    ///
    /// [`QueryError::Mixed`], [`QueryError::Source`] or [`QueryError::Query`] if polars refuses the
    /// files.
    pub fn new(sources: &[Source]) -> Result<Self, QueryError> {
        let (detail, mut frame) = scan(sources)?;
        let schema = frame.collect_schema()?;
        let names: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
        let columns = Columns::new(detail, names.iter().map(String::as_str));
        let context = SQLContext::new();
        context.register(tables(detail)[0], frame);
        Ok(Self { context, columns, names, detail })
    }

    /// The views that a query may name, and their texts.
    fn views(&self, sql: &str) -> Vec<(&'static str, String)> {
        let named = |name: &str| self.detail == Detail::Rows && sql.contains(name);
        let summary = named("summary").then(|| ("summary", views::summary(&self.columns)));
        let paradigms = paradigms::ALL.map(|paradigm| paradigm.name);
        let best = named("best").then(|| ("best", views::best(&self.columns, &paradigms)));
        summary.into_iter().chain(best).collect()
    }

    /// The columns of `results`.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The lazy frame of a query.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unknown`] with the nearest names, or [`QueryError::Query`] with what polars
    /// says.
    pub fn frame(&mut self, sql: &str) -> Result<LazyFrame, QueryError> {
        // A view costs its planning only where it is named.
        for (name, text) in self.views(sql) {
            let view = self.context.execute(&text)?;
            self.context.register(name, view);
        }
        let found = self.context.execute(&literals::readable(sql)).and_then(|mut frame| {
            frame.collect_schema()?;
            Ok(frame)
        });
        found.map_err(|error| self.explained(sql, &error))
    }

    /// Runs a query and returns its rows.
    ///
    /// # Errors
    ///
    /// As [`frame`](Self::frame), and what goes wrong while reading.
    pub fn collect(&mut self, sql: &str) -> Result<DataFrame, QueryError> {
        let frame = self.frame(sql)?;
        collect(frame)
    }

    /// The optimized plan of a query: what is read, which filters reach the files, in which order
    /// things happen.
    ///
    /// # Errors
    ///
    /// As [`frame`](Self::frame).
    pub fn explain(&mut self, sql: &str) -> Result<String, QueryError> {
        Ok(quantiles::streaming(self.frame(sql)?).with_streaming(true).describe_optimized_plan()?)
    }

    /// polars' error, or a better one where a name is at fault.
    fn explained(&mut self, sql: &str, error: &PolarsError) -> QueryError {
        let message = error.to_string();
        let mut known = self.names.clone();
        for (_, text) in self.views(sql) {
            if let Ok(mut view) = self.context.execute(&text)
                && let Ok(schema) = view.collect_schema()
            {
                known.extend(schema.iter_names().map(ToString::to_string));
            }
        }
        unknown(&message, &known, tables(self.detail)).map_or(QueryError::Query { message }, QueryError::from)
    }
}

/// Runs a lazy frame on the streaming engine.
fn collect(frame: LazyFrame) -> Result<DataFrame, QueryError> {
    Ok(quantiles::streaming(frame).collect_with_engine(Engine::Streaming)?.unwrap_single())
}

/// The name that is not there, if a message of polars says that a column or a table was not found.
fn unknown(message: &str, columns: &[String], tables: &[&str]) -> Option<UnknownName> {
    let column = [
        ("unable to find column \"", '"'),
        ("unable to find column '", '\''),
        ("column not found: ", ' '),
        ("Column(s) not found: ", ' '),
        ("no column named '", '\''),
    ];
    if let Some(name) = column.into_iter().find_map(|(before, end)| between(message, before, end)) {
        return Some(UnknownName::new("column", name, columns.iter().map(String::as_str)));
    }
    let table = [("relation '", '\''), ("no table or alias named '", '\'')];
    let name = table.into_iter().find_map(|(before, end)| between(message, before, end))?;
    Some(UnknownName::new("table", name, tables.iter().copied()))
}

/// What stands between `before` and the next `end`.
fn between<'a>(message: &'a str, before: &str, end: char) -> Option<&'a str> {
    let rest = message.split_once(before)?.1;
    let name = rest.split([end, '\n']).next()?.trim_matches(['"', '\'', '`', ',', ';', ':']);
    (!name.is_empty()).then_some(name)
}
