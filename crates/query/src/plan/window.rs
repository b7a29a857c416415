//! Windows: `OVER (PARTITION BY … ORDER BY …)`.
//!
//! Rows are put in the window's order first; what runs over them, runs in that order. Without a
//! frame, the frame ends with the last row that ties with the current one (RANGE, the standard's
//! default); `ROWS UNBOUNDED PRECEDING` ends with the current row.

use polars::prelude::*;
use sqlparser::ast::{self, WindowFrameBound, WindowFrameUnits};

use super::expression::literal;
use super::functions::{AGGREGATES, Aggregate, Call, Each};
use super::select::{Block, options};
use super::{matches, refuse, whole, without};
use crate::QueryError;
use eigensweep_store::source::UnknownName;

/// Functions of windows alone.
const RANKS: [&str; 7] = ["row_number", "rank", "dense_rank", "lag", "lead", "first_value", "last_value"];

/// A window's column.
pub(super) struct Window {
    pub(super) name: PlSmallStr,
    call: Call,
    aggregate: Option<&'static Aggregate>,
    partition: Vec<Expr>,
    order: Vec<Expr>,
    sorts: Vec<(bool, bool)>,
    /// Whether the frame ends with the current row, and not with those that tie with it.
    rows: bool,
}

/// Aggregates over the rows of a partition.
struct Over(Vec<Expr>);

impl Each for Over {
    fn each(&mut self, e: Expr) -> Result<Expr, QueryError> {
        Ok(if self.0.is_empty() { e } else { e.over(&self.0)? })
    }

    fn windowed(&self) -> bool {
        true
    }
}

impl Block<'_, '_, '_> {
    /// The column of a call with OVER.
    pub(super) fn window(
        &mut self,
        over: &ast::WindowType,
        call: Call,
        aggregate: Option<&'static Aggregate>,
    ) -> Result<Expr, QueryError> {
        let text = format!("`{}`", call.text);
        let spec = match over {
            ast::WindowType::WindowSpec(spec) => spec,
            ast::WindowType::NamedWindow(name) => {
                let named = self.named_windows.iter().find(|window| matches(name, &window.0.value));
                match named.map(|window| &window.1) {
                    Some(ast::NamedWindowExpr::WindowSpec(spec)) => spec,
                    Some(ast::NamedWindowExpr::NamedWindow(_)) => return refuse(&text, "spell the window"),
                    None => {
                        let known = self.named_windows.iter().map(|window| window.0.value.as_str());
                        return Err(UnknownName::new("window", &name.value, known).into());
                    }
                }
            }
        };
        without(spec.window_name.is_some(), &text, "spell the window")?;
        let name = call.name.to_lowercase();
        if aggregate.is_none() && !RANKS.contains(&&*name) {
            let known = RANKS.into_iter().chain(AGGREGATES.iter().map(|(name, ..)| *name));
            return Err(UnknownName::new("function of windows", &name, known).into());
        }
        let rows = match &spec.window_frame {
            None => false,
            Some(frame) => {
                let running = frame.start_bound == WindowFrameBound::Preceding(None)
                    && matches!(frame.end_bound, None | Some(WindowFrameBound::CurrentRow));
                let rows = frame.units == WindowFrameUnits::Rows;
                let known = running && (rows || frame.units == WindowFrameUnits::Range);
                without(!known, &format!("the frame of {text}"), "use ROWS UNBOUNDED PRECEDING, or none")?;
                rows
            }
        };
        let (mut order, mut sorts) = (Vec::new(), Vec::new());
        let outer = self.barred.replace("a window");
        let partition: Result<Vec<Expr>, _> = spec.partition_by.iter().map(|e| self.unbarred(e)).collect();
        for key in &spec.order_by {
            order.push(self.unbarred(&key.expr)?);
            sorts.push(options(key)?);
        }
        self.barred = outer;
        match aggregate {
            Some(aggregate) => {
                call.checked(aggregate)?;
                let runs = matches!(aggregate.0, "count" | "sum" | "avg" | "mean" | "min" | "max");
                without(!order.is_empty() && !runs, &format!("{text} with ORDER BY"), "leave ORDER BY out")?;
                without(call.distinct, &text, "")?;
            }
            None => {
                without(order.is_empty(), &format!("{text} without ORDER BY"), "add it inside of OVER (…)")?;
                let most = match &*name {
                    "row_number" | "rank" | "dense_rank" => 0..=0,
                    "lag" | "lead" => 1..=2,
                    _ => 1..=1,
                };
                without(!most.contains(&call.values.len()), &text, "")?;
            }
        }
        let column = self.planner.fresh();
        // What the next step takes it for; exactly known once it is computed.
        let kind = match (&*name, call.values.first()) {
            ("avg" | "mean" | "stddev" | "variance" | "corr" | "median", _) => DataType::Float64,
            ("count" | "row_number" | "rank" | "dense_rank", _) | (_, None) => DataType::Int64,
            (_, Some(value)) => self.kind(value)?,
        };
        let partition = partition?;
        self.windows.push(Window { name: column.clone(), call, aggregate, partition, order, sorts, rows });
        Ok(self.made(column, kind))
    }

    /// A key of a window, in which aggregates may stand, and windows may not.
    fn unbarred(&mut self, e: &ast::Expr) -> Result<Expr, QueryError> {
        let before = self.windows.len();
        let outer = self.barred.take();
        let found = self.expression(e);
        self.barred = outer;
        without(self.windows.len() > before, "a window within a window", "use a subquery")?;
        found
    }
}

impl Window {
    /// All expressions over the rows before it.
    pub(super) fn expressions(&mut self) -> impl Iterator<Item = &mut Expr> {
        self.call.values.iter_mut().chain(&mut self.partition).chain(&mut self.order)
    }

    /// The expressions that go in, to read.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Expr> {
        self.call.values.iter().chain(&self.partition).chain(&self.order)
    }

    /// The rows with its column.
    pub(super) fn apply(
        mut self,
        mut frame: LazyFrame,
        fresh: &mut dyn FnMut() -> PlSmallStr,
    ) -> Result<LazyFrame, QueryError> {
        // Columns first: constants are of every row then, and a key is computed once.
        let shift = self.call.values.get(1).map(literal);
        let mut made = Vec::new();
        let count = self.call.values.len().min(1);
        let inputs = self.call.values.iter_mut().take(count);
        for e in inputs.chain(&mut self.partition).chain(&mut self.order) {
            let name = fresh();
            made.push(std::mem::replace(e, col(name.clone())).alias(name));
        }
        let one = fresh();
        made.push(lit(1i64).alias(one.clone()));
        frame = frame.with_columns(made);
        if !self.order.is_empty() {
            let options = SortMultipleOptions::default()
                .with_order_descending_multi(self.sorts.iter().map(|(descending, _)| *descending))
                .with_nulls_last_multi(self.sorts.iter().map(|(_, last)| *last))
                .with_maintain_order(true);
            frame = frame.sort_by_exprs(&self.order, options);
        }
        let mut partition = Over(self.partition.clone());
        let mut ties = Over([self.partition.clone(), self.order.clone()].concat());
        let value = self.call.values.first().cloned();
        let values = value.clone().unwrap_or_else(|| col(one.clone()));
        let ranked = fresh();
        if let Some(aggregate) = self.aggregate {
            if self.order.is_empty() {
                let column = self.call.build(aggregate, &mut partition)?.alias(self.name);
                return Ok(frame.with_columns([column]));
            }
            // What runs up to each row, and then that of the last row that ties with it.
            let seen = values.clone().is_not_null().cast(DataType::Int64).cum_sum(false);
            let running = match aggregate.0 {
                "count" => vec![seen],
                name @ ("min" | "max") => {
                    let float = self.call.kind.is_float();
                    let known = if float { values.clone().fill_nan(lit(NULL)) } else { values.clone() };
                    let extreme = if name == "min" { known.cum_min(false) } else { known.cum_max(false) };
                    let mut running = vec![extreme.fill_null_with_strategy(FillNullStrategy::Forward(None))];
                    if float {
                        let nan = values.is_nan().fill_null(lit(false));
                        running.push(nan.cast(DataType::Int64).cum_sum(false));
                    }
                    running
                }
                "sum" if !self.call.kind.is_float() => {
                    let halves = whole::halves(values.cast(DataType::Int64).fill_null(lit(0)));
                    halves.into_iter().map(|half| half.cum_sum(false)).chain([seen]).collect()
                }
                _ => vec![values.fill_null(lit(0)).cast(DataType::Float64).cum_sum(false), seen],
            };
            let names: Vec<PlSmallStr> = running.iter().map(|_| fresh()).collect();
            let mut columns = Vec::new();
            for (e, name) in running.into_iter().zip(&names) {
                columns.push(partition.each(e)?.alias(name.clone()));
            }
            frame = frame.with_columns(columns);
            let mut ends = Vec::new();
            for name in names {
                ends.push(if self.rows { col(name) } else { ties.each(col(name).last())? });
            }
            let column = match (&ends[..], aggregate.0) {
                // NaN is the greatest.
                ([least, nans], "min") => {
                    let only = least.clone().is_null().and(nans.clone().gt(lit(0)));
                    when(only).then(lit(f64::NAN)).otherwise(least.clone())
                }
                ([greatest, nans], "max") => {
                    when(nans.clone().gt(lit(0))).then(lit(f64::NAN)).otherwise(greatest.clone())
                }
                ([high, low, seen], _) => {
                    let sum = whole::sum(high.clone(), low.clone());
                    when(seen.clone().gt(lit(0))).then(sum).otherwise(lit(NULL))
                }
                ([sum, seen], "sum") => when(seen.clone().gt(lit(0))).then(sum.clone()).otherwise(lit(NULL)),
                ([sum, seen], _) => when(seen.clone().gt(lit(0)))
                    .then(sum.clone() / seen.clone().cast(DataType::Float64))
                    .otherwise(lit(NULL)),
                (ends, _) => ends[0].clone(),
            };
            return Ok(frame.with_columns([column.alias(self.name)]));
        }
        let number = partition.each(col(one).cum_sum(false))?;
        let column = match &*self.call.name.to_lowercase() {
            "row_number" => number,
            "rank" => {
                frame = frame.with_columns([number.alias(ranked.clone())]);
                ties.each(col(ranked).min())?
            }
            "dense_rank" => {
                frame = frame.with_columns([number.alias(ranked.clone())]);
                let first = ties.each(col(ranked.clone()).min())?;
                let new = fresh();
                frame = frame.with_columns([col(ranked).eq(first).cast(DataType::Int64).alias(new.clone())]);
                partition.each(col(new).cum_sum(false))?
            }
            name @ ("lag" | "lead") => {
                let by = match shift {
                    None => Some(1),
                    Some(by) => by.and_then(|by| by.as_any_value().extract::<i64>()),
                };
                let Some(by) = by else {
                    return refuse(&format!("`{}`", self.call.text), "write a whole number");
                };
                partition.each(values.shift(lit(if name == "lag" { by } else { -by })))?
            }
            "first_value" => partition.each(values.first())?,
            _ => {
                if self.rows {
                    values
                } else {
                    ties.each(values.last())?
                }
            }
        };
        Ok(frame.with_columns([column.alias(self.name)]))
    }
}
