//! SQL over data sets: the table `results` and the views of [`views`], read lazily by polars'
//! streaming engine.
//!
//! Filters and the choice of columns are pushed into the Parquet scan, whose row groups carry
//! statistics; what is aggregated streams through, so rows need not fit in memory. What is
//! *returned* goes to a file part by part as well ([`output`]).

mod error;
pub mod output;
mod plan;
mod quantiles;
mod scan;
mod values;

pub use error::QueryError;

use std::panic::{AssertUnwindSafe, catch_unwind};

use eigensweep_job::Detail;
use eigensweep_store::source::{Source, UnknownName};
use eigensweep_store::views::{self, Columns};
use eigensweep_theory::paradigms;
use polars::prelude::*;

use plan::{Condition, Planner};
use scan::scan;

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
    /// What is read from files.
    table: (&'static str, LazyFrame),
    columns: Columns,
    /// The paradigms that `best` chooses from.
    paradigms: Vec<&'static str>,
    /// Comparisons with literals in the last query.
    conditions: Vec<Condition>,
    /// Rows, from which the views are computed, or the table `summary`.
    detail: Detail,
    /// Whether rows are critical alignments: the table `boundary`.
    traced: bool,
}

impl std::fmt::Debug for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Query").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl Query {
    /// Reads `results`, to which the views come; of data sets that keep a summary in place of rows,
    /// that as `summary`, and of those of critical alignments these as `boundary`, and nothing
    /// else.
    ///
    /// # Errors
    ///
    /// [`QueryError::Mixed`], [`QueryError::Source`] or [`QueryError::Query`] if polars refuses the
    /// files.
    pub fn new(sources: &[Source]) -> Result<Self, QueryError> {
        let (detail, mut frame) = scan(sources)?;
        let schema = frame.collect_schema()?;
        let names: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
        let columns = Columns::new(detail, names.iter().copied());
        let traced = sources.iter().any(|source| source.dataset.spec().boundary.is_some());
        let table = match detail {
            Detail::Rows if traced => "boundary",
            Detail::Rows => "results",
            Detail::Summary => "summary",
        };
        let paradigms = paradigms::ALL.map(|paradigm| paradigm.name).to_vec();
        Ok(Self { table: (table, frame), columns, paradigms, conditions: Vec::new(), detail, traced })
    }

    /// The tables of a data set, with `best` among some paradigms only.
    ///
    /// # Errors
    ///
    /// [`QueryError::Unknown`] for a name that no paradigm has, [`QueryError::Unsupported`] for
    /// fewer than two.
    pub fn among<N: AsRef<str>>(mut self, names: &[N]) -> Result<Self, QueryError> {
        let known = || paradigms::ALL.iter().map(|paradigm| paradigm.name);
        let find = |name: &N| match paradigms::named(name.as_ref()) {
            Some(paradigm) => Ok(paradigm.name),
            None => Err(UnknownName::new("paradigm", name.as_ref(), known())),
        };
        self.paradigms = names.iter().map(find).collect::<Result<_, _>>()?;
        self.paradigms.dedup();
        if self.paradigms.len() < 2 {
            let (what, remedy) = ("the best of fewer than two paradigms", "name two or more");
            return Err(QueryError::Unsupported { what: what.into(), remedy: remedy.into() });
        }
        Ok(self)
    }

    /// The views that a query may name, and their texts.
    fn views(&self) -> Vec<(&'static str, Result<String, String>)> {
        let none = |name, why: &str| (name, Err(why.to_owned()));
        if self.traced {
            let why = "the data set holds critical alignments, one for each combination: ask `boundary`";
            return vec![none("results", why), none("summary", why), none("best", why)];
        }
        let boundary =
            none("boundary", "the data set holds no critical alignments: `eigensweep boundary` finds them");
        match self.detail {
            Detail::Summary => vec![boundary],
            Detail::Rows => vec![
                ("summary", Ok(views::summary(&self.columns))),
                ("best", views::best(&self.columns, &self.paradigms)),
                boundary,
            ],
        }
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
    /// [`QueryError::Unknown`] with the nearest names, [`QueryError::Unsupported`] for SQL that is
    /// not planned, or [`QueryError::Query`] with what polars says.
    pub fn frame(&mut self, sql: &str) -> Result<LazyFrame, QueryError> {
        if sql.len() > LONGEST {
            let what = format!("a query of more than {LONGEST} bytes");
            return Err(QueryError::Unsupported { what, remedy: String::new() });
        }
        let (tables, views) = ([self.table.clone()], self.views());
        let conditions = &mut self.conditions;
        roomy(|| {
            let query = plan::parse(sql)?;
            let mut planner = Planner::new(&tables, &views);
            let planned = caught(|| {
                let mut frame = planner.query(&query)?;
                frame.collect_schema()?;
                Ok(frame)
            });
            *conditions = planner.conditions;
            planned
        })
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
        let frame = self.frame(sql)?;
        roomy(|| caught(|| Ok(frame.with_streaming(true).describe_optimized_plan()?)))
    }

    /// After a query without an answer: for each axis, paradigm or status that its WHERE compares
    /// with a value that is not there, a sentence with the nearest that are; ten at most.
    ///
    /// # Errors
    ///
    /// [`QueryError::Query`] or [`QueryError::Panic`] if the columns cannot be read.
    pub fn absent(&self) -> Result<Vec<String>, QueryError> {
        let asked = |condition: &&Condition| self.columns.has_few_values(&condition.name);
        let sentences = self.conditions.iter().filter(asked).map(values::absent);
        sentences.filter_map(Result::transpose).take(TOLD).collect()
    }
}

/// Runs a lazy frame on the streaming engine.
fn collect(frame: LazyFrame) -> Result<DataFrame, QueryError> {
    roomy(|| caught(|| Ok(frame.collect_with_engine(Engine::Streaming)?.unwrap_single())))
}

/// Bytes of the longest query.
const LONGEST: usize = 1 << 18;

/// Bytes of stack for the longest: parser, planner and engine recur on what is nested. It takes
/// memory only as far as it is used.
const STACK: usize = 1 << 29;

/// Absent values that are told.
const TOLD: usize = 10;

/// Does something with so large a stack.
fn roomy<T: Send>(ask: impl FnOnce() -> Result<T, QueryError> + Send) -> Result<T, QueryError> {
    let gone = || QueryError::Panic("a thread of its own cannot be had".to_owned());
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, ask);
        thread.map_err(|_| gone())?.join().unwrap_or_else(|_| Err(gone()))
    })
}

/// What polars answers; its panics are errors.
fn caught<T>(ask: impl FnOnce() -> Result<T, QueryError>) -> Result<T, QueryError> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason was given");
        Err(QueryError::Panic(text.lines().next().unwrap_or_default().to_owned()))
    })
}
