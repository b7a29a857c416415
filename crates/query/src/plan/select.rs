//! One SELECT: FROM, WHERE, groups, windows, columns, order, limit, in this order.
//!
//! Expressions are translated first, over the columns of FROM; on the way they leave what must be
//! computed before them in [`Block`]: aggregates, windows, subqueries of one value. Each becomes a
//! column with a name of its own, so every step is one that polars does right, and what ORDER BY
//! needs is a hidden column until the rows are in order.

use polars::prelude::*;
use sqlparser::ast::{self, GroupByExpr, Ident, SelectItem};

use super::from::{comparable, conjuncts, joined};
use super::scope::{Scope, matches};
use super::window::Window;
use super::{Planner, refuse, without};
use crate::QueryError;

/// The clauses of a SELECT that follow FROM.
pub(super) struct Clauses<'a> {
    projection: &'a [SelectItem],
    distinct: bool,
    selection: Option<&'a ast::Expr>,
    group_by: Option<&'a GroupByExpr>,
    having: Option<&'a ast::Expr>,
    windows: &'a [ast::NamedWindowDefinition],
    qualify: Option<&'a ast::Expr>,
}

impl<'a> Clauses<'a> {
    /// Columns alone.
    pub(super) fn of(projection: &'a [SelectItem]) -> Self {
        Self {
            projection,
            distinct: false,
            selection: None,
            group_by: None,
            having: None,
            windows: &[],
            qualify: None,
        }
    }
}

/// A SELECT that is being planned.
pub(super) struct Block<'p, 'q, 'a> {
    pub(super) planner: &'p mut Planner<'q>,
    pub(super) scope: Scope,
    /// The rows before WHERE, for [`Condition`](super::Condition).
    pub(super) source: LazyFrame,
    /// Columns of the rows before groups, with those of subqueries.
    pub(super) schema: SchemaRef,
    /// Names of the SELECT list.
    pub(super) aliases: Vec<(&'a Ident, &'a ast::Expr)>,
    pub(super) named_windows: &'a [ast::NamedWindowDefinition],
    /// Columns that are added before groups: constants, which an aggregate takes of every row.
    pub(super) constants: Vec<Expr>,
    /// Aggregates, each under a name of its own.
    pub(super) aggregates: Vec<(PlSmallStr, Expr)>,
    pub(super) windows: Vec<Window>,
    /// Queries of one row and one column.
    pub(super) subqueries: Vec<(PlSmallStr, LazyFrame)>,
    /// Where neither aggregate nor window may stand: the clause's name.
    pub(super) barred: Option<&'static str>,
    /// Aliases that are being expanded.
    pub(super) depth: usize,
}

impl<'p, 'q> Block<'p, 'q, '_> {
    pub(super) fn new(
        planner: &'p mut Planner<'q>,
        source: LazyFrame,
        scope: Scope,
        schema: SchemaRef,
    ) -> Self {
        Self {
            planner,
            scope,
            source,
            schema,
            aliases: Vec::new(),
            named_windows: &[],
            constants: Vec::new(),
            aggregates: Vec::new(),
            windows: Vec::new(),
            subqueries: Vec::new(),
            barred: None,
            depth: 0,
        }
    }

    /// A column of an answer: whole numbers in 64 bits, but for a table's own columns, since
    /// filters pass them on to the files.
    fn shown(&self, e: Expr) -> Result<Expr, QueryError> {
        let own = |name: &PlSmallStr| {
            self.scope.tables.iter().any(|(_, columns)| columns.iter().any(|it| it.column == *name))
        };
        match &e {
            Expr::Column(name) if own(name) => Ok(e),
            _ => self.wide(e),
        }
    }

    /// An expression of a clause where neither aggregate nor window may stand.
    pub(super) fn plain(&mut self, clause: &'static str, e: &ast::Expr) -> Result<Expr, QueryError> {
        let outer = self.barred.replace(clause);
        let found = self.expression(e);
        self.barred = outer;
        found
    }

    /// The rows with the values of those subqueries beside them that the expressions name.
    fn beside(&self, mut frame: LazyFrame, expressions: &[&Expr]) -> LazyFrame {
        for (name, subquery) in &self.subqueries {
            if expressions.iter().any(|e| e.into_iter().any(|e| matches!(e, Expr::Column(it) if it == name)))
            {
                frame = frame.cross_join(subquery.clone(), None);
            }
        }
        frame
    }

    /// The rows for which a WHERE is true.
    fn filtered(&mut self, mut frame: LazyFrame, condition: &ast::Expr) -> Result<LazyFrame, QueryError> {
        // Those of one table each, in one step: polars passes every single one through all others.
        let mut simple = Vec::new();
        for condition in conjuncts(condition) {
            if let ast::Expr::InSubquery { expr, subquery, negated } = condition {
                let key = self.plain("WHERE", expr)?;
                frame = self.within(frame, key, subquery, *negated)?;
            } else {
                let equality = matches!(condition, ast::Expr::BinaryOp { op: ast::BinaryOperator::Eq, .. });
                let outer = self.barred.replace("WHERE");
                let condition = self.truth(condition);
                self.barred = outer;
                let condition = condition?;
                let has = |names: &[&PlSmallStr]| {
                    condition.into_iter().any(|e| matches!(e, Expr::Column(it) if names.contains(&it)))
                };
                let tables = self.scope.tables.iter();
                let columns =
                    tables.map(|(_, columns)| columns.iter().map(|it| &it.column).collect::<Vec<_>>());
                let across = columns.filter(|columns| has(columns)).count() > 1;
                let values: Vec<PlSmallStr> = self.subqueries.iter().map(|(name, _)| name.clone()).collect();
                if values.is_empty() && !across {
                    simple.push(condition);
                    continue;
                }
                frame = self.beside(frame, &[&condition]);
                frame = if values.is_empty() && equality {
                    frame.filter(condition)
                } else {
                    self.planner.kept(frame, condition)
                };
                self.subqueries.clear();
                if !values.is_empty() {
                    frame = frame.drop(by_name(values, true, false));
                }
            }
        }
        Ok(match joined(simple, Expr::and) {
            Some(condition) => frame.filter(condition),
            None => frame,
        })
    }

    /// The groups of rows, or the one of all where there are no keys; what comes later is of groups
    /// then.
    fn grouped(
        &mut self,
        mut frame: LazyFrame,
        keys: &[Expr],
        later: &mut Later,
    ) -> Result<LazyFrame, QueryError> {
        let inputs: Vec<&Expr> = keys.iter().chain(self.aggregates.iter().map(|(_, e)| e)).collect();
        frame = self.beside(frame, &inputs);
        if !self.constants.is_empty() {
            frame = frame.with_columns(&self.constants);
        }
        let named = |(name, e): (&PlSmallStr, &Expr)| e.clone().alias(name.clone());
        let aggregates: Vec<Expr> = self.aggregates.iter().map(|(name, e)| named((name, e))).collect();
        let names: Vec<PlSmallStr> = keys.iter().map(|_| self.planner.fresh()).collect();
        frame = if keys.is_empty() {
            frame.select(aggregates)
        } else {
            frame.group_by(names.iter().zip(keys).map(named).collect::<Vec<_>>()).agg(aggregates)
        };
        let made =
            self.aggregates.iter().map(|(name, _)| name).chain(later.windows.iter().map(|it| &it.name));
        let made = made.chain(self.subqueries.iter().map(|(name, _)| name));
        let known: Vec<PlSmallStr> = names.iter().chain(made).cloned().collect();
        for e in later.expressions() {
            let key = |e: Expr| keys.iter().position(|key| *key == e).map_or(e, |at| col(names[at].clone()));
            *e = std::mem::take(e).map_expr(key);
            let other = e.into_iter().find_map(|e| match e {
                Expr::Column(name) if !known.contains(name) => Some(name),
                _ => None,
            });
            if let Some(name) = other {
                let name = visible(&self.scope, name);
                let message = format!("`{name}` stands neither in GROUP BY nor in an aggregate");
                return Err(QueryError::Query { message });
            }
        }
        Ok(frame)
    }

    /// `key [NOT] IN (SELECT …)`.
    fn within(
        &mut self,
        frame: LazyFrame,
        key: Expr,
        subquery: &ast::Query,
        negated: bool,
    ) -> Result<LazyFrame, QueryError> {
        let mut values = self.planner.query(subquery)?;
        let schema = values.collect_schema()?;
        let mut columns = schema.iter();
        let (Some((name, kind)), None) = (columns.next(), columns.next()) else {
            return refuse("IN (SELECT …) of several columns", "select one");
        };
        let own = key.to_field(&self.schema)?.dtype;
        let (one, other) = comparable((key.clone(), &own), (col(name.clone()), kind));
        if !negated {
            return Ok(frame.join(values, [one], [other], JoinArgs::new(JoinType::Semi)));
        }
        // NOT IN is unknown where the key is null or a value is, unless there are no values.
        let (count, nulls) = (self.planner.fresh(), self.planner.fresh());
        let counted = values.clone().select([
            len().cast(DataType::Int64).alias(count.clone()),
            col(name.clone()).is_null().cast(DataType::Int64).sum().alias(nulls.clone()),
        ]);
        let known = col(nulls.clone()).eq(lit(0)).and(key.is_not_null());
        let args = JoinArgs::new(JoinType::Anti);
        let rows = frame.cross_join(counted, None).filter(col(count.clone()).eq(lit(0)).or(known));
        Ok(rows.join(values, [one], [other], args).drop(by_name([count, nulls], true, false)))
    }
}

impl Planner<'_> {
    /// The rows for which a condition across tables is true. It is a column first: of a product of
    /// tables and a filter with an inequality polars makes a join that its streaming engine does
    /// not know, and panics on.
    pub(super) fn kept(&mut self, frame: LazyFrame, condition: Expr) -> LazyFrame {
        let name = self.fresh();
        let frame = frame.with_columns([condition.alias(name.clone())]).filter(col(name.clone()));
        frame.drop(by_name([name], true, false))
    }

    pub(super) fn select(
        &mut self,
        select: &ast::Select,
        order: Option<&ast::OrderBy>,
        limit: Option<(i64, IdxSize)>,
    ) -> Result<LazyFrame, QueryError> {
        let ast::Select {
            select_token: _,
            optimizer_hints,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor: _,
        } = select;
        without(!optimizer_hints.is_empty() || select_modifiers.is_some(), "a hint", "")?;
        without(top.is_some(), "TOP", "use LIMIT")?;
        without(exclude.is_some(), "EXCLUDE after the columns", "use * EXCLUDE (…)")?;
        without(into.is_some(), "SELECT INTO", "use -o FILE")?;
        without(!lateral_views.is_empty(), "LATERAL VIEW", "")?;
        without(prewhere.is_some(), "PREWHERE", "use WHERE")?;
        without(!connect_by.is_empty(), "CONNECT BY", "")?;
        without(!cluster_by.is_empty() || !distribute_by.is_empty(), "CLUSTER BY", "")?;
        without(!sort_by.is_empty(), "SORT BY", "use ORDER BY")?;
        without(value_table_mode.is_some(), "SELECT AS", "")?;
        let distinct = match distinct {
            None | Some(ast::Distinct::All) => false,
            Some(ast::Distinct::Distinct) => true,
            Some(ast::Distinct::On(_)) => {
                return refuse(
                    "DISTINCT ON",
                    "use QUALIFY ROW_NUMBER() OVER (PARTITION BY … ORDER BY …) = 1",
                );
            }
        };
        let (frame, scope) = self.from(from)?;
        let all = [SelectItem::Wildcard(ast::WildcardAdditionalOptions::default())];
        let clauses = Clauses {
            // FROM results, alone.
            projection: if projection.is_empty() { &all } else { projection },
            distinct,
            selection: selection.as_ref(),
            group_by: Some(group_by),
            having: having.as_ref(),
            windows: named_window,
            qualify: qualify.as_ref(),
        };
        self.block(frame, scope, &clauses, order, limit)
    }

    /// The rows of a SELECT over rows.
    pub(super) fn block(
        &mut self,
        mut frame: LazyFrame,
        scope: Scope,
        clauses: &Clauses<'_>,
        order: Option<&ast::OrderBy>,
        limit: Option<(i64, IdxSize)>,
    ) -> Result<LazyFrame, QueryError> {
        let schema = frame.collect_schema()?;
        let mut block = Block::new(self, frame.clone(), scope, schema);
        block.named_windows = clauses.windows;
        block.aliases = clauses
            .projection
            .iter()
            .filter_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias } => Some((alias, expr)),
                _ => None,
            })
            .collect();
        if let Some(condition) = clauses.selection {
            frame = block.filtered(frame, condition)?;
        }
        let items = items(&mut block, clauses.projection)?;
        let keys = match clauses.group_by {
            Some(group_by) => keys(&mut block, group_by, clauses.projection, &items)?,
            None => Vec::new(),
        };
        let windows = block.windows.len();
        let having = clauses.having.map(|e| block.truth(e)).transpose()?;
        without(block.windows.len() > windows, "a window in HAVING", "use QUALIFY")?;
        let qualify = clauses.qualify.map(|e| block.truth(e)).transpose()?;
        let (order, sorts) = order_by(&mut block, order, &items)?;
        let windows = std::mem::take(&mut block.windows);
        let mut later = Later { items, having, qualify, order, windows };
        let grouped = !keys.is_empty() || !block.aggregates.is_empty();
        without(later.having.is_some() && !grouped, "HAVING without groups", "use WHERE")?;
        if grouped {
            frame = block.grouped(frame, &keys, &mut later)?;
        }
        frame = block.beside(frame, &later.inputs());
        if let Some(having) = later.having {
            frame = block.planner.kept(frame, having);
        }
        for window in later.windows {
            frame = window.apply(frame, &mut || block.planner.fresh())?;
        }
        if let Some(qualify) = later.qualify {
            frame = block.planner.kept(frame, qualify);
        }
        frame = self.answer(frame, later.items, later.order, &sorts, clauses.distinct)?;
        Ok(match limit {
            Some((offset, rows)) => frame.slice(offset, rows),
            None => frame,
        })
    }

    /// The columns of an answer, in order.
    fn answer(
        &mut self,
        mut frame: LazyFrame,
        items: Columns,
        hidden: Columns,
        sorts: &[Sort],
        distinct: bool,
    ) -> Result<LazyFrame, QueryError> {
        let shown: Vec<Expr> = items.iter().map(|(name, _)| col(name.clone())).collect();
        if distinct {
            without(!hidden.is_empty(), "ORDER BY of what DISTINCT does not select", "select it, too")?;
        }
        let names: Vec<Expr> = items.iter().chain(&hidden).map(|(name, _)| col(name.clone())).collect();
        let columns: Vec<Expr> = items.into_iter().chain(hidden).map(|(name, e)| e.alias(name)).collect();
        let constant = columns.iter().all(|e| !e.into_iter().any(|e| matches!(e, Expr::Column(_))));
        frame = if constant {
            // Constants alone would be one row, whatever the table has: they stand beside a column.
            let schema = frame.collect_schema()?;
            let first = schema.iter_names().next().cloned().unwrap_or_default();
            frame.select([col(first).alias(self.fresh())]).with_columns(columns).select(names)
        } else {
            frame.select(columns)
        };
        if distinct {
            frame = frame.unique(None, UniqueKeepStrategy::Any);
        }
        if !sorts.is_empty() {
            let by: Vec<Expr> = sorts.iter().map(|(name, ..)| col(name.clone())).collect();
            let options = SortMultipleOptions::default()
                .with_order_descending_multi(sorts.iter().map(|(_, descending, _)| *descending))
                .with_nulls_last_multi(sorts.iter().map(|(_, _, last)| *last));
            frame = frame.sort_by_exprs(by, options).select(shown);
        }
        Ok(frame)
    }
}

/// What is computed after groups.
struct Later {
    items: Columns,
    having: Option<Expr>,
    qualify: Option<Expr>,
    order: Columns,
    windows: Vec<Window>,
}

impl Later {
    fn expressions(&mut self) -> impl Iterator<Item = &mut Expr> {
        let columns = self.items.iter_mut().chain(&mut self.order).map(|(_, e)| e);
        let windows = self.windows.iter_mut().flat_map(Window::expressions);
        columns.chain(&mut self.having).chain(&mut self.qualify).chain(windows)
    }

    fn inputs(&self) -> Vec<&Expr> {
        let columns = self.items.iter().chain(&self.order).map(|(_, e)| e);
        let windows = self.windows.iter().flat_map(Window::inputs);
        columns.chain(&self.having).chain(&self.qualify).chain(windows).collect()
    }
}

/// How a user knows a column of the frame.
fn visible<'a>(scope: &'a Scope, column: &'a PlSmallStr) -> &'a str {
    let mut named = scope.tables.iter().flat_map(|(_, columns)| columns);
    named.find(|named| named.column == *column).map_or(column, |named| &named.name)
}

/// The columns of a SELECT list and their names, of which none is there twice.
fn items(block: &mut Block<'_, '_, '_>, projection: &[SelectItem]) -> Result<Columns, QueryError> {
    let mut items: Columns = Vec::new();
    for item in projection {
        match item {
            SelectItem::UnnamedExpr(e) => {
                let column = block.expression(e)?;
                items.push((heading(block, e).into(), block.shown(column)?));
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                let column = block.expression(expr)?;
                items.push((alias.value.as_str().into(), block.shown(column)?));
            }
            SelectItem::Wildcard(options) => items.extend(all(block, None, options)?),
            SelectItem::QualifiedWildcard(
                ast::SelectItemQualifiedWildcardKind::ObjectName(name),
                options,
            ) => {
                let [ast::ObjectNamePart::Identifier(table)] = &name.0[..] else {
                    return refuse(&format!("`{item}`"), "name one table");
                };
                items.extend(all(block, Some(table), options)?);
            }
            other => return refuse(&format!("`{other}`"), ""),
        }
    }
    for at in 1..items.len() {
        let taken = |name: &str| items[..at].iter().any(|(other, _)| other == name);
        if taken(&items[at].0) {
            let name = items[at].0.clone();
            let free = (1..).map(|count| format!("{name}_{count}")).find(|name| !taken(name));
            items[at].0 = free.unwrap_or_default().into();
        }
    }
    Ok(items)
}

/// The columns of `*`.
fn all(
    block: &Block<'_, '_, '_>,
    table: Option<&Ident>,
    options: &ast::WildcardAdditionalOptions,
) -> Result<Columns, QueryError> {
    let ast::WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    let more = opt_ilike.is_some() || opt_replace.is_some() || opt_rename.is_some() || opt_alias.is_some();
    without(more, &format!("`*{options}`"), "use * EXCLUDE (…), or name the columns")?;
    let mut left_out: Vec<Ident> = Vec::new();
    let idents = |name: &ast::ObjectName| {
        name.0.iter().filter_map(|part| part.as_ident().cloned()).collect::<Vec<_>>()
    };
    match opt_exclude {
        Some(ast::ExcludeSelectItem::Single(name)) => left_out.extend(idents(name)),
        Some(ast::ExcludeSelectItem::Multiple(names)) => left_out.extend(names.iter().flat_map(idents)),
        None => {}
    }
    if let Some(except) = opt_except {
        left_out.push(except.first_element.clone());
        left_out.extend(except.additional_elements.iter().cloned());
    }
    for name in &left_out {
        block.scope.find(table, name)?;
    }
    let columns = block.scope.all(table)?;
    without(columns.is_empty(), "* without FROM", "name a table")?;
    let columns =
        columns.into_iter().filter(|column| !left_out.iter().any(|name| matches(name, &column.name)));
    Ok(columns.map(|column| (column.name.clone(), col(column.column.clone()))).collect())
}

/// The name of a column without an alias: its own, or the expression's text, as in DuckDB.
fn heading(block: &Block<'_, '_, '_>, e: &ast::Expr) -> String {
    match e {
        ast::Expr::Identifier(name) => {
            block.scope.find(None, name).map_or(name.value.clone(), |column| column.name.to_string())
        }
        ast::Expr::CompoundIdentifier(parts) => match &parts[..] {
            [table, name] => block
                .scope
                .find(Some(table), name)
                .map_or(name.value.clone(), |column| column.name.to_string()),
            _ => e.to_string(),
        },
        ast::Expr::Function(function) => {
            let (text, name) = (e.to_string(), function.name.to_string());
            text.strip_prefix(&name).map_or(text.clone(), |rest| name.to_lowercase() + rest)
        }
        ast::Expr::Nested(inner) => heading(block, inner),
        _ => e.to_string(),
    }
}

/// The place in the SELECT list that a whole number means.
fn ordinal(e: &ast::Expr, count: usize, clause: &str) -> Result<Option<usize>, QueryError> {
    let ast::Expr::Value(value) = e else { return Ok(None) };
    let ast::Value::Number(text, _) = &value.value else {
        return refuse(&format!("{clause} {e}"), "name a column");
    };
    match text.parse::<usize>() {
        Ok(number) if (1..=count).contains(&number) => Ok(Some(number - 1)),
        _ => Err(QueryError::Query { message: format!("{clause} {e}: there are {count} columns") }),
    }
}

/// The keys of `GROUP BY`.
fn keys(
    block: &mut Block<'_, '_, '_>,
    group_by: &GroupByExpr,
    projection: &[SelectItem],
    items: &[(PlSmallStr, Expr)],
) -> Result<Vec<Expr>, QueryError> {
    let refused = "GROUP BY once for each grouping, joined by UNION ALL";
    let expressions = match group_by {
        GroupByExpr::Expressions(expressions, modifiers) => {
            without(!modifiers.is_empty(), "ROLLUP, CUBE or GROUPING SETS", refused)?;
            expressions
        }
        GroupByExpr::All(modifiers) => {
            without(!modifiers.is_empty(), "ROLLUP, CUBE or GROUPING SETS", refused)?;
            let later = |e: &Expr| {
                let made = |name: &PlSmallStr| {
                    let windows = block.windows.iter().any(|window| window.name == *name);
                    windows || block.aggregates.iter().any(|(aggregate, _)| aggregate == name)
                };
                e.into_iter().any(|e| matches!(e, Expr::Column(name) if made(name)))
            };
            return Ok(items.iter().filter(|(_, e)| !later(e)).map(|(_, e)| e.clone()).collect());
        }
    };
    let mut keys: Vec<Expr> = Vec::new();
    for e in expressions {
        if matches!(e, ast::Expr::Rollup(_) | ast::Expr::Cube(_) | ast::Expr::GroupingSets(_)) {
            return refuse("ROLLUP, CUBE or GROUPING SETS", refused);
        }
        let key = match ordinal(e, items.len(), "GROUP BY")? {
            None => block.plain("GROUP BY", e)?,
            Some(at) => match projection.get(at) {
                Some(SelectItem::UnnamedExpr(e) | SelectItem::ExprWithAlias { expr: e, .. })
                    if projection.len() == items.len() =>
                {
                    block.plain("GROUP BY", e)?
                }
                _ => items[at].1.clone(),
            },
        };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}

/// Columns and their names.
type Columns = Vec<(PlSmallStr, Expr)>;

/// A column to sort by, whether it descends, and whether its nulls come last.
pub(super) type Sort = (PlSmallStr, bool, bool);

/// Descending, and nulls last: DuckDB's default both ways.
pub(super) fn options(e: &ast::OrderByExpr) -> Result<(bool, bool), QueryError> {
    without(e.with_fill.is_some(), "WITH FILL", "")?;
    Ok((e.options.asc == Some(false), e.options.nulls_first != Some(true)))
}

/// What `ORDER BY` needs: columns of its own, which are hidden later, and by which ones to sort.
fn order_by(
    block: &mut Block<'_, '_, '_>,
    order: Option<&ast::OrderBy>,
    items: &[(PlSmallStr, Expr)],
) -> Result<(Columns, Vec<Sort>), QueryError> {
    let (mut hidden, mut sorts) = (Vec::new(), Vec::new());
    let Some(order) = order else { return Ok((hidden, sorts)) };
    without(order.interpolate.is_some(), "INTERPOLATE", "")?;
    let expressions = match &order.kind {
        ast::OrderByKind::Expressions(expressions) => expressions,
        ast::OrderByKind::All(all) => {
            let (descending, last) = (all.asc == Some(false), all.nulls_first != Some(true));
            sorts.extend(items.iter().map(|(name, _)| (name.clone(), descending, last)));
            return Ok((hidden, sorts));
        }
    };
    for e in expressions {
        let (descending, last) = options(e)?;
        let item = match &e.expr {
            ast::Expr::Identifier(name) => {
                if name.quote_style.is_none()
                    && name.value.eq_ignore_ascii_case("all")
                    && expressions.len() == 1
                    && block.scope.find(None, name).is_err()
                {
                    sorts.extend(items.iter().map(|(name, _)| (name.clone(), descending, last)));
                    continue;
                }
                items.iter().position(|(item, _)| matches(name, item))
            }
            other => ordinal(other, items.len(), "ORDER BY")?,
        };
        let item = match item {
            Some(at) => Some(at),
            None => {
                let key = block.expression(&e.expr)?;
                let key = block.shown(key)?;
                let at = items.iter().position(|(_, item)| *item == key);
                if at.is_none() {
                    let name = block.planner.fresh();
                    hidden.push((name.clone(), key));
                    sorts.push((name, descending, last));
                }
                at
            }
        };
        if let Some(at) = item {
            sorts.push((items[at].0.clone(), descending, last));
        }
    }
    Ok((hidden, sorts))
}
