//! SQL over data sets: the table `results` and the views of [`views`], read lazily by polars' streaming engine.
//!
//! Filters and the choice of columns are pushed into the Parquet scan, whose row groups carry statistics; what is
//! aggregated streams through, so rows need not fit in memory. What is *returned* goes to a file part by part as well
//! ([`output`]).

mod combinations;
mod grouping;
mod literals;
pub(crate) mod names;
pub mod output;
mod quantiles;
pub mod views;

use polars::prelude::*;
use polars::sql::SQLContext;
use polars_plan::plans::IRPlan;

use crate::AnalysisError;
use crate::source::{Detail, Source, scan_kept};
use views::Columns;

/// Tables that a query may name, what is read from files first.
#[must_use]
pub fn tables(detail: Detail) -> &'static [&'static str] {
    match detail {
        Detail::Rows => &["results", "summary", "best"],
        Detail::Summary => &["summary"],
    }
}

/// Data sets that SQL can be asked about.
///
/// ```no_run
/// use eigensweep_analysis::{Query, Source};
///
/// let sources = [Source::open("output/quickstart".as_ref())?];
/// let frame = Query::new(&sources)?.collect("SELECT paradigm, AVG(distance) FROM results GROUP BY paradigm")?;
/// # Ok::<(), eigensweep_analysis::AnalysisError>(())
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
    /// Registers `results` and the views; of data sets that keep a summary in place of rows, that as `summary` and nothing else.
    ///
    /// # Errors
    ///
    /// [`AnalysisError::NoDataSet`], [`AnalysisError::Mixed`] or [`AnalysisError::Query`] if polars refuses the files.
    pub fn new(sources: &[Source]) -> Result<Self, AnalysisError> {
        let (detail, mut frame) = scan_kept(sources)?;
        let schema = frame.collect_schema()?;
        let names: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
        let columns = Columns::new(detail, names.iter().map(String::as_str));
        let context = SQLContext::new();
        context.register(tables(detail)[0], frame);
        Ok(Self { context, columns, names, detail })
    }

    /// The views that a query may name, and their texts.
    fn views(&self, sql: &str) -> Vec<(&'static str, String)> {
        let all = [("summary", views::summary as fn(&Columns) -> String), ("best", views::best)];
        let named = all.into_iter().filter(|(name, _)| self.detail == Detail::Rows && sql.contains(name));
        named.map(|(name, text)| (name, text(&self.columns))).collect()
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
    /// [`AnalysisError::Unknown`] with the nearest names, or [`AnalysisError::Query`] with what polars says.
    pub fn frame(&mut self, sql: &str) -> Result<LazyFrame, AnalysisError> {
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
    pub fn collect(&mut self, sql: &str) -> Result<DataFrame, AnalysisError> {
        let frame = self.frame(sql)?;
        collect(frame)
    }

    /// The optimized plan of a query: what is read, which filters reach the files, in which order things happen.
    ///
    /// # Errors
    ///
    /// As [`frame`](Self::frame).
    pub fn explain(&mut self, sql: &str) -> Result<String, AnalysisError> {
        Ok(optimized(self.frame(sql)?)?.describe())
    }

    /// polars' error, or a better one where a name is at fault.
    fn explained(&mut self, sql: &str, error: &PolarsError) -> AnalysisError {
        let message = error.to_string();
        let mut known = self.names.clone();
        for (_, text) in self.views(sql) {
            if let Ok(mut view) = self.context.execute(&text)
                && let Ok(schema) = view.collect_schema()
            {
                known.extend(schema.iter_names().map(ToString::to_string));
            }
        }
        names::explain(&message, &known, tables(self.detail)).unwrap_or(AnalysisError::Query { message })
    }
}

/// A SQL condition as an expression.
pub(crate) fn condition(text: &str) -> PolarsResult<Expr> {
    polars::sql::sql_expr(literals::readable(text))
}

/// Runs a lazy frame on the streaming engine.
pub(crate) fn collect(frame: LazyFrame) -> Result<DataFrame, AnalysisError> {
    let mut plan = optimized(frame)?;
    plan.ensure_root_node_is_sink();
    Ok(polars_stream::run_query(plan.lp_top, &mut plan.lp_arena, &mut plan.expr_arena)?.unwrap_single())
}

/// The plan that runs: polars', with group-bys as [`quantiles`] and [`grouping`] make them.
fn optimized(frame: LazyFrame) -> PolarsResult<IRPlan> {
    grouping::numbered(quantiles::streaming(frame).with_streaming(true).to_alp_optimized()?)
}
