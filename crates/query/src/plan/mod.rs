//! From a statement to a plan of polars: an allow-list on the syntax tree.
//!
//! The statement is parsed once. Tables, names, joins, groups, windows, order and limits are
//! planned here, on polars' lazy frames; what is not named in this module is refused with a
//! sentence. polars has a planner of SQL itself, and is not asked, because of version 0.55.2 these
//! answers are wrong or panics, most of them without a word (each has its line in `tests/duckdb`,
//! with the right answer):
//!
//! | SQL | polars-sql 0.55.2 | reported |
//! |---|---|---|
//! | `ORDER BY SUM(x)`, `ORDER BY COUNT(*)` of groups, not aliased | ignored | |
//! | `COUNT(*) - 10` | unsigned 32 bits, wraps | pola-rs/polars#21390, #11465 |
//! | `SUM(i)`, `i * 1000000000` of 32-bit columns | wraps | |
//! | `SELECT COUNT(*), QUANTILE_CONT(x, 0.5) … ORDER BY n` | as many rows as the table | |
//! | `COUNT(*) OVER (ORDER BY x)` | counts rows, not peers | like pola-rs/polars#8550 |
//! | `-7 % 3`, `ROUND(0.5)`, `CAST(2.7 AS INT)` | 2, 0, 2; right: −1, 1, 3 | |
//! | `SELECT COUNT(*)` over several scans | panics: sums as 128 bits | |
//! | `SELECT MIN(x), MAX(x)` | refused: one name twice | |
//! | names in another case | unknown | |
//!
//! Once they are mended there, this module can go again.
#![expect(clippy::wildcard_enum_match_arm, reason = "an allow-list: whatever is not named is refused")]

mod expression;
mod from;
mod functions;
mod scope;
mod select;
mod whole;
mod window;

use polars::prelude::*;
use sqlparser::ast::{self, Ident, SetExpr, SetOperator, SetQuantifier};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError, ParserOptions};

use crate::QueryError;
use eigensweep_store::source::UnknownName;
pub(crate) use expression::Condition;
use scope::{Scope, matches};
use select::Clauses;

/// A refusal: `what` is not supported, and what to write instead, if anything.
fn refuse<T>(what: &str, remedy: &str) -> Result<T, QueryError> {
    Err(QueryError::Unsupported { what: what.to_owned(), remedy: remedy.to_owned() })
}

/// A refusal if that is there.
fn without(found: bool, what: &str, remedy: &str) -> Result<(), QueryError> {
    if found { refuse(what, remedy) } else { Ok(()) }
}

/// Text as a query.
pub(crate) fn parse(sql: &str) -> Result<Box<ast::Query>, QueryError> {
    let options = ParserOptions { trailing_commas: true, ..ParserOptions::default() };
    let parsed = Parser::new(&GenericDialect)
        .with_options(options)
        .try_with_sql(sql)
        .and_then(|mut parser| parser.parse_statements());
    let mut statements = parsed.map_err(|error| {
        let message = match error {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
            ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
        };
        QueryError::Query { message: format!("this is not SQL: {message}") }
    })?;
    let first = statements.pop();
    without(!statements.is_empty(), "more than one statement", "ask one after another")?;
    match first {
        Some(ast::Statement::Query(query)) => Ok(query),
        Some(ast::Statement::Explain { .. }) => refuse("EXPLAIN", "use --explain"),
        Some(other) => {
            let text = other.to_string();
            let verb = text.split_whitespace().next().unwrap_or_default().to_uppercase();
            refuse(&verb, "data sets are read only, and answer SELECT")
        }
        None => Err(QueryError::Query { message: "there is no statement".to_owned() }),
    }
}

/// Operators that may stand within each other; AND, OR and || count once however many there are.
const LEVELS: usize = 100;

/// What a query is planned over.
pub(crate) struct Planner<'q> {
    /// What is read from files.
    tables: &'q [(&'static str, LazyFrame)],
    /// Views and their texts, or why there is none.
    views: &'q [(&'static str, Result<String, String>)],
    /// Tables of WITH, innermost last.
    named: Vec<(Ident, LazyFrame)>,
    /// Comparisons with literals, so that an empty answer can say which values there are.
    pub(crate) conditions: Vec<Condition>,
    /// Names given so far.
    given: usize,
    /// How deep the expression or the query is that is being planned.
    level: usize,
}

impl<'q> Planner<'q> {
    pub(crate) fn new(
        tables: &'q [(&'static str, LazyFrame)],
        views: &'q [(&'static str, Result<String, String>)],
    ) -> Self {
        Self { tables, views, named: Vec::new(), conditions: Vec::new(), given: 0, level: 0 }
    }

    /// What is planned so many levels deeper; polars needs a stack that grows with them.
    fn deeper<T>(
        &mut self,
        levels: usize,
        plan: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        self.level += levels;
        let planned = self.shallow().and_then(|()| plan(self));
        self.level -= levels;
        planned
    }

    /// Whether polars can go as deep as this.
    fn shallow(&self) -> Result<(), QueryError> {
        let what = format!("more than {LEVELS} operators within each other");
        without(self.level > LEVELS, &what, "compute a part in a subquery of FROM")
    }

    /// A name that no column has.
    fn fresh(&mut self) -> PlSmallStr {
        self.given += 1;
        format!("#{}", self.given).into()
    }

    /// The table of that name.
    fn table(&mut self, name: &Ident) -> Result<LazyFrame, QueryError> {
        if let Some((_, frame)) = self.named.iter().rev().find(|(known, _)| matches(name, &known.value)) {
            return Ok(frame.clone());
        }
        if let Some((_, frame)) = self.tables.iter().find(|(known, _)| matches(name, known)) {
            return Ok(frame.clone());
        }
        if let Some((view, text)) = self.views.iter().find(|(known, _)| matches(name, known)) {
            let text = text.as_ref().map_err(|why| QueryError::NoView { view, why: why.clone() })?;
            // A view sees no table of WITH.
            return Planner::new(self.tables, self.views).query(&*parse(text)?);
        }
        let known = self.tables.iter().map(|(name, _)| *name).chain(self.views.iter().map(|(name, _)| *name));
        let named = self.named.iter().map(|(name, _)| name.value.as_str());
        Err(UnknownName::new("table", &name.value, known.chain(named)).into())
    }

    /// A query with its WITH, ORDER BY and LIMIT.
    pub(crate) fn query(&mut self, query: &ast::Query) -> Result<LazyFrame, QueryError> {
        let ast::Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        without(!locks.is_empty() || for_clause.is_some(), "FOR", "")?;
        without(settings.is_some(), "SETTINGS", "")?;
        without(format_clause.is_some(), "FORMAT", "use --format")?;
        without(!pipe_operators.is_empty(), "|>", "")?;
        let outer = self.named.len();
        if let Some(with) = with {
            without(with.recursive, "WITH RECURSIVE", "")?;
            for table in &with.cte_tables {
                let frame = self.query(&table.query)?;
                let frame = renamed(frame, &table.alias)?;
                self.named.push((table.alias.name.clone(), frame));
            }
        }
        let order = order_by.as_ref();
        let limit = limit(limit_clause.as_ref(), fetch.as_ref())?;
        let frame = match &**body {
            SetExpr::Select(select) => self.select(select, order, limit),
            body => {
                let frame = self.rows_of(body)?;
                if order.is_none() && limit.is_none() {
                    Ok(frame)
                } else {
                    let all = [ast::SelectItem::Wildcard(ast::WildcardAdditionalOptions::default())];
                    let mut frame = frame;
                    let schema = frame.collect_schema()?;
                    self.block(frame, Scope::of("", &schema), &Clauses::of(&all), order, limit)
                }
            }
        }?;
        self.named.truncate(outer);
        Ok(frame)
    }

    /// The rows of what stands between UNION, INTERSECT and EXCEPT.
    fn rows_of(&mut self, body: &SetExpr) -> Result<LazyFrame, QueryError> {
        match body {
            SetExpr::Select(select) => self.select(select, None, None),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let (left, right) =
                    self.deeper(1, |planner| Ok((planner.rows_of(left)?, planner.rows_of(right)?)))?;
                set_operation(left, right, *op, *set_quantifier)
            }
            SetExpr::Values(_) => refuse("VALUES", ""),
            SetExpr::Table(_) => refuse("TABLE", "use SELECT * FROM"),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                refuse("a change of rows", "data sets are read only, and answer SELECT")
            }
        }
    }
}

/// A table whose columns are named by `AS alias (name, …)`, if they are.
fn renamed(mut frame: LazyFrame, alias: &ast::TableAlias) -> Result<LazyFrame, QueryError> {
    without(alias.at.is_some(), "AT", "")?;
    if alias.columns.is_empty() {
        return Ok(frame);
    }
    let old: Vec<PlSmallStr> = frame.collect_schema()?.iter_names_cloned().collect();
    let new: Vec<&str> = alias.columns.iter().map(|column| column.name.value.as_str()).collect();
    if old.len() != new.len() {
        let message = format!("`{}` has {} columns, not {}", alias.name.value, old.len(), new.len());
        return Err(QueryError::Query { message });
    }
    Ok(frame.rename(old, new, true))
}

/// UNION, INTERSECT or EXCEPT.
fn set_operation(
    mut left: LazyFrame,
    mut right: LazyFrame,
    op: SetOperator,
    quantifier: SetQuantifier,
) -> Result<LazyFrame, QueryError> {
    let (names, others) = (left.collect_schema()?, right.collect_schema()?);
    let union = UnionArgs { to_supertypes: true, ..UnionArgs::default() };
    let (all, by_name) = match quantifier {
        SetQuantifier::All => (true, false),
        SetQuantifier::AllByName => (true, true),
        SetQuantifier::ByName | SetQuantifier::DistinctByName => (false, true),
        SetQuantifier::None | SetQuantifier::Distinct => (false, false),
    };
    if !by_name {
        if names.len() != others.len() {
            let message =
                format!("{op} of {} columns and {}: they must be as many", names.len(), others.len());
            return Err(QueryError::Query { message });
        }
        right = right.rename(others.iter_names(), names.iter_names(), true);
    }
    let rows = match op {
        SetOperator::Union if by_name => concat_lf_diagonal([left, right], union)?,
        SetOperator::Union => concat([left, right], union)?,
        SetOperator::Intersect | SetOperator::Except | SetOperator::Minus => {
            without(all || by_name, &format!("{op} {quantifier}"), &format!("use {op} alone"))?;
            let kind = if op == SetOperator::Intersect { JoinType::Semi } else { JoinType::Anti };
            let pairs = names.iter_values().zip(others.iter_values()).zip(names.iter_names_cloned());
            let (on_left, on_right): (Vec<Expr>, Vec<Expr>) = pairs
                .map(|((one, other), name)| from::comparable((col(name.clone()), one), (col(name), other)))
                .unzip();
            let args = JoinArgs { nulls_equal: true, ..JoinArgs::new(kind) };
            left.join(right, on_left, on_right, args)
        }
    };
    Ok(if all { rows } else { rows.unique(None, UniqueKeepStrategy::Any) })
}

/// Offset and number of rows of LIMIT or FETCH.
fn limit(
    limit: Option<&ast::LimitClause>,
    fetch: Option<&ast::Fetch>,
) -> Result<Option<(i64, IdxSize)>, QueryError> {
    let (count, offset) = match limit {
        None => (None, None),
        Some(ast::LimitClause::LimitOffset { limit, offset, limit_by }) => {
            without(!limit_by.is_empty(), "LIMIT … BY", "use QUALIFY ROW_NUMBER() OVER (…) <= n")?;
            (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
        }
        Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
    };
    let count = match fetch {
        None => count,
        Some(fetch) => {
            without(fetch.with_ties || fetch.percent || count.is_some(), "this FETCH", "use LIMIT")?;
            fetch.quantity.as_ref()
        }
    };
    let whole = |expression: Option<&ast::Expr>, else_: u64| match expression {
        None => Ok(else_),
        Some(expression) => match expression.to_string().parse::<u64>() {
            Ok(number) => Ok(number),
            Err(_) => refuse(&format!("`{expression}` as a limit"), "write a whole number"),
        },
    };
    if count.is_none() && offset.is_none() {
        return Ok(None);
    }
    let rows = IdxSize::try_from(whole(count, u64::MAX)?).unwrap_or(IdxSize::MAX);
    Ok(Some((i64::try_from(whole(offset, 0)?).unwrap_or(i64::MAX), rows)))
}
